#include <kortelijn/host/control.h>

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <tests/support/tmpdir.h>

#define WAIT_MS 20000

static struct tmpdir dir;
static struct tmpdir_path path;
static struct kl_loop *loop;
static struct kl_control *control;

/* What the answering side does and saw. */
static struct {
	bool hold;		/* answer nobody yet */
	uint64_t ticket[64];
	size_t n;
	char last[512];
	size_t gone;
	const char *answer;	/* NULL: the question */
	size_t stop_at;		/* questions */
	bool stop_when_gone;
} seen;

static void
on_ask(void *arg, uint64_t ticket, struct kl_bytes q)
{
	ck_assert_ptr_eq(arg, &seen);
	ck_assert_uint_lt(q.n, sizeof seen.last);
	memcpy(seen.last, q.p, q.n);
	seen.last[q.n] = '\0';
	ck_assert_uint_eq(kl_control_uid(control, ticket), geteuid());
	ck_assert_uint_eq(kl_control_uid(control, ticket + 1), (uid_t)-1);
	seen.ticket[seen.n++] = ticket;
	if (!seen.hold)
		kl_control_answer(control, ticket, seen.answer == NULL ? q :
		    kl_bytes_str(seen.answer));
	if (seen.n == seen.stop_at)
		kl_loop_stop(loop);
}

static void
on_gone(void *arg, uint64_t ticket)
{
	ck_assert_ptr_eq(arg, &seen);
	ck_assert_uint_eq(ticket, seen.ticket[seen.n - 1]);
	seen.gone++;
	if (seen.stop_when_gone)
		kl_loop_stop(loop);
}

static struct kl_control_options
usual(void)
{
	return (struct kl_control_options){
		.question_max = 400, .idle_ms = WAIT_MS, .ask = on_ask,
		.gone = on_gone, .arg = &seen,
	};
}

static void
setup(void)
{
	const struct kl_control_options o = usual();

	memset(&seen, 0, sizeof seen);
	dir = tmpdir_make();
	path = tmpdir_file(&dir, "control.sock");
	ck_assert_ptr_nonnull(loop = kl_loop_new());
	ck_assert_int_eq(kl_control_open(loop, path.b, &o, &control), KL_OK);
}

static void
teardown(void)
{
	kl_control_close(control);
	control = NULL;
	kl_loop_free(loop);
	tmpdir_remove(&dir);
}

static int
dial(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const struct timeval wait = { .tv_sec = WAIT_MS / 1000 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait,
	    sizeof wait), 0);
	memcpy(to.sun_path, path.b, strlen(path.b));
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&to, sizeof to),
	    0);
	return fd;
}

/* Ends the loop after some turns; without a number it fails the test when
 * nothing else ends the loop in time. */
struct stopper {
	struct kl_source src;
	int64_t until_ms;
	int turns;
	bool count;
};

static int64_t
stopper_prepare(void *arg)
{
	struct stopper *s = arg;

	if (!s->count)
		return s->until_ms - kl_mono_ms();
	if (--s->turns <= 0)
		kl_loop_stop(loop);
	return s->turns > 0 ? 2 : 0;
}

static void
stopper_dispatch(void *arg, short revents)
{
	struct stopper *s = arg;

	(void)revents;
	ck_assert_msg(s->count || kl_mono_ms() < s->until_ms,
	    "nothing happened");
}

static void
run(int turns)
{
	struct stopper s = {
		.src = { -1, 0, stopper_prepare, stopper_dispatch, &s },
		.until_ms = kl_mono_ms() + WAIT_MS, .turns = turns,
		.count = turns > 0,
	};

	ck_assert_int_eq(kl_loop_add(loop, &s.src), KL_OK);
	ck_assert_int_eq(kl_loop_run(loop), KL_OK);
	kl_loop_remove(loop, &s.src);
}

struct asking {
	const char *question;
	int64_t wait_ms;
	int r;
	char *answer;
	size_t n;
	atomic_bool done;
};

static void *
ask_thread(void *arg)
{
	struct asking *a = arg;

	a->r = kl_control_ask(path.b, kl_bytes_str(a->question), a->wait_ms,
	    &a->answer, &a->n);
	atomic_store(&a->done, true);
	return NULL;
}

/* Asks from another thread, as another process would. */
static void
ask(struct asking *a, const char *question, int64_t wait_ms)
{
	pthread_t t;

	memset(a, 0, sizeof *a);
	a->question = question;
	a->wait_ms = wait_ms;
	ck_assert_int_eq(pthread_create(&t, NULL, ask_thread, a), 0);
	while (!atomic_load(&a->done))
		run(2);
	ck_assert_int_eq(pthread_join(t, NULL), 0);
}

START_TEST(question_gets_its_answer)
{
	struct asking a;

	seen.answer = "{\"ok\":true}";
	ask(&a, "{\"cmd\":\"status\"}", WAIT_MS);
	ck_assert_int_eq(a.r, KL_OK);
	ck_assert_str_eq(seen.last, "{\"cmd\":\"status\"}");
	ck_assert_str_eq(a.answer, "{\"ok\":true}");
	ck_assert_uint_eq(a.n, 11);
	ck_assert_uint_eq(seen.gone, 0);
	free(a.answer);
}
END_TEST

START_TEST(answer_larger_than_a_socket_buffer_arrives_whole)
{
	const size_t n = 3 << 20;
	char *big = malloc(n + 1);
	struct asking a;

	ck_assert_ptr_nonnull(big);
	memset(big, 'x', n);
	big[n] = '\0';
	seen.answer = big;
	ask(&a, "all", WAIT_MS);
	ck_assert_int_eq(a.r, KL_OK);
	ck_assert_uint_eq(a.n, n);
	ck_assert_str_eq(a.answer, big);
	free(a.answer);
	free(big);
}
END_TEST

START_TEST(question_in_pieces_is_put_together)
{
	int fd = dial();
	char got[16] = "";

	ck_assert_int_eq(send(fd, "he", 2, 0), 2);
	run(3);
	ck_assert_uint_eq(seen.n, 0);
	ck_assert_int_eq(send(fd, "llo\n", 4, 0), 4);
	seen.stop_at = 1;
	run(0);
	ck_assert_str_eq(seen.last, "hello");
	run(3);
	ck_assert_int_eq(recv(fd, got, sizeof got - 1, MSG_WAITALL), 6);
	ck_assert_str_eq(got, "hello\n");
	close(fd);
}
END_TEST

START_TEST(one_that_waits_does_not_hold_up_others)
{
	int slow = dial(), quick = dial(), silent = dial();
	char got[16] = "";

	seen.hold = true;
	seen.stop_at = 1;
	ck_assert_int_eq(send(slow, "wait\n", 5, 0), 5);
	run(0);
	seen.hold = false;
	seen.stop_at = 2;
	ck_assert_int_eq(send(quick, "quick\n", 6, 0), 6);
	run(0);
	run(3);
	ck_assert_int_eq(recv(quick, got, 6, MSG_WAITALL), 6);
	ck_assert_str_eq(got, "quick\n");
	kl_control_answer(control, seen.ticket[0], kl_bytes_str("late!"));
	run(3);
	ck_assert_int_eq(recv(slow, got, 6, MSG_WAITALL), 6);
	ck_assert_str_eq(got, "late!\n");
	close(slow);
	close(quick);
	close(silent);
}
END_TEST

START_TEST(asker_that_half_closes_still_gets_its_answer)
{
	int fd = dial();
	char got[16] = "";

	seen.hold = true;
	seen.stop_at = 1;
	ck_assert_int_eq(send(fd, "q\n", 2, 0), 2);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	run(0);
	run(3);
	ck_assert_uint_eq(seen.gone, 0);
	kl_control_answer(control, seen.ticket[0], kl_bytes_str("a"));
	run(3);
	ck_assert_int_eq(recv(fd, got, 2, MSG_WAITALL), 2);
	ck_assert_str_eq(got, "a\n");
	close(fd);
}
END_TEST

START_TEST(asker_that_goes_away_is_told_and_forgotten)
{
	int fd = dial();

	seen.hold = true;
	seen.stop_at = 1;
	ck_assert_int_eq(send(fd, "q\n", 2, 0), 2);
	run(0);
	close(fd);
	seen.stop_when_gone = true;
	run(0);
	ck_assert_uint_eq(seen.gone, 1);
	/* Its ticket means nothing any more. */
	kl_control_answer(control, seen.ticket[0], kl_bytes_str("a"));
	run(3);
}
END_TEST

/* Reads till the other side ends the connection. */
static void
expect_end(int fd)
{
	char got[16];

	ck_assert_int_le(recv(fd, got, sizeof got, 0), 0);
	close(fd);
}

START_TEST(question_above_the_limit_ends_its_connection)
{
	char big[500];
	int fd = dial();

	memset(big, 'x', sizeof big);
	big[400] = '\n';
	ck_assert_int_eq(send(fd, big, 401, 0), 401);
	seen.stop_at = 1;
	run(0);
	ck_assert_uint_eq(strlen(seen.last), 400);
	close(fd);
	fd = dial();
	memset(big, 'x', sizeof big);
	ck_assert_int_eq(send(fd, big, sizeof big, 0), sizeof big);
	run(10);
	expect_end(fd);
	ck_assert_uint_eq(seen.n, 1);
}
END_TEST

START_TEST(slow_asker_is_closed)
{
	struct kl_control_options o = usual();
	int fd;

	kl_control_close(control);
	o.idle_ms = 1;
	ck_assert_int_eq(kl_control_open(loop, path.b, &o, &control), KL_OK);
	fd = dial();
	ck_assert_int_eq(send(fd, "never ends", 10, 0), 10);
	run(20);
	expect_end(fd);
}
END_TEST

START_TEST(more_askers_than_places_wait_their_turn)
{
	int fd[KL_CONTROL_ASKERS + 1];
	char got[2];

	for (size_t i = 0; i < KL_CONTROL_ASKERS; i++) {
		fd[i] = dial();
		run(3);
	}
	fd[KL_CONTROL_ASKERS] = dial();
	ck_assert_int_eq(send(fd[KL_CONTROL_ASKERS], "q\n", 2, 0), 2);
	run(5);
	ck_assert_uint_eq(seen.n, 0);
	close(fd[0]);
	seen.stop_at = 1;
	run(0);
	run(3);
	ck_assert_int_eq(recv(fd[KL_CONTROL_ASKERS], got, 2, MSG_WAITALL), 2);
	for (size_t i = 1; i <= KL_CONTROL_ASKERS; i++)
		close(fd[i]);
}
END_TEST

START_TEST(full_queue_is_waited_for_but_not_for_ever)
{
	int fd[17];		/* what the queue holds */
	struct asking a;
	char *answer;
	size_t n;

	for (size_t i = 0; i < 17; i++)
		fd[i] = dial();
	ck_assert_int_eq(kl_control_ask(path.b, kl_bytes_str("q"), 50,
	    &answer, &n), KL_E_AGAIN);
	ck_assert_ptr_null(answer);
	ck_assert(kl_control_listens(path.b));
	ask(&a, "q", WAIT_MS);
	ck_assert_int_eq(a.r, KL_OK);
	ck_assert_str_eq(a.answer, "q");
	free(a.answer);
	for (size_t i = 0; i < 17; i++)
		close(fd[i]);
}
END_TEST

START_TEST(socket_is_for_its_user_only)
{
	struct kl_control_options o = usual();
	struct stat st;

	ck_assert_int_eq(stat(path.b, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	kl_control_close(control);
	o.group = true;
	ck_assert_int_eq(kl_control_open(loop, path.b, &o, &control), KL_OK);
	ck_assert_int_eq(stat(path.b, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0660);
}
END_TEST

START_TEST(socket_of_a_dead_process_is_replaced)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct kl_control_options o = usual();
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	kl_control_close(control);
	control = NULL;
	ck_assert_int_ne(access(path.b, F_OK), 0);
	memcpy(at.sun_path, path.b, strlen(path.b));
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
	close(fd);
	ck_assert(!kl_control_listens(path.b));
	ck_assert_int_eq(kl_control_open(loop, path.b, &o, &control), KL_OK);
	ck_assert(kl_control_listens(path.b));
}
END_TEST

START_TEST(file_in_the_way_is_left_alone)
{
	const struct tmpdir_path other = tmpdir_file(&dir, "file");
	struct kl_control_options o = usual();
	struct kl_control *c;
	FILE *f = fopen(other.b, "w");

	ck_assert_ptr_nonnull(f);
	fclose(f);
	ck_assert_int_eq(kl_control_open(loop, other.b, &o, &c), KL_E_EXISTS);
	ck_assert_ptr_null(c);
	ck_assert_int_eq(access(other.b, F_OK), 0);
}
END_TEST

START_TEST(path_that_cannot_be_is_named)
{
	struct kl_control_options o = usual();
	struct kl_control *c;
	char big[200], *answer;
	size_t n;

	memset(big, 'x', sizeof big);
	big[0] = '/';
	big[sizeof big - 1] = '\0';
	ck_assert_int_eq(kl_control_open(loop, big, &o, &c), KL_E_SIZE);
	ck_assert_int_eq(kl_control_ask(big, kl_bytes_str("q"), WAIT_MS,
	    &answer, &n), KL_E_SIZE);
	ck_assert_int_eq(kl_control_open(loop, tmpdir_file(&dir, "no/sock").b,
	    &o, &c), KL_E_IO);
}
END_TEST

START_TEST(full_loop_is_an_error)
{
	static struct kl_source filler[256];
	struct kl_control_options o = usual();
	struct kl_control *c;

	for (size_t i = 0; i < 255; i++) {
		filler[i].fd = -1;
		ck_assert_int_eq(kl_loop_add(loop, &filler[i]), KL_OK);
	}
	ck_assert_int_eq(kl_control_open(loop, tmpdir_file(&dir, "two").b, &o,
	    &c), KL_E_FULL);
	ck_assert_int_ne(access(tmpdir_file(&dir, "two").b, F_OK), 0);
	for (size_t i = 0; i < 255; i++)
		kl_loop_remove(loop, &filler[i]);
}
END_TEST

START_TEST(nobody_listens)
{
	char *answer;
	size_t n;

	ck_assert_int_eq(kl_control_ask(tmpdir_file(&dir, "none").b,
	    kl_bytes_str("q"), WAIT_MS, &answer, &n), KL_E_NOT_FOUND);
	ck_assert_ptr_null(answer);
}
END_TEST

START_TEST(answer_that_does_not_come_is_not_waited_for)
{
	struct asking a;

	seen.hold = true;
	ask(&a, "q", 50);
	ck_assert_int_eq(a.r, KL_E_AGAIN);
	ck_assert_ptr_null(a.answer);
}
END_TEST

START_TEST(answer_that_is_cut_short_is_an_error)
{
	struct asking a;
	char *big = calloc(1, KL_CONTROL_ANSWER_MAX + 1);

	ck_assert_ptr_nonnull(big);
	memset(big, 'x', KL_CONTROL_ANSWER_MAX);
	seen.answer = big;
	ask(&a, "q", WAIT_MS);
	ck_assert_int_eq(a.r, KL_E_IO);
	ck_assert_ptr_null(a.answer);
	free(big);
}
END_TEST

START_TEST(socket_of_another_user_is_denied)
{
	char *answer;
	size_t n;

	if (geteuid() == 0)
		return;		/* root may ask everybody */
	ck_assert_int_eq(chmod(path.b, 0), 0);
	ck_assert_int_eq(kl_control_ask(path.b, kl_bytes_str("q"), WAIT_MS,
	    &answer, &n), KL_E_DENIED);
	ck_assert(kl_control_listens(path.b));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("control");
	TCase *t = tcase_create("control");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, question_gets_its_answer);
	tcase_add_test(t, answer_larger_than_a_socket_buffer_arrives_whole);
	tcase_add_test(t, question_in_pieces_is_put_together);
	tcase_add_test(t, one_that_waits_does_not_hold_up_others);
	tcase_add_test(t, asker_that_half_closes_still_gets_its_answer);
	tcase_add_test(t, asker_that_goes_away_is_told_and_forgotten);
	tcase_add_test(t, question_above_the_limit_ends_its_connection);
	tcase_add_test(t, slow_asker_is_closed);
	tcase_add_test(t, more_askers_than_places_wait_their_turn);
	tcase_add_test(t, full_queue_is_waited_for_but_not_for_ever);
	tcase_add_test(t, socket_is_for_its_user_only);
	tcase_add_test(t, socket_of_a_dead_process_is_replaced);
	tcase_add_test(t, file_in_the_way_is_left_alone);
	tcase_add_test(t, path_that_cannot_be_is_named);
	tcase_add_test(t, full_loop_is_an_error);
	tcase_add_test(t, nobody_listens);
	tcase_add_test(t, answer_that_does_not_come_is_not_waited_for);
	tcase_add_test(t, answer_that_is_cut_short_is_an_error);
	tcase_add_test(t, socket_of_another_user_is_denied);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
