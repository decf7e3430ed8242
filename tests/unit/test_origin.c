#include <kortelijn/base/origin.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>

#define NOW_MS INT64_C(1795563912345)	/* 2026-11-24T23:45:12.345Z */
#define OF(tail) "oin-00000009000000000001/log/" tail

static const uint8_t bits[5] = { 1, 2, 3, 4, 5 };

static struct kl_origin
make(int64_t now_ms, const char *before)
{
	struct kl_id id;

	ck_assert_int_eq(kl_id_read("oin:00000009000000000001", &id), KL_OK);
	return kl_origin_make(&id, now_ms, before, bits);
}

START_TEST(it_names_broker_and_second)
{
	int64_t at_ms;

	ck_assert_str_eq(make(NOW_MS, "").b,
	    OF("20261124T234512Z-04106105"));
	ck_assert_int_eq(kl_origin_began(make(NOW_MS, "").b, &at_ms), KL_OK);
	ck_assert_int_eq(at_ms, NOW_MS - 345);
}
END_TEST

/* A standby whose clock is behind, or two losses within a second. */
START_TEST(it_is_younger_than_the_one_before_whatever_the_clock_says)
{
	struct kl_origin last = make(NOW_MS, "");
	int64_t at_ms;

	for (int i = 1; i < 5; i++) {
		struct kl_origin next = make(NOW_MS - KL_DAY_MS, last.b);

		ck_assert(kl_origin_older(last.b, next.b));
		ck_assert(!kl_origin_older(next.b, last.b));
		ck_assert_int_eq(kl_origin_began(next.b, &at_ms), KL_OK);
		ck_assert_int_eq(at_ms, NOW_MS - 345 + i * KL_SECOND_MS);
		last = next;
	}
}
END_TEST

START_TEST(order_is_that_of_time_then_letters)
{
	const char *a = OF("20261124T234512Z-00000001");

	ck_assert(kl_origin_older(a, OF("20261124T234513Z-00000000")));
	ck_assert(kl_origin_older(a, OF("20270101T000000Z-00000000")));
	ck_assert(kl_origin_older(a, OF("20261124T234512Z-00000002")));
	ck_assert(!kl_origin_older(a, OF("20261124T234512Z-00000000")));
	ck_assert(!kl_origin_older(a, OF("20251231T235959Z-ZZZZZZZZ")));
	ck_assert(!kl_origin_older(a, a));
}
END_TEST

START_TEST(a_name_without_a_time_is_the_oldest)
{
	const char *a = OF("20261124T234512Z-00000001");

	ck_assert(kl_origin_older("broker.example/log/one", a));
	ck_assert(!kl_origin_older(a, "broker.example/log/one"));
	ck_assert(!kl_origin_older("broker/log/one", "broker/log/two"));
	ck_assert(kl_origin_older("", a));
	ck_assert(!kl_origin_older(a, ""));
}
END_TEST

START_TEST(what_is_no_time_is_none)
{
	static const char *const bad[] = { "", "/", OF(""),
		OF("20261124T234512Z-0000000"),
		OF("20261124T234512Z-000000000"),
		OF("20261124T234512Z-0000000I"),
		OF("20261324T234512Z-00000001"),
		OF("20260230T234512Z-00000001"),
		OF("20261124T244512Z-00000001"),
		OF("20261124T236012Z-00000001"),
		OF("20261124T234560Z-00000001"),
		OF("2026112aT234512Z-00000001"),
		OF("20261124 234512Z-00000001"),
		OF("20261124T234512Z-00000001/"),
	};
	int64_t at_ms;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_int_eq(kl_origin_began(bad[i], &at_ms),
		    KL_E_FORMAT);
	ck_assert_int_eq(kl_origin_began("20261124T234512Z-00000001",
	    &at_ms), KL_OK);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("origin");
	TCase *t = tcase_create("origin");
	SRunner *r;
	int failed;

	suite_add_tcase(s, t);
	tcase_add_test(t, it_names_broker_and_second);
	tcase_add_test(t,
	    it_is_younger_than_the_one_before_whatever_the_clock_says);
	tcase_add_test(t, order_is_that_of_time_then_letters);
	tcase_add_test(t, a_name_without_a_time_is_the_oldest);
	tcase_add_test(t, what_is_no_time_is_none);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
