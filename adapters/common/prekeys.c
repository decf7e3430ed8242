#include "adapters/common/prekeys.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/seal.h>

static struct kl_bytes
key_of(const struct kl_key_id *k)
{
	return kl_bytes(k->b, sizeof k->b);
}

/* Rows one after another; KL_E_NOT_FOUND: no more. */
static int
next_row(struct store *s, struct store_entry *at, struct prekey_row *row)
{
	return store_next_row(s, STORE_OWN_PREKEY, at, row, sizeof *row);
}

static int
put_row(struct store *s, const struct prekey_row *row)
{
	return store_put(s, STORE_OWN_PREKEY, key_of(&row->key_id),
	    kl_bytes(row, sizeof *row));
}

static int
make_row(struct store *s, int64_t week_ms)
{
	struct kl_secret *sk = NULL;
	struct prekey_row row;
	int r;

	memset(&row, 0, sizeof row);
	if ((r = kl_dh_keypair(&row.pk, &sk)) != KL_OK)
		return r;
	row.key_id = kl_key_id_of(row.pk.b);
	row.not_before_ms = week_ms;
	row.not_after_ms = week_ms + KL_WEEK_MS;
	if ((r = store_slot_take(s, &row.slot)) == KL_OK)
		r = store_put_sealed(s, STORE_SECRET, key_of(&row.key_id),
		    row.slot, kl_secret_bytes(sk));
	kl_secret_free(sk);
	return r != KL_OK ? r : put_row(s, &row);
}

static int
erase_row(struct store *s, const struct prekey_row *row)
{
	int r;

	if ((r = store_slot_drop(s, row->slot)) != KL_OK ||
	    (r = store_del(s, STORE_SECRET, key_of(&row->key_id))) != KL_OK)
		return r;
	return store_del(s, STORE_OWN_PREKEY, key_of(&row->key_id));
}

int
prekeys_top_up(struct store *s, int64_t now_ms)
{
	struct store_entry at = { .n_key = 0 };
	int64_t week = kl_week_start_ms(now_ms);
	bool have[PREKEYS_AHEAD] = { false };
	struct prekey_row row;
	int r;

	while ((r = next_row(s, &at, &row)) == KL_OK) {
		int64_t i = (row.not_before_ms - week) / KL_WEEK_MS;

		if (row.not_before_ms >= week && i < PREKEYS_AHEAD)
			have[i] = true;
		if (row.not_after_ms + PREKEYS_KEEP_MS <= now_ms &&
		    (r = erase_row(s, &row)) != KL_OK)
			return r;
	}
	if (r != KL_E_NOT_FOUND)
		return r;
	for (int i = 0; i < PREKEYS_AHEAD; i++)
		if (!have[i] && (r = make_row(s, week + i * KL_WEEK_MS)) !=
		    KL_OK)
			return r;
	return KL_OK;
}

int
prekeys_unpublished(struct store *s, int64_t now_ms, struct prekey_row *out,
    size_t max, size_t *n)
{
	/* A clock that was wrong has drawn some that no broker takes yet. */
	const int64_t last = kl_week_start_ms(now_ms) +
	    PREKEYS_TAKEN_AHEAD * KL_WEEK_MS;
	struct store_entry at = { .n_key = 0 };
	struct prekey_row row;
	int r;

	*n = 0;
	while (*n < max && (r = next_row(s, &at, &row)) == KL_OK)
		if (row.published == 0 && row.not_after_ms > now_ms &&
		    row.not_before_ms <= last)
			out[(*n)++] = row;
	return *n < max && r != KL_E_NOT_FOUND ? r : KL_OK;
}

int
prekeys_statement(const struct identity *id, const struct prekey_row *row,
    uint8_t *buf, size_t cap, size_t *n)
{
	struct kl_prekey p = {
		.version = KL_PROTOCOL_VERSION, .owner = id->id,
		.signer_key_id = id->key_id, .pk = row->pk,
		.not_before_ms = row->not_before_ms,
		.not_after_ms = row->not_after_ms,
		.schema_min = KL_SCHEMA_MIN, .schema_max = KL_SCHEMA_MAX,
	};

	return identity_sign(id, KL_PREKEY, &p, sizeof p, buf, cap, n);
}

int
prekeys_published(struct store *s, const struct kl_key_id *key)
{
	struct prekey_row row;
	int r = store_get_row(s, STORE_OWN_PREKEY, key_of(key), &row,
	    sizeof row);

	if (r != KL_OK)
		return r;
	row.published = 1;
	return put_row(s, &row);
}

int
prekeys_publish_again(struct store *s)
{
	struct store_entry at = { .n_key = 0 };
	struct prekey_row row;
	int r;

	while ((r = next_row(s, &at, &row)) == KL_OK) {
		row.published = 0;
		if ((r = put_row(s, &row)) != KL_OK)
			return r;
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

int
prekeys_find(struct store *s, struct kl_arena *mem,
    const struct kl_key_id *key, struct kl_dh_pk *pk, struct kl_secret **sk)
{
	struct prekey_row row;
	struct kl_bytes secret;
	int r;

	*sk = NULL;
	r = store_get_row(s, STORE_OWN_PREKEY, key_of(key), &row, sizeof row);
	if (r != KL_OK)
		return r;
	r = store_get_sealed(s, STORE_SECRET, key_of(key), mem, &secret);
	if (r != KL_OK)
		return r;
	*pk = row.pk;
	*sk = kl_secret_copy(secret);
	return *sk == NULL ? KL_E_MEMORY : KL_OK;
}
