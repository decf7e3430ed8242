#include "adapters/common/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/common/backoff.h"
#include "adapters/common/outbox_priv.h"

struct outbox *
outbox_new(void)
{
	return calloc(1, sizeof(struct outbox));
}

void
outbox_free(struct outbox *o)
{
	if (o == NULL)
		return;
	free(o->e);
	free(o);
}

static bool
same_conv(const struct outbox_entry *a, const struct kl_conv_id *conv)
{
	return memcmp(a->conv.b, conv->b, sizeof conv->b) == 0;
}

struct outbox_entry *
outbox_find(struct outbox *o, const struct kl_msg_id *id)
{
	for (size_t i = 0; i < o->n; i++)
		if (memcmp(o->e[i].id.b, id->b, sizeof id->b) == 0)
			return &o->e[i];
	return NULL;
}

int
outbox_append(struct outbox *o, const struct out_row *row)
{
	struct outbox_entry *e;

	if (o->n == o->cap) {
		size_t cap = o->cap == 0 ? 64 : o->cap * 2;

		if ((e = realloc(o->e, cap * sizeof *e)) == NULL)
			return KL_E_MEMORY;
		o->e = e;
		o->cap = cap;
	}
	e = &o->e[o->n];
	*e = (struct outbox_entry){ .id = row->id, .conv = row->conv,
	    .order = row->order, .state = row->state, .first = true };
	for (size_t i = 0; i < o->n && e->first; i++)
		e->first = !same_conv(&o->e[i], &e->conv);
	o->n++;
	return KL_OK;
}

void
outbox_drop(struct outbox *o, const struct kl_msg_id *id)
{
	struct outbox_entry *e = outbox_find(o, id);
	struct kl_conv_id conv;
	size_t i;

	if (e == NULL)
		return;
	conv = e->conv;
	o->in_flight -= e->in_flight ? 1 : 0;
	i = (size_t)(e - o->e);
	memmove(e, e + 1, (o->n - i - 1) * sizeof *e);
	o->n--;
	for (i = 0; i < o->n; i++)
		if (same_conv(&o->e[i], &conv)) {
			o->e[i].first = true;
			break;
		}
}

/* ---- rows ------------------------------------------------------------ */

int
outbox_row(struct turn *t, const struct kl_msg_id *id, struct out_row *out)
{
	return store_get_row(t->store, STORE_OUT, KL_BYTES_OF(*id), out,
	    sizeof *out);
}

int
outbox_put_row(struct turn *t, const struct out_row *row)
{
	return store_put(t->store, STORE_OUT, KL_BYTES_OF(row->id),
	    kl_bytes(row, sizeof *row));
}

int
outbox_erase_sealed(struct turn *t, const struct out_row *row)
{
	int r = store_del(t->store, STORE_SEALED, KL_BYTES_OF(row->id));

	if (r == KL_OK && row->kind != KL_REFERRAL)
		r = store_del(t->store, STORE_SIGNED, KL_BYTES_OF(row->id));
	return r;
}

int
outbox_next_row(struct turn *t, struct store_entry *at, struct out_row *row)
{
	return store_next_row(t->store, STORE_OUT, at, row, sizeof *row);
}

static int
by_order(const void *a, const void *b)
{
	const struct outbox_entry *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

/* After sorting: which one is the first of its conversation. Quadratic only in
 * what one conversation has waiting before others. */
static void
mark_first(struct outbox *o)
{
	for (size_t i = 0; i < o->n; i++) {
		o->e[i].first = true;
		for (size_t j = 0; j < i && o->e[i].first; j++)
			o->e[i].first = !same_conv(&o->e[j], &o->e[i].conv);
	}
}

int
outbox_load(struct outbox *o, struct turn *t)
{
	struct store_entry at = { .n_key = 0 };
	struct out_row row;
	int r;

	o->n = o->in_flight = 0;
	o->order = 0;
	while ((r = outbox_next_row(t, &at, &row)) == KL_OK) {
		if (row.order > o->order)
			o->order = row.order;
		if ((row.state == OUT_DRAFT || row.state == OUT_SEALED) &&
		    (r = outbox_append(o, &row)) != KL_OK)
			return r;
	}
	if (r != KL_E_NOT_FOUND)
		return r;
	if (o->n > 0)
		qsort(o->e, o->n, sizeof o->e[0], by_order);
	mark_first(o);
	t->want_submit = true;
	return KL_OK;
}

/* ---- sending --------------------------------------------------------- */

int
outbox_next(struct outbox *o, struct turn *t, int64_t mono_ms,
    struct out_submit *out)
{
	int r;

	for (size_t i = 0; i < o->n && !o->paused &&
	    o->in_flight < OUTBOX_IN_FLIGHT_MAX; i++) {
		struct outbox_entry *e = &o->e[i];

		if (e->state != OUT_SEALED || e->in_flight ||
		    e->due_ms > mono_ms)
			continue;
		out->id = e->id;
		r = store_get_sealed(t->store, STORE_SIGNED,
		    KL_BYTES_OF(e->id), t->mem, &out->envelope);
		if (r == KL_OK)
			r = store_get_sealed(t->store, STORE_SEALED,
			    KL_BYTES_OF(e->id), t->mem, &out->ct);
		if (r == KL_E_NOT_FOUND) {
			/* Its bytes were erased; the timer ends it. */
			e->due_ms = mono_ms + BACKOFF_LAST_MS;
			continue;
		}
		if (r != KL_OK)
			return r;
		e->in_flight = true;
		o->in_flight++;
		return KL_OK;
	}
	return KL_E_EMPTY;
}

void
outbox_pause(struct outbox *o, bool paused)
{
	o->paused = paused;
}

int64_t
outbox_wait_ms(const struct outbox *o, int64_t mono_ms)
{
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < o->n; i++)
		if (!o->e[i].in_flight && o->e[i].due_ms < first &&
		    (o->e[i].state == OUT_SEALED || o->e[i].first))
			first = o->e[i].due_ms;
	if (first == INT64_MAX || o->in_flight >= OUTBOX_IN_FLIGHT_MAX ||
	    o->paused)
		return -1;
	return first > mono_ms ? first - mono_ms : 0;
}

static void
landed(struct outbox *o, struct outbox_entry *e)
{
	o->in_flight -= e->in_flight ? 1 : 0;
	e->in_flight = false;
}

void
outbox_unanswered(struct outbox *o, const struct kl_msg_id *id,
    int64_t due_mono_ms)
{
	struct outbox_entry *e = outbox_find(o, id);

	if (e == NULL)
		return;
	landed(o, e);
	e->due_ms = due_mono_ms;
}

void
outbox_defer(struct outbox *o, const struct kl_msg_id *id,
    uint32_t at_least_ms, int64_t mono_ms)
{
	struct outbox_entry *e = outbox_find(o, id);

	if (e == NULL)
		return;
	landed(o, e);
	e->due_ms = mono_ms + backoff_ms(e->attempts++, at_least_ms);
}

void
outbox_wake(struct outbox *o)
{
	for (size_t i = 0; i < o->n; i++)
		o->e[i].due_ms = 0;
}

uint32_t
outbox_waiting(const struct outbox *o)
{
	return (uint32_t)o->n;
}

uint32_t
outbox_waiting_of(const struct outbox *o, const struct kl_conv_id *conv)
{
	uint32_t n = 0;

	for (size_t i = 0; i < o->n; i++)
		n += same_conv(&o->e[i], conv) ? 1 : 0;
	return n;
}
