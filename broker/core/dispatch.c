#include "broker/core/dispatch.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/log.h>

#include "broker/core/core_main.h"
#include "broker/core/cycle.h"
#include "broker/core/exporter.h"
#include "broker/core/fetch.h"
#include "broker/core/held.h"
#include "broker/core/keys.h"
#include "broker/core/policy.h"

#define HOUSEKEEPING_MS KL_SECOND_MS	/* timers and refusals are looked at */
#define HOUSEKEEPING_STEPS 64		/* timers of one turn */
#define PRUNE_MAX 16
#define NOT_REPORTED_MS (5 * KL_SECOND_MS)
#define DRAINING_MS (10 * KL_SECOND_MS)

/* ---- the table ---- */

#define ROLE(r) (1u << (r))
#define PARTIES (ROLE(KL_PRACTICE) | ROLE(KL_MUNICIPALITY) | ROLE(KL_PARTNER))
#define ALL (PARTIES | ROLE(KL_AUDITOR))

struct row {
	uint32_t request;
	uint32_t roles;
	bool first;		/* needs no session */
	bool reported;		/* only after a participant has reported in */
	int (*handle)(struct core *c, const struct request *q,
	    struct answer *a);
};

static const struct row rows[] = {
	{ KL_HELLO, ALL, true, false, handle_hello },
	{ KL_SUBMIT, PARTIES, false, true, handle_submit },
	{ KL_FETCH, PARTIES, false, true, handle_fetch },
	{ KL_PUT_RECEIPT, PARTIES, false, false, handle_receipt },
	{ KL_ITEM_ACK, PARTIES, false, false, handle_item_ack },
	{ KL_WITHDRAW, ROLE(KL_PRACTICE) | ROLE(KL_MUNICIPALITY), false, false,
	    handle_withdraw },
	{ KL_DIRECTORY, ALL, false, false, handle_directory },
	{ KL_PUBLISH, PARTIES, false, false, handle_publish },
	{ KL_SYNC, PARTIES, false, false, handle_sync },
	{ KL_LOG, ALL, false, false, handle_log },
	{ KL_QUERY, ALL, false, false, handle_query },
};

static const struct row *
row_find(uint32_t request)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].request == request)
			return &rows[i];
	return NULL;
}

/* ---- answers ---- */

int
answer_refuse(struct answer *a, enum kl_code code)
{
	return answer_refuse_for(a, code, 0);
}

int
answer_refuse_for(struct answer *a, enum kl_code code, int64_t ms)
{
	*a = (struct answer){ .code = code, .retry_after_ms = ms < 0 ? 0 :
		ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms };
	return KL_OK;
}

/* ---- one request ---- */

static bool
route_is(const struct kl_route *a, const struct kl_route *b)
{
	return a->n == b->n && a->n > 0 && memcmp(a->b, b->b, a->n) == 0;
}

static enum kl_code
session_check(const struct request *q)
{
	const struct session *s = q->session;

	if (s->open && s->generation == q->pipe->generation) {
		if (route_is(&s->route, &q->pipe->route))
			return KL_C_OK;
		if (route_is(&s->replaced, &q->pipe->route))
			return KL_C_SESSION_REPLACED;
	}
	return KL_C_HELLO_FIRST;
}

/* PROTOCOL.md 6.3. */
static enum kl_code
request_check(struct core *c, struct request *q, const struct row **row)
{
	enum kl_code code;

	if (q->msg.version != KL_PROTOCOL_VERSION)
		return KL_C_VERSION;
	if (strcmp(kl_request_name(q->msg.request), "?") == 0)
		return KL_C_VALUE_UNKNOWN;
	q->by = registry_by_key(&c->registry, &q->pipe->peer, c->turn.now_ms,
	    &q->card);
	if (q->by == NULL)
		return KL_C_CARD_UNKNOWN;
	q->session = &c->session[q->by->number - 1];
	code = registry_card_valid(q->card, c->turn.now_ms);
	if (code != KL_C_OK)
		return code;
	if ((*row = row_find(q->msg.request)) == NULL)
		return KL_C_NOT_SERVED;
	if (((*row)->roles & ROLE(q->by->role)) == 0)
		return KL_C_ROLE;
	if (!(*row)->first && (code = session_check(q)) != KL_C_OK)
		return code;
	if ((*row)->reported && (q->by->taking_over ||
	    (c->registry.must_report && !q->by->reported_in)))
		return KL_C_NOT_REPORTED_IN;
	if (c->loaded.drain && q->msg.request == KL_SUBMIT)
		return KL_C_DRAINING;
	return KL_C_OK;
}

static int
request_do(struct core *c, struct request *q, struct answer *a)
{
	const struct row *row = NULL;
	enum kl_code code;

	code = KL_MESSAGE_READ(KL_M_REQUEST, q->pipe->frame[0], c->in_mem,
	    &q->msg);
	if (code != KL_C_OK) {
		q->msg.request = 0;
		q->msg.request_id = 0;
		return answer_refuse(a, code);
	}
	code = request_check(c, q, &row);
	if (code == KL_C_NOT_REPORTED_IN)
		return answer_refuse_for(a, code, NOT_REPORTED_MS);
	if (code == KL_C_DRAINING)
		return answer_refuse_for(a, code, DRAINING_MS);
	if (code != KL_C_OK)
		return answer_refuse(a, code);
	return row->handle(c, q, a);
}

/* err: what the turn has come to before; then nothing is done any more. */
static int
request_take(struct core *c, const struct pipe_msg *m, int err)
{
	struct request q = { .pipe = m };
	struct answer a = { .code = KL_C_OK };

	kl_arena_reset(c->mem);
	kl_arena_reset(c->in_mem);
	if (err != KL_OK) {
		/* Only to know which answer is owed. */
		if (KL_MESSAGE_READ(KL_M_REQUEST, m->frame[0], c->in_mem,
		    &q.msg) != KL_C_OK)
			q.msg = (struct kl_request_msg){ .request = 0 };
		(void)answer_refuse(&a, KL_C_TRY_LATER);
	} else if ((err = request_do(c, &q, &a)) != KL_OK) {
		(void)answer_refuse(&a, KL_C_TRY_LATER);
	}
	if (a.code != KL_C_OK && q.by != NULL)
		refusals_note(&c->refusals, q.by->number, a.code,
		    c->turn.now_ms);
	if (!a.held && cycle_reply(c, &m->route, m->generation,
	    q.msg.request, q.msg.request_id, &a) != KL_OK && err == KL_OK)
		err = KL_E_MEMORY;
	return err;
}

/* ---- one turn ---- */

/* A new edge knows nothing, and nobody has said HELLO to it. */
static void
edge_reset(struct core *c, uint32_t generation)
{
	c->generation = generation;
	pipe_out_clear(c->out);
	for (size_t i = 0; i < c->registry.n; i++) {
		c->session[i].open = false;
		c->session[i].due_ms = 0;
	}
	kl_logf(KL_LOG_INFO, "edge_reset",
	    kl_log_num("generation", generation));
	keys_tell(c, true);
}

/* The first message of edge that is a request; RESETs on the way are done. A
 * captured edge may go on for ever with what is none: a turn takes *left. */
static int
next_request(struct core *c, struct pipe_msg *m, int *left)
{
	int r;

	while ((*left)-- > 0) {
		r = pipe_recv(c->pipe_fd, c->in, PIPE_MSG_MAX, m);
		if (r == KL_E_FORMAT)
			continue;
		if (r != KL_OK || m->type == PIPE_REQUEST)
			return r;
		if (m->type == PIPE_RESET)
			edge_reset(c, m->generation);
	}
	return KL_E_EMPTY;
}

static int
requests_take(struct core *c, int err)
{
	int r = KL_OK, left = TURN_MESSAGES_MAX;
	struct pipe_msg m;

	while (!cycle_full(c) && (r = next_request(c, &m, &left)) == KL_OK)
		err = request_take(c, &m, err);
	if (r == KL_E_IO)
		/* The supervisor has closed it: it starts us anew. */
		core_stop(c, CORE_EXIT_STOPPED, "pipe_closed", r);
	return err;
}

static int
housekeeping(struct core *c)
{
	int r;

	kl_arena_reset(c->mem);
	r = retain_run(&c->retain, &c->turn, &c->registry,
	    HOUSEKEEPING_STEPS, &c->work_left);
	/* That is an end by time too. */
	if (r == KL_OK && !c->turn.untrusted)
		r = registry_prune(&c->registry, c->turn.txn, c->turn.now_ms,
		    PRUNE_MAX);
	vault_forget_keys(&c->vault);
	policy_tick(c);
	c->housekeeping_ms = kl_mono_ms() + HOUSEKEEPING_MS;
	return r;
}

void
dispatch_turn(struct core *c)
{
	int r = cycle_begin(c);

	if (r == KL_OK)
		r = held_answer(c);
	r = requests_take(c, r);
	if (r == KL_OK && (c->work_left ||
	    kl_mono_ms() >= c->housekeeping_ms))
		r = housekeeping(c);
	if (r == KL_OK)
		r = exporter_step(c);
	if (r == KL_OK)
		r = fetch_wake(c);
	if (r == KL_OK)
		r = fetch_expire(c);
	cycle_end(c, r);
	if (c->exit == CORE_EXIT_STOPPED)
		cycle_sign(c);
	if (pipe_out_flush(c->out) != KL_OK)
		core_stop(c, CORE_EXIT_STOPPED, "pipe_closed", KL_E_IO);
}

int64_t
dispatch_wait_ms(const struct core *c)
{
	const int64_t now_ms = kl_mono_ms();
	int64_t due_ms = fetch_due_ms(c);

	if (c->work_left || c->refilled || c->held.n > 0 ||
	    c->rewrap.more || c->scrubber.more || exporter_busy(c))
		due_ms = now_ms;
	if (c->erase_due_ms != 0 && c->erase_due_ms < due_ms)
		due_ms = c->erase_due_ms;
	if (c->housekeeping_ms < due_ms)
		due_ms = c->housekeeping_ms;
	/* What could not be done is not tried without a pause. */
	if (c->pause_ms > due_ms)
		due_ms = c->pause_ms;
	return due_ms > now_ms ? due_ms - now_ms : 0;
}
