#include "broker/ctl/control.h"

#include <kortelijn/host/control.h>

#include "proto/cli/ask.h"

bool
control_running(const struct cli *c)
{
	char path[BROKER_CONTROL_BYTES];

	return ctl_socket(c, path) == CLI_OK && kl_control_listens(path);
}

int
control_ask(const struct cli *c, json_t *question, json_t **answer)
{
	char path[BROKER_CONTROL_BYTES];
	int r = ctl_socket(c, path);

	*answer = NULL;
	if (r == CLI_OK)
		return ask_take(c, path, question, ASK_WAIT_MS, answer);
	json_decref(question);
	return r;
}
