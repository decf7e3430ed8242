#include "broker/ctl/cmd.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/crypto/note.h>
#include <kortelijn/host/fs.h>

#include "broker/ctl/control.h"
#include "broker/ctl/paper.h"
#include "proto/cli/output.h"

#define REASON_MAX 200

static const char explanation[] =
    "A new store after a loss. At its next start the broker\n"
    "  - begins with an empty store and a new log, whose first leaf names the\n"
    "    last checkpoint of the old one;\n"
    "  - asks every participant to report in: their adapters present\n"
    "    withdrawals, open referrals and receipts, and send again what waits.\n"
    "    Until then their messages wait; nothing is lost and nothing that was\n"
    "    withdrawn or erased comes back.\n"
    "Do this when the store is gone, not to mend a store that is there.\n\n";

static bool
reason_ok(const char *reason)
{
	size_t n = strlen(reason);

	/* Which word says that nothing was lost. */
	if (n == 0 || n > REASON_MAX || strcmp(reason, BROKER_FIRST_START) == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)reason[i] < ' ' || reason[i] == 0x7f)
			return false;
	return true;
}

/* A loss is a store that is not there. */
static int
loss_check(const struct cli *c, const struct broker_conf *conf)
{
	struct paper_path store;

	if (control_running(c))
		return output_fail(c, CLI_FAILED,
		    "the broker runs, so its store is there");
	if (paper_path(conf->state_dir, "data.mdb", &store) != KL_OK)
		return output_fail_err(c, KL_E_SIZE, conf->state_dir);
	if (access(store.b, F_OK) == 0)
		return output_fail(c, CLI_FAILED, "%s is there. If it is "
		    "damaged, move it away first: it will not be used again",
		    store.b);
	return CLI_OK;
}

/* The broker's own, as its card says: a wrong one would be passed over at the
 * start, when nobody looks. */
static int
checkpoint_verify(const struct cli *c, const struct broker_conf *conf,
    struct kl_bytes text, const char *from)
{
	const struct paper_authority a = { .pk = conf->authority,
		.realm = conf->realm };
	struct paper *p = paper_new();
	struct kl_checkpoint seen;
	struct paper_path card;
	int r = p == NULL ? KL_E_MEMORY :
	    paper_path(conf->config_dir, "broker.card", &card);

	if (r == KL_OK && (r = paper_card_read(p, card.b, &a)) != KL_OK)
		r = output_fail_err(c, r, card.b);
	else if (r == KL_OK && kl_note_verify(text, &p->card.sign_pk,
	    &seen) != KL_OK)
		r = output_fail(c, CLI_FILE, "%s: no checkpoint that this "
		    "broker has signed", from);
	else if (r != KL_OK)
		r = output_fail_err(c, r, conf->config_dir);
	paper_free(p);
	return r;
}

/* Kept beside the permission until the broker has begun its new log. */
static int
checkpoint_keep(const struct cli *c, const struct broker_conf *conf,
    const char *from)
{
	struct paper_path path;
	char *text;
	size_t n;
	int r;

	r = kl_fs_read_file(AT_FDCWD, from, KL_NOTE_MAX - 1, &text, &n);
	if (r != KL_OK)
		return output_fail_err(c, r, from);
	r = checkpoint_verify(c, conf, kl_bytes(text, n), from);
	if (r == CLI_OK && (paper_path(conf->config_dir, BROKER_LAST_CHECKPOINT,
	    &path) != KL_OK ||
	    kl_fs_replace_at(AT_FDCWD, path.b, 0644, kl_bytes(text, n)) !=
	    KL_OK))
		r = output_fail_err(c, KL_E_IO, conf->config_dir);
	kl_fs_read_free(text, n);
	return r;
}

int
cmd_origin_new(struct cli *c)
{
	const char *checkpoint = cli_option(c, "checkpoint");
	const char *reason = cli_option(c, "reason");
	struct broker_conf conf;
	char answer[16];
	int r;

	if (reason == NULL)
		return cli_missing(c, "reason");
	if (!reason_ok(reason))
		return output_fail(c, CLI_USAGE,
		    "--reason is one line of 1 to %d bytes", REASON_MAX);
	if ((r = ctl_conf(c, &conf)) != CLI_OK ||
	    (r = loss_check(c, &conf)) != CLI_OK)
		return r;
	if (cli_option(c, "yes") == NULL) {
		fputs(explanation, stderr);
		if (!cli_ask("Begin a new store? Type yes: ", answer,
		    sizeof answer) || strcmp(answer, "yes") != 0)
			return output_fail(c, CLI_FAILED,
			    "nothing was changed");
	}
	if (checkpoint != NULL &&
	    (r = checkpoint_keep(c, &conf, checkpoint)) != CLI_OK)
		return r;
	if ((r = paper_new_store_write(conf.config_dir, reason)) != KL_OK)
		return output_fail_err(c, r, conf.config_dir);
	return output_take(c, json_pack("{s:s,s:s}", "new_store", "allowed",
	    "next_step", "start kortelijnd"));
}
