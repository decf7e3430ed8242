#include <kortelijn/domain/feedback.h>

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/list.h>

/* A day before it is a slip of the keyboard or an unset clock. */
#define FIRST_DAY 10957		/* 2000-01-01 */

struct part {
	const char *field;
	uint32_t value;
	enum kl_list list;
	bool belongs;		/* to this code */
	uint32_t level_min;
};

static void
parts_of(const struct kl_feedback *f, struct part out[3])
{
	out[0] = (struct part){
		"category", f->category, KL_LIST_CATEGORY,
		f->code == KL_ST_REFERRED_ON ||
		f->code == KL_ST_REFERRED_ON_KEEPING_LEAD, KL_LEVEL_2,
	};
	out[1] = (struct part){
		"ground", f->ground, KL_LIST_GROUND,
		f->code == KL_ST_NOT_TAKEN_ON, KL_LEVEL_1,
	};
	out[2] = (struct part){
		"wanted", f->wanted, KL_LIST_WANTED,
		f->code == KL_ST_CONTACT_DETAILS_WANTED, KL_LEVEL_1,
	};
}

static uint32_t
check_part(const struct part *p, uint32_t level)
{
	bool due = p->belongs && (level == 0 || level >= p->level_min);

	if (p->value == 0)
		return due ? KL_C_FIELD_MISSING : KL_C_OK;
	if (!due)
		return KL_C_FIELDS_DISAGREE;
	if (kl_list_item(p->list, p->value) == NULL)
		return KL_C_FIELD_VALUE;
	return KL_C_OK;
}

static uint32_t
check_code(const struct kl_feedback *f, uint32_t schema)
{
	const struct kl_state_row *row = kl_state_row(f->code);

	if (row == NULL || row->system)
		return KL_C_FIELD_VALUE;
	if (row->since > schema)
		return KL_C_SCHEMA;
	if (f->level != 0 && row->level > f->level)
		return KL_C_LEVEL;
	return KL_C_OK;
}

static int32_t
last_day(void)
{
	return kl_day_of(KL_TIME_MAX_MS);
}

uint32_t
kl_feedback_check(const struct kl_feedback *f, uint32_t schema,
    const char **field)
{
	struct part parts[3];
	const char *name = "code";
	uint32_t c = check_code(f, schema);

	parts_of(f, parts);
	for (size_t i = 0; i < 3 && c == KL_C_OK; i++) {
		name = parts[i].field;
		c = check_part(&parts[i], f->level);
	}
	if (c == KL_C_OK && (f->day < FIRST_DAY || f->day > last_day())) {
		name = "date";
		c = KL_C_FIELD_VALUE;
	}
	if (c == KL_C_OK && f->level > KL_LEVEL_3) {
		name = "level";
		c = KL_C_FIELD_VALUE;
	}
	if (field != NULL)
		*field = c == KL_C_OK ? "" : name;
	return c;
}

bool
kl_feedback_collapse(const struct kl_feedback *full, uint32_t level,
    uint32_t schema, struct kl_feedback *out)
{
	uint32_t code = kl_state_collapse(full->code, level, schema);
	struct part parts[3];

	memset(out, 0, sizeof *out);
	if (code == 0 || !kl_state_sendable(code))
		return false;
	*out = *full;
	out->code = code;
	out->level = level;
	parts_of(out, parts);
	if (!parts[0].belongs || level < parts[0].level_min)
		out->category = 0;
	if (!parts[1].belongs || level < parts[1].level_min)
		out->ground = 0;
	if (!parts[2].belongs || level < parts[2].level_min)
		out->wanted = 0;
	return true;
}

bool
kl_feedback_same(const struct kl_feedback *last,
    const struct kl_feedback *next, bool corrected)
{
	if (last->code == 0 || last->code != next->code ||
	    last->category != next->category ||
	    last->ground != next->ground || last->wanted != next->wanted)
		return false;
	/* No other code may follow itself, with or without a CORRECTION. */
	return !(corrected && next->code == KL_ST_CONTACT_DETAILS_WANTED);
}

void
kl_progress_init(struct kl_progress *p, uint32_t code, uint32_t level)
{
	memset(p, 0, sizeof *p);
	p->code = code;
	p->milestone = KL_MS_NONE;
	p->level = level;
}

static struct kl_step
step_of(const struct kl_progress *p)
{
	return (struct kl_step){
		.milestone = (enum kl_milestone)p->milestone,
		.level = p->level,
		.reopened = p->reopened,
		.corrected = p->corrected,
	};
}

uint32_t
kl_progress_may_step(const struct kl_progress *p, const struct kl_feedback *f)
{
	struct kl_step s = step_of(p);
	uint32_t c = kl_feedback_check(f, KL_SCHEMA_MAX, NULL);

	if (c != KL_C_OK)
		return c;
	/* Feedback answers what was delivered; before that only the receipt
	 * speaks. */
	if (p->code == KL_ST_DRAFT || p->code == KL_ST_SENT ||
	    p->code == KL_ST_UNCERTAIN)
		return KL_C_STATE;
	s.other_wanted = f->wanted != p->last.wanted;
	if (!kl_state_in_table(p->code, f->code, &s))
		return KL_C_STATE;
	return kl_state_may_follow(p->code, f->code, &s) ? KL_C_OK :
	    KL_C_MILESTONE;
}

static void
enter(struct kl_progress *p, uint32_t code)
{
	if (p->code == KL_ST_NOT_REACHED) {
		p->reopened = true;
		p->milestone = KL_MS_NONE;
		/* The same end may come a second time, and is news then. */
		memset(&p->last, 0, sizeof p->last);
	}
	if (kl_state_sendable(code))
		p->milestone = kl_state_milestone(code,
		    (enum kl_milestone)p->milestone);
	p->code = code;
	p->corrected = false;
}

uint32_t
kl_progress_step(struct kl_progress *p, const struct kl_feedback *f)
{
	uint32_t c = kl_progress_may_step(p, f);

	if (c != KL_C_OK)
		return c;
	enter(p, f->code);
	p->last = *f;
	p->steps++;
	return KL_C_OK;
}

static bool
open_at_desk(uint32_t code)
{
	const struct kl_state_row *row = kl_state_row(code);

	return row != NULL && row->rank >= 2;
}

uint32_t
kl_progress_event(struct kl_progress *p, uint32_t code)
{
	struct kl_step s = step_of(p);
	const struct kl_state_row *row = kl_state_row(code);

	if (row == NULL || (!row->system && code != KL_ST_NOT_TAKEN_ON))
		return KL_C_STATE;
	if (code == KL_ST_DELIVERED && open_at_desk(p->code))
		return KL_C_OK;
	if (!kl_state_may_follow(p->code, code, &s))
		return KL_C_STATE;
	enter(p, code);
	return KL_C_OK;
}

uint32_t
kl_progress_correct(struct kl_progress *p)
{
	const struct kl_state_row *row = kl_state_row(p->code);
	bool open = row != NULL && row->rank >= 1 &&
	    p->code != KL_ST_UNCERTAIN;

	if (!open && (p->code != KL_ST_NOT_REACHED || p->reopened))
		return KL_C_STATE;
	p->corrected = true;
	return KL_C_OK;
}

static size_t
distinct(const struct kl_attempt *a, size_t n, bool by_kind)
{
	uint32_t seen = 0;
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t v = by_kind ? a[i].kind : a[i].part_of_day;

		if (v == 0 || v > 31 || (seen & (1u << v)) != 0)
			continue;
		seen |= 1u << v;
		count++;
	}
	return count;
}

bool
kl_attempts_enough(const struct kl_attempt *a, size_t n,
    const struct kl_attempt_limits *limits, size_t kinds_permitted)
{
	size_t kinds = limits->kinds < kinds_permitted ? limits->kinds :
	    kinds_permitted;

	return n >= limits->attempts &&
	    distinct(a, n, false) >= limits->dayparts &&
	    distinct(a, n, true) >= kinds;
}
