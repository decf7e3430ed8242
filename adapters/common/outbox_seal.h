/*
 * outbox_seal.h: from a draft to sealed bytes in the store.
 */
#ifndef ADAPTERS_COMMON_OUTBOX_SEAL_H
#define ADAPTERS_COMMON_OUTBOX_SEAL_H

#include "adapters/common/outbox.h"

/*
 * Seals the draft in *row, whose turn it is in its conversation, and writes
 * row, bytes and case. KL_E_AGAIN: no key of the receiver, or the clock is
 * off: nothing was done. KL_E_REFUSED: it can never be sealed; row->code says
 * why. KL_E_NOT_FOUND: its plaintext is gone. Errors of the store.
 */
int outbox_seal_message(struct turn *t, struct case_row *c,
    struct out_row *row) KL_MUST_CHECK;

/* The prekey of peer's that is sealed with now: of this week, under a card
 * that is valid. NULL: none known. */
const struct directory_prekey *outbox_seal_prekey(const struct turn *t,
    const struct kl_id *peer);

/* Where the content of row lies in the case. */
enum cases_content outbox_seal_content(const struct out_row *row);

#endif
