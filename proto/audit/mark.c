#include "proto/audit/mark.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/crypto/merkle.h>
#include <kortelijn/host/daemon.h>
#include <kortelijn/host/fs.h>

#define MARKS "marks"
#define ALARMS "alarms"
#define ENDING ".note"

/* ---- files -------------------------------------------------------------- */

/* DIR/SORT/ORIGIN.note; a plus, which no origin has, stands for a slash. */
static int
path_of(const char *dir, const char *sort, const char *origin,
    char out[AUDIT_MARK_PATH_BYTES])
{
	const int n = snprintf(out, AUDIT_MARK_PATH_BYTES, "%s/%s/", dir,
	    sort);
	const int rest = snprintf(NULL, 0, "%s" ENDING, origin);

	if (n < 0 || rest < 0 || n + rest >= AUDIT_MARK_PATH_BYTES)
		return KL_E_SIZE;
	(void)snprintf(out + n, (size_t)rest + 1, "%s" ENDING, origin);
	for (char *p = out + n; *p != '\0'; p++)
		if (*p == '/')
			*p = '+';
	return KL_OK;
}

static int
note_read(const char *path, struct kl_note *out)
{
	char *text;
	size_t n;
	int r = kl_fs_read_file(AT_FDCWD, path, sizeof out->b - 1, &text, &n);

	memset(out, 0, sizeof *out);
	if (r == KL_OK)
		memcpy(out->b, text, n);
	kl_fs_read_free(text, n);
	return r;
}

static int
file_write(const char *dir, const char *sort, const char *origin,
    struct kl_bytes text, char path[AUDIT_MARK_PATH_BYTES])
{
	char folder[AUDIT_MARK_PATH_BYTES];
	int r;

	if ((r = kl_fs_path(folder, sizeof folder, dir, sort)) != KL_OK ||
	    (r = path_of(dir, sort, origin, path)) != KL_OK ||
	    (r = kl_daemon_mkdir(folder)) != KL_OK)
		return r;
	return kl_fs_replace(path, text);
}

int
audit_mark_note(const char *dir, const char *origin, struct kl_note *out)
{
	char path[AUDIT_MARK_PATH_BYTES];
	int r = path_of(dir, MARKS, origin, path);

	return r != KL_OK ? r : note_read(path, out);
}

/* What is kept of a log, verified. */
static int
kept_read(const char *dir, const struct kl_sign_pk *pk, const char *origin,
    struct kl_note *note, struct kl_checkpoint *c)
{
	int r = audit_mark_note(dir, origin, note);

	if (r != KL_OK)
		return r;
	if (kl_note_verify(kl_bytes_str(note->b), pk, c) != KL_OK ||
	    strcmp(c->origin, origin) != 0)
		return KL_E_DAMAGED;
	return KL_OK;
}

/* The mark of the youngest log of this broker; "" in *note: there is none.
 * What another broker signed, from which this directory was before, is passed
 * over. */
static void
youngest_read(const char *dir, const struct kl_sign_pk *pk,
    struct kl_note *note, struct kl_checkpoint *c)
{
	char folder[AUDIT_MARK_PATH_BYTES], path[2 * AUDIT_MARK_PATH_BYTES];
	const struct dirent *e;
	struct kl_checkpoint one;
	struct kl_note text;
	DIR *d = NULL;

	memset(note, 0, sizeof *note);
	memset(c, 0, sizeof *c);
	if (kl_fs_path(folder, sizeof folder, dir, MARKS) == KL_OK)
		d = opendir(folder);
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (kl_fs_path(path, sizeof path, folder, e->d_name) !=
		    KL_OK || note_read(path, &text) != KL_OK ||
		    kl_note_verify(kl_bytes_str(text.b), pk, &one) != KL_OK)
			continue;
		if (note->b[0] != '\0' &&
		    !kl_origin_older(c->origin, one.origin))
			continue;
		*note = text;
		*c = one;
	}
	if (d != NULL)
		(void)closedir(d);
}

int
audit_mark_youngest(const char *dir, const struct kl_sign_pk *pk,
    struct kl_checkpoint *out)
{
	struct kl_note note;

	youngest_read(dir, pk, &note, out);
	return note.b[0] != '\0' ? KL_OK : KL_E_NOT_FOUND;
}

/* ---- verdicts ----------------------------------------------------------- */

/* The first evidence about a log stays. */
static int
alarm_raise(const char *dir, const struct kl_note *kept, struct kl_bytes shown,
    enum audit_mark_verdict verdict, struct audit_mark *out)
{
	uint8_t both[2 * KL_NOTE_MAX + 1];
	struct kl_writer w;
	int r = path_of(dir, ALARMS, out->now.origin, out->evidence);

	out->verdict = verdict;
	if (r != KL_OK || access(out->evidence, F_OK) == 0)
		return r;
	kl_writer_init(&w, both, sizeof both);
	kl_put_bytes(&w, kl_bytes_str(kept->b));
	kl_put_u8(&w, '\n');
	kl_put_bytes(&w, shown);
	if (w.full)
		return KL_E_SIZE;
	return file_write(dir, ALARMS, out->now.origin, kl_writer_bytes(&w),
	    out->evidence);
}

static int
keep(const char *dir, struct kl_bytes note, enum audit_mark_verdict verdict,
    struct audit_mark *out)
{
	char path[AUDIT_MARK_PATH_BYTES];

	out->verdict = verdict;
	return file_write(dir, MARKS, out->now.origin, note, path);
}

static bool
root_equal(const struct kl_checkpoint *a, const struct kl_checkpoint *b)
{
	return kl_bytes_equal(KL_BYTES_OF(a->root), KL_BYTES_OF(b->root));
}

/* Against the one kept of the same log. */
static int
judge(const char *dir, const struct kl_note *note,
    const struct kl_checkpoint *kept, struct kl_bytes shown,
    struct audit_mark *out)
{
	const uint64_t size = out->now.size;

	out->size = kept->size;
	if (size < kept->size || (size == kept->size &&
	    !root_equal(&out->now, kept)))
		return alarm_raise(dir, note, shown, AUDIT_MARK_BROKEN, out);
	out->verdict = size > kept->size && kept->size > 0 ?
	    AUDIT_MARK_AHEAD : AUDIT_MARK_KEPT;
	/* Everything continues an empty log. */
	return kept->size == 0 ? keep(dir, shown, AUDIT_MARK_KEPT, out) :
	    KL_OK;
}

int
audit_mark_take(const char *dir, const struct kl_sign_pk *pk,
    struct kl_bytes note, struct audit_mark *out)
{
	struct kl_checkpoint kept;
	struct kl_note text;
	int r;

	memset(out, 0, sizeof *out);
	if ((r = kl_note_verify(note, pk, &out->now)) != KL_OK)
		return r;
	youngest_read(dir, pk, &text, &kept);
	if (text.b[0] != '\0' &&
	    kl_origin_older(out->now.origin, kept.origin))
		return alarm_raise(dir, &text, note, AUDIT_MARK_LEFT, out);
	r = kept_read(dir, pk, out->now.origin, &text, &kept);
	if (r == KL_E_NOT_FOUND)
		return keep(dir, note, kept.origin[0] != '\0' ?
		    AUDIT_MARK_NEW_LOG : AUDIT_MARK_KEPT, out);
	return r != KL_OK ? r : judge(dir, &text, &kept, note, out);
}

int
audit_mark_prove(const char *dir, const struct kl_sign_pk *pk,
    struct kl_bytes note, const struct kl_bytes *proof, size_t n,
    struct audit_mark *out)
{
	struct kl_hash hash[KL_PROOF_MAX];
	struct kl_checkpoint kept;
	struct kl_note text;
	int r;

	if ((r = audit_mark_take(dir, pk, note, out)) != KL_OK ||
	    out->verdict != AUDIT_MARK_AHEAD)
		return r;
	if ((r = kept_read(dir, pk, out->now.origin, &text, &kept)) != KL_OK)
		return r;
	if (n > KL_PROOF_MAX)
		return KL_E_SIZE;
	for (size_t i = 0; i < n; i++) {
		if (proof[i].n != sizeof hash[i].b)
			return KL_E_FORMAT;
		memcpy(hash[i].b, proof[i].p, sizeof hash[i].b);
	}
	if (kl_check_consistency(kept.size, &kept.root, out->now.size,
	    &out->now.root, hash, n) != KL_OK)
		return alarm_raise(dir, &text, note, AUDIT_MARK_BROKEN, out);
	return keep(dir, note, AUDIT_MARK_KEPT, out);
}

void
audit_mark_alarm(const char *dir, char path[AUDIT_MARK_PATH_BYTES])
{
	char folder[AUDIT_MARK_PATH_BYTES];
	const struct dirent *e;
	DIR *d = NULL;
	int n = 0;

	path[0] = '\0';
	if (kl_fs_path(folder, sizeof folder, dir, ALARMS) == KL_OK)
		d = opendir(folder);
	while (d != NULL && path[0] == '\0' && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			n = snprintf(path, AUDIT_MARK_PATH_BYTES, "%s/%s",
			    folder, e->d_name);
	/* Too long to name: its folder is where it is. */
	if (n >= AUDIT_MARK_PATH_BYTES)
		(void)snprintf(path, AUDIT_MARK_PATH_BYTES, "%s", folder);
	if (d != NULL)
		(void)closedir(d);
}
