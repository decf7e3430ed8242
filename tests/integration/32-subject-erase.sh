#!/bin/bash
# A party's signed withdrawal that comes by way of the operator: the broker
# does what it would have done for that adapter; without one it does nothing.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

send()
{
	refer practice-1 practice-1/van-putten ".referral_id = \"$1\"" |
	    jq -r .reference
}

# erase FILE FILTER: what the broker answered.
erase()
{
	kortelijn subject erase "$1" --json >"$R/erased.json" || return 1
	jq -r "$2" "$R/erased.json"
}

# What the broker holds on it names who was asked.
export_tells_who_was_asked()
{
	[ "$(kortelijn subject export "$REFERENCE" --json |
	    jq -r '.erase_requests[0].asked, .conversation.state,
	    .withdrawals[0].scope' | paste -sd " ")" = \
	    "oin:00000001000000000001 withdrawn all" ]
}

# The practice wrote it down; its line to the broker is cut.
handed_in_and_counted()
{
	REFERENCE=$(send "e-all")
	wait_state municipality "$REFERENCE" delivered
	stop broker
	adapter practice-1 withdraw "$REFERENCE" "--out=$R/withdrawal" \
	    >/dev/null || return 1
	stop practice-1
	broker_start
	adapter_ready municipality
	[ "$(erase "$R/withdrawal" '[.scope, .cause, .erased,
	    .released_before, .unconfirmed, .again] | map(tostring) |
	    join(" ")')" = "all resident 0 1 0 false" ]
}

the_desk_is_asked()
{
	wait_state municipality "$REFERENCE" consent_withdrawn
	! grep -rq "van Putten" "$R"/municipality/data
}

again_has_the_same_counts()
{
	[ "$(erase "$R/withdrawal" '[.released_before, .again] |
	    map(tostring) | join(" ")')" = "1 true" ]
}

the_practice_has_its_answer_too()
{
	adapter_start practice-1
	adapter_ready practice-1
	wait_state practice-1 "$REFERENCE" consent_withdrawn
	[ "$(adapter practice-1 show "$REFERENCE" --json |
	    jq .withdrawal.released_before)" = 1 ]
}

# What still waits is erased, and the answer tells it.
what_waits_is_erased()
{
	local reference

	stop municipality
	# Nobody waits at the broker for what comes now.
	stop broker
	broker_start
	adapter_ready practice-1
	reference=$(send "e-waits")
	adapter practice-1 withdraw "$reference" "--out=$R/waits" \
	    "--wait=$PATIENCE" >/dev/null || return 1
	[ "$(erase "$R/waits" '[.erased, .released_before, .again] |
	    map(tostring) | join(" ")')" = "1 0 true" ] || return 1
	adapter_start municipality
	adapter_ready municipality
	[ "$(adapter municipality list --json | grep -c "$reference")" = 0 ]
}

# One letter of the signature is another.
forged_is_refused()
{
	local line last other=A

	line=$(tr -d '\n' <"$R/withdrawal")
	last=${line:80:1}
	[ "$last" != A ] || other=B
	echo "${line:0:80}$other${line:81}" >"$R/forged"
	! kortelijn subject erase "$R/forged" >"$R/no.txt" 2>&1
}

other_papers_are_refused()
{
	! kortelijn subject erase "$R/practice-1/card" >"$R/no.txt" 2>&1 &&
	    ! kortelijn subject erase "$R/missing" >"$R/no.txt" 2>&1 &&
	    grep -q missing "$R/no.txt"
}

# Nothing was released after its withdrawal: the leaves alone say so.
the_log_shows_it()
{
	stop broker
	"$B/tests/support/logdump" "$KORTELIJN_CONFIG" >"$R/dump" &&
	    "$B/tests/support/history" "--log=$R/dump" >"$R/history.txt" &&
	    grep -q " 2 withdrawals" "$R/history.txt"
}

region_begin
region_small
ok handed_in_and_counted handed_in_and_counted
ok the_desk_is_asked the_desk_is_asked
ok export_tells_who_was_asked export_tells_who_was_asked
ok again_has_the_same_counts again_has_the_same_counts
ok the_practice_has_its_answer_too the_practice_has_its_answer_too
ok what_waits_is_erased what_waits_is_erased
ok forged_is_refused forged_is_refused
ok other_papers_are_refused other_papers_are_refused
ok the_log_shows_it the_log_shows_it
exit "$FAILED"
