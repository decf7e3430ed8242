#include <kortelijn/host/fs.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tests/support/tmpdir.h"

/* These stand before the C library's own. */
static uint32_t fault_fs;
static int fault_errno;
static size_t write_max = SIZE_MAX;

int
fstatfs(int fd, struct statfs *st)
{
	int r = (int)syscall(SYS_fstatfs, fd, st);

	if (fault_fs != 0)
		st->f_type = (__fsword_t)fault_fs;
	return r;
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (fault_errno != 0) {
		errno = fault_errno;
		if (fault_errno == EINTR)
			fault_errno = 0;
		return -1;
	}
	if (n > write_max)
		n = write_max;
	return (ssize_t)syscall(SYS_pwrite64, fd, p, n, at);
}

/* What the file system says of a file: its flags, and its extents, one in
 * each answer. */
static int file_flags;
static uint32_t extent_flags[2];
static size_t extents, asked;
static int extent_errno;

static int
say_extents(struct fiemap *map)
{
	if (extent_errno != 0) {
		errno = extent_errno;
		return -1;
	}
	map->fm_mapped_extents = 0;
	if (asked >= extents)
		return 0;
	ck_assert_uint_eq(map->fm_start, asked * 4096);
	map->fm_extents[0] = (struct fiemap_extent){
		.fe_logical = asked * 4096, .fe_length = 4096,
		.fe_flags = extent_flags[asked],
	};
	map->fm_mapped_extents = 1;
	asked++;
	return 0;
}

int
ioctl(int at, unsigned long request, ...)
{
	va_list args;
	void *arg;

	(void)at;
	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (request == FS_IOC_FIEMAP)
		return say_extents(arg);
	memcpy(arg, &file_flags, sizeof file_flags);
	return 0;
}

static struct tmpdir dir;
static int fd;

static void
setup(void)
{
	dir = tmpdir_make();
	fd = open(tmpdir_file(&dir, "f").b, O_RDWR | O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
}

static void
teardown(void)
{
	ck_assert_int_eq(close(fd), 0);
	tmpdir_remove(&dir);
}

START_TEST(kind_knows_what_copies_and_what_is_remote)
{
	static const struct { uint32_t magic; enum kl_fs_kind kind; } t[] = {
		{ EXT4_SUPER_MAGIC, KL_FS_IN_PLACE },
		{ TMPFS_MAGIC, KL_FS_IN_PLACE },
		{ BTRFS_SUPER_MAGIC, KL_FS_COPIES },
		{ OVERLAYFS_SUPER_MAGIC, KL_FS_COPIES },
		{ 1, KL_FS_COPIES },
		{ NFS_SUPER_MAGIC, KL_FS_REMOTE },
		{ 0x65735546, KL_FS_REMOTE },
		{ 0xff534d42, KL_FS_REMOTE },
	};
	enum kl_fs_kind kind;

	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		fault_fs = t[i].magic;
		ck_assert_int_eq(kl_fs_kind(fd, &kind), KL_OK);
		ck_assert_int_eq(kind, t[i].kind);
	}
	ck_assert_int_eq(kl_fs_kind(-1, &kind), KL_E_IO);
}
END_TEST

START_TEST(data_mode_reads_the_options_of_the_right_device)
{
	static const char text[] =
	    "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/a "
	    "rw,data=ordered\n"
	    "23 22 254:2 / /v rw - ext4 /dev/data=journal rw,data=journal,x\n"
	    "24 22 254:3 / /w,data=journal rw - ext4 /dev/c rw";

	ck_assert_int_eq(kl_fs_data_mode(text, makedev(254, 1)),
	    KL_FS_DATA_PLAIN);
	ck_assert_int_eq(kl_fs_data_mode(text, makedev(254, 2)),
	    KL_FS_DATA_JOURNAL);
	ck_assert_int_eq(kl_fs_data_mode(text, makedev(254, 3)),
	    KL_FS_DATA_PLAIN);
	ck_assert_int_eq(kl_fs_data_mode(text, makedev(254, 4)),
	    KL_FS_DATA_UNKNOWN);
	ck_assert_int_eq(kl_fs_data_mode("", makedev(1, 1)),
	    KL_FS_DATA_UNKNOWN);
	ck_assert_int_eq(kl_fs_data_mode("junk\n\n- -", makedev(1, 1)),
	    KL_FS_DATA_UNKNOWN);
}
END_TEST

START_TEST(in_place_is_refused_where_blocks_stay)
{
	fault_fs = OVERLAYFS_SUPER_MAGIC;
	ck_assert_int_eq(kl_fs_check_in_place(fd), KL_E_DENIED);
	fault_fs = TMPFS_MAGIC;
	ck_assert_int_eq(kl_fs_check_in_place(fd), KL_OK);
	ck_assert_int_eq(kl_fs_check_in_place(-1), KL_E_IO);
}
END_TEST

static char mounts[1 << 16];

START_TEST(in_place_on_ext4_depends_on_its_journal)
{
	int proc = open("/proc/self/mountinfo", O_RDONLY);
	struct stat st;
	ssize_t n;

	ck_assert_int_ge(proc, 0);
	n = read(proc, mounts, sizeof mounts - 1);
	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(close(proc), 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	fault_fs = EXT4_SUPER_MAGIC;
	/* What this machine has below its temporary directory. */
	ck_assert_int_eq(kl_fs_check_in_place(fd),
	    kl_fs_data_mode(mounts, st.st_dev) == KL_FS_DATA_PLAIN ?
	    KL_OK : KL_E_DENIED);
	file_flags = FS_JOURNAL_DATA_FL;
	ck_assert_int_eq(kl_fs_check_in_place(fd), KL_E_DENIED);
}
END_TEST

START_TEST(blocks_shared_with_a_copy_are_refused)
{
	fault_fs = XFS_SUPER_MAGIC;
	extents = 2;
	extent_flags[1] = FIEMAP_EXTENT_LAST;
	ck_assert_int_eq(kl_fs_check_in_place(fd), KL_OK);
	ck_assert_uint_eq(asked, 2);
	asked = 0;
	extent_flags[1] = FIEMAP_EXTENT_LAST | FIEMAP_EXTENT_SHARED;
	ck_assert_int_eq(kl_fs_check_in_place(fd), KL_E_DENIED);
	extents = 0;
	ck_assert_int_eq(kl_fs_check_in_place(fd), KL_OK);
}
END_TEST

START_TEST(file_system_that_names_no_blocks_is_believed)
{
	fault_fs = XFS_SUPER_MAGIC;
	extent_errno = EOPNOTSUPP;
	ck_assert_int_eq(kl_fs_check_in_place(fd), KL_OK);
	extent_errno = EIO;
	ck_assert_int_eq(kl_fs_check_in_place(fd), KL_E_IO);
}
END_TEST

START_TEST(private_means_ours_alone_and_regular)
{
	int d = open(dir.path, O_RDONLY | O_DIRECTORY);

	ck_assert_int_eq(kl_fs_check_private(fd), KL_OK);
	ck_assert_int_eq(kl_fs_check_private(d), KL_E_DENIED);
	ck_assert_int_eq(close(d), 0);
	ck_assert_int_eq(fchmod(fd, 0601), 0);
	ck_assert_int_eq(kl_fs_check_private(fd), KL_E_DENIED);
	ck_assert_int_eq(kl_fs_check_private(-1), KL_E_IO);
}
END_TEST

START_TEST(short_and_interrupted_writes_are_finished)
{
	char b[11];

	write_max = 3;
	fault_errno = EINTR;
	ck_assert_int_eq(kl_fs_pwrite(fd, "hello world", 11, 5), KL_OK);
	ck_assert_int_eq(kl_fs_pread(fd, b, 11, 5), KL_OK);
	ck_assert_mem_eq(b, "hello world", 11);
}
END_TEST

START_TEST(failed_write_and_read_name_the_cause)
{
	char b[4];

	fault_errno = ENOSPC;
	ck_assert_int_eq(kl_fs_pwrite(fd, "x", 1, 0), KL_E_FULL);
	fault_errno = EIO;
	ck_assert_int_eq(kl_fs_pwrite(fd, "x", 1, 0), KL_E_IO);
	ck_assert_int_eq(kl_fs_pread(fd, b, 4, 0), KL_E_DAMAGED);
	ck_assert_int_eq(kl_fs_pread(-1, b, 4, 0), KL_E_IO);
}
END_TEST

START_TEST(path_is_joined_or_too_long)
{
	char out[8];

	ck_assert_int_eq(kl_fs_path(out, sizeof out, "/ab", "cde"), KL_OK);
	ck_assert_str_eq(out, "/ab/cde");
	ck_assert_int_eq(kl_fs_path(out, sizeof out, "/ab", "cdef"),
	    KL_E_SIZE);
}
END_TEST

START_TEST(file_is_replaced_and_read_whole)
{
	const struct tmpdir_path path = tmpdir_file(&dir, "whole");
	char *text;
	size_t n;

	ck_assert_int_eq(kl_fs_replace(path.b, kl_bytes_str("one\n")), KL_OK);
	ck_assert_int_eq(kl_fs_replace(path.b, kl_bytes_str("two")), KL_OK);
	ck_assert_int_eq(kl_fs_read_file(AT_FDCWD, path.b, 3, &text, &n),
	    KL_OK);
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(text, "two");
	kl_fs_read_free(text, n);
	kl_fs_read_free(NULL, 0);
	ck_assert_int_eq(kl_fs_read_file(AT_FDCWD, path.b, 2, &text, &n),
	    KL_E_SIZE);
	ck_assert_ptr_null(text);
}
END_TEST

START_TEST(replacing_that_fails_leaves_the_old_file)
{
	const struct tmpdir_path path = tmpdir_file(&dir, "kept");
	char *text;
	size_t n;

	ck_assert_int_eq(kl_fs_replace(path.b, kl_bytes_str("old")), KL_OK);
	fault_errno = ENOSPC;
	ck_assert_int_eq(kl_fs_replace(path.b, kl_bytes_str("new")),
	    KL_E_FULL);
	fault_errno = 0;
	ck_assert_int_ne(access(tmpdir_file(&dir, "kept.new").b, F_OK), 0);
	ck_assert_int_eq(kl_fs_read_file(AT_FDCWD, path.b, 9, &text, &n),
	    KL_OK);
	ck_assert_str_eq(text, "old");
	kl_fs_read_free(text, n);
	ck_assert_int_eq(kl_fs_replace(tmpdir_file(&dir, "no/file").b,
	    kl_bytes_str("x")), KL_E_IO);
}
END_TEST

START_TEST(only_regular_files_are_read)
{
	const struct tmpdir_path path = tmpdir_file(&dir, "other");
	char *text;
	size_t n;

	ck_assert_int_eq(kl_fs_read_file(AT_FDCWD, path.b, 9, &text, &n),
	    KL_E_NOT_FOUND);
	ck_assert_int_eq(mkfifo(path.b, 0600), 0);
	ck_assert_int_eq(kl_fs_read_file(AT_FDCWD, path.b, 9, &text, &n),
	    KL_E_DENIED);
	ck_assert_int_eq(unlink(path.b), 0);
	ck_assert_int_eq(symlink("/etc/passwd", path.b), 0);
	ck_assert_int_eq(kl_fs_read_file(AT_FDCWD, path.b, 1 << 20, &text,
	    &n), KL_E_DENIED);
	ck_assert_int_eq(kl_fs_read_file(AT_FDCWD, dir.path, 1 << 20, &text,
	    &n), KL_E_DENIED);
}
END_TEST

START_TEST(parent_of_a_path_is_synced)
{
	ck_assert_int_eq(kl_fs_sync_parent(tmpdir_file(&dir, "f").b), KL_OK);
	ck_assert_int_eq(kl_fs_sync_parent("/f"), KL_OK);
	ck_assert_int_eq(kl_fs_sync_parent("f"), KL_OK);
	ck_assert_int_eq(kl_fs_sync_parent("/nowhere/at/all/f"), KL_E_IO);
}
END_TEST

static Suite *
fs_suite(void)
{
	Suite *s = suite_create("fs");
	TCase *tc = tcase_create("fs");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, kind_knows_what_copies_and_what_is_remote);
	tcase_add_test(tc, data_mode_reads_the_options_of_the_right_device);
	tcase_add_test(tc, in_place_is_refused_where_blocks_stay);
	tcase_add_test(tc, in_place_on_ext4_depends_on_its_journal);
	tcase_add_test(tc, blocks_shared_with_a_copy_are_refused);
	tcase_add_test(tc, file_system_that_names_no_blocks_is_believed);
	tcase_add_test(tc, private_means_ours_alone_and_regular);
	tcase_add_test(tc, short_and_interrupted_writes_are_finished);
	tcase_add_test(tc, failed_write_and_read_name_the_cause);
	tcase_add_test(tc, path_is_joined_or_too_long);
	tcase_add_test(tc, file_is_replaced_and_read_whole);
	tcase_add_test(tc, replacing_that_fails_leaves_the_old_file);
	tcase_add_test(tc, only_regular_files_are_read);
	tcase_add_test(tc, parent_of_a_path_is_synced);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *sr = srunner_create(fs_suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
