#include <kortelijn/crypto/hash.h>

#include <check.h>
#include <stdlib.h>

#include <kortelijn/crypto/secret.h>
#include <tests/support/vectors.h>

static struct vectors *v;
static struct kl_bytes parts[3];

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	v = vectors_open("hash.txt");
	parts[0] = vectors_get(v, "part0");
	parts[1] = vectors_get(v, "part1");
	parts[2] = vectors_get(v, "part2");
}

static void
teardown(void)
{
	vectors_free(v);
}

#define EXPECT(name, h) \
	ck_assert(kl_bytes_equal(vectors_get(v, name), KL_BYTES_OF((h).b)))

START_TEST(parts_hash_as_the_vectors_say)
{
	struct kl_hash h = kl_hash_parts(parts, 3);
	struct kl_hash160 h160 = kl_hash160_parts(parts, 3);
	struct kl_hash sha = kl_sha256_parts(parts, 3);

	EXPECT("hash", h);
	EXPECT("hash160", h160);
	EXPECT("sha256", sha);
}
END_TEST

START_TEST(keyed_hashes_are_as_the_vectors_say)
{
	struct kl_hash h = kl_hash_keyed(vectors_get(v, "key"), parts, 3);
	struct kl_tag t = kl_tag_keyed(vectors_get(v, "key"), parts, 3);

	EXPECT("keyed", h);
	EXPECT("tag", t);
}
END_TEST

START_TEST(nothing_hashes_as_the_vectors_say)
{
	struct kl_hash h = kl_hash_of(KL_BYTES_NONE);
	struct kl_hash sha = kl_sha256_parts(NULL, 0);

	EXPECT("hash_empty", h);
	EXPECT("sha256_empty", sha);
}
END_TEST

START_TEST(one_part_hashes_as_its_bytes)
{
	struct kl_hash a = kl_hash_of(kl_bytes_str("onethree"));

	EXPECT("hash", a);
}
END_TEST

START_TEST(key_id_is_as_the_vectors_say)
{
	struct vectors *s = vectors_open("sign.txt");
	struct kl_key_id id = kl_key_id_of(vectors_get(s, "public").p);

	ck_assert(kl_bytes_equal(vectors_get(s, "keyid"),
	    KL_BYTES_OF(id.b)));
	vectors_free(s);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("hash");
	TCase *tc = tcase_create("hash");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, parts_hash_as_the_vectors_say);
	tcase_add_test(tc, keyed_hashes_are_as_the_vectors_say);
	tcase_add_test(tc, nothing_hashes_as_the_vectors_say);
	tcase_add_test(tc, one_part_hashes_as_its_bytes);
	tcase_add_test(tc, key_id_is_as_the_vectors_say);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
