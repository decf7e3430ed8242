#include "broker/ctl/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <kortelijn/crypto/sign.h>
#include <kortelijn/host/daemon.h>

#include "broker/ctl/paper.h"
#include "proto/cli/output.h"

static int
fingerprint_say(const struct cli *c, const struct paper_authority *a)
{
	return output_take(c, json_pack("{s:s,s:s}",
	    "realm", kl_realm_name(a->realm),
	    "fingerprint", kl_fingerprint_authority(&a->pk).b));
}

int
cmd_authority_init(struct cli *c)
{
	struct paper_authority a = { 0 };
	const char *dir = c->arg[0], *realm = cli_option(c, "realm");
	struct paper_path path;
	int r;

	if (realm == NULL)
		return cli_missing(c, "realm");
	if ((a.realm = kl_realm_read(realm)) == 0)
		return output_fail(c, CLI_USAGE,
		    "--realm is production or training, for good");
	if (kl_daemon_mkdir(dir) != KL_OK)
		return output_fail(c, CLI_FILE, "%s: %s", dir,
		    strerror(errno));
	if ((r = paper_path(dir, "authority.key", &path)) == KL_OK)
		r = kl_sign_keypair(&a.pk, &a.sk);
	if (r == KL_OK)
		r = kl_keyfile_write(AT_FDCWD, path.b, "authority", a.sk);
	paper_authority_clear(&a);
	if (r == KL_E_EXISTS)
		return output_fail(c, CLI_FAILED,
		    "%s: there already, and stays as it is", path.b);
	if (r != KL_OK)
		return output_fail_err(c, r, dir);
	if ((r = paper_authority_write(dir, &a)) != KL_OK)
		return output_fail_err(c, r, dir);
	return fingerprint_say(c, &a);
}

int
cmd_authority_fingerprint(struct cli *c)
{
	struct paper_authority a;
	int r = paper_authority_read(c->arg[0], &a);

	if (r != KL_OK)
		return output_fail_err(c, r, c->arg[0]);
	return fingerprint_say(c, &a);
}
