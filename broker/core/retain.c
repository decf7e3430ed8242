#include "broker/core/retain.h"

#include <string.h>

#include <kortelijn/base/time.h>

#include "broker/core/deadline.h"
#include "broker/core/tables.h"
#include "broker/core/timer.h"

#define CLOCK_STEP_MS KL_MINUTE_MS	/* how often the clock is stored */
#define JUMP_MS KL_HOUR_MS
#define SWEEP_ROWS 32			/* of one step */
#define CORRECTIONS_MAX 256		/* rows looked at behind a REFERRAL */

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

/* ---- how a conversation ends ------------------------------------------- */

int
retain_begin(struct turn *t, struct registry *r, const struct conversation *c,
    int64_t unsent_ms)
{
	struct participant *p = registry_by_id(r, &c->sender);
	int err;

	if (p != NULL) {
		p->open_conversations++;
		registry_touch(r, p);
	}
	err = timer_put(t,
	    kl_day_start_ms((int32_t)c->valid_until + 1), TIMER_CONSENT,
	    &c->tag);
	return err != KL_OK || unsent_ms == 0 ? err :
	    timer_put(t, unsent_ms, TIMER_UNSENT, &c->tag);
}

void
retain_reopen(struct registry *r, const struct conversation *c)
{
	struct participant *p = registry_by_id(r, &c->sender);

	if (p == NULL)
		return;
	p->open_conversations++;
	registry_touch(r, p);
}

static void
count_down(struct registry *r, const struct conversation *c)
{
	struct participant *p = registry_by_id(r, &c->sender);

	if (p == NULL || p->open_conversations == 0)
		return;
	p->open_conversations--;
	registry_touch(r, p);
}

int
retain_close(struct turn *t, struct registry *r, const struct conversation *c)
{
	count_down(r, c);
	return timer_put(t, t->now_ms + RETAIN_AFTER_END_MS,
	    TIMER_CONVERSATION, &c->tag);
}

int
retain_marker(struct turn *t, const struct kl_conv_id *id)
{
	const struct kl_tag tag = vault_tag(t->vault, T_CONV,
	    KL_BYTES_OF(*id));
	struct kl_bytes v;

	return kl_kv_get(t->txn, T_MARKER, KL_BYTES_OF(tag), &v);
}

/* ---- may it be released? ----------------------------------------------- */

static bool
reported_in(struct registry *r, const struct kl_id *id)
{
	const struct participant *p = registry_by_id(r, id);

	return p == NULL || p->reported_in;
}

bool
retain_counts(struct turn *t, struct registry *r,
    const struct conversation *c)
{
	struct conversation parent;

	if (!r->must_report)
		return true;
	if (!reported_in(r, &c->sender))
		return false;
	if (kl_bytes_zero(KL_BYTES_OF(c->under)) ||
	    conversation_by_referral(t, &c->under, &parent) != KL_OK)
		return true;
	return reported_in(r, &parent.sender);
}

static bool
key_revoked(const struct participant *p, const struct kl_key_id *id,
    int64_t now_ms, uint32_t reason)
{
	const struct registry_card *card = registry_card_of(p, id, now_ms);

	return card != NULL && card->revoked != 0 &&
	    (reason == 0 || card->revoked == reason);
}

static bool
all_revoked(const struct participant *p)
{
	for (size_t i = 0; i < p->n_cards; i++)
		if (p->card[i].revoked == 0)
			return false;
	return p->n_cards > 0;
}

static bool
any_revoked(const struct participant *p)
{
	for (size_t i = 0; i < p->n_cards; i++)
		if (p->card[i].revoked != 0)
			return true;
	return false;
}

/* The envelope is read only when there is a reason to ask. */
static bool
prekey_revoked(struct turn *t, const struct participant *to,
    const struct message *m)
{
	const struct registry_prekey *k;
	struct kl_envelope e;
	struct kl_bytes packed;
	struct kl_signed s;

	if (!any_revoked(to) ||
	    message_envelope(t, m, &packed) != KL_OK ||
	    kl_signed_read(packed, t->mem, &s) != KL_C_OK ||
	    kl_envelope_read(s.body, t->mem, &e) != KL_C_OK)
		return false;
	k = registry_prekey_of(to, &e.header.prekey_id);
	return k != NULL && key_revoked(to, &k->signer, t->now_ms, 0);
}

/* A clock that went back must not let out what its consent covers no more. */
static enum kl_code
check_time(const struct turn *t, const struct conversation *c,
    const struct message *m)
{
	const int64_t at_ms = t->latest_ms > t->now_ms ? t->latest_ms :
	    t->now_ms;
	enum kl_code code = m->expire_ms <= at_ms ? KL_C_EXPIRED :
	    conversation_check_release(c, m->kind, at_ms);

	return t->untrusted && (code == KL_C_EXPIRED ||
	    code == KL_C_CONSENT_DATE) ? KL_C_TRY_LATER : code;
}

enum kl_code
retain_check(struct turn *t, struct registry *r, const struct conversation *c,
    const struct message *m)
{
	const struct participant *from = registry_by_id(r, &m->from);
	const struct participant *to = registry_by_number(r, m->receiver);
	const enum kl_code time = check_time(t, c, m);

	if (time == KL_C_EXPIRED)
		return time;
	if (to == NULL || all_revoked(to))
		return KL_C_CARD_REVOKED;
	if (m->state == KL_MSG_ACCEPTED && from != NULL &&
	    key_revoked(from, &m->sender_key_id, t->now_ms,
	    KL_REVOKE_COMPROMISE))
		return KL_C_CARD_REVOKED;
	if (prekey_revoked(t, to, m))
		return KL_C_PREKEY;
	if (!retain_counts(t, r, c))
		return KL_C_NOT_REPORTED_IN;
	return time;
}

/* ---- how a message ends ------------------------------------------------ */

static int
tell_sender(struct turn *t, struct registry *r, const struct conversation *c,
    const struct message *m, enum kl_code code)
{
	const struct participant *p = registry_by_id(r, &m->from);
	uint32_t notice = m->state == KL_MSG_EXPIRED ? KL_NOTICE_EXPIRED :
	    m->state == KL_MSG_UNCONFIRMED ? KL_NOTICE_UNCERTAIN :
	    KL_NOTICE_DEAD;

	return p == NULL ? KL_OK :
	    mailbox_put_notice(t, c, m, p->number, notice, code);
}

static int
end_one(struct turn *t, struct registry *r, const struct conversation *c,
    struct message *m, enum kl_code code)
{
	const bool released = m->state == KL_MSG_RELEASED;
	uint32_t state = released ? KL_MSG_UNCONFIRMED :
	    code == KL_C_EXPIRED ? KL_MSG_EXPIRED : KL_MSG_DEAD;
	int err = mailbox_move(t, c, m, state, code, NULL, 0, NULL);

	if (err == KL_OK)
		err = tell_sender(t, r, c, m, code);
	return err != KL_OK || released ? err : mailbox_put_gap(t, c, m);
}

/* The CORRECTIONs that wait behind a REFERRAL which ended undelivered. */
static int
end_corrections(struct turn *t, struct registry *r,
    const struct conversation *c, const struct message *referral)
{
	struct mailbox_row row = { .item = referral->item };
	struct message m;
	int err = KL_OK;

	for (int i = 0; i < CORRECTIONS_MAX && err == KL_OK; i++) {
		err = mailbox_next(t, referral->receiver, row.item, &row);
		if (err != KL_OK || row.sort != KL_SORT_ENVELOPE ||
		    memcmp(row.conv.b, c->tag.b, sizeof c->tag.b) != 0)
			continue;
		err = message_get(t, &row.message, c, &m);
		if (err == KL_OK && m.kind == KL_CORRECTION)
			err = end_one(t, r, c, &m, KL_C_CONVERSATION_ENDED);
	}
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

static bool
is_its_referral(const struct conversation *c, const struct message *m)
{
	return m->kind == KL_REFERRAL &&
	    kl_bytes_equal(KL_BYTES_OF(m->body_hash),
	    KL_BYTES_OF(c->referral));
}

int
retain_delivered(struct turn *t, struct registry *r, struct conversation *c,
    struct kl_bytes body)
{
	int err = body.n == 0 ? KL_OK : conversation_put_body(t, c, body);

	if (err != KL_OK)
		return err;
	c->delivered = true;
	if (c->state == KL_CONV_EXPIRED) {
		c->state = KL_CONV_OPEN;
		c->ended_ms = 0;
		retain_reopen(r, c);
	}
	return conversation_put(t, c);
}

static int
undelivered(struct turn *t, struct registry *r, struct conversation *c)
{
	int err;

	c->state = KL_CONV_EXPIRED;
	c->ended_ms = t->now_ms;
	err = conversation_put(t, c);
	return err != KL_OK ? err : retain_close(t, r, c);
}

int
retain_refused(struct turn *t, struct registry *r, struct conversation *c,
    const struct message *m)
{
	int err;

	if (c->delivered || c->state != KL_CONV_OPEN)
		return KL_OK;
	err = undelivered(t, r, c);
	return err != KL_OK ? err : end_corrections(t, r, c, m);
}

int
retain_end(struct turn *t, struct registry *r, struct conversation *c,
    struct message *m, enum kl_code code)
{
	int err = end_one(t, r, c, m, code);

	if (err != KL_OK || !is_its_referral(c, m) || c->delivered ||
	    c->state != KL_CONV_OPEN)
		return err;
	return retain_refused(t, r, c, m);
}

/* ---- timers ------------------------------------------------------------ */

static int
end_expired(struct turn *t, struct registry *r, struct message *m)
{
	struct conversation c;
	int err = conversation_get(t, &m->conv, &c);

	if (err == KL_OK)
		err = message_get(t, &m->tag, &c, m);
	return err != KL_OK ? err : retain_end(t, r, &c, m, KL_C_EXPIRED);
}

static int
message_expired(struct turn *t, struct registry *r, const struct kl_tag *tag)
{
	struct message m;
	int err = message_peek(t, tag, &m);

	if (err == KL_OK && (m.state == KL_MSG_ACCEPTED ||
	    m.state == KL_MSG_RELEASED))
		err = end_expired(t, r, &m);
	if (err != KL_OK && err != KL_E_NOT_FOUND)
		return err;
	return message_forget(t, tag);
}

static int
consent_ended(struct turn *t, struct registry *r, const struct kl_tag *tag)
{
	struct kl_record rec = { .event = KL_EV_CONSENT_ENDED };
	const struct participant *from, *to;
	struct journal_leaf leaf;
	struct conversation c;
	int err = conversation_get(t, tag, &c);

	if (err != KL_OK || c.state != KL_CONV_OPEN)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	rec.conv_ref = c.ref;
	rec.org_from = c.sender;
	rec.org_to = c.receiver;
	rec.body_hash = c.referral;
	from = registry_by_id(r, &c.sender);
	to = registry_by_id(r, &c.receiver);
	if ((err = journal_append(t->journal, t->txn, t->now_ms, &rec, t->mem,
	    &leaf)) == KL_OK && from != NULL)
		err = mailbox_put_notice(t, &c, NULL, from->number,
		    KL_NOTICE_CONSENT_ENDED, KL_C_OK);
	if (err == KL_OK && to != NULL)
		err = mailbox_put_notice(t, &c, NULL, to->number,
		    KL_NOTICE_CONSENT_ENDED, KL_C_OK);
	return err != KL_OK ? err : timer_put(t,
	    t->now_ms + RETAIN_AFTER_END_MS, TIMER_CONVERSATION, tag);
}

static int
row_drop(struct turn *t, char table, struct kl_bytes key)
{
	int err = kl_kv_del(t->txn, table, key);

	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

static int
marker_put(struct turn *t, const struct conversation *c)
{
	const int64_t until_ms = kl_day_start_ms((int32_t)c->valid_until + 1);
	int err;

	if (until_ms <= t->now_ms)
		return KL_OK;
	err = kl_kv_put(t->txn, T_MARKER, KL_BYTES_OF(c->tag), KL_BYTES_NONE);
	return err != KL_OK ? err :
	    timer_put(t, until_ms, TIMER_MARKER, &c->tag);
}

static int
conversation_forget(struct turn *t, struct registry *r,
    const struct kl_tag *tag)
{
	const int64_t end = t->now_ms - RETAIN_AFTER_END_MS;
	struct conversation c;
	int err = conversation_get(t, tag, &c);

	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	if (c.state == KL_CONV_OPEN ?
	    kl_day_start_ms((int32_t)c.valid_until + 1) > end :
	    c.ended_ms > end)
		return KL_OK;	/* it was opened again: another timer */
	if (c.state == KL_CONV_OPEN)
		count_down(r, &c);
	if ((err = conversation_drop(t, &c)) != KL_OK ||
	    (err = marker_put(t, &c)) != KL_OK)
		return err;
	return mailbox_erase_later(t, c.slot);
}

/* Nothing but its body was shown, and then its sender let the term pass. */
static int
conversation_unsent(struct turn *t, struct registry *r,
    const struct kl_tag *tag)
{
	struct conversation c;
	int err = conversation_get(t, tag, &c);

	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	return c.delivered || c.state != KL_CONV_OPEN ? KL_OK :
	    undelivered(t, r, &c);
}

static int
due_do(struct turn *t, struct registry *r, const struct timer_due *d)
{
	switch (d->sort) {
	case TIMER_DELIVER: return deadline_deliver(t, r, d);
	case TIMER_ANSWER: return deadline_answer(t, r, d);
	case TIMER_EXPIRE: return message_expired(t, r, &d->tag);
	case TIMER_FORGET: return message_forget(t, &d->tag);
	case TIMER_CONSENT: return consent_ended(t, r, &d->tag);
	case TIMER_CONVERSATION: return conversation_forget(t, r, &d->tag);
	case TIMER_UNSENT: return conversation_unsent(t, r, &d->tag);
	case TIMER_SHOWN:
		return row_drop(t, T_SHOWN, KL_BYTES_OF(d->tag));
	case TIMER_MARKER:
		return row_drop(t, T_MARKER, KL_BYTES_OF(d->tag));
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
