/*
 * approvals.h: which cards that read all have the controllers' approval, and
 * for whom: from CONFIG/approvals at the start, over the control socket while
 * core runs. PROTOCOL.md 7.11.5.
 */
#ifndef CORE_APPROVALS_H
#define CORE_APPROVALS_H

#include <kortelijn/domain/approval.h>

#include "broker/core/core.h"

/* After the cards, in turns of its own: a file that is new has a leaf; one
 * that does not count is told in the log and passed over. KL_OK, or why a
 * turn failed. */
int approvals_start(struct core *c) KL_MUST_CHECK;
/* What the operator hands in, in a turn of its own; it counts from then on.
 * KL_E_REFUSED: *e says why, nothing changed; else why the turn failed. */
int approvals_take(struct core *c, struct kl_bytes text,
    struct kl_approval_error *e) KL_MUST_CHECK;
/* NULL: the card of this serial has none. */
const struct core_approval *approvals_of(const struct core *c,
    const uint8_t serial[16]);
void approvals_clear(struct core *c);

#endif
