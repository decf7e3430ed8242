#include "broker/core/journal.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/secret.h>

#include "broker/core/leaf.h"
#include "broker/core/month.h"
#include "broker/core/tables.h"
#include "broker/core/tree.h"

static const char meta_tree[] = "tree";
static const char meta_origin[] = "origin";
static const char meta_previous[] = "previous";

static struct kl_bytes
index_key(uint8_t buf[8], uint64_t index)
{
	kl_be64_put(buf, index);
	return kl_bytes(buf, 8);
}

/* ---- leaves -------------------------------------------------------------- */

/* Leaf row: hash 32, month 4, sealed (salt 32, record). */
static int
put_leaf(struct journal *j, struct kl_kv_txn *txn,
    const struct kl_hash *hash, const struct journal_leaf *leaf,
    struct kl_arena *mem)
{
	uint8_t plain[32 + KL_RECORD_MAX], row[1024], key[8];
	struct kl_bytes sealed;
	struct kl_writer w;
	int err;

	kl_writer_init(&w, plain, sizeof plain);
	kl_put(&w, leaf->salt, sizeof leaf->salt);
	kl_put_bytes(&w, leaf->record);
	err = vault_seal(j->vault, j->month_slot, T_LEAF,
	    index_key(key, leaf->index), kl_writer_bytes(&w), mem, &sealed);
	if (err != KL_OK)
		return err;
	kl_writer_init(&w, row, sizeof row);
	kl_put(&w, hash->b, sizeof hash->b);
	kl_put_u32(&w, j->month);
	kl_put_bytes(&w, sealed);
	return kl_kv_put(txn, T_LEAF, index_key(key, leaf->index),
	    kl_writer_bytes(&w));
}

/* What was written before the start is read again; what is no more is left
 * out. */
static int
summary_fill(struct journal *j, struct kl_kv_txn *txn, uint64_t leaf,
    struct kl_arena *mem)
{
	struct journal_leaf l;
	struct kl_record r;
	uint32_t month;
	int err = journal_month(txn, leaf, &month);

	if (err == KL_OK)
		err = journal_record(j, txn, leaf, mem, &l);
	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	if (KL_STATEMENT_READ(KL_S_RECORD, l.record, mem, &r) != KL_C_OK)
		return KL_E_DAMAGED;
	summary_note(&j->summary, leaf, month, &r);
	return KL_OK;
}

/* 256 leaves are full. */
static int
put_summary(struct journal *j, struct kl_kv_txn *txn, struct kl_arena *mem)
{
	const uint64_t first = j->range.size - SUMMARY_LEAVES;
	const size_t mark = kl_arena_mark(mem);
	int err = KL_OK;

	for (size_t i = 0; i < SUMMARY_LEAVES && err == KL_OK; i++) {
		if (summary_noted(&j->summary, first + i))
			continue;
		err = summary_fill(j, txn, first + i, mem);
		kl_arena_release(mem, mark);
	}
	return err != KL_OK ? err : summary_write(&j->summary, j->vault, txn,
	    first / SUMMARY_LEAVES, mem);
}

int
journal_append(struct journal *j, struct kl_kv_txn *txn, int64_t now_ms,
    struct kl_record *r, struct kl_arena *mem, struct journal_leaf *out)
{
	uint32_t month = month_of(now_ms);
	uint8_t record[KL_RECORD_MAX];
	struct kl_hash hash;
	size_t n;
	int err;

	r->version = 1;
	r->time_minute = now_ms / KL_MINUTE_MS;
	if (r->actor_role == 0) {
		r->actor_role = KL_BROKER;
		r->actor_key_id = j->key_id;
	}
	if (r->outcome == 0)
		r->outcome = 1;
	if (r->reason == 0)
		r->reason = KL_C_OK;
	if (r->count == 0)
		r->count = 1;
	if (month != j->month) {
		err = month_make(j->vault, txn, month, j->keep_days,
		    &j->month_slot);
		if (err != KL_OK)
			return err;
		j->month = month;
	}
	err = KL_STATEMENT_PACK(KL_S_RECORD, r, record, sizeof record, &n);
	if (err != KL_OK)
		return err;
	out->index = j->range.size;
	if ((err = kl_arena_copy(mem, kl_bytes(record, n), &out->record)) !=
	    KL_OK)
		return err;
	kl_random_draw(&j->vault->random, out->salt, sizeof out->salt);
	hash = kl_record_leaf_hash(out->salt, out->record);
	if ((err = put_leaf(j, txn, &hash, out, mem)) != KL_OK ||
	    (err = tree_append(txn, &j->range, &hash)) != KL_OK)
		return err;
	summary_note(&j->summary, out->index, month, r);
	return j->range.size % SUMMARY_LEAVES == 0 ?
	    put_summary(j, txn, mem) : KL_OK;
}

int
journal_month(struct kl_kv_txn *txn, uint64_t index, uint32_t *month)
{
	struct leaf_row row;
	int err = leaf_get(txn, index, &row);

	if (err == KL_OK)
		*month = row.month;
	return err;
}

int
journal_record(struct journal *j, struct kl_kv_txn *txn, uint64_t index,
    struct kl_arena *mem, struct journal_leaf *out)
{
	uint32_t slot = j->month_slot;
	struct leaf_plain plain;
	struct leaf_row row;
	int err;

	memset(out, 0, sizeof *out);
	out->index = index;
	if ((err = leaf_get(txn, index, &row)) != KL_OK)
		return err;
	if (row.sealed.n == 0)
		return KL_E_NOT_FOUND;
	if (row.month != j->month &&
	    (err = month_slot(txn, row.month, &slot)) != KL_OK)
		return err;
	err = leaf_open(j->vault, slot, index, row.sealed, mem, &plain);
	if (err != KL_OK)
		return err;
	memcpy(out->salt, plain.salt, sizeof out->salt);
	out->record = plain.record;
	return KL_OK;
}

int
journal_logged(struct journal *j, struct kl_kv_txn *txn, uint64_t index,
    struct kl_arena *mem, struct kl_bytes *out)
{
	struct kl_logged l = { .leaf = index };
	struct journal_leaf leaf;
	int err;

	*out = KL_BYTES_NONE;
	if ((err = journal_record(j, txn, index, mem, &leaf)) != KL_OK)
		return err;
	memcpy(l.salt, leaf.salt, sizeof l.salt);
	l.record = leaf.record;
	return KL_MESSAGE_PACK_IN(KL_M_LOGGED, &l, mem, out);
}

int
journal_until(struct kl_kv_txn *txn, uint64_t index, uint32_t policy_days,
    int32_t *day)
{
	struct leaf_row row;
	int err = leaf_get(txn, index, &row);

	return err != KL_OK ? err :
	    month_until(txn, row.month, policy_days, day);
}

/* ---- the tree's state ---------------------------------------------------- */

static int
put_text(struct kl_kv_txn *txn, const char *name, const char *text)
{
	return kl_kv_put(txn, T_META, kl_bytes_str(name), kl_bytes_str(text));
}

static int
get_text(struct kl_kv_txn *txn, const char *name, char *out, size_t cap)
{
	struct kl_bytes v;
	int err = kl_kv_get(txn, T_META, kl_bytes_str(name), &v);

	if (err != KL_OK)
		return err;
	if (v.n >= cap)
		return KL_E_DAMAGED;
	memcpy(out, v.p, v.n);
	out[v.n] = '\0';
	return KL_OK;
}

int
journal_save(struct journal *j, struct kl_kv_txn *txn)
{
	uint8_t buf[8 + sizeof j->range.h];
	struct kl_writer w;

	if (j->range.size == j->committed.size)
		return KL_OK;
	kl_writer_init(&w, buf, sizeof buf);
	kl_put_u64(&w, j->range.size);
	kl_put(&w, j->range.h, j->range.n * sizeof j->range.h[0]);
	return kl_kv_put(txn, T_META, kl_bytes_str(meta_tree),
	    kl_writer_bytes(&w));
}

void
journal_committed(struct journal *j)
{
	j->committed = j->range;
}

void
journal_undo(struct journal *j)
{
	j->range = j->committed;
	/* The month's slot may have been taken in the undone turn. */
	j->month = 0;
}

int
journal_load(struct journal *j, struct kl_kv_txn *txn)
{
	struct kl_reader r;
	struct kl_bytes v;
	int err;

	if ((err = get_text(txn, meta_origin, j->origin,
	    sizeof j->origin)) != KL_OK)
		return KL_E_DAMAGED;
	err = get_text(txn, meta_previous, j->previous.b,
	    sizeof j->previous.b);
	if (err == KL_E_NOT_FOUND)
		j->previous.b[0] = '\0';
	else if (err != KL_OK)
		return err;
	err = kl_kv_get(txn, T_META, kl_bytes_str(meta_tree), &v);
	if (err != KL_OK)
		return KL_E_DAMAGED;
	kl_reader_init(&r, v);
	kl_range_init(&j->range);
	j->range.size = kl_get_u64(&r);
	j->range.n = (uint32_t)__builtin_popcountll(j->range.size);
	if (r.n != j->range.n * sizeof j->range.h[0])
		return KL_E_DAMAGED;
	kl_get(&r, j->range.h, r.n);
	j->committed = j->range;
	kl_range_init(&j->checked);
	scrub_begin(&j->read);
	j->whole = false;
	return kl_reader_done(&r) ? KL_OK : KL_E_DAMAGED;
}

/* Younger than the one before, if any is known: whoever saw both can tell
 * which of the two goes on. */
static void
make_origin(struct journal *j, int64_t now_ms, const struct kl_note *before)
{
	const char *after = j->after;
	struct kl_checkpoint c;
	struct kl_origin o;
	uint8_t bits[5];

	if (kl_note_verify(kl_bytes_str(before->b), &j->pk, &c) == KL_OK &&
	    kl_origin_older(after, c.origin))
		after = c.origin;
	kl_random(bits, sizeof bits);
	o = kl_origin_make(&j->broker, now_ms, after, bits);
	memcpy(j->origin, o.b, sizeof j->origin);
}

int
journal_create(struct journal *j, struct kl_kv_txn *txn, int64_t now_ms,
    const struct kl_note *previous, struct kl_arena *mem)
{
	struct kl_record r = { .event = KL_EV_ORIGIN };
	struct journal_leaf leaf;
	int err;

	make_origin(j, now_ms, previous);
	kl_range_init(&j->range);
	kl_range_init(&j->committed);
	kl_range_init(&j->checked);
	scrub_begin(&j->read);
	j->whole = false;
	j->previous = *previous;
	if (previous->b[0] != '\0') {
		r.body_hash = kl_hash_of(kl_bytes_str(previous->b));
		err = put_text(txn, meta_previous, previous->b);
		if (err != KL_OK)
			return err;
	}
	if ((err = put_text(txn, meta_origin, j->origin)) != KL_OK)
		return err;
	err = journal_append(j, txn, now_ms, &r, mem, &leaf);
	return err != KL_OK ? err : journal_save(j, txn);
}
