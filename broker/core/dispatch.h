/*
 * dispatch.h: the request table, and one turn: what waits is taken, judged
 * and done in one transaction, and answered after its commit.
 */
#ifndef CORE_DISPATCH_H
#define CORE_DISPATCH_H

#include "broker/core/core.h"

/* Takes what edge has sent and does what is due. */
void dispatch_turn(struct core *c);
/* In how many ms a turn is wanted although nothing came; negative: never. */
int64_t dispatch_wait_ms(const struct core *c);

#endif
