/*
 * reftab.h: rows of one size, found by 16 bytes that stand in front of them:
 * what is known of each message or conversation while a log is read.
 */
#ifndef PROTO_AUDIT_REFTAB_H
#define PROTO_AUDIT_REFTAB_H

#include <kortelijn/base/types.h>

#define AUDIT_REF_BYTES 16

struct audit_reftab {
	size_t size;		/* of a row, its key among it */
	uint64_t seed;		/* random: who writes keys cannot crowd them */
	uint8_t *rows;
	uint32_t n, cap, max;
	uint32_t *slots;	/* number of a row plus 1; 0: free */
	uint32_t n_slots;	/* a power of two, or 0 */
};

/* At most `max` rows, at most 2^24. */
void audit_reftab_init(struct audit_reftab *t, size_t row_size, uint32_t max);
void audit_reftab_clear(struct audit_reftab *t);

/* NULL: there is none. What these answer is valid until the next add or
 * drop. */
void *audit_reftab_find(const struct audit_reftab *t, const uint8_t *key);
/* The row of that key, zeroed behind it if *fresh. NULL: no memory, or full. */
void *audit_reftab_add(struct audit_reftab *t, const uint8_t *key,
    bool *fresh);
/* The same by a reference. KL_E_FULL: max are there; KL_E_MEMORY. */
int audit_reftab_put(struct audit_reftab *t, const struct kl_ref *ref,
    void **row) KL_MUST_CHECK;
/* Nothing, if there is none. The last row takes the place and the number of
 * the one that goes. */
void audit_reftab_drop(struct audit_reftab *t, const uint8_t *key);
/* Rows from 0 to n - 1, in the order in which they were added unless one was
 * dropped. */
void *audit_reftab_at(const struct audit_reftab *t, uint32_t i);
uint32_t audit_reftab_number(const struct audit_reftab *t, const void *row);
/* Memory that it holds. */
size_t audit_reftab_bytes(const struct audit_reftab *t);

#endif
