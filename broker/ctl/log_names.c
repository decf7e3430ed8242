#include "broker/ctl/log_names.h"

#include "broker/ctl/paper.h"

struct audit_names *
log_names(const struct cli *c)
{
	struct kl_conf_error error;
	struct audit_names *names;
	struct broker_conf conf;
	struct paper_path cards;

	if (cli_option(c, "as") != NULL ||
	    broker_conf_read(c->conf_path, &conf, &error) != KL_OK ||
	    paper_path(conf.config_dir, "cards", &cards) != KL_OK ||
	    audit_names_read(cards.b, &conf.authority, &names) != KL_OK)
		return NULL;
	return names;
}
