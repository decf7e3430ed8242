/*
 * retain_forget.h: what is forgotten after its term, and what marks that it
 * was. PROTOCOL.md 15.2.
 */
#ifndef CORE_RETAIN_FORGET_H
#define CORE_RETAIN_FORGET_H

#include "broker/core/retain_end.h"

/* Has a conversation of this id ended and been forgotten? KL_OK: it has;
 * KL_E_NOT_FOUND. */
int retain_marker(struct turn *t, const struct kl_conv_id *id) KL_MUST_CHECK;

/* What a timer is for: a conversation that ended long ago; a receipt whose
 * message never came; the marker of a forgotten conversation. */
int retain_forget(struct turn *t, struct registry *r,
    const struct kl_tag *conversation) KL_MUST_CHECK;
int retain_forget_shown(struct turn *t, const struct kl_tag *body)
    KL_MUST_CHECK;
int retain_forget_marker(struct turn *t, const struct kl_tag *conversation)
    KL_MUST_CHECK;

#endif
