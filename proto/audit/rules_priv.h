/*
 * rules_priv.h: what the files of rules share.
 *
 * Private to proto/audit/rules*.
 */
#ifndef PROTO_AUDIT_RULES_PRIV_H
#define PROTO_AUDIT_RULES_PRIV_H

#include "proto/audit/reftab.h"
#include "proto/audit/rules.h"

#define RULES_ROWS_MAX (1u << 24)	/* of each table */
#define RULES_MINUTES 4		/* that were seen last */
#define RULES_SUSPECTS 64

struct rules_conv {
	uint8_t ref[AUDIT_REF_BYTES];
	/* leaves plus 1; 0: none */
	uint64_t all, feedback;		/* CONSENT_WITHDRAWN, by scope */
	uint64_t consent_ended;
	uint64_t delivered;		/* a REFERRAL */
	uint64_t answered;		/* first FEEDBACK accepted */
	uint64_t closed;		/* FEEDBACK that ends it */
	uint32_t answer_by, told_by;	/* minutes; 0: none */
};

struct rules_message {
	uint8_t ref[AUDIT_REF_BYTES];
	uint8_t body[AUDIT_REF_BYTES];	/* the first half of its hash */
	uint64_t orgs;			/* folded */
	uint64_t first, last;		/* leaves */
	uint64_t ended;			/* leaf plus 1 */
	uint32_t conv;			/* number of its row */
	uint32_t accepted_at, ended_at, deliver_by;	/* minutes */
	uint16_t reason;		/* of its end */
	uint8_t state, kind, milestone;
	bool accepted;			/* its leaf ACCEPTED was seen */
	bool erased, told;
};

/* Something that was logged: a key made of what names it. */
struct rules_fact {
	uint8_t key[AUDIT_REF_BYTES];
	uint64_t leaf;
};

/* An ERASE_RECEIPT that is owed: by whom in which conversation, for which
 * WITHDRAWAL. */
struct rules_owed {
	uint8_t key[AUDIT_REF_BYTES];
	uint64_t leaf;			/* that asked for it */
	uint64_t asker;			/* who withdrew, hashed */
	uint32_t conv, due;
	bool told;
};

struct audit_rules {
	void (*found)(void *arg, const struct audit_finding *f);
	void *arg;
	struct audit_reftab messages, convs, bodies, facts, owed;
	struct audit_rules_counts n;

	/* the log as a whole */
	uint64_t absent_last;		/* leaf plus 1 */
	uint64_t loose_erased;		/* last ERASED without message, + 1 */
	bool presented, damaged;	/* a loss, a broken disk were seen */

	/* its clock */
	uint32_t minute;		/* of the last leaf */
	uint32_t mark;			/* the latest that counts */
	uint32_t seen[RULES_MINUTES];	/* different ones, latest first */
	uint32_t sure_since;		/* terms are told again since then */
	bool held;
	struct audit_finding suspect[RULES_SUSPECTS];
	size_t n_suspects;
	uint32_t suspect_minute;
};

/* What is being looked at. */
struct rules_leaf {
	struct audit_rules *r;
	uint64_t leaf;
	const struct kl_record *rec;
	uint32_t minute;
};

void audit_rules_say(const struct rules_leaf *l, uint32_t rule,
    uint64_t other, const char *form, ...)
    __attribute__((format(printf, 4, 5)));
/* The Dutch of such a form; what has none stays as it is. */
const char *audit_rules_dutch(const char *en);
struct audit_finding audit_rules_finding(const struct rules_leaf *l,
    uint32_t rule, uint64_t other);

/* Is it what its event asks for? */
void audit_rules_form(const struct rules_leaf *l);
/* Clock and holds, before anything else of the leaf. */
void audit_rules_clock(const struct rules_leaf *l);
/* The leaf is the first of another turn, for certain, or there is no more. */
void audit_rules_settle(struct audit_rules *r);
/* The broker ran long enough past this minute, and without a hold, that what
 * was due then must have been told. */
bool audit_rules_past(const struct audit_rules *r, uint32_t due);
/* Leaves of messages, and of conversations. KL_E_MEMORY. */
int audit_rules_message(const struct rules_leaf *l) KL_MUST_CHECK;
int audit_rules_conversation(const struct rules_leaf *l) KL_MUST_CHECK;
/* The row of the leaf's conversation. NULL: no memory. */
struct rules_conv *audit_rules_conv_of(const struct rules_leaf *l);
/* DEADLINE without a message: the answer that a conversation waits for. */
int audit_rules_answer(const struct rules_leaf *l) KL_MUST_CHECK;
/* ERASE_ASKED, ERASE_RECEIPT and ESCALATED of that conversation. */
int audit_rules_owed(const struct rules_leaf *l, const struct rules_conv *c)
    KL_MUST_CHECK;
/* Was the receipt that is owed here given? */
bool audit_rules_given(const struct audit_rules *r,
    const struct rules_owed *o);
/* What names something that was logged. */
void audit_rules_key(char sort, const struct kl_bytes *parts, size_t n,
    uint8_t out[AUDIT_REF_BYTES]);
/* Notes it; *before is where it was noted first, plus 1, or 0. KL_E_MEMORY. */
int audit_rules_fact(const struct rules_leaf *l, char sort,
    const struct kl_bytes *parts, size_t n, uint64_t *before) KL_MUST_CHECK;
bool audit_rules_known(const struct audit_rules *r, char sort,
    const struct kl_bytes *parts, size_t n);
/* A deadline of a message that leaves the state in which it counts; l: the
 * leaf that says so, or the last one of the log. */
void audit_rules_untold(const struct rules_leaf *l,
    const struct rules_message *m);

#endif
