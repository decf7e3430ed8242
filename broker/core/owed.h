/*
 * owed.h: what a withdrawal asks of the other parties: ERASE_REQUESTs and the
 * receipts that are owed for them, with their term. PROTOCOL.md 7.4.4, 8.9.
 */
#ifndef CORE_OWED_H
#define CORE_OWED_H

#include "broker/core/mailbox.h"

enum owed_state {
	OWED_OPEN = 1,
	OWED_ESCALATED = 2,	/* past its term, and both were told */
	OWED_ANSWERED = 3,
};

struct owed {
	uint32_t number;		/* whose mailbox it lies in */
	uint32_t asker;			/* of who withdrew */
	uint64_t item;
	int64_t due_ms;
	uint32_t state, cause;		/* the cause is the withdrawal's */
	struct kl_hash withdrawal;	/* hash of its body */
	struct kl_conv_id withdrawn;	/* that it names: also a parent's */
	/* of the receipt */
	uint32_t adapter_copy, case_system;
	uint64_t leaf;
};

/* Puts an ERASE_REQUEST into mailbox o->number, with its leaf; of o it takes
 * number, asker, cause, withdrawal and withdrawn, of `what` all but due_ms,
 * which the policy says. What was asked before is not asked again. */
int owed_ask(struct turn *t, struct registry *r,
    const struct conversation *c, const struct owed *o,
    const struct mailbox_ask *what) KL_MUST_CHECK;
/* KL_E_NOT_FOUND: nobody asked this of that mailbox. */
int owed_find(struct turn *t, const struct conversation *c, uint32_t number,
    const struct kl_hash *withdrawal, struct owed *out) KL_MUST_CHECK;
/* One after the other what is owed for a conversation; a cursor of zeros is
 * before the first. KL_E_NOT_FOUND: that was all. */
struct owed_cursor { struct kl_tag after; bool begun; };
int owed_next(struct turn *t, const struct conversation *c,
    struct owed_cursor *at, struct owed *out) KL_MUST_CHECK;
/* The receipt came: leaf, the item goes, who withdrew gets it as it came. */
struct owed_receipt {
	const struct participant *by;	/* signed it */
	const struct kl_erase_receipt *v;
	const struct kl_hash *body_hash;
	struct kl_bytes packed;
};
int owed_answer(struct turn *t, struct registry *r,
    const struct conversation *c, struct owed *o,
    const struct owed_receipt *receipt, struct journal_leaf *leaf)
    KL_MUST_CHECK;
/* What a timer is for: whose receipt for this conversation is missing? Once
 * for each a leaf, and a NOTICE to both. */
int owed_due(struct turn *t, struct registry *r,
    const struct kl_tag *conversation) KL_MUST_CHECK;
/* A conversation is kept until what is owed in it was answered or told,
 * whatever its own term is: until a week past the last day for it; 0: nothing
 * is owed. */
int owed_until(struct turn *t, const struct kl_tag *tag, int64_t *until_ms)
    KL_MUST_CHECK;

#endif
