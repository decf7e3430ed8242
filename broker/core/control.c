#include "broker/core/control.h"

#include <stdlib.h>
#include <string.h>

#include "broker/core/control_priv.h"

#define QUESTION_MAX 98304	/* a policy in base64 */
#define IDLE_MS 10000

/* ---- answers ---- */

json_t *
control_refused(uint32_t code)
{
	return json_pack("{s:b,s:s,s:s}", "ok", 0, "code",
	    kl_code_name(code), "text", kl_code_text_en(code));
}

json_t *
control_refused_file(unsigned int line, const char *why)
{
	json_t *o = control_refused(KL_C_MALFORMED);

	(void)json_object_set_new(o, "text", line > 0 ?
	    json_sprintf("line %u: %s", line, why) : json_string(why));
	return o;
}

static void
answer(struct core *c, uint64_t ticket, json_t *o)
{
	char *text = o == NULL ? NULL : json_dumps(o, JSON_COMPACT);

	kl_control_answer(c->control, ticket, text != NULL ?
	    kl_bytes_str(text) : kl_bytes_str("{\"ok\":false,"
	    "\"text\":\"no memory\"}"));
	free(text);
	json_decref(o);
}

/* ---- the table ---- */

static const struct {
	const char *name;
	json_t *(*run)(struct core *c, const json_t *question);
} commands[] = {
	{ "status", control_status },
	{ "participants", control_participants },
	{ "card", control_card },
	{ "approval", control_approval },
	{ "revocation", control_revocation },
	{ "cosign", control_cosign },
	{ "log_ask", control_query },
	{ "export", control_export },
	{ "export_state", control_export_state },
	{ "policy", control_policy },
	{ "policy_load", control_policy_load },
	{ "rewrap", control_rewrap },
	{ "subject", control_subject },
	{ "left", control_left },
	{ "hold", control_hold },
	{ "hold_release", control_hold_release },
	{ "withdraw", control_withdraw },
};

static void
ask(void *arg, uint64_t ticket, struct kl_bytes question)
{
	json_t *o = json_loadb((const char *)question.p, question.n,
	    JSON_REJECT_DUPLICATES, NULL);
	const char *cmd = json_string_value(json_object_get(o, "cmd"));
	json_t *reply = NULL;
	struct core *c = arg;

	for (size_t i = 0; cmd != NULL && reply == NULL &&
	    i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(commands[i].name, cmd) == 0)
			reply = commands[i].run(c, o);
	if (reply == NULL)
		reply = control_refused(cmd == NULL ? KL_C_MALFORMED :
		    KL_C_NOT_SERVED);
	json_decref(o);
	answer(c, ticket, reply);
}

int
control_open(struct core *c)
{
	const struct kl_control_options o = { .question_max = QUESTION_MAX,
		.idle_ms = IDLE_MS, .ask = ask, .arg = c };

	return kl_control_open(c->loop, c->conf->control, &o, &c->control);
}

void
control_close(struct core *c)
{
	kl_control_close(c->control);
}
