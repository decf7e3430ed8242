#include "adapters/common/engine.h"

#include <stdlib.h>
#include <string.h>

#include <kortelijn/host/daemon.h>
#include <kortelijn/host/log.h>
#include <kortelijn/host/master.h>

#include "adapters/common/cases.h"
#include "adapters/common/checkpoint.h"
#include "adapters/common/engine_priv.h"
#include "adapters/common/prekeys.h"
#include "adapters/common/timers.h"
#include "adapters/common/withdraw.h"

#define RECV_MAX 64		/* messages of one turn */
#define LOOK_EVERY_MS 1000	/* at the link, and at what is due */
#define IDLE_EVERY_MS 500
#define ERASE_EVERY_MS 100	/* turns in between share a sync */
#define SLOTS_LOW 4		/* refill below a quarter of the pool */

/* ---- opening --------------------------------------------------------- */

static int
wire_send(void *arg, const struct kl_bytes *frames, size_t n)
{
	struct engine *e = arg;

	return kl_link_send(e->link, NULL, frames, n);
}

/* What is wrong with the secret of the master key, and what to do. */
static int
secret_wrong(const char *why, const char **what)
{
	kl_logf(KL_LOG_ERROR, "master_key_unusable", kl_log_word("why", why));
	*what = "master_key";
	return KL_E_CONFIG;
}

static int
open_sealed(struct engine *e, struct store_options *o, const char **what)
{
	const struct config *c = e->config;
	const struct kl_master_files files = { c->master_key,
		c->master_key_old, c->data_dir };
	struct kl_conf_error error = { "" };
	struct kl_master m;
	int r;

	if ((r = kl_master_read(&files, &m, &error)) != KL_OK)
		return r == KL_E_CONFIG ? secret_wrong(error.b, what) : r;
	o->secret = m.secret;
	o->secret_before = m.before;
	r = store_open(o, &e->store);
	kl_master_clear(&m);
	if (r != KL_OK)
		return kl_master_advice(r) != NULL ?
		    secret_wrong(kl_master_advice(r), what) : r;
	if (!kl_slots_sealed(store_slots(e->store)))
		kl_logf(KL_LOG_WARN, "master_key_beside_slots", kl_log_word(
		    "so", "who gets the disk gets the keys; see master_key in "
		    "kortelijn-adapter.conf(5)"));
	return KL_OK;
}

static int
open_store(struct engine *e, const char **what)
{
	const struct config *c = e->config;
	struct store_options o = {
		.dir = c->data_dir, .mac_key = kl_secret_bytes(e->id.master),
		.map_bytes = (size_t)c->map_mb * 1024 * 1024,
		.slots = (uint32_t)c->slots,
		.verified = c->erasure == KL_ERASURE_VERIFIED,
		.now_ms = kl_clock_now_ms(&e->clock),
	};
	int r;

	*what = "data_dir";
	if ((r = kl_daemon_mkdir(c->data_dir)) != KL_OK ||
	    (r = kl_daemon_lock(c->data_dir)) != KL_OK)
		return r;
	*what = "store in data_dir";
	return open_sealed(e, &o, what);
}

static int
open_parts(struct engine *e)
{
	const struct calls_wire wire = { wire_send, e };

	e->mem = kl_arena_new(ENGINE_ARENA_BYTES, ENGINE_ARENA_ALLOCS);
	e->dir = directory_new(&e->id.authority, e->config->realm);
	e->calls = calls_new(&wire);
	e->outbox = outbox_new();
	e->receipts = receipts_new();
	e->withdrawals = repeats_new();
	e->erasures = erasure_new();
	e->asks = asks_new();
	return e->mem == NULL || e->dir == NULL || e->calls == NULL ||
	    e->outbox == NULL || e->receipts == NULL ||
	    e->withdrawals == NULL || e->erasures == NULL ||
	    e->asks == NULL ? KL_E_MEMORY : KL_OK;
}

/* What lies in memory beside the store, as the store has it. */
static int
load(struct engine *e)
{
	struct turn *t = engine_turn(e);
	int r;

	if ((r = checkpoint_origin(e->store, &t->origin)) != KL_OK ||
	    (r = clock_hold_load(&e->hold, e->store)) != KL_OK ||
	    (r = directory_load(e->dir, e->store, e->mem)) != KL_OK ||
	    (r = outbox_load(e->outbox, t)) != KL_OK ||
	    (r = withdraw_load(e->withdrawals, t)) != KL_OK ||
	    (r = erasure_load(e->erasures, t)) != KL_OK)
		return r;
	return receipts_load(e->receipts, t);
}

/* Without a policy nothing of ours leaves. */
static void
policy_apply(struct engine *e)
{
	e->turn.no_policy = e->policies.none;
	outbox_pause(e->outbox, e->policies.none);
	if (!e->policies.none)
		outbox_wake(e->outbox);
}

static int
open_session(struct engine *e)
{
	const struct session_parts p = { e->calls, e->outbox, e->receipts,
		e->withdrawals, e->erasures, e->asks };
	struct turn *t = &e->turn;
	int r;

	*t = (struct turn){ .config = e->config, .id = &e->id, .dir = e->dir,
		.store = e->store, .mem = e->mem, .trace = e->trace,
		.policy = &e->policies.now };
	if ((r = policy_store_open(&e->policies, engine_turn(e))) != KL_OK)
		return r;
	policy_apply(e);
	if ((r = load(e)) != KL_OK ||
	    (r = prekeys_top_up(e->store, t->now_ms)) != KL_OK ||
	    (r = session_open(&p, t, &e->session)) != KL_OK)
		return r;
	kl_trace(e->trace, &(struct kl_trace_line){ .at_ms = t->now_ms,
	    .event = "started" });
	if ((r = store_commit(e->store)) == KL_OK)
		kl_trace_flush(e->trace);
	return r;
}

/* ---- the end of a turn ----------------------------------------------- */

static void
stop(struct engine *e, int r)
{
	if (e->fatal == 0)
		kl_logf(KL_LOG_ERROR, "stopping",
		    kl_log_word("because", kl_err_text(r)));
	e->fatal = r;
	kl_loop_stop(e->loop);
}

int
engine_result(struct engine *e, int r)
{
	switch (r) {
	case KL_E_MEMORY:
	case KL_E_FULL:
	case KL_E_IO:
	case KL_E_SYSTEM:
		if (!e->broken)
			kl_logf(KL_LOG_ERROR, "turn_undone",
			    kl_log_word("because", kl_err_text(r)));
		e->broken = true;
		return KL_E_AGAIN;
	case KL_E_COMMIT:
	case KL_E_DAMAGED:
		stop(e, r);
		e->broken = true;
		return KL_E_AGAIN;
	default:
		return r;
	}
}

struct turn *
engine_turn(struct engine *e)
{
	e->turn.now_ms = kl_clock_now_ms(&e->clock);
	return &e->turn;
}

static void
tell(struct engine *e, bool committed)
{
	struct engine_listener *l = e->listeners, *next;

	for (; l != NULL; l = next) {
		next = l->next;
		if (committed && l->committed != NULL)
			l->committed(l->arg);
		else if (!committed && l->undone != NULL)
			l->undone(l->arg);
	}
}

/* As after a start: what was written is gone, so what memory says of it too. */
static void
undo(struct engine *e)
{
	int64_t mono = kl_mono_ms();
	int r;

	store_abort(e->store);
	store_forget_keys(e->store);
	engine_time_undone(e);
	kl_trace_drop(e->trace);
	session_begin_again(e->session, mono + KL_SECOND_MS);
	if ((r = load(e)) != KL_OK)
		stop(e, r);
	store_abort(e->store);
	(void)policy_store_ended(&e->policies, false, e->turn.now_ms);
	tell(e, false);
}

static void
finish(struct engine *e)
{
	int r;

	if ((r = store_commit(e->store)) != KL_OK) {
		/* Before it, all is undone; after it, nobody knows. */
		if (engine_result(e, r) == KL_E_AGAIN && e->fatal == 0)
			undo(e);
		return;
	}
	kl_trace_flush(e->trace);
	if (calls_flush(e->calls, kl_mono_ms()) != KL_OK)
		session_begin_again(e->session, kl_mono_ms() + KL_SECOND_MS);
	if (policy_store_ended(&e->policies, true, e->turn.now_ms))
		policy_apply(e);
	tell(e, true);
}

static void
end_turn(struct engine *e)
{
	bool broken = e->broken;

	e->awake = false;
	e->broken = false;
	if (e->fatal != 0)
		store_abort(e->store);
	else if (broken)
		undo(e);
	else
		finish(e);
	kl_arena_reset(e->mem);
}

/* ---- idle turns ------------------------------------------------------ */

/* New keys for slots that were emptied, when the pool runs low or nothing else
 * is to be done. */
static int
idle(struct engine *e, int64_t mono_ms)
{
	bool low = (int64_t)store_slots_free(e->store) <
	    e->config->slots / SLOTS_LOW;

	if (e->next_idle_ms > mono_ms || store_dirty(e->store) ||
	    (!low && outbox_waiting(e->outbox) > 0))
		return KL_OK;
	e->next_idle_ms = mono_ms + IDLE_EVERY_MS;
	store_abort(e->store);
	return store_idle(e->store);
}

/* The keys of what was dropped. */
static int
erase(struct engine *e, int64_t mono_ms)
{
	if (!store_erasing(e->store) || mono_ms < e->next_erase_ms)
		return KL_OK;
	e->next_erase_ms = mono_ms + ERASE_EVERY_MS;
	return store_erase(e->store);
}

/* ---- sources --------------------------------------------------------- */

static int64_t
link_prepare(void *arg)
{
	struct engine *e = arg;

	return kl_link_wait_ms(e->link);
}

static void
watch_link(struct engine *e, int64_t mono_ms)
{
	enum kl_link_state state = kl_link_state(e->link);
	uint64_t connected = kl_link_counts(e->link).connected;

	/* Down and up again between two looks is another connection too. */
	if (state == KL_LINK_UP && connected != e->connected)
		session_link(e->session, KL_LINK_DOWN, mono_ms);
	e->connected = connected;
	session_link(e->session, state, mono_ms);
	if (session_wants_other(e->session)) {
		kl_link_leave(e->link);
		session_link(e->session, KL_LINK_DOWN, mono_ms);
	}
}

static void
link_dispatch(void *arg, short revents)
{
	struct engine *e = arg;
	int64_t mono = kl_mono_ms();
	struct turn *t = engine_turn(e);

	(void)revents;
	for (int i = 0; i < RECV_MAX && !e->broken && e->fatal == 0; i++) {
		struct kl_link_message m;
		size_t mark = kl_arena_mark(e->mem);
		int r = kl_link_recv(e->link, &m);

		watch_link(e, mono);
		if (r != KL_OK)
			break;
		r = session_message(e->session, t, m.frame, m.n, mono);
		kl_arena_release(e->mem, mark);
		(void)engine_result(e, r);
	}
}

static int64_t
turn_prepare(void *arg)
{
	struct engine *e = arg;
	int64_t mono = kl_mono_ms(), w = session_wait_ms(e->session, mono);

	if (store_dirty(e->store) || e->awake || e->broken ||
	    calls_queued(e->calls) || e->rewrap.more || e->backup.more ||
	    e->turn.want_submit || e->turn.want_receipt ||
	    e->turn.want_tell)
		return 0;
	if (w < 0 || w > LOOK_EVERY_MS)
		w = LOOK_EVERY_MS;
	if (store_erasing(e->store) && w > e->next_erase_ms - mono)
		w = e->next_erase_ms > mono ? e->next_erase_ms - mono : 0;
	return w;
}

static void
turn_dispatch(void *arg, short revents)
{
	struct engine *e = arg;
	int64_t mono = kl_mono_ms();
	struct turn *t = engine_turn(e);
	int r = KL_OK;

	(void)revents;
	if (e->fatal != 0)
		return;
	watch_link(e, mono);
	t->want_submit = t->want_receipt = t->want_tell = false;
	if (!e->broken)
		r = engine_time_run(e, t, mono);
	if (!e->broken && r == KL_OK)
		r = session_work(e->session, t, mono);
	(void)engine_result(e, r);
	end_turn(e);
	if (e->fatal == 0)
		(void)engine_result(e, erase(e, mono));
	if (e->fatal == 0)
		(void)engine_result(e, idle(e, mono));
	if (e->fatal == 0)
		(void)engine_result(e, rewrap_slice(e, mono));
	if (e->fatal == 0)
		(void)engine_result(e, backup_slice(e, mono));
}

static int
add_sources(struct engine *e)
{
	int fd, r;

	if (kl_link_fds(e->link, &fd, 1) != 1)
		return KL_E_SYSTEM;
	e->link_source = (struct kl_source){ .fd = fd, .events = POLLIN,
		.prepare = link_prepare, .dispatch = link_dispatch, .arg = e };
	e->turn_source = (struct kl_source){ .fd = -1,
		.prepare = turn_prepare, .dispatch = turn_dispatch, .arg = e };
	if ((r = kl_loop_add(e->loop, &e->link_source)) != KL_OK)
		return r;
	e->link_added = true;
	r = kl_loop_add(e->loop, &e->turn_source);
	e->turn_added = r == KL_OK;
	return r;
}

int
engine_open(const struct config *c, struct kl_loop *loop,
    struct engine **out, const char **what)
{
	struct engine *e = calloc(1, sizeof *e);
	int r;

	*out = NULL;
	*what = "memory";
	if (e == NULL)
		return KL_E_MEMORY;
	e->config = c;
	e->loop = loop;
	e->clock.offset_ms = c->clock_offset_ms;
	if ((r = identity_load(c, &e->id, what)) != KL_OK ||
	    (r = open_store(e, what)) != KL_OK)
		goto out;
	*what = "trace";
	if (c->trace[0] != '\0' &&
	    (r = kl_trace_open(c->trace, &e->trace)) != KL_OK)
		goto out;
	*what = "broker";
	r = kl_link_connect(c->broker, &e->id.broker_curve,
	    e->id.transport_sk, &e->link);
	if (r != KL_OK)
		goto out;
	*what = "store in data_dir";
	if ((r = open_parts(e)) != KL_OK || (r = open_session(e)) != KL_OK ||
	    (r = add_sources(e)) != KL_OK)
		goto out;
	*out = e;
	return KL_OK;
out:
	engine_free(e);
	return r;
}

void
engine_free(struct engine *e)
{
	if (e == NULL)
		return;
	if (e->turn_added)
		kl_loop_remove(e->loop, &e->turn_source);
	if (e->link_added)
		kl_loop_remove(e->loop, &e->link_source);
	backup_stop(e);
	session_close(e->session);
	receipts_free(e->receipts);
	repeats_free(e->withdrawals);
	erasure_free(e->erasures);
	asks_free(e->asks);
	outbox_free(e->outbox);
	calls_free(e->calls);
	kl_link_close(e->link);
	directory_free(e->dir);
	kl_trace_close(e->trace);
	store_close(e->store);
	policy_store_close(&e->policies);
	kl_arena_free(e->mem);
	identity_clear(&e->id);
	free(e);
}

/* ---- for interfaces -------------------------------------------------- */

void
engine_listen(struct engine *e, struct engine_listener *l)
{
	l->next = e->listeners;
	e->listeners = l;
}

void
engine_unlisten(struct engine *e, struct engine_listener *l)
{
	struct engine_listener **at = &e->listeners;

	while (*at != NULL && *at != l)
		at = &(*at)->next;
	if (*at != NULL)
		*at = l->next;
}

void
engine_wake(struct engine *e)
{
	e->awake = true;
}

int
engine_failed(const struct engine *e)
{
	return e->fatal;
}

int64_t
engine_now_ms(const struct engine *e)
{
	return kl_clock_now_ms(&e->clock);
}

const struct policy_store *
engine_policy_loaded(const struct engine *e)
{
	return &e->policies;
}

int
engine_policy_load(struct engine *e, const struct engine_actor *by,
    struct kl_bytes text, struct kl_policy_error *why)
{
	memset(why, 0, sizeof *why);
	return engine_result(e, e->broken ? KL_E_AGAIN :
	    policy_store_load(&e->policies, engine_turn(e), by->uid, text,
	    why));
}

const struct kl_policy *
engine_policy(const struct engine *e)
{
	return &e->policies.now;
}

const struct config *
engine_config(const struct engine *e)
{
	return e->config;
}

struct store *
engine_store(struct engine *e)
{
	return e->store;
}

const struct identity *
engine_identity(const struct engine *e)
{
	return &e->id;
}

const struct directory *
engine_directory(const struct engine *e)
{
	return e->dir;
}
