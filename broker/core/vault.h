/*
 * vault.h: values sealed under keys that really die, and the keyed hashes by
 * which ids are looked up.
 */
#ifndef CORE_VAULT_H
#define CORE_VAULT_H

#include <kortelijn/base/arena.h>
#include <kortelijn/crypto/hash.h>
#include <kortelijn/host/slot_keys.h>

#define VAULT_TURN_MAX 512	/* slots that one turn may take */

struct vault {
	struct kl_slots *slots;			/* owned */
	struct kl_slot_key index_key;
	uint32_t taken[VAULT_TURN_MAX];		/* in this turn */
	size_t n_taken;
	uint32_t broken;	/* slots that were in use, found at the start */
	struct kl_slot_keys keys;
	struct kl_random_pool random;		/* nonces, salts */
};

void vault_clear(struct vault *v);
/* A slot for this turn. KL_E_FULL: answer "try later". */
int vault_take(struct vault *v, uint32_t *slot) KL_MUST_CHECK;
/* Wipes the keys that were read: at least every second. */
void vault_forget_keys(struct vault *v);
/* The turn was committed: what it took is used for good. */
void vault_keep_taken(struct vault *v);
/* The turn was undone: what it took is free again. */
void vault_undo_taken(struct vault *v);

/* Destroys a key: durable after kl_slots_sync. Errors as kl_slots_zero. */
int vault_zero(struct vault *v, uint32_t slot) KL_MUST_CHECK;

/* Sealed under the key of `slot`, bound to table and key; *out in the arena.
 * KL_E_NOT_FOUND: the slot was zeroed; KL_E_DAMAGED; KL_E_MEMORY; KL_E_IO. */
int vault_seal(struct vault *v, uint32_t slot, char table,
    struct kl_bytes key, struct kl_bytes plain, struct kl_arena *mem,
    struct kl_bytes *out) KL_MUST_CHECK;
int vault_open(struct vault *v, uint32_t slot, char table,
    struct kl_bytes key, struct kl_bytes sealed, struct kl_arena *mem,
    struct kl_bytes *out) KL_MUST_CHECK;

/* BLAKE2b-128 of table and id under the store's index key. */
struct kl_tag vault_tag(const struct vault *v, char table,
    struct kl_bytes id);

/* Key of a row that lives and dies with a slot. Slots are taken in order, so
 * new rows stand side by side. Points into buf. */
struct kl_bytes vault_slot_key(uint8_t buf[4], uint32_t slot);

#endif
