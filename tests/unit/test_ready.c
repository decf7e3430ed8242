#include "broker/ready.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fd[2];
static struct kl_loop *loop;
static struct ready r;

static void
setup(void)
{
	ck_assert_int_eq(pipe2(fd, O_NONBLOCK | O_CLOEXEC), 0);
	loop = kl_loop_new();
	ck_assert_ptr_nonnull(loop);
}

static void
teardown(void)
{
	ready_stop(&r);
	kl_loop_free(loop);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

/* What was said since the last time. */
static ssize_t
heard(char *b, size_t n)
{
	ssize_t got = read(fd[0], b, n);

	return got < 0 ? 0 : got;
}

START_TEST(start_says_that_it_serves_once)
{
	char b[8];

	ck_assert_int_eq(ready_start(&r, loop, fd[1]), KL_OK);
	ck_assert_int_eq(heard(b, sizeof b), 1);
	ck_assert_int_eq(b[0], READY_SERVES);
	ck_assert_int_gt(r.beat.prepare(r.beat.arg), 0);
	ck_assert_int_le(r.beat.prepare(r.beat.arg), READY_BEAT_MS);
}
END_TEST

static void
stop(void *arg, short revents)
{
	(void)revents;
	kl_loop_stop(arg);
}

static int64_t
at_once(void *arg)
{
	char b[8];

	(void)arg;
	return heard(b, sizeof b) > 0 && b[0] == READY_ALIVE ? 0 : 10;
}

START_TEST(loop_that_turns_says_alive)
{
	struct kl_source watch = { .fd = -1, .prepare = at_once,
		.dispatch = stop, .arg = loop };
	char b[8];

	ck_assert_int_eq(ready_start(&r, loop, fd[1]), KL_OK);
	(void)heard(b, sizeof b);
	r.due_ms = kl_mono_ms() - 1;
	ck_assert_int_eq(r.beat.prepare(r.beat.arg), 0);
	ck_assert_int_eq(kl_loop_add(loop, &watch), KL_OK);
	r.beat.dispatch(r.beat.arg, 0);
	ck_assert_int_eq(kl_loop_run(loop), KL_OK);
	kl_loop_remove(loop, &watch);
	ck_assert_int_gt(r.due_ms, kl_mono_ms());
}
END_TEST

START_TEST(full_pipe_does_not_stop_it)
{
	char b[4096] = { 0 };

	while (write(fd[1], b, sizeof b) > 0)
		;
	ck_assert_int_eq(ready_start(&r, loop, fd[1]), KL_OK);
	r.beat.dispatch(r.beat.arg, 0);
}
END_TEST

START_TEST(full_loop_is_told)
{
	static struct kl_source many[256];
	int err = KL_OK;

	for (size_t i = 0; i < 256 && err == KL_OK; i++) {
		many[i] = (struct kl_source){ .fd = -1, .dispatch = stop };
		err = kl_loop_add(loop, &many[i]);
	}
	ck_assert_int_eq(err, KL_OK);
	ck_assert_int_eq(ready_start(&r, loop, fd[1]), KL_E_FULL);
}
END_TEST

START_TEST(stop_is_harmless_twice)
{
	ck_assert_int_eq(ready_start(&r, loop, fd[1]), KL_OK);
	ready_stop(&r);
	ready_stop(&r);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ready");
	TCase *tc = tcase_create("ready");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, start_says_that_it_serves_once);
	tcase_add_test(tc, loop_that_turns_says_alive);
	tcase_add_test(tc, full_pipe_does_not_stop_it);
	tcase_add_test(tc, full_loop_is_told);
	tcase_add_test(tc, stop_is_harmless_twice);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
