#include <stdio.h>
#include <string.h>

#include "proto/audit/rules_priv.h"

/* A clock may be a minute behind its mark, and marks are stored once in a
 * minute: what ends by it is not further behind than that. */
#define BACK_MINUTES 3u
/* A term is told in the next turn of the broker, and so long after it ran
 * again it has surely had one. */
#define TOLD_MINUTES 5u

static bool
ends_by_time(const struct kl_record *r)
{
	switch (r->event) {
	case KL_EV_EXPIRED:
	case KL_EV_DEADLINE:
	case KL_EV_CONSENT_ENDED:
	case KL_EV_ESCALATED:
		return true;
	case KL_EV_UNCONFIRMED:
		return r->reason == KL_C_EXPIRED;
	default:
		return false;
	}
}

/* ---- holds ---- */

/* The leaf of a hold that ends is the last one of its turn, behind what that
 * turn ended: so it is known a little later whether the hold still counted. */
static void
suspect_add(const struct rules_leaf *l)
{
	static const char held[] = "ended by time while the clock was held";
	struct audit_rules *r = l->r;
	struct audit_finding *f;

	if (r->n_suspects == RULES_SUSPECTS)
		audit_rules_settle(r);
	f = &r->suspect[r->n_suspects++];
	*f = audit_rules_finding(l, AUDIT_RULE_HOLD, AUDIT_NO_LEAF);
	(void)snprintf(f->text, sizeof f->text, "%s", held);
	(void)snprintf(f->dutch, sizeof f->dutch, "%s",
	    audit_rules_dutch(held));
	r->suspect_minute = l->minute;
}

void
audit_rules_settle(struct audit_rules *r)
{
	for (size_t i = 0; i < r->n_suspects; i++) {
		r->n.broken++;
		r->found(r->arg, &r->suspect[i]);
	}
	r->n_suspects = 0;
}

static void
hold(const struct rules_leaf *l)
{
	struct audit_rules *r = l->r;

	r->held = l->rec->reason != KL_C_OK;
	if (r->held)
		return;
	/* Confirmed: from now on this is the clock. */
	r->n_suspects = 0;
	r->mark = r->sure_since = l->minute;
}

/* ---- the clock ---- */

static void
seen_add(struct audit_rules *r, uint32_t minute)
{
	if (r->seen[0] == minute)
		return;
	memmove(r->seen + 1, r->seen, sizeof r->seen - sizeof r->seen[0]);
	r->seen[0] = minute;
}

void
audit_rules_clock(const struct rules_leaf *l)
{
	struct audit_rules *r = l->r;

	if (r->n_suspects > 0 && l->minute != r->suspect_minute)
		audit_rules_settle(r);
	if (l->minute < r->minute)
		r->n.clock_back++;
	r->minute = l->minute;
	seen_add(r, l->minute);
	if (l->rec->event == KL_EV_HOLD) {
		hold(l);
		return;
	}
	if (ends_by_time(l->rec)) {
		if (r->held)
			suspect_add(l);
		else if (l->minute + BACK_MINUTES < r->mark)
			audit_rules_say(l, AUDIT_RULE_CLOCK, AUDIT_NO_LEAF,
			    "ended by a clock that had run back");
	}
	if (!r->held && l->minute > r->mark)
		r->mark = l->minute;
	if (r->held || l->minute + BACK_MINUTES < r->mark)
		r->sure_since = l->minute;
}

bool
audit_rules_past(const struct audit_rules *r, uint32_t due)
{
	const uint32_t from = due > r->sure_since ? due : r->sure_since;

	if (r->held || r->minute + BACK_MINUTES < r->mark)
		return false;
	/* A minute in which it ran, and had run on since. */
	for (size_t i = 0; i < RULES_MINUTES; i++)
		if (r->seen[i] != 0 && r->seen[i] + 2 <= r->minute)
			return r->seen[i] > from + TOLD_MINUTES;
	return false;
}
