/*
 * crash_replay.h: what a power cut may leave of what was recorded. Synced
 * writes are there, an O_DSYNC write once it has returned; of the others any
 * may be there and any may not, each block of 4096 bytes for itself. Of the
 * last write also a part, in sectors of 512 bytes. Names are kept in the
 * order in which they were changed, as a journal of the file system does.
 */
#ifndef TESTS_FAULT_CRASH_REPLAY_H
#define TESTS_FAULT_CRASH_REPLAY_H

#include "tests/fault/crash_record.h"

#define REPLAY_PENDING 2048	/* pieces and names at one time */

struct replay_piece {
	const struct record_event *event;	/* a write, or of a name */
	int file;
	off_t at;
	const uint8_t *p;
	size_t n;
	bool dsync;			/* under way */
};

struct replay_name {
	char name[RECORD_NAME];
	int file;
};

struct replay {
	const struct record_event *events;
	size_t n_events, at;
	struct { uint8_t *p; size_t n, cap; } file[RECORD_FILES];
	struct replay_name name[RECORD_FILES];
	size_t n_names;
	struct replay_piece pending[REPLAY_PENDING];
	size_t n_pending;
};

/* NULL: no memory. */
struct replay *replay_new(void);
void replay_free(struct replay *r);

/* The next event, which has then happened; NULL: there is none. */
const struct record_event *replay_step(struct replay *r);

/* What is not synced: `chosen` says of each of r->pending whether it is in the
 * image, whose files are written into `dir` (and others there removed). torn:
 * bytes of the last of them, if it is chosen; 0: all. */
void replay_write(const struct replay *r, const bool *chosen, size_t torn,
    const char *dir);
/* Is it a choice of its own? Of names only the first ones count. */
bool replay_differs(const struct replay *r, const bool *chosen);

#endif
