/*
 * region.h: what a region may tell of itself: counts of referrals by quarter,
 * municipality and practice, of which none tells of a person. DOMAIN P53, rows
 * 3, 9 and 43.
 *
 * A conversation counts once for each step, in the quarter in which it was
 * taken. Only quarters that are over are told, and each by itself: nothing
 * that is told of one depends on which others are asked for, so that no two
 * reports can be subtracted. A log is read from its beginning for that.
 */
#ifndef PROTO_AUDIT_REGION_H
#define PROTO_AUDIT_REGION_H

#include <kortelijn/wire/signed.h>

#include "proto/audit/orgs.h"
#include "proto/audit/reftab.h"

#define AUDIT_REGION_FIRST (4 * 2000)	/* quarters are counted from here */
#define AUDIT_REGION_QUARTERS_MAX 400
#define AUDIT_REGION_OPEN_MAX (1u << 20)	/* conversations at one time */

enum audit_region_step {
	AUDIT_REGION_REFERRED,
	AUDIT_REGION_COLLECTED,
	AUDIT_REGION_TAKEN_UP,
	AUDIT_REGION_IN_PROGRESS,
	AUDIT_REGION_ENDED,
	AUDIT_REGION_RETURNED,
	AUDIT_REGION_WITHDRAWN,
	AUDIT_REGION_EXPIRED,
	AUDIT_REGION_STEPS,
};

struct audit_region {
	struct audit_orgs orgs;
	int32_t *since;		/* by organisation: its first quarter; 0: it
				 * has no part in referrals of practices */
	/* The first quarter (4 * year + quarter - 1) that all logs have as a
	 * whole, and the first that is not over in all; 0: no record yet. */
	int32_t from, to;
	/* Counts by organisation and step, or NULL. */
	uint32_t *counts[AUDIT_REGION_QUARTERS_MAX];
	bool begun;		/* this log */
	int64_t last;		/* minute */
	struct audit_reftab talks;
};

/* KL_E_MEMORY. The caller clears what was begun. */
int audit_region_begin(struct audit_region *r) KL_MUST_CHECK;
void audit_region_clear(struct audit_region *r);
/* The next record of a log. KL_E_FULL: more organisations or open
 * conversations than there is room for; KL_E_MEMORY. */
int audit_region_take(struct audit_region *r, uint64_t leaf,
    const struct kl_record *rec) KL_MUST_CHECK;
/* That was this log, as of that minute (0: of its last record); the next may
 * follow. */
void audit_region_log_end(struct audit_region *r, int64_t now);

struct audit_region_cell { uint32_t n; bool hidden; };
struct audit_region_row {
	uint32_t org;		/* AUDIT_ORG_NONE: all of the region */
	struct audit_region_cell cells[AUDIT_REGION_STEPS];
};
/* Of one quarter: first municipalities, then practices, each in the order of
 * their ids, then all. */
struct audit_region_table {
	int32_t quarter;
	size_t municipalities, practices;
	struct audit_region_row *rows;	/* one more than both */
};
/* Every cell with whether it may be shown, for the limit `below`. KL_E_VALUE:
 * the quarter is not one of from..to - 1; KL_E_MEMORY. Free rows with free. */
int audit_region_table(const struct audit_region *r, int32_t quarter,
    uint32_t below, struct audit_region_table *out) KL_MUST_CHECK;

#endif
