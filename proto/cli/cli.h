/*
 * cli.h: a program of commands: a table, one line of usage each, the same
 * style of options everywhere ("--name=value", before or after the command),
 * and how a command ends.
 */
#ifndef PROTO_CLI_CLI_H
#define PROTO_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1,		/* refused, or it failed */
	CLI_USAGE = 2,
	CLI_NOT_RUNNING = 3,	/* the daemon that was asked */
	CLI_FILE = 4,		/* a file is missing, wrong or not ours */
};

#define CLI_OPTIONS_MAX 20
#define CLI_ARGS_MAX 256	/* all files of a folder that a shell lists */

struct cli;

struct cli_command {
	const char *name;	/* one word or two: "authority init" */
	const char *args;	/* "DIR --realm=production|training" */
	const char *summary;	/* one line without a full stop */
	const char *help;	/* paragraphs, at most 78 columns */
	size_t args_min, args_max;
	/* "realm=" takes a value, "yes" takes none; NULL-terminated. */
	const char *options[CLI_OPTIONS_MAX];
	int (*run)(struct cli *c);	/* answers an enum cli_exit */
};

struct cli_table {
	const struct cli_command *rows;
	size_t n;
};

struct cli_program {
	const char *name;
	const char *conf_default;	/* path of the configuration */
	const struct cli_table *tables;	/* in the order of 'help' */
	size_t n;
	/* Of every command, besides config=, json and help. */
	const char *const *options;
	const char *help;	/* lines about them, or "" */
	const char *daemon;	/* "the broker", as exit code 3 names it */
};

/* What a command gets. */
struct cli {
	const struct cli_program *program;
	const struct cli_command *command;
	bool json;
	bool english;	/* rather than Dutch, where both are there */
	const char *conf_path;

	/* as given on the command line */
	char **words;
	size_t n_words;
	const char *arg[CLI_ARGS_MAX];
	size_t n_args;
};

/* Finds the command, checks its options and arguments and runs it: the exit
 * code of the program. */
int cli_main(const struct cli_program *p, int argc, char **argv);
/* The command "help [COMMAND]", for the table. */
int cli_help(struct cli *c);

/* The value of --name=value, "" for a flag that is given, NULL if it is not. */
const char *cli_option(const struct cli *c, const char *name);
/* Is it an option of every command of this program, as "staff="? */
bool cli_has(const struct cli *c, const char *option);
/* Says on standard error what option is missing. */
int cli_missing(const struct cli *c, const char *name);

/* Asks on the terminal; a line without its newline. False at end of input. */
bool cli_ask(const char *question, char *answer, size_t cap);

#endif
