#!/bin/bash
# limit: 1200
# Checkpoints and proofs that were changed, in every way that a bad copy, a bad
# program or a bad hand knows: none is taken for what it is not.
#
# From outside: MUTATIONS (120000), SEED (drawn and printed).
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/../integration/lib.sh"

MUTATIONS=${MUTATIONS:-120000}
SEED=${SEED:-$((SRANDOM % 1000000))}

none_is_accepted()
{
	"$B/tests/fault/mutations" "$MUTATIONS" "$SEED"
}

say "seed $SEED, $MUTATIONS mutations"
ok none_of_the_mutated_is_accepted none_is_accepted
exit "$FAILED"
