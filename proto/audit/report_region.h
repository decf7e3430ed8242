/*
 * report_region.h: `report region`: what region.h tells, as a page for the
 * project leader, which says what is hidden and why.
 */
#ifndef PROTO_AUDIT_REPORT_REGION_H
#define PROTO_AUDIT_REPORT_REGION_H

#include "proto/audit/names.h"
#include "proto/audit/page.h"
#include "proto/audit/region.h"

struct audit_report_region {
	const struct audit_region *region;
	const struct audit_names *names;	/* or NULL */
	uint32_t below;			/* small_numbers_below, P53 */
	/* Quarters; those that are not told are left out. to is exclusive. */
	int32_t from, to;
	int64_t made_ms;
	bool partial;		/* the reader may not read all of the log */
	enum kl_lang lang;

	/* filled by audit_report_region_begin */
	struct audit_region_table *tables;
	size_t n;
};

/* Makes the tables. KL_E_MEMORY, KL_E_VALUE; clear it also then. */
int audit_report_region_begin(struct audit_report_region *r) KL_MUST_CHECK;
void audit_report_region_clear(struct audit_report_region *r);

/* KL_OK, or why the page is not whole. Clear `page` after it. */
int audit_report_region_html(const struct audit_report_region *r,
    struct audit_page *page) KL_MUST_CHECK;

/* What is hidden and why, in one paragraph; and in one line, which stands
 * under every table. */
struct audit_report_region_text { char b[1024]; };
struct audit_report_region_text audit_report_region_rule(uint32_t below,
    enum kl_lang lang);
struct audit_report_region_text audit_report_region_line(uint32_t below,
    enum kl_lang lang);

#endif
