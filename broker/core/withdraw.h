/*
 * withdraw.h: a consent is withdrawn: in one transaction it and what stands
 * under it end, and the other parties are asked to erase; or, of a conversation
 * that is not here, the statement is kept and stops it when it comes.
 * PROTOCOL.md 7.6, 8.9, 12.
 */
#ifndef CORE_WITHDRAW_H
#define CORE_WITHDRAW_H

#include "broker/core/owed.h"

/* What its sender is told; the same whenever it is sent again. */
struct withdraw_counts {
	uint64_t leaf;			/* CONSENT_WITHDRAWN */
	uint32_t erased;		/* waited, and never left */
	uint32_t released_before;	/* delivered */
	uint32_t unconfirmed;		/* left, and no receipt */
};

struct withdraw {
	struct turn *t;
	struct registry *registry;

	struct kl_bytes packed;		/* borrowed */
	struct kl_signed s;
	struct kl_withdrawal w;
	struct kl_hash hash;		/* of its body */
	const struct participant *signer;

	struct conversation conv;
	bool known;			/* the conversation is there */
	struct withdraw_counts counts;
};

/* The statement's form; t and registry are set. The code says what is wrong.
 * It unpacks into mem. */
enum kl_code withdraw_read(struct withdraw *w, struct kl_bytes packed,
    struct kl_arena *mem);
/* now: its signer's card counts now; else it counted when it was signed, as of
 * a statement that was signed before a loss or handed in on paper. */
enum kl_code withdraw_signed(struct withdraw *w, bool now);
/* What it is about. *done: one that was taken before covers it, and w->counts
 * are of that one; *err: the store failed. Nothing is written. */
enum kl_code withdraw_check(struct withdraw *w, bool *done, int *err);
/* Does it. */
int withdraw_apply(struct withdraw *w) KL_MUST_CHECK;
/* A packed kl_withdraw_reply in the turn's memory. */
int withdraw_reply(struct turn *t, const struct withdraw_counts *counts,
    struct kl_bytes *out) KL_MUST_CHECK;

/* Was the consent of this REFERRAL, whose conversation is not here, withdrawn
 * as a whole by one who is a party to it? *err: the store failed. */
bool withdraw_stops(struct turn *t, struct registry *r,
    const struct kl_header *h, const struct kl_hash *under, int *err);
/* c is new and stored: what was withdrawn before takes effect on it. c
 * changes. */
int withdraw_meet(struct turn *t, struct registry *r, struct conversation *c)
    KL_MUST_CHECK;
/* What a timer is for: a conversation of which only a withdrawal is known. */
int withdraw_forget(struct turn *t, const struct kl_tag *conversation)
    KL_MUST_CHECK;

#endif
