#include <kortelijn/wire/signed.h>

#include <string.h>

#include "proto/wire/check.h"
#include "proto/wire/table.h"
#include "signed.pb-c.h"

#define ANY_U32 UINT32_MAX
#define ROLES KL_BROKER
#define STAFF_ROLES KL_STAFF_PARTNER

size_t
kl_plain_bytes(uint32_t kind)
{
	switch (kind) {
	case KL_REFERRAL:
	case KL_CORRECTION: return KL_PLAIN_REFERRAL;
	case KL_FEEDBACK: return KL_PLAIN_FEEDBACK;
	default: return 0;
	}
}

/* ---- Signed and Body ----------------------------------------------------- */

struct outer {
	struct kl_bytes body;
	struct kl_sig sig;
};
static const struct kl_row outer_rows[] = {
	KL_VIEW(outer, body, 1, KL_SIGNED_MAX - 80),
	KL_FIXED(outer, sig),
};
static const struct kl_table outer_table =
    KL_TABLE(outer_rows, kl__signed__descriptor, outer);

enum kl_code
kl_signed_read(struct kl_bytes in, struct kl_arena *mem,
    struct kl_signed *out)
{
	struct outer o;
	int err = in.n > KL_SIGNED_MAX ? KL_E_SIZE :
	    kl_table_read(&outer_table, in, mem, &o);

	*out = (struct kl_signed){ .body = KL_BYTES_NONE };
	if (err == KL_OK)
		*out = (struct kl_signed){ o.body, o.sig };
	return kl_table_code(err);
}

int
kl_signed_pack(const struct kl_signed *s, uint8_t *buf, size_t cap, size_t *n)
{
	struct outer o = { s->body, s->sig };

	return kl_table_pack(&outer_table, &o, buf, cap, n);
}

static const struct kl_row body_rows[] = {
	KL_VIEW(kl_envelope, header_bytes, 1, KL_HEADER_MAX),
	KL_VIEW(kl_envelope, consent_bytes, 0, KL_CONSENT_MAX),
	KL_FIXED(kl_envelope, ephemeral),
	KL_FIXED(kl_envelope, nonce),
	KL_FIXED(kl_envelope, commit),
	KL_FIXED(kl_envelope, ct_hash),
	KL_U32(kl_envelope, ct_len, 1, KL_CT_MAX),
};
static const struct kl_table body_table =
    KL_TABLE(body_rows, kl__body__descriptor, kl_envelope);

static const struct kl_row header_rows[] = {
	KL_U32(kl_header, version, 1, ANY_U32),
	KL_U32(kl_header, suite, 1, ANY_U32),
	KL_U32(kl_header, kind, 1, KL_FEEDBACK),
	KL_U32(kl_header, purpose, 1, KL_REFERRAL_WITH_CONSENT),
	KL_U32(kl_header, sender_role, 1, STAFF_ROLES),
	KL_U32(kl_header, milestone, 1, KL_MS_RETURNED),
	KL_U32(kl_header, feedback_level, 1, KL_LEVEL_3),
	KL_U32(kl_header, content_schema, 1, 255),
	KL_FIXED(kl_header, msg_id),
	KL_FIXED(kl_header, conv_id),
	KL_U64(kl_header, seq, 1, UINT32_MAX),
	KL_FIXED(kl_header, answers),
	KL_FIXED(kl_header, replaces),
	KL_ID(kl_header, sender),
	KL_ID(kl_header, receiver),
	KL_FIXED(kl_header, sender_key_id),
	KL_FIXED(kl_header, prekey_id),
	KL_FIXED(kl_header, staff_ref),
	KL_TIME(kl_header, created_ms),
	KL_TIME(kl_header, deliver_by_ms),
	KL_TIME(kl_header, answer_by_ms),
	KL_TIME(kl_header, expire_at_ms),
};
static const struct kl_table header_table =
    KL_TABLE(header_rows, kl__header__descriptor, kl_header);

static const struct kl_row consent_rows[] = {
	KL_U32(kl_consent, referral, 1, 1),
	KL_U32(kl_consent, feedback_level, 1, KL_LEVEL_3),
	KL_U32(kl_consent, form, 1, KL_WRITTEN),
	KL_U32(kl_consent, info_text_version, 1, 65535),
	KL_U32(kl_consent, given_on, 1, 2932896),
	KL_U32(kl_consent, valid_until, 1, 2932896),
	KL_U32(kl_consent, recorded_in_his, 1, 1),
	KL_FIXED(kl_consent, preview_hash),
	KL_FIXED(kl_consent, under),
	KL_MANY(KL_ROW_IDS, kl_consent, onward_to, 0),
};
static const struct kl_table consent_table =
    KL_TABLE_CHECKED(consent_rows, kl__consent__descriptor, kl_consent,
    kl_check_consent);

struct preview {
	struct kl_hash preview_hash;
};
static const struct kl_row preview_rows[] = {
	KL_FIXED(preview, preview_hash),
};
static const struct kl_table preview_table =
    KL_TABLE(preview_rows, kl__preview__descriptor, preview);

bool
kl_envelope_roles(uint32_t kind, uint32_t sender_role, uint32_t receiver_role)
{
	switch (kind) {
	case KL_REFERRAL:
	case KL_CORRECTION:
		if (sender_role == KL_PRACTICE)
			return receiver_role == KL_MUNICIPALITY;
		return sender_role == KL_MUNICIPALITY &&
		    (receiver_role == KL_PARTNER ||
		    receiver_role == KL_MUNICIPALITY);
	case KL_FEEDBACK:
		if (sender_role == KL_MUNICIPALITY)
			return receiver_role == KL_PRACTICE ||
			    receiver_role == KL_MUNICIPALITY;
		return sender_role == KL_PARTNER &&
		    receiver_role == KL_MUNICIPALITY;
	default:
		return false;
	}
}

int
kl_header_pack(const struct kl_header *h, uint8_t *buf, size_t cap, size_t *n)
{
	return kl_table_pack(&header_table, h, buf, cap, n);
}

int
kl_consent_pack(const struct kl_consent *c, uint8_t *buf, size_t cap,
    size_t *n)
{
	return kl_table_pack(&consent_table, c, buf, cap, n);
}

int
kl_preview_pack(const struct kl_hash *preview_hash, uint8_t *buf, size_t cap,
    size_t *n)
{
	struct preview p = { *preview_hash };

	return kl_table_pack(&preview_table, &p, buf, cap, n);
}

int
kl_envelope_pack(const struct kl_envelope *e, uint8_t *buf, size_t cap,
    size_t *n)
{
	return kl_table_pack(&body_table, e, buf, cap, n);
}

static enum kl_code
read_consent(struct kl_envelope *e, struct kl_arena *mem)
{
	struct preview p = { .preview_hash = { { 0 } } };
	int err;

	switch (e->header.kind) {
	case KL_REFERRAL:
		if (e->consent_bytes.n == 0)
			return KL_C_NO_CONSENT;
		err = kl_table_read(&consent_table, e->consent_bytes, mem,
		    &e->consent);
		e->preview_hash = e->consent.preview_hash;
		return kl_table_code(err);
	case KL_CORRECTION:
		err = kl_table_read(&preview_table, e->consent_bytes, mem, &p);
		e->preview_hash = p.preview_hash;
		return kl_table_code(err);
	default:
		return e->consent_bytes.n == 0 ? KL_C_OK : KL_C_MALFORMED;
	}
}

/* Which fields a kind leaves zero. PROTOCOL.md 4.2. */
enum kl_code
kl_header_check(const struct kl_header *h)
{
	bool answers = !kl_bytes_zero(KL_BYTES_OF(h->answers));

	if (h->version != KL_PROTOCOL_VERSION)
		return KL_C_VERSION;
	if (h->suite != KL_SUITE_1)
		return KL_C_SUITE;
	if ((h->kind == KL_REFERRAL) == answers)
		return KL_C_ANSWERS;
	if ((h->kind == KL_FEEDBACK) == (h->milestone == KL_MS_NONE))
		return KL_C_VALUE_UNKNOWN;
	if (h->kind == KL_CORRECTION && h->feedback_level != KL_LEVEL_0)
		return KL_C_VALUE_UNKNOWN;
	if (h->kind != KL_REFERRAL && h->answer_by_ms != 0)
		return KL_C_VALUE_UNKNOWN;
	if (kl_bytes_zero(KL_BYTES_OF(h->msg_id)) ||
	    kl_bytes_zero(KL_BYTES_OF(h->conv_id)) ||
	    kl_id_equal(&h->sender, &h->receiver))
		return KL_C_VALUE_UNKNOWN;
	if (memcmp(h->replaces.b, h->msg_id.b, sizeof h->msg_id.b) == 0)
		return KL_C_REPLACES;
	return KL_C_OK;
}

/* What header, consent and ciphertext say about each other. */
static enum kl_code
check_together(const struct kl_envelope *e)
{
	const struct kl_header *h = &e->header;

	if (e->ct_len != kl_plain_bytes(h->kind) + KL_CT_EXTRA)
		return KL_C_VALUE_UNKNOWN;
	if (h->kind == KL_REFERRAL &&
	    h->feedback_level != e->consent.feedback_level)
		return KL_C_LEVEL;
	return KL_C_OK;
}

static int
read_layers(struct kl_bytes body, struct kl_arena *mem,
    struct kl_envelope *out)
{
	int err;

	if ((err = kl_table_read(&body_table, body, mem, out)) != KL_OK)
		return err;
	return kl_table_read(&header_table, out->header_bytes, mem,
	    &out->header);
}

enum kl_code
kl_envelope_read(struct kl_bytes body, struct kl_arena *mem,
    struct kl_envelope *out)
{
	enum kl_code code;

	memset(out, 0, sizeof *out);
	code = kl_table_code(read_layers(body, mem, out));
	/* The header alone says which consent bytes there are. */
	if (code == KL_C_OK)
		code = kl_header_check(&out->header);
	if (code == KL_C_OK)
		code = read_consent(out, mem);
	if (code == KL_C_OK)
		code = check_together(out);
	if (code != KL_C_OK)
		memset(out, 0, sizeof *out);
	return code;
}

/* ---- statements ---------------------------------------------------------- */

static const struct kl_row card_rows[] = {
	KL_U32(kl_card, version, 1, 1),
	KL_U32(kl_card, role, 1, ROLES),
	KL_U32(kl_card, realm, 1, KL_TRAINING),
	KL_FIXED(kl_card, serial),
	KL_ID(kl_card, id),
	KL_VIEW(kl_card, name, 1, 100),
	KL_FIXED(kl_card, sign_pk),
	KL_FIXED(kl_card, transport_pk),
	KL_TIME(kl_card, issued_ms),
	KL_TIME(kl_card, not_before_ms),
	KL_TIME(kl_card, not_after_ms),
	KL_ID_OR_NONE(kl_card, succeeds),
	KL_TIME(kl_card, succeeds_from_ms),
	KL_U32(kl_card, reads_all, 1, 2),
	KL_MANY(KL_ROW_IDS, kl_card, reads, 0),
};
static const struct kl_row revocation_rows[] = {
	KL_U32(kl_revocation, version, 1, 1),
	KL_U32(kl_revocation, realm, 1, KL_TRAINING),
	KL_FIXED(kl_revocation, serial),
	KL_ID(kl_revocation, id),
	KL_U32(kl_revocation, reason, 1, KL_REVOKE_COMPROMISE),
	KL_TIME(kl_revocation, at_ms),
};
static const struct kl_row prekey_rows[] = {
	KL_U32(kl_prekey, version, 1, 1),
	KL_ID(kl_prekey, owner),
	KL_FIXED(kl_prekey, signer_key_id),
	KL_FIXED(kl_prekey, pk),
	KL_TIME(kl_prekey, not_before_ms),
	KL_TIME(kl_prekey, not_after_ms),
	KL_U32(kl_prekey, schema_min, 1, 255),
	KL_U32(kl_prekey, schema_max, 1, 255),
};
static const struct kl_row profile_rows[] = {
	KL_U32(kl_profile, version, 1, 1),
	KL_ID(kl_profile, owner),
	KL_FIXED(kl_profile, signer_key_id),
	KL_TIME(kl_profile, valid_from_ms),
	KL_TIME(kl_profile, valid_until_ms),
	KL_VIEW(kl_profile, phone, 0, 16),
	KL_VIEW(kl_profile, crisis_phone, 0, 16),
	KL_VIEW(kl_profile, details, 1, KL_SIGNED_MAX - 300),
};
static const struct kl_row details_rows[] = {
	KL_VIEW(kl_profile_details, display_name, 1, 100),
	KL_MANY(KL_ROW_U32S, kl_profile_details, municipality_codes, 4),
	KL_MANY(KL_ROW_U32S, kl_profile_details, office_hours, 4),
	KL_MANY(KL_ROW_U32S, kl_profile_details, closed_days, 4),
	KL_MANY(KL_ROW_U32S, kl_profile_details, help_offered, 4),
	KL_MANY(KL_ROW_U32S, kl_profile_details, places_offered, 4),
	KL_MANY(KL_ROW_U32S, kl_profile_details, handover_forms, 4),
	KL_MANY(KL_ROW_VIEWS, kl_profile_details, languages, 12),
	KL_MANY(KL_ROW_U32S, kl_profile_details, response_terms, 4),
	KL_VIEW(kl_profile_details, what_to_expect, 0, 4000),
	KL_VIEW(kl_profile_details, asks_of_practice, 0, 2000),
	KL_MANY(KL_ROW_VIEWS, kl_profile_details, regular_contacts, 300),
	KL_MANY(KL_ROW_VIEWS, kl_profile_details, local_crisis_kinds, 80),
	KL_MANY(KL_ROW_VIEWS, kl_profile_details, partners, 25),
	KL_VIEW(kl_profile_details, retention_statement, 0, 1000),
	KL_VIEW(kl_profile_details, privacy_notice, 0, 2000),
};
static const struct kl_row receipt_rows[] = {
	KL_U32(kl_receipt, version, 1, 1),
	KL_ID(kl_receipt, signer),
	KL_FIXED(kl_receipt, signer_key_id),
	KL_FIXED(kl_receipt, msg_id),
	KL_FIXED(kl_receipt, body_hash),
	KL_U32(kl_receipt, outcome, 1, KL_REFUSED),
	KL_U32(kl_receipt, code, 1, 65535),
	KL_TIME(kl_receipt, at_ms),
};
static const struct kl_row withdrawal_rows[] = {
	KL_U32(kl_withdrawal, version, 1, 1),
	KL_ID(kl_withdrawal, signer),
	KL_FIXED(kl_withdrawal, signer_key_id),
	KL_FIXED(kl_withdrawal, conv_id),
	KL_U32(kl_withdrawal, scope, 1, KL_SCOPE_FEEDBACK),
	KL_U32(kl_withdrawal, cause, 1, KL_CAUSE_SENT_IN_ERROR),
	KL_U32(kl_withdrawal, route, 1, KL_MUNICIPALITY),
	KL_TIME(kl_withdrawal, at_ms),
	KL_U32(kl_withdrawal, valid_until, 1, 2932896),
};
static const struct kl_row erase_receipt_rows[] = {
	KL_U32(kl_erase_receipt, version, 1, 1),
	KL_ID(kl_erase_receipt, signer),
	KL_FIXED(kl_erase_receipt, signer_key_id),
	KL_FIXED(kl_erase_receipt, conv_id),
	KL_FIXED(kl_erase_receipt, withdrawal_hash),
	KL_U32(kl_erase_receipt, adapter_copy, 1, KL_NOTHING_HELD),
	KL_U32(kl_erase_receipt, case_system, 1, KL_NOTHING_HELD),
	KL_TIME(kl_erase_receipt, at_ms),
};
static const struct kl_row notice_rows[] = {
	KL_U32(kl_notice, version, 1, 1),
	KL_ID(kl_notice, signer),
	KL_FIXED(kl_notice, signer_key_id),
	KL_U32(kl_notice, notice, 1, KL_NOTICE_LAST),
	KL_FIXED(kl_notice, conv_id),
	KL_FIXED(kl_notice, msg_id),
	KL_U32(kl_notice, code, 1, 65535),
	KL_U64(kl_notice, seq_from, 0, UINT32_MAX),
	KL_U64(kl_notice, seq_to, 0, UINT32_MAX),
	KL_TIME(kl_notice, at_ms),
	KL_TIME(kl_notice, due_ms),
	KL_VIEW(kl_notice, withdrawal, 0, KL_WITHDRAWAL_MAX),
	KL_VIEW(kl_notice, parent, 0, KL_ENVELOPE_MAX),
};
static const struct kl_row enrol_rows[] = {
	KL_U32(kl_enrol_request, version, 1, 1),
	KL_U32(kl_enrol_request, role, 1, ROLES),
	KL_U32(kl_enrol_request, realm, 1, KL_TRAINING),
	KL_ID(kl_enrol_request, id),
	KL_VIEW(kl_enrol_request, name, 1, 100),
	KL_FIXED(kl_enrol_request, sign_pk),
	KL_FIXED(kl_enrol_request, transport_pk),
	KL_TIME(kl_enrol_request, at_ms),
};
static const struct kl_row record_rows[] = {
	KL_U32(kl_record, version, 1, 1),
	KL_U32(kl_record, event, 1, KL_EV_LAST),
	KL_FIXED(kl_record, conv_ref),
	KL_FIXED(kl_record, msg_ref),
	KL_ID_OR_NONE(kl_record, org_from),
	KL_ID_OR_NONE(kl_record, org_to),
	KL_U32(kl_record, actor_role, 1, ROLES),
	KL_U32(kl_record, kind, 0, KL_FEEDBACK),
	KL_TIME(kl_record, time_minute),
	KL_TIME(kl_record, due_minute),
	KL_FIXED(kl_record, body_hash),
	KL_U32(kl_record, prev_state, 0, KL_MSG_ERASED),
	KL_U32(kl_record, new_state, 0, KL_MSG_ERASED),
	KL_FIXED(kl_record, actor_key_id),
	KL_U32(kl_record, outcome, 1, 2),
	KL_U32(kl_record, reason, 1, 65535),
	KL_U32(kl_record, count, 1, ANY_U32),
	KL_U32(kl_record, milestone, 0, KL_MS_RETURNED),
};

#define PLAIN(rows, descriptor, s) \
	KL_TABLE(rows, kl__##descriptor##__descriptor, s)
#define CHECKED(rows, descriptor, s, check) \
	KL_TABLE_CHECKED(rows, kl__##descriptor##__descriptor, s, check)

static const struct statement {
	uint32_t type;
	struct kl_table table;
} statements[] = {
	{ KL_CARD, CHECKED(card_rows, card, kl_card, kl_check_card) },
	{ KL_REVOCATION, PLAIN(revocation_rows, revocation, kl_revocation) },
	{ KL_PREKEY, CHECKED(prekey_rows, prekey, kl_prekey,
	  kl_check_prekey) },
	{ KL_PROFILE, CHECKED(profile_rows, profile, kl_profile,
	  kl_check_profile) },
	{ KL_RECEIPT, CHECKED(receipt_rows, receipt, kl_receipt,
	  kl_check_receipt) },
	{ KL_WITHDRAWAL, CHECKED(withdrawal_rows, withdrawal, kl_withdrawal,
	  kl_check_withdrawal) },
	{ KL_ERASE_RECEIPT, CHECKED(erase_receipt_rows, erase_receipt,
	  kl_erase_receipt, kl_check_erase_receipt) },
	{ KL_NOTICE, CHECKED(notice_rows, notice, kl_notice,
	  kl_check_notice) },
	{ KL_S_ENROL, CHECKED(enrol_rows, enrol_request, kl_enrol_request,
	  kl_check_enrol) },
	{ KL_S_RECORD, PLAIN(record_rows, log_record, kl_record) },
	{ KL_S_PROFILE_DETAILS, CHECKED(details_rows, profile_details,
	  kl_profile_details, kl_check_details) },
};

static const struct kl_table *
table_of(uint32_t type, size_t struct_size)
{
	for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
		if (statements[i].type == type &&
		    statements[i].table.struct_size == struct_size)
			return &statements[i].table;
	return NULL;
}

enum kl_code
kl_statement_read(uint32_t type, struct kl_bytes body, struct kl_arena *mem,
    void *out, size_t out_size)
{
	const struct kl_table *t = table_of(type, out_size);

	if (t == NULL)
		return KL_C_VALUE_UNKNOWN;
	return kl_table_code(kl_table_read(t, body, mem, out));
}

int
kl_statement_pack(uint32_t type, const void *in, size_t in_size, uint8_t *buf,
    size_t cap, size_t *n)
{
	const struct kl_table *t = table_of(type, in_size);

	*n = 0;
	return t == NULL ? KL_E_VALUE : kl_table_pack(t, in, buf, cap, n);
}

/* ---- names --------------------------------------------------------------- */

static const char *const event_names[] = {
	[KL_EV_ORIGIN] = "origin", [KL_EV_CARD] = "card",
	[KL_EV_REVOCATION] = "revocation", [KL_EV_POLICY] = "policy",
	[KL_EV_ACCEPTED] = "accepted", [KL_EV_RELEASED] = "released",
	[KL_EV_DELIVERED] = "delivered", [KL_EV_DEAD] = "dead",
	[KL_EV_EXPIRED] = "expired", [KL_EV_UNCONFIRMED] = "unconfirmed",
	[KL_EV_CONSENT_WITHDRAWN] = "consent_withdrawn",
	[KL_EV_WITHDRAWN] = "withdrawn", [KL_EV_ERASED] = "erased",
	[KL_EV_LOST] = "lost_at_receiver", [KL_EV_PRESENTED] = "presented",
	[KL_EV_TAKE_OVER] = "take_over", [KL_EV_REFUSED] = "refused",
	[KL_EV_CONFLICT] = "conflict", [KL_EV_DEADLINE] = "deadline",
	[KL_EV_ERASE_RECEIPT] = "erase_receipt", [KL_EV_BLOCKED] = "blocked",
	[KL_EV_HOLD] = "hold", [KL_EV_QUERY] = "query",
	[KL_EV_REPORTED_IN] = "reported_in",
	[KL_EV_CONSENT_ENDED] = "consent_ended",
	[KL_EV_ESCALATED] = "escalated",
	[KL_EV_READS_ALL] = "reads_all",
	[KL_EV_ERASE_ASKED] = "erase_asked",
	[KL_EV_MONTH_LOST] = "month_lost",
};
static const char *const state_names[] = {
	[KL_MSG_NONE] = "none", [KL_MSG_ACCEPTED] = "accepted",
	[KL_MSG_RELEASED] = "released", [KL_MSG_DELIVERED] = "delivered",
	[KL_MSG_DEAD] = "dead", [KL_MSG_EXPIRED] = "expired",
	[KL_MSG_WITHDRAWN] = "withdrawn", [KL_MSG_UNCONFIRMED] = "unconfirmed",
	[KL_MSG_LOST] = "lost_at_receiver", [KL_MSG_ERASED] = "erased",
};

const char *
kl_event_name(uint32_t v)
{
	return v >= 1 && v <= KL_EV_LAST ? event_names[v] : "?";
}

const char *
kl_message_state_name(uint32_t v)
{
	return v <= KL_MSG_ERASED ? state_names[v] : "?";
}
