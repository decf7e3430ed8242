/*
 * submit.h: one envelope on its way through the checks of PROTOCOL.md 8.2, and
 * what was found on it.
 */
#ifndef CORE_SUBMIT_H
#define CORE_SUBMIT_H

#include "broker/core/core.h"

struct submit {
	struct core *core;
	const struct request *q;
	struct answer *a;
	struct turn *t;

	struct kl_bytes packed, ct;	/* as they came */
	struct kl_signed s;
	struct kl_envelope e;
	struct kl_hash body_hash;

	const struct participant *to;
	struct conversation conv;
	bool known;			/* the conversation is there */
	bool as_receiver;		/* the sender is its receiver */
	bool again;			/* a REFERRAL takes another's place */
	bool shown;			/* its body was shown after a loss */
	bool forgotten;			/* but for its id */
};

/*
 * All checks in their order; nothing is written. The code says why it is
 * refused, *wait_ms when it may come again; *done: a repeat, answered already;
 * *err: the store failed.
 */
enum kl_code submit_check(struct submit *s, bool *done, int64_t *wait_ms,
    int *err);
/* The answer to what is stored or will be; logged: a packed kl_logged. */
int submit_reply(struct submit *s, const struct conversation *c,
    struct kl_bytes logged) KL_MUST_CHECK;
/* The receiver or the sender may know of this conversation from before a loss
 * of the store. */
bool submit_lost(const struct submit *s);
/* Bytes that count for the day's quota. */
uint64_t submit_size(const struct submit *s);

#endif
