/*
 * refs.h: what is known of each conversation or message while a log is read:
 * a table from a reference of the log to a row of fixed size, which forgets
 * what is over.
 */
#ifndef PROTO_AUDIT_REFS_H
#define PROTO_AUDIT_REFS_H

#include <kortelijn/base/types.h>

/* Rows at one time; of some 100 bytes each. */
#define AUDIT_REFS_MAX (1 << 20)

struct audit_refs;

/* Rows of `row_bytes`, at most `max` of them. NULL: no memory. */
struct audit_refs *audit_refs_new(size_t row_bytes, size_t max);
/* Accepts NULL. */
void audit_refs_free(struct audit_refs *t);

/* The row of ref, or NULL. It stays where it is until the next put or drop. */
void *audit_refs_get(const struct audit_refs *t, const struct kl_ref *ref);
/* The same, or a new row of zeros. KL_E_FULL: max are there; KL_E_MEMORY. */
int audit_refs_put(struct audit_refs *t, const struct kl_ref *ref, void **row)
    KL_MUST_CHECK;
/* Nothing, if there is none. */
void audit_refs_drop(struct audit_refs *t, const struct kl_ref *ref);
size_t audit_refs_count(const struct audit_refs *t);
/* Each row, in no order that means anything; `each` neither puts nor drops. */
void audit_refs_each(const struct audit_refs *t,
    void (*each)(void *arg, const struct kl_ref *ref, void *row), void *arg);

#endif
