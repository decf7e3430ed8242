#include <kortelijn/domain/hold.h>

void
kl_hold_release(struct kl_hold *h, const struct kl_hold_clock *c)
{
	h->why = KL_HOLD_NONE;
	h->high_water_ms = h->sure_ms = c->now_ms;
	h->skew_ms = c->now_ms - c->boot_ms;
}

static bool
jumped(const struct kl_hold *h, int64_t skew_ms)
{
	return skew_ms - h->skew_ms > KL_HOLD_JUMP_MS ||
	    h->skew_ms - skew_ms > KL_HOLD_JUMP_MS;
}

static void
synced_note(struct kl_hold *h, const struct kl_hold_clock *c)
{
	if (c->unsynced)
		h->synced_ms = 0;
	else if (h->synced_ms == 0)
		h->synced_ms = c->boot_ms;
}

static bool
synced_long(const struct kl_hold *h, const struct kl_hold_clock *c)
{
	return h->synced_ms != 0 &&
	    c->boot_ms - h->synced_ms >= KL_HOLD_SYNCED_MS;
}

bool
kl_hold_look(struct kl_hold *h, const struct kl_hold_clock *c)
{
	const int64_t skew_ms = c->now_ms - c->boot_ms;

	if (h->skew_ms == 0)
		h->skew_ms = skew_ms;
	if (!jumped(h, skew_ms)) {
		h->skew_ms = skew_ms;	/* it drifts, and is set by the way */
	} else if (h->why != KL_HOLD_JUMP) {
		h->why = KL_HOLD_JUMP;
		h->synced_ms = 0;	/* what was said before says nothing */
	}
	synced_note(h, c);
	if (h->why != KL_HOLD_NONE && synced_long(h, c))
		kl_hold_release(h, c);
	if (h->why == KL_HOLD_NONE && c->now_ms > h->high_water_ms)
		h->high_water_ms = c->now_ms;
	return h->why != KL_HOLD_NONE ||
	    c->now_ms < h->high_water_ms - KL_HOLD_BACK_MS;
}

static bool
sweep_hold(struct kl_hold *h, const struct kl_hold_clock *c, bool much)
{
	if (h->why == KL_HOLD_NONE && c->unsynced && much) {
		h->why = KL_HOLD_SWEEP;
		h->synced_ms = 0;
	}
	return h->why != KL_HOLD_NONE;
}

bool
kl_hold_sweep(struct kl_hold *h, const struct kl_hold_clock *c, uint64_t due,
    uint64_t total)
{
	return sweep_hold(h, c, due > KL_HOLD_SWEEP_MIN &&
	    due > total / KL_HOLD_SWEEP_PART);
}

bool
kl_hold_months(struct kl_hold *h, const struct kl_hold_clock *c, uint64_t due)
{
	return sweep_hold(h, c, due > KL_HOLD_MONTHS);
}

const char *
kl_hold_name(enum kl_hold_why why)
{
	switch (why) {
	case KL_HOLD_NONE: return "none";
	case KL_HOLD_JUMP: return "jump";
	case KL_HOLD_SWEEP: return "sweep";
	}
	return "none";
}
