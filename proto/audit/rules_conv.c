#include <string.h>

#include "proto/audit/rules_priv.h"

struct rules_conv *
audit_rules_conv_of(const struct rules_leaf *l)
{
	bool fresh;

	return audit_reftab_add(&l->r->convs, l->rec->conv_ref.b, &fresh);
}

/* A disk that broke may have taken the answer, and then it is done anew. */
static int
withdrawn(const struct rules_leaf *l, struct rules_conv *c)
{
	const bool feedback = l->rec->kind == KL_FEEDBACK;
	/* By whom does not matter. */
	const struct kl_bytes what[] = { KL_BYTES_OF(l->rec->conv_ref),
		KL_BYTES_OF(l->rec->body_hash), KL_BYTES_OF(l->rec->kind) };
	uint64_t before;
	int err = audit_rules_fact(l, 'w', what, 3, &before);

	if (err != KL_OK)
		return err;
	if (l->rec->kind != 0 && !feedback)
		audit_rules_say(l, AUDIT_RULE_FORM, AUDIT_NO_LEAF,
		    "a withdrawal of %s", kl_kind_name(l->rec->kind));
	if (c == NULL)
		return KL_OK;
	if (before != 0 && !l->r->damaged)
		audit_rules_say(l, AUDIT_RULE_ONCE, before - 1,
		    "the same withdrawal ends the same consent again");
	if (feedback && c->all != 0 && !l->r->damaged)
		audit_rules_say(l, AUDIT_RULE_ONCE, c->all - 1,
		    "feedback is withdrawn where all was");
	if (feedback && c->feedback == 0)
		c->feedback = l->leaf + 1;
	if (!feedback && c->all == 0)
		c->all = l->leaf + 1;
	return KL_OK;
}

static void
consent_ended(const struct rules_leaf *l, struct rules_conv *c)
{
	if (c->consent_ended != 0)
		audit_rules_say(l, AUDIT_RULE_ONCE, c->consent_ended - 1,
		    "the same consent ends a second time");
	if (c->all != 0)
		audit_rules_say(l, AUDIT_RULE_CONSENT, c->all - 1,
		    "a consent ends that was withdrawn before");
	c->consent_ended = l->leaf + 1;
}

int
audit_rules_answer(const struct rules_leaf *l)
{
	struct rules_conv *c = audit_rules_conv_of(l);
	const uint32_t due = (uint32_t)l->rec->due_minute;

	if (c == NULL)
		return KL_E_MEMORY;
	if (c->told_by == due)
		audit_rules_say(l, AUDIT_RULE_DEADLINE, AUDIT_NO_LEAF,
		    "a missed answer is told a second time");
	if (l->minute < due)
		audit_rules_say(l, AUDIT_RULE_DEADLINE, AUDIT_NO_LEAF,
		    "a missed answer is told before its term");
	if (c->answered != 0)
		audit_rules_say(l, AUDIT_RULE_DEADLINE, c->answered - 1,
		    "an answer is missed that had come");
	if (c->all != 0)
		audit_rules_say(l, AUDIT_RULE_DEADLINE, c->all - 1,
		    "an answer is missed after all was withdrawn");
	if (c->answer_by != 0 && c->answer_by != due)
		audit_rules_say(l, AUDIT_RULE_DEADLINE, c->delivered - 1,
		    "another term than the one that ran");
	c->told_by = due;
	return KL_OK;
}

/* It names no message, as only one that was shown after a loss may. */
static void
never_came(const struct rules_leaf *l)
{
	if (l->r->presented)
		return;
	if (l->r->n.absent == 0)
		audit_rules_say(l, AUDIT_RULE_STATE, AUDIT_NO_LEAF,
		    "expired, and no leaf says that it was shown");
	else
		l->r->n.open++;
}

int
audit_rules_conversation(const struct rules_leaf *l)
{
	struct rules_conv *c = NULL;

	if (l->rec->event == KL_EV_ERASED)
		l->r->loose_erased = l->leaf + 1;
	if (!kl_bytes_zero(KL_BYTES_OF(l->rec->conv_ref)) &&
	    (c = audit_rules_conv_of(l)) == NULL)
		return KL_E_MEMORY;
	if (l->rec->event == KL_EV_CONSENT_WITHDRAWN)
		return withdrawn(l, c);
	if (c == NULL)
		return KL_OK;
	switch (l->rec->event) {
	case KL_EV_EXPIRED: never_came(l); return KL_OK;
	case KL_EV_CONSENT_ENDED: consent_ended(l, c); return KL_OK;
	case KL_EV_ERASE_ASKED:
	case KL_EV_ERASE_RECEIPT:
	case KL_EV_ESCALATED: return audit_rules_owed(l, c);
	case KL_EV_DEADLINE: return audit_rules_answer(l);
	default: return KL_OK;
	}
}
