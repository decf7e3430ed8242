#include <kortelijn/crypto/seal.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <tests/support/starve.h>
#include <tests/support/vectors.h>

#define BLOCK 1280

static struct vectors *v;
static struct kl_secret *eph, *pre;
static struct kl_message_key key;
static struct kl_seal_context ctx;

static void
take(const char *name, void *out, size_t n)
{
	struct kl_bytes b = vectors_get(v, name);

	ck_assert_uint_eq(b.n, n);
	memcpy(out, b.p, n);
}

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	v = vectors_open("seal.txt");
	eph = kl_secret_copy(vectors_get(v, "ephemeral_secret"));
	pre = kl_secret_copy(vectors_get(v, "prekey_secret"));
	take("key", key.b, 32);
	take("ephemeral", ctx.ephemeral.b, 32);
	take("prekey", ctx.prekey.b, 32);
	take("sender", ctx.sender.b, 32);
	take("receiver", ctx.receiver.b, 24);
	ctx.consent = vectors_get(v, "consent");
	ctx.header = vectors_get(v, "header");
}

static void
teardown(void)
{
	kl_secret_free(eph);
	kl_secret_free(pre);
	vectors_free(v);
}

static bool
derives(const struct kl_secret *sk, const struct kl_dh_pk *peer,
    const struct kl_seal_context *c, const char *name)
{
	struct kl_message_key k;

	ck_assert_int_eq(kl_seal_key(sk, peer, c, &k), KL_OK);
	return kl_bytes_equal(KL_BYTES_OF(k.b), vectors_get(v, name));
}

START_TEST(both_sides_derive_the_key_of_the_vector)
{
	ck_assert(derives(eph, &ctx.prekey, &ctx, "key"));
	ck_assert(derives(pre, &ctx.ephemeral, &ctx, "key"));
	ctx.consent = KL_BYTES_NONE;
	ck_assert(derives(eph, &ctx.prekey, &ctx, "key_no_consent"));
}
END_TEST

START_TEST(every_part_of_the_context_changes_the_key)
{
	const struct kl_seal_context good = ctx;
	uint8_t *const at[] = {
		ctx.ephemeral.b, ctx.prekey.b + 31, ctx.sender.b,
		ctx.sender.b + 31, (uint8_t *)ctx.receiver.b + 23,
	};

	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		ctx = good;
		*at[i] ^= 1;
		ck_assert(!derives(pre, &good.ephemeral, &ctx, "key"));
	}
	ctx = good;
	ctx.consent.n--;
	ck_assert(!derives(pre, &good.ephemeral, &ctx, "key"));
	ctx = good;
	ctx.header.n--;
	ck_assert(!derives(pre, &good.ephemeral, &ctx, "key"));
}
END_TEST

START_TEST(another_key_pair_derives_another_key)
{
	struct kl_secret *sk;
	struct kl_dh_pk pk;

	ck_assert_int_eq(kl_dh_keypair(&pk, &sk), KL_OK);
	ck_assert(!kl_bytes_zero(KL_BYTES_OF(pk.b)));
	ck_assert(!derives(sk, &ctx.ephemeral, &ctx, "key"));
	ck_assert(!derives(pre, &pk, &ctx, "key"));
	kl_secret_free(sk);
}
END_TEST

START_TEST(a_fresh_key_is_the_receivers_too_and_never_the_same)
{
	struct kl_message_key sender, again, receiver;
	struct kl_seal_context c = ctx;

	ck_assert_int_eq(kl_seal_key_fresh(&c, &sender), KL_OK);
	ck_assert_int_eq(kl_seal_key(pre, &c.ephemeral, &c, &receiver),
	    KL_OK);
	ck_assert_mem_eq(sender.b, receiver.b, 32);
	ck_assert_int_eq(kl_seal_key_fresh(&c, &again), KL_OK);
	ck_assert_mem_ne(sender.b, again.b, 32);
}
END_TEST

START_TEST(public_halves_are_as_the_vectors_say)
{
	struct kl_dh_pk pk;

	ck_assert_int_eq(kl_dh_public(eph, &pk), KL_OK);
	ck_assert_mem_eq(pk.b, ctx.ephemeral.b, 32);
	ck_assert_int_eq(kl_dh_public(pre, &pk), KL_OK);
	ck_assert_mem_eq(pk.b, ctx.prekey.b, 32);
}
END_TEST

START_TEST(points_of_small_order_are_refused)
{
	struct vectors *low = vectors_open("small_order.txt");
	struct kl_bytes value;
	const char *name;
	int seen = 0;

	for (size_t i = 0; vectors_at(low, i, &name, &value); i++) {
		struct kl_message_key k = key;
		struct kl_dh_pk point;

		if (strncmp(name, "x25519", 6) != 0)
			continue;
		memcpy(point.b, value.p, sizeof point.b);
		ck_assert_int_eq(kl_seal_key(pre, &point, &ctx, &k),
		    KL_E_VALUE);
		ck_assert(kl_bytes_zero(KL_BYTES_OF(k.b)));
		k = key;
		ctx.prekey = point;
		ck_assert_int_eq(kl_seal_key_fresh(&ctx, &k), KL_E_VALUE);
		ck_assert(kl_bytes_zero(KL_BYTES_OF(k.b)));
		seen++;
	}
	ck_assert_int_eq(seen, 12);
	vectors_free(low);
}
END_TEST

START_TEST(a_secret_of_another_length_is_refused)
{
	struct kl_secret *sk = kl_secret_random(64);
	struct kl_message_key k = key;
	struct kl_dh_pk pk;

	ck_assert_int_eq(kl_seal_key(sk, &ctx.prekey, &ctx, &k), KL_E_VALUE);
	ck_assert(kl_bytes_zero(KL_BYTES_OF(k.b)));
	ck_assert_int_eq(kl_dh_public(sk, &pk), KL_E_VALUE);
	kl_secret_free(sk);
}
END_TEST

static int
starved_pair(void *arg)
{
	struct kl_dh_pk pk;
	struct kl_secret *sk;

	(void)arg;
	return kl_dh_keypair(&pk, &sk);
}

START_TEST(memory_is_answered_when_none_is_left)
{
	ck_assert_int_eq(starve_run(starved_pair, NULL), KL_E_MEMORY);
}
END_TEST

START_TEST(commitment_is_as_the_vector_says)
{
	struct kl_hash h = kl_seal_commit(&key);

	ck_assert(kl_bytes_equal(KL_BYTES_OF(h.b),
	    vectors_get(v, "commit")));
}
END_TEST

START_TEST(ciphertext_is_as_the_vector_says)
{
	struct kl_bytes plain = vectors_get(v, "plain");
	struct kl_bytes want = vectors_get(v, "ciphertext");
	uint8_t buf[BLOCK], ct[BLOCK + 16];
	const uint8_t *nonce = vectors_get(v, "nonce").p;

	memcpy(buf, plain.p, plain.n);
	ck_assert_int_eq(kl_seal_pad(buf, plain.n, BLOCK), KL_OK);
	ck_assert(kl_bytes_equal(KL_BYTES_OF(buf),
	    vectors_get(v, "padded")));
	kl_seal_encrypt(&key, nonce, ctx.header, KL_BYTES_OF(buf), ct);
	ck_assert(kl_bytes_equal(KL_BYTES_OF(ct), want));
}
END_TEST

START_TEST(decrypt_and_unpad_give_the_plain_text_back)
{
	struct kl_bytes plain = vectors_get(v, "plain");
	const uint8_t *nonce = vectors_get(v, "nonce").p;
	uint8_t buf[BLOCK];
	size_t n;

	ck_assert_int_eq(kl_seal_decrypt(&key, nonce, ctx.header,
	    vectors_get(v, "ciphertext"), buf), KL_OK);
	ck_assert_int_eq(kl_seal_unpad(buf, BLOCK, &n), KL_OK);
	ck_assert(kl_bytes_equal(kl_bytes(buf, n), plain));
}
END_TEST

START_TEST(decrypt_refuses_changes_and_leaves_nothing)
{
	struct kl_bytes ct = vectors_get(v, "ciphertext");
	const uint8_t *nonce = vectors_get(v, "nonce").p;
	uint8_t in[BLOCK + 16], buf[BLOCK];

	for (size_t i = 0; i < ct.n; i++) {
		memcpy(in, ct.p, ct.n);
		in[i] ^= (uint8_t)(1 << i % 8);
		memset(buf, 0x5a, sizeof buf);
		ck_assert_int_eq(kl_seal_decrypt(&key, nonce, ctx.header,
		    KL_BYTES_OF(in), buf), KL_E_SIGNATURE);
		ck_assert(kl_bytes_zero(KL_BYTES_OF(buf)));
	}
	ctx.header.n--;
	ck_assert_int_eq(kl_seal_decrypt(&key, nonce, ctx.header, ct, buf),
	    KL_E_SIGNATURE);
	ck_assert_int_eq(kl_seal_decrypt(&key, nonce, ctx.header,
	    kl_bytes(ct.p, 15), buf), KL_E_SIZE);
}
END_TEST

START_TEST(padding_comes_off_at_every_length)
{
	uint8_t buf[128];
	size_t n;

	for (size_t i = 0; i < sizeof buf; i++) {
		memset(buf, 0x80, sizeof buf);
		ck_assert_int_eq(kl_seal_pad(buf, i, sizeof buf), KL_OK);
		ck_assert_int_eq(kl_seal_unpad(buf, sizeof buf, &n), KL_OK);
		ck_assert_uint_eq(n, i);
	}
}
END_TEST

START_TEST(what_fills_the_block_can_not_be_padded)
{
	uint8_t buf[128] = { 0 };

	ck_assert_int_eq(kl_seal_pad(buf, 128, 128), KL_E_SIZE);
	ck_assert_int_eq(kl_seal_pad(buf, 129, 128), KL_E_SIZE);
	ck_assert_int_eq(kl_seal_pad(buf, 0, 0), KL_E_SIZE);
}
END_TEST

START_TEST(unpad_refuses_what_is_not_padded)
{
	uint8_t buf[128] = { 0 };
	size_t n;

	ck_assert_int_eq(kl_seal_unpad(buf, sizeof buf, &n), KL_E_FORMAT);
	buf[127] = 1;
	ck_assert_int_eq(kl_seal_unpad(buf, sizeof buf, &n), KL_E_FORMAT);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(kl_seal_unpad(buf, 0, &n), KL_E_FORMAT);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("seal");
	TCase *tc = tcase_create("seal");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, both_sides_derive_the_key_of_the_vector);
	tcase_add_test(tc, every_part_of_the_context_changes_the_key);
	tcase_add_test(tc, another_key_pair_derives_another_key);
	tcase_add_test(tc,
	    a_fresh_key_is_the_receivers_too_and_never_the_same);
	tcase_add_test(tc, public_halves_are_as_the_vectors_say);
	tcase_add_test(tc, points_of_small_order_are_refused);
	tcase_add_test(tc, a_secret_of_another_length_is_refused);
	tcase_add_test(tc, memory_is_answered_when_none_is_left);
	tcase_add_test(tc, commitment_is_as_the_vector_says);
	tcase_add_test(tc, ciphertext_is_as_the_vector_says);
	tcase_add_test(tc, decrypt_and_unpad_give_the_plain_text_back);
	tcase_add_test(tc, decrypt_refuses_changes_and_leaves_nothing);
	tcase_add_test(tc, padding_comes_off_at_every_length);
	tcase_add_test(tc, what_fills_the_block_can_not_be_padded);
	tcase_add_test(tc, unpad_refuses_what_is_not_padded);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
