/*
 * keyfile_priv.h: what plain and sealed key files share.
 */
#ifndef PROTO_CRYPTO_KEYFILE_PRIV_H
#define PROTO_CRYPTO_KEYFILE_PRIV_H

#include <kortelijn/crypto/keyfile.h>

#define KEYFILE_LINE_MAX 256	/* bytes; the longest line has 203 */

/* Bytes of the purpose's secret; 0: no such purpose. */
size_t kl_keyfile_bytes(const char *purpose);
/* A secret of the purpose, for *out. KL_E_FORMAT, KL_E_MEMORY. */
int kl_keyfile_secret(const char *purpose, struct kl_bytes b,
    struct kl_secret **out) KL_MUST_CHECK;
/* All of a file with the rights that keyfile.h asks for: wipe it. KL_E_FORMAT:
 * more than KEYFILE_LINE_MAX. Else as kl_keyfile_read. */
int kl_keyfile_line_read(int dirfd, const char *path,
    char line[KEYFILE_LINE_MAX], size_t *n) KL_MUST_CHECK;
/* As kl_keyfile_write, of any line. */
int kl_keyfile_line_write(int dirfd, const char *path, const char *line,
    size_t n) KL_MUST_CHECK;

#endif
