/*
 * logfile.h: a month of the delivery log in a file that only the holder of
 * the recovery key can read, and that proves itself: every leaf hash of the
 * month, the records and salts that are still there, and the way from them to
 * a signed checkpoint. PROTOCOL.md 10.10.
 *
 *   head | chunk: begin | chunk: leaves ... | chunk: end
 *
 * The head is in clear, so that the newest checkpoint of a lost broker can be
 * found without the key. Each chunk is sealed under the key, bound to this
 * head, its number and whether it is the last one.
 */
#ifndef KORTELIJN_CRYPTO_LOGFILE_H
#define KORTELIJN_CRYPTO_LOGFILE_H

#include <stdbool.h>

#include <kortelijn/crypto/merkle.h>
#include <kortelijn/crypto/note.h>

#define KL_LOGFILE_KEY_BYTES 32
#define KL_LOGFILE_RECORD_MAX 384	/* bytes; as PROTOCOL.md 10.2 */
#define KL_LOGFILE_HEAD_MAX (64 + KL_NOTE_MAX)
#define KL_LOGFILE_LEAVES_MAX 64	/* of one chunk */
#define KL_LOGFILE_PLAIN_MAX 32768	/* of one chunk, in bytes */
#define KL_LOGFILE_CHUNK_MAX (4 + 40 + KL_LOGFILE_PLAIN_MAX)

struct kl_logfile_head {
	uint32_t month;		/* 12 * year + month, January 1 */
	uint8_t id[16];		/* random, of this writing */
	struct kl_note note;	/* the newest one when it was written */
};

/* KL_E_SIZE. */
int kl_logfile_head_pack(const struct kl_logfile_head *h, uint8_t *buf,
    size_t cap, size_t *n) KL_MUST_CHECK;
/* The front of a file; *n bytes of it are the head. KL_E_FORMAT: no such
 * file, or cut short; KL_E_UNKNOWN: of a later version. The note is not
 * verified. */
int kl_logfile_head_read(struct kl_bytes in, struct kl_logfile_head *out,
    size_t *n) KL_MUST_CHECK;

/* Leaf `index` as it stands in a file; record is empty after its term. */
struct kl_logfile_leaf {
	uint64_t index;
	struct kl_hash hash;
	uint8_t salt[32];
	struct kl_bytes record;
};

/* ---- writing ---- */

struct kl_logfile_writer {
	struct kl_bytes key;		/* borrowed */
	struct kl_hash head;
	uint64_t chunk;			/* number of the next one */
	uint8_t plain[KL_LOGFILE_PLAIN_MAX];
	struct kl_writer w;
	size_t n;			/* leaves in it */
};

/* head: the packed bytes, which are in the file already. */
void kl_logfile_begin(struct kl_logfile_writer *f, struct kl_bytes key,
    struct kl_bytes head);
/* Chunks go to out[KL_LOGFILE_CHUNK_MAX], *n bytes with their length.
 * `before`: the tree of the leaves before the first one. */
void kl_logfile_put_begin(struct kl_logfile_writer *f,
    const struct kl_range *before, uint64_t end, uint8_t *out, size_t *n);
/* Adds a leaf to the chunk. KL_E_FULL: flush first; KL_E_SIZE: its record is
 * longer than KL_LOGFILE_RECORD_MAX. */
int kl_logfile_put_leaf(struct kl_logfile_writer *f,
    const struct kl_logfile_leaf *leaf) KL_MUST_CHECK;
/* *n is 0 when there is nothing to flush. */
void kl_logfile_flush(struct kl_logfile_writer *f, uint8_t *out, size_t *n);
/* The proof that leads from `end` leaves to the checkpoint of the head, and
 * with it the file's end. KL_E_SIZE: more hashes than KL_PROOF_MAX. */
int kl_logfile_put_end(struct kl_logfile_writer *f,
    const struct kl_hash *proof, size_t n_proof, uint8_t *out, size_t *n)
    KL_MUST_CHECK;

/* ---- reading ---- */

struct kl_logfile_reader {
	struct kl_bytes key;		/* borrowed */
	struct kl_hash head;
	struct kl_checkpoint checkpoint;
	uint64_t chunk, first, end;
	struct kl_range range;		/* of what was read */
	bool begun, done;
	uint8_t plain[KL_LOGFILE_PLAIN_MAX];
	struct kl_reader leaves;	/* left of this chunk */
};

/* in: the front of the file; *n bytes of it are the head. As
 * kl_logfile_head_read, and KL_E_SIGNATURE: its checkpoint is not signed by
 * `pk`; KL_E_VALUE: the key has another length. */
int kl_logfile_open(struct kl_logfile_reader *f, struct kl_bytes key,
    const struct kl_sign_pk *pk, struct kl_bytes in,
    struct kl_logfile_head *head, size_t *n) KL_MUST_CHECK;
/* The length of the next chunk from its first four bytes. KL_E_FORMAT: more
 * than KL_LOGFILE_CHUNK_MAX. */
int kl_logfile_length(const uint8_t p[4], size_t *n) KL_MUST_CHECK;
/* A chunk without those four. KL_E_SIGNATURE: another key, a chunk that was
 * changed, left out, moved or cut off, or leaves that do not lead to the
 * checkpoint; KL_E_FORMAT: sealed with this key but not in this form. */
int kl_logfile_take(struct kl_logfile_reader *f, struct kl_bytes chunk)
    KL_MUST_CHECK;
/* The next leaf of that chunk, its record checked against its hash. Views
 * point into f. KL_E_EMPTY: no more in this chunk; KL_E_SIGNATURE: the record
 * is not that leaf's; KL_E_FORMAT. All must be taken before the next chunk. */
int kl_logfile_leaf(struct kl_logfile_reader *f, struct kl_logfile_leaf *out)
    KL_MUST_CHECK;
/* True once the whole file was taken and leads to its checkpoint. */
bool kl_logfile_whole(const struct kl_logfile_reader *f);

#endif
