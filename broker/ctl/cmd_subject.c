#include "broker/ctl/cmd.h"

#include <fcntl.h>

#include <kortelijn/host/textfile.h>

#include "broker/ctl/control.h"
#include "proto/cli/output.h"

static int
withdrawal_read(const struct cli *c, const char *path, char *base64,
    size_t cap)
{
	uint8_t packed[KL_WITHDRAWAL_MAX];
	size_t n;
	int r = kl_textfile_read(AT_FDCWD, path, KL_TAG_WITHDRAWAL, NULL,
	    packed, sizeof packed, &n);

	if (r == KL_OK)
		r = kl_base64(kl_bytes(packed, n), base64, cap);
	return r == KL_OK ? CLI_OK : output_fail_err(c, r, path);
}

/* Without the statement of a party nothing is erased: the operator alone can
 * make no referral disappear. */
int
cmd_subject_erase(struct cli *c)
{
	char base64[2 * KL_WITHDRAWAL_MAX];
	json_t *answer;
	int r;

	r = withdrawal_read(c, c->arg[0], base64, sizeof base64);
	if (r == CLI_OK)
		r = control_ask(c, json_pack("{s:s,s:s}", "cmd", "withdraw",
		    "withdrawal", base64), &answer);
	return r != CLI_OK ? r : output_take(c, answer);
}
