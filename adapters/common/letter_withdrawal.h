/*
 * letter_withdrawal.h: the page about a withdrawal that this adapter made: for
 * the resident who withdrew what was withdrawn and erased, and who was asked
 * to erase; after a referral in error a note for the practice's own assessment
 * of a data breach, without a word about the person.
 */
#ifndef ADAPTERS_COMMON_LETTER_WITHDRAWAL_H
#define ADAPTERS_COMMON_LETTER_WITHDRAWAL_H

#include "adapters/common/engine_withdraw.h"
#include "adapters/common/letter.h"

/* The page with NUL, the caller's to letter_text_free; that it was printed
 * goes into the access log. KL_E_NOT_FOUND: no withdrawal of ours; KL_E_EMPTY:
 * the broker has not answered yet; KL_E_AGAIN; KL_E_MEMORY. */
int letter_withdrawal_make(struct engine *e, const struct engine_actor *by,
    const struct kl_conv_id *conv, enum letter_form form, char **out,
    size_t *n) KL_MUST_CHECK;

#endif
