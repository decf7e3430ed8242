/*
 * timer.h: what is to be looked at when; kept in the store, in order of time.
 * PROTOCOL.md 13.
 */
#ifndef CORE_TIMER_H
#define CORE_TIMER_H

#include "broker/core/turn.h"

/* What for; the tag is of its: */
enum timer_sort {
	TIMER_EXPIRE = 1,	/* message */
	TIMER_FORGET = 2,	/* message */
	TIMER_CONSENT = 3,	/* conversation: its consent ends */
	TIMER_CONVERSATION = 4,	/* conversation: it may be forgotten */
	TIMER_MARKER = 5,	/* conversation: nor need its end be known */
	TIMER_UNSENT = 6,	/* conversation: its REFERRAL never came */
	TIMER_SHOWN = 7,	/* receipt whose message never came */
	TIMER_DELIVER = 8,	/* message: deliver_by */
	TIMER_ANSWER = 9,	/* conversation: answer_by */
	TIMER_OWED = 10,	/* conversation: an erase receipt is due */
	TIMER_WITHDRAWAL = 11,	/* conversation that never came: of it */
};

struct timer_due {
	int64_t at_ms;
	uint32_t sort;
	struct kl_tag tag;
};
/* The first timer that is due. KL_E_NOT_FOUND. */
int timer_due(struct turn *t, struct timer_due *out) KL_MUST_CHECK;
/* It was. KL_E_NOT_FOUND. */
int timer_done(struct turn *t, const struct timer_due *d) KL_MUST_CHECK;
/* How many of some sorts (1 << sort each) come after one time and not after
 * another; counted to `max`. */
int timer_count(struct turn *t, int64_t after_ms, int64_t until_ms,
    uint32_t sorts, uint64_t max, uint64_t *n) KL_MUST_CHECK;
int timer_put(struct turn *t, int64_t at_ms, uint32_t sort,
    const struct kl_tag *tag) KL_MUST_CHECK;

#endif
