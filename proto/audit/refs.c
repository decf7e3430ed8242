#include "proto/audit/refs.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 256

/*
 * Open addressing, at most half full. References are random, so their first
 * bytes are as good as a hash; who makes them worse makes his own report slow,
 * up to the limit.
 */
struct audit_refs {
	size_t row_bytes, max, n;
	size_t slots;		/* a power of two */
	uint8_t *taken;
	struct kl_ref *refs;
	uint8_t *rows;
};

static int
table_make(struct audit_refs *t, size_t slots)
{
	t->slots = slots;
	t->taken = calloc(slots, 1);
	t->refs = calloc(slots, sizeof *t->refs);
	t->rows = calloc(slots, t->row_bytes);
	return t->taken != NULL && t->refs != NULL && t->rows != NULL ?
	    KL_OK : KL_E_MEMORY;
}

static void
table_clear(struct audit_refs *t)
{
	free(t->taken);
	free(t->refs);
	free(t->rows);
}

struct audit_refs *
audit_refs_new(size_t row_bytes, size_t max)
{
	struct audit_refs *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->row_bytes = row_bytes;
	t->max = max;
	if (table_make(t, FIRST_SLOTS) == KL_OK)
		return t;
	audit_refs_free(t);
	return NULL;
}

void
audit_refs_free(struct audit_refs *t)
{
	if (t != NULL)
		table_clear(t);
	free(t);
}

static size_t
home(const struct audit_refs *t, const struct kl_ref *ref)
{
	return (size_t)kl_be64(ref->b) & (t->slots - 1);
}

/* Where it is, or would be. */
static size_t
slot_of(const struct audit_refs *t, const struct kl_ref *ref)
{
	size_t i = home(t, ref);

	while (t->taken[i] != 0 &&
	    memcmp(&t->refs[i], ref, sizeof *ref) != 0)
		i = (i + 1) & (t->slots - 1);
	return i;
}

static void *
row_at(const struct audit_refs *t, size_t i)
{
	return t->rows + i * t->row_bytes;
}

void *
audit_refs_get(const struct audit_refs *t, const struct kl_ref *ref)
{
	const size_t i = slot_of(t, ref);

	return t->taken[i] != 0 ? row_at(t, i) : NULL;
}

static void
move(struct audit_refs *to, size_t i, const struct audit_refs *from, size_t k)
{
	to->taken[i] = 1;
	to->refs[i] = from->refs[k];
	memcpy(row_at(to, i), row_at(from, k), to->row_bytes);
}

static int
grow(struct audit_refs *t)
{
	struct audit_refs next = *t;

	if (table_make(&next, 2 * t->slots) != KL_OK) {
		table_clear(&next);
		return KL_E_MEMORY;
	}
	for (size_t i = 0; i < t->slots; i++)
		if (t->taken[i] != 0)
			move(&next, slot_of(&next, &t->refs[i]), t, i);
	table_clear(t);
	*t = next;
	return KL_OK;
}

int
audit_refs_put(struct audit_refs *t, const struct kl_ref *ref, void **row)
{
	size_t i = slot_of(t, ref);
	int err;

	*row = NULL;
	if (t->taken[i] == 0) {
		if (t->n >= t->max)
			return KL_E_FULL;
		if (2 * (t->n + 1) > t->slots && (err = grow(t)) != KL_OK)
			return err;
		i = slot_of(t, ref);
		t->taken[i] = 1;
		t->refs[i] = *ref;
		memset(row_at(t, i), 0, t->row_bytes);
		t->n++;
	}
	*row = row_at(t, i);
	return KL_OK;
}

void
audit_refs_drop(struct audit_refs *t, const struct kl_ref *ref)
{
	size_t hole = slot_of(t, ref);

	if (t->taken[hole] == 0)
		return;
	t->taken[hole] = 0;
	t->n--;
	/* What was put past the hole comes nearer to its home. */
	for (size_t i = (hole + 1) & (t->slots - 1); t->taken[i] != 0;
	    i = (i + 1) & (t->slots - 1)) {
		const size_t far = (i - home(t, &t->refs[i])) & (t->slots - 1);

		if (far < ((i - hole) & (t->slots - 1)))
			continue;
		move(t, hole, t, i);
		t->taken[i] = 0;
		hole = i;
	}
}

size_t
audit_refs_count(const struct audit_refs *t)
{
	return t->n;
}

void
audit_refs_each(const struct audit_refs *t,
    void (*each)(void *arg, const struct kl_ref *ref, void *row), void *arg)
{
	for (size_t i = 0; i < t->slots; i++)
		if (t->taken[i] != 0)
			each(arg, &t->refs[i], row_at(t, i));
}
