#include "proto/cli/cli.h"

#include <stdio.h>
#include <string.h>

#include <kortelijn/crypto/secret.h>
#include <kortelijn/host/link.h>

#include "proto/cli/output.h"

#define COLUMNS 78

/* Options of every command of every program. */
static const char *const common_options[] = { "config=", "json", "help", NULL };

static bool
name_is(const char *option, const char *name, size_t n)
{
	return strncmp(option, name, n) == 0 &&
	    (option[n] == '\0' || strcmp(option + n, "=") == 0);
}

/* Is the word an option of the list, with a value if it takes one? */
static bool
listed(const char *word, const char *const *options)
{
	const size_t n = strcspn(word, "=");

	for (; options != NULL && *options != NULL; options++)
		if (name_is(*options, word, n))
			return ((*options)[n] == '=') == (word[n] == '=');
	return false;
}

/* "-" alone is an argument: standard input. */
static bool
is_option(const char *word)
{
	return strncmp(word, "--", 2) == 0;
}

const char *
cli_option(const struct cli *c, const char *name)
{
	const size_t n = strlen(name);

	for (size_t i = 0; i < c->n_words; i++) {
		const char *w = c->words[i];

		if (!is_option(w) || strncmp(w + 2, name, n) != 0)
			continue;
		if (w[2 + n] == '=')
			return w + 3 + n;
		if (w[2 + n] == '\0')
			return "";
	}
	return NULL;
}

bool
cli_has(const struct cli *c, const char *option)
{
	return listed(option, c->program->options);
}

int
cli_missing(const struct cli *c, const char *name)
{
	return output_fail(c, CLI_USAGE, "%s needs --%s; see '%s help %s'",
	    c->command->name, name, c->program->name, c->command->name);
}

bool
cli_ask(const char *question, char *answer, size_t cap)
{
	fputs(question, stderr);
	(void)fflush(stderr);
	if (fgets(answer, (int)cap, stdin) == NULL)
		return false;
	answer[strcspn(answer, "\r\n")] = '\0';
	return true;
}

/* The i-th command of all tables, NULL past the end. */
static const struct cli_command *
command_at(const struct cli_program *p, size_t i)
{
	for (size_t t = 0; t < p->n; i -= p->tables[t++].n)
		if (i < p->tables[t].n)
			return &p->tables[t].rows[i];
	return NULL;
}

/* ---- help ---- */

static void
help_common(const struct cli_program *p)
{
	printf("Options of every command:\n"
	    "  --config=FILE   instead of %s\n%s"
	    "  --json          answer in JSON\n"
	    "Exit codes: 0 done; 1 refused or failed; 2 wrong usage; 3 %s\n"
	    "does not run; 4 a file is missing, wrong or not permitted.\n",
	    p->conf_default, p->help, p->daemon);
}

/* Is it a command of two words, of which this is the first? */
static bool
in_group(const struct cli_command *k, const char *group)
{
	const size_t n = strlen(group);

	return strncmp(k->name, group, n) == 0 && k->name[n] == ' ';
}

static bool
is_group(const struct cli_program *p, const char *word)
{
	const struct cli_command *k;

	for (size_t i = 0; (k = command_at(p, i)) != NULL; i++)
		if (in_group(k, word))
			return true;
	return false;
}

/* Of all commands, or of a group. */
static void
help_list(const struct cli_program *p, const char *group)
{
	const struct cli_command *k;

	printf("usage: %s %s%s [ARGUMENTS] [--OPTION=VALUE]\n\n", p->name,
	    group != NULL ? group : "", group != NULL ? " COMMAND" :
	    "COMMAND");
	for (size_t i = 0; (k = command_at(p, i)) != NULL; i++)
		if (group == NULL || in_group(k, group))
			printf("  %-22s %s\n", k->name, k->summary);
	(void)putchar('\n');
	help_common(p);
}

/* Breaks the line of arguments before an option. */
static void
help_command(const struct cli_program *p, const struct cli_command *k)
{
	const size_t indent = strlen("usage:  ") + strlen(p->name) +
	    strlen(k->name);
	const char *at = k->args;
	size_t column = indent;

	printf("usage: %s %s", p->name, k->name);
	while (*at != '\0') {
		size_t n = strcspn(at, " ");

		if (column + 1 + n > COLUMNS) {
			printf("\n%*s", (int)indent, "");
			column = indent;
		}
		printf(" %.*s", (int)n, at);
		column += 1 + n;
		at += n + (at[n] == ' ');
	}
	printf("\n\n%s.\n", k->summary);
	if (k->help[0] != '\0')
		printf("\n%s\n", k->help);
	(void)putchar('\n');
	help_common(p);
}

/* The row whose name is the first two words, or else the first. */
static const struct cli_command *
find(const struct cli_program *p, const char *first, const char *second,
    size_t *words)
{
	const struct cli_command *one = NULL, *k;
	char both[64];

	(void)snprintf(both, sizeof both, "%s %s", first,
	    second != NULL ? second : "");
	*words = 1;
	for (size_t i = 0; (k = command_at(p, i)) != NULL; i++) {
		if (strcmp(k->name, first) == 0)
			one = k;
		if (strchr(k->name, ' ') == NULL || strcmp(k->name, both) != 0)
			continue;
		*words = 2;
		return k;
	}
	return one;
}

/* The same for programs: of all commands, of a group, or only one. */
static int
help_json(const struct cli *c, const char *group,
    const struct cli_command *only)
{
	const struct cli_command *k;
	json_t *list = json_array();

	for (size_t i = 0; (k = command_at(c->program, i)) != NULL; i++)
		if ((only == NULL || only == k) &&
		    (group == NULL || in_group(k, group)) &&
		    json_array_append_new(list, json_pack(
		    "{s:s,s:s,s:s,s:s}", "name", k->name,
		    "arguments", k->args, "summary", k->summary,
		    "text", k->help)) != 0) {
			json_decref(list);
			return output_take(c, NULL);
		}
	return output_take(c, json_pack("{s:o}", "commands", list));
}

static int
help_of(const struct cli *c, const char *group,
    const struct cli_command *only)
{
	if (c->json)
		return help_json(c, group, only);
	if (only != NULL)
		help_command(c->program, only);
	else
		help_list(c->program, group);
	return CLI_OK;
}

int
cli_help(struct cli *c)
{
	const struct cli_command *k;
	size_t words;

	if (c->n_args == 0)
		return help_of(c, NULL, NULL);
	k = find(c->program, c->arg[0], c->n_args > 1 ? c->arg[1] : NULL,
	    &words);
	if (k == NULL && c->n_args == 1 && is_group(c->program, c->arg[0]))
		return help_of(c, c->arg[0], NULL);
	if (k == NULL)
		return output_fail(c, CLI_USAGE, "no such command");
	return help_of(c, NULL, k);
}

/* ---- the command line ---- */

/* The i-th word that is no option, NULL past the end. */
static const char *
plain_word(const struct cli *c, size_t i)
{
	for (size_t at = 0; at < c->n_words; at++)
		if (!is_option(c->words[at]) && i-- == 0)
			return c->words[at];
	return NULL;
}

/* Takes what follows the name of the command, of `skip` words. */
static int
words_take(struct cli *c, size_t skip)
{
	const char *w;

	for (size_t i = 0; i < c->n_words; i++) {
		w = c->words[i];
		if (is_option(w) && !listed(w + 2, c->command->options) &&
		    !listed(w + 2, c->program->options) &&
		    !listed(w + 2, common_options))
			return output_fail(c, CLI_USAGE, "%.*s: no such "
			    "option, or its value is missing; see '%s help "
			    "%s'", (int)strcspn(w, "="), w, c->program->name,
			    c->command->name);
	}
	for (size_t i = skip; (w = plain_word(c, i)) != NULL; i++) {
		if (c->n_args == c->command->args_max)
			return output_fail(c, CLI_USAGE, "one argument too "
			    "many; see '%s help %s'", c->program->name,
			    c->command->name);
		c->arg[c->n_args++] = w;
	}
	if (c->n_args < c->command->args_min)
		return output_fail(c, CLI_USAGE, "usage: %s %s %s",
		    c->program->name, c->command->name, c->command->args);
	return CLI_OK;
}

static int
run(struct cli *c, size_t skip)
{
	const char *conf = cli_option(c, "config");
	int r;

	if (cli_option(c, "help") != NULL)
		return help_of(c, NULL, c->command);
	if ((r = words_take(c, skip)) != CLI_OK)
		return r;
	c->conf_path = conf != NULL ? conf : c->program->conf_default;
	if (kl_crypto_init() != KL_OK || kl_link_init() != KL_OK)
		return output_fail(c, CLI_FAILED,
		    "libsodium or libzmq did not start");
	return c->command->run(c);
}

int
cli_main(const struct cli_program *p, int argc, char **argv)
{
	struct cli c = { .program = p };
	const char *first;
	size_t skip;

	c.words = argv + 1;
	c.n_words = argc > 1 ? (size_t)argc - 1 : 0;
	c.json = cli_option(&c, "json") != NULL;
	first = plain_word(&c, 0);
	if (first == NULL && cli_option(&c, "version") != NULL) {
		printf("%s " KL_VERSION "\n", p->name);
		return CLI_OK;
	}
	if (first == NULL) {
		help_list(p, NULL);
		return cli_option(&c, "help") != NULL ? CLI_OK : CLI_USAGE;
	}
	c.command = find(p, first, plain_word(&c, 1), &skip);
	if (c.command == NULL)
		return output_fail(&c, CLI_USAGE, "no such command; see '%s "
		    "help'", p->name);
	return run(&c, skip);
}
