#include "broker/ctl/cmd.h"
#include "broker/ctl/link.h"
#include "broker/ctl/log_names.h"
#include "proto/audit/story.h"

int
cmd_audit_story(struct cli *c)
{
	struct audit_names *names;
	struct audit_link *link;
	int r;

	if ((r = ctl_link_open(c, &link)) != CLI_OK)
		return r;
	names = log_names(c);
	r = audit_story(c, link, names, NULL);
	audit_names_free(names);
	audit_link_close(link);
	return r;
}
