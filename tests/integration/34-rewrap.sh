#!/bin/bash
# The keys of the store are written anew under a new master key while the loop
# goes on, also when core or an adapter is killed in the middle of it. A key
# file or a credential seals the master key; without it nothing starts and
# nothing is changed.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

# Enough of them that a rewrap can be met while it runs.
SLOTS=32768
N=0
STATE=

# master_key FILE: the master key in it, in hexadecimal, if it lies in clear.
master_key()
{
	local at

	for at in 8 520; do
		dd if="$1" bs=1 skip="$at" count=32 status=none | od -An -v -tx1 |
		    tr -d ' \n' | grep -v '^0*$'
	done
}

# holds DIR KEY: is the key in one of the two files of the slots?
holds()
{
	cat "$1/master" "$1/slots" | od -An -v -tx1 | tr -d ' \n' |
	    grep -q "$2"
}

slots_new_grows()
{
	[ "$(stat -c %s "$1/slots.new" 2>/dev/null || echo 0)" -gt 1000000 ]
}

not_running()
{
	! running "$1"
}

core_is_another()
{
	local pid

	pid=$(broker_child core) && [ "$pid" != "$1" ] && kortelijn status
}

# Kills core while the new file is half written; the next one undoes it.
kill_core_in_the_middle()
{
	local pid before after

	before=$(broker_status .rewrapped_ms)
	pid=$(broker_child core) || return 1
	kortelijn rewrap >/dev/null 2>&1 &
	wait_for "$PATIENCE" "a new slot file" slots_new_grows "$STATE"
	kill -KILL "$pid"
	wait "$!"
	wait_for "$PATIENCE" "another core" core_is_another "$pid"
	after=$(broker_status .rewrapped_ms)
	[ "$before" = "$after" ] && [ ! -e "$STATE/slots.new" ]
}

kill_adapter_in_the_middle()
{
	local d=$R/practice-1/data

	adapter practice-1 rewrap >/dev/null 2>&1 &
	wait_for "$PATIENCE" "a new slot file" slots_new_grows "$d"
	stop practice-1 KILL
	wait "$!"
	[ -e "$d/slots.new" ] || return 1
	adapter_start practice-1
	adapter_ready practice-1
	[ ! -e "$d/slots.new" ]
}

# A loop that was open before and one that begins now.
loop_goes_on()
{
	local ref

	wait_state practice-1 "$OPEN" delivered
	N=$((N + 1))
	ref=$(refer practice-1 practice-1/van-putten \
	    ".referral_id = \"rewrap-$N\"" | jq -r .reference)
	[ -n "$ref" ] && wait_state practice-1 "$ref" delivered
	OPEN=$ref
}

# rewrap_destroys NAME DIR COMMAND...: the command rewraps the store in DIR.
rewrap_destroys()
{
	local name=$1 dir=$2 key

	shift 2
	key=$(master_key "$dir/master")
	[ ${#key} -eq 64 ] && holds "$dir" "$key" || return 1
	cp "$dir/slots" "$R/$name.slots"
	"$@" rewrap >"$R/$name.txt" || return 1
	! holds "$dir" "$key" && ! cmp -s "$R/$name.slots" "$dir/slots" &&
	    [ "$(stat -c %s "$dir/slots")" -eq $(((SLOTS + 1) * 512)) ]
}

# The slot file of before in the place of the one of now.
old_slots_open_no_more()
{
	stop broker
	cp "$STATE/slots" "$R/slots.now"
	cat "$R/broker.slots" >"$STATE/slots"
	refuses slots_unusable "damaged" || return 1
	cat "$R/slots.now" >"$STATE/slots"
	broker_start
}

# refuses EVENT WORDS: the broker says so, and ends.
refuses()
{
	: >"$R/broker.log"
	start broker "$B/kortelijnd" --config="$KORTELIJN_CONFIG"
	wait_for "$PATIENCE" "the broker to give up" not_running broker
	stop broker
	[ "$STATUS" -eq 3 ] && grep -q "$1.*$2" "$R/broker.log"
}

broker_conf()
{
	conf_set "$KORTELIJN_CONFIG" broker "$@"
}

broker_conf_drop()
{
	sed -i "/^$1 = /d" "$KORTELIJN_CONFIG"
}

says_where_the_master_key_is()
{
	[ "$(broker_status .master_key)" = "$1" ] &&
	    [ "$(broker_status .erasure)" = best-effort ] &&
	    [ "$(broker_status .rewrap_overdue)" = false ]
}

seals_at_the_next_start()
{
	local key

	head -c 32 /dev/urandom >"$R/one.secret"
	head -c 100 /dev/urandom >"$R/two.secret"
	key=$(master_key "$STATE/master")
	stop broker
	broker_conf master_key "$R/one.secret"
	broker_start
	says_where_the_master_key_is sealed && ! holds "$STATE" "$key"
}

wrong_secret_is_named_and_changes_nothing()
{
	local before

	stop broker
	before=$(sha256sum "$STATE/master" "$STATE/slots")
	broker_conf master_key "$R/two.secret"
	refuses slots_unusable master_key_old || return 1
	broker_conf master_key "$R/none.secret"
	refuses master_key_unusable "not there" || return 1
	broker_conf_drop master_key
	refuses slots_unusable kortelijn-master || return 1
	cp "$R/one.secret" "$STATE/one.secret"
	broker_conf master_key "$STATE/one.secret"
	refuses master_key_unusable elsewhere || return 1
	rm "$STATE/one.secret"
	[ "$before" = "$(sha256sum "$STATE/master" "$STATE/slots")" ]
}

secret_is_replaced()
{
	broker_conf master_key "$R/two.secret"
	broker_conf master_key_old "$R/one.secret"
	broker_start
	stop broker
	broker_conf_drop master_key_old
	broker_start
	says_where_the_master_key_is sealed
}

credential_does_as_well()
{
	stop broker
	broker_conf_drop master_key
	mkdir -p "$R/credentials"
	cp "$R/two.secret" "$R/credentials/kortelijn-master"
	chmod 400 "$R/credentials/kortelijn-master"
	export CREDENTIALS_DIRECTORY=$R/credentials
	broker_start
	unset CREDENTIALS_DIRECTORY
	says_where_the_master_key_is sealed && kortelijn rewrap >/dev/null
}

# Three days later it is overdue, and done before anybody asks.
was_rewrapped()
{
	[ "$(broker_status .rewrapped_ms)" -gt $(($1 + 172800000)) ]
}

night_that_was_missed_is_made_good()
{
	local before

	before=$(broker_status .rewrapped_ms)
	stop broker
	broker_conf clock_offset 3d
	export CREDENTIALS_DIRECTORY=$R/credentials
	broker_start
	unset CREDENTIALS_DIRECTORY
	wait_for "$PATIENCE" "the nightly rewrap" was_rewrapped "$before" &&
	    grep -q rewrapped "$R/broker.log"
}

adapter_is_sealed_too()
{
	stop practice-1
	conf_set "$R/practice-1/practice-1.conf" adapter master_key \
	    "$R/one.secret"
	adapter_start practice-1
	adapter_ready practice-1
	[ "$(adapter practice-1 status --json | jq -r .master_key)" = sealed ] ||
	    return 1
	stop practice-1
	conf_set "$R/practice-1/practice-1.conf" adapter master_key \
	    "$R/two.secret"
	adapter_start practice-1
	wait_for "$PATIENCE" "the adapter to give up" not_running practice-1
	stop practice-1
	[ "$STATUS" -ne 0 ] &&
	    grep -q 'master_key_unusable.*nothing was changed' \
	        "$R/practice-1.log" || return 1
	conf_set "$R/practice-1/practice-1.conf" adapter master_key \
	    "$R/one.secret"
	adapter_start practice-1
	adapter_ready practice-1
}

# rewrapped_after DAY: the practice's.
rewrapped_after()
{
	[[ $(adapter practice-1 status --json | jq -r .rewrapped_at) > $1 ]]
}

adapter_makes_its_night_good()
{
	conf_set "$R/practice-1/practice-1.conf" adapter clock_offset 3d
	adapter_start practice-1
	wait_for "$PATIENCE" "the nightly rewrap of the adapter" \
	    rewrapped_after "$(date -u -d '+2 days' +%F)"
}

region_begin
STATE=$R/broker-state
broker_make
broker_conf slots $SLOTS
broker_start
adapter_make practice-1 practice agb:01000001 "Praktijk De Linde"
adapter_make municipality municipality oin:00000001000000000001 \
    "Meldpunt Twentestad"
conf_set "$R/practice-1/practice-1.conf" adapter slots $SLOTS
adapter_enrol practice-1
adapter_enrol municipality
adapter_start practice-1
adapter_start municipality
adapter_ready practice-1 municipality
OPEN=$(refer practice-1 practice-1/van-putten | jq -r .reference)
[ -n "$OPEN" ] || die "refer"

ok status_says_that_the_master_key_lies_open \
    says_where_the_master_key_is "beside the slots"
ok rewrap_destroys_the_old_master_key \
    rewrap_destroys broker "$STATE" kortelijn
ok loop_goes_on_after_it loop_goes_on
ok old_slot_file_opens_no_more old_slots_open_no_more
ok kill_in_the_middle_is_undone kill_core_in_the_middle
ok loop_goes_on_after_the_kill loop_goes_on
ok adapter_destroys_its_old_master_key \
    rewrap_destroys practice-1 "$R/practice-1/data" adapter practice-1
ok adapter_killed_in_the_middle_goes_on kill_adapter_in_the_middle
ok loop_goes_on_after_both loop_goes_on
ok key_file_seals_at_the_next_start seals_at_the_next_start
ok wrong_or_missing_secret_is_named_and_changes_nothing \
    wrong_secret_is_named_and_changes_nothing
ok secret_is_replaced_with_the_one_before secret_is_replaced
ok credential_of_the_service_manager_does_as_well credential_does_as_well
adapter_ready practice-1 municipality
ok loop_goes_on_when_sealed loop_goes_on
ok adapter_seals_and_refuses_another_secret adapter_is_sealed_too
ok loop_goes_on_with_a_sealed_adapter loop_goes_on
stop practice-1
stop municipality
ok night_that_was_missed_is_made_good night_that_was_missed_is_made_good

ok adapter_makes_its_night_good_too adapter_makes_its_night_good

exit $FAILED
