/* What is asked of the log on the machine itself: the same bytes as over the
 * link, in base64. */
#include "broker/core/control_priv.h"

#include <stdlib.h>
#include <string.h>

#include "broker/core/cycle.h"
#include "broker/core/query.h"

#define BODY_TEXT_MAX (KL_BODY_MAX / 3 * 4 + 8)	/* base64 with its NUL */

struct question {
	bool query;			/* else LOG */
	uint8_t body[KL_BODY_MAX];
	size_t n;
	struct answer a;
	char text[BODY_TEXT_MAX];	/* of the answer's body */
};

static int
ask_in_turn(struct core *c, void *arg)
{
	const struct asker at_broker = { .by = NULL };
	struct question *q = arg;
	int r;

	kl_arena_reset(c->in_mem);
	if (q->query)
		r = query_answer(c, &at_broker, kl_bytes(q->body, q->n),
		    &q->a);
	else
		r = handle_log_body(c, kl_bytes(q->body, q->n), &q->a);
	/* Its memory ends with the turn. */
	return r != KL_OK ? r : kl_base64(q->a.body, q->text,
	    sizeof q->text);
}

static json_t *
answer_json(const struct question *q)
{
	json_t *o;

	if (q->a.code == KL_C_OK)
		return json_pack("{s:b,s:s}", "ok", 1, "body", q->text);
	o = control_refused(q->a.code);
	if (o != NULL && q->a.retry_after_ms > 0)
		(void)json_object_set_new(o, "retry_after_ms",
		    json_integer(q->a.retry_after_ms));
	return o;
}

static bool
question_read(const json_t *question, struct question *q)
{
	const char *request = json_string_value(json_object_get(question,
	    "request"));
	const char *body = json_string_value(json_object_get(question,
	    "body"));

	if (request == NULL || body == NULL)
		return false;
	q->query = strcmp(request, "query") == 0;
	return (q->query || strcmp(request, "log") == 0) &&
	    kl_base64_read(kl_bytes_str(body), q->body, sizeof q->body,
	    &q->n) == KL_OK;
}

json_t *
control_query(struct core *c, const json_t *question)
{
	struct question *q = calloc(1, sizeof *q);
	json_t *o;

	if (q == NULL)
		return NULL;
	q->a.code = KL_C_OK;
	if (!question_read(question, q))
		o = control_refused(KL_C_MALFORMED);
	else if (cycle_run(c, ask_in_turn, q) != KL_OK)
		o = control_refused(KL_C_TRY_LATER);
	else
		o = answer_json(q);
	free(q);
	return o;
}
