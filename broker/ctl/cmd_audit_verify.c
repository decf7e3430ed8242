#include "broker/ctl/cmd.h"

#include <sys/stat.h>

#include "broker/ctl/paper.h"
#include "broker/ctl/witnesses.h"
#include "proto/audit/verify.h"
#include "proto/cli/output.h"

int
cmd_audit_verify(struct cli *c)
{
	struct audit_names *names = NULL;
	struct audit_trust trust;
	int r = witnesses_trust(c, &trust);

	if (r == CLI_OK)
		r = audit_verify(c, &trust, names);
	audit_names_free(names);
	return r;
}
