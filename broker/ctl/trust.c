#include "broker/ctl/trust.h"

#include <string.h>

#include "broker/ctl/auditor.h"
#include "proto/cli/output.h"

int
ctl_trust_read(const struct paper_authority *a, const char *card,
    struct ctl_trust *out)
{
	struct paper *p = paper_new();
	int r = p == NULL ? KL_E_MEMORY : paper_card_read(p, card, a);

	memset(out, 0, sizeof *out);
	if (r == KL_OK && (p->card.role != KL_BROKER ||
	    p->card.realm != a->realm))
		r = KL_E_VALUE;
	if (r == KL_OK)
		*out = (struct ctl_trust){ .realm = a->realm,
			.authority = a->pk, .broker = p->card.id,
			.sign = p->card.sign_pk,
			.transport = p->card.transport_pk };
	paper_free(p);
	return r;
}

static int
card_wrong(const struct cli *c, int err, const char *card)
{
	if (err == KL_E_SIGNATURE)
		return output_fail(c, CLI_FILE, "%s: not signed by this "
		    "authority", card);
	if (err == KL_E_VALUE)
		return output_fail(c, CLI_FILE, "%s: not the card of a broker "
		    "of this realm", card);
	return output_fail_err(c, err, card);
}

static int
card_take(const struct cli *c, const struct paper_authority *a,
    const char *card, struct ctl_trust *out)
{
	const int r = ctl_trust_read(a, card, out);

	return r == KL_OK ? CLI_OK : card_wrong(c, r, card);
}

/* A directory with authority.pub and broker.card. */
static int
dir_take(const struct cli *c, const char *dir, struct ctl_trust *out)
{
	struct paper_authority a;
	struct paper_path path;
	int r;

	if ((r = paper_authority_read(dir, &a)) != KL_OK ||
	    (r = paper_path(dir, AUDITOR_BROKER_CARD, &path)) != KL_OK)
		return output_fail_err(c, r, dir);
	return card_take(c, &a, path.b, out);
}

int
ctl_trust(const struct cli *c, struct ctl_trust *out)
{
	const char *card = cli_option(c, "card");
	const char *from = cli_option(c, "authority");
	const char *as = cli_option(c, "as");
	struct paper_authority a = { 0 };
	struct broker_conf conf;
	struct paper_path path;
	int r;

	memset(out, 0, sizeof *out);
	if (card != NULL && from == NULL)
		return cli_missing(c, "authority");
	if (card != NULL) {
		if ((r = paper_authority_read(from, &a)) != KL_OK)
			return output_fail_err(c, r, from);
		return card_take(c, &a, card, out);
	}
	if (as != NULL)
		return dir_take(c, as, out);
	if ((r = ctl_conf(c, &conf)) != CLI_OK)
		return r;
	a.pk = conf.authority;
	a.realm = conf.realm;
	if (paper_path(conf.config_dir, BROKER_CARD, &path) != KL_OK)
		return output_fail_err(c, KL_E_SIZE, conf.config_dir);
	return card_take(c, &a, path.b, out);
}
