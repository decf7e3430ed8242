#include "adapters/common/outbox.h"

#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/secret.h>

#include "adapters/common/alarm.h"
#include "adapters/common/events.h"
#include "adapters/common/outbox_seal.h"
#include "adapters/common/terms.h"
#include "adapters/common/timers.h"

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_LAST_MS (10 * KL_MINUTE_MS)
#define KEY_PAUSE_MS 1000	/* between looks for a receiver's key */
#define KEY_GRACE_MS (2 * KL_MINUTE_MS)	/* without a word about it */
#define KEEP_PLAIN_MS (14 * KL_DAY_MS)

struct entry {
	struct kl_msg_id id;
	struct kl_conv_id conv;
	uint64_t order;
	uint32_t state;			/* OUT_DRAFT, OUT_SEALED */
	uint32_t attempts;
	int64_t due_ms;			/* monotonic */
	bool first;			/* none of its conversation before it */
	bool in_flight;
};

struct outbox {
	struct entry *e;		/* by order */
	size_t n, cap;
	size_t in_flight;
	uint64_t order;			/* last one given */
};

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
same_conv(const struct entry *a, const struct kl_conv_id *conv)
{
	return memcmp(a->conv.b, conv->b, sizeof conv->b) == 0;
}

static struct entry *
find(struct outbox *o, const struct kl_msg_id *id)
{
	for (size_t i = 0; i < o->n; i++)
		if (memcmp(o->e[i].id.b, id->b, sizeof id->b) == 0)
			return &o->e[i];
	return NULL;
}

static int
append(struct outbox *o, const struct out_row *row)
{
	struct entry *e;

	if (o->n == o->cap) {
		size_t cap = o->cap == 0 ? 64 : o->cap * 2;

		if ((e = realloc(o->e, cap * sizeof *e)) == NULL)
			return KL_E_MEMORY;
		o->e = e;
		o->cap = cap;
	}
	e = &o->e[o->n];
	*e = (struct entry){ .id = row->id, .conv = row->conv,
	    .order = row->order, .state = row->state, .first = true };
	for (size_t i = 0; i < o->n && e->first; i++)
		e->first = !same_conv(&o->e[i], &e->conv);
	o->n++;
	return KL_OK;
}

void
outbox_drop(struct outbox *o, const struct kl_msg_id *id)
{
	struct entry *e = find(o, id);
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

static int
next_row(struct turn *t, struct store_entry *at, struct out_row *row)
{
	int r = store_seek(t->store, STORE_OUT, kl_bytes(at->key, at->n_key),
	    true, at);

	if (r != KL_OK)
		return r;
	if (at->value.n != sizeof *row)
		return KL_E_DAMAGED;
	memcpy(row, at->value.p, sizeof *row);
	return KL_OK;
}

static int
by_order(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

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
	while ((r = next_row(t, &at, &row)) == KL_OK) {
		if (row.order > o->order)
			o->order = row.order;
		if ((row.state == OUT_DRAFT || row.state == OUT_SEALED) &&
		    (r = append(o, &row)) != KL_OK)
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

/* ---- drafts ---------------------------------------------------------- */

static int
add_row(struct outbox *o, struct turn *t, struct out_row *row)
{
	int r;

	row->order = ++o->order;
	row->state = OUT_DRAFT;
	if ((r = outbox_put_row(t, row)) != KL_OK)
		return r;
	t->want_submit = true;
	return append(o, row);
}

int
outbox_add(struct outbox *o, struct turn *t, struct case_row *c,
    uint32_t kind, const struct kl_feedback *f, uint32_t milestone)
{
	struct engine_step step;
	struct out_row row;
	int r;

	memset(&row, 0, sizeof row);
	memset(&step, 0, sizeof step);
	kl_random(row.id.b, sizeof row.id.b);
	row.conv = c->conv;
	row.kind = kind;
	row.milestone = milestone;
	row.created_ms = t->now_ms;
	row.expire_ms = terms_of(kind, c->crisis != 0, c->level,
	    t->now_ms).expire_at_ms;
	step.what = ENGINE_MADE;
	step.kind = kind;
	step.ours = true;
	step.msg_id = row.id;
	c->pending += kind != KL_FEEDBACK ? 1 : 0;
	if (f != NULL) {
		step.feedback = *f;
		c->feedback_msg = row.id;
		r = store_put_sealed(t->store, STORE_FEEDBACK,
		    KL_BYTES_OF(row.id), c->slot, kl_bytes(f, sizeof *f));
		if (r != KL_OK)
			return r;
	}
	if ((r = add_row(o, t, &row)) != KL_OK ||
	    (r = timers_put(t->store, row.expire_ms, TIMER_EXPIRE,
	    row.id.b)) != KL_OK)
		return r;
	return cases_step(t, c, &step);
}

int
outbox_erase_sealed(struct turn *t, const struct out_row *row)
{
	int r = store_del(t->store, STORE_SEALED, KL_BYTES_OF(row->id));

	if (r == KL_OK && row->kind != KL_REFERRAL)
		r = store_del(t->store, STORE_SIGNED, KL_BYTES_OF(row->id));
	return r;
}

/* Is what it was sealed from still there? */
static int
plain_there(struct turn *t, const struct case_row *c,
    const struct out_row *row)
{
	size_t mark = kl_arena_mark(t->mem);
	struct kl_feedback f;
	struct kl_bytes v;
	int r = row->kind == KL_FEEDBACK ?
	    store_get_sealed_row(t->store, STORE_FEEDBACK,
	    KL_BYTES_OF(row->id), t->mem, &f, sizeof f) :
	    cases_content_packed(t, c, outbox_seal_content(row), &v);

	kl_arena_release(t->mem, mark);
	return r;
}

/* The plaintext of a FEEDBACK goes by its message's id. */
static int
move_feedback(struct turn *t, const struct case_row *c,
    const struct out_row *from, const struct out_row *to)
{
	struct kl_feedback f;
	int r;

	if (from->kind != KL_FEEDBACK)
		return KL_OK;
	r = store_get_sealed_row(t->store, STORE_FEEDBACK,
	    KL_BYTES_OF(from->id), t->mem, &f, sizeof f);
	if (r == KL_OK)
		r = store_put_sealed(t->store, STORE_FEEDBACK,
		    KL_BYTES_OF(to->id), c->slot, KL_BYTES_OF(f));
	if (r == KL_OK)
		r = store_del(t->store, STORE_FEEDBACK,
		    KL_BYTES_OF(from->id));
	return r;
}

/* The old one's place in the queue, so that what came later stays behind it. */
static void
swap_entry(struct outbox *o, const struct kl_msg_id *old,
    const struct out_row *row)
{
	struct entry *e = find(o, old);

	if (e == NULL)
		return;
	o->in_flight -= e->in_flight ? 1 : 0;
	*e = (struct entry){ .id = row->id, .conv = row->conv,
	    .order = row->order, .state = row->state, .first = e->first };
}

/* Never accepted: the new one takes row, seq and place of the old one. */
static int
again_same_seq(struct outbox *o, struct turn *t, struct out_row *row)
{
	struct kl_msg_id old = row->id;
	int r;

	/* Both forms of the old bytes; nobody has accepted them. */
	if ((r = store_del(t->store, STORE_SEALED, KL_BYTES_OF(old))) !=
	    KL_OK || (r = store_del(t->store, STORE_SIGNED,
	    KL_BYTES_OF(old))) != KL_OK ||
	    (r = store_del(t->store, STORE_OUT, KL_BYTES_OF(old))) != KL_OK)
		return r;
	kl_random(row->id.b, sizeof row->id.b);
	row->state = OUT_DRAFT;
	row->seq = 0;
	row->resealed++;
	if ((r = outbox_put_row(t, row)) == KL_OK)
		r = timers_put(t->store, row->expire_ms, TIMER_EXPIRE,
		    row->id.b);
	swap_entry(o, &old, row);
	t->want_submit = true;
	return r;
}

static int
again_replaces(struct outbox *o, struct turn *t, struct out_row *row,
    struct out_row *next)
{
	int r;

	*next = *row;
	kl_random(next->id.b, sizeof next->id.b);
	next->replaces = row->id;
	next->seq = 0;
	next->code = 0;
	next->has_leaf = 0;
	next->created_ms = t->now_ms;
	row->state = OUT_REPLACED;
	if ((r = outbox_erase_sealed(t, row)) != KL_OK ||
	    (r = outbox_put_row(t, row)) != KL_OK)
		return r;
	return add_row(o, t, next);
}

int
outbox_seal_again(struct outbox *o, struct turn *t, struct case_row *c,
    struct out_row *row, enum outbox_again how)
{
	struct out_row before = *row, next;
	struct engine_step step;
	int r;

	if ((r = plain_there(t, c, row)) != KL_OK)
		return r;
	memset(&step, 0, sizeof step);
	step.what = ENGINE_SEALED_AGAIN;
	step.kind = row->kind;
	step.ours = true;
	if (how == OUTBOX_SAME_SEQ) {
		r = again_same_seq(o, t, row);
		next = *row;
	} else {
		r = again_replaces(o, t, row, &next);
		if (r == KL_OK)
			r = timers_put(t->store, t->now_ms + KEEP_PLAIN_MS,
			    TIMER_EXPIRE, next.id.b);
	}
	step.msg_id = next.id;
	if (memcmp(&c->feedback_msg, &before.id, sizeof before.id) == 0)
		c->feedback_msg = next.id;
	if (r == KL_OK)
		r = move_feedback(t, c, &before, &next);
	return r != KL_OK ? r : cases_step(t, c, &step);
}

/* ---- sealing --------------------------------------------------------- */

static int
refused_before_sealing(struct outbox *o, struct turn *t, struct case_row *c,
    struct out_row *row)
{
	struct engine_step step;
	int r;

	memset(&step, 0, sizeof step);
	step.what = ENGINE_REFUSED;
	step.kind = row->kind;
	step.ours = true;
	step.msg_id = row->id;
	step.code = row->code;
	row->state = OUT_REFUSED;
	cases_settle(c, row->kind);
	if (row->kind == KL_REFERRAL)
		c->refused = row->code;
	outbox_drop(o, &row->id);
	if ((r = outbox_put_row(t, row)) != KL_OK ||
	    (r = alarm_raise(t, ENGINE_AL_REFUSED, row->code, &c->conv)) !=
	    KL_OK || (r = cases_step(t, c, &step)) != KL_OK)
		return r;
	return events_add(t, ENGINE_EV_STATE, &c->conv, step.n);
}

/* First time only, and not for a key that is only now being fetched: a wait
 * that people should know of. */
static int
note_wait(struct turn *t, struct out_row *row)
{
	int r;

	if (row->waited != 0 || t->now_ms - row->created_ms < KEY_GRACE_MS)
		return KL_OK;
	row->waited = 1;
	if ((r = outbox_put_row(t, row)) != KL_OK)
		return r;
	return turn_clock_good(t) ? alarm_raise(t, ENGINE_AL_NO_KEY,
	    KL_C_NO_RECEIVER_KEY, &row->conv) : KL_OK;
}

static int
sealed(struct turn *t, struct case_row *c, struct out_row *row)
{
	struct engine_step step;
	int r;

	kl_trace(t->trace, &(struct kl_trace_line){ .at_ms = t->now_ms,
	    .event = "sealed", .msg = &row->id, .conv = &row->conv,
	    .body = &row->body });
	if ((r = timers_put(t->store, row->deliver_by_ms, TIMER_DELIVER_BY,
	    row->id.b)) != KL_OK || row->waited == 0)
		return r;
	memset(&step, 0, sizeof step);
	step.what = ENGINE_SEALED;
	step.kind = row->kind;
	step.ours = true;
	step.msg_id = row->id;
	return cases_step(t, c, &step);
}

static int
seal_one(struct outbox *o, struct turn *t, size_t i, int64_t mono_ms)
{
	struct kl_msg_id id = o->e[i].id;
	struct case_row c;
	struct out_row row;
	int r;

	if ((r = outbox_row(t, &id, &row)) != KL_OK)
		return r;
	r = cases_get(t, &row.conv, &c);
	if (r == KL_E_NOT_FOUND) {	/* the case is gone, this with it */
		outbox_drop(o, &id);
		return store_del(t->store, STORE_OUT, KL_BYTES_OF(id));
	}
	if (r != KL_OK)
		return r;
	r = outbox_seal_message(t, &c, &row);
	if (r == KL_E_AGAIN) {
		o->e[i].due_ms = mono_ms + KEY_PAUSE_MS;
		return note_wait(t, &row);
	}
	if (r == KL_E_NOT_FOUND) {
		row.code = KL_C_REFERRAL_UNKNOWN;
		r = KL_E_REFUSED;
	}
	if (r == KL_E_REFUSED) {
		r = refused_before_sealing(o, t, &c, &row);
	} else if (r == KL_OK) {
		o->e[i].state = OUT_SEALED;
		r = sealed(t, &c, &row);
	}
	if (r == KL_OK)
		r = cases_note_end(t, &c);
	return r != KL_OK ? r : cases_put(t, &c);
}

int
outbox_seal(struct outbox *o, struct turn *t, int64_t mono_ms)
{
	for (size_t i = 0; i < o->n; i++) {
		struct kl_msg_id id = o->e[i].id;
		size_t mark = kl_arena_mark(t->mem);
		int r;

		if (!o->e[i].first || o->e[i].state != OUT_DRAFT ||
		    o->e[i].due_ms > mono_ms)
			continue;
		r = seal_one(o, t, i, mono_ms);
		kl_arena_release(t->mem, mark);
		if (r != KL_OK)
			return r;
		/* It went: another stands in its place. */
		if (i < o->n && memcmp(&o->e[i].id, &id, sizeof id) != 0)
			i--;
	}
	return KL_OK;
}

/* ---- sending --------------------------------------------------------- */

int
outbox_next(struct outbox *o, struct turn *t, int64_t mono_ms,
    struct out_submit *out)
{
	int r;

	for (size_t i = 0; i < o->n &&
	    o->in_flight < OUTBOX_IN_FLIGHT_MAX; i++) {
		struct entry *e = &o->e[i];

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

int64_t
outbox_wait_ms(const struct outbox *o, int64_t mono_ms)
{
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < o->n; i++)
		if (!o->e[i].in_flight && o->e[i].due_ms < first &&
		    (o->e[i].state == OUT_SEALED || o->e[i].first))
			first = o->e[i].due_ms;
	if (first == INT64_MAX || o->in_flight >= OUTBOX_IN_FLIGHT_MAX)
		return -1;
	return first > mono_ms ? first - mono_ms : 0;
}

static void
landed(struct outbox *o, struct entry *e)
{
	o->in_flight -= e->in_flight ? 1 : 0;
	e->in_flight = false;
}

void
outbox_unanswered(struct outbox *o, const struct kl_msg_id *id,
    int64_t due_mono_ms)
{
	struct entry *e = find(o, id);

	if (e == NULL)
		return;
	landed(o, e);
	e->due_ms = due_mono_ms;
}

void
outbox_defer(struct outbox *o, const struct kl_msg_id *id,
    uint32_t at_least_ms, int64_t mono_ms)
{
	struct entry *e = find(o, id);
	int64_t wait = BACKOFF_FIRST_MS;

	if (e == NULL)
		return;
	landed(o, e);
	for (uint32_t i = 0; i < e->attempts && wait < BACKOFF_LAST_MS; i++)
		wait *= 2;
	if (wait > BACKOFF_LAST_MS)
		wait = BACKOFF_LAST_MS;
	if (wait < at_least_ms)
		wait = at_least_ms;
	e->attempts++;
	e->due_ms = mono_ms + wait;
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

/* ---- what time brings ------------------------------------------------ */

int
outbox_submit_again(struct outbox *o, struct turn *t)
{
	struct store_entry at = { .n_key = 0 };
	struct out_row row;
	int r;

	while ((r = next_row(t, &at, &row)) == KL_OK) {
		if (row.state != OUT_ACCEPTED || row.origin == t->origin)
			continue;
		row.state = OUT_SEALED;
		if ((r = outbox_put_row(t, &row)) != KL_OK)
			return r;
	}
	return r == KL_E_NOT_FOUND ? outbox_load(o, t) : r;
}

static int
end_unanswered(struct outbox *o, struct turn *t, struct case_row *c,
    struct out_row *row)
{
	bool left = row->state == OUT_ACCEPTED;
	struct engine_step step;
	int r;

	memset(&step, 0, sizeof step);
	step.what = left ? ENGINE_UNCERTAIN : ENGINE_EXPIRED;
	step.kind = row->kind;
	step.ours = true;
	step.msg_id = row->id;
	row->state = left ? OUT_UNCERTAIN : OUT_EXPIRED;
	cases_settle(c, row->kind);
	outbox_drop(o, &row->id);
	if (row->kind == KL_REFERRAL) {
		/* What never left is refused here: nobody ever had it. */
		if (left)
			(void)kl_progress_event(&c->sent, KL_ST_UNCERTAIN);
		else
			c->refused = KL_C_EXPIRED;
	}
	if ((r = outbox_erase_sealed(t, row)) != KL_OK ||
	    (r = outbox_put_row(t, row)) != KL_OK ||
	    (r = alarm_raise(t, left ? ENGINE_AL_UNCERTAIN :
	    ENGINE_AL_EXPIRED, KL_C_EXPIRED, &c->conv)) != KL_OK ||
	    (r = cases_step(t, c, &step)) != KL_OK ||
	    (r = events_add(t, ENGINE_EV_STATE, &c->conv, step.n)) != KL_OK)
		return r;
	kl_trace(t->trace, &(struct kl_trace_line){ .at_ms = t->now_ms,
	    .event = left ? "uncertain" : "expired", .msg = &row->id,
	    .conv = &row->conv });
	if ((r = cases_note_end(t, c)) != KL_OK)
		return r;
	return cases_put(t, c);
}

int
outbox_timer(struct outbox *o, struct turn *t, const struct kl_msg_id *id,
    bool expiry)
{
	struct case_row c;
	struct out_row row;
	int r = outbox_row(t, id, &row);

	if (r == KL_E_NOT_FOUND)
		return KL_OK;
	if (r != KL_OK)
		return r;
	if (row.state > OUT_ACCEPTED)
		return KL_OK;
	if (!expiry)
		return alarm_raise(t, ENGINE_AL_DEADLINE, 0, &row.conv);
	/* Sealed later than it was drafted: its own term counts. An accepted
	 * one has a notice on its way; an hour more for it to come. */
	if (row.expire_ms + (row.state == OUT_ACCEPTED ? KL_HOUR_MS : 0) >
	    t->now_ms)
		return timers_put(t->store, row.expire_ms + KL_HOUR_MS,
		    TIMER_EXPIRE, id->b);
	if ((r = cases_get(t, &row.conv, &c)) == KL_E_NOT_FOUND)
		return KL_OK;
	return r != KL_OK ? r : end_unanswered(o, t, &c, &row);
}

int
outbox_forget(struct outbox *o, struct turn *t, const struct case_row *c)
{
	struct engine_step s = { .n = 0 };
	int r;

	while ((r = cases_step_next(t, c, s.n, &s)) == KL_OK) {
		if (!s.ours)
			continue;
		outbox_drop(o, &s.msg_id);
		if ((r = store_del(t->store, STORE_OUT,
		    KL_BYTES_OF(s.msg_id))) != KL_OK ||
		    (r = store_del(t->store, STORE_SIGNED,
		    KL_BYTES_OF(s.msg_id))) != KL_OK ||
		    (r = store_del(t->store, STORE_SEALED,
		    KL_BYTES_OF(s.msg_id))) != KL_OK ||
		    (r = store_del(t->store, STORE_FEEDBACK,
		    KL_BYTES_OF(s.msg_id))) != KL_OK)
			return r;
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}
