/*
 * turn.h: what every act of one turn needs: one transaction, one clock value,
 * memory that ends with the request, and the parts that all others write to.
 */
#ifndef CORE_TURN_H
#define CORE_TURN_H

#include "broker/core/journal.h"
#include "broker/core/vault.h"

struct kl_policy;
struct mailbox;

/* A transition of a message, for whoever watches from outside. */
struct turn_event {
	uint32_t event;			/* enum kl_event */
	struct kl_msg_id msg;
	struct kl_conv_id conv;
	struct kl_hash body;
	uint64_t leaf;
};

struct turn {
	struct kl_kv_txn *txn;
	struct kl_arena *mem;
	int64_t now_ms;
	int64_t latest_ms;		/* clock that was ever stored, or 0 */
	bool untrusted;			/* the clock: nothing ends by it */
	struct vault *vault;
	struct journal *journal;
	struct mailbox *box;
	const struct kl_policy *policy;	/* that counts now; never NULL */
	struct turn_event *events;	/* NULL: nobody watches */
	size_t n_events, events_cap;	/* above it events are not told */
};

#endif
