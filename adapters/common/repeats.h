/*
 * repeats.h: statements that are handed to the broker until it has taken them.
 * In memory only which ones, and when again; of one conversation one at a
 * time, in the order of their coming.
 */
#ifndef ADAPTERS_COMMON_REPEATS_H
#define ADAPTERS_COMMON_REPEATS_H

#include <stdbool.h>

#include <kortelijn/base/types.h>

/* Which one: `what` tells those of one conversation apart. */
struct repeats_key {
	struct kl_conv_id conv;
	uint8_t what[16];
};

struct repeats;

/* NULL: no memory. */
struct repeats *repeats_new(void);
/* Accepts NULL. */
void repeats_free(struct repeats *q);
void repeats_clear(struct repeats *q);

/* Due at once; twice is once. KL_E_MEMORY. */
int repeats_add(struct repeats *q, const struct repeats_key *key)
    KL_MUST_CHECK;
void repeats_drop(struct repeats *q, const struct repeats_key *key);

/* The next one that is due: on its way from now on. KL_E_EMPTY: none. */
int repeats_next(struct repeats *q, int64_t mono_ms, struct repeats_key *key)
    KL_MUST_CHECK;
/* The one of a conversation that is on its way. False: none is. */
bool repeats_flying(const struct repeats *q, const struct kl_conv_id *conv,
    struct repeats_key *key);
/* It never left, or no answer came: due again at once. */
void repeats_lost(struct repeats *q, const struct kl_conv_id *conv);
/* It was not taken: again after a second, doubling to 10 minutes, or after
 * at_least_ms. */
void repeats_later(struct repeats *q, const struct kl_conv_id *conv,
    uint32_t at_least_ms, int64_t mono_ms);
/* All that waits is due now: a session began. */
void repeats_wake(struct repeats *q);

/* ms until one is due; negative: none, but for those on their way. */
int64_t repeats_wait_ms(const struct repeats *q, int64_t mono_ms);
size_t repeats_waiting(const struct repeats *q);

#endif
