/* The connecting half of link.h. */
#include "proto/host/link_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/loop.h>

#define BACKOFF_FIRST_MS (2 * KL_SECOND_MS)
#define BACKOFF_MAX_MS KL_MINUTE_MS
/* With another address to go to: a machine that stands in must be found
 * within a minute, whatever the first one answers. */
#define BACKOFF_OTHER_MS (10 * KL_SECOND_MS)
#define TRY_MS (5 * KL_SECOND_MS)	/* for an address that is silent, */
#define TRY_CLOSED_MS 250		/* and at first where nobody listens */

static const struct link_option options_client[] = {
	{ ZMQ_IMMEDIATE, 1 },
	{ ZMQ_RCVHWM, 256 },
	{ ZMQ_SNDHWM, 256 },
	/* The first retry is quick, so that a restart of the other side costs
	 * little; each further one while nobody listens doubles the wait. A
	 * failed handshake does not make libzmq wait longer: see reopening. */
	{ ZMQ_RECONNECT_IVL, 100 },
	{ ZMQ_RECONNECT_IVL_MAX, 10000 },
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

/* The i-th line of all. */
static void
endpoint_take(struct kl_link *l, size_t i)
{
	const char *line = l->all;

	l->at = i;
	while (i-- > 0)
		line += strcspn(line, "\n") + 1;
	(void)snprintf(l->endpoint, sizeof l->endpoint, "%.*s",
	    (int)strcspn(line, "\n"), line);
}

static int
endpoints_take(struct kl_link *l, const char *all)
{
	const char *line = all;
	size_t n;

	for (;;) {
		n = strcspn(line, "\n");
		if (n == 0 || n >= sizeof l->endpoint ||
		    l->n_endpoints == KL_LINK_ENDPOINTS_MAX)
			return KL_E_VALUE;
		l->n_endpoints++;
		if (line[n] == '\0')
			break;
		line += n + 1;
	}
	/* Each line fits, so all of them do. */
	(void)snprintf(l->all, sizeof l->all, "%s", all);
	endpoint_take(l, 0);
	return KL_OK;
}

/* How long this address may take to come up. */
static void
try_begin(struct kl_link *l)
{
	l->try_ms = l->n_endpoints > 1 ? kl_mono_ms() + TRY_MS : INT64_MAX;
}

/* Nobody listens there: on to the next one soon, and each time later, since
 * nobody may listen anywhere for days. */
static void
try_shorten(struct kl_link *l)
{
	const int64_t until_ms = kl_mono_ms() + l->closed_ms;

	if (l->n_endpoints < 2 || until_ms >= l->try_ms)
		return;
	l->try_ms = until_ms;
	l->closed_ms = l->closed_ms < TRY_MS / 2 ? 2 * l->closed_ms : TRY_MS;
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
		ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_DISCONNECTED |
		ZMQ_EVENT_CLOSED);
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
	try_begin(l);
	return KL_OK;
}

static void
client_wait(struct kl_link *l)
{
	const int64_t half_ms = l->backoff_ms / 2;
	const int64_t max_ms =
	    l->n_endpoints > 1 ? BACKOFF_OTHER_MS : BACKOFF_MAX_MS;

	kl_link_shut(l);
	endpoint_take(l, (l->at + 1) % l->n_endpoints);
	l->reopen_ms =
	    kl_mono_ms() + half_ms + kl_random_below((uint32_t)half_ms + 1);
	l->backoff_ms =
	    l->backoff_ms < max_ms / 2 ? 2 * l->backoff_ms : max_ms;
}

/* Nobody there, or nobody any more. */
static void
client_next(struct kl_link *l)
{
	kl_link_shut(l);
	endpoint_take(l, (l->at + 1) % l->n_endpoints);
	if (client_open(l) != KL_OK)
		client_wait(l);
}

void
kl_link_leave(struct kl_link *l)
{
	l->state = KL_LINK_DOWN;
	client_wait(l);
}

static void
client_event(struct kl_link *l, int event)
{
	switch (event) {
	case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
		l->state = KL_LINK_UP;
		l->counts.connected++;
		l->backoff_ms = BACKOFF_FIRST_MS;
		l->closed_ms = TRY_CLOSED_MS;
		l->try_ms = INT64_MAX;
		break;
	case ZMQ_EVENT_CLOSED: try_shorten(l); break;
	case ZMQ_EVENT_DISCONNECTED:
		l->state = KL_LINK_DOWN;
		try_begin(l);
		break;
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
	if (l->sock != NULL && kl_mono_ms() >= l->try_ms)
		client_next(l);
	if (l->sock == NULL && kl_mono_ms() >= l->reopen_ms &&
	    client_open(l) != KL_OK)
		client_wait(l);
}

int
kl_link_connect(const char *endpoints, const struct kl_curve_pk *server,
    const struct kl_secret *own, struct kl_link **out)
{
	struct kl_link *l;
	int r;

	*out = NULL;
	assert(kl_link_process.ctx != NULL);
	l = kl_link_new("");
	if (l == NULL)
		return KL_E_MEMORY;
	l->server_pk = *server;
	l->backoff_ms = BACKOFF_FIRST_MS;
	l->closed_ms = TRY_CLOSED_MS;
	r = endpoints_take(l, endpoints);
	if (r == KL_OK)
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
