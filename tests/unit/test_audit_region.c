#include "proto/audit/region.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>

#include "proto/audit/suppress.h"

#define BELOW 10
#define Q(year, q) (4 * (year) + (q) - 1)

static struct audit_region region;

static int64_t
minute_of(int year, int month, int day)
{
	return (kl_day_start_ms(kl_day_make(year, month, day)) +
	    12 * KL_HOUR_MS) / KL_MINUTE_MS;
}

static struct kl_id
org(char scheme, unsigned int number)
{
	char text[32];
	struct kl_id id;

	(void)snprintf(text, sizeof text, scheme == 'p' ? "agb:%08u" :
	    "oin:%020u", number);
	ck_assert_int_eq(kl_id_read(text, &id), KL_OK);
	return id;
}

static void
take(struct kl_record r, uint64_t leaf)
{
	ck_assert_int_eq(audit_region_take(&region, leaf, &r), KL_OK);
}

static struct kl_record
of(uint32_t event, uint32_t conv, unsigned int practice,
    unsigned int municipality, uint32_t kind)
{
	const bool back = kind == KL_FEEDBACK;
	struct kl_record r = { .version = 1, .event = event, .kind = kind,
		.org_from = back ? org('m', municipality) :
		    org('p', practice),
		.org_to = back ? org('p', practice) :
		    org('m', municipality),
		.actor_role = back ? KL_MUNICIPALITY : KL_PRACTICE };

	kl_be64_put(r.conv_ref.b, conv * UINT64_C(0x9e3779b97f4a7c15));
	return r;
}

static void
at(struct kl_record r, int year, int month, int day)
{
	r.time_minute = minute_of(year, month, day);
	take(r, 1);
}

/* The log begins on the first of July 2026. */
static void
begin(void)
{
	struct kl_record r = { .event = KL_EV_ORIGIN,
		.time_minute = minute_of(2026, 7, 1) };

	ck_assert_int_eq(audit_region_begin(&region), KL_OK);
	take(r, 0);
}

static struct audit_region_table
table(int32_t quarter)
{
	struct audit_region_table t;

	ck_assert_int_eq(audit_region_table(&region, quarter, BELOW, &t),
	    KL_OK);
	return t;
}

static const struct audit_region_row *
all(const struct audit_region_table *t)
{
	return &t->rows[t->municipalities + t->practices];
}

/* ---- tests ---- */

START_TEST(a_conversation_counts_once_for_each_step_in_its_quarter)
{
	struct audit_region_table t;
	struct kl_record r;

	begin();
	at(of(KL_EV_ACCEPTED, 1, 1, 1, KL_REFERRAL), 2026, 9, 30);
	at(of(KL_EV_ACCEPTED, 1, 1, 1, KL_REFERRAL), 2026, 9, 30);
	r = of(KL_EV_DELIVERED, 1, 1, 1, KL_REFERRAL);
	r.actor_role = KL_MUNICIPALITY;
	at(r, 2026, 10, 1);
	r = of(KL_EV_ACCEPTED, 1, 1, 1, KL_FEEDBACK);
	r.milestone = KL_MS_IN_PROGRESS;
	at(r, 2026, 10, 2);
	at(r, 2026, 10, 3);
	r.milestone = KL_MS_ENDED;
	at(r, 2027, 1, 2);
	r.milestone = KL_MS_IN_PROGRESS;
	at(r, 2027, 1, 3);
	audit_region_log_end(&region, minute_of(2027, 4, 1));
	t = table(Q(2026, 3));
	ck_assert_uint_eq(t.municipalities, 1);
	ck_assert_uint_eq(t.practices, 1);
	ck_assert_uint_eq(all(&t)->cells[AUDIT_REGION_REFERRED].n, 1);
	ck_assert_uint_eq(all(&t)->cells[AUDIT_REGION_COLLECTED].n, 0);
	free(t.rows);
	t = table(Q(2026, 4));
	ck_assert_uint_eq(all(&t)->cells[AUDIT_REGION_COLLECTED].n, 1);
	ck_assert_uint_eq(all(&t)->cells[AUDIT_REGION_TAKEN_UP].n, 1);
	ck_assert_uint_eq(all(&t)->cells[AUDIT_REGION_IN_PROGRESS].n, 1);
	free(t.rows);
	t = table(Q(2027, 1));
	ck_assert_uint_eq(all(&t)->cells[AUDIT_REGION_ENDED].n, 1);
	ck_assert_uint_eq(all(&t)->cells[AUDIT_REGION_IN_PROGRESS].n, 0);
	free(t.rows);
	audit_region_clear(&region);
}
END_TEST

START_TEST(an_onward_referral_is_not_one_of_a_practice)
{
	struct audit_region_table t;
	struct kl_record r;

	begin();
	at(of(KL_EV_ACCEPTED, 1, 1, 1, KL_REFERRAL), 2026, 8, 1);
	r = of(KL_EV_ACCEPTED, 2, 1, 1, KL_REFERRAL);
	r.org_from = org('m', 1);
	r.org_to = org('m', 2);
	r.actor_role = KL_MUNICIPALITY;
	at(r, 2026, 8, 2);
	audit_region_log_end(&region, minute_of(2026, 12, 1));
	t = table(Q(2026, 3));
	ck_assert_uint_eq(t.municipalities, 1);
	ck_assert_uint_eq(all(&t)->cells[AUDIT_REGION_REFERRED].n, 1);
	free(t.rows);
	audit_region_clear(&region);
}
END_TEST

START_TEST(withdrawn_returned_and_expired_end_a_conversation)
{
	static const uint32_t events[] = { KL_EV_CONSENT_WITHDRAWN,
		KL_EV_DEAD, KL_EV_EXPIRED };
	struct audit_region_table t;
	struct kl_record r;

	begin();
	for (uint32_t i = 0; i < 3; i++) {
		at(of(KL_EV_ACCEPTED, i, 1, 1, KL_REFERRAL), 2026, 8, 1);
		r = of(events[i], i, 1, 1, i == 0 ? 0 : KL_REFERRAL);
		at(r, 2026, 8, 2);
		at(r, 2026, 8, 3);
	}
	/* Of the feedback only: it goes on. */
	at(of(KL_EV_ACCEPTED, 9, 1, 1, KL_REFERRAL), 2026, 8, 1);
	at(of(KL_EV_CONSENT_WITHDRAWN, 9, 1, 1, KL_FEEDBACK), 2026, 8, 2);
	audit_region_log_end(&region, minute_of(2026, 12, 1));
	t = table(Q(2026, 3));
	ck_assert_uint_eq(all(&t)->cells[AUDIT_REGION_WITHDRAWN].n, 1);
	ck_assert_uint_eq(all(&t)->cells[AUDIT_REGION_RETURNED].n, 1);
	ck_assert_uint_eq(all(&t)->cells[AUDIT_REGION_EXPIRED].n, 1);
	free(t.rows);
	audit_region_clear(&region);
}
END_TEST

START_TEST(what_was_presented_after_a_loss_was_referred_before)
{
	struct audit_region_table t;
	struct kl_record r;

	begin();
	at(of(KL_EV_PRESENTED, 1, 1, 1, KL_REFERRAL), 2026, 8, 1);
	r = of(KL_EV_ACCEPTED, 1, 1, 1, KL_FEEDBACK);
	r.milestone = KL_MS_IN_PROGRESS;
	at(r, 2026, 8, 2);
	audit_region_log_end(&region, minute_of(2026, 12, 1));
	t = table(Q(2026, 3));
	ck_assert_uint_eq(all(&t)->cells[AUDIT_REGION_REFERRED].n, 0);
	ck_assert_uint_eq(all(&t)->cells[AUDIT_REGION_TAKEN_UP].n, 0);
	ck_assert_uint_eq(all(&t)->cells[AUDIT_REGION_IN_PROGRESS].n, 1);
	free(t.rows);
	audit_region_clear(&region);
}
END_TEST

START_TEST(a_quarter_that_is_not_over_or_not_whole_is_not_told)
{
	struct audit_region_table t;
	struct kl_record r = { .event = KL_EV_POLICY };

	ck_assert_int_eq(audit_region_begin(&region), KL_OK);
	r.time_minute = minute_of(2026, 5, 1);
	take(r, 4711);
	audit_region_log_end(&region, minute_of(2026, 11, 1));
	ck_assert_int_eq(audit_region_table(&region, Q(2026, 2), BELOW, &t),
	    KL_E_VALUE);
	ck_assert_int_eq(audit_region_table(&region, Q(2026, 4), BELOW, &t),
	    KL_E_VALUE);
	t = table(Q(2026, 3));
	free(t.rows);
	audit_region_clear(&region);
}
END_TEST

START_TEST(of_several_logs_the_quarters_that_all_have_are_told)
{
	struct kl_record r = { .event = KL_EV_ORIGIN };

	begin();
	audit_region_log_end(&region, minute_of(2027, 2, 1));
	r.time_minute = minute_of(2025, 1, 1);
	take(r, 0);
	audit_region_log_end(&region, minute_of(2026, 12, 31));
	ck_assert_int_eq(region.from, Q(2026, 3));
	ck_assert_int_eq(region.to, Q(2026, 4));
	audit_region_clear(&region);
}
END_TEST

/* ---- a made-up region, against a count of another kind ---- */

#define PRACTICES 30u
#define MUNICIPALITIES 8u
#define REFERRALS 1500u

static unsigned int
practice_of(uint32_t i)
{
	return 1 + (i * 7 + i * i % 11) % PRACTICES;
}

static unsigned int
municipality_of(uint32_t i)
{
	return 1 + practice_of(i) % MUNICIPALITIES;
}

static void
fill(uint32_t n)
{
	struct kl_record r;

	for (uint32_t i = 0; i < n; i++) {
		const unsigned int p = practice_of(i), m = municipality_of(i);
		const int day = 1 + (int)(i * 180 / REFERRALS);
		int year, month, mday;

		kl_day_split(kl_day_make(2026, 7, 1) + day, &year, &month,
		    &mday);
		at(of(KL_EV_ACCEPTED, i, p, m, KL_REFERRAL), year, month,
		    mday);
		if (i % 3 == 0)
			continue;
		r = of(KL_EV_ACCEPTED, i, p, m, KL_FEEDBACK);
		r.milestone = i % 3 == 1 ? KL_MS_TAKEN_UP : KL_MS_ENDED;
		at(r, year, month, mday);
	}
}

static bool
same(const struct audit_region_table *a, const struct audit_region_table *b)
{
	if (a->municipalities != b->municipalities ||
	    a->practices != b->practices)
		return false;
	return memcmp(a->rows, b->rows, sizeof *a->rows *
	    (a->municipalities + a->practices + 1)) == 0;
}

START_TEST(what_a_quarter_tells_does_not_change_with_what_comes_after)
{
	struct audit_region_table early, late;

	begin();
	fill(REFERRALS * 2 / 3);
	audit_region_log_end(&region, minute_of(2026, 10, 2));
	early = table(Q(2026, 3));
	audit_region_clear(&region);
	begin();
	fill(REFERRALS);
	audit_region_log_end(&region, minute_of(2027, 1, 2));
	late = table(Q(2026, 3));
	ck_assert(same(&early, &late));
	free(early.rows);
	free(late.rows);
	audit_region_clear(&region);
}
END_TEST

START_TEST(lists_add_up_and_nothing_small_is_shown)
{
	struct audit_region_table t;
	size_t hidden = 0;

	begin();
	fill(REFERRALS);
	audit_region_log_end(&region, minute_of(2027, 1, 2));
	t = table(Q(2026, 3));
	for (size_t k = 0; k < AUDIT_REGION_STEPS; k++) {
		uint32_t of_m = 0, of_p = 0, shown = 0;

		for (size_t i = 0; i < t.municipalities + t.practices; i++) {
			const struct audit_region_cell *c =
			    &t.rows[i].cells[k];

			*(i < t.municipalities ? &of_m : &of_p) += c->n;
			ck_assert(c->hidden || c->n >= BELOW);
			hidden += c->hidden;
			shown += i >= t.municipalities && !c->hidden ?
			    c->n : 0;
		}
		ck_assert_uint_eq(of_m, all(&t)->cells[k].n);
		ck_assert_uint_eq(of_p, all(&t)->cells[k].n);
		/* What is left of the total is nobody's alone. */
		if (!all(&t)->cells[k].hidden && shown != of_p)
			ck_assert_uint_ge(of_p - shown, BELOW);
	}
	ck_assert_uint_gt(hidden, 0);
	ck_assert(!all(&t)->cells[AUDIT_REGION_REFERRED].hidden);
	ck_assert(all(&t)->cells[AUDIT_REGION_EXPIRED].hidden);
	free(t.rows);
	audit_region_clear(&region);
}
END_TEST

START_TEST(an_organisation_is_either_practice_or_municipality)
{
	struct audit_region_table t;
	struct kl_record r;

	begin();
	at(of(KL_EV_ACCEPTED, 1, 1, 1, KL_REFERRAL), 2026, 8, 1);
	r = of(KL_EV_ACCEPTED, 2, 1, 2, KL_REFERRAL);
	r.org_from = org('m', 1);
	at(r, 2026, 8, 1);
	audit_region_log_end(&region, minute_of(2026, 12, 1));
	t = table(Q(2026, 3));
	ck_assert_uint_eq(all(&t)->cells[AUDIT_REGION_REFERRED].n, 1);
	free(t.rows);
	audit_region_clear(&region);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("audit_region");
	TCase *t = tcase_create("audit_region");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_test(t,
	    a_conversation_counts_once_for_each_step_in_its_quarter);
	tcase_add_test(t, an_onward_referral_is_not_one_of_a_practice);
	tcase_add_test(t, withdrawn_returned_and_expired_end_a_conversation);
	tcase_add_test(t, what_was_presented_after_a_loss_was_referred_before);
	tcase_add_test(t,
	    a_quarter_that_is_not_over_or_not_whole_is_not_told);
	tcase_add_test(t, of_several_logs_the_quarters_that_all_have_are_told);
	tcase_add_test(t,
	    what_a_quarter_tells_does_not_change_with_what_comes_after);
	tcase_add_test(t, lists_add_up_and_nothing_small_is_shown);
	tcase_add_test(t, an_organisation_is_either_practice_or_municipality);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
