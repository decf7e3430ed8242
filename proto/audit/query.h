/*
 * query.h: `audit query`, the same wherever the log is: at the broker, and at
 * an adapter, which asks for its own organisation.
 */
#ifndef PROTO_AUDIT_QUERY_H
#define PROTO_AUDIT_QUERY_H

#include <kortelijn/base/origin.h>
#include <kortelijn/domain/list.h>

#include "proto/audit/filter.h"
#include "proto/audit/link.h"
#include "proto/audit/names.h"

/* For the row of a table of commands. role: how the option for the role in a
 * record is called, see filter.h. */
#define AUDIT_QUERY_ARGS AUDIT_QUERY_ARGS_WITH("role")
#define AUDIT_QUERY_ARGS_WITH(role)					\
	"[--from=TIME] [--to=TIME] [--sender=ID] [--receiver=ID] "	\
	"[--kind=KIND] [--event=EVENT] [--reference=REFERENCE] "	\
	"[--message=ID] [--outcome=done|refused] [--" role "=ROLE] "	\
	"[--csv] [--format=nen7513|ldv] [--language=nl|en] "		\
	"[--activity=URI]"
#define AUDIT_QUERY_SUMMARY "find records in the delivery log"
#define AUDIT_QUERY_HELP						\
	"Prints the records that fit all that is given, in the order of\n" \
	"the log, as they come. TIME is a day or a minute in Dutch time,\n" \
	"2026-11-24 or 2026-11-24T09:30; a day that --to names belongs to\n" \
	"it. Sender and receiver are those of the record. REFERENCE is a\n" \
	"spoken reference, or the id of a conversation. --json prints one\n" \
	"object a line; --csv is for Excel; nen7513 and ldv are one object\n" \
	"a line with the fields of NEN 7513, or of the Logboek\n"	\
	"Dataverwerkingen. The question itself becomes a record."
#define AUDIT_QUERY_OPTIONS						\
	AUDIT_FILTER_OPTIONS, "csv", "format=", "language=", "activity="

/*
 * Asks and prints on standard output, and says on standard error how many
 * records there were. names: NULL if none is known. CLI_OK, CLI_USAGE, or what
 * the link and audit_format answer.
 */
int audit_query(struct cli *c, struct audit_link *l,
    const struct audit_names *names);

/* --language; if it is not given, that of the program. CLI_OK, or CLI_USAGE,
 * said. */
int audit_query_language(const struct cli *c, enum kl_lang *out);
/* The name of the log in a checkpoint, which is not verified here. CLI_OK;
 * CLI_FAILED, said: it has none. */
int audit_query_origin(const struct cli *c, struct kl_bytes note,
    char out[KL_ORIGIN_MAX]);

#endif
