#include <string.h>

#include "proto/audit/rules_priv.h"

/* What ended is erased in the next turn, which is not long in coming. */
#define ERASE_MINUTES 2u

/* A finding about what is missing names the leaf after which it should have
 * come. */
struct missing {
	struct audit_rules *r;
	struct kl_record rec;
	struct rules_leaf l;
};

static const uint8_t event_of[] = {
	[KL_MSG_NONE] = KL_EV_PRESENTED, [KL_MSG_ACCEPTED] = KL_EV_ACCEPTED,
	[KL_MSG_RELEASED] = KL_EV_RELEASED,
	[KL_MSG_DELIVERED] = KL_EV_DELIVERED, [KL_MSG_DEAD] = KL_EV_DEAD,
	[KL_MSG_EXPIRED] = KL_EV_EXPIRED,
	[KL_MSG_WITHDRAWN] = KL_EV_WITHDRAWN,
	[KL_MSG_UNCONFIRMED] = KL_EV_UNCONFIRMED,
	[KL_MSG_LOST] = KL_EV_LOST, [KL_MSG_ERASED] = KL_EV_ERASED,
};

static struct missing *
missing_of(struct missing *n, struct audit_rules *r,
    const struct rules_message *m, const struct rules_conv *c, uint64_t leaf)
{
	memset(n, 0, sizeof *n);
	n->r = r;
	if (m != NULL) {
		memcpy(n->rec.msg_ref.b, m->ref, sizeof n->rec.msg_ref.b);
		n->rec.event = event_of[m->state];
	} else {
		n->rec.event = KL_EV_DELIVERED;
	}
	memcpy(n->rec.conv_ref.b, c->ref, sizeof n->rec.conv_ref.b);
	n->l = (struct rules_leaf){ .r = r, .leaf = leaf, .rec = &n->rec,
		.minute = r->minute };
	return n;
}

/* Is all there that came after? Else it may stand in what is not. */
static bool
all_seen_since(struct audit_rules *r, uint64_t leaf)
{
	if (r->absent_last <= leaf)
		return true;
	r->n.open++;
	return false;
}

static bool
under_way(const struct rules_message *m)
{
	return m->state == KL_MSG_ACCEPTED || m->state == KL_MSG_RELEASED;
}

/* What a withdrawal leaves is ended in the same turn. */
static void
waits_on(struct audit_rules *r, const struct rules_message *m,
    const struct rules_conv *c)
{
	const uint64_t by = c->all != 0 ? c->all :
	    m->kind == KL_FEEDBACK && c->feedback > m->first + 1 ?
	    c->feedback : 0;
	struct missing n;

	if (by == 0 || by <= m->first + 1 || !under_way(m) ||
	    !all_seen_since(r, by - 1))
		return;
	audit_rules_say(&missing_of(&n, r, m, c, by - 1)->l,
	    AUDIT_RULE_WITHDRAWN, m->last,
	    "a message that still waits after its consent was withdrawn");
}

/* One whose conversation was forgotten in that turn has a leaf that names it
 * no more. */
static void
not_erased(struct audit_rules *r, const struct rules_message *m,
    const struct rules_conv *c)
{
	const bool forgotten = m->reason == KL_C_CONVERSATION_ENDED &&
	    r->loose_erased > m->ended;
	struct missing n;

	if (m->ended == 0 || m->erased || !m->accepted || forgotten ||
	    r->minute <= m->ended_at + ERASE_MINUTES ||
	    !all_seen_since(r, m->ended - 1))
		return;
	audit_rules_say(&missing_of(&n, r, m, c, m->ended - 1)->l,
	    AUDIT_RULE_ERASED, AUDIT_NO_LEAF, "ended and never erased");
}

static void
not_answered(struct audit_rules *r, const struct rules_conv *c)
{
	struct missing n;

	if (c->answer_by == 0 || c->told_by == c->answer_by ||
	    c->answered != 0 || c->all != 0 ||
	    !audit_rules_past(r, c->answer_by) ||
	    !all_seen_since(r, c->delivered - 1))
		return;
	audit_rules_say(&missing_of(&n, r, NULL, c, c->delivered - 1)->l,
	    AUDIT_RULE_DEADLINE, AUDIT_NO_LEAF,
	    "not answered in time, and nobody was told");
}

static void
not_escalated(struct audit_rules *r, const struct rules_owed *o)
{
	struct missing n;

	if (o->due == 0 || o->told || audit_rules_given(r, o) ||
	    !audit_rules_past(r, o->due) || !all_seen_since(r, o->leaf))
		return;
	missing_of(&n, r, NULL, audit_reftab_at(&r->convs, o->conv), o->leaf);
	n.rec.event = KL_EV_ERASE_ASKED;
	audit_rules_say(&n.l, AUDIT_RULE_ESCALATED, AUDIT_NO_LEAF,
	    "no receipt came in time, and nobody was told");
}

void
audit_rules_end(struct audit_rules *r)
{
	struct missing n;

	audit_rules_settle(r);
	for (uint32_t i = 0; i < r->messages.n; i++) {
		const struct rules_message *m = audit_reftab_at(&r->messages,
		    i);
		const struct rules_conv *c = audit_reftab_at(&r->convs,
		    m->conv);

		waits_on(r, m, c);
		not_erased(r, m, c);
		if (under_way(m))
			audit_rules_untold(&missing_of(&n, r, m, c,
			    m->last)->l, m);
	}
	for (uint32_t i = 0; i < r->convs.n; i++)
		not_answered(r, audit_reftab_at(&r->convs, i));
	for (uint32_t i = 0; i < r->owed.n; i++)
		not_escalated(r, audit_reftab_at(&r->owed, i));
}
