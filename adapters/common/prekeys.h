/*
 * prekeys.h: this adapter's own prekeys: one for each week, this one and the
 * next eight. The private half lies under a slot of its own and dies 60 days
 * after its week. PROTOCOL.md 4.7.
 */
#ifndef ADAPTERS_COMMON_PREKEYS_H
#define ADAPTERS_COMMON_PREKEYS_H

#include <kortelijn/wire/signed.h>

#include "adapters/common/identity.h"
#include "adapters/common/store.h"

#define PREKEYS_AHEAD 9			/* weeks, this one counted */
#define PREKEYS_TAKEN_AHEAD 10	/* weeks, by a broker: PROTOCOL.md 7.8 */
#define PREKEYS_KEEP_MS (60 * KL_DAY_MS)

struct prekey_row {
	struct kl_key_id key_id;
	struct kl_dh_pk pk;
	int64_t not_before_ms, not_after_ms;
	uint32_t slot;
	uint32_t published;		/* 0, 1 */
};

/* Makes what is missing at now_ms and erases what is past its term. The
 * store's errors; KL_E_FULL: no slot. */
int prekeys_top_up(struct store *s, int64_t now_ms) KL_MUST_CHECK;

/* Rows that were not published yet and that a broker takes: whose week is not
 * over and not too far ahead, at most max. */
int prekeys_unpublished(struct store *s, int64_t now_ms,
    struct prekey_row *out, size_t max, size_t *n) KL_MUST_CHECK;
/* The signed statement of one, packed: KL_STATEMENT_MAX of room. */
int prekeys_statement(const struct identity *id, const struct prekey_row *row,
    uint8_t *buf, size_t cap, size_t *n) KL_MUST_CHECK;
/* KL_E_NOT_FOUND: never had it, or erased. */
int prekeys_published(struct store *s, const struct kl_key_id *key)
    KL_MUST_CHECK;
/* After a loss of the broker's store, or take-over: all count as not
 * published. */
int prekeys_publish_again(struct store *s) KL_MUST_CHECK;

/* Public and private half. KL_E_NOT_FOUND: never had it, or erased.
 * KL_E_MEMORY. *sk is the caller's. */
int prekeys_find(struct store *s, struct kl_arena *mem,
    const struct kl_key_id *key, struct kl_dh_pk *pk, struct kl_secret **sk)
    KL_MUST_CHECK;

#endif
