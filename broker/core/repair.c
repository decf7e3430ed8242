#include "broker/core/repair.h"

#include <string.h>

#include "broker/core/month.h"
#include "broker/core/month_gone.h"
#include "broker/core/tables.h"

#define CUT_LEAVES 4096

/* A slot that was zeroed is none: that has its errand already. */
static bool
broken(struct turn *t, uint32_t slot)
{
	struct kl_slot_key key;
	bool yes;

	if (slot == KL_SLOT_NONE ||
	    kl_slots_mark_used(t->vault->slots, slot) != KL_E_DAMAGED)
		return false;
	yes = kl_slots_key(t->vault->slots, slot, &key) == KL_E_DAMAGED;
	kl_wipe(&key, sizeof key);
	return yes;
}

/* Row after row of a table whose value begins with a slot: the next one whose
 * slot is broken. KL_E_NOT_FOUND. */
struct walk {
	char table;
	uint8_t key[32];
	size_t n;
	uint32_t slot;
};

static int
walk_next(struct turn *t, struct walk *w)
{
	struct kl_kv_entry row;
	struct kl_reader r;
	int err;

	while ((err = kl_kv_seek(t->txn, w->table, kl_bytes(w->key, w->n),
	    w->n != 0, &row)) == KL_OK) {
		if (row.key.n > sizeof w->key)
			return KL_E_DAMAGED;
		w->n = row.key.n;
		memcpy(w->key, row.key.p, w->n);
		kl_reader_init(&r, row.value);
		w->slot = kl_get_u32(&r);
		if (r.bad)
			return KL_E_DAMAGED;
		if (broken(t, w->slot))
			return KL_OK;
	}
	return err;
}

/* Before the month gets another key, or they would seem to lie under it. */
static int
records_cut(struct turn *t)
{
	bool more = true;
	int err = KL_OK;

	while (err == KL_OK && more)
		err = month_cut(t->txn, CUT_LEAVES, &more);
	return err;
}

/* Or they would seem to lie under what gets the slot of their month next. */
static int
withdrawals(struct turn *t, struct repair *n)
{
	struct walk w = { .table = T_WITHDRAWAL };
	int err;

	while ((err = walk_next(t, &w)) == KL_OK) {
		err = kl_kv_del(t->txn, T_WITHDRAWAL, kl_bytes(w.key, w.n));
		if (err != KL_OK)
			return err;
		n->withdrawals++;
	}
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

int
repair_months(struct turn *t, struct repair *n)
{
	struct walk w = { .table = T_MONTH };
	struct kl_reader r;
	uint32_t slot;
	int err;

	if ((err = withdrawals(t, n)) != KL_OK)
		return err;
	while ((err = walk_next(t, &w)) == KL_OK) {
		kl_reader_init(&r, kl_bytes(w.key, w.n));
		err = month_drop(t->txn, kl_get_u32(&r), MONTH_UNTOLD,
		    &slot);
		if (err == KL_OK)
			err = mailbox_erase_later(t, slot);
		if (err != KL_OK)
			return err;
		n->months++;
	}
	if (err != KL_E_NOT_FOUND)
		return err;
	return n->months == 0 ? KL_OK : records_cut(t);
}

int
repair_tell(struct turn *t)
{
	struct kl_record rec;
	struct journal_leaf leaf;
	uint32_t month = 0;
	int err;

	while ((err = month_gone_next(t->txn, MONTH_UNTOLD, &month)) ==
	    KL_OK) {
		rec = (struct kl_record){ .event = KL_EV_MONTH_LOST,
			.count = month };
		err = journal_append(t->journal, t->txn, t->now_ms, &rec,
		    t->mem, &leaf);
		if (err == KL_OK)
			err = month_gone_put(t->txn, month, MONTH_LOST);
		if (err != KL_OK)
			return err;
	}
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

/* Of its rows only those are found whose key is its tag or its slot; the
 * others lead to nothing. Its messages end at their term. */
static int
conversations(struct turn *t, struct repair *n)
{
	struct walk w = { .table = T_CONV };
	struct conversation c = { .n_onward = 0 };
	int err;

	while ((err = walk_next(t, &w)) == KL_OK) {
		if (w.n != sizeof c.tag.b)
			return KL_E_DAMAGED;
		memcpy(c.tag.b, w.key, sizeof c.tag.b);
		c.slot = w.slot;
		if ((err = conversation_drop(t, &c)) != KL_OK ||
		    (err = mailbox_erase_later(t, c.slot)) != KL_OK)
			return err;
		n->conversations++;
	}
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

/* Without the record of its accept no receiver takes it. */
static bool
record_lost(struct turn *t, const struct message *m)
{
	struct kl_bytes logged;

	return (m->state == KL_MSG_ACCEPTED || m->state == KL_MSG_RELEASED) &&
	    journal_logged(t->journal, t->txn, m->leaf, t->mem, &logged) ==
	    KL_E_NOT_FOUND;
}

static int
messages(struct turn *t, struct registry *r, struct repair *n)
{
	const size_t mark = kl_arena_mark(t->mem);
	struct kl_tag after = { { 0 } };
	struct message m;
	bool first = true;
	int err;

	while ((err = message_next(t, &after, first, &m)) == KL_OK) {
		first = false;
		after = m.tag;
		if (!broken(t, m.slot) &&
		    (n->months == 0 || !record_lost(t, &m)))
			continue;
		if ((err = retain_end_found(t, r, &m,
		    KL_C_BROKER_DAMAGE)) != KL_OK)
			return err;
		n->messages++;
		kl_arena_release(t->mem, mark);
	}
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

int
repair_rest(struct turn *t, struct registry *r, struct repair *n)
{
	int err = conversations(t, n);

	return err != KL_OK ? err : messages(t, r, n);
}
