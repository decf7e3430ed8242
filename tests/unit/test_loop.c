#include <kortelijn/host/loop.h>

#include <check.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <unistd.h>

/* A source that counts, and does one thing when it is called. */
struct probe {
	struct kl_source src;
	struct kl_loop *loop;
	int64_t wait_ms;
	int calls;
	short revents;
	int stop_at;		  /* calls */
	struct kl_source *remove; /* at the first call */
	struct kl_source *add;
};

static int64_t
probe_prepare(void *arg)
{
	struct probe *p = arg;

	return p->wait_ms;
}

static void
probe_dispatch(void *arg, short revents)
{
	struct probe *p = arg;

	p->revents = revents;
	if (++p->calls == 1) {
		if (p->remove != NULL)
			kl_loop_remove(p->loop, p->remove);
		if (p->add != NULL)
			ck_assert_int_eq(kl_loop_add(p->loop, p->add), KL_OK);
	}
	if (p->calls == p->stop_at)
		kl_loop_stop(p->loop);
}

static void
probe_init(struct probe *p, struct kl_loop *l, int fd, int64_t wait_ms)
{
	*p = (struct probe){
		.src = { fd, POLLIN, probe_prepare, probe_dispatch, p },
		.loop = l,
		.wait_ms = wait_ms,
	};
}

static void
probe_add(struct probe *p)
{
	ck_assert_int_eq(kl_loop_add(p->loop, &p->src), KL_OK);
}

static void
readable(int fd[2])
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	ck_assert_int_eq(write(fd[1], "x", 1), 1);
}

START_TEST(run_dispatches_what_poll_found)
{
	struct kl_loop *l = kl_loop_new();
	struct probe p;
	int fd[2];

	readable(fd);
	probe_init(&p, l, fd[0], -1);
	p.src.prepare = NULL;
	p.stop_at = 1;
	probe_add(&p);
	ck_assert_int_eq(kl_loop_run(l), KL_OK);
	ck_assert_int_eq(p.revents, POLLIN);
	kl_loop_free(l);
	close(fd[0]);
	close(fd[1]);
}
END_TEST

START_TEST(run_dispatches_at_once_when_prepare_says_zero)
{
	struct kl_loop *l = kl_loop_new();
	struct probe p;

	probe_init(&p, l, -1, 0);
	p.stop_at = 3;
	probe_add(&p);
	ck_assert_int_eq(kl_loop_run(l), KL_OK);
	ck_assert_int_eq(p.calls, 3);
	ck_assert_int_eq(p.revents, 0);
	kl_loop_free(l);
}
END_TEST

START_TEST(run_waits_for_the_first_timer_and_never_for_minus_one)
{
	struct kl_loop *l = kl_loop_new();
	struct probe soon, never;
	int64_t start_ms = kl_mono_ms();

	probe_init(&soon, l, -1, 20);
	probe_init(&never, l, -1, -1);
	soon.stop_at = 1;
	probe_add(&never);
	probe_add(&soon);
	ck_assert_int_eq(kl_loop_run(l), KL_OK);
	ck_assert_int_ge(kl_mono_ms() - start_ms, 20);
	ck_assert_int_eq(never.calls, 0);
	kl_loop_free(l);
}
END_TEST

START_TEST(dispatch_may_remove_itself)
{
	struct kl_loop *l = kl_loop_new();
	struct probe once, p;

	probe_init(&once, l, -1, 0);
	once.remove = &once.src;
	probe_init(&p, l, -1, 0);
	p.stop_at = 3;
	probe_add(&once);
	probe_add(&p);
	ck_assert_int_eq(kl_loop_run(l), KL_OK);
	ck_assert_int_eq(once.calls, 1);
	kl_loop_free(l);
}
END_TEST

START_TEST(removed_source_is_not_called_in_the_same_turn)
{
	struct kl_loop *l = kl_loop_new();
	struct probe killer, victim;
	int fd[2];

	readable(fd);
	probe_init(&killer, l, fd[0], -1);
	probe_init(&victim, l, fd[0], 0);
	killer.remove = &victim.src;
	killer.stop_at = 2;
	probe_add(&killer);
	probe_add(&victim);
	ck_assert_int_eq(kl_loop_run(l), KL_OK);
	ck_assert_int_eq(victim.calls, 0);
	kl_loop_free(l);
	close(fd[0]);
	close(fd[1]);
}
END_TEST

/* The newcomer takes the slot of the victim, whose events are not its own. */
START_TEST(source_added_in_dispatch_waits_for_its_own_turn)
{
	struct kl_loop *l = kl_loop_new();
	struct probe p, victim, newcomer;
	int fd[2];

	readable(fd);
	probe_init(&newcomer, l, -1, -1);
	probe_init(&victim, l, fd[0], 0);
	probe_init(&p, l, fd[0], -1);
	p.remove = &victim.src;
	p.add = &newcomer.src;
	p.stop_at = 2;
	probe_add(&p);
	probe_add(&victim);
	ck_assert_int_eq(kl_loop_run(l), KL_OK);
	ck_assert_int_eq(victim.calls, 0);
	ck_assert_int_eq(newcomer.calls, 0);
	newcomer.wait_ms = 0;
	newcomer.stop_at = 1;
	ck_assert_int_eq(kl_loop_run(l), KL_OK);
	ck_assert_int_eq(newcomer.calls, 1);
	kl_loop_free(l);
	close(fd[0]);
	close(fd[1]);
}
END_TEST

static int64_t
swap_prepare(void *arg)
{
	struct probe *p = arg;

	if (p->calls++ == 0) {
		kl_loop_remove(p->loop, p->remove);
		ck_assert_int_eq(kl_loop_add(p->loop, p->add), KL_OK);
	}
	return -1;
}

/* It lands in a slot that this turn has passed: it must not wait for ever. */
START_TEST(source_added_in_prepare_gets_its_timer)
{
	struct kl_loop *l = kl_loop_new();
	struct probe first, swap, added;

	probe_init(&first, l, -1, 0);
	probe_init(&swap, l, -1, -1);
	probe_init(&added, l, -1, 0);
	swap.src.prepare = swap_prepare;
	swap.remove = &first.src;
	swap.add = &added.src;
	added.stop_at = 1;
	probe_add(&first);
	probe_add(&swap);
	ck_assert_int_eq(kl_loop_run(l), KL_OK);
	ck_assert_int_eq(first.calls, 0);
	ck_assert_int_eq(added.calls, 1);
	kl_loop_free(l);
}
END_TEST

START_TEST(add_answers_full_at_the_257th_source)
{
	struct kl_loop *l = kl_loop_new();
	static struct probe p[257];

	ck_assert_int_eq(kl_loop_catch_signals(l), KL_OK);
	for (int i = 0; i < 257; i++)
		probe_init(&p[i], l, -1, -1);
	for (int i = 0; i < 256; i++)
		probe_add(&p[i]);
	ck_assert_int_eq(kl_loop_add(l, &p[256].src), KL_E_FULL);
	kl_loop_remove(l, &p[7].src);
	kl_loop_remove(l, &p[7].src);
	probe_add(&p[256]);
	ck_assert_int_eq(kl_loop_add(l, &p[7].src), KL_E_FULL);
	kl_loop_free(l);
}
END_TEST

START_TEST(all_256_sources_are_called)
{
	struct kl_loop *l = kl_loop_new();
	static struct probe p[256];

	for (int i = 0; i < 256; i++) {
		probe_init(&p[i], l, -1, 0);
		probe_add(&p[i]);
	}
	p[255].stop_at = 2;
	ck_assert_int_eq(kl_loop_run(l), KL_OK);
	for (int i = 0; i < 256; i++)
		ck_assert_int_eq(p[i].calls, 2);
	kl_loop_free(l);
}
END_TEST

START_TEST(stop_before_run_counts_once)
{
	struct kl_loop *l = kl_loop_new();
	struct probe p;

	probe_init(&p, l, -1, 0);
	p.stop_at = 1;
	probe_add(&p);
	kl_loop_stop(l);
	ck_assert_int_eq(kl_loop_run(l), KL_OK);
	ck_assert_int_eq(p.calls, 0);
	ck_assert_int_eq(kl_loop_run(l), KL_OK);
	ck_assert_int_eq(p.calls, 1);
	kl_loop_free(l);
}
END_TEST

static void
signal_ends_run(int number)
{
	struct kl_loop *l = kl_loop_new();

	ck_assert_int_eq(kl_loop_catch_signals(l), KL_OK);
	ck_assert_int_eq(kl_loop_catch_signals(l), KL_OK);
	ck_assert_int_eq(kill(getpid(), number), 0);
	ck_assert_int_eq(kl_loop_run(l), KL_OK);
	kl_loop_free(l);
}

START_TEST(sigterm_ends_run)
{
	signal_ends_run(SIGTERM);
}
END_TEST

START_TEST(sigint_ends_run)
{
	signal_ends_run(SIGINT);
}
END_TEST

START_TEST(sigpipe_is_ignored_once_signals_are_caught)
{
	struct kl_loop *l = kl_loop_new();
	int fd[2];

	ck_assert_int_eq(kl_loop_catch_signals(l), KL_OK);
	ck_assert_int_eq(pipe(fd), 0);
	close(fd[0]);
	ck_assert_int_eq(write(fd[1], "x", 1), -1);
	close(fd[1]);
	kl_loop_free(l);
}
END_TEST

START_TEST(free_gives_the_signals_back)
{
	struct kl_loop *l = kl_loop_new();
	sigset_t now;

	ck_assert_int_eq(kl_loop_catch_signals(l), KL_OK);
	kl_loop_free(l);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, NULL, &now), 0);
	ck_assert_int_eq(sigismember(&now, SIGTERM), 0);
	kl_loop_free(NULL);
}
END_TEST

/* Answers the limit before: whoever ends the process may need descriptors. */
static rlim_t
files_max(rlim_t max)
{
	struct rlimit lim;
	rlim_t before;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &lim), 0);
	before = lim.rlim_cur;
	lim.rlim_cur = max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &lim), 0);
	return before;
}

START_TEST(catch_signals_answers_system_without_descriptors)
{
	struct kl_loop *l = kl_loop_new();
	rlim_t before = files_max(0);

	ck_assert_int_eq(kl_loop_catch_signals(l), KL_E_SYSTEM);
	files_max(before);
	kl_loop_free(l);
}
END_TEST

/* poll refuses more entries than the process may have descriptors. */
START_TEST(run_answers_system_when_poll_fails)
{
	struct kl_loop *l = kl_loop_new();
	struct probe p[4];
	rlim_t before;

	for (int i = 0; i < 4; i++) {
		probe_init(&p[i], l, -1, 0);
		probe_add(&p[i]);
	}
	before = files_max(3);
	ck_assert_int_eq(kl_loop_run(l), KL_E_SYSTEM);
	files_max(before);
	kl_loop_free(l);
}
END_TEST

START_TEST(boot_clock_is_not_behind_the_monotonic_one)
{
	const int64_t mono_ms = kl_mono_ms();

	ck_assert_int_gt(mono_ms, 0);
	ck_assert_int_ge(kl_boot_ms(), mono_ms);
}
END_TEST

START_TEST(unsynced_is_what_the_kernel_says)
{
	struct timex t = { .modes = 0 };
	const int r = adjtimex(&t);

	ck_assert(kl_clock_unsynced() == (r < 0 || r == TIME_ERROR ||
	    (t.status & STA_UNSYNC) != 0));
}
END_TEST

START_TEST(clock_adds_its_offset_and_mono_never_falls)
{
	struct kl_clock plain = { 0 }, ahead = { 86400000 };
	int64_t now_ms = kl_clock_now_ms(&plain), mono_ms = kl_mono_ms();

	ck_assert_int_ge(kl_clock_now_ms(&ahead) - now_ms, 86400000);
	ck_assert_int_ge(kl_mono_ms(), mono_ms);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("loop");
	TCase *t = tcase_create("loop");
	SRunner *sr;
	int failed;

	tcase_add_test(t, run_dispatches_what_poll_found);
	tcase_add_test(t, run_dispatches_at_once_when_prepare_says_zero);
	tcase_add_test(
	    t, run_waits_for_the_first_timer_and_never_for_minus_one);
	tcase_add_test(t, dispatch_may_remove_itself);
	tcase_add_test(t, removed_source_is_not_called_in_the_same_turn);
	tcase_add_test(t, source_added_in_dispatch_waits_for_its_own_turn);
	tcase_add_test(t, source_added_in_prepare_gets_its_timer);
	tcase_add_test(t, add_answers_full_at_the_257th_source);
	tcase_add_test(t, all_256_sources_are_called);
	tcase_add_test(t, stop_before_run_counts_once);
	tcase_add_test(t, sigterm_ends_run);
	tcase_add_test(t, sigint_ends_run);
	tcase_add_test(t, sigpipe_is_ignored_once_signals_are_caught);
	tcase_add_test(t, free_gives_the_signals_back);
	tcase_add_test(t, catch_signals_answers_system_without_descriptors);
	tcase_add_test(t, run_answers_system_when_poll_fails);
	tcase_add_test(t, boot_clock_is_not_behind_the_monotonic_one);
	tcase_add_test(t, unsynced_is_what_the_kernel_says);
	tcase_add_test(t, clock_adds_its_offset_and_mono_never_falls);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
