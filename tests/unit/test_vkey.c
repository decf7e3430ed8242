#include <kortelijn/crypto/vkey.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/sign.h>

#define ORIGIN "oin-00000009000000000001/log/20261124T234512Z-7K3MQ9VD"

static struct kl_secret *sk, *other;
static struct kl_sign_pk pk;
static struct kl_vkey log_key;

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	ck_assert_int_eq(kl_sign_keypair(&pk, &other), KL_OK);
	ck_assert_int_eq(kl_sign_keypair(&pk, &sk), KL_OK);
	ck_assert_int_eq(kl_vkey_make(ORIGIN, KL_NOTE_ED25519, &pk, &log_key),
	    KL_OK);
}

static void
teardown(void)
{
	kl_secret_free(sk);
	kl_secret_free(other);
}

static int
read_str(const char *text)
{
	struct kl_vkey v;
	int r = kl_vkey_read(kl_bytes_str(text), &v);

	if (r != KL_OK)
		ck_assert(kl_bytes_zero(KL_BYTES_OF(v)));
	return r;
}

/* As Go's sumdb/note documents the form, of a key of that documentation. */
START_TEST(a_known_key_is_read_and_written_alike)
{
	static const char text[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzh"
	    "KqiBfsVkmqq/LDE4izWy10TW";
	struct kl_vkey v;

	ck_assert_int_eq(kl_vkey_read(kl_bytes_str(text), &v), KL_OK);
	ck_assert_str_eq(v.name, "PeterNeumann");
	ck_assert_uint_eq(v.type, KL_NOTE_ED25519);
	ck_assert_str_eq(kl_vkey_text(&v).b, text);
}
END_TEST

START_TEST(what_is_written_is_read)
{
	struct kl_vkey v;

	ck_assert_int_eq(kl_vkey_read(kl_bytes_str(kl_vkey_text(&log_key).b),
	    &v), KL_OK);
	ck_assert_mem_eq(&v, &log_key, sizeof v);
}
END_TEST

START_TEST(make_refuses_what_is_no_name_or_type)
{
	struct kl_vkey v;
	char name[2 * KL_ORIGIN_MAX];

	memset(name, 'a', sizeof name);
	name[sizeof name - 1] = '\0';
	ck_assert_int_eq(kl_vkey_make("", KL_NOTE_ED25519, &pk, &v),
	    KL_E_VALUE);
	ck_assert_int_eq(kl_vkey_make("a b", KL_NOTE_ED25519, &pk, &v),
	    KL_E_VALUE);
	ck_assert_int_eq(kl_vkey_make("a+b", KL_NOTE_ED25519, &pk, &v),
	    KL_E_VALUE);
	ck_assert_int_eq(kl_vkey_make(name, KL_NOTE_ED25519, &pk, &v),
	    KL_E_VALUE);
	ck_assert_int_eq(kl_vkey_make("a", 2, &pk, &v), KL_E_VALUE);
}
END_TEST

START_TEST(a_witness_is_named_after_its_id)
{
	struct kl_vkey v;
	struct kl_id id;

	ck_assert_int_eq(kl_id_read("kvk:12345678", &id), KL_OK);
	ck_assert_int_eq(kl_vkey_witness(&id, &pk, &v), KL_OK);
	ck_assert_str_eq(v.name, "kvk-12345678/witness");
	ck_assert_uint_eq(v.type, KL_NOTE_COSIGNATURE);
	memset(&id, 0, sizeof id);
	ck_assert_int_eq(kl_vkey_witness(&id, &pk, &v), KL_E_VALUE);
}
END_TEST

START_TEST(every_flipped_bit_is_refused)
{
	const struct kl_vkey_text good = kl_vkey_text(&log_key);
	struct kl_vkey v;

	for (size_t i = 0; i < 8 * strlen(good.b); i++) {
		struct kl_vkey_text bad = good;

		bad.b[i / 8] = (char)(bad.b[i / 8] ^ 1 << i % 8);
		ck_assert_int_ne(kl_vkey_read(kl_bytes(bad.b, strlen(good.b)),
		    &v), KL_OK);
	}
}
END_TEST

START_TEST(every_cut_and_every_added_byte_is_refused)
{
	struct kl_vkey_text text = kl_vkey_text(&log_key);
	const size_t n = strlen(text.b);
	struct kl_vkey v;

	for (size_t i = 0; i < n; i++)
		ck_assert_int_ne(kl_vkey_read(kl_bytes(text.b, i), &v),
		    KL_OK);
	for (int c = 0; c < 256; c++) {
		text.b[n] = (char)c;
		ck_assert_int_ne(kl_vkey_read(kl_bytes(text.b, n + 1), &v),
		    KL_OK);
	}
}
END_TEST

START_TEST(other_types_and_forms_are_named)
{
	/* type 0x06; the hash in capitals; no key; no hash */
	ck_assert_int_eq(read_str("PeterNeumann+c74f20a3+BhpcBhpc"),
	    KL_E_UNKNOWN);
	ck_assert_int_eq(read_str("PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzh"
	    "KqiBfsVkmqq/LDE4izWy10TW"), KL_E_FORMAT);
	ck_assert_int_eq(read_str("PeterNeumann+c74f20a3+"), KL_E_FORMAT);
	ck_assert_int_eq(read_str("PeterNeumann+c74f20a3"), KL_E_FORMAT);
	ck_assert_int_eq(read_str("PeterNeumann"), KL_E_FORMAT);
	ck_assert_int_eq(read_str(""), KL_E_FORMAT);
}
END_TEST

static struct kl_note
note_of(const char *origin, const struct kl_secret *by)
{
	struct kl_checkpoint c = { .size = 9, .root = { { 1, 2, 3 } } };
	struct kl_note n;

	memcpy(c.origin, origin, strlen(origin) + 1);
	ck_assert_int_eq(kl_note_sign(&c, by, &n), KL_OK);
	return n;
}

START_TEST(a_checkpoint_needs_the_key_and_the_origin)
{
	struct kl_checkpoint c;
	struct kl_note n = note_of(ORIGIN, sk);
	struct kl_vkey witness;

	ck_assert_int_eq(kl_vkey_checkpoint(&log_key, kl_bytes_str(n.b), &c),
	    KL_OK);
	ck_assert_str_eq(c.origin, ORIGIN);
	ck_assert_uint_eq(c.size, 9);

	n = note_of(ORIGIN "X", sk);
	ck_assert_int_eq(kl_vkey_checkpoint(&log_key, kl_bytes_str(n.b), &c),
	    KL_E_UNKNOWN);
	ck_assert(kl_bytes_zero(KL_BYTES_OF(c)));
	n = note_of(ORIGIN, other);
	ck_assert_int_eq(kl_vkey_checkpoint(&log_key, kl_bytes_str(n.b), &c),
	    KL_E_SIGNATURE);
	n.b[0] = '\n';
	ck_assert_int_eq(kl_vkey_checkpoint(&log_key, kl_bytes_str(n.b), &c),
	    KL_E_FORMAT);
	ck_assert_int_eq(kl_vkey_make(ORIGIN, KL_NOTE_COSIGNATURE, &pk,
	    &witness), KL_OK);
	n = note_of(ORIGIN, sk);
	ck_assert_int_eq(kl_vkey_checkpoint(&witness, kl_bytes_str(n.b), &c),
	    KL_E_VALUE);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("vkey");
	TCase *tc = tcase_create("vkey");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_known_key_is_read_and_written_alike);
	tcase_add_test(tc, what_is_written_is_read);
	tcase_add_test(tc, make_refuses_what_is_no_name_or_type);
	tcase_add_test(tc, a_witness_is_named_after_its_id);
	tcase_add_test(tc, every_flipped_bit_is_refused);
	tcase_add_test(tc, every_cut_and_every_added_byte_is_refused);
	tcase_add_test(tc, other_types_and_forms_are_named);
	tcase_add_test(tc, a_checkpoint_needs_the_key_and_the_origin);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
