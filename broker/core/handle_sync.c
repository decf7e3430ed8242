#include "broker/core/core.h"

#include <string.h>

#include <kortelijn/base/time.h>

#include "broker/core/acks.h"
#include "broker/core/loss.h"
#include "broker/core/present.h"
#include "broker/core/tables.h"

/* Rows that one request looks at: all that there is may be much, and others
 * wait. What is left goes on with the same request again. */
#define LIST_ROWS 128
#define DONE_ROWS 1024
#define DONE_LOST 32
#define AGAIN_MS 1

/* ---- LIST ---- */

static bool
stands_for(struct core *c, const struct participant *p,
    const struct kl_id *is)
{
	return registry_stands_for(&c->registry, &p->id, is,
	    c->turn.now_ms);
}

static int
list_add(struct core *c, const struct conversation *v,
    struct kl_sync_reply *out)
{
	struct kl_sync_conversation s = {
		.conv_id = v->id, .conv_ref = v->ref,
		.referral = v->referral, .practice = v->sender,
		.receiver = v->receiver, .state = v->state,
		.milestone = v->milestone, .last_seq_sender = v->seq_sender,
		.last_seq_receiver = v->seq_receiver,
	};
	struct kl_bytes *to = &out->conversation[out->n_conversation];
	int err;

	memcpy(s.spoken, v->spoken, sizeof s.spoken);
	err = KL_MESSAGE_PACK_IN(KL_M_SYNC_CONVERSATION, &s, c->in_mem, to);
	if (err == KL_OK)
		out->n_conversation++;
	return err;
}

/* Where the page begins: behind the last one told, or further on if there was
 * nothing to tell of what was looked at since. */
static bool
list_begin(struct core *c, struct session *s, const struct kl_conv_id *after)
{
	if (s->listing && memcmp(s->list_after.b, after->b,
	    sizeof after->b) == 0)
		return false;
	s->listing = true;
	s->list_after = *after;
	s->list_at = (struct kl_tag){ { 0 } };
	if (kl_bytes_zero(KL_BYTES_OF(*after)))
		return true;
	s->list_at = vault_tag(&c->vault, T_CONV, KL_BYTES_OF(*after));
	return false;
}

static int
list_page(struct core *c, const struct request *q, bool first,
    struct kl_sync_reply *out)
{
	const size_t mark = kl_arena_mark(c->mem);
	struct session *s = q->session;
	struct conversation v;
	int err = KL_OK;

	for (int i = 0; i < LIST_ROWS; i++) {
		if (out->n_conversation == KL_PAGE_MAX)
			return KL_OK;
		err = conversation_next(&c->turn, &s->list_at, first, &v);
		if (err != KL_OK)
			return err;
		first = false;
		s->list_at = v.tag;
		if (stands_for(c, q->by, &v.sender) ||
		    stands_for(c, q->by, &v.receiver)) {
			if ((err = list_add(c, &v, out)) != KL_OK)
				return err;
			s->list_after = v.id;
		}
		kl_arena_release(c->mem, mark);
	}
	return KL_OK;
}

static int
list(struct core *c, const struct request *q, const struct kl_sync *m,
    struct kl_sync_reply *out, struct answer *a)
{
	bool first = list_begin(c, q->session, &m->after);
	int err = list_page(c, q, first, out);

	if (err == KL_E_NOT_FOUND)
		return KL_OK;
	if (err == KL_OK && out->n_conversation == 0)
		return answer_refuse_for(a, KL_C_TRY_LATER, AGAIN_MS);
	return err;
}

/* ---- PRESENT ---- */

static enum kl_code
present_one(struct present *p, struct kl_bytes packed, int *err)
{
	struct kl_entry e;
	enum kl_code code;

	code = KL_MESSAGE_READ(KL_M_ENTRY, packed, p->t->mem, &e);
	if (code != KL_C_OK)
		return code;
	switch (e.statement) {
	case KL_RECEIPT: return present_receipt(p, e.content, err);
	case KL_WITHDRAWAL: return present_withdrawal(p, e.content, err);
	case KL_ENTRY_REFERRAL:
		/* After a take-over alone the body is here already. */
		return p->registry->must_report && !p->by->reported_in ?
		    present_referral(p, e.content, err) : KL_C_OK;
	default: return KL_C_VALUE_UNKNOWN;
	}
}

/* What is shown is stored like what is sent, and has the same allowance. */
static bool
quota_has(struct core *c, const struct request *q, const struct kl_sync *m,
    int64_t *wait_ms)
{
	const int32_t today = kl_day_of(c->turn.now_ms);
	struct session *s = q->session;
	uint64_t bytes;

	if (s->day != today) {
		s->day = today;
		s->bytes = 0;
	}
	bytes = s->bytes;
	for (size_t i = 0; i < m->n_presented; i++)
		bytes += m->presented[i].n;
	*wait_ms = kl_day_start_ms(today + 1) - c->turn.now_ms;
	return bytes <= (uint64_t)c->conf->bytes_per_day_mb << 20;
}

/* What must be presented again for want of room costs nothing yet. */
static bool
counts(enum kl_code code)
{
	return code != KL_C_TRY_LATER && code != KL_C_STORE_FULL;
}

static int
present_all(struct core *c, const struct request *q, const struct kl_sync *m,
    struct kl_sync_reply *out, struct answer *a)
{
	struct present p = { .t = &c->turn, .registry = &c->registry,
		.by = q->by, .card = q->card, .full = c->full };
	const bool asked = q->by->taking_over ||
	    (c->registry.must_report && !q->by->reported_in);
	enum kl_code code;
	int64_t wait_ms;
	int err = KL_OK;

	if (asked && !quota_has(c, q, m, &wait_ms))
		return answer_refuse_for(a, KL_C_QUOTA_BYTES, wait_ms);
	for (size_t i = 0; i < m->n_presented && err == KL_OK; i++) {
		code = asked ? present_one(&p, m->presented[i], &err) :
		    KL_C_OK;
		out->result[out->n_result++] = code;
		if (asked && counts(code))
			q->session->bytes += m->presented[i].n;
	}
	return err;
}

/* ---- DONE ---- */

static bool
is_own(const struct message *m, const uint32_t *box, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (m->receiver == box[i])
			return true;
	return false;
}

static int
lose(struct core *c, const struct request *q, struct conversation *v,
    struct message *m)
{
	struct turn *t = &c->turn;
	const struct participant *from;
	int err = message_get(t, &m->tag, v, m);

	if (err == KL_E_NOT_FOUND)	/* of one of the same id before it */
		return KL_OK;
	if (err == KL_OK)
		err = mailbox_move(t, v, m, KL_MSG_LOST, KL_C_OK,
		    &q->card->key_id, q->by->role, NULL);
	if (err != KL_OK)
		return err;
	from = registry_by_id(&c->registry, &m->from);
	return from == NULL ? KL_OK : mailbox_put_notice(t, v, m,
	    from->number, KL_NOTICE_LOST_AT_RECEIVER, KL_C_OK);
}

/* What this message's receiver should have and did not show. *n counts. */
static int
lose_unless_held(struct core *c, const struct request *q, struct message *m,
    int *n)
{
	struct conversation v;
	int err;

	if (m->state != KL_MSG_DELIVERED || m->held == q->by->epoch)
		return KL_OK;
	err = conversation_get(&c->turn, &m->conv, &v);
	if (err != KL_OK || v.state != KL_CONV_OPEN)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	(*n)++;
	/* If the turn is undone, its session ends and all begins anew. */
	registry_touch(&c->registry, q->by);
	return lose(c, q, &v, m);
}

/* KL_E_NOT_FOUND: all messages were looked at. */
static int
take_over_step(struct core *c, const struct request *q)
{
	const size_t mark = kl_arena_mark(c->mem);
	struct session *s = q->session;
	uint32_t box[ACKS_MAILBOXES_MAX];
	const size_t boxes = acks_mailboxes(c, q->by, box);
	struct message m;
	int err = KL_OK, lost = 0;

	for (int i = 0; i < DONE_ROWS && lost < DONE_LOST; i++) {
		err = message_next(&c->turn, &s->done_at, !s->ending, &m);
		if (err != KL_OK)
			return err;
		s->ending = true;
		s->done_at = m.tag;
		if (is_own(&m, box, boxes) && (err = lose_unless_held(c,
		    q, &m, &lost)) != KL_OK)
			return err == KL_E_NOT_FOUND ? KL_E_DAMAGED : err;
		kl_arena_release(c->mem, mark);
	}
	return KL_OK;
}

static int
reported_in_log(struct core *c, const struct request *q)
{
	struct kl_record rec = { .event = KL_EV_REPORTED_IN,
		.org_from = q->by->id, .actor_role = q->by->role,
		.actor_key_id = q->card->key_id };
	struct journal_leaf leaf;

	return journal_append(&c->journal, c->turn.txn, c->turn.now_ms, &rec,
	    c->mem, &leaf);
}

static int
report_in(struct core *c, const struct request *q)
{
	int err;

	if (!c->registry.must_report || q->by->reported_in)
		return KL_OK;
	if ((err = reported_in_log(c, q)) != KL_OK)
		return err;
	if ((err = loss_reported(c, q->by)) != KL_OK)
		return err;
	q->by->reported_in = true;
	registry_touch(&c->registry, q->by);
	/* What waited for this may be in anybody's mailbox. */
	c->box.touched_more = true;
	return KL_OK;
}

static int
done(struct core *c, const struct request *q, struct answer *a)
{
	int err;

	if (q->by->taking_over) {
		err = take_over_step(c, q);
		if (err == KL_OK)
			return answer_refuse_for(a, KL_C_TRY_LATER, AGAIN_MS);
		if (err != KL_E_NOT_FOUND)
			return err;
		q->by->taking_over = q->session->ending = false;
		registry_touch(&c->registry, q->by);
	}
	return report_in(c, q);
}

/* ---- all three ---- */

int
handle_sync(struct core *c, const struct request *q, struct answer *a)
{
	struct kl_sync_reply r = { .n_result = 0 };
	struct kl_sync m;
	enum kl_code code;
	int err;

	code = KL_MESSAGE_READ(KL_M_SYNC, q->msg.body, c->in_mem, &m);
	if (code != KL_C_OK)
		return answer_refuse(a, code);
	switch (m.step) {
	case KL_SYNC_LIST: err = list(c, q, &m, &r, a); break;
	case KL_SYNC_PRESENT: err = present_all(c, q, &m, &r, a);
		break;
	default: err = done(c, q, a); break;
	}
	return err != KL_OK || a->code != KL_C_OK ? err :
	    KL_MESSAGE_PACK_IN(KL_M_SYNC_REPLY, &r, c->mem, &a->body);
}
