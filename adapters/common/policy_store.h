/*
 * policy_store.h: which policy counts at this adapter: from its file at the
 * start, over the control socket while it runs. PROTOCOL.md 13.1, 13.2.
 */
#ifndef ADAPTERS_COMMON_POLICY_STORE_H
#define ADAPTERS_COMMON_POLICY_STORE_H

#include <kortelijn/domain/policy_file.h>

#include "adapters/common/turn.h"

/* One load. */
struct policy_load {
	struct kl_policy_file file;
	struct kl_hash hash;		/* SHA-256 of its bytes */
	int64_t at_ms;
};

struct policy_store {
	struct kl_policy now;		/* that counts */
	struct policy_load loaded;	/* of which it was made */
	struct policy_load *next;	/* counts once its turn is durable */
	int32_t day;			/* for which `now` was made */
	bool none;			/* no policy could be read at start */
	int64_t tell_ms;		/* monotonic; when that is said again */
};

/*
 * The first turn: the file of the configuration. One that is not the one
 * loaded last is a load. Without one that can be read `none` is set, an alarm
 * is raised, and the defaults count, or what was loaded last where that is
 * stricter. KL_E_MEMORY, errors of the store.
 */
int policy_store_open(struct policy_store *p, struct turn *t) KL_MUST_CHECK;
void policy_store_close(struct policy_store *p);

/* What the operator `uid` hands in. KL_OK: it counts after the commit of this
 * turn; KL_E_REFUSED: *e says why; KL_E_MEMORY, errors of the store. */
int policy_store_load(struct policy_store *p, struct turn *t, uint32_t uid,
    struct kl_bytes text, struct kl_policy_error *e) KL_MUST_CHECK;
/* How the turn ended. True: another policy counts from here on. */
bool policy_store_ended(struct policy_store *p, bool committed,
    int64_t now_ms);
/* Once in a while: an approval may have ended with the day, and what is wrong
 * is said again. */
void policy_store_tick(struct policy_store *p, int64_t now_ms);

#endif
