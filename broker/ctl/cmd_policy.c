#include "broker/ctl/cmd.h"

#include <kortelijn/host/loop.h>

#include "broker/ctl/paper.h"
#include "proto/cli/output.h"
#include "proto/cli/policy.h"

static int
with(struct cli *c, int (*run)(struct cli *c, const struct policy_place *p))
{
	char socket[BROKER_CONTROL_BYTES];
	struct paper_path file;
	struct broker_conf conf;
	int r = ctl_conf(c, &conf);

	if (r != CLI_OK || (r = ctl_socket(c, socket)) != CLI_OK)
		return r;
	if ((r = paper_path(conf.config_dir, BROKER_POLICY, &file)) != KL_OK)
		return output_fail_err(c, r, conf.config_dir);
	return run(c, &(struct policy_place){ .file = file.b,
	    .socket = socket, .lang = KL_EN, .now_ms = kl_clock_now_ms(
	    &(struct kl_clock){ conf.clock_offset_ms }) });
}

int
cmd_policy_show(struct cli *c)
{
	return with(c, policy_show);
}

int
cmd_policy_check(struct cli *c)
{
	return with(c, policy_check);
}

int
cmd_policy_diff(struct cli *c)
{
	return with(c, policy_diff);
}

int
cmd_policy_load(struct cli *c)
{
	return with(c, policy_load);
}
