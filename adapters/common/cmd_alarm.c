#include "adapters/common/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/cli/output.h"

static void
put_phone(const struct cli *c, const char *name, const char *phone)
{
	if (phone[0] != '\0')
		printf("      %s %s%s%s\n", cmd_words(c, "Telefoon:",
		    "Phone:"), phone, name[0] != '\0' ? "  " : "", name);
}

static void
put_alarm(const struct cli *c, const json_t *o)
{
	const char *label = c->english ? "label_en" : "label_nl";
	const char *action = c->english ? "action_en" : "action_nl";
	const char *term = c->english ? "term_en" : "term_nl";
	const json_t *p;
	size_t i;

	printf("%4s  %s  %s", cmd_member(o, "number").b, cmd_time(o, "at").b,
	    cmd_member(o, label).b);
	if (json_object_get(o, term) != NULL)
		printf(" (%s)", cmd_member(o, term).b);
	if (json_is_true(json_object_get(o, "crisis")))
		printf(" !");
	(void)putchar('\n');
	if (json_object_get(o, "reference") != NULL ||
	    json_object_get(o, "referral_id") != NULL)
		printf("      %s  %s  %s\n", cmd_member(o, "reference").b,
		    cmd_member(o, "referral_id").b,
		    cmd_member(o, "peer_name").b);
	if (json_is_true(json_object_get(o, "do_not_contact")))
		printf("      %s\n", cmd_words(c, "NEEM GEEN CONTACT OP: ten "
		    "onrechte verzonden.", "DO NOT CONTACT: sent in error."));
	if (json_object_get(o, "closed_at") != NULL)
		printf("      %s %s\n", cmd_words(c, "Voorbij sinds",
		    "Over since"), cmd_time(o, "closed_at").b);
	else
		printf("      %s\n", cmd_member(o, action).b);
	put_phone(c, "", cmd_member(o, "phone").b);
	json_array_foreach(json_object_get(o, "phones"), i, p)
		put_phone(c, cmd_member(p, "name").b,
		    cmd_member(p, "phone").b);
}

/* All pages as one answer. */
static int
ask(struct cli *c, json_t *question, json_t **answer)
{
	json_t *page, *next, *again = json_deep_copy(question);
	int r = cmd_ask(c, question, 0, answer);

	(void)json_object_del(again, "seen");
	while (r == CLI_OK && (next = json_object_get(*answer, "next")) !=
	    NULL) {
		(void)json_object_set(again, "after", next);
		r = cmd_ask(c, json_incref(again), 0, &page);
		(void)json_object_del(*answer, "next");
		if (r != CLI_OK)
			break;
		next = json_object_get(page, "next");
		if (next != NULL)
			(void)json_object_set(*answer, "next", next);
		(void)json_array_extend(json_object_get(*answer, "alarms"),
		    json_object_get(page, "alarms"));
		json_decref(page);
	}
	json_decref(again);
	if (r != CLI_OK) {
		json_decref(*answer);
		*answer = NULL;
	}
	return r;
}

/* Of an option. CLI_OK, CLI_USAGE. */
static int
number_of(const struct cli *c, const char *option, long long *out)
{
	const char *text = cli_option(c, option);
	char *end;

	*out = strtoll(text, &end, 10);
	if (*text == '\0' || *end != '\0' || *out < 0)
		return output_fail(c, CLI_USAGE, "--%s is the number of an "
		    "alarm", option);
	return CLI_OK;
}

static int
question_of(struct cli *c, json_t **out)
{
	long long n;

	*out = json_pack("{s:s}", "cmd", "alarms");
	if (cli_option(c, "all") != NULL)
		(void)json_object_set_new(*out, "all", json_true());
	if (cli_option(c, "seen") == NULL)
		return CLI_OK;
	if (number_of(c, "seen", &n) != CLI_OK) {
		json_decref(*out);
		*out = NULL;
		return CLI_USAGE;
	}
	(void)json_object_set_new(*out, "seen", json_integer(n));
	return CLI_OK;
}

/* What proves an alarm to others. */
static int
put_evidence(struct cli *c)
{
	const char *out = cli_option(c, "out");
	json_t *answer;
	long long n;
	int r = number_of(c, "evidence", &n);

	if (r != CLI_OK || (r = cmd_ask(c, json_pack("{s:s,s:I}", "cmd",
	    "evidence", "number", (json_int_t)n), 0, &answer)) != CLI_OK)
		return r;
	if (c->json)
		return output_take(c, answer);
	r = cmd_put_member(c, answer, "evidence", out != NULL ? out : "-");
	json_decref(answer);
	return r;
}

int
cmd_alarms(struct cli *c)
{
	json_t *question, *answer, *list;
	const json_t *o;
	size_t i;
	int r;

	if (cli_option(c, "evidence") != NULL)
		return put_evidence(c);
	if ((r = question_of(c, &question)) != CLI_OK ||
	    (r = ask(c, question, &answer)) != CLI_OK)
		return r;
	if (c->json)
		return output_take(c, answer);
	list = json_object_get(answer, "alarms");
	json_array_foreach(list, i, o)
		put_alarm(c, o);
	if (json_array_size(list) == 0)
		printf("%s\n", cmd_words(c, "Geen alarmen.", "No alarms."));
	json_decref(answer);
	return fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
}

int
cmd_hold(struct cli *c)
{
	json_t *answer, *question = json_pack("{s:s}", "cmd", "hold");
	int r;

	if (c->n_args > 0 && strcmp(c->arg[0], "release") != 0) {
		json_decref(question);
		return output_fail(c, CLI_USAGE, "it is 'hold' or 'hold "
		    "release'");
	}
	if (c->n_args > 0)
		(void)json_object_set_new(question, "release", json_true());
	r = cmd_ask(c, question, 0, &answer);
	return r != CLI_OK ? r : output_take(c, answer);
}
