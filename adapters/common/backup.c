#include "adapters/common/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/nightly.h>
#include <kortelijn/host/daemon.h>
#include <kortelijn/host/fs.h>
#include <kortelijn/host/log.h>

#include "adapters/common/alarm.h"
#include "adapters/common/backup_dir.h"
#include "adapters/common/backup_rows.h"
#include "adapters/common/backup_void.h"
#include "adapters/common/engine_priv.h"

#define SLICE_ROWS 256		/* a few milliseconds */
#define LOOK_MS (10 * KL_MINUTE_MS)
#define RETRY_MS (10 * KL_MINUTE_MS)
#define OVERRUNS_MAX 3
#define PAPER_MAX 70000		/* bytes */

static bool
running(const struct engine *e)
{
	return e->backup.writer != NULL;
}

static void
drop(struct backup *b)
{
	backup_rows_free(b->rows);
	backup_writer_free(b->writer);
	b->rows = NULL;
	b->writer = NULL;
}

/* ---- the directory --------------------------------------------------- */

/* What is too old goes, unless the clock that says so is in doubt; and what
 * is void, once there is one that is not. */
static int
prune(struct engine *e, int64_t newest_ms, int64_t void_ms)
{
	const int64_t kept_ms = KL_POLICY_BACKUP_KEPT_DAYS * KL_DAY_MS;
	int64_t before_ms = 0;

	if (!e->held)
		before_ms = kl_clock_now_ms(&e->clock) - kept_ms;
	if (newest_ms > void_ms && void_ms >= before_ms)
		before_ms = void_ms + 1;
	return backup_dir_prune(e->config, before_ms);
}

static int
look(struct engine *e, int64_t mono_ms)
{
	struct backup *b = &e->backup;
	struct backup_list list;
	struct kl_dh_pk key;
	int64_t void_ms;
	int r;

	b->next_look_ms = mono_ms + LOOK_MS;
	b->no_key = backup_key_read(e->config, &key) != KL_OK;
	if ((r = backup_void_ms(e->store, &void_ms)) != KL_OK ||
	    (r = backup_dir_list(e->config, &list)) != KL_OK)
		return r;
	b->last_ms = list.n > 0 ? list.entry[0].made_ms : 0;
	if (list.n > 0 && b->last_ms <= void_ms)
		b->asked = true;
	return prune(e, b->last_ms, void_ms);
}

/* ---- beginning ------------------------------------------------------- */

static int
put_paper(struct backup *b, const char *path, const char *name)
{
	struct backup_record rec = { .kind = BACKUP_PAPER,
		.key = kl_bytes_str(name) };
	char *text;
	size_t n;
	int r = kl_fs_read_file(AT_FDCWD, path, PAPER_MAX, &text, &n);

	if (r != KL_OK)
		return r;
	rec.value = kl_bytes(text, n);
	r = backup_writer_put(b->writer, &rec);
	kl_fs_read_free(text, n);
	return r;
}

/* Keys and papers; without a policy the rest is worth a backup too. */
static int
put_papers(struct engine *e)
{
	static const char *const names[] = { "identity.key", "transport.key",
		"master.key", "authority.pub", "own.card", "broker.card",
		"recovery.pub" };
	char path[BACKUP_PATH_CAP];
	int r;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		r = kl_fs_path(path, sizeof path, e->config->key_dir,
		    names[i]);
		if (r != KL_OK ||
		    (r = put_paper(&e->backup, path, names[i])) != KL_OK)
			return r;
	}
	r = put_paper(&e->backup, e->config->policy, "policy.conf");
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

static int
put_shape(struct engine *e)
{
	const struct backup_record rec = { .kind = BACKUP_SHAPE,
		.slot = kl_slots_count(store_slots(e->store)) };

	return backup_writer_put(e->backup.writer, &rec);
}

static int
begin(struct engine *e)
{
	struct backup *b = &e->backup;
	struct backup_head head = { .role = e->config->role,
		.realm = e->config->realm, .id = e->config->id };
	char path[BACKUP_PATH_CAP];
	int r = backup_key_read(e->config, &head.recovery);

	b->asked = false;
	b->no_key = r != KL_OK;
	b->made_ms = head.made_ms = kl_clock_now_ms(&e->clock);
	if (r != KL_OK ||
	    (r = kl_daemon_mkdir(e->config->backup_dir)) != KL_OK ||
	    (r = backup_dir_path(e->config, b->made_ms, path)) != KL_OK ||
	    (r = backup_writer_new(path, &head, &b->writer)) != KL_OK ||
	    (r = put_shape(e)) != KL_OK || (r = put_papers(e)) != KL_OK)
		return r;
	return backup_rows_new(e->store, &b->rows);
}

/* ---- the end --------------------------------------------------------- */

static int
finished(struct engine *e, int64_t mono_ms)
{
	struct backup *b = &e->backup;
	const uint64_t bytes = backup_writer_bytes(b->writer);
	struct turn *t = engine_turn(e);
	int r;

	drop(b);
	b->failed = KL_OK;
	b->overruns = 0;
	kl_logf(KL_LOG_INFO, "backup_made",
	    kl_log_num("bytes", (int64_t)bytes));
	if ((r = alarm_close(t, ENGINE_AL_BACKUP_KEY, NULL)) != KL_OK ||
	    (r = alarm_close(t, ENGINE_AL_BACKUP, NULL)) != KL_OK)
		return r;
	return look(e, mono_ms);
}

/* The store is as it was: only what is told of it is written. */
static int
failed(struct engine *e, int why, int64_t mono_ms)
{
	struct backup *b = &e->backup;

	kl_logf(KL_LOG_ERROR, "backup_failed",
	    kl_log_word("why", b->no_key ? "there is no recovery key; "
	    "'backup key' makes one" : kl_err_text(why)),
	    kl_log_num("errno", errno));
	drop(b);
	store_abort(e->store);
	b->asked = false;
	b->failed = why;
	b->overruns = 0;
	b->retry_ms = mono_ms + RETRY_MS;
	return alarm_open(engine_turn(e), b->no_key ? ENGINE_AL_BACKUP_KEY :
	    ENGINE_AL_BACKUP, 0, NULL);
}

/* More changed in one turn than is kept account of. */
static int
overrun(struct engine *e)
{
	drop(&e->backup);
	if (++e->backup.overruns > OVERRUNS_MAX)
		return KL_E_AGAIN;
	e->backup.asked = true;
	return KL_OK;
}

/* ---- behind a turn --------------------------------------------------- */

static int
slice(struct engine *e, int64_t mono_ms)
{
	struct backup *b = &e->backup;
	bool done;
	int r;

	if (!running(e) && (r = begin(e)) != KL_OK)
		return r;
	r = backup_rows_step(b->rows, b->writer, e->mem, SLICE_ROWS, &done);
	store_abort(e->store);
	if (r == KL_E_AGAIN)
		return overrun(e);
	if (r != KL_OK || !done)
		return r;
	r = backup_writer_finish(b->writer);
	return r == KL_OK ? finished(e, mono_ms) : r;
}

static bool
due(const struct engine *e, int64_t mono_ms)
{
	return e->backup.asked || (mono_ms >= e->backup.retry_ms &&
	    kl_nightly_due(kl_clock_now_ms(&e->clock), e->config->backup_at,
	    e->backup.last_ms));
}

int
backup_slice(struct engine *e, int64_t mono_ms)
{
	struct backup *b = &e->backup;
	int r = KL_OK;

	b->more = false;
	if (store_dirty(e->store))
		return KL_OK;
	errno = 0;
	if (!running(e) && mono_ms >= b->next_look_ms)
		r = look(e, mono_ms);
	if (r == KL_OK && !running(e) && !due(e, mono_ms))
		return KL_OK;
	store_abort(e->store);
	if (r == KL_OK)
		r = slice(e, mono_ms);
	if (r != KL_OK)
		return failed(e, r, mono_ms);
	b->more = running(e);
	return KL_OK;
}

void
backup_ask(struct engine *e)
{
	e->backup.asked = !running(e);
	e->backup.failed = KL_OK;
}

void
backup_stop(struct engine *e)
{
	drop(&e->backup);
}

struct backup_status
backup_status(const struct engine *e)
{
	const struct backup *b = &e->backup;

	return (struct backup_status){ .running = running(e) || b->asked,
		.key = !b->no_key, .at_ms = b->last_ms, .failed = b->failed,
		.overdue = kl_nightly_overdue(kl_clock_now_ms(&e->clock),
		    e->config->backup_at, b->last_ms) };
}
