/*
 * refusals.h: what was refused, counted for each participant, code and minute
 * until the minute is over and one leaf tells it. PROTOCOL.md 10.9.
 */
#ifndef CORE_REFUSALS_H
#define CORE_REFUSALS_H

#include "broker/core/registry.h"
#include "broker/core/turn.h"

#define REFUSALS_MAX 256

struct refusal {
	uint32_t number;		/* of the participant */
	uint32_t code;
	uint32_t count;
	int64_t minute;			/* since 1970 */
};

struct refusals {
	struct refusal r[REFUSALS_MAX];	/* in the order of minutes */
	size_t n;
	size_t written;			/* of them, in this turn */
};

/* Of a participant that is known. Codes that only say "again" or "first say
 * HELLO" have no leaf; nor has one too many in a minute. */
void refusals_note(struct refusals *f, uint32_t number, uint32_t code,
    int64_t now_ms);
/* Is a minute over, or the list nearly full? */
bool refusals_due(const struct refusals *f, int64_t now_ms);
/* Writes the leaves of minutes that are over; all of them if the list is
 * nearly full. They count as written when the turn was committed. */
int refusals_write(struct refusals *f, struct turn *t, struct registry *r)
    KL_MUST_CHECK;
void refusals_committed(struct refusals *f);
void refusals_undo(struct refusals *f);

#endif
