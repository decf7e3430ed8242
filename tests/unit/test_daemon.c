#include <kortelijn/host/daemon.h>

#include <check.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/tmpdir.h"

static struct tmpdir dir;

static void
setup(void)
{
	dir = tmpdir_make();
}

static void
teardown(void)
{
	tmpdir_remove(&dir);
}

START_TEST(harden_forbids_core_dumps_and_tracing)
{
	struct sigaction sa;
	struct rlimit lim;
	mode_t mask;

	ck_assert_int_eq(kl_daemon_harden(), KL_OK);
	ck_assert_int_eq(getrlimit(RLIMIT_CORE, &lim), 0);
	ck_assert_uint_eq(lim.rlim_cur, 0);
	ck_assert_uint_eq(lim.rlim_max, 0);
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
	mask = umask(0);
	ck_assert_uint_eq(mask, 077);
	ck_assert_int_eq(sigaction(SIGPIPE, NULL, &sa), 0);
	ck_assert(sa.sa_handler == SIG_IGN);
}
END_TEST

/* In another process, as a second start of the program would. */
static int
lock_elsewhere(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int r = kl_daemon_lock(dir.path);

		_exit(r == KL_OK ? 0 : r == KL_E_EXISTS ? 1 : 2);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(lock_is_held_by_one_process_and_ends_with_it)
{
	ck_assert_int_eq(lock_elsewhere(), 0);
	ck_assert_int_eq(kl_daemon_lock(dir.path), KL_OK);
	ck_assert_int_eq(lock_elsewhere(), 1);
	ck_assert_int_eq(kl_daemon_lock(dir.path), KL_E_EXISTS);
}
END_TEST

START_TEST(lock_names_why_it_cannot_be_taken)
{
	ck_assert_int_eq(kl_daemon_lock("/nowhere/at/all"), KL_E_IO);
	/* A link there would lock, or make, another file. */
	ck_assert_int_eq(symlink("/dev/null", tmpdir_file(&dir, "lock").b), 0);
	ck_assert_int_eq(kl_daemon_lock(dir.path), KL_E_DENIED);
}
END_TEST

START_TEST(mkdir_makes_one_private_directory)
{
	struct tmpdir_path p = tmpdir_file(&dir, "data");
	struct tmpdir_path deep = tmpdir_file(&dir, "a/b");
	struct tmpdir_path file = tmpdir_file(&dir, "file");
	struct stat st;
	FILE *f;

	ck_assert_int_eq(kl_daemon_mkdir(p.b), KL_OK);
	ck_assert_int_eq(kl_daemon_mkdir(p.b), KL_OK);
	ck_assert_int_eq(stat(p.b, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0700);
	ck_assert_int_eq(kl_daemon_mkdir(deep.b), KL_E_IO);
	ck_assert_ptr_nonnull(f = fopen(file.b, "w"));
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(kl_daemon_mkdir(file.b), KL_E_IO);
}
END_TEST

static int
listen_on(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_uint_lt(strlen(name), sizeof a.sun_path);
	memcpy(a.sun_path, name, strlen(name));
	if (name[0] == '@')
		a.sun_path[0] = '\0';
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, (socklen_t)(
	    offsetof(struct sockaddr_un, sun_path) + strlen(name))), 0);
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
	return fd;
}

static void
assert_heard(int fd, const char *want)
{
	char got[64];
	ssize_t n = recv(fd, got, sizeof got - 1, 0);

	ck_assert_int_ge(n, 0);
	got[n] = '\0';
	ck_assert_str_eq(got, want);
	ck_assert_int_eq(close(fd), 0);
}

START_TEST(notify_reaches_the_socket)
{
	char name[64];
	int fd = listen_on(tmpdir_file(&dir, "notify").b);

	kl_daemon_notify("READY=1");
	assert_heard(fd, "READY=1");
	(void)snprintf(name, sizeof name, "@kortelijn-test-%d", (int)getpid());
	fd = listen_on(name);
	kl_daemon_notify("WATCHDOG=1");
	assert_heard(fd, "WATCHDOG=1");
}
END_TEST

START_TEST(notify_without_socket_does_nothing)
{
	char name[300];

	ck_assert_int_eq(unsetenv("NOTIFY_SOCKET"), 0);
	kl_daemon_notify("READY=1");
	memset(name, '/', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
	kl_daemon_notify("READY=1");
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", "/nowhere/x", 1), 0);
	kl_daemon_notify("READY=1");
}
END_TEST

static Suite *
daemon_suite(void)
{
	Suite *s = suite_create("daemon");
	TCase *tc = tcase_create("daemon");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, harden_forbids_core_dumps_and_tracing);
	tcase_add_test(tc, lock_is_held_by_one_process_and_ends_with_it);
	tcase_add_test(tc, lock_names_why_it_cannot_be_taken);
	tcase_add_test(tc, mkdir_makes_one_private_directory);
	tcase_add_test(tc, notify_reaches_the_socket);
	tcase_add_test(tc, notify_without_socket_does_nothing);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *sr = srunner_create(daemon_suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
