/*
 * scrub.h: the log read again from the store: each record that is still there
 * hashes to its leaf, the leaves lead to the nodes over them, and in the end
 * to a root. Piece by piece: who calls it compares the root. PROTOCOL.md 10.5.
 */
#ifndef CORE_SCRUB_H
#define CORE_SCRUB_H

#include <kortelijn/crypto/merkle.h>

#include "broker/core/leaf.h"

struct scrub {
	struct kl_range at;		/* of the leaves read so far */
	uint64_t erased;		/* of them without record */
};

/* Before the first leaf. */
void scrub_begin(struct scrub *s);
/* Goes on below leaf `end`, by at most `max` leaves. KL_E_DAMAGED: a row is
 * missing, or holds what was not written there; KL_E_IO, KL_E_MEMORY. After an
 * error it stands before the leaf that made it. */
int scrub_read(struct scrub *s, struct vault *v, struct kl_kv_txn *txn,
    uint64_t end, uint64_t max, struct kl_arena *mem) KL_MUST_CHECK;

#endif
