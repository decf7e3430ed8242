#include "adapters/common/cmd.h"

#include <stdio.h>
#include <string.h>

#include "proto/cli/output.h"

/* One line for people and one if nothing leaves now, or all of the answer as
 * JSON. Takes answer. */
static int
say_take(struct cli *c, json_t *answer, const char *line)
{
	if (c->json)
		return output_take(c, answer);
	printf("%s\n", line);
	cmd_say_hindrance(c, answer);
	json_decref(answer);
	return fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
}

/* "kenmerk ABCD-EFGH-K, logpositie 12", as far as it is known. */
static void
names_put(const struct cli *c, const json_t *answer, char *out, size_t cap)
{
	const struct cmd_text reference = cmd_member(answer, "reference");
	const struct cmd_text leaf = cmd_member(answer, "leaf");
	const struct cmd_text own = cmd_member(answer, "referral_id");

	if (reference.b[0] != '\0')
		(void)snprintf(out, cap, "%s: %s %.20s%s%.20s", own.b,
		    cmd_words(c, "kenmerk", "reference"), reference.b,
		    leaf.b[0] != '\0' ? cmd_words(c, ", logpositie ",
		    ", log position ") : "", leaf.b);
	else
		(void)snprintf(out, cap, "%s", own.b);
}

/* A message alone is too slow for somebody who loses their home. */
static void
crisis_put(const struct cli *c, const json_t *answer, char *line, size_t cap)
{
	const struct cmd_text phone = cmd_member(answer, "peer_phone");
	size_t n = strlen(line);

	if (!json_is_true(json_object_get(answer, "crisis")))
		return;
	(void)snprintf(line + n, cap - n, "\n%s %s", cmd_words(c,
	    "Crisis: bel het meldpunt ook.", "Crisis: call the desk too."),
	    phone.b);
}

int
cmd_refer(struct cli *c)
{
	json_t *file, *answer;
	char names[700], line[1000];
	int64_t wait_s;
	int r;

	if ((r = cmd_wait(c, &wait_s)) != CLI_OK ||
	    (r = cmd_file(c, c->arg[0], &file)) != CLI_OK)
		return r;
	r = cmd_ask(c, json_pack("{s:s,s:o}", "cmd", "refer", "file", file),
	    wait_s, &answer);
	if (r != CLI_OK)
		return r;
	names_put(c, answer, names, sizeof names);
	if (json_is_true(json_object_get(answer, "accepted")))
		(void)snprintf(line, sizeof line, "%s %s", cmd_words(c,
		    "Aangenomen door de broker.", "Accepted by the "
		    "broker."), names);
	else
		(void)snprintf(line, sizeof line, "%s %s", cmd_words(c,
		    "Veilig vastgelegd; wordt verzonden.",
		    "Safely kept; will be sent."), names);
	crisis_put(c, answer, line, sizeof line);
	return say_take(c, answer, line);
}

int
cmd_correct(struct cli *c)
{
	json_t *file, *answer;
	char names[700], line[1000];
	int r = cmd_file(c, c->arg[0], &file);

	if (r != CLI_OK)
		return r;
	r = cmd_ask(c, json_pack("{s:s,s:o}", "cmd", "correct", "file",
	    file), 0, &answer);
	if (r != CLI_OK)
		return r;
	names_put(c, answer, names, sizeof names);
	(void)snprintf(line, sizeof line, "%s %s", cmd_words(c,
	    "Correctie vastgelegd; wordt verzonden.",
	    "Correction kept; will be sent."), names);
	return say_take(c, answer, line);
}

/* The question of FILE, or of REFERENCE CODE and its options. */
static int
feedback_question(struct cli *c, json_t **out)
{
	static const char *const options[] = {
		"category", "ground", "wanted", "date",
	};
	struct kl_spoken spoken;
	json_t *file;
	int r;

	*out = NULL;
	if (c->n_args == 1 && kl_spoken_read(c->arg[0], &spoken) == KL_OK)
		return output_fail(c, CLI_USAGE, "%s: which CODE? see '%s "
		    "help feedback'", c->arg[0], c->program->name);
	if (c->n_args == 1) {
		if ((r = cmd_file(c, c->arg[0], &file)) == CLI_OK)
			*out = json_pack("{s:s,s:o}", "cmd", "feedback",
			    "file", file);
		return r;
	}
	*out = json_pack("{s:s,s:s,s:s}", "cmd", "feedback", "reference",
	    c->arg[0], "code", c->arg[1]);
	for (size_t i = 0; i < 4; i++)
		if (cli_option(c, options[i]) != NULL)
			(void)json_object_set_new(*out, options[i],
			    json_string(cli_option(c, options[i])));
	return CLI_OK;
}

int
cmd_feedback(struct cli *c)
{
	json_t *question, *answer;
	char line[1400];
	int r = feedback_question(c, &question);

	if (r != CLI_OK || (r = cmd_ask(c, question, 0, &answer)) != CLI_OK)
		return r;
	(void)snprintf(line, sizeof line, "%.20s: %s. %s",
	    cmd_member(answer, "reference").b,
	    cmd_member(answer, c->english ? "state_en" : "state_nl").b,
	    json_is_true(json_object_get(answer, "sends")) ?
	    cmd_words(c, "Wordt teruggekoppeld.", "Will be told.") :
	    cmd_words(c, "Blijft hier: zo ver gaat de toestemming niet "
	    "(meer), of het was al bekend.", "Stays here: the consent does "
	    "not reach so far (any more), or it was known already."));
	return say_take(c, answer, line);
}

/* What must not be missed: no contact, an erasure to be answered, a crisis, an
 * alarm that is open. */
static void
mark_row(const struct cli *c, json_t *row)
{
	const char *by = json_string_value(json_object_get(row,
	    "answer_erase_by"));
	const char *mark = " ";

	if (json_is_true(json_object_get(row, "do_not_contact"))) {
		mark = "X";
		(void)json_object_set_new(row, c->english ? "state_en" :
		    "state_nl", json_string(cmd_words(c,
		    "Neem geen contact op", "Do not contact")));
	} else if (by != NULL) {
		mark = "?";
	} else if (json_is_true(json_object_get(row, "crisis"))) {
		mark = "!";
	} else if (json_array_size(json_object_get(row, "alarms")) > 0) {
		mark = "*";
	}
	if (by != NULL)
		(void)json_object_set_new(row, "answer_by", json_string(by));
	else if (!cmd_answer_waits(row))
		(void)json_object_del(row, "answer_by");
	(void)json_object_set_new(row, "mark", json_string(mark));
}

static void
mark(const struct cli *c, json_t *answer)
{
	json_t *rows = json_object_get(answer, "referrals"), *row;
	size_t i;

	json_array_foreach(rows, i, row)
		mark_row(c, row);
}

static int
practice_table(struct cli *c, json_t *answer)
{
	const struct output_column columns[] = {
		{ "reference", cmd_words(c, "KENMERK", "REFERENCE"), 11 },
		{ "mark", "*", 1 },
		{ "referral_id", cmd_words(c, "EIGEN", "OWN"), 14 },
		{ c->english ? "state_en" : "state_nl",
		  cmd_words(c, "STAND", "STATE"), 22 },
		{ "peer_name", cmd_words(c, "ONTVANGER", "RECEIVER"), 15 },
		{ "changed_at", cmd_words(c, "SINDS", "SINCE"), 10 },
	};

	mark(c, answer);
	return output_take_table(c, answer, "referrals", columns, 6);
}

static int
desk_table(struct cli *c, json_t *answer)
{
	const struct output_column columns[] = {
		{ "reference", cmd_words(c, "KENMERK", "REFERENCE"), 11 },
		{ "mark", "!", 1 },
		{ c->english ? "state_en" : "state_nl",
		  cmd_words(c, "STAND", "STATE"), 25 },
		{ "peer_name", cmd_words(c, "VAN", "FROM"), 17 },
		{ "created_at", cmd_words(c, "GEKOMEN", "CAME"), 10 },
		{ "answer_by", cmd_words(c, "ANTWOORD", "ANSWER"), 10 },
	};

	mark(c, answer);
	return output_take_table(c, answer, "referrals", columns, 6);
}

/* All pages as one answer. */
static int
list_ask(struct cli *c, json_t **answer)
{
	json_t *page, *next;
	int r = cmd_ask(c, json_pack("{s:s}", "cmd", "list"), 0, answer);

	while (r == CLI_OK && (next = json_object_get(*answer, "next")) !=
	    NULL) {
		r = cmd_ask(c, json_pack("{s:s,s:O}", "cmd", "list",
		    "after", next), 0, &page);
		(void)json_object_del(*answer, "next");
		if (r != CLI_OK)
			break;
		next = json_object_get(page, "next");
		if (json_array_extend(json_object_get(*answer, "referrals"),
		    json_object_get(page, "referrals")) != 0 ||
		    (next != NULL && json_object_set(*answer, "next",
		    next) != 0))
			r = output_fail_err(c, KL_E_MEMORY, "list");
		json_decref(page);
	}
	if (r != CLI_OK) {
		json_decref(*answer);
		*answer = NULL;
	}
	return r;
}

int
cmd_list(struct cli *c)
{
	struct config conf;
	json_t *answer;
	int r;

	if ((r = cmd_conf(c, &conf)) != CLI_OK ||
	    (r = list_ask(c, &answer)) != CLI_OK)
		return r;
	if (c->json)
		return output_take(c, answer);
	return conf.role == KL_PRACTICE ? practice_table(c, answer) :
	    desk_table(c, answer);
}
