#!/bin/bash
# limit: 180
# The checker of the races finds what it is there for: a withdrawal that was in
# time, one that came after a release, and each with one thing wrong in it. Then
# a few real races; tests/fault/withdraw-races.sh runs a thousand.
# shellcheck disable=SC2317
set -u
T=$(mktemp -d "${TMPDIR:-/tmp}/kortelijn-race.XXXXXX") || exit 2
trap 'rm -rf "$T"' EXIT
FAILED=0

# Ids are repeated digits: 1 is the referral, 2 its feedback, 3 the child; a
# withdrawal is 9.
hex()
{
	printf "%0$2d" 0 | tr 0 "$1"
}

# leaf EVENT MESSAGE [CONVERSATION]: numbered by dump.
leaf()
{
	printf '{"leaf":0,"event":"%s","kind":"","msg_ref":"%s",' "$1" \
	    "$(hex "$2" 32)"
	printf '"conv_ref":"%s","body":"%s"}\n' "$(hex "${3:-c}" 32)" \
	    "$(hex "$2" 64)"
}

# withdrawn CONVERSATION [KIND]
withdrawn()
{
	printf '{"leaf":0,"event":"consent_withdrawn","kind":"%s",' "${2:-}"
	printf '"msg_ref":"","conv_ref":"%s","body":"%s"}\n' "$(hex "$1" 32)" \
	    "$(hex 9 64)"
}

dump()
{
	jq -c --slurp 'to_entries[] | .value + {leaf: .key}' >"$T/log.new"
	mv "$T/log.new" "$T/log"
}

# message KIND DIGIT LEAF FRAMES [LATE]
message()
{
	printf '{"race":0,"what":"%s","taken":true,"leaf":%d,"frames":%d,' \
	    "$1" "$3" "$4"
	printf '"late":%d,"body":"%s"}\n' "${5:-0}" "$(hex "$2" 64)"
}

# withdrawal LEAF ERASED RELEASED UNCONFIRMED [FEEDBACK]
withdrawal()
{
	printf '{"race":0,"what":"withdrawal","feedback":%s,"leaf":%d,' \
	    "${5:-false}" "$1"
	printf '"erased":%d,"released_before":%d,"unconfirmed":%d,' "$2" "$3" \
	    "$4"
	printf '"body":"%s"}\n' "$(hex 9 64)"
}

# Waits when it is withdrawn.
in_time()
{
	{
		leaf accepted 1
		withdrawn c
		leaf withdrawn 1
		leaf erased 1
	} | dump
	{
		message referral 1 0 0
		withdrawal 1 1 0 0
	} >"$T/held"
}

# Delivered with a child that is on its way.
with_child()
{
	{
		leaf accepted 1
		leaf released 1
		leaf delivered 1
		leaf accepted 3 d
		leaf released 3 d
		withdrawn c
		withdrawn d
		leaf unconfirmed 3 d
		leaf erased 3 d
	} | dump
	{
		message referral 1 0 1
		message child 3 3 1
		withdrawal 5 0 1 1
	} >"$T/held"
}

# Only the feedback ends.
feedback_only()
{
	{
		leaf accepted 1
		leaf released 1
		leaf delivered 1
		leaf accepted 2
		withdrawn c feedback
		leaf withdrawn 2
		leaf erased 2
	} | dump
	{
		message referral 1 0 1
		message feedback 2 3 0
		withdrawal 4 1 0 0 true
	} >"$T/held"
}

check()
{
	"$B/tests/fault/race_check" "$T/log" "$T/held" "$@" >"$T/out"
}

# finds PATTERN: it complains, and of that.
finds()
{
	! check "${@:2}" && grep -q "^races: .*$1" "$T/out"
}

# turn FILTER: another log, of what jq makes of it.
turn()
{
	jq --slurp "$1 | .[]" "$T/log" | dump
}

held()
{
	jq -c "$1" "$T/held" >"$T/held.new" && mv "$T/held.new" "$T/held"
}

case_of()
{
	local name=$1

	shift
	if "$@"; then
		echo "ok $name"
	else
		echo "not ok $name"
		cat "$T/out"
		FAILED=1
	fi
}

for right in in_time with_child feedback_only; do
	"$right"
	case_of "race_that_is_right_passes_$right" check
done

in_time
turn '.[2].event = "released"'
case_of release_behind_the_withdrawal_is_found \
    finds "released after the consent"

in_time
turn '[.[1], .[0], .[2], .[3]]'
held 'if .what == "referral" then .leaf = 1 else .leaf = 0 end'
case_of acceptance_behind_the_withdrawal_is_found \
    finds "accepted after the consent"

in_time
turn '.[0:2]'
case_of message_that_goes_on_waiting_is_found finds "still waits"

in_time
turn '.[0:3]'
case_of message_that_is_not_erased_is_found finds "was not erased"

in_time
turn '[.[0], .[1], .[3], .[2]]'
case_of message_erased_before_its_end_is_found finds "before it ended"

in_time
turn '. + [.[3]]'
case_of second_erased_leaf_is_found finds "has 2 leaves erased"

in_time
turn '. + [.[1]]'
case_of second_withdrawal_leaf_is_found finds "is withdrawn again"

in_time
turn '[.[0], .[2], .[3]]'
case_of acknowledged_withdrawal_without_leaf_is_found \
    finds "acknowledged without its leaf"

in_time
turn ".[1].body = \"$(hex 8 64)\""
case_of leaf_of_another_withdrawal_is_found \
    finds "acknowledged without its leaf"

in_time
held 'select(.what != "withdrawal")'
case_of race_without_a_withdrawal_is_found finds "no withdrawal"

in_time
held '.erased = 0'
case_of wrong_counts_are_found finds "counts told 0 0 0, in the log 1 0 0"

in_time
held 'if .what == "referral" then .leaf = 2 else . end'
case_of acknowledged_message_without_leaf_is_found \
    finds "the referral was acknowledged without its leaf"

in_time
held 'if .what == "referral" then .frames = 1 else . end'
case_of frame_without_a_release_is_found finds "without a leaf RELEASED"

with_child
held 'if .what == "child" then .late = 1 else . end'
case_of frame_after_the_acknowledgement_is_found \
    finds "asked after the withdrawal"

with_child
turn '[.[0:6][], .[7:][]]'
case_of child_without_its_own_leaf_is_found finds "child outlives its parent"

with_child
turn '[.[0:4][], .[5], .[6], .[4], .[7:][]]'
held 'if .what == "withdrawal" then .leaf = 4 else . end'
case_of child_released_behind_its_parents_end_is_found \
    finds "child outlives its parent: it was released"

feedback_only
turn '[.[0:3][], .[4], .[3], .[5:][]]'
held 'if .what == "withdrawal" then .leaf = 3 else . end'
case_of feedback_behind_its_withdrawal_is_found \
    finds "feedback was accepted after"

in_time
case_of races_that_one_side_always_wins_are_found finds "less than 10 %" 10

# A run of chance: which side wins how often, only a thousand can tell.
if RACES=60 KILLS=2 LEAST=0 tests/fault/withdraw-races.sh >"$T/out" 2>&1
then
	echo "ok few_races_with_kills_release_nothing_after_withdrawal"
else
	echo "not ok few_races_with_kills_release_nothing_after_withdrawal"
	cat "$T/out"
	FAILED=1
fi
exit "$FAILED"
