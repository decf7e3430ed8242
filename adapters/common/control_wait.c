#include "adapters/common/control_wait.h"

#include "adapters/common/control_case.h"
#include "adapters/common/control_show.h"
#include "adapters/common/control_withdraw.h"

static int
poll_accepted(struct engine *e, const struct kl_conv_id *conv,
    json_t **answer)
{
	struct engine_case k;
	int r = engine_case_get(e, conv, &k);

	if (r != KL_OK)
		return r;
	if (k.refused != 0)
		*answer = control_cmd_refusal(k.refused);
	else if (!k.has_leaf)
		return KL_E_EMPTY;
	else
		*answer = control_case_answer(e, conv);
	return *answer != NULL ? KL_OK : KL_E_MEMORY;
}

int
control_wait_poll(struct engine *e, const struct folder *folder,
    enum control_wait wait, const struct kl_conv_id *conv, json_t **answer)
{
	struct engine_status s;
	int r;

	*answer = NULL;
	if (wait == CONTROL_ACCEPTED)
		return poll_accepted(e, conv, answer);
	if (wait == CONTROL_WITHDRAWN)
		return control_withdraw_poll(e, conv, answer);
	if ((r = engine_status(e, &s)) != KL_OK)
		return r;
	if (s.session != ENGINE_READY)
		return KL_E_EMPTY;
	return control_show_status_of(e, folder, answer);
}

json_t *
control_wait_late(struct engine *e, enum control_wait wait,
    const struct kl_conv_id *conv)
{
	struct engine_status s;
	struct engine_case k;
	const char *session = "";
	json_t *o = control_cmd_refusal(KL_C_TRY_LATER);

	if (engine_status(e, &s) == KL_OK)
		session = engine_session_name(s.session);
	(void)json_object_set_new(o, "session", json_string(session));
	if (wait == CONTROL_READY) {
		(void)json_object_set_new(o, "en", json_string(
		    "the broker does not serve this adapter yet"));
		(void)json_object_set_new(o, "nl", json_string(
		    "de broker bedient deze koppeling nog niet"));
		return o;
	}
	/* Not refused: whoever sends it again under a new id sends it twice. */
	(void)json_object_set_new(o, "kept", json_true());
	control_case_hindrance(e, o);
	if (wait == CONTROL_WITHDRAWN) {
		(void)json_object_set_new(o, "en", json_string("it is "
		    "withdrawn here and told as soon as possible, but the "
		    "broker has not answered yet"));
		(void)json_object_set_new(o, "nl", json_string("de "
		    "intrekking ligt hier vast en wordt zo spoedig mogelijk "
		    "doorgegeven, maar de broker heeft nog niet "
		    "geantwoord"));
		return o;
	}
	(void)json_object_set_new(o, "en", json_string("it is kept here and "
	    "is sent as soon as possible, but was not accepted yet"));
	(void)json_object_set_new(o, "nl", json_string("de verwijzing ligt "
	    "hier veilig en gaat zo spoedig mogelijk weg, maar is nog niet "
	    "aangenomen"));
	if (engine_case_get(e, conv, &k) == KL_OK)
		(void)json_object_set_new(o, "referral_id",
		    json_string(k.referral_id));
	return o;
}
