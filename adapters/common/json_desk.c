#include "adapters/common/json_desk.h"

#include <string.h>

#include "adapters/common/jget.h"
#include "adapters/common/json_withdrawal.h"

bool
json_desk_is(struct kl_bytes in)
{
	json_t *o = json_loadb((const char *)in.p, in.n, 0, NULL);
	const bool is = json_object_get(o, "attempt") != NULL ||
	    json_object_get(o, "handed_over") != NULL ||
	    json_object_get(o, "case_system") != NULL;

	json_decref(o);
	return is;
}

static void
take_attempt(struct jget *r, json_t *o, struct kl_attempt *a)
{
	static const char *const keys[] = { "kind", "part_of_day", "date" };
	static const struct jget_place at = { NULL, "attempt" };
	json_t *date;

	if (!JGET_CLOSED(r, o, &at, keys))
		return;
	a->kind = jget_item(r, jget(r, o, &at, "kind"), &at, "kind",
	    KL_LIST_CONTACT);
	a->part_of_day = jget_item(r, jget(r, o, &at, "part_of_day"), &at,
	    "part_of_day", KL_LIST_PART_OF_DAY);
	if ((date = json_object_get(o, "date")) != NULL)
		a->day = jget_day(r, date, &at, "date");
}

static void
take_erased(struct jget *r, json_t *v, struct json_desk_file *out)
{
	const char *word = jget_string(r, v, NULL, "case_system");

	out->kind = JSON_DESK_ERASED;
	if (word == NULL)
		return;
	out->case_system = json_withdrawal_outcome_read(word);
	if (out->case_system == 0)
		jget_refuse(r, KL_C_FIELD_VALUE, NULL, "case_system");
}

/* One of the three, and no two. */
static void
take_kind(struct jget *r, json_t *root, struct json_desk_file *out)
{
	json_t *attempt = json_object_get(root, "attempt");
	json_t *handed = json_object_get(root, "handed_over");
	json_t *erased = json_object_get(root, "case_system");

	if (attempt != NULL && handed != NULL) {
		jget_refuse(r, KL_C_FIELDS_DISAGREE, NULL, "handed_over");
	} else if (erased != NULL && (attempt != NULL || handed != NULL)) {
		jget_refuse(r, KL_C_FIELDS_DISAGREE, NULL, "case_system");
	} else if (erased != NULL) {
		take_erased(r, erased, out);
	} else if (attempt != NULL) {
		out->kind = JSON_DESK_ATTEMPT;
		take_attempt(r, attempt, &out->attempt);
	} else {
		out->kind = JSON_DESK_HANDED_OVER;
		if (jget_answer(r, jget(r, root, NULL, "handed_over"), NULL,
		    "handed_over") == KL_ANSWER_NO)
			jget_refuse(r, KL_C_FIELD_VALUE, NULL, "handed_over");
	}
}

int
json_desk_read(struct kl_bytes in, struct json_desk_file *out,
    struct kl_finding *why)
{
	static const char *const keys[] = {
		"schema", "reference", "attempt", "handed_over",
		"case_system",
	};
	struct jget r = { .why = why };
	json_t *root;
	int e;

	memset(out, 0, sizeof *out);
	e = jget_load(&r, in, &root);
	if (e == KL_OK && JGET_CLOSED(&r, root, NULL, keys)) {
		out->schema = jget_schema(&r, root);
		jget_spoken(&r, jget(&r, root, NULL, "reference"), NULL,
		    "reference", &out->reference);
		take_kind(&r, root, out);
	}
	return jget_finish(&r, root, e, out, sizeof *out);
}
