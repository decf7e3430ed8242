/*
 * report_times.h: chapters of the report for auditors: how long each step
 * took, against what was agreed, and what became of deadlines.
 */
#ifndef PROTO_AUDIT_REPORT_TIMES_H
#define PROTO_AUDIT_REPORT_TIMES_H

#include "proto/audit/report_audit.h"

void audit_report_times_steps(struct audit_page *p,
    const struct audit_report_audit *r);
void audit_report_times_promised(struct audit_page *p,
    const struct audit_report_audit *r);
void audit_report_times_deadlines(struct audit_page *p,
    const struct audit_report_audit *r);

/* A plot of a spread over steps of time that end in one without end. */
struct audit_report_times_bin {
	uint32_t below;		/* 0: no end */
	const char *nl, *en;
};
struct audit_report_times_plot {
	const char *title, *counts, *rows;
	const struct audit_report_times_bin *bins;
	size_t n;
	size_t mark;		/* as in svg.h */
	const char *mark_text;
};
void audit_report_times_spread(struct audit_page *p,
    const struct audit_spread *s, const struct audit_report_times_plot *plot);
/* "de helft binnen 2 uur, 9 van de 10 binnen 2 dagen"; `days`: they are
 * working days. */
struct audit_report_times_text { char b[200]; };
struct audit_report_times_text audit_report_times_said(
    const struct audit_spread *s, bool days, enum kl_lang lang);

#endif
