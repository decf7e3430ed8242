#include "proto/audit/kept.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "checkpoints"
#define NAME_BYTES 80
#define WITNESSES_MAX 64

struct one {
	char file[NAME_BYTES];
	uint64_t size;
	struct kl_hash root;
	uint64_t witnesses;		/* bits of those whose line it has */
	bool right;
};

struct audit_kept {
	const struct audit_dircheck_keys *keys;
	void (*wrong)(void *arg, const char *file, const char *text);
	void *arg;
	struct kl_checkpoint newest;
	struct one *list;		/* by size; the newest among them */
	size_t n, cap, at;		/* at: the next to compare */
};

struct audit_kept *
audit_kept_new(const struct audit_dircheck_keys *keys,
    void (*wrong)(void *arg, const char *file, const char *text), void *arg)
{
	struct audit_kept *k = calloc(1, sizeof *k);

	if (k == NULL)
		return NULL;
	k->keys = keys;
	k->wrong = wrong;
	k->arg = arg;
	return k;
}

void
audit_kept_free(struct audit_kept *k)
{
	if (k != NULL)
		free(k->list);
	free(k);
}

/* ---- one ---- */

/* Whose line holds; one that does not hold is no line of theirs, but says that
 * somebody changed the file. */
static uint64_t
witnesses(struct audit_kept *k, const char *file, struct kl_bytes text)
{
	uint64_t bits = 0;
	int64_t time_s;
	int r;

	for (size_t i = 0; i < k->keys->n_witness && i < WITNESSES_MAX; i++) {
		const struct kl_vkey *w = &k->keys->witness[i];

		r = kl_note_verify_cosigned(text, w->name, &w->pk, &time_s);
		if (r == KL_OK)
			bits |= UINT64_C(1) << i;
		else if (memmem(text.p, text.n, w->name, strlen(w->name)) !=
		    NULL)
			k->wrong(k->arg, file,
			    "the line of a witness does not hold");
	}
	return bits;
}

static int
add(struct audit_kept *k, const char *file, struct kl_bytes text,
    const struct kl_checkpoint *c)
{
	const size_t cap = k->cap == 0 ? 64 : 2 * k->cap;
	struct one *list;

	if (k->n == AUDIT_KEPT_MAX)
		return KL_E_SIZE;
	if (k->n == k->cap) {
		list = realloc(k->list, cap * sizeof *list);
		if (list == NULL)
			return KL_E_MEMORY;
		k->list = list;
		k->cap = cap;
	}
	k->list[k->n] = (struct one){ .size = c->size, .root = c->root,
		.witnesses = witnesses(k, file, text), .right = true };
	(void)snprintf(k->list[k->n++].file, NAME_BYTES, "%s", file);
	return KL_OK;
}

int
audit_kept_newest(struct audit_kept *k, struct kl_bytes text,
    struct kl_checkpoint *out)
{
	int r = kl_note_verify(text, k->keys->log, &k->newest);

	*out = k->newest;
	if (r != KL_OK)
		return r;
	if (k->keys->origin[0] != '\0' &&
	    strcmp(k->keys->origin, k->newest.origin) != 0)
		return KL_E_UNKNOWN;
	return add(k, "checkpoint", text, &k->newest);
}

/* ---- all ---- */

static int
read_one(struct audit_kept *k, const struct audit_dir *d, const char *file)
{
	uint8_t text[AUDIT_DIR_NOTE_MAX];
	struct kl_checkpoint c;
	size_t n;
	int r = audit_dir_file(d, file, text, sizeof text, &n);

	if (r == KL_OK)
		r = kl_note_verify(kl_bytes(text, n), k->keys->log, &c);
	if (r != KL_OK) {
		k->wrong(k->arg, file, r == KL_E_SIGNATURE ?
		    "not signed by the key of this log" :
		    r == KL_E_FORMAT ? "no checkpoint" : kl_err_text(r));
		return KL_OK;
	}
	if (strcmp(c.origin, k->newest.origin) != 0) {
		k->wrong(k->arg, file, "of another log");
		return KL_OK;
	}
	if (c.size > k->newest.size) {
		k->wrong(k->arg, file, "of more leaves than the export has");
		return KL_OK;
	}
	return add(k, file, kl_bytes(text, n), &c);
}

static int
by_size(const void *a, const void *b)
{
	const struct one *x = a, *y = b;

	return x->size < y->size ? -1 : x->size > y->size ? 1 :
	    strcmp(x->file, y->file);
}

static int
name_take(struct audit_kept *k, const struct audit_dir *d, const char *name)
{
	char file[NAME_BYTES];

	if (name[0] == '.')
		return KL_OK;
	if (snprintf(file, sizeof file, FOLDER "/%s", name) >=
	    (int)sizeof file) {
		k->wrong(k->arg, file, "its name is too long");
		return KL_OK;
	}
	return read_one(k, d, file);
}

/* An export may have none beside its newest; what is there, and cannot be
 * read, hides some. */
static int
folder_read(struct audit_kept *k, const struct audit_dir *d)
{
	const int fd = openat(d->fd, FOLDER, O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	int r = KL_OK;

	if (dir == NULL) {
		if (fd >= 0)
			(void)close(fd);
		if (fd >= 0 || errno != ENOENT)
			k->wrong(k->arg, FOLDER, "cannot be read");
		return KL_OK;
	}
	while (r == KL_OK && (errno = 0, e = readdir(dir)) != NULL)
		r = name_take(k, d, e->d_name);
	if (r == KL_OK && errno != 0)
		k->wrong(k->arg, FOLDER, "cannot be read");
	(void)closedir(dir);
	return r;
}

int
audit_kept_read(struct audit_kept *k, const struct audit_dir *d)
{
	int r = folder_read(k, d);

	if (k->n > 1)
		qsort(k->list, k->n, sizeof *k->list, by_size);
	return r;
}

uint64_t
audit_kept_next(const struct audit_kept *k)
{
	return k->at == k->n ? UINT64_MAX : k->list[k->at].size;
}

void
audit_kept_at(struct audit_kept *k, uint64_t size, const struct kl_hash *root)
{
	for (; k->at < k->n && k->list[k->at].size == size; k->at++) {
		struct one *o = &k->list[k->at];

		o->right = memcmp(&o->root, root, sizeof *root) == 0;
		if (!o->right)
			k->wrong(k->arg, o->file,
			    "the leaves do not lead to its root");
	}
}

void
audit_kept_sum(const struct audit_kept *k, struct audit_dircheck_sum *sum)
{
	bool newest = false;
	uint64_t bits = 0;

	for (size_t i = 0; i < k->n; i++) {
		if (!k->list[i].right)
			continue;
		newest |= strcmp(k->list[i].file, "checkpoint") == 0;
		sum->checkpoints++;
		bits |= k->list[i].witnesses;
		if (k->list[i].witnesses != 0)
			sum->witnessed = k->list[i].size;
	}
	sum->pairs = sum->checkpoints * (sum->checkpoints - 1) / 2;
	/* Then it is not the leaves that are wrong. */
	sum->forked = newest && sum->checkpoints < k->n;
	sum->witnesses = (uint32_t)__builtin_popcountll(bits);
}

size_t
audit_kept_bytes(const struct audit_kept *k)
{
	return sizeof *k + k->cap * sizeof *k->list;
}
