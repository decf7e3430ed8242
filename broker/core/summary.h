/*
 * summary.h: of each 256 leaves of the log, and each month among them, one
 * sealed row with a few bytes of every record: a question of a million records
 * opens some thousand rows and not every record. It is a hint: what is long is
 * cut short, and the record decides. It dies with the key of its month.
 * PROTOCOL.md 7.11.
 */
#ifndef CORE_SUMMARY_H
#define CORE_SUMMARY_H

#include <kortelijn/base/arena.h>
#include <kortelijn/host/kv.h>
#include <kortelijn/wire/signed.h>

#include "broker/core/tables.h"
#include "broker/core/vault.h"

#define SUMMARY_BYTES 15	/* of a record; a row fits one page of LMDB */

/* Beginnings of what is compared; zeros: none. */
struct summary_id { uint8_t b[3]; };
struct summary_conv { uint8_t b[3]; };
struct summary_msg { uint8_t b[2]; };
struct summary_id summary_id(const struct kl_id *id);

struct summary_record {
	uint32_t event;			/* 0: no record of this row's month */
	uint32_t kind, outcome, role;
	int64_t minute;			/* since 1970 */
	struct summary_id from, to;
	struct summary_conv conv;
	struct summary_msg msg;
};

/* The leaves of the row that is not full yet, in memory. */
struct summary {
	struct {
		uint64_t leaf;		/* + 1; 0: none */
		uint32_t month;
		uint8_t b[SUMMARY_BYTES];
	} at[SUMMARY_LEAVES];
};

/* A leaf as it was written. One of an undone turn is written over when its
 * number is given again. */
void summary_note(struct summary *s, uint64_t leaf, uint32_t month,
    const struct kl_record *r);
/* Has this leaf been noted since the start? */
bool summary_noted(const struct summary *s, uint64_t leaf);
/* The row of each month among the 256 leaves of `tile`; a leaf that was not
 * noted, or whose month is no more, is left out. */
int summary_write(const struct summary *s, struct vault *v,
    struct kl_kv_txn *txn, uint64_t tile, struct kl_arena *mem)
    KL_MUST_CHECK;

/* The first row of this tile and month or behind it. *sealed points into the
 * store. KL_E_NOT_FOUND: none left; KL_E_DAMAGED. */
struct summary_row {
	uint64_t tile;
	uint32_t month;
	struct kl_bytes sealed;
};
int summary_next(struct kl_kv_txn *txn, uint64_t tile, uint32_t month,
    struct summary_row *out) KL_MUST_CHECK;
/* What it says, in the arena: SUMMARY_LEAVES times SUMMARY_BYTES.
 * KL_E_NOT_FOUND: its month is no more; KL_E_DAMAGED. */
int summary_open(struct vault *v, struct kl_kv_txn *txn,
    const struct summary_row *row, struct kl_arena *mem, struct kl_bytes *out)
    KL_MUST_CHECK;
void summary_read(const struct summary_row *row, struct kl_bytes opened,
    size_t i, struct summary_record *out);
#endif
