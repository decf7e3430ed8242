#include <kortelijn/host/trace.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <tests/support/tmpdir.h>

static struct tmpdir dir;
static struct tmpdir_path path;
static struct kl_trace *trace;
static char text[4096];

static void
setup(void)
{
	dir = tmpdir_make();
	path = tmpdir_file(&dir, "trace");
	ck_assert_int_eq(kl_trace_open(path.b, &trace), KL_OK);
}

static void
teardown(void)
{
	kl_trace_close(trace);
	tmpdir_remove(&dir);
}

static const char *
content(void)
{
	FILE *f = fopen(path.b, "rb");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, sizeof text - 1, f);
	text[n] = '\0';
	ck_assert_int_eq(fclose(f), 0);
	return text;
}

START_TEST(line_names_ids_and_leaf)
{
	const struct kl_msg_id msg = { { 0xab } };
	const struct kl_conv_id conv = { { 0xcd } };

	kl_trace(trace, &(struct kl_trace_line){ .at_ms = 7,
	    .event = "accepted", .msg = &msg, .conv = &conv,
	    .has_leaf = true, .leaf = 3 });
	kl_trace_flush(trace);
	ck_assert_str_eq(content(), "{\"t\":7,\"ev\":\"accepted\","
	    "\"msg\":\"ab000000000000000000000000000000\","
	    "\"conv\":\"cd000000000000000000000000000000\",\"leaf\":3}\n");
}
END_TEST

START_TEST(longest_line_is_whole)
{
	struct kl_msg_id msg;
	struct kl_conv_id conv;
	struct kl_hash body;
	size_t n;

	memset(&msg, 0xff, sizeof msg);
	memset(&conv, 0xff, sizeof conv);
	memset(&body, 0xff, sizeof body);
	kl_trace(trace, &(struct kl_trace_line){ .at_ms = INT64_MIN,
	    .event = "abcdefghijklmnopqrstuvwxyzabcdefghij", .msg = &msg,
	    .conv = &conv, .body = &body, .has_leaf = true,
	    .leaf = UINT64_MAX });
	kl_trace_flush(trace);
	n = strlen(content());
	ck_assert_uint_gt(n, 200);
	ck_assert_str_eq(text + n - 4, "f\"}\n");
}
END_TEST

START_TEST(undone_turn_leaves_no_line)
{
	kl_trace(trace, &(struct kl_trace_line){ .event = "sealed" });
	kl_trace_drop(trace);
	kl_trace_flush(trace);
	ck_assert_str_eq(content(), "");
}
END_TEST

START_TEST(lines_wait_for_the_commit)
{
	for (int i = 0; i < 100; i++)
		kl_trace(trace, &(struct kl_trace_line){ .event = "x" });
	ck_assert_str_eq(content(), "");
	kl_trace_flush(trace);
	ck_assert_uint_eq(strlen(content()), 100 * strlen(
	    "{\"t\":0,\"ev\":\"x\"}\n"));
}
END_TEST

START_TEST(file_is_private_and_grows)
{
	struct stat st;

	kl_trace(trace, &(struct kl_trace_line){ .event = "a" });
	kl_trace_flush(trace);
	kl_trace_close(trace);
	ck_assert_int_eq(kl_trace_open(path.b, &trace), KL_OK);
	kl_trace(trace, &(struct kl_trace_line){ .event = "b" });
	kl_trace_flush(trace);
	ck_assert_str_eq(content(), "{\"t\":0,\"ev\":\"a\"}\n"
	    "{\"t\":0,\"ev\":\"b\"}\n");
	ck_assert_int_eq(stat(path.b, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(no_trace_is_no_error)
{
	struct kl_trace *none;

	kl_trace(NULL, &(struct kl_trace_line){ .event = "x" });
	kl_trace_flush(NULL);
	kl_trace_drop(NULL);
	kl_trace_close(NULL);
	ck_assert_int_eq(kl_trace_open("/nonexistent/trace", &none), KL_E_IO);
	ck_assert_ptr_null(none);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("trace");
	TCase *t = tcase_create("trace");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, line_names_ids_and_leaf);
	tcase_add_test(t, longest_line_is_whole);
	tcase_add_test(t, undone_turn_leaves_no_line);
	tcase_add_test(t, lines_wait_for_the_commit);
	tcase_add_test(t, file_is_private_and_grows);
	tcase_add_test(t, no_trace_is_no_error);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
