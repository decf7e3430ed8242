/*
 * slots_priv.h: the slots as their own files see them: slots.c (which slot is
 * in what state) and slots_file.c (the two files).
 */
#ifndef KORTELIJN_HOST_SLOTS_PRIV_H
#define KORTELIJN_HOST_SLOTS_PRIV_H

#include <sys/types.h>

#include <kortelijn/crypto/aead.h>
#include <kortelijn/host/slots.h>

#define SLOTS_SECTOR 512	/* what a disk writes whole */
#define SLOTS_MAX (UINT32_C(1) << 24)
#define SLOTS_WRAP_BYTES (sizeof(struct kl_slot_key) + KL_AEAD_EXTRA)

/* No part of the library's interface. */
#pragma GCC visibility push(hidden)

enum slot_state {
	SLOT_FREE,		/* has a synced key that nobody took */
	SLOT_ZEROED,		/* waits for a new key */
	SLOT_REFILLED,		/* has a key that is not synced yet */
	SLOT_LISTS,		/* states below are on no list */
	SLOT_USED = SLOT_LISTS,
	SLOT_DAMAGED,
};

struct slot {
	uint32_t prev, next;	/* in the list of its state */
	uint8_t state;
};

struct kl_slots {
	int fd;
	int direct_fd;		/* the same file past the page cache, or -1 */
	uint32_t count;
	uint64_t generation;
	struct kl_secret *wrap_key;
	struct kl_secret *mac_key;
	uint32_t listed[SLOT_LISTS];	/* slots in each list */
	struct slot *slot;	/* count, then the heads of the lists */
};

struct slot_sector { uint8_t b[SLOTS_SECTOR]; };

/* Opens both files in dir, after making what is not there and ending what a
 * crash interrupted: fills in fd, direct_fd, count, generation and keys. Errors
 * of kl_slots_open. */
int kl_slots_file_open(struct kl_slots *s, const char *dir, uint32_t count,
    enum kl_erasure erasure) KL_MUST_CHECK;

off_t kl_slots_file_offset(uint32_t slot);
/* A sector with a new key. */
void kl_slots_file_fill(const struct kl_slots *s, uint32_t slot,
    struct slot_sector *out);
/* SLOT_FREE: it holds a key; SLOT_ZEROED, SLOT_DAMAGED. */
enum slot_state kl_slots_file_check(const struct kl_slots *s, uint32_t slot,
    const struct slot_sector *sector);
/* What a wrapped key is bound to; points into *ad. */
struct slot_ad { uint8_t b[32]; };
struct kl_bytes kl_slots_file_ad(const struct kl_slots *s, uint32_t slot,
    struct slot_ad *ad);

#pragma GCC visibility pop

#endif
