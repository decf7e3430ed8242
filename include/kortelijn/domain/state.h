/*
 * state.h: the states of a referral, what may follow what, and what a level
 * of feedback shows of it.
 *
 * Pure tables. Codes are numbers of the protocol and are never given anew.
 * PROTOCOL.md 8.15, 8.16.
 */
#ifndef KORTELIJN_DOMAIN_STATE_H
#define KORTELIJN_DOMAIN_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kortelijn/base/types.h>

enum kl_state {
	KL_ST_DRAFT = 1,	/* never leaves the practice */
	KL_ST_SENT = 2,
	KL_ST_UNCERTAIN = 3,
	KL_ST_DELIVERED = 4,
	KL_ST_TAKEN_UP = 5,
	KL_ST_CONTACT_DETAILS_WANTED = 6,
	KL_ST_CONTACT_ATTEMPTED = 7,
	KL_ST_CONTACT_MADE = 8,
	KL_ST_MEETING_PLANNED = 9,
	KL_ST_INTAKE_STARTED = 10,
	KL_ST_HELP_STARTED = 11,
	KL_ST_WAITING_WITH_SUPPORT = 12,
	KL_ST_REFERRED_ON_KEEPING_LEAD = 13,
	KL_ST_PLAN_READY = 14,
	KL_ST_STABILISATION = 15,
	KL_ST_SETTLEMENT = 16,
	KL_ST_AFTERCARE = 17,
	/* ends */
	KL_ST_COMPLETED = 18,
	KL_ST_REFERRED_ON = 19,
	KL_ST_NO_HELP_NEEDED = 20,
	KL_ST_NOT_REACHED = 21,
	KL_ST_WITHDRAWN_BY_RESIDENT = 22,
	KL_ST_NOT_ADMITTED = 23,
	KL_ST_NOT_TAKEN_ON = 24,
	KL_ST_CONSENT_WITHDRAWN = 25,
	KL_ST_SENT_IN_ERROR = 26,
	KL_ST_EXPIRED = 27,
	KL_ST_CLOSED = 28,
#if KL_SCHEMA_MAX >= 2
	/* Content schema 2 exists in tests only. */
	KL_ST_BUDGET_COURSE = 29,
#endif
};

#define KL_RANK_END (-1)
/* In struct kl_state_row: the milestone stays what it was, taken_up if there
 * was none. */
#define KL_MS_AS_BEFORE ((enum kl_milestone)0)

struct kl_state_row {
	uint32_t code;
	const char *name;	/* in JSON and documents */
	const char *nl, *en;	/* label */
	const char *gp_nl;	/* one sentence for the practice */
	const char *desk_nl;	/* one sentence for the desk */
	const char *term;	/* DDAS or GGM, "none" if there is none */
	const char *task;	/* FHIR Task.status, "none" */
	int rank;		/* KL_RANK_END for ends */
	uint32_t level;		/* lowest enum kl_level that sees it, 0: none */
	uint32_t collapse;	/* shown below that level, 0: nothing */
	enum kl_milestone milestone;
	bool system;		/* made by broker and adapters, not sent */
	uint32_t since;		/* content schema that brought it */
	uint32_t collapse_schema; /* shown to an older schema, 0: nothing */
};

/* NULL for a code that is not in the list. */
const struct kl_state_row *kl_state_row(uint32_t code);
/* The i-th row, NULL past the end. */
const struct kl_state_row *kl_state_at(size_t i);
/* 0 for a name that is not in the list. */
uint32_t kl_state_read(const char *name);

/* "?" for a code that is not in the list. */
const char *kl_state_name(uint32_t code);
bool kl_state_end(uint32_t code);
/* May stand in a FEEDBACK. */
bool kl_state_sendable(uint32_t code);
/* Content schema that brought the code; 0 for a code not in the list. */
uint32_t kl_state_since(uint32_t code);
/* The milestone after `code`, if it was `before`. */
enum kl_milestone kl_state_milestone(uint32_t code,
    enum kl_milestone before);
/* A milestone never falls, and returned follows none or taken_up only. */
bool kl_milestone_may_follow(enum kl_milestone before,
    enum kl_milestone after);

/*
 * What a receiver sees of `code` at `level` (enum kl_level) who reads content
 * schema `schema`: the code itself, what it collapses to, or 0: nothing.
 */
uint32_t kl_state_collapse(uint32_t code, uint32_t level, uint32_t schema);

/* What else decides whether a step is legal. */
struct kl_step {
	enum kl_milestone milestone;	/* reached so far */
	uint32_t level;		/* of collapsed codes; 0: codes in full */
	bool reopened;		/* not_reached was reopened before */
	bool corrected;		/* a CORRECTION came since the last step */
	bool other_wanted;	/* contact_details_wanted asks for another */
};

/* The table of transitions alone, without the milestones. */
bool kl_state_in_table(uint32_t from, uint32_t to, const struct kl_step *s);
/* The table and the milestones above it. */
bool kl_state_may_follow(uint32_t from, uint32_t to,
    const struct kl_step *s);

#endif
