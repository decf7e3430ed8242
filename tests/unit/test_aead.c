#include <kortelijn/crypto/aead.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/secret.h>
#include <tests/support/vectors.h>

#define MAX 256

static struct vectors *v;
static struct kl_bytes key, ad, plain, sealed;

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	v = vectors_open("aead.txt");
	key = vectors_get(v, "key");
	ad = vectors_get(v, "ad");
	plain = vectors_get(v, "plain");
	sealed = vectors_get(v, "sealed");
}

static void
teardown(void)
{
	vectors_free(v);
}

START_TEST(open_reads_the_vector)
{
	uint8_t out[MAX];

	ck_assert_uint_eq(sealed.n, plain.n + KL_AEAD_EXTRA);
	ck_assert_int_eq(kl_aead_open(key, ad, sealed, out), KL_OK);
	ck_assert_mem_eq(out, plain.p, plain.n);
}
END_TEST

START_TEST(encrypt_makes_the_bytes_of_the_vector)
{
	uint8_t out[MAX];

	kl_aead_encrypt(key, vectors_get(v, "nonce").p, ad, plain, out);
	ck_assert_mem_eq(out, sealed.p + KL_AEAD_NONCE_BYTES,
	    sealed.n - KL_AEAD_NONCE_BYTES);
}
END_TEST

START_TEST(seal_takes_a_new_nonce_each_time)
{
	uint8_t a[MAX], b[MAX], out[MAX];

	kl_aead_seal(key, ad, plain, a);
	kl_aead_seal(key, ad, plain, b);
	ck_assert_mem_ne(a, b, KL_AEAD_NONCE_BYTES);
	ck_assert_int_eq(kl_aead_open(key, ad, kl_bytes(b, sealed.n), out),
	    KL_OK);
	ck_assert_mem_eq(out, plain.p, plain.n);
}
END_TEST

START_TEST(a_nonce_drawn_ahead_serves_once)
{
	static struct kl_random_pool pool;
	uint8_t a[MAX], b[MAX], out[MAX];

	kl_aead_seal_drawn(&pool, key, ad, plain, a);
	kl_aead_seal_drawn(&pool, key, ad, plain, b);
	ck_assert_mem_ne(a, b, KL_AEAD_NONCE_BYTES);
	ck_assert_int_eq(kl_aead_open(key, ad, kl_bytes(b, sealed.n), out),
	    KL_OK);
	ck_assert_mem_eq(out, plain.p, plain.n);
}
END_TEST

START_TEST(nothing_can_be_sealed)
{
	uint8_t a[KL_AEAD_EXTRA], out[1] = { 0x5a };

	kl_aead_seal(key, KL_BYTES_NONE, KL_BYTES_NONE, a);
	ck_assert_int_eq(kl_aead_open(key, KL_BYTES_NONE, KL_BYTES_OF(a),
	    out), KL_OK);
	ck_assert_uint_eq(out[0], 0x5a);
}
END_TEST

static void
expect_refused(struct kl_bytes k, struct kl_bytes a, struct kl_bytes in)
{
	uint8_t out[MAX];

	memset(out, 0x5a, sizeof out);
	ck_assert_int_eq(kl_aead_open(k, a, in, out), KL_E_SIGNATURE);
	ck_assert(kl_bytes_zero(kl_bytes(out, in.n - KL_AEAD_EXTRA)));
	ck_assert_uint_eq(out[in.n - KL_AEAD_EXTRA], 0x5a);
}

START_TEST(open_refuses_every_flipped_bit)
{
	uint8_t buf[MAX];

	for (size_t bit = 0; bit < 8 * sealed.n; bit++) {
		memcpy(buf, sealed.p, sealed.n);
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		expect_refused(key, ad, kl_bytes(buf, sealed.n));
	}
}
END_TEST

START_TEST(open_refuses_another_key_and_other_data)
{
	uint8_t k[KL_AEAD_KEY_BYTES];

	memcpy(k, key.p, sizeof k);
	k[31] ^= 1;
	expect_refused(KL_BYTES_OF(k), ad, sealed);
	expect_refused(key, kl_bytes(ad.p, ad.n - 1), sealed);
	expect_refused(key, KL_BYTES_NONE, sealed);
}
END_TEST

START_TEST(open_refuses_cut_bytes)
{
	for (size_t n = KL_AEAD_EXTRA; n < sealed.n; n++)
		expect_refused(key, ad, kl_bytes(sealed.p, n));
}
END_TEST

START_TEST(open_answers_size_below_nonce_and_tag)
{
	uint8_t out[MAX] = { 0x5a };

	for (size_t n = 0; n < KL_AEAD_EXTRA; n++)
		ck_assert_int_eq(kl_aead_open(key, ad,
		    kl_bytes(sealed.p, n), out), KL_E_SIZE);
	ck_assert_int_eq(kl_aead_decrypt(key, sealed.p, ad,
	    kl_bytes(sealed.p, KL_AEAD_TAG_BYTES - 1), out), KL_E_SIZE);
	ck_assert_uint_eq(out[0], 0x5a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("aead");
	TCase *tc = tcase_create("aead");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, open_reads_the_vector);
	tcase_add_test(tc, encrypt_makes_the_bytes_of_the_vector);
	tcase_add_test(tc, seal_takes_a_new_nonce_each_time);
	tcase_add_test(tc, a_nonce_drawn_ahead_serves_once);
	tcase_add_test(tc, nothing_can_be_sealed);
	tcase_add_test(tc, open_refuses_every_flipped_bit);
	tcase_add_test(tc, open_refuses_another_key_and_other_data);
	tcase_add_test(tc, open_refuses_cut_bytes);
	tcase_add_test(tc, open_answers_size_below_nonce_and_tag);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
