/*
 * repair.h: keys whose sector is broken open nothing any more, and nobody
 * brings them back. What lay under them is ended at the start and its parties
 * are told, so that one bad sector stops nobody else. PROTOCOL.md 8.1.
 */
#ifndef CORE_REPAIR_H
#define CORE_REPAIR_H

#include "broker/core/retain_end.h"

struct repair {
	uint32_t messages, conversations, months;
	uint32_t withdrawals;
};

/* Months before anything is logged; their records are lost, and new ones get
 * a new key. With them go withdrawals whose key is broken. */
int repair_months(struct turn *t, struct repair *n) KL_MUST_CHECK;
/* A leaf for each that was lost and has none yet: in a turn, at every start. */
int repair_tell(struct turn *t) KL_MUST_CHECK;
/* Then what is forgotten with its conversation's key, and messages that wait
 * under a broken one, or whose record went with a month: dead, with
 * broker_damage, or unconfirmed if they were released. */
int repair_rest(struct turn *t, struct registry *r, struct repair *n)
    KL_MUST_CHECK;

#endif
