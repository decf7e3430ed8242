#include "adapters/common/clock_hold.h"

#include <string.h>

#include <kortelijn/host/log.h>

#define META_HOLD "clock hold"
#define STEP_MS (10 * KL_MINUTE_MS)	/* the mark is kept so often */

/* What is kept over a start. */
struct hold_row {
	int64_t high_water_ms, sure_ms;
	uint64_t why;
};

int
clock_hold_load(struct clock_hold *h, struct store *s)
{
	struct hold_row row = { 0 };
	int r = store_meta_get(s, META_HOLD, &row, sizeof row);

	if (r != KL_OK && r != KL_E_NOT_FOUND)
		return r;
	h->hold.high_water_ms = row.high_water_ms;
	h->hold.sure_ms = row.sure_ms;
	h->hold.why = row.why == KL_HOLD_JUMP || row.why == KL_HOLD_SWEEP ?
	    (enum kl_hold_why)row.why : KL_HOLD_NONE;
	h->saved = h->hold;
	return KL_OK;
}

static void
say(const struct clock_hold *h)
{
	if (h->hold.why == h->saved.why)
		return;
	if (h->hold.why == KL_HOLD_NONE)
		kl_logf(KL_LOG_INFO, "hold_ended", kl_log_word("because",
		    "the clock is confirmed"));
	else
		kl_logf(KL_LOG_WARN, "nothing_is_erased", kl_log_word("why",
		    kl_hold_name(h->hold.why)));
}

static int
keep(struct clock_hold *h, struct turn *t)
{
	const struct hold_row row = { h->hold.high_water_ms,
		h->hold.sure_ms, (uint64_t)h->hold.why };
	const int64_t step_ms = h->hold.high_water_ms -
	    h->saved.high_water_ms;

	if (step_ms >= 0 && step_ms < STEP_MS &&
	    h->hold.why == h->saved.why && h->hold.sure_ms ==
	    h->saved.sure_ms)
		return KL_OK;
	say(h);
	h->saved = h->hold;
	return store_meta_put(t->store, META_HOLD, &row, sizeof row);
}

int
clock_hold_look(struct clock_hold *h, struct turn *t,
    const struct kl_hold_clock *c, bool *held)
{
	*held = kl_hold_look(&h->hold, c) || !t->clock_known ||
	    !turn_clock_good(t);
	return keep(h, t);
}

int
clock_hold_sweep(struct clock_hold *h, struct turn *t,
    const struct kl_hold_clock *c, uint64_t due, uint64_t total, bool *held)
{
	*held = kl_hold_sweep(&h->hold, c, due, total);
	return keep(h, t);
}

int
clock_hold_release(struct clock_hold *h, struct turn *t,
    const struct kl_hold_clock *c)
{
	kl_hold_release(&h->hold, c);
	return keep(h, t);
}

const char *
clock_hold_why(const struct clock_hold *h, const struct turn *t)
{
	if (h->hold.why != KL_HOLD_NONE)
		return kl_hold_name(h->hold.why);
	if (t->now_ms < h->hold.high_water_ms - KL_HOLD_BACK_MS)
		return "behind";
	if (!t->clock_known)
		return "no_broker_clock";
	return turn_clock_good(t) ? "none" : "clock_differs";
}
