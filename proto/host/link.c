#include <kortelijn/host/link.h>

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <zmq.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/loop.h>

/* Missing in Debian's header, but in its library: without it a socket with a
 * ZAP domain and no handler lets everybody in. */
#define ZAP_ENFORCE_DOMAIN 93

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"

#define CURVE_KEY_BYTES 32
#define Z85_KEY_CHARS 41 /* with NUL */
#define TAG_BYTES 16
#define TAG_CHARS (2 * TAG_BYTES)
#define USER_ID_CHARS (TAG_CHARS + 2 * CURVE_KEY_BYTES)
#define AUTO_ROUTE_BYTES 5
#define ENDPOINT_CHARS 256
#define CURVE_OVERHEAD_BYTES 64 /* at most, of an encrypted frame */

#define WORK_EVERY 32 /* messages between looks at inner work */
#define WORK_BATCH 64 /* events or drops at a time */
#define PROOF_MS (5 * KL_SECOND_MS)
#define BACKOFF_FIRST_MS (2 * KL_SECOND_MS)
#define BACKOFF_MAX_MS KL_MINUTE_MS

struct kl_link {
	void *sock; /* NULL: a client between two tries */
	void *monitor;
	int epoll; /* one stable fd over all of libzmq's */
	char endpoint[ENDPOINT_CHARS];
	struct kl_link_counts counts;

	/* the message lent out by recv */
	zmq_msg_t part[KL_LINK_FRAMES_MAX];
	size_t parts;
	unsigned taken; /* since the last look at inner work */

	/* server */
	struct kl_link_server conf; /* admit NULL: this is a client */
	char domain[32];
	char tag[TAG_CHARS + 1];     /* in each User-Id that we gave */
	struct kl_curve_pk stranger; /* key of the proof */
	bool stranger_refused;
	struct kl_link *next;

	/* client */
	struct kl_secret *own;
	struct kl_curve_pk own_pk;
	struct kl_curve_pk server_pk;
	enum kl_link_state state;
	int64_t backoff_ms;
	int64_t reopen_ms; /* monotonic, when sock is NULL */
};

/* libzmq wants one context for the life of a process, and there the ZAP
 * handler has one fixed address for all servers. */
static struct {
	void *ctx;
	void *zap;
	struct kl_link *servers;
	unsigned serial;
} process;

/* ---- options, all set before bind or connect ----------------------------- */

struct option {
	int name;
	int value;
};

static const struct option options_common[] = {
	{ ZAP_ENFORCE_DOMAIN, 1 },
	{ ZMQ_LINGER, 0 },
	{ ZMQ_HANDSHAKE_IVL, 5000 },
	{ ZMQ_HEARTBEAT_IVL, 30000 },
	{ ZMQ_HEARTBEAT_TIMEOUT, 30000 },
};

static const struct option options_server[] = {
	{ ZMQ_CURVE_SERVER, 1 },
	{ ZMQ_ROUTER_MANDATORY, 1 },
	{ ZMQ_ROUTER_HANDOVER, 0 },
	/* Whole messages per peer. */
	{ ZMQ_RCVHWM, 64 },
	{ ZMQ_SNDHWM, 256 },
	{ ZMQ_BACKLOG, 512 },
};

static const struct option options_client[] = {
	{ ZMQ_IMMEDIATE, 1 },
	{ ZMQ_RCVHWM, 256 },
	{ ZMQ_SNDHWM, 256 },
	/* The first retry is quick, so that a restart of the other side costs
	 * little; each further one while nobody listens doubles the wait. A
	 * failed handshake does not make libzmq wait longer: see reopening. */
	{ ZMQ_RECONNECT_IVL, 100 },
	{ ZMQ_RECONNECT_IVL_MAX, 60000 },
	/* For firewalls that drop: the system itself would take minutes. */
	{ ZMQ_CONNECT_TIMEOUT, 10000 },
};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static int
options_set(void *sock, const struct option *o, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (zmq_setsockopt(
			sock, o[i].name, &o[i].value, sizeof o[i].value) == -1)
			return KL_E_SYSTEM;
	return KL_OK;
}

static int
options_set_common(void *sock, const char *domain, const char *endpoint)
{
	const int64_t size_max = KL_LINK_MAX;
	const int ipv6 = strchr(endpoint, '[') != NULL;

	if (zmq_setsockopt(sock, ZMQ_ZAP_DOMAIN, domain, strlen(domain)) ==
		-1 ||
	    zmq_setsockopt(sock, ZMQ_MAXMSGSIZE, &size_max, sizeof size_max) ==
		-1 ||
	    zmq_setsockopt(sock, ZMQ_IPV6, &ipv6, sizeof ipv6) == -1)
		return KL_E_SYSTEM;
	return options_set(sock, options_common, COUNT(options_common));
}

/* ---- process and keys ---------------------------------------------------- */

int
kl_link_init(void)
{
	int major, minor, patch;

	if (process.ctx != NULL)
		return KL_OK;
	zmq_version(&major, &minor, &patch);
	if (major * 10000 + minor * 100 + patch < 40304 || !zmq_has("curve")) {
		errno = ENOTSUP;
		return KL_E_SYSTEM;
	}
	/* libzmq draws routing ids and jitter from rand(), never seeded. */
	srand(kl_random_below(UINT32_MAX));
	process.ctx = zmq_ctx_new();
	return process.ctx == NULL ? KL_E_SYSTEM : KL_OK;
}

int
kl_curve_public(const struct kl_secret *sk, struct kl_curve_pk *pk)
{
	char sk_text[Z85_KEY_CHARS], pk_text[Z85_KEY_CHARS];
	struct kl_bytes b = kl_secret_bytes(sk);
	int r = KL_OK;

	if (b.n != CURVE_KEY_BYTES)
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

	*sk = kl_secret_random(CURVE_KEY_BYTES);
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

static int
watch(const struct kl_link *l, void *sock)
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

static void *
monitor_open(void *sock, int events)
{
	const int linger = 0;
	char name[48];
	void *m;

	snprintf(name, sizeof name, "inproc://kortelijn-monitor-%u",
	    process.serial++);
	if (zmq_socket_monitor(sock, name, events) == -1)
		return NULL;
	m = zmq_socket(process.ctx, ZMQ_PAIR);
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
static bool
monitor_read(void *monitor, int *event)
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

static void
sock_close(void *sock, void *monitor)
{
	if (monitor != NULL) {
		(void)zmq_socket_monitor(sock, NULL, 0);
		zmq_close(monitor);
	}
	if (sock != NULL)
		zmq_close(sock);
}

static void
link_shut(struct kl_link *l)
{
	if (l->monitor != NULL)
		unwatch(l, l->monitor);
	if (l->sock != NULL)
		unwatch(l, l->sock);
	sock_close(l->sock, l->monitor);
	l->sock = NULL;
	l->monitor = NULL;
}

static struct kl_link *
link_new(const char *endpoint)
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

/* ---- ZAP: who may in (RFC 27) -------------------------------------------- */

enum {
	ZAP_VERSION,
	ZAP_ID,
	ZAP_DOMAIN,
	ZAP_ADDRESS,
	ZAP_IDENTITY,
	ZAP_MECHANISM,
	ZAP_KEY,
	ZAP_FRAMES
};

struct zap_frame {
	uint8_t b[64];
	size_t n;
};

/* False: nothing waits. No key: not a request as libzmq makes them. */
static bool
zap_read(struct zap_frame f[ZAP_FRAMES])
{
	size_t n = 0;
	int more = 1, len;
	size_t size = sizeof more;
	bool ok = true;

	while (more != 0) {
		struct zap_frame spare, *to = n < ZAP_FRAMES ? &f[n] : &spare;

		len = zmq_recv(process.zap, to->b, sizeof to->b, ZMQ_DONTWAIT);
		if (len == -1 || zmq_getsockopt(process.zap, ZMQ_RCVMORE, &more,
				     &size) == -1)
			return false;
		to->n = (size_t)len;
		if (to->n > sizeof to->b) {
			/* Only the address and the route of the peer may be
			 * so long, and neither is used. */
			to->n = 0;
			ok = ok && (n == ZAP_ADDRESS || n == ZAP_IDENTITY);
		}
		n++;
	}
	if (n <= ZAP_ID)
		f[ZAP_ID].n = 0;
	if (!ok || n != ZAP_FRAMES)
		f[ZAP_KEY].n = 0;
	return true;
}

static bool
zap_frame_is(const struct zap_frame *f, const char *text)
{
	return kl_bytes_equal(kl_bytes(f->b, f->n), kl_bytes_str(text));
}

static struct kl_link *
zap_server(const struct zap_frame *domain)
{
	struct kl_link *l = process.servers;

	while (l != NULL && !zap_frame_is(domain, l->domain))
		l = l->next;
	return l;
}

static void
zap_reply(const struct zap_frame *id, const char *status, const char *user_id)
{
	const struct kl_bytes f[] = {
		kl_bytes_str("1.0"),
		kl_bytes(id->b, id->n),
		kl_bytes_str(status),
		kl_bytes_str(""),
		kl_bytes_str(user_id),
		kl_bytes_str(""),
	};

	/* A lost reply ends in the time-out of that handshake: it fails
	 * closed. */
	for (size_t i = 0; i < COUNT(f); i++)
		(void)zmq_send(process.zap, f[i].p, f[i].n,
		    ZMQ_DONTWAIT | (i + 1 < COUNT(f) ? ZMQ_SNDMORE : 0));
}

static enum kl_link_verdict
zap_judge(struct kl_link *l, const struct zap_frame f[ZAP_FRAMES],
    char user_id[USER_ID_CHARS + 1])
{
	enum kl_link_verdict v;
	struct kl_curve_pk pk;

	memcpy(pk.b, f[ZAP_KEY].b, sizeof pk.b);
	v = l->conf.admit(l->conf.arg, &pk);
	if (v != KL_LINK_ALLOW) {
		l->counts.handshakes_refused++;
		if (!kl_bytes_equal(KL_BYTES_OF(pk), KL_BYTES_OF(l->stranger)))
			return v;
		/* "Not now" may stay unanswered until the handshake times
		 * out: too long for the proof. */
		l->stranger_refused = true;
		return KL_LINK_NEVER;
	}
	memcpy(user_id, l->tag, TAG_CHARS);
	kl_hex(KL_BYTES_OF(pk), user_id + TAG_CHARS);
	return v;
}

/* One request; false: nothing waits. */
static bool
zap_serve(void)
{
	static const char *const status[] = {
		[KL_LINK_ALLOW] = "200",
		[KL_LINK_NOT_NOW] = "300",
		[KL_LINK_NEVER] = "400",
	};
	struct zap_frame f[ZAP_FRAMES];
	char user_id[USER_ID_CHARS + 1] = "";
	enum kl_link_verdict v = KL_LINK_NOT_NOW;
	struct kl_link *l;

	if (process.zap == NULL || !zap_read(f))
		return false;
	if (f[ZAP_KEY].n == CURVE_KEY_BYTES &&
	    zap_frame_is(&f[ZAP_VERSION], "1.0") &&
	    zap_frame_is(&f[ZAP_MECHANISM], "CURVE") &&
	    (l = zap_server(&f[ZAP_DOMAIN])) != NULL)
		v = zap_judge(l, f, user_id);
	zap_reply(&f[ZAP_ID], status[v], user_id);
	return true;
}

static int
zap_open(void)
{
	const int linger = 0;
	void *zap;

	if (process.zap != NULL)
		return KL_OK;
	zap = zmq_socket(process.ctx, ZMQ_REP);
	if (zap == NULL)
		return KL_E_SYSTEM;
	if (zmq_setsockopt(zap, ZMQ_LINGER, &linger, sizeof linger) == -1 ||
	    zmq_bind(zap, ZAP_ENDPOINT) == -1) {
		zmq_close(zap);
		return KL_E_SYSTEM;
	}
	process.zap = zap;
	return KL_OK;
}

/* Each session of a server ends only when the ZAP socket has taken its leave
 * too: with nobody left to serve it, connections would stay open. */
static void
zap_close(void)
{
	if (process.zap == NULL)
		return;
	(void)zmq_unbind(process.zap, ZAP_ENDPOINT);
	zmq_close(process.zap);
	process.zap = NULL;
}

void
kl_link_close(struct kl_link *l)
{
	struct kl_link **p = &process.servers;

	if (l == NULL)
		return;
	while (*p != NULL && *p != l)
		p = &(*p)->next;
	if (*p != NULL)
		*p = l->next;
	parts_clear(l);
	link_shut(l);
	if (process.servers == NULL)
		zap_close();
	close(l->epoll);
	kl_secret_free(l->own);
	free(l);
}

/* ---- client -------------------------------------------------------------- */

static int
client_socket(const struct kl_link *l, const struct kl_secret *own,
    const struct kl_curve_pk *own_pk, void **out)
{
	struct kl_bytes sk = kl_secret_bytes(own);
	void *s = zmq_socket(process.ctx, ZMQ_DEALER);

	*out = NULL;
	if (s == NULL)
		return KL_E_SYSTEM;
	if (options_set_common(s, "kortelijn", l->endpoint) != KL_OK ||
	    options_set(s, options_client, COUNT(options_client)) != KL_OK ||
	    zmq_setsockopt(s, ZMQ_CURVE_SERVERKEY, l->server_pk.b,
		sizeof l->server_pk.b) == -1 ||
	    zmq_setsockopt(
		s, ZMQ_CURVE_PUBLICKEY, own_pk->b, sizeof own_pk->b) == -1 ||
	    zmq_setsockopt(s, ZMQ_CURVE_SECRETKEY, sk.p, sk.n) == -1) {
		zmq_close(s);
		return KL_E_SYSTEM;
	}
	*out = s;
	return KL_OK;
}

static int
client_open(struct kl_link *l)
{
	int r = client_socket(l, l->own, &l->own_pk, &l->sock);

	if (r != KL_OK)
		return r;
	l->monitor = monitor_open(l->sock,
	    ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
		ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
		ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
		ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_DISCONNECTED);
	if (l->monitor == NULL || watch(l, l->sock) != KL_OK ||
	    watch(l, l->monitor) != KL_OK) {
		link_shut(l);
		return KL_E_SYSTEM;
	}
	if (zmq_connect(l->sock, l->endpoint) == -1) {
		r = errno == EINVAL || errno == EPROTONOSUPPORT ? KL_E_VALUE
								: KL_E_SYSTEM;
		link_shut(l);
		return r;
	}
	l->state = KL_LINK_CONNECTING;
	return KL_OK;
}

static void
client_wait(struct kl_link *l)
{
	int64_t half_ms = l->backoff_ms / 2;

	link_shut(l);
	l->reopen_ms =
	    kl_mono_ms() + half_ms + kl_random_below((uint32_t)half_ms + 1);
	l->backoff_ms = l->backoff_ms < BACKOFF_MAX_MS / 2 ? 2 * l->backoff_ms
							   : BACKOFF_MAX_MS;
}

static void
client_event(struct kl_link *l, int event)
{
	switch (event) {
	case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
		l->state = KL_LINK_UP;
		l->counts.connected++;
		l->backoff_ms = BACKOFF_FIRST_MS;
		break;
	case ZMQ_EVENT_DISCONNECTED: l->state = KL_LINK_DOWN; break;
	default: l->state = KL_LINK_REFUSED; break;
	}
}

static void
client_work(struct kl_link *l)
{
	int event;

	for (int i = 0; i < WORK_BATCH && l->sock != NULL &&
			monitor_read(l->monitor, &event);
	     i++) {
		client_event(l, event);
		/* After "never" libzmq stops for good, after "not now" it
		 * comes back several times a second: neither will do. */
		if (l->state == KL_LINK_REFUSED)
			client_wait(l);
	}
	if (l->sock == NULL && kl_mono_ms() >= l->reopen_ms &&
	    client_open(l) != KL_OK)
		client_wait(l);
}

int
kl_link_connect(const char *endpoint, const struct kl_curve_pk *server,
    const struct kl_secret *own, struct kl_link **out)
{
	struct kl_link *l;
	int r;

	*out = NULL;
	assert(process.ctx != NULL);
	if (strlen(endpoint) >= ENDPOINT_CHARS)
		return KL_E_VALUE;
	l = link_new(endpoint);
	if (l == NULL)
		return KL_E_MEMORY;
	l->server_pk = *server;
	l->backoff_ms = BACKOFF_FIRST_MS;
	r = kl_curve_public(own, &l->own_pk);
	if (r == KL_OK) {
		l->own = kl_secret_copy(kl_secret_bytes(own));
		r = l->own == NULL ? KL_E_MEMORY : client_open(l);
	}
	if (r != KL_OK) {
		kl_link_close(l);
		return r;
	}
	*out = l;
	return KL_OK;
}

enum kl_link_state
kl_link_state(struct kl_link *l)
{
	client_work(l);
	return l->state;
}

/* ---- server -------------------------------------------------------------- */

/* Until the stranger's handshake has ended, one way or the other. */
static int
proof_wait(const struct kl_link *l, void *stranger_monitor)
{
	int64_t end_ms = kl_mono_ms() + PROOF_MS, now_ms;
	int event;

	while ((now_ms = kl_mono_ms()) < end_ms) {
		zmq_pollitem_t item[] = {
			{ .socket = process.zap, .events = ZMQ_POLLIN },
			{ .socket = stranger_monitor, .events = ZMQ_POLLIN },
		};

		if (zmq_poll(item, 2, (long)(end_ms - now_ms)) == -1 &&
		    errno != EINTR)
			return KL_E_SYSTEM;
		while (zap_serve())
			continue;
		if (!monitor_read(stranger_monitor, &event))
			continue;
		if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
			return KL_E_DENIED;
		return l->stranger_refused ? KL_OK : KL_E_DENIED;
	}
	return KL_E_DENIED;
}

/* l has server key, domain and ZAP, but is bound nowhere yet. */
static int
proof_run(struct kl_link *l, const char *address)
{
	struct kl_secret *sk = NULL;
	void *s = NULL, *m = NULL;
	int r;

	r = kl_curve_keypair(&l->stranger, &sk);
	if (r == KL_OK)
		r = client_socket(l, sk, &l->stranger, &s);
	if (r != KL_OK)
		goto out;
	m = monitor_open(s, ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
				ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
				ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
				ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
	if (m == NULL || zmq_connect(s, address) == -1)
		r = KL_E_SYSTEM;
	else
		r = proof_wait(l, m);
out:
	sock_close(s, m);
	kl_secret_free(sk);
	memset(&l->stranger, 0, sizeof l->stranger);
	return r;
}

static int
server_prove(struct kl_link *l)
{
	char address[96], hex[TAG_CHARS + 1];
	uint8_t name[TAG_BYTES];
	int r;

	kl_random(name, sizeof name);
	kl_hex(KL_BYTES_OF(name), hex);
	snprintf(address, sizeof address, "ipc://@kortelijn-proof-%s", hex);
	if (zmq_bind(l->sock, address) == -1)
		return KL_E_SYSTEM;
	r = proof_run(l, address);
	if (zmq_unbind(l->sock, address) == -1 && r == KL_OK)
		r = KL_E_SYSTEM;
	return r;
}

static int
server_socket(struct kl_link *l)
{
	struct kl_bytes sk = kl_secret_bytes(l->conf.sk);
	uint8_t tag[TAG_BYTES];

	kl_random(tag, sizeof tag);
	kl_hex(KL_BYTES_OF(tag), l->tag);
	snprintf(l->domain, sizeof l->domain, "kortelijn-%u", process.serial++);
	l->sock = zmq_socket(process.ctx, ZMQ_ROUTER);
	if (l->sock == NULL ||
	    options_set_common(l->sock, l->domain, l->endpoint) != KL_OK ||
	    options_set(l->sock, options_server, COUNT(options_server)) !=
		KL_OK ||
	    zmq_setsockopt(l->sock, ZMQ_CURVE_SECRETKEY, sk.p, sk.n) == -1)
		return KL_E_SYSTEM;
	return KL_OK;
}

static int
server_watch(struct kl_link *l)
{
	l->monitor = monitor_open(l->sock,
	    ZMQ_EVENT_ACCEPT_FAILED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
		ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL);
	if (l->monitor == NULL || watch(l, l->sock) != KL_OK ||
	    watch(l, l->monitor) != KL_OK || watch(l, process.zap) != KL_OK)
		return KL_E_SYSTEM;
	return KL_OK;
}

static int
server_bind(struct kl_link *l)
{
	size_t n = sizeof l->endpoint;

	if (zmq_bind(l->sock, l->conf.endpoint) == -1)
		return errno == EINVAL || errno == EPROTONOSUPPORT
			   ? KL_E_VALUE
			   : KL_E_SYSTEM;
	if (zmq_getsockopt(l->sock, ZMQ_LAST_ENDPOINT, l->endpoint, &n) == -1)
		return KL_E_SYSTEM;
	return KL_OK;
}

static int
server_open(struct kl_link *l)
{
	int r;

	if ((r = zap_open()) != KL_OK)
		return r;
	if ((r = kl_curve_public(l->conf.sk, &l->server_pk)) != KL_OK)
		return r;
	if ((r = server_socket(l)) != KL_OK)
		return r;
	l->next = process.servers;
	process.servers = l;
	if ((r = server_prove(l)) != KL_OK)
		return r;
	l->counts = (struct kl_link_counts){ 0 };
	if ((r = server_watch(l)) != KL_OK)
		return r;
	return server_bind(l);
}

int
kl_link_serve(const struct kl_link_server *conf, struct kl_link **out)
{
	struct kl_link *l;
	int r, saved;

	*out = NULL;
	assert(process.ctx != NULL && conf->admit != NULL);
	if (strlen(conf->endpoint) >= ENDPOINT_CHARS)
		return KL_E_VALUE;
	l = link_new(conf->endpoint);
	if (l == NULL)
		return KL_E_MEMORY;
	l->conf = *conf;
	r = server_open(l);
	/* The caller keeps these; only admit and arg are ours from here. */
	l->conf.endpoint = NULL;
	l->conf.sk = NULL;
	if (r != KL_OK) {
		saved = errno;
		kl_link_close(l);
		errno = saved;
		return r;
	}
	*out = l;
	return KL_OK;
}

static void
server_work(struct kl_link *l)
{
	int event;

	for (int i = 0; i < WORK_BATCH && zap_serve(); i++)
		continue;
	for (int i = 0; i < WORK_BATCH && monitor_read(l->monitor, &event); i++)
		if (event == ZMQ_EVENT_ACCEPT_FAILED)
			l->counts.accept_failed++;
		else
			l->counts.handshakes_failed++;
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
		server_work(l);
	else
		client_work(l);
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
	zap = is_server(l) && has_input(process.zap);
	return sock || monitor || zap;
}

int64_t
kl_link_wait_ms(struct kl_link *l)
{
	int64_t now_ms;

	if (kl_link_ready(l))
		return 0;
	if (l->sock != NULL)
		return -1;
	now_ms = kl_mono_ms();
	return l->reopen_ms > now_ms ? l->reopen_ms - now_ms : 0;
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

	if (id == NULL || strlen(id) != USER_ID_CHARS ||
	    !kl_secret_equal(
		kl_bytes(id, TAG_CHARS), kl_bytes(l->tag, TAG_CHARS)))
		return KL_E_DENIED;
	return kl_hex_read(id + TAG_CHARS, peer->b, sizeof peer->b);
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
	for (int i = 0; i < WORK_BATCH; i++) {
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
