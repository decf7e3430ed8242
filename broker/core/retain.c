#include "broker/core/retain.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/policy.h>

#include "broker/core/deadline.h"
#include "broker/core/month.h"
#include "broker/core/month_gone.h"
#include "broker/core/tables.h"
#include "broker/core/timer.h"
#include "broker/core/withdraw.h"

#define CLOCK_STEP_MS KL_MINUTE_MS	/* how often the clock is stored */
#define DUE_COUNTED_MAX 4096		/* of what a sweep would end */
/* What takes something away that somebody may still want. */
#define ENDING_SORTS (1u << TIMER_DELIVER | 1u << TIMER_EXPIRE |	\
	1u << TIMER_UNSENT | 1u << TIMER_CONVERSATION |			\
	1u << TIMER_MARKER | 1u << TIMER_WITHDRAWAL)
#define SWEEP_ROWS 32			/* of one step */
#define CUT_LEAVES 256			/* of one step */
#define MONTHS_MS KL_HOUR_MS		/* how often they are looked at */

static const char meta_clock[] = "clock";
static const char meta_hold[] = "hold";
static const char meta_sweep[] = "sweep";

/* ---- the clock --------------------------------------------------------- */

static int
load_number(struct kl_kv_txn *txn, const char *name, int64_t *out)
{
	struct kl_bytes v;
	int err = kl_kv_get(txn, T_META, kl_bytes_str(name), &v);

	if (err == KL_OK && v.n == 8)
		*out = (int64_t)kl_be64(v.p);
	else if (err == KL_OK)
		err = KL_E_DAMAGED;
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

/* The row: why 1, until when the clock was confirmed 8. */
static int
load_hold(struct kl_kv_txn *txn, struct kl_hold *h)
{
	struct kl_reader r;
	struct kl_bytes v;
	uint8_t why;
	int err = kl_kv_get(txn, T_META, kl_bytes_str(meta_hold), &v);

	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	kl_reader_init(&r, v);
	why = kl_get_u8(&r);
	h->sure_ms = kl_get_i64(&r);
	if (!kl_reader_done(&r) || why > KL_HOLD_SWEEP)
		return KL_E_DAMAGED;
	h->why = (enum kl_hold_why)why;
	return KL_OK;
}

int
retain_load(struct retain *r, struct kl_kv_txn *txn)
{
	struct kl_bytes v;
	int err;

	*r = (struct retain){ .due = 0 };
	if ((err = load_number(txn, meta_clock, &r->hold.high_water_ms)) !=
	    KL_OK || (err = load_hold(txn, &r->hold)) != KL_OK)
		return err;
	r->saved = r->hold;
	r->sweep_number = 1;
	/* Another policy may have come while nobody was there. */
	r->scanning = true;
	err = kl_kv_get(txn, T_META, kl_bytes_str(meta_sweep), &v);
	r->sweeping = r->sweep_saved = err == KL_OK;
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

static int
save_sweep(const struct retain *r, struct kl_kv_txn *txn)
{
	if (r->sweeping == r->sweep_saved)
		return KL_OK;
	return r->sweeping ?
	    kl_kv_put(txn, T_META, kl_bytes_str(meta_sweep), KL_BYTES_NONE) :
	    kl_kv_del(txn, T_META, kl_bytes_str(meta_sweep));
}

static bool
hold_changed(const struct retain *r)
{
	return r->hold.why != r->saved.why ||
	    r->hold.sure_ms != r->saved.sure_ms;
}

static bool
clock_changed(const struct retain *r)
{
	const int64_t ms = r->hold.high_water_ms - r->saved.high_water_ms;

	return ms >= CLOCK_STEP_MS || ms < 0 || hold_changed(r);
}

static int
log_hold(const struct retain *r, struct turn *t)
{
	const bool held = r->hold.why != KL_HOLD_NONE;
	struct kl_record rec = { .event = KL_EV_HOLD,
		.reason = held ? KL_C_OWN_CLOCK : KL_C_OK,
		.count = held ? (uint32_t)r->due : 0 };
	struct journal_leaf leaf;

	return journal_append(t->journal, t->txn, t->now_ms, &rec, t->mem,
	    &leaf);
}

static int
save_hold(const struct retain *r, struct turn *t)
{
	uint8_t row[9];
	struct kl_writer w;
	int err;

	if (!hold_changed(r))
		return KL_OK;
	kl_writer_init(&w, row, sizeof row);
	kl_put_u8(&w, (uint8_t)r->hold.why);
	kl_put_i64(&w, r->hold.sure_ms);
	err = kl_kv_put(t->txn, T_META, kl_bytes_str(meta_hold),
	    kl_writer_bytes(&w));
	return err != KL_OK ? err : log_hold(r, t);
}

int
retain_save(struct retain *r, struct turn *t)
{
	uint8_t buf[8];
	int err;

	if ((err = save_sweep(r, t->txn)) != KL_OK ||
	    (err = save_hold(r, t)) != KL_OK || !clock_changed(r))
		return err;
	kl_be64_put(buf, (uint64_t)r->hold.high_water_ms);
	return kl_kv_put(t->txn, T_META, kl_bytes_str(meta_clock),
	    kl_bytes(buf, sizeof buf));
}

void
retain_committed(struct retain *r)
{
	r->sweep_saved = r->sweeping;
	if (clock_changed(r))
		r->saved = r->hold;
}

void
retain_undo(struct retain *r)
{
	if (r->sweep_saved || r->sweeping)
		retain_sweep(r);
	retain_policy(r);
	r->months_ms = 0;
}

bool
retain_clock(struct retain *r, const struct kl_hold_clock *clock)
{
	r->clock = *clock;
	return kl_hold_look(&r->hold, clock);
}

void
retain_release(struct retain *r)
{
	kl_hold_release(&r->hold, &r->clock);
	r->due = 0;
}

static uint32_t
log_days(const struct turn *t)
{
	return kl_policy_days(t->policy, KL_POL_LOG_RETENTION);
}

/* A machine that starts years ahead sees no jump, and has few timers due. */
static int
too_many_months(struct retain *r, struct turn *t, bool *yes)
{
	uint64_t n;
	int err;

	if (t->now_ms < r->months_ms)
		return KL_OK;
	err = month_due(t->txn, r->hold.sure_ms, t->now_ms, log_days(t), &n);
	if (err == KL_OK && kl_hold_months(&r->hold, &r->clock, n)) {
		r->due += n;
		*yes = true;
	}
	return err;
}

/*
 * A clock that nobody stands behind and that asks for much at once is asked
 * about before anything is lost by it. Of very much it is not counted out
 * whether it is a tenth: that is asked about too.
 */
static int
too_much(struct retain *r, struct turn *t, bool *yes)
{
	uint64_t total = 0;
	int err;

	*yes = false;
	if (!r->clock.unsynced)
		return KL_OK;
	err = timer_count(t, r->hold.sure_ms, t->now_ms, ENDING_SORTS,
	    DUE_COUNTED_MAX, &r->due);
	if (err == KL_OK && r->due > KL_HOLD_SWEEP_MIN &&
	    r->due < DUE_COUNTED_MAX)
		err = timer_count(t, 0, INT64_MAX, ENDING_SORTS,
		    (r->due + 1) * KL_HOLD_SWEEP_PART, &total);
	*yes = err == KL_OK && kl_hold_sweep(&r->hold, &r->clock, r->due,
	    total);
	return err != KL_OK || *yes ? err : too_many_months(r, t, yes);
}

/* ---- timers ------------------------------------------------------------ */

/* Not before the others had to say that they erased. */
static int
conversation_due(struct turn *t, struct registry *r, const struct kl_tag *tag)
{
	int64_t until_ms;
	int err = owed_until(t, tag, &until_ms);

	if (err != KL_OK)
		return err;
	return until_ms > t->now_ms ?
	    timer_put(t, until_ms, TIMER_CONVERSATION, tag) :
	    retain_forget(t, r, tag);
}

static int
due_do(struct turn *t, struct registry *r, const struct timer_due *d)
{
	switch (d->sort) {
	case TIMER_DELIVER: return deadline_deliver(t, r, d);
	case TIMER_ANSWER: return deadline_answer(t, r, d);
	case TIMER_OWED: return owed_due(t, r, &d->tag);
	case TIMER_WITHDRAWAL: return withdraw_forget(t, &d->tag);
	case TIMER_EXPIRE: return retain_expired(t, r, &d->tag);
	case TIMER_FORGET: return message_forget(t, &d->tag);
	case TIMER_CONSENT: return retain_consent(t, r, &d->tag);
	case TIMER_CONVERSATION: return conversation_due(t, r, &d->tag);
	case TIMER_UNSENT: return retain_unsent(t, r, &d->tag);
	case TIMER_SHOWN: return retain_forget_shown(t, &d->tag);
	case TIMER_MARKER: return retain_forget_marker(t, &d->tag);
	default: return KL_E_DAMAGED;
	}
}

static int
timers_run(struct turn *t, struct registry *r, size_t max, bool *more)
{
	const size_t mark = kl_arena_mark(t->mem);
	struct timer_due d;
	int err = KL_OK;

	for (; max > 0; max--) {
		if ((err = timer_due(t, &d)) != KL_OK)
			break;
		if ((err = timer_done(t, &d)) != KL_OK ||
		    (err = due_do(t, r, &d)) != KL_OK)
			return err;
		kl_arena_release(t->mem, mark);
	}
	*more = *more || max == 0;
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

/* ---- mail of revoked keys ---------------------------------------------- */

static int
sweep_row(struct turn *t, struct registry *r, const struct mailbox_row *row)
{
	struct conversation c;
	struct message m;
	enum kl_code code;
	int err;

	if (row->sort != KL_SORT_ENVELOPE)
		return KL_OK;
	if ((err = conversation_get(t, &row->conv, &c)) != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	if ((err = message_get(t, &row->message, &c, &m)) != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	code = retain_check(t, r, &c, &m);
	return code == KL_C_CARD_REVOKED || code == KL_C_PREKEY ?
	    retain_end(t, r, &c, &m, code) : KL_OK;
}

void
retain_sweep(struct retain *r)
{
	r->sweeping = true;
	r->sweep_number = 1;
	r->sweep_item = 0;
}

static int
sweep_run(struct retain *r, struct turn *t, struct registry *reg, bool *more)
{
	const size_t mark = kl_arena_mark(t->mem);
	struct mailbox_row row;
	int err;

	for (int i = 0; r->sweeping && i < SWEEP_ROWS; i++) {
		err = mailbox_next(t, r->sweep_number, r->sweep_item, &row);
		if (err == KL_E_NOT_FOUND) {
			r->sweep_item = 0;
			r->sweeping = ++r->sweep_number <= reg->n;
			continue;
		}
		if (err != KL_OK || (err = sweep_row(t, reg, &row)) != KL_OK)
			return err;
		r->sweep_item = row.item;
		kl_arena_release(t->mem, mark);
	}
	*more = *more || r->sweeping;
	return KL_OK;
}

/* ---- a new policy ------------------------------------------------------ */

void
retain_policy(struct retain *r)
{
	r->scanning = true;
	memset(&r->scan_after, 0, sizeof r->scan_after);
}

static int
scan_run(struct retain *r, struct turn *t, bool *more)
{
	const size_t mark = kl_arena_mark(t->mem);
	struct conversation c;
	int err;

	for (int i = 0; r->scanning && i < SWEEP_ROWS; i++) {
		err = conversation_next(t, &r->scan_after,
		    kl_bytes_zero(KL_BYTES_OF(r->scan_after)), &c);
		r->scanning = err == KL_OK;
		if (err == KL_E_NOT_FOUND)
			break;
		if (err != KL_OK || (err = retain_shorten(t, &c)) != KL_OK)
			return err;
		r->scan_after = c.tag;
		kl_arena_release(t->mem, mark);
	}
	*more = *more || r->scanning;
	return KL_OK;
}

/* ---- the log's months -------------------------------------------------- */

static int
month_end_one(struct turn *t, uint32_t month)
{
	uint32_t slot;
	int err = month_drop(t->txn, month, MONTH_TERM, &slot);

	return err != KL_OK ? err : mailbox_erase_later(t, slot);
}

static int
months_run(struct retain *r, struct turn *t, bool *more)
{
	bool cut_more = false;
	uint32_t month;
	int err = KL_OK;

	if (t->now_ms >= r->months_ms) {
		err = month_past(t->txn, t->now_ms, log_days(t), &month);
		if (err == KL_OK)
			err = month_end_one(t, month);
		else if (err == KL_E_NOT_FOUND) {
			r->months_ms = t->now_ms + MONTHS_MS;
			err = KL_OK;
		}
	}
	if (err == KL_OK)
		err = month_cut(t->txn, CUT_LEAVES, &cut_more);
	*more = *more || cut_more || t->now_ms >= r->months_ms;
	return err;
}

/* ---- all of it --------------------------------------------------------- */

/* What is due, if its time has come for certain. */
static int
due_run(struct retain *r, struct turn *t, struct registry *reg, size_t max,
    bool *more)
{
	bool held;
	int err;

	if (r->hold.why != KL_HOLD_NONE || t->now_ms < r->hold.high_water_ms)
		return KL_OK;
	if ((err = too_much(r, t, &held)) != KL_OK || held ||
	    (err = timers_run(t, reg, max, more)) != KL_OK)
		return err;
	return months_run(r, t, more);
}

int
retain_run(struct retain *r, struct turn *t, struct registry *reg, size_t max,
    bool *more)
{
	int err;

	*more = false;
	if ((err = due_run(r, t, reg, max, more)) != KL_OK ||
	    (err = scan_run(r, t, more)) != KL_OK)
		return err;
	return sweep_run(r, t, reg, more);
}
