#include "adapters/common/erasure.h"

#include <stdlib.h>
#include <string.h>

#include <kortelijn/domain/calendar.h>

#include "adapters/common/access.h"
#include "adapters/common/alarm.h"
#include "adapters/common/erasure_check.h"
#include "adapters/common/events.h"
#include "adapters/common/purge.h"
#include "adapters/common/timers.h"
#include "adapters/common/withdraw.h"

struct erasures {
	struct repeats *send;		/* receipts */
	struct repeats_key *zeroing;	/* whose keys may still be there */
	size_t n, cap;
};

struct erasures *
erasure_new(void)
{
	struct erasures *q = calloc(1, sizeof *q);

	if (q != NULL && (q->send = repeats_new()) == NULL) {
		free(q);
		return NULL;
	}
	return q;
}

void
erasure_free(struct erasures *q)
{
	if (q == NULL)
		return;
	repeats_free(q->send);
	free(q->zeroing);
	free(q);
}

/* ---- what is not done ------------------------------------------------ */

static int
note_zeroing(struct erasures *q, const struct repeats_key *k)
{
	if (q->n == q->cap) {
		size_t cap = q->cap == 0 ? 8 : q->cap * 2;
		struct repeats_key *p = realloc(q->zeroing, cap * sizeof *p);

		if (p == NULL)
			return KL_E_MEMORY;
		q->zeroing = p;
		q->cap = cap;
	}
	q->zeroing[q->n++] = *k;
	return KL_OK;
}

int
erasure_load(struct erasures *q, struct turn *t)
{
	struct store_entry at = { .n_key = 0 };
	struct erasure e;
	int r;

	q->n = 0;
	repeats_clear(q->send);
	while ((r = erasure_each(t, &at, &e)) == KL_OK) {
		const struct repeats_key k = erasure_row_key(&e.conv, &e.hash);

		if (e.zeroed == 0)
			r = note_zeroing(q, &k);
		else if (e.n_receipt > 0 && e.taken_ms == 0 && e.code == 0)
			r = repeats_add(q->send, &k);
		if (r != KL_OK)
			return r;
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

/* ---- the receipt ----------------------------------------------------- */

static int
tell(struct turn *t, struct case_row *c, uint32_t what)
{
	struct engine_step step;
	int r;

	memset(&step, 0, sizeof step);
	step.what = what;
	r = cases_step(t, c, &step);
	return r != KL_OK ? r : events_add(t, ENGINE_EV_WITHDRAWAL, &c->conv,
	    step.n);
}

static int
sign(struct turn *t, struct erasure *e)
{
	const struct kl_erase_receipt rc = {
		.version = KL_PROTOCOL_VERSION, .signer = t->id->id,
		.signer_key_id = t->id->key_id, .conv_id = e->conv,
		.withdrawal_hash = e->hash, .adapter_copy = e->adapter_copy,
		.case_system = e->case_system, .at_ms = e->answered_ms,
	};
	size_t n;
	int r = identity_sign(t->id, KL_ERASE_RECEIPT, &rc, sizeof rc,
	    e->receipt, sizeof e->receipt, &n);

	e->n_receipt = r == KL_OK ? (uint32_t)n : 0;
	e->key = t->id->key_id;
	return r;
}

/* Not before the keys are zero: the receipt says that they are. */
static int
answer_if_ready(struct erasures *q, struct turn *t, struct erasure *e)
{
	const struct repeats_key k = erasure_row_key(&e->conv, &e->hash);
	struct case_row c;
	int r;

	if (e->zeroed == 0 || e->case_system == 0 || e->n_receipt > 0)
		return erasure_row_put(t, e);
	e->answered_ms = t->now_ms;
	if ((r = sign(t, e)) != KL_OK || (r = erasure_row_put(t, e)) != KL_OK ||
	    (r = repeats_add(q->send, &k)) != KL_OK)
		return r;
	t->want_receipt = true;
	if ((r = cases_get(t, &e->conv, &c)) != KL_OK)
		return r == KL_E_NOT_FOUND ? KL_OK : r;
	r = tell(t, &c, ENGINE_ERASE_ANSWERED);
	return r != KL_OK ? r : cases_put(t, &c);
}

int
erasure_work(struct erasures *q, struct turn *t)
{
	struct erasure e;
	int r = KL_OK;

	if (q->n == 0 || !store_erased(t->store))
		return KL_OK;
	for (size_t i = 0; i < q->n && r == KL_OK; i++) {
		r = erasure_row_get(t, &q->zeroing[i], &e);
		if (r == KL_OK) {
			e.zeroed = 1;
			r = answer_if_ready(q, t, &e);
		}
		if (r == KL_E_NOT_FOUND)	/* forgotten since */
			r = KL_OK;
	}
	q->n = 0;
	return r;
}

/* One withdrawal may have asked for several conversations of this desk: its
 * case system is one. */
static int
answer_all(struct erasures *q, struct turn *t, const struct kl_hash *hash,
    uint32_t case_system)
{
	struct store_entry at = { .n_key = 0 };
	struct erasure e;
	int r;

	while ((r = erasure_each(t, &at, &e)) == KL_OK) {
		if (e.case_system != 0 ||
		    memcmp(&e.hash, hash, sizeof *hash) != 0)
			continue;
		e.case_system = case_system;
		if ((r = alarm_close(t, ENGINE_AL_ERASE_ASKED, &e.conv)) !=
		    KL_OK || (r = alarm_close(t, ENGINE_AL_ERASE_LATE,
		    &e.conv)) != KL_OK ||
		    (r = answer_if_ready(q, t, &e)) != KL_OK)
			return r;
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

int
erasure_answer(struct erasures *q, struct turn *t,
    const struct kl_conv_id *conv, uint32_t case_system)
{
	struct store_entry at = { .n_key = 0 };
	bool any = false;
	struct erasure e;
	int r;

	while ((r = erasure_of(t, conv, &at, &e)) == KL_OK) {
		if (e.case_system != 0)
			continue;
		if (e.cause == KL_CAUSE_SENT_IN_ERROR &&
		    case_system == KL_KEPT_ON_OWN_BASIS)
			return KL_E_VALUE;
		any = true;
		r = answer_all(q, t, &e.hash, case_system);
		if (r != KL_OK)
			return r;
	}
	return r == KL_E_NOT_FOUND && any ? KL_OK : r;
}

/* ---- the request ----------------------------------------------------- */

/* Is there anything to ask of people? What a practice keeps is the record of
 * its patient; feedback that was told or heard belongs to the own case file.
 * 0: the desk has to say. */
static uint32_t
case_system_of(const struct turn *t, const struct case_row *c,
    const struct erasure *e)
{
	if (c == NULL)
		return KL_NOTHING_HELD;
	if (e->scope == KL_SCOPE_ALL && t->id->role != KL_PRACTICE)
		return 0;
	return e->adapter_copy == KL_ERASED ? KL_KEPT_ON_OWN_BASIS :
	    KL_NOTHING_HELD;
}

static struct erasure
row_of(const struct turn *t, const struct kl_notice *n,
    const struct erasure_order *order)
{
	struct erasure e;

	memset(&e, 0, sizeof e);
	e.conv = n->conv_id;
	e.hash = order->hash;
	e.parent = order->parent;
	e.signer = order->w.signer;
	e.scope = order->w.scope;
	e.cause = order->w.cause;
	e.valid_until = order->w.valid_until;
	e.asked_ms = t->now_ms;
	e.due_ms = n->due_ms != 0 ? n->due_ms :
	    kl_calendar_add(NULL, t->now_ms, kl_policy_term(t->policy,
	    KL_POL_ERASE_RECEIPT_TERM));
	e.n = (uint32_t)order->packed.n;
	memcpy(e.packed, order->packed.p, order->packed.n);
	return e;
}

/* The own copy, the state, and who has to know. */
static int
erase_case(struct turn *t, struct outbox *o, struct case_row *c,
    struct erasure *e)
{
	static const struct engine_actor self = { .interface = ENGINE_LINK };
	const bool before = c->withdrawn == KL_SCOPE_ALL;
	bool held;
	int r;

	/* First: the line is found by what the case is known by now. */
	if ((r = access_log(t, &self, ENGINE_WIPED, &c->conv)) != KL_OK)
		return r;
	cases_withdraw(c, e->scope, e->cause);
	if ((r = purge_case(t, o, c, e->scope, &held)) != KL_OK)
		return r;
	e->adapter_copy = held && !before ? KL_ERASED : KL_NOTHING_HELD;
	if ((r = tell(t, c, ENGINE_ERASE_ASKED)) != KL_OK ||
	    (r = cases_note_end(t, c)) != KL_OK)
		return r;
	return cases_put(t, c);
}

static int
set_timers(struct turn *t, const struct erasure *e)
{
	int r = timers_put(t->store,
	    withdraw_keep_ms(e->valid_until, e->asked_ms), TIMER_WITHDRAWAL,
	    e->conv.b);

	if (r != KL_OK || e->case_system != 0)
		return r;
	if ((r = timers_put(t->store, e->due_ms, TIMER_ERASE_DUE,
	    e->conv.b)) != KL_OK)
		return r;
	return alarm_open(t, ENGINE_AL_ERASE_ASKED, 0, &e->conv);
}

/* What the desk said of this conversation to a request before this one, unless
 * that may not be said now; else *said stays. */
static int
said_before(struct turn *t, const struct erasure *e, uint32_t *said)
{
	struct store_entry at = { .n_key = 0 };
	struct erasure x;
	int r;

	while ((r = erasure_of(t, &e->conv, &at, &x)) == KL_OK)
		if (x.scope == KL_SCOPE_ALL && x.case_system != 0 &&
		    (e->cause != KL_CAUSE_SENT_IN_ERROR ||
		    x.case_system != KL_KEPT_ON_OWN_BASIS))
			*said = x.case_system;
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

/* c: NULL if no such case is here. */
static int
obey(struct erasures *q, struct turn *t, struct outbox *o,
    struct case_row *c, struct erasure *e)
{
	const struct repeats_key k = erasure_row_key(&e->conv, &e->hash);
	int r = KL_OK;

	e->adapter_copy = KL_NOTHING_HELD;
	if (c != NULL)
		r = erase_case(t, o, c, e);
	e->case_system = case_system_of(t, c, e);
	if (r == KL_OK && e->case_system == 0)
		r = said_before(t, e, &e->case_system);
	if (r != KL_OK || (r = erasure_row_put(t, e)) != KL_OK ||
	    (r = set_timers(t, e)) != KL_OK)
		return r;
	t->want_receipt = true;
	return note_zeroing(q, &k);
}

/* Asked again: after a loss of the broker's, or because the receipt is still
 * on its way. */
static int
again(struct erasures *q, struct turn *t, struct erasure *e)
{
	const struct repeats_key k = erasure_row_key(&e->conv, &e->hash);
	int r;

	if (e->n_receipt == 0)
		return KL_OK;
	t->want_receipt = true;
	if (e->taken_ms != 0 || e->code != 0) {
		e->taken_ms = 0;
		e->code = 0;
		if ((r = erasure_row_put(t, e)) != KL_OK)
			return r;
	}
	return repeats_add(q->send, &k);
}

/* Told once: the broker asks it in every session. */
static int
refuse(struct turn *t, const struct kl_notice *n, uint32_t code,
    enum erasure_verdict *verdict)
{
	const struct kl_hash h = kl_hash_of(n->withdrawal);
	const struct repeats_key k = erasure_row_key(&n->conv_id, &h);
	int r = erasure_row_refuse(t, &k);

	*verdict = r == KL_E_EXISTS ? ERASURE_REFUSED_BEFORE :
	    ERASURE_REFUSED;
	if (r != KL_OK)
		return r == KL_E_EXISTS ? KL_OK : r;
	return alarm_raise(t, ENGINE_AL_ERASE, code, &n->conv_id);
}

int
erasure_request(struct erasures *q, struct turn *t, struct outbox *o,
    const struct kl_notice *n, enum erasure_verdict *verdict, uint32_t *code)
{
	struct erasure_order order;
	struct repeats_key k;
	struct case_row c;
	struct erasure e;
	int r = cases_get(t, &n->conv_id, &c);
	const bool known = r == KL_OK;

	if (r != KL_OK && r != KL_E_NOT_FOUND)
		return r;
	*code = erasure_check(t, n, known ? &c : NULL, &order);
	*verdict = ERASURE_WAIT;
	if (*code == KL_C_TRY_LATER)
		return KL_OK;
	if (*code != KL_C_OK)
		return refuse(t, n, *code, verdict);
	k = erasure_row_key(&n->conv_id, &order.hash);
	*verdict = ERASURE_KNOWN;
	if ((r = erasure_row_get(t, &k, &e)) == KL_OK)
		return again(q, t, &e);
	if (r != KL_E_NOT_FOUND)
		return r;
	*verdict = ERASURE_OBEYED;
	e = row_of(t, n, &order);
	return obey(q, t, o, known ? &c : NULL, &e);
}

int
erasure_ended(struct turn *t, const struct kl_envelope *env, bool *ended)
{
	struct store_entry at = { .n_key = 0 };
	struct erasure e;
	int r;

	*ended = false;
	while (!*ended && (r = erasure_of(t, &env->header.conv_id, &at,
	    &e)) == KL_OK)
		/* A party of what comes now, or of its parent. */
		*ended = e.scope == KL_SCOPE_ALL &&
		    (kl_id_equal(&e.signer, &env->header.sender) ||
		    kl_id_equal(&e.signer, &env->header.receiver) ||
		    (!kl_bytes_zero(KL_BYTES_OF(e.parent)) &&
		    memcmp(&e.parent, &env->consent.under,
		    sizeof e.parent) == 0));
	return *ended || r == KL_E_NOT_FOUND ? KL_OK : r;
}

/* ---- sending --------------------------------------------------------- */

int
erasure_next(struct erasures *q, struct turn *t, int64_t mono_ms,
    struct kl_conv_id *conv, struct kl_bytes *packed)
{
	struct repeats_key k;
	struct erasure e;
	int r = repeats_next(q->send, mono_ms, &k);

	if (r != KL_OK)
		return r;
	*conv = k.conv;
	if ((r = erasure_row_get(t, &k, &e)) != KL_OK)
		return r == KL_E_NOT_FOUND ? KL_E_DAMAGED : r;
	return kl_arena_copy(t->mem, kl_bytes(e.receipt, e.n_receipt),
	    packed);
}

bool
erasure_flying(const struct erasures *q, const struct kl_conv_id *conv)
{
	struct repeats_key k;

	return repeats_flying(q->send, conv, &k);
}

/* Asked for by nobody, says the broker: it asks again if it should be so. */
static int
give_up(struct erasures *q, struct turn *t, const struct repeats_key *k,
    struct erasure *e, uint32_t code)
{
	int r;

	repeats_drop(q->send, k);
	e->code = code;
	if ((r = erasure_row_put(t, e)) != KL_OK)
		return r;
	return alarm_raise(t, ENGINE_AL_ERASE, code, &e->conv);
}

int
erasure_taken(struct erasures *q, struct turn *t,
    const struct kl_conv_id *conv, const struct call_answer *a,
    int64_t mono_ms)
{
	struct repeats_key k;
	struct erasure e;
	int r;

	if (!repeats_flying(q->send, conv, &k))
		return KL_OK;
	if ((r = erasure_row_get(t, &k, &e)) == KL_E_NOT_FOUND) {
		repeats_drop(q->send, &k);
		return KL_OK;
	}
	if (r != KL_OK)
		return r;
	if (a->code == KL_C_OK) {
		repeats_drop(q->send, &k);
		e.taken_ms = t->now_ms;
		return erasure_row_put(t, &e);
	}
	if (kl_code_retry(a->code) == KL_RETRY_NEVER &&
	    a->code != KL_C_NOT_SERVED)
		return give_up(q, t, &k, &e, a->code);
	repeats_later(q->send, conv, a->retry_after_ms, mono_ms);
	if (!identity_key_ended(t->id, &e.key, a->code))
		return KL_OK;
	return (r = sign(t, &e)) != KL_OK ? r : erasure_row_put(t, &e);
}

void
erasure_lost(struct erasures *q, const struct kl_conv_id *conv)
{
	repeats_lost(q->send, conv);
}

void
erasure_wake(struct erasures *q)
{
	repeats_wake(q->send);
}

int64_t
erasure_wait_ms(const struct erasures *q, int64_t mono_ms)
{
	return repeats_wait_ms(q->send, mono_ms);
}

/* ---- time ------------------------------------------------------------ */

int
erasure_due(struct turn *t, const struct kl_conv_id *conv)
{
	struct store_entry at = { .n_key = 0 };
	struct erasure e;
	int r;

	while ((r = erasure_of(t, conv, &at, &e)) == KL_OK)
		if (e.case_system == 0)
			return alarm_open(t, ENGINE_AL_ERASE_LATE, 0, conv);
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

int
erasure_forget(struct erasures *q, struct turn *t,
    const struct kl_conv_id *conv)
{
	struct store_entry at = { .n_key = 0 };
	struct erasure e;
	int r;

	while ((r = erasure_of(t, conv, &at, &e)) == KL_OK) {
		const struct repeats_key k = erasure_row_key(&e.conv, &e.hash);

		if (withdraw_keep_ms(e.valid_until, e.asked_ms) > t->now_ms)
			continue;
		repeats_drop(q->send, &k);
		if ((r = store_del(t->store, STORE_ERASURE, kl_bytes(at.key,
		    at.n_key))) != KL_OK)
			return r;
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}
