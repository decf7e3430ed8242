#include "broker/core/acks.h"

size_t
acks_mailboxes(struct core *c, const struct participant *p,
    uint32_t out[ACKS_MAILBOXES_MAX])
{
	const struct participant *before;
	size_t n = 0;

	/* A chain of successions is followed to its start. */
	while (p != NULL && n < ACKS_MAILBOXES_MAX) {
		for (size_t i = 0; i < n; i++)
			if (out[i] == p->number)
				return n;
		out[n++] = p->number;
		before = p->succeeds_from_ms <= c->turn.now_ms &&
		    !kl_id_none(&p->succeeds) ?
		    registry_by_id(&c->registry, &p->succeeds) : NULL;
		p = before;
	}
	return n;
}

/* Where it lies; *number 0: nowhere (any more). */
static int
find(struct core *c, const uint32_t *box, size_t n, uint64_t item,
    uint32_t *number)
{
	int r = KL_E_NOT_FOUND;

	*number = 0;
	for (size_t i = 0; i < n && r == KL_E_NOT_FOUND; i++) {
		r = mailbox_may_ack(&c->turn, box[i], item);
		if (r == KL_OK)
			*number = box[i];
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

int
acks_take(struct core *c, const struct participant *p, const uint64_t *item,
    size_t n, struct answer *a)
{
	uint32_t box[ACKS_MAILBOXES_MAX], number[KL_ACKS_MAX];
	size_t boxes = acks_mailboxes(c, p, box);
	int r;

	for (size_t i = 0; i < n; i++) {
		r = find(c, box, boxes, item[i], &number[i]);
		if (r == KL_E_DENIED)
			return answer_refuse(a, KL_C_ITEM_UNKNOWN);
		if (r != KL_OK)
			return r;
	}
	for (size_t i = 0; i < n; i++) {
		/* The same number twice in one list is no error. */
		r = number[i] == 0 ? KL_OK :
		    mailbox_ack(&c->turn, number[i], item[i]);
		if (r != KL_OK && r != KL_E_NOT_FOUND)
			return r;
	}
	return KL_OK;
}
