#!/bin/bash
# limit: 1200
# Crash enumeration: every image that a power cut may leave of store, slots,
# master key and mark together starts, and holds what was promised; and five
# bugs that were seeded on purpose are found by it.
#
# From outside: IMAGES (30000, at least so many), SEED (drawn and printed),
# STEPS of one broker's work (30). The same seed makes the same images.
set -u
B=$(cd "${B:-build}" && pwd) || exit 2
IMAGES=${IMAGES:-30000}
SEED=${SEED:-$((SRANDOM % 100000))}
STEPS=${STEPS:-30}
PROGRAM=$B/tests/fault/crash_images
OUT=$(mktemp) || exit 2
trap 'rm -f "$OUT"' EXIT
trap 'exit 130' INT TERM
FAILED=0
# A core that refuses an image leaves what it held to the next one.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0}

images()
{
	"$PROGRAM" --jobs="$(nproc)" "$@" >"$OUT" 2>&1
}

# One broker's work after another, until there are enough.
enumerate()
{
	local all=0 n seed=$SEED

	while [ "$all" -lt "$IMAGES" ]; do
		images --seed="$seed" --steps="$STEPS" || {
			tail -n 20 "$OUT"
			return 1
		}
		n=$(sed -n 's/^\([0-9]*\) images .*, 0 violations.*/\1/p' \
		    "$OUT")
		[ -n "$n" ] || return 1
		cat "$OUT"
		all=$((all + n))
		seed=$((seed + 1))
	done
	echo "$all images, 0 violations"
}

# found BUG: some image breaks an invariant, and the program says which.
found()
{
	images --seed="$SEED" --steps=20 --bug="$1"
	[ $? -eq 1 ] && grep -m 1 -E '^  event .* I[0-9]+:' "$OUT"
}

if [ ! -x "$PROGRAM" ]; then
	echo "not built: make $PROGRAM"
	exit 2
fi
if enumerate; then
	echo "ok every_image_starts_and_holds_what_was_promised"
else
	echo "not ok every_image_starts_and_holds_what_was_promised"
	FAILED=1
fi
for bug in nosync late-slots early-zero rename-unsynced master-unsynced; do
	if found "$bug"; then
		echo "ok seeded_${bug}_is_found"
	else
		echo "not ok seeded_${bug}_is_found"
		tail -n 5 "$OUT"
		FAILED=1
	fi
done
exit $FAILED
