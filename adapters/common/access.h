/*
 * access.h: the adapter's own log of who took in, saw, printed, exported or
 * changed what, through which interface. A line is committed before what it
 * tells of is shown: NEN 7513 asks who looked into a file.
 */
#ifndef ADAPTERS_COMMON_ACCESS_H
#define ADAPTERS_COMMON_ACCESS_H

#include "adapters/common/engine.h"
#include "adapters/common/turn.h"

struct access_line {
	int64_t at_ms;
	uint32_t act;			/* enum engine_act */
	struct engine_actor by;
	struct kl_conv_id conv;
};

/* Errors of the store. */
int access_log(struct turn *t, const struct engine_actor *by,
    enum engine_act act, const struct kl_conv_id *conv) KL_MUST_CHECK;
/* The line after number `after`; *seq is its own. KL_E_NOT_FOUND. */
int access_next(struct store *s, uint64_t after, uint64_t *seq,
    struct access_line *out) KL_MUST_CHECK;

#endif
