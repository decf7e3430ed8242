#include "proto/cli/rewrap.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "proto/cli/output.h"

#define LOOK_MS 100
#define STALL_LOOKS 600		/* a minute in which nothing moves */

static json_int_t
number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static bool
goes_on(const json_t *answer)
{
	return json_is_true(json_object_get(answer, "rewrapping"));
}

static bool
shown(const struct cli *c)
{
	return !c->json && isatty(STDERR_FILENO);
}

/* Until it is done or given up. *out is the last answer. */
static int
follow(struct cli *c, rewrap_ask ask, json_t **out)
{
	const struct timespec look = { .tv_nsec = LOOK_MS * 1000000L };
	int still = 0, r = ask(c, json_pack("{s:s,s:b}", "cmd", "rewrap",
	    "start", 1), out);
	json_int_t last = -1;

	while (r == CLI_OK && goes_on(*out)) {
		still = number(*out, "done") == last ? still + 1 : 0;
		if (still > STALL_LOOKS)
			return output_fail(c, CLI_FAILED, "it does not go on; "
			    "see the log of %s", c->program->daemon);
		last = number(*out, "done");
		if (shown(c) && last > 0)
			fprintf(stderr, "\r%lld of %lld slots", last,
			    number(*out, "slots"));
		json_decref(*out);
		*out = NULL;
		(void)nanosleep(&look, NULL);
		r = ask(c, json_pack("{s:s}", "cmd", "rewrap"), out);
	}
	if (shown(c) && last > 0)
		fputc('\n', stderr);
	return r;
}

int
rewrap_run(struct cli *c, rewrap_ask ask)
{
	json_t *answer = NULL;
	const char *why;
	int r = follow(c, ask, &answer);

	if (r != CLI_OK) {
		json_decref(answer);
		return r;
	}
	why = json_string_value(json_object_get(answer, "failed"));
	if (why == NULL)
		return output_take(c, answer);
	r = output_fail(c, CLI_FAILED, "the keys were not written anew: %s; "
	    "the old file goes on, and %s tries again", why,
	    c->program->daemon);
	json_decref(answer);
	return r;
}
