#include <kortelijn/host/link.h>

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <kortelijn/host/loop.h>

#define DEADLINE_MS 20000
#define ANY "tcp://127.0.0.1:*"

/* A server that lets in the keys on its list. */
struct door {
	struct kl_curve_pk known[4];
	size_t n;
	enum kl_link_verdict otherwise;
	int asked;
};

static struct kl_curve_pk server_pk;
static struct kl_secret *server_sk;

static enum kl_link_verdict
door_admit(void *arg, const struct kl_curve_pk *pk)
{
	struct door *d = arg;

	d->asked++;
	for (size_t i = 0; i < d->n; i++)
		if (memcmp(d->known[i].b, pk->b, sizeof pk->b) == 0)
			return KL_LINK_ALLOW;
	return d->otherwise;
}

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	ck_assert_int_eq(kl_link_init(), KL_OK);
	ck_assert_int_eq(kl_curve_keypair(&server_pk, &server_sk), KL_OK);
}

static void
teardown(void)
{
	kl_secret_free(server_sk);
}

static struct kl_link *
serve_at(struct door *d, const char *endpoint)
{
	struct kl_link_server conf = {
		endpoint,
		server_sk,
		door_admit,
		d,
	};
	struct kl_link *l;

	d->otherwise =
	    d->otherwise == KL_LINK_ALLOW ? KL_LINK_NOT_NOW : d->otherwise;
	ck_assert_int_eq(kl_link_serve(&conf, &l), KL_OK);
	return l;
}

static struct kl_link *
connect_as(const struct kl_link *server, const struct kl_secret *sk)
{
	struct kl_link *l;

	ck_assert_int_eq(
	    kl_link_connect(kl_link_endpoint(server), &server_pk, sk, &l),
	    KL_OK);
	return l;
}

/* A client whose key the door knows. */
static struct kl_link *
connect_known(
    struct door *d, const struct kl_link *server, struct kl_curve_pk *pk)
{
	struct kl_secret *sk;
	struct kl_link *l;

	ck_assert_int_eq(kl_curve_keypair(pk, &sk), KL_OK);
	d->known[d->n++] = *pk;
	l = connect_as(server, sk);
	kl_secret_free(sk);
	return l;
}

/* Sleeps until one of two links has something to do. */
static void
wait_either(struct kl_link *a, struct kl_link *b)
{
	struct kl_link *link[] = { a, b };
	struct pollfd p[2];
	int64_t wait_ms = 1000;

	for (int i = 0; i < 2; i++) {
		int64_t w = kl_link_wait_ms(link[i]);

		if (w >= 0 && w < wait_ms)
			wait_ms = w;
		ck_assert_uint_eq(kl_link_fds(link[i], &p[i].fd, 1), 1);
		p[i].events = POLLIN;
	}
	ck_assert_int_ge(poll(p, 2, (int)wait_ms), 0);
}

static int64_t
deadline(void)
{
	return kl_mono_ms() + DEADLINE_MS;
}

static void
take_from(struct kl_link *l, struct kl_link *other, struct kl_link_message *m)
{
	int64_t end_ms = deadline();

	while (kl_link_recv(l, m) == KL_E_EMPTY) {
		wait_either(l, other);
		ck_assert_int_lt(kl_mono_ms(), end_ms);
	}
}

static void
until_state(
    struct kl_link *client, struct kl_link *server, enum kl_link_state state)
{
	struct kl_link_message none;
	int64_t end_ms = deadline();

	while (kl_link_state(client) != state) {
		wait_either(client, server);
		ck_assert_int_eq(kl_link_recv(server, &none), KL_E_EMPTY);
		ck_assert_int_lt(kl_mono_ms(), end_ms);
	}
}

static void
put(struct kl_link *l, const struct kl_route *route, const char *text)
{
	struct kl_bytes f = kl_bytes_str(text);

	ck_assert_int_eq(kl_link_send(l, route, &f, 1), KL_OK);
}

static void
frame_is(const struct kl_link_message *m, size_t i, const char *text)
{
	ck_assert_uint_lt(i, m->n);
	ck_assert(kl_bytes_equal(m->frame[i], kl_bytes_str(text)));
}

START_TEST(public_key_is_that_of_the_pair)
{
	struct kl_curve_pk pk;

	ck_assert_int_eq(kl_curve_public(server_sk, &pk), KL_OK);
	ck_assert_mem_eq(pk.b, server_pk.b, sizeof pk.b);
}
END_TEST

START_TEST(secret_key_of_another_size_is_refused)
{
	struct kl_secret *sk = kl_secret_random(31);
	struct kl_link_server conf = { ANY, sk, door_admit, NULL };
	struct kl_curve_pk pk;
	struct kl_link *l;

	ck_assert_int_eq(kl_curve_public(sk, &pk), KL_E_VALUE);
	ck_assert_int_eq(kl_link_serve(&conf, &l), KL_E_VALUE);
	ck_assert_ptr_null(l);
	ck_assert_int_eq(
	    kl_link_connect("tcp://127.0.0.1:9", &server_pk, sk, &l),
	    KL_E_VALUE);
	ck_assert_ptr_null(l);
	kl_secret_free(sk);
}
END_TEST

START_TEST(malformed_endpoints_are_refused)
{
	static const char *const bad[] = {
		"",
		"tcp",
		"tcp://",
		"tcp://127.0.0.1",
		"carrier://pigeon",
	};
	struct door d = { .otherwise = KL_LINK_NOT_NOW };
	char long_one[400] = "tcp://";
	struct kl_link *l;

	memset(long_one + 6, 'a', sizeof long_one - 7);
	for (size_t i = 0; i <= sizeof bad / sizeof bad[0]; i++) {
		const char *e =
		    i < sizeof bad / sizeof bad[0] ? bad[i] : long_one;
		struct kl_link_server conf = { e, server_sk, door_admit, &d };

		ck_assert_int_eq(kl_link_serve(&conf, &l), KL_E_VALUE);
		ck_assert_int_eq(
		    kl_link_connect(e, &server_pk, server_sk, &l), KL_E_VALUE);
	}
}
END_TEST

START_TEST(address_in_use_answers_system)
{
	struct door d = { 0 };
	struct kl_link *first = serve_at(&d, ANY), *second;
	struct kl_link_server conf = {
		kl_link_endpoint(first),
		server_sk,
		door_admit,
		&d,
	};

	ck_assert_int_eq(kl_link_serve(&conf, &second), KL_E_SYSTEM);
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert_ptr_null(second);
	kl_link_close(first);
}
END_TEST

static enum kl_link_verdict
admit_all(void *arg, const struct kl_curve_pk *pk)
{
	(void)arg;
	(void)pk;
	return KL_LINK_ALLOW;
}

START_TEST(serve_answers_denied_when_everybody_is_let_in)
{
	struct kl_link_server conf = { ANY, server_sk, admit_all, NULL };
	struct kl_link *l;

	ck_assert_int_eq(kl_link_serve(&conf, &l), KL_E_DENIED);
	ck_assert_ptr_null(l);
}
END_TEST

START_TEST(serve_asks_for_a_stranger_first_and_counts_nothing)
{
	struct door d = { .otherwise = KL_LINK_NEVER };
	struct kl_link *l = serve_at(&d, ANY);
	struct kl_link_counts c = kl_link_counts(l);

	ck_assert_int_eq(d.asked, 1);
	ck_assert_uint_eq(c.handshakes_refused, 0);
	kl_link_close(l);
}
END_TEST

START_TEST(messages_go_both_ways_with_the_proven_key)
{
	struct door d = { 0 };
	struct kl_link *s = serve_at(&d, ANY), *c;
	struct kl_curve_pk pk;
	struct kl_link_message m;

	c = connect_known(&d, s, &pk);
	until_state(c, s, KL_LINK_UP);
	for (int i = 0; i < 100; i++) {
		put(c, NULL, "question");
		take_from(s, c, &m);
		ck_assert_uint_eq(m.n, 1);
		frame_is(&m, 0, "question");
		ck_assert_mem_eq(m.peer.b, pk.b, sizeof pk.b);
		put(s, &m.route, "answer");
		take_from(c, s, &m);
		ck_assert_uint_eq(m.n, 1);
		frame_is(&m, 0, "answer");
	}
	kl_link_close(c);
	kl_link_close(s);
	kl_link_close(NULL);
}
END_TEST

START_TEST(all_frames_up_to_the_maximum_arrive_in_order)
{
	static const char *const text[] = { "a", "", "ccc", "d", "", "f" };
	struct kl_bytes f[KL_LINK_FRAMES_MAX];
	struct door d = { 0 };
	struct kl_link *s = serve_at(&d, ANY), *c;
	struct kl_curve_pk pk;
	struct kl_link_message m;

	for (size_t i = 0; i < KL_LINK_FRAMES_MAX; i++)
		f[i] = kl_bytes_str(text[i]);
	c = connect_known(&d, s, &pk);
	until_state(c, s, KL_LINK_UP);
	for (size_t n = 1; n <= KL_LINK_FRAMES_MAX; n++) {
		ck_assert_int_eq(kl_link_send(c, NULL, f, n), KL_OK);
		take_from(s, c, &m);
		ck_assert_uint_eq(m.n, n);
		for (size_t i = 0; i < n; i++)
			frame_is(&m, i, text[i]);
		ck_assert_int_eq(kl_link_send(s, &m.route, f, n), KL_OK);
		take_from(c, s, &m);
		ck_assert_uint_eq(m.n, n);
	}
	kl_link_close(c);
	kl_link_close(s);
}
END_TEST

START_TEST(frame_above_the_protocol_limit_arrives_and_above_ours_is_not_sent)
{
	static uint8_t big[KL_LINK_MAX];
	struct kl_bytes f = kl_bytes(big, KL_FRAME_MAX + 2048);
	struct door d = { 0 };
	struct kl_link *s = serve_at(&d, ANY), *c;
	struct kl_curve_pk pk;
	struct kl_link_message m;

	c = connect_known(&d, s, &pk);
	until_state(c, s, KL_LINK_UP);
	ck_assert_int_eq(kl_link_send(c, NULL, &f, 1), KL_OK);
	take_from(s, c, &m);
	ck_assert_uint_eq(m.frame[0].n, KL_FRAME_MAX + 2048);
	f.n = KL_LINK_MAX - 64;
	ck_assert_int_eq(kl_link_send(c, NULL, &f, 1), KL_OK);
	take_from(s, c, &m);
	ck_assert_uint_eq(m.frame[0].n, KL_LINK_MAX - 64);
	f.n = KL_LINK_MAX;
	ck_assert_int_eq(kl_link_send(c, NULL, &f, 1), KL_E_SIZE);
	kl_link_close(c);
	kl_link_close(s);
}
END_TEST

START_TEST(two_clients_are_told_apart_by_key_and_route)
{
	struct door d = { 0 };
	struct kl_link *s = serve_at(&d, ANY), *c[2];
	struct kl_curve_pk pk[2];
	struct kl_link_message m;

	for (int i = 0; i < 2; i++) {
		c[i] = connect_known(&d, s, &pk[i]);
		until_state(c[i], s, KL_LINK_UP);
	}
	for (int i = 0; i < 2; i++) {
		put(c[i], NULL, "who am I");
		take_from(s, c[i], &m);
		ck_assert_mem_eq(m.peer.b, pk[i].b, sizeof pk[i].b);
		put(s, &m.route, i == 0 ? "first" : "second");
		take_from(c[i], s, &m);
		frame_is(&m, 0, i == 0 ? "first" : "second");
	}
	for (int i = 0; i < 2; i++)
		kl_link_close(c[i]);
	kl_link_close(s);
}
END_TEST

/* During roll-over of the server key two servers share one ZAP handler. */
START_TEST(two_servers_ask_their_own_doors)
{
	struct door one = { 0 }, two = { 0 };
	struct kl_link *s1 = serve_at(&one, ANY), *s2 = serve_at(&two, ANY);
	struct kl_link *c1, *c2;
	struct kl_curve_pk pk;

	c1 = connect_known(&one, s1, &pk);
	until_state(c1, s1, KL_LINK_UP);
	c2 = connect_known(&one, s2, &pk);
	until_state(c2, s2, KL_LINK_SILENT);
	ck_assert_uint_eq(kl_link_counts(s1).handshakes_refused, 0);
	ck_assert_uint_eq(kl_link_counts(s2).handshakes_refused, 1);
	kl_link_close(s1);
	kl_link_close(c1);
	kl_link_close(c2);
	c2 = connect_known(&two, s2, &pk);
	until_state(c2, s2, KL_LINK_UP);
	kl_link_close(c2);
	kl_link_close(s2);
}
END_TEST

START_TEST(recv_answers_empty_when_nothing_waits)
{
	struct door d = { 0 };
	struct kl_link *s = serve_at(&d, ANY);
	struct kl_link_message m;

	ck_assert_int_eq(kl_link_recv(s, &m), KL_E_EMPTY);
	ck_assert_int_eq(kl_link_send(s, &(struct kl_route){ { 0, 1 }, 5 },
			     &(struct kl_bytes){ (const uint8_t *)"x", 1 }, 1),
	    KL_E_NOT_FOUND);
	kl_link_close(s);
}
END_TEST

START_TEST(send_answers_again_before_the_connection_stands)
{
	struct kl_bytes f = kl_bytes_str("x");
	struct kl_link *c;

	ck_assert_int_eq(
	    kl_link_connect("tcp://127.0.0.1:9", &server_pk, server_sk, &c),
	    KL_OK);
	ck_assert_int_eq(kl_link_state(c), KL_LINK_CONNECTING);
	ck_assert_int_eq(kl_link_send(c, NULL, &f, 1), KL_E_AGAIN);
	ck_assert_int_lt(kl_link_wait_ms(c), 0);
	kl_link_close(c);
}
END_TEST

START_TEST(send_answers_again_when_the_queue_is_full_and_recovers)
{
	static uint8_t big[KL_FRAME_MAX];
	struct kl_bytes f[] = { kl_bytes(big, sizeof big),
		kl_bytes(big, sizeof big) };
	struct door d = { 0 };
	struct kl_link *s = serve_at(&d, ANY), *c;
	struct kl_curve_pk pk;
	struct kl_link_message m;
	int sent = 0, r;

	c = connect_known(&d, s, &pk);
	until_state(c, s, KL_LINK_UP);
	while ((r = kl_link_send(c, NULL, f, 2)) == KL_OK) {
		sent++;
		ck_assert_int_lt(sent, 100000);
	}
	ck_assert_int_eq(r, KL_E_AGAIN);
	for (int i = 0; i < sent; i++) {
		take_from(s, c, &m);
		ck_assert_uint_eq(m.n, 2);
	}
	put(c, NULL, "and on");
	take_from(s, c, &m);
	ck_assert_uint_eq(m.n, 1);
	frame_is(&m, 0, "and on");
	kl_link_close(c);
	kl_link_close(s);
}
END_TEST

START_TEST(server_send_answers_again_for_a_slow_client)
{
	static uint8_t big[KL_FRAME_MAX];
	struct kl_bytes f = kl_bytes(big, sizeof big);
	struct door d = { 0 };
	struct kl_link *s = serve_at(&d, ANY), *c;
	struct kl_curve_pk pk;
	struct kl_link_message m;
	int sent = 0, r;

	c = connect_known(&d, s, &pk);
	until_state(c, s, KL_LINK_UP);
	put(c, NULL, "hello");
	take_from(s, c, &m);
	while ((r = kl_link_send(s, &m.route, &f, 1)) == KL_OK) {
		sent++;
		ck_assert_int_lt(sent, 100000);
	}
	ck_assert_int_eq(r, KL_E_AGAIN);
	kl_link_close(c);
	kl_link_close(s);
}
END_TEST

START_TEST(send_answers_not_found_when_the_peer_is_gone)
{
	struct kl_bytes f = kl_bytes_str("late");
	struct door d = { 0 };
	struct kl_link *s = serve_at(&d, ANY), *c;
	struct kl_curve_pk pk;
	struct kl_link_message m, none;
	int64_t end_ms = deadline();

	c = connect_known(&d, s, &pk);
	until_state(c, s, KL_LINK_UP);
	put(c, NULL, "bye");
	take_from(s, c, &m);
	kl_link_close(c);
	while (kl_link_send(s, &m.route, &f, 1) != KL_E_NOT_FOUND) {
		wait_either(s, s);
		ck_assert_int_eq(kl_link_recv(s, &none), KL_E_EMPTY);
		ck_assert_int_lt(kl_mono_ms(), end_ms);
	}
	kl_link_close(s);
}
END_TEST

static void
refused_then_let_in(enum kl_link_verdict verdict, enum kl_link_state state)
{
	struct door d = { .otherwise = verdict };
	struct kl_link *s = serve_at(&d, ANY), *c;
	struct kl_curve_pk pk;
	struct kl_bytes f = kl_bytes_str("x");
	struct kl_link_message m;
	int fd[2], asked = d.asked;

	c = connect_known(&d, s, &pk);
	d.n = 0;
	until_state(c, s, state);
	ck_assert_int_eq(d.asked - asked, 1);
	ck_assert_uint_eq(kl_link_counts(s).handshakes_refused, 1);
	ck_assert_int_eq(kl_link_send(c, NULL, &f, 1), KL_E_AGAIN);
	ck_assert_int_eq(kl_link_recv(c, &m), KL_E_EMPTY);
	ck_assert_int_gt(kl_link_wait_ms(c), 0);
	ck_assert_int_le(kl_link_wait_ms(c), 60000);
	ck_assert_uint_eq(kl_link_fds(c, &fd[0], 1), 1);
	d.n = 1;
	until_state(c, s, KL_LINK_UP);
	ck_assert_uint_eq(kl_link_fds(c, &fd[1], 1), 1);
	ck_assert_int_eq(fd[0], fd[1]);
	put(c, NULL, "at last");
	take_from(s, c, &m);
	frame_is(&m, 0, "at last");
	kl_link_close(c);
	kl_link_close(s);
}

START_TEST(client_refused_for_now_comes_back_on_its_own)
{
	refused_then_let_in(KL_LINK_NOT_NOW, KL_LINK_SILENT);
}
END_TEST

START_TEST(client_refused_for_ever_comes_back_on_its_own)
{
	refused_then_let_in(KL_LINK_NEVER, KL_LINK_REFUSED);
}
END_TEST

START_TEST(client_of_another_server_key_gets_no_word_and_no_question)
{
	struct door d = { 0 };
	struct kl_link *s = serve_at(&d, ANY), *c;
	struct kl_secret *sk;
	struct kl_curve_pk pk;
	int asked = d.asked;

	ck_assert_int_eq(kl_curve_keypair(&pk, &sk), KL_OK);
	ck_assert_int_eq(
	    kl_link_connect(kl_link_endpoint(s), &pk, sk, &c), KL_OK);
	until_state(c, s, KL_LINK_SILENT);
	ck_assert_int_eq(d.asked, asked);
	kl_link_close(c);
	kl_link_close(s);
	kl_secret_free(sk);
}
END_TEST

START_TEST(client_follows_a_server_that_restarts)
{
	struct door d = { 0 };
	struct kl_link *s = serve_at(&d, ANY), *c;
	struct kl_curve_pk pk;
	struct kl_link_server conf = { NULL, server_sk, door_admit, &d };
	char endpoint[64];
	struct kl_link_message m;
	int64_t end_ms = deadline();

	snprintf(endpoint, sizeof endpoint, "%s", kl_link_endpoint(s));
	conf.endpoint = endpoint;
	c = connect_known(&d, s, &pk);
	until_state(c, s, KL_LINK_UP);
	kl_link_close(s);
	until_state(c, c, KL_LINK_DOWN);
	/* libzmq lets go of the port in a thread of its own. */
	while (kl_link_serve(&conf, &s) != KL_OK)
		ck_assert_int_lt(kl_mono_ms(), end_ms);
	until_state(c, s, KL_LINK_UP);
	put(c, NULL, "still here");
	take_from(s, c, &m);
	frame_is(&m, 0, "still here");
	kl_link_close(c);
	kl_link_close(s);
}
END_TEST

/* One address after another, the known ones of a client. */
static struct kl_link *
connect_any(struct door *d, const char *first, const char *then)
{
	struct kl_secret *sk;
	char all[256];
	struct kl_link *l;

	ck_assert_int_eq(kl_curve_keypair(&d->known[d->n], &sk), KL_OK);
	d->n++;
	(void)snprintf(all, sizeof all, "%s\n%s", first, then);
	ck_assert_int_eq(kl_link_connect(all, &server_pk, sk, &l), KL_OK);
	kl_secret_free(sk);
	return l;
}

START_TEST(client_finds_the_address_where_somebody_listens)
{
	struct door d = { 0 };
	struct kl_link *s = serve_at(&d, ANY), *c;
	struct kl_link_message m;

	c = connect_any(&d, "tcp://127.0.0.1:9", kl_link_endpoint(s));
	until_state(c, s, KL_LINK_UP);
	ck_assert_str_eq(kl_link_endpoint(c), kl_link_endpoint(s));
	put(c, NULL, "found");
	take_from(s, c, &m);
	frame_is(&m, 0, "found");
	kl_link_close(c);
	kl_link_close(s);
}
END_TEST

START_TEST(client_goes_to_the_machine_that_stands_in)
{
	struct door d = { 0 };
	struct kl_link *a = serve_at(&d, ANY), *b = serve_at(&d, ANY), *c;
	struct kl_link_message m;

	c = connect_any(&d, kl_link_endpoint(a), kl_link_endpoint(b));
	until_state(c, a, KL_LINK_UP);
	ck_assert_str_eq(kl_link_endpoint(c), kl_link_endpoint(a));
	kl_link_close(a);
	until_state(c, b, KL_LINK_DOWN);
	until_state(c, b, KL_LINK_UP);
	ck_assert_str_eq(kl_link_endpoint(c), kl_link_endpoint(b));
	put(c, NULL, "here now");
	take_from(b, c, &m);
	frame_is(&m, 0, "here now");
	kl_link_close(c);
	kl_link_close(b);
}
END_TEST

START_TEST(client_leaves_who_is_no_good_for_the_next)
{
	struct door d = { 0 };
	struct kl_link *a = serve_at(&d, ANY), *b = serve_at(&d, ANY), *c;

	c = connect_any(&d, kl_link_endpoint(a), kl_link_endpoint(b));
	until_state(c, a, KL_LINK_UP);
	kl_link_leave(c);
	ck_assert_int_eq(kl_link_state(c), KL_LINK_DOWN);
	ck_assert_int_gt(kl_link_wait_ms(c), 0);
	until_state(c, b, KL_LINK_UP);
	ck_assert_str_eq(kl_link_endpoint(c), kl_link_endpoint(b));
	/* And in a circle. */
	kl_link_leave(c);
	until_state(c, a, KL_LINK_UP);
	ck_assert_str_eq(kl_link_endpoint(c), kl_link_endpoint(a));
	kl_link_close(c);
	kl_link_close(a);
	kl_link_close(b);
}
END_TEST

START_TEST(client_with_one_address_comes_back_to_it)
{
	struct door d = { 0 };
	struct kl_link *s = serve_at(&d, ANY), *c;
	struct kl_curve_pk pk;

	c = connect_known(&d, s, &pk);
	until_state(c, s, KL_LINK_UP);
	kl_link_leave(c);
	until_state(c, s, KL_LINK_UP);
	kl_link_close(c);
	kl_link_close(s);
}
END_TEST

#define FIVE_ADDRESSES \
	"tcp://127.0.0.1:1\ntcp://127.0.0.1:2\ntcp://127.0.0.1:3\n" \
	"tcp://127.0.0.1:4\ntcp://127.0.0.1:5"

START_TEST(too_many_addresses_are_refused)
{
	static const char *const bad[] = { "\n", "tcp://127.0.0.1:9\n",
		"\ntcp://127.0.0.1:9", FIVE_ADDRESSES };
	struct kl_link *l;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_int_eq(kl_link_connect(bad[i], &server_pk,
		    server_sk, &l), KL_E_VALUE);
}
END_TEST

/* Many messages behind one edge of the descriptor: none may be stuck. */
START_TEST(no_message_is_stuck_behind_an_edge)
{
	enum { ROUNDS = 50, BURST = 40 };
	struct door d = { 0 };
	struct kl_link *s = serve_at(&d, ANY), *c;
	struct kl_curve_pk pk;
	struct kl_link_message m;

	c = connect_known(&d, s, &pk);
	until_state(c, s, KL_LINK_UP);
	for (int i = 0; i < ROUNDS; i++) {
		for (int j = 0; j < BURST; j++)
			put(c, NULL, "burst");
		for (int j = 0; j < BURST; j++) {
			take_from(s, c, &m);
			put(s, &m.route, "reply");
		}
		for (int j = 0; j < BURST; j++)
			take_from(c, s, &m);
	}
	ck_assert_uint_eq(kl_link_counts(s).dropped, 0);
	kl_link_close(c);
	kl_link_close(s);
}
END_TEST

/* Under a loop as a program has it: fd, prepare, dispatch. */
struct echo {
	struct kl_source src;
	struct kl_loop *loop;
	struct kl_link *link;
	int left;
};

static int64_t
echo_prepare(void *arg)
{
	struct echo *e = arg;

	return kl_link_wait_ms(e->link);
}

static void
echo_server(void *arg, short revents)
{
	struct echo *e = arg;
	struct kl_link_message m;

	(void)revents;
	while (kl_link_recv(e->link, &m) == KL_OK)
		ck_assert_int_eq(
		    kl_link_send(e->link, &m.route, m.frame, m.n), KL_OK);
}

static void
echo_client(void *arg, short revents)
{
	struct echo *e = arg;
	struct kl_link_message m;

	(void)revents;
	while (kl_link_recv(e->link, &m) == KL_OK)
		if (--e->left == 0)
			kl_loop_stop(e->loop);
		else
			put(e->link, NULL, "ping");
}

static void
echo_init(struct echo *e, struct kl_loop *loop, struct kl_link *link,
    void (*dispatch)(void *arg, short revents))
{
	int fd;

	ck_assert_uint_eq(kl_link_fds(link, &fd, 1), 1);
	*e = (struct echo){
		.src = { fd, POLLIN, echo_prepare, dispatch, e },
		.loop = loop,
		.link = link,
		.left = 500,
	};
	ck_assert_int_eq(kl_loop_add(loop, &e->src), KL_OK);
}

START_TEST(two_links_share_one_loop)
{
	struct kl_loop *loop = kl_loop_new();
	struct door d = { 0 };
	struct kl_link *s = serve_at(&d, ANY), *c;
	struct kl_curve_pk pk;
	struct echo es, ec;

	c = connect_known(&d, s, &pk);
	until_state(c, s, KL_LINK_UP);
	echo_init(&es, loop, s, echo_server);
	echo_init(&ec, loop, c, echo_client);
	put(c, NULL, "ping");
	ck_assert_int_eq(kl_loop_run(loop), KL_OK);
	kl_loop_free(loop);
	kl_link_close(c);
	kl_link_close(s);
}
END_TEST

START_TEST(running_out_of_descriptors_is_an_answer)
{
	struct door d = { .otherwise = KL_LINK_NOT_NOW };
	struct kl_link_server conf = { ANY, server_sk, door_admit, &d };
	struct rlimit lim, none;
	struct kl_link *l;
	int next;

	/* The context makes its threads with the first socket. */
	kl_link_close(serve_at(&d, ANY));
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &lim), 0);
	next = dup(0);
	ck_assert_int_eq(close(next), 0);
	none = (struct rlimit){ (rlim_t)next, lim.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_lt(kl_link_serve(&conf, &l), 0);
	ck_assert_ptr_null(l);
	ck_assert_int_lt(
	    kl_link_connect("tcp://127.0.0.1:9", &server_pk, server_sk, &l), 0);
	ck_assert_ptr_null(l);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &lim), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("link");
	TCase *t = tcase_create("link");
	SRunner *sr;
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, public_key_is_that_of_the_pair);
	tcase_add_test(t, secret_key_of_another_size_is_refused);
	tcase_add_test(t, malformed_endpoints_are_refused);
	tcase_add_test(t, address_in_use_answers_system);
	tcase_add_test(t, serve_answers_denied_when_everybody_is_let_in);
	tcase_add_test(t, serve_asks_for_a_stranger_first_and_counts_nothing);
	tcase_add_test(t, messages_go_both_ways_with_the_proven_key);
	tcase_add_test(t, all_frames_up_to_the_maximum_arrive_in_order);
	tcase_add_test(t,
	    frame_above_the_protocol_limit_arrives_and_above_ours_is_not_sent);
	tcase_add_test(t, two_clients_are_told_apart_by_key_and_route);
	tcase_add_test(t, two_servers_ask_their_own_doors);
	tcase_add_test(t, recv_answers_empty_when_nothing_waits);
	tcase_add_test(t, send_answers_again_before_the_connection_stands);
	tcase_add_test(
	    t, send_answers_again_when_the_queue_is_full_and_recovers);
	tcase_add_test(t, server_send_answers_again_for_a_slow_client);
	tcase_add_test(t, send_answers_not_found_when_the_peer_is_gone);
	tcase_add_test(t, client_refused_for_now_comes_back_on_its_own);
	tcase_add_test(t, client_refused_for_ever_comes_back_on_its_own);
	tcase_add_test(
	    t, client_of_another_server_key_gets_no_word_and_no_question);
	tcase_add_test(t, client_follows_a_server_that_restarts);
	tcase_add_test(t, client_finds_the_address_where_somebody_listens);
	tcase_add_test(t, client_goes_to_the_machine_that_stands_in);
	tcase_add_test(t, client_leaves_who_is_no_good_for_the_next);
	tcase_add_test(t, client_with_one_address_comes_back_to_it);
	tcase_add_test(t, too_many_addresses_are_refused);
	tcase_add_test(t, no_message_is_stuck_behind_an_edge);
	tcase_add_test(t, two_links_share_one_loop);
	tcase_add_test(t, running_out_of_descriptors_is_an_answer);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
