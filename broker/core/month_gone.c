#include "broker/core/month_gone.h"

#include <string.h>

#include "broker/core/tables.h"

/* Rows of T_META: "gone", month 4 -> why 1. */
static const char word[] = "gone";
#define WORD_BYTES (sizeof word - 1)

struct key { uint8_t b[WORD_BYTES + 4]; };

static struct key
key_of(uint32_t month)
{
	struct kl_writer w;
	struct key k;

	kl_writer_init(&w, k.b, sizeof k.b);
	kl_put(&w, word, WORD_BYTES);
	kl_put_u32(&w, month);
	return k;
}

static uint32_t
month_in(const struct key *k)
{
	struct kl_reader r;

	kl_reader_init(&r, KL_BYTES_OF(k->b));
	(void)kl_get_bytes(&r, WORD_BYTES);
	return kl_get_u32(&r);
}

static int
value_read(struct kl_bytes v, uint32_t *why)
{
	if (v.n != 1)
		return KL_E_DAMAGED;
	*why = v.p[0];
	return KL_OK;
}

int
month_gone_put(struct kl_kv_txn *txn, uint32_t month, uint32_t why)
{
	const struct key key = key_of(month);
	const uint8_t value[1] = { (uint8_t)why };

	return kl_kv_put(txn, T_META, KL_BYTES_OF(key.b),
	    KL_BYTES_OF(value));
}

int
month_gone_why(struct kl_kv_txn *txn, uint32_t month, uint32_t *why)
{
	const struct key key = key_of(month);
	struct kl_bytes v;
	int err = kl_kv_get(txn, T_META, KL_BYTES_OF(key.b), &v);

	return err != KL_OK ? err : value_read(v, why);
}

int
month_gone_next(struct kl_kv_txn *txn, uint32_t why, uint32_t *month)
{
	struct key key = key_of(*month);
	struct kl_kv_entry e;
	uint32_t is = 0;
	int err;

	while ((err = kl_kv_seek(txn, T_META, KL_BYTES_OF(key.b), true,
	    &e)) == KL_OK) {
		if (e.key.n != sizeof key.b ||
		    memcmp(e.key.p, word, WORD_BYTES) != 0)
			return KL_E_NOT_FOUND;
		memcpy(key.b, e.key.p, sizeof key.b);
		if ((err = value_read(e.value, &is)) != KL_OK)
			return err;
		if (is == why)
			break;
	}
	if (err == KL_OK)
		*month = month_in(&key);
	return err;
}
