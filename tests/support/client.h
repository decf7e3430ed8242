/*
 * client.h: a participant inside a test program: keys, one link and the
 * protocol, and no store. What it forgets it may forget: the tests that use it
 * look at the broker.
 */
#ifndef TESTS_SUPPORT_CLIENT_H
#define TESTS_SUPPORT_CLIENT_H

#include <kortelijn/crypto/secret.h>
#include <kortelijn/end/envelope.h>
#include <kortelijn/host/link.h>
#include <kortelijn/wire/request.h>

struct client {
	struct kl_id id;
	uint32_t role;
	struct kl_secret *sign_sk, *transport_sk, *prekey_sk;
	struct kl_sign_pk sign_pk;
	struct kl_key_id key_id;
	struct kl_curve_pk transport_pk;
	struct kl_dh_pk prekey;			/* of this week */
	struct kl_instance instance;
	uint64_t epoch;
	uint64_t requests;			/* sent so far */
	struct kl_link *link;
	struct kl_arena *in, *out;
};

/* Draws keys. `id` as in kl_id_read. Errors of those that it calls. */
int client_make(struct client *c, const char *id, uint32_t role)
    KL_MUST_CHECK;
/* The transport key of an adapter in key_dir, and nothing else: enough for
 * requests that never get as far as a signature. */
int client_load(struct client *c, const char *key_dir) KL_MUST_CHECK;
void client_clear(struct client *c);

/* Signs a card of the training realm, valid a year and since an hour, and
 * writes it into `cards`, where a broker takes it up at its start. */
int client_enrol(const struct client *c, const struct kl_secret *authority,
    const char *cards) KL_MUST_CHECK;
/* The same of an auditor who reads the records of one organisation. */
int client_enrol_auditor(const struct client *c,
    const struct kl_secret *authority, const struct kl_id *reads,
    const char *cards) KL_MUST_CHECK;

/* Opens the link; client_up waits for the handshake. */
int client_connect(struct client *c, const char *endpoint,
    const struct kl_curve_pk *broker) KL_MUST_CHECK;
/* Waits at most `ms`. KL_E_AGAIN: not up by then. */
int client_up(struct client *c, int64_t ms) KL_MUST_CHECK;

/* An answer. Views are valid until the next one is taken. */
struct client_answer {
	struct kl_reply_msg reply;
	struct kl_bytes ct[KL_FETCH_ENVELOPES_MAX];
	size_t n_ct;
};

/* Packs `body` (type KL_M_...) and sends it. ct: of a SUBMIT, else none. */
int client_send(struct client *c, uint32_t request, uint32_t type,
    const void *body, size_t body_size, struct kl_bytes ct,
    uint64_t *request_id) KL_MUST_CHECK;
/* KL_E_EMPTY: nothing waits; KL_E_FORMAT: no reply of the protocol. */
int client_take(struct client *c, struct client_answer *out) KL_MUST_CHECK;
/* Waits at most `ms` for any answer. KL_E_AGAIN: none came. */
int client_wait(struct client *c, int64_t ms, struct client_answer *out)
    KL_MUST_CHECK;
/* Sends one request and waits for its answer, ms at most. */
int client_call(struct client *c, uint32_t request, uint32_t type,
    const void *body, size_t body_size, int64_t ms,
    struct client_answer *out) KL_MUST_CHECK;

/* HELLO, SYNC DONE where the broker asks to report in, and PUBLISH of this
 * week's prekey but of an auditor. KL_E_REFUSED: *code says why. */
int client_begin(struct client *c, int64_t ms, uint32_t *code) KL_MUST_CHECK;

/* Signs and packs a statement of this participant, at most cap bytes. */
int client_sign(const struct client *c, uint32_t statement, const void *in,
    size_t in_size, uint8_t *buf, size_t cap, size_t *n) KL_MUST_CHECK;

/* Signs a WITHDRAWAL of the conversation, valid_until as in its consent, and
 * waits for its answer. KL_E_REFUSED: *code says why. */
int client_withdraw(struct client *c, const struct kl_conv_id *conv,
    uint32_t scope, uint32_t valid_until, int64_t ms,
    struct kl_withdraw_reply *out, uint32_t *code) KL_MUST_CHECK;

/* A header of `kind` to `to` with everything filled but what belongs to the
 * conversation; times from now_ms on. */
struct kl_header client_header(const struct client *c, uint32_t kind,
    const struct kl_id *to, int64_t now_ms);

#endif
