#include "adapters/common/erasure_check.h"

#include <string.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/sign.h>

/* ---- the withdrawal -------------------------------------------------- */

static uint32_t
check_signer(struct turn *t, const struct kl_signed *s,
    const struct kl_withdrawal *w, const struct directory_card **card)
{
	*card = directory_card(t->dir, &w->signer, &w->signer_key_id);
	if (*card == NULL) {
		t->want_directory = true;
		return t->directory_whole ? KL_C_CARD_UNKNOWN :
		    KL_C_TRY_LATER;
	}
	if (kl_verify(KL_LABEL_WITHDRAWAL, s->body, &(*card)->sign_pk,
	    &s->sig) != KL_OK)
		return KL_C_SIGNATURE;
	if (!directory_card_valid(*card, w->at_ms))
		return KL_C_CARD_UNKNOWN;
	/* The desk that took it is the signer's own. */
	return (*card)->role == w->route ? KL_C_OK : KL_C_ROLE;
}

static uint32_t
read_order(struct turn *t, const struct kl_notice *n,
    struct erasure_order *out, const struct directory_card **card)
{
	struct kl_signed s;

	memset(out, 0, sizeof *out);
	if (kl_signed_read(n->withdrawal, t->mem, &s) != KL_C_OK ||
	    KL_STATEMENT_READ(KL_WITHDRAWAL, s.body, t->mem, &out->w) !=
	    KL_C_OK)
		return KL_C_MALFORMED;
	out->packed = n->withdrawal;
	out->hash = kl_hash_of(s.body);
	return check_signer(t, &s, &out->w, card);
}

/* ---- the party ------------------------------------------------------- */

/* Is the card's holder `id`, or who came in its place by then? */
static bool
acts_for(const struct directory_card *card, const struct kl_id *id,
    int64_t at_ms)
{
	return kl_id_equal(&card->id, id) || (kl_id_equal(&card->succeeds,
	    id) && at_ms >= card->succeeds_from_ms);
}

/* sender, receiver: of the REFERRAL whose consent ends. */
static uint32_t
check_party(const struct directory_card *card, const struct kl_withdrawal *w,
    const struct kl_id *sender, const struct kl_id *receiver)
{
	if (acts_for(card, sender, w->at_ms))
		return KL_C_OK;
	/* In error is what its sender says of it, and nobody else. */
	if (w->cause == KL_CAUSE_SENT_IN_ERROR)
		return KL_C_NOT_A_PARTY;
	return acts_for(card, receiver, w->at_ms) ? KL_C_OK :
	    KL_C_NOT_A_PARTY;
}

static uint32_t
check_own(const struct turn *t, const struct case_row *c,
    const struct directory_card *card, const struct kl_withdrawal *w)
{
	const struct kl_id *me = &t->id->id;

	if (c == NULL)		/* nothing is held, so nothing is lost */
		return KL_C_OK;
	return check_party(card, w, c->mine != 0 ? me : &c->peer,
	    c->mine != 0 ? &c->peer : me);
}

/* The end of a parent ends what stands under its very body. */
static uint32_t
check_child(struct turn *t, const struct kl_notice *n,
    const struct case_row *c, const struct directory_card *card,
    struct erasure_order *out)
{
	struct kl_envelope parent;
	struct kl_signed s;

	if (out->w.scope != KL_SCOPE_ALL || n->parent.n == 0 ||
	    kl_signed_read(n->parent, t->mem, &s) != KL_C_OK ||
	    kl_envelope_read(s.body, t->mem, &parent) != KL_C_OK ||
	    memcmp(&parent.header.conv_id, &out->w.conv_id,
	    sizeof out->w.conv_id) != 0)
		return KL_C_CONSENT_PARENT;
	out->parent = kl_hash_of(s.body);
	if (c != NULL && memcmp(&c->consent.under, &out->parent,
	    sizeof out->parent) != 0)
		return KL_C_CONSENT_PARENT;
	return check_party(card, &out->w, &parent.header.sender,
	    &parent.header.receiver);
}

uint32_t
erasure_check(struct turn *t, const struct kl_notice *n,
    const struct case_row *c, struct erasure_order *out)
{
	const struct directory_card *card;
	uint32_t code = read_order(t, n, out, &card);

	if (code != KL_C_OK)
		return code;
	return memcmp(&n->conv_id, &out->w.conv_id, sizeof n->conv_id) == 0 ?
	    check_own(t, c, card, &out->w) :
	    check_child(t, n, c, card, out);
}
