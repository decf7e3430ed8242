/*
 * outbox_answer.h: what the broker answers to a SUBMIT.
 */
#ifndef ADAPTERS_COMMON_OUTBOX_ANSWER_H
#define ADAPTERS_COMMON_OUTBOX_ANSWER_H

#include "adapters/common/outbox.h"

struct out_answer {
	uint32_t code, retry_after_ms;
	struct kl_bytes detail;
	struct kl_bytes body;		/* packed kl_submit_reply when OK */
};

/* Takes it: accepted, later, sealed anew, or refused for good. KL_E_FORMAT: an
 * answer that is none; errors of the store. */
int outbox_answer_take(struct outbox *o, struct turn *t,
    const struct kl_msg_id *id, const struct out_answer *a, int64_t mono_ms)
    KL_MUST_CHECK;

#endif
