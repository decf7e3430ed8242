#include "adapters/common/cmd.h"

#include <kortelijn/host/control.h>
#include <kortelijn/host/fs.h>
#include <kortelijn/host/loop.h>

#include "adapters/common/control.h"
#include "proto/cli/output.h"
#include "proto/cli/policy.h"

static int
with(struct cli *c, int (*run)(struct cli *c, const struct policy_place *p))
{
	char socket[KL_CONTROL_PATH_MAX + 1];
	struct config conf;
	int r = cmd_conf(c, &conf);

	if (r != CLI_OK)
		return r;
	if (kl_fs_path(socket, sizeof socket, conf.data_dir,
	    CONTROL_SOCKET) != KL_OK)
		return output_fail(c, CLI_FILE, "%s: data_dir is too long for "
		    "a socket", c->conf_path);
	return run(c, &(struct policy_place){ .file = conf.policy,
	    .socket = socket, .lang = conf.lang, .now_ms = kl_clock_now_ms(
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
