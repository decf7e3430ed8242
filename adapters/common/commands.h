/*
 * commands.h: the command line of an adapter: the commands that both programs
 * have, and around them the program's own.
 */
#ifndef ADAPTERS_COMMON_COMMANDS_H
#define ADAPTERS_COMMON_COMMANDS_H

#include "proto/cli/cli.h"

/* Runs the command that argv asks for, of the program `name` with the commands
 * `own`: its exit code. conf_default: path of its configuration. */
int commands_main(const char *name, const char *conf_default,
    struct cli_table own, int argc, char **argv);

#endif
