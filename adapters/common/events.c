#include "adapters/common/events.h"

#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 16

struct event_row {
	uint32_t kind;
	int64_t at_ms;
	struct kl_conv_id conv;
	uint64_t step;
};

int
events_add(struct turn *t, enum engine_event_kind kind,
    const struct kl_conv_id *conv, uint64_t step)
{
	struct event_row row;

	memset(&row, 0, sizeof row);
	row.kind = kind;
	row.at_ms = t->now_ms;
	row.conv = *conv;
	row.step = step;
	return store_append(t->store, STORE_EVENT, KL_BYTES_OF(row));
}

int
events_next(struct store *s, uint64_t after, struct engine_event *out)
{
	struct event_row row;
	struct kl_bytes v;
	uint64_t seq;
	int r;

	memset(out, 0, sizeof *out);
	r = store_next_numbered(s, STORE_EVENT, after, &seq, &v);
	if (r != KL_OK)
		return r;
	if (v.n != sizeof row)
		return KL_E_DAMAGED;
	memcpy(&row, v.p, sizeof row);
	*out = (struct engine_event){ seq, row.kind, row.at_ms,
	    row.conv, row.step };
	return KL_OK;
}

static int
cursor_name(char *out, size_t cap, const char *name)
{
	if (strlen(name) > NAME_MAX_BYTES)
		return KL_E_SIZE;
	(void)snprintf(out, cap, "cursor %s", name);
	return KL_OK;
}

int
events_cursor_get(struct store *s, const char *name, uint64_t *seq)
{
	char key[NAME_MAX_BYTES + 8];
	int r;

	*seq = 0;
	if ((r = cursor_name(key, sizeof key, name)) != KL_OK)
		return r;
	r = store_meta_get(s, key, seq, sizeof *seq);
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

int
events_cursor_put(struct store *s, const char *name, uint64_t seq)
{
	char key[NAME_MAX_BYTES + 8];
	int r = cursor_name(key, sizeof key, name);

	return r != KL_OK ? r : store_meta_put(s, key, &seq, sizeof seq);
}
