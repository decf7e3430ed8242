#include "adapters/common/session_priv.h"

#include <string.h>

#include <kortelijn/crypto/secret.h>
#include <kortelijn/host/log.h>

#include "adapters/common/alarm.h"
#include "adapters/common/checkpoint.h"
#include "adapters/common/outbox_time.h"
#include "adapters/common/prekeys.h"

#define CONFLICT_PAUSE_MS (5 * KL_MINUTE_MS)

/* ---- HELLO ----------------------------------------------------------- */

static int
put_instance(struct session *s, struct turn *t)
{
	return store_meta_put(t->store, "instance", &s->me, sizeof s->me);
}

static int
ask_hello(struct session *s, struct turn *t)
{
	struct kl_hello h = {
		.take_over = s->take_over ? KL_YES : KL_NO,
		.schema_min = KL_SCHEMA_MIN, .schema_max = KL_SCHEMA_MAX,
		.program = kl_bytes_str("kortelijn-adapter " KL_VERSION),
	};
	struct checkpoint kept;
	int r = checkpoint_get(t, &kept);

	if (r != KL_OK)
		return r;
	/* Counted up before it is used, and durable before it leaves. */
	s->me.epoch++;
	h.instance = s->me.instance;
	h.epoch = s->me.epoch;
	h.note = kl_bytes_str(kept.note);
	if ((r = put_instance(s, t)) != KL_OK)
		return r;
	session_enter(s, SESSION_HELLO);
	return session_ask(s, t, KL_HELLO, KL_M_HELLO, &h, sizeof h);
}

/* Another log: the broker knows nothing of what it knew. */
static int
after_loss(struct session *s, struct turn *t)
{
	uint64_t none = 0;
	int r;

	if ((r = store_meta_put(t->store, "directory", &none, sizeof none)) !=
	    KL_OK || (r = prekeys_publish_again(t->store)) != KL_OK ||
	    (r = store_del(t->store, STORE_META,
	    kl_bytes_str("profile sent"))) != KL_OK)
		return r;
	return outbox_time_new_log(s->outbox, t);
}

int
session_start_checkpoint(struct session *s, struct turn *t,
    enum checkpoint_verdict v, int64_t mono_ms)
{
	if (v < CHECKPOINT_BAD)
		s->log_seen_ms = mono_ms;
	if (v == CHECKPOINT_LEFT) {
		session_stick(s, KL_C_LOG_LEFT, mono_ms + SESSION_REFUSED_MS);
		s->elsewhere = true;
	}
	return v == CHECKPOINT_NEW_ORIGIN ? after_loss(s, t) :
	    KL_OK;
}

static int
take_checkpoint(struct session *s, struct turn *t,
    const struct kl_hello_reply *h, int64_t mono_ms)
{
	enum checkpoint_verdict v;
	int r = checkpoint_take(t, h->note, &v);

	s->log_due_ms = mono_ms +
	    (v == CHECKPOINT_AHEAD ? 0 : SESSION_LOG_EVERY_MS);
	return r != KL_OK ? r : session_start_checkpoint(s, t, v, mono_ms);
}

static int
hello_ok(struct session *s, struct turn *t, struct kl_bytes body,
    int64_t mono_ms)
{
	struct kl_hello_reply h;
	int r;

	if (KL_MESSAGE_READ(KL_M_HELLO_REPLY, body, t->mem, &h) != KL_C_OK) {
		session_stick(s, KL_C_MALFORMED, mono_ms + SESSION_REFUSED_MS);
		return KL_OK;
	}
	if (h.realm != t->config->realm) {
		session_stick(s, KL_C_REALM, mono_ms + SESSION_REFUSED_MS);
		return alarm_raise(t, ENGINE_AL_BROKER, KL_C_REALM, NULL);
	}
	s->report_in = h.report_in == KL_YES;
	s->take_over = h.take_over == KL_YES;
	s->directory_newest = h.directory;
	s->prekeys_until_ms = h.prekeys_until_ms;
	memset(&s->present, 0, sizeof s->present);
	memset(&s->list_after, 0, sizeof s->list_after);
	if ((r = take_checkpoint(s, t, &h, mono_ms)) != KL_OK ||
	    s->phase == SESSION_STUCK)
		return r;
	if (h.prekeys_until_ms == 0 &&
	    (r = prekeys_publish_again(t->store)) != KL_OK)
		return r;
	session_enter(s, s->take_over ? SESSION_LIST :
	    s->report_in ? SESSION_PRESENT : SESSION_DIRECTORY);
	return KL_OK;
}

/* It says itself that it went back, or was left, and shows its own note: with
 * the one that we keep that is evidence. PROTOCOL.md 7.1.1. */
static int
hello_fenced(struct session *s, struct turn *t, const struct call_answer *a,
    int64_t mono_ms)
{
	enum checkpoint_verdict v;
	struct kl_hello_reply h;
	int r = KL_OK;

	if (KL_MESSAGE_READ(KL_M_HELLO_REPLY, a->body, t->mem, &h) == KL_C_OK)
		r = checkpoint_take(t, h.note, &v);
	session_stick(s, a->code, mono_ms + SESSION_REFUSED_MS);
	s->elsewhere = true;
	return r;
}

static bool
is_fenced(const struct call *call, uint32_t code)
{
	return call->request == KL_HELLO &&
	    (code == KL_C_LOG_BEHIND || code == KL_C_LOG_LEFT);
}

static int
hello_refused(struct session *s, struct turn *t, uint32_t code,
    int64_t mono_ms)
{
	bool conflict = code == KL_C_INSTANCE_CONFLICT;
	bool news = s->code != code;

	if (kl_code_retry(code) == KL_RETRY_LATER && !conflict) {
		session_begin_again(s, mono_ms + SESSION_RETRY_MS);
		return KL_OK;
	}
	session_stick(s, code, mono_ms +
	    (conflict ? CONFLICT_PAUSE_MS : SESSION_REFUSED_MS));
	/* Once for each reason, not for each try. */
	if (!news)
		return KL_OK;
	return alarm_raise(t, conflict ? ENGINE_AL_INSTANCE_CONFLICT :
	    ENGINE_AL_BROKER, code, NULL);
}

/* ---- SYNC ------------------------------------------------------------ */

static int
ask_list(struct session *s, struct turn *t)
{
	struct kl_sync q = { .step = KL_SYNC_LIST, .after = s->list_after };

	return session_ask(s, t, KL_SYNC, KL_M_SYNC, &q, sizeof q);
}

static int
list_ok(struct session *s, struct turn *t, const struct kl_sync_reply *reply)
{
	for (size_t i = 0; i < reply->n_conversation; i++) {
		struct kl_sync_conversation c;
		int r;

		if (KL_MESSAGE_READ(KL_M_SYNC_CONVERSATION,
		    reply->conversation[i], t->mem, &c) != KL_C_OK)
			continue;
		s->list_after = c.conv_id;
		if ((r = sync_learn(t, s->outbox, &c)) != KL_OK)
			return r;
	}
	if (reply->n_conversation == 0)
		session_enter(s, SESSION_PRESENT);
	return KL_OK;
}

static int
ask_done(struct session *s, struct turn *t)
{
	struct kl_sync q = { .step = KL_SYNC_DONE };

	return session_ask(s, t, KL_SYNC, KL_M_SYNC, &q, sizeof q);
}

static int
ask_present(struct session *s, struct turn *t)
{
	struct kl_sync q;
	int r;

	s->present_next = s->present;
	r = sync_page(t, &s->present_next, !s->take_over || s->report_in, &q);
	if (r != KL_OK)
		return r;
	if (q.n_presented == 0) {
		session_enter(s, SESSION_DONE);
		return ask_done(s, t);
	}
	return session_ask(s, t, KL_SYNC, KL_M_SYNC, &q, sizeof q);
}

/* The page is taken unless the broker could not take all of it now: what is
 * open and was not presented is lost to it. */
static void
present_ok(struct session *s, const struct kl_sync_reply *reply,
    int64_t mono_ms)
{
	for (size_t i = 0; i < reply->n_result; i++)
		if (reply->result[i] == KL_C_TRY_LATER ||
		    reply->result[i] == KL_C_STORE_FULL) {
			s->step_due_ms = mono_ms + SESSION_RETRY_MS;
			return;
		}
	s->present = s->present_next;
}

static int
sync_answer(struct session *s, struct turn *t, struct kl_bytes body,
    int64_t mono_ms)
{
	struct kl_sync_reply reply;

	if (KL_MESSAGE_READ(KL_M_SYNC_REPLY, body, t->mem, &reply) != KL_C_OK)
		return KL_E_FORMAT;
	if (s->phase == SESSION_LIST)
		return list_ok(s, t, &reply);
	if (s->phase == SESSION_PRESENT)
		present_ok(s, &reply, mono_ms);
	if (s->phase == SESSION_DONE) {
		s->take_over = s->report_in = false;
		session_enter(s, SESSION_DIRECTORY);
	}
	return KL_OK;
}

/* ---- work ------------------------------------------------------------ */

static int
work_step(struct session *s, struct turn *t, int64_t mono_ms)
{
	if (s->asked || s->step_due_ms > mono_ms)
		return KL_OK;
	switch (s->phase) {
	case SESSION_LIST:
		return ask_list(s, t);
	case SESSION_PRESENT:
		return ask_present(s, t);
	case SESSION_DONE:
		return ask_done(s, t);
	case SESSION_DIRECTORY:
		return session_keep_ask_directory(s, t);
	case SESSION_PUBLISH:
		return session_keep_ask_publish(s, t, mono_ms);
	default:
		return KL_OK;
	}
}

int
session_start_work(struct session *s, struct turn *t, int64_t mono_ms)
{
	switch (s->phase) {
	case SESSION_DOWN:
	case SESSION_STUCK:
		return s->up && s->due_ms <= mono_ms ? ask_hello(s, t) :
		    KL_OK;
	case SESSION_READY:
		return session_keep_work(s, t, mono_ms);
	default:
		return work_step(s, t, mono_ms);
	}
}

static int
answer_ok(struct session *s, struct turn *t, const struct call *call,
    const struct call_answer *a, int64_t mono_ms)
{
	switch (call->request) {
	case KL_HELLO:
		return hello_ok(s, t, a->body, mono_ms);
	case KL_SYNC:
		return sync_answer(s, t, a->body, mono_ms);
	default:
		return session_keep_answer(s, t, call->request, a, mono_ms);
	}
}

/* The same again: what was answered OK before stays done. */
static int
step_later(struct session *s, const struct call_answer *a, int64_t mono_ms)
{
	s->step_due_ms = mono_ms + (a->retry_after_ms > 0 ?
	    a->retry_after_ms : SESSION_RETRY_MS);
	return KL_OK;
}

int
session_start_answer(struct session *s, struct turn *t,
    const struct call *call, const struct call_answer *a, int64_t mono_ms)
{
	int r;

	s->asked = false;
	if (a->code == KL_C_OK)
		r = answer_ok(s, t, call, a, mono_ms);
	else if (is_fenced(call, a->code))
		r = hello_fenced(s, t, a, mono_ms);
	else if (s->phase == SESSION_READY)
		r = session_keep_answer(s, t, call->request, a, mono_ms);
	else if (call->request != KL_HELLO &&
	    kl_code_retry(a->code) == KL_RETRY_LATER)
		r = step_later(s, a, mono_ms);
	else
		r = hello_refused(s, t, a->code, mono_ms);
	/* An answer that cannot be read is no store's fault. */
	if (r == KL_E_FORMAT) {
		session_begin_again(s, mono_ms + SESSION_REFUSED_MS);
		r = KL_OK;
	}
	return r;
}
