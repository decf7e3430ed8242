#include "broker/ctl/cmd.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/fs.h>

#include "broker/ctl/control.h"
#include "broker/ctl/exports.h"
#include "broker/ctl/paper.h"
#include "proto/cli/output.h"

#define REASON_MAX 200

static const char explanation[] =
    "A new log after a loss, or on the machine that stands in.\n"
    "Before: stop the other machine, or take it off the network. Whatever it\n"
    "  still accepts is sent again by its senders; once a participant that\n"
    "  was here meets it, it stops and does not start again.\n"
    "Then, at its next start, this broker\n"
    "  - begins with an empty store and a new log, whose first leaf names the\n"
    "    last checkpoint of the old one;\n"
    "  - asks every participant to report in: their adapters present\n"
    "    withdrawals, open referrals and receipts, and send again what waits.\n"
    "    Until then their messages wait; nothing is lost and nothing that was\n"
    "    withdrawn or erased comes back.\n"
    "'kortelijn status --watch' shows who has reported in, and whom to call.\n"
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
	if (paper_path(conf->state_dir, BROKER_STORE, &store) != KL_OK)
		return output_fail_err(c, KL_E_SIZE, conf->state_dir);
	if (access(store.b, F_OK) == 0)
		return output_fail(c, CLI_FAILED, "%s is there. If it is "
		    "damaged, or another machine has taken over since, move "
		    "it away first: it will not be used again", store.b);
	return CLI_OK;
}

/* ---- the last checkpoint of the old log ---- */

enum { MARK, SEEN, EXPORT, KEPT, GIVEN, SOURCES };

static const struct {
	const char *key;		/* in the answer */
	const char *what;		/* in words */
} source[SOURCES] = {
	[MARK] = { "log_mark", "log.mark of this machine" },
	[SEEN] = { "log_seen", "shown by a participant" },
	[EXPORT] = { "export", "newest export" },
	[KEPT] = { "kept", "of an 'origin new' before" },
	[GIVEN] = { "given", "--checkpoint" },
};

struct found {
	bool there[SOURCES];
	struct kl_note note[SOURCES];
	struct kl_checkpoint at[SOURCES];
	int best;			/* -1: none is there */
};

/* Not there, or not signed by this broker: then it says nothing. */
static void
file_look(struct found *f, int which, const char *dir, const char *name,
    const struct kl_sign_pk *pk)
{
	struct paper_path path;
	char *text = NULL;
	size_t n = 0;

	if (paper_path(dir, name, &path) != KL_OK || kl_fs_read_file(AT_FDCWD,
	    path.b, KL_NOTE_MAX - 1, &text, &n) != KL_OK)
		return;
	if (kl_note_verify(kl_bytes(text, n), pk, &f->at[which]) == KL_OK) {
		memcpy(f->note[which].b, text, n);
		f->there[which] = true;
	}
	kl_fs_read_free(text, n);
}

/* What the operator hands in must be right: a wrong one would be passed over
 * at the start, when nobody looks. */
static int
given_look(const struct cli *c, struct found *f, const struct kl_sign_pk *pk)
{
	const char *from = cli_option(c, "checkpoint");
	char *text;
	size_t n;
	int r;

	if (from == NULL)
		return CLI_OK;
	r = kl_fs_read_file(AT_FDCWD, from, KL_NOTE_MAX - 1, &text, &n);
	if (r != KL_OK)
		return output_fail_err(c, r, from);
	f->there[GIVEN] = kl_note_verify(kl_bytes(text, n), pk,
	    &f->at[GIVEN]) == KL_OK;
	if (f->there[GIVEN])
		memcpy(f->note[GIVEN].b, text, n);
	kl_fs_read_free(text, n);
	return f->there[GIVEN] ? CLI_OK : output_fail(c, CLI_FILE,
	    "%s: no checkpoint that this broker has signed", from);
}

static int
look(const struct cli *c, const struct broker_conf *conf, struct found *f)
{
	struct kl_sign_pk pk;
	int r;

	memset(f, 0, sizeof *f);
	f->best = -1;
	if ((r = exports_key(c, &pk)) != CLI_OK ||
	    (r = given_look(c, f, &pk)) != CLI_OK)
		return r;
	file_look(f, MARK, conf->state_dir, BROKER_MARK, &pk);
	file_look(f, SEEN, conf->state_dir, BROKER_SEEN, &pk);
	file_look(f, KEPT, conf->config_dir, BROKER_LAST_CHECKPOINT, &pk);
	f->there[EXPORT] = exports_newest(conf->export_dir, &pk,
	    &f->note[EXPORT], &f->at[EXPORT]) == KL_OK;
	for (int i = 0; i < SOURCES; i++)
		if (f->there[i] && (f->best < 0 ||
		    kl_checkpoint_further(&f->at[i], &f->at[f->best])))
			f->best = i;
	return CLI_OK;
}

/* ---- what the operator reads before saying yes ---- */

static void
found_say(const struct found *f)
{
	fputs("The last checkpoint of the old log:\n", stderr);
	for (int i = 0; i < SOURCES; i++) {
		fprintf(stderr, "  %s %-26s", i == f->best ? "*" : " ",
		    source[i].what);
		if (f->there[i])
			fprintf(stderr, " %" PRIu64 " leaves of\n"
			    "      %s\n", f->at[i].size, f->at[i].origin);
		else
			fputs(" none\n", stderr);
	}
	fputs(f->best < 0 ?
	    "  None was found: the new log will name none. If one was kept\n"
	    "  anywhere, as 'audit checkpoint' prints it, hand it in with\n"
	    "  --checkpoint=FILE.\n\n" :
	    "  The new log will name the one with the star. What was logged\n"
	    "  behind it is in what the participants keep.\n\n", stderr);
}

static bool
agreed(void)
{
	char answer[16];

	fputs(explanation, stderr);
	return cli_ask("Begin a new log? Type yes: ", answer,
	    sizeof answer) && strcmp(answer, "yes") == 0;
}

/* ---- and then ---- */

/* Kept beside the permission until the broker has begun its new log. */
static int
checkpoint_keep(const struct cli *c, const struct broker_conf *conf,
    const struct found *f)
{
	struct paper_path path;

	if (f->best < 0)
		return CLI_OK;
	if (paper_path(conf->config_dir, BROKER_LAST_CHECKPOINT, &path) !=
	    KL_OK || kl_fs_replace_at(AT_FDCWD, path.b, 0644,
	    kl_bytes_str(f->note[f->best].b)) != KL_OK)
		return output_fail_err(c, KL_E_IO, conf->config_dir);
	return CLI_OK;
}

static json_t *
found_json(const struct found *f)
{
	json_t *o = json_object();

	for (int i = 0; i < SOURCES; i++)
		(void)json_object_set_new(o, source[i].key, f->there[i] ?
		    json_pack("{s:s,s:I}", "log", f->at[i].origin, "leaves",
		    (json_int_t)f->at[i].size) : json_null());
	return o;
}

static int
say(const struct cli *c, const struct found *f)
{
	json_t *o = json_pack("{s:s,s:s}", "new_log", "allowed",
	    "next_step", "start kortelijnd, then 'kortelijn status --watch'");

	if (f->best >= 0) {
		(void)json_object_set_new(o, "after",
		    json_string(f->at[f->best].origin));
		(void)json_object_set_new(o, "after_leaves",
		    json_integer((json_int_t)f->at[f->best].size));
	}
	if (c->json)
		(void)json_object_set_new(o, "found", found_json(f));
	return output_take(c, o);
}

int
cmd_origin_new(struct cli *c)
{
	const char *reason = cli_option(c, "reason");
	struct broker_conf conf;
	struct found f;
	int r;

	if (reason == NULL)
		return cli_missing(c, "reason");
	if (!reason_ok(reason))
		return output_fail(c, CLI_USAGE,
		    "--reason is one line of 1 to %d bytes", REASON_MAX);
	if ((r = ctl_conf(c, &conf)) != CLI_OK ||
	    (r = loss_check(c, &conf)) != CLI_OK ||
	    (r = look(c, &conf, &f)) != CLI_OK)
		return r;
	if (!c->json)
		found_say(&f);
	if (cli_option(c, "yes") == NULL && !agreed())
		return output_fail(c, CLI_FAILED, "nothing was changed");
	if ((r = checkpoint_keep(c, &conf, &f)) != CLI_OK)
		return r;
	if ((r = paper_new_store_write(conf.config_dir, reason)) != KL_OK)
		return output_fail_err(c, r, conf.config_dir);
	return say(c, &f);
}
