#include "broker/core/timer.h"

#include <string.h>

#include "broker/core/tables.h"

static struct kl_bytes
timer_key(uint8_t buf[25], int64_t at_ms, uint32_t sort,
    const struct kl_tag *tag)
{
	struct kl_writer w;

	kl_writer_init(&w, buf, 25);
	kl_put_i64(&w, at_ms);
	kl_put_u8(&w, (uint8_t)sort);
	kl_put(&w, tag->b, sizeof tag->b);
	return kl_writer_bytes(&w);
}

int
timer_put(struct turn *t, int64_t at_ms, uint32_t sort,
    const struct kl_tag *tag)
{
	uint8_t key[25];

	return kl_kv_put(t->txn, T_TIMER, timer_key(key, at_ms, sort, tag),
	    KL_BYTES_NONE);
}

static int
read_key(struct kl_bytes key, struct timer_due *out)
{
	struct kl_reader r;

	kl_reader_init(&r, key);
	out->at_ms = kl_get_i64(&r);
	out->sort = kl_get_u8(&r);
	kl_get(&r, out->tag.b, sizeof out->tag.b);
	return kl_reader_done(&r) ? KL_OK : KL_E_DAMAGED;
}

int
timer_due(struct turn *t, struct timer_due *out)
{
	struct kl_kv_entry row;
	int err = kl_kv_seek(t->txn, T_TIMER, KL_BYTES_NONE, false, &row);

	if (err != KL_OK || (err = read_key(row.key, out)) != KL_OK)
		return err;
	return out->at_ms <= t->now_ms ? KL_OK : KL_E_NOT_FOUND;
}

int
timer_done(struct turn *t, const struct timer_due *d)
{
	uint8_t key[25];

	return kl_kv_del(t->txn, T_TIMER,
	    timer_key(key, d->at_ms, d->sort, &d->tag));
}

int
timer_count(struct turn *t, int64_t after_ms, int64_t until_ms,
    uint32_t sorts, uint64_t max, uint64_t *n)
{
	/* The last key of that time. */
	struct timer_due d = { .at_ms = after_ms, .sort = UINT8_MAX };
	struct kl_kv_entry row;
	uint8_t key[25];
	int err = KL_OK;

	*n = 0;
	memset(d.tag.b, 0xff, sizeof d.tag.b);
	while (*n < max && (err = kl_kv_seek(t->txn, T_TIMER,
	    timer_key(key, d.at_ms, d.sort, &d.tag), true, &row)) == KL_OK) {
		if ((err = read_key(row.key, &d)) != KL_OK)
			return err;
		if (d.at_ms > until_ms)
			return KL_OK;
		*n += (sorts >> d.sort & 1) != 0;
	}
	return *n == max || err == KL_E_NOT_FOUND ? KL_OK : err;
}
