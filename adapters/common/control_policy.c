#include "adapters/common/control_policy.h"

#include <stdio.h>
#include <stdlib.h>

#include "adapters/common/policy_store.h"

static json_t *
row_json(const struct policy_store *p, enum kl_policy_key key,
    enum kl_policy_state state)
{
	const struct kl_policy_override *o = &p->loaded.file.override[key];

	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}",
	    "id", kl_policy_row(key)->id,
	    "key", kl_policy_row(key)->key,
	    "value", kl_term_text(key, p->now.term[key]).b,
	    "asked", kl_term_text(key, p->loaded.file.asked[key]).b,
	    "state", kl_policy_file_state_name(state),
	    "legal_basis", o->legal_basis,
	    "approved_by", o->approved_by,
	    "approved_on", o->approved_on == 0 ? "" :
	        kl_day_text(o->approved_on).b,
	    "review_on", o->review_on == 0 ? "" :
	        kl_day_text(o->review_on).b);
}

/* One line of the status: what it is, why, and until when. */
static json_t *
row_words(const struct policy_store *p, enum kl_policy_key key,
    enum kl_policy_state state)
{
	const struct kl_policy_override *o = &p->loaded.file.override[key];
	const bool counts = state == KL_POLICY_LOOSENED;

	return json_sprintf("%s = %s (%s)%s%s%s%s",
	    kl_policy_row(key)->key, kl_term_text(key, p->now.term[key]).b,
	    kl_policy_file_state_label(state, KL_EN),
	    counts ? ", approved by " : "", counts ? o->approved_by : "",
	    counts ? " until " : "",
	    counts ? kl_day_text(o->review_on).b : "");
}

/* What an audit report shows: every row that asks for more than the table. */
static json_t *
looser_json(const struct policy_store *p,
    json_t *(*row)(const struct policy_store *p, enum kl_policy_key key,
    enum kl_policy_state state))
{
	json_t *list = json_array();

	for (enum kl_policy_key k = 0; k < KL_POL_COUNT; k++) {
		const enum kl_policy_state s = kl_policy_file_state(
		    &p->loaded.file, k, p->day);

		if (s == KL_POLICY_LOOSENED || s == KL_POLICY_UNAPPROVED ||
		    s == KL_POLICY_OVERDUE)
			(void)json_array_append_new(list, row(p, k, s));
	}
	return list;
}

json_t *
control_policy_json(const struct engine *e)
{
	const struct policy_store *p = engine_policy_loaded(e);

	return json_pack("{s:b,s:s,s:o}", "draining", p->none,
	    "loaded_at", kl_time_text(p->loaded.at_ms).b,
	    "looser", looser_json(p, row_words));
}

int
control_policy_show(struct control_cmd *c)
{
	const struct policy_store *p = engine_policy_loaded(c->engine);
	json_t *o = control_policy_json(c->engine);
	char hash[65];

	kl_hex(KL_BYTES_OF(p->loaded.hash), hash);
	if (o != NULL) {
		(void)json_object_set_new(o, "sha256", json_string(hash));
		(void)json_object_set_new(o, "looser", looser_json(p,
		    row_json));
	}
	return control_cmd_answer(c, json_pack("{s:o}", "policy", o));
}

/* With the line of the file, which no code has. */
static int
refuse(struct control_cmd *c, const struct kl_policy_error *e)
{
	char text[sizeof e->b + 32];

	if (e->line > 0)
		(void)snprintf(text, sizeof text, "line %u: %s", e->line,
		    e->b);
	else
		(void)snprintf(text, sizeof text, "%s", e->b);
	c->answer = json_pack("{s:b,s:s,s:s}", "ok", 0, "code",
	    kl_code_name(KL_C_FIELD_VALUE), "text", text);
	return KL_E_REFUSED;
}

int
control_policy_load(struct control_cmd *c)
{
	const char *in = control_cmd_text(c, "policy");
	uint8_t *buf = malloc(KL_POLICY_FILE_MAX);
	struct kl_policy_error e;
	size_t n = 0;
	int r;

	if (buf == NULL)
		return KL_E_MEMORY;
	if (in == NULL || kl_base64_read(kl_bytes_str(in), buf,
	    KL_POLICY_FILE_MAX, &n) != KL_OK) {
		free(buf);
		return control_cmd_refuse(c, KL_C_FIELD_VALUE, "/policy");
	}
	r = engine_policy_load(c->engine, &c->by, kl_bytes(buf, n), &e);
	free(buf);
	if (r == KL_E_REFUSED)
		return refuse(c, &e);
	return r != KL_OK ? r : control_cmd_answer(c, json_object());
}
