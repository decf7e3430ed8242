/*
 * ctl.h: what every command of `kortelijn` gets, and how it ends.
 */
#ifndef BROKER_CTL_CTL_H
#define BROKER_CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/config.h"

enum ctl_exit {
	CTL_OK = 0,
	CTL_FAILED = 1,		/* refused, or it failed */
	CTL_USAGE = 2,
	CTL_NOT_RUNNING = 3,	/* the broker */
	CTL_FILE = 4,		/* a file is missing, wrong or not ours */
};

#define CTL_CONF_DEFAULT "/etc/kortelijn/kortelijnd.conf"
#define CTL_OPTIONS_MAX 12

struct ctl;

struct command {
	const char *name;	/* "authority init" */
	const char *args;	/* "DIR --realm=production|training" */
	const char *summary;	/* one line */
	const char *help;	/* paragraphs, at most 78 columns */
	size_t args_min, args_max;
	/* "realm=" takes a value, "yes" takes none; NULL-terminated. */
	const char *options[CTL_OPTIONS_MAX];
	int (*run)(struct ctl *c);	/* answers an enum ctl_exit */
};

struct ctl {
	const struct command *command;
	bool json;
	const char *conf_path;
	const char *socket;	/* instead of the one in the file, or NULL */

	/* as given on the command line */
	char **words;
	size_t n_words;
	const char *arg[2];
	size_t n_args;
};

/* The value of --name=value, "" for a flag that is given, NULL if it is not. */
const char *ctl_option(const struct ctl *c, const char *name);
/* Says on standard error what option is missing. */
int ctl_missing(const struct ctl *c, const char *name);

/* kortelijnd.conf, said on standard error if it cannot be read. CTL_OK or
 * CTL_FILE. */
int ctl_conf(const struct ctl *c, struct broker_conf *out);
/* Path of the control socket: --socket, or that of the file. */
int ctl_socket(const struct ctl *c, char path[BROKER_CONTROL_BYTES]);

/* Asks on the terminal; a line without its newline. False at end of input. */
bool ctl_ask(const char *question, char *answer, size_t cap);

#endif
