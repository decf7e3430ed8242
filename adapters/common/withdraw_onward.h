/*
 * withdraw_onward.h: what was referred onward from here ends with the referral
 * that it stands under. Of a child of a child the broker cannot show that: it
 * tells the fact, and whoever received it keeps what it has until a party asks.
 * Whoever referred it on is that party. PROTOCOL.md 8.9.4.
 */
#ifndef ADAPTERS_COMMON_WITHDRAW_ONWARD_H
#define ADAPTERS_COMMON_WITHDRAW_ONWARD_H

#include "adapters/common/outbox.h"
#include "adapters/common/repeats.h"

/*
 * The referral of conv, which was received here, was withdrawn as a whole: if
 * it stands under another one itself, what stands under it is withdrawn for
 * the resident by this municipality, in the same turn. What was withdrawn
 * before stays as it is. KL_E_FULL: no slot; errors of the store.
 */
int withdraw_onward(struct repeats *q, struct turn *t, struct outbox *o,
    const struct kl_conv_id *conv) KL_MUST_CHECK;

#endif
