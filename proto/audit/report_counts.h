/*
 * report_counts.h: chapters of the report for auditors: how much went to and
 * fro, what was refused, what was withdrawn and erased, what went wrong.
 */
#ifndef PROTO_AUDIT_REPORT_COUNTS_H
#define PROTO_AUDIT_REPORT_COUNTS_H

#include "proto/audit/report_audit.h"

void audit_report_counts_traffic(struct audit_page *p,
    const struct audit_report_audit *r);
/* Each organisation and each pair: long, so last. */
void audit_report_counts_who(struct audit_page *p,
    const struct audit_report_audit *r);
void audit_report_counts_refusals(struct audit_page *p,
    const struct audit_report_audit *r);
void audit_report_counts_erasing(struct audit_page *p,
    const struct audit_report_audit *r);
void audit_report_counts_mishaps(struct audit_page *p,
    const struct audit_report_audit *r);

#endif
