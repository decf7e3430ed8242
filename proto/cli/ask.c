#include "proto/cli/ask.h"

#include <stdlib.h>
#include <string.h>

#include <kortelijn/host/control.h>

#include "proto/cli/output.h"

static int
said(const struct cli *c, const char *path, int err)
{
	const char *daemon = c->program->daemon;

	switch (err) {
	case KL_E_NOT_FOUND:
		return output_fail(c, CLI_NOT_RUNNING, "%s is not running "
		    "(nobody listens at %s)", daemon, path);
	case KL_E_DENIED:
		return output_fail(c, CLI_FILE, "%s: not allowed; be root, or "
		    "a user that may ask %s", path, daemon);
	case KL_E_AGAIN:
	case KL_E_IO:
		return output_fail(c, CLI_FAILED, "%s did not answer; its log "
		    "says why", daemon);
	default:
		return output_fail_err(c, err, path);
	}
}

int
ask_any(const struct cli *c, const char *path, json_t *question,
    int64_t wait_ms, json_t **answer)
{
	char *line = json_dumps(question, JSON_COMPACT), *reply = NULL;
	size_t n = 0;
	int r = KL_E_MEMORY;

	*answer = NULL;
	json_decref(question);
	if (line != NULL)
		r = kl_control_ask(path, kl_bytes_str(line), wait_ms, &reply,
		    &n);
	if (line != NULL)
		explicit_bzero(line, strlen(line));
	free(line);
	if (r != KL_OK)
		return said(c, path, r);
	*answer = json_loadb(reply, n, JSON_REJECT_DUPLICATES, NULL);
	explicit_bzero(reply, n);
	free(reply);
	if (json_is_object(*answer))
		return CLI_OK;
	json_decref(*answer);
	*answer = NULL;
	return output_fail(c, CLI_FAILED, "what %s answers is not understood",
	    c->program->daemon);
}

int
ask_take(const struct cli *c, const char *path, json_t *question,
    int64_t wait_ms, json_t **answer)
{
	int r = ask_any(c, path, question, wait_ms, answer);

	if (r != CLI_OK || json_is_true(json_object_get(*answer, "ok")))
		return r;
	r = output_refused(c, *answer);
	json_decref(*answer);
	*answer = NULL;
	return r;
}
