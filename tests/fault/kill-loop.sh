#!/bin/bash
# limit: 1200
# kill -9 of edge, core, supervisor and each adapter at random moments while
# loops are under way; then everything must close, and the history checker
# must find nothing.
#
# From outside: CYCLES (50), SEED (drawn and printed), VICTIMS, DRAIN (seconds
# until everything must have closed).
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/../integration/lib.sh"

CYCLES=${CYCLES:-50}
SEED=${SEED:-$((SRANDOM % 100000))}
RANDOM=$SEED
read -ra VICTIMS \
    <<<"${VICTIMS:-edge core broker practice-1 practice-2 municipality}"
ADAPTERS=(practice-1 practice-2 municipality)
declare -A KILLED=()
PROMISED=()			# referral ids that were taken

# What the desk reports after a state.
next_code()
{
	case $1 in
	delivered)	echo taken_up ;;
	taken_up)	echo contact_made ;;
	contact_made)	echo intake_started ;;
	intake_started)	echo completed ;;
	esac
}

# One referral; what is refused only because nobody runs is tried again later
# with the same file, as a HIS would.
refer_one()
{
	local practice=$1 id=$2

	person practice-1/van-putten ".referral_id = \"$id\" |
	    .consent.feedback_level = 3" >"$R/$id.json"
	if adapter "$practice" refer "$R/$id.json" >/dev/null 2>&1; then
		PROMISED+=("$practice $id")
		rm "$R/$id.json"
	fi
}

refer_again()
{
	local file id

	for file in "$R"/P?-*.json; do
		[ -e "$file" ] || continue
		id=$(basename "$file" .json)
		if adapter "practice-${id:1:1}" refer "$file" \
		    >"$R/again.txt" 2>&1 ||
		    grep -q duplicate_file "$R/again.txt"; then
			PROMISED+=("practice-${id:1:1} $id")
			rm "$file"
		fi
	done
}

# One step of every open case; it may fail, since somebody may be dead.
desk_round()
{
	local ref state code

	while read -r ref state; do
		code=$(next_code "$state")
		[ -n "$code" ] || continue
		adapter municipality feedback "$ref" "$code"
	done < <(adapter municipality list --json |
	    jq -r '.referrals[] | "\(.reference) \(.state)"')
} >/dev/null 2>&1

victim_pid()
{
	case $1 in
	edge | core)	broker_child "$1" ;;
	*)		echo "${PID[$1]}" ;;
	esac
}

# kill_later VICTIM: within the next half second. The supervisor waits longer
# each time before it starts a child that was killed soon after its start.
kill_later()
{
	wait_for "$PATIENCE" "$1" victim_pid "$1"
	VICTIM=$(victim_pid "$1")
	KILLED[$1]=$((${KILLED[$1]:-0} + 1))
	(
		sleep "0.$(printf %03d $((RANDOM % 500)))"
		kill -KILL "$VICTIM" 2>/dev/null
	) &
	KILLER=$!
}
KILLER=
VICTIM=

raise_dead()
{
	local name

	wait "$KILLER" 2>/dev/null
	# It was told to die, and takes a moment.
	wait_for "$PATIENCE" "the end of the killed one" gone "$VICTIM"
	if ! running broker; then
		wait "${PID[broker]}" 2>/dev/null
		broker_start
	fi
	for name in "${ADAPTERS[@]}"; do
		running "$name" && continue
		wait "${PID[$name]}" 2>/dev/null
		adapter_start "$name"
	done
}

cycle()
{
	kill_later "${VICTIMS[RANDOM % ${#VICTIMS[@]}]}"
	refer_one practice-1 "P1-$1"
	desk_round
	refer_one practice-2 "P2-$1"
	raise_dead
}

# All that was promised, and its end.
completed()
{
	local practice n

	desk_round
	refer_again
	for practice in practice-1 practice-2; do
		n=$(adapter "$practice" list --json | jq '[.referrals[] |
		    select(.state != "completed")] | length') || return 1
		[ "$n" -eq 0 ] || return 1
	done
}

drain()
{
	local until=$((SECONDS + ${DRAIN:-120}))

	until completed; do
		[ "$SECONDS" -lt "$until" ] || return 1
		sleep 0.1
	done
}

promises_kept()
{
	local practice id promise bad=0

	for promise in "${PROMISED[@]}"; do
		read -r practice id <<<"$promise"
		state_is "$practice" "$id" completed && continue
		say "$id: promised by $practice, but $(state "$practice" "$id")"
		bad=1
	done
	return "$bad"
}

history_holds()
{
	"$B/tests/support/history" --drained "--broker=$R/broker.trace" \
	    "--log=$R/log.1" "practice-1=$R/practice-1.trace" \
	    "practice-2=$R/practice-2.trace" \
	    "municipality=$R/municipality.trace"
}

say "seed $SEED, $CYCLES cycles"
region_begin
region_small
adapter_make practice-2 practice agb:01000002 "Praktijk Het Veer"
adapter_enrol practice-2
adapter_start practice-2
adapter_ready practice-2
for ((n = 1; n <= CYCLES; n++)); do
	cycle "$n"
done
say "killed: $(for v in "${VICTIMS[@]}"; do
	printf '%s %d  ' "$v" "${KILLED[$v]:-0}"; done)"
adapter_ready "${ADAPTERS[@]}"
ok all_loops_close drain
ok every_promise_is_kept promises_kept
for name in "${ADAPTERS[@]}" broker; do
	stop "$name"
done
"$B/tests/support/logdump" "$KORTELIJN_CONFIG" >"$R/log.1" || die "logdump"
ok log_breaks_no_rule log_breaks_no_rule "$KORTELIJN_CONFIG"
ok history_holds history_holds
exit "$FAILED"
