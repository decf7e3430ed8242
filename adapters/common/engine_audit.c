#include "adapters/common/engine_audit.h"

#include "adapters/common/engine_priv.h"
#include "adapters/common/log_question.h"

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
		r = log_question_take(t, by, &body, code);
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
