/*
 * erase.h: the end of a slot: in the turn after the one that ended a message
 * or forgot a conversation its key is destroyed, and that is logged.
 */
#ifndef CORE_ERASE_H
#define CORE_ERASE_H

#include "broker/core/turn.h"

#define ERASE_MAX 256
struct erasing {
	uint32_t slot[ERASE_MAX];
	size_t n;
	uint32_t read_back[ERASE_MAX];	/* those of a withdrawal */
	size_t n_read_back;
};
/* Zeroes the slots that wait, at most ERASE_MAX, and syncs them: first in a
 * turn. Those of a withdrawal are read back. KL_E_COMMIT: the process must
 * end; KL_E_DAMAGED: what was read back is not zero. */
int erase_slots(struct turn *t, struct erasing *e) KL_MUST_CHECK;
/* Their ERASED leaves. */
int erase_log(struct turn *t, const struct erasing *e) KL_MUST_CHECK;

/* Every slot that messages, conversations and months refer to is marked used,
 * and those whose sector is broken are counted in vault.broken; at start. */
int erase_mark_slots(struct turn *t) KL_MUST_CHECK;

#endif
