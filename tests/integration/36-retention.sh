#!/bin/bash
# What the broker keeps ends at its term, over kills and a clock that cannot be
# trusted; and it says what it holds of one referral, and what is left of it.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

declare -a RUNS=(practice-1 municipality)

# days N: everything that runs stands N days from now.
days()
{
	local name

	for name in "${RUNS[@]}" broker; do
		stop "$name"
	done
	DAYS=$1
	conf_set "$KORTELIJN_CONFIG" broker clock_offset "${1}d"
	for name in practice-1 municipality; do
		conf_set "$R/$name/$name.conf" adapter clock_offset "${1}d"
	done
	broker_start
	for name in "${RUNS[@]}"; do
		adapter_start "$name"
		adapter_ready "$name"
	done
}

# export REFERENCE FILTER: of jq, on all that the broker holds on it.
export_of()
{
	kortelijn subject export "$1" --json | jq -r "$2"
}

left_of()
{
	kortelijn erase verify "$1" --json | jq -r "$2"
}

# left_is REFERENCE FILTER PATTERN
left_is()
{
	left_of "$1" "$2" | grep -qx "$3"
}

# events REFERENCE EVENT: how many records.
events()
{
	export_of "$1" "[.log[] | select(.event == \"$2\")] | length"
}

happened()
{
	[ "$(events "$1" "$2")" -gt 0 ]
}

# To be asked for a profile brings the directory up to date.
desk_is_known()
{
	adapter practice-1 profile oin:00000001000000000001 &&
	    adapter practice-1 show "$1" | grep -q Telefoon
}

# A consent of 150 days, or of so many.
send()
{
	local until=$((${DAYS:-0} + ${2:-150}))

	refer practice-1 practice-1/van-putten ".referral_id = \"$1\" |
	    .consent.valid_until = \"$(date -u -d "$until days" +%F)\"" |
	    jq -r .reference
}

payload_ends_at_the_receipt()
{
	DONE=$(send "delivered") || return 1
	wait_state practice-1 "$DONE" delivered
	wait_for "$PATIENCE" "its erasure" \
	    left_is "$DONE" ".messages[0].erased_leaf" "[0-9].*"
	# The nightly rewrap may have given its sector to another key already.
	left_of "$DONE" '.messages[0] | [.state, .slot, .ciphertext] |
	    join(" ")' | grep -qxE "delivered (zeroed|overwritten) false" &&
	    kortelijn erase verify "$DONE" | grep -q "its key was destroyed"
}

all_is_exported()
{
	local page=$R/page.txt

	kortelijn subject export "$DONE" >"$page" || return 1
	[ "$(LC_ALL=C.UTF-8 wc -L <"$page")" -le 80 ] &&
	    grep -q "artikel 15" "$page" && grep -q "$DONE" "$page" &&
	    grep -q "afgeleverd" "$page" &&
	    grep -q "doel: *verwijzing met toestemming" "$page" || return 1
	[ "$(export_of "$DONE" '[.conversation.state, .consent.held,
	    .consent.form, .messages[0].receipt.outcome] | join(" ")')" = \
	    "open signed oral opened" ] || return 1
	CONV=$(export_of "$DONE" .conversation.conv_id)
	# Who looked is in the log, also the look of now.
	[ "$(events "$DONE" query)" -ge 3 ] || return 1
	[ "$(export_of "$DONE" '[.log[].kept_until] | unique | length')" -eq 1 ]
}

no_person_is_in_it()
{
	kortelijn subject export "$DONE" --json >"$R/all.json"
	! grep -qi "putten\|0612" "$R/all.json"
}

unknown_reference_says_so()
{
	local out status

	out=$(kortelijn subject export 0000-0000-0 --json)
	status=$?
	[ "$status" -ne 0 ] &&
	    [ "$(jq -r .code <<<"$out")" = referral_unknown ] || return 1
	out=$(kortelijn erase verify 00112233445566778899aabbccddeeff --json)
	[ "$(jq -r .code <<<"$out")" = referral_unknown ] &&
	    ! kortelijn subject export nonsense >/dev/null 2>"$R/err" &&
	    grep -q "no reference such as" "$R/err" &&
	    ! kortelijn erase verify deadbeef >/dev/null 2>"$R/err" &&
	    grep -q "no id of 32" "$R/err"
}

uncollected_is_in_use()
{
	wait_for "$PATIENCE" "the desk's profile" desk_is_known "$DONE"
	stop municipality
	RUNS=(practice-1)
	# A broker that waits for no desk any more.
	days 1
	LATE=$(send "uncollected") || return 1
	wait_for "$PATIENCE" "its accept" \
	    left_is "$LATE" ".messages[0].slot" "in use"
	[ "$(left_of "$LATE" '.messages[0].ciphertext')" = true ]
}

# Both sides once, with a kill in the middle of it.
deadline_is_told_once()
{
	local core

	days 6
	core=$(broker_child core) && kill -KILL "$core"
	wait_for "$PATIENCE" "the broker" kortelijn status
	wait_for "$PATIENCE" "the leaf" happened "$LATE" deadline
	days 7
	[ "$(events "$LATE" deadline)" -eq 1 ]
}

uncollected_ends_at_its_term()
{
	days 15
	wait_state practice-1 "$LATE" expired
	left_of "$LATE" '.messages[0] | [.state, .slot, .ciphertext] |
	    join(" ")' | grep -qxE "expired (zeroed|overwritten) false"
}

# The desk is named, with its number.
sender_is_told_to_phone()
{
	adapter practice-1 show "$LATE" >"$R/late.txt"
	grep -qi "niet opgehaald" "$R/late.txt" && grep -q "+31" "$R/late.txt"
}

conversation_ends_after_its_term()
{
	RUNS=(practice-1 municipality)
	days 16
	desk "$DONE" completed
	wait_state practice-1 "$DONE" completed
	days 105
	[ "$(export_of "$DONE" .conversation.state)" = ended ] || return 1
	days 107
	[ "$(kortelijn subject export "$DONE" --json | jq -r .code)" = \
	    referral_unknown ]
}

marker_is_left()
{
	[ "$(export_of "$CONV" .marker)" = true ] &&
	    kortelijn subject export "$CONV" | grep -q "merk"
}

marker_ends_with_the_consent()
{
	days 152
	[ "$(kortelijn subject export "$CONV" --json | jq -r .code)" = \
	    referral_unknown ]
}

hold()
{
	kortelijn hold --json | jq -r "$1"
}

clock_that_goes_back_is_held()
{
	local leaves

	days 400
	days 398
	[ "$(hold .why)" = behind ] && [ "$(broker_status .clock_held)" = \
	    true ] || return 1
	leaves=$(broker_status .leaves)
	kortelijn hold release | grep -q "trusted" || return 1
	[ "$(hold .held)" = false ] &&
	    [ "$(broker_status .leaves)" -gt "$leaves" ]
}

# A small store whose only message expires is swept without asking, although
# no time server stands behind this clock.
small_store_is_swept()
{
	local last

	stop municipality
	RUNS=(practice-1)
	days 399
	last=$(send "last") || return 1
	days 420
	wait_state practice-1 "$last" expired
	[ "$(hold .held)" = false ]
}

region_begin
region_small
adapter municipality profile "$ROOT/tests/data/municipality/profile.json" \
    >/dev/null || die "profile"
ok payload_ends_at_the_receipt payload_ends_at_the_receipt
ok all_is_exported all_is_exported
ok no_person_is_in_it no_person_is_in_it
ok unknown_reference_says_so unknown_reference_says_so
ok uncollected_is_in_use uncollected_is_in_use
ok deadline_is_told_once deadline_is_told_once
ok uncollected_ends_at_its_term uncollected_ends_at_its_term
ok sender_is_told_to_phone sender_is_told_to_phone
ok conversation_ends_after_its_term conversation_ends_after_its_term
ok marker_is_left marker_is_left
ok marker_ends_with_the_consent marker_ends_with_the_consent
ok clock_that_goes_back_is_held clock_that_goes_back_is_held
ok small_store_is_swept small_store_is_swept
exit "$FAILED"
