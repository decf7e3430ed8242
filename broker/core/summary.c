#include "broker/core/summary.h"

#include <string.h>

#include <kortelijn/crypto/hash.h>

#include "broker/core/month.h"

#define DAY_MINUTES 1440
#define KEY_BYTES 12		/* tile 8, month 4 */
#define KINDS 4			/* and events, outcomes, roles: as packed */
#define OUTCOMES 4

_Static_assert(KL_EV_LAST < 256, "an event has a byte");
_Static_assert(KL_FEEDBACK < KINDS, "a kind has two bits");

static struct kl_bytes
row_key(uint8_t buf[KEY_BYTES], uint64_t tile, uint32_t month)
{
	struct kl_writer w;

	kl_writer_init(&w, buf, KEY_BYTES);
	kl_put_u64(&w, tile);
	kl_put_u32(&w, month);
	return kl_writer_bytes(&w);
}

/* A month of 31 days has 44,640 minutes: the minute of one has two bytes. */
static int64_t
month_minute(uint32_t month)
{
	return (int64_t)month_end(month - 1) * DAY_MINUTES;
}

struct summary_id
summary_id(const struct kl_id *id)
{
	struct summary_id out = { { 0 } };
	struct kl_hash h;

	if (kl_id_none(id))
		return out;
	/* Ids begin alike: their digits are spread. */
	h = kl_hash_of(KL_BYTES_OF(*id));
	memcpy(out.b, h.b, sizeof out.b);
	return out;
}

/* ---- the row that grows ------------------------------------------------- */

void
summary_note(struct summary *s, uint64_t leaf, uint32_t month,
    const struct kl_record *r)
{
	const struct summary_id from = summary_id(&r->org_from);
	const struct summary_id to = summary_id(&r->org_to);
	const size_t i = leaf % SUMMARY_LEAVES;
	struct kl_writer w;

	s->at[i].leaf = leaf + 1;
	s->at[i].month = month;
	kl_writer_init(&w, s->at[i].b, SUMMARY_BYTES);
	kl_put_u8(&w, (uint8_t)r->event);
	kl_put_u8(&w, (uint8_t)(r->kind + KINDS * (r->outcome +
	    OUTCOMES * r->actor_role)));
	kl_put_u16(&w, (uint16_t)(r->time_minute - month_minute(month)));
	kl_put(&w, from.b, sizeof from.b);
	kl_put(&w, to.b, sizeof to.b);
	kl_put(&w, r->conv_ref.b, sizeof(struct summary_conv));
	kl_put(&w, r->msg_ref.b, sizeof(struct summary_msg));
}

bool
summary_noted(const struct summary *s, uint64_t leaf)
{
	return s->at[leaf % SUMMARY_LEAVES].leaf == leaf + 1;
}

static int
write_month(const struct summary *s, struct vault *v, struct kl_kv_txn *txn,
    uint64_t tile, uint32_t month, struct kl_arena *mem)
{
	uint8_t plain[SUMMARY_LEAVES * SUMMARY_BYTES] = { 0 };
	uint8_t key[KEY_BYTES];
	struct kl_bytes sealed;
	uint32_t slot;
	int err = month_slot(txn, month, &slot);

	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	for (size_t i = 0; i < SUMMARY_LEAVES; i++)
		if (s->at[i].month == month && summary_noted(s,
		    tile * SUMMARY_LEAVES + i))
			memcpy(plain + i * SUMMARY_BYTES, s->at[i].b,
			    SUMMARY_BYTES);
	err = vault_seal(v, slot, T_SUMMARY, row_key(key, tile, month),
	    KL_BYTES_OF(plain), mem, &sealed);
	return err != KL_OK ? err : kl_kv_put(txn, T_SUMMARY,
	    row_key(key, tile, month), sealed);
}

/* Is this leaf the first one of its month in its row? */
static bool
month_begins(const struct summary *s, uint64_t tile, size_t i)
{
	if (!summary_noted(s, tile * SUMMARY_LEAVES + i))
		return false;
	for (size_t j = 0; j < i; j++)
		if (s->at[j].month == s->at[i].month &&
		    summary_noted(s, tile * SUMMARY_LEAVES + j))
			return false;
	return true;
}

int
summary_write(const struct summary *s, struct vault *v, struct kl_kv_txn *txn,
    uint64_t tile, struct kl_arena *mem)
{
	const size_t mark = kl_arena_mark(mem);
	int err = KL_OK;

	for (size_t i = 0; i < SUMMARY_LEAVES && err == KL_OK; i++)
		if (month_begins(s, tile, i)) {
			err = write_month(s, v, txn, tile, s->at[i].month,
			    mem);
			kl_arena_release(mem, mark);
		}
	return err;
}

/* ---- rows in the store -------------------------------------------------- */

int
summary_next(struct kl_kv_txn *txn, uint64_t tile, uint32_t month,
    struct summary_row *out)
{
	uint8_t key[KEY_BYTES];
	struct kl_kv_entry e;
	struct kl_reader r;
	int err = kl_kv_seek(txn, T_SUMMARY, row_key(key, tile, month), false,
	    &e);

	if (err != KL_OK)
		return err;
	kl_reader_init(&r, e.key);
	out->tile = kl_get_u64(&r);
	out->month = kl_get_u32(&r);
	out->sealed = e.value;
	return kl_reader_done(&r) ? KL_OK : KL_E_DAMAGED;
}

int
summary_open(struct vault *v, struct kl_kv_txn *txn,
    const struct summary_row *row, struct kl_arena *mem, struct kl_bytes *out)
{
	uint8_t key[KEY_BYTES];
	uint32_t slot;
	int err = month_slot(txn, row->month, &slot);

	if (err == KL_OK)
		err = vault_open(v, slot, T_SUMMARY,
		    row_key(key, row->tile, row->month), row->sealed, mem,
		    out);
	if (err == KL_OK && out->n != SUMMARY_LEAVES * SUMMARY_BYTES)
		err = KL_E_DAMAGED;
	return err;
}

void
summary_read(const struct summary_row *row, struct kl_bytes opened, size_t i,
    struct summary_record *out)
{
	struct kl_reader r;
	uint32_t packed;

	kl_reader_init(&r, kl_bytes(opened.p + i * SUMMARY_BYTES,
	    SUMMARY_BYTES));
	out->event = kl_get_u8(&r);
	packed = kl_get_u8(&r);
	out->kind = packed % KINDS;
	out->outcome = packed / KINDS % OUTCOMES;
	out->role = packed / KINDS / OUTCOMES;
	out->minute = month_minute(row->month) + kl_get_u16(&r);
	kl_get(&r, out->from.b, sizeof out->from.b);
	kl_get(&r, out->to.b, sizeof out->to.b);
	kl_get(&r, out->conv.b, sizeof out->conv.b);
	kl_get(&r, out->msg.b, sizeof out->msg.b);
}
