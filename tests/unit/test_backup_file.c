#include "adapters/common/backup_file.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/end/recovery.h>
#include <kortelijn/host/fs.h>

#include "tests/support/tmpdir.h"

#define OK(expr) ck_assert_int_eq((expr), KL_OK)
#define RECORDS 60
#define VALUE 5000		/* so that they fill several chunks */
#define FRONT 124		/* bytes of the head, with E */

static struct tmpdir dir;
static struct tmpdir_path path;
static struct kl_secret *sk;
static struct backup_head head;

static struct backup_record
record(unsigned i)
{
	static uint8_t value[VALUE], key[1];

	memset(value, (int)i, sizeof value);
	key[0] = (uint8_t)i;
	return (struct backup_record){ BACKUP_SEALED, 'C', i,
		KL_BYTES_OF(key), kl_bytes(value, VALUE - i) };
}

static struct backup_writer *
half_written(void)
{
	struct backup_writer *w;

	OK(backup_writer_new(path.b, &head, &w));
	for (unsigned i = 0; i < RECORDS; i++) {
		const struct backup_record rec = record(i);

		OK(backup_writer_put(w, &rec));
	}
	return w;
}

static void
write_all(void)
{
	struct backup_writer *w = half_written();

	OK(backup_writer_finish(w));
	ck_assert_uint_gt(backup_writer_bytes(w), 2 * BACKUP_CHUNK_MAX);
	backup_writer_free(w);
}

static void
setup(void)
{
	OK(kl_crypto_init());
	dir = tmpdir_make();
	path = tmpdir_file(&dir, "one.backup");
	head = (struct backup_head){ .made_ms = 1795510800000, .role =
		KL_PRACTICE, .realm = KL_TRAINING };
	OK(kl_id_read("agb:01000001", &head.id));
	OK(kl_recovery_make(&head.recovery, &sk));
}

static void
teardown(void)
{
	kl_secret_free(sk);
	tmpdir_remove(&dir);
}

/* All records, or the first error. */
static int
read_with(const struct kl_secret *key)
{
	struct backup_reader *r;
	struct backup_record rec;
	struct backup_head h;
	int e = backup_reader_new(path.b, key, &h, &r);

	while (e == KL_OK)
		e = backup_reader_next(r, &rec);
	backup_reader_free(r);
	return e;
}

static int
check(void)
{
	struct backup_head h;

	return backup_file_check(path.b, &h);
}

static off_t
size_of(void)
{
	struct stat st;

	ck_assert_int_eq(stat(path.b, &st), 0);
	return st.st_size;
}

static void
flip(off_t at, uint8_t bit)
{
	int fd = open(path.b, O_RDWR);
	uint8_t b;

	OK(kl_fs_pread(fd, &b, 1, at));
	b ^= bit;
	OK(kl_fs_pwrite(fd, &b, 1, at));
	(void)close(fd);
}

START_TEST(what_was_written_is_read_in_order)
{
	struct backup_reader *r;
	struct backup_record got;
	struct backup_head h;

	write_all();
	OK(backup_reader_new(path.b, sk, &h, &r));
	ck_assert_mem_eq(&h, &head, sizeof h);
	for (unsigned i = 0; i < RECORDS; i++) {
		const struct backup_record want = record(i);

		OK(backup_reader_next(r, &got));
		ck_assert_uint_eq(got.kind, want.kind);
		ck_assert_int_eq(got.table, want.table);
		ck_assert_uint_eq(got.slot, want.slot);
		ck_assert(kl_bytes_equal(got.key, want.key));
		ck_assert(kl_bytes_equal(got.value, want.value));
	}
	ck_assert_int_eq(backup_reader_next(r, &got), KL_E_EMPTY);
	backup_reader_free(r);
	OK(check());
}
END_TEST

START_TEST(it_has_its_name_only_when_it_is_whole)
{
	struct backup_writer *w = half_written();
	struct tmpdir_path half = tmpdir_file(&dir, "one.backup.new");

	ck_assert_int_ne(access(path.b, F_OK), 0);
	ck_assert_int_eq(access(half.b, F_OK), 0);
	backup_writer_free(w);
	ck_assert_int_ne(access(half.b, F_OK), 0);
	ck_assert_int_eq(check(), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(what_a_killed_one_left_is_written_over)
{
	struct tmpdir_path half = tmpdir_file(&dir, "one.backup.new");
	struct stat st;

	OK(kl_fs_replace(half.b, kl_bytes_str("half")));
	ck_assert_int_eq(chmod(half.b, 0644), 0);
	write_all();
	OK(check());
	ck_assert_int_eq(stat(path.b, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
}
END_TEST

START_TEST(each_cut_is_noticed)
{
	const off_t step = 997;
	off_t n;

	write_all();
	for (n = size_of() - 1; n > 0; n -= n > step ? step : 1) {
		ck_assert_int_eq(truncate(path.b, n), 0);
		ck_assert_int_eq(read_with(sk), n < FRONT ? KL_E_FORMAT :
		    KL_E_DAMAGED);
		ck_assert_int_eq(check(), n < FRONT ? KL_E_FORMAT :
		    KL_E_DAMAGED);
	}
}
END_TEST

START_TEST(flipped_bits_are_noticed)
{
	off_t size;

	write_all();
	size = size_of();
	for (off_t at = 0; at < size; at += at < FRONT + 8 ? 1 : 4999) {
		flip(at, 1);
		ck_assert_int_ne(check(), KL_OK);
		ck_assert_int_ne(read_with(sk), KL_E_EMPTY);
		flip(at, 1);
	}
	OK(check());
	ck_assert_int_eq(read_with(sk), KL_E_EMPTY);
}
END_TEST

START_TEST(more_behind_the_end_is_noticed)
{
	int fd;

	write_all();
	fd = open(path.b, O_WRONLY | O_APPEND);
	ck_assert_int_eq(write(fd, "x", 1), 1);
	(void)close(fd);
	ck_assert_int_eq(read_with(sk), KL_E_DAMAGED);
	ck_assert_int_eq(check(), KL_E_DAMAGED);
}
END_TEST

START_TEST(another_key_is_named_as_such)
{
	struct kl_secret *other;
	struct kl_dh_pk pk;

	write_all();
	OK(kl_recovery_make(&pk, &other));
	ck_assert_int_eq(read_with(other), KL_E_VALUE);
	kl_secret_free(other);
}
END_TEST

START_TEST(what_is_no_backup_is_refused)
{
	char text[200];

	memset(text, 'k', sizeof text);
	OK(kl_fs_replace(path.b, KL_BYTES_OF(text)));
	ck_assert_int_eq(read_with(sk), KL_E_FORMAT);
	ck_assert_int_eq(check(), KL_E_FORMAT);
	ck_assert_int_eq(unlink(path.b), 0);
	ck_assert_int_eq(read_with(sk), KL_E_NOT_FOUND);
	ck_assert_int_eq(mkdir(path.b, 0700), 0);
	ck_assert_int_eq(read_with(sk), KL_E_DENIED);
}
END_TEST

START_TEST(a_record_longer_than_a_chunk_is_refused)
{
	struct backup_record rec = record(1);
	uint8_t *large = calloc(1, BACKUP_CHUNK_MAX);
	struct backup_writer *w;

	OK(backup_writer_new(path.b, &head, &w));
	rec.value = kl_bytes(large, BACKUP_CHUNK_MAX);
	ck_assert_int_eq(backup_writer_put(w, &rec), KL_E_SIZE);
	backup_writer_free(w);
	free(large);
}
END_TEST

START_TEST(a_key_that_is_none_is_refused)
{
	struct backup_writer *w;

	memset(&head.recovery, 0, sizeof head.recovery);
	ck_assert_int_eq(backup_writer_new(path.b, &head, &w), KL_E_VALUE);
	ck_assert_ptr_null(w);
}
END_TEST

START_TEST(a_directory_that_is_not_there_is_refused)
{
	struct backup_writer *w;

	path = tmpdir_file(&dir, "none/one.backup");
	ck_assert_int_eq(backup_writer_new(path.b, &head, &w), KL_E_DENIED);
}
END_TEST

/* A limit on the size of files stands for a disk that is full. */
START_TEST(no_room_leaves_nothing_behind)
{
	const struct rlimit small = { 200000, RLIM_INFINITY };
	struct tmpdir_path half = tmpdir_file(&dir, "one.backup.new");
	struct backup_writer *w;
	int r = KL_OK;

	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	OK(backup_writer_new(path.b, &head, &w));
	for (unsigned i = 0; i < RECORDS && r == KL_OK; i++) {
		const struct backup_record rec = record(i);

		r = backup_writer_put(w, &rec);
	}
	ck_assert(r == KL_E_FULL || r == KL_E_IO);
	backup_writer_free(w);
	ck_assert_int_ne(access(half.b, F_OK), 0);
	ck_assert_int_ne(access(path.b, F_OK), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("backup_file");
	TCase *tc = tcase_create("backup_file");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	tcase_add_test(tc, what_was_written_is_read_in_order);
	tcase_add_test(tc, it_has_its_name_only_when_it_is_whole);
	tcase_add_test(tc, what_a_killed_one_left_is_written_over);
	tcase_add_test(tc, each_cut_is_noticed);
	tcase_add_test(tc, flipped_bits_are_noticed);
	tcase_add_test(tc, more_behind_the_end_is_noticed);
	tcase_add_test(tc, another_key_is_named_as_such);
	tcase_add_test(tc, what_is_no_backup_is_refused);
	tcase_add_test(tc, a_record_longer_than_a_chunk_is_refused);
	tcase_add_test(tc, a_key_that_is_none_is_refused);
	tcase_add_test(tc, a_directory_that_is_not_there_is_refused);
	tcase_add_test(tc, no_room_leaves_nothing_behind);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
