/*
 * arena.h: memory of one turn: bounded, given back all at once.
 *
 * It is also the allocator of the protobuf decoder, whose worst inputs would
 * otherwise take 50 times their size.
 */
#ifndef KORTELIJN_BASE_ARENA_H
#define KORTELIJN_BASE_ARENA_H

#include <stddef.h>

#include <kortelijn/base/bytes.h>

struct kl_arena;

/* cap_bytes and allocs_max bound all that is handed out between two resets.
 * NULL: no memory. Free with kl_arena_free, which accepts NULL. */
struct kl_arena *kl_arena_new(size_t cap_bytes, size_t allocs_max);
void kl_arena_free(struct kl_arena *a);

/* Zeroed memory, aligned for any type, valid until reset; NULL above a cap. */
void *kl_arena_alloc(struct kl_arena *a, size_t n);
/* A copy in the arena; KL_E_MEMORY above a cap. */
int kl_arena_copy(struct kl_arena *a, struct kl_bytes in,
    struct kl_bytes *out) KL_MUST_CHECK;
/* Gives everything back and wipes it. */
void kl_arena_reset(struct kl_arena *a);
/* Bytes that are left below the cap. */
size_t kl_arena_room(const struct kl_arena *a);
/* A point to fall back to: what was handed out after it is given back. */
size_t kl_arena_mark(const struct kl_arena *a);
void kl_arena_release(struct kl_arena *a, size_t mark);

#endif
