#include "adapters/common/control_show.h"

#include <string.h>

#include <kortelijn/domain/render.h>

#include "adapters/common/control_case.h"
#include "adapters/common/control_desk.h"
#include "adapters/common/control_withdraw.h"
#include "adapters/common/control_policy.h"
#include "adapters/common/subject.h"
#include "adapters/common/view.h"
#include "adapters/common/view_alarm.h"

/* Cases in one answer, at most some 2 KiB each. */
#define LIST_MAX 1000

int
control_show_list(struct control_cmd *c)
{
	uint64_t after = 0, max = LIST_MAX, first;
	json_t *rows;
	int r;

	if ((r = control_cmd_number(c, "/after", INT64_MAX, &after)) != KL_OK ||
	    (r = control_cmd_number(c, "/max", LIST_MAX, &max)) != KL_OK)
		return r;
	first = after + 1;
	if ((r = view_cases(c->engine, &after, max, &rows)) != KL_OK)
		return r;
	if ((r = subject_log_list(c->engine, &c->by, first, after)) !=
	    KL_OK) {
		json_decref(rows);
		return r;
	}
	r = control_cmd_answer(c, json_pack("{s:o}", "referrals", rows));
	if (r == KL_OK && after != 0 && json_object_set_new(c->answer, "next",
	    json_integer((json_int_t)after)) != 0)
		r = KL_E_MEMORY;
	return r;
}

/* The content as text, of a case that came to us. The access log names who
 * saw it, or the case without it. */
static int
put_content(struct control_cmd *c, const struct engine_case *k)
{
	const struct config *conf = engine_config(c->engine);
	char text[KL_RENDER_MAX];
	struct kl_referral content;
	size_t n;
	int r;

	r = k->mine ? KL_E_NOT_FOUND : engine_content(c->engine, &c->by,
	    ENGINE_SAW, &k->conv, &content);
	if (r == KL_E_NOT_FOUND)
		return subject_log(c->engine, &c->by, ENGINE_SAW, &k->conv);
	if (r == KL_OK)
		r = kl_render_referral(&content, (enum kl_lang)conf->lang,
		    text, sizeof text, &n);
	if (r == KL_OK && json_object_set_new(c->answer, "text",
	    json_string(text)) != 0)
		r = KL_E_MEMORY;
	explicit_bzero(&content, sizeof content);
	explicit_bzero(text, sizeof text);
	return r;
}

static void
put_explanation(struct control_cmd *c, const struct engine_case *k)
{
	const bool desk = engine_config(c->engine)->role != KL_PRACTICE;
	const struct kl_state_row *row = kl_state_row(desk ? k->full_state :
	    k->state);

	if (row != NULL)
		(void)json_object_set_new(c->answer, "explanation_nl",
		    json_string(desk ? row->desk_nl : row->gp_nl));
}

int
control_show_case(struct control_cmd *c)
{
	const char *reference = control_cmd_text(c, "reference");
	json_t *history = NULL;
	struct engine_case k;
	int r;

	if (reference == NULL)
		return control_cmd_refuse(c, KL_C_FIELD_MISSING, "/reference");
	r = engine_case_find(c->engine, reference, &k);
	if (r == KL_E_NOT_FOUND)
		return control_cmd_refuse(c, KL_C_REFERRAL_UNKNOWN, "");
	if (r != KL_OK ||
	    (r = view_history(c->engine, &k, &history)) != KL_OK)
		return r;
	r = control_cmd_answer(c, view_case(engine_config(c->engine), &k));
	if (r != KL_OK) {
		json_decref(history);
		return r;
	}
	put_explanation(c, &k);
	(void)json_object_set_new(c->answer, "asks", view_alarm_case(&k));
	if (!k.mine)
		(void)json_object_set_new(c->answer, "attempts",
		    control_desk_attempts(c->engine, &k.conv));
	if (k.withdrawn != 0)
		control_withdraw_put(c->engine, &k.conv, c->answer);
	control_case_phone(c->engine, &k, c->answer);
	(void)json_object_set_new(c->answer, "receipts",
	    view_receipts(history));
	(void)json_object_set_new(c->answer, "history", history);
	return put_content(c, &k);
}

int
control_show_status_of(struct engine *e, const struct folder *folder,
    json_t **out)
{
	const struct config *c = engine_config(e);
	int r = view_status(e, out);

	if (r != KL_OK)
		return r;
	(void)json_object_set_new(*out, "ok", json_true());
	(void)json_object_set_new(*out, "policy", control_policy_json(e));
	(void)json_object_set_new(*out, "folder", json_string(!c->folder ?
	    "off" : folder_blocked_ms(folder) != 0 ?
	    "out_not_writable" : "on"));
	return KL_OK;
}

int
control_show_status(struct control_cmd *c)
{
	c->wait = CONTROL_READY;
	return control_show_status_of(c->engine, c->folder, &c->answer);
}

int
control_show_take_over(struct control_cmd *c)
{
	engine_take_over(c->engine);
	return control_cmd_answer(c, json_object());
}
