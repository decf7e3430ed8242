#include "broker/core/loss.h"

#include <string.h>

#include "broker/core/retain_end.h"
#include "broker/core/tables.h"

static const char reported[] = "reported_in ";

struct key { uint8_t b[sizeof reported + 4]; };

static struct kl_bytes
key_make(struct key *k, const struct participant *p)
{
	struct kl_writer w;

	kl_writer_init(&w, k->b, sizeof k->b);
	kl_put(&w, reported, sizeof reported - 1);
	kl_put_u32(&w, p->number);
	return kl_writer_bytes(&w);
}

bool
loss_asks(const struct participant *p)
{
	return p->role != KL_BROKER && p->role != KL_AUDITOR;
}

int
loss_reported(struct core *c, const struct participant *p)
{
	uint8_t at[8];
	struct key k;

	kl_be64_put(at, (uint64_t)c->turn.now_ms);
	return kl_kv_put(c->turn.txn, T_META, key_make(&k, p),
	    KL_BYTES_OF(at));
}

int64_t
loss_reported_ms(struct core *c, const struct participant *p)
{
	struct kl_bytes v;
	struct key k;

	if (kl_kv_get(c->turn.txn, T_META, key_make(&k, p), &v) != KL_OK ||
	    v.n != 8)
		return 0;
	return (int64_t)kl_be64(v.p);
}

/* The first practice that is missing: without it nothing of v counts. */
static const struct participant *
missing(struct core *c, const struct conversation *v)
{
	const struct participant *p = registry_by_id(&c->registry,
	    &v->sender);
	struct conversation parent;

	if (p != NULL && !p->reported_in)
		return p;
	if (kl_bytes_zero(KL_BYTES_OF(v->under)) ||
	    conversation_by_referral(&c->turn, &v->under, &parent) != KL_OK)
		return NULL;
	p = registry_by_id(&c->registry, &parent.sender);
	return p != NULL && !p->reported_in ? p : NULL;
}

static void
count(struct core *c, const struct conversation *v, struct loss_waits *w)
{
	const struct participant *p;

	if (v->state != KL_CONV_OPEN)
		return;
	w->open++;
	if (retain_counts(&c->turn, &c->registry, v))
		return;
	w->wait++;
	p = missing(c, v);
	if (p != NULL && p->number <= w->cap)
		w->by[p->number - 1]++;
}

int
loss_count(struct core *c, struct loss_waits *w)
{
	struct kl_tag at = { { 0 } };
	struct conversation v;
	int err;

	memset(w->by, 0, w->cap * sizeof w->by[0]);
	w->open = w->wait = 0;
	w->more = false;
	for (int i = 0; i < LOSS_LOOK_MAX; i++) {
		kl_arena_reset(c->mem);
		err = conversation_next(&c->turn, &at, i == 0, &v);
		if (err != KL_OK)
			return err == KL_E_NOT_FOUND ? KL_OK : err;
		at = v.tag;
		count(c, &v, w);
	}
	w->more = true;
	return KL_OK;
}
