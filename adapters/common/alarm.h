/*
 * alarm.h: what the people at this adapter must know, durable and numbered.
 */
#ifndef ADAPTERS_COMMON_ALARM_H
#define ADAPTERS_COMMON_ALARM_H

#include "adapters/common/engine.h"
#include "adapters/common/turn.h"

/* Two checkpoints as they came. */
#define ALARM_EVIDENCE_MAX (ENGINE_EVIDENCE_MAX - 1)

/* "?" for a number that is none. */
const char *alarm_name(uint32_t kind);
/* conv may be NULL. Errors of the store. */
int alarm_raise(struct turn *t, enum engine_alarm_kind kind, uint32_t code,
    const struct kl_conv_id *conv) KL_MUST_CHECK;
/* With bytes that prove it to others. KL_E_SIZE besides. */
int alarm_raise_evidence(struct turn *t, enum engine_alarm_kind kind,
    struct kl_bytes evidence) KL_MUST_CHECK;
/* As alarm_raise, and the interfaces are told. */
int alarm_tell(struct turn *t, enum engine_alarm_kind kind, uint32_t code,
    const struct kl_conv_id *conv) KL_MUST_CHECK;
/* As alarm_raise, but only if no alarm of that kind is open for conv; the
 * interfaces are told. It stays open until alarm_close. */
int alarm_open(struct turn *t, enum engine_alarm_kind kind, uint32_t code,
    const struct kl_conv_id *conv) KL_MUST_CHECK;
/* What it warned of has happened after all. KL_OK also if none is open. */
int alarm_close(struct turn *t, enum engine_alarm_kind kind,
    const struct kl_conv_id *conv) KL_MUST_CHECK;
/* All that are open for a case that is forgotten. */
int alarm_close_all(struct turn *t, const struct kl_conv_id *conv)
    KL_MUST_CHECK;
/* How many are open. */
int alarm_count_open(struct store *s, uint64_t *n) KL_MUST_CHECK;
/* KL_E_NOT_FOUND; errors of the store. */
int alarm_get(struct store *s, uint64_t seq, struct engine_alarm *out)
    KL_MUST_CHECK;
/* The first one after `after`. KL_E_NOT_FOUND; errors of the store. */
int alarm_next(struct store *s, uint64_t after, struct engine_alarm *out)
    KL_MUST_CHECK;
/* Its evidence into the arena, empty if there is none. */
int alarm_evidence(struct store *s, struct kl_arena *mem, uint64_t seq,
    struct kl_bytes *out) KL_MUST_CHECK;
int alarm_count(struct store *s, uint64_t *n) KL_MUST_CHECK;

#endif
