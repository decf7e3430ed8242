#include "tests/fault/crash_record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS 1024
#define NONE (-1)

/* A descriptor of a file, or of the directory. */
struct open_file {
	bool dir, dsync;
	int file;		/* NONE */
};

static struct {
	bool on;
	char dir[PATH_MAX];
	size_t dir_n;
	struct open_file fd[FDS];
	struct record_file base[RECORD_FILES];
	size_t n_base, n_files;
	char name[RECORD_FILES][RECORD_NAME];	/* of now; "": gone */
	char broken[RECORD_NAME];
	struct record_event *events;
	size_t n, cap;
} rec;

static void
die(const char *what)
{
	fprintf(stderr, "crash_record: %s\n", what);
	_exit(2);
}

/* ---- events ---- */

static struct record_event *
event_new(enum record_kind kind)
{
	struct record_event *e;

	if (rec.n == rec.cap) {
		rec.cap = rec.cap == 0 ? 4096 : rec.cap * 2;
		rec.events = realloc(rec.events,
		    rec.cap * sizeof rec.events[0]);
		if (rec.events == NULL)
			die("no memory");
	}
	e = &rec.events[rec.n++];
	*e = (struct record_event){ .kind = kind, .file = NONE };
	return e;
}

static void
write_note(int fd, const void *p, size_t n, off_t at)
{
	const struct open_file *o = &rec.fd[fd];
	struct record_event *e = event_new(RECORD_WRITE);

	e->file = o->file;
	e->at = at;
	e->n = n;
	if ((e->p = malloc(n)) == NULL)
		die("no memory");
	memcpy(e->p, p, n);
	if (o->dsync)
		event_new(RECORD_WRITTEN)->file = o->file;
}

void
record_note(uint64_t number)
{
	event_new(RECORD_NOTE)->number = number;
}

/* ---- names ---- */

static bool
ignored(const char *name)
{
	const char *end = strrchr(name, '-');

	return (end != NULL && strncmp(end, "-lock", 5) == 0) ||
	    strstr(name, ".sock") != NULL;
}

/* The name in the directory that is watched, or NULL. */
static const char *
name_in(int dirfd, const char *path)
{
	const char *name = NULL;

	if (!rec.on)
		return NULL;
	if (path[0] != '/')
		name = dirfd >= 0 && dirfd < FDS && rec.fd[dirfd].dir ?
		    path : NULL;
	else if (strncmp(path, rec.dir, rec.dir_n) == 0 &&
	    path[rec.dir_n] == '/')
		name = path + rec.dir_n + 1;
	if (name == NULL || strchr(name, '/') != NULL || ignored(name))
		return NULL;
	if (strlen(name) >= RECORD_NAME)
		die("a long name");
	return name;
}

static int
file_of(const char *name)
{
	for (size_t i = 0; i < rec.n_files; i++)
		if (strcmp(rec.name[i], name) == 0)
			return (int)i;
	return NONE;
}

static int
file_new(const char *name)
{
	if (rec.n_files == RECORD_FILES)
		die("too many files");
	(void)snprintf(rec.name[rec.n_files], RECORD_NAME, "%s", name);
	return (int)rec.n_files++;
}

static void
opened(int fd, int dirfd, const char *path, int flags)
{
	const char *name = name_in(dirfd, path);
	struct record_event *e;
	int file;

	if (fd < 0 || fd >= FDS)
		return;
	rec.fd[fd] = (struct open_file){ .file = NONE,
		.dir = rec.on && strcmp(path, rec.dir) == 0,
		.dsync = (flags & O_DSYNC) != 0 };
	if (rec.on && strncmp(path, rec.dir, rec.dir_n) == 0 &&
	    strcmp(path + rec.dir_n, "/") == 0)
		rec.fd[fd].dir = true;
	if (name == NULL)
		return;
	if ((file = file_of(name)) == NONE) {
		file = file_new(name);
		e = event_new(RECORD_CREATE);
		e->file = file;
		(void)snprintf(e->name, sizeof e->name, "%s", name);
	} else if ((flags & O_TRUNC) != 0) {
		die("a file is cut short");
	}
	rec.fd[fd].file = file;
}

static void
unlinked(int dirfd, const char *path)
{
	const char *name = name_in(dirfd, path);
	int file = name == NULL ? NONE : file_of(name);
	struct record_event *e;

	if (file == NONE)
		return;
	e = event_new(RECORD_UNLINK);
	(void)snprintf(e->name, sizeof e->name, "%s", name);
	rec.name[file][0] = '\0';
}

static void
renamed(int from_dir, const char *from, int to_dir, const char *to)
{
	const char *a = name_in(from_dir, from), *b = name_in(to_dir, to);
	int file = a == NULL ? NONE : file_of(a), old;
	struct record_event *e;

	if (file == NONE || b == NULL)
		return;
	e = event_new(RECORD_RENAME);
	(void)snprintf(e->name, sizeof e->name, "%s", a);
	(void)snprintf(e->to, sizeof e->to, "%s", b);
	if ((old = file_of(b)) != NONE)
		rec.name[old][0] = '\0';
	(void)snprintf(rec.name[file], RECORD_NAME, "%s", e->to);
}

/* ---- calls, before the C library's own ---- */

static const struct open_file *
tracked(int fd)
{
	if (!rec.on || fd < 0 || fd >= FDS)
		return NULL;
	return rec.fd[fd].file != NONE || rec.fd[fd].dir ? &rec.fd[fd] : NULL;
}

static int
open_any(int dirfd, const char *path, int flags, mode_t mode)
{
	int fd = (int)syscall(SYS_openat, dirfd, path, flags, mode);

	opened(fd, dirfd, path, flags);
	return fd;
}

int
open(const char *path, int flags, ...)
{
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return open_any(AT_FDCWD, path, flags, mode);
}

int
openat(int dirfd, const char *path, int flags, ...)
{
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return open_any(dirfd, path, flags, mode);
}

int
close(int fd)
{
	if (fd >= 0 && fd < FDS)
		rec.fd[fd] = (struct open_file){ .file = NONE };
	return (int)syscall(SYS_close, fd);
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	ssize_t done = syscall(SYS_pwrite64, fd, p, n, at);

	if (tracked(fd) != NULL && done > 0)
		write_note(fd, p, (size_t)done, at);
	return done;
}

ssize_t
writev(int fd, const struct iovec *v, int n)
{
	off_t at = tracked(fd) == NULL ? 0 : lseek(fd, 0, SEEK_CUR);
	ssize_t done = syscall(SYS_writev, fd, v, n), left = done;

	for (int i = 0; tracked(fd) != NULL && left > 0 && i < n; i++) {
		size_t some = v[i].iov_len < (size_t)left ? v[i].iov_len :
		    (size_t)left;

		write_note(fd, v[i].iov_base, some, at);
		at += (off_t)some;
		left -= (ssize_t)some;
	}
	return done;
}

ssize_t
write(int fd, const void *p, size_t n)
{
	if (tracked(fd) != NULL)
		die("write() at the place where the file stands");
	return syscall(SYS_write, fd, p, n);
}

static int
synced(int fd, int r)
{
	const struct open_file *o = tracked(fd);

	if (r != 0 || o == NULL)
		return r;
	if (o->dir) {
		(void)event_new(RECORD_SYNC_NAMES);
	} else if (strcmp(rec.name[o->file], rec.broken) != 0) {
		event_new(RECORD_SYNC)->file = o->file;
	}
	return r;
}

int
fdatasync(int fd)
{
	return synced(fd, (int)syscall(SYS_fdatasync, fd));
}

int
fsync(int fd)
{
	return synced(fd, (int)syscall(SYS_fsync, fd));
}

int
msync(void *p, size_t n, int flags)
{
	if (rec.on)
		die("msync(): the store is not written with pwrite()");
	return (int)syscall(SYS_msync, p, n, flags);
}

int
ftruncate(int fd, off_t n)
{
	if (tracked(fd) != NULL)
		die("ftruncate()");
	return (int)syscall(SYS_ftruncate, fd, n);
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	int r = (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);

	if (r == 0)
		renamed(from_dir, from, to_dir, to);
	return r;
}

int
rename(const char *from, const char *to)
{
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int
unlinkat(int dirfd, const char *path, int flags)
{
	int r = (int)syscall(SYS_unlinkat, dirfd, path, flags);

	if (r == 0)
		unlinked(dirfd, path);
	return r;
}

int
unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

ssize_t
sendmsg(int fd, const struct msghdr *m, int flags)
{
	ssize_t n = syscall(SYS_sendmsg, fd, m, flags);

	if (rec.on && n > 0)
		(void)event_new(RECORD_SENT);
	return n;
}

/* ---- begin and end ---- */

static void
base_add(const char *name)
{
	struct record_file *f = &rec.base[file_new(name)];
	char path[PATH_MAX + 300];
	struct stat st;
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s", rec.dir, name);
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY, 0);
	if (fd < 0 || fstat(fd, &st) != 0)
		die("a file cannot be read");
	(void)snprintf(f->name, sizeof f->name, "%s", name);
	f->n = (size_t)st.st_size;
	if ((f->p = malloc(f->n + 1)) == NULL ||
	    pread(fd, f->p, f->n, 0) != st.st_size)
		die("a file cannot be read");
	(void)syscall(SYS_close, fd);
}

void
record_begin(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	if (d == NULL || strlen(dir) >= sizeof rec.dir)
		die("no such directory");
	(void)snprintf(rec.dir, sizeof rec.dir, "%s", dir);
	rec.dir_n = strlen(rec.dir);
	for (size_t i = 0; i < FDS; i++)
		rec.fd[i] = (struct open_file){ .file = NONE };
	while ((e = readdir(d)) != NULL)
		if (e->d_type == DT_REG && !ignored(e->d_name))
			base_add(e->d_name);
	(void)closedir(d);
	rec.n_base = rec.n_files;
	rec.on = true;
}

void
record_end(void)
{
	rec.on = false;
}

void
record_break_sync(const char *name)
{
	(void)snprintf(rec.broken, sizeof rec.broken, "%s",
	    name != NULL ? name : "");
}

const struct record_event *
record_events(size_t *n)
{
	*n = rec.n;
	return rec.events;
}

const struct record_file *
record_files(size_t *n)
{
	*n = rec.n_base;
	return rec.base;
}
