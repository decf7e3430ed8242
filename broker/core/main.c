#include "broker/core/core_main.h"

#include <errno.h>
#include <stdlib.h>

#include <kortelijn/host/log.h>
#include <kortelijn/host/sandbox.h>

#include "broker/core/boot.h"
#include "broker/core/control.h"
#include "broker/core/dispatch.h"

static int
failed(const char *event, int err)
{
	kl_logf(KL_LOG_ERROR, event, kl_log_word("why", kl_err_text(err)),
	    kl_log_num("errno", errno));
	return EXIT_FAILURE;
}

/* ---- the loop ---- */

static int64_t
pipe_prepare(void *arg)
{
	struct core *c = arg;

	c->pipe_src.events = pipe_out_waits(c->out) ? POLLIN | POLLOUT :
	    POLLIN;
	return -1;
}

static int64_t
timer_prepare(void *arg)
{
	return dispatch_wait_ms(arg);
}

static void
turn(void *arg, short revents)
{
	(void)revents;
	dispatch_turn(arg);
}

static int
loop_open(struct core *c)
{
	int r;

	if ((c->loop = kl_loop_new()) == NULL)
		return KL_E_MEMORY;
	c->pipe_src = (struct kl_source){ .fd = c->pipe_fd, .events = POLLIN,
		.prepare = pipe_prepare, .dispatch = turn, .arg = c };
	c->timer_src = (struct kl_source){ .fd = -1,
		.prepare = timer_prepare, .dispatch = turn, .arg = c };
	if ((r = kl_loop_catch_signals(c->loop)) != KL_OK ||
	    (r = kl_loop_add(c->loop, &c->pipe_src)) != KL_OK ||
	    (r = kl_loop_add(c->loop, &c->timer_src)) != KL_OK)
		return r;
	/* Before the sandbox, which knows no sockets. */
	return control_open(c);
}

static int
confine(const struct core *c)
{
	const char *const write_dirs[] = { c->conf->state_dir,
		c->export.dir >= 0 ? c->conf->export_dir : NULL, NULL };
	struct kl_sandbox s = { .role = KL_SANDBOX_CORE,
		.write_dirs = write_dirs };
	int r = kl_sandbox_enter(&s);

	if (r == KL_OK)
		kl_logf(s.landlock_abi > 0 ? KL_LOG_INFO : KL_LOG_WARN,
		    "confined", kl_log_num("landlock_abi", s.landlock_abi));
	return r;
}

/* ---- start and its mirror ---- */

static int
core_run(struct core *c)
{
	int r, status;

	if ((r = kl_crypto_init()) != KL_OK)
		return failed("cannot_start", r);
	if ((status = boot_open(c)) != CORE_EXIT_STOPPED ||
	    (status = boot_settle(c)) != CORE_EXIT_STOPPED)
		return status;
	if ((r = loop_open(c)) != KL_OK)
		return failed("cannot_start", r);
	if ((r = confine(c)) != KL_OK)
		return failed("cannot_confine", r);
	if ((r = ready_start(&c->ready, c->loop, c->ready_fd)) != KL_OK)
		return failed("cannot_start", r);
	kl_logf(KL_LOG_INFO, "serving",
	    kl_log_num("participants", (int64_t)c->registry.n),
	    kl_log_num("leaves", (int64_t)c->journal.committed.size));
	if ((r = kl_loop_run(c->loop)) != KL_OK)
		return failed("cannot_run", r);
	return c->exit;
}

static void
core_close(struct core *c)
{
	ready_stop(&c->ready);
	control_close(c);
	kl_loop_free(c->loop);
	boot_close(c);
}

int
core_main(const struct broker_conf *conf, int pipe_fd, int ready_fd)
{
	struct core *c = calloc(1, sizeof *c);
	int status;

	if (c == NULL)
		return failed("cannot_start", KL_E_MEMORY);
	c->conf = conf;
	c->clock.offset_ms = conf->clock_offset_ms;
	c->stats.started_ms = kl_clock_now_ms(&c->clock);
	c->pipe_fd = pipe_fd;
	c->ready_fd = ready_fd;
	status = core_run(c);
	core_close(c);
	free(c);
	return status;
}
