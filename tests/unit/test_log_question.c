/*
 * Questions to the broker's log that go through an adapter.
 */
#include "adapters/common/log_question.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/common/access.h"
#include "adapters/common/cases.h"
#include "tests/support/adapter.h"

#define OK(x) ck_assert_int_eq((x), KL_OK)

static struct adapter_region region;
static struct adapter gp, desk;
static struct case_row c;
static struct kl_query_what what;
static struct kl_query q;
static struct kl_bytes body;
static uint32_t code;
static const struct engine_actor by = { .interface = ENGINE_CONTROL,
	.uid = 1000, .role = ENGINE_ROLE_FG, .staff = "fg-1" };
static const struct kl_conv_id none;

static void
setup(void)
{
	adapter_region_make(&region);
	adapter_make(&gp, &region, KL_PRACTICE, "agb:01234567");
	adapter_make(&desk, &region, KL_MUNICIPALITY,
	    "oin:00000001000000000001");
	adapter_meet(&gp, &region, &desk);
	adapter_meet(&desk, &region, &gp);
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_OPENED);
	OK(cases_get(&gp.t, &c.conv, &c));
	memset(&what, 0, sizeof what);
	memset(&q, 0, sizeof q);
	q.want = KL_QUERY_RECORDS;
	memcpy(what.spoken, c.spoken.b, sizeof what.spoken);
}

static void
teardown(void)
{
	adapter_clear(&gp);
	adapter_clear(&desk);
	adapter_region_clear(&region);
}

/* Packs `what` and `q`, hands them over, and reads both as they leave. */
static void
question(void)
{
	if (q.want == KL_QUERY_RECORDS)
		OK(KL_MESSAGE_PACK_IN(KL_M_QUERY_WHAT, &what, gp.t.mem,
		    &q.what));
	OK(KL_MESSAGE_PACK_IN(KL_M_QUERY, &q, gp.t.mem, &body));
	OK(log_question_take(&gp.t, &by, &body, &code));
	ck_assert_uint_eq(code, KL_C_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_QUERY, body, gp.t.mem, &q),
	    KL_C_OK);
	if (q.want == KL_QUERY_RECORDS)
		ck_assert_int_eq(KL_MESSAGE_READ(KL_M_QUERY_WHAT, q.what,
		    gp.t.mem, &what), KL_C_OK);
}

static size_t
lines(const struct kl_conv_id *conv)
{
	struct access_at at = { 0, 0 };
	struct access_line line;
	size_t n = 0;

	while (access_next(&gp.t, conv, &at, &line) == KL_OK)
		if (line.act == ENGINE_ASKED_LOG) {
			ck_assert_str_eq(line.by.staff, "fg-1");
			n++;
		}
	return n;
}

static bool
asks_by_ref(const struct kl_ref *ref)
{
	return memcmp(&what.conv_ref, ref, sizeof *ref) == 0 &&
	    kl_bytes_zero(KL_BYTES_OF(what.spoken));
}

START_TEST(spoken_reference_becomes_the_name_that_the_log_keeps)
{
	what.event = KL_EV_RELEASED;
	question();
	ck_assert(asks_by_ref(&c.ref));
	ck_assert_uint_eq(what.event, KL_EV_RELEASED);
	ck_assert_uint_eq(lines(&c.conv), 1);
	ck_assert_uint_eq(lines(&none), 0);
}
END_TEST

START_TEST(case_that_was_erased_here_is_asked_by_its_name_too)
{
	const struct kl_conv_id conv = c.conv;
	const struct kl_ref ref = c.ref;

	OK(access_log(&gp.t, &by, ENGINE_SAW, &conv));
	OK(cases_forget(&gp.t, &c));
	adapter_commit(&gp);
	OK(store_erase(gp.store));
	store_forget_keys(gp.store);
	question();
	ck_assert(asks_by_ref(&ref));
	ck_assert_uint_eq(lines(&conv), 1);
}
END_TEST

/* The log compares the words of every page with those of the first. */
START_TEST(later_page_is_asked_in_the_same_words_and_is_no_new_line)
{
	question();
	memset(&what, 0, sizeof what);
	memcpy(what.spoken, c.spoken.b, sizeof what.spoken);
	q.ticket = 77;
	q.from = 5;
	question();
	ck_assert(asks_by_ref(&c.ref));
	ck_assert_uint_eq(q.ticket, 77);
	ck_assert_uint_eq(q.from, 5);
	ck_assert_uint_eq(lines(&c.conv), 1);
}
END_TEST

START_TEST(reference_that_is_not_known_here_is_the_brokers_to_know)
{
	memcpy(what.spoken, "ABCDEFGHK", sizeof what.spoken);
	question();
	ck_assert_mem_eq(what.spoken, "ABCDEFGHK", sizeof what.spoken);
	ck_assert_uint_eq(lines(&c.conv), 0);
	ck_assert_uint_eq(lines(&none), 1);
}
END_TEST

START_TEST(question_for_no_one_case_has_a_line_of_no_one_case)
{
	memset(&what, 0, sizeof what);
	what.event = KL_EV_RELEASED;
	question();
	ck_assert_uint_eq(lines(&none), 1);
}
END_TEST

START_TEST(state_of_the_log_is_nobodys_case)
{
	q.want = KL_QUERY_STATE;
	question();
	ck_assert_uint_eq(lines(&none), 0);
}
END_TEST

START_TEST(what_is_no_question_is_refused_and_leaves_no_line)
{
	body = kl_bytes_str("no question");
	OK(log_question_take(&gp.t, &by, &body, &code));
	ck_assert_uint_ne(code, KL_C_OK);
	q.what = kl_bytes_str("no question");
	OK(KL_MESSAGE_PACK_IN(KL_M_QUERY, &q, gp.t.mem, &body));
	OK(log_question_take(&gp.t, &by, &body, &code));
	ck_assert_uint_ne(code, KL_C_OK);
	ck_assert_uint_eq(lines(&none), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("log_question");
	TCase *t = tcase_create("log_question");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t,
	    spoken_reference_becomes_the_name_that_the_log_keeps);
	tcase_add_test(t, case_that_was_erased_here_is_asked_by_its_name_too);
	tcase_add_test(t,
	    later_page_is_asked_in_the_same_words_and_is_no_new_line);
	tcase_add_test(t,
	    reference_that_is_not_known_here_is_the_brokers_to_know);
	tcase_add_test(t, question_for_no_one_case_has_a_line_of_no_one_case);
	tcase_add_test(t, state_of_the_log_is_nobodys_case);
	tcase_add_test(t, what_is_no_question_is_refused_and_leaves_no_line);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
