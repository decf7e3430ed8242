/*
 * sync.h: what an adapter presents to the broker after the broker's loss or
 * its own take-over, page by page, and what it learns from the broker's list.
 * PROTOCOL.md 7.9, 12.
 */
#ifndef ADAPTERS_COMMON_SYNC_H
#define ADAPTERS_COMMON_SYNC_H

#include <kortelijn/wire/request.h>

#include "adapters/common/outbox.h"

/* How far presenting is. Zero: at the start. */
struct sync_cursor {
	uint32_t part;			/* withdrawals made, held; bodies;
					 * receipts held, made */
	uint64_t number;		/* last case */
	struct kl_msg_id msg;		/* last receipt */
	bool msg_set;
	struct store_entry row;		/* last withdrawal; its value is void */
};

/* The next page into *out, views into the arena; n_presented 0: all was
 * presented. bodies: after the broker's loss; else receipts made only. Errors
 * of the store, KL_E_MEMORY. */
int sync_page(struct turn *t, struct sync_cursor *at, bool bodies,
    struct kl_sync *out) KL_MUST_CHECK;

/* One conversation of the broker's list: corrects sequence numbers of a known
 * case, erases what was withdrawn or ended since, makes a husk of one that is
 * not known here, with an alarm while it is open. PROTOCOL.md 7.9.6. */
int sync_learn(struct turn *t, struct outbox *o,
    const struct kl_sync_conversation *c) KL_MUST_CHECK;

#endif
