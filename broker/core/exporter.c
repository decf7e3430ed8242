#include "broker/core/exporter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/keyfile.h>
#include <kortelijn/domain/nightly.h>
#include <kortelijn/host/daemon.h>
#include <kortelijn/host/log.h>

static const char off_dir[] = "export_dir cannot be opened: make it a "
    "directory of the broker alone, and restart the broker";
static const char off_key[] = "recovery.key in config_dir is missing or not "
    "ours alone: 'kortelijn broker init' makes it";
static const char off_moved[] = "export_dir is gone, or another directory "
    "than at the start: put it back, or restart the broker";

static void
key_open(struct core *c)
{
	char path[CORE_PATH_BYTES];
	int r;

	(void)snprintf(path, sizeof path, "%s/" BROKER_RECOVERY_KEY,
	    c->conf->config_dir);
	r = kl_keyfile_read(AT_FDCWD, path, "recovery", &c->recovery_key);
	if (r != KL_OK)
		kl_logf(KL_LOG_WARN, "no_log_export",
		    kl_log_word("because", off_key),
		    kl_log_word("why", kl_err_text(r)));
	c->export.key = c->recovery_key;
}

static int
dir_open(const struct core *c)
{
	return open(c->conf->export_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void
exporter_open(struct core *c)
{
	c->export.dir = -1;
	if (c->conf->export_dir[0] == '\0')
		return;
	if (kl_daemon_mkdir(c->conf->export_dir) == KL_OK)
		c->export.dir = dir_open(c);
	if (c->export.dir < 0)
		kl_logf(KL_LOG_WARN, "no_log_export",
		    kl_log_word("because", off_dir),
		    kl_log_num("errno", errno));
	key_open(c);
}

void
exporter_close(struct core *c)
{
	export_close(&c->export);
	if (c->export.dir >= 0)
		(void)close(c->export.dir);
	kl_secret_free(c->recovery_key);
}

/* What was moved away, or covered by a disk that came later, would go on to be
 * written where nobody looks. */
static bool
dir_moved(const struct core *c)
{
	struct stat named, held;

	return stat(c->conf->export_dir, &named) != 0 ||
	    fstat(c->export.dir, &held) != 0 ||
	    named.st_dev != held.st_dev || named.st_ino != held.st_ino;
}

const char *
exporter_off(const struct core *c)
{
	if (c->export.dir < 0)
		return off_dir;
	if (c->export.key == NULL)
		return off_key;
	return dir_moved(c) ? off_moved : NULL;
}

/* The one that has its name now, where the sandbox lets us. */
static void
dir_follow(struct core *c)
{
	int fd;

	if (c->export.dir < 0 || exporter_busy(c) || !dir_moved(c) ||
	    (fd = dir_open(c)) < 0)
		return;
	(void)close(c->export.dir);
	c->export.dir = fd;
}

bool
exporter_overdue(const struct core *c, int64_t now_ms)
{
	/* What has just begun has a day to make its first one. */
	return kl_nightly_overdue(now_ms, EXPORT_MINUTE,
	    c->export.last_ms != 0 ? c->export.last_ms :
	    c->stats.started_ms);
}

bool
exporter_busy(const struct core *c)
{
	return c->export.phase != EXPORT_IDLE;
}

bool
exporter_running(const struct core *c)
{
	return exporter_busy(c) || c->export.wanted != 0;
}

int
exporter_ask(struct core *c)
{
	dir_follow(c);
	if (exporter_off(c) != NULL)
		return KL_E_NOT_FOUND;
	c->export.wanted = c->journal.committed.size;
	return KL_OK;
}

/* A checkpoint covers each leaf within a second. */
static bool
wanted_now(struct export *e, const struct journal *j)
{
	if (e->wanted == 0 || j->checked.size < e->wanted ||
	    e->phase != EXPORT_IDLE)
		return false;
	e->wanted = 0;
	return true;
}

static void
tell(struct core *c)
{
	struct export *e = &c->export;

	e->ended = false;
	if (e->err != KL_OK)
		kl_logf(KL_LOG_ERROR, "log_export_failed",
		    kl_log_word("why", kl_err_text(e->err)),
		    kl_log_word("then", "it is tried again in ten minutes"),
		    kl_log_num("errno", errno));
	else
		kl_logf(KL_LOG_INFO, "log_exported",
		    kl_log_num("leaves", (int64_t)e->size),
		    kl_log_num("files", e->files),
		    kl_log_num("deleted", e->deleted));
}

static int
begin(struct core *c, int64_t mono_ms)
{
	dir_follow(c);
	if (!dir_moved(c))
		return export_begin(&c->export, &c->turn);
	c->export.retry_ms = mono_ms + EXPORT_RETRY_MS;
	kl_logf(KL_LOG_ERROR, "log_export_failed",
	    kl_log_word("because", off_moved),
	    kl_log_word("then", "it is tried again in ten minutes"));
	return KL_E_NOT_FOUND;
}

int
exporter_step(struct core *c)
{
	const int64_t mono_ms = kl_mono_ms();
	int r;

	if ((wanted_now(&c->export, &c->journal) ||
	    export_due(&c->export, c->turn.now_ms, mono_ms)) &&
	    begin(c, mono_ms) != KL_OK)
		return KL_OK;
	if (!exporter_busy(c))
		return KL_OK;
	kl_arena_reset(c->mem);
	r = export_step(&c->export, &c->turn, mono_ms);
	if (c->export.ended)
		tell(c);
	return r;
}
