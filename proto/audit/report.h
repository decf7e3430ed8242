/*
 * report.h: `report audit` and `report region`: reads a log, over a link or
 * from the directories of exports, and writes the report.
 */
#ifndef PROTO_AUDIT_REPORT_H
#define PROTO_AUDIT_REPORT_H

#include "proto/audit/link.h"
#include "proto/audit/names.h"
#include "proto/audit/trust.h"

#define AUDIT_REPORT_AUDIT_ARGS						\
	"--html=FILE|--json [--from=TIME] [--to=TIME] [--dir=DIR] "	\
	"[--language=nl|en]"
#define AUDIT_REPORT_AUDIT_SUMMARY "report on a period of the log"
#define AUDIT_REPORT_AUDIT_HELP						\
	"Volumes, refusals by reason, how long it took until a referral\n" \
	"was collected, taken up, in progress and ended, what was overdue,\n" \
	"withdrawals and how fast they were erased, where the policy was\n" \
	"looser, how the log is signed and witnessed. One page without\n" \
	"scripts, made for paper too. TIME as in 'audit query'. --dir reads\n" \
	"an export instead of asking the broker. The report holds small\n" \
	"counts: it is for who may read the log."
#define AUDIT_REPORT_AUDIT_OPTIONS					\
	"html=", "from=", "to=", "dir=", "language="

#define AUDIT_REPORT_REGION_ARGS					\
	"--html=FILE|--csv|--json [--from=QUARTER] [--to=QUARTER] "	\
	"[--dir=DIR ...] [--language=nl|en]"
#define AUDIT_REPORT_REGION_SUMMARY					\
	"counts by quarter, municipality and practice, to share"
#define AUDIT_REPORT_REGION_HELP					\
	"Counts of referrals and of each step, and no count that tells of\n" \
	"a person: below small_numbers_below of the policy (at least 10)\n" \
	"they are hidden, with all that would give them away. QUARTER is\n" \
	"2026-Q3; the last four that are over if none is given. --dir\n"  \
	"reads exports instead of asking the broker, and may be given for\n" \
	"each log of a region."
#define AUDIT_REPORT_REGION_OPTIONS					\
	"html=", "csv", "from=", "to=", "dir=", "language="

struct audit_report {
	const struct cli *cli;
	struct audit_link *link;		/* NULL: from --dir */
	const struct audit_trust *trust;
	const struct audit_names *names;	/* NULL: none is known */
};

/* The i-th --dir of the command line; NULL: there are no more. */
const char *audit_report_dir(const struct cli *c, size_t i);

/* Reads and writes all of it. CLI_OK; otherwise it was said: as audit_records,
 * audit_dir_records; CLI_USAGE; CLI_FILE: what is written; CLI_FAILED: more
 * than there is room for, or a checkpoint that is not the broker's. */
int audit_report_for_audit(const struct audit_report *r);
int audit_report_for_region(const struct audit_report *r);

#endif
