#include "adapters/common/sync.h"

#include <string.h>

#include "adapters/common/access.h"
#include "adapters/common/alarm.h"
#include "adapters/common/erasure.h"
#include "adapters/common/events.h"
#include "adapters/common/purge.h"
#include "adapters/common/receipts.h"
#include "adapters/common/withdraw.h"

enum part {
	WITHDRAWN, WITHDRAWN_HELD, BODIES, HELD, MADE, NOTHING_LEFT
};

static int
add(struct turn *t, struct kl_sync *out, uint32_t statement,
    struct kl_bytes packed)
{
	struct kl_entry e = { .statement = statement, .content = packed };
	int r = KL_MESSAGE_PACK_IN(KL_M_ENTRY, &e, t->mem,
	    &out->presented[out->n_presented]);

	out->n_presented += r == KL_OK ? 1 : 0;
	return r;
}

/* The next withdrawal, of ours or that a party asked an erasure with, into the
 * arena. */
static int
next_withdrawal(struct turn *t, struct sync_cursor *at, struct kl_bytes *out)
{
	struct withdrawal w;
	struct erasure e;
	int r;

	if (at->part == WITHDRAWN) {
		r = withdraw_each(t, &at->row, &w);
		return r != KL_OK ? r : kl_arena_copy(t->mem,
		    kl_bytes(w.packed, w.n), out);
	}
	r = erasure_each(t, &at->row, &e);
	return r != KL_OK ? r : kl_arena_copy(t->mem, kl_bytes(e.packed, e.n),
	    out);
}

/* Before all else: what was withdrawn does not come back. */
static int
page_of_withdrawals(struct turn *t, struct sync_cursor *at,
    struct kl_sync *out)
{
	struct kl_bytes packed;
	int r;

	while (out->n_presented < KL_PRESENT_MAX) {
		r = next_withdrawal(t, at, &packed);
		if (r == KL_E_NOT_FOUND) {
			at->part++;
			at->row.n_key = 0;
			return KL_OK;
		}
		if (r != KL_OK ||
		    (r = add(t, out, KL_WITHDRAWAL, packed)) != KL_OK)
			return r;
	}
	return KL_OK;
}

/* Has the other side, or the broker, ever had it? */
static bool
to_present(const struct case_row *c)
{
	return cases_open(c) && c->husk == 0 && c->sent.code != KL_ST_DRAFT &&
	    c->sent.code != KL_ST_UNCERTAIN;
}

/* Of each open case its signed REFERRAL, or the receipt that is held. */
static int
add_case(struct turn *t, const struct case_row *c, uint32_t part,
    struct kl_sync *out)
{
	struct kl_bytes packed;
	int r;

	if (!to_present(c) || (part == HELD && c->mine == 0))
		return KL_OK;
	r = part == BODIES ? store_get_sealed(t->store, STORE_SIGNED,
	    KL_BYTES_OF(c->referral_msg), t->mem, &packed) :
	    store_get_sealed(t->store, STORE_GOT, KL_BYTES_OF(c->conv),
	    t->mem, &packed);
	if (r == KL_E_NOT_FOUND)
		return KL_OK;
	return r != KL_OK ? r : add(t, out, part == BODIES ?
	    KL_ENTRY_REFERRAL : KL_RECEIPT, packed);
}

static int
page_of_cases(struct turn *t, struct sync_cursor *at, struct kl_sync *out)
{
	struct case_row c;
	int r;

	while (out->n_presented < KL_PRESENT_MAX) {
		if ((r = cases_next(t, at->number, &c)) == KL_E_NOT_FOUND) {
			at->part++;
			at->number = 0;
			return KL_OK;
		}
		if (r != KL_OK || (r = add_case(t, &c, at->part, out)) !=
		    KL_OK)
			return r;
		at->number = c.number;
	}
	return KL_OK;
}

static int
page_of_receipts(struct turn *t, struct sync_cursor *at, struct kl_sync *out)
{
	struct kl_conv_id conv;
	struct kl_bytes packed;
	struct case_row c;
	int r;

	while (out->n_presented < KL_PRESENT_MAX) {
		r = receipts_kept(t, &at->msg, !at->msg_set, &conv, &packed);
		if (r == KL_E_NOT_FOUND) {
			at->part = NOTHING_LEFT;
			return KL_OK;
		}
		at->msg_set = true;
		if (r != KL_OK)
			return r;
		r = cases_get(t, &conv, &c);
		if (r == KL_E_NOT_FOUND || (r == KL_OK && !cases_open(&c)))
			continue;
		if (r != KL_OK || (r = add(t, out, KL_RECEIPT, packed)) !=
		    KL_OK)
			return r;
	}
	return KL_OK;
}

int
sync_page(struct turn *t, struct sync_cursor *at, bool bodies,
    struct kl_sync *out)
{
	int r = KL_OK;

	memset(out, 0, sizeof *out);
	out->step = KL_SYNC_PRESENT;
	if (!bodies && at->part < MADE)
		at->part = MADE;
	while (r == KL_OK && at->part != NOTHING_LEFT &&
	    out->n_presented < KL_PRESENT_MAX)
		r = at->part < BODIES ? page_of_withdrawals(t, at, out) :
		    at->part == MADE ? page_of_receipts(t, at, out) :
		    page_of_cases(t, at, out);
	return r;
}

/* ---- the broker's list ----------------------------------------------- */

static uint32_t
state_of(const struct kl_sync_conversation *c)
{
	switch (c->state) {
	case KL_CONV_WITHDRAWN: return KL_ST_CONSENT_WITHDRAWN;
	case KL_CONV_EXPIRED: return KL_ST_EXPIRED;
	case KL_CONV_ENDED: return c->milestone == KL_MS_RETURNED ?
		KL_ST_NOT_TAKEN_ON : KL_ST_CLOSED;
	default: return KL_ST_DELIVERED;
	}
}

static uint64_t
larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* What the other side sent until now was opened by another instance, and comes
 * again under a number of later, or waits still: as after a gap. */
static void
learn_seq_in(struct case_row *c, uint64_t last)
{
	if (last <= c->seq_in)
		return;
	if (c->gap_from == 0 || c->gap_to <= c->seq_in)
		c->gap_from = c->seq_in + 1;
	c->gap_to = larger(c->gap_to, last);
	c->gap = 1;
}

/* A case of which only the frame is known: what it was about stands in the
 * record of the practice under its spoken reference. */
static int
make_husk(struct turn *t, const struct kl_sync_conversation *s, bool mine)
{
	struct engine_step step;
	struct case_row c;
	int r;

	memset(&c, 0, sizeof c);
	memset(&step, 0, sizeof step);
	c.conv = s->conv_id;
	c.mine = mine;
	c.husk = 1;
	c.peer = mine ? s->receiver : s->practice;
	c.referral = s->referral;
	c.staff_role = mine ? KL_STAFF_OTHER : KL_STAFF_DESK;
	cases_take_seq_out(&c, mine ? s->last_seq_sender :
	    s->last_seq_receiver);
	/* None of it was opened here: what waits still must not be refused. */
	learn_seq_in(&c, mine ? s->last_seq_receiver : s->last_seq_sender);
	kl_progress_init(&c.sent, state_of(s), 0);
	kl_progress_init(&c.full, state_of(s), 0);
	if (s->state == KL_CONV_WITHDRAWN)
		cases_withdraw(&c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	c.sent.milestone = c.full.milestone = s->milestone;
	c.gap = 1;
	if ((r = cases_make(t, &c)) != KL_OK ||
	    (r = cases_take_names(t, &c, &s->conv_ref, s->spoken)) != KL_OK)
		return r;
	step.what = ENGINE_LOST;
	if ((r = cases_step(t, &c, &step)) != KL_OK ||
	    (r = cases_note_end(t, &c)) != KL_OK)
		return r;
	if ((r = cases_put(t, &c)) != KL_OK || !cases_open(&c))
		return r;
	return alarm_open(t, ENGINE_AL_LOST_HERE, 0, &c.conv);
}

/* A copy or a backup of before it has it still: gone, as in the one that was
 * asked. */
static int
withdrawn_since(struct turn *t, struct outbox *o, struct case_row *c)
{
	static const struct engine_actor self = { .interface = ENGINE_LINK };
	struct engine_step step;
	bool held;
	int r;

	cases_withdraw(c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	if ((r = access_log(t, &self, ENGINE_WIPED, &c->conv)) != KL_OK ||
	    (r = purge_case(t, o, c, KL_SCOPE_ALL, &held)) != KL_OK)
		return r;
	memset(&step, 0, sizeof step);
	step.what = ENGINE_WITHDRAWN;
	if ((r = cases_step(t, c, &step)) != KL_OK ||
	    (r = events_add(t, ENGINE_EV_WITHDRAWAL, &c->conv, step.n)) !=
	    KL_OK)
		return r;
	return cases_note_end(t, c);
}

/* What is over there is over here, and what it was about is not kept for
 * longer: nobody knows since when. */
static int
ended_since(struct turn *t, struct case_row *c,
    const struct kl_sync_conversation *s)
{
	struct engine_step step;
	int r;

	c->sent.code = c->full.code = state_of(s);
	c->sent.milestone = c->full.milestone = s->milestone;
	if ((r = cases_content_erase(t, c)) != KL_OK)
		return r;
	memset(&step, 0, sizeof step);
	step.what = ENGINE_ERASED;
	return (r = cases_step(t, c, &step)) != KL_OK ? r :
	    cases_note_end(t, c);
}

int
sync_learn(struct turn *t, struct outbox *o,
    const struct kl_sync_conversation *s)
{
	bool mine = kl_id_equal(&s->practice, &t->id->id);
	struct case_row c;
	int r = cases_get(t, &s->conv_id, &c);

	if (r == KL_E_NOT_FOUND)
		return make_husk(t, s, mine);
	if (r != KL_OK)
		return r;
	cases_take_seq_out(&c, larger(c.seq_out, mine ?
	    s->last_seq_sender : s->last_seq_receiver));
	learn_seq_in(&c, mine ? s->last_seq_receiver : s->last_seq_sender);
	r = cases_take_names(t, &c, &s->conv_ref, s->spoken);
	if (r == KL_E_VALUE)
		r = KL_OK;
	/* What waits for us there comes by itself; what ended, ended. */
	if (r == KL_OK && s->state == KL_CONV_WITHDRAWN &&
	    c.withdrawn != KL_SCOPE_ALL) {
		r = withdrawn_since(t, o, &c);
	} else if (r == KL_OK && s->state == KL_CONV_EXPIRED &&
	    cases_open(&c)) {
		c.sent.code = c.full.code = state_of(s);
		r = cases_note_end(t, &c);
	} else if (r == KL_OK && s->state == KL_CONV_ENDED &&
	    cases_open(&c)) {
		r = ended_since(t, &c, s);
	}
	return r != KL_OK ? r : cases_put(t, &c);
}
