#include "proto/audit/witness.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/sign.h>

#include "tests/support/sample.h"
#include "tests/support/tmpdir.h"

static const struct cli_program program = { .name = "prog",
	.daemon = "the broker" };
static const struct cli cli = { .program = &program };

static struct sample s;
static struct tmpdir dir;
static struct tmpdir_path state;
static struct kl_id broker;
static struct audit_witness w;
static struct kl_note out;

static void
setup(void)
{
	sample_open(&s, 120);
	dir = tmpdir_make();
	state = tmpdir_file(&dir, "witness");
	ck_assert_int_eq(kl_id_read(SAMPLE_BROKER, &broker), KL_OK);
	w = (struct audit_witness){ .cli = &cli, .dir = state.b,
		.key = &s.witness, .sk = s.witness_sk, .log = &s.log.pk,
		.broker = &broker };
}

static void
teardown(void)
{
	tmpdir_remove(&dir);
	sample_close(&s);
}

static int
sign(uint64_t old, uint64_t size)
{
	const struct kl_note note = sample_note(&s, size);
	const struct sample_text t = sample_consistency(&s, old, size, &note);

	return audit_witness_sign(&w, kl_bytes(t.b, t.n), SAMPLE_NOW_MS, &out);
}

static uint64_t
last(void)
{
	struct kl_checkpoint c;
	struct kl_note n;

	ck_assert_int_eq(audit_witness_last(&w, s.origin, &c, &n), CLI_OK);
	return c.size;
}

/* Files of evidence. */
static size_t
evidence(char path[512])
{
	const struct dirent *e;
	DIR *d = opendir(state.b);
	size_t n = 0;

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL)
		if (strstr(e->d_name, ".evidence-") != NULL) {
			(void)snprintf(path, 512, "%.200s/%.200s", state.b,
			    e->d_name);
			n++;
		}
	(void)closedir(d);
	return n;
}

START_TEST(the_first_checkpoint_is_signed_and_kept)
{
	int64_t at_s;

	ck_assert_uint_eq(last(), 0);
	ck_assert_int_eq(sign(0, 50), CLI_OK);
	ck_assert_int_eq(kl_note_verify_cosigned(kl_bytes_str(out.b),
	    s.witness.name, &s.witness.pk, &at_s), KL_OK);
	ck_assert_int_eq(at_s, SAMPLE_NOW_MS / 1000);
	ck_assert_uint_eq(last(), 50);
}
END_TEST

START_TEST(what_continues_it_is_signed)
{
	ck_assert_int_eq(sign(0, 50), CLI_OK);
	ck_assert_int_eq(sign(50, 97), CLI_OK);
	ck_assert_uint_eq(last(), 97);
	/* Again is as good. */
	ck_assert_int_eq(sign(50, 97), CLI_OK);
	ck_assert_int_eq(sign(97, 97), CLI_OK);
	ck_assert_str_ne(out.b, "");
	ck_assert_uint_eq(last(), 97);
}
END_TEST

START_TEST(a_proof_from_elsewhere_is_refused)
{
	char path[512];

	ck_assert_int_eq(sign(0, 50), CLI_OK);
	ck_assert_int_eq(sign(40, 97), CLI_FAILED);
	ck_assert_int_eq(sign(0, 97), CLI_FAILED);
	ck_assert_str_eq(out.b, "");
	ck_assert_uint_eq(last(), 50);
	/* Nobody did wrong. */
	ck_assert_uint_eq(evidence(path), 0);
}
END_TEST

static void
two_notes_in(const char *path)
{
	char text[2 * KL_NOTE_MAX + 8];
	FILE *f = fopen(path, "r");
	struct kl_checkpoint c;
	const char *second;
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, sizeof text - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	second = strstr(text + 1, "\n\noin-");
	ck_assert_ptr_nonnull(second);
	ck_assert_int_eq(kl_note_verify(kl_bytes(text, (size_t)(second + 1 -
	    text)), &s.log.pk, &c), KL_OK);
	ck_assert_int_eq(kl_note_verify(kl_bytes_str(second + 2), &s.log.pk,
	    &c), KL_OK);
}

START_TEST(a_log_that_went_back_gets_no_line_and_is_evidence)
{
	char path[512];

	ck_assert_int_eq(sign(0, 97), CLI_OK);
	ck_assert_int_eq(sign(0, 50), CLI_FAILED);
	ck_assert_str_eq(out.b, "");
	ck_assert_uint_eq(last(), 97);
	ck_assert_uint_eq(evidence(path), 1);
	two_notes_in(path);
}
END_TEST

START_TEST(a_log_that_was_rewritten_is_evidence)
{
	char path[512];

	ck_assert_int_eq(sign(0, 50), CLI_OK);
	s.leaf[7].b[0] ^= 1;
	ck_assert_int_eq(sign(0, 50), CLI_FAILED);
	ck_assert_int_eq(sign(50, 97), CLI_FAILED);
	ck_assert_str_eq(out.b, "");
	ck_assert_uint_eq(last(), 50);
	ck_assert_uint_eq(evidence(path), 2);
	two_notes_in(path);
}
END_TEST

START_TEST(a_new_log_is_followed_and_the_old_one_left)
{
	char path[512];

	ck_assert_int_eq(sign(0, 50), CLI_OK);
	(void)strcpy(s.origin,
	    "oin-00000009000000000001/log/20270101T090000Z-7K3MQ9VD");
	ck_assert_int_eq(sign(0, 3), CLI_OK);
	ck_assert_uint_eq(last(), 3);
	(void)strcpy(s.origin, SAMPLE_ORIGIN);
	ck_assert_int_eq(sign(50, 60), CLI_FAILED);
	ck_assert_uint_eq(last(), 50);
	ck_assert_uint_eq(evidence(path), 1);
	two_notes_in(path);
}
END_TEST

START_TEST(what_is_not_of_this_broker_is_refused)
{
	struct kl_secret *other;
	struct kl_sign_pk pk;

	(void)strcpy(s.origin, "kvk-12345678/log/20261124T090000Z-7K3MQ9VD");
	ck_assert_int_eq(sign(0, 50), CLI_FILE);
	(void)strcpy(s.origin, SAMPLE_ORIGIN);
	ck_assert_int_eq(kl_sign_keypair(&pk, &other), KL_OK);
	kl_secret_free(s.sk);
	s.sk = other;
	ck_assert_int_eq(sign(0, 50), CLI_FILE);
	ck_assert_int_eq(audit_witness_sign(&w, kl_bytes_str("old 0\n"),
	    SAMPLE_NOW_MS, &out), CLI_FILE);
	ck_assert_uint_eq(last(), 0);
}
END_TEST

START_TEST(a_damaged_state_signs_nothing)
{
	const struct dirent *e;
	char path[512];
	FILE *f;
	DIR *d;

	ck_assert_int_eq(sign(0, 50), CLI_OK);
	d = opendir(state.b);
	while ((e = readdir(d)) != NULL)
		if (strstr(e->d_name, ".checkpoint") != NULL)
			(void)snprintf(path, sizeof path, "%.200s/%.200s",
			    state.b, e->d_name);
	(void)closedir(d);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	(void)fputs("nothing\n", f);
	(void)fclose(f);
	ck_assert_int_eq(sign(50, 97), CLI_FILE);
	ck_assert_str_eq(out.b, "");
}
END_TEST

START_TEST(a_state_that_cannot_be_kept_signs_nothing)
{
	w.dir = "/dev/null/witness";
	ck_assert_int_ne(sign(0, 50), CLI_OK);
	ck_assert_str_eq(out.b, "");
}
END_TEST

START_TEST(lines_of_others_are_left_to_them)
{
	const struct kl_note note = sample_witnessed(&s, 50);
	const struct sample_text t = sample_consistency(&s, 0, 50, &note);

	ck_assert_int_eq(audit_witness_sign(&w, kl_bytes(t.b, t.n),
	    SAMPLE_NOW_MS + 60000, &out), CLI_OK);
	ck_assert_uint_lt(strlen(out.b), strlen(note.b) + 10);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("audit: witness");
	TCase *tc = tcase_create("witness");
	SRunner *sr;
	int failed;

	if (kl_crypto_init() != KL_OK)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_first_checkpoint_is_signed_and_kept);
	tcase_add_test(tc, what_continues_it_is_signed);
	tcase_add_test(tc, a_proof_from_elsewhere_is_refused);
	tcase_add_test(tc, a_log_that_went_back_gets_no_line_and_is_evidence);
	tcase_add_test(tc, a_log_that_was_rewritten_is_evidence);
	tcase_add_test(tc, a_new_log_is_followed_and_the_old_one_left);
	tcase_add_test(tc, what_is_not_of_this_broker_is_refused);
	tcase_add_test(tc, a_damaged_state_signs_nothing);
	tcase_add_test(tc, a_state_that_cannot_be_kept_signs_nothing);
	tcase_add_test(tc, lines_of_others_are_left_to_them);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
