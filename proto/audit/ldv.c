#include "proto/audit/ldv.h"

#include <stdio.h>
#include <string.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/time.h>
#include <kortelijn/crypto/merkle.h>

#include "proto/audit/words.h"
#include "proto/cli/output.h"

#define TRACE_BYTES 16
#define SPAN_BYTES 8
#define URI_MAX 200

/* "Error" is a fault of the system itself; a refusal is none. */
static const char *
status(const struct kl_record *r)
{
	if (r->reason == KL_C_BROKER_DAMAGE)
		return "Error";
	return r->outcome == 1 ? "Ok" : "Unset";
}

/* "accepted referral" */
static json_t *
name(const struct kl_record *r)
{
	char text[2 * AUDIT_WORD_MAX];

	(void)snprintf(text, sizeof text, "%s%s%s", kl_event_name(r->event),
	    r->kind != 0 ? " " : "", r->kind != 0 ? kl_kind_name(r->kind) :
	    "");
	return json_string(text);
}

static json_t *
trace(const struct kl_record *r, const struct kl_hash *leaf)
{
	char text[2 * TRACE_BYTES + 1];

	if (kl_bytes_zero(KL_BYTES_OF(r->conv_ref)))
		kl_hex(kl_bytes(leaf->b, TRACE_BYTES), text);
	else
		kl_hex(KL_BYTES_OF(r->conv_ref), text);
	return json_string(text);
}

static json_t *
span(const struct kl_hash *leaf)
{
	char text[2 * SPAN_BYTES + 1];

	kl_hex(kl_bytes(leaf->b + sizeof leaf->b - SPAN_BYTES, SPAN_BYTES),
	    text);
	return json_string(text);
}

json_t *
audit_ldv_record(const struct audit_record *rec, const char *origin,
    const char *activity)
{
	const struct kl_hash leaf = kl_record_leaf_hash(rec->salt,
	    rec->packed);
	const int64_t at_ms = rec->r.time_minute * KL_MINUTE_MS;
	json_t *attributes = json_object();

	if (activity != NULL)
		(void)json_object_set_new(attributes,
		    "dpl.core.processing_activity_id", json_string(activity));
	return json_pack("{s:o,s:o,s:s,s:o,s:o,s:o,s:{s:{s:s,s:s}},s:o}",
	    "trace_id", trace(&rec->r, &leaf),
	    "span_id", span(&leaf),
	    "status", status(&rec->r),
	    "name", name(&rec->r),
	    "start_time", output_time(at_ms),
	    "end_time", output_time(at_ms),
	    "resource", "attributes", "name", "kortelijnd", "log", origin,
	    "attributes", attributes);
}

bool
audit_ldv_activity_valid(const char *uri)
{
	const size_t n = strlen(uri), scheme = strspn(uri,
	    "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");

	if (n > URI_MAX || scheme == 0 || uri[scheme] != ':' ||
	    uri[scheme + 1] == '\0')
		return false;
	for (size_t i = 0; i < n; i++)
		if (uri[i] <= ' ' || uri[i] > '~' || uri[i] == '"')
			return false;
	return true;
}
