#include <string.h>

#include "proto/audit/rules_priv.h"

#define DAY_MINUTES (24u * 60u)
/* Nothing lives longer than 60 days after it was made, and that is at most
 * ten minutes ahead of the broker's clock. PROTOCOL.md 8.7. */
#define LIVES_MINUTES (60u * DAY_MINUTES + 11u)

#define BIT(s) (1u << KL_MSG_##s)

/* From which states an event leads on. PROTOCOL.md 8.1. */
static uint32_t
may_come_from(const struct audit_rules *r, uint32_t event)
{
	switch (event) {
	case KL_EV_ACCEPTED: return BIT(NONE);
	case KL_EV_RELEASED: return BIT(ACCEPTED);
	case KL_EV_DELIVERED:
		/* After a loss a receipt may be known before its message. */
		return BIT(RELEASED) | BIT(UNCONFIRMED) |
		    (r->presented ? BIT(ACCEPTED) : 0);
	case KL_EV_DEAD:
		return BIT(ACCEPTED) | BIT(RELEASED) | BIT(UNCONFIRMED);
	case KL_EV_EXPIRED: return BIT(ACCEPTED);
	case KL_EV_UNCONFIRMED: return BIT(RELEASED);
	case KL_EV_WITHDRAWN: return BIT(ACCEPTED);
	case KL_EV_LOST: return BIT(DELIVERED);
	case KL_EV_ERASED:
		return BIT(DELIVERED) | BIT(DEAD) | BIT(EXPIRED) |
		    BIT(UNCONFIRMED) | BIT(WITHDRAWN) | BIT(LOST);
	case KL_EV_PRESENTED:
		return BIT(NONE) | BIT(ACCEPTED) | BIT(RELEASED) |
		    BIT(DEAD) | BIT(EXPIRED) | BIT(UNCONFIRMED);
	default: return 0;
	}
}

static uint64_t
fold(const struct kl_record *r)
{
	const struct kl_id *ids[] = { &r->org_from, &r->org_to };
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < 2; i++)
		for (size_t b = 0; b < KL_ID_BYTES; b++)
			h = (h ^ (uint8_t)ids[i]->b[b]) *
			    UINT64_C(0x100000001b3);
	return h;
}

static bool
under_way(uint32_t state)
{
	return state == KL_MSG_ACCEPTED || state == KL_MSG_RELEASED;
}

/* ---- what all leaves of a message name ---- */

static void
same(const struct rules_leaf *l, const struct rules_message *m,
    const struct rules_conv *c)
{
	const struct kl_record *r = l->rec;
	const char *what = NULL;

	if (audit_reftab_number(&l->r->convs, c) != m->conv)
		what = "conversation";
	else if (m->orgs != fold(r))
		what = "sender or receiver";
	else if (m->kind != r->kind)
		what = "kind";
	else if (memcmp(m->body, r->body_hash.b, sizeof m->body) != 0)
		what = "content";
	else if (m->milestone != r->milestone)
		what = "milestone";
	if (what != NULL)
		audit_rules_say(l, AUDIT_RULE_SAME, m->first,
		    "names another %s than the first leaf of its message",
		    what);
}

static void
begin(const struct rules_leaf *l, struct rules_message *m,
    const struct rules_conv *c)
{
	const struct kl_record *r = l->rec;

	memcpy(m->body, r->body_hash.b, sizeof m->body);
	m->orgs = fold(r);
	m->first = l->leaf;
	m->conv = audit_reftab_number(&l->r->convs, c);
	m->kind = (uint8_t)r->kind;
	m->milestone = (uint8_t)r->milestone;
	m->state = (uint8_t)r->prev_state;
	m->accepted_at = l->minute;
	if (r->event == KL_EV_ACCEPTED || r->event == KL_EV_PRESENTED)
		return;
	if (l->r->n.absent == 0)
		audit_rules_say(l, AUDIT_RULE_STATE, AUDIT_NO_LEAF,
		    "no leaf says that this message was accepted");
	else
		l->r->n.open++;
}

/* ---- accepted ---- */

/* One body is one message: what is sent again has the same answer. */
static int
body_once(const struct rules_leaf *l)
{
	struct rules_fact *f;
	bool fresh;

	f = audit_reftab_add(&l->r->bodies, l->rec->body_hash.b, &fresh);
	if (f == NULL)
		return KL_E_MEMORY;
	if (fresh)
		f->leaf = l->leaf;
	else if (!l->r->damaged)
		audit_rules_say(l, AUDIT_RULE_ONCE, f->leaf,
		    "the same message is accepted a second time");
	return KL_OK;
}

/* Only what tells that no help is given needs no consent. */
static bool
tells_little(const struct kl_record *r)
{
	return r->kind == KL_FEEDBACK && r->milestone == KL_MS_RETURNED;
}

static void
accepted_consent(const struct rules_leaf *l, const struct rules_conv *c)
{
	const struct kl_record *r = l->rec;

	if (c->all != 0)
		audit_rules_say(l, AUDIT_RULE_WITHDRAWN, c->all - 1,
		    "accepted after its consent was withdrawn");
	else if (c->feedback != 0 && r->kind == KL_FEEDBACK &&
	    !tells_little(r))
		audit_rules_say(l, AUDIT_RULE_WITHDRAWN, c->feedback - 1,
		    "feedback accepted after its consent was withdrawn");
	else if (c->consent_ended != 0 && r->kind == KL_FEEDBACK &&
	    !tells_little(r))
		audit_rules_say(l, AUDIT_RULE_CONSENT, c->consent_ended - 1,
		    "feedback accepted after its consent had ended");
}

static int
accepted(const struct rules_leaf *l, struct rules_message *m,
    struct rules_conv *c)
{
	const struct kl_bytes who = KL_BYTES_OF(l->rec->org_from);

	if (m->accepted)
		audit_rules_say(l, AUDIT_RULE_ONCE, m->first,
		    "accepted a second time");
	m->accepted = true;
	m->accepted_at = l->minute;
	m->deliver_by = (uint32_t)l->rec->due_minute;
	accepted_consent(l, c);
	if (l->rec->kind == KL_FEEDBACK && c->answered == 0)
		c->answered = l->leaf + 1;
	if (!audit_rules_known(l->r, 'c', &who, 1) && l->r->n.absent == 0)
		audit_rules_say(l, AUDIT_RULE_CARD, AUDIT_NO_LEAF,
		    "accepted from one of whom no card was taken up");
	return body_once(l);
}

/* ---- released ---- */

static void
released(const struct rules_leaf *l, const struct rules_message *m,
    const struct rules_conv *c)
{
	if (c->all != 0)
		audit_rules_say(l, AUDIT_RULE_WITHDRAWN, c->all - 1,
		    "released after its consent was withdrawn");
	else if (c->feedback > m->first + 1 && m->kind == KL_FEEDBACK)
		audit_rules_say(l, AUDIT_RULE_WITHDRAWN, c->feedback - 1,
		    "feedback released after its consent was withdrawn");
	else if (c->consent_ended != 0 && !tells_little(l->rec))
		audit_rules_say(l, AUDIT_RULE_CONSENT, c->consent_ended - 1,
		    "released after its consent had ended");
	if (m->accepted && l->minute > m->accepted_at + LIVES_MINUTES)
		audit_rules_say(l, AUDIT_RULE_TERM, m->first,
		    "released more than 60 days after it was accepted");
}

/* ---- its end ---- */

static void
delivered(const struct rules_leaf *l, struct rules_conv *c)
{
	if (l->rec->kind != KL_REFERRAL ||
	    l->rec->new_state != KL_MSG_DELIVERED)
		return;
	c->delivered = l->leaf + 1;
	/* A later one takes the place of the term before. */
	c->answer_by = (uint32_t)l->rec->due_minute;
}

static void
withdrawn(const struct rules_leaf *l, const struct rules_conv *c)
{
	if (c->all != 0 || (c->feedback != 0 && l->rec->kind == KL_FEEDBACK))
		return;
	if (l->r->absent_last == 0)
		audit_rules_say(l, AUDIT_RULE_WITHDRAWN, AUDIT_NO_LEAF,
		    "withdrawn, and nobody withdrew its consent");
	else
		l->r->n.open++;
}

static void
erased(const struct rules_leaf *l, struct rules_message *m)
{
	if (m->erased)
		audit_rules_say(l, AUDIT_RULE_ERASED, m->last,
		    "erased a second time");
	m->erased = true;
}

static void
ended(const struct rules_leaf *l, struct rules_message *m)
{
	audit_rules_untold(l, m);
	m->ended = l->leaf + 1;
	m->ended_at = l->minute;
	m->reason = (uint16_t)l->rec->reason;
}

/* ---- deadlines ---- */

/* Missed, or kept by an end that came in time; what expired was told by that,
 * which says more. */
void
audit_rules_untold(const struct rules_leaf *l, const struct rules_message *m)
{
	if (m->told || m->deliver_by == 0 || !under_way(m->state) ||
	    l->minute <= m->deliver_by ||
	    l->rec->reason == KL_C_EXPIRED ||
	    !audit_rules_past(l->r, m->deliver_by))
		return;
	if (l->r->absent_last <= m->first)
		audit_rules_say(l, AUDIT_RULE_DEADLINE, m->first,
		    "not delivered in time, and nobody was told");
	else
		l->r->n.open++;
}

static void
deadline(const struct rules_leaf *l, struct rules_message *m)
{
	const uint32_t due = (uint32_t)l->rec->due_minute;

	if (m->told)
		audit_rules_say(l, AUDIT_RULE_DEADLINE, m->first,
		    "a missed term is told a second time");
	if (l->minute < due)
		audit_rules_say(l, AUDIT_RULE_DEADLINE, m->first,
		    "a term is told before it was missed");
	if (m->deliver_by != 0 && m->deliver_by != due)
		audit_rules_say(l, AUDIT_RULE_DEADLINE, m->first,
		    "another term than the one that ran");
	if (!under_way(m->state))
		audit_rules_say(l, AUDIT_RULE_DEADLINE, m->first,
		    "a term of what had ended");
	m->told = true;
}

/* ---- one leaf ---- */

static void
transition(const struct rules_leaf *l, const struct rules_message *m)
{
	const struct kl_record *r = l->rec;

	if (r->prev_state != m->state)
		audit_rules_say(l, AUDIT_RULE_STATE, m->last,
		    "%s from %s, but it was %s", kl_event_name(r->event),
		    kl_message_state_name(r->prev_state),
		    kl_message_state_name(m->state));
	else if (r->prev_state >= 32 || (may_come_from(l->r, r->event) &
	    1u << r->prev_state) == 0)
		audit_rules_say(l, AUDIT_RULE_STATE, m->last,
		    "%s does not follow %s", kl_event_name(r->event),
		    r->prev_state == 0 ? "nothing" :
		    kl_message_state_name(r->prev_state));
}

static int
step(const struct rules_leaf *l, struct rules_message *m,
    struct rules_conv *c)
{
	const struct kl_record *r = l->rec;
	int err = KL_OK;

	transition(l, m);
	switch (r->event) {
	case KL_EV_ACCEPTED: err = accepted(l, m, c); break;
	case KL_EV_RELEASED: released(l, m, c); break;
	case KL_EV_WITHDRAWN: withdrawn(l, c); break;
	case KL_EV_ERASED: erased(l, m); break;
	default: delivered(l, c); break;
	}
	if (r->event == KL_EV_ERASED)
		return err;
	if (!under_way(r->new_state))
		ended(l, m);
	m->state = (uint8_t)r->new_state;
	return err;
}

int
audit_rules_message(const struct rules_leaf *l)
{
	struct rules_conv *c = audit_rules_conv_of(l);
	struct rules_message *m;
	bool fresh;
	int err = KL_OK;

	m = audit_reftab_add(&l->r->messages, l->rec->msg_ref.b, &fresh);
	if (c == NULL || m == NULL)
		return KL_E_MEMORY;
	if (fresh)
		begin(l, m, c);
	else
		same(l, m, c);
	if (l->rec->event == KL_EV_DEADLINE)
		deadline(l, m);
	else if (may_come_from(l->r, l->rec->event) != 0)
		err = step(l, m, c);
	m->last = l->leaf;
	return err;
}
