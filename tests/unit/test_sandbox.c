#include <kortelijn/host/sandbox.h>

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/tmpdir.h"

static struct tmpdir dir;
static struct tmpdir_path inside, outside;
static int sockets[2];

static void
setup(void)
{
	FILE *f;

	dir = tmpdir_make();
	ck_assert_int_eq(mkdir(tmpdir_file(&dir, "own").b, 0700), 0);
	ck_assert_int_eq(mkdir(tmpdir_file(&dir, "read").b, 0700), 0);
	inside = tmpdir_file(&dir, "own/file");
	outside = tmpdir_file(&dir, "other");
	ck_assert_ptr_nonnull(f = fopen(outside.b, "w"));
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_ptr_nonnull(f = fopen(tmpdir_file(&dir, "read/f").b, "w"));
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), 0);
}

static void
teardown(void)
{
	(void)close(sockets[0]);
	(void)close(sockets[1]);
	tmpdir_remove(&dir);
}

/* A sandbox has no way out, so each runs in a child of its own, which answers
 * the line of the first expectation that did not hold, 0 for none. */
#define EXPECT(e) do { if (!(e)) return __LINE__; } while (0)
#define EPERMS(call) EXPECT((errno = 0, (call)) == -1 && errno == EPERM)

struct child {
	int (*body)(void);
	enum kl_sandbox_role role;
};

static int
run(struct child c)
{
	const struct tmpdir_path own = tmpdir_file(&dir, "own");
	const struct tmpdir_path readable = tmpdir_file(&dir, "read");
	const char *const write_dirs[] = { own.b, NULL };
	const char *const read_dirs[] = { readable.b, NULL };
	struct kl_sandbox s = { .role = c.role };
	int line = 0, status;
	int out[2];
	pid_t pid;

	if (c.role == KL_SANDBOX_CORE) {
		s.write_dirs = write_dirs;
		s.read_dirs = read_dirs;
	}
	ck_assert_int_eq(pipe(out), 0);
	if ((pid = fork()) == 0) {
		line = kl_sandbox_enter(&s) == KL_OK ? c.body() : -1;
		_exit(write(out[1], &line, sizeof line) == sizeof line ? 0 : 1);
	}
	ck_assert_int_eq(close(out[1]), 0);
	ck_assert_int_eq(read(out[0], &line, sizeof line), sizeof line);
	ck_assert_int_eq(close(out[0]), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	return line;
}

static int
touch_others(void)
{
	char b[8];
	struct iovec v = { b, sizeof b };
	struct rlimit lim;
	pid_t parent = getppid();

	EPERMS(kill(parent, 0));
	EPERMS(kill(getpid(), 0));
	EPERMS((int)syscall(SYS_tkill, parent, 0));
	EPERMS((int)syscall(SYS_tgkill, parent, parent, 0));
	EPERMS((int)syscall(SYS_pidfd_open, parent, 0));
	EPERMS((int)syscall(SYS_kcmp, parent, getpid(), 0, 0, 0));
	EPERMS((int)ptrace(PTRACE_ATTACH, parent, NULL, NULL));
	EPERMS((int)process_vm_readv(parent, &v, 1, &v, 1, 0));
	EPERMS((int)process_vm_writev(parent, &v, 1, &v, 1, 0));
	EPERMS(prlimit(parent, RLIMIT_NOFILE, NULL, &lim));
	return 0;
}

static int
start_programs(void)
{
	char *const argv[] = { NULL };
	int r;

	EPERMS(execve("/bin/true", argv, argv));
	EPERMS((int)syscall(SYS_fork));
	EPERMS((int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
	errno = 0;
	r = (int)syscall(SYS_clone3, NULL, 0);
	EXPECT(r == -1 && errno == ENOSYS);
	EPERMS(fork());
	return 0;
}

static int
change_the_system(void)
{
	EPERMS(unshare(CLONE_NEWUSER));
	EPERMS((int)syscall(SYS_mount, "x", "/", "tmpfs", 0, NULL));
	EPERMS((int)syscall(SYS_bpf, 0, NULL, 0));
	EPERMS((int)syscall(SYS_io_uring_setup, 1, NULL));
	EPERMS((int)syscall(SYS_userfaultfd, 0));
	EPERMS((int)syscall(SYS_memfd_create, "x", 0));
	EPERMS(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	EPERMS(truncate(outside.b, 0));
	EXPECT(mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	EXPECT(errno == EPERM);
	return 0;
}

static int
be_edge(void)
{
	struct timex clock = { .modes = 0 };
	char b;

	EPERMS(adjtimex(&clock));
	EPERMS(open(outside.b, O_RDONLY));
	EPERMS(open("/proc/self/mem", O_RDWR));
	EPERMS((int)syscall(SYS_openat2, AT_FDCWD, "/", NULL, 0));
	EPERMS(unlink(outside.b));
	EPERMS(rename(outside.b, inside.b));
	EPERMS(mkdir(inside.b, 0700));
	EPERMS(chmod(outside.b, 0777));
	/* What it lives from. */
	EXPECT(write(sockets[0], "x", 1) == 1);
	EXPECT(read(sockets[1], &b, 1) == 1);
	EXPECT(socket(AF_INET, SOCK_STREAM, 0) >= 0);
	return 0;
}

static int
be_core(void)
{
	struct timex clock = { .modes = 0 };
	struct rlimit lim;
	char b;
	int fd;

	EPERMS(socket(AF_INET, SOCK_STREAM, 0));
	EPERMS(socket(AF_UNIX, SOCK_STREAM, 0));
	EPERMS(connect(sockets[0], NULL, 0));
	EPERMS(bind(sockets[0], NULL, 0));
	EPERMS(listen(sockets[0], 1));
	/* What it lives from. */
	EXPECT(write(sockets[0], "x", 1) == 1);
	EXPECT(read(sockets[1], &b, 1) == 1);
	EXPECT((fd = open(inside.b, O_RDWR | O_CREAT, 0600)) >= 0);
	EXPECT(write(fd, "x", 1) == 1);
	EXPECT(fdatasync(fd) == 0);
	EXPECT(ftruncate(fd, 0) == 0);
	EXPECT(close(fd) == 0);
	EXPECT(unlink(inside.b) == 0);
	EXPECT(getrlimit(RLIMIT_NOFILE, &lim) == 0);
	/* Is its clock right? */
	EXPECT(adjtimex(&clock) >= 0);
	return 0;
}

static int
leave_own_directories(void)
{
	EXPECT(open(outside.b, O_RDONLY) == -1 && errno == EACCES);
	EXPECT(open("/etc/passwd", O_RDONLY) == -1 && errno == EACCES);
	EXPECT(unlink(outside.b) == -1 && errno == EACCES);
	EXPECT(open(tmpdir_file(&dir, "read/f").b, O_RDONLY) >= 0);
	EXPECT(open(tmpdir_file(&dir, "read/f").b, O_RDWR) == -1 &&
	    errno == EACCES);
	EXPECT(open(tmpdir_file(&dir, "read/g").b, O_RDWR | O_CREAT, 0600) ==
	    -1 && errno == EACCES);
	return 0;
}

static void *
thread_body(void *arg)
{
	*(int *)arg = socket(AF_UNIX, SOCK_STREAM, 0) == -1 && errno == EPERM;
	return NULL;
}

static int
start_thread(void)
{
	pthread_t t;
	int refused = 0;

	EXPECT(pthread_create(&t, NULL, thread_body, &refused) == 0);
	EXPECT(pthread_join(t, NULL) == 0);
	EXPECT(refused == 1);
	return 0;
}

static const enum kl_sandbox_role roles[] = { KL_SANDBOX_EDGE,
	KL_SANDBOX_CORE };

START_TEST(no_role_reaches_another_process)
{
	ck_assert_int_eq(run((struct child){ touch_others, roles[_i] }), 0);
}
END_TEST

START_TEST(no_role_starts_a_program)
{
	ck_assert_int_eq(run((struct child){ start_programs, roles[_i] }), 0);
}
END_TEST

START_TEST(no_role_changes_the_system)
{
	ck_assert_int_eq(run((struct child){ change_the_system, roles[_i] }),
	    0);
}
END_TEST

START_TEST(edge_has_network_and_no_path)
{
	ck_assert_int_eq(run((struct child){ be_edge, KL_SANDBOX_EDGE }), 0);
}
END_TEST

START_TEST(core_has_its_files_and_no_network)
{
	ck_assert_int_eq(run((struct child){ be_core, KL_SANDBOX_CORE }), 0);
}
END_TEST

START_TEST(core_is_kept_in_its_directories)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, 1);

	if (abi <= 0) {
		(void)fprintf(stderr,
		    "test_sandbox: SKIPPED paths: kernel without Landlock\n");
		return;
	}
	ck_assert_int_eq(run((struct child){ leave_own_directories,
	    KL_SANDBOX_CORE }), 0);
}
END_TEST

START_TEST(threads_start_and_are_confined)
{
	ck_assert_int_eq(run((struct child){ start_thread, KL_SANDBOX_CORE }),
	    0);
}
END_TEST

/* With its leak check an ASan build must end as cleanly as any other. */
START_TEST(confined_process_exits_normally)
{
	struct kl_sandbox s = { .role = KL_SANDBOX_EDGE };
	pid_t pid;
	int status;

	(void)fflush(NULL);
	if ((pid = fork()) == 0)
		exit(kl_sandbox_enter(&s) == KL_OK ? 0 : 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* An assertion must still end the process. */
START_TEST(confined_process_can_abort)
{
	struct kl_sandbox s = { .role = KL_SANDBOX_CORE };
	const struct rlimit none = { 0, 0 };
	pid_t pid;
	int status;

	if ((pid = fork()) == 0) {
		if (setrlimit(RLIMIT_CORE, &none) != 0 ||
		    signal(SIGABRT, SIG_DFL) == SIG_ERR ||
		    kl_sandbox_enter(&s) != KL_OK)
			_exit(1);
		abort();
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
END_TEST

START_TEST(missing_directory_answers_system)
{
	const char *const dirs[] = { "/nowhere/at/all", NULL };
	struct kl_sandbox s = { .role = KL_SANDBOX_CORE, .write_dirs = dirs };
	pid_t pid;
	int status;

	if ((pid = fork()) == 0) {
		int r = kl_sandbox_enter(&s);

		_exit(r == (s.landlock_abi > 0 ? KL_E_SYSTEM : KL_OK) ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

static Suite *
sandbox_suite(void)
{
	Suite *s = suite_create("sandbox");
	TCase *tc = tcase_create("sandbox");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, no_role_reaches_another_process, 0, 2);
	tcase_add_loop_test(tc, no_role_starts_a_program, 0, 2);
	tcase_add_loop_test(tc, no_role_changes_the_system, 0, 2);
	tcase_add_test(tc, edge_has_network_and_no_path);
	tcase_add_test(tc, core_has_its_files_and_no_network);
	tcase_add_test(tc, core_is_kept_in_its_directories);
	tcase_add_test(tc, threads_start_and_are_confined);
	tcase_add_test(tc, confined_process_exits_normally);
	tcase_add_test(tc, confined_process_can_abort);
	tcase_add_test(tc, missing_directory_answers_system);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *sr = srunner_create(sandbox_suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
