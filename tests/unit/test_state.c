#include <kortelijn/domain/feedback.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/list.h>

#define TODAY 20781		/* 2026-11-24 */

static struct kl_feedback
full(uint32_t code)
{
	struct kl_feedback f = { .code = code, .day = TODAY };

	if (code == KL_ST_REFERRED_ON ||
	    code == KL_ST_REFERRED_ON_KEEPING_LEAD)
		f.category = KL_CAT_VOLUNTEERS;
	if (code == KL_ST_NOT_TAKEN_ON)
		f.ground = KL_GROUND_WRONG_DESK;
	if (code == KL_ST_CONTACT_DETAILS_WANTED)
		f.wanted = KL_WANTED_PHONE;
	return f;
}

static uint32_t
step(struct kl_progress *p, uint32_t code)
{
	struct kl_feedback f = full(code);

	return kl_progress_step(p, &f);
}

static struct kl_progress
walk(const uint32_t *codes, size_t n)
{
	struct kl_progress p;

	kl_progress_init(&p, KL_ST_DELIVERED, 0);
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(step(&p, codes[i]), KL_C_OK);
	return p;
}

#define WALK(...) \
	walk((const uint32_t[]){ __VA_ARGS__ }, \
	    sizeof (uint32_t[]){ __VA_ARGS__ } / sizeof (uint32_t))

/* ---- the table itself ---- */

START_TEST(codes_are_numbered_from_one_without_gaps)
{
	size_t n = 0;

	while (kl_state_at(n) != NULL)
		n++;
	for (uint32_t c = 1; c <= n; c++) {
		const struct kl_state_row *r = kl_state_row(c);

		ck_assert_ptr_nonnull(r);
		ck_assert_uint_eq(kl_state_read(r->name), c);
		ck_assert(r->nl[0] != '\0' && r->en[0] != '\0');
		ck_assert(r->gp_nl[0] != '\0' && r->desk_nl[0] != '\0');
		ck_assert(r->term[0] != '\0' && r->task[0] != '\0');
	}
	ck_assert_ptr_null(kl_state_row(0));
	ck_assert_ptr_null(kl_state_row((uint32_t)n + 1));
}
END_TEST

START_TEST(unknown_codes_have_no_name_and_no_place)
{
	struct kl_step s = { .milestone = KL_MS_NONE };

	ck_assert_str_eq(kl_state_name(99), "?");
	ck_assert_uint_eq(kl_state_read("no_such_state"), 0);
	ck_assert_uint_eq(kl_state_since(99), 0);
	ck_assert(!kl_state_end(99));
	ck_assert(!kl_state_sendable(99));
	ck_assert(!kl_state_may_follow(KL_ST_DELIVERED, 99, &s));
	ck_assert(!kl_state_may_follow(99, KL_ST_CLOSED, &s));
}
END_TEST

START_TEST(milestones_rise_and_end)
{
	const struct kl_step s = { .milestone = KL_MS_NONE };

	ck_assert(kl_milestone_may_follow(KL_MS_NONE, KL_MS_RETURNED));
	ck_assert(kl_milestone_may_follow(KL_MS_TAKEN_UP, KL_MS_RETURNED));
	ck_assert(!kl_milestone_may_follow(KL_MS_IN_PROGRESS,
	    KL_MS_RETURNED));
	ck_assert(!kl_milestone_may_follow(KL_MS_IN_PROGRESS,
	    KL_MS_TAKEN_UP));
	for (int after = KL_MS_NONE; after <= KL_MS_RETURNED; after++) {
		ck_assert(!kl_milestone_may_follow(KL_MS_ENDED,
		    (enum kl_milestone)after));
		ck_assert(!kl_milestone_may_follow(KL_MS_RETURNED,
		    (enum kl_milestone)after));
	}
	/* A code that is not in the list is no step. */
	ck_assert_int_eq(kl_state_milestone(999, KL_MS_IN_PROGRESS),
	    KL_MS_IN_PROGRESS);
	ck_assert(!kl_state_in_table(KL_ST_DELIVERED, 999, &s));
	ck_assert(!kl_state_may_follow(KL_ST_DELIVERED, 999, &s));
	ck_assert(!kl_state_in_table(999, KL_ST_TAKEN_UP, &s));
}
END_TEST

START_TEST(collapse_targets_are_seen_at_a_lower_level)
{
	const struct kl_state_row *r, *to;

	for (size_t i = 0; (r = kl_state_at(i)) != NULL; i++) {
		if (r->collapse == 0)
			continue;
		to = kl_state_row(r->collapse);
		ck_assert_ptr_nonnull(to);
		ck_assert_uint_lt(to->level, r->level);
		ck_assert(!to->system);
	}
}
END_TEST

START_TEST(newer_codes_collapse_to_an_older_schema)
{
	const struct kl_state_row *r;

	for (size_t i = 0; (r = kl_state_at(i)) != NULL; i++) {
		uint32_t to = kl_state_collapse(r->code, KL_LEVEL_3, 1);

		ck_assert(r->level == 0 || r->system ||
		    kl_state_since(to) == 1);
	}
#if KL_SCHEMA_MAX >= 2
	ck_assert_uint_eq(kl_state_collapse(KL_ST_BUDGET_COURSE, KL_LEVEL_3,
	    1), KL_ST_HELP_STARTED);
	ck_assert_uint_eq(kl_state_collapse(KL_ST_BUDGET_COURSE, KL_LEVEL_3,
	    2), KL_ST_BUDGET_COURSE);
	ck_assert_uint_eq(kl_state_collapse(KL_ST_BUDGET_COURSE, KL_LEVEL_1,
	    1), KL_ST_TAKEN_UP);
#endif
}
END_TEST

START_TEST(collapse_goes_on_until_the_level_fits)
{
	ck_assert_uint_eq(kl_state_collapse(KL_ST_SETTLEMENT, KL_LEVEL_3, 1),
	    KL_ST_SETTLEMENT);
	ck_assert_uint_eq(kl_state_collapse(KL_ST_SETTLEMENT, KL_LEVEL_2, 1),
	    KL_ST_HELP_STARTED);
	ck_assert_uint_eq(kl_state_collapse(KL_ST_SETTLEMENT, KL_LEVEL_1, 1),
	    KL_ST_TAKEN_UP);
	ck_assert_uint_eq(kl_state_collapse(KL_ST_SETTLEMENT, KL_LEVEL_0, 1),
	    0);
	ck_assert_uint_eq(kl_state_collapse(KL_ST_NOT_ADMITTED, KL_LEVEL_2,
	    1), KL_ST_CLOSED);
	ck_assert_uint_eq(kl_state_collapse(KL_ST_DRAFT, KL_LEVEL_3, 1), 0);
}
END_TEST

START_TEST(only_not_reached_has_a_way_on_among_ends)
{
	const struct kl_state_row *from, *to;

	for (size_t i = 0; (from = kl_state_at(i)) != NULL; i++) {
		bool on = false;

		if (from->rank != KL_RANK_END)
			continue;
		for (size_t k = 0; (to = kl_state_at(k)) != NULL; k++)
			for (uint32_t l = 0; l <= KL_LEVEL_3; l++) {
				struct kl_step s = {
					.milestone = KL_MS_NONE, .level = l,
					.corrected = true,
					.other_wanted = true,
				};

				on = on || kl_state_may_follow(from->code,
				    to->code, &s);
			}
		ck_assert(on == (from->code == KL_ST_NOT_REACHED));
	}
}
END_TEST

START_TEST(every_state_is_reachable)
{
	bool seen[64] = { [KL_ST_DRAFT] = true };
	const struct kl_state_row *from, *to;
	struct kl_step s = { .milestone = KL_MS_NONE, .corrected = true };
	bool grew = true;

	while (grew) {
		grew = false;
		for (size_t i = 0; (from = kl_state_at(i)) != NULL; i++)
			for (size_t k = 0; seen[from->code] &&
			    (to = kl_state_at(k)) != NULL; k++)
				if (!seen[to->code] && kl_state_may_follow(
				    from->code, to->code, &s))
					grew = seen[to->code] = true;
	}
	for (size_t i = 0; (from = kl_state_at(i)) != NULL; i++)
		ck_assert_msg(seen[from->code], "%s", from->name);
}
END_TEST

/* ---- steps ---- */

START_TEST(usual_path_is_legal)
{
	struct kl_progress p;

	kl_progress_init(&p, KL_ST_DRAFT, 0);
	ck_assert_uint_eq(kl_progress_event(&p, KL_ST_SENT), KL_C_OK);
	ck_assert_uint_eq(kl_progress_event(&p, KL_ST_DELIVERED), KL_C_OK);
	for (uint32_t c = KL_ST_TAKEN_UP; c <= KL_ST_COMPLETED; c++)
		if (c != KL_ST_CONTACT_DETAILS_WANTED &&
		    c != KL_ST_CONTACT_ATTEMPTED &&
		    c != KL_ST_WAITING_WITH_SUPPORT &&
		    c != KL_ST_REFERRED_ON_KEEPING_LEAD)
			ck_assert_uint_eq(step(&p, c), KL_C_OK);
	ck_assert_uint_eq(p.milestone, KL_MS_ENDED);
	ck_assert_uint_eq(p.steps, 10);
}
END_TEST

START_TEST(forward_skips_are_legal_and_steps_back_are_not)
{
	struct kl_progress p = WALK(KL_ST_INTAKE_STARTED);

	ck_assert_uint_eq(step(&p, KL_ST_CONTACT_MADE), KL_C_STATE);
	ck_assert_uint_eq(step(&p, KL_ST_TAKEN_UP), KL_C_STATE);
	ck_assert_uint_eq(step(&p, KL_ST_INTAKE_STARTED), KL_C_STATE);
	ck_assert_uint_eq(p.code, KL_ST_INTAKE_STARTED);
	ck_assert_uint_eq(step(&p, KL_ST_AFTERCARE), KL_C_OK);
	ck_assert_uint_eq(step(&p, KL_ST_WAITING_WITH_SUPPORT), KL_C_OK);
	ck_assert_uint_eq(step(&p, KL_ST_HELP_STARTED), KL_C_OK);
}
END_TEST

START_TEST(contact_may_be_lost_again)
{
	struct kl_progress p = WALK(KL_ST_MEETING_PLANNED,
	    KL_ST_CONTACT_ATTEMPTED, KL_ST_CONTACT_DETAILS_WANTED);

	ck_assert_uint_eq(p.milestone, KL_MS_IN_PROGRESS);
	ck_assert_uint_eq(step(&p, KL_ST_TAKEN_UP), KL_C_MILESTONE);
	ck_assert_uint_eq(step(&p, KL_ST_NOT_TAKEN_ON), KL_C_MILESTONE);
	ck_assert_uint_eq(step(&p, KL_ST_CONTACT_MADE), KL_C_OK);
}
END_TEST

START_TEST(asking_for_details_counts_as_taken_up_at_least)
{
	struct kl_progress p = WALK(KL_ST_CONTACT_DETAILS_WANTED);

	ck_assert_uint_eq(p.milestone, KL_MS_TAKEN_UP);
	ck_assert_uint_eq(step(&p, KL_ST_NOT_TAKEN_ON), KL_C_OK);
	ck_assert_uint_eq(p.milestone, KL_MS_RETURNED);
}
END_TEST

START_TEST(details_are_asked_again_only_if_other_or_after_correction)
{
	struct kl_progress p = WALK(KL_ST_CONTACT_DETAILS_WANTED);
	struct kl_feedback f = full(KL_ST_CONTACT_DETAILS_WANTED);

	ck_assert_uint_eq(kl_progress_step(&p, &f), KL_C_STATE);
	f.wanted = KL_WANTED_ADDRESS;
	ck_assert_uint_eq(kl_progress_step(&p, &f), KL_C_OK);
	ck_assert_uint_eq(kl_progress_step(&p, &f), KL_C_STATE);
	ck_assert_uint_eq(kl_progress_correct(&p), KL_C_OK);
	ck_assert_uint_eq(kl_progress_step(&p, &f), KL_C_OK);
}
END_TEST

START_TEST(not_taken_on_only_before_help_begins)
{
	struct kl_progress p = WALK(KL_ST_TAKEN_UP);
	struct kl_progress q = WALK(KL_ST_CONTACT_MADE);

	ck_assert_uint_eq(step(&p, KL_ST_NOT_TAKEN_ON), KL_C_OK);
	ck_assert_uint_eq(step(&q, KL_ST_NOT_TAKEN_ON), KL_C_STATE);
	ck_assert_uint_eq(step(&p, KL_ST_TAKEN_UP), KL_C_STATE);
}
END_TEST

START_TEST(not_reached_opens_once)
{
	struct kl_progress p = WALK(KL_ST_HELP_STARTED, KL_ST_NOT_REACHED);

	ck_assert_uint_eq(step(&p, KL_ST_MEETING_PLANNED), KL_C_STATE);
	ck_assert_uint_eq(step(&p, KL_ST_TAKEN_UP), KL_C_STATE);
	ck_assert_uint_eq(step(&p, KL_ST_CONTACT_MADE), KL_C_OK);
	ck_assert_uint_eq(p.milestone, KL_MS_IN_PROGRESS);
	ck_assert_uint_eq(step(&p, KL_ST_NOT_REACHED), KL_C_OK);
	ck_assert_uint_eq(step(&p, KL_ST_CONTACT_MADE), KL_C_STATE);
	ck_assert_uint_eq(kl_progress_correct(&p), KL_C_STATE);
}
END_TEST

START_TEST(not_reached_opens_by_a_correction)
{
	struct kl_progress p = WALK(KL_ST_CONTACT_MADE, KL_ST_NOT_REACHED);
	struct kl_feedback f = full(KL_ST_NOT_REACHED);

	ck_assert_uint_eq(kl_progress_event(&p, KL_ST_DELIVERED),
	    KL_C_STATE);
	ck_assert_uint_eq(kl_progress_correct(&p), KL_C_OK);
	ck_assert_uint_eq(kl_progress_event(&p, KL_ST_DELIVERED), KL_C_OK);
	ck_assert_uint_eq(p.code, KL_ST_DELIVERED);
	ck_assert_uint_eq(p.milestone, KL_MS_NONE);
	/* The same end is news again. */
	ck_assert(!kl_feedback_same(&p.last, &f, p.corrected));
	ck_assert_uint_eq(step(&p, KL_ST_TAKEN_UP), KL_C_OK);
}
END_TEST

START_TEST(level_one_sees_a_reopening_as_taken_up)
{
	struct kl_progress p;
	struct kl_feedback f = full(KL_ST_NOT_REACHED), out;

	kl_progress_init(&p, KL_ST_DELIVERED, KL_LEVEL_1);
	ck_assert(kl_feedback_collapse(&f, KL_LEVEL_1, 1, &out));
	ck_assert_uint_eq(kl_progress_step(&p, &out), KL_C_OK);
	f = full(KL_ST_CONTACT_MADE);
	ck_assert(kl_feedback_collapse(&f, KL_LEVEL_1, 1, &out));
	ck_assert_uint_eq(out.code, KL_ST_TAKEN_UP);
	ck_assert_uint_eq(kl_progress_step(&p, &out), KL_C_OK);
}
END_TEST

START_TEST(feedback_waits_for_the_receipt)
{
	struct kl_progress p;

	kl_progress_init(&p, KL_ST_SENT, 0);
	ck_assert_uint_eq(step(&p, KL_ST_TAKEN_UP), KL_C_STATE);
	ck_assert_uint_eq(step(&p, KL_ST_NOT_TAKEN_ON), KL_C_STATE);
	ck_assert_uint_eq(kl_progress_event(&p, KL_ST_NOT_TAKEN_ON),
	    KL_C_OK);
}
END_TEST

START_TEST(uncertain_may_still_be_delivered_but_not_corrected)
{
	struct kl_progress p;

	kl_progress_init(&p, KL_ST_SENT, 0);
	ck_assert_uint_eq(kl_progress_event(&p, KL_ST_UNCERTAIN), KL_C_OK);
	ck_assert_uint_eq(kl_progress_correct(&p), KL_C_STATE);
	ck_assert_uint_eq(kl_progress_event(&p, KL_ST_EXPIRED), KL_C_STATE);
	ck_assert_uint_eq(kl_progress_event(&p, KL_ST_DELIVERED), KL_C_OK);
	ck_assert_uint_eq(kl_progress_event(&p, KL_ST_EXPIRED), KL_C_STATE);
}
END_TEST

START_TEST(withdrawal_ends_any_open_state_and_no_ended_one)
{
	const struct kl_state_row *r;

	for (size_t i = 0; (r = kl_state_at(i)) != NULL; i++) {
		struct kl_progress p;
		bool open = r->rank != KL_RANK_END && r->code != KL_ST_DRAFT;

		kl_progress_init(&p, r->code, 0);
		ck_assert_uint_eq(kl_progress_event(&p,
		    KL_ST_CONSENT_WITHDRAWN), open ? KL_C_OK : KL_C_STATE);
		kl_progress_init(&p, r->code, 0);
		ck_assert_uint_eq(kl_progress_event(&p,
		    KL_ST_SENT_IN_ERROR), open ? KL_C_OK : KL_C_STATE);
	}
}
END_TEST

START_TEST(events_are_not_feedback_and_feedback_no_event)
{
	struct kl_progress p = WALK(KL_ST_TAKEN_UP);

	ck_assert_uint_eq(kl_progress_event(&p, KL_ST_CONTACT_MADE),
	    KL_C_STATE);
	ck_assert_uint_eq(step(&p, KL_ST_CONSENT_WITHDRAWN),
	    KL_C_FIELD_VALUE);
	ck_assert_uint_eq(kl_progress_event(&p, 99), KL_C_STATE);
	/* A receipt for a CORRECTION in an open state. */
	ck_assert_uint_eq(kl_progress_event(&p, KL_ST_DELIVERED), KL_C_OK);
	ck_assert_uint_eq(p.code, KL_ST_TAKEN_UP);
}
END_TEST

/* ---- one feedback ---- */

START_TEST(check_names_what_is_wrong)
{
	static const struct {
		struct kl_feedback f;
		uint32_t code;
		const char *field;
	} cases[] = {
		{ { .code = KL_ST_TAKEN_UP, .day = TODAY }, KL_C_OK, "" },
		{ { .code = 0, .day = TODAY }, KL_C_FIELD_VALUE, "code" },
		{ { .code = 77, .day = TODAY }, KL_C_FIELD_VALUE, "code" },
		{ { .code = KL_ST_EXPIRED, .day = TODAY }, KL_C_FIELD_VALUE,
		  "code" },
		{ { .code = KL_ST_CONTACT_MADE, .day = TODAY,
		    .level = KL_LEVEL_1 }, KL_C_LEVEL, "code" },
		{ { .code = KL_ST_REFERRED_ON, .day = TODAY },
		  KL_C_FIELD_MISSING, "category" },
		{ { .code = KL_ST_REFERRED_ON, .day = TODAY,
		    .level = KL_LEVEL_1 }, KL_C_OK, "" },
		{ { .code = KL_ST_REFERRED_ON, .category = 99, .day = TODAY },
		  KL_C_FIELD_VALUE, "category" },
		{ { .code = KL_ST_TAKEN_UP, .category = 1, .day = TODAY },
		  KL_C_FIELDS_DISAGREE, "category" },
		{ { .code = KL_ST_NOT_TAKEN_ON, .ground = 1, .day = TODAY,
		    .level = KL_LEVEL_0 }, KL_C_FIELDS_DISAGREE, "ground" },
		{ { .code = KL_ST_NOT_TAKEN_ON, .day = TODAY,
		    .level = KL_LEVEL_0 }, KL_C_OK, "" },
		{ { .code = KL_ST_CONTACT_DETAILS_WANTED, .day = TODAY },
		  KL_C_FIELD_MISSING, "wanted" },
		{ { .code = KL_ST_TAKEN_UP, .day = 1 }, KL_C_FIELD_VALUE,
		  "date" },
		{ { .code = KL_ST_TAKEN_UP, .day = TODAY, .level = 9 },
		  KL_C_FIELD_VALUE, "level" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *field;

		ck_assert_uint_eq(kl_feedback_check(&cases[i].f, 1, &field),
		    cases[i].code);
		ck_assert_str_eq(field, cases[i].field);
	}
#if KL_SCHEMA_MAX >= 2
	struct kl_feedback f = full(KL_ST_BUDGET_COURSE);

	ck_assert_uint_eq(kl_feedback_check(&f, 1, NULL), KL_C_SCHEMA);
	ck_assert_uint_eq(kl_feedback_check(&f, 2, NULL), KL_C_OK);
#endif
}
END_TEST

START_TEST(collapse_drops_category_and_ground_below_their_level)
{
	struct kl_feedback f = full(KL_ST_REFERRED_ON), out;

	ck_assert(kl_feedback_collapse(&f, KL_LEVEL_2, 1, &out));
	ck_assert_uint_eq(out.category, KL_CAT_VOLUNTEERS);
	ck_assert(kl_feedback_collapse(&f, KL_LEVEL_1, 1, &out));
	ck_assert_uint_eq(out.category, 0);
	ck_assert(!kl_feedback_collapse(&f, KL_LEVEL_0, 1, &out));
	ck_assert_uint_eq(out.code, 0);
	f = full(KL_ST_NOT_TAKEN_ON);
	ck_assert(kl_feedback_collapse(&f, KL_LEVEL_1, 1, &out));
	ck_assert_uint_eq(out.ground, KL_GROUND_WRONG_DESK);
	ck_assert(kl_feedback_collapse(&f, KL_LEVEL_0, 1, &out));
	ck_assert_uint_eq(out.ground, 0);
	ck_assert_uint_eq(out.level, KL_LEVEL_0);
}
END_TEST

START_TEST(same_news_is_not_sent_twice)
{
	struct kl_feedback none = { 0 };
	struct kl_feedback a = full(KL_ST_CONTACT_DETAILS_WANTED), b = a;
	struct kl_feedback t = full(KL_ST_TAKEN_UP);

	b.day++;
	ck_assert(!kl_feedback_same(&none, &a, false));
	ck_assert(kl_feedback_same(&a, &b, false));
	ck_assert(!kl_feedback_same(&a, &b, true));
	ck_assert(kl_feedback_same(&t, &t, true));
	b.wanted = KL_WANTED_ADDRESS;
	ck_assert(!kl_feedback_same(&a, &b, false));
}
END_TEST

START_TEST(attempts_count_dayparts_and_kinds)
{
	const struct kl_attempt_limits lim = { 3, 2, 2 };
	struct kl_attempt a[] = {
		{ TODAY, KL_MORNING, KL_CONTACT_PHONE },
		{ TODAY + 1, KL_MORNING, KL_CONTACT_PHONE },
		{ TODAY + 2, KL_EVENING, KL_CONTACT_PHONE },
	};

	ck_assert(!kl_attempts_enough(a, 2, &lim, 1));
	ck_assert(kl_attempts_enough(a, 3, &lim, 1));
	ck_assert(!kl_attempts_enough(a, 3, &lim, 2));
	a[1].kind = KL_CONTACT_LETTER;
	ck_assert(kl_attempts_enough(a, 3, &lim, 2));
	a[2].part_of_day = KL_MORNING;
	ck_assert(!kl_attempts_enough(a, 3, &lim, 2));
}
END_TEST

/* ---- every walk, at every level ---- */

/* What the broker keeps of it, as PROTOCOL has it. */
struct broker {
	uint32_t milestone;
	bool reopened;
};

struct node {
	struct kl_progress full, sent;
	struct broker broker;
};

#define NODES_MAX (1u << 17)

struct search {
	struct node *nodes;
	uint32_t *slots;	/* index + 1, 0: free */
	size_t n;
	uint32_t level, schema;
};

static uint32_t
node_hash(const struct node *n)
{
	const unsigned char *p = (const unsigned char *)n;
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < sizeof *n; i++)
		h = (h ^ p[i]) * 16777619u;
	return h;
}

static void
visit(struct search *s, struct node n)
{
	uint32_t at;

	n.full.steps = n.sent.steps = 0;
	at = node_hash(&n) % (2 * NODES_MAX);
	while (s->slots[at] != 0) {
		if (memcmp(&s->nodes[s->slots[at] - 1], &n, sizeof n) == 0)
			return;
		at = (at + 1) % (2 * NODES_MAX);
	}
	ck_assert_uint_lt(s->n, NODES_MAX);
	s->nodes[s->n++] = n;
	s->slots[at] = (uint32_t)s->n;
}

/* The broker's rules 4.3.4, over the header alone. */
static bool
broker_takes(struct broker *b, uint32_t milestone, uint32_t level)
{
	if (level == KL_LEVEL_0 && milestone != KL_MS_RETURNED)
		return false;
	if (level == KL_LEVEL_1 && milestone == KL_MS_IN_PROGRESS)
		return false;
	if (b->milestone == KL_MS_ENDED) {
		if (b->reopened || (milestone != KL_MS_TAKEN_UP &&
		    milestone != KL_MS_IN_PROGRESS))
			return false;
		b->reopened = true;
	} else if (!kl_milestone_may_follow(
	    (enum kl_milestone)b->milestone, (enum kl_milestone)milestone)) {
		return false;
	}
	b->milestone = milestone;
	return true;
}

static void
try_feedback(struct search *s, struct node n, struct kl_feedback f)
{
	struct kl_feedback out;

	if (kl_progress_step(&n.full, &f) != KL_C_OK)
		return;
	if (kl_feedback_collapse(&f, s->level, s->schema, &out) &&
	    !kl_feedback_same(&n.sent.last, &out, n.sent.corrected)) {
		uint32_t before = n.sent.code;

		ck_assert_msg(kl_progress_step(&n.sent, &out) == KL_C_OK,
		    "level %u: %s after %s", s->level - 1,
		    kl_state_name(out.code), kl_state_name(before));
		ck_assert_msg(broker_takes(&n.broker, n.sent.milestone,
		    s->level), "level %u: broker refuses %s after %s",
		    s->level - 1, kl_state_name(out.code),
		    kl_state_name(before));
		if (s->level == KL_LEVEL_0)
			ck_assert_uint_eq(n.sent.milestone, KL_MS_RETURNED);
	}
	visit(s, n);
}

/* A CORRECTION is sent, opened, and its receipt comes back. */
static void
try_correction(struct search *s, struct node n)
{
	if (kl_progress_correct(&n.full) != KL_C_OK)
		return;
	ck_assert_uint_eq(kl_progress_correct(&n.sent), KL_C_OK);
	if (n.broker.milestone == KL_MS_ENDED) {
		ck_assert(!n.broker.reopened);
		n.broker = (struct broker){ KL_MS_NONE, true };
	}
	ck_assert_uint_eq(kl_progress_event(&n.full, KL_ST_DELIVERED),
	    KL_C_OK);
	ck_assert_uint_eq(kl_progress_event(&n.sent, KL_ST_DELIVERED),
	    KL_C_OK);
	visit(s, n);
}

static void
expand(struct search *s, struct node n)
{
	const struct kl_state_row *r;

	for (size_t i = 0; (r = kl_state_at(i)) != NULL; i++) {
		struct kl_feedback f = full(r->code);

		if (r->system)
			continue;
		try_feedback(s, n, f);
		if (f.wanted != 0)
			f.wanted = KL_WANTED_ADDRESS;
		if (f.category != 0)
			f.category = KL_CAT_CREDIT_BANK;
		try_feedback(s, n, f);
	}
	try_correction(s, n);
}

START_TEST(every_walk_is_legal_at_every_level)
{
	struct search s = { .level = (uint32_t)_i % 4 + 1,
		.schema = KL_SCHEMA_MIN + (uint32_t)_i / 4 };
	struct node first;

	s.nodes = calloc(NODES_MAX, sizeof *s.nodes);
	s.slots = calloc(2 * NODES_MAX, sizeof *s.slots);
	ck_assert(s.nodes != NULL && s.slots != NULL);
	memset(&first, 0, sizeof first);
	kl_progress_init(&first.full, KL_ST_DELIVERED, 0);
	kl_progress_init(&first.sent, KL_ST_DELIVERED, s.level);
	first.broker.milestone = KL_MS_NONE;
	visit(&s, first);
	for (size_t i = 0; i < s.n; i++)
		expand(&s, s.nodes[i]);
	ck_assert_uint_gt(s.n, 50);
	free(s.nodes);
	free(s.slots);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("state");
	TCase *tc = tcase_create("state");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, codes_are_numbered_from_one_without_gaps);
	tcase_add_test(tc, unknown_codes_have_no_name_and_no_place);
	tcase_add_test(tc, milestones_rise_and_end);
	tcase_add_test(tc, collapse_targets_are_seen_at_a_lower_level);
	tcase_add_test(tc, newer_codes_collapse_to_an_older_schema);
	tcase_add_test(tc, collapse_goes_on_until_the_level_fits);
	tcase_add_test(tc, only_not_reached_has_a_way_on_among_ends);
	tcase_add_test(tc, every_state_is_reachable);
	tcase_add_test(tc, usual_path_is_legal);
	tcase_add_test(tc, forward_skips_are_legal_and_steps_back_are_not);
	tcase_add_test(tc, contact_may_be_lost_again);
	tcase_add_test(tc, asking_for_details_counts_as_taken_up_at_least);
	tcase_add_test(tc,
	    details_are_asked_again_only_if_other_or_after_correction);
	tcase_add_test(tc, not_taken_on_only_before_help_begins);
	tcase_add_test(tc, not_reached_opens_once);
	tcase_add_test(tc, not_reached_opens_by_a_correction);
	tcase_add_test(tc, level_one_sees_a_reopening_as_taken_up);
	tcase_add_test(tc, feedback_waits_for_the_receipt);
	tcase_add_test(tc, uncertain_may_still_be_delivered_but_not_corrected);
	tcase_add_test(tc, withdrawal_ends_any_open_state_and_no_ended_one);
	tcase_add_test(tc, events_are_not_feedback_and_feedback_no_event);
	tcase_add_test(tc, check_names_what_is_wrong);
	tcase_add_test(tc,
	    collapse_drops_category_and_ground_below_their_level);
	tcase_add_test(tc, same_news_is_not_sent_twice);
	tcase_add_test(tc, attempts_count_dayparts_and_kinds);
	tcase_add_loop_test(tc, every_walk_is_legal_at_every_level, 0,
	    4 * (KL_SCHEMA_MAX - KL_SCHEMA_MIN + 1));
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
