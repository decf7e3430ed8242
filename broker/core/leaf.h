/*
 * leaf.h: a leaf in the store: its hash and its month, which stay, and salt
 * and record under the key of that month, which end with it. PROTOCOL.md 10.3.
 */
#ifndef CORE_LEAF_H
#define CORE_LEAF_H

#include <kortelijn/host/kv.h>

#include "broker/core/vault.h"

struct leaf_row {
	struct kl_hash hash;
	uint32_t month;			/* as month.h counts */
	struct kl_bytes sealed;		/* in the store; none: erased */
};
/* KL_E_NOT_FOUND, KL_E_DAMAGED. */
int leaf_get(struct kl_kv_txn *txn, uint64_t index, struct leaf_row *out)
    KL_MUST_CHECK;

struct leaf_plain {
	uint8_t salt[32];
	struct kl_bytes record;		/* in the arena */
};
/* What is sealed in the row of this leaf, which has something. Errors as
 * vault_open. */
int leaf_open(struct vault *v, uint32_t slot, uint64_t index,
    struct kl_bytes sealed, struct kl_arena *mem, struct leaf_plain *out)
    KL_MUST_CHECK;

#endif
