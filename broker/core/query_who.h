/*
 * query_who.h: whose records somebody may read. PROTOCOL.md 7.11.3.
 */
#ifndef CORE_QUERY_WHO_H
#define CORE_QUERY_WHO_H

#include "broker/core/find.h"
#include "broker/core/query.h"

/* In the turn's memory. KL_E_MEMORY. */
int query_who(struct core *c, const struct asker *who, struct find_who *out)
    KL_MUST_CHECK;

#endif
