#include "proto/audit/facts.h"

#include <string.h>

#define GRACE_MINUTES 10	/* for the broker to tell of a missed term */

static bool
same_ref(const struct kl_ref *a, const struct kl_ref *b)
{
	return memcmp(a->b, b->b, sizeof a->b) == 0;
}

static bool
of_message(const struct kl_record *r)
{
	return !kl_bytes_zero(KL_BYTES_OF(r->msg_ref));
}

static const struct kl_record *
rec(const struct audit_facts *f, size_t i)
{
	return &f->at[i].r;
}

/* A sealed referral came to rest here: sent, or shown again. */
static bool
begins(const struct kl_record *r)
{
	return of_message(r) && (r->event == KL_EV_ACCEPTED ||
	    r->event == KL_EV_PRESENTED);
}

static bool
ends_all(const struct kl_record *r)
{
	return r->event == KL_EV_CONSENT_WITHDRAWN && r->kind == 0;
}

static bool
is_feedback(const struct kl_record *r)
{
	return r->kind == KL_FEEDBACK && begins(r);
}

/* ---- terms -------------------------------------------------------------- */

static bool
term_of(const struct kl_record *r, enum audit_facts_term *out)
{
	if (r->due_minute == 0)
		return false;
	if (r->event == KL_EV_ACCEPTED)
		*out = AUDIT_TERM_DELIVER;
	else if (r->kind == KL_REFERRAL && r->new_state == KL_MSG_DELIVERED)
		*out = AUDIT_TERM_ANSWER;
	else if (r->event == KL_EV_ERASE_ASKED)
		*out = AUDIT_TERM_ERASE;
	else
		return false;
	return true;
}

static bool
meets(const struct audit_facts_due *d, const struct kl_record *begun,
    const struct kl_record *r)
{
	switch (d->term) {
	case AUDIT_TERM_DELIVER:
		return same_ref(&r->msg_ref, &begun->msg_ref) &&
		    r->new_state == KL_MSG_DELIVERED;
	case AUDIT_TERM_ANSWER:
		return is_feedback(r);
	default:
		return r->event == KL_EV_ERASE_RECEIPT &&
		    kl_id_equal(&r->org_from, &begun->org_from) &&
		    r->due_minute == d->due_minute;
	}
}

static bool
tells(const struct audit_facts_due *d, const struct kl_record *begun,
    const struct kl_record *r)
{
	if (r->due_minute != d->due_minute)
		return false;
	switch (d->term) {
	case AUDIT_TERM_DELIVER:
		return r->event == KL_EV_DEADLINE &&
		    same_ref(&r->msg_ref, &begun->msg_ref);
	case AUDIT_TERM_ANSWER:
		return r->event == KL_EV_DEADLINE && !of_message(r);
	default:
		return r->event == KL_EV_ESCALATED &&
		    kl_id_equal(&r->org_from, &begun->org_from);
	}
}

/* It has nothing to wait for any more. */
static bool
ends(const struct audit_facts_due *d, const struct kl_record *begun,
    const struct kl_record *r)
{
	const bool own = same_ref(&r->msg_ref, &begun->msg_ref);

	switch (d->term) {
	case AUDIT_TERM_DELIVER:
		return own && (r->new_state == KL_MSG_DEAD ||
		    r->new_state == KL_MSG_EXPIRED ||
		    r->new_state == KL_MSG_WITHDRAWN ||
		    r->new_state == KL_MSG_UNCONFIRMED);
	case AUDIT_TERM_ANSWER:
		return ends_all(r) || (own && r->new_state == KL_MSG_LOST) ||
		    (!own && r->kind == KL_REFERRAL &&
		    r->new_state == KL_MSG_DELIVERED);
	default:
		return false;
	}
}

/* Past a term it says more than a notice would. */
static bool
says_more(const struct kl_record *r)
{
	return r->event == KL_EV_EXPIRED || r->event == KL_EV_UNCONFIRMED;
}

static enum audit_facts_end
end_of(const struct audit_facts *f, const struct audit_facts_due *d,
    size_t ended, int64_t now_minute)
{
	if (d->told != AUDIT_FACTS_NONE)
		return AUDIT_END_TOLD;
	if (d->met != AUDIT_FACTS_NONE &&
	    rec(f, d->met)->time_minute <= d->due_minute)
		return AUDIT_END_KEPT;
	if (ended != AUDIT_FACTS_NONE && (says_more(rec(f, ended)) ||
	    rec(f, ended)->time_minute <= d->due_minute))
		return AUDIT_END_OVER;
	return now_minute <= d->due_minute + GRACE_MINUTES &&
	    d->met == AUDIT_FACTS_NONE ? AUDIT_END_RUNS : AUDIT_END_UNTOLD;
}

bool
audit_facts_next_due(const struct audit_facts *f, int64_t now_minute,
    size_t *at, struct audit_facts_due *d)
{
	size_t ended = AUDIT_FACTS_NONE;
	const struct kl_record *begun;

	while (*at < f->n && !term_of(rec(f, *at), &d->term))
		++*at;
	if (*at >= f->n)
		return false;
	begun = rec(f, *at);
	d->begun = (*at)++;
	d->met = d->told = AUDIT_FACTS_NONE;
	d->due_minute = begun->due_minute;
	for (size_t i = *at; i < f->n; i++) {
		if (d->met == AUDIT_FACTS_NONE && meets(d, begun, rec(f, i)))
			d->met = i;
		if (d->told == AUDIT_FACTS_NONE && tells(d, begun, rec(f, i)))
			d->told = i;
		if (ended == AUDIT_FACTS_NONE && ends(d, begun, rec(f, i)))
			ended = i;
	}
	d->end = end_of(f, d, ended, now_minute);
	return true;
}

/* ---- what is open -------------------------------------------------------- */

/* Does a later record give this message another state? */
static bool
moves_on(const struct audit_facts *f, size_t i)
{
	for (size_t k = i + 1; k < f->n; k++)
		if (rec(f, k)->new_state != 0 && same_ref(
		    &rec(f, k)->msg_ref, &rec(f, i)->msg_ref))
			return true;
	return false;
}

static bool
any_after(const struct audit_facts *f, size_t i,
    bool (*is)(const struct kl_record *))
{
	for (size_t k = i + 1; k < f->n; k++)
		if (is(rec(f, k)))
			return true;
	return false;
}

static bool
receipt_after(const struct audit_facts *f, size_t i)
{
	const struct audit_facts_due d = { .term = AUDIT_TERM_ERASE,
		.due_minute = rec(f, i)->due_minute };

	for (size_t k = i + 1; k < f->n; k++)
		if (meets(&d, rec(f, i), rec(f, k)))
			return true;
	return false;
}

/* The last state of a message that is opened or ended asks for its key. */
static enum audit_facts_open
state_open(const struct kl_record *r)
{
	switch (r->new_state) {
	case KL_MSG_ACCEPTED:
		return AUDIT_OPEN_WAITS;
	case KL_MSG_RELEASED:
		return AUDIT_OPEN_UNSURE;
	case KL_MSG_DELIVERED:
	case KL_MSG_DEAD:
	case KL_MSG_EXPIRED:
	case KL_MSG_WITHDRAWN:
	case KL_MSG_UNCONFIRMED:
		return r->event == KL_EV_PRESENTED ? AUDIT_OPEN_NOTHING :
		    AUDIT_OPEN_KEY;
	default:
		return AUDIT_OPEN_NOTHING;
	}
}

static bool
opened_again(const struct kl_record *r)
{
	return r->kind == KL_REFERRAL && r->new_state == KL_MSG_DELIVERED;
}

static bool
ends_feedback(const struct kl_record *r)
{
	return r->event == KL_EV_CONSENT_WITHDRAWN && r->kind == KL_FEEDBACK;
}

static bool
answered(const struct audit_facts *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (is_feedback(rec(f, i)))
			return true;
	return false;
}

/* Opened in time, and no term for an answer began. */
static bool
silent(const struct audit_facts *f, size_t i)
{
	const struct kl_record *r = rec(f, i);

	for (size_t k = 0; r->due_minute == 0 && k < i; k++)
		if (rec(f, k)->event == KL_EV_ACCEPTED && same_ref(
		    &rec(f, k)->msg_ref, &r->msg_ref))
			return r->time_minute <= rec(f, k)->due_minute;
	return false;
}

/* The case itself, shown by its last step. */
static enum audit_facts_open
case_open(const struct audit_facts *f, size_t i)
{
	const struct kl_record *r = rec(f, i);
	const bool helps = is_feedback(r) && !any_after(f, i, is_feedback) &&
	    (r->milestone == KL_MS_TAKEN_UP ||
	    r->milestone == KL_MS_IN_PROGRESS);
	const bool waits = opened_again(r) && !answered(f) &&
	    !any_after(f, i, opened_again);

	if ((!helps && !waits) || any_after(f, i, ends_all))
		return AUDIT_OPEN_NOTHING;
	if (any_after(f, 0, ends_feedback))
		return AUDIT_OPEN_UNTOLD;
	return helps ? AUDIT_OPEN_HELP : silent(f, i) ? AUDIT_OPEN_SILENT :
	    AUDIT_OPEN_ANSWER;
}

enum audit_facts_open
audit_facts_open(const struct audit_facts *f, size_t i)
{
	const struct kl_record *r = rec(f, i);
	enum audit_facts_open o;

	if (r->event == KL_EV_ERASE_ASKED)
		return receipt_after(f, i) ? AUDIT_OPEN_NOTHING :
		    AUDIT_OPEN_ERASE;
	if ((o = case_open(f, i)) != AUDIT_OPEN_NOTHING)
		return o;
	return !of_message(r) || moves_on(f, i) ? AUDIT_OPEN_NOTHING :
	    state_open(r);
}

/* ---- what is missing ----------------------------------------------------- */

size_t
audit_facts_referral(const struct audit_facts *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (rec(f, i)->kind == KL_REFERRAL && begins(rec(f, i)))
			return i;
	return AUDIT_FACTS_NONE;
}

bool
audit_facts_no_begin(const struct audit_facts *f)
{
	const size_t i = audit_facts_referral(f);

	return i == AUDIT_FACTS_NONE || rec(f, i)->event != KL_EV_ACCEPTED;
}

bool
audit_facts_shown_again(const struct audit_facts *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (rec(f, i)->event == KL_EV_PRESENTED)
			return true;
	return false;
}

bool
audit_facts_loose(const struct audit_facts *f, size_t i)
{
	if (!of_message(rec(f, i)) || begins(rec(f, i)))
		return false;
	for (size_t k = 0; k < i; k++)
		if (same_ref(&rec(f, k)->msg_ref, &rec(f, i)->msg_ref))
			return false;
	return true;
}
