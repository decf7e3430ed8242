/*
 * tree.h: the nodes of the log's tree in the store, one for every 256 below
 * it, so that a proof reads a few of them and not every leaf. RFC 6962.
 */
#ifndef CORE_TREE_H
#define CORE_TREE_H

#include <kortelijn/crypto/merkle.h>
#include <kortelijn/host/kv.h>

/* Appends a leaf hash to the range; the leaf's own row is its writer's. */
int tree_append(struct kl_kv_txn *txn, struct kl_range *range,
    const struct kl_hash *leaf) KL_MUST_CHECK;
/* The same over nodes that are there: they are compared. KL_E_DAMAGED: one is
 * another, or missing; the range is as it was. */
int tree_follow(struct kl_kv_txn *txn, struct kl_range *range,
    const struct kl_hash *leaf) KL_MUST_CHECK;
/* The hash in a leaf's row. KL_E_NOT_FOUND, KL_E_DAMAGED. */
int tree_leaf(struct kl_kv_txn *txn, uint64_t index, struct kl_hash *out)
    KL_MUST_CHECK;
/* The range of the first `size` leaves. KL_E_NOT_FOUND: there are fewer. */
int tree_range(struct kl_kv_txn *txn, uint64_t size, struct kl_range *out)
    KL_MUST_CHECK;

/* As kl_prove_inclusion and kl_prove_consistency; the first `size` leaves are
 * there. KL_E_VALUE, KL_E_NOT_FOUND, KL_E_DAMAGED. */
int tree_prove_inclusion(struct kl_kv_txn *txn, uint64_t size,
    uint64_t index, struct kl_hash *out, size_t *n) KL_MUST_CHECK;
int tree_prove_consistency(struct kl_kv_txn *txn, uint64_t size,
    uint64_t old_size, struct kl_hash *out, size_t *n) KL_MUST_CHECK;

#endif
