/*
 * pipe.h: the SEQPACKET pair between edge and core: one datagram is one
 * message. Core trusts nothing that stands in one but its bounds: a captured
 * edge may write what it likes.
 *
 * The supervisor keeps both ends, so what an edge that died has left is still
 * there: a new edge draws a generation, says RESET first, and drops whatever
 * carries another one. Core answers RESET with its keys, and every request
 * under the generation that the request carried. When core dies, the pair is
 * made anew.
 */
#ifndef BROKER_PIPE_H
#define BROKER_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/types.h>
#include <kortelijn/host/link.h>

enum pipe_type {
	PIPE_RESET = 1,		/* edge: a new generation begins */
	PIPE_REQUEST = 2,	/* edge: route, peer, frames */
	PIPE_REPLY = 3,		/* core: route, frames */
	PIPE_KEYS = 4,		/* core: some keys and what they may do */
	PIPE_KEYS_DONE = 5,	/* core: all keys were told, serve */
};

struct pipe_msg {
	enum pipe_type type;
	uint32_t generation;		/* never 0 */
	struct kl_route route;		/* REQUEST, REPLY */
	struct kl_curve_pk peer;	/* REQUEST: who the handshake proved */
	size_t n;
	struct kl_bytes frame[KL_LINK_FRAMES_MAX];
};

/* The largest datagram, bytes: what a receive buffer must hold. */
#define PIPE_HEAD_MAX (1 + 4 + 1 + 16 + 32 + 1 + 4 * KL_LINK_FRAMES_MAX)
#define PIPE_MSG_MAX (PIPE_HEAD_MAX + KL_LINK_FRAMES_MAX * KL_LINK_MAX)

/* A connected pair, close-on-exec, with buffers as large as the system lets
 * us have. KL_E_SYSTEM. */
int pipe_pair(int fd[2]) KL_MUST_CHECK;

/* Sends now or not at all; never blocks. KL_E_AGAIN: no room; KL_E_SIZE: a
 * frame above KL_LINK_MAX or too many; KL_E_IO: the other end is gone. */
int pipe_send(int fd, const struct pipe_msg *m) KL_MUST_CHECK;
/* The next message; its frames point into buf (PIPE_MSG_MAX). KL_E_EMPTY:
 * nothing waits; KL_E_FORMAT: it was taken, but is none of ours; KL_E_IO: the
 * other end is gone. */
int pipe_recv(int fd, uint8_t *buf, size_t cap, struct pipe_msg *out)
    KL_MUST_CHECK;

/*
 * A sender with a queue, so that bursts pass although the system's buffer is
 * small. Order is kept.
 */
struct pipe_out;

/* Borrows fd; the queue holds at most cap_bytes. NULL: no memory. */
struct pipe_out *pipe_out_new(int fd, size_t cap_bytes);
/* Accepts NULL. */
void pipe_out_free(struct pipe_out *o);
/* Sends or queues a copy. KL_E_AGAIN: the queue is full; KL_E_MEMORY, and as
 * pipe_send. */
int pipe_out_send(struct pipe_out *o, const struct pipe_msg *m) KL_MUST_CHECK;
/* Sends what it can: at POLLOUT. KL_E_IO. */
int pipe_out_flush(struct pipe_out *o) KL_MUST_CHECK;
/* True: poll for POLLOUT too. */
bool pipe_out_waits(const struct pipe_out *o);
/* Forgets what is queued (to an edge that is no more). */
void pipe_out_clear(struct pipe_out *o);

/* What a key may do at the handshake. A key that was never told may try again
 * later: its card may come. */
enum pipe_verdict {
	PIPE_KEY_ALLOW = 1,
	PIPE_KEY_REVOKED = 2,	/* for good */
	PIPE_KEY_FORGET = 3,	/* its card has ended */
};

struct pipe_key {
	struct kl_curve_pk pk;
	enum pipe_verdict verdict;
};

#define PIPE_KEYS_MAX 256	/* of one message */

/* Any number of keys, in as many messages as it takes; done: KEYS_DONE after
 * them. Errors as pipe_out_send; then a part may have been sent. */
int pipe_out_send_keys(struct pipe_out *o, uint32_t generation,
    const struct pipe_key *key, size_t n, bool done) KL_MUST_CHECK;
/* The keys of a message that pipe_recv took; 0 to PIPE_KEYS_MAX. KL_E_FORMAT:
 * not whole keys, or an unknown verdict. */
int pipe_keys_read(const struct pipe_msg *m,
    struct pipe_key key[PIPE_KEYS_MAX], size_t *n) KL_MUST_CHECK;

#endif
