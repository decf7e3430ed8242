/*
 * engine_priv.h: the engine as its own files see it: engine.c (opening, turns,
 * link), engine_in.c (what comes in from people), engine_out.c (what they
 * see), engine_time.c (what time brings).
 */
#ifndef ADAPTERS_COMMON_ENGINE_PRIV_H
#define ADAPTERS_COMMON_ENGINE_PRIV_H

#include <kortelijn/host/link.h>

#include "adapters/common/asks.h"
#include "adapters/common/backup.h"
#include "adapters/common/calls.h"
#include "adapters/common/cases.h"
#include "adapters/common/clock_hold.h"
#include "adapters/common/engine.h"
#include "adapters/common/erasure.h"
#include "adapters/common/outbox.h"
#include "adapters/common/policy_store.h"
#include "adapters/common/receipts.h"
#include "adapters/common/rewrap.h"
#include "adapters/common/session.h"
#include "adapters/common/timers.h"
#include "adapters/common/turn.h"

#define ENGINE_ARENA_BYTES (1024 * 1024)
#define ENGINE_ARENA_ALLOCS 16384

struct engine {
	const struct config *config;
	struct kl_loop *loop;
	struct kl_clock clock;
	struct identity id;
	struct store *store;
	struct directory *dir;
	struct kl_arena *mem;
	struct kl_trace *trace;
	struct kl_link *link;
	struct calls *calls;
	struct outbox *outbox;
	struct receipts *receipts;
	struct repeats *withdrawals;
	struct erasures *erasures;
	struct asks *asks;
	struct session *session;
	struct turn turn;		/* lives on from turn to turn */
	struct policy_store policies;

	struct kl_source link_source, turn_source;
	bool link_added, turn_added;
	uint64_t connected;		/* connections seen */

	struct engine_listener *listeners;
	bool awake;			/* end the turn, written or not */
	bool broken;			/* our side failed: undo it */
	int64_t next_timer_ms;		/* monotonic: look at timers */
	bool timers_begun;		/* more is due behind timer_at */
	struct timer timer_at;
	struct clock_hold hold;
	bool held;			/* nothing is erased by time now */
	bool sweeping;			/* all terms anew, behind sweep_at */
	uint64_t sweep_at;
	struct kl_policy swept_for;	/* the last sweep's */
	int64_t next_idle_ms;		/* monotonic */
	int64_t next_erase_ms;		/* monotonic */
	struct rewrap rewrap;
	struct backup backup;
	int64_t next_refresh_ms;	/* monotonic: of the directory */
	int fatal;			/* why the loop was stopped, or 0 */
};

/* What a call of an interface or the session answered: KL_OK and KL_E_REFUSED
 * and the like pass; our own failures mark the turn and become KL_E_AGAIN;
 * what leaves no way on stops the loop. */
int engine_result(struct engine *e, int r);
/* engine_in.c: what an interface is told of a case; the case that a desk means,
 * which is one that came to it (KL_E_REFUSED: why says so). */
void engine_in_taken(struct engine_taken *out, const struct case_row *c);
int engine_in_answers(struct turn *t, const struct kl_spoken *reference,
    struct case_row *c, struct kl_finding *why) KL_MUST_CHECK;
/* engine_time.c: timers that are due and terms that changed, some of them.
 * Errors of the store. */
int engine_time_run(struct engine *e, struct turn *t, int64_t mono_ms)
    KL_MUST_CHECK;
/* The turn was undone. */
void engine_time_undone(struct engine *e);
/* Clock and memory of the turn that goes on. */
struct turn *engine_turn(struct engine *e);

#endif
