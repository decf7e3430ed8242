#include "adapters/common/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/daemon.h>
#include <kortelijn/host/fs.h>
#include <kortelijn/host/master.h>

#include "adapters/common/backup_rows.h"
#include "adapters/common/identity.h"
#include "adapters/common/store.h"

#define PATH_CAP 512
#define PAPER_MAX 70000			/* bytes */
#define TURN_RECORDS 500
#define SLOTS_MAX (UINT32_C(1) << 24)

/* Who reads the records, one after another. */
struct reading {
	const struct config *c;		/* NULL: only looked at */
	struct backup_slots used;
	struct store *store;
	uint64_t records;
	uint32_t slots;
	const char *what;
};

/* ---- papers ---------------------------------------------------------- */

/* The files of key_dir, and whether others may read them. */
static const struct paper {
	const char *name;
	mode_t mode;
} papers[] = {
	{ "identity.key", 0600 }, { "transport.key", 0600 },
	{ "master.key", 0600 }, { "authority.pub", 0644 },
	{ "own.card", 0644 }, { "broker.card", 0644 },
	{ "recovery.pub", 0644 }, { "policy.conf", 0644 },
};
#define PAPERS (sizeof papers / sizeof papers[0])

static const struct paper *
paper_of(struct kl_bytes name)
{
	for (size_t i = 0; i < PAPERS; i++)
		if (kl_bytes_equal(kl_bytes_str(papers[i].name), name))
			return &papers[i];
	return NULL;
}

static bool
is_policy(const struct paper *p)
{
	return p == &papers[PAPERS - 1];
}

static int
paper_path(const struct config *c, const struct paper *p,
    char path[PATH_CAP])
{
	if (!is_policy(p))
		return kl_fs_path(path, PATH_CAP, c->key_dir, p->name);
	return (size_t)snprintf(path, PATH_CAP, "%s", c->policy) < PATH_CAP ?
	    KL_OK : KL_E_SIZE;
}

/* KL_E_NOT_FOUND: it may be written; KL_OK: it is there already. Any policy
 * that is there stays: it may be newer. */
static int
paper_compare(const char *path, const struct paper *p,
    struct kl_bytes content)
{
	char *text;
	size_t n;
	int r = kl_fs_read_file(AT_FDCWD, path, PAPER_MAX, &text, &n);

	if (r == KL_OK && !is_policy(p) &&
	    !kl_bytes_equal(kl_bytes(text, n), content))
		r = KL_E_EXISTS;
	kl_fs_read_free(text, n);
	return r;
}

static int
paper_look(struct reading *g, const struct backup_record *rec)
{
	const struct paper *p = paper_of(rec->key);
	char path[PATH_CAP];
	int r;

	if (p == NULL)
		return KL_E_DAMAGED;
	if (g->c == NULL)
		return KL_OK;
	if ((r = paper_path(g->c, p, path)) != KL_OK)
		return r;
	r = paper_compare(path, p, rec->value);
	if (r == KL_E_NOT_FOUND)
		r = KL_OK;
	if (r != KL_OK)
		g->what = p->name;
	return r;
}

/* ---- the first look -------------------------------------------------- */

static int
shape_take(struct reading *g, const struct backup_record *rec)
{
	if (g->slots != 0 || rec->slot == 0 || rec->slot > SLOTS_MAX)
		return KL_E_DAMAGED;
	g->slots = rec->slot;
	return backup_slots_make(&g->used, g->slots);
}

static int
look(struct reading *g, const struct backup_record *rec)
{
	enum backup_rows_kind kind;

	if (rec->kind == BACKUP_SHAPE)
		return shape_take(g, rec);
	if (g->slots == 0)
		return KL_E_DAMAGED;
	if (rec->kind == BACKUP_PAPER)
		return paper_look(g, rec);
	kind = backup_rows_kind(rec->table);
	if (kind == BACKUP_ROWS_NOT || kind == BACKUP_ROWS_UNKNOWN ||
	    rec->kind > BACKUP_GONE)
		return KL_E_DAMAGED;
	return backup_slots_note(&g->used, rec);
}

/* All records to `take`. */
static int
each(const char *path, const struct kl_secret *sk, struct backup_head *head,
    struct reading *g, int (*take)(struct reading *g,
    const struct backup_record *rec))
{
	struct backup_reader *reader;
	struct backup_record rec;
	int r = backup_reader_new(path, sk, head, &reader);

	g->records = 0;
	while (r == KL_OK && (r = backup_reader_next(reader, &rec)) ==
	    KL_OK) {
		g->records++;
		r = take(g, &rec);
	}
	backup_reader_free(reader);
	return r == KL_E_EMPTY ? KL_OK : r;
}

static int
first_look(const char *path, const struct kl_secret *sk, struct reading *g,
    struct restore *out)
{
	int r = each(path, sk, &out->head, g, look);

	out->slots = g->slots;
	out->records = g->records;
	return r == KL_OK && g->slots == 0 ? KL_E_DAMAGED : r;
}

int
restore_verify(const char *path, const struct kl_secret *sk,
    struct restore *out)
{
	struct reading g = { .what = path };
	int r;

	memset(out, 0, sizeof *out);
	r = first_look(path, sk, &g, out);
	backup_slots_clear(&g.used);
	return r;
}

/* ---- the store ------------------------------------------------------- */

static const char *const files[] = { "slots", "data.mdb", "master" };

static int
stage_path(const struct config *c, char path[PATH_CAP])
{
	return kl_fs_path(path, PATH_CAP, c->data_dir, "restore");
}

/* What another try left. */
static int
stage_clear(const char *stage)
{
	static const char *const all[] = { "slots", "data.mdb", "master",
		"data.mdb-lock", "slots.new" };
	char path[PATH_CAP];

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (kl_fs_path(path, sizeof path, stage, all[i]) != KL_OK ||
		    (unlink(path) != 0 && errno != ENOENT &&
		    errno != ENOTDIR))
			return KL_E_IO;
	return rmdir(stage) != 0 && errno != ENOENT ? KL_E_IO : KL_OK;
}

/* The master key last: without it no program starts with half of it. */
static int
stage_land(const struct config *c, const char *stage)
{
	char from[PATH_CAP], to[PATH_CAP];
	int r;

	for (size_t i = 0; i < 3; i++) {
		if ((r = kl_fs_path(from, sizeof from, stage, files[i])) !=
		    KL_OK || (r = kl_fs_path(to, sizeof to, c->data_dir,
		    files[i])) != KL_OK)
			return r;
		if (rename(from, to) != 0)
			return KL_E_IO;
		if ((r = kl_fs_sync_parent(to)) != KL_OK)
			return r;
	}
	return stage_clear(stage);
}

static int
store_make(const struct config *c, const char *stage, struct reading *g,
    struct kl_bytes mac_key)
{
	const struct kl_master_files secret = { c->master_key,
		c->master_key_old, c->data_dir };
	struct store_options o = { .dir = stage, .mac_key = mac_key,
		.map_bytes = (size_t)c->map_mb * 1024 * 1024,
		.slots = (uint32_t)c->slots,
		.verified = c->erasure == KL_ERASURE_VERIFIED };
	struct kl_conf_error error = { "" };
	struct kl_master m;
	int r;

	if (g->slots > o.slots)
		o.slots = g->slots;
	if ((r = kl_daemon_mkdir(stage)) != KL_OK)
		return r;
	g->what = "master_key";
	if ((r = kl_master_read(&secret, &m, &error)) != KL_OK)
		return r;
	o.secret = m.secret;
	g->what = "store in data_dir";
	r = store_open(&o, &g->store);
	kl_master_clear(&m);
	return r;
}

static int
put(struct reading *g, const struct backup_record *rec)
{
	int r;

	if (rec->kind == BACKUP_SHAPE || rec->kind == BACKUP_PAPER)
		return KL_OK;
	if ((r = backup_rows_put(g->store, &g->used, rec)) != KL_OK)
		return r;
	return g->records % TURN_RECORDS == 0 ? store_commit(g->store) :
	    KL_OK;
}

/* The file may have changed since the first look: what it held then counts. */
static int
fill(const char *path, const struct kl_secret *sk, struct reading *g,
    const struct restore *seen)
{
	struct backup_head head;
	int r = each(path, sk, &head, g, put);

	if (r == KL_OK && g->records != seen->records)
		r = KL_E_DAMAGED;
	return r == KL_OK ? store_commit(g->store) : r;
}

/* ---- all of it ------------------------------------------------------- */

static int
keys_take(struct reading *g, const struct backup_record *rec)
{
	const struct paper *p;
	char path[PATH_CAP];
	int r;

	if (rec->kind != BACKUP_PAPER)
		return KL_OK;
	if ((p = paper_of(rec->key)) == NULL)
		return KL_E_DAMAGED;
	if ((r = paper_path(g->c, p, path)) == KL_OK)
		r = paper_compare(path, p, rec->value);
	if (r == KL_E_NOT_FOUND)
		r = kl_fs_replace_at(AT_FDCWD, path, p->mode, rec->value);
	if (r != KL_OK)
		g->what = p->name;
	return r;
}

/* Nothing of a store is there, and nobody works with it. */
static int
place_check(const struct config *c, const char **what)
{
	char path[PATH_CAP];
	int r;

	*what = "data_dir";
	if ((r = kl_daemon_mkdir(c->data_dir)) != KL_OK)
		return r;
	*what = "data_dir: the adapter runs";
	if ((r = kl_daemon_lock(c->data_dir)) != KL_OK)
		return r;
	*what = "data_dir: a store";
	for (size_t i = 0; i < 3; i++) {
		if ((r = kl_fs_path(path, sizeof path, c->data_dir,
		    files[i])) != KL_OK)
			return r;
		if (access(path, F_OK) == 0)
			return KL_E_EXISTS;
	}
	return KL_OK;
}

static bool
fits(const struct config *c, const struct backup_head *h)
{
	return kl_id_equal(&c->id, &h->id) && c->role == h->role &&
	    c->realm == h->realm;
}

static int
rows_restore(const struct config *c, const char *path,
    const struct kl_secret *sk, struct reading *g, const struct restore *seen)
{
	struct identity id;
	char stage[PATH_CAP];
	int r = identity_load(c, &id, &g->what);

	if (r != KL_OK)
		return r;
	g->what = "data_dir";
	if ((r = stage_path(c, stage)) == KL_OK &&
	    (r = stage_clear(stage)) == KL_OK &&
	    (r = store_make(c, stage, g, kl_secret_bytes(id.master))) ==
	    KL_OK)
		r = fill(path, sk, g, seen);
	store_close(g->store);
	g->store = NULL;
	identity_clear(&id);
	return r == KL_OK ? stage_land(c, stage) : r;
}

int
restore_run(const struct config *c, const char *path,
    const struct kl_secret *sk, struct restore *out, const char **what)
{
	struct reading g = { .c = c, .what = path };
	struct backup_head head;
	int r;

	memset(out, 0, sizeof *out);
	if ((r = place_check(c, what)) != KL_OK)
		return r;
	r = first_look(path, sk, &g, out);
	if (r == KL_OK && !fits(c, &out->head)) {
		g.what = "id, role or realm";
		r = KL_E_CONFIG;
	}
	if (r == KL_OK) {
		g.what = "key_dir";
		r = kl_daemon_mkdir(c->key_dir);
	}
	if (r == KL_OK)
		r = each(path, sk, &head, &g, keys_take);
	if (r == KL_OK)
		r = rows_restore(c, path, sk, &g, out);
	*what = g.what;
	backup_slots_clear(&g.used);
	return r;
}
