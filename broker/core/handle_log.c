#include "broker/core/core.h"

#include <string.h>

#include <kortelijn/base/time.h>

#include "broker/core/daily.h"
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

/* The hashes of a tile's leaves, as far as the newest checkpoint covers. */
static int
tile(struct core *c, const struct kl_log_request *m, struct kl_log_reply *r)
{
	struct kl_hash hash[KL_TILE_LEAVES];
	size_t n;
	int err = journal_tile(&c->journal, c->turn.txn, m->size, hash, &n);

	return err != KL_OK ? err : kl_arena_copy(c->mem, kl_bytes(hash,
	    n * sizeof hash[0]), &r->tile);
}

/* The first checkpoint that was kept of that day or a later one; as it was
 * signed, and with lines of witnesses if it has any. */
static int
kept(struct core *c, const struct kl_log_request *m, struct kl_log_reply *r)
{
	struct kl_note note, bare;
	int32_t day;
	int err = m->size > INT32_MAX ? KL_E_NOT_FOUND :
	    daily_from(c->turn.txn, (int32_t)m->size, &note, &day);

	r->note = KL_BYTES_NONE;
	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	if (kl_note_bare(kl_bytes_str(note.b), &c->journal.pk, &bare) !=
	    KL_OK)
		return KL_E_DAMAGED;
	r->day = (uint64_t)day;
	err = kl_arena_copy(c->mem, kl_bytes_str(bare.b), &r->note);
	if (err != KL_OK || strcmp(bare.b, note.b) == 0)
		return err;
	return kl_arena_copy(c->mem, kl_bytes_str(note.b), &r->witnessed);
}

static int
want_fill(struct core *c, const struct kl_log_request *m,
    struct kl_log_reply *r)
{
	switch (m->want) {
	case KL_LOG_CHECKPOINT: return witnessed(c, r);
	case KL_LOG_TILE: return tile(c, m, r);
	case KL_LOG_KEPT: return kept(c, m, r);
	default: return prove(c, m, r);
	}
}

int
handle_log_body(struct core *c, struct kl_bytes body, struct answer *a)
{
	struct kl_log_reply r = { .note = kl_bytes_str(c->journal.note.b) };
	struct kl_log_request m;
	enum kl_code code;
	int err;

	code = KL_MESSAGE_READ(KL_M_LOG, body, c->in_mem, &m);
	if (code == KL_C_OK && m.want == KL_LOG_CONSISTENCY && m.size == 0)
		code = KL_C_VALUE_UNKNOWN;
	if (code != KL_C_OK)
		return answer_refuse(a, code);
	err = want_fill(c, &m, &r);
	/* It will be under a checkpoint in a second. */
	if (err == KL_E_VALUE)
		return answer_refuse_for(a, KL_C_TRY_LATER, KL_SECOND_MS);
	return err != KL_OK ? err : KL_MESSAGE_PACK_IN(KL_M_LOG_REPLY, &r,
	    c->mem, &a->body);
}

int
handle_log(struct core *c, const struct request *q, struct answer *a)
{
	return handle_log_body(c, q->msg.body, a);
}
