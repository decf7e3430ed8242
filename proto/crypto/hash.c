#include <kortelijn/crypto/hash.h>

#include <assert.h>
#include <sodium.h>
#include <string.h>

static void
blake2b(struct kl_bytes key, const struct kl_bytes *parts, size_t n,
    uint8_t *out, size_t out_n)
{
	crypto_generichash_state st;
	int r;

	assert(key.n == 0 || (key.n >= crypto_generichash_KEYBYTES_MIN &&
	    key.n <= crypto_generichash_KEYBYTES_MAX));
	/* Fails only for lengths out of range, and those are ours. */
	r = crypto_generichash_init(&st, key.p, key.n, out_n);
	assert(r == 0);
	for (size_t i = 0; i < n; i++)
		if (parts[i].n > 0)
			crypto_generichash_update(&st, parts[i].p,
			    parts[i].n);
	crypto_generichash_final(&st, out, out_n);
	sodium_memzero(&st, sizeof st);
}

struct kl_hash
kl_hash_parts(const struct kl_bytes *parts, size_t n)
{
	struct kl_hash h;

	blake2b(KL_BYTES_NONE, parts, n, h.b, sizeof h.b);
	return h;
}

struct kl_hash
kl_hash_of(struct kl_bytes in)
{
	return kl_hash_parts(&in, 1);
}

struct kl_hash
kl_hash_keyed(struct kl_bytes key, const struct kl_bytes *parts, size_t n)
{
	struct kl_hash h;

	assert(key.n > 0);
	blake2b(key, parts, n, h.b, sizeof h.b);
	return h;
}

struct kl_tag
kl_tag_keyed(struct kl_bytes key, const struct kl_bytes *parts, size_t n)
{
	struct kl_tag t;

	assert(key.n > 0);
	blake2b(key, parts, n, t.b, sizeof t.b);
	return t;
}

struct kl_hash160
kl_hash160_parts(const struct kl_bytes *parts, size_t n)
{
	struct kl_hash160 h;

	blake2b(KL_BYTES_NONE, parts, n, h.b, sizeof h.b);
	return h;
}

struct kl_key_id
kl_key_id_of(const uint8_t pk[32])
{
	static const char label[] = "kortelijn/v1/keyid";
	const struct kl_bytes parts[] = {
		kl_bytes(label, sizeof label), kl_bytes(pk, 32),
	};
	struct kl_hash h = kl_hash_parts(parts, 2);
	struct kl_key_id id;

	memcpy(id.b, h.b, sizeof id.b);
	return id;
}

struct kl_hash
kl_sha256_parts(const struct kl_bytes *parts, size_t n)
{
	crypto_hash_sha256_state st;
	struct kl_hash h;

	crypto_hash_sha256_init(&st);
	for (size_t i = 0; i < n; i++)
		if (parts[i].n > 0)
			crypto_hash_sha256_update(&st, parts[i].p,
			    parts[i].n);
	crypto_hash_sha256_final(&st, h.b);
	return h;
}
