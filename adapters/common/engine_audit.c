#include "adapters/common/engine_audit.h"

#include <string.h>

#include "adapters/common/access.h"
#include "adapters/common/cases.h"
#include "adapters/common/engine_priv.h"

static bool
is_zero(const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n > 0 && b[n - 1] == 0)
		n--;
	return n == 0;
}

/* The case that a question names, if it is one of ours. The broker's own name
 * of a case is not looked for: people have the spoken one. */
static int
case_of(struct turn *t, const struct kl_query_what *what, struct case_row *c)
{
	struct kl_spoken s = { { 0 } };

	if (is_zero(what->spoken, sizeof what->spoken))
		return KL_E_NOT_FOUND;
	memcpy(s.b, what->spoken, sizeof what->spoken);
	return cases_by_spoken(t, &s, c);
}

/* A new question for records: who asked. Its later pages are the same one. */
static int
log_query(struct turn *t, const struct engine_actor *by, struct kl_bytes body,
    uint32_t *code)
{
	struct kl_query_what what;
	struct kl_query q;
	struct case_row c;
	int r;

	*code = KL_MESSAGE_READ(KL_M_QUERY, body, t->mem, &q);
	if (*code != KL_C_OK || q.want != KL_QUERY_RECORDS || q.ticket != 0)
		return KL_OK;
	*code = KL_MESSAGE_READ(KL_M_QUERY_WHAT, q.what, t->mem, &what);
	if (*code != KL_C_OK)
		return KL_OK;
	r = case_of(t, &what, &c);
	if (r == KL_OK)
		return access_log(t, by, ENGINE_ASKED_LOG, &c.conv);
	return r != KL_E_NOT_FOUND ? r :
	    access_log_many(t, by, ENGINE_ASKED_LOG, 0, 0);
}

static int
ask(struct engine *e, const struct engine_actor *by, uint32_t request,
    struct kl_bytes body, uint64_t *ticket, uint32_t *code)
{
	struct turn *t = engine_turn(e);
	int r = KL_OK;

	*code = KL_C_OK;
	if (session_state(e->session).session != ENGINE_READY)
		*code = KL_C_NO_SESSION;
	else if (asks_full(e->asks))
		*code = KL_C_LOG_BUSY;
	else if (body.n > KL_FRAME_MAX)
		*code = KL_C_FRAME_TOO_LARGE;
	else if (request == KL_QUERY)
		r = log_query(t, by, body, code);
	if (r != KL_OK || *code != KL_C_OK)
		return r != KL_OK ? r : KL_E_REFUSED;
	return asks_put(e->asks, request, body, ticket);
}

int
engine_audit_ask(struct engine *e, const struct engine_actor *by,
    uint32_t request, struct kl_bytes body, uint64_t *ticket, uint32_t *code)
{
	const size_t mark = kl_arena_mark(e->mem);
	int r = ask(e, by, request, body, ticket, code);

	kl_arena_release(e->mem, mark);
	return engine_result(e, r);
}

int
engine_audit_take(const struct engine *e, uint64_t ticket,
    struct ask_answer *out)
{
	return asks_take(e->asks, ticket, out);
}

void
engine_audit_drop(struct engine *e, uint64_t ticket)
{
	asks_drop(e->asks, ticket);
}
