/*
 * erasure_check.h: who may ask for an erasure. Decides only. PROTOCOL.md 8.9.
 */
#ifndef ADAPTERS_COMMON_ERASURE_CHECK_H
#define ADAPTERS_COMMON_ERASURE_CHECK_H

#include "adapters/common/cases.h"

/* The withdrawal inside a NOTICE ERASE_REQUEST, as it was believed. */
struct erasure_order {
	struct kl_withdrawal w;
	struct kl_hash hash;		/* of its body */
	struct kl_hash parent;		/* in a child: of the parent's body */
	struct kl_bytes packed;		/* as it came */
};

/*
 * c is the case that is asked, NULL if none is known here. KL_C_OK, with *out
 * filled; KL_C_TRY_LATER: the signer's card is not known yet; else why it is
 * refused: KL_C_MALFORMED, KL_C_CARD_UNKNOWN, KL_C_SIGNATURE, KL_C_ROLE,
 * KL_C_NOT_A_PARTY, KL_C_CONSENT_PARENT. Views of *out point into n.
 */
uint32_t erasure_check(struct turn *t, const struct kl_notice *n,
    const struct case_row *c, struct erasure_order *out);

#endif
