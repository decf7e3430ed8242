#include <kortelijn/host/slots.h>

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/host/fs.h>

#include "proto/host/slots_priv.h"

#define DIRECT_BLOCK 4096	/* what reads past the page cache align to */
#define LOAD_SECTORS 64		/* read at once when all are */

/* ---- lists ---- */

static void
list_add_between(struct kl_slots *s, uint32_t i, uint32_t prev, uint32_t next)
{
	s->slot[i].prev = prev;
	s->slot[i].next = next;
	s->slot[prev].next = i;
	s->slot[next].prev = i;
}

static void
list_remove(struct kl_slots *s, uint32_t i)
{
	struct slot *slot = &s->slot[i];

	if (slot->state >= SLOT_LISTS)
		return;
	s->slot[slot->prev].next = slot->next;
	s->slot[slot->next].prev = slot->prev;
	s->listed[slot->state]--;
}

void
kl_slots_set(struct kl_slots *s, uint32_t i, enum slot_state state)
{
	list_remove(s, i);
	s->slot[i].state = (uint8_t)state;
	if (state < SLOT_LISTS) {
		uint32_t head = s->count + state;

		list_add_between(s, i, s->slot[head].prev, head);
		s->listed[state]++;
	}
}

static uint32_t
list_first(const struct kl_slots *s, enum slot_state state)
{
	uint32_t i = s->slot[s->count + state].next;

	return i < s->count ? i : KL_SLOT_NONE;
}

static int
lists_new(struct kl_slots *s)
{
	const size_t n = (size_t)s->count + SLOT_LISTS;

	if ((s->slot = calloc(n, sizeof s->slot[0])) == NULL)
		return KL_E_MEMORY;
	for (uint32_t i = 0; i < s->count; i++)
		s->slot[i].state = SLOT_DAMAGED;
	for (uint32_t i = s->count; i < n; i++)
		s->slot[i] = (struct slot){ .prev = i, .next = i };
	return KL_OK;
}

/* ---- opening ---- */

/* Many sectors at a time: a start reads them all. */
static int
slots_load(struct kl_slots *s)
{
	struct slot_sector sector[LOAD_SECTORS];
	uint32_t n;
	int r;

	if ((r = lists_new(s)) != KL_OK)
		return r;
	for (uint32_t i = 0; i < s->count; i += n) {
		n = s->count - i < LOAD_SECTORS ? s->count - i : LOAD_SECTORS;
		r = kl_fs_pread(s->file.fd, sector, (size_t)n * SLOTS_SECTOR,
		    kl_slot_sector_offset(i));
		if (r != KL_OK)
			return r;
		for (uint32_t j = 0; j < n; j++)
			kl_slots_set(s, i + j, kl_slot_sector_check(
			    &s->file, i + j, &sector[j]));
	}
	return KL_OK;
}

/* The process before may have died between a write and its sync. What reads as
 * a free slot then, or under a name, must stay so when the power goes. */
static int
made_durable(const struct kl_slots *s)
{
	return fdatasync(s->file.fd) == 0 && fsync(s->dir_fd) == 0 ? KL_OK :
	    kl_slots_file_error();
}

int
kl_slots_open_with(const char *dir, const struct kl_slots_options *o,
    struct kl_slots **out)
{
	struct kl_slots *s;
	int r;

	*out = NULL;
	if (o->count == 0 || o->count > SLOTS_MAX)
		return KL_E_VALUE;
	if ((s = calloc(1, sizeof *s)) == NULL)
		return KL_E_MEMORY;
	s->dir_fd = s->master_fd = -1;
	s->file.fd = s->file.direct_fd = -1;
	s->fresh.fd = s->fresh.direct_fd = -1;
	if ((r = kl_slots_file_open(s, dir, o)) != KL_OK ||
	    (r = slots_load(s)) != KL_OK ||
	    (r = made_durable(s)) != KL_OK) {
		kl_slots_close(s);
		return r;
	}
	*out = s;
	return KL_OK;
}

int
kl_slots_open(const char *dir, uint32_t count, enum kl_erasure erasure,
    struct kl_slots **out)
{
	const struct kl_slots_options o = { .count = count,
		.erasure = erasure };

	return kl_slots_open_with(dir, &o, out);
}

void
kl_slots_close(struct kl_slots *s)
{
	if (s == NULL)
		return;
	kl_slots_rewrap_stop(s);
	kl_slot_file_clear(&s->file);
	if (s->master_fd >= 0)
		(void)close(s->master_fd);
	if (s->dir_fd >= 0)
		(void)close(s->dir_fd);
	kl_secret_free(s->secret);
	free(s->slot);
	free(s);
}

/* ---- use ---- */

uint32_t
kl_slots_count(const struct kl_slots *s)
{
	return s->count;
}

int
kl_slots_mark_used(struct kl_slots *s, uint32_t slot)
{
	if (slot >= s->count)
		return KL_E_VALUE;
	if (s->slot[slot].state != SLOT_FREE &&
	    s->slot[slot].state != SLOT_USED)
		return KL_E_DAMAGED;
	kl_slots_set(s, slot, SLOT_USED);
	return KL_OK;
}

int
kl_slots_take(struct kl_slots *s, uint32_t *slot)
{
	*slot = list_first(s, SLOT_FREE);
	if (*slot == KL_SLOT_NONE)
		return KL_E_FULL;
	kl_slots_set(s, *slot, SLOT_USED);
	return KL_OK;
}

void
kl_slots_give_back(struct kl_slots *s, uint32_t slot)
{
	const uint32_t head = s->count + SLOT_FREE;

	assert(slot < s->count);
	if (s->slot[slot].state != SLOT_USED)
		return;
	/* In front: what was not committed is taken again. */
	s->slot[slot].state = SLOT_FREE;
	list_add_between(s, slot, head, s->slot[head].next);
	s->listed[SLOT_FREE]++;
}

int
kl_slots_key(struct kl_slots *s, uint32_t slot, struct kl_slot_key *out)
{
	struct slot_sector sector;
	int r;

	memset(out, 0, sizeof *out);
	if (slot >= s->count)
		return KL_E_VALUE;
	if ((r = kl_fs_pread(s->file.fd, &sector, SLOTS_SECTOR,
	    kl_slot_sector_offset(slot))) != KL_OK)
		return r;
	return kl_slot_sector_key(&s->file, slot, &sector, out);
}

/* The same into the new file, where a rewrap has written the slot: it must
 * never have a key that this one has not. `key` NULL: zeros. A new file that
 * cannot be written is given up. */
static void
fresh_put(struct kl_slots *s, uint32_t slot, const struct kl_slot_key *key)
{
	struct slot_sector sector;

	if (slot >= s->fresh_done)
		return;
	memset(&sector, 0, sizeof sector);
	if (key != NULL)
		kl_slot_sector_fill(&s->fresh, slot, key, &sector);
	if (kl_fs_pwrite(s->fresh.fd, &sector, SLOTS_SECTOR,
	    kl_slot_sector_offset(slot)) != KL_OK)
		kl_slots_rewrap_stop(s);
}

int
kl_slots_zero(struct kl_slots *s, uint32_t slot)
{
	static const struct slot_sector zero;
	int r;

	if (slot >= s->count)
		return KL_E_VALUE;
	if ((r = kl_fs_pwrite(s->file.fd, &zero, SLOTS_SECTOR,
	    kl_slot_sector_offset(slot))) != KL_OK)
		return KL_E_IO;
	kl_slots_set(s, slot, SLOT_ZEROED);
	fresh_put(s, slot, NULL);
	return KL_OK;
}

void
kl_slots_refilled_free(struct kl_slots *s)
{
	uint32_t i;

	while ((i = list_first(s, SLOT_REFILLED)) != KL_SLOT_NONE)
		kl_slots_set(s, i, SLOT_FREE);
}

int
kl_slots_sync(struct kl_slots *s)
{
	if (fdatasync(s->file.fd) != 0)
		return KL_E_COMMIT;
	/* Before its end a rewrap counts for nothing; its file is synced then,
	 * and here only what erasing has put into it. */
	if (s->fresh_done > 0 && fdatasync(s->fresh.fd) != 0)
		kl_slots_rewrap_stop(s);
	kl_slots_refilled_free(s);
	return KL_OK;
}

/* Reads the aligned block that holds the sector; at the end of the file it
 * may be shorter. */
static int
read_direct(int fd, off_t at, uint8_t block[DIRECT_BLOCK], size_t *n)
{
	ssize_t got;

	do
		got = pread(fd, block, DIRECT_BLOCK, at);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return KL_E_IO;
	*n = (size_t)got;
	return KL_OK;
}

static int
file_verify_zero(const struct slot_file *f, uint32_t slot)
{
	alignas(DIRECT_BLOCK) uint8_t block[DIRECT_BLOCK];
	const off_t at = kl_slot_sector_offset(slot);
	const off_t start = at - at % DIRECT_BLOCK;
	size_t n = 0;
	int r = KL_E_IO;

	if (f->direct_fd >= 0)
		r = read_direct(f->direct_fd, start, block, &n);
	/* No way past the page cache here, as on some file systems. */
	if (r != KL_OK)
		r = read_direct(f->fd, start, block, &n);
	if (r != KL_OK)
		return r;
	if (n < (size_t)(at - start) + SLOTS_SECTOR ||
	    !kl_bytes_zero(kl_bytes(block + (at - start), SLOTS_SECTOR)))
		return KL_E_DAMAGED;
	return KL_OK;
}

int
kl_slots_verify_zero(struct kl_slots *s, uint32_t slot)
{
	int r;

	if (slot >= s->count)
		return KL_E_VALUE;
	if ((r = file_verify_zero(&s->file, slot)) != KL_OK)
		return r;
	return slot < s->fresh_done ? file_verify_zero(&s->fresh, slot) :
	    KL_OK;
}

static int
refill_one(struct kl_slots *s, uint32_t slot)
{
	struct slot_sector sector;
	struct kl_slot_key key;
	int r;

	kl_random(&key, sizeof key);
	kl_slot_sector_fill(&s->file, slot, &key, &sector);
	r = kl_fs_pwrite(s->file.fd, &sector, SLOTS_SECTOR,
	    kl_slot_sector_offset(slot));
	if (r == KL_OK) {
		fresh_put(s, slot, &key);
		kl_slots_set(s, slot, SLOT_REFILLED);
	}
	kl_wipe(&key, sizeof key);
	return r;
}

int
kl_slots_refill(struct kl_slots *s, uint32_t max)
{
	uint32_t slot;
	int done = 0;

	while ((uint32_t)done < max && done < INT_MAX &&
	    (slot = list_first(s, SLOT_ZEROED)) != KL_SLOT_NONE) {
		if (refill_one(s, slot) != KL_OK)
			return KL_E_IO;
		done++;
	}
	return done;
}

uint32_t
kl_slots_free(const struct kl_slots *s)
{
	return s->listed[SLOT_FREE];
}

uint32_t
kl_slots_zeroed(const struct kl_slots *s)
{
	return s->listed[SLOT_ZEROED];
}

bool
kl_slots_sealed(const struct kl_slots *s)
{
	return s->secret != NULL;
}

int64_t
kl_slots_made_ms(const struct kl_slots *s)
{
	return s->file.made_ms;
}
