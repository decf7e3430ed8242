#include "adapters/common/asks.h"

#include <check.h>
#include <stdlib.h>

#include <kortelijn/base/types.h>

#define OK(x) ck_assert_int_eq((x), KL_OK)

static struct asks *asks;

static void
setup(void)
{
	ck_assert_ptr_nonnull(asks = asks_new());
}

static void
teardown(void)
{
	asks_free(asks);
	asks_free(NULL);
}

static uint64_t
put(const char *body)
{
	uint64_t ticket = 0;

	OK(asks_put(asks, KL_QUERY, kl_bytes_str(body), &ticket));
	ck_assert_uint_gt(ticket, 0);
	return ticket;
}

/* The next one under way is `ticket` with that body. */
static void
goes(uint64_t ticket, const char *body)
{
	struct ask k;

	ck_assert(asks_due(asks));
	OK(asks_next(asks, &k));
	ck_assert_uint_eq(k.ticket, ticket);
	ck_assert_uint_eq(k.request, KL_QUERY);
	ck_assert(kl_bytes_equal(k.body, kl_bytes_str(body)));
}

static void
nothing_goes(void)
{
	struct ask k;

	ck_assert(!asks_due(asks));
	ck_assert_int_eq(asks_next(asks, &k), KL_E_EMPTY);
}

static void
answered(uint64_t ticket, uint32_t code, const char *body)
{
	struct ask_answer out;

	OK(asks_take(asks, ticket, &out));
	ck_assert_uint_eq(out.code, code);
	ck_assert(kl_bytes_equal(out.body, kl_bytes_str(body)));
}

START_TEST(one_at_a_time_in_the_order_of_their_coming)
{
	uint64_t a = put("a"), b = put("b"), c = put("c");
	struct ask_answer out;

	goes(a, "a");
	nothing_goes();
	ck_assert_int_eq(asks_take(asks, a, &out), KL_E_EMPTY);
	asks_answer(asks, KL_C_OK, 0, kl_bytes_str("to a"));
	answered(a, KL_C_OK, "to a");
	goes(b, "b");
	asks_answer(asks, KL_C_ROLE, 7, KL_BYTES_NONE);
	OK(asks_take(asks, b, &out));
	ck_assert_uint_eq(out.retry_after_ms, 7);
	goes(c, "c");
	asks_drop(asks, a);
	ck_assert_int_eq(asks_take(asks, a, &out), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(an_answer_to_nothing_is_passed_over)
{
	struct ask_answer out;
	uint64_t a = put("a");

	asks_answer(asks, KL_C_OK, 0, kl_bytes_str("x"));
	asks_lost(asks);
	ck_assert_int_eq(asks_take(asks, a, &out), KL_E_EMPTY);
	ck_assert_int_eq(asks_take(asks, a + 1, &out), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(more_than_there_is_room_for_is_full)
{
	uint64_t first = put("1"), ticket;

	for (size_t i = 1; i < ASKS_MAX; i++)
		(void)put("n");
	ck_assert_int_eq(asks_put(asks, KL_QUERY, KL_BYTES_NONE, &ticket),
	    KL_E_FULL);
	asks_drop(asks, first);
	OK(asks_put(asks, KL_QUERY, KL_BYTES_NONE, &ticket));
}
END_TEST

START_TEST(longer_than_a_frame_is_refused)
{
	static uint8_t big[KL_FRAME_MAX + 1];
	uint64_t ticket;

	ck_assert_int_eq(asks_put(asks, KL_QUERY, kl_bytes(big, sizeof big),
	    &ticket), KL_E_SIZE);
	nothing_goes();
}
END_TEST

/* What comes late for one must not be taken for the answer to the next. */
START_TEST(one_that_nobody_waits_for_is_under_way_until_answered)
{
	uint64_t a = put("a"), b = put("b");
	struct ask_answer out;

	goes(a, "a");
	asks_drop(asks, a);
	nothing_goes();
	asks_answer(asks, KL_C_OK, 0, kl_bytes_str("to a"));
	ck_assert_int_eq(asks_take(asks, a, &out), KL_E_NOT_FOUND);
	ck_assert_int_eq(asks_take(asks, b, &out), KL_E_EMPTY);
	goes(b, "b");
}
END_TEST

START_TEST(what_is_lost_is_to_be_asked_again)
{
	uint64_t a = put("a");
	struct ask_answer out;

	goes(a, "a");
	asks_lost(asks);
	OK(asks_take(asks, a, &out));
	ck_assert_uint_eq(out.code, KL_C_TRY_LATER);
	ck_assert_uint_eq(out.retry_after_ms, ASKS_LOST_MS);
}
END_TEST

START_TEST(what_waits_ends_with_the_session)
{
	uint64_t a = put("a"), b = put("b");
	struct ask_answer out;

	goes(a, "a");
	asks_end(asks, KL_C_NO_SESSION);
	answered(b, KL_C_NO_SESSION, "");
	ck_assert_int_eq(asks_take(asks, a, &out), KL_E_EMPTY);
	asks_lost(asks);
	answered(a, KL_C_TRY_LATER, "");
}
END_TEST

/* Too long for a frame, so it came over no link. */
START_TEST(an_answer_without_room_is_lost)
{
	static uint8_t big[KL_FRAME_MAX + 1];
	uint64_t a = put("a");

	goes(a, "a");
	asks_answer(asks, KL_C_OK, 0, kl_bytes(big, sizeof big));
	answered(a, KL_C_TRY_LATER, "");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("asks");
	TCase *c = tcase_create("asks");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, c);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, one_at_a_time_in_the_order_of_their_coming);
	tcase_add_test(c, an_answer_to_nothing_is_passed_over);
	tcase_add_test(c, more_than_there_is_room_for_is_full);
	tcase_add_test(c, longer_than_a_frame_is_refused);
	tcase_add_test(c,
	    one_that_nobody_waits_for_is_under_way_until_answered);
	tcase_add_test(c, what_is_lost_is_to_be_asked_again);
	tcase_add_test(c, what_waits_ends_with_the_session);
	tcase_add_test(c, an_answer_without_room_is_lost);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
