/*
 * logask.h: what LOG answers, over any link, each checkpoint verified under
 * the broker's key before anybody looks at it. PROTOCOL.md 7.10.
 */
#ifndef PROTO_AUDIT_LOGASK_H
#define PROTO_AUDIT_LOGASK_H

#include <kortelijn/crypto/proof.h>
#include <kortelijn/wire/request.h>

#include "proto/audit/link.h"

struct audit_logask {
	struct audit_link *link;	/* borrowed */
	const struct kl_sign_pk *pk;	/* the broker's, borrowed */
	struct kl_arena *mem;
};

/* CLI_OK, or said: CLI_FAILED. */
int audit_logask_open(struct audit_logask *a, struct audit_link *link,
    const struct kl_sign_pk *pk);
void audit_logask_close(struct audit_logask *a);

/* A signed note and what it says. */
struct audit_logask_note {
	struct kl_note note;
	struct kl_checkpoint c;
};

/* The newest one; witnessed: the newest that has lines of witnesses. CLI_OK,
 * or said: what the link answers, and CLI_FAILED: there is none, or it is not
 * signed by this broker. */
int audit_logask_newest(struct audit_logask *a, bool witnessed,
    struct audit_logask_note *out);
/* The one that was kept of this day, or of the next day that has one. */
int audit_logask_kept(struct audit_logask *a, int32_t day,
    struct audit_logask_note *out);
/*
 * The way from a leaf to `to`, or from an older size to it; with size 0 of
 * `to` to the newest checkpoint, which then is *to. *n hashes into
 * h[KL_PROOF_HASHES]; nothing of it is verified but the note. want:
 * KL_LOG_INCLUSION, KL_LOG_CONSISTENCY. As above.
 */
int audit_logask_proof(struct audit_logask *a, uint32_t want, uint64_t size,
    struct audit_logask_note *to, struct kl_hash *h, size_t *n);

#endif
