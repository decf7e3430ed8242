#include <kortelijn/crypto/sign.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tests/support/starve.h>
#include <tests/support/vectors.h>

static const char *const names[KL_LABEL_COUNT] = {
	"env", "card", "revocation", "prekey", "profile", "receipt",
	"withdrawal", "erase_receipt", "notice", "enrol",
};

static struct vectors *v;
static struct kl_secret *sk;
static struct kl_sign_pk pk;
static struct kl_bytes body;

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	v = vectors_open("sign.txt");
	body = vectors_get(v, "body");
	ck_assert_int_eq(kl_sign_from_seed(vectors_get(v, "seed"), &sk),
	    KL_OK);
	ck_assert_int_eq(kl_sign_public(sk, &pk), KL_OK);
}

static void
teardown(void)
{
	kl_secret_free(sk);
	vectors_free(v);
}

static struct kl_bytes
vector_of(const char *prefix, size_t label)
{
	char name[64];

	snprintf(name, sizeof name, "%s_%s", prefix, names[label]);
	return vectors_get(v, name);
}

static struct kl_sig
signature_of(size_t label)
{
	struct kl_sig sig;

	ck_assert_int_eq(kl_sign((enum kl_label)label, body, sk, &sig),
	    KL_OK);
	return sig;
}

START_TEST(labels_are_as_the_vectors_say)
{
	for (size_t i = 0; i < KL_LABEL_COUNT; i++)
		ck_assert(kl_bytes_equal(vector_of("label", i),
		    kl_label_bytes((enum kl_label)i)));
}
END_TEST

START_TEST(no_label_is_a_prefix_of_another)
{
	for (size_t i = 0; i < KL_LABEL_COUNT; i++) {
		struct kl_bytes a = kl_label_bytes((enum kl_label)i);

		ck_assert(memchr(a.p, '\0', a.n) == a.p + a.n - 1);
		for (size_t j = 0; j < KL_LABEL_COUNT; j++) {
			struct kl_bytes b = kl_label_bytes((enum kl_label)j);

			ck_assert(i == j || a.n > b.n ||
			    memcmp(a.p, b.p, a.n) != 0);
		}
	}
}
END_TEST

START_TEST(signatures_are_as_the_vectors_say)
{
	ck_assert(kl_bytes_equal(vectors_get(v, "public"),
	    KL_BYTES_OF(pk.b)));
	for (size_t i = 0; i < KL_LABEL_COUNT; i++) {
		struct kl_sig sig = signature_of(i);

		ck_assert(kl_bytes_equal(vector_of("sig", i),
		    KL_BYTES_OF(sig.b)));
	}
}
END_TEST

START_TEST(a_signature_holds_under_its_own_label_only)
{
	for (size_t i = 0; i < KL_LABEL_COUNT; i++) {
		struct kl_sig sig = signature_of(i);

		for (size_t j = 0; j < KL_LABEL_COUNT; j++)
			ck_assert_int_eq(kl_verify((enum kl_label)j, body,
			    &pk, &sig), i == j ? KL_OK : KL_E_SIGNATURE);
	}
}
END_TEST

START_TEST(verify_refuses_every_flipped_bit)
{
	const struct kl_sig good = signature_of(KL_LABEL_CARD);
	uint8_t b[64];

	for (size_t bit = 0; bit < 8 * sizeof good.b; bit++) {
		struct kl_sig sig = good;

		sig.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(kl_verify(KL_LABEL_CARD, body, &pk, &sig),
		    KL_E_SIGNATURE);
	}
	for (size_t bit = 0; bit < 8 * sizeof pk.b; bit++) {
		struct kl_sign_pk other = pk;

		other.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(kl_verify(KL_LABEL_CARD, body, &other,
		    &good), KL_E_SIGNATURE);
	}
	for (size_t bit = 0; bit < 8 * body.n; bit++) {
		memcpy(b, body.p, body.n);
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(kl_verify(KL_LABEL_CARD,
		    kl_bytes(b, body.n), &pk, &good), KL_E_SIGNATURE);
	}
}
END_TEST

START_TEST(verify_refuses_s_above_the_order)
{
	/* 2^252 + 27742317777372353535851937790883648493, little-endian */
	static const uint8_t order[32] = {
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
		0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
		[31] = 0x10,
	};
	struct kl_sig sig = signature_of(KL_LABEL_CARD);
	unsigned carry = 0;

	for (size_t i = 0; i < 32; i++) {
		carry += (unsigned)sig.b[32 + i] + order[i];
		sig.b[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	ck_assert_uint_eq(carry, 0);
	ck_assert_int_eq(kl_verify(KL_LABEL_CARD, body, &pk, &sig),
	    KL_E_SIGNATURE);
}
END_TEST

/* Under the neutral element, S = 0 and R = neutral would fit any body. */
START_TEST(verify_refuses_keys_of_small_order)
{
	struct vectors *low = vectors_open("small_order.txt");
	struct kl_sig sig = { { 1 } };
	struct kl_bytes value;
	const char *name;
	int seen = 0;

	for (size_t i = 0; vectors_at(low, i, &name, &value); i++) {
		struct kl_sign_pk key;

		if (strncmp(name, "ed25519", 7) != 0)
			continue;
		memcpy(key.b, value.p, sizeof key.b);
		ck_assert_int_eq(kl_verify(KL_LABEL_CARD, body, &key, &sig),
		    KL_E_SIGNATURE);
		seen++;
	}
	ck_assert_int_eq(seen, 11);
	vectors_free(low);
}
END_TEST

START_TEST(bodies_up_to_the_largest_frame_can_be_signed)
{
	static uint8_t big[KL_FRAME_MAX + 1];
	struct kl_sig sig;

	ck_assert_int_eq(kl_sign(KL_LABEL_ERASE_RECEIPT,
	    kl_bytes(big, KL_FRAME_MAX), sk, &sig), KL_OK);
	ck_assert_int_eq(kl_verify(KL_LABEL_ERASE_RECEIPT,
	    kl_bytes(big, KL_FRAME_MAX), &pk, &sig), KL_OK);
	ck_assert_int_eq(kl_verify(KL_LABEL_ERASE_RECEIPT,
	    kl_bytes(big, KL_FRAME_MAX + 1), &pk, &sig), KL_E_SIZE);
	ck_assert_int_eq(kl_sign(KL_LABEL_ERASE_RECEIPT,
	    kl_bytes(big, KL_FRAME_MAX + 1), sk, &sig), KL_E_SIZE);
	ck_assert(kl_bytes_zero(KL_BYTES_OF(sig.b)));
}
END_TEST

START_TEST(nothing_can_be_signed)
{
	struct kl_sig sig;

	ck_assert_int_eq(kl_sign(KL_LABEL_NOTICE, KL_BYTES_NONE, sk, &sig),
	    KL_OK);
	ck_assert_int_eq(kl_verify(KL_LABEL_NOTICE, KL_BYTES_NONE, &pk,
	    &sig), KL_OK);
}
END_TEST

START_TEST(a_secret_of_another_length_is_no_signing_key)
{
	struct kl_secret *other = kl_secret_random(32), *made;
	struct kl_bytes seed = vectors_get(v, "seed");
	struct kl_sign_pk out;
	struct kl_sig sig;

	ck_assert_int_eq(kl_sign(KL_LABEL_CARD, body, other, &sig),
	    KL_E_VALUE);
	ck_assert_int_eq(kl_sign_note(kl_bytes_str("a\n"), other, &sig),
	    KL_E_VALUE);
	ck_assert_int_eq(kl_sign_public(other, &out), KL_E_VALUE);
	ck_assert_int_eq(kl_sign_from_seed(kl_bytes(seed.p, 31), &made),
	    KL_E_VALUE);
	ck_assert_ptr_null(made);
	kl_secret_free(other);
}
END_TEST

START_TEST(keypair_makes_a_new_pair_that_fits)
{
	struct kl_secret *a, *b;
	struct kl_sign_pk apk, bpk;
	struct kl_sig sig;

	ck_assert_int_eq(kl_sign_keypair(&apk, &a), KL_OK);
	ck_assert_int_eq(kl_sign_keypair(&bpk, &b), KL_OK);
	ck_assert_mem_ne(apk.b, bpk.b, sizeof apk.b);
	ck_assert_int_eq(kl_sign(KL_LABEL_ENROL, body, a, &sig), KL_OK);
	ck_assert_int_eq(kl_verify(KL_LABEL_ENROL, body, &apk, &sig), KL_OK);
	ck_assert_int_eq(kl_verify(KL_LABEL_ENROL, body, &bpk, &sig),
	    KL_E_SIGNATURE);
	kl_secret_free(a);
	kl_secret_free(b);
}
END_TEST

static int
make_pair(void *arg)
{
	struct kl_sign_pk p;
	struct kl_secret *s;

	(void)arg;
	return kl_sign_keypair(&p, &s);
}

START_TEST(keypair_answers_memory_when_none_is_left)
{
	ck_assert_int_eq(starve_run(make_pair, NULL), KL_E_MEMORY);
}
END_TEST

START_TEST(notes_end_in_a_newline_and_hold_no_zero)
{
	static const struct {
		const char *p;
		size_t n;
	} bad[] = { { "", 0 }, { "no newline", 10 }, { "a\0b\n", 4 },
		{ "\0\n", 2 } };
	const struct kl_bytes good = kl_bytes_str("a note\n");
	struct kl_sig sig;

	ck_assert_int_eq(kl_sign_note(good, sk, &sig), KL_OK);
	ck_assert_int_eq(kl_verify_note(good, &pk, &sig), KL_OK);
	ck_assert_int_eq(kl_verify_note(kl_bytes_str("b note\n"), &pk, &sig),
	    KL_E_SIGNATURE);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct kl_bytes b = kl_bytes(bad[i].p, bad[i].n);

		ck_assert_int_eq(kl_verify_note(b, &pk, &sig), KL_E_FORMAT);
		ck_assert_int_eq(kl_sign_note(b, sk, &sig), KL_E_FORMAT);
	}
}
END_TEST

START_TEST(labelled_bytes_can_not_pass_as_a_note)
{
	char b[128];
	struct kl_bytes label = kl_label_bytes(KL_LABEL_CARD);
	struct kl_sig sig;

	memcpy(b, label.p, label.n);
	b[label.n] = '\n';
	ck_assert_int_eq(kl_sign(KL_LABEL_CARD, kl_bytes_str("\n"), sk,
	    &sig), KL_OK);
	ck_assert_int_eq(kl_verify_note(kl_bytes(b, label.n + 1), &pk, &sig),
	    KL_E_FORMAT);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sign");
	TCase *tc = tcase_create("sign");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, labels_are_as_the_vectors_say);
	tcase_add_test(tc, no_label_is_a_prefix_of_another);
	tcase_add_test(tc, signatures_are_as_the_vectors_say);
	tcase_add_test(tc, a_signature_holds_under_its_own_label_only);
	tcase_add_test(tc, verify_refuses_every_flipped_bit);
	tcase_add_test(tc, verify_refuses_s_above_the_order);
	tcase_add_test(tc, verify_refuses_keys_of_small_order);
	tcase_add_test(tc, bodies_up_to_the_largest_frame_can_be_signed);
	tcase_add_test(tc, nothing_can_be_signed);
	tcase_add_test(tc, a_secret_of_another_length_is_no_signing_key);
	tcase_add_test(tc, keypair_makes_a_new_pair_that_fits);
	tcase_add_test(tc, keypair_answers_memory_when_none_is_left);
	tcase_add_test(tc, notes_end_in_a_newline_and_hold_no_zero);
	tcase_add_test(tc, labelled_bytes_can_not_pass_as_a_note);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
