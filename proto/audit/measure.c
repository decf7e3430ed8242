#include "proto/audit/measure.h"

#include <stdlib.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/time.h>
#include <kortelijn/domain/calendar.h>

#include "proto/audit/reftab.h"

/* A conversation whose referral was accepted in the period. */
struct talk {
	struct kl_ref ref;
	int64_t begun;		/* minute */
	int64_t deliver_due, answer_due;
	uint32_t to;		/* organisation */
	bool done[AUDIT_STEPS];
	bool answered;
	bool late;		/* collected past its term */
	bool untold;		/* feedback was withdrawn */
};

/* A message of another kind that waits for its receiver. */
struct waiting { struct kl_ref ref; int64_t begun; uint32_t kind; };

/* A conversation that was withdrawn in the period. */
struct withdrawn { struct kl_ref ref; int64_t at, erased; };

/* An erase receipt that is owed: by conversation and who owes it. */
struct asked { struct kl_ref key; int64_t at, due; };

/* A pair of organisations: where it stands among the pairs. */
struct pair_row { struct kl_ref key; uint32_t i; bool there; };

struct audit_measure_work {
	struct audit_reftab talks, waiting, withdrawn, asked, pairs;
};

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
	audit_reftab_init(&w->talks, sizeof(struct talk),
	    AUDIT_MEASURE_OPEN_MAX);
	audit_reftab_init(&w->waiting, sizeof(struct waiting),
	    AUDIT_MEASURE_OPEN_MAX);
	audit_reftab_init(&w->withdrawn, sizeof(struct withdrawn),
	    AUDIT_MEASURE_OPEN_MAX);
	audit_reftab_init(&w->asked, sizeof(struct asked),
	    AUDIT_MEASURE_OPEN_MAX);
	audit_reftab_init(&w->pairs, sizeof(struct pair_row),
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

/* ---- counts -------------------------------------------------------------- */

static bool
inside(const struct audit_measure *m, const struct kl_record *r)
{
	return r->time_minute >= m->from && r->time_minute < m->to;
}

static int
month_at(struct audit_measure *m, int64_t minute, struct audit_month **out)
{
	int year, month, day;

	kl_day_split(kl_day_of(kl_calendar_local_ms(minute * KL_MINUTE_MS)),
	    &year, &month, &day);
	month += 12 * year - 1;
	*out = NULL;
	for (size_t i = m->n_months; i-- > 0;)
		if (m->months[i].month == month) {
			*out = &m->months[i];
			return KL_OK;
		}
	if (m->n_months == AUDIT_MEASURE_MONTHS_MAX)
		return KL_E_FULL;
	*out = &m->months[m->n_months++];
	**out = (struct audit_month){ .month = month };
	return KL_OK;
}

/* Two numbers as a key. */
static struct kl_ref
key_of(uint64_t a, uint64_t b)
{
	struct kl_ref ref;

	kl_be64_put(ref.b, (a * UINT64_C(0x9e3779b97f4a7c15)) ^
	    (b * UINT64_C(0xc2b2ae3d27d4eb4f)));
	kl_be64_put(ref.b + 8, a << 32 | b);
	return ref;
}

static int
pair_at(struct audit_measure *m, uint32_t from, uint32_t to,
    struct audit_pair **out)
{
	const struct kl_ref key = key_of(from, to);
	struct pair_row *row;
	void *at;
	int err;

	if ((err = audit_reftab_put(&m->work->pairs, &key, &at)) != KL_OK)
		return err;
	row = at;
	if (!row->there) {
		row->i = (uint32_t)m->n_pairs++;
		row->there = true;
		m->pairs[row->i] = (struct audit_pair){ .from = from,
			.to = to };
	}
	*out = &m->pairs[row->i];
	return KL_OK;
}

static int
count_message(struct audit_measure *m, const struct kl_record *r,
    uint32_t from, uint32_t to)
{
	struct audit_month *month;
	struct audit_pair *pair;
	int err;

	if (from == AUDIT_ORG_NONE || to == AUDIT_ORG_NONE ||
	    r->kind >= AUDIT_MEASURE_KINDS)
		return KL_OK;
	if ((err = month_at(m, r->time_minute, &month)) != KL_OK ||
	    (err = pair_at(m, from, to, &pair)) != KL_OK)
		return err;
	month->n[r->kind]++;
	pair->n[r->kind]++;
	m->of[from].sent[r->kind]++;
	m->of[to].received[r->kind]++;
	m->all.sent[r->kind]++;
	m->all.received[r->kind]++;
	return KL_OK;
}

static int
count_refusal(struct audit_measure *m, const struct kl_record *r,
    uint32_t from)
{
	struct audit_month *month;
	int err;

	if ((err = month_at(m, r->time_minute, &month)) != KL_OK)
		return err;
	month->refused += r->count;
	m->refused[r->reason < AUDIT_MEASURE_CODES ? r->reason : 0] +=
	    r->count;
	m->all.refused += r->count;
	if (from != AUDIT_ORG_NONE)
		m->of[from].refused += r->count;
	return KL_OK;
}

static void
moment(struct audit_moments *list, uint64_t leaf, const struct kl_record *r)
{
	if (list->n < AUDIT_MEASURE_LISTED_MAX)
		list->m[list->n] = (struct audit_moment){ .leaf = leaf,
			.minute = r->time_minute, .hash = r->body_hash,
			.reason = r->reason, .count = r->count };
	list->n++;
}

/* ---- referrals ----------------------------------------------------------- */

/* Each number stands twice: for all, and for the receiver. */
static struct audit_of *
both(struct audit_measure *m, uint32_t to, int k)
{
	return k == 0 ? &m->all : &m->of[to];
}

static int
step_at(struct audit_measure *m, struct talk *t, enum audit_step step,
    int64_t minute)
{
	const uint32_t minutes = minute <= t->begun ? 0 :
	    (uint32_t)(minute - t->begun);
	const uint32_t days = audit_spread_working_days(
	    t->begun * KL_MINUTE_MS, minute * KL_MINUTE_MS);
	int err = KL_OK;

	if (t->done[step])
		return KL_OK;
	t->done[step] = true;
	for (int k = 0; k < 2; k++) {
		struct audit_of *o = both(m, t->to, k);

		if (err == KL_OK)
			err = audit_spread_add(&o->minutes[step], minutes);
		if (err == KL_OK)
			err = audit_spread_add(&o->days[step], days);
	}
	return err;
}

enum fate { KEPT, LATE, MISSED, RUNNING, LAPSED };

static void
due_count(struct audit_due *d, enum fate fate)
{
	d->kept += fate == KEPT;
	d->late += fate == LATE;
	d->missed += fate == MISSED;
	d->running += fate == RUNNING;
	d->lapsed += fate == LAPSED;
}

static void
due_answer(struct audit_measure *m, struct talk *t, enum fate fate)
{
	if (t->answer_due != 0 && !t->answered)
		for (int k = 0; k < 2; k++)
			due_count(&both(m, t->to, k)->answer, fate);
	t->answered = true;
}

static void
due_deliver(struct audit_measure *m, const struct talk *t, enum fate fate)
{
	if (t->deliver_due != 0)
		for (int k = 0; k < 2; k++)
			due_count(&both(m, t->to, k)->deliver, fate);
}

static int
referral_begins(struct audit_measure *m, const struct kl_record *r,
    uint32_t to)
{
	struct talk *t;
	void *at;
	int err;

	if (to == AUDIT_ORG_NONE)
		return KL_OK;
	if ((err = audit_reftab_put(&m->work->talks, &r->conv_ref, &at)) !=
	    KL_OK)
		return err;
	t = at;
	if (t->begun == 0) {
		t->begun = r->time_minute;
		for (int k = 0; k < 2; k++)
			both(m, to, k)->referrals++;
	}
	/* Sealed again: the term of the one before counts no more. */
	t->to = to;
	t->deliver_due = r->due_minute;
	return KL_OK;
}

static int
referral_collected(struct audit_measure *m, struct talk *t,
    const struct kl_record *r)
{
	if (!t->done[AUDIT_COLLECTED]) {
		t->late = r->time_minute > t->deliver_due;
		due_deliver(m, t, t->late ? LATE : KEPT);
		t->answer_due = r->due_minute;
		if (t->answer_due == 0)
			for (int k = 0; k < 2; k++)
				both(m, t->to, k)->no_answer_due++;
	}
	return step_at(m, t, AUDIT_COLLECTED, r->time_minute);
}

/* Nothing is told of it: feedback was withdrawn, or never agreed to, by which
 * no term for an answer ran. What was collected late may have no such term for
 * that alone: it stays open. */
static bool
silent(const struct talk *t)
{
	return t->untold || (t->done[AUDIT_COLLECTED] && !t->late &&
	    t->answer_due == 0 && !t->done[AUDIT_TAKEN_UP]);
}

/* What did not come yet, or will not come any more. */
static void
unmet(struct audit_measure *m, struct talk *t, bool over)
{

	for (size_t i = 0; i < AUDIT_STEPS; i++) {
		if (t->done[i])
			continue;
		for (int k = 0; k < 2; k++) {
			struct audit_of *o = both(m, t->to, k);
			const bool gone = over || (i > 0 && silent(t));

			o->minutes[i].gone += gone;
			o->days[i].gone += gone;
			o->minutes[i].open += !gone;
			o->days[i].open += !gone;
		}
	}
}

static void
referral_over(struct audit_measure *m, struct talk *t,
    const struct kl_ref *conv)
{
	if (!t->done[AUDIT_COLLECTED])
		due_deliver(m, t, LAPSED);
	due_answer(m, t, LAPSED);
	unmet(m, t, true);
	audit_reftab_drop(&m->work->talks, conv->b);
}

static int
feedback(struct audit_measure *m, struct talk *t, const struct kl_record *r)
{
	const uint32_t ms = r->milestone;
	int err = KL_OK;

	due_answer(m, t, r->time_minute <= t->answer_due ? KEPT : LATE);
	/* A step that was passed over was taken with the next. */
	if (ms == KL_MS_TAKEN_UP || ms == KL_MS_IN_PROGRESS ||
	    ms == KL_MS_ENDED)
		err = step_at(m, t, AUDIT_TAKEN_UP, r->time_minute);
	if (err == KL_OK && ms == KL_MS_IN_PROGRESS)
		err = step_at(m, t, AUDIT_IN_PROGRESS, r->time_minute);
	if (err == KL_OK && ms == KL_MS_ENDED)
		err = step_at(m, t, AUDIT_ENDED, r->time_minute);
	if (err != KL_OK)
		return err;
	if (ms == KL_MS_RETURNED)
		for (int k = 0; k < 2; k++)
			both(m, t->to, k)->returned++;
	if (ms == KL_MS_ENDED || ms == KL_MS_RETURNED)
		referral_over(m, t, &r->conv_ref);
	return KL_OK;
}

/* A referral that nobody will get. */
static void
referral_fails(struct audit_measure *m, struct talk *t,
    const struct kl_record *r)
{
	for (int k = 0; k < 2; k++) {
		struct audit_of *o = both(m, t->to, k);

		o->expired += r->event == KL_EV_EXPIRED;
		o->dead += r->event == KL_EV_DEAD;
	}
	referral_over(m, t, &r->conv_ref);
}

/* ---- the other kinds ----------------------------------------------------- */

static int
wait_begins(struct audit_measure *m, const struct kl_record *r)
{
	void *at;
	int err;

	err = audit_reftab_put(&m->work->waiting, &r->msg_ref, &at);
	if (err == KL_OK)
		*(struct waiting *)at = (struct waiting){ .ref = r->msg_ref,
			.begun = r->time_minute, .kind = r->kind };
	return err;
}

static int
wait_ends(struct audit_measure *m, const struct kl_record *r)
{
	const struct waiting *w = audit_reftab_find(&m->work->waiting,
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

/* ---- withdrawal and erasure ---------------------------------------------- */

static int
consent_ends(struct audit_measure *m, const struct kl_record *r)
{
	struct talk *t = audit_reftab_find(&m->work->talks, r->conv_ref.b);
	struct audit_erasing *e = &m->erasing;
	struct audit_month *month;
	void *at;
	int err;

	if (t != NULL && r->kind == KL_FEEDBACK)
		t->untold = true;
	if (t != NULL && r->kind != KL_FEEDBACK) {
		for (int k = 0; k < 2; k++)
			both(m, t->to, k)->withdrawn++;
		referral_over(m, t, &r->conv_ref);
	}
	if (!inside(m, r))
		return KL_OK;
	if ((err = month_at(m, r->time_minute, &month)) != KL_OK)
		return err;
	month->withdrawn++;
	e->all += r->kind != KL_FEEDBACK;
	e->feedback_only += r->kind == KL_FEEDBACK;
	e->by_practice += r->actor_role == KL_PRACTICE;
	e->by_municipality += r->actor_role == KL_MUNICIPALITY;
	e->by_other += r->actor_role != KL_PRACTICE &&
	    r->actor_role != KL_MUNICIPALITY;
	err = audit_reftab_put(&m->work->withdrawn, &r->conv_ref, &at);
	if (err == KL_OK && ((struct withdrawn *)at)->at == 0)
		((struct withdrawn *)at)->at = r->time_minute;
	return err;
}

static void
erased(struct audit_measure *m, const struct kl_record *r)
{
	struct withdrawn *w = audit_reftab_find(&m->work->withdrawn,
	    r->conv_ref.b);

	if (w != NULL && (r->prev_state == KL_MSG_WITHDRAWN ||
	    r->prev_state == KL_MSG_UNCONFIRMED))
		w->erased = r->time_minute;
}

/* Who owes it is org_from, in the asking and in the answer. */
static struct kl_ref
asked_key(const struct kl_record *r, uint32_t from)
{
	return key_of(kl_be64(r->conv_ref.b), from);
}

static int
erase_asked(struct audit_measure *m, const struct kl_record *r, uint32_t from)
{
	const struct kl_ref key = asked_key(r, from);
	void *at;
	int err;

	err = audit_reftab_put(&m->work->asked, &key, &at);
	if (err == KL_OK)
		*(struct asked *)at = (struct asked){ .key = key,
			.at = r->time_minute, .due = r->due_minute };
	return err;
}

static int
erase_answered(struct audit_measure *m, const struct kl_record *r,
    uint32_t from)
{
	const struct kl_ref key = asked_key(r, from);
	const struct asked *a = audit_reftab_find(&m->work->asked, key.b);
	int err;

	if (a == NULL)
		return KL_OK;
	due_count(&m->erasing.due, r->time_minute <= a->due ? KEPT : LATE);
	err = audit_spread_add(&m->erasing.receipt,
	    (uint32_t)(r->time_minute - a->at));
	audit_reftab_drop(&m->work->asked, key.b);
	return err;
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
		return count_message(m, r, from, to);
	case KL_EV_REFUSED:
	case KL_EV_CONFLICT:
		return count_refusal(m, r, from);
	case KL_EV_DEAD:
		m->dead[r->reason < AUDIT_MEASURE_CODES ? r->reason : 0]++;
		return KL_OK;
	case KL_EV_DEADLINE:
		*(kl_bytes_zero(KL_BYTES_OF(r->msg_ref)) ?
		    &m->told_answer : &m->told_deliver) += 1;
		return KL_OK;
	case KL_EV_POLICY:
		moment(&m->policies, leaf, r);
		return KL_OK;
	case KL_EV_HOLD:
		moment(&m->holds, leaf, r);
		return KL_OK;
	case KL_EV_ESCALATED:
		m->erasing.escalated++;
		return KL_OK;
	case KL_EV_ERASE_ASKED:
		return erase_asked(m, r, from);
	default:
		return KL_OK;
	}
}

static int
take_begin(struct audit_measure *m, const struct kl_record *r, uint32_t to)
{
	if (r->kind == KL_REFERRAL)
		return referral_begins(m, r, to);
	return r->kind < AUDIT_MEASURE_KINDS ? wait_begins(m, r) : KL_OK;
}

static int
take_message(struct audit_measure *m, const struct kl_record *r)
{
	struct talk *t = audit_reftab_find(&m->work->talks, r->conv_ref.b);

	if (r->kind != KL_REFERRAL)
		return wait_ends(m, r);
	if (t == NULL || r->event == KL_EV_WITHDRAWN)
		return KL_OK;
	if (r->event == KL_EV_DELIVERED)
		return referral_collected(m, t, r);
	referral_fails(m, t, r);
	return KL_OK;
}

static int
take_story(struct audit_measure *m, const struct kl_record *r, uint32_t from,
    uint32_t to)
{
	struct talk *t;
	int err;

	switch (r->event) {
	case KL_EV_ACCEPTED:
		t = audit_reftab_find(&m->work->talks, r->conv_ref.b);
		err = inside(m, r) ? take_begin(m, r, to) : KL_OK;
		return err == KL_OK && t != NULL && r->kind == KL_FEEDBACK ?
		    feedback(m, t, r) : err;
	case KL_EV_DELIVERED:
	case KL_EV_DEAD:
	case KL_EV_EXPIRED:
	case KL_EV_WITHDRAWN:
		return take_message(m, r);
	case KL_EV_CONSENT_WITHDRAWN:
		return consent_ends(m, r);
	case KL_EV_ERASED:
		erased(m, r);
		return KL_OK;
	case KL_EV_ERASE_RECEIPT:
		return erase_answered(m, r, from);
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
	if (inside(m, r) &&
	    (err = take_counts(m, leaf, r, from, to)) != KL_OK)
		return err;
	return take_story(m, r, from, to);
}

/* ---- the end ------------------------------------------------------------- */

static enum fate
fate_now(int64_t due, int64_t now)
{
	return now > due ? MISSED : RUNNING;
}

static void
talks_open(struct audit_measure *m, int64_t now)
{
	for (uint32_t i = 0; i < m->work->talks.n; i++) {
		struct talk *t = audit_reftab_at(&m->work->talks, i);

		if (!t->done[AUDIT_COLLECTED])
			due_deliver(m, t, fate_now(t->deliver_due, now));
		due_answer(m, t, fate_now(t->answer_due, now));
		unmet(m, t, false);
	}
}

static void
waits_open(struct audit_measure *m)
{
	for (uint32_t i = 0; i < m->work->waiting.n; i++) {
		const struct waiting *w = audit_reftab_at(&m->work->waiting,
		    i);

		m->waited[w->kind].open++;
	}
}

static int
withdrawals_end(struct audit_measure *m)
{
	int err = KL_OK;

	for (uint32_t i = 0; err == KL_OK && i < m->work->withdrawn.n; i++) {
		const struct withdrawn *w = audit_reftab_at(
		    &m->work->withdrawn, i);

		if (w->erased == 0)
			m->erasing.nothing_held++;
		else
			err = audit_spread_add(&m->erasing.erased,
			    (uint32_t)(w->erased - w->at));
	}
	return err;
}

static void
receipts_open(struct audit_measure *m, int64_t now)
{
	for (uint32_t i = 0; i < m->work->asked.n; i++) {
		const struct asked *a = audit_reftab_at(&m->work->asked, i);

		m->erasing.receipt.open++;
		due_count(&m->erasing.due, fate_now(a->due, now));
	}
}

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
	const int err = withdrawals_end(m);

	talks_open(m, now);
	waits_open(m);
	receipts_open(m, now);
	for (uint32_t i = 0; i < m->orgs.n; i++)
		of_sort(&m->of[i]);
	of_sort(&m->all);
	for (size_t i = 0; i < AUDIT_MEASURE_KINDS; i++)
		audit_spread_sort(&m->waited[i]);
	audit_spread_sort(&m->erasing.erased);
	audit_spread_sort(&m->erasing.receipt);
	return err;
}
