#include "adapters/common/watch_work.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/host/fs.h>

int
watch_works_init(struct watch_works *ws, const struct watch_options *o,
    int root)
{
	*ws = (struct watch_works){ .o = o, .root = root };
	ws->list = calloc(WATCH_FILES_MAX, sizeof *ws->list);
	ws->text = malloc(o->file_max + 1);
	return ws->list == NULL || ws->text == NULL ? KL_E_MEMORY : KL_OK;
}

void
watch_works_clear(struct watch_works *ws)
{
	free(ws->list);
	free(ws->text);
	ws->list = NULL;
	ws->text = NULL;
}

int
watch_works_dir(const struct watch_works *ws, const char *name)
{
	return openat(ws->root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
}

/* ---- from work/ to where it belongs ---- */

static bool
refuse(const struct watch_works *ws, int work, const char *name,
    const char *note)
{
	char to[DROP_NAME_CAP], text[DROP_NAME_CAP + 16];
	int error = watch_works_dir(ws, "error");

	if (error < 0)
		return false;
	if (drop_move(work, name, error, to) != KL_OK) {
		(void)close(error);
		return false;
	}
	(void)snprintf(text, sizeof text, "%s.error.txt", to);
	/* Without its note it still lies where it is looked for. */
	(void)!drop_put(error, text, kl_bytes_str(note), ws->o->share ? 0640 :
	    0600);
	(void)close(error);
	return true;
}

static bool
away(const struct watch_works *ws, int work, const char *name)
{
	char to[DROP_NAME_CAP];
	bool moved;
	int done;

	if (!ws->o->keep_done)
		return unlinkat(work, name, 0) == 0 || errno == ENOENT;
	if ((done = watch_works_dir(ws, "done")) < 0)
		return false;
	moved = drop_move(work, name, done, to) == KL_OK;
	(void)close(done);
	return moved;
}

static void
drop_at(struct watch_works *ws, size_t i)
{
	ws->list[i] = ws->list[--ws->n];
}

void
watch_works_committed(struct watch_works *ws)
{
	int work = watch_works_dir(ws, "work");

	for (size_t i = 0; i < ws->n;) {
		struct watch_work *k = &ws->list[i];

		if (k->taken && work >= 0 && away(ws, work, k->name)) {
			drop_at(ws, i);
			continue;
		}
		/* If it cannot go now it is offered again, and known then. */
		k->again = k->again || k->taken;
		k->taken = false;
		i++;
	}
	if (work >= 0)
		(void)close(work);
}

void
watch_works_undone(struct watch_works *ws)
{
	for (size_t i = 0; i < ws->n; i++)
		ws->list[i].taken = false;
}

/* ---- judging ---- */

/* Reads the file that lies in work/; false: not now. */
static bool
content_read(const struct watch_works *ws, int work, const char *name,
    struct watch_file *f)
{
	int fd = openat(work, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC);
	struct stat st;
	bool fine = false;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_uid != ws->o->owner) {
		(void)close(fd);
		return false;
	}
	if ((uint64_t)st.st_size > ws->o->file_max) {
		f->form = WATCH_TOO_LARGE;
		fine = true;
	} else if (kl_fs_pread(fd, ws->text, (size_t)st.st_size, 0) == KL_OK) {
		f->content = kl_bytes(ws->text, (size_t)st.st_size);
		fine = true;
	}
	(void)close(fd);
	return fine;
}

/* True: it is not in work/ any more. */
static bool
judge(const struct watch_works *ws, int work, struct watch_work *k,
    const struct watch_judge *j)
{
	struct watch_file f = { .again = k->again };
	char note[WATCH_NOTE_MAX] = "";
	enum watch_verdict v;

	if (k->bad_name)
		f.form = WATCH_BAD_NAME;
	else if (!content_read(ws, work, k->name, &f))
		return faccessat(work, k->name, F_OK,
		    AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
	v = j->take(j->arg, &f, note);
	explicit_bzero(ws->text, f.content.n);
	switch (v) {
	case WATCH_TAKEN:
		k->taken = true;
		return false;
	case WATCH_REFUSED:
		return refuse(ws, work, k->name, note);
	case WATCH_GONE:
		return away(ws, work, k->name);
	default:
		return false;
	}
}

void
watch_works_offer(struct watch_works *ws, int work,
    const struct watch_work *k, const struct watch_judge *j)
{
	if (ws->n == WATCH_FILES_MAX)
		return;
	ws->list[ws->n] = *k;
	if (!judge(ws, work, &ws->list[ws->n], j))
		ws->n++;
}

void
watch_works_offer_all(struct watch_works *ws, int work,
    const struct watch_judge *j)
{
	for (size_t i = 0; i < ws->n;) {
		struct watch_work *k = &ws->list[i];

		if (!k->taken && judge(ws, work, k, j))
			drop_at(ws, i);
		else
			i++;
	}
}

static bool
listed(const struct watch_works *ws, const char *name)
{
	for (size_t i = 0; i < ws->n; i++)
		if (strcmp(ws->list[i].name, name) == 0)
			return true;
	return false;
}

bool
watch_works_find(struct watch_works *ws)
{
	int fd = watch_works_dir(ws, "work");
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	while (ws->n < WATCH_FILES_MAX && (e = readdir(d)) != NULL) {
		struct watch_work *k = &ws->list[ws->n];

		if (e->d_name[0] == '.' || !drop_ends_in(e->d_name, ".json") ||
		    listed(ws, e->d_name))
			continue;
		*k = (struct watch_work){ .again = true };
		(void)snprintf(k->name, sizeof k->name, "%.255s", e->d_name);
		ws->n++;
	}
	(void)closedir(d);
	return ws->n < WATCH_FILES_MAX;
}
