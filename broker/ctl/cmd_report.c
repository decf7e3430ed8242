#include "broker/ctl/cmd.h"

#include <string.h>

#include "broker/ctl/auditor.h"
#include "broker/ctl/link.h"
#include "broker/ctl/log_names.h"
#include "broker/ctl/witnesses.h"
#include "proto/audit/report.h"
#include "proto/cli/output.h"

/* An auditor is a witness itself. */
static int
auditor_add(const struct cli *c, const struct ctl_trust *card,
    struct audit_trust *t)
{
	const struct paper_authority a = { .pk = card->authority,
		.realm = card->realm };
	const char *dir = cli_option(c, "as");
	struct paper_path path;
	struct kl_vkey v;

	if (dir == NULL || paper_path(dir, AUDITOR_CARD, &path) != KL_OK ||
	    witnesses_card(path.b, &a, &v) != KL_OK)
		return CLI_OK;
	return audit_trust_witness(t, &v) == KL_OK ? CLI_OK :
	    output_fail(c, CLI_USAGE, "too many --witness");
}

/* Whose signature counts: --vkey, or the broker's card; with the broker's own
 * configuration also the witnesses whose cards are there. */
static int
trust_read(const struct cli *c, struct audit_trust *t, struct ctl_trust *card)
{
	const bool key = cli_option(c, "vkey") != NULL;
	bool has_key;
	int r;

	memset(t, 0, sizeof *t);
	memset(card, 0, sizeof *card);
	if (!key || cli_option(c, "card") != NULL)
		if ((r = ctl_trust(c, card)) != CLI_OK)
			return r;
	if (!key && cli_option(c, "card") == NULL &&
	    cli_option(c, "as") == NULL)
		return witnesses_trust(c, t);
	t->pk = card->sign;
	r = audit_trust_options(c, t, &has_key);
	return r == CLI_OK ? auditor_add(c, card, t) : r;
}

/* On the broker's machine from its cards, else from those of the export. */
static struct audit_names *
names_read(const struct cli *c, const struct ctl_trust *card)
{
	const char *dir = audit_report_dir(c, 0);
	struct audit_names *names = NULL;
	struct paper_path cards;

	if (dir == NULL || kl_bytes_zero(KL_BYTES_OF(card->authority)))
		return log_names(c);
	if (paper_path(dir, "cards", &cards) != KL_OK ||
	    audit_names_read(cards.b, &card->authority, &names) != KL_OK)
		return NULL;
	return names;
}

static int
report(struct cli *c, int (*run)(const struct audit_report *r))
{
	struct audit_trust trust;
	struct ctl_trust card;
	struct audit_names *names;
	struct audit_link *link = NULL;
	struct audit_report r = { .cli = c, .trust = &trust };
	int ret = trust_read(c, &trust, &card);

	if (ret == CLI_OK && audit_report_dir(c, 0) == NULL)
		ret = ctl_link_open(c, &link);
	if (ret != CLI_OK)
		return ret;
	r.link = link;
	r.names = names = names_read(c, &card);
	ret = run(&r);
	audit_names_free(names);
	audit_link_close(link);
	return ret;
}

int
cmd_report_audit(struct cli *c)
{
	return report(c, audit_report_for_audit);
}

int
cmd_report_region(struct cli *c)
{
	return report(c, audit_report_for_region);
}
