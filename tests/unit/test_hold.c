#include <kortelijn/domain/hold.h>

#include <check.h>
#include <stdlib.h>

#include <kortelijn/base/time.h>

#define NOW_MS (20781 * KL_DAY_MS)	/* 2026-11-24 */
#define BOOT_MS (3 * KL_DAY_MS)
#define YEAR_MS (400 * KL_DAY_MS)

static struct kl_hold h;
static struct kl_hold_clock c;

static void
setup(void)
{
	h = (struct kl_hold){ .why = KL_HOLD_NONE };
	c = (struct kl_hold_clock){ .now_ms = NOW_MS, .boot_ms = BOOT_MS,
		.unsynced = true };
	ck_assert(!kl_hold_look(&h, &c));
}

/* Both clocks go on; the wall clock by `more` besides. */
static bool
later(int64_t ms, int64_t more)
{
	c.now_ms += ms + more;
	c.boot_ms += ms;
	return kl_hold_look(&h, &c);
}

START_TEST(mark_follows_the_clock)
{
	ck_assert_int_eq(h.high_water_ms, NOW_MS);
	ck_assert(!later(KL_DAY_MS, 0));
	ck_assert_int_eq(h.high_water_ms, NOW_MS + KL_DAY_MS);
}
END_TEST

START_TEST(suspended_machine_has_not_jumped)
{
	/* The clock since boot counts suspended time too. */
	ck_assert(!later(30 * KL_DAY_MS, 0));
	ck_assert_int_eq(h.why, KL_HOLD_NONE);
}
END_TEST

START_TEST(drift_below_an_hour_is_followed)
{
	for (int i = 0; i < 10; i++)
		ck_assert(!later(KL_DAY_MS, KL_HOLD_JUMP_MS));
	for (int i = 0; i < 10; i++)
		ck_assert(!later(KL_DAY_MS, -KL_HOLD_JUMP_MS));
}
END_TEST

START_TEST(jump_above_an_hour_holds)
{
	ck_assert(later(1000, KL_HOLD_JUMP_MS + 1));
	ck_assert_int_eq(h.why, KL_HOLD_JUMP);
	ck_assert_int_eq(h.high_water_ms, NOW_MS);
}
END_TEST

START_TEST(jump_back_holds_also_when_it_is_undone)
{
	ck_assert(later(1000, -KL_HOLD_JUMP_MS - 1));
	ck_assert(later(1000, KL_HOLD_JUMP_MS + 1));
	ck_assert_int_eq(h.why, KL_HOLD_JUMP);
}
END_TEST

START_TEST(behind_the_mark_nothing_ends_and_nothing_is_held)
{
	h = (struct kl_hold){ .high_water_ms = NOW_MS };
	c.now_ms = NOW_MS - KL_HOLD_BACK_MS - 1;
	ck_assert(kl_hold_look(&h, &c));
	ck_assert_int_eq(h.why, KL_HOLD_NONE);
	ck_assert(!later(1, 0));
}
END_TEST

START_TEST(ten_minutes_of_a_time_server_end_a_hold)
{
	ck_assert(later(1000, YEAR_MS));
	c.unsynced = false;
	ck_assert(later(1000, -YEAR_MS));
	ck_assert(later(KL_HOLD_SYNCED_MS - 1, 0));
	ck_assert(!later(1, 0));
	ck_assert_int_eq(h.why, KL_HOLD_NONE);
	ck_assert_int_eq(h.high_water_ms, c.now_ms);
}
END_TEST

START_TEST(time_server_of_before_the_jump_counts_for_nothing)
{
	c.unsynced = false;
	ck_assert(!later(KL_DAY_MS, 0));
	ck_assert(later(1000, YEAR_MS));
	ck_assert(later(KL_HOLD_SYNCED_MS - 1, 0));
	ck_assert(!later(1, 0));
}
END_TEST

START_TEST(time_server_that_goes_away_begins_anew)
{
	ck_assert(later(1000, YEAR_MS));
	c.unsynced = false;
	ck_assert(later(KL_HOLD_SYNCED_MS - 1000, 0));
	c.unsynced = true;
	ck_assert(later(1000, 0));
	c.unsynced = false;
	ck_assert(later(KL_HOLD_SYNCED_MS - 1000, 0));
	ck_assert(later(999, 0));
}
END_TEST

START_TEST(hold_is_kept_over_a_start)
{
	ck_assert(later(1000, YEAR_MS));
	h = (struct kl_hold){ .high_water_ms = h.high_water_ms,
		.sure_ms = h.sure_ms, .why = h.why };
	c.boot_ms = 1000;
	ck_assert(kl_hold_look(&h, &c));
	ck_assert_int_eq(h.high_water_ms, NOW_MS);
}
END_TEST

START_TEST(operator_ends_a_hold)
{
	ck_assert(later(1000, YEAR_MS));
	kl_hold_release(&h, &c);
	ck_assert(!later(1000, 0));
	ck_assert_int_eq(h.sure_ms, NOW_MS + 1000 + YEAR_MS);
}
END_TEST

START_TEST(operator_sets_the_mark_back_as_well)
{
	h = (struct kl_hold){ .high_water_ms = NOW_MS + YEAR_MS };
	ck_assert(kl_hold_look(&h, &c));
	kl_hold_release(&h, &c);
	ck_assert(!later(1000, 0));
	ck_assert_int_eq(h.high_water_ms, NOW_MS + 1000);
}
END_TEST

START_TEST(only_message_of_a_small_store_ends)
{
	ck_assert(!kl_hold_sweep(&h, &c, 1, 1));
	ck_assert(!kl_hold_sweep(&h, &c, KL_HOLD_SWEEP_MIN,
	    KL_HOLD_SWEEP_MIN));
	ck_assert_int_eq(h.why, KL_HOLD_NONE);
}
END_TEST

START_TEST(a_tenth_of_a_large_store_ends)
{
	ck_assert(!kl_hold_sweep(&h, &c, 5000, 50000));
	ck_assert(kl_hold_sweep(&h, &c, 5001, 50000));
	ck_assert_int_eq(h.why, KL_HOLD_SWEEP);
	ck_assert(later(1000, 0));
}
END_TEST

START_TEST(synchronised_clock_may_end_all)
{
	c.unsynced = false;
	ck_assert(!kl_hold_sweep(&h, &c, 50000, 50000));
}
END_TEST

START_TEST(months_end_one_by_one_or_are_asked_about)
{
	ck_assert(!kl_hold_months(&h, &c, KL_HOLD_MONTHS));
	c.unsynced = false;
	ck_assert(!kl_hold_months(&h, &c, 60));
	c.unsynced = true;
	ck_assert(kl_hold_months(&h, &c, KL_HOLD_MONTHS + 1));
	ck_assert_int_eq(h.why, KL_HOLD_SWEEP);
	kl_hold_release(&h, &c);
	ck_assert(!kl_hold_months(&h, &c, 0));
}
END_TEST

START_TEST(held_clock_ends_nothing_however_little)
{
	ck_assert(later(1000, YEAR_MS));
	ck_assert(kl_hold_sweep(&h, &c, 0, 0));
}
END_TEST

START_TEST(reasons_have_names)
{
	ck_assert_str_eq(kl_hold_name(KL_HOLD_NONE), "none");
	ck_assert_str_eq(kl_hold_name(KL_HOLD_JUMP), "jump");
	ck_assert_str_eq(kl_hold_name(KL_HOLD_SWEEP), "sweep");
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("hold");
	Suite *s = suite_create("hold");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, mark_follows_the_clock);
	tcase_add_test(tc, suspended_machine_has_not_jumped);
	tcase_add_test(tc, drift_below_an_hour_is_followed);
	tcase_add_test(tc, jump_above_an_hour_holds);
	tcase_add_test(tc, jump_back_holds_also_when_it_is_undone);
	tcase_add_test(tc, behind_the_mark_nothing_ends_and_nothing_is_held);
	tcase_add_test(tc, ten_minutes_of_a_time_server_end_a_hold);
	tcase_add_test(tc, time_server_of_before_the_jump_counts_for_nothing);
	tcase_add_test(tc, time_server_that_goes_away_begins_anew);
	tcase_add_test(tc, hold_is_kept_over_a_start);
	tcase_add_test(tc, operator_ends_a_hold);
	tcase_add_test(tc, operator_sets_the_mark_back_as_well);
	tcase_add_test(tc, only_message_of_a_small_store_ends);
	tcase_add_test(tc, a_tenth_of_a_large_store_ends);
	tcase_add_test(tc, synchronised_clock_may_end_all);
	tcase_add_test(tc, months_end_one_by_one_or_are_asked_about);
	tcase_add_test(tc, held_clock_ends_nothing_however_little);
	tcase_add_test(tc, reasons_have_names);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
