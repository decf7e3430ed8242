/*
 * clock_hold.h: may anything be erased by time now? What is kept of it over a
 * start, and the two reasons of its own that an adapter has: it has not
 * compared its clock with the broker's, or the two differ. PROTOCOL.md 13.
 */
#ifndef ADAPTERS_COMMON_CLOCK_HOLD_H
#define ADAPTERS_COMMON_CLOCK_HOLD_H

#include <kortelijn/domain/hold.h>

#include "adapters/common/turn.h"

struct clock_hold {
	struct kl_hold hold;
	struct kl_hold saved;		/* as the store has it */
};

/* As the store has it. Errors of the store. */
int clock_hold_load(struct clock_hold *h, struct store *s) KL_MUST_CHECK;
/* Looks at the clock and keeps what must outlive the process. *held: nothing
 * may be erased. Errors of the store. */
int clock_hold_look(struct clock_hold *h, struct turn *t,
    const struct kl_hold_clock *c, bool *held) KL_MUST_CHECK;
/* `due` of `total` terms have passed, not those from before hold.sure_ms: as
 * kl_hold_sweep, and kept. */
int clock_hold_sweep(struct clock_hold *h, struct turn *t,
    const struct kl_hold_clock *c, uint64_t due, uint64_t total, bool *held)
    KL_MUST_CHECK;
/* The clock is right, an operator says. */
int clock_hold_release(struct clock_hold *h, struct turn *t,
    const struct kl_hold_clock *c) KL_MUST_CHECK;

/* Why nothing is erased now: "none", "jump", "sweep", "behind",
 * "no_broker_clock", "clock_differs". */
const char *clock_hold_why(const struct clock_hold *h, const struct turn *t);

#endif
