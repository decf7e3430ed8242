/*
 * identity.h: who this adapter is: its keys in key_dir, its card, the pinned
 * authority and the broker's card; and how it gets them.
 */
#ifndef ADAPTERS_COMMON_IDENTITY_H
#define ADAPTERS_COMMON_IDENTITY_H

#include <kortelijn/base/types.h>
#include <kortelijn/crypto/keyfile.h>
#include <kortelijn/crypto/secret.h>
#include <kortelijn/wire/signed.h>

#include "adapters/common/config.h"

struct identity {
	struct kl_id id;
	uint32_t role, realm;
	struct kl_sign_pk sign_pk;
	struct kl_key_id key_id;
	int64_t card_from_ms, card_until_ms;
	struct kl_secret *sign_sk, *transport_sk;
	struct kl_secret *master;	/* MAC key of the store */
	struct kl_sign_pk authority;
	struct kl_sign_pk broker_sign;	/* the log's key */
	struct kl_key_id broker_key_id;
	struct kl_curve_pk broker_curve;
};

/* Makes missing keys in key_dir and the request to enrol: a line with NUL,
 * ENROL_REQUEST_MAX of room. Errors of enrol_request. */
int identity_init(const struct config *c, int64_t now_ms, char *request,
    struct kl_fingerprint *fingerprint) KL_MUST_CHECK;

/* Verifies card and broker's card against the authority and copies all three
 * into key_dir. KL_E_SIGNATURE: not by this authority; KL_E_VALUE: authority
 * of another realm, or card of another participant, role, realm or key;
 * KL_E_NOT_FOUND: a file, or keys were never made; KL_E_FORMAT, KL_E_DENIED,
 * KL_E_SIZE, KL_E_FULL, KL_E_MEMORY, KL_E_IO. *what names what is wrong. */
struct identity_files {
	const char *card, *authority, *broker;
};
int identity_accept(const struct config *c, const struct identity_files *in,
    struct kl_fingerprint *authority, const char **what) KL_MUST_CHECK;

/* Reads all of it. Errors as above. On failure *out is empty. Free with
 * identity_clear. */
int identity_load(const struct config *c, struct identity *out,
    const char **what) KL_MUST_CHECK;
void identity_clear(struct identity *id);

/* Only the pinned authority and the key of the broker's log: no key of ours is
 * opened. Errors and *what as above. */
int identity_broker(const struct config *c, struct kl_sign_pk *authority,
    struct kl_sign_pk *broker, const char **what) KL_MUST_CHECK;

/* Signs and packs a statement of ours; *n bytes at buf. KL_E_SIZE,
 * KL_E_VALUE, KL_E_SYSTEM. */
int identity_sign(const struct identity *id, uint32_t statement,
    const void *in, size_t in_size, uint8_t *buf, size_t cap, size_t *n)
    KL_MUST_CHECK;
/* The broker refused what key `by` signed, because that key ended, and another
 * one is on a card by now: it is to be signed anew. */
bool identity_key_ended(const struct identity *id,
    const struct kl_key_id *by, uint32_t code);

#endif
