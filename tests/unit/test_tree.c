#include "broker/core/tree.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core/tables.h"
#include "tests/support/parts.h"

#define MANY 66000u	/* a node of 65536 leaves and some after it */

static struct parts p;
static struct kl_range range;
static struct kl_hash *leaves;

static void
setup(void)
{
	parts_open(&p);
	parts_begin(&p);
	kl_range_init(&range);
	leaves = calloc(MANY, sizeof *leaves);
	ck_assert_ptr_nonnull(leaves);
}

static void
teardown(void)
{
	free(leaves);
	parts_close(&p);
}

/* Leaf 0 is the origin's own row, which is overwritten. */
static void
grow_to(uint64_t size)
{
	while (range.size < size) {
		uint64_t i = range.size;
		uint8_t key[8];

		kl_be64_put(key, i);
		leaves[i] = kl_leaf_hash(kl_bytes(key, sizeof key));
		ck_assert_int_eq(kl_kv_put(p.turn.txn, T_LEAF,
		    kl_bytes(key, sizeof key), KL_BYTES_OF(leaves[i])),
		    KL_OK);
		ck_assert_int_eq(tree_append(p.turn.txn, &range,
		    &leaves[i]), KL_OK);
	}
}

static void
same_inclusion(uint64_t size, uint64_t index)
{
	struct kl_hash want[KL_PROOF_MAX], got[KL_PROOF_MAX];
	size_t n_want, n_got;

	ck_assert_int_eq(kl_prove_inclusion(leaves, size, index, want,
	    &n_want), KL_OK);
	ck_assert_int_eq(tree_prove_inclusion(p.turn.txn, size, index, got,
	    &n_got), KL_OK);
	ck_assert_uint_eq(n_got, n_want);
	ck_assert_mem_eq(got, want, n_want * sizeof want[0]);
}

static void
same_consistency(uint64_t size, uint64_t old_size)
{
	struct kl_hash want[KL_PROOF_MAX], got[KL_PROOF_MAX];
	size_t n_want, n_got;

	ck_assert_int_eq(kl_prove_consistency(leaves, size, old_size, want,
	    &n_want), KL_OK);
	ck_assert_int_eq(tree_prove_consistency(p.turn.txn, size, old_size,
	    got, &n_got), KL_OK);
	ck_assert_uint_eq(n_got, n_want);
	ck_assert_mem_eq(got, want, n_want * sizeof want[0]);
}

START_TEST(proofs_are_those_of_the_whole_tree)
{
	grow_to(70);
	for (uint64_t size = 1; size <= 70; size++)
		for (uint64_t i = 0; i < size; i++) {
			same_inclusion(size, i);
			same_consistency(size, i + 1);
		}
}
END_TEST

START_TEST(proofs_cross_the_stored_nodes)
{
	const uint64_t sizes[] = { 255, 256, 257, 511, 512, 513, 768, 1000 };

	grow_to(1000);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		for (uint64_t at = 0; at < sizes[i]; at += 37) {
			same_inclusion(sizes[i], at);
			same_consistency(sizes[i], at + 1);
		}
}
END_TEST

START_TEST(proofs_cross_nodes_of_nodes)
{
	const uint64_t at[] = { 0, 255, 256, 40000, 65535, 65536, 65999 };

	grow_to(MANY);
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		same_inclusion(MANY, at[i]);
		same_consistency(MANY, at[i] + 1);
	}
}
END_TEST

START_TEST(range_of_any_size_is_the_one_that_grew)
{
	struct kl_range want, got;

	grow_to(600);
	kl_range_init(&want);
	for (uint64_t size = 0; size <= 600; size++) {
		ck_assert_int_eq(tree_range(p.turn.txn, size, &got), KL_OK);
		ck_assert_uint_eq(got.size, want.size);
		ck_assert_uint_eq(got.n, want.n);
		ck_assert_mem_eq(got.h, want.h, want.n * sizeof want.h[0]);
		if (size < 600)
			kl_range_append(&want, &leaves[size]);
	}
}
END_TEST

START_TEST(what_is_not_there_is_told)
{
	struct kl_hash out[KL_PROOF_MAX];
	struct kl_range r;
	size_t n;

	grow_to(10);
	ck_assert_int_eq(tree_range(p.turn.txn, 11, &r), KL_E_NOT_FOUND);
	ck_assert_int_eq(tree_leaf(p.turn.txn, 10, out), KL_E_NOT_FOUND);
	ck_assert_int_eq(tree_prove_inclusion(p.turn.txn, 10, 10, out, &n),
	    KL_E_VALUE);
	ck_assert_int_eq(tree_prove_inclusion(p.turn.txn, 12, 0, out, &n),
	    KL_E_NOT_FOUND);
	ck_assert_int_eq(tree_prove_consistency(p.turn.txn, 10, 0, out, &n),
	    KL_E_VALUE);
	ck_assert_int_eq(tree_prove_consistency(p.turn.txn, 10, 11, out,
	    &n), KL_E_VALUE);
	ck_assert_int_eq(tree_prove_consistency(p.turn.txn, 12, 3, out, &n),
	    KL_E_NOT_FOUND);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(row_without_a_hash_is_damage)
{
	uint8_t key[8] = { 0 };
	struct kl_hash out;

	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_LEAF,
	    kl_bytes(key, sizeof key), kl_bytes_str("short")), KL_OK);
	ck_assert_int_eq(tree_leaf(p.turn.txn, 0, &out), KL_E_DAMAGED);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tree");
	TCase *tc = tcase_create("tree");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, proofs_are_those_of_the_whole_tree);
	tcase_add_test(tc, proofs_cross_the_stored_nodes);
	tcase_add_test(tc, proofs_cross_nodes_of_nodes);
	tcase_add_test(tc, range_of_any_size_is_the_one_that_grew);
	tcase_add_test(tc, what_is_not_there_is_told);
	tcase_add_test(tc, row_without_a_hash_is_damage);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
