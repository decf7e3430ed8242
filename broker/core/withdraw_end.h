/*
 * withdraw_end.h: the end of a conversation by a withdrawal, and of those that
 * stand under it. PROTOCOL.md 8.9, 8.11.
 */
#ifndef CORE_WITHDRAW_END_H
#define CORE_WITHDRAW_END_H

#include "broker/core/withdraw.h"

/* Ends w->conv for the scope of w->w: leaves, messages, state, requests and
 * notices; at scope all also what stands under it. Fills w->counts. */
int withdraw_end(struct withdraw *w) KL_MUST_CHECK;
/* w->conv was withdrawn as a whole, and c, which stands under it, came later:
 * it ends as well. */
int withdraw_end_child(struct withdraw *w, struct conversation *c)
    KL_MUST_CHECK;
/* The leaf CONSENT_WITHDRAWN. c may be NULL: the conversation is not here. */
int withdraw_end_log(struct withdraw *w, const struct conversation *c,
    uint64_t *index) KL_MUST_CHECK;

#endif
