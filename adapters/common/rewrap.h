/*
 * rewrap.h: the slot file anew every night, under a new master key: then what
 * a disk has kept of destroyed keys opens no more. Slice by slice between
 * turns.
 */
#ifndef ADAPTERS_COMMON_REWRAP_H
#define ADAPTERS_COMMON_REWRAP_H

#include <stdbool.h>
#include <stdint.h>

#include <kortelijn/base/err.h>

struct engine;

struct rewrap {
	bool asked;			/* for one now, by somebody */
	bool more;			/* to do at once, behind another turn */
	int64_t retry_ms;		/* monotonic; after a failure */
	int failed;			/* why the last one was given up */
};

/* Behind a turn: the next slice, or the end. What fails before the end is
 * given up and tried again later. KL_E_COMMIT; errors of store_idle. */
int rewrap_slice(struct engine *e, int64_t mono_ms) KL_MUST_CHECK;
/* One begins with the next turn, unless one is running. */
void rewrap_ask(struct engine *e);

struct rewrap_status {
	bool sealed;			/* the master key */
	bool running;
	uint32_t done, slots;
	int64_t at_ms;			/* when the file of now was begun */
	bool overdue;			/* for more than a day */
	int failed;			/* KL_OK, or why it was given up */
};
struct rewrap_status rewrap_status(const struct engine *e);

#endif
