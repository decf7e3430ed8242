#include "adapters/common/cmd.h"

#include <stdio.h>
#include <string.h>

#include "proto/cli/output.h"

#define LABEL_COLUMNS 18
#define COLUMNS 80

static void
line(const char *label, const char *value)
{
	int n = (int)kl_utf8_chars(kl_bytes_str(label));

	if (value[0] != '\0')
		printf("%s:%*s%s\n", label, LABEL_COLUMNS - n, "", value);
}

/* One line, broken between words. */
static void
wrapped(const char *text)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t n = strcspn(text, " ");
		size_t width = kl_utf8_chars(kl_bytes(text, n));

		if (column > 0 && column + 1 + width > COLUMNS) {
			(void)putchar('\n');
			column = 0;
		}
		printf("%s%.*s", column > 0 ? " " : "", (int)n, text);
		column += width + (column > 0);
		text += n + (text[n] == ' ');
	}
	(void)putchar('\n');
}

/* Text of several lines, each cleaned. */
static void
lines(const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		wrapped(output_text(kl_bytes(text, n)).b);
		text += n + (text[n] == '\n');
	}
}

static void
head(const struct cli *c, const json_t *o)
{
	const struct cmd_text reference = cmd_member(o, "reference");
	const bool sent = strcmp(cmd_member(o, "receiver").b,
	    cmd_member(o, "peer").b) == 0;

	printf("%s  %s\n", reference.b[0] != '\0' ? reference.b :
	    cmd_words(c, "(nog geen kenmerk)", "(no reference yet)"),
	    cmd_member(o, c->english ? "state_en" : "state_nl").b);
	if (!c->english)
		wrapped(cmd_member(o, "explanation_nl").b);
	(void)putchar('\n');
	line(cmd_words(c, "Eigen kenmerk", "Own reference"),
	    cmd_member(o, "referral_id").b);
	line(cmd_words(c, "Patiënt", "Patient"),
	    cmd_member(o, "patient_ref").b);
	line(sent ? cmd_words(c, "Ontvanger", "Receiver") :
	    cmd_words(c, "Van", "From"), cmd_member(o, "peer_name").b);
	line(cmd_words(c, "Telefoon", "Phone"),
	    cmd_member(o, "peer_phone").b);
	line(cmd_words(c, "Niveau", "Level"), cmd_member(o, "level").b);
	if (json_is_true(json_object_get(o, "feedback_ended")) &&
	    json_is_true(json_object_get(o, "open")))
		line(cmd_words(c, "Terugkoppeling", "Feedback"),
		    cmd_words(c, "de toestemming is voorbij",
		    "its consent is over"));
	line(cmd_words(c, "Verzonden", "Sent"),
	    cmd_time(o, "sent_at").b);
	line(cmd_words(c, "Geopend", "Opened"),
	    cmd_time(o, "delivered_at").b);
	if (cmd_answer_waits(o))
		line(cmd_words(c, "Antwoord vóór", "Answer before"),
		    cmd_time(o, "answer_by").b);
	line(cmd_words(c, "Logpositie", "Log position"),
	    cmd_member(o, "leaf").b);
	line(cmd_words(c, "Geweigerd", "Refused"), cmd_member(o, c->english ?
	    "code_en" : "code_nl").b);
}

/* "2 gewist, 1 al bezorgd, 0 onzeker", when the broker has answered. */
static void
counts(const struct cli *c, const json_t *w)
{
	char text[200];

	if (json_object_get(w, "erased") == NULL)
		return;
	(void)snprintf(text, sizeof text, c->english ?
	    "%.8s erased, %.8s delivered before, %.8s not certain" :
	    "%.8s gewist, %.8s al bezorgd, %.8s onzeker",
	    cmd_member(w, "erased").b, cmd_member(w, "released_before").b,
	    cmd_member(w, "unconfirmed").b);
	line(cmd_words(c, "Berichten", "Messages"), text);
}

/* enum kl_erase_outcome, as people say it. */
static const char *
outcome(const struct cli *c, const json_t *o, const char *key)
{
	const struct cmd_text t = cmd_member(o, key);

	if (strcmp(t.b, "erased") == 0)
		return cmd_words(c, "gewist", "erased");
	if (strcmp(t.b, "kept") == 0)
		return cmd_words(c, "bewaard op eigen grond",
		    "kept on a basis of their own");
	return strcmp(t.b, "nothing") == 0 ? cmd_words(c, "had niets",
	    "held nothing") : "";
}

static void
told(const struct cli *c, const json_t *rows)
{
	const json_t *r;
	size_t i;

	json_array_foreach(rows, i, r) {
		char text[900];

		line(cmd_words(c, "Antwoord van", "Answer of"), cmd_member(r,
		    json_object_get(r, "from_name") != NULL ? "from_name" :
		    "from").b);
		(void)snprintf(text, sizeof text, "%s; %s: %s",
		    outcome(c, r, "adapter_copy"),
		    cmd_words(c, "eigen systeem", "own system"),
		    outcome(c, r, "case_system"));
		line(cmd_words(c, "  koppeling", "  adapter"), text);
	}
}

/* How the consent ended, and what is still to be done about it. */
static void
withdrawal(const struct cli *c, const json_t *o)
{
	const json_t *w = json_object_get(o, "withdrawal");
	const json_t *q = json_object_get(w, "erase_request");
	const bool feedback = strcmp(cmd_member(w, "scope").b,
	    "feedback") == 0;

	if (json_is_true(json_object_get(o, "do_not_contact")))
		printf("%s\n", cmd_words(c,
		    "NEEM GEEN CONTACT OP: ten onrechte verzonden.",
		    "DO NOT CONTACT: sent in error."));
	if (w == NULL)
		return;
	line(cmd_words(c, "Ingetrokken", "Withdrawn"), feedback ?
	    cmd_words(c, "alleen terugkoppeling", "feedback only") :
	    cmd_words(c, "alles", "all of it"));
	if (strcmp(cmd_member(w, "state").b, "withdrawing") == 0)
		line(cmd_words(c, "Stand", "State"), cmd_words(c,
		    "wordt ingetrokken; de broker heeft nog niet geantwoord",
		    "being withdrawn; the broker has not answered yet"));
	line(cmd_words(c, "Bevestigd", "Confirmed"),
	    cmd_time(w, "confirmed_at").b);
	counts(c, w);
	told(c, json_object_get(w, "erase_receipts"));
	if (q != NULL && json_object_get(q, "case_system") == NULL)
		line(cmd_words(c, "Wissen vóór", "Erase before"),
		    cmd_time(q, "answer_by").b);
	line(cmd_words(c, "In eigen systeem", "In own system"),
	    outcome(c, q, "case_system"));
}

/* What an open alarm says, and what to do. */
static void
asks(const struct cli *c, const json_t *list)
{
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o)
		printf("\n* %s. %s\n", cmd_member(o, c->english ? "label_en" :
		    "label_nl").b, cmd_member(o, c->english ? "action_en" :
		    "action_nl").b);
}

static void
history(const struct cli *c, const json_t *rows)
{
	const json_t *s;
	size_t i;

	printf("\n%s\n", cmd_words(c, "Verloop", "History"));
	json_array_foreach(rows, i, s) {
		const json_t *f = json_object_get(s, "feedback");

		printf("  %-16s  %-14s  %s", cmd_time(s, "at").b,
		    cmd_member(s, c->english ? "kind_en" : "kind_nl").b,
		    cmd_member(s, c->english ? "label_en" : "label_nl").b);
		if (f != NULL)
			printf(": %s", cmd_member(f, c->english ?
			    "state_en" : "state_nl").b);
		if (json_object_get(s, "code") != NULL)
			printf(" (%s)", cmd_member(s, "code").b);
		(void)putchar('\n');
	}
}

int
cmd_show(struct cli *c)
{
	const char *text;
	json_t *answer;
	int r = cmd_ask(c, json_pack("{s:s,s:s}", "cmd", "show",
	    "reference", c->arg[0]), 0, &answer);

	if (r != CLI_OK)
		return r;
	if (c->json)
		return output_take(c, answer);
	head(c, answer);
	withdrawal(c, answer);
	asks(c, json_object_get(answer, "asks"));
	text = json_string_value(json_object_get(answer, "text"));
	if (text != NULL) {
		(void)putchar('\n');
		lines(text);
	}
	history(c, json_object_get(answer, "history"));
	json_decref(answer);
	return fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
}

int
cmd_status(struct cli *c)
{
	const struct output_column columns[] = {
		{ "at", cmd_words(c, "TIJD", "TIME"), 19 },
		{ "alarm", "ALARM", 18 },
		{ "reference", cmd_words(c, "KENMERK", "REFERENCE"), 11 },
		{ "code", "CODE", 26 },
	};
	json_t *answer, *alarms;
	int64_t wait_s;
	int r;

	if ((r = cmd_wait(c, &wait_s)) != CLI_OK ||
	    (r = cmd_ask(c, json_pack("{s:s}", "cmd", "status"), wait_s,
	    &answer)) != CLI_OK)
		return r;
	if (c->json)
		return output_take(c, answer);
	alarms = json_incref(json_object_get(answer, "newest_alarms"));
	(void)json_object_del(answer, "newest_alarms");
	(void)json_object_del(answer, c->english ? "code_nl" : "code_en");
	r = output_take(c, answer);
	if (r == CLI_OK && json_array_size(alarms) > 0) {
		(void)putchar('\n');
		r = output_take_table(c, json_pack("{s:O}", "alarms",
		    alarms), "alarms", columns, 4);
	}
	json_decref(alarms);
	return r;
}

int
cmd_take_over(struct cli *c)
{
	json_t *answer;
	char word[16];
	int r;

	if (cli_option(c, "yes") == NULL) {
		fputs("From now on this is the one instance of its card. "
		    "Another one that still runs is\nrefused, and what only "
		    "that one had is asked of the senders again.\n", stderr);
		if (!cli_ask("Take over? Type yes: ", word, sizeof word) ||
		    strcmp(word, "yes") != 0)
			return output_fail(c, CLI_FAILED,
			    "nothing was changed");
	}
	r = cmd_ask(c, json_pack("{s:s}", "cmd", "take_over"), 0, &answer);
	if (r != CLI_OK)
		return r;
	(void)json_object_set_new(answer, "next_step",
	    json_string("status --wait=60"));
	return output_take(c, answer);
}

static int
receivers_table(struct cli *c, json_t *answer)
{
	const struct output_column columns[] = {
		{ "id", "ID", 24 },
		{ "role", cmd_words(c, "ROL", "ROLE"), 12 },
		{ "name", cmd_words(c, "NAAM", "NAME"), 40 },
	};

	return output_take_table(c, answer, "receivers", columns, 3);
}

/* An argument that is an id is a question; anything else is a file. */
static int
profile_question(struct cli *c, const struct config *conf, json_t **out)
{
	struct kl_id id;
	json_t *file;
	int r;

	*out = NULL;
	if (c->n_args == 0) {
		*out = json_pack("{s:s}", "cmd", "profile");
		return CLI_OK;
	}
	if (conf->role == KL_PRACTICE || kl_id_read(c->arg[0], &id) == KL_OK) {
		*out = json_pack("{s:s,s:s}", "cmd", "profile", "id",
		    c->arg[0]);
		return CLI_OK;
	}
	if ((r = cmd_file(c, c->arg[0], &file)) == CLI_OK)
		*out = json_pack("{s:s,s:o}", "cmd", "profile", "file",
		    file);
	return r;
}

int
cmd_profile(struct cli *c)
{
	struct config conf;
	json_t *question, *answer;
	const char *text;
	int r;

	if ((r = cmd_conf(c, &conf)) != CLI_OK ||
	    (r = profile_question(c, &conf, &question)) != CLI_OK ||
	    (r = cmd_ask(c, question, 0, &answer)) != CLI_OK)
		return r;
	text = json_string_value(json_object_get(answer, "text"));
	if (c->json || (text == NULL &&
	    json_object_get(answer, "receivers") == NULL))
		return output_take(c, answer);
	if (text == NULL)
		return receivers_table(c, answer);
	lines(text);
	json_decref(answer);
	return fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
}
