/*
 * filter.h: which records are meant, as a command line says it: names of
 * PROTOCOL.md's lists, and times as people in the Netherlands read them.
 */
#ifndef PROTO_AUDIT_FILTER_H
#define PROTO_AUDIT_FILTER_H

#include <stdint.h>

#include <kortelijn/wire/request.h>

#include "proto/cli/cli.h"

/* For the options of a command that calls audit_filter_read. Where --role is
 * an option of the whole program, "actor-role=" stands beside them and is read
 * instead. */
#define AUDIT_FILTER_OPTIONS						\
	"from=", "to=", "sender=", "receiver=", "kind=", "event=",	\
	"reference=", "message=", "outcome=", "role="

/*
 * Reads all of them; what is not given is zero and means any. --reference is a
 * spoken reference, or the id of a conversation, its own or the one that the
 * log gave it; --message the same of a message. CLI_OK, or CLI_USAGE: it was
 * said what is allowed.
 */
int audit_filter_read(const struct cli *c, struct kl_query_what *out);

/*
 * --from and --to alone, in minutes since 1970; 0: open. A day or a minute by
 * the clocks of Europe/Amsterdam, "2026-11-24" or "2026-11-24T09:30"; to is
 * exclusive, and a day that --to names belongs to it as a whole. CLI_OK,
 * CLI_USAGE.
 */
int audit_filter_span(const struct cli *c, int64_t *from_minute,
    int64_t *to_minute);

/* A reference as people give it, into conv_ref or spoken of `out`; false for
 * what is none. */
bool audit_filter_reference(const char *text, struct kl_query_what *out);

#endif
