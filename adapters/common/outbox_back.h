/*
 * outbox_back.h: what comes back about messages of ours: receipts of the
 * other side, notices of the broker.
 */
#ifndef ADAPTERS_COMMON_OUTBOX_BACK_H
#define ADAPTERS_COMMON_OUTBOX_BACK_H

#include "adapters/common/outbox.h"

/* A RECEIPT from the other side, as it came. KL_E_AGAIN: the signer's card is
 * not known yet; KL_E_SIGNATURE: it does not verify; KL_E_NOT_FOUND: about
 * nothing that is known here; errors of the store. Twice is once. */
int outbox_back_receipt(struct outbox *o, struct turn *t,
    struct kl_bytes packed) KL_MUST_CHECK;
/* A verified NOTICE. KL_E_NOT_FOUND: about nothing that is known here. */
int outbox_back_notice(struct outbox *o, struct turn *t,
    const struct kl_notice *n) KL_MUST_CHECK;

#endif
