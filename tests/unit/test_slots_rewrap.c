/*
 * A rewrap of the slot file, broken off at every step, and the secret that
 * seals the master key.
 */
#include <kortelijn/host/slots.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/secret.h>

#include "tests/support/tmpdir.h"

#define COUNT 150u
#define SECTOR 512
#define MASTER_BYTES (2 * SECTOR)
#define NOW INT64_C(1780000000000)
#define LATER (NOW + 5000)
#define ERASED 3u		/* while a rewrap has written it already */
#define ZEROED 100u		/* before it began */
#define DIED 77

/* These stand before the C library's own: at the step `at` of those that
 * change a file or make it durable the process ends, or the call fails. */
static int die_at, fail_at, fail_errno;

static bool
step(void)
{
	if (die_at > 0 && --die_at == 0)
		_exit(DIED);
	if (fail_at > 0 && --fail_at == 0) {
		errno = fail_errno;
		return false;
	}
	return true;
}

int
fdatasync(int fd)
{
	return step() ? (int)syscall(SYS_fdatasync, fd) : -1;
}

int
fsync(int fd)
{
	return step() ? (int)syscall(SYS_fsync, fd) : -1;
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return step() ? (int)syscall(SYS_renameat2, from_dir, from, to_dir,
	    to, 0) : -1;
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	return step() ? (ssize_t)syscall(SYS_pwrite64, fd, p, n, at) : -1;
}

static struct tmpdir dir;
static struct kl_slots *slots;
static struct kl_slot_key keys[COUNT];

static int
reopen_with(const struct kl_secret *secret, const struct kl_secret *before)
{
	const struct kl_slots_options o = { .count = COUNT,
		.erasure = KL_ERASURE_BEST_EFFORT, .secret = secret,
		.secret_before = before, .now_ms = NOW };

	kl_slots_close(slots);
	return kl_slots_open_with(dir.path, &o, &slots);
}

static int
reopen(void)
{
	return reopen_with(NULL, NULL);
}

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	dir = tmpdir_make();
	ck_assert_int_eq(reopen(), KL_OK);
	ck_assert_int_eq(kl_slots_zero(slots, ZEROED), KL_OK);
	ck_assert_int_eq(kl_slots_sync(slots), KL_OK);
	for (uint32_t i = 0; i < COUNT; i++)
		(void)!kl_slots_key(slots, i, &keys[i]);
}

static void
teardown(void)
{
	fail_at = die_at = 0;
	kl_slots_close(slots);
	slots = NULL;
	tmpdir_remove(&dir);
}

static bool
there(const char *name)
{
	return access(tmpdir_file(&dir, name).b, F_OK) == 0;
}

/* All of a small file, or its beginning. */
static size_t
file_get(const char *name, void *to, size_t cap)
{
	int fd = open(tmpdir_file(&dir, name).b, O_RDONLY);
	ssize_t n;

	ck_assert_int_ge(fd, 0);
	n = read(fd, to, cap);
	ck_assert_int_ge(n, 0);
	ck_assert_int_eq(close(fd), 0);
	return (size_t)n;
}

static void
file_put(const char *name, const void *from, size_t n)
{
	int fd = open(tmpdir_file(&dir, name).b, O_WRONLY | O_TRUNC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, from, n), (ssize_t)n);
	ck_assert_int_eq(close(fd), 0);
}

static bool
sector_is_zero(const char *name, size_t sector)
{
	uint8_t b[(COUNT + 1) * SECTOR];

	ck_assert_uint_gt(file_get(name, b, sizeof b), sector * SECTOR);
	return kl_bytes_zero(kl_bytes(b + sector * SECTOR, SECTOR));
}

static bool
key_is(uint32_t slot, const struct kl_slot_key *key)
{
	struct kl_slot_key k;

	return kl_slots_key(slots, slot, &k) == KL_OK &&
	    memcmp(k.b, key->b, sizeof k.b) == 0;
}

/* Whatever happened to the rewrap: one file, one master key, every key that
 * nobody erased. */
static void
check_settled(void)
{
	for (uint32_t i = 0; i < COUNT; i++)
		if (i != ERASED && i != ZEROED)
			ck_assert(key_is(i, &keys[i]));
	ck_assert(!key_is(ZEROED, &keys[ZEROED]));
	ck_assert(!there("slots.new"));
	ck_assert(sector_is_zero("master", 0) != sector_is_zero("master", 1));
	ck_assert(!kl_slots_rewrap_progress(slots).running);
}

/* A rewrap in slices of 32 with an erasure after the second. */
static int
rewrap(void)
{
	int r = kl_slots_rewrap_begin(slots, LATER), slices = 0;

	while (r == KL_OK && (r = kl_slots_rewrap_step(slots, 32)) > 0) {
		r = KL_OK;
		if (++slices != 2)
			continue;
		if ((r = kl_slots_zero(slots, ERASED)) == KL_OK)
			r = kl_slots_sync(slots);
		/* A new file that could not be written is given up. */
		if (r == KL_OK && !kl_slots_rewrap_progress(slots).running)
			return KL_E_AGAIN;
	}
	return r == KL_OK ? kl_slots_rewrap_finish(slots) : r;
}

START_TEST(rewrap_keeps_keys_under_a_new_master_key)
{
	uint8_t before[MASTER_BYTES], after[MASTER_BYTES];

	ck_assert_int_eq(kl_slots_made_ms(slots), NOW);
	ck_assert_uint_eq(file_get("master", before, sizeof before),
	    MASTER_BYTES);
	ck_assert_int_eq(rewrap(), KL_OK);
	check_settled();
	ck_assert_int_eq(kl_slots_made_ms(slots), LATER);
	ck_assert_uint_eq(file_get("master", after, sizeof after),
	    MASTER_BYTES);
	ck_assert_ptr_null(memmem(after, sizeof after, before + 8, 32));
	ck_assert_int_eq(reopen(), KL_OK);
	ck_assert_int_eq(kl_slots_made_ms(slots), LATER);
	check_settled();
	/* And again: the other sector is free now. */
	ck_assert_int_eq(rewrap(), KL_OK);
	ck_assert_int_eq(reopen(), KL_OK);
	check_settled();
}
END_TEST

START_TEST(old_slot_file_opens_no_more)
{
	uint8_t old[(COUNT + 1) * SECTOR];
	size_t n = file_get("slots", old, sizeof old);

	ck_assert_int_eq(rewrap(), KL_OK);
	file_put("slots", old, n);
	ck_assert_int_eq(reopen(), KL_E_DAMAGED);
}
END_TEST

START_TEST(zeroed_slot_gets_a_new_key)
{
	struct kl_slot_key k;

	ck_assert_uint_eq(kl_slots_free(slots), COUNT - 1);
	ck_assert_int_eq(kl_slots_rewrap_begin(slots, LATER), KL_OK);
	ck_assert_int_eq(kl_slots_rewrap_step(slots, COUNT), 0);
	/* In both files, but not to be taken before one of them is synced. */
	ck_assert_uint_eq(kl_slots_zeroed(slots), 0);
	ck_assert_uint_eq(kl_slots_free(slots), COUNT - 1);
	ck_assert_int_eq(kl_slots_rewrap_finish(slots), KL_OK);
	ck_assert_uint_eq(kl_slots_free(slots), COUNT);
	ck_assert_int_eq(kl_slots_key(slots, ZEROED, &k), KL_OK);
}
END_TEST

START_TEST(erasure_meanwhile_reaches_both_files)
{
	struct kl_slot_key k;

	ck_assert_int_eq(kl_slots_rewrap_begin(slots, LATER), KL_OK);
	ck_assert_int_eq(kl_slots_rewrap_step(slots, 10), COUNT - 10);
	ck_assert(!sector_is_zero("slots.new", ERASED + 1));
	ck_assert_int_eq(kl_slots_verify_zero(slots, ERASED), KL_E_DAMAGED);
	ck_assert_int_eq(kl_slots_zero(slots, ERASED), KL_OK);
	ck_assert_int_eq(kl_slots_zero(slots, 20), KL_OK);
	ck_assert_int_eq(kl_slots_sync(slots), KL_OK);
	ck_assert(sector_is_zero("slots", ERASED + 1));
	ck_assert(sector_is_zero("slots.new", ERASED + 1));
	ck_assert_int_eq(kl_slots_verify_zero(slots, ERASED), KL_OK);
	ck_assert_int_eq(kl_slots_verify_zero(slots, 20), KL_OK);
	while (kl_slots_rewrap_step(slots, 64) > 0)
		;
	ck_assert_int_eq(kl_slots_rewrap_finish(slots), KL_OK);
	ck_assert_int_eq(kl_slots_key(slots, ERASED, &k), KL_E_NOT_FOUND);
	ck_assert(!key_is(20, &keys[20]));
	ck_assert_int_eq(reopen(), KL_OK);
	ck_assert_int_eq(kl_slots_key(slots, ERASED, &k), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(refill_meanwhile_reaches_both_files)
{
	struct kl_slot_key fresh;

	ck_assert_int_eq(kl_slots_rewrap_begin(slots, LATER), KL_OK);
	ck_assert_int_eq(kl_slots_rewrap_step(slots, 110), COUNT - 110);
	ck_assert_int_eq(kl_slots_zero(slots, ERASED), KL_OK);
	ck_assert_int_eq(kl_slots_refill(slots, 5), 1);
	ck_assert_int_eq(kl_slots_sync(slots), KL_OK);
	ck_assert_int_eq(kl_slots_key(slots, ERASED, &fresh), KL_OK);
	ck_assert_int_eq(kl_slots_rewrap_step(slots, COUNT), 0);
	ck_assert_int_eq(kl_slots_rewrap_finish(slots), KL_OK);
	ck_assert(key_is(ERASED, &fresh));
	ck_assert(!key_is(ERASED, &keys[ERASED]));
}
END_TEST

START_TEST(damaged_slot_stays_set_aside)
{
	uint8_t b[(COUNT + 1) * SECTOR];
	size_t n = file_get("slots", b, sizeof b);
	struct kl_slot_key k;

	b[(7 + 1) * SECTOR + 40] ^= 1;
	file_put("slots", b, n);
	ck_assert_int_eq(reopen(), KL_OK);
	ck_assert_int_eq(rewrap(), KL_OK);
	ck_assert_int_eq(kl_slots_key(slots, 7, &k), KL_E_DAMAGED);
	ck_assert(key_is(8, &keys[8]));
}
END_TEST

START_TEST(one_at_a_time_and_never_half)
{
	ck_assert_int_eq(kl_slots_rewrap_begin(slots, LATER), KL_OK);
	ck_assert_int_eq(kl_slots_rewrap_begin(slots, LATER), KL_E_EXISTS);
	ck_assert_int_eq(kl_slots_rewrap_step(slots, 100), COUNT - 100);
	ck_assert_int_eq(kl_slots_rewrap_finish(slots), KL_E_AGAIN);
	ck_assert_uint_eq(kl_slots_rewrap_progress(slots).done, 100);
	ck_assert_uint_eq(kl_slots_rewrap_progress(slots).total, COUNT);
	kl_slots_rewrap_stop(slots);
	ck_assert(!there("slots.new"));
	ck_assert_int_eq(reopen(), KL_OK);
	check_settled();
	ck_assert_int_eq(kl_slots_made_ms(slots), NOW);
}
END_TEST

START_TEST(crash_at_any_step_is_finished_or_undone_by_the_next_open)
{
	struct kl_slot_key k;
	bool undone = false, finished = false;
	int status, n = 0;

	do {
		pid_t pid;

		teardown();
		setup();
		n++;
		if ((pid = fork()) == 0) {
			die_at = n;
			_exit(rewrap() == KL_OK ? 0 : 1);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(reopen(), KL_OK);
		check_settled();
		*(kl_slots_made_ms(slots) == LATER ? &finished : &undone) =
		    true;
		/* Erased once it was said to be. */
		if (kl_slots_made_ms(slots) == LATER)
			ck_assert_int_eq(kl_slots_key(slots, ERASED, &k),
			    KL_E_NOT_FOUND);
		else
			ck_assert_int_eq(rewrap(), KL_OK);
	} while (WEXITSTATUS(status) == DIED);
	ck_assert_int_eq(status, 0);
	ck_assert(undone && finished);
	/* begin, slices, erasure, sync, master, rename, directory, zero */
	ck_assert_int_gt(n, 15);
}
END_TEST

START_TEST(failure_at_any_step_gives_up_and_the_old_file_goes_on)
{
	static const int errors[] = { EIO, ENOSPC };
	int r;

	for (size_t e = 0; e < 2; e++)
		for (int n = 1;; n++) {
			teardown();
			setup();
			fail_at = n;
			fail_errno = errors[e];
			r = rewrap();
			if (fail_at > 0) {
				ck_assert_int_eq(r, KL_OK);
				break;
			}
			ck_assert(r == KL_E_IO || r == KL_E_FULL ||
			    r == KL_E_COMMIT || r == KL_E_AGAIN);
			if (r != KL_E_COMMIT) {
				/* An erasure that failed stops no rewrap. */
				kl_slots_rewrap_stop(slots);
				check_settled();
				ck_assert_int_eq(rewrap(), KL_OK);
			}
			ck_assert_int_eq(reopen(), KL_OK);
			check_settled();
		}
}
END_TEST

START_TEST(begin_without_room_answers_full)
{
	fail_at = 1;
	fail_errno = ENOSPC;
	ck_assert_int_eq(kl_slots_rewrap_begin(slots, LATER), KL_E_FULL);
	fail_at = 1;
	fail_errno = EIO;
	ck_assert_int_eq(kl_slots_rewrap_begin(slots, LATER), KL_E_IO);
	ck_assert(!there("slots.new"));
	ck_assert_int_eq(rewrap(), KL_OK);
}
END_TEST

/* ---- the secret ---- */

static struct kl_secret *
secret_of(const char *text)
{
	struct kl_hash h = kl_hash_of(kl_bytes_str(text));

	return kl_secret_copy(KL_BYTES_OF(h));
}

START_TEST(open_seals_a_master_key_that_lay_in_clear)
{
	struct kl_secret *secret = secret_of("one");
	uint8_t before[MASTER_BYTES], after[MASTER_BYTES];

	ck_assert(!kl_slots_sealed(slots));
	(void)file_get("master", before, sizeof before);
	ck_assert_int_eq(reopen_with(secret, NULL), KL_OK);
	ck_assert(kl_slots_sealed(slots));
	check_settled();
	(void)file_get("master", after, sizeof after);
	ck_assert_ptr_null(memmem(after, sizeof after, before + 8, 32));
	ck_assert_int_eq(rewrap(), KL_OK);
	ck_assert_int_eq(reopen_with(secret, NULL), KL_OK);
	check_settled();
	kl_secret_free(secret);
}
END_TEST

START_TEST(new_files_are_sealed_at_once)
{
	struct kl_secret *secret = secret_of("one");

	kl_slots_close(slots);
	slots = NULL;
	ck_assert_int_eq(unlink(tmpdir_file(&dir, "slots").b), 0);
	ck_assert_int_eq(unlink(tmpdir_file(&dir, "master").b), 0);
	ck_assert_int_eq(reopen_with(secret, NULL), KL_OK);
	ck_assert_int_eq(reopen(), KL_E_NOT_FOUND);
	kl_secret_free(secret);
}
END_TEST

START_TEST(other_secret_is_named_and_damages_nothing)
{
	struct kl_secret *secret = secret_of("one"), *other = secret_of("two");
	uint8_t before[MASTER_BYTES], after[MASTER_BYTES];

	ck_assert_int_eq(reopen_with(secret, NULL), KL_OK);
	(void)file_get("master", before, sizeof before);
	ck_assert_int_eq(reopen_with(NULL, NULL), KL_E_NOT_FOUND);
	ck_assert_ptr_null(slots);
	ck_assert_int_eq(reopen_with(other, NULL), KL_E_SIGNATURE);
	ck_assert_int_eq(reopen_with(NULL, other), KL_E_SIGNATURE);
	(void)file_get("master", after, sizeof after);
	ck_assert_mem_eq(before, after, sizeof before);
	ck_assert_int_eq(reopen_with(secret, NULL), KL_OK);
	check_settled();
	kl_secret_free(secret);
	kl_secret_free(other);
}
END_TEST

START_TEST(secret_can_be_replaced_and_given_up)
{
	struct kl_secret *secret = secret_of("one"), *other = secret_of("two");

	ck_assert_int_eq(reopen_with(secret, NULL), KL_OK);
	ck_assert_int_eq(reopen_with(other, secret), KL_OK);
	check_settled();
	ck_assert_int_eq(reopen_with(secret, NULL), KL_E_SIGNATURE);
	/* Given again without need, the one before does no harm. */
	ck_assert_int_eq(reopen_with(other, secret), KL_OK);
	ck_assert_int_eq(reopen_with(NULL, other), KL_OK);
	ck_assert(!kl_slots_sealed(slots));
	ck_assert_int_eq(reopen(), KL_OK);
	check_settled();
	kl_secret_free(secret);
	kl_secret_free(other);
}
END_TEST

START_TEST(damaged_seal_is_not_taken_for_another_secret)
{
	struct kl_secret *secret = secret_of("one");
	uint8_t b[MASTER_BYTES];
	size_t at;

	ck_assert_int_eq(reopen_with(secret, NULL), KL_OK);
	(void)file_get("master", b, sizeof b);
	at = sector_is_zero("master", 0) ? SECTOR : 0;
	b[at + 60] ^= 1;
	file_put("master", b, sizeof b);
	ck_assert_int_eq(reopen_with(secret, NULL), KL_E_DAMAGED);
	b[at + 60] ^= 1;
	b[at + 300] ^= 1;
	file_put("master", b, sizeof b);
	ck_assert_int_eq(reopen_with(secret, NULL), KL_E_DAMAGED);
	kl_secret_free(secret);
}
END_TEST

START_TEST(crash_at_any_step_of_sealing_loses_nothing)
{
	struct kl_secret *secret = secret_of("one");
	int status, n = 0;

	do {
		pid_t pid;

		teardown();
		setup();
		n++;
		if ((pid = fork()) == 0) {
			die_at = n;
			_exit(reopen_with(secret, NULL) == KL_OK ? 0 : 1);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(reopen_with(secret, NULL), KL_OK);
		check_settled();
	} while (WEXITSTATUS(status) == DIED);
	ck_assert_int_eq(status, 0);
	/* Two writes, each with its sync, and those of what is found. */
	ck_assert_int_eq(n, 7);
	kl_secret_free(secret);
}
END_TEST

/* ---- the version before ---- */

/* Its head had no time. */
START_TEST(slot_file_without_a_time_opens)
{
	const struct kl_bytes label = kl_bytes_str("kortelijn/v1/slot-mac");
	uint8_t b[(COUNT + 1) * SECTOR], m[MASTER_BYTES], be[8];
	const struct kl_bytes parts[] = { KL_BYTES_OF(be), kl_bytes(b, 20) };
	size_t n = file_get("slots", b, sizeof b);
	struct kl_hash mac_key;
	struct kl_tag mac;

	(void)file_get("master", m, sizeof m);
	mac_key = kl_hash_keyed(kl_bytes(m + 8, 32), &label, 1);
	memset(b, 0, SECTOR);
	memcpy(b, "KLSLOTS1", 8);
	kl_be64_put(b + 8, 1);
	b[18] = COUNT >> 8;
	b[19] = COUNT & 0xff;
	kl_be64_put(be, KL_SLOT_NONE);
	mac = kl_tag_keyed(KL_BYTES_OF(mac_key), parts, 2);
	memcpy(b + 20, mac.b, sizeof mac.b);
	file_put("slots", b, n);
	ck_assert_int_eq(reopen(), KL_OK);
	ck_assert_int_eq(kl_slots_made_ms(slots), 0);
	check_settled();
	ck_assert_int_eq(rewrap(), KL_OK);
	ck_assert_int_eq(kl_slots_made_ms(slots), LATER);
}
END_TEST

static Suite *
rewrap_suite(void)
{
	Suite *s = suite_create("slots_rewrap");
	TCase *tc = tcase_create("slots_rewrap");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, rewrap_keeps_keys_under_a_new_master_key);
	tcase_add_test(tc, old_slot_file_opens_no_more);
	tcase_add_test(tc, zeroed_slot_gets_a_new_key);
	tcase_add_test(tc, erasure_meanwhile_reaches_both_files);
	tcase_add_test(tc, refill_meanwhile_reaches_both_files);
	tcase_add_test(tc, damaged_slot_stays_set_aside);
	tcase_add_test(tc, one_at_a_time_and_never_half);
	tcase_add_test(tc,
	    crash_at_any_step_is_finished_or_undone_by_the_next_open);
	tcase_add_test(tc,
	    failure_at_any_step_gives_up_and_the_old_file_goes_on);
	tcase_add_test(tc, begin_without_room_answers_full);
	tcase_add_test(tc, open_seals_a_master_key_that_lay_in_clear);
	tcase_add_test(tc, new_files_are_sealed_at_once);
	tcase_add_test(tc, other_secret_is_named_and_damages_nothing);
	tcase_add_test(tc, secret_can_be_replaced_and_given_up);
	tcase_add_test(tc, damaged_seal_is_not_taken_for_another_secret);
	tcase_add_test(tc, crash_at_any_step_of_sealing_loses_nothing);
	tcase_add_test(tc, slot_file_without_a_time_opens);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *sr = srunner_create(rewrap_suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
