#include "broker/core/erase.h"

#include <string.h>

#include "broker/core/message.h"
#include "broker/core/tables.h"

/* ---- what ended -------------------------------------------------------- */

/* Has the row the byte that asks for it? */
static void
read_back_later(struct erasing *e, struct kl_bytes tags, uint32_t slot)
{
	if (tags.n > 0 && tags.n % sizeof(struct kl_tag) == 1 &&
	    tags.p[tags.n - 1] == ERASING_READ_BACK)
		e->read_back[e->n_read_back++] = slot;
}

static int
sync_and_read_back(struct turn *t, const struct erasing *e)
{
	int r = kl_slots_sync(t->vault->slots);

	for (size_t i = 0; i < e->n_read_back && r == KL_OK; i++)
		r = kl_slots_verify_zero(t->vault->slots, e->read_back[i]);
	return r;
}

int
erase_slots(struct turn *t, struct erasing *e)
{
	struct kl_kv_entry row;
	struct kl_reader in;
	uint8_t key[4];
	int r = KL_OK;

	e->n = e->n_read_back = 0;
	while (e->n < ERASE_MAX) {
		uint32_t last = e->n == 0 ? 0 : e->slot[e->n - 1];

		r = kl_kv_seek(t->txn, T_ERASING, vault_slot_key(key, last),
		    e->n != 0, &row);
		if (r != KL_OK)
			break;
		kl_reader_init(&in, row.key);
		e->slot[e->n] = kl_get_u32(&in);
		read_back_later(e, row.value, e->slot[e->n]);
		r = vault_zero(t->vault, e->slot[e->n]);
		if (r != KL_OK)
			return r;
		e->n++;
	}
	if (r != KL_OK && r != KL_E_NOT_FOUND)
		return r;
	return e->n == 0 ? KL_OK : sync_and_read_back(t, e);
}

/* Of a conversation nothing is left that could be named. */
static int
erase_log_conversation(struct turn *t)
{
	struct kl_record rec = { .event = KL_EV_ERASED,
		.new_state = KL_MSG_ERASED };
	struct journal_leaf leaf;

	return journal_append(t->journal, t->txn, t->now_ms, &rec, t->mem,
	    &leaf);
}

static int
erase_log_message(struct turn *t, struct kl_bytes tags)
{
	struct kl_record rec = { .event = KL_EV_ERASED };
	struct kl_tag tag, conv;
	struct conversation c;
	struct journal_leaf leaf;
	struct message m;
	struct kl_reader in;
	int r;

	kl_reader_init(&in, tags);
	kl_get(&in, tag.b, sizeof tag.b);
	kl_get(&in, conv.b, sizeof conv.b);
	if (in.bad)
		return KL_E_DAMAGED;
	if ((r = conversation_get(t, &conv, &c)) == KL_OK)
		r = message_get(t, &tag, &c, &m);
	/* What was forgotten meanwhile stops no turn. */
	if (r == KL_E_NOT_FOUND)
		return erase_log_conversation(t);
	if (r != KL_OK)
		return r;
	rec.prev_state = m.state;
	rec.new_state = KL_MSG_ERASED;
	if ((r = message_log(t, &c, &m, &rec, &leaf)) != KL_OK)
		return r;
	m.erased_leaf = leaf.index;
	return message_put(t, &c, &m);
}

static int
erase_log_one(struct turn *t, uint32_t slot)
{
	struct kl_bytes v;
	uint8_t key[4];
	int r;

	r = kl_kv_get(t->txn, T_ERASING, vault_slot_key(key, slot), &v);
	if (r != KL_OK)
		return r;
	r = v.n == 0 ? erase_log_conversation(t) : erase_log_message(t, v);
	return r != KL_OK ? r :
	    kl_kv_del(t->txn, T_ERASING, vault_slot_key(key, slot));
}

int
erase_log(struct turn *t, const struct erasing *e)
{
	const size_t mark = kl_arena_mark(t->mem);
	int r = KL_OK;

	for (size_t i = 0; i < e->n && r == KL_OK; i++) {
		r = erase_log_one(t, e->slot[i]);
		kl_arena_release(t->mem, mark);
	}
	return r;
}

/* ---- start ------------------------------------------------------------- */

static int
mark_one(struct turn *t, uint32_t slot)
{
	struct kl_slot_key key;
	int r;

	if (slot == KL_SLOT_NONE)
		return KL_OK;
	r = kl_slots_mark_used(t->vault->slots, slot);
	if (r != KL_E_DAMAGED)
		return r;
	/* One that was zeroed but not yet logged stays so. */
	if (kl_slots_key(t->vault->slots, slot, &key) == KL_E_DAMAGED)
		t->vault->broken++;
	kl_wipe(&key, sizeof key);
	return KL_OK;
}

/* The slot stands in the row behind `offset` bytes, or is the key. */
static int
mark_table(struct turn *t, char table, bool in_key, size_t offset)
{
	uint8_t last[32];
	struct kl_kv_entry row;
	size_t n = 0;
	int r;

	while ((r = kl_kv_seek(t->txn, table, kl_bytes(last, n), n != 0,
	    &row)) == KL_OK) {
		struct kl_reader in;
		uint32_t slot;

		kl_reader_init(&in, in_key ? row.key : row.value);
		(void)kl_get_bytes(&in, offset);
		slot = kl_get_u32(&in);
		if (in.bad || row.key.n > sizeof last)
			return KL_E_DAMAGED;
		n = row.key.n;
		memcpy(last, row.key.p, n);
		if ((r = mark_one(t, slot)) != KL_OK)
			return r;
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

int
erase_mark_slots(struct turn *t)
{
	int r = mark_table(t, T_MESSAGE, false, 1);

	if (r == KL_OK)
		r = mark_table(t, T_CONV, false, 0);
	if (r == KL_OK)
		r = mark_table(t, T_ERASING, true, 0);
	return r != KL_OK ? r : mark_table(t, T_MONTH, false, 0);
}
