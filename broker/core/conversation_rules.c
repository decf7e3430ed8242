/* May this go to them now: yes, or a reason. Pure. PROTOCOL.md 8.2 to 8.8. */
#include <kortelijn/base/time.h>
#include <kortelijn/domain/policy.h>
#include <kortelijn/domain/state.h>

#include "broker/core/conversation.h"

#define REOPEN_TERM_MS (90 * KL_DAY_MS)	/* PROTOCOL.md 8.8.3 */

bool
conversation_role_may(uint32_t kind, uint32_t sender_role,
    uint32_t receiver_role, bool under)
{
	/* A practice has nobody's consent to pass on. */
	if (under && kind != KL_FEEDBACK && sender_role == KL_PRACTICE)
		return false;
	return kl_envelope_roles(kind, sender_role, receiver_role);
}

enum kl_code
conversation_check_consent(const struct kl_consent *c,
    const struct kl_policy *policy, int64_t now_ms)
{
	const uint32_t age = kl_policy_days(policy,
	    KL_POL_CONSENT_MAX_AGE_AT_SEND);
	const uint32_t term = kl_policy_days(policy, KL_POL_FEEDBACK_VALIDITY);

	if (!kl_policy_has(policy, KL_POL_CONSENT_FORMS, c->form))
		return KL_C_NO_CONSENT;
	return c->given_on + age < (uint32_t)kl_day_of(now_ms) ||
	    c->valid_until > c->given_on + term ?
	    KL_C_CONSENT_DATE : conversation_check_shown(c, now_ms);
}

enum kl_code
conversation_check_shown(const struct kl_consent *c, int64_t now_ms)
{
	uint32_t today = (uint32_t)kl_day_of(now_ms);

	/* A day of grace ahead: the giver's day may have begun already. */
	if (c->given_on > today + 1 ||
	    c->valid_until < today || c->valid_until < c->given_on ||
	    c->valid_until > c->given_on + KL_CONSENT_TERM_DAYS)
		return KL_C_CONSENT_DATE;
	return KL_C_OK;
}

enum kl_code
conversation_check_parent(const struct conversation *parent,
    const struct kl_envelope *child, int64_t now_ms)
{
	if (parent->state != KL_CONV_OPEN || !parent->delivered ||
	    parent->valid_until < (uint32_t)kl_day_of(now_ms) ||
	    child->consent.valid_until > parent->valid_until ||
	    !kl_id_equal(&parent->receiver, &child->header.sender))
		return KL_C_CONSENT_PARENT;
	for (size_t i = 0; i < parent->n_onward; i++)
		if (kl_id_equal(&parent->onward_to[i],
		    &child->header.receiver))
			return KL_C_OK;
	return KL_C_CONSENT_RECEIVER;
}

static bool
may_reopen(const struct conversation *c, int64_t now_ms)
{
	return c->state == KL_CONV_ENDED && !c->reopened &&
	    c->milestone == KL_MS_ENDED &&
	    now_ms - c->ended_ms <= REOPEN_TERM_MS;
}

static enum kl_code
check_feedback(const struct conversation *c, const struct kl_header *h,
    int64_t now_ms)
{
	bool ended = c->state != KL_CONV_OPEN;

	if (!c->delivered)
		return KL_C_BEFORE_RECEIPT;
	if (ended && !(may_reopen(c, now_ms) &&
	    (h->milestone == KL_MS_TAKEN_UP ||
	    h->milestone == KL_MS_IN_PROGRESS)))
		return KL_C_CONVERSATION_ENDED;
	if (h->milestone == KL_MS_NONE)
		return KL_C_MILESTONE;
	if (h->feedback_level > c->level)
		return c->level == KL_LEVEL_0 ? KL_C_NO_FEEDBACK_CONSENT :
		    KL_C_LEVEL;
	if (c->level == KL_LEVEL_0 && h->milestone != KL_MS_RETURNED)
		return KL_C_NO_FEEDBACK_CONSENT;
	if (c->level == KL_LEVEL_1 && h->milestone == KL_MS_IN_PROGRESS)
		return KL_C_LEVEL;
	if (c->valid_until < (uint32_t)kl_day_of(now_ms) &&
	    h->milestone != KL_MS_RETURNED)
		return KL_C_CONSENT_DATE;
	return ended || kl_milestone_may_follow(
	    (enum kl_milestone)c->milestone, (enum kl_milestone)h->milestone)
	    ? KL_C_OK : KL_C_MILESTONE;
}

static enum kl_code
check_seq(uint64_t last, bool base, uint64_t seq)
{
	return seq == last + 1 || (base && seq > last) ? KL_C_OK : KL_C_SEQ;
}

enum kl_code
conversation_check_message(const struct conversation *c,
    const struct kl_envelope *e, bool as_receiver, int64_t now_ms,
    uint64_t *last_seq)
{
	const struct kl_header *h = &e->header;
	enum kl_code code;

	*last_seq = as_receiver ? c->seq_receiver : c->seq_sender;
	if ((h->kind == KL_FEEDBACK) != as_receiver)
		return KL_C_ROLE;
	if (!kl_bytes_equal(KL_BYTES_OF(h->answers),
	    KL_BYTES_OF(c->referral)))
		return KL_C_ANSWERS;
	code = check_seq(*last_seq,
	    as_receiver ? c->base_receiver : c->base_sender, h->seq);
	if (code != KL_C_OK)
		return code;
	if (h->kind == KL_FEEDBACK)
		return check_feedback(c, h, now_ms);
	if (c->state != KL_CONV_OPEN && !may_reopen(c, now_ms))
		return KL_C_CONVERSATION_ENDED;
	return c->valid_until < (uint32_t)kl_day_of(now_ms) ?
	    KL_C_CONSENT_DATE : KL_C_OK;
}

void
conversation_take_message(struct conversation *c,
    const struct kl_envelope *e, bool as_receiver, int64_t now_ms,
    bool *opened, bool *closed)
{
	const struct kl_header *h = &e->header;

	*opened = *closed = false;
	if (as_receiver) {
		c->seq_receiver = h->seq;
		c->base_receiver = false;
	} else {
		c->seq_sender = h->seq;
		c->base_sender = false;
	}
	if (c->state == KL_CONV_ENDED) {
		c->state = KL_CONV_OPEN;
		c->reopened = true;
		c->milestone = KL_MS_NONE;
		c->ended_ms = 0;
		*opened = true;
	}
	if (h->kind != KL_FEEDBACK)
		return;
	c->milestone = h->milestone;
	if (h->milestone == KL_MS_ENDED || h->milestone == KL_MS_RETURNED) {
		c->state = KL_CONV_ENDED;
		c->ended_ms = now_ms;
		*closed = true;
	}
}

int64_t
conversation_answer_due(const struct conversation *c,
    const struct kl_hash *body_hash, int64_t now_ms)
{
	const bool waits = c->state == KL_CONV_OPEN ||
	    c->state == KL_CONV_EXPIRED;

	return waits && c->milestone == KL_MS_NONE && c->seq_receiver == 0 &&
	    c->answer_by_ms > now_ms && kl_bytes_equal(
	    KL_BYTES_OF(*body_hash), KL_BYTES_OF(c->referral)) ?
	    c->answer_by_ms : 0;
}

enum kl_code
conversation_check_release(const struct conversation *c, uint32_t kind,
    int64_t now_ms)
{
	if (c->state == KL_CONV_WITHDRAWN || c->state == KL_CONV_EXPIRED)
		return KL_C_CONVERSATION_ENDED;
	/* That help was not needed is told without consent to feedback. The
	 * last FEEDBACK ended the conversation and is still on its way. */
	if (kind == KL_FEEDBACK && c->milestone == KL_MS_RETURNED)
		return KL_C_OK;
	/* It was withdrawn since: such a message was accepted before. */
	if (kind == KL_FEEDBACK && c->level == KL_LEVEL_0)
		return KL_C_NO_FEEDBACK_CONSENT;
	return c->valid_until < (uint32_t)kl_day_of(now_ms) ?
	    KL_C_CONSENT_DATE : KL_C_OK;
}
