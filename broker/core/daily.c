#include "broker/core/daily.h"

#include <string.h>

#include <kortelijn/base/time.h>

#include "broker/core/tables.h"

/* Days before 1970 have none. */
static struct kl_bytes
day_key(uint8_t buf[4], int32_t day)
{
	struct kl_writer w;

	kl_writer_init(&w, buf, 4);
	kl_put_u32(&w, day < 0 ? 0 : (uint32_t)day);
	return kl_writer_bytes(&w);
}

static int
day_read(struct kl_bytes key, int32_t *day)
{
	struct kl_reader r;
	uint32_t v;

	kl_reader_init(&r, key);
	v = kl_get_u32(&r);
	if (!kl_reader_done(&r) || v > INT32_MAX)
		return KL_E_DAMAGED;
	*day = (int32_t)v;
	return KL_OK;
}

int
daily_load(struct daily *k, struct kl_kv_txn *txn)
{
	struct kl_kv_entry e;
	int err = kl_kv_last(txn, T_DAILY, KL_BYTES_NONE, &e);

	k->day = k->committed = 0;
	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	err = day_read(e.key, &k->day);
	k->committed = k->day;
	return err;
}

int
daily_put(struct kl_kv_txn *txn, int32_t day, const struct kl_note *note)
{
	uint8_t key[4];

	return kl_kv_put(txn, T_DAILY, day_key(key, day),
	    kl_bytes_str(note->b));
}

int
daily_save(struct daily *k, struct kl_kv_txn *txn, const struct journal *j)
{
	const int32_t day = kl_day_of(j->note_ms);
	struct kl_bytes v;
	uint8_t key[4];
	int err;

	/* What an earlier run has signed is of no day that is known. */
	if (j->note_ms <= 0 || day == k->day)
		return KL_OK;
	err = kl_kv_get(txn, T_DAILY, day_key(key, day), &v);
	if (err == KL_E_NOT_FOUND)
		err = daily_put(txn, day, &j->note);
	if (err == KL_OK)
		k->day = day;
	return err;
}

void
daily_committed(struct daily *k)
{
	k->committed = k->day;
}

void
daily_undo(struct daily *k)
{
	k->day = k->committed;
}

int
daily_from(struct kl_kv_txn *txn, int32_t day, struct kl_note *note,
    int32_t *found)
{
	struct kl_kv_entry e;
	uint8_t key[4];
	int err;

	note->b[0] = '\0';
	err = kl_kv_seek(txn, T_DAILY, day_key(key, day), false, &e);
	if (err == KL_OK)
		err = day_read(e.key, found);
	if (err != KL_OK)
		return err;
	if (e.value.n >= sizeof note->b)
		return KL_E_DAMAGED;
	memcpy(note->b, e.value.p, e.value.n);
	note->b[e.value.n] = '\0';
	return KL_OK;
}
