/*
 * merkle.h: the RFC 6962 tree: leaf and node hashes, a compact range that
 * grows by appending, and the check of proofs.
 */
#ifndef KORTELIJN_CRYPTO_MERKLE_H
#define KORTELIJN_CRYPTO_MERKLE_H

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/types.h>

#define KL_PROOF_MAX 128	/* hashes; far above what 2^63 leaves need */

/* SHA-256(0x00 || leaf), SHA-256(0x01 || l || r). RFC 6962 2.1. */
struct kl_hash kl_leaf_hash(struct kl_bytes leaf);
struct kl_hash kl_node_hash(const struct kl_hash *l, const struct kl_hash *r);
/* leaf = "kortelijn/v1/leaf\0" || SHA-256(salt32 || record).
 * PROTOCOL.md 10.3. */
struct kl_hash kl_record_leaf_hash(const uint8_t salt[32],
    struct kl_bytes record);

/* The roots of the full subtrees of a tree of `size` leaves, largest first. */
struct kl_range {
	uint64_t size;
	uint32_t n;		/* bits set in size */
	struct kl_hash h[64];
};

void kl_range_init(struct kl_range *r);
void kl_range_append(struct kl_range *r, const struct kl_hash *leaf);
/* SHA-256 of nothing for an empty tree. */
struct kl_hash kl_range_root(const struct kl_range *r);
/* Where a tree of n leaves divides: the largest power of two below n, for
 * n > 1. RFC 6962 2.1. */
uint64_t kl_tree_split(uint64_t n);
/* Root over n leaf hashes, computed from the start. */
struct kl_hash kl_tree_root(const struct kl_hash *leaves, size_t n);
/* Proofs over leaf hashes in memory; *n hashes into out[KL_PROOF_MAX].
 * Takes time linear in size: for tests and offline audits.
 * KL_E_VALUE: index or sizes out of range; old_size is at least 1. */
int kl_prove_inclusion(const struct kl_hash *leaves, uint64_t size,
    uint64_t index, struct kl_hash *out, size_t *n) KL_MUST_CHECK;
int kl_prove_consistency(const struct kl_hash *leaves, uint64_t size,
    uint64_t old_size, struct kl_hash *out, size_t *n) KL_MUST_CHECK;

/* KL_E_SIGNATURE: the proof does not lead to the root; KL_E_VALUE: index or
 * sizes out of range. RFC 9162 2.1.3.2 and 2.1.4.2. */
int kl_check_inclusion(const struct kl_hash *leaf, uint64_t index,
    uint64_t size, const struct kl_hash *proof, size_t n,
    const struct kl_hash *root) KL_MUST_CHECK;
int kl_check_consistency(uint64_t old_size, const struct kl_hash *old_root,
    uint64_t size, const struct kl_hash *root, const struct kl_hash *proof,
    size_t n) KL_MUST_CHECK;

#endif
