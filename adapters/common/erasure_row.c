#include "adapters/common/erasure_row.h"

#include <string.h>

/* A letter tells rows of a request from marks of a refused one. */
#define ASKED 'q'
#define REFUSED 'x'
#define KEY_BYTES (1 + 16 + 16)

struct repeats_key
erasure_row_key(const struct kl_conv_id *conv, const struct kl_hash *hash)
{
	struct repeats_key k;

	k.conv = *conv;
	memcpy(k.what, hash->b, sizeof k.what);
	return k;
}

static struct kl_bytes
key_bytes(uint8_t key[KEY_BYTES], char letter, const struct repeats_key *k)
{
	key[0] = (uint8_t)letter;
	memcpy(key + 1, k, sizeof *k);
	return kl_bytes(key, KEY_BYTES);
}

int
erasure_row_get(struct turn *t, const struct repeats_key *k,
    struct erasure *out)
{
	uint8_t key[KEY_BYTES];

	return store_get_row(t->store, STORE_ERASURE,
	    key_bytes(key, ASKED, k), out, sizeof *out);
}

int
erasure_row_put(struct turn *t, const struct erasure *e)
{
	const struct repeats_key k = erasure_row_key(&e->conv, &e->hash);
	uint8_t key[KEY_BYTES];

	return store_put(t->store, STORE_ERASURE,
	    key_bytes(key, ASKED, &k), kl_bytes(e, sizeof *e));
}

int
erasure_each(struct turn *t, struct store_entry *at, struct erasure *out)
{
	const uint8_t first[1] = { ASKED };
	const bool begin = at->n_key == 0;
	int r = store_seek(t->store, STORE_ERASURE, begin ?
	    KL_BYTES_OF(first) : kl_bytes(at->key, at->n_key), !begin, at);

	if (r != KL_OK)
		return r;
	if (at->n_key != KEY_BYTES || at->key[0] != ASKED)
		return KL_E_NOT_FOUND;
	if (at->value.n != sizeof *out)
		return KL_E_DAMAGED;
	memcpy(out, at->value.p, sizeof *out);
	return KL_OK;
}

int
erasure_of(struct turn *t, const struct kl_conv_id *conv,
    struct store_entry *at, struct erasure *out)
{
	int r;

	if (at->n_key == 0) {
		at->key[0] = ASKED;
		memcpy(at->key + 1, conv, sizeof *conv);
		at->n_key = 1 + sizeof *conv;
	}
	if ((r = erasure_each(t, at, out)) != KL_OK)
		return r;
	return memcmp(&out->conv, conv, sizeof *conv) == 0 ? KL_OK :
	    KL_E_NOT_FOUND;
}

int
erasure_row_refuse(struct turn *t, const struct repeats_key *k)
{
	uint8_t key[KEY_BYTES];
	const struct kl_bytes mark = key_bytes(key, REFUSED, k);
	struct kl_bytes v;
	int r = store_get(t->store, STORE_ERASURE, mark, &v);

	if (r == KL_OK)
		return KL_E_EXISTS;
	return r != KL_E_NOT_FOUND ? r :
	    store_put(t->store, STORE_ERASURE, mark, STORE_HERE);
}
