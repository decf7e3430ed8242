/*
 * measure_priv.h: what the files of measure share.
 *
 * Private to proto/audit/measure*.
 */
#ifndef PROTO_AUDIT_MEASURE_PRIV_H
#define PROTO_AUDIT_MEASURE_PRIV_H

#include "proto/audit/measure.h"
#include "proto/audit/reftab.h"

/* A conversation whose referral was accepted in the period. */
struct measure_talk {
	struct kl_ref ref;
	int64_t begun;		/* minute */
	int64_t deliver_due, answer_due;
	uint32_t to;		/* organisation */
	bool done[AUDIT_STEPS];
	bool answered;
	bool late;		/* collected past its term */
	bool untold;		/* feedback was withdrawn */
};

/* A message of another kind that waits for its receiver. */
struct measure_waiting { struct kl_ref ref; int64_t begun; uint32_t kind; };

/* A conversation that was withdrawn in the period. */
struct measure_withdrawn { struct kl_ref ref; int64_t at, erased; };

/* A paper that was shown again after a loss: the beginning of its hash. */
struct measure_paper { struct kl_ref ref; };

/* An erase receipt that is owed: by conversation and who owes it. */
struct measure_asked { struct kl_ref key; int64_t at, due; };

/* A pair of organisations: where it stands among the pairs. */
struct measure_pair { struct kl_ref key; uint32_t i; bool there; };

struct audit_measure_work {
	struct audit_reftab talks, waiting, withdrawn, asked, pairs, papers;
};

/* What became of a deadline. */
enum measure_fate {
	MEASURE_KEPT,
	MEASURE_LATE,
	MEASURE_MISSED,
	MEASURE_RUNNING,
	MEASURE_LAPSED,
};

/* Is it of the period? */
bool audit_measure_inside(const struct audit_measure *m,
    const struct kl_record *r);
/* Two numbers as a key. */
struct kl_ref audit_measure_key(uint64_t a, uint64_t b);

/* The row of the month of a minute. KL_E_FULL. */
int audit_measure_count_month(struct audit_measure *m, int64_t minute,
    struct audit_month **out) KL_MUST_CHECK;
/* ACCEPTED, of a message; from and to are organisations. KL_E_FULL,
 * KL_E_MEMORY. */
int audit_measure_count_message(struct audit_measure *m,
    const struct kl_record *r, uint32_t from, uint32_t to) KL_MUST_CHECK;
/* REFUSED and CONFLICT. KL_E_FULL. */
int audit_measure_count_refusal(struct audit_measure *m,
    const struct kl_record *r, uint32_t from) KL_MUST_CHECK;
void audit_measure_count_moment(struct audit_moments *list, uint64_t leaf,
    const struct kl_record *r);
void audit_measure_count_due(struct audit_due *d, enum measure_fate fate);
/* Of what is still open. */
enum measure_fate audit_measure_count_fate(int64_t due, int64_t now);

/* A referral, from its acceptance to its end; the row is gone after feedback
 * that ends it, _fails and _withdrawn. KL_E_FULL, KL_E_MEMORY. */
int audit_measure_talk_begins(struct audit_measure *m,
    const struct kl_record *r, uint32_t to) KL_MUST_CHECK;
int audit_measure_talk_collected(struct audit_measure *m,
    struct measure_talk *t, const struct kl_record *r) KL_MUST_CHECK;
int audit_measure_talk_feedback(struct audit_measure *m,
    struct measure_talk *t, const struct kl_record *r) KL_MUST_CHECK;
/* Nobody will get it. */
void audit_measure_talk_fails(struct audit_measure *m,
    struct measure_talk *t, const struct kl_record *r);
void audit_measure_talk_withdrawn(struct audit_measure *m,
    struct measure_talk *t, const struct kl_record *r);
/* What has not come by now, of all that are left. */
void audit_measure_talk_open(struct audit_measure *m, int64_t now);

/* PRESENTED, CONSENT_WITHDRAWN, ERASED, ERASE_ASKED and ERASE_RECEIPT; `from`
 * is the organisation that owes the receipt. KL_E_FULL, KL_E_MEMORY. */
int audit_measure_erase_shown(struct audit_measure *m,
    const struct kl_record *r) KL_MUST_CHECK;
int audit_measure_erase_withdrawn(struct audit_measure *m,
    const struct kl_record *r) KL_MUST_CHECK;
void audit_measure_erase_erased(struct audit_measure *m,
    const struct kl_record *r);
int audit_measure_erase_asked(struct audit_measure *m,
    const struct kl_record *r, uint32_t from) KL_MUST_CHECK;
int audit_measure_erase_answered(struct audit_measure *m,
    const struct kl_record *r, uint32_t from) KL_MUST_CHECK;
/* How long erasure took, after the last record. KL_E_MEMORY. */
int audit_measure_erase_end(struct audit_measure *m) KL_MUST_CHECK;
/* Receipts that are still owed. */
void audit_measure_erase_open(struct audit_measure *m, int64_t now);

#endif
