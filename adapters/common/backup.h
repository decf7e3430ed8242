/*
 * backup.h: a copy of the adapter's store every night, with its keys and
 * papers, sealed to a recovery key whose secret half is on paper only. Slice by
 * slice between turns. Kept for KL_POLICY_BACKUP_KEPT_DAYS, or until another
 * was made after something was erased on somebody's request.
 */
#ifndef ADAPTERS_COMMON_BACKUP_H
#define ADAPTERS_COMMON_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include <kortelijn/base/err.h>

struct engine;
struct backup_writer;
struct backup_rows;

struct backup {
	bool asked;			/* for one now, by somebody */
	bool more;			/* to do at once, behind another turn */
	struct backup_writer *writer;	/* NULL: none is being made */
	struct backup_rows *rows;
	int64_t made_ms;		/* when that one was begun */
	uint32_t overruns;		/* of that one */
	int64_t last_ms;		/* when the newest one was; 0: none */
	int64_t next_look_ms;		/* monotonic; at the directory */
	int64_t retry_ms;		/* monotonic; after a failure */
	int failed;			/* why the last one was given up */
	bool no_key;
};

/* Behind a turn: the next slice of one that is due, old ones removed. What
 * fails is given up, told, and tried again later. Errors of the store, of what
 * is told. */
int backup_slice(struct engine *e, int64_t mono_ms) KL_MUST_CHECK;
/* One begins with the next turn, unless one is running. */
void backup_ask(struct engine *e);
/* One that is being made is given up. */
void backup_stop(struct engine *e);

struct backup_status {
	bool running;
	bool key;			/* there is one to seal to */
	int64_t at_ms;			/* of the newest; 0: there is none */
	bool overdue;			/* for more than a day */
	int failed;			/* KL_OK, or why it was given up */
};
struct backup_status backup_status(const struct engine *e);

#endif
