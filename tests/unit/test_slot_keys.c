#include <kortelijn/host/slot_keys.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/secret.h>

#include "tests/support/tmpdir.h"

/* More than are held, so that two slots share a place. */
#define COUNT (KL_SLOT_KEYS + 8u)

static struct tmpdir dir;
static struct kl_slots *slots;
static struct kl_slot_keys keys;

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	dir = tmpdir_make();
	ck_assert_int_eq(kl_slots_open(dir.path, COUNT,
	    KL_ERASURE_BEST_EFFORT, &slots), KL_OK);
}

static void
teardown(void)
{
	kl_slots_close(slots);
	slots = NULL;
	kl_slot_keys_forget(&keys);
	tmpdir_remove(&dir);
}

/* What the module lends is what the file has. */
static bool
lends_the_file_s_key(uint32_t slot)
{
	const struct kl_slot_key *lent;
	struct kl_slot_key k;

	ck_assert_int_eq(kl_slots_key(slots, slot, &k), KL_OK);
	ck_assert_int_eq(kl_slot_keys_get(&keys, slots, slot, &lent), KL_OK);
	return memcmp(k.b, lent->b, sizeof k.b) == 0;
}

START_TEST(lends_the_key_of_each_slot)
{
	for (int round = 0; round < 2; round++)
		for (uint32_t i = 0; i < COUNT; i++)
			ck_assert(lends_the_file_s_key(i));
}
END_TEST

START_TEST(slots_that_share_a_place_keep_their_own_keys)
{
	for (int round = 0; round < 3; round++) {
		ck_assert(lends_the_file_s_key(3));
		ck_assert(lends_the_file_s_key(3 + KL_SLOT_KEYS));
	}
}
END_TEST

START_TEST(zeroed_slot_has_no_key_any_more)
{
	const struct kl_slot_key *lent;

	ck_assert(lends_the_file_s_key(5));
	ck_assert(lends_the_file_s_key(6));
	ck_assert_int_eq(kl_slot_keys_zero(&keys, slots, 5), KL_OK);
	ck_assert(kl_bytes_zero(KL_BYTES_OF(keys.at[5].key)));
	ck_assert_int_eq(kl_slot_keys_get(&keys, slots, 5, &lent),
	    KL_E_NOT_FOUND);
	ck_assert(lends_the_file_s_key(6));
}
END_TEST

START_TEST(refilled_slot_has_its_new_key)
{
	ck_assert(lends_the_file_s_key(5));
	ck_assert_int_eq(kl_slot_keys_zero(&keys, slots, 5), KL_OK);
	ck_assert_int_eq(kl_slots_sync(slots), KL_OK);
	ck_assert_int_eq(kl_slots_refill(slots, 1), 1);
	ck_assert(lends_the_file_s_key(5));
}
END_TEST

START_TEST(errors_of_the_slots_are_answered)
{
	const struct kl_slot_key *lent;

	ck_assert_int_eq(kl_slot_keys_get(&keys, slots, COUNT, &lent),
	    KL_E_VALUE);
	ck_assert_int_eq(kl_slot_keys_zero(&keys, slots, COUNT), KL_E_VALUE);
}
END_TEST

START_TEST(forgetting_leaves_nothing)
{
	for (uint32_t i = 0; i < COUNT; i++)
		ck_assert(lends_the_file_s_key(i));
	kl_slot_keys_forget(&keys);
	ck_assert(kl_bytes_zero(KL_BYTES_OF(keys)));
	ck_assert(lends_the_file_s_key(7));
}
END_TEST

static Suite *
slot_keys_suite(void)
{
	Suite *s = suite_create("slot_keys");
	TCase *tc = tcase_create("slot_keys");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, lends_the_key_of_each_slot);
	tcase_add_test(tc, slots_that_share_a_place_keep_their_own_keys);
	tcase_add_test(tc, zeroed_slot_has_no_key_any_more);
	tcase_add_test(tc, refilled_slot_has_its_new_key);
	tcase_add_test(tc, errors_of_the_slots_are_answered);
	tcase_add_test(tc, forgetting_leaves_nothing);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *sr = srunner_create(slot_keys_suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
