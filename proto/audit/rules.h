/*
 * rules.h: the rules that a delivery log shows by itself: one pass over its
 * records in order, which says of each that breaks a rule which one and how.
 * It knows no broker and no store: the records alone. PROTOCOL.md 10.13.
 *
 * Records that are not there (past their term, or not the reader's) are told
 * to it as absent. What they may hold is then not held against the others: a
 * rule is only said to be broken by records that are seen.
 */
#ifndef PROTO_AUDIT_RULES_H
#define PROTO_AUDIT_RULES_H

#include <kortelijn/wire/signed.h>

enum audit_rule {
	AUDIT_RULE_FORM = 1,	/* a record is what its event asks for */
	AUDIT_RULE_ORIGIN,	/* leaf 0 begins the log, and only it */
	AUDIT_RULE_CLOCK,	/* nothing ends by a clock that ran back */
	AUDIT_RULE_HOLD,	/* nothing ends by time while held */
	AUDIT_RULE_ONCE,	/* one act, one leaf */
	AUDIT_RULE_STATE,	/* transitions of 8.1, one after the other */
	AUDIT_RULE_SAME,	/* all leaves of a message name the same */
	AUDIT_RULE_WITHDRAWN,	/* nothing after a withdrawal */
	AUDIT_RULE_CONSENT,	/* nothing that its consent does not cover */
	AUDIT_RULE_TERM,	/* nothing is released past its term */
	AUDIT_RULE_ERASED,	/* what ended is erased, once */
	AUDIT_RULE_DEADLINE,	/* each one that was missed is told once */
	AUDIT_RULE_ESCALATED,	/* and so is each receipt that is owed */
	AUDIT_RULE_CARD,	/* who sends has a card */
};
#define AUDIT_RULE_LAST AUDIT_RULE_CARD

/* "once", and in which clause of PROTOCOL.md it stands. */
const char *audit_rule_name(uint32_t rule);
const char *audit_rule_clause(uint32_t rule);

#define AUDIT_NO_LEAF UINT64_MAX

struct audit_finding {
	uint32_t rule;			/* enum audit_rule */
	uint64_t leaf;			/* which record breaks it */
	uint64_t other;			/* against which, or AUDIT_NO_LEAF */
	uint32_t event;			/* of leaf */
	struct kl_ref conv_ref, msg_ref;	/* of leaf, or zero */
	char text[160];			/* what is wrong, without full stop */
	char dutch[160];
};

struct audit_rules;

struct audit_rules_counts {
	uint64_t records, absent, broken;
	uint64_t messages, conversations;
	/* Of these something is missed, which may stand in what is absent. */
	uint64_t open;
	uint64_t clock_back;	/* times that the clock ran back */
	size_t bytes;		/* memory that was held at most */
};

/* found borrows the finding. NULL: no memory. Free accepts NULL. */
struct audit_rules *audit_rules_new(void (*found)(void *arg,
    const struct audit_finding *f), void *arg);
void audit_rules_free(struct audit_rules *r);

/* Leaves in order, from the first of the log, each once. KL_E_MEMORY. */
int audit_rules_take(struct audit_rules *r, uint64_t leaf,
    const struct kl_record *rec) KL_MUST_CHECK;
void audit_rules_absent(struct audit_rules *r, uint64_t leaf);
/* The log ends here, at the end of a turn: what should have come is missing. */
void audit_rules_end(struct audit_rules *r);
struct audit_rules_counts audit_rules_count(const struct audit_rules *r);

#endif
