/*
 * rewrap.h: the slot file anew every night, under a new master key: then what
 * a disk has kept of destroyed keys opens no more. Slice by slice between
 * turns.
 */
#ifndef CORE_REWRAP_H
#define CORE_REWRAP_H

#include <stdbool.h>
#include <stdint.h>

struct core;

struct rewrap {
	bool asked;			/* for one now, by the operator */
	bool more;			/* to do at once, in another turn */
	int64_t retry_ms;		/* monotonic; after a failure */
	int failed;			/* why the last one was given up */
};

/* After a turn that was committed, when no row refers to a zeroed slot: the
 * next slice, or the end. Ends the process when its outcome is unknown. */
void rewrap_slice(struct core *c);
/* One is running, or was asked for. */
bool rewrap_waits(const struct core *c);
/* It should have been done a day ago. */
bool rewrap_overdue(const struct core *c);
/* One begins with the next turn, unless one is running. */
void rewrap_ask(struct core *c);

#endif
