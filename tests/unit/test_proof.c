#include <kortelijn/crypto/proof.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/sign.h>

#include "tests/support/vectors.h"

#define LEAVES 200		/* of the tree */
#define SIZE 173		/* of the checkpoint */
#define OLD 100			/* of the earlier one */
#define AT 41			/* the leaf that is proved */
#define RECORD_BYTES 61

static struct kl_secret *sk, *other;
static struct kl_vkey log_key;
static struct kl_hash leaf[LEAVES];
static uint8_t salt[LEAVES][32], record[LEAVES][RECORD_BYTES];
static struct kl_note note, old_note;

struct text {
	char b[KL_PROOF_TEXT_MAX];
	size_t n;
};

static struct kl_note
note_of(const char *origin, uint64_t size, const struct kl_secret *by)
{
	struct kl_checkpoint c = { .size = size };
	struct kl_note out;

	memcpy(c.origin, origin, strlen(origin) + 1);
	c.root = kl_tree_root(leaf, size);
	ck_assert_int_eq(kl_note_sign(&c, by, &out), KL_OK);
	return out;
}

static void
setup(void)
{
	struct kl_sign_pk pk;

	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	ck_assert_int_eq(kl_sign_keypair(&pk, &other), KL_OK);
	ck_assert_int_eq(kl_sign_keypair(&pk, &sk), KL_OK);
	ck_assert_int_eq(kl_vkey_make("b/log/1", KL_NOTE_ED25519, &pk,
	    &log_key), KL_OK);
	for (size_t i = 0; i < LEAVES; i++) {
		kl_random(salt[i], sizeof salt[i]);
		kl_random(record[i], sizeof record[i]);
		leaf[i] = kl_record_leaf_hash(salt[i],
		    KL_BYTES_OF(record[i]));
	}
	note = note_of("b/log/1", SIZE, sk);
	old_note = note_of("b/log/1", OLD, sk);
}

static void
teardown(void)
{
	kl_secret_free(sk);
	kl_secret_free(other);
}

static void
inclusion(uint64_t at, struct kl_proof_inclusion *out)
{
	struct kl_hash h[KL_PROOF_MAX];

	memset(out, 0, sizeof *out);
	out->index = at;
	memcpy(out->salt, salt[at], sizeof out->salt);
	memcpy(out->record, record[at], RECORD_BYTES);
	out->record_n = RECORD_BYTES;
	ck_assert_int_eq(kl_prove_inclusion(leaf, SIZE, at, h, &out->n),
	    KL_OK);
	memcpy(out->hash, h, out->n * sizeof h[0]);
	out->note = note;
}

static void
consistency(struct kl_proof_consistency *out)
{
	struct kl_hash h[KL_PROOF_MAX];

	memset(out, 0, sizeof *out);
	out->old_size = OLD;
	ck_assert_int_eq(kl_prove_consistency(leaf, SIZE, OLD, h, &out->n),
	    KL_OK);
	memcpy(out->hash, h, out->n * sizeof h[0]);
	out->note = note;
}

static struct text
inclusion_text(const struct kl_proof_inclusion *p)
{
	struct text t;

	ck_assert_int_eq(kl_proof_inclusion_pack(p, t.b, sizeof t.b, &t.n),
	    KL_OK);
	ck_assert_uint_eq(strlen(t.b), t.n);
	return t;
}

static struct text
consistency_text(const struct kl_proof_consistency *p)
{
	struct text t;

	ck_assert_int_eq(kl_proof_consistency_pack(p, t.b, sizeof t.b, &t.n),
	    KL_OK);
	return t;
}

static int
inclusion_holds(const struct kl_proof_inclusion *p)
{
	struct kl_checkpoint c;
	int r = kl_proof_inclusion_verify(p, &log_key, &c);

	if (r != KL_OK)
		ck_assert(kl_bytes_zero(KL_BYTES_OF(c)));
	else
		ck_assert_uint_eq(c.size, SIZE);
	return r;
}

static int
consistency_holds(const struct kl_proof_consistency *p, const char *old)
{
	struct kl_checkpoint c;
	int r = kl_proof_consistency_verify(p, kl_bytes_str(old), &log_key,
	    &c);

	if (r != KL_OK)
		ck_assert(kl_bytes_zero(KL_BYTES_OF(c)));
	else
		ck_assert_uint_eq(c.size, SIZE);
	return r;
}

/* Reads and verifies, as a file is; the first error. */
static int
text_holds(struct kl_bytes t)
{
	struct kl_proof_consistency c;
	struct kl_proof_inclusion p;
	int r;

	if (kl_proof_sort(t) == KL_PROOF_INCLUSION) {
		r = kl_proof_inclusion_read(t, &p);
		return r == KL_OK ? inclusion_holds(&p) : r;
	}
	r = kl_proof_consistency_read(t, &c);
	return r == KL_OK ? consistency_holds(&c, old_note.b) : r;
}

/* Made by somebody else's program, from the same two documents. */
START_TEST(the_files_of_the_vectors_are_read_written_and_verified)
{
	struct vectors *v = vectors_open("proof.txt");
	const struct kl_bytes inc = vectors_get(v, "inclusion");
	const struct kl_bytes con = vectors_get(v, "consistency");
	struct kl_proof_consistency c;
	struct kl_proof_inclusion p;
	struct kl_checkpoint at;
	struct kl_vkey key, witness;
	struct text t;

	ck_assert_int_eq(kl_vkey_read(vectors_get(v, "vkey"), &key), KL_OK);
	ck_assert_int_eq(kl_vkey_read(vectors_get(v, "witness_vkey"),
	    &witness), KL_OK);
	ck_assert_uint_eq(witness.type, KL_NOTE_COSIGNATURE);
	ck_assert_int_eq(kl_proof_inclusion_read(inc, &p), KL_OK);
	ck_assert(kl_bytes_equal(kl_bytes(p.record, p.record_n),
	    vectors_get(v, "record")));
	ck_assert(kl_bytes_equal(KL_BYTES_OF(p.salt), vectors_get(v,
	    "salt")));
	t = inclusion_text(&p);
	ck_assert(kl_bytes_equal(kl_bytes(t.b, t.n), inc));
	ck_assert_int_eq(kl_proof_inclusion_verify(&p, &key, &at), KL_OK);
	ck_assert_uint_eq(at.size, 7);

	ck_assert_int_eq(kl_proof_consistency_read(con, &c), KL_OK);
	t = consistency_text(&c);
	ck_assert(kl_bytes_equal(kl_bytes(t.b, t.n), con));
	ck_assert_int_eq(kl_proof_consistency_verify(&c, vectors_get(v,
	    "old"), &key, &at), KL_OK);
	vectors_free(v);
}
END_TEST

START_TEST(every_leaf_is_proved)
{
	struct kl_proof_inclusion p, back;
	struct text t;

	for (uint64_t at = 0; at < SIZE; at++) {
		inclusion(at, &p);
		t = inclusion_text(&p);
		ck_assert_int_eq(kl_proof_sort(kl_bytes(t.b, t.n)),
		    KL_PROOF_INCLUSION);
		ck_assert_int_eq(kl_proof_inclusion_read(kl_bytes(t.b, t.n),
		    &back), KL_OK);
		ck_assert_mem_eq(&p, &back, sizeof p);
		ck_assert_int_eq(inclusion_holds(&back), KL_OK);
	}
}
END_TEST

START_TEST(a_later_checkpoint_is_proved_to_continue)
{
	struct kl_proof_consistency p, back;
	struct text t;

	consistency(&p);
	t = consistency_text(&p);
	ck_assert_int_eq(kl_proof_sort(kl_bytes(t.b, t.n)),
	    KL_PROOF_CONSISTENCY);
	ck_assert_int_eq(kl_proof_consistency_read(kl_bytes(t.b, t.n), &back),
	    KL_OK);
	ck_assert_mem_eq(&p, &back, sizeof p);
	ck_assert_int_eq(consistency_holds(&back, old_note.b), KL_OK);
	ck_assert_int_eq(kl_proof_sort(kl_bytes_str(note.b)),
	    KL_PROOF_CHECKPOINT);
}
END_TEST

START_TEST(inclusion_errors_are_named)
{
	struct kl_proof_inclusion p;

	inclusion(AT, &p);
	p.index++;
	ck_assert_int_eq(inclusion_holds(&p), KL_E_NOT_FOUND);
	p.index = SIZE;
	ck_assert_int_eq(inclusion_holds(&p), KL_E_VALUE);
	inclusion(AT, &p);
	p.record[3] ^= 1;
	ck_assert_int_eq(inclusion_holds(&p), KL_E_NOT_FOUND);
	inclusion(AT, &p);
	p.salt[3] ^= 1;
	ck_assert_int_eq(inclusion_holds(&p), KL_E_NOT_FOUND);
	inclusion(AT, &p);
	p.n--;
	ck_assert_int_eq(inclusion_holds(&p), KL_E_NOT_FOUND);
	inclusion(AT, &p);
	p.record_n = 0;
	ck_assert_int_eq(inclusion_holds(&p), KL_E_VALUE);
	inclusion(AT, &p);
	p.note = note_of("b/log/2", SIZE, sk);
	ck_assert_int_eq(inclusion_holds(&p), KL_E_UNKNOWN);
	p.note = note_of("b/log/1", SIZE, other);
	ck_assert_int_eq(inclusion_holds(&p), KL_E_SIGNATURE);
	p.note.b[0] = '\n';
	ck_assert_int_eq(inclusion_holds(&p), KL_E_FORMAT);
}
END_TEST

START_TEST(consistency_errors_are_named)
{
	struct kl_proof_consistency p;
	struct kl_note n;

	consistency(&p);
	p.hash[0].b[5] ^= 4;
	ck_assert_int_eq(consistency_holds(&p, old_note.b), KL_E_NOT_FOUND);
	consistency(&p);
	n = note_of("b/log/1", OLD - 1, sk);
	ck_assert_int_eq(consistency_holds(&p, n.b), KL_E_VALUE);
	p.old_size = OLD - 1;
	ck_assert_int_eq(consistency_holds(&p, n.b), KL_E_NOT_FOUND);
	n = note_of("b/log/1", LEAVES, sk);
	p.old_size = LEAVES;
	ck_assert_int_eq(consistency_holds(&p, n.b), KL_E_VALUE);
	consistency(&p);
	n = note_of("b/log/2", OLD, sk);
	ck_assert_int_eq(consistency_holds(&p, n.b), KL_E_UNKNOWN);
	n = note_of("b/log/1", OLD, other);
	ck_assert_int_eq(consistency_holds(&p, n.b), KL_E_SIGNATURE);
	ck_assert_int_eq(consistency_holds(&p, ""), KL_E_FORMAT);
	p.note = note_of("b/log/1", SIZE, other);
	ck_assert_int_eq(consistency_holds(&p, old_note.b), KL_E_SIGNATURE);
}
END_TEST

START_TEST(two_trees_of_one_size_do_not_agree)
{
	struct kl_proof_consistency p = { .old_size = SIZE };
	struct kl_note fork;

	p.note = note;
	ck_assert_int_eq(consistency_holds(&p, note.b), KL_OK);
	leaf[AT].b[0] ^= 1;
	fork = note_of("b/log/1", SIZE, sk);
	ck_assert_int_eq(consistency_holds(&p, fork.b), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(a_proof_from_nothing_has_no_hashes_and_no_old_one)
{
	struct kl_proof_consistency p = { .old_size = 0 };
	struct kl_checkpoint c;

	p.note = note;
	ck_assert_int_eq(kl_proof_consistency_verify(&p, KL_BYTES_NONE,
	    &log_key, &c), KL_OK);
	ck_assert_int_eq(consistency_holds(&p, old_note.b), KL_E_VALUE);
	p.n = 1;
	ck_assert_int_eq(kl_proof_consistency_verify(&p, KL_BYTES_NONE,
	    &log_key, &c), KL_E_VALUE);
}
END_TEST

START_TEST(every_flipped_bit_is_refused)
{
	struct kl_proof_consistency c;
	struct kl_proof_inclusion p;
	struct text t[2];

	inclusion(AT, &p);
	consistency(&c);
	t[0] = inclusion_text(&p);
	t[1] = consistency_text(&c);
	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < 8 * t[k].n; i++) {
			char *at = &t[k].b[i / 8];

			*at = (char)(*at ^ 1 << i % 8);
			ck_assert_int_ne(text_holds(kl_bytes(t[k].b,
			    t[k].n)), KL_OK);
			*at = (char)(*at ^ 1 << i % 8);
		}
}
END_TEST

START_TEST(every_cut_and_every_added_byte_is_refused)
{
	struct kl_proof_consistency c;
	struct kl_proof_inclusion p;
	struct text t[2];

	inclusion(AT, &p);
	consistency(&c);
	t[0] = inclusion_text(&p);
	t[1] = consistency_text(&c);
	for (int k = 0; k < 2; k++) {
		for (size_t i = 0; i < t[k].n; i++)
			ck_assert_int_ne(text_holds(kl_bytes(t[k].b, i)),
			    KL_OK);
		for (int b = 0; b < 256; b++) {
			t[k].b[t[k].n] = (char)b;
			ck_assert_int_ne(text_holds(kl_bytes(t[k].b,
			    t[k].n + 1)), KL_OK);
		}
	}
}
END_TEST

/* `text` with the first `from` in it made into `to`. */
static struct text
changed(const struct text *text, const char *from, const char *to)
{
	const char *at = strstr(text->b, from);
	const size_t n = strlen(from), m = strlen(to);
	struct text out;
	size_t front;

	ck_assert_ptr_nonnull(at);
	front = (size_t)(at - text->b);
	memcpy(out.b, text->b, front);
	memcpy(out.b + front, to, m);
	memcpy(out.b + front + m, at + n, text->n - front - n + 1);
	out.n = text->n - n + m;
	return out;
}

START_TEST(other_ways_to_write_the_same_are_refused)
{
	static const char *const way[][2] = {
		{ "index 41\n", "index 041\n" },
		{ "index 41\n", "index  41\n" },
		{ "index 41\n", "index +41\n" },
		{ "index 41\n", "index 41 \n" },
		{ "index 41\n", "index 41\r\n" },
		{ "index 41\n", "index 41\n\n" },
		{ "index 41\n", "index 41\nindex 41\n" },
		{ "index 41\n", "index 18446744073709551657\n" },
		{ "index 41\n", "" },
		{ "tlog-proof@v1\n", "tlog-proof@v1\r\n" },
		{ "tlog-proof@v1\n", "tlog-proof@v2\n" },
		{ "tlog-proof@v1\n", "tlog-proof@v1\n\n" },
		{ "extra ", "extra\t" },
		{ "extra ", "extra" },
		{ "extra ", "extra AAAA\nextra " },
		{ "\n\nb/log", "\nb/log" },
		{ "\n\nb/log", "\n\n\nb/log" },
		{ "=\n\nb/log", "\n\nb/log" },
		{ "=\n\nb/log", "==\n\nb/log" },
	};
	struct kl_proof_inclusion p;
	struct text good, bad;

	inclusion(AT, &p);
	good = inclusion_text(&p);
	for (size_t i = 0; i < sizeof way / sizeof way[0]; i++) {
		bad = changed(&good, way[i][0], way[i][1]);
		ck_assert_msg(text_holds(kl_bytes(bad.b, bad.n)) ==
		    KL_E_FORMAT, "%s", way[i][1]);
	}
}
END_TEST

START_TEST(what_stands_behind_a_nul_is_seen)
{
	struct kl_proof_inclusion p;
	struct text t;

	inclusion(AT, &p);
	t = inclusion_text(&p);
	memcpy(t.b + t.n + 1, "more", 4);
	ck_assert_int_eq(text_holds(kl_bytes(t.b, t.n)), KL_OK);
	ck_assert_int_eq(text_holds(kl_bytes(t.b, t.n + 5)), KL_E_FORMAT);
}
END_TEST

START_TEST(lines_of_unknown_keys_change_nothing)
{
	struct kl_proof_inclusion p;
	struct text t;

	inclusion(AT, &p);
	ck_assert_int_eq(kl_note_cosign(&p.note, "w.example/1", 1700000000,
	    other), KL_OK);
	t = inclusion_text(&p);
	ck_assert_int_eq(text_holds(kl_bytes(t.b, t.n)), KL_OK);
}
END_TEST

START_TEST(pack_refuses_what_has_no_room)
{
	struct kl_proof_consistency c;
	struct kl_proof_inclusion p;
	struct text t;
	size_t n;

	inclusion(AT, &p);
	t = inclusion_text(&p);
	ck_assert_int_eq(kl_proof_inclusion_pack(&p, t.b, t.n, &n),
	    KL_E_SIZE);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(kl_proof_inclusion_pack(&p, t.b, t.n + 1, &n),
	    KL_OK);
	p.record_n = 0;
	ck_assert_int_eq(kl_proof_inclusion_pack(&p, t.b, sizeof t.b, &n),
	    KL_E_VALUE);
	p.record_n = KL_PROOF_RECORD_MAX + 1;
	ck_assert_int_eq(kl_proof_inclusion_pack(&p, t.b, sizeof t.b, &n),
	    KL_E_VALUE);
	consistency(&c);
	t = consistency_text(&c);
	ck_assert_int_eq(kl_proof_consistency_pack(&c, t.b, t.n, &n),
	    KL_E_SIZE);
	c.n = KL_PROOF_HASHES + 1;
	ck_assert_int_eq(kl_proof_consistency_pack(&c, t.b, sizeof t.b, &n),
	    KL_E_VALUE);
}
END_TEST

START_TEST(the_longest_files_fit)
{
	struct kl_proof_consistency c = { .old_size = UINT64_MAX };
	struct kl_proof_inclusion p = { .index = UINT64_MAX };
	struct text t;

	c.n = p.n = KL_PROOF_HASHES;
	p.record_n = KL_PROOF_RECORD_MAX;
	memset(p.note.b, 'a', sizeof p.note.b - 1);
	c.note = p.note;
	t = inclusion_text(&p);
	ck_assert_int_eq(kl_proof_inclusion_read(kl_bytes(t.b, t.n), &p),
	    KL_OK);
	t = consistency_text(&c);
	ck_assert_int_eq(kl_proof_consistency_read(kl_bytes(t.b, t.n), &c),
	    KL_OK);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("proof");
	TCase *tc = tcase_create("proof");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc,
	    the_files_of_the_vectors_are_read_written_and_verified);
	tcase_add_test(tc, every_leaf_is_proved);
	tcase_add_test(tc, a_later_checkpoint_is_proved_to_continue);
	tcase_add_test(tc, inclusion_errors_are_named);
	tcase_add_test(tc, consistency_errors_are_named);
	tcase_add_test(tc, two_trees_of_one_size_do_not_agree);
	tcase_add_test(tc, a_proof_from_nothing_has_no_hashes_and_no_old_one);
	tcase_add_test(tc, every_flipped_bit_is_refused);
	tcase_add_test(tc, every_cut_and_every_added_byte_is_refused);
	tcase_add_test(tc, other_ways_to_write_the_same_are_refused);
	tcase_add_test(tc, what_stands_behind_a_nul_is_seen);
	tcase_add_test(tc, lines_of_unknown_keys_change_nothing);
	tcase_add_test(tc, pack_refuses_what_has_no_room);
	tcase_add_test(tc, the_longest_files_fit);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
