/*
 * policy.h: `policy show|check|diff|load`, the same for the broker's operator
 * and for the adapters. PROTOCOL.md 13.1.
 */
#ifndef PROTO_CLI_POLICY_H
#define PROTO_CLI_POLICY_H

#include <stdint.h>

#include <kortelijn/domain/list.h>

#include "proto/cli/cli.h"

/* Of whom the policy is. Its daemon answers "policy" with an object {draining,
 * sha256, ...} and takes "policy_load" with the bytes in base64. */
struct policy_place {
	const char *file;	/* what is read at its next start */
	const char *socket;	/* of its daemon */
	int64_t now_ms;
	enum kl_lang lang;
};

/* Each answers an enum cli_exit. FILE is the first argument. */

/* Every row with key, value, default, source and status, who loosened it and
 * until when; and whether the daemon has loaded this file. */
int policy_show(struct cli *c, const struct policy_place *p);
/* CLI_FILE: FILE is wrong, with its line; CLI_FAILED: a looser value in it
 * would not count. */
int policy_check(struct cli *c, const struct policy_place *p);
/* What FILE would change of what counts by the file in place. */
int policy_diff(struct cli *c, const struct policy_place *p);
/* Checks FILE, hands it to the daemon if that runs, and puts it in place for
 * the next start. */
int policy_load(struct cli *c, const struct policy_place *p);
/* Puts the file that is shipped in place, unless one is there. KL_E_DENIED,
 * KL_E_FULL, KL_E_IO. */
int policy_init(const char *file) __attribute__((warn_unused_result));

#endif
