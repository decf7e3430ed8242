#include "broker/core/registry.h"

#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>

#include "broker/core/registry_priv.h"
#include "broker/core/tables.h"

#define AHEAD_MAX_MS (10 * KL_MINUTE_MS)	/* PROTOCOL.md 8.7 */

/* ---- looking up ---------------------------------------------------------- */

struct participant *
registry_by_number(struct registry *r, uint32_t number)
{
	return number >= 1 && number <= r->n ? r->p[number - 1] : NULL;
}

struct participant *
registry_by_id(struct registry *r, const struct kl_id *id)
{
	for (size_t i = 0; i < r->n; i++)
		if (kl_id_equal(&r->p[i]->id, id))
			return r->p[i];
	return NULL;
}

/* Of two cards with the same key: the one that counts, else the later one. */
static bool
card_better(const struct registry_card *a, const struct registry_card *b,
    int64_t now_ms)
{
	const bool counts = registry_card_valid(a, now_ms) == KL_C_OK;

	if (b == NULL)
		return true;
	if (counts != (registry_card_valid(b, now_ms) == KL_C_OK))
		return counts;
	if ((a->revoked != 0) != (b->revoked != 0))
		return a->revoked == 0;
	return a->not_after_ms > b->not_after_ms;
}

struct participant *
registry_by_key(struct registry *r, const struct kl_curve_pk *pk,
    int64_t now_ms, const struct registry_card **card)
{
	struct participant *found = NULL;

	*card = NULL;
	for (size_t i = 0; i < r->n; i++) {
		struct participant *p = r->p[i];

		for (size_t j = 0; j < p->n_cards; j++) {
			if (memcmp(p->card[j].transport_pk.b, pk->b,
			    sizeof pk->b) != 0 ||
			    !card_better(&p->card[j], *card, now_ms))
				continue;
			*card = &p->card[j];
			found = p;
		}
	}
	return found;
}

const struct registry_card *
registry_card_of(const struct participant *p, const struct kl_key_id *key_id,
    int64_t now_ms)
{
	const struct registry_card *best = NULL;

	for (size_t i = 0; i < p->n_cards; i++)
		if (memcmp(p->card[i].key_id.b, key_id->b,
		    sizeof key_id->b) == 0 &&
		    card_better(&p->card[i], best, now_ms))
			best = &p->card[i];
	return best;
}

const struct registry_card *
registry_card_now(const struct participant *p, int64_t now_ms)
{
	for (size_t i = 0; i < p->n_cards; i++)
		if (registry_card_valid(&p->card[i], now_ms) == KL_C_OK)
			return &p->card[i];
	return NULL;
}

enum kl_code
registry_card_valid(const struct registry_card *c, int64_t now_ms)
{
	if (c->revoked != 0)
		return KL_C_CARD_REVOKED;
	if (now_ms < c->not_before_ms)
		return KL_C_CARD_NOT_YET;
	if (now_ms > c->not_after_ms)
		return KL_C_CARD_EXPIRED;
	return KL_C_OK;
}

struct participant *
registry_successor(struct registry *r, const struct kl_id *id,
    int64_t now_ms)
{
	for (size_t i = 0; i < r->n; i++)
		if (kl_id_equal(&r->p[i]->succeeds, id) &&
		    r->p[i]->succeeds_from_ms <= now_ms)
			return r->p[i];
	return NULL;
}

bool
registry_stands_for(struct registry *r, const struct kl_id *who,
    const struct kl_id *is, int64_t now_ms)
{
	const struct participant *heir;

	if (kl_id_equal(who, is))
		return true;
	heir = registry_successor(r, is, now_ms);
	return heir != NULL && kl_id_equal(&heir->id, who);
}

static enum kl_code
signature_check(const struct registry_signed *s,
    const struct registry_card *card)
{
	return kl_verify(s->label, s->s->body, &card->sign_pk, &s->s->sig) ==
	    KL_OK ? KL_C_OK : KL_C_SIGNATURE;
}

static const struct registry_card *
signers_card(struct registry *r, const struct registry_signed *s,
    int64_t at_ms)
{
	const struct participant *who = registry_by_id(r, s->signer);

	return who == NULL ? NULL : registry_card_of(who, s->key_id, at_ms);
}

enum kl_code
registry_signed_then(struct registry *r, const struct registry_signed *s,
    int64_t now_ms)
{
	const struct registry_card *card = signers_card(r, s, s->at_ms);

	if (card == NULL)
		return KL_C_CARD_UNKNOWN;
	if (s->at_ms < card->not_before_ms)
		return KL_C_CARD_NOT_YET;
	if (s->at_ms > card->not_after_ms)
		return KL_C_CARD_EXPIRED;
	if (s->at_ms > now_ms + AHEAD_MAX_MS)
		return KL_C_CLOCK_AHEAD;
	return signature_check(s, card);
}

enum kl_code
registry_signed_now(struct registry *r, const struct registry_signed *s,
    int64_t now_ms)
{
	const struct registry_card *card = signers_card(r, s, now_ms);
	enum kl_code code;

	if (card == NULL)
		return KL_C_CARD_UNKNOWN;
	if ((code = registry_card_valid(card, now_ms)) != KL_C_OK ||
	    (code = signature_check(s, card)) != KL_C_OK)
		return code;
	return s->at_ms > now_ms + AHEAD_MAX_MS ? KL_C_CLOCK_AHEAD : KL_C_OK;
}

const struct registry_prekey *
registry_prekey_of(const struct participant *p, const struct kl_key_id *id)
{
	for (size_t i = 0; i < p->n_prekeys; i++)
		if (memcmp(p->prekey[i].id.b, id->b, sizeof id->b) == 0)
			return &p->prekey[i];
	return NULL;
}

int64_t
registry_cover_ms(const struct participant *p, int64_t now_ms)
{
	int64_t until = now_ms;
	bool grew = true;

	while (grew) {
		grew = false;
		for (size_t i = 0; i < p->n_prekeys; i++) {
			if (p->prekey[i].not_before_ms <= until &&
			    p->prekey[i].not_after_ms > until) {
				until = p->prekey[i].not_after_ms;
				grew = true;
			}
		}
	}
	return until == now_ms ? 0 : until;
}

/* ---- taking up ----------------------------------------------------------- */

/* An array that holds one more. */
static void *
grown(void *array, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap == 0 ? 64 : 2 * *cap;

	if (n < *cap)
		return array;
	if ((array = realloc(array, more * size)) != NULL)
		*cap = more;
	return array;
}

/* One that an undone turn had made is there for the next with its number. */
static int
add_participant(struct registry *r, const struct kl_id *id,
    struct participant **out)
{
	struct participant **array, *p;

	if (r->n == REGISTRY_PARTICIPANTS_MAX)
		return KL_E_FULL;
	if (r->n == r->made) {
		array = grown(r->p, r->n, &r->cap, sizeof *array);
		if (array == NULL)
			return KL_E_MEMORY;
		r->p = array;
		if ((r->p[r->n] = malloc(sizeof *p)) == NULL)
			return KL_E_MEMORY;
		r->made++;
	}
	p = r->p[r->n++];
	*p = (struct participant){ .id = *id, .number = (uint32_t)r->n };
	*out = p;
	return KL_OK;
}

uint32_t
registry_revoked(const struct registry *r, const uint8_t serial[16])
{
	for (size_t i = 0; i < r->n_revocations; i++)
		if (memcmp(r->revocation[i].serial, serial, 16) == 0)
			return r->revocation[i].reason;
	return 0;
}

/* Where it goes; NULL: there are enough that count longer. */
static struct registry_card *
place_of_card(struct participant *p, const struct kl_card *c)
{
	struct registry_card *oldest = &p->card[0];

	if (p->n_cards < REGISTRY_CARDS_MAX)
		return &p->card[p->n_cards++];
	for (size_t i = 1; i < p->n_cards; i++)
		if (p->card[i].not_after_ms < oldest->not_after_ms)
			oldest = &p->card[i];
	return c->not_after_ms > oldest->not_after_ms ? oldest : NULL;
}

const struct registry_reads *
registry_reads(const struct registry *r, const uint8_t serial[16])
{
	for (size_t i = 0; i < r->n_reads; i++)
		if (memcmp(r->reads[i].serial, serial, 16) == 0)
			return &r->reads[i];
	return NULL;
}

static int
take_reads(struct registry *r, const struct kl_card *c)
{
	struct registry_reads *array = grown(r->reads, r->n_reads,
	    &r->cap_reads, sizeof *array);
	struct registry_reads *one;

	if (array == NULL)
		return KL_E_MEMORY;
	r->reads = array;
	one = &array[r->n_reads++];
	*one = (struct registry_reads){ .who = c->id,
		.all = c->reads_all == KL_YES, .n = c->n_reads };
	memcpy(one->serial, c->serial, sizeof one->serial);
	memcpy(one->id, c->reads, c->n_reads * sizeof one->id[0]);
	return KL_OK;
}

static int
take_card(struct registry *r, const struct kl_card *c)
{
	struct participant *p = registry_by_id(r, &c->id);
	struct registry_card *card;
	int err;

	if (p == NULL && (err = add_participant(r, &c->id, &p)) != KL_OK)
		return err;
	if ((card = place_of_card(p, c)) == NULL)
		return KL_OK;
	if (c->role == KL_AUDITOR && (err = take_reads(r, c)) != KL_OK)
		return err;
	*card = (struct registry_card){
		.sign_pk = c->sign_pk, .transport_pk = c->transport_pk,
		.key_id = kl_key_id_of(c->sign_pk.b),
		.not_before_ms = c->not_before_ms,
		.not_after_ms = c->not_after_ms,
		.revoked = registry_revoked(r, c->serial),
	};
	memcpy(card->serial, c->serial, sizeof card->serial);
	p->role = c->role;
	p->succeeds = c->succeeds;
	p->succeeds_from_ms = c->succeeds_from_ms;
	memset(p->name, 0, sizeof p->name);
	memcpy(p->name, c->name.p, c->name.n);
	return KL_OK;
}

/* Its card may come later: after a loss the two come in any order. */
static int
take_revocation(struct registry *r, const struct kl_revocation *v)
{
	struct participant *p = registry_by_id(r, &v->id);
	struct registry_revocation *array;

	if (r->n_revocations == REGISTRY_REVOCATIONS_MAX)
		return KL_E_FULL;
	array = grown(r->revocation, r->n_revocations, &r->cap_revocations,
	    sizeof *array);
	if (array == NULL)
		return KL_E_MEMORY;
	r->revocation = array;
	memcpy(array[r->n_revocations].serial, v->serial, sizeof v->serial);
	array[r->n_revocations++].reason = v->reason;
	for (size_t i = 0; p != NULL && i < p->n_cards; i++)
		if (memcmp(p->card[i].serial, v->serial,
		    sizeof v->serial) == 0)
			p->card[i].revoked = v->reason;
	return KL_OK;
}

/* The one of the same week, else a free one, else the oldest. */
static struct registry_prekey *
place_of_prekey(struct participant *p, int64_t not_before_ms)
{
	struct registry_prekey *oldest = &p->prekey[0];

	for (size_t i = 0; i < p->n_prekeys; i++) {
		if (p->prekey[i].not_before_ms == not_before_ms)
			return &p->prekey[i];
		if (p->prekey[i].not_before_ms < oldest->not_before_ms)
			oldest = &p->prekey[i];
	}
	return p->n_prekeys < REGISTRY_PREKEYS_MAX ?
	    &p->prekey[p->n_prekeys++] : oldest;
}

static int
take_prekey(struct registry *r, const struct kl_prekey *k, uint64_t number)
{
	struct participant *p = registry_by_id(r, &k->owner);

	if (p == NULL)
		return KL_E_DAMAGED;
	*place_of_prekey(p, k->not_before_ms) = (struct registry_prekey){
		.id = kl_key_id_of(k->pk.b), .signer = k->signer_key_id,
		.number = number,
		.not_before_ms = k->not_before_ms,
		.not_after_ms = k->not_after_ms,
	};
	return KL_OK;
}

int
registry_take_up(struct registry *r, const struct registry_entry *o,
    uint64_t number)
{
	struct participant *p;

	switch (o->statement) {
	case KL_CARD: return take_card(r, &o->u.card);
	case KL_REVOCATION: return take_revocation(r, &o->u.revocation);
	case KL_PREKEY: return take_prekey(r, &o->u.prekey, number);
	default:
		p = registry_by_id(r, &o->u.profile.owner);
		if (p == NULL)
			return KL_E_DAMAGED;
		p->profile = number;
		return KL_OK;
	}
}

void
registry_clear(struct registry *r)
{
	for (size_t i = 0; i < r->made; i++)
		free(r->p[i]);
	free(r->p);
	free(r->revocation);
	free(r->reads);
	*r = (struct registry){ .n = 0 };
}

/* ---- what is remembered of each ------------------------------------------ */

/* Participant row: instance 16, epoch 8, flags 1, open 4. */
int
registry_save(struct kl_kv_txn *txn, const struct participant *p)
{
	uint8_t row[64];
	struct kl_writer w;

	kl_writer_init(&w, row, sizeof row);
	kl_put(&w, p->instance.b, sizeof p->instance.b);
	kl_put_u64(&w, p->epoch);
	kl_put_u8(&w, (uint8_t)((p->reported_in ? 1 : 0) |
	    (p->taking_over ? 2 : 0)));
	kl_put_u32(&w, p->open_conversations);
	return kl_kv_put(txn, T_PARTICIPANT, KL_BYTES_OF(p->id),
	    kl_writer_bytes(&w));
}

void
registry_touch(struct registry *r, struct participant *p)
{
	if (p->touched)
		return;
	p->touched = true;
	r->n_touched++;
}

int
registry_save_touched(struct registry *r, struct kl_kv_txn *txn)
{
	size_t left = r->n_touched;
	int err;

	for (size_t i = 0; i < r->n && left > 0; i++) {
		if (!r->p[i]->touched)
			continue;
		if ((err = registry_save(txn, r->p[i])) != KL_OK)
			return err;
		left--;
	}
	return KL_OK;
}

void
registry_committed(struct registry *r)
{
	for (size_t i = 0; i < r->n && r->n_touched > 0; i++) {
		if (!r->p[i]->touched)
			continue;
		r->p[i]->touched = false;
		r->n_touched--;
	}
}

int
registry_load_participant(struct kl_kv_txn *txn, struct participant *p)
{
	struct kl_reader r;
	struct kl_bytes v;
	uint8_t flags;
	int err = kl_kv_get(txn, T_PARTICIPANT, KL_BYTES_OF(p->id), &v);

	if (err == KL_E_NOT_FOUND)
		return KL_OK;
	if (err != KL_OK)
		return err;
	kl_reader_init(&r, v);
	kl_get(&r, p->instance.b, sizeof p->instance.b);
	p->epoch = kl_get_u64(&r);
	flags = kl_get_u8(&r);
	p->reported_in = (flags & 1) != 0;
	p->taking_over = (flags & 2) != 0;
	p->open_conversations = kl_get_u32(&r);
	return kl_reader_done(&r) ? KL_OK : KL_E_DAMAGED;
}
