#include "adapters/common/session_priv.h"

#include <string.h>

#include <kortelijn/crypto/secret.h>
#include <kortelijn/host/log.h>

#include "adapters/common/alarm.h"
#include "adapters/common/checkpoint.h"
#include "adapters/common/prekeys.h"

#define PROFILE_KEY "profile"
#define CONFLICT_PAUSE_MS (5 * KL_MINUTE_MS)
#define REFUSED_PAUSE_MS 10000
#define PUBLISH_EVERY_MS KL_HOUR_MS
#define DIRECTORY_EVERY_MS KL_MINUTE_MS
#define LOG_EVERY_MS (5 * KL_MINUTE_MS)

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
	return outbox_submit_again(s->outbox, t);
}

static int
take_checkpoint(struct session *s, struct turn *t,
    const struct kl_hello_reply *h, int64_t mono_ms)
{
	enum checkpoint_verdict v;
	int r = checkpoint_take(t, h->note, &v);

	s->log_due_ms = mono_ms + (v == CHECKPOINT_AHEAD ? 0 : LOG_EVERY_MS);
	if (r == KL_OK && v == CHECKPOINT_NEW_ORIGIN)
		r = after_loss(s, t);
	return r;
}

static int
hello_ok(struct session *s, struct turn *t, struct kl_bytes body,
    int64_t mono_ms)
{
	struct kl_hello_reply h;
	int r;

	if (KL_MESSAGE_READ(KL_M_HELLO_REPLY, body, t->mem, &h) != KL_C_OK) {
		session_stick(s, KL_C_MALFORMED, mono_ms + REFUSED_PAUSE_MS);
		return KL_OK;
	}
	if (h.realm != t->config->realm) {
		session_stick(s, KL_C_REALM, mono_ms + REFUSED_PAUSE_MS);
		return alarm_raise(t, ENGINE_AL_BROKER, KL_C_REALM, NULL);
	}
	s->report_in = h.report_in == KL_YES;
	s->take_over = h.take_over == KL_YES;
	s->directory_newest = h.directory;
	s->prekeys_until_ms = h.prekeys_until_ms;
	memset(&s->present, 0, sizeof s->present);
	memset(&s->list_after, 0, sizeof s->list_after);
	if ((r = take_checkpoint(s, t, &h, mono_ms)) != KL_OK)
		return r;
	if (h.prekeys_until_ms == 0 &&
	    (r = prekeys_publish_again(t->store)) != KL_OK)
		return r;
	session_enter(s, s->take_over ? SESSION_LIST :
	    s->report_in ? SESSION_PRESENT : SESSION_DIRECTORY);
	return KL_OK;
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
	    (conflict ? CONFLICT_PAUSE_MS : REFUSED_PAUSE_MS));
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
		if ((r = sync_learn(t, &c)) != KL_OK)
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

/* The page is taken unless the broker could not take all of it now. */
static void
present_ok(struct session *s, const struct kl_sync_reply *reply,
    int64_t mono_ms)
{
	for (size_t i = 0; i < reply->n_result; i++)
		if (reply->result[i] == KL_C_TRY_LATER) {
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

/* ---- DIRECTORY ------------------------------------------------------- */

static int
ask_directory(struct session *s, struct turn *t)
{
	struct kl_directory d = { 0 };
	int r = store_meta_get(t->store, "directory", &d.after,
	    sizeof d.after);

	if (r != KL_OK && r != KL_E_NOT_FOUND)
		return r;
	return session_ask(s, t, KL_DIRECTORY, KL_M_DIRECTORY, &d, sizeof d);
}

static int
take_entry(struct turn *t, struct kl_bytes packed)
{
	size_t mark = kl_arena_mark(t->mem);
	struct kl_entry e;
	int r = KL_E_FORMAT;

	if (KL_MESSAGE_READ(KL_M_ENTRY, packed, t->mem, &e) == KL_C_OK)
		r = directory_take(t->dir, t->store, t->mem, e.statement,
		    e.content);
	kl_arena_release(t->mem, mark);
	/* A prekey of a card that ended is no attack; a card is. */
	if (r == KL_E_SIGNATURE && e.statement <= KL_REVOCATION)
		return alarm_raise(t, ENGINE_AL_DIRECTORY, KL_C_SIGNATURE,
		    NULL);
	return r == KL_E_SIGNATURE || r == KL_E_FORMAT || r == KL_E_VALUE ?
	    KL_OK : r;
}

static int
directory_answer(struct session *s, struct turn *t, struct kl_bytes body,
    int64_t mono_ms)
{
	struct kl_directory_reply d;
	int r;

	if (KL_MESSAGE_READ(KL_M_DIRECTORY_REPLY, body, t->mem, &d) !=
	    KL_C_OK)
		return KL_E_FORMAT;
	for (size_t i = 0; i < d.n_entry; i++)
		if ((r = take_entry(t, d.entry[i])) != KL_OK)
			return r;
	if (d.n_entry > 0 && (r = store_meta_put(t->store, "directory",
	    &d.last, sizeof d.last)) != KL_OK)
		return r;
	s->directory_newest = d.newest;
	s->directory_whole = d.last >= d.newest || d.n_entry == 0;
	s->directory_due_ms = s->directory_whole ?
	    mono_ms + DIRECTORY_EVERY_MS : 0;
	t->want_submit = true;
	if (s->phase == SESSION_DIRECTORY && s->directory_whole)
		session_enter(s, SESSION_PUBLISH);
	return KL_OK;
}

/* ---- PUBLISH --------------------------------------------------------- */

static int
add_entry(struct turn *t, struct kl_publish *p, uint32_t statement,
    struct kl_bytes packed)
{
	struct kl_entry e = { .statement = statement, .content = packed };
	int r = KL_MESSAGE_PACK_IN(KL_M_ENTRY, &e, t->mem,
	    &p->entry[p->n_entry]);

	p->n_entry += r == KL_OK ? 1 : 0;
	return r;
}

static int
add_prekeys(struct turn *t, struct kl_publish *p)
{
	struct prekey_row row[PREKEYS_AHEAD];
	uint8_t buf[KL_STATEMENT_MAX];
	size_t n, len;
	int r = prekeys_unpublished(t->store, t->now_ms, row,
	    PREKEYS_AHEAD, &n);

	for (size_t i = 0; i < n && r == KL_OK; i++) {
		if (row[i].not_after_ms <= t->now_ms)
			continue;
		r = prekeys_statement(t->id, &row[i], buf, sizeof buf, &len);
		if (r == KL_OK)
			r = add_entry(t, p, KL_PREKEY, kl_bytes(buf, len));
	}
	return r;
}

/* Alone in its request: it may be as long as one. */
static int
add_profile(struct turn *t, struct kl_publish *p)
{
	struct kl_bytes v, copy;
	int r = store_get(t->store, STORE_META,
	    kl_bytes_str("profile sent"), &v);

	if (r != KL_E_NOT_FOUND)
		return r;
	r = store_get(t->store, STORE_META, kl_bytes_str(PROFILE_KEY), &v);
	if (r != KL_OK)
		return r == KL_E_NOT_FOUND ? KL_OK : r;
	if ((r = kl_arena_copy(t->mem, v, &copy)) != KL_OK)
		return r;
	return add_entry(t, p, KL_PROFILE, copy);
}

static int
ask_publish(struct session *s, struct turn *t, int64_t mono_ms)
{
	struct kl_publish p = { .n_entry = 0 };
	int r = prekeys_top_up(t->store, t->now_ms);

	if (r == KL_OK)
		r = add_prekeys(t, &p);
	if (r == KL_OK && p.n_entry == 0)
		r = add_profile(t, &p);
	if (r != KL_OK)
		return r;
	if (p.n_entry == 0) {
		s->publish_due_ms = mono_ms + PUBLISH_EVERY_MS;
		if (s->phase == SESSION_PUBLISH) {
			session_enter(s, SESSION_READY);
			s->code = 0;
			outbox_wake(s->outbox);
			t->want_submit = true;
			kl_logf(KL_LOG_INFO, "session_ready",
			    kl_log_num("epoch", (int64_t)s->me.epoch));
		}
		return KL_OK;
	}
	return session_ask(s, t, KL_PUBLISH, KL_M_PUBLISH, &p, sizeof p);
}

/* What was asked is what is not published yet: the store has not changed. */
static int
publish_ok(struct session *s, struct turn *t)
{
	struct prekey_row row[PREKEYS_AHEAD];
	size_t n;
	int r = prekeys_unpublished(t->store, t->now_ms, row,
	    PREKEYS_AHEAD, &n);

	s->publish_due_ms = 0;
	if (r == KL_OK && n == 0)
		return store_put(t->store, STORE_META,
		    kl_bytes_str("profile sent"), STORE_HERE);
	for (size_t i = 0; i < n && r == KL_OK; i++) {
		r = prekeys_published(t->store, &row[i].key_id);
		if (row[i].not_after_ms > s->prekeys_until_ms)
			s->prekeys_until_ms = row[i].not_after_ms;
	}
	return r;
}

int
session_start_profile(struct session *s, struct turn *t,
    struct kl_bytes packed)
{
	int r;

	if (packed.n > KL_SIGNED_MAX)
		return KL_E_SIZE;
	if ((r = store_put(t->store, STORE_META, kl_bytes_str(PROFILE_KEY),
	    packed)) != KL_OK)
		return r;
	s->publish_due_ms = 0;
	return store_del(t->store, STORE_META, kl_bytes_str("profile sent"));
}

/* ---- LOG ------------------------------------------------------------- */

static int
ask_log(struct session *s, struct turn *t)
{
	struct kl_log_request q = { .want = KL_LOG_CONSISTENCY };
	struct checkpoint kept;
	int r = checkpoint_get(t, &kept);

	if (r != KL_OK)
		return r;
	q.size = kept.size;
	if (kept.size == 0)
		q.want = KL_LOG_CHECKPOINT;
	return session_ask(s, t, KL_LOG, KL_M_LOG, &q, sizeof q);
}

static int
log_answer(struct session *s, struct turn *t, const struct call_answer *a,
    int64_t mono_ms)
{
	enum checkpoint_verdict v;
	struct kl_log_reply l;
	int r;

	s->log_due_ms = mono_ms + LOG_EVERY_MS;
	if (a->code != KL_C_OK)
		return KL_OK;
	if (KL_MESSAGE_READ(KL_M_LOG_REPLY, a->body, t->mem, &l) != KL_C_OK)
		return KL_E_FORMAT;
	r = checkpoint_prove(t, &l, &v);
	if (r == KL_OK && v == CHECKPOINT_NEW_ORIGIN)
		r = after_loss(s, t);
	return r;
}

/* ---- work ------------------------------------------------------------ */

static int
work_ready(struct session *s, struct turn *t, int64_t mono_ms)
{
	int r = KL_OK;

	if ((t->want_directory || s->directory_due_ms <= mono_ms) &&
	    calls_open(s->calls, KL_DIRECTORY) == 0) {
		/* Not in a circle: once a second at most. */
		s->directory_due_ms = mono_ms + SESSION_RETRY_MS;
		t->want_directory = false;
		r = ask_directory(s, t);
	}
	if (r == KL_OK && s->publish_due_ms <= mono_ms &&
	    calls_open(s->calls, KL_PUBLISH) == 0)
		r = ask_publish(s, t, mono_ms);
	if (r == KL_OK && s->log_due_ms <= mono_ms &&
	    calls_open(s->calls, KL_LOG) == 0)
		r = ask_log(s, t);
	return r;
}

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
		return ask_directory(s, t);
	case SESSION_PUBLISH:
		return ask_publish(s, t, mono_ms);
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
		return work_ready(s, t, mono_ms);
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
	case KL_DIRECTORY:
		return directory_answer(s, t, a->body, mono_ms);
	case KL_PUBLISH:
		return publish_ok(s, t);
	default:
		return KL_OK;
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

static int
ready_refused(struct session *s, uint32_t request,
    const struct call_answer *a, int64_t mono_ms)
{
	int64_t due = mono_ms + REFUSED_PAUSE_MS + a->retry_after_ms;

	if (request == KL_PUBLISH)
		s->publish_due_ms = due;
	else if (request == KL_DIRECTORY)
		s->directory_due_ms = due;
	return KL_OK;
}

int
session_start_answer(struct session *s, struct turn *t,
    const struct call *call, const struct call_answer *a, int64_t mono_ms)
{
	int r;

	s->asked = false;
	if (call->request == KL_LOG)
		r = log_answer(s, t, a, mono_ms);
	else if (a->code == KL_C_OK)
		r = answer_ok(s, t, call, a, mono_ms);
	else if (s->phase == SESSION_READY)
		r = ready_refused(s, call->request, a, mono_ms);
	else if (call->request != KL_HELLO &&
	    kl_code_retry(a->code) == KL_RETRY_LATER)
		r = step_later(s, a, mono_ms);
	else
		r = hello_refused(s, t, a->code, mono_ms);
	/* An answer that cannot be read is no store's fault. */
	if (r == KL_E_FORMAT) {
		session_begin_again(s, mono_ms + REFUSED_PAUSE_MS);
		r = KL_OK;
	}
	return r;
}
