#include "broker/ctl/link.h"

#include "broker/ctl/ctl.h"
#include "broker/ctl/remote.h"
#include "proto/cli/output.h"

int
ctl_link_open(const struct cli *c, struct audit_link **out)
{
	const char *as = cli_option(c, "as");
	char path[BROKER_CONTROL_BYTES];
	int r;

	*out = NULL;
	if (as != NULL && cli_option(c, "socket") != NULL)
		return output_fail(c, CLI_USAGE, "--as asks the broker over "
		    "the network, --socket on this machine: one of them");
	if (as != NULL)
		return remote_open(c, as, out);
	if ((r = ctl_socket(c, path)) != CLI_OK)
		return r;
	return audit_link_socket(c, path, out);
}

int
ctl_link_show(struct audit_link *l, struct kl_bytes note)
{
	if (!remote_is(l))
		return output_fail(l->cli, CLI_USAGE, "only an auditor shows "
		    "the broker a checkpoint: --as=DIR");
	return remote_show(l, note);
}
