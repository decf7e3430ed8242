/*
 * slots.h: a file of keys that can really be destroyed.
 *
 * LMDB cannot forget, so everything whose erasure matters is encrypted under
 * a key in a slot of this file: fixed size, really written, one slot per
 * 512-byte sector, overwritten in place. Slots are provisioned ahead: a key
 * that is taken was synced before, so taking one writes nothing; its number
 * becomes durable with the caller's commit. Keys are wrapped under a master
 * key in a small file of its own beside it.
 */
#ifndef KORTELIJN_HOST_SLOTS_H
#define KORTELIJN_HOST_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include <kortelijn/base/bytes.h>
#include <kortelijn/crypto/secret.h>

#define KL_SLOT_NONE UINT32_MAX

struct kl_slots;

enum kl_erasure {
	KL_ERASURE_VERIFIED,	/* refuses file systems that keep old blocks */
	KL_ERASURE_BEST_EFFORT,
};

struct kl_slot_key { uint8_t b[32]; };	/* wipe after use */

/* Opens DIR/slots and DIR/master, or makes both with `count` slots when
 * neither is there (mode 0600, random keys, synced).
 * KL_E_DENIED: VERIFIED was asked and the file system keeps old blocks
 * (btrfs, zfs, overlay, data=journal), or a file is readable by others;
 * KL_E_DAMAGED: one of the two files is missing, or does not verify (a single
 * broken slot does not stop the start, see kl_slots_key); KL_E_VALUE: count is
 * 0 or above 2^24; KL_E_FULL; KL_E_IO; KL_E_MEMORY. `count` is not asked when
 * the files are there. A crash in the middle is finished by the next open. */
int kl_slots_open(const char *dir, uint32_t count, enum kl_erasure erasure,
    struct kl_slots **out) KL_MUST_CHECK;
/* Accepts NULL. */
void kl_slots_close(struct kl_slots *s);

uint32_t kl_slots_count(const struct kl_slots *s);
/* After open every slot with a key counts as free: the caller marks the ones
 * that its store refers to. KL_E_VALUE: no such slot; KL_E_DAMAGED: it has no
 * key. */
int kl_slots_mark_used(struct kl_slots *s, uint32_t slot) KL_MUST_CHECK;
/* Takes the next free slot. KL_E_FULL: none left. Undo with give_back when
 * the caller's transaction was not committed. */
int kl_slots_take(struct kl_slots *s, uint32_t *slot) KL_MUST_CHECK;
void kl_slots_give_back(struct kl_slots *s, uint32_t slot);
/* The key of a slot. KL_E_NOT_FOUND: zeroed; KL_E_DAMAGED; KL_E_VALUE: no such
 * slot; KL_E_IO. *out is zero on failure. */
int kl_slots_key(struct kl_slots *s, uint32_t slot, struct kl_slot_key *out)
    KL_MUST_CHECK;

/* Overwrites the slot with zeros; durable only after kl_slots_sync. Zeroing
 * twice is no error. KL_E_VALUE, KL_E_IO. */
int kl_slots_zero(struct kl_slots *s, uint32_t slot) KL_MUST_CHECK;
/* One fdatasync for all zeroed and refilled slots. KL_E_COMMIT: the process
 * must end. */
int kl_slots_sync(struct kl_slots *s) KL_MUST_CHECK;
/* Reads the slot back from the device, past the page cache where the file
 * system allows. KL_E_DAMAGED: it is not all zero; KL_E_VALUE, KL_E_IO. */
int kl_slots_verify_zero(struct kl_slots *s, uint32_t slot) KL_MUST_CHECK;
/* New keys for at most `max` zeroed slots; they can be taken after the next
 * sync. Only when the store refers to no zeroed slot any more: one whose turn
 * was undone is zeroed again, and must not have got another owner meanwhile.
 * Answers how many, or KL_E_IO. */
int kl_slots_refill(struct kl_slots *s, uint32_t max) KL_MUST_CHECK;
uint32_t kl_slots_free(const struct kl_slots *s);
uint32_t kl_slots_zeroed(const struct kl_slots *s);

#endif
