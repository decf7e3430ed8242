/* The two files behind slots.h. */
#include "proto/host/slots_priv.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/host/fs.h>

/*
 * Two files, all in sectors of 512 bytes, which a disk writes whole.
 *
 * master: two sectors, each zero or
 *	generation u64, master key 32, check 16, zeros
 * slots: a head, then one sector for each slot, zero or
 *	generation u64, nonce 24 and wrapped key 48, MAC 16, zeros
 * head: "KLSLOTS1", generation u64, slots u32, MAC 16, zeros
 *
 * The master key that counts is the one of the head's generation: renaming a
 * new slot file over the old one changes both at once.
 */
#define MASTER_BYTES 32

static const char head_magic[8] = "KLSLOTS1";

/* ---- sectors ---- */

off_t
kl_slots_file_offset(uint32_t slot)
{
	return ((off_t)slot + 1) * SLOTS_SECTOR;
}

static struct kl_secret *
key_derive(struct kl_bytes master, const char *label)
{
	const struct kl_bytes part = kl_bytes_str(label);
	struct kl_hash h = kl_hash_keyed(master, &part, 1);
	struct kl_secret *s = kl_secret_copy(KL_BYTES_OF(h));

	kl_wipe(&h, sizeof h);
	return s;
}

static int
keys_set(struct kl_slots *s, struct kl_bytes master)
{
	kl_secret_free(s->wrap_key);
	kl_secret_free(s->mac_key);
	s->wrap_key = key_derive(master, "kortelijn/v1/slot-wrap");
	s->mac_key = key_derive(master, "kortelijn/v1/slot-mac");
	return s->wrap_key != NULL && s->mac_key != NULL ?
	    KL_OK : KL_E_MEMORY;
}

/* Bound to the place, so that sectors cannot change places. The head counts
 * as slot KL_SLOT_NONE. */
static struct kl_tag
sector_mac(const struct kl_slots *s, uint32_t slot, struct kl_bytes content)
{
	uint8_t be[8] = { 0 };
	const struct kl_bytes parts[] = { KL_BYTES_OF(be), content };

	kl_be64_put(be, slot);
	return kl_tag_keyed(kl_secret_bytes(s->mac_key), parts, 2);
}

/* Ends what is in w with its MAC. */
static void
sector_close(const struct kl_slots *s, uint32_t slot, struct kl_writer *w)
{
	struct kl_tag mac = sector_mac(s, slot, kl_writer_bytes(w));

	kl_put(w, mac.b, sizeof mac.b);
}

/* n bytes of content, the MAC over them, and zeros. */
static bool
sector_holds(const struct kl_slots *s, uint32_t slot,
    const struct slot_sector *sector, size_t n)
{
	struct kl_tag mac = sector_mac(s, slot, kl_bytes(sector->b, n));
	const size_t end = n + sizeof mac.b;

	return kl_secret_equal(KL_BYTES_OF(mac),
		   kl_bytes(sector->b + n, sizeof mac.b)) &&
	    kl_bytes_zero(kl_bytes(sector->b + end, SLOTS_SECTOR - end));
}

#define SLOT_CONTENT (8 + SLOTS_WRAP_BYTES)
#define HEAD_CONTENT (sizeof head_magic + 8 + 4)

struct kl_bytes
kl_slots_file_ad(const struct kl_slots *s, uint32_t slot, struct slot_ad *ad)
{
	struct kl_writer w;

	kl_writer_init(&w, ad->b, sizeof ad->b);
	kl_put_bytes(&w, kl_bytes_str("kortelijn/v1/slot"));
	kl_put_u64(&w, s->generation);
	kl_put_u32(&w, slot);
	assert(!w.full);
	return kl_writer_bytes(&w);
}

void
kl_slots_file_fill(const struct kl_slots *s, uint32_t slot,
    struct slot_sector *out)
{
	struct kl_slot_key key;
	uint8_t wrap[SLOTS_WRAP_BYTES];
	struct slot_ad ad;
	struct kl_writer w;

	memset(out, 0, sizeof *out);
	kl_random(&key, sizeof key);
	kl_aead_seal(kl_secret_bytes(s->wrap_key),
	    kl_slots_file_ad(s, slot, &ad), KL_BYTES_OF(key), wrap);
	kl_wipe(&key, sizeof key);
	kl_writer_init(&w, out->b, sizeof out->b);
	kl_put_u64(&w, s->generation);
	kl_put(&w, wrap, sizeof wrap);
	sector_close(s, slot, &w);
	assert(!w.full);
}

static void
head_fill(const struct kl_slots *s, struct slot_sector *out)
{
	struct kl_writer w;

	memset(out, 0, sizeof *out);
	kl_writer_init(&w, out->b, sizeof out->b);
	kl_put(&w, head_magic, sizeof head_magic);
	kl_put_u64(&w, s->generation);
	kl_put_u32(&w, s->count);
	sector_close(s, KL_SLOT_NONE, &w);
	assert(!w.full);
}

enum slot_state
kl_slots_file_check(const struct kl_slots *s, uint32_t slot,
    const struct slot_sector *sector)
{
	if (kl_bytes_zero(kl_bytes(sector->b, SLOTS_SECTOR)))
		return SLOT_ZEROED;
	if (kl_be64(sector->b) != s->generation ||
	    !sector_holds(s, slot, sector, SLOT_CONTENT))
		return SLOT_DAMAGED;
	return SLOT_FREE;
}

/* ---- the master file ---- */

static struct kl_tag
master_check(uint64_t generation, struct kl_bytes master)
{
	uint8_t be[8] = { 0 };
	const struct kl_bytes parts[] = {
		kl_bytes_str("kortelijn/v1/master"), KL_BYTES_OF(be)
	};

	kl_be64_put(be, generation);
	return kl_tag_keyed(master, parts, 2);
}

static void
master_fill(uint64_t generation, struct kl_bytes master,
    struct slot_sector *out)
{
	struct kl_tag check = master_check(generation, master);
	struct kl_writer w;

	memset(out, 0, sizeof *out);
	kl_writer_init(&w, out->b, sizeof out->b);
	kl_put_u64(&w, generation);
	kl_put_bytes(&w, master);
	kl_put(&w, check.b, sizeof check.b);
}

/* A whole sector of `generation`: the key in it, else none. */
static struct kl_bytes
master_take(const struct slot_sector *sector, uint64_t generation)
{
	const struct kl_bytes key = kl_bytes(sector->b + 8, MASTER_BYTES);
	const size_t end = 8 + MASTER_BYTES + sizeof(struct kl_tag);
	struct kl_tag check;

	if (kl_be64(sector->b) != generation)
		return KL_BYTES_NONE;
	check = master_check(generation, key);
	if (!kl_secret_equal(KL_BYTES_OF(check),
		kl_bytes(sector->b + 8 + MASTER_BYTES, sizeof check.b)) ||
	    !kl_bytes_zero(kl_bytes(sector->b + end, SLOTS_SECTOR - end)))
		return KL_BYTES_NONE;
	return key;
}

/* The other key opens a slot file that is no more, or one that never came to
 * be: it must not stay. */
static int
master_zero_other(int fd, const struct slot_sector *other, uint32_t at)
{
	static const struct slot_sector zero;
	int r;

	if (kl_bytes_zero(kl_bytes(other->b, SLOTS_SECTOR)))
		return KL_OK;
	r = kl_fs_pwrite(fd, &zero, SLOTS_SECTOR, (off_t)at * SLOTS_SECTOR);
	if (r != KL_OK)
		return r;
	return fdatasync(fd) == 0 ? KL_OK : KL_E_IO;
}

static int
master_load(struct kl_slots *s, int fd)
{
	struct slot_sector sector[2];
	struct kl_bytes key = KL_BYTES_NONE;
	uint32_t i;
	int r;

	if ((r = kl_fs_pread(fd, sector, sizeof sector, 0)) != KL_OK)
		goto out;
	for (i = 0; i < 2; i++)
		if ((key = master_take(&sector[i], s->generation)).n > 0)
			break;
	if (key.n == 0) {
		r = KL_E_DAMAGED;
		goto out;
	}
	if ((r = keys_set(s, key)) == KL_OK)
		r = master_zero_other(fd, &sector[1 - i], 1 - i);
out:
	kl_wipe(sector, sizeof sector);
	return r;
}

/* ---- making both files ---- */

struct paths {
	char slots[PATH_MAX], master[PATH_MAX];
	char slots_new[PATH_MAX], master_new[PATH_MAX];
};

static int
paths_make(const char *dir, struct paths *p)
{
	/* ".new" and the longer name fit wherever this one does. */
	if ((size_t)snprintf(p->master_new, PATH_MAX, "%s/master.new", dir) >=
	    PATH_MAX)
		return KL_E_IO;
	(void)snprintf(p->slots_new, PATH_MAX, "%s/slots.new", dir);
	(void)snprintf(p->master, PATH_MAX, "%s/master", dir);
	(void)snprintf(p->slots, PATH_MAX, "%s/slots", dir);
	return KL_OK;
}

static int
file_make(const char *path, int *fd)
{
	if (unlink(path) != 0 && errno != ENOENT)
		return KL_E_IO;
	*fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (*fd >= 0)
		return KL_OK;
	return errno == ENOSPC || errno == EDQUOT ? KL_E_FULL : KL_E_IO;
}

static int
file_finish(int fd, int r)
{
	if (r == KL_OK && fsync(fd) != 0)
		r = errno == ENOSPC || errno == EDQUOT ? KL_E_FULL : KL_E_IO;
	if (close(fd) != 0 && r == KL_OK)
		r = KL_E_IO;
	return r;
}

static int
make_slots(const struct kl_slots *s, const char *path)
{
	enum { BATCH = 32 };
	struct slot_sector batch[BATCH];
	uint32_t done = 0;
	int fd, r;

	if ((r = file_make(path, &fd)) != KL_OK)
		return r;
	head_fill(s, &batch[0]);
	r = kl_fs_pwrite(fd, &batch[0], SLOTS_SECTOR, 0);
	while (r == KL_OK && done < s->count) {
		uint32_t n = s->count - done < BATCH ? s->count - done : BATCH;

		for (uint32_t i = 0; i < n; i++)
			kl_slots_file_fill(s, done + i, &batch[i]);
		r = kl_fs_pwrite(fd, batch, (size_t)n * SLOTS_SECTOR,
		    kl_slots_file_offset(done));
		done += n;
	}
	return file_finish(fd, r);
}

static int
make_master(uint64_t generation, struct kl_bytes key, const char *path)
{
	struct slot_sector sector[2];
	int fd, r;

	if ((r = file_make(path, &fd)) != KL_OK)
		return r;
	memset(sector, 0, sizeof sector);
	master_fill(generation, key, &sector[0]);
	r = kl_fs_pwrite(fd, sector, sizeof sector, 0);
	kl_wipe(sector, sizeof sector);
	return file_finish(fd, r);
}

static int
rename_synced(const char *from, const char *to)
{
	if (rename(from, to) != 0)
		return KL_E_IO;
	return kl_fs_sync_parent(to);
}

/* Both are whole and synced before either gets its name; the master first, so
 * that a crash between the two leaves the case files_settle finishes. */
static int
files_make(const struct paths *p, uint32_t count)
{
	struct kl_slots s = { .count = count, .generation = 1 };
	struct kl_secret *master = kl_secret_random(MASTER_BYTES);
	int r;

	if (master == NULL)
		return KL_E_MEMORY;
	if ((r = keys_set(&s, kl_secret_bytes(master))) == KL_OK &&
	    (r = make_slots(&s, p->slots_new)) == KL_OK &&
	    (r = make_master(s.generation, kl_secret_bytes(master),
		p->master_new)) == KL_OK &&
	    (r = rename_synced(p->master_new, p->master)) == KL_OK)
		r = rename_synced(p->slots_new, p->slots);
	kl_secret_free(s.wrap_key);
	kl_secret_free(s.mac_key);
	kl_secret_free(master);
	return r;
}

static bool
there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Makes what is not there, ends what a crash interrupted. */
static int
files_settle(const struct paths *p, uint32_t count)
{
	if (!there(p->slots) && !there(p->master))
		return files_make(p, count);
	if (!there(p->slots) && there(p->slots_new))
		return rename_synced(p->slots_new, p->slots);
	if (!there(p->slots) || !there(p->master))
		return KL_E_DAMAGED;
	if (there(p->slots_new) && unlink(p->slots_new) != 0)
		return KL_E_IO;
	return KL_OK;
}

/* ---- opening ---- */

static int
file_open(const char *path, enum kl_erasure erasure, int *fd)
{
	int r;

	*fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0)
		return errno == EACCES || errno == ELOOP ?
		    KL_E_DENIED : KL_E_IO;
	if ((r = kl_fs_check_private(*fd)) != KL_OK)
		return r;
	return erasure == KL_ERASURE_VERIFIED ?
	    kl_fs_check_in_place(*fd) : KL_OK;
}

/* The keys are not known yet: they hang on the generation that stands here,
 * and the MAC is checked under them afterwards. */
static int
head_read(struct kl_slots *s, struct slot_sector *head)
{
	struct kl_reader r;
	uint8_t magic[sizeof head_magic];
	struct stat st;
	int e;

	if ((e = kl_fs_pread(s->fd, head, SLOTS_SECTOR, 0)) != KL_OK)
		return e;
	kl_reader_init(&r, kl_bytes(head->b, HEAD_CONTENT));
	kl_get(&r, magic, sizeof magic);
	s->generation = kl_get_u64(&r);
	s->count = kl_get_u32(&r);
	if (fstat(s->fd, &st) != 0)
		return KL_E_IO;
	if (memcmp(magic, head_magic, sizeof magic) != 0 ||
	    s->generation == 0 || s->count == 0 || s->count > SLOTS_MAX ||
	    st.st_size != kl_slots_file_offset(s->count))
		return KL_E_DAMAGED;
	return KL_OK;
}

static int
files_open(struct kl_slots *s, const struct paths *p, enum kl_erasure erasure)
{
	struct slot_sector head;
	int fd = -1, r;

	if ((r = file_open(p->slots, erasure, &s->fd)) == KL_OK &&
	    (r = file_open(p->master, erasure, &fd)) == KL_OK &&
	    (r = head_read(s, &head)) == KL_OK &&
	    (r = master_load(s, fd)) == KL_OK &&
	    !sector_holds(s, KL_SLOT_NONE, &head, HEAD_CONTENT))
		r = KL_E_DAMAGED;
	if (fd >= 0)
		(void)close(fd);
	if (r != KL_OK)
		return r;
	/* Opened now: later no path may be opened any more. */
	s->direct_fd = open(p->slots,
	    O_RDONLY | O_DIRECT | O_CLOEXEC | O_NOFOLLOW);
	return KL_OK;
}

/* Asked of the directory before keys are written into it. */
static int
dir_check(const char *dir, enum kl_erasure erasure)
{
	enum kl_fs_kind kind;
	int fd, r;

	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return errno == EACCES ? KL_E_DENIED : KL_E_IO;
	r = kl_fs_kind(fd, &kind);
	(void)close(fd);
	if (r == KL_OK && erasure == KL_ERASURE_VERIFIED &&
	    kind != KL_FS_IN_PLACE)
		return KL_E_DENIED;
	return r;
}

int
kl_slots_file_open(struct kl_slots *s, const char *dir, uint32_t count,
    enum kl_erasure erasure)
{
	struct paths p;
	int r;

	if ((r = paths_make(dir, &p)) != KL_OK ||
	    (r = dir_check(dir, erasure)) != KL_OK ||
	    (r = files_settle(&p, count)) != KL_OK)
		return r;
	return files_open(s, &p, erasure);
}
