#include "broker/ctl/witnesses.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include <kortelijn/host/fs.h>

#include "broker/ctl/auditor.h"
#include "proto/audit/mark.h"
#include "proto/cli/output.h"

#define CARDS "cards"
#define ENDING ".card"

int
witnesses_card(const char *path, const struct paper_authority *a,
    struct kl_vkey *out)
{
	struct paper *p = paper_new();
	int r = p == NULL ? KL_E_MEMORY : paper_card_read(p, path, a);

	if (r == KL_OK && p->card.role != KL_AUDITOR)
		r = KL_E_VALUE;
	if (r == KL_OK)
		r = kl_vkey_witness(&p->card.id, &p->card.sign_pk, out);
	paper_free(p);
	return r;
}

/* ---- the configuration --------------------------------------------------- */

static bool
card_name(const char *name)
{
	const size_t n = strlen(name), m = sizeof ENDING - 1;

	return n > m && strcmp(name + n - m, ENDING) == 0;
}

/* What is no card of an auditor is passed over; so is a directory that this
 * user may not read: who verifies need not be the operator. */
static void
cards_add(const char *config_dir, const struct paper_authority *a,
    struct audit_trust *t)
{
	const struct dirent *e;
	struct paper_path dir, path;
	struct kl_vkey v;
	DIR *d;

	if (paper_path(config_dir, CARDS, &dir) != KL_OK ||
	    (d = opendir(dir.b)) == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		if (card_name(e->d_name) &&
		    paper_path(dir.b, e->d_name, &path) == KL_OK &&
		    witnesses_card(path.b, a, &v) == KL_OK &&
		    audit_trust_witness(t, &v) == KL_E_FULL)
			break;
	(void)closedir(d);
}

/* The log that this broker stands on: core keeps its name there. */
static void
origin_add(const char *config_dir, struct audit_trust *t)
{
	struct paper_path path;
	char *text;
	size_t n;

	if (paper_path(config_dir, BROKER_ORIGIN, &path) != KL_OK ||
	    kl_fs_read_file(AT_FDCWD, path.b, sizeof t->origin - 1, &text,
	    &n) != KL_OK)
		return;
	memset(t->origin, 0, sizeof t->origin);
	memcpy(t->origin, text, strcspn(text, " \r\n"));
	kl_fs_read_free(text, n);
}

static int
conf_add(const struct cli *c, struct audit_trust *t)
{
	struct paper_authority a = { 0 };
	struct broker_conf conf;
	int r = ctl_conf(c, &conf);

	if (r != CLI_OK)
		return r;
	a.pk = conf.authority;
	a.realm = conf.realm;
	cards_add(conf.config_dir, &a, t);
	origin_add(conf.config_dir, t);
	return CLI_OK;
}

/* ---- the directory of an auditor ----------------------------------------- */

static int
auditor_add(const struct cli *c, const char *dir, struct audit_trust *t)
{
	struct paper_authority a = { 0 };
	struct paper_path path;
	struct kl_vkey v;
	int r = paper_authority_read(dir, &a);

	if (r == KL_OK)
		r = paper_path(dir, AUDITOR_CARD, &path);
	if (r == KL_OK)
		r = witnesses_card(path.b, &a, &v);
	if (r == KL_OK)
		r = audit_trust_witness(t, &v);
	return r == KL_OK ? CLI_OK : output_fail_err(c, r, dir);
}

/* The log that was seen last over the network. */
static void
origin_seen(const char *dir, struct audit_trust *t)
{
	struct kl_checkpoint c;

	if (audit_mark_youngest(dir, &t->pk, &c) == KL_OK)
		memcpy(t->origin, c.origin, sizeof t->origin);
}

int
witnesses_trust(const struct cli *c, struct audit_trust *out)
{
	const char *as = cli_option(c, "as");
	struct ctl_trust trust;
	bool has_key;
	int r = CLI_OK;

	memset(out, 0, sizeof *out);
	if (as != NULL)
		r = auditor_add(c, as, out);
	else if (cli_option(c, "vkey") == NULL &&
	    cli_option(c, "card") == NULL)
		r = conf_add(c, out);
	if (r == CLI_OK)
		r = audit_trust_options(c, out, &has_key);
	if (r != CLI_OK || has_key)
		return r;
	if ((r = ctl_trust(c, &trust)) != CLI_OK)
		return r;
	out->pk = trust.sign;
	if (as != NULL && out->origin[0] == '\0')
		origin_seen(as, out);
	return out->origin[0] != '\0' ? CLI_OK : output_fail(c, CLI_USAGE,
	    "which log? --origin=NAME, the first line of a checkpoint that "
	    "you know, or --vkey");
}
