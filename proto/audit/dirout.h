/*
 * dirout.h: writes the directory of an export: beside its place first, and put
 * there as a whole when it is done. PROTOCOL.md 10.12.
 */
#ifndef PROTO_AUDIT_DIROUT_H
#define PROTO_AUDIT_DIROUT_H

#include <stdio.h>

#include "proto/audit/bundle.h"

#define AUDIT_DIR_PATH_MAX 1024
#define AUDIT_DIR_MARK "EXPORT"		/* a directory of ours has it */

struct audit_dirout;

/*
 * Begins at PATH.part. One that a cut has left there begins anew: it is taken
 * away if it has AUDIT_DIR_MARK in it. KL_E_EXISTS: PATH is there, or PATH.part
 * is and is not ours, or another export is writing it; KL_E_NOT_FOUND: the
 * directory of PATH; KL_E_SIZE: path too long; KL_E_DENIED, KL_E_FULL,
 * KL_E_IO, KL_E_MEMORY. *out is yours.
 */
int audit_dirout_begin(const char *path, struct audit_dirout **out)
    KL_MUST_CHECK;
/* What was not put in place stays at PATH.part. Accepts NULL. */
void audit_dirout_free(struct audit_dirout *o);

/* A file below the directory, with the directories above it. KL_E_FULL,
 * KL_E_IO, KL_E_DENIED, KL_E_SIZE; KL_E_EXISTS: it was written before. */
int audit_dirout_file(struct audit_dirout *o, const char *name,
    struct kl_bytes content) KL_MUST_CHECK;
/* The hash of the next leaf. */
int audit_dirout_leaf(struct audit_dirout *o, const struct kl_hash *leaf)
    KL_MUST_CHECK;
/* The record of a leaf; in order, and leaves between have none. KL_E_VALUE:
 * not in order; KL_E_SIZE: longer than a record may be. */
int audit_dirout_record(struct audit_dirout *o, uint64_t leaf,
    const uint8_t salt[AUDIT_SALT_BYTES], struct kl_bytes record)
    KL_MUST_CHECK;
/* A file that grows; written and closed by the caller. *f is NULL unless it
 * answers KL_OK. As audit_dirout_file, and KL_E_MEMORY. */
int audit_dirout_stream(struct audit_dirout *o, const char *name, FILE **f)
    KL_MUST_CHECK;
/* The hash of a leaf that was written, once all of them are. KL_E_VALUE: there
 * is no such leaf; KL_E_IO. */
int audit_dirout_hash(struct audit_dirout *o, uint64_t leaf,
    struct kl_hash *out) KL_MUST_CHECK;
/* Of the leaves that were given. */
struct kl_hash audit_dirout_root(const struct audit_dirout *o);
uint64_t audit_dirout_size(const struct audit_dirout *o);

/* Writes the tiles that are not full; no leaf comes after that. */
int audit_dirout_leaves_end(struct audit_dirout *o) KL_MUST_CHECK;
/* Writes what is left, once all leaves and records were given. */
int audit_dirout_end(struct audit_dirout *o) KL_MUST_CHECK;
/* Syncs all of it and puts it in place. KL_E_EXISTS: something else is there
 * now. */
int audit_dirout_place(struct audit_dirout *o) KL_MUST_CHECK;

#endif
