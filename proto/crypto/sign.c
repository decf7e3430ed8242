#include <kortelijn/crypto/sign.h>

#include <assert.h>
#include <sodium.h>
#include <string.h>

_Static_assert(crypto_sign_SECRETKEYBYTES == KL_SIGN_SECRET_BYTES, "secret");
_Static_assert(crypto_sign_SEEDBYTES == KL_SIGN_SEED_BYTES, "seed");

#define LABEL_MAX 32		/* bytes; the longest label has 27 */
#define LABEL(e, text) [e] = { (const uint8_t *)(text), sizeof (text) }

static const struct kl_bytes labels[KL_LABEL_COUNT] = {
	LABEL(KL_LABEL_ENVELOPE, "kortelijn/v1/env"),
	LABEL(KL_LABEL_CARD, "kortelijn/v1/card"),
	LABEL(KL_LABEL_REVOCATION, "kortelijn/v1/revocation"),
	LABEL(KL_LABEL_PREKEY, "kortelijn/v1/prekey"),
	LABEL(KL_LABEL_PROFILE, "kortelijn/v1/profile"),
	LABEL(KL_LABEL_RECEIPT, "kortelijn/v1/receipt"),
	LABEL(KL_LABEL_WITHDRAWAL, "kortelijn/v1/withdrawal"),
	LABEL(KL_LABEL_ERASE_RECEIPT, "kortelijn/v1/erase_receipt"),
	LABEL(KL_LABEL_NOTICE, "kortelijn/v1/notice"),
	LABEL(KL_LABEL_ENROL, "kortelijn/v1/enrol"),
};

struct kl_bytes
kl_label_bytes(enum kl_label label)
{
	assert((unsigned)label < KL_LABEL_COUNT);
	return labels[label];
}

int
kl_sign_from_seed(struct kl_bytes seed, struct kl_secret **sk)
{
	uint8_t pk[crypto_sign_PUBLICKEYBYTES];
	uint8_t b[crypto_sign_SECRETKEYBYTES];

	*sk = NULL;
	if (seed.n != crypto_sign_SEEDBYTES)
		return KL_E_VALUE;
	if (crypto_sign_seed_keypair(pk, b, seed.p) == 0)
		*sk = kl_secret_copy(KL_BYTES_OF(b));
	kl_wipe(b, sizeof b);
	return *sk == NULL ? KL_E_MEMORY : KL_OK;
}

int
kl_sign_keypair(struct kl_sign_pk *pk, struct kl_secret **sk)
{
	uint8_t seed[crypto_sign_SEEDBYTES];
	int r;

	memset(pk, 0, sizeof *pk);
	randombytes_buf(seed, sizeof seed);
	r = kl_sign_from_seed(KL_BYTES_OF(seed), sk);
	kl_wipe(seed, sizeof seed);
	return r == KL_OK ? kl_sign_public(*sk, pk) : r;
}

int
kl_sign_public(const struct kl_secret *sk, struct kl_sign_pk *pk)
{
	struct kl_bytes b = kl_secret_bytes(sk);

	memset(pk, 0, sizeof *pk);
	if (b.n != crypto_sign_SECRETKEYBYTES)
		return KL_E_VALUE;
	memcpy(pk->b, b.p + crypto_sign_SEEDBYTES, sizeof pk->b);
	return KL_OK;
}

static int
sign_bytes(struct kl_bytes in, const struct kl_secret *sk, struct kl_sig *sig)
{
	struct kl_bytes key = kl_secret_bytes(sk);

	memset(sig, 0, sizeof *sig);
	if (key.n != crypto_sign_SECRETKEYBYTES)
		return KL_E_VALUE;
	if (crypto_sign_detached(sig->b, NULL, in.p, in.n, key.p) != 0)
		return KL_E_SYSTEM;
	return KL_OK;
}

static int
verify_bytes(struct kl_bytes in, const struct kl_sign_pk *pk,
    const struct kl_sig *sig)
{
	if (crypto_sign_verify_detached(sig->b, in.p, in.n, pk->b) != 0)
		return KL_E_SIGNATURE;
	return KL_OK;
}

/* Ed25519 reads its input twice, so label and body must lie together. */
struct labelled { uint8_t b[LABEL_MAX + KL_FRAME_MAX]; };

static int
join(enum kl_label label, struct kl_bytes body, struct labelled *buf,
    struct kl_bytes *out)
{
	struct kl_writer w;

	if (body.n > KL_FRAME_MAX)
		return KL_E_SIZE;
	kl_writer_init(&w, buf->b, sizeof buf->b);
	kl_put_bytes(&w, kl_label_bytes(label));
	kl_put_bytes(&w, body);
	assert(!w.full);
	*out = kl_writer_bytes(&w);
	return KL_OK;
}

int
kl_sign(enum kl_label label, struct kl_bytes body, const struct kl_secret *sk,
    struct kl_sig *sig)
{
	struct labelled buf;
	struct kl_bytes in;
	int r;

	memset(sig, 0, sizeof *sig);
	if ((r = join(label, body, &buf, &in)) != KL_OK)
		return r;
	return sign_bytes(in, sk, sig);
}

int
kl_verify(enum kl_label label, struct kl_bytes body,
    const struct kl_sign_pk *pk, const struct kl_sig *sig)
{
	struct labelled buf;
	struct kl_bytes in;
	int r;

	if ((r = join(label, body, &buf, &in)) != KL_OK)
		return r;
	return verify_bytes(in, pk, sig);
}

static bool
is_note(struct kl_bytes text)
{
	return text.n > 0 && text.p[text.n - 1] == '\n' &&
	    memchr(text.p, '\0', text.n) == NULL;
}

int
kl_sign_note(struct kl_bytes text, const struct kl_secret *sk,
    struct kl_sig *sig)
{
	memset(sig, 0, sizeof *sig);
	if (!is_note(text))
		return KL_E_FORMAT;
	return sign_bytes(text, sk, sig);
}

int
kl_verify_note(struct kl_bytes text, const struct kl_sign_pk *pk,
    const struct kl_sig *sig)
{
	if (!is_note(text))
		return KL_E_FORMAT;
	return verify_bytes(text, pk, sig);
}
