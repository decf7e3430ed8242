/*
 * passphrase.h: what opens sealed key files (keyfile_sealed.h): asked on the
 * terminal without showing it, or the one line of --passphrase-file.
 */
#ifndef PROTO_CLI_PASSPHRASE_H
#define PROTO_CLI_PASSPHRASE_H

#include <kortelijn/crypto/keyfile_sealed.h>

#include "proto/cli/cli.h"

/* Wipe it after use. */
struct passphrase { size_t n; char b[KL_PASSPHRASE_MAX + 1]; };

/* That of a key that is there; `what` is the file or directory it opens, for
 * the question. CLI_OK; otherwise it was said and *out is empty: CLI_USAGE:
 * there is no terminal to ask at; CLI_FAILED: the asked one gave up; CLI_FILE:
 * the file is missing, not ours alone, or has not one line of at most
 * KL_PASSPHRASE_MAX bytes. */
int passphrase_get(const struct cli *c, const char *what,
    struct passphrase *out);
/* A new one: asked twice. CLI_USAGE besides: shorter than KL_PASSPHRASE_MIN, or
 * the two differ. */
int passphrase_new(const struct cli *c, const char *what,
    struct passphrase *out);
struct kl_bytes passphrase_bytes(const struct passphrase *p);
void passphrase_wipe(struct passphrase *p);

#endif
