/*
 * deadline.h: terms that a sender has signed, when they pass: both sides are
 * told once, with one leaf. Nothing ends by them. PROTOCOL.md 13.
 */
#ifndef CORE_DEADLINE_H
#define CORE_DEADLINE_H

#include "broker/core/mailbox.h"
#include "broker/core/timer.h"

/* deliver_by of a message has passed; it expires next. */
int deadline_deliver(struct turn *t, struct registry *r,
    const struct timer_due *d) KL_MUST_CHECK;
/* A REFERRAL was accepted that is to be answered by then; 0: no term. */
int deadline_begin(struct turn *t, const struct conversation *c,
    int64_t answer_by_ms) KL_MUST_CHECK;
/* answer_by has passed: was it taken up? */
int deadline_answer(struct turn *t, struct registry *r,
    const struct timer_due *d) KL_MUST_CHECK;

#endif
