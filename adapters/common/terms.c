#include "adapters/common/terms.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/base/types.h>

static int64_t
sooner(int64_t a_ms, int64_t b_ms)
{
	return a_ms < b_ms ? a_ms : b_ms;
}

struct terms
terms_of(const struct kl_policy *p, const struct kl_calendar *desk,
    const struct terms_for *f, int64_t created_ms)
{
	const enum kl_policy_key ttl = f->kind == KL_FEEDBACK ?
	    KL_POL_FEEDBACK_UNDELIVERED_TTL : f->crisis ?
	    KL_POL_CRISIS_UNDELIVERED_TTL : KL_POL_REFERRAL_UNDELIVERED_TTL;
	const enum kl_policy_key pickup = f->crisis ?
	    KL_POL_CRISIS_PICKUP_ALARM_SENDER : KL_POL_PICKUP_ALARM_SENDER;
	const enum kl_policy_key answer = f->crisis ?
	    KL_POL_CRISIS_TAKE_UP_TERM : KL_POL_TAKE_UP_TERM;
	const int64_t max_ms = created_ms + kl_policy_ms(p, KL_POL_TTL_MAX);
	struct terms t = { 0 };

	t.expire_at_ms = sooner(max_ms, kl_calendar_add(desk, created_ms,
	    kl_policy_term(p, ttl)));
	t.deliver_by_ms = t.expire_at_ms;
	if (f->kind == KL_FEEDBACK)
		return t;
	t.deliver_by_ms = sooner(t.expire_at_ms, kl_calendar_add(desk,
	    created_ms, kl_policy_term(p, pickup)));
	if (f->kind == KL_REFERRAL && f->level != KL_LEVEL_0)
		t.answer_by_ms = sooner(max_ms, kl_calendar_add(desk,
		    created_ms, kl_policy_term(p, answer)));
	return t;
}

static void
calendar_of(const struct kl_profile_details *d, struct kl_calendar *out)
{
	out->n_hours = d->n_office_hours;
	memcpy(out->hours, d->office_hours, sizeof out->hours);
	out->n_closed = d->n_closed_days;
	memcpy(out->closed, d->closed_days, sizeof out->closed);
}

int
terms_calendar(struct turn *t, const struct kl_id *desk,
    struct kl_calendar *out)
{
	size_t mark = kl_arena_mark(t->mem);
	struct kl_profile_details d;
	struct kl_profile p;
	int r = directory_profile(t->store, t->mem, desk, &p, &d);

	memset(out, 0, sizeof *out);
	if (r == KL_OK)
		calendar_of(&d, out);
	kl_arena_release(t->mem, mark);
	/* One that cannot be read is as good as none. */
	return r == KL_E_NOT_FOUND || r == KL_E_DAMAGED ? KL_OK : r;
}
