#include <kortelijn/crypto/note.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/sign.h>
#include <tests/support/vectors.h>

static struct vectors *v;
static struct kl_secret *sk, *wsk;
static struct kl_sign_pk pk, wpk;
static struct kl_checkpoint cp;
static struct kl_bytes note, cosigned;
static char witness[64];
static int64_t when;

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	memset(&cp, 0, sizeof cp);
	memset(witness, 0, sizeof witness);
	v = vectors_open("note.txt");
	ck_assert_int_eq(kl_sign_from_seed(vectors_get(v, "seed"), &sk),
	    KL_OK);
	ck_assert_int_eq(kl_sign_from_seed(vectors_get(v, "witness_seed"),
	    &wsk), KL_OK);
	ck_assert_int_eq(kl_sign_public(sk, &pk), KL_OK);
	ck_assert_int_eq(kl_sign_public(wsk, &wpk), KL_OK);
	memcpy(cp.origin, vectors_get(v, "origin").p,
	    vectors_get(v, "origin").n);
	memcpy(cp.root.b, vectors_get(v, "root").p, 32);
	cp.size = 8;
	memcpy(witness, vectors_get(v, "witness").p,
	    vectors_get(v, "witness").n);
	when = (int64_t)kl_be64(vectors_get(v, "time").p);
	note = vectors_get(v, "note");
	cosigned = vectors_get(v, "cosigned");
}

static void
teardown(void)
{
	kl_secret_free(sk);
	kl_secret_free(wsk);
	vectors_free(v);
}

static int
verify(struct kl_bytes text)
{
	struct kl_checkpoint c;
	int r = kl_note_verify(text, &pk, &c);

	if (r == KL_OK) {
		ck_assert_str_eq(c.origin, cp.origin);
		ck_assert_uint_eq(c.size, cp.size);
		ck_assert_mem_eq(c.root.b, cp.root.b, 32);
	} else {
		ck_assert(kl_bytes_zero(KL_BYTES_OF(c)));
	}
	return r;
}

static int
verify_str(const char *text)
{
	return verify(kl_bytes_str(text));
}

static void
copy_note(struct kl_note *out)
{
	memset(out, 0, sizeof *out);
	memcpy(out->b, note.p, note.n);
}

START_TEST(sign_makes_the_note_of_the_vector)
{
	struct kl_note out;

	ck_assert_int_eq(kl_note_sign(&cp, sk, &out), KL_OK);
	ck_assert(kl_bytes_equal(kl_bytes_str(out.b), note));
}
END_TEST

START_TEST(verify_reads_the_notes_of_the_vectors)
{
	ck_assert_int_eq(verify(note), KL_OK);
	ck_assert_int_eq(verify(cosigned), KL_OK);
}
END_TEST

START_TEST(a_younger_log_is_further_than_a_longer_one)
{
	const struct kl_checkpoint a = { .size = 9,
		.origin = "oin-1/log/20261124T234512Z-00000001" };
	struct kl_checkpoint b = a;

	ck_assert(!kl_checkpoint_further(&a, &b));
	b.size = 8;
	ck_assert(kl_checkpoint_further(&a, &b));
	ck_assert(!kl_checkpoint_further(&b, &a));
	(void)snprintf(b.origin, sizeof b.origin, "%s",
	    "oin-1/log/20261124T234513Z-00000000");
	ck_assert(kl_checkpoint_further(&b, &a));
	ck_assert(!kl_checkpoint_further(&a, &b));
}
END_TEST

START_TEST(the_largest_checkpoint_fits)
{
	struct kl_checkpoint big = { .size = UINT64_MAX }, out;
	struct kl_note n;

	memset(big.origin, 'a', KL_ORIGIN_MAX - 1);
	ck_assert_int_eq(kl_note_sign(&big, sk, &n), KL_OK);
	ck_assert_int_eq(kl_note_verify(kl_bytes_str(n.b), &pk, &out), KL_OK);
	ck_assert_uint_eq(out.size, UINT64_MAX);
	ck_assert_str_eq(out.origin, big.origin);
}
END_TEST

START_TEST(sign_refuses_origins_that_are_no_key_name)
{
	static const char *const bad[] = {
		"", "a b", "a+b", "a\nb", "a\tb", "a\x7f", "caf\xc3\xa9",
	};
	struct kl_note n;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		memset(cp.origin, 0, sizeof cp.origin);
		strcpy(cp.origin, bad[i]);
		ck_assert_int_eq(kl_note_sign(&cp, sk, &n), KL_E_VALUE);
	}
	memset(cp.origin, 'a', sizeof cp.origin);
	ck_assert_int_eq(kl_note_sign(&cp, sk, &n), KL_E_VALUE);
}
END_TEST

START_TEST(sign_refuses_what_is_no_signing_key)
{
	struct kl_secret *other = kl_secret_random(32);
	struct kl_note n;

	ck_assert_int_eq(kl_note_sign(&cp, other, &n), KL_E_VALUE);
	copy_note(&n);
	ck_assert_int_eq(kl_note_cosign(&n, witness, when, other),
	    KL_E_VALUE);
	kl_secret_free(other);
}
END_TEST

START_TEST(every_flipped_bit_is_refused)
{
	uint8_t b[KL_NOTE_MAX];

	for (size_t bit = 0; bit < 8 * note.n; bit++) {
		memcpy(b, note.p, note.n);
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_msg(verify(kl_bytes(b, note.n)) != KL_OK,
		    "bit %zu", bit);
	}
}
END_TEST

START_TEST(every_cut_and_every_added_byte_is_refused)
{
	static const char added[] = "\r\n A=";
	uint8_t b[KL_NOTE_MAX];

	for (size_t n = 0; n < note.n; n++)
		ck_assert_int_ne(verify(kl_bytes(note.p, n)), KL_OK);
	for (size_t at = 0; at <= note.n; at++)
		for (size_t i = 0; i < sizeof added; i++) {
			memcpy(b, note.p, at);
			b[at] = (uint8_t)added[i];
			memcpy(b + at + 1, note.p + at, note.n - at);
			ck_assert_int_ne(verify(kl_bytes(b, note.n + 1)),
			    KL_OK);
		}
}
END_TEST

START_TEST(another_key_answers_signature)
{
	struct kl_checkpoint c;

	ck_assert_int_eq(kl_note_verify(note, &wpk, &c), KL_E_SIGNATURE);
}
END_TEST

/* The note with `extra` behind its lines. */
static int
verify_with(const char *extra)
{
	struct kl_note n;

	copy_note(&n);
	strcat(n.b, extra);
	return verify_str(n.b);
}

START_TEST(lines_of_unknown_keys_are_ignored)
{
	ck_assert_int_eq(verify_with("\xe2\x80\x94 x.example AAECAwQFBgc=\n"),
	    KL_OK);
	/* The same name, another key. */
	ck_assert_int_eq(verify_with("\xe2\x80\x94 broker.example/log/"
	    "7k3mq9vd2xhta AAECAwQFBgc=\n"), KL_OK);
}
END_TEST

START_TEST(malformed_lines_are_refused)
{
	static const char *const bad[] = {
		"\n",
		"x\n",
		"\xe2\x80\x94\n",
		"\xe2\x80\x94 \n",
		"\xe2\x80\x94 x.example\n",
		"\xe2\x80\x94 x.example \n",
		"\xe2\x80\x94  AAECAwQFBgc=\n",
		"\xe2\x80\x94 x.example  AAECAwQFBgc=\n",
		"\xe2\x80\x94 x.example AAECAwQFBgc= \n",
		"\xe2\x80\x94 x.example AAECAwQFBgc\n",
		"\xe2\x80\x94 x.example AAECAw==\n",
		"\xe2\x80\x94 x+example AAECAwQFBgc=\n",
		"- x.example AAECAwQFBgc=\n",
		"\xe2\x80\x94 x.example AAECAwQFBgc=",
		"\xe2\x80\x94 x.example AAECAwQFBgc=\r\n",
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(verify_with(bad[i]) == KL_E_FORMAT, "%zu", i);
}
END_TEST

START_TEST(a_doubled_line_is_refused)
{
	const size_t text = vectors_get(v, "text").n + 1;
	char line[KL_NOTE_MAX] = "";

	memcpy(line, note.p + text, note.n - text);
	ck_assert_int_eq(verify_with(line), KL_E_FORMAT);
}
END_TEST

/* Writes a root for every R. */
static void
expand(const char *from, char *to)
{
	static const char root[] =
	    "XcnaeacGWamtVZy3Ad7ZoquaqpUZbWqJr/wlmNrRpGA=";

	for (; *from != '\0'; from++)
		if (*from == 'R')
			to = stpcpy(to, root);
		else
			*to++ = *from;
	*to = '\0';
}

/* Texts that differ from a checkpoint, with a signature that holds. */
START_TEST(signed_texts_that_are_no_checkpoint_are_refused)
{
	static const char *const bad[] = {
		"o.example\n08\nR\n", "o.example\n\nR\n", "o.example\n-1\nR\n",
		"o.example\n+1\nR\n", "o.example\n1 \nR\n",
		"o.example\n18446744073709551616\nR\n",
		"o.example\n99999999999999999999\nR\n",
		"o.example\n111111111111111111111\nR\n",
		"o.example\n8\nR\nextension\n", "o.example\n8\n",
		"o.example\n8\nAAAA\n", "\n8\nR\n", "o example\n8\nR\n",
		"o.example\n8\nRR\n", "o.example\n0x8\nR\n",
	};
	static const char good[] = "o.example\n8\nR\n";

	for (size_t i = 0; i <= sizeof bad / sizeof bad[0]; i++) {
		bool is_good = i == sizeof bad / sizeof bad[0];
		const char *from = is_good ? good : bad[i];
		char text[512], whole[1200], b64[128];
		struct kl_checkpoint c;
		struct kl_hash h;
		struct kl_sig sig;
		uint8_t line[68];

		expand(from, text);
		ck_assert_int_eq(kl_sign_note(kl_bytes_str(text), sk, &sig),
		    KL_OK);
		h = kl_note_key_hash(kl_bytes_str("o.example"), 1, &pk);
		memcpy(line, h.b, 4);
		memcpy(line + 4, sig.b, 64);
		ck_assert_int_eq(kl_base64(KL_BYTES_OF(line), b64,
		    sizeof b64), KL_OK);
		snprintf(whole, sizeof whole,
		    "%s\n\xe2\x80\x94 o.example %s\n", text, b64);
		ck_assert_int_eq(kl_note_verify(kl_bytes_str(whole), &pk,
		    &c), is_good ? KL_OK : KL_E_FORMAT);
	}
}
END_TEST

START_TEST(a_note_above_its_limit_is_refused)
{
	char big[KL_NOTE_MAX + 1];

	memset(big, 'a', sizeof big);
	ck_assert_int_eq(verify(kl_bytes(big, sizeof big)), KL_E_FORMAT);
	ck_assert_int_eq(verify(KL_BYTES_NONE), KL_E_FORMAT);
}
END_TEST

START_TEST(cosign_makes_the_note_of_the_vector)
{
	struct kl_note n;

	copy_note(&n);
	ck_assert_int_eq(kl_note_cosign(&n, witness, when, wsk), KL_OK);
	ck_assert(kl_bytes_equal(kl_bytes_str(n.b), cosigned));
	ck_assert_int_eq(kl_note_cosign(&n, witness, when + 1, wsk),
	    KL_E_EXISTS);
}
END_TEST

START_TEST(cosigned_note_verifies_and_tells_the_time)
{
	int64_t t;

	ck_assert_int_eq(kl_note_verify_cosigned(cosigned, witness, &wpk,
	    &t), KL_OK);
	ck_assert_int_eq(t, when);
	ck_assert_int_eq(kl_note_verify_cosigned(note, witness, &wpk, &t),
	    KL_E_SIGNATURE);
	ck_assert_int_eq(kl_note_verify_cosigned(cosigned, witness, &pk, &t),
	    KL_E_SIGNATURE);
	ck_assert_int_eq(kl_note_verify_cosigned(cosigned, "other", &wpk,
	    &t), KL_E_SIGNATURE);
	ck_assert_int_eq(t, 0);
}
END_TEST

START_TEST(flips_in_text_or_witness_line_break_the_cosignature)
{
	const size_t text = vectors_get(v, "text").n;
	uint8_t b[KL_NOTE_MAX];
	int64_t t;

	for (size_t bit = 0; bit < 8 * cosigned.n; bit++) {
		/* The log's own line is not under the witness's signature. */
		if (bit / 8 >= text && bit / 8 < note.n)
			continue;
		memcpy(b, cosigned.p, cosigned.n);
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_ne(kl_note_verify_cosigned(kl_bytes(b,
		    cosigned.n), witness, &wpk, &t), KL_OK);
	}
}
END_TEST

START_TEST(cosign_refuses_names_times_and_no_notes)
{
	struct kl_note n;

	copy_note(&n);
	ck_assert_int_eq(kl_note_cosign(&n, "a b", when, wsk), KL_E_VALUE);
	ck_assert_int_eq(kl_note_cosign(&n, "", when, wsk), KL_E_VALUE);
	ck_assert_int_eq(kl_note_cosign(&n, witness, 0, wsk), KL_E_VALUE);
	ck_assert_int_eq(kl_note_cosign(&n, witness, -1, wsk), KL_E_VALUE);
	n.b[0] = '\n';
	ck_assert_int_eq(kl_note_cosign(&n, witness, when, wsk),
	    KL_E_FORMAT);
	memset(n.b, 'a', sizeof n.b);
	ck_assert_int_eq(kl_note_cosign(&n, witness, when, wsk),
	    KL_E_FORMAT);
}
END_TEST

START_TEST(cosign_answers_size_when_the_note_is_full)
{
	struct kl_note n, before;
	char name[32];
	int r = KL_OK;

	copy_note(&n);
	for (int i = 0; i < 20 && r == KL_OK; i++) {
		before = n;
		snprintf(name, sizeof name, "w%d.example", i);
		r = kl_note_cosign(&n, name, when, wsk);
	}
	ck_assert_int_eq(r, KL_E_SIZE);
	ck_assert_str_eq(n.b, before.b);
	ck_assert_int_eq(verify_str(n.b), KL_OK);
}
END_TEST

START_TEST(bare_leaves_the_line_of_the_log_alone)
{
	struct kl_note bare;

	ck_assert_int_eq(kl_note_bare(cosigned, &pk, &bare), KL_OK);
	ck_assert(kl_bytes_equal(kl_bytes_str(bare.b), note));
	ck_assert_int_eq(kl_note_bare(cosigned, &wpk, &bare),
	    KL_E_SIGNATURE);
	ck_assert_int_eq(kl_note_bare(kl_bytes(cosigned.p, cosigned.n - 1),
	    &pk, &bare), KL_E_FORMAT);
	ck_assert(kl_bytes_zero(KL_BYTES_OF(bare)));
}
END_TEST

START_TEST(a_line_is_there_or_not_whether_it_holds_or_not)
{
	struct kl_note n;
	bool has;

	ck_assert_int_eq(kl_note_has_line(cosigned, witness,
	    KL_NOTE_COSIGNATURE, &wpk, &has), KL_OK);
	ck_assert(has);
	ck_assert_int_eq(kl_note_has_line(note, witness, KL_NOTE_COSIGNATURE,
	    &wpk, &has), KL_OK);
	ck_assert(!has);
	ck_assert_int_eq(kl_note_has_line(cosigned, witness, KL_NOTE_ED25519,
	    &wpk, &has), KL_OK);
	ck_assert(!has);
	memset(&n, 0, sizeof n);
	memcpy(n.b, cosigned.p, cosigned.n);
	n.b[cosigned.n - 20] ^= 1;
	ck_assert_int_eq(kl_note_has_line(kl_bytes_str(n.b), witness,
	    KL_NOTE_COSIGNATURE, &wpk, &has), KL_OK);
	ck_assert(has);
	ck_assert_int_eq(kl_note_has_line(kl_bytes(note.p, note.n - 1),
	    witness, KL_NOTE_COSIGNATURE, &wpk, &has), KL_E_FORMAT);
}
END_TEST

START_TEST(a_witness_line_moves_to_another_copy)
{
	struct kl_bytes line;
	struct kl_note n;
	int64_t t;

	ck_assert_int_eq(kl_note_cosigned_line(cosigned, witness, &wpk, &t,
	    &line), KL_OK);
	ck_assert_int_eq(t, when);
	copy_note(&n);
	ck_assert_int_eq(kl_note_add(&n, line), KL_OK);
	ck_assert(kl_bytes_equal(kl_bytes_str(n.b), cosigned));
	ck_assert_int_eq(kl_note_add(&n, line), KL_E_EXISTS);
	ck_assert(kl_bytes_equal(kl_bytes_str(n.b), cosigned));
}
END_TEST

START_TEST(add_refuses_what_is_no_line_or_has_no_room)
{
	static const char stranger[] = "\xe2\x80\x94 c.example "
	    "AAAAAAAAAAAA\n";
	struct kl_bytes line;
	struct kl_note n;
	int64_t t;
	int r = KL_OK;

	ck_assert_int_eq(kl_note_cosigned_line(cosigned, witness, &wpk, &t,
	    &line), KL_OK);
	copy_note(&n);
	ck_assert_int_eq(kl_note_add(&n, kl_bytes(line.p, line.n - 1)),
	    KL_E_FORMAT);
	ck_assert_int_eq(kl_note_add(&n, kl_bytes_str("\n")), KL_E_FORMAT);
	ck_assert_int_eq(kl_note_add(&n, KL_BYTES_NONE), KL_E_FORMAT);
	ck_assert(kl_bytes_equal(kl_bytes_str(n.b), note));
	for (char c = 'a'; c <= 'z' && r == KL_OK; c++) {
		char text[sizeof stranger];

		memcpy(text, stranger, sizeof text);
		text[4] = c;
		for (int i = 0; i < 2 && r == KL_OK; i++) {
			text[5] = i == 0 ? '.' : '-';
			r = kl_note_add(&n, kl_bytes_str(text));
		}
	}
	ck_assert_int_eq(r, KL_E_SIZE);
	ck_assert_int_eq(verify_str(n.b), KL_OK);
	memset(n.b, 'a', sizeof n.b);
	ck_assert_int_eq(kl_note_add(&n, line), KL_E_FORMAT);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("note");
	TCase *tc = tcase_create("note");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, sign_makes_the_note_of_the_vector);
	tcase_add_test(tc, verify_reads_the_notes_of_the_vectors);
	tcase_add_test(tc, a_younger_log_is_further_than_a_longer_one);
	tcase_add_test(tc, the_largest_checkpoint_fits);
	tcase_add_test(tc, sign_refuses_origins_that_are_no_key_name);
	tcase_add_test(tc, sign_refuses_what_is_no_signing_key);
	tcase_add_test(tc, every_flipped_bit_is_refused);
	tcase_add_test(tc, every_cut_and_every_added_byte_is_refused);
	tcase_add_test(tc, another_key_answers_signature);
	tcase_add_test(tc, lines_of_unknown_keys_are_ignored);
	tcase_add_test(tc, malformed_lines_are_refused);
	tcase_add_test(tc, a_doubled_line_is_refused);
	tcase_add_test(tc, signed_texts_that_are_no_checkpoint_are_refused);
	tcase_add_test(tc, a_note_above_its_limit_is_refused);
	tcase_add_test(tc, cosign_makes_the_note_of_the_vector);
	tcase_add_test(tc, cosigned_note_verifies_and_tells_the_time);
	tcase_add_test(tc, flips_in_text_or_witness_line_break_the_cosignature);
	tcase_add_test(tc, cosign_refuses_names_times_and_no_notes);
	tcase_add_test(tc, cosign_answers_size_when_the_note_is_full);
	tcase_add_test(tc, bare_leaves_the_line_of_the_log_alone);
	tcase_add_test(tc, a_line_is_there_or_not_whether_it_holds_or_not);
	tcase_add_test(tc, a_witness_line_moves_to_another_copy);
	tcase_add_test(tc, add_refuses_what_is_no_line_or_has_no_room);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
