/*
 * erasure.h: requests of a party to erase, as the broker hands them on:
 * believed only if a party of the very conversation signed the withdrawal
 * inside; then obeyed, and answered with a signed ERASE_RECEIPT that is sent
 * until it is taken. PROTOCOL.md 5.9, 8.9.
 *
 * The own copy goes at once. About the organisation's case system a desk must
 * say itself what became of it: until then the receipt waits.
 */
#ifndef ADAPTERS_COMMON_ERASURE_H
#define ADAPTERS_COMMON_ERASURE_H

#include "adapters/common/calls.h"
#include "adapters/common/erasure_row.h"
#include "adapters/common/outbox.h"

struct erasures;

/* NULL: no memory. */
struct erasures *erasure_new(void);
/* Accepts NULL. */
void erasure_free(struct erasures *q);
/* Reads what is not done from the store. KL_E_MEMORY, errors of the store. */
int erasure_load(struct erasures *q, struct turn *t) KL_MUST_CHECK;

/* A verified NOTICE ERASE_REQUEST. */
enum erasure_verdict {
	ERASURE_OBEYED = 1,
	ERASURE_KNOWN = 2,	/* obeyed before; its receipt goes again */
	ERASURE_WAIT = 3,	/* the signer's card is not known yet */
	ERASURE_REFUSED = 4,	/* no party asks this: kept; *code */
	ERASURE_REFUSED_BEFORE = 5,
};
/* Errors of the store, KL_E_FULL, KL_E_MEMORY. */
int erasure_request(struct erasures *q, struct turn *t, struct outbox *o,
    const struct kl_notice *n, enum erasure_verdict *verdict, uint32_t *code)
    KL_MUST_CHECK;

/* The desk says what became of it in its case system. KL_E_NOT_FOUND: nobody
 * asked, or it was said; KL_E_VALUE: kept, after a referral in error. Writes
 * the case. */
int erasure_answer(struct erasures *q, struct turn *t,
    const struct kl_conv_id *conv, uint32_t case_system) KL_MUST_CHECK;
/* Signs what may be: its keys are zero, and the desk has spoken. */
int erasure_work(struct erasures *q, struct turn *t) KL_MUST_CHECK;

/* The next receipt that is due, packed, into the arena. KL_E_EMPTY. */
int erasure_next(struct erasures *q, struct turn *t, int64_t mono_ms,
    struct kl_conv_id *conv, struct kl_bytes *packed) KL_MUST_CHECK;
/* Is one of conv on its way? */
bool erasure_flying(const struct erasures *q, const struct kl_conv_id *conv);
int erasure_taken(struct erasures *q, struct turn *t,
    const struct kl_conv_id *conv, const struct call_answer *a,
    int64_t mono_ms) KL_MUST_CHECK;
void erasure_lost(struct erasures *q, const struct kl_conv_id *conv);
void erasure_wake(struct erasures *q);
int64_t erasure_wait_ms(const struct erasures *q, int64_t mono_ms);

/* Did a party end, before it came, the conversation of this REFERRAL? */
int erasure_ended(struct turn *t, const struct kl_envelope *e, bool *ended)
    KL_MUST_CHECK;

/* Timers of a conversation: the desk's term; the consent has ended. */
int erasure_due(struct turn *t, const struct kl_conv_id *conv)
    KL_MUST_CHECK;
int erasure_forget(struct erasures *q, struct turn *t,
    const struct kl_conv_id *conv) KL_MUST_CHECK;

#endif
