#include "broker/core/core.h"

#include <string.h>

#include "broker/core/acks.h"
#include "broker/core/owed.h"

/* One on its way. */
struct erase_receipt {
	struct core *core;
	const struct request *q;
	struct turn *t;

	struct kl_bytes packed;
	struct kl_signed s;
	struct kl_erase_receipt r;
	struct conversation conv;
	struct owed owed;
};

static enum kl_code
read_and_verify(struct erase_receipt *v)
{
	struct kl_arena *mem = v->core->in_mem;
	const struct registry_signed s = { .label = KL_LABEL_ERASE_RECEIPT,
		.s = &v->s, .signer = &v->r.signer,
		.key_id = &v->r.signer_key_id };
	enum kl_code code;

	if ((code = kl_signed_read(v->packed, mem, &v->s)) != KL_C_OK ||
	    (code = KL_STATEMENT_READ(KL_ERASE_RECEIPT, v->s.body, mem,
	    &v->r)) != KL_C_OK)
		return code;
	if (!kl_id_equal(&v->r.signer, &v->q->by->id))
		return KL_C_NOT_YOUR_KEY;
	return registry_signed_now(&v->core->registry, &s, v->t->now_ms);
}

/* What was asked of a predecessor lies in its mailbox. */
static int
find(struct erase_receipt *v)
{
	uint32_t box[ACKS_MAILBOXES_MAX];
	const size_t n = acks_mailboxes(v->core, v->q->by, box);
	int err = KL_E_NOT_FOUND;

	for (size_t i = 0; i < n && err == KL_E_NOT_FOUND; i++)
		err = owed_find(v->t, &v->conv, box[i],
		    &v->r.withdrawal_hash, &v->owed);
	return err;
}

static enum kl_code
request_check(struct erase_receipt *v, int *err)
{
	*err = conversation_by_id(v->t, &v->r.conv_id, &v->conv);
	if (*err == KL_E_NOT_FOUND) {
		*err = KL_OK;
		return KL_C_CONVERSATION_ENDED;
	}
	if (*err == KL_OK)
		*err = find(v);
	if (*err == KL_E_NOT_FOUND) {
		*err = KL_OK;
		return KL_C_ITEM_UNKNOWN;
	}
	if (*err != KL_OK)
		return KL_C_TRY_LATER;
	if (v->owed.state == OWED_ANSWERED)
		return v->owed.adapter_copy == v->r.adapter_copy &&
		    v->owed.case_system == v->r.case_system ? KL_C_OK :
		    KL_C_CONFLICT;
	return v->owed.cause == KL_CAUSE_SENT_IN_ERROR &&
	    v->r.case_system == KL_KEPT_ON_OWN_BASIS ? KL_C_MUST_ERASE :
	    KL_C_OK;
}

static int
apply(struct erase_receipt *v, struct answer *a)
{
	const struct kl_hash hash = kl_hash_of(v->s.body);
	const struct owed_receipt receipt = { .by = v->q->by, .v = &v->r,
		.body_hash = &hash, .packed = v->packed };
	struct kl_logged l = { .leaf = 0 };
	struct journal_leaf leaf;
	int err = owed_answer(v->t, &v->core->registry, &v->conv, &v->owed,
	    &receipt, &leaf);

	if (err != KL_OK)
		return err;
	l.leaf = leaf.index;
	l.record = leaf.record;
	memcpy(l.salt, leaf.salt, sizeof l.salt);
	return KL_MESSAGE_PACK_IN(KL_M_LOGGED, &l, v->t->mem, &a->body);
}

int
handle_erase_receipt(struct core *c, const struct request *q,
    struct kl_bytes packed, struct answer *a)
{
	struct erase_receipt v = { .core = c, .q = q, .t = &c->turn,
		.packed = packed };
	enum kl_code code = read_and_verify(&v);
	int err = KL_OK;

	if (code == KL_C_OK)
		code = request_check(&v, &err);
	if (err != KL_OK)
		return err;
	if (code != KL_C_OK)
		return answer_refuse(a, code);
	if (v.owed.state == OWED_ANSWERED)
		err = journal_logged(v.t->journal, v.t->txn, v.owed.leaf,
		    v.t->mem, &a->body);
	/* Or its record went with a broken key: then it is logged anew. */
	return v.owed.state == OWED_ANSWERED && err != KL_E_NOT_FOUND ?
	    err : apply(&v, a);
}
