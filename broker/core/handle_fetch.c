#include "broker/core/fetch.h"

#include <string.h>

#include <kortelijn/base/time.h>

#include "broker/core/acks.h"
#include "broker/core/cycle.h"

#define ROWS_MAX 256		/* of one mailbox that end or go along */
#define SEEN_MAX 256		/* conversations whose oldest was looked at */
#define SKIP_MAX 4096		/* that wait behind one that was seen */
#define ENDED_MAX 512		/* of one turn: it must fit a commit */
#define LATER_MS 1
#define BODY_MAX (KL_FRAME_MAX - 184)	/* of a Reply: PROTOCOL.md 6.1.2 */
#define REPEAT_STEP_MS KL_HOUR_MS
#define ASK_AGAIN_MS KL_HOUR_MS	/* ERASE_REQUESTs without an answer */
#define REPEATS_MAX 24		/* hours in which it was sent again: given up */

/* What one FETCH takes along. */
struct haul {
	struct core *core;
	struct turn *t;
	const struct participant *by;
	struct kl_key_id key_id;	/* of its card */
	uint64_t *asked;		/* in the mailbox that is looked at */
	struct answer *a;
	struct kl_fetch_reply reply;
	size_t bytes;
	struct kl_tag conv[SEEN_MAX];	/* whose oldest envelope was seen */
	size_t n_conv;
	/* Of which an envelope stays here: what is behind it stays too. */
	struct kl_tag staying[SEEN_MAX];
	size_t n_staying;
	bool full;
	bool later;			/* so much ended: ask again */
};

static bool
is_among(const struct kl_tag *tags, size_t n, const struct kl_tag *conv)
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(tags[i].b, conv->b, sizeof conv->b) == 0)
			return true;
	return false;
}

static bool
oldest_seen(const struct haul *h, const struct kl_tag *conv)
{
	return is_among(h->conv, h->n_conv, conv);
}

static void
stays(struct haul *h, const struct kl_tag *conv)
{
	if (h->n_staying < SEEN_MAX &&
	    !is_among(h->staying, h->n_staying, conv))
		h->staying[h->n_staying++] = *conv;
}

static int
item_add(struct haul *h, const struct conversation *c,
    const struct mailbox_row *row, const struct message *m)
{
	struct kl_bytes item, ct;
	int err = mailbox_render(h->t, c, row, m, &item, &ct);

	if (err != KL_OK)
		return err;
	h->reply.item[h->reply.n_item++] = item;
	h->bytes += item.n + 4;
	if (m != NULL)
		h->a->ct[h->a->n_ct++] = ct;
	h->full = h->reply.n_item == KL_ITEMS_MAX;
	return KL_OK;
}

/* Sent again, hour after hour, and never a receipt: it is given up. */
static int
repeat(struct haul *h, struct conversation *c, struct message *m)
{
	const int64_t now_ms = h->t->now_ms;

	if (h->t->untrusted || now_ms - m->repeated_ms < REPEAT_STEP_MS)
		return KL_OK;
	m->repeated_ms = now_ms;
	if (++m->repeats > REPEATS_MAX)
		return retain_end(h->t, &h->core->registry, c, m,
		    KL_C_EXPIRED);
	return message_put(h->t, c, m);
}

static int
release(struct haul *h, struct conversation *c, struct message *m)
{
	if (m->state == KL_MSG_RELEASED)
		return repeat(h, c, m);
	m->repeated_ms = h->t->now_ms;
	return mailbox_move(h->t, c, m, KL_MSG_RELEASED, KL_C_OK, &h->key_id,
	    h->by->role, NULL);
}

/* The oldest of its conversation and sender. What may not go any more ends
 * here, and the next one comes in its place. */
static int
envelope_take(struct haul *h, const struct mailbox_row *row)
{
	struct conversation c;
	struct message m;
	enum kl_code code;
	int err;

	err = conversation_get(h->t, &row->conv, &c);
	if (err == KL_OK)
		err = message_get(h->t, &row->message, &c, &m);
	/* Nothing opens it any more, and it must not hold up the others. */
	if (err == KL_E_NOT_FOUND)
		return mailbox_drop(h->t, row);
	if (err != KL_OK)
		return err;
	code = retain_check(h->t, &h->core->registry, &c, &m);
	if (code != KL_C_OK && code != KL_C_NOT_REPORTED_IN &&
	    code != KL_C_TRY_LATER)
		return retain_end(h->t, &h->core->registry, &c, &m, code);
	h->conv[h->n_conv++] = row->conv;
	if (code != KL_C_OK) {
		stays(h, &row->conv);
		return KL_OK;
	}
	if ((err = release(h, &c, &m)) != KL_OK)
		return err;
	return m.state == KL_MSG_RELEASED ? item_add(h, &c, row, &m) : KL_OK;
}

/* One that was brought in this session and is not answered yet. */
static bool
asked_before(struct haul *h, const struct mailbox_row *row)
{
	return row->item <= *h->asked;
}

static void
asked_begin(struct session *s)
{
	if (kl_mono_ms() - s->asked_ms < ASK_AGAIN_MS)
		return;
	memset(s->asked, 0, sizeof s->asked);
	s->asked_ms = kl_mono_ms();
}

static int
statement_take(struct haul *h, const struct mailbox_row *row)
{
	struct conversation c;
	int err = conversation_get(h->t, &row->conv, &c);

	/* Past its term, and so is what was said of it. */
	if (err == KL_E_NOT_FOUND ||
	    (err == KL_OK && row->item <= c.born_item))
		return mailbox_drop(h->t, row);
	if (row->stays)
		*h->asked = row->item;
	return err != KL_OK ? err : item_add(h, &c, row, NULL);
}

/* An item and its frame fit whatever they hold. */
static bool
has_room(const struct haul *h)
{
	return !h->full && h->bytes + KL_STATEMENT_MAX + KL_RECORD_MAX <=
	    BODY_MAX;
}

/* It waits for its turn, or for that of its conversation. A notice may be a
 * GAP: who gets it before the REFERRAL knows of no conversation, passes over
 * it, and refuses what comes after the gap. */
static bool
to_skip(struct haul *h, const struct mailbox_row *row)
{
	if (row->stays)
		return asked_before(h, row);
	if (row->sort == KL_NOTICE + 1)
		return h->n_staying == SEEN_MAX ||
		    is_among(h->staying, h->n_staying, &row->conv);
	if (row->sort != KL_SORT_ENVELOPE)
		return false;
	if (oldest_seen(h, &row->conv))
		return true;
	if (h->a->n_ct < KL_FETCH_ENVELOPES_MAX && h->n_conv < SEEN_MAX &&
	    !h->core->loaded.drain)
		return false;
	stays(h, &row->conv);
	return true;
}

/* What ends has a statement for its sender, and those are numbered. */
static bool
much_ended(const struct haul *h)
{
	return h->core->box.items - h->core->box.committed > ENDED_MAX;
}

static int
row_take(struct haul *h, const struct mailbox_row *row)
{
	const size_t mark = kl_arena_mark(h->t->mem);
	const size_t before = h->reply.n_item;
	int err = row->sort == KL_SORT_ENVELOPE ? envelope_take(h, row) :
	    statement_take(h, row);

	/* Only what goes along is kept. */
	if (h->reply.n_item == before)
		kl_arena_release(h->t->mem, mark);
	return err;
}

static int
haul_mailbox(struct haul *h, uint32_t number)
{
	struct mailbox_row row = { .item = 0 };
	int taken = 0, skipped = 0, err;
	size_t seen;

	while (taken < ROWS_MAX && skipped < SKIP_MAX && has_room(h)) {
		err = mailbox_next(h->t, number, row.item, &row);
		if (err == KL_E_NOT_FOUND)
			return KL_OK;
		if (err != KL_OK)
			return err;
		if (to_skip(h, &row)) {
			skipped++;
			continue;
		}
		if ((h->later = much_ended(h)))
			return KL_OK;
		seen = h->n_conv;
		if ((err = row_take(h, &row)) != KL_OK)
			return err;
		/* What has to wait is no reason that nothing else goes. */
		taken += h->n_conv == seen ? 1 : 0;
	}
	return KL_OK;
}

/* Releases what may go and packs it into *a; *some: there is something to
 * answer, if only that it must be asked again. */
static int
haul_all(struct core *c, const struct participant *p, struct answer *a,
    bool *some)
{
	const struct registry_card *card = registry_card_now(p,
	    c->turn.now_ms);
	struct haul h = { .core = c, .t = &c->turn, .by = p, .a = a };
	struct session *s = &c->session[p->number - 1];
	uint32_t box[ACKS_MAILBOXES_MAX];
	size_t n = acks_mailboxes(c, p, box);
	int err = KL_OK;

	*some = false;
	if (card == NULL)
		return KL_OK;
	h.key_id = card->key_id;
	asked_begin(s);
	for (size_t i = 0; i < n && err == KL_OK && !h.later; i++) {
		h.asked = &s->asked[i];
		err = haul_mailbox(&h, box[i]);
	}
	*some = h.reply.n_item > 0;
	if (err == KL_OK && !*some && h.later) {
		*some = true;
		return answer_refuse_for(a, KL_C_TRY_LATER, LATER_MS);
	}
	return err != KL_OK || !*some ? err :
	    KL_MESSAGE_PACK_IN(KL_M_FETCH_REPLY, &h.reply, c->mem, &a->body);
}

/* ---- FETCHes that wait ---- */

static int
held_answer(struct core *c, struct session *s, const struct answer *a)
{
	s->due_ms = 0;
	return cycle_reply(c, &s->route, s->generation, KL_FETCH,
	    s->fetch_id, a);
}

static int
held_end(struct core *c, struct session *s)
{
	const struct answer nothing = { .code = KL_C_OK };

	return s->due_ms == 0 ? KL_OK : held_answer(c, s, &nothing);
}

int
fetch_end(struct core *c, const struct participant *p)
{
	return held_end(c, &c->session[p->number - 1]);
}

static int
wake_one(struct core *c, struct participant *p)
{
	struct session *s = &c->session[p->number - 1];
	struct answer a = { .code = KL_C_OK };
	bool some;
	int err;

	if (s->due_ms == 0 || c->n_reply == TURN_REPLIES_MAX)
		return KL_OK;
	kl_arena_reset(c->mem);
	err = haul_all(c, p, &a, &some);
	if (err != KL_OK || !some)
		return err;
	c->stats.wakes++;
	return held_answer(c, s, &a);
}

/* Whoever fetches from this mailbox. */
static int
wake_number(struct core *c, uint32_t number)
{
	struct participant *p = registry_by_number(&c->registry, number);
	struct participant *heir;
	int err;

	if (p == NULL)
		return KL_OK;
	if ((err = wake_one(c, p)) != KL_OK)
		return err;
	heir = registry_successor(&c->registry, &p->id, c->turn.now_ms);
	return heir == NULL ? KL_OK : wake_one(c, heir);
}

int
fetch_wake(struct core *c)
{
	int err = KL_OK;

	/* What ends on the way is told to others, who are woken then. */
	for (size_t i = 0; i < c->box.n_touched && err == KL_OK; i++)
		err = wake_number(c, c->box.touched[i]);
	for (uint32_t i = 1; c->box.touched_more && i <= c->registry.n &&
	    err == KL_OK; i++)
		err = wake_number(c, i);
	return err;
}

int
fetch_expire(struct core *c)
{
	const int64_t now_ms = kl_mono_ms();
	int err = KL_OK;

	if (now_ms < c->fetch_due_ms)
		return KL_OK;
	c->fetch_due_ms = INT64_MAX;
	for (size_t i = 0; i < c->registry.n && err == KL_OK; i++) {
		struct session *s = &c->session[i];

		if (s->due_ms == 0)
			continue;
		if (s->due_ms <= now_ms && c->n_reply < TURN_REPLIES_MAX)
			err = held_end(c, s);
		else if (s->due_ms < c->fetch_due_ms)
			c->fetch_due_ms = s->due_ms;
	}
	return err;
}

void
fetch_undo(struct core *c)
{
	for (size_t i = 0; i < c->registry.n; i++)
		memset(c->session[i].asked, 0, sizeof c->session[i].asked);
}

int64_t
fetch_due_ms(const struct core *c)
{
	return c->fetch_due_ms;
}

static void
hold(struct core *c, const struct request *q, uint32_t wait_ms)
{
	struct session *s = q->session;

	s->due_ms = kl_mono_ms() + wait_ms;
	s->fetch_id = q->msg.request_id;
	if (s->due_ms < c->fetch_due_ms)
		c->fetch_due_ms = s->due_ms;
	c->stats.held++;
}

int
handle_fetch(struct core *c, const struct request *q, struct answer *a)
{
	struct kl_fetch m;
	enum kl_code code;
	bool some;
	int err;

	code = KL_MESSAGE_READ(KL_M_FETCH, q->msg.body, c->in_mem, &m);
	if (code != KL_C_OK)
		return answer_refuse(a, code);
	if ((err = fetch_end(c, q->by)) != KL_OK ||
	    (err = acks_take(c, q->by, m.ack, m.n_ack, a)) != KL_OK ||
	    a->code != KL_C_OK)
		return err;
	if ((err = haul_all(c, q->by, a, &some)) != KL_OK)
		return err;
	if (!some && m.wait_ms > 0) {
		hold(c, q, m.wait_ms);
		a->held = true;
	}
	return KL_OK;
}
