/*
 * trust.h: what a verification takes as given: the log's key, which log it
 * is, and whose lines count as a witness's.
 */
#ifndef PROTO_AUDIT_TRUST_H
#define PROTO_AUDIT_TRUST_H

#include <kortelijn/crypto/vkey.h>

#include "proto/cli/cli.h"

#define AUDIT_WITNESSES_MAX 16

struct audit_trust {
	struct kl_sign_pk pk;		/* of the log */
	char origin[KL_ORIGIN_MAX];	/* "": whichever it has signed */
	struct kl_vkey witness[AUDIT_WITNESSES_MAX];
	size_t n;
};

/* For the options of a command that calls audit_trust_options. */
#define AUDIT_TRUST_OPTIONS "vkey=", "origin=", "witness="

/*
 * --vkey: the log's key and origin in their C2SP text; --origin: the origin
 * alone; --witness: the text of a witness's key, or a file of such texts, one
 * a line. What an option gives takes the place of what `t` has; --witness
 * adds. *has_key: --vkey was given. CLI_OK; CLI_USAGE, CLI_FILE: said.
 */
int audit_trust_options(const struct cli *c, struct audit_trust *t,
    bool *has_key);
/* KL_E_FULL: there are AUDIT_WITNESSES_MAX; KL_E_VALUE: the log's sort of
 * key. One that is there already is not added again. */
int audit_trust_witness(struct audit_trust *t, const struct kl_vkey *v)
    KL_MUST_CHECK;

/* A checkpoint of the log that is trusted; errors of kl_vkey_checkpoint. */
int audit_trust_checkpoint(const struct audit_trust *t, struct kl_bytes text,
    struct kl_checkpoint *out) KL_MUST_CHECK;

struct audit_trust_line {
	const struct kl_vkey *by;	/* points into the trust */
	int64_t at_s;			/* by the witness's clock */
};
/*
 * The lines of trusted witnesses under a checkpoint that verified, *n of them.
 * KL_E_SIGNATURE, KL_E_FORMAT: a line of one of them does not hold, so the
 * text is not what it signed. A witness that has no line is none of both.
 */
int audit_trust_lines(const struct audit_trust *t, struct kl_bytes text,
    struct audit_trust_line out[AUDIT_WITNESSES_MAX], size_t *n)
    KL_MUST_CHECK;

#endif
