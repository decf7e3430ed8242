#include "broker/core/keys.h"

#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/log.h>

/* So long the holder of a card that has expired still gets a clear answer. */
#define EXPIRED_HEARD_MS (30 * KL_DAY_MS)

/* A key that stands on several cards goes by the best of them. */
static enum pipe_verdict
verdict(struct core *c, const struct kl_curve_pk *pk, int64_t now_ms)
{
	const struct registry_card *best;

	if (registry_by_key(&c->registry, pk, now_ms, &best) == NULL)
		return PIPE_KEY_FORGET;
	if (best->revoked != 0)
		return PIPE_KEY_REVOKED;
	return best->not_after_ms + EXPIRED_HEARD_MS < now_ms ?
	    PIPE_KEY_FORGET : PIPE_KEY_ALLOW;
}

static size_t
keys_fill(struct core *c, struct pipe_key *key)
{
	const int64_t now_ms = kl_clock_now_ms(&c->clock);
	size_t n = 0;

	for (size_t i = 0; i < c->registry.n; i++) {
		const struct participant *p = c->registry.p[i];

		for (size_t j = 0; p->role != KL_BROKER && j < p->n_cards;
		    j++, n++) {
			key[n].pk = p->card[j].transport_pk;
			key[n].verdict = verdict(c, &key[n].pk, now_ms);
		}
	}
	return n;
}

void
keys_tell(struct core *c, bool done)
{
	struct pipe_key *key;
	int r = KL_E_MEMORY;

	if (c->generation == 0)
		return;
	key = calloc(c->registry.n * REGISTRY_CARDS_MAX + 1, sizeof *key);
	if (key != NULL)
		r = pipe_out_send_keys(c->out, c->generation, key,
		    keys_fill(c, key), done);
	free(key);
	if (r != KL_OK)
		kl_logf(KL_LOG_ERROR, "keys_not_told",
		    kl_log_word("why", kl_err_text(r)));
}
