#!/bin/bash
# The history checker finds what it is there for: a short history that is
# right, and the same with one thing wrong in it.
# shellcheck disable=SC2317
set -u
T=$(mktemp -d "${TMPDIR:-/tmp}/kortelijn-history.XXXXXX") || exit 2
trap 'rm -rf "$T"' EXIT
HISTORY=$B/tests/support/history
FAILED=0

# Ids are repeated digits; a body has the digit of its message.
hex()
{
	printf "%0$2d" 0 | tr 0 "$1"
}

# trace EVENT MESSAGE [LEAF]
trace()
{
	printf '{"t":1,"ev":"%s","msg":"%s","conv":"%s","body":"%s"' "$1" \
	    "$(hex "$2" 32)" "$(hex c 32)" "$(hex "$2" 64)"
	[ $# -lt 3 ] || printf ',"leaf":%d' "$3"
	printf '}\n'
}

# leaf EVENT MESSAGE KIND FROM PREV NEW: numbered by number_leaves.
leaf()
{
	printf '{"leaf":0,"event":"%s","msg_ref":"%s","conv_ref":"%s",' \
	    "$1" "$(hex "$2" 32)" "$(hex e 32)"
	printf '"body":"%s","kind":"%s","org_from":"%s",' "$(hex "$2" 64)" \
	    "$3" "$4"
	printf '"prev":"%s","new":"%s"}\n' "$5" "$6"
}

# accepted to erased: message 1 is a referral, 2 its correction, 3 feedback.
leaves_of()
{
	leaf accepted "$@" none accepted
	leaf released "$@" accepted released
	leaf delivered "$@" released delivered
	leaf erased "$@" delivered erased
}

number_leaves()
{
	jq -c --slurp 'to_entries[] | .value + {leaf: .key}' "$T/dump" \
	    >"$T/numbered"
	mv "$T/numbered" "$T/dump"
}

# What one side writes of a message of its own, and the other of it.
sender()
{
	trace sealed "$1"
	trace accepted "$1" "$2"
	trace delivered "$1"
}

history_right()
{
	{
		printf '{"leaf":0,"event":"origin"}\n'
		leaves_of 1 referral agb:1
		leaves_of 2 correction agb:1
		leaves_of 3 feedback oin:1
	} >"$T/dump"
	{
		printf '{"t":1,"ev":"started"}\n'
		sender 1 1
		sender 2 5
		trace opened 3
	} >"$T/practice"
	{
		printf '{"t":1,"ev":"started"}\n'
		trace opened 1
		trace opened 2
		sender 3 9
	} >"$T/desk"
	for m in 1 2 3; do
		trace accepted $m
		trace released $m
		trace delivered $m
	done >"$T/broker"
	number_leaves
}

check()
{
	"$HISTORY" --drained "--broker=$T/broker" "--log=$T/dump" \
	    "practice=$T/practice" "desk=$T/desk" >"$T/out"
}

# wrong NAME PATTERN COMMAND...: with what COMMAND did the checker must find
# PATTERN.
wrong()
{
	local name=$1 pattern=$2

	shift 2
	history_right
	"$@"
	if ! check && grep -q "$pattern" "$T/out"; then
		echo "ok finds_$name"
	else
		echo "not ok finds_$name"
		cat "$T/out"
		FAILED=1
	fi
}

without()
{
	sed -i "/$2/d" "$T/$1"
	[ "$1" != dump ] || number_leaves
}

twice()
{
	sed -i "/$2/p" "$T/$1"
	[ "$1" != dump ] || number_leaves
}

swap_opened()
{
	tac "$T/desk" >"$T/turned"
	mv "$T/turned" "$T/desk"
}

swap_conversation()
{
	{
		head -n 1 "$T/dump"
		grep feedback "$T/dump"
		grep -v -e feedback -e origin "$T/dump"
	} >"$T/turned"
	mv "$T/turned" "$T/dump"
	number_leaves
}

cut_leaf()
{
	sed -i 3d "$T/dump"
}

# withdrawn KIND: all of it (""), or the feedback only.
withdrawn()
{
	printf '{"leaf":0,"event":"consent_withdrawn","conv_ref":"%s",' \
	    "$(hex e 32)"
	printf '"kind":"%s"}\n' "$1"
}

# withdrawn_before PATTERN KIND: the leaf stands before the first that fits.
withdrawn_before()
{
	local leaf

	leaf=$(withdrawn "$2")
	awk -v leaf="$leaf" -v pattern="$1" '
	    !done && $0 ~ pattern { print leaf; done = 1 } { print }' \
	    "$T/dump" >"$T/more"
	mv "$T/more" "$T/dump"
	number_leaves
}

# The log alone, as an auditor has it.
right_log()
{
	local name=$1

	shift
	history_right
	"$@"
	if "$HISTORY" "--log=$T/dump" >"$T/out"; then
		echo "ok passes_$name"
	else
		echo "not ok passes_$name"
		cat "$T/out"
		FAILED=1
	fi
}

wrong_log()
{
	local name=$1 pattern=$2

	shift 2
	history_right
	"$@"
	if ! "$HISTORY" "--log=$T/dump" >"$T/out" &&
	    grep -q "$pattern" "$T/out"; then
		echo "ok finds_$name"
	else
		echo "not ok finds_$name"
		cat "$T/out"
		FAILED=1
	fi
}

history_right
if check; then
	echo "ok passes_what_is_right"
else
	echo "not ok passes_what_is_right"
	cat "$T/out"
	FAILED=1
fi
wrong ack_before_commit "not in the log" without dump '"feedback"'
wrong two_accepted_leaves "accepted twice" twice dump '"accepted".*"referral"'
wrong message_seen_twice "seen 2 times" twice desk opened.*1111
wrong release_without_leaf "without a RELEASED" \
    without dump '"released".*"correction"'
wrong lost_message "never seen" eval 'without desk opened.*222;
    without practice delivered.*222;
    without dump "\"delivered\".*correction"'
wrong receipt_without_leaf "delivered without a leaf" \
    without dump '"delivered".*"correction"'
wrong false_receipt "knows nothing of it" without desk opened.*1111
wrong unseen_feedback "were never seen" without practice opened.*3333
wrong wrong_order "seen before" swap_opened
wrong feedback_before_receipt "before the receipt" swap_conversation
wrong skipped_state "delivered after accepted" \
    without dump '"released".*"feedback"'
wrong missing_leaf "is missing" cut_leaf
wrong_log release_after_withdrawal "after its consent was withdrawn" \
    withdrawn_before '"released".*"correction"' ""
wrong_log accept_after_withdrawal "accepted after its consent" \
    withdrawn_before '"accepted".*"feedback"' ""
wrong_log feedback_after_its_withdrawal "feedback released after" \
    withdrawn_before '"released".*"feedback"' feedback
right_log feedback_of_level_0 \
    withdrawn_before '"accepted".*"feedback"' feedback
right_log correction_after_feedback_was_withdrawn \
    withdrawn_before '"accepted".*"correction"' feedback
right_log late_receipt_after_withdrawal \
    withdrawn_before '"delivered".*"feedback"' ""
exit "$FAILED"
