/*
 * keys.h: what edge is told of the keys on the cards.
 */
#ifndef CORE_KEYS_H
#define CORE_KEYS_H

#include "broker/core/core.h"

/* All keys, to the edge of now; done: it may serve then. Without memory or
 * room edge is told nothing: it asks again when it starts anew. */
void keys_tell(struct core *c, bool done);

#endif
