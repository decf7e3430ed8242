#include "broker/supervisor.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <kortelijn/base/time.h>

#include "broker/core/core_main.h"
#include "broker/edge/edge_main.h"
#include "broker/ready.h"
#include "tests/support/tmpdir.h"

/*
 * This program is its own edge and core: the supervisor starts the program
 * that it is. What they do stands in the environment; what they did, in a
 * file of lines.
 */
#define EVENTS "KL_TEST_EVENTS"
#define CORE_DOES "KL_TEST_CORE"
#define EDGE_DOES "KL_TEST_EDGE"
#define DEADLINE_MS 20000

/* ---- as edge or core ---- */

static void
tell(const char *part, const char *what, unsigned long n, const char *word)
{
	char line[256];
	int fd = open(getenv(EVENTS), O_WRONLY | O_APPEND | O_CREAT, 0600);
	int len = snprintf(line, sizeof line, "%s %s %d %lu %s\n", part,
	    what, getpid(), n, word);

	if (fd < 0 || write(fd, line, (size_t)len) != len)
		_exit(99);
	(void)close(fd);
}

/* Lines that begin so. */
static int
count(const char *begin, int *last_pid, unsigned long *last_n)
{
	FILE *f = fopen(getenv(EVENTS), "r");
	char line[256];
	int n = 0;

	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		if (strncmp(line, begin, strlen(begin)) != 0)
			continue;
		n++;
		if (last_pid != NULL)
			(void)sscanf(line, "%*s %*s %d %lu", last_pid,
			    last_n);
	}
	if (f != NULL)
		(void)fclose(f);
	return n;
}

static int
serve(const char *part, int ready_fd)
{
	sigset_t term;
	int got;

	(void)sigemptyset(&term);
	(void)sigaddset(&term, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &term, NULL);
	if (write(ready_fd, "R", 1) != 1)
		return 98;
	tell(part, "serves", 0, "");
	(void)sigwait(&term, &got);
	tell(part, "stopped", 0, "");
	return 0;
}

static int
child_main(const char *option, const char *value)
{
	const bool edge = strcmp(option, SUPERVISOR_EDGE) == 0;
	const char *part = edge ? "edge" : "core";
	const char *does = getenv(edge ? EDGE_DOES : CORE_DOES);
	char begin[32];
	struct supervisor_fds fds;
	struct broker_conf conf;
	struct stat st;
	int starts;

	if (sscanf(value, SUPERVISOR_FDS, &fds.pipe, &fds.ready,
	    &fds.conf) != 3 ||
	    supervisor_conf_read(fds.conf, &conf) != KL_OK ||
	    fstat(fds.pipe, &st) != 0)
		return 97;
	(void)snprintf(begin, sizeof begin, "%s started", part);
	starts = count(begin, NULL, NULL);
	tell(part, "started", (unsigned long)st.st_ino, conf.listen);
	if (pwrite(fds.conf, "x", 1, 0) >= 0)
		tell(part, "wrote", 0, "");
	if (strcmp(does, "operator") == 0)
		return CORE_EXIT_OPERATOR;
	if (strcmp(does, "fail") == 0)
		return 1;
	if (strcmp(does, "recycle-first") == 0 && starts == 0)
		return EDGE_EXIT_RECYCLE;
	return serve(part, fds.ready);
}

/* ---- the supervisor in a process of its own ---- */

static struct tmpdir dir;
static struct tmpdir_path events;
static pid_t supervisor;
static int notify_fd;

/* Time in the supervisor goes on by 20 s at each SIGUSR1. */
static volatile sig_atomic_t jumps;

int
clock_gettime(clockid_t id, struct timespec *t)
{
	const int r = (int)syscall(SYS_clock_gettime, id, t);

	t->tv_sec += 20 * jumps;
	return r;
}

static void
jump(int signal)
{
	(void)signal;
	jumps++;
}

/* What the system refuses the supervisor: a number of descriptors of
 * children, its memory file, and after SIGUSR2 a new pair. These stand before
 * the C library's own. */
static int no_pidfds;
static bool no_memfd;
static volatile sig_atomic_t no_pair;

int
pidfd_open(pid_t pid, unsigned int flags)
{
	if (no_pidfds > 0) {
		no_pidfds--;
		errno = EMFILE;
		return -1;
	}
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

int
memfd_create(const char *name, unsigned int flags)
{
	if (no_memfd) {
		errno = EMFILE;
		return -1;
	}
	return (int)syscall(SYS_memfd_create, name, flags);
}

int
socketpair(int domain, int type, int protocol, int fd[2])
{
	if (no_pair != 0) {
		errno = EMFILE;
		return -1;
	}
	return (int)syscall(SYS_socketpair, domain, type, protocol, fd);
}

static void
refuse_pair(int signal)
{
	(void)signal;
	no_pair = 1;
}

static void
nap(void)
{
	const struct timespec t = { .tv_nsec = 5000000 };

	(void)nanosleep(&t, NULL);
}

/* Until there are so many lines that begin so. */
static int
wait_for(const char *begin, int n)
{
	unsigned long ino;
	int pid = 0;

	for (int i = 0; i < DEADLINE_MS / 5; i++) {
		if (count(begin, &pid, &ino) >= n)
			return pid;
		nap();
	}
	ck_abort_msg("no %d lines \"%s\"", n, begin);
	return 0;
}

static unsigned long
pair_of(const char *begin)
{
	unsigned long ino = 0;
	int pid;

	ck_assert_int_gt(count(begin, &pid, &ino), 0);
	return ino;
}

static void
start(const char *core, const char *edge)
{
	const struct broker_conf conf = { .listen = "tcp://127.0.0.1:9",
		.slots = 77 };

	(void)setenv(CORE_DOES, core, 1);
	(void)setenv(EDGE_DOES, edge, 1);
	supervisor = fork();
	ck_assert_int_ge(supervisor, 0);
	if (supervisor == 0) {
		int fd = open("/dev/null", O_WRONLY);

		(void)dup2(fd, STDERR_FILENO);
		/* Not what check does at the end of a test. */
		(void)signal(SIGTERM, SIG_DFL);
		(void)signal(SIGINT, SIG_DFL);
		(void)signal(SIGUSR1, jump);
		(void)signal(SIGUSR2, refuse_pair);
		exit(supervisor_run(&conf));
	}
}

static int
status_of(pid_t pid)
{
	int raw;

	for (int i = 0; i < DEADLINE_MS / 5; i++) {
		pid_t got = waitpid(pid, &raw, WNOHANG);

		if (got == pid)
			return WIFEXITED(raw) ? WEXITSTATUS(raw) :
			    -WTERMSIG(raw);
		ck_assert_int_eq(got, 0);
		nap();
	}
	ck_abort_msg("%d does not end", pid);
	return 0;
}

static int
stop(void)
{
	ck_assert_int_eq(kill(supervisor, SIGTERM), 0);
	return status_of(supervisor);
}

static void
setup(void)
{
	struct tmpdir_path sock;
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	dir = tmpdir_make();
	events = tmpdir_file(&dir, "events");
	sock = tmpdir_file(&dir, "n");
	(void)setenv(EVENTS, events.b, 1);
	ck_assert_uint_lt(strlen(sock.b), sizeof a.sun_path);
	memcpy(a.sun_path, sock.b, strlen(sock.b));
	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(notify_fd, (struct sockaddr *)&a, sizeof a),
	    0);
	(void)setenv("NOTIFY_SOCKET", sock.b, 1);
	(void)unsetenv("WATCHDOG_USEC");
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
}

static void
teardown(void)
{
	(void)close(notify_fd);
	tmpdir_remove(&dir);
}

/* Of the words to systemd that came since, does one begin so? */
static bool
notified(const char *begin)
{
	char b[256];
	ssize_t n;

	for (int i = 0; i < DEADLINE_MS / 5; i++) {
		while ((n = recv(notify_fd, b, sizeof b - 1, 0)) > 0) {
			b[n] = '\0';
			if (strncmp(b, begin, strlen(begin)) == 0)
				return true;
		}
		nap();
	}
	return false;
}

START_TEST(both_serve_until_they_are_asked_to_stop)
{
	start("serve", "serve");
	(void)wait_for("core serves", 1);
	(void)wait_for("edge serves", 1);
	ck_assert(notified("READY=1"));
	ck_assert_int_eq(stop(), 0);
	ck_assert(notified("STOPPING=1"));
	ck_assert_int_eq(count("core stopped", NULL, NULL), 1);
	ck_assert_int_eq(count("edge stopped", NULL, NULL), 1);
	ck_assert_int_eq(count("core started", NULL, NULL), 1);
}
END_TEST

START_TEST(both_have_one_pair_and_the_configuration_sealed)
{
	start("serve", "serve");
	(void)wait_for("core serves", 1);
	(void)wait_for("edge serves", 1);
	ck_assert_int_eq(stop(), 0);
	ck_assert_int_eq(count("core wrote", NULL, NULL), 0);
	ck_assert_int_eq(count("edge wrote", NULL, NULL), 0);
	ck_assert_uint_ne(pair_of("core started"), 0);
	ck_assert_uint_ne(pair_of("edge started"), 0);
}
END_TEST

START_TEST(killed_edge_comes_back_alone_on_the_same_pair)
{
	unsigned long ino;
	int pid;

	start("serve", "serve");
	(void)wait_for("core serves", 1);
	pid = wait_for("edge serves", 1);
	ino = pair_of("edge started");
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	(void)wait_for("edge serves", 2);
	ck_assert_uint_eq(pair_of("edge started"), ino);
	ck_assert_int_eq(stop(), 0);
	ck_assert_int_eq(count("core started", NULL, NULL), 1);
}
END_TEST

START_TEST(killed_core_takes_edge_and_pair_with_it)
{
	unsigned long ino;
	int pid;

	start("serve", "serve");
	pid = wait_for("core serves", 1);
	(void)wait_for("edge serves", 1);
	ino = pair_of("edge started");
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	(void)wait_for("core serves", 2);
	(void)wait_for("edge serves", 2);
	ck_assert_uint_ne(pair_of("edge started"), ino);
	ck_assert_int_eq(stop(), 0);
}
END_TEST

START_TEST(need_of_an_operator_ends_the_whole)
{
	start("operator", "serve");
	ck_assert_int_eq(status_of(supervisor), CORE_EXIT_OPERATOR);
	start("serve", "operator");
	ck_assert_int_eq(status_of(supervisor), CORE_EXIT_OPERATOR);
}
END_TEST

START_TEST(edge_that_wants_recycling_is_started_again)
{
	start("serve", "recycle-first");
	(void)wait_for("edge serves", 1);
	ck_assert_int_eq(count("edge started", NULL, NULL), 2);
	ck_assert_int_eq(stop(), 0);
}
END_TEST

START_TEST(part_that_fails_is_tried_again_until_the_stop)
{
	start("fail", "serve");
	(void)wait_for("core started", 3);
	ck_assert_int_eq(stop(), 0);
	start("serve", "fail");
	(void)wait_for("edge started", 6);
	ck_assert_int_eq(stop(), 0);
}
END_TEST

START_TEST(children_die_with_a_killed_supervisor)
{
	int core, edge;

	start("serve", "serve");
	core = wait_for("core serves", 1);
	edge = wait_for("edge serves", 1);
	ck_assert_int_eq(kill(supervisor, SIGKILL), 0);
	ck_assert_int_eq(status_of(supervisor), -SIGKILL);
	ck_assert_int_eq(status_of(core), -SIGKILL);
	ck_assert_int_eq(status_of(edge), -SIGKILL);
}
END_TEST

START_TEST(silent_edge_is_killed_and_comes_back)
{
	start("serve", "serve");
	(void)wait_for("core serves", 1);
	(void)wait_for("edge serves", 1);
	ck_assert(notified("READY=1"));
	ck_assert_int_eq(kill(supervisor, SIGUSR1), 0);
	(void)wait_for("edge serves", 2);
	ck_assert_int_eq(count("edge stopped", NULL, NULL), 0);
	ck_assert_int_eq(count("core started", NULL, NULL), 1);
	ck_assert_int_eq(stop(), 0);
}
END_TEST

START_TEST(child_that_cannot_be_watched_is_tried_again)
{
	no_pidfds = 1;
	start("serve", "serve");
	(void)wait_for("edge serves", 1);
	/* The one that was given up may have begun to serve, or the next be
	 * there already: that depends on who was faster. */
	ck_assert_int_eq(kill(supervisor, SIGUSR1), 0);
	(void)wait_for("core serves", 1);
	ck_assert_int_eq(stop(), 0);
}
END_TEST

START_TEST(start_without_descriptors_fails)
{
	no_memfd = true;
	start("serve", "serve");
	ck_assert_int_eq(status_of(supervisor), EXIT_FAILURE);
}
END_TEST

START_TEST(broker_without_a_new_pair_ends)
{
	int core;

	start("serve", "serve");
	core = wait_for("core serves", 1);
	(void)wait_for("edge serves", 1);
	ck_assert_int_eq(kill(supervisor, SIGUSR2), 0);
	ck_assert_int_eq(kill(core, SIGKILL), 0);
	ck_assert_int_eq(status_of(supervisor), EXIT_FAILURE);
}
END_TEST

START_TEST(watchdog_is_told_while_both_are_heard)
{
	(void)setenv("WATCHDOG_USEC", "30000000", 1);
	start("serve", "serve");
	(void)wait_for("core serves", 1);
	(void)wait_for("edge serves", 1);
	ck_assert(notified("WATCHDOG=1"));
	ck_assert_int_eq(stop(), 0);
}
END_TEST

START_TEST(configuration_that_cannot_be_read_is_told)
{
	struct broker_conf conf;

	ck_assert_int_eq(supervisor_conf_read(-1, &conf), KL_E_IO);
}
END_TEST

static SRunner *
runner(void)
{
	Suite *s = suite_create("supervisor");
	TCase *tc = tcase_create("supervisor");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, both_serve_until_they_are_asked_to_stop);
	tcase_add_test(tc,
	    both_have_one_pair_and_the_configuration_sealed);
	tcase_add_test(tc, killed_edge_comes_back_alone_on_the_same_pair);
	tcase_add_test(tc, killed_core_takes_edge_and_pair_with_it);
	tcase_add_test(tc, need_of_an_operator_ends_the_whole);
	tcase_add_test(tc, edge_that_wants_recycling_is_started_again);
	tcase_add_test(tc, part_that_fails_is_tried_again_until_the_stop);
	tcase_add_test(tc, children_die_with_a_killed_supervisor);
	tcase_add_test(tc, silent_edge_is_killed_and_comes_back);
	tcase_add_test(tc, child_that_cannot_be_watched_is_tried_again);
	tcase_add_test(tc, start_without_descriptors_fails);
	tcase_add_test(tc, broker_without_a_new_pair_ends);
	tcase_add_test(tc, watchdog_is_told_while_both_are_heard);
	tcase_add_test(tc, configuration_that_cannot_be_read_is_told);
	suite_add_tcase(s, tc);
	return srunner_create(s);
}

int
main(int argc, char **argv)
{
	SRunner *sr;
	int failed;

	if (argc == 3 && strncmp(argv[1], "--", 2) == 0)
		return child_main(argv[1], argv[2]);
	sr = runner();
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
