/*
 * daily.h: one checkpoint for each day, for as long as the log: who audits a
 * year later sees how it grew, and can compare each with what others kept.
 * PROTOCOL.md 10.5.
 */
#ifndef CORE_DAILY_H
#define CORE_DAILY_H

#include "broker/core/journal.h"

struct daily {
	int32_t day, committed;		/* of the newest one; 0: none yet */
};

/* KL_E_DAMAGED. */
int daily_load(struct daily *k, struct kl_kv_txn *txn) KL_MUST_CHECK;
/* Keeps the newest checkpoint of j if it is the first that was signed on its
 * day since the start, and that day has none. In every turn. */
int daily_save(struct daily *k, struct kl_kv_txn *txn, const struct journal *j)
    KL_MUST_CHECK;
void daily_committed(struct daily *k);
void daily_undo(struct daily *k);

/* Takes the place of the one of that day: the same log, with lines of
 * witnesses. */
int daily_put(struct kl_kv_txn *txn, int32_t day, const struct kl_note *note)
    KL_MUST_CHECK;
/* The first one from that day on, and whose it is. KL_E_NOT_FOUND: none;
 * KL_E_DAMAGED. */
int daily_from(struct kl_kv_txn *txn, int32_t day, struct kl_note *note,
    int32_t *found) KL_MUST_CHECK;

#endif
