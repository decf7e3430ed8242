#include <kortelijn/host/kv.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <lmdb.h>
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

#define MAP ((size_t)4 << 20)

/* These stand before the C library's own, for LMDB too. */
static bool fault_sync;
static bool fault_allocate;
static uint32_t fault_fs;

int
fdatasync(int fd)
{
	if (fault_sync) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

int
fallocate(int fd, int mode, off_t at, off_t n)
{
	if (fault_allocate) {
		errno = ENOSPC;
		return -1;
	}
	return (int)syscall(SYS_fallocate, fd, mode, at, n);
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
static struct tmpdir_path file;
static struct kl_kv *kv;
static uint8_t mac_key[32] = { 7 };

static int
open_store(size_t map)
{
	return kl_kv_open(file.b, map, KL_BYTES_OF(mac_key), &kv);
}

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	dir = tmpdir_make();
	file = tmpdir_file(&dir, "data.mdb");
	ck_assert_int_eq(open_store(MAP), KL_OK);
}

static void
teardown(void)
{
	fault_sync = fault_allocate = false;
	fault_fs = 0;
	kl_kv_close(kv);
	tmpdir_remove(&dir);
}

static struct kl_kv_txn *
begin(void)
{
	struct kl_kv_txn *t;

	ck_assert_int_eq(kl_kv_begin(kv, &t), KL_OK);
	return t;
}

static struct kl_kv_txn *
begin_read(void)
{
	struct kl_kv_txn *t;

	ck_assert_int_eq(kl_kv_begin_read(kv, &t), KL_OK);
	return t;
}

static int
put(struct kl_kv_txn *t, char table, const char *key, const char *value)
{
	return kl_kv_put(t, table, kl_bytes_str(key), kl_bytes_str(value));
}

static void
put_one(const char *key, const char *value)
{
	struct kl_kv_txn *t = begin();

	ck_assert_int_eq(put(t, 'a', key, value), KL_OK);
	ck_assert_int_eq(kl_kv_commit(&t), KL_OK);
	ck_assert_ptr_null(t);
}

static void
assert_bytes(struct kl_bytes got, const char *want)
{
	ck_assert(kl_bytes_equal(got, kl_bytes_str(want)));
}

START_TEST(get_answers_what_was_put)
{
	struct kl_kv_txn *t;
	struct kl_bytes v;

	put_one("k", "value");
	t = begin_read();
	ck_assert_int_eq(kl_kv_get(t, 'a', kl_bytes_str("k"), &v), KL_OK);
	assert_bytes(v, "value");
	ck_assert_int_eq(kl_kv_get(t, 'b', kl_bytes_str("k"), &v),
	    KL_E_NOT_FOUND);
	ck_assert_ptr_null(v.p);
	kl_kv_abort(&t);
	ck_assert_ptr_null(t);
	kl_kv_abort(&t);
}
END_TEST

START_TEST(empty_key_and_value_are_kept)
{
	struct kl_kv_txn *t = begin();
	struct kl_bytes v;

	ck_assert_int_eq(kl_kv_put(t, 'a', KL_BYTES_NONE, KL_BYTES_NONE),
	    KL_OK);
	ck_assert_int_eq(kl_kv_get(t, 'a', KL_BYTES_NONE, &v), KL_OK);
	ck_assert_uint_eq(v.n, 0);
	kl_kv_abort(&t);
}
END_TEST

START_TEST(commit_survives_reopen_and_abort_does_not)
{
	struct kl_kv_txn *t;
	struct kl_bytes v;

	put_one("kept", "1");
	t = begin();
	ck_assert_int_eq(put(t, 'a', "lost", "1"), KL_OK);
	kl_kv_abort(&t);
	kl_kv_close(kv);
	ck_assert_int_eq(open_store(MAP), KL_OK);
	t = begin_read();
	ck_assert_int_eq(kl_kv_get(t, 'a', kl_bytes_str("kept"), &v), KL_OK);
	ck_assert_int_eq(kl_kv_get(t, 'a', kl_bytes_str("lost"), &v),
	    KL_E_NOT_FOUND);
	kl_kv_abort(&t);
}
END_TEST

START_TEST(reader_keeps_its_snapshot_beside_the_writer)
{
	struct kl_kv_txn *r, *w;
	struct kl_bytes v;

	put_one("k", "old");
	w = begin();
	r = begin_read();
	ck_assert_int_eq(put(w, 'a', "k", "new"), KL_OK);
	ck_assert_int_eq(kl_kv_commit(&w), KL_OK);
	ck_assert_int_eq(kl_kv_get(r, 'a', kl_bytes_str("k"), &v), KL_OK);
	assert_bytes(v, "old");
	kl_kv_abort(&r);
}
END_TEST

START_TEST(del_removes_once)
{
	struct kl_kv_txn *t = begin();

	ck_assert_int_eq(put(t, 'a', "k", "v"), KL_OK);
	ck_assert_int_eq(kl_kv_del(t, 'a', kl_bytes_str("k")), KL_OK);
	ck_assert_int_eq(kl_kv_del(t, 'a', kl_bytes_str("k")), KL_E_NOT_FOUND);
	ck_assert_int_eq(put(t, 'a', "k", "v"), KL_OK);
	kl_kv_abort(&t);
}
END_TEST

START_TEST(long_key_is_refused_and_harms_nothing)
{
	const uint8_t long_key[KL_KV_KEY_MAX + 1] = { 0 };
	struct kl_kv_txn *t = begin();
	struct kl_kv_entry e;
	struct kl_bytes v;

	ck_assert_int_eq(kl_kv_put(t, 'a', KL_BYTES_OF(long_key),
	    KL_BYTES_NONE), KL_E_SIZE);
	ck_assert_int_eq(kl_kv_get(t, 'a', KL_BYTES_OF(long_key), &v),
	    KL_E_SIZE);
	ck_assert_int_eq(kl_kv_del(t, 'a', KL_BYTES_OF(long_key)), KL_E_SIZE);
	ck_assert_int_eq(kl_kv_seek(t, 'a', KL_BYTES_OF(long_key), false, &e),
	    KL_E_SIZE);
	ck_assert_int_eq(kl_kv_last(t, 'a', KL_BYTES_OF(long_key), &e),
	    KL_E_SIZE);
	ck_assert_int_eq(kl_kv_put(t, 'a', kl_bytes(long_key, KL_KV_KEY_MAX),
	    KL_BYTES_NONE), KL_OK);
	ck_assert_int_eq(kl_kv_commit(&t), KL_OK);
}
END_TEST

START_TEST(seek_walks_one_table_in_order)
{
	static const char *const want[] = { "a", "aa", "b" };
	struct kl_kv_txn *t = begin();
	struct kl_bytes from = KL_BYTES_NONE;
	struct kl_kv_entry e;

	ck_assert_int_eq(put(t, 'm', "b", "3"), KL_OK);
	ck_assert_int_eq(put(t, 'm', "aa", "2"), KL_OK);
	ck_assert_int_eq(put(t, 'm', "a", "1"), KL_OK);
	ck_assert_int_eq(put(t, 'l', "z", "0"), KL_OK);
	ck_assert_int_eq(put(t, 'n', "a", "0"), KL_OK);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(kl_kv_seek(t, 'm', from, i > 0, &e), KL_OK);
		assert_bytes(e.key, want[i]);
		ck_assert_uint_eq(e.value.p[0], '1' + i);
		from = kl_bytes_str(want[i]);
	}
	ck_assert_int_eq(kl_kv_seek(t, 'm', from, true, &e), KL_E_NOT_FOUND);
	ck_assert_int_eq(kl_kv_seek(t, 'm', from, false, &e), KL_OK);
	ck_assert_int_eq(kl_kv_seek(t, 'z', KL_BYTES_NONE, false, &e),
	    KL_E_NOT_FOUND);
	kl_kv_abort(&t);
}
END_TEST

START_TEST(last_answers_the_greatest_with_the_prefix)
{
	const uint8_t ones[2] = { 0xff, 0xff };
	struct kl_kv_txn *t = begin();
	struct kl_kv_entry e;

	ck_assert_int_eq(kl_kv_last(t, 'm', KL_BYTES_NONE, &e),
	    KL_E_NOT_FOUND);
	ck_assert_int_eq(put(t, 'm', "a1", "x"), KL_OK);
	ck_assert_int_eq(put(t, 'm', "a2", "y"), KL_OK);
	ck_assert_int_eq(put(t, 'm', "b", "z"), KL_OK);
	ck_assert_int_eq(kl_kv_last(t, 'm', kl_bytes_str("a"), &e), KL_OK);
	assert_bytes(e.key, "a2");
	ck_assert_int_eq(kl_kv_last(t, 'm', KL_BYTES_NONE, &e), KL_OK);
	assert_bytes(e.value, "z");
	ck_assert_int_eq(kl_kv_last(t, 'm', kl_bytes_str("c"), &e),
	    KL_E_NOT_FOUND);
	ck_assert_int_eq(kl_kv_last(t, 'm', kl_bytes_str("0"), &e),
	    KL_E_NOT_FOUND);
	ck_assert_int_eq(kl_kv_put(t, (char)0xff, KL_BYTES_OF(ones),
	    kl_bytes_str("top")), KL_OK);
	ck_assert_int_eq(kl_kv_last(t, (char)0xff, KL_BYTES_OF(ones), &e),
	    KL_OK);
	assert_bytes(e.value, "top");
	kl_kv_abort(&t);
}
END_TEST

/* Fills the map; answers how many values of `n` bytes were committed. */
static unsigned int
fill(size_t n)
{
	static uint8_t value[4096];
	struct kl_kv_txn *t;
	unsigned int i;
	int r = KL_OK;

	for (i = 0; r == KL_OK; i++) {
		t = begin();
		for (unsigned int j = 0; j < 16 && r == KL_OK; j++) {
			uint32_t key = i * 16 + j;

			r = kl_kv_put(t, 'f', KL_BYTES_OF(key),
			    kl_bytes(value, n));
		}
		if (r != KL_OK) {
			/* The first failure stays the answer. */
			ck_assert_int_eq(put(t, 'a', "k", "v"), r);
			kl_kv_abort(&t);
			break;
		}
		ck_assert_int_eq(kl_kv_commit(&t), KL_OK);
	}
	ck_assert_int_eq(r, KL_E_FULL);
	return i * 16;
}

START_TEST(put_answers_full_and_used_tells_it)
{
	ck_assert_uint_lt(kl_kv_used_permille(kv), 10);
	(void)fill(1500);
	ck_assert_uint_gt(kl_kv_used_permille(kv), 900);
}
END_TEST

/* Deletes need pages too, but few: with small turns even a
 * full map can be emptied. */
START_TEST(trap_delete_works_in_a_full_map)
{
	unsigned int n = fill(1500);

	for (uint32_t key = 0; key < n; key++) {
		struct kl_kv_txn *t = begin();

		ck_assert_int_eq(kl_kv_del(t, 'f', KL_BYTES_OF(key)), KL_OK);
		ck_assert_int_eq(kl_kv_commit(&t), KL_OK);
	}
	ck_assert_uint_lt(kl_kv_used_permille(kv), 50);
	put_one("k", "v");
}
END_TEST

static unsigned int
count_in_file(const char *marker)
{
	const size_t n = strlen(marker);
	unsigned int found = 0;
	size_t got;
	uint8_t *all = malloc(MAP);
	FILE *f = fopen(file.b, "rb");

	ck_assert_ptr_nonnull(all);
	ck_assert_ptr_nonnull(f);
	got = fread(all, 1, MAP, f);
	for (size_t i = 0; i + n <= got; i++)
		if (memcmp(all + i, marker, n) == 0)
			found++;
	(void)fclose(f);
	free(all);
	return found;
}

/* The reason why slots exist. */
START_TEST(trap_deleted_values_stay_in_the_file)
{
	struct kl_kv_txn *t = begin();

	for (uint32_t i = 0; i < 200; i++)
		ck_assert_int_eq(kl_kv_put(t, 'f', KL_BYTES_OF(i),
		    kl_bytes_str("MARKERMARKERMARK")), KL_OK);
	ck_assert_int_eq(kl_kv_commit(&t), KL_OK);
	t = begin();
	for (uint32_t i = 0; i < 200; i++)
		ck_assert_int_eq(kl_kv_del(t, 'f', KL_BYTES_OF(i)), KL_OK);
	ck_assert_int_eq(kl_kv_commit(&t), KL_OK);
	ck_assert_uint_gt(count_in_file("MARKERMARKERMARK"), 0);
}
END_TEST

static size_t
last_page_after(unsigned int turns, bool with_reader)
{
	struct kl_kv_txn *r = with_reader ? begin_read() : NULL;
	static uint8_t value[9000];
	MDB_env *env;
	MDB_envinfo info;

	for (unsigned int i = 0; i < turns; i++) {
		struct kl_kv_txn *t = begin();

		ck_assert_int_eq(kl_kv_put(t, 'f', kl_bytes_str("k"),
		    KL_BYTES_OF(value)), KL_OK);
		ck_assert_int_eq(kl_kv_commit(&t), KL_OK);
	}
	kl_kv_abort(&r);
	kl_kv_close(kv);
	kv = NULL;
	ck_assert_int_eq(mdb_env_create(&env), 0);
	ck_assert_int_eq(mdb_env_open(env, file.b, MDB_NOSUBDIR | MDB_RDONLY,
	    0600), 0);
	ck_assert_int_eq(mdb_env_info(env, &info), 0);
	mdb_env_close(env);
	ck_assert_int_eq(open_store(MAP), KL_OK);
	return info.me_last_pgno;
}

/* One reader that stays makes the file grow. */
START_TEST(trap_idle_reader_stops_reuse_of_pages)
{
	size_t without = last_page_after(100, false);
	size_t with = last_page_after(100, true);

	ck_assert_uint_lt(without, 40);
	ck_assert_uint_gt(with, 300);
}
END_TEST

/* A reader of a process that died is cleared. */
START_TEST(trap_readers_of_dead_processes_are_cleared)
{
	MDB_env *env;
	MDB_txn *txn;
	pid_t pid;
	int status;

	kl_kv_close(kv);
	kv = NULL;
	if ((pid = fork()) == 0) {
		if (mdb_env_create(&env) != 0 ||
		    mdb_env_open(env, file.b, MDB_NOSUBDIR | MDB_NOTLS,
			0600) != 0 ||
		    mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0)
			_exit(1);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(open_store(MAP), KL_OK);
	kl_kv_clear_readers(kv);
	ck_assert_uint_lt(last_page_after(100, false), 40);
}
END_TEST

/* LMDB itself would let a process open a store twice, and
 * lose its locks on the first close. */
START_TEST(trap_second_open_is_refused)
{
	struct kl_kv *second;

	ck_assert_int_eq(kl_kv_open(file.b, MAP, KL_BYTES_OF(mac_key),
	    &second), KL_E_EXISTS);
	ck_assert_ptr_null(second);
}
END_TEST

START_TEST(trap_nfs_and_fuse_are_refused)
{
	struct tmpdir_path other = tmpdir_file(&dir, "other.mdb");
	struct kl_kv *k;

	fault_fs = NFS_SUPER_MAGIC;
	ck_assert_int_eq(kl_kv_open(other.b, MAP, KL_BYTES_OF(mac_key), &k),
	    KL_E_DENIED);
	fault_fs = 0x65735546;
	ck_assert_int_eq(kl_kv_open(other.b, MAP, KL_BYTES_OF(mac_key), &k),
	    KL_E_DENIED);
	ck_assert_int_ne(access(other.b, F_OK), 0);
	fault_fs = OVERLAYFS_SUPER_MAGIC;
	ck_assert_int_eq(kl_kv_open(other.b, MAP, KL_BYTES_OF(mac_key), &k),
	    KL_OK);
	kl_kv_close(k);
}
END_TEST

START_TEST(file_is_private_and_has_room_for_the_map)
{
	struct stat st;

	ck_assert_int_eq(stat(file.b, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(st.st_size, (off_t)MAP);
	ck_assert_int_ge(st.st_blocks * 512, (off_t)MAP);
	ck_assert_int_ne(access(tmpdir_file(&dir, "data.mdb.new").b, F_OK), 0);
}
END_TEST

START_TEST(open_refuses_a_file_others_can_read)
{
	kl_kv_close(kv);
	kv = NULL;
	ck_assert_int_eq(chmod(file.b, 0640), 0);
	ck_assert_int_eq(open_store(MAP), KL_E_DENIED);
	ck_assert_ptr_null(kv);
}
END_TEST

START_TEST(open_answers_full_without_room)
{
	kl_kv_close(kv);
	fault_allocate = true;
	ck_assert_int_eq(open_store(2 * MAP), KL_E_FULL);
}
END_TEST

START_TEST(open_answers_io_without_directory)
{
	struct kl_kv *k;

	ck_assert_int_eq(kl_kv_open("/nowhere/at/all/x", MAP,
	    KL_BYTES_OF(mac_key), &k), KL_E_IO);
}
END_TEST

START_TEST(open_refuses_what_is_not_a_store)
{
	FILE *f;

	kl_kv_close(kv);
	kv = NULL;
	ck_assert_ptr_nonnull(f = fopen(file.b, "w"));
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(open_store(MAP), KL_E_DAMAGED);
	ck_assert_ptr_nonnull(f = fopen(file.b, "w"));
	for (int i = 0; i < 10000; i++)
		ck_assert_int_ge(fputs("not a store", f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(open_store(MAP), KL_E_DAMAGED);
}
END_TEST

START_TEST(open_refuses_a_store_cut_short)
{
	(void)fill(1500);
	kl_kv_close(kv);
	kv = NULL;
	ck_assert_int_eq(truncate(file.b, 5 * 4096), 0);
	ck_assert_int_eq(open_store(MAP), KL_E_DAMAGED);
}
END_TEST

START_TEST(leftovers_of_an_interrupted_creation_are_replaced)
{
	struct tmpdir_path tmp = tmpdir_file(&dir, "data.mdb.new");
	FILE *f;

	kl_kv_close(kv);
	ck_assert_int_eq(unlink(file.b), 0);
	ck_assert_ptr_nonnull(f = fopen(tmp.b, "w"));
	ck_assert_int_ge(fputs("half", f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(open_store(MAP), KL_OK);
	put_one("k", "v");
}
END_TEST

START_TEST(failed_sync_answers_commit)
{
	struct kl_kv_txn *t = begin();

	ck_assert_int_eq(put(t, 'a', "k", "v"), KL_OK);
	fault_sync = true;
	ck_assert_int_eq(kl_kv_commit(&t), KL_E_COMMIT);
	ck_assert_ptr_null(t);
}
END_TEST

START_TEST(wrong_mac_key_reads_nothing)
{
	uint8_t other[32] = { 8 };
	struct kl_kv_txn *t;
	struct kl_kv_entry e;
	struct kl_bytes v;

	put_one("k", "v");
	kl_kv_close(kv);
	ck_assert_int_eq(kl_kv_open(file.b, MAP, KL_BYTES_OF(other), &kv),
	    KL_OK);
	t = begin_read();
	ck_assert_int_eq(kl_kv_get(t, 'a', kl_bytes_str("k"), &v),
	    KL_E_DAMAGED);
	ck_assert_ptr_null(v.p);
	ck_assert_int_eq(kl_kv_seek(t, 'a', KL_BYTES_NONE, false, &e),
	    KL_E_DAMAGED);
	ck_assert_int_eq(kl_kv_last(t, 'a', KL_BYTES_NONE, &e), KL_E_DAMAGED);
	kl_kv_abort(&t);
}
END_TEST

static void
flip(off_t at)
{
	int fd = open(file.b, O_RDWR);
	uint8_t b;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(fd, &b, 1, at), 1);
	b ^= 0x10;
	ck_assert_int_eq(pwrite(fd, &b, 1, at), 1);
	ck_assert_int_eq(close(fd), 0);
}

/* Away from the exit codes of sanitizers. */
#define WRONG_BYTES 99

/* In a child, which may die of a damaged page; 0: refused, not found, or the
 * right bytes. */
static int
read_damaged(void)
{
	struct kl_kv_txn *t;
	struct kl_bytes v;
	int bad = 0;

	if (open_store(MAP) != KL_OK || kl_kv_begin_read(kv, &t) != KL_OK)
		return 0;
	for (uint32_t i = 0; i < 20; i++) {
		uint32_t want[8] = { i, i, i, i, i, i, i, i };

		if (kl_kv_get(t, 'f', KL_BYTES_OF(i), &v) == KL_OK &&
		    !kl_bytes_equal(v, KL_BYTES_OF(want)))
			bad = WRONG_BYTES;
	}
	return bad;
}

START_TEST(flipped_byte_never_gives_wrong_bytes)
{
	struct kl_kv_txn *t = begin();
	unsigned int answered = 0;

	for (uint32_t i = 0; i < 20; i++) {
		uint32_t v[8] = { i, i, i, i, i, i, i, i };

		ck_assert_int_eq(kl_kv_put(t, 'f', KL_BYTES_OF(i),
		    KL_BYTES_OF(v)), KL_OK);
	}
	ck_assert_int_eq(kl_kv_commit(&t), KL_OK);
	kl_kv_close(kv);
	kv = NULL;
	/* Two metas and the one leaf page in use, which is page 2. */
	for (off_t at = 0; at < 3 * 4096; at += at < 2 * 4096 ? 61 : 13) {
		pid_t pid;
		int status;

		flip(at);
		if ((pid = fork()) == 0) {
			/* What dies here is expected and says nothing. */
			(void)close(STDERR_FILENO);
			_exit(read_damaged());
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status)) {
			ck_assert_int_ne(WEXITSTATUS(status), WRONG_BYTES);
			answered += WEXITSTATUS(status) == 0;
		}
		flip(at);
	}
	ck_assert_uint_gt(answered, 300);
}
END_TEST

START_TEST(flipped_value_answers_damaged)
{
	struct kl_kv_txn *t;
	struct kl_bytes v;
	off_t at = -1;
	uint8_t page[4096];
	int fd;

	put_one("k", "MARKERMARKERMARK");
	kl_kv_close(kv);
	ck_assert_int_ge(fd = open(file.b, O_RDONLY), 0);
	for (off_t i = 0; i < 16 && at < 0; i++) {
		ck_assert_int_eq(pread(fd, page, 4096, i * 4096), 4096);
		uint8_t *p = memmem(page, 4096, "MARKER", 6);

		if (p != NULL)
			at = i * 4096 + (p - page);
	}
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_ge(at, 0);
	flip(at);
	ck_assert_int_eq(open_store(MAP), KL_OK);
	t = begin_read();
	ck_assert_int_eq(kl_kv_get(t, 'a', kl_bytes_str("k"), &v),
	    KL_E_DAMAGED);
	kl_kv_abort(&t);
}
END_TEST

/* A map without its file behind it faults. */
START_TEST(trap_fault_in_the_map_ends_with_one_line)
{
	struct kl_kv_txn *t;
	struct kl_bytes v;
	char said[256];
	int out[2], status;
	ssize_t n;
	pid_t pid;

	put_one("k", "v");
	kl_kv_close(kv);
	kv = NULL;
	ck_assert_int_eq(pipe(out), 0);
	if ((pid = fork()) == 0) {
		if (dup2(out[1], STDERR_FILENO) < 0 ||
		    open_store(MAP) != KL_OK || truncate(file.b, 4096) != 0 ||
		    kl_kv_begin_read(kv, &t) != KL_OK)
			_exit(1);
		_exit(kl_kv_get(t, 'a', kl_bytes_str("k"), &v) == KL_OK ? 2 :
		    3);
	}
	ck_assert_int_eq(close(out[1]), 0);
	n = read(out[0], said, sizeof said - 1);
	ck_assert_int_gt(n, 0);
	said[n] = '\0';
	ck_assert_str_eq(said, "store: data file is damaged\n");
	ck_assert_int_eq(close(out[0]), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), KL_KV_EXIT_DAMAGED);
}
END_TEST

START_TEST(large_map_opens_and_preallocates)
{
	struct stat st;

	kl_kv_close(kv);
	ck_assert_int_eq(open_store((size_t)1 << 30), KL_OK);
	ck_assert_int_eq(stat(file.b, &st), 0);
	ck_assert_int_eq(st.st_size, (off_t)1 << 30);
}
END_TEST

static Suite *
kv_suite(void)
{
	Suite *s = suite_create("kv");
	TCase *tc = tcase_create("kv");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, get_answers_what_was_put);
	tcase_add_test(tc, empty_key_and_value_are_kept);
	tcase_add_test(tc, commit_survives_reopen_and_abort_does_not);
	tcase_add_test(tc, reader_keeps_its_snapshot_beside_the_writer);
	tcase_add_test(tc, del_removes_once);
	tcase_add_test(tc, long_key_is_refused_and_harms_nothing);
	tcase_add_test(tc, seek_walks_one_table_in_order);
	tcase_add_test(tc, last_answers_the_greatest_with_the_prefix);
	tcase_add_test(tc, put_answers_full_and_used_tells_it);
	tcase_add_test(tc, trap_delete_works_in_a_full_map);
	tcase_add_test(tc, trap_deleted_values_stay_in_the_file);
	tcase_add_test(tc, trap_idle_reader_stops_reuse_of_pages);
	tcase_add_test(tc, trap_readers_of_dead_processes_are_cleared);
	tcase_add_test(tc, trap_second_open_is_refused);
	tcase_add_test(tc, trap_nfs_and_fuse_are_refused);
	tcase_add_test(tc, file_is_private_and_has_room_for_the_map);
	tcase_add_test(tc, open_refuses_a_file_others_can_read);
	tcase_add_test(tc, open_answers_full_without_room);
	tcase_add_test(tc, open_answers_io_without_directory);
	tcase_add_test(tc, open_refuses_what_is_not_a_store);
	tcase_add_test(tc, open_refuses_a_store_cut_short);
	tcase_add_test(tc, leftovers_of_an_interrupted_creation_are_replaced);
	tcase_add_test(tc, failed_sync_answers_commit);
	tcase_add_test(tc, wrong_mac_key_reads_nothing);
	tcase_add_test(tc, flipped_byte_never_gives_wrong_bytes);
	tcase_add_test(tc, flipped_value_answers_damaged);
	tcase_add_test(tc, trap_fault_in_the_map_ends_with_one_line);
	tcase_add_test(tc, large_map_opens_and_preallocates);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *sr = srunner_create(kv_suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
