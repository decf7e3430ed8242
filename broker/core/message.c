#include "broker/core/message.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/policy.h>

#include "broker/core/tables.h"
#include "broker/core/timer.h"

#define FORGET_AFTER_MS (7 * KL_DAY_MS)		/* repeats: PROTOCOL.md 15 */

/* ---- the row ----------------------------------------------------------- */

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
	kl_put_u32(&p, m->milestone);
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
	kl_put_u32(&w, m->was);
	kl_put_u64(&w, m->erased_leaf);
	kl_put_bytes(&w, sealed);
	return kl_kv_put(t->txn, T_MESSAGE, KL_BYTES_OF(m->tag),
	    kl_writer_bytes(&w));
}

struct written_key { uint8_t b[2 * sizeof(struct kl_tag)]; };

static struct written_key
written_key(const struct kl_tag *conv, const struct kl_tag *message)
{
	struct written_key k;

	memcpy(k.b, conv->b, sizeof conv->b);
	memcpy(k.b + sizeof conv->b, message->b, sizeof message->b);
	return k;
}

int
message_put_new(struct turn *t, const struct conversation *c,
    const struct message *m)
{
	const struct written_key key = written_key(&c->tag, &m->tag);
	int r = kl_kv_put(t->txn, T_WRITTEN, KL_BYTES_OF(key.b),
	    KL_BYTES_NONE);

	return r != KL_OK ? r : message_put(t, c, m);
}

int
message_next_of(struct turn *t, const struct kl_tag *conv,
    const struct kl_tag *after, bool first, struct message *out)
{
	const struct written_key key = written_key(conv, after);
	struct kl_kv_entry row;
	int err = kl_kv_seek(t->txn, T_WRITTEN, KL_BYTES_OF(key.b), !first,
	    &row);

	memset(out, 0, sizeof *out);
	if (err != KL_OK)
		return err;
	if (row.key.n != sizeof key.b)
		return KL_E_DAMAGED;
	if (memcmp(row.key.p, conv->b, sizeof conv->b) != 0)
		return KL_E_NOT_FOUND;
	memcpy(out->tag.b, row.key.p + sizeof conv->b, sizeof out->tag.b);
	return KL_OK;
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
	m->was = kl_get_u32(&r);
	m->erased_leaf = kl_get_u64(&r);
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

	if (err == KL_OK && out->leaf < c->born_leaf)
		err = KL_E_NOT_FOUND;
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
	out->milestone = kl_get_u32(&r);
	out->seq = kl_get_u64(&r);
	out->outcome = kl_get_u32(&r);
	out->receipt_leaf = kl_get_u64(&r);
	return kl_reader_done(&r) ? KL_OK : KL_E_DAMAGED;
}

int64_t
message_until(const struct turn *t, const struct message *m)
{
	return m->expire_ms + (m->state == KL_MSG_UNCONFIRMED ?
	    kl_policy_ms(t->policy, KL_POL_METADATA_AFTER_END) :
	    FORGET_AFTER_MS);
}

int
message_forget(struct turn *t, const struct kl_tag *tag)
{
	struct written_key key;
	struct kl_bytes sealed;
	struct message m;
	int64_t until;
	int r = find(t, tag, &m, &sealed);

	if (r == KL_E_NOT_FOUND)
		return KL_OK;
	if (r != KL_OK)
		return r;
	until = message_until(t, &m);
	if (until > t->now_ms || m.slot != KL_SLOT_NONE)
		return timer_put(t,
		    until > t->now_ms ? until : t->now_ms + KL_HOUR_MS,
		    TIMER_FORGET, tag);
	key = written_key(&m.conv, tag);
	r = kl_kv_del(t->txn, T_WRITTEN, KL_BYTES_OF(key.b));
	if (r != KL_OK && r != KL_E_NOT_FOUND)
		return r;
	return kl_kv_del(t->txn, T_MESSAGE, KL_BYTES_OF(m.tag));
}

/* ---- envelope and ciphertext ------------------------------------------- */

int
message_put_blob(struct turn *t, const struct message *m,
    struct kl_bytes envelope, struct kl_bytes ct)
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
	r = vault_seal(t->vault, m->slot, T_BLOB, vault_slot_key(key, m->slot),
	    kl_writer_bytes(&w), t->mem, &sealed);
	return r != KL_OK ? r :
	    kl_kv_put(t->txn, T_BLOB, vault_slot_key(key, m->slot), sealed);
}

int
message_get_blob(struct turn *t, const struct message *m,
    struct kl_bytes *envelope, struct kl_bytes *ct)
{
	struct kl_bytes v, plain;
	struct kl_reader r;
	uint8_t key[4];
	int err = kl_kv_get(t->txn, T_BLOB, vault_slot_key(key, m->slot), &v);

	if (err != KL_OK)
		return err;
	err = vault_open(t->vault, m->slot, T_BLOB,
	    vault_slot_key(key, m->slot), v, t->mem, &plain);
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

	return message_get_blob(t, m, signed_bytes, &ct);
}

/* ---- its leaves -------------------------------------------------------- */

int
message_log(struct turn *t, const struct conversation *c,
    const struct message *m, struct kl_record *rec, struct journal_leaf *leaf)
{
	int r;

	rec->conv_ref = c->ref;
	rec->msg_ref = m->ref;
	rec->org_from = m->from;
	rec->org_to = m->to;
	rec->kind = m->kind;
	rec->milestone = m->milestone;
	rec->body_hash = m->body_hash;
	r = journal_append(t->journal, t->txn, t->now_ms, rec, t->mem, leaf);
	if (r == KL_OK && t->n_events < t->events_cap)
		t->events[t->n_events++] = (struct turn_event){
			.event = rec->event, .msg = m->id, .conv = c->id,
			.body = m->body_hash, .leaf = leaf->index,
		};
	return r;
}
