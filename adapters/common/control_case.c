#include "adapters/common/control_case.h"

#include <string.h>

#include "adapters/common/phone.h"
#include "adapters/common/view.h"

/* Why nothing leaves now, "" if it does or may soon: what is kept would wait
 * without anybody knowing. */
static const char *
hindrance(const struct engine_status *s, bool dutch)
{
	if (s->session == ENGINE_CONFLICT)
		return dutch ? "een andere installatie gebruikt deze kaart" :
		    "another installation holds this card";
	if (s->session == ENGINE_NOT_SERVED)
		return dutch ? "de broker bedient deze koppeling niet" :
		    "the broker does not serve this adapter";
	if (s->session == ENGINE_NO_LINK)
		return dutch ? "geen verbinding met de broker" :
		    "no connection to the broker";
	if (!s->may_seal)
		return dutch ? "de klok van deze computer loopt niet gelijk" :
		    "the clock of this computer is wrong";
	return "";
}

void
control_case_hindrance(struct engine *e, json_t *o)
{
	struct engine_status s;

	engine_session(e, &s);
	if (hindrance(&s, true)[0] == '\0')
		return;
	(void)json_object_set_new(o, "hindrance_en",
	    json_string(hindrance(&s, false)));
	(void)json_object_set_new(o, "hindrance_nl",
	    json_string(hindrance(&s, true)));
}

void
control_case_phone(struct engine *e, const struct engine_case *k, json_t *o)
{
	const struct phone p = phone_of(e, &k->peer, k->crisis);

	if (p.b[0] != '\0')
		(void)json_object_set_new(o, "peer_phone", json_string(p.b));
}

json_t *
control_case_answer(struct engine *e, const struct kl_conv_id *conv)
{
	struct engine_case k;
	json_t *o = NULL;

	if (engine_case_get(e, conv, &k) == KL_OK)
		o = view_case(engine_config(e), &k);
	if (o != NULL) {
		(void)json_object_set_new(o, "ok", json_true());
		(void)json_object_set_new(o, "accepted",
		    json_boolean(k.has_leaf));
		if (k.waiting > 0)
			control_case_hindrance(e, o);
		if (k.crisis)
			control_case_phone(e, &k, o);
	}
	return o;
}

/* After duplicate_file and conflict: which case the first one made. */
static void
put_first(struct control_cmd *c, const struct engine_taken *t)
{
	if (t->spoken.b[0] != '\0')
		(void)json_object_set_new(c->answer, "reference",
		    json_string(kl_spoken_text(&t->spoken).b));
	(void)json_object_set_new(c->answer, "referral_id",
	    json_string(t->referral_id));
}

static int
taken(struct control_cmd *c, int r, const struct engine_taken *t,
    const struct kl_finding *why)
{
	if (r == KL_E_REFUSED) {
		c->answer = view_refusal(why);
		if (why->code == KL_C_DUPLICATE_FILE ||
		    why->code == KL_C_CONFLICT)
			put_first(c, t);
		return r;
	}
	if (r != KL_OK)
		return r;
	c->conv = t->conv;
	if ((c->answer = control_case_answer(c->engine, &t->conv)) == NULL)
		return KL_E_MEMORY;
	(void)json_object_set_new(c->answer, "sends",
	    json_boolean(t->sends));
	return KL_OK;
}

int
control_case_refer(struct control_cmd *c)
{
	struct engine_taken t = { .referral_id = "" };
	struct kl_finding why = { .code = KL_C_OK };

	c->wait = CONTROL_ACCEPTED;
	return taken(c, engine_refer(c->engine, &c->by, control_cmd_file(c),
	    &t, &why), &t, &why);
}

int
control_case_correct(struct control_cmd *c)
{
	struct engine_taken t = { .referral_id = "" };
	struct kl_finding why = { .code = KL_C_OK };

	return taken(c, engine_correct(c->engine, &c->by, control_cmd_file(c),
	    &t, &why), &t, &why);
}

/* A value of a closed list, 0 if it is not given. */
static int
item_of(struct control_cmd *c, const char *pointer, enum kl_list list,
    uint32_t *out)
{
	const char *name = control_cmd_text(c, pointer + 1);

	*out = name == NULL ? 0 : kl_list_read(list, name);
	return name != NULL && *out == 0 ?
	    control_cmd_refuse(c, KL_C_FIELD_VALUE, pointer) : KL_OK;
}

static int
feedback_of(struct control_cmd *c, struct kl_feedback *f)
{
	const char *code = control_cmd_text(c, "code");
	const char *date = control_cmd_text(c, "date");
	int r;

	memset(f, 0, sizeof *f);
	if (code == NULL)
		return control_cmd_refuse(c, KL_C_FIELD_MISSING, "/code");
	f->code = kl_state_read(code);
	if (!kl_state_sendable(f->code))
		return control_cmd_refuse(c, KL_C_FIELD_VALUE, "/code");
	if ((r = item_of(c, "/category", KL_LIST_CATEGORY, &f->category)) !=
	    KL_OK ||
	    (r = item_of(c, "/ground", KL_LIST_GROUND, &f->ground)) != KL_OK ||
	    (r = item_of(c, "/wanted", KL_LIST_WANTED, &f->wanted)) != KL_OK)
		return r;
	if (date != NULL && kl_day_read(date, &f->day) != KL_OK)
		return control_cmd_refuse(c, KL_C_FIELD_VALUE, "/date");
	return KL_OK;
}

/* What may follow now, for who mistyped: close to what the engine checks. */
static void
put_next(struct control_cmd *c, const struct kl_spoken *spoken)
{
	const struct kl_state_row *row;
	struct kl_step step = { .milestone = KL_MS_NONE };
	struct engine_case k;
	json_t *a;

	if (engine_case_find(c->engine, kl_spoken_text(spoken).b, &k) !=
	    KL_OK || (a = json_array()) == NULL)
		return;
	step.milestone = (enum kl_milestone)k.milestone;
	step.corrected = k.corrected;
	for (size_t i = 0; (row = kl_state_at(i)) != NULL; i++)
		if (kl_state_sendable(row->code) && kl_state_may_follow(
		    k.full_state, row->code, &step))
			(void)json_array_append_new(a,
			    json_string(row->name));
	(void)json_object_set_new(c->answer, "possible", a);
}

int
control_case_feedback(struct control_cmd *c)
{
	const char *reference = control_cmd_text(c, "reference");
	struct engine_taken t = { .referral_id = "" };
	struct kl_finding why = { .code = KL_C_OK };
	struct kl_feedback f;
	struct kl_spoken spoken;
	int r;

	if (control_cmd_text(c, "file") != NULL)
		return taken(c, engine_feedback_file(c->engine, &c->by,
		    control_cmd_file(c), &t, &why), &t, &why);
	if (reference == NULL)
		return control_cmd_refuse(c, KL_C_FIELD_MISSING, "/reference");
	if (kl_spoken_read(reference, &spoken) != KL_OK)
		return control_cmd_refuse(c, KL_C_FIELD_VALUE, "/reference");
	if ((r = feedback_of(c, &f)) == KL_OK)
		r = taken(c, engine_feedback(c->engine, &c->by, &spoken, &f,
		    &t, &why), &t, &why);
	if (r == KL_E_REFUSED && (f.code == 0 || why.code == KL_C_STATE))
		put_next(c, &spoken);
	return r;
}
