/*
 * nen7513.h: a record of the log in the field names of NEN 7513. The broker
 * knows neither person nor staff, no names and no addresses: what it does not
 * know stays out. DOMAIN 2.4; kortelijn(1) has the table.
 */
#ifndef PROTO_AUDIT_NEN7513_H
#define PROTO_AUDIT_NEN7513_H

#include <jansson.h>

#include "proto/audit/policies.h"
#include "proto/audit/records.h"

/* origin: name of the log; policies: for the policy in force, see
 * audit_policies_at. NULL: no memory. The caller owns it. */
json_t *audit_nen7513_record(const struct audit_record *r, const char *origin,
    const struct audit_policies *policies);

#endif
