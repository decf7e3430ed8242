/* The listening half of link.h, and its doorkeeper. */
#include "proto/host/link_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/loop.h>

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define PROOF_MS (5 * KL_SECOND_MS)

static const struct link_option options_server[] = {
	{ ZMQ_CURVE_SERVER, 1 },
	{ ZMQ_ROUTER_MANDATORY, 1 },
	{ ZMQ_ROUTER_HANDOVER, 0 },
	/* Whole messages per peer. */
	{ ZMQ_RCVHWM, 64 },
	{ ZMQ_SNDHWM, 256 },
	{ ZMQ_BACKLOG, 512 },
};

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

		len = zmq_recv(kl_link_process.zap, to->b, sizeof to->b,
		    ZMQ_DONTWAIT);
		if (len == -1 || zmq_getsockopt(kl_link_process.zap,
		    ZMQ_RCVMORE, &more, &size) == -1)
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
	struct kl_link *l = kl_link_process.servers;

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
	for (size_t i = 0; i < LINK_COUNT(f); i++)
		(void)zmq_send(kl_link_process.zap, f[i].p, f[i].n,
		    ZMQ_DONTWAIT | (i + 1 < LINK_COUNT(f) ? ZMQ_SNDMORE : 0));
}

static enum kl_link_verdict
zap_judge(struct kl_link *l, const struct zap_frame f[ZAP_FRAMES],
    char user_id[LINK_USER_ID_CHARS + 1])
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
	memcpy(user_id, l->tag, LINK_TAG_CHARS);
	kl_hex(KL_BYTES_OF(pk), user_id + LINK_TAG_CHARS);
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
	char user_id[LINK_USER_ID_CHARS + 1] = "";
	enum kl_link_verdict v = KL_LINK_NOT_NOW;
	struct kl_link *l;

	if (kl_link_process.zap == NULL || !zap_read(f))
		return false;
	if (f[ZAP_KEY].n == LINK_CURVE_KEY_BYTES &&
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

	if (kl_link_process.zap != NULL)
		return KL_OK;
	zap = zmq_socket(kl_link_process.ctx, ZMQ_REP);
	if (zap == NULL)
		return KL_E_SYSTEM;
	if (zmq_setsockopt(zap, ZMQ_LINGER, &linger, sizeof linger) == -1 ||
	    zmq_bind(zap, ZAP_ENDPOINT) == -1) {
		zmq_close(zap);
		return KL_E_SYSTEM;
	}
	kl_link_process.zap = zap;
	return KL_OK;
}

/* Each session of a server ends only when the ZAP socket has taken its leave
 * too: with nobody left to serve it, connections would stay open. */
void
kl_link_server_gone(void)
{
	if (kl_link_process.zap == NULL)
		return;
	(void)zmq_unbind(kl_link_process.zap, ZAP_ENDPOINT);
	zmq_close(kl_link_process.zap);
	kl_link_process.zap = NULL;
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
			{ .socket = kl_link_process.zap, .events = ZMQ_POLLIN },
			{ .socket = stranger_monitor, .events = ZMQ_POLLIN },
		};

		if (zmq_poll(item, 2, (long)(end_ms - now_ms)) == -1 &&
		    errno != EINTR)
			return KL_E_SYSTEM;
		while (zap_serve())
			continue;
		if (!kl_link_monitor_read(stranger_monitor, &event))
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
		r = kl_link_client_socket(l, sk, &l->stranger, &s);
	if (r != KL_OK)
		goto out;
	m = kl_link_monitor_open(s, ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
				ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
				ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
				ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
	if (m == NULL || zmq_connect(s, address) == -1)
		r = KL_E_SYSTEM;
	else
		r = proof_wait(l, m);
out:
	kl_link_sock_close(s, m);
	kl_secret_free(sk);
	memset(&l->stranger, 0, sizeof l->stranger);
	return r;
}

static int
server_prove(struct kl_link *l)
{
	char address[96], hex[LINK_TAG_CHARS + 1];
	uint8_t name[LINK_TAG_BYTES];
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
	uint8_t tag[LINK_TAG_BYTES];

	kl_random(tag, sizeof tag);
	kl_hex(KL_BYTES_OF(tag), l->tag);
	snprintf(l->domain, sizeof l->domain, "kortelijn-%u",
	    kl_link_process.serial++);
	l->sock = zmq_socket(kl_link_process.ctx, ZMQ_ROUTER);
	if (l->sock == NULL ||
	    kl_link_options_common(l->sock, l->domain, l->endpoint) != KL_OK ||
	    kl_link_options(l->sock, options_server,
		LINK_COUNT(options_server)) !=
		KL_OK ||
	    zmq_setsockopt(l->sock, ZMQ_CURVE_SECRETKEY, sk.p, sk.n) == -1)
		return KL_E_SYSTEM;
	return KL_OK;
}

static int
server_watch(struct kl_link *l)
{
	l->monitor = kl_link_monitor_open(l->sock,
	    ZMQ_EVENT_ACCEPT_FAILED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
		ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL);
	if (l->monitor == NULL || kl_link_watch(l, l->sock) != KL_OK ||
	    kl_link_watch(l, l->monitor) != KL_OK ||
	    kl_link_watch(l, kl_link_process.zap) != KL_OK)
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
	l->next = kl_link_process.servers;
	kl_link_process.servers = l;
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
	assert(kl_link_process.ctx != NULL && conf->admit != NULL);
	if (strlen(conf->endpoint) >= LINK_ENDPOINT_CHARS)
		return KL_E_VALUE;
	l = kl_link_new(conf->endpoint);
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

void
kl_link_server_work(struct kl_link *l)
{
	int event;

	for (int i = 0; i < LINK_WORK_BATCH && zap_serve(); i++)
		continue;
	for (int i = 0; i < LINK_WORK_BATCH &&
	    kl_link_monitor_read(l->monitor, &event); i++)
		if (event == ZMQ_EVENT_ACCEPT_FAILED)
			l->counts.accept_failed++;
		else
			l->counts.handshakes_failed++;
}
