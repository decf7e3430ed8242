#include <kortelijn/end/stream.h>

#include <string.h>

#include <kortelijn/crypto/aead.h>

int
kl_stream_begin(struct kl_stream *s, const struct kl_dh_pk *to,
    struct kl_bytes head, struct kl_dh_pk *ephemeral)
{
	*s = (struct kl_stream){ .n = 0 };
	return kl_seal_file_key_fresh(to, head, ephemeral, &s->key);
}

int
kl_stream_open(struct kl_stream *s, const struct kl_secret *sk,
    const struct kl_dh_pk *ephemeral, struct kl_bytes head)
{
	*s = (struct kl_stream){ .n = 0 };
	return kl_seal_file_key(sk, ephemeral, head, &s->key);
}

void
kl_stream_clear(struct kl_stream *s)
{
	kl_wipe(&s->key, sizeof s->key);
	s->ended = true;
}

static void
nonce_of(const struct kl_stream *s, bool last, uint8_t nonce[24])
{
	memset(nonce, 0, 24);
	nonce[0] = last ? 1 : 0;
	kl_be64_put(nonce + 16, s->n);
}

int
kl_stream_seal(struct kl_stream *s, struct kl_bytes plain, bool last,
    uint8_t *out)
{
	uint8_t nonce[24];

	if (s->ended)
		return KL_E_VALUE;
	nonce_of(s, last, nonce);
	kl_aead_encrypt(KL_BYTES_OF(s->key.b), nonce, KL_BYTES_NONE, plain,
	    out);
	s->n++;
	s->ended = last;
	return KL_OK;
}

int
kl_stream_unseal(struct kl_stream *s, struct kl_bytes ct, bool last,
    uint8_t *out)
{
	uint8_t nonce[24];
	int r;

	if (s->ended)
		return KL_E_VALUE;
	nonce_of(s, last, nonce);
	r = kl_aead_decrypt(KL_BYTES_OF(s->key.b), nonce, KL_BYTES_NONE, ct,
	    out);
	if (r != KL_OK)
		return r;
	s->n++;
	s->ended = last;
	return KL_OK;
}
