/*
 * output.h: what a command says: tables and lists of at most 80 columns, or
 * JSON; and errors.
 */
#ifndef PROTO_CLI_OUTPUT_H
#define PROTO_CLI_OUTPUT_H

#include <jansson.h>

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/types.h>

#include "proto/cli/cli.h"

#define OUTPUT_HEX_MAX 1024

struct output_column {
	const char *key;	/* in each object */
	const char *title;
	int width;		/* columns of the terminal; longer is cut */
};

/* Members of an object as "name: value" lines, or as JSON with "ok": true.
 * Takes `o`; NULL means no memory. Answers CLI_OK or CLI_FAILED. */
int output_take(const struct cli *c, json_t *o);
/* The array `key` of `o` as a table, or all of `o` as JSON. Takes `o`. */
int output_take_table(const struct cli *c, json_t *o, const char *key,
    const struct output_column *columns, size_t n);

/* One line on standard error, and with --json an object on standard output.
 * Answers `code`. */
int output_fail(const struct cli *c, enum cli_exit code, const char *format,
    ...) __attribute__((format(printf, 3, 4)));
/* Of an error of the library, about `what`: its exit code and sentence. */
int output_fail_err(const struct cli *c, int err, const char *what);
/* The answer of a daemon whose "ok" is not true: code, field, and the sentence
 * "nl" or "en", or else "text". CLI_FAILED. */
int output_refused(const struct cli *c, json_t *answer);

/* Text of others: without control characters, ways to turn the direction of
 * writing, and broken UTF-8. */
struct output_text { char b[600]; };
struct output_text output_text(struct kl_bytes in);
/* Instants as JSON text. */
json_t *output_time(int64_t time_ms);
json_t *output_id(const struct kl_id *id);
/* At most OUTPUT_HEX_MAX bytes; more is "". */
json_t *output_hex(struct kl_bytes b);

#endif
