#include <kortelijn/crypto/seal.h>

#include <sodium.h>
#include <string.h>

#include <kortelijn/crypto/aead.h>
#include <kortelijn/crypto/hash.h>

int
kl_dh_keypair(struct kl_dh_pk *pk, struct kl_secret **sk)
{
	memset(pk, 0, sizeof *pk);
	*sk = kl_secret_random(crypto_scalarmult_SCALARBYTES);
	if (*sk == NULL)
		return KL_E_MEMORY;
	return kl_dh_public(*sk, pk);
}

int
kl_dh_public(const struct kl_secret *sk, struct kl_dh_pk *pk)
{
	struct kl_bytes b = kl_secret_bytes(sk);

	memset(pk, 0, sizeof *pk);
	if (b.n != crypto_scalarmult_SCALARBYTES ||
	    crypto_scalarmult_base(pk->b, b.p) != 0)
		return KL_E_VALUE;
	return KL_OK;
}

/* Every part before the header has a fixed length, so that no two contexts
 * run together into the same bytes. */
static struct kl_hash
derive(struct kl_bytes dh, const struct kl_seal_context *c)
{
	struct kl_hash consent = kl_hash_of(c->consent);
	const struct kl_bytes parts[] = {
		kl_bytes_str("kortelijn/v1/msg"),
		KL_BYTES_OF(c->ephemeral.b),
		KL_BYTES_OF(c->prekey.b),
		KL_BYTES_OF(c->sender.b),
		KL_BYTES_OF(c->receiver.b),
		KL_BYTES_OF(consent.b),
		c->header,
	};

	return kl_hash_keyed(dh, parts, sizeof parts / sizeof parts[0]);
}

static int
key_make(const uint8_t scalar[crypto_scalarmult_SCALARBYTES],
    const struct kl_dh_pk *peer, const struct kl_seal_context *c,
    struct kl_message_key *key)
{
	uint8_t dh[crypto_scalarmult_BYTES];
	struct kl_hash k;
	int r = KL_E_VALUE;

	if (crypto_scalarmult(dh, scalar, peer->b) == 0) {
		k = derive(KL_BYTES_OF(dh), c);
		memcpy(key->b, k.b, sizeof key->b);
		kl_wipe(&k, sizeof k);
		r = KL_OK;
	}
	kl_wipe(dh, sizeof dh);
	return r;
}

int
kl_seal_key(const struct kl_secret *sk, const struct kl_dh_pk *peer,
    const struct kl_seal_context *c, struct kl_message_key *key)
{
	struct kl_bytes scalar = kl_secret_bytes(sk);

	memset(key, 0, sizeof *key);
	if (scalar.n != crypto_scalarmult_SCALARBYTES)
		return KL_E_VALUE;
	return key_make(scalar.p, peer, c, key);
}

int
kl_seal_key_fresh(struct kl_seal_context *c, struct kl_message_key *key)
{
	uint8_t scalar[crypto_scalarmult_SCALARBYTES];
	int r = KL_E_VALUE;

	memset(key, 0, sizeof *key);
	kl_random(scalar, sizeof scalar);
	if (crypto_scalarmult_base(c->ephemeral.b, scalar) == 0)
		r = key_make(scalar, &c->prekey, c, key);
	kl_wipe(scalar, sizeof scalar);
	return r;
}

/* E and the public half have a fixed length, so head is the only part that
 * has not. */
static int
file_key(const uint8_t scalar[crypto_scalarmult_SCALARBYTES],
    const struct kl_dh_pk *peer, const struct kl_bytes parts[4],
    struct kl_message_key *key)
{
	uint8_t dh[crypto_scalarmult_BYTES];
	struct kl_hash k;
	int r = KL_E_VALUE;

	if (crypto_scalarmult(dh, scalar, peer->b) == 0) {
		k = kl_hash_keyed(KL_BYTES_OF(dh), parts, 4);
		memcpy(key->b, k.b, sizeof key->b);
		kl_wipe(&k, sizeof k);
		r = KL_OK;
	}
	kl_wipe(dh, sizeof dh);
	return r;
}

int
kl_seal_file_key_fresh(const struct kl_dh_pk *to, struct kl_bytes head,
    struct kl_dh_pk *ephemeral, struct kl_message_key *key)
{
	const struct kl_bytes parts[4] = {
		kl_bytes_str("kortelijn/v1/file"), KL_BYTES_OF(ephemeral->b),
		KL_BYTES_OF(to->b), head,
	};
	uint8_t scalar[crypto_scalarmult_SCALARBYTES];
	int r = KL_E_VALUE;

	memset(key, 0, sizeof *key);
	kl_random(scalar, sizeof scalar);
	if (crypto_scalarmult_base(ephemeral->b, scalar) == 0)
		r = file_key(scalar, to, parts, key);
	kl_wipe(scalar, sizeof scalar);
	return r;
}

int
kl_seal_file_key(const struct kl_secret *sk,
    const struct kl_dh_pk *ephemeral, struct kl_bytes head,
    struct kl_message_key *key)
{
	struct kl_dh_pk own;
	const struct kl_bytes parts[4] = {
		kl_bytes_str("kortelijn/v1/file"), KL_BYTES_OF(ephemeral->b),
		KL_BYTES_OF(own.b), head,
	};
	int r;

	memset(key, 0, sizeof *key);
	if ((r = kl_dh_public(sk, &own)) != KL_OK)
		return r;
	return file_key(kl_secret_bytes(sk).p, ephemeral, parts, key);
}

struct kl_hash
kl_seal_commit(const struct kl_message_key *key)
{
	const struct kl_bytes label = kl_bytes_str("kortelijn/v1/commit");

	return kl_hash_keyed(KL_BYTES_OF(key->b), &label, 1);
}

void
kl_seal_encrypt(const struct kl_message_key *key, const uint8_t nonce[24],
    struct kl_bytes header, struct kl_bytes plain, uint8_t *ct)
{
	kl_aead_encrypt(KL_BYTES_OF(key->b), nonce, header, plain, ct);
}

int
kl_seal_decrypt(const struct kl_message_key *key, const uint8_t nonce[24],
    struct kl_bytes header, struct kl_bytes ct, uint8_t *plain)
{
	return kl_aead_decrypt(KL_BYTES_OF(key->b), nonce, header, ct, plain);
}

int
kl_seal_pad(uint8_t *buf, size_t n, size_t block)
{
	size_t padded;

	if (n >= block || sodium_pad(&padded, buf, n, block, block) != 0)
		return KL_E_SIZE;
	return KL_OK;
}

int
kl_seal_unpad(const uint8_t *buf, size_t block, size_t *n)
{
	*n = 0;
	if (sodium_unpad(n, buf, block, block) != 0) {
		*n = 0;
		return KL_E_FORMAT;
	}
	return KL_OK;
}
