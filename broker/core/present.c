#include "broker/core/present.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/secret.h>
#include <kortelijn/crypto/sign.h>

#include "broker/core/deadline.h"
#include "broker/core/tables.h"
#include "broker/core/timer.h"
#include "broker/core/withdraw.h"

#define SHOWN_KEPT_MS (90 * KL_DAY_MS)	/* as long as late receipts count */
#define SLOTS_RESERVE 8

/* ---- who and when ------------------------------------------------------- */

static bool
stands_for(struct present *p, const struct kl_id *who, const struct kl_id *is)
{
	return registry_stands_for(p->registry, who, is, p->t->now_ms);
}

static bool
is_party(struct present *p, const struct kl_id *a, const struct kl_id *b)
{
	return stands_for(p, &p->by->id, a) || stands_for(p, &p->by->id, b);
}

static enum kl_code
signature_check(struct present *p, enum kl_label label,
    const struct kl_signed *s, const struct kl_id *signer,
    const struct kl_key_id *key_id, int64_t at_ms)
{
	const struct registry_signed v = { .label = label, .s = s,
		.signer = signer, .key_id = key_id, .at_ms = at_ms };

	return registry_signed_then(p->registry, &v, p->t->now_ms);
}

static int
log_shown(struct present *p, const struct kl_id *from,
    const struct kl_id *to, struct kl_record *rec)
{
	struct journal_leaf leaf;

	rec->event = KL_EV_PRESENTED;
	rec->org_from = *from;
	rec->org_to = *to;
	rec->actor_role = p->by->role;
	rec->actor_key_id = p->card->key_id;
	return journal_append(p->t->journal, p->t->txn, p->t->now_ms, rec,
	    p->t->mem, &leaf);
}

/* ---- receipts whose message is not here --------------------------------- */

/* Nothing is known of its conversation, so it is sealed under the month's key,
 * as its leaf is. */
static struct kl_tag
shown_tag(struct turn *t, const struct kl_hash *body)
{
	return vault_tag(t->vault, T_SHOWN, KL_BYTES_OF(*body));
}

static int
shown_put(struct turn *t, const struct kl_hash *body, struct kl_bytes packed)
{
	const struct kl_tag tag = shown_tag(t, body);
	const uint32_t slot = t->journal->month_slot;
	uint8_t row[KL_STATEMENT_MAX + 64];
	struct kl_bytes sealed;
	struct kl_writer w;
	int err;

	err = vault_seal(t->vault, slot, T_SHOWN, KL_BYTES_OF(tag), packed,
	    t->mem, &sealed);
	if (err != KL_OK)
		return err;
	kl_writer_init(&w, row, sizeof row);
	kl_put_u32(&w, slot);
	kl_put_bytes(&w, sealed);
	if (w.full)
		return KL_E_SIZE;
	err = kl_kv_put(t->txn, T_SHOWN, KL_BYTES_OF(tag),
	    kl_writer_bytes(&w));
	return err != KL_OK ? err : timer_put(t,
	    t->now_ms + SHOWN_KEPT_MS, TIMER_SHOWN, &tag);
}

/* KL_E_NOT_FOUND: there is none, or its month was erased. */
static int
shown_get(struct turn *t, const struct kl_hash *body, struct kl_bytes *packed)
{
	const struct kl_tag tag = shown_tag(t, body);
	struct kl_bytes v, copy;
	struct kl_reader r;
	uint32_t slot;
	int err = kl_kv_get(t->txn, T_SHOWN, KL_BYTES_OF(tag), &v);

	if (err != KL_OK || (err = kl_arena_copy(t->mem, v, &copy)) != KL_OK)
		return err;
	kl_reader_init(&r, copy);
	slot = kl_get_u32(&r);
	copy = kl_get_bytes(&r, r.n);
	return r.bad ? KL_E_DAMAGED : vault_open(t->vault, slot, T_SHOWN,
	    KL_BYTES_OF(tag), copy, t->mem, packed);
}

static int
shown_drop(struct turn *t, const struct kl_hash *body)
{
	const struct kl_tag tag = shown_tag(t, body);

	return kl_kv_del(t->txn, T_SHOWN, KL_BYTES_OF(tag));
}

/* ---- a receipt takes effect --------------------------------------------- */

static bool
is_its_referral(const struct conversation *c, const struct message *m)
{
	return m->kind == KL_REFERRAL &&
	    kl_bytes_equal(KL_BYTES_OF(m->body_hash),
	    KL_BYTES_OF(c->referral));
}

/* What brings a receipt to its message. */
struct effect {
	struct turn *t;
	struct registry *registry;
	const struct kl_id *by;		/* who shows it now, or signed it */
	const struct kl_key_id *key_id;
	uint32_t role;
	bool logged;			/* that it was shown */
};

static struct effect
effect_of(const struct present *p)
{
	return (struct effect){ .t = p->t, .registry = p->registry,
		.by = &p->by->id, .key_id = &p->card->key_id,
		.role = p->by->role };
}

static int
message_end(const struct effect *e, const struct conversation *c,
    struct message *m, const struct kl_receipt *v)
{
	const uint32_t state = v->outcome == KL_OPENED ? KL_MSG_DELIVERED :
	    KL_MSG_DEAD;

	m->outcome = v->outcome;
	return e->logged ?
	    mailbox_move(e->t, c, m, state, v->code, e->key_id, e->role,
	    NULL) :
	    mailbox_present(e->t, c, m, state, v->code, e->key_id, e->role);
}

static int
receipt_apply(const struct effect *e, struct conversation *c,
    struct message *m, const struct kl_receipt *v, struct kl_bytes packed)
{
	const struct participant *from = registry_by_id(e->registry,
	    &m->from);
	const bool opened = v->outcome == KL_OPENED;
	struct kl_bytes body = KL_BYTES_NONE;
	int err = KL_OK;

	if (opened && m->slot != KL_SLOT_NONE && is_its_referral(c, m))
		err = message_envelope(e->t, m, &body);
	if (err == KL_OK || err == KL_E_NOT_FOUND)
		err = message_end(e, c, m, v);
	if (err == KL_OK && is_its_referral(c, m))
		err = opened ? retain_delivered(e->t, e->registry, c, body) :
		    retain_refused(e->t, e->registry, c, m);
	if (err != KL_OK || from == NULL || kl_id_equal(e->by, &from->id))
		return err;
	return mailbox_put_statement(e->t, c, from->number, KL_RECEIPT,
	    packed);
}

/* ---- receipts ----------------------------------------------------------- */

struct shown_receipt {
	struct kl_bytes packed;
	struct kl_signed s;
	struct kl_receipt r;
};

static enum kl_code
receipt_read(struct kl_bytes packed, struct kl_arena *mem,
    struct shown_receipt *v)
{
	enum kl_code code;

	v->packed = packed;
	if ((code = kl_signed_read(packed, mem, &v->s)) != KL_C_OK)
		return code;
	return KL_STATEMENT_READ(KL_RECEIPT, v->s.body, mem, &v->r);
}

/* Its holder has it still: that is what a take-over asks. */
static int
hold(struct present *p, const struct conversation *c, struct message *m)
{
	if (!stands_for(p, &p->by->id, &m->to) || m->held == p->by->epoch)
		return KL_OK;
	m->held = p->by->epoch;
	return message_put(p->t, c, m);
}

/* After a loss the release of a message may be what was lost. */
static bool
may_come(const struct present *p, const struct message *m)
{
	return m->state == KL_MSG_RELEASED || m->state == KL_MSG_UNCONFIRMED ||
	    (p->registry->must_report && m->state != KL_MSG_WITHDRAWN);
}

static enum kl_code
receipt_of_message(struct present *p, const struct shown_receipt *v,
    struct message *m, int *err)
{
	const struct effect e = effect_of(p);
	struct conversation c;

	*err = conversation_get(p->t, &m->conv, &c);
	if (*err == KL_OK)
		*err = message_get(p->t, &m->tag, &c, m);
	if (*err == KL_E_NOT_FOUND) {
		/* What is uncertain outlives its conversation. */
		*err = KL_OK;
		return KL_C_MESSAGE_UNKNOWN;
	}
	if (*err != KL_OK)
		return KL_C_TRY_LATER;
	if (!is_party(p, &m->from, &m->to) ||
	    !stands_for(p, &v->r.signer, &m->to))
		return KL_C_NOT_A_PARTY;
	if (!kl_bytes_equal(KL_BYTES_OF(m->body_hash),
	    KL_BYTES_OF(v->r.body_hash)) ||
	    (m->outcome != 0 && m->outcome != v->r.outcome))
		return KL_C_CONFLICT;
	if (m->outcome == 0 && !may_come(p, m))
		return KL_C_MESSAGE_UNKNOWN;
	if (m->outcome == 0)
		*err = receipt_apply(&e, &c, m, &v->r, v->packed);
	if (*err == KL_OK)
		*err = hold(p, &c, m);
	return KL_C_OK;
}

/* The REFERRAL that a conversation was opened with, as its message. */
static enum kl_code
message_of_body(struct present *p, const struct conversation *c,
    struct kl_bytes body, const struct kl_receipt *v, struct message *m)
{
	const struct participant *to = registry_by_id(p->registry,
	    &c->receiver);
	struct kl_envelope e;
	struct kl_signed s;

	if (to == NULL || kl_signed_read(body, p->t->mem, &s) !=
	    KL_C_OK || kl_envelope_read(s.body, p->t->mem, &e) != KL_C_OK ||
	    memcmp(e.header.msg_id.b, v->msg_id.b, sizeof v->msg_id.b) != 0)
		return KL_C_CONFLICT;
	*m = (struct message){
		.tag = vault_tag(p->t->vault, T_MESSAGE,
		    KL_BYTES_OF(e.header.msg_id)),
		.state = KL_MSG_NONE, .slot = KL_SLOT_NONE,
		.was = KL_SLOT_NONE,
		.receiver = to->number,
		.body = message_body_tag(p->t, &c->referral),
		.conv = c->tag, .expire_ms = e.header.expire_at_ms,
		.id = e.header.msg_id, .body_hash = c->referral,
		.from = c->sender, .to = c->receiver,
		.sender_key_id = e.header.sender_key_id,
		.kind = KL_REFERRAL, .seq = e.header.seq,
	};
	kl_random(m->ref.b, sizeof m->ref.b);
	return KL_C_OK;
}

static enum kl_code
receipt_of_body(struct present *p, const struct shown_receipt *v,
    struct conversation *c, struct kl_bytes body, int *err)
{
	const struct effect e = effect_of(p);
	struct message m;
	enum kl_code code;

	if (!is_party(p, &c->sender, &c->receiver) ||
	    !stands_for(p, &v->r.signer, &c->receiver))
		return KL_C_NOT_A_PARTY;
	if ((code = message_of_body(p, c, body, &v->r, &m)) != KL_C_OK)
		return code;
	*err = receipt_apply(&e, c, &m, &v->r, v->packed);
	if (*err == KL_OK)
		*err = hold(p, c, &m);
	return KL_C_OK;
}

/* It waits for its message. The first one counts. */
static enum kl_code
receipt_of_nothing(struct present *p, const struct shown_receipt *v, int *err)
{
	struct kl_record rec = { .body_hash = v->r.body_hash };
	struct kl_bytes known;

	*err = KL_OK;
	if (!p->registry->must_report)
		return KL_C_MESSAGE_UNKNOWN;
	*err = shown_get(p->t, &v->r.body_hash, &known);
	if (*err != KL_E_NOT_FOUND)
		return KL_C_OK;
	*err = KL_OK;
	if (p->full)
		return KL_C_STORE_FULL;
	*err = log_shown(p, &p->by->id, &v->r.signer, &rec);
	if (*err == KL_OK)
		*err = shown_put(p->t, &v->r.body_hash, v->packed);
	return KL_C_OK;
}

enum kl_code
present_receipt(struct present *p, struct kl_bytes packed, int *err)
{
	struct shown_receipt v;
	struct conversation c;
	struct kl_bytes body;
	struct message m;
	enum kl_code code;

	*err = KL_OK;
	if ((code = receipt_read(packed, p->t->mem, &v)) != KL_C_OK ||
	    (code = signature_check(p, KL_LABEL_RECEIPT, &v.s, &v.r.signer,
	    &v.r.signer_key_id, v.r.at_ms)) != KL_C_OK)
		return code;
	*err = message_find(p->t, &v.r.msg_id, &m);
	if (*err == KL_OK)
		return receipt_of_message(p, &v, &m, err);
	if (*err == KL_E_NOT_FOUND)
		*err = conversation_by_referral(p->t, &v.r.body_hash, &c);
	/* A body that came by SUBMIT has its message. */
	if (*err == KL_OK)
		*err = conversation_body(p->t, &c, &body);
	if (*err == KL_OK)
		return receipt_of_body(p, &v, &c, body, err);
	if (*err != KL_OK && *err != KL_E_NOT_FOUND)
		return KL_C_TRY_LATER;
	return receipt_of_nothing(p, &v, err);
}

/* ---- withdrawals -------------------------------------------------------- */

enum kl_code
present_withdrawal(struct present *p, struct kl_bytes packed, int *err)
{
	struct withdraw w = { .t = p->t, .registry = p->registry };
	struct kl_record rec = { .event = KL_EV_PRESENTED };
	enum kl_code code;
	bool done;

	*err = KL_OK;
	if ((code = withdraw_read(&w, packed, p->t->mem)) != KL_C_OK ||
	    (code = withdraw_signed(&w, false)) != KL_C_OK ||
	    (code = withdraw_check(&w, &done, err)) != KL_C_OK ||
	    *err != KL_OK || done)
		return code;
	rec.body_hash = w.hash;
	if (w.known)
		rec.conv_ref = w.conv.ref;
	*err = log_shown(p, &p->by->id, &w.w.signer, &rec);
	if (*err == KL_OK)
		*err = withdraw_apply(&w);
	return KL_C_OK;
}

/* ---- bodies ------------------------------------------------------------- */

struct shown_referral {
	struct kl_bytes packed;
	struct kl_signed s;
	struct kl_envelope e;
	struct kl_hash body_hash;
};

static enum kl_code
referral_read(struct kl_bytes packed, struct kl_arena *mem,
    struct shown_referral *v)
{
	enum kl_code code;

	if (packed.n > KL_ENVELOPE_MAX)
		return KL_C_MALFORMED;
	v->packed = packed;
	if ((code = kl_signed_read(packed, mem, &v->s)) != KL_C_OK ||
	    (code = kl_envelope_read(v->s.body, mem, &v->e)) != KL_C_OK)
		return code;
	v->body_hash = kl_hash_of(v->s.body);
	return v->e.header.kind == KL_REFERRAL ? KL_C_OK :
	    KL_C_VALUE_UNKNOWN;
}

/* As at SUBMIT, but for ciphertext, prekey, age and quota. Its parent may be
 * shown later: it is asked at every release. */
static enum kl_code
referral_check(struct present *p, const struct shown_referral *v)
{
	const struct kl_header *h = &v->e.header;
	const struct participant *from = registry_by_id(p->registry,
	    &h->sender);
	const struct participant *to = registry_by_id(p->registry,
	    &h->receiver);
	enum kl_code code;

	if (!is_party(p, &h->sender, &h->receiver))
		return KL_C_NOT_A_PARTY;
	code = signature_check(p, KL_LABEL_ENVELOPE, &v->s, &h->sender,
	    &h->sender_key_id, h->created_ms);
	if (code != KL_C_OK)
		return code;
	if (to == NULL)
		return KL_C_RECEIVER_UNKNOWN;
	if (!conversation_role_may(KL_REFERRAL, from->role, to->role,
	    !kl_bytes_zero(KL_BYTES_OF(v->e.consent.under))))
		return KL_C_ROLE;
	return conversation_check_shown(&v->e.consent, p->t->now_ms);
}

/* KL_C_OK: it is new. *known: it is not, and that is all right. */
static enum kl_code
referral_new(struct present *p, const struct shown_referral *v, bool *known,
    int *err)
{
	struct conversation c;

	*known = false;
	*err = conversation_by_id(p->t, &v->e.header.conv_id, &c);
	if (*err == KL_OK) {
		*known = kl_bytes_equal(KL_BYTES_OF(c.referral),
		    KL_BYTES_OF(v->body_hash));
		return *known ? KL_C_OK : KL_C_CONFLICT;
	}
	if (*err == KL_E_NOT_FOUND)
		*err = retain_marker(p->t, &v->e.header.conv_id);
	if (*err == KL_OK)
		return KL_C_CONVERSATION_ENDED;
	if (*err != KL_E_NOT_FOUND)
		return KL_C_TRY_LATER;
	*err = KL_OK;
	if (p->full)
		return KL_C_STORE_FULL;
	return kl_slots_free(p->t->vault->slots) < SLOTS_RESERVE ?
	    KL_C_TRY_LATER : KL_C_OK;
}

/* A receipt that was shown before it. */
static int
settle_body(struct present *p, struct conversation *c, struct kl_bytes body)
{
	struct shown_receipt v;
	struct kl_bytes packed;
	int err = shown_get(p->t, &c->referral, &packed);

	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	if (receipt_read(packed, p->t->mem, &v) == KL_C_OK)
		(void)receipt_of_body(p, &v, c, body, &err);
	return err != KL_OK ? err : shown_drop(p->t, &c->referral);
}

/* A term that runs is warned of as before; one that has passed was. */
static int
answer_term(struct turn *t, const struct conversation *c,
    const struct kl_header *h)
{
	return h->answer_by_ms <= t->now_ms ? KL_OK :
	    deadline_begin(t, c, h->answer_by_ms);
}

static int
referral_apply(struct present *p, const struct shown_referral *v)
{
	struct kl_record rec = { .kind = KL_REFERRAL,
	    .body_hash = v->body_hash };
	struct conversation c;
	int err;

	err = conversation_make(p->t, &v->e, &v->body_hash, &c);
	if (err != KL_OK)
		return err;
	c.base_sender = c.base_receiver = true;
	c.born_item = p->t->box->items;
	rec.conv_ref = c.ref;
	if ((err = log_shown(p, &c.sender, &c.receiver, &rec)) != KL_OK ||
	    (err = conversation_put_new(p->t, &c)) != KL_OK ||
	    (err = conversation_put_body(p->t, &c, v->packed)) != KL_OK ||
	    (err = retain_begin(p->t, p->registry, &c,
	    v->e.header.expire_at_ms)) != KL_OK ||
	    (err = answer_term(p->t, &c, &v->e.header)) != KL_OK)
		return err;
	err = settle_body(p, &c, v->packed);
	/* Whoever shows what was withdrawn is asked to erase it. */
	return err != KL_OK ? err : withdraw_meet(p->t, p->registry, &c);
}

enum kl_code
present_referral(struct present *p, struct kl_bytes packed, int *err)
{
	struct shown_referral v;
	enum kl_code code;
	bool known;

	*err = KL_OK;
	if ((code = referral_read(packed, p->t->mem, &v)) != KL_C_OK ||
	    (code = referral_check(p, &v)) != KL_C_OK ||
	    (code = referral_new(p, &v, &known, err)) != KL_C_OK || known)
		return code;
	*err = referral_apply(p, &v);
	return KL_C_OK;
}

/* ---- a message that comes after its receipt ----------------------------- */

int
present_settle(struct turn *t, struct registry *r, struct conversation *c,
    struct message *m)
{
	struct present p = { .t = t, .registry = r };
	struct effect e = { .t = t, .registry = r, .logged = true };
	const struct participant *signer;
	struct shown_receipt v;
	struct kl_bytes packed;
	int err;

	if (!r->must_report)
		return KL_OK;
	err = shown_get(t, &m->body_hash, &packed);
	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	if (receipt_read(packed, t->mem, &v) == KL_C_OK &&
	    (signer = registry_by_id(r, &v.r.signer)) != NULL &&
	    memcmp(v.r.msg_id.b, m->id.b, sizeof m->id.b) == 0 &&
	    stands_for(&p, &signer->id, &m->to)) {
		e.by = &signer->id;
		e.key_id = &v.r.signer_key_id;
		e.role = signer->role;
		err = receipt_apply(&e, c, m, &v.r, v.packed);
	}
	return err != KL_OK ? err : shown_drop(t, &m->body_hash);
}
