/*
 * loop.h: one thread, one poll(2), and the one place where time is read.
 */
#ifndef KORTELIJN_HOST_LOOP_H
#define KORTELIJN_HOST_LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include <kortelijn/base/err.h>

/* Wall clock, UTC. The offset is zero but in the training realm, where
 * suppliers may try what happens weeks later. */
struct kl_clock { int64_t offset_ms; };
int64_t kl_clock_now_ms(const struct kl_clock *c);
/* Monotonic, for time-outs and back-off only. */
int64_t kl_mono_ms(void);
/* Since boot, also while the machine was suspended: what the wall clock is
 * compared with. */
int64_t kl_boot_ms(void);
/* No time server stands behind the wall clock, or the kernel does not say. */
bool kl_clock_unsynced(void);

/*
 * A source of events. prepare answers in how many ms dispatch must be called
 * although nothing came (0: at once, negative: never); NULL is never. dispatch
 * gets what poll said, perhaps 0. fd may be -1 (a pure timer). Both may add
 * and remove sources, also their own.
 */
struct kl_source {
	int fd;
	short events;
	int64_t (*prepare)(void *arg);
	void (*dispatch)(void *arg, short revents);
	void *arg;
};

struct kl_loop;

/* NULL: no memory. Accepts NULL. */
struct kl_loop *kl_loop_new(void);
void kl_loop_free(struct kl_loop *l);
/* Borrows src until it is removed. KL_E_FULL: 256 sources. */
int kl_loop_add(struct kl_loop *l, struct kl_source *src) KL_MUST_CHECK;
/* A source that is removed is not called again, not even in this turn. */
void kl_loop_remove(struct kl_loop *l, struct kl_source *src);
/* Turns until kl_loop_stop, which also counts when it came before, or SIGTERM,
 * SIGINT. KL_E_SYSTEM: poll failed. */
int kl_loop_run(struct kl_loop *l) KL_MUST_CHECK;
void kl_loop_stop(struct kl_loop *l);
/* SIGTERM and SIGINT end kl_loop_run; SIGPIPE is ignored. The two stay blocked
 * until kl_loop_free, also in a program that is executed meanwhile.
 * KL_E_SYSTEM: no descriptor. */
int kl_loop_catch_signals(struct kl_loop *l) KL_MUST_CHECK;

#endif
