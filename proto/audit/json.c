#include "proto/audit/json.h"

#include <kortelijn/base/code.h>
#include <kortelijn/base/time.h>
#include <kortelijn/crypto/merkle.h>

#include "proto/audit/words.h"
#include "proto/cli/output.h"

/* Zeros are none. */
static json_t *
hex(struct kl_bytes b)
{
	return kl_bytes_zero(b) ? json_string("") : output_hex(b);
}

static json_t *
minute(int64_t at)
{
	return output_time(at * KL_MINUTE_MS);
}

/* A value of a list that is not in every record. */
static void
put_list(json_t *o, const char *key, uint32_t v, const char *name)
{
	if (v != 0)
		(void)json_object_set_new(o, key, json_string(name));
}

bool
audit_json_fields(json_t *o, const struct kl_record *r)
{
	json_t *f = json_pack("{s:s,s:s,s:o,s:s,s:s,s:o,s:o,s:o,s:s,s:o}",
	    "event", kl_event_name(r->event),
	    "kind", r->kind != 0 ? kl_kind_name(r->kind) : "",
	    "time", minute(r->time_minute),
	    "org_from", kl_id_text(&r->org_from).b,
	    "org_to", kl_id_text(&r->org_to).b,
	    "conv_ref", hex(KL_BYTES_OF(r->conv_ref)),
	    "msg_ref", hex(KL_BYTES_OF(r->msg_ref)),
	    "body_hash", hex(KL_BYTES_OF(r->body_hash)),
	    "actor_role", kl_role_name(r->actor_role),
	    "actor_key_id", hex(KL_BYTES_OF(r->actor_key_id)));

	if (f == NULL)
		return false;
	put_list(f, "milestone", r->milestone,
	    kl_milestone_name(r->milestone));
	put_list(f, "prev_state", r->prev_state,
	    kl_message_state_name(r->prev_state));
	put_list(f, "new_state", r->new_state,
	    kl_message_state_name(r->new_state));
	if (r->due_minute != 0)
		(void)json_object_set_new(f, "due", minute(r->due_minute));
	(void)json_object_set_new(f, "outcome",
	    json_string(audit_words_outcome_name(r->outcome)));
	(void)json_object_set_new(f, "reason",
	    json_string(kl_code_name(r->reason)));
	(void)json_object_set_new(f, "count", json_integer(r->count));
	(void)json_object_update(o, f);
	json_decref(f);
	return true;
}

json_t *
audit_json_record(const struct audit_record *r)
{
	const struct kl_hash hash = kl_record_leaf_hash(r->salt, r->packed);
	json_t *o = json_pack("{s:I,s:o,s:o,s:o}",
	    "leaf", (json_int_t)r->leaf,
	    "hash", hex(KL_BYTES_OF(hash)),
	    "salt", hex(KL_BYTES_OF(r->salt)),
	    "record", hex(r->packed));

	if (o != NULL && !audit_json_fields(o, &r->r)) {
		json_decref(o);
		return NULL;
	}
	return o;
}
