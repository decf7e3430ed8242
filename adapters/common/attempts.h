/*
 * attempts.h: how often the desk tried to reach the resident: day, part of the
 * day, kind. They stay at the desk, under the key of the case; what leaves is
 * only `not_reached`, and that only after enough of them. P33 of the policy.
 */
#ifndef ADAPTERS_COMMON_ATTEMPTS_H
#define ADAPTERS_COMMON_ATTEMPTS_H

#include "adapters/common/cases.h"

#define ATTEMPTS_MAX 100		/* of one case */

/* bit 1 << enum kl_contact: how this referral permits the resident to be
 * reached. Pure. */
uint32_t attempts_permitted(const struct kl_referral *r);

/* Notes one. KL_OK also for one that is there already; KL_E_FULL: more than
 * ATTEMPTS_MAX; errors of the store. Changes *c. */
int attempts_add(struct turn *t, struct case_row *c,
    const struct kl_attempt *a) KL_MUST_CHECK;
/* The one with number n, from 0. KL_E_NOT_FOUND. */
int attempts_get(struct turn *t, const struct case_row *c, uint32_t n,
    struct kl_attempt *out) KL_MUST_CHECK;
/* Were they enough since the last end to say that the resident was not
 * reached? Errors of the store. */
int attempts_enough(struct turn *t, const struct case_row *c, bool *yes)
    KL_MUST_CHECK;

#endif
