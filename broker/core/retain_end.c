#include "broker/core/retain_end.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/policy.h>

#include "broker/core/timer.h"

#define CORRECTIONS_MAX 256		/* rows looked at behind a REFERRAL */

/* Of a conversation at level 0, after its delivery: nobody will tell more. */
#define QUIET_MS (KL_POLICY_UNCERTAIN_LEVEL0_DAYS * KL_DAY_MS)

/* ---- how long a conversation is kept ----------------------------------- */

/* The term that it got, or the policy's if that is stricter by now. */
static int64_t
term_ms(const struct turn *t, uint32_t days, enum kl_policy_key key)
{
	const uint32_t now_days = kl_policy_days(t->policy, key);

	return (int64_t)(now_days < days ? now_days : days) * KL_DAY_MS;
}

int64_t
retain_limit(const struct turn *t, const struct conversation *c)
{
	return c->begun_ms + term_ms(t, c->max_days, KL_POL_METADATA_MAX);
}

int64_t
retain_until(const struct turn *t, const struct conversation *c)
{
	const int64_t limit_ms = retain_limit(t, c);
	const int64_t end_ms = c->state == KL_CONV_OPEN ? c->quiet_ms :
	    c->ended_ms;
	const int64_t until_ms = end_ms + term_ms(t, c->after_end_days,
	    KL_POL_METADATA_AFTER_END);

	return end_ms == 0 || until_ms > limit_ms ? limit_ms : until_ms;
}

static int
forget_later(struct turn *t, const struct conversation *c)
{
	return timer_put(t, retain_until(t, c), TIMER_CONVERSATION, &c->tag);
}

int
retain_quiet(struct turn *t, struct conversation *c, int64_t from_ms)
{
	if (c->quiet_ms != 0 && c->quiet_ms <= from_ms)
		return KL_OK;
	c->quiet_ms = from_ms;
	return forget_later(t, c);
}

int
retain_shorten(struct turn *t, struct conversation *c)
{
	const uint32_t after = kl_policy_days(t->policy,
	    KL_POL_METADATA_AFTER_END);
	const uint32_t most = kl_policy_days(t->policy, KL_POL_METADATA_MAX);
	int err;

	if (after >= c->after_end_days && most >= c->max_days)
		return KL_OK;
	if (after < c->after_end_days)
		c->after_end_days = after;
	if (most < c->max_days)
		c->max_days = most;
	err = conversation_put(t, c);
	return err != KL_OK ? err : forget_later(t, c);
}

/* ---- how a conversation ends ------------------------------------------- */

static int64_t
consent_end_ms(const struct conversation *c)
{
	return kl_day_start_ms((int32_t)c->valid_until + 1);
}

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
	err = timer_put(t, consent_end_ms(c), TIMER_CONSENT, &c->tag);
	if (err == KL_OK)
		err = forget_later(t, c);
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

void
retain_count_down(struct registry *r, const struct conversation *c)
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
	retain_count_down(r, c);
	return forget_later(t, c);
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
	if (!c->delivered && c->level == KL_LEVEL_0 &&
	    (err = retain_quiet(t, c, t->now_ms + QUIET_MS)) != KL_OK)
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

int
retain_end_found(struct turn *t, struct registry *r, struct message *m,
    enum kl_code code)
{
	struct conversation c;
	int err = conversation_get(t, &m->conv, &c);

	if (err == KL_E_NOT_FOUND)
		return mailbox_end_gone(t, m);
	if (err == KL_OK)
		err = message_get(t, &m->tag, &c, m);
	return err != KL_OK ? err : retain_end(t, r, &c, m, code);
}

/* ---- by time ----------------------------------------------------------- */

int
retain_expired(struct turn *t, struct registry *r, const struct kl_tag *tag)
{
	struct message m;
	int err = message_peek(t, tag, &m);

	if (err == KL_OK && (m.state == KL_MSG_ACCEPTED ||
	    m.state == KL_MSG_RELEASED))
		err = retain_end_found(t, r, &m, KL_C_EXPIRED);
	if (err != KL_OK && err != KL_E_NOT_FOUND)
		return err;
	return message_forget(t, tag);
}

/* Did its REFERRAL come after all, or one in its place? Then it ends with that
 * one's own term. */
static int
referral_came(struct turn *t, const struct conversation *c, bool *came)
{
	struct kl_tag at = { { 0 } };
	struct message m;
	int err = KL_OK;

	*came = false;
	for (bool first = true; !*came && (err = message_next_of(t, &c->tag,
	    &at, first, &m)) == KL_OK; first = false) {
		at = m.tag;
		err = message_get(t, &at, c, &m);
		if (err == KL_OK)
			*came = is_its_referral(c, &m);
		else if (err != KL_E_NOT_FOUND)
			return err;
	}
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

/* There is no message to name: what expires is the conversation. */
static int
unsent_log(struct turn *t, const struct conversation *c)
{
	struct kl_record rec = { .event = KL_EV_EXPIRED,
		.kind = KL_REFERRAL, .conv_ref = c->ref,
		.org_from = c->sender, .org_to = c->receiver,
		.body_hash = c->referral, .reason = KL_C_EXPIRED };
	struct journal_leaf leaf;

	return journal_append(t->journal, t->txn, t->now_ms, &rec, t->mem,
	    &leaf);
}

/* Nothing but its body was shown, and then its sender let the term pass. */
int
retain_unsent(struct turn *t, struct registry *r,
    const struct kl_tag *tag)
{
	struct conversation c;
	bool came = false;
	int err = conversation_get(t, tag, &c);

	if (err == KL_OK && !c.delivered && c.state == KL_CONV_OPEN)
		err = referral_came(t, &c, &came);
	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	if (came || c.delivered || c.state != KL_CONV_OPEN)
		return KL_OK;
	err = unsent_log(t, &c);
	return err != KL_OK ? err : undelivered(t, r, &c);
}

int
retain_consent(struct turn *t, struct registry *r, const struct kl_tag *tag)
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
	if (err == KL_OK)
		err = retain_quiet(t, &c, consent_end_ms(&c));
	return err != KL_OK ? err : conversation_put(t, &c);
}
