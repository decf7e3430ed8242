#include "adapters/common/repeats.h"

#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/err.h>

#include "adapters/common/backoff.h"

#define FLYING_MAX 16

struct entry {
	struct repeats_key key;
	int64_t due_ms;			/* monotonic */
	uint32_t attempts;
	bool flying;
};

struct repeats {
	struct entry *e;		/* in the order of their coming */
	size_t n, cap;
	size_t n_flying;
};

struct repeats *
repeats_new(void)
{
	return calloc(1, sizeof(struct repeats));
}

void
repeats_free(struct repeats *q)
{
	if (q == NULL)
		return;
	free(q->e);
	free(q);
}

void
repeats_clear(struct repeats *q)
{
	q->n = q->n_flying = 0;
}

static struct entry *
find(const struct repeats *q, const struct repeats_key *key)
{
	for (size_t i = 0; i < q->n; i++)
		if (memcmp(&q->e[i].key, key, sizeof *key) == 0)
			return &q->e[i];
	return NULL;
}

int
repeats_add(struct repeats *q, const struct repeats_key *key)
{
	if (find(q, key) != NULL)
		return KL_OK;
	if (q->n == q->cap) {
		size_t cap = q->cap == 0 ? 8 : q->cap * 2;
		struct entry *e = realloc(q->e, cap * sizeof *e);

		if (e == NULL)
			return KL_E_MEMORY;
		q->e = e;
		q->cap = cap;
	}
	q->e[q->n++] = (struct entry){ .key = *key };
	return KL_OK;
}

static void
land(struct repeats *q, struct entry *e)
{
	q->n_flying -= e->flying ? 1 : 0;
	e->flying = false;
}

void
repeats_drop(struct repeats *q, const struct repeats_key *key)
{
	struct entry *e = find(q, key);

	if (e == NULL)
		return;
	land(q, e);
	memmove(e, e + 1, (q->n - (size_t)(e - q->e) - 1) * sizeof *e);
	q->n--;
}

static bool
same_conv(const struct entry *e, const struct kl_conv_id *conv)
{
	return memcmp(&e->key.conv, conv, sizeof *conv) == 0;
}

/* Nothing of its conversation stands before it. */
static bool
is_first(const struct repeats *q, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (same_conv(&q->e[j], &q->e[i].key.conv))
			return false;
	return true;
}

int
repeats_next(struct repeats *q, int64_t mono_ms, struct repeats_key *key)
{
	for (size_t i = 0; i < q->n && q->n_flying < FLYING_MAX; i++) {
		struct entry *e = &q->e[i];

		if (e->flying || e->due_ms > mono_ms || !is_first(q, i))
			continue;
		*key = e->key;
		e->flying = true;
		q->n_flying++;
		return KL_OK;
	}
	return KL_E_EMPTY;
}

static struct entry *
flying(const struct repeats *q, const struct kl_conv_id *conv)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->e[i].flying && same_conv(&q->e[i], conv))
			return &q->e[i];
	return NULL;
}

bool
repeats_flying(const struct repeats *q, const struct kl_conv_id *conv,
    struct repeats_key *key)
{
	const struct entry *e = flying(q, conv);

	if (e != NULL)
		*key = e->key;
	return e != NULL;
}

void
repeats_lost(struct repeats *q, const struct kl_conv_id *conv)
{
	struct entry *e = flying(q, conv);

	if (e == NULL)
		return;
	land(q, e);
	e->due_ms = 0;
}

void
repeats_later(struct repeats *q, const struct kl_conv_id *conv,
    uint32_t at_least_ms, int64_t mono_ms)
{
	struct entry *e = flying(q, conv);

	if (e == NULL)
		return;
	land(q, e);
	e->due_ms = mono_ms + backoff_ms(e->attempts++, at_least_ms);
}

void
repeats_wake(struct repeats *q)
{
	for (size_t i = 0; i < q->n; i++)
		q->e[i].due_ms = 0;
}

int64_t
repeats_wait_ms(const struct repeats *q, int64_t mono_ms)
{
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < q->n; i++)
		if (!q->e[i].flying && q->e[i].due_ms < first &&
		    is_first(q, i))
			first = q->e[i].due_ms;
	if (first == INT64_MAX || q->n_flying >= FLYING_MAX)
		return -1;
	return first > mono_ms ? first - mono_ms : 0;
}

size_t
repeats_waiting(const struct repeats *q)
{
	return q->n;
}
