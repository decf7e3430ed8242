#include "adapters/common/jget.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/referral.h>

#include "adapters/common/json_content.h"

#define KEY_MAX 40
#define KEY_DIGITS_MAX 4

/* ---- findings -------------------------------------------------------- */

static void
append(struct kl_finding *f, const char *text)
{
	size_t n = strlen(f->field), more = strlen(text);

	if (n + more > KL_FINDING_FIELD_MAX)
		more = KL_FINDING_FIELD_MAX - n;
	memcpy(f->field + n, text, more);
	f->field[n + more] = '\0';
}

/* A word, or an index: nobody's name and phone number, nor a BSN. */
static bool
key_plain(const char *key)
{
	size_t n = 0, digits = 0;

	for (; key[n] != '\0'; n++) {
		char c = key[n];
		bool digit = c >= '0' && c <= '9';

		digits += digit;
		if (!digit && !(c >= 'a' && c <= 'z') && !(c >= 'A' &&
		    c <= 'Z') && c != '_' && c != '-' && c != '.')
			return false;
	}
	return n <= KEY_MAX && digits <= KEY_DIGITS_MAX;
}

/* A key is the sender's text: nothing of it may reach an answer or a note but
 * a plain word. */
static void
append_key(struct kl_finding *f, const char *key)
{
	append(f, "/");
	append(f, key_plain(key) ? key : "?");
}

static void
append_place(struct kl_finding *f, const struct jget_place *at)
{
	if (at == NULL)
		return;
	append_place(f, at->up);
	append_key(f, at->key);
}

/* The first finding stays. */
void
jget_refuse(struct jget *r, uint32_t code, const struct jget_place *up,
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

/* ---- BSN, anywhere --------------------------------------------------- */

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

static void scan(struct jget *r, const struct jget_place *up, const char *key,
    json_t *v);

static void
scan_inside(struct jget *r, const struct jget_place *at, json_t *v)
{
	const char *key;
	json_t *item;
	size_t i;

	json_array_foreach(v, i, item)
		scan(r, at, "item", item);
	json_object_foreach(v, key, item) {
		if (kl_rules_has_bsn(kl_bytes_str(key)))
			jget_refuse(r, KL_C_BSN, at, NULL);
		scan(r, at, key, item);
	}
}

/* jansson bounds the depth of what it parsed. */
static void
scan(struct jget *r, const struct jget_place *up, const char *key, json_t *v)
{
	struct jget_place at = { up, key };

	if (r->refused)
		return;
	if (value_has_bsn(key, v))
		jget_refuse(r, KL_C_BSN, up, key);
	else if (json_is_array(v) || json_is_object(v))
		scan_inside(r, &at, v);
}

/* ---- one value ------------------------------------------------------- */

/* Every get wants the key there unless it says so, and answers a zero after a
 * refusal. */
json_t *
jget(struct jget *r, json_t *o, const struct jget_place *up, const char *key)
{
	json_t *v = json_object_get(o, key);

	if (v == NULL)
		jget_refuse(r, KL_C_FIELD_MISSING, up, key);
	return v;
}

void
jget_text(struct jget *r, json_t *v, const struct jget_place *up,
    const char *key, char *out, size_t cap)
{
	size_t n;

	if (v == NULL)
		return;
	if (!json_is_string(v) || json_string_length(v) == 0) {
		jget_refuse(r, KL_C_FIELD_VALUE, up, key);
		return;
	}
	n = json_string_length(v);
	if (n >= cap)
		jget_refuse(r, KL_C_FIELD_TOO_LONG, up, key);
	else
		memcpy(out, json_string_value(v), n + 1);
}

uint32_t
jget_number(struct jget *r, json_t *v, const struct jget_place *up,
    const char *key, uint32_t min, uint32_t max)
{
	if (v == NULL)
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < min ||
	    json_integer_value(v) > max) {
		jget_refuse(r, KL_C_FIELD_VALUE, up, key);
		return 0;
	}
	return (uint32_t)json_integer_value(v);
}

uint32_t
jget_answer(struct jget *r, json_t *v, const struct jget_place *up,
    const char *key)
{
	if (v == NULL)
		return 0;
	if (!json_is_boolean(v)) {
		jget_refuse(r, KL_C_FIELD_VALUE, up, key);
		return 0;
	}
	return json_is_true(v) ? KL_ANSWER_YES : KL_ANSWER_NO;
}

const char *
jget_string(struct jget *r, json_t *v, const struct jget_place *up,
    const char *key)
{
	if (v == NULL)
		return NULL;
	if (!json_is_string(v))
		jget_refuse(r, KL_C_FIELD_VALUE, up, key);
	return json_string_value(v);
}

uint32_t
jget_item(struct jget *r, json_t *v, const struct jget_place *up,
    const char *key, enum kl_list list)
{
	const char *s = jget_string(r, v, up, key);
	uint32_t n = s == NULL ? 0 : kl_list_read(list, s);

	if (s != NULL && n == 0)
		jget_refuse(r, KL_C_FIELD_VALUE, up, key);
	return n;
}

int32_t
jget_day(struct jget *r, json_t *v, const struct jget_place *up,
    const char *key)
{
	const char *s = jget_string(r, v, up, key);
	int32_t day = 0;

	if (s != NULL && kl_day_read(s, &day) != KL_OK)
		jget_refuse(r, KL_C_FIELD_VALUE, up, key);
	return day;
}

void
jget_id(struct jget *r, json_t *v, const struct jget_place *up, const char *key,
    struct kl_id *out)
{
	const char *s = jget_string(r, v, up, key);

	if (s != NULL && kl_id_read(s, out) != KL_OK)
		jget_refuse(r, KL_C_FIELD_VALUE, up, key);
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

void
jget_spoken(struct jget *r, json_t *v, const struct jget_place *up,
    const char *key, struct kl_spoken *out)
{
	const char *s = jget_string(r, v, up, key);

	if (s != NULL && kl_spoken_read(s, out) != KL_OK)
		jget_refuse(r, KL_C_FIELD_VALUE, up, key);
}

void
jget_client_id(struct jget *r, json_t *v, const struct jget_place *up,
    const char *key, char *out)
{
	jget_text(r, v, up, key, out, JSON_CLIENT_ID_MAX + 1);
	if (!client_id_form(out))
		jget_refuse(r, KL_C_FIELD_VALUE, up, key);
}

/* Is `o` an object, and are all its keys in `keys`? */
bool
jget_closed(struct jget *r, json_t *o, const struct jget_place *at,
    const char *const *keys, size_t n)
{
	const char *key;
	json_t *v;

	if (!json_is_object(o)) {
		jget_refuse(r, KL_C_FIELD_VALUE, at, NULL);
		return false;
	}
	json_object_foreach(o, key, v) {
		size_t i = 0;

		while (i < n && strcmp(keys[i], key) != 0)
			i++;
		if (i == n)
			jget_refuse(r, KL_C_FIELD_UNKNOWN, at, key);
	}
	return !r->refused;
}

uint32_t
jget_schema(struct jget *r, json_t *root)
{
	json_t *v = jget(r, root, NULL, "schema");

	if (v == NULL)
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < KL_SCHEMA_MIN ||
	    json_integer_value(v) > KL_SCHEMA_MAX) {
		jget_refuse(r, KL_C_SCHEMA, NULL, "schema");
		return 0;
	}
	return (uint32_t)json_integer_value(v);
}

/* ---- files ----------------------------------------------------------- */

/* KL_OK: *root is the caller's to free, and holds no BSN. */
int
jget_load(struct jget *r, struct kl_bytes in, json_t **root)
{
	json_error_t e;

	*root = NULL;
	kl_finding_set(r->why, KL_C_OK, "");
	if (in.n > JSON_FILE_MAX) {
		jget_refuse(r, KL_C_FILE_SIZE, NULL, NULL);
		return KL_E_REFUSED;
	}
	*root = json_loadb(in.n == 0 ? "" : (const char *)in.p, in.n,
	    JSON_REJECT_DUPLICATES, &e);
	if (*root == NULL && json_error_code(&e) == json_error_out_of_memory)
		return KL_E_MEMORY;
	if (*root == NULL || !json_is_object(*root)) {
		jget_refuse(r, KL_C_JSON, NULL, NULL);
		return KL_E_REFUSED;
	}
	scan_inside(r, NULL, *root);
	return r->refused ? KL_E_REFUSED : KL_OK;
}

int
jget_finish(const struct jget *r, json_t *root, int e, void *out, size_t n)
{
	json_decref(root);
	if (e == KL_OK && r->refused)
		e = KL_E_REFUSED;
	if (e != KL_OK)
		explicit_bzero(out, n);
	return e;
}
