/*
 * inbox_take.h: what an opened message does to its case.
 */
#ifndef ADAPTERS_COMMON_INBOX_TAKE_H
#define ADAPTERS_COMMON_INBOX_TAKE_H

#include "adapters/common/cases.h"

/* One envelope on its way in. */
struct incoming {
	struct kl_envelope e;
	struct kl_hash body;
	struct kl_bytes signed_bytes;	/* as they came */
	struct kl_logged logged;
	const struct kl_item *item;
	uint32_t sender_role;		/* of its card */
	bool known;			/* there is a case */
	bool foreign;			/* of another sender */
	struct case_row c;
	uint8_t plain[KL_PLAIN_REFERRAL];
	size_t n_plain;
};

/* Checks content and state and writes case, content, history and event.
 * KL_C_OK; the code that the receipt refuses with: then nothing was written;
 * KL_C_TRY_LATER with *err: our side failed. */
uint32_t inbox_take(struct turn *t, struct incoming *in, int *err);

#endif
