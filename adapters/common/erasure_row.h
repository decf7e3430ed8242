/*
 * erasure_row.h: requests to erase in the store, each under its conversation
 * and the withdrawal inside; and marks of those that were refused.
 */
#ifndef ADAPTERS_COMMON_ERASURE_ROW_H
#define ADAPTERS_COMMON_ERASURE_ROW_H

#include "adapters/common/receipts.h"
#include "adapters/common/repeats.h"
#include "adapters/common/turn.h"

struct erasure {
	struct kl_conv_id conv;		/* that was asked */
	struct kl_hash hash;		/* of the withdrawal's body */
	struct kl_hash parent;		/* in a child: body hash; or zero */
	struct kl_id signer;		/* of the withdrawal */
	uint32_t scope, cause;
	uint32_t valid_until;		/* day */
	uint32_t adapter_copy;		/* enum kl_erase_outcome */
	uint32_t case_system;		/* the same; 0: the desk has to say */
	uint32_t zeroed;		/* 1: keys are gone, read back */
	uint32_t code;			/* of the broker, for the receipt; 0 */
	int64_t asked_ms, due_ms;
	int64_t answered_ms, taken_ms;	/* 0: not yet */
	struct kl_key_id key;		/* that signed the receipt */
	uint32_t n, n_receipt;		/* n_receipt 0: not signed yet */
	uint8_t packed[KL_WITHDRAWAL_MAX];	/* Signed WITHDRAWAL */
	uint8_t receipt[RECEIPTS_BYTES_MAX];	/* Signed ERASE_RECEIPT */
};

/* hash: of the withdrawal's body. */
struct repeats_key erasure_row_key(const struct kl_conv_id *conv,
    const struct kl_hash *hash);
/* KL_E_NOT_FOUND; errors of the store. */
int erasure_row_get(struct turn *t, const struct repeats_key *k,
    struct erasure *out) KL_MUST_CHECK;
int erasure_row_put(struct turn *t, const struct erasure *e) KL_MUST_CHECK;
/* That it was refused is kept. KL_E_EXISTS: it was before. */
int erasure_row_refuse(struct turn *t, const struct repeats_key *k)
    KL_MUST_CHECK;

/* Those of a conversation, one after another; `at` is zero at first.
 * KL_E_NOT_FOUND: no more. */
int erasure_of(struct turn *t, const struct kl_conv_id *conv,
    struct store_entry *at, struct erasure *out) KL_MUST_CHECK;
/* All of them. KL_E_NOT_FOUND. */
int erasure_each(struct turn *t, struct store_entry *at,
    struct erasure *out) KL_MUST_CHECK;

#endif
