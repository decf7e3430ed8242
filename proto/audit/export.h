/*
 * export.h: `audit export`: the log behind a link as a directory that shows
 * itself. PROTOCOL.md 10.12.
 */
#ifndef PROTO_AUDIT_EXPORT_H
#define PROTO_AUDIT_EXPORT_H

#include <kortelijn/crypto/note.h>

#include "proto/audit/dirout.h"
#include "proto/audit/link.h"
#include "proto/audit/names.h"

/* For the row of a table of commands. */
#define AUDIT_EXPORT_ARGS						\
	"DIR [--from=TIME] [--to=TIME] [--language=nl|en]"
#define AUDIT_EXPORT_SUMMARY "hand out the log so that it shows itself"
#define AUDIT_EXPORT_HELP						\
	"Writes DIR: the hashes of all leaves, the records that you may\n" \
	"read and that are within their term, all checkpoints that were\n" \
	"kept, loaded policies and cards. index.html says what is in it,\n" \
	"VERIFY.txt how to verify it with OpenSSL alone; 'kortelijn audit\n" \
	"verify DIR' does all of that and holds the records against the\n" \
	"rules. --from and --to leave records out, no hash: days or\n"	\
	"minutes in Dutch time. DIR must not be there; what was cut short\n" \
	"begins anew."
#define AUDIT_EXPORT_OPTIONS "from=", "to=", "language="

/* Whose log it is, and what goes with it. */
struct audit_export {
	const struct kl_sign_pk *pk;	/* its key */
	const char *cards;		/* directory of cards to add; NULL */
	const struct audit_names *names;	/* NULL: none known */
	const char *reader;		/* "": the operator, who reads all */
};

/* The directory is the command's first argument. CLI_OK, or it was said:
 * CLI_USAGE; CLI_FILE: the directory is there or cannot be written;
 * CLI_FAILED: what the log answered does not lead to its checkpoint, or as
 * audit_link_ask. */
int audit_export(struct cli *c, struct audit_link *l,
    const struct audit_export *e);

#endif
