/*
 * terms.h: until when what must have happened: the absolute times that go
 * into a signed header, by the policy and the days and hours of the desk that
 * it goes to. Only adapters count in working days and office hours; nothing
 * stored. PROTOCOL.md 13.
 */
#ifndef ADAPTERS_COMMON_TERMS_H
#define ADAPTERS_COMMON_TERMS_H

#include <kortelijn/domain/calendar.h>

#include "adapters/common/turn.h"

struct terms {
	int64_t deliver_by_ms, answer_by_ms, expire_at_ms;
};

/* What they depend on besides the policy. */
struct terms_for {
	uint32_t kind;			/* enum kl_kind */
	bool crisis;
	uint32_t level;			/* enum kl_level of the consent */
};

/* desk may be NULL: the usual days and hours. */
struct terms terms_of(const struct kl_policy *p,
    const struct kl_calendar *desk, const struct terms_for *f,
    int64_t created_ms);

/* When a desk is open, by its PROFILE; the usual hours without one. Errors of
 * the store, KL_E_MEMORY. */
int terms_calendar(struct turn *t, const struct kl_id *desk,
    struct kl_calendar *out) KL_MUST_CHECK;

#endif
