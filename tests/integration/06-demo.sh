#!/bin/bash
# The demo closes the loop, and what it leaves with KEEP can be used and ended.
set -u
T=$(mktemp -d "${TMPDIR:-/tmp}/kortelijn-keep.XXXXXX") || exit 2
trap '[ ! -x "$T/keep/stop" ] || "$T/keep/stop"; rm -rf "$T"' EXIT
FAILED=0

ok()
{
	local name=$1

	shift
	if "$@" >"$T/out" 2>&1; then
		echo "ok $name"
	else
		echo "not ok $name"
		tail -n 20 "$T/out"
		FAILED=1
	fi
}

closes_loop()
{
	tests/demo.sh "$T/keep" >"$T/demo" 2>&1 ||
		{ tail -n 40 "$T/demo"; return 1; }
	tail -n 1 "$T/demo"
	tail -n 1 "$T/demo" | grep -qE "^loop closed: 6 referrals, \
1 correction, 21 feedback messages, 28 receipts, 1 refusal, \
[0-9]+ log leaves$"
}

readable_in_80_columns()
{
	! grep -v "^loop closed" "$T/demo" | grep -E '^.{81}'
}

commands_work()
{
	(
		. "$T/keep/env"
		kortelijn status && practice-1 list && municipality list &&
		    practice-2 show P2-0101
	)
}

# A message alone is too slow: the number is that for crises.
crisis_says_to_phone()
{
	(
		. "$T/keep/env"
		jq --arg d "$(date -u +%F)" '.referral_id = "P2-0199" |
		    .consent.given_on = $d' \
		    tests/data/practice-2/van-dijk-crisis.json >"$T/crisis.json"
		practice-2 refer "$T/crisis.json" |
		    grep "Crisis: bel het meldpunt ook. +31531234599" &&
		    practice-2 show P2-0199 | grep "+31531234599"
	)
}

# fits SCHEMA FILE...: no member but those of the schema, none missing, values
# of its lists and patterns.
fits()
{
	jq -e --slurp --slurpfile schema "deploy/schemas/$1.schema.json" '
		def fits($s): . as $v | if type == "object" then
			(keys - ($s.properties | keys) == []) and
			(($s.required // []) - keys == []) and
			all(keys[]; . as $k | $v[$k] |
			    fits($s.properties[$k]))
		else
			($s.enum == null or any($s.enum[]; . == $v)) and
			($s.pattern == null or (type == "string" and
			    test($s.pattern)))
		end;
		length > 0 and all(.[]; fits($schema[0]))' "${@:2}"
}

written_files_fit_their_schemas()
{
	fits referral-out "$T"/keep/municipality/folder/out/*.json &&
	    fits feedback-out "$T"/keep/practice-1/folder/out/*.json \
		"$T"/keep/practice-2/folder/out/*.json &&
	    ! fits feedback-out "$T"/keep/municipality/folder/out/*.json
}

# What the desk promises not to ask stands with the practice, and no code and
# no field lets it ask.
desk_asks_nothing_of_the_practice()
{
	local ref

	(
		. "$T/keep/env"
		practice-1 profile oin:00000001000000000001 |
		    grep -A 1 "^Wat wij de praktijk niet vragen$" |
		    grep "geen overzicht van schulden" || exit 1
		ref=$(practice-2 show P2-0103 --json | jq -r .reference)
		refused field_value municipality feedback "$ref" question &&
		    jq --arg r "$ref" '.reference = $r |
			.question = "Hoeveel schulden?"' \
			tests/data/municipality/taken-up.json >"$T/ask.json" &&
		    refused field_unknown municipality feedback \
			"$T/ask.json" &&
		    refer_with '.referral.debts = "10000"' &&
		    refused field_unknown practice-1 refer "$T/refer.json"
	)
}

# refused CODE COMMAND...
refused()
{
	local code=$1

	shift
	[ "$("$@" --json | jq -r .code)" = "$code" ]
}

# A person of the demo, with what FILTER makes of it, as a new referral.
refer_with()
{
	jq --arg d "$(date -u +%F)" ".consent.given_on = \$d |
	    .referral_id = \"P1-2026-099\" | $1" \
	    tests/data/practice-1/el-amrani.json >"$T/refer.json"
}

# Of four steps at the desk.
level_1_shows_arrival_and_end()
{
	(
		. "$T/keep/env"
		practice-1 show P1-2026-002 --json | jq -e '.level == 1 and
		    [.history[] | select(.kind == "feedback") | .state] ==
		    ["taken_up", "completed"]'
	)
}

# One receiver by name; onward ones by name too, and none gets it by that.
consent_is_for_named_receivers()
{
	(
		. "$T/keep/env"
		refer_with '.receiver = ["oin:00000001000000000001",
		    "kvk:90000001"]' &&
		    refused field_value practice-1 refer "$T/refer.json" &&
		    refer_with '.receiver = "all"' &&
		    refused field_value practice-1 refer "$T/refer.json" &&
		    refer_with '.consent.onward_to = ["partners"]' &&
		    refused field_value practice-1 refer "$T/refer.json" &&
		    refer_with '.referral_id = "P1-2026-002" |
			.receiver = "oin:00000001000000000009"' &&
		    refused conflict practice-1 refer "$T/refer.json" &&
		    partner list --json | jq -e '.referrals == []'
	)
}

# What a creditor signals has no place in it.
referral_is_never_an_early_signal()
{
	(
		. "$T/keep/env"
		for more in '.purpose = "early_signal"' \
		    '.referral.purpose = "early_signal"' \
		    '.referral.creditor = "kvk:90000002"' \
		    '.referral.arrears = 500' \
		    '.referral.help_question = "early_signal"'; do
			refer_with "$more" || exit 1
			practice-1 refer "$T/refer.json" >"$T/out" 2>&1 &&
			    exit 1
			grep -q "field_unknown\|field_value" "$T/out" ||
			    exit 1
		done
		refer_with '.consent.referral = false' &&
		    refused no_consent practice-1 refer "$T/refer.json"
	)
}

# A number of the demo may be another process's by then.
spares_strangers()
{
	local stranger status

	sleep 300 &
	stranger=$!
	sed -e "s/^end [0-9]*$/end $stranger/" -e '/^rm/d' "$T/keep/stop" \
	    >"$T/stop"
	sh "$T/stop"
	kill "$stranger"
	status=$?
	wait "$stranger" 2>/dev/null
	return "$status"
}

# Everything that it started is gone.
stops()
{
	local pids pid n

	pids=$(sed -n 's/^end \([0-9]*\)$/\1/p' "$T/keep/stop")
	[ -n "$pids" ] && "$T/keep/stop" || return 1
	for pid in $pids; do
		for n in $(seq 200); do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.05
		done
		[ "$n" -lt 200 ] || return 1
	done
}

export LC_ALL=C.UTF-8
ok demo_closes_the_loop closes_loop
ok demo_is_readable_in_80_columns readable_in_80_columns
ok kept_region_answers_commands commands_work
ok written_files_fit_their_schemas written_files_fit_their_schemas
ok desk_asks_nothing_of_the_practice desk_asks_nothing_of_the_practice
ok level_1_shows_arrival_and_end level_1_shows_arrival_and_end
ok consent_is_for_named_receivers consent_is_for_named_receivers
ok referral_is_never_an_early_signal referral_is_never_an_early_signal
ok crisis_says_to_phone_the_number_for_crises crisis_says_to_phone
ok stop_spares_who_has_a_number_of_ours spares_strangers
ok kept_region_stops stops
exit "$FAILED"
