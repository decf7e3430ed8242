#include "proto/audit/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/audit/logrecord.h"
#include "proto/cli/output.h"

#define MEM_BYTES 65536		/* what reading a record may take */
#define MEM_PIECES 256

static int
err_of(int e)
{
	switch (e) {
	case ENOENT:
	case ENOTDIR: return KL_E_NOT_FOUND;
	case EACCES:
	case EPERM:
	case ELOOP: return KL_E_DENIED;
	default: return KL_E_IO;
	}
}

/* ---- files ---- */

static int
read_all(int fd, uint8_t *buf, size_t cap, size_t *n)
{
	struct stat st;
	ssize_t got;

	if (fstat(fd, &st) != 0)
		return KL_E_IO;
	if (!S_ISREG(st.st_mode))
		return KL_E_DENIED;
	if ((uint64_t)st.st_size > cap)
		return KL_E_SIZE;
	while (*n < (size_t)st.st_size && (got = read(fd, buf + *n,
	    (size_t)st.st_size - *n)) > 0)
		*n += (size_t)got;
	return *n == (size_t)st.st_size ? KL_OK : KL_E_IO;
}

/* Not waited for, whatever it is. */
static int
file_open(const struct audit_dir *d, const char *name)
{
	return openat(d->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NOCTTY | O_NONBLOCK);
}

int
audit_dir_file(const struct audit_dir *d, const char *name, void *buf,
    size_t cap, size_t *n)
{
	const int fd = file_open(d, name);
	int r;

	*n = 0;
	if (fd < 0)
		return err_of(errno);
	r = read_all(fd, buf, cap, n);
	(void)close(fd);
	return r;
}

int
audit_dir_stream(const struct audit_dir *d, const char *name, FILE **out)
{
	const int fd = file_open(d, name);
	struct stat st;

	*out = NULL;
	if (fd < 0)
		return err_of(errno);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (*out = fdopen(fd, "r")) != NULL)
		return KL_OK;
	(void)close(fd);
	return KL_E_DENIED;
}

int
audit_dir_open(const char *path, struct audit_dir **out)
{
	struct audit_dir *d = malloc(sizeof *d);
	size_t n;
	int r;

	*out = NULL;
	if (d == NULL)
		return KL_E_MEMORY;
	d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd < 0) {
		free(d);
		return err_of(errno);
	}
	r = audit_dir_file(d, "checkpoint", d->note, sizeof d->note, &n);
	d->text = kl_bytes(d->note, n);
	if (r != KL_OK) {
		audit_dir_close(d);
		return r;
	}
	*out = d;
	return KL_OK;
}

void
audit_dir_close(struct audit_dir *d)
{
	if (d == NULL)
		return;
	(void)close(d->fd);
	free(d);
}

int
audit_dir_tile(struct audit_dir *d, uint64_t number, uint32_t width)
{
	const struct audit_tile_path path = audit_tile_path(0, number, width);
	size_t n;
	int r = audit_dir_file(d, path.b, d->hashes, sizeof d->hashes, &n);

	return r == KL_OK && n != width * sizeof d->hashes[0] ? KL_E_FORMAT :
	    r;
}

int
audit_dir_bundle(struct audit_dir *d, uint64_t number, uint32_t width,
    struct kl_reader *out)
{
	const struct audit_tile_path path = audit_bundle_path(number, width);
	size_t n;
	int r = audit_dir_file(d, path.b, d->bundle, sizeof d->bundle, &n);

	kl_reader_init(out, kl_bytes(d->bundle, r == KL_OK ? n : 0));
	return r;
}

/* ---- records ---- */

struct walk {
	const struct cli *cli;
	const char *path;
	struct audit_dir *d;
	const struct kl_query_what *what;
	struct kl_arena *mem;
	int (*take)(void *arg, const struct audit_record *r);
	void *arg;
};

static bool
named(const void *asked, const void *is, size_t n)
{
	return kl_bytes_zero(kl_bytes(asked, n)) || memcmp(asked, is, n) == 0;
}

static bool
meant(const struct kl_query_what *q, const struct kl_record *r)
{
	return q == NULL || (r->time_minute >= q->from_minute &&
	    (q->to_minute == 0 || r->time_minute < q->to_minute) &&
	    named(&q->sender, &r->org_from, sizeof q->sender) &&
	    named(&q->receiver, &r->org_to, sizeof q->receiver) &&
	    (q->kind == 0 || q->kind == r->kind) &&
	    (q->event == 0 || q->event == r->event) &&
	    (q->role == 0 || q->role == r->actor_role) &&
	    (q->outcome == 0 || q->outcome == r->outcome) &&
	    named(&q->conv_ref, &r->conv_ref, sizeof q->conv_ref) &&
	    named(q->message, &r->msg_ref, sizeof q->message));
}

static int
not_ours(const struct walk *w, uint64_t leaf)
{
	return output_fail(w->cli, CLI_FILE, "%s: the record of leaf %" PRIu64
	    " is not the one that was logged; see 'kortelijn audit verify'",
	    w->path, leaf);
}

static int
record_take(struct walk *w, uint64_t leaf, const struct kl_hash *hash,
    const uint8_t *salt, struct kl_bytes packed)
{
	const struct kl_hash is = kl_record_leaf_hash(salt, packed);
	struct audit_record rec = { .leaf = leaf, .packed = packed };

	if (memcmp(&is, hash, sizeof is) != 0 ||
	    audit_logrecord_read(packed, w->mem, &rec.r) != KL_C_OK)
		return not_ours(w, leaf);
	memcpy(rec.salt, salt, sizeof rec.salt);
	return meant(w->what, &rec.r) ? w->take(w->arg, &rec) : CLI_OK;
}

static int
bundle_take(struct walk *w, uint64_t number, uint32_t width)
{
	struct kl_reader r;
	int err = audit_dir_tile(w->d, number, width);

	if (err == KL_OK)
		err = audit_dir_bundle(w->d, number, width, &r);
	if (err != KL_OK)
		return output_fail_err(w->cli, err, w->path);
	for (uint32_t i = 0; i < width; i++) {
		const uint64_t leaf = number * AUDIT_TILE_HASHES + i;
		struct kl_bytes packed;
		const uint8_t *salt;

		if (audit_bundle_next(&r, &salt, &packed) != KL_OK)
			return not_ours(w, leaf);
		if (packed.n > 0 && (err = record_take(w, leaf,
		    &w->d->hashes[i], salt, packed)) != CLI_OK)
			return err;
	}
	return CLI_OK;
}

/* The size that the checkpoint names, whoever signed it. */
static int
size_read(const struct audit_dir *d, uint64_t *size)
{
	const uint8_t *line = memchr(d->text.p, '\n', d->text.n);
	char digits[21];
	char *end;
	size_t n;

	if (line == NULL)
		return KL_E_FORMAT;
	n = d->text.n - (size_t)(++line - d->text.p);
	if (n >= sizeof digits)
		n = sizeof digits - 1;
	memcpy(digits, line, n);
	digits[n] = '\0';
	*size = strtoull(digits, &end, 10);
	return end != digits && *end == '\n' && *size <= UINT32_MAX ? KL_OK :
	    KL_E_FORMAT;
}

static int
walk_all(struct walk *w)
{
	uint64_t size;
	uint32_t width;
	int r = size_read(w->d, &size);

	if (r != KL_OK)
		return output_fail_err(w->cli, r, w->path);
	for (uint64_t n = 0; (width = audit_tile_width(size, 0, n)) > 0; n++)
		if ((r = bundle_take(w, n, width)) != CLI_OK)
			return r;
	return CLI_OK;
}

int
audit_dir_records(const struct cli *c, const char *path,
    const struct kl_query_what *what,
    int (*take)(void *arg, const struct audit_record *r), void *arg)
{
	struct walk w = { .cli = c, .path = path, .what = what, .take = take,
		.arg = arg };
	int r;

	if (what != NULL && !kl_bytes_zero(KL_BYTES_OF(what->spoken)))
		return output_fail(c, CLI_USAGE, "an export knows no spoken "
		    "references: give the conv_ref of a record; 'subject "
		    "log' at an adapter that knows the reference tells it");
	if ((r = audit_dir_open(path, &w.d)) != KL_OK)
		return output_fail_err(c, r, path);
	w.mem = kl_arena_new(MEM_BYTES, MEM_PIECES);
	r = w.mem == NULL ? output_fail_err(c, KL_E_MEMORY, path) :
	    walk_all(&w);
	kl_arena_free(w.mem);
	audit_dir_close(w.d);
	return r;
}
