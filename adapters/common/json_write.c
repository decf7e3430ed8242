#include "adapters/common/json_content.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <kortelijn/base/time.h>

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
