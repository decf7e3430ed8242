#include "proto/audit/trust.h"

#include <fcntl.h>
#include <string.h>

#include <kortelijn/host/fs.h>

#include "proto/cli/output.h"

#define FILE_MAX_BYTES 8192	/* of texts of witnesses' keys */

int
audit_trust_witness(struct audit_trust *t, const struct kl_vkey *v)
{
	if (v->type != KL_NOTE_COSIGNATURE)
		return KL_E_VALUE;
	for (size_t i = 0; i < t->n; i++)
		if (memcmp(&t->witness[i], v, sizeof *v) == 0)
			return KL_OK;
	if (t->n == AUDIT_WITNESSES_MAX)
		return KL_E_FULL;
	t->witness[t->n++] = *v;
	return KL_OK;
}

/* ---- options ------------------------------------------------------------- */

static int
witness_lines(struct audit_trust *t, struct kl_bytes text)
{
	const uint8_t *end;
	struct kl_vkey v;
	size_t n;
	int r = KL_OK;

	while (r == KL_OK && text.n > 0) {
		end = memchr(text.p, '\n', text.n);
		n = end == NULL ? text.n : (size_t)(end - text.p);
		if (n > 0 && (r = kl_vkey_read(kl_bytes(text.p, n), &v)) ==
		    KL_OK)
			r = audit_trust_witness(t, &v);
		n += end != NULL;
		text = kl_bytes(text.p + n, text.n - n);
	}
	return r;
}

/* A text of a key has a plus, and no path needs one. */
static int
witness_option(const struct cli *c, struct audit_trust *t)
{
	const char *given = cli_option(c, "witness");
	char *text = NULL;
	size_t n = 0;
	int r;

	if (given == NULL)
		return CLI_OK;
	if (strchr(given, '+') != NULL) {
		r = witness_lines(t, kl_bytes_str(given));
	} else {
		r = kl_fs_read_file(AT_FDCWD, given, FILE_MAX_BYTES, &text,
		    &n);
		if (r == KL_OK)
			r = witness_lines(t, kl_bytes(text, n));
		else
			return output_fail_err(c, r, given);
	}
	kl_fs_read_free(text, n);
	return r == KL_OK ? CLI_OK : output_fail(c, CLI_FILE, "--witness is "
	    "the public key of a witness, as 'audit witness --vkey' prints "
	    "it, or a file with one a line, at most %d",
	    AUDIT_WITNESSES_MAX);
}

static int
origin_option(const struct cli *c, struct audit_trust *t)
{
	const char *given = cli_option(c, "origin");

	if (given == NULL)
		return CLI_OK;
	if (given[0] == '\0' || strlen(given) >= sizeof t->origin)
		return output_fail(c, CLI_USAGE, "--origin is the first line "
		    "of a checkpoint of that log");
	memset(t->origin, 0, sizeof t->origin);
	memcpy(t->origin, given, strlen(given));
	return CLI_OK;
}

int
audit_trust_options(const struct cli *c, struct audit_trust *t, bool *has_key)
{
	const char *vkey = cli_option(c, "vkey");
	struct kl_vkey v;
	int r;

	*has_key = false;
	if (vkey != NULL) {
		if (kl_vkey_read(kl_bytes_str(vkey), &v) != KL_OK ||
		    v.type != KL_NOTE_ED25519)
			return output_fail(c, CLI_USAGE, "--vkey is the "
			    "public key of a log, as 'audit checkpoint "
			    "--vkey' prints it");
		t->pk = v.pk;
		memcpy(t->origin, v.name, sizeof t->origin);
		*has_key = true;
	}
	if ((r = origin_option(c, t)) != CLI_OK)
		return r;
	if (vkey != NULL && strcmp(t->origin, v.name) != 0)
		return output_fail(c, CLI_USAGE,
		    "--vkey and --origin name two logs");
	return witness_option(c, t);
}

/* ---- what is trusted ----------------------------------------------------- */

int
audit_trust_checkpoint(const struct audit_trust *t, struct kl_bytes text,
    struct kl_checkpoint *out)
{
	struct kl_vkey log;
	int r;

	if (t->origin[0] == '\0')
		return kl_note_verify(text, &t->pk, out);
	memset(out, 0, sizeof *out);
	if ((r = kl_vkey_make(t->origin, KL_NOTE_ED25519, &t->pk, &log)) !=
	    KL_OK)
		return r;
	return kl_vkey_checkpoint(&log, text, out);
}

int
audit_trust_lines(const struct audit_trust *t, struct kl_bytes text,
    struct audit_trust_line out[AUDIT_WITNESSES_MAX], size_t *n)
{
	bool has;
	int r;

	*n = 0;
	for (size_t i = 0; i < t->n; i++) {
		const struct kl_vkey *v = &t->witness[i];

		r = kl_note_has_line(text, v->name, v->type, &v->pk, &has);
		if (r == KL_OK && has)
			r = kl_note_verify_cosigned(text, v->name, &v->pk,
			    &out[*n].at_s);
		if (r != KL_OK)
			return r;
		if (has)
			out[(*n)++].by = v;
	}
	return KL_OK;
}
