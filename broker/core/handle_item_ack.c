#include "broker/core/core.h"

#include "broker/core/acks.h"

int
handle_item_ack(struct core *c, const struct request *q, struct answer *a)
{
	struct kl_item_ack m;
	enum kl_code code;

	code = KL_MESSAGE_READ(KL_M_ITEM_ACK, q->msg.body, c->in_mem, &m);
	if (code != KL_C_OK)
		return answer_refuse(a, code);
	return acks_take(c, q->by, m.item, m.n_item, a);
}
