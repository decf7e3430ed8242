#include "adapters/common/engine_priv.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>

#define FORGET_MS (180 * KL_DAY_MS)

static struct kl_tag
tag_of(const struct engine *e, struct kl_bytes file)
{
	const struct kl_hash h = kl_hash_of(file);

	return store_tag(e->store, "file", KL_BYTES_OF(h));
}

int
engine_file_known(struct engine *e, struct kl_bytes file)
{
	const struct kl_tag tag = tag_of(e, file);
	int64_t at_ms;

	return engine_result(e, store_get_row(e->store, STORE_FILE,
	    KL_BYTES_OF(tag), &at_ms, sizeof at_ms));
}

int
engine_file_taken(struct engine *e, struct kl_bytes file)
{
	const struct kl_tag tag = tag_of(e, file);
	const int64_t at_ms = engine_now_ms(e);

	return engine_result(e, store_put(e->store, STORE_FILE,
	    KL_BYTES_OF(tag), KL_BYTES_OF(at_ms)));
}

static int
forget(struct store *s, int64_t before_ms)
{
	struct store_entry at = { .n_key = 0 };
	int64_t at_ms;
	int r;

	while ((r = store_seek(s, STORE_FILE, kl_bytes(at.key, at.n_key),
	    true, &at)) == KL_OK) {
		if (at.value.n != sizeof at_ms)
			return KL_E_DAMAGED;
		memcpy(&at_ms, at.value.p, sizeof at_ms);
		if (at_ms < before_ms && (r = store_del(s, STORE_FILE,
		    kl_bytes(at.key, at.n_key))) != KL_OK)
			return r;
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

int
engine_files_forget(struct engine *e)
{
	return engine_result(e, forget(e->store, engine_now_ms(e) -
	    FORGET_MS));
}
