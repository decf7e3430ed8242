#include "broker/ctl/cmd.h"

#include "broker/ctl/control.h"
#include "proto/cli/rewrap.h"

static int
ask(struct cli *c, json_t *question, json_t **answer)
{
	return control_ask(c, question, answer);
}

int
cmd_rewrap(struct cli *c)
{
	return rewrap_run(c, ask);
}
