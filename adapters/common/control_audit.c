#include "adapters/common/control_audit.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/common/directory.h"
#include "adapters/common/engine_audit.h"

/* 0: no such request. */
static uint32_t
request_of(const char *name)
{
	if (name != NULL && strcmp(name, "query") == 0)
		return KL_QUERY;
	return name != NULL && strcmp(name, "log") == 0 ? KL_LOG : 0;
}

int
control_audit_ask(struct control_cmd *c)
{
	const uint32_t request = request_of(control_cmd_text(c, "request"));
	const char *text = control_cmd_text(c, "body");
	uint8_t body[KL_FRAME_MAX];
	uint32_t code;
	size_t n;
	int r;

	if (request == 0)
		return control_cmd_refuse(c, KL_C_VALUE_UNKNOWN, "/request");
	if (text == NULL || kl_base64_read(kl_bytes_str(text), body,
	    sizeof body, &n) != KL_OK)
		return control_cmd_refuse(c, KL_C_FIELD_VALUE, "/body");
	r = engine_audit_ask(c->engine, &c->by, request, kl_bytes(body, n),
	    &c->log, &code);
	if (r == KL_E_REFUSED)
		return control_cmd_refuse(c, code, "");
	c->wait = CONTROL_LOGGED;
	return r;
}

int
control_audit_names(struct control_cmd *c)
{
	const struct directory *d = engine_directory(c->engine);
	const struct config *conf = engine_config(c->engine);
	json_t *list = json_pack("[{s:s,s:s}]", "id", kl_id_text(&conf->id).b,
	    "name", conf->name);

	for (size_t i = 0; i < directory_cards(d); i++) {
		const struct directory_card *k = directory_at(d, i);

		if (json_array_append_new(list, json_pack("{s:s,s:s}", "id",
		    kl_id_text(&k->id).b, "name", k->name)) != 0) {
			json_decref(list);
			return KL_E_MEMORY;
		}
	}
	return control_cmd_answer(c, json_pack("{s:o}", "names", list));
}

static json_t *
answer_ok(struct kl_bytes body)
{
	const size_t cap = body.n / 3 * 4 + 8;
	char *text = malloc(cap);
	json_t *o = NULL;

	if (text != NULL && kl_base64(body, text, cap) == KL_OK)
		o = json_pack("{s:b,s:s}", "ok", 1, "body", text);
	free(text);
	return o;
}

/* As the broker refused it. */
static json_t *
answer_refused(const struct ask_answer *a)
{
	json_t *o = control_cmd_refusal(a->code);

	(void)json_object_set_new(o, "text",
	    json_string(kl_code_text_en(a->code)));
	if (a->retry_after_ms > 0)
		(void)json_object_set_new(o, "retry_after_ms",
		    json_integer(a->retry_after_ms));
	return o;
}

int
control_audit_poll(struct engine *e, uint64_t ticket, json_t **answer)
{
	struct ask_answer a;
	int r = engine_audit_take(e, ticket, &a);

	*answer = NULL;
	if (r != KL_OK)
		return r;
	*answer = a.code == KL_C_OK ? answer_ok(a.body) : answer_refused(&a);
	return *answer != NULL ? KL_OK : KL_E_MEMORY;
}
