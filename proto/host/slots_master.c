/* The master file: which key opens the slot file, and what seals that key. */
#include "proto/host/slots_priv.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/host/fs.h>

/*
 * master: two sectors, each zero or
 *	generation u64, master key 32, check 16, zeros
 * or, sealed under a secret that lies elsewhere,
 *	generation u64, "KLSEALED", id of the secret 16, sealed key 72, zeros
 *
 * The key that counts is the one of the slot file's generation: renaming a
 * new slot file over the old one changes both at once. A change of the form
 * goes through the other sector, so that one of the two is always whole.
 */
#define SEALED_BYTES (SLOTS_MASTER_BYTES + KL_AEAD_EXTRA)
#define MAGIC_BYTES 8
#define SEALED_AT (8 + MAGIC_BYTES + sizeof(struct kl_tag))

static const char sealed_magic[MAGIC_BYTES] = "KLSEALED";

/* ---- a sector ---- */

static struct kl_tag
plain_check(uint64_t generation, struct kl_bytes master)
{
	uint8_t be[8] = { 0 };
	const struct kl_bytes parts[] = {
		kl_bytes_str("kortelijn/v1/master"), KL_BYTES_OF(be)
	};

	kl_be64_put(be, generation);
	return kl_tag_keyed(master, parts, 2);
}

/* Tells another secret from a damaged sector. */
static struct kl_tag
secret_id(const struct kl_secret *secret)
{
	const struct kl_bytes part =
	    kl_bytes_str("kortelijn/v1/master-secret-id");

	return kl_tag_keyed(kl_secret_bytes(secret), &part, 1);
}

static struct kl_hash
secret_key(const struct kl_secret *secret)
{
	const struct kl_bytes part = kl_bytes_str("kortelijn/v1/master-seal");

	return kl_hash_keyed(kl_secret_bytes(secret), &part, 1);
}

static void
sector_fill(uint64_t generation, struct kl_bytes master,
    const struct kl_secret *secret, struct slot_sector *out)
{
	uint8_t be[8] = { 0 }, sealed[SEALED_BYTES];
	struct kl_hash key;
	struct kl_writer w;
	struct kl_tag tag;

	memset(out, 0, sizeof *out);
	kl_writer_init(&w, out->b, sizeof out->b);
	kl_put_u64(&w, generation);
	if (secret == NULL) {
		tag = plain_check(generation, master);
		kl_put_bytes(&w, master);
		kl_put(&w, tag.b, sizeof tag.b);
	} else {
		kl_be64_put(be, generation);
		tag = secret_id(secret);
		key = secret_key(secret);
		kl_aead_seal(KL_BYTES_OF(key), KL_BYTES_OF(be), master,
		    sealed);
		kl_wipe(&key, sizeof key);
		kl_put(&w, sealed_magic, sizeof sealed_magic);
		kl_put(&w, tag.b, sizeof tag.b);
		kl_put(&w, sealed, sizeof sealed);
	}
	assert(!w.full);
}

void
kl_slots_master_fill(uint64_t generation, struct kl_bytes master,
    const struct kl_secret *secret, struct slot_sector out[2])
{
	memset(out, 0, 2 * sizeof out[0]);
	sector_fill(generation, master, secret, &out[0]);
}

/* What a sector came to. */
enum found {
	FOUND_NONE,		/* no key of this generation */
	FOUND_LOCKED,		/* one that no secret here opens */
	FOUND_PLAIN,
	FOUND_SEALED,		/* under the secret of now */
	FOUND_BEFORE,		/* under the one before */
};

static bool
plain_take(const struct slot_sector *sector, uint64_t generation,
    uint8_t out[SLOTS_MASTER_BYTES])
{
	const struct kl_bytes key = kl_bytes(sector->b + 8,
	    SLOTS_MASTER_BYTES);
	const struct kl_tag check = plain_check(generation, key);
	const size_t end = 8 + SLOTS_MASTER_BYTES + sizeof check.b;

	if (!kl_secret_equal(KL_BYTES_OF(check),
		kl_bytes(key.p + key.n, sizeof check.b)) ||
	    !kl_bytes_zero(kl_bytes(sector->b + end, SLOTS_SECTOR - end)))
		return false;
	memcpy(out, key.p, key.n);
	return true;
}

static bool
secret_is(const struct slot_sector *sector, const struct kl_secret *secret)
{
	struct kl_tag id;

	if (secret == NULL)
		return false;
	id = secret_id(secret);
	return kl_secret_equal(KL_BYTES_OF(id),
	    kl_bytes(sector->b + 8 + MAGIC_BYTES, sizeof id.b));
}

static bool
sealed_take(const struct slot_sector *sector, const struct kl_secret *secret,
    uint8_t out[SLOTS_MASTER_BYTES])
{
	const size_t end = SEALED_AT + SEALED_BYTES;
	struct kl_hash key = secret_key(secret);
	int r = kl_aead_open(KL_BYTES_OF(key), kl_bytes(sector->b, 8),
	    kl_bytes(sector->b + SEALED_AT, SEALED_BYTES), out);

	kl_wipe(&key, sizeof key);
	return r == KL_OK &&
	    kl_bytes_zero(kl_bytes(sector->b + end, SLOTS_SECTOR - end));
}

static enum found
sector_take(const struct slot_sector *sector, const struct kl_slots *s,
    const struct kl_secret *before, uint8_t out[SLOTS_MASTER_BYTES])
{
	if (kl_be64(sector->b) != s->file.generation)
		return FOUND_NONE;
	if (plain_take(sector, s->file.generation, out))
		return FOUND_PLAIN;
	if (memcmp(sector->b + 8, sealed_magic, MAGIC_BYTES) != 0)
		return FOUND_NONE;
	if (secret_is(sector, s->secret))
		return sealed_take(sector, s->secret, out) ?
		    FOUND_SEALED : FOUND_NONE;
	if (secret_is(sector, before))
		return sealed_take(sector, before, out) ?
		    FOUND_BEFORE : FOUND_NONE;
	return FOUND_LOCKED;
}

/* ---- the file ---- */

static int
sector_write(const struct kl_slots *s, uint32_t at,
    const struct slot_sector *sector)
{
	int r = kl_fs_pwrite(s->master_fd, sector, SLOTS_SECTOR,
	    (off_t)at * SLOTS_SECTOR);

	if (r != KL_OK)
		return r;
	return fdatasync(s->master_fd) == 0 ? KL_OK : kl_slots_file_error();
}

int
kl_slots_master_zero(struct kl_slots *s, uint32_t at)
{
	static const struct slot_sector zero;

	return sector_write(s, at, &zero);
}

int
kl_slots_master_add(struct kl_slots *s)
{
	struct slot_sector sector;
	int r;

	sector_fill(s->fresh.generation, kl_secret_bytes(s->fresh_master),
	    s->secret, &sector);
	r = sector_write(s, 1 - s->master_at, &sector);
	kl_wipe(&sector, sizeof sector);
	return r;
}

/* The key in the form that is wanted, in the other sector; then this one must
 * not stay. */
static int
form_change(struct kl_slots *s, struct kl_bytes master)
{
	struct slot_sector sector;
	int r;

	sector_fill(s->file.generation, master, s->secret, &sector);
	r = sector_write(s, 1 - s->master_at, &sector);
	kl_wipe(&sector, sizeof sector);
	if (r == KL_OK)
		r = kl_slots_master_zero(s, s->master_at);
	if (r == KL_OK)
		s->master_at = 1 - s->master_at;
	return r;
}

/* The other key opens a slot file that is no more, or one that never came to
 * be. */
static int
other_zero(struct kl_slots *s, const struct slot_sector sector[2])
{
	const uint32_t other = 1 - s->master_at;

	return kl_bytes_zero(kl_bytes(sector[other].b, SLOTS_SECTOR)) ?
	    KL_OK : kl_slots_master_zero(s, other);
}

/* The sector to go on from: the form that is wanted before any other. */
static enum found
choose(struct kl_slots *s, const struct slot_sector sector[2],
    const struct kl_secret *before, uint8_t out[SLOTS_MASTER_BYTES])
{
	const enum found wanted = s->secret != NULL ? FOUND_SEALED :
	    FOUND_PLAIN;
	uint8_t key[SLOTS_MASTER_BYTES];
	enum found best = FOUND_NONE, f;

	for (uint32_t i = 0; i < 2; i++) {
		f = sector_take(&sector[i], s, before, key);
		if (f == FOUND_NONE || best == wanted ||
		    (f == FOUND_LOCKED && best != FOUND_NONE))
			continue;
		best = f;
		s->master_at = i;
		if (f != FOUND_LOCKED)
			memcpy(out, key, sizeof key);
	}
	kl_wipe(key, sizeof key);
	return best;
}

int
kl_slots_master_load(struct kl_slots *s, const struct kl_secret *before)
{
	const enum found wanted = s->secret != NULL ? FOUND_SEALED :
	    FOUND_PLAIN;
	uint8_t key[SLOTS_MASTER_BYTES] = { 0 };
	struct slot_sector sector[2];
	enum found f;
	int r;

	if ((r = kl_fs_pread(s->master_fd, sector, sizeof sector, 0)) !=
	    KL_OK)
		goto out;
	f = choose(s, sector, before, key);
	if (f == FOUND_NONE)
		r = KL_E_DAMAGED;
	else if (f == FOUND_LOCKED)
		r = s->secret != NULL || before != NULL ? KL_E_SIGNATURE :
		    KL_E_NOT_FOUND;
	else if ((r = kl_slot_file_keys(&s->file, KL_BYTES_OF(key))) == KL_OK)
		r = f == wanted ? other_zero(s, sector) :
		    form_change(s, KL_BYTES_OF(key));
out:
	kl_wipe(sector, sizeof sector);
	kl_wipe(key, sizeof key);
	return r;
}
