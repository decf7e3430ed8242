#include "broker/core/approvals.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>
#include <kortelijn/host/fs.h>
#include <kortelijn/host/log.h>

#include "broker/core/cycle.h"
#include "broker/core/find.h"
#include "broker/core/tables.h"

/* In T_META, by the serial of the card: hash of the file that was taken up
 * (32), and the leaf that tells it (8). */
static const char meta_approval[] = "approval/";
#define META_APPROVAL (sizeof meta_approval - 1)

struct key { uint8_t b[META_APPROVAL + 16]; };
static struct key
key_of(const uint8_t serial[16])
{
	struct key k;

	memcpy(k.b, meta_approval, META_APPROVAL);
	memcpy(k.b + META_APPROVAL, serial, 16);
	return k;
}

/* ---- those that count --------------------------------------------------- */

static struct core_approval *
find(const struct core *c, const uint8_t serial[16])
{
	for (size_t i = 0; i < c->n_approvals; i++)
		if (memcmp(c->approval[i].serial, serial, 16) == 0)
			return &c->approval[i];
	return NULL;
}

const struct core_approval *
approvals_of(const struct core *c, const uint8_t serial[16])
{
	return find(c, serial);
}

/* In the place of the one before, or a new one. NULL: no memory. */
static struct core_approval *
place(struct core *c, const uint8_t serial[16])
{
	struct core_approval *p = find(c, serial), *array;

	if (p != NULL)
		return p;
	array = realloc(c->approval, (c->n_approvals + 1) * sizeof *array);
	if (array == NULL)
		return NULL;
	c->approval = array;
	p = &array[c->n_approvals++];
	*p = (struct core_approval){ .n = 0 };
	memcpy(p->serial, serial, 16);
	return p;
}

void
approvals_clear(struct core *c)
{
	for (size_t i = 0; i < c->n_approvals; i++)
		free(c->approval[i].org);
	free(c->approval);
	c->approval = NULL;
	c->n_approvals = 0;
}

/* ---- one file ----------------------------------------------------------- */

struct taking {
	struct kl_approval a;
	struct kl_hash hash;		/* SHA-256 of its bytes */
	uint64_t leaf;
};

static int
counts(struct core *c, const struct taking *t)
{
	const size_t bytes = t->a.n * sizeof t->a.org[0];
	struct kl_id *org = malloc(bytes);
	struct core_approval *p = place(c, t->a.serial);

	if (org == NULL || p == NULL) {
		free(org);
		return KL_E_MEMORY;
	}
	memcpy(org, t->a.org, bytes);
	find_sort(org, t->a.n);
	free(p->org);
	p->org = org;
	p->n = t->a.n;
	p->leaf = t->leaf;
	return KL_OK;
}

/* Is it the one that was taken up last for this card? */
static int
known(struct core *c, struct taking *t, bool *yes)
{
	const struct key key = key_of(t->a.serial);
	struct kl_bytes v;
	int r = kl_kv_get(c->turn.txn, T_META, KL_BYTES_OF(key), &v);

	*yes = false;
	if (r == KL_E_NOT_FOUND)
		return KL_OK;
	if (r != KL_OK || v.n != sizeof t->hash + 8)
		return r != KL_OK ? r : KL_E_DAMAGED;
	*yes = memcmp(v.p, t->hash.b, sizeof t->hash) == 0;
	t->leaf = kl_be64(v.p + sizeof t->hash);
	return KL_OK;
}

static int
take_in_turn(struct core *c, void *arg)
{
	struct taking *t = arg;
	const struct key key = key_of(t->a.serial);
	struct kl_record rec = { .event = KL_EV_READS_ALL,
		.org_from = t->a.auditor, .body_hash = t->hash };
	uint8_t row[sizeof t->hash + 8];
	struct journal_leaf leaf;
	bool yes;
	int r = known(c, t, &yes);

	if (r != KL_OK || yes)
		return r;
	r = journal_append(&c->journal, c->turn.txn, c->turn.now_ms, &rec,
	    c->mem, &leaf);
	if (r != KL_OK)
		return r;
	t->leaf = leaf.index;
	memcpy(row, t->hash.b, sizeof t->hash);
	kl_be64_put(row + sizeof t->hash, leaf.index);
	return kl_kv_put(c->turn.txn, T_META, KL_BYTES_OF(key),
	    KL_BYTES_OF(row));
}

static int
refuse(struct kl_approval_error *e, const char *why)
{
	e->line = 0;
	(void)snprintf(e->b, sizeof e->b, "%s", why);
	return KL_E_REFUSED;
}

/* KL_E_REFUSED: *e says why it does not count. */
static int
check(struct core *c, struct kl_bytes text, struct kl_approval *a,
    struct kl_approval_error *e)
{
	const int32_t today = kl_day_of(kl_clock_now_ms(&c->clock));
	const struct registry_reads *card;

	if (kl_approval_read(text, a, e) != KL_OK)
		return KL_E_REFUSED;
	if ((card = registry_reads(&c->registry, a->serial)) == NULL)
		return refuse(e, "the broker knows no auditor's card of this "
		    "serial: let it take up the card first");
	if (kl_approval_check(a, &card->who, card->serial, today, e) !=
	    KL_OK)
		return KL_E_REFUSED;
	return card->all ? KL_OK : refuse(e, "this card does not read all: "
	    "it names its organisations itself");
}

int
approvals_take(struct core *c, struct kl_bytes text,
    struct kl_approval_error *e)
{
	struct taking *t = calloc(1, sizeof *t);
	int r;

	memset(e, 0, sizeof *e);
	if (t == NULL)
		return KL_E_MEMORY;
	t->hash = kl_sha256_parts(&text, 1);
	if ((r = check(c, text, &t->a, e)) == KL_OK &&
	    (r = cycle_run(c, take_in_turn, t)) == KL_OK)
		r = counts(c, t);
	free(t);
	return r;
}

/* ---- the start ---------------------------------------------------------- */

static int
file_take(struct core *c, int dir, const char *name)
{
	struct kl_approval_error e = { .line = 0 };
	char *text = NULL;
	size_t n = 0;
	int r = kl_fs_read_file(dir, name, KL_APPROVAL_MAX, &text, &n);

	if (r == KL_OK)
		r = approvals_take(c, kl_bytes(text, n), &e);
	else
		(void)refuse(&e, kl_err_text(r));
	kl_fs_read_free(text, n);
	if (e.b[0] == '\0')
		return r;
	kl_logf(KL_LOG_ERROR, "approval_refused", kl_log_word("file", name),
	    kl_log_word("why", e.b), kl_log_num("line", e.line),
	    kl_log_word("so", "its card reads nothing of others; see "
	    "'kortelijn status'"));
	return KL_OK;
}

/* Then no card reads all, and everything else goes on. */
static int
dir_unread(void)
{
	if (errno != ENOENT)
		kl_logf(KL_LOG_ERROR, "approvals_not_read",
		    kl_log_num("errno", errno),
		    kl_log_word("so", "cards that read all read nothing of "
		    "others"),
		    kl_log_word("do", "make " BROKER_APPROVALS " in config_dir "
		    "a directory that the broker may read; start again"));
	return KL_OK;
}

static int
dir_take(struct core *c)
{
	char path[CORE_PATH_BYTES];
	const struct dirent *e;
	int r = KL_OK;
	DIR *d;

	(void)snprintf(path, sizeof path, "%s/%s", c->conf->config_dir,
	    BROKER_APPROVALS);
	if ((d = opendir(path)) == NULL)
		return dir_unread();
	while (r == KL_OK && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			r = file_take(c, dirfd(d), e->d_name);
	(void)closedir(d);
	return r;
}

/* One whose file was taken away counts no more, and has a leaf again when it
 * comes back. */
static int
gone_forget(struct core *c, void *arg)
{
	struct key key = key_of((const uint8_t[16]){ 0 });
	struct kl_kv_entry e;
	int r;

	(void)arg;
	while ((r = kl_kv_seek(c->turn.txn, T_META, KL_BYTES_OF(key), true,
	    &e)) == KL_OK) {
		if (e.key.n != sizeof key.b ||
		    memcmp(e.key.p, meta_approval, META_APPROVAL) != 0)
			return KL_OK;
		memcpy(key.b, e.key.p, sizeof key.b);
		if (find(c, key.b + META_APPROVAL) == NULL && (r = kl_kv_del(
		    c->turn.txn, T_META, KL_BYTES_OF(key))) != KL_OK)
			return r;
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

int
approvals_start(struct core *c)
{
	const int r = dir_take(c);

	return r != KL_OK ? r : cycle_run(c, gone_forget, NULL);
}
