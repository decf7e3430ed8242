#include <kortelijn/crypto/hash.h>

#include "proto/audit/rules_priv.h"

/* Each stands under a withdrawal of its conversation. */
static void
under(const struct rules_leaf *l, const struct rules_conv *c)
{
	if (c->all != 0 || c->feedback != 0)
		return;
	if (l->r->absent_last == 0)
		audit_rules_say(l, AUDIT_RULE_ESCALATED, AUDIT_NO_LEAF,
		    "%s where nothing was withdrawn",
		    kl_event_name(l->rec->event));
	else
		l->r->n.open++;
}

static struct rules_owed *
row(const struct rules_leaf *l, bool *fresh)
{
	const struct kl_bytes what[] = { KL_BYTES_OF(l->rec->conv_ref),
		KL_BYTES_OF(l->rec->org_from),
		KL_BYTES_OF(l->rec->body_hash) };
	uint8_t key[AUDIT_REF_BYTES];

	audit_rules_key('o', what, 3, key);
	return audit_reftab_add(&l->r->owed, key, fresh);
}

/* org_to, as a number. */
static uint64_t
asker_of(const struct kl_record *r)
{
	const struct kl_bytes id = KL_BYTES_OF(r->org_to);
	const struct kl_hash h = kl_hash_of(id);

	return kl_be64(h.b);
}

static int
asked(const struct rules_leaf *l, const struct rules_conv *c)
{
	bool fresh;
	struct rules_owed *o = row(l, &fresh);

	if (o == NULL)
		return KL_E_MEMORY;
	if (!fresh && !l->r->damaged)
		audit_rules_say(l, AUDIT_RULE_ONCE, o->leaf,
		    "the same erasure is asked for a second time");
	o->leaf = l->leaf;
	o->conv = audit_reftab_number(&l->r->convs, c);
	o->asker = asker_of(l->rec);
	o->due = (uint32_t)l->rec->due_minute;
	return KL_OK;
}

/* Whoever succeeds the one that was asked may give it: what they share is who
 * asked, and by when. */
static void
receipt_key(const uint8_t *conv, uint64_t asker, uint32_t due,
    uint8_t out[AUDIT_REF_BYTES])
{
	const struct kl_bytes what[] = { kl_bytes(conv, AUDIT_REF_BYTES),
		KL_BYTES_OF(asker), KL_BYTES_OF(due) };

	audit_rules_key('r', what, 3, out);
}

static int
receipt(const struct rules_leaf *l, const struct rules_conv *c)
{
	uint8_t key[AUDIT_REF_BYTES];
	struct rules_fact *f;
	bool fresh;

	receipt_key(c->ref, asker_of(l->rec), (uint32_t)l->rec->due_minute,
	    key);
	if ((f = audit_reftab_add(&l->r->facts, key, &fresh)) == NULL)
		return KL_E_MEMORY;
	f->leaf = l->leaf;
	return KL_OK;
}

bool
audit_rules_given(const struct audit_rules *r, const struct rules_owed *o)
{
	const struct rules_conv *c = audit_reftab_at(&r->convs, o->conv);
	uint8_t key[AUDIT_REF_BYTES];

	receipt_key(c->ref, o->asker, o->due, key);
	return audit_reftab_find(&r->facts, key) != NULL;
}

static int
escalated(const struct rules_leaf *l)
{
	bool fresh;
	struct rules_owed *o = row(l, &fresh);

	if (o == NULL)
		return KL_E_MEMORY;
	if (l->minute < l->rec->due_minute)
		audit_rules_say(l, AUDIT_RULE_ESCALATED, o->leaf,
		    "a receipt that is owed is told before its term");
	if (fresh && l->r->absent_last == 0)
		audit_rules_say(l, AUDIT_RULE_ESCALATED, AUDIT_NO_LEAF,
		    "a receipt is missed that nobody asked for");
	if (fresh)
		return KL_OK;
	if (o->told)
		audit_rules_say(l, AUDIT_RULE_ESCALATED, o->leaf,
		    "a receipt that is owed is told a second time");
	if (o->due != l->rec->due_minute)
		audit_rules_say(l, AUDIT_RULE_ESCALATED, o->leaf,
		    "another term than the one that ran");
	if (audit_rules_given(l->r, o))
		audit_rules_say(l, AUDIT_RULE_ESCALATED, o->leaf,
		    "a receipt is missed that was given");
	o->told = true;
	return KL_OK;
}

int
audit_rules_owed(const struct rules_leaf *l, const struct rules_conv *c)
{
	under(l, c);
	switch (l->rec->event) {
	case KL_EV_ERASE_ASKED: return asked(l, c);
	case KL_EV_ERASE_RECEIPT: return receipt(l, c);
	default: return escalated(l);
	}
}
