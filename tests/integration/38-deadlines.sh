#!/bin/bash
# What must happen until when, with real processes and clocks that are set
# forward: told once, first to the desk, then to the practice, and closed when
# it has happened; a broker that falls silent; what is kept, and until when.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

# at NAME OFFSET: that adapter stands at another time from here on.
at()
{
	stop "$1"
	conf_set "$R/$1/$1.conf" adapter clock_offset "$2"
	adapter_start "$1"
	wait_for "$PATIENCE" "$1 to answer" adapter "$1" status
}

# all_at OFFSET: everything that runs.
all_at()
{
	local name

	stop practice-1
	stop municipality
	stop broker
	conf_set "$KORTELIJN_CONFIG" broker clock_offset "$1"
	broker_start
	for name in municipality practice-1; do
		at "$name" "$1"
		adapter_ready "$name"
	done
}

# alarms NAME FILTER: of jq, on all alarms of that adapter.
alarms()
{
	adapter "$1" alarms --all --json | jq -e ".alarms | $2" >/dev/null
}

# raised NAME ALARM N OPEN: so many were of the first referral or of none, and
# so many of them are open.
FIRST=
raised()
{
	alarms "$1" "map(select(.alarm == \"$2\" and
	    (.reference == null or .reference == \"$FIRST\"))) |
	    length == $3 and (map(select(.open)) | length == $4)"
}

# out NAME FILTER: a file that the folder handed out fits.
out()
{
	local f

	for f in "$R/$1"/folder/out/*.json; do
		[ -e "$f" ] && jq -e "$2" "$f" >/dev/null && return
	done
	return 1
}

send()
{
	REF=$(refer practice-1 practice-1/van-putten \
	    ".referral_id = \"$1\"" | jq -r .reference) &&
	    wait_state practice-1 "$REF" delivered
}

profile()
{
	adapter municipality profile \
	    "$ROOT/tests/data/municipality/profile.json" >/dev/null &&
	    wait_for "$PATIENCE" "the profile" adapter practice-1 profile \
		oin:00000001000000000001
}

# ---- the way of one referral -------------------------------------------------

desk_first()
{
	CRISIS=$(refer practice-1 practice-2/van-dijk-crisis \
	    '.referral_id = "K-1"' | jq -r .reference) || return
	send P-1 || return
	FIRST=$REF
	# Ten days hold at least five working days, whatever day it is.
	all_at 10d
	wait_for "$PATIENCE" "the desk's alarms" \
	    raised municipality not_taken_up 1 1
	raised municipality not_collected 1 1 &&
	    wait_for "$PATIENCE" "the practice's alarms" \
		raised practice-1 not_taken_up 1 1 &&
	    raised practice-1 no_first_contact 1 1 &&
	    raised practice-1 not_collected 0 0
}

says_what_to_do()
{
	local phone

	phone=$(jq -r .phone "$ROOT/tests/data/municipality/profile.json")
	alarms practice-1 "map(select(.alarm == \"not_taken_up\" and
	    .reference == \"$FIRST\"))[0] | .phone == \"$phone\" and
	    .term_nl == \"afspraak\" and (.action_nl | length > 0)" &&
	    adapter practice-1 alarms | grep -q "$phone" &&
	    ! adapter practice-1 alarms | grep -qi wettelijk &&
	    adapter practice-1 list --json | jq -e ".referrals[] |
		select(.reference == \"$FIRST\") | .alarms |
		index(\"not_taken_up\")" >/dev/null &&
	    adapter practice-1 show "$FIRST" | grep -q "^\* Nog niet opgepakt" &&
	    [ "$(adapter practice-1 status --json | jq .open_alarms)" -ge 2 ]
}

crisis_has_its_number()
{
	local phone

	phone=$(jq -r .crisis_phone \
	    "$ROOT/tests/data/municipality/profile.json")
	alarms practice-1 "map(select(.alarm == \"not_taken_up\" and
	    .reference == \"$CRISIS\"))[0] | .phone == \"$phone\" and
	    .crisis"
}

folder_hands_them_out()
{
	wait_for "$PATIENCE" "the alarm in the folder" out practice-1 \
	    '.event == "alarm" and .alarm == "not_taken_up"' &&
	    wait_for "$PATIENCE" "the desk's" out municipality \
		'.event == "alarm" and .alarm == "not_collected"' &&
	    grep -rqs 'Bel het meldpunt' "$R/practice-1/folder/out" &&
	    jq -e --slurp --slurpfile s \
		"$ROOT/deploy/schemas/alarm-out.schema.json" \
		'map(select(.event != null)) | length > 0 and all(.[];
		(keys - ($s[0].properties | keys) == []) and
		($s[0].required - keys == []))' \
		"$R"/*/folder/out/*.json >/dev/null
}

seen_stays_seen()
{
	local n

	n=$(adapter practice-1 alarms --json | jq '[.alarms[].number] | max')
	adapter practice-1 alarms "--seen=$n" >/dev/null &&
	    adapter practice-1 alarms --json |
		jq -e ".seen == $n and all(.alarms[]; .open)" >/dev/null
}

killed_tells_once()
{
	local _

	for _ in 1 2 3; do
		stop practice-1 KILL
		adapter_start practice-1
		adapter_ready practice-1
	done
	raised practice-1 not_taken_up 1 1
}

happened_closes()
{
	desk "$FIRST" contact_made
	wait_for "$PATIENCE" "the alarms to close" \
	    raised practice-1 no_first_contact 1 0
	raised practice-1 not_taken_up 1 0 &&
	    raised municipality not_collected 1 0 &&
	    raised municipality not_taken_up 1 0 &&
	    raised municipality no_first_contact 1 0 &&
	    wait_for "$PATIENCE" "the end of the alarm in the folder" \
		out practice-1 '.event == "alarm_closed" and
		.alarm == "not_taken_up"'
}

# ---- attempts ----------------------------------------------------------------

attempts_before_not_reached()
{
	refused attempts municipality feedback "$FIRST" not_reached &&
	    adapter municipality attempt "$FIRST" --kind=phone \
		--part-of-day=morning >/dev/null &&
	    adapter municipality attempt "$FIRST" --kind=sms \
		--part-of-day=evening >/dev/null &&
	    refused attempts municipality feedback "$FIRST" not_reached &&
	    refused field_value municipality attempt "$FIRST" \
		--kind=dove --part-of-day=evening || return
	jq -n --arg r "$FIRST" '{schema: 1, reference: $r, attempt:
	    {kind: "phone", part_of_day: "afternoon"}}' \
	    >"$R/municipality/attempt.json"
	mv "$R/municipality/attempt.json" "$R/municipality/folder/in/"
	wait_for "$PATIENCE" "the third attempt" has_attempts 3
	adapter municipality feedback "$FIRST" not_reached >/dev/null &&
	    wait_state practice-1 "$FIRST" not_reached
}

has_attempts()
{
	adapter municipality show "$FIRST" --json |
	    jq -e ".attempts | length == $1" >/dev/null
}

# refused CODE NAME COMMAND...
refused()
{
	local code=$1 answer

	shift
	answer=$(adapter "$@" --json) && return 1
	[ "$(jq -r .code <<<"$answer")" = "$code" ]
}

# ---- retention ---------------------------------------------------------------

copies_end()
{
	adapter municipality handed-over "$FIRST" >/dev/null || return
	all_at 45d
	wait_for "$PATIENCE" "the content to go (P56)" no_text "$FIRST"
	all_at 95d
	wait_for "$PATIENCE" "the announcement (P57)" \
	    raised municipality copy_ends 1 1
	wait_for "$PATIENCE" "it in the folder" out municipality \
	    '.alarm == "copy_ends"'
	all_at 110d
	wait_for "$PATIENCE" "the practice's copy to go (P55)" \
	    mapped "$FIRST"
	wait_for "$PATIENCE" "the desk's copy to go (P57)" unknown "$FIRST"
}

no_text()
{
	adapter municipality show "$1" --json | jq -e '.text == null' \
	    >/dev/null
}

mapped()
{
	adapter practice-1 show "$1" --json | jq -e '.mapped and
	    .referral_id == "P-1" and (.history | length == 0)' >/dev/null
}

unknown()
{
	refused referral_unknown municipality show "$1"
}

# A stricter policy counts at once for what is stored.
map_ends()
{
	echo '[policy]
	patient_map_after_end = 3mo' | tr -d '\t' >"$R/practice-1/strict"
	adapter practice-1 policy load "$R/practice-1/strict" >/dev/null ||
	    return
	wait_for "$PATIENCE" "the map to go (P58)" \
	    refused referral_unknown practice-1 show "$FIRST"
}

# ---- a silent broker ---------------------------------------------------------

silent_broker()
{
	stop broker
	at practice-1 "$1"
	wait_for 60 "the alarm about the broker" \
	    raised practice-1 no_checkpoint 1 1
	alarms practice-1 'map(select(.alarm == "no_checkpoint"))[0] |
	    .phones | length == 1 and .[0].phone != ""' || return
	# It outlives a restart, and is told once.
	at practice-1 "$1"
	raised practice-1 no_checkpoint 1 1
}

broker_back()
{
	conf_set "$KORTELIJN_CONFIG" broker clock_offset "$1"
	broker_start
	adapter_ready practice-1
	wait_for "$PATIENCE" "the alarm to close" \
	    raised practice-1 no_checkpoint 1 0
}

silent_and_back()
{
	send P-2 || return
	silent_broker 1d && broker_back 1d
}

# ---- the clock ---------------------------------------------------------------

hold_is_shown()
{
	adapter practice-1 status --json | jq -e '.hold == "none"' \
	    >/dev/null || return
	at practice-1 23h
	wait_for "$PATIENCE" "the hold" jq_is practice-1 '.hold != "none"'
	adapter practice-1 hold | grep -q behind || return
	adapter practice-1 hold release >/dev/null
	# Nobody's word makes the clock differ less from the broker's.
	adapter practice-1 hold --json | jq -e '.hold == "clock_differs" or
	    .hold == "no_broker_clock"' >/dev/null
}

jq_is()
{
	adapter "$1" status --json | jq -e "$2" >/dev/null
}

region_begin
region_small
ok profile_is_known profile
ok broker_that_falls_silent_is_an_alarm_until_it_is_back silent_and_back
ok clock_that_goes_back_holds_what_erases hold_is_shown
all_at 2d
ok alarm_goes_to_the_desk_and_then_to_the_practice desk_first
ok alarm_says_what_to_do_and_whom_to_phone says_what_to_do
ok alarm_of_a_crisis_has_the_number_for_crises crisis_has_its_number
ok folder_hands_out_alarms folder_hands_them_out
ok seen_alarms_are_not_new_again seen_stays_seen
ok kill_does_not_tell_twice killed_tells_once
ok what_has_happened_closes_its_alarm happened_closes
ok not_reached_needs_attempts attempts_before_not_reached
ok copies_end_after_their_terms copies_end
ok stricter_policy_ends_the_map_of_patients_at_once map_ends
exit "$FAILED"
