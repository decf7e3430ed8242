/*
 * watch.h: a folder over which another program on this machine or file share
 * hands in files and gets files: in/ work/ done/ error/ out/. Knows nothing
 * of what is in the files.
 *
 * A file is claimed by its rename from in/ to work/. From there it goes to
 * error/, with a note, or away (to done/ if it is kept), and never back to
 * in/. What lies in work/ after a crash is offered again.
 */
#ifndef ADAPTERS_COMMON_WATCH_H
#define ADAPTERS_COMMON_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <kortelijn/base/bytes.h>

#include "adapters/common/drop.h"

#define WATCH_POLL_MS 5000	/* between two scans, whatever inotify says */
#define WATCH_STABLE_MS 10000	/* without a change: nobody writes any more */
#define WATCH_FILES_MAX 1000	/* looked at in one scan */
#define WATCH_TURN_MAX 32	/* taken in one scan */
#define WATCH_FILE_MAX (256 * 1024)

struct watch;

struct watch_options {
	const char *dir;
	uid_t owner;		/* whose files count */
	bool keep_done;
	bool share;		/* what we write is for a group too: 0640 */
	size_t file_max;	/* bytes, at most WATCH_FILE_MAX */
};

/* One line that names what is wrong with the folder. */
struct watch_error { char b[400]; };

/* Opens the folder, makes what is missing in it, and tries to write there.
 * KL_E_CONFIG with *error filled: it is not there, not writable, or not one
 * file system; KL_E_MEMORY. */
int watch_open(const struct watch_options *o, struct watch **out,
    struct watch_error *error) KL_MUST_CHECK;
/* Accepts NULL. */
void watch_free(struct watch *w);

/* To be polled for reading: something came. -1: there is no inotify, and
 * watch_scan is called every WATCH_POLL_MS alone. */
int watch_fd(const struct watch *w);

enum watch_verdict {
	WATCH_TAKEN,		/* durable with the next watch_committed */
	WATCH_REFUSED,		/* to error/, with the note */
	WATCH_LATER,		/* stays in work/, offered again */
	WATCH_GONE,		/* was taken before: away with it */
};

struct watch_file {
	struct kl_bytes content;	/* borrowed */
	bool again;			/* lay in work/ after a crash */
	enum { WATCH_FINE, WATCH_BAD_NAME, WATCH_TOO_LARGE } form;
};
#define WATCH_NOTE_MAX 1024

/* Judges one file. `note`, of WATCH_NOTE_MAX bytes, is for WATCH_REFUSED: text
 * that says why. A file whose form is not fine has no content and must be
 * refused. */
struct watch_judge {
	enum watch_verdict (*take)(void *arg, const struct watch_file *f,
	    char *note);
	void *arg;
};

/* Looks at work/, for what was left there, and at in/. False: more waits than
 * one scan takes. now_ms is monotonic. */
bool watch_scan(struct watch *w, int64_t now_ms, const struct watch_judge *j);
/* What was taken since the last call is durable, or was undone. */
void watch_committed(struct watch *w);
void watch_undone(struct watch *w);

/* Writes out/STEM.ENDING of each part, each whole or not at all, synced. No
 * other file is ever replaced: see drop_put_new, also for the errors.
 * KL_E_VALUE besides: no name for a file. */
int watch_put(struct watch *w, const char *stem, const struct drop_part *part,
    size_t n) KL_MUST_CHECK;

/* Asks of each file in out/, in no order, whether it has to go; name is
 * borrowed, at_ms (Unix) is when it was written. Those go for which it is so.
 * KL_E_DENIED, KL_E_IO: some of them could not be done away with. */
struct watch_sweep {
	bool (*due)(void *arg, const char *name, int64_t at_ms);
	void *arg;
};
int watch_sweep(struct watch *w, const struct watch_sweep *s) KL_MUST_CHECK;

#endif
