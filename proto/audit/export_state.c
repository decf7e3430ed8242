#include <string.h>

#include "proto/audit/export_priv.h"
#include "proto/cli/output.h"

int
audit_export_state(struct exporting *x)
{
	const struct kl_query q = { .want = KL_QUERY_STATE };
	struct kl_query_reply p;
	struct kl_bytes reply;
	int r = audit_export_ask(x, KL_QUERY, KL_M_QUERY, &q, sizeof q,
	    &reply);

	if (r != CLI_OK)
		return r;
	if (KL_MESSAGE_READ(KL_M_QUERY_REPLY, reply, x->mem, &p) == KL_C_OK &&
	    p.part.n <= sizeof x->state_bytes) {
		x->began = p.ticket;
		memcpy(x->state_bytes, p.part.p, p.part.n);
		if (KL_MESSAGE_READ(KL_M_QUERY_STATE, kl_bytes(x->state_bytes,
		    p.part.n), x->mem, &x->state) == KL_C_OK)
			return CLI_OK;
	}
	return output_fail(x->cli, CLI_FAILED, "what %s says of itself is not "
	    "understood", x->cli->program->daemon);
}
