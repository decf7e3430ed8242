#include "adapters/common/view_alarm.h"

#include <string.h>

#include <kortelijn/base/time.h>

#include "adapters/common/alarm_text.h"
#include "adapters/common/deadlines.h"
#include "adapters/common/json_put.h"
#include "adapters/common/phone.h"

/* ---- phone numbers --------------------------------------------------- */

static bool
listed(const json_t *list, const char *id)
{
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o)
		if (strcmp(json_string_value(json_object_get(o, "id")),
		    id) == 0)
			return true;
	return false;
}

/* Whoever has an open referral of ours, each once. */
static json_t *
phones(struct engine *e)
{
	struct engine_case k = { .number = 0 };
	json_t *list = json_array();

	while (engine_case_next(e, k.number, &k) == KL_OK &&
	    json_array_size(list) < VIEW_ALARM_PHONES_MAX) {
		const struct kl_id_text id = kl_id_text(&k.peer);
		struct phone p;

		if (!k.mine || !k.open || listed(list, id.b))
			continue;
		p = phone_of(e, &k.peer, k.crisis);
		(void)json_array_append_new(list, json_pack("{s:s,s:s,s:s}",
		    "id", id.b, "name", k.peer_name, "phone", p.b));
	}
	return list;
}

/* ---- one alarm ------------------------------------------------------- */

static void
put_words(json_t *o, const struct alarm_text *words)
{
	json_put_text(o, "label_nl", words->nl);
	json_put_text(o, "label_en", words->en);
	json_put_text(o, "action_nl", words->do_nl);
	json_put_text(o, "action_en", words->do_en);
	if (words->agreed) {
		json_put_text(o, "term_nl", "afspraak");
		json_put_text(o, "term_en", "agreement");
	}
}

static void
put_case(json_t *o, struct engine *e, const struct engine_case *k,
    bool with_phone)
{
	if (k->spoken.b[0] != '\0')
		json_put_text(o, "reference", kl_spoken_text(&k->spoken).b);
	json_put_text(o, "referral_id", k->referral_id);
	json_put_text(o, "peer", kl_id_text(&k->peer).b);
	json_put_text(o, "peer_name", k->peer_name);
	json_put_bool(o, "crisis", k->crisis);
	if (k->cause == KL_CAUSE_SENT_IN_ERROR)
		json_put_bool(o, "do_not_contact", true);
	if (with_phone && k->mine)
		json_put_text(o, "phone", phone_of(e, &k->peer,
		    k->crisis).b);
}

static void
put_code(json_t *o, uint32_t code)
{
	if (code == 0 || code == KL_C_OK)
		return;
	json_put_text(o, "code", kl_code_name(code));
	json_put_text(o, "code_nl", kl_code_text_nl(code));
	json_put_text(o, "code_en", kl_code_text_en(code));
}

json_t *
view_alarm(struct engine *e, const struct engine_alarm *a)
{
	struct engine_case k = { .mine = engine_config(e)->role ==
		KL_PRACTICE };
	const bool known = a->has_conv && engine_case_get(e, &a->conv, &k) ==
	    KL_OK;
	/* Who refers on is a sender too, whatever its role. */
	const struct alarm_text *words = alarm_text(a->kind, !k.mine);
	json_t *o = json_object();

	(void)json_object_set_new(o, "number",
	    json_integer((json_int_t)a->seq));
	json_put_text(o, "at", kl_time_text(a->at_ms).b);
	json_put_text(o, "alarm", engine_alarm_name(a->kind));
	put_words(o, words);
	put_code(o, a->code);
	if (alarm_text_open_kind(a->kind))
		(void)json_object_set_new(o, "open",
		    json_boolean(a->closed_ms == 0));
	if (a->closed_ms != 0)
		json_put_text(o, "closed_at", kl_time_text(a->closed_ms).b);
	if (known)
		put_case(o, e, &k, words->phone);
	if (a->kind == ENGINE_AL_CHECKPOINT)
		(void)json_object_set_new(o, "phones", phones(e));
	return o;
}

/* ---- many ------------------------------------------------------------ */

static bool
is_shown(const struct engine_alarm *a, enum view_alarm_which which,
    uint64_t seen)
{
	return which == VIEW_ALARM_ALL || a->seq > seen ||
	    (alarm_text_open_kind(a->kind) && a->closed_ms == 0);
}

int
view_alarm_list(struct engine *e, enum view_alarm_which which, uint64_t seen,
    uint64_t *after, size_t max, json_t **out)
{
	struct engine_alarm a;
	int r;

	if ((*out = json_array()) == NULL)
		return KL_E_MEMORY;
	while ((r = engine_alarm_next(e, *after, &a)) == KL_OK &&
	    json_array_size(*out) < max) {
		*after = a.seq;
		if (is_shown(&a, which, seen) &&
		    json_array_append_new(*out, view_alarm(e, &a)) != 0) {
			r = KL_E_MEMORY;
			break;
		}
	}
	if (r == KL_E_NOT_FOUND)
		*after = 0;
	if (r == KL_OK || r == KL_E_NOT_FOUND)
		return KL_OK;
	json_decref(*out);
	*out = NULL;
	return r;
}

json_t *
view_alarm_names(const struct engine_case *k)
{
	json_t *list = json_array();

	for (enum deadline d = 0; d < DEADLINES; d++)
		if ((k->alarms & UINT32_C(1) << d) != 0)
			(void)json_array_append_new(list, json_string(
			    engine_alarm_name(deadlines_alarm(d))));
	return list;
}

json_t *
view_alarm_case(const struct engine_case *k)
{
	json_t *list = json_array(), *o;

	for (enum deadline d = 0; d < DEADLINES; d++) {
		if ((k->alarms & UINT32_C(1) << d) == 0 ||
		    (o = json_object()) == NULL)
			continue;
		json_put_text(o, "alarm",
		    engine_alarm_name(deadlines_alarm(d)));
		put_words(o, alarm_text(deadlines_alarm(d), !k->mine));
		(void)json_array_append_new(list, o);
	}
	return list;
}
