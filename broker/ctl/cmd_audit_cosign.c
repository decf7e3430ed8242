#include "broker/ctl/cmd.h"

#include <fcntl.h>

#include <kortelijn/crypto/note.h>
#include <kortelijn/host/fs.h>

#include "broker/ctl/control.h"
#include "proto/cli/output.h"

int
cmd_audit_cosign(struct cli *c)
{
	json_t *answer;
	char *text;
	size_t n;
	int r = kl_fs_read_file(AT_FDCWD, c->arg[0], KL_NOTE_MAX - 1, &text,
	    &n);

	if (r != KL_OK)
		return output_fail_err(c, r, c->arg[0]);
	r = control_ask(c, json_pack("{s:s,s:s#}", "cmd", "cosign", "note",
	    text, n), &answer);
	kl_fs_read_free(text, n);
	return r == CLI_OK ? output_take(c, answer) : r;
}
