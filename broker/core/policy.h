/*
 * policy.h: which policy counts: from CONFIG/policy.conf at the start, over
 * the control socket while core runs. PROTOCOL.md 13.1, 13.2.
 */
#ifndef CORE_POLICY_H
#define CORE_POLICY_H

#include <kortelijn/domain/policy_file.h>

#include "broker/core/core.h"

/*
 * After boot_open, in a turn of its own: the file of CONFIG. One that is not
 * the one loaded last is a load. Without one that can be read core drains,
 * and the defaults count, or what was loaded last where that is stricter.
 * KL_OK in all these cases; else why the turn failed.
 */
int policy_start(struct core *c) KL_MUST_CHECK;
/*
 * What the operator hands in, in a turn of its own; it counts from the next
 * one on. KL_E_REFUSED: *e says why, nothing changed; else why the turn
 * failed.
 */
int policy_load(struct core *c, struct kl_bytes text,
    struct kl_policy_error *e) KL_MUST_CHECK;
/* A load that is remembered, as long as the log that it explains. */
struct policy_then {
	uint64_t leaf;
	int64_t at_ms;
	struct kl_hash hash;		/* SHA-256 of its file */
	/* What of it differs from the defaults, with its approvals, for
	 * kl_policy_file_read; lasts as long as the turn. */
	struct kl_bytes changes;
};
/* In a turn: the first one from this leaf on. KL_E_NOT_FOUND. */
int policy_load_next(struct core *c, uint64_t leaf,
    struct policy_then *out) KL_MUST_CHECK;
/* In a turn: the bytes of the file of such a load, in the turn's memory.
 * KL_E_NOT_FOUND: no load has this leaf, or it is past its term. */
int policy_text(struct core *c, uint64_t leaf, struct kl_bytes *out)
    KL_MUST_CHECK;
/* Once in a while: an approval may have ended with the day, and what is wrong
 * is said again. */
void policy_tick(struct core *c);

#endif
