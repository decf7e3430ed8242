/*
 * engine_withdraw.h: withdrawing a consent, and what a party asks to erase, as
 * the interfaces see it. Errors and turns as in engine.h.
 */
#ifndef ADAPTERS_COMMON_ENGINE_WITHDRAW_H
#define ADAPTERS_COMMON_ENGINE_WITHDRAW_H

#include <kortelijn/wire/signed.h>

#include "adapters/common/engine.h"

struct engine_withdraw_want {
	uint32_t scope;			/* enum kl_scope */
	uint32_t cause;			/* enum kl_cause */
	bool again;			/* only show the one there is, if any */
};

/*
 * Withdraws the consent of a referral, by its spoken reference or the
 * practice's own id: at the end of the turn it is durable, what it covers is
 * purged here, and it is on its way. The same again changes nothing.
 * KL_E_REFUSED with `why`: referral_unknown; role: a partner, or in error by
 * who did not send the referral; fields_disagree: in error is all of it;
 * no_feedback_consent: there was none. KL_E_AGAIN.
 */
int engine_withdraw(struct engine *e, const struct engine_actor *by,
    const char *reference, const struct engine_withdraw_want *want,
    struct kl_conv_id *conv, struct kl_finding *why) KL_MUST_CHECK;

/*
 * The desk says what became of it in its case system (enum kl_erase_outcome).
 * KL_E_REFUSED: referral_unknown, no_erase_request, kept_in_error.
 * KL_E_AGAIN.
 */
int engine_erased(struct engine *e, const struct engine_actor *by,
    const char *reference, uint32_t case_system, struct kl_conv_id *conv,
    struct kl_finding *why) KL_MUST_CHECK;

#define ENGINE_TOLD_MAX 8	/* the other side, and who came after it */

/* What is known of the end of a consent. */
struct engine_withdrawal {
	uint32_t scope, cause;
	/* made here */
	bool ours, done;		/* done: the broker has answered */
	bool covered;			/* the other side withdrew this too */
	uint32_t code;			/* it refuses; 0 */
	int64_t at_ms, done_ms;
	uint32_t erased, released_before, unconfirmed;
	bool has_leaf;
	uint64_t leaf;
	int64_t missing_ms;		/* somebody has not answered; 0 */
	uint8_t statement[KL_WITHDRAWAL_MAX];	/* packed, signed */
	size_t n_statement;
	struct engine_told {
		struct kl_id id;
		char name[101];
		uint32_t adapter_copy, case_system;
		int64_t at_ms;
	} told[ENGINE_TOLD_MAX];
	size_t n_told;
	/* asked of us */
	bool asked;
	int64_t asked_ms, due_ms, answered_ms, taken_ms;	/* 0: not yet */
	uint32_t adapter_copy, case_system;	/* enum kl_erase_outcome; 0 */
};

/* The widest there is, and of ours and theirs both. KL_E_NOT_FOUND: the
 * consent was not withdrawn; KL_E_AGAIN. */
int engine_withdrawal(struct engine *e, const struct kl_conv_id *conv,
    struct engine_withdrawal *out) KL_MUST_CHECK;

#endif
