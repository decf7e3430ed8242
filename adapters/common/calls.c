#include "adapters/common/calls.h"

#include <stdlib.h>
#include <string.h>

#define QUEUE_BYTES (1024 * 1024)	/* of one turn */

struct queued {
	uint64_t id;
	struct kl_bytes frame[2];
	size_t n;
};

struct calls {
	struct calls_wire wire;
	struct kl_arena *mem;		/* of what is queued */
	struct queued queue[CALLS_MAX];
	size_t n_queue;
	struct call open[CALLS_MAX];
	size_t n_open;
	uint64_t last_id;
};

struct calls *
calls_new(const struct calls_wire *wire)
{
	struct calls *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->wire = *wire;
	c->mem = kl_arena_new(QUEUE_BYTES, 4 * CALLS_MAX);
	if (c->mem == NULL) {
		free(c);
		return NULL;
	}
	return c;
}

void
calls_free(struct calls *c)
{
	if (c == NULL)
		return;
	kl_arena_free(c->mem);
	free(c);
}

int
calls_ask(struct calls *c, uint32_t request, struct kl_bytes body,
    struct kl_bytes ct, const uint8_t key[16])
{
	struct kl_request_msg rq = {
		.version = KL_PROTOCOL_VERSION, .request = request,
		.request_id = c->last_id + 1, .body = body,
	};
	struct queued *q = &c->queue[c->n_queue];
	struct call *call = &c->open[c->n_open];
	int r;

	if (c->n_open == CALLS_MAX || c->n_queue == CALLS_MAX)
		return KL_E_FULL;
	*q = (struct queued){ .id = rq.request_id, .n = 1 };
	r = KL_MESSAGE_PACK_IN(KL_M_REQUEST, &rq, c->mem, &q->frame[0]);
	if (r == KL_OK && ct.n > 0) {
		r = kl_arena_copy(c->mem, ct, &q->frame[1]);
		q->n = 2;
	}
	if (r != KL_OK)
		return r;
	*call = (struct call){ .id = rq.request_id, .request = request };
	if (key != NULL)
		memcpy(call->key, key, sizeof call->key);
	c->last_id++;
	c->n_queue++;
	c->n_open++;
	return KL_OK;
}

static struct call *
find(struct calls *c, uint64_t id)
{
	for (size_t i = 0; i < c->n_open; i++)
		if (c->open[i].id == id)
			return &c->open[i];
	return NULL;
}

static void
drop(struct calls *c, struct call *call)
{
	*call = c->open[--c->n_open];
}

int
calls_flush(struct calls *c, int64_t mono_ms)
{
	struct call *call;
	int r = KL_OK;

	for (size_t i = 0; i < c->n_queue && r == KL_OK; i++) {
		r = c->wire.send(c->wire.arg, c->queue[i].frame,
		    c->queue[i].n);
		if (r == KL_OK && (call = find(c, c->queue[i].id)) != NULL)
			call->sent_ms = mono_ms;
	}
	c->n_queue = 0;
	kl_arena_reset(c->mem);
	return r == KL_OK ? KL_OK : KL_E_AGAIN;
}

int
calls_take(struct calls *c, const struct kl_bytes *frames, size_t n,
    struct kl_arena *mem, struct call *call, struct call_answer *out)
{
	struct kl_reply_msg m;
	struct call *asked;
	enum kl_code code;

	memset(call, 0, sizeof *call);
	memset(out, 0, sizeof *out);
	if (n == 0)
		return KL_E_FORMAT;
	code = KL_MESSAGE_READ(KL_M_REPLY, frames[0], mem, &m);
	if (code != KL_C_OK)
		return code == KL_C_TRY_LATER ? KL_E_MEMORY : KL_E_FORMAT;
	*out = (struct call_answer){ m.code, m.retry_after_ms, m.time_ms,
		m.detail, m.body, frames + 1, n - 1 };
	call->request = m.request;
	asked = find(c, m.request_id);
	if (asked == NULL || asked->request != m.request ||
	    asked->sent_ms == 0)
		return KL_E_NOT_FOUND;
	*call = *asked;
	drop(c, asked);
	return KL_OK;
}

int
calls_lose(struct calls *c, struct call *call)
{
	c->n_queue = 0;
	kl_arena_reset(c->mem);
	if (c->n_open == 0)
		return KL_E_EMPTY;
	*call = c->open[--c->n_open];
	return KL_OK;
}

int64_t
calls_wait_ms(const struct calls *c, int64_t mono_ms)
{
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < c->n_open; i++)
		if (c->open[i].sent_ms != 0 && c->open[i].sent_ms < first)
			first = c->open[i].sent_ms;
	if (first == INT64_MAX)
		return -1;
	first += CALLS_TIMEOUT_MS;
	return first > mono_ms ? first - mono_ms : 0;
}

bool
calls_overdue(const struct calls *c, int64_t mono_ms)
{
	return calls_wait_ms(c, mono_ms) == 0;
}

size_t
calls_open(const struct calls *c, uint32_t request)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_open; i++)
		n += request == 0 || c->open[i].request == request ? 1 : 0;
	return n;
}

bool
calls_queued(const struct calls *c)
{
	return c->n_queue > 0;
}
