/*
 * query.h: what is asked of the log, the same over the link and over the
 * control socket. PROTOCOL.md 7.11.
 */
#ifndef CORE_QUERY_H
#define CORE_QUERY_H

#include "broker/core/core.h"

/* by NULL: the operator, over the control socket. */
struct asker {
	const struct participant *by;
	const struct registry_card *card;
	struct session *session;	/* its minute is counted there */
};

/* In a turn: the answer to a packed kl_query. As a handler. */
int query_answer(struct core *c, const struct asker *who,
    struct kl_bytes body, struct answer *a) KL_MUST_CHECK;

#endif
