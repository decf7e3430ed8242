/*
 * report_data.h: the report for auditors as JSON. Durations are in minutes, or
 * in working days where it says so; null where not so many are done yet.
 */
#ifndef PROTO_AUDIT_REPORT_DATA_H
#define PROTO_AUDIT_REPORT_DATA_H

#include <jansson.h>

#include "proto/audit/report_audit.h"

/* NULL: no memory. The caller owns it. */
json_t *audit_report_data_json(const struct audit_report_audit *r);

#endif
