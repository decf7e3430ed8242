/*
 * json.h: a record of the log as a JSON object: the fields of PROTOCOL.md 10.2
 * by their names, and what a proof needs of it.
 */
#ifndef PROTO_AUDIT_JSON_H
#define PROTO_AUDIT_JSON_H

#include <jansson.h>

#include "proto/audit/records.h"

/*
 * "leaf", its hash, "salt" and "record" in hex (the packed record: whoever has
 * the three can prove it, 10.3), then the fields. Ids and the kind are "" if
 * none, other values that are none are left out. NULL: no memory. The caller
 * owns it.
 */
json_t *audit_json_record(const struct audit_record *r);
/* The fields alone, added to `o`; false: no memory. */
bool audit_json_fields(json_t *o, const struct kl_record *r);

#endif
