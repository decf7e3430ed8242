#include <kortelijn/crypto/aead.h>

#include <assert.h>
#include <sodium.h>

#define aead(f) crypto_aead_xchacha20poly1305_ietf_##f

_Static_assert(aead(KEYBYTES) == KL_AEAD_KEY_BYTES, "key");
_Static_assert(aead(NPUBBYTES) == KL_AEAD_NONCE_BYTES, "nonce");
_Static_assert(aead(ABYTES) == KL_AEAD_TAG_BYTES, "tag");

void
kl_aead_encrypt(struct kl_bytes key, const uint8_t nonce[24],
    struct kl_bytes ad, struct kl_bytes in, uint8_t *out)
{
	assert(key.n == KL_AEAD_KEY_BYTES);
	/* Answers 0 always; the length of `out` is in.n and the tag. */
	(void)aead(encrypt)(out, NULL, in.p, in.n, ad.p, ad.n, NULL, nonce,
	    key.p);
}

int
kl_aead_decrypt(struct kl_bytes key, const uint8_t nonce[24],
    struct kl_bytes ad, struct kl_bytes in, uint8_t *out)
{
	assert(key.n == KL_AEAD_KEY_BYTES);
	if (in.n < KL_AEAD_TAG_BYTES)
		return KL_E_SIZE;
	if (aead(decrypt)(out, NULL, NULL, in.p, in.n, ad.p, ad.n, nonce,
	    key.p) != 0)
		return KL_E_SIGNATURE;
	return KL_OK;
}

void
kl_aead_seal(struct kl_bytes key, struct kl_bytes ad, struct kl_bytes in,
    uint8_t *out)
{
	randombytes_buf(out, KL_AEAD_NONCE_BYTES);
	kl_aead_encrypt(key, out, ad, in, out + KL_AEAD_NONCE_BYTES);
}

void
kl_aead_seal_drawn(struct kl_random_pool *pool, struct kl_bytes key,
    struct kl_bytes ad, struct kl_bytes in, uint8_t *out)
{
	kl_random_draw(pool, out, KL_AEAD_NONCE_BYTES);
	kl_aead_encrypt(key, out, ad, in, out + KL_AEAD_NONCE_BYTES);
}

int
kl_aead_open(struct kl_bytes key, struct kl_bytes ad, struct kl_bytes in,
    uint8_t *out)
{
	if (in.n < KL_AEAD_EXTRA)
		return KL_E_SIZE;
	return kl_aead_decrypt(key, in.p, ad, kl_bytes(in.p +
	    KL_AEAD_NONCE_BYTES, in.n - KL_AEAD_NONCE_BYTES), out);
}
