#include "adapters/common/control_alarm.h"

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
	r = control_cmd_answer(c, json_pack("{s:o,s:I}", "alarms", list,
	    "seen", (json_int_t)seen));
	if (r == KL_OK && after != 0 && json_object_set_new(c->answer, "next",
	    json_integer((json_int_t)after)) != 0)
		r = KL_E_MEMORY;
	return r;
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
