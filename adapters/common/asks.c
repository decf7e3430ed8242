#include "adapters/common/asks.h"

#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/types.h>

enum state { FREE = 0, WAITS, ASKED, ANSWERED };

struct slot {
	enum state state;
	bool dropped;			/* ASKED, and nobody waits */
	uint64_t ticket;
	uint32_t request;
	uint32_t code, retry_after_ms;
	uint8_t body[KL_FRAME_MAX];	/* of the question, then the answer */
	size_t n;
};

struct asks {
	struct slot slot[ASKS_MAX];
	uint64_t last;
};

struct asks *
asks_new(void)
{
	return calloc(1, sizeof(struct asks));
}

void
asks_free(struct asks *a)
{
	free(a);
}

/* Place of the oldest in that state, since tickets rise; ASKS_MAX: none. */
static size_t
place(const struct asks *a, enum state state)
{
	size_t found = ASKS_MAX;

	for (size_t i = 0; i < ASKS_MAX; i++)
		if (a->slot[i].state == state && (found == ASKS_MAX ||
		    a->slot[i].ticket < a->slot[found].ticket))
			found = i;
	return found;
}

static struct slot *
oldest(struct asks *a, enum state state)
{
	const size_t i = place(a, state);

	return i < ASKS_MAX ? &a->slot[i] : NULL;
}

static size_t
place_of(const struct asks *a, uint64_t ticket)
{
	size_t i = 0;

	while (i < ASKS_MAX && (a->slot[i].state == FREE ||
	    a->slot[i].dropped || a->slot[i].ticket != ticket))
		i++;
	return i;
}

int
asks_put(struct asks *a, uint32_t request, struct kl_bytes body,
    uint64_t *ticket)
{
	struct slot *s = oldest(a, FREE);

	if (body.n > sizeof s->body)
		return KL_E_SIZE;
	if (s == NULL)
		return KL_E_FULL;
	s->state = WAITS;
	s->dropped = false;
	s->ticket = *ticket = ++a->last;
	s->request = request;
	s->n = body.n;
	if (body.n > 0)
		memcpy(s->body, body.p, body.n);
	return KL_OK;
}

void
asks_drop(struct asks *a, uint64_t ticket)
{
	const size_t i = place_of(a, ticket);

	if (i < ASKS_MAX && a->slot[i].state == ASKED)
		a->slot[i].dropped = true;
	else if (i < ASKS_MAX)
		a->slot[i].state = FREE;
}

int
asks_next(struct asks *a, struct ask *out)
{
	struct slot *s = oldest(a, WAITS);

	if (s == NULL || oldest(a, ASKED) != NULL)
		return KL_E_EMPTY;
	s->state = ASKED;
	*out = (struct ask){ s->ticket, s->request, { s->body, s->n } };
	return KL_OK;
}

bool
asks_full(const struct asks *a)
{
	return place(a, FREE) == ASKS_MAX;
}

bool
asks_due(const struct asks *a)
{
	return place(a, WAITS) < ASKS_MAX && place(a, ASKED) == ASKS_MAX;
}

static void
answer(struct slot *s, uint32_t code, uint32_t retry_after_ms,
    struct kl_bytes body)
{
	s->state = s->dropped ? FREE : ANSWERED;
	s->dropped = false;
	s->code = code;
	s->retry_after_ms = retry_after_ms;
	s->n = body.n;
	if (body.n > 0)
		memcpy(s->body, body.p, body.n);
}

void
asks_answer(struct asks *a, uint32_t code, uint32_t retry_after_ms,
    struct kl_bytes body)
{
	struct slot *s = oldest(a, ASKED);

	/* A body is part of a frame, which is no larger. */
	if (s != NULL && body.n <= sizeof s->body)
		answer(s, code, retry_after_ms, body);
	else
		asks_lost(a);
}

void
asks_lost(struct asks *a)
{
	struct slot *s = oldest(a, ASKED);

	if (s != NULL)
		answer(s, KL_C_TRY_LATER, ASKS_LOST_MS, KL_BYTES_NONE);
}

void
asks_end(struct asks *a, uint32_t code)
{
	struct slot *s;

	while ((s = oldest(a, WAITS)) != NULL)
		answer(s, code, 0, KL_BYTES_NONE);
}

int
asks_take(const struct asks *a, uint64_t ticket, struct ask_answer *out)
{
	const size_t i = place_of(a, ticket);
	const struct slot *s = &a->slot[i];

	if (i == ASKS_MAX)
		return KL_E_NOT_FOUND;
	if (s->state != ANSWERED)
		return KL_E_EMPTY;
	*out = (struct ask_answer){ s->code, s->retry_after_ms,
		{ s->body, s->n } };
	return KL_OK;
}
