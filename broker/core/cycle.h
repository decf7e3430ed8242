/*
 * cycle.h: the frame of a turn: begun with what the turn before left to
 * erase, committed once or undone as a whole, and only then answered.
 */
#ifndef CORE_CYCLE_H
#define CORE_CYCLE_H

#include "broker/core/core.h"

/* Ends the process with this status, after what was logged of it. */
void core_end(struct core *c, int status);
/* The same, after one line. */
void core_stop(struct core *c, int status, const char *event, int err);

/* Opens the transaction, zeroes the slots that wait and logs it. KL_OK, or
 * why nothing can be done now; the turn is then undone already. */
int cycle_begin(struct core *c) KL_MUST_CHECK;
/* err KL_OK: commits, then sends the answers. Else undoes the turn; each of
 * them becomes TRY_LATER. What cannot be undone ends the process. */
void cycle_end(struct core *c, int err);
/* A turn without requests: `work` may be NULL. For the start and the control
 * socket. Answers what the turn came to. */
int cycle_run(struct core *c, int (*work)(struct core *c, void *arg),
    void *arg) KL_MUST_CHECK;

/* No more requests in this turn. */
bool cycle_full(const struct core *c);
/* An answer of this turn, to be sent after its commit. */
int cycle_reply(struct core *c, const struct kl_route *route,
    uint32_t generation, uint32_t request, uint64_t request_id,
    const struct answer *a) KL_MUST_CHECK;

/* Signs a checkpoint if one is due. */
void cycle_sign(struct core *c);

#endif
