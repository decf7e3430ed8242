/*
 * retain.h: what is done when its time has come, as far as the clock can be
 * trusted, and the mail of revoked keys. PROTOCOL.md 8.13, 13, 15.
 */
#ifndef CORE_RETAIN_H
#define CORE_RETAIN_H

#include <kortelijn/domain/hold.h>

#include "broker/core/retain_forget.h"

struct retain {
	struct kl_hold hold;		/* can the clock be trusted? */
	struct kl_hold saved;		/* as the store has it */
	struct kl_hold_clock clock;	/* of this turn */
	uint64_t due;			/* what a held sweep would end */

	/* after a revocation: all mailboxes, bit by bit */
	bool sweeping, sweep_saved;
	uint32_t sweep_number;
	uint64_t sweep_item;

	/* after a start, or when a policy was loaded: all conversations */
	bool scanning;
	struct kl_tag scan_after;	/* the last one; all zero: none yet */

	int64_t months_ms;		/* when the log's are looked at next */
};

/* KL_E_DAMAGED. */
int retain_load(struct retain *r, struct kl_kv_txn *txn) KL_MUST_CHECK;
/* Last in every turn: the clock, and a leaf when a hold began or ended. */
int retain_save(struct retain *r, struct turn *t) KL_MUST_CHECK;
void retain_committed(struct retain *r);
/* What was looked at in the undone turn is looked at again. */
void retain_undo(struct retain *r);

/* Once before each turn. Answers true when nothing may be ended by time: the
 * clock is held, or behind what was stored. PROTOCOL.md 13. */
bool retain_clock(struct retain *r, const struct kl_hold_clock *clock);
/* The operator's word that the clock of this turn is right. */
void retain_release(struct retain *r);

/* Work of at most `max` steps. *more: some is left. */
int retain_run(struct retain *r, struct turn *t, struct registry *reg,
    size_t max, bool *more) KL_MUST_CHECK;
/* A key was revoked: look at all mail. */
void retain_sweep(struct retain *r);
/* A policy was loaded, which is t->policy from now on: look at what all
 * conversations have got. Nothing gets longer by it. */
void retain_policy(struct retain *r);

#endif
