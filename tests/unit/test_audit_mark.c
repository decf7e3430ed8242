#include "proto/audit/mark.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/crypto/merkle.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/host/fs.h>

#include "tests/support/tmpdir.h"

#define LEAVES 20
#define OLD "oin-00000009000000000001/log/20260101T000000Z-AAAAAAAA"
#define NEW "oin-00000009000000000001/log/20260201T000000Z-BBBBBBBB"

static struct tmpdir dir;
static struct kl_secret *sk;
static struct kl_sign_pk pk;
static struct kl_hash leaf[LEAVES], other[LEAVES];

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	ck_assert_int_eq(kl_sign_keypair(&pk, &sk), KL_OK);
	dir = tmpdir_make();
	for (int i = 0; i < LEAVES; i++) {
		memset(leaf[i].b, i + 1, sizeof leaf[i].b);
		other[i] = leaf[i];
	}
	/* A log that was rewritten from its fourth leaf on. */
	other[3].b[0] ^= 1;
}

static void
teardown(void)
{
	kl_secret_free(sk);
	tmpdir_remove(&dir);
}

static struct kl_note
note_of(const char *origin, const struct kl_hash *leaves, uint64_t size)
{
	struct kl_checkpoint c = { .size = size };
	struct kl_note note;

	memcpy(c.origin, origin, strlen(origin) + 1);
	c.root = kl_tree_root(leaves, size);
	ck_assert_int_eq(kl_note_sign(&c, sk, &note), KL_OK);
	return note;
}

static enum audit_mark_verdict
take(const char *origin, const struct kl_hash *leaves, uint64_t size,
    struct audit_mark *m)
{
	const struct kl_note note = note_of(origin, leaves, size);

	ck_assert_int_eq(audit_mark_take(dir.path, &pk,
	    kl_bytes_str(note.b), m), KL_OK);
	return m->verdict;
}

/* With the proof that this log has from the size that is kept. */
static enum audit_mark_verdict
prove(const char *origin, const struct kl_hash *leaves, uint64_t size,
    uint64_t from, struct audit_mark *m)
{
	const struct kl_note note = note_of(origin, leaves, size);
	struct kl_hash proof[KL_PROOF_MAX];
	struct kl_bytes view[KL_PROOF_MAX];
	size_t n;

	ck_assert_int_eq(kl_prove_consistency(leaves, size, from, proof, &n),
	    KL_OK);
	for (size_t i = 0; i < n; i++)
		view[i] = KL_BYTES_OF(proof[i]);
	ck_assert_int_eq(audit_mark_prove(dir.path, &pk,
	    kl_bytes_str(note.b), view, n, m), KL_OK);
	return m->verdict;
}

static void
evidence_is(const struct audit_mark *m, const struct kl_note *a,
    const struct kl_note *b)
{
	char want[2 * KL_NOTE_MAX + 2], path[AUDIT_MARK_PATH_BYTES], *text;
	size_t n;

	(void)snprintf(want, sizeof want, "%s\n%s", a->b, b->b);
	ck_assert_int_eq(kl_fs_read_file(AT_FDCWD, m->evidence, sizeof want,
	    &text, &n), KL_OK);
	ck_assert_str_eq(text, want);
	kl_fs_read_free(text, n);
	audit_mark_alarm(dir.path, path);
	ck_assert_str_eq(path, m->evidence);
}

static void
kept_is(const char *origin, const struct kl_hash *leaves, uint64_t size)
{
	const struct kl_note want = note_of(origin, leaves, size);
	struct kl_note kept;

	ck_assert_int_eq(audit_mark_note(dir.path, origin, &kept), KL_OK);
	ck_assert_str_eq(kept.b, want.b);
}

START_TEST(first_checkpoint_is_kept)
{
	char path[AUDIT_MARK_PATH_BYTES];
	struct audit_mark m;
	struct kl_note note;

	ck_assert_int_eq(audit_mark_note(dir.path, OLD, &note),
	    KL_E_NOT_FOUND);
	ck_assert_int_eq(take(OLD, leaf, 5, &m), AUDIT_MARK_KEPT);
	kept_is(OLD, leaf, 5);
	ck_assert_int_eq(take(OLD, leaf, 5, &m), AUDIT_MARK_KEPT);
	audit_mark_alarm(dir.path, path);
	ck_assert_str_eq(path, "");
}
END_TEST

START_TEST(later_one_is_kept_only_with_its_proof)
{
	struct audit_mark m;

	ck_assert_int_eq(take(OLD, leaf, 5, &m), AUDIT_MARK_KEPT);
	ck_assert_int_eq(take(OLD, leaf, 9, &m), AUDIT_MARK_AHEAD);
	ck_assert_uint_eq(m.size, 5);
	kept_is(OLD, leaf, 5);
	ck_assert_int_eq(prove(OLD, leaf, 12, 5, &m), AUDIT_MARK_KEPT);
	kept_is(OLD, leaf, 12);
}
END_TEST

START_TEST(everything_continues_an_empty_log)
{
	struct audit_mark m;

	ck_assert_int_eq(take(OLD, leaf, 0, &m), AUDIT_MARK_KEPT);
	ck_assert_int_eq(take(OLD, leaf, 3, &m), AUDIT_MARK_KEPT);
	kept_is(OLD, leaf, 3);
}
END_TEST

START_TEST(log_that_went_back_raises_an_alarm)
{
	const struct kl_note a = note_of(OLD, leaf, 9);
	const struct kl_note b = note_of(OLD, leaf, 5);
	struct audit_mark m;

	ck_assert_int_eq(take(OLD, leaf, 9, &m), AUDIT_MARK_KEPT);
	ck_assert_int_eq(take(OLD, leaf, 5, &m), AUDIT_MARK_BROKEN);
	evidence_is(&m, &a, &b);
	kept_is(OLD, leaf, 9);
	/* The first evidence stays, however often it is asked. */
	ck_assert_int_eq(take(OLD, leaf, 6, &m), AUDIT_MARK_BROKEN);
	evidence_is(&m, &a, &b);
}
END_TEST

START_TEST(log_of_the_same_size_and_another_root_raises_an_alarm)
{
	const struct kl_note a = note_of(OLD, leaf, 9);
	const struct kl_note b = note_of(OLD, other, 9);
	struct audit_mark m;

	ck_assert_int_eq(take(OLD, leaf, 9, &m), AUDIT_MARK_KEPT);
	ck_assert_int_eq(take(OLD, other, 9, &m), AUDIT_MARK_BROKEN);
	evidence_is(&m, &a, &b);
}
END_TEST

START_TEST(longer_log_that_is_another_raises_an_alarm)
{
	const struct kl_note a = note_of(OLD, leaf, 5);
	const struct kl_note b = note_of(OLD, other, 12);
	struct audit_mark m;

	ck_assert_int_eq(take(OLD, leaf, 5, &m), AUDIT_MARK_KEPT);
	ck_assert_int_eq(take(OLD, other, 12, &m), AUDIT_MARK_AHEAD);
	ck_assert_int_eq(prove(OLD, other, 12, 5, &m), AUDIT_MARK_BROKEN);
	evidence_is(&m, &a, &b);
	kept_is(OLD, leaf, 5);
}
END_TEST

START_TEST(new_log_is_told_and_kept_beside_the_old_one)
{
	struct kl_checkpoint c;
	struct audit_mark m;

	ck_assert_int_eq(audit_mark_youngest(dir.path, &pk, &c),
	    KL_E_NOT_FOUND);
	ck_assert_int_eq(take(OLD, leaf, 9, &m), AUDIT_MARK_KEPT);
	ck_assert_int_eq(audit_mark_youngest(dir.path, &pk, &c), KL_OK);
	ck_assert_str_eq(c.origin, OLD);
	ck_assert_int_eq(take(NEW, other, 2, &m), AUDIT_MARK_NEW_LOG);
	ck_assert_int_eq(take(NEW, other, 2, &m), AUDIT_MARK_KEPT);
	kept_is(OLD, leaf, 9);
	kept_is(NEW, other, 2);
	ck_assert_int_eq(audit_mark_youngest(dir.path, &pk, &c), KL_OK);
	ck_assert_str_eq(c.origin, NEW);
}
END_TEST

START_TEST(broker_back_on_a_log_that_was_left_raises_an_alarm)
{
	const struct kl_note a = note_of(NEW, other, 2);
	const struct kl_note b = note_of(OLD, leaf, 9);
	struct audit_mark m;

	ck_assert_int_eq(take(OLD, leaf, 9, &m), AUDIT_MARK_KEPT);
	ck_assert_int_eq(take(NEW, other, 2, &m), AUDIT_MARK_NEW_LOG);
	ck_assert_int_eq(take(OLD, leaf, 9, &m), AUDIT_MARK_LEFT);
	evidence_is(&m, &a, &b);
}
END_TEST

START_TEST(what_the_broker_did_not_sign_is_refused)
{
	struct kl_note note = note_of(OLD, leaf, 5);
	struct kl_sign_pk stranger = pk;
	struct audit_mark m;

	stranger.b[0] ^= 1;
	ck_assert_int_eq(audit_mark_take(dir.path, &stranger,
	    kl_bytes_str(note.b), &m), KL_E_SIGNATURE);
	note.b[strlen(OLD) + 1]++;
	ck_assert_int_eq(audit_mark_take(dir.path, &pk, kl_bytes_str(note.b),
	    &m), KL_E_SIGNATURE);
	ck_assert_int_eq(audit_mark_take(dir.path, &pk, kl_bytes_str("x"),
	    &m), KL_E_FORMAT);
	ck_assert_int_eq(audit_mark_note(dir.path, OLD, &note),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(mark_that_was_changed_is_damage)
{
	const struct kl_note note = note_of(OLD, leaf, 9);
	struct tmpdir_path path;
	struct audit_mark m;
	FILE *f;

	ck_assert_int_eq(take(OLD, leaf, 5, &m), AUDIT_MARK_KEPT);
	path = tmpdir_file(&dir, "marks/oin-00000009000000000001+log+"
	    "20260101T000000Z-AAAAAAAA.note");
	ck_assert_ptr_nonnull(f = fopen(path.b, "w"));
	ck_assert_int_ge(fputs("nothing\n", f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(audit_mark_take(dir.path, &pk, kl_bytes_str(note.b),
	    &m), KL_E_DAMAGED);
}
END_TEST

START_TEST(proof_of_other_hashes_is_no_proof)
{
	const struct kl_note note = note_of(OLD, leaf, 12);
	const struct kl_bytes few = kl_bytes(leaf[0].b, 31);
	struct kl_bytes many[KL_PROOF_MAX + 1];
	struct audit_mark m;

	ck_assert_int_eq(take(OLD, leaf, 5, &m), AUDIT_MARK_KEPT);
	ck_assert_int_eq(audit_mark_prove(dir.path, &pk,
	    kl_bytes_str(note.b), &few, 1, &m), KL_E_FORMAT);
	for (size_t i = 0; i <= KL_PROOF_MAX; i++)
		many[i] = KL_BYTES_OF(leaf[0]);
	ck_assert_int_eq(audit_mark_prove(dir.path, &pk,
	    kl_bytes_str(note.b), many, KL_PROOF_MAX + 1, &m), KL_E_SIZE);
	kept_is(OLD, leaf, 5);
}
END_TEST

START_TEST(directory_that_cannot_be_written_is_told)
{
	const struct kl_note note = note_of(OLD, leaf, 5);
	const struct tmpdir_path gone = tmpdir_file(&dir, "gone");
	char path[AUDIT_MARK_PATH_BYTES];
	struct audit_mark m;

	ck_assert_int_eq(audit_mark_take(gone.b, &pk, kl_bytes_str(note.b),
	    &m), KL_E_IO);
	audit_mark_alarm(gone.b, path);
	ck_assert_str_eq(path, "");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("audit_mark");
	TCase *t = tcase_create("audit_mark");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, first_checkpoint_is_kept);
	tcase_add_test(t, later_one_is_kept_only_with_its_proof);
	tcase_add_test(t, everything_continues_an_empty_log);
	tcase_add_test(t, log_that_went_back_raises_an_alarm);
	tcase_add_test(t,
	    log_of_the_same_size_and_another_root_raises_an_alarm);
	tcase_add_test(t, longer_log_that_is_another_raises_an_alarm);
	tcase_add_test(t, new_log_is_told_and_kept_beside_the_old_one);
	tcase_add_test(t, broker_back_on_a_log_that_was_left_raises_an_alarm);
	tcase_add_test(t, what_the_broker_did_not_sign_is_refused);
	tcase_add_test(t, mark_that_was_changed_is_damage);
	tcase_add_test(t, proof_of_other_hashes_is_no_proof);
	tcase_add_test(t, directory_that_cannot_be_written_is_told);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
