/*
 * profile.h: what a desk tells those who refer to it: how to reach it, what
 * help to expect, what it will not ask. From the JSON that the desk writes to
 * the signed PROFILE, and back to text that people read. PROTOCOL.md 5.6.
 */
#ifndef ADAPTERS_COMMON_PROFILE_H
#define ADAPTERS_COMMON_PROFILE_H

#include <kortelijn/base/arena.h>
#include <kortelijn/domain/list.h>
#include <kortelijn/domain/rules.h>
#include <kortelijn/wire/signed.h>

#include "adapters/common/identity.h"

/* The largest profile as text, with NUL. */
#define PROFILE_TEXT_MAX 16384

/* Where the terms of a profile stand in its response_terms. */
enum profile_term {
	PROFILE_TAKE_UP, PROFILE_FIRST_CONTACT, PROFILE_FIRST_TALK,
	PROFILE_CRISIS_FIRST_TALK, PROFILE_DECISION, PROFILE_TERMS,
};

/*
 * Reads deploy/schemas/profile.schema.json. *p and *d point into the arena; of
 * *p owner, signer and details are left empty. KL_E_REFUSED: `why` has code
 * and place; KL_E_MEMORY.
 */
int profile_read(struct kl_bytes json, struct kl_arena *mem,
    struct kl_profile *p, struct kl_profile_details *d,
    struct kl_finding *why) KL_MUST_CHECK;
/* Signs it as id's: a packed Signed in the arena. KL_E_SIZE: all texts
 * together are too long; KL_E_VALUE; KL_E_MEMORY; KL_E_SYSTEM. */
int profile_sign(const struct identity *id, const struct kl_profile *p,
    const struct kl_profile_details *d, struct kl_arena *mem,
    struct kl_bytes *out) KL_MUST_CHECK;
/* Lines "Label: value" and paragraphs, with NUL. KL_E_SIZE. */
int profile_text(const struct kl_profile *p,
    const struct kl_profile_details *d, enum kl_lang lang, char *out,
    size_t cap, size_t *n) KL_MUST_CHECK;

#endif
