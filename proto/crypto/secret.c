#include <kortelijn/crypto/secret.h>

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of one fixed size: the guarded allocator aligns only what is a multiple of
 * the alignment. */
struct kl_secret {
	size_t n;		/* bytes in use */
	uint8_t b[KL_SECRET_MAX];
};

/* sodium_malloc goes on silently when mlock fails, so it is tried here. */
static int
check_locking(void)
{
	size_t n = (size_t)sysconf(_SC_PAGESIZE);
	void *page = NULL;
	int r;

	if (posix_memalign(&page, n, n) != 0)
		return KL_E_SYSTEM;
	r = sodium_mlock(page, n) == 0 ? KL_OK : KL_E_SYSTEM;
	if (r == KL_OK && sodium_munlock(page, n) != 0)
		r = KL_E_SYSTEM;
	free(page);
	return r;
}

int
kl_crypto_init(void)
{
	if (sodium_init() < 0)
		return KL_E_SYSTEM;
	return check_locking();
}

void
kl_random(void *out, size_t n)
{
	randombytes_buf(out, n);
}

void
kl_random_draw(struct kl_random_pool *p, void *out, size_t n)
{
	assert(n <= sizeof p->b);
	if (p->left < n) {
		kl_random(p->b, sizeof p->b);
		p->left = sizeof p->b;
	}
	p->left -= n;
	memcpy(out, p->b + p->left, n);
	kl_wipe(p->b + p->left, n);
}

uint32_t
kl_random_below(uint32_t below)
{
	return randombytes_uniform(below);
}

static struct kl_secret *
secret_new(size_t n)
{
	struct kl_secret *s;

	if (n == 0 || n > KL_SECRET_MAX)
		return NULL;
	if ((s = sodium_malloc(sizeof *s)) != NULL)
		s->n = n;
	return s;
}

struct kl_secret *
kl_secret_random(size_t n)
{
	struct kl_secret *s = secret_new(n);

	if (s != NULL)
		randombytes_buf(s->b, n);
	return s;
}

struct kl_secret *
kl_secret_copy(struct kl_bytes from)
{
	struct kl_secret *s = secret_new(from.n);

	if (s != NULL)
		memcpy(s->b, from.p, from.n);
	return s;
}

void
kl_secret_free(struct kl_secret *s)
{
	sodium_free(s);
}

struct kl_bytes
kl_secret_bytes(const struct kl_secret *s)
{
	return kl_bytes(s->b, s->n);
}

bool
kl_secret_equal(struct kl_bytes a, struct kl_bytes b)
{
	return a.n == b.n && (a.n == 0 || sodium_memcmp(a.p, b.p, a.n) == 0);
}

void
kl_wipe(void *p, size_t n)
{
	sodium_memzero(p, n);
}
