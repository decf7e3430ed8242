/*
 * json_desk.h: what a desk's case system hands in besides feedback: an attempt
 * to reach the resident, that it has taken a referral over, and what became of
 * one that it was asked to erase.
 * deploy/schemas describes the same.
 */
#ifndef ADAPTERS_COMMON_JSON_DESK_H
#define ADAPTERS_COMMON_JSON_DESK_H

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/err.h>
#include <kortelijn/base/types.h>
#include <kortelijn/domain/feedback.h>
#include <kortelijn/domain/rules.h>

enum json_desk_kind {
	JSON_DESK_ATTEMPT = 1, JSON_DESK_HANDED_OVER = 2,
	JSON_DESK_ERASED = 3,
};

struct json_desk_file {
	uint32_t schema;
	enum json_desk_kind kind;
	struct kl_spoken reference;
	struct kl_attempt attempt;	/* day 0: today */
	uint32_t case_system;		/* enum kl_erase_outcome */
};

/* Is it one of these? By a member that no other file has; what cannot be read
 * is none. */
bool json_desk_is(struct kl_bytes in);
/* KL_OK, or KL_E_REFUSED: `why` holds code and JSON pointer: json, bsn,
 * schema, field_unknown, field_missing, field_value; *out is wiped.
 * KL_E_MEMORY. */
int json_desk_read(struct kl_bytes in, struct json_desk_file *out,
    struct kl_finding *why) KL_MUST_CHECK;

#endif
