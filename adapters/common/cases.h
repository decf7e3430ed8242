/*
 * cases.h: one row for each conversation: where it stands, what both sides
 * know of it, its history, its content. Everything lies under two slots: one
 * for the content, one for all else, so that each can be erased by itself.
 */
#ifndef ADAPTERS_COMMON_CASES_H
#define ADAPTERS_COMMON_CASES_H

#include <kortelijn/domain/feedback.h>
#include <kortelijn/domain/referral.h>
#include <kortelijn/wire/content.h>
#include <kortelijn/wire/request.h>

#include "adapters/common/engine.h"
#include "adapters/common/turn.h"

struct case_row {
	uint64_t number;		/* in the order of their coming */
	struct kl_conv_id conv;
	struct kl_ref ref;		/* of the broker's log */
	struct kl_spoken spoken;	/* b[0] is 0 until known */
	struct kl_id peer;
	uint32_t mine;			/* 1: we sent the REFERRAL */
	uint32_t husk;			/* 1: known from the broker only */
	uint32_t crisis;		/* 1 */
	struct kl_msg_id referral_msg;
	struct kl_hash referral;	/* hash of its body, or zero */
	struct kl_consent consent;	/* sender; else `under` only */
	uint32_t level, valid_until;
	uint32_t staff_role;		/* sender */
	uint32_t origin;		/* number of the log that ref is of */

	struct kl_progress sent;	/* what both sides know */
	struct kl_progress full;	/* desk: in full */
	uint32_t feedback_ended;	/* 1: its consent is over */
	uint32_t refused;		/* enum kl_code, 0: not */
	uint32_t corrected;		/* 1: content replaced another */
	uint32_t gap;			/* 1: go on from any state */
	uint32_t pending;		/* REFERRAL, CORRECTION of ours that
					 * are on their way */
	uint32_t closed;		/* 1: forgetting is on its way */
	uint32_t withdrawn;		/* enum kl_scope that ended, 0: none */
	uint32_t cause;			/* enum kl_cause of it */
	struct kl_msg_id feedback_msg;	/* our last one, or zero */
	uint64_t seq_out, seq_in;	/* last that counted, of each side */
	uint64_t gap_from, gap_to;	/* of theirs: never come; 0: none */
	uint64_t steps;
	uint64_t leaf;
	uint32_t has_leaf;

	int64_t created_ms, sent_ms, delivered_ms, changed_ms;
	int64_t deliver_by_ms, answer_by_ms, expire_at_ms;
	/* deadlines.h: since when each has happened; 0: not yet */
	int64_t seen_ms;		/* desk: in somebody's hands */
	int64_t taken_up_ms, contact_ms, talk_ms, decided_ms;
	int64_t news_ms;		/* last feedback */
	int64_t reopened_ms;
	uint32_t told_steps;		/* feedback counted in news_ms */
	uint32_t raised;		/* 1 << enum deadline: told */

	/* retention.h */
	int64_t ended_ms;		/* over or uncertain since; 0: not */
	int64_t feedback_over_ms;	/* known since; 0: not */
	int64_t handed_ms;		/* desk: the case system has it */
	int64_t kept_from_ms;		/* the end that these count from */
	int64_t copy_until_ms, map_until_ms;
	int64_t announced_ms;		/* that it goes; 0: not */
	uint32_t mapped;		/* 1: only the map is left */
	uint32_t attempts;		/* noted (attempts.h) */
	uint32_t attempts_from;		/* those of before an end */

	char referral_id[JSON_CLIENT_ID_MAX + 1];
	char patient_ref[JSON_PATIENT_REF_MAX + 1];
	struct kl_hash file;		/* of the practice's file */
	uint32_t slot;			/* of all but content */
	uint32_t slot_content;		/* KL_SLOT_NONE: none, or erased */
};

/* Sets conv, number and slot of a new row, which is otherwise filled already;
 * writes it. KL_E_FULL: no slot; errors of the store. */
int cases_make(struct turn *t, struct case_row *c) KL_MUST_CHECK;
/* KL_E_NOT_FOUND, also when it was erased. */
int cases_get(struct turn *t, const struct kl_conv_id *conv,
    struct case_row *out) KL_MUST_CHECK;
int cases_put(struct turn *t, const struct case_row *c) KL_MUST_CHECK;
/* The first one with a number above `after`. KL_E_NOT_FOUND. */
int cases_next(struct turn *t, uint64_t after, struct case_row *out)
    KL_MUST_CHECK;

/* Names of a case. KL_E_NOT_FOUND. */
int cases_by_spoken(struct turn *t, const struct kl_spoken *spoken,
    struct case_row *out) KL_MUST_CHECK;
int cases_by_client(struct turn *t, const char *referral_id,
    struct case_row *out) KL_MUST_CHECK;
int cases_put_client(struct turn *t, const struct case_row *c)
    KL_MUST_CHECK;
/* What the broker says about it with an answer or an item: reference in its
 * log and spoken reference. A spoken reference that is known stays the one
 * that is shown; another one (after a loss at the broker) finds it too.
 * KL_E_VALUE: it differs although the log is the same one. Changes *c. */
int cases_take_names(struct turn *t, struct case_row *c,
    const struct kl_ref *ref, const uint8_t spoken[9]) KL_MUST_CHECK;

/* Adds a step to the history: fills n and at_ms; state is that of the case
 * now. Changes *c, which the caller puts. */
int cases_step(struct turn *t, struct case_row *c, struct engine_step *s)
    KL_MUST_CHECK;
int cases_step_next(struct turn *t, const struct case_row *c, uint64_t after,
    struct engine_step *out) KL_MUST_CHECK;
/* Writes step s->n anew, under the slot that the case has now. */
int cases_step_rewrite(struct turn *t, const struct case_row *c,
    const struct engine_step *s) KL_MUST_CHECK;
/* What this side can show later of the broker's log. */
int cases_keep_logged(struct turn *t, const struct case_row *c,
    const struct kl_logged *l) KL_MUST_CHECK;

/* Packed content. Of a sender both may be there, of a receiver one. */
enum cases_content { CASES_REFERRAL = 1, CASES_CORRECTION = 2 };
/* Takes a slot first if the case has none for content. Changes *c. */
int cases_content_put(struct turn *t, struct case_row *c,
    enum cases_content which, struct kl_bytes packed) KL_MUST_CHECK;
/* Into the arena. KL_E_NOT_FOUND: none, or erased. */
int cases_content_packed(struct turn *t, const struct case_row *c,
    enum cases_content which, struct kl_bytes *out) KL_MUST_CHECK;
/* What counts: the correction if there is one. */
int cases_content(struct turn *t, const struct case_row *c,
    struct kl_referral *out) KL_MUST_CHECK;
/* The last seq of ours that the broker has; passed over if none could follow
 * it, or the conversation would be at an end on the broker's word alone. */
void cases_take_seq_out(struct case_row *c, uint64_t last);
/* One of ours is not on its way any more. */
void cases_settle(struct case_row *c, uint32_t kind);
/* Destroys the key. Changes *c. */
int cases_content_erase(struct turn *t, struct case_row *c) KL_MUST_CHECK;
/* The same unless something that is on its way may need it to be sealed
 * again. */
int cases_content_spent(struct turn *t, struct case_row *c) KL_MUST_CHECK;
/* Everything of it: rows, names, keys. Messages are the outbox's. */
int cases_forget(struct turn *t, struct case_row *c) KL_MUST_CHECK;

/* The practice's copy: what is left is which conversation it was, with whom,
 * and of which patient, under a fresh key. Changes *c. KL_E_FULL besides. */
int cases_reduce(struct turn *t, struct case_row *c) KL_MUST_CHECK;

/* To be called after every change of a case, before it is put: what must
 * happen until when (deadlines.h), and how long it is kept (retention.h).
 * Changes *c. */
int cases_note_end(struct turn *t, struct case_row *c) KL_MUST_CHECK;
bool cases_open(const struct case_row *c);
/* May a message of this kind and level (enum kl_level, 0: it has none) still
 * go or come? KL_C_OK; after a withdrawal KL_C_CONVERSATION_ENDED or, of
 * feedback, KL_C_NO_FEEDBACK_CONSENT. */
uint32_t cases_may(const struct case_row *c, uint32_t kind, uint32_t level);
/* A withdrawal ended this scope: state, as far as it can follow, and what may
 * still go. Changes *c. */
void cases_withdraw(struct case_row *c, uint32_t scope, uint32_t cause);
void cases_view(const struct turn *t, const struct case_row *c,
    struct engine_case *out);

#endif
