#include "adapters/common/access.h"

#include <string.h>

int
access_log(struct turn *t, const struct engine_actor *by, enum engine_act act,
    const struct kl_conv_id *conv)
{
	struct access_line line;

	memset(&line, 0, sizeof line);
	line.at_ms = t->now_ms;
	line.act = act;
	line.by = *by;
	line.conv = *conv;
	return store_append(t->store, STORE_ACCESS, KL_BYTES_OF(line));
}

int
access_next(struct store *s, uint64_t after, uint64_t *seq,
    struct access_line *out)
{
	struct kl_bytes row;
	int r = store_next_numbered(s, STORE_ACCESS, after, seq, &row);

	if (r != KL_OK)
		return r;
	if (row.n != sizeof *out)
		return KL_E_DAMAGED;
	memcpy(out, row.p, sizeof *out);
	return KL_OK;
}
