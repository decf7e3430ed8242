#include "adapters/common/inbox.h"

#include <string.h>

#include <kortelijn/crypto/secret.h>
#include <kortelijn/end/envelope.h>

#include "adapters/common/alarm.h"
#include "adapters/common/erasure.h"
#include "adapters/common/guard.h"
#include "adapters/common/inbox_take.h"
#include "adapters/common/prekeys.h"

#define SECOND_CARD_MS (KL_MINUTE_MS - 1)
#define REMEMBERED_MS (7 * KL_DAY_MS)	/* behind expire_at; clause 15.3 */
#define AHEAD_MAX_MS (11 * KL_MINUTE_MS)	/* clause 8.7, whole minutes */

/* ---- before the receipt: is it this sender's message? ---------------- */

static bool
read_layers(struct turn *t, struct incoming *in)
{
	struct kl_signed s;

	in->signed_bytes = in->item->content;
	if (kl_signed_read(in->signed_bytes, t->mem, &s) != KL_C_OK ||
	    kl_envelope_read(s.body, t->mem, &in->e) != KL_C_OK)
		return false;
	return KL_MESSAGE_READ(KL_M_LOGGED, in->item->logged, t->mem,
	    &in->logged) == KL_C_OK &&
	    kl_id_equal(&in->e.header.receiver, &t->id->id);
}

/* The leaf record says when the broker accepted this very message. */
static bool
read_record(struct turn *t, const struct incoming *in, int64_t *accepted_ms)
{
	const struct kl_header *h = &in->e.header;
	struct kl_record rec;

	if (KL_STATEMENT_READ(KL_S_RECORD, in->logged.record, t->mem, &rec) !=
	    KL_C_OK)
		return false;
	*accepted_ms = rec.time_minute * KL_MINUTE_MS;
	return *accepted_ms >= h->created_ms - AHEAD_MAX_MS &&
	    *accepted_ms <= h->expire_at_ms &&
	    rec.event == KL_EV_ACCEPTED && rec.kind == h->kind &&
	    kl_id_equal(&rec.org_from, &h->sender) &&
	    kl_id_equal(&rec.org_to, &h->receiver) &&
	    memcmp(&rec.body_hash, &in->body, sizeof in->body) == 0 &&
	    memcmp(&rec.conv_ref, &in->item->conv_ref,
	    sizeof rec.conv_ref) == 0;
}

/* Whole minutes: the card may have begun or ended inside one. */
static bool
valid_at(const struct directory_card *c, int64_t minute_ms)
{
	return directory_card_valid(c, minute_ms) ||
	    directory_card_valid(c, minute_ms + SECOND_CARD_MS);
}

/* INBOX_TAKEN: authentic, go on. */
static enum inbox_verdict
authenticate(struct turn *t, struct incoming *in, struct kl_bytes ct,
    const struct directory_card **card)
{
	const struct kl_header *h = &in->e.header;
	int64_t accepted_ms;

	/* Whether it was here before is not known any more. */
	if (t->now_ms > h->expire_at_ms + REMEMBERED_MS)
		return INBOX_BAD;
	*card = directory_card(t->dir, &h->sender, &h->sender_key_id);
	if (*card == NULL) {
		t->want_directory = true;
		return t->directory_whole ? INBOX_BAD : INBOX_WAIT;
	}
	if (kl_envelope_check(in->signed_bytes, ct, &(*card)->sign_pk,
	    t->mem, &in->e, &in->body) != KL_C_OK ||
	    !read_record(t, in, &accepted_ms) ||
	    !valid_at(*card, accepted_ms))
		return INBOX_BAD;
	in->sender_role = (*card)->role;
	return kl_envelope_roles(in->e.header.kind, (*card)->role,
	    t->id->role) ? INBOX_TAKEN : INBOX_BAD;
}

/* ---- opening --------------------------------------------------------- */

/* KL_C_OK, KL_C_PREKEY or KL_C_SIGNATURE: undecryptable; or KL_C_TRY_LATER
 * with *err. */
static uint32_t
open_it(struct turn *t, struct incoming *in, struct kl_bytes ct,
    const struct directory_card *card, int *err)
{
	struct kl_secret *sk = NULL;
	struct kl_dh_pk pk;

	*err = prekeys_find(t->store, t->mem, &in->e.header.prekey_id, &pk,
	    &sk);
	if (*err == KL_E_NOT_FOUND) {
		*err = KL_OK;
		return KL_C_PREKEY;
	}
	if (*err != KL_OK)
		return KL_C_TRY_LATER;
	*err = kl_envelope_open(&in->e, ct, &card->sign_pk, &pk, sk,
	    in->plain, &in->n_plain);
	kl_secret_free(sk);
	if (*err == KL_E_SIGNATURE || *err == KL_E_FORMAT) {
		*err = KL_OK;
		return KL_C_SIGNATURE;
	}
	return *err == KL_OK ? KL_C_OK : KL_C_TRY_LATER;
}

static uint32_t
check_consent(const struct turn *t, const struct incoming *in)
{
	const struct kl_consent *c = &in->e.consent;

	if (in->e.header.kind != KL_REFERRAL)
		return KL_C_OK;
	if (c->valid_until < (uint32_t)kl_day_of(t->now_ms))
		return KL_C_CONSENT_DATE;
	return c->valid_until < c->given_on ? KL_C_CONSENT_DATE : KL_C_OK;
}

/* Is seq the next of the other side, but for what a GAP told? */
static bool
is_next(const struct case_row *c, uint64_t seq)
{
	if (seq <= c->seq_in)
		return false;
	if (c->husk != 0 || seq == c->seq_in + 1)
		return true;
	return c->gap_from != 0 && c->gap_from <= c->seq_in + 1 &&
	    seq - 1 <= c->gap_to;
}

static uint32_t
check_order(const struct incoming *in)
{
	const struct kl_header *h = &in->e.header;

	if (in->foreign)
		return KL_C_NOT_A_PARTY;
	if (h->kind == KL_REFERRAL && !in->known)
		return KL_C_OK;
	if (!in->known)
		return KL_C_REFERRAL_UNKNOWN;
	if (!is_next(&in->c, h->seq))
		return KL_C_SEQ;
	if (h->kind != KL_REFERRAL && memcmp(&h->answers, &in->c.referral,
	    sizeof h->answers) != 0)
		return KL_C_ANSWERS;
	return KL_C_OK;
}

/* ---- the receipt ----------------------------------------------------- */

static void
trace(struct turn *t, const struct incoming *in, const char *event)
{
	kl_trace(t->trace, &(struct kl_trace_line){ .at_ms = t->now_ms,
	    .event = event, .msg = &in->e.header.msg_id,
	    .conv = &in->e.header.conv_id, .has_leaf = true,
	    .leaf = in->logged.leaf, .body = &in->body });
}

static int
keep_receipt(struct turn *t, struct receipts *q, struct incoming *in,
    uint32_t outcome, uint32_t code)
{
	const struct kl_header *h = &in->e.header;
	struct receipt_of of = { h->msg_id, h->conv_id, in->body, outcome,
		code, h->expire_at_ms };
	struct kl_bytes packed;
	int r = receipts_make(q, t, &of, &packed);

	if (r != KL_OK || outcome != KL_OPENED)
		return r;
	if (h->kind == KL_REFERRAL)
		r = store_put_sealed(t->store, STORE_GOT,
		    KL_BYTES_OF(h->conv_id), in->c.slot, packed);
	trace(t, in, "opened");
	if (h->kind == KL_FEEDBACK)
		trace(t, in, "feedback");
	return r;
}

/* A refused message took its seq: the next one is not out of order. */
static int
turn_away(struct turn *t, struct receipts *q, struct incoming *in,
    uint32_t outcome, uint32_t code)
{
	struct engine_step step;
	int r = KL_OK;

	if (in->known &&
	    is_next(&in->c, in->e.header.seq)) {
		memset(&step, 0, sizeof step);
		step.what = ENGINE_REFUSED;
		step.kind = in->e.header.kind;
		step.msg_id = in->e.header.msg_id;
		step.code = code;
		in->c.seq_in = in->e.header.seq;
		in->c.gap = 1;
		if ((r = cases_step(t, &in->c, &step)) == KL_OK)
			r = cases_put(t, &in->c);
	}
	trace(t, in, "refused");
	return r != KL_OK ? r : keep_receipt(t, q, in, outcome, code);
}

static int
refuse(struct turn *t, struct receipts *q, struct incoming *in,
    uint32_t outcome, uint32_t code)
{
	int r = alarm_raise(t, ENGINE_AL_BAD_ITEM, code,
	    &in->e.header.conv_id);

	return r != KL_OK ? r : turn_away(t, q, in, outcome, code);
}

/* KL_C_OK, or why a withdrawal lets it in no more; it stays closed then. */
static int
withdrawn(struct turn *t, const struct incoming *in, uint32_t *code)
{
	const struct kl_header *h = &in->e.header;
	bool ended = false;
	int r = KL_OK;

	*code = KL_C_OK;
	if (in->known)
		*code = cases_may(&in->c, h->kind, h->feedback_level);
	else if (h->kind == KL_REFERRAL)
		r = erasure_ended(t, &in->e, &ended);
	if (ended)
		*code = KL_C_CONVERSATION_ENDED;
	return r;
}

static int
find_case(struct turn *t, struct incoming *in)
{
	int r = cases_get(t, &in->e.header.conv_id, &in->c);

	/* Who is no party of it must not touch it, not even by a refusal. */
	in->foreign = r == KL_OK && !kl_id_equal(&in->c.peer,
	    &in->e.header.sender);
	in->known = r == KL_OK && !in->foreign;
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

static int
process(struct turn *t, struct receipts *q, struct incoming *in,
    struct kl_bytes ct, const struct directory_card *card)
{
	uint32_t code;
	int err = find_case(t, in);

	if (err != KL_OK || (err = withdrawn(t, in, &code)) != KL_OK)
		return err;
	/* It was on its way: nobody did anything wrong. */
	if (code != KL_C_OK)
		return turn_away(t, q, in, KL_REFUSED, code);
	code = open_it(t, in, ct, card, &err);
	if (code == KL_C_TRY_LATER)
		return err;
	/* A key that died with a lost store: its sender seals it again. */
	if (code == KL_C_PREKEY)
		return turn_away(t, q, in, KL_UNDECRYPTABLE, code);
	if (code != KL_C_OK)
		return refuse(t, q, in, KL_UNDECRYPTABLE, code);
	code = check_consent(t, in);
	if (code == KL_C_OK)
		code = check_order(in);
	if (code == KL_C_OK)
		code = inbox_take(t, in, &err);
	if (code == KL_C_TRY_LATER)
		return err;
	if (code != KL_C_OK)
		return refuse(t, q, in, KL_REFUSED, code);
	return keep_receipt(t, q, in, KL_OPENED, KL_C_OK);
}

int
inbox_envelope(struct turn *t, struct receipts *q,
    const struct kl_item *item, struct kl_bytes ct,
    enum inbox_verdict *verdict)
{
	struct incoming in;
	const struct directory_card *card;
	int r;

	memset(&in, 0, sizeof in);
	in.item = item;
	*verdict = INBOX_BAD;
	if (!read_layers(t, &in))
		return KL_OK;
	r = receipts_again(q, t, &in.e.header.msg_id);
	if (r == KL_OK) {
		trace(t, &in, "duplicate");
		*verdict = INBOX_REPEATED;
	}
	if (r != KL_E_NOT_FOUND)
		return r;
	*verdict = authenticate(t, &in, ct, &card);
	if (*verdict != INBOX_TAKEN)
		return KL_OK;
	r = process(t, q, &in, ct, card);
	kl_wipe(in.plain, sizeof in.plain);
	return r;
}

/* ---- gaps ------------------------------------------------------------ */

int
inbox_gap(struct turn *t, const struct kl_notice *n)
{
	struct engine_step step;
	struct case_row c;
	int r = cases_get(t, &n->conv_id, &c);

	/* Of a conversation that never reached us any seq will do. */
	if (r == KL_E_NOT_FOUND)
		return KL_OK;
	if (r != KL_OK || n->seq_to <= c.seq_in)
		return r;
	memset(&step, 0, sizeof step);
	step.what = ENGINE_GAP;
	if (c.gap_from == 0 || c.gap_to <= c.seq_in)
		c.gap_from = n->seq_from;
	c.gap_to = n->seq_to > c.gap_to ? n->seq_to : c.gap_to;
	c.gap = 1;
	if ((r = cases_step(t, &c, &step)) != KL_OK)
		return r;
	return cases_put(t, &c);
}
