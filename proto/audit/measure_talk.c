#include "proto/audit/measure_priv.h"

#include <kortelijn/base/time.h>

/* Each number stands twice: for all, and for the receiver. */
static struct audit_of *
both(struct audit_measure *m, uint32_t to, int k)
{
	return k == 0 ? &m->all : &m->of[to];
}

static int
step_at(struct audit_measure *m, struct measure_talk *t, enum audit_step step,
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

static void
due_answer(struct audit_measure *m, struct measure_talk *t,
    enum measure_fate fate)
{
	if (t->answer_due != 0 && !t->answered)
		for (int k = 0; k < 2; k++)
			audit_measure_count_due(&both(m, t->to, k)->answer,
			    fate);
	t->answered = true;
}

static void
due_deliver(struct audit_measure *m, const struct measure_talk *t,
    enum measure_fate fate)
{
	if (t->deliver_due != 0)
		for (int k = 0; k < 2; k++)
			audit_measure_count_due(&both(m, t->to, k)->deliver,
			    fate);
}

int
audit_measure_talk_begins(struct audit_measure *m, const struct kl_record *r,
    uint32_t to)
{
	struct measure_talk *t;
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

int
audit_measure_talk_collected(struct audit_measure *m, struct measure_talk *t,
    const struct kl_record *r)
{
	if (!t->done[AUDIT_COLLECTED]) {
		t->late = r->time_minute > t->deliver_due;
		due_deliver(m, t, t->late ? MEASURE_LATE : MEASURE_KEPT);
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
silent(const struct measure_talk *t)
{
	return t->untold || (t->done[AUDIT_COLLECTED] && !t->late &&
	    t->answer_due == 0 && !t->done[AUDIT_TAKEN_UP]);
}

/* What did not come yet, or will not come any more. */
static void
unmet(struct audit_measure *m, struct measure_talk *t, bool over)
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
referral_over(struct audit_measure *m, struct measure_talk *t,
    const struct kl_ref *conv)
{
	if (!t->done[AUDIT_COLLECTED])
		due_deliver(m, t, MEASURE_LAPSED);
	due_answer(m, t, MEASURE_LAPSED);
	unmet(m, t, true);
	audit_reftab_drop(&m->work->talks, conv->b);
}

int
audit_measure_talk_feedback(struct audit_measure *m,
    struct measure_talk *t, const struct kl_record *r)
{
	const uint32_t ms = r->milestone;
	int err = KL_OK;

	due_answer(m, t, r->time_minute <= t->answer_due ? MEASURE_KEPT :
	    MEASURE_LATE);
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

void
audit_measure_talk_fails(struct audit_measure *m, struct measure_talk *t,
    const struct kl_record *r)
{
	for (int k = 0; k < 2; k++) {
		struct audit_of *o = both(m, t->to, k);

		o->expired += r->event == KL_EV_EXPIRED;
		o->dead += r->event == KL_EV_DEAD;
	}
	referral_over(m, t, &r->conv_ref);
}

void
audit_measure_talk_withdrawn(struct audit_measure *m, struct measure_talk *t,
    const struct kl_record *r)
{
	for (int k = 0; k < 2; k++)
		both(m, t->to, k)->withdrawn++;
	referral_over(m, t, &r->conv_ref);
}

void
audit_measure_talk_open(struct audit_measure *m, int64_t now)
{
	for (uint32_t i = 0; i < m->work->talks.n; i++) {
		struct measure_talk *t = audit_reftab_at(&m->work->talks, i);

		if (!t->done[AUDIT_COLLECTED])
			due_deliver(m, t, audit_measure_count_fate(
			    t->deliver_due, now));
		due_answer(m, t, audit_measure_count_fate(t->answer_due, now));
		unmet(m, t, false);
	}
}
