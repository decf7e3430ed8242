#include "adapters/common/session.h"

#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/secret.h>
#include <kortelijn/host/log.h>

#include "adapters/common/alarm.h"
#include "adapters/common/checkpoint.h"
#include "adapters/common/outbox_answer.h"
#include "adapters/common/outbox_draft.h"
#include "adapters/common/session_priv.h"
#include "adapters/common/withdraw.h"

#define REPLACED_PAUSE_MS KL_MINUTE_MS	/* PROTOCOL.md 6.5.3 */
#define NO_CHECKPOINT_MS (15 * KL_MINUTE_MS)
#define START_MS (30 * KL_SECOND_MS)
/* Before the end of the own card: the authority meets and signs by hand. */
#define CARD_ENDS_MS (30 * KL_DAY_MS)
#define CARD_TOLD "card_told"

static int
read_instance(struct session *s, struct turn *t)
{
	struct kl_hash place;
	int r = store_binding(t->store, &place);

	if (r != KL_OK)
		return r;
	r = store_meta_get(t->store, "instance", &s->me, sizeof s->me);
	if (r == KL_OK && memcmp(&s->me.place, &place, sizeof place) == 0)
		return KL_OK;
	if (r != KL_OK && r != KL_E_NOT_FOUND)
		return r;
	/* A new store, or a copy of one: another instance either way. */
	kl_random(s->me.instance.b, sizeof s->me.instance.b);
	s->me.place = place;
	return store_meta_put(t->store, "instance", &s->me, sizeof s->me);
}

int
session_open(const struct session_parts *p, struct turn *t,
    struct session **out)
{
	struct session *s = calloc(1, sizeof *s);
	int r;

	*out = NULL;
	if (s == NULL)
		return KL_E_MEMORY;
	s->calls = p->calls;
	s->outbox = p->outbox;
	s->receipts = p->receipts;
	s->withdrawals = p->withdrawals;
	s->erasures = p->erasures;
	s->asks = p->asks;
	if ((r = read_instance(s, t)) != KL_OK) {
		free(s);
		return r;
	}
	*out = s;
	return KL_OK;
}

void
session_close(struct session *s)
{
	free(s);
}

void
session_enter(struct session *s, enum session_phase phase)
{
	s->phase = phase;
	s->asked = false;
	s->step_due_ms = 0;
}

int
session_ask(struct session *s, struct turn *t, uint32_t request,
    uint32_t type, const void *in, size_t in_size)
{
	struct kl_bytes body;
	int r = kl_message_pack_in(type, in, in_size, t->mem, &body);

	if (r == KL_OK)
		r = calls_ask(s->calls, request, body, KL_BYTES_NONE, NULL);
	s->asked = r == KL_OK;
	return r == KL_E_FULL ? KL_OK : r;
}

static void
lose(struct session *s, const struct call *call)
{
	struct kl_conv_id conv;
	struct kl_msg_id id;

	memcpy(id.b, call->key, sizeof id.b);
	memcpy(conv.b, call->key, sizeof conv.b);
	if (session_asks_is(call))
		asks_lost(s->asks);
	else if (call->request == KL_SUBMIT)
		outbox_unanswered(s->outbox, &id, 0);
	else if (call->request == KL_WITHDRAW)
		repeats_lost(s->withdrawals, &conv);
	else if (call->request == KL_PUT_RECEIPT &&
	    erasure_flying(s->erasures, &conv))
		erasure_lost(s->erasures, &conv);
	else if (call->request == KL_PUT_RECEIPT)
		receipts_unanswered(s->receipts, &id);
}

static void
lose_all(struct session *s)
{
	struct call call;

	while (calls_lose(s->calls, &call) == KL_OK)
		lose(s, &call);
	asks_end(s->asks, KL_C_NO_SESSION);
	s->n_ack = 0;
	s->fetch_due_ms = 0;
	s->directory_whole = false;
	s->bad = 0;
}

void
session_begin_again(struct session *s, int64_t due_mono_ms)
{
	s->log = SESSION_LOG_UNKNOWN;	/* its turn may have been undone */
	lose_all(s);
	session_enter(s, SESSION_DOWN);
	s->due_ms = due_mono_ms;
}

void
session_stick(struct session *s, uint32_t code, int64_t due_ms)
{
	lose_all(s);
	session_enter(s, SESSION_STUCK);
	s->code = code;
	s->due_ms = due_ms;
}

void
session_link(struct session *s, enum kl_link_state state, int64_t mono_ms)
{
	bool up = state == KL_LINK_UP;

	if (up || state == KL_LINK_REFUSED)
		s->refused = !up;
	if (up)
		s->refused_told = false;
	if (s->up == up)
		return;
	s->up = up;
	kl_logf(KL_LOG_INFO, "link", kl_log_word("is", up ? "up" : "down"));
	/* A connection is a session: the next one begins with HELLO. Behind it
	 * may be another broker than the one that was left. */
	if (s->phase != SESSION_STUCK || s->code == KL_C_LOG_LEFT ||
	    s->code == KL_C_LOG_BEHIND)
		session_begin_again(s, mono_ms);
}

bool
session_wants_other(struct session *s)
{
	const bool yes = s->elsewhere;

	s->elsewhere = false;
	return yes;
}

int
session_take_over(struct session *s, struct turn *t, int64_t mono_ms)
{
	s->take_over = true;
	kl_random(s->me.instance.b, sizeof s->me.instance.b);
	session_begin_again(s, mono_ms);
	return store_meta_put(t->store, "instance", &s->me, sizeof s->me);
}

int
session_publish(struct session *s, struct turn *t, uint32_t statement,
    struct kl_bytes packed)
{
	return statement != KL_PROFILE ? KL_E_VALUE :
	    session_keep_profile(s, t, packed);
}

/* ---- asking ---------------------------------------------------------- */

/* Packs what is handed over and asks; key tells the answer. A full queue is no
 * error: *full. */
static int
hand_over(struct session *s, struct turn *t, uint32_t request, uint32_t type,
    const void *in, size_t in_size, const uint8_t key[16], bool *full)
{
	struct kl_bytes body;
	int r = kl_message_pack_in(type, in, in_size, t->mem, &body);

	if (r == KL_OK)
		r = calls_ask(s->calls, request, body, KL_BYTES_NONE, key);
	*full = r == KL_E_FULL;
	return *full ? KL_OK : r;
}

static int
send_withdrawals(struct session *s, struct turn *t, int64_t mono_ms)
{
	bool full = false;
	int r = KL_OK;

	while (r == KL_OK && !full) {
		size_t mark = kl_arena_mark(t->mem);
		struct kl_conv_id conv;
		struct kl_withdraw m;

		r = withdraw_next(s->withdrawals, t, mono_ms, &conv,
		    &m.withdrawal);
		if (r == KL_OK)
			r = hand_over(s, t, KL_WITHDRAW, KL_M_WITHDRAW, &m,
			    sizeof m, conv.b, &full);
		kl_arena_release(t->mem, mark);
		if (full)
			repeats_lost(s->withdrawals, &conv);
	}
	return r == KL_E_EMPTY ? KL_OK : r;
}

static int
send_erase_receipts(struct session *s, struct turn *t, int64_t mono_ms)
{
	bool full = false;
	int r = erasure_work(s->erasures, t);

	while (r == KL_OK && !full) {
		struct kl_put_receipt p = { .statement = KL_ERASE_RECEIPT };
		size_t mark = kl_arena_mark(t->mem);
		struct kl_conv_id conv;

		r = erasure_next(s->erasures, t, mono_ms, &conv, &p.receipt);
		if (r == KL_OK)
			r = hand_over(s, t, KL_PUT_RECEIPT, KL_M_PUT_RECEIPT,
			    &p, sizeof p, conv.b, &full);
		kl_arena_release(t->mem, mark);
		if (full)
			erasure_lost(s->erasures, &conv);
	}
	return r == KL_E_EMPTY ? KL_OK : r;
}

static int
send_receipts(struct session *s, struct turn *t, int64_t mono_ms)
{
	for (;;) {
		struct kl_put_receipt p = { .statement = KL_RECEIPT };
		struct kl_bytes body;
		struct kl_msg_id id;
		size_t mark = kl_arena_mark(t->mem);
		int r = receipts_next(s->receipts, t, mono_ms, &id,
		    &p.receipt);

		if (r == KL_OK)
			r = KL_MESSAGE_PACK_IN(KL_M_PUT_RECEIPT, &p, t->mem,
			    &body);
		if (r == KL_OK)
			r = calls_ask(s->calls, KL_PUT_RECEIPT, body,
			    KL_BYTES_NONE, id.b);
		kl_arena_release(t->mem, mark);
		if (r == KL_E_FULL)
			receipts_unanswered(s->receipts, &id);
		if (r != KL_OK)
			return r == KL_E_EMPTY || r == KL_E_FULL ? KL_OK : r;
	}
}

static int
send_outbox(struct session *s, struct turn *t, int64_t mono_ms)
{
	for (;;) {
		struct kl_submit m;
		struct kl_bytes body;
		struct out_submit out;
		size_t mark = kl_arena_mark(t->mem);
		int r = outbox_next(s->outbox, t, mono_ms, &out);

		if (r == KL_OK) {
			m.envelope = out.envelope;
			r = KL_MESSAGE_PACK_IN(KL_M_SUBMIT, &m, t->mem,
			    &body);
		}
		if (r == KL_OK)
			r = calls_ask(s->calls, KL_SUBMIT, body, out.ct,
			    out.id.b);
		kl_arena_release(t->mem, mark);
		if (r == KL_E_FULL)
			outbox_unanswered(s->outbox, &out.id, mono_ms);
		if (r != KL_OK)
			return r == KL_E_EMPTY || r == KL_E_FULL ? KL_OK : r;
	}
}

/* Until the first head of the log the one of before the start counts, but the
 * link has its time to come up first. */
static int
watch_from(struct session *s, struct turn *t, int64_t mono_ms)
{
	struct checkpoint kept;
	int64_t ago_ms;
	int r = checkpoint_get(t, &kept);

	ago_ms = kept.seen_ms == 0 ? 0 : t->now_ms - kept.seen_ms;
	if (ago_ms > NO_CHECKPOINT_MS - START_MS)
		ago_ms = NO_CHECKPOINT_MS - START_MS;
	s->log_from_ms = mono_ms - (ago_ms > 0 ? ago_ms : 0);
	return r;
}

/* 15 minutes without a head of the log: an alarm, also when there is no broker
 * to be silent; closed when one is seen. */
static int
watch_log(struct session *s, struct turn *t, int64_t mono_ms)
{
	const bool seen = s->log_seen_ms != 0;
	enum session_log log;
	int r;

	if (s->log == SESSION_LOG_UNKNOWN && s->log_from_ms == 0 &&
	    (r = watch_from(s, t, mono_ms)) != KL_OK)
		return r;
	log = mono_ms - (seen ? s->log_seen_ms : s->log_from_ms) >=
	    NO_CHECKPOINT_MS ? SESSION_LOG_SILENT : seen ? SESSION_LOG_SEEN :
	    SESSION_LOG_UNKNOWN;
	if (log == s->log || log == SESSION_LOG_UNKNOWN)
		return KL_OK;
	s->log = log;
	return log == SESSION_LOG_SILENT ?
	    alarm_open(t, ENGINE_AL_CHECKPOINT, 0, NULL) :
	    alarm_close(t, ENGINE_AL_CHECKPOINT, NULL);
}

/* Nothing leaves any more, and nobody who only hands files in looks at the
 * status. */
static int
tell_refused(struct session *s, struct turn *t)
{
	if (!s->refused || s->refused_told)
		return KL_OK;
	s->refused_told = true;
	return alarm_raise(t, ENGINE_AL_BROKER, KL_C_NOT_YOUR_KEY, NULL);
}

/* Once for each card, whatever restarts. */
static int
tell_card(struct turn *t)
{
	const int64_t until_ms = t->id->card_until_ms;
	int64_t told_ms = 0;
	int r;

	if (t->now_ms < until_ms - CARD_ENDS_MS || !turn_clock_good(t))
		return KL_OK;
	r = store_meta_get(t->store, CARD_TOLD, &told_ms, sizeof told_ms);
	if (r != KL_OK && r != KL_E_NOT_FOUND)
		return r;
	if (told_ms == until_ms)
		return KL_OK;
	if ((r = store_meta_put(t->store, CARD_TOLD, &until_ms,
	    sizeof until_ms)) != KL_OK)
		return r;
	return alarm_raise(t, ENGINE_AL_CARD, 0, NULL);
}

int
session_work(struct session *s, struct turn *t, int64_t mono_ms)
{
	int r;

	if ((r = tell_refused(s, t)) != KL_OK || (r = tell_card(t)) != KL_OK)
		return r;
	/* Whoever is there does not answer: the connection may stand long
	 * after the machine is gone. */
	if (calls_overdue(s->calls, mono_ms)) {
		session_begin_again(s, mono_ms);
		s->elsewhere = true;
	}
	if ((r = watch_log(s, t, mono_ms)) != KL_OK ||
	    (r = session_start_work(s, t, mono_ms)) != KL_OK ||
	    (r = outbox_draft_seal(s->outbox, t, mono_ms)) != KL_OK)
		return r;
	if (s->phase != SESSION_READY)
		return KL_OK;
	/* What ends goes before what begins; then receipts: what they answer is
	 * not sent again. */
	if ((r = send_withdrawals(s, t, mono_ms)) != KL_OK ||
	    (r = send_erase_receipts(s, t, mono_ms)) != KL_OK ||
	    (r = send_receipts(s, t, mono_ms)) != KL_OK ||
	    (r = send_outbox(s, t, mono_ms)) != KL_OK ||
	    (r = session_asks_work(s)) != KL_OK)
		return r;
	return session_items_fetch(s, t, mono_ms);
}

/* ---- answers --------------------------------------------------------- */

static int
compare_clocks(struct session *s, struct turn *t, int64_t broker_ms)
{
	int64_t off = t->now_ms - broker_ms, size = off < 0 ? -off : off;
	uint32_t level = size > TURN_CLOCK_REFUSE_MS ? 2 :
	    size > TURN_CLOCK_WARN_MS ? 1 : 0;
	bool news = level > s->clock_alarm;

	s->clock_known = t->clock_known = true;
	s->clock_off_ms = t->clock_off_ms = off;
	s->clock_alarm = level;
	return news ? alarm_raise(t, ENGINE_AL_CLOCK, KL_C_OWN_CLOCK, NULL) :
	    KL_OK;
}

/* Codes that end the session whatever was asked. */
static bool
ends_session(struct session *s, uint32_t code, int64_t mono_ms)
{
	switch (code) {
	case KL_C_HELLO_FIRST:
		session_begin_again(s, mono_ms);
		return true;
	case KL_C_SESSION_REPLACED:
		session_begin_again(s, mono_ms + REPLACED_PAUSE_MS);
		return true;
	case KL_C_NOT_REPORTED_IN:
		session_begin_again(s, mono_ms + SESSION_RETRY_MS);
		return true;
	default:
		return false;
	}
}

static int
answer_submit(struct session *s, struct turn *t, const struct kl_msg_id *id,
    const struct call_answer *a, int64_t mono_ms)
{
	struct out_answer out = { a->code, a->retry_after_ms, a->detail,
		a->body };
	int r = outbox_answer_take(s->outbox, t, id, &out, mono_ms);

	if (r != KL_E_FORMAT)
		return r;
	/* An answer that is none, or a leaf of something else. */
	outbox_defer(s->outbox, id, 0, mono_ms);
	return session_items_bad(s, t);
}

static int
answer_withdraw(struct session *s, struct turn *t,
    const struct kl_conv_id *conv, const struct call_answer *a,
    int64_t mono_ms)
{
	int r = withdraw_answer(s->withdrawals, t, conv, a, mono_ms);

	if (r != KL_E_FORMAT)
		return r;
	repeats_later(s->withdrawals, conv, 0, mono_ms);
	return session_items_bad(s, t);
}

static int
answer_fetch(struct session *s, struct turn *t, const struct call_answer *a,
    int64_t mono_ms)
{
	if (a->code == KL_C_OK)
		return session_items_take(s, t, a, mono_ms);
	s->fetch_due_ms = mono_ms + SESSION_RETRY_MS + a->retry_after_ms;
	return KL_OK;
}

static int
answer(struct session *s, struct turn *t, const struct call *call,
    const struct call_answer *a, int64_t mono_ms)
{
	struct kl_conv_id conv;
	struct kl_msg_id id;

	memcpy(id.b, call->key, sizeof id.b);
	memcpy(conv.b, call->key, sizeof conv.b);
	if (session_asks_is(call))
		return session_asks_answer(s, t, call, a, mono_ms);
	switch (call->request) {
	case KL_SUBMIT:
		/* Its practice has not reported in: only this one waits. */
		return answer_submit(s, t, &id, a, mono_ms);
	case KL_WITHDRAW:
		return answer_withdraw(s, t, &conv, a, mono_ms);
	case KL_PUT_RECEIPT:
		if (erasure_flying(s->erasures, &conv))
			return erasure_taken(s->erasures, t, &conv, a,
			    mono_ms);
		return receipts_answer(s->receipts, t, &id, a->code, mono_ms);
	case KL_FETCH:
		return answer_fetch(s, t, a, mono_ms);
	default:
		return session_start_answer(s, t, call, a, mono_ms);
	}
}

int
session_message(struct session *s, struct turn *t,
    const struct kl_bytes *frames, size_t n, int64_t mono_ms)
{
	struct call_answer a;
	struct call call;
	int r = calls_take(s->calls, frames, n, t->mem, &call, &a);

	if (r == KL_E_MEMORY)
		return r;
	if (r != KL_OK) {
		kl_logf(KL_LOG_DEBUG, "answer_to_nothing",
		    kl_log_word("code", kl_code_name(a.code)));
		return KL_OK;
	}
	if ((r = compare_clocks(s, t, a.time_ms)) != KL_OK)
		return r;
	if (!(call.request == KL_SUBMIT && a.code == KL_C_NOT_REPORTED_IN) &&
	    call.request != KL_HELLO && ends_session(s, a.code, mono_ms)) {
		lose(s, &call);
		return KL_OK;
	}
	return answer(s, t, &call, &a, mono_ms);
}

/* ---- state ----------------------------------------------------------- */

static int64_t
sooner(int64_t wait, int64_t due_ms, int64_t mono_ms)
{
	int64_t w = due_ms > mono_ms ? due_ms - mono_ms : 0;

	return wait < 0 || w < wait ? w : wait;
}

int64_t
session_wait_ms(const struct session *s, int64_t mono_ms)
{
	int64_t w = calls_wait_ms(s->calls, mono_ms), o;

	if (s->phase == SESSION_DOWN || s->phase == SESSION_STUCK)
		return s->up ? sooner(w, s->due_ms, mono_ms) : w;
	if (s->phase != SESSION_READY)
		return s->asked ? w : sooner(w, s->step_due_ms, mono_ms);
	if (asks_due(s->asks))
		return 0;
	if ((o = outbox_wait_ms(s->outbox, mono_ms)) >= 0)
		w = sooner(w, mono_ms + o, mono_ms);
	if ((o = receipts_wait_ms(s->receipts, mono_ms)) >= 0)
		w = sooner(w, mono_ms + o, mono_ms);
	if ((o = repeats_wait_ms(s->withdrawals, mono_ms)) >= 0)
		w = sooner(w, mono_ms + o, mono_ms);
	if ((o = erasure_wait_ms(s->erasures, mono_ms)) >= 0)
		w = sooner(w, mono_ms + o, mono_ms);
	if (calls_open(s->calls, KL_FETCH) == 0)
		w = sooner(w, s->fetch_due_ms, mono_ms);
	if (calls_open(s->calls, KL_DIRECTORY) == 0)
		w = sooner(w, s->directory_due_ms, mono_ms);
	if (calls_open(s->calls, KL_PUBLISH) == 0)
		w = sooner(w, s->publish_due_ms, mono_ms);
	if (calls_open(s->calls, KL_LOG) == 0)
		w = sooner(w, s->log_due_ms, mono_ms);
	return w;
}

struct session_state
session_state(const struct session *s)
{
	struct session_state st = {
		.code = s->code, .epoch = s->me.epoch,
		.prekeys_until_ms = s->prekeys_until_ms,
		.clock_known = s->clock_known,
		.clock_off_ms = s->clock_off_ms,
		.directory_whole = s->directory_whole,
	};

	if (s->phase == SESSION_READY)
		st.session = ENGINE_READY;
	else if (s->phase == SESSION_STUCK)
		st.session = s->code == KL_C_INSTANCE_CONFLICT ?
		    ENGINE_CONFLICT : ENGINE_NOT_SERVED;
	else
		st.session = s->up ? ENGINE_GREETING : ENGINE_NO_LINK;
	/* The edge did not even let us speak: this key is on no valid card. */
	if (!s->up && s->refused) {
		st.session = ENGINE_NOT_SERVED;
		st.code = KL_C_NOT_YOUR_KEY;
	}
	return st;
}
