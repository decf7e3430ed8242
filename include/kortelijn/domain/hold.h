/*
 * hold.h: may things end by time now? A clock that went back, jumped or asks
 * for too much at once is not believed until a time server or an operator has
 * confirmed it: what was erased too early does not come back.
 *
 * Pure: clocks come in as values. PROTOCOL.md 13.
 */
#ifndef KORTELIJN_DOMAIN_HOLD_H
#define KORTELIJN_DOMAIN_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#define KL_HOLD_BACK_MS 60000		/* behind the mark: within it is none */
#define KL_HOLD_JUMP_MS 3600000
#define KL_HOLD_SYNCED_MS 600000	/* so long without a break */
#define KL_HOLD_SWEEP_MIN 50u		/* so few may always end, */
#define KL_HOLD_SWEEP_PART 10u		/* and else one in so many */
#define KL_HOLD_MONTHS 1u		/* of the log: so many come in turn */

enum kl_hold_why {
	KL_HOLD_NONE,
	KL_HOLD_JUMP,		/* wall clock against the one since boot */
	KL_HOLD_SWEEP,		/* too much would end at once */
};

/* All zero at first. high_water_ms, sure_ms and why are kept over a start. */
struct kl_hold {
	int64_t high_water_ms;	/* the latest wall clock that counted */
	int64_t sure_ms;	/* it is later than this: that was confirmed */
	enum kl_hold_why why;
	int64_t skew_ms;	/* wall minus boot, when trusted */
	int64_t synced_ms;	/* boot; since when it says so, or 0 */
};

struct kl_hold_clock {
	int64_t now_ms;		/* wall */
	int64_t boot_ms;	/* since boot, suspended or not; not 0 */
	bool unsynced;		/* no time server stands behind it */
};

/* Before anything ends by time, and often enough to see a jump. Answers true
 * when nothing may: the clock is held, or behind the mark. Being synchronised
 * for ten minutes ends a hold. */
bool kl_hold_look(struct kl_hold *h, const struct kl_hold_clock *c);

/*
 * Would so much end that a wrong clock is the likelier reason? `due` of
 * `total` things are past their term, those not counted whose term was before
 * sure_ms. Holds and answers true above max(50, a tenth) while unsynchronised.
 */
bool kl_hold_sweep(struct kl_hold *h, const struct kl_hold_clock *c,
    uint64_t due, uint64_t total);
/* The same of whole months of the log, of which one ends after the other: more
 * than one at once holds while unsynchronised. */
bool kl_hold_months(struct kl_hold *h, const struct kl_hold_clock *c,
    uint64_t due);

/* The clock is right: an operator has looked at it. The mark is set to it,
 * also back. */
void kl_hold_release(struct kl_hold *h, const struct kl_hold_clock *c);

/* "none", "jump", "sweep". */
const char *kl_hold_name(enum kl_hold_why why);

#endif
