/*
 * acks.h: the mailboxes of a participant, and what it has handled in them.
 * PROTOCOL.md 7.5, 8.12.
 */
#ifndef CORE_ACKS_H
#define CORE_ACKS_H

#include "broker/core/core.h"

/* Its own mailbox and those of whom it has succeeded; numbers into out, at
 * most ACKS_MAILBOXES_MAX. Answers how many. */
#define ACKS_MAILBOXES_MAX SESSION_MAILBOXES_MAX
size_t acks_mailboxes(struct core *c, const struct participant *p,
    uint32_t out[ACKS_MAILBOXES_MAX]);

/* All are taken or, when one cannot be acknowledged this way, none: then the
 * answer is ITEM_UNKNOWN. */
int acks_take(struct core *c, const struct participant *p,
    const uint64_t *item, size_t n, struct answer *a) KL_MUST_CHECK;

#endif
