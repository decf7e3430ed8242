/* The directory behind registry.h. */
#include "broker/core/registry_priv.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/sign.h>

#include "broker/core/tables.h"

#define PREKEY_KEPT_MS (60 * KL_DAY_MS)	/* as long as a message may last */

/* ---- verifying ----------------------------------------------------------- */

static enum kl_code
open_entry(const struct kl_entry *e, struct kl_arena *mem,
    struct registry_entry *o)
{
	enum kl_code code;

	o->statement = e->statement;
	if ((code = kl_signed_read(e->content, mem, &o->s)) != KL_C_OK)
		return code;
	switch (e->statement) {
	case KL_CARD:
		return KL_STATEMENT_READ(KL_CARD, o->s.body, mem, &o->u.card);
	case KL_REVOCATION:
		return KL_STATEMENT_READ(KL_REVOCATION, o->s.body, mem,
		    &o->u.revocation);
	case KL_PREKEY:
		return KL_STATEMENT_READ(KL_PREKEY, o->s.body, mem,
		    &o->u.prekey);
	case KL_PROFILE:
		return KL_STATEMENT_READ(KL_PROFILE, o->s.body, mem,
		    &o->u.profile);
	default:
		return KL_C_VALUE_UNKNOWN;
	}
}

static bool
card_known(const struct registry *r, const struct kl_card *c)
{
	for (size_t i = 0; i < r->n; i++)
		for (size_t j = 0; j < r->p[i]->n_cards; j++)
			if (memcmp(r->p[i]->card[j].serial, c->serial,
			    sizeof c->serial) == 0)
				return true;
	return false;
}

static enum kl_code
check_own(const struct registry_entry *o, const struct participant *by,
    const struct kl_id *owner, const struct kl_key_id *key_id,
    int64_t now_ms)
{
	const struct registry_card *c;
	enum kl_code code;

	if (by == NULL || !kl_id_equal(owner, &by->id))
		return KL_C_NOT_YOUR_KEY;
	if ((c = registry_card_of(by, key_id, now_ms)) == NULL)
		return KL_C_CARD_UNKNOWN;
	if ((code = registry_card_valid(c, now_ms)) != KL_C_OK)
		return code;
	return kl_verify((enum kl_label)o->statement, o->s.body, &c->sign_pk,
	    &o->s.sig) == KL_OK ? KL_C_OK : KL_C_SIGNATURE;
}

static enum kl_code
check_prekey(const struct registry_entry *o, const struct participant *by,
    int64_t now_ms)
{
	const struct kl_prekey *k = &o->u.prekey;
	int64_t week = kl_week_start_ms(now_ms);

	if (by == NULL || by->role > KL_PARTNER)
		return KL_C_ROLE;
	if (k->not_before_ms < week ||
	    k->not_before_ms > week + REGISTRY_PREKEY_WEEKS * KL_WEEK_MS)
		return KL_C_TIMES;
	return check_own(o, by, &k->owner, &k->signer_key_id, now_ms);
}

static enum kl_code
check_authority(const struct registry *r, const struct registry_entry *o,
    uint32_t realm)
{
	if (realm != r->realm)
		return KL_C_REALM;
	return kl_verify((enum kl_label)o->statement, o->s.body,
	    &r->authority, &o->s.sig) == KL_OK ? KL_C_OK : KL_C_SIGNATURE;
}

static enum kl_code
check_entry(struct registry *r, const struct registry_entry *o,
    const struct participant *by, int64_t now_ms, bool *known)
{
	const struct kl_profile *f = &o->u.profile;

	*known = false;
	switch (o->statement) {
	case KL_CARD:
		*known = card_known(r, &o->u.card);
		return check_authority(r, o, o->u.card.realm);
	case KL_REVOCATION:
		*known = registry_revoked(r, o->u.revocation.serial) != 0;
		return check_authority(r, o, o->u.revocation.realm);
	case KL_PREKEY:
		return check_prekey(o, by, now_ms);
	default:
		if (by == NULL || (by->role != KL_MUNICIPALITY &&
		    by->role != KL_PARTNER))
			return KL_C_ROLE;
		return check_own(o, by, &f->owner, &f->signer_key_id, now_ms);
	}
}

/* ---- storing ------------------------------------------------------------- */

static struct kl_bytes
number_key(uint8_t buf[8], uint64_t number)
{
	kl_be64_put(buf, number);
	return kl_bytes(buf, 8);
}

static int
store_entry(struct kl_kv_txn *txn, uint64_t number, const struct kl_entry *e)
{
	uint8_t row[4 + KL_SIGNED_MAX], key[8];
	struct kl_writer w;

	kl_writer_init(&w, row, sizeof row);
	kl_put_u32(&w, e->statement);
	kl_put_bytes(&w, e->content);
	if (w.full)
		return KL_E_SIZE;
	return kl_kv_put(txn, T_DIRECTORY, number_key(key, number),
	    kl_writer_bytes(&w));
}

/* The number of the entry whose place a new one takes, 0: none. */
static uint64_t
place_taken(struct registry *r, const struct registry_entry *o)
{
	struct participant *p;

	switch (o->statement) {
	case KL_PROFILE:
		p = registry_by_id(r, &o->u.profile.owner);
		return p == NULL ? 0 : p->profile;
	case KL_PREKEY:
		p = registry_by_id(r, &o->u.prekey.owner);
		for (size_t i = 0; p != NULL && i < p->n_prekeys; i++)
			if (p->prekey[i].not_before_ms ==
			    o->u.prekey.not_before_ms)
				return p->prekey[i].number;
		return 0;
	default:
		return 0;
	}
}

/* Are these the very bytes that stand under `number`? */
static int
stands_already(struct kl_kv_txn *txn, uint64_t number,
    const struct kl_entry *e, bool *same)
{
	uint8_t key[8];
	struct kl_bytes v;
	int err = kl_kv_get(txn, T_DIRECTORY, number_key(key, number), &v);

	*same = err == KL_OK && v.n == 4 + e->content.n &&
	    memcmp(v.p + 4, e->content.p, e->content.n) == 0;
	return err;
}

static int
replace_entry(struct registry *r, struct kl_kv_txn *txn,
    const struct kl_entry *e, const struct registry_entry *o, bool *same)
{
	uint64_t old = place_taken(r, o);
	uint8_t key[8];
	int err = KL_OK;

	*same = false;
	if (old != 0)
		err = stands_already(txn, old, e, same);
	if (err != KL_OK || *same)
		return err;
	if (old != 0)
		err = kl_kv_del(txn, T_DIRECTORY, number_key(key, old));
	if (err == KL_OK)
		err = store_entry(txn, r->newest + 1, e);
	return err == KL_OK ? registry_take_up(r, o, r->newest + 1) : err;
}

enum kl_code
registry_check(struct registry *r, const struct kl_entry *e,
    const struct participant *by, int64_t now_ms, struct kl_arena *mem)
{
	struct registry_entry o;
	enum kl_code code = open_entry(e, mem, &o);
	bool known;

	return code != KL_C_OK ? code :
	    check_entry(r, &o, by, now_ms, &known);
}

enum kl_code
registry_put(struct registry *r, struct kl_kv_txn *txn,
    const struct kl_entry *e, const struct participant *by, int64_t now_ms,
    struct kl_arena *mem, uint64_t *number, int *err)
{
	struct registry_entry o;
	enum kl_code code;
	bool known;

	*number = 0;
	*err = KL_OK;
	if ((code = open_entry(e, mem, &o)) != KL_C_OK)
		return code;
	code = check_entry(r, &o, by, now_ms, &known);
	if (code != KL_C_OK || known)
		return code;
	*err = replace_entry(r, txn, e, &o, &known);
	if (*err != KL_OK)
		return KL_C_TRY_LATER;
	if (!known)
		*number = ++r->newest;
	return KL_C_OK;
}

/* ---- reading ------------------------------------------------------------- */

static int
load_entry(struct registry *r, struct kl_kv_entry *row, struct kl_arena *mem)
{
	struct kl_entry e;
	struct kl_reader in;
	struct registry_entry o;
	enum kl_code code;

	if (row->key.n != 8)
		return KL_E_DAMAGED;
	kl_reader_init(&in, row->value);
	e.statement = kl_get_u32(&in);
	e.content = kl_get_bytes(&in, in.n);
	if (in.bad)
		return KL_E_DAMAGED;
	if ((code = open_entry(&e, mem, &o)) != KL_C_OK)
		return code == KL_C_TRY_LATER ? KL_E_MEMORY : KL_E_DAMAGED;
	r->newest = kl_be64(row->key.p);
	return registry_take_up(r, &o, r->newest);
}

int
registry_load(struct registry *r, struct kl_kv_txn *txn,
    struct kl_arena *mem)
{
	struct kl_kv_entry row;
	uint8_t key[8] = { 0 };
	size_t mark = kl_arena_mark(mem);
	int err;

	r->n = r->n_touched = r->n_revocations = r->n_reads = 0;
	r->newest = 0;
	while ((err = kl_kv_seek(txn, T_DIRECTORY, kl_bytes(key, sizeof key),
	    r->newest != 0, &row)) == KL_OK) {
		if ((err = load_entry(r, &row, mem)) != KL_OK)
			return err;
		kl_arena_release(mem, mark);
		number_key(key, r->newest);
	}
	if (err != KL_E_NOT_FOUND)
		return err;
	for (size_t i = 0; i < r->n; i++)
		if ((err = registry_load_participant(txn, r->p[i])) != KL_OK)
			return err;
	return KL_OK;
}

/* Bytes of a reply around its entries, and of a page around each; the largest
 * statement fits, or whoever reads would never come past it. */
#define PAGE_AROUND 256
#define ENTRY_AROUND 16
_Static_assert(4 + KL_SIGNED_MAX + ENTRY_AROUND + PAGE_AROUND <=
    KL_FRAME_MAX, "the largest statement fits a page");

int
registry_page(struct registry *r, struct kl_kv_txn *txn, uint64_t after,
    struct kl_arena *mem, struct kl_directory_reply *out)
{
	size_t room = KL_FRAME_MAX - PAGE_AROUND;
	struct kl_kv_entry row;
	uint8_t key[8];
	int err;

	*out = (struct kl_directory_reply){ .newest = r->newest,
	    .last = after };
	while (out->n_entry < KL_ENTRIES_MAX) {
		struct kl_entry e;
		struct kl_reader in;
		struct kl_bytes packed;

		err = kl_kv_seek(txn, T_DIRECTORY, number_key(key, out->last),
		    true, &row);
		if (err == KL_E_NOT_FOUND) {
			out->last = r->newest;
			return KL_OK;
		}
		if (err != KL_OK)
			return err;
		if (row.value.n + ENTRY_AROUND > room)
			return KL_OK;
		kl_reader_init(&in, row.value);
		e.statement = kl_get_u32(&in);
		e.content = kl_get_bytes(&in, in.n);
		err = KL_MESSAGE_PACK_IN(KL_M_ENTRY, &e, mem, &packed);
		if (err != KL_OK)
			return err;
		out->entry[out->n_entry++] = packed;
		out->last = kl_be64(row.key.p);
		room -= row.value.n + ENTRY_AROUND;
	}
	return KL_OK;
}

/* ---- pruning ------------------------------------------------------------- */

int
registry_prune(struct registry *r, struct kl_kv_txn *txn, int64_t now_ms,
    size_t max)
{
	uint8_t key[8];
	int err;

	for (size_t i = 0; i < r->n && max > 0; i++) {
		struct participant *p = r->p[i];

		for (size_t j = p->n_prekeys; j-- > 0 && max > 0;) {
			/* The newest number is kept: it must not come
			 * again. */
			if (p->prekey[j].not_after_ms + PREKEY_KEPT_MS >=
			    now_ms || p->prekey[j].number == r->newest)
				continue;
			err = kl_kv_del(txn, T_DIRECTORY,
			    number_key(key, p->prekey[j].number));
			if (err != KL_OK)
				return err;
			p->prekey[j] = p->prekey[--p->n_prekeys];
			max--;
		}
	}
	return KL_OK;
}
