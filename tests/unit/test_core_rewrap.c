/* The slot file anew: when, and what it leaves as it was. */
#include <check.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/base/time.h>

#include "broker/core/rewrap.h"
#include "tests/support/shell.h"

static struct shell s;
static struct letter l;

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	shell_open(&s);
	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
	letter_referral(&l, &s.practice, &s.desk);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
}

static void
teardown(void)
{
	shell_close(&s);
}

static int64_t
made_ms(void)
{
	return kl_slots_made_ms(s.core->vault.slots);
}

/* As long as there is something to do. */
static void
turns(void)
{
	do
		shell_turn(&s);
	while (rewrap_waits(s.core));
}

static void
later(int64_t ms)
{
	s.core->clock.offset_ms += ms;
}

START_TEST(new_store_is_as_good_as_rewrapped)
{
	turns();
	ck_assert_int_lt(made_ms(), LETTERS_NOW_MS + KL_HOUR_MS);
	ck_assert(!rewrap_overdue(s.core));
}
END_TEST

START_TEST(night_brings_a_rewrap_and_mail_is_there_as_before)
{
	struct shell_items i;

	later(KL_DAY_MS);
	turns();
	ck_assert_int_ge(made_ms(), LETTERS_NOW_MS + KL_DAY_MS);
	turns();
	i = shell_fetch(&s, &s.desk, 0);
	ck_assert_uint_eq(i.n_ct, 1);
	ck_assert_mem_eq(i.item[0].content.p, l.envelope.b, l.envelope.n);
	shell_restart(&s, LETTERS_NOW_MS + KL_DAY_MS);
	ck_assert_int_ge(made_ms(), LETTERS_NOW_MS + KL_DAY_MS);
	shell_begin(&s, &s.desk);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 1);
}
END_TEST

START_TEST(night_that_was_missed_is_made_good_at_the_start)
{
	shell_restart(&s, LETTERS_NOW_MS + 3 * KL_DAY_MS);
	turns();
	ck_assert_int_ge(made_ms(), LETTERS_NOW_MS + 3 * KL_DAY_MS);
}
END_TEST

START_TEST(operator_gets_one_at_once)
{
	later(1000);
	rewrap_ask(s.core);
	ck_assert(rewrap_waits(s.core));
	turns();
	ck_assert_int_ge(made_ms(), LETTERS_NOW_MS + 1000);
	ck_assert_int_eq(s.core->rewrap.failed, KL_OK);
}
END_TEST

START_TEST(zeroed_slots_can_be_taken_again_after_it)
{
	const uint32_t free_before = kl_slots_free(s.core->vault.slots);

	(void)shell_fetch(&s, &s.desk, 0);
	ck_assert_int_eq(shell_receipt(&s, &s.desk, &l, KL_OPENED,
	    KL_C_OK), KL_C_OK);
	turns();
	ck_assert_uint_eq(kl_slots_zeroed(s.core->vault.slots), 1);
	rewrap_ask(s.core);
	turns();
	ck_assert_uint_eq(kl_slots_zeroed(s.core->vault.slots), 0);
	ck_assert_uint_eq(kl_slots_free(s.core->vault.slots),
	    free_before + 1);
}
END_TEST

START_TEST(what_fails_is_told_and_tried_again_later)
{
	struct tmpdir_path in_the_way = shell_file(&s, "state/slots.new");

	ck_assert_int_eq(mkdir(in_the_way.b, 0700), 0);
	later(3 * KL_DAY_MS);
	turns();
	ck_assert_int_eq(s.core->rewrap.failed, KL_E_IO);
	ck_assert(rewrap_overdue(s.core));
	ck_assert_int_gt(s.core->rewrap.retry_ms, 0);
	ck_assert_int_lt(made_ms(), LETTERS_NOW_MS + KL_HOUR_MS);
	ck_assert_int_eq(rmdir(in_the_way.b), 0);
	/* Not at once, unless somebody asks. */
	turns();
	ck_assert_int_lt(made_ms(), LETTERS_NOW_MS + KL_HOUR_MS);
	rewrap_ask(s.core);
	turns();
	ck_assert_int_eq(s.core->rewrap.failed, KL_OK);
	ck_assert(!rewrap_overdue(s.core));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("core_rewrap");
	TCase *tc = tcase_create("core_rewrap");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, new_store_is_as_good_as_rewrapped);
	tcase_add_test(tc, night_brings_a_rewrap_and_mail_is_there_as_before);
	tcase_add_test(tc, night_that_was_missed_is_made_good_at_the_start);
	tcase_add_test(tc, operator_gets_one_at_once);
	tcase_add_test(tc, zeroed_slots_can_be_taken_again_after_it);
	tcase_add_test(tc, what_fails_is_told_and_tried_again_later);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
