#include "adapters/common/json_content.h"

#include <stdio.h>
#include <string.h>

#include "adapters/common/jget.h"

/* ---- the content ----------------------------------------------------- */

static void
take_birth(struct jget *r, json_t *v, const struct jget_place *up,
    const char *key, struct kl_birth_date *out)
{
	const char *s = jget_string(r, v, up, key);

	if (s != NULL && kl_birth_read(s, out) != KL_OK)
		jget_refuse(r, KL_C_FIELD_VALUE, up, key);
}

static void
take_field(struct jget *r, json_t *v, const struct jget_place *up,
    const char *key, const struct kl_field *f, struct kl_referral *out)
{
	char *at = (char *)out + f->offset;
	uint32_t n;

	switch (f->kind) {
	case KL_FIELD_BIRTH_DATE:
		take_birth(r, v, up, key, &out->birth_date);
		return;
	case KL_FIELD_NUMBER:
		n = jget_number(r, v, up, key, f->min, f->max);
		break;
	case KL_FIELD_ANSWER:
		n = jget_answer(r, v, up, key);
		break;
	case KL_FIELD_LIST:
		n = jget_item(r, v, up, key, f->list);
		break;
	default:
		jget_text(r, v, up, key, at, f->bytes + 1);
		return;
	}
	memcpy(at, &n, sizeof n);
}

static bool
is_group(const char *key)
{
	return strcmp(key, "name") == 0 || strcmp(key, "referrer") == 0 ||
	    strcmp(key, "contact_person") == 0;
}

/* The fields whose path is `group` and one key; group NULL: all others. */
static void
take_fields(struct jget *r, json_t *o, const struct jget_place *at,
    const char *group, struct kl_referral *out)
{
	const char *key;
	json_t *v;

	if (!json_is_object(o)) {
		jget_refuse(r, KL_C_FIELD_VALUE, at, NULL);
		return;
	}
	json_object_foreach(o, key, v) {
		struct jget_place inner = { at, key };
		const struct kl_field *f = NULL;
		char path[64] = "";

		if (group == NULL && is_group(key)) {
			take_fields(r, v, &inner, key, out);
			continue;
		}
		/* A dot in a key must not reach into a group. */
		if (strchr(key, '.') == NULL && strlen(key) < 32) {
			(void)snprintf(path, sizeof path, "%s%s%s",
			    group == NULL ? "" : group,
			    group == NULL ? "" : ".", key);
			f = kl_field_find(path);
		}
		if (f == NULL)
			jget_refuse(r, KL_C_FIELD_UNKNOWN, at, key);
		else
			take_field(r, v, at, key, f, out);
	}
}

static void
take_content(struct jget *r, json_t *root, struct kl_referral *out)
{
	const struct jget_place at = { NULL, "referral" };
	json_t *o = jget(r, root, NULL, "referral");

	out->extract = KL_EXTRACT_FULL;
	if (o != NULL)
		take_fields(r, o, &at, NULL, out);
}

/* ---- consent --------------------------------------------------------- */

static void
take_informed(struct jget *r, json_t *o, const struct jget_place *up)
{
	static const char *const keys[] = {
		"purpose", "content", "consequences",
	};
	const struct jget_place at = { up, "informed" };

	if (o == NULL) {
		jget_refuse(r, KL_C_NOT_INFORMED, &at, NULL);
		return;
	}
	if (!JGET_CLOSED(r, o, &at, keys))
		return;
	for (size_t i = 0; i < 3; i++)
		if (!json_is_true(json_object_get(o, keys[i])))
			jget_refuse(r, KL_C_NOT_INFORMED, &at, keys[i]);
}

static void
take_onward(struct jget *r, json_t *v, const struct jget_place *up,
    struct json_consent *out)
{
	json_t *item;
	size_t i;

	if (v == NULL)
		return;
	if (!json_is_array(v) || json_array_size(v) > KL_ONWARD_MAX) {
		jget_refuse(r, KL_C_FIELD_VALUE, up, "onward_to");
		return;
	}
	json_array_foreach(v, i, item) {
		jget_id(r, item, up, "onward_to", &out->onward_to[i]);
		for (size_t k = 0; k < i; k++)
			if (kl_id_equal(&out->onward_to[k],
			    &out->onward_to[i]))
				jget_refuse(r, KL_C_FIELD_VALUE, up,
				    "onward_to");
		out->onward_n++;
	}
}

static void
take_consent_facts(struct jget *r, json_t *o, const struct jget_place *at,
    struct json_consent *out)
{
	const char *s;

	/* Feedback is for who ticked it: none is level 0. */
	out->feedback_level = jget_number(r, json_object_get(o,
	    "feedback_level"), at, "feedback_level", 0, 3) + KL_LEVEL_0;
	take_onward(r, json_object_get(o, "onward_to"), at, out);
	s = jget_string(r, jget(r, o, at, "form"), at, "form");
	if (s != NULL && (out->form = kl_form_read(s)) == 0)
		jget_refuse(r, KL_C_FIELD_VALUE, at, "form");
	out->given_on = jget_day(r, jget(r, o, at, "given_on"), at, "given_on");
	out->valid_until = jget_day(r, json_object_get(o, "valid_until"), at,
	    "valid_until");
	if (out->valid_until != 0 && out->valid_until < out->given_on)
		jget_refuse(r, KL_C_FIELDS_DISAGREE, at, "valid_until");
	out->info_text_version = jget_number(r, jget(r, o, at,
	    "info_text_version"), at, "info_text_version", 1, UINT32_MAX);
	out->asked_by = jget_item(r, jget(r, o, at, "asked_by"), at,
	    "asked_by", KL_LIST_STAFF_ROLE);
}

static void
take_consent(struct jget *r, json_t *root, struct json_consent *out)
{
	static const char *const keys[] = {
		"referral", "feedback_level", "onward_to", "form", "given_on",
		"valid_until", "informed", "info_text_version",
		"recorded_in_his", "asked_by",
	};
	const struct jget_place at = { NULL, "consent" };
	json_t *o = json_object_get(root, "consent");

	if (o == NULL) {
		jget_refuse(r, KL_C_NO_CONSENT, &at, NULL);
		return;
	}
	if (!JGET_CLOSED(r, o, &at, keys))
		return;
	if (!json_is_true(json_object_get(o, "referral")))
		jget_refuse(r, KL_C_NO_CONSENT, &at, "referral");
	take_informed(r, json_object_get(o, "informed"), &at);
	out->recorded_in_his = json_is_true(json_object_get(o,
	    "recorded_in_his"));
	if (!out->recorded_in_his)
		jget_refuse(r, KL_C_NOT_IN_HIS, &at, "recorded_in_his");
	take_consent_facts(r, o, &at, out);
}

/* ---- files ----------------------------------------------------------- */

static void
take_patient_ref(struct jget *r, json_t *v, char *out, size_t cap)
{
	jget_text(r, v, NULL, "patient_ref", out, cap);
	if (kl_rules_check_text(kl_bytes_str(out), KL_RULE_UTF8) != KL_C_OK)
		jget_refuse(r, KL_C_CHARACTER, NULL, "patient_ref");
}

int
json_read_referral(struct kl_bytes in, struct json_referral_file *out,
    struct kl_finding *why)
{
	static const char *const keys[] = {
		"schema", "referral_id", "patient_ref", "receiver",
		"referral", "consent",
	};
	struct jget r = { .why = why };
	json_t *root;
	int e;

	memset(out, 0, sizeof *out);
	e = jget_load(&r, in, &root);
	if (e == KL_OK && JGET_CLOSED(&r, root, NULL, keys)) {
		out->schema = jget_schema(&r, root);
		jget_client_id(&r, jget(&r, root, NULL, "referral_id"), NULL,
		    "referral_id", out->referral_id);
		take_patient_ref(&r, json_object_get(root, "patient_ref"),
		    out->patient_ref, sizeof out->patient_ref);
		jget_id(&r, jget(&r, root, NULL, "receiver"), NULL, "receiver",
		    &out->receiver);
		take_content(&r, root, &out->referral);
		take_consent(&r, root, &out->consent);
	}
	return jget_finish(&r, root, e, out, sizeof *out);
}

int
json_read_correction(struct kl_bytes in, struct json_correction_file *out,
    struct kl_finding *why)
{
	static const char *const keys[] = {
		"schema", "correction_of", "referral",
	};
	struct jget r = { .why = why };
	json_t *root;
	int e;

	memset(out, 0, sizeof *out);
	e = jget_load(&r, in, &root);
	if (e == KL_OK && JGET_CLOSED(&r, root, NULL, keys)) {
		out->schema = jget_schema(&r, root);
		jget_client_id(&r, jget(&r, root, NULL, "correction_of"), NULL,
		    "correction_of", out->correction_of);
		out->is_spoken = kl_spoken_read(out->correction_of,
		    &out->spoken) == KL_OK;
		take_content(&r, root, &out->referral);
	}
	return jget_finish(&r, root, e, out, sizeof *out);
}

static void
take_feedback(struct jget *r, json_t *root, struct kl_feedback *f)
{
	const char *s = jget_string(r, jget(r, root, NULL, "code"), NULL,
	    "code");

	if (s != NULL)
		f->code = kl_state_read(s);
	if (s != NULL && !kl_state_sendable(f->code))
		jget_refuse(r, KL_C_FIELD_VALUE, NULL, "code");
	f->category = jget_item(r, json_object_get(root, "category"), NULL,
	    "category", KL_LIST_CATEGORY);
	f->ground = jget_item(r, json_object_get(root, "ground"), NULL,
	    "ground", KL_LIST_GROUND);
	f->wanted = jget_item(r, json_object_get(root, "wanted"), NULL,
	    "wanted", KL_LIST_WANTED);
	f->day = jget_day(r, jget(r, root, NULL, "date"), NULL, "date");
}

int
json_read_feedback(struct kl_bytes in, struct json_feedback_file *out,
    struct kl_finding *why)
{
	static const char *const keys[] = {
		"schema", "reference", "code", "category", "ground",
		"wanted", "date",
	};
	struct jget r = { .why = why };
	json_t *root;
	int e;

	memset(out, 0, sizeof *out);
	e = jget_load(&r, in, &root);
	if (e == KL_OK && JGET_CLOSED(&r, root, NULL, keys)) {
		out->schema = jget_schema(&r, root);
		jget_spoken(&r, jget(&r, root, NULL, "reference"), NULL,
		    "reference", &out->reference);
		take_feedback(&r, root, &out->feedback);
	}
	return jget_finish(&r, root, e, out, sizeof *out);
}
