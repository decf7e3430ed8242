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
ok crisis_says_to_phone_the_number_for_crises crisis_says_to_phone
ok stop_spares_who_has_a_number_of_ours spares_strangers
ok kept_region_stops stops
exit "$FAILED"
