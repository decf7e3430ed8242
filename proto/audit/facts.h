/*
 * facts.h: what follows from the records of one conversation: which terms ran
 * and how they ended, what is still open, what of the story is not there.
 * Pure. PROTOCOL.md 10.2.
 */
#ifndef PROTO_AUDIT_FACTS_H
#define PROTO_AUDIT_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include <kortelijn/wire/signed.h>

/* A record and where it stands. */
struct audit_fact {
	uint64_t leaf;
	struct kl_record r;
};

/* The records of one conversation, in the order of the log. */
struct audit_facts {
	const struct audit_fact *at;
	size_t n;
};

#define AUDIT_FACTS_NONE ((size_t)-1)

/* ---- terms -------------------------------------------------------------- */

enum audit_facts_term {
	AUDIT_TERM_DELIVER,	/* that a message is opened */
	AUDIT_TERM_ANSWER,	/* that a referral is answered */
	AUDIT_TERM_ERASE,	/* that a receipt of erasure is signed */
};

enum audit_facts_end {
	AUDIT_END_RUNS,
	AUDIT_END_KEPT,
	AUDIT_END_TOLD,		/* missed, and both were told once */
	AUDIT_END_UNTOLD,	/* missed, and the log has no notice of it */
	AUDIT_END_OVER,		/* what it was about ended before */
};

struct audit_facts_due {
	enum audit_facts_term term;
	enum audit_facts_end end;
	size_t begun;		/* index of the record that began it */
	size_t met;		/* of what met it, also late; or NONE */
	size_t told;		/* of the notice, or NONE */
	int64_t due_minute;
};

/* The next term that began at index *at or later; *at moves behind it. False:
 * no more. A notice is due within ten minutes of a term. */
bool audit_facts_next_due(const struct audit_facts *f, int64_t now_minute,
    size_t *at, struct audit_facts_due *out);

/* ---- what is open -------------------------------------------------------- */

enum audit_facts_open {
	AUDIT_OPEN_NOTHING,
	AUDIT_OPEN_WAITS,	/* a message was not collected yet */
	AUDIT_OPEN_UNSURE,	/* handed out, not opened yet */
	AUDIT_OPEN_KEY,		/* ended, its key is not yet wiped */
	AUDIT_OPEN_ERASE,	/* a receipt of erasure is owed */
	AUDIT_OPEN_ANSWER,	/* opened, not taken up yet */
	AUDIT_OPEN_SILENT,	/* the same, and no term runs for it */
	AUDIT_OPEN_HELP,	/* taken up or in progress */
	AUDIT_OPEN_UNTOLD,	/* either, and feedback was withdrawn */
};

/* What is still open because of record i, or nothing. */
enum audit_facts_open audit_facts_open(const struct audit_facts *f, size_t i);

/* ---- what is missing ----------------------------------------------------- */

/* The referral with which it begins is not among the records. */
bool audit_facts_no_begin(const struct audit_facts *f);
/* Something was shown again after a loss: an earlier log holds the rest. */
bool audit_facts_shown_again(const struct audit_facts *f);
/* Record i is the first of a message that never began here. */
bool audit_facts_loose(const struct audit_facts *f, size_t i);
/* Index of the referral's first record, or NONE. */
size_t audit_facts_referral(const struct audit_facts *f);

#endif
