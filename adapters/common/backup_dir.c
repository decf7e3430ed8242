#include "adapters/common/backup_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/fs.h>
#include <kortelijn/host/textfile.h>

#define TAG_RECOVERY "kortelijn-recovery-v1"
#define ENDING ".backup"
#define HALF ENDING ".new"
#define TIME_CHARS 16			/* "20261124T023000Z" */

/* ---- names ----------------------------------------------------------- */

/* "agb-01000001-" */
static size_t
stem_of(const struct config *c, char stem[KL_ID_BYTES + 2])
{
	const struct kl_id_text id = kl_id_text(&c->id);
	size_t n = strlen(id.b);

	for (size_t i = 0; i < n; i++)
		stem[i] = id.b[i] == ':' ? '-' : id.b[i];
	stem[n++] = '-';
	stem[n] = '\0';
	return n;
}

int
backup_dir_path(const struct config *c, int64_t at_ms,
    char path[BACKUP_PATH_CAP])
{
	const struct kl_time_text t = kl_time_text(at_ms);
	char stem[KL_ID_BYTES + 2], name[BACKUP_NAME_CAP];

	(void)stem_of(c, stem);
	(void)snprintf(name, sizeof name, "%s%.4s%.2s%.2sT%.2s%.2s%.2sZ"
	    ENDING, stem, t.b, t.b + 5, t.b + 8, t.b + 11, t.b + 14,
	    t.b + 17);
	return kl_fs_path(path, BACKUP_PATH_CAP, c->backup_dir, name);
}

static bool
number(const char *p, size_t n, int *out)
{
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		*out = *out * 10 + (p[i] - '0');
	}
	return true;
}

static bool
time_of(const char *p, int64_t *ms)
{
	int year, month, day, h, m, s;
	struct kl_day_text text;
	int32_t at;

	if (!number(p, 4, &year) || !number(p + 4, 2, &month) ||
	    !number(p + 6, 2, &day) || p[8] != 'T' ||
	    !number(p + 9, 2, &h) || !number(p + 11, 2, &m) ||
	    !number(p + 13, 2, &s) || p[15] != 'Z' || h > 23 || m > 59 ||
	    s > 59)
		return false;
	(void)snprintf(text.b, sizeof text.b, "%.4s-%.2s-%.2s", p, p + 4,
	    p + 6);
	if (kl_day_read(text.b, &at) != KL_OK)
		return false;
	*ms = kl_day_start_ms(at) + h * KL_HOUR_MS + m * KL_MINUTE_MS +
	    s * KL_SECOND_MS;
	return true;
}

/* One of ours, with that ending. */
static bool
name_read(const struct config *c, const char *name, const char *ending,
    int64_t *made_ms)
{
	char stem[KL_ID_BYTES + 2];
	size_t n = stem_of(c, stem);

	return strlen(name) < BACKUP_NAME_CAP &&
	    strlen(name) == n + TIME_CHARS + strlen(ending) &&
	    memcmp(name, stem, n) == 0 && time_of(name + n, made_ms) &&
	    strcmp(name + n + TIME_CHARS, ending) == 0;
}

/* ---- the directory --------------------------------------------------- */

/* KL_E_NOT_FOUND: it is not there. */
static int
dir_open(const struct config *c, DIR **out)
{
	if ((*out = opendir(c->backup_dir)) != NULL)
		return KL_OK;
	return errno == ENOENT ? KL_E_NOT_FOUND : errno == EACCES ||
	    errno == ENOTDIR ? KL_E_DENIED : KL_E_IO;
}

static int
newer_first(const void *a, const void *b)
{
	const struct backup_entry *x = a, *y = b;

	return x->made_ms < y->made_ms ? 1 : x->made_ms > y->made_ms ? -1 : 0;
}

int
backup_dir_list(const struct config *c, struct backup_list *out)
{
	const struct dirent *e;
	struct stat st;
	DIR *d;
	int r = dir_open(c, &d);

	out->n = 0;
	if (r != KL_OK)
		return r == KL_E_NOT_FOUND ? KL_OK : r;
	while (out->n < BACKUP_DIR_MAX && (e = readdir(d)) != NULL) {
		struct backup_entry *to = &out->entry[out->n];

		if (!name_read(c, e->d_name, ENDING, &to->made_ms) ||
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) !=
		    0 || !S_ISREG(st.st_mode))
			continue;
		(void)snprintf(to->name, sizeof to->name, "%.63s",
		    e->d_name);
		to->bytes = (int64_t)st.st_size;
		out->n++;
	}
	(void)closedir(d);
	qsort(out->entry, out->n, sizeof out->entry[0], newer_first);
	return KL_OK;
}

int
backup_dir_prune(const struct config *c, int64_t before_ms)
{
	const struct dirent *e;
	int64_t made_ms;
	DIR *d;
	int r = dir_open(c, &d);

	if (r != KL_OK)
		return r == KL_E_NOT_FOUND ? KL_OK : r;
	while ((e = readdir(d)) != NULL) {
		bool old = name_read(c, e->d_name, ENDING, &made_ms) &&
		    made_ms < before_ms;

		if ((old || name_read(c, e->d_name, HALF, &made_ms)) &&
		    unlinkat(dirfd(d), e->d_name, 0) != 0 && errno != ENOENT)
			r = errno == EACCES || errno == EPERM ||
			    errno == EROFS ? KL_E_DENIED : KL_E_IO;
	}
	(void)closedir(d);
	return r;
}

/* ---- the key --------------------------------------------------------- */

static int
key_path(const struct config *c, char path[BACKUP_PATH_CAP])
{
	return kl_fs_path(path, BACKUP_PATH_CAP, c->key_dir, "recovery.pub");
}

int
backup_key_read(const struct config *c, struct kl_dh_pk *out)
{
	char path[BACKUP_PATH_CAP];
	size_t n;
	int r = key_path(c, path);

	if (r == KL_OK)
		r = kl_textfile_read(AT_FDCWD, path, TAG_RECOVERY, NULL,
		    out->b, sizeof out->b, &n);
	return r != KL_OK ? r : n == sizeof out->b ? KL_OK : KL_E_FORMAT;
}

int
backup_key_make(const struct config *c, struct kl_recovery_text *text)
{
	char path[BACKUP_PATH_CAP];
	struct kl_secret *sk;
	struct kl_dh_pk pk;
	int r = key_path(c, path);

	memset(text, 0, sizeof *text);
	if (r != KL_OK || (r = kl_recovery_make(&pk, &sk)) != KL_OK)
		return r;
	r = kl_textfile_write(AT_FDCWD, path, TAG_RECOVERY, NULL,
	    KL_BYTES_OF(pk.b));
	if (r == KL_OK)
		*text = kl_recovery_text(sk);
	kl_secret_free(sk);
	return r;
}
