#include <kortelijn/end/envelope.h>

#include <string.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/seal.h>
#include <kortelijn/crypto/sign.h>

static int
pack_consent(const struct kl_header *h, const struct kl_consent *consent,
    const struct kl_hash *preview_hash, uint8_t *buf, size_t *n)
{
	*n = 0;
	switch (h->kind) {
	case KL_REFERRAL:
		return consent == NULL ? KL_E_VALUE :
		    kl_consent_pack(consent, buf, KL_CONSENT_MAX, n);
	case KL_CORRECTION:
		return preview_hash == NULL ? KL_E_VALUE :
		    kl_preview_pack(preview_hash, buf, KL_CONSENT_MAX, n);
	default:
		return KL_OK;
	}
}

/* Ciphertext, nonce and commitment under a fresh key. */
static int
encrypt(struct kl_envelope *e, const struct kl_dh_pk *prekey,
    const struct kl_sign_pk *sender_pk, struct kl_bytes plain,
    struct kl_sealed *out)
{
	struct kl_seal_context c = {
		.prekey = *prekey, .sender = *sender_pk,
		.receiver = e->header.receiver,
		.consent = e->consent_bytes, .header = e->header_bytes,
	};
	size_t block = kl_plain_bytes(e->header.kind);
	struct kl_message_key key = { { 0 } };
	uint8_t padded[KL_PLAIN_REFERRAL];
	int r;

	if (block == 0 || plain.n >= block)
		return KL_E_SIZE;
	if (plain.n > 0)
		memcpy(padded, plain.p, plain.n);
	if ((r = kl_seal_pad(padded, plain.n, block)) != KL_OK)
		goto out;
	if ((r = kl_seal_key_fresh(&c, &key)) != KL_OK)
		goto out;
	e->ephemeral = c.ephemeral;
	kl_random(e->nonce, sizeof e->nonce);
	e->commit = kl_seal_commit(&key);
	kl_seal_encrypt(&key, e->nonce, e->header_bytes,
	    kl_bytes(padded, block), out->ct);
	out->n_ct = block + KL_CT_EXTRA;
	e->ct_len = (uint32_t)out->n_ct;
	e->ct_hash = kl_hash_of(kl_bytes(out->ct, out->n_ct));
out:
	kl_wipe(padded, sizeof padded);
	kl_wipe(&key, sizeof key);
	return r;
}

static int
sign(const struct kl_envelope *e, const struct kl_secret *sk,
    struct kl_sealed *out)
{
	uint8_t body[KL_ENVELOPE_MAX];
	struct kl_signed s;
	size_t n;
	int r;

	if ((r = kl_envelope_pack(e, body, sizeof body, &n)) != KL_OK)
		return r;
	s.body = kl_bytes(body, n);
	r = kl_sign(KL_LABEL_ENVELOPE, s.body, sk, &s.sig);
	if (r != KL_OK)
		return r;
	out->body_hash = kl_hash_of(s.body);
	return kl_signed_pack(&s, out->envelope, sizeof out->envelope,
	    &out->n_envelope);
}

int
kl_envelope_seal(struct kl_header *h, const struct kl_consent *consent,
    const struct kl_hash *preview_hash, struct kl_bytes plain,
    const struct kl_dh_pk *prekey, const struct kl_sign_pk *sender_pk,
    const struct kl_secret *sender_sk, struct kl_sealed *out)
{
	uint8_t header_bytes[KL_HEADER_MAX], consent_bytes[KL_CONSENT_MAX];
	struct kl_envelope e = { .ct_len = 0 };
	size_t n;
	int r;

	memset(out, 0, sizeof *out);
	h->sender_key_id = kl_key_id_of(sender_pk->b);
	h->prekey_id = kl_key_id_of(prekey->b);
	e.header = *h;
	if (kl_header_check(h) != KL_C_OK || (consent != NULL &&
	    consent->feedback_level != h->feedback_level))
		return KL_E_VALUE;
	r = kl_header_pack(h, header_bytes, sizeof header_bytes, &n);
	if (r != KL_OK)
		return r;
	e.header_bytes = kl_bytes(header_bytes, n);
	r = pack_consent(h, consent, preview_hash, consent_bytes, &n);
	if (r != KL_OK)
		return r;
	e.consent_bytes = kl_bytes(consent_bytes, n);
	r = encrypt(&e, prekey, sender_pk, plain, out);
	if (r == KL_OK)
		r = sign(&e, sender_sk, out);
	if (r != KL_OK)
		memset(out, 0, sizeof *out);
	return r;
}

enum kl_code
kl_envelope_check(struct kl_bytes in, struct kl_bytes ct,
    const struct kl_sign_pk *sender_pk, struct kl_arena *mem,
    struct kl_envelope *e, struct kl_hash *body_hash)
{
	struct kl_signed s;
	struct kl_hash ct_hash;
	enum kl_code code;

	memset(e, 0, sizeof *e);
	if ((code = kl_signed_read(in, mem, &s)) != KL_C_OK)
		return code;
	if ((code = kl_envelope_read(s.body, mem, e)) != KL_C_OK)
		return code;
	if (ct.n != e->ct_len)
		return KL_C_MALFORMED;
	if (kl_verify(KL_LABEL_ENVELOPE, s.body, sender_pk, &s.sig) != KL_OK)
		return KL_C_SIGNATURE;
	ct_hash = kl_hash_of(ct);
	if (!kl_bytes_equal(KL_BYTES_OF(ct_hash), KL_BYTES_OF(e->ct_hash)))
		return KL_C_MALFORMED;
	*body_hash = kl_hash_of(s.body);
	return KL_C_OK;
}

int
kl_envelope_open(const struct kl_envelope *e, struct kl_bytes ct,
    const struct kl_sign_pk *sender_pk, const struct kl_dh_pk *prekey,
    const struct kl_secret *prekey_sk, uint8_t *plain, size_t *n)
{
	struct kl_seal_context c = {
		.ephemeral = e->ephemeral, .prekey = *prekey,
		.sender = *sender_pk, .receiver = e->header.receiver,
		.consent = e->consent_bytes, .header = e->header_bytes,
	};
	struct kl_message_key key;
	struct kl_hash commit;
	int r;

	*n = 0;
	if ((r = kl_seal_key(prekey_sk, &e->ephemeral, &c, &key)) != KL_OK)
		return KL_E_SIGNATURE;
	commit = kl_seal_commit(&key);
	r = KL_E_SIGNATURE;
	if (!kl_secret_equal(KL_BYTES_OF(commit), KL_BYTES_OF(e->commit)))
		goto out;
	r = kl_seal_decrypt(&key, e->nonce, e->header_bytes, ct, plain);
	if (r != KL_OK)
		goto out;
	r = kl_seal_unpad(plain, kl_plain_bytes(e->header.kind), n);
out:
	kl_wipe(&key, sizeof key);
	return r;
}
