#include "proto/audit/rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/hash.h>

#include "proto/audit/rules_priv.h"

static const struct {
	const char *name, *clause;
} rules[] = {
	[AUDIT_RULE_FORM] = { "form", "10.7" },
	[AUDIT_RULE_ORIGIN] = { "origin", "10.7" },
	[AUDIT_RULE_CLOCK] = { "clock", "13" },
	[AUDIT_RULE_HOLD] = { "hold", "13" },
	[AUDIT_RULE_ONCE] = { "once", "8.1.1" },
	[AUDIT_RULE_STATE] = { "state", "8.1" },
	[AUDIT_RULE_SAME] = { "same", "10.2" },
	[AUDIT_RULE_WITHDRAWN] = { "withdrawn", "8.9.7" },
	[AUDIT_RULE_CONSENT] = { "consent", "8.4" },
	[AUDIT_RULE_TERM] = { "term", "8.7" },
	[AUDIT_RULE_ERASED] = { "erased", "8.1.2" },
	[AUDIT_RULE_DEADLINE] = { "deadline", "10.2" },
	[AUDIT_RULE_ESCALATED] = { "escalated", "8.9.5" },
	[AUDIT_RULE_CARD] = { "card", "8.2" },
};

const char *
audit_rule_name(uint32_t rule)
{
	return rule >= 1 && rule <= AUDIT_RULE_LAST ? rules[rule].name : "?";
}

const char *
audit_rule_clause(uint32_t rule)
{
	return rule >= 1 && rule <= AUDIT_RULE_LAST ? rules[rule].clause :
	    "?";
}

/* ---- what is said ---- */

struct audit_finding
audit_rules_finding(const struct rules_leaf *l, uint32_t rule, uint64_t other)
{
	return (struct audit_finding){ .rule = rule, .leaf = l->leaf,
		.other = other, .event = l->rec->event,
		.conv_ref = l->rec->conv_ref, .msg_ref = l->rec->msg_ref };
}

void
audit_rules_say(const struct rules_leaf *l, uint32_t rule, uint64_t other,
    const char *form, ...)
{
	struct audit_finding f = audit_rules_finding(l, rule, other);
	va_list ap;

	va_start(ap, form);
	(void)vsnprintf(f.text, sizeof f.text, form, ap);
	va_end(ap);
	va_start(ap, form);
	(void)vsnprintf(f.dutch, sizeof f.dutch, audit_rules_dutch(form), ap);
	va_end(ap);
	l->r->n.broken++;
	l->r->found(l->r->arg, &f);
}

/* ---- what was logged ---- */

void
audit_rules_key(char sort, const struct kl_bytes *parts, size_t n,
    uint8_t out[AUDIT_REF_BYTES])
{
	struct kl_bytes all[8] = { kl_bytes(&sort, 1) };
	struct kl_hash h;

	memcpy(all + 1, parts, n * sizeof *parts);
	h = kl_hash_parts(all, n + 1);
	memcpy(out, h.b, AUDIT_REF_BYTES);
}

int
audit_rules_fact(const struct rules_leaf *l, char sort,
    const struct kl_bytes *parts, size_t n, uint64_t *before)
{
	uint8_t key[AUDIT_REF_BYTES];
	struct rules_fact *f;
	bool fresh;

	audit_rules_key(sort, parts, n, key);
	if ((f = audit_reftab_add(&l->r->facts, key, &fresh)) == NULL)
		return KL_E_MEMORY;
	*before = fresh ? 0 : f->leaf + 1;
	if (fresh)
		f->leaf = l->leaf;
	return KL_OK;
}

bool
audit_rules_known(const struct audit_rules *r, char sort,
    const struct kl_bytes *parts, size_t n)
{
	uint8_t key[AUDIT_REF_BYTES];

	audit_rules_key(sort, parts, n, key);
	return audit_reftab_find(&r->facts, key) != NULL;
}

/* ---- the log as a whole ---- */

struct audit_rules *
audit_rules_new(void (*found)(void *arg, const struct audit_finding *f),
    void *arg)
{
	struct audit_rules *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	r->found = found;
	r->arg = arg;
	audit_reftab_init(&r->messages, sizeof(struct rules_message),
	    RULES_ROWS_MAX);
	audit_reftab_init(&r->convs, sizeof(struct rules_conv), RULES_ROWS_MAX);
	audit_reftab_init(&r->bodies, sizeof(struct rules_fact),
	    RULES_ROWS_MAX);
	audit_reftab_init(&r->facts, sizeof(struct rules_fact), RULES_ROWS_MAX);
	audit_reftab_init(&r->owed, sizeof(struct rules_owed), RULES_ROWS_MAX);
	return r;
}

void
audit_rules_free(struct audit_rules *r)
{
	if (r == NULL)
		return;
	audit_reftab_clear(&r->messages);
	audit_reftab_clear(&r->convs);
	audit_reftab_clear(&r->bodies);
	audit_reftab_clear(&r->facts);
	audit_reftab_clear(&r->owed);
	free(r);
}

static void
origin_check(const struct rules_leaf *l)
{
	const bool begins = l->rec->event == KL_EV_ORIGIN;

	if (l->leaf == 0 && !begins)
		audit_rules_say(l, AUDIT_RULE_ORIGIN, AUDIT_NO_LEAF,
		    "the log does not begin with its origin");
	if (l->leaf > 0 && begins)
		audit_rules_say(l, AUDIT_RULE_ORIGIN, 0,
		    "an origin in the middle of a log");
}

/* Who has a card, and what tells of a loss or of a broken disk. */
static int
whole_log(const struct rules_leaf *l)
{
	const struct kl_bytes who = KL_BYTES_OF(l->rec->org_from);
	struct audit_rules *r = l->r;
	uint64_t before;

	r->damaged |= l->rec->reason == KL_C_BROKER_DAMAGE;
	if (l->rec->event == KL_EV_PRESENTED)
		r->presented = true;
	if (l->rec->event == KL_EV_CARD)
		return audit_rules_fact(l, 'c', &who, 1, &before);
	return KL_OK;
}

int
audit_rules_take(struct audit_rules *r, uint64_t leaf,
    const struct kl_record *rec)
{
	const struct rules_leaf l = { .r = r, .leaf = leaf, .rec = rec,
		.minute = (uint32_t)(rec->time_minute > UINT32_MAX ?
		    UINT32_MAX : rec->time_minute) };
	int err;

	r->n.records++;
	origin_check(&l);
	audit_rules_clock(&l);
	audit_rules_form(&l);
	if ((err = whole_log(&l)) != KL_OK)
		return err;
	return kl_bytes_zero(KL_BYTES_OF(rec->msg_ref)) ?
	    audit_rules_conversation(&l) : audit_rules_message(&l);
}

void
audit_rules_absent(struct audit_rules *r, uint64_t leaf)
{
	r->n.absent++;
	r->absent_last = leaf + 1;
}

struct audit_rules_counts
audit_rules_count(const struct audit_rules *r)
{
	struct audit_rules_counts n = r->n;

	n.messages = r->messages.n;
	n.conversations = r->convs.n;
	n.bytes = sizeof *r + audit_reftab_bytes(&r->messages) +
	    audit_reftab_bytes(&r->convs) + audit_reftab_bytes(&r->bodies) +
	    audit_reftab_bytes(&r->facts) + audit_reftab_bytes(&r->owed);
	return n;
}
