#include "adapters/common/deadlines.h"

#include "adapters/common/alarm.h"
#include "adapters/common/terms.h"
#include "adapters/common/timers.h"

#define RANK_TAKEN_UP 3
#define RANK_CONTACT 5
#define RANK_TALK 7
#define RANK_DECIDED 8

/* What this side knows: the desk in full, the practice what it was told. */
static const struct kl_progress *
own(const struct case_row *c)
{
	return c->mine != 0 ? &c->sent : &c->full;
}

static int
rank_of(const struct case_row *c)
{
	const struct kl_state_row *row = kl_state_row(own(c)->code);

	return row == NULL ? 0 : row->rank;
}

static int64_t
sooner(int64_t a_ms, int64_t b_ms)
{
	return a_ms < b_ms ? a_ms : b_ms;
}

static int64_t
later(int64_t a_ms, int64_t b_ms)
{
	return a_ms > b_ms ? a_ms : b_ms;
}

static int64_t
add(const struct deadlines_by *by, int64_t at_ms, enum kl_policy_key key)
{
	return kl_calendar_add(by->desk, at_ms,
	    kl_policy_term(by->policy, key));
}

/* A signed term, which a policy of today may only bring forward. */
static int64_t
signed_term(const struct case_row *c, const struct deadlines_by *by,
    int64_t signed_ms, enum kl_policy_key key)
{
	return c->sent_ms == 0 ? signed_ms :
	    sooner(signed_ms, add(by, c->sent_ms, key));
}

/* Of a reopened case all runs from then on. */
static int64_t
base_of(const struct case_row *c)
{
	return later(c->delivered_ms, c->reopened_ms);
}

/* ---- the terms ------------------------------------------------------- */

/* Will the practice hear of a state that level shows, until at_ms? */
static bool
hears(const struct case_row *c, uint32_t level, int64_t at_ms)
{
	return c->level >= level && c->feedback_ended == 0 &&
	    at_ms < kl_day_start_ms((int32_t)c->valid_until + 1);
}

/* 0 unless the practice will have heard by then. */
static int64_t
of_practice(const struct case_row *c, uint32_t level, int64_t due_ms)
{
	due_ms += DEADLINES_PRACTICE_AFTER_MS;
	return hears(c, level, due_ms) ? due_ms : 0;
}

static int64_t
pickup_due(const struct case_row *c, const struct deadlines_by *by)
{
	const enum kl_policy_key sender = c->crisis != 0 ?
	    KL_POL_CRISIS_PICKUP_ALARM_SENDER : KL_POL_PICKUP_ALARM_SENDER;
	const enum kl_policy_key receiver = c->crisis != 0 ?
	    KL_POL_CRISIS_PICKUP_ALARM_RECEIVER :
	    KL_POL_PICKUP_ALARM_RECEIVER;

	if (c->mine == 0)
		return c->seen_ms != 0 || c->taken_up_ms != 0 ? 0 :
		    add(by, c->delivered_ms, receiver);
	if (c->delivered_ms != 0)
		return 0;
	return c->deliver_by_ms == 0 ? add(by, c->created_ms, sender) :
	    signed_term(c, by, c->deliver_by_ms, sender);
}

static int64_t
take_up_due(const struct case_row *c, const struct deadlines_by *by)
{
	int64_t due_ms;

	if (c->answer_by_ms == 0 || c->delivered_ms == 0 ||
	    c->taken_up_ms != 0)
		return 0;
	due_ms = signed_term(c, by, c->answer_by_ms, c->crisis != 0 ?
	    KL_POL_CRISIS_TAKE_UP_TERM : KL_POL_TAKE_UP_TERM);
	due_ms = later(due_ms, c->reopened_ms);
	return c->mine == 0 ? due_ms : of_practice(c, KL_LEVEL_1, due_ms);
}

static int64_t
contact_due(const struct case_row *c, const struct deadlines_by *by)
{
	int64_t due_ms;

	if (c->delivered_ms == 0 || c->contact_ms != 0)
		return 0;
	due_ms = add(by, base_of(c), c->crisis != 0 ?
	    KL_POL_CRISIS_FIRST_CONTACT_TERM : KL_POL_FIRST_CONTACT_TERM);
	return c->mine == 0 ? due_ms : of_practice(c, KL_LEVEL_2, due_ms);
}

static int64_t
talk_due(const struct case_row *c, const struct deadlines_by *by)
{
	return c->mine != 0 || c->talk_ms != 0 ? 0 : add(by, base_of(c),
	    c->crisis != 0 ? KL_POL_CRISIS_FIRST_TALK_TERM :
	    KL_POL_FIRST_TALK_TERM);
}

static int64_t
decision_due(const struct case_row *c, const struct deadlines_by *by)
{
	return c->mine != 0 || c->talk_ms == 0 || c->decided_ms != 0 ? 0 :
	    add(by, later(c->talk_ms, c->reopened_ms), KL_POL_DECISION_TERM);
}

static int64_t
news_due(const struct case_row *c, const struct deadlines_by *by)
{
	int64_t due_ms;

	if (c->delivered_ms == 0)
		return 0;
	due_ms = add(by, later(base_of(c), c->news_ms),
	    KL_POL_SILENCE_REMINDER);
	return c->mine == 0 ? due_ms : of_practice(c, KL_LEVEL_1, due_ms);
}

static const struct row {
	enum engine_alarm_kind alarm;
	int64_t (*due)(const struct case_row *c,
	    const struct deadlines_by *by);
} rows[DEADLINES] = {
	[DEADLINE_PICKUP] = { ENGINE_AL_NOT_COLLECTED, pickup_due },
	[DEADLINE_TAKE_UP] = { ENGINE_AL_NOT_TAKEN_UP, take_up_due },
	[DEADLINE_CONTACT] = { ENGINE_AL_NO_CONTACT, contact_due },
	[DEADLINE_TALK] = { ENGINE_AL_NO_TALK, talk_due },
	[DEADLINE_DECISION] = { ENGINE_AL_NO_DECISION, decision_due },
	[DEADLINE_NEWS] = { ENGINE_AL_NO_NEWS, news_due },
};

int64_t
deadlines_due(const struct case_row *c, const struct deadlines_by *by,
    enum deadline d)
{
	return !cases_open(c) || c->husk != 0 ? 0 : rows[d].due(c, by);
}

uint32_t
deadlines_alarm(enum deadline d)
{
	return rows[d].alarm;
}

/* ---- what has happened ----------------------------------------------- */

/* The day that the last feedback names, but not after now. */
static int64_t
told_at(const struct turn *t, const struct case_row *c)
{
	const int32_t day = own(c)->last.day;

	return day == 0 ? t->now_ms : sooner(t->now_ms,
	    kl_calendar_instant_ms(kl_day_start_ms(day)));
}

static void
note_once(int64_t *at_ms, bool happened, int64_t when_ms)
{
	if (happened && *at_ms == 0)
		*at_ms = when_ms;
}

static void
note_reopened(const struct turn *t, struct case_row *c)
{
	if (cases_open(c) && c->closed != 0)
		c->reopened_ms = t->now_ms;
}

static void
note(const struct turn *t, struct case_row *c)
{
	const int rank = rank_of(c);
	const int64_t at_ms = told_at(t, c);

	note_reopened(t, c);
	if (own(c)->steps != c->told_steps) {
		c->told_steps = own(c)->steps;
		c->news_ms = t->now_ms;
	}
	note_once(&c->taken_up_ms, rank >= RANK_TAKEN_UP &&
	    own(c)->code != KL_ST_DELIVERED, at_ms);
	note_once(&c->contact_ms, rank >= RANK_CONTACT, at_ms);
	note_once(&c->talk_ms, rank >= RANK_TALK, at_ms);
	note_once(&c->decided_ms, rank >= RANK_DECIDED, at_ms);
}

/* ---- alarms ---------------------------------------------------------- */

static int
by_of(struct turn *t, const struct case_row *c, struct kl_calendar *desk,
    struct deadlines_by *out)
{
	*out = (struct deadlines_by){ t->policy, desk };
	return terms_calendar(t, c->mine != 0 ? &c->peer : &t->id->id, desk);
}

/* Is the alarm of before answered? A reminder is, by any news. */
static bool
answered(const struct turn *t, enum deadline d, int64_t due_ms)
{
	return due_ms == 0 || (d == DEADLINE_NEWS && due_ms > t->now_ms);
}

static int
review_one(struct turn *t, struct case_row *c, enum deadline d,
    int64_t due_ms)
{
	const uint32_t bit = UINT32_C(1) << d;

	if ((c->raised & bit) != 0 && answered(t, d, due_ms)) {
		int r = alarm_close(t, rows[d].alarm, &c->conv);

		if (r != KL_OK)
			return r;
		c->raised &= ~bit;
	}
	return due_ms == 0 || (c->raised & bit) != 0 ? KL_OK :
	    timers_put(t->store, due_ms, TIMER_TERM, c->conv.b);
}

int
deadlines_review(struct turn *t, struct case_row *c)
{
	struct kl_calendar desk;
	struct deadlines_by by;
	int r = by_of(t, c, &desk, &by);

	note(t, c);
	for (enum deadline d = 0; d < DEADLINES && r == KL_OK; d++)
		r = review_one(t, c, d, deadlines_due(c, &by, d));
	return r;
}

static int
raise_one(struct turn *t, struct case_row *c, enum deadline d)
{
	c->raised |= UINT32_C(1) << d;
	return alarm_open(t, rows[d].alarm, 0, &c->conv);
}

/* The first n of them that pass until until_ms. */
static int
raise_due(struct turn *t, struct case_row *c, int64_t until_ms,
    enum deadline n)
{
	struct kl_calendar desk;
	struct deadlines_by by;
	int r = by_of(t, c, &desk, &by);

	for (enum deadline d = 0; d < n && r == KL_OK; d++) {
		const int64_t due_ms = deadlines_due(c, &by, d);

		if (due_ms != 0 && due_ms <= until_ms &&
		    (c->raised & UINT32_C(1) << d) == 0)
			r = raise_one(t, c, d);
	}
	return r;
}

int
deadlines_timer(struct turn *t, const struct kl_conv_id *conv)
{
	struct case_row c;
	int r = cases_get(t, conv, &c);

	if (r != KL_OK)
		return r == KL_E_NOT_FOUND ? KL_OK : r;
	if ((r = raise_due(t, &c, t->now_ms, DEADLINES)) != KL_OK ||
	    (r = deadlines_review(t, &c)) != KL_OK)
		return r;
	return cases_put(t, &c);
}

int
deadlines_notice(struct turn *t, struct case_row *c)
{
	/* Clocks may differ, and the practice would wait an hour. */
	return raise_due(t, c, t->now_ms + TURN_CLOCK_REFUSE_MS +
	    DEADLINES_PRACTICE_AFTER_MS, DEADLINE_CONTACT);
}
