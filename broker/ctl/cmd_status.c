#include "broker/ctl/cmd.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker/ctl/contacts.h"
#include "broker/ctl/control.h"
#include "broker/ctl/fenced.h"
#include "proto/cli/output.h"

#define WATCH_S 2

/* ---- after a loss ---- */

/* The operator's own list, where no profile says it. */
static void
phones_put(const struct broker_conf *conf, json_t *participants)
{
	struct contacts_phone phone;
	const char *id;
	json_t *p;
	size_t i;

	json_array_foreach(participants, i, p) {
		id = json_string_value(json_object_get(p, "id"));
		if (id == NULL || json_is_string(json_object_get(p, "phone")))
			continue;
		phone = contacts_get(conf->config_dir, id);
		if (phone.b[0] != '\0')
			(void)json_object_set_new(p, "phone",
			    json_string(phone.b));
	}
}

static json_int_t
number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* What nobody here can know before they have reported in. */
static const char *
unknown_text(const json_t *loss)
{
	return number(loss, "reported_in") >= number(loss, "asked") ?
	    "nothing: all have reported in" :
	    "what the missing ones have withdrawn, which referrals only they "
	    "hold, and what waits in their outbox. Nothing of a conversation "
	    "is released before its practice has reported in. Call first "
	    "whom most conversations wait for";
}

/* One line for each, the missing ones first. */
static json_t *
rows_make(const json_t *loss)
{
	json_t *list = json_array(), *p;
	size_t i;

	for (int in = 0; in < 2; in++)
		json_array_foreach(json_object_get(loss, "participants"), i,
		    p) {
			if (json_is_true(json_object_get(p, "reported_in")) !=
			    (in == 1))
				continue;
			(void)json_array_append(list, p);
			if (in == 0)
				(void)json_object_set_new(p,
				    "reported_in_ms", json_string("missing"));
		}
	return list;
}

static int
loss_print(const struct cli *c, json_t *loss)
{
	static const struct output_column columns[] = {
		{ "id", "participant", 24 },
		{ "reported_in_ms", "reported in", 16 },
		{ "conversations_wait", "wait", 4 },
		{ "phone", "phone", CONTACTS_PHONE_MAX - 1 },
		{ "name", "name", 12 },
	};

	puts("\nAfter the loss of the store:");
	return output_take_table(c, json_pack("{s:o}", "participants",
	    rows_make(loss)), "participants", columns,
	    sizeof columns / sizeof columns[0]);
}

static int
print(const struct cli *c, const struct broker_conf *conf, json_t *status)
{
	json_t *loss = json_incref(json_object_get(status, "loss"));
	int r;

	if (loss == NULL)
		return output_take(c, status);
	phones_put(conf, json_object_get(loss, "participants"));
	(void)json_object_set_new(loss, "unknown",
	    json_string(unknown_text(loss)));
	if (!c->json) {
		/* As a table below. */
		json_t *brief = json_copy(loss);

		(void)json_object_del(brief, "participants");
		(void)json_object_set_new(status, "loss", brief);
		(void)json_object_del(status, "not_reported_in");
	}
	r = output_take(c, status);
	if (r == CLI_OK && !c->json)
		r = loss_print(c, loss);
	json_decref(loss);
	return r;
}

static bool
complete(const json_t *status)
{
	const json_t *loss = json_object_get(status, "loss");

	return loss == NULL || number(loss, "reported_in") >=
	    number(loss, "asked");
}

/* A broker that has not started yet is waited for. */
static int
once(const struct cli *c, const struct broker_conf *conf, bool *done)
{
	json_t *answer;
	int r = control_ask(c, json_pack("{s:s}", "cmd", "status"), &answer);

	*done = false;
	if (r == CLI_NOT_RUNNING && conf->config_dir[0] != '\0')
		fenced_say(c, conf);
	if (r != CLI_OK)
		return r;
	*done = complete(answer);
	return print(c, conf, answer);
}

int
cmd_status(struct cli *c)
{
	const bool watch = cli_option(c, "watch") != NULL;
	struct broker_conf conf;
	bool done;
	int r;

	if (ctl_conf(c, &conf) != CLI_OK)
		conf.config_dir[0] = '\0';
	for (;;) {
		if (watch && !c->json && isatty(STDOUT_FILENO))
			fputs("\033[H\033[2J", stdout);
		r = once(c, &conf, &done);
		if (!watch || done || (r != CLI_OK && r != CLI_NOT_RUNNING))
			return r;
		(void)fflush(stdout);
		(void)sleep(WATCH_S);
	}
}
