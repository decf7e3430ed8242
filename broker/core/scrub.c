#include "broker/core/scrub.h"

#include <kortelijn/wire/request.h>

#include "broker/core/month.h"
#include "broker/core/month_gone.h"
#include "broker/core/tree.h"

/* One call: the slot of a month is asked for once. */
struct walk {
	struct vault *vault;
	struct kl_kv_txn *txn;
	struct kl_arena *mem;
	uint32_t month, slot;		/* of the leaf before; 0: none */
};

void
scrub_begin(struct scrub *s)
{
	kl_range_init(&s->at);
	s->erased = 0;
}

/* Which key it lies under. *none: under one that was destroyed with its month;
 * what is left of it is taken away in time. */
static int
slot_of(struct walk *w, uint32_t month, bool *none)
{
	uint32_t why;
	int err;

	*none = false;
	if (month == w->month)
		return KL_OK;
	if ((err = month_slot(w->txn, month, &w->slot)) == KL_OK) {
		w->month = month;
		return KL_OK;
	}
	if (err != KL_E_NOT_FOUND)
		return err;
	*none = true;
	err = month_gone_why(w->txn, month, &why);
	return err == KL_E_NOT_FOUND ? KL_E_DAMAGED : err;
}

/* What does not open under the month's key may be from before that month got
 * another one. */
static int
not_opened(struct walk *w, uint32_t month, bool *none)
{
	uint32_t why;

	*none = month_gone_why(w->txn, month, &why) == KL_OK;
	return *none ? KL_OK : KL_E_DAMAGED;
}

static int
record_check(struct walk *w, uint64_t index, const struct leaf_row *row,
    bool *none)
{
	struct leaf_plain plain;
	struct kl_hash hash;
	int err;

	*none = row->sealed.n == 0;
	if (*none)
		return KL_OK;
	if ((err = slot_of(w, row->month, none)) != KL_OK || *none)
		return err;
	err = leaf_open(w->vault, w->slot, index, row->sealed, w->mem,
	    &plain);
	if (err == KL_E_DAMAGED || err == KL_E_NOT_FOUND)
		return not_opened(w, row->month, none);
	if (err != KL_OK)
		return err;
	hash = kl_record_leaf_hash(plain.salt, plain.record);
	return kl_bytes_equal(KL_BYTES_OF(hash), KL_BYTES_OF(row->hash)) ?
	    KL_OK : KL_E_DAMAGED;
}

static int
leaf_check(struct scrub *s, struct walk *w)
{
	struct leaf_row row;
	bool none;
	int err = leaf_get(w->txn, s->at.size, &row);

	if (err == KL_OK)
		err = record_check(w, s->at.size, &row, &none);
	if (err == KL_OK)
		err = tree_follow(w->txn, &s->at, &row.hash);
	if (err == KL_OK)
		s->erased += none;
	return err == KL_E_NOT_FOUND ? KL_E_DAMAGED : err;
}

int
scrub_read(struct scrub *s, struct vault *v, struct kl_kv_txn *txn,
    uint64_t end, uint64_t max, struct kl_arena *mem)
{
	const size_t mark = kl_arena_mark(mem);
	struct walk w = { .vault = v, .txn = txn, .mem = mem };
	int err = KL_OK;

	while (err == KL_OK && s->at.size < end && max-- > 0) {
		err = leaf_check(s, &w);
		kl_arena_release(mem, mark);
	}
	return err;
}
