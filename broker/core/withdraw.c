#include "broker/core/withdraw.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>

#include "broker/core/tables.h"
#include "broker/core/timer.h"
#include "broker/core/withdraw_end.h"
#include "broker/core/withdraw_row.h"

#define KEPT_MS (7 * KL_DAY_MS)		/* for repeats, if its day is past */

/* ---- the statement ----------------------------------------------------- */

enum kl_code
withdraw_read(struct withdraw *w, struct kl_bytes packed,
    struct kl_arena *mem)
{
	enum kl_code code;

	if (packed.n > KL_WITHDRAWAL_MAX)
		return KL_C_MALFORMED;
	w->packed = packed;
	if ((code = kl_signed_read(packed, mem, &w->s)) != KL_C_OK)
		return code;
	w->hash = kl_hash_of(w->s.body);
	return KL_STATEMENT_READ(KL_WITHDRAWAL, w->s.body, mem, &w->w);
}

enum kl_code
withdraw_signed(struct withdraw *w, bool now)
{
	const struct registry_signed s = { .label = KL_LABEL_WITHDRAWAL,
		.s = &w->s, .signer = &w->w.signer,
		.key_id = &w->w.signer_key_id, .at_ms = w->w.at_ms };
	const int64_t now_ms = w->t->now_ms;
	const enum kl_code code = now ?
	    registry_signed_now(w->registry, &s, now_ms) :
	    registry_signed_then(w->registry, &s, now_ms);

	if (code != KL_C_OK)
		return code;
	w->signer = registry_by_id(w->registry, &w->w.signer);
	/* The desk that took it: of a practice or of a municipality. */
	return w->signer->role == w->w.route && (w->w.cause ==
	    KL_CAUSE_RESIDENT || w->signer->role == KL_PRACTICE) ?
	    KL_C_OK : KL_C_ROLE;
}

/* ---- what it is about -------------------------------------------------- */

static bool
stands_for(const struct withdraw *w, const struct kl_id *is)
{
	return registry_stands_for(w->registry, &w->w.signer, is,
	    w->t->now_ms);
}

static enum kl_code
party_check(const struct withdraw *w)
{
	const struct conversation *c = &w->conv;
	const bool sent = stands_for(w, &c->sender);

	if (!sent && !stands_for(w, &c->receiver))
		return KL_C_NOT_A_PARTY;
	if (!sent && w->w.cause == KL_CAUSE_SENT_IN_ERROR)
		return KL_C_ROLE;
	return w->w.valid_until == c->valid_until ? KL_C_OK :
	    KL_C_CONSENT_DATE;
}

/* A day of grace ahead, as for a consent. */
static enum kl_code
unknown_check(const struct withdraw *w)
{
	const uint32_t today = (uint32_t)kl_day_of(w->t->now_ms);

	return w->w.valid_until <= today + 1 + KL_CONSENT_TERM_DAYS ?
	    KL_C_OK : KL_C_CONSENT_DATE;
}

/* Of one that is taken already: does it say as much? What was sent in error
 * may not be kept either, which a withdrawal by the resident allows. One whose
 * record went with a broken key has no answer any more, and is done anew. */
static int
covered_by(struct withdraw *w, uint32_t scope, bool *yes)
{
	struct withdraw_row row = { .conv = w->conv.tag, .scope = scope,
		.number = w->known ? 0 : w->signer->number };
	struct journal_leaf leaf;
	int err = withdraw_row_get(w->t, &row);

	*yes = err == KL_OK && (w->w.cause == KL_CAUSE_RESIDENT ||
	    row.cause == KL_CAUSE_SENT_IN_ERROR);
	if (*yes)
		err = journal_record(w->t->journal, w->t->txn,
		    row.counts.leaf, w->t->mem, &leaf);
	*yes = *yes && err == KL_OK;
	if (*yes)
		w->counts = row.counts;
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

static int
covered(struct withdraw *w, bool *yes)
{
	int err = covered_by(w, KL_SCOPE_ALL, yes);

	return err != KL_OK || *yes || w->w.scope == KL_SCOPE_ALL ? err :
	    covered_by(w, KL_SCOPE_FEEDBACK, yes);
}

enum kl_code
withdraw_check(struct withdraw *w, bool *done, int *err)
{
	enum kl_code code;

	*done = false;
	*err = conversation_by_id(w->t, &w->w.conv_id, &w->conv);
	w->known = *err == KL_OK;
	if (*err != KL_OK && *err != KL_E_NOT_FOUND)
		return KL_C_TRY_LATER;
	*err = KL_OK;
	code = w->known ? party_check(w) : unknown_check(w);
	if (code == KL_C_OK)
		*err = covered(w, done);
	return code;
}

/* ---- doing it ---------------------------------------------------------- */

static struct withdraw_row
row_of(const struct withdraw *w)
{
	return (struct withdraw_row){ .conv = w->conv.tag,
		.scope = w->w.scope,
		.number = w->known ? 0 : w->signer->number,
		.cause = w->w.cause, .counts = w->counts,
		.packed = w->packed };
}

/* Nothing is known of its conversation, so it is sealed under the month's key,
 * as its leaf is. */
static int
keep(struct withdraw *w)
{
	const int64_t until_ms = kl_day_start_ms(
	    (int32_t)w->w.valid_until + 1);
	const int64_t least_ms = w->t->now_ms + KEPT_MS;
	struct withdraw_row row;
	int err = withdraw_end_log(w, NULL, &w->counts.leaf);

	if (err == KL_OK)
		err = timer_put(w->t, until_ms > least_ms ? until_ms :
		    least_ms, TIMER_WITHDRAWAL, &w->conv.tag);
	if (err != KL_OK)
		return err;
	row = row_of(w);
	return withdraw_row_put(w->t, w->t->journal->month_slot, &row);
}

int
withdraw_apply(struct withdraw *w)
{
	struct withdraw_row row;
	int err;

	w->counts = (struct withdraw_counts){ .leaf = 0 };
	if (!w->known)
		return keep(w);
	if ((err = withdraw_end(w)) != KL_OK)
		return err;
	row = row_of(w);
	return withdraw_row_put(w->t, w->conv.slot, &row);
}

int
withdraw_reply(struct turn *t, const struct withdraw_counts *n,
    struct kl_bytes *out)
{
	struct kl_withdraw_reply r = { .erased = n->erased,
		.released_before = n->released_before,
		.unconfirmed = n->unconfirmed };
	int err = journal_logged(t->journal, t->txn, n->leaf, t->mem,
	    &r.logged);

	return err != KL_OK ? err :
	    KL_MESSAGE_PACK_IN(KL_M_WITHDRAW_REPLY, &r, t->mem, out);
}

/* ---- a conversation that comes after its withdrawal -------------------- */

/* Parties of a conversation, and of the one that it stands under. */
struct parties {
	struct kl_id id[4];
	size_t n;
};

static int
parties_of(struct turn *t, const struct kl_id *sender,
    const struct kl_id *receiver, const struct kl_hash *under,
    struct parties *out)
{
	struct conversation parent;
	int err;

	*out = (struct parties){ .id = { *sender, *receiver }, .n = 2 };
	if (kl_bytes_zero(KL_BYTES_OF(*under)))
		return KL_OK;
	err = conversation_by_referral(t, under, &parent);
	if (err == KL_E_NOT_FOUND)
		return KL_OK;
	out->id[out->n++] = parent.sender;
	out->id[out->n++] = parent.receiver;
	return err;
}

/* The next one kept behind *row that a party has signed. KL_E_NOT_FOUND. */
static int
next_of_party(struct withdraw *w, const struct parties *p,
    struct withdraw_row *row)
{
	int err;

	while ((err = withdraw_row_next(w->t, row)) == KL_OK) {
		if (withdraw_read(w, row->packed, w->t->mem) != KL_C_OK)
			return KL_E_DAMAGED;
		w->signer = registry_by_id(w->registry, &w->w.signer);
		for (size_t i = 0; w->signer != NULL && i < p->n; i++)
			if (stands_for(w, &p->id[i]))
				return KL_OK;
	}
	return err;
}

bool
withdraw_stops(struct turn *t, struct registry *r, const struct kl_header *h,
    const struct kl_hash *under, int *err)
{
	struct withdraw w = { .t = t, .registry = r };
	struct withdraw_row row = { .scope = KL_SCOPE_ALL,
		.conv = vault_tag(t->vault, T_CONV, KL_BYTES_OF(h->conv_id)) };
	struct parties p;

	*err = parties_of(t, &h->sender, &h->receiver, under, &p);
	if (*err == KL_OK)
		*err = next_of_party(&w, &p, &row);
	if (*err == KL_E_NOT_FOUND) {
		*err = KL_OK;
		return false;
	}
	return *err == KL_OK;
}

static int
meet(struct turn *t, struct registry *r, struct conversation *c,
    uint32_t scope)
{
	struct withdraw w = { .t = t, .registry = r };
	struct withdraw_row row = { .scope = scope, .conv = c->tag };
	struct parties p;
	int err = parties_of(t, &c->sender, &c->receiver, &c->under, &p);

	if (err == KL_OK)
		err = next_of_party(&w, &p, &row);
	if (err != KL_OK)
		return err;
	w.known = true;
	w.conv = *c;
	err = withdraw_apply(&w);
	*c = w.conv;
	return err;
}

/* c ends with the one that it stands under. */
static int
meet_parents(struct turn *t, struct registry *r, struct conversation *c)
{
	struct withdraw w = { .t = t, .registry = r, .known = true };
	struct withdraw_row row = { .scope = KL_SCOPE_ALL };
	int err;

	if (kl_bytes_zero(KL_BYTES_OF(c->under)))
		return KL_E_NOT_FOUND;
	err = conversation_by_referral(t, &c->under, &w.conv);
	if (err != KL_OK)
		return err;
	row.conv = w.conv.tag;
	if ((err = withdraw_row_get(t, &row)) != KL_OK)
		return err;
	if (withdraw_read(&w, row.packed, t->mem) != KL_C_OK ||
	    (w.signer = registry_by_id(r, &w.w.signer)) == NULL)
		return KL_E_DAMAGED;
	return withdraw_end_child(&w, c);
}

int
withdraw_meet(struct turn *t, struct registry *r, struct conversation *c)
{
	int err = meet(t, r, c, KL_SCOPE_ALL);

	if (err == KL_E_NOT_FOUND)
		err = meet_parents(t, r, c);
	if (err == KL_E_NOT_FOUND)
		err = meet(t, r, c, KL_SCOPE_FEEDBACK);
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

int
withdraw_forget(struct turn *t, const struct kl_tag *tag)
{
	struct conversation c;
	int err = conversation_get(t, tag, &c);

	/* It came, and its rows end with it. */
	if (err != KL_E_NOT_FOUND)
		return err;
	return withdraw_row_drop_past(t, tag, kl_day_of(t->now_ms));
}
