/*
 * slots_priv.h: the slots as their own files see them: slots.c (which slot is
 * in what state), slots_sector.c (what stands in a sector), slots_master.c
 * (the master file), slots_file.c (making and opening both files) and
 * slots_rewrap.c (a new slot file under a new master key).
 */
#ifndef KORTELIJN_HOST_SLOTS_PRIV_H
#define KORTELIJN_HOST_SLOTS_PRIV_H

#include <sys/types.h>

#include <kortelijn/crypto/aead.h>
#include <kortelijn/host/slots.h>

#define SLOTS_SECTOR 512	/* what a disk writes whole */
#define SLOTS_MAX (UINT32_C(1) << 24)
#define SLOTS_MASTER_BYTES 32
#define SLOTS_NAME "slots"
#define SLOTS_NAME_NEW "slots.new"
#define SLOTS_NAME_MASTER "master"

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

struct slot_sector { uint8_t b[SLOTS_SECTOR]; };

/* A slot file and the keys that its master key gives. fd -1: none. */
struct slot_file {
	int fd;
	int direct_fd;		/* the same past the page cache, or -1 */
	uint64_t generation;
	int64_t made_ms;	/* 0: not noted */
	struct kl_secret *wrap_key, *mac_key;
};

struct kl_slots {
	struct slot_file file;	/* the one that counts */
	uint32_t count;
	enum kl_erasure erasure;
	int dir_fd;

	/* the master file */
	int master_fd;
	uint32_t master_at;	/* sector of the key that counts */
	struct kl_secret *secret;	/* seals it; NULL: none */

	/* a rewrap: the new file, its master key, slots written into it */
	struct slot_file fresh;
	struct kl_secret *fresh_master;
	uint32_t fresh_done;

	uint32_t listed[SLOT_LISTS];	/* slots in each list */
	struct slot *slot;	/* count, then the heads of the lists */
};

/* ---- slots.c ---- */

void kl_slots_set(struct kl_slots *s, uint32_t slot, enum slot_state state);
/* What was refilled is synced: it can be taken. */
void kl_slots_refilled_free(struct kl_slots *s);

/* ---- slots_sector.c ---- */

/* KL_E_MEMORY. Keys that were there are freed. */
int kl_slot_file_keys(struct slot_file *f, struct kl_bytes master)
    KL_MUST_CHECK;
/* Closes and frees; f is then none. */
void kl_slot_file_clear(struct slot_file *f);

off_t kl_slot_sector_offset(uint32_t slot);
/* A sector that holds `key`. */
void kl_slot_sector_fill(const struct slot_file *f, uint32_t slot,
    const struct kl_slot_key *key, struct slot_sector *out);
/* SLOT_FREE: it holds a key; SLOT_ZEROED, SLOT_DAMAGED. */
enum slot_state kl_slot_sector_check(const struct slot_file *f, uint32_t slot,
    const struct slot_sector *sector);
/* The key in it. KL_E_NOT_FOUND: zeroed; KL_E_DAMAGED. *out is zero on
 * failure. */
int kl_slot_sector_key(const struct slot_file *f, uint32_t slot,
    const struct slot_sector *sector, struct kl_slot_key *out) KL_MUST_CHECK;

void kl_slot_head_fill(const struct slot_file *f, uint32_t count,
    struct slot_sector *out);
/* Generation, time and count as they stand there. KL_E_DAMAGED: no head. */
int kl_slot_head_read(const struct slot_sector *head, struct slot_file *f,
    uint32_t *count) KL_MUST_CHECK;
/* Under the keys of f. */
bool kl_slot_head_holds(const struct slot_file *f,
    const struct slot_sector *head);

/* ---- slots_master.c ---- */

/* Two sectors with the key of `generation` in the first, sealed under `secret`
 * unless that is NULL. The caller wipes them. */
void kl_slots_master_fill(uint64_t generation, struct kl_bytes master,
    const struct kl_secret *secret, struct slot_sector out[2]);
/* Finds the key of s->file.generation in s->master_fd, derives the keys of
 * s->file from it, brings it into the form that s->secret asks for and zeroes
 * what else is there. Errors of kl_slots_open_with; before an error of the key
 * nothing was written. */
int kl_slots_master_load(struct kl_slots *s, const struct kl_secret *before)
    KL_MUST_CHECK;
/* s->fresh_master into the sector that is free, synced. KL_E_IO,
 * KL_E_FULL. */
int kl_slots_master_add(struct kl_slots *s) KL_MUST_CHECK;
/* Zeroes a sector and syncs. KL_E_IO, KL_E_FULL. */
int kl_slots_master_zero(struct kl_slots *s, uint32_t at) KL_MUST_CHECK;

/* ---- slots_file.c ---- */

/* Opens both files in dir, after making what is not there and ending what a
 * crash interrupted: fills in all of s but the slots. Errors of
 * kl_slots_open_with. */
int kl_slots_file_open(struct kl_slots *s, const char *dir,
    const struct kl_slots_options *o) KL_MUST_CHECK;
/* A new, empty file in s->dir_fd. KL_E_FULL, KL_E_IO. */
int kl_slots_file_new(const struct kl_slots *s, const char *name, int *fd)
    KL_MUST_CHECK;
/* KL_E_FULL for want of room, else KL_E_IO: after a system call failed. */
int kl_slots_file_error(void);

#pragma GCC visibility pop

#endif
