/*
 * checkpoint.h: the last signed head of the broker's log that this adapter
 * saw, and the proof that the next one continues it. What does not continue
 * it is a durable alarm with both notes. PROTOCOL.md 7.1.2, 7.10, 10.6.
 */
#ifndef ADAPTERS_COMMON_CHECKPOINT_H
#define ADAPTERS_COMMON_CHECKPOINT_H

#include <kortelijn/crypto/note.h>
#include <kortelijn/wire/request.h>

#include "adapters/common/turn.h"

struct checkpoint {
	char origin[KL_ORIGIN_MAX];	/* "": none seen yet */
	uint64_t size;
	struct kl_hash root;
	int64_t seen_ms;
	char note[KL_NOTE_MAX];		/* as it was signed */
};

/* What is kept; origin is "" if nothing. Errors of the store. */
int checkpoint_get(struct turn *t, struct checkpoint *out) KL_MUST_CHECK;

enum checkpoint_verdict {
	CHECKPOINT_KEPT = 1,	/* the same, or the first one */
	CHECKPOINT_AHEAD = 2,	/* kept only once the proof holds */
	CHECKPOINT_NEW_ORIGIN = 3, /* a log after a loss; kept */
	CHECKPOINT_BAD = 4,	/* not signed by this broker */
	CHECKPOINT_FORK = 5,	/* alarm raised, once; the old one stays */
	CHECKPOINT_LEFT = 6,	/* of a log older than the one kept: alarm
				 * raised, once for each; nothing may be sent
				 * to a broker that stands on it */
};
/* A note as it came, empty: nothing to say. Counts t->origin up for a new
 * one. Errors of the store. */
int checkpoint_take(struct turn *t, struct kl_bytes note,
    enum checkpoint_verdict *out) KL_MUST_CHECK;
/* The proof that note continues what is kept; keeps it or raises the alarm. */
int checkpoint_prove(struct turn *t, const struct kl_log_reply *reply,
    enum checkpoint_verdict *out) KL_MUST_CHECK;

/* The number of the log that is kept, for turn.origin. */
int checkpoint_origin(struct store *s, uint32_t *out) KL_MUST_CHECK;

#endif
