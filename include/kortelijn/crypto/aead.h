/*
 * aead.h: XChaCha20-Poly1305 with a random nonce in front: what lies at rest,
 * wrapped keys, and (by seal.h) messages.
 */
#ifndef KORTELIJN_CRYPTO_AEAD_H
#define KORTELIJN_CRYPTO_AEAD_H

#include <kortelijn/base/bytes.h>
#include <kortelijn/crypto/secret.h>
#include <kortelijn/base/types.h>

#define KL_AEAD_KEY_BYTES 32
#define KL_AEAD_NONCE_BYTES 24
#define KL_AEAD_TAG_BYTES 16
#define KL_AEAD_EXTRA (KL_AEAD_NONCE_BYTES + KL_AEAD_TAG_BYTES)

/* out has in.n + KL_AEAD_EXTRA bytes: nonce, ciphertext, tag. key: 32 bytes. */
void kl_aead_seal(struct kl_bytes key, struct kl_bytes ad, struct kl_bytes in,
    uint8_t *out);
/* The same; the nonce comes from what was drawn ahead. */
void kl_aead_seal_drawn(struct kl_random_pool *pool, struct kl_bytes key,
    struct kl_bytes ad, struct kl_bytes in, uint8_t *out);
/* out has in.n - KL_AEAD_EXTRA bytes and does not overlap in.
 * KL_E_SIGNATURE: key, ad or bytes differ, and out is zero; KL_E_SIZE: in is
 * too short, and out is untouched. */
int kl_aead_open(struct kl_bytes key, struct kl_bytes ad, struct kl_bytes in,
    uint8_t *out) KL_MUST_CHECK;

/* The same with a nonce that lies elsewhere: out has in.n bytes and the tag,
 * or in.n bytes without it. A nonce is used once under a key. */
void kl_aead_encrypt(struct kl_bytes key, const uint8_t nonce[24],
    struct kl_bytes ad, struct kl_bytes in, uint8_t *out);
int kl_aead_decrypt(struct kl_bytes key, const uint8_t nonce[24],
    struct kl_bytes ad, struct kl_bytes in, uint8_t *out) KL_MUST_CHECK;

#endif
