#!/bin/bash
# limit: 1500
# Bit flips: one bit of the broker's store or of the file of its keys is
# flipped, before a start or between a commit and its checkpoint, and the core
# goes on with it: nothing is signed over a record or a leaf that is not as it
# was written.
#
# From outside: FLIPS (10000), SEED (drawn and printed).
set -u
B=$(cd "${B:-build}" && pwd) || exit 2
FLIPS=${FLIPS:-10000}
SEED=${SEED:-$((SRANDOM % 100000))}
PROGRAM=$B/tests/fault/bit_flips
# What LMDB does on damaged pages is a stop, and told by its exit.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0:handle_segv=0:handle_sigbus=0:symbolize=0}

if [ ! -x "$PROGRAM" ]; then
	echo "not built: make $PROGRAM"
	exit 2
fi
echo "seed $SEED"
if "$PROGRAM" --flips="$FLIPS" --seed="$SEED" --jobs="$(nproc)"; then
	echo "ok nothing_is_signed_over_what_was_not_written"
else
	echo "not ok nothing_is_signed_over_what_was_not_written"
	exit 1
fi
