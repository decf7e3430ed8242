/*
 * kv.h: the store: one LMDB file, one tree, tables told apart by the first
 * byte of the key. The only home of <lmdb.h>.
 *
 * Every value carries a keyed MAC over table, key and value, which is checked
 * on every read. Flags are fixed (durable, no sub-directory, no thread-local
 * readers). The file is preallocated to its map size. One process opens a
 * store, once, never before a fork.
 */
#ifndef KORTELIJN_HOST_KV_H
#define KORTELIJN_HOST_KV_H

#include <kortelijn/base/bytes.h>

#define KL_KV_KEY_MAX 100	/* bytes, without the table */
/* Exit code of the process when the data file faults or LMDB finds its own
 * structure broken (one line on standard error, no core file). */
#define KL_KV_EXIT_DAMAGED 74

struct kl_kv;
struct kl_kv_txn;

/* mac_key: 32 bytes, copied into guarded memory. Makes the file (mode 0600)
 * if it is missing.
 * KL_E_DENIED: file system without locks or mmap (NFS, FUSE) or the file is
 * readable by others; KL_E_EXISTS: it is open already; KL_E_FULL: no room to
 * preallocate; KL_E_MEMORY; KL_E_IO; KL_E_DAMAGED: not a store, or cut short.
 * Installs a SIGBUS handler. */
int kl_kv_open(const char *path, size_t map_bytes, struct kl_bytes mac_key,
    struct kl_kv **out) KL_MUST_CHECK;
/* Accepts NULL. */
void kl_kv_close(struct kl_kv *kv);

/* One write transaction at a time. KL_E_MEMORY, KL_E_FULL, KL_E_IO,
 * KL_E_DAMAGED. After KL_E_FULL, KL_E_MEMORY or KL_E_IO from any call of a
 * transaction every later call in it answers the same: abort it. */
int kl_kv_begin(struct kl_kv *kv, struct kl_kv_txn **out) KL_MUST_CHECK;
/* A snapshot; close it within the turn. Abort ends it. */
int kl_kv_begin_read(struct kl_kv *kv, struct kl_kv_txn **out) KL_MUST_CHECK;
/* Durable when it answers KL_OK. Anything else is KL_E_COMMIT: the outcome is
 * unknown and the process must end. *txn is NULL afterwards either way. */
int kl_kv_commit(struct kl_kv_txn **txn) KL_MUST_CHECK;
/* Accepts a NULL transaction; *txn is NULL afterwards. */
void kl_kv_abort(struct kl_kv_txn **txn);

/* *out points into the store: valid until the next put or del of this
 * transaction, or its end. KL_E_NOT_FOUND, KL_E_DAMAGED, KL_E_IO; KL_E_SIZE:
 * key too long (so do put, del, seek and last). */
int kl_kv_get(struct kl_kv_txn *txn, char table, struct kl_bytes key,
    struct kl_bytes *out) KL_MUST_CHECK;
/* KL_E_FULL: the map is full, undo the turn. `value` must not point into the
 * store. */
int kl_kv_put(struct kl_kv_txn *txn, char table, struct kl_bytes key,
    struct kl_bytes value) KL_MUST_CHECK;
/* KL_E_NOT_FOUND. */
int kl_kv_del(struct kl_kv_txn *txn, char table, struct kl_bytes key)
    KL_MUST_CHECK;

/* The first entry of `table` whose key is >= `from` (or, with `after`, > it).
 * *key and *value point into the store. KL_E_NOT_FOUND: none left. */
struct kl_kv_entry {
	struct kl_bytes key;
	struct kl_bytes value;
};
int kl_kv_seek(struct kl_kv_txn *txn, char table, struct kl_bytes from,
    bool after, struct kl_kv_entry *out) KL_MUST_CHECK;
/* The last entry of `table` whose key starts with `prefix`. KL_E_NOT_FOUND. */
int kl_kv_last(struct kl_kv_txn *txn, char table, struct kl_bytes prefix,
    struct kl_kv_entry *out) KL_MUST_CHECK;

/* Used pages of the map in per mille, as of the last commit; pages that can be
 * used again do not count. */
unsigned int kl_kv_used_permille(struct kl_kv *kv);
/* Clears readers of dead processes; at start and every minute. */
void kl_kv_clear_readers(struct kl_kv *kv);

#endif
