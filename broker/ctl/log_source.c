#include "broker/ctl/log_source.h"

#include "broker/ctl/link.h"
#include "broker/ctl/log_names.h"
#include "broker/ctl/trust.h"
#include "proto/audit/dirlink.h"
#include "proto/cli/output.h"

/* From the cards of the export, under the authority that was given; else those
 * of the broker's own machine. Names are a courtesy, a wrong card is not. */
static int
names_of(const struct cli *c, const char *dir, struct audit_names **out)
{
	struct ctl_trust trust;
	struct paper_path cards;
	int r;

	if (cli_option(c, "authority") == NULL && cli_option(c, "as") == NULL) {
		*out = log_names(c);
		return CLI_OK;
	}
	if ((r = ctl_trust(c, &trust)) == CLI_OK &&
	    (paper_path(dir, "cards", &cards) != KL_OK ||
	    audit_names_read(cards.b, &trust.authority, out) != KL_OK))
		*out = NULL;
	return r;
}

int
log_source_open(const struct cli *c, struct audit_link **link,
    struct audit_names **names)
{
	const char *dir = cli_option(c, "dir");
	int r;

	*link = NULL;
	*names = NULL;
	if (dir == NULL && (cli_option(c, "card") != NULL ||
	    cli_option(c, "authority") != NULL))
		return output_fail(c, CLI_USAGE,
		    "--card and --authority go with --dir");
	if (dir == NULL) {
		if ((r = ctl_link_open(c, link)) == CLI_OK)
			*names = log_names(c);
		return r;
	}
	if ((r = names_of(c, dir, names)) == CLI_OK)
		r = audit_dirlink(c, dir, link);
	if (r != CLI_OK) {
		audit_names_free(*names);
		*names = NULL;
	}
	return r;
}
