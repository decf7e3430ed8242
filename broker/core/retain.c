#include "broker/core/retain.h"

#include <kortelijn/base/time.h>

#include "broker/core/deadline.h"
#include "broker/core/tables.h"
#include "broker/core/timer.h"

#define CLOCK_STEP_MS KL_MINUTE_MS	/* how often the clock is stored */
#define JUMP_MS KL_HOUR_MS
#define SWEEP_ROWS 32			/* of one step */

static const char meta_clock[] = "clock";
static const char meta_sweep[] = "sweep";

/* ---- the clock --------------------------------------------------------- */

int
retain_load(struct retain *r, struct kl_kv_txn *txn)
{
	struct kl_bytes v;
	int err;

	*r = (struct retain){ .held = false };
	err = kl_kv_get(txn, T_META, kl_bytes_str(meta_clock), &v);
	if (err == KL_OK && v.n == 8)
		r->high_water_ms = r->saved_ms = (int64_t)kl_be64(v.p);
	else if (err != KL_E_NOT_FOUND)
		return err == KL_OK ? KL_E_DAMAGED : err;
	err = kl_kv_get(txn, T_META, kl_bytes_str(meta_sweep), &v);
	r->sweeping = r->sweep_saved = err == KL_OK;
	r->sweep_number = 1;
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

int
retain_save(struct retain *r, struct turn *t)
{
	uint8_t buf[8];
	int err = save_sweep(r, t->txn);

	if (err != KL_OK || r->high_water_ms - r->saved_ms < CLOCK_STEP_MS)
		return err;
	kl_be64_put(buf, (uint64_t)r->high_water_ms);
	return kl_kv_put(t->txn, T_META, kl_bytes_str(meta_clock),
	    kl_bytes(buf, sizeof buf));
}

void
retain_committed(struct retain *r)
{
	r->sweep_saved = r->sweeping;
	if (r->high_water_ms - r->saved_ms >= CLOCK_STEP_MS)
		r->saved_ms = r->high_water_ms;
}

bool
retain_clock(struct retain *r, int64_t now_ms, int64_t mono_ms)
{
	const int64_t skew_ms = now_ms - mono_ms;

	if (r->skew_ms == 0)
		r->skew_ms = skew_ms;
	if (skew_ms - r->skew_ms > JUMP_MS || r->skew_ms - skew_ms > JUMP_MS)
		r->held = true;
	else
		r->skew_ms = skew_ms;	/* it drifts, and is set by the way */
	if (now_ms > r->high_water_ms && !r->held)
		r->high_water_ms = now_ms;
	return r->held || now_ms < r->high_water_ms - CLOCK_STEP_MS;
}

/* ---- timers ------------------------------------------------------------ */

static int
due_do(struct turn *t, struct registry *r, const struct timer_due *d)
{
	switch (d->sort) {
	case TIMER_DELIVER: return deadline_deliver(t, r, d);
	case TIMER_ANSWER: return deadline_answer(t, r, d);
	case TIMER_EXPIRE: return retain_expired(t, r, &d->tag);
	case TIMER_FORGET: return message_forget(t, &d->tag);
	case TIMER_CONSENT: return retain_consent(t, r, &d->tag);
	case TIMER_CONVERSATION: return retain_forget(t, r, &d->tag);
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

int
retain_run(struct retain *r, struct turn *t, struct registry *reg, size_t max,
    bool *more)
{
	int err = KL_OK;

	*more = false;
	if (!r->held && t->now_ms >= r->high_water_ms)
		err = timers_run(t, reg, max, more);
	return err != KL_OK ? err : sweep_run(r, t, reg, more);
}
