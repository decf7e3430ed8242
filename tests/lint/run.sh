#!/bin/bash
# Lint: rules about the files themselves, one line "ok RULE" or "not ok RULE"
# with what was found; ends in "N passed, N failed".
#
# tests/lint/run.sh [RULE...] runs the rules named, or all.
set -u
export LC_ALL=C
cd "$(dirname "$0")/../.." || exit 2

passed=0
failed=0

# Files of the repository that match the patterns.
files()
{
	git ls-files -- "$@"
}

# ---- words ------------------------------------------------------------------

# Prints what is found: a rule is kept when it prints nothing.
rule_no_marks()
{
	files '*.c' '*.h' '*.sh' '*.proto' '*.md' Makefile '.ci/*' |
	    grep -v '^tests/lint/' |
	    xargs grep -nE '\b(TODO|FIXME|XXX|HACK|PLACEHOLDER)\b'
}

rule_no_paths_of_a_machine()
{
	files | grep -v '^tests/lint/' |
	    xargs grep -nIE '(^|[^A-Za-z0-9._$})-])/(work|home|root|Users)/'
}

rule_shellcheck()
{
	files '*.sh' '.ci/*' | xargs shellcheck -x
}

# ---- the run ----------------------------------------------------------------

run()
{
	local rule=$1 found

	found=$("rule_$rule" 2>&1)
	if [ -z "$found" ]; then
		passed=$((passed + 1))
		echo "ok $rule"
	else
		failed=$((failed + 1))
		echo "not ok $rule"
		echo "$found" | head -n 60 | sed 's/^/    /'
	fi
}

if [ $# -eq 0 ]; then
	set -- no_marks no_paths_of_a_machine shellcheck
fi
for rule; do
	run "$rule"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
