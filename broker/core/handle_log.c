#include "broker/core/core.h"

#include <kortelijn/base/time.h>

#include "broker/core/witness.h"

/* Proofs lead to the newest checkpoint, which the note shows, or to the one
 * that was asked for. */
static int
prove(struct core *c, const struct kl_log_request *m,
    struct kl_log_reply *r)
{
	struct kl_hash proof[KL_PROOF_MAX];
	struct kl_bytes copy;
	size_t n;
	int err;

	err = journal_prove(&c->journal, c->turn.txn, m, proof, &n);
	if (err == KL_OK)
		err = kl_arena_copy(c->mem,
		    kl_bytes(proof, n * sizeof proof[0]), &copy);
	if (err != KL_OK || n > KL_PAGE_MAX)
		return err != KL_OK ? err : KL_E_SIZE;
	for (size_t i = 0; i < n; i++)
		r->proof[i] = kl_bytes(copy.p + i * sizeof proof[0],
		    sizeof proof[0]);
	r->n_proof = n;
	return KL_OK;
}

/* The newest checkpoint with lines of witnesses, if there is one. */
static int
witnessed(struct core *c, struct kl_log_reply *r)
{
	struct witness_seen seen;
	int err = witness_newest(c->turn.txn, &c->journal, &c->registry,
	    &seen);

	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	return kl_arena_copy(c->mem, kl_bytes_str(seen.note.b),
	    &r->witnessed);
}

int
handle_log(struct core *c, const struct request *q, struct answer *a)
{
	struct kl_log_reply r = { .note = kl_bytes_str(c->journal.note.b) };
	struct kl_log_request m;
	enum kl_code code;
	int err;

	code = KL_MESSAGE_READ(KL_M_LOG, q->msg.body, c->in_mem, &m);
	if (code == KL_C_OK && m.want == KL_LOG_CONSISTENCY && m.size == 0)
		code = KL_C_VALUE_UNKNOWN;
	if (code == KL_C_OK && m.want > KL_LOG_INCLUSION)
		code = KL_C_NOT_SERVED;
	if (code != KL_C_OK)
		return answer_refuse(a, code);
	if (m.want == KL_LOG_CHECKPOINT) {
		if ((err = witnessed(c, &r)) != KL_OK)
			return err;
	} else {
		err = prove(c, &m, &r);
		/* It will be under a checkpoint in a second. */
		if (err == KL_E_VALUE)
			return answer_refuse_for(a, KL_C_TRY_LATER,
			    KL_SECOND_MS);
		if (err != KL_OK)
			return err;
	}
	return KL_MESSAGE_PACK_IN(KL_M_LOG_REPLY, &r, c->mem, &a->body);
}
