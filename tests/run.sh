#!/bin/bash
# Runs tests and counts their cases: tests/run.sh BUILD TEST...
#
# A TEST is a binary of the check framework or a script. A script counts as
# one case, or as many as it prints lines "ok NAME" and "not ok NAME". Exit
# status 77 of a script, or a line with the word SKIPPED, is a skipped case:
# it is shown, and counted apart.
#
# The last line is "N passed, N failed", or "N passed, N failed, N skipped".
# Status 0: nothing failed, and something ran.
#
# Set from outside: JOBS (tests at a time), LIMIT (seconds for one test; a
# script may say "# limit: SECONDS" in its head).
set -u
export LC_ALL=C

JOBS=${JOBS:-2}
LIMIT=${LIMIT:-300}

# Memory that was only reserved costs time in a core file, and keys stand in
# it.
ulimit -S -c 0

fail()
{
	echo "tests/run.sh: $*" >&2
	exit 2
}

limit_of()
{
	local own

	own=$(sed -n '1,20s/^# limit: \([0-9][0-9]*\)$/\1/p' "$1")
	echo "${own:-$LIMIT}"
}

count()
{
	grep -c "$@" || true
}

# The cases of a binary are in its TAP file. A binary that ends without one,
# or dies after its last case, has failed once more.
tally_binary()
{
	local rc=$1 tap=$2 out=$3

	passed=$(count '^ok ' <"$tap")
	failed=$(count '^not ok ' <"$tap")
	skipped=$(count SKIPPED <"$out")
	passed=$((passed - skipped))
	[ "$rc" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
	[ $((passed + failed + skipped)) -gt 0 ] || failed=1
}

tally_script()
{
	local rc=$1 out=$2

	passed=$(count '^ok ' <"$out")
	failed=$(count '^not ok ' <"$out")
	skipped=$(count SKIPPED <"$out")
	if [ "$rc" -eq 77 ]; then
		[ "$skipped" -gt 0 ] || skipped=1
	elif [ "$rc" -ne 0 ]; then
		[ "$failed" -gt 0 ] || failed=1
	elif [ $((passed + failed + skipped)) -eq 0 ]; then
		passed=1
	fi
}

show_failure()
{
	local rc=$1 tap=$2 out=$3

	[ "$rc" -ne 124 ] || echo "    ran into its time limit"
	grep '^not ok ' "$tap" "$out" -h | sed 's/^/    /'
	tail -n 60 "$out" | sed 's/^/    | /'
}

# One test: its output lies in $LOGS, its counts in NAME.count.
run_one()
{
	local test=$1 name rc start passed failed skipped verdict=ok
	local tap out

	name=$(basename "$test" .sh)
	tap=$LOGS/$name.tap
	out=$LOGS/$name.out
	: >"$tap"
	start=$SECONDS
	CK_TAP_LOG_FILE_NAME=$tap CK_FORK=yes timeout -k 10 \
	    "$(limit_of "$test")" "$test" >"$out" 2>&1 </dev/null
	rc=$?
	case $test in
	*.sh)	tally_script "$rc" "$out" ;;
	*)	tally_binary "$rc" "$tap" "$out" ;;
	esac
	# No test prints a resident, nor does a program that it runs.
	if [ -n "$(canaries_in "$LOGS/canaries.list" "$tap" "$out")" ]; then
		failed=$((failed + 1))
		echo "not ok says_nothing_of_a_resident" >>"$out"
	fi
	echo "$passed $failed $skipped" >"$LOGS/$name.count"
	[ "$failed" -eq 0 ] || verdict=FAIL
	# One write each, so that lines of parallel tests stay whole.
	printf '%s\n' "$(
		printf '%-4s %-36s %4d passed, %d failed, %d s\n' \
		    "$verdict" "$name" "$passed" "$failed" \
		    $((SECONDS - start))
		grep SKIPPED "$out" | sed 's/^/    /'
		[ "$failed" -eq 0 ] || show_failure "$rc" "$tap" "$out"
	)"
}

ROOT=$(cd "$(dirname "$0")/.." && pwd) || exit 2
. "$ROOT/tests/canaries.sh"

if [ "${1-}" = --one ]; then
	run_one "$2"
	exit 0
fi

[ $# -ge 2 ] || fail "usage: tests/run.sh BUILD TEST..."
B=$(cd "$1" && pwd) || exit 2
shift
export B LIMIT
LOGS=$(mktemp -d "$B/logs.XXXXXX") || exit 2
export LOGS
canaries_fixed >"$LOGS/canaries.list"
for t; do
	[ -x "$t" ] || fail "$t: no such program"
done
# Under ASan on a busy machine a case may take several times as long.
export CK_TIMEOUT_MULTIPLIER=${CK_TIMEOUT_MULTIPLIER:-5}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

printf '%s\0' "$@" | xargs -0 -n 1 -P "$JOBS" "$0" --one

missing=0
for t; do
	[ -s "$LOGS/$(basename "$t" .sh).count" ] || missing=$((missing + 1))
done
cat "$LOGS"/*.count | awk -v missing="$missing" '
	{ passed += $1; failed += $2; skipped += $3 }
	END {
		failed += missing
		printf "%d passed, %d failed", passed, failed
		if (skipped > 0)
			printf ", %d skipped", skipped
		printf "\n"
		exit !(failed == 0 && passed > 0)
	}'
status=$?
if [ "$status" -eq 0 ]; then
	rm -rf "$LOGS"
else
	echo "output of the tests: $LOGS" >&2
fi
exit "$status"
