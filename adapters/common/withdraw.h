/*
 * withdraw.h: withdrawals that this adapter made: signed, kept until the
 * consent's last day, and sent until the broker answers. PROTOCOL.md 5.8, 7.6.
 *
 * One commit holds the statement, the end of what it covers here and the
 * state of the case; only then WITHDRAW leaves. "Done" is the broker's answer.
 */
#ifndef ADAPTERS_COMMON_WITHDRAW_H
#define ADAPTERS_COMMON_WITHDRAW_H

#include "adapters/common/calls.h"
#include "adapters/common/outbox.h"
#include "adapters/common/repeats.h"

enum withdraw_state {
	WITHDRAW_WAITS = 1,	/* for the broker's answer */
	WITHDRAW_DONE = 2,
};

struct withdrawal {
	struct kl_conv_id conv;
	uint32_t scope, cause, route;	/* enum kl_scope, kl_cause, kl_role */
	uint32_t state;			/* enum withdraw_state */
	uint32_t code;			/* last refusal of the broker, or 0 */
	uint32_t erased, released_before, unconfirmed;
	uint32_t has_leaf;
	uint64_t leaf;			/* CONSENT_WITHDRAWN */
	int64_t at_ms, done_ms;		/* 0: not yet */
	int64_t missing_ms;		/* an erase receipt did not come; 0 */
	uint32_t valid_until;		/* day */
	struct kl_hash hash;		/* of the statement's body */
	struct kl_key_id signer;	/* key that signed it */
	uint32_t n;
	uint8_t packed[KL_WITHDRAWAL_MAX];	/* Signed */
};

/* Until when a statement is kept that counts to the end of that day: also what
 * came when it was over has to be answered. */
int64_t withdraw_keep_ms(uint32_t valid_until, int64_t from_ms);

/* Reads what waits from the store. KL_E_MEMORY, errors of the store. */
int withdraw_load(struct repeats *q, struct turn *t) KL_MUST_CHECK;

/* Withdraws c, of which this party may do so: all that is said above, and the
 * step and event. What is covered already is no error: nothing changes, but
 * that in error comes on top of what the resident withdrew.
 * Changes and writes *c. KL_E_FULL: no slot; errors of the store. */
struct withdraw_want { uint32_t scope, cause; };
int withdraw_make(struct repeats *q, struct turn *t, struct outbox *o,
    struct case_row *c, const struct withdraw_want *want) KL_MUST_CHECK;

/* The one that counts for this scope: its own, or that of all.
 * KL_E_NOT_FOUND. */
int withdraw_get(struct turn *t, const struct kl_conv_id *conv,
    uint32_t scope, struct withdrawal *out) KL_MUST_CHECK;
/* By the hash of its statement. KL_E_NOT_FOUND. */
int withdraw_by_hash(struct turn *t, const struct kl_hash *hash,
    struct withdrawal *out) KL_MUST_CHECK;
/* All, one after another; `at` is zero at first. KL_E_NOT_FOUND: no more. */
int withdraw_each(struct turn *t, struct store_entry *at,
    struct withdrawal *out) KL_MUST_CHECK;
int withdraw_put(struct turn *t, const struct withdrawal *w) KL_MUST_CHECK;

/* The next that is due, packed, into the arena. KL_E_EMPTY: none. */
int withdraw_next(struct repeats *q, struct turn *t, int64_t mono_ms,
    struct kl_conv_id *conv, struct kl_bytes *packed) KL_MUST_CHECK;
/* The broker's answer to the one of conv. Whatever it refuses is sent again,
 * and told once. KL_E_FORMAT: no such answer; errors of the store. */
int withdraw_answer(struct repeats *q, struct turn *t,
    const struct kl_conv_id *conv, const struct call_answer *a,
    int64_t mono_ms) KL_MUST_CHECK;

/* Timers of a conversation: it waits for long; its consent has ended. */
int withdraw_waited(struct turn *t, const struct kl_conv_id *conv)
    KL_MUST_CHECK;
int withdraw_forget(struct repeats *q, struct turn *t,
    const struct kl_conv_id *conv) KL_MUST_CHECK;

#endif
