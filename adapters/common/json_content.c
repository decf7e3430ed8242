#include "adapters/common/json_content.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/render.h>

/* ---- findings ---- */

/* Where in the file, from the inside out. */
struct place {
	const struct place *up;
	const char *key;
};

struct reader {
	struct kl_finding *why;
	bool refused;
};

static void
append(struct kl_finding *f, const char *text)
{
	size_t n = strlen(f->field), more = strlen(text);

	if (n + more > KL_FINDING_FIELD_MAX)
		more = KL_FINDING_FIELD_MAX - n;
	memcpy(f->field + n, text, more);
	f->field[n + more] = '\0';
}

/* A key is the sender's text: nothing of it may reach a log but plain words. */
static void
append_key(struct kl_finding *f, const char *key)
{
	char one[2] = "/";

	append(f, one);
	for (size_t i = 0; key[i] != '\0' && i < 40; i++) {
		char c = key[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';

		one[0] = plain ? c : '?';
		append(f, one);
	}
}

static void
append_place(struct kl_finding *f, const struct place *at)
{
	if (at == NULL)
		return;
	append_place(f, at->up);
	append_key(f, at->key);
}

/* The first finding stays. */
static void
refuse(struct reader *r, uint32_t code, const struct place *up,
    const char *key)
{
	if (r->refused)
		return;
	r->refused = true;
	kl_finding_set(r->why, code, "");
	append_place(r->why, up);
	if (key != NULL)
		append_key(r->why, key);
}

void
json_finding_pointer(struct kl_finding *f)
{
	char path[KL_FINDING_FIELD_MAX + 1];

	if (f->field[0] == '\0' || f->field[0] == '/')
		return;
	memcpy(path, f->field, sizeof path);
	f->field[0] = '\0';
	append(f, "/referral/");
	for (char *p = path; *p != '\0'; p++)
		if (*p == '.')
			*p = '/';
	append(f, path);
}

/* ---- BSN, anywhere ---- */

static bool
date_form(const char *s)
{
	struct kl_birth_date b;

	return kl_birth_read(s, &b) == KL_OK;
}

/* Fields that hold digits by nature, if they hold what they should. */
static bool
exempt(const char *key, const char *s)
{
	static const char *const dates[] = {
		"birth_date", "given_on", "valid_until", "date",
	};

	if (strcmp(key, "phone") == 0)
		return kl_rules_phone(s);
	for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++)
		if (strcmp(key, dates[i]) == 0)
			return date_form(s);
	return false;
}

static bool
value_has_bsn(const char *key, const json_t *v)
{
	double d;

	switch (json_typeof(v)) {
	case JSON_STRING:
		return !exempt(key, json_string_value(v)) &&
		    kl_rules_has_bsn(kl_bytes(json_string_value(v),
		    json_string_length(v)));
	case JSON_INTEGER:
		return json_integer_value(v) > 0 &&
		    kl_rules_number_is_bsn((uint64_t)json_integer_value(v));
	case JSON_REAL:
		d = json_real_value(v);
		return d > 0 && d < 1e10 && d == (double)(uint64_t)d &&
		    kl_rules_number_is_bsn((uint64_t)d);
	default:
		return false;
	}
}

static void scan(struct reader *r, const struct place *up, const char *key,
    json_t *v);

static void
scan_inside(struct reader *r, const struct place *at, json_t *v)
{
	const char *key;
	json_t *item;
	size_t i;

	json_array_foreach(v, i, item)
		scan(r, at, "item", item);
	json_object_foreach(v, key, item) {
		if (kl_rules_has_bsn(kl_bytes_str(key)))
			refuse(r, KL_C_BSN, at, NULL);
		scan(r, at, key, item);
	}
}

/* jansson bounds the depth of what it parsed. */
static void
scan(struct reader *r, const struct place *up, const char *key, json_t *v)
{
	struct place at = { up, key };

	if (r->refused)
		return;
	if (value_has_bsn(key, v))
		refuse(r, KL_C_BSN, up, key);
	else if (json_is_array(v) || json_is_object(v))
		scan_inside(r, &at, v);
}

/* ---- one value ---- */

/* Every get wants the key there unless it says so, and answers a zero after a
 * refusal. */
static json_t *
get(struct reader *r, json_t *o, const struct place *up, const char *key)
{
	json_t *v = json_object_get(o, key);

	if (v == NULL)
		refuse(r, KL_C_FIELD_MISSING, up, key);
	return v;
}

static void
get_text(struct reader *r, json_t *v, const struct place *up,
    const char *key, char *out, size_t cap)
{
	size_t n;

	if (v == NULL)
		return;
	if (!json_is_string(v) || json_string_length(v) == 0) {
		refuse(r, KL_C_FIELD_VALUE, up, key);
		return;
	}
	n = json_string_length(v);
	if (n >= cap)
		refuse(r, KL_C_FIELD_TOO_LONG, up, key);
	else
		memcpy(out, json_string_value(v), n + 1);
}

static uint32_t
get_number(struct reader *r, json_t *v, const struct place *up,
    const char *key, uint32_t min, uint32_t max)
{
	if (v == NULL)
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < min ||
	    json_integer_value(v) > max) {
		refuse(r, KL_C_FIELD_VALUE, up, key);
		return 0;
	}
	return (uint32_t)json_integer_value(v);
}

static uint32_t
get_answer(struct reader *r, json_t *v, const struct place *up,
    const char *key)
{
	if (v == NULL)
		return 0;
	if (!json_is_boolean(v)) {
		refuse(r, KL_C_FIELD_VALUE, up, key);
		return 0;
	}
	return json_is_true(v) ? KL_ANSWER_YES : KL_ANSWER_NO;
}

static const char *
get_string(struct reader *r, json_t *v, const struct place *up,
    const char *key)
{
	if (v == NULL)
		return NULL;
	if (!json_is_string(v))
		refuse(r, KL_C_FIELD_VALUE, up, key);
	return json_string_value(v);
}

static uint32_t
get_item(struct reader *r, json_t *v, const struct place *up,
    const char *key, enum kl_list list)
{
	const char *s = get_string(r, v, up, key);
	uint32_t n = s == NULL ? 0 : kl_list_read(list, s);

	if (s != NULL && n == 0)
		refuse(r, KL_C_FIELD_VALUE, up, key);
	return n;
}

static int32_t
get_day(struct reader *r, json_t *v, const struct place *up, const char *key)
{
	const char *s = get_string(r, v, up, key);
	int32_t day = 0;

	if (s != NULL && kl_day_read(s, &day) != KL_OK)
		refuse(r, KL_C_FIELD_VALUE, up, key);
	return day;
}

static void
get_id(struct reader *r, json_t *v, const struct place *up, const char *key,
    struct kl_id *out)
{
	const char *s = get_string(r, v, up, key);

	if (s != NULL && kl_id_read(s, out) != KL_OK)
		refuse(r, KL_C_FIELD_VALUE, up, key);
}

static bool
client_id_form(const char *s)
{
	for (; *s != '\0'; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		    (*s >= '0' && *s <= '9') || *s == '.' || *s == '_' ||
		    *s == '-'))
			return false;
	return true;
}

static void
get_client_id(struct reader *r, json_t *v, const struct place *up,
    const char *key, char out[JSON_CLIENT_ID_MAX + 1])
{
	get_text(r, v, up, key, out, JSON_CLIENT_ID_MAX + 1);
	if (!client_id_form(out))
		refuse(r, KL_C_FIELD_VALUE, up, key);
}

/* Is `o` an object, and are all its keys in `keys`? */
static bool
closed(struct reader *r, json_t *o, const struct place *at,
    const char *const *keys, size_t n)
{
	const char *key;
	json_t *v;

	if (!json_is_object(o)) {
		refuse(r, KL_C_FIELD_VALUE, at, NULL);
		return false;
	}
	json_object_foreach(o, key, v) {
		size_t i = 0;

		while (i < n && strcmp(keys[i], key) != 0)
			i++;
		if (i == n)
			refuse(r, KL_C_FIELD_UNKNOWN, at, key);
	}
	return !r->refused;
}

#define CLOSED(r, o, at, keys) \
	closed(r, o, at, keys, sizeof (keys) / sizeof (keys)[0])

static uint32_t
get_schema(struct reader *r, json_t *root)
{
	json_t *v = get(r, root, NULL, "schema");

	if (v == NULL)
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < KL_SCHEMA_MIN ||
	    json_integer_value(v) > KL_SCHEMA_MAX) {
		refuse(r, KL_C_SCHEMA, NULL, "schema");
		return 0;
	}
	return (uint32_t)json_integer_value(v);
}

/* ---- the content ---- */

static void
take_birth(struct reader *r, json_t *v, const struct place *up,
    const char *key, struct kl_birth_date *out)
{
	const char *s = get_string(r, v, up, key);

	if (s != NULL && kl_birth_read(s, out) != KL_OK)
		refuse(r, KL_C_FIELD_VALUE, up, key);
}

static void
take_field(struct reader *r, json_t *v, const struct place *up,
    const char *key, const struct kl_field *f, struct kl_referral *out)
{
	char *at = (char *)out + f->offset;
	uint32_t n;

	switch (f->kind) {
	case KL_FIELD_BIRTH_DATE:
		take_birth(r, v, up, key, &out->birth_date);
		return;
	case KL_FIELD_NUMBER:
		n = get_number(r, v, up, key, f->min, f->max);
		break;
	case KL_FIELD_ANSWER:
		n = get_answer(r, v, up, key);
		break;
	case KL_FIELD_LIST:
		n = get_item(r, v, up, key, f->list);
		break;
	default:
		get_text(r, v, up, key, at, f->bytes + 1);
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
take_fields(struct reader *r, json_t *o, const struct place *at,
    const char *group, struct kl_referral *out)
{
	const char *key;
	json_t *v;

	if (!json_is_object(o)) {
		refuse(r, KL_C_FIELD_VALUE, at, NULL);
		return;
	}
	json_object_foreach(o, key, v) {
		struct place inner = { at, key };
		const struct kl_field *f = NULL;
		char path[64] = "";

		if (group == NULL && is_group(key)) {
			take_fields(r, v, &inner, key, out);
			continue;
		}
		/* A dot in a key must not reach into a group. */
		if (strchr(key, '.') == NULL && strlen(key) < 32) {
			strcpy(path, group == NULL ? "" : group);
			strcat(path, group == NULL ? "" : ".");
			strcat(path, key);
			f = kl_field_find(path);
		}
		if (f == NULL)
			refuse(r, KL_C_FIELD_UNKNOWN, at, key);
		else
			take_field(r, v, at, key, f, out);
	}
}

static void
take_content(struct reader *r, json_t *root, struct kl_referral *out)
{
	const struct place at = { NULL, "referral" };
	json_t *o = get(r, root, NULL, "referral");

	out->extract = KL_EXTRACT_FULL;
	if (o != NULL)
		take_fields(r, o, &at, NULL, out);
}

/* ---- consent ---- */

static void
take_informed(struct reader *r, json_t *o, const struct place *up)
{
	static const char *const keys[] = {
		"purpose", "content", "consequences",
	};
	const struct place at = { up, "informed" };

	if (o == NULL) {
		refuse(r, KL_C_NOT_INFORMED, &at, NULL);
		return;
	}
	if (!CLOSED(r, o, &at, keys))
		return;
	for (size_t i = 0; i < 3; i++)
		if (!json_is_true(json_object_get(o, keys[i])))
			refuse(r, KL_C_NOT_INFORMED, &at, keys[i]);
}

static void
take_onward(struct reader *r, json_t *v, const struct place *up,
    struct json_consent *out)
{
	json_t *item;
	size_t i;

	if (v == NULL)
		return;
	if (!json_is_array(v) || json_array_size(v) > KL_ONWARD_MAX) {
		refuse(r, KL_C_FIELD_VALUE, up, "onward_to");
		return;
	}
	json_array_foreach(v, i, item) {
		get_id(r, item, up, "onward_to", &out->onward_to[i]);
		for (size_t k = 0; k < i; k++)
			if (kl_id_equal(&out->onward_to[k],
			    &out->onward_to[i]))
				refuse(r, KL_C_FIELD_VALUE, up, "onward_to");
		out->onward_n++;
	}
}

static void
take_consent_facts(struct reader *r, json_t *o, const struct place *at,
    struct json_consent *out)
{
	const char *s;

	/* Feedback is for who ticked it: none is level 0. */
	out->feedback_level = get_number(r, json_object_get(o,
	    "feedback_level"), at, "feedback_level", 0, 3) + KL_LEVEL_0;
	take_onward(r, json_object_get(o, "onward_to"), at, out);
	s = get_string(r, get(r, o, at, "form"), at, "form");
	if (s != NULL && (out->form = kl_form_read(s)) == 0)
		refuse(r, KL_C_FIELD_VALUE, at, "form");
	out->given_on = get_day(r, get(r, o, at, "given_on"), at, "given_on");
	out->valid_until = get_day(r, json_object_get(o, "valid_until"), at,
	    "valid_until");
	if (out->valid_until != 0 && out->valid_until < out->given_on)
		refuse(r, KL_C_FIELDS_DISAGREE, at, "valid_until");
	out->info_text_version = get_number(r, get(r, o, at,
	    "info_text_version"), at, "info_text_version", 1, UINT32_MAX);
	out->asked_by = get_item(r, get(r, o, at, "asked_by"), at,
	    "asked_by", KL_LIST_STAFF_ROLE);
}

static void
take_consent(struct reader *r, json_t *root, struct json_consent *out)
{
	static const char *const keys[] = {
		"referral", "feedback_level", "onward_to", "form", "given_on",
		"valid_until", "informed", "info_text_version",
		"recorded_in_his", "asked_by",
	};
	const struct place at = { NULL, "consent" };
	json_t *o = json_object_get(root, "consent");

	if (o == NULL) {
		refuse(r, KL_C_NO_CONSENT, &at, NULL);
		return;
	}
	if (!CLOSED(r, o, &at, keys))
		return;
	if (!json_is_true(json_object_get(o, "referral")))
		refuse(r, KL_C_NO_CONSENT, &at, "referral");
	take_informed(r, json_object_get(o, "informed"), &at);
	out->recorded_in_his = json_is_true(json_object_get(o,
	    "recorded_in_his"));
	if (!out->recorded_in_his)
		refuse(r, KL_C_NOT_IN_HIS, &at, "recorded_in_his");
	take_consent_facts(r, o, &at, out);
}

/* ---- files ---- */

/* KL_OK: *root is the caller's to free, and holds no BSN. */
static int
load(struct reader *r, struct kl_bytes in, json_t **root)
{
	json_error_t e;

	*root = NULL;
	kl_finding_set(r->why, KL_C_OK, "");
	if (in.n > JSON_FILE_MAX) {
		refuse(r, KL_C_FILE_SIZE, NULL, NULL);
		return KL_E_REFUSED;
	}
	*root = json_loadb(in.n == 0 ? "" : (const char *)in.p, in.n,
	    JSON_REJECT_DUPLICATES, &e);
	if (*root == NULL && json_error_code(&e) == json_error_out_of_memory)
		return KL_E_MEMORY;
	if (*root == NULL || !json_is_object(*root)) {
		refuse(r, KL_C_JSON, NULL, NULL);
		return KL_E_REFUSED;
	}
	scan_inside(r, NULL, *root);
	return r->refused ? KL_E_REFUSED : KL_OK;
}

static int
finish(const struct reader *r, json_t *root, int e, void *out, size_t n)
{
	json_decref(root);
	if (e == KL_OK && r->refused)
		e = KL_E_REFUSED;
	if (e != KL_OK)
		explicit_bzero(out, n);
	return e;
}

static void
take_patient_ref(struct reader *r, json_t *v, char *out, size_t cap)
{
	get_text(r, v, NULL, "patient_ref", out, cap);
	if (kl_rules_check_text(kl_bytes_str(out), KL_RULE_UTF8) != KL_C_OK)
		refuse(r, KL_C_CHARACTER, NULL, "patient_ref");
}

int
json_read_referral(struct kl_bytes in, struct json_referral_file *out,
    struct kl_finding *why)
{
	static const char *const keys[] = {
		"schema", "referral_id", "patient_ref", "receiver",
		"referral", "consent",
	};
	struct reader r = { .why = why };
	json_t *root;
	int e;

	memset(out, 0, sizeof *out);
	e = load(&r, in, &root);
	if (e == KL_OK && CLOSED(&r, root, NULL, keys)) {
		out->schema = get_schema(&r, root);
		get_client_id(&r, get(&r, root, NULL, "referral_id"), NULL,
		    "referral_id", out->referral_id);
		take_patient_ref(&r, json_object_get(root, "patient_ref"),
		    out->patient_ref, sizeof out->patient_ref);
		get_id(&r, get(&r, root, NULL, "receiver"), NULL, "receiver",
		    &out->receiver);
		take_content(&r, root, &out->referral);
		take_consent(&r, root, &out->consent);
	}
	return finish(&r, root, e, out, sizeof *out);
}

int
json_read_correction(struct kl_bytes in, struct json_correction_file *out,
    struct kl_finding *why)
{
	static const char *const keys[] = {
		"schema", "correction_of", "referral",
	};
	struct reader r = { .why = why };
	json_t *root;
	int e;

	memset(out, 0, sizeof *out);
	e = load(&r, in, &root);
	if (e == KL_OK && CLOSED(&r, root, NULL, keys)) {
		out->schema = get_schema(&r, root);
		get_client_id(&r, get(&r, root, NULL, "correction_of"), NULL,
		    "correction_of", out->correction_of);
		out->is_spoken = kl_spoken_read(out->correction_of,
		    &out->spoken) == KL_OK;
		take_content(&r, root, &out->referral);
	}
	return finish(&r, root, e, out, sizeof *out);
}

static void
take_feedback(struct reader *r, json_t *root, struct kl_feedback *f)
{
	const char *s = get_string(r, get(r, root, NULL, "code"), NULL,
	    "code");

	if (s != NULL)
		f->code = kl_state_read(s);
	if (s != NULL && !kl_state_sendable(f->code))
		refuse(r, KL_C_FIELD_VALUE, NULL, "code");
	f->category = get_item(r, json_object_get(root, "category"), NULL,
	    "category", KL_LIST_CATEGORY);
	f->ground = get_item(r, json_object_get(root, "ground"), NULL,
	    "ground", KL_LIST_GROUND);
	f->wanted = get_item(r, json_object_get(root, "wanted"), NULL,
	    "wanted", KL_LIST_WANTED);
	f->day = get_day(r, get(r, root, NULL, "date"), NULL, "date");
}

int
json_read_feedback(struct kl_bytes in, struct json_feedback_file *out,
    struct kl_finding *why)
{
	static const char *const keys[] = {
		"schema", "reference", "code", "category", "ground",
		"wanted", "date",
	};
	struct reader r = { .why = why };
	json_t *root;
	const char *s;
	int e;

	memset(out, 0, sizeof *out);
	e = load(&r, in, &root);
	if (e == KL_OK && CLOSED(&r, root, NULL, keys)) {
		out->schema = get_schema(&r, root);
		s = get_string(&r, get(&r, root, NULL, "reference"), NULL,
		    "reference");
		if (s != NULL && kl_spoken_read(s, &out->reference) != KL_OK)
			refuse(&r, KL_C_FIELD_VALUE, NULL, "reference");
		take_feedback(&r, root, &out->feedback);
	}
	return finish(&r, root, e, out, sizeof *out);
}

/* ---- writing ---- */

struct maker {
	bool failed;
};

/* Takes v, also when it is NULL for want of memory. */
static void
put_take(struct maker *m, json_t *o, const char *key, json_t *v)
{
	if (json_object_set_new(o, key, v) != 0)
		m->failed = true;
}

static void
put_str(struct maker *m, json_t *o, const char *key, const char *s)
{
	put_take(m, o, key, json_string(s));
}

static void
put_optional(struct maker *m, json_t *o, const char *key, const char *s)
{
	if (s != NULL && s[0] != '\0')
		put_str(m, o, key, s);
}

static void
put_number(struct maker *m, json_t *o, const char *key, uint64_t v)
{
	put_take(m, o, key, json_integer((json_int_t)v));
}

static json_t *
field_value(const struct kl_field *f, const struct kl_referral *r)
{
	uint32_t v;

	switch (f->kind) {
	case KL_FIELD_BIRTH_DATE:
		return json_string(kl_birth_text(r->birth_date).b);
	case KL_FIELD_NUMBER:
		return json_integer((json_int_t)kl_field_number(f, r));
	case KL_FIELD_ANSWER:
		return json_boolean(kl_field_number(f, r) == KL_ANSWER_YES);
	case KL_FIELD_LIST:
		v = kl_field_number(f, r);
		return json_string(kl_list_name(f->list, v));
	default:
		return json_string(kl_field_text(f, r));
	}
}

/* The object of the field's group, made when first wanted. */
static json_t *
group_of(struct maker *m, json_t *o, const char *path)
{
	char group[32];
	size_t n = strcspn(path, ".");
	json_t *g;

	if (path[n] == '\0')
		return o;
	memcpy(group, path, n);
	group[n] = '\0';
	g = json_object_get(o, group);
	if (g == NULL) {
		put_take(m, o, group, json_object());
		g = json_object_get(o, group);
	}
	return g;
}

static json_t *
content_of(struct maker *m, const struct kl_referral *r)
{
	json_t *o = json_object();
	const struct kl_field *f;

	for (size_t i = 0; (f = kl_field_at(i)) != NULL; i++) {
		const char *dot = strchr(f->path, '.');

		if (kl_field_present(f, r))
			put_take(m, group_of(m, o, f->path),
			    dot == NULL ? f->path : dot + 1,
			    field_value(f, r));
	}
	return o;
}

/* Texts have passed the rules and so are UTF-8: what fails is memory. */
static int
dump_take(struct maker *m, json_t *o, char **out)
{
	*out = NULL;
	if (o != NULL && !m->failed)
		*out = json_dumps(o, JSON_INDENT(2));
	json_decref(o);
	return *out == NULL ? KL_E_MEMORY : KL_OK;
}

static void
put_time(struct maker *m, json_t *o, const char *key, int64_t ms)
{
	struct kl_time_text t;

	if (ms == 0)
		return;
	t = kl_time_text(ms);
	put_str(m, o, key, t.b);
}

static void
put_head(struct maker *m, json_t *o, uint32_t schema, uint64_t seq,
    const struct kl_spoken *reference)
{
	struct kl_spoken_text spoken = kl_spoken_text(reference);

	put_number(m, o, "schema", schema);
	put_number(m, o, "seq", seq);
	put_str(m, o, "reference", spoken.b);
}

static void
put_from(struct maker *m, json_t *o, const struct kl_id *from,
    const char *name, int64_t received_ms, bool training)
{
	struct kl_id_text id = kl_id_text(from);

	put_str(m, o, "from", id.b);
	put_optional(m, o, "from_name", name);
	put_time(m, o, "received_at", received_ms);
	put_take(m, o, "training", json_boolean(training));
}

int
json_write_referral(const struct json_referral_meta *meta,
    const struct kl_referral *r, char **out)
{
	struct maker m = { false };
	json_t *o = json_object();

	put_head(&m, o, meta->schema, meta->seq, &meta->reference);
	put_from(&m, o, &meta->from, meta->from_name, meta->received_ms,
	    meta->training);
	put_str(&m, o, "state", kl_state_name(meta->state));
	put_number(&m, o, "feedback_level", meta->feedback_level == 0 ? 0 :
	    meta->feedback_level - KL_LEVEL_0);
	put_time(&m, o, "answer_by", meta->answer_by_ms);
	put_take(&m, o, "corrected", json_boolean(meta->corrected));
	put_str(&m, o, "extract", kl_list_name(KL_LIST_EXTRACT, r->extract));
	put_take(&m, o, "referral", content_of(&m, r));
	return dump_take(&m, o, out);
}

/* A value of a list with the label that people read. */
static void
put_item(struct maker *m, json_t *o, const char *key, const char *label_key,
    enum kl_list list, uint32_t v)
{
	if (v == 0)
		return;
	put_str(m, o, key, kl_list_name(list, v));
	put_str(m, o, label_key, kl_list_label(list, v, KL_NL));
}

static void
put_feedback(struct maker *m, json_t *o, const struct kl_feedback *f)
{
	const struct kl_state_row *row = kl_state_row(f->code);
	struct kl_day_text day = kl_day_text(f->day);

	put_str(m, o, "code", kl_state_name(f->code));
	if (row != NULL) {
		put_str(m, o, "label", row->nl);
		put_str(m, o, "explanation", row->gp_nl);
		put_str(m, o, "ddas_term", row->term);
		put_take(m, o, "ended", json_boolean(
		    row->rank == KL_RANK_END));
	}
	put_item(m, o, "category", "category_label", KL_LIST_CATEGORY,
	    f->category);
	put_item(m, o, "ground", "ground_label", KL_LIST_GROUND, f->ground);
	put_item(m, o, "wanted", "wanted_label", KL_LIST_WANTED, f->wanted);
	put_str(m, o, "date", day.b);
	if (f->level != 0)
		put_number(m, o, "level", f->level - KL_LEVEL_0);
}

int
json_write_feedback(const struct json_feedback_meta *meta,
    const struct kl_feedback *f, char **out)
{
	struct maker m = { false };
	json_t *o = json_object();

	put_head(&m, o, KL_SCHEMA_MAX, meta->seq, &meta->reference);
	put_optional(&m, o, "referral_id", meta->referral_id);
	put_optional(&m, o, "patient_ref", meta->patient_ref);
	put_from(&m, o, &meta->from, meta->from_name, meta->received_ms,
	    meta->training);
	put_feedback(&m, o, f);
	return dump_take(&m, o, out);
}

void
json_text_free(char *text)
{
	if (text == NULL)
		return;
	explicit_bzero(text, strlen(text));
	free(text);
}
