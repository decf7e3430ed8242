#include "broker/ctl/control.h"

#include <string.h>

#include <kortelijn/host/control.h>

#include "proto/cli/ask.h"
#include "proto/cli/output.h"

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

int
control_hand_over(const struct cli *c, const char *what, const struct paper *p)
{
	char base64[KL_STATEMENT_MAX * 2];
	json_t *answer;
	int r;

	if (kl_base64(kl_bytes(p->packed, p->n), base64, sizeof base64) !=
	    KL_OK)
		return output_fail_err(c, KL_E_SIZE, what);
	r = control_ask(c, json_pack("{s:s,s:s}", "cmd", what, what, base64),
	    &answer);
	json_decref(answer);
	return r;
}

int
control_reference_check(const struct cli *c, const char *text)
{
	struct kl_spoken spoken;
	uint8_t id[16];

	if (kl_spoken_read(text, &spoken) == KL_OK ||
	    (strlen(text) == 2 * sizeof id &&
	    kl_hex_read(text, id, sizeof id) == KL_OK))
		return CLI_OK;
	/* Not repeated: a name may have been typed here. */
	return output_fail(c, CLI_USAGE, "that is no reference such as "
	    "ABCD-EFGH-K with the right check letter, and no id of 32 "
	    "hexadecimal digits");
}
