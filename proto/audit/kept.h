/*
 * kept.h: all checkpoints of an export: each signed by the log, of one origin,
 * and each the beginning of the ones after it, so that no two of them tell
 * different pasts.
 */
#ifndef PROTO_AUDIT_KEPT_H
#define PROTO_AUDIT_KEPT_H

#include "proto/audit/dir.h"
#include "proto/audit/dircheck.h"

#define AUDIT_KEPT_MAX 65536	/* of one export; 5 years are 1,827 days */

struct audit_kept;

/* Borrows keys. NULL: no memory. Free accepts NULL. */
struct audit_kept *audit_kept_new(const struct audit_dircheck_keys *keys,
    void (*wrong)(void *arg, const char *file, const char *text), void *arg);
void audit_kept_free(struct audit_kept *k);

/* The one that the export is about. Errors of audit_dircheck. */
int audit_kept_newest(struct audit_kept *k, struct kl_bytes text,
    struct kl_checkpoint *out) KL_MUST_CHECK;
/* Those in checkpoints/; what is none, or another log's, is said. KL_E_MEMORY;
 * KL_E_SIZE: more than AUDIT_KEPT_MAX. */
int audit_kept_read(struct audit_kept *k, const struct audit_dir *d)
    KL_MUST_CHECK;

/* The smallest size of those that wait to be compared; UINT64_MAX: none. */
uint64_t audit_kept_next(const struct audit_kept *k);
/* The root that the leaves give at that size. */
void audit_kept_at(struct audit_kept *k, uint64_t size,
    const struct kl_hash *root);
/* Fills in what the sum says of checkpoints. */
void audit_kept_sum(const struct audit_kept *k,
    struct audit_dircheck_sum *sum);
size_t audit_kept_bytes(const struct audit_kept *k);

#endif
