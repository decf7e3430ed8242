#include "adapters/common/view_subject.h"

#include <string.h>

#include <kortelijn/domain/render.h>

#include "adapters/common/json_withdrawal.h"
#include "adapters/common/view.h"

static void
put(json_t *o, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		(void)json_object_set_new(o, key, json_string(text));
}

static void
put_day(json_t *o, const char *key, uint32_t day)
{
	if (day != 0)
		put(o, key, kl_day_text((int32_t)day).b);
}

/* ---- a hit ---- */

static void
put_person(json_t *o, const struct kl_referral *r)
{
	char name[KL_NAME_MAX + KL_PREFIX_MAX + KL_INITIALS_MAX + 3];
	size_t n;

	if (kl_render_name(&r->name, name, sizeof name, &n) == KL_OK)
		put(o, "person", name);
	put(o, "birth_date", kl_birth_text(r->birth_date).b);
	explicit_bzero(name, sizeof name);
}

int
view_subject_hit(struct engine *e, const struct engine_case *k, json_t **out)
{
	struct subject_held held;
	int r = subject_held(e, &k->conv, &held);

	*out = NULL;
	if (r != KL_OK)
		return r;
	if ((*out = view_case(engine_config(e), k)) != NULL) {
		(void)json_object_set_new(*out, "number",
		    json_integer((json_int_t)k->number));
		if (held.has_content)
			put_person(*out, &held.content);
	}
	explicit_bzero(&held, sizeof held);
	return *out != NULL ? KL_OK : KL_E_MEMORY;
}

/* ---- who looked ---- */

static json_t *
view_line(const struct access_line *l)
{
	json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}",
	    "at", kl_time_text(l->at_ms).b,
	    "act", access_act_name(l->act),
	    "act_nl", access_act_label(l->act, KL_NL),
	    "act_en", access_act_label(l->act, KL_EN),
	    "interface", access_interface_name(l->by.interface),
	    "interface_nl", access_interface_label(l->by.interface, KL_NL),
	    "interface_en", access_interface_label(l->by.interface, KL_EN));

	if (o == NULL)
		return NULL;
	if (l->by.interface == ENGINE_CONTROL ||
	    l->by.interface == ENGINE_FOLDER)
		(void)json_object_set_new(o, "uid",
		    json_integer((json_int_t)l->by.uid));
	if (l->spoken.b[0] != '\0')
		put(o, "reference", kl_spoken_text(&l->spoken).b);
	put(o, "staff", l->by.staff);
	put(o, "role", access_role_name(l->by.role));
	put(o, "role_nl", access_role_label(l->by.role, KL_NL));
	put(o, "role_en", access_role_label(l->by.role, KL_EN));
	return o;
}

int
view_subject_lines(struct engine *e, const struct access_found *of,
    int64_t since_ms, json_t **out)
{
	struct subject_lines l;
	json_t *a = NULL;
	int r = subject_lines(e, of, since_ms, &l);

	*out = NULL;
	if (r == KL_OK && (a = json_array()) == NULL)
		r = KL_E_MEMORY;
	for (size_t i = 0; r == KL_OK && i < l.n; i++)
		if (json_array_append_new(a, view_line(&l.at[i])) != 0)
			r = KL_E_MEMORY;
	if (r == KL_OK) {
		*out = json_pack("{s:O,s:b}", "lines", a, "more", l.more);
		if (*out == NULL)
			r = KL_E_MEMORY;
	}
	/* An erased case has no other place for it. */
	for (size_t i = l.n; r == KL_OK && i-- > 0;)
		if (l.at[i].spoken.b[0] != '\0') {
			put(*out, "reference",
			    kl_spoken_text(&l.at[i].spoken).b);
			break;
		}
	json_decref(a);
	subject_lines_clear(&l);
	return r;
}

/* ---- all of a case ---- */

static int
put_content(json_t *o, const struct config *c, const char *key,
    const char *text_key, const struct kl_referral *r)
{
	const struct json_referral_meta m = { .schema = KL_SCHEMA_MAX,
		.from_name = "" };
	char text[KL_RENDER_MAX], *json = NULL;
	json_t *whole = NULL;
	size_t n;
	int e = kl_render_referral(r, (enum kl_lang)c->lang, text,
	    sizeof text, &n);

	if (e == KL_OK)
		e = json_write_referral(&m, r, &json);
	if (e == KL_OK && (whole = json_loads(json, 0, NULL)) == NULL)
		e = KL_E_MEMORY;
	if (e == KL_OK) {
		put(o, text_key, text);
		(void)json_object_set(o, key, json_object_get(whole,
		    "referral"));
	}
	json_decref(whole);
	json_text_free(json);
	explicit_bzero(text, sizeof text);
	return e;
}

static void
put_consent(json_t *o, const struct subject_held *held)
{
	const struct kl_consent *c = &held->consent;
	json_t *b = json_object(), *onward = json_array();

	put_day(b, "given_on", c->given_on);
	put_day(b, "valid_until", c->valid_until);
	put(b, "form", kl_form_name(c->form));
	(void)json_object_set_new(b, "feedback_level",
	    json_integer((json_int_t)c->feedback_level - KL_LEVEL_0));
	(void)json_object_set_new(b, "info_text_version",
	    json_integer((json_int_t)c->info_text_version));
	(void)json_object_set_new(b, "recorded_in_his",
	    json_boolean(c->recorded_in_his == 1));
	if (held->asked_by != 0)
		put(b, "asked_by", kl_staff_role_name(held->asked_by));
	for (size_t i = 0; i < c->n_onward_to; i++)
		(void)json_array_append_new(onward, json_string(
		    kl_id_text(&c->onward_to[i]).b));
	(void)json_object_set_new(b, "onward_to", onward);
	(void)json_object_set_new(o, "consent", b);
}

static void
put_receipt(json_t *o, const struct subject_held *held)
{
	char text[sizeof held->receipt / 3 * 4 + 8];

	if (held->n_receipt > 0 && kl_base64(kl_bytes(held->receipt,
	    held->n_receipt), text, sizeof text) == KL_OK)
		put(o, "signed_receipt", text);
}

static int
put_held(json_t *o, const struct config *c, const struct subject_held *held)
{
	int r = KL_OK;

	if (held->has_content) {
		put_person(o, &held->content);
		r = put_content(o, c, "content", "text", &held->content);
	}
	if (r == KL_OK && held->has_before)
		r = put_content(o, c, "content_before", "text_before",
		    &held->before);
	if (held->has_consent)
		put_consent(o, held);
	put_receipt(o, held);
	return r;
}

/* Nothing if the consent was not withdrawn. */
static int
put_withdrawal(json_t *o, struct engine *e, const struct engine_case *k)
{
	struct engine_withdrawal w;
	int r = engine_withdrawal(e, &k->conv, &w);

	if (r != KL_OK)
		return r == KL_E_NOT_FOUND ? KL_OK : r;
	return json_object_set_new(o, "withdrawal",
	    json_withdrawal(&w)) != 0 ? KL_E_MEMORY : KL_OK;
}

static int
put_access(json_t *o, struct engine *e, const struct engine_case *k)
{
	const struct access_found of = { .conv = k->conv,
		.number = k->number };
	json_t *lines;
	int r = view_subject_lines(e, &of, 0, &lines);

	return r != KL_OK ? r : json_object_set_new(o, "access", lines) != 0 ?
	    KL_E_MEMORY : KL_OK;
}

static int
put_history(json_t *o, struct engine *e, const struct engine_case *k)
{
	json_t *history;
	int r = view_history(e, k, &history);

	if (r != KL_OK)
		return r;
	(void)json_object_set_new(o, "receipts", view_receipts(history));
	return json_object_set_new(o, "history", history) != 0 ?
	    KL_E_MEMORY : KL_OK;
}

int
view_subject_case(struct engine *e, const struct engine_case *k,
    json_t **out)
{
	struct subject_held held;
	int r = subject_held(e, &k->conv, &held);

	*out = NULL;
	if (r == KL_OK && (*out = view_case(engine_config(e), k)) == NULL)
		r = KL_E_MEMORY;
	if (r == KL_OK)
		(void)json_object_set_new(*out, "number",
		    json_integer((json_int_t)k->number));
	if (r == KL_OK &&
	    (r = put_history(*out, e, k)) == KL_OK &&
	    (r = put_held(*out, engine_config(e), &held)) == KL_OK &&
	    (r = put_withdrawal(*out, e, k)) == KL_OK)
		r = put_access(*out, e, k);
	explicit_bzero(&held, sizeof held);
	if (r != KL_OK) {
		json_decref(*out);
		*out = NULL;
	}
	return r;
}
