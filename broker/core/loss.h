/*
 * loss.h: after a loss of the store: who has reported in, when, and what
 * still waits for whom. PROTOCOL.md 12.
 */
#ifndef CORE_LOSS_H
#define CORE_LOSS_H

#include "broker/core/core.h"

/* Does it report in: a practice, a municipality or a partner. */
bool loss_asks(const struct participant *p);
/* In a turn: it has. */
int loss_reported(struct core *c, const struct participant *p) KL_MUST_CHECK;
/* When it did, in a transaction; 0: not yet, or before this was kept. */
int64_t loss_reported_ms(struct core *c, const struct participant *p);

/* What waits for each participant, by number - 1; `cap` of them. Looks at no
 * more than LOSS_LOOK_MAX conversations. In a transaction. */
#define LOSS_LOOK_MAX 20000
struct loss_waits {
	uint32_t *by;		/* open conversations that wait for it */
	size_t cap;
	uint32_t open, wait;	/* all, and those that wait for anybody */
	bool more;		/* there are others that were not looked at */
};
int loss_count(struct core *c, struct loss_waits *w) KL_MUST_CHECK;

#endif
