/*
 * registry_priv.h: the registry as its own files see it: registry.c (who takes
 * part, in memory) and registry_store.c (the directory in the store).
 */
#ifndef CORE_REGISTRY_PRIV_H
#define CORE_REGISTRY_PRIV_H

#include "broker/core/registry.h"

/* A statement of the directory, opened but not verified. */
struct registry_entry {
	uint32_t statement;
	struct kl_signed s;
	union {
		struct kl_card card;
		struct kl_revocation revocation;
		struct kl_prekey prekey;
		struct kl_profile profile;
	} u;
};

/* Takes up what was verified once. KL_E_FULL, KL_E_MEMORY; KL_E_DAMAGED: of
 * nobody who is known. */
int registry_take_up(struct registry *r, const struct registry_entry *o,
    uint64_t number) KL_MUST_CHECK;
/* Why the card of this serial was revoked, 0: it was not. */
uint32_t registry_revoked(const struct registry *r,
    const uint8_t serial[16]);
/* What the store remembers of p, if anything. KL_E_DAMAGED. */
int registry_load_participant(struct kl_kv_txn *txn, struct participant *p)
    KL_MUST_CHECK;

#endif
