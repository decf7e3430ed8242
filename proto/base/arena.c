#include <kortelijn/base/arena.h>

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct kl_arena {
	size_t cap;		/* bytes */
	size_t used;		/* bytes */
	size_t allocs;		/* since the last reset */
	size_t allocs_max;
	alignas(max_align_t) uint8_t mem[];
};

struct kl_arena *
kl_arena_new(size_t cap_bytes, size_t allocs_max)
{
	struct kl_arena *a = malloc(sizeof *a + cap_bytes);

	if (a == NULL)
		return NULL;
	*a = (struct kl_arena){ .cap = cap_bytes, .allocs_max = allocs_max };
	return a;
}

void
kl_arena_free(struct kl_arena *a)
{
	if (a == NULL)
		return;
	kl_arena_reset(a);
	free(a);
}

void *
kl_arena_alloc(struct kl_arena *a, size_t n)
{
	const size_t align = alignof(max_align_t);
	size_t need;
	uint8_t *p;

	if (n > a->cap || a->allocs >= a->allocs_max)
		return NULL;
	need = n == 0 ? align : (n + align - 1) / align * align;
	if (need > a->cap - a->used)
		return NULL;
	p = a->mem + a->used;
	a->used += need;
	a->allocs++;
	memset(p, 0, need);
	return p;
}

int
kl_arena_copy(struct kl_arena *a, struct kl_bytes in, struct kl_bytes *out)
{
	uint8_t *p = kl_arena_alloc(a, in.n);

	*out = KL_BYTES_NONE;
	if (p == NULL)
		return KL_E_MEMORY;
	if (in.n > 0)
		memcpy(p, in.p, in.n);
	*out = kl_bytes(p, in.n);
	return KL_OK;
}

size_t
kl_arena_room(const struct kl_arena *a)
{
	return a->cap - a->used;
}

size_t
kl_arena_mark(const struct kl_arena *a)
{
	return a->used;
}

void
kl_arena_release(struct kl_arena *a, size_t mark)
{
	if (mark > a->used)
		return;
	explicit_bzero(a->mem + mark, a->used - mark);
	a->used = mark;
	if (mark == 0)
		a->allocs = 0;
}

void
kl_arena_reset(struct kl_arena *a)
{
	kl_arena_release(a, 0);
}
