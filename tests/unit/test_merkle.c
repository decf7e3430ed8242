#include <kortelijn/crypto/merkle.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/secret.h>
#include <tests/support/vectors.h>

#define SIZE 33		/* leaves of the largest tree */

static struct kl_hash leaf[SIZE], root[SIZE + 1];

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	for (size_t i = 0; i < SIZE; i++) {
		uint8_t b = (uint8_t)i;

		leaf[i] = kl_leaf_hash(kl_bytes(&b, 1));
	}
	for (size_t n = 0; n <= SIZE; n++)
		root[n] = kl_tree_root(leaf, n);
}

static struct kl_bytes
numbered(const struct vectors *v, const char *what, size_t i)
{
	char name[32];

	snprintf(name, sizeof name, "%s%zu", what, i);
	return vectors_get(v, name);
}

START_TEST(roots_are_as_the_certificate_transparency_tests_say)
{
	struct vectors *v = vectors_open("merkle.txt");
	struct kl_hash l[8], h;
	struct kl_range r;

	kl_range_init(&r);
	for (size_t n = 0;; n++) {
		h = kl_range_root(&r);
		ck_assert(kl_bytes_equal(KL_BYTES_OF(h.b),
		    numbered(v, "root", n)));
		h = kl_tree_root(l, n);
		ck_assert(kl_bytes_equal(KL_BYTES_OF(h.b),
		    numbered(v, "root", n)));
		if (n == 8)
			break;
		l[n] = kl_leaf_hash(numbered(v, "leaf", n));
		kl_range_append(&r, &l[n]);
	}
	vectors_free(v);
}
END_TEST

START_TEST(record_leaf_is_as_the_vector_says)
{
	struct vectors *v = vectors_open("merkle.txt");
	struct kl_hash h = kl_record_leaf_hash(vectors_get(v, "salt").p,
	    vectors_get(v, "record"));

	ck_assert(kl_bytes_equal(KL_BYTES_OF(h.b),
	    vectors_get(v, "record_leaf")));
	vectors_free(v);
}
END_TEST

START_TEST(tree_divides_at_the_largest_power_of_two_below)
{
	ck_assert_uint_eq(kl_tree_split(2), 1);
	ck_assert_uint_eq(kl_tree_split(3), 2);
	ck_assert_uint_eq(kl_tree_split(4), 2);
	ck_assert_uint_eq(kl_tree_split(5), 4);
	ck_assert_uint_eq(kl_tree_split(1 << 20), 1 << 19);
	ck_assert_uint_eq(kl_tree_split(UINT64_MAX), UINT64_C(1) << 63);
}
END_TEST

START_TEST(range_holds_one_hash_per_set_bit)
{
	struct kl_range r;

	kl_range_init(&r);
	for (uint64_t n = 0; n < 1000; n++) {
		ck_assert_uint_eq(r.size, n);
		ck_assert_int_eq((int)r.n, __builtin_popcountll(n));
		kl_range_append(&r, &leaf[n % SIZE]);
	}
}
END_TEST

START_TEST(every_inclusion_proof_leads_to_the_root)
{
	struct kl_hash p[KL_PROOF_MAX];
	size_t n;

	for (uint64_t size = 1; size <= SIZE; size++)
		for (uint64_t i = 0; i < size; i++) {
			ck_assert_int_eq(kl_prove_inclusion(leaf, size, i, p,
			    &n), KL_OK);
			ck_assert_int_eq(kl_check_inclusion(&leaf[i], i, size,
			    p, n, &root[size]), KL_OK);
		}
}
END_TEST

START_TEST(every_consistency_proof_leads_to_both_roots)
{
	struct kl_hash p[KL_PROOF_MAX];
	size_t n;

	for (uint64_t size = 1; size <= SIZE; size++)
		for (uint64_t old = 1; old <= size; old++) {
			ck_assert_int_eq(kl_prove_consistency(leaf, size, old,
			    p, &n), KL_OK);
			ck_assert_int_eq(kl_check_consistency(old, &root[old],
			    size, &root[size], p, n), KL_OK);
		}
}
END_TEST

/* One claim: what the checks take, in a form that can be changed. */
struct claim {
	uint64_t old_size;	/* 0: inclusion of `leaf` at `index` */
	uint64_t index;
	uint64_t size;
	struct kl_hash leaf, old_root, root;
	struct kl_hash p[KL_PROOF_MAX];
	size_t n;
};

static unsigned refused;

static void
expect_refused(const struct claim *c)
{
	int r;

	if (c->old_size == 0)
		r = kl_check_inclusion(&c->leaf, c->index, c->size, c->p,
		    c->n, &c->root);
	else
		r = kl_check_consistency(c->old_size, &c->old_root, c->size,
		    &c->root, c->p, c->n);
	ck_assert_msg(r == KL_E_SIGNATURE, "accepted %lu %lu %lu",
	    (unsigned long)c->old_size, (unsigned long)c->index,
	    (unsigned long)c->size);
	refused++;
}

static void
flip(struct kl_hash *h, size_t bit)
{
	h->b[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

static void
mutate_hashes(struct claim *c)
{
	struct kl_hash *const ends[] = { c->old_size == 0 ? &c->leaf :
	    &c->old_root, &c->root };

	for (size_t i = 0; i < c->n + 2; i++) {
		struct kl_hash *h = i < c->n ? &c->p[i] : ends[i - c->n];

		for (size_t bit = (i + c->index) % 7; bit < 256; bit += 37) {
			flip(h, bit);
			expect_refused(c);
			flip(h, bit);
		}
	}
}

static void
mutate_order(struct claim *c)
{
	for (size_t i = 0; i + 1 < c->n; i++) {
		struct kl_hash t = c->p[i];

		c->p[i] = c->p[i + 1];
		c->p[i + 1] = t;
		expect_refused(c);
		c->p[i + 1] = c->p[i];
		c->p[i] = t;
	}
}

static void
mutate_length(struct claim *c)
{
	const size_t n = c->n;

	for (c->n = 0; c->n < n; c->n++)
		expect_refused(c);
	c->p[n] = c->root;
	c->n = n + 1;
	expect_refused(c);
	c->n = KL_PROOF_MAX;
	for (size_t i = n; i < c->n; i++)
		c->p[i] = c->root;
	expect_refused(c);
	c->n = n;
}

static void
mutate(struct claim *c)
{
	mutate_hashes(c);
	mutate_order(c);
	mutate_length(c);
}

START_TEST(mutated_inclusion_proofs_are_refused)
{
	struct claim c = { .old_size = 0 };

	for (c.size = 1; c.size <= SIZE; c.size++)
		for (uint64_t i = 0; i < c.size; i++) {
			c.leaf = leaf[i];
			c.root = root[c.size];
			ck_assert_int_eq(kl_prove_inclusion(leaf, c.size, i,
			    c.p, &c.n), KL_OK);
			c.index = i;
			mutate(&c);
			for (c.index = 0; c.index < c.size; c.index++)
				if (c.index != i)
					expect_refused(&c);
		}
	ck_assert_uint_gt(refused, 10000);
}
END_TEST

START_TEST(mutated_consistency_proofs_are_refused)
{
	struct claim c = { .index = 0 };

	for (c.size = 1; c.size <= SIZE; c.size++)
		for (uint64_t old = 1; old <= c.size; old++) {
			c.old_size = old;
			c.old_root = root[old];
			c.root = root[c.size];
			ck_assert_int_eq(kl_prove_consistency(leaf, c.size,
			    old, c.p, &c.n), KL_OK);
			mutate(&c);
		}
	ck_assert_uint_gt(refused, 10000);
}
END_TEST

START_TEST(a_proof_of_one_old_tree_does_not_fit_another)
{
	struct claim c = { .size = SIZE, .root = root[SIZE] };

	for (uint64_t old = 1; old < SIZE; old++) {
		ck_assert_int_eq(kl_prove_consistency(leaf, SIZE, old, c.p,
		    &c.n), KL_OK);
		for (c.old_size = 1; c.old_size < SIZE; c.old_size++) {
			c.old_root = root[c.old_size];
			if (c.old_size != old)
				expect_refused(&c);
		}
	}
}
END_TEST

START_TEST(sizes_out_of_range_answer_value)
{
	struct kl_hash p[KL_PROOF_MAX + 1] = { 0 };
	size_t n;

	ck_assert_int_eq(kl_prove_inclusion(leaf, 3, 3, p, &n), KL_E_VALUE);
	ck_assert_int_eq(kl_prove_inclusion(leaf, 0, 0, p, &n), KL_E_VALUE);
	ck_assert_int_eq(kl_prove_consistency(leaf, 3, 0, p, &n),
	    KL_E_VALUE);
	ck_assert_int_eq(kl_prove_consistency(leaf, 3, 4, p, &n),
	    KL_E_VALUE);
	ck_assert_int_eq(kl_check_inclusion(leaf, 3, 3, p, 0, root),
	    KL_E_VALUE);
	ck_assert_int_eq(kl_check_inclusion(leaf, 0, 0, p, 0, root),
	    KL_E_VALUE);
	ck_assert_int_eq(kl_check_inclusion(leaf, 0, 3, p, KL_PROOF_MAX + 1,
	    root), KL_E_VALUE);
	ck_assert_int_eq(kl_check_consistency(0, root, 3, root, p, 0),
	    KL_E_VALUE);
	ck_assert_int_eq(kl_check_consistency(4, root, 3, root, p, 0),
	    KL_E_VALUE);
	ck_assert_int_eq(kl_check_consistency(2, root, 3, root, p,
	    KL_PROOF_MAX + 1), KL_E_VALUE);
}
END_TEST

START_TEST(the_largest_sizes_are_checked_without_harm)
{
	struct kl_hash p[KL_PROOF_MAX] = { 0 };

	for (size_t n = 0; n <= KL_PROOF_MAX; n++) {
		ck_assert_int_eq(kl_check_inclusion(leaf, UINT64_MAX - 1,
		    UINT64_MAX, p, n, root), KL_E_SIGNATURE);
		ck_assert_int_eq(kl_check_consistency(UINT64_MAX - 1, root,
		    UINT64_MAX, root, p, n), KL_E_SIGNATURE);
		ck_assert_int_eq(kl_check_consistency(UINT64_C(1) << 63,
		    root, UINT64_MAX, root, p, n), KL_E_SIGNATURE);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("merkle");
	TCase *tc = tcase_create("merkle");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, roots_are_as_the_certificate_transparency_tests_say);
	tcase_add_test(tc, record_leaf_is_as_the_vector_says);
	tcase_add_test(tc, tree_divides_at_the_largest_power_of_two_below);
	tcase_add_test(tc, range_holds_one_hash_per_set_bit);
	tcase_add_test(tc, every_inclusion_proof_leads_to_the_root);
	tcase_add_test(tc, every_consistency_proof_leads_to_both_roots);
	tcase_add_test(tc, mutated_inclusion_proofs_are_refused);
	tcase_add_test(tc, mutated_consistency_proofs_are_refused);
	tcase_add_test(tc, a_proof_of_one_old_tree_does_not_fit_another);
	tcase_add_test(tc, sizes_out_of_range_answer_value);
	tcase_add_test(tc, the_largest_sizes_are_checked_without_harm);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
