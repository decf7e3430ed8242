#include <string.h>

#include "adapters/common/access.h"
#include "adapters/common/cases.h"
#include "adapters/common/deadlines.h"
#include "adapters/common/engine_priv.h"
#include "adapters/common/outbox_time.h"
#include "adapters/common/retention.h"
#include "adapters/common/withdraw.h"

#define TIMERS_MAX 64		/* of one turn */
#define TIMERS_LOOKED_MAX 1024	/* with those that are held */
#define TIMERS_EVERY_MS 1000

static int
content_spent(struct turn *t, const struct kl_conv_id *conv)
{
	struct case_row c;
	int r = cases_get(t, conv, &c);

	if (r != KL_OK)
		return r == KL_E_NOT_FOUND ? KL_OK : r;
	r = cases_content_spent(t, &c);
	return r != KL_OK ? r : cases_put(t, &c);
}

/* A step at a time: what was not taken away yet is next at once. */
static int
end_month(struct turn *t, const struct timer *due)
{
	struct kl_reader id;
	bool more;
	int r;

	kl_reader_init(&id, kl_bytes(due->id, 4));
	r = access_end_month(t, kl_get_u32(&id), &more);
	return r != KL_OK || !more ? r : timers_put(t->store, t->now_ms + 1,
	    TIMER_ACCESS, due->id);
}

static int
run_timer(struct engine *e, struct turn *t, const struct timer *due)
{
	struct kl_conv_id conv;
	struct kl_msg_id id;
	int r = timers_done(e->store, due);

	if (r != KL_OK)
		return r;
	memcpy(id.b, due->id, sizeof id.b);
	memcpy(conv.b, due->id, sizeof conv.b);
	switch (due->what) {
	case TIMER_CONTENT:
		return content_spent(t, &conv);
	case TIMER_EXPIRE:
		return outbox_time_due(e->outbox, t, &id, true);
	case TIMER_DELIVER_BY:
		return outbox_time_due(e->outbox, t, &id, false);
	case TIMER_SEEN:
		return receipts_forget(t, &id);
	case TIMER_WITHDRAWAL:
		r = withdraw_forget(e->withdrawals, t, &conv);
		return r != KL_OK ? r : erasure_forget(e->erasures, t, &conv);
	case TIMER_ERASE_DUE:
		return erasure_due(t, &conv);
	case TIMER_WITHDRAW_WAITS:
		return withdraw_waited(t, &conv);
	case TIMER_ACCESS:
		return end_month(t, due);
	case TIMER_TERM:
		return deadlines_timer(t, &conv);
	case TIMER_COPY:
		return retention_timer(e->outbox, t, &conv);
	default:
		return KL_OK;
	}
}

/* What erases waits until the clock is to be believed: one that leapt would
 * erase all at once. A term that passed is told anyway, above all when the
 * broker is silent. */
static bool
erases(const struct timer *due)
{
	return due->what != TIMER_DELIVER_BY && due->what != TIMER_TERM &&
	    due->what != TIMER_ERASE_DUE &&
	    due->what != TIMER_WITHDRAW_WAITS;
}

static struct kl_hold_clock
clock_now(const struct turn *t)
{
	return (struct kl_hold_clock){ t->now_ms, kl_boot_ms(),
		kl_clock_unsynced() };
}

/* How many terms would erase, and how many of them now. Stops behind max of
 * those. */
static int
count_due(struct engine *e, const struct turn *t, uint64_t max,
    uint64_t *due, uint64_t *total)
{
	struct timer at;
	int r = timers_first(e->store, &at);

	*due = *total = 0;
	while (r == KL_OK && *due <= max) {
		if (erases(&at)) {
			++*total;
			if (at.due_ms <= t->now_ms &&
			    at.due_ms >= e->hold.hold.sure_ms)
				++*due;
		}
		if (at.due_ms > t->now_ms && max != UINT64_MAX)
			break;
		r = timers_next(e->store, &at, &at);
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

/* At the start of each round. Counting all is dear: only when what is due is
 * more than may always go. */
static int
look_at_clock(struct engine *e, struct turn *t)
{
	const struct kl_hold_clock clock = clock_now(t);
	uint64_t due, total;
	int r = clock_hold_look(&e->hold, t, &clock, &e->held);

	if (r != KL_OK || e->held)
		return r;
	r = count_due(e, t, KL_HOLD_SWEEP_MIN, &due, &total);
	if (r != KL_OK || due <= KL_HOLD_SWEEP_MIN || !clock.unsynced)
		return r;
	if ((r = count_due(e, t, UINT64_MAX, &due, &total)) != KL_OK)
		return r;
	return clock_hold_sweep(&e->hold, t, &clock, due, total, &e->held);
}

/* Those that are held stay, and may be many: the next turn goes on behind the
 * last one looked at, until the end of what is due. */
static int
run_due(struct engine *e, struct turn *t)
{
	struct timer due;
	int r = e->timers_begun ? timers_next(e->store, &e->timer_at, &due) :
	    timers_first(e->store, &due);
	int run = 0, looked = 0;

	while (r == KL_OK && due.due_ms <= t->now_ms && run < TIMERS_MAX &&
	    looked++ < TIMERS_LOOKED_MAX) {
		size_t mark = kl_arena_mark(t->mem);

		if (!e->held || !erases(&due)) {
			if ((r = run_timer(e, t, &due)) != KL_OK)
				return r;
			run++;
		}
		kl_arena_release(t->mem, mark);
		e->timer_at = due;
		r = timers_next(e->store, &due, &due);
	}
	e->timers_begun = r == KL_OK && due.due_ms <= t->now_ms;
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

/* A policy that is another than at the last sweep, or none since the start:
 * what is stored is made earlier where it says so. */
static int
sweep(struct engine *e, struct turn *t)
{
	int r;

	if (memcmp(&e->swept_for, t->policy, sizeof e->swept_for) != 0) {
		e->swept_for = *t->policy;
		e->sweeping = true;
		e->sweep_at = 0;
		if ((r = access_review(t)) != KL_OK)
			return r;
	}
	if (!e->sweeping)
		return KL_OK;
	r = retention_sweep(t, &e->sweep_at);
	e->sweeping = e->sweep_at != 0;
	return r;
}

int
engine_time_run(struct engine *e, struct turn *t, int64_t mono_ms)
{
	int r;

	if (e->next_timer_ms > mono_ms)
		return KL_OK;
	store_forget_keys(e->store);
	policy_store_tick(&e->policies, t->now_ms);
	if ((!e->timers_begun && (r = look_at_clock(e, t)) != KL_OK) ||
	    (r = sweep(e, t)) != KL_OK)
		return r;
	r = run_due(e, t);
	if (r == KL_OK && !e->timers_begun && !e->sweeping)
		e->next_timer_ms = mono_ms + TIMERS_EVERY_MS;
	return r;
}

void
engine_time_undone(struct engine *e)
{
	e->timers_begun = false;
	memset(&e->swept_for, 0, sizeof e->swept_for);
}

/* ---- the operator's word --------------------------------------------- */

int
engine_hold_release(struct engine *e)
{
	struct turn *t = engine_turn(e);
	const struct kl_hold_clock clock = clock_now(t);

	e->next_timer_ms = 0;
	return engine_result(e, clock_hold_release(&e->hold, t, &clock));
}

const char *
engine_hold(struct engine *e)
{
	return clock_hold_why(&e->hold, engine_turn(e));
}
