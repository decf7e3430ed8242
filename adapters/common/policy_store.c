#include "adapters/common/policy_store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/host/fs.h>
#include <kortelijn/host/log.h>
#include <kortelijn/host/loop.h>

#include "adapters/common/alarm.h"

#define TELL_MS KL_HOUR_MS	/* that there is none, again */

/* A row of STORE_POLICY: hash of the file (32), time (8), uid (4), and what
 * differs from the defaults. */
#define ROW_HEAD 44
#define ROW_MAX (ROW_HEAD + KL_POLICY_FILE_MAX)

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

static void
day_begin(struct policy_store *p, int64_t now_ms)
{
	p->day = kl_day_of(now_ms);
	kl_policy_file_at(&p->loaded.file, p->day, &p->now);
	for (enum kl_policy_key k = 0; k < KL_POL_COUNT; k++)
		row_tell(k, kl_policy_file_state(&p->loaded.file, k,
		    p->day));
}

static void
none_tell(struct policy_store *p)
{
	if (!p->none)
		return;
	p->tell_ms = kl_mono_ms() + TELL_MS;
	kl_logf(KL_LOG_ERROR, "no_policy", kl_log_word("so", "nothing is "
	    "sent; see 'policy load'"));
}

void
policy_store_tick(struct policy_store *p, int64_t now_ms)
{
	if (kl_day_of(now_ms) != p->day)
		day_begin(p, now_ms);
	if (kl_mono_ms() >= p->tell_ms)
		none_tell(p);
}

/* ---- rows ---- */

static int
row_put(struct turn *t, const struct policy_load *l, uint32_t uid)
{
	uint8_t *row = malloc(ROW_MAX);
	struct kl_writer w;
	int r = KL_E_MEMORY;

	if (row == NULL)
		return r;
	kl_writer_init(&w, row, ROW_MAX);
	kl_put_bytes(&w, KL_BYTES_OF(l->hash));
	kl_put_i64(&w, l->at_ms);
	kl_put_u32(&w, uid);
	kl_policy_file_write_changes(&w, &l->file);
	if (!w.full)
		r = store_append(t->store, STORE_POLICY,
		    kl_writer_bytes(&w));
	free(row);
	return r;
}

static int
row_read(struct kl_bytes row, struct policy_load *out)
{
	struct kl_policy_error e;
	struct kl_reader in;

	if (row.n < ROW_HEAD)
		return KL_E_DAMAGED;
	kl_reader_init(&in, row);
	kl_get(&in, out->hash.b, sizeof out->hash.b);
	out->at_ms = kl_get_i64(&in);
	(void)kl_get_u32(&in);
	/* A later version may have narrowed a row: then the defaults count. */
	if (kl_policy_file_read(kl_bytes(in.p, in.n), &out->file, &e) !=
	    KL_OK)
		kl_policy_file_empty(&out->file);
	return KL_OK;
}

/* The load that counted last; the defaults if there was none. */
static int
last_read(struct turn *t, struct policy_load *out)
{
	struct kl_bytes row;
	uint64_t n;
	int r = store_last(t->store, STORE_POLICY, &n);

	memset(out, 0, sizeof *out);
	kl_policy_file_empty(&out->file);
	if (r != KL_OK || n == 0)
		return r;
	r = store_next_numbered(t->store, STORE_POLICY, n - 1, &n, &row);
	return r != KL_OK ? r : row_read(row, out);
}

/* Who approved what is kept as long as the access log: a load goes once the
 * one after it is past that. */
static int
old_forget(struct policy_store *p, struct turn *t)
{
	const int64_t before_ms = t->now_ms -
	    kl_policy_ms(&p->now, KL_POL_LOG_RETENTION);
	uint64_t n = 0, next;
	struct kl_bytes row;
	struct policy_load l;
	uint8_t key[8];
	int r = store_next_numbered(t->store, STORE_POLICY, 0, &n, &row);

	while (r == KL_OK && (r = store_next_numbered(t->store, STORE_POLICY,
	    n, &next, &row)) == KL_OK && (r = row_read(row, &l)) == KL_OK &&
	    l.at_ms < before_ms) {
		kl_be64_put(key, n);
		r = store_del(t->store, STORE_POLICY, KL_BYTES_OF(key));
		n = next;
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

/* ---- loads ---- */

static int
load_put(struct policy_store *p, struct turn *t, const struct policy_load *l,
    uint32_t uid)
{
	int r = row_put(t, l, uid);

	return r != KL_OK ? r : old_forget(p, t);
}

int
policy_store_load(struct policy_store *p, struct turn *t, uint32_t uid,
    struct kl_bytes text, struct kl_policy_error *e)
{
	struct policy_load *l = calloc(1, sizeof *l);
	int r;

	memset(e, 0, sizeof *e);
	if (l == NULL)
		return KL_E_MEMORY;
	l->hash = kl_sha256_parts(&text, 1);
	l->at_ms = t->now_ms;
	r = kl_policy_file_read(text, &l->file, e) == KL_OK &&
	    kl_policy_file_check(&l->file, kl_day_of(t->now_ms), e) ==
	    KL_OK ? KL_OK : KL_E_REFUSED;
	if (r == KL_OK)
		r = load_put(p, t, l, uid);
	if (r != KL_OK) {
		free(l);
		return r;
	}
	free(p->next);
	p->next = l;
	return KL_OK;
}

bool
policy_store_ended(struct policy_store *p, bool committed, int64_t now_ms)
{
	const bool other = p->next != NULL && committed;

	if (other) {
		p->loaded = *p->next;
		p->none = false;
		day_begin(p, now_ms);
		kl_logf(KL_LOG_WARN, "policy_loaded",
		    kl_log_num("looser", (int64_t)kl_policy_file_count(
		    &p->loaded.file, KL_POLICY_LOOSENED, p->day)));
	}
	free(p->next);
	p->next = NULL;
	return other;
}

/* ---- the start ---- */

static int
none_begin(struct policy_store *p, struct turn *t, int err,
    const struct kl_policy_error *e)
{
	kl_logf(KL_LOG_ERROR, "policy_unreadable",
	    kl_log_word("why", kl_err_text(err)),
	    kl_log_num("line", e->line));
	kl_policy_file_keep_strict(&p->loaded.file, kl_day_of(t->now_ms));
	p->none = true;
	none_tell(p);
	return alarm_raise(t, ENGINE_AL_POLICY, KL_C_NO_POLICY, NULL);
}

/* *p holds the load before. */
static int
text_take(struct policy_store *p, struct turn *t, struct kl_bytes text)
{
	struct policy_load *l = calloc(1, sizeof *l);
	struct kl_policy_error e;
	int r;

	if (l == NULL)
		return KL_E_MEMORY;
	l->hash = kl_sha256_parts(&text, 1);
	l->at_ms = t->now_ms;
	r = kl_policy_file_read(text, &l->file, &e);
	if (r != KL_OK) {
		r = none_begin(p, t, r, &e);
	} else if (memcmp(l->hash.b, p->loaded.hash.b,
	    sizeof l->hash.b) != 0) {
		r = load_put(p, t, l, (uint32_t)-1);
		p->loaded = *l;
	} else {
		l->at_ms = p->loaded.at_ms;
		p->loaded = *l;
	}
	free(l);
	return r;
}

int
policy_store_open(struct policy_store *p, struct turn *t)
{
	const struct kl_policy_error none = { 0 };
	char *text = NULL;
	size_t n = 0;
	int r;

	kl_policy_defaults(&p->now);
	if ((r = last_read(t, &p->loaded)) != KL_OK)
		return r;
	r = kl_fs_read_file(AT_FDCWD, t->config->policy, KL_POLICY_FILE_MAX,
	    &text, &n);
	r = r != KL_OK ? none_begin(p, t, r, &none) :
	    text_take(p, t, kl_bytes(text, n));
	kl_fs_read_free(text, n);
	day_begin(p, t->now_ms);
	return r;
}

void
policy_store_close(struct policy_store *p)
{
	free(p->next);
	p->next = NULL;
}
