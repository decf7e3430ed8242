#include "proto/audit/link.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/types.h>
#include <kortelijn/host/loop.h>

#include "proto/cli/ask.h"
#include "proto/cli/output.h"

#define WAIT_MIN_MS 20
#define WAIT_MAX_MS 60000
#define TELL_MS 10000		/* between two lines that say it takes long */
#define PATIENCE_MS 600000	/* of "not now", without one answer */
#define NANOS_PER_MS 1000000

struct socket_link {
	struct audit_link link;
	char *path;
};

int
audit_link_ask(struct audit_link *l, uint32_t request, struct kl_bytes body,
    struct kl_arena *mem, struct kl_bytes *reply)
{
	assert(request == KL_QUERY || request == KL_LOG);
	*reply = (struct kl_bytes){ 0 };
	l->code = 0;
	return l->ask(l, request, body, mem, reply);
}

void
audit_link_close(struct audit_link *l)
{
	if (l != NULL)
		l->close(l);
}

/* ---- "not now" ---------------------------------------------------------- */

int
audit_link_wait(const struct cli *c, struct audit_wait *w,
    uint32_t retry_after_ms)
{
	const int64_t now_ms = kl_mono_ms();
	int64_t ms = retry_after_ms;
	struct timespec t;

	if (w->since_ms == 0)
		w->since_ms = w->told_ms = now_ms;
	if (now_ms - w->since_ms > PATIENCE_MS)
		return output_fail(c, CLI_FAILED, "%s says 'not now' for ten "
		    "minutes; its status says why", c->program->daemon);
	if (now_ms - w->told_ms >= TELL_MS) {
		w->told_ms = now_ms;
		fprintf(stderr, "%s: %s asks to wait; waiting since %lld s\n",
		    c->program->name, c->program->daemon,
		    (long long)((now_ms - w->since_ms) / 1000));
	}
	if (ms < WAIT_MIN_MS)
		ms = WAIT_MIN_MS;
	if (ms > WAIT_MAX_MS)
		ms = WAIT_MAX_MS;
	t.tv_sec = (time_t)(ms / 1000);
	t.tv_nsec = (long)(ms % 1000) * NANOS_PER_MS;
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR)
		continue;
	return CLI_OK;
}

/* ---- a control socket --------------------------------------------------- */

/* Who asks, where a program says so for its access log. */
static void
put_asker(const struct cli *c, json_t *q)
{
	static const char *const options[] = { "staff=", "role=" };
	static const char *const members[] = { "staff", "role" };

	for (size_t i = 0; i < 2; i++)
		if (cli_has(c, options[i]) &&
		    cli_option(c, members[i]) != NULL)
			(void)json_object_set_new(q, members[i],
			    json_string(cli_option(c, members[i])));
}

/* NULL: no memory. */
static json_t *
question(const struct cli *c, uint32_t request, struct kl_bytes body)
{
	const size_t cap = body.n / 3 * 4 + 8;
	char *text = malloc(cap);
	json_t *q = NULL;

	if (text != NULL && kl_base64(body, text, cap) == KL_OK)
		q = json_pack("{s:s, s:s, s:s}", "cmd", "log_ask", "request",
		    request == KL_QUERY ? "query" : "log", "body", text);
	free(text);
	if (q != NULL)
		put_asker(c, q);
	return q;
}

static int
answer_body(const struct cli *c, const json_t *answer, struct kl_arena *mem,
    struct kl_bytes *reply)
{
	const char *text = json_string_value(json_object_get(answer, "body"));
	const size_t cap = text != NULL ? strlen(text) / 4 * 3 + 3 : 1;
	uint8_t *p = kl_arena_alloc(mem, cap);
	size_t n = 0;

	if (p == NULL)
		return output_fail_err(c, KL_E_MEMORY, "the answer");
	if (text == NULL ||
	    kl_base64_read(kl_bytes_str(text), p, cap, &n) != KL_OK)
		return output_fail(c, CLI_FAILED, "what %s answers is not "
		    "understood", c->program->daemon);
	*reply = (struct kl_bytes){ p, n };
	return CLI_OK;
}

static uint32_t
code_of(const json_t *answer)
{
	const char *name = json_string_value(json_object_get(answer, "code"));
	uint32_t code;

	for (size_t i = 0; name != NULL && (code = kl_code_at(i)) != 0; i++)
		if (strcmp(kl_code_name(code), name) == 0)
			return code;
	return 0;
}

/* How long "not now" asks to wait; negative: it is something else. */
static int64_t
retry_after(const json_t *answer, uint32_t code)
{
	const json_t *ms = json_object_get(answer, "retry_after_ms");

	if (json_is_integer(ms) && json_integer_value(ms) > 0 &&
	    json_integer_value(ms) <= WAIT_MAX_MS)
		return json_integer_value(ms);
	return code == KL_C_TRY_LATER ? 1000 : -1;
}

static int
socket_ask(struct audit_link *l, uint32_t request, struct kl_bytes body,
    struct kl_arena *mem, struct kl_bytes *reply)
{
	struct socket_link *s = (struct socket_link *)l;
	struct audit_wait wait = { 0 };
	json_t *answer = NULL;
	int64_t ms;
	int r;

	for (;;) {
		if ((r = ask_any(l->cli, s->path, question(l->cli, request,
		    body), ASK_WAIT_MS, &answer)) != CLI_OK)
			return r;
		if (json_is_true(json_object_get(answer, "ok"))) {
			l->code = KL_C_OK;
			r = answer_body(l->cli, answer, mem, reply);
			break;
		}
		l->code = code_of(answer);
		if ((ms = retry_after(answer, l->code)) < 0) {
			r = l->code != 0 && l->code == l->quiet ? CLI_FAILED :
			    output_refused(l->cli, answer);
			break;
		}
		json_decref(answer);
		if ((r = audit_link_wait(l->cli, &wait, (uint32_t)ms)) !=
		    CLI_OK)
			return r;
	}
	json_decref(answer);
	return r;
}

static void
socket_close(struct audit_link *l)
{
	struct socket_link *s = (struct socket_link *)l;

	free(s->path);
	free(s);
}

int
audit_link_socket(const struct cli *c, const char *path,
    struct audit_link **out)
{
	struct socket_link *s = calloc(1, sizeof *s);

	*out = NULL;
	if (s == NULL || (s->path = strdup(path)) == NULL) {
		free(s);
		return output_fail_err(c, KL_E_MEMORY, "the question");
	}
	s->link = (struct audit_link){ .cli = c, .ask = socket_ask,
		.close = socket_close };
	*out = &s->link;
	return CLI_OK;
}
