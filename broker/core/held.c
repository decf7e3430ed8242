#include "broker/core/held.h"

#include "broker/core/cycle.h"

bool
held_must(const struct core *c)
{
	return c->box.ended || c->erase_due_ms != 0;
}

int
held_add(struct core *c, const struct request *q,
    const struct withdraw_counts *counts)
{
	struct held *h = &c->held;

	if (h->n == HELD_MAX)
		return KL_E_FULL;
	h->one[h->n++] = (struct held_answer){ .route = q->pipe->route,
		.generation = q->pipe->generation,
		.request_id = q->msg.request_id, .counts = *counts };
	return KL_OK;
}

static int
answer_one(struct core *c, const struct held_answer *h)
{
	struct answer a = { .code = KL_C_OK };
	int err;

	kl_arena_reset(c->mem);
	err = withdraw_reply(&c->turn, &h->counts, &a.body);
	return err != KL_OK ? err : cycle_reply(c, &h->route, h->generation,
	    KL_WITHDRAW, h->request_id, &a);
}

int
held_answer(struct core *c)
{
	int err = KL_OK;

	if (c->erase_due_ms != 0)
		return KL_OK;
	for (size_t i = 0; i < c->held.n && err == KL_OK; i++)
		err = answer_one(c, &c->held.one[i]);
	/* Whatever becomes of this turn, they are answered by it. */
	c->held.n = c->held.committed = 0;
	return err;
}

void
held_committed(struct core *c)
{
	c->held.committed = c->held.n;
}

void
held_undo(struct core *c)
{
	for (; c->held.n > c->held.committed; c->held.n--) {
		const struct held_answer *h = &c->held.one[c->held.n - 1];

		if (c->n_reply == TURN_REPLIES_MAX)
			continue;
		c->reply[c->n_reply++] = (struct turn_reply){
			.route = h->route, .generation = h->generation,
			.request = KL_WITHDRAW, .request_id = h->request_id,
			.n = 1 };
	}
}
