/*
 * link.h: ZeroMQ with CURVE, both ends. The only home of <zmq.h>.
 *
 * Identity is the CURVE key that the handshake proved, never anything a peer
 * writes. Every limit is set before bind or connect.
 */
#ifndef KORTELIJN_HOST_LINK_H
#define KORTELIJN_HOST_LINK_H

#include <stdbool.h>

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/types.h>
#include <kortelijn/crypto/secret.h>

#define KL_LINK_FRAMES_MAX 6	/* of one message, without the route */

struct kl_link;			/* a socket and all that belongs to it */

struct kl_route { uint8_t b[16]; size_t n; };	/* of one connection */

struct kl_link_message {
	struct kl_route route;		/* server only */
	struct kl_curve_pk peer;	/* server only: who the handshake proved */
	size_t n;
	struct kl_bytes frame[KL_LINK_FRAMES_MAX];	/* until the next recv */
};

/* Sizes: KL_LINK_MAX bytes a frame, above KL_FRAME_MAX so that a frame that is
 * a little too large can be answered instead of cut off. */
#define KL_LINK_MAX 20480

/* Before any link, once in a process. KL_E_SYSTEM: libzmq is older than 4.3.4
 * or its context cannot be made. The context lives as long as the process. */
int kl_link_init(void) KL_MUST_CHECK;

int kl_curve_keypair(struct kl_curve_pk *pk, struct kl_secret **sk)
    KL_MUST_CHECK;
int kl_curve_public(const struct kl_secret *sk, struct kl_curve_pk *pk)
    KL_MUST_CHECK;

/* What a key may do at the handshake. */
enum kl_link_verdict {
	KL_LINK_ALLOW,
	KL_LINK_NOT_NOW,	/* the peer tries again */
	KL_LINK_NEVER,		/* the peer gives up: only for revoked keys */
};

struct kl_link_server {
	const char *endpoint;		/* "tcp://127.0.0.1:7700" */
	const struct kl_secret *sk;	/* CURVE server key */
	enum kl_link_verdict (*admit)(void *arg, const struct kl_curve_pk *pk);
	void *arg;
};

/* Binds ZAP first, enforces it, and proves with a random key that an unknown
 * key is refused before it answers KL_OK. KL_E_SYSTEM (errno: address in use,
 * ...), KL_E_DENIED: the proof failed. */
int kl_link_serve(const struct kl_link_server *conf, struct kl_link **out)
    KL_MUST_CHECK;
/* Connects with own key to the server of that key. KL_E_VALUE, KL_E_SYSTEM. */
int kl_link_connect(const char *endpoint, const struct kl_curve_pk *server,
    const struct kl_secret *own, struct kl_link **out) KL_MUST_CHECK;
void kl_link_close(struct kl_link *l);
/* The address bound to, for port 0. Static until close. */
const char *kl_link_endpoint(const struct kl_link *l);

/* For the loop: several descriptors may belong to a link (socket, ZAP,
 * monitor). Fills up to max; answers how many. */
size_t kl_link_fds(struct kl_link *l, int *fd, size_t max);
/* True when recv would find something or the link has inner work: call
 * before poll, since the descriptors are edge-triggered. */
bool kl_link_ready(struct kl_link *l);
/* Serves handshakes and takes the next message. KL_E_EMPTY: nothing waits.
 * Messages with a wrong number of frames or without a proven key are dropped
 * and counted. */
int kl_link_recv(struct kl_link *l, struct kl_link_message *m) KL_MUST_CHECK;
/* Never blocks. route: NULL on a client. KL_E_NOT_FOUND: the peer is gone;
 * KL_E_AGAIN: its queue is full, or (client) not connected. */
int kl_link_send(struct kl_link *l, const struct kl_route *route,
    const struct kl_bytes *frames, size_t n) KL_MUST_CHECK;

enum kl_link_state {
	KL_LINK_CONNECTING,
	KL_LINK_UP,
	KL_LINK_REFUSED,	/* the server said: not now, or never */
	KL_LINK_DOWN,		/* connection lost, reconnecting */
};
/* Client: as the monitor saw it last. */
enum kl_link_state kl_link_state(struct kl_link *l);

struct kl_link_counts {
	uint64_t dropped;		/* messages without key or with bad frames */
	uint64_t handshakes_refused;
	uint64_t accept_failed;		/* out of descriptors */
};
struct kl_link_counts kl_link_counts(const struct kl_link *l);

#endif
