#include <kortelijn/domain/calendar.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include <kortelijn/base/time.h>

#define HOURS(day, from, to) ((day) * 100000000U + (from) * 10000U + (to))

static int32_t
day(const char *text)
{
	int32_t d;

	ck_assert_int_eq(kl_day_read(text, &d), KL_OK);
	return d;
}

/* "2026-11-24 17:00" in UTC. */
static int64_t
utc(const char *text)
{
	char d[11];
	int hour, minute;

	ck_assert_int_eq(sscanf(text, "%10s %2d:%2d", d, &hour, &minute), 3);
	return kl_day_start_ms(day(d)) + hour * KL_HOUR_MS +
	    minute * KL_MINUTE_MS;
}

/* The same by the clock on the wall. */
static int64_t
wall(const char *text)
{
	return kl_calendar_instant_ms(utc(text));
}

static void
shows(int64_t at_ms, const char *text)
{
	ck_assert_str_eq(kl_calendar_text(at_ms).b, text);
}

/* ---- the clock ---- */

START_TEST(winter_is_one_hour_ahead_and_summer_two)
{
	shows(utc("2026-11-24 23:30"), "2026-11-25 00:30");
	shows(utc("2026-07-14 22:30"), "2026-07-15 00:30");
}
END_TEST

START_TEST(clocks_leap_in_the_last_night_of_march)
{
	shows(utc("2026-03-29 00:59"), "2026-03-29 01:59");
	shows(utc("2026-03-29 01:00"), "2026-03-29 03:00");
	shows(utc("2024-03-31 00:59"), "2024-03-31 01:59");
	shows(utc("2024-03-31 01:00"), "2024-03-31 03:00");
}
END_TEST

START_TEST(clocks_fall_back_in_the_last_night_of_october)
{
	shows(utc("2026-10-25 00:59"), "2026-10-25 02:59");
	shows(utc("2026-10-25 01:00"), "2026-10-25 02:00");
	shows(utc("2027-10-31 00:59"), "2027-10-31 02:59");
	shows(utc("2027-10-31 01:00"), "2027-10-31 02:00");
}
END_TEST

START_TEST(time_that_is_leapt_over_comes_an_hour_later)
{
	ck_assert_int_eq(wall("2026-03-29 02:30"), utc("2026-03-29 01:30"));
	ck_assert_int_eq(wall("2026-03-29 03:30"), utc("2026-03-29 01:30"));
	ck_assert_int_eq(wall("2026-03-29 01:59"), utc("2026-03-29 00:59"));
}
END_TEST

START_TEST(hour_that_comes_twice_is_the_first_one)
{
	ck_assert_int_eq(wall("2026-10-25 02:30"), utc("2026-10-25 00:30"));
	ck_assert_int_eq(wall("2026-10-25 03:00"), utc("2026-10-25 02:00"));
	ck_assert_int_eq(wall("2026-10-25 01:59"), utc("2026-10-24 23:59"));
}
END_TEST

START_TEST(every_instant_of_two_years_comes_back_or_comes_twice)
{
	int64_t at = utc("2026-01-01 00:00"), end = at + 730 * KL_DAY_MS;

	for (; at < end; at += 15 * KL_MINUTE_MS) {
		int64_t back = kl_calendar_instant_ms(
		    kl_calendar_local_ms(at));

		ck_assert(back == at || back == at - KL_HOUR_MS);
	}
}
END_TEST

/* ---- days off ---- */

START_TEST(days_off_are_those_of_the_act)
{
	static const char *const off[] = {
		"2026-01-01", "2026-04-03", "2026-04-06", "2026-04-27",
		"2026-05-05", "2026-05-14", "2026-05-25", "2026-12-25",
		"2026-12-26", "2027-03-26", "2027-03-29", "2024-03-29",
		"2025-04-18", "2025-04-21", "2025-05-29", "2025-06-09",
		"2000-04-24", "2038-04-26", "2011-04-25", "2026-11-28",
		"2026-11-29", "2030-05-05", "2028-05-05",
	};
	static const char *const work[] = {
		"2026-11-24", "2026-04-07", "2026-05-04", "2026-12-24",
		"2025-04-28", "1970-01-02", "2026-12-31", "2027-01-04",
	};

	for (size_t i = 0; i < sizeof off / sizeof off[0]; i++)
		ck_assert_msg(kl_calendar_day_off(day(off[i])), "%s", off[i]);
	for (size_t i = 0; i < sizeof work / sizeof work[0]; i++)
		ck_assert_msg(!kl_calendar_day_off(day(work[i])), "%s",
		    work[i]);
}
END_TEST

START_TEST(easter_sunday_is_where_the_almanac_has_it)
{
	/* The Monday after it, earliest and latest possible included. */
	static const char *const monday[] = {
		"1818-03-23", "1886-04-26", "1943-04-26", "1961-04-03",
		"2008-03-24", "2019-04-22", "2025-04-21", "2026-04-06",
		"2027-03-29", "2028-04-17", "2029-04-02", "2038-04-26",
		"2049-04-19", "2076-04-20", "2285-03-23",
	};

	for (size_t i = 0; i < sizeof monday / sizeof monday[0]; i++) {
		ck_assert_msg(kl_calendar_day_off(day(monday[i])), "%s",
		    monday[i]);
		/* And Good Friday three days before it. */
		ck_assert(kl_calendar_day_off(day(monday[i]) - 3));
		ck_assert(kl_calendar_day_off(day(monday[i]) + 38));
		ck_assert(kl_calendar_day_off(day(monday[i]) + 49));
	}
}
END_TEST

START_TEST(kings_day_on_a_sunday_is_the_day_before)
{
	/* The 27th of April 2025 is a Sunday; the 26th a Saturday anyway. */
	ck_assert(kl_calendar_day_off(day("2025-04-26")));
	ck_assert(!kl_calendar_day_off(day("2025-04-25")));
	ck_assert(!kl_calendar_day_off(day("2025-04-28")));
	/* A desk that is open on Saturdays is closed on that one. */
	struct kl_calendar c = { .hours = { HOURS(6, 1000U, 1200U) },
		.n_hours = 1 };
	ck_assert(!kl_calendar_open(&c, wall("2025-04-26 11:00")));
	ck_assert(kl_calendar_open(&c, wall("2025-04-19 11:00")));
}
END_TEST

/* ---- working days ---- */

START_TEST(working_days_skip_the_weekend)
{
	ck_assert_int_eq(kl_calendar_add_working_days(
	    wall("2026-11-26 10:00"), 2), wall("2026-11-30 10:00"));
	ck_assert_int_eq(kl_calendar_add_working_days(
	    wall("2026-11-28 10:00"), 1), wall("2026-11-30 10:00"));
	ck_assert_int_eq(kl_calendar_add_working_days(
	    wall("2026-11-24 10:00"), 0), wall("2026-11-24 10:00"));
}
END_TEST

START_TEST(working_days_skip_easter_and_kings_day)
{
	/* Thursday; then Good Friday, the weekend, Easter Monday. */
	ck_assert_int_eq(kl_calendar_add_working_days(
	    wall("2026-04-02 10:00"), 1), wall("2026-04-07 10:00"));
	/* King's Day 2026 is a Monday. */
	ck_assert_int_eq(kl_calendar_add_working_days(
	    wall("2026-04-24 10:00"), 1), wall("2026-04-28 10:00"));
	/* Christmas on Friday and Saturday, the weekend, and New Year. */
	ck_assert_int_eq(kl_calendar_add_working_days(
	    wall("2026-12-24 10:00"), 5), wall("2027-01-04 10:00"));
	/* Liberation Day between two weekends. */
	ck_assert_int_eq(kl_calendar_add_working_days(
	    wall("2026-05-04 10:00"), 1), wall("2026-05-06 10:00"));
}
END_TEST

START_TEST(time_of_day_is_kept_when_the_clocks_change)
{
	/* Over the last weekends of March and of October. */
	ck_assert_int_eq(kl_calendar_add_working_days(
	    wall("2026-03-27 10:00"), 1), wall("2026-03-30 10:00"));
	ck_assert_int_eq(wall("2026-03-30 10:00") - wall("2026-03-27 10:00"),
	    3 * KL_DAY_MS - KL_HOUR_MS);
	ck_assert_int_eq(kl_calendar_add_working_days(
	    wall("2026-10-23 10:00"), 1), wall("2026-10-26 10:00"));
	ck_assert_int_eq(wall("2026-10-26 10:00") - wall("2026-10-23 10:00"),
	    3 * KL_DAY_MS + KL_HOUR_MS);
}
END_TEST

START_TEST(day_is_the_one_on_the_wall)
{
	/* Half past midnight on Monday is still Sunday in UTC. */
	ck_assert_int_eq(kl_calendar_add_working_days(
	    wall("2026-11-23 00:30"), 1), wall("2026-11-24 00:30"));
	ck_assert_int_eq(kl_calendar_add_working_days(
	    wall("2026-11-27 00:30"), 1), wall("2026-11-30 00:30"));
}
END_TEST

START_TEST(closed_days_of_a_desk_are_no_working_days)
{
	struct kl_calendar c = { .n_closed = 1 };

	c.closed[0] = (uint32_t)day("2026-11-25");
	ck_assert(!kl_calendar_working_day(&c, day("2026-11-25")));
	ck_assert(kl_calendar_working_day(NULL, day("2026-11-25")));
	ck_assert_int_eq(kl_calendar_add_desk_days(&c,
	    wall("2026-11-24 10:00"), 1), wall("2026-11-26 10:00"));
	ck_assert(!kl_calendar_open(&c, wall("2026-11-25 10:00")));
}
END_TEST

START_TEST(count_has_a_limit)
{
	ck_assert_int_eq(kl_calendar_add_working_days(0, UINT32_MAX),
	    kl_calendar_add_working_days(0, KL_CALENDAR_COUNT_MAX));
	ck_assert_int_eq(kl_calendar_add_office_hours(NULL, 0, UINT32_MAX),
	    kl_calendar_add_office_hours(NULL, 0, KL_CALENDAR_COUNT_MAX));
}
END_TEST

/* ---- office hours ---- */

START_TEST(office_hours_go_on_the_next_working_day)
{
	ck_assert_int_eq(kl_calendar_add_office_hours(NULL,
	    wall("2026-11-24 10:00"), 2), wall("2026-11-24 12:00"));
	ck_assert_int_eq(kl_calendar_add_office_hours(NULL,
	    wall("2026-11-24 15:00"), 4), wall("2026-11-25 11:00"));
	ck_assert_int_eq(kl_calendar_add_office_hours(NULL,
	    wall("2026-11-27 20:00"), 2), wall("2026-11-30 11:00"));
	ck_assert_int_eq(kl_calendar_add_office_hours(NULL,
	    wall("2026-12-24 16:30"), 2), wall("2026-12-28 10:30"));
}
END_TEST

START_TEST(hours_of_a_desk_count_with_its_lunch_in_any_order)
{
	struct kl_calendar c = { .hours = { HOURS(1, 1300U, 1700U),
		HOURS(1, 900U, 1200U), HOURS(3, 900U, 1000U),
		HOURS(3, 930U, 1100U), HOURS(9, 900U, 1000U),
		HOURS(2, 1200U, 1200U), HOURS(2, 1060U, 1200U) },
		.n_hours = 7 };

	/* Monday over lunch; the rest on Wednesday, whose two overlap. */
	ck_assert_int_eq(kl_calendar_add_office_hours(&c,
	    wall("2026-11-23 11:00"), 2), wall("2026-11-23 14:00"));
	ck_assert_int_eq(kl_calendar_add_office_hours(&c,
	    wall("2026-11-23 16:00"), 3), wall("2026-11-25 11:00"));
	ck_assert_int_eq(kl_calendar_add_office_hours(&c,
	    wall("2026-11-24 10:00"), 1), wall("2026-11-25 10:00"));
	ck_assert(!kl_calendar_open(&c, wall("2026-11-23 12:30")));
	ck_assert(kl_calendar_open(&c, wall("2026-11-23 13:00")));
	ck_assert(!kl_calendar_open(&c, wall("2026-11-23 17:00")));
}
END_TEST

START_TEST(hours_in_the_night_of_the_clocks_last_as_long_as_they_do)
{
	struct kl_calendar c = { .hours = { HOURS(7, 0U, 600U) },
		.n_hours = 1 };

	/* Five hours in March, seven in October. */
	ck_assert_int_eq(kl_calendar_add_office_hours(&c,
	    wall("2026-03-28 12:00"), 5), wall("2026-03-29 06:00"));
	ck_assert_int_eq(kl_calendar_add_office_hours(&c,
	    wall("2026-10-24 12:00"), 7), wall("2026-10-25 06:00"));
}
END_TEST

START_TEST(desk_that_never_opens_is_counted_at_the_usual_hours)
{
	struct kl_calendar c = { .hours = { HOURS(1, 900U, 1000U) },
		.n_hours = 1 };

	for (uint32_t i = 0; i < KL_CALENDAR_CLOSED_MAX; i++)
		c.closed[c.n_closed++] =
		    (uint32_t)day("2026-11-30") + 7 * i;
	ck_assert_int_eq(kl_calendar_add_office_hours(&c,
	    wall("2026-11-24 10:00"), 1), wall("2026-11-24 11:00"));
}
END_TEST

START_TEST(closing_is_the_end_of_the_day_at_the_desk)
{
	struct kl_calendar c = { .hours = { HOURS(2, 900U, 1200U),
		HOURS(2, 1300U, 1630U), HOURS(4, 900U, 1200U) },
		.n_hours = 3 };

	ck_assert_int_eq(kl_calendar_closing(&c, wall("2026-11-24 08:00")),
	    wall("2026-11-24 16:30"));
	ck_assert_int_eq(kl_calendar_closing(&c, wall("2026-11-24 16:29")),
	    wall("2026-11-24 16:30"));
	ck_assert_int_eq(kl_calendar_closing(&c, wall("2026-11-24 16:30")),
	    wall("2026-11-26 12:00"));
	ck_assert_int_eq(kl_calendar_closing(NULL, wall("2026-11-28 09:00")),
	    wall("2026-11-30 17:00"));
}
END_TEST

START_TEST(terms_are_counted_in_their_unit)
{
	const int64_t at = wall("2026-11-27 16:00");

	ck_assert_int_eq(kl_calendar_add(NULL, at, (struct kl_term){ 28,
	    KL_UNIT_D }), at + 28 * KL_DAY_MS);
	ck_assert_int_eq(kl_calendar_add(NULL, at, (struct kl_term){ 2,
	    KL_UNIT_WD }), wall("2026-12-01 16:00"));
	ck_assert_int_eq(kl_calendar_add(NULL, at, (struct kl_term){ 2,
	    KL_UNIT_OH }), wall("2026-11-30 10:00"));
	ck_assert_int_eq(kl_calendar_add(NULL, at, (struct kl_term){ 0,
	    KL_UNIT_WD }), wall("2026-11-27 17:00"));
}
END_TEST

START_TEST(what_is_added_is_never_earlier)
{
	int64_t at = utc("2026-03-20 00:10"), end = at + 60 * KL_DAY_MS;
	struct kl_calendar c = { .hours = { HOURS(1, 0U, 2400U),
		HOURS(7, 200U, 300U) }, .n_hours = 2 };

	for (; at < end; at += 20 * KL_MINUTE_MS)
		for (uint32_t n = 1; n < 4; n++) {
			ck_assert_int_gt(kl_calendar_add_working_days(at, n),
			    at);
			ck_assert_int_ge(kl_calendar_add_office_hours(&c, at,
			    n), at + n * KL_HOUR_MS);
			ck_assert_int_gt(kl_calendar_closing(&c, at), at);
		}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("calendar");
	TCase *t = tcase_create("calendar");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(t, winter_is_one_hour_ahead_and_summer_two);
	tcase_add_test(t, clocks_leap_in_the_last_night_of_march);
	tcase_add_test(t, clocks_fall_back_in_the_last_night_of_october);
	tcase_add_test(t, time_that_is_leapt_over_comes_an_hour_later);
	tcase_add_test(t, hour_that_comes_twice_is_the_first_one);
	tcase_add_test(t, every_instant_of_two_years_comes_back_or_comes_twice);
	tcase_add_test(t, days_off_are_those_of_the_act);
	tcase_add_test(t, easter_sunday_is_where_the_almanac_has_it);
	tcase_add_test(t, kings_day_on_a_sunday_is_the_day_before);
	tcase_add_test(t, working_days_skip_the_weekend);
	tcase_add_test(t, working_days_skip_easter_and_kings_day);
	tcase_add_test(t, time_of_day_is_kept_when_the_clocks_change);
	tcase_add_test(t, day_is_the_one_on_the_wall);
	tcase_add_test(t, closed_days_of_a_desk_are_no_working_days);
	tcase_add_test(t, count_has_a_limit);
	tcase_add_test(t, office_hours_go_on_the_next_working_day);
	tcase_add_test(t, hours_of_a_desk_count_with_its_lunch_in_any_order);
	tcase_add_test(t,
	    hours_in_the_night_of_the_clocks_last_as_long_as_they_do);
	tcase_add_test(t,
	    desk_that_never_opens_is_counted_at_the_usual_hours);
	tcase_add_test(t, closing_is_the_end_of_the_day_at_the_desk);
	tcase_add_test(t, terms_are_counted_in_their_unit);
	tcase_add_test(t, what_is_added_is_never_earlier);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
