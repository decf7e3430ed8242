/*
 * fetch.h: FETCHes that wait for mail. They live in memory only: an answer
 * that never comes is asked for again. PROTOCOL.md 7.3.
 */
#ifndef CORE_FETCH_H
#define CORE_FETCH_H

#include "broker/core/core.h"

/* Answers those whose mailbox got something in this turn. */
int fetch_wake(struct core *c) KL_MUST_CHECK;
/* Answers those that have waited long enough, with nothing. */
int fetch_expire(struct core *c) KL_MUST_CHECK;
/* Answers the one of this participant, if there is one, with nothing. */
int fetch_end(struct core *c, const struct participant *p) KL_MUST_CHECK;
/* A turn was undone: nothing counts as brought by it. */
void fetch_undo(struct core *c);
/* When the next one has waited long enough; monotonic, INT64_MAX: none. */
int64_t fetch_due_ms(const struct core *c);

#endif
