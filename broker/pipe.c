#include "pipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define BUFFER_BYTES (8 << 20)
#define KEY_BYTES (32 + 1)

/* ---- the pair ---- */

/* FORCE needs a privilege that the broker seldom has. */
static void
buffer_grow(int fd, int force, int plain)
{
	const int n = BUFFER_BYTES;

	if (setsockopt(fd, SOL_SOCKET, force, &n, sizeof n) != 0)
		(void)setsockopt(fd, SOL_SOCKET, plain, &n, sizeof n);
}

int
pipe_pair(int fd[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, fd) != 0)
		return KL_E_SYSTEM;
	for (int i = 0; i < 2; i++) {
		buffer_grow(fd[i], SO_SNDBUFFORCE, SO_SNDBUF);
		buffer_grow(fd[i], SO_RCVBUFFORCE, SO_RCVBUF);
	}
	return KL_OK;
}

/* ---- one message ---- */

static int
head_put(struct kl_writer *w, const struct pipe_msg *m)
{
	if (m->n > KL_LINK_FRAMES_MAX || m->route.n > sizeof m->route.b)
		return KL_E_SIZE;
	kl_put_u8(w, (uint8_t)m->type);
	kl_put_u32(w, m->generation);
	kl_put_u8(w, (uint8_t)m->route.n);
	kl_put(w, m->route.b, m->route.n);
	kl_put(w, m->peer.b, sizeof m->peer.b);
	kl_put_u8(w, (uint8_t)m->n);
	for (size_t i = 0; i < m->n; i++) {
		if (m->frame[i].n > KL_LINK_MAX)
			return KL_E_SIZE;
		kl_put_u32(w, (uint32_t)m->frame[i].n);
	}
	return KL_OK;
}

/* Head and frames as they are: nothing is copied on the way. */
static int
vector_make(const struct pipe_msg *m, struct kl_writer *head,
    struct iovec v[1 + KL_LINK_FRAMES_MAX])
{
	int r = head_put(head, m);

	if (r != KL_OK)
		return r;
	v[0] = (struct iovec){ head->p, head->n };
	for (size_t i = 0; i < m->n; i++)
		v[1 + i] = (struct iovec){ (void *)(uintptr_t)m->frame[i].p,
			m->frame[i].n };
	return KL_OK;
}

static int
vector_send(int fd, struct iovec *v, size_t n)
{
	const struct msghdr h = { .msg_iov = v, .msg_iovlen = n };
	ssize_t sent;

	do
		sent = sendmsg(fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return KL_OK;
	return errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM ?
	    KL_E_AGAIN : KL_E_IO;
}

int
pipe_send(int fd, const struct pipe_msg *m)
{
	struct iovec v[1 + KL_LINK_FRAMES_MAX];
	uint8_t buf[PIPE_HEAD_MAX];
	struct kl_writer head;
	int r;

	kl_writer_init(&head, buf, sizeof buf);
	if ((r = vector_make(m, &head, v)) != KL_OK)
		return r;
	return vector_send(fd, v, 1 + m->n);
}

/* What travels for a participant has a way back and something to say. */
static bool
shape_ok(const struct pipe_msg *m)
{
	if (m->type == PIPE_REQUEST || m->type == PIPE_REPLY)
		return m->route.n > 0 && m->n > 0;
	return m->type == PIPE_KEYS ? m->n == 1 : m->n == 0;
}

static int
message_read(struct kl_bytes in, struct pipe_msg *m)
{
	struct kl_reader r;
	uint32_t size[KL_LINK_FRAMES_MAX];
	uint8_t type;

	*m = (struct pipe_msg){ 0 };
	kl_reader_init(&r, in);
	type = kl_get_u8(&r);
	m->generation = kl_get_u32(&r);
	m->route.n = kl_get_u8(&r);
	if (type < PIPE_RESET || type > PIPE_KEYS_DONE || m->generation == 0 ||
	    m->route.n > sizeof m->route.b)
		return KL_E_FORMAT;
	m->type = (enum pipe_type)type;
	kl_get(&r, m->route.b, m->route.n);
	kl_get(&r, m->peer.b, sizeof m->peer.b);
	m->n = kl_get_u8(&r);
	if (m->n > KL_LINK_FRAMES_MAX || !shape_ok(m))
		return KL_E_FORMAT;
	for (size_t i = 0; i < m->n; i++)
		size[i] = kl_get_u32(&r);
	for (size_t i = 0; i < m->n; i++) {
		if (size[i] > KL_LINK_MAX)
			return KL_E_FORMAT;
		m->frame[i] = kl_get_bytes(&r, size[i]);
	}
	return kl_reader_done(&r) ? KL_OK : KL_E_FORMAT;
}

int
pipe_recv(int fd, uint8_t *buf, size_t cap, struct pipe_msg *out)
{
	struct iovec v = { buf, cap };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1 };
	ssize_t n;

	do
		n = recvmsg(fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? KL_E_EMPTY : KL_E_IO;
	/* The end of the stream; an empty message is never sent. */
	if (n == 0)
		return KL_E_IO;
	if ((h.msg_flags & MSG_TRUNC) != 0)
		return KL_E_FORMAT;
	return message_read(kl_bytes(buf, (size_t)n), out);
}

/* ---- the queue ---- */

struct pipe_packet {
	struct pipe_packet *next;
	size_t n;
	uint8_t b[];
};

struct pipe_out {
	int fd;
	size_t cap, held; /* bytes */
	struct pipe_packet *first, **last;
};

struct pipe_out *
pipe_out_new(int fd, size_t cap_bytes)
{
	struct pipe_out *o = calloc(1, sizeof *o);

	if (o == NULL)
		return NULL;
	o->fd = fd;
	o->cap = cap_bytes;
	o->last = &o->first;
	return o;
}

void
pipe_out_clear(struct pipe_out *o)
{
	struct pipe_packet *p;

	while ((p = o->first) != NULL) {
		o->first = p->next;
		free(p);
	}
	o->last = &o->first;
	o->held = 0;
}

void
pipe_out_free(struct pipe_out *o)
{
	if (o == NULL)
		return;
	pipe_out_clear(o);
	free(o);
}

bool
pipe_out_waits(const struct pipe_out *o)
{
	return o->first != NULL;
}

int
pipe_out_flush(struct pipe_out *o)
{
	struct pipe_packet *p;
	int r;

	while ((p = o->first) != NULL) {
		struct iovec v = { p->b, p->n };

		r = vector_send(o->fd, &v, 1);
		if (r == KL_E_AGAIN)
			return KL_OK;
		if (r != KL_OK)
			return r;
		o->held -= sizeof *p + p->n;
		o->first = p->next;
		if (o->first == NULL)
			o->last = &o->first;
		free(p);
	}
	return KL_OK;
}

static int
enqueue(struct pipe_out *o, const struct iovec *v, size_t n)
{
	struct pipe_packet *p;
	size_t size = 0, at = 0;

	for (size_t i = 0; i < n; i++)
		size += v[i].iov_len;
	if (sizeof *p + size > o->cap - o->held)
		return KL_E_AGAIN;
	if ((p = malloc(sizeof *p + size)) == NULL)
		return KL_E_MEMORY;
	for (size_t i = 0; i < n; i++) {
		if (v[i].iov_len > 0)
			memcpy(p->b + at, v[i].iov_base, v[i].iov_len);
		at += v[i].iov_len;
	}
	p->n = size;
	p->next = NULL;
	*o->last = p;
	o->last = &p->next;
	o->held += sizeof *p + size;
	return KL_OK;
}

int
pipe_out_send(struct pipe_out *o, const struct pipe_msg *m)
{
	struct iovec v[1 + KL_LINK_FRAMES_MAX];
	uint8_t buf[PIPE_HEAD_MAX];
	struct kl_writer head;
	int r;

	kl_writer_init(&head, buf, sizeof buf);
	if ((r = vector_make(m, &head, v)) != KL_OK ||
	    (r = pipe_out_flush(o)) != KL_OK)
		return r;
	if (o->first == NULL &&
	    (r = vector_send(o->fd, v, 1 + m->n)) != KL_E_AGAIN)
		return r;
	return enqueue(o, v, 1 + m->n);
}

/* ---- keys ---- */

static int
keys_send(struct pipe_out *o, uint32_t generation, const struct pipe_key *key,
    size_t n)
{
	struct pipe_msg m = { .type = PIPE_KEYS, .generation = generation,
		.n = 1 };
	uint8_t buf[PIPE_KEYS_MAX * KEY_BYTES];
	struct kl_writer w;

	kl_writer_init(&w, buf, sizeof buf);
	for (size_t i = 0; i < n; i++) {
		kl_put(&w, key[i].pk.b, sizeof key[i].pk.b);
		kl_put_u8(&w, (uint8_t)key[i].verdict);
	}
	m.frame[0] = kl_writer_bytes(&w);
	return pipe_out_send(o, &m);
}

int
pipe_out_send_keys(struct pipe_out *o, uint32_t generation,
    const struct pipe_key *key, size_t n, bool done)
{
	const struct pipe_msg end = { .type = PIPE_KEYS_DONE,
		.generation = generation };
	int r;

	while (n > 0) {
		const size_t some = n < PIPE_KEYS_MAX ? n : PIPE_KEYS_MAX;

		if ((r = keys_send(o, generation, key, some)) != KL_OK)
			return r;
		key += some;
		n -= some;
	}
	return done ? pipe_out_send(o, &end) : KL_OK;
}

int
pipe_keys_read(const struct pipe_msg *m, struct pipe_key key[PIPE_KEYS_MAX],
    size_t *n)
{
	struct kl_reader r;

	*n = 0;
	if (m->type != PIPE_KEYS || m->n != 1 ||
	    m->frame[0].n % KEY_BYTES != 0 ||
	    m->frame[0].n > PIPE_KEYS_MAX * KEY_BYTES)
		return KL_E_FORMAT;
	kl_reader_init(&r, m->frame[0]);
	while (r.n > 0) {
		struct pipe_key *k = &key[*n];
		uint8_t verdict;

		kl_get(&r, k->pk.b, sizeof k->pk.b);
		verdict = kl_get_u8(&r);
		if (verdict < PIPE_KEY_ALLOW || verdict > PIPE_KEY_FORGET)
			return KL_E_FORMAT;
		k->verdict = (enum pipe_verdict)verdict;
		(*n)++;
	}
	return KL_OK;
}
