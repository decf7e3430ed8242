/*
 * outbox_priv.h: what the parts of the outbox share: outbox.c (what waits, and
 * sending), outbox_draft.c (new messages and new sealings), outbox_time.c
 * (what time and a new log bring).
 */
#ifndef ADAPTERS_COMMON_OUTBOX_PRIV_H
#define ADAPTERS_COMMON_OUTBOX_PRIV_H

#include "adapters/common/outbox.h"

struct outbox_entry {
	struct kl_msg_id id;
	struct kl_conv_id conv;
	uint64_t order;
	uint32_t state;			/* OUT_DRAFT, OUT_SEALED */
	uint32_t attempts;
	int64_t due_ms;			/* monotonic */
	bool first;			/* none of its conversation before it */
	bool in_flight;
};

struct outbox {
	struct outbox_entry *e;		/* by order */
	size_t n, cap;
	size_t in_flight;
	uint64_t order;			/* last one given */
	bool paused;
};

/* NULL: it does not wait. */
struct outbox_entry *outbox_find(struct outbox *o,
    const struct kl_msg_id *id);
/* KL_E_MEMORY. */
int outbox_append(struct outbox *o, const struct out_row *row) KL_MUST_CHECK;
/* Rows one after another; `at` is zero at first. KL_E_NOT_FOUND: no more. */
int outbox_next_row(struct turn *t, struct store_entry *at,
    struct out_row *row) KL_MUST_CHECK;

#endif
