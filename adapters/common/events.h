/*
 * events.h: what the interfaces hand out, numbered, so that each keeps a
 * cursor of its own.
 */
#ifndef ADAPTERS_COMMON_EVENTS_H
#define ADAPTERS_COMMON_EVENTS_H

#include "adapters/common/engine.h"
#include "adapters/common/turn.h"

/* Errors of the store. */
int events_add(struct turn *t, enum engine_event_kind kind,
    const struct kl_conv_id *conv, uint64_t step) KL_MUST_CHECK;
/* The first one after `after`. KL_E_NOT_FOUND; errors of the store. */
int events_next(struct store *s, uint64_t after, struct engine_event *out)
    KL_MUST_CHECK;
/* name: at most 16 letters. KL_E_SIZE; errors of the store. */
int events_cursor_get(struct store *s, const char *name, uint64_t *seq)
    KL_MUST_CHECK;
int events_cursor_put(struct store *s, const char *name, uint64_t seq)
    KL_MUST_CHECK;

#endif
