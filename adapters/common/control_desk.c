#include "adapters/common/control_desk.h"

#include <string.h>

#include "adapters/common/control_case.h"
#include "adapters/common/view.h"

/* The member "reference". KL_E_REFUSED: the answer says so. */
static int
reference_of(struct control_cmd *c, struct kl_spoken *out)
{
	const char *text = control_cmd_text(c, "reference");

	if (text == NULL)
		return control_cmd_refuse(c, KL_C_FIELD_MISSING, "/reference");
	return kl_spoken_read(text, out) == KL_OK ? KL_OK :
	    control_cmd_refuse(c, KL_C_FIELD_VALUE, "/reference");
}

static int
item_of(struct control_cmd *c, const char *pointer, enum kl_list list,
    uint32_t *out)
{
	const char *name = control_cmd_text(c, pointer + 1);

	if (name == NULL)
		return control_cmd_refuse(c, KL_C_FIELD_MISSING, pointer);
	*out = kl_list_read(list, name);
	return *out != 0 ? KL_OK :
	    control_cmd_refuse(c, KL_C_FIELD_VALUE, pointer);
}

static int
attempt_of(struct control_cmd *c, struct kl_attempt *a)
{
	const char *date = control_cmd_text(c, "date");
	int r;

	memset(a, 0, sizeof *a);
	if ((r = item_of(c, "/kind", KL_LIST_CONTACT, &a->kind)) != KL_OK ||
	    (r = item_of(c, "/part_of_day", KL_LIST_PART_OF_DAY,
	    &a->part_of_day)) != KL_OK)
		return r;
	if (date != NULL && kl_day_read(date, &a->day) != KL_OK)
		return control_cmd_refuse(c, KL_C_FIELD_VALUE, "/date");
	return KL_OK;
}

json_t *
control_desk_attempts(struct engine *e, const struct kl_conv_id *conv)
{
	json_t *list = json_array();
	struct kl_attempt a;

	for (uint32_t n = 0; engine_attempt_next(e, conv, n, &a) == KL_OK;
	    n++)
		(void)json_array_append_new(list, json_pack(
		    "{s:s,s:s,s:s}", "date", kl_day_text(a.day).b,
		    "part_of_day", kl_list_name(KL_LIST_PART_OF_DAY,
		    a.part_of_day), "kind", kl_list_name(KL_LIST_CONTACT,
		    a.kind)));
	return list;
}

/* The case as it is now, with its attempts. */
static int
answer(struct control_cmd *c, int r, const struct engine_taken *t,
    const struct kl_finding *why)
{
	if (r == KL_E_REFUSED) {
		c->answer = view_refusal(why);
		return r;
	}
	if (r != KL_OK)
		return r;
	if ((c->answer = control_case_answer(c->engine, &t->conv)) == NULL)
		return KL_E_MEMORY;
	(void)json_object_set_new(c->answer, "attempts",
	    control_desk_attempts(c->engine, &t->conv));
	return KL_OK;
}

int
control_desk_attempt(struct control_cmd *c)
{
	struct kl_finding why = { .code = KL_C_OK };
	struct engine_taken t = { .step = 0 };
	struct kl_spoken reference;
	struct kl_attempt a;
	int r;

	if ((r = reference_of(c, &reference)) != KL_OK ||
	    (r = attempt_of(c, &a)) != KL_OK)
		return r;
	r = engine_attempt(c->engine, &c->by, &reference, &a, &t, &why);
	return answer(c, r, &t, &why);
}

int
control_desk_handed_over(struct control_cmd *c)
{
	struct kl_finding why = { .code = KL_C_OK };
	struct engine_taken t = { .step = 0 };
	struct kl_spoken reference;
	int r = reference_of(c, &reference);

	if (r != KL_OK)
		return r;
	r = engine_handed_over(c->engine, &c->by, &reference, &t, &why);
	return answer(c, r, &t, &why);
}
