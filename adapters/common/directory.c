#include "adapters/common/directory.h"

#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/sign.h>

#define CARDS_MAX 10000
#define PREKEYS_MAX 100000

struct directory {
	struct kl_sign_pk authority;
	uint32_t realm;

	struct directory_card *card;
	size_t n_card, cap_card;
	struct directory_prekey *prekey;
	size_t n_prekey, cap_prekey;
};

struct directory *
directory_new(const struct kl_sign_pk *authority, uint32_t realm)
{
	struct directory *d = calloc(1, sizeof *d);

	if (d == NULL)
		return NULL;
	d->authority = *authority;
	d->realm = realm;
	return d;
}

void
directory_free(struct directory *d)
{
	if (d == NULL)
		return;
	free(d->card);
	free(d->prekey);
	free(d);
}

/* Room for one more; *cap doubles up to max. */
static int
grow(void **list, size_t n, size_t *cap, size_t size, size_t max)
{
	size_t want = *cap == 0 ? 16 : *cap * 2;
	void *p;

	if (n < *cap)
		return KL_OK;
	if (n >= max)
		return KL_E_VALUE;	/* no region has so many */
	if ((p = realloc(*list, want * size)) == NULL)
		return KL_E_MEMORY;
	*list = p;
	*cap = want;
	return KL_OK;
}

static struct directory_card *
card_by_serial(struct directory *d, const uint8_t serial[16])
{
	for (size_t i = 0; i < d->n_card; i++)
		if (memcmp(d->card[i].serial, serial, 16) == 0)
			return &d->card[i];
	return NULL;
}

const struct directory_card *
directory_card(const struct directory *d, const struct kl_id *id,
    const struct kl_key_id *key)
{
	for (size_t i = d->n_card; i-- > 0;)
		if (kl_id_equal(&d->card[i].id, id) &&
		    memcmp(&d->card[i].key_id, key, sizeof *key) == 0)
			return &d->card[i];
	return NULL;
}

bool
directory_card_valid(const struct directory_card *c, int64_t at_ms)
{
	return at_ms >= c->not_before_ms && at_ms <= c->not_after_ms &&
	    (c->revoked_ms == 0 || at_ms < c->revoked_ms);
}

const struct directory_card *
directory_valid(const struct directory *d, const struct kl_id *id,
    int64_t at_ms)
{
	for (size_t i = d->n_card; i-- > 0;)
		if (kl_id_equal(&d->card[i].id, id) &&
		    directory_card_valid(&d->card[i], at_ms))
			return &d->card[i];
	return NULL;
}

const struct directory_card *
directory_any(const struct directory *d, const struct kl_id *id)
{
	for (size_t i = d->n_card; i-- > 0;)
		if (kl_id_equal(&d->card[i].id, id))
			return &d->card[i];
	return NULL;
}

size_t
directory_cards(const struct directory *d)
{
	return d->n_card;
}

const struct directory_card *
directory_at(const struct directory *d, size_t i)
{
	return &d->card[i];
}

static int
take_card(struct directory *d, const struct kl_card *c)
{
	struct directory_card *to;
	int r;

	if (c->realm != d->realm)
		return KL_E_VALUE;
	if ((to = card_by_serial(d, c->serial)) == NULL) {
		void *list = d->card;

		r = grow(&list, d->n_card, &d->cap_card, sizeof *d->card,
		    CARDS_MAX);
		d->card = list;
		if (r != KL_OK)
			return r;
		to = &d->card[d->n_card++];
		memset(to, 0, sizeof *to);
	}
	to->id = c->id;
	to->succeeds = c->succeeds;
	to->succeeds_from_ms = c->succeeds_from_ms;
	to->role = c->role;
	memcpy(to->serial, c->serial, sizeof to->serial);
	to->sign_pk = c->sign_pk;
	to->key_id = kl_key_id_of(c->sign_pk.b);
	to->not_before_ms = c->not_before_ms;
	to->not_after_ms = c->not_after_ms;
	memset(to->name, 0, sizeof to->name);
	if (c->name.n < sizeof to->name)
		memcpy(to->name, c->name.p, c->name.n);
	return KL_OK;
}

static int
take_revocation(struct directory *d, const struct kl_revocation *v)
{
	struct directory_card *c = card_by_serial(d, v->serial);

	if (v->realm != d->realm)
		return KL_E_VALUE;
	/* The first one counts: a later one must not make it valid again. */
	if (c != NULL && (c->revoked_ms == 0 || v->at_ms < c->revoked_ms))
		c->revoked_ms = v->at_ms;
	return KL_OK;
}

static int
take_prekey(struct directory *d, const struct kl_prekey *p)
{
	struct directory_prekey *to = NULL;
	void *list = d->prekey;
	int r;

	for (size_t i = 0; i < d->n_prekey && to == NULL; i++)
		if (kl_id_equal(&d->prekey[i].owner, &p->owner) &&
		    d->prekey[i].not_before_ms == p->not_before_ms)
			to = &d->prekey[i];
	if (to == NULL) {
		r = grow(&list, d->n_prekey, &d->cap_prekey,
		    sizeof *d->prekey, PREKEYS_MAX);
		d->prekey = list;
		if (r != KL_OK)
			return r;
		to = &d->prekey[d->n_prekey++];
	}
	*to = (struct directory_prekey){ p->owner, p->signer_key_id, p->pk,
	    p->not_before_ms, p->not_after_ms, p->schema_min, p->schema_max };
	return KL_OK;
}

const struct directory_prekey *
directory_prekey(const struct directory *d, const struct kl_id *owner,
    int64_t at_ms)
{
	for (size_t i = 0; i < d->n_prekey; i++)
		if (kl_id_equal(&d->prekey[i].owner, owner) &&
		    at_ms >= d->prekey[i].not_before_ms &&
		    at_ms < d->prekey[i].not_after_ms)
			return &d->prekey[i];
	return NULL;
}

/* What came, with its key in the store. */
struct entry {
	union {
		struct kl_card card;
		struct kl_revocation revocation;
		struct kl_prekey prekey;
		struct kl_profile profile;
	} u;
	char table;
	uint8_t key[32];
	size_t n_key;
};

static void
key_put(struct entry *e, char table, const void *p, size_t n)
{
	e->table = table;
	memcpy(e->key, p, n);
	e->n_key = n;
}

static int
verify_by_owner(const struct directory *d, enum kl_label label,
    const struct kl_signed *s, const struct kl_id *owner,
    const struct kl_key_id *key)
{
	const struct directory_card *c = directory_card(d, owner, key);

	if (c == NULL)
		return KL_E_SIGNATURE;
	return kl_verify(label, s->body, &c->sign_pk, &s->sig);
}

static int
verify(const struct directory *d, uint32_t statement,
    const struct kl_signed *s, struct entry *e)
{
	uint8_t t[8];

	switch (statement) {
	case KL_CARD:
		key_put(e, STORE_CARD, e->u.card.serial, 16);
		return kl_verify(KL_LABEL_CARD, s->body, &d->authority,
		    &s->sig);
	case KL_REVOCATION:
		key_put(e, STORE_REVOCATION, e->u.revocation.serial, 16);
		return kl_verify(KL_LABEL_REVOCATION, s->body, &d->authority,
		    &s->sig);
	case KL_PREKEY:
		kl_be64_put(t, (uint64_t)e->u.prekey.not_before_ms);
		key_put(e, STORE_PREKEY, &e->u.prekey.owner, KL_ID_BYTES);
		memcpy(e->key + KL_ID_BYTES, t, sizeof t);
		e->n_key += sizeof t;
		return verify_by_owner(d, KL_LABEL_PREKEY, s,
		    &e->u.prekey.owner, &e->u.prekey.signer_key_id);
	default:
		key_put(e, STORE_PROFILE, &e->u.profile.owner, KL_ID_BYTES);
		return verify_by_owner(d, KL_LABEL_PROFILE, s,
		    &e->u.profile.owner, &e->u.profile.signer_key_id);
	}
}

static enum kl_code
read_entry(uint32_t statement, struct kl_bytes body, struct kl_arena *mem,
    struct entry *e)
{
	switch (statement) {
	case KL_CARD:
		return KL_STATEMENT_READ(statement, body, mem, &e->u.card);
	case KL_REVOCATION:
		return KL_STATEMENT_READ(statement, body, mem,
		    &e->u.revocation);
	case KL_PREKEY:
		return KL_STATEMENT_READ(statement, body, mem, &e->u.prekey);
	case KL_PROFILE:
		return KL_STATEMENT_READ(statement, body, mem,
		    &e->u.profile);
	default:
		return KL_C_VALUE_UNKNOWN;
	}
}

static int
remember(struct directory *d, uint32_t statement, const struct entry *e)
{
	switch (statement) {
	case KL_CARD:
		return take_card(d, &e->u.card);
	case KL_REVOCATION:
		return take_revocation(d, &e->u.revocation);
	case KL_PREKEY:
		return take_prekey(d, &e->u.prekey);
	default:
		return KL_OK;
	}
}

static int
open_entry(const struct directory *d, struct kl_arena *mem,
    uint32_t statement, struct kl_bytes packed, struct entry *e)
{
	struct kl_signed s;
	enum kl_code c;

	memset(e, 0, sizeof *e);
	if ((c = kl_signed_read(packed, mem, &s)) != KL_C_OK ||
	    (c = read_entry(statement, s.body, mem, e)) != KL_C_OK)
		return c == KL_C_TRY_LATER ? KL_E_MEMORY : KL_E_FORMAT;
	return verify(d, statement, &s, e);
}

/* A revocation may have come before its card. */
static int
revoke_known(struct directory *d, struct store *s, struct kl_arena *mem,
    const uint8_t serial[16])
{
	struct kl_bytes v;
	struct entry e;
	int r = store_get(s, STORE_REVOCATION, kl_bytes(serial, 16), &v);

	if (r == KL_E_NOT_FOUND)
		return KL_OK;
	if (r != KL_OK || (r = open_entry(d, mem, KL_REVOCATION, v, &e)) !=
	    KL_OK)
		return r;
	return take_revocation(d, &e.u.revocation);
}

int
directory_take(struct directory *d, struct store *s, struct kl_arena *mem,
    uint32_t statement, struct kl_bytes packed)
{
	struct entry e;
	int r = open_entry(d, mem, statement, packed, &e);

	if (r != KL_OK || (r = remember(d, statement, &e)) != KL_OK)
		return r;
	if (statement == KL_CARD && (r = revoke_known(d, s, mem,
	    e.u.card.serial)) != KL_OK)
		return r;
	return store_put(s, e.table, kl_bytes(e.key, e.n_key), packed);
}

static int
load_table(struct directory *d, struct store *s, struct kl_arena *mem,
    uint32_t statement, char table)
{
	struct store_entry at = { .n_key = 0 };
	struct entry e;
	int r;

	while ((r = store_seek(s, table, kl_bytes(at.key, at.n_key), true,
	    &at)) == KL_OK) {
		size_t mark = kl_arena_mark(mem);

		/* What no longer verifies (another authority) is left out. */
		r = open_entry(d, mem, statement, at.value, &e);
		if (r == KL_OK)
			r = remember(d, statement, &e);
		if (r == KL_E_MEMORY)
			return r;
		kl_arena_release(mem, mark);
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

int
directory_load(struct directory *d, struct store *s, struct kl_arena *mem)
{
	int r;

	d->n_card = d->n_prekey = 0;
	if ((r = load_table(d, s, mem, KL_CARD, STORE_CARD)) != KL_OK ||
	    (r = load_table(d, s, mem, KL_REVOCATION, STORE_REVOCATION)) !=
	    KL_OK)
		return r;
	return load_table(d, s, mem, KL_PREKEY, STORE_PREKEY);
}

int
directory_profile(struct store *s, struct kl_arena *mem,
    const struct kl_id *owner, struct kl_profile *out,
    struct kl_profile_details *details)
{
	struct kl_signed sg;
	struct kl_bytes v, copy;
	enum kl_code c;
	int r;

	r = store_get(s, STORE_PROFILE, kl_bytes(owner, KL_ID_BYTES), &v);
	if (r != KL_OK || (r = kl_arena_copy(mem, v, &copy)) != KL_OK)
		return r;
	if ((c = kl_signed_read(copy, mem, &sg)) != KL_C_OK ||
	    (c = KL_STATEMENT_READ(KL_PROFILE, sg.body, mem, out)) !=
	    KL_C_OK ||
	    (c = KL_STATEMENT_READ(KL_S_PROFILE_DETAILS, out->details, mem,
	    details)) != KL_C_OK)
		return c == KL_C_TRY_LATER ? KL_E_MEMORY : KL_E_DAMAGED;
	return KL_OK;
}
