#include "adapters/common/outbox_seal.h"

#include <string.h>

#include <kortelijn/crypto/secret.h>
#include <kortelijn/end/envelope.h>

#include "adapters/common/guard.h"
#include "adapters/common/terms.h"

enum cases_content
outbox_seal_content(const struct out_row *row)
{
	return row->kind == KL_CORRECTION ? CASES_CORRECTION : CASES_REFERRAL;
}

/* What is sealed, and what goes beside it. */
struct draft {
	struct kl_header header;
	struct kl_consent consent;
	struct kl_hash preview;
	const struct directory_prekey *prekey;
	uint8_t plain[KL_PLAIN_REFERRAL];
	size_t n_plain;
};

const struct directory_prekey *
outbox_seal_prekey(const struct turn *t, const struct kl_id *peer)
{
	const struct directory_prekey *k = directory_prekey(t->dir, peer,
	    t->now_ms);
	const struct directory_card *card;

	if (k == NULL || directory_valid(t->dir, peer, t->now_ms) == NULL)
		return NULL;
	card = directory_card(t->dir, peer, &k->signer_key_id);
	return card != NULL && card->revoked_ms == 0 ? k : NULL;
}

static int
fill_referral(struct turn *t, const struct case_row *c,
    const struct out_row *row, struct draft *d)
{
	uint8_t salt[KL_SALT_BYTES];
	struct kl_bytes packed;
	struct kl_referral r;
	uint32_t schema;
	int err;

	err = cases_content_packed(t, c, outbox_seal_content(row), &packed);
	if (err == KL_OK)
		err = kl_content_read_referral(packed, t->mem, &r, salt,
		    &schema);
	if (err != KL_OK)
		return err;
	d->preview = guard_preview(&r, salt);
	d->consent = c->consent;
	d->consent.preview_hash = d->preview;
	/* A contact extract counts as a whole one to whom it goes. */
	err = kl_content_pack_referral(&r, salt, d->header.content_schema,
	    d->plain, sizeof d->plain, &d->n_plain);
	kl_wipe(&r, sizeof r);
	return err;
}

static int
fill_feedback(struct turn *t, const struct case_row *c,
    const struct out_row *row, struct draft *d)
{
	struct kl_feedback f, shown;
	int r;

	r = store_get_sealed_row(t->store, STORE_FEEDBACK,
	    KL_BYTES_OF(row->id), t->mem, &f, sizeof f);
	if (r != KL_OK)
		return r;
	/* The receiver's program may be older than when this was made. */
	if (!kl_feedback_collapse(&f, f.level, d->header.content_schema,
	    &shown))
		return KL_E_NOT_FOUND;
	if (cases_may(c, row->kind, f.level) != KL_C_OK)
		return KL_E_NOT_FOUND;
	d->header.feedback_level = f.level;
	d->header.answers = c->referral;
	d->header.milestone = row->milestone;
	return kl_content_pack_feedback(&shown, d->header.content_schema,
	    d->plain, sizeof d->plain, &d->n_plain);
}

/* By the hours of the desk: of a feedback, which goes to a practice, nothing
 * is counted in them. */
static int
terms_now(struct turn *t, const struct case_row *c, uint32_t kind,
    struct terms *out)
{
	const struct terms_for f = { kind, c->crisis != 0, c->level };
	struct kl_calendar desk;
	int r = terms_calendar(t, &c->peer, &desk);

	if (r == KL_OK)
		*out = terms_of(t->policy, &desk, &f, t->now_ms);
	return r;
}

static int
fill(struct turn *t, const struct case_row *c, const struct out_row *row,
    struct draft *d)
{
	struct terms terms;
	int r = terms_now(t, c, row->kind, &terms);

	if (r != KL_OK)
		return r;
	d->header = (struct kl_header){
		.version = KL_PROTOCOL_VERSION, .suite = KL_SUITE_1,
		.kind = row->kind, .purpose = KL_REFERRAL_WITH_CONSENT,
		.sender_role = c->staff_role, .milestone = KL_MS_NONE,
		.feedback_level = KL_LEVEL_0,
		.content_schema = kl_content_schema(d->prekey->schema_min,
		    d->prekey->schema_max),
		.msg_id = row->id, .conv_id = row->conv,
		.seq = c->seq_out + 1, .replaces = row->replaces,
		.sender = t->id->id, .receiver = c->peer,
		.created_ms = t->now_ms,
		.deliver_by_ms = terms.deliver_by_ms,
		.answer_by_ms = terms.answer_by_ms,
		.expire_at_ms = terms.expire_at_ms,
	};
	if (row->kind == KL_FEEDBACK)
		return fill_feedback(t, c, row, d);
	if (row->kind == KL_REFERRAL)
		d->header.feedback_level = c->consent.feedback_level;
	else
		d->header.answers = c->referral;
	return fill_referral(t, c, row, d);
}

static int
keep(struct turn *t, struct case_row *c, struct out_row *row,
    const struct draft *d, const struct kl_sealed *s)
{
	int r;

	row->state = OUT_SEALED;
	row->seq = d->header.seq;
	row->body = s->body_hash;
	row->signer = d->header.sender_key_id;
	row->prekey = d->header.prekey_id;
	row->created_ms = d->header.created_ms;
	row->deliver_by_ms = d->header.deliver_by_ms;
	row->expire_ms = d->header.expire_at_ms;
	if (row->kind == KL_REFERRAL) {
		c->referral = s->body_hash;
		c->referral_msg = row->id;
		c->deliver_by_ms = d->header.deliver_by_ms;
		c->answer_by_ms = d->header.answer_by_ms;
		c->expire_at_ms = d->header.expire_at_ms;
	}
	r = store_put_sealed(t->store, STORE_SIGNED, KL_BYTES_OF(row->id),
	    c->slot, kl_bytes(s->envelope, s->n_envelope));
	if (r == KL_OK)
		r = store_put_sealed(t->store, STORE_SEALED,
		    KL_BYTES_OF(row->id), c->slot, kl_bytes(s->ct, s->n_ct));
	if (r == KL_OK)
		r = outbox_put_row(t, row);
	return r;
}

static int
refuse(struct out_row *row, uint32_t code)
{
	row->code = code;
	return KL_E_REFUSED;
}

static int
seal(struct turn *t, struct case_row *c, struct out_row *row, struct draft *d)
{
	struct kl_sealed s;
	int r;

	if (kl_content_schema(d->prekey->schema_min,
	    d->prekey->schema_max) == 0)
		return KL_E_AGAIN;
	if ((r = fill(t, c, row, d)) != KL_OK)
		return r;
	r = kl_envelope_seal(&d->header,
	    row->kind == KL_REFERRAL ? &d->consent : NULL,
	    row->kind == KL_CORRECTION ? &d->preview : NULL,
	    kl_bytes(d->plain, d->n_plain), &d->prekey->pk, &t->id->sign_pk,
	    t->id->sign_sk, &s);
	if (r == KL_E_SIZE)
		return refuse(row, KL_C_FIELD_TOO_LONG);
	if (r == KL_E_VALUE)
		return refuse(row, KL_C_PREKEY);
	return r != KL_OK ? r : keep(t, c, row, d, &s);
}

int
outbox_seal_message(struct turn *t, struct case_row *c, struct out_row *row)
{
	int32_t today = kl_day_of(t->now_ms);
	struct draft d;
	int r;

	memset(&d, 0, sizeof d);
	if (c->withdrawn == KL_SCOPE_ALL)
		return refuse(row, KL_C_CONVERSATION_ENDED);
	if (row->kind != KL_FEEDBACK && c->valid_until < (uint32_t)today)
		return refuse(row, KL_C_CONSENT_DATE);
	/* A draft that waited too long; what replaces keeps its consent. */
	if (row->kind == KL_REFERRAL && kl_bytes_zero(
	    KL_BYTES_OF(row->replaces)) &&
	    c->consent.given_on + kl_policy_days(t->policy,
	    KL_POL_CONSENT_MAX_AGE_AT_SEND) < (uint32_t)today)
		return refuse(row, KL_C_CONSENT_DATE);
	if (!turn_clock_good(t))
		return KL_E_AGAIN;
	/* The directory was read since, and nobody of that name is in it. */
	if (directory_any(t->dir, &c->peer) == NULL &&
	    t->directory_ms > row->created_ms)
		return refuse(row, KL_C_RECEIVER_UNKNOWN);
	if ((d.prekey = outbox_seal_prekey(t, &c->peer)) == NULL) {
		t->want_directory = true;
		return KL_E_AGAIN;
	}
	r = seal(t, c, row, &d);
	kl_wipe(d.plain, sizeof d.plain);
	return r;
}
