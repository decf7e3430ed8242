#include <kortelijn/crypto/merkle.h>

#include <assert.h>
#include <string.h>

#include <kortelijn/crypto/hash.h>

static bool
same(const struct kl_hash *a, const struct kl_hash *b)
{
	return memcmp(a->b, b->b, sizeof a->b) == 0;
}

struct kl_hash
kl_leaf_hash(struct kl_bytes leaf)
{
	static const uint8_t prefix[1] = { 0x00 };
	const struct kl_bytes parts[] = { KL_BYTES_OF(prefix), leaf };

	return kl_sha256_parts(parts, 2);
}

struct kl_hash
kl_node_hash(const struct kl_hash *l, const struct kl_hash *r)
{
	static const uint8_t prefix[1] = { 0x01 };
	const struct kl_bytes parts[] = {
		KL_BYTES_OF(prefix), KL_BYTES_OF(l->b), KL_BYTES_OF(r->b),
	};

	return kl_sha256_parts(parts, 3);
}

struct kl_hash
kl_record_leaf_hash(const uint8_t salt[32], struct kl_bytes record)
{
	static const char label[] = "kortelijn/v1/leaf";
	const struct kl_bytes salted[] = { kl_bytes(salt, 32), record };
	struct kl_hash commitment = kl_sha256_parts(salted, 2);
	uint8_t leaf[sizeof label + sizeof commitment.b];

	memcpy(leaf, label, sizeof label);
	memcpy(leaf + sizeof label, commitment.b, sizeof commitment.b);
	return kl_leaf_hash(KL_BYTES_OF(leaf));
}

void
kl_range_init(struct kl_range *r)
{
	memset(r, 0, sizeof *r);
}

/* Like adding one to a binary number: each trailing set bit of the size is a
 * full subtree that merges with the new one. */
void
kl_range_append(struct kl_range *r, const struct kl_hash *leaf)
{
	struct kl_hash h = *leaf;

	assert(r->size < UINT64_MAX);
	for (uint64_t s = r->size; (s & 1) != 0; s >>= 1)
		h = kl_node_hash(&r->h[--r->n], &h);
	r->h[r->n++] = h;
	r->size++;
}

struct kl_hash
kl_range_root(const struct kl_range *r)
{
	struct kl_hash h;

	if (r->n == 0)
		return kl_sha256_parts(NULL, 0);
	h = r->h[r->n - 1];
	for (uint32_t i = r->n - 1; i > 0; i--)
		h = kl_node_hash(&r->h[i - 1], &h);
	return h;
}

struct kl_hash
kl_tree_root(const struct kl_hash *leaves, size_t n)
{
	struct kl_range r;

	kl_range_init(&r);
	for (size_t i = 0; i < n; i++)
		kl_range_append(&r, &leaves[i]);
	return kl_range_root(&r);
}

uint64_t
kl_tree_split(uint64_t n)
{
	uint64_t k = 1;

	while (k < n - k)
		k <<= 1;
	return k;
}

/* Proofs are found from the root down, and read from the leaf up. */
static void
reverse(struct kl_hash *h, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct kl_hash t = h[i];

		h[i] = h[n - 1 - i];
		h[n - 1 - i] = t;
	}
}

/* RFC 6962 2.1.1, as a loop. */
int
kl_prove_inclusion(const struct kl_hash *leaves, uint64_t size, uint64_t index,
    struct kl_hash *out, size_t *n)
{
	*n = 0;
	if (index >= size)
		return KL_E_VALUE;
	while (size > 1) {
		uint64_t k = kl_tree_split(size);

		if (index < k) {
			out[(*n)++] = kl_tree_root(leaves + k, size - k);
			size = k;
		} else {
			out[(*n)++] = kl_tree_root(leaves, k);
			leaves += k;
			index -= k;
			size -= k;
		}
	}
	reverse(out, *n);
	return KL_OK;
}

/* RFC 6962 2.1.2, as a loop. `whole` is b of the text: the old tree is still
 * a left part whose root the verifier knows. */
int
kl_prove_consistency(const struct kl_hash *leaves, uint64_t size,
    uint64_t old_size, struct kl_hash *out, size_t *n)
{
	bool whole = true;

	*n = 0;
	if (old_size == 0 || old_size > size)
		return KL_E_VALUE;
	while (old_size < size) {
		uint64_t k = kl_tree_split(size);

		if (old_size <= k) {
			out[(*n)++] = kl_tree_root(leaves + k, size - k);
			size = k;
		} else {
			out[(*n)++] = kl_tree_root(leaves, k);
			leaves += k;
			old_size -= k;
			size -= k;
			whole = false;
		}
	}
	if (!whole)
		out[(*n)++] = kl_tree_root(leaves, size);
	reverse(out, *n);
	return KL_OK;
}

/* RFC 9162 2.1.3.2: fn and sn are the node's and the last node's number in
 * the level that is being climbed. */
int
kl_check_inclusion(const struct kl_hash *leaf, uint64_t index, uint64_t size,
    const struct kl_hash *proof, size_t n, const struct kl_hash *root)
{
	uint64_t fn = index, sn = size - 1;
	struct kl_hash h = *leaf;

	if (index >= size || n > KL_PROOF_MAX)
		return KL_E_VALUE;
	for (size_t i = 0; i < n; i++) {
		if (sn == 0)
			return KL_E_SIGNATURE;
		if ((fn & 1) == 0 && fn != sn) {
			h = kl_node_hash(&h, &proof[i]);
		} else {
			h = kl_node_hash(&proof[i], &h);
			for (; (fn & 1) == 0 && fn != 0; fn >>= 1)
				sn >>= 1;
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && same(&h, root) ? KL_OK : KL_E_SIGNATURE;
}

/* RFC 9162 2.1.4.2 for 0 < old_size < size. `first` stands before the proof
 * when the old tree is full, and in its front else. */
static int
climb(uint64_t fn, uint64_t sn, const struct kl_hash *first,
    const struct kl_hash *proof, size_t n, struct kl_hash out[2])
{
	struct kl_hash fr = *first, sr = *first;

	for (size_t i = 0; i < n; i++) {
		if (sn == 0)
			return KL_E_SIGNATURE;
		if ((fn & 1) != 0 || fn == sn) {
			fr = kl_node_hash(&proof[i], &fr);
			sr = kl_node_hash(&proof[i], &sr);
			for (; (fn & 1) == 0 && fn != 0; fn >>= 1)
				sn >>= 1;
		} else {
			sr = kl_node_hash(&sr, &proof[i]);
		}
		fn >>= 1;
		sn >>= 1;
	}
	out[0] = fr;
	out[1] = sr;
	return sn == 0 ? KL_OK : KL_E_SIGNATURE;
}

int
kl_check_consistency(uint64_t old_size, const struct kl_hash *old_root,
    uint64_t size, const struct kl_hash *root, const struct kl_hash *proof,
    size_t n)
{
	const struct kl_hash *first = old_root;
	uint64_t fn = old_size - 1, sn = size - 1;
	struct kl_hash h[2];

	if (old_size == 0 || old_size > size || n > KL_PROOF_MAX)
		return KL_E_VALUE;
	if (old_size == size)
		return n == 0 && same(old_root, root) ? KL_OK : KL_E_SIGNATURE;
	if ((old_size & (old_size - 1)) != 0) {
		if (n == 0)
			return KL_E_SIGNATURE;
		first = proof++;
		n--;
	}
	for (; (fn & 1) != 0; fn >>= 1)
		sn >>= 1;
	if (climb(fn, sn, first, proof, n, h) != KL_OK ||
	    !same(&h[0], old_root) || !same(&h[1], root))
		return KL_E_SIGNATURE;
	return KL_OK;
}
