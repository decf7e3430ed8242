/*
 * ldv.h: a record of the log as a line of the Logboek Dataverwerkingen
 * (Logius): a span of the trace that its conversation is. No organisation, no
 * role and no key: that log names no users. What joins it with the adapters'
 * own logs is conv_ref.
 */
#ifndef PROTO_AUDIT_LDV_H
#define PROTO_AUDIT_LDV_H

#include <jansson.h>

#include "proto/audit/records.h"

/*
 * trace_id is conv_ref; a record without one is a trace of its own, of 16
 * bytes of its leaf's hash. span_id: the last 8 bytes of that hash. activity:
 * reference to the register of processing activities, NULL: not given; its
 * attribute stays out, and so does the data subject: the broker knows none.
 * NULL: no memory. The caller owns it.
 */
json_t *audit_ldv_record(const struct audit_record *r, const char *origin,
    const char *activity);
/* An absolute URI: a scheme, a colon, and printable ASCII without blanks. */
bool audit_ldv_activity_valid(const char *uri);

#endif
