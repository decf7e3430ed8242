/* Which policy counts, and what of it is looser than the table. */
#include <stdlib.h>

#include <kortelijn/base/time.h>

#include "broker/core/control_priv.h"
#include "broker/core/cycle.h"
#include "broker/core/policy.h"

#define LOADS_MAX 100	/* the newest, in an answer */

static json_t *
row_json(const struct core *c, enum kl_policy_key key,
    enum kl_policy_state state)
{
	const struct kl_policy_override *o = &c->loaded.file.override[key];

	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}",
	    "id", kl_policy_row(key)->id,
	    "key", kl_policy_row(key)->key,
	    "value", kl_term_text(key, c->policy.term[key]).b,
	    "asked", kl_term_text(key, c->loaded.file.asked[key]).b,
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
row_words(const struct core *c, enum kl_policy_key key,
    enum kl_policy_state state)
{
	const struct kl_policy_override *o = &c->loaded.file.override[key];
	const bool counts = state == KL_POLICY_LOOSENED;

	return json_sprintf("%s = %s (%s)%s%s%s%s",
	    kl_policy_row(key)->key, kl_term_text(key, c->policy.term[key]).b,
	    kl_policy_file_state_label(state, KL_EN),
	    counts ? ", approved by " : "", counts ? o->approved_by : "",
	    counts ? " until " : "",
	    counts ? kl_day_text(o->review_on).b : "");
}

/* What an audit report shows: every row that asks for more than the table. */
static json_t *
looser_json(const struct core *c, json_t *(*row)(const struct core *c,
    enum kl_policy_key key, enum kl_policy_state state))
{
	json_t *list = json_array();

	for (enum kl_policy_key k = 0; k < KL_POL_COUNT; k++) {
		const enum kl_policy_state s = kl_policy_file_state(
		    &c->loaded.file, k, c->loaded.day);

		if (s == KL_POLICY_LOOSENED || s == KL_POLICY_UNAPPROVED ||
		    s == KL_POLICY_OVERDUE)
			(void)json_array_append_new(list, row(c, k, s));
	}
	return list;
}

static json_t *
policy_json(const struct core *c, json_t *(*row)(const struct core *c,
    enum kl_policy_key key, enum kl_policy_state state))
{
	const struct core_policy *p = &c->loaded;

	return json_pack("{s:b,s:I,s:I,s:o}", "draining", p->drain,
	    "leaf", (json_int_t)p->leaf, "loaded_ms", (json_int_t)p->at_ms,
	    "looser", looser_json(c, row));
}

void
control_policy_put(const struct core *c, json_t *o)
{
	json_t *p = policy_json(c, row_json);
	char hash[65];

	kl_hex(KL_BYTES_OF(c->loaded.hash), hash);
	if (p != NULL)
		(void)json_object_set_new(p, "sha256", json_string(hash));
	(void)json_object_set_new(o, "policy", p);
}

/* ---- what counted before ---- */

/* Rows of a load that were looser on its day, as a report says them. */
static json_t *
looser_then(const struct policy_then *then)
{
	struct kl_policy_file *f = calloc(1, sizeof *f);
	const int32_t day = kl_day_of(then->at_ms);
	json_t *list = json_array();
	struct kl_policy_error e;

	if (f == NULL || kl_policy_file_read(then->changes, f, &e) != KL_OK) {
		free(f);
		return list;
	}
	for (enum kl_policy_key k = 0; k < KL_POL_COUNT; k++)
		if (kl_policy_file_state(f, k, day) == KL_POLICY_LOOSENED)
			(void)json_array_append_new(list, json_sprintf(
			    "%s = %s, approved by %s until %s",
			    kl_policy_row(k)->key,
			    kl_term_text(k, f->asked[k]).b,
			    f->override[k].approved_by,
			    kl_day_text(f->override[k].review_on).b));
	free(f);
	return list;
}

static json_t *
then_json(const struct policy_then *then)
{
	char hash[65];

	kl_hex(KL_BYTES_OF(then->hash), hash);
	return json_pack("{s:I,s:I,s:s,s:o}", "leaf", (json_int_t)then->leaf,
	    "loaded_ms", (json_int_t)then->at_ms, "sha256", hash,
	    "looser", looser_then(then));
}

static int
loads_in_turn(struct core *c, void *arg)
{
	json_t *list = arg;
	struct policy_then then = { .leaf = 0 };
	int r = policy_load_next(c, 0, &then);

	for (; r == KL_OK; r = policy_load_next(c, then.leaf + 1, &then)) {
		if (json_array_size(list) == LOADS_MAX)
			(void)json_array_remove(list, 0);
		(void)json_array_append_new(list, then_json(&then));
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

json_t *
control_policy(struct core *c, const json_t *question)
{
	json_t *o = json_pack("{s:b}", "ok", 1), *loads = json_array();

	(void)question;
	control_policy_put(c, o);
	if (cycle_run(c, loads_in_turn, loads) != KL_OK) {
		json_decref(loads);
		json_decref(o);
		return control_refused(KL_C_TRY_LATER);
	}
	(void)json_object_set_new(json_object_get(o, "policy"), "loads",
	    loads);
	return o;
}

void
control_policy_status(const struct core *c, json_t *o)
{
	json_t *p = policy_json(c, row_words);

	if (p != NULL && c->loaded.drain)
		(void)json_object_set_new(p, "next_step", json_string(
		    "'kortelijn policy load FILE': until then nothing is "
		    "accepted or released"));
	if (o != NULL)
		(void)json_object_set_new(o, "policy", p);
	else
		json_decref(p);
}

json_t *
control_policy_load(struct core *c, const json_t *question)
{
	const char *in = json_string_value(json_object_get(question,
	    "policy"));
	uint8_t *buf = malloc(KL_POLICY_FILE_MAX);
	struct kl_policy_error e = { 0 };
	size_t n = 0;
	int r;

	if (buf == NULL) {
		r = KL_E_MEMORY;
	} else if (in == NULL || kl_base64_read(kl_bytes_str(in), buf,
	    KL_POLICY_FILE_MAX, &n) != KL_OK) {
		free(buf);
		return control_refused(KL_C_MALFORMED);
	} else {
		r = policy_load(c, kl_bytes(buf, n), &e);
	}
	free(buf);
	if (r == KL_E_REFUSED)
		return control_refused_file(e.line, e.b);
	return r != KL_OK ? control_refused(KL_C_TRY_LATER) :
	    control_policy(c, question);
}
