#include "broker/ctl/cmd.h"
#include "broker/ctl/log_source.h"
#include "proto/audit/query.h"

int
cmd_audit_query(struct cli *c)
{
	struct audit_names *names;
	struct audit_link *link;
	int r;

	if ((r = log_source_open(c, &link, &names)) != CLI_OK)
		return r;
	r = audit_query(c, link, names);
	audit_names_free(names);
	audit_link_close(link);
	return r;
}
