#include "proto/audit/checkpoint.h"

#include <stdio.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/vkey.h>

#include "proto/audit/logask.h"
#include "proto/cli/output.h"

static int
fetch(const struct cli *c, struct audit_logask *a,
    struct audit_logask_note *out)
{
	const char *day = cli_option(c, "day");
	const bool witnessed = cli_option(c, "witnessed") != NULL;
	int32_t d;

	if (day == NULL)
		return audit_logask_newest(a, witnessed, out);
	if (witnessed)
		return output_fail(c, CLI_USAGE, "--day and --witnessed do "
		    "not go together: what was kept has its lines with it");
	if (kl_day_read(day, &d) != KL_OK || d < 0)
		return output_fail(c, CLI_USAGE, "--day is a day: 2026-11-24");
	return audit_logask_kept(a, d, out);
}

/* The text as it is signed: it can be kept, sent and verified. */
static int
print(const struct cli *c, const struct audit_logask_note *n,
    const struct kl_vkey_text *vkey)
{
	char root[2 * sizeof n->c.root.b + 1];
	bool done;

	kl_hex(KL_BYTES_OF(n->c.root.b), root);
	if (c->json)
		return output_take(c, json_pack("{s:s,s:s,s:I,s:s,s:s}",
		    "note", n->note.b, "origin", n->c.origin,
		    "size", (json_int_t)n->c.size, "root", root,
		    "vkey", vkey->b));
	done = cli_option(c, "vkey") != NULL ? puts(vkey->b) >= 0 :
	    fputs(n->note.b, stdout) >= 0;
	return done && fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
}

int
audit_checkpoint(const struct cli *c, struct audit_link *l,
    const struct kl_sign_pk *broker)
{
	struct audit_logask_note n;
	struct kl_vkey_text text;
	struct audit_logask a;
	struct kl_vkey v;
	int r = audit_logask_open(&a, l, broker);

	if (r == CLI_OK)
		r = fetch(c, &a, &n);
	audit_logask_close(&a);
	if (r != CLI_OK)
		return r;
	/* It verified, so its origin is a name. */
	if (kl_vkey_make(n.c.origin, KL_NOTE_ED25519, broker, &v) != KL_OK)
		return output_fail_err(c, KL_E_FORMAT, "the origin");
	text = kl_vkey_text(&v);
	return print(c, &n, &text);
}
