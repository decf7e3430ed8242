/*
 * outbox_time.h: what time brings to messages of ours, and a new log.
 */
#ifndef ADAPTERS_COMMON_OUTBOX_TIME_H
#define ADAPTERS_COMMON_OUTBOX_TIME_H

#include "adapters/common/outbox.h"

/* The broker lost its store: what was accepted there and not receipted is
 * sent again, same bytes. */
int outbox_time_new_log(struct outbox *o, struct turn *t) KL_MUST_CHECK;
/* A timer of a message: expiry, deadline. */
int outbox_time_due(struct outbox *o, struct turn *t,
    const struct kl_msg_id *id, bool expiry) KL_MUST_CHECK;
/* A referral that was never sealed, and what waits behind it: erased, and told
 * that it never left. Changes *c. */
int outbox_time_draft(struct outbox *o, struct turn *t, struct case_row *c)
    KL_MUST_CHECK;
/* All rows of an old case. */
int outbox_time_forget(struct outbox *o, struct turn *t,
    const struct case_row *c) KL_MUST_CHECK;

#endif
