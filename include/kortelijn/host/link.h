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
	struct kl_curve_pk peer;	/* server only: proved by handshake */
	size_t n;
	struct kl_bytes frame[KL_LINK_FRAMES_MAX];	/* until next recv */
};

/* A frame on the wire, encrypted, in bytes; above it the connection is cut.
 * It is more than KL_FRAME_MAX so that a frame that is a little too large can
 * be answered instead. */
#define KL_LINK_MAX 20480

/* Before any link, once in a process. KL_E_SYSTEM: libzmq is older than 4.3.4
 * or its context cannot be made. The context lives as long as the process. */
int kl_link_init(void) KL_MUST_CHECK;

/* Secret keys are 32 bytes. KL_E_VALUE: sk is not; KL_E_MEMORY. */
int kl_curve_keypair(struct kl_curve_pk *pk, struct kl_secret **sk)
    KL_MUST_CHECK;
int kl_curve_public(const struct kl_secret *sk, struct kl_curve_pk *pk)
    KL_MUST_CHECK;

/* What a key may do at the handshake. */
enum kl_link_verdict {
	KL_LINK_ALLOW,
	KL_LINK_NOT_NOW,	/* the peer tries again; it may learn of this
				 * only when its handshake times out, in 5 s */
	KL_LINK_NEVER,		/* the peer gives up: only for revoked keys */
};

struct kl_link_server {
	const char *endpoint;		/* "tcp://127.0.0.1:7700" */
	const struct kl_secret *sk;	/* CURVE server key */
	enum kl_link_verdict (*admit)(void *arg, const struct kl_curve_pk *pk);
	void *arg;
};

/*
 * Binds ZAP first, enforces it, and proves with a random key, over an abstract
 * Unix socket, that an unknown key is refused; only then it binds the endpoint.
 * So admit is asked before this returns, and may block it for some
 * milliseconds; 5 s at most. Borrows sk for the call, arg until close.
 * KL_E_VALUE: a key or the endpoint has the wrong form; KL_E_MEMORY;
 * KL_E_SYSTEM (errno: address in use, ...); KL_E_DENIED: the proof failed.
 */
int kl_link_serve(const struct kl_link_server *conf, struct kl_link **out)
    KL_MUST_CHECK;
#define KL_LINK_ENDPOINTS_MAX 4		/* of one client */

/* Connects with own key to the server of that key; copies all it needs.
 * `endpoints` is one address, or several, one a line: the same server on
 * machines that stand in for each other. They are tried in turn, from the
 * first on, each for five seconds, until one answers; it is left for the next
 * when it refuses, or is gone for longer than a restart takes.
 * KL_E_VALUE, also for more than KL_LINK_ENDPOINTS_MAX; KL_E_MEMORY,
 * KL_E_SYSTEM. */
int kl_link_connect(const char *endpoints, const struct kl_curve_pk *server,
    const struct kl_secret *own, struct kl_link **out) KL_MUST_CHECK;
/* Client: gives this connection up, because who is there does not answer or
 * is one to leave, and tries the next address, or this one if there is no
 * other, after the wait of a handshake that failed. */
void kl_link_leave(struct kl_link *l);
/* Accepts NULL. */
void kl_link_close(struct kl_link *l);
/* The address bound to, for port 0, or connected to. Valid until close. */
const char *kl_link_endpoint(const struct kl_link *l);

/* For the loop: descriptors to poll for POLLIN. Fills up to max; answers how
 * many. Today that is one, which stays the same until close, also when a
 * client opens its socket again. */
size_t kl_link_fds(struct kl_link *l, int *fd, size_t max);
/* True when recv would find something or the link has inner work: call
 * before poll, since the descriptors are edge-triggered. It serves handshakes,
 * and a client whose handshake failed opens its socket again when the time has
 * come (1 to 60 s, growing, with jitter): libzmq never would after "never". */
bool kl_link_ready(struct kl_link *l);
/* The same as the prepare of a source wants it: 0 when ready, else ms until
 * the socket is opened again, negative: only the descriptor matters. */
int64_t kl_link_wait_ms(struct kl_link *l);
/* Serves handshakes and takes the next message. KL_E_EMPTY: nothing waits.
 * Messages with a wrong number of frames or without a proven key are dropped
 * and counted. */
int kl_link_recv(struct kl_link *l, struct kl_link_message *m) KL_MUST_CHECK;
/* Never blocks; 1 to KL_LINK_FRAMES_MAX frames. route: NULL on a client.
 * KL_E_NOT_FOUND: the peer is gone; KL_E_AGAIN: its queue is full, or (client)
 * not connected; KL_E_SIZE: the other end would cut the connection;
 * KL_E_MEMORY. KL_OK proves nothing about the other end. */
int kl_link_send(struct kl_link *l, const struct kl_route *route,
    const struct kl_bytes *frames, size_t n) KL_MUST_CHECK;

enum kl_link_state {
	KL_LINK_CONNECTING,
	KL_LINK_UP,
	KL_LINK_REFUSED,	/* handshake failed: the server said never;
				 * tries again on its own */
	KL_LINK_SILENT,		/* handshake failed without a word: not now, it
				 * has another key, it ended or hangs; tries
				 * again on its own */
	KL_LINK_DOWN,		/* connection lost, reconnecting */
};
/* Client: as the monitor saw it last. */
enum kl_link_state kl_link_state(struct kl_link *l);

struct kl_link_counts {
	uint64_t dropped;		/* no key proven, or bad frames */
	uint64_t handshakes_refused;	/* by the verdict of admit */
	uint64_t handshakes_failed;	/* garbage, time-outs, wrong server key;
					 * may count a refused one again */
	uint64_t accept_failed;		/* out of descriptors */
	uint64_t connected;		/* client: times it came up */
};
struct kl_link_counts kl_link_counts(const struct kl_link *l);

#endif
