#include "broker/ctl/cmd.h"

#include "broker/ctl/log_names.h"
#include "broker/ctl/witnesses.h"
#include "proto/audit/verify.h"

/* Names come from the broker's own cards, where this is its machine. */
int
cmd_audit_verify(struct cli *c)
{
	const bool elsewhere = cli_option(c, "as") != NULL ||
	    cli_option(c, "vkey") != NULL || cli_option(c, "card") != NULL;
	struct audit_names *names;
	struct audit_trust trust;
	int r = witnesses_trust(c, &trust);

	if (r != CLI_OK)
		return r;
	names = elsewhere ? NULL : log_names(c);
	r = audit_verify(c, &trust, names);
	audit_names_free(names);
	return r;
}
