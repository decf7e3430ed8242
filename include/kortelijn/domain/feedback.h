/*
 * feedback.h: one FEEDBACK, what is left of it at a level, and the walk of
 * states that both adapters keep of a conversation.
 *
 * The municipality keeps two walks: one over the codes in full and one over
 * what it sent; the practice keeps the second.
 */
#ifndef KORTELIJN_DOMAIN_FEEDBACK_H
#define KORTELIJN_DOMAIN_FEEDBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/types.h>
#include <kortelijn/domain/state.h>

struct kl_feedback {
	uint32_t code;		/* enum kl_state */
	uint32_t category;	/* enum kl_category; 0: none */
	uint32_t ground;	/* enum kl_ground; 0: none */
	uint32_t wanted;	/* enum kl_wanted; 0: none */
	int32_t day;		/* since 1970 */
	uint32_t level;		/* enum kl_level; 0: in full, not collapsed */
};

/*
 * Are the parts right by themselves? KL_C_OK; KL_C_FIELD_VALUE: a code that
 * is not sent, a value outside its list, a day before 2000;
 * KL_C_FIELD_MISSING: the code needs a category, ground or wanted;
 * KL_C_FIELDS_DISAGREE: one that does not belong to the code or level;
 * KL_C_LEVEL: the code is above its level; KL_C_SCHEMA: newer than `schema`.
 * `field` (may be NULL) then names the field.
 */
uint32_t kl_feedback_check(const struct kl_feedback *f, uint32_t schema,
    const char **field);

/*
 * What of `full` a receiver may see at `level` who reads content schema
 * `schema`. False: nothing, and nothing is sent.
 */
bool kl_feedback_collapse(const struct kl_feedback *full, uint32_t level,
    uint32_t schema, struct kl_feedback *out);

/*
 * Would `next` tell what `last` told? Then it is not sent: hidden steps must
 * not show by their timing. After a CORRECTION the same question may be asked
 * again. False if nothing was sent yet (last->code is 0).
 */
bool kl_feedback_same(const struct kl_feedback *last,
    const struct kl_feedback *next, bool corrected);

/* The walk of one conversation. Plain values: may be stored as they are. */
struct kl_progress {
	uint32_t code;		/* state now */
	uint32_t milestone;	/* enum kl_milestone, since a reopening */
	uint32_t level;		/* of collapsed codes; 0: codes in full */
	uint32_t steps;		/* feedback taken */
	bool reopened;
	bool corrected;		/* a CORRECTION came since the last step */
	struct kl_feedback last; /* taken last; code 0: none yet */
};

/* At `code`: draft or sent at the practice, delivered at the desk. */
void kl_progress_init(struct kl_progress *p, uint32_t code, uint32_t level);

/*
 * Takes one FEEDBACK. KL_C_OK; KL_C_STATE: the table does not allow it now;
 * KL_C_MILESTONE: a milestone would fall; or what kl_feedback_check answers.
 * Unless KL_C_OK nothing changed.
 */
uint32_t kl_progress_step(struct kl_progress *p, const struct kl_feedback *f);
/* The same answer, but takes nothing. */
uint32_t kl_progress_may_step(const struct kl_progress *p,
    const struct kl_feedback *f);

/*
 * Takes what broker, receipts and withdrawals make: sent, delivered,
 * uncertain, expired, consent_withdrawn, sent_in_error, and not_taken_on by a
 * refused receipt. A receipt for a CORRECTION changes nothing in an open
 * state and makes not_reached delivered again. KL_C_OK or KL_C_STATE.
 */
uint32_t kl_progress_event(struct kl_progress *p, uint32_t code);

/* A CORRECTION is sent or opened. KL_C_OK; KL_C_STATE: the conversation has
 * not been sent, has ended for good or is uncertain. */
uint32_t kl_progress_correct(struct kl_progress *p);

/* One attempt to reach the resident; stays in the municipality. */
struct kl_attempt {
	int32_t day;
	uint32_t part_of_day;	/* enum kl_part_of_day */
	uint32_t kind;		/* enum kl_contact */
};

struct kl_attempt_limits {
	size_t attempts;
	size_t dayparts;
	size_t kinds;
};

/* Enough attempts for not_reached, at enough parts of the day and of enough
 * kinds; kinds_permitted is what the referral allows. */
bool kl_attempts_enough(const struct kl_attempt *a, size_t n,
    const struct kl_attempt_limits *limits, size_t kinds_permitted);

#endif
