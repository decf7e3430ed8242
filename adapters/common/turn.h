/*
 * turn.h: what every act of one turn needs: one transaction of the store, one
 * clock value, memory that ends with the turn, and who this adapter is.
 */
#ifndef ADAPTERS_COMMON_TURN_H
#define ADAPTERS_COMMON_TURN_H

#include <kortelijn/base/time.h>
#include <kortelijn/domain/policy.h>
#include <kortelijn/host/trace.h>

#include "adapters/common/config.h"
#include "adapters/common/directory.h"
#include "adapters/common/identity.h"
#include "adapters/common/store.h"

/* Own clock against the broker's. PROTOCOL.md 13. */
#define TURN_CLOCK_WARN_MS KL_MINUTE_MS
#define TURN_CLOCK_REFUSE_MS (10 * KL_MINUTE_MS)

struct turn {
	const struct config *config;
	const struct identity *id;
	struct directory *dir;
	struct store *store;
	struct kl_arena *mem;
	struct kl_trace *trace;		/* NULL: none */
	const struct kl_policy *policy;	/* that counts now; never NULL */
	bool no_policy;			/* none: nothing is sent */
	int64_t now_ms;
	bool clock_known;
	int64_t clock_off_ms;		/* own minus broker's */
	uint32_t origin;		/* logs of the broker seen so far */
	bool directory_whole;		/* read whole since an item waits */
	int64_t directory_ms;		/* when it was last; 0: never */

	/* what this turn found out */
	bool want_directory;		/* a card or key is missing */
	bool want_submit;		/* something was sealed or may be */
	bool want_receipt;		/* a receipt waits to leave */
	bool want_tell;			/* somebody waits for what came */
};

/* Within 10 minutes of the broker's, or not compared yet. */
static inline bool
turn_clock_good(const struct turn *t)
{
	return t->clock_off_ms <= TURN_CLOCK_REFUSE_MS &&
	    t->clock_off_ms >= -TURN_CLOCK_REFUSE_MS;
}

#endif
