/*
 * held.h: answers to withdrawals that wait until what they ended is erased:
 * its keys were zeroed and read back, and the ERASED leaves are committed. They
 * live in memory only: who asks again is answered from the store.
 * PROTOCOL.md 8.9.
 */
#ifndef CORE_HELD_H
#define CORE_HELD_H

#include "broker/core/core.h"
#include "broker/core/withdraw.h"

/* Does something wait to be erased, so that an answer has to? */
bool held_must(const struct core *c);
/* An answer of this turn waits. KL_E_FULL: too many do. */
int held_add(struct core *c, const struct request *q,
    const struct withdraw_counts *counts) KL_MUST_CHECK;
/* First in a turn, when the slots were zeroed: answers them after its commit,
 * unless there are more slots than one turn erases. */
int held_answer(struct core *c) KL_MUST_CHECK;
void held_committed(struct core *c);
/* The turn was undone: those of it are told so with the other answers. */
void held_undo(struct core *c);

#endif
