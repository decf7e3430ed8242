#include "adapters/common/cmd.h"

#include <stdio.h>
#include <string.h>

#include "proto/cli/output.h"

#define PAGE_WAIT_S 60	/* for the counts that stand on the page */
#define LINE_BYTES 1400

/* ---- files ----------------------------------------------------------- */

static bool
is_html(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot != NULL && (strcmp(dot, ".html") == 0 ||
	    strcmp(dot, ".htm") == 0);
}

static int
put_statement(struct cli *c, const char *path)
{
	json_t *answer;
	int r = cmd_ask(c, json_pack("{s:s,s:s,s:b}", "cmd", "withdrawal",
	    "reference", c->arg[0], "statement", 1), 0, &answer);

	if (r == CLI_OK)
		r = cmd_put_member(c, answer, "statement", path);
	json_decref(answer);
	return r;
}

static int
put_page(struct cli *c, const char *path)
{
	json_t *answer;
	int r = cmd_ask(c, json_pack("{s:s,s:s,s:s}", "cmd", "withdrawal",
	    "reference", c->arg[0], "letter", is_html(path) ? "html" :
	    "text"), 0, &answer);

	if (r == CLI_OK)
		r = cmd_put_member(c, answer, "letter", path);
	json_decref(answer);
	return r;
}

/* ---- withdraw -------------------------------------------------------- */

static void
set_option(const struct cli *c, json_t *question, const char *name)
{
	const char *v = cli_option(c, name);

	if (v != NULL)
		(void)json_object_set_new(question, name, json_string(v));
}

/* Only a page or file is asked for: of the withdrawal there is, if any. */
static json_t *
withdraw_question(const struct cli *c)
{
	const bool again = cli_option(c, "scope") == NULL &&
	    cli_option(c, "cause") == NULL && (cli_option(c, "print") !=
	    NULL || cli_option(c, "out") != NULL);
	json_t *q = json_pack("{s:s,s:s,s:b}", "cmd", "withdraw",
	    "reference", c->arg[0], "again", again);

	if (q == NULL)
		return NULL;
	set_option(c, q, "scope");
	set_option(c, q, "cause");
	return q;
}

static void
counts_put(const struct cli *c, const json_t *w, char *line, size_t cap)
{
	(void)snprintf(line, cap, c->english ?
	    "Withdrawn, and the broker has confirmed it.\n"
	    "Erased before they were collected: %.8s. Delivered before: "
	    "%.8s. Not certain: %.8s." :
	    "Ingetrokken, en de broker heeft het bevestigd.\n"
	    "Gewist voor ze waren opgehaald: %.8s. Al bezorgd: %.8s. "
	    "Aankomst onzeker: %.8s.",
	    cmd_member(w, "erased").b, cmd_member(w, "released_before").b,
	    cmd_member(w, "unconfirmed").b);
}

/* What a wrong patient may have cost, and what nobody may forget. */
static void
say_error(const struct cli *c, const json_t *answer)
{
	if (!json_is_true(json_object_get(answer, "do_not_contact")))
		return;
	printf("%s\n", cmd_words(c,
	    "Bel het meldpunt ook, als het is geopend. Maak de notitie voor "
	    "uw beoordeling\nvan een datalek met --print=FILE.",
	    "Phone the desk too, if it was opened. Make the note for your "
	    "assessment of\na data breach with --print=FILE."));
	if (cmd_member(answer, "peer_phone").b[0] != '\0')
		printf("%s %s\n", cmd_words(c, "Telefoon meldpunt:",
		    "Phone of the desk:"),
		    cmd_member(answer, "peer_phone").b);
}

static int
say_take(struct cli *c, json_t *answer)
{
	const json_t *w = json_object_get(answer, "withdrawal");
	char line[LINE_BYTES];

	if (c->json)
		return output_take(c, answer);
	if (strcmp(cmd_member(w, "state").b, "withdrawn") == 0)
		counts_put(c, w, line, sizeof line);
	else
		(void)snprintf(line, sizeof line, "%s", cmd_words(c,
		    "Wordt ingetrokken: hier gaat niets meer weg. Klaar is "
		    "het na het antwoord van\nde broker; zie 'show', of "
		    "wacht erop met --wait=60.",
		    "Being withdrawn: nothing leaves from here any more. It "
		    "is done when the broker\nhas answered; see 'show', or "
		    "wait for it with --wait=60."));
	printf("%s\n", line);
	say_error(c, answer);
	cmd_say_hindrance(c, answer);
	json_decref(answer);
	return fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
}

/* For the broker's answer to the one that was made; in *answer's place. */
static int
wait_for(struct cli *c, int64_t wait_s, json_t **answer)
{
	json_decref(*answer);
	return cmd_ask(c, json_pack("{s:s,s:s,s:b}", "cmd", "withdraw",
	    "reference", c->arg[0], "again", 1), wait_s, answer);
}

/* Then nothing else may stand there. */
static bool
to_stdout(const char *path)
{
	return path != NULL && strcmp(path, "-") == 0;
}

int
cmd_withdraw(struct cli *c)
{
	const char *print = cli_option(c, "print");
	const char *out = cli_option(c, "out");
	json_t *answer;
	int64_t wait_s;
	int r = cmd_wait(c, &wait_s);

	if (r != CLI_OK)
		return r;
	if (print != NULL && cli_option(c, "wait") == NULL)
		wait_s = PAGE_WAIT_S;
	/* Durable first: what comes after it may fail. */
	r = cmd_ask(c, withdraw_question(c), 0, &answer);
	if (r == CLI_OK && out != NULL)
		r = put_statement(c, out);
	if (r == CLI_OK && wait_s > 0)
		r = wait_for(c, wait_s, &answer);
	if (r == CLI_OK && print != NULL)
		r = put_page(c, print);
	if (r == CLI_OK && !(to_stdout(print) || to_stdout(out)))
		return say_take(c, answer);
	if (r != CLI_OK && json_object_get(answer, "withdrawal") != NULL)
		fprintf(stderr, "%s\n", cmd_words(c,
		    "De intrekking zelf ligt vast. Vraag alleen de pagina of "
		    "het bestand opnieuw.",
		    "The withdrawal itself is safe. Ask for the page or file "
		    "again, and nothing else."));
	json_decref(answer);
	return r;
}

/* ---- erased ---------------------------------------------------------- */

int
cmd_erased(struct cli *c)
{
	const char *word = cli_option(c, "case-system");
	json_t *answer;
	int r;

	if (word == NULL)
		return cli_missing(c, "case-system");
	r = cmd_ask(c, json_pack("{s:s,s:s,s:s}", "cmd", "erased",
	    "reference", c->arg[0], "case_system", word), 0, &answer);
	if (r != CLI_OK)
		return r;
	if (c->json)
		return output_take(c, answer);
	printf("%.20s: %s\n", cmd_member(answer, "reference").b,
	    cmd_words(c, "vastgelegd; het bewijs gaat naar de ander.",
	    "kept; the receipt goes to the other side."));
	json_decref(answer);
	return fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
}
