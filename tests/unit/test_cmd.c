/*
 * Commands of an adapter against a process that answers what the test says.
 */
#include "adapters/common/cmd.h"

#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/host/control.h>

#include "adapters/common/control.h"
#include "tests/support/tmpdir.h"

#define SAID_MAX 8192

static struct tmpdir dir;
static struct tmpdir_path conf;
static struct kl_loop *loop;
static struct kl_control *control;
static struct kl_source ender;
static atomic_bool end;
static pthread_t thread;

/* What it answers, one after the other, and what it was asked. */
static const char *const *answers;
static char asked[4][200];
static size_t n_asked;

static const struct cli_program program = {
	.name = "kortelijn-practice", .daemon = "the adapter",
};
static char said[SAID_MAX];

/* ---- the process that answers ---- */

static void
on_ask(void *arg, uint64_t ticket, struct kl_bytes q)
{
	(void)arg;
	ck_assert_uint_lt(n_asked, 4);
	ck_assert_uint_lt(q.n, sizeof asked[0]);
	memcpy(asked[n_asked], q.p, q.n);
	asked[n_asked][q.n] = '\0';
	kl_control_answer(control, ticket, kl_bytes_str(answers[n_asked++]));
}

static int64_t
ender_prepare(void *arg)
{
	(void)arg;
	if (atomic_load(&end))
		kl_loop_stop(loop);
	return 5;
}

static void
ender_dispatch(void *arg, short revents)
{
	(void)arg;
	(void)revents;
}

static void *
serve(void *arg)
{
	(void)arg;
	ck_assert_int_eq(kl_loop_run(loop), KL_OK);
	return NULL;
}

static void
setup(void)
{
	const struct kl_control_options o = {
		.question_max = sizeof asked[0] - 1, .idle_ms = 20000,
		.ask = on_ask,
	};
	FILE *f;

	dir = tmpdir_make();
	conf = tmpdir_file(&dir, "practice.conf");
	ck_assert_ptr_nonnull(f = fopen(conf.b, "w"));
	fprintf(f, "[adapter]\nrole = practice\nid = agb:01000001\n"
	    "name = De Es\ndata_dir = %s\nkey_dir = %s\n"
	    "broker = tcp://127.0.0.1:9\nrealm = training\n", dir.path,
	    dir.path);
	ck_assert_int_eq(fclose(f), 0);
	n_asked = 0;
	ck_assert_ptr_nonnull(loop = kl_loop_new());
	ck_assert_int_eq(kl_control_open(loop,
	    tmpdir_file(&dir, CONTROL_SOCKET).b, &o, &control), KL_OK);
	ender = (struct kl_source){ -1, 0, ender_prepare, ender_dispatch,
	    NULL };
	ck_assert_int_eq(kl_loop_add(loop, &ender), KL_OK);
	atomic_store(&end, false);
	ck_assert_int_eq(pthread_create(&thread, NULL, serve, NULL), 0);
}

static void
teardown(void)
{
	atomic_store(&end, true);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	kl_control_close(control);
	kl_loop_free(loop);
	tmpdir_remove(&dir);
}

/* ---- a command ---- */

/* What it says on standard output goes to `said`. */
static int
say(int (*run)(struct cli *c), bool json)
{
	struct cli c = {
		.program = &program, .json = json, .conf_path = conf.b,
	};
	int fd = open(tmpdir_file(&dir, "out").b, O_RDWR | O_CREAT | O_TRUNC,
	    0600), kept = dup(STDOUT_FILENO), r;
	ssize_t n;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fflush(stdout), 0);
	ck_assert_int_ge(dup2(fd, STDOUT_FILENO), 0);
	r = run(&c);
	ck_assert_int_eq(fflush(stdout), 0);
	ck_assert_int_ge(dup2(kept, STDOUT_FILENO), 0);
	n = pread(fd, said, sizeof said - 1, 0);
	ck_assert_int_ge(n, 0);
	said[n] = '\0';
	close(fd);
	close(kept);
	return r;
}

START_TEST(pages_of_a_list_are_one_list)
{
	static const char *const pages[] = {
		"{\"ok\":true,\"referrals\":[{\"referral_id\":\"a\"},"
		"{\"referral_id\":\"b\"}],\"next\":7}",
		"{\"ok\":true,\"referrals\":[{\"referral_id\":\"c\"}],"
		"\"next\":9}",
		"{\"ok\":true,\"referrals\":[]}",
	};
	json_t *o, *rows;

	answers = pages;
	ck_assert_int_eq(say(cmd_list, true), CLI_OK);
	ck_assert_uint_eq(n_asked, 3);
	ck_assert_str_eq(asked[0], "{\"cmd\":\"list\"}");
	ck_assert_ptr_nonnull(strstr(asked[1], "\"after\":7"));
	ck_assert_ptr_nonnull(strstr(asked[2], "\"after\":9"));
	ck_assert_ptr_nonnull(o = json_loads(said, 0, NULL));
	rows = json_object_get(o, "referrals");
	ck_assert_uint_eq(json_array_size(rows), 3);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(
	    rows, 2), "referral_id")), "c");
	ck_assert_ptr_null(json_object_get(o, "next"));
	json_decref(o);
}
END_TEST

START_TEST(list_without_its_last_page_is_none)
{
	static const char *const pages[] = {
		"{\"ok\":true,\"referrals\":[{\"referral_id\":\"a\"}],"
		"\"next\":7}",
		"{\"ok\":false,\"code\":\"try_later\",\"nl\":\"later\","
		"\"en\":\"later\"}",
	};

	answers = pages;
	ck_assert_int_eq(say(cmd_list, false), CLI_FAILED);
	ck_assert_uint_eq(n_asked, 2);
	ck_assert_str_eq(said, "");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cmd");
	TCase *t = tcase_create("cmd");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, pages_of_a_list_are_one_list);
	tcase_add_test(t, list_without_its_last_page_is_none);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
