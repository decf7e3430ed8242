#include "broker/core/policy.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>
#include <kortelijn/host/fs.h>
#include <kortelijn/host/log.h>

#include "broker/core/cycle.h"
#include "broker/core/tables.h"

#define TELL_MS KL_HOUR_MS	/* that it drains, again */
#define KEPT_HEAD 40		/* bytes: hash (32), time (8) */

/* In T_META: the leaf of the load that counts; and of each load, by its leaf,
 * {hash of the file, time, what differs from the defaults}. */
static const char meta_now[] = "policy";
static const char meta_load[] = "policy/";
/* Its bytes, which are what the hash is of. */
static const char meta_text[] = "policy_text/";
#define META_LOAD (sizeof meta_load - 1)
#define META_TEXT (sizeof meta_text - 1)

struct load_key { uint8_t b[META_LOAD + 8]; };
static struct load_key
load_key(uint64_t leaf)
{
	struct load_key k;

	memcpy(k.b, meta_load, META_LOAD);
	kl_be64_put(k.b + META_LOAD, leaf);
	return k;
}

struct text_key { uint8_t b[META_TEXT + 8]; };
static struct text_key
text_key(uint64_t leaf)
{
	struct text_key k;

	memcpy(k.b, meta_text, META_TEXT);
	kl_be64_put(k.b + META_TEXT, leaf);
	return k;
}

/* ---- what counts ---- */

static void
row_tell(enum kl_policy_key key, enum kl_policy_state state)
{
	const struct kl_policy_row *row = kl_policy_row(key);

	if (state == KL_POLICY_LOOSENED)
		kl_logf(KL_LOG_WARN, "policy_loosened",
		    kl_log_word("key", row->key));
	else if (state == KL_POLICY_UNAPPROVED || state == KL_POLICY_OVERDUE)
		kl_logf(KL_LOG_ERROR, "policy_default_counts",
		    kl_log_word("key", row->key), kl_log_word("because",
		    state == KL_POLICY_OVERDUE ? "its review_on has passed" :
		    "it is looser and not approved"));
}

/* The policy of this day, and what of it an operator must know. */
static void
day_begin(struct core *c, int64_t now_ms)
{
	const struct kl_policy before = c->policy;
	struct core_policy *p = &c->loaded;

	p->day = kl_day_of(now_ms);
	kl_policy_file_at(&p->file, p->day, &c->policy);
	if (memcmp(&before, &c->policy, sizeof before) != 0)
		retain_policy(&c->retain);
	for (enum kl_policy_key k = 0; k < KL_POL_COUNT; k++)
		row_tell(k, kl_policy_file_state(&p->file, k, p->day));
}

static void
drain_tell(struct core *c)
{
	if (!c->loaded.drain)
		return;
	c->loaded.tell_ms = kl_mono_ms() + TELL_MS;
	kl_logf(KL_LOG_ERROR, "draining", kl_log_word("so", "without a policy "
	    "nothing is accepted or released; see 'kortelijn policy "
	    "load'"));
}

void
policy_tick(struct core *c)
{
	if (kl_day_of(c->turn.now_ms) != c->loaded.day)
		day_begin(c, c->turn.now_ms);
	if (kl_mono_ms() >= c->loaded.tell_ms)
		drain_tell(c);
}

/* ---- loads ---- */

struct load {
	struct kl_policy_file file;
	struct kl_bytes text;		/* its bytes, borrowed */
	struct kl_hash hash;		/* SHA-256 of them */
	uint64_t leaf;
	int64_t at_ms;
	uint8_t kept[KEPT_HEAD + KL_POLICY_FILE_MAX];
};

static int
kept_put(struct core *c, struct load *l)
{
	const struct load_key key = load_key(l->leaf);
	const struct text_key text = text_key(l->leaf);
	struct kl_writer w;
	uint8_t leaf[8];
	int r;

	kl_writer_init(&w, l->kept, sizeof l->kept);
	kl_put_bytes(&w, KL_BYTES_OF(l->hash));
	kl_put_i64(&w, l->at_ms);
	kl_policy_file_write_changes(&w, &l->file);
	if (w.full)
		return KL_E_MEMORY;
	kl_be64_put(leaf, l->leaf);
	r = kl_kv_put(c->turn.txn, T_META, KL_BYTES_OF(key),
	    kl_writer_bytes(&w));
	if (r == KL_OK)
		r = kl_kv_put(c->turn.txn, T_META, KL_BYTES_OF(text),
		    l->text);
	return r != KL_OK ? r : kl_kv_put(c->turn.txn, T_META,
	    kl_bytes_str(meta_now), KL_BYTES_OF(leaf));
}

int
policy_load_next(struct core *c, uint64_t leaf, struct policy_then *out)
{
	const struct load_key from = load_key(leaf);
	struct kl_kv_entry e;
	int r = kl_kv_seek(c->turn.txn, T_META, KL_BYTES_OF(from), false, &e);

	if (r != KL_OK)
		return r;
	if (e.key.n != sizeof from.b || e.value.n < KEPT_HEAD ||
	    memcmp(e.key.p, meta_load, META_LOAD) != 0)
		return KL_E_NOT_FOUND;
	out->leaf = kl_be64(e.key.p + META_LOAD);
	memcpy(out->hash.b, e.value.p, sizeof out->hash.b);
	out->at_ms = (int64_t)kl_be64(e.value.p + sizeof out->hash.b);
	out->changes = kl_bytes(e.value.p + KEPT_HEAD, e.value.n -
	    KEPT_HEAD);
	return KL_OK;
}

int
policy_text(struct core *c, uint64_t leaf, struct kl_bytes *out)
{
	const struct text_key key = text_key(leaf);
	struct kl_bytes v;
	int r = kl_kv_get(c->turn.txn, T_META, KL_BYTES_OF(key), &v);

	return r != KL_OK ? r : kl_arena_copy(c->turn.mem, v, out);
}

/* Who approved what is kept as long as the log that it explains: a load goes
 * once the one after it is past that. */
static int
old_forget(struct core *c)
{
	const int64_t before_ms = c->turn.now_ms -
	    kl_policy_ms(&c->policy, KL_POL_LOG_RETENTION);
	struct policy_then then;
	struct load_key key;
	struct text_key text;
	int r = c->turn.untrusted ? KL_E_NOT_FOUND :
	    policy_load_next(c, 0, &then);

	while (r == KL_OK) {
		key = load_key(then.leaf);
		text = text_key(then.leaf);
		r = policy_load_next(c, then.leaf + 1, &then);
		if (r != KL_OK || then.at_ms >= before_ms)
			break;
		r = kl_kv_del(c->turn.txn, T_META, KL_BYTES_OF(key));
		if (r == KL_OK)
			r = kl_kv_del(c->turn.txn, T_META,
			    KL_BYTES_OF(text));
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

static int
load_in_turn(struct core *c, void *arg)
{
	struct load *l = arg;
	struct kl_record rec = { .event = KL_EV_POLICY,
		.body_hash = l->hash };
	struct journal_leaf leaf;
	int r = journal_append(&c->journal, c->turn.txn, c->turn.now_ms,
	    &rec, c->mem, &leaf);

	if (r != KL_OK)
		return r;
	l->leaf = leaf.index;
	l->at_ms = c->turn.now_ms;
	r = kept_put(c, l);
	return r != KL_OK ? r : old_forget(c);
}

static void
load_counts(struct core *c, const struct load *l)
{
	struct core_policy *p = &c->loaded;

	p->file = l->file;
	p->hash = l->hash;
	p->leaf = l->leaf;
	p->at_ms = l->at_ms;
	p->drain = false;
	day_begin(c, c->turn.now_ms);
}

/* A new load. */
static int
load_do(struct core *c, struct load *l)
{
	int r = cycle_run(c, load_in_turn, l);

	if (r != KL_OK)
		return r;
	load_counts(c, l);
	kl_logf(KL_LOG_WARN, "policy_loaded",
	    kl_log_num("leaf", (int64_t)l->leaf));
	return KL_OK;
}

int
policy_load(struct core *c, struct kl_bytes text, struct kl_policy_error *e)
{
	const int32_t today = kl_day_of(kl_clock_now_ms(&c->clock));
	struct load *l = calloc(1, sizeof *l);
	int r;

	memset(e, 0, sizeof *e);
	if (l == NULL)
		return KL_E_MEMORY;
	r = kl_policy_file_read(text, &l->file, e) == KL_OK &&
	    kl_policy_file_check(&l->file, today, e) == KL_OK ? KL_OK :
	    KL_E_REFUSED;
	l->text = text;
	l->hash = kl_sha256_parts(&text, 1);
	if (r == KL_OK)
		r = load_do(c, l);
	free(l);
	return r;
}

/* ---- the start ---- */

/* The load that counted last. KL_E_NOT_FOUND: this store has seen none. */
static int
last_read(struct kl_kv_txn *txn, struct load *l)
{
	struct kl_policy_error e;
	struct load_key key;
	struct kl_bytes v;
	int r = kl_kv_get(txn, T_META, kl_bytes_str(meta_now), &v);

	if (r != KL_OK)
		return r;
	if (v.n != 8)
		return KL_E_DAMAGED;
	l->leaf = kl_be64(v.p);
	key = load_key(l->leaf);
	r = kl_kv_get(txn, T_META, KL_BYTES_OF(key), &v);
	if (r != KL_OK || v.n < KEPT_HEAD)
		return r == KL_OK || r == KL_E_NOT_FOUND ? KL_E_DAMAGED : r;
	memcpy(l->hash.b, v.p, sizeof l->hash.b);
	l->at_ms = (int64_t)kl_be64(v.p + sizeof l->hash.b);
	/* A later version may have narrowed a row: then the defaults count. */
	if (kl_policy_file_read(kl_bytes(v.p + KEPT_HEAD, v.n - KEPT_HEAD),
	    &l->file, &e) != KL_OK)
		kl_policy_file_empty(&l->file);
	return KL_OK;
}

static int
last_load(struct core *c, struct load *l)
{
	struct kl_kv_txn *txn;
	int r = kl_kv_begin_read(c->kv, &txn);

	if (r != KL_OK)
		return r;
	r = last_read(txn, l);
	kl_kv_abort(&txn);
	if (r == KL_E_NOT_FOUND)
		kl_policy_file_empty(&l->file);
	return r;
}

static int
drain_begin(struct core *c, struct load *last, int err,
    const struct kl_policy_error *e)
{
	kl_logf(KL_LOG_ERROR, "policy_unreadable", kl_log_word("file",
	    "policy.conf in the configuration"),
	    kl_log_word("why", kl_err_text(err)),
	    kl_log_num("line", e->line));
	kl_policy_file_keep_strict(&last->file, kl_day_of(c->turn.now_ms));
	load_counts(c, last);
	c->loaded.drain = true;
	drain_tell(c);
	return KL_OK;
}

static int
file_take(struct core *c, const char *text, size_t n, struct load *last)
{
	const struct kl_bytes in = kl_bytes(text, n);
	struct kl_policy_error e;
	struct load *l = calloc(1, sizeof *l);
	int r;

	if (l == NULL)
		return KL_E_MEMORY;
	l->text = in;
	l->hash = kl_sha256_parts(&in, 1);
	r = kl_policy_file_read(in, &l->file, &e);
	if (r != KL_OK) {
		r = drain_begin(c, last, r, &e);
	} else if (memcmp(l->hash.b, last->hash.b, sizeof l->hash.b) != 0) {
		r = load_do(c, l);
	} else {
		l->leaf = last->leaf;
		l->at_ms = last->at_ms;
		load_counts(c, l);
	}
	free(l);
	return r;
}

int
policy_start(struct core *c)
{
	const struct kl_policy_error none = { 0 };
	struct load *last = calloc(1, sizeof *last);
	char path[CORE_PATH_BYTES], *text = NULL;
	size_t n = 0;
	int r;

	if (last == NULL)
		return KL_E_MEMORY;
	c->turn.now_ms = kl_clock_now_ms(&c->clock);
	(void)snprintf(path, sizeof path, "%s/%s", c->conf->config_dir,
	    BROKER_POLICY);
	r = last_load(c, last);
	if (r == KL_OK || r == KL_E_NOT_FOUND) {
		r = kl_fs_read_file(AT_FDCWD, path, KL_POLICY_FILE_MAX,
		    &text, &n);
		r = r != KL_OK ? drain_begin(c, last, r, &none) :
		    file_take(c, text, n, last);
	}
	kl_fs_read_free(text, n);
	free(last);
	return r;
}
