#include "adapters/common/cmd.h"

#include <stdio.h>

#include "proto/cli/output.h"

int
cmd_attempt(struct cli *c)
{
	static const struct { const char *option, *member; } o[] = {
		{ "kind", "kind" }, { "part-of-day", "part_of_day" },
		{ "date", "date" },
	};
	json_t *question, *answer;
	int r;

	question = json_pack("{s:s,s:s}", "cmd", "attempt", "reference",
	    c->arg[0]);
	for (size_t i = 0; i < sizeof o / sizeof o[0]; i++)
		if (cli_option(c, o[i].option) != NULL)
			(void)json_object_set_new(question, o[i].member,
			    json_string(cli_option(c, o[i].option)));
	if ((r = cmd_ask(c, question, 0, &answer)) != CLI_OK)
		return r;
	if (c->json)
		return output_take(c, answer);
	printf("%.20s: %s %zu\n", cmd_member(answer, "reference").b,
	    cmd_words(c, "poging vastgelegd, in totaal", "attempt noted, "
	    "in all"), json_array_size(json_object_get(answer,
	    "attempts")));
	json_decref(answer);
	return fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
}

int
cmd_handed_over(struct cli *c)
{
	json_t *answer;
	int r = cmd_ask(c, json_pack("{s:s,s:s}", "cmd", "handed_over",
	    "reference", c->arg[0]), 0, &answer);

	if (r != CLI_OK)
		return r;
	if (c->json)
		return output_take(c, answer);
	printf("%.20s: %s\n", cmd_member(answer, "reference").b,
	    cmd_words(c, "het zaaksysteem heeft de verwijzing; de inhoud "
	    "gaat hier weg na de termijn van het beleid.",
	    "the case system has the referral; its content goes here after "
	    "the term of the policy."));
	json_decref(answer);
	return fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
}
