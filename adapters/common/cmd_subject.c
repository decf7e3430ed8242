#include "adapters/common/cmd_subject.h"

#include <stdio.h>
#include <string.h>

#include <kortelijn/host/fs.h>

#include "adapters/common/cmd.h"
#include "adapters/common/subject_letter.h"
#include "proto/cli/output.h"

typedef int letter_fn(const struct letter_options *, const json_t *, char **,
    size_t *);

/* ---- who is meant ---------------------------------------------------- */

/* NULL: it was said what is missing. */
static json_t *
question(struct cli *c, const char *cmd)
{
	const char *name = cli_option(c, "name");
	const char *birth = cli_option(c, "birth-date");
	json_t *q;

	if ((c->n_args == 1) == (name != NULL) ||
	    (name == NULL) != (birth == NULL)) {
		(void)output_fail(c, CLI_USAGE, "who? a reference or number, "
		    "or --name=NAME with --birth-date=YYYY-MM-DD");
		return NULL;
	}
	q = c->n_args == 1 ? json_pack("{s:s,s:s}", "cmd", cmd, "who",
	    c->arg[0]) : json_pack("{s:s,s:s,s:s}", "cmd", cmd, "name", name,
	    "birth_date", birth);
	if (q == NULL)
		(void)output_fail(c, CLI_USAGE, "an argument is no text in "
		    "UTF-8");
	return q;
}

static int
ask(struct cli *c, const char *cmd, json_t **answer)
{
	json_t *q = question(c, cmd);

	*answer = NULL;
	if (q == NULL)
		return CLI_USAGE;
	if (strcmp(cmd, "subject_find") != 0 && cli_option(c, "all") != NULL)
		(void)json_object_set_new(q, "all", json_true());
	if (cli_option(c, "since") != NULL)
		(void)json_object_set_new(q, "since",
		    json_string(cli_option(c, "since")));
	return cmd_ask(c, q, 0, answer);
}

static int
table_take(struct cli *c, json_t *answer)
{
	const struct output_column columns[] = {
		{ "reference", cmd_words(c, "KENMERK", "REFERENCE"), 11 },
		{ "person", cmd_words(c, "NAAM", "NAME"), 18 },
		{ "birth_date", cmd_words(c, "GEBOREN", "BORN"), 10 },
		{ c->english ? "state_en" : "state_nl",
		  cmd_words(c, "STAND", "STATE"), 16 },
		{ "peer_name", cmd_words(c, "MET", "WITH"), 13 },
		{ "created_at", cmd_words(c, "SINDS", "SINCE"), 10 },
	};

	return output_take_table(c, answer, "referrals", columns, 6);
}

/* Several persons may fit a name: then they are shown, and nothing is done.
 * CLI_OK: one, none, or all are meant. */
static int
check_one(struct cli *c)
{
	json_t *answer;
	size_t n;
	int r;

	if (c->n_args == 1 || cli_option(c, "all") != NULL)
		return CLI_OK;
	if ((r = ask(c, "subject_find", &answer)) != CLI_OK)
		return r;
	n = json_array_size(json_object_get(answer, "referrals"));
	if (n <= 1) {
		json_decref(answer);
		return CLI_OK;
	}
	if (c->json) {
		json_decref(answer);
		return CLI_OK;		/* the adapter refuses it */
	}
	(void)table_take(c, answer);
	return output_fail(c, CLI_FAILED, "%zu referrals fit: name one by its "
	    "reference, or add --all if all are of this person", n);
}

/* ---- pages ----------------------------------------------------------- */

static int
write_page(struct cli *c, const char *path, const char *text, size_t n)
{
	int r;

	if (path == NULL)
		return fwrite(text, 1, n, stdout) == n && fflush(stdout) ==
		    0 ? CLI_OK : CLI_FAILED;
	r = kl_fs_replace(path, kl_bytes(text, n));
	return r == KL_OK ? CLI_OK : output_fail_err(c, r, path);
}

/* The answer as JSON, or as a page to standard output or --html=FILE. Takes
 * it. */
static int
page_take(struct cli *c, json_t *answer, letter_fn *letter)
{
	const char *html = cli_option(c, "html");
	struct letter_options o = { .form = html != NULL ? LETTER_HTML :
	    LETTER_TEXT };
	struct config conf;
	char *text = NULL;
	size_t n;
	int r;

	if (c->json && html == NULL)
		return output_take(c, answer);
	if ((r = cmd_conf(c, &conf)) == CLI_OK) {
		o.lang = (enum kl_lang)conf.lang;
		o.training = conf.realm == KL_TRAINING;
		r = letter(&o, answer, &text, &n);
		r = r != KL_OK ? output_fail_err(c, r, "the letter") :
		    write_page(c, html, text, n);
	}
	letter_text_free(text);
	json_decref(answer);
	return r;
}

int
cmd_subject_find(struct cli *c)
{
	json_t *answer;
	int r = ask(c, "subject_find", &answer);

	if (r != CLI_OK)
		return r;
	if (cli_option(c, "html") != NULL)
		return page_take(c, answer, subject_letter_find);
	if (!c->json && json_array_size(json_object_get(answer,
	    "referrals")) == 0) {
		json_decref(answer);
		printf("%s\n", cmd_words(c, "Niets gevonden.",
		    "Nothing found."));
		return fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
	}
	return table_take(c, answer);
}

int
cmd_subject_export(struct cli *c)
{
	json_t *answer;
	int r;

	if ((r = check_one(c)) != CLI_OK ||
	    (r = ask(c, "subject_export", &answer)) != CLI_OK)
		return r;
	return page_take(c, answer, subject_letter_export);
}

int
cmd_subject_log(struct cli *c)
{
	json_t *answer;
	int r;

	if ((r = check_one(c)) != CLI_OK ||
	    (r = ask(c, "subject_log", &answer)) != CLI_OK)
		return r;
	return page_take(c, answer, subject_letter_log);
}

/* ---- erase ----------------------------------------------------------- */

static const char *
consequence(const struct cli *c, const json_t *k)
{
	if (strcmp(cmd_member(k, "withdrawn").b, "all") == 0)
		return cmd_words(c, "is al ingetrokken; de inhoud is hier al "
		    "gewist", "was withdrawn; its content is erased here "
		    "already");
	return json_is_true(json_object_get(k, "open")) ?
	    cmd_words(c, "loopt nog; de toestemming wordt ingetrokken en de "
	    "ander gevraagd te wissen", "is open; its consent is withdrawn "
	    "and the other side asked to erase") :
	    cmd_words(c, "is klaar; alles wat hier ligt wordt gewist",
	    "has ended; all that is here is erased");
}

/* On standard error, so that a page on standard output stays one. */
static void
say_consequences(struct cli *c, const json_t *cases)
{
	const json_t *k;
	size_t i;

	json_array_foreach(cases, i, k) {
		const struct cmd_text name = cmd_member(k, "reference");

		fprintf(stderr, "%s: %s\n", name.b[0] != '\0' ? name.b :
		    cmd_member(k, "referral_id").b,
		    consequence(c, k));
	}
	fputs(cmd_words(c, "Dit kan niet terug. Wat blijft: het logboek van "
	    "wie keek, zonder naam, voor zijn\ntermijn; en het eigen dossier "
	    "van de praktijk of de gemeente.\n", "This cannot be undone. What "
	    "stays: the log of who looked, without a name, for its\nterm; "
	    "and the practice's or the municipality's own file.\n"), stderr);
}

static int
confirm(struct cli *c, const json_t *cases)
{
	char word[16];

	if (cli_option(c, "yes") != NULL)
		return CLI_OK;
	say_consequences(c, cases);
	if (!cli_ask(cmd_words(c, "Wissen? Typ ja: ", "Erase? Type yes: "),
	    word, sizeof word) || strcmp(word, cmd_words(c, "ja", "yes")) !=
	    0)
		return output_fail(c, CLI_FAILED, "%s", cmd_words(c,
		    "er is niets gewijzigd", "nothing was changed"));
	return CLI_OK;
}

static int
erase(struct cli *c, const json_t *cases)
{
	json_t *numbers = json_array(), *answer;
	const json_t *k;
	size_t i;
	int r;

	json_array_foreach(cases, i, k) {
		json_t *number = json_object_get(k, "number");

		(void)json_array_append(numbers, number);
	}
	r = cmd_ask(c, json_pack("{s:s,s:o}", "cmd", "subject_erase",
	    "numbers", numbers), 0, &answer);
	return r != CLI_OK ? r : page_take(c, answer, subject_letter_erase);
}

int
cmd_subject_erase(struct cli *c)
{
	const json_t *cases;
	json_t *found;
	int r;

	if ((r = check_one(c)) != CLI_OK ||
	    (r = ask(c, "subject_find", &found)) != CLI_OK)
		return r;
	cases = json_object_get(found, "referrals");
	if (json_array_size(cases) == 0)
		r = output_fail(c, CLI_FAILED, "nothing found: nothing to "
		    "erase");
	else if (json_array_size(cases) > 1 && c->n_args == 0 &&
	    cli_option(c, "all") == NULL)
		r = output_fail(c, CLI_FAILED, "several referrals fit: name "
		    "one by its reference, or add --all");
	else if ((r = confirm(c, cases)) == CLI_OK)
		r = erase(c, cases);
	json_decref(found);
	return r;
}
