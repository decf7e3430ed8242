#include "adapters/common/withdraw.h"

#include <string.h>

#include <kortelijn/crypto/hash.h>

#include "adapters/common/alarm.h"
#include "adapters/common/events.h"
#include "adapters/common/purge.h"
#include "adapters/common/timers.h"
#include "adapters/common/withdraw_told.h"

#define WAITED_MS KL_HOUR_MS	/* then people should know */
#define KEEP_AT_LEAST_MS (30 * KL_DAY_MS)

/* ---- rows ------------------------------------------------------------ */

#define KEY_BYTES (16 + 1)

static struct kl_bytes
row_key(uint8_t key[KEY_BYTES], const struct kl_conv_id *conv, uint32_t scope)
{
	memcpy(key, conv->b, 16);
	key[16] = (uint8_t)scope;
	return kl_bytes(key, KEY_BYTES);
}

static struct repeats_key
queue_key(const struct withdrawal *w)
{
	struct repeats_key k;

	memset(&k, 0, sizeof k);
	k.conv = w->conv;
	k.what[0] = (uint8_t)w->scope;
	return k;
}

static int
get(struct turn *t, const struct kl_conv_id *conv, uint32_t scope,
    struct withdrawal *out)
{
	uint8_t key[KEY_BYTES];

	return store_get_row(t->store, STORE_WITHDRAWAL,
	    row_key(key, conv, scope), out, sizeof *out);
}

int
withdraw_put(struct turn *t, const struct withdrawal *w)
{
	uint8_t key[KEY_BYTES];

	return store_put(t->store, STORE_WITHDRAWAL, row_key(key, &w->conv,
	    w->scope), kl_bytes(w, sizeof *w));
}

int
withdraw_get(struct turn *t, const struct kl_conv_id *conv, uint32_t scope,
    struct withdrawal *out)
{
	int r = get(t, conv, KL_SCOPE_ALL, out);

	return r != KL_E_NOT_FOUND || scope == KL_SCOPE_ALL ? r :
	    get(t, conv, scope, out);
}

int
withdraw_each(struct turn *t, struct store_entry *at, struct withdrawal *out)
{
	return store_next_row(t->store, STORE_WITHDRAWAL, at, out,
	    sizeof *out);
}

int
withdraw_by_hash(struct turn *t, const struct kl_hash *hash,
    struct withdrawal *out)
{
	struct store_entry at = { .n_key = 0 };
	int r;

	while ((r = withdraw_each(t, &at, out)) == KL_OK)
		if (memcmp(&out->hash, hash, sizeof *hash) == 0)
			return KL_OK;
	return r;
}

int64_t
withdraw_keep_ms(uint32_t valid_until, int64_t from_ms)
{
	const int64_t end_ms = ((int64_t)valid_until + 1) * KL_DAY_MS;

	return end_ms > from_ms + KEEP_AT_LEAST_MS ? end_ms :
	    from_ms + KEEP_AT_LEAST_MS;
}

int
withdraw_load(struct repeats *q, struct turn *t)
{
	struct store_entry at = { .n_key = 0 };
	struct withdrawal w;
	int r;

	repeats_clear(q);
	while ((r = withdraw_each(t, &at, &w)) == KL_OK) {
		const struct repeats_key key = queue_key(&w);

		if (w.state == WITHDRAW_WAITS &&
		    (r = repeats_add(q, &key)) != KL_OK)
			return r;
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

/* ---- making one ------------------------------------------------------ */

/* A case that only the broker tells of has no consent here: as long as one
 * may be valid at most. */
static uint32_t
last_day(const struct turn *t, const struct case_row *c)
{
	return c->valid_until != 0 ? c->valid_until :
	    (uint32_t)kl_day_of(t->now_ms) + KL_CONSENT_TERM_DAYS;
}

/* With the key that counts now. */
static int
sign(struct turn *t, struct withdrawal *w)
{
	const struct kl_withdrawal st = {
		.version = KL_PROTOCOL_VERSION, .signer = t->id->id,
		.signer_key_id = t->id->key_id, .conv_id = w->conv,
		.scope = w->scope, .cause = w->cause, .route = w->route,
		.at_ms = w->at_ms, .valid_until = w->valid_until,
	};
	struct kl_signed s;
	size_t n;
	int r = identity_sign(t->id, KL_WITHDRAWAL, &st, sizeof st,
	    w->packed, sizeof w->packed, &n);

	if (r != KL_OK)
		return r;
	if (kl_signed_read(kl_bytes(w->packed, n), t->mem, &s) != KL_C_OK)
		return KL_E_MEMORY;
	w->n = (uint32_t)n;
	w->hash = kl_hash_of(s.body);
	w->signer = t->id->key_id;
	return KL_OK;
}

static int
set_timers(struct turn *t, const struct withdrawal *w)
{
	int r = timers_put(t->store, t->now_ms + WAITED_MS,
	    TIMER_WITHDRAW_WAITS, w->conv.b);

	return r != KL_OK ? r : timers_put(t->store,
	    withdraw_keep_ms(w->valid_until, w->at_ms), TIMER_WITHDRAWAL,
	    w->conv.b);
}

static int
tell(struct turn *t, struct case_row *c, uint32_t what, uint32_t code)
{
	struct engine_step step;
	int r;

	memset(&step, 0, sizeof step);
	step.what = what;
	step.ours = true;
	step.code = code;
	r = cases_step(t, c, &step);
	return r != KL_OK ? r : events_add(t, ENGINE_EV_WITHDRAWAL, &c->conv,
	    step.n);
}

static void
trace(struct turn *t, const struct withdrawal *w, const char *event)
{
	kl_trace(t->trace, &(struct kl_trace_line){ .at_ms = t->now_ms,
	    .event = event, .conv = &w->conv, .has_leaf = w->has_leaf != 0,
	    .leaf = w->leaf });
}

int
withdraw_make(struct repeats *q, struct turn *t, struct outbox *o,
    struct case_row *c, const struct withdraw_want *want)
{
	struct repeats_key key;
	struct withdrawal w;
	bool held;
	int r = withdraw_get(t, &c->conv, want->scope, &w);

	/* In error, although the resident withdrew: that is another thing. */
	if (r != KL_E_NOT_FOUND &&
	    (r != KL_OK || w.cause >= want->cause))
		return r;
	/* Answers to the statement before name it, which goes now. */
	if (r == KL_OK && w.scope == want->scope &&
	    (r = withdraw_told_forget(t, &w.hash)) != KL_OK)
		return r;
	memset(&w, 0, sizeof w);
	w.conv = c->conv;
	w.scope = want->scope;
	w.cause = want->cause;
	w.route = t->id->role;
	w.state = WITHDRAW_WAITS;
	w.at_ms = t->now_ms;
	w.valid_until = last_day(t, c);
	key = queue_key(&w);
	cases_withdraw(c, w.scope, w.cause);
	if ((r = sign(t, &w)) != KL_OK || (r = withdraw_put(t, &w)) != KL_OK ||
	    (r = set_timers(t, &w)) != KL_OK ||
	    (r = purge_case(t, o, c, w.scope, &held)) != KL_OK ||
	    (r = tell(t, c, ENGINE_WITHDRAWING, 0)) != KL_OK ||
	    (r = cases_note_end(t, c)) != KL_OK ||
	    (r = cases_put(t, c)) != KL_OK)
		return r;
	trace(t, &w, "withdrawing");
	t->want_receipt = true;
	return repeats_add(q, &key);
}

/* ---- sending --------------------------------------------------------- */

int
withdraw_next(struct repeats *q, struct turn *t, int64_t mono_ms,
    struct kl_conv_id *conv, struct kl_bytes *packed)
{
	struct repeats_key key;
	struct withdrawal w;
	int r = repeats_next(q, mono_ms, &key);

	if (r != KL_OK)
		return r;
	*conv = key.conv;
	if ((r = get(t, &key.conv, key.what[0], &w)) != KL_OK)
		return r == KL_E_NOT_FOUND ? KL_E_DAMAGED : r;
	return kl_arena_copy(t->mem, kl_bytes(w.packed, w.n), packed);
}

/* Is the leaf that of a withdrawal of ours, or of the other side that covers
 * it? */
static bool
leaf_is_ours(struct turn *t, const struct kl_logged *l)
{
	struct kl_record rec;

	return KL_STATEMENT_READ(KL_S_RECORD, l->record, t->mem, &rec) ==
	    KL_C_OK && rec.event == KL_EV_CONSENT_WITHDRAWN &&
	    (kl_id_equal(&rec.org_from, &t->id->id) ||
	    kl_id_equal(&rec.org_to, &t->id->id));
}

static int
keep_leaf(struct turn *t, struct withdrawal *w, const struct kl_logged *l)
{
	struct case_row c;
	int r = cases_get(t, &w->conv, &c);

	w->leaf = l->leaf;
	w->has_leaf = 1;
	if (r == KL_E_NOT_FOUND)	/* forgotten since */
		return KL_OK;
	if (r != KL_OK || (r = cases_keep_logged(t, &c, l)) != KL_OK ||
	    (r = tell(t, &c, ENGINE_WITHDRAWN, 0)) != KL_OK)
		return r;
	return cases_put(t, &c);
}

static int
done(struct repeats *q, struct turn *t, struct withdrawal *w,
    struct kl_bytes body)
{
	const struct repeats_key key = queue_key(w);
	struct kl_withdraw_reply reply;
	struct kl_logged l;
	int r;

	if (KL_MESSAGE_READ(KL_M_WITHDRAW_REPLY, body, t->mem, &reply) !=
	    KL_C_OK || KL_MESSAGE_READ(KL_M_LOGGED, reply.logged, t->mem,
	    &l) != KL_C_OK || !leaf_is_ours(t, &l))
		return KL_E_FORMAT;
	w->state = WITHDRAW_DONE;
	w->done_ms = t->now_ms;
	w->code = 0;
	w->erased = reply.erased;
	w->released_before = reply.released_before;
	w->unconfirmed = reply.unconfirmed;
	if ((r = keep_leaf(t, w, &l)) != KL_OK ||
	    (r = alarm_close(t, ENGINE_AL_WITHDRAWAL, &w->conv)) != KL_OK)
		return r;
	repeats_drop(q, &key);
	trace(t, w, "withdrawal_done");
	return withdraw_put(t, w);
}

/* A withdrawal is never given up; what the broker has against it is told once
 * for each reason. */
static int
not_taken(struct turn *t, struct withdrawal *w, uint32_t code)
{
	int r;

	if (identity_key_ended(t->id, &w->signer, code)) {
		if ((r = sign(t, w)) != KL_OK)
			return r;
	} else if (kl_code_retry(code) == KL_RETRY_LATER || code == w->code) {
		return KL_OK;
	} else {
		w->code = code;
		if ((r = alarm_open(t, ENGINE_AL_WITHDRAWAL, code,
		    &w->conv)) != KL_OK)
			return r;
	}
	return withdraw_put(t, w);
}

int
withdraw_answer(struct repeats *q, struct turn *t,
    const struct kl_conv_id *conv, const struct call_answer *a,
    int64_t mono_ms)
{
	struct repeats_key key;
	struct withdrawal w;
	int r;

	if (!repeats_flying(q, conv, &key))
		return KL_OK;
	r = get(t, conv, key.what[0], &w);
	if (r == KL_E_NOT_FOUND) {	/* its consent ended meanwhile */
		repeats_drop(q, &key);
		return KL_OK;
	}
	if (r != KL_OK)
		return r;
	if (a->code == KL_C_OK)
		return done(q, t, &w, a->body);
	repeats_later(q, conv, a->retry_after_ms, mono_ms);
	return not_taken(t, &w, a->code);
}

/* ---- time ------------------------------------------------------------ */

int
withdraw_waited(struct turn *t, const struct kl_conv_id *conv)
{
	static const uint32_t scopes[] = { KL_SCOPE_ALL, KL_SCOPE_FEEDBACK };
	struct withdrawal w;
	int r;

	for (size_t i = 0; i < 2; i++) {
		r = get(t, conv, scopes[i], &w);
		if (r == KL_OK && w.state == WITHDRAW_WAITS)
			return alarm_open(t, ENGINE_AL_WITHDRAWAL, w.code,
			    conv);
		if (r != KL_OK && r != KL_E_NOT_FOUND)
			return r;
	}
	return KL_OK;
}

int
withdraw_forget(struct repeats *q, struct turn *t,
    const struct kl_conv_id *conv)
{
	static const uint32_t scopes[] = { KL_SCOPE_ALL, KL_SCOPE_FEEDBACK };
	uint8_t key[KEY_BYTES];
	struct withdrawal w;
	int r;

	for (size_t i = 0; i < 2; i++) {
		struct repeats_key queued;

		r = get(t, conv, scopes[i], &w);
		if (r == KL_E_NOT_FOUND || (r == KL_OK &&
		    withdraw_keep_ms(w.valid_until, w.at_ms) > t->now_ms))
			continue;
		if (r != KL_OK)
			return r;
		queued = queue_key(&w);
		repeats_drop(q, &queued);
		if ((r = withdraw_told_forget(t, &w.hash)) != KL_OK ||
		    (r = store_del(t->store, STORE_WITHDRAWAL,
		    row_key(key, conv, scopes[i]))) != KL_OK)
			return r;
	}
	return KL_OK;
}
