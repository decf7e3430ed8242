#include <string.h>

#include <kortelijn/wire/request.h>

#include "adapters/common/session_priv.h"

/* Marks a call as one of these: other keys are ids, and the session's own LOG
 * has none. */
static const uint8_t mark[16] = "asked by people";

bool
session_asks_is(const struct call *call)
{
	return (call->request == KL_LOG || call->request == KL_QUERY) &&
	    memcmp(call->key, mark, sizeof mark) == 0;
}

int
session_asks_work(struct session *s)
{
	struct ask k;
	int r = asks_next(s->asks, &k);

	if (r != KL_OK)
		return KL_OK;
	r = calls_ask(s->calls, k.request, k.body, KL_BYTES_NONE, mark);
	if (r == KL_E_MEMORY)
		return r;
	if (r == KL_E_SIZE)
		asks_answer(s->asks, KL_C_FRAME_TOO_LARGE, 0, KL_BYTES_NONE);
	else if (r != KL_OK)
		asks_lost(s->asks);
	return KL_OK;
}

/* Whoever shows people another log than this adapter is shown too. */
static int
check_note(struct session *s, struct turn *t, struct kl_bytes body,
    int64_t mono_ms)
{
	enum checkpoint_verdict v;
	struct kl_log_reply l;
	int r;

	if (KL_MESSAGE_READ(KL_M_LOG_REPLY, body, t->mem, &l) != KL_C_OK)
		return KL_OK;
	if ((r = checkpoint_take(t, l.note, &v)) != KL_OK)
		return r;
	if (v == CHECKPOINT_AHEAD)
		s->log_due_ms = mono_ms;
	return session_start_checkpoint(s, t, v, mono_ms);
}

int
session_asks_answer(struct session *s, struct turn *t,
    const struct call *call, const struct call_answer *a, int64_t mono_ms)
{
	asks_answer(s->asks, a->code, a->retry_after_ms, a->body);
	t->want_tell = true;
	return a->code == KL_C_OK && call->request == KL_LOG ?
	    check_note(s, t, a->body, mono_ms) : KL_OK;
}
