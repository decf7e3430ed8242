#include <kortelijn/host/link.h>

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <kortelijn/host/loop.h>

#include "proto/host/link_priv.h"

/* Missing in Debian's header, but in its library: without it a socket with a
 * ZAP domain and no handler lets everybody in. */
#define ZAP_ENFORCE_DOMAIN 93

#define Z85_KEY_CHARS 41 /* with NUL */
#define AUTO_ROUTE_BYTES 5
#define CURVE_OVERHEAD_BYTES 64 /* at most, of an encrypted frame */
#define WORK_EVERY 32 /* messages between looks at inner work */

struct kl_link_process kl_link_process;

/* ---- options, all set before bind or connect ----------------------------- */

static const struct link_option options_common[] = {
	{ ZAP_ENFORCE_DOMAIN, 1 },
	{ ZMQ_LINGER, 0 },
	{ ZMQ_HANDSHAKE_IVL, 5000 },
	{ ZMQ_HEARTBEAT_IVL, 30000 },
	{ ZMQ_HEARTBEAT_TIMEOUT, 30000 },
};

int
kl_link_options(void *sock, const struct link_option *o, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (zmq_setsockopt(
			sock, o[i].name, &o[i].value, sizeof o[i].value) == -1)
			return KL_E_SYSTEM;
	return KL_OK;
}

int
kl_link_options_common(void *sock, const char *domain, const char *endpoint)
{
	const int64_t size_max = KL_LINK_MAX;
	const int ipv6 = strchr(endpoint, '[') != NULL;

	if (zmq_setsockopt(sock, ZMQ_ZAP_DOMAIN, domain, strlen(domain)) ==
		-1 ||
	    zmq_setsockopt(sock, ZMQ_MAXMSGSIZE, &size_max, sizeof size_max) ==
		-1 ||
	    zmq_setsockopt(sock, ZMQ_IPV6, &ipv6, sizeof ipv6) == -1)
		return KL_E_SYSTEM;
	return kl_link_options(sock, options_common,
	    LINK_COUNT(options_common));
}

/* ---- process and keys ---------------------------------------------------- */

int
kl_link_init(void)
{
	int major, minor, patch;

	if (kl_link_process.ctx != NULL)
		return KL_OK;
	zmq_version(&major, &minor, &patch);
	if (major * 10000 + minor * 100 + patch < 40304 || !zmq_has("curve")) {
		errno = ENOTSUP;
		return KL_E_SYSTEM;
	}
	/* libzmq draws routing ids and jitter from rand(), never seeded. */
	srand(kl_random_below(UINT32_MAX));
	kl_link_process.ctx = zmq_ctx_new();
	return kl_link_process.ctx == NULL ? KL_E_SYSTEM : KL_OK;
}

int
kl_curve_public(const struct kl_secret *sk, struct kl_curve_pk *pk)
{
	char sk_text[Z85_KEY_CHARS], pk_text[Z85_KEY_CHARS];
	struct kl_bytes b = kl_secret_bytes(sk);
	int r = KL_OK;

	if (b.n != LINK_CURVE_KEY_BYTES)
		return KL_E_VALUE;
	if (zmq_z85_encode(sk_text, b.p, b.n) == NULL ||
	    zmq_curve_public(pk_text, sk_text) == -1 ||
	    zmq_z85_decode(pk->b, pk_text) == NULL)
		r = KL_E_SYSTEM;
	kl_wipe(sk_text, sizeof sk_text);
	return r;
}

int
kl_curve_keypair(struct kl_curve_pk *pk, struct kl_secret **sk)
{
	int r;

	*sk = kl_secret_random(LINK_CURVE_KEY_BYTES);
	if (*sk == NULL)
		return KL_E_MEMORY;
	r = kl_curve_public(*sk, pk);
	if (r != KL_OK) {
		kl_secret_free(*sk);
		*sk = NULL;
	}
	return r;
}

/* ---- sockets ------------------------------------------------------------- */

/* Reading ZMQ_EVENTS is also what arms the descriptor again. */
static bool
has_input(void *sock)
{
	int events = 0;
	size_t n = sizeof events;

	return sock != NULL &&
	       zmq_getsockopt(sock, ZMQ_EVENTS, &events, &n) == 0 &&
	       (events & ZMQ_POLLIN) != 0;
}

int
kl_link_watch(const struct kl_link *l, void *sock)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int fd;
	size_t n = sizeof fd;

	if (zmq_getsockopt(sock, ZMQ_FD, &fd, &n) == -1 ||
	    epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) == -1)
		return KL_E_SYSTEM;
	return KL_OK;
}

static void
unwatch(const struct kl_link *l, void *sock)
{
	int fd;
	size_t n = sizeof fd;

	if (zmq_getsockopt(sock, ZMQ_FD, &fd, &n) == 0)
		(void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, NULL);
}

void *
kl_link_monitor_open(void *sock, int events)
{
	const int linger = 0;
	char name[48];
	void *m;

	snprintf(name, sizeof name, "inproc://kortelijn-monitor-%u",
	    kl_link_process.serial++);
	if (zmq_socket_monitor(sock, name, events) == -1)
		return NULL;
	m = zmq_socket(kl_link_process.ctx, ZMQ_PAIR);
	if (m == NULL)
		return NULL;
	if (zmq_setsockopt(m, ZMQ_LINGER, &linger, sizeof linger) == -1 ||
	    zmq_connect(m, name) == -1) {
		zmq_close(m);
		return NULL;
	}
	return m;
}

/* False: nothing waits. The second frame is the address. */
bool
kl_link_monitor_read(void *monitor, int *event)
{
	uint8_t b[6];
	uint16_t number;
	char address[8];

	if (zmq_recv(monitor, b, sizeof b, ZMQ_DONTWAIT) != (int)sizeof b)
		return false;
	(void)zmq_recv(monitor, address, sizeof address, ZMQ_DONTWAIT);
	memcpy(&number, b, sizeof number);
	*event = number;
	return true;
}

void
kl_link_sock_close(void *sock, void *monitor)
{
	if (monitor != NULL) {
		(void)zmq_socket_monitor(sock, NULL, 0);
		zmq_close(monitor);
	}
	if (sock != NULL)
		zmq_close(sock);
}

void
kl_link_shut(struct kl_link *l)
{
	if (l->monitor != NULL)
		unwatch(l, l->monitor);
	if (l->sock != NULL)
		unwatch(l, l->sock);
	kl_link_sock_close(l->sock, l->monitor);
	l->sock = NULL;
	l->monitor = NULL;
}

struct kl_link *
kl_link_new(const char *endpoint)
{
	struct kl_link *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll == -1) {
		free(l);
		return NULL;
	}
	snprintf(l->endpoint, sizeof l->endpoint, "%s", endpoint);
	return l;
}

static void
parts_clear(struct kl_link *l)
{
	for (size_t i = 0; i < l->parts; i++)
		zmq_msg_close(&l->part[i]);
	l->parts = 0;
}

const char *
kl_link_endpoint(const struct kl_link *l)
{
	return l->endpoint;
}

void
kl_link_close(struct kl_link *l)
{
	struct kl_link **p = &kl_link_process.servers;

	if (l == NULL)
		return;
	while (*p != NULL && *p != l)
		p = &(*p)->next;
	if (*p != NULL)
		*p = l->next;
	parts_clear(l);
	kl_link_shut(l);
	if (kl_link_process.servers == NULL)
		kl_link_server_gone();
	close(l->epoll);
	kl_secret_free(l->own);
	free(l);
}

struct kl_link_counts
kl_link_counts(const struct kl_link *l)
{
	return l->counts;
}

/* ---- loop ---------------------------------------------------------------- */

static bool
is_server(const struct kl_link *l)
{
	return l->conf.admit != NULL;
}

static void
work(struct kl_link *l)
{
	l->taken = 0;
	if (is_server(l))
		kl_link_server_work(l);
	else
		kl_link_client_work(l);
}

size_t
kl_link_fds(struct kl_link *l, int *fd, size_t max)
{
	if (max == 0)
		return 0;
	fd[0] = l->epoll;
	return 1;
}

bool
kl_link_ready(struct kl_link *l)
{
	bool sock, monitor, zap;

	work(l);
	/* All are asked, since asking is what arms their descriptors. */
	sock = has_input(l->sock);
	monitor = has_input(l->monitor);
	zap = is_server(l) && has_input(kl_link_process.zap);
	return sock || monitor || zap;
}

int64_t
kl_link_wait_ms(struct kl_link *l)
{
	int64_t now_ms, due_ms;

	if (kl_link_ready(l))
		return 0;
	if (l->sock != NULL && (is_server(l) || l->try_ms == INT64_MAX))
		return -1;
	now_ms = kl_mono_ms();
	due_ms = l->sock == NULL ? l->reopen_ms : l->try_ms;
	return due_ms > now_ms ? due_ms - now_ms : 0;
}

/* ---- messages ------------------------------------------------------------ */

/* False: nothing waits. A route that the peer chose itself shows by n 0. */
static bool
take_route(struct kl_link *l, struct kl_route *route)
{
	int n = zmq_recv(l->sock, route->b, sizeof route->b, ZMQ_DONTWAIT);

	if (n == -1)
		return false;
	route->n = n == AUTO_ROUTE_BYTES && route->b[0] == 0 ? (size_t)n : 0;
	return true;
}

/* Reads to the end of a message and keeps its first frames. KL_E_FORMAT: it
 * has more. */
static int
take_parts(struct kl_link *l)
{
	zmq_msg_t spare;
	bool more = true;
	int r = KL_OK;

	while (more) {
		zmq_msg_t *m = &spare;

		if (l->parts < KL_LINK_FRAMES_MAX)
			m = &l->part[l->parts];
		zmq_msg_init(m);
		if (zmq_msg_recv(m, l->sock, ZMQ_DONTWAIT) == -1) {
			zmq_msg_close(m);
			return l->parts == 0 ? KL_E_EMPTY : KL_E_FORMAT;
		}
		more = zmq_msg_more(m) != 0;
		if (m != &spare) {
			l->parts++;
			continue;
		}
		zmq_msg_close(m);
		r = KL_E_FORMAT;
	}
	return r;
}

/* The User-Id that our own handler gave at the handshake: its tag is known to
 * nobody else. libzmq sets it on payload frames only. */
static int
take_peer(struct kl_link *l, struct kl_curve_pk *peer)
{
	const char *id = zmq_msg_gets(&l->part[0], "User-Id");

	if (id == NULL || strlen(id) != LINK_USER_ID_CHARS ||
	    !kl_secret_equal(
		kl_bytes(id, LINK_TAG_CHARS), kl_bytes(l->tag, LINK_TAG_CHARS)))
		return KL_E_DENIED;
	return kl_hex_read(id + LINK_TAG_CHARS, peer->b, sizeof peer->b);
}

/* KL_E_EMPTY: nothing waits; another error: took one that is not to be seen. */
static int
take(struct kl_link *l, struct kl_link_message *m)
{
	int r;

	parts_clear(l);
	m->route.n = 0;
	if (l->sock == NULL || (is_server(l) && !take_route(l, &m->route)))
		return KL_E_EMPTY;
	r = take_parts(l);
	if (r != KL_OK)
		return r == KL_E_EMPTY && is_server(l) ? KL_E_FORMAT : r;
	if (is_server(l)) {
		if (m->route.n == 0)
			return KL_E_DENIED;
		if ((r = take_peer(l, &m->peer)) != KL_OK)
			return r;
	}
	m->n = l->parts;
	for (size_t i = 0; i < l->parts; i++)
		m->frame[i] = kl_bytes(
		    zmq_msg_data(&l->part[i]), zmq_msg_size(&l->part[i]));
	return KL_OK;
}

int
kl_link_recv(struct kl_link *l, struct kl_link_message *m)
{
	int r;

	/* Under load too, handshakes have their turn. */
	if (++l->taken >= WORK_EVERY)
		work(l);
	for (int i = 0; i < LINK_WORK_BATCH; i++) {
		r = take(l, m);
		if (r == KL_OK)
			return KL_OK;
		if (r == KL_E_EMPTY)
			break;
		l->counts.dropped++;
	}
	parts_clear(l);
	work(l);
	return KL_E_EMPTY;
}

static int
send_error(void)
{
	switch (errno) {
	case EHOSTUNREACH: return KL_E_NOT_FOUND;
	case EAGAIN:
	case EINTR: return KL_E_AGAIN;
	case ENOMEM: return KL_E_MEMORY;
	default: return KL_E_SYSTEM;
	}
}

/*
 * Once the first frame is in, the rest must follow: libzmq would count a
 * half-sent message as going on, and give it the next one's frames.
 */
static int
send_parts(
    struct kl_link *l, const struct kl_route *route, zmq_msg_t *part, size_t n)
{
	int r = KL_OK;

	if (route != NULL && zmq_send(l->sock, route->b, route->n,
				 ZMQ_DONTWAIT | ZMQ_SNDMORE) == -1)
		return send_error();
	for (size_t i = 0; i < n; i++) {
		int flags = ZMQ_DONTWAIT | (i + 1 < n ? ZMQ_SNDMORE : 0);

		if (zmq_msg_send(&part[i], l->sock, flags) != -1)
			continue;
		if (r == KL_OK)
			r = send_error();
		if (i == 0 && route == NULL)
			break;
	}
	return r;
}

int
kl_link_send(struct kl_link *l, const struct kl_route *route,
    const struct kl_bytes *frames, size_t n)
{
	zmq_msg_t part[KL_LINK_FRAMES_MAX];
	size_t made = 0;
	int r = KL_OK;

	assert(n >= 1 && n <= KL_LINK_FRAMES_MAX);
	assert((route != NULL) == is_server(l));
	if (l->sock == NULL)
		return KL_E_AGAIN;
	for (size_t i = 0; i < n; i++)
		if (frames[i].n > KL_LINK_MAX - CURVE_OVERHEAD_BYTES)
			return KL_E_SIZE;
	/* Before the first is sent, so that running out of memory leaves no
	 * half message. */
	for (; made < n && r == KL_OK; made++) {
		if (zmq_msg_init_size(&part[made], frames[made].n) == -1) {
			r = KL_E_MEMORY;
			break;
		}
		if (frames[made].n > 0)
			memcpy(zmq_msg_data(&part[made]), frames[made].p,
			    frames[made].n);
	}
	if (r == KL_OK)
		r = send_parts(l, route, part, n);
	for (size_t i = 0; i < made; i++)
		zmq_msg_close(&part[i]);
	return r;
}
