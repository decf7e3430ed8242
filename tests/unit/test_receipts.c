#include "adapters/common/receipts.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/sign.h>

#include "adapters/common/timers.h"
#include "tests/support/adapter.h"

#define OK(x) ck_assert_int_eq((x), KL_OK)

static struct adapter_region region;
static struct adapter a;
static struct receipt_of of;
static struct kl_msg_id id;
static struct kl_bytes packed;

static void
setup(void)
{
	adapter_region_make(&region);
	adapter_make(&a, &region, KL_PRACTICE, "agb:01234567");
	memset(&of, 0, sizeof of);
	of.id.b[0] = 1;
	of.conv.b[0] = 2;
	of.body.b[0] = 3;
	of.outcome = KL_OPENED;
	of.code = KL_C_OK;
	of.expire_ms = ADAPTER_NOW_MS + KL_DAY_MS;
}

static void
teardown(void)
{
	adapter_clear(&a);
	adapter_region_clear(&region);
}

static void
make(void)
{
	OK(receipts_make(a.receipts, &a.t, &of, NULL));
	adapter_commit(&a);
}

static int
next(void)
{
	return receipts_next(a.receipts, &a.t, a.mono_ms, &id, &packed);
}

START_TEST(receipt_verifies_under_our_key)
{
	struct kl_signed s;
	struct kl_receipt r;

	make();
	OK(next());
	ck_assert_int_eq(kl_signed_read(packed, a.mem, &s), KL_C_OK);
	OK(kl_verify(KL_LABEL_RECEIPT, s.body, &a.id.sign_pk, &s.sig));
	ck_assert_int_eq(KL_STATEMENT_READ(KL_RECEIPT, s.body, a.mem, &r),
	    KL_C_OK);
	ck_assert_mem_eq(&r.msg_id, &of.id, sizeof of.id);
	ck_assert_mem_eq(&r.body_hash, &of.body, sizeof of.body);
	ck_assert_int_eq(r.at_ms, a.t.now_ms);
}
END_TEST

START_TEST(one_in_flight_is_not_sent_twice)
{
	make();
	OK(next());
	ck_assert_int_eq(next(), KL_E_EMPTY);
	receipts_unanswered(a.receipts, &of.id);
	OK(next());
	OK(receipts_answer(a.receipts, &a.t, &id, KL_C_OK, a.mono_ms));
	ck_assert_int_eq(next(), KL_E_EMPTY);
	ck_assert_uint_eq(receipts_waiting(a.receipts), 0);
}
END_TEST

START_TEST(busy_broker_gets_it_later)
{
	make();
	OK(next());
	OK(receipts_answer(a.receipts, &a.t, &id, KL_C_TRY_LATER,
	    a.mono_ms));
	ck_assert_int_eq(next(), KL_E_EMPTY);
	ck_assert_int_eq(receipts_wait_ms(a.receipts, a.mono_ms), 1000);
	a.mono_ms += 1000;
	OK(next());
}
END_TEST

START_TEST(refused_receipt_is_given_up_but_kept)
{
	make();
	OK(next());
	OK(receipts_answer(a.receipts, &a.t, &id, KL_C_MESSAGE_UNKNOWN,
	    a.mono_ms));
	ck_assert_uint_eq(receipts_waiting(a.receipts), 0);
	OK(receipts_again(a.receipts, &a.t, &of.id));
	ck_assert_uint_eq(receipts_waiting(a.receipts), 1);
}
END_TEST

START_TEST(unsent_ones_survive_a_restart)
{
	make();
	OK(next());
	adapter_restart(&a);
	ck_assert(a.t.want_receipt);
	OK(next());
	OK(receipts_answer(a.receipts, &a.t, &id, KL_C_OK, a.mono_ms));
	adapter_commit(&a);
	adapter_restart(&a);
	ck_assert_int_eq(next(), KL_E_EMPTY);
	ck_assert_int_lt(receipts_wait_ms(a.receipts, a.mono_ms), 0);
}
END_TEST

START_TEST(kept_ones_come_one_after_another_until_forgotten)
{
	struct kl_conv_id conv;
	size_t n = 0;

	for (uint8_t i = 1; i <= 3; i++) {
		of.id.b[0] = i;
		make();
	}
	for (int r = receipts_kept(&a.t, &id, true, &conv, &packed);
	    r == KL_OK; r = receipts_kept(&a.t, &id, false, &conv, &packed))
		n++;
	ck_assert_uint_eq(n, 3);
	OK(receipts_answer(a.receipts, &a.t, &of.id, KL_C_OK, a.mono_ms));
	OK(receipts_forget(&a.t, &of.id));
	ck_assert_int_eq(receipts_again(a.receipts, &a.t, &of.id),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(seven_days_after_its_message_it_may_go)
{
	struct timer t;

	make();
	OK(timers_first(a.store, &t));
	ck_assert_uint_eq(t.what, TIMER_SEEN);
	ck_assert_int_eq(t.due_ms, of.expire_ms + 7 * KL_DAY_MS);
}
END_TEST

START_TEST(one_that_the_broker_has_not_is_never_forgotten)
{
	struct timer t;

	/* Weeks without a broker, and then its clock is known first. */
	make();
	a.t.now_ms = of.expire_ms + 8 * KL_DAY_MS;
	OK(timers_first(a.store, &t));
	OK(timers_done(a.store, &t));
	OK(receipts_forget(&a.t, &of.id));
	adapter_commit(&a);
	adapter_restart(&a);
	OK(next());
	OK(timers_first(a.store, &t));
	ck_assert_uint_eq(t.what, TIMER_SEEN);
	ck_assert_int_gt(t.due_ms, a.t.now_ms);
	OK(receipts_answer(a.receipts, &a.t, &id, KL_C_OK, a.mono_ms));
	OK(receipts_forget(&a.t, &of.id));
	ck_assert_int_eq(receipts_again(a.receipts, &a.t, &of.id),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(no_more_than_64_are_in_flight)
{
	for (uint8_t i = 0; i < 70; i++) {
		of.id.b[1] = i;
		make();
	}
	for (int i = 0; i < RECEIPTS_IN_FLIGHT_MAX; i++)
		OK(next());
	ck_assert_int_eq(next(), KL_E_EMPTY);
	ck_assert_int_lt(receipts_wait_ms(a.receipts, a.mono_ms), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("receipts");
	TCase *t = tcase_create("receipts");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, receipt_verifies_under_our_key);
	tcase_add_test(t, one_in_flight_is_not_sent_twice);
	tcase_add_test(t, busy_broker_gets_it_later);
	tcase_add_test(t, refused_receipt_is_given_up_but_kept);
	tcase_add_test(t, unsent_ones_survive_a_restart);
	tcase_add_test(t, kept_ones_come_one_after_another_until_forgotten);
	tcase_add_test(t, seven_days_after_its_message_it_may_go);
	tcase_add_test(t, one_that_the_broker_has_not_is_never_forgotten);
	tcase_add_test(t, no_more_than_64_are_in_flight);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
