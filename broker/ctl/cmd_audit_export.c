#include "broker/ctl/cmd.h"

#include <stdio.h>
#include <string.h>

#include "broker/ctl/auditor.h"
#include "broker/ctl/link.h"
#include "broker/ctl/log_names.h"
#include "broker/ctl/trust.h"
#include "proto/audit/export.h"
#include "proto/cli/output.h"

/* Whose eyes it was made with, and where the cards are that its reader may
 * see: the broker's own, or those that an auditor was given. */
struct eyes {
	struct ctl_trust trust;
	struct paper_path cards;
	struct kl_id_text reader;
};

static int
auditor_eyes(const struct cli *c, const char *dir, struct eyes *e)
{
	const struct paper_authority a = { .realm = e->trust.realm,
		.pk = e->trust.authority };
	struct paper *p = paper_new();
	int err = p == NULL ? KL_E_MEMORY : paper_path(dir, AUDITOR_CARD,
	    &e->cards);

	if (err == KL_OK)
		err = paper_card_read(p, e->cards.b, &a);
	if (err == KL_OK)
		e->reader = kl_id_text(&p->card.id);
	paper_free(p);
	(void)snprintf(e->cards.b, sizeof e->cards.b, "%s", dir);
	return err == KL_OK ? CLI_OK : output_fail_err(c, err, dir);
}

static int
operator_eyes(const struct cli *c, struct eyes *e)
{
	struct broker_conf conf;
	int r = ctl_conf(c, &conf);

	if (r == CLI_OK && paper_path(conf.config_dir, "cards", &e->cards) !=
	    KL_OK)
		r = output_fail_err(c, KL_E_SIZE, conf.config_dir);
	return r;
}

int
cmd_audit_export(struct cli *c)
{
	const char *as = cli_option(c, "as");
	struct eyes eyes = { .reader = { "" } };
	struct audit_export e = { .pk = &eyes.trust.sign,
		.cards = eyes.cards.b, .reader = eyes.reader.b };
	struct audit_names *names;
	struct audit_link *link;
	int r;

	if ((r = ctl_trust(c, &eyes.trust)) != CLI_OK ||
	    (r = as != NULL ? auditor_eyes(c, as, &eyes) :
	    operator_eyes(c, &eyes)) != CLI_OK ||
	    (r = ctl_link_open(c, &link)) != CLI_OK)
		return r;
	e.names = names = log_names(c);
	r = audit_export(c, link, &e);
	audit_names_free(names);
	audit_link_close(link);
	return r;
}
