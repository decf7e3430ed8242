/*
 * keyfile.h: keys in files, and fingerprints that people read over the phone.
 *
 * A secret key file is one line, "kortelijn-secret-v1 <purpose> <base64>",
 * mode 0600 or 0400, owned by the user who runs the program, no link.
 */
#ifndef KORTELIJN_CRYPTO_KEYFILE_H
#define KORTELIJN_CRYPTO_KEYFILE_H

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/types.h>
#include <kortelijn/crypto/secret.h>

/* purpose: "authority", "identity", "transport", "log", "master", "recovery",
 * "witness"; each has one length. dirfd: AT_FDCWD or an open directory.
 * KL_E_NOT_FOUND; KL_E_DENIED: mode, owner or type of the file; KL_E_FORMAT:
 * not such a file, other purpose or length, or the halves of a signing key do
 * not belong together; KL_E_IO; KL_E_MEMORY. */
int kl_keyfile_read(int dirfd, const char *path, const char *purpose,
    struct kl_secret **out) KL_MUST_CHECK;
/* Makes a new file, synced, with its directory. KL_E_EXISTS: never
 * overwrites. KL_E_VALUE: unknown purpose, or a secret of another length.
 * KL_E_IO. */
int kl_keyfile_write(int dirfd, const char *path, const char *purpose,
    const struct kl_secret *sk) KL_MUST_CHECK;

/* BLAKE2b-160 over "kortelijn/v1/fingerprint\0", id, role as one byte,
 * transport key, signing key: 8 groups of 4 letters and a check letter,
 * "ABCD-EFGH-...-K", with NUL.
 * PROTOCOL.md 3.5. */
struct kl_fingerprint { char b[42]; };
struct kl_fingerprint kl_fingerprint_of(const struct kl_id *id, uint32_t role,
    const struct kl_curve_pk *transport, const struct kl_sign_pk *sign);
/* Of the authority's key alone, same form. */
struct kl_fingerprint kl_fingerprint_authority(const struct kl_sign_pk *pk);

#endif
