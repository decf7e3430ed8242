/*
 * One test per row of the table of libzmq traps: either the installed library
 * still behaves as the design assumes ("trap"), or our link is not caught.
 */
#include <kortelijn/host/link.h>

#include <arpa/inet.h>
#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include <kortelijn/host/loop.h>

#define DEADLINE_MS 20000
#define ANY "tcp://127.0.0.1:*"
#define ZAP_ENFORCE_DOMAIN 93
#define METADATA 95
#define HANDSHAKE_FAILED                                                       \
	(ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |                                \
	    ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |                              \
	    ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)

/* ---- what the link asks of libzmq, written down -------------------------- */

struct asked {
	void *sock;
	int option; /* 0: bind or connect */
	int64_t value;
	char endpoint[8]; /* its beginning */
};

static struct asked asked[1024];
static size_t asked_n;

/* The function of that name in the library, not ours below. */
static void
library(const char *name, void *fn, size_t size)
{
	void *p = dlsym(RTLD_NEXT, name);

	ck_assert_ptr_nonnull(p);
	memcpy(fn, &p, size);
}

int
zmq_setsockopt(void *sock, int option, const void *value, size_t n)
{
	int (*real)(void *, int, const void *, size_t);
	struct asked a = { .sock = sock, .option = option };
	int v;

	library("zmq_setsockopt", &real, sizeof real);
	if (n == sizeof v) {
		memcpy(&v, value, n);
		a.value = v;
	} else if (n == sizeof a.value) {
		memcpy(&a.value, value, n);
	}
	if (asked_n < sizeof asked / sizeof asked[0])
		asked[asked_n++] = a;
	return real(sock, option, value, n);
}

/* The version that came before the one we need. */
static bool older;

void
zmq_version(int *major, int *minor, int *patch)
{
	void (*real)(int *, int *, int *);

	library("zmq_version", &real, sizeof real);
	real(major, minor, patch);
	if (older) {
		*major = 4;
		*minor = 3;
		*patch = 3;
	}
}

static void
asked_open(void *sock, const char *endpoint)
{
	struct asked a = { .sock = sock };

	snprintf(a.endpoint, sizeof a.endpoint, "%s", endpoint);
	if (asked_n < sizeof asked / sizeof asked[0])
		asked[asked_n++] = a;
}

int
zmq_bind(void *sock, const char *endpoint)
{
	int (*real)(void *, const char *);

	library("zmq_bind", &real, sizeof real);
	asked_open(sock, endpoint);
	return real(sock, endpoint);
}

int
zmq_connect(void *sock, const char *endpoint)
{
	int (*real)(void *, const char *);

	library("zmq_connect", &real, sizeof real);
	asked_open(sock, endpoint);
	return real(sock, endpoint);
}

/* What the socket at entry i was told before that entry. */
static int64_t
asked_before(size_t i, int option)
{
	void *sock = asked[i].sock;

	while (i-- > 0)
		if (asked[i].sock == sock && asked[i].option == option)
			return asked[i].value;
	ck_abort_msg("option %d not set before bind or connect", option);
	return 0;
}

/* Last bind or connect to an endpoint that begins so. */
static size_t
asked_last(const char *start)
{
	for (size_t i = asked_n; i-- > 0;)
		if (asked[i].option == 0 &&
		    strncmp(asked[i].endpoint, start, strlen(start)) == 0)
			return i;
	ck_abort_msg("never opened %s", start);
	return 0;
}

/* libzmq's own client cannot send the property "User-Id"; one that lies can,
 * so here the name is changed just before it is encrypted. */
int crypto_box(unsigned char *c, const unsigned char *m,
    unsigned long long mlen, const unsigned char *n, const unsigned char *pk,
    const unsigned char *sk);

int
crypto_box(unsigned char *c, const unsigned char *m, unsigned long long mlen,
    const unsigned char *n, const unsigned char *pk, const unsigned char *sk)
{
	int (*real)(unsigned char *, const unsigned char *, unsigned long long,
	    const unsigned char *, const unsigned char *,
	    const unsigned char *);
	unsigned char copy[1024], *name;

	library("crypto_box", &real, sizeof real);
	if (mlen > sizeof copy)
		return real(c, m, mlen, n, pk, sk);
	memcpy(copy, m, (size_t)mlen);
	name = memmem(copy, (size_t)mlen, "\007X-er-Id", 8);
	if (name != NULL)
		memcpy(name + 1, "User-Id", 7);
	return real(c, copy, mlen, n, pk, sk);
}

/* ---- plain libzmq -------------------------------------------------------- */

struct raw {
	void *ctx;
	void *server;
	void *zap; /* NULL: nobody serves it */
	char endpoint[64];
	char pk[41], sk[41];
};

static void
option(void *sock, int name, int value)
{
	ck_assert_int_eq(zmq_setsockopt(sock, name, &value, sizeof value), 0);
}

static void
option_text(void *sock, int name, const char *value)
{
	ck_assert_int_eq(zmq_setsockopt(sock, name, value, strlen(value)), 0);
}

static void
endpoint_of(void *sock, char *out, size_t n)
{
	ck_assert_int_eq(zmq_getsockopt(sock, ZMQ_LAST_ENDPOINT, out, &n), 0);
}

/* A CURVE server that is not bound yet. */
static struct raw
raw_server(void)
{
	struct raw r = { .ctx = zmq_ctx_new() };

	r.server = zmq_socket(r.ctx, ZMQ_ROUTER);
	ck_assert_int_eq(zmq_curve_keypair(r.pk, r.sk), 0);
	option(r.server, ZMQ_CURVE_SERVER, 1);
	option(r.server, ZMQ_LINGER, 0);
	option(r.server, ZMQ_RCVTIMEO, DEADLINE_MS);
	option_text(r.server, ZMQ_CURVE_SECRETKEY, r.sk);
	return r;
}

static void
raw_bind(struct raw *r)
{
	ck_assert_int_eq(zmq_bind(r->server, ANY), 0);
	endpoint_of(r->server, r->endpoint, sizeof r->endpoint);
}

static void
raw_zap(struct raw *r)
{
	r->zap = zmq_socket(r->ctx, ZMQ_REP);
	option(r->zap, ZMQ_LINGER, 0);
	ck_assert_int_eq(zmq_bind(r->zap, "inproc://zeromq.zap.01"), 0);
	option_text(r->server, ZMQ_ZAP_DOMAIN, "raw");
}

/* Answers one request; false: none came in that time. */
static bool
raw_zap_answer(struct raw *r, const char *status, const char *user, long ms)
{
	zmq_pollitem_t item = { .socket = r->zap, .events = ZMQ_POLLIN };
	char frame[7][256];
	const char *out[] = { "1.0", frame[1], status, "", user, "" };
	int n;

	if (zmq_poll(&item, 1, ms) <= 0)
		return false;
	for (size_t i = 0; i < 7; i++) {
		n = zmq_recv(r->zap, frame[i], sizeof frame[i] - 1, 0);
		ck_assert_int_ge(n, 0);
		frame[i][n] = '\0';
	}
	for (size_t i = 0; i < 6; i++)
		ck_assert_int_ge(zmq_send(r->zap, out[i], strlen(out[i]),
				     i < 5 ? ZMQ_SNDMORE : 0),
		    0);
	return true;
}

static void
raw_clear(struct raw *r)
{
	if (r->zap != NULL)
		zmq_close(r->zap);
	zmq_close(r->server);
	zmq_ctx_term(r->ctx);
}

/* A client that libzmq makes, with a fresh key, not connected yet. */
static void *
raw_client(void *ctx, const char *server_pk)
{
	char pk[41], sk[41];
	void *c = zmq_socket(ctx, ZMQ_DEALER);

	ck_assert_int_eq(zmq_curve_keypair(pk, sk), 0);
	option_text(c, ZMQ_CURVE_SERVERKEY, server_pk);
	option_text(c, ZMQ_CURVE_PUBLICKEY, pk);
	option_text(c, ZMQ_CURVE_SECRETKEY, sk);
	option(c, ZMQ_LINGER, 0);
	option(c, ZMQ_RECONNECT_IVL, 10);
	return c;
}

static void *
monitor_of(void *ctx, void *sock)
{
	void *m = zmq_socket(ctx, ZMQ_PAIR);

	ck_assert_int_eq(
	    zmq_socket_monitor(sock, "inproc://watch", ZMQ_EVENT_ALL), 0);
	option(m, ZMQ_LINGER, 0);
	ck_assert_int_eq(zmq_connect(m, "inproc://watch"), 0);
	return m;
}

/* The first of those events, or 0 when none came in that time. */
static int
event_of(void *monitor, int events, long ms)
{
	int64_t end_ms = kl_mono_ms() + ms, now_ms;
	zmq_pollitem_t item = { .socket = monitor, .events = ZMQ_POLLIN };
	uint8_t b[6];
	uint16_t event;
	char address[128];

	while ((now_ms = kl_mono_ms()) < end_ms) {
		if (zmq_poll(&item, 1, (long)(end_ms - now_ms)) <= 0)
			continue;
		ck_assert_int_eq(zmq_recv(monitor, b, sizeof b, 0), 6);
		ck_assert_int_ge(
		    zmq_recv(monitor, address, sizeof address, 0), 0);
		memcpy(&event, b, sizeof event);
		if ((event & events) != 0)
			return event;
	}
	return 0;
}

/* ---- our link ------------------------------------------------------------ */

struct ours {
	struct kl_link *server;
	struct kl_curve_pk pk;
	char pk_text[41];
	struct kl_secret *sk;
	bool open; /* to everybody but the stranger of the proof */
	enum kl_link_verdict otherwise;
	int asked;
	void *ctx; /* of hostile clients */
};

static enum kl_link_verdict
ours_admit(void *arg, const struct kl_curve_pk *pk)
{
	struct ours *o = arg;

	(void)pk;
	o->asked++;
	return o->open ? KL_LINK_ALLOW : o->otherwise;
}

static void
ours_init(struct ours *o)
{
	struct kl_link_server conf = { .endpoint = ANY, .arg = o };

	*o = (struct ours){ .otherwise = KL_LINK_NOT_NOW };
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	ck_assert_int_eq(kl_link_init(), KL_OK);
	ck_assert_int_eq(kl_curve_keypair(&o->pk, &o->sk), KL_OK);
	ck_assert_ptr_nonnull(zmq_z85_encode(o->pk_text, o->pk.b, 32));
	conf.sk = o->sk;
	conf.admit = ours_admit;
	ck_assert_int_eq(kl_link_serve(&conf, &o->server), KL_OK);
	o->open = true;
	o->ctx = zmq_ctx_new();
}

static void
ours_clear(struct ours *o)
{
	kl_link_close(o->server);
	kl_secret_free(o->sk);
	zmq_ctx_term(o->ctx);
}

static void
serve_a_while(struct ours *o)
{
	struct pollfd p = { .events = POLLIN };
	int64_t w = kl_link_wait_ms(o->server);

	ck_assert_uint_eq(kl_link_fds(o->server, &p.fd, 1), 1);
	ck_assert_int_ge(poll(&p, 1, w < 0 || w > 100 ? 100 : (int)w), 0);
}

static void
ours_take(struct ours *o, struct kl_link_message *m)
{
	int64_t end_ms = kl_mono_ms() + DEADLINE_MS;

	while (kl_link_recv(o->server, m) == KL_E_EMPTY) {
		serve_a_while(o);
		ck_assert_int_lt(kl_mono_ms(), end_ms);
	}
}

/* Takes nothing, but serves until so many were dropped. */
static void
ours_drop(struct ours *o, uint64_t n)
{
	struct kl_link_message m;
	int64_t end_ms = kl_mono_ms() + DEADLINE_MS;

	while (kl_link_counts(o->server).dropped < n) {
		ck_assert_int_eq(kl_link_recv(o->server, &m), KL_E_EMPTY);
		serve_a_while(o);
		ck_assert_int_lt(kl_mono_ms(), end_ms);
	}
}

/* A client of ours with a fresh key. */
static struct kl_link *
ours_client(struct ours *o, struct kl_curve_pk *pk)
{
	struct kl_secret *sk;
	struct kl_link *c;

	ck_assert_int_eq(kl_curve_keypair(pk, &sk), KL_OK);
	ck_assert_int_eq(
	    kl_link_connect(kl_link_endpoint(o->server), &o->pk, sk, &c),
	    KL_OK);
	kl_secret_free(sk);
	return c;
}

static void
until_state(struct ours *o, struct kl_link *c, enum kl_link_state state)
{
	struct kl_link_message m;
	int64_t end_ms = kl_mono_ms() + DEADLINE_MS;

	while (kl_link_state(c) != state) {
		ck_assert_int_eq(kl_link_recv(o->server, &m), KL_E_EMPTY);
		serve_a_while(o);
		ck_assert_int_lt(kl_mono_ms(), end_ms);
	}
}

static void
put(struct kl_link *c, const char *text)
{
	struct kl_bytes f = kl_bytes_str(text);

	ck_assert_int_eq(kl_link_send(c, NULL, &f, 1), KL_OK);
}

/* ---- the rows ------------------------------------------------------------ */

/* In a process of its own: the first routing id of a plain ROUTER, or of our
 * link. */
static uint32_t
first_route(bool plain)
{
	struct kl_link_message m;
	struct kl_curve_pk pk;
	struct kl_link *c;
	struct ours o;
	uint8_t b[5] = { 0 };

	if (plain) {
		void *ctx = zmq_ctx_new();
		void *r = zmq_socket(ctx, ZMQ_ROUTER);
		void *d = zmq_socket(ctx, ZMQ_DEALER);

		ck_assert_int_eq(zmq_bind(r, "inproc://z1"), 0);
		ck_assert_int_eq(zmq_connect(d, "inproc://z1"), 0);
		ck_assert_int_eq(zmq_send(d, "x", 1, 0), 1);
		ck_assert_int_eq(zmq_recv(r, b, sizeof b, 0), 5);
	} else {
		ours_init(&o);
		c = ours_client(&o, &pk);
		until_state(&o, c, KL_LINK_UP);
		put(c, "x");
		ours_take(&o, &m);
		ck_assert_uint_eq(m.route.n, 5);
		memcpy(b, m.route.b, 5);
	}
	return (uint32_t)b[1] << 24 | (uint32_t)b[2] << 16 |
	       (uint32_t)b[3] << 8 | b[4];
}

static uint32_t
first_route_of_child(bool plain)
{
	uint32_t v = 0;
	int fd[2], status;
	pid_t pid;

	ck_assert_int_eq(pipe(fd), 0);
	ck_assert_int_ge(pid = fork(), 0);
	if (pid == 0) {
		v = first_route(plain);
		_exit(write(fd[1], &v, sizeof v) == sizeof v ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(read(fd[0], &v, sizeof v), sizeof v);
	close(fd[0]);
	close(fd[1]);
	return v;
}

START_TEST(Z1_trap_routing_ids_are_the_same_in_every_process)
{
	ck_assert_uint_eq(
	    first_route_of_child(true), first_route_of_child(true));
}
END_TEST

START_TEST(Z1_link_seeds_so_that_routing_ids_differ)
{
	ck_assert_uint_ne(
	    first_route_of_child(false), first_route_of_child(false));
}
END_TEST

static int
handshake_without_handler(bool enforce)
{
	struct raw r = raw_server();
	void *c, *m;
	int event;

	option_text(r.server, ZMQ_ZAP_DOMAIN, "raw");
	if (enforce)
		option(r.server, ZAP_ENFORCE_DOMAIN, 1);
	raw_bind(&r);
	c = raw_client(r.ctx, r.pk);
	m = monitor_of(r.ctx, c);
	ck_assert_int_eq(zmq_connect(c, r.endpoint), 0);
	event = event_of(
	    m, ZMQ_EVENT_HANDSHAKE_SUCCEEDED | HANDSHAKE_FAILED, DEADLINE_MS);
	zmq_close(m);
	zmq_close(c);
	raw_clear(&r);
	return event;
}

START_TEST(Z2_trap_domain_without_handler_lets_everybody_in)
{
	ck_assert_int_eq(
	    handshake_without_handler(false), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
}
END_TEST

START_TEST(Z2_option_93_fails_closed_without_handler)
{
	int event = handshake_without_handler(true);

	ck_assert_int_ne(event & HANDSHAKE_FAILED, 0);
}
END_TEST

START_TEST(Z2_link_enforces_zap_and_binds_it_first)
{
	struct ours o;
	size_t tcp, zap, proof;

	ours_init(&o);
	tcp = asked_last("tcp");
	proof = asked_last("ipc");
	for (zap = 0; asked[zap].option != 0; zap++)
		continue;
	ck_assert_str_eq(asked[zap].endpoint, "inproc:");
	ck_assert_uint_lt(zap, proof);
	ck_assert_uint_lt(proof, tcp);
	ck_assert_int_eq(asked_before(tcp, ZAP_ENFORCE_DOMAIN), 1);
	(void)asked_before(tcp, ZMQ_ZAP_DOMAIN);
	ck_assert_int_eq(o.asked, 1);
	ours_clear(&o);
}
END_TEST

START_TEST(Z3_trap_without_zap_a_client_chooses_its_user_id)
{
	struct raw r = raw_server();
	const char *id;
	zmq_msg_t m;
	void *c;

	raw_bind(&r);
	c = raw_client(r.ctx, r.pk);
	option_text(c, METADATA, "X-er-Id:victim");
	ck_assert_int_eq(zmq_connect(c, r.endpoint), 0);
	ck_assert_int_eq(zmq_send(c, "x", 1, 0), 1);
	for (int i = 0; i < 2; i++) {
		zmq_msg_init(&m);
		ck_assert_int_ge(zmq_msg_recv(&m, r.server, 0), 0);
		if (i == 1) {
			id = zmq_msg_gets(&m, "User-Id");
			ck_assert_ptr_nonnull(id);
			ck_assert_str_eq(id, "victim");
		}
		zmq_msg_close(&m);
	}
	zmq_close(c);
	raw_clear(&r);
}
END_TEST

START_TEST(Z3_link_does_not_believe_a_user_id_of_the_client)
{
	struct kl_curve_pk victim;
	struct kl_secret *sk;
	struct kl_link_message m;
	char text[160] = "X-er-Id:";
	struct ours o;
	void *c;

	ours_init(&o);
	ck_assert_int_eq(kl_curve_keypair(&victim, &sk), KL_OK);
	/* Of the length that ours has. */
	memset(text + 8, '0', 32);
	kl_hex(KL_BYTES_OF(victim), text + 40);
	c = raw_client(o.ctx, o.pk_text);
	option_text(c, METADATA, text);
	ck_assert_int_eq(zmq_connect(c, kl_link_endpoint(o.server)), 0);
	ck_assert_int_eq(zmq_send(c, "x", 1, 0), 1);
	ours_take(&o, &m);
	ck_assert_mem_ne(m.peer.b, victim.b, sizeof victim.b);
	zmq_close(c);
	kl_secret_free(sk);
	ours_clear(&o);
}
END_TEST

START_TEST(Z4_trap_user_id_stands_on_payload_frames_only)
{
	struct raw r = raw_server();
	zmq_pollitem_t item = { .socket = r.server, .events = ZMQ_POLLIN };
	const char *id;
	zmq_msg_t m;
	void *c;

	raw_zap(&r);
	raw_bind(&r);
	c = raw_client(r.ctx, r.pk);
	ck_assert_int_eq(zmq_connect(c, r.endpoint), 0);
	ck_assert_int_eq(zmq_send(c, "x", 1, 0), 1);
	ck_assert(raw_zap_answer(&r, "200", "someone", DEADLINE_MS));
	ck_assert_int_eq(zmq_poll(&item, 1, DEADLINE_MS), 1);
	zmq_msg_init(&m);
	ck_assert_int_eq(zmq_msg_recv(&m, r.server, 0), 5);
	ck_assert_ptr_null(zmq_msg_gets(&m, "User-Id"));
	ck_assert_int_eq(zmq_msg_recv(&m, r.server, 0), 1);
	id = zmq_msg_gets(&m, "User-Id");
	ck_assert_ptr_nonnull(id);
	ck_assert_str_eq(id, "someone");
	zmq_msg_close(&m);
	zmq_close(c);
	raw_clear(&r);
}
END_TEST

START_TEST(Z4_link_reads_the_key_after_a_poll)
{
	struct kl_link_message m;
	struct kl_curve_pk pk;
	struct kl_link *c;
	struct ours o;

	ours_init(&o);
	c = ours_client(&o, &pk);
	until_state(&o, c, KL_LINK_UP);
	put(c, "x");
	while (!kl_link_ready(o.server))
		serve_a_while(&o);
	ours_take(&o, &m);
	ck_assert_mem_eq(m.peer.b, pk.b, sizeof pk.b);
	kl_link_close(c);
	ours_clear(&o);
}
END_TEST

START_TEST(Z5_trap_revocation_does_not_cut_a_live_session)
{
	struct kl_link_message m;
	struct kl_curve_pk pk, later_pk;
	struct kl_link *c, *later;
	struct ours o;
	int before;

	ours_init(&o);
	c = ours_client(&o, &pk);
	until_state(&o, c, KL_LINK_UP);
	o.open = false;
	o.otherwise = KL_LINK_NEVER;
	before = o.asked;
	put(c, "I was revoked a moment ago");
	ours_take(&o, &m);
	/* Hence whoever reads this must look up this key at each request. */
	ck_assert_mem_eq(m.peer.b, pk.b, sizeof pk.b);
	ck_assert_int_eq(o.asked, before);
	later = ours_client(&o, &later_pk);
	until_state(&o, later, KL_LINK_REFUSED);
	kl_link_close(c);
	kl_link_close(later);
	ours_clear(&o);
}
END_TEST

START_TEST(Z6_trap_default_frame_size_is_unlimited)
{
	struct raw r = raw_server();
	int64_t max = 0;
	size_t n = sizeof max;

	ck_assert_int_eq(zmq_getsockopt(r.server, ZMQ_MAXMSGSIZE, &max, &n), 0);
	ck_assert_int_eq(max, -1);
	raw_clear(&r);
}
END_TEST

START_TEST(Z6_link_cuts_a_frame_above_its_limit)
{
	static uint8_t big[KL_LINK_MAX + 1];
	struct kl_link_message m;
	struct ours o;
	void *c, *watch;

	ours_init(&o);
	ck_assert_int_eq(
	    asked_before(asked_last("tcp"), ZMQ_MAXMSGSIZE), KL_LINK_MAX);
	c = raw_client(o.ctx, o.pk_text);
	option(c, ZMQ_RECONNECT_IVL, -1);
	watch = monitor_of(o.ctx, c);
	ck_assert_int_eq(zmq_connect(c, kl_link_endpoint(o.server)), 0);
	ck_assert_int_eq(zmq_send(c, "small", 5, 0), 5);
	ours_take(&o, &m);
	ck_assert_int_eq(zmq_send(c, big, sizeof big, 0), sizeof big);
	ck_assert_int_eq(event_of(watch, ZMQ_EVENT_DISCONNECTED, DEADLINE_MS),
	    ZMQ_EVENT_DISCONNECTED);
	ck_assert_int_eq(kl_link_recv(o.server, &m), KL_E_EMPTY);
	zmq_close(watch);
	zmq_close(c);
	ours_clear(&o);
}
END_TEST

static int
tcp_connect(const char *endpoint)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_port = htons((uint16_t)atoi(strrchr(endpoint, ':') + 1));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || connect(fd, (struct sockaddr *)&a, sizeof a) == -1)
		return -1;
	return fd;
}

/* No handshake time-out here, so it is the size that ends the connection. */
START_TEST(Z6_size_limit_holds_before_authentication)
{
	static const uint8_t hello[64 + 9] = {
		[0] = 0xff,
		[9] = 0x7f,
		[10] = 3,
		[11] = 1,
		[12] = 'C',
		'U',
		'R',
		'V',
		'E',
		/* a long command frame of 1 MiB */
		[64] = 6,
		[70] = 0x10,
	};
	struct timeval wait = { .tv_sec = DEADLINE_MS / 1000 };
	struct raw r = raw_server();
	int64_t max = KL_LINK_MAX;
	uint8_t b[256];
	ssize_t n;
	int fd;

	ck_assert_int_eq(
	    zmq_setsockopt(r.server, ZMQ_MAXMSGSIZE, &max, sizeof max), 0);
	option(r.server, ZMQ_HANDSHAKE_IVL, 0);
	raw_bind(&r);
	ck_assert_int_ge(fd = tcp_connect(r.endpoint), 0);
	ck_assert_int_eq(
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
	ck_assert_int_eq(write(fd, hello, sizeof hello), sizeof hello);
	while ((n = read(fd, b, sizeof b)) > 0)
		continue;
	ck_assert(n == 0 || errno == ECONNRESET);
	close(fd);
	raw_clear(&r);
}
END_TEST

static void
send_parts(void *c, int n, size_t size)
{
	static uint8_t part[KL_FRAME_MAX];

	for (int i = 1; i <= n; i++)
		ck_assert_int_eq(
		    zmq_send(c, part, size, i < n ? ZMQ_SNDMORE : 0),
		    (int)size);
}

START_TEST(Z7_trap_many_parts_pass_the_size_limit)
{
	struct raw r = raw_server();
	int64_t max = KL_LINK_MAX;
	static uint8_t b[KL_FRAME_MAX];
	size_t total = 0, size = sizeof(int);
	int more = 1;
	void *c;

	ck_assert_int_eq(
	    zmq_setsockopt(r.server, ZMQ_MAXMSGSIZE, &max, sizeof max), 0);
	raw_bind(&r);
	c = raw_client(r.ctx, r.pk);
	ck_assert_int_eq(zmq_connect(c, r.endpoint), 0);
	send_parts(c, 200, KL_FRAME_MAX);
	while (more != 0) {
		total += (size_t)zmq_recv(r.server, b, sizeof b, 0);
		ck_assert_int_eq(
		    zmq_getsockopt(r.server, ZMQ_RCVMORE, &more, &size), 0);
	}
	ck_assert_uint_gt(total, 100 * KL_LINK_MAX);
	zmq_close(c);
	raw_clear(&r);
}
END_TEST

START_TEST(Z7_link_drops_messages_of_too_many_parts)
{
	struct kl_link_message m;
	struct ours o;
	void *c;

	ours_init(&o);
	c = raw_client(o.ctx, o.pk_text);
	ck_assert_int_eq(zmq_connect(c, kl_link_endpoint(o.server)), 0);
	send_parts(c, KL_LINK_FRAMES_MAX + 1, 1);
	send_parts(c, 1000, 100);
	ours_drop(&o, 2);
	send_parts(c, KL_LINK_FRAMES_MAX, 7);
	ours_take(&o, &m);
	ck_assert_uint_eq(m.n, KL_LINK_FRAMES_MAX);
	ck_assert_uint_eq(m.frame[KL_LINK_FRAMES_MAX - 1].n, 7);
	ck_assert_uint_eq(kl_link_counts(o.server).dropped, 2);
	zmq_close(c);
	ours_clear(&o);
}
END_TEST

/* Connections from a process with descriptors enough, kept until `until` is
 * closed at its other end. */
static pid_t
crowd(const char *endpoint, const int until[2], const struct rlimit *lim)
{
	char end;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	close(until[1]);
	if (setrlimit(RLIMIT_NOFILE, lim) != 0)
		_exit(2);
	for (int i = 0; i < 64; i++)
		(void)tcp_connect(endpoint);
	_exit(read(until[0], &end, 1) == 0 ? 0 : 1);
}

START_TEST(Z8_link_counts_accepts_without_descriptors_and_recovers)
{
	int64_t end_ms = kl_mono_ms() + DEADLINE_MS;
	struct rlimit lim, tight;
	struct kl_link_message m;
	struct kl_curve_pk pk;
	struct kl_link *c;
	struct ours o;
	int until[2], next;
	pid_t pid;

	ours_init(&o);
	ck_assert_int_eq(pipe(until), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &lim), 0);
	next = dup(0);
	ck_assert_int_eq(close(next), 0);
	tight = (struct rlimit){ (rlim_t)next + 4, lim.rlim_max };
	/* First: the crowd may be in before we go on. */
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
	pid = crowd(kl_link_endpoint(o.server), until, &lim);
	ck_assert_int_gt(pid, 0);
	while (kl_link_counts(o.server).accept_failed == 0) {
		ck_assert_int_eq(kl_link_recv(o.server, &m), KL_E_EMPTY);
		serve_a_while(&o);
		ck_assert_int_lt(kl_mono_ms(), end_ms);
	}
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &lim), 0);
	close(until[1]);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close(until[0]);
	c = ours_client(&o, &pk);
	until_state(&o, c, KL_LINK_UP);
	kl_link_close(c);
	ours_clear(&o);
}
END_TEST

START_TEST(Z9_Z15_link_sets_its_options_before_it_opens)
{
	struct kl_curve_pk pk;
	struct kl_link *c;
	struct ours o;
	size_t server, client;

	ours_init(&o);
	server = asked_last("tcp");
	c = ours_client(&o, &pk);
	client = asked_last("tcp");
	ck_assert_uint_ne(server, client);
	ck_assert_int_eq(asked_before(server, ZMQ_ROUTER_MANDATORY), 1);
	ck_assert_int_eq(asked_before(server, ZMQ_ROUTER_HANDOVER), 0);
	ck_assert_int_eq(asked_before(client, ZMQ_IMMEDIATE), 1);
	ck_assert_int_le(asked_before(client, ZMQ_RECONNECT_IVL), 1000);
	ck_assert_int_eq(asked_before(client, ZMQ_RECONNECT_IVL_MAX), 10000);
	for (int i = 0; i < 2; i++) {
		size_t at = i == 0 ? server : client;

		ck_assert_int_eq(asked_before(at, ZMQ_LINGER), 0);
		ck_assert_int_eq(asked_before(at, ZMQ_MAXMSGSIZE), KL_LINK_MAX);
		ck_assert_int_eq(asked_before(at, ZMQ_HANDSHAKE_IVL), 5000);
		ck_assert_int_gt(asked_before(at, ZMQ_SNDHWM), 0);
		ck_assert_int_gt(asked_before(at, ZMQ_RCVHWM), 0);
	}
	/* Our clients choose no routing id, and no socket waits at its end. */
	for (size_t i = 0; i < asked_n; i++) {
		ck_assert_int_ne(asked[i].option, ZMQ_ROUTING_ID);
		if (asked[i].option == 0)
			ck_assert_int_eq(asked_before(i, ZMQ_LINGER), 0);
	}
	kl_link_close(c);
	ours_clear(&o);
}
END_TEST

START_TEST(Z11_trap_a_client_chooses_its_routing_id)
{
	struct raw r = raw_server();
	char id[16] = "";
	void *c;

	raw_bind(&r);
	c = raw_client(r.ctx, r.pk);
	option_text(c, ZMQ_ROUTING_ID, "victim");
	ck_assert_int_eq(zmq_connect(c, r.endpoint), 0);
	ck_assert_int_eq(zmq_send(c, "x", 1, 0), 1);
	ck_assert_int_eq(zmq_recv(r.server, id, sizeof id, 0), 6);
	ck_assert_str_eq(id, "victim");
	zmq_close(c);
	raw_clear(&r);
}
END_TEST

START_TEST(Z11_link_drops_messages_under_a_chosen_routing_id)
{
	static const char *const id[] = {
		"v",
		"five5",
		"sixsix",
		"a-routing-id-that-is-longer-than-a-route-of-ours-may-be",
	};
	struct kl_link_message m;
	struct ours o;
	void *c;

	ours_init(&o);
	for (size_t i = 0; i < sizeof id / sizeof id[0]; i++) {
		c = raw_client(o.ctx, o.pk_text);
		option_text(c, ZMQ_ROUTING_ID, id[i]);
		ck_assert_int_eq(zmq_connect(c, kl_link_endpoint(o.server)), 0);
		ck_assert_int_eq(zmq_send(c, "x", 1, 0), 1);
		ours_drop(&o, i + 1);
		zmq_close(c);
	}
	c = raw_client(o.ctx, o.pk_text);
	ck_assert_int_eq(zmq_connect(c, kl_link_endpoint(o.server)), 0);
	ck_assert_int_eq(zmq_send(c, "x", 1, 0), 1);
	ours_take(&o, &m);
	ck_assert_uint_eq(m.route.n, 5);
	zmq_close(c);
	ours_clear(&o);
}
END_TEST

START_TEST(Z12_link_beats_every_30_seconds_and_not_faster)
{
	struct kl_curve_pk pk;
	struct kl_link *c;
	struct ours o;

	ours_init(&o);
	ck_assert_int_ge(
	    asked_before(asked_last("tcp"), ZMQ_HEARTBEAT_IVL), 30000);
	c = ours_client(&o, &pk);
	ck_assert_int_ge(
	    asked_before(asked_last("tcp"), ZMQ_HEARTBEAT_IVL), 30000);
	ck_assert_int_ge(
	    asked_before(asked_last("tcp"), ZMQ_HEARTBEAT_TIMEOUT), 30000);
	kl_link_close(c);
	ours_clear(&o);
}
END_TEST

/* A client of plain libzmq that was answered once with that status. */
static void *
refused(struct raw *r, const char *status, void **monitor)
{
	void *c;

	raw_zap(r);
	option(r->server, ZMQ_HANDSHAKE_IVL, 200);
	raw_bind(r);
	c = raw_client(r->ctx, r->pk);
	option(c, ZMQ_HANDSHAKE_IVL, 200);
	*monitor = monitor_of(r->ctx, c);
	ck_assert_int_eq(zmq_connect(c, r->endpoint), 0);
	ck_assert(raw_zap_answer(r, status, "", DEADLINE_MS));
	return c;
}

START_TEST(Z13_trap_after_300_a_client_comes_back)
{
	struct raw r = raw_server();
	void *m, *c = refused(&r, "300", &m);

	ck_assert(raw_zap_answer(&r, "300", "", DEADLINE_MS));
	ck_assert(raw_zap_answer(&r, "200", "", DEADLINE_MS));
	ck_assert_int_eq(
	    event_of(m, ZMQ_EVENT_HANDSHAKE_SUCCEEDED, DEADLINE_MS),
	    ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
	zmq_close(m);
	zmq_close(c);
	raw_clear(&r);
}
END_TEST

START_TEST(Z13_trap_after_400_a_client_gives_up)
{
	struct raw r = raw_server();
	void *m, *c = refused(&r, "400", &m);

	ck_assert_int_eq(event_of(m, HANDSHAKE_FAILED, DEADLINE_MS),
	    ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
	/* With 300 it is back within 20 ms. */
	ck_assert(!raw_zap_answer(&r, "200", "", 1000));
	ck_assert_int_eq(event_of(m, ZMQ_EVENT_CONNECT_RETRIED, 1), 0);
	/* A send is usually taken all the same, until the socket has heard
	 * from its own thread that nobody is there: it proves nothing. */
	zmq_close(m);
	zmq_close(c);
	raw_clear(&r);
}
END_TEST

START_TEST(Z13_link_comes_back_after_400)
{
	struct kl_curve_pk pk;
	struct kl_link *c;
	struct ours o;

	ours_init(&o);
	o.open = false;
	o.otherwise = KL_LINK_NEVER;
	c = ours_client(&o, &pk);
	until_state(&o, c, KL_LINK_REFUSED);
	o.open = true;
	until_state(&o, c, KL_LINK_UP);
	kl_link_close(c);
	ours_clear(&o);
}
END_TEST

/* Garbage and silence on a plain connection starve nobody. */
START_TEST(Z19_old_greetings_and_garbage_starve_nobody)
{
	static const char *const hello[] = {
		"",
		"GET / HTTP/1.1\r\n\r\n",
		"\001\000",
		"\377\377\377\377",
	};
	int fd[sizeof hello / sizeof hello[0]];
	int major, minor, patch;
	struct kl_curve_pk pk;
	struct kl_link *c;
	struct ours o;

	zmq_version(&major, &minor, &patch);
	ck_assert_int_ge(major * 10000 + minor * 100 + patch, 40304);
	ours_init(&o);
	for (size_t i = 0; i < sizeof hello / sizeof hello[0]; i++) {
		fd[i] = tcp_connect(kl_link_endpoint(o.server));
		ck_assert_int_ge(fd[i], 0);
		ck_assert_int_eq(
		    send(fd[i], hello[i], strlen(hello[i]), MSG_NOSIGNAL),
		    (ssize_t)strlen(hello[i]));
	}
	c = ours_client(&o, &pk);
	until_state(&o, c, KL_LINK_UP);
	for (size_t i = 0; i < sizeof hello / sizeof hello[0]; i++)
		close(fd[i]);
	kl_link_close(c);
	ours_clear(&o);
}
END_TEST

START_TEST(Z19_link_does_not_begin_with_an_older_library)
{
	older = true;
	ck_assert_int_eq(kl_link_init(), KL_E_SYSTEM);
	ck_assert_int_eq(errno, ENOTSUP);
	older = false;
	ck_assert_int_eq(kl_link_init(), KL_OK);
}
END_TEST

int
main(void)
{
	const TTest *const rows[] = {
		Z1_trap_routing_ids_are_the_same_in_every_process,
		Z1_link_seeds_so_that_routing_ids_differ,
		Z2_trap_domain_without_handler_lets_everybody_in,
		Z2_option_93_fails_closed_without_handler,
		Z2_link_enforces_zap_and_binds_it_first,
		Z3_trap_without_zap_a_client_chooses_its_user_id,
		Z3_link_does_not_believe_a_user_id_of_the_client,
		Z4_trap_user_id_stands_on_payload_frames_only,
		Z4_link_reads_the_key_after_a_poll,
		Z5_trap_revocation_does_not_cut_a_live_session,
		Z6_trap_default_frame_size_is_unlimited,
		Z6_link_cuts_a_frame_above_its_limit,
		Z6_size_limit_holds_before_authentication,
		Z7_trap_many_parts_pass_the_size_limit,
		Z7_link_drops_messages_of_too_many_parts,
		Z8_link_counts_accepts_without_descriptors_and_recovers,
		Z9_Z15_link_sets_its_options_before_it_opens,
		Z11_trap_a_client_chooses_its_routing_id,
		Z11_link_drops_messages_under_a_chosen_routing_id,
		Z12_link_beats_every_30_seconds_and_not_faster,
		Z13_trap_after_300_a_client_comes_back,
		Z13_trap_after_400_a_client_gives_up,
		Z13_link_comes_back_after_400,
		Z19_old_greetings_and_garbage_starve_nobody,
		Z19_link_does_not_begin_with_an_older_library,
	};
	Suite *s = suite_create("traps_zmq");
	TCase *t = tcase_create("traps_zmq");
	SRunner *sr;
	int failed;

	tcase_set_timeout(t, 60);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		tcase_add_test(t, rows[i]);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
