/*
 * report_read.h: what a report reads: the records, the policies that counted,
 * and what the log says of itself.
 */
#ifndef PROTO_AUDIT_REPORT_READ_H
#define PROTO_AUDIT_REPORT_READ_H

#include "proto/audit/report.h"
#include "proto/audit/report_audit.h"

/* Each record from that minute on, to `take`, which answers KL_OK or why not;
 * *gaps: some of those between the first and the last were not there to read.
 * CLI_OK; otherwise it was said. */
struct audit_report_read {
	int (*take)(void *arg, uint64_t leaf, const struct kl_record *r);
	void *arg;
	bool gaps;
	int64_t last;		/* minute of the last one; 0: none */

	/* of the reading */
	const struct cli *cli;
	uint64_t next;
};
int audit_report_read_link(const struct audit_report *r, int64_t from,
    struct audit_report_read *to);
int audit_report_read_dir(const struct audit_report *r, const char *dir,
    struct audit_report_read *to);

/* Over a link: the state, which points into mem, and its checkpoints, verified
 * by r->trust. CLI_OK, CLI_FAILED, as audit_link_ask. */
int audit_report_read_state(const struct audit_report *r,
    struct kl_arena *mem, struct kl_query_state *state,
    struct audit_report_head *head);
/* The checkpoint of an export. CLI_OK, CLI_FILE, CLI_FAILED. */
int audit_report_read_head(const struct audit_report *r, const char *dir,
    struct audit_report_head *head);

/* Policies that counted between two minutes, in their order; free with free.
 * Over a link all are asked for; of a directory they are those of `m`.
 * CLI_OK, CLI_FAILED, as audit_policies_read. */
struct audit_report_loads { struct audit_report_load *v; size_t n; };
int audit_report_read_policies(const struct audit_report *r,
    const struct audit_measure *m, const char *dir,
    struct audit_report_loads *out);

#endif
