/*
 * region_data.h: what region.h tells, as CSV for a spreadsheet and as JSON, and
 * the names of its steps.
 */
#ifndef PROTO_AUDIT_REGION_DATA_H
#define PROTO_AUDIT_REGION_DATA_H

#include <jansson.h>
#include <stdio.h>

#include "proto/audit/report_region.h"

struct audit_region_data_step {
	const char *key, *nl, *en, *nl_means, *en_means;
};
/* Of an enum audit_region_step. */
const struct audit_region_data_step *audit_region_data_step(size_t i);

/* Whether it could be written is in the error of `f`. */
void audit_region_data_csv(const struct audit_report_region *r, FILE *f);
/* NULL: no memory. A hidden count is null. */
json_t *audit_region_data_json(const struct audit_report_region *r);

#endif
