#include "adapters/common/watch_work.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/host/fs.h>

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* A file in in/ that is not taken yet. */
struct seen {
	char name[DROP_NAME_CAP];
	off_t size;
	struct timespec mtime;
	int64_t since_ms;		/* unchanged */
	bool ready;			/* it was renamed to this name */
	bool here;			/* in this scan */
};

struct watch {
	struct watch_options o;
	int root;
	int inotify;
	bool left;			/* work/ may hold files of before */

	struct seen *seen;		/* WATCH_FILES_MAX */
	size_t n_seen;
	struct watch_works works;
};

static const char *const dirs[] = { "in", "work", "done", "error", "out" };

/* ---- opening ---- */

static int
wrong(struct watch_error *error, const char *dir, const char *name,
    const char *what)
{
	(void)snprintf(error->b, sizeof error->b, "folder %.200s%s%s: %.100s",
	    dir, name[0] != '\0' ? "/" : "", name, what);
	return KL_E_CONFIG;
}

/* Made if it is missing, one file system with the rest, and writable. */
static int
dir_check(const struct watch *w, const char *name, dev_t dev,
    struct watch_error *error)
{
	const char *dir = w->o.dir, *probe = ".kortelijn";
	struct stat st;
	int at, fd;

	if (mkdirat(w->root, name, 0700) == 0) {
		if (w->o.share && fchmodat(w->root, name, 02770, 0) != 0)
			return wrong(error, dir, name, strerror(errno));
	} else if (errno != EEXIST) {
		return wrong(error, dir, name, strerror(errno));
	}
	if ((at = openat(w->root, name, DIR_FLAGS)) < 0)
		return wrong(error, dir, name, strerror(errno));
	if (fstat(at, &st) != 0 || st.st_dev != dev) {
		(void)close(at);
		return wrong(error, dir, name,
		    "is on another file system than the folder");
	}
	fd = openat(at, probe, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd < 0 || close(fd) != 0 || unlinkat(at, probe, 0) != 0) {
		int e = errno;

		(void)close(at);
		return wrong(error, dir, name, e == EACCES || e == EROFS ?
		    "is not writable for this user" : strerror(e));
	}
	(void)close(at);
	return KL_OK;
}

static int
root_open(struct watch *w, struct watch_error *error)
{
	struct stat st;
	int r = KL_OK;

	w->root = open(w->o.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->root < 0 || fstat(w->root, &st) != 0)
		return wrong(error, w->o.dir, "", strerror(errno));
	for (size_t i = 0; r == KL_OK && i < 5; i++)
		r = dir_check(w, dirs[i], st.st_dev, error);
	return r;
}

/* Again at each scan: in/ may have been replaced. A speed-up only, so a
 * failure is none. */
static void
inotify_follow(struct watch *w)
{
	char path[600];

	if (w->inotify >= 0 && kl_fs_path(path, sizeof path, w->o.dir,
	    "in") == KL_OK)
		(void)inotify_add_watch(w->inotify, path, IN_MOVED_TO |
		    IN_CLOSE_WRITE | IN_ONLYDIR | IN_DONT_FOLLOW);
}

int
watch_open(const struct watch_options *o, struct watch **out,
    struct watch_error *error)
{
	struct watch *w = calloc(1, sizeof *w);
	int r = KL_E_MEMORY;

	*out = NULL;
	if (w == NULL)
		return r;
	w->o = *o;
	w->root = -1;
	w->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	w->left = true;
	w->seen = calloc(WATCH_FILES_MAX, sizeof *w->seen);
	if (w->seen == NULL)
		goto out;
	if ((r = root_open(w, error)) != KL_OK)
		goto out;
	if ((r = watch_works_init(&w->works, &w->o, w->root)) != KL_OK)
		goto out;
	inotify_follow(w);
	*out = w;
	return KL_OK;
out:
	watch_free(w);
	return r;
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	if (w->root >= 0)
		(void)close(w->root);
	if (w->inotify >= 0)
		(void)close(w->inotify);
	watch_works_clear(&w->works);
	free(w->seen);
	free(w);
}

int
watch_fd(const struct watch *w)
{
	return w->inotify;
}

/* ---- scanning ---- */

static struct seen *
seen_find(struct watch *w, const char *name)
{
	for (size_t i = 0; i < w->n_seen; i++)
		if (strcmp(w->seen[i].name, name) == 0)
			return &w->seen[i];
	return NULL;
}

static struct seen *
seen_get(struct watch *w, const char *name)
{
	struct seen *s = seen_find(w, name);

	if (s != NULL || w->n_seen == WATCH_FILES_MAX)
		return s;
	s = &w->seen[w->n_seen++];
	memset(s, 0, sizeof *s);
	(void)snprintf(s->name, sizeof s->name, "%s", name);
	s->size = -1;
	return s;
}

/* Who renames a file to its name has written all of it. */
static void
inotify_read(struct watch *w)
{
	_Alignas(struct inotify_event) char buf[8192];
	ssize_t n;

	while (w->inotify >= 0 && (n = read(w->inotify, buf, sizeof buf)) >
	    0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e =
			    (const void *)(buf + at);
			struct seen *s = NULL;

			if (e->len > 0 && (e->mask & IN_MOVED_TO) != 0 &&
			    drop_ends_in(e->name, ".json"))
				s = seen_get(w, e->name);
			if (s != NULL)
				s->ready = true;
			at += (ssize_t)(sizeof *e + e->len);
		}
	}
}

/* "NAME.ok" for "NAME.json". */
static bool
ok_file(int in, const char *name, bool remove)
{
	char ok[DROP_NAME_CAP];
	struct stat st;

	(void)snprintf(ok, sizeof ok, "%.*s.ok",
	    (int)(strlen(name) - strlen(".json")), name);
	if (remove)
		return unlinkat(in, ok, 0) == 0;
	return fstatat(in, ok, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode);
}

static bool
stable(struct seen *s, const struct stat *st, int64_t now_ms)
{
	if (s->size != st->st_size || s->mtime.tv_sec != st->st_mtim.tv_sec ||
	    s->mtime.tv_nsec != st->st_mtim.tv_nsec) {
		s->size = st->st_size;
		s->mtime = st->st_mtim;
		s->since_ms = now_ms;
	}
	return now_ms - s->since_ms >= WATCH_STABLE_MS;
}

/* Is it a file of ours to take, and is all of it there? */
static bool
ready(struct watch *w, int in, const char *name, int64_t now_ms)
{
	struct seen *s;
	struct stat st;

	if (fstatat(in, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st.st_mode) || st.st_nlink != 1 ||
	    st.st_uid != w->o.owner)
		return false;
	if ((s = seen_get(w, name)) == NULL)
		return false;
	s->here = true;
	return (s->ready && st.st_size > 0) || stable(s, &st, now_ms) ||
	    ok_file(in, name, false);
}

/* Unreadable ones stay: they are not ours to move. */
static bool
readable(int in, const char *name)
{
	int fd = openat(in, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return false;
	(void)close(fd);
	return true;
}

static void
claim(struct watch *w, int in, int work, const char *name,
    const struct watch_judge *j)
{
	struct watch_work k = { .bad_name = !drop_name_fine(name) };
	struct seen *s = seen_find(w, name);

	if (w->works.n == WATCH_FILES_MAX || !readable(in, name) ||
	    drop_move(in, name, work, k.name) != KL_OK)
		return;
	/* The next file of that name starts anew. */
	if (s != NULL)
		*s = w->seen[--w->n_seen];
	(void)ok_file(in, name, true);
	watch_works_offer(&w->works, work, &k, j);
}

static void
seen_forget_absent(struct watch *w)
{
	for (size_t i = 0; i < w->n_seen;) {
		if (w->seen[i].here) {
			w->seen[i++].here = false;
			continue;
		}
		w->seen[i] = w->seen[--w->n_seen];
	}
}

/* False: more waits. */
static bool
scan_in(struct watch *w, int in, int work, int64_t now_ms,
    const struct watch_judge *j)
{
	size_t looked = 0, taken = 0;
	const struct dirent *e;
	DIR *d = fdopendir(in);

	if (d == NULL) {
		(void)close(in);
		return true;
	}
	while ((e = readdir(d)) != NULL && looked < WATCH_FILES_MAX &&
	    taken < WATCH_TURN_MAX) {
		if (e->d_name[0] == '.' || !drop_ends_in(e->d_name, ".json"))
			continue;
		looked++;
		if (!ready(w, in, e->d_name, now_ms))
			continue;
		taken++;
		claim(w, in, work, e->d_name, j);
	}
	if (e == NULL)
		seen_forget_absent(w);
	(void)closedir(d);
	return taken < WATCH_TURN_MAX;
}

bool
watch_scan(struct watch *w, int64_t now_ms, const struct watch_judge *j)
{
	int in, work;
	bool all = true;

	/* Also without a folder: unread, it would wake the loop for ever. */
	inotify_follow(w);
	inotify_read(w);
	if ((work = watch_works_dir(&w->works, "work")) < 0)
		return true;
	if (w->left)
		w->left = !watch_works_find(&w->works);
	watch_works_offer_all(&w->works, work, j);
	if ((in = watch_works_dir(&w->works, "in")) >= 0)
		all = scan_in(w, in, work, now_ms, j);
	(void)close(work);
	return all;
}

void
watch_committed(struct watch *w)
{
	watch_works_committed(&w->works);
}

void
watch_undone(struct watch *w)
{
	watch_works_undone(&w->works);
}

int
watch_put(struct watch *w, const char *stem, const struct drop_part *part,
    size_t n)
{
	int dir, r;

	if (!drop_name_fine(stem))
		return KL_E_VALUE;
	if ((dir = watch_works_dir(&w->works, "out")) < 0)
		return drop_error();
	r = drop_put_new(dir, stem, part, n, w->o.share ? 0640 : 0600);
	(void)close(dir);
	return r;
}

static int
sweep_one(int dir, const char *name, const struct watch_sweep *s)
{
	struct stat st;

	if (name[0] == '.' || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) !=
	    0 || !S_ISREG(st.st_mode) ||
	    !s->due(s->arg, name, (int64_t)st.st_mtim.tv_sec * 1000))
		return KL_OK;
	return unlinkat(dir, name, 0) == 0 || errno == ENOENT ? KL_OK :
	    drop_error();
}

int
watch_sweep(struct watch *w, const struct watch_sweep *s)
{
	const struct dirent *e;
	int dir, one, r = KL_OK;
	DIR *d;

	if ((dir = watch_works_dir(&w->works, "out")) < 0)
		return drop_error();
	if ((d = fdopendir(dir)) == NULL) {
		r = drop_error();
		(void)close(dir);
		return r;
	}
	while ((e = readdir(d)) != NULL)
		if ((one = sweep_one(dirfd(d), e->d_name, s)) != KL_OK)
			r = one;
	if (fsync(dirfd(d)) != 0 && r == KL_OK)
		r = drop_error();
	(void)closedir(d);
	return r;
}
