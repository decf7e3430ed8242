/*
 * retain.h: what ends when: messages that nobody collected, consents that are
 * past their date, mail of revoked keys, and what may be forgotten.
 * PROTOCOL.md 8.1, 8.13, 13, 15.
 */
#ifndef CORE_RETAIN_H
#define CORE_RETAIN_H

#include "broker/core/mailbox.h"

#define RETAIN_AFTER_END_MS (90 * KL_DAY_MS)	/* PROTOCOL.md 15.2 */

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

/* After a loss a conversation counts once its practice has reported in, and
 * with `under` the practice of its parent. PROTOCOL.md 12.3. */
bool retain_counts(struct turn *t, struct registry *r,
    const struct conversation *c);
/* May m be released now? KL_C_OK; KL_C_NOT_REPORTED_IN, KL_C_TRY_LATER (the
 * clock cannot be trusted): it waits; else why it ends. m has not ended. */
enum kl_code retain_check(struct turn *t, struct registry *r,
    const struct conversation *c, const struct message *m);
/* Ends a message that has no receipt, as its state asks, and tells its sender
 * and, if it never left, its receiver. A REFERRAL takes its conversation with
 * it. */
int retain_end(struct turn *t, struct registry *r, struct conversation *c,
    struct message *m, enum kl_code code) KL_MUST_CHECK;
/* The receipt of a conversation's REFERRAL came: `body` is the signed one, or
 * none if the conversation has it. It opens again what had expired. */
int retain_delivered(struct turn *t, struct registry *r,
    struct conversation *c, struct kl_bytes body) KL_MUST_CHECK;
/* m, its REFERRAL, was refused by the receiver or could not be opened. */
int retain_refused(struct turn *t, struct registry *r,
    struct conversation *c, const struct message *m) KL_MUST_CHECK;
/* The conversation is at an end: counts, and the day on which it is
 * forgotten. The caller stores it. */
int retain_close(struct turn *t, struct registry *r,
    const struct conversation *c) KL_MUST_CHECK;
void retain_reopen(struct registry *r, const struct conversation *c);
/* A new conversation's timers. unsent_ms: 0, or when the term of its REFERRAL
 * ends, which has not come yet. */
int retain_begin(struct turn *t, struct registry *r,
    const struct conversation *c, int64_t unsent_ms) KL_MUST_CHECK;
/* Has a conversation of this id ended and been forgotten? KL_OK: it has;
 * KL_E_NOT_FOUND. */
int retain_marker(struct turn *t, const struct kl_conv_id *id) KL_MUST_CHECK;

/* Work of at most `max` steps. *more: some is left. */
int retain_run(struct retain *r, struct turn *t, struct registry *reg,
    size_t max, bool *more) KL_MUST_CHECK;
/* A key was revoked: look at all mail. */
void retain_sweep(struct retain *r);

#endif
