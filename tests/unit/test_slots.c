#include <kortelijn/host/slots.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kortelijn/crypto/secret.h>

#include "tests/support/tmpdir.h"

#define COUNT 40u
#define SECTOR 512

/* These stand before the C library's own. die_at: the process ends at that
 * step of those that change a file or make it durable. */
static bool fault_sync, fault_write;
static uint32_t fault_fs;
static int die_at;

static void
step(void)
{
	if (die_at > 0 && --die_at == 0)
		_exit(0);
}

int
fdatasync(int fd)
{
	step();
	if (fault_sync) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
	step();
	return (int)syscall(SYS_fsync, fd);
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	step();
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	step();
	if (fault_write) {
		errno = ENOSPC;
		return -1;
	}
	return (ssize_t)syscall(SYS_pwrite64, fd, p, n, at);
}

int
fstatfs(int fd, struct statfs *st)
{
	int r = (int)syscall(SYS_fstatfs, fd, st);

	if (fault_fs != 0)
		st->f_type = (__fsword_t)fault_fs;
	return r;
}

static struct tmpdir dir;
static struct kl_slots *slots;

static int
reopen(void)
{
	kl_slots_close(slots);
	return kl_slots_open(dir.path, COUNT, KL_ERASURE_BEST_EFFORT, &slots);
}

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	dir = tmpdir_make();
	ck_assert_int_eq(reopen(), KL_OK);
}

static void
teardown(void)
{
	fault_sync = fault_write = false;
	fault_fs = 0;
	kl_slots_close(slots);
	slots = NULL;
	tmpdir_remove(&dir);
}

static uint32_t
take(void)
{
	uint32_t slot;

	ck_assert_int_eq(kl_slots_take(slots, &slot), KL_OK);
	return slot;
}

static struct kl_slot_key
key_of(uint32_t slot)
{
	struct kl_slot_key k;

	ck_assert_int_eq(kl_slots_key(slots, slot, &k), KL_OK);
	return k;
}

static bool
same(struct kl_slot_key a, struct kl_slot_key b)
{
	return memcmp(a.b, b.b, sizeof a.b) == 0;
}

static void
flip(const char *name, off_t at)
{
	int fd = open(tmpdir_file(&dir, name).b, O_RDWR);
	uint8_t b;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(fd, &b, 1, at), 1);
	b ^= 1;
	ck_assert_int_eq(pwrite(fd, &b, 1, at), 1);
	ck_assert_int_eq(close(fd), 0);
}

static bool
sector_is_zero(const char *name, off_t sector)
{
	uint8_t b[SECTOR];
	int fd = open(tmpdir_file(&dir, name).b, O_RDONLY);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(fd, b, SECTOR, sector * SECTOR), SECTOR);
	ck_assert_int_eq(close(fd), 0);
	return kl_bytes_zero(KL_BYTES_OF(b));
}

START_TEST(new_files_are_private_and_really_written)
{
	struct stat st;

	ck_assert_uint_eq(kl_slots_count(slots), COUNT);
	ck_assert_uint_eq(kl_slots_free(slots), COUNT);
	ck_assert_uint_eq(kl_slots_zeroed(slots), 0);
	ck_assert_int_eq(stat(tmpdir_file(&dir, "slots").b, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(st.st_size, (COUNT + 1) * SECTOR);
	ck_assert_int_eq(stat(tmpdir_file(&dir, "master").b, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	for (uint32_t i = 0; i <= COUNT; i++)
		ck_assert(!sector_is_zero("slots", i));
}
END_TEST

START_TEST(take_hands_out_each_slot_once_with_its_own_key)
{
	struct kl_slot_key keys[COUNT];
	bool seen[COUNT] = { false };
	uint32_t slot;

	for (uint32_t i = 0; i < COUNT; i++) {
		slot = take();
		ck_assert_uint_lt(slot, COUNT);
		ck_assert(!seen[slot]);
		seen[slot] = true;
		keys[i] = key_of(slot);
		for (uint32_t j = 0; j < i; j++)
			ck_assert(!same(keys[i], keys[j]));
	}
	ck_assert_int_eq(kl_slots_take(slots, &slot), KL_E_FULL);
	ck_assert_uint_eq(slot, KL_SLOT_NONE);
}
END_TEST

START_TEST(keys_survive_reopen_and_nothing_is_taken)
{
	uint32_t slot = take();
	struct kl_slot_key before = key_of(slot);

	ck_assert_int_eq(reopen(), KL_OK);
	ck_assert_uint_eq(kl_slots_free(slots), COUNT);
	ck_assert(same(before, key_of(slot)));
}
END_TEST

START_TEST(count_of_the_file_counts)
{
	kl_slots_close(slots);
	ck_assert_int_eq(kl_slots_open(dir.path, 7, KL_ERASURE_BEST_EFFORT,
	    &slots), KL_OK);
	ck_assert_uint_eq(kl_slots_count(slots), COUNT);
}
END_TEST

START_TEST(given_back_slot_is_taken_next)
{
	uint32_t slot = take();

	(void)take();
	kl_slots_give_back(slots, slot);
	ck_assert_uint_eq(kl_slots_free(slots), COUNT - 1);
	kl_slots_give_back(slots, slot);
	ck_assert_uint_eq(kl_slots_free(slots), COUNT - 1);
	ck_assert_uint_eq(take(), slot);
}
END_TEST

START_TEST(marked_slots_are_never_taken)
{
	uint32_t slot;

	for (uint32_t i = 0; i < COUNT; i++)
		if (i != 5)
			ck_assert_int_eq(kl_slots_mark_used(slots, i), KL_OK);
	ck_assert_int_eq(kl_slots_mark_used(slots, 0), KL_OK);
	ck_assert_uint_eq(kl_slots_free(slots), 1);
	ck_assert_uint_eq(take(), 5);
	ck_assert_int_eq(kl_slots_take(slots, &slot), KL_E_FULL);
}
END_TEST

START_TEST(no_such_slot_answers_value)
{
	struct kl_slot_key k;

	ck_assert_int_eq(kl_slots_mark_used(slots, COUNT), KL_E_VALUE);
	ck_assert_int_eq(kl_slots_key(slots, COUNT, &k), KL_E_VALUE);
	ck_assert_int_eq(kl_slots_zero(slots, KL_SLOT_NONE), KL_E_VALUE);
	ck_assert_int_eq(kl_slots_verify_zero(slots, COUNT), KL_E_VALUE);
}
END_TEST

START_TEST(zeroed_slot_has_no_key_and_reads_back_zero)
{
	uint32_t slot = take();
	struct kl_slot_key k;

	ck_assert_int_eq(kl_slots_verify_zero(slots, slot), KL_E_DAMAGED);
	ck_assert_int_eq(kl_slots_zero(slots, slot), KL_OK);
	ck_assert_int_eq(kl_slots_zero(slots, slot), KL_OK);
	ck_assert_int_eq(kl_slots_sync(slots), KL_OK);
	ck_assert_int_eq(kl_slots_verify_zero(slots, slot), KL_OK);
	ck_assert_int_eq(kl_slots_key(slots, slot, &k), KL_E_NOT_FOUND);
	ck_assert(kl_bytes_zero(KL_BYTES_OF(k)));
	ck_assert_uint_eq(kl_slots_zeroed(slots), 1);
	ck_assert_int_eq(kl_slots_mark_used(slots, slot), KL_E_DAMAGED);
	ck_assert_int_eq(reopen(), KL_OK);
	ck_assert_uint_eq(kl_slots_zeroed(slots), 1);
	ck_assert_uint_eq(kl_slots_free(slots), COUNT - 1);
	ck_assert_int_eq(kl_slots_key(slots, slot, &k), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(every_slot_can_be_verified_zero)
{
	for (uint32_t i = 0; i < COUNT; i++)
		ck_assert_int_eq(kl_slots_zero(slots, i), KL_OK);
	ck_assert_int_eq(kl_slots_sync(slots), KL_OK);
	for (uint32_t i = 0; i < COUNT; i++)
		ck_assert_int_eq(kl_slots_verify_zero(slots, i), KL_OK);
}
END_TEST

START_TEST(refilled_slot_waits_for_the_sync)
{
	struct kl_slot_key old = key_of(3);
	uint32_t slot;

	for (uint32_t i = 0; i < COUNT; i++)
		ck_assert_int_eq(kl_slots_zero(slots, i), KL_OK);
	ck_assert_int_eq(kl_slots_refill(slots, 10), 10);
	ck_assert_int_eq(kl_slots_take(slots, &slot), KL_E_FULL);
	ck_assert_int_eq(kl_slots_sync(slots), KL_OK);
	ck_assert_uint_eq(kl_slots_free(slots), 10);
	ck_assert_uint_eq(kl_slots_zeroed(slots), COUNT - 10);
	ck_assert_int_eq(kl_slots_refill(slots, COUNT), COUNT - 10);
	ck_assert_int_eq(kl_slots_refill(slots, 1), 0);
	ck_assert_int_eq(kl_slots_sync(slots), KL_OK);
	ck_assert(!same(old, key_of(3)));
	ck_assert_int_eq(reopen(), KL_OK);
	ck_assert_uint_eq(kl_slots_free(slots), COUNT);
}
END_TEST

/* A process may have died between a refill and its sync: what reads as free
 * at the next open is given out only once it is durable. */
START_TEST(open_syncs_what_it_finds_before_a_slot_is_taken)
{
	struct kl_slots *again = NULL;

	kl_slots_close(slots);
	slots = NULL;
	fault_sync = true;
	ck_assert_int_ne(kl_slots_open(dir.path, COUNT,
	    KL_ERASURE_BEST_EFFORT, &again), KL_OK);
	ck_assert_ptr_null(again);
	fault_sync = false;
	ck_assert_int_eq(kl_slots_open(dir.path, COUNT,
	    KL_ERASURE_BEST_EFFORT, &slots), KL_OK);
}
END_TEST

START_TEST(failed_sync_answers_commit)
{
	ck_assert_int_eq(kl_slots_zero(slots, 0), KL_OK);
	fault_sync = true;
	ck_assert_int_eq(kl_slots_sync(slots), KL_E_COMMIT);
}
END_TEST

START_TEST(failed_write_answers_io)
{
	ck_assert_int_eq(kl_slots_zero(slots, 1), KL_OK);
	fault_write = true;
	ck_assert_int_eq(kl_slots_zero(slots, 0), KL_E_IO);
	ck_assert_int_eq(kl_slots_refill(slots, 1), KL_E_IO);
}
END_TEST

START_TEST(creation_without_room_answers_full)
{
	struct tmpdir other = tmpdir_make();
	struct kl_slots *s;

	fault_write = true;
	ck_assert_int_eq(kl_slots_open(other.path, COUNT,
	    KL_ERASURE_BEST_EFFORT, &s), KL_E_FULL);
	ck_assert_ptr_null(s);
	tmpdir_remove(&other);
}
END_TEST

START_TEST(open_answers_value_and_io)
{
	struct kl_slots *s;

	ck_assert_int_eq(kl_slots_open(dir.path, 0, KL_ERASURE_BEST_EFFORT,
	    &s), KL_E_VALUE);
	ck_assert_int_eq(kl_slots_open("/nowhere/at/all", 1,
	    KL_ERASURE_BEST_EFFORT, &s), KL_E_IO);
}
END_TEST

START_TEST(damaged_slot_is_set_aside_until_zeroed)
{
	struct kl_slot_key k;

	flip("slots", 3 * SECTOR + 20);		/* slot 2 */
	flip("slots", 5 * SECTOR + 500);	/* slot 4, behind its MAC */
	ck_assert_int_eq(kl_slots_key(slots, 2, &k), KL_E_DAMAGED);
	ck_assert(kl_bytes_zero(KL_BYTES_OF(k)));
	ck_assert_int_eq(reopen(), KL_OK);
	ck_assert_uint_eq(kl_slots_free(slots), COUNT - 2);
	ck_assert_uint_eq(kl_slots_zeroed(slots), 0);
	ck_assert_int_eq(kl_slots_mark_used(slots, 2), KL_E_DAMAGED);
	ck_assert_int_eq(kl_slots_key(slots, 4, &k), KL_E_DAMAGED);
	ck_assert_int_eq(kl_slots_zero(slots, 2), KL_OK);
	ck_assert_uint_eq(kl_slots_zeroed(slots), 1);
}
END_TEST

START_TEST(exchanged_sectors_do_not_verify)
{
	uint8_t b[2][SECTOR];
	int fd = open(tmpdir_file(&dir, "slots").b, O_RDWR);
	struct kl_slot_key k;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(fd, b, sizeof b, SECTOR), sizeof b);
	ck_assert_int_eq(pwrite(fd, b[1], SECTOR, SECTOR), SECTOR);
	ck_assert_int_eq(pwrite(fd, b[0], SECTOR, 2 * SECTOR), SECTOR);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(kl_slots_key(slots, 0, &k), KL_E_DAMAGED);
	ck_assert_int_eq(kl_slots_key(slots, 1, &k), KL_E_DAMAGED);
}
END_TEST

START_TEST(damaged_head_or_master_stops_the_start)
{
	static const struct { const char *name; off_t at; } flips[] = {
		{ "slots", 0 }, { "slots", 15 }, { "slots", 19 },
		{ "slots", 25 }, { "slots", 400 }, { "master", 7 },
		{ "master", 20 }, { "master", 45 }, { "master", 300 },
	};

	for (size_t i = 0; i < sizeof flips / sizeof flips[0]; i++) {
		flip(flips[i].name, flips[i].at);
		ck_assert_int_eq(reopen(), KL_E_DAMAGED);
		ck_assert_ptr_null(slots);
		flip(flips[i].name, flips[i].at);
		ck_assert_int_eq(reopen(), KL_OK);
	}
}
END_TEST

START_TEST(missing_file_answers_damaged)
{
	struct tmpdir_path a = tmpdir_file(&dir, "master");
	struct tmpdir_path b = tmpdir_file(&dir, "kept");

	ck_assert_int_eq(rename(a.b, b.b), 0);
	ck_assert_int_eq(reopen(), KL_E_DAMAGED);
	ck_assert_int_eq(rename(b.b, a.b), 0);
	ck_assert_int_eq(reopen(), KL_OK);
	ck_assert_int_eq(unlink(tmpdir_file(&dir, "slots").b), 0);
	ck_assert_int_eq(reopen(), KL_E_DAMAGED);
}
END_TEST

START_TEST(short_file_answers_damaged)
{
	ck_assert_int_eq(truncate(tmpdir_file(&dir, "slots").b,
	    COUNT * SECTOR), 0);
	ck_assert_int_eq(reopen(), KL_E_DAMAGED);
}
END_TEST

START_TEST(file_others_can_read_is_refused)
{
	ck_assert_int_eq(chmod(tmpdir_file(&dir, "master").b, 0604), 0);
	ck_assert_int_eq(reopen(), KL_E_DENIED);
}
END_TEST

/* What a rewrap that was interrupted leaves behind. */
START_TEST(master_key_of_another_generation_is_zeroed_at_open)
{
	uint8_t b[SECTOR];
	int fd = open(tmpdir_file(&dir, "master").b, O_RDWR);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(fd, b, SECTOR, 0), SECTOR);
	/* The key that counts may stand in either sector. */
	ck_assert_int_eq(pwrite(fd, b, SECTOR, SECTOR), SECTOR);
	b[7] = 9;
	ck_assert_int_eq(pwrite(fd, b, SECTOR, 0), SECTOR);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(reopen(), KL_OK);
	ck_assert_uint_eq(kl_slots_free(slots), COUNT);
	ck_assert(sector_is_zero("master", 0));
	ck_assert(!sector_is_zero("master", 1));
}
END_TEST

START_TEST(crash_at_any_step_of_creation_is_finished_by_the_next_open)
{
	for (int n = 1; n < 12; n++) {
		struct tmpdir d = tmpdir_make();
		struct kl_slots *s;
		pid_t pid;
		int status;

		if ((pid = fork()) == 0) {
			die_at = n;
			if (kl_slots_open(d.path, COUNT,
				KL_ERASURE_BEST_EFFORT, &s) != KL_OK)
				_exit(1);
			_exit(0);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
		ck_assert_int_eq(kl_slots_open(d.path, COUNT,
		    KL_ERASURE_BEST_EFFORT, &s), KL_OK);
		ck_assert_uint_eq(kl_slots_free(s), COUNT);
		kl_slots_close(s);
		ck_assert_int_ne(access(tmpdir_file(&d, "slots.new").b, F_OK),
		    0);
		tmpdir_remove(&d);
	}
}
END_TEST

START_TEST(verified_erasure_refuses_file_systems_that_copy)
{
	static const uint32_t magic[] = { BTRFS_SUPER_MAGIC,
		OVERLAYFS_SUPER_MAGIC, 0x2fc12fc1, NFS_SUPER_MAGIC, 12345 };
	struct tmpdir other = tmpdir_make();
	struct kl_slots *s;

	for (size_t i = 0; i < sizeof magic / sizeof magic[0]; i++) {
		fault_fs = magic[i];
		ck_assert_int_eq(kl_slots_open(other.path, COUNT,
		    KL_ERASURE_VERIFIED, &s), KL_E_DENIED);
		ck_assert_int_ne(access(tmpdir_file(&other, "master").b,
		    F_OK), 0);
		ck_assert_int_eq(kl_slots_open(dir.path, COUNT,
		    KL_ERASURE_VERIFIED, &s), KL_E_DENIED);
		ck_assert_int_eq(reopen(), KL_OK);
	}
	fault_fs = TMPFS_MAGIC;
	ck_assert_int_eq(kl_slots_open(other.path, COUNT, KL_ERASURE_VERIFIED,
	    &s), KL_OK);
	kl_slots_close(s);
	tmpdir_remove(&other);
}
END_TEST

static Suite *
slots_suite(void)
{
	Suite *s = suite_create("slots");
	TCase *tc = tcase_create("slots");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, new_files_are_private_and_really_written);
	tcase_add_test(tc, take_hands_out_each_slot_once_with_its_own_key);
	tcase_add_test(tc, keys_survive_reopen_and_nothing_is_taken);
	tcase_add_test(tc, count_of_the_file_counts);
	tcase_add_test(tc, given_back_slot_is_taken_next);
	tcase_add_test(tc, marked_slots_are_never_taken);
	tcase_add_test(tc, no_such_slot_answers_value);
	tcase_add_test(tc, zeroed_slot_has_no_key_and_reads_back_zero);
	tcase_add_test(tc, every_slot_can_be_verified_zero);
	tcase_add_test(tc, refilled_slot_waits_for_the_sync);
	tcase_add_test(tc, open_syncs_what_it_finds_before_a_slot_is_taken);
	tcase_add_test(tc, failed_sync_answers_commit);
	tcase_add_test(tc, failed_write_answers_io);
	tcase_add_test(tc, creation_without_room_answers_full);
	tcase_add_test(tc, open_answers_value_and_io);
	tcase_add_test(tc, damaged_slot_is_set_aside_until_zeroed);
	tcase_add_test(tc, exchanged_sectors_do_not_verify);
	tcase_add_test(tc, damaged_head_or_master_stops_the_start);
	tcase_add_test(tc, missing_file_answers_damaged);
	tcase_add_test(tc, short_file_answers_damaged);
	tcase_add_test(tc, file_others_can_read_is_refused);
	tcase_add_test(tc, master_key_of_another_generation_is_zeroed_at_open);
	tcase_add_test(tc,
	    crash_at_any_step_of_creation_is_finished_by_the_next_open);
	tcase_add_test(tc, verified_erasure_refuses_file_systems_that_copy);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *sr = srunner_create(slots_suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
