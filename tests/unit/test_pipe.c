#include "broker/pipe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int fd[2];
static uint8_t buf[PIPE_MSG_MAX];

static void
setup(void)
{
	ck_assert_int_eq(pipe_pair(fd), KL_OK);
}

static void
teardown(void)
{
	(void)close(fd[0]);
	(void)close(fd[1]);
}

static struct pipe_msg
request(void)
{
	struct pipe_msg m = { .type = PIPE_REQUEST, .generation = 7, .n = 2 };

	m.route.n = 5;
	memcpy(m.route.b, "route", 5);
	memset(m.peer.b, 9, sizeof m.peer.b);
	m.frame[0] = kl_bytes_str("first");
	m.frame[1] = kl_bytes_str("second");
	return m;
}

static int
receive(struct pipe_msg *out)
{
	return pipe_recv(fd[1], buf, sizeof buf, out);
}

/* ---- one message ---- */

START_TEST(message_arrives_as_it_was_sent)
{
	struct pipe_msg m = request(), got;

	ck_assert_int_eq(pipe_send(fd[0], &m), KL_OK);
	ck_assert_int_eq(receive(&got), KL_OK);
	ck_assert_int_eq(got.type, PIPE_REQUEST);
	ck_assert_uint_eq(got.generation, 7);
	ck_assert_uint_eq(got.route.n, 5);
	ck_assert_mem_eq(got.route.b, "route", 5);
	ck_assert_mem_eq(got.peer.b, m.peer.b, sizeof m.peer.b);
	ck_assert_uint_eq(got.n, 2);
	ck_assert(kl_bytes_equal(got.frame[0], m.frame[0]));
	ck_assert(kl_bytes_equal(got.frame[1], m.frame[1]));
	ck_assert_int_eq(receive(&got), KL_E_EMPTY);
}
END_TEST

START_TEST(largest_message_passes)
{
	static uint8_t full[KL_LINK_MAX];
	struct pipe_msg m = request(), got;

	m.n = KL_LINK_FRAMES_MAX;
	m.route.n = sizeof m.route.b;
	for (size_t i = 0; i < m.n; i++)
		m.frame[i] = kl_bytes(full, sizeof full);
	ck_assert_int_eq(pipe_send(fd[0], &m), KL_OK);
	ck_assert_int_eq(receive(&got), KL_OK);
	ck_assert_uint_eq(got.frame[5].n, sizeof full);
}
END_TEST

START_TEST(message_above_its_limits_is_not_sent)
{
	static uint8_t full[KL_LINK_MAX + 1];
	struct pipe_msg m = request(), got;

	m.frame[1] = kl_bytes(full, sizeof full);
	ck_assert_int_eq(pipe_send(fd[0], &m), KL_E_SIZE);
	m = request();
	m.n = KL_LINK_FRAMES_MAX + 1;
	ck_assert_int_eq(pipe_send(fd[0], &m), KL_E_SIZE);
	m = request();
	m.route.n = sizeof m.route.b + 1;
	ck_assert_int_eq(pipe_send(fd[0], &m), KL_E_SIZE);
	ck_assert_int_eq(receive(&got), KL_E_EMPTY);
}
END_TEST

START_TEST(other_end_that_is_gone_is_told)
{
	struct pipe_msg m = request(), got;

	(void)close(fd[1]);
	ck_assert_int_eq(pipe_send(fd[0], &m), KL_E_IO);
	ck_assert_int_eq(pipe_recv(fd[0], buf, sizeof buf, &got), KL_E_IO);
	fd[1] = -1;
}
END_TEST

START_TEST(descriptor_that_is_none_is_told)
{
	struct pipe_msg m = request(), got;

	ck_assert_int_eq(pipe_send(-1, &m), KL_E_IO);
	ck_assert_int_eq(pipe_recv(-1, buf, sizeof buf, &got), KL_E_IO);
}
END_TEST

START_TEST(full_pair_says_again_and_loses_nothing)
{
	struct pipe_msg m = request(), got;
	int sent = 0, n = 0, r;

	while ((r = pipe_send(fd[0], &m)) == KL_OK)
		sent++;
	ck_assert_int_eq(r, KL_E_AGAIN);
	while ((r = receive(&got)) == KL_OK)
		n++;
	ck_assert_int_eq(r, KL_E_EMPTY);
	ck_assert_int_eq(n, sent);
}
END_TEST

/* ---- what a captured edge may write ---- */

static int
raw(const void *p, size_t n)
{
	struct pipe_msg got;

	ck_assert_int_eq(send(fd[0], p, n, 0), (ssize_t)n);
	return receive(&got);
}

/* Head of a request with two frames of 3 bytes, and these. */
struct head {
	uint8_t type, generation[4], route_n, route[4], peer[32], n;
	uint8_t size[2][4], frames[6];
};

static struct head
whole(void)
{
	return (struct head){ .type = PIPE_REQUEST, .generation = { 0, 0, 0,
		1 }, .route_n = 4, .n = 2, .size = { { 0, 0, 0, 3 },
		{ 0, 0, 0, 3 } } };
}

START_TEST(bytes_outside_the_form_are_refused)
{
	struct head h = whole();

	ck_assert_int_eq(raw(&h, sizeof h), KL_OK);
	h.type = 0;
	ck_assert_int_eq(raw(&h, sizeof h), KL_E_FORMAT);
	h.type = PIPE_KEYS_DONE + 1;
	ck_assert_int_eq(raw(&h, sizeof h), KL_E_FORMAT);
	h = whole();
	h.generation[3] = 0;
	ck_assert_int_eq(raw(&h, sizeof h), KL_E_FORMAT);
	h = whole();
	h.route_n = 17;
	ck_assert_int_eq(raw(&h, sizeof h), KL_E_FORMAT);
	h = whole();
	h.n = KL_LINK_FRAMES_MAX + 1;
	ck_assert_int_eq(raw(&h, sizeof h), KL_E_FORMAT);
	h = whole();
	memset(h.size[1], 0xff, 4);
	ck_assert_int_eq(raw(&h, sizeof h), KL_E_FORMAT);
	h = whole();
	h.size[1][3] = 2;
	ck_assert_int_eq(raw(&h, sizeof h), KL_E_FORMAT);
	h.size[1][3] = 4;
	ck_assert_int_eq(raw(&h, sizeof h), KL_E_FORMAT);
}
END_TEST

START_TEST(every_truncation_is_refused)
{
	const struct head h = whole();

	for (size_t n = 1; n < sizeof h; n++)
		ck_assert_int_eq(raw(&h, n), KL_E_FORMAT);
}
END_TEST

START_TEST(type_decides_what_a_message_holds)
{
	const struct { enum pipe_type type; size_t n, route; bool ok; }
	row[] = {
		{ PIPE_RESET, 0, 0, true }, { PIPE_RESET, 1, 0, false },
		{ PIPE_REQUEST, 1, 4, true }, { PIPE_REQUEST, 0, 4, false },
		{ PIPE_REQUEST, 1, 0, false }, { PIPE_REPLY, 5, 4, true },
		{ PIPE_REPLY, 1, 0, false }, { PIPE_KEYS, 1, 0, true },
		{ PIPE_KEYS, 2, 0, false }, { PIPE_KEYS_DONE, 0, 0, true },
		{ PIPE_KEYS_DONE, 1, 0, false },
	};

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct pipe_msg m = request(), got;

		m.type = row[i].type;
		m.n = row[i].n;
		m.route.n = row[i].route;
		ck_assert_int_eq(pipe_send(fd[0], &m), KL_OK);
		ck_assert_msg(receive(&got) == (row[i].ok ? KL_OK :
		    KL_E_FORMAT), "row %zu", i);
	}
}
END_TEST

START_TEST(datagram_above_the_buffer_is_refused_and_taken)
{
	static uint8_t big[PIPE_MSG_MAX + 1];
	struct pipe_msg m = request(), got;

	ck_assert_int_eq(raw(big, sizeof big), KL_E_FORMAT);
	ck_assert_int_eq(pipe_send(fd[0], &m), KL_OK);
	ck_assert_int_eq(receive(&got), KL_OK);
}
END_TEST

/* ---- the queue ---- */

START_TEST(queue_keeps_order_when_the_pair_is_full)
{
	struct pipe_out *o = pipe_out_new(fd[0], 4 << 20);
	struct pipe_msg m = request(), got;
	uint32_t sent = 0, n = 0;

	ck_assert_ptr_nonnull(o);
	while (sent < 3000 || !pipe_out_waits(o)) {
		m.generation = ++sent;
		ck_assert_int_eq(pipe_out_send(o, &m), KL_OK);
	}
	while (n < sent) {
		int r = receive(&got);

		if (r == KL_E_EMPTY) {
			ck_assert_int_eq(pipe_out_flush(o), KL_OK);
			continue;
		}
		ck_assert_int_eq(r, KL_OK);
		ck_assert_uint_eq(got.generation, ++n);
	}
	ck_assert(!pipe_out_waits(o));
	ck_assert_int_eq(pipe_out_flush(o), KL_OK);
	pipe_out_free(o);
	pipe_out_free(NULL);
}
END_TEST

static struct pipe_out *
full_queue(size_t cap)
{
	struct pipe_out *o = pipe_out_new(fd[0], cap);
	struct pipe_msg m = request();
	int r;

	while ((r = pipe_out_send(o, &m)) == KL_OK)
		;
	ck_assert_int_eq(r, KL_E_AGAIN);
	ck_assert(pipe_out_waits(o));
	return o;
}

START_TEST(full_queue_says_again)
{
	struct pipe_out *o = full_queue(1000);
	struct pipe_msg got;

	while (receive(&got) == KL_OK)
		;
	ck_assert_int_eq(pipe_out_flush(o), KL_OK);
	ck_assert(!pipe_out_waits(o));
	pipe_out_free(o);
}
END_TEST

START_TEST(cleared_queue_forgets_and_goes_on)
{
	struct pipe_out *o = full_queue(1000);
	struct pipe_msg m = request(), got;

	pipe_out_clear(o);
	ck_assert(!pipe_out_waits(o));
	while (receive(&got) == KL_OK)
		;
	m.generation = 99;
	ck_assert_int_eq(pipe_out_send(o, &m), KL_OK);
	ck_assert_int_eq(receive(&got), KL_OK);
	ck_assert_uint_eq(got.generation, 99);
	pipe_out_free(o);
}
END_TEST

START_TEST(queue_tells_of_an_end_that_is_gone)
{
	struct pipe_out *o = full_queue(1000);
	struct pipe_msg m = request();

	(void)close(fd[1]);
	fd[1] = -1;
	ck_assert_int_eq(pipe_out_flush(o), KL_E_IO);
	ck_assert_int_eq(pipe_out_send(o, &m), KL_E_IO);
	m.n = KL_LINK_FRAMES_MAX + 1;
	ck_assert_int_eq(pipe_out_send(o, &m), KL_E_SIZE);
	pipe_out_free(o);
}
END_TEST

/* ---- keys ---- */

START_TEST(keys_of_any_number_arrive_and_end)
{
	static struct pipe_key sent[2 * PIPE_KEYS_MAX + 3];
	static struct pipe_key key[PIPE_KEYS_MAX];
	const size_t all = sizeof sent / sizeof sent[0];
	struct pipe_out *o = pipe_out_new(fd[0], 1 << 20);
	struct pipe_msg got;
	size_t n, at = 0;

	for (size_t i = 0; i < all; i++) {
		memset(sent[i].pk.b, (int)i, sizeof sent[i].pk.b);
		sent[i].verdict = (enum pipe_verdict)(1 + i % 3);
	}
	ck_assert_int_eq(pipe_out_send_keys(o, 3, sent, all, true), KL_OK);
	while (receive(&got) == KL_OK && got.type == PIPE_KEYS) {
		ck_assert_uint_eq(got.generation, 3);
		ck_assert_int_eq(pipe_keys_read(&got, key, &n), KL_OK);
		for (size_t i = 0; i < n; i++, at++) {
			ck_assert_mem_eq(key[i].pk.b, sent[at].pk.b, 32);
			ck_assert_int_eq(key[i].verdict, sent[at].verdict);
		}
	}
	ck_assert_uint_eq(at, all);
	ck_assert_int_eq(got.type, PIPE_KEYS_DONE);
	ck_assert_int_eq(pipe_out_send_keys(o, 3, NULL, 0, false), KL_OK);
	ck_assert_int_eq(receive(&got), KL_E_EMPTY);
	pipe_out_free(o);
}
END_TEST

START_TEST(keys_to_an_end_that_is_gone_are_told)
{
	struct pipe_key key = { .verdict = PIPE_KEY_ALLOW };
	struct pipe_out *o = pipe_out_new(fd[0], 1 << 20);

	(void)close(fd[1]);
	fd[1] = -1;
	ck_assert_int_eq(pipe_out_send_keys(o, 3, &key, 1, true), KL_E_IO);
	pipe_out_free(o);
}
END_TEST

START_TEST(keys_that_are_none_are_refused)
{
	static uint8_t b[(PIPE_KEYS_MAX + 1) * 33];
	struct pipe_key key[PIPE_KEYS_MAX];
	struct pipe_msg m = { .type = PIPE_KEYS, .generation = 1, .n = 1 };
	size_t n;

	m.frame[0] = kl_bytes(b, 32);
	ck_assert_int_eq(pipe_keys_read(&m, key, &n), KL_E_FORMAT);
	m.frame[0] = kl_bytes(b, 33);	/* verdict 0 */
	ck_assert_int_eq(pipe_keys_read(&m, key, &n), KL_E_FORMAT);
	b[32] = PIPE_KEY_FORGET + 1;
	ck_assert_int_eq(pipe_keys_read(&m, key, &n), KL_E_FORMAT);
	m.frame[0] = kl_bytes(b, sizeof b);
	ck_assert_int_eq(pipe_keys_read(&m, key, &n), KL_E_FORMAT);
	m.frame[0] = kl_bytes(b, 0);
	ck_assert_int_eq(pipe_keys_read(&m, key, &n), KL_OK);
	m.type = PIPE_REPLY;
	ck_assert_int_eq(pipe_keys_read(&m, key, &n), KL_E_FORMAT);
	ck_assert_uint_eq(n, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("pipe");
	TCase *tc = tcase_create("pipe");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, message_arrives_as_it_was_sent);
	tcase_add_test(tc, largest_message_passes);
	tcase_add_test(tc, message_above_its_limits_is_not_sent);
	tcase_add_test(tc, other_end_that_is_gone_is_told);
	tcase_add_test(tc, descriptor_that_is_none_is_told);
	tcase_add_test(tc, full_pair_says_again_and_loses_nothing);
	tcase_add_test(tc, bytes_outside_the_form_are_refused);
	tcase_add_test(tc, every_truncation_is_refused);
	tcase_add_test(tc, type_decides_what_a_message_holds);
	tcase_add_test(tc, datagram_above_the_buffer_is_refused_and_taken);
	tcase_add_test(tc, queue_keeps_order_when_the_pair_is_full);
	tcase_add_test(tc, full_queue_says_again);
	tcase_add_test(tc, cleared_queue_forgets_and_goes_on);
	tcase_add_test(tc, queue_tells_of_an_end_that_is_gone);
	tcase_add_test(tc, keys_of_any_number_arrive_and_end);
	tcase_add_test(tc, keys_to_an_end_that_is_gone_are_told);
	tcase_add_test(tc, keys_that_are_none_are_refused);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
