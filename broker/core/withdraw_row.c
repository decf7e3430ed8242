#include "broker/core/withdraw_row.h"

#include <string.h>

#include "broker/core/tables.h"

#define PLAIN_MAX (KL_WITHDRAWAL_MAX + 64)

struct row_key { uint8_t b[sizeof(struct kl_tag) + 5]; };

static struct row_key
key_of(const struct withdraw_row *row)
{
	struct row_key k;
	struct kl_writer w;

	kl_writer_init(&w, k.b, sizeof k.b);
	kl_put(&w, row->conv.b, sizeof row->conv.b);
	kl_put_u8(&w, (uint8_t)row->scope);
	kl_put_u32(&w, row->number);
	return k;
}

int
withdraw_row_put(struct turn *t, uint32_t slot,
    const struct withdraw_row *row)
{
	const struct row_key key = key_of(row);
	uint8_t plain[PLAIN_MAX], value[PLAIN_MAX + 64];
	struct kl_bytes sealed;
	struct kl_writer p, w;
	int err;

	kl_writer_init(&p, plain, sizeof plain);
	kl_put_u8(&p, (uint8_t)row->cause);
	kl_put_u64(&p, row->counts.leaf);
	kl_put_u32(&p, row->counts.erased);
	kl_put_u32(&p, row->counts.released_before);
	kl_put_u32(&p, row->counts.unconfirmed);
	kl_put_bytes(&p, row->packed);
	if (p.full)
		return KL_E_SIZE;
	err = vault_seal(t->vault, slot, T_WITHDRAWAL, KL_BYTES_OF(key.b),
	    kl_writer_bytes(&p), t->mem, &sealed);
	if (err != KL_OK)
		return err;
	kl_writer_init(&w, value, sizeof value);
	kl_put_u32(&w, slot);
	kl_put_bytes(&w, sealed);
	return kl_kv_put(t->txn, T_WITHDRAWAL, KL_BYTES_OF(key.b),
	    kl_writer_bytes(&w));
}

static int
unseal(struct turn *t, const struct row_key *key, struct kl_bytes value,
    struct withdraw_row *row)
{
	struct kl_bytes plain;
	struct kl_reader r;
	uint32_t slot;
	int err;

	kl_reader_init(&r, value);
	slot = kl_get_u32(&r);
	value = kl_get_bytes(&r, r.n);
	if (r.bad)
		return KL_E_DAMAGED;
	err = vault_open(t->vault, slot, T_WITHDRAWAL, KL_BYTES_OF(key->b),
	    value, t->mem, &plain);
	if (err != KL_OK)
		return err;
	kl_reader_init(&r, plain);
	row->cause = kl_get_u8(&r);
	row->counts.leaf = kl_get_u64(&r);
	row->counts.erased = kl_get_u32(&r);
	row->counts.released_before = kl_get_u32(&r);
	row->counts.unconfirmed = kl_get_u32(&r);
	row->packed = kl_get_bytes(&r, r.n);
	return r.bad ? KL_E_DAMAGED : KL_OK;
}

int
withdraw_row_get(struct turn *t, struct withdraw_row *row)
{
	const struct row_key key = key_of(row);
	struct kl_bytes v;
	int err = kl_kv_get(t->txn, T_WITHDRAWAL, KL_BYTES_OF(key.b), &v);

	return err != KL_OK ? err : unseal(t, &key, v, row);
}

int
withdraw_row_next(struct turn *t, struct withdraw_row *row)
{
	struct row_key key = key_of(row);
	const size_t same = sizeof key.b - 4;
	struct kl_kv_entry e;
	struct kl_reader r;
	int err;

	/* One whose key is no more is passed over. */
	do {
		err = kl_kv_seek(t->txn, T_WITHDRAWAL, KL_BYTES_OF(key.b),
		    true, &e);
		if (err != KL_OK)
			return err;
		if (e.key.n != sizeof key.b)
			return KL_E_DAMAGED;
		if (memcmp(e.key.p, key.b, same) != 0)
			return KL_E_NOT_FOUND;
		memcpy(key.b, e.key.p, sizeof key.b);
		err = unseal(t, &key, e.value, row);
	} while (err == KL_E_NOT_FOUND);
	kl_reader_init(&r, kl_bytes(key.b + same, 4));
	row->number = kl_get_u32(&r);
	return err;
}

/* KL_E_NOT_FOUND: of another conversation, or the last. */
static int
next_of(struct turn *t, const struct kl_tag *conv, struct row_key *key,
    bool after, struct kl_bytes *value)
{
	struct kl_kv_entry e;
	int err = kl_kv_seek(t->txn, T_WITHDRAWAL, after ?
	    KL_BYTES_OF(key->b) : KL_BYTES_OF(conv->b), after, &e);

	if (err != KL_OK)
		return err;
	if (memcmp(e.key.p, conv->b, sizeof conv->b) != 0)
		return KL_E_NOT_FOUND;
	if (e.key.n != sizeof key->b)
		return KL_E_DAMAGED;
	memcpy(key->b, e.key.p, sizeof key->b);
	*value = e.value;
	return KL_OK;
}

/* One whose key is no more says nothing any more. */
static int
is_past(struct turn *t, const struct row_key *key, struct kl_bytes value,
    int32_t today, bool *yes)
{
	struct kl_withdrawal w = { .valid_until = 0 };
	struct withdraw_row row;
	struct kl_signed s;
	int err = unseal(t, key, value, &row);

	if (err == KL_OK && (kl_signed_read(row.packed, t->mem, &s) !=
	    KL_C_OK || KL_STATEMENT_READ(KL_WITHDRAWAL, s.body, t->mem,
	    &w) != KL_C_OK))
		return KL_E_DAMAGED;
	*yes = err == KL_E_NOT_FOUND || (int32_t)w.valid_until < today;
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

int
withdraw_row_drop_past(struct turn *t, const struct kl_tag *conv,
    int32_t today)
{
	struct row_key key;
	struct kl_bytes v;
	bool after = false, past;
	int err;

	while ((err = next_of(t, conv, &key, after, &v)) == KL_OK) {
		after = true;
		err = is_past(t, &key, v, today, &past);
		if (err == KL_OK && past)
			err = kl_kv_del(t->txn, T_WITHDRAWAL,
			    KL_BYTES_OF(key.b));
		if (err != KL_OK)
			return err;
	}
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}
