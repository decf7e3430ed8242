#include "proto/cli/passphrase.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "tests/support/tmpdir.h"

#define WORDS "korte lijn, lange zin"
#define DEADLINE_MS 10000

static struct tmpdir dir;
static struct tmpdir_path path;
static char option[600];
static char *words[] = { option };
static const struct cli_program program = { .name = "prog",
	.daemon = "the daemon" };
static struct cli c;

static void
setup(void)
{
	dir = tmpdir_make();
	path = tmpdir_file(&dir, "words");
	snprintf(option, sizeof option, "--passphrase-file=%s", path.b);
	c = (struct cli){ .program = &program, .words = words, .n_words = 1 };
	/* What is said is looked at in the scripts. */
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
}

static void
teardown(void)
{
	tmpdir_remove(&dir);
}

static void
put(const char *text, size_t n, mode_t mode)
{
	FILE *f = fopen(path.b, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, n, f), n);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path.b, mode), 0);
}

static bool
empty(const struct passphrase *p)
{
	const struct passphrase none = { 0 };

	return memcmp(p, &none, sizeof none) == 0;
}

/* ---- a file -------------------------------------------------------------- */

START_TEST(line_of_a_file_is_the_passphrase)
{
	struct passphrase p;

	put(WORDS "\n", strlen(WORDS) + 1, 0600);
	ck_assert_int_eq(passphrase_get(&c, "x", &p), CLI_OK);
	ck_assert(kl_bytes_equal(passphrase_bytes(&p), kl_bytes_str(WORDS)));
	put(WORDS, strlen(WORDS), 0400);
	ck_assert_int_eq(passphrase_new(&c, "x", &p), CLI_OK);
	ck_assert(kl_bytes_equal(passphrase_bytes(&p), kl_bytes_str(WORDS)));
	passphrase_wipe(&p);
	ck_assert(empty(&p));
}
END_TEST

START_TEST(file_that_others_may_read_is_refused)
{
	struct passphrase p;

	ck_assert_int_eq(passphrase_get(&c, "x", &p), CLI_FILE);
	put(WORDS "\n", strlen(WORDS) + 1, 0640);
	ck_assert_int_eq(passphrase_get(&c, "x", &p), CLI_FILE);
	ck_assert(empty(&p));
	ck_assert_int_eq(unlink(path.b), 0);
	ck_assert_int_eq(mkfifo(path.b, 0600), 0);
	ck_assert_int_eq(passphrase_get(&c, "x", &p), CLI_FILE);
	ck_assert_int_eq(unlink(path.b), 0);
	ck_assert_int_eq(symlink("/dev/null", path.b), 0);
	ck_assert_int_eq(passphrase_get(&c, "x", &p), CLI_FILE);
}
END_TEST

START_TEST(anything_but_one_line_is_refused)
{
	char large[KL_PASSPHRASE_MAX + 3];
	struct passphrase p;

	memset(large, 'a', sizeof large);
	for (size_t n = KL_PASSPHRASE_MAX + 1; n <= sizeof large; n++) {
		put(large, n, 0600);
		ck_assert_int_eq(passphrase_get(&c, "x", &p), CLI_FILE);
	}
	put("", 0, 0600);
	ck_assert_int_eq(passphrase_get(&c, "x", &p), CLI_FILE);
	put("\n", 1, 0600);
	ck_assert_int_eq(passphrase_get(&c, "x", &p), CLI_FILE);
	put("one line\nand another\n", 21, 0600);
	ck_assert_int_eq(passphrase_get(&c, "x", &p), CLI_FILE);
	put("one\0and another", 15, 0600);
	ck_assert_int_eq(passphrase_get(&c, "x", &p), CLI_FILE);
	ck_assert(empty(&p));
	large[KL_PASSPHRASE_MAX] = '\n';
	put(large, KL_PASSPHRASE_MAX + 1, 0600);
	ck_assert_int_eq(passphrase_get(&c, "x", &p), CLI_OK);
	ck_assert_uint_eq(p.n, KL_PASSPHRASE_MAX);
}
END_TEST

START_TEST(new_one_must_not_be_short)
{
	struct passphrase p;

	put("elf letters", 11, 0600);
	ck_assert_int_eq(passphrase_get(&c, "x", &p), CLI_OK);
	ck_assert_int_eq(passphrase_new(&c, "x", &p), CLI_USAGE);
	ck_assert(empty(&p));
}
END_TEST

/* ---- a terminal ---------------------------------------------------------- */

/* A process whose terminal is ours to type at; it exits with the answer and
 * tells the passphrase over a pipe. */
struct typist {
	int terminal, told;
	pid_t pid;
	char shown[1024];	/* all that the terminal showed */
	size_t n;
};

static void
child(int slave, int tell, bool is_new)
{
	struct passphrase p;
	int r;

	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) != 0)
		_exit(99);
	c.n_words = 0;
	r = is_new ? passphrase_new(&c, "x", &p) :
	    passphrase_get(&c, "x", &p);
	if (write(tell, p.b, p.n) != (ssize_t)p.n)
		_exit(98);
	_exit(r);
}

static void
typist_start(struct typist *t, bool is_new)
{
	int slave, fd[2];

	memset(t, 0, sizeof *t);
	ck_assert_int_ge(t->terminal = posix_openpt(O_RDWR | O_NOCTTY), 0);
	ck_assert_int_eq(grantpt(t->terminal), 0);
	ck_assert_int_eq(unlockpt(t->terminal), 0);
	ck_assert_int_ge(slave = open(ptsname(t->terminal), O_RDWR |
	    O_NOCTTY), 0);
	ck_assert_int_eq(pipe(fd), 0);
	ck_assert_int_ge(t->pid = fork(), 0);
	if (t->pid == 0)
		child(slave, fd[1], is_new);
	(void)close(slave);
	(void)close(fd[1]);
	t->told = fd[0];
}

/* Waits until the terminal shows `text`, and types then. */
static void
types(struct typist *t, const char *text, const char *keys)
{
	struct pollfd p = { .fd = t->terminal, .events = POLLIN };
	ssize_t n;

	while (strstr(t->shown, text) == NULL) {
		ck_assert_int_eq(poll(&p, 1, DEADLINE_MS), 1);
		n = read(t->terminal, t->shown + t->n,
		    sizeof t->shown - 1 - t->n);
		ck_assert_int_gt(n, 0);
		t->n += (size_t)n;
	}
	ck_assert_int_eq(write(t->terminal, keys, strlen(keys)),
	    (ssize_t)strlen(keys));
}

/* The exit code; and what it got is in `shown`. */
static int
typist_end(struct typist *t)
{
	struct termios after;
	int status;
	ssize_t n;

	ck_assert_int_eq(waitpid(t->pid, &status, 0), t->pid);
	ck_assert(WIFEXITED(status));
	/* Nothing that was typed was shown, and now it would be. */
	ck_assert_ptr_null(strstr(t->shown, "korte"));
	ck_assert_int_eq(tcgetattr(t->terminal, &after), 0);
	ck_assert((after.c_lflag & ECHO) != 0);
	ck_assert((after.c_lflag & ICANON) != 0);
	n = read(t->told, t->shown, sizeof t->shown - 1);
	ck_assert_int_ge(n, 0);
	t->shown[n] = '\0';
	(void)close(t->told);
	(void)close(t->terminal);
	return WEXITSTATUS(status);
}

START_TEST(terminal_does_not_show_what_is_typed)
{
	struct typist t;

	typist_start(&t, false);
	types(&t, "Passphrase of x: ", WORDS "\r");
	ck_assert_int_eq(typist_end(&t), CLI_OK);
	ck_assert_str_eq(t.shown, WORDS);
}
END_TEST

START_TEST(typed_characters_can_be_taken_back)
{
	struct typist t;

	typist_start(&t, false);
	types(&t, "Passphrase of x: ",
	    "\177other\025korte zin\303\251\177\177\177\177lijn, lange"
	    "\t zin\r");
	ck_assert_int_eq(typist_end(&t), CLI_OK);
	ck_assert_str_eq(t.shown, WORDS);
}
END_TEST

START_TEST(new_one_is_asked_twice)
{
	struct typist t;

	typist_start(&t, true);
	types(&t, "New passphrase of x: ", WORDS "\r");
	types(&t, "once more, of x: ", WORDS "\r");
	ck_assert_int_eq(typist_end(&t), CLI_OK);
	ck_assert_str_eq(t.shown, WORDS);
	typist_start(&t, true);
	types(&t, "New passphrase of x: ", WORDS "\r");
	types(&t, "once more, of x: ", WORDS ".\r");
	ck_assert_int_eq(typist_end(&t), CLI_USAGE);
	ck_assert_str_eq(t.shown, "");
}
END_TEST

START_TEST(who_gives_up_leaves_a_terminal_that_shows)
{
	struct typist t;

	typist_start(&t, false);
	types(&t, "Passphrase of x: ", "korte\003");
	ck_assert_int_eq(typist_end(&t), CLI_FAILED);
	typist_start(&t, false);
	types(&t, "Passphrase of x: ", "\004");
	ck_assert_int_eq(typist_end(&t), CLI_FAILED);
}
END_TEST

START_TEST(without_a_terminal_it_says_what_to_do)
{
	struct passphrase p;
	int status;
	pid_t pid;

	ck_assert_int_ge(pid = fork(), 0);
	if (pid == 0) {
		c.n_words = 0;
		(void)setsid();
		_exit(passphrase_get(&c, "x", &p));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), CLI_USAGE);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("passphrase");
	TCase *t = tcase_create("passphrase");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, line_of_a_file_is_the_passphrase);
	tcase_add_test(t, file_that_others_may_read_is_refused);
	tcase_add_test(t, anything_but_one_line_is_refused);
	tcase_add_test(t, new_one_must_not_be_short);
	tcase_add_test(t, terminal_does_not_show_what_is_typed);
	tcase_add_test(t, typed_characters_can_be_taken_back);
	tcase_add_test(t, new_one_is_asked_twice);
	tcase_add_test(t, who_gives_up_leaves_a_terminal_that_shows);
	tcase_add_test(t, without_a_terminal_it_says_what_to_do);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
