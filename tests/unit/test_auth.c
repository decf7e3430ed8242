#include "broker/edge/auth.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct auth *a;

static void
setup(void)
{
	a = auth_new(8);
	ck_assert_ptr_nonnull(a);
}

static void
teardown(void)
{
	auth_free(a);
}

static struct kl_curve_pk
pk(uint8_t first, uint8_t last)
{
	struct kl_curve_pk k = { .b = { 0 } };

	k.b[7] = first;		/* of the place in the table */
	k.b[31] = last;
	return k;
}

static int
set(struct kl_curve_pk k, enum pipe_verdict verdict)
{
	const struct pipe_key key = { .pk = k, .verdict = verdict };

	return auth_set(a, &key);
}

static enum kl_link_verdict
admit(struct kl_curve_pk k)
{
	return auth_admit(a, &k);
}

START_TEST(verdict_of_core_decides)
{
	ck_assert_int_eq(admit(pk(1, 1)), KL_LINK_NOT_NOW);
	ck_assert_int_eq(set(pk(1, 1), PIPE_KEY_ALLOW), KL_OK);
	ck_assert_int_eq(admit(pk(1, 1)), KL_LINK_ALLOW);
	ck_assert_int_eq(set(pk(1, 1), PIPE_KEY_FORGET), KL_OK);
	ck_assert_int_eq(admit(pk(1, 1)), KL_LINK_NOT_NOW);
	ck_assert_int_eq(set(pk(1, 1), PIPE_KEY_ALLOW), KL_OK);
	ck_assert_int_eq(admit(pk(1, 1)), KL_LINK_ALLOW);
}
END_TEST

START_TEST(revoked_key_stays_revoked)
{
	ck_assert_int_eq(set(pk(1, 1), PIPE_KEY_REVOKED), KL_OK);
	ck_assert_int_eq(admit(pk(1, 1)), KL_LINK_NEVER);
	ck_assert_int_eq(set(pk(1, 1), PIPE_KEY_ALLOW), KL_OK);
	ck_assert_int_eq(set(pk(1, 1), PIPE_KEY_FORGET), KL_OK);
	ck_assert_int_eq(admit(pk(1, 1)), KL_LINK_NEVER);
}
END_TEST

START_TEST(keys_in_the_same_place_are_told_apart)
{
	for (uint8_t i = 0; i < 8; i++)
		ck_assert_int_eq(set(pk(15, i), i % 2 == 0 ?
		    PIPE_KEY_ALLOW : PIPE_KEY_REVOKED), KL_OK);
	for (uint8_t i = 0; i < 8; i++)
		ck_assert_int_eq(admit(pk(15, i)), i % 2 == 0 ?
		    KL_LINK_ALLOW : KL_LINK_NEVER);
	ck_assert_int_eq(admit(pk(15, 9)), KL_LINK_NOT_NOW);
}
END_TEST

START_TEST(full_table_takes_no_new_key_but_news_of_old_ones)
{
	for (uint8_t i = 0; i < 8; i++)
		ck_assert_int_eq(set(pk(i, i), PIPE_KEY_ALLOW), KL_OK);
	ck_assert_int_eq(set(pk(9, 9), PIPE_KEY_ALLOW), KL_E_FULL);
	ck_assert_int_eq(admit(pk(9, 9)), KL_LINK_NOT_NOW);
	ck_assert_int_eq(set(pk(3, 3), PIPE_KEY_REVOKED), KL_OK);
	ck_assert_int_eq(admit(pk(3, 3)), KL_LINK_NEVER);
}
END_TEST

START_TEST(peer_keeps_its_account)
{
	struct kl_curve_pk k = pk(1, 1);
	struct auth_peer *p;

	ck_assert_ptr_null(auth_find(a, &k));
	ck_assert_int_eq(set(k, PIPE_KEY_ALLOW), KL_OK);
	p = auth_find(a, &k);
	ck_assert_ptr_nonnull(p);
	p->seen = true;
	p->account.lane[GATE_COMMON].level = 5;
	ck_assert_int_eq(set(k, PIPE_KEY_FORGET), KL_OK);
	ck_assert_ptr_eq(auth_find(a, &k), p);
	ck_assert(p->seen);
	ck_assert_int_eq(p->account.lane[GATE_COMMON].level, 5);
}
END_TEST

START_TEST(free_accepts_null)
{
	auth_free(NULL);
}
END_TEST

START_TEST(table_that_does_not_fit_in_memory_is_not_made)
{
	ck_assert_ptr_null(auth_new(SIZE_MAX / 1024));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("auth");
	TCase *tc = tcase_create("auth");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, verdict_of_core_decides);
	tcase_add_test(tc, revoked_key_stays_revoked);
	tcase_add_test(tc, keys_in_the_same_place_are_told_apart);
	tcase_add_test(tc,
	    full_table_takes_no_new_key_but_news_of_old_ones);
	tcase_add_test(tc, peer_keeps_its_account);
	tcase_add_test(tc, free_accepts_null);
	/* The sanitizers end the process at such an allocation. */
#ifndef __SANITIZE_ADDRESS__
	tcase_add_test(tc, table_that_does_not_fit_in_memory_is_not_made);
#else
	(void)table_that_does_not_fit_in_memory_is_not_made;
#endif
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
