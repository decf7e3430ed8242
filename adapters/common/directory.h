/*
 * directory.h: what the broker's directory says about others, verified here:
 * cards and revocations by the pinned authority, prekeys and profiles by the
 * card of their owner. In memory, with a copy in the store.
 */
#ifndef ADAPTERS_COMMON_DIRECTORY_H
#define ADAPTERS_COMMON_DIRECTORY_H

#include <stdbool.h>

#include <kortelijn/wire/signed.h>

#include "adapters/common/store.h"

struct directory;

/* One card as it is needed here. */
struct directory_card {
	struct kl_id id;
	uint32_t role;
	uint8_t serial[16];
	struct kl_key_id key_id;
	struct kl_sign_pk sign_pk;
	int64_t not_before_ms, not_after_ms;
	int64_t revoked_ms;		/* 0: not */
	struct kl_id succeeds;		/* zero: nobody */
	int64_t succeeds_from_ms;
	char name[101];
};

struct directory_prekey {
	struct kl_id owner;
	struct kl_key_id signer_key_id;
	struct kl_dh_pk pk;
	int64_t not_before_ms, not_after_ms;
	uint32_t schema_min, schema_max;
};

/* authority and realm are pinned. NULL: no memory. */
struct directory *directory_new(const struct kl_sign_pk *authority,
    uint32_t realm);
/* Accepts NULL. */
void directory_free(struct directory *d);

/* Reads what the store holds. KL_E_MEMORY, errors of the store. */
int directory_load(struct directory *d, struct store *s,
    struct kl_arena *mem) KL_MUST_CHECK;

/* Takes one entry of a page into memory and store. KL_E_SIGNATURE: does not
 * verify, so is ignored and an alarm; KL_E_FORMAT: no such statement;
 * KL_E_VALUE: other realm; KL_E_MEMORY; errors of the store. */
int directory_take(struct directory *d, struct store *s, struct kl_arena *mem,
    uint32_t statement, struct kl_bytes packed) KL_MUST_CHECK;

/* The card of id with that key, revoked or not; NULL: unknown. Borrowed until
 * the next take. */
const struct directory_card *directory_card(const struct directory *d,
    const struct kl_id *id, const struct kl_key_id *key);
/* The newest card of id that is valid and not revoked at `at_ms`. */
const struct directory_card *directory_valid(const struct directory *d,
    const struct kl_id *id, int64_t at_ms);
/* Any card of id, for its name. */
const struct directory_card *directory_any(const struct directory *d,
    const struct kl_id *id);
bool directory_card_valid(const struct directory_card *c, int64_t at_ms);

/* The prekey of owner whose week holds `at_ms`. NULL: none known. */
const struct directory_prekey *directory_prekey(const struct directory *d,
    const struct kl_id *owner, int64_t at_ms);

/* The profile of owner, views into the arena. KL_E_NOT_FOUND, KL_E_MEMORY,
 * KL_E_DAMAGED; errors of the store. */
int directory_profile(struct store *s, struct kl_arena *mem,
    const struct kl_id *owner, struct kl_profile *out,
    struct kl_profile_details *details) KL_MUST_CHECK;

size_t directory_cards(const struct directory *d);
/* The i-th card; i is below directory_cards. */
const struct directory_card *directory_at(const struct directory *d,
    size_t i);

#endif
