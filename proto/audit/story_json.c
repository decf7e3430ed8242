#include "proto/audit/story_json.h"

#include <kortelijn/base/time.h>

#include "proto/audit/json.h"
#include "proto/audit/story_text.h"
#include "proto/cli/output.h"

static void
append(json_t *list, json_t *o)
{
	(void)json_array_append_new(list, o);
}

static void
put(json_t *o, const char *key, json_t *value)
{
	(void)json_object_set_new(o, key, value);
}

static json_t *
minute(int64_t at)
{
	return output_time(at * KL_MINUTE_MS);
}

static json_t *
parties(const struct audit_story *s)
{
	json_t *list = json_array(), *o;
	const char *name;
	struct kl_id id;
	uint32_t role;

	for (size_t i = 0; audit_story_party(s, i, &id, &role); i++) {
		o = json_pack("{s:o}", "id", output_id(&id));
		if ((name = audit_names_of(s->tell.names, &id)) != NULL)
			put(o, "name", json_string(name));
		if (role != 0)
			put(o, "role", json_string(kl_role_name(role)));
		put(o, "staff", json_string(audit_story_text_ask(s, role).b));
		append(list, o);
	}
	return list;
}

static json_t *
consent(const struct audit_story *s)
{
	const size_t i = audit_facts_referral(&s->facts);
	json_t *o = json_pack("{s:o}", "conv_ref",
	    output_hex(KL_BYTES_OF(s->facts.at[0].r.conv_ref)));

	if (i != AUDIT_FACTS_NONE)
		put(o, "referral_hash",
		    output_hex(KL_BYTES_OF(s->facts.at[i].r.body_hash)));
	return o;
}

/* Questions to the log, or what they ask about. */
static json_t *
records(const struct audit_story *s, bool queries)
{
	json_t *list = json_array(), *o;

	for (size_t i = 0; i < s->facts.n; i++) {
		const struct audit_fact *at = &s->facts.at[i];

		if ((at->r.event == KL_EV_QUERY) != queries)
			continue;
		o = json_pack("{s:I,s:s}", "leaf", (json_int_t)at->leaf,
		    "text", audit_tell_record(&s->tell, &at->r).b);
		(void)audit_json_fields(o, &at->r);
		append(list, o);
	}
	return list;
}

static json_t *
dues(const struct audit_story *s)
{
	static const char *const terms[] = { "deliver", "answer", "erase" };
	static const char *const ends[] = { "runs", "kept", "missed_and_told",
		"missed", "void" };
	json_t *list = json_array(), *o;
	struct audit_facts_due d;
	size_t at = 0;

	while (audit_facts_next_due(&s->facts, s->now_minute, &at, &d)) {
		o = json_pack("{s:s,s:s,s:I,s:o,s:s}",
		    "term", terms[d.term], "end", ends[d.end],
		    "leaf", (json_int_t)s->facts.at[d.begun].leaf,
		    "due", minute(d.due_minute),
		    "text", audit_tell_due(&s->tell, &s->facts, &d).b);
		if (d.met != AUDIT_FACTS_NONE)
			put(o, "met",
			    minute(s->facts.at[d.met].r.time_minute));
		if (d.told != AUDIT_FACTS_NONE)
			put(o, "told_leaf", json_integer(
			    (json_int_t)s->facts.at[d.told].leaf));
		append(list, o);
	}
	return list;
}

static json_t *
open_ends(const struct audit_story *s)
{
	static const char *const names[] = { "nothing", "not_collected",
		"not_opened", "not_erased", "erase_receipt", "not_taken_up",
		"no_term_to_answer", "help_under_way", "feedback_withdrawn" };
	json_t *list = json_array();

	for (size_t i = 0; i < s->facts.n; i++) {
		const enum audit_facts_open open = audit_facts_open(&s->facts,
		    i);

		if (open != AUDIT_OPEN_NOTHING)
			append(list, json_pack("{s:s,s:I,s:s}",
			    "what", names[open],
			    "leaf", (json_int_t)s->facts.at[i].leaf,
			    "text", audit_tell_open(&s->tell,
			    &s->facts.at[i].r, open).b));
	}
	return list;
}

static void
gap(json_t *list, const char *what, const char *text)
{
	append(list, json_pack("{s:s,s:s}", "what", what, "text", text));
}

static json_t *
gaps(const struct audit_story *s)
{
	json_t *list = json_array();
	bool loose = false;

	for (size_t i = 0; i < s->facts.n; i++)
		loose |= audit_facts_loose(&s->facts, i);
	if (audit_facts_no_begin(&s->facts))
		gap(list, "beginning", audit_story_text_begin_gone(s));
	if (audit_facts_shown_again(&s->facts))
		gap(list, "earlier_log", audit_story_text_shown_again(s));
	if (loose)
		gap(list, "message", audit_story_text_loose(s));
	return list;
}

static json_t *
looser(const struct audit_story *s, const struct audit_story_policy *p)
{
	json_t *list = json_array();

	for (int i = 0; i < KL_POL_COUNT; i++) {
		const enum kl_policy_key key = (enum kl_policy_key)i;

		if (!audit_story_looser(s, p, key))
			continue;
		append(list, json_pack("{s:s,s:s,s:s,s:s}",
		    "key", kl_policy_row(key)->key,
		    "value", kl_term_text(key, p->file.asked[key]).b,
		    "default", kl_term_text(key, kl_policy_row(key)->value).b,
		    "text", audit_story_text_looser(s, p, key).b));
	}
	return list;
}

static json_t *
policies(const struct audit_story *s)
{
	json_t *list = json_array(), *o;

	for (size_t i = 0; i < s->n_policy; i++) {
		const struct audit_story_policy *p = &s->policy[i];

		o = json_pack("{s:I,s:o,s:o,s:b}",
		    "leaf", (json_int_t)p->load.leaf,
		    "time", minute(p->load.minute),
		    "sha256", output_hex(KL_BYTES_OF(p->load.hash)),
		    "held", (int)p->known);
		if (p->known)
			put(o, "looser", looser(s, p));
		append(list, o);
	}
	return list;
}

json_t *
audit_story_json(const struct audit_story *s)
{
	return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
	    "reference", s->reference,
	    "origin", s->origin,
	    "now", minute(s->now_minute),
	    "parties", parties(s),
	    "consent", consent(s),
	    "events", records(s, false),
	    "terms", dues(s),
	    "open", open_ends(s),
	    "missing", gaps(s),
	    "policies", policies(s),
	    "queries", records(s, true));
}
