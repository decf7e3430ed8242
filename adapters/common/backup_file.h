/*
 * backup_file.h: a backup as a file: a head in clear, which says whose it is,
 * of when and for which recovery key; records, sealed to that key; and a sum,
 * which shows rot to who has not the key. PROTOCOL.md 3.8.
 */
#ifndef ADAPTERS_COMMON_BACKUP_FILE_H
#define ADAPTERS_COMMON_BACKUP_FILE_H

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/types.h>
#include <kortelijn/crypto/secret.h>

#define BACKUP_CHUNK_MAX 131072		/* bytes, sealed */

struct backup_head {
	int64_t made_ms;
	uint32_t role, realm;		/* of the adapter */
	struct kl_id id;
	struct kl_dh_pk recovery;	/* the key that opens it */
};

/* What the store held, one after another: a later record of the same row
 * counts, and one of kind GONE takes it back. */
enum backup_kind {
	BACKUP_SHAPE = 1,		/* slot: how many there are; first */
	BACKUP_PAPER = 2,		/* key: name of a file of key_dir */
	BACKUP_ROW = 3,			/* in clear */
	BACKUP_SEALED = 4,		/* plain, of a row under a slot */
	BACKUP_GONE = 5,
};
struct backup_record {
	uint32_t kind;			/* enum backup_kind */
	char table;
	uint32_t slot;
	struct kl_bytes key, value;	/* at most 255 bytes; as fits a chunk */
};

/* ---- writing ---- */

struct backup_writer;

/* A new file beside path (its name and ".new", mode 0600), which takes path's
 * name when it is finished. KL_E_DENIED, KL_E_FULL, KL_E_IO, KL_E_SIZE: the
 * path; KL_E_VALUE: the recovery key is none; KL_E_MEMORY. */
int backup_writer_new(const char *path, const struct backup_head *h,
    struct backup_writer **out) KL_MUST_CHECK;
/* KL_E_SIZE: longer than a chunk; KL_E_FULL, KL_E_IO. */
int backup_writer_put(struct backup_writer *w, const struct backup_record *r)
    KL_MUST_CHECK;
/* The end, synced, and the file gets its name. KL_E_FULL, KL_E_IO. */
int backup_writer_finish(struct backup_writer *w) KL_MUST_CHECK;
uint64_t backup_writer_bytes(const struct backup_writer *w);
/* What was not finished is removed. Accepts NULL. */
void backup_writer_free(struct backup_writer *w);

/* ---- reading ---- */

struct backup_reader;

/* KL_E_NOT_FOUND; KL_E_DENIED: not readable, or no regular file; KL_E_FORMAT:
 * no backup, or of a later version; KL_E_DAMAGED: cut short; KL_E_VALUE: sk is
 * another key than it was sealed to; KL_E_IO; KL_E_MEMORY. *head is filled if
 * it could be read, also with KL_E_VALUE. */
int backup_reader_new(const char *path, const struct kl_secret *sk,
    struct backup_head *head, struct backup_reader **out) KL_MUST_CHECK;
/* Views until the next call. KL_E_EMPTY: that was all of it, to the end;
 * KL_E_DAMAGED: cut short, changed, or more behind the end; KL_E_IO. */
int backup_reader_next(struct backup_reader *r, struct backup_record *out)
    KL_MUST_CHECK;
/* Accepts NULL. */
void backup_reader_free(struct backup_reader *r);

/* Without the key: the head, and whether the sum holds. Errors of
 * backup_reader_new and backup_reader_next, and never KL_E_VALUE. */
int backup_file_check(const char *path, struct backup_head *head)
    KL_MUST_CHECK;

#endif
