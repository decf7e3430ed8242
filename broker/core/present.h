/*
 * present.h: what participants show of the time before a loss of the store:
 * withdrawals, signed REFERRAL bodies and receipts, by either party; and
 * after a take-over the receipts that its holder still has.
 * PROTOCOL.md 7.9, 12.
 */
#ifndef CORE_PRESENT_H
#define CORE_PRESENT_H

#include "broker/core/retain.h"

struct present {
	struct turn *t;
	struct registry *registry;
	const struct participant *by;		/* who shows it */
	const struct registry_card *card;	/* of its connection */
	bool full;		/* the store takes nothing new */
};

/* Each answers what the one who shows it is told; OK also for what is known
 * already. *err: why the turn must be undone. */

/* A packed Signed of a WITHDRAWAL, made or held. */
enum kl_code present_withdrawal(struct present *p, struct kl_bytes packed,
    int *err);
/* A packed Signed of a REFERRAL: opens its conversation. */
enum kl_code present_referral(struct present *p, struct kl_bytes packed,
    int *err);
/* A packed Signed of a RECEIPT. Its message is delivered, or else ended,
 * whatever its state; one that is not here yet will be when it comes. */
enum kl_code present_receipt(struct present *p, struct kl_bytes packed,
    int *err);

/* m was just accepted: does it have a receipt already? Then it ends at once.
 * Both may change. */
int present_settle(struct turn *t, struct registry *r,
    struct conversation *c, struct message *m) KL_MUST_CHECK;

#endif
