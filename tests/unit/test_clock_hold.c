#include "adapters/common/clock_hold.h"

#include <check.h>
#include <stdlib.h>

#include "tests/support/adapter.h"

#define OK(x) ck_assert_int_eq((x), KL_OK)

static struct adapter_region region;
static struct adapter a;
static struct clock_hold h;
static bool held;

static void
setup(void)
{
	adapter_region_make(&region);
	adapter_make(&a, &region, KL_PRACTICE, "agb:01234567");
	h = (struct clock_hold){ .hold = { .high_water_ms = 0 } };
	OK(clock_hold_load(&h, a.store));
}

static void
teardown(void)
{
	adapter_clear(&a);
	adapter_region_clear(&region);
}

/* Wall and boot clock go on together from 1 h after boot. */
static struct kl_hold_clock
at(int64_t wall_ms, int64_t boot_ms)
{
	a.t.now_ms = ADAPTER_NOW_MS + wall_ms;
	return (struct kl_hold_clock){ a.t.now_ms, KL_HOUR_MS + boot_ms,
		true };
}

static void
look(int64_t wall_ms, int64_t boot_ms)
{
	const struct kl_hold_clock c = at(wall_ms, boot_ms);

	OK(clock_hold_look(&h, &a.t, &c, &held));
	adapter_commit(&a);
}

static void
sweep(uint64_t due, uint64_t total)
{
	const struct kl_hold_clock c = at(0, 0);

	OK(clock_hold_sweep(&h, &a.t, &c, due, total, &held));
	adapter_commit(&a);
}

START_TEST(good_clock_holds_nothing)
{
	look(0, 0);
	ck_assert(!held);
	look(KL_DAY_MS, KL_DAY_MS);
	ck_assert(!held);
	ck_assert_str_eq(clock_hold_why(&h, &a.t), "none");
}
END_TEST

START_TEST(small_store_is_swept_though_all_of_it_ends)
{
	look(0, 0);
	sweep(1, 1);
	ck_assert(!held);
	sweep(50, 50);
	ck_assert(!held);
}
END_TEST

START_TEST(much_at_once_is_held_and_stays_so_over_a_start)
{
	look(0, 0);
	sweep(51, 100);
	ck_assert(held);
	ck_assert_str_eq(clock_hold_why(&h, &a.t), "sweep");
	h = (struct clock_hold){ .hold = { .high_water_ms = 0 } };
	OK(clock_hold_load(&h, a.store));
	look(KL_SECOND_MS, KL_SECOND_MS);
	ck_assert(held);
}
END_TEST

START_TEST(a_tenth_of_many_is_swept)
{
	look(0, 0);
	sweep(99, 1000);
	ck_assert(!held);
	sweep(101, 1000);
	ck_assert(held);
}
END_TEST

START_TEST(word_of_the_operator_ends_it)
{
	const struct kl_hold_clock c = at(3 * KL_HOUR_MS, 0);

	look(0, 0);
	look(3 * KL_HOUR_MS, 0);
	ck_assert(held);
	ck_assert_str_eq(clock_hold_why(&h, &a.t), "jump");
	OK(clock_hold_release(&h, &a.t, &c));
	look(3 * KL_HOUR_MS, 0);
	ck_assert(!held);
}
END_TEST

START_TEST(brokers_clock_must_say_the_same)
{
	a.t.clock_known = false;
	look(0, 0);
	ck_assert(held);
	ck_assert_str_eq(clock_hold_why(&h, &a.t), "no_broker_clock");
	a.t.clock_known = true;
	a.t.clock_off_ms = -11 * KL_MINUTE_MS;
	look(0, 0);
	ck_assert(held);
	ck_assert_str_eq(clock_hold_why(&h, &a.t), "clock_differs");
}
END_TEST

START_TEST(mark_outlives_a_start)
{
	look(0, 0);
	look(KL_DAY_MS, KL_DAY_MS);
	h = (struct clock_hold){ .hold = { .high_water_ms = 0 } };
	OK(clock_hold_load(&h, a.store));
	look(KL_HOUR_MS, 2 * KL_DAY_MS);
	ck_assert(held);
	ck_assert_str_eq(clock_hold_why(&h, &a.t), "behind");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("clock_hold");
	TCase *t = tcase_create("clock_hold");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, good_clock_holds_nothing);
	tcase_add_test(t, small_store_is_swept_though_all_of_it_ends);
	tcase_add_test(t, much_at_once_is_held_and_stays_so_over_a_start);
	tcase_add_test(t, a_tenth_of_many_is_swept);
	tcase_add_test(t, word_of_the_operator_ends_it);
	tcase_add_test(t, brokers_clock_must_say_the_same);
	tcase_add_test(t, mark_outlives_a_start);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
