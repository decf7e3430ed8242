/*
 * deadlines.h: what must have happened in a case until when, and the alarm if
 * it has not. Everything is derived from the row of the case, so a term runs,
 * is told and is closed again by what the case says, not by who changed it.
 * P27 to P34, PROTOCOL.md 13.
 *
 * Each is told once: the bit in the row and the alarm are one commit. The desk
 * is told when the term passes, the practice an hour later: the desk may have
 * acted by then.
 */
#ifndef ADAPTERS_COMMON_DEADLINES_H
#define ADAPTERS_COMMON_DEADLINES_H

#include <kortelijn/domain/calendar.h>

#include "adapters/common/cases.h"

enum deadline {
	DEADLINE_PICKUP,	/* P27: practice: no receipt of the desk's
				 * adapter; desk: in nobody's hands */
	DEADLINE_TAKE_UP,	/* P28 */
	DEADLINE_CONTACT,	/* P29 */
	DEADLINE_TALK,		/* P30, in a crisis P31; desk only */
	DEADLINE_DECISION,	/* P32; desk only */
	DEADLINE_NEWS,		/* P34 */
	DEADLINES,
};

#define DEADLINES_PRACTICE_AFTER_MS KL_HOUR_MS

/* What the terms are counted by. */
struct deadlines_by {
	const struct kl_policy *policy;
	const struct kl_calendar *desk;	/* the receiver's days and hours */
};

/* When the term passes on this side; 0: it does not run. Pure. */
int64_t deadlines_due(const struct case_row *c,
    const struct deadlines_by *by, enum deadline d);
/* enum engine_alarm_kind. */
uint32_t deadlines_alarm(enum deadline d);

/* After each change of a case: what has happened is noted, alarms that it
 * answers are closed, timers are set. Changes *c, which the caller puts.
 * Errors of the store. */
int deadlines_review(struct turn *t, struct case_row *c) KL_MUST_CHECK;
/* A timer of the case came due. Errors of the store. */
int deadlines_timer(struct turn *t, const struct kl_conv_id *conv)
    KL_MUST_CHECK;
/* The broker says that a term of the header was missed: the same alarm, if it
 * was not raised yet. Changes *c. Errors of the store. */
int deadlines_notice(struct turn *t, struct case_row *c) KL_MUST_CHECK;

#endif
