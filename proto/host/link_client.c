/* The connecting half of link.h. */
#include "proto/host/link_priv.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/loop.h>

#define BACKOFF_FIRST_MS (2 * KL_SECOND_MS)
#define BACKOFF_MAX_MS KL_MINUTE_MS

static const struct link_option options_client[] = {
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

int
kl_link_client_socket(const struct kl_link *l, const struct kl_secret *own,
    const struct kl_curve_pk *own_pk, void **out)
{
	struct kl_bytes sk = kl_secret_bytes(own);
	void *s = zmq_socket(kl_link_process.ctx, ZMQ_DEALER);

	*out = NULL;
	if (s == NULL)
		return KL_E_SYSTEM;
	if (kl_link_options_common(s, "kortelijn", l->endpoint) != KL_OK ||
	    kl_link_options(s, options_client, LINK_COUNT(options_client)) !=
		KL_OK ||
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
	int r = kl_link_client_socket(l, l->own, &l->own_pk, &l->sock);

	if (r != KL_OK)
		return r;
	l->monitor = kl_link_monitor_open(l->sock,
	    ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
		ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
		ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
		ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_DISCONNECTED);
	if (l->monitor == NULL || kl_link_watch(l, l->sock) != KL_OK ||
	    kl_link_watch(l, l->monitor) != KL_OK) {
		kl_link_shut(l);
		return KL_E_SYSTEM;
	}
	if (zmq_connect(l->sock, l->endpoint) == -1) {
		r = errno == EINVAL || errno == EPROTONOSUPPORT ? KL_E_VALUE
								: KL_E_SYSTEM;
		kl_link_shut(l);
		return r;
	}
	l->state = KL_LINK_CONNECTING;
	return KL_OK;
}

static void
client_wait(struct kl_link *l)
{
	int64_t half_ms = l->backoff_ms / 2;

	kl_link_shut(l);
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
	case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
		l->state = KL_LINK_SILENT;
		break;
	default: l->state = KL_LINK_REFUSED; break;
	}
}

void
kl_link_client_work(struct kl_link *l)
{
	int event;

	for (int i = 0; i < LINK_WORK_BATCH && l->sock != NULL &&
			kl_link_monitor_read(l->monitor, &event);
	     i++) {
		client_event(l, event);
		/* After "never" libzmq stops for good, after "not now" it
		 * comes back several times a second: neither will do. */
		if (l->state == KL_LINK_REFUSED || l->state == KL_LINK_SILENT)
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
	assert(kl_link_process.ctx != NULL);
	if (strlen(endpoint) >= LINK_ENDPOINT_CHARS)
		return KL_E_VALUE;
	l = kl_link_new(endpoint);
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
	kl_link_client_work(l);
	return l->state;
}
