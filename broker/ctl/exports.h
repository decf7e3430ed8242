/*
 * exports.h: the files of the log export, as far as they can be read without
 * the recovery key.
 */
#ifndef BROKER_CTL_EXPORTS_H
#define BROKER_CTL_EXPORTS_H

#include <kortelijn/crypto/logfile.h>

#include "broker/ctl/ctl.h"

/* Is this the name of one? */
bool exports_name_ok(const char *name);
/* The head of a file; *n bytes. As kl_logfile_head_read, and KL_E_NOT_FOUND,
 * KL_E_DENIED, KL_E_IO. */
int exports_head(const char *path, struct kl_logfile_head *out, size_t *n)
    KL_MUST_CHECK;

/* The newest checkpoint that the files in dir name and pk has signed.
 * KL_E_NOT_FOUND: none does, or there is no such directory. */
int exports_newest(const char *dir, const struct kl_sign_pk *pk,
    struct kl_note *note, struct kl_checkpoint *c) KL_MUST_CHECK;

/* The broker's signing key, of ctl_trust. enum cli_exit, said. */
int exports_key(const struct cli *c, struct kl_sign_pk *out);

#endif
