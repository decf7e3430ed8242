/*
 * secret.h: secret bytes in guarded, locked memory, wiped on free; and the
 * one source of randomness.
 */
#ifndef KORTELIJN_CRYPTO_SECRET_H
#define KORTELIJN_CRYPTO_SECRET_H

#include <stdbool.h>

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/types.h>

#define KL_SECRET_MAX 64	/* bytes of the longest secret */

struct kl_secret;

/* First call in every process, before threads. KL_E_SYSTEM: the library did
 * not start, or not even one page can be locked in memory. */
int kl_crypto_init(void) KL_MUST_CHECK;

void kl_random(void *out, size_t n);
/* Drawn ahead: many small draws take one system call together, as the nonces
 * of a turn. All zero is an empty one. Each byte is handed out once and wiped
 * here; a process that forks must not have one. */
#define KL_RANDOM_POOL 1024
struct kl_random_pool {
	size_t left;
	uint8_t b[KL_RANDOM_POOL];
};
/* n: at most KL_RANDOM_POOL. */
void kl_random_draw(struct kl_random_pool *p, void *out, size_t n);
/* Uniform in [0, below). */
uint32_t kl_random_below(uint32_t below);

/* n bytes, 1 to KL_SECRET_MAX: random, or copied from `from` (which the caller
 * wipes). NULL: no memory, or n is out of range. */
struct kl_secret *kl_secret_random(size_t n);
struct kl_secret *kl_secret_copy(struct kl_bytes from);
/* Accepts NULL. */
void kl_secret_free(struct kl_secret *s);
/* Borrowed view, valid until free; s is not NULL. */
struct kl_bytes kl_secret_bytes(const struct kl_secret *s);

/* Constant time for equal lengths. */
bool kl_secret_equal(struct kl_bytes a, struct kl_bytes b);
/* A wipe that is not optimised away. */
void kl_wipe(void *p, size_t n);

#endif
