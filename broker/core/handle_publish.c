#include "broker/core/core.h"

/* Cards and revocations come from the operator, not over the link. */
static enum kl_code
entry_check(struct core *c, const struct request *q, struct kl_bytes packed,
    struct kl_entry *e)
{
	enum kl_code code = KL_MESSAGE_READ(KL_M_ENTRY, packed, c->in_mem, e);

	if (code != KL_C_OK)
		return code;
	if (e->statement != KL_PREKEY && e->statement != KL_PROFILE)
		return KL_C_ROLE;
	return registry_check(&c->registry, e, q->by, c->turn.now_ms,
	    c->in_mem);
}

int
handle_publish(struct core *c, const struct request *q, struct answer *a)
{
	struct kl_entry e[KL_PUBLISH_MAX];
	struct kl_publish m;
	enum kl_code code;
	uint64_t number;
	int err;

	code = KL_MESSAGE_READ(KL_M_PUBLISH, q->msg.body, c->in_mem, &m);
	for (size_t i = 0; code == KL_C_OK && i < m.n_entry; i++)
		code = entry_check(c, q, m.entry[i], &e[i]);
	if (code != KL_C_OK)
		return answer_refuse(a, code);
	c->registry_changed = c->registry_changed || m.n_entry > 0;
	for (size_t i = 0; i < m.n_entry; i++) {
		code = registry_put(&c->registry, c->turn.txn, &e[i], q->by,
		    c->turn.now_ms, c->mem, &number, &err);
		if (err != KL_OK)
			return err;
		/* It was judged a moment ago. */
		if (code != KL_C_OK)
			return KL_E_AGAIN;
	}
	return KL_OK;
}
