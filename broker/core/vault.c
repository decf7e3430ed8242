#include "broker/core/vault.h"

#include <string.h>

#include <kortelijn/crypto/aead.h>
#include <kortelijn/crypto/secret.h>

static const char label[] = "kortelijn/v1/rest";	/* with its zero byte */
#define AD_MAX (sizeof label + 1 + 32)

void
vault_clear(struct vault *v)
{
	kl_slots_close(v->slots);
	kl_wipe(v, sizeof *v);
}

int
vault_take(struct vault *v, uint32_t *slot)
{
	int r;

	if (v->n_taken == VAULT_TURN_MAX)
		return KL_E_FULL;
	if ((r = kl_slots_take(v->slots, slot)) != KL_OK)
		return r;
	v->taken[v->n_taken++] = *slot;
	return KL_OK;
}

void
vault_forget_keys(struct vault *v)
{
	kl_slot_keys_forget(&v->keys);
}

void
vault_keep_taken(struct vault *v)
{
	v->n_taken = 0;
}

void
vault_undo_taken(struct vault *v)
{
	while (v->n_taken > 0)
		kl_slots_give_back(v->slots, v->taken[--v->n_taken]);
	vault_forget_keys(v);
}

int
vault_zero(struct vault *v, uint32_t slot)
{
	return kl_slot_keys_zero(&v->keys, v->slots, slot);
}

static struct kl_bytes
additional_data(uint8_t buf[AD_MAX], char table, struct kl_bytes key)
{
	struct kl_writer w;

	kl_writer_init(&w, buf, AD_MAX);
	kl_put(&w, label, sizeof label);
	kl_put_u8(&w, (uint8_t)table);
	kl_put_bytes(&w, key);
	return kl_writer_bytes(&w);
}

int
vault_seal(struct vault *v, uint32_t slot, char table, struct kl_bytes key,
    struct kl_bytes plain, struct kl_arena *mem, struct kl_bytes *out)
{
	uint8_t ad[AD_MAX];
	const struct kl_slot_key *k;
	uint8_t *sealed;
	int r;

	*out = KL_BYTES_NONE;
	sealed = kl_arena_alloc(mem, plain.n + KL_AEAD_EXTRA);
	if (sealed == NULL)
		return KL_E_MEMORY;
	if ((r = kl_slot_keys_get(&v->keys, v->slots, slot, &k)) != KL_OK)
		return r;
	kl_aead_seal_drawn(&v->random, KL_BYTES_OF(*k),
	    additional_data(ad, table, key), plain, sealed);
	*out = kl_bytes(sealed, plain.n + KL_AEAD_EXTRA);
	return KL_OK;
}

int
vault_open(struct vault *v, uint32_t slot, char table, struct kl_bytes key,
    struct kl_bytes sealed, struct kl_arena *mem, struct kl_bytes *out)
{
	uint8_t ad[AD_MAX];
	const struct kl_slot_key *k;
	uint8_t *plain;
	int r;

	*out = KL_BYTES_NONE;
	if (sealed.n < KL_AEAD_EXTRA)
		return KL_E_DAMAGED;
	plain = kl_arena_alloc(mem, sealed.n - KL_AEAD_EXTRA);
	if (plain == NULL)
		return KL_E_MEMORY;
	if ((r = kl_slot_keys_get(&v->keys, v->slots, slot, &k)) != KL_OK)
		return r;
	r = kl_aead_open(KL_BYTES_OF(*k), additional_data(ad, table, key),
	    sealed, plain);
	if (r != KL_OK)
		return KL_E_DAMAGED;
	*out = kl_bytes(plain, sealed.n - KL_AEAD_EXTRA);
	return KL_OK;
}

struct kl_tag
vault_tag(const struct vault *v, char table, struct kl_bytes id)
{
	const struct kl_bytes parts[] = { kl_bytes(&table, 1), id };

	return kl_tag_keyed(KL_BYTES_OF(v->index_key), parts, 2);
}

struct kl_bytes
vault_slot_key(uint8_t buf[4], uint32_t slot)
{
	struct kl_writer w;

	kl_writer_init(&w, buf, 4);
	kl_put_u32(&w, slot);
	return kl_writer_bytes(&w);
}
