/*
 * output.h: what a command says: tables and lists of at most 80 columns, or
 * JSON; and errors.
 */
#ifndef BROKER_CTL_OUTPUT_H
#define BROKER_CTL_OUTPUT_H

#include <jansson.h>

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/types.h>

#include "broker/ctl/ctl.h"

struct column {
	const char *key;	/* in each object */
	const char *title;
	int width;		/* columns of the terminal; longer is cut */
};

/* Members of an object as "name: value" lines, or as JSON with "ok": true.
 * Takes `o`; NULL means no memory. Answers CTL_OK or CTL_FAILED. */
int output_take(const struct ctl *c, json_t *o);
/* The array `key` of `o` as a table, or all of `o` as JSON. Takes `o`. */
int output_take_table(const struct ctl *c, json_t *o, const char *key,
    const struct column *columns, size_t n);

/* One line on standard error, and with --json an object on standard output.
 * Answers `code`. */
int output_fail(const struct ctl *c, enum ctl_exit code, const char *format,
    ...) __attribute__((format(printf, 3, 4)));
/* Of an error of the library, about `what`: its exit code and sentence. */
int output_fail_err(const struct ctl *c, int err, const char *what);

/* Text of others: without control characters, ways to turn the direction of
 * writing, and broken UTF-8. */
struct output_text { char b[KL_ID_BYTES + 200]; };
struct output_text output_text(struct kl_bytes in);
/* Instants as JSON text. */
json_t *output_time(int64_t time_ms);
json_t *output_id(const struct kl_id *id);
json_t *output_hex(struct kl_bytes in);

#endif
