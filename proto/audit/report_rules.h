/*
 * report_rules.h: chapters of the report for auditors: under which rules it
 * all went, how erasure and keys are kept, and how far the log is signed and
 * witnessed.
 */
#ifndef PROTO_AUDIT_REPORT_RULES_H
#define PROTO_AUDIT_REPORT_RULES_H

#include "proto/audit/report_audit.h"

/* A value that was looser than the table has it, without a break. */
struct audit_report_rules_looser {
	enum kl_policy_key key;
	struct kl_term value;
	int64_t from, to;	/* minutes; to INT64_MAX: still */
	bool counted;		/* false: asked for, and the default counted */
	const struct kl_policy_override *by;
};
#define AUDIT_REPORT_LOOSER_MAX 256
struct audit_report_rules_list {
	struct audit_report_rules_looser v[AUDIT_REPORT_LOOSER_MAX];
	size_t n;		/* in all; more than fit are counted */
};
/* All of them in the period, in the order of the table of policy.h. */
void audit_report_rules_looser(const struct audit_report_audit *r,
    struct audit_report_rules_list *out);

void audit_report_rules_policy(struct audit_page *p,
    const struct audit_report_audit *r);
void audit_report_rules_keys(struct audit_page *p,
    const struct audit_report_audit *r);
void audit_report_rules_log(struct audit_page *p,
    const struct audit_report_audit *r);
void audit_report_rules_unknown(struct audit_page *p,
    const struct audit_report_audit *r);

#endif
