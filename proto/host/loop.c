#include <kortelijn/host/loop.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define SOURCES_MAX 256
#define SLOTS (SOURCES_MAX + 1) /* one for our own signals */

/*
 * A slot without a source has fd -1 and no due time, so that a removed source
 * is neither polled nor called, and its slot may be used again at once.
 */
struct kl_loop {
	struct kl_source *src[SLOTS];
	struct pollfd pfd[SLOTS];
	int64_t due_ms[SLOTS]; /* monotonic; -1: never */
	size_t n;	       /* slots in use or emptied */
	size_t used;	       /* sources, without our own */
	bool added;	       /* since prepare began */
	bool stop;

	struct kl_source signals; /* fd -1: not caught */
	sigset_t mask_before;
};

static int64_t
clock_ms(clockid_t id)
{
	struct timespec t;

	/* Cannot fail for the clocks used here. */
	(void)clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
kl_clock_now_ms(const struct kl_clock *c)
{
	return clock_ms(CLOCK_REALTIME) + c->offset_ms;
}

int64_t
kl_mono_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

int64_t
kl_boot_ms(void)
{
	return clock_ms(CLOCK_BOOTTIME);
}

bool
kl_clock_unsynced(void)
{
	struct timex t = { .modes = 0 };	/* only asks */
	const int r = adjtimex(&t);

	return r < 0 || r == TIME_ERROR || (t.status & STA_UNSYNC) != 0;
}

static void
slot_clear(struct kl_loop *l, size_t i)
{
	l->src[i] = NULL;
	l->pfd[i] = (struct pollfd){ .fd = -1 };
	l->due_ms[i] = -1;
}

static size_t
slot_find(const struct kl_loop *l, const struct kl_source *src)
{
	size_t i = 0;

	while (i < l->n && l->src[i] != src)
		i++;
	return i;
}

static void
slot_take(struct kl_loop *l, struct kl_source *src)
{
	size_t i = slot_find(l, NULL);

	if (i == l->n)
		l->n++;
	slot_clear(l, i);
	l->src[i] = src;
	l->added = true;
}

struct kl_loop *
kl_loop_new(void)
{
	struct kl_loop *l = calloc(1, sizeof *l);

	if (l != NULL)
		l->signals.fd = -1;
	return l;
}

void
kl_loop_free(struct kl_loop *l)
{
	if (l == NULL)
		return;
	if (l->signals.fd != -1) {
		close(l->signals.fd);
		(void)pthread_sigmask(SIG_SETMASK, &l->mask_before, NULL);
	}
	free(l);
}

int
kl_loop_add(struct kl_loop *l, struct kl_source *src)
{
	if (l->used == SOURCES_MAX)
		return KL_E_FULL;
	slot_take(l, src);
	l->used++;
	return KL_OK;
}

void
kl_loop_remove(struct kl_loop *l, struct kl_source *src)
{
	size_t i = slot_find(l, src);

	if (src == NULL || i == l->n)
		return;
	slot_clear(l, i);
	l->used--;
}

void
kl_loop_stop(struct kl_loop *l)
{
	l->stop = true;
}

/* Asks every source, also those that another one's prepare adds behind it. */
static void
turn_prepare(struct kl_loop *l, int64_t now_ms)
{
	l->added = false;
	while (l->n > 0 && l->src[l->n - 1] == NULL)
		l->n--;
	for (size_t i = 0; i < l->n; i++) {
		struct kl_source *src = l->src[i];
		int64_t wait_ms = -1;

		if (src == NULL)
			continue;
		if (src->prepare != NULL)
			wait_ms = src->prepare(src->arg);
		if (l->src[i] != src)
			continue;
		l->pfd[i] =
		    (struct pollfd){ .fd = src->fd, .events = src->events };
		l->due_ms[i] = wait_ms < 0 ? -1 : now_ms + wait_ms;
	}
}

static int
turn_timeout_ms(const struct kl_loop *l, int64_t now_ms)
{
	int64_t first_ms = INT64_MAX;

	/* It may sit in a slot that prepare had passed already. */
	if (l->added)
		return 0;
	for (size_t i = 0; i < l->n; i++)
		if (l->due_ms[i] >= 0 && l->due_ms[i] < first_ms)
			first_ms = l->due_ms[i];
	if (first_ms == INT64_MAX)
		return -1;
	if (first_ms <= now_ms)
		return 0;
	return first_ms - now_ms > INT_MAX ? INT_MAX : (int)(first_ms - now_ms);
}

static void
turn_dispatch(struct kl_loop *l, size_t n, int64_t now_ms)
{
	for (size_t i = 0; i < n; i++) {
		short revents = l->pfd[i].revents;
		bool due = l->due_ms[i] >= 0 && l->due_ms[i] <= now_ms;

		if (l->src[i] != NULL && (revents != 0 || due))
			l->src[i]->dispatch(l->src[i]->arg, revents);
	}
}

static int
turn(struct kl_loop *l)
{
	int64_t now_ms = kl_mono_ms();
	size_t n;

	turn_prepare(l, now_ms);
	n = l->n;
	if (poll(l->pfd, n, turn_timeout_ms(l, now_ms)) == -1) {
		/* What revents holds then is left over from the last turn. */
		return errno == EINTR ? KL_OK : KL_E_SYSTEM;
	}
	turn_dispatch(l, n, kl_mono_ms());
	return KL_OK;
}

int
kl_loop_run(struct kl_loop *l)
{
	int r = KL_OK;

	while (!l->stop && r == KL_OK)
		r = turn(l);
	l->stop = false;
	return r;
}

static void
signals_dispatch(void *arg, short revents)
{
	struct kl_loop *l = arg;
	struct signalfd_siginfo info;

	(void)revents;
	if (read(l->signals.fd, &info, sizeof info) == (ssize_t)sizeof info)
		l->stop = true;
}

int
kl_loop_catch_signals(struct kl_loop *l)
{
	sigset_t set;

	if (l->signals.fd != -1)
		return KL_OK;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    pthread_sigmask(SIG_BLOCK, &set, &l->mask_before) != 0)
		return KL_E_SYSTEM;
	l->signals = (struct kl_source){
		.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC),
		.events = POLLIN,
		.dispatch = signals_dispatch,
		.arg = l,
	};
	if (l->signals.fd == -1) {
		(void)pthread_sigmask(SIG_SETMASK, &l->mask_before, NULL);
		return KL_E_SYSTEM;
	}
	slot_take(l, &l->signals);
	return KL_OK;
}
