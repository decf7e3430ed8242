/*
 * dirverify.h: `audit verify DIR`: what is wrong with an export, in words, to
 * somebody without a broker, a network or a secret key.
 */
#ifndef PROTO_AUDIT_DIRVERIFY_H
#define PROTO_AUDIT_DIRVERIFY_H

#include <kortelijn/domain/list.h>

#include "proto/audit/trust.h"

/*
 * Looks at all of it (dircheck.h) and says on standard output what is wrong,
 * as it is found, and how it is as a whole; with --json one object, in
 * English. CLI_OK:
 * all of it is as the log's key has signed it, and no rule is broken;
 * CLI_FAILED: something is not; CLI_FILE: the directory cannot be read, or its
 * checkpoint is not one of that log.
 */
int audit_dir_verify(const struct cli *c, const char *dir,
    const struct audit_trust *t, enum kl_lang lang);

#endif
