/*
 * terms.h: until when what must have happened: the absolute times that go
 * into a signed header. Only adapters count in working days; nothing stored.
 * PROTOCOL.md 13.
 */
#ifndef ADAPTERS_COMMON_TERMS_H
#define ADAPTERS_COMMON_TERMS_H

#include <stdbool.h>
#include <stdint.h>

struct terms {
	int64_t deliver_by_ms, answer_by_ms, expire_at_ms;
};
/* kind: enum kl_kind; level: enum kl_level of the consent. */
struct terms terms_of(uint32_t kind, bool crisis, uint32_t level,
    int64_t created_ms);

#endif
