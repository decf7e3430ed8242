/*
 * retain.h: what is done when its time has come, as far as the clock can be
 * trusted, and the mail of revoked keys. PROTOCOL.md 8.13, 13, 15.
 */
#ifndef CORE_RETAIN_H
#define CORE_RETAIN_H

#include "broker/core/retain_forget.h"

struct retain {
	int64_t high_water_ms;		/* the latest clock that was stored */
	int64_t saved_ms;
	int64_t skew_ms;		/* wall minus monotonic, when trusted */
	bool held;			/* the clock cannot be trusted */

	/* after a revocation: all mailboxes, bit by bit */
	bool sweeping, sweep_saved;
	uint32_t sweep_number;
	uint64_t sweep_item;
};

/* KL_E_DAMAGED. */
int retain_load(struct retain *r, struct kl_kv_txn *txn) KL_MUST_CHECK;
/* Last in every turn. */
int retain_save(struct retain *r, struct turn *t) KL_MUST_CHECK;
void retain_committed(struct retain *r);

/* Once before each turn. Answers true when the clock went back behind what
 * was stored or jumped by more than an hour against `mono_ms`: then nothing is
 * ended by time until the next start. */
bool retain_clock(struct retain *r, int64_t now_ms, int64_t mono_ms);

/* Work of at most `max` steps. *more: some is left. */
int retain_run(struct retain *r, struct turn *t, struct registry *reg,
    size_t max, bool *more) KL_MUST_CHECK;
/* A key was revoked: look at all mail. */
void retain_sweep(struct retain *r);

#endif
