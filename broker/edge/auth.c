#include "auth.h"

#include <stdlib.h>
#include <string.h>

/* Open addressing, at most half full; nothing is ever taken out. Who chooses
 * keys that collide needs a card for each. */
struct auth {
	size_t used, max;
	size_t mask;			/* of an index into slot */
	struct auth_peer *slot;		/* verdict 0: free */
};

struct auth *
auth_new(size_t keys_max)
{
	struct auth *a = calloc(1, sizeof *a);
	size_t n = 2;

	if (a == NULL)
		return NULL;
	while (n < 2 * keys_max)
		n *= 2;
	a->max = keys_max;
	a->mask = n - 1;
	a->slot = calloc(n, sizeof *a->slot);
	if (a->slot == NULL) {
		free(a);
		return NULL;
	}
	return a;
}

void
auth_free(struct auth *a)
{
	if (a == NULL)
		return;
	free(a->slot);
	free(a);
}

/* Its place, or the free one where it would stand. */
static struct auth_peer *
place_of(const struct auth *a, const struct kl_curve_pk *pk)
{
	size_t i = (size_t)kl_be64(pk->b) & a->mask;

	while (a->slot[i].verdict != 0 &&
	    memcmp(a->slot[i].pk.b, pk->b, sizeof pk->b) != 0)
		i = (i + 1) & a->mask;
	return &a->slot[i];
}

int
auth_set(struct auth *a, const struct pipe_key *key)
{
	struct auth_peer *p = place_of(a, &key->pk);

	if (p->verdict == PIPE_KEY_REVOKED)
		return KL_OK;
	if (p->verdict == 0) {
		if (a->used == a->max)
			return KL_E_FULL;
		a->used++;
		p->pk = key->pk;
	}
	p->verdict = key->verdict;
	return KL_OK;
}

struct auth_peer *
auth_find(struct auth *a, const struct kl_curve_pk *pk)
{
	struct auth_peer *p = place_of(a, pk);

	return p->verdict == 0 ? NULL : p;
}

enum kl_link_verdict
auth_admit(void *arg, const struct kl_curve_pk *pk)
{
	const struct auth_peer *p = auth_find(arg, pk);

	if (p == NULL || p->verdict == PIPE_KEY_FORGET)
		return KL_LINK_NOT_NOW;
	return p->verdict == PIPE_KEY_ALLOW ? KL_LINK_ALLOW : KL_LINK_NEVER;
}
