/* What stands in a sector of the slot file. */
#include "proto/host/slots_priv.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/crypto/hash.h>

/*
 * slots: a head, then one sector for each slot, zero or
 *	generation u64, nonce 24 and wrapped key 48, MAC 16, zeros
 * head: "KLSLOTS2", generation u64, slots u32, made at u64, MAC 16, zeros;
 *	the first version, "KLSLOTS1", has no time
 */
#define WRAP_BYTES (sizeof(struct kl_slot_key) + KL_AEAD_EXTRA)
#define MAGIC_BYTES 8
#define SLOT_CONTENT (8 + WRAP_BYTES)
#define HEAD1_CONTENT (MAGIC_BYTES + 8 + 4)
#define HEAD2_CONTENT (HEAD1_CONTENT + 8)

static const char head1_magic[MAGIC_BYTES] = "KLSLOTS1";
static const char head2_magic[MAGIC_BYTES] = "KLSLOTS2";

off_t
kl_slot_sector_offset(uint32_t slot)
{
	return ((off_t)slot + 1) * SLOTS_SECTOR;
}

/* ---- keys ---- */

static struct kl_secret *
key_derive(struct kl_bytes master, const char *label)
{
	const struct kl_bytes part = kl_bytes_str(label);
	struct kl_hash h = kl_hash_keyed(master, &part, 1);
	struct kl_secret *s = kl_secret_copy(KL_BYTES_OF(h));

	kl_wipe(&h, sizeof h);
	return s;
}

int
kl_slot_file_keys(struct slot_file *f, struct kl_bytes master)
{
	kl_secret_free(f->wrap_key);
	kl_secret_free(f->mac_key);
	f->wrap_key = key_derive(master, "kortelijn/v1/slot-wrap");
	f->mac_key = key_derive(master, "kortelijn/v1/slot-mac");
	return f->wrap_key != NULL && f->mac_key != NULL ?
	    KL_OK : KL_E_MEMORY;
}

void
kl_slot_file_clear(struct slot_file *f)
{
	if (f->fd >= 0)
		(void)close(f->fd);
	if (f->direct_fd >= 0)
		(void)close(f->direct_fd);
	kl_secret_free(f->wrap_key);
	kl_secret_free(f->mac_key);
	*f = (struct slot_file){ .fd = -1, .direct_fd = -1 };
}

/* ---- MACs ---- */

/* Bound to the place, so that sectors cannot change places. The head counts
 * as slot KL_SLOT_NONE. */
static struct kl_tag
sector_mac(const struct slot_file *f, uint32_t slot, struct kl_bytes content)
{
	uint8_t be[8] = { 0 };
	const struct kl_bytes parts[] = { KL_BYTES_OF(be), content };

	kl_be64_put(be, slot);
	return kl_tag_keyed(kl_secret_bytes(f->mac_key), parts, 2);
}

/* Ends what is in w with its MAC. */
static void
sector_close(const struct slot_file *f, uint32_t slot, struct kl_writer *w)
{
	struct kl_tag mac = sector_mac(f, slot, kl_writer_bytes(w));

	kl_put(w, mac.b, sizeof mac.b);
	assert(!w->full);
}

/* n bytes of content, the MAC over them, and zeros. */
static bool
sector_holds(const struct slot_file *f, uint32_t slot,
    const struct slot_sector *sector, size_t n)
{
	struct kl_tag mac = sector_mac(f, slot, kl_bytes(sector->b, n));
	const size_t end = n + sizeof mac.b;

	return kl_secret_equal(KL_BYTES_OF(mac),
		   kl_bytes(sector->b + n, sizeof mac.b)) &&
	    kl_bytes_zero(kl_bytes(sector->b + end, SLOTS_SECTOR - end));
}

/* ---- slots ---- */

struct slot_ad { uint8_t b[32]; };

/* What a wrapped key is bound to; points into *ad. */
static struct kl_bytes
slot_ad(const struct slot_file *f, uint32_t slot, struct slot_ad *ad)
{
	struct kl_writer w;

	kl_writer_init(&w, ad->b, sizeof ad->b);
	kl_put_bytes(&w, kl_bytes_str("kortelijn/v1/slot"));
	kl_put_u64(&w, f->generation);
	kl_put_u32(&w, slot);
	assert(!w.full);
	return kl_writer_bytes(&w);
}

void
kl_slot_sector_fill(const struct slot_file *f, uint32_t slot,
    const struct kl_slot_key *key, struct slot_sector *out)
{
	uint8_t wrap[WRAP_BYTES];
	struct slot_ad ad;
	struct kl_writer w;

	memset(out, 0, sizeof *out);
	kl_aead_seal(kl_secret_bytes(f->wrap_key), slot_ad(f, slot, &ad),
	    KL_BYTES_OF(*key), wrap);
	kl_writer_init(&w, out->b, sizeof out->b);
	kl_put_u64(&w, f->generation);
	kl_put(&w, wrap, sizeof wrap);
	sector_close(f, slot, &w);
}

enum slot_state
kl_slot_sector_check(const struct slot_file *f, uint32_t slot,
    const struct slot_sector *sector)
{
	if (kl_bytes_zero(kl_bytes(sector->b, SLOTS_SECTOR)))
		return SLOT_ZEROED;
	if (kl_be64(sector->b) != f->generation ||
	    !sector_holds(f, slot, sector, SLOT_CONTENT))
		return SLOT_DAMAGED;
	return SLOT_FREE;
}

int
kl_slot_sector_key(const struct slot_file *f, uint32_t slot,
    const struct slot_sector *sector, struct kl_slot_key *out)
{
	struct slot_ad ad;

	memset(out, 0, sizeof *out);
	switch (kl_slot_sector_check(f, slot, sector)) {
	case SLOT_ZEROED: return KL_E_NOT_FOUND;
	case SLOT_FREE: break;
	default: return KL_E_DAMAGED;
	}
	return kl_aead_open(kl_secret_bytes(f->wrap_key),
	    slot_ad(f, slot, &ad), kl_bytes(sector->b + 8, WRAP_BYTES),
	    out->b) == KL_OK ? KL_OK : KL_E_DAMAGED;
}

/* ---- the head ---- */

void
kl_slot_head_fill(const struct slot_file *f, uint32_t count,
    struct slot_sector *out)
{
	struct kl_writer w;

	memset(out, 0, sizeof *out);
	kl_writer_init(&w, out->b, sizeof out->b);
	kl_put(&w, head2_magic, sizeof head2_magic);
	kl_put_u64(&w, f->generation);
	kl_put_u32(&w, count);
	kl_put_u64(&w, (uint64_t)f->made_ms);
	sector_close(f, KL_SLOT_NONE, &w);
}

static bool
head_first_version(const struct slot_sector *head)
{
	return memcmp(head->b, head1_magic, MAGIC_BYTES) == 0;
}

int
kl_slot_head_read(const struct slot_sector *head, struct slot_file *f,
    uint32_t *count)
{
	const bool first = head_first_version(head);
	struct kl_reader r;

	if (!first && memcmp(head->b, head2_magic, MAGIC_BYTES) != 0)
		return KL_E_DAMAGED;
	kl_reader_init(&r, kl_bytes(head->b, HEAD2_CONTENT));
	(void)kl_get_bytes(&r, MAGIC_BYTES);
	f->generation = kl_get_u64(&r);
	*count = kl_get_u32(&r);
	f->made_ms = first ? 0 : (int64_t)kl_get_u64(&r);
	return f->generation != 0 && *count != 0 && *count <= SLOTS_MAX &&
	    f->made_ms >= 0 ? KL_OK : KL_E_DAMAGED;
}

bool
kl_slot_head_holds(const struct slot_file *f, const struct slot_sector *head)
{
	return sector_holds(f, KL_SLOT_NONE, head,
	    head_first_version(head) ? HEAD1_CONTENT : HEAD2_CONTENT);
}
