/*
 * slot_keys.h: keys of slots that were read lately. What a process does for a
 * message opens and seals under the same few keys many times within a moment;
 * reading each again costs a system call, a MAC and an unwrapping.
 *
 * The owner forgets them all at least every second, so that a key lives in
 * memory hardly longer than the work it is for.
 */
#ifndef KORTELIJN_HOST_SLOT_KEYS_H
#define KORTELIJN_HOST_SLOT_KEYS_H

#include <kortelijn/host/slots.h>

#define KL_SLOT_KEYS 1024	/* held at most, by slot */

/* All zero holds none. */
struct kl_slot_keys {
	struct kl_slot_held {
		uint32_t slot;
		bool held;
		struct kl_slot_key key;
	} at[KL_SLOT_KEYS];
};

/* The key of a slot; *out is lent until the next call of this module. Errors
 * as kl_slots_key. */
int kl_slot_keys_get(struct kl_slot_keys *k, struct kl_slots *s,
    uint32_t slot, const struct kl_slot_key **out) KL_MUST_CHECK;
/* kl_slots_zero, and the key is forgotten. Errors as there. */
int kl_slot_keys_zero(struct kl_slot_keys *k, struct kl_slots *s,
    uint32_t slot) KL_MUST_CHECK;
/* Wipes all of them. */
void kl_slot_keys_forget(struct kl_slot_keys *k);

#endif
