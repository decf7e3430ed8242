#include "tests/fault/crash_replay.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCK 4096

static void
die(const char *what)
{
	fprintf(stderr, "crash_replay: %s\n", what);
	_exit(2);
}

/* ---- what is there for good ---- */

static void
file_put(struct replay *r, int file, off_t at, const uint8_t *p, size_t n)
{
	const size_t end = (size_t)at + n;

	if (end > r->file[file].cap) {
		size_t cap = end * 2;
		uint8_t *b = realloc(r->file[file].p, cap);

		if (b == NULL)
			die("no memory");
		memset(b + r->file[file].cap, 0, cap - r->file[file].cap);
		r->file[file].p = b;
		r->file[file].cap = cap;
	}
	memcpy(r->file[file].p + at, p, n);
	if (end > r->file[file].n)
		r->file[file].n = end;
}

static void
name_put(struct replay_name *names, size_t *n, const char *name, int file)
{
	size_t i = 0;

	while (i < *n && strcmp(names[i].name, name) != 0)
		i++;
	if (i == *n && (*n)++ == RECORD_FILES)
		die("too many names");
	(void)snprintf(names[i].name, RECORD_NAME, "%s", name);
	names[i].file = file;
}

static int
name_drop(struct replay_name *names, size_t *n, const char *name)
{
	for (size_t i = 0; i < *n; i++)
		if (strcmp(names[i].name, name) == 0) {
			int file = names[i].file;

			names[i] = names[--*n];
			return file;
		}
	die("no such name");
	return -1;
}

static void
name_apply(struct replay_name *names, size_t *n, const struct record_event *e)
{
	if (e->kind == RECORD_CREATE)
		name_put(names, n, e->name, e->file);
	else if (e->kind == RECORD_UNLINK)
		(void)name_drop(names, n, e->name);
	else
		name_put(names, n, e->to, name_drop(names, n, e->name));
}

static bool
is_name(const struct replay_piece *p)
{
	return p->event->kind != RECORD_WRITE;
}

/* ---- what waits ---- */

static void
pending_drop(struct replay *r, size_t i)
{
	memmove(&r->pending[i], &r->pending[i + 1],
	    (r->n_pending - i - 1) * sizeof r->pending[0]);
	r->n_pending--;
}

static void
pending_add(struct replay *r, const struct replay_piece *p)
{
	if (r->n_pending == REPLAY_PENDING)
		die("too much waits");
	r->pending[r->n_pending++] = *p;
}

static void
write_add(struct replay *r, const struct record_event *e, bool dsync)
{
	size_t done = 0;

	while (done < e->n) {
		const off_t at = e->at + (off_t)done;
		size_t n = BLOCK - (size_t)(at % BLOCK);
		struct replay_piece p = { .event = e, .file = e->file,
			.at = at, .p = e->p + done, .dsync = dsync };

		p.n = n < e->n - done ? n : e->n - done;
		pending_add(r, &p);
		done += p.n;
	}
}

/* All that waits of this file, or only what was written with O_DSYNC. What an
 * older write would have put in its place is gone. */
static void
file_sync(struct replay *r, int file, bool dsync)
{
	size_t i = 0;

	while (i < r->n_pending) {
		struct replay_piece *p = &r->pending[i];

		if (is_name(p) || p->file != file || p->dsync != dsync) {
			i++;
			continue;
		}
		file_put(r, file, p->at, p->p, p->n);
		pending_drop(r, i);
	}
}

static void
older_drop(struct replay *r, const struct record_event *e)
{
	size_t i = 0;

	while (i < r->n_pending) {
		const struct replay_piece *p = &r->pending[i];

		if (!is_name(p) && p->file == e->file && p->at >= e->at &&
		    p->at + (off_t)p->n <= e->at + (off_t)e->n)
			pending_drop(r, i);
		else
			i++;
	}
}

static void
names_sync(struct replay *r)
{
	size_t i = 0;

	while (i < r->n_pending) {
		if (!is_name(&r->pending[i])) {
			i++;
			continue;
		}
		name_apply(r->name, &r->n_names, r->pending[i].event);
		pending_drop(r, i);
	}
}

/* ---- going on ---- */

struct replay *
replay_new(void)
{
	struct replay *r = calloc(1, sizeof *r);
	const struct record_file *base;
	size_t n;

	if (r == NULL)
		return NULL;
	base = record_files(&n);
	for (size_t i = 0; i < n; i++) {
		file_put(r, (int)i, 0, base[i].p, base[i].n);
		name_put(r->name, &r->n_names, base[i].name, (int)i);
	}
	r->events = record_events(&r->n_events);
	return r;
}

void
replay_free(struct replay *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < RECORD_FILES; i++)
		free(r->file[i].p);
	free(r);
}

const struct record_event *
replay_step(struct replay *r)
{
	const struct record_event *e;
	struct replay_piece p;

	if (r->at == r->n_events)
		return NULL;
	e = &r->events[r->at++];
	switch (e->kind) {
	case RECORD_WRITE: {
		bool dsync = r->at < r->n_events &&
		    r->events[r->at].kind == RECORD_WRITTEN;

		if (dsync)
			older_drop(r, e);
		write_add(r, e, dsync);
		break;
	}
	case RECORD_WRITTEN:
		file_sync(r, e->file, true);
		break;
	case RECORD_SYNC:
		file_sync(r, e->file, false);
		break;
	case RECORD_SYNC_NAMES:
		names_sync(r);
		break;
	case RECORD_CREATE:
	case RECORD_RENAME:
	case RECORD_UNLINK:
		p = (struct replay_piece){ .event = e, .file = e->file };
		pending_add(r, &p);
		break;
	case RECORD_NOTE:
	case RECORD_SENT:
		break;
	}
	return e;
}

/* ---- an image ---- */

bool
replay_differs(const struct replay *r, const bool *chosen)
{
	bool all = true;

	for (size_t i = 0; i < r->n_pending; i++) {
		if (!is_name(&r->pending[i]))
			continue;
		if (chosen[i] && !all)
			return false;
		all = all && chosen[i];
	}
	return true;
}

static bool
named(const struct replay_name *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i].name, name) == 0)
			return true;
	return false;
}

static void
dir_clear(const char *dir, const struct replay_name *names, size_t n)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	if (d == NULL)
		die("no directory for the image");
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && !named(names, n, e->d_name))
			(void)unlinkat(dirfd(d), e->d_name, 0);
	(void)closedir(d);
}

/* Most of a file is as the image before left it: only what differs is
 * written. */
static void
blocks_put(uint8_t *to, const uint8_t *p, size_t n)
{
	for (size_t at = 0; at < n; at += BLOCK) {
		size_t some = n - at < BLOCK ? n - at : BLOCK;

		if (memcmp(to + at, p + at, some) != 0)
			memcpy(to + at, p + at, some);
	}
}

/* What this file is in the image is at least as long as this. */
static size_t
file_size(const struct replay *r, int file, const bool *chosen, size_t torn)
{
	size_t n = r->file[file].n;

	for (size_t i = 0; i < r->n_pending; i++) {
		const struct replay_piece *p = &r->pending[i];
		size_t end = (size_t)p->at + (torn > 0 &&
		    i + 1 == r->n_pending && torn < p->n ? torn : p->n);

		if (!is_name(p) && chosen[i] && p->file == file && end > n)
			n = end;
	}
	return n;
}

static void
pieces_put(const struct replay *r, int file, const bool *chosen, size_t torn,
    uint8_t *to)
{
	for (size_t i = 0; i < r->n_pending; i++) {
		const struct replay_piece *p = &r->pending[i];

		if (is_name(p) || !chosen[i] || p->file != file)
			continue;
		memcpy(to + p->at, p->p, torn > 0 && i + 1 == r->n_pending &&
		    torn < p->n ? torn : p->n);
	}
}

static void
file_write(const struct replay *r, const struct replay_name *name,
    const bool *chosen, size_t torn, const char *dir)
{
	const size_t n = file_size(r, name->file, chosen, torn);
	const size_t base = r->file[name->file].n;
	char path[PATH_MAX];
	uint8_t *to;
	int fd;

	(void)snprintf(path, sizeof path, "%.1000s/%.31s", dir, name->name);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)n) != 0)
		die("no room for the image");
	if (n > 0) {
		to = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (to == MAP_FAILED)
			die("no room for the image");
		blocks_put(to, r->file[name->file].p, base);
		memset(to + base, 0, n - base);
		pieces_put(r, name->file, chosen, torn, to);
		(void)munmap(to, n);
	}
	(void)close(fd);
}

void
replay_write(const struct replay *r, const bool *chosen, size_t torn,
    const char *dir)
{
	struct replay_name names[RECORD_FILES];
	size_t n = r->n_names;
	bool all = true;

	memcpy(names, r->name, n * sizeof names[0]);
	for (size_t i = 0; i < r->n_pending; i++) {
		if (!is_name(&r->pending[i]))
			continue;
		all = all && chosen[i];
		if (all)
			name_apply(names, &n, r->pending[i].event);
	}
	dir_clear(dir, names, n);
	for (size_t i = 0; i < n; i++)
		file_write(r, &names[i], chosen, torn, dir);
}
