/*
 * month_gone.h: which months of the log were dropped, and why: who finds a
 * record whose key is no more knows by it that this is as it should be.
 */
#ifndef CORE_MONTH_GONE_H
#define CORE_MONTH_GONE_H

#include <kortelijn/host/kv.h>

enum month_gone {
	MONTH_TERM = 1,			/* its term has passed */
	MONTH_LOST = 2,			/* its key was broken */
	MONTH_UNTOLD = 3,		/* the same; not in the log yet */
};

int month_gone_put(struct kl_kv_txn *txn, uint32_t month, uint32_t why)
    KL_MUST_CHECK;
/* KL_E_NOT_FOUND: it was never dropped; KL_E_DAMAGED. */
int month_gone_why(struct kl_kv_txn *txn, uint32_t month, uint32_t *why)
    KL_MUST_CHECK;
/* The next one that was dropped for this reason after *month, which it
 * becomes. KL_E_NOT_FOUND; KL_E_DAMAGED. */
int month_gone_next(struct kl_kv_txn *txn, uint32_t why, uint32_t *month)
    KL_MUST_CHECK;

#endif
