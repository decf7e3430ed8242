/*
 * find.h: the records of the log that fit a question and that its asker may
 * read, in the order of leaves, a bounded piece at a time. PROTOCOL.md 7.11.
 */
#ifndef CORE_FIND_H
#define CORE_FIND_H

#include "broker/core/journal.h"

/* Whose records somebody may read. Those without an organisation everybody
 * may, but for what an operator asked: it names conversations. */
struct find_who {
	bool all;
	const struct kl_id *org;	/* in the order of find_sort */
	size_t n_org;
	uint8_t *begin;			/* find_who makes it: which beginnings
					 * of summary_id occur */
};
void find_sort(struct kl_id *org, size_t n);
/* KL_E_MEMORY. `org` is borrowed and in order. */
int find_who(struct find_who *w, const struct kl_id *org, size_t n_org,
    struct kl_arena *mem) KL_MUST_CHECK;
bool find_may(const struct find_who *w, const struct kl_id *org);

/* What is asked; zeros and none: any. */
struct find_what {
	int64_t from_minute, to_minute;	/* to is exclusive; 0: open */
	struct kl_id sender, receiver;
	uint32_t kind, event, role, outcome;
	struct kl_ref conv_ref, msg_ref;
};

struct find {
	const struct find_who *who;
	const struct find_what *what;
	uint64_t next, end;		/* leaves: where to go on, and where
					 * it ends */
	size_t left;			/* rows and records still looked at */
};

/* What is found, one after the other: KL_OK; KL_E_FULL: not this one, the next
 * piece begins with it; or why it fails. `l` is valid in this call only. */
typedef int find_take(void *arg, const struct journal_leaf *l,
    const struct kl_record *r);

/*
 * Goes on from f->next until `take` is full, f->left is used up or f->end is
 * reached. f->next is then where to go on; == f->end: that was all. What was
 * erased is passed over. KL_E_DAMAGED, KL_E_MEMORY, and what `take` answers.
 */
int find_piece(struct find *f, struct journal *j, struct kl_kv_txn *txn,
    struct kl_arena *mem, find_take *take, void *arg) KL_MUST_CHECK;

#endif
