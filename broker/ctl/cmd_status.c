#include "broker/ctl/cmd.h"

#include "broker/ctl/control.h"
#include "proto/cli/output.h"

int
cmd_status(struct cli *c)
{
	json_t *answer;
	int r = control_ask(c, json_pack("{s:s}", "cmd", "status"), &answer);

	return r == CLI_OK ? output_take(c, answer) : r;
}

int
cmd_checkpoint(struct cli *c)
{
	json_t *answer;
	const char *note;
	int r;

	r = control_ask(c, json_pack("{s:s}", "cmd", "checkpoint"), &answer);
	if (r != CLI_OK)
		return r;
	note = json_string_value(json_object_get(answer, "note"));
	if (c->json || note == NULL)
		return output_take(c, answer);
	/* The text as it is signed: it can be kept, sent and verified. */
	r = fputs(note, stdout) >= 0 && fflush(stdout) == 0 ?
	    CLI_OK : CLI_FAILED;
	json_decref(answer);
	return r;
}
