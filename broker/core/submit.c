#include "broker/core/submit.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/domain/policy.h>

#define AHEAD_MAX_MS (10 * KL_MINUTE_MS)
#define ANSWER_MAX_MS (60 * KL_DAY_MS)	/* PROTOCOL.md 8.7 */
#define STORE_FULL_MS KL_MINUTE_MS
#define NO_SLOTS_MS (5 * KL_SECOND_MS)
#define SLOTS_RESERVE 8		/* free ones: the month's key takes one too */

/* A check answers KL_C_OK, or refuses with that code; *err says that the store
 * failed. */

static enum kl_code
submit_read(struct submit *s)
{
	struct kl_arena *mem = s->core->in_mem;
	struct kl_submit m;
	enum kl_code code;

	code = KL_MESSAGE_READ(KL_M_SUBMIT, s->q->msg.body, mem, &m);
	if (code != KL_C_OK)
		return code;
	/* Edge has counted the frames; a captured one may not have. */
	if (s->q->pipe->n != 2)
		return KL_C_FRAME_COUNT;
	s->packed = m.envelope;
	s->ct = s->q->pipe->frame[1];
	if ((code = kl_signed_read(s->packed, mem, &s->s)) != KL_C_OK ||
	    (code = kl_envelope_read(s->s.body, mem, &s->e)) != KL_C_OK)
		return code;
	if (!kl_id_equal(&s->e.header.sender, &s->q->by->id))
		return KL_C_NOT_YOUR_KEY;
	s->body_hash = kl_hash_of(s->s.body);
	return KL_C_OK;
}

/* ---- repeats ---- */

int
submit_reply(struct submit *s, const struct conversation *c,
    struct kl_bytes logged)
{
	struct kl_submit_reply r = { .logged = logged, .conv_ref = c->ref };

	memcpy(r.spoken, c->spoken, sizeof r.spoken);
	return KL_MESSAGE_PACK_IN(KL_M_SUBMIT_REPLY, &r, s->t->mem,
	    &s->a->body);
}

/* *same: it was answered from what is stored. */
static int
repeat_check(struct submit *s, bool *same, bool *conflict)
{
	struct kl_bytes logged;
	struct conversation c;
	struct kl_tag body;
	struct message m;
	int err;

	*same = *conflict = false;
	err = message_find(s->t, &s->e.header.msg_id, &m);
	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	body = message_body_tag(s->t, &s->body_hash);
	*same = memcmp(body.b, m.body.b, sizeof body.b) == 0;
	*conflict = !*same;
	if (!*same)
		return KL_OK;
	err = conversation_get(s->t, &m.conv, &c);
	if (err == KL_OK && m.leaf < c.born_leaf)
		err = KL_E_NOT_FOUND;
	if (err == KL_OK)
		err = journal_logged(s->t->journal, s->t->txn, m.leaf,
		    s->t->mem, &logged);
	/* What is uncertain is remembered longer than its conversation: what
	 * was said of it cannot be said again. */
	s->forgotten = err == KL_E_NOT_FOUND;
	*same = !s->forgotten;
	if (err != KL_OK)
		return s->forgotten ? KL_OK : err;
	return submit_reply(s, &c, logged);
}

/* ---- keys and roles ---- */

static enum kl_code
signature_check(const struct submit *s)
{
	const struct registry_card *card = registry_card_of(s->q->by,
	    &s->e.header.sender_key_id, s->t->now_ms);
	struct kl_hash h;
	enum kl_code code;

	if (card == NULL)
		return KL_C_CARD_UNKNOWN;
	code = registry_card_valid(card, s->t->now_ms);
	if (code != KL_C_OK)
		return code;
	/* Length and hash cost less than the signature. */
	if (s->ct.n != s->e.ct_len ||
	    s->ct.n != kl_plain_bytes(s->e.header.kind) + KL_CT_EXTRA)
		return KL_C_MALFORMED;
	h = kl_hash_of(s->ct);
	if (!kl_bytes_equal(KL_BYTES_OF(h), KL_BYTES_OF(s->e.ct_hash)))
		return KL_C_MALFORMED;
	return kl_verify(KL_LABEL_ENVELOPE, s->s.body, &card->sign_pk,
	    &s->s.sig) == KL_OK ? KL_C_OK : KL_C_SIGNATURE;
}

static enum kl_code
succeeded(struct submit *s, const struct participant *by)
{
	s->a->n_detail = sizeof by->id.b;
	memcpy(s->a->detail, by->id.b, sizeof by->id.b);
	return KL_C_RECEIVER_SUCCEEDED;
}

/* Whoever may fetch the mail of `p` today. */
static bool
reachable(struct submit *s, const struct participant *p)
{
	const struct participant *heir = registry_successor(
	    &s->core->registry, &p->id, s->t->now_ms);

	return registry_card_now(p, s->t->now_ms) != NULL ||
	    (heir != NULL && registry_card_now(heir, s->t->now_ms) != NULL);
}

static enum kl_code
receiver_check(struct submit *s)
{
	const struct kl_header *h = &s->e.header;
	const struct participant *heir;

	s->to = registry_by_id(&s->core->registry, &h->receiver);
	if (s->to == NULL || s->to == s->q->by || !reachable(s, s->to))
		return KL_C_RECEIVER_UNKNOWN;
	heir = registry_successor(&s->core->registry, &h->receiver,
	    s->t->now_ms);
	if (h->kind == KL_REFERRAL && heir != NULL)
		return succeeded(s, heir);
	return conversation_role_may(h->kind, s->q->by->role, s->to->role,
	    h->kind == KL_REFERRAL &&
	    !kl_bytes_zero(KL_BYTES_OF(s->e.consent.under))) ?
	    KL_C_OK : KL_C_ROLE;
}

bool
submit_lost(const struct submit *s)
{
	return s->core->registry.must_report;
}

/* After a loss it may have been offered before, or be published again soon. */
static enum kl_code
prekey_unknown(const struct submit *s)
{
	if (!submit_lost(s))
		return KL_C_PREKEY;
	if (s->e.header.created_ms < s->core->registry.lost_ms)
		return KL_C_OK;
	return !s->to->reported_in || s->to->n_prekeys == 0 ?
	    KL_C_NOT_REPORTED_IN : KL_C_PREKEY;
}

static enum kl_code
prekey_check(const struct submit *s)
{
	const struct kl_header *h = &s->e.header;
	const struct registry_prekey *k = registry_prekey_of(s->to,
	    &h->prekey_id);
	const struct registry_card *signer;

	if (k == NULL)
		return prekey_unknown(s);
	if (h->created_ms < k->not_before_ms ||
	    h->created_ms >= k->not_after_ms)
		return KL_C_PREKEY;
	signer = registry_card_of(s->to, &k->signer, s->t->now_ms);
	return signer == NULL || signer->revoked != 0 ? KL_C_PREKEY : KL_C_OK;
}

/* Of a crisis the broker sees nothing: its shorter term is the sender's. */
static int64_t
term_max_ms(const struct submit *s)
{
	const int64_t most = kl_policy_ms(s->t->policy, KL_POL_TTL_MAX);
	const int64_t ttl = kl_policy_ms(s->t->policy,
	    s->e.header.kind == KL_FEEDBACK ? KL_POL_FEEDBACK_UNDELIVERED_TTL :
	    KL_POL_REFERRAL_UNDELIVERED_TTL);

	return ttl < most ? ttl : most;
}

static enum kl_code
times_check(const struct submit *s, int64_t *wait_ms)
{
	const struct kl_header *h = &s->e.header;
	const int64_t ahead_ms = h->created_ms - s->t->now_ms - AHEAD_MAX_MS;

	*wait_ms = 0;
	if (ahead_ms > 0) {
		*wait_ms = ahead_ms;
		return KL_C_CLOCK_AHEAD;
	}
	if (h->created_ms >= h->deliver_by_ms ||
	    h->deliver_by_ms > h->expire_at_ms ||
	    h->expire_at_ms > h->created_ms + term_max_ms(s))
		return KL_C_TIMES;
	if (h->answer_by_ms != 0 && (h->kind != KL_REFERRAL ||
	    h->answer_by_ms <= h->created_ms ||
	    h->answer_by_ms > h->created_ms + ANSWER_MAX_MS))
		return KL_C_TIMES;
	return h->expire_at_ms <= s->t->now_ms ? KL_C_EXPIRED : KL_C_OK;
}

/* ---- the conversation ---- */

static bool
reported_in(struct submit *s, const struct kl_id *id)
{
	const struct registry *r = &s->core->registry;
	const struct participant *p;

	if (!r->must_report)
		return true;
	p = registry_by_id(&s->core->registry, id);
	return p == NULL || p->reported_in;
}

/* Of a conversation that is not here: its practice may still bring it. */
static enum kl_code
unknown_conversation(struct submit *s)
{
	return reported_in(s, &s->e.header.receiver) ?
	    KL_C_CONVERSATION_ENDED : KL_C_NOT_REPORTED_IN;
}

static bool
stands_for(struct submit *s, const struct kl_id *who, const struct kl_id *is)
{
	return registry_stands_for(&s->core->registry, who, is,
	    s->t->now_ms);
}

static enum kl_code
party_check(struct submit *s)
{
	const struct kl_header *h = &s->e.header;
	const struct kl_id *from = &s->conv.sender, *to = &s->conv.receiver;

	s->as_receiver = stands_for(s, &h->sender, &s->conv.receiver);
	if (s->as_receiver) {
		from = &s->conv.receiver;
		to = &s->conv.sender;
	}
	if (!stands_for(s, &h->sender, from) ||
	    !stands_for(s, &h->receiver, to))
		return KL_C_NOT_A_PARTY;
	/* A CORRECTION is the sender's own; nobody inherits it. */
	return s->as_receiver || kl_id_equal(&h->sender, from) ?
	    KL_C_OK : KL_C_NOT_A_PARTY;
}

static enum kl_code
seq_refuse(struct submit *s, uint64_t last)
{
	kl_be64_put(s->a->detail, last);
	s->a->n_detail = 8;
	return KL_C_SEQ;
}

static enum kl_code
message_check(struct submit *s)
{
	enum kl_code code;
	uint64_t last;

	if (!s->known)
		return unknown_conversation(s);
	if ((code = party_check(s)) != KL_C_OK)
		return code;
	if (!retain_counts(s->t, &s->core->registry, &s->conv))
		return KL_C_NOT_REPORTED_IN;
	code = conversation_check_message(&s->conv, &s->e, s->as_receiver,
	    s->t->now_ms, &last);
	return code == KL_C_SEQ ? seq_refuse(s, last) : code;
}

static enum kl_code
parent_check(struct submit *s, int *err)
{
	const struct kl_hash *under = &s->e.consent.under;
	struct conversation parent;

	if (kl_bytes_zero(KL_BYTES_OF(*under)))
		return KL_C_OK;
	*err = conversation_by_referral(s->t, under, &parent);
	if (*err == KL_E_NOT_FOUND) {
		*err = KL_OK;
		return submit_lost(s) ? KL_C_NOT_REPORTED_IN :
		    KL_C_CONSENT_PARENT;
	}
	if (*err != KL_OK)
		return KL_C_TRY_LATER;
	if (!reported_in(s, &parent.sender))
		return KL_C_NOT_REPORTED_IN;
	return conversation_check_parent(&parent, &s->e, s->t->now_ms);
}

/* After a loss its body was shown; now it comes itself. What was delivered
 * has a message and was answered as a repeat. */
static enum kl_code
shown_check(struct submit *s)
{
	const struct conversation *c = &s->conv;

	s->shown = true;
	if (c->state == KL_CONV_OPEN)
		return submit_lost(s) && !c->delivered ? KL_C_OK :
		    KL_C_CONFLICT;
	return KL_C_CONVERSATION_ENDED;
}

/* The consent stays single-use: the same bytes, parties and id. */
static enum kl_code
again_check(struct submit *s)
{
	const struct kl_hash consent = kl_hash_of(s->e.consent_bytes);
	const struct conversation *c = &s->conv;

	s->again = true;
	if (kl_bytes_equal(KL_BYTES_OF(s->body_hash),
	    KL_BYTES_OF(c->referral)))
		return shown_check(s);
	if (kl_bytes_zero(KL_BYTES_OF(s->e.header.replaces)))
		return c->state == KL_CONV_OPEN ? KL_C_CONFLICT :
		    KL_C_CONVERSATION_ENDED;
	if (!kl_id_equal(&c->sender, &s->e.header.sender))
		return KL_C_NOT_A_PARTY;
	if (!kl_id_equal(&c->receiver, &s->e.header.receiver) ||
	    !kl_bytes_equal(KL_BYTES_OF(consent), KL_BYTES_OF(c->consent)))
		return KL_C_CONFLICT;
	if (c->state != KL_CONV_OPEN && c->state != KL_CONV_EXPIRED)
		return KL_C_CONVERSATION_ENDED;
	if (s->e.header.seq != c->seq_sender + 1 &&
	    !(c->base_sender && s->e.header.seq > c->seq_sender))
		return seq_refuse(s, c->seq_sender);
	return KL_C_OK;
}

static enum kl_code
referral_check(struct submit *s, int *err)
{
	enum kl_code code;

	if (s->known) {
		if ((code = again_check(s)) != KL_C_OK)
			return code;
	} else {
		*err = retain_marker(s->t, &s->e.header.conv_id);
		if (*err == KL_OK)
			return KL_C_CONVERSATION_ENDED;
		if (*err != KL_E_NOT_FOUND)
			return KL_C_TRY_LATER;
		if (withdraw_stops(s->t, &s->core->registry, &s->e.header,
		    &s->e.consent.under, err))
			return KL_C_CONVERSATION_ENDED;
		if (*err != KL_OK)
			return KL_C_TRY_LATER;
		/* After a loss any first seq is the base. */
		if (s->e.header.seq != 1 && !submit_lost(s))
			return seq_refuse(s, 0);
	}
	code = conversation_check_consent(&s->e.consent, s->t->policy,
	    s->t->now_ms);
	/* What is sealed again was young enough when it was first sent. */
	if (code == KL_C_CONSENT_DATE && s->again &&
	    s->conv.valid_until >= (uint32_t)kl_day_of(s->t->now_ms))
		code = KL_C_OK;
	return code != KL_C_OK ? code : parent_check(s, err);
}

static enum kl_code
conversation_check(struct submit *s, int *err)
{
	*err = conversation_by_id(s->t, &s->e.header.conv_id, &s->conv);
	s->known = *err == KL_OK;
	if (*err != KL_OK && *err != KL_E_NOT_FOUND)
		return KL_C_TRY_LATER;
	*err = KL_OK;
	return s->e.header.kind == KL_REFERRAL ? referral_check(s, err) :
	    message_check(s);
}

/* PROTOCOL.md 8.10. */
static bool
may_be_replaced(const struct message *m)
{
	switch (m->state) {
	case KL_MSG_EXPIRED:
	case KL_MSG_LOST:
		return true;
	case KL_MSG_DEAD:
		return m->outcome == 0 || m->outcome == KL_UNDECRYPTABLE;
	default:
		return false;
	}
}

/* Of a REFERRAL only the one that counts now: a consent is used once, and one
 * that was replaced has been sealed again. */
static bool
is_the_referral(const struct submit *s, const struct message *m)
{
	return m->kind != KL_REFERRAL ||
	    kl_bytes_equal(KL_BYTES_OF(m->body_hash),
	    KL_BYTES_OF(s->conv.referral));
}

/* After a loss the message that it names may not be here; that it was
 * delivered is. */
static enum kl_code
replaces_unknown(const struct submit *s)
{
	const bool delivered = s->known && s->conv.delivered &&
	    s->e.header.kind == KL_REFERRAL;

	return submit_lost(s) && !delivered ? KL_C_OK : KL_C_REPLACES;
}

static enum kl_code
replaces_check(struct submit *s, int *err)
{
	const struct kl_header *h = &s->e.header;
	struct message m;

	if (kl_bytes_zero(KL_BYTES_OF(h->replaces)))
		return KL_C_OK;
	if (!s->known)
		return replaces_unknown(s);
	*err = message_find(s->t, &h->replaces, &m);
	if (*err == KL_OK && memcmp(m.conv.b, s->conv.tag.b,
	    sizeof m.conv.b) == 0)
		*err = message_get(s->t, &m.tag, &s->conv, &m);
	else if (*err == KL_OK)
		return KL_C_REPLACES;
	if (*err == KL_E_NOT_FOUND) {
		*err = KL_OK;
		return replaces_unknown(s);
	}
	if (*err != KL_OK)
		return KL_C_TRY_LATER;
	return m.kind == h->kind && kl_id_equal(&m.from, &h->sender) &&
	    is_the_referral(s, &m) && may_be_replaced(&m) ? KL_C_OK :
	    KL_C_REPLACES;
}

/* ---- room ---- */

uint64_t
submit_size(const struct submit *s)
{
	return s->packed.n + s->ct.n;
}

static enum kl_code
quota_check(struct submit *s, int64_t *wait_ms)
{
	const struct broker_conf *conf = s->core->conf;
	struct session *session = s->q->session;
	const int32_t today = kl_day_of(s->t->now_ms);

	if (session->day != today) {
		session->day = today;
		session->bytes = 0;
	}
	*wait_ms = 0;
	if (session->bytes + submit_size(s) >
	    (uint64_t)conf->bytes_per_day_mb << 20) {
		*wait_ms = kl_day_start_ms(today + 1) - s->t->now_ms;
		return KL_C_QUOTA_BYTES;
	}
	/* One that had expired opens again. */
	if (s->e.header.kind == KL_REFERRAL &&
	    (!s->again || s->conv.state == KL_CONV_EXPIRED) &&
	    s->q->by->open_conversations >= conf->open_conversations)
		return KL_C_QUOTA_CONVERSATIONS;
	if (s->core->full) {
		*wait_ms = STORE_FULL_MS;
		return KL_C_STORE_FULL;
	}
	if (kl_slots_free(s->t->vault->slots) < SLOTS_RESERVE) {
		*wait_ms = NO_SLOTS_MS;
		return KL_C_TRY_LATER;
	}
	return KL_C_OK;
}

/* ---- all checks, in order ---- */

enum kl_code
submit_check(struct submit *s, bool *done, int64_t *wait_ms, int *err)
{
	enum kl_code code;
	bool conflict;

	*done = false;
	*wait_ms = 0;
	*err = KL_OK;
	if ((code = submit_read(s)) != KL_C_OK)
		return code;
	*err = repeat_check(s, done, &conflict);
	if (*err != KL_OK || *done)
		return KL_C_OK;
	if (s->forgotten)
		return KL_C_CONVERSATION_ENDED;
	if ((code = signature_check(s)) != KL_C_OK)
		return code;
	if (conflict)
		return KL_C_CONFLICT;
	if ((code = receiver_check(s)) != KL_C_OK ||
	    (code = prekey_check(s)) != KL_C_OK ||
	    (code = times_check(s, wait_ms)) != KL_C_OK ||
	    (code = conversation_check(s, err)) != KL_C_OK ||
	    *err != KL_OK ||
	    (code = replaces_check(s, err)) != KL_C_OK || *err != KL_OK)
		return code;
	return quota_check(s, wait_ms);
}
