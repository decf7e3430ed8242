#include "adapters/common/profile.h"

#include <stdio.h>
#include <string.h>

#include <kortelijn/base/time.h>

#include "adapters/common/jget.h"

/* What is being read, into what. */
struct take {
	struct jget j;
	struct kl_arena *mem;
	bool no_memory;
	struct kl_profile *p;
	struct kl_profile_details *d;
};

/* ---- texts ----------------------------------------------------------- */

#define PIECE_MAX 1000		/* bytes that the rules take at once */

/* Up to the end of a line, or of a word when the line is long; 0: a word that
 * is longer than any. */
static size_t
piece(const char *s, size_t n)
{
	const char *end = memchr(s, '\n', n);
	size_t k = end == NULL ? n : (size_t)(end - s) + 1;

	if (k <= PIECE_MAX)
		return k;
	for (k = PIECE_MAX; k > 0 && s[k - 1] != ' '; k--)
		;
	return k;
}

/* A newline is no control character here. */
static bool
lines_clean(const char *s, size_t n)
{
	while (n > 0) {
		size_t k = piece(s, n), line = k;

		if (k == 0)
			return false;
		if (s[k - 1] == '\n')
			line--;
		if (kl_rules_check_text(kl_bytes(s, line), KL_RULE_UTF8) !=
		    KL_C_OK)
			return false;
		s += k;
		n -= k;
	}
	return true;
}

/* A text of at most `max` characters that takes at most `max_bytes`. */
static struct kl_bytes
text(struct take *t, json_t *v, const struct jget_place *up, const char *key,
    size_t max, size_t max_bytes)
{
	const char *s = jget_string(&t->j, v, up, key);
	struct kl_bytes out = KL_BYTES_NONE;
	size_t n;

	if (s == NULL)
		return out;
	n = json_string_length(v);
	if (kl_utf8_chars(kl_bytes(s, n)) > max || n > max_bytes)
		jget_refuse(&t->j, KL_C_FIELD_TOO_LONG, up, key);
	else if (n == 0)
		jget_refuse(&t->j, KL_C_FIELD_VALUE, up, key);
	else if (!lines_clean(s, n) ||
	    (max <= 100 && memchr(s, '\n', n) != NULL))
		jget_refuse(&t->j, KL_C_CHARACTER, up, key);
	else if (kl_arena_copy(t->mem, kl_bytes(s, n), &out) != KL_OK)
		t->no_memory = true;
	return out;
}

static struct kl_bytes
member(struct take *t, json_t *root, const char *key, size_t max,
    size_t max_bytes)
{
	return text(t, json_object_get(root, key), NULL, key, max, max_bytes);
}

static struct kl_bytes
phone(struct take *t, json_t *v, const char *key)
{
	struct kl_bytes out = text(t, v, NULL, key, KL_PHONE_MAX,
	    KL_PHONE_MAX);

	if (out.n > 0 && !kl_rules_phone(json_string_value(v)))
		jget_refuse(&t->j, KL_C_FIELD_VALUE, NULL, key);
	return out;
}

/* ---- lists ----------------------------------------------------------- */

/* The array behind key, or NULL; refused if it is none or has too many. */
static json_t *
array(struct take *t, json_t *root, const char *key, size_t max)
{
	json_t *v = json_object_get(root, key);

	if (v == NULL)
		return NULL;
	if (json_is_array(v) && json_array_size(v) <= max)
		return v;
	jget_refuse(&t->j, KL_C_FIELD_VALUE, NULL, key);
	return NULL;
}

static size_t
texts(struct take *t, json_t *root, const char *key, struct kl_bytes *out,
    size_t max, size_t chars, size_t bytes)
{
	json_t *a = array(t, root, key, max), *v;
	size_t i;

	json_array_foreach(a, i, v)
		out[i] = text(t, v, NULL, key, chars, bytes);
	return json_array_size(a);
}

static size_t
items(struct take *t, json_t *root, const char *key, enum kl_list list,
    uint32_t *out, size_t max)
{
	json_t *a = array(t, root, key, max), *v;
	size_t i;

	json_array_foreach(a, i, v)
		out[i] = jget_item(&t->j, v, NULL, key, list);
	return json_array_size(a);
}

static void
take_codes(struct take *t, json_t *root)
{
	static const char key[] = "municipality_codes";
	json_t *a = array(t, root, key, 16), *v;
	size_t i;

	json_array_foreach(a, i, v)
		t->d->municipality_codes[i] = jget_number(&t->j, v, NULL,
		    key, 1, 9999);
	t->d->n_municipality_codes = json_array_size(a);
}

static void
take_closed_days(struct take *t, json_t *root)
{
	static const char key[] = "closed_days";
	json_t *a = array(t, root, key, 32), *v;
	size_t i;

	json_array_foreach(a, i, v)
		t->d->closed_days[i] = (uint32_t)jget_day(&t->j, v, NULL,
		    key);
	t->d->n_closed_days = json_array_size(a);
}

/* "08:30" as 830. */
static uint32_t
clock_time(struct take *t, json_t *o, const struct jget_place *at,
    const char *key)
{
	const char *s = jget_string(&t->j, jget(&t->j, o, at, key), at, key);
	unsigned int h, m;
	int end = 0;

	if (s == NULL)
		return 0;
	if (strlen(s) == 5 && sscanf(s, "%2u:%2u%n", &h, &m, &end) == 2 &&
	    end == 5 && h <= 24 && m <= 59 && h * 100 + m <= 2400)
		return h * 100 + m;
	jget_refuse(&t->j, KL_C_FIELD_VALUE, at, key);
	return 0;
}

static void
take_hours(struct take *t, json_t *root)
{
	static const char *const keys[] = { "day", "from", "to" };
	static const struct jget_place at = { NULL, "office_hours" };
	json_t *a = array(t, root, at.key, 14), *o;
	size_t i;

	json_array_foreach(a, i, o) {
		uint32_t day, from, to;

		if (!JGET_CLOSED(&t->j, o, &at, keys))
			return;
		day = jget_item(&t->j, jget(&t->j, o, &at, "day"), &at, "day",
		    KL_LIST_WEEKDAY);
		from = clock_time(t, o, &at, "from");
		to = clock_time(t, o, &at, "to");
		if (from >= to)
			jget_refuse(&t->j, KL_C_FIELDS_DISAGREE, &at, "to");
		t->d->office_hours[i] = day * 100000000 + from * 10000 + to;
	}
	t->d->n_office_hours = json_array_size(a);
}

static void
take_terms(struct take *t, json_t *root)
{
	static const char *const keys[PROFILE_TERMS] = {
		[PROFILE_TAKE_UP] = "take_up_hours",
		[PROFILE_FIRST_CONTACT] = "first_contact_hours",
		[PROFILE_FIRST_TALK] = "first_talk_hours",
		[PROFILE_CRISIS_FIRST_TALK] = "crisis_first_talk_hours",
		[PROFILE_DECISION] = "decision_hours",
	};
	static const struct jget_place at = { NULL, "response_terms" };
	json_t *o = json_object_get(root, at.key);

	if (o == NULL || !JGET_CLOSED(&t->j, o, &at, keys))
		return;
	for (size_t i = 0; i < PROFILE_TERMS; i++)
		t->d->response_terms[i] = jget_number(&t->j,
		    jget(&t->j, o, &at, keys[i]), &at, keys[i], 1, 8784);
	t->d->n_response_terms = PROFILE_TERMS;
}

static void
take_partners(struct take *t, json_t *root)
{
	static const char *const keys[] = { "id", "category" };
	static const struct jget_place at = { NULL, "partners" };
	json_t *a = array(t, root, at.key, 16), *o;
	size_t i;

	json_array_foreach(a, i, o) {
		uint8_t row[KL_ID_BYTES + 1];
		struct kl_id id = { "" };

		if (!JGET_CLOSED(&t->j, o, &at, keys))
			return;
		jget_id(&t->j, jget(&t->j, o, &at, "id"), &at, "id", &id);
		memcpy(row, id.b, KL_ID_BYTES);
		row[KL_ID_BYTES] = (uint8_t)jget_item(&t->j,
		    jget(&t->j, o, &at, "category"), &at, "category",
		    KL_LIST_CATEGORY);
		if (kl_arena_copy(t->mem, KL_BYTES_OF(row),
		    &t->d->partners[i]) != KL_OK)
			t->no_memory = true;
	}
	t->d->n_partners = json_array_size(a);
}

/* ---- the whole ------------------------------------------------------- */

static void
take_offer(struct take *t, json_t *root)
{
	struct kl_profile_details *d = t->d;

	take_codes(t, root);
	take_hours(t, root);
	take_closed_days(t, root);
	take_terms(t, root);
	take_partners(t, root);
	d->n_help_offered = items(t, root, "help_offered",
	    KL_LIST_HELP_OFFERED, d->help_offered, 16);
	d->n_places_offered = items(t, root, "places_offered", KL_LIST_PLACE,
	    d->places_offered, 8);
	d->n_handover_forms = items(t, root, "handover_forms_offered",
	    KL_LIST_HANDOVER, d->handover_forms, 4);
	d->n_languages = texts(t, root, "languages", d->languages, 12, 12, 12);
	d->n_regular_contacts = texts(t, root, "regular_contacts",
	    d->regular_contacts, 5, 100, 300);
	d->n_local_crisis_kinds = texts(t, root, "local_crisis_kinds",
	    d->local_crisis_kinds, 8, 80, 80);
}

static void
take_all(struct take *t, json_t *root)
{
	struct kl_profile_details *d = t->d;
	int32_t from, until;

	d->display_name = text(t, jget(&t->j, root, NULL, "display_name"),
	    NULL, "display_name", 100, 100);
	t->p->phone = phone(t, jget(&t->j, root, NULL, "phone"), "phone");
	t->p->crisis_phone = phone(t, json_object_get(root, "crisis_phone"),
	    "crisis_phone");
	take_offer(t, root);
	d->what_to_expect = text(t, jget(&t->j, root, NULL,
	    "what_to_expect"), NULL, "what_to_expect", 2000, 4000);
	d->asks_of_practice = text(t, jget(&t->j, root, NULL,
	    "asks_of_practice"), NULL, "asks_of_practice", 1000, 2000);
	d->retention_statement = member(t, root, "retention_statement", 500,
	    1000);
	d->privacy_notice = member(t, root, "privacy_notice", 1000, 2000);
	from = jget_day(&t->j, jget(&t->j, root, NULL, "valid_from"), NULL,
	    "valid_from");
	until = jget_day(&t->j, jget(&t->j, root, NULL, "valid_until"), NULL,
	    "valid_until");
	if (from > until)
		jget_refuse(&t->j, KL_C_FIELDS_DISAGREE, NULL, "valid_until");
	t->p->valid_from_ms = kl_day_start_ms(from);
	/* The last day counts whole. */
	t->p->valid_until_ms = kl_day_start_ms(until + 1);
}

int
profile_read(struct kl_bytes json, struct kl_arena *mem, struct kl_profile *p,
    struct kl_profile_details *d, struct kl_finding *why)
{
	static const char *const keys[] = {
		"schema", "display_name", "municipality_codes", "phone",
		"crisis_phone", "office_hours", "closed_days", "help_offered",
		"places_offered", "handover_forms_offered", "languages",
		"response_terms", "what_to_expect", "asks_of_practice",
		"regular_contacts", "local_crisis_kinds", "partners",
		"retention_statement", "privacy_notice", "valid_from",
		"valid_until",
	};
	struct take t = { .j = { .why = why }, .mem = mem, .p = p, .d = d };
	json_t *root;
	int e;

	memset(p, 0, sizeof *p);
	memset(d, 0, sizeof *d);
	e = jget_load(&t.j, json, &root);
	if (e == KL_OK && JGET_CLOSED(&t.j, root, NULL, keys)) {
		(void)jget_schema(&t.j, root);
		take_all(&t, root);
	}
	if (e == KL_OK && t.no_memory)
		e = KL_E_MEMORY;
	e = jget_finish(&t.j, root, e, d, sizeof *d);
	if (e != KL_OK)
		memset(p, 0, sizeof *p);
	return e;
}

int
profile_sign(const struct identity *id, const struct kl_profile *p,
    const struct kl_profile_details *d, struct kl_arena *mem,
    struct kl_bytes *out)
{
	uint8_t *buf = kl_arena_alloc(mem, 2 * KL_SIGNED_MAX);
	struct kl_profile whole = *p;
	size_t n;
	int r;

	if (buf == NULL)
		return KL_E_MEMORY;
	r = KL_STATEMENT_PACK(KL_S_PROFILE_DETAILS, d, buf, KL_SIGNED_MAX, &n);
	if (r != KL_OK)
		return r;
	whole.version = KL_PROTOCOL_VERSION;
	whole.owner = id->id;
	whole.signer_key_id = id->key_id;
	whole.details = kl_bytes(buf, n);
	r = identity_sign(id, KL_PROFILE, &whole, sizeof whole,
	    buf + KL_SIGNED_MAX, KL_SIGNED_MAX, &n);
	if (r == KL_OK)
		*out = kl_bytes(buf + KL_SIGNED_MAX, n);
	return r;
}
