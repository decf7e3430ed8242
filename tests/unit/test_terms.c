#include "adapters/common/terms.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/types.h>

static struct kl_policy policy;

static void
setup(void)
{
	kl_policy_defaults(&policy);
}

static int32_t
day(const char *text)
{
	int32_t d;

	ck_assert_int_eq(kl_day_read(text, &d), KL_OK);
	return d;
}

/* At 10:00 by the clock on the wall. */
static int64_t
at(const char *text)
{
	return kl_calendar_instant_ms(kl_day_start_ms(day(text)) +
	    10 * KL_HOUR_MS);
}

static struct terms
terms(uint32_t kind, bool crisis, uint32_t level, int64_t created_ms)
{
	const struct terms_for f = { kind, crisis, level };

	return terms_of(&policy, NULL, &f, created_ms);
}

START_TEST(referral_has_two_weeks)
{
	struct terms t = terms(KL_REFERRAL, false, KL_LEVEL_2,
	    at("2026-11-24"));

	ck_assert_int_eq(t.expire_at_ms, at("2026-12-08"));
	ck_assert_int_eq(t.deliver_by_ms, at("2026-11-26"));
	ck_assert_int_eq(t.answer_by_ms, at("2026-11-26"));
}
END_TEST

START_TEST(crisis_has_three_working_days_and_is_taken_up_the_same_day)
{
	struct terms t = terms(KL_REFERRAL, true, KL_LEVEL_2,
	    at("2026-11-27"));

	ck_assert_int_eq(t.expire_at_ms, at("2026-12-02"));
	ck_assert_int_eq(t.deliver_by_ms, at("2026-11-27") + 4 * KL_HOUR_MS);
	ck_assert_int_eq(t.answer_by_ms, at("2026-11-27") + 7 * KL_HOUR_MS);
}
END_TEST

START_TEST(crisis_on_friday_evening_is_due_on_monday)
{
	struct terms t = terms(KL_REFERRAL, true, KL_LEVEL_2,
	    at("2026-11-27") + 9 * KL_HOUR_MS);

	ck_assert_int_eq(t.deliver_by_ms, at("2026-11-30") + 3 * KL_HOUR_MS);
	ck_assert_int_eq(t.answer_by_ms, at("2026-11-30") + 7 * KL_HOUR_MS);
}
END_TEST

START_TEST(closed_days_of_the_desk_are_not_counted)
{
	const struct terms_for f = { KL_REFERRAL, false, KL_LEVEL_2 };
	struct kl_calendar desk = { .n_closed = 1 };

	desk.closed[0] = (uint32_t)day("2026-11-25");
	ck_assert_int_eq(terms_of(&policy, &desk, &f,
	    at("2026-11-24")).deliver_by_ms, at("2026-11-27"));
}
END_TEST

START_TEST(policy_says_how_long)
{
	policy.term[KL_POL_PICKUP_ALARM_SENDER].n = 1;
	policy.term[KL_POL_TAKE_UP_TERM].n = 3;
	policy.term[KL_POL_REFERRAL_UNDELIVERED_TTL].n = 7;
	struct terms t = terms(KL_REFERRAL, false, KL_LEVEL_1,
	    at("2026-11-24"));

	ck_assert_int_eq(t.deliver_by_ms, at("2026-11-25"));
	ck_assert_int_eq(t.answer_by_ms, at("2026-11-27"));
	ck_assert_int_eq(t.expire_at_ms, at("2026-12-01"));
}
END_TEST

START_TEST(no_answer_is_awaited_at_level_0)
{
	ck_assert_int_eq(terms(KL_REFERRAL, false, KL_LEVEL_0,
	    at("2026-11-24")).answer_by_ms, 0);
	ck_assert_int_eq(terms(KL_CORRECTION, false, KL_LEVEL_2,
	    at("2026-11-24")).answer_by_ms, 0);
}
END_TEST

START_TEST(feedback_has_six_weeks)
{
	struct terms t = terms(KL_FEEDBACK, false, KL_LEVEL_2,
	    at("2026-11-24"));

	ck_assert_int_eq(t.expire_at_ms, at("2027-01-05"));
	ck_assert_int_le(t.deliver_by_ms, t.expire_at_ms);
}
END_TEST

START_TEST(terms_keep_the_rules_of_the_header_on_every_day)
{
	for (int64_t d = at("2026-01-01"); d < at("2027-12-31");
	    d += KL_DAY_MS + 7 * KL_HOUR_MS)
		for (uint32_t k = KL_REFERRAL; k <= KL_FEEDBACK; k++)
			for (int crisis = 0; crisis < 2; crisis++) {
				struct terms t = terms(k, crisis,
				    KL_LEVEL_2, d);

				ck_assert_int_lt(d, t.deliver_by_ms);
				ck_assert_int_le(t.deliver_by_ms,
				    t.expire_at_ms);
				ck_assert_int_le(t.expire_at_ms,
				    d + 60 * KL_DAY_MS);
				ck_assert_int_le(t.answer_by_ms,
				    d + 60 * KL_DAY_MS);
			}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("terms");
	TCase *t = tcase_create("terms");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, referral_has_two_weeks);
	tcase_add_test(t,
	    crisis_has_three_working_days_and_is_taken_up_the_same_day);
	tcase_add_test(t, crisis_on_friday_evening_is_due_on_monday);
	tcase_add_test(t, closed_days_of_the_desk_are_not_counted);
	tcase_add_test(t, policy_says_how_long);
	tcase_add_test(t, no_answer_is_awaited_at_level_0);
	tcase_add_test(t, feedback_has_six_weeks);
	tcase_add_test(t, terms_keep_the_rules_of_the_header_on_every_day);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
