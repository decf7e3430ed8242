/*
 * withdraw_told.h: what others tell about a withdrawal of ours: their
 * ERASE_RECEIPTs, and that one is missing. PROTOCOL.md 5.9, 5.10.
 */
#ifndef ADAPTERS_COMMON_WITHDRAW_TOLD_H
#define ADAPTERS_COMMON_WITHDRAW_TOLD_H

#include "adapters/common/turn.h"

struct withdraw_told {
	struct kl_id signer;
	struct kl_conv_id conv;		/* that was asked: ours, or a child */
	uint32_t adapter_copy, case_system;	/* enum kl_erase_outcome */
	int64_t at_ms, got_ms;
};

/* An ERASE_RECEIPT as it came. Twice is once. KL_E_AGAIN: the signer's card
 * is not known yet; KL_E_SIGNATURE: it does not verify, or its signer is no
 * party; KL_E_NOT_FOUND: of no withdrawal that is kept here. */
int withdraw_told_take(struct turn *t, struct kl_bytes packed) KL_MUST_CHECK;
/* A verified NOTICE ESCALATION. KL_E_NOT_FOUND: of no withdrawal of ours. */
int withdraw_told_missing(struct turn *t, const struct kl_notice *n)
    KL_MUST_CHECK;

/* Those of one withdrawal, one after another; `at` is zero at first.
 * KL_E_NOT_FOUND: no more. */
int withdraw_told_each(struct turn *t, const struct kl_hash *withdrawal,
    struct store_entry *at, struct withdraw_told *out) KL_MUST_CHECK;
int withdraw_told_forget(struct turn *t, const struct kl_hash *withdrawal)
    KL_MUST_CHECK;

#endif
