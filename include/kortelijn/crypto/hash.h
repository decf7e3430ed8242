/*
 * hash.h: BLAKE2b with and without a key, and SHA-256 for the log.
 */
#ifndef KORTELIJN_CRYPTO_HASH_H
#define KORTELIJN_CRYPTO_HASH_H

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/types.h>

/* BLAKE2b-256 over the parts, one after another. Callers keep the
 * concatenation unambiguous: all parts but the last have a fixed length. */
struct kl_hash kl_hash_parts(const struct kl_bytes *parts, size_t n);
struct kl_hash kl_hash_of(struct kl_bytes in);
/* The same under a key of 16 to 64 bytes. */
struct kl_hash kl_hash_keyed(struct kl_bytes key, const struct kl_bytes *parts,
    size_t n);
/* BLAKE2b-128 under a key: lookup keys and MACs of stored values. */
struct kl_tag { uint8_t b[16]; };
struct kl_tag kl_tag_keyed(struct kl_bytes key, const struct kl_bytes *parts,
    size_t n);
/* BLAKE2b-160: fingerprints. */
struct kl_hash160 { uint8_t b[20]; };
struct kl_hash160 kl_hash160_parts(const struct kl_bytes *parts, size_t n);
/* Leading 16 bytes of BLAKE2b-256("kortelijn/v1/keyid\0" || pk).
 * PROTOCOL.md 3.4. */
struct kl_key_id kl_key_id_of(const uint8_t pk[32]);

struct kl_hash kl_sha256_parts(const struct kl_bytes *parts, size_t n);

#endif
