#!/bin/bash
# limit: 3600
# Do the kill loop, the races and their checkers find bugs? Each patch of
# tests/fault/seeded is one bug, seeded on purpose: it is applied to a copy of
# the tree, built there, and must be found.
#
#   tests/fault/seeded.sh [NAME...]
#
# A patch says in its head what must be found ("# finds: PATTERN") and by whom
# ("# runs: withdraw-races", "bit-flips", "mutations", "put-back" or a unit
# test; else the kill loop): whom the loop kills ("# victims: ...") and how
# often ("# cycles: N"), or how many races or flips there are ("# races: N",
# "# flips: N").
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

# With sanitizers if the build that was copied has them; and no more than what
# runs, since linking takes longest.
build()
{
	local san=() runs targets

	runs=$(head_of runs "$1")
	case $runs in
	test_*)	targets="$HERE/tests/unit/$runs" ;;
	bit-flips)
		targets="$HERE/tests/fault/bit_flips" ;;
	*)	targets="all run-programs" ;;
	esac
	grep -q fsanitize "$B/flags" && san=(SAN=1)
	# shellcheck disable=SC2086 # a list of words
	make -s -C "$T/tree" "${san[@]}" "B=$HERE" -j2 $targets \
	    >"$T/make.log" 2>&1
}

run_one()
{
	local patch=$1 runs

	export B=$T/tree/$HERE
	runs=$(head_of runs "$patch")
	cd "$T/tree" || exit 2
	case $runs in
	test_*)
		"$B/tests/unit/$runs"
		;;
	bit-flips)
		FLIPS=$(head_of flips "$patch") tests/fault/bit-flips.sh
		;;
	put-back)
		tests/integration/53-put-back.sh
		;;
	withdraw-races)
		RACES=$(head_of races "$patch") tests/fault/withdraw-races.sh
		;;
	mutations)
		tests/fault/mutations.sh
		;;
	*)
		DRAIN=${DRAIN:-40} CYCLES=$(head_of cycles "$patch") \
		    VICTIMS=$(head_of victims "$patch") \
		    tests/fault/kill-loop.sh
		;;
	esac
}

# The lines that say what was found.
finding()
{
	local by='(history|races|flips|mutations|put-back): '

	[[ $(head_of runs "$1") != test_* ]] || by=':[FE]:'
	grep -m 1 -E "$by.*($(head_of finds "$1"))" "$T/out"
}

run_finds()
{
	(run_one "$1") >"$T/out" 2>&1 && return 1
	finding "$1" >"$T/finding"
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
	if ! build "$patch"; then
		echo "not ok seeded_$name (it does not build)"
		tail -n 20 "$T/make.log"
		FAILED=1
	elif found "$patch"; then
		echo "ok seeded_$name: $(sed -e 's/^history: //' \
		    -e 's/^races: //' -e 's/^flips: //' \
		    -e 's/^mutations: //' \
		    -e 's/^put-back: //' "$T/finding" | cut -c -80)"
	else
		echo "not ok seeded_$name"
		grep -E "^(not )?ok |^(history|races|flips|put-back): |^killed" \
		    "$T/out" |
		    head -n 20
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
