/*
 * format.h: records in the form that was asked for, one at a time: nothing is
 * kept, so an answer of any length fits. An output has one form; those of
 * NEN 7513 and of the Logboek Dataverwerkingen share no field.
 */
#ifndef PROTO_AUDIT_FORMAT_H
#define PROTO_AUDIT_FORMAT_H

#include <stdio.h>

#include "proto/audit/names.h"
#include "proto/audit/policies.h"
#include "proto/audit/records.h"

enum audit_format {
	AUDIT_FORMAT_TABLE,
	AUDIT_FORMAT_JSON,	/* one object a line; so are the last two */
	AUDIT_FORMAT_CSV,
	AUDIT_FORMAT_NEN7513,
	AUDIT_FORMAT_LDV,
};

/* "format=", and "csv" and "json" for two of them. CLI_OK, or CLI_USAGE, said:
 * no such form, or more than one. */
int audit_format_option(const struct cli *c, enum audit_format *out);

struct audit_format_to {
	const struct cli *cli;
	FILE *f;
	enum audit_format format;
	enum kl_lang lang;			/* of CSV and headings */
	const struct audit_names *names;	/* of CSV; NULL: none known */
	const char *origin;			/* of NEN7513 and LDV */
	struct audit_policies policies;		/* of NEN7513 */
	const char *activity;			/* of LDV; NULL: none */
	bool begun;				/* the headings are there */
	uint64_t n;				/* records written */
};

/* Each answers CLI_OK, or CLI_FAILED and says how far it came: nobody reads on,
 * the disk is full. SIGPIPE is to be ignored. Headings come with the first
 * record, or at the end: of a question that is refused nothing is written. */

/* `arg` is a struct audit_format_to: for audit_records. */
int audit_format_put(void *arg, const struct audit_record *r);
int audit_format_end(struct audit_format_to *to);

#endif
