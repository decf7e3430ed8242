#!/bin/bash
# limit: 3600
# Does the kill loop with its history checker find bugs? Each patch of
# tests/fault/seeded is one bug, seeded on purpose: it is applied to a copy of
# the tree, built there, and must be found.
#
#   tests/fault/seeded.sh [NAME...]
#
# A patch says in its head what the checker must find ("# finds: PATTERN"),
# whom the loop kills ("# victims: ...") and how often ("# cycles: N").
set -u
B=$(cd "${B:-build}" && pwd) || exit 2
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
T=$(mktemp -d "${TMPDIR:-/tmp}/kortelijn-seeded.XXXXXX") || exit 2
trap 'rm -rf "$T"' EXIT
trap 'exit 130' INT TERM
FAILED=0
# The same name, so that make takes over what is built.
HERE=${B#"$ROOT"/}
[ "$HERE" != "$B" ] || HERE=build

# The tree with what is built, so that a patch costs a few files only. Times
# are kept: make sees what the patch touched.
copy_tree()
{
	mkdir "$T/tree" || exit 2
	(cd "$ROOT" && git ls-files -z | xargs -0 cp --parents -pt \
	    "$T/tree") || exit 2
	mkdir -p "$(dirname "$T/tree/$HERE")" &&
	    cp -a "$B" "$T/tree/$HERE" || exit 2
}

head_of()
{
	sed -n "1,20s/^# $1: //p" "$2"
}

# With sanitizers if the build that was copied has them.
build()
{
	local san=()

	grep -q fsanitize "$B/flags" && san=(SAN=1)
	make -s -C "$T/tree" "${san[@]}" "B=$HERE" -j2 test-programs \
	    >"$T/make.log" 2>&1
}

run_finds()
{
	local patch=$1

	(cd "$T/tree" && B=$T/tree/$HERE DRAIN=${DRAIN:-40} \
	    CYCLES=$(head_of cycles "$patch") \
	    VICTIMS=$(head_of victims "$patch") \
	    tests/fault/kill-loop.sh) >"$T/out" 2>&1 && return 1
	grep -qE "history: .*($(head_of finds "$patch"))" "$T/out"
}

# Ends well if a run under the bug fails with what the patch promises. Some
# bugs show only when the right one is killed at the right moment.
found()
{
	run_finds "$1" || run_finds "$1" || run_finds "$1"
}

try()
{
	local patch=$1 name

	name=$(basename "$patch" .patch)
	if ! patch -s -p1 -d "$T/tree" <"$patch"; then
		echo "not ok seeded_$name (the patch does not apply)"
		FAILED=1
		return
	fi
	if ! build; then
		echo "not ok seeded_$name (it does not build)"
		tail -n 20 "$T/make.log"
		FAILED=1
	elif found "$patch"; then
		echo "ok seeded_$name: $(grep -m 1 -E "history: .*($(
		    head_of finds "$patch"))" "$T/out" | cut -c 10-90)"
	else
		echo "not ok seeded_$name"
		grep -E "^(not )?ok |^history: |^killed" "$T/out" | head -n 20
		FAILED=1
	fi
	patch -s -R -p1 -d "$T/tree" <"$patch"
}

copy_tree
if [ $# -gt 0 ]; then
	for name; do
		try "$ROOT/tests/fault/seeded/$name.patch"
	done
else
	for patch in "$ROOT"/tests/fault/seeded/*.patch; do
		try "$patch"
	done
fi
exit "$FAILED"
