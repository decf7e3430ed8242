#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/daemon.h>
#include <kortelijn/host/fs.h>
#include <kortelijn/host/log.h>
#include <kortelijn/host/loop.h>

#include "broker/core/core_main.h"
#include "broker/edge/edge_main.h"
#include "broker/pipe.h"
#include "broker/ready.h"

#define BACKOFF_MIN_MS 200
#define BACKOFF_MAX_MS 5000
#define STEADY_MS 500		/* served so long: its end is no crash loop */
#define SILENT_MS 15000		/* an edge that says nothing so long hangs */
#define START_MS KL_MINUTE_MS	/* a child may take so long until it serves */
#define STOP_MS 10000		/* after SIGTERM, before SIGKILL */
#define TICK_MS 1000

struct supervisor;

struct child {
	struct supervisor *all;
	const char *option;
	const char *name;	/* for the log */
	int end;		/* of the pair */

	pid_t pid;		/* 0: does not run */
	int pidfd;
	int ready_fd;
	struct kl_source exit_src, ready_src;

	/* monotonic */
	int64_t start_due_ms;
	int64_t alive_ms;	/* when it was heard last */
	int64_t serves_ms;	/* since when; 0: not yet */
	int64_t backoff_ms;
};

struct supervisor {
	const struct broker_conf *conf;
	int conf_fd;
	int pair[2];
	struct child core, edge;
	struct kl_loop *loop;
	struct kl_source timer;
	int exit;
	bool told_ready;
	int64_t watchdog_ms;	/* 0: nobody waits for us */
	int64_t ping_due_ms;
};

/* ---- the configuration for the children ---- */

int
supervisor_conf_read(int fd, struct broker_conf *out)
{
	return kl_fs_pread(fd, out, sizeof *out, 0);
}

/* The same program reads it, so the struct goes as it is. */
static int
conf_put(const struct broker_conf *conf, int *fd)
{
	int r;

	*fd = memfd_create("kortelijnd.conf",
	    MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd < 0)
		return KL_E_SYSTEM;
	if ((r = kl_fs_pwrite(*fd, conf, sizeof *conf, 0)) != KL_OK)
		return r;
	return fcntl(*fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_WRITE |
	    F_SEAL_SHRINK | F_SEAL_GROW) == 0 ? KL_OK : KL_E_SYSTEM;
}

/* ---- a child's life ---- */

static bool
inherit(int fd)
{
	return fcntl(fd, F_SETFD, 0) == 0;
}

/* Between fork and exec. Dies with the supervisor, also when that is killed
 * before the request for it is made. */
static void
child_exec(const struct child *c, pid_t parent, int ready_fd)
{
	const struct supervisor *s = c->all;
	char name[] = "kortelijnd", option[16], fds[48];
	char *const argv[] = { name, option, fds, NULL };
	sigset_t none;

	(void)sigemptyset(&none);
	(void)snprintf(option, sizeof option, "%s", c->option);
	(void)snprintf(fds, sizeof fds, SUPERVISOR_FDS, s->pair[c->end],
	    ready_fd, s->conf_fd);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 &&
	    getppid() == parent &&
	    sigprocmask(SIG_SETMASK, &none, NULL) == 0 &&
	    inherit(s->pair[c->end]) && inherit(ready_fd) &&
	    inherit(s->conf_fd))
		(void)execv("/proc/self/exe", argv);
	_exit(127);
}

static void
child_forget(struct child *c)
{
	kl_loop_remove(c->all->loop, &c->exit_src);
	kl_loop_remove(c->all->loop, &c->ready_src);
	if (c->pidfd >= 0)
		(void)close(c->pidfd);
	if (c->ready_fd >= 0)
		(void)close(c->ready_fd);
	c->pidfd = c->ready_fd = -1;
	c->pid = 0;
	c->serves_ms = 0;
}

/* Waits for its end, at most wait_ms after the signal. */
static void
child_end(struct child *c, int signal, int wait_ms)
{
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };

	if (c->pid == 0)
		return;
	(void)kill(c->pid, signal);
	if (signal != SIGKILL && (c->pidfd < 0 || poll(&p, 1, wait_ms) != 1))
		(void)kill(c->pid, SIGKILL);
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	child_forget(c);
}

static void
child_later(struct child *c, int64_t now_ms, int64_t wait_ms)
{
	c->start_due_ms = now_ms + wait_ms;
}

static int64_t
backoff_next(struct child *c, int64_t now_ms)
{
	int64_t wait_ms;

	if (c->backoff_ms == 0 ||
	    (c->serves_ms != 0 && now_ms - c->serves_ms >= STEADY_MS))
		c->backoff_ms = BACKOFF_MIN_MS;
	wait_ms = c->backoff_ms;
	c->backoff_ms = 2 * wait_ms < BACKOFF_MAX_MS ? 2 * wait_ms :
	    BACKOFF_MAX_MS;
	return wait_ms;
}

static void exit_dispatch(void *arg, short revents);
static void ready_dispatch(void *arg, short revents);

static int
child_watch(struct child *c)
{
	int r;

	if ((c->pidfd = pidfd_open(c->pid, 0)) < 0)
		return KL_E_SYSTEM;
	c->exit_src = (struct kl_source){ .fd = c->pidfd, .events = POLLIN,
		.dispatch = exit_dispatch, .arg = c };
	c->ready_src = (struct kl_source){ .fd = c->ready_fd,
		.events = POLLIN, .dispatch = ready_dispatch, .arg = c };
	if ((r = kl_loop_add(c->all->loop, &c->ready_src)) == KL_OK)
		r = kl_loop_add(c->all->loop, &c->exit_src);
	return r;
}

static int
child_start(struct child *c, int64_t now_ms)
{
	const pid_t parent = getpid();
	int ready[2];

	if (pipe2(ready, O_CLOEXEC | O_NONBLOCK) != 0)
		return KL_E_SYSTEM;
	c->pid = fork();
	if (c->pid == 0)
		child_exec(c, parent, ready[1]);
	(void)close(ready[1]);
	c->ready_fd = ready[0];
	if (c->pid < 0) {
		child_forget(c);
		return KL_E_SYSTEM;
	}
	c->alive_ms = now_ms;
	if (child_watch(c) != KL_OK) {
		child_end(c, SIGKILL, 0);
		return KL_E_SYSTEM;
	}
	kl_logf(KL_LOG_INFO, "started", kl_log_word("part", c->name),
	    kl_log_num("pid", c->pid));
	return KL_OK;
}

/* ---- what they tell ---- */

static bool
both_serve(const struct supervisor *s)
{
	return s->core.serves_ms != 0 && s->edge.serves_ms != 0;
}

static void
ready_tell(struct supervisor *s)
{
	if (!both_serve(s))
		return;
	kl_logf(KL_LOG_INFO, "ready", kl_log_num("core", s->core.pid),
	    kl_log_num("edge", s->edge.pid));
	if (!s->told_ready)
		kl_daemon_notify("READY=1\nSTATUS=serving");
	s->told_ready = true;
}

static void
ready_dispatch(void *arg, short revents)
{
	struct child *c = arg;
	char b[64];
	const ssize_t n = read(c->ready_fd, b, sizeof b);

	(void)revents;
	if (n <= 0) {
		/* Closed: its end comes by the other descriptor. */
		if (n == 0 || errno != EAGAIN)
			kl_loop_remove(c->all->loop, &c->ready_src);
		return;
	}
	c->alive_ms = kl_mono_ms();
	if (c->serves_ms == 0 && memchr(b, READY_SERVES, (size_t)n) != NULL) {
		c->serves_ms = c->alive_ms;
		ready_tell(c->all);
	}
}

/* ---- when one ends ---- */

static void
supervisor_stop(struct supervisor *s, int status)
{
	s->exit = status;
	kl_loop_stop(s->loop);
}

/* What core had not read yet dies with the pair. */
static void
core_again(struct supervisor *s, int64_t now_ms)
{
	const int64_t wait_ms = backoff_next(&s->core, now_ms);

	child_end(&s->edge, SIGKILL, 0);
	(void)close(s->pair[0]);
	(void)close(s->pair[1]);
	if (pipe_pair(s->pair) != KL_OK) {
		s->pair[0] = s->pair[1] = -1;
		supervisor_stop(s, EXIT_FAILURE);
		return;
	}
	child_later(&s->core, now_ms, wait_ms);
	child_later(&s->edge, now_ms, wait_ms);
}

static void
edge_again(struct supervisor *s, int status, int64_t now_ms)
{
	child_later(&s->edge, now_ms, status == EDGE_EXIT_RECYCLE ? 0 :
	    backoff_next(&s->edge, now_ms));
}

static bool
needs_operator(const struct child *c, int status)
{
	return status == (c == &c->all->core ? (int)CORE_EXIT_OPERATOR :
	    (int)EDGE_EXIT_CONFIG);
}

static void
exit_dispatch(void *arg, short revents)
{
	struct child *c = arg;
	struct supervisor *s = c->all;
	const int64_t now_ms = kl_mono_ms();
	int raw, status;

	(void)revents;
	if (waitpid(c->pid, &raw, WNOHANG) != c->pid)
		return;
	status = WIFEXITED(raw) ? WEXITSTATUS(raw) : -1;
	kl_logf(KL_LOG_WARN, "ended", kl_log_word("part", c->name),
	    kl_log_num("status", status),
	    kl_log_num("signal", WIFSIGNALED(raw) ? WTERMSIG(raw) : 0));
	if (needs_operator(c, status)) {
		kl_logf(KL_LOG_ERROR, "needs_operator",
		    kl_log_word("part", c->name), kl_log_word("see",
		    "the line above; kortelijnd stops and stays down"));
		child_forget(c);
		supervisor_stop(s, CORE_EXIT_OPERATOR);
	} else if (c == &s->core) {
		core_again(s, now_ms);
		child_forget(c);
	} else {
		edge_again(s, status, now_ms);
		child_forget(c);
	}
}

/* ---- from time to time ---- */

static bool
heard(const struct child *c, int64_t now_ms, int64_t within_ms)
{
	return now_ms - c->alive_ms <
	    (c->serves_ms != 0 ? within_ms : START_MS);
}

static void
watchdog_ping(struct supervisor *s, int64_t now_ms)
{
	if (s->watchdog_ms == 0 || now_ms < s->ping_due_ms)
		return;
	s->ping_due_ms = now_ms + s->watchdog_ms / 3;
	if (heard(&s->core, now_ms, s->watchdog_ms) &&
	    heard(&s->edge, now_ms, s->watchdog_ms))
		kl_daemon_notify("WATCHDOG=1");
}

static void
edge_check(struct supervisor *s, int64_t now_ms)
{
	if (s->edge.serves_ms == 0 || heard(&s->edge, now_ms, SILENT_MS))
		return;
	kl_logf(KL_LOG_ERROR, "silent", kl_log_word("part", s->edge.name));
	/* Its end is seen as any other. */
	(void)kill(s->edge.pid, SIGKILL);
	s->edge.alive_ms = now_ms;
}

static void
child_start_due(struct child *c, int64_t now_ms)
{
	if (c->pid != 0 || now_ms < c->start_due_ms)
		return;
	if (child_start(c, now_ms) != KL_OK) {
		kl_logf(KL_LOG_ERROR, "cannot_start",
		    kl_log_word("part", c->name), kl_log_num("errno", errno));
		child_later(c, now_ms, BACKOFF_MAX_MS);
	}
}

static int64_t
timer_prepare(void *arg)
{
	const struct supervisor *s = arg;
	const struct child *const all[] = { &s->core, &s->edge };
	const int64_t now_ms = kl_mono_ms();
	int64_t wait_ms = TICK_MS;

	for (size_t i = 0; i < 2; i++)
		if (all[i]->pid == 0 && all[i]->start_due_ms - now_ms < wait_ms)
			wait_ms = all[i]->start_due_ms - now_ms;
	return wait_ms > 0 ? wait_ms : 0;
}

static void
timer_dispatch(void *arg, short revents)
{
	struct supervisor *s = arg;
	const int64_t now_ms = kl_mono_ms();

	(void)revents;
	child_start_due(&s->core, now_ms);
	child_start_due(&s->edge, now_ms);
	edge_check(s, now_ms);
	watchdog_ping(s, now_ms);
}

/* ---- the whole ---- */

static void
child_init(struct child *c, struct supervisor *s, const char *option,
    const char *name, int end)
{
	*c = (struct child){ .all = s, .option = option, .name = name,
		.end = end, .pidfd = -1, .ready_fd = -1 };
}

static int64_t
watchdog_asked_ms(void)
{
	const char *text = getenv("WATCHDOG_USEC");

	return text == NULL ? 0 : strtoll(text, NULL, 10) / 1000;
}

static int
supervisor_open(struct supervisor *s)
{
	int r;

	s->conf_fd = s->pair[0] = s->pair[1] = -1;
	child_init(&s->core, s, SUPERVISOR_CORE, "core", 0);
	child_init(&s->edge, s, SUPERVISOR_EDGE, "edge", 1);
	s->watchdog_ms = watchdog_asked_ms();
	s->timer = (struct kl_source){ .fd = -1, .prepare = timer_prepare,
		.dispatch = timer_dispatch, .arg = s };
	if ((s->loop = kl_loop_new()) == NULL)
		return KL_E_MEMORY;
	if ((r = conf_put(s->conf, &s->conf_fd)) != KL_OK ||
	    (r = pipe_pair(s->pair)) != KL_OK ||
	    (r = kl_loop_catch_signals(s->loop)) != KL_OK)
		return r;
	return kl_loop_add(s->loop, &s->timer);
}

static void
fd_close(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

/* Edge first: what core still answers then goes nowhere, and is asked again. */
static void
supervisor_close(struct supervisor *s)
{
	kl_daemon_notify("STOPPING=1");
	child_end(&s->edge, SIGTERM, STOP_MS);
	child_end(&s->core, SIGTERM, STOP_MS);
	fd_close(s->pair[0]);
	fd_close(s->pair[1]);
	fd_close(s->conf_fd);
	kl_loop_free(s->loop);
}

int
supervisor_run(const struct broker_conf *conf)
{
	struct supervisor s = { .conf = conf };
	int r;

	if ((r = supervisor_open(&s)) != KL_OK ||
	    (r = kl_loop_run(s.loop)) != KL_OK) {
		kl_logf(KL_LOG_ERROR, "cannot_run",
		    kl_log_word("why", kl_err_text(r)),
		    kl_log_num("errno", errno));
		s.exit = EXIT_FAILURE;
	}
	supervisor_close(&s);
	kl_logf(KL_LOG_INFO, "stopped", kl_log_num("status", s.exit));
	return s.exit;
}
