#include "broker/ctl/cmd.h"

#include <string.h>

#include "broker/ctl/control.h"
#include "proto/cli/output.h"

static const struct {
	const char *why, *text;
} reasons[] = {
	{ "none", "the clock is trusted: what is past its term ends" },
	{ "jump", "the wall clock has jumped by more than an hour: nothing "
	    "ends by time" },
	{ "sweep", "no time server stands behind the clock, and more than 50 "
	    "and a tenth of all would end at once: nothing ends by time" },
	{ "behind", "the clock is behind what it was before: nothing ends by "
	    "time until it has caught up" },
};

static const char *
reason_text(const char *why)
{
	for (size_t i = 0; why != NULL &&
	    i < sizeof reasons / sizeof reasons[0]; i++)
		if (strcmp(reasons[i].why, why) == 0)
			return reasons[i].text;
	return why;
}

/* Instants for people, and what to do. */
static json_t *
for_people(const json_t *a)
{
	const json_t *held = json_object_get(a, "held");

	return json_pack("{s:s,s:o,s:o,s:I,s:s,s:s}",
	    "state", reason_text(json_string_value(json_object_get(a, "why"))),
	    "clock", output_time(json_integer_value(json_object_get(a,
	        "now_ms"))),
	    "latest_before", output_time(json_integer_value(
	        json_object_get(a, "mark_ms"))),
	    "waiting", json_integer_value(json_object_get(a, "waiting")),
	    "time_server", json_is_true(json_object_get(a, "synchronised")) ?
	        "yes" : "no, or not known",
	    "next_step", json_is_true(held) ? "set the clock right; then "
	        "'kortelijn hold release'" : "none");
}

static int
show(struct cli *c, const char *cmd)
{
	json_t *answer, *people;
	int r = control_ask(c, json_pack("{s:s}", "cmd", cmd), &answer);

	if (r != CLI_OK)
		return r;
	if (c->json)
		return output_take(c, answer);
	people = for_people(answer);
	json_decref(answer);
	return output_take(c, people);
}

int
cmd_hold(struct cli *c)
{
	return show(c, "hold");
}

int
cmd_hold_release(struct cli *c)
{
	return show(c, "hold_release");
}
