/*
 * inbox.h: an envelope as it came, through all checks to content and receipt.
 * PROTOCOL.md 8.14 has the order.
 */
#ifndef ADAPTERS_COMMON_INBOX_H
#define ADAPTERS_COMMON_INBOX_H

#include "adapters/common/cases.h"
#include "adapters/common/receipts.h"

enum inbox_verdict {
	INBOX_TAKEN = 1,	/* a receipt is on its way, whatever it says */
	INBOX_REPEATED = 2,	/* seen before: the stored receipt again */
	INBOX_WAIT = 3,		/* the sender's card is not known yet */
	INBOX_BAD = 4,		/* not this sender's message: no receipt */
};

/* One item of sort envelope with its ciphertext. Writes everything that
 * follows from it. Errors of the store, KL_E_MEMORY. */
int inbox_envelope(struct turn *t, struct receipts *q,
    const struct kl_item *item, struct kl_bytes ct,
    enum inbox_verdict *verdict) KL_MUST_CHECK;
/* A verified NOTICE GAP. */
int inbox_gap(struct turn *t, const struct kl_notice *n) KL_MUST_CHECK;

#endif
