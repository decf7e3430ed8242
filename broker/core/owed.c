#include "broker/core/owed.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/calendar.h>
#include <kortelijn/domain/policy.h>

#include "broker/core/tables.h"
#include "broker/core/timer.h"

#define PACKED_MAX 160
#define TOLD_MS (7 * KL_DAY_MS)		/* for who is told of it */

/* ---- the row ----------------------------------------------------------- */

struct owed_key { uint8_t b[2 * sizeof(struct kl_tag)]; };

static struct owed_key
key_of(struct turn *t, const struct kl_tag *conv, uint32_t number,
    const struct kl_hash *withdrawal)
{
	uint8_t who[4 + sizeof withdrawal->b];
	struct kl_writer w;
	struct owed_key k;
	struct kl_tag tag;

	kl_writer_init(&w, who, sizeof who);
	kl_put_u32(&w, number);
	kl_put(&w, withdrawal->b, sizeof withdrawal->b);
	tag = vault_tag(t->vault, T_OWED, kl_writer_bytes(&w));
	memcpy(k.b, conv->b, sizeof conv->b);
	memcpy(k.b + sizeof conv->b, tag.b, sizeof tag.b);
	return k;
}

static int
put(struct turn *t, const struct conversation *c, const struct owed *o)
{
	const struct owed_key key = key_of(t, &c->tag, o->number,
	    &o->withdrawal);
	uint8_t plain[PACKED_MAX];
	struct kl_bytes sealed;
	struct kl_writer w;
	int r;

	kl_writer_init(&w, plain, sizeof plain);
	kl_put_u32(&w, o->number);
	kl_put_u32(&w, o->asker);
	kl_put_u64(&w, o->item);
	kl_put_i64(&w, o->due_ms);
	kl_put_u8(&w, (uint8_t)o->state);
	kl_put_u8(&w, (uint8_t)o->cause);
	kl_put(&w, o->withdrawal.b, sizeof o->withdrawal.b);
	kl_put(&w, o->withdrawn.b, sizeof o->withdrawn.b);
	kl_put_u8(&w, (uint8_t)o->adapter_copy);
	kl_put_u8(&w, (uint8_t)o->case_system);
	kl_put_u64(&w, o->leaf);
	if (w.full)
		return KL_E_SIZE;
	r = vault_seal(t->vault, c->slot, T_OWED, KL_BYTES_OF(key.b),
	    kl_writer_bytes(&w), t->mem, &sealed);
	return r != KL_OK ? r :
	    kl_kv_put(t->txn, T_OWED, KL_BYTES_OF(key.b), sealed);
}

static int
unseal(struct turn *t, const struct conversation *c,
    const struct owed_key *key, struct kl_bytes sealed, struct owed *out)
{
	struct kl_bytes plain;
	struct kl_reader r;
	int err;

	err = vault_open(t->vault, c->slot, T_OWED, KL_BYTES_OF(key->b),
	    sealed, t->mem, &plain);
	if (err != KL_OK)
		return err;
	kl_reader_init(&r, plain);
	out->number = kl_get_u32(&r);
	out->asker = kl_get_u32(&r);
	out->item = kl_get_u64(&r);
	out->due_ms = kl_get_i64(&r);
	out->state = kl_get_u8(&r);
	out->cause = kl_get_u8(&r);
	kl_get(&r, out->withdrawal.b, sizeof out->withdrawal.b);
	kl_get(&r, out->withdrawn.b, sizeof out->withdrawn.b);
	out->adapter_copy = kl_get_u8(&r);
	out->case_system = kl_get_u8(&r);
	out->leaf = kl_get_u64(&r);
	return kl_reader_done(&r) ? KL_OK : KL_E_DAMAGED;
}

int
owed_find(struct turn *t, const struct conversation *c, uint32_t number,
    const struct kl_hash *withdrawal, struct owed *out)
{
	const struct owed_key key = key_of(t, &c->tag, number, withdrawal);
	struct kl_bytes v;
	int err = kl_kv_get(t->txn, T_OWED, KL_BYTES_OF(key.b), &v);

	memset(out, 0, sizeof *out);
	return err != KL_OK ? err : unseal(t, c, &key, v, out);
}

int
owed_next(struct turn *t, const struct conversation *c,
    struct owed_cursor *at, struct owed *out)
{
	struct kl_kv_entry row;
	struct owed_key key;
	int err;

	memcpy(key.b, c->tag.b, sizeof c->tag.b);
	memcpy(key.b + sizeof c->tag.b, at->after.b, sizeof at->after.b);
	err = kl_kv_seek(t->txn, T_OWED, KL_BYTES_OF(key.b), at->begun, &row);
	if (err != KL_OK)
		return err;
	if (row.key.n != sizeof key.b)
		return KL_E_DAMAGED;
	if (memcmp(row.key.p, c->tag.b, sizeof c->tag.b) != 0)
		return KL_E_NOT_FOUND;
	memcpy(key.b, row.key.p, sizeof key.b);
	memcpy(at->after.b, key.b + sizeof c->tag.b, sizeof at->after.b);
	at->begun = true;
	return unseal(t, c, &key, row.value, out);
}

static struct kl_id
id_of(struct registry *r, uint32_t number)
{
	const struct participant *p = registry_by_number(r, number);

	return p != NULL ? p->id : (struct kl_id){ { 0 } };
}

/* From who owes it to who withdrew. */
static int
log_owed(struct turn *t, struct registry *r, const struct conversation *c,
    const struct owed *o, uint32_t event)
{
	struct kl_record rec = { .event = event,
		.conv_ref = c->ref, .org_from = id_of(r, o->number),
		.org_to = id_of(r, o->asker),
		.due_minute = o->due_ms / KL_MINUTE_MS,
		.body_hash = o->withdrawal };
	struct journal_leaf leaf;

	return journal_append(t->journal, t->txn, t->now_ms, &rec, t->mem,
	    &leaf);
}

/* ---- asking ------------------------------------------------------------ */

int
owed_ask(struct turn *t, struct registry *r, const struct conversation *c,
    const struct owed *o, const struct mailbox_ask *what)
{
	struct mailbox_ask ask = *what;
	struct owed made;
	int err = owed_find(t, c, o->number, &o->withdrawal, &made);

	if (err != KL_E_NOT_FOUND)
		return err;
	ask.due_ms = kl_calendar_add(NULL, t->now_ms,
	    kl_policy_term(t->policy, KL_POL_ERASE_RECEIPT_TERM));
	made = (struct owed){ .number = o->number, .asker = o->asker,
		.cause = o->cause, .withdrawal = o->withdrawal,
		.withdrawn = o->withdrawn,
		.state = OWED_OPEN, .due_ms = ask.due_ms };
	if ((err = log_owed(t, r, c, &made, KL_EV_ERASE_ASKED)) != KL_OK)
		return err;
	err = mailbox_put_erase_request(t, c, o->number, &ask, &made.item);
	if (err == KL_OK)
		err = timer_put(t, made.due_ms, TIMER_OWED, &c->tag);
	return err != KL_OK ? err : put(t, c, &made);
}

/* ---- the receipt ------------------------------------------------------- */

int
owed_answer(struct turn *t, struct registry *r, const struct conversation *c,
    struct owed *o, const struct owed_receipt *receipt,
    struct journal_leaf *leaf)
{
	const struct mailbox_row item = { .number = o->number,
		.item = o->item };
	struct kl_record rec = { .event = KL_EV_ERASE_RECEIPT,
		.conv_ref = c->ref, .org_from = receipt->by->id,
		.org_to = id_of(r, o->asker),
		.actor_role = receipt->by->role,
		.actor_key_id = receipt->v->signer_key_id,
		.due_minute = o->due_ms / KL_MINUTE_MS,
		.body_hash = *receipt->body_hash };
	const bool told = o->state == OWED_ANSWERED;
	int err;

	err = journal_append(t->journal, t->txn, t->now_ms, &rec, t->mem,
	    leaf);
	if (err == KL_OK && !told)
		err = mailbox_drop(t, &item);
	if (err != KL_OK && err != KL_E_NOT_FOUND)
		return err;
	o->state = OWED_ANSWERED;
	o->adapter_copy = receipt->v->adapter_copy;
	o->case_system = receipt->v->case_system;
	o->leaf = leaf->index;
	err = put(t, c, o);
	return err != KL_OK || told ? err :
	    mailbox_put_statement(t, c, o->asker, KL_ERASE_RECEIPT,
	    receipt->packed);
}

/* ---- past its term ----------------------------------------------------- */

static int
escalate(struct turn *t, struct registry *r, const struct conversation *c,
    struct owed *o)
{
	int err = log_owed(t, r, c, o, KL_EV_ESCALATED);

	if (err == KL_OK)
		err = mailbox_put_escalation(t, c, o->number, &c->id,
		    o->due_ms);
	/* Who withdrew a parent does not know its children. */
	if (err == KL_OK)
		err = mailbox_put_escalation(t, c, o->asker, &o->withdrawn,
		    o->due_ms);
	if (err != KL_OK)
		return err;
	o->state = OWED_ESCALATED;
	return put(t, c, o);
}

int
owed_due(struct turn *t, struct registry *r, const struct kl_tag *tag)
{
	struct owed_cursor at = { .begun = false };
	struct conversation c;
	struct owed o;
	int err = conversation_get(t, tag, &c);

	while (err == KL_OK && (err = owed_next(t, &c, &at, &o)) == KL_OK)
		if (o.state == OWED_OPEN && o.due_ms <= t->now_ms)
			err = escalate(t, r, &c, &o);
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

int
owed_until(struct turn *t, const struct kl_tag *tag, int64_t *until_ms)
{
	struct owed_cursor at = { .begun = false };
	struct conversation c;
	struct owed o;
	int err = conversation_get(t, tag, &c);

	*until_ms = 0;
	while (err == KL_OK && (err = owed_next(t, &c, &at, &o)) == KL_OK)
		if (o.state != OWED_ANSWERED && o.due_ms + TOLD_MS >
		    *until_ms)
			*until_ms = o.due_ms + TOLD_MS;
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}
