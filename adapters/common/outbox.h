/*
 * outbox.h: messages of ours from the draft to the receipt. A message is
 * sealed once its conversation has none before it that waits; the same bytes
 * are sent until the broker accepted them or they expired; the plaintext stays
 * to seal again from. PROTOCOL.md 8.10, 8.16.
 *
 * In memory only what is not accepted yet, everything else in the store; after
 * an undone turn the memory is read anew.
 */
#ifndef ADAPTERS_COMMON_OUTBOX_H
#define ADAPTERS_COMMON_OUTBOX_H

#include "adapters/common/cases.h"

/* The plaintext of what was sent stays so long if nobody tells that it is in
 * hand. PROTOCOL.md 15.6. */
#define OUTBOX_PLAIN_MS (14 * KL_DAY_MS)
#define OUTBOX_IN_FLIGHT_MAX 64

enum out_state {
	OUT_DRAFT = 1,
	OUT_SEALED = 2,		/* and submitted, perhaps */
	OUT_ACCEPTED = 3,
	OUT_DELIVERED = 4,
	OUT_REFUSED = 5,	/* by broker or receiver; code */
	OUT_EXPIRED = 6,
	OUT_UNCERTAIN = 7,
	OUT_DEAD = 8,		/* code */
	OUT_LOST = 9,		/* at the receiver */
	OUT_REPLACED = 10,	/* sealed again under another id */
	OUT_WITHDRAWN = 11,	/* purged; may be at the receiver */
};

#define OUTBOX_RESEAL_MAX 5	/* then it is given up */

struct out_row {
	struct kl_msg_id id;
	struct kl_conv_id conv;
	uint64_t order;
	uint32_t kind, state;
	uint64_t seq;			/* 0: not sealed yet */
	uint32_t milestone;		/* FEEDBACK */
	uint32_t code;
	uint32_t resealed;		/* times, with what it replaces */
	uint32_t waited;		/* 1: for a key or the clock */
	struct kl_msg_id replaces;	/* or zero */
	struct kl_hash body;		/* hash, or zero */
	struct kl_key_id signer, prekey; /* that it was sealed with */
	int64_t created_ms, deliver_by_ms, expire_ms;
	uint64_t leaf;
	uint32_t has_leaf;
	uint32_t origin;		/* number of the log of that leaf */
};

struct outbox;

/* NULL: no memory. */
struct outbox *outbox_new(void);
/* Accepts NULL. */
void outbox_free(struct outbox *o);
/* Reads what waits from the store; nothing is in flight. KL_E_MEMORY, errors
 * of the store. */
int outbox_load(struct outbox *o, struct turn *t) KL_MUST_CHECK;

/* The next sealed message that is due: counts as in flight from now on.
 * KL_E_EMPTY: none. Bytes lie in the arena. */
struct out_submit {
	struct kl_msg_id id;
	struct kl_bytes envelope, ct;
};
int outbox_next(struct outbox *o, struct turn *t, int64_t mono_ms,
    struct out_submit *out) KL_MUST_CHECK;
/* ms until something is due; negative: never. */
int64_t outbox_wait_ms(const struct outbox *o, int64_t mono_ms);
/* No answer came: due again at once, or after a pause. */
void outbox_unanswered(struct outbox *o, const struct kl_msg_id *id,
    int64_t due_mono_ms);
/* All that waits is due now: a session began. */
void outbox_wake(struct outbox *o);
/* While it is paused nothing is sealed and nothing is due. */
void outbox_pause(struct outbox *o, bool paused);

/* ---- for outbox_answer.c and outbox_back.c --------------------------- */

int outbox_row(struct turn *t, const struct kl_msg_id *id,
    struct out_row *out) KL_MUST_CHECK;
int outbox_put_row(struct turn *t, const struct out_row *row) KL_MUST_CHECK;
/* It waits no more: the next one of its conversation may be sealed. */
void outbox_drop(struct outbox *o, const struct kl_msg_id *id);
/* Its sealed bytes; envelope too unless it is the REFERRAL, which is presented
 * after a loss. */
int outbox_erase_sealed(struct turn *t, const struct out_row *row)
    KL_MUST_CHECK;
/* Not before then; counts as one more attempt. */
void outbox_defer(struct outbox *o, const struct kl_msg_id *id,
    uint32_t at_least_ms, int64_t mono_ms);

uint32_t outbox_waiting(const struct outbox *o);
uint32_t outbox_waiting_of(const struct outbox *o,
    const struct kl_conv_id *conv);

#endif
