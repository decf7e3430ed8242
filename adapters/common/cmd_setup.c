#include "adapters/common/cmd.h"

#include <string.h>

#include <kortelijn/host/fs.h>
#include <kortelijn/host/loop.h>

#include "adapters/common/backup_dir.h"
#include "adapters/common/cmd_backup.h"
#include "adapters/common/identity.h"
#include "proto/cli/enrol.h"
#include "proto/cli/output.h"
#include "proto/cli/policy.h"

#define PATH_CAP 512

/* The first time: what is there stays. */
static int
put_recovery_key(struct cli *c, const struct config *conf, json_t *answer)
{
	struct kl_dh_pk pk;
	int r = backup_key_read(conf, &pk);

	if (r == KL_E_NOT_FOUND)
		return cmd_backup_new_key(c, conf, answer);
	return r == KL_OK ? CLI_OK : output_fail_err(c, r, "recovery.pub in "
	    "key_dir");
}

int
cmd_init(struct cli *c)
{
	const char *out = cli_option(c, "out");
	char path[PATH_CAP], line[ENROL_REQUEST_MAX];
	struct kl_fingerprint fp;
	struct config conf;
	json_t *answer;
	int r = cmd_conf(c, &conf);

	if (r != CLI_OK)
		return r;
	r = identity_init(&conf, kl_clock_now_ms(&(struct kl_clock){
	    conf.clock_offset_ms }), line, &fp);
	if (r != KL_OK)
		return output_fail_err(c, r, conf.key_dir);
	if ((r = policy_init(conf.policy)) != KL_OK)
		return output_fail_err(c, r, conf.policy);
	if (out == NULL) {
		if (kl_fs_path(path, sizeof path, conf.key_dir, "request") !=
		    KL_OK)
			return output_fail_err(c, KL_E_SIZE, conf.key_dir);
		out = path;
	}
	if ((r = enrol_write(out, line)) != KL_OK)
		return output_fail_err(c, r, out);
	answer = json_pack("{s:s,s:s,s:s,s:s}",
	    "id", kl_id_text(&conf.id).b, "request", out,
	    "fingerprint", fp.b, "next_step", cmd_words(c,
	    "stuur het verzoek naar de beheerder en lees de vingerafdruk "
	    "voor aan de telefoon", "send the request to the operator and "
	    "read the fingerprint over the phone"));
	if ((r = put_recovery_key(c, &conf, answer)) != CLI_OK) {
		json_decref(answer);
		return r;
	}
	return output_take(c, answer);
}

/* Errors of papers in words that say what to do. */
static int
paper_wrong(struct cli *c, int err, const char *what)
{
	switch (err) {
	case KL_E_SIGNATURE:
		return output_fail(c, CLI_FILE, "%s: not signed by this "
		    "authority", what);
	case KL_E_VALUE:
		return output_fail(c, CLI_FILE, "%s: of another participant, "
		    "role, realm or key than the configuration and the keys "
		    "here", what);
	case KL_E_FORMAT:
		return output_fail(c, CLI_FILE, "%s: not the file that "
		    "belongs here, or damaged", what);
	default:
		return output_fail_err(c, err, what);
	}
}

/* A card that does not count now is kept, but nobody should wait for it. */
static const char *
what_next(const struct cli *c, const struct identity *id, int64_t now_ms)
{
	if (now_ms >= id->card_until_ms)
		return cmd_words(c, "deze kaart is verlopen: vraag de "
		    "beheerder om een nieuwe", "this card has expired: ask "
		    "the operator for another");
	if (now_ms < id->card_from_ms)
		return cmd_words(c, "deze kaart geldt nog niet: tot dan "
		    "weigert de broker haar", "this card is not valid yet: "
		    "the broker refuses it until then");
	return cmd_words(c, "vergelijk de vingerafdruk van de regio en start "
	    "het programma met 'run'", "compare the region's fingerprint, "
	    "then start the program with 'run'");
}

static int
accepted(struct cli *c, const struct config *conf,
    const struct kl_fingerprint *authority)
{
	const struct kl_clock clock = { conf->clock_offset_ms };
	struct identity id;
	const char *what;
	json_t *answer;
	int r = identity_load(conf, &id, &what);

	if (r != KL_OK)
		return paper_wrong(c, r, what);
	answer = json_pack("{s:s,s:s,s:o,s:o,s:s}",
	    "id", kl_id_text(&conf->id).b, "authority", authority->b,
	    "valid_from", output_time(id.card_from_ms),
	    "valid_until", output_time(id.card_until_ms),
	    "next_step", what_next(c, &id, kl_clock_now_ms(&clock)));
	identity_clear(&id);
	return output_take(c, answer);
}

int
cmd_accept(struct cli *c)
{
	const struct identity_files in = {
		cli_option(c, "card"), cli_option(c, "authority"),
		cli_option(c, "broker"),
	};
	struct kl_fingerprint fp;
	const char *what = "";
	struct config conf;
	int r;

	if (in.card == NULL)
		return cli_missing(c, "card");
	if (in.authority == NULL)
		return cli_missing(c, "authority");
	if (in.broker == NULL)
		return cli_missing(c, "broker");
	if ((r = cmd_conf(c, &conf)) != CLI_OK)
		return r;
	if ((r = identity_accept(&conf, &in, &fp, &what)) != KL_OK)
		return paper_wrong(c, r, what);
	return accepted(c, &conf, &fp);
}
