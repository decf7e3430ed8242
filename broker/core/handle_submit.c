#include "broker/core/submit.h"

#include <string.h>

#include <kortelijn/base/time.h>

#include "broker/core/deadline.h"
#include "broker/core/present.h"

#define NOT_REPORTED_MS (5 * KL_SECOND_MS)

static int
conversation_new(struct submit *s)
{
	int err;

	err = conversation_make(s->t, &s->e, &s->body_hash, &s->conv);
	s->conv.base_sender = s->conv.base_receiver = submit_lost(s);
	s->conv.born_item = s->t->box->items;
	if (err == KL_OK)
		err = conversation_put_new(s->t, &s->conv);
	if (err == KL_OK)
		err = retain_begin(s->t, &s->core->registry, &s->conv, 0);
	return err != KL_OK ? err : deadline_begin(s->t, &s->conv,
	    s->e.header.answer_by_ms);
}

static int
conversation_again(struct submit *s)
{
	const struct kl_hash before = s->conv.referral;
	const int64_t answer_by_ms = s->e.header.answer_by_ms;
	int err;

	if (answer_by_ms != s->conv.answer_by_ms) {
		err = deadline_begin(s->t, &s->conv, answer_by_ms);
		if (err != KL_OK)
			return err;
	}
	s->conv.answer_by_ms = answer_by_ms;
	s->conv.referral = s->body_hash;
	s->conv.seq_sender = s->e.header.seq;
	s->conv.base_sender = false;
	if (s->conv.state == KL_CONV_EXPIRED) {
		s->conv.state = KL_CONV_OPEN;
		s->conv.ended_ms = 0;
		retain_reopen(&s->core->registry, &s->conv);
	}
	return conversation_put_again(s->t, &s->conv, &before);
}

static int
conversation_on(struct submit *s)
{
	bool opened, closed;
	int err;

	conversation_take_message(&s->conv, &s->e, s->as_receiver,
	    s->t->now_ms, &opened, &closed);
	if ((err = conversation_put(s->t, &s->conv)) != KL_OK)
		return err;
	if (opened)
		retain_reopen(&s->core->registry, &s->conv);
	return closed ? retain_close(s->t, &s->core->registry, &s->conv) :
	    KL_OK;
}

static int
logged_pack(struct submit *s, const struct journal_leaf *leaf,
    struct kl_bytes *out)
{
	struct kl_logged l = { .leaf = leaf->index, .record = leaf->record };

	memcpy(l.salt, leaf->salt, sizeof l.salt);
	return KL_MESSAGE_PACK_IN(KL_M_LOGGED, &l, s->t->mem, out);
}

static int
submit_apply(struct submit *s)
{
	struct journal_leaf leaf;
	struct kl_bytes logged;
	struct message m;
	int err;

	if (s->e.header.kind != KL_REFERRAL)
		err = conversation_on(s);
	else if (s->shown)
		err = KL_OK;
	else
		err = s->again ? conversation_again(s) : conversation_new(s);
	if (err == KL_OK)
		err = mailbox_accept(s->t, &s->conv, &s->e, s->packed, s->ct,
		    &s->body_hash, s->q->by, s->to, &m, &leaf);
	/* Of one that was not here yet its feedback may be withdrawn. */
	if (err == KL_OK && s->e.header.kind == KL_REFERRAL && !s->known)
		err = withdraw_meet(s->t, &s->core->registry, &s->conv);
	if (err == KL_OK)
		err = present_settle(s->t, &s->core->registry, &s->conv, &m);
	if (err == KL_OK)
		err = logged_pack(s, &leaf, &logged);
	if (err != KL_OK)
		return err;
	s->q->session->bytes += submit_size(s);
	return submit_reply(s, &s->conv, logged);
}

int
handle_submit(struct core *c, const struct request *q, struct answer *a)
{
	struct submit s = { .core = c, .q = q, .a = a, .t = &c->turn };
	enum kl_code code;
	int64_t wait_ms;
	bool done;
	int err;

	code = submit_check(&s, &done, &wait_ms, &err);
	if (err != KL_OK || done)
		return err;
	if (code == KL_C_OK)
		return submit_apply(&s);
	if (code == KL_C_NOT_REPORTED_IN)
		wait_ms = NOT_REPORTED_MS;
	/* The detail of some codes is there already. */
	a->code = code;
	a->retry_after_ms = (uint32_t)(wait_ms > KL_DAY_MS ? KL_DAY_MS :
	    wait_ms);
	return KL_OK;
}
