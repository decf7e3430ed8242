/*
 * receipts.h: the receipts that this adapter signed: kept with the entry that
 * tells repeats, and sent until the broker has them. PROTOCOL.md 7.4, 15.3.
 */
#ifndef ADAPTERS_COMMON_RECEIPTS_H
#define ADAPTERS_COMMON_RECEIPTS_H

#include "adapters/common/turn.h"

#define RECEIPTS_IN_FLIGHT_MAX 64
#define RECEIPTS_BYTES_MAX 400		/* of a packed, signed one */

struct receipts;

/* NULL: no memory. */
struct receipts *receipts_new(void);
/* Accepts NULL. */
void receipts_free(struct receipts *q);
/* Reads what waits from the store. KL_E_MEMORY, errors of the store. */
int receipts_load(struct receipts *q, struct turn *t) KL_MUST_CHECK;

/* Was this message receipted before? Then its receipt, into the arena, and it
 * waits to be sent again. KL_E_NOT_FOUND: no. */
int receipts_again(struct receipts *q, struct turn *t,
    const struct kl_msg_id *id) KL_MUST_CHECK;
/* Signs and keeps one, to be sent; `packed` may be NULL. */
struct receipt_of {
	struct kl_msg_id id;
	struct kl_conv_id conv;
	struct kl_hash body;
	uint32_t outcome, code;
	int64_t expire_ms;		/* of the message */
};
int receipts_make(struct receipts *q, struct turn *t,
    const struct receipt_of *of, struct kl_bytes *packed) KL_MUST_CHECK;

/* The next to be sent, packed, into the arena; in flight from now on.
 * KL_E_EMPTY: none. */
int receipts_next(struct receipts *q, struct turn *t, int64_t mono_ms,
    struct kl_msg_id *id, struct kl_bytes *packed) KL_MUST_CHECK;
int64_t receipts_wait_ms(const struct receipts *q, int64_t mono_ms);
/* The broker's answer. KL_OK also when it refused: then it is given up. */
int receipts_answer(struct receipts *q, struct turn *t,
    const struct kl_msg_id *id, uint32_t code, int64_t mono_ms)
    KL_MUST_CHECK;
void receipts_unanswered(struct receipts *q, const struct kl_msg_id *id);
size_t receipts_waiting(const struct receipts *q);

/* All that are kept, one after another, for SYNC: the first with an id after
 * *id, which is set. KL_E_NOT_FOUND: no more. */
int receipts_kept(struct turn *t, struct kl_msg_id *id, bool first,
    struct kl_conv_id *conv, struct kl_bytes *packed) KL_MUST_CHECK;
/* Its time has come: no repeat will. One that the broker has not taken stays,
 * with a timer of its own. */
int receipts_forget(struct turn *t, const struct kl_msg_id *id)
    KL_MUST_CHECK;

#endif
