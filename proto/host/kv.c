#include <kortelijn/host/kv.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/secret.h>
#include <kortelijn/host/fs.h>

/* One constant: every other flag gives up durability or leaks memory. */
#define KV_FLAGS (MDB_NOSUBDIR | MDB_NOTLS)
#define KV_READERS_MAX 16
#define KV_MAC_BYTES sizeof(struct kl_tag)
#define KV_FREE_DBI 0		/* LMDB's own tree of free pages */
#define KV_META_PAGES 2

struct kl_kv {
	MDB_env *env;
	MDB_dbi dbi;
	struct kl_secret *mac_key;
	int fd;			/* of the data file, holds our lock */
	pid_t pid;		/* that opened it: a child must not use it */
	bool writing;
};

struct kl_kv_txn {
	struct kl_kv *kv;
	MDB_txn *txn;
	bool writes;
	int err;		/* first failure; every later call repeats it */
};

/* A key as it stands in the tree: the table in front. */
struct kv_key {
	uint8_t b[1 + KL_KV_KEY_MAX];
	size_t n;
};

static int
kv_err(int rc)
{
	switch (rc) {
	case MDB_SUCCESS: return KL_OK;
	case MDB_NOTFOUND: return KL_E_NOT_FOUND;
	case MDB_BAD_VALSIZE: return KL_E_SIZE;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
	case MDB_READERS_FULL:
	case ENOSPC:
	case EDQUOT: return KL_E_FULL;
	case ENOMEM: return KL_E_MEMORY;
	case EACCES:
	case EPERM: return KL_E_DENIED;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_PAGE_FULL:
	case MDB_CURSOR_FULL:
	case MDB_PANIC:
	case MDB_INVALID:
	case MDB_INCOMPATIBLE:
	case MDB_VERSION_MISMATCH: return KL_E_DAMAGED;
	default: return KL_E_IO;
	}
}

/* A damaged file reaches us as a signal or as a failed check inside LMDB;
 * neither can be answered, and neither may leave a core file. */
static void
kv_die(void)
{
	static const char line[] = "store: data file is damaged\n";
	ssize_t n = write(STDERR_FILENO, line, sizeof line - 1);

	(void)n;
	_exit(KL_KV_EXIT_DAMAGED);
}

static void
kv_on_sigbus(int sig)
{
	(void)sig;
	kv_die();
}

static void
kv_on_assert(MDB_env *env, const char *text)
{
	(void)env;
	(void)text;
	kv_die();
}

static int
kv_catch_sigbus(void)
{
	struct sigaction sa = { .sa_handler = kv_on_sigbus };

	(void)sigemptyset(&sa.sa_mask);
	return sigaction(SIGBUS, &sa, NULL) == 0 ? KL_OK : KL_E_IO;
}

static int
kv_env_open(const char *path, size_t map_bytes, MDB_env **out)
{
	MDB_env *env = NULL;
	int rc;

	*out = NULL;
	if ((rc = mdb_env_create(&env)) != 0)
		return kv_err(rc);
	if ((rc = mdb_env_set_mapsize(env, map_bytes)) != 0 ||
	    (rc = mdb_env_set_maxreaders(env, KV_READERS_MAX)) != 0 ||
	    (rc = mdb_env_set_assert(env, kv_on_assert)) != 0 ||
	    (rc = mdb_env_open(env, path, KV_FLAGS, 0600)) != 0) {
		mdb_env_close(env);
		return kv_err(rc);
	}
	*out = env;
	return KL_OK;
}

static int
kv_sync_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	int r = KL_OK;

	if (fd < 0)
		return KL_E_IO;
	if (fsync(fd) != 0)
		r = KL_E_IO;
	if (close(fd) != 0)
		r = KL_E_IO;
	return r;
}

/* Makes an empty store under another name first: a file that a crash left
 * half written would never open again. */
static int
kv_make(const char *path, size_t map_bytes)
{
	char tmp[PATH_MAX], lock[PATH_MAX];
	MDB_env *env;
	int r;

	if ((size_t)snprintf(lock, sizeof lock, "%s.new-lock", path) >=
	    sizeof lock)
		return KL_E_IO;
	(void)snprintf(tmp, sizeof tmp, "%s.new", path);
	if ((unlink(tmp) != 0 && errno != ENOENT) ||
	    (unlink(lock) != 0 && errno != ENOENT))
		return KL_E_IO;
	if ((r = kv_env_open(tmp, map_bytes, &env)) != KL_OK)
		return r;
	mdb_env_close(env);
	if ((r = kv_sync_file(tmp)) != KL_OK)
		return r;
	if (unlink(lock) != 0 || rename(tmp, path) != 0)
		return KL_E_IO;
	return kl_fs_sync_parent(path);
}

static int
kv_check_file(int fd)
{
	enum kl_fs_kind kind;
	struct stat st;
	int r;

	if ((r = kl_fs_check_private(fd)) != KL_OK ||
	    (r = kl_fs_kind(fd, &kind)) != KL_OK)
		return r;
	if (kind == KL_FS_REMOTE)
		return KL_E_DENIED;
	if (fstat(fd, &st) != 0)
		return KL_E_IO;
	/* LMDB would take an empty file for a new store. */
	if (st.st_size == 0)
		return KL_E_DAMAGED;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? KL_E_EXISTS : KL_E_IO;
	return KL_OK;
}

/* The directory is asked before anything is made in it. */
static int
kv_check_dir(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX] = ".";
	enum kl_fs_kind kind;
	int fd, r;

	if (slash != NULL && (size_t)(slash - path) + 2 > sizeof dir)
		return KL_E_IO;
	if (slash != NULL)
		(void)snprintf(dir, sizeof dir, "%.*s",
		    slash == path ? 1 : (int)(slash - path), path);
	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return KL_E_IO;
	r = kl_fs_kind(fd, &kind);
	(void)close(fd);
	if (r == KL_OK && kind == KL_FS_REMOTE)
		return KL_E_DENIED;
	return r;
}

static int
kv_open_file(const char *path, size_t map_bytes, int *fd)
{
	int r;

	if ((r = kv_check_dir(path)) != KL_OK)
		return r;
	if (access(path, F_OK) != 0 &&
	    (errno != ENOENT || (r = kv_make(path, map_bytes)) != KL_OK))
		return r != KL_OK ? r : KL_E_IO;
	*fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0)
		return errno == EACCES || errno == ELOOP ?
		    KL_E_DENIED : KL_E_IO;
	return kv_check_file(*fd);
}

/* Room for the whole map now, so that no page written later lacks it. */
static int
kv_preallocate(int fd, size_t map_bytes)
{
	int e = fallocate(fd, 0, 0, (off_t)map_bytes) == 0 ? 0 : errno;

	if (e == EOPNOTSUPP || e == EINTR)
		e = posix_fallocate(fd, 0, (off_t)map_bytes);
	if (e == 0)
		return KL_OK;
	errno = e;
	return e == ENOSPC || e == EDQUOT || e == EFBIG ? KL_E_FULL : KL_E_IO;
}

/* Pages past the end would fault when they are read. */
static int
kv_check_length(const struct kl_kv *kv)
{
	MDB_envinfo info;
	MDB_stat stat;
	struct stat st;

	if (mdb_env_info(kv->env, &info) != 0 ||
	    mdb_env_stat(kv->env, &stat) != 0 || fstat(kv->fd, &st) != 0)
		return KL_E_IO;
	if ((size_t)st.st_size / stat.ms_psize < info.me_last_pgno + 1)
		return KL_E_DAMAGED;
	return KL_OK;
}

static int
kv_open_tree(struct kl_kv *kv)
{
	MDB_txn *txn;
	int rc;

	if ((rc = mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &txn)) != 0)
		return kv_err(rc);
	if ((rc = mdb_dbi_open(txn, NULL, 0, &kv->dbi)) != 0) {
		mdb_txn_abort(txn);
		return kv_err(rc);
	}
	return kv_err(mdb_txn_commit(txn));
}

int
kl_kv_open(const char *path, size_t map_bytes, struct kl_bytes mac_key,
    struct kl_kv **out)
{
	struct kl_kv *kv;
	int r;

	*out = NULL;
	if ((kv = calloc(1, sizeof *kv)) == NULL)
		return KL_E_MEMORY;
	kv->fd = -1;
	kv->pid = getpid();
	if ((kv->mac_key = kl_secret_copy(mac_key)) == NULL) {
		r = KL_E_MEMORY;
		goto fail;
	}
	if ((r = kv_open_file(path, map_bytes, &kv->fd)) != KL_OK ||
	    (r = kv_catch_sigbus()) != KL_OK ||
	    (r = kv_env_open(path, map_bytes, &kv->env)) != KL_OK ||
	    (r = kv_check_length(kv)) != KL_OK ||
	    (r = kv_preallocate(kv->fd, map_bytes)) != KL_OK ||
	    (r = kv_open_tree(kv)) != KL_OK)
		goto fail;
	kl_kv_clear_readers(kv);
	*out = kv;
	return KL_OK;
fail:
	kl_kv_close(kv);
	return r;
}

void
kl_kv_close(struct kl_kv *kv)
{
	if (kv == NULL)
		return;
	assert(!kv->writing);
	if (kv->env != NULL)
		mdb_env_close(kv->env);
	if (kv->fd >= 0)
		(void)close(kv->fd);
	kl_secret_free(kv->mac_key);
	free(kv);
}

static int
kv_begin(struct kl_kv *kv, bool writes, struct kl_kv_txn **out)
{
	struct kl_kv_txn *t;
	int rc;

	*out = NULL;
	assert(kv->pid == getpid());
	if ((t = calloc(1, sizeof *t)) == NULL)
		return KL_E_MEMORY;
	rc = mdb_txn_begin(kv->env, NULL, writes ? 0 : MDB_RDONLY, &t->txn);
	if (rc != 0) {
		free(t);
		return kv_err(rc);
	}
	t->kv = kv;
	t->writes = writes;
	*out = t;
	return KL_OK;
}

int
kl_kv_begin(struct kl_kv *kv, struct kl_kv_txn **out)
{
	int r;

	/* LMDB would wait for itself. */
	assert(!kv->writing);
	if ((r = kv_begin(kv, true, out)) == KL_OK)
		kv->writing = true;
	return r;
}

int
kl_kv_begin_read(struct kl_kv *kv, struct kl_kv_txn **out)
{
	return kv_begin(kv, false, out);
}

int
kl_kv_commit(struct kl_kv_txn **txn)
{
	struct kl_kv_txn *t = *txn;
	int rc;

	assert(t->writes);
	*txn = NULL;
	t->kv->writing = false;
	/* After a failed put LMDB refuses the commit and undoes all. */
	rc = mdb_txn_commit(t->txn);
	free(t);
	return rc == 0 ? KL_OK : KL_E_COMMIT;
}

void
kl_kv_abort(struct kl_kv_txn **txn)
{
	struct kl_kv_txn *t = *txn;

	if (t == NULL)
		return;
	*txn = NULL;
	mdb_txn_abort(t->txn);
	if (t->writes)
		t->kv->writing = false;
	free(t);
}

/* LMDB answers "bad transaction" after the first failure; the caller wants to
 * hear which failure that was. */
static int
txn_err(struct kl_kv_txn *t, int rc)
{
	int r = kv_err(rc);

	if (r != KL_OK && r != KL_E_NOT_FOUND && r != KL_E_SIZE)
		t->err = r;
	return r;
}

static int
key_make(char table, struct kl_bytes key, struct kv_key *out)
{
	if (key.n > KL_KV_KEY_MAX)
		return KL_E_SIZE;
	out->b[0] = (uint8_t)table;
	if (key.n > 0)
		memcpy(out->b + 1, key.p, key.n);
	out->n = 1 + key.n;
	return KL_OK;
}

static struct kl_tag
value_mac(const struct kl_kv *kv, struct kl_bytes full_key,
    struct kl_bytes value)
{
	const uint8_t n = (uint8_t)full_key.n;
	const struct kl_bytes parts[] = { KL_BYTES_OF(n), full_key, value };

	return kl_tag_keyed(kl_secret_bytes(kv->mac_key), parts, 3);
}

/* Splits what is stored under full_key into MAC and value. */
static int
value_check(const struct kl_kv *kv, struct kl_bytes full_key,
    const MDB_val *stored, struct kl_bytes *out)
{
	struct kl_tag mac;
	struct kl_bytes value;

	*out = KL_BYTES_NONE;
	if (full_key.n < 1 || full_key.n > 1 + KL_KV_KEY_MAX ||
	    stored->mv_size < KV_MAC_BYTES)
		return KL_E_DAMAGED;
	value = kl_bytes((const uint8_t *)stored->mv_data + KV_MAC_BYTES,
	    stored->mv_size - KV_MAC_BYTES);
	mac = value_mac(kv, full_key, value);
	if (!kl_secret_equal(KL_BYTES_OF(mac),
		kl_bytes(stored->mv_data, KV_MAC_BYTES)))
		return KL_E_DAMAGED;
	*out = value;
	return KL_OK;
}

int
kl_kv_get(struct kl_kv_txn *txn, char table, struct kl_bytes key,
    struct kl_bytes *out)
{
	struct kv_key k;
	MDB_val mk, mv;
	int r;

	*out = KL_BYTES_NONE;
	if (txn->err != KL_OK)
		return txn->err;
	if ((r = key_make(table, key, &k)) != KL_OK)
		return r;
	mk = (MDB_val){ k.n, k.b };
	if ((r = txn_err(txn, mdb_get(txn->txn, txn->kv->dbi, &mk, &mv))) !=
	    KL_OK)
		return r;
	return value_check(txn->kv, kl_bytes(k.b, k.n), &mv, out);
}

int
kl_kv_put(struct kl_kv_txn *txn, char table, struct kl_bytes key,
    struct kl_bytes value)
{
	struct kv_key k;
	struct kl_tag mac;
	MDB_val mk, mv;
	int r;

	assert(txn->writes);
	if (txn->err != KL_OK)
		return txn->err;
	if ((r = key_make(table, key, &k)) != KL_OK)
		return r;
	mac = value_mac(txn->kv, kl_bytes(k.b, k.n), value);
	mk = (MDB_val){ k.n, k.b };
	mv = (MDB_val){ KV_MAC_BYTES + value.n, NULL };
	r = txn_err(txn,
	    mdb_put(txn->txn, txn->kv->dbi, &mk, &mv, MDB_RESERVE));
	if (r != KL_OK)
		return r;
	memcpy(mv.mv_data, mac.b, KV_MAC_BYTES);
	if (value.n > 0)
		memcpy((uint8_t *)mv.mv_data + KV_MAC_BYTES, value.p, value.n);
	return KL_OK;
}

int
kl_kv_del(struct kl_kv_txn *txn, char table, struct kl_bytes key)
{
	struct kv_key k;
	MDB_val mk;
	int r;

	assert(txn->writes);
	if (txn->err != KL_OK)
		return txn->err;
	if ((r = key_make(table, key, &k)) != KL_OK)
		return r;
	mk = (MDB_val){ k.n, k.b };
	return txn_err(txn, mdb_del(txn->txn, txn->kv->dbi, &mk, NULL));
}

/* What the cursor stands on, if it begins with `start`. */
static int
entry_take(struct kl_kv_txn *txn, const MDB_val *mk, const MDB_val *mv,
    struct kl_bytes start, struct kl_kv_entry *out)
{
	const struct kl_bytes full = kl_bytes(mk->mv_data, mk->mv_size);
	int r;

	if (full.n < start.n || memcmp(full.p, start.p, start.n) != 0)
		return KL_E_NOT_FOUND;
	if ((r = value_check(txn->kv, full, mv, &out->value)) != KL_OK)
		return r;
	out->key = kl_bytes(full.p + 1, full.n - 1);
	return KL_OK;
}

int
kl_kv_seek(struct kl_kv_txn *txn, char table, struct kl_bytes from,
    bool after, struct kl_kv_entry *out)
{
	struct kv_key k;
	MDB_cursor *c;
	MDB_val mk, mv;
	int rc, r;

	*out = (struct kl_kv_entry){ KL_BYTES_NONE, KL_BYTES_NONE };
	if (txn->err != KL_OK)
		return txn->err;
	if ((r = key_make(table, from, &k)) != KL_OK)
		return r;
	if ((rc = mdb_cursor_open(txn->txn, txn->kv->dbi, &c)) != 0)
		return txn_err(txn, rc);
	mk = (MDB_val){ k.n, k.b };
	rc = mdb_cursor_get(c, &mk, &mv, MDB_SET_RANGE);
	if (rc == 0 && after && mk.mv_size == k.n &&
	    memcmp(mk.mv_data, k.b, k.n) == 0)
		rc = mdb_cursor_get(c, &mk, &mv, MDB_NEXT);
	if ((r = txn_err(txn, rc)) == KL_OK)
		r = entry_take(txn, &mk, &mv, kl_bytes(k.b, 1), out);
	mdb_cursor_close(c);
	return r;
}

/* The first key that sorts after everything that begins with k; false: none,
 * k is all ones. */
static bool
key_step_over(struct kv_key *k)
{
	while (k->n > 0 && k->b[k->n - 1] == 0xff)
		k->n--;
	if (k->n == 0)
		return false;
	k->b[k->n - 1]++;
	return true;
}

int
kl_kv_last(struct kl_kv_txn *txn, char table, struct kl_bytes prefix,
    struct kl_kv_entry *out)
{
	struct kv_key k, next;
	MDB_cursor *c;
	MDB_val mk, mv;
	int rc, r;

	*out = (struct kl_kv_entry){ KL_BYTES_NONE, KL_BYTES_NONE };
	if (txn->err != KL_OK)
		return txn->err;
	if ((r = key_make(table, prefix, &k)) != KL_OK)
		return r;
	if ((rc = mdb_cursor_open(txn->txn, txn->kv->dbi, &c)) != 0)
		return txn_err(txn, rc);
	next = k;
	rc = MDB_NOTFOUND;
	if (key_step_over(&next)) {
		mk = (MDB_val){ next.n, next.b };
		rc = mdb_cursor_get(c, &mk, &mv, MDB_SET_RANGE);
	}
	if (rc == 0 || rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(c, &mk, &mv,
		    rc == 0 ? MDB_PREV : MDB_LAST);
	if ((r = txn_err(txn, rc)) == KL_OK)
		r = entry_take(txn, &mk, &mv, kl_bytes(k.b, k.n), out);
	mdb_cursor_close(c);
	return r;
}

static size_t
stat_pages(const MDB_stat *st)
{
	return st->ms_branch_pages + st->ms_leaf_pages + st->ms_overflow_pages;
}

unsigned int
kl_kv_used_permille(struct kl_kv *kv)
{
	MDB_envinfo info;
	MDB_stat main_st, free_st;
	MDB_txn *txn;
	size_t used;

	/* What cannot be counted counts as full: the caller then drains. */
	if (mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &txn) != 0)
		return 1000;
	if (mdb_stat(txn, kv->dbi, &main_st) != 0 ||
	    mdb_stat(txn, KV_FREE_DBI, &free_st) != 0 ||
	    mdb_env_info(kv->env, &info) != 0) {
		mdb_txn_abort(txn);
		return 1000;
	}
	mdb_txn_abort(txn);
	used = KV_META_PAGES + stat_pages(&main_st) + stat_pages(&free_st);
	return (unsigned int)(used * 1000 /
	    (info.me_mapsize / main_st.ms_psize));
}

void
kl_kv_clear_readers(struct kl_kv *kv)
{
	int dead;

	/* No answer changes anything: a slot that stays costs space only. */
	(void)mdb_reader_check(kv->env, &dead);
}
