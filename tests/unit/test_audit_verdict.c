#include "proto/audit/verdict.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/sign.h>

#include "tests/support/sample.h"

#define LEAVES 90
#define SIZE 77
#define OLD 40
#define AT 17

static struct sample s;
static struct audit_trust trust;
static struct kl_arena *mem;
static struct audit_verdict v;
static struct kl_note note, old_note;

static void
setup(void)
{
	sample_open(&s, LEAVES);
	memset(&trust, 0, sizeof trust);
	trust.pk = s.log.pk;
	memcpy(trust.origin, s.origin, sizeof trust.origin);
	ck_assert_int_eq(audit_trust_witness(&trust, &s.witness), KL_OK);
	mem = kl_arena_new(4096, 64);
	note = sample_witnessed(&s, SIZE);
	old_note = sample_note(&s, OLD);
}

static void
teardown(void)
{
	kl_arena_free(mem);
	sample_close(&s);
}

static int
judge(struct kl_bytes text, struct kl_bytes old)
{
	struct audit_verdict none = { .err = 0 };

	kl_arena_reset(mem);
	audit_verdict(&trust, text, old, mem, &v);
	if (v.err != KL_OK) {
		none.err = v.err;
		none.sort = v.sort;
		none.old_size = v.old_size;
		ck_assert_mem_eq(&v.checkpoint, &none.checkpoint,
		    sizeof none.checkpoint);
		ck_assert_uint_eq(v.n_lines, 0);
		ck_assert_uint_eq(v.record.packed.n, 0);
		ck_assert_str_ne(audit_verdict_why(v.err, KL_NL), "");
		ck_assert_str_ne(audit_verdict_why(v.err, KL_EN), "");
	}
	return v.err;
}

static int
judge_text(const struct sample_text *t, const char *old)
{
	return judge(kl_bytes(t->b, t->n), kl_bytes_str(old));
}

START_TEST(a_checkpoint_says_its_size_and_witnesses)
{
	ck_assert_int_eq(judge(kl_bytes_str(note.b), KL_BYTES_NONE), KL_OK);
	ck_assert_int_eq(v.sort, KL_PROOF_CHECKPOINT);
	ck_assert_uint_eq(v.checkpoint.size, SIZE);
	ck_assert_uint_eq(v.n_lines, 1);
	ck_assert_str_eq(v.line[0].by->name, "kvk-12345678/witness");
	ck_assert_int_eq(v.line[0].at_s, SAMPLE_NOW_MS / 1000);
	ck_assert_int_eq(judge(kl_bytes_str(old_note.b), KL_BYTES_NONE),
	    KL_OK);
	ck_assert_uint_eq(v.n_lines, 0);
}
END_TEST

START_TEST(an_inclusion_says_the_record)
{
	struct sample_text t = sample_inclusion(&s, AT, SIZE, &note);

	ck_assert_int_eq(judge_text(&t, ""), KL_OK);
	ck_assert_int_eq(v.sort, KL_PROOF_INCLUSION);
	ck_assert_uint_eq(v.record.leaf, AT);
	ck_assert_int_eq(v.record.r.time_minute, SAMPLE_NOW_MS / 60000 + AT);
	ck_assert_uint_eq(v.record.packed.n, s.record[AT].n);
	ck_assert_uint_eq(v.n_lines, 1);
}
END_TEST

START_TEST(a_consistency_proof_needs_the_earlier_checkpoint)
{
	struct sample_text t = sample_consistency(&s, OLD, SIZE, &note);

	ck_assert_int_eq(judge_text(&t, ""), KL_E_EMPTY);
	ck_assert_uint_eq(v.old_size, OLD);
	ck_assert_int_eq(judge_text(&t, old_note.b), KL_OK);
	ck_assert_uint_eq(v.checkpoint.size, SIZE);
	t = sample_consistency(&s, 0, SIZE, &note);
	ck_assert_int_eq(judge_text(&t, ""), KL_OK);
}
END_TEST

START_TEST(errors_are_named)
{
	struct sample_text t = sample_inclusion(&s, AT, SIZE, &note);
	struct kl_note other;

	ck_assert_int_eq(judge(KL_BYTES_NONE, KL_BYTES_NONE), KL_E_FORMAT);
	ck_assert_int_eq(judge(kl_bytes(t.b, t.n - 1), KL_BYTES_NONE),
	    KL_E_FORMAT);
	/* Another leaf's way. */
	memcpy(strstr(t.b, "index 17"), "index 16", 8);
	ck_assert_int_eq(judge_text(&t, ""), KL_E_NOT_FOUND);
	t = sample_inclusion(&s, AT, SIZE, &note);
	memcpy(strstr(t.b, "index 17"), "index 99", 8);
	ck_assert_int_eq(judge_text(&t, ""), KL_E_VALUE);

	(void)strcpy(s.origin, "b/log/2");
	other = sample_note(&s, SIZE);
	t = sample_inclusion(&s, AT, SIZE, &other);
	ck_assert_int_eq(judge_text(&t, ""), KL_E_UNKNOWN);
	/* Not pinned: whichever the key has signed. */
	trust.origin[0] = '\0';
	ck_assert_int_eq(judge_text(&t, ""), KL_OK);
	trust.pk.b[0] ^= 1;
	ck_assert_int_eq(judge_text(&t, ""), KL_E_SIGNATURE);
}
END_TEST

START_TEST(a_record_that_is_none_is_refused)
{
	struct sample_record *r = &s.record[AT];
	struct sample_text t;

	r->b[r->n - 1] ^= 1;
	r->n--;
	s.leaf[AT] = kl_record_leaf_hash(r->salt, kl_bytes(r->b, r->n));
	note = sample_note(&s, SIZE);
	t = sample_inclusion(&s, AT, SIZE, &note);
	ck_assert_int_eq(judge_text(&t, ""), KL_E_FORMAT);
}
END_TEST

START_TEST(a_changed_line_of_a_trusted_witness_is_seen)
{
	char *at = &note.b[strlen(note.b) - 20];

	*at = *at == 'A' ? 'B' : 'A';
	ck_assert_int_eq(judge(kl_bytes_str(note.b), KL_BYTES_NONE),
	    KL_E_DENIED);
	/* Of one whom nobody knows it says nothing. */
	trust.n = 0;
	ck_assert_int_eq(judge(kl_bytes_str(note.b), KL_BYTES_NONE), KL_OK);
	ck_assert_uint_eq(v.n_lines, 0);
}
END_TEST

START_TEST(trust_takes_witnesses_once_and_no_more_than_fit)
{
	struct kl_vkey w = s.witness;

	ck_assert_int_eq(audit_trust_witness(&trust, &s.witness), KL_OK);
	ck_assert_uint_eq(trust.n, 1);
	ck_assert_int_eq(audit_trust_witness(&trust, &s.log), KL_E_VALUE);
	while (trust.n < AUDIT_WITNESSES_MAX) {
		w.pk.b[0]++;
		ck_assert_int_eq(audit_trust_witness(&trust, &w), KL_OK);
	}
	w.pk.b[0]++;
	ck_assert_int_eq(audit_trust_witness(&trust, &w), KL_E_FULL);
}
END_TEST

START_TEST(the_note_of_each_sort_is_found)
{
	struct sample_text t = sample_inclusion(&s, AT, SIZE, &note);
	struct kl_bytes n = audit_verdict_note(kl_bytes(t.b, t.n));

	ck_assert(kl_bytes_equal(n, kl_bytes_str(note.b)));
	t = sample_consistency(&s, OLD, SIZE, &note);
	n = audit_verdict_note(kl_bytes(t.b, t.n));
	ck_assert(kl_bytes_equal(n, kl_bytes_str(note.b)));
	n = audit_verdict_note(kl_bytes_str("old 3\n"));
	ck_assert_uint_eq(n.n, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("audit: verdict");
	TCase *tc = tcase_create("verdict");
	SRunner *sr;
	int failed;

	if (kl_crypto_init() != KL_OK)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_checkpoint_says_its_size_and_witnesses);
	tcase_add_test(tc, an_inclusion_says_the_record);
	tcase_add_test(tc, a_consistency_proof_needs_the_earlier_checkpoint);
	tcase_add_test(tc, errors_are_named);
	tcase_add_test(tc, a_record_that_is_none_is_refused);
	tcase_add_test(tc, a_changed_line_of_a_trusted_witness_is_seen);
	tcase_add_test(tc, trust_takes_witnesses_once_and_no_more_than_fit);
	tcase_add_test(tc, the_note_of_each_sort_is_found);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
