#include "adapters/common/session_priv.h"

#include <string.h>

#include <kortelijn/host/log.h>

#include "adapters/common/alarm.h"
#include "adapters/common/checkpoint.h"
#include "adapters/common/prekeys.h"

#define PROFILE_KEY "profile"
#define PUBLISH_EVERY_MS KL_HOUR_MS
#define DIRECTORY_EVERY_MS KL_MINUTE_MS

/* ---- DIRECTORY ------------------------------------------------------- */

int
session_keep_ask_directory(struct session *s, struct turn *t)
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

/* Were we further than the directory reaches? Whoever said so once must not
 * keep us from every card and revocation to come. */
static int
cursor_check(struct turn *t, uint64_t newest, bool *ahead)
{
	uint64_t after = 0, none = 0;
	int r = store_meta_get(t->store, "directory", &after, sizeof after);

	*ahead = r == KL_OK && after > newest;
	if (r != KL_OK)
		return r == KL_E_NOT_FOUND ? KL_OK : r;
	return !*ahead ? KL_OK : store_meta_put(t->store, "directory", &none,
	    sizeof none);
}

static int
directory_answer(struct session *s, struct turn *t, struct kl_bytes body,
    int64_t mono_ms)
{
	struct kl_directory_reply d;
	bool ahead;
	int r;

	if (KL_MESSAGE_READ(KL_M_DIRECTORY_REPLY, body, t->mem, &d) !=
	    KL_C_OK || (d.n_entry > 0 && d.last > d.newest))
		return KL_E_FORMAT;
	if ((r = cursor_check(t, d.newest, &ahead)) != KL_OK)
		return r;
	for (size_t i = 0; i < d.n_entry; i++)
		if ((r = take_entry(t, d.entry[i])) != KL_OK)
			return r;
	if (d.n_entry > 0 && (r = store_meta_put(t->store, "directory",
	    &d.last, sizeof d.last)) != KL_OK)
		return r;
	s->directory_newest = d.newest;
	s->directory_whole = d.last >= d.newest || d.n_entry == 0;
	s->directory_due_ms = ahead ? mono_ms + SESSION_RETRY_MS :
	    s->directory_whole ? mono_ms + DIRECTORY_EVERY_MS : 0;
	if (s->directory_whole)
		t->directory_ms = t->now_ms;
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

int
session_keep_ask_publish(struct session *s, struct turn *t, int64_t mono_ms)
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
			repeats_wake(s->withdrawals);
			erasure_wake(s->erasures);
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
session_keep_profile(struct session *s, struct turn *t,
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

	s->log_due_ms = mono_ms + SESSION_LOG_EVERY_MS;
	if (KL_MESSAGE_READ(KL_M_LOG_REPLY, a->body, t->mem, &l) != KL_C_OK)
		return KL_E_FORMAT;
	r = checkpoint_prove(t, &l, &v);
	return r != KL_OK ? r : session_start_checkpoint(s, t, v, mono_ms);
}

/* ---- work ------------------------------------------------------------- */

int
session_keep_work(struct session *s, struct turn *t, int64_t mono_ms)
{
	int r = KL_OK;

	if ((t->want_directory || s->directory_due_ms <= mono_ms) &&
	    calls_open(s->calls, KL_DIRECTORY) == 0) {
		/* Not in a circle: once a second at most. */
		s->directory_due_ms = mono_ms + SESSION_RETRY_MS;
		t->want_directory = false;
		r = session_keep_ask_directory(s, t);
	}
	if (r == KL_OK && s->publish_due_ms <= mono_ms &&
	    calls_open(s->calls, KL_PUBLISH) == 0)
		r = session_keep_ask_publish(s, t, mono_ms);
	if (r == KL_OK && s->log_due_ms <= mono_ms &&
	    calls_open(s->calls, KL_LOG) == 0)
		r = ask_log(s, t);
	return r;
}

/* Refused in the middle of the work: later again, the session goes on. */
static int
refused(struct session *s, uint32_t request, const struct call_answer *a,
    int64_t mono_ms)
{
	int64_t due = mono_ms + SESSION_REFUSED_MS + a->retry_after_ms;

	if (request == KL_PUBLISH)
		s->publish_due_ms = due;
	else if (request == KL_DIRECTORY)
		s->directory_due_ms = due;
	else
		s->log_due_ms = mono_ms + SESSION_LOG_EVERY_MS;
	return KL_OK;
}

int
session_keep_answer(struct session *s, struct turn *t, uint32_t request,
    const struct call_answer *a, int64_t mono_ms)
{
	if (a->code != KL_C_OK)
		return refused(s, request, a, mono_ms);
	switch (request) {
	case KL_DIRECTORY:
		return directory_answer(s, t, a->body, mono_ms);
	case KL_PUBLISH:
		return publish_ok(s, t);
	case KL_LOG:
		return log_answer(s, t, a, mono_ms);
	default:
		return KL_OK;
	}
}
