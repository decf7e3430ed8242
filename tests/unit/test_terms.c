#include "adapters/common/terms.h"

#include <check.h>
#include <stdlib.h>

#include <kortelijn/base/time.h>
#include <kortelijn/base/types.h>

static int32_t
day(const char *text)
{
	int32_t d;

	ck_assert_int_eq(kl_day_read(text, &d), KL_OK);
	return d;
}

static int64_t
at(const char *text)
{
	return kl_day_start_ms(day(text)) + 9 * KL_HOUR_MS;
}

START_TEST(referral_has_two_weeks)
{
	struct terms t = terms_of(KL_REFERRAL, false, KL_LEVEL_2,
	    at("2026-11-24"));

	ck_assert_int_eq(t.expire_at_ms, at("2026-12-08"));
	ck_assert_int_eq(t.deliver_by_ms, at("2026-11-26"));
	ck_assert_int_eq(t.answer_by_ms, at("2026-11-26"));
}
END_TEST

START_TEST(crisis_has_three_working_days)
{
	struct terms t = terms_of(KL_REFERRAL, true, KL_LEVEL_2,
	    at("2026-11-27"));

	ck_assert_int_eq(t.expire_at_ms, at("2026-12-02"));
	ck_assert_int_eq(t.deliver_by_ms, at("2026-11-27") + 4 * KL_HOUR_MS);
}
END_TEST

START_TEST(no_answer_is_awaited_at_level_0)
{
	ck_assert_int_eq(terms_of(KL_REFERRAL, false, KL_LEVEL_0,
	    at("2026-11-24")).answer_by_ms, 0);
	ck_assert_int_eq(terms_of(KL_CORRECTION, false, KL_LEVEL_2,
	    at("2026-11-24")).answer_by_ms, 0);
}
END_TEST

START_TEST(feedback_has_six_weeks)
{
	struct terms t = terms_of(KL_FEEDBACK, false, KL_LEVEL_2,
	    at("2026-11-24"));

	ck_assert_int_eq(t.expire_at_ms, at("2027-01-05"));
	ck_assert_int_le(t.deliver_by_ms, t.expire_at_ms);
}
END_TEST

START_TEST(terms_keep_the_rules_of_the_header_on_every_day)
{
	for (int64_t d = at("2026-01-01"); d < at("2027-12-31");
	    d += KL_DAY_MS)
		for (uint32_t k = KL_REFERRAL; k <= KL_FEEDBACK; k++)
			for (int crisis = 0; crisis < 2; crisis++) {
				struct terms t = terms_of(k, crisis,
				    KL_LEVEL_2, d);

				ck_assert_int_lt(d, t.deliver_by_ms);
				ck_assert_int_le(t.deliver_by_ms,
				    t.expire_at_ms);
				ck_assert_int_le(t.expire_at_ms,
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

	tcase_add_test(t, referral_has_two_weeks);
	tcase_add_test(t, crisis_has_three_working_days);
	tcase_add_test(t, no_answer_is_awaited_at_level_0);
	tcase_add_test(t, feedback_has_six_weeks);
	tcase_add_test(t, terms_keep_the_rules_of_the_header_on_every_day);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
