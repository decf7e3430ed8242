/*
 * timers.h: what is due when, in the store. A timer that comes due asks its
 * owner again whether there is still anything to do.
 */
#ifndef ADAPTERS_COMMON_TIMERS_H
#define ADAPTERS_COMMON_TIMERS_H

#include "adapters/common/turn.h"

enum timer_what {
	TIMER_CONTENT = 1,		/* conv: plaintext of the sender */
	TIMER_EXPIRE = 2,		/* msg: of ours */
	TIMER_DELIVER_BY = 3,		/* msg: of ours */
	TIMER_SEEN = 4,			/* msg: receipt kept for repeats */
	TIMER_WITHDRAWAL = 6,		/* conv: consent withdrawn has ended */
	TIMER_ERASE_DUE = 7,		/* conv: the desk must have answered */
	TIMER_WITHDRAW_WAITS = 8,	/* conv: no answer of the broker yet */
	TIMER_TERM = 10,		/* conv: deadlines.h */
	TIMER_COPY = 11,		/* conv: retention.h */
	TIMER_ACCESS = 26,		/* month of the access log: see there */
};

struct timer {
	int64_t due_ms;
	uint32_t what;			/* enum timer_what */
	uint8_t id[16];
};

/* Errors of the store. */
int timers_put(struct store *s, int64_t due_ms, enum timer_what what,
    const uint8_t id[16]) KL_MUST_CHECK;
/* The first of all, or the one behind `after`. KL_E_NOT_FOUND: none; errors of
 * the store. */
int timers_first(struct store *s, struct timer *out) KL_MUST_CHECK;
int timers_next(struct store *s, const struct timer *after,
    struct timer *out) KL_MUST_CHECK;
int timers_done(struct store *s, const struct timer *done) KL_MUST_CHECK;

#endif
