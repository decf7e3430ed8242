#include "broker/ctl/cmd.h"

#include <string.h>

#include "broker/ctl/control.h"
#include "broker/ctl/subject_page.h"
#include "proto/cli/output.h"

#define SLICES_MAX 100000	/* of the log; more is a broker gone wrong */

/* The log comes in slices, so that nobody else waits for it; 0: all is here. */
static json_int_t
next_of(const json_t *answer)
{
	return json_integer_value(json_object_get(answer, "next"));
}

static int
log_take(const struct cli *c, json_t *all)
{
	json_t *log = json_object_get(all, "log"), *answer;
	json_int_t from = next_of(all);
	int r = CLI_OK;

	for (int i = 0; from > 0 && i < SLICES_MAX; i++) {
		r = control_ask(c, json_pack("{s:s,s:s,s:I}", "cmd",
		    "subject", "reference", c->arg[0], "from", from),
		    &answer);
		if (r != CLI_OK)
			return r;
		(void)json_array_extend(log, json_object_get(answer, "log"));
		from = next_of(answer);
		json_decref(answer);
	}
	(void)json_object_del(all, "next");
	return r;
}

static bool
english(const struct cli *c, bool *yes)
{
	const char *given = cli_option(c, "language");

	*yes = given != NULL && strcmp(given, "en") == 0;
	return given == NULL || *yes || strcmp(given, "nl") == 0;
}

int
cmd_subject_export(struct cli *c)
{
	json_t *all;
	bool in_english, written;
	int r;

	if (!english(c, &in_english))
		return output_fail(c, CLI_USAGE, "--language is nl or en");
	if ((r = control_reference_check(c, c->arg[0])) != CLI_OK)
		return r;
	r = control_ask(c, json_pack("{s:s,s:s}", "cmd", "subject",
	    "reference", c->arg[0]), &all);
	if (r != CLI_OK)
		return r;
	if ((r = log_take(c, all)) != CLI_OK) {
		json_decref(all);
		return r;
	}
	if (c->json)
		return output_take(c, all);
	written = subject_page_print(all, in_english);
	json_decref(all);
	return written ? CLI_OK : CLI_FAILED;
}
