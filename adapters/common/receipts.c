#include "adapters/common/receipts.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/common/timers.h"

#define KEEP_AFTER_MS (7 * KL_DAY_MS)	/* behind expire_at */
#define UNSENT_AGAIN_MS KL_DAY_MS	/* is it sent by then? */
#define RETRY_MS 1000
#define WAITING_MAX 65536

/* Behind it in the value: the packed receipt. */
struct seen_row {
	struct kl_conv_id conv;
	int64_t expire_ms;
};

struct entry {
	struct kl_msg_id id;
	int64_t due_ms;			/* monotonic */
	bool in_flight;
};

struct receipts {
	struct entry *e;
	size_t n, cap;
	size_t in_flight;
};

struct receipts *
receipts_new(void)
{
	return calloc(1, sizeof(struct receipts));
}

void
receipts_free(struct receipts *q)
{
	if (q == NULL)
		return;
	free(q->e);
	free(q);
}

static struct entry *
find(struct receipts *q, const struct kl_msg_id *id)
{
	for (size_t i = 0; i < q->n; i++)
		if (memcmp(&q->e[i].id, id, sizeof *id) == 0)
			return &q->e[i];
	return NULL;
}

static int
add(struct receipts *q, const struct kl_msg_id *id)
{
	struct entry *e;

	if (find(q, id) != NULL)
		return KL_OK;
	if (q->n == q->cap) {
		size_t cap = q->cap == 0 ? 64 : q->cap * 2;

		if (cap > WAITING_MAX ||
		    (e = realloc(q->e, cap * sizeof *e)) == NULL)
			return KL_E_MEMORY;
		q->e = e;
		q->cap = cap;
	}
	q->e[q->n++] = (struct entry){ .id = *id };
	return KL_OK;
}

static void
drop(struct receipts *q, const struct kl_msg_id *id)
{
	struct entry *e = find(q, id);

	if (e == NULL)
		return;
	q->in_flight -= e->in_flight ? 1 : 0;
	memmove(e, e + 1, (q->n - (size_t)(e - q->e) - 1) * sizeof *e);
	q->n--;
}

int
receipts_load(struct receipts *q, struct turn *t)
{
	struct store_entry at = { .n_key = 0 };
	struct kl_msg_id id;
	int r;

	q->n = q->in_flight = 0;
	while ((r = store_seek(t->store, STORE_UNSENT, kl_bytes(at.key,
	    at.n_key), true, &at)) == KL_OK) {
		if (at.n_key != sizeof id)
			return KL_E_DAMAGED;
		memcpy(&id, at.key, sizeof id);
		if ((r = add(q, &id)) != KL_OK)
			return r;
	}
	t->want_receipt = q->n > 0;
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

static int
read_seen(struct turn *t, const struct kl_msg_id *id, struct seen_row *row,
    struct kl_bytes *packed)
{
	struct kl_bytes v;
	int r = store_get(t->store, STORE_SEEN, KL_BYTES_OF(*id), &v);

	if (r != KL_OK)
		return r;
	if (v.n <= sizeof *row)
		return KL_E_DAMAGED;
	memcpy(row, v.p, sizeof *row);
	return packed == NULL ? KL_OK : kl_arena_copy(t->mem,
	    kl_bytes(v.p + sizeof *row, v.n - sizeof *row), packed);
}

static int
put_unsent(struct receipts *q, struct turn *t, const struct kl_msg_id *id)
{
	int r = store_put(t->store, STORE_UNSENT, KL_BYTES_OF(*id),
	    STORE_HERE);

	t->want_receipt = true;
	return r != KL_OK ? r : add(q, id);
}

int
receipts_again(struct receipts *q, struct turn *t,
    const struct kl_msg_id *id)
{
	struct seen_row row;
	int r = read_seen(t, id, &row, NULL);

	if (r != KL_OK || find(q, id) != NULL)
		return r;
	return put_unsent(q, t, id);
}

int
receipts_make(struct receipts *q, struct turn *t,
    const struct receipt_of *of, struct kl_bytes *packed)
{
	struct kl_receipt rc = {
		.version = KL_PROTOCOL_VERSION, .signer = t->id->id,
		.signer_key_id = t->id->key_id, .msg_id = of->id,
		.body_hash = of->body, .outcome = of->outcome,
		.code = of->code, .at_ms = t->now_ms,
	};
	uint8_t buf[sizeof(struct seen_row) + RECEIPTS_BYTES_MAX];
	struct seen_row row;
	size_t n;
	int r;

	memset(&row, 0, sizeof row);
	row.conv = of->conv;
	row.expire_ms = of->expire_ms;
	memcpy(buf, &row, sizeof row);
	r = identity_sign(t->id, KL_RECEIPT, &rc, sizeof rc, buf + sizeof row,
	    RECEIPTS_BYTES_MAX, &n);
	if (r == KL_OK)
		r = store_put(t->store, STORE_SEEN, KL_BYTES_OF(of->id),
		    kl_bytes(buf, sizeof row + n));
	if (r == KL_OK)
		r = timers_put(t->store, of->expire_ms + KEEP_AFTER_MS,
		    TIMER_SEEN, of->id.b);
	if (r == KL_OK && packed != NULL)
		r = kl_arena_copy(t->mem, kl_bytes(buf + sizeof row, n),
		    packed);
	return r != KL_OK ? r : put_unsent(q, t, &of->id);
}

int
receipts_next(struct receipts *q, struct turn *t, int64_t mono_ms,
    struct kl_msg_id *id, struct kl_bytes *packed)
{
	struct seen_row row;
	int r;

	for (size_t i = 0; i < q->n &&
	    q->in_flight < RECEIPTS_IN_FLIGHT_MAX; i++) {
		if (q->e[i].in_flight || q->e[i].due_ms > mono_ms)
			continue;
		*id = q->e[i].id;
		if ((r = read_seen(t, id, &row, packed)) != KL_OK)
			return r == KL_E_NOT_FOUND ? KL_E_DAMAGED : r;
		q->e[i].in_flight = true;
		q->in_flight++;
		return KL_OK;
	}
	return KL_E_EMPTY;
}

int64_t
receipts_wait_ms(const struct receipts *q, int64_t mono_ms)
{
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < q->n; i++)
		if (!q->e[i].in_flight && q->e[i].due_ms < first)
			first = q->e[i].due_ms;
	if (first == INT64_MAX || q->in_flight >= RECEIPTS_IN_FLIGHT_MAX)
		return -1;
	return first > mono_ms ? first - mono_ms : 0;
}

static void
defer(struct receipts *q, const struct kl_msg_id *id, int64_t due_ms)
{
	struct entry *e = find(q, id);

	if (e == NULL)
		return;
	q->in_flight -= e->in_flight ? 1 : 0;
	e->in_flight = false;
	e->due_ms = due_ms;
}

int
receipts_answer(struct receipts *q, struct turn *t,
    const struct kl_msg_id *id, uint32_t code, int64_t mono_ms)
{
	if (code != KL_C_OK && kl_code_retry(code) != KL_RETRY_NEVER) {
		defer(q, id, mono_ms + RETRY_MS);
		return KL_OK;
	}
	drop(q, id);
	return store_del(t->store, STORE_UNSENT, KL_BYTES_OF(*id));
}

void
receipts_unanswered(struct receipts *q, const struct kl_msg_id *id)
{
	defer(q, id, 0);
}

size_t
receipts_waiting(const struct receipts *q)
{
	return q->n;
}

int
receipts_kept(struct turn *t, struct kl_msg_id *id, bool first,
    struct kl_conv_id *conv, struct kl_bytes *packed)
{
	struct store_entry e;
	struct seen_row row;
	int r;

	r = store_seek(t->store, STORE_SEEN,
	    first ? KL_BYTES_NONE : KL_BYTES_OF(*id), !first, &e);
	if (r != KL_OK)
		return r;
	if (e.n_key != sizeof *id || e.value.n <= sizeof row)
		return KL_E_DAMAGED;
	memcpy(id, e.key, sizeof *id);
	memcpy(&row, e.value.p, sizeof row);
	*conv = row.conv;
	return kl_arena_copy(t->mem, kl_bytes(e.value.p + sizeof row,
	    e.value.n - sizeof row), packed);
}

int
receipts_forget(struct turn *t, const struct kl_msg_id *id)
{
	struct kl_bytes v;
	int r = store_get(t->store, STORE_UNSENT, KL_BYTES_OF(*id), &v);

	if (r == KL_OK)
		return timers_put(t->store, t->now_ms + UNSENT_AGAIN_MS,
		    TIMER_SEEN, id->b);
	return r != KL_E_NOT_FOUND ? r :
	    store_del(t->store, STORE_SEEN, KL_BYTES_OF(*id));
}
