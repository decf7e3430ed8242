#include <kortelijn/host/log.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/crypto/secret.h>

static char line[4096];

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	kl_log_init("tester", KL_LOG_INFO, false);
}

static void
teardown(void)
{
}

static int pipe_fd[2];
static int kept;

static void
catch_start(void)
{
	ck_assert_int_eq(pipe(pipe_fd), 0);
	ck_assert_int_ge(kept = dup(STDERR_FILENO), 0);
	ck_assert_int_ge(dup2(pipe_fd[1], STDERR_FILENO), 0);
	ck_assert_int_eq(close(pipe_fd[1]), 0);
}

/* What was written meanwhile stands in `line`. */
static void
catch_end(void)
{
	ssize_t n;

	ck_assert_int_ge(dup2(kept, STDERR_FILENO), 0);
	ck_assert_int_eq(close(kept), 0);
	n = read(pipe_fd[0], line, sizeof line - 1);
	ck_assert_int_ge(n, 0);
	line[n] = '\0';
	ck_assert_int_eq(close(pipe_fd[0]), 0);
}

static void
assert_end(const char *want)
{
	size_t n = strlen(line), m = strlen(want);

	ck_assert_uint_gt(n, m);
	ck_assert_str_eq(line + n - m, want);
}

START_TEST(text_line_has_time_program_level_event_and_fields)
{
	struct kl_id id;

	ck_assert_int_eq(kl_id_read("agb:01234567", &id), KL_OK);
	catch_start();
	kl_logf(KL_LOG_WARN, "refused", kl_log_num("code", -3),
	    kl_log_word("why", "no such card"), kl_log_org("from", &id));
	catch_end();
	ck_assert_uint_eq(strcspn(line, " "), 24);
	assert_end(" tester warn refused code=-3 why=\"no such card\" "
	    "from=\"agb:01234567\"\n");
}
END_TEST

START_TEST(json_line_is_one_object)
{
	kl_log_init("tester", KL_LOG_INFO, true);
	catch_start();
	kl_logf(KL_LOG_ERROR, "store_failed", kl_log_num("errno", 5),
	    kl_log_word("where", "a\"b\\c\nd"));
	catch_end();
	ck_assert_int_eq(strncmp(line, "{\"time\":\"", 9), 0);
	assert_end("Z\",\"program\":\"tester\",\"level\":\"error\","
	    "\"event\":\"store_failed\",\"errno\":5,"
	    "\"where\":\"a?b?c?d\"}\n");
}
END_TEST

START_TEST(lines_above_the_level_are_dropped)
{
	catch_start();
	kl_logf(KL_LOG_DEBUG, "detail", kl_log_num("n", 1));
	catch_end();
	ck_assert_str_eq(line, "");
	kl_log_init("tester", KL_LOG_DEBUG, false);
	catch_start();
	kl_logf(KL_LOG_DEBUG, "detail", kl_log_num("n", 1));
	catch_end();
	assert_end(" debug detail n=1\n");
}
END_TEST

START_TEST(event_without_fields_is_a_line)
{
	const struct kl_log_field end = kl_log_end();

	catch_start();
	kl_log(KL_LOG_INFO, "stopped", &end);
	catch_end();
	assert_end(" info stopped\n");
}
END_TEST

START_TEST(tag_hides_the_id_and_stays_the_same)
{
	const uint8_t id[16] = "canary-canary-1", other[16] = { 1 };
	char first[4096];

	catch_start();
	kl_logf(KL_LOG_INFO, "accepted", kl_log_tag("msg", id));
	catch_end();
	ck_assert_ptr_null(strstr(line, "canary"));
	ck_assert_ptr_null(strstr(line, "63616e61"));
	ck_assert_ptr_nonnull(strstr(line, " msg=\""));
	memcpy(first, strstr(line, " msg="), strlen(strstr(line, " msg=")) + 1);
	ck_assert_uint_eq(strlen(first), strlen(" msg=\"01234567\"\n"));
	catch_start();
	kl_logf(KL_LOG_INFO, "accepted", kl_log_tag("msg", id));
	catch_end();
	assert_end(first);
	catch_start();
	kl_logf(KL_LOG_INFO, "accepted", kl_log_tag("msg", other));
	catch_end();
	ck_assert_str_ne(strstr(line, " msg="), first);
}
END_TEST

START_TEST(bytes_that_are_no_id_are_not_printed)
{
	struct kl_id id;

	memset(&id, 'x', sizeof id);
	catch_start();
	kl_logf(KL_LOG_INFO, "hello", kl_log_org("from", &id));
	catch_end();
	assert_end(" info hello from=\"none\"\n");
}
END_TEST

START_TEST(long_line_leaves_fields_out_and_stays_whole)
{
	static const char word[] = "0123456789012345678901234567890123456789"
	    "0123456789012345678901234567890123456789012345678901234567890123";
	struct kl_log_field f[20];

	for (size_t i = 0; i < 19; i++)
		f[i] = kl_log_word("word", word);
	f[19] = kl_log_end();
	kl_log_init("tester", KL_LOG_INFO, true);
	catch_start();
	kl_log(KL_LOG_INFO, "long", f);
	catch_end();
	ck_assert_uint_gt(strlen(line), 800);
	ck_assert_uint_le(strlen(line), 1024);
	assert_end("0123\"}\n");
}
END_TEST

static Suite *
log_suite(void)
{
	Suite *s = suite_create("log");
	TCase *tc = tcase_create("log");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
	    text_line_has_time_program_level_event_and_fields);
	tcase_add_test(tc, json_line_is_one_object);
	tcase_add_test(tc, lines_above_the_level_are_dropped);
	tcase_add_test(tc, event_without_fields_is_a_line);
	tcase_add_test(tc, tag_hides_the_id_and_stays_the_same);
	tcase_add_test(tc, bytes_that_are_no_id_are_not_printed);
	tcase_add_test(tc, long_line_leaves_fields_out_and_stays_whole);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *sr = srunner_create(log_suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
