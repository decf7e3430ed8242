#include "broker/edge/edge_main.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/keyfile.h>
#include <kortelijn/host/link.h>
#include <kortelijn/host/log.h>
#include <kortelijn/host/loop.h>
#include <kortelijn/host/sandbox.h>
#include <kortelijn/wire/request.h>

#include "broker/config.h"
#include "broker/edge/auth.h"
#include "broker/edge/gate.h"
#include "broker/pipe.h"
#include "broker/ready.h"

#define KEYS_MAX 16384
#define QUEUE_BYTES (4 << 20)	/* requests that core has not taken yet */
#define ARENA_BYTES (64 << 10)
#define ARENA_ALLOCS 64
#define DATA_BYTES ((rlim_t)512 << 20)
#define BATCH 64		/* messages of one source in one turn */
#define LINK_FDS 4
#define BUSY_MS 1000		/* when the way to core is full */
#define COUNTS_MS KL_MINUTE_MS
#define RECYCLE_MS KL_SECOND_MS	/* answers under way still leave */

struct edge {
	const struct broker_conf *conf;
	struct kl_clock clock;
	int exit;

	/* towards participants */
	struct kl_secret *sk;		/* until it serves */
	struct kl_link *link;		/* NULL until it serves */
	struct auth *auth;
	struct kl_arena *mem;

	/* towards core */
	int pipe_fd, ready_fd;
	struct pipe_out *out;
	uint8_t *in;			/* PIPE_MSG_MAX */
	uint32_t generation;
	bool keys_done;

	/* the loop */
	struct kl_loop *loop;
	struct kl_source link_src[LINK_FDS];
	struct kl_source pipe_src, timer_src;
	struct ready ready;
	int64_t counts_due_ms;		/* monotonic */
	int64_t recycle_ms;		/* monotonic; 0: no */

	struct {
		uint64_t forwarded, refused, busy, replies, unsent, strange;
	} count;
	uint64_t counted;		/* sum at the last line */
};

static void
edge_stop(struct edge *e, int status)
{
	e->exit = status;
	kl_loop_stop(e->loop);
}

/* ---- from participants to core ---- */

static void
answer(struct edge *e, const struct kl_route *route,
    const struct gate_verdict *v)
{
	const struct kl_reply_msg reply = {
		.version = KL_PROTOCOL_VERSION,
		.request = v->request,
		.request_id = v->request_id,
		.code = v->code,
		.retry_after_ms = v->retry_after_ms,
		.time_ms = kl_clock_now_ms(&e->clock),
	};
	uint8_t buf[256];
	struct kl_bytes frame = { .p = buf };

	if (KL_MESSAGE_PACK(KL_M_REPLY, &reply, buf, sizeof buf, &frame.n) !=
	    KL_OK || kl_link_send(e->link, route, &frame, 1) != KL_OK)
		e->count.unsent++;
}

static int
forward(struct edge *e, const struct kl_link_message *m)
{
	struct pipe_msg to = { .type = PIPE_REQUEST,
		.generation = e->generation, .route = m->route,
		.peer = m->peer, .n = m->n };

	memcpy(to.frame, m->frame, m->n * sizeof to.frame[0]);
	return pipe_out_send(e->out, &to);
}

static void
message_take(struct edge *e, const struct kl_link_message *m)
{
	struct auth_peer *peer = auth_find(e->auth, &m->peer);
	struct gate_verdict v;

	/* Nobody else came through the handshake. */
	if (peer == NULL)
		return;
	peer->seen = true;
	kl_arena_reset(e->mem);
	v = gate_judge(&peer->account, e->conf->requests_per_minute,
	    kl_mono_ms(), m->frame, m->n, e->mem);
	if (v.code == KL_C_OK && peer->verdict == PIPE_KEY_REVOKED)
		v.code = KL_C_CARD_REVOKED;
	if (v.code != KL_C_OK) {
		e->count.refused++;
		answer(e, &m->route, &v);
		return;
	}
	if (forward(e, m) == KL_OK) {
		e->count.forwarded++;
		return;
	}
	e->count.busy++;
	v.code = KL_C_TRY_LATER;
	v.retry_after_ms = BUSY_MS;
	answer(e, &m->route, &v);
}

static int64_t
link_prepare(void *arg)
{
	struct edge *e = arg;

	return kl_link_wait_ms(e->link);
}

static void
link_dispatch(void *arg, short revents)
{
	struct edge *e = arg;
	struct kl_link_message m;

	(void)revents;
	for (int i = 0; i < BATCH && kl_link_recv(e->link, &m) == KL_OK; i++)
		message_take(e, &m);
}

/* ---- from core to participants ---- */

static void
reply_take(struct edge *e, const struct pipe_msg *m)
{
	/* A participant that is gone or does not read asks again. */
	if (kl_link_send(e->link, &m->route, m->frame, m->n) == KL_OK)
		e->count.replies++;
	else
		e->count.unsent++;
}

/* The handshake is asked only once: a session that a revoked key has ends
 * with this process. */
static void
revoked_note(struct edge *e, const struct pipe_key *key)
{
	const struct auth_peer *peer = auth_find(e->auth, &key->pk);

	if (key->verdict == PIPE_KEY_REVOKED && peer != NULL && peer->seen &&
	    peer->verdict != PIPE_KEY_REVOKED && e->recycle_ms == 0)
		e->recycle_ms = kl_mono_ms() + RECYCLE_MS;
}

static void
keys_take(struct edge *e, const struct pipe_msg *m)
{
	struct pipe_key key[PIPE_KEYS_MAX];
	size_t n;

	if (pipe_keys_read(m, key, &n) != KL_OK) {
		e->count.strange++;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		revoked_note(e, &key[i]);
		if (auth_set(e->auth, &key[i]) != KL_OK)
			kl_logf(KL_LOG_ERROR, "too_many_keys",
			    kl_log_num("max", KEYS_MAX));
	}
}

static void
core_take(struct edge *e, const struct pipe_msg *m)
{
	if (m->generation != e->generation)
		return;
	switch (m->type) {
	case PIPE_REPLY:
		if (e->link != NULL)
			reply_take(e, m);
		break;
	case PIPE_KEYS:
		keys_take(e, m);
		break;
	case PIPE_KEYS_DONE:
		e->keys_done = true;
		break;
	case PIPE_RESET:
	case PIPE_REQUEST:
		e->count.strange++;
		break;
	}
}

/* ---- from time to time ---- */

static void
counts_log(struct edge *e)
{
	const struct kl_link_counts l = kl_link_counts(e->link);
	const uint64_t sum = e->count.forwarded + e->count.refused +
	    e->count.busy + e->count.unsent + e->count.strange + l.dropped +
	    l.handshakes_refused + l.handshakes_failed + l.accept_failed;

	if (sum == e->counted)
		return;
	e->counted = sum;
	kl_logf(l.accept_failed > 0 ? KL_LOG_WARN : KL_LOG_INFO, "counts",
	    kl_log_num("forwarded", (int64_t)e->count.forwarded),
	    kl_log_num("replies", (int64_t)e->count.replies),
	    kl_log_num("refused", (int64_t)e->count.refused),
	    kl_log_num("busy", (int64_t)e->count.busy),
	    kl_log_num("unsent", (int64_t)e->count.unsent),
	    kl_log_num("strange", (int64_t)e->count.strange),
	    kl_log_num("dropped", (int64_t)l.dropped),
	    kl_log_num("handshakes_refused", (int64_t)l.handshakes_refused),
	    kl_log_num("handshakes_failed", (int64_t)l.handshakes_failed),
	    kl_log_num("accept_failed", (int64_t)l.accept_failed));
}

static int64_t
timer_prepare(void *arg)
{
	const struct edge *e = arg;
	int64_t due_ms = e->counts_due_ms, left_ms;

	if (e->recycle_ms != 0 && e->recycle_ms < due_ms)
		due_ms = e->recycle_ms;
	left_ms = due_ms - kl_mono_ms();
	return left_ms > 0 ? left_ms : 0;
}

static void
timer_dispatch(void *arg, short revents)
{
	struct edge *e = arg;
	const int64_t now_ms = kl_mono_ms();

	(void)revents;
	if (e->recycle_ms != 0 && now_ms >= e->recycle_ms) {
		kl_logf(KL_LOG_INFO, "recycled_after_revocation",
		    kl_log_num("generation", e->generation));
		edge_stop(e, EDGE_EXIT_RECYCLE);
	}
	if (now_ms >= e->counts_due_ms) {
		counts_log(e);
		e->counts_due_ms = now_ms + COUNTS_MS;
	}
}

/* ---- serving ---- */

static int
failed(const char *event, int err, int status)
{
	kl_logf(KL_LOG_ERROR, event, kl_log_word("why", kl_err_text(err)),
	    kl_log_num("errno", errno));
	return status;
}

/* The sanitizers reserve address space without end. */
static int
memory_limit(void)
{
#ifndef __SANITIZE_ADDRESS__
	const struct rlimit data = { DATA_BYTES, DATA_BYTES };

	if (setrlimit(RLIMIT_DATA, &data) != 0)
		return KL_E_SYSTEM;
#endif
	return KL_OK;
}

static int
confine(void)
{
	struct kl_sandbox s = { .role = KL_SANDBOX_EDGE };
	int r;

	if ((r = memory_limit()) != KL_OK ||
	    (r = kl_sandbox_enter(&s)) != KL_OK)
		return r;
	kl_logf(s.landlock_abi > 0 ? KL_LOG_INFO : KL_LOG_WARN, "confined",
	    kl_log_num("landlock_abi", s.landlock_abi));
	return KL_OK;
}

static int
sources_add(struct edge *e)
{
	int fd[LINK_FDS], r = KL_OK;
	const size_t n = kl_link_fds(e->link, fd, LINK_FDS);

	for (size_t i = 0; i < n && r == KL_OK; i++) {
		e->link_src[i] = (struct kl_source){ .fd = fd[i],
			.events = POLLIN, .prepare = link_prepare,
			.dispatch = link_dispatch, .arg = e };
		r = kl_loop_add(e->loop, &e->link_src[i]);
	}
	e->counts_due_ms = kl_mono_ms() + COUNTS_MS;
	e->timer_src = (struct kl_source){ .fd = -1, .prepare = timer_prepare,
		.dispatch = timer_dispatch, .arg = e };
	if (r == KL_OK)
		r = kl_loop_add(e->loop, &e->timer_src);
	return r;
}

/* Most often another process has the address: named, since a number says
 * little at night. */
static int
not_served(const char *address, int err)
{
	kl_logf(KL_LOG_ERROR, "cannot_serve", kl_log_word("address", address),
	    kl_log_word("why", err == KL_E_SYSTEM ? strerror(errno) :
	    kl_err_text(err)));
	return err == KL_E_VALUE ? EDGE_EXIT_CONFIG : EDGE_EXIT_FAILED;
}

/* An adapter that connects before its key is known would be turned away for
 * seconds, so the address is bound only when all keys are there. */
static int
serve(struct edge *e)
{
	const struct kl_link_server server = { .endpoint = e->conf->listen,
		.sk = e->sk, .admit = auth_admit, .arg = e->auth };
	int r = kl_link_serve(&server, &e->link);

	kl_secret_free(e->sk);
	e->sk = NULL;
	if (r != KL_OK)
		return not_served(e->conf->listen, r);
	if ((r = confine()) != KL_OK)
		return failed("cannot_confine", r, EDGE_EXIT_FAILED);
	if ((r = sources_add(e)) != KL_OK ||
	    (r = ready_start(&e->ready, e->loop, e->ready_fd)) != KL_OK)
		return failed("cannot_start", r, EDGE_EXIT_FAILED);
	kl_logf(KL_LOG_INFO, "serving",
	    kl_log_word("endpoint", kl_link_endpoint(e->link)));
	return EDGE_EXIT_STOPPED;
}

/* KL_E_IO: the pair is broken. */
static int
pipe_work(struct edge *e)
{
	struct pipe_msg m;
	int r = KL_OK;

	for (int i = 0; i < BATCH && r != KL_E_EMPTY; i++) {
		r = pipe_recv(e->pipe_fd, e->in, PIPE_MSG_MAX, &m);
		if (r == KL_OK)
			core_take(e, &m);
		else if (r == KL_E_FORMAT)
			e->count.strange++;
		else if (r != KL_E_EMPTY)
			return r;
	}
	return pipe_out_flush(e->out);
}

static int64_t
pipe_prepare(void *arg)
{
	struct edge *e = arg;

	e->pipe_src.events = pipe_out_waits(e->out) ? POLLIN | POLLOUT :
	    POLLIN;
	return -1;
}

static void
pipe_dispatch(void *arg, short revents)
{
	struct edge *e = arg;
	int status;

	(void)revents;
	if (pipe_work(e) != KL_OK)
		edge_stop(e, EDGE_EXIT_FAILED);
	else if (e->keys_done && e->link == NULL &&
	    (status = serve(e)) != EDGE_EXIT_STOPPED)
		edge_stop(e, status);
}

/* ---- start and its mirror ---- */

static int
key_read(struct edge *e)
{
	char path[BROKER_PATH_BYTES + 16];

	(void)snprintf(path, sizeof path, "%s/curve.key", e->conf->config_dir);
	return kl_keyfile_read(AT_FDCWD, path, "transport", &e->sk);
}

static int
edge_open(struct edge *e)
{
	const struct pipe_msg reset = { .type = PIPE_RESET,
		.generation = e->generation };
	int r;

	e->loop = kl_loop_new();
	e->auth = auth_new(KEYS_MAX);
	e->mem = kl_arena_new(ARENA_BYTES, ARENA_ALLOCS);
	e->in = malloc(PIPE_MSG_MAX);
	e->out = pipe_out_new(e->pipe_fd, QUEUE_BYTES);
	if (e->loop == NULL || e->auth == NULL || e->mem == NULL ||
	    e->in == NULL || e->out == NULL)
		return KL_E_MEMORY;
	e->pipe_src = (struct kl_source){ .fd = e->pipe_fd, .events = POLLIN,
		.prepare = pipe_prepare, .dispatch = pipe_dispatch, .arg = e };
	if ((r = kl_loop_catch_signals(e->loop)) != KL_OK ||
	    (r = kl_loop_add(e->loop, &e->pipe_src)) != KL_OK)
		return r;
	return pipe_out_send(e->out, &reset);
}

static void
edge_close(struct edge *e)
{
	ready_stop(&e->ready);
	kl_link_close(e->link);
	pipe_out_free(e->out);
	free(e->in);
	kl_arena_free(e->mem);
	auth_free(e->auth);
	kl_loop_free(e->loop);
	kl_secret_free(e->sk);
}

static int
edge_run(struct edge *e)
{
	int r;

	if ((r = kl_crypto_init()) != KL_OK || (r = kl_link_init()) != KL_OK)
		return failed("cannot_start", r, EDGE_EXIT_FAILED);
	e->generation = 1 + kl_random_below(UINT32_MAX);
	if ((r = key_read(e)) != KL_OK)
		return failed("key_unusable", r, EDGE_EXIT_CONFIG);
	if ((r = edge_open(e)) != KL_OK || (r = kl_loop_run(e->loop)) != KL_OK)
		return failed("cannot_run", r, EDGE_EXIT_FAILED);
	return e->exit;
}

int
edge_main(const struct broker_conf *conf, int pipe_fd, int ready_fd)
{
	struct edge e = { .conf = conf, .pipe_fd = pipe_fd,
		.ready_fd = ready_fd,
		.clock = { conf->clock_offset_ms } };
	int status = edge_run(&e);

	edge_close(&e);
	return status;
}
