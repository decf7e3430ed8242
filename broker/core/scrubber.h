/*
 * scrubber.h: the whole log read again from the store, after each start before
 * anything is signed, and every night: slice by slice between turns, none of
 * which waits for it. What does not fit stops the process. PROTOCOL.md 10.5.
 */
#ifndef CORE_SCRUBBER_H
#define CORE_SCRUBBER_H

#include <stdbool.h>

#include "broker/core/scrub.h"

#define SCRUB_MINUTE (4 * 60)		/* of the night, Europe/Amsterdam */

struct core;

struct scrubber {
	struct scrub night;		/* of the run of this night */
	struct kl_range to;		/* signed when it began */
	bool running;			/* one of a night */
	bool more;			/* to do at once, in another turn */
	int64_t done_ms;		/* when the last one was; 0: none yet */
	int64_t retry_ms;		/* monotonic; after a failure */
};

/* The next slice, outside of a turn. */
void scrubber_slice(struct core *c);
/* At a start, a store that has never signed: all of it at once. */
void scrubber_finish(struct core *c);

#endif
