#include "broker/edge/gate.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/wire/request.h>

#define RATE 60			/* a minute: one a second */

static struct kl_arena *mem;
static struct gate_account account;

static void
setup(void)
{
	mem = kl_arena_new(1 << 16, 512);
	ck_assert_ptr_nonnull(mem);
	memset(&account, 0, sizeof account);
}

static void
teardown(void)
{
	kl_arena_free(mem);
}

/* ---- buckets ---- */

START_TEST(bucket_lets_a_minutes_burst_through_and_no_more)
{
	struct gate_bucket b = { 0 };
	const int64_t now = 1000000;

	for (int i = 0; i < RATE; i++)
		ck_assert_uint_eq(gate_take(&b, RATE, now), 0);
	ck_assert_uint_eq(gate_take(&b, RATE, now), 1000);
	ck_assert_uint_eq(gate_take(&b, RATE, now + 400), 600);
	ck_assert_uint_eq(gate_take(&b, RATE, now + 1000), 0);
	ck_assert_uint_eq(gate_take(&b, RATE, now + 1000), 1000);
}
END_TEST

START_TEST(bucket_is_never_more_than_full)
{
	struct gate_bucket b = { 0 };
	int64_t now = 1000000;
	int n = 0;

	ck_assert_uint_eq(gate_take(&b, RATE, now), 0);
	now += 365 * KL_DAY_MS;
	while (gate_take(&b, RATE, now) == 0)
		n++;
	ck_assert_int_eq(n, RATE);
}
END_TEST

START_TEST(clock_that_stands_or_goes_back_gives_nothing)
{
	struct gate_bucket b = { 0 };
	const int64_t now = 1000000;

	while (gate_take(&b, RATE, now) == 0)
		;
	ck_assert_uint_gt(gate_take(&b, RATE, now), 0);
	ck_assert_uint_gt(gate_take(&b, RATE, now - 500000), 0);
}
END_TEST

START_TEST(largest_rate_does_not_overflow)
{
	struct gate_bucket b = { 0 };

	ck_assert_uint_eq(gate_take(&b, 10000000, 1), 0);
	ck_assert_uint_eq(gate_take(&b, 10000000, KL_TIME_MAX_MS), 0);
}
END_TEST

/* ---- messages ---- */

struct packed { uint8_t b[KL_FRAME_MAX]; size_t n; };

static struct kl_bytes
request(uint32_t what, struct packed *p)
{
	const struct kl_request_msg m = { .version = 1, .request = what,
		.request_id = 42, .body = kl_bytes_str("body") };

	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_REQUEST, &m, p->b, sizeof p->b,
	    &p->n), KL_OK);
	return kl_bytes(p->b, p->n);
}

static struct gate_verdict
judge(const struct kl_bytes *frame, size_t n)
{
	return gate_judge(&account, RATE, 1000000, frame, n, mem);
}

START_TEST(each_request_passes_with_its_frames)
{
	for (uint32_t what = KL_HELLO; what <= KL_QUERY; what++)
		for (size_t n = 1; n <= 3; n++) {
			struct packed p;
			struct kl_bytes f[3] = { request(what, &p),
				kl_bytes_str("ct"), kl_bytes_str("more") };
			struct gate_verdict v = judge(f, n);

			ck_assert_uint_eq(v.code, n == (what == KL_SUBMIT ?
			    2 : 1) ? KL_C_OK : KL_C_FRAME_COUNT);
			ck_assert_uint_eq(v.request, what);
			ck_assert_uint_eq(v.request_id, 42);
		}
}
END_TEST

START_TEST(frame_above_its_size_is_refused)
{
	static uint8_t big[KL_FRAME_MAX + 1];
	struct packed p;
	struct kl_bytes f[2] = { request(KL_SUBMIT, &p),
		kl_bytes(big, sizeof big) };

	ck_assert_uint_eq(judge(f, 2).code, KL_C_FRAME_TOO_LARGE);
	f[1].n--;
	ck_assert_uint_eq(judge(f, 2).code, KL_C_OK);
	f[0] = kl_bytes(big, sizeof big);
	ck_assert_uint_eq(judge(f, 1).code, KL_C_FRAME_TOO_LARGE);
}
END_TEST

START_TEST(what_is_no_request_is_malformed_and_has_no_name)
{
	struct packed p;
	struct kl_bytes f[1] = { request(KL_HELLO, &p) };
	struct gate_verdict v;

	for (size_t n = 0; n < p.n; n++) {
		f[0].n = n;
		v = judge(f, 1);
		ck_assert(v.code == KL_C_MALFORMED ||
		    v.code == KL_C_QUOTA_REQUESTS);
		ck_assert_uint_eq(v.request, 0);
		ck_assert_uint_eq(v.request_id, 0);
	}
}
END_TEST

START_TEST(spent_arena_is_malformed)
{
	struct kl_arena *small = kl_arena_new(16, 1);
	struct packed p;
	struct kl_bytes f[1] = { request(KL_HELLO, &p) };

	ck_assert_uint_eq(gate_judge(&account, RATE, 1000000, f, 1,
	    small).code, KL_C_MALFORMED);
	kl_arena_free(small);
}
END_TEST

START_TEST(too_many_a_minute_are_told_when)
{
	struct packed p;
	struct kl_bytes f[1] = { request(KL_FETCH, &p) };
	struct gate_verdict v;

	for (int i = 0; i < RATE; i++)
		ck_assert_uint_eq(judge(f, 1).code, KL_C_OK);
	v = judge(f, 1);
	ck_assert_uint_eq(v.code, KL_C_QUOTA_REQUESTS);
	ck_assert_uint_eq(v.retry_after_ms, 1000);
	ck_assert_uint_eq(v.request, KL_FETCH);
	ck_assert_uint_eq(v.request_id, 42);
}
END_TEST

START_TEST(garbage_costs_as_much_as_a_request)
{
	struct kl_bytes f[1] = { kl_bytes_str("garbage") };
	struct packed p;

	for (int i = 0; i < RATE; i++)
		ck_assert_uint_eq(judge(f, 1).code, KL_C_MALFORMED);
	ck_assert_uint_eq(judge(f, 1).code, KL_C_QUOTA_REQUESTS);
	f[0] = request(KL_FETCH, &p);
	ck_assert_uint_eq(judge(f, 1).code, KL_C_QUOTA_REQUESTS);
}
END_TEST

START_TEST(withdrawals_and_receipts_pass_beside_a_flood)
{
	const uint32_t urgent[] = { KL_WITHDRAW, KL_PUT_RECEIPT };
	struct packed p;
	struct kl_bytes f[1] = { request(KL_FETCH, &p) };

	while (judge(f, 1).code == KL_C_OK)
		;
	for (size_t i = 0; i < 2; i++) {
		f[0] = request(urgent[i], &p);
		ck_assert_uint_eq(judge(f, 1).code, KL_C_OK);
	}
	/* Their own allowance ends too. */
	for (int i = 2; i < RATE; i++)
		ck_assert_uint_eq(judge(f, 1).code, KL_C_OK);
	ck_assert_uint_eq(judge(f, 1).code, KL_C_QUOTA_REQUESTS);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("gate");
	TCase *tc = tcase_create("gate");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, bucket_lets_a_minutes_burst_through_and_no_more);
	tcase_add_test(tc, bucket_is_never_more_than_full);
	tcase_add_test(tc, clock_that_stands_or_goes_back_gives_nothing);
	tcase_add_test(tc, largest_rate_does_not_overflow);
	tcase_add_test(tc, each_request_passes_with_its_frames);
	tcase_add_test(tc, frame_above_its_size_is_refused);
	tcase_add_test(tc, what_is_no_request_is_malformed_and_has_no_name);
	tcase_add_test(tc, spent_arena_is_malformed);
	tcase_add_test(tc, too_many_a_minute_are_told_when);
	tcase_add_test(tc, garbage_costs_as_much_as_a_request);
	tcase_add_test(tc, withdrawals_and_receipts_pass_beside_a_flood);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
