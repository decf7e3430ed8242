/*
 * witness.h: an auditor signs what it saw of the log. It keeps the last
 * checkpoint that it signed of each log, and signs another one only when that
 * continues it: a log that went back or was rewritten gets no line, and both
 * signed checkpoints are kept. Needs no network. PROTOCOL.md 10.4, 10.11.
 */
#ifndef PROTO_AUDIT_WITNESS_H
#define PROTO_AUDIT_WITNESS_H

#include <kortelijn/crypto/proof.h>

#include "proto/cli/cli.h"

#define AUDIT_WITNESS_PATH_BYTES 512

struct audit_witness {
	const struct cli *cli;		/* says errors */
	const char *dir;		/* of its state; made if missing */
	const struct kl_vkey *key;	/* its name and public key */
	const struct kl_secret *sk;	/* borrowed */
	const struct kl_sign_pk *log;	/* the broker's key */
	const struct kl_id *broker;	/* whose logs it witnesses */
};

/* The last checkpoint that it signed of this log; size 0: none. CLI_OK, or
 * said: CLI_FILE. */
int audit_witness_last(const struct audit_witness *w, const char *origin,
    struct kl_checkpoint *c, struct kl_note *note);
/*
 * Reads the text of a consistency proof and the later checkpoint (proof.h),
 * holds it against its own state, keeps the new state durably, and only then
 * *out is the checkpoint with its line, signed at now_ms. CLI_OK, also for one
 * that it has signed before. CLI_FAILED, said: it does not continue what was
 * signed before; where both checkpoints show that the log went back or was
 * rewritten, they are kept in a file that is named. CLI_FILE: the text is no
 * such proof or not of this broker.
 */
int audit_witness_sign(const struct audit_witness *w, struct kl_bytes text,
    int64_t now_ms, struct kl_note *out);

#endif
