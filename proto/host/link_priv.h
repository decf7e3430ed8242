/*
 * link_priv.h: a link as its own files see it: link.c (what both ends share),
 * link_client.c, link_server.c (and who may in).
 */
#ifndef KORTELIJN_HOST_LINK_PRIV_H
#define KORTELIJN_HOST_LINK_PRIV_H

#include <kortelijn/host/link.h>

#include <zmq.h>

#define LINK_CURVE_KEY_BYTES 32
#define LINK_TAG_BYTES 16
#define LINK_TAG_CHARS (2 * LINK_TAG_BYTES)
#define LINK_USER_ID_CHARS (LINK_TAG_CHARS + 2 * LINK_CURVE_KEY_BYTES)
#define LINK_ENDPOINT_CHARS 256
#define LINK_ENDPOINTS_CHARS (KL_LINK_ENDPOINTS_MAX * LINK_ENDPOINT_CHARS)
#define LINK_WORK_BATCH 64 /* events or drops at a time */

#define LINK_COUNT(a) (sizeof(a) / sizeof(a)[0])

/* No part of the library's interface. */
#pragma GCC visibility push(hidden)

struct kl_link {
	void *sock; /* NULL: a client between two tries */
	void *monitor;
	int epoll; /* one stable fd over all of libzmq's */
	char endpoint[LINK_ENDPOINT_CHARS];
	struct kl_link_counts counts;

	/* the message lent out by recv */
	zmq_msg_t part[KL_LINK_FRAMES_MAX];
	size_t parts;
	unsigned taken; /* since the last look at inner work */

	/* server */
	struct kl_link_server conf; /* admit NULL: this is a client */
	char domain[32];
	char tag[LINK_TAG_CHARS + 1];     /* in each User-Id that we gave */
	struct kl_curve_pk stranger; /* key of the proof */
	bool stranger_refused;
	struct kl_link *next;

	/* client */
	struct kl_secret *own;
	struct kl_curve_pk own_pk;
	struct kl_curve_pk server_pk;
	enum kl_link_state state;
	char all[LINK_ENDPOINTS_CHARS]; /* one a line; endpoint: of now */
	size_t n_endpoints, at;
	int64_t backoff_ms;
	int64_t closed_ms;
	int64_t reopen_ms; /* monotonic, when sock is NULL */
	int64_t try_ms; /* monotonic: until then this one; INT64_MAX: stay */
};

/* libzmq wants one context for the life of a process, and there the ZAP
 * handler has one fixed address for all servers. */
struct kl_link_process {
	void *ctx;
	void *zap;
	struct kl_link *servers;
	unsigned serial;
};
extern struct kl_link_process kl_link_process;

/* All are set before bind or connect. KL_E_SYSTEM. */
struct link_option {
	int name;
	int value;
};
int kl_link_options(void *sock, const struct link_option *o, size_t n)
    KL_MUST_CHECK;
int kl_link_options_common(void *sock, const char *domain,
    const char *endpoint) KL_MUST_CHECK;

/* NULL: no memory. Freed by kl_link_close. */
struct kl_link *kl_link_new(const char *endpoint);
/* Closes the socket and its monitor, and keeps the rest. */
void kl_link_shut(struct kl_link *l);
/* Input on it makes the link ready. KL_E_SYSTEM. */
int kl_link_watch(const struct kl_link *l, void *sock) KL_MUST_CHECK;

/* NULL: the system refused. */
void *kl_link_monitor_open(void *sock, int events);
/* False: nothing waits. */
bool kl_link_monitor_read(void *monitor, int *event);
/* Both may be NULL. */
void kl_link_sock_close(void *sock, void *monitor);

/* What waits inside: events, timers, who wants in. */
void kl_link_client_work(struct kl_link *l);
void kl_link_server_work(struct kl_link *l);
/* A client's socket with this key, not yet connected. KL_E_SYSTEM. */
int kl_link_client_socket(const struct kl_link *l,
    const struct kl_secret *own, const struct kl_curve_pk *own_pk,
    void **out) KL_MUST_CHECK;
/* The last server was closed. */
void kl_link_server_gone(void);

#pragma GCC visibility pop

#endif
