#!/bin/bash
# tests/run.sh counts what happened, and no failure passes for a success.
set -u
R=$(mktemp -d "${TMPDIR:-/tmp}/kortelijn-counted.XXXXXX") || exit 2
trap 'rm -rf "$R"' EXIT
FAILED=0

script()
{
	printf '#!/bin/sh\n%s\n' "$2" >"$R/$1.sh"
	chmod +x "$R/$1.sh"
}

# counted NAME STATUS LAST_LINE SCRIPT...
counted()
{
	local name=$1 status=$2 line=$3 out

	shift 3
	out=$(LIMIT=2 tests/run.sh "$R" "${@/#/$R/}" 2>/dev/null)
	if [ $? -eq "$status" ] && [ "$(tail -n 1 <<<"$out")" = "$line" ]
	then
		echo "ok $name"
	else
		echo "not ok $name"
		printf '  %s\n' "$out"
		FAILED=1
	fi
}

script good 'exit 0'
script bad 'exit 1'
script three 'echo ok a; echo ok b; echo "not ok c"; exit 1'
script lies 'echo ok a; exit 1'
script skipping 'echo "SKIPPED: no such kernel"; exit 77'
script hangs '# limit: 1
exec sleep 60'
script killed 'kill -9 $$'

counted script_counts_as_one_case 0 "1 passed, 0 failed" good.sh
counted named_cases_are_counted_one_by_one 1 "2 passed, 1 failed" three.sh
counted failing_script_fails_the_run 1 "1 passed, 1 failed" good.sh bad.sh
counted status_wins_over_what_is_printed 1 "1 passed, 1 failed" lies.sh
counted skipped_case_is_counted_apart 0 "1 passed, 0 failed, 1 skipped" \
    good.sh skipping.sh
counted run_with_nothing_but_skips_fails 1 "0 passed, 0 failed, 1 skipped" \
    skipping.sh
counted time_limit_is_a_failure 1 "0 passed, 1 failed" hangs.sh
counted killed_script_is_a_failure 1 "0 passed, 1 failed" killed.sh
counted missing_test_stops_the_run 2 "" no-such.sh
exit "$FAILED"
