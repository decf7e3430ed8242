#include <kortelijn/host/slot_keys.h>

#include <kortelijn/crypto/secret.h>

static struct kl_slot_held *
place_of(struct kl_slot_keys *k, uint32_t slot)
{
	return &k->at[slot % KL_SLOT_KEYS];
}

int
kl_slot_keys_get(struct kl_slot_keys *k, struct kl_slots *s, uint32_t slot,
    const struct kl_slot_key **out)
{
	struct kl_slot_held *h = place_of(k, slot);
	int r;

	*out = &h->key;
	if (h->held && h->slot == slot)
		return KL_OK;
	h->held = false;
	if ((r = kl_slots_key(s, slot, &h->key)) != KL_OK)
		return r;
	h->slot = slot;
	h->held = true;
	return KL_OK;
}

int
kl_slot_keys_zero(struct kl_slot_keys *k, struct kl_slots *s, uint32_t slot)
{
	struct kl_slot_held *h = place_of(k, slot);

	if (h->held && h->slot == slot)
		kl_wipe(h, sizeof *h);
	return kl_slots_zero(s, slot);
}

void
kl_slot_keys_forget(struct kl_slot_keys *k)
{
	kl_wipe(k->at, sizeof k->at);
}
