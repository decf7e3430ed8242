#include "adapters/common/guard.h"

#include <string.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/secret.h>
#include <kortelijn/domain/render.h>

#define CONSENT_DAYS 730	/* unless the file says otherwise */

/* Labels that a municipality adds to the kinds of crisis. */
static int
local_kinds(struct turn *t, const struct kl_id *receiver, uint32_t *out)
{
	size_t mark = kl_arena_mark(t->mem);
	struct kl_profile_details d;
	struct kl_profile p;
	int r = directory_profile(t->store, t->mem, receiver, &p, &d);

	*out = r == KL_OK ? (uint32_t)d.n_local_crisis_kinds : 0;
	kl_arena_release(t->mem, mark);
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

static int
check_rules(struct turn *t, const struct kl_id *desk,
    const struct kl_referral *r, bool note, struct kl_finding *why)
{
	struct kl_rules_options o = { .today = kl_day_of(t->now_ms),
		.min_age = kl_policy_number(t->policy,
		    KL_POL_SUBJECT_MIN_AGE),
		.practical_note = note,
		.note_chars_max = kl_policy_number(t->policy,
		    KL_POL_PRACTICAL_NOTE_MAX) };
	int err = local_kinds(t, desk, &o.local_crisis_kinds);

	return err != KL_OK ? err : kl_rules_check_referral(r, &o, why);
}

int
guard_referral(struct turn *t, const struct kl_id *receiver,
    const struct kl_referral *r, struct kl_finding *why)
{
	return check_rules(t, receiver, r, kl_policy_yes(t->policy,
	    KL_POL_PRACTICAL_NOTE), why);
}

static int
refuse_consent(struct kl_finding *why, uint32_t code, const char *field)
{
	kl_finding_set(why, code, field);
	return KL_E_REFUSED;
}

/* A day of grace: the giver's day may have begun already. */
static int
check_dates(const struct turn *t, int32_t given_on, int32_t until,
    struct kl_finding *why)
{
	const int32_t today = kl_day_of(t->now_ms);
	const int32_t age = (int32_t)kl_policy_days(t->policy,
	    KL_POL_CONSENT_MAX_AGE_AT_SEND);
	const int32_t term = (int32_t)kl_policy_days(t->policy,
	    KL_POL_FEEDBACK_VALIDITY);

	if (given_on > today + 1 || given_on + age < today)
		return refuse_consent(why, KL_C_CONSENT_DATE,
		    "/consent/given_on");
	if (until < today || until > given_on + term)
		return refuse_consent(why, KL_C_CONSENT_DATE,
		    "/consent/valid_until");
	return KL_OK;
}

static int32_t
usual_until(const struct turn *t, int32_t given_on)
{
	const int32_t term = (int32_t)kl_policy_days(t->policy,
	    KL_POL_FEEDBACK_VALIDITY);

	return given_on + (term < CONSENT_DAYS ? term : CONSENT_DAYS);
}

int
guard_consent(const struct turn *t, const struct json_consent *in,
    struct kl_consent *out, struct kl_finding *why)
{
	int32_t until = in->valid_until != 0 ? in->valid_until :
	    usual_until(t, in->given_on);
	int r;

	memset(out, 0, sizeof *out);
	if ((r = check_dates(t, in->given_on, until, why)) != KL_OK)
		return r;
	if (!kl_policy_has(t->policy, KL_POL_CONSENT_FORMS, in->form))
		return refuse_consent(why, KL_C_FIELD_VALUE,
		    "/consent/form");
	out->referral = 1;
	out->feedback_level = in->feedback_level;
	out->form = in->form;
	out->info_text_version = in->info_text_version;
	out->given_on = (uint32_t)in->given_on;
	out->valid_until = (uint32_t)until;
	out->recorded_in_his = 1;
	out->n_onward_to = in->onward_n;
	memcpy(out->onward_to, in->onward_to,
	    in->onward_n * sizeof in->onward_to[0]);
	return KL_OK;
}

struct kl_hash
guard_preview(const struct kl_referral *r, const uint8_t salt[KL_SALT_BYTES])
{
	char text[KL_RENDER_MAX];
	struct kl_bytes parts[2];
	struct kl_hash h;
	size_t n;

	/* The largest referral fits; what does not is no referral, and its
	 * hash agrees with nothing. */
	if (kl_render_referral(r, KL_NL, text, sizeof text, &n) != KL_OK)
		n = 0;
	parts[0] = kl_bytes(salt, KL_SALT_BYTES);
	parts[1] = kl_bytes(text, n);
	h = kl_hash_parts(parts, 2);
	kl_wipe(text, sizeof text);
	return h;
}

/* What a reader of content says, as the sender of it should hear it. */
static uint32_t
content_code(int err)
{
	switch (err) {
	case KL_OK: return KL_C_OK;
	case KL_E_UNKNOWN: return KL_C_FIELD_UNKNOWN;
	case KL_E_VALUE: return KL_C_FIELD_VALUE;
	case KL_E_SIZE: return KL_C_FIELD_TOO_LONG;
	case KL_E_MEMORY: return KL_C_TRY_LATER;
	default: return KL_C_MALFORMED;
	}
}

/* Before the content is read: what another schema holds is not known here. */
static uint32_t
check_schema(const struct kl_envelope *e)
{
	uint32_t schema = e->header.content_schema;

	return schema < KL_SCHEMA_MIN || schema > KL_SCHEMA_MAX ?
	    KL_C_SCHEMA : KL_C_OK;
}

uint32_t
guard_opened_referral(struct turn *t, const struct kl_envelope *e,
    struct kl_bytes plain, struct kl_referral *out)
{
	uint8_t salt[KL_SALT_BYTES];
	struct kl_finding why;
	struct kl_hash preview;
	uint32_t schema, code;
	int r;

	if ((code = check_schema(e)) != KL_C_OK)
		return code;
	code = content_code(kl_content_read_referral(plain, t->mem, out, salt,
	    &schema));
	if (code != KL_C_OK)
		return code;
	if (schema != e->header.content_schema)
		return KL_C_SCHEMA;
	/* Whether a note is allowed is for the sender's policy to say. */
	r = check_rules(t, &t->id->id, out, true, &why);
	if (r == KL_E_REFUSED)
		return why.code;
	if (r != KL_OK)
		return KL_C_TRY_LATER;
	preview = guard_preview(out, salt);
	return kl_bytes_equal(KL_BYTES_OF(preview),
	    KL_BYTES_OF(e->preview_hash)) ? KL_C_OK : KL_C_PREVIEW;
}

uint32_t
guard_opened_feedback(struct turn *t, const struct kl_envelope *e,
    struct kl_bytes plain, struct kl_feedback *out)
{
	uint32_t schema, code;

	if ((code = check_schema(e)) != KL_C_OK)
		return code;
	code = content_code(kl_content_read_feedback(plain, t->mem, out,
	    &schema));
	if (code != KL_C_OK)
		return code;
	if (schema != e->header.content_schema)
		return KL_C_SCHEMA;
	if (out->level != e->header.feedback_level || out->level == 0)
		return KL_C_LEVEL;
	return kl_feedback_check(out, schema, NULL);
}
