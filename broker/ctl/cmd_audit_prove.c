#include "broker/ctl/cmd.h"

#include "broker/ctl/link.h"
#include "broker/ctl/trust.h"
#include "proto/audit/prove.h"

int
cmd_audit_prove(struct cli *c)
{
	struct audit_link *l = NULL;
	struct ctl_trust trust;
	int r = ctl_trust(c, &trust);

	if (r == CLI_OK)
		r = ctl_link_open(c, &l);
	if (r == CLI_OK)
		r = audit_prove(c, l, &trust.sign);
	audit_link_close(l);
	return r;
}
