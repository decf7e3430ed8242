#include "adapters/common/control.h"

#include <stdlib.h>
#include <string.h>

#include <kortelijn/host/control.h>
#include <kortelijn/host/fs.h>

#include "adapters/common/control_audit.h"
#include "adapters/common/control_cmd.h"
#include "adapters/common/control_wait.h"
#include "adapters/common/engine_audit.h"
#include "adapters/common/subject.h"

/* A file of JSON_FILE_MAX may be six times as long inside a JSON text. */
#define QUESTION_MAX (7 * JSON_FILE_MAX)
#define IDLE_MS 10000
#define LOOK_MS 50		/* while somebody waits */

/* An answer that is owed. */
struct held {
	bool used;
	bool durable;		/* its turn was committed */
	uint64_t ticket;
	json_t *answer;
	enum control_wait wait;
	int64_t until_ms;	/* mono, with a wait */
	struct kl_conv_id conv;
	uint64_t log;
};

struct control {
	struct engine *engine;
	const struct folder *folder;
	struct kl_loop *loop;
	struct kl_control *socket;
	struct kl_source timer;
	struct engine_listener listener;
	struct held held[KL_CONTROL_ASKERS];
	size_t waiting;
	int64_t look_ms;	/* mono, of the next look at them */
};

/* ---- answers ---- */

static void
send_take(struct control *c, uint64_t ticket, json_t *answer)
{
	char *text = answer == NULL ? NULL : json_dumps(answer, JSON_COMPACT);
	/* Without memory for more: what any program understands. */
	const char *none = "{\"ok\":false,\"code\":\"try_later\"}";

	kl_control_answer(c->socket, ticket, kl_bytes_str(text != NULL ?
	    text : none));
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
	json_decref(answer);
}

static void
drop(struct control *c, struct held *h)
{
	json_decref(h->answer);
	if (h->wait == CONTROL_LOGGED)
		engine_audit_drop(c->engine, h->log);
	if (h->durable)
		c->waiting--;
	memset(h, 0, sizeof *h);
}

static void
settle(struct control *c, struct held *h, json_t *answer)
{
	const uint64_t ticket = h->ticket;

	drop(c, h);
	send_take(c, ticket, answer);
}

static json_t *
late(const struct control *c, const struct held *h)
{
	return h->wait == CONTROL_LOGGED ?
	    control_cmd_refusal(KL_C_TRY_LATER) :
	    control_wait_late(c->engine, h->wait, &h->conv);
}

/* Looks whether what it waits for is so. */
static void
look(struct control *c, struct held *h)
{
	json_t *answer = NULL;
	int r;

	if (h->wait == CONTROL_ERASED) {
		if (subject_zeroed(c->engine))
			settle(c, h, json_incref(h->answer));
		return;
	}
	r = h->wait == CONTROL_LOGGED ?
	    control_audit_poll(c->engine, h->log, &answer) :
	    control_wait_poll(c->engine, c->folder, h->wait, &h->conv,
	    &answer);

	if (r == KL_OK)
		settle(c, h, answer);
	else if (kl_mono_ms() >= h->until_ms)
		settle(c, h, late(c, h));
}

static void
committed(void *arg)
{
	struct control *c = arg;

	for (size_t i = 0; i < KL_CONTROL_ASKERS; i++) {
		struct held *h = &c->held[i];

		if (!h->used)
			continue;
		if (h->wait == CONTROL_NOW) {
			settle(c, h, json_incref(h->answer));
			continue;
		}
		if (!h->durable)
			c->waiting++;
		h->durable = true;
		look(c, h);
	}
}

static void
undone(void *arg)
{
	struct control *c = arg;

	for (size_t i = 0; i < KL_CONTROL_ASKERS; i++)
		if (c->held[i].used && !c->held[i].durable)
			settle(c, &c->held[i],
			    control_cmd_refusal(KL_C_TRY_LATER));
}

static int64_t
timer_prepare(void *arg)
{
	const struct control *c = arg;
	const int64_t left_ms = c->look_ms - kl_mono_ms();

	if (c->waiting == 0)
		return -1;
	return left_ms > 0 ? left_ms : 0;
}

static void
timer_dispatch(void *arg, short revents)
{
	struct control *c = arg;

	(void)revents;
	c->look_ms = kl_mono_ms() + LOOK_MS;
	for (size_t i = 0; i < KL_CONTROL_ASKERS; i++)
		if (c->held[i].used && c->held[i].durable)
			look(c, &c->held[i]);
}

/* ---- questions ---- */

static int64_t
wait_ms(const json_t *question)
{
	json_int_t s = json_integer_value(json_object_get(question, "wait"));

	if (s < 0)
		s = 0;
	return (s > CONTROL_WAIT_MAX_S ? CONTROL_WAIT_MAX_S : s) *
	    KL_SECOND_MS;
}

/* How long the answer may take, in ms; 0: it is there. */
static int64_t
patience_ms(const struct control_cmd *cmd)
{
	switch (cmd->wait) {
	case CONTROL_NOW:
		return 0;
	case CONTROL_ERASED:
		return INT64_MAX / 2;
	case CONTROL_LOGGED:
		return CONTROL_LOG_WAIT_MS;
	default:
		return wait_ms(cmd->question);
	}
}

static void
hold(struct control *c, uint64_t ticket, struct control_cmd *cmd)
{
	const int64_t patience = patience_ms(cmd);
	size_t i = 0;

	while (i < KL_CONTROL_ASKERS && c->held[i].used)
		i++;
	/* One place for each that can ask. */
	if (i == KL_CONTROL_ASKERS) {
		send_take(c, ticket, control_cmd_refusal(KL_C_TRY_LATER));
		json_decref(cmd->answer);
		engine_audit_drop(c->engine, cmd->log);
		return;
	}
	c->held[i] = (struct held){
		.used = true, .ticket = ticket, .answer = cmd->answer,
		.wait = patience > 0 ? cmd->wait : CONTROL_NOW,
		.until_ms = kl_mono_ms() + patience,
		.conv = cmd->conv, .log = cmd->log,
	};
	engine_wake(c->engine);
}

static void
on_ask(void *arg, uint64_t ticket, struct kl_bytes line)
{
	struct control *c = arg;
	struct control_cmd cmd = {
		.engine = c->engine, .folder = c->folder,
		.by = { .interface = ENGINE_CONTROL,
		    .uid = (uint32_t)kl_control_uid(c->socket, ticket) },
	};
	json_t *q = json_loadb((const char *)line.p, line.n,
	    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	int r;

	if (!json_is_object(q)) {
		send_take(c, ticket, control_cmd_refusal(KL_C_JSON));
		json_decref(q);
		return;
	}
	cmd.question = q;
	r = control_cmd_run(&cmd);
	if (r == KL_OK) {
		hold(c, ticket, &cmd);
	} else if (r == KL_E_REFUSED) {
		send_take(c, ticket, cmd.answer);
	} else {
		json_decref(cmd.answer);
		send_take(c, ticket, control_cmd_refusal(KL_C_TRY_LATER));
	}
	json_decref(q);
}

static void
on_gone(void *arg, uint64_t ticket)
{
	struct control *c = arg;

	for (size_t i = 0; i < KL_CONTROL_ASKERS; i++)
		if (c->held[i].used && c->held[i].ticket == ticket)
			drop(c, &c->held[i]);
}

/* ---- open and close ---- */

static int
socket_open(struct control *c, const char **what)
{
	const struct kl_control_options o = {
		.question_max = QUESTION_MAX, .idle_ms = IDLE_MS,
		.ask = on_ask, .gone = on_gone, .arg = c,
	};
	char path[KL_CONTROL_PATH_MAX + 1];

	*what = "data_dir, for its control socket";
	if (kl_fs_path(path, sizeof path, engine_config(c->engine)->data_dir,
	    CONTROL_SOCKET) != KL_OK)
		return KL_E_SIZE;
	*what = "the control socket in data_dir";
	return kl_control_open(c->loop, path, &o, &c->socket);
}

int
control_open(struct engine *e, struct kl_loop *l,
    const struct folder *folder, struct control **out, const char **what)
{
	struct control *c = calloc(1, sizeof *c);
	int r;

	*out = NULL;
	*what = "the control socket";
	if (c == NULL)
		return KL_E_MEMORY;
	c->engine = e;
	c->folder = folder;
	c->loop = l;
	c->timer = (struct kl_source){ -1, 0, timer_prepare, timer_dispatch,
	    c };
	c->listener = (struct engine_listener){ committed, undone, c, NULL };
	if ((r = kl_loop_add(l, &c->timer)) != KL_OK) {
		free(c);
		return r;
	}
	if ((r = socket_open(c, what)) != KL_OK) {
		kl_loop_remove(l, &c->timer);
		free(c);
		return r;
	}
	engine_listen(e, &c->listener);
	*out = c;
	return KL_OK;
}

void
control_close(struct control *c)
{
	if (c == NULL)
		return;
	engine_unlisten(c->engine, &c->listener);
	kl_control_close(c->socket);
	for (size_t i = 0; i < KL_CONTROL_ASKERS; i++)
		if (c->held[i].used)
			drop(c, &c->held[i]);
	kl_loop_remove(c->loop, &c->timer);
	free(c);
}
