#include "tests/support/letters.h"

#include <check.h>
#include <string.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/secret.h>

#define HOURS(n) ((n) * KL_HOUR_MS)
#define DAYS(n) ((n) * KL_DAY_MS)

struct party
party_make(uint32_t role, const char *id)
{
	struct party p = { .role = role };

	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	ck_assert_int_eq(kl_id_read(id, &p.id), KL_OK);
	ck_assert_int_eq(kl_sign_keypair(&p.sign_pk, &p.sk), KL_OK);
	kl_random(p.transport_pk.b, sizeof p.transport_pk.b);
	kl_random(p.prekey_pk.b, sizeof p.prekey_pk.b);
	kl_random(p.serial, sizeof p.serial);
	return p;
}

void
party_clear(struct party *p)
{
	kl_secret_free(p->sk);
	p->sk = NULL;
}

static void
sign_body(enum kl_label label, struct kl_bytes body,
    const struct kl_secret *sk, struct letter_bytes *out)
{
	struct kl_signed s = { .body = body };

	ck_assert_int_eq(kl_sign(label, body, sk, &s.sig), KL_OK);
	ck_assert_int_eq(kl_signed_pack(&s, out->b, sizeof out->b, &out->n),
	    KL_OK);
}

void
letters_sign(uint32_t type, enum kl_label label, const void *in,
    size_t in_size, const struct kl_secret *sk, struct letter_bytes *out)
{
	uint8_t body[KL_SIGNED_MAX];
	size_t n;

	ck_assert_int_eq(kl_statement_pack(type, in, in_size, body,
	    sizeof body, &n), KL_OK);
	sign_body(label, kl_bytes(body, n), sk, out);
}

/* ---- statements of the directory ---- */

struct kl_card
party_card(const struct party *p)
{
	struct kl_card c = {
		.version = 1, .role = p->role, .realm = KL_TRAINING,
		.id = p->id, .name = kl_bytes_str("Oefenpraktijk"),
		.sign_pk = p->sign_pk, .transport_pk = p->transport_pk,
		.issued_ms = LETTERS_NOW_MS - DAYS(30),
		.not_before_ms = LETTERS_NOW_MS - DAYS(30),
		.not_after_ms = LETTERS_NOW_MS + DAYS(365),
		.reads_all = KL_NO,
	};

	memcpy(c.serial, p->serial, sizeof c.serial);
	return c;
}

struct kl_prekey
party_prekey(const struct party *p, unsigned int week)
{
	int64_t start = kl_week_start_ms(LETTERS_NOW_MS) +
	    week * KL_WEEK_MS;
	struct kl_prekey k = {
		.version = 1, .owner = p->id,
		.signer_key_id = kl_key_id_of(p->sign_pk.b),
		.pk = p->prekey_pk, .not_before_ms = start,
		.not_after_ms = start + KL_WEEK_MS,
		.schema_min = 1, .schema_max = 1,
	};

	k.pk.b[0] = (uint8_t)(k.pk.b[0] + week);
	return k;
}

struct kl_profile
party_profile(const struct party *p)
{
	return (struct kl_profile){
		.version = 1, .owner = p->id,
		.signer_key_id = kl_key_id_of(p->sign_pk.b),
		.valid_from_ms = LETTERS_NOW_MS - DAYS(1),
		.valid_until_ms = LETTERS_NOW_MS + DAYS(365),
		.phone = kl_bytes_str("+31201234567"),
		.details = kl_bytes("\x0a\x04" "Desk", 6),
	};
}

struct kl_revocation
party_revocation(const struct party *p, uint32_t reason)
{
	struct kl_revocation v = {
		.version = 1, .realm = KL_TRAINING, .id = p->id,
		.reason = reason, .at_ms = LETTERS_NOW_MS,
	};

	memcpy(v.serial, p->serial, sizeof v.serial);
	return v;
}

/* ---- envelopes ---- */

static void
letter_start(struct letter *l, uint32_t kind, const struct party *from,
    const struct party *to)
{
	struct kl_header *h = &l->e.header;

	memset(l, 0, sizeof *l);
	*h = (struct kl_header){
		.version = KL_PROTOCOL_VERSION, .suite = KL_SUITE_1,
		.kind = kind, .purpose = KL_REFERRAL_WITH_CONSENT,
		.sender_role = from->role == KL_PRACTICE ? KL_STAFF_GP :
		    KL_STAFF_DESK,
		.milestone = KL_MS_NONE, .feedback_level = KL_LEVEL_2,
		.content_schema = 1, .seq = 1, .sender = from->id,
		.receiver = to->id,
		.sender_key_id = kl_key_id_of(from->sign_pk.b),
		.prekey_id = kl_key_id_of(to->prekey_pk.b),
		.created_ms = LETTERS_NOW_MS - HOURS(1),
		.deliver_by_ms = LETTERS_NOW_MS + DAYS(2),
		.expire_at_ms = LETTERS_NOW_MS - HOURS(1) + DAYS(14),
	};
	kl_random(h->msg_id.b, sizeof h->msg_id.b);
	kl_random(h->conv_id.b, sizeof h->conv_id.b);
	kl_random(l->e.ephemeral.b, sizeof l->e.ephemeral.b);
	kl_random(l->e.nonce, sizeof l->e.nonce);
	l->ct_n = kl_plain_bytes(kind) + KL_CT_EXTRA;
	kl_random(l->ct, l->ct_n);
	l->e.ct_len = (uint32_t)l->ct_n;
}

void
letter_referral(struct letter *l, const struct party *from,
    const struct party *to)
{
	uint32_t today = (uint32_t)kl_day_of(LETTERS_NOW_MS);

	letter_start(l, KL_REFERRAL, from, to);
	l->e.header.answer_by_ms = LETTERS_NOW_MS + DAYS(10);
	l->e.consent = (struct kl_consent){
		.referral = 1, .feedback_level = KL_LEVEL_2,
		.form = KL_ORAL, .info_text_version = 1, .given_on = today,
		.valid_until = today + 365, .recorded_in_his = 1,
	};
	kl_random(l->e.consent.preview_hash.b, 32);
	letter_seal(l, from);
}

static void
letter_in(struct letter *l, const struct letter *referral)
{
	l->e.header.conv_id = referral->e.header.conv_id;
	l->e.header.answers = referral->body_hash;
}

void
letter_correction(struct letter *l, const struct letter *referral,
    const struct party *from, const struct party *to)
{
	letter_start(l, KL_CORRECTION, from, to);
	letter_in(l, referral);
	l->e.header.feedback_level = KL_LEVEL_0;
	l->e.header.seq = 2;
	l->e.header.feedback_level = KL_LEVEL_0;
	kl_random(l->e.preview_hash.b, 32);
	letter_seal(l, from);
}

void
letter_feedback(struct letter *l, const struct letter *referral,
    const struct party *from, const struct party *to,
    enum kl_milestone milestone)
{
	letter_start(l, KL_FEEDBACK, from, to);
	letter_in(l, referral);
	l->e.header.milestone = milestone;
	letter_seal(l, from);
}

static void
pack_consent(struct letter *l)
{
	size_t n = 0;

	if (l->e.header.kind == KL_REFERRAL)
		ck_assert_int_eq(kl_consent_pack(&l->e.consent, l->consent,
		    sizeof l->consent, &n), KL_OK);
	else if (l->e.header.kind == KL_CORRECTION)
		ck_assert_int_eq(kl_preview_pack(&l->e.preview_hash,
		    l->consent, sizeof l->consent, &n), KL_OK);
	l->e.consent_bytes = kl_bytes(l->consent, n);
}

void
letter_seal(struct letter *l, const struct party *from)
{
	size_t n;

	ck_assert_int_eq(kl_header_pack(&l->e.header, l->header,
	    sizeof l->header, &n), KL_OK);
	l->e.header_bytes = kl_bytes(l->header, n);
	pack_consent(l);
	l->e.ct_hash = kl_hash_of(kl_bytes(l->ct, l->ct_n));
	letter_sign(l, from);
}

void
letter_sign(struct letter *l, const struct party *from)
{
	uint8_t body[KL_ENVELOPE_MAX];
	size_t n;

	ck_assert_int_eq(kl_envelope_pack(&l->e, body, sizeof body, &n),
	    KL_OK);
	l->body_hash = kl_hash_of(kl_bytes(body, n));
	sign_body(KL_LABEL_ENVELOPE, kl_bytes(body, n), from->sk,
	    &l->envelope);
}

void
letter_receipt(const struct letter *l, const struct party *by,
    uint32_t outcome, uint32_t code, struct letter_bytes *out)
{
	struct kl_receipt r = {
		.version = 1, .signer = by->id,
		.signer_key_id = kl_key_id_of(by->sign_pk.b),
		.msg_id = l->e.header.msg_id, .body_hash = l->body_hash,
		.outcome = outcome, .code = code, .at_ms = LETTERS_NOW_MS,
	};

	LETTERS_SIGN(KL_RECEIPT, &r, by->sk, out);
}

struct kl_withdrawal
letter_withdrawal(const struct letter *referral, const struct party *by,
    uint32_t scope, uint32_t cause)
{
	return (struct kl_withdrawal){
		.version = 1, .signer = by->id,
		.signer_key_id = kl_key_id_of(by->sign_pk.b),
		.conv_id = referral->e.header.conv_id, .scope = scope,
		.cause = cause, .route = by->role, .at_ms = LETTERS_NOW_MS,
		.valid_until = referral->e.consent.valid_until,
	};
}
