/*
 * rewrap.h: the command `rewrap`: a daemon writes the keys of its store anew,
 * and the command waits for it.
 */
#ifndef PROTO_CLI_REWRAP_H
#define PROTO_CLI_REWRAP_H

#include <jansson.h>

#include "proto/cli/cli.h"

/* Asks the daemon one question, which it takes; as ask_take. */
typedef int (*rewrap_ask)(struct cli *c, json_t *question, json_t **answer);

/* Starts it, shows how it goes, and says when it was done. An enum
 * cli_exit. */
int rewrap_run(struct cli *c, rewrap_ask ask);

#endif
