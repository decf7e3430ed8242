#include "proto/audit/rules_priv.h"

/* What an event names: of each field, whether it must, may or must not. */
enum ask { NO, MAY, MUST };
struct form {
	uint8_t conv, msg, from, to, kind, body, due;
	uint8_t state;		/* that it leads to; STATES: 3 or 4 */
};
#define STATES 255

static const struct form message = { MUST, MUST, MUST, MUST, MUST, MUST, NO,
	0 };

static const struct form never_came = { MUST, NO, MUST, MUST, MUST, MUST, NO,
	0 };

#define OF_MESSAGE(s) \
	{ MUST, MUST, MUST, MUST, MUST, MUST, NO, KL_MSG_##s }

static const struct form forms[KL_EV_LAST + 1] = {
	/*			    conv  msg  from  to    kind body  due */
	[KL_EV_ORIGIN] =	  { NO,   NO,  NO,   NO,   NO,  MAY,  NO, 0 },
	[KL_EV_CARD] =		  { NO,   NO,  MUST, NO,   NO,  MUST, NO, 0 },
	[KL_EV_REVOCATION] =	  { NO,   NO,  MUST, NO,   NO,  MUST, NO, 0 },
	[KL_EV_POLICY] =	  { NO,   NO,  NO,   NO,   NO,  MUST, NO, 0 },
	[KL_EV_ACCEPTED] = { MUST, MUST, MUST, MUST, MUST, MUST, MAY,
	    KL_MSG_ACCEPTED },
	[KL_EV_RELEASED] = OF_MESSAGE(RELEASED),
	[KL_EV_DELIVERED] = { MUST, MUST, MUST, MUST, MUST, MUST, MAY,
	    KL_MSG_DELIVERED },
	[KL_EV_DEAD] = OF_MESSAGE(DEAD),
	[KL_EV_EXPIRED] = OF_MESSAGE(EXPIRED),
	[KL_EV_UNCONFIRMED] = OF_MESSAGE(UNCONFIRMED),
	[KL_EV_CONSENT_WITHDRAWN] = { MAY, NO, MUST, MAY, MAY, MUST, NO, 0 },
	[KL_EV_WITHDRAWN] = OF_MESSAGE(WITHDRAWN),
	[KL_EV_ERASED] = { MAY, MAY, MAY, MAY, MAY, MAY, NO, KL_MSG_ERASED },
	[KL_EV_LOST] = OF_MESSAGE(LOST),
	[KL_EV_PRESENTED] = { MAY, MAY, MAY, MAY, MAY, MUST, MAY, STATES },
	[KL_EV_TAKE_OVER] =	  { NO,   NO,  MUST, NO,   NO,  NO,   NO, 0 },
	[KL_EV_REFUSED] =	  { NO,   NO,  MAY,  NO,   NO,  NO,   NO, 0 },
	[KL_EV_CONFLICT] =	  { NO,   NO,  MAY,  NO,   NO,  NO,   NO, 0 },
	[KL_EV_DEADLINE] =	  { MUST, MAY, MUST, MUST, MUST, MUST, MUST,
	    0 },
	[KL_EV_ERASE_RECEIPT] =	  { MUST, NO,  MUST, MAY,  NO,  MUST, MAY,
	    0 },
	[KL_EV_BLOCKED] =	  { NO,   NO,  MUST, NO,   NO,  MAY,  NO, 0 },
	[KL_EV_HOLD] =		  { NO,   NO,  NO,   NO,   NO,  NO,   NO, 0 },
	[KL_EV_QUERY] =		  { MAY,  NO,  MAY,  NO,   NO,  MAY,  NO, 0 },
	[KL_EV_REPORTED_IN] =	  { NO,   NO,  MUST, NO,   NO,  NO,   NO, 0 },
	[KL_EV_CONSENT_ENDED] =	  { MUST, NO,  MUST, MUST, NO,  MUST, NO, 0 },
	[KL_EV_ESCALATED] =	  { MUST, NO,  MAY,  MAY,  NO,  MUST, MUST,
	    0 },
	[KL_EV_READS_ALL] =	  { NO,   NO,  MUST, NO,   NO,  MUST, NO, 0 },
	[KL_EV_ERASE_ASKED] =	  { MUST, NO,  MAY,  MAY,  NO,  MUST, MUST,
	    0 },
	[KL_EV_MONTH_LOST] =	  { NO,   NO,  NO,   NO,   NO,  NO,   NO, 0 },
};

static void
one(const struct rules_leaf *l, uint8_t ask, bool there, const char *what)
{
	if (ask == MUST && !there)
		audit_rules_say(l, AUDIT_RULE_FORM, AUDIT_NO_LEAF,
		    "names no %s", what);
	if (ask == NO && there)
		audit_rules_say(l, AUDIT_RULE_FORM, AUDIT_NO_LEAF,
		    "names a %s, which its event has not", what);
}

static void
fields(const struct rules_leaf *l, const struct form *f)
{
	const struct kl_record *r = l->rec;

	one(l, f->conv, !kl_bytes_zero(KL_BYTES_OF(r->conv_ref)),
	    "conversation");
	one(l, f->msg, !kl_bytes_zero(KL_BYTES_OF(r->msg_ref)), "message");
	one(l, f->from, !kl_id_none(&r->org_from), "sender");
	one(l, f->to, !kl_id_none(&r->org_to), "receiver");
	one(l, f->kind, r->kind != 0, "kind");
	one(l, f->body, !kl_bytes_zero(KL_BYTES_OF(r->body_hash)), "hash");
	one(l, f->due, r->due_minute != 0, "deadline");
	one(l, r->kind == KL_FEEDBACK ? MAY : NO, r->milestone != 0,
	    "milestone");
}

static bool
is_refusal(uint32_t event)
{
	return event == KL_EV_REFUSED || event == KL_EV_CONFLICT;
}

static void
outcome(const struct rules_leaf *l)
{
	const struct kl_record *r = l->rec;
	const bool refused = is_refusal(r->event);

	if (refused != (r->outcome == 2))
		audit_rules_say(l, AUDIT_RULE_FORM, AUDIT_NO_LEAF, refused ?
		    "a refusal that was done" : "an act that was refused");
	if (refused && r->reason == KL_C_OK)
		audit_rules_say(l, AUDIT_RULE_FORM, AUDIT_NO_LEAF,
		    "a refusal without its reason");
	if (!refused && r->event != KL_EV_HOLD &&
	    r->event != KL_EV_MONTH_LOST && r->count != 1)
		audit_rules_say(l, AUDIT_RULE_FORM, AUDIT_NO_LEAF,
		    "an act that counts as %u", r->count);
}

/* The leaf of a question says who asked: a participant, or the operator in the
 * broker's name. */
static void
query(const struct rules_leaf *l)
{
	const bool by_broker = l->rec->actor_role == KL_BROKER;

	if (l->rec->event == KL_EV_QUERY &&
	    by_broker != kl_id_none(&l->rec->org_from))
		audit_rules_say(l, AUDIT_RULE_FORM, AUDIT_NO_LEAF,
		    "a question of which it is not said who asked it");
}

static void
state(const struct rules_leaf *l, const struct form *f)
{
	const struct kl_record *r = l->rec;
	const bool names = !kl_bytes_zero(KL_BYTES_OF(r->msg_ref));
	uint32_t want = f->state == STATES && !names ? 0 : f->state;

	if (want == STATES)
		want = r->new_state == KL_MSG_DEAD ? KL_MSG_DEAD :
		    KL_MSG_DELIVERED;
	if (r->new_state != want)
		audit_rules_say(l, AUDIT_RULE_FORM, AUDIT_NO_LEAF,
		    "leads to state %s", kl_message_state_name(r->new_state));
}

void
audit_rules_form(const struct rules_leaf *l)
{
	const struct kl_record *r = l->rec;
	const struct form *f = &forms[r->event];

	/* A referral that was shown after a loss and never came. */
	if (r->event == KL_EV_EXPIRED &&
	    kl_bytes_zero(KL_BYTES_OF(r->msg_ref))) {
		fields(l, &never_came);
		state(l, &never_came);
	/* What tells of a message tells of all of it. */
	} else if ((r->event == KL_EV_ERASED || r->event == KL_EV_PRESENTED) &&
	    !kl_bytes_zero(KL_BYTES_OF(r->msg_ref))) {
		struct form of_message = message;

		of_message.due = f->due;
		of_message.state = f->state;
		fields(l, &of_message);
		state(l, &of_message);
	} else {
		fields(l, f);
		state(l, f);
	}
	outcome(l);
	query(l);
}
