/*
 * reftab.h: rows of one size, found by 16 bytes that stand in front of them:
 * what the rules of a log remember of its messages and conversations.
 */
#ifndef PROTO_AUDIT_REFTAB_H
#define PROTO_AUDIT_REFTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUDIT_REF_BYTES 16
#define AUDIT_REFTAB_MAX (1u << 24)	/* rows */

struct audit_reftab {
	size_t size;		/* of a row, its key among it */
	uint64_t seed;		/* random: who writes keys cannot crowd them */
	uint8_t *rows;
	uint32_t n, cap;
	uint32_t *slots;	/* number of a row plus 1; 0: free */
	uint32_t n_slots;	/* a power of two, or 0 */
};

void audit_reftab_init(struct audit_reftab *t, size_t row_size);
void audit_reftab_clear(struct audit_reftab *t);

/* NULL: there is none. What these answer is valid until the next add. */
void *audit_reftab_find(const struct audit_reftab *t, const uint8_t *key);
/* The row of that key, zeroed behind it if *fresh. NULL: no memory, or full. */
void *audit_reftab_add(struct audit_reftab *t, const uint8_t *key,
    bool *fresh);
/* Rows in the order in which they were added, from 0 to n - 1. */
void *audit_reftab_at(const struct audit_reftab *t, uint32_t i);
uint32_t audit_reftab_number(const struct audit_reftab *t, const void *row);
/* Memory that it holds. */
size_t audit_reftab_bytes(const struct audit_reftab *t);

#endif
