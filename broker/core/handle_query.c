#include "broker/core/query.h"

int
handle_query(struct core *c, const struct request *q, struct answer *a)
{
	const struct asker who = { .by = q->by, .card = q->card,
		.session = q->session };

	return query_answer(c, &who, q->msg.body, a);
}
