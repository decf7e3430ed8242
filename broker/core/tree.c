#include "broker/core/tree.h"

#include <stdbool.h>
#include <string.h>

#include "broker/core/tables.h"

#define STEP 8u		/* levels from one stored node to the next above */

static struct kl_bytes
node_key(uint8_t buf[9], unsigned int level, uint64_t index)
{
	buf[0] = (uint8_t)level;
	kl_be64_put(buf + 1, index);
	return kl_bytes(buf, 9);
}

static int
node_put(struct kl_kv_txn *txn, struct kl_bytes key, const struct kl_hash *h)
{
	return kl_kv_put(txn, T_NODE, key, KL_BYTES_OF(*h));
}

static int
node_same(struct kl_kv_txn *txn, struct kl_bytes key, const struct kl_hash *h)
{
	struct kl_bytes v;
	int err = kl_kv_get(txn, T_NODE, key, &v);

	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_E_DAMAGED : err;
	return kl_bytes_equal(v, KL_BYTES_OF(*h)) ? KL_OK : KL_E_DAMAGED;
}

/* Each node that is complete with this leaf, upwards. */
static int
grow(struct kl_kv_txn *txn, struct kl_range *range, const struct kl_hash *leaf,
    int (*node)(struct kl_kv_txn *txn, struct kl_bytes key,
    const struct kl_hash *h))
{
	struct kl_hash h = *leaf;
	uint32_t left = range->n;
	unsigned int level = 0;
	uint8_t key[9];
	int err;

	for (uint64_t s = range->size; (s & 1) != 0; s >>= 1) {
		h = kl_node_hash(&range->h[--left], &h);
		if (++level % STEP != 0)
			continue;
		err = node(txn, node_key(key, level, range->size >> level),
		    &h);
		if (err != KL_OK)
			return err;
	}
	kl_range_append(range, leaf);
	return KL_OK;
}

int
tree_append(struct kl_kv_txn *txn, struct kl_range *range,
    const struct kl_hash *leaf)
{
	return grow(txn, range, leaf, node_put);
}

int
tree_follow(struct kl_kv_txn *txn, struct kl_range *range,
    const struct kl_hash *leaf)
{
	return grow(txn, range, leaf, node_same);
}

/* Both rows begin with the hash. */
static int
hash_of(struct kl_kv_txn *txn, char table, struct kl_bytes key,
    struct kl_hash *out)
{
	struct kl_bytes v;
	int err = kl_kv_get(txn, table, key, &v);

	if (err != KL_OK)
		return err;
	if (v.n < sizeof out->b)
		return KL_E_DAMAGED;
	memcpy(out->b, v.p, sizeof out->b);
	return KL_OK;
}

int
tree_leaf(struct kl_kv_txn *txn, uint64_t index, struct kl_hash *out)
{
	uint8_t key[8];

	kl_be64_put(key, index);
	return hash_of(txn, T_LEAF, kl_bytes(key, sizeof key), out);
}

/* The full subtree of 2^level leaves that is the index-th of its level. */
static int
subtree(struct kl_kv_txn *txn, unsigned int level, uint64_t index,
    struct kl_hash *out)
{
	unsigned int below = level % STEP, at = level - below;
	struct kl_range r;
	struct kl_hash h;
	uint8_t key[9];
	int err;

	kl_range_init(&r);
	for (uint64_t i = 0; i < UINT64_C(1) << below; i++) {
		uint64_t node = (index << below) + i;

		err = at == 0 ? tree_leaf(txn, node, &h) :
		    hash_of(txn, T_NODE, node_key(key, at, node), &h);
		if (err != KL_OK)
			return err;
		kl_range_append(&r, &h);
	}
	*out = kl_range_root(&r);
	return KL_OK;
}

/* n leaves from `start`, which is a multiple of the largest power of two in
 * n. */
static int
range_of(struct kl_kv_txn *txn, uint64_t start, uint64_t n,
    struct kl_range *out)
{
	kl_range_init(out);
	for (unsigned int level = 64; level-- > 0;) {
		uint64_t some = UINT64_C(1) << level;
		int err;

		if ((n & some) == 0)
			continue;
		err = subtree(txn, level, start >> level, &out->h[out->n]);
		if (err != KL_OK)
			return err;
		out->n++;
		start += some;
	}
	out->size = n;
	return KL_OK;
}

int
tree_range(struct kl_kv_txn *txn, uint64_t size, struct kl_range *out)
{
	return range_of(txn, 0, size, out);
}

/* ---- proofs -------------------------------------------------------------- */

/* From the root down, so the first hash found is the last of the proof. */
struct walk {
	struct kl_kv_txn *txn;
	uint64_t start, size;		/* the part that is left */
	struct kl_hash *out;
	size_t n;
};

static int
take(struct walk *w, uint64_t start, uint64_t n)
{
	struct kl_range r;
	int err = range_of(w->txn, start, n, &r);

	if (err == KL_OK)
		w->out[w->n++] = kl_range_root(&r);
	return err;
}

static int
go_left(struct walk *w, uint64_t k)
{
	int err = take(w, w->start + k, w->size - k);

	w->size = k;
	return err;
}

static int
go_right(struct walk *w, uint64_t k)
{
	int err = take(w, w->start, k);

	w->start += k;
	w->size -= k;
	return err;
}

static size_t
upside_down(struct walk *w)
{
	for (size_t i = 0; i < w->n / 2; i++) {
		struct kl_hash t = w->out[i];

		w->out[i] = w->out[w->n - 1 - i];
		w->out[w->n - 1 - i] = t;
	}
	return w->n;
}

/* RFC 6962 2.1.1. */
int
tree_prove_inclusion(struct kl_kv_txn *txn, uint64_t size, uint64_t index,
    struct kl_hash *out, size_t *n)
{
	struct walk w = { .txn = txn, .size = size, .out = out };
	int err = index < size ? KL_OK : KL_E_VALUE;

	*n = 0;
	while (err == KL_OK && w.size > 1) {
		uint64_t k = kl_tree_split(w.size);

		err = index - w.start < k ? go_left(&w, k) :
		    go_right(&w, k);
	}
	if (err == KL_OK)
		*n = upside_down(&w);
	return err;
}

/* RFC 6962 2.1.2. `whole`: the old tree is still a left part whose root the
 * verifier knows. */
int
tree_prove_consistency(struct kl_kv_txn *txn, uint64_t size,
    uint64_t old_size, struct kl_hash *out, size_t *n)
{
	struct walk w = { .txn = txn, .size = size, .out = out };
	int err = old_size > 0 && old_size <= size ? KL_OK : KL_E_VALUE;
	bool whole = true;

	*n = 0;
	while (err == KL_OK && old_size - w.start < w.size) {
		uint64_t k = kl_tree_split(w.size);

		if (old_size - w.start <= k) {
			err = go_left(&w, k);
		} else {
			err = go_right(&w, k);
			whole = false;
		}
	}
	if (err == KL_OK && !whole)
		err = take(&w, w.start, w.size);
	if (err == KL_OK)
		*n = upside_down(&w);
	return err;
}
