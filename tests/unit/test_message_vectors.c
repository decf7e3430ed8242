/*
 * Messages byte for byte as another program wrote them: packing our struct
 * gives the vector, reading the vector gives our struct, signatures and
 * derivations are those of the vector.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/merkle.h>
#include <kortelijn/crypto/seal.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/domain/render.h>
#include <kortelijn/end/envelope.h>
#include <kortelijn/wire/content.h>
#include <kortelijn/wire/request.h>
#include <tests/support/vectors.h>

#define NOW INT64_C(1795510800000)	/* 2026-11-24 09:00 */
#define MONDAY (NOW - KL_DAY_MS - 9 * KL_HOUR_MS)
#define YEAR_MS (365 * KL_DAY_MS)

static struct kl_arena *mem;
static struct vectors *v;

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	mem = kl_arena_new(256 * 1024, 1024);
	ck_assert_ptr_nonnull(mem);
}

static void
teardown(void)
{
	vectors_free(v);
	v = NULL;
	kl_arena_free(mem);
}

static void
count(void *out, size_t n, uint8_t first)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)out)[i] = (uint8_t)(first + i);
}
#define COUNT(x, first) count((x).b, sizeof (x).b, first)

static struct kl_bytes
vector(const char *name, const char *part)
{
	char full[80];

	snprintf(full, sizeof full, "%s%s", name, part);
	return vectors_get(v, full);
}

/* ---- the parties of the vectors ------------------------------------------ */

struct party {
	const char *seed;		/* name in the file */
	uint8_t transport;
	struct kl_id id;
	struct kl_sign_pk pk;
	struct kl_key_id key_id;
	struct kl_secret *sk;
};

static struct party
party(const char *seed, const char *id, uint8_t transport)
{
	struct party p = { .seed = seed, .transport = transport };

	ck_assert_int_eq(kl_id_read(id, &p.id), KL_OK);
	ck_assert_int_eq(kl_sign_from_seed(vectors_get(v, seed), &p.sk),
	    KL_OK);
	ck_assert_int_eq(kl_sign_public(p.sk, &p.pk), KL_OK);
	p.key_id = kl_key_id_of(p.pk.b);
	return p;
}
#define PRACTICE() party("practice_seed", "agb:01234567", 0x40)
#define DESK() party("desk_seed", "oin:00000001234567890000", 0x70)
#define BROKER() party("broker_seed", "kvk:11223344", 0x90)
#define AUTHORITY() party("authority_seed", "kvk:00000000", 0)

/* ---- statements ---------------------------------------------------------- */

/* The struct packs to the vector, the vector reads to the struct (whose views
 * are compared by what packs from it), and the signature is the vector's. */
static void
agrees(const char *name, uint32_t type, enum kl_label label, const void *in,
    size_t size, struct party by)
{
	struct kl_bytes body = vector(name, "_body");
	struct kl_bytes whole = vector(name, "_signed");
	static uint8_t buf[KL_SIGNED_MAX];
	void *out = malloc(size);
	struct kl_signed s;
	size_t n;

	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(kl_statement_pack(type, in, size, buf, sizeof buf,
	    &n), KL_OK);
	ck_assert_msg(kl_bytes_equal(kl_bytes(buf, n), body), "%s: packs to "
	    "other bytes", name);
	ck_assert_int_eq(kl_signed_read(whole, mem, &s), KL_C_OK);
	ck_assert(kl_bytes_equal(s.body, body));
	ck_assert_int_eq(kl_verify(label, s.body, &by.pk, &s.sig), KL_OK);
	ck_assert_int_eq(kl_statement_read(type, s.body, mem, out, size),
	    KL_C_OK);
	ck_assert_int_eq(kl_statement_pack(type, out, size, buf, sizeof buf,
	    &n), KL_OK);
	ck_assert(kl_bytes_equal(kl_bytes(buf, n), body));
	ck_assert_int_eq(kl_sign(label, body, by.sk, &s.sig), KL_OK);
	ck_assert_int_eq(kl_signed_pack(&s, buf, sizeof buf, &n), KL_OK);
	ck_assert(kl_bytes_equal(kl_bytes(buf, n), whole));
	kl_secret_free(by.sk);
	free(out);
}
#define AGREES(name, type, in, by) \
	agrees(name, type, (enum kl_label)(type), in, sizeof *(in), by)

static struct kl_card
card_of(const struct party *p)
{
	struct kl_card c = { .version = 1, .role = KL_PRACTICE,
		.realm = KL_TRAINING, .id = p->id,
		.name = kl_bytes_str("Huisartsenpraktijk \xc3\x96z"),
		.sign_pk = p->pk, .issued_ms = NOW, .not_before_ms = NOW,
		.not_after_ms = NOW + YEAR_MS, .reads_all = 1 };

	count(c.serial, sizeof c.serial, 0x10);
	COUNT(c.transport_pk, p->transport);
	return c;
}

START_TEST(cards_are_as_the_vectors_say)
{
	struct party practice, desk, broker;
	struct kl_card c;

	v = vectors_open("statements.txt");
	practice = PRACTICE();
	desk = DESK();
	broker = BROKER();
	c = card_of(&practice);
	AGREES("card", KL_CARD, &c, AUTHORITY());
	c = card_of(&desk);
	c.role = KL_AUDITOR;
	count(c.serial, sizeof c.serial, 0x30);
	ck_assert_int_eq(kl_id_read("kvk:12345678", &c.id), KL_OK);
	c.name = kl_bytes_str("Auditor");
	c.succeeds = broker.id;
	c.succeeds_from_ms = NOW;
	c.reads[0] = practice.id;
	c.reads[1] = desk.id;
	c.n_reads = 2;
	AGREES("card_auditor", KL_CARD, &c, AUTHORITY());
	c.role = KL_MUNICIPALITY;
	c.realm = KL_PRODUCTION;
	c.name = kl_bytes_str("Gemeente Nieuw");
	c.succeeds = desk.id;
	c.succeeds_from_ms = NOW + KL_DAY_MS;
	c.n_reads = 0;
	AGREES("card_successor", KL_CARD, &c, AUTHORITY());
	kl_secret_free(practice.sk);
	kl_secret_free(desk.sk);
	kl_secret_free(broker.sk);
}
END_TEST

START_TEST(revocation_and_enrolment_are_as_the_vectors_say)
{
	struct party practice;
	struct kl_revocation r = { .version = 1, .realm = KL_TRAINING,
		.reason = KL_REVOKE_COMPROMISE, .at_ms = NOW };
	struct kl_enrol_request e = { .version = 1, .role = KL_PRACTICE,
		.realm = KL_TRAINING, .at_ms = NOW,
		.name = kl_bytes_str("Huisartsenpraktijk \xc3\x96z") };

	v = vectors_open("statements.txt");
	practice = PRACTICE();
	count(r.serial, sizeof r.serial, 0x10);
	r.id = e.id = practice.id;
	AGREES("revocation", KL_REVOCATION, &r, AUTHORITY());
	e.sign_pk = practice.pk;
	COUNT(e.transport_pk, 0x40);
	agrees("enrol", KL_S_ENROL, KL_LABEL_ENROL, &e, sizeof e, practice);
}
END_TEST

static struct kl_bytes
pack_details(void)
{
	static uint8_t partner[25] = "kvk:12345678", buf[2048];
	struct kl_profile_details d = {
		.display_name = kl_bytes_str("Meldpunt Geldzorgen"),
		.municipality_codes = { 153 }, .n_municipality_codes = 1,
		.office_hours = { 108301700, 208301700 }, .n_office_hours = 2,
		.closed_days = { 20812 }, .n_closed_days = 1,
		.help_offered = { 1, 2, 9 }, .n_help_offered = 3,
		.places_offered = { 1, 4 }, .n_places_offered = 2,
		.handover_forms = { 1, 2, 3 }, .n_handover_forms = 3,
		.languages = { kl_bytes_str("nl"), kl_bytes_str("tr") },
		.n_languages = 2,
		.response_terms = { 48, 120, 672, 72, 1344 },
		.n_response_terms = 5,
		.what_to_expect = kl_bytes_str("We bellen binnen twee "
		    "werkdagen.\nDaarna volgt een gesprek."),
		.regular_contacts = { kl_bytes_str("A. de Vries, consulent") },
		.n_regular_contacts = 1,
		.local_crisis_kinds = { kl_bytes_str("Afsluiting internet") },
		.n_local_crisis_kinds = 1,
		.partners = { KL_BYTES_OF(partner) }, .n_partners = 1,
		.retention_statement = kl_bytes_str("Volgens de "
		    "selectielijst."),
	};
	size_t n;

	partner[24] = 2;
	ck_assert_int_eq(KL_STATEMENT_PACK(KL_S_PROFILE_DETAILS, &d, buf,
	    sizeof buf, &n), KL_OK);
	return kl_bytes(buf, n);
}

START_TEST(prekey_and_profile_are_as_the_vectors_say)
{
	struct kl_prekey k = { .version = 1, .not_before_ms = MONDAY,
		.not_after_ms = MONDAY + KL_WEEK_MS, .schema_min = 1,
		.schema_max = 2 };
	struct kl_profile p = { .version = 1, .valid_from_ms = NOW,
		.valid_until_ms = NOW + YEAR_MS,
		.phone = kl_bytes_str("+31531234567"),
		.crisis_phone = kl_bytes_str("+31531234568") };
	struct vectors *e = vectors_open("envelope.txt");
	struct party desk;

	v = vectors_open("statements.txt");
	desk = DESK();
	k.owner = p.owner = desk.id;
	k.signer_key_id = p.signer_key_id = desk.key_id;
	memcpy(k.pk.b, vectors_get(e, "prekey").p, sizeof k.pk.b);
	vectors_free(e);
	AGREES("prekey", KL_PREKEY, &k, DESK());
	p.details = pack_details();
	ck_assert(kl_bytes_equal(p.details, vectors_get(v, "details")));
	AGREES("profile", KL_PROFILE, &p, desk);
}
END_TEST

START_TEST(receipts_are_as_the_vectors_say)
{
	struct kl_receipt r = { .version = 1, .outcome = KL_OPENED,
		.code = KL_C_OK, .at_ms = NOW };
	struct party desk;

	v = vectors_open("statements.txt");
	desk = DESK();
	r.signer = desk.id;
	r.signer_key_id = desk.key_id;
	COUNT(r.msg_id, 0x30);
	COUNT(r.body_hash, 0xb0);
	AGREES("receipt", KL_RECEIPT, &r, DESK());
	r.outcome = KL_REFUSED;
	r.code = KL_C_BSN;
	AGREES("receipt_refused", KL_RECEIPT, &r, desk);
}
END_TEST

START_TEST(withdrawal_and_erasure_are_as_the_vectors_say)
{
	struct kl_withdrawal w = { .version = 1, .scope = KL_SCOPE_ALL,
		.cause = KL_CAUSE_RESIDENT, .route = KL_PRACTICE,
		.at_ms = NOW, .valid_until = 21145 };
	struct kl_erase_receipt r = { .version = 1, .at_ms = NOW,
		.adapter_copy = KL_ERASED,
		.case_system = KL_KEPT_ON_OWN_BASIS };
	struct party practice, desk;

	v = vectors_open("statements.txt");
	practice = PRACTICE();
	desk = DESK();
	w.signer = practice.id;
	w.signer_key_id = practice.key_id;
	COUNT(w.conv_id, 0x20);
	AGREES("withdrawal", KL_WITHDRAWAL, &w, PRACTICE());
	w.cause = KL_CAUSE_SENT_IN_ERROR;
	AGREES("withdrawal_in_error", KL_WITHDRAWAL, &w, practice);
	r.signer = desk.id;
	r.signer_key_id = desk.key_id;
	COUNT(r.conv_id, 0x20);
	r.withdrawal_hash = kl_hash_of(vectors_get(v, "withdrawal_body"));
	AGREES("erase_receipt", KL_ERASE_RECEIPT, &r, desk);
}
END_TEST

START_TEST(notices_are_as_the_vectors_say)
{
	struct kl_notice n = { .version = 1, .notice = KL_NOTICE_DEAD,
		.code = KL_C_CARD_REVOKED, .at_ms = NOW };
	struct party broker;

	v = vectors_open("statements.txt");
	broker = BROKER();
	n.signer = broker.id;
	n.signer_key_id = broker.key_id;
	COUNT(n.conv_id, 0x20);
	COUNT(n.msg_id, 0x30);
	AGREES("notice_dead", KL_NOTICE, &n, BROKER());
	n.notice = KL_NOTICE_GAP;
	n.code = KL_C_OK;
	n.seq_from = 2;
	n.seq_to = 3;
	AGREES("notice_gap", KL_NOTICE, &n, BROKER());
	n.notice = KL_NOTICE_ERASE_REQUEST;
	n.seq_from = n.seq_to = 0;
	memset(&n.msg_id, 0, sizeof n.msg_id);
	n.due_ms = NOW + KL_WEEK_MS;
	n.withdrawal = vectors_get(v, "withdrawal_signed");
	n.parent = kl_bytes_str("the parent's signed body");
	AGREES("notice_erase_request", KL_NOTICE, &n, broker);
}
END_TEST

/* ---- content ------------------------------------------------------------- */

static const struct kl_referral referral = {
	.extract = KL_EXTRACT_FULL,
	.name = { "J.P.M.", "van", "P\xc3\xbctten" },
	.birth_date = { 1980, 10, 25 }, .postcode = "7511AB",
	.house_number = 12, .house_number_suffix = "A",
	.sex = KL_SEX_FEMALE, .phone = "+31612345678",
	.email = "j@example.org", .voicemail_ok = KL_ANSWER_NO,
	.letter_ok = KL_ANSWER_YES, .contact_preference = KL_CONTACT_PHONE,
	.part_of_day = KL_AFTERNOON, .preferred_place = KL_PLACE_MUNICIPALITY,
	.introductory_talk_first = KL_ANSWER_YES, .language = "tr",
	.interpreter_needed = KL_ANSWER_YES,
	.help_question = KL_HELP_MONEY_WORRIES, .crisis = KL_ANSWER_NO,
	.handover_form = KL_HANDOVER_PHONE,
	.referrer = { KL_STAFF_GP, "Dr. B. Ten Cate", "+31534561234" },
	.contact_person = { "\xc3\x96. de Boer", "+31687654321",
	    KL_RELATION_FRIEND, KL_ANSWER_YES },
};

static const struct kl_referral shortest = {
	.extract = KL_EXTRACT_CONTACT, .name = { "", "", "Jansen" },
	.phone = "+31612345678", .voicemail_ok = KL_ANSWER_NO,
	.letter_ok = KL_ANSWER_NO, .contact_preference = KL_CONTACT_PHONE,
	.referrer = { KL_STAFF_DESK, "Desk", "+31531234567" },
};

static void
content_agrees(const char *name, const struct kl_referral *r)
{
	uint8_t salt[KL_SALT_BYTES], buf[KL_CONTENT_REFERRAL_BYTES];
	struct kl_referral out;
	uint32_t schema;
	size_t n;

	ck_assert_int_eq(kl_content_pack_referral(r,
	    vectors_get(v, "salt").p, 1, buf, sizeof buf, &n), KL_OK);
	ck_assert(kl_bytes_equal(kl_bytes(buf, n), vectors_get(v, name)));
	ck_assert_int_eq(kl_content_read_referral(vectors_get(v, name), mem,
	    &out, salt, &schema), KL_OK);
	ck_assert_uint_eq(schema, 1);
	ck_assert_mem_eq(&out, r, sizeof out);
	ck_assert_mem_eq(salt, vectors_get(v, "salt").p, sizeof salt);
}

START_TEST(content_is_as_the_vectors_say)
{
	struct kl_feedback f = { .code = KL_ST_TAKEN_UP, .day = 20781,
		.level = KL_LEVEL_2 }, out;
	uint8_t buf[KL_CONTENT_FEEDBACK_BYTES];
	uint32_t schema;
	size_t n;

	v = vectors_open("content.txt");
	content_agrees("referral", &referral);
	content_agrees("shortest", &shortest);
	ck_assert_int_eq(kl_content_pack_feedback(&f, 1, buf, sizeof buf,
	    &n), KL_OK);
	ck_assert(kl_bytes_equal(kl_bytes(buf, n),
	    vectors_get(v, "feedback")));
	f.code = KL_ST_REFERRED_ON_KEEPING_LEAD;
	f.category = KL_CAT_CREDIT_BANK;
	ck_assert_int_eq(kl_content_pack_feedback(&f, 1, buf, sizeof buf,
	    &n), KL_OK);
	ck_assert(kl_bytes_equal(kl_bytes(buf, n),
	    vectors_get(v, "feedback_category")));
	ck_assert_int_eq(kl_content_read_feedback(
	    vectors_get(v, "feedback_category"), mem, &out, &schema), KL_OK);
	ck_assert_mem_eq(&out, &f, sizeof f);
}
END_TEST

START_TEST(the_preview_is_the_text_that_the_vectors_hash)
{
	static char text[KL_RENDER_MAX];
	struct kl_bytes parts[2];
	struct kl_hash h;
	size_t n;

	v = vectors_open("content.txt");
	ck_assert_int_eq(kl_render_referral(&referral, KL_NL, text,
	    sizeof text, &n), KL_OK);
	parts[0] = vectors_get(v, "salt");
	parts[1] = kl_bytes(text, n);
	ck_assert(kl_bytes_equal(parts[1], vectors_get(v, "preview")));
	h = kl_hash_parts(parts, 2);
	ck_assert(kl_bytes_equal(KL_BYTES_OF(h),
	    vectors_get(v, "preview_hash")));
}
END_TEST

/* ---- envelopes ----------------------------------------------------------- */

static struct kl_header
header_of(uint32_t kind, const struct party *from, const struct party *to)
{
	struct kl_header h = {
		.version = 1, .suite = 1, .kind = kind, .purpose = 1,
		.sender_role = KL_STAFF_GP, .milestone = KL_MS_NONE,
		.feedback_level = KL_LEVEL_2, .content_schema = 1, .seq = 1,
		.sender = from->id, .receiver = to->id,
		.sender_key_id = from->key_id, .created_ms = NOW,
		.deliver_by_ms = NOW + 2 * KL_DAY_MS,
		.expire_at_ms = NOW + 14 * KL_DAY_MS,
	};

	COUNT(h.msg_id, (uint8_t)(0x40 + kind));
	COUNT(h.conv_id, 0x20);
	h.prekey_id = kl_key_id_of(vectors_get(v, "prekey").p);
	if (kind == KL_REFERRAL) {
		COUNT(h.staff_ref, 0x71);
		h.answer_by_ms = NOW + 3 * KL_DAY_MS;
		return h;
	}
	memcpy(h.answers.b, vectors_get(v, "referral_body_hash").p, 32);
	if (kind == KL_CORRECTION) {
		h.sender_role = KL_STAFF_ASSISTANT;
		h.feedback_level = KL_LEVEL_0;
		h.seq = 2;
		COUNT(h.replaces, 0x52);
	} else {
		h.sender_role = KL_STAFF_DESK;
		h.milestone = KL_MS_TAKEN_UP;
		h.expire_at_ms = NOW + 42 * KL_DAY_MS;
	}
	return h;
}

static void
header_agrees(const char *kind, const struct kl_header *h,
    const struct kl_envelope *e)
{
	uint8_t buf[KL_HEADER_MAX];
	size_t n;

	ck_assert_int_eq(kl_header_pack(h, buf, sizeof buf, &n), KL_OK);
	ck_assert(kl_bytes_equal(kl_bytes(buf, n), vector(kind, "_header")));
	ck_assert(kl_bytes_equal(e->header_bytes, vector(kind, "_header")));
	ck_assert(kl_bytes_equal(KL_BYTES_OF(e->header), KL_BYTES_OF(*h)));
}

/* Checks, opens and derives all over again from the ephemeral secret. */
static void
envelope_agrees(const char *kind, const struct kl_header *h,
    const struct party *from)
{
	struct kl_secret *sk = kl_secret_copy(vectors_get(v, "prekey_secret"));
	struct kl_secret *eph = kl_secret_copy(vector(kind,
	    "_ephemeral_secret"));
	struct kl_message_key key;
	struct kl_bytes ct = vector(kind, "_ciphertext");
	uint8_t plain[KL_PLAIN_REFERRAL], buf[KL_ENVELOPE_MAX];
	struct kl_seal_context c;
	struct kl_envelope e;
	struct kl_dh_pk pk;
	struct kl_hash body;
	size_t n;

	memcpy(pk.b, vectors_get(v, "prekey").p, sizeof pk.b);
	ck_assert_int_eq(kl_envelope_check(vector(kind, "_signed"), ct,
	    &from->pk, mem, &e, &body), KL_C_OK);
	ck_assert(kl_bytes_equal(KL_BYTES_OF(body),
	    vector(kind, "_body_hash")));
	header_agrees(kind, h, &e);
	ck_assert_int_eq(kl_envelope_pack(&e, buf, sizeof buf, &n), KL_OK);
	ck_assert(kl_bytes_equal(kl_bytes(buf, n), vector(kind, "_body")));
	ck_assert_int_eq(kl_envelope_open(&e, ct, &from->pk, &pk, sk, plain,
	    &n), KL_OK);
	ck_assert(kl_bytes_equal(kl_bytes(plain, n), vector(kind, "_plain")));
	c = (struct kl_seal_context){ e.ephemeral, pk, from->pk, h->receiver,
		e.consent_bytes, e.header_bytes };
	ck_assert_int_eq(kl_seal_key(eph, &pk, &c, &key), KL_OK);
	ck_assert(kl_bytes_equal(KL_BYTES_OF(key.b), vector(kind, "_key")));
	kl_secret_free(eph);
	kl_secret_free(sk);
}

START_TEST(an_envelope_of_each_kind_is_as_the_vectors_say)
{
	static const char *const names[] = { NULL, "referral", "correction",
		"feedback" };
	struct party practice, desk;
	struct kl_header h;

	v = vectors_open("envelope.txt");
	practice = PRACTICE();
	desk = DESK();
	for (uint32_t kind = KL_REFERRAL; kind <= KL_FEEDBACK; kind++) {
		bool back = kind == KL_FEEDBACK;

		h = header_of(kind, back ? &desk : &practice,
		    back ? &practice : &desk);
		envelope_agrees(names[kind], &h, back ? &desk : &practice);
	}
	kl_secret_free(practice.sk);
	kl_secret_free(desk.sk);
}
END_TEST

START_TEST(an_onward_referral_is_as_the_vectors_say)
{
	struct party desk;
	struct kl_header h;
	struct kl_envelope e;
	struct kl_signed s;

	v = vectors_open("envelope.txt");
	desk = DESK();
	h = header_of(KL_REFERRAL, &desk, &desk);
	ck_assert_int_eq(kl_id_read("kvk:12345678", &h.receiver), KL_OK);
	COUNT(h.msg_id, 0x44);
	COUNT(h.conv_id, 0x30);
	memset(&h.staff_ref, 0, sizeof h.staff_ref);
	h.sender_role = KL_STAFF_COUNSELLOR;
	h.feedback_level = KL_LEVEL_0;
	h.answer_by_ms = 0;
	envelope_agrees("onward", &h, &desk);
	ck_assert_int_eq(kl_signed_read(vectors_get(v, "onward_signed"), mem,
	    &s), KL_C_OK);
	ck_assert_int_eq(kl_envelope_read(s.body, mem, &e), KL_C_OK);
	ck_assert(kl_bytes_equal(KL_BYTES_OF(e.consent.under),
	    vectors_get(v, "referral_body_hash")));
	kl_secret_free(desk.sk);
}
END_TEST

START_TEST(consent_and_preview_are_as_the_vectors_say)
{
	struct vectors *content = vectors_open("content.txt");
	struct kl_consent c = { .referral = 1, .feedback_level = KL_LEVEL_2,
		.form = KL_ORAL, .info_text_version = 4, .given_on = 20780,
		.valid_until = 21145, .recorded_in_his = 1,
		.n_onward_to = 1 };
	uint8_t buf[KL_CONSENT_MAX];
	size_t n;

	v = vectors_open("envelope.txt");
	memcpy(c.preview_hash.b, vectors_get(content, "preview_hash").p, 32);
	vectors_free(content);
	ck_assert_int_eq(kl_id_read("kvk:12345678", &c.onward_to[0]), KL_OK);
	ck_assert_int_eq(kl_consent_pack(&c, buf, sizeof buf, &n), KL_OK);
	ck_assert(kl_bytes_equal(kl_bytes(buf, n),
	    vectors_get(v, "referral_consent")));
	ck_assert_int_eq(kl_preview_pack(&c.preview_hash, buf, sizeof buf,
	    &n), KL_OK);
	ck_assert(kl_bytes_equal(kl_bytes(buf, n),
	    vectors_get(v, "correction_consent")));
	ck_assert_uint_eq(vectors_get(v, "feedback_consent").n, 0);
}
END_TEST

/* ---- the log ------------------------------------------------------------- */

static void
record_agrees(const char *name, const struct kl_record *r)
{
	struct kl_bytes want = vector(name, "_record");
	uint8_t buf[KL_RECORD_MAX];
	struct kl_record out;
	struct kl_hash h;
	size_t n;

	ck_assert_int_eq(KL_STATEMENT_PACK(KL_S_RECORD, r, buf, sizeof buf,
	    &n), KL_OK);
	ck_assert_msg(kl_bytes_equal(kl_bytes(buf, n), want), "%s", name);
	ck_assert_int_eq(KL_STATEMENT_READ(KL_S_RECORD, want, mem, &out),
	    KL_C_OK);
	ck_assert(kl_bytes_equal(KL_BYTES_OF(out), KL_BYTES_OF(*r)));
	h = kl_record_leaf_hash(vectors_get(v, "salt").p, want);
	ck_assert(kl_bytes_equal(KL_BYTES_OF(h), vector(name, "_leaf_hash")));
}

/* The parties' keys and the REFERRAL's hash stand in other files. */
static struct kl_record
record_by(const char *seed, const char *id, uint32_t role, uint32_t event)
{
	struct vectors *log = v, *s = vectors_open("statements.txt");
	struct kl_record r = { .version = 1, .event = event,
		.actor_role = role, .time_minute = NOW / KL_MINUTE_MS,
		.outcome = 1, .reason = KL_C_OK, .count = 1 };
	struct party p;

	v = s;
	p = party(seed, id, 0);
	v = log;
	r.actor_key_id = p.key_id;
	if (role == KL_PRACTICE)
		r.org_from = p.id;
	kl_secret_free(p.sk);
	vectors_free(s);
	return r;
}

/* The FEEDBACK that answers it; its leaves say which step it tells. */
static void
released_agrees(struct kl_record r)
{
	const struct kl_id desk = r.org_to;

	r.event = KL_EV_RELEASED;
	r.org_to = r.org_from;
	r.org_from = desk;
	r.kind = KL_FEEDBACK;
	r.due_minute = 0;
	r.prev_state = KL_MSG_ACCEPTED;
	r.new_state = KL_MSG_RELEASED;
	r.milestone = KL_MS_TAKEN_UP;
	record_agrees("released", &r);
}

START_TEST(records_and_leaves_are_as_the_vectors_say)
{
	struct vectors *e = vectors_open("envelope.txt");
	struct kl_logged l = { .leaf = 184622 };
	struct kl_record r;
	uint8_t buf[512];
	size_t n;

	v = vectors_open("log.txt");
	r = record_by("broker_seed", "kvk:11223344", KL_BROKER, KL_EV_ORIGIN);
	r.body_hash = kl_hash_of(vectors_get(v, "previous_note"));
	record_agrees("origin", &r);
	r = record_by("practice_seed", "agb:01234567", KL_PRACTICE,
	    KL_EV_REFUSED);
	r.outcome = 2;
	r.reason = KL_C_QUOTA_REQUESTS;
	r.count = UINT32_MAX;
	record_agrees("refused", &r);
	r = record_by("practice_seed", "agb:01234567", KL_PRACTICE,
	    KL_EV_ACCEPTED);
	COUNT(r.conv_ref, 0x20);
	COUNT(r.msg_ref, 0x30);
	ck_assert_int_eq(kl_id_read("oin:00000001234567890000", &r.org_to),
	    KL_OK);
	r.kind = KL_REFERRAL;
	r.new_state = KL_MSG_ACCEPTED;
	r.due_minute = (NOW + 2 * KL_DAY_MS) / KL_MINUTE_MS;
	memcpy(r.body_hash.b, vectors_get(e, "referral_body_hash").p, 32);
	vectors_free(e);
	record_agrees("accepted", &r);
	released_agrees(r);
	l.record = vectors_get(v, "accepted_record");
	memcpy(l.salt, vectors_get(v, "salt").p, sizeof l.salt);
	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_LOGGED, &l, buf, sizeof buf,
	    &n), KL_OK);
	ck_assert(kl_bytes_equal(kl_bytes(buf, n), vectors_get(v, "logged")));
}
END_TEST

/* ---- requests ------------------------------------------------------------ */

/* In the order of enum kl_message_type. */
static const size_t sizes[] = {
	0, sizeof (struct kl_request_msg), sizeof (struct kl_reply_msg),
	sizeof (struct kl_hello), sizeof (struct kl_hello_reply),
	sizeof (struct kl_submit), sizeof (struct kl_logged),
	sizeof (struct kl_submit_reply), sizeof (struct kl_fetch),
	sizeof (struct kl_fetch_reply), sizeof (struct kl_item),
	sizeof (struct kl_put_receipt), sizeof (struct kl_item_ack),
	sizeof (struct kl_withdraw), sizeof (struct kl_withdraw_reply),
	sizeof (struct kl_directory), sizeof (struct kl_directory_reply),
	sizeof (struct kl_entry), sizeof (struct kl_publish),
	sizeof (struct kl_sync), sizeof (struct kl_sync_reply),
	sizeof (struct kl_sync_conversation), sizeof (struct kl_log_request),
	sizeof (struct kl_log_reply), sizeof (struct kl_query_what),
	sizeof (struct kl_query), sizeof (struct kl_query_reply),
	sizeof (struct kl_query_state),
};

START_TEST(every_message_of_a_session_reads_and_packs_as_the_vectors_say)
{
	static uint8_t buf[KL_FRAME_MAX];
	struct kl_bytes in;
	const char *name;
	size_t i, n;

	v = vectors_open("requests.txt");
	for (i = 0; vectors_at(v, i, &name, &in); i++) {
		void *out = malloc(sizes[i + 1]);

		ck_assert_ptr_nonnull(out);
		ck_assert_msg(kl_message_read((uint32_t)i + 1, in, mem, out,
		    sizes[i + 1]) == KL_C_OK, "%s", name);
		ck_assert_int_eq(kl_message_pack((uint32_t)i + 1, out,
		    sizes[i + 1], buf, sizeof buf, &n), KL_OK);
		ck_assert_msg(kl_bytes_equal(kl_bytes(buf, n), in), "%s",
		    name);
		free(out);
	}
	ck_assert_uint_eq(i, KL_M_QUERY_STATE);
}
END_TEST

START_TEST(the_values_of_a_session_are_where_the_vectors_put_them)
{
	struct kl_request_msg q;
	struct kl_reply_msg r;
	struct kl_hello h;
	struct kl_fetch f;
	struct kl_item i;
	struct kl_sync_conversation c;

	v = vectors_open("requests.txt");
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_REQUEST,
	    vectors_get(v, "request"), mem, &q), KL_C_OK);
	ck_assert_uint_eq(q.request, KL_HELLO);
	ck_assert_uint_eq(q.request_id, 4711);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_HELLO, q.body, mem, &h),
	    KL_C_OK);
	ck_assert_uint_eq(h.epoch, 7);
	ck_assert_uint_eq(h.schema_max, 2);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_REPLY, vectors_get(v, "reply"),
	    mem, &r), KL_C_OK);
	ck_assert_uint_eq(r.code, KL_C_SEQ);
	ck_assert_uint_eq(kl_be64(r.detail.p), 5);
	ck_assert_int_eq(r.time_ms, NOW);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_FETCH, vectors_get(v, "fetch"),
	    mem, &f), KL_C_OK);
	ck_assert_uint_eq(f.n_ack, 3);
	ck_assert_uint_eq(f.ack[2], UINT64_MAX);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_ITEM, vectors_get(v, "item"),
	    mem, &i), KL_C_OK);
	ck_assert_uint_eq(i.sort, KL_SORT_ENVELOPE);
	ck_assert_mem_eq(i.spoken, "0J5NRK2HA", 9);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_SYNC_CONVERSATION,
	    vectors_get(v, "sync_conversation"), mem, &c), KL_C_OK);
	ck_assert_uint_eq(c.last_seq_sender, 2);
	ck_assert_uint_eq(c.last_seq_receiver, 1);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, cards_are_as_the_vectors_say);
	tcase_add_test(tc, revocation_and_enrolment_are_as_the_vectors_say);
	tcase_add_test(tc, prekey_and_profile_are_as_the_vectors_say);
	tcase_add_test(tc, receipts_are_as_the_vectors_say);
	tcase_add_test(tc, withdrawal_and_erasure_are_as_the_vectors_say);
	tcase_add_test(tc, notices_are_as_the_vectors_say);
	tcase_add_test(tc, content_is_as_the_vectors_say);
	tcase_add_test(tc, the_preview_is_the_text_that_the_vectors_hash);
	tcase_add_test(tc, an_envelope_of_each_kind_is_as_the_vectors_say);
	tcase_add_test(tc, an_onward_referral_is_as_the_vectors_say);
	tcase_add_test(tc, consent_and_preview_are_as_the_vectors_say);
	tcase_add_test(tc, records_and_leaves_are_as_the_vectors_say);
	tcase_add_test(tc,
	    every_message_of_a_session_reads_and_packs_as_the_vectors_say);
	tcase_add_test(tc,
	    the_values_of_a_session_are_where_the_vectors_put_them);
}

int
main(void)
{
	Suite *s = suite_create("message_vectors");
	TCase *tc = tcase_create("message_vectors");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	add_tests(tc);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
