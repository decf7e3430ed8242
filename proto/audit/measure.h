/*
 * measure.h: one reading of a log's records, in their order, into counts and
 * durations.
 *
 * Counted is what the period from `from` to `to` has. Durations are of the
 * referrals that were accepted in it; what became of them is followed to the
 * last record that is given, so records after `to` are given too. What began
 * before `from` has counts and no durations.
 *
 * Memory grows with the conversations and messages that are open at one time
 * (AUDIT_MEASURE_OPEN_MAX of each) and, by a few bytes, with what was measured.
 */
#ifndef PROTO_AUDIT_MEASURE_H
#define PROTO_AUDIT_MEASURE_H

#include <kortelijn/wire/signed.h>

#include "proto/audit/orgs.h"
#include "proto/audit/spread.h"

#define AUDIT_MEASURE_MONTHS_MAX 264	/* 20 years of P37, and some */
#define AUDIT_MEASURE_PAIRS_MAX 65536
#define AUDIT_MEASURE_OPEN_MAX (1u << 20)
#define AUDIT_MEASURE_CODES 512		/* refusal codes are below */
#define AUDIT_MEASURE_EVENTS 64		/* events are below */
#define AUDIT_MEASURE_KINDS 4		/* enum kl_kind; 0: none */
/* Of each, the first so many are listed; more are counted. */
#define AUDIT_MEASURE_LISTED_MAX 512

enum audit_step {
	AUDIT_COLLECTED,	/* ACCEPTED to DELIVERED of the referral */
	AUDIT_TAKEN_UP,		/* to the first feedback with a milestone */
	AUDIT_IN_PROGRESS,
	AUDIT_ENDED,
	AUDIT_STEPS,
};

/* What became of deadlines that ran. */
struct audit_due {
	uint32_t kept, late;
	uint32_t missed;	/* past, and still not done */
	uint32_t running;
	uint32_t lapsed;	/* fell away before: withdrawn, ended */
};

/* One organisation, or all of them. */
struct audit_of {
	uint32_t sent[AUDIT_MEASURE_KINDS], received[AUDIT_MEASURE_KINDS];
	uint64_t refused;	/* of what it asked */
	/* As the receiver of referrals of the period: */
	uint32_t referrals;
	struct audit_spread minutes[AUDIT_STEPS];
	struct audit_spread days[AUDIT_STEPS];	/* working days */
	struct audit_due deliver, answer;	/* deliver_by, answer_by */
	uint32_t no_answer_due;	/* collected; no term for an answer ran */
	uint32_t returned, expired, dead, withdrawn;
};

struct audit_pair {
	uint32_t from, to;	/* organisations */
	uint32_t n[AUDIT_MEASURE_KINDS];
};

struct audit_month {
	int32_t month;		/* 12 * year + month - 1, local */
	uint32_t n[AUDIT_MEASURE_KINDS];
	uint64_t refused;
	uint32_t withdrawn;
};

/* A load of a policy, or a hold. */
struct audit_moment {
	uint64_t leaf;
	int64_t minute;
	struct kl_hash hash;	/* of the policy's file */
	uint32_t reason, count;	/* of the hold: KL_C_OK is its release */
};
struct audit_moments {
	struct audit_moment m[AUDIT_MEASURE_LISTED_MAX];
	size_t n;		/* in all */
};

struct audit_erasing {
	uint32_t all, feedback_only;	/* conversations */
	uint32_t by_practice, by_municipality, by_other;
	/* Shown again after a loss of the store: of before, and not among
	 * those above. */
	uint32_t shown_again;
	/* From CONSENT_WITHDRAWN to the last ERASED, in minutes. */
	struct audit_spread erased;
	uint32_t nothing_held;	/* the broker had nothing to erase */
	/* From ERASE_ASKED to ERASE_RECEIPT. */
	struct audit_spread receipt;
	struct audit_due due;
	uint32_t escalated;
};

struct audit_measure {
	int64_t from, to;	/* minutes; to is exclusive */
	uint64_t records;	/* in the period */
	int64_t first, last;	/* minutes of records given; 0: none */
	uint64_t events[AUDIT_MEASURE_EVENTS];
	uint64_t refused[AUDIT_MEASURE_CODES];	/* by the broker */
	uint64_t dead[AUDIT_MEASURE_CODES];	/* by the receiver */
	uint64_t told_deliver, told_answer;	/* DEADLINE */

	struct audit_orgs orgs;
	struct audit_of *of;	/* by organisation */
	struct audit_of all;
	/* How long messages of the other kinds waited for their receiver. */
	struct audit_spread waited[AUDIT_MEASURE_KINDS];
	struct audit_pair *pairs;
	size_t n_pairs;
	struct audit_month months[AUDIT_MEASURE_MONTHS_MAX];
	size_t n_months;
	struct audit_erasing erasing;
	struct audit_moments policies, holds;
	struct audit_moment policy_before;	/* in force at from */
	bool policy_before_known;

	struct audit_measure_work *work;
};

/* The period, in minutes; from 0: as far back as there are records; to 0: to
 * the last record. KL_E_MEMORY. The caller clears what was begun. */
int audit_measure_begin(struct audit_measure *m, int64_t from, int64_t to)
    KL_MUST_CHECK;
void audit_measure_clear(struct audit_measure *m);
/* The next record. KL_E_FULL: a bound above is reached, and a shorter period
 * is what helps; KL_E_MEMORY. */
int audit_measure_take(struct audit_measure *m, uint64_t leaf,
    const struct kl_record *r) KL_MUST_CHECK;
/* After the last one: what is still open, as of that minute. Sorts all
 * spreads. KL_E_FULL, KL_E_MEMORY. */
int audit_measure_end(struct audit_measure *m, int64_t now) KL_MUST_CHECK;

#endif
