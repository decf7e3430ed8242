#include "proto/audit/nen7513.h"

#include <string.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/origin.h>
#include <kortelijn/base/time.h>

#include "proto/audit/words.h"
#include "proto/cli/output.h"

/* Codes that the norm takes from RFC 3881. */
#define OUTCOME_SUCCESS 0
#define OUTCOME_MINOR_FAILURE 4
#define OBJECT_SYSTEM 2
#define SOURCE_APPLICATION_SERVER 4

static void
put(json_t *o, const char *key, json_t *value)
{
	(void)json_object_set_new(o, key, value);
}

static void
put_text(json_t *o, const char *key, const char *text)
{
	if (text[0] != '\0')
		put(o, key, json_string(text));
}

static bool
none(struct kl_bytes b)
{
	return kl_bytes_zero(b);
}

/* ---- what --------------------------------------------------------------- */

/* Create, read, update, delete, execute. */
static const char *
action(uint32_t event)
{
	switch (event) {
	case KL_EV_ORIGIN:
	case KL_EV_CARD:
	case KL_EV_ACCEPTED:
	case KL_EV_PRESENTED:
		return "C";
	case KL_EV_RELEASED:
	case KL_EV_QUERY:
		return "R";
	case KL_EV_ERASED:
		return "D";
	case KL_EV_REVOCATION:
	case KL_EV_POLICY:
	case KL_EV_DELIVERED:
	case KL_EV_DEAD:
	case KL_EV_EXPIRED:
	case KL_EV_UNCONFIRMED:
	case KL_EV_CONSENT_WITHDRAWN:
	case KL_EV_WITHDRAWN:
	case KL_EV_LOST:
	case KL_EV_CONSENT_ENDED:
		return "U";
	default:
		return "E";
	}
}

static void
put_event(json_t *o, const struct kl_record *r)
{
	put_text(o, "EventID", kl_event_name(r->event));
	if (r->kind != 0)
		put_text(o, "eventTypeCode", kl_kind_name(r->kind));
	put_text(o, "EventActionCode", action(r->event));
	put(o, "EventDateTime", output_time(r->time_minute * KL_MINUTE_MS));
	put(o, "EventOutcomeIndicator", json_integer(r->outcome == 1 ?
	    OUTCOME_SUCCESS : OUTCOME_MINOR_FAILURE));
}

/* ---- who ---------------------------------------------------------------- */

/* Role and key of who did it; there is no address. */
static void
put_actor(json_t *user, const struct kl_record *r)
{
	put_text(user, "roleIDCode", kl_role_name(r->actor_role));
	put(user, "alternateUserID", output_hex(KL_BYTES_OF(r->actor_key_id)));
	put_text(user, "networkAccessPointTypeCode", "actor_key_id");
	put(user, "networkAccessPointID",
	    output_hex(KL_BYTES_OF(r->actor_key_id)));
}

/* An organisation of the record; `acts` is AUDIT_ACTOR_FROM or _TO, whichever
 * it is. */
static void
put_organisation(json_t *users, const struct kl_record *r,
    const struct kl_id *id, enum audit_actor acts)
{
	const enum audit_actor who = audit_words_actor(r);
	json_t *user;

	if (kl_id_none(id))
		return;
	user = json_pack("{s:s}", "userID", kl_id_text(id).b);
	if (who != AUDIT_ACTOR_UNKNOWN)
		put(user, "userIsRequestor", json_boolean(who == acts));
	if (who == acts && r->actor_role != KL_BROKER)
		put_actor(user, r);
	(void)json_array_append_new(users, user);
}

/* "oin-00000009000000000001/log/..." is the log of oin:0000... */
static struct kl_id_text
broker_of(const char *origin)
{
	struct kl_id_text t = { "" };
	const size_t n = strcspn(origin, "/");
	char *dash;

	if (n < sizeof t.b) {
		memcpy(t.b, origin, n);
		if ((dash = strchr(t.b, '-')) != NULL)
			*dash = ':';
	}
	return t;
}

/* The broker, or one of the two of whom the record does not say which. */
static void
put_other(json_t *users, const struct kl_record *r, const char *origin)
{
	const enum audit_actor who = audit_words_actor(r);
	json_t *user;

	if (r->actor_role != KL_BROKER && who != AUDIT_ACTOR_UNKNOWN)
		return;
	user = json_object();
	if (r->actor_role == KL_BROKER)
		put_text(user, "userID", broker_of(origin).b);
	put(user, "userIsRequestor", json_boolean(who != AUDIT_ACTOR_FROM &&
	    who != AUDIT_ACTOR_TO));
	put_actor(user, r);
	(void)json_array_append_new(users, user);
}

static json_t *
users(const struct kl_record *r, const char *origin)
{
	json_t *list = json_array();

	put_organisation(list, r, &r->org_from, AUDIT_ACTOR_FROM);
	if (!kl_id_equal(&r->org_from, &r->org_to))
		put_organisation(list, r, &r->org_to, AUDIT_ACTOR_TO);
	put_other(list, r, origin);
	return list;
}

/* ---- about what --------------------------------------------------------- */

static json_t *
object(const char *type, const char *role, struct kl_bytes id)
{
	return json_pack("{s:i,s:s,s:s,s:o}",
	    "participantObjectTypeCode", OBJECT_SYSTEM,
	    "participantObjectTypeCodeRole", role,
	    "participantObjectIDTypeCode", type,
	    "participantObjectID", output_hex(id));
}

static void
put_detail(json_t *o, const struct kl_record *r)
{
	json_t *d = json_object();

	if (r->prev_state != 0)
		put_text(d, "prev_state",
		    kl_message_state_name(r->prev_state));
	if (r->milestone != 0)
		put_text(d, "milestone", kl_milestone_name(r->milestone));
	if (!none(KL_BYTES_OF(r->body_hash)))
		put(d, "body_hash", output_hex(KL_BYTES_OF(r->body_hash)));
	if (r->due_minute != 0)
		put(d, "due", output_time(r->due_minute * KL_MINUTE_MS));
	if (json_object_size(d) > 0)
		put(o, "participantObjectDetail", d);
	else
		json_decref(d);
}

/* The message, or what else was acted on; and its conversation. */
static json_t *
objects(const struct kl_record *r)
{
	json_t *list = json_array(), *o = NULL;

	if (!none(KL_BYTES_OF(r->msg_ref)))
		o = object("msg_ref", r->kind != 0 ? kl_kind_name(r->kind) :
		    "message", KL_BYTES_OF(r->msg_ref));
	else if (none(KL_BYTES_OF(r->conv_ref)) &&
	    !none(KL_BYTES_OF(r->body_hash)))
		o = object("body_hash", kl_event_name(r->event),
		    KL_BYTES_OF(r->body_hash));
	if (o != NULL) {
		if (r->new_state != 0)
			put_text(o, "participantObjectDataLifeCycle",
			    kl_message_state_name(r->new_state));
		put_detail(o, r);
		(void)json_array_append_new(list, o);
	}
	if (none(KL_BYTES_OF(r->conv_ref)))
		return list;
	o = object("conv_ref", "conversation", KL_BYTES_OF(r->conv_ref));
	if (json_array_size(list) == 0)
		put_detail(o, r);
	(void)json_array_append_new(list, o);
	return list;
}

/* ---- under what --------------------------------------------------------- */

/* Consent and conversation are one; the body of a REFERRAL carries it. */
static void
put_consent(json_t *o, const struct kl_record *r)
{
	json_t *consent;

	if (none(KL_BYTES_OF(r->conv_ref)))
		return;
	consent = json_pack("{s:o}", "conv_ref",
	    output_hex(KL_BYTES_OF(r->conv_ref)));
	if (r->kind == KL_REFERRAL && !none(KL_BYTES_OF(r->body_hash)))
		put(consent, "body_hash",
		    output_hex(KL_BYTES_OF(r->body_hash)));
	put(o, "toestemmingsProfiel", consent);
}

/* What is accepted passed all of them. */
static void
put_checks(json_t *o, const struct kl_record *r)
{
	json_t *checks;

	if (r->event == KL_EV_ACCEPTED) {
		put(o, "controles", json_pack("{s:s}", "result", "passed"));
		return;
	}
	if (r->reason == KL_C_OK)
		return;
	checks = json_pack("{s:s,s:s}", "result", r->outcome == 1 ? "done" :
	    "refused", "reason", kl_code_name(r->reason));
	put(checks, "count", json_integer(r->count));
	put(o, "controles", checks);
}

json_t *
audit_nen7513_record(const struct audit_record *rec, const char *origin,
    const struct audit_policies *policies)
{
	const struct audit_policy *policy = audit_policies_at(policies,
	    rec->leaf);
	const struct kl_record *r = &rec->r;
	json_t *o = json_object();

	if (o == NULL)
		return NULL;
	put_event(o, r);
	put(o, "users", users(r, origin));
	put(o, "participants", objects(r));
	if (policy != NULL)
		put(o, "autorisatieProtocol",
		    output_hex(KL_BYTES_OF(policy->hash)));
	put_text(o, "behandelrelatieProtocol", "not applicable");
	put_consent(o, r);
	put_checks(o, r);
	put_text(o, "AuditEnterpriseSiteID", broker_of(origin).b);
	put_text(o, "AuditSourceId", origin);
	put(o, "AuditSourceTypeCode",
	    json_integer(SOURCE_APPLICATION_SERVER));
	return o;
}
