#include "adapters/common/cmd_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/fs.h>

#include "adapters/common/backup_dir.h"
#include "adapters/common/backup_file.h"
#include "adapters/common/cmd.h"
#include "adapters/common/restore.h"
#include "proto/cli/output.h"

#define LOOK_MS 100
#define LOOKS_MAX 6000		/* ten minutes */
#define KEY_TEXT_MAX 4096

/* ---- the key --------------------------------------------------------- */

static int
key_keep(const char *path, const struct kl_recovery_text *text)
{
	char line[sizeof text->b + 1];
	int r;

	(void)snprintf(line, sizeof line, "%s\n", text->b);
	r = kl_fs_replace(path, kl_bytes_str(line));
	kl_wipe(line, sizeof line);
	return r;
}

static void
key_say(struct cli *c, json_t *answer)
{
	(void)json_object_set_new(answer, "keep_it", json_string(cmd_words(c,
	    "schrijf de herstelsleutel op papier of print hem, en bewaar hem "
	    "niet op deze computer; zonder hem opent niemand een "
	    "reservekopie, en hij wordt niet nog eens getoond",
	    "write the recovery key down or print it, and keep it off this "
	    "machine; without it nobody opens a backup, and it is not shown "
	    "again")));
}

int
cmd_backup_new_key(struct cli *c, const struct config *conf, json_t *answer)
{
	const char *out = cli_option(c, "recovery-out");
	struct kl_recovery_text text;
	int r;

	if (out != NULL && access(out, F_OK) == 0)
		return output_fail(c, CLI_FILE, "%s: is there already; a "
		    "recovery key replaces nothing", out);
	if ((r = backup_key_make(conf, &text)) != KL_OK)
		return output_fail_err(c, r, conf->key_dir);
	if (out != NULL) {
		(void)json_object_set_new(answer, "recovery_key_file",
		    json_string(out));
		r = key_keep(out, &text);
	} else {
		(void)json_object_set_new(answer, "recovery_key",
		    json_string(text.b));
	}
	kl_wipe(&text, sizeof text);
	if (r != KL_OK)
		return output_fail(c, CLI_FILE, "%s: %s; 'backup key' makes "
		    "another key", out, kl_err_text(r));
	key_say(c, answer);
	return CLI_OK;
}

int
cmd_backup_key(struct cli *c)
{
	struct config conf;
	json_t *answer;
	int r = cmd_conf(c, &conf);

	if (r != CLI_OK)
		return r;
	if ((answer = json_object()) == NULL)
		return output_fail_err(c, KL_E_MEMORY, "the answer");
	if ((r = cmd_backup_new_key(c, &conf, answer)) != CLI_OK) {
		json_decref(answer);
		return r;
	}
	(void)json_object_set_new(answer, "next_step",
	    json_string(cmd_words(c, "maak een reservekopie met 'backup now'; "
	    "wat er al was opent alleen met de vorige sleutel",
	    "make a backup with 'backup now'; those of before open with the "
	    "former key only")));
	return output_take(c, answer);
}

static int
stdin_text(char *buf, size_t cap, size_t *n)
{
	*n = fread(buf, 1, cap, stdin);
	return ferror(stdin) ? KL_E_IO : *n == cap ? KL_E_SIZE : KL_OK;
}

static int
key_text(struct cli *c, char buf[KEY_TEXT_MAX], size_t *n)
{
	const char *from = cli_option(c, "recovery-key");
	char *text;
	int r;

	if (from == NULL) {
		if (!cli_ask(cmd_words(c, "Herstelsleutel: ",
		    "Recovery key: "), buf, KEY_TEXT_MAX))
			return KL_E_NOT_FOUND;
		*n = strlen(buf);
		return KL_OK;
	}
	if (strcmp(from, "-") == 0)
		return stdin_text(buf, KEY_TEXT_MAX, n);
	r = kl_fs_read_file(AT_FDCWD, from, KEY_TEXT_MAX - 1, &text, n);
	if (r == KL_OK)
		memcpy(buf, text, *n);
	kl_fs_read_free(text, r == KL_OK ? *n : 0);
	return r;
}

/* What --recovery-key names, or what is typed. CLI_OK, or after it was
 * said. */
static int
key_read(struct cli *c, struct kl_secret **sk)
{
	char buf[KEY_TEXT_MAX];
	size_t n = 0;
	int r = key_text(c, buf, &n);

	*sk = NULL;
	if (r == KL_OK)
		r = kl_recovery_read(kl_bytes(buf, n), sk);
	kl_wipe(buf, sizeof buf);
	switch (r) {
	case KL_OK:
		return CLI_OK;
	case KL_E_VALUE:
		return output_fail(c, CLI_FILE, "the recovery key: a letter "
		    "is wrong, its check letter says");
	case KL_E_FORMAT:
	case KL_E_SIZE:
		return output_fail(c, CLI_FILE, "the recovery key: not the 53 "
		    "letters and digits that were printed");
	default:
		return output_fail_err(c, r, "the recovery key");
	}
}

/* ---- making ---------------------------------------------------------- */

/* Until it is made or given up. *out is the last answer. */
static int
follow(struct cli *c, json_t **out)
{
	const struct timespec look = { .tv_nsec = LOOK_MS * 1000000L };
	int r = cmd_ask(c, json_pack("{s:s,s:b}", "cmd", "backup", "start",
	    1), 0, out);

	for (int i = 0; r == CLI_OK && json_is_true(json_object_get(*out,
	    "running")); i++) {
		if (i == LOOKS_MAX)
			return output_fail(c, CLI_FAILED, "it does not end; "
			    "see the log of %s", c->program->daemon);
		json_decref(*out);
		*out = NULL;
		(void)nanosleep(&look, NULL);
		r = cmd_ask(c, json_pack("{s:s}", "cmd", "backup"), 0, out);
	}
	return r;
}

int
cmd_backup_now(struct cli *c)
{
	json_t *answer = NULL;
	const char *why;
	int r = follow(c, &answer);

	if (r != CLI_OK) {
		json_decref(answer);
		return r;
	}
	why = json_string_value(json_object_get(answer, "failed"));
	if (why == NULL)
		return output_take(c, answer);
	if (!json_is_true(json_object_get(answer, "recovery_key")))
		r = output_fail(c, CLI_FAILED, "there is no recovery key in "
		    "key_dir; 'backup key' makes one");
	else
		r = output_fail(c, CLI_FAILED, "no backup was made: %s; see "
		    "backup_dir, and the log of %s", why, c->program->daemon);
	json_decref(answer);
	return r;
}

/* ---- looking --------------------------------------------------------- */

static json_t *
list_json(const struct config *conf, const struct backup_list *list)
{
	json_t *a = json_array();

	for (size_t i = 0; i < list->n; i++)
		(void)json_array_append_new(a, json_pack("{s:s,s:o,s:I}",
		    "name", list->entry[i].name, "made_at",
		    output_time(list->entry[i].made_ms), "bytes",
		    (json_int_t)list->entry[i].bytes));
	return json_pack("{s:s,s:o}", "dir", conf->backup_dir, "backups", a);
}

int
cmd_backup_list(struct cli *c)
{
	const struct output_column columns[] = {
		{ "name", cmd_words(c, "NAAM", "NAME"), 42 },
		{ "made_at", cmd_words(c, "GEMAAKT", "MADE"), 24 },
		{ "bytes", "BYTES", 10 },
	};
	struct backup_list list;
	struct config conf;
	int r = cmd_conf(c, &conf);

	if (r != CLI_OK)
		return r;
	if ((r = backup_dir_list(&conf, &list)) != KL_OK)
		return output_fail_err(c, r, conf.backup_dir);
	return output_take_table(c, list_json(&conf, &list), "backups",
	    columns, 3);
}

static int
file_wrong(struct cli *c, int err, const char *path)
{
	switch (err) {
	case KL_E_FORMAT:
		return output_fail(c, CLI_FILE, "%s: no backup of an adapter",
		    path);
	case KL_E_DAMAGED:
		return output_fail(c, CLI_FILE, "%s: cut short or changed; "
		    "take another one", path);
	case KL_E_VALUE:
		return output_fail(c, CLI_FILE, "%s: sealed to another "
		    "recovery key than this one", path);
	default:
		return output_fail_err(c, err, path);
	}
}

static json_t *
head_json(const struct backup_head *h)
{
	return json_pack("{s:s,s:s,s:s,s:o}", "id", kl_id_text(&h->id).b,
	    "role", kl_role_name(h->role), "realm", kl_realm_name(h->realm),
	    "made_at", output_time(h->made_ms));
}

int
cmd_backup_verify(struct cli *c)
{
	struct restore what = { .records = 0 };
	struct kl_secret *sk = NULL;
	struct config conf;
	json_t *o;
	int r = cmd_conf(c, &conf);

	if (r != CLI_OK)
		return r;
	if (cli_option(c, "recovery-key") == NULL) {
		r = backup_file_check(c->arg[0], &what.head);
	} else {
		if ((r = key_read(c, &sk)) != CLI_OK)
			return r;
		r = restore_verify(c->arg[0], sk, &what);
	}
	if (r != KL_OK) {
		kl_secret_free(sk);
		return file_wrong(c, r, c->arg[0]);
	}
	o = head_json(&what.head);
	(void)json_object_set_new(o, "opened", json_boolean(sk != NULL));
	if (sk != NULL)
		(void)json_object_set_new(o, "records",
		    json_integer((json_int_t)what.records));
	kl_secret_free(sk);
	return output_take(c, o);
}

/* ---- back ------------------------------------------------------------ */

static int
restore_wrong(struct cli *c, int err, const char *what, const char *path)
{
	if (what == path)
		return file_wrong(c, err, path);
	switch (err) {
	case KL_E_EXISTS:
		return output_fail(c, CLI_FAILED, "%s: is there already; stop "
		    "the adapter and put what is there aside", what);
	case KL_E_CONFIG:
		return output_fail(c, CLI_FILE, "%s: not what the backup is "
		    "of or needs; see the configuration", what);
	case KL_E_DAMAGED:
	case KL_E_VALUE:
		return output_fail(c, CLI_FILE, "%s: the backup does not "
		    "fit; take another one", what);
	default:
		return output_fail_err(c, err, what);
	}
}

static bool
confirmed(struct cli *c)
{
	char word[16];

	if (cli_option(c, "yes") != NULL)
		return true;
	fputs("Keys, papers and store of the backup are put where the "
	    "configuration says. The\nadapter that it was made by must not "
	    "run any more.\n", stderr);
	return cli_ask("Restore? Type yes: ", word, sizeof word) &&
	    strcmp(word, "yes") == 0;
}

int
cmd_restore(struct cli *c)
{
	struct kl_secret *sk;
	const char *what = "";
	struct restore done;
	struct config conf;
	json_t *o;
	int r = cmd_conf(c, &conf);

	if (r != CLI_OK)
		return r;
	if (!confirmed(c))
		return output_fail(c, CLI_FAILED, "nothing was changed");
	if ((r = key_read(c, &sk)) != CLI_OK)
		return r;
	r = restore_run(&conf, c->arg[0], sk, &done, &what);
	kl_secret_free(sk);
	if (r != KL_OK)
		return restore_wrong(c, r, what, c->arg[0]);
	o = head_json(&done.head);
	(void)json_object_set_new(o, "records",
	    json_integer((json_int_t)done.records));
	(void)json_object_set_new(o, "next_step", json_string(cmd_words(c,
	    "start het programma met 'run' en neem over met 'take-over'",
	    "start the program with 'run', then 'take-over'")));
	return output_take(c, o);
}
