#include "adapters/common/timers.h"

#include <string.h>

#define KEY_BYTES (8 + 1 + 16)

static void
key_of(uint8_t key[KEY_BYTES], int64_t due_ms, uint32_t what,
    const uint8_t id[16])
{
	kl_be64_put(key, due_ms < 0 ? 0 : (uint64_t)due_ms);
	key[8] = (uint8_t)what;
	memcpy(key + 9, id, 16);
}

int
timers_put(struct store *s, int64_t due_ms, enum timer_what what,
    const uint8_t id[16])
{
	uint8_t key[KEY_BYTES];

	key_of(key, due_ms, what, id);
	return store_put(s, STORE_TIMER, KL_BYTES_OF(key), STORE_HERE);
}

static int
seek(struct store *s, struct kl_bytes from, struct timer *out)
{
	struct store_entry e;
	int r = store_seek(s, STORE_TIMER, from, true, &e);

	if (r != KL_OK)
		return r;
	if (e.n_key != KEY_BYTES)
		return KL_E_DAMAGED;
	out->due_ms = (int64_t)kl_be64(e.key);
	out->what = e.key[8];
	memcpy(out->id, e.key + 9, sizeof out->id);
	return KL_OK;
}

int
timers_first(struct store *s, struct timer *out)
{
	return seek(s, KL_BYTES_NONE, out);
}

int
timers_next(struct store *s, const struct timer *after, struct timer *out)
{
	uint8_t key[KEY_BYTES];

	key_of(key, after->due_ms, after->what, after->id);
	return seek(s, KL_BYTES_OF(key), out);
}

int
timers_done(struct store *s, const struct timer *done)
{
	uint8_t key[KEY_BYTES];

	key_of(key, done->due_ms, done->what, done->id);
	return store_del(s, STORE_TIMER, KL_BYTES_OF(key));
}
