#include "proto/audit/reftab.h"

#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/secret.h>

#define ROWS_FIRST 64u

void
audit_reftab_init(struct audit_reftab *t, size_t row_size, uint32_t max)
{
	memset(t, 0, sizeof *t);
	t->size = row_size;
	t->max = max;
	kl_random(&t->seed, sizeof t->seed);
}

void
audit_reftab_clear(struct audit_reftab *t)
{
	free(t->rows);
	free(t->slots);
	t->rows = NULL;
	t->slots = NULL;
	t->n = t->cap = t->n_slots = 0;
}

void *
audit_reftab_at(const struct audit_reftab *t, uint32_t i)
{
	return t->rows + (size_t)i * t->size;
}

uint32_t
audit_reftab_number(const struct audit_reftab *t, const void *row)
{
	return (uint32_t)((size_t)((const uint8_t *)row - t->rows) / t->size);
}

size_t
audit_reftab_bytes(const struct audit_reftab *t)
{
	return (size_t)t->cap * t->size + (size_t)t->n_slots * sizeof(uint32_t);
}

/* Two rounds of multiply and fold. */
static uint32_t
slot_of(const struct audit_reftab *t, const uint8_t *key)
{
	uint64_t a, b;

	memcpy(&a, key, 8);
	memcpy(&b, key + 8, 8);
	a = (a ^ t->seed) * UINT64_C(0x9e3779b97f4a7c15);
	b = (b ^ a ^ (a >> 32)) * UINT64_C(0xd6e8feb86659fd93);
	return (uint32_t)((b ^ (b >> 32)) & (t->n_slots - 1));
}

/* The slot that holds the key, or the free one where it would stand. */
static uint32_t *
look(const struct audit_reftab *t, const uint8_t *key)
{
	uint32_t i = slot_of(t, key);

	while (t->slots[i] != 0 && memcmp(audit_reftab_at(t,
	    t->slots[i] - 1), key, AUDIT_REF_BYTES) != 0)
		i = (i + 1) & (t->n_slots - 1);
	return &t->slots[i];
}

void *
audit_reftab_find(const struct audit_reftab *t, const uint8_t *key)
{
	const uint32_t at = t->n_slots == 0 ? 0 : *look(t, key);

	return at == 0 ? NULL : audit_reftab_at(t, at - 1);
}

/* Twice as many rows, and twice as many slots as rows. */
static bool
grow(struct audit_reftab *t)
{
	const uint32_t cap = t->cap == 0 ? ROWS_FIRST : 2 * t->cap;
	uint32_t *slots;
	uint8_t *rows;

	if ((rows = realloc(t->rows, (size_t)cap * t->size)) == NULL)
		return false;
	t->rows = rows;
	if ((slots = calloc((size_t)cap * 2, sizeof *slots)) == NULL)
		return false;
	free(t->slots);
	t->slots = slots;
	t->n_slots = 2 * cap;
	t->cap = cap;
	for (uint32_t i = 0; i < t->n; i++)
		*look(t, audit_reftab_at(t, i)) = i + 1;
	return true;
}

void *
audit_reftab_add(struct audit_reftab *t, const uint8_t *key, bool *fresh)
{
	void *row = audit_reftab_find(t, key);

	*fresh = row == NULL;
	if (row != NULL)
		return row;
	if (t->n == t->max || (t->n == t->cap && !grow(t)))
		return NULL;
	*look(t, key) = t->n + 1;
	row = audit_reftab_at(t, t->n++);
	memset(row, 0, t->size);
	memcpy(row, key, AUDIT_REF_BYTES);
	return row;
}

int
audit_reftab_put(struct audit_reftab *t, const struct kl_ref *ref, void **row)
{
	bool fresh;

	*row = audit_reftab_add(t, ref->b, &fresh);
	return *row != NULL ? KL_OK : t->n == t->max ? KL_E_FULL :
	    KL_E_MEMORY;
}

/* What was put past the hole comes nearer to where it belongs. */
static void
slot_free(struct audit_reftab *t, uint32_t hole)
{
	const uint32_t mask = t->n_slots - 1;

	for (uint32_t i = (hole + 1) & mask; t->slots[i] != 0;
	    i = (i + 1) & mask) {
		const uint32_t home = slot_of(t, audit_reftab_at(t,
		    t->slots[i] - 1));

		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		t->slots[hole] = t->slots[i];
		hole = i;
	}
	t->slots[hole] = 0;
}

void
audit_reftab_drop(struct audit_reftab *t, const uint8_t *key)
{
	uint32_t *slot = t->n_slots == 0 ? NULL : look(t, key), at;

	if (slot == NULL || *slot == 0)
		return;
	at = *slot - 1;
	slot_free(t, (uint32_t)(slot - t->slots));
	if (at != t->n - 1) {
		void *last = audit_reftab_at(t, t->n - 1);

		*look(t, last) = at + 1;
		memcpy(audit_reftab_at(t, at), last, t->size);
	}
	t->n--;
}
