#include "broker/core/withdraw_end.h"

#include <string.h>

#include <kortelijn/crypto/hash.h>

#include "broker/core/retain_end.h"
#include "broker/core/timer.h"

/* One conversation that ends: the one that was withdrawn, or one under it. */
struct ending {
	struct withdraw *w;
	struct conversation *c;
	uint32_t scope;
	struct kl_bytes parent;		/* in a child: that of its REFERRAL */
	bool proven;			/* its parties can verify the link */

	/* what its messages tell */
	bool referral_seen;
	bool content_out;		/* its receiver may have it */
	uint64_t kept_back;		/* FEEDBACK that never left */
	bool last_kept_back;
};

/* ---- the leaf ---------------------------------------------------------- */

static bool
stands_for(const struct withdraw *w, const struct kl_id *is)
{
	return registry_stands_for(w->registry, &w->w.signer, is,
	    w->t->now_ms);
}

static void
watch(struct turn *t, const struct kl_conv_id *conv,
    const struct kl_record *rec, uint64_t leaf)
{
	if (t->n_events < t->events_cap)
		t->events[t->n_events++] = (struct turn_event){
			.event = rec->event, .conv = *conv,
			.body = rec->body_hash, .leaf = leaf };
}

int
withdraw_end_log(struct withdraw *w, const struct conversation *c,
    uint64_t *index)
{
	struct turn *t = w->t;
	struct kl_record rec = { .event = KL_EV_CONSENT_WITHDRAWN,
		.org_from = w->w.signer, .actor_role = w->signer->role,
		.kind = w->w.scope == KL_SCOPE_FEEDBACK ? KL_FEEDBACK : 0,
		.actor_key_id = w->w.signer_key_id, .body_hash = w->hash };
	struct journal_leaf leaf;
	int err;

	if (c != NULL) {
		rec.conv_ref = c->ref;
		rec.org_from = c->sender;
		rec.org_to = c->receiver;
		if (!stands_for(w, &c->sender) &&
		    stands_for(w, &c->receiver)) {
			rec.org_from = c->receiver;
			rec.org_to = c->sender;
		}
	}
	err = journal_append(t->journal, t->txn, t->now_ms, &rec, t->mem,
	    &leaf);
	if (err != KL_OK)
		return err;
	*index = leaf.index;
	watch(t, c != NULL ? &c->id : &w->w.conv_id, &rec, leaf.index);
	return KL_OK;
}

/* ---- its messages ------------------------------------------------------ */

static uint32_t
code_of(const struct ending *e)
{
	return e->scope == KL_SCOPE_ALL ? KL_C_CONVERSATION_ENDED :
	    KL_C_NO_FEEDBACK_CONSENT;
}

static bool
under_way(const struct message *m)
{
	return m->state == KL_MSG_ACCEPTED || m->state == KL_MSG_RELEASED;
}

/* Whether it left at any time. */
static bool
left(const struct message *m)
{
	return m->state == KL_MSG_DELIVERED || m->state == KL_MSG_LOST ||
	    m->state == KL_MSG_UNCONFIRMED;
}

static void
count(struct ending *e, const struct message *m)
{
	struct withdraw_counts *n = &e->w->counts;

	n->erased += m->state == KL_MSG_WITHDRAWN;
	n->unconfirmed += m->state == KL_MSG_UNCONFIRMED;
	n->released_before += m->state == KL_MSG_DELIVERED ||
	    m->state == KL_MSG_LOST;
	if (m->kind != KL_FEEDBACK) {
		e->referral_seen |= m->kind == KL_REFERRAL;
		e->content_out |= left(m);
		return;
	}
	e->kept_back += left(m) ? 0 : 1;
	e->last_kept_back |= m->state == KL_MSG_WITHDRAWN &&
	    m->seq == e->c->seq_receiver;
}

static int
message_end(struct ending *e, struct message *m)
{
	struct withdraw *w = e->w;
	const bool waits = m->state == KL_MSG_ACCEPTED;
	int err = KL_OK;

	if (e->scope == KL_SCOPE_FEEDBACK && m->kind != KL_FEEDBACK)
		return KL_OK;
	if (under_way(m))
		err = mailbox_withdraw(w->t, e->c, m, code_of(e),
		    &w->w.signer_key_id, w->signer->role);
	/* Another may follow, which would wait for it. */
	if (err == KL_OK && waits && e->scope == KL_SCOPE_FEEDBACK)
		err = mailbox_put_gap(w->t, e->c, m);
	if (err == KL_OK)
		count(e, m);
	return err;
}

static int
messages_end(struct ending *e)
{
	struct turn *t = e->w->t;
	const size_t mark = kl_arena_mark(t->mem);
	struct kl_tag at = { { 0 } };
	struct message m;
	bool first = true;
	int err;

	while ((err = message_next_of(t, &e->c->tag, &at, first, &m)) ==
	    KL_OK) {
		first = false;
		at = m.tag;
		err = message_get(t, &at, e->c, &m);
		if (err == KL_OK)
			err = message_end(e, &m);
		/* What was forgotten meanwhile stops nothing. */
		if (err != KL_OK && err != KL_E_NOT_FOUND)
			return err;
		kl_arena_release(t->mem, mark);
	}
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

/* ---- its state --------------------------------------------------------- */

static int
close_all(struct ending *e)
{
	struct registry *r = e->w->registry;

	/* Counted once more, and its term begins anew: it is kept for the
	 * receipts that are owed now. */
	if (e->c->state != KL_CONV_OPEN)
		retain_reopen(r, e->c);
	e->c->state = KL_CONV_WITHDRAWN;
	e->c->ended_ms = e->w->t->now_ms;
	return retain_close(e->w->t, r, e->c);
}

/* From here on it is a consent of level 0. What told that no help was needed
 * and never left may be told again, as that level allows it. */
static int
close_feedback(struct ending *e)
{
	struct conversation *c = e->c;

	c->level = KL_LEVEL_0;
	if (c->state == KL_CONV_ENDED && c->milestone == KL_MS_RETURNED &&
	    e->last_kept_back) {
		c->state = KL_CONV_OPEN;
		c->milestone = KL_MS_NONE;
		c->ended_ms = 0;
		retain_reopen(e->w->registry, c);
	}
	return retain_quiet(e->w->t, c, e->w->t->now_ms);
}

static int
state_end(struct ending *e)
{
	const bool all = e->scope == KL_SCOPE_ALL;
	int err;

	/* Delivered so long ago that its message is forgotten. */
	if (all && e->c->delivered && !e->referral_seen)
		e->w->counts.released_before++;
	err = all ? close_all(e) : close_feedback(e);
	return err != KL_OK ? err : conversation_put(e->w->t, e->c);
}

/* ---- the other parties ------------------------------------------------- */

static bool
sender_holds(const struct ending *e)
{
	return e->scope == KL_SCOPE_ALL || e->c->seq_receiver > e->kept_back;
}

/* After a loss, and long after the delivery, its REFERRAL is not here. */
static bool
receiver_holds(const struct ending *e)
{
	return e->c->seq_receiver > 0 || (e->scope == KL_SCOPE_ALL &&
	    (e->content_out || e->c->delivered || !e->referral_seen));
}

static int
tell(struct ending *e, const struct kl_id *party, bool holds, bool knows)
{
	struct withdraw *w = e->w;
	const struct participant *p = registry_by_id(w->registry, party);
	const struct mailbox_ask ask = { .withdrawal = w->packed,
		.parent = e->parent };
	struct owed o = { .asker = w->signer->number, .cause = w->w.cause,
		.withdrawal = w->hash, .withdrawn = w->w.conv_id };

	if (p == NULL || stands_for(w, party))
		return KL_OK;
	o.number = p->number;
	if (holds && e->proven)
		return owed_ask(w->t, w->registry, e->c, &o, &ask);
	return !knows ? KL_OK : mailbox_put_notice(w->t, e->c, NULL,
	    p->number, KL_NOTICE_WITHDRAWN, e->scope == KL_SCOPE_ALL ?
	    KL_C_OK : KL_C_NO_FEEDBACK_CONSENT);
}

static int
tell_both(struct ending *e)
{
	const bool there = receiver_holds(e);
	int err = tell(e, &e->c->sender, sender_holds(e), true);

	/* Who never had the REFERRAL learns nothing of it now. */
	return err != KL_OK ? err : tell(e, &e->c->receiver, there,
	    there || e->scope == KL_SCOPE_FEEDBACK);
}

static int
end_one(struct ending *e, uint64_t *leaf)
{
	int err;

	if ((err = withdraw_end_log(e->w, e->c, leaf)) != KL_OK ||
	    (err = messages_end(e)) != KL_OK ||
	    (err = state_end(e)) != KL_OK)
		return err;
	return tell_both(e);
}

/* ---- what stands under it ---------------------------------------------- */

struct child {
	struct child *next;
	struct kl_tag tag;
	struct kl_bytes parent;		/* the REFERRAL withdrawn; none: it */
};					/* stands further down */

/* Behind *last. */
static int
children_add(struct turn *t, const struct kl_hash *hash,
    struct kl_bytes parent, struct child **last)
{
	struct kl_tag at = { { 0 } };
	struct child *one;
	bool first = true;
	int err;

	while ((err = conversation_next_child(t, hash, &at, first, &at)) ==
	    KL_OK) {
		first = false;
		if ((one = kl_arena_alloc(t->mem, sizeof *one)) == NULL)
			return KL_E_MEMORY;
		one->tag = at;
		one->parent = parent;
		(*last)->next = one;
		*last = one;
	}
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

/* The signed REFERRAL that children name; none is no reason to let them go
 * on. */
static int
parent_body(struct withdraw *w, struct kl_bytes *out)
{
	int err = conversation_body(w->t, &w->conv, out);

	if (err == KL_E_NOT_FOUND)
		*out = KL_BYTES_NONE;
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

/* Those of the REFERRAL that counts, and of one that it took the place of. */
static int
direct_children(struct withdraw *w, struct child **last)
{
	struct kl_tag tag = { { 0 } };
	struct kl_bytes parent;
	struct kl_signed s;
	struct kl_hash hash;
	int err = parent_body(w, &parent);

	if (err == KL_OK)
		err = children_add(w->t, &w->conv.referral, parent, last);
	while (err == KL_OK && (err = conversation_next_former(w->t, &w->conv,
	    &tag, &parent)) == KL_OK) {
		if (kl_signed_read(parent, w->t->mem, &s) != KL_C_OK)
			return KL_E_DAMAGED;
		hash = kl_hash_of(s.body);
		err = children_add(w->t, &hash, parent, last);
	}
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

static int
child_end(struct withdraw *w, const struct child *one,
    struct conversation *c)
{
	struct ending e = { .w = w, .c = c, .scope = KL_SCOPE_ALL,
		.parent = one->parent, .proven = one->parent.n > 0 };
	uint64_t leaf;
	int err = conversation_get(w->t, &one->tag, c);

	return err != KL_OK || c->state == KL_CONV_WITHDRAWN ? err :
	    end_one(&e, &leaf);
}

/* In the order in which they are found, each once: a child names one parent,
 * whose hash it had before it was made. */
static int
children_end(struct withdraw *w)
{
	struct child top = { .next = NULL }, *last = &top;
	struct conversation c;
	size_t mark;
	int err = direct_children(w, &last);

	for (struct child *one = top.next; one != NULL && err == KL_OK;
	    one = one->next) {
		mark = kl_arena_mark(w->t->mem);
		err = child_end(w, one, &c);
		kl_arena_release(w->t->mem, mark);
		if (err == KL_OK)
			err = children_add(w->t, &c.referral, KL_BYTES_NONE,
			    &last);
		if (err == KL_E_NOT_FOUND)
			err = KL_OK;
	}
	return err;
}

int
withdraw_end_child(struct withdraw *w, struct conversation *c)
{
	struct child one = { .tag = c->tag };
	int err = parent_body(w, &one.parent);

	return err != KL_OK ? err : child_end(w, &one, c);
}

/* ---- all of it --------------------------------------------------------- */

int
withdraw_end(struct withdraw *w)
{
	struct ending e = { .w = w, .c = &w->conv, .scope = w->w.scope,
		.proven = true };
	int err = end_one(&e, &w->counts.leaf);

	return err != KL_OK || w->w.scope != KL_SCOPE_ALL ? err :
	    children_end(w);
}
