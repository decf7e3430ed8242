/*
 * seal.h: X25519 and the key derivation of suite 1. Only adapters link this:
 * the broker must not even contain it (tests/lint checks). PROTOCOL.md 4.5.
 */
#ifndef KORTELIJN_CRYPTO_SEAL_H
#define KORTELIJN_CRYPTO_SEAL_H

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/types.h>
#include <kortelijn/crypto/secret.h>

/* A new X25519 pair; *sk is owned by the caller. KL_E_MEMORY. */
int kl_dh_keypair(struct kl_dh_pk *pk, struct kl_secret **sk) KL_MUST_CHECK;
/* The public half. KL_E_VALUE: not 32 bytes. */
int kl_dh_public(const struct kl_secret *sk, struct kl_dh_pk *pk)
    KL_MUST_CHECK;

/* K, the key of one message. It lives on the stack while that message is
 * sealed or opened, and is wiped by whoever has it: a guarded page for each
 * would cost as much as the arithmetic. */
struct kl_message_key { uint8_t b[32]; };

/* What the message key is bound to, besides the shared secret. */
struct kl_seal_context {
	struct kl_dh_pk ephemeral;	/* E */
	struct kl_dh_pk prekey;		/* pk_E */
	struct kl_sign_pk sender;
	struct kl_id receiver;
	struct kl_bytes consent;	/* consent_bytes, perhaps none */
	struct kl_bytes header;		/* header_bytes */
};

/* K = BLAKE2b-256(key = X25519(sk, peer), "kortelijn/v1/msg" || E || pk_E ||
 * sender || receiver || BLAKE2b-256(consent) || header).
 * KL_E_VALUE: the shared secret is all zero, or sk has not 32 bytes; then
 * *key is zero. */
int kl_seal_key(const struct kl_secret *sk, const struct kl_dh_pk *peer,
    const struct kl_seal_context *c, struct kl_message_key *key)
    KL_MUST_CHECK;
/* The sender's K for c->prekey, under a fresh pair whose public half becomes
 * c->ephemeral and whose secret half is gone on return. KL_E_VALUE: as
 * above. */
int kl_seal_key_fresh(struct kl_seal_context *c, struct kl_message_key *key)
    KL_MUST_CHECK;
/* commit = BLAKE2b-256(key = K, "kortelijn/v1/commit"). */
struct kl_hash kl_seal_commit(const struct kl_message_key *key);
/* padded plaintext <-> ciphertext with tag behind it (16 bytes longer), the
 * nonce beside it, the header as AAD. KL_E_SIGNATURE: key, header or bytes
 * differ, and plain is zero; KL_E_SIZE: shorter than a tag. */
void kl_seal_encrypt(const struct kl_message_key *key,
    const uint8_t nonce[24], struct kl_bytes header, struct kl_bytes plain,
    uint8_t *ct);
int kl_seal_decrypt(const struct kl_message_key *key,
    const uint8_t nonce[24], struct kl_bytes header, struct kl_bytes ct,
    uint8_t *plain) KL_MUST_CHECK;

/* The key of a file that is sealed to one pair of keys. head: what else it is
 * bound to. K = BLAKE2b-256(key = X25519(sk, peer), "kortelijn/v1/file" || E ||
 * public half || head). For the writer under a fresh pair, whose public half
 * becomes *ephemeral and whose secret half is gone on return; and for the
 * holder of sk. KL_E_VALUE: as kl_seal_key. */
int kl_seal_file_key_fresh(const struct kl_dh_pk *to, struct kl_bytes head,
    struct kl_dh_pk *ephemeral, struct kl_message_key *key) KL_MUST_CHECK;
int kl_seal_file_key(const struct kl_secret *sk,
    const struct kl_dh_pk *ephemeral, struct kl_bytes head,
    struct kl_message_key *key) KL_MUST_CHECK;

/* 0x80 and zeros behind the n bytes, to exactly `block` bytes (ISO 7816-4).
 * KL_E_SIZE: not n < block. */
int kl_seal_pad(uint8_t *buf, size_t n, size_t block) KL_MUST_CHECK;
/* KL_E_FORMAT: no padding. */
int kl_seal_unpad(const uint8_t *buf, size_t block, size_t *n) KL_MUST_CHECK;

#endif
