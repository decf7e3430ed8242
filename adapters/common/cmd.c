#include "adapters/common/cmd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/calendar.h>
#include <kortelijn/host/control.h>
#include <kortelijn/host/fs.h>

#include "adapters/common/control.h"
#include "adapters/common/view.h"
#include "proto/cli/ask.h"
#include "proto/cli/output.h"

/* The program whose role is practice; the other one is a desk's. */
#define PRACTICE "kortelijn-practice"

int
cmd_conf(struct cli *c, struct config *out)
{
	struct kl_conf_error error = { "" };

	if (config_read(c->conf_path, out, &error) != KL_OK)
		return output_fail(c, CLI_FILE, "%s", error.b);
	c->english = out->lang == KL_EN;
	if ((out->role == KL_PRACTICE) !=
	    (strcmp(c->program->name, PRACTICE) == 0))
		return output_fail(c, CLI_FILE, "%s: its role is %s, which "
		    "is the other program's", c->conf_path,
		    kl_role_name(out->role));
	return CLI_OK;
}

const char *
cmd_words(const struct cli *c, const char *nl, const char *en)
{
	return c->english ? en : nl;
}

/* Who asks, for the access log. */
static void
put_actor(const struct cli *c, json_t *question)
{
	static const char *const members[] = { "staff", "role" };

	for (size_t i = 0; i < 2; i++)
		if (cli_option(c, members[i]) != NULL)
			(void)json_object_set_new(question, members[i],
			    json_string(cli_option(c, members[i])));
}

int
cmd_ask(struct cli *c, json_t *question, int64_t wait_s, json_t **answer)
{
	char path[KL_CONTROL_PATH_MAX + 1];
	struct config conf;
	int r = cmd_conf(c, &conf);

	*answer = NULL;
	if (r == CLI_OK && question == NULL)
		r = output_fail(c, CLI_USAGE, "an argument is no text in "
		    "UTF-8");
	if (r == CLI_OK && kl_fs_path(path, sizeof path, conf.data_dir,
	    CONTROL_SOCKET) != KL_OK)
		r = output_fail(c, CLI_FILE, "%s: data_dir is too long for a "
		    "socket", c->conf_path);
	if (r != CLI_OK) {
		json_decref(question);
		return r;
	}
	put_actor(c, question);
	if (wait_s > 0)
		(void)json_object_set_new(question, "wait",
		    json_integer(wait_s));
	return ask_take(c, path, question, ASK_WAIT_MS + wait_s *
	    KL_SECOND_MS, answer);
}

int
cmd_wait(struct cli *c, int64_t *wait_s)
{
	const char *text = cli_option(c, "wait");
	char *end;

	*wait_s = 0;
	if (text == NULL)
		return CLI_OK;
	*wait_s = strtol(text, &end, 10);
	if (*text == '\0' || *end != '\0' || *wait_s < 0 ||
	    *wait_s > CONTROL_WAIT_MAX_S)
		return output_fail(c, CLI_USAGE, "--wait is 0 to %d seconds",
		    CONTROL_WAIT_MAX_S);
	return CLI_OK;
}

/* All of standard input, at most max bytes. KL_E_SIZE, KL_E_IO,
 * KL_E_MEMORY. */
static int
stdin_read(size_t max, char **out, size_t *n)
{
	char *text = malloc(max + 1);
	size_t got;

	*out = NULL;
	*n = 0;
	if (text == NULL)
		return KL_E_MEMORY;
	got = fread(text, 1, max + 1, stdin);
	if (got > max || ferror(stdin)) {
		int r = got > max ? KL_E_SIZE : KL_E_IO;

		kl_fs_read_free(text, max + 1);
		return r;
	}
	text[got] = '\0';
	*out = text;
	*n = got;
	return KL_OK;
}

/* What the adapter would answer, without asking it. */
static int
refused(struct cli *c, uint32_t code)
{
	struct kl_finding why;
	json_t *o;
	int r;

	kl_finding_set(&why, code, "");
	o = view_refusal(&why);
	r = output_refused(c, o);
	json_decref(o);
	return r;
}

int
cmd_file(struct cli *c, const char *path, json_t **out)
{
	struct config conf;
	char *text;
	size_t n;
	int r = cmd_conf(c, &conf);

	*out = NULL;
	if (r != CLI_OK)
		return r;
	if (strcmp(path, "-") == 0)
		r = stdin_read(JSON_FILE_MAX, &text, &n);
	else
		r = kl_fs_read_file(AT_FDCWD, path, JSON_FILE_MAX, &text, &n);
	if (r == KL_E_SIZE)
		return refused(c, KL_C_FILE_SIZE);
	if (r == KL_E_DENIED)
		return output_fail(c, CLI_FILE, "the file cannot be read, or "
		    "is no regular file");
	if (r != KL_OK)
		/* Unnamed: files are named after residents. */
		return output_fail(c, CLI_FILE, "the file: %s",
		    kl_err_text(r));
	*out = json_stringn(text, n);
	kl_fs_read_free(text, n);
	/* Not UTF-8, so no JSON. */
	return *out == NULL ? refused(c, KL_C_JSON) : CLI_OK;
}

int
cmd_put_member(struct cli *c, const json_t *answer, const char *key,
    const char *path)
{
	const json_t *v = json_object_get(answer, key);
	struct kl_bytes text = kl_bytes(json_string_value(v),
	    json_string_length(v));
	int r;

	if (strcmp(path, "-") == 0) {
		(void)fwrite(text.p, 1, text.n, stdout);
		return fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
	}
	r = kl_fs_replace_at(AT_FDCWD, path, 0600, text);
	return r == KL_OK ? CLI_OK : output_fail_err(c, r, path);
}

struct cmd_text
cmd_member(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	struct cmd_text t = { "" };

	if (json_is_string(v))
		(void)snprintf(t.b, sizeof t.b, "%s",
		    output_text(kl_bytes(json_string_value(v),
		    json_string_length(v))).b);
	else if (json_is_integer(v))
		(void)snprintf(t.b, sizeof t.b, "%lld",
		    (long long)json_integer_value(v));
	return t;
}

struct cmd_text
cmd_time(const json_t *o, const char *key)
{
	struct cmd_text t = cmd_member(o, key);
	int32_t day;
	int hour, minute;
	char date[11];

	if (sscanf(t.b, "%10[0-9-]T%2d:%2d", date, &hour, &minute) == 3 &&
	    kl_day_read(date, &day) == KL_OK)
		(void)snprintf(t.b, sizeof t.b, "%s", kl_calendar_text(
		    kl_day_start_ms(day) + hour * KL_HOUR_MS +
		    minute * KL_MINUTE_MS).b);
	return t;
}

bool
cmd_answer_waits(const json_t *o)
{
	const struct cmd_text state = cmd_member(o, "state");

	return json_is_true(json_object_get(o, "open")) &&
	    !json_is_true(json_object_get(o, "feedback_ended")) &&
	    (strcmp(state.b, "sent") == 0 ||
	    strcmp(state.b, "delivered") == 0);
}

void
cmd_say_hindrance(const struct cli *c, const json_t *answer)
{
	const struct cmd_text why = cmd_member(answer, c->english ?
	    "hindrance_en" : "hindrance_nl");

	if (why.b[0] != '\0')
		printf("%s: %s.\n", cmd_words(c, "Nu nog niet", "Not yet"),
		    why.b);
}
