/*
 * backup_rows.h: the rows of a store as records of a backup, some at a time
 * between turns. What turns change meanwhile is written again, so that the end
 * of the backup is the store of that moment.
 *
 * Slots do not travel: what lies under them is written in plain, into a file
 * that is sealed as a whole. Own prekeys do not either: what was sealed to
 * them and is not here yet shall not be opened with a backup.
 */
#ifndef ADAPTERS_COMMON_BACKUP_ROWS_H
#define ADAPTERS_COMMON_BACKUP_ROWS_H

#include "adapters/common/backup_file.h"
#include "adapters/common/store.h"

/* How rows of a table travel. */
enum backup_rows_kind {
	BACKUP_ROWS_NOT = 0,		/* of this installation only */
	BACKUP_ROWS_CLEAR, BACKUP_ROWS_SEALED,
	BACKUP_ROWS_UNKNOWN,		/* no table of a store */
};
enum backup_rows_kind backup_rows_kind(char table);
/* The i-th table, 0 past the last one. */
char backup_rows_table(size_t i);

struct backup_rows;

/* From here on what changes is kept account of. The store is borrowed until
 * backup_rows_free. KL_E_MEMORY. */
int backup_rows_new(struct store *s, struct backup_rows **out)
    KL_MUST_CHECK;
/* Accepts NULL. */
void backup_rows_free(struct backup_rows *b);
/*
 * After a commit: what changed since the last call, then at most `max` rows.
 * *done: all is written, and it is the store of now. mem is released to where
 * it was. KL_E_AGAIN: more changed than is kept account of, begin again; errors
 * of the store and of backup_writer_put.
 */
int backup_rows_step(struct backup_rows *b, struct backup_writer *w,
    struct kl_arena *mem, uint32_t max, bool *done) KL_MUST_CHECK;

/* ---- back ------------------------------------------------------------ */

/* Which slots are in use at the end of a backup: one bit for each. */
struct backup_slots {
	uint8_t *bits;
	uint32_t n;
};
/* KL_E_MEMORY. */
int backup_slots_make(struct backup_slots *u, uint32_t n) KL_MUST_CHECK;
void backup_slots_clear(struct backup_slots *u);
/* The first look at the records: KL_E_DAMAGED: a slot that there is not. */
int backup_slots_note(struct backup_slots *u, const struct backup_record *r)
    KL_MUST_CHECK;
/* The second: writes one into a store with as many slots. What lay under a slot
 * that is not in use at the end is left out, as is what tells this instance
 * from another. KL_E_DAMAGED: no record of a store; errors of the store. */
int backup_rows_put(struct store *s, const struct backup_slots *u,
    const struct backup_record *r) KL_MUST_CHECK;

#endif
