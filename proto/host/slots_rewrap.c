/* A new slot file under a new master key, slice by slice. */
#include "proto/host/slots_priv.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <kortelijn/host/fs.h>

#define BATCH 64		/* sectors read and written at once */

static bool
running(const struct kl_slots *s)
{
	return s->fresh.fd >= 0;
}

/* The new master key was never on a disk, or its sector is zeroed: what was
 * written under it opens no more. */
static void
fresh_drop(struct kl_slots *s)
{
	kl_slot_file_clear(&s->fresh);
	kl_secret_free(s->fresh_master);
	s->fresh_master = NULL;
	s->fresh_done = 0;
	/* One that stays is removed by the next open. */
	(void)unlinkat(s->dir_fd, SLOTS_NAME_NEW, 0);
}

void
kl_slots_rewrap_stop(struct kl_slots *s)
{
	if (running(s))
		fresh_drop(s);
}

static int
given_up(struct kl_slots *s, int r)
{
	kl_slots_rewrap_stop(s);
	return r;
}

static int
fresh_open(struct kl_slots *s)
{
	struct slot_sector head;
	int r;

	if ((r = kl_slots_file_new(s, SLOTS_NAME_NEW, &s->fresh.fd)) != KL_OK)
		return r;
	kl_slot_head_fill(&s->fresh, s->count, &head);
	if ((r = kl_fs_pwrite(s->fresh.fd, &head, SLOTS_SECTOR, 0)) != KL_OK)
		return r;
	/* The file system was asked at the start; a sandbox may hide it now.
	 * Without a way past the page cache there is none here either. */
	s->fresh.direct_fd = openat(s->dir_fd, SLOTS_NAME_NEW,
	    O_RDONLY | O_DIRECT | O_CLOEXEC | O_NOFOLLOW);
	return KL_OK;
}

int
kl_slots_rewrap_begin(struct kl_slots *s, int64_t now_ms)
{
	int r = KL_E_MEMORY;

	if (running(s))
		return KL_E_EXISTS;
	s->fresh_done = 0;
	s->fresh.generation = s->file.generation + 1;
	s->fresh.made_ms = now_ms;
	s->fresh_master = kl_secret_random(SLOTS_MASTER_BYTES);
	if (s->fresh_master != NULL)
		r = kl_slot_file_keys(&s->fresh,
		    kl_secret_bytes(s->fresh_master));
	if (r == KL_OK)
		r = fresh_open(s);
	if (r == KL_OK)
		return KL_OK;
	fresh_drop(s);
	return r;
}

/* The sector of the new file for one of the old. A zeroed slot gets its new
 * key in both, so that they say the same until one of them goes; a damaged one
 * stays so. */
static int
copy_one(struct kl_slots *s, uint32_t slot, const struct slot_sector *old,
    struct slot_sector *out)
{
	struct kl_slot_key key;
	int r = kl_slot_sector_key(&s->file, slot, old, &key);

	if (r == KL_E_DAMAGED) {
		*out = *old;
		return KL_OK;
	}
	if (r == KL_E_NOT_FOUND) {
		kl_random(&key, sizeof key);
		kl_slot_sector_fill(&s->file, slot, &key, out);
		r = kl_fs_pwrite(s->file.fd, out, SLOTS_SECTOR,
		    kl_slot_sector_offset(slot));
		if (r == KL_OK)
			kl_slots_set(s, slot, SLOT_REFILLED);
	}
	kl_slot_sector_fill(&s->fresh, slot, &key, out);
	kl_wipe(&key, sizeof key);
	return r;
}

static int
copy_batch(struct kl_slots *s, uint32_t n)
{
	struct slot_sector old[BATCH], copy[BATCH];
	const off_t at = kl_slot_sector_offset(s->fresh_done);
	int r;

	if ((r = kl_fs_pread(s->file.fd, old, (size_t)n * SLOTS_SECTOR, at)) !=
	    KL_OK)
		return r;
	for (uint32_t i = 0; i < n; i++) {
		r = copy_one(s, s->fresh_done + i, &old[i], &copy[i]);
		if (r != KL_OK)
			return r;
	}
	r = kl_fs_pwrite(s->fresh.fd, copy, (size_t)n * SLOTS_SECTOR, at);
	if (r == KL_OK)
		s->fresh_done += n;
	return r;
}

int
kl_slots_rewrap_step(struct kl_slots *s, uint32_t max)
{
	int r = KL_OK;

	assert(running(s));
	while (max > 0 && r == KL_OK && s->fresh_done < s->count) {
		uint32_t n = s->count - s->fresh_done;

		n = n < BATCH ? n : BATCH;
		n = n < max ? n : max;
		r = copy_batch(s, n);
		max -= n;
	}
	/* Slice by slice: all at once at the end would hold up a turn. */
	if (r == KL_OK && fdatasync(s->fresh.fd) != 0)
		r = kl_slots_file_error();
	return r != KL_OK ? given_up(s, r) : (int)(s->count - s->fresh_done);
}

/* The new file counts, in memory as on the disk. */
static void
fresh_take(struct kl_slots *s)
{
	struct slot_file old = s->file;

	s->file = s->fresh;
	s->fresh = (struct slot_file){ .fd = -1, .direct_fd = -1 };
	kl_slot_file_clear(&old);
	kl_secret_free(s->fresh_master);
	s->fresh_master = NULL;
	s->fresh_done = 0;
	s->master_at = 1 - s->master_at;
	kl_slots_refilled_free(s);
}

int
kl_slots_rewrap_finish(struct kl_slots *s)
{
	int r;

	assert(running(s));
	if (s->fresh_done < s->count)
		return KL_E_AGAIN;
	if (fsync(s->fresh.fd) != 0)
		return given_up(s, kl_slots_file_error());
	if ((r = kl_slots_master_add(s)) != KL_OK ||
	    renameat(s->dir_fd, SLOTS_NAME_NEW, s->dir_fd, SLOTS_NAME) != 0) {
		r = r != KL_OK ? r : KL_E_IO;
		/* The new key may be on the disk by now. */
		if (kl_slots_master_zero(s, 1 - s->master_at) != KL_OK)
			r = KL_E_COMMIT;
		return given_up(s, r);
	}
	/* The commit. From here on only the new file has a name. */
	if (fsync(s->dir_fd) != 0 ||
	    kl_slots_master_zero(s, s->master_at) != KL_OK)
		return KL_E_COMMIT;
	fresh_take(s);
	return KL_OK;
}

struct kl_slots_progress
kl_slots_rewrap_progress(const struct kl_slots *s)
{
	return (struct kl_slots_progress){ .running = running(s),
		.done = s->fresh_done, .total = s->count };
}
