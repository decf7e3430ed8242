/*
 * slots.h: a file of keys that can really be destroyed.
 *
 * LMDB cannot forget, so everything whose erasure matters is encrypted under
 * a key in a slot of this file: fixed size, really written, one slot per
 * 512-byte sector, overwritten in place. Slots are provisioned ahead: a key
 * that is taken was synced before, so taking one writes nothing; its number
 * becomes durable with the caller's commit. Keys are wrapped under a master
 * key in a small file of its own beside it, which may be sealed in turn under
 * a secret that lies elsewhere. A rewrap writes the file anew under a new
 * master key and destroys the old one: then also blocks that a disk has kept
 * of zeroed slots open no more.
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

struct kl_slots_options {
	uint32_t count;			/* of new files */
	enum kl_erasure erasure;
	const struct kl_secret *secret;	/* 32 bytes, seals the master key; NULL:
					 * it lies in clear beside the slots */
	const struct kl_secret *secret_before;	/* opens it too; or NULL */
	int64_t now_ms;			/* of new files; 0: not noted */
};

/* Opens DIR/slots and DIR/master, or makes both with `count` slots when
 * neither is there (mode 0600, random keys, synced). A master key that is not
 * sealed as asked is sealed anew, or laid open when `secret` is NULL.
 * KL_E_DENIED: VERIFIED was asked and the file system keeps old blocks
 * (btrfs, zfs, overlay, data=journal), or a file is readable by others;
 * KL_E_NOT_FOUND: the master key is sealed, and no secret was given;
 * KL_E_SIGNATURE: it is sealed under another secret;
 * KL_E_DAMAGED: one of the two files is missing, or does not verify (a single
 * broken slot does not stop the start, see kl_slots_key); KL_E_VALUE: count is
 * 0 or above 2^24; KL_E_FULL; KL_E_IO; KL_E_MEMORY. `count` is not asked when
 * the files are there. A crash in the middle is finished by the next open, a
 * rewrap that was not committed is undone. */
int kl_slots_open_with(const char *dir, const struct kl_slots_options *o,
    struct kl_slots **out) KL_MUST_CHECK;
/* The same without secrets. */
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
/* The master key is sealed under a secret that lies elsewhere. */
bool kl_slots_sealed(const struct kl_slots *s);
/* When the file of now was begun, new or by a rewrap; 0: not noted. */
int64_t kl_slots_made_ms(const struct kl_slots *s);

/*
 * Rewrap: begin, steps between turns, finish. What is zeroed or refilled
 * meanwhile is so in both files; a new file that cannot be written is given
 * up, and the old one goes on. Until finish the new master key is on no disk.
 */

/* KL_E_EXISTS: one is running; KL_E_FULL, KL_E_IO, KL_E_MEMORY: nothing was
 * begun. */
int kl_slots_rewrap_begin(struct kl_slots *s, int64_t now_ms) KL_MUST_CHECK;
/* Copies at most `max` slots, synced, and gives zeroed ones new keys, on the
 * terms of kl_slots_refill. Answers how many are left to copy, or KL_E_FULL,
 * KL_E_IO: given up. Only while one is running. */
int kl_slots_rewrap_step(struct kl_slots *s, uint32_t max) KL_MUST_CHECK;
/* Commits the new file and destroys the old master key. KL_E_AGAIN: slots are
 * left to copy; KL_E_FULL, KL_E_IO: given up; KL_E_COMMIT: the process must
 * end, the next open finishes it. Only while one is running. */
int kl_slots_rewrap_finish(struct kl_slots *s) KL_MUST_CHECK;
/* Gives up one that is running. */
void kl_slots_rewrap_stop(struct kl_slots *s);
struct kl_slots_progress {
	bool running;
	uint32_t done, total;
};
struct kl_slots_progress kl_slots_rewrap_progress(const struct kl_slots *s);

#endif
