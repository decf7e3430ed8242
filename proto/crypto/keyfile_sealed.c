#include <kortelijn/crypto/keyfile_sealed.h>

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/crypto/aead.h>

#include "proto/crypto/keyfile_priv.h"

#define MAGIC "kortelijn-sealed-v1"
#define B64 sodium_base64_VARIANT_ORIGINAL
#define SALT_AT 8
#define SECRET_AT (SALT_AT + crypto_pwhash_argon2id_SALTBYTES)
#define SEALED_MAX (SECRET_AT + KL_SECRET_MAX + KL_AEAD_EXTRA)
#define FRONT_MAX 64		/* "kortelijn-sealed-v1 <purpose> " */
#define KIB 1024

/* The front of the line and all before the nonce. */
struct associated { uint8_t b[FRONT_MAX + SECRET_AT]; size_t n; };

static struct associated
associated_of(const char *front, const uint8_t *sealed)
{
	struct associated ad = { .n = strlen(front) };

	memcpy(ad.b, front, ad.n);
	memcpy(ad.b + ad.n, sealed, SECRET_AT);
	ad.n += SECRET_AT;
	return ad;
}

/* What the passphrase makes of what stands before the nonce. */
static int
key_derive(struct kl_bytes passphrase, const uint8_t *sealed,
    struct kl_secret **out)
{
	struct kl_reader in;
	uint32_t passes, kib;
	uint8_t key[KL_AEAD_KEY_BYTES];
	int r = KL_E_MEMORY;

	*out = NULL;
	kl_reader_init(&in, kl_bytes(sealed, SALT_AT));
	passes = kl_get_u32(&in);
	kib = kl_get_u32(&in);
	if (passes < crypto_pwhash_argon2id_OPSLIMIT_MIN ||
	    passes > KL_SEALED_PASSES_MAX || kib > KL_SEALED_KIB_MAX ||
	    kib < crypto_pwhash_argon2id_MEMLIMIT_MIN / KIB)
		return KL_E_VALUE;
	if (crypto_pwhash_argon2id(key, sizeof key,
	    (const char *)passphrase.p, passphrase.n, sealed + SALT_AT, passes,
	    (size_t)kib * KIB, crypto_pwhash_argon2id_ALG_ARGON2ID13) == 0)
		*out = kl_secret_copy(KL_BYTES_OF(key));
	if (*out != NULL)
		r = KL_OK;
	kl_wipe(key, sizeof key);
	return r;
}

int
kl_keyfile_sealed(int dirfd, const char *path, bool *out)
{
	char line[KEYFILE_LINE_MAX];
	size_t n = 0;
	int r;

	*out = false;
	if ((r = kl_keyfile_line_read(dirfd, path, line, &n)) == KL_OK)
		*out = n > strlen(MAGIC) &&
		    memcmp(line, MAGIC " ", strlen(MAGIC) + 1) == 0;
	kl_wipe(line, sizeof line);
	return r;
}

static int
line_open(const char *line, size_t n, const char *purpose,
    struct kl_bytes passphrase, struct kl_secret **out)
{
	const size_t want = kl_keyfile_bytes(purpose);
	uint8_t sealed[SEALED_MAX], plain[KL_SECRET_MAX];
	struct kl_secret *key = NULL;
	struct associated ad;
	char front[FRONT_MAX];
	size_t got = 0, skip;
	int r;

	snprintf(front, sizeof front, MAGIC " %s ", purpose);
	skip = strlen(front);
	if (want == 0 || n <= skip || memcmp(line, front, skip) != 0 ||
	    line[n - 1] != '\n' || sodium_base642bin(sealed, sizeof sealed,
	    line + skip, n - 1 - skip, NULL, &got, NULL, B64) != 0 ||
	    got != SECRET_AT + want + KL_AEAD_EXTRA)
		return KL_E_FORMAT;
	if ((r = key_derive(passphrase, sealed, &key)) != KL_OK)
		return r;
	ad = associated_of(front, sealed);
	r = kl_aead_open(kl_secret_bytes(key), kl_bytes(ad.b, ad.n),
	    kl_bytes(sealed + SECRET_AT, want + KL_AEAD_EXTRA), plain);
	if (r == KL_OK)
		r = kl_keyfile_secret(purpose, kl_bytes(plain, want), out);
	kl_secret_free(key);
	kl_wipe(plain, sizeof plain);
	return r;
}

int
kl_keyfile_sealed_read(int dirfd, const char *path, const char *purpose,
    struct kl_bytes passphrase, struct kl_secret **out)
{
	char line[KEYFILE_LINE_MAX];
	size_t n = 0;
	int r;

	*out = NULL;
	if ((r = kl_keyfile_line_read(dirfd, path, line, &n)) == KL_OK)
		r = line_open(line, n, purpose, passphrase, out);
	kl_wipe(line, sizeof line);
	return r;
}

int
kl_keyfile_sealed_write(int dirfd, const char *path, const char *purpose,
    const struct kl_secret *sk, struct kl_bytes passphrase)
{
	const struct kl_bytes secret = kl_secret_bytes(sk);
	char b64[sodium_base64_ENCODED_LEN(SEALED_MAX, B64)];
	char line[KEYFILE_LINE_MAX], front[FRONT_MAX];
	struct kl_secret *key = NULL;
	uint8_t sealed[SEALED_MAX];
	struct associated ad;
	struct kl_writer w;
	int n, r;

	if (secret.n != kl_keyfile_bytes(purpose) ||
	    passphrase.n < KL_PASSPHRASE_MIN ||
	    passphrase.n > KL_PASSPHRASE_MAX)
		return KL_E_VALUE;
	snprintf(front, sizeof front, MAGIC " %s ", purpose);
	kl_writer_init(&w, sealed, SALT_AT);
	kl_put_u32(&w, KL_SEALED_PASSES);
	kl_put_u32(&w, KL_SEALED_KIB);
	kl_random(sealed + SALT_AT, SECRET_AT - SALT_AT);
	if ((r = key_derive(passphrase, sealed, &key)) != KL_OK)
		return r;
	ad = associated_of(front, sealed);
	kl_aead_seal(kl_secret_bytes(key), kl_bytes(ad.b, ad.n), secret,
	    sealed + SECRET_AT);
	kl_secret_free(key);
	sodium_bin2base64(b64, sizeof b64, sealed,
	    SECRET_AT + secret.n + KL_AEAD_EXTRA, B64);
	n = snprintf(line, sizeof line, "%s%s\n", front, b64);
	return kl_keyfile_line_write(dirfd, path, line, (size_t)n);
}
