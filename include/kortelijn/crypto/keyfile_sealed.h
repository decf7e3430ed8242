/*
 * keyfile_sealed.h: a secret key in a file that opens only with a passphrase,
 * for a machine that is carried about: an auditor's.
 *
 * One line, "kortelijn-sealed-v1 <purpose> <base64>", with the rights of every
 * key file (keyfile.h). The bytes: passes and KiB of memory of Argon2id, each
 * 4 bytes big-endian; salt, 16; nonce, secret and tag as aead.h has them,
 * under the key that Argon2id makes of passphrase and salt, with the line's
 * front and all that stands before the nonce as associated data.
 * PROTOCOL.md 3.9.
 */
#ifndef KORTELIJN_CRYPTO_KEYFILE_SEALED_H
#define KORTELIJN_CRYPTO_KEYFILE_SEALED_H

#include <stdbool.h>

#include <kortelijn/base/bytes.h>
#include <kortelijn/crypto/secret.h>

/* What one attempt to guess costs: RFC 9106 4, first for passes, and four
 * times the memory of its second choice. About a second on a laptop. */
#define KL_SEALED_PASSES 3
#define KL_SEALED_KIB (256 * 1024)
/* What a file may ask of its reader. */
#define KL_SEALED_PASSES_MAX 16
#define KL_SEALED_KIB_MAX (1024 * 1024)
#define KL_PASSPHRASE_MIN 12		/* bytes, of a new one */
#define KL_PASSPHRASE_MAX 256

/* Is it a sealed key, rather than a plain one? Errors of kl_keyfile_read. */
int kl_keyfile_sealed(int dirfd, const char *path, bool *out) KL_MUST_CHECK;
/* As kl_keyfile_read, and KL_E_SIGNATURE: another passphrase, or the bytes
 * were changed; KL_E_VALUE: it asks for more than a reader gives. KL_E_MEMORY
 * also if there is less than the file asks for. */
int kl_keyfile_sealed_read(int dirfd, const char *path, const char *purpose,
    struct kl_bytes passphrase, struct kl_secret **out) KL_MUST_CHECK;
/* As kl_keyfile_write, and KL_E_VALUE: the passphrase is shorter than
 * KL_PASSPHRASE_MIN or longer than KL_PASSPHRASE_MAX; KL_E_MEMORY. */
int kl_keyfile_sealed_write(int dirfd, const char *path, const char *purpose,
    const struct kl_secret *sk, struct kl_bytes passphrase) KL_MUST_CHECK;

#endif
