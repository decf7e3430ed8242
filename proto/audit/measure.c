#include "proto/audit/measure_priv.h"

#include <stdlib.h>

#include <kortelijn/base/code.h>

/* ---- begin and clear ----------------------------------------------------- */

int
audit_measure_begin(struct audit_measure *m, int64_t from, int64_t to)
{
	struct audit_measure_work *w;

	*m = (struct audit_measure){ .from = from,
		.to = to != 0 ? to : INT64_MAX };
	if (audit_orgs_init(&m->orgs) != KL_OK)
		return KL_E_MEMORY;
	m->of = calloc(AUDIT_ORGS_MAX, sizeof *m->of);
	m->pairs = calloc(AUDIT_MEASURE_PAIRS_MAX, sizeof *m->pairs);
	w = m->work = calloc(1, sizeof *w);
	if (m->of == NULL || m->pairs == NULL || w == NULL)
		return KL_E_MEMORY;
	audit_reftab_init(&w->talks, sizeof(struct measure_talk),
	    AUDIT_MEASURE_OPEN_MAX);
	audit_reftab_init(&w->waiting, sizeof(struct measure_waiting),
	    AUDIT_MEASURE_OPEN_MAX);
	audit_reftab_init(&w->withdrawn, sizeof(struct measure_withdrawn),
	    AUDIT_MEASURE_OPEN_MAX);
	audit_reftab_init(&w->papers, sizeof(struct measure_paper),
	    AUDIT_MEASURE_OPEN_MAX);
	audit_reftab_init(&w->asked, sizeof(struct measure_asked),
	    AUDIT_MEASURE_OPEN_MAX);
	audit_reftab_init(&w->pairs, sizeof(struct measure_pair),
	    AUDIT_MEASURE_PAIRS_MAX);
	return KL_OK;
}

static void
of_clear(struct audit_of *o)
{
	for (size_t i = 0; i < AUDIT_STEPS; i++) {
		audit_spread_clear(&o->minutes[i]);
		audit_spread_clear(&o->days[i]);
	}
}

static void
work_free(struct audit_measure_work *w)
{
	if (w == NULL)
		return;
	audit_reftab_clear(&w->talks);
	audit_reftab_clear(&w->waiting);
	audit_reftab_clear(&w->withdrawn);
	audit_reftab_clear(&w->papers);
	audit_reftab_clear(&w->asked);
	audit_reftab_clear(&w->pairs);
	free(w);
}

void
audit_measure_clear(struct audit_measure *m)
{
	for (uint32_t i = 0; m->of != NULL && i < m->orgs.n; i++)
		of_clear(&m->of[i]);
	of_clear(&m->all);
	for (size_t i = 0; i < AUDIT_MEASURE_KINDS; i++)
		audit_spread_clear(&m->waited[i]);
	audit_spread_clear(&m->erasing.erased);
	audit_spread_clear(&m->erasing.receipt);
	audit_orgs_clear(&m->orgs);
	free(m->of);
	free(m->pairs);
	work_free(m->work);
	*m = (struct audit_measure){ .from = 0 };
}

bool
audit_measure_inside(const struct audit_measure *m, const struct kl_record *r)
{
	return r->time_minute >= m->from && r->time_minute < m->to;
}

struct kl_ref
audit_measure_key(uint64_t a, uint64_t b)
{
	struct kl_ref ref;

	kl_be64_put(ref.b, (a * UINT64_C(0x9e3779b97f4a7c15)) ^
	    (b * UINT64_C(0xc2b2ae3d27d4eb4f)));
	kl_be64_put(ref.b + 8, a << 32 | b);
	return ref;
}

/* ---- the other kinds ----------------------------------------------------- */

static int
wait_begins(struct audit_measure *m, const struct kl_record *r)
{
	void *at;
	int err;

	err = audit_reftab_put(&m->work->waiting, &r->msg_ref, &at);
	if (err == KL_OK)
		*(struct measure_waiting *)at = (struct measure_waiting){
			.ref = r->msg_ref, .begun = r->time_minute,
			.kind = r->kind };
	return err;
}

static int
wait_ends(struct audit_measure *m, const struct kl_record *r)
{
	const struct measure_waiting *w = audit_reftab_find(&m->work->waiting,
	    r->msg_ref.b);
	int err = KL_OK;

	if (w == NULL)
		return KL_OK;
	if (r->event == KL_EV_DELIVERED)
		err = audit_spread_add(&m->waited[w->kind],
		    (uint32_t)(r->time_minute - w->begun));
	else
		m->waited[w->kind].gone++;
	audit_reftab_drop(&m->work->waiting, r->msg_ref.b);
	return err;
}

static void
waits_open(struct audit_measure *m)
{
	for (uint32_t i = 0; i < m->work->waiting.n; i++) {
		const struct measure_waiting *w = audit_reftab_at(
		    &m->work->waiting, i);

		m->waited[w->kind].open++;
	}
}

/* ---- one record ---------------------------------------------------------- */

static int
take_counts(struct audit_measure *m, uint64_t leaf, const struct kl_record *r,
    uint32_t from, uint32_t to)
{
	m->records++;
	if (r->event < AUDIT_MEASURE_EVENTS)
		m->events[r->event]++;
	switch (r->event) {
	case KL_EV_ACCEPTED:
		return audit_measure_count_message(m, r, from, to);
	case KL_EV_REFUSED:
	case KL_EV_CONFLICT:
		return audit_measure_count_refusal(m, r, from);
	case KL_EV_DEAD:
		m->dead[r->reason < AUDIT_MEASURE_CODES ? r->reason : 0]++;
		return KL_OK;
	case KL_EV_DEADLINE:
		*(kl_bytes_zero(KL_BYTES_OF(r->msg_ref)) ?
		    &m->told_answer : &m->told_deliver) += 1;
		return KL_OK;
	case KL_EV_POLICY:
		audit_measure_count_moment(&m->policies, leaf, r);
		return KL_OK;
	case KL_EV_HOLD:
		audit_measure_count_moment(&m->holds, leaf, r);
		return KL_OK;
	case KL_EV_ESCALATED:
		m->erasing.escalated++;
		return KL_OK;
	case KL_EV_ERASE_ASKED:
		return audit_measure_erase_asked(m, r, from);
	default:
		return KL_OK;
	}
}

static int
take_begin(struct audit_measure *m, const struct kl_record *r, uint32_t to)
{
	if (r->kind == KL_REFERRAL)
		return audit_measure_talk_begins(m, r, to);
	return r->kind < AUDIT_MEASURE_KINDS ? wait_begins(m, r) : KL_OK;
}

static int
take_message(struct audit_measure *m, const struct kl_record *r)
{
	struct measure_talk *t = audit_reftab_find(&m->work->talks,
	    r->conv_ref.b);

	if (r->kind != KL_REFERRAL)
		return wait_ends(m, r);
	if (t == NULL || r->event == KL_EV_WITHDRAWN)
		return KL_OK;
	if (r->event == KL_EV_DELIVERED)
		return audit_measure_talk_collected(m, t, r);
	audit_measure_talk_fails(m, t, r);
	return KL_OK;
}

static int
take_story(struct audit_measure *m, const struct kl_record *r, uint32_t from,
    uint32_t to)
{
	struct measure_talk *t;
	int err;

	switch (r->event) {
	case KL_EV_ACCEPTED:
		t = audit_reftab_find(&m->work->talks, r->conv_ref.b);
		err = audit_measure_inside(m, r) ? take_begin(m, r, to) :
		    KL_OK;
		return err == KL_OK && t != NULL && r->kind == KL_FEEDBACK ?
		    audit_measure_talk_feedback(m, t, r) : err;
	case KL_EV_DELIVERED:
	case KL_EV_DEAD:
	case KL_EV_EXPIRED:
	case KL_EV_WITHDRAWN:
		return take_message(m, r);
	case KL_EV_PRESENTED:
		return audit_measure_erase_shown(m, r);
	case KL_EV_CONSENT_WITHDRAWN:
		return audit_measure_erase_withdrawn(m, r);
	case KL_EV_ERASED:
		audit_measure_erase_erased(m, r);
		return KL_OK;
	case KL_EV_ERASE_RECEIPT:
		return audit_measure_erase_answered(m, r, from);
	default:
		return KL_OK;
	}
}

/* A record says the role of who acted: the sender of what was accepted, the
 * receiver of what was delivered. */
static void
role_seen(struct audit_measure *m, const struct kl_record *r, uint32_t from,
    uint32_t to)
{
	const uint32_t who = r->event == KL_EV_ACCEPTED ? from :
	    r->event == KL_EV_DELIVERED ? to : AUDIT_ORG_NONE;

	if (who != AUDIT_ORG_NONE && r->actor_role != 0)
		m->orgs.roles[who] = r->actor_role;
}

int
audit_measure_take(struct audit_measure *m, uint64_t leaf,
    const struct kl_record *r)
{
	uint32_t from, to;
	int err;

	if ((err = audit_orgs_put(&m->orgs, &r->org_from, &from)) != KL_OK ||
	    (err = audit_orgs_put(&m->orgs, &r->org_to, &to)) != KL_OK)
		return err;
	role_seen(m, r, from, to);
	if (m->first == 0)
		m->first = r->time_minute;
	m->last = r->time_minute;
	if (r->event == KL_EV_POLICY && r->time_minute < m->from) {
		m->policy_before = (struct audit_moment){ .leaf = leaf,
			.minute = r->time_minute, .hash = r->body_hash };
		m->policy_before_known = true;
	}
	if (audit_measure_inside(m, r) &&
	    (err = take_counts(m, leaf, r, from, to)) != KL_OK)
		return err;
	return take_story(m, r, from, to);
}

/* ---- the end ------------------------------------------------------------- */

static void
of_sort(struct audit_of *o)
{
	for (size_t i = 0; i < AUDIT_STEPS; i++) {
		audit_spread_sort(&o->minutes[i]);
		audit_spread_sort(&o->days[i]);
	}
}

int
audit_measure_end(struct audit_measure *m, int64_t now)
{
	const int err = audit_measure_erase_end(m);

	audit_measure_talk_open(m, now);
	waits_open(m);
	audit_measure_erase_open(m, now);
	for (uint32_t i = 0; i < m->orgs.n; i++)
		of_sort(&m->of[i]);
	of_sort(&m->all);
	for (size_t i = 0; i < AUDIT_MEASURE_KINDS; i++)
		audit_spread_sort(&m->waited[i]);
	audit_spread_sort(&m->erasing.erased);
	audit_spread_sort(&m->erasing.receipt);
	return err;
}
