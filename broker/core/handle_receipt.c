#include "broker/core/core.h"

#include <string.h>

#include <kortelijn/crypto/sign.h>

/* One receipt on its way, or another statement of this request. */
struct receipt {
	struct core *core;
	const struct request *q;
	struct answer *a;
	struct turn *t;

	uint32_t statement;
	struct kl_bytes packed;
	struct kl_signed s;
	struct kl_receipt r;
	struct conversation conv;
	struct message m;
	const struct registry_card *card;
};

static enum kl_code
receipt_read(struct receipt *v)
{
	struct kl_arena *mem = v->core->in_mem;
	struct kl_put_receipt p;
	enum kl_code code;

	code = KL_MESSAGE_READ(KL_M_PUT_RECEIPT, v->q->msg.body, mem, &p);
	if (code != KL_C_OK)
		return code;
	v->statement = p.statement;
	v->packed = p.receipt;
	if (p.statement == KL_ERASE_RECEIPT)
		return KL_C_OK;
	if ((code = kl_signed_read(p.receipt, mem, &v->s)) != KL_C_OK)
		return code;
	return KL_STATEMENT_READ(KL_RECEIPT, v->s.body, mem, &v->r);
}

static enum kl_code
signer_check(struct receipt *v)
{
	enum kl_code code;

	if (!kl_id_equal(&v->r.signer, &v->q->by->id))
		return KL_C_NOT_YOUR_KEY;
	v->card = registry_card_of(v->q->by, &v->r.signer_key_id,
	    v->t->now_ms);
	if (v->card == NULL)
		return KL_C_CARD_UNKNOWN;
	code = registry_card_valid(v->card, v->t->now_ms);
	if (code != KL_C_OK)
		return code;
	return kl_verify(KL_LABEL_RECEIPT, v->s.body, &v->card->sign_pk,
	    &v->s.sig) == KL_OK ? KL_C_OK : KL_C_SIGNATURE;
}

static bool
is_receiver(struct receipt *v)
{
	const struct participant *heir;

	if (kl_id_equal(&v->m.to, &v->q->by->id))
		return true;
	heir = registry_successor(&v->core->registry, &v->m.to,
	    v->t->now_ms);
	return heir == v->q->by;
}

static bool
released(const struct message *m)
{
	return m->state == KL_MSG_RELEASED || m->state == KL_MSG_UNCONFIRMED ||
	    m->outcome != 0;
}

static enum kl_code
message_check(struct receipt *v, int *err)
{
	*err = message_find(v->t, &v->r.msg_id, &v->m);
	if (*err == KL_OK)
		*err = conversation_get(v->t, &v->m.conv, &v->conv);
	if (*err == KL_OK)
		*err = message_get(v->t, &v->m.tag, &v->conv, &v->m);
	if (*err == KL_E_NOT_FOUND) {
		*err = KL_OK;
		return KL_C_MESSAGE_UNKNOWN;
	}
	if (*err != KL_OK)
		return KL_C_TRY_LATER;
	if (!is_receiver(v))
		return KL_C_NOT_A_PARTY;
	if (!kl_bytes_equal(KL_BYTES_OF(v->m.body_hash),
	    KL_BYTES_OF(v->r.body_hash)))
		return KL_C_CONFLICT;
	if (!released(&v->m))
		return KL_C_MESSAGE_UNKNOWN;
	return v->m.outcome != 0 && v->m.outcome != v->r.outcome ?
	    KL_C_CONFLICT : KL_C_OK;
}

/* ---- doing it ---- */

static bool
is_its_referral(const struct receipt *v)
{
	return v->m.kind == KL_REFERRAL &&
	    kl_bytes_equal(KL_BYTES_OF(v->m.body_hash),
	    KL_BYTES_OF(v->conv.referral));
}

static int
sender_tell(struct receipt *v, bool late)
{
	const struct participant *p = registry_by_id(&v->core->registry,
	    &v->m.from);
	int err;

	if (p == NULL)
		return KL_OK;
	err = mailbox_put_statement(v->t, &v->conv, p->number, KL_RECEIPT,
	    v->packed);
	return err != KL_OK || !late ? err :
	    mailbox_put_notice(v->t, &v->conv, &v->m, p->number,
	    KL_NOTICE_LATE, KL_C_OK);
}

static int
logged_reply(struct receipt *v, const struct journal_leaf *leaf)
{
	struct kl_logged l = { .leaf = leaf->index, .record = leaf->record };

	memcpy(l.salt, leaf->salt, sizeof l.salt);
	return KL_MESSAGE_PACK_IN(KL_M_LOGGED, &l, v->t->mem, &v->a->body);
}

static int
receipt_apply(struct receipt *v)
{
	const bool opened = v->r.outcome == KL_OPENED;
	const bool late = v->m.state == KL_MSG_UNCONFIRMED;
	struct registry *r = &v->core->registry;
	struct kl_bytes body = KL_BYTES_NONE;
	struct journal_leaf leaf;
	int err = KL_OK;

	/* Before its key is given up. */
	if (opened && !late && is_its_referral(v))
		err = message_envelope(v->t, &v->m, &body);
	v->m.outcome = v->r.outcome;
	if (err == KL_OK)
		err = mailbox_move(v->t, &v->conv, &v->m,
		    opened ? KL_MSG_DELIVERED : KL_MSG_DEAD, v->r.code,
		    &v->card->key_id, v->q->by->role, &leaf);
	if (err == KL_OK && is_its_referral(v))
		err = opened ? retain_delivered(v->t, r, &v->conv, body) :
		    retain_refused(v->t, r, &v->conv, &v->m);
	if (err == KL_OK)
		err = sender_tell(v, late && opened);
	if (err != KL_OK)
		return err;
	return logged_reply(v, &leaf);
}

int
handle_receipt(struct core *c, const struct request *q, struct answer *a)
{
	struct receipt v = { .core = c, .q = q, .a = a, .t = &c->turn };
	enum kl_code code;
	int err = KL_OK;

	code = receipt_read(&v);
	if (code == KL_C_OK && v.statement == KL_ERASE_RECEIPT)
		return handle_erase_receipt(c, q, v.packed, a);
	if (code == KL_C_OK && (code = signer_check(&v)) == KL_C_OK)
		code = message_check(&v, &err);
	if (err != KL_OK)
		return err;
	if (code != KL_C_OK)
		return answer_refuse(a, code);
	if (v.m.outcome == 0)
		return receipt_apply(&v);
	err = journal_logged(v.t->journal, v.t->txn, v.m.receipt_leaf,
	    v.t->mem, &a->body);
	/* It counts, but what was said of it went with a broken key. */
	return err == KL_E_NOT_FOUND ?
	    answer_refuse(a, KL_C_BROKER_DAMAGE) : err;
}
