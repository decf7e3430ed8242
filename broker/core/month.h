/*
 * month.h: the records of the log lie under the key of their month, and end
 * with it: the key is destroyed, what was sealed under it is taken away, and
 * the hashes stay, so that the tree and every proof still hold. PROTOCOL.md
 * 10.3, 15.
 */
#ifndef CORE_MONTH_H
#define CORE_MONTH_H

#include <kortelijn/host/kv.h>

#include "broker/core/vault.h"

/* Year * 12 + month (1 to 12), UTC. */
uint32_t month_of(int64_t now_ms);
/* The day after its last one. */
int32_t month_end(uint32_t month);

/* The slot of its key. KL_E_NOT_FOUND: there was never one, or it was
 * destroyed; KL_E_DAMAGED. */
int month_slot(struct kl_kv_txn *txn, uint32_t month, uint32_t *slot)
    KL_MUST_CHECK;
/* The same, with a new key if there is none. keep_days: its term, which a
 * stricter policy shortens and no policy lengthens; 0: as the policy says. */
int month_make(struct vault *v, struct kl_kv_txn *txn, uint32_t month,
    uint32_t keep_days, uint32_t *slot) KL_MUST_CHECK;
/* The day from which its records are no more. As month_slot. */
int month_until(struct kl_kv_txn *txn, uint32_t month, uint32_t policy_days,
    int32_t *day) KL_MUST_CHECK;

/* The first month all of which is past its term. KL_E_NOT_FOUND: none is. */
int month_past(struct kl_kv_txn *txn, int64_t now_ms, uint32_t policy_days,
    uint32_t *month) KL_MUST_CHECK;
/* How many are, and were not yet on the day of after_ms. */
int month_due(struct kl_kv_txn *txn, int64_t after_ms, int64_t now_ms,
    uint32_t policy_days, uint64_t *n) KL_MUST_CHECK;
/* Its records open no more once the slot, which is the caller's, is erased;
 * they are to be cut. why: month_gone.h. */
int month_drop(struct kl_kv_txn *txn, uint32_t month, uint32_t why,
    uint32_t *slot) KL_MUST_CHECK;
/* Takes what is left of dropped months away, in steps of `max` leaves. *more:
 * there are some left. */
int month_cut(struct kl_kv_txn *txn, size_t max, bool *more) KL_MUST_CHECK;

#endif
