#include "adapters/common/purge.h"

#include <string.h>

#include "adapters/common/backup_void.h"

/* One case on its way to another key. */
struct purge {
	struct turn *t;
	struct outbox *o;
	struct case_row *c;
	uint32_t scope;			/* enum kl_scope */
	uint32_t old;			/* slot */
	bool held;
};

/* Rows whose key begins with the conversation. */
static int
each_of_case(struct purge *p, char table,
    int (*act)(struct purge *p, char table, struct kl_bytes key))
{
	const struct kl_conv_id *conv = &p->c->conv;
	struct store_entry at = { .n_key = sizeof *conv };
	int r;

	memcpy(at.key, conv, sizeof *conv);
	while ((r = store_seek(p->t->store, table, kl_bytes(at.key,
	    at.n_key), true, &at)) == KL_OK &&
	    memcmp(at.key, conv, sizeof *conv) == 0)
		if ((r = act(p, table, kl_bytes(at.key, at.n_key))) != KL_OK)
			return r;
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

static int
erase_row(struct purge *p, char table, struct kl_bytes key)
{
	return store_del(p->t->store, table, key);
}

/* ---- messages -------------------------------------------------------- */

/* Under the key that stays; nothing if it is not there. */
static int
carry(struct purge *p, char table, struct kl_bytes key)
{
	size_t mark = kl_arena_mark(p->t->mem);
	struct kl_bytes v;
	int r = store_get_sealed(p->t->store, table, key, p->t->mem, &v);

	if (r == KL_OK)
		r = store_put_sealed(p->t->store, table, key, p->c->slot, v);
	kl_arena_release(p->t->mem, mark);
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

static int
carry_message(struct purge *p, struct kl_bytes id)
{
	int r = carry(p, STORE_SIGNED, id);

	if (r == KL_OK)
		r = carry(p, STORE_SEALED, id);
	return r != KL_OK ? r : carry(p, STORE_FEEDBACK, id);
}

static int
erase_message(struct purge *p, struct kl_bytes id)
{
	int r = store_del(p->t->store, STORE_SIGNED, id);

	if (r == KL_OK)
		r = store_del(p->t->store, STORE_SEALED, id);
	return r != KL_OK ? r : store_del(p->t->store, STORE_FEEDBACK, id);
}

/* A FEEDBACK at level 0 is a letter returned, and no consent's. */
static int
is_of_scope(struct purge *p, const struct out_row *row, bool *is)
{
	size_t mark = kl_arena_mark(p->t->mem);
	struct kl_feedback f;
	int r;

	*is = p->scope == KL_SCOPE_ALL;
	if (*is || row->kind != KL_FEEDBACK)
		return KL_OK;
	r = store_get_sealed_row(p->t->store, STORE_FEEDBACK,
	    KL_BYTES_OF(row->id), p->t->mem, &f, sizeof f);
	kl_arena_release(p->t->mem, mark);
	*is = r != KL_OK || f.level > KL_LEVEL_0;
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

static int
end_message(struct purge *p, struct out_row *row)
{
	const bool waited = row->state <= OUT_ACCEPTED ||
	    row->state == OUT_UNCERTAIN;
	int r = erase_message(p, KL_BYTES_OF(row->id));

	outbox_drop(p->o, &row->id);
	if (r != KL_OK || !waited)
		return r;
	row->state = OUT_WITHDRAWN;
	kl_trace(p->t->trace, &(struct kl_trace_line){
	    .at_ms = p->t->now_ms, .event = "withdrawn", .msg = &row->id,
	    .conv = &row->conv });
	return outbox_put_row(p->t, row);
}

static int
purge_message(struct purge *p, const struct kl_msg_id *id)
{
	struct out_row row;
	bool is;
	int r = outbox_row(p->t, id, &row);

	/* Sealed anew under another id, which has a step of its own. */
	if (r == KL_E_NOT_FOUND)
		return erase_message(p, KL_BYTES_OF(*id));
	if (r != KL_OK || (r = is_of_scope(p, &row, &is)) != KL_OK)
		return r;
	p->held |= is;
	return is ? end_message(p, &row) :
	    carry_message(p, KL_BYTES_OF(row.id));
}

/* ---- history --------------------------------------------------------- */

/* What was told of the help: the last state stays, and none before it. */
static void
blank(struct purge *p, struct engine_step *s)
{
	if (p->scope != KL_SCOPE_ALL && p->c->mine == 0)
		return;
	if (s->kind == KL_FEEDBACK || s->feedback.code != 0) {
		p->held = true;
		s->state = p->c->sent.code;
	}
	memset(&s->feedback, 0, sizeof s->feedback);
	if (p->scope == KL_SCOPE_ALL)
		s->changed = 0;
}

static int
purge_steps(struct purge *p)
{
	static const struct kl_msg_id none;
	struct engine_step s;
	int r;

	for (uint64_t n = 1; n <= p->c->steps; n++) {
		size_t mark = kl_arena_mark(p->t->mem);

		r = cases_step_next(p->t, p->c, n - 1, &s);
		kl_arena_release(p->t->mem, mark);
		if (r == KL_E_NOT_FOUND)
			continue;
		if (r == KL_OK && s.ours && memcmp(&s.msg_id, &none,
		    sizeof none) != 0)
			r = purge_message(p, &s.msg_id);
		if (r != KL_OK)
			return r;
		blank(p, &s);
		if ((r = cases_step_rewrite(p->t, p->c, &s)) != KL_OK)
			return r;
	}
	return KL_OK;
}

/* ---- the case -------------------------------------------------------- */

/* The other side's REFERRAL, the receipt that is held of ours, and what the
 * desk tried to reach the resident. */
static int
purge_papers(struct purge *p)
{
	const struct kl_bytes conv = KL_BYTES_OF(p->c->conv);
	const struct kl_bytes msg = KL_BYTES_OF(p->c->referral_msg);
	int r;

	if (p->scope == KL_SCOPE_ALL) {
		r = store_del(p->t->store, STORE_SIGNED, msg);
		if (r == KL_OK)
			r = store_del(p->t->store, STORE_GOT, conv);
		return r != KL_OK ? r :
		    each_of_case(p, STORE_ATTEMPT, erase_row);
	}
	if ((r = carry(p, STORE_SIGNED, msg)) != KL_OK ||
	    (r = carry(p, STORE_GOT, conv)) != KL_OK)
		return r;
	return each_of_case(p, STORE_ATTEMPT, carry);
}

static void
blank_case(struct purge *p)
{
	struct case_row *c = p->c;

	if (p->scope == KL_SCOPE_ALL || c->mine != 0) {
		memset(&c->sent.last, 0, sizeof c->sent.last);
		memset(&c->feedback_msg, 0, sizeof c->feedback_msg);
	}
	if (p->scope != KL_SCOPE_ALL)
		return;
	memset(&c->full.last, 0, sizeof c->full.last);
	memset(&c->consent.preview_hash, 0, sizeof c->consent.preview_hash);
	c->crisis = 0;
	c->pending = 0;
}

int
purge_case(struct turn *t, struct outbox *o, struct case_row *c,
    uint32_t scope, bool *held)
{
	struct purge p = { .t = t, .o = o, .c = c, .scope = scope,
		.old = c->slot };
	int r;

	/* What a lost store left behind is known from the broker only. */
	p.held = scope == KL_SCOPE_ALL && c->husk == 0;
	*held = false;
	if ((r = store_slot_take(t->store, &c->slot)) != KL_OK) {
		c->slot = p.old;
		return r;
	}
	store_read_back(t->store);
	if ((r = backup_void_note(t)) != KL_OK ||
	    (r = purge_steps(&p)) != KL_OK ||
	    (r = purge_papers(&p)) != KL_OK ||
	    (r = store_slot_drop(t->store, p.old)) != KL_OK)
		return r;
	if (scope == KL_SCOPE_ALL &&
	    (r = cases_content_erase(t, c)) != KL_OK)
		return r;
	blank_case(&p);
	*held = p.held;
	return KL_OK;
}
