/*
 * journal.h: the delivery log: leaves in the transaction of the act that they
 * tell, the tree over them, and signed checkpoints. PROTOCOL.md 10.
 */
#ifndef CORE_JOURNAL_H
#define CORE_JOURNAL_H

#include <kortelijn/base/arena.h>
#include <kortelijn/crypto/merkle.h>
#include <kortelijn/crypto/note.h>
#include <kortelijn/host/kv.h>
#include <kortelijn/wire/request.h>

#include "broker/core/scrub.h"
#include "broker/core/summary.h"
#include "broker/core/vault.h"

struct journal {
	struct vault *vault;
	const struct kl_secret *sk;	/* receipt-and-log key, borrowed */
	struct kl_sign_pk pk;
	struct kl_id broker;
	struct kl_key_id key_id;	/* of pk */
	char origin[KL_ORIGIN_MAX];
	char after[KL_ORIGIN_MAX];	/* a new one is younger; "": any */
	struct kl_range range;		/* as the store has it, or will */
	struct kl_range committed;	/* to fall back to */
	struct kl_range checked;	/* re-read from the store and signed */
	struct scrub read;		/* of the store, since it was loaded */
	bool whole;			/* all of it was, once */
	uint32_t month;			/* of month_slot; 0: none */
	uint32_t month_slot;
	struct summary summary;		/* of the newest leaves */
	uint32_t keep_days;		/* of records from now on; month.h */
	struct kl_note note;		/* newest checkpoint */
	int64_t note_ms;		/* when it was signed */
	struct kl_note previous;	/* last of the origin before, or "" */
};

/* A leaf as its writer is told of it; record points into the arena. */
struct journal_leaf {
	uint64_t index;
	struct kl_bytes record;
	uint8_t salt[32];
};

/* Makes a new origin with leaf 0, which names `previous` ("" if none).
 * It is younger than that one and j->after. The caller commits. */
int journal_create(struct journal *j, struct kl_kv_txn *txn, int64_t now_ms,
    const struct kl_note *previous, struct kl_arena *mem) KL_MUST_CHECK;
/* Reads what the store has. KL_E_DAMAGED. */
int journal_load(struct journal *j, struct kl_kv_txn *txn) KL_MUST_CHECK;

/* Fills version, time and the broker's key as actor unless they are set. */
int journal_append(struct journal *j, struct kl_kv_txn *txn, int64_t now_ms,
    struct kl_record *r, struct kl_arena *mem, struct journal_leaf *out)
    KL_MUST_CHECK;
/* In which month a leaf was written: 12 * year + month. KL_E_NOT_FOUND,
 * KL_E_DAMAGED. */
int journal_month(struct kl_kv_txn *txn, uint64_t index, uint32_t *month)
    KL_MUST_CHECK;
/* A leaf as its writer was told of it. KL_E_NOT_FOUND: no such leaf, or its
 * month was erased. */
int journal_record(struct journal *j, struct kl_kv_txn *txn, uint64_t index,
    struct kl_arena *mem, struct journal_leaf *out) KL_MUST_CHECK;
/* A packed kl_logged of a leaf. KL_E_NOT_FOUND: no such leaf, or its month
 * was erased. */
int journal_logged(struct journal *j, struct kl_kv_txn *txn, uint64_t index,
    struct kl_arena *mem, struct kl_bytes *out) KL_MUST_CHECK;

/* The day from which the record of a leaf is no more; policy_days: what the
 * policy of now says. KL_E_NOT_FOUND: that day has come. */
int journal_until(struct kl_kv_txn *txn, uint64_t index,
    uint32_t policy_days, int32_t *day) KL_MUST_CHECK;

/* Writes the tree's state if it changed. Last in every turn. */
int journal_save(struct journal *j, struct kl_kv_txn *txn) KL_MUST_CHECK;
void journal_committed(struct journal *j);
void journal_undo(struct journal *j);

/*
 * After a start: goes on reading what was committed (scrub.h), at most `max`
 * leaves, and compares the root with the last checkpoint that was signed and
 * with the one in memory. j->whole when all is read.
 * KL_E_DAMAGED, KL_E_IO, KL_E_MEMORY.
 */
int journal_read_on(struct journal *j, struct kl_kv_txn *read, uint64_t max,
    struct kl_arena *mem) KL_MUST_CHECK;
/* A checkpoint is wanted: the log is whole, and leaves wait since a second or
 * ten minutes passed. */
bool journal_due(const struct journal *j, int64_t now_ms);
/*
 * Reads what was not read yet, which of a whole log is what no checkpoint
 * covers; writes `mark_path` durably and only then shows the checkpoint as
 * j->note. KL_E_DAMAGED: the store holds another log than memory, or records
 * that are not those of its leaves; KL_E_IO, KL_E_MEMORY.
 */
int journal_sign(struct journal *j, struct kl_kv_txn *read, int64_t now_ms,
    const char *mark_path, struct kl_arena *mem) KL_MUST_CHECK;
/* The mark file. KL_E_NOT_FOUND: there is none; KL_E_DAMAGED; KL_E_IO. */
int journal_mark_read(const char *mark_path, const struct kl_sign_pk *pk,
    struct kl_note *note, struct kl_checkpoint *c) KL_MUST_CHECK;
/*
 * After journal_load: goes on from the last checkpoint that was signed, if
 * there is one. KL_E_DAMAGED: what was signed is not the beginning of what the
 * store has (an old copy, another origin, other leaves), so nobody may go on
 * with this store; KL_E_IO.
 */
int journal_resume(struct journal *j, struct kl_kv_txn *read,
    const char *mark_path) KL_MUST_CHECK;

/* What q asks of the tree of q->at leaves, 0: of the newest checkpoint:
 * consistency of an older size with it, or inclusion of a leaf. *n hashes
 * into out[KL_PROOF_MAX]. KL_E_VALUE: no checkpoint has such a tree, size or
 * leaf yet; KL_E_DAMAGED. */
int journal_prove(struct journal *j, struct kl_kv_txn *txn,
    const struct kl_log_request *q, struct kl_hash *out, size_t *n)
    KL_MUST_CHECK;
/* The leaf hashes of a tile that the newest checkpoint covers; *n into
 * out[KL_TILE_LEAVES]. KL_E_VALUE: it covers none of it; KL_E_DAMAGED. */
int journal_tile(struct journal *j, struct kl_kv_txn *txn, uint64_t tile,
    struct kl_hash *out, size_t *n) KL_MUST_CHECK;

#endif
