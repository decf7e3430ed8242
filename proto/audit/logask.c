#include "proto/audit/logask.h"

#include <string.h>

#include "proto/cli/output.h"

int
audit_logask_open(struct audit_logask *a, struct audit_link *link,
    const struct kl_sign_pk *pk)
{
	a->link = link;
	a->pk = pk;
	a->mem = kl_arena_new(AUDIT_ANSWER_BYTES, AUDIT_ANSWER_PIECES);
	return a->mem != NULL ? CLI_OK :
	    output_fail_err(link->cli, KL_E_MEMORY, "the question");
}

void
audit_logask_close(struct audit_logask *a)
{
	kl_arena_free(a->mem);
	a->mem = NULL;
}

static int
ask(struct audit_logask *a, const struct kl_log_request *q,
    struct kl_log_reply *out)
{
	const struct cli *c = a->link->cli;
	struct kl_bytes body, reply;
	int r;

	kl_arena_reset(a->mem);
	if (KL_MESSAGE_PACK_IN(KL_M_LOG, q, a->mem, &body) != KL_OK)
		return output_fail(c, CLI_USAGE,
		    "the leaf or size lies beyond the checkpoint");
	if ((r = audit_link_ask(a->link, KL_LOG, body, a->mem, &reply)) !=
	    CLI_OK)
		return r;
	return KL_MESSAGE_READ(KL_M_LOG_REPLY, reply, a->mem, out) == KL_C_OK ?
	    CLI_OK : output_fail(c, CLI_FAILED, "the answer is none");
}

static int
note_take(const struct audit_logask *a, struct kl_bytes text,
    struct audit_logask_note *out)
{
	memset(out, 0, sizeof *out);
	if (text.n < sizeof out->note.b &&
	    kl_note_verify(text, a->pk, &out->c) == KL_OK) {
		memcpy(out->note.b, text.p, text.n);
		return CLI_OK;
	}
	return output_fail(a->link->cli, CLI_FAILED, "the checkpoint is not "
	    "signed by the broker of this configuration: it is another "
	    "broker's, or its card was renewed with another key");
}

int
audit_logask_newest(struct audit_logask *a, bool witnessed,
    struct audit_logask_note *out)
{
	const struct kl_log_request q = { .want = KL_LOG_CHECKPOINT };
	struct kl_log_reply reply;
	int r = ask(a, &q, &reply);

	if (r != CLI_OK)
		return r;
	if (!witnessed)
		return note_take(a, reply.note, out);
	if (reply.witnessed.n == 0)
		return output_fail(a->link->cli, CLI_FAILED, "no auditor has "
		    "signed a checkpoint of this log as a witness yet: see "
		    "'kortelijn help audit witness'");
	return note_take(a, reply.witnessed, out);
}

int
audit_logask_kept(struct audit_logask *a, int32_t day,
    struct audit_logask_note *out)
{
	const struct kl_log_request q = { .want = KL_LOG_KEPT,
		.size = (uint64_t)day };
	struct kl_log_reply reply;
	int r = ask(a, &q, &reply);

	if (r != CLI_OK)
		return r;
	if (reply.note.n == 0)
		return output_fail(a->link->cli, CLI_FAILED,
		    "no checkpoint of that day or a later one is kept");
	return note_take(a, reply.witnessed.n > 0 ? reply.witnessed :
	    reply.note, out);
}

int
audit_logask_proof(struct audit_logask *a, uint32_t want, uint64_t size,
    struct audit_logask_note *to, struct kl_hash *h, size_t *n)
{
	const struct kl_log_request q = { .want = want, .size = size,
		.at = to->c.size };
	struct kl_log_reply reply;
	int r = ask(a, &q, &reply);

	*n = 0;
	if (r == CLI_OK && to->c.size == 0)
		r = note_take(a, reply.note, to);
	if (r != CLI_OK)
		return r;
	if (reply.n_proof > KL_PROOF_HASHES)
		return output_fail(a->link->cli, CLI_FAILED,
		    "the proof is longer than any");
	for (size_t i = 0; i < reply.n_proof; i++)
		memcpy(h[(*n)++].b, reply.proof[i].p, sizeof h->b);
	return CLI_OK;
}
