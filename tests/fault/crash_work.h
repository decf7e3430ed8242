/*
 * crash_work.h: a broker at work, in this process, with everything recorded
 * that it does to its files.
 */
#ifndef TESTS_FAULT_CRASH_WORK_H
#define TESTS_FAULT_CRASH_WORK_H

#include "tests/support/shell.h"

/* Seeded on purpose, by a call that is wrapped. */
enum bug {
	BUG_NONE,
	BUG_NOSYNC,		/* LMDB with MDB_NOSYNC */
	BUG_LATE_SLOTS,		/* slots are synced after the commit */
	BUG_EARLY_ZERO,		/* zeroed before the commit that ends them */
	BUG_RENAME_UNSYNCED,	/* the new slot file gets its name unsynced */
	BUG_MASTER_UNSYNCED,	/* and its master key is not synced */
};

/* NULL: no bug. */
const char *work_bug_name(enum bug bug);
/* BUG_NONE: there is none of this name. */
enum bug work_bug_named(const char *name);

struct work_options {
	uint64_t seed;
	unsigned int steps;
	enum bug bug;
};

/* A note of the record: a commit, or a checkpoint that was given out. */
#define WORK_TOLD (UINT64_C(1) << 63)

/* Does the work, and stops. The region is the caller's to close; its core is
 * gone. */
void work_run(const struct work_options *o, struct shell **out);

/* The next of a sequence of numbers; below: more than 0. */
uint32_t work_draw(uint64_t *state, uint32_t below);

#endif
