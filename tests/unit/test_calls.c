#include "adapters/common/calls.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define OK(x) ck_assert_int_eq((x), KL_OK)

static struct calls *calls;
static struct kl_arena *mem;
static size_t left;			/* messages that left */
static size_t frames_of_last;
static bool full;

static int
take(void *arg, const struct kl_bytes *frames, size_t n)
{
	(void)arg;
	(void)frames;
	if (full)
		return KL_E_AGAIN;
	left++;
	frames_of_last = n;
	return KL_OK;
}

static void
setup(void)
{
	const struct calls_wire wire = { take, NULL };

	ck_assert_ptr_nonnull(calls = calls_new(&wire));
	ck_assert_ptr_nonnull(mem = kl_arena_new(1 << 16, 1000));
	left = 0;
	full = false;
}

static void
teardown(void)
{
	calls_free(calls);
	calls_free(NULL);
	kl_arena_free(mem);
}

static int
answer(uint32_t request, uint64_t id, struct call *call)
{
	struct kl_reply_msg m = { .version = 1, .request = request,
		.request_id = id, .code = KL_C_OK, .time_ms = 5 };
	struct call_answer a;
	struct kl_bytes frame;

	OK(KL_MESSAGE_PACK_IN(KL_M_REPLY, &m, mem, &frame));
	return calls_take(calls, &frame, 1, mem, call, &a);
}

START_TEST(nothing_leaves_before_the_flush)
{
	const uint8_t key[16] = { 7 };
	struct call call;

	OK(calls_ask(calls, KL_LOG, KL_BYTES_NONE, KL_BYTES_NONE, key));
	ck_assert_uint_eq(left, 0);
	ck_assert(calls_queued(calls));
	/* An answer to what has not left is an answer to nothing. */
	ck_assert_int_eq(answer(KL_LOG, 1, &call), KL_E_NOT_FOUND);
	OK(calls_flush(calls, 10));
	ck_assert_uint_eq(left, 1);
	ck_assert_uint_eq(frames_of_last, 1);
	OK(answer(KL_LOG, 1, &call));
	ck_assert_mem_eq(call.key, key, sizeof key);
	ck_assert_uint_eq(calls_open(calls, 0), 0);
}
END_TEST

START_TEST(ciphertext_is_a_frame_of_its_own)
{
	OK(calls_ask(calls, KL_SUBMIT, kl_bytes_str("m"),
	    kl_bytes_str("ct"), NULL));
	OK(calls_flush(calls, 10));
	ck_assert_uint_eq(frames_of_last, 2);
}
END_TEST

START_TEST(answers_come_in_any_order)
{
	struct call call;

	for (int i = 0; i < 3; i++)
		OK(calls_ask(calls, i == 1 ? KL_FETCH : KL_LOG,
		    KL_BYTES_NONE, KL_BYTES_NONE, NULL));
	OK(calls_flush(calls, 10));
	ck_assert_uint_eq(calls_open(calls, KL_LOG), 2);
	OK(answer(KL_LOG, 3, &call));
	OK(answer(KL_FETCH, 2, &call));
	/* Of another request than was asked. */
	ck_assert_int_eq(answer(KL_FETCH, 1, &call), KL_E_NOT_FOUND);
	OK(answer(KL_LOG, 1, &call));
	/* And once only. */
	ck_assert_int_eq(answer(KL_LOG, 1, &call), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(what_cannot_be_read_is_no_answer)
{
	struct kl_bytes frame = kl_bytes_str("garbage");
	struct call_answer a;
	struct call call;

	ck_assert_int_eq(calls_take(calls, &frame, 1, mem, &call, &a),
	    KL_E_FORMAT);
	ck_assert_int_eq(calls_take(calls, &frame, 0, mem, &call, &a),
	    KL_E_FORMAT);
	ck_assert_uint_eq(call.request, 0);
}
END_TEST

START_TEST(spent_memory_is_told)
{
	struct kl_reply_msg m = { .version = 1, .request = KL_LOG,
		.request_id = 1, .code = KL_C_OK, .time_ms = 5 };
	struct kl_arena *small = kl_arena_new(16, 1);
	struct call_answer a;
	struct kl_bytes frame;
	struct call call;

	ck_assert_ptr_nonnull(small);
	OK(KL_MESSAGE_PACK_IN(KL_M_REPLY, &m, mem, &frame));
	ck_assert_int_eq(calls_take(calls, &frame, 1, small, &call, &a),
	    KL_E_MEMORY);
	kl_arena_free(small);
}
END_TEST

START_TEST(link_that_is_full_says_again)
{
	OK(calls_ask(calls, KL_LOG, KL_BYTES_NONE, KL_BYTES_NONE, NULL));
	full = true;
	ck_assert_int_eq(calls_flush(calls, 10), KL_E_AGAIN);
	ck_assert(!calls_queued(calls));
}
END_TEST

START_TEST(unanswered_is_overdue_after_forty_seconds)
{
	ck_assert_int_lt(calls_wait_ms(calls, 0), 0);
	OK(calls_ask(calls, KL_LOG, KL_BYTES_NONE, KL_BYTES_NONE, NULL));
	OK(calls_flush(calls, 10));
	ck_assert(!calls_overdue(calls, 10 + CALLS_TIMEOUT_MS - 1));
	ck_assert_int_eq(calls_wait_ms(calls, 10), CALLS_TIMEOUT_MS);
	ck_assert(calls_overdue(calls, 10 + CALLS_TIMEOUT_MS));
}
END_TEST

START_TEST(lost_ones_come_out_one_by_one)
{
	struct call call;

	OK(calls_ask(calls, KL_LOG, KL_BYTES_NONE, KL_BYTES_NONE, NULL));
	OK(calls_flush(calls, 10));
	OK(calls_ask(calls, KL_FETCH, KL_BYTES_NONE, KL_BYTES_NONE, NULL));
	OK(calls_lose(calls, &call));
	OK(calls_lose(calls, &call));
	ck_assert_int_eq(calls_lose(calls, &call), KL_E_EMPTY);
	OK(calls_flush(calls, 10));
	ck_assert_uint_eq(left, 1);
}
END_TEST

START_TEST(table_has_an_end)
{
	for (int i = 0; i < CALLS_MAX; i++)
		OK(calls_ask(calls, KL_LOG, KL_BYTES_NONE, KL_BYTES_NONE,
		    NULL));
	ck_assert_int_eq(calls_ask(calls, KL_LOG, KL_BYTES_NONE,
	    KL_BYTES_NONE, NULL), KL_E_FULL);
	OK(calls_flush(calls, 10));
	ck_assert_uint_eq(left, CALLS_MAX);
}
END_TEST

START_TEST(longest_body_fits_and_no_longer_one)
{
	static const uint8_t body[KL_FRAME_MAX];

	OK(calls_ask(calls, KL_LOG, kl_bytes(body, 16000), KL_BYTES_NONE,
	    NULL));
	ck_assert_int_ne(calls_ask(calls, KL_LOG, KL_BYTES_OF(body),
	    KL_BYTES_NONE, NULL), KL_OK);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("calls");
	TCase *t = tcase_create("calls");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, nothing_leaves_before_the_flush);
	tcase_add_test(t, ciphertext_is_a_frame_of_its_own);
	tcase_add_test(t, answers_come_in_any_order);
	tcase_add_test(t, what_cannot_be_read_is_no_answer);
	tcase_add_test(t, spent_memory_is_told);
	tcase_add_test(t, link_that_is_full_says_again);
	tcase_add_test(t, unanswered_is_overdue_after_forty_seconds);
	tcase_add_test(t, lost_ones_come_out_one_by_one);
	tcase_add_test(t, table_has_an_end);
	tcase_add_test(t, longest_body_fits_and_no_longer_one);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
