#include "broker/core/cycle.h"

#include <errno.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/log.h>

#include "broker/core/core_main.h"
#include "broker/core/erase.h"
#include "broker/core/fence.h"
#include "broker/core/fetch.h"
#include "broker/core/held.h"
#include "broker/core/keys.h"

#define TRY_LATER_MS 1000
#define OUT_RESERVE (64 << 10)	/* bytes: more than one answer takes */
#define REQUEST_SLOTS 16	/* more than one request takes: a PRESENT, 8 */
#define ERASE_WAIT_MS 100	/* for a turn that comes anyway */
#define REFILL_SLOTS 256	/* of one turn */
#define FULL_PERMILLE 850	/* the rest is for receipts and erasing */
#define FULL_ASK_MS 250
#define UNDONE_PAUSE_MS 250	/* before what waits is tried again */
#define UNDONE_TELL_MS (10 * KL_SECOND_MS)
#define SIGN_RETRY_MS (10 * KL_SECOND_MS)

void
core_end(struct core *c, int status)
{
	if (c->exit == CORE_EXIT_STOPPED)
		c->exit = status;
	if (c->loop != NULL)
		kl_loop_stop(c->loop);
}

void
core_stop(struct core *c, int status, const char *event, int err)
{
	kl_logf(KL_LOG_ERROR, event, kl_log_word("why", kl_err_text(err)),
	    kl_log_num("errno", errno));
	core_end(c, status);
}

/* ---- answers ---- */

bool
cycle_full(const struct core *c)
{
	return c->n_reply >= (c->careful > 0 ? 1 : TURN_REQUESTS_MAX) ||
	    kl_arena_room(c->out_mem) < OUT_RESERVE ||
	    c->vault.n_taken + REQUEST_SLOTS > VAULT_TURN_MAX;
}

static int
reply_pack(struct core *c, const struct turn_reply *to,
    const struct answer *a, struct kl_bytes *out)
{
	const struct kl_reply_msg m = {
		.version = KL_PROTOCOL_VERSION, .request = to->request,
		.request_id = to->request_id, .code = a->code,
		.retry_after_ms = a->retry_after_ms,
		.time_ms = c->turn.now_ms,
		.detail = kl_bytes(a->detail, a->n_detail),
		.body = a->body,
	};

	return KL_MESSAGE_PACK_IN(KL_M_REPLY, &m, c->out_mem, out);
}

int
cycle_reply(struct core *c, const struct kl_route *route,
    uint32_t generation, uint32_t request, uint64_t request_id,
    const struct answer *a)
{
	struct turn_reply *to = &c->reply[c->n_reply];
	int r;

	if (c->n_reply == TURN_REPLIES_MAX)
		return KL_E_MEMORY;
	*to = (struct turn_reply){ .route = *route, .generation = generation,
		.request = request, .request_id = request_id,
		.code = a->code, .n = 1 + a->n_ct };
	if ((r = reply_pack(c, to, a, &to->frame[0])) != KL_OK)
		return r;
	for (size_t i = 0; i < a->n_ct; i++)
		if ((r = kl_arena_copy(c->out_mem, a->ct[i],
		    &to->frame[1 + i])) != KL_OK)
			return r;
	c->n_reply++;
	return KL_OK;
}

static void
replies_send(struct core *c)
{
	for (size_t i = 0; i < c->n_reply; i++) {
		const struct turn_reply *r = &c->reply[i];
		struct pipe_msg m = { .type = PIPE_REPLY,
			.generation = r->generation, .route = r->route,
			.n = r->n };

		stats_answered(&c->stats, r->request, r->code);
		/* An edge that is no more drops it anyway. */
		if (r->generation != c->generation)
			continue;
		memcpy(m.frame, r->frame, r->n * sizeof m.frame[0]);
		if (pipe_out_send(c->out, &m) != KL_OK)
			c->stats.unsent++;
	}
	c->n_reply = 0;
	kl_arena_reset(c->out_mem);
}

/* The turn is as if it had never been. Who has shown that nobody may go on
 * with this store is shown why. */
static void
replies_later(struct core *c)
{
	kl_arena_reset(c->out_mem);
	for (size_t i = 0; i < c->n_reply; i++) {
		struct turn_reply *r = &c->reply[i];
		struct answer a;

		if (r->request != KL_HELLO ||
		    fence_answer(c, c->out_mem, &a) != KL_OK)
			a = (struct answer){ .code = KL_C_TRY_LATER,
				.retry_after_ms = TRY_LATER_MS };
		r->code = a.code;
		r->n = 1;
		if (reply_pack(c, r, &a, &r->frame[0]) != KL_OK) {
			c->n_reply = i;
			return;
		}
	}
}

/* ---- what is told outside ---- */

static const char *
trace_name(uint32_t event)
{
	switch (event) {
	case KL_EV_ACCEPTED: return "accepted";
	case KL_EV_RELEASED: return "released";
	case KL_EV_DELIVERED: return "delivered";
	case KL_EV_DEAD: return "dead";
	case KL_EV_EXPIRED: return "expired";
	case KL_EV_UNCONFIRMED: return "unconfirmed";
	case KL_EV_LOST: return "lost";
	case KL_EV_PRESENTED: return "presented";
	case KL_EV_ERASED: return "erased";
	case KL_EV_WITHDRAWN: return "withdrawn";
	case KL_EV_CONSENT_WITHDRAWN: return "consent_withdrawn";
	default: return "other";
	}
}

static void
events_tell(struct core *c)
{
	for (size_t i = 0; i < c->turn.n_events; i++) {
		const struct turn_event *e = &c->turn.events[i];

		kl_trace(c->trace, &(struct kl_trace_line){
		    .at_ms = c->turn.now_ms, .event = trace_name(e->event),
		    .msg = kl_bytes_zero(KL_BYTES_OF(e->msg)) ? NULL :
			&e->msg, .conv = &e->conv, .body = &e->body,
		    .has_leaf = true, .leaf = e->leaf });
	}
	kl_trace_flush(c->trace);
}

/* ---- one commit, or none ---- */

static void
parts_committed(struct core *c)
{
	if (c->box.ended && c->erase_due_ms == 0)
		c->erase_due_ms = kl_mono_ms() + ERASE_WAIT_MS;
	journal_committed(&c->journal);
	daily_committed(&c->daily);
	registry_committed(&c->registry);
	mailbox_committed(&c->box);
	retain_committed(&c->retain);
	refusals_committed(&c->refusals);
	export_committed(&c->export);
	vault_keep_taken(&c->vault);
	held_committed(c);
}

/* What the store has is what counts. */
static int
memory_again(struct core *c)
{
	struct kl_kv_txn *txn;
	int r;

	if (!c->registry_changed && c->registry.n_touched == 0)
		return KL_OK;
	/* Whoever said HELLO in this turn says it again. */
	for (size_t i = 0; i < c->registry.n; i++)
		if (c->registry.p[i]->touched)
			c->session[i].open = false;
	if ((r = kl_kv_begin_read(c->kv, &txn)) != KL_OK)
		return r;
	r = registry_load(&c->registry, txn, c->mem);
	kl_kv_abort(&txn);
	return r;
}

static void
turn_undo(struct core *c)
{
	int r;

	kl_kv_abort(&c->turn.txn);
	kl_arena_reset(c->mem);
	journal_undo(&c->journal);
	daily_undo(&c->daily);
	mailbox_undo(&c->box);
	retain_undo(&c->retain);
	refusals_undo(&c->refusals);
	export_undo(&c->export, kl_mono_ms());
	vault_undo_taken(&c->vault);
	kl_trace_drop(c->trace);
	c->turn.n_events = 0;
	c->stats.undone++;
	fetch_undo(c);
	/* Whoever asks again what cannot be done asks alone. */
	c->careful = TURN_CAREFUL;
	if ((r = memory_again(c)) != KL_OK)
		core_stop(c, CORE_EXIT_COMMIT, "cannot_undo", r);
	c->registry_changed = c->keys_changed = false;
}

static int
turn_save(struct core *c)
{
	struct kl_kv_txn *txn = c->turn.txn;
	int r;

	/* The answers are packed: all of it is for what is written now. */
	kl_arena_reset(c->mem);
	if (refusals_due(&c->refusals, c->turn.now_ms) &&
	    (r = refusals_write(&c->refusals, &c->turn, &c->registry)) !=
	    KL_OK)
		return r;
	if ((r = registry_save_touched(&c->registry, txn)) != KL_OK ||
	    (r = retain_save(&c->retain, &c->turn)) != KL_OK ||
	    (r = mailbox_save(&c->box, txn)) != KL_OK ||
	    (r = daily_save(&c->daily, txn, &c->journal)) != KL_OK)
		return r;
	return journal_save(&c->journal, txn);
}

/* A key that was taken must have been synced, and a zeroed slot may get a new
 * one only while no row refers to it: that is now. */
static void
slots_refill(struct core *c)
{
	struct kl_slots *s = c->vault.slots;
	int n;

	if (kl_slots_free(s) >= kl_slots_count(s) / 4 ||
	    kl_slots_zeroed(s) == 0)
		return;
	n = kl_slots_refill(s, REFILL_SLOTS);
	if (n < 0) {
		kl_logf(KL_LOG_ERROR, "slots_not_refilled",
		    kl_log_num("errno", errno));
		return;
	}
	c->refilled = c->refilled || n > 0;
	c->stats.refilled += (uint64_t)n;
}

static void
fullness_look(struct core *c)
{
	const int64_t now_ms = kl_mono_ms();

	if (c->full_asked_ms != 0 && now_ms - c->full_asked_ms < FULL_ASK_MS)
		return;
	c->full_asked_ms = now_ms;
	c->full = kl_kv_used_permille(c->kv) >= FULL_PERMILLE;
}

/* Once in a while: a store that is full undoes every turn. */
static void
undone_tell(struct core *c, int err)
{
	const int64_t now_ms = kl_mono_ms();

	if (now_ms < c->undone_told_ms)
		return;
	c->undone_told_ms = now_ms + UNDONE_TELL_MS;
	kl_logf(KL_LOG_WARN, "turn_undone",
	    kl_log_word("why", kl_err_text(err)),
	    kl_log_num("turns_undone", (int64_t)c->stats.undone),
	    kl_log_word("so", "nothing of it was done; it is tried again. If "
	    "this goes on, look at the disk of state_dir"));
}

static bool
fatal(int err)
{
	return err == KL_E_COMMIT || err == KL_E_DAMAGED;
}

void
cycle_end(struct core *c, int err)
{
	stats_turn(&c->stats, c->n_reply);
	if (err == KL_OK)
		err = turn_save(c);
	if (err == KL_OK) {
		/* Nothing is said before this, whatever it answers. */
		if ((err = kl_kv_commit(&c->turn.txn)) != KL_OK) {
			core_stop(c, CORE_EXIT_COMMIT, "commit_failed", err);
			return;
		}
		parts_committed(c);
		c->careful -= c->careful > 0 ? 1 : 0;
		c->pause_ms = 0;
		events_tell(c);
		slots_refill(c);
	} else {
		turn_undo(c);
		if (fatal(err)) {
			core_stop(c, CORE_EXIT_COMMIT, "damaged", err);
			return;
		}
		/* Why nobody may go on with this store was told already, and
		 * is nothing of the disk. */
		if (c->fenced == 0)
			undone_tell(c, err);
		c->pause_ms = kl_mono_ms() + UNDONE_PAUSE_MS;
		held_undo(c);
		replies_later(c);
	}
	kl_arena_reset(c->mem);
	if (c->keys_changed)
		keys_tell(c, false);
	c->registry_changed = c->keys_changed = false;
	replies_send(c);
	fullness_look(c);
	c->rewrap.more = false;
	if (err == KL_OK)
		rewrap_slice(c);
	if (c->exit == CORE_EXIT_STOPPED)
		scrubber_slice(c);
}

/* Said once when it begins, and when it is over. */
static void
hold_tell(struct core *c)
{
	if (c->turn.untrusted == c->hold_told)
		return;
	c->hold_told = c->turn.untrusted;
	if (c->hold_told)
		kl_logf(KL_LOG_ERROR, "clock_not_trusted", kl_log_word("so",
		    "nothing ends by time; see 'kortelijn hold'"),
		    kl_log_word("why", kl_hold_name(c->retain.hold.why)));
	else
		kl_logf(KL_LOG_INFO, "clock_trusted",
		    kl_log_num("mark_ms", c->retain.hold.high_water_ms));
}

static void
clock_look(struct core *c)
{
	const struct kl_hold_clock clock = {
		.now_ms = kl_clock_now_ms(&c->clock),
		.boot_ms = kl_boot_ms(),
		/* No time server says what is meant here. */
		.unsynced = c->clock.offset_ms != 0 || kl_clock_unsynced(),
	};

	c->turn.now_ms = clock.now_ms;
	c->turn.untrusted = retain_clock(&c->retain, &clock);
	c->turn.latest_ms = c->retain.hold.high_water_ms;
	c->journal.keep_days = kl_policy_days(c->turn.policy,
	    KL_POL_LOG_RETENTION);
	hold_tell(c);
}

int
cycle_begin(struct core *c)
{
	struct erasing e;
	int r;

	kl_arena_reset(c->mem);
	c->turn.n_events = 0;
	c->query_rows = TURN_QUERY_ROWS;
	clock_look(c);
	if ((r = kl_kv_begin(c->kv, &c->turn.txn)) != KL_OK)
		return r;
	r = erase_slots(&c->turn, &e);
	if (r == KL_OK && e.n == 0 && c->refilled)
		r = kl_slots_sync(c->vault.slots);
	if (r == KL_OK) {
		c->refilled = false;
		c->erase_due_ms = e.n == ERASE_MAX ? kl_mono_ms() : 0;
		r = erase_log(&c->turn, &e);
	}
	kl_arena_reset(c->mem);
	return r;
}

int
cycle_run(struct core *c, int (*work)(struct core *c, void *arg), void *arg)
{
	int r = cycle_begin(c);

	if (r == KL_OK && work != NULL)
		r = work(c, arg);
	/* Whatever it put into a mailbox, somebody may wait for. */
	if (r == KL_OK)
		r = fetch_wake(c);
	cycle_end(c, r);
	if (r == KL_OK && c->exit != CORE_EXIT_STOPPED)
		r = KL_E_COMMIT;
	return r;
}

/* ---- checkpoints ---- */

void
cycle_sign(struct core *c)
{
	const int64_t now_ms = kl_clock_now_ms(&c->clock);
	struct kl_kv_txn *txn;
	int r;

	if (!journal_due(&c->journal, now_ms) ||
	    kl_mono_ms() < c->sign_retry_ms)
		return;
	r = kl_kv_begin_read(c->kv, &txn);
	if (r == KL_OK) {
		r = journal_sign(&c->journal, txn, now_ms, c->mark_path,
		    c->mem);
		kl_kv_abort(&txn);
	}
	c->sign_err = r;
	if (r == KL_E_DAMAGED) {
		core_stop(c, CORE_EXIT_COMMIT, "log_damaged", r);
	} else if (r != KL_OK) {
		kl_logf(KL_LOG_ERROR, "no_checkpoint",
		    kl_log_word("why", kl_err_text(r)),
		    kl_log_num("errno", errno));
		c->sign_retry_ms = kl_mono_ms() + SIGN_RETRY_MS;
	}
}
