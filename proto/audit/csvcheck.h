/*
 * csvcheck.h: is records.csv of an export what its records say? People read
 * that file, so a line that was changed must not go by. Names of organisations
 * are not compared: what stands in the log is the id beside them.
 */
#ifndef PROTO_AUDIT_CSVCHECK_H
#define PROTO_AUDIT_CSVCHECK_H

#include "proto/audit/dir.h"

struct audit_csvcheck;

/* Told for each line that is wrong; leaf, or AUDIT_NO_LEAF. */
typedef void audit_csvcheck_fn(void *arg, const char *file, uint64_t leaf,
    const char *text);

/* *out is NULL if the directory has no such file. KL_E_MEMORY, or the errors of
 * audit_dir_file. */
int audit_csvcheck_open(const struct audit_dir *d, audit_csvcheck_fn *wrong,
    void *arg, struct audit_csvcheck **out) KL_MUST_CHECK;
/* The next record, in order of leaves. Accepts NULL, as all of these. */
void audit_csvcheck_take(struct audit_csvcheck *c,
    const struct audit_record *r);
/* After the last one. */
void audit_csvcheck_end(struct audit_csvcheck *c);
void audit_csvcheck_free(struct audit_csvcheck *c);

#endif
