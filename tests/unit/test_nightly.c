#include <kortelijn/domain/nightly.h>

#include <check.h>
#include <stdlib.h>

#include <kortelijn/base/time.h>

#define THREE (3 * 60u)

/* UTC. */
static int64_t
at(int month, int day, int hour, int minute)
{
	return kl_day_start_ms(kl_day_make(2026, month, day)) +
	    hour * KL_HOUR_MS + minute * KL_MINUTE_MS;
}

START_TEST(reads_a_time_of_day_and_nothing_else)
{
	static const char *const wrong[] = { "", "3:00", "03.00", "24:00",
		"03:60", "03:000", "-3:00", "03:0x" };
	uint32_t m;

	ck_assert_int_eq(kl_nightly_read("03:00", &m), KL_OK);
	ck_assert_uint_eq(m, THREE);
	ck_assert_int_eq(kl_nightly_read("23:59", &m), KL_OK);
	ck_assert_uint_eq(m, 23 * 60 + 59);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		ck_assert_int_eq(kl_nightly_read(wrong[i], &m), KL_E_FORMAT);
}
END_TEST

START_TEST(night_is_that_of_the_clock_on_the_wall)
{
	/* Winter: 03:00 is 02:00 UTC; summer: 01:00. */
	ck_assert_int_eq(kl_nightly_last(at(1, 15, 2, 0), THREE),
	    at(1, 15, 2, 0));
	ck_assert_int_eq(kl_nightly_last(at(1, 15, 1, 59), THREE),
	    at(1, 14, 2, 0));
	ck_assert_int_eq(kl_nightly_last(at(7, 1, 1, 0), THREE),
	    at(7, 1, 1, 0));
	ck_assert_int_eq(kl_nightly_last(at(7, 1, 0, 59), THREE),
	    at(6, 30, 1, 0));
}
END_TEST

/* 2026-03-29: 02:00 becomes 03:00; 2026-10-25: 03:00 becomes 02:00. */
START_TEST(every_day_has_one_night_when_the_clocks_leap)
{
	const uint32_t half_past_two = 2 * 60 + 30;
	int64_t last = 0, now;
	int nights = 0;

	ck_assert_int_eq(kl_nightly_last(at(3, 29, 12, 0), half_past_two),
	    at(3, 29, 1, 30));
	ck_assert_int_eq(kl_nightly_last(at(10, 25, 12, 0), half_past_two),
	    at(10, 25, 0, 30));
	for (now = at(3, 27, 12, 0); now <= at(11, 1, 12, 0);
	    now += 10 * KL_MINUTE_MS)
		if (kl_nightly_last(now, half_past_two) != last) {
			last = kl_nightly_last(now, half_past_two);
			nights++;
		}
	/* One was before the first look. */
	ck_assert_int_eq(nights, 1 + kl_day_make(2026, 11, 1) -
	    kl_day_make(2026, 3, 27));
}
END_TEST

START_TEST(due_once_a_night_and_after_a_night_that_was_missed)
{
	const int64_t done = at(1, 15, 2, 0);

	ck_assert(!kl_nightly_due(at(1, 16, 1, 59), THREE, done));
	ck_assert(kl_nightly_due(at(1, 16, 2, 0), THREE, done));
	ck_assert(!kl_nightly_due(at(1, 16, 2, 5), THREE, at(1, 16, 2, 1)));
	ck_assert(kl_nightly_due(at(1, 20, 8, 0), THREE, done));
	ck_assert(kl_nightly_due(at(1, 20, 8, 0), THREE, 0));
	/* A clock that is right again after it was a year ahead. */
	ck_assert(kl_nightly_due(at(1, 20, 8, 0), THREE, at(12, 1, 2, 0)));
}
END_TEST

START_TEST(overdue_after_a_day_that_it_was_due)
{
	const int64_t done = at(1, 15, 2, 0);

	ck_assert(!kl_nightly_overdue(at(1, 16, 2, 0), THREE, done));
	ck_assert(!kl_nightly_overdue(at(1, 17, 1, 59), THREE, done));
	ck_assert(kl_nightly_overdue(at(1, 17, 2, 0), THREE, done));
	ck_assert(kl_nightly_overdue(at(1, 17, 2, 0), THREE, 0));
	ck_assert(!kl_nightly_overdue(at(1, 16, 2, 0), THREE,
	    at(1, 15, 20, 0)));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("nightly");
	TCase *tc = tcase_create("nightly");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, reads_a_time_of_day_and_nothing_else);
	tcase_add_test(tc, night_is_that_of_the_clock_on_the_wall);
	tcase_add_test(tc, every_day_has_one_night_when_the_clocks_leap);
	tcase_add_test(tc, due_once_a_night_and_after_a_night_that_was_missed);
	tcase_add_test(tc, overdue_after_a_day_that_it_was_due);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
