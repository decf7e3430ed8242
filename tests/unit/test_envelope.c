#include <kortelijn/end/envelope.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/seal.h>
#include <kortelijn/crypto/sign.h>
#include <tests/support/starve.h>
#include <tests/support/vectors.h>

#define CREATED INT64_C(1795510800000)	/* 2026-11-24 09:00 */

static struct kl_arena *mem;
static struct kl_sign_pk sender_pk, other_pk;
static struct kl_secret *sender_sk, *other_sk, *prekey_sk, *wrong_sk;
static struct kl_dh_pk prekey, wrong;
static struct kl_consent consent;
static const struct kl_hash preview = { { 7 } };
static struct kl_sealed sealed;
static uint8_t plain[KL_PLAIN_REFERRAL];

static struct kl_header
header_of(uint32_t kind)
{
	struct kl_header h = {
		.version = 1, .suite = 1, .kind = kind, .purpose = 1,
		.sender_role = KL_STAFF_GP, .milestone = KL_MS_NONE,
		.feedback_level = KL_LEVEL_0, .content_schema = 1,
		.msg_id = { { 1 } }, .conv_id = { { 2 } }, .seq = 1,
		.created_ms = CREATED, .deliver_by_ms = CREATED + 1,
		.expire_at_ms = CREATED + 2,
	};

	ck_assert_int_eq(kl_id_read("agb:01234567", &h.sender), KL_OK);
	ck_assert_int_eq(kl_id_read("oin:00000001234567890000", &h.receiver),
	    KL_OK);
	if (kind == KL_REFERRAL)
		h.feedback_level = KL_LEVEL_2;
	else
		h.answers.b[0] = 9;
	if (kind == KL_FEEDBACK)
		h.milestone = KL_MS_TAKEN_UP;
	return h;
}

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	mem = kl_arena_new(64 * 1024, 256);
	ck_assert_ptr_nonnull(mem);
	ck_assert_int_eq(kl_sign_keypair(&sender_pk, &sender_sk), KL_OK);
	ck_assert_int_eq(kl_sign_keypair(&other_pk, &other_sk), KL_OK);
	ck_assert_int_eq(kl_dh_keypair(&prekey, &prekey_sk), KL_OK);
	ck_assert_int_eq(kl_dh_keypair(&wrong, &wrong_sk), KL_OK);
	consent = (struct kl_consent){ .referral = 1,
		.feedback_level = KL_LEVEL_2, .form = KL_ORAL,
		.info_text_version = 1, .given_on = 20781,
		.valid_until = 21000, .recorded_in_his = 1,
		.preview_hash = preview };
}

static void
teardown(void)
{
	kl_secret_free(sender_sk);
	kl_secret_free(other_sk);
	kl_secret_free(prekey_sk);
	kl_secret_free(wrong_sk);
	kl_arena_free(mem);
}

static int
seal_header(struct kl_header *h, struct kl_bytes in,
    const struct kl_dh_pk *to)
{
	return kl_envelope_seal(h, h->kind == KL_REFERRAL ? &consent : NULL,
	    h->kind == KL_CORRECTION ? &preview : NULL, in, to, &sender_pk,
	    sender_sk, &sealed);
}

static int
seal(uint32_t kind, struct kl_bytes in)
{
	struct kl_header h = header_of(kind);

	return seal_header(&h, in, &prekey);
}

static struct kl_bytes
ct_of(void)
{
	return kl_bytes(sealed.ct, sealed.n_ct);
}

static enum kl_code
check(struct kl_envelope *e)
{
	struct kl_hash body;
	enum kl_code code = kl_envelope_check(
	    kl_bytes(sealed.envelope, sealed.n_envelope), ct_of(), &sender_pk,
	    mem, e, &body);

	if (code == KL_C_OK)
		ck_assert_mem_eq(body.b, sealed.body_hash.b, 32);
	return code;
}

static int
open_as(const struct kl_envelope *e, size_t *n)
{
	return kl_envelope_open(e, ct_of(), &sender_pk, &prekey, prekey_sk,
	    plain, n);
}

/* A sealed REFERRAL that was checked, for what breaks it. */
static struct kl_envelope
checked(void)
{
	struct kl_envelope e;

	ck_assert_int_eq(seal(KL_REFERRAL, kl_bytes_str("content")), KL_OK);
	ck_assert_int_eq(check(&e), KL_C_OK);
	return e;
}

static bool
sealed_is_zero(void)
{
	return kl_bytes_zero(KL_BYTES_OF(sealed));
}

/* ---- round trip ---------------------------------------------------------- */

START_TEST(each_kind_opens_as_it_was_sealed)
{
	struct kl_bytes in = kl_bytes_str("what was said");
	struct kl_envelope e;
	size_t n;

	ck_assert_int_eq(seal((uint32_t)_i, in), KL_OK);
	ck_assert_uint_eq(sealed.n_ct, kl_plain_bytes((uint32_t)_i) + 16);
	ck_assert_int_eq(check(&e), KL_C_OK);
	ck_assert_uint_eq(e.header.kind, (uint32_t)_i);
	ck_assert_int_eq(open_as(&e, &n), KL_OK);
	ck_assert(kl_bytes_equal(kl_bytes(plain, n), in));
}
END_TEST

START_TEST(sealing_names_the_keys_it_used)
{
	struct kl_header h = header_of(KL_FEEDBACK);
	struct kl_key_id by = kl_key_id_of(sender_pk.b);
	struct kl_key_id to = kl_key_id_of(prekey.b);
	struct kl_envelope e;

	ck_assert_int_eq(seal_header(&h, KL_BYTES_NONE, &prekey), KL_OK);
	ck_assert_mem_eq(h.sender_key_id.b, by.b, 16);
	ck_assert_mem_eq(h.prekey_id.b, to.b, 16);
	ck_assert_int_eq(check(&e), KL_C_OK);
	ck_assert_mem_eq(e.header.sender_key_id.b, by.b, 16);
	ck_assert_mem_eq(e.header.prekey_id.b, to.b, 16);
}
END_TEST

START_TEST(every_length_up_to_the_kinds_own_opens)
{
	static const size_t lengths[] = { 0, 1, 63, 64, 126, 127 };
	static uint8_t in[KL_PLAIN_REFERRAL];
	struct kl_envelope e;
	size_t n;

	memset(in, 0x80, sizeof in);
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		ck_assert_int_eq(seal(KL_FEEDBACK, kl_bytes(in, lengths[i])),
		    KL_OK);
		ck_assert_uint_eq(sealed.n_ct, 144);
		ck_assert_int_eq(check(&e), KL_C_OK);
		ck_assert_int_eq(open_as(&e, &n), KL_OK);
		ck_assert_uint_eq(n, lengths[i]);
		kl_arena_reset(mem);
	}
	ck_assert_int_eq(seal(KL_REFERRAL, kl_bytes(in, 1279)), KL_OK);
	ck_assert_int_eq(check(&e), KL_C_OK);
	ck_assert_int_eq(open_as(&e, &n), KL_OK);
	ck_assert_uint_eq(n, 1279);
}
END_TEST

START_TEST(the_same_content_never_gives_the_same_bytes)
{
	struct kl_sealed first;

	ck_assert_int_eq(seal(KL_FEEDBACK, kl_bytes_str("x")), KL_OK);
	first = sealed;
	ck_assert_int_eq(seal(KL_FEEDBACK, kl_bytes_str("x")), KL_OK);
	ck_assert_mem_ne(first.ct, sealed.ct, sealed.n_ct);
	ck_assert_mem_ne(first.body_hash.b, sealed.body_hash.b, 32);
}
END_TEST

/* ---- what is not sealed -------------------------------------------------- */

START_TEST(what_does_not_fit_its_kind_is_not_sealed)
{
	static uint8_t in[KL_PLAIN_REFERRAL];

	ck_assert_int_eq(seal(KL_FEEDBACK, kl_bytes(in, 128)), KL_E_SIZE);
	ck_assert(sealed_is_zero());
	ck_assert_int_eq(seal(KL_CORRECTION, kl_bytes(in, 1280)), KL_E_SIZE);
	ck_assert(sealed_is_zero());
}
END_TEST

START_TEST(a_header_that_breaks_the_protocol_is_not_sealed)
{
	struct kl_header h = header_of(KL_REFERRAL);

	h.answers.b[0] = 1;
	ck_assert_int_eq(seal_header(&h, KL_BYTES_NONE, &prekey), KL_E_VALUE);
	h = header_of(KL_REFERRAL);
	h.seq = 0;
	ck_assert_int_eq(seal_header(&h, KL_BYTES_NONE, &prekey), KL_E_VALUE);
	h = header_of(KL_REFERRAL);
	h.kind = 4;
	h.answers.b[0] = 1;
	ck_assert_int_eq(seal_header(&h, KL_BYTES_NONE, &prekey), KL_E_VALUE);
	h = header_of(KL_REFERRAL);
	memset(&h.receiver, 0, sizeof h.receiver);
	ck_assert_int_eq(seal_header(&h, KL_BYTES_NONE, &prekey), KL_E_VALUE);
	ck_assert(sealed_is_zero());
}
END_TEST

START_TEST(consent_and_preview_are_those_of_the_kind)
{
	struct kl_header h = header_of(KL_REFERRAL);

	ck_assert_int_eq(kl_envelope_seal(&h, NULL, NULL, KL_BYTES_NONE,
	    &prekey, &sender_pk, sender_sk, &sealed), KL_E_VALUE);
	consent.feedback_level = KL_LEVEL_3;
	ck_assert_int_eq(seal_header(&h, KL_BYTES_NONE, &prekey), KL_E_VALUE);
	consent.feedback_level = KL_LEVEL_2;
	consent.recorded_in_his = 0;
	ck_assert_int_eq(seal_header(&h, KL_BYTES_NONE, &prekey), KL_E_VALUE);
	h = header_of(KL_CORRECTION);
	ck_assert_int_eq(kl_envelope_seal(&h, NULL, NULL, KL_BYTES_NONE,
	    &prekey, &sender_pk, sender_sk, &sealed), KL_E_VALUE);
	ck_assert(sealed_is_zero());
}
END_TEST

START_TEST(a_prekey_of_low_order_is_refused)
{
	struct vectors *low = vectors_open("small_order.txt");
	struct kl_header h = header_of(KL_FEEDBACK);
	struct kl_bytes value;
	const char *name;
	int seen = 0;

	for (size_t i = 0; vectors_at(low, i, &name, &value); i++) {
		struct kl_dh_pk point;

		if (strncmp(name, "x25519", 6) != 0)
			continue;
		memcpy(point.b, value.p, sizeof point.b);
		ck_assert_int_eq(seal_header(&h, KL_BYTES_NONE, &point),
		    KL_E_VALUE);
		ck_assert(sealed_is_zero());
		seen++;
	}
	ck_assert_int_eq(seen, 12);
	vectors_free(low);
}
END_TEST

START_TEST(only_a_signing_key_signs)
{
	struct kl_header h = header_of(KL_FEEDBACK);

	ck_assert_int_eq(kl_envelope_seal(&h, NULL, NULL, KL_BYTES_NONE,
	    &prekey, &sender_pk, prekey_sk, &sealed), KL_E_VALUE);
	ck_assert(sealed_is_zero());
}
END_TEST

static int
seal_starved(void *arg)
{
	(void)arg;
	return seal(KL_FEEDBACK, KL_BYTES_NONE);
}

static int
open_starved(void *arg)
{
	size_t n;

	return open_as(arg, &n);
}

/* The guarded pages of all the prekeys may be spent. */
START_TEST(neither_side_needs_guarded_memory)
{
	struct kl_envelope e;

	ck_assert_int_eq(starve_run(seal_starved, NULL), KL_OK);
	e = checked();
	ck_assert_int_eq(starve_run(open_starved, &e), KL_OK);
}
END_TEST

/* ---- what does not check ------------------------------------------------- */

START_TEST(no_bit_of_an_envelope_may_change)
{
	struct kl_envelope e = checked();

	for (size_t i = 0; i < sealed.n_envelope; i++)
		for (int bit = 0; bit < 8; bit++) {
			sealed.envelope[i] ^= (uint8_t)(1 << bit);
			kl_arena_reset(mem);
			ck_assert_int_ne(check(&e), KL_C_OK);
			sealed.envelope[i] ^= (uint8_t)(1 << bit);
		}
	kl_arena_reset(mem);
	ck_assert_int_eq(check(&e), KL_C_OK);
}
END_TEST

START_TEST(no_byte_of_a_ciphertext_may_change)
{
	struct kl_envelope e = checked();

	for (size_t i = 0; i < sealed.n_ct; i++) {
		sealed.ct[i] ^= 1;
		kl_arena_reset(mem);
		ck_assert_int_eq(check(&e), KL_C_MALFORMED);
		sealed.ct[i] ^= 1;
	}
	sealed.n_ct--;
	ck_assert_int_eq(check(&e), KL_C_MALFORMED);
	sealed.n_ct = 0;
	ck_assert_int_eq(check(&e), KL_C_MALFORMED);
}
END_TEST

START_TEST(a_signature_counts_for_its_own_key_and_label)
{
	struct kl_envelope e = checked();
	struct kl_signed s;
	struct kl_hash body;

	ck_assert_int_eq(kl_envelope_check(
	    kl_bytes(sealed.envelope, sealed.n_envelope), ct_of(), &other_pk,
	    mem, &e, &body), KL_C_SIGNATURE);
	ck_assert_int_eq(kl_signed_read(
	    kl_bytes(sealed.envelope, sealed.n_envelope), mem, &s), KL_C_OK);
	ck_assert_int_eq(kl_sign(KL_LABEL_RECEIPT, s.body, sender_sk, &s.sig),
	    KL_OK);
	ck_assert_int_eq(kl_signed_pack(&s, sealed.envelope,
	    sizeof sealed.envelope, &sealed.n_envelope), KL_OK);
	ck_assert_int_eq(check(&e), KL_C_SIGNATURE);
}
END_TEST

START_TEST(garbage_and_a_spent_arena_have_their_codes)
{
	struct kl_arena *spent = kl_arena_new(64, 1);
	struct kl_envelope e = checked();
	struct kl_hash body;

	ck_assert_int_eq(kl_envelope_check(kl_bytes_str("garbage"), ct_of(),
	    &sender_pk, mem, &e, &body), KL_C_MALFORMED);
	ck_assert_int_eq(kl_envelope_check(
	    kl_bytes(sealed.envelope, sealed.n_envelope), ct_of(), &sender_pk,
	    spent, &e, &body), KL_C_TRY_LATER);
	kl_arena_free(spent);
}
END_TEST

/* ---- what does not open -------------------------------------------------- */

START_TEST(another_prekey_or_sender_does_not_open)
{
	struct kl_envelope e = checked();
	size_t n;

	ck_assert_int_eq(kl_envelope_open(&e, ct_of(), &sender_pk, &prekey,
	    wrong_sk, plain, &n), KL_E_SIGNATURE);
	ck_assert_int_eq(kl_envelope_open(&e, ct_of(), &sender_pk, &wrong,
	    wrong_sk, plain, &n), KL_E_SIGNATURE);
	ck_assert_int_eq(kl_envelope_open(&e, ct_of(), &sender_pk, &wrong,
	    prekey_sk, plain, &n), KL_E_SIGNATURE);
	/* Whoever strips the signature and puts his own there. */
	ck_assert_int_eq(kl_envelope_open(&e, ct_of(), &other_pk, &prekey,
	    prekey_sk, plain, &n), KL_E_SIGNATURE);
	ck_assert_uint_eq(n, 0);
}
END_TEST

/* Signed anew by its own sender, so that only the key tells. */
START_TEST(a_ciphertext_opens_under_its_own_header_only)
{
	struct kl_envelope e = checked(), other;
	struct kl_header h;
	uint8_t buf[KL_HEADER_MAX];
	uint8_t *const at[] = {
		(uint8_t *)&h.purpose, (uint8_t *)&h.sender_role,
		(uint8_t *)&h.milestone, (uint8_t *)&h.feedback_level,
		(uint8_t *)&h.content_schema, h.msg_id.b, h.conv_id.b,
		(uint8_t *)&h.seq, h.answers.b, h.replaces.b,
		(uint8_t *)h.sender.b + 4, (uint8_t *)h.receiver.b + 4,
		h.sender_key_id.b, h.prekey_id.b, h.staff_ref.b,
		(uint8_t *)&h.created_ms, (uint8_t *)&h.deliver_by_ms,
		(uint8_t *)&h.answer_by_ms, (uint8_t *)&h.expire_at_ms,
	};
	size_t n, changed = 0;

	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		h = e.header;
		*at[i] ^= 2;
		if (kl_header_pack(&h, buf, sizeof buf, &n) != KL_OK)
			continue;
		other = e;
		other.header_bytes = kl_bytes(buf, n);
		ck_assert_int_eq(open_as(&other, &n), KL_E_SIGNATURE);
		changed++;
	}
	/* purpose has one value, so it cannot be changed at all. */
	ck_assert_uint_eq(changed, sizeof at / sizeof at[0] - 1);
}
END_TEST

/* A referral with consent is never an early signal of creditors, nor anything
 * else: there is no other purpose, and neither side packs or reads one. */
START_TEST(there_is_one_purpose)
{
	struct kl_header h = checked().header;
	uint8_t buf[KL_HEADER_MAX];
	size_t n;

	ck_assert_uint_eq(h.purpose, KL_REFERRAL_WITH_CONSENT);
	ck_assert_int_eq(kl_header_pack(&h, buf, sizeof buf, &n), KL_OK);
	h.purpose = KL_REFERRAL_WITH_CONSENT + 1;
	ck_assert_int_eq(kl_header_pack(&h, buf, sizeof buf, &n),
	    KL_E_VALUE);
	h.purpose = 0;
	ck_assert_int_eq(kl_header_pack(&h, buf, sizeof buf, &n),
	    KL_E_VALUE);
}
END_TEST

START_TEST(a_ciphertext_opens_under_its_own_consent_only)
{
	struct kl_envelope e = checked();
	uint8_t buf[KL_CONSENT_MAX];
	size_t n;

	consent.valid_until++;
	ck_assert_int_eq(kl_consent_pack(&consent, buf, sizeof buf, &n),
	    KL_OK);
	e.consent_bytes = kl_bytes(buf, n);
	ck_assert_int_eq(open_as(&e, &n), KL_E_SIGNATURE);
	e.consent_bytes = KL_BYTES_NONE;
	ck_assert_int_eq(open_as(&e, &n), KL_E_SIGNATURE);
}
END_TEST

START_TEST(nonce_key_and_commitment_are_the_messages_own)
{
	const struct kl_envelope good = checked();
	struct kl_envelope e = good;
	size_t n;

	e.nonce[0] ^= 1;
	ck_assert_int_eq(open_as(&e, &n), KL_E_SIGNATURE);
	e = good;
	e.ephemeral.b[0] ^= 1;
	ck_assert_int_eq(open_as(&e, &n), KL_E_SIGNATURE);
	e = good;
	memset(e.ephemeral.b, 0, sizeof e.ephemeral.b);
	ck_assert_int_eq(open_as(&e, &n), KL_E_SIGNATURE);
	e = good;
	e.commit.b[31] ^= 1;
	ck_assert_int_eq(open_as(&e, &n), KL_E_SIGNATURE);
	sealed.ct[0] ^= 1;
	ck_assert_int_eq(open_as(&good, &n), KL_E_SIGNATURE);
}
END_TEST

/* A sender whose program does not pad. */
START_TEST(content_without_padding_is_refused)
{
	struct kl_envelope e = checked();
	struct kl_seal_context c = { .prekey = prekey, .sender = sender_pk,
		.receiver = e.header.receiver, .consent = e.consent_bytes,
		.header = e.header_bytes };
	uint8_t zeros[KL_PLAIN_REFERRAL] = { 0 };
	struct kl_message_key key;
	size_t n;

	ck_assert_int_eq(kl_seal_key_fresh(&c, &key), KL_OK);
	e.ephemeral = c.ephemeral;
	e.commit = kl_seal_commit(&key);
	kl_seal_encrypt(&key, e.nonce, e.header_bytes, KL_BYTES_OF(zeros),
	    sealed.ct);
	ck_assert_int_eq(open_as(&e, &n), KL_E_FORMAT);
	ck_assert_uint_eq(n, 0);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, each_kind_opens_as_it_was_sealed, KL_REFERRAL,
	    KL_FEEDBACK + 1);
	tcase_add_test(tc, sealing_names_the_keys_it_used);
	tcase_add_test(tc, every_length_up_to_the_kinds_own_opens);
	tcase_add_test(tc, the_same_content_never_gives_the_same_bytes);
	tcase_add_test(tc, what_does_not_fit_its_kind_is_not_sealed);
	tcase_add_test(tc, a_header_that_breaks_the_protocol_is_not_sealed);
	tcase_add_test(tc, consent_and_preview_are_those_of_the_kind);
	tcase_add_test(tc, a_prekey_of_low_order_is_refused);
	tcase_add_test(tc, only_a_signing_key_signs);
	tcase_add_test(tc, neither_side_needs_guarded_memory);
	tcase_add_test(tc, no_bit_of_an_envelope_may_change);
	tcase_add_test(tc, no_byte_of_a_ciphertext_may_change);
	tcase_add_test(tc, a_signature_counts_for_its_own_key_and_label);
	tcase_add_test(tc, garbage_and_a_spent_arena_have_their_codes);
	tcase_add_test(tc, another_prekey_or_sender_does_not_open);
	tcase_add_test(tc, a_ciphertext_opens_under_its_own_header_only);
	tcase_add_test(tc, a_ciphertext_opens_under_its_own_consent_only);
	tcase_add_test(tc, there_is_one_purpose);
	tcase_add_test(tc, nonce_key_and_commitment_are_the_messages_own);
	tcase_add_test(tc, content_without_padding_is_refused);
}

int
main(void)
{
	Suite *s = suite_create("envelope");
	TCase *tc = tcase_create("envelope");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	add_tests(tc);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
