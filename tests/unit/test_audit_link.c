#include "proto/audit/link.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/types.h>

#include "tests/support/said.h"
#include "tests/support/tmpdir.h"

static const struct cli_program program = { .name = "prog",
	.daemon = "the daemon" };
static const struct cli cli = { .program = &program };

static struct tmpdir dir;
static struct tmpdir_path path, asked;
static struct audit_link *link_;
static struct kl_arena *mem;
static struct said said;
static pid_t daemon_pid;

static void
setup(void)
{
	dir = tmpdir_make();
	path = tmpdir_file(&dir, "socket");
	asked = tmpdir_file(&dir, "asked");
	daemon_pid = 0;
	mem = kl_arena_new(AUDIT_ANSWER_BYTES, AUDIT_ANSWER_PIECES);
	ck_assert_ptr_nonnull(mem);
	ck_assert_int_eq(audit_link_socket(&cli, path.b, &link_), CLI_OK);
}

static void
teardown(void)
{
	audit_link_close(link_);
	kl_arena_free(mem);
	tmpdir_remove(&dir);
}

/* ---- a daemon ------------------------------------------------------------ */

static void
serve(int listener, const char *const *answers)
{
	FILE *f = fopen(asked.b, "w");
	char line[65536];
	FILE *s;
	int fd;

	for (; f != NULL && *answers != NULL; answers++) {
		if ((fd = accept(listener, NULL, NULL)) < 0 ||
		    (s = fdopen(fd, "r+")) == NULL ||
		    fgets(line, sizeof line, s) == NULL)
			_exit(1);
		fputs(line, f);
		fseek(s, 0, SEEK_CUR);
		fprintf(s, "%s\n", *answers);
		fclose(s);
	}
	_exit(f == NULL || fclose(f) != 0);
}

/* One answer for each question, NULL at the end. */
static void
daemon_start(const char *const *answers)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_uint_lt(strlen(path.b), sizeof at.sun_path);
	memcpy(at.sun_path, path.b, strlen(path.b) + 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_ge(daemon_pid = fork(), 0);
	if (daemon_pid == 0)
		serve(fd, answers);
	(void)close(fd);
}
#define ANSWERS(...) daemon_start((const char *const[]){ __VA_ARGS__, NULL })

/* Asks for LOG with the bytes "abc". */
static int
ask(struct kl_bytes *reply)
{
	int r, status;

	kl_arena_reset(mem);
	said_begin(&said);
	r = audit_link_ask(link_, KL_LOG, kl_bytes_str("abc"), mem, reply);
	said_end(&said);
	/* All that it had an answer for was asked. */
	if (daemon_pid > 0) {
		ck_assert_int_eq(waitpid(daemon_pid, &status, 0), daemon_pid);
		ck_assert_int_eq(status, 0);
	}
	return r;
}

/* ---- tests --------------------------------------------------------------- */

START_TEST(packed_question_gets_the_packed_answer)
{
	struct kl_bytes reply;
	char line[256] = "";
	FILE *f;

	ANSWERS("{\"ok\":true,\"body\":\"eHl6AA==\"}");
	ck_assert_int_eq(ask(&reply), CLI_OK);
	ck_assert_uint_eq(link_->code, KL_C_OK);
	ck_assert(kl_bytes_equal(reply, kl_bytes("xyz", 4)));
	ck_assert_ptr_nonnull(f = fopen(asked.b, "r"));
	ck_assert_ptr_nonnull(fgets(line, sizeof line, f));
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_ptr_nonnull(strstr(line, "\"cmd\":\"log_ask\""));
	ck_assert_ptr_nonnull(strstr(line, "\"request\":\"log\""));
	ck_assert_ptr_nonnull(strstr(line, "\"body\":\"YWJj\""));
}
END_TEST

START_TEST(empty_answer_is_an_answer)
{
	struct kl_bytes reply;

	ANSWERS("{\"ok\":true,\"body\":\"\"}");
	ck_assert_int_eq(ask(&reply), CLI_OK);
	ck_assert_uint_eq(reply.n, 0);
}
END_TEST

START_TEST(not_now_is_asked_again)
{
	struct kl_bytes reply;

	ANSWERS("{\"ok\":false,\"code\":\"try_later\",\"text\":\"t\","
	    "\"retry_after_ms\":10}",
	    "{\"ok\":false,\"code\":\"quota_requests\",\"text\":\"t\","
	    "\"retry_after_ms\":30}",
	    "{\"ok\":true,\"body\":\"YQ==\"}");
	ck_assert_int_eq(ask(&reply), CLI_OK);
	ck_assert(kl_bytes_equal(reply, kl_bytes_str("a")));
	/* So short a wait is not worth a word. */
	ck_assert_str_eq(said.err, "");
}
END_TEST

START_TEST(refusal_is_said_and_its_code_is_known)
{
	struct kl_bytes reply;

	ANSWERS("{\"ok\":false,\"code\":\"ticket\",\"text\":\"Ask anew.\"}");
	ck_assert_int_eq(ask(&reply), CLI_FAILED);
	ck_assert_uint_eq(link_->code, KL_C_TICKET);
	ck_assert_uint_eq(reply.n, 0);
	ck_assert_str_eq(said.err, "prog: refused: ticket: Ask anew.\n");
}
END_TEST

START_TEST(refusal_that_the_asker_tells_is_not_said)
{
	struct kl_bytes reply;

	link_->quiet = KL_C_POLICY_UNKNOWN;
	ANSWERS("{\"ok\":false,\"code\":\"policy_unknown\",\"text\":\"t\"}");
	ck_assert_int_eq(ask(&reply), CLI_FAILED);
	ck_assert_uint_eq(link_->code, KL_C_POLICY_UNKNOWN);
	ck_assert_str_eq(said.err, "");
}
END_TEST

START_TEST(other_refusals_are_said_all_the_same)
{
	struct kl_bytes reply;

	link_->quiet = KL_C_POLICY_UNKNOWN;
	ANSWERS("{\"ok\":false,\"code\":\"role\",\"text\":\"t\"}");
	ck_assert_int_eq(ask(&reply), CLI_FAILED);
	ck_assert_str_eq(said.err, "prog: refused: role: t\n");
}
END_TEST

START_TEST(what_is_no_answer_is_refused)
{
	static const char *const bad[] = {
		"nothing", "[]", "{}", "{\"ok\":true}",
		"{\"ok\":true,\"body\":7}", "{\"ok\":true,\"body\":\"?\"}",
		"{\"ok\":true,\"body\":\"YWI\"}",
		"{\"ok\":false,\"code\":9,\"retry_after_ms\":-1}",
		"{\"ok\":false,\"retry_after_ms\":99999999999}",
	};
	struct kl_bytes reply;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		ANSWERS(bad[i]);
		ck_assert_msg(ask(&reply) == CLI_FAILED, "%zu", i);
		ck_assert_uint_eq(reply.n, 0);
		ck_assert_ptr_nonnull(strstr(said.err, "prog: "));
		ck_assert_int_eq(unlink(path.b), 0);
	}
}
END_TEST

START_TEST(answer_without_room_is_refused)
{
	struct kl_arena *small = kl_arena_new(4, 4);
	struct kl_bytes reply;

	ANSWERS("{\"ok\":true,\"body\":\"YWJjZGVmZ2hpamtsbW5v\"}");
	said_begin(&said);
	ck_assert_int_eq(audit_link_ask(link_, KL_LOG, kl_bytes_str("abc"),
	    small, &reply), CLI_FAILED);
	said_end(&said);
	kl_arena_free(small);
	ck_assert_uint_eq(reply.n, 0);
}
END_TEST

START_TEST(daemon_that_does_not_run_is_told)
{
	struct kl_bytes reply;

	ck_assert_int_eq(ask(&reply), CLI_NOT_RUNNING);
	ck_assert_ptr_nonnull(strstr(said.err, "the daemon is not running"));
	audit_link_close(NULL);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("audit_link");
	TCase *t = tcase_create("audit_link");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, packed_question_gets_the_packed_answer);
	tcase_add_test(t, empty_answer_is_an_answer);
	tcase_add_test(t, not_now_is_asked_again);
	tcase_add_test(t, refusal_is_said_and_its_code_is_known);
	tcase_add_test(t, refusal_that_the_asker_tells_is_not_said);
	tcase_add_test(t, other_refusals_are_said_all_the_same);
	tcase_add_test(t, what_is_no_answer_is_refused);
	tcase_add_test(t, answer_without_room_is_refused);
	tcase_add_test(t, daemon_that_does_not_run_is_told);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
