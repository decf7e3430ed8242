#include "broker/core/core.h"

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
done(struct core *c, const struct request *q)
{
	int err = KL_OK;

	if (c->registry.must_report && !q->by->reported_in) {
		err = reported_in_log(c, q);
		q->by->reported_in = true;
	}
	q->by->taking_over = false;
	registry_touch(&c->registry, q->by);
	return err;
}

int
handle_sync(struct core *c, const struct request *q, struct answer *a)
{
	struct kl_sync_reply r = { .n_result = 0 };
	struct kl_sync m;
	enum kl_code code;
	int err;

	code = KL_MESSAGE_READ(KL_M_SYNC, q->msg.body, c->in_mem, &m);
	if (code == KL_C_OK && m.step != KL_SYNC_DONE)
		code = KL_C_NOT_SERVED;
	if (code != KL_C_OK)
		return answer_refuse(a, code);
	if ((err = done(c, q)) != KL_OK)
		return err;
	return KL_MESSAGE_PACK_IN(KL_M_SYNC_REPLY, &r, c->mem, &a->body);
}
