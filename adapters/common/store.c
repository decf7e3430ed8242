#include "adapters/common/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/crypto/aead.h>
#include <kortelijn/host/kv.h>
#include <kortelijn/host/slot_keys.h>

#define TAKEN_MAX 1024		/* slots in one turn */
#define WAITING_MAX 512		/* after a commit */
#define ERASING_MAX (WAITING_MAX + TAKEN_MAX)
#define SLOT_BYTES 4
#define VALUE_MAX 8192
#define REFILL_STEP 256

struct store {
	struct kl_kv *kv;
	struct kl_kv_txn *txn;
	struct kl_slots *slots;
	struct kl_slot_keys keys;
	struct kl_random_pool random;	/* nonces */
	struct kl_secret *mac_key;
	struct store_watch watch;
	char path[512];			/* of data.mdb */
	bool dirty;
	bool read_back;			/* what this turn drops */
	bool read_back_waiting;		/* what waits, once zeroed */

	/* slots of this turn */
	uint32_t taken[TAKEN_MAX], dropped[TAKEN_MAX];
	size_t n_taken, n_dropped;
	/* of which the store says "erasing": still to be zeroed, and zeroed */
	uint32_t waiting[ERASING_MAX], zeroed[ERASING_MAX];
	size_t n_waiting, n_zeroed;
};

static int
begin(struct store *s)
{
	return s->txn != NULL ? KL_OK : kl_kv_begin(s->kv, &s->txn);
}

static struct kl_bytes
slot_key_of(uint8_t buf[SLOT_BYTES], uint32_t slot)
{
	struct kl_writer w;

	kl_writer_init(&w, buf, SLOT_BYTES);
	kl_put_u32(&w, slot);
	return kl_writer_bytes(&w);
}

static uint32_t
slot_of(struct kl_bytes b)
{
	struct kl_reader r;

	kl_reader_init(&r, b);
	return kl_get_u32(&r);
}

static int
mark_used(struct store *s)
{
	struct store_entry e = { .n_key = 0 };
	int r;

	while ((r = store_seek(s, STORE_USED, kl_bytes(e.key, e.n_key), true,
	    &e)) == KL_OK) {
		r = kl_slots_mark_used(s->slots,
		    slot_of(kl_bytes(e.key, e.n_key)));
		/* A single broken slot loses one case, not the start. */
		if (r != KL_OK && r != KL_E_DAMAGED)
			return r;
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

static int
zero_all(struct store *s)
{
	struct store_entry e = { .n_key = 0 };
	int r;

	while ((r = store_seek(s, STORE_ERASING, kl_bytes(e.key, e.n_key),
	    true, &e)) == KL_OK) {
		r = kl_slots_zero(s->slots,
		    slot_of(kl_bytes(e.key, e.n_key)));
		if (r != KL_OK)
			return r;
	}
	return r == KL_E_NOT_FOUND ? kl_slots_sync(s->slots) : r;
}

/* A crash may lie between a commit and the zeroing that it promised; which of
 * it should have been read back is not known any more. */
static int
finish_erasing(struct store *s)
{
	struct store_entry e = { .n_key = 0 };
	int r = zero_all(s);

	while (r == KL_OK && (r = store_seek(s, STORE_ERASING, KL_BYTES_NONE,
	    false, &e)) == KL_OK) {
		r = kl_slots_verify_zero(s->slots,
		    slot_of(kl_bytes(e.key, e.n_key)));
		if (r == KL_OK)
			r = store_del(s, STORE_ERASING,
			    kl_bytes(e.key, e.n_key));
	}
	return r == KL_E_NOT_FOUND ? store_commit(s) : r;
}

/* Grows with every change of a row that stays: rows are structs. */
#define STORE_FORMAT 3

/* A store without any row of META was just made. */
static int
format_check(struct store *s)
{
	struct store_entry first;
	uint32_t format = STORE_FORMAT;
	int r = store_meta_get(s, "format", &format, sizeof format);

	if (r == KL_OK)
		return format == STORE_FORMAT ? KL_OK : KL_E_UNKNOWN;
	if (r != KL_E_NOT_FOUND)
		return r;
	r = store_seek(s, STORE_META, KL_BYTES_NONE, false, &first);
	if (r != KL_E_NOT_FOUND)
		return r == KL_OK ? KL_E_UNKNOWN : r;
	if ((r = store_meta_put(s, "format", &format, sizeof format)) != KL_OK)
		return r;
	return store_commit(s);
}

int
store_open(const struct store_options *o, struct store **out)
{
	const struct kl_slots_options slots = { .count = o->slots,
		.erasure = o->verified ? KL_ERASURE_VERIFIED :
		    KL_ERASURE_BEST_EFFORT,
		.secret = o->secret, .secret_before = o->secret_before,
		.now_ms = o->now_ms };
	struct store *s = calloc(1, sizeof *s);
	int r = KL_E_MEMORY;

	*out = NULL;
	if (s == NULL)
		return r;
	if ((s->mac_key = kl_secret_copy(o->mac_key)) == NULL)
		goto out;
	(void)snprintf(s->path, sizeof s->path, "%s/data.mdb", o->dir);
	if ((r = kl_kv_open(s->path, o->map_bytes, o->mac_key, &s->kv)) !=
	    KL_OK)
		goto out;
	if ((r = kl_slots_open_with(o->dir, &slots, &s->slots)) != KL_OK)
		goto out;
	if ((r = format_check(s)) != KL_OK || (r = mark_used(s)) != KL_OK ||
	    (r = finish_erasing(s)) != KL_OK)
		goto out;
	*out = s;
	return KL_OK;
out:
	store_close(s);
	return r;
}

/* The n slots that were zeroed last are zero on the device too. */
static int
check_zeroed(struct store *s, size_t n)
{
	if (!s->read_back_waiting)
		return KL_OK;
	for (size_t i = s->n_zeroed - n; i < s->n_zeroed; i++)
		if (kl_slots_verify_zero(s->slots, s->zeroed[i]) != KL_OK)
			return KL_E_COMMIT;
	s->read_back_waiting = false;
	return KL_OK;
}

static int
zero_waiting(struct store *s)
{
	size_t n = s->n_waiting;
	int r;

	if (n == 0)
		return KL_OK;
	for (size_t i = 0; i < n; i++) {
		r = kl_slot_keys_zero(&s->keys, s->slots, s->waiting[i]);
		if (r != KL_OK)
			return KL_E_COMMIT;
		s->zeroed[s->n_zeroed++] = s->waiting[i];
	}
	s->n_waiting = 0;
	if (kl_slots_sync(s->slots) != KL_OK)
		return KL_E_COMMIT;
	return check_zeroed(s, n);
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	kl_kv_abort(&s->txn);
	/* If it fails, the next start does it. */
	(void)zero_waiting(s);
	kl_kv_close(s->kv);
	kl_slots_close(s->slots);
	kl_secret_free(s->mac_key);
	store_forget_keys(s);
	free(s);
}

static void
read_machine_id(char id[64])
{
	int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);

	memset(id, 0, 64);
	if (fd < 0)
		return;
	/* Without one the inode and its birth time still tell copies apart. */
	if (read(fd, id, 63) < 0)
		memset(id, 0, 64);
	(void)close(fd);
}

int
store_binding(const struct store *s, struct kl_hash *out)
{
	struct statx st;
	struct kl_bytes parts[3];
	uint64_t place[3] = { 0 };
	char id[64];

	if (statx(AT_FDCWD, s->path, 0, STATX_INO | STATX_BTIME, &st) != 0)
		return KL_E_IO;
	read_machine_id(id);
	place[0] = st.stx_ino;
	if ((st.stx_mask & STATX_BTIME) != 0) {
		place[1] = (uint64_t)st.stx_btime.tv_sec;
		place[2] = st.stx_btime.tv_nsec;
	}
	parts[0] = kl_bytes_str("kortelijn adapter place");
	parts[1] = kl_bytes(id, sizeof id);
	parts[2] = kl_bytes(place, sizeof place);
	*out = kl_hash_parts(parts, 3);
	return KL_OK;
}

bool
store_dirty(const struct store *s)
{
	return s->dirty;
}

bool
store_erasing(const struct store *s)
{
	return s->n_waiting > 0;
}

void
store_read_back(struct store *s)
{
	s->read_back = true;
}

bool
store_erased(const struct store *s)
{
	return s->n_waiting == 0 && s->n_dropped == 0;
}

int
store_erase(struct store *s)
{
	return zero_waiting(s);
}

static int
forget_zeroed(struct store *s)
{
	uint8_t buf[SLOT_BYTES];
	int r;

	for (size_t i = 0; i < s->n_zeroed; i++) {
		r = store_del(s, STORE_ERASING,
		    slot_key_of(buf, s->zeroed[i]));
		if (r != KL_OK)
			return r;
	}
	return KL_OK;
}

int
store_commit(struct store *s)
{
	int r;

	if (!s->dirty) {
		store_abort(s);
		return KL_OK;
	}
	if ((r = forget_zeroed(s)) != KL_OK)
		return r;
	s->dirty = false;
	if ((r = kl_kv_commit(&s->txn)) != KL_OK)
		return r;
	s->n_taken = 0;
	s->n_zeroed = 0;
	memcpy(s->waiting + s->n_waiting, s->dropped,
	    s->n_dropped * sizeof s->dropped[0]);
	s->n_waiting += s->n_dropped;
	s->n_dropped = 0;
	s->read_back_waiting |= s->read_back;
	s->read_back = false;
	return s->n_waiting > WAITING_MAX ? store_erase(s) : KL_OK;
}

void
store_abort(struct store *s)
{
	kl_kv_abort(&s->txn);
	for (size_t i = 0; i < s->n_taken; i++)
		kl_slots_give_back(s->slots, s->taken[i]);
	s->n_taken = 0;
	s->n_dropped = 0;
	s->read_back = false;
	s->dirty = false;
}

int
store_idle(struct store *s)
{
	int r;

	if (s->dirty)
		return KL_OK;
	/* A zeroed slot gets a new key only when the store has forgotten it:
	 * also if every turn since then was undone for want of slots. */
	if (s->n_zeroed > 0) {
		if ((r = forget_zeroed(s)) != KL_OK) {
			store_abort(s);
			return r;
		}
		if ((r = store_commit(s)) != KL_OK)
			return r;
	}
	if (kl_slots_zeroed(s->slots) == 0)
		return KL_OK;
	if ((r = kl_slots_refill(s->slots, REFILL_STEP)) < 0)
		return r;
	return kl_slots_sync(s->slots);
}

int
store_get(struct store *s, char table, struct kl_bytes key,
    struct kl_bytes *out)
{
	int r = begin(s);

	return r != KL_OK ? r : kl_kv_get(s->txn, table, key, out);
}

static int
row_copy(struct kl_bytes v, void *row, size_t n)
{
	if (v.n != n)
		return KL_E_DAMAGED;
	memcpy(row, v.p, n);
	return KL_OK;
}

int
store_get_row(struct store *s, char table, struct kl_bytes key, void *row,
    size_t n)
{
	struct kl_bytes v;
	int r = store_get(s, table, key, &v);

	return r != KL_OK ? r : row_copy(v, row, n);
}

void
store_watch(struct store *s, const struct store_watch *w)
{
	s->watch = w != NULL ? *w : (struct store_watch){ NULL, NULL };
}

static void
tell(const struct store *s, char table, struct kl_bytes key)
{
	if (s->watch.changed != NULL)
		s->watch.changed(s->watch.arg, table, key);
}

int
store_put(struct store *s, char table, struct kl_bytes key,
    struct kl_bytes value)
{
	int r = begin(s);

	if (r != KL_OK)
		return r;
	s->dirty = true;
	tell(s, table, key);
	return kl_kv_put(s->txn, table, key, value);
}

int
store_del(struct store *s, char table, struct kl_bytes key)
{
	int r = begin(s);

	if (r != KL_OK)
		return r;
	r = kl_kv_del(s->txn, table, key);
	if (r == KL_OK) {
		s->dirty = true;
		tell(s, table, key);
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

int
store_seek(struct store *s, char table, struct kl_bytes from, bool after,
    struct store_entry *out)
{
	struct kl_kv_entry e;
	int r = begin(s);

	if (r != KL_OK)
		return r;
	if (from.n == 0)
		after = false;
	if ((r = kl_kv_seek(s->txn, table, from, after, &e)) != KL_OK)
		return r;
	memcpy(out->key, e.key.p, e.key.n);
	out->n_key = e.key.n;
	out->value = e.value;
	return KL_OK;
}

int
store_next_row(struct store *s, char table, struct store_entry *at, void *row,
    size_t n)
{
	int r = store_seek(s, table, kl_bytes(at->key, at->n_key), true, at);

	return r != KL_OK ? r : row_copy(at->value, row, n);
}

int
store_last(struct store *s, char table, uint64_t *out)
{
	struct kl_kv_entry e;
	int r = begin(s);

	*out = 0;
	if (r != KL_OK)
		return r;
	r = kl_kv_last(s->txn, table, KL_BYTES_NONE, &e);
	if (r == KL_OK && e.key.n == 8)
		*out = kl_be64(e.key.p);
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

int
store_append(struct store *s, char table, struct kl_bytes row)
{
	uint8_t key[8];
	uint64_t last;
	int r;

	if ((r = store_last(s, table, &last)) != KL_OK)
		return r;
	kl_be64_put(key, last + 1);
	return store_put(s, table, KL_BYTES_OF(key), row);
}

int
store_next_numbered(struct store *s, char table, uint64_t after,
    uint64_t *number, struct kl_bytes *row)
{
	struct store_entry e;
	uint8_t key[8];
	int r;

	kl_be64_put(key, after);
	if ((r = store_seek(s, table, KL_BYTES_OF(key), true, &e)) != KL_OK)
		return r;
	if (e.n_key != sizeof key)
		return KL_E_DAMAGED;
	*number = kl_be64(e.key);
	*row = e.value;
	return KL_OK;
}

int
store_slot_take(struct store *s, uint32_t *slot)
{
	uint8_t buf[SLOT_BYTES];
	int r;

	*slot = KL_SLOT_NONE;
	if (s->n_taken == TAKEN_MAX)
		return KL_E_FULL;
	if ((r = kl_slots_take(s->slots, slot)) != KL_OK)
		return r;
	s->taken[s->n_taken++] = *slot;
	return store_put(s, STORE_USED, slot_key_of(buf, *slot), STORE_HERE);
}

int
store_slot_drop(struct store *s, uint32_t slot)
{
	uint8_t buf[SLOT_BYTES];
	struct kl_bytes key = slot_key_of(buf, slot);
	int r;

	if (slot == KL_SLOT_NONE)
		return KL_OK;
	if (s->n_dropped == TAKEN_MAX)
		return KL_E_FULL;
	if ((r = store_del(s, STORE_USED, key)) != KL_OK)
		return r;
	if ((r = store_put(s, STORE_ERASING, key, STORE_HERE)) != KL_OK)
		return r;
	s->dropped[s->n_dropped++] = slot;
	return KL_OK;
}

void
store_forget_keys(struct store *s)
{
	kl_slot_keys_forget(&s->keys);
}

uint32_t
store_slots_free(const struct store *s)
{
	return kl_slots_free(s->slots);
}

struct kl_slots *
store_slots(const struct store *s)
{
	return s->slots;
}

/* What a value is bound to: its table and key. */
static struct kl_bytes
place_of(uint8_t buf[KL_KV_KEY_MAX + 1], char table, struct kl_bytes key)
{
	struct kl_writer w;

	kl_writer_init(&w, buf, KL_KV_KEY_MAX + 1);
	kl_put_u8(&w, (uint8_t)table);
	kl_put_bytes(&w, key);
	return kl_writer_bytes(&w);
}

int
store_put_sealed(struct store *s, char table, struct kl_bytes key,
    uint32_t slot, struct kl_bytes value)
{
	uint8_t buf[SLOT_BYTES + VALUE_MAX + KL_AEAD_EXTRA];
	uint8_t place[KL_KV_KEY_MAX + 1];
	const struct kl_slot_key *k;
	int r;

	if (value.n > VALUE_MAX)
		return KL_E_SIZE;
	if ((r = kl_slot_keys_get(&s->keys, s->slots, slot, &k)) != KL_OK)
		return r;
	(void)slot_key_of(buf, slot);
	kl_aead_seal_drawn(&s->random, KL_BYTES_OF(*k),
	    place_of(place, table, key), value, buf + SLOT_BYTES);
	return store_put(s, table, key,
	    kl_bytes(buf, SLOT_BYTES + value.n + KL_AEAD_EXTRA));
}

int
store_get_sealed(struct store *s, char table, struct kl_bytes key,
    struct kl_arena *mem, struct kl_bytes *out)
{
	uint8_t place[KL_KV_KEY_MAX + 1];
	const struct kl_slot_key *k;
	struct kl_bytes v;
	uint8_t *plain;
	int r;

	if ((r = store_get(s, table, key, &v)) != KL_OK)
		return r;
	if (v.n < SLOT_BYTES + KL_AEAD_EXTRA)
		return KL_E_DAMAGED;
	if ((r = kl_slot_keys_get(&s->keys, s->slots, slot_of(v), &k)) != KL_OK)
		return r;
	plain = kl_arena_alloc(mem, v.n + 1);
	r = plain == NULL ? KL_E_MEMORY : kl_aead_open(KL_BYTES_OF(*k),
	    place_of(place, table, key),
	    kl_bytes(v.p + SLOT_BYTES, v.n - SLOT_BYTES), plain);
	/* The slot has another owner by now: this one's key is gone. */
	if (r == KL_E_SIGNATURE)
		return KL_E_NOT_FOUND;
	*out = kl_bytes(plain, v.n - SLOT_BYTES - KL_AEAD_EXTRA);
	return r;
}

int
store_get_sealed_at(struct store *s, char table, struct kl_bytes key,
    struct kl_arena *mem, uint32_t *slot, struct kl_bytes *out)
{
	uint8_t buf[SLOT_BYTES];
	struct kl_bytes v;
	int r;

	*slot = KL_SLOT_NONE;
	if ((r = store_get(s, table, key, &v)) != KL_OK)
		return r;
	if (v.n < SLOT_BYTES)
		return KL_E_DAMAGED;
	*slot = slot_of(v);
	if ((r = store_get(s, STORE_USED, slot_key_of(buf, *slot), &v)) !=
	    KL_OK)
		return r;
	return store_get_sealed(s, table, key, mem, out);
}

int
store_get_sealed_row(struct store *s, char table, struct kl_bytes key,
    struct kl_arena *mem, void *row, size_t n)
{
	struct kl_bytes v;
	int r = store_get_sealed(s, table, key, mem, &v);

	return r != KL_OK ? r : row_copy(v, row, n);
}

struct kl_tag
store_tag(const struct store *s, const char *word, struct kl_bytes value)
{
	/* The word with its NUL, so that no two concatenations agree. */
	const struct kl_bytes parts[] = {
		kl_bytes(word, strlen(word) + 1), value,
	};

	return kl_tag_keyed(kl_secret_bytes(s->mac_key), parts, 2);
}

int
store_meta_get(struct store *s, const char *name, void *out, size_t n)
{
	return store_get_row(s, STORE_META, kl_bytes_str(name), out, n);
}

int
store_meta_put(struct store *s, const char *name, const void *in, size_t n)
{
	return store_put(s, STORE_META, kl_bytes_str(name), kl_bytes(in, n));
}

unsigned int
store_used_permille(struct store *s)
{
	return kl_kv_used_permille(s->kv);
}
