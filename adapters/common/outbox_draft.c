#include "adapters/common/outbox_draft.h"

#include <string.h>

#include <kortelijn/crypto/secret.h>

#include "adapters/common/alarm.h"
#include "adapters/common/events.h"
#include "adapters/common/outbox_priv.h"
#include "adapters/common/outbox_seal.h"
#include "adapters/common/terms.h"
#include "adapters/common/timers.h"

#define KEY_PAUSE_MS 1000	/* between looks for a receiver's key */
#define KEY_GRACE_MS (2 * KL_MINUTE_MS)	/* without a word about it */

static int
add_row(struct outbox *o, struct turn *t, struct out_row *row)
{
	int r;

	row->order = ++o->order;
	row->state = OUT_DRAFT;
	if ((r = outbox_put_row(t, row)) != KL_OK)
		return r;
	t->want_submit = true;
	return outbox_append(o, row);
}

int
outbox_draft_add(struct outbox *o, struct turn *t, struct case_row *c,
    uint32_t kind, const struct kl_feedback *f, uint32_t milestone)
{
	const struct terms_for terms = { kind, c->crisis != 0, c->level };
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
	row.expire_ms = terms_of(t->policy, NULL, &terms,
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
	struct outbox_entry *e = outbox_find(o, old);

	if (e == NULL)
		return;
	o->in_flight -= e->in_flight ? 1 : 0;
	*e = (struct outbox_entry){ .id = row->id, .conv = row->conv,
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
	kl_trace(t->trace, &(struct kl_trace_line){ .at_ms = t->now_ms,
	    .event = "given_up", .msg = &old, .conv = &row->conv });
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
	next->resealed = row->resealed + 1;
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
outbox_draft_again(struct outbox *o, struct turn *t, struct case_row *c,
    struct out_row *row, enum outbox_again how)
{
	struct out_row before = *row, next;
	struct engine_step step;
	int r;

	if (c->withdrawn == KL_SCOPE_ALL)
		return KL_E_NOT_FOUND;
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
			r = timers_put(t->store, t->now_ms + OUTBOX_PLAIN_MS,
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
	if (row->kind == KL_REFERRAL) {
		c->refused = row->code;
		if ((r = cases_content_erase(t, c)) != KL_OK)
			return r;
	}
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
	if (row->kind == KL_CORRECTION && (r = timers_put(t->store,
	    row->deliver_by_ms, TIMER_DELIVER_BY, row->id.b)) != KL_OK)
		return r;
	if (row->waited == 0)
		return KL_OK;
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
outbox_draft_seal(struct outbox *o, struct turn *t, int64_t mono_ms)
{
	for (size_t i = 0; i < o->n && !o->paused; i++) {
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
