/*
 * fence.h: one broker, one log at a time, one history of it. Of two stores
 * that know each other the younger log goes on; the older one, on the machine
 * that comes back or from a copy, is left for good. So is a store that was put
 * back from a copy of before. PROTOCOL.md 10.6.
 */
#ifndef CORE_FENCE_H
#define CORE_FENCE_H

#include "broker/core/core.h"

/*
 * A participant shows this note, or the operator hands it in. True: it is a
 * checkpoint of ours, and of a younger log, or of this one and not of our
 * tree: nobody may go on with this store. It is told, kept for the next start,
 * and core stops. Everything else is passed over. Within a turn.
 * PROTOCOL.md 7.1.1.
 */
bool fence_must_stop(struct core *c, struct kl_bytes note);
/*
 * What a HELLO is answered then: our own note, so that whoever showed the other
 * one holds both. Packed into mem. KL_E_NOT_FOUND: this store is not fenced
 * off; KL_E_MEMORY, KL_E_SIZE.
 */
int fence_answer(const struct core *c, struct kl_arena *mem,
    struct answer *out) KL_MUST_CHECK;
/* A checkpoint that this broker has signed, of the log that it stands on. */
bool fence_is_ours(const struct core *c, struct kl_bytes note);
/* At the start, when the store's log is known: is a younger one, or was a
 * checkpoint shown that does not fit this store? Tells it. */
bool fence_closed(struct core *c);
/* The name of this log, for later starts and for stores that are copied back.
 * A warning if it cannot be kept. */
void fence_keep_name(const struct core *c);
/* Before a new log is made: its name will be younger than what is known. */
void fence_begin_after(struct core *c);
/* The newest checkpoint that is known of the logs before: the mark, what a
 * participant has shown, what the operator gave. Empty: none. */
struct kl_note fence_last_note(const struct core *c);

#endif
