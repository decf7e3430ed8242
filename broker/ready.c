#include "ready.h"

#include <stddef.h>
#include <unistd.h>

/* A full pipe says as much as one byte more; a closed one means that the
 * supervisor is gone, and the kernel ends us then. */
static void
say(const struct ready *r, char word)
{
	const ssize_t n = write(r->fd, &word, 1);

	(void)n;
}

static int64_t
beat_prepare(void *arg)
{
	const struct ready *r = arg;
	const int64_t left_ms = r->due_ms - kl_mono_ms();

	return left_ms > 0 ? left_ms : 0;
}

static void
beat_dispatch(void *arg, short revents)
{
	struct ready *r = arg;

	(void)revents;
	r->due_ms = kl_mono_ms() + READY_BEAT_MS;
	say(r, READY_ALIVE);
}

int
ready_start(struct ready *r, struct kl_loop *loop, int fd)
{
	*r = (struct ready){ .fd = fd, .loop = loop,
		.due_ms = kl_mono_ms() + READY_BEAT_MS };
	r->beat = (struct kl_source){ .fd = -1, .prepare = beat_prepare,
		.dispatch = beat_dispatch, .arg = r };
	say(r, READY_SERVES);
	return kl_loop_add(loop, &r->beat);
}

void
ready_stop(struct ready *r)
{
	if (r->loop != NULL)
		kl_loop_remove(r->loop, &r->beat);
	r->loop = NULL;
}
