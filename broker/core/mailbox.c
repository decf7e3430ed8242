#include "broker/core/mailbox.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/secret.h>
#include <kortelijn/crypto/sign.h>

#include "broker/core/tables.h"
#include "broker/core/timer.h"

/* Beside an item's sort: it stays until it is answered. */
#define STAYS 0x80

static const char meta_items[] = "items";

/* ---- what all mailboxes share ------------------------------------------ */

int
mailbox_load(struct mailbox *b, struct kl_kv_txn *txn)
{
	struct kl_bytes v;
	int err = kl_kv_get(txn, T_META, kl_bytes_str(meta_items), &v);

	*b = (struct mailbox){ .items = 0 };
	if (err == KL_E_NOT_FOUND)
		return KL_OK;
	if (err != KL_OK || v.n != 8)
		return err != KL_OK ? err : KL_E_DAMAGED;
	b->items = b->committed = kl_be64(v.p);
	return KL_OK;
}

int
mailbox_save(struct mailbox *b, struct kl_kv_txn *txn)
{
	uint8_t buf[8];

	if (b->items == b->committed)
		return KL_OK;
	kl_be64_put(buf, b->items);
	return kl_kv_put(txn, T_META, kl_bytes_str(meta_items),
	    kl_bytes(buf, 8));
}

static void
touched_clear(struct mailbox *b)
{
	b->n_touched = 0;
	b->touched_more = b->ended = false;
}

void
mailbox_committed(struct mailbox *b)
{
	b->committed = b->items;
	touched_clear(b);
}

void
mailbox_undo(struct mailbox *b)
{
	b->items = b->committed;
	touched_clear(b);
}

static void
touch(struct mailbox *b, uint32_t number)
{
	if (b->n_touched > 0 && b->touched[b->n_touched - 1] == number)
		return;
	if (b->n_touched < MAILBOX_TOUCHED_MAX)
		b->touched[b->n_touched++] = number;
	else
		b->touched_more = true;
}

/* ---- items ------------------------------------------------------------- */

static struct kl_bytes
item_key(uint8_t buf[12], uint32_t number, uint64_t item)
{
	struct kl_writer w;

	kl_writer_init(&w, buf, 12);
	kl_put_u32(&w, number);
	kl_put_u64(&w, item);
	return kl_writer_bytes(&w);
}

static int
put_item(struct turn *t, uint32_t number, uint64_t item, uint32_t sort,
    const struct kl_tag *conv, struct kl_bytes rest)
{
	uint8_t key[12];
	uint8_t *row = kl_arena_alloc(t->mem, 1 + sizeof conv->b + rest.n);
	struct kl_writer w;

	if (row == NULL)
		return KL_E_MEMORY;
	kl_writer_init(&w, row, 1 + sizeof conv->b + rest.n);
	kl_put_u8(&w, (uint8_t)sort);
	kl_put(&w, conv->b, sizeof conv->b);
	kl_put_bytes(&w, rest);
	touch(t->box, number);
	return kl_kv_put(t->txn, T_ITEM, item_key(key, number, item),
	    kl_writer_bytes(&w));
}

/* sort: of the item, with STAYS or not. */
static int
put_statement_at(struct turn *t, const struct conversation *c, uint32_t to,
    uint64_t item, uint32_t sort, struct kl_bytes signed_bytes)
{
	struct kl_bytes sealed;
	uint8_t key[12];
	int r = vault_seal(t->vault, c->slot, T_ITEM, item_key(key, to, item),
	    signed_bytes, t->mem, &sealed);

	if (r != KL_OK)
		return r;
	return put_item(t, to, item, sort, &c->tag, sealed);
}

int
mailbox_put_statement(struct turn *t, const struct conversation *c,
    uint32_t to, uint32_t statement, struct kl_bytes signed_bytes)
{
	return put_statement_at(t, c, to, ++t->box->items, statement + 1,
	    signed_bytes);
}

static int
sign_notice(struct turn *t, const struct kl_notice *n, struct kl_bytes *out)
{
	uint8_t body[KL_STATEMENT_MAX], packed[KL_STATEMENT_MAX];
	struct kl_signed s;
	size_t size;
	int r;

	r = KL_STATEMENT_PACK(KL_NOTICE, n, body, sizeof body, &size);
	if (r != KL_OK)
		return r;
	s.body = kl_bytes(body, size);
	r = kl_sign(KL_LABEL_NOTICE, s.body, t->journal->sk, &s.sig);
	if (r != KL_OK)
		return r;
	r = kl_signed_pack(&s, packed, sizeof packed, &size);
	return r != KL_OK ? r :
	    kl_arena_copy(t->mem, kl_bytes(packed, size), out);
}

static struct kl_notice
notice_of(const struct turn *t, const struct conversation *c,
    uint32_t notice, uint32_t code)
{
	return (struct kl_notice){
		.version = 1, .signer = t->journal->broker,
		.signer_key_id = t->journal->key_id, .notice = notice,
		.conv_id = c->id, .code = code, .at_ms = t->now_ms,
	};
}

static int
make_notice(struct turn *t, const struct conversation *c,
    const struct message *m, uint32_t notice, uint32_t code,
    int64_t due_ms, struct kl_bytes *out)
{
	struct kl_notice n = notice_of(t, c, notice, code);

	n.due_ms = due_ms;
	if (m != NULL)
		n.msg_id = m->id;
	if (notice == KL_NOTICE_GAP)
		n.seq_from = n.seq_to = m->seq;
	return sign_notice(t, &n, out);
}

int
mailbox_put_notice(struct turn *t, const struct conversation *c,
    const struct message *m, uint32_t to, uint32_t notice, uint32_t code)
{
	struct kl_bytes packed;
	int r = make_notice(t, c, m, notice, code, 0, &packed);

	return r != KL_OK ? r :
	    mailbox_put_statement(t, c, to, KL_NOTICE, packed);
}

int
mailbox_put_deadline(struct turn *t, const struct conversation *c,
    const struct message *m, uint32_t to, int64_t due_ms)
{
	struct kl_bytes packed;
	int r = make_notice(t, c, m, KL_NOTICE_DEADLINE, KL_C_OK, due_ms,
	    &packed);

	return r != KL_OK ? r :
	    mailbox_put_statement(t, c, to, KL_NOTICE, packed);
}

int
mailbox_put_escalation(struct turn *t, const struct conversation *c,
    uint32_t to, const struct kl_conv_id *conv, int64_t due_ms)
{
	struct kl_notice n = notice_of(t, c, KL_NOTICE_ESCALATION, KL_C_OK);
	struct kl_bytes packed;
	int r;

	n.conv_id = *conv;
	n.due_ms = due_ms;
	r = sign_notice(t, &n, &packed);
	return r != KL_OK ? r :
	    mailbox_put_statement(t, c, to, KL_NOTICE, packed);
}

int
mailbox_put_erase_request(struct turn *t, const struct conversation *c,
    uint32_t to, const struct mailbox_ask *ask, uint64_t *item)
{
	struct kl_notice n = notice_of(t, c, KL_NOTICE_ERASE_REQUEST,
	    KL_C_OK);
	struct kl_bytes packed;
	int r;

	n.due_ms = ask->due_ms;
	n.withdrawal = ask->withdrawal;
	n.parent = ask->parent;
	if ((r = sign_notice(t, &n, &packed)) != KL_OK)
		return r;
	*item = ++t->box->items;
	return put_statement_at(t, c, to, *item, (KL_NOTICE + 1) | STAYS,
	    packed);
}

int
mailbox_put_gap(struct turn *t, const struct conversation *c,
    const struct message *m)
{
	struct kl_bytes packed;
	int r = make_notice(t, c, m, KL_NOTICE_GAP, KL_C_OK, 0, &packed);

	return r != KL_OK ? r : put_statement_at(t, c, m->receiver, m->item,
	    KL_NOTICE + 1, packed);
}

int
mailbox_next(struct turn *t, uint32_t number, uint64_t after,
    struct mailbox_row *out)
{
	struct kl_kv_entry row;
	struct kl_reader r;
	uint8_t key[12];
	int err = kl_kv_seek(t->txn, T_ITEM, item_key(key, number, after),
	    true, &row);

	memset(out, 0, sizeof *out);
	if (err != KL_OK)
		return err;
	if (row.key.n != 12)
		return KL_E_DAMAGED;
	kl_reader_init(&r, row.key);
	if (kl_get_u32(&r) != number)
		return KL_E_NOT_FOUND;
	out->number = number;
	out->item = kl_get_u64(&r);
	kl_reader_init(&r, row.value);
	out->sort = kl_get_u8(&r);
	out->stays = (out->sort & STAYS) != 0;
	out->sort &= ~(uint32_t)STAYS;
	kl_get(&r, out->conv.b, sizeof out->conv.b);
	if (out->sort == KL_SORT_ENVELOPE)
		kl_get(&r, out->message.b, sizeof out->message.b);
	if (r.bad)
		return KL_E_DAMAGED;
	return kl_arena_copy(t->mem, kl_get_bytes(&r, r.n), &out->sealed);
}

int
mailbox_drop(struct turn *t, const struct mailbox_row *row)
{
	uint8_t key[12];

	return kl_kv_del(t->txn, T_ITEM,
	    item_key(key, row->number, row->item));
}

int
mailbox_may_ack(struct turn *t, uint32_t number, uint64_t item)
{
	struct kl_bytes v;
	uint8_t key[12];
	int err = kl_kv_get(t->txn, T_ITEM, item_key(key, number, item), &v);

	if (err != KL_OK)
		return err;
	return v.n < 1 || v.p[0] == KL_SORT_ENVELOPE ||
	    (v.p[0] & STAYS) != 0 ? KL_E_DENIED : KL_OK;
}

int
mailbox_ack(struct turn *t, uint32_t number, uint64_t item)
{
	uint8_t key[12];
	int err = mailbox_may_ack(t, number, item);

	return err != KL_OK ? err :
	    kl_kv_del(t->txn, T_ITEM, item_key(key, number, item));
}

/* ---- accepting --------------------------------------------------------- */

int
mailbox_accept(struct turn *t, const struct conversation *c,
    const struct kl_envelope *e, struct kl_bytes signed_bytes,
    struct kl_bytes ct, const struct kl_hash *body_hash,
    const struct participant *from, const struct participant *to,
    struct message *out, struct journal_leaf *leaf)
{
	struct kl_record rec = { .event = KL_EV_ACCEPTED,
	    .actor_role = from->role, .new_state = KL_MSG_ACCEPTED,
	    .due_minute = e->header.deliver_by_ms / KL_MINUTE_MS,
	    .actor_key_id = e->header.sender_key_id };
	int r;

	*out = (struct message){
		.tag = vault_tag(t->vault, T_MESSAGE,
		    KL_BYTES_OF(e->header.msg_id)),
		.state = KL_MSG_ACCEPTED, .receiver = to->number,
		.was = KL_SLOT_NONE,
		.body = message_body_tag(t, body_hash), .conv = c->tag,
		.expire_ms = e->header.expire_at_ms,
		.id = e->header.msg_id, .body_hash = *body_hash,
		.from = e->header.sender, .to = e->header.receiver,
		.sender_key_id = e->header.sender_key_id,
		.kind = e->header.kind, .seq = e->header.seq,
		.milestone = e->header.kind == KL_FEEDBACK ?
		    e->header.milestone : 0,
	};
	kl_random(out->ref.b, sizeof out->ref.b);
	if ((r = message_log(t, c, out, &rec, leaf)) != KL_OK)
		return r;
	out->leaf = leaf->index;
	if ((r = vault_take(t->vault, &out->slot)) != KL_OK)
		return r;
	out->item = ++t->box->items;
	if ((r = message_put_blob(t, out, signed_bytes, ct)) != KL_OK)
		return r;
	if ((r = put_item(t, to->number, out->item, KL_SORT_ENVELOPE, &c->tag,
	    KL_BYTES_OF(out->tag))) != KL_OK)
		return r;
	/* One timer at a time: expire_at comes after deliver_by. */
	if ((r = timer_put(t, e->header.deliver_by_ms, TIMER_DELIVER,
	    &out->tag)) != KL_OK)
		return r;
	return message_put_new(t, c, out);
}

/* ---- transitions ------------------------------------------------------- */

static uint32_t
event_of(uint32_t state)
{
	switch (state) {
	case KL_MSG_RELEASED: return KL_EV_RELEASED;
	case KL_MSG_DELIVERED: return KL_EV_DELIVERED;
	case KL_MSG_DEAD: return KL_EV_DEAD;
	case KL_MSG_EXPIRED: return KL_EV_EXPIRED;
	case KL_MSG_WITHDRAWN: return KL_EV_WITHDRAWN;
	case KL_MSG_UNCONFIRMED: return KL_EV_UNCONFIRMED;
	case KL_MSG_LOST: return KL_EV_LOST;
	default: return KL_EV_ERASED;
	}
}

/* The ciphertext is of no use any more: the next turn destroys its key. From
 * here on only the row of that errand knows the slot. */
static int
end_message(struct turn *t, const struct conversation *c, struct message *m,
    bool read_back)
{
	uint8_t key[12], value[2 * sizeof m->tag.b + 1];
	int r;

	r = kl_kv_del(t->txn, T_ITEM, item_key(key, m->receiver, m->item));
	if (r != KL_OK && r != KL_E_NOT_FOUND)
		return r;
	if (m->slot == KL_SLOT_NONE)
		return KL_OK;
	r = kl_kv_del(t->txn, T_BLOB, vault_slot_key(key, m->slot));
	if (r != KL_OK && r != KL_E_NOT_FOUND)
		return r;
	memcpy(value, m->tag.b, sizeof m->tag.b);
	memcpy(value + sizeof m->tag.b, c->tag.b, sizeof c->tag.b);
	value[2 * sizeof m->tag.b] = ERASING_READ_BACK;
	t->box->ended = true;
	r = kl_kv_put(t->txn, T_ERASING, vault_slot_key(key, m->slot),
	    kl_bytes(value, sizeof value - (read_back ? 0 : 1)));
	m->was = m->slot;
	m->slot = KL_SLOT_NONE;
	return r;
}

static int
move(struct turn *t, const struct conversation *c, struct message *m,
    struct kl_record *rec, bool read_back, struct journal_leaf *leaf)
{
	const uint32_t state = rec->new_state;
	int r;

	rec->prev_state = m->state;
	if (state == KL_MSG_DELIVERED)
		rec->due_minute = conversation_answer_due(c, &m->body_hash,
		    t->now_ms) / KL_MINUTE_MS;
	if ((r = message_log(t, c, m, rec, leaf)) != KL_OK)
		return r;
	if (state == KL_MSG_DELIVERED ||
	    (state == KL_MSG_DEAD && m->outcome != 0))
		m->receipt_leaf = leaf->index;
	if (state != KL_MSG_RELEASED &&
	    (r = end_message(t, c, m, read_back)) != KL_OK)
		return r;
	m->state = state;
	return KL_OK;
}

int
mailbox_move(struct turn *t, const struct conversation *c, struct message *m,
    uint32_t state, uint32_t code, const struct kl_key_id *actor,
    uint32_t actor_role, struct journal_leaf *leaf)
{
	struct kl_record rec = { .event = event_of(state),
	    .new_state = state, .reason = code, .actor_role = actor_role };
	struct journal_leaf own;
	int r;

	if (actor != NULL)
		rec.actor_key_id = *actor;
	r = move(t, c, m, &rec, false, leaf != NULL ? leaf : &own);
	return r != KL_OK ? r : message_put(t, c, m);
}

int
mailbox_withdraw(struct turn *t, const struct conversation *c,
    struct message *m, uint32_t code, const struct kl_key_id *actor,
    uint32_t actor_role)
{
	const uint32_t state = m->state == KL_MSG_ACCEPTED ?
	    KL_MSG_WITHDRAWN : KL_MSG_UNCONFIRMED;
	struct kl_record rec = { .event = event_of(state),
	    .new_state = state, .reason = code, .actor_role = actor_role,
	    .actor_key_id = *actor };
	struct journal_leaf leaf;
	int r = move(t, c, m, &rec, true, &leaf);

	return r != KL_OK ? r : message_put(t, c, m);
}

int
mailbox_present(struct turn *t, const struct conversation *c,
    struct message *m, uint32_t state, uint32_t code,
    const struct kl_key_id *actor, uint32_t actor_role)
{
	struct kl_record rec = { .event = KL_EV_PRESENTED,
	    .new_state = state, .reason = code, .actor_role = actor_role,
	    .actor_key_id = *actor };
	const bool fresh = m->state == KL_MSG_NONE;
	struct journal_leaf leaf;
	int r;

	if ((r = move(t, c, m, &rec, false, &leaf)) != KL_OK)
		return r;
	if (!fresh)
		return message_put(t, c, m);
	m->leaf = leaf.index;
	r = timer_put(t, m->expire_ms, TIMER_EXPIRE, &m->tag);
	return r != KL_OK ? r : message_put_new(t, c, m);
}

int
mailbox_end_gone(struct turn *t, struct message *m)
{
	uint8_t key[12];
	int r;

	r = kl_kv_del(t->txn, T_ITEM, item_key(key, m->receiver, m->item));
	if (r == KL_OK || r == KL_E_NOT_FOUND)
		r = kl_kv_del(t->txn, T_BLOB, vault_slot_key(key, m->slot));
	if (r == KL_OK || r == KL_E_NOT_FOUND)
		r = mailbox_erase_later(t, m->slot);
	return r != KL_OK ? r :
	    kl_kv_del(t->txn, T_MESSAGE, KL_BYTES_OF(m->tag));
}

int
mailbox_erase_later(struct turn *t, uint32_t slot)
{
	uint8_t key[4];

	t->box->ended = true;
	return kl_kv_put(t->txn, T_ERASING, vault_slot_key(key, slot),
	    KL_BYTES_NONE);
}

/* ---- rendering --------------------------------------------------------- */

int
mailbox_render(struct turn *t, const struct conversation *c,
    const struct mailbox_row *row, const struct message *m,
    struct kl_bytes *item, struct kl_bytes *ct)
{
	struct kl_item i = { .item = row->item, .sort = row->sort,
		.conv_ref = c->ref };
	uint8_t key[12];
	int r;

	*ct = KL_BYTES_NONE;
	memcpy(i.spoken, c->spoken, sizeof i.spoken);
	if (m == NULL)
		r = vault_open(t->vault, c->slot, T_ITEM,
		    item_key(key, row->number, row->item), row->sealed,
		    t->mem, &i.content);
	else if ((r = message_get_blob(t, m, &i.content, ct)) == KL_OK)
		r = journal_logged(t->journal, t->txn, m->leaf, t->mem,
		    &i.logged);
	return r != KL_OK ? r :
	    KL_MESSAGE_PACK_IN(KL_M_ITEM, &i, t->mem, item);
}
