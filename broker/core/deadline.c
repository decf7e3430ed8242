#include "broker/core/deadline.h"

#include <kortelijn/base/time.h>

static int
tell(struct turn *t, struct registry *r, const struct conversation *c,
    const struct message *m, const struct kl_id *who, int64_t due_ms)
{
	const struct participant *p = registry_by_id(r, who);

	return p == NULL ? KL_OK :
	    mailbox_put_deadline(t, c, m, p->number, due_ms);
}

/* m: NULL for the answer that the conversation waits for. */
static int
missed(struct turn *t, struct registry *r, const struct conversation *c,
    const struct message *m, int64_t due_ms)
{
	const struct kl_id *from = m != NULL ? &m->from : &c->sender;
	const struct kl_id *to = m != NULL ? &m->to : &c->receiver;
	struct kl_record rec = { .event = KL_EV_DEADLINE,
		.conv_ref = c->ref, .org_from = *from, .org_to = *to,
		.due_minute = due_ms / KL_MINUTE_MS,
		.body_hash = m != NULL ? m->body_hash : c->referral,
		.kind = m != NULL ? m->kind : KL_REFERRAL };
	struct journal_leaf leaf;
	int err;

	if (m != NULL)
		rec.msg_ref = m->ref;
	err = journal_append(t->journal, t->txn, t->now_ms, &rec, t->mem,
	    &leaf);
	if (err == KL_OK)
		err = tell(t, r, c, m, from, due_ms);
	return err != KL_OK ? err : tell(t, r, c, m, to, due_ms);
}

static int
undelivered(struct turn *t, struct registry *r, struct message *m,
    int64_t due_ms)
{
	struct conversation c;
	int err = conversation_get(t, &m->conv, &c);

	if (err == KL_OK)
		err = message_get(t, &m->tag, &c, m);
	return err != KL_OK ? err : missed(t, r, &c, m, due_ms);
}

int
deadline_deliver(struct turn *t, struct registry *r,
    const struct timer_due *d)
{
	struct message m;
	int err = message_peek(t, &d->tag, &m);

	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	/* Past its term as well: that is told, and says more. */
	if (m.expire_ms > t->now_ms && (m.state == KL_MSG_ACCEPTED ||
	    m.state == KL_MSG_RELEASED))
		err = undelivered(t, r, &m, d->at_ms);
	if (err != KL_OK && err != KL_E_NOT_FOUND)
		return err;
	return timer_put(t, m.expire_ms, TIMER_EXPIRE, &d->tag);
}

int
deadline_begin(struct turn *t, const struct conversation *c,
    int64_t answer_by_ms)
{
	return answer_by_ms == 0 ? KL_OK :
	    timer_put(t, answer_by_ms, TIMER_ANSWER, &c->tag);
}

int
deadline_answer(struct turn *t, struct registry *r,
    const struct timer_due *d)
{
	struct conversation c;
	int err = conversation_get(t, &d->tag, &c);

	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	/* What was not even delivered has been told before; what was taken up
	 * once stays so, also when it is opened again; and a REFERRAL that was
	 * sealed again has a term of its own. */
	return c.state == KL_CONV_OPEN && c.delivered &&
	    c.milestone == KL_MS_NONE && c.seq_receiver == 0 &&
	    c.answer_by_ms == d->at_ms ?
	    missed(t, r, &c, NULL, d->at_ms) : KL_OK;
}
