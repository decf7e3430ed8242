/*
 * ask.h: one question to a running daemon over its control socket, a JSON
 * line each way.
 */
#ifndef PROTO_CLI_ASK_H
#define PROTO_CLI_ASK_H

#include <stdint.h>

#include <jansson.h>

#include "proto/cli/cli.h"

#define ASK_WAIT_MS 20000

/*
 * Sends `question` (taken) to the socket at path and reads the answer. On
 * CLI_OK the caller owns *answer, an object with "ok": true. Otherwise the
 * reason was said and *answer is NULL: CLI_NOT_RUNNING; CLI_FILE: the socket
 * is not ours; CLI_FAILED: refused, or no answer in time.
 */
int ask_take(const struct cli *c, const char *path, json_t *question,
    int64_t wait_ms, json_t **answer);
/* The same, but a refusal is the caller's to tell: CLI_OK with any object. */
int ask_any(const struct cli *c, const char *path, json_t *question,
    int64_t wait_ms, json_t **answer);

#endif
