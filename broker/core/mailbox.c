#include "broker/core/mailbox.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/secret.h>
#include <kortelijn/crypto/sign.h>

#include "broker/core/tables.h"

#define FORGET_AFTER_MS (7 * KL_DAY_MS)		/* repeats: PROTOCOL.md 15 */
#define LATE_RECEIPT_MS (90 * KL_DAY_MS)	/* PROTOCOL.md 15.2 */

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

/* ---- messages: the row ------------------------------------------------- */

struct kl_tag
message_body_tag(struct turn *t, const struct kl_hash *body)
{
	return vault_tag(t->vault, T_MESSAGE, KL_BYTES_OF(*body));
}

int
message_put(struct turn *t, const struct conversation *c,
    const struct message *m)
{
	uint8_t plain[256], row[512];
	struct kl_bytes sealed;
	struct kl_writer p, w;
	int r;

	kl_writer_init(&p, plain, sizeof plain);
	kl_put(&p, m->id.b, sizeof m->id.b);
	kl_put(&p, m->ref.b, sizeof m->ref.b);
	kl_put(&p, m->body_hash.b, sizeof m->body_hash.b);
	kl_put(&p, m->from.b, sizeof m->from.b);
	kl_put(&p, m->to.b, sizeof m->to.b);
	kl_put(&p, m->sender_key_id.b, sizeof m->sender_key_id.b);
	kl_put_u32(&p, m->kind);
	kl_put_u64(&p, m->seq);
	kl_put_u32(&p, m->outcome);
	kl_put_u64(&p, m->receipt_leaf);
	r = vault_seal(t->vault, c->slot, T_MESSAGE, KL_BYTES_OF(m->tag),
	    kl_writer_bytes(&p), t->mem, &sealed);
	if (r != KL_OK)
		return r;
	kl_writer_init(&w, row, sizeof row);
	kl_put_u8(&w, (uint8_t)m->state);
	kl_put_u32(&w, m->slot);
	kl_put_u32(&w, m->receiver);
	kl_put_u64(&w, m->item);
	kl_put_u64(&w, m->leaf);
	kl_put(&w, m->body.b, sizeof m->body.b);
	kl_put(&w, m->conv.b, sizeof m->conv.b);
	kl_put_i64(&w, m->expire_ms);
	kl_put_u8(&w, (uint8_t)m->repeats);
	kl_put_i64(&w, m->repeated_ms);
	kl_put_u64(&w, m->held);
	kl_put_bytes(&w, sealed);
	return kl_kv_put(t->txn, T_MESSAGE, KL_BYTES_OF(m->tag),
	    kl_writer_bytes(&w));
}

static int
read_clear(struct kl_bytes v, struct message *m, struct kl_bytes *sealed)
{
	struct kl_reader r;

	kl_reader_init(&r, v);
	m->state = kl_get_u8(&r);
	m->slot = kl_get_u32(&r);
	m->receiver = kl_get_u32(&r);
	m->item = kl_get_u64(&r);
	m->leaf = kl_get_u64(&r);
	kl_get(&r, m->body.b, sizeof m->body.b);
	kl_get(&r, m->conv.b, sizeof m->conv.b);
	m->expire_ms = kl_get_i64(&r);
	m->repeats = kl_get_u8(&r);
	m->repeated_ms = kl_get_i64(&r);
	m->held = kl_get_u64(&r);
	*sealed = kl_get_bytes(&r, r.n);
	return r.bad ? KL_E_DAMAGED : KL_OK;
}

static int
find(struct turn *t, const struct kl_tag *tag, struct message *out,
    struct kl_bytes *sealed)
{
	const struct kl_tag key = *tag;		/* may be out's own */
	struct kl_bytes v;
	int err;

	memset(out, 0, sizeof *out);
	out->tag = key;
	err = kl_kv_get(t->txn, T_MESSAGE, KL_BYTES_OF(key), &v);
	return err != KL_OK ? err : read_clear(v, out, sealed);
}

int
message_find(struct turn *t, const struct kl_msg_id *id, struct message *out)
{
	struct kl_tag tag = vault_tag(t->vault, T_MESSAGE, KL_BYTES_OF(*id));
	struct kl_bytes sealed;

	return find(t, &tag, out, &sealed);
}

int
message_peek(struct turn *t, const struct kl_tag *tag, struct message *out)
{
	struct kl_bytes sealed;

	return find(t, tag, out, &sealed);
}

int
message_next(struct turn *t, const struct kl_tag *after, bool first,
    struct message *out)
{
	struct kl_kv_entry row;
	struct kl_bytes sealed;
	int err = kl_kv_seek(t->txn, T_MESSAGE, KL_BYTES_OF(*after), !first,
	    &row);

	memset(out, 0, sizeof *out);
	if (err != KL_OK)
		return err;
	if (row.key.n != sizeof out->tag.b)
		return KL_E_DAMAGED;
	memcpy(out->tag.b, row.key.p, sizeof out->tag.b);
	return read_clear(row.value, out, &sealed);
}

int
message_get(struct turn *t, const struct kl_tag *tag,
    const struct conversation *c, struct message *out)
{
	struct kl_bytes sealed, plain;
	struct kl_reader r;
	int err = find(t, tag, out, &sealed);

	if (err != KL_OK)
		return err;
	err = vault_open(t->vault, c->slot, T_MESSAGE, KL_BYTES_OF(out->tag),
	    sealed, t->mem, &plain);
	if (err != KL_OK)
		return err;
	kl_reader_init(&r, plain);
	kl_get(&r, out->id.b, sizeof out->id.b);
	kl_get(&r, out->ref.b, sizeof out->ref.b);
	kl_get(&r, out->body_hash.b, sizeof out->body_hash.b);
	kl_get(&r, out->from.b, sizeof out->from.b);
	kl_get(&r, out->to.b, sizeof out->to.b);
	kl_get(&r, out->sender_key_id.b, sizeof out->sender_key_id.b);
	out->kind = kl_get_u32(&r);
	out->seq = kl_get_u64(&r);
	out->outcome = kl_get_u32(&r);
	out->receipt_leaf = kl_get_u64(&r);
	return kl_reader_done(&r) ? KL_OK : KL_E_DAMAGED;
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

static int
put_statement_at(struct turn *t, const struct conversation *c, uint32_t to,
    uint64_t item, uint32_t statement, struct kl_bytes signed_bytes)
{
	struct kl_bytes sealed;
	uint8_t key[12];
	int r = vault_seal(t->vault, c->slot, T_ITEM, item_key(key, to, item),
	    signed_bytes, t->mem, &sealed);

	if (r != KL_OK)
		return r;
	return put_item(t, to, item, statement + 1, &c->tag, sealed);
}

int
mailbox_put_statement(struct turn *t, const struct conversation *c,
    uint32_t to, uint32_t statement, struct kl_bytes signed_bytes)
{
	return put_statement_at(t, c, to, ++t->box->items, statement,
	    signed_bytes);
}

static int
make_notice(struct turn *t, const struct conversation *c,
    const struct message *m, uint32_t notice, uint32_t code,
    int64_t due_ms, struct kl_bytes *out)
{
	struct kl_notice n = {
		.version = 1, .signer = t->journal->broker,
		.signer_key_id = t->journal->key_id, .notice = notice,
		.conv_id = c->id, .code = code, .at_ms = t->now_ms,
		.due_ms = due_ms,
	};
	uint8_t body[KL_STATEMENT_MAX], packed[KL_STATEMENT_MAX];
	struct kl_signed s;
	size_t size;
	int r;

	if (m != NULL)
		n.msg_id = m->id;
	if (notice == KL_NOTICE_GAP)
		n.seq_from = n.seq_to = m->seq;
	r = KL_STATEMENT_PACK(KL_NOTICE, &n, body, sizeof body, &size);
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
mailbox_put_gap(struct turn *t, const struct conversation *c,
    const struct message *m)
{
	struct kl_bytes packed;
	int r = make_notice(t, c, m, KL_NOTICE_GAP, KL_C_OK, 0, &packed);

	return r != KL_OK ? r : put_statement_at(t, c, m->receiver, m->item,
	    KL_NOTICE, packed);
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
	return v.n < 1 || v.p[0] == KL_SORT_ENVELOPE ? KL_E_DENIED : KL_OK;
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

/* Slots are taken in order, so new rows stand side by side. */
static struct kl_bytes
slot_key(uint8_t buf[4], uint32_t slot)
{
	struct kl_writer w;

	kl_writer_init(&w, buf, 4);
	kl_put_u32(&w, slot);
	return kl_writer_bytes(&w);
}

static int
put_blob(struct turn *t, const struct message *m, struct kl_bytes envelope,
    struct kl_bytes ct)
{
	uint8_t plain[2 + KL_ENVELOPE_MAX + KL_CT_MAX], key[4];
	struct kl_bytes sealed;
	struct kl_writer w;
	int r;

	kl_writer_init(&w, plain, sizeof plain);
	kl_put_u16(&w, (uint16_t)envelope.n);
	kl_put_bytes(&w, envelope);
	kl_put_bytes(&w, ct);
	if (w.full)
		return KL_E_SIZE;
	r = vault_seal(t->vault, m->slot, T_BLOB, slot_key(key, m->slot),
	    kl_writer_bytes(&w), t->mem, &sealed);
	return r != KL_OK ? r :
	    kl_kv_put(t->txn, T_BLOB, slot_key(key, m->slot), sealed);
}

static int
get_blob(struct turn *t, const struct message *m, struct kl_bytes *envelope,
    struct kl_bytes *ct)
{
	struct kl_bytes v, plain;
	struct kl_reader r;
	uint8_t key[4];
	int err = kl_kv_get(t->txn, T_BLOB, slot_key(key, m->slot), &v);

	if (err != KL_OK)
		return err;
	err = vault_open(t->vault, m->slot, T_BLOB, slot_key(key, m->slot),
	    v, t->mem, &plain);
	if (err != KL_OK)
		return err;
	kl_reader_init(&r, plain);
	*envelope = kl_get_bytes(&r, kl_get_u16(&r));
	*ct = kl_get_bytes(&r, r.n);
	return r.bad ? KL_E_DAMAGED : KL_OK;
}

int
message_envelope(struct turn *t, const struct message *m,
    struct kl_bytes *signed_bytes)
{
	struct kl_bytes ct;

	return get_blob(t, m, signed_bytes, &ct);
}

/* A leaf of a message, and the word of it to whoever watches. */
static int
append(struct turn *t, const struct conversation *c, const struct message *m,
    struct kl_record *rec, struct journal_leaf *leaf)
{
	int r;

	rec->conv_ref = c->ref;
	rec->msg_ref = m->ref;
	rec->org_from = m->from;
	rec->org_to = m->to;
	rec->kind = m->kind;
	rec->body_hash = m->body_hash;
	r = journal_append(t->journal, t->txn, t->now_ms, rec, t->mem, leaf);
	if (r == KL_OK && t->n_events < t->events_cap)
		t->events[t->n_events++] = (struct turn_event){
			.event = rec->event, .msg = m->id, .conv = c->id,
			.body = m->body_hash, .leaf = leaf->index,
		};
	return r;
}

int
mailbox_accept(struct turn *t, const struct conversation *c,
    const struct kl_envelope *e, struct kl_bytes signed_bytes,
    struct kl_bytes ct, const struct kl_hash *body_hash,
    const struct participant *from, const struct participant *to,
    struct message *out, struct journal_leaf *leaf)
{
	struct kl_record rec = { .event = KL_EV_ACCEPTED,
	    .actor_role = from->role, .new_state = KL_MSG_ACCEPTED,
	    .actor_key_id = e->header.sender_key_id };
	int r;

	*out = (struct message){
		.tag = vault_tag(t->vault, T_MESSAGE,
		    KL_BYTES_OF(e->header.msg_id)),
		.state = KL_MSG_ACCEPTED, .receiver = to->number,
		.body = message_body_tag(t, body_hash), .conv = c->tag,
		.expire_ms = e->header.expire_at_ms,
		.id = e->header.msg_id, .body_hash = *body_hash,
		.from = e->header.sender, .to = e->header.receiver,
		.sender_key_id = e->header.sender_key_id,
		.kind = e->header.kind, .seq = e->header.seq,
	};
	kl_random(out->ref.b, sizeof out->ref.b);
	if ((r = append(t, c, out, &rec, leaf)) != KL_OK)
		return r;
	out->leaf = leaf->index;
	if ((r = vault_take(t->vault, &out->slot)) != KL_OK)
		return r;
	out->item = ++t->box->items;
	if ((r = put_blob(t, out, signed_bytes, ct)) != KL_OK)
		return r;
	if ((r = put_item(t, to->number, out->item, KL_SORT_ENVELOPE, &c->tag,
	    KL_BYTES_OF(out->tag))) != KL_OK)
		return r;
	/* One timer at a time: expire_at comes after deliver_by. */
	if ((r = mailbox_timer_put(t, e->header.deliver_by_ms, TIMER_DELIVER,
	    &out->tag)) != KL_OK)
		return r;
	return message_put(t, c, out);
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
end_message(struct turn *t, const struct conversation *c, struct message *m)
{
	uint8_t key[12], value[2 * sizeof m->tag.b];
	int r;

	r = kl_kv_del(t->txn, T_ITEM, item_key(key, m->receiver, m->item));
	if (r != KL_OK && r != KL_E_NOT_FOUND)
		return r;
	if (m->slot == KL_SLOT_NONE)
		return KL_OK;
	r = kl_kv_del(t->txn, T_BLOB, slot_key(key, m->slot));
	if (r != KL_OK && r != KL_E_NOT_FOUND)
		return r;
	memcpy(value, m->tag.b, sizeof m->tag.b);
	memcpy(value + sizeof m->tag.b, c->tag.b, sizeof c->tag.b);
	t->box->ended = true;
	r = kl_kv_put(t->txn, T_ERASING, slot_key(key, m->slot),
	    KL_BYTES_OF(value));
	m->slot = KL_SLOT_NONE;
	return r;
}

static int
move(struct turn *t, const struct conversation *c, struct message *m,
    struct kl_record *rec, struct journal_leaf *leaf)
{
	const uint32_t state = rec->new_state;
	int r;

	rec->prev_state = m->state;
	if ((r = append(t, c, m, rec, leaf)) != KL_OK)
		return r;
	if (state == KL_MSG_DELIVERED ||
	    (state == KL_MSG_DEAD && m->outcome != 0))
		m->receipt_leaf = leaf->index;
	if (state != KL_MSG_RELEASED &&
	    (r = end_message(t, c, m)) != KL_OK)
		return r;
	m->state = state;
	return KL_OK;
}

int
message_move(struct turn *t, const struct conversation *c, struct message *m,
    uint32_t state, uint32_t code, const struct kl_key_id *actor,
    uint32_t actor_role, struct journal_leaf *leaf)
{
	struct kl_record rec = { .event = event_of(state),
	    .new_state = state, .reason = code, .actor_role = actor_role };
	struct journal_leaf own;
	int r;

	if (actor != NULL)
		rec.actor_key_id = *actor;
	r = move(t, c, m, &rec, leaf != NULL ? leaf : &own);
	return r != KL_OK ? r : message_put(t, c, m);
}

int
message_present(struct turn *t, const struct conversation *c,
    struct message *m, uint32_t state, uint32_t code,
    const struct kl_key_id *actor, uint32_t actor_role)
{
	struct kl_record rec = { .event = KL_EV_PRESENTED,
	    .new_state = state, .reason = code, .actor_role = actor_role,
	    .actor_key_id = *actor };
	const bool fresh = m->state == KL_MSG_NONE;
	struct journal_leaf leaf;
	int r;

	if ((r = move(t, c, m, &rec, &leaf)) != KL_OK)
		return r;
	if (!fresh)
		return message_put(t, c, m);
	m->leaf = leaf.index;
	r = mailbox_timer_put(t, m->expire_ms, TIMER_EXPIRE, &m->tag);
	return r != KL_OK ? r : message_put(t, c, m);
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
	else if ((r = get_blob(t, m, &i.content, ct)) == KL_OK)
		r = journal_logged(t->journal, t->txn, m->leaf, t->mem,
		    &i.logged);
	return r != KL_OK ? r :
	    KL_MESSAGE_PACK_IN(KL_M_ITEM, &i, t->mem, item);
}

/* ---- erasing ----------------------------------------------------------- */

int
mailbox_erase_slots(struct turn *t, struct mailbox_erasing *e)
{
	struct kl_kv_entry row;
	struct kl_reader in;
	uint8_t key[4];
	int r = KL_OK;

	e->n = 0;
	while (e->n < MAILBOX_ERASE_MAX) {
		uint32_t last = e->n == 0 ? 0 : e->slot[e->n - 1];

		r = kl_kv_seek(t->txn, T_ERASING, slot_key(key, last),
		    e->n != 0, &row);
		if (r != KL_OK)
			break;
		kl_reader_init(&in, row.key);
		e->slot[e->n] = kl_get_u32(&in);
		r = vault_zero(t->vault, e->slot[e->n]);
		if (r != KL_OK)
			return r;
		e->n++;
	}
	if (r != KL_OK && r != KL_E_NOT_FOUND)
		return r;
	return e->n == 0 ? KL_OK : kl_slots_sync(t->vault->slots);
}

int
mailbox_erase_later(struct turn *t, uint32_t slot)
{
	uint8_t key[4];

	t->box->ended = true;
	return kl_kv_put(t->txn, T_ERASING, slot_key(key, slot),
	    KL_BYTES_NONE);
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
	if (!kl_reader_done(&in))
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
	return append(t, &c, &m, &rec, &leaf);
}

static int
erase_log_one(struct turn *t, uint32_t slot)
{
	struct kl_bytes v;
	uint8_t key[4];
	int r;

	r = kl_kv_get(t->txn, T_ERASING, slot_key(key, slot), &v);
	if (r != KL_OK)
		return r;
	r = v.n == 0 ? erase_log_conversation(t) : erase_log_message(t, v);
	return r != KL_OK ? r :
	    kl_kv_del(t->txn, T_ERASING, slot_key(key, slot));
}

int
mailbox_erase_log(struct turn *t, const struct mailbox_erasing *e)
{
	const size_t mark = kl_arena_mark(t->mem);
	int r = KL_OK;

	for (size_t i = 0; i < e->n && r == KL_OK; i++) {
		r = erase_log_one(t, e->slot[i]);
		kl_arena_release(t->mem, mark);
	}
	return r;
}

/* ---- timers ------------------------------------------------------------ */

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
mailbox_timer_put(struct turn *t, int64_t at_ms, uint32_t sort,
    const struct kl_tag *tag)
{
	uint8_t key[25];

	return kl_kv_put(t->txn, T_TIMER, timer_key(key, at_ms, sort, tag),
	    KL_BYTES_NONE);
}

int
mailbox_due(struct turn *t, struct mailbox_due *out)
{
	struct kl_kv_entry row;
	struct kl_reader r;
	int err = kl_kv_seek(t->txn, T_TIMER, KL_BYTES_NONE, false, &row);

	if (err != KL_OK)
		return err;
	kl_reader_init(&r, row.key);
	out->at_ms = kl_get_i64(&r);
	out->sort = kl_get_u8(&r);
	kl_get(&r, out->tag.b, sizeof out->tag.b);
	if (!kl_reader_done(&r))
		return KL_E_DAMAGED;
	return out->at_ms <= t->now_ms ? KL_OK : KL_E_NOT_FOUND;
}

int
mailbox_timer_done(struct turn *t, const struct mailbox_due *d)
{
	uint8_t key[25];

	return kl_kv_del(t->txn, T_TIMER,
	    timer_key(key, d->at_ms, d->sort, &d->tag));
}

int
message_forget(struct turn *t, const struct kl_tag *tag)
{
	struct kl_bytes sealed;
	struct message m;
	int64_t until;
	int r = find(t, tag, &m, &sealed);

	if (r == KL_E_NOT_FOUND)
		return KL_OK;
	if (r != KL_OK)
		return r;
	until = m.expire_ms + (m.state == KL_MSG_UNCONFIRMED ?
	    LATE_RECEIPT_MS : FORGET_AFTER_MS);
	if (until > t->now_ms || m.slot != KL_SLOT_NONE)
		return mailbox_timer_put(t,
		    until > t->now_ms ? until : t->now_ms + KL_HOUR_MS,
		    TIMER_FORGET, tag);
	return kl_kv_del(t->txn, T_MESSAGE, KL_BYTES_OF(*tag));
}

/* ---- start ------------------------------------------------------------- */

static int
mark_one(struct turn *t, uint32_t slot)
{
	int r;

	if (slot == KL_SLOT_NONE)
		return KL_OK;
	r = kl_slots_mark_used(t->vault->slots, slot);
	/* One that was zeroed but not yet logged stays so. */
	return r == KL_E_DAMAGED ? KL_OK : r;
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
mailbox_mark_slots(struct turn *t)
{
	int r = mark_table(t, T_MESSAGE, false, 1);

	if (r == KL_OK)
		r = mark_table(t, T_CONV, false, 0);
	if (r == KL_OK)
		r = mark_table(t, T_ERASING, true, 0);
	return r != KL_OK ? r : mark_table(t, T_MONTH, false, 0);
}
