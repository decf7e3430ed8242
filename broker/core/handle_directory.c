#include "broker/core/core.h"

int
handle_directory(struct core *c, const struct request *q, struct answer *a)
{
	struct kl_directory m;
	struct kl_directory_reply r;
	enum kl_code code;
	int err;

	code = KL_MESSAGE_READ(KL_M_DIRECTORY, q->msg.body, c->in_mem, &m);
	if (code != KL_C_OK)
		return answer_refuse(a, code);
	err = registry_page(&c->registry, c->turn.txn, m.after, c->mem, &r);
	if (err != KL_OK)
		return err;
	return KL_MESSAGE_PACK_IN(KL_M_DIRECTORY_REPLY, &r, c->mem, &a->body);
}
