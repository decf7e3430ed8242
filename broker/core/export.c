#include "broker/core/export.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/secret.h>
#include <kortelijn/domain/nightly.h>
#include <kortelijn/domain/policy.h>
#include <kortelijn/host/fs.h>

#include "broker/core/month.h"
#include "broker/core/tables.h"
#include "broker/core/tree.h"

#define SCAN_LEAVES 512		/* of one slice */
#define WRITE_CHUNKS 4
#define SYNC_BYTES (1u << 20)	/* no sync has much to do, but the last */
#define NEW_NAME "export.new"
#define ENDING ".klog"

/* ---- rows ---- */

static struct kl_bytes
month_key(uint8_t buf[4], uint32_t month)
{
	struct kl_writer w;

	kl_writer_init(&w, buf, 4);
	kl_put_u32(&w, month);
	return kl_writer_bytes(&w);
}

/* Month 0 is what is known of all. */
static int
state_put(const struct export *e, struct kl_kv_txn *txn)
{
	uint8_t key[4], buf[16];
	struct kl_writer w;

	kl_writer_init(&w, buf, sizeof buf);
	kl_put_u64(&w, e->scanned);
	kl_put_i64(&w, e->last_ms);
	return kl_kv_put(txn, T_EXPORT, month_key(key, 0),
	    kl_writer_bytes(&w));
}

int
export_load(struct export *e, struct kl_kv_txn *txn)
{
	struct kl_reader r;
	struct kl_bytes v;
	uint8_t key[4];
	int err = kl_kv_get(txn, T_EXPORT, month_key(key, 0), &v);

	e->fd = -1;
	e->scanned = 0;
	e->last_ms = 0;
	export_committed(e);
	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	kl_reader_init(&r, v);
	e->scanned = kl_get_u64(&r);
	e->last_ms = kl_get_i64(&r);
	export_committed(e);
	return kl_reader_done(&r) ? KL_OK : KL_E_DAMAGED;
}

static int
month_put(struct kl_kv_txn *txn, const struct export_month *m)
{
	uint8_t key[4], buf[24];
	struct kl_writer w;

	kl_writer_init(&w, buf, sizeof buf);
	kl_put_u64(&w, m->first);
	kl_put_u64(&w, m->end);
	kl_put_u64(&w, m->written);
	return kl_kv_put(txn, T_EXPORT, month_key(key, m->month),
	    kl_writer_bytes(&w));
}

static int
month_read(struct kl_bytes key, struct kl_bytes value,
    struct export_month *out)
{
	struct kl_reader k, v;

	kl_reader_init(&k, key);
	kl_reader_init(&v, value);
	out->month = kl_get_u32(&k);
	out->first = kl_get_u64(&v);
	out->end = kl_get_u64(&v);
	out->written = kl_get_u64(&v);
	return kl_reader_done(&k) && kl_reader_done(&v) ? KL_OK :
	    KL_E_DAMAGED;
}

static int
month_get(struct kl_kv_txn *txn, uint32_t month, struct export_month *out)
{
	struct kl_bytes v;
	uint8_t key[4];
	int err = kl_kv_get(txn, T_EXPORT, month_key(key, month), &v);

	return err != KL_OK ? err : month_read(month_key(key, month), v, out);
}

/* The first one after `after`. KL_E_NOT_FOUND. */
static int
month_next(struct kl_kv_txn *txn, uint32_t after, struct export_month *out)
{
	struct kl_kv_entry entry;
	uint8_t key[4];
	int err = kl_kv_seek(txn, T_EXPORT, month_key(key, after), true,
	    &entry);

	return err != KL_OK ? err : month_read(entry.key, entry.value, out);
}

/* ---- names and terms ---- */

struct export_name
export_name(const char *origin, uint32_t month)
{
	const char *slash = strrchr(origin, '/');
	struct export_name n;

	(void)snprintf(n.b, sizeof n.b, "%.40s.%04u-%02u" ENDING,
	    slash == NULL ? origin : slash + 1, (month - 1) / 12 % 10000,
	    (month - 1) % 12 + 1);
	return n;
}

uint32_t
export_month_of(const char *name)
{
	const size_t n = strlen(name), tail = 8 + sizeof ENDING - 1;
	char day[11];
	int32_t first;

	if (n <= tail || name[n - tail] != '.' ||
	    strcmp(name + n - (sizeof ENDING - 1), ENDING) != 0)
		return 0;
	(void)snprintf(day, sizeof day, "%.7s-01", name + n - tail + 1);
	if (kl_day_read(day, &first) != KL_OK)
		return 0;
	return (uint32_t)(((day[0] - '0') * 1000 + (day[1] - '0') * 100 +
	    (day[2] - '0') * 10 + (day[3] - '0')) * 12 +
	    (day[5] - '0') * 10 + (day[6] - '0'));
}

static bool
day_past(const struct turn *t, int32_t day)
{
	return !t->untrusted && kl_day_start_ms(day) <= t->now_ms;
}

/* A month of this log: its file goes with the key of its records, or before
 * it if the sweep has not come to it. */
static int
term_over(const struct turn *t, uint32_t month, bool *over)
{
	int32_t day;
	int err = month_until(t->txn, month,
	    kl_policy_days(t->policy, KL_POL_LOG_RETENTION), &day);

	*over = err == KL_E_NOT_FOUND || (err == KL_OK && day_past(t, day));
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

/* A file, also of a log that is no more: then by the policy of now. */
static int
file_over(const struct turn *t, const char *name, bool *over)
{
	const uint32_t month = export_month_of(name);
	struct export_name own;

	*over = false;
	if (month == 0)
		return KL_OK;
	own = export_name(t->journal->origin, month);
	if (strcmp(own.b, name) == 0)
		return term_over(t, month, over);
	*over = day_past(t, month_end(month) + (int32_t)kl_policy_days(
	    t->policy, KL_POL_LOG_RETENTION));
	return KL_OK;
}

static bool
file_there(const struct export *e, const char *name)
{
	struct stat st;

	return fstatat(e->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- a run begins and ends ---- */

bool
export_due(const struct export *e, int64_t now_ms, int64_t mono_ms)
{
	if (e->dir < 0 || e->key == NULL || e->phase != EXPORT_IDLE ||
	    mono_ms < e->retry_ms)
		return false;
	return kl_nightly_due(now_ms, EXPORT_MINUTE, e->last_ms);
}

int
export_begin(struct export *e, const struct turn *t)
{
	if (e->dir < 0 || e->key == NULL || t->journal->note.b[0] == '\0')
		return KL_E_NOT_FOUND;
	if (e->phase != EXPORT_IDLE)
		return KL_E_AGAIN;
	e->phase = EXPORT_SCAN;
	e->size = t->journal->checked.size;
	e->note = t->journal->note;
	e->at = (struct export_month){ .month = 0 };
	e->files = e->deleted = 0;
	e->err = KL_OK;
	e->ended = false;
	return KL_OK;
}

static void
file_drop(struct export *e)
{
	if (e->fd >= 0)
		(void)close(e->fd);
	e->fd = -1;
}

static void
run_end(struct export *e, int err, int64_t mono_ms)
{
	file_drop(e);
	kl_wipe(&e->writer, sizeof e->writer);
	e->phase = EXPORT_IDLE;
	e->err = err;
	e->ended = true;
	e->retry_ms = err != KL_OK ? mono_ms + EXPORT_RETRY_MS : 0;
}

void
export_committed(struct export *e)
{
	e->kept_scanned = e->scanned;
	e->kept_last_ms = e->last_ms;
}

void
export_undo(struct export *e, int64_t mono_ms)
{
	const bool running = e->phase != EXPORT_IDLE ||
	    e->last_ms != e->kept_last_ms;

	e->scanned = e->kept_scanned;
	e->last_ms = e->kept_last_ms;
	if (!running)
		return;
	run_end(e, KL_E_AGAIN, mono_ms);
	e->ended = false;
	e->retry_ms = mono_ms + KL_MINUTE_MS;
}

void
export_close(struct export *e)
{
	if (e->dir < 0 || e->key == NULL)
		return;
	file_drop(e);
	kl_wipe(&e->writer, sizeof e->writer);
}

/* ---- which leaf is of which month ---- */

static int
month_grow(struct export *e, struct kl_kv_txn *txn, uint32_t month,
    uint64_t i)
{
	int err = KL_OK;

	if (month != e->at.month) {
		if (e->at.month != 0 && (err = month_put(txn, &e->at)) !=
		    KL_OK)
			return err;
		err = month_get(txn, month, &e->at);
		if (err == KL_E_NOT_FOUND)
			e->at = (struct export_month){ .month = month,
				.first = i };
		else if (err != KL_OK)
			return err;
	}
	e->at.end = i + 1;
	return KL_OK;
}

static int
scan(struct export *e, struct turn *t)
{
	uint32_t month;
	int err;

	e->at = (struct export_month){ .month = 0 };
	for (int n = 0; n < SCAN_LEAVES && e->scanned < e->size; n++) {
		if ((err = journal_month(t->txn, e->scanned, &month)) !=
		    KL_OK || (err = month_grow(e, t->txn, month,
		    e->scanned)) != KL_OK)
			return err;
		e->scanned++;
	}
	if (e->at.month != 0 && (err = month_put(t->txn, &e->at)) != KL_OK)
		return err;
	if (e->scanned >= e->size) {
		e->phase = EXPORT_WRITE;
		e->at.month = 0;
	}
	return state_put(e, t->txn);
}

/* ---- a month's file ---- */

/* KL_E_SYSTEM stands for the files here: the run ends, not the turn. */
static int
out(struct export *e, const uint8_t *p, size_t n)
{
	while (n > 0) {
		const ssize_t w = write(e->fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return KL_E_SYSTEM;
		p += w;
		n -= (size_t)w;
		e->unsynced += (size_t)w;
	}
	if (e->unsynced < SYNC_BYTES)
		return KL_OK;
	e->unsynced = 0;
	return fdatasync(e->fd) == 0 ? KL_OK : KL_E_SYSTEM;
}

static int
file_begin(struct export *e, struct turn *t)
{
	struct kl_logfile_head h = { .month = e->at.month, .note = e->note };
	uint8_t head[KL_LOGFILE_HEAD_MAX];
	struct kl_range before;
	size_t n;
	int err;

	kl_random(h.id, sizeof h.id);
	if ((err = kl_logfile_head_pack(&h, head, sizeof head, &n)) != KL_OK ||
	    (err = tree_range(t->txn, e->at.first, &before)) != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_E_DAMAGED : err;
	e->fd = openat(e->dir, NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (e->fd < 0)
		return KL_E_SYSTEM;
	e->unsynced = 0;
	e->next = e->at.first;
	kl_logfile_begin(&e->writer, kl_secret_bytes(e->key),
	    kl_bytes(head, n));
	if ((err = out(e, head, n)) != KL_OK)
		return err;
	kl_logfile_put_begin(&e->writer, &before, e->at.end, e->chunk, &n);
	return out(e, e->chunk, n);
}

/* Of another month, or of one whose key is gone: the hash alone. */
static int
leaf_put(struct export *e, struct turn *t)
{
	struct kl_logfile_leaf l = { .index = e->next };
	struct journal_leaf leaf;
	uint32_t month;
	int err;

	if ((err = tree_leaf(t->txn, e->next, &l.hash)) != KL_OK ||
	    (err = journal_month(t->txn, e->next, &month)) != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_E_DAMAGED : err;
	if (month == e->at.month) {
		err = journal_record(t->journal, t->txn, e->next, t->mem,
		    &leaf);
		if (err != KL_OK && err != KL_E_NOT_FOUND)
			return err;
		if (err == KL_OK) {
			l.record = leaf.record;
			memcpy(l.salt, leaf.salt, sizeof l.salt);
		}
	}
	return kl_logfile_put_leaf(&e->writer, &l);
}

static int
file_end(struct export *e, struct turn *t)
{
	const struct export_name name = export_name(t->journal->origin,
	    e->at.month);
	struct kl_hash proof[KL_PROOF_MAX];
	size_t n, n_proof = 0;
	int err = KL_OK;

	if (e->at.end < e->size)
		err = tree_prove_consistency(t->txn, e->size, e->at.end,
		    proof, &n_proof);
	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_E_DAMAGED : err;
	if ((err = kl_logfile_put_end(&e->writer, proof, n_proof, e->chunk,
	    &n)) != KL_OK || (err = out(e, e->chunk, n)) != KL_OK)
		return err;
	if (fsync(e->fd) != 0 ||
	    renameat(e->dir, NEW_NAME, e->dir, name.b) != 0 ||
	    fsync(e->dir) != 0)
		return KL_E_SYSTEM;
	file_drop(e);
	e->files++;
	e->at.written = e->at.end;
	return month_put(t->txn, &e->at);
}

/* The next month that has grown since, or whose file is not there. */
static int
month_find(struct export *e, struct turn *t)
{
	struct export_name name;
	bool over;
	int err;

	while ((err = month_next(t->txn, e->at.month, &e->at)) == KL_OK) {
		name = export_name(t->journal->origin, e->at.month);
		if ((err = term_over(t, e->at.month, &over)) != KL_OK)
			return err;
		if (!over && (e->at.written < e->at.end ||
		    !file_there(e, name.b)))
			return file_begin(e, t);
	}
	if (err == KL_E_NOT_FOUND) {
		e->phase = EXPORT_SWEEP;
		err = KL_OK;
	}
	return err;
}

static int
write_some(struct export *e, struct turn *t)
{
	const size_t mark = kl_arena_mark(t->mem);
	size_t n;
	int err;

	if (e->fd < 0)
		return month_find(e, t);
	for (int i = 0; i < WRITE_CHUNKS && e->next < e->at.end; i++) {
		for (int k = 0; k < KL_LOGFILE_LEAVES_MAX &&
		    e->next < e->at.end; k++) {
			if ((err = leaf_put(e, t)) != KL_OK)
				return err;
			kl_arena_release(t->mem, mark);
			e->next++;
		}
		kl_logfile_flush(&e->writer, e->chunk, &n);
		if ((err = out(e, e->chunk, n)) != KL_OK)
			return err;
	}
	return e->next < e->at.end ? KL_OK : file_end(e, t);
}

/* ---- files whose term is over ---- */

static int
files_sweep(struct export *e, const struct turn *t)
{
	const int fd = openat(e->dir, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int err = KL_OK;
	bool over;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return KL_E_SYSTEM;
	}
	while (err == KL_OK && (entry = readdir(d)) != NULL) {
		if ((err = file_over(t, entry->d_name, &over)) != KL_OK ||
		    !over)
			continue;
		if (unlinkat(e->dir, entry->d_name, 0) == 0)
			e->deleted++;
		else
			err = KL_E_SYSTEM;
	}
	(void)closedir(d);
	return err;
}

static int
sweep(struct export *e, struct turn *t)
{
	struct export_month m = { .month = 0 };
	uint8_t key[4];
	bool over;
	int err;

	if ((err = files_sweep(e, t)) != KL_OK)
		return err;
	while ((err = month_next(t->txn, m.month, &m)) == KL_OK) {
		if ((err = term_over(t, m.month, &over)) == KL_OK && over)
			err = kl_kv_del(t->txn, T_EXPORT,
			    month_key(key, m.month));
		if (err != KL_OK)
			return err;
	}
	if (err != KL_E_NOT_FOUND)
		return err;
	e->last_ms = t->now_ms;
	return state_put(e, t->txn);
}

/* ---- a slice ---- */

int
export_step(struct export *e, struct turn *t, int64_t mono_ms)
{
	int err;

	switch (e->phase) {
	case EXPORT_SCAN: err = scan(e, t); break;
	case EXPORT_WRITE: err = write_some(e, t); break;
	case EXPORT_SWEEP:
		if ((err = sweep(e, t)) == KL_OK)
			run_end(e, KL_OK, mono_ms);
		break;
	default: return KL_OK;
	}
	if (err != KL_E_SYSTEM)
		return err;
	run_end(e, KL_E_IO, mono_ms);
	return KL_OK;
}
