#include "broker/core/conversation.h"

#include <string.h>

#include <kortelijn/domain/policy.h>
#include <kortelijn/domain/state.h>

#include "broker/core/tables.h"

#define SPOKEN_WORD "kortelijn spoken reference"
#define PACKED_MAX 1024

/* ---- the row ----------------------------------------------------------- */

static struct kl_bytes
pack(const struct conversation *c, uint8_t *buf, size_t cap)
{
	struct kl_writer w;

	kl_writer_init(&w, buf, cap);
	kl_put(&w, c->id.b, sizeof c->id.b);
	kl_put(&w, c->ref.b, sizeof c->ref.b);
	kl_put(&w, c->spoken, sizeof c->spoken);
	kl_put(&w, c->sender.b, sizeof c->sender.b);
	kl_put(&w, c->receiver.b, sizeof c->receiver.b);
	kl_put(&w, c->referral.b, sizeof c->referral.b);
	kl_put(&w, c->consent.b, sizeof c->consent.b);
	kl_put(&w, c->under.b, sizeof c->under.b);
	kl_put_u8(&w, (uint8_t)c->n_onward);
	kl_put(&w, c->onward_to, c->n_onward * sizeof c->onward_to[0]);
	kl_put_u32(&w, c->level);
	kl_put_u32(&w, c->given_on);
	kl_put_u32(&w, c->valid_until);
	kl_put_u64(&w, c->seq_sender);
	kl_put_u64(&w, c->seq_receiver);
	kl_put_u32(&w, c->milestone);
	kl_put_u32(&w, c->state);
	kl_put_u8(&w, (uint8_t)((c->base_sender ? 1 : 0) |
	    (c->base_receiver ? 2 : 0) | (c->delivered ? 4 : 0) |
	    (c->reopened ? 8 : 0)));
	kl_put_i64(&w, c->answer_by_ms);
	kl_put_i64(&w, c->ended_ms);
	kl_put_i64(&w, c->begun_ms);
	kl_put_i64(&w, c->quiet_ms);
	kl_put_u32(&w, c->after_end_days);
	kl_put_u32(&w, c->max_days);
	kl_put_u64(&w, c->born_item);
	kl_put_u64(&w, c->born_leaf);
	return w.full ? KL_BYTES_NONE : kl_writer_bytes(&w);
}

static int
unpack(struct kl_bytes in, struct conversation *c)
{
	struct kl_reader r;
	uint8_t flags;

	kl_reader_init(&r, in);
	kl_get(&r, c->id.b, sizeof c->id.b);
	kl_get(&r, c->ref.b, sizeof c->ref.b);
	kl_get(&r, c->spoken, sizeof c->spoken);
	kl_get(&r, c->sender.b, sizeof c->sender.b);
	kl_get(&r, c->receiver.b, sizeof c->receiver.b);
	kl_get(&r, c->referral.b, sizeof c->referral.b);
	kl_get(&r, c->consent.b, sizeof c->consent.b);
	kl_get(&r, c->under.b, sizeof c->under.b);
	c->n_onward = kl_get_u8(&r);
	if (c->n_onward > KL_ONWARD_MAX)
		return KL_E_DAMAGED;
	kl_get(&r, c->onward_to, c->n_onward * sizeof c->onward_to[0]);
	c->level = kl_get_u32(&r);
	c->given_on = kl_get_u32(&r);
	c->valid_until = kl_get_u32(&r);
	c->seq_sender = kl_get_u64(&r);
	c->seq_receiver = kl_get_u64(&r);
	c->milestone = kl_get_u32(&r);
	c->state = kl_get_u32(&r);
	flags = kl_get_u8(&r);
	c->base_sender = (flags & 1) != 0;
	c->base_receiver = (flags & 2) != 0;
	c->delivered = (flags & 4) != 0;
	c->reopened = (flags & 8) != 0;
	c->answer_by_ms = kl_get_i64(&r);
	c->ended_ms = kl_get_i64(&r);
	c->begun_ms = kl_get_i64(&r);
	c->quiet_ms = kl_get_i64(&r);
	c->after_end_days = kl_get_u32(&r);
	c->max_days = kl_get_u32(&r);
	c->born_item = kl_get_u64(&r);
	c->born_leaf = kl_get_u64(&r);
	return kl_reader_done(&r) ? KL_OK : KL_E_DAMAGED;
}

int
conversation_put(struct turn *t, const struct conversation *c)
{
	uint8_t plain[PACKED_MAX], row[PACKED_MAX + 64];
	struct kl_bytes packed = pack(c, plain, sizeof plain), sealed;
	struct kl_writer w;
	int r;

	if (packed.n == 0)
		return KL_E_SIZE;
	r = vault_seal(t->vault, c->slot, T_CONV, KL_BYTES_OF(c->tag), packed,
	    t->mem, &sealed);
	if (r != KL_OK)
		return r;
	kl_writer_init(&w, row, sizeof row);
	kl_put_u32(&w, c->slot);
	kl_put_bytes(&w, sealed);
	return kl_kv_put(t->txn, T_CONV, KL_BYTES_OF(c->tag),
	    kl_writer_bytes(&w));
}

static int
read_row(struct turn *t, struct kl_bytes value, struct conversation *out)
{
	struct kl_bytes sealed, plain;
	struct kl_reader r;
	int err;

	kl_reader_init(&r, value);
	out->slot = kl_get_u32(&r);
	sealed = kl_get_bytes(&r, r.n);
	if (r.bad)
		return KL_E_DAMAGED;
	err = vault_open(t->vault, out->slot, T_CONV, KL_BYTES_OF(out->tag),
	    sealed, t->mem, &plain);
	return err != KL_OK ? err : unpack(plain, out);
}

int
conversation_get(struct turn *t, const struct kl_tag *tag,
    struct conversation *out)
{
	const struct kl_tag key = *tag;		/* may be out's own */
	struct kl_bytes v;
	int err;

	memset(out, 0, sizeof *out);
	out->tag = key;
	err = kl_kv_get(t->txn, T_CONV, KL_BYTES_OF(key), &v);
	return err != KL_OK ? err : read_row(t, v, out);
}

int
conversation_by_id(struct turn *t, const struct kl_conv_id *id,
    struct conversation *out)
{
	struct kl_tag tag = vault_tag(t->vault, T_CONV, KL_BYTES_OF(*id));

	return conversation_get(t, &tag, out);
}

/* Through a row that holds its tag. */
static int
by_row(struct turn *t, char table, struct kl_bytes id,
    struct conversation *out)
{
	struct kl_tag key = vault_tag(t->vault, table, id), tag;
	struct kl_bytes v;
	int err = kl_kv_get(t->txn, table, KL_BYTES_OF(key), &v);

	if (err != KL_OK)
		return err;
	if (v.n != sizeof tag.b)
		return KL_E_DAMAGED;
	memcpy(tag.b, v.p, sizeof tag.b);
	return conversation_get(t, &tag, out);
}

int
conversation_by_spoken(struct turn *t, const struct kl_spoken *spoken,
    struct conversation *out)
{
	return by_row(t, T_SPOKEN, kl_bytes(spoken->b, 9), out);
}

int
conversation_by_referral(struct turn *t, const struct kl_hash *body_hash,
    struct conversation *out)
{
	return by_row(t, T_PARENT, KL_BYTES_OF(*body_hash), out);
}

int
conversation_next(struct turn *t, const struct kl_tag *after, bool first,
    struct conversation *out)
{
	struct kl_kv_entry row;
	int err = kl_kv_seek(t->txn, T_CONV, KL_BYTES_OF(*after), !first,
	    &row);

	memset(out, 0, sizeof *out);
	if (err != KL_OK)
		return err;
	if (row.key.n != sizeof out->tag.b)
		return KL_E_DAMAGED;
	memcpy(out->tag.b, row.key.p, sizeof out->tag.b);
	return read_row(t, row.value, out);
}

/* ---- a new one --------------------------------------------------------- */

/* Unique among those that the store knows. */
static int
draw_spoken(struct turn *t, const struct kl_conv_id *id, uint8_t out[9])
{
	for (uint8_t tries = 0; tries < 16; tries++) {
		const struct kl_bytes parts[] = {
			kl_bytes_str(SPOKEN_WORD), KL_BYTES_OF(*id),
			KL_BYTES_OF(tries),
		};
		/* A function of the random id: after a loss of the store what
		 * stands on paper names the same case. */
		struct kl_hash bits = kl_hash_parts(parts, 3);
		struct kl_spoken s = kl_spoken_make(bits.b);
		struct kl_tag tag;
		struct kl_bytes v;
		int err;

		tag = vault_tag(t->vault, T_SPOKEN, kl_bytes(s.b, 9));
		err = kl_kv_get(t->txn, T_SPOKEN, KL_BYTES_OF(tag), &v);
		if (err == KL_E_NOT_FOUND) {
			memcpy(out, s.b, 9);
			return KL_OK;
		}
		if (err != KL_OK)
			return err;
	}
	return KL_E_FULL;
}

int
conversation_make(struct turn *t, const struct kl_envelope *e,
    const struct kl_hash *body_hash, struct conversation *out)
{
	int r;

	*out = (struct conversation){
		.tag = vault_tag(t->vault, T_CONV,
		    KL_BYTES_OF(e->header.conv_id)),
		.id = e->header.conv_id,
		.sender = e->header.sender, .receiver = e->header.receiver,
		.referral = *body_hash,
		.consent = kl_hash_of(e->consent_bytes),
		.under = e->consent.under,
		.n_onward = e->consent.n_onward_to,
		.level = e->consent.feedback_level,
		.given_on = e->consent.given_on,
		.valid_until = e->consent.valid_until,
		.seq_sender = e->header.seq,
		.milestone = KL_MS_NONE, .state = KL_CONV_OPEN,
		.answer_by_ms = e->header.answer_by_ms,
		.begun_ms = e->header.created_ms,
		.after_end_days = kl_policy_days(t->policy,
		    KL_POL_METADATA_AFTER_END),
		.max_days = kl_policy_days(t->policy, KL_POL_METADATA_MAX),
		.born_leaf = t->journal->range.size,
	};
	memcpy(out->onward_to, e->consent.onward_to, sizeof out->onward_to);
	kl_random(out->ref.b, sizeof out->ref.b);
	if ((r = draw_spoken(t, &out->id, out->spoken)) != KL_OK)
		return r;
	return vault_take(t->vault, &out->slot);
}

static struct kl_tag
spoken_tag(struct turn *t, const struct conversation *c)
{
	return vault_tag(t->vault, T_SPOKEN, KL_BYTES_OF(c->spoken));
}

static struct kl_tag
referral_tag(struct turn *t, const struct kl_hash *body_hash)
{
	return vault_tag(t->vault, T_PARENT, KL_BYTES_OF(*body_hash));
}

struct child_key { uint8_t b[2 * sizeof(struct kl_tag)]; };

static struct child_key
child_key(struct turn *t, const struct conversation *c)
{
	const struct kl_tag parent = referral_tag(t, &c->under);
	struct child_key k;

	memcpy(k.b, parent.b, sizeof parent.b);
	memcpy(k.b + sizeof parent.b, c->tag.b, sizeof c->tag.b);
	return k;
}

static bool
has_parent(const struct conversation *c)
{
	return !kl_bytes_zero(KL_BYTES_OF(c->under));
}

int
conversation_put_new(struct turn *t, const struct conversation *c)
{
	const struct kl_tag spoken = spoken_tag(t, c);
	const struct kl_tag body = referral_tag(t, &c->referral);
	struct child_key child;
	int r;

	if ((r = conversation_put(t, c)) != KL_OK)
		return r;
	r = kl_kv_put(t->txn, T_SPOKEN, KL_BYTES_OF(spoken),
	    KL_BYTES_OF(c->tag));
	if (r != KL_OK)
		return r;
	r = kl_kv_put(t->txn, T_PARENT, KL_BYTES_OF(body),
	    KL_BYTES_OF(c->tag));
	if (r != KL_OK || !has_parent(c))
		return r;
	child = child_key(t, c);
	return kl_kv_put(t->txn, T_CHILD, KL_BYTES_OF(child.b),
	    KL_BYTES_OF(c->tag));
}

static int
row_drop(struct turn *t, char table, struct kl_bytes key)
{
	int r = kl_kv_del(t->txn, table, key);

	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

/* All rows of a table whose keys begin with its tag. */
static int
rows_drop(struct turn *t, char table, const struct kl_tag *tag)
{
	struct kl_kv_entry row;
	uint8_t key[64];
	size_t n;
	int r;

	while ((r = kl_kv_seek(t->txn, table, KL_BYTES_OF(*tag), false,
	    &row)) == KL_OK) {
		if (memcmp(row.key.p, tag->b, sizeof tag->b) != 0)
			return KL_OK;
		if (row.key.n > sizeof key)
			return KL_E_DAMAGED;
		n = row.key.n;
		memcpy(key, row.key.p, n);
		r = kl_kv_del(t->txn, table, kl_bytes(key, n));
		if (r != KL_OK)
			return r;
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

static int
body_drop(struct turn *t, const struct conversation *c)
{
	uint8_t key[4];

	return row_drop(t, T_BODY, vault_slot_key(key, c->slot));
}

int
conversation_put_body(struct turn *t, const struct conversation *c,
    struct kl_bytes body)
{
	struct kl_bytes sealed;
	uint8_t key[4];
	int r;

	if (body.n > KL_ENVELOPE_MAX)
		return KL_E_SIZE;
	r = vault_seal(t->vault, c->slot, T_BODY,
	    vault_slot_key(key, c->slot), body, t->mem, &sealed);
	return r != KL_OK ? r :
	    kl_kv_put(t->txn, T_BODY, kl_bytes(key, sizeof key), sealed);
}

int
conversation_body(struct turn *t, const struct conversation *c,
    struct kl_bytes *out)
{
	struct kl_bytes sealed;
	uint8_t key[4];
	int err = kl_kv_get(t->txn, T_BODY, vault_slot_key(key, c->slot),
	    &sealed);

	return err != KL_OK ? err : vault_open(t->vault, c->slot, T_BODY,
	    kl_bytes(key, sizeof key), sealed, t->mem, out);
}

int
conversation_next_child(struct turn *t, const struct kl_hash *body,
    const struct kl_tag *after, bool first, struct kl_tag *out)
{
	const struct kl_tag parent = referral_tag(t, body);
	struct kl_kv_entry row;
	struct child_key k;
	int err;

	memcpy(k.b, parent.b, sizeof parent.b);
	memcpy(k.b + sizeof parent.b, after->b, sizeof after->b);
	err = kl_kv_seek(t->txn, T_CHILD, KL_BYTES_OF(k.b), !first, &row);
	if (err != KL_OK)
		return err;
	if (row.key.n != sizeof k.b)
		return KL_E_DAMAGED;
	if (memcmp(row.key.p, parent.b, sizeof parent.b) != 0)
		return KL_E_NOT_FOUND;
	memcpy(out->b, row.key.p + sizeof parent.b, sizeof out->b);
	return KL_OK;
}

/* ---- a body that another took the place of ------------------------------ */

struct former_key { uint8_t b[4 + sizeof(struct kl_tag)]; };

static struct former_key
former_key(const struct conversation *c, const struct kl_tag *tag)
{
	struct former_key k;

	(void)vault_slot_key(k.b, c->slot);
	memcpy(k.b + 4, tag->b, sizeof tag->b);
	return k;
}

static bool
has_child_of(struct turn *t, const struct kl_hash *body)
{
	const struct kl_tag none = { { 0 } };
	struct kl_tag child;

	return conversation_next_child(t, body, &none, true, &child) == KL_OK;
}

/* What stands under it names its hash: it is shown, and found by it. */
static int
former_keep(struct turn *t, const struct conversation *c,
    const struct kl_tag *tag)
{
	const struct former_key key = former_key(c, tag);
	struct kl_bytes body, sealed;
	int r = conversation_body(t, c, &body);

	if (r == KL_OK)
		r = vault_seal(t->vault, c->slot, T_BODY, KL_BYTES_OF(key.b),
		    body, t->mem, &sealed);
	return r != KL_OK ? r :
	    kl_kv_put(t->txn, T_BODY, KL_BYTES_OF(key.b), sealed);
}

/* The next one's tag and row behind *tag. KL_E_NOT_FOUND. */
static int
former_next(struct turn *t, const struct conversation *c,
    struct kl_tag *tag, struct kl_bytes *sealed)
{
	struct former_key key = former_key(c, tag);
	struct kl_kv_entry row;
	int err = kl_kv_seek(t->txn, T_BODY, KL_BYTES_OF(key.b), true, &row);

	if (err != KL_OK)
		return err;
	if (row.key.n != sizeof key.b ||
	    memcmp(row.key.p, key.b, 4) != 0)
		return KL_E_NOT_FOUND;
	memcpy(tag->b, row.key.p + 4, sizeof tag->b);
	*sealed = row.value;
	return KL_OK;
}

int
conversation_next_former(struct turn *t, const struct conversation *c,
    struct kl_tag *tag, struct kl_bytes *body)
{
	struct former_key key;
	struct kl_bytes sealed;
	int err = former_next(t, c, tag, &sealed);

	if (err != KL_OK)
		return err;
	key = former_key(c, tag);
	return vault_open(t->vault, c->slot, T_BODY, KL_BYTES_OF(key.b),
	    sealed, t->mem, body);
}

bool
conversation_has_child(struct turn *t, const struct conversation *c)
{
	struct kl_tag tag = { { 0 } };
	struct kl_bytes sealed;

	return has_child_of(t, &c->referral) ||
	    former_next(t, c, &tag, &sealed) == KL_OK;
}

static int
formers_drop(struct turn *t, const struct conversation *c)
{
	struct former_key key;
	struct kl_tag tag = { { 0 } };
	struct kl_bytes sealed;
	int err;

	while ((err = former_next(t, c, &tag, &sealed)) == KL_OK) {
		key = former_key(c, &tag);
		err = kl_kv_del(t->txn, T_BODY, KL_BYTES_OF(key.b));
		if (err == KL_OK)
			err = row_drop(t, T_PARENT, KL_BYTES_OF(tag));
		if (err != KL_OK)
			return err;
	}
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

int
conversation_put_again(struct turn *t, const struct conversation *c,
    const struct kl_hash *before)
{
	const struct kl_tag old = referral_tag(t, before);
	const struct kl_tag body = referral_tag(t, &c->referral);
	int r = has_child_of(t, before) ? former_keep(t, c, &old) :
	    KL_E_NOT_FOUND;

	if (r == KL_E_NOT_FOUND)
		r = row_drop(t, T_PARENT, KL_BYTES_OF(old));
	if (r != KL_OK || (r = conversation_put(t, c)) != KL_OK ||
	    (r = body_drop(t, c)) != KL_OK)
		return r;
	return kl_kv_put(t->txn, T_PARENT, KL_BYTES_OF(body),
	    KL_BYTES_OF(c->tag));
}

int
conversation_drop(struct turn *t, const struct conversation *c)
{
	const struct kl_tag spoken = spoken_tag(t, c);
	const struct kl_tag body = referral_tag(t, &c->referral);
	struct child_key child;
	int r;

	if ((r = row_drop(t, T_CONV, KL_BYTES_OF(c->tag))) != KL_OK ||
	    (r = row_drop(t, T_SPOKEN, KL_BYTES_OF(spoken))) != KL_OK ||
	    (r = row_drop(t, T_PARENT, KL_BYTES_OF(body))) != KL_OK ||
	    (r = body_drop(t, c)) != KL_OK ||
	    (r = formers_drop(t, c)) != KL_OK ||
	    (r = rows_drop(t, T_WRITTEN, &c->tag)) != KL_OK ||
	    (r = rows_drop(t, T_WITHDRAWAL, &c->tag)) != KL_OK ||
	    (r = rows_drop(t, T_OWED, &c->tag)) != KL_OK || !has_parent(c))
		return r;
	child = child_key(t, c);
	return row_drop(t, T_CHILD, KL_BYTES_OF(child.b));
}
