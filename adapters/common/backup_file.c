#include "adapters/common/backup_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>
#include <kortelijn/end/stream.h>
#include <kortelijn/host/fs.h>

#define PATH_CAP 640
#define MAGIC "kortelijn-backup-v1\n"
#define MAGIC_BYTES (sizeof MAGIC - 1)
#define HEAD_BYTES (MAGIC_BYTES + 8 + 4 + 4 + KL_ID_BYTES + 32)
#define FRONT_BYTES (HEAD_BYTES + 32)	/* with E */
#define PLAIN_MAX (BACKUP_CHUNK_MAX - KL_STREAM_EXTRA)
#define RECORD_HEAD (1 + 1 + 4 + 1 + 4)
#define LAST (UINT32_C(1) << 31)

/* ---- the front ------------------------------------------------------- */

static void
head_pack(const struct backup_head *h, uint8_t out[HEAD_BYTES])
{
	struct kl_writer w;

	kl_writer_init(&w, out, HEAD_BYTES);
	kl_put(&w, MAGIC, MAGIC_BYTES);
	kl_put_i64(&w, h->made_ms);
	kl_put_u32(&w, h->role);
	kl_put_u32(&w, h->realm);
	kl_put(&w, h->id.b, sizeof h->id.b);
	kl_put(&w, h->recovery.b, sizeof h->recovery.b);
}

static int
head_read(const uint8_t in[HEAD_BYTES], struct backup_head *h)
{
	struct kl_reader r;

	memset(h, 0, sizeof *h);
	if (memcmp(in, MAGIC, MAGIC_BYTES) != 0)
		return KL_E_FORMAT;
	kl_reader_init(&r, kl_bytes(in + MAGIC_BYTES,
	    HEAD_BYTES - MAGIC_BYTES));
	h->made_ms = kl_get_i64(&r);
	h->role = kl_get_u32(&r);
	h->realm = kl_get_u32(&r);
	kl_get(&r, h->id.b, sizeof h->id.b);
	kl_get(&r, h->recovery.b, sizeof h->recovery.b);
	return kl_id_valid(&h->id) && h->made_ms >= 0 &&
	    h->made_ms <= KL_TIME_MAX_MS ? KL_OK : KL_E_FORMAT;
}

static void
sum_add(struct kl_hash *sum, struct kl_bytes piece)
{
	const struct kl_bytes parts[] = { KL_BYTES_OF(sum->b), piece };

	*sum = kl_hash_parts(parts, 2);
}

/* ---- writing --------------------------------------------------------- */

struct backup_writer {
	char path[PATH_CAP], temp[PATH_CAP];
	int fd;
	off_t at;
	struct kl_stream stream;
	struct kl_hash sum;
	struct kl_writer w;
	uint8_t plain[PLAIN_MAX];
	uint8_t sealed[4 + BACKUP_CHUNK_MAX];
};

static int
put_piece(struct backup_writer *w, struct kl_bytes piece)
{
	int r = kl_fs_pwrite(w->fd, piece.p, piece.n, w->at);

	if (r != KL_OK)
		return r;
	w->at += (off_t)piece.n;
	sum_add(&w->sum, piece);
	return KL_OK;
}

static int
begin(struct backup_writer *w, const struct backup_head *h)
{
	uint8_t front[FRONT_BYTES];
	struct kl_dh_pk ephemeral;
	int r;

	head_pack(h, front);
	if ((r = kl_stream_begin(&w->stream, &h->recovery, kl_bytes(front,
	    HEAD_BYTES), &ephemeral)) != KL_OK)
		return r;
	memcpy(front + HEAD_BYTES, ephemeral.b, sizeof ephemeral.b);
	return put_piece(w, KL_BYTES_OF(front));
}

/* What another try left half written is ours, and void. */
static int
file_make(const char *path)
{
	int fd;

	if (unlink(path) != 0 && errno != ENOENT)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	return fd;
}

static int
error_of_errno(void)
{
	switch (errno) {
	case EACCES:
	case EPERM:
	case EROFS:
	case ENOENT:
	case ENOTDIR:
		return KL_E_DENIED;
	case ENOSPC:
	case EDQUOT:
		return KL_E_FULL;
	default:
		return KL_E_IO;
	}
}

int
backup_writer_new(const char *path, const struct backup_head *h,
    struct backup_writer **out)
{
	struct backup_writer *w = calloc(1, sizeof *w);
	int r = KL_E_SIZE;

	*out = NULL;
	if (w == NULL)
		return KL_E_MEMORY;
	w->fd = -1;
	kl_writer_init(&w->w, w->plain, sizeof w->plain);
	if ((size_t)snprintf(w->path, PATH_CAP, "%s", path) >= PATH_CAP ||
	    (size_t)snprintf(w->temp, PATH_CAP, "%s.new", path) >= PATH_CAP)
		goto out;
	if ((w->fd = file_make(w->temp)) < 0) {
		r = error_of_errno();
		goto out;
	}
	if ((r = begin(w, h)) != KL_OK)
		goto out;
	*out = w;
	return KL_OK;
out:
	backup_writer_free(w);
	return r;
}

static int
put_chunk(struct backup_writer *w, bool last)
{
	const struct kl_bytes plain = kl_writer_bytes(&w->w);
	const size_t n = plain.n + KL_STREAM_EXTRA;
	struct kl_writer head;
	int r;

	kl_writer_init(&head, w->sealed, 4);
	kl_put_u32(&head, (uint32_t)n | (last ? LAST : 0));
	if ((r = kl_stream_seal(&w->stream, plain, last, w->sealed + 4)) !=
	    KL_OK)
		return r;
	kl_wipe(w->plain, plain.n);
	kl_writer_init(&w->w, w->plain, sizeof w->plain);
	return put_piece(w, kl_bytes(w->sealed, 4 + n));
}

int
backup_writer_put(struct backup_writer *w, const struct backup_record *rec)
{
	const size_t n = RECORD_HEAD + rec->key.n + rec->value.n;
	int r;

	if (n > PLAIN_MAX || rec->key.n > UINT8_MAX)
		return KL_E_SIZE;
	if (w->w.n + n > PLAIN_MAX && (r = put_chunk(w, false)) != KL_OK)
		return r;
	kl_put_u8(&w->w, (uint8_t)rec->kind);
	kl_put_u8(&w->w, (uint8_t)rec->table);
	kl_put_u32(&w->w, rec->slot);
	kl_put_u8(&w->w, (uint8_t)rec->key.n);
	kl_put_u32(&w->w, (uint32_t)rec->value.n);
	kl_put_bytes(&w->w, rec->key);
	kl_put_bytes(&w->w, rec->value);
	return KL_OK;
}

int
backup_writer_finish(struct backup_writer *w)
{
	struct kl_hash sum;
	int r;

	if ((r = put_chunk(w, true)) != KL_OK)
		return r;
	sum = w->sum;
	if ((r = put_piece(w, KL_BYTES_OF(sum))) != KL_OK)
		return r;
	if (fsync(w->fd) != 0 || rename(w->temp, w->path) != 0)
		return error_of_errno();
	w->temp[0] = '\0';
	return kl_fs_sync_parent(w->path);
}

uint64_t
backup_writer_bytes(const struct backup_writer *w)
{
	return (uint64_t)w->at;
}

void
backup_writer_free(struct backup_writer *w)
{
	if (w == NULL)
		return;
	if (w->fd >= 0) {
		(void)close(w->fd);
		if (w->temp[0] != '\0')
			(void)unlink(w->temp);
	}
	kl_stream_clear(&w->stream);
	kl_wipe(w->plain, sizeof w->plain);
	free(w);
}

/* ---- reading --------------------------------------------------------- */

struct backup_reader {
	int fd;
	off_t at, size;
	bool last;			/* the last chunk was read */
	struct kl_hash sum;
	struct kl_stream stream;
	struct kl_reader r;		/* what is left of plain */
	uint8_t plain[PLAIN_MAX];
	uint8_t sealed[4 + BACKUP_CHUNK_MAX];
};

/* Past the end is damage, which a file that was cut shows. */
static int
get_piece(struct backup_reader *r, void *out, size_t n)
{
	int e;

	if ((off_t)n > r->size - r->at)
		return KL_E_DAMAGED;
	if ((e = kl_fs_pread(r->fd, out, n, r->at)) != KL_OK)
		return e;
	r->at += (off_t)n;
	return KL_OK;
}

static int
file_open(struct backup_reader *r, const char *path)
{
	struct stat st;

	r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (r->fd < 0)
		return errno == ENOENT ? KL_E_NOT_FOUND : error_of_errno();
	if (fstat(r->fd, &st) != 0)
		return KL_E_IO;
	if (!S_ISREG(st.st_mode))
		return KL_E_DENIED;
	r->size = st.st_size;
	return KL_OK;
}

static int
front_read(struct backup_reader *r, struct backup_head *head,
    uint8_t front[FRONT_BYTES])
{
	int e = get_piece(r, front, FRONT_BYTES);

	/* Too short for a head: of what it is a piece nobody knows. */
	if (e == KL_E_DAMAGED)
		e = KL_E_FORMAT;
	if (e == KL_OK)
		e = head_read(front, head);
	if (e == KL_OK)
		sum_add(&r->sum, kl_bytes(front, FRONT_BYTES));
	return e;
}

static int
key_take(struct backup_reader *r, const struct backup_head *head,
    const uint8_t front[FRONT_BYTES], const struct kl_secret *sk)
{
	struct kl_dh_pk own, ephemeral;
	int e = kl_dh_public(sk, &own);

	if (e != KL_OK)
		return e;
	if (memcmp(own.b, head->recovery.b, sizeof own.b) != 0)
		return KL_E_VALUE;
	memcpy(ephemeral.b, front + HEAD_BYTES, sizeof ephemeral.b);
	e = kl_stream_open(&r->stream, sk, &ephemeral, kl_bytes(front,
	    HEAD_BYTES));
	/* An E that no writer makes. */
	return e == KL_E_VALUE ? KL_E_DAMAGED : e;
}

/* sk NULL: the records stay sealed. */
static int
reader_make(const char *path, const struct kl_secret *sk,
    struct backup_head *head, struct backup_reader **out)
{
	struct backup_reader *r = calloc(1, sizeof *r);
	uint8_t front[FRONT_BYTES];
	int e = KL_E_MEMORY;

	*out = NULL;
	if (r == NULL)
		return e;
	r->fd = -1;
	if ((e = file_open(r, path)) == KL_OK)
		e = front_read(r, head, front);
	if (e == KL_OK && sk != NULL)
		e = key_take(r, head, front, sk);
	if (e == KL_OK)
		*out = r;
	else
		backup_reader_free(r);
	return e;
}

int
backup_reader_new(const char *path, const struct kl_secret *sk,
    struct backup_head *head, struct backup_reader **out)
{
	return reader_make(path, sk, head, out);
}

/* The next chunk as it lies there, into sealed + 4. */
static int
chunk_read(struct backup_reader *r, size_t *n)
{
	struct kl_reader head;
	uint32_t word;
	int e;

	if ((e = get_piece(r, r->sealed, 4)) != KL_OK)
		return e;
	kl_reader_init(&head, kl_bytes(r->sealed, 4));
	word = kl_get_u32(&head);
	r->last = (word & LAST) != 0;
	*n = word & ~LAST;
	if (*n < KL_STREAM_EXTRA || *n > BACKUP_CHUNK_MAX)
		return KL_E_DAMAGED;
	if ((e = get_piece(r, r->sealed + 4, *n)) != KL_OK)
		return e;
	sum_add(&r->sum, kl_bytes(r->sealed, 4 + *n));
	return KL_OK;
}

static int
chunk_open(struct backup_reader *r)
{
	size_t n;
	int e = chunk_read(r, &n);

	if (e != KL_OK)
		return e;
	if (kl_stream_unseal(&r->stream, kl_bytes(r->sealed + 4, n), r->last,
	    r->plain) != KL_OK)
		return KL_E_DAMAGED;
	kl_reader_init(&r->r, kl_bytes(r->plain, n - KL_STREAM_EXTRA));
	return KL_OK;
}

/* Behind the last chunk stands the sum, and nothing behind that. */
static int
end_check(struct backup_reader *r)
{
	struct kl_hash sum;
	int e = get_piece(r, sum.b, sizeof sum.b);

	if (e != KL_OK)
		return e;
	return r->at == r->size && memcmp(sum.b, r->sum.b, sizeof sum.b) ==
	    0 ? KL_E_EMPTY : KL_E_DAMAGED;
}

int
backup_reader_next(struct backup_reader *r, struct backup_record *out)
{
	size_t n_key, n_value;
	int e;

	while (r->r.n == 0) {
		if (r->last)
			return end_check(r);
		if ((e = chunk_open(r)) != KL_OK)
			return e;
	}
	out->kind = kl_get_u8(&r->r);
	out->table = (char)kl_get_u8(&r->r);
	out->slot = kl_get_u32(&r->r);
	n_key = kl_get_u8(&r->r);
	n_value = kl_get_u32(&r->r);
	out->key = kl_get_bytes(&r->r, n_key);
	out->value = kl_get_bytes(&r->r, n_value);
	return r->r.bad ? KL_E_DAMAGED : KL_OK;
}

void
backup_reader_free(struct backup_reader *r)
{
	if (r == NULL)
		return;
	if (r->fd >= 0)
		(void)close(r->fd);
	kl_stream_clear(&r->stream);
	kl_wipe(r->plain, sizeof r->plain);
	free(r);
}

int
backup_file_check(const char *path, struct backup_head *head)
{
	struct backup_reader *r;
	size_t n;
	int e = reader_make(path, NULL, head, &r);

	while (e == KL_OK && !r->last)
		e = chunk_read(r, &n);
	if (e == KL_OK && (e = end_check(r)) == KL_E_EMPTY)
		e = KL_OK;
	backup_reader_free(r);
	return e;
}
