#include "adapters/common/page_alarm.h"

#include <stdio.h>
#include <string.h>

#include <kortelijn/domain/calendar.h>

#include "adapters/common/letter.h"
#include "adapters/common/subject.h"
#include "adapters/common/view_alarm.h"

static const char *
text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s == NULL ? "" : s;
}

/* "label_nl" or "label_en". */
static const char *
words(const json_t *o, const char *key, enum kl_lang lang)
{
	char name[32];

	(void)snprintf(name, sizeof name, "%s_%s", key, lang == KL_EN ?
	    "en" : "nl");
	return text_of(o, name);
}

static void
put_phones(struct letter *l, const json_t *list)
{
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o)
		letter_row(l, text_of(o, "name")[0] != '\0' ?
		    text_of(o, "name") : text_of(o, "id"),
		    text_of(o, "phone")[0] != '\0' ? text_of(o, "phone") :
		    "?");
}

static void
put_rows(struct letter *l, const json_t *o, const struct engine_alarm *a,
    enum kl_lang lang)
{
	const bool en = lang == KL_EN;

	letter_row(l, en ? "Reference" : "Kenmerk", text_of(o, "reference"));
	letter_row(l, en ? "Own reference" : "Eigen kenmerk",
	    text_of(o, "referral_id"));
	letter_row(l, en ? "Other side" : "Andere kant",
	    text_of(o, "peer_name"));
	letter_row(l, en ? "Since" : "Sinds", kl_calendar_text(a->at_ms).b);
	letter_row(l, en ? "Term" : "Termijn", words(o, "term", lang));
	letter_row(l, en ? "Phone" : "Telefoon", text_of(o, "phone"));
	put_phones(l, json_object_get(o, "phones"));
}

static int
text_make(const struct config *c, const json_t *o,
    const struct engine_alarm *a, bool closed, struct page *p)
{
	const enum kl_lang lang = (enum kl_lang)c->lang;
	const struct letter_options form = { LETTER_TEXT, lang,
		c->realm == KL_TRAINING };
	struct letter *l;
	size_t n;
	int r = letter_new(&form, closed ? (lang == KL_EN ? "ALARM OVER" :
	    "ALARM VOORBIJ") : "ALARM", &l);

	if (r != KL_OK)
		return r;
	letter_paragraph(l, words(o, "label", lang));
	if (json_is_true(json_object_get(o, "do_not_contact")))
		letter_paragraph(l, lang == KL_EN ?
		    "DO NOT CONTACT: sent in error." :
		    "NEEM GEEN CONTACT OP: ten onrechte verzonden.");
	put_rows(l, o, a, lang);
	if (!closed)
		letter_paragraph(l, words(o, "action", lang));
	r = letter_take(l, &p->text, &n);
	return r == KL_OK ? KL_OK : KL_E_MEMORY;
}

static int
json_make(const struct config *c, const struct engine_event *ev, json_t *o,
    bool closed, struct page *p)
{
	(void)json_object_set_new(o, "schema", json_integer(KL_SCHEMA_MAX));
	(void)json_object_set_new(o, "seq",
	    json_integer((json_int_t)ev->seq));
	(void)json_object_set_new(o, "event", json_string(closed ?
	    "alarm_closed" : "alarm"));
	(void)json_object_set_new(o, "training", json_boolean(c->realm ==
	    KL_TRAINING));
	p->json = json_dumps(o, JSON_INDENT(2));
	return p->json == NULL ? KL_E_MEMORY : KL_OK;
}

/* The alarm of the event and its case, if it is of one. */
static int
of_event(struct engine *e, const struct engine_actor *by,
    const struct engine_event *ev, struct engine_alarm *a, struct page *p)
{
	struct engine_case k;
	int r = engine_alarm_get(e, ev->step, a);

	if (r != KL_OK || !a->has_conv)
		return r;
	if ((r = engine_case_get(e, &a->conv, &k)) != KL_OK)
		return r;
	p->spoken = k.spoken;
	return subject_log(e, by, ENGINE_EXPORTED, &a->conv);
}

int
page_alarm(struct engine *e, const struct engine_actor *by,
    const struct engine_event *ev, struct page *out)
{
	const bool closed = ev->kind == ENGINE_EV_ALARM_CLOSED;
	const struct config *c = engine_config(e);
	struct engine_alarm a;
	json_t *o;
	int r;

	memset(out, 0, sizeof *out);
	if ((r = of_event(e, by, ev, &a, out)) != KL_OK)
		return r;
	if ((o = view_alarm(e, &a)) == NULL)
		return KL_E_MEMORY;
	if ((r = text_make(c, o, &a, closed, out)) == KL_OK)
		r = json_make(c, ev, o, closed, out);
	json_decref(o);
	if (r != KL_OK)
		page_clear(out);
	return r;
}
