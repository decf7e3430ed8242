#include "adapters/common/access.h"

#include <string.h>

int
access_log(struct turn *t, const struct engine_actor *by, enum engine_act act,
    const struct kl_conv_id *conv)
{
	struct access_line line;
	uint8_t key[8];
	uint64_t last;
	int r;

	memset(&line, 0, sizeof line);
	line.at_ms = t->now_ms;
	line.act = act;
	line.by = *by;
	line.conv = *conv;
	if ((r = store_last(t->store, STORE_ACCESS, &last)) != KL_OK)
		return r;
	kl_be64_put(key, last + 1);
	return store_put(t->store, STORE_ACCESS, KL_BYTES_OF(key),
	    KL_BYTES_OF(line));
}

int
access_next(struct store *s, uint64_t after, uint64_t *seq,
    struct access_line *out)
{
	struct store_entry e;
	uint8_t key[8];
	int r;

	kl_be64_put(key, after);
	r = store_seek(s, STORE_ACCESS, KL_BYTES_OF(key), true, &e);
	if (r != KL_OK)
		return r;
	if (e.n_key != 8 || e.value.n != sizeof *out)
		return KL_E_DAMAGED;
	memcpy(out, e.value.p, sizeof *out);
	*seq = kl_be64(e.key);
	return KL_OK;
}
