#include "broker/core/month.h"

#include <string.h>

#include <kortelijn/base/time.h>

#include "broker/core/month_gone.h"
#include "broker/core/tables.h"

#define LEAF_HEAD (sizeof(struct kl_hash) + 4)	/* hash, month */

/* Where the cutting is: first leaf that may hold a record 8, last month that
 * is to be cut 4. Without it nothing is to be cut. */
static const char meta_cut[] = "cut";

uint32_t
month_of(int64_t now_ms)
{
	int y, m, d;

	kl_day_split(kl_day_of(now_ms), &y, &m, &d);
	return (uint32_t)(y * 12 + m);
}

int32_t
month_end(uint32_t month)
{
	/* Read as counted from 0, its number is that of the month after. */
	return kl_day_make((int)(month / 12), (int)(month % 12) + 1, 1);
}

/* ---- rows: slot 4, days kept 4 ----------------------------------------- */

struct row {
	uint32_t slot, days;
};

static struct kl_bytes
row_key(uint8_t buf[4], uint32_t month)
{
	struct kl_writer w;

	kl_writer_init(&w, buf, 4);
	kl_put_u32(&w, month);
	return kl_writer_bytes(&w);
}

static int
row_read(struct kl_bytes v, struct row *out)
{
	struct kl_reader r;

	kl_reader_init(&r, v);
	out->slot = kl_get_u32(&r);
	out->days = kl_get_u32(&r);
	return kl_reader_done(&r) ? KL_OK : KL_E_DAMAGED;
}

static int
row_get(struct kl_kv_txn *txn, uint32_t month, struct row *out)
{
	struct kl_bytes v;
	uint8_t key[4];
	int err = kl_kv_get(txn, T_MONTH, row_key(key, month), &v);

	return err != KL_OK ? err : row_read(v, out);
}

int
month_slot(struct kl_kv_txn *txn, uint32_t month, uint32_t *slot)
{
	struct row row;
	int err = row_get(txn, month, &row);

	if (err == KL_OK)
		*slot = row.slot;
	return err;
}

int
month_make(struct vault *v, struct kl_kv_txn *txn, uint32_t month,
    uint32_t keep_days, uint32_t *slot)
{
	uint8_t key[4], value[8];
	struct kl_writer w;
	int err = month_slot(txn, month, slot);

	if (err != KL_E_NOT_FOUND)
		return err;
	if ((err = vault_take(v, slot)) != KL_OK)
		return err;
	kl_writer_init(&w, value, sizeof value);
	kl_put_u32(&w, *slot);
	kl_put_u32(&w, keep_days);
	return kl_kv_put(txn, T_MONTH, row_key(key, month),
	    kl_writer_bytes(&w));
}

/* ---- terms ------------------------------------------------------------- */

static int32_t
until(uint32_t month, const struct row *row, uint32_t policy_days)
{
	const uint32_t days = row->days == 0 || policy_days < row->days ?
	    policy_days : row->days;

	return month_end(month) + (int32_t)days;
}

int
month_until(struct kl_kv_txn *txn, uint32_t month, uint32_t policy_days,
    int32_t *day)
{
	struct row row;
	int err = row_get(txn, month, &row);

	if (err == KL_OK)
		*day = until(month, &row, policy_days);
	return err;
}

/* The month after the one in `key`, which becomes it. KL_E_NOT_FOUND. */
static int
row_next(struct kl_kv_txn *txn, uint8_t key[4], uint32_t *month,
    struct row *row)
{
	struct kl_kv_entry e;
	struct kl_reader r;
	int err = kl_kv_seek(txn, T_MONTH, kl_bytes(key, 4), true, &e);

	if (err != KL_OK)
		return err;
	kl_reader_init(&r, e.key);
	*month = kl_get_u32(&r);
	if (!kl_reader_done(&r))
		return KL_E_DAMAGED;
	(void)row_key(key, *month);
	return row_read(e.value, row);
}

/* Both look at one row for each month that is kept: some sixty. */
int
month_past(struct kl_kv_txn *txn, int64_t now_ms, uint32_t policy_days,
    uint32_t *month)
{
	const int32_t today = kl_day_of(now_ms);
	uint8_t key[4] = { 0 };
	struct row row;
	int err;

	while ((err = row_next(txn, key, month, &row)) == KL_OK)
		if (until(*month, &row, policy_days) <= today)
			return KL_OK;
	return err;
}

int
month_due(struct kl_kv_txn *txn, int64_t after_ms, int64_t now_ms,
    uint32_t policy_days, uint64_t *n)
{
	const int32_t after = kl_day_of(after_ms), today = kl_day_of(now_ms);
	uint8_t key[4] = { 0 };
	struct row row;
	uint32_t month;
	int err;

	*n = 0;
	while ((err = row_next(txn, key, &month, &row)) == KL_OK) {
		const int32_t day = until(month, &row, policy_days);

		*n += day > after && day <= today;
	}
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

/* ---- cutting ----------------------------------------------------------- */

static int
cut_get(struct kl_kv_txn *txn, uint64_t *leaf, uint32_t *last)
{
	struct kl_reader r;
	struct kl_bytes v;
	int err = kl_kv_get(txn, T_META, kl_bytes_str(meta_cut), &v);

	if (err != KL_OK)
		return err;
	kl_reader_init(&r, v);
	*leaf = kl_get_u64(&r);
	*last = kl_get_u32(&r);
	return kl_reader_done(&r) ? KL_OK : KL_E_DAMAGED;
}

static int
cut_put(struct kl_kv_txn *txn, uint64_t leaf, uint32_t last)
{
	uint8_t buf[12];
	struct kl_writer w;

	kl_writer_init(&w, buf, sizeof buf);
	kl_put_u64(&w, leaf);
	kl_put_u32(&w, last);
	return kl_kv_put(txn, T_META, kl_bytes_str(meta_cut),
	    kl_writer_bytes(&w));
}

static int
leaf_month(struct kl_bytes row, uint32_t *month)
{
	struct kl_reader r;

	kl_reader_init(&r, row);
	(void)kl_get_bytes(&r, sizeof(struct kl_hash));
	*month = kl_get_u32(&r);
	return r.bad ? KL_E_DAMAGED : KL_OK;
}

static int
leaf_get(struct kl_kv_txn *txn, uint64_t leaf, struct kl_bytes *row,
    uint32_t *month)
{
	uint8_t key[8];
	int err;

	kl_be64_put(key, leaf);
	err = kl_kv_get(txn, T_LEAF, KL_BYTES_OF(key), row);
	return err != KL_OK ? err : leaf_month(*row, month);
}

/* The first leaf of this month or a later one. Leaves are in the order of
 * time; what a clock that was set back has put elsewhere is cut with a later
 * month. */
static int
first_of(struct kl_kv_txn *txn, uint32_t month, uint64_t *leaf)
{
	struct kl_kv_entry e;
	uint64_t low = 0, high;
	int err = kl_kv_last(txn, T_LEAF, KL_BYTES_NONE, &e);

	*leaf = 0;
	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	if (e.key.n != 8)
		return KL_E_DAMAGED;
	high = kl_be64(e.key.p);
	while (low < high) {
		const uint64_t middle = low + (high - low) / 2;
		struct kl_bytes row;
		uint32_t of;

		if ((err = leaf_get(txn, middle, &row, &of)) != KL_OK)
			return err == KL_E_NOT_FOUND ? KL_E_DAMAGED : err;
		if (of < month)
			low = middle + 1;
		else
			high = middle;
	}
	*leaf = low;
	return KL_OK;
}

int
month_drop(struct kl_kv_txn *txn, uint32_t month, uint32_t why,
    uint32_t *slot)
{
	uint64_t leaf, first;
	uint32_t last = month;
	uint8_t key[4];
	int err;

	if ((err = month_slot(txn, month, slot)) != KL_OK ||
	    (err = kl_kv_del(txn, T_MONTH, row_key(key, month))) != KL_OK ||
	    (err = month_gone_put(txn, month, why)) != KL_OK ||
	    (err = first_of(txn, month, &first)) != KL_OK)
		return err;
	err = cut_get(txn, &leaf, &last);
	if (err != KL_OK && err != KL_E_NOT_FOUND)
		return err;
	if (err == KL_OK && leaf < first)
		first = leaf;
	return cut_put(txn, first, month > last ? month : last);
}

/* The row of summary.h that tells of this leaf goes with the first record that
 * it tells of. */
static int
cut_summary(struct kl_kv_txn *txn, uint64_t leaf, uint32_t month)
{
	uint8_t key[12];
	struct kl_writer w;
	int err;

	kl_writer_init(&w, key, sizeof key);
	kl_put_u64(&w, leaf / SUMMARY_LEAVES);
	kl_put_u32(&w, month);
	err = kl_kv_del(txn, T_SUMMARY, kl_writer_bytes(&w));
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

/* KL_E_NOT_FOUND: it is of a later month, or not there. */
static int
cut_leaf(struct kl_kv_txn *txn, uint64_t leaf, uint32_t last)
{
	uint8_t key[8], head[LEAF_HEAD];
	struct kl_bytes row;
	uint32_t month, slot;
	int err;

	if ((err = leaf_get(txn, leaf, &row, &month)) != KL_OK)
		return err;
	if (month > last)
		return KL_E_NOT_FOUND;
	memcpy(head, row.p, LEAF_HEAD);
	/* A month between, whose term is longer, keeps its records. */
	err = row.n == LEAF_HEAD ? KL_OK : month_slot(txn, month, &slot);
	if (err != KL_E_NOT_FOUND)
		return err;
	if ((err = cut_summary(txn, leaf, month)) != KL_OK)
		return err;
	kl_be64_put(key, leaf);
	return kl_kv_put(txn, T_LEAF, KL_BYTES_OF(key), KL_BYTES_OF(head));
}

int
month_cut(struct kl_kv_txn *txn, size_t max, bool *more)
{
	uint64_t leaf;
	uint32_t last;
	int err = cut_get(txn, &leaf, &last);

	*more = false;
	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	for (size_t i = 0; i < max; i++, leaf++) {
		err = cut_leaf(txn, leaf, last);
		if (err == KL_E_NOT_FOUND)
			return kl_kv_del(txn, T_META, kl_bytes_str(meta_cut));
		if (err != KL_OK)
			return err;
	}
	*more = true;
	return cut_put(txn, leaf, last);
}
