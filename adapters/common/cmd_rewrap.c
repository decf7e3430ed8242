#include "adapters/common/cmd.h"

#include "proto/cli/rewrap.h"

static int
ask(struct cli *c, json_t *question, json_t **answer)
{
	return cmd_ask(c, question, 0, answer);
}

int
cmd_rewrap(struct cli *c)
{
	return rewrap_run(c, ask);
}
