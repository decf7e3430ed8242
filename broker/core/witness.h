/*
 * witness.h: auditors sign what they saw of the log: the newest line of each
 * is kept under the checkpoint that it stands under. A record is evidenced
 * when one of them covers it. PROTOCOL.md 10.4, 10.11.
 */
#ifndef CORE_WITNESS_H
#define CORE_WITNESS_H

#include <kortelijn/crypto/note.h>

#include "broker/core/registry.h"
#include "broker/core/turn.h"

#define WITNESS_MAX 16		/* lines under one checkpoint */

/*
 * A checkpoint that verified as one of this log, with the line of `by`, an
 * auditor: keeps it if it covers more than, or is later than, the one of this
 * witness before; *fresh says whether. Then it is also what is kept of its day
 * (daily.h), with the lines of others under it. KL_C_NOT_WITNESSED: no line of
 * a card of `by` that counts now; KL_C_CLOCK_AHEAD: signed later than it is. A
 * negative *err says that the store failed.
 */
enum kl_code witness_take(struct turn *t, struct registry *r,
    const struct participant *by, struct kl_bytes note, bool *fresh,
    int *err);
/* The same for whoever has signed it; *by counts them. */
enum kl_code witness_take_all(struct turn *t, struct registry *r,
    struct kl_bytes note, size_t *by, int *err);

struct witness_by {
	struct kl_id id;
	int64_t at_ms;		/* when it signed, by its own clock */
};
struct witness_seen {
	struct kl_checkpoint checkpoint;
	struct kl_note note;		/* with the lines */
	struct witness_by by[WITNESS_MAX];
	size_t n;			/* at least 1 */
};
/* The newest checkpoint that has lines of witnesses. What is damaged, of
 * another log, or under a card that was compromised is passed over.
 * KL_E_NOT_FOUND: there is none; else the store failed. */
int witness_newest(struct kl_kv_txn *txn, const struct journal *j,
    struct registry *r, struct witness_seen *out) KL_MUST_CHECK;

#endif
