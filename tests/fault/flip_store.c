#include "tests/fault/flip_store.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/core/core_main.h"
#include "broker/core/cycle.h"

/* The shell's assertions, outside of a test of check. */
void
_ck_assert_failed(const char *file, int line, const char *expr,
    const char *msg, ...)
{
	(void)msg;
	fprintf(stderr, "%s:%d: %s\n", file, line, expr);
	_Exit(4);
}

void
_mark_point(const char *file, int line)
{
	(void)file;
	(void)line;
}

#define FILES_MAX 16
#define MAP_MB 2
#define BLOCK 4096

static void
die(const char *what, const char *name)
{
	fprintf(stderr, "bit_flips: %s: %s\n", what, name);
	_exit(2);
}

/* ---- files ------------------------------------------------------------- */

struct flip_files {
	size_t n;
	struct one {
		char name[64];
		uint8_t *b;
		size_t size, used;
	} one[FILES_MAX];
};

static const char *const names[] = { "data.mdb", "slots", "log.mark" };

struct file_path { char b[512]; };

static struct file_path
path_of(const char *dir, const char *name)
{
	struct file_path p;

	(void)snprintf(p.b, sizeof p.b, "%.400s/%.100s", dir, name);
	return p;
}

/* Up to the last block that is not zero. */
static size_t
used(const uint8_t *b, size_t n)
{
	static const uint8_t zero[BLOCK];

	while (n >= BLOCK && n % BLOCK == 0 &&
	    memcmp(b + n - BLOCK, zero, BLOCK) == 0)
		n -= BLOCK;
	return n;
}

static void
file_read(const char *dir, const char *name, struct one *f)
{
	const struct file_path p = path_of(dir, name);
	struct stat st;
	int fd = open(p.b, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) != 0)
		die("cannot open", p.b);
	(void)snprintf(f->name, sizeof f->name, "%s", name);
	f->size = (size_t)st.st_size;
	f->b = malloc(f->size + 1);
	if (f->b == NULL || pread(fd, f->b, f->size, 0) != (ssize_t)f->size)
		die("cannot read", p.b);
	f->used = used(f->b, f->size);
	(void)close(fd);
}

/* Calls `each` for every file of a directory. */
static void
files_each(const char *dir, void (*each)(const char *dir, const char *name,
    void *arg), void *arg)
{
	const struct dirent *e;
	DIR *d = opendir(dir);

	if (d == NULL)
		die("cannot open", dir);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			each(dir, e->d_name, arg);
	(void)closedir(d);
}

static void
keep(const char *dir, const char *name, void *arg)
{
	struct flip_files *f = arg;

	/* Readers of a process that is gone. */
	if (strstr(name, "-lock") != NULL)
		return;
	if (f->n == FILES_MAX || strlen(name) >= sizeof f->one[0].name)
		die("too many files", dir);
	file_read(dir, name, &f->one[f->n++]);
}

struct flip_files *
flip_files_read(const char *state_dir)
{
	struct flip_files *f = calloc(1, sizeof *f);

	if (f == NULL)
		die("no memory", state_dir);
	files_each(state_dir, keep, f);
	return f;
}

void
flip_files_free(struct flip_files *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->one[i].b);
	free(f);
}

static void
drop(const char *dir, const char *name, void *arg)
{
	(void)arg;
	(void)unlink(path_of(dir, name).b);
}

void
flip_files_write(const struct flip_files *f, const char *dir)
{
	files_each(dir, drop, NULL);
	for (size_t i = 0; i < f->n; i++) {
		const struct one *o = &f->one[i];
		const struct file_path p = path_of(dir, o->name);
		int fd = open(p.b, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		    0600);

		if (fd < 0 || write(fd, o->b, o->used) != (ssize_t)o->used ||
		    ftruncate(fd, (off_t)o->size) != 0)
			die("cannot write", p.b);
		(void)close(fd);
	}
}

static const struct one *
find(const struct flip_files *f, enum flip_file file)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->one[i].name, names[file]) == 0)
			return &f->one[i];
	die("there is none", names[file]);
	return NULL;
}

size_t
flip_files_used(const struct flip_files *f, enum flip_file file)
{
	return find(f, file)->used;
}

/* ---- the log ----------------------------------------------------------- */

static int
leaves_put(struct core *c, void *arg)
{
	const unsigned int *n = arg;
	const size_t mark = kl_arena_mark(c->mem);

	for (unsigned int i = 0; i < *n; i++) {
		struct kl_record r = { .event = KL_EV_CARD,
			.count = 1 + i };
		struct journal_leaf leaf;
		int err = journal_append(&c->journal, c->turn.txn,
		    c->turn.now_ms, &r, c->mem, &leaf);

		if (err != KL_OK)
			return err;
		kl_arena_release(c->mem, mark);
	}
	return KL_OK;
}

void
flip_store_grow(struct core *c, unsigned int leaves)
{
	if (cycle_run(c, leaves_put, &leaves) != KL_OK)
		die("the log does not grow", "cycle_run");
}

/* Acknowledges the statements that wait for a party. */
static void
acknowledge(struct shell *s, const struct party *who)
{
	const struct shell_items i = shell_fetch(s, who, 0);

	for (size_t k = 0; k < i.n; k++)
		if (i.item[k].sort != KL_SORT_ENVELOPE)
			(void)shell_fetch(s, who, i.item[k].item);
}

/* Some that were delivered and answered, and some that wait. */
static void
conversations(struct shell *s)
{
	struct letter l, m;

	for (unsigned int i = 0; i < 8; i++) {
		letter_referral(&l, &s->practice, &s->desk);
		shell_deliver(s, &s->practice, &s->desk, &l);
		letter_feedback(&m, &l, &s->desk, &s->practice,
		    KL_MS_TAKEN_UP);
		shell_deliver(s, &s->desk, &s->practice, &m);
		acknowledge(s, &s->practice);
		acknowledge(s, &s->desk);
	}
	for (unsigned int i = 0; i < 4; i++) {
		letter_referral(&l, &s->practice, &s->desk);
		(void)shell_submit(s, &s->practice, &l);
	}
}

void
flip_store_make(struct shell *s, unsigned int leaves)
{
	shell_open(s);
	/* Anew, as small as can be: it is copied for every flip. */
	shell_stop(s);
	files_each(s->conf.state_dir, drop, NULL);
	s->conf.map_mb = MAP_MB;
	shell_new_store(s, NULL);
	if (shell_start(s, LETTERS_NOW_MS) != CORE_EXIT_STOPPED)
		die("it does not start", s->conf.state_dir);
	(void)shell_edge(s);
	shell_begin(s, &s->practice);
	shell_begin(s, &s->desk);
	flip_store_grow(s->core, leaves / 2);
	conversations(s);
	shell_restart(s, FLIP_NOW_MS);
	flip_store_grow(s->core, leaves / 2);
	s->core->journal.note_ms = 0;
	shell_turn(s);
	if (s->core->journal.checked.size != s->core->journal.committed.size)
		die("it was not signed", s->conf.state_dir);
	shell_stop(s);
}

/* ---- flips ------------------------------------------------------------- */

void
flip_bit(const char *dir, enum flip_file file, size_t byte, unsigned int bit)
{
	const struct file_path p = path_of(dir, names[file]);
	int fd = open(p.b, O_RDWR | O_CLOEXEC);
	uint8_t b;

	if (fd < 0 || pread(fd, &b, 1, (off_t)byte) != 1)
		die("cannot read", p.b);
	b ^= (uint8_t)(1u << bit);
	if (pwrite(fd, &b, 1, (off_t)byte) != 1)
		die("cannot write", p.b);
	(void)close(fd);
}

size_t
flip_changed(const struct flip_files *f, const char *dir, enum flip_file file,
    uint64_t draw)
{
	const struct one *was = find(f, file);
	struct one is = { .size = 0 };
	size_t n = 0, at = 0;

	file_read(dir, names[file], &is);
	for (size_t i = 0; i < is.used; i++)
		n += i >= was->size || is.b[i] != was->b[i];
	if (n == 0)
		die("nothing has changed", names[file]);
	draw %= n;
	for (size_t i = 0; i < is.used; i++)
		if ((i >= was->size || is.b[i] != was->b[i]) && draw-- == 0) {
			at = i;
			break;
		}
	free(is.b);
	return at;
}

bool
flip_signed(const struct flip_files *f, const char *dir)
{
	const struct one *was = find(f, FLIP_MARK);
	struct one is = { .size = 0 };
	bool same;

	file_read(dir, names[FLIP_MARK], &is);
	same = is.size == was->size && memcmp(is.b, was->b, is.size) == 0;
	free(is.b);
	return !same;
}
