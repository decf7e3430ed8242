/*
 * ready.h: how a child tells the supervisor that it serves, and that it still
 * turns: one byte at a time into a pipe.
 */
#ifndef BROKER_READY_H
#define BROKER_READY_H

#include <stdint.h>

#include <kortelijn/host/loop.h>

#define READY_BEAT_MS 2000

struct ready {
	int fd;
	struct kl_loop *loop;
	struct kl_source beat;
	int64_t due_ms;		/* monotonic */
};

/* Says "ready" now and "alive" every READY_BEAT_MS as long as the loop turns.
 * r and loop live until ready_stop. KL_E_FULL: the loop takes no source. */
int ready_start(struct ready *r, struct kl_loop *loop, int fd) KL_MUST_CHECK;
void ready_stop(struct ready *r);

#define READY_SERVES 'R'
#define READY_ALIVE 'A'

#endif
