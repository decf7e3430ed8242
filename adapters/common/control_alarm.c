#include "adapters/common/control_alarm.h"

#include <string.h>

#include "adapters/common/subject.h"
#include "adapters/common/view_alarm.h"

#define CURSOR "alarms"
#define LIST_MAX 500		/* alarms in one answer, some 1 KiB each */

/* The cursor after what this question says of it. */
static int
seen_of(struct control_cmd *c, uint64_t *seen)
{
	int r = engine_cursor_get(c->engine, CURSOR, seen);
	uint64_t now = *seen;

	if (r != KL_OK || (r = control_cmd_number(c, "/seen", INT64_MAX,
	    &now)) != KL_OK || now == *seen)
		return r;
	*seen = now;
	return engine_cursor_put(c->engine, CURSOR, now);
}

/* What an alarm calls its case; NULL: it is about none. */
static const char *
case_of(const json_t *alarm)
{
	const char *s = json_string_value(json_object_get(alarm,
	    "reference"));

	return s != NULL ? s : json_string_value(json_object_get(alarm,
	    "referral_id"));
}

static bool
named_before(const json_t *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		const char *s = case_of(json_array_get(list, i));

		if (s != NULL && strcmp(s, name) == 0)
			return true;
	}
	return false;
}

/* Each case that is shown has its line first. */
static int
log_cases(struct control_cmd *c, const json_t *list)
{
	struct engine_case k;
	const json_t *o;
	size_t i;
	int r = KL_OK;

	json_array_foreach(list, i, o) {
		const char *name = case_of(o);

		if (name == NULL || named_before(list, i, name))
			continue;
		r = engine_case_find(c->engine, name, &k);
		if (r == KL_OK)
			r = subject_log(c->engine, &c->by, ENGINE_LISTED,
			    &k.conv);
		if (r != KL_OK && r != KL_E_NOT_FOUND)
			return r;
	}
	return KL_OK;
}

int
control_alarm_list(struct control_cmd *c)
{
	const bool all = json_is_true(json_object_get(c->question, "all"));
	uint64_t seen = 0, after = 0;
	json_t *list;
	int r;

	if ((r = seen_of(c, &seen)) != KL_OK ||
	    (r = control_cmd_number(c, "/after", INT64_MAX, &after)) !=
	    KL_OK || (r = view_alarm_list(c->engine, all ? VIEW_ALARM_ALL :
	    VIEW_ALARM_NEW, seen, &after, LIST_MAX, &list)) != KL_OK)
		return r;
	if ((r = log_cases(c, list)) != KL_OK) {
		json_decref(list);
		return r;
	}
	r = control_cmd_answer(c, json_pack("{s:o,s:I}", "alarms", list,
	    "seen", (json_int_t)seen));
	if (r == KL_OK && after != 0 && json_object_set_new(c->answer, "next",
	    json_integer((json_int_t)after)) != 0)
		r = KL_E_MEMORY;
	return r;
}

int
control_alarm_evidence(struct control_cmd *c)
{
	char text[ENGINE_EVIDENCE_MAX];
	uint64_t n = 0;
	int r = control_cmd_number(c, "/number", INT64_MAX, &n);

	if (r != KL_OK)
		return r;
	r = engine_alarm_evidence(c->engine, n, text);
	if (r == KL_E_NOT_FOUND)
		return control_cmd_refuse(c, KL_C_NO_EVIDENCE, "/number");
	return r != KL_OK ? r : control_cmd_answer(c, json_pack("{s:I,s:s}",
	    "number", (json_int_t)n, "evidence", text));
}

int
control_alarm_hold(struct control_cmd *c)
{
	const bool release = json_is_true(json_object_get(c->question,
	    "release"));
	const char *before = engine_hold(c->engine);
	int r = release ? engine_hold_release(c->engine) : KL_OK;

	return r != KL_OK ? r : control_cmd_answer(c, json_pack(
	    "{s:s,s:s}", "was", before, "hold", engine_hold(c->engine)));
}
