#include "broker/core/leaf.h"

#include <string.h>

#include "broker/core/tables.h"

int
leaf_get(struct kl_kv_txn *txn, uint64_t index, struct leaf_row *out)
{
	struct kl_reader r;
	struct kl_bytes v;
	uint8_t key[8];
	int err;

	kl_be64_put(key, index);
	if ((err = kl_kv_get(txn, T_LEAF, KL_BYTES_OF(key), &v)) != KL_OK)
		return err;
	kl_reader_init(&r, v);
	kl_get(&r, out->hash.b, sizeof out->hash.b);
	out->month = kl_get_u32(&r);
	out->sealed = kl_get_bytes(&r, r.n);
	return r.bad ? KL_E_DAMAGED : KL_OK;
}

int
leaf_open(struct vault *v, uint32_t slot, uint64_t index,
    struct kl_bytes sealed, struct kl_arena *mem, struct leaf_plain *out)
{
	struct kl_bytes plain;
	struct kl_reader r;
	uint8_t key[8];
	int err;

	memset(out, 0, sizeof *out);
	kl_be64_put(key, index);
	err = vault_open(v, slot, T_LEAF, KL_BYTES_OF(key), sealed, mem,
	    &plain);
	if (err != KL_OK)
		return err;
	kl_reader_init(&r, plain);
	kl_get(&r, out->salt, sizeof out->salt);
	out->record = kl_get_bytes(&r, r.n);
	return r.bad ? KL_E_DAMAGED : KL_OK;
}
