#include "adapters/common/retention.h"

#include <string.h>

#include <kortelijn/host/slots.h>

#include "adapters/common/access.h"
#include "adapters/common/alarm.h"
#include "adapters/common/outbox_time.h"
#include "adapters/common/timers.h"

#define QUIET_MS (KL_POLICY_UNCERTAIN_LEVEL0_DAYS * KL_DAY_MS)
#define ANNOUNCED_MS (KL_POLICY_DESK_NOTICE_DAYS * KL_DAY_MS)

enum part {
	DRAFT, CONTENT, ANNOUNCE, COPY, MAP,
	PARTS,
};

static int64_t
later(int64_t a_ms, int64_t b_ms)
{
	return a_ms > b_ms ? a_ms : b_ms;
}

/* 0 is no time. */
static int64_t
sooner(int64_t a_ms, int64_t b_ms)
{
	return a_ms == 0 || (b_ms != 0 && b_ms < a_ms) ? b_ms : a_ms;
}

/* ---- the end --------------------------------------------------------- */

/* From when on nothing may be told any more; 0: not foreseen. */
static int64_t
feedback_over(const struct case_row *c)
{
	const int64_t until_ms = c->valid_until == 0 ? 0 :
	    kl_day_start_ms((int32_t)c->valid_until + 1);

	return sooner(c->feedback_over_ms, until_ms);
}

/* A practice hears nothing more. A desk may still be at work without telling
 * anybody: it counts from what it last noted. */
static int64_t
quiet_from(const struct case_row *c)
{
	const int64_t over_ms = feedback_over(c);
	const bool level0 = c->level == KL_LEVEL_0;

	if (c->delivered_ms == 0)
		return 0;
	if (c->mine != 0)
		return sooner(over_ms, level0 ? c->delivered_ms + QUIET_MS :
		    0);
	if (!level0 && over_ms == 0)
		return 0;
	return later(later(c->delivered_ms, c->news_ms),
	    level0 ? 0 : over_ms) + QUIET_MS;
}

/* Since when the conversation counts as ended, or will. */
static int64_t
end_of(const struct case_row *c, const struct kl_policy *p)
{
	const int64_t from_ms = c->sent_ms != 0 ? c->sent_ms : c->created_ms;
	const int64_t max_ms = from_ms + kl_policy_ms(p, KL_POL_METADATA_MAX);

	return sooner(c->ended_ms, sooner(quiet_from(c), max_ms));
}

static bool
uncertain(const struct case_row *c)
{
	return c->mine != 0 && c->sent.code == KL_ST_UNCERTAIN;
}

static void
note_end(const struct turn *t, struct case_row *c)
{
	if (cases_open(c) && !uncertain(c))
		c->ended_ms = 0;
	else if (c->ended_ms == 0)
		c->ended_ms = t->now_ms;
	if (c->feedback_ended == 0)
		c->feedback_over_ms = 0;
	else if (c->feedback_over_ms == 0)
		c->feedback_over_ms = t->now_ms;
}

/* ---- the times ------------------------------------------------------- */

static bool
never_sealed(const struct case_row *c)
{
	return c->mine != 0 && c->husk == 0 && cases_open(c) &&
	    c->sent.code == KL_ST_DRAFT &&
	    kl_bytes_zero(KL_BYTES_OF(c->referral_msg));
}

static int64_t
content_due(const struct case_row *c, const struct kl_policy *p)
{
	if (c->slot_content == KL_SLOT_NONE || c->ended_ms == 0)
		return 0;
	if (c->mine != 0)
		return c->pending != 0 ? 0 :
		    c->ended_ms + (uncertain(c) ? OUTBOX_PLAIN_MS : 0);
	return c->handed_ms == 0 ? 0 : later(c->ended_ms, c->handed_ms +
	    kl_policy_ms(p, KL_POL_DESK_COPY_AFTER_EXPORT));
}

/* Of a desk not before it was announced for so long, whatever a new policy
 * says. */
static int64_t
copy_due(const struct case_row *c)
{
	if (c->mine != 0)
		return c->mapped != 0 ? 0 : c->copy_until_ms;
	return c->announced_ms == 0 ? 0 :
	    later(c->copy_until_ms, c->announced_ms + ANNOUNCED_MS);
}

/* When a part is erased or, for ANNOUNCE, announced; 0: it is not, or not
 * yet. By the times that retention_review wrote. */
static int64_t
due_of(const struct case_row *c, const struct kl_policy *p, enum part part)
{
	switch (part) {
	case DRAFT:
		return never_sealed(c) ? c->created_ms +
		    kl_policy_ms(p, KL_POL_DRAFT_MAX_AGE) : 0;
	case CONTENT:
		return content_due(c, p);
	case ANNOUNCE:
		return c->mine != 0 || c->announced_ms != 0 ? 0 :
		    later(1, c->copy_until_ms - ANNOUNCED_MS);
	case COPY:
		return copy_due(c);
	case MAP:
		return c->mine != 0 ? c->map_until_ms : 0;
	default:
		return 0;
	}
}

/* Times of another end do not count for this one; of the same one only
 * earlier ones do. */
static int
count(struct turn *t, struct case_row *c)
{
	const int64_t end_ms = end_of(c, t->policy);

	if (end_ms != c->kept_from_ms) {
		c->kept_from_ms = end_ms;
		c->copy_until_ms = c->map_until_ms = 0;
		c->announced_ms = 0;
	}
	c->copy_until_ms = sooner(c->copy_until_ms, end_ms +
	    kl_policy_ms(t->policy, c->mine != 0 ?
	    KL_POL_PRACTICE_COPY_AFTER_END : KL_POL_DESK_COPY_AFTER_END));
	c->map_until_ms = sooner(c->map_until_ms, end_ms +
	    kl_policy_ms(t->policy, KL_POL_PATIENT_MAP_AFTER_END));
	return c->announced_ms != 0 ? KL_OK :
	    alarm_close(t, ENGINE_AL_COPY_ENDS, &c->conv);
}

int
retention_review(struct turn *t, struct case_row *c)
{
	int64_t due_ms = 0;
	int r;

	note_end(t, c);
	if ((r = count(t, c)) != KL_OK)
		return r;
	for (enum part i = 0; i < PARTS; i++)
		due_ms = sooner(due_ms, due_of(c, t->policy, i));
	return timers_put(t->store, due_ms, TIMER_COPY, c->conv.b);
}

/* ---- what is done then ----------------------------------------------- */

static bool
is_due(const struct turn *t, const struct case_row *c, enum part part)
{
	const int64_t due_ms = due_of(c, t->policy, part);

	return due_ms != 0 && due_ms <= t->now_ms;
}

/* The log names it while it is known what the case is called. */
static int
begin_erase(struct outbox *o, struct turn *t, struct case_row *c)
{
	const struct engine_actor self = { .interface = ENGINE_SELF };
	int r = access_log(t, &self, ENGINE_WIPED, &c->conv);

	return r != KL_OK ? r : outbox_time_forget(o, t, c);
}

static int
forget(struct outbox *o, struct turn *t, struct case_row *c)
{
	int r = begin_erase(o, t, c);

	return r != KL_OK ? r : cases_forget(t, c);
}

static int
reduce(struct outbox *o, struct turn *t, struct case_row *c)
{
	int r = begin_erase(o, t, c);

	return r != KL_OK ? r : cases_reduce(t, c);
}

/* What is left of the case goes on in *c; *gone: nothing is. */
static int
do_due(struct outbox *o, struct turn *t, struct case_row *c, bool *gone)
{
	int r = KL_OK;

	*gone = is_due(t, c, MAP) || (c->mine == 0 && is_due(t, c, COPY));
	if (*gone)
		return forget(o, t, c);
	if (is_due(t, c, DRAFT))
		r = outbox_time_draft(o, t, c);
	if (r == KL_OK && is_due(t, c, CONTENT))
		r = cases_content_erase(t, c);
	if (r == KL_OK && is_due(t, c, COPY))
		r = reduce(o, t, c);
	if (r == KL_OK && is_due(t, c, ANNOUNCE)) {
		c->announced_ms = t->now_ms;
		r = alarm_open(t, ENGINE_AL_COPY_ENDS, 0, &c->conv);
	}
	return r;
}

int
retention_timer(struct outbox *o, struct turn *t,
    const struct kl_conv_id *conv)
{
	struct case_row c;
	bool gone;
	int r = cases_get(t, conv, &c);

	if (r != KL_OK)
		return r == KL_E_NOT_FOUND ? KL_OK : r;
	if ((r = count(t, &c)) != KL_OK ||
	    (r = do_due(o, t, &c, &gone)) != KL_OK || gone)
		return r;
	r = retention_review(t, &c);
	return r != KL_OK ? r : cases_put(t, &c);
}

int
retention_sweep(struct turn *t, uint64_t *after)
{
	struct case_row c, before;
	int r = KL_OK;

	for (int i = 0; i < RETENTION_SWEEP_MAX; i++) {
		size_t mark = kl_arena_mark(t->mem);

		r = cases_next(t, *after, &c);
		kl_arena_release(t->mem, mark);
		if (r != KL_OK)
			break;
		*after = c.number;
		before = c;
		if ((r = cases_note_end(t, &c)) != KL_OK ||
		    (memcmp(&before, &c, sizeof c) != 0 &&
		    (r = cases_put(t, &c)) != KL_OK))
			return r;
	}
	if (r == KL_E_NOT_FOUND)
		*after = 0;
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}
