/*
 * signed.h: the bytes that are signed or hashed, as checked structs: sealed
 * envelopes, statements, the log record.
 *
 * A reader answers KL_C_OK or the refusal code that the writer of the bytes
 * deserves: KL_C_MALFORMED, KL_C_VALUE_UNKNOWN, or KL_C_TRY_LATER when the
 * arena is spent; afterwards every length, enum and fixed value is inside the
 * protocol. It does not verify signatures. Views in the result point into the
 * input or the arena. A packer answers KL_E_SIZE when cap is too small and
 * KL_E_VALUE when the struct breaks the same rules. PROTOCOL.md 2 to 5, 10.
 */
#ifndef KORTELIJN_WIRE_SIGNED_H
#define KORTELIJN_WIRE_SIGNED_H

#include <kortelijn/base/arena.h>
#include <kortelijn/base/code.h>
#include <kortelijn/base/types.h>

#define KL_SIGNED_MAX 16000	/* bytes of a packed Signed */
#define KL_HEADER_MAX 320	/* bytes of a packed Header */
#define KL_CONSENT_MAX 256	/* bytes of a packed Consent or Preview */
#define KL_ENVELOPE_MAX 1024	/* bytes of a packed Signed around a Body */
#define KL_WITHDRAWAL_MAX 256	/* bytes of a packed Signed Withdrawal */
#define KL_STATEMENT_MAX 2400	/* the same of any statement but a profile */
#define KL_RECORD_MAX 384	/* bytes of a packed LogRecord */
/* Plaintext of a kind, padded, and its ciphertext. PROTOCOL.md 4.4. */
#define KL_PLAIN_REFERRAL 1280
#define KL_PLAIN_FEEDBACK 128
#define KL_CT_EXTRA 16
#define KL_CT_MAX (KL_PLAIN_REFERRAL + KL_CT_EXTRA)
size_t kl_plain_bytes(uint32_t kind);	/* 0: no such kind */

/* A body and the signature over it, not verified. */
struct kl_signed {
	struct kl_bytes body;
	struct kl_sig sig;
};
enum kl_code kl_signed_read(struct kl_bytes in, struct kl_arena *mem,
    struct kl_signed *out) KL_MUST_CHECK;
int kl_signed_pack(const struct kl_signed *s, uint8_t *buf, size_t cap,
    size_t *n) KL_MUST_CHECK;

struct kl_header {
	uint32_t version, suite, kind, purpose, sender_role, milestone;
	uint32_t feedback_level, content_schema;
	struct kl_msg_id msg_id;
	struct kl_conv_id conv_id;
	uint64_t seq;
	struct kl_hash answers;		/* body hash of a REFERRAL, or zero */
	struct kl_msg_id replaces;	/* or zero */
	struct kl_id sender, receiver;
	struct kl_key_id sender_key_id, prekey_id;
	struct kl_staff_ref staff_ref;
	int64_t created_ms, deliver_by_ms, answer_by_ms, expire_at_ms;
};

/* How long a consent may count, in days: 24 months with a leap day.
 * PROTOCOL.md 8.4. */
#define KL_CONSENT_TERM_DAYS 731

struct kl_consent {
	uint32_t referral, feedback_level, form, info_text_version;
	uint32_t given_on, valid_until;		/* days since 1970 */
	uint32_t recorded_in_his;
	struct kl_hash preview_hash;
	struct kl_hash under;			/* or zero */
	struct kl_id onward_to[KL_ONWARD_MAX];
	size_t n_onward_to;
};

struct kl_envelope {
	struct kl_header header;
	struct kl_consent consent;	/* REFERRAL only */
	struct kl_hash preview_hash;	/* REFERRAL and CORRECTION */
	struct kl_dh_pk ephemeral;
	uint8_t nonce[24];
	struct kl_hash commit;
	struct kl_hash ct_hash;
	uint32_t ct_len;
	struct kl_bytes header_bytes, consent_bytes;
};

/* Which values a kind asks for, and which fields it leaves zero; no length or
 * range. KL_C_OK, KL_C_VERSION, KL_C_SUITE, KL_C_ANSWERS, KL_C_REPLACES,
 * KL_C_VALUE_UNKNOWN. PROTOCOL.md 4.2. */
enum kl_code kl_header_check(const struct kl_header *h) KL_MUST_CHECK;
/* Who may send what to whom: enum kl_kind and kl_role; default deny.
 * PROTOCOL.md 8.5. */
bool kl_envelope_roles(uint32_t kind, uint32_t sender_role,
    uint32_t receiver_role);
int kl_header_pack(const struct kl_header *h, uint8_t *buf, size_t cap,
    size_t *n) KL_MUST_CHECK;
int kl_consent_pack(const struct kl_consent *c, uint8_t *buf, size_t cap,
    size_t *n) KL_MUST_CHECK;
int kl_preview_pack(const struct kl_hash *preview_hash, uint8_t *buf,
    size_t cap, size_t *n) KL_MUST_CHECK;
/* Packs header_bytes and consent_bytes as they are. */
int kl_envelope_pack(const struct kl_envelope *e, uint8_t *buf, size_t cap,
    size_t *n) KL_MUST_CHECK;
/* Reads a Body (of a kl_signed) with its header and consent. KL_C_NO_CONSENT:
 * a REFERRAL without; KL_C_LEVEL: its header and its consent name different
 * levels; besides what kl_header_check answers. On failure *out is zero. */
enum kl_code kl_envelope_read(struct kl_bytes body, struct kl_arena *mem,
    struct kl_envelope *out) KL_MUST_CHECK;

#define KL_READS_MAX 64
struct kl_card {
	uint32_t version, role, realm;
	uint8_t serial[16];
	struct kl_id id;
	struct kl_bytes name;		/* UTF-8, 1 to 100 bytes */
	struct kl_sign_pk sign_pk;
	struct kl_curve_pk transport_pk;
	int64_t issued_ms, not_before_ms, not_after_ms;
	struct kl_id succeeds;		/* or zero */
	int64_t succeeds_from_ms;
	uint32_t reads_all;		/* 1: no, 2: yes */
	struct kl_id reads[KL_READS_MAX];
	size_t n_reads;
};

struct kl_revocation {
	uint32_t version, realm;
	uint8_t serial[16];
	struct kl_id id;
	uint32_t reason;
	int64_t at_ms;
};

struct kl_prekey {
	uint32_t version;
	struct kl_id owner;
	struct kl_key_id signer_key_id;
	struct kl_dh_pk pk;
	int64_t not_before_ms, not_after_ms;
	uint32_t schema_min, schema_max;
};

struct kl_profile {
	uint32_t version;
	struct kl_id owner;
	struct kl_key_id signer_key_id;
	int64_t valid_from_ms, valid_until_ms;
	struct kl_bytes phone, crisis_phone;	/* E.164, 0 to 16 bytes */
	struct kl_bytes details;		/* a packed ProfileDetails */
};

struct kl_profile_details {
	struct kl_bytes display_name;
	uint32_t municipality_codes[16];
	size_t n_municipality_codes;
	uint32_t office_hours[14];
	size_t n_office_hours;
	uint32_t closed_days[32];
	size_t n_closed_days;
	uint32_t help_offered[16];
	size_t n_help_offered;
	uint32_t places_offered[8];
	size_t n_places_offered;
	uint32_t handover_forms[4];
	size_t n_handover_forms;
	struct kl_bytes languages[12];
	size_t n_languages;
	uint32_t response_terms[5];
	size_t n_response_terms;
	struct kl_bytes what_to_expect, asks_of_practice;
	struct kl_bytes regular_contacts[5];
	size_t n_regular_contacts;
	struct kl_bytes local_crisis_kinds[8];
	size_t n_local_crisis_kinds;
	struct kl_bytes partners[16];	/* id (24) and category (1) */
	size_t n_partners;
	struct kl_bytes retention_statement, privacy_notice;
};

struct kl_receipt {
	uint32_t version;
	struct kl_id signer;
	struct kl_key_id signer_key_id;
	struct kl_msg_id msg_id;
	struct kl_hash body_hash;
	uint32_t outcome, code;
	int64_t at_ms;
};

struct kl_withdrawal {
	uint32_t version;
	struct kl_id signer;
	struct kl_key_id signer_key_id;
	struct kl_conv_id conv_id;
	uint32_t scope, cause, route;
	int64_t at_ms;
	uint32_t valid_until;		/* day */
};

struct kl_erase_receipt {
	uint32_t version;
	struct kl_id signer;
	struct kl_key_id signer_key_id;
	struct kl_conv_id conv_id;
	struct kl_hash withdrawal_hash;
	uint32_t adapter_copy, case_system;
	int64_t at_ms;
};

enum kl_notice_kind {
	KL_NOTICE_EXPIRED = 1,		/* your message was never collected */
	KL_NOTICE_UNCERTAIN = 2,	/* released, no receipt by its end */
	KL_NOTICE_DEAD = 3,		/* cannot be delivered; see the code */
	KL_NOTICE_LOST_AT_RECEIVER = 4,	/* seal it again */
	KL_NOTICE_GAP = 5,		/* these seqs will never come */
	KL_NOTICE_ERASE_REQUEST = 6,
	KL_NOTICE_WITHDRAWN = 7,	/* the fact, no reason */
	KL_NOTICE_CONSENT_ENDED = 8,	/* feedback consent is past its date */
	KL_NOTICE_DEADLINE = 9,		/* deliver_by or answer_by was missed */
	KL_NOTICE_ESCALATION = 10,	/* an erase receipt is missing */
	KL_NOTICE_LATE = 11,		/* uncertain became delivered */
};
#define KL_NOTICE_LAST KL_NOTICE_LATE

struct kl_notice {
	uint32_t version;
	struct kl_id signer;
	struct kl_key_id signer_key_id;
	uint32_t notice;
	struct kl_conv_id conv_id;
	struct kl_msg_id msg_id;
	uint32_t code;
	uint64_t seq_from, seq_to;
	int64_t at_ms, due_ms;
	struct kl_bytes withdrawal, parent;
};

struct kl_enrol_request {
	uint32_t version, role, realm;
	struct kl_id id;
	struct kl_bytes name;
	struct kl_sign_pk sign_pk;
	struct kl_curve_pk transport_pk;
	int64_t at_ms;
};

enum kl_event {			/* of the log; numbers never change */
	KL_EV_ORIGIN = 1,		/* leaf 0 */
	KL_EV_CARD = 2,
	KL_EV_REVOCATION = 3,
	KL_EV_POLICY = 4,
	KL_EV_ACCEPTED = 5,
	KL_EV_RELEASED = 6,
	KL_EV_DELIVERED = 7,
	KL_EV_DEAD = 8,
	KL_EV_EXPIRED = 9,
	KL_EV_UNCONFIRMED = 10,		/* released, ended without receipt */
	KL_EV_CONSENT_WITHDRAWN = 11,
	KL_EV_WITHDRAWN = 12,		/* a waiting message under it */
	KL_EV_ERASED = 13,
	KL_EV_LOST = 14,
	KL_EV_PRESENTED = 15,		/* a consent or receipt after a loss */
	KL_EV_TAKE_OVER = 16,
	KL_EV_REFUSED = 17,
	KL_EV_CONFLICT = 18,
	KL_EV_DEADLINE = 19,
	KL_EV_ERASE_RECEIPT = 20,
	KL_EV_BLOCKED = 21,
	KL_EV_HOLD = 22,
	KL_EV_QUERY = 23,
	KL_EV_REPORTED_IN = 24,
	KL_EV_CONSENT_ENDED = 25,
	KL_EV_ESCALATED = 26,
	KL_EV_READS_ALL = 27,		/* an approval was taken up */
	KL_EV_ERASE_ASKED = 28,		/* its receipt is owed from here */
	KL_EV_MONTH_LOST = 29,		/* records, with a broken key */
};
#define KL_EV_LAST KL_EV_MONTH_LOST

enum kl_message_state {			/* of a message at the broker */
	KL_MSG_NONE = 0,
	KL_MSG_ACCEPTED = 1,
	KL_MSG_RELEASED = 2,
	KL_MSG_DELIVERED = 3,
	KL_MSG_DEAD = 4,
	KL_MSG_EXPIRED = 5,
	KL_MSG_WITHDRAWN = 6,
	KL_MSG_UNCONFIRMED = 7,
	KL_MSG_LOST = 8,
	KL_MSG_ERASED = 9,
};
const char *kl_event_name(uint32_t v);
const char *kl_message_state_name(uint32_t v);

struct kl_record {
	uint32_t version, event;
	struct kl_ref conv_ref, msg_ref;	/* or zero */
	struct kl_id org_from, org_to;		/* or zero */
	uint32_t actor_role, kind;
	int64_t time_minute, due_minute;	/* minutes since 1970 */
	struct kl_hash body_hash;		/* or zero */
	uint32_t prev_state, new_state;
	struct kl_key_id actor_key_id;
	uint32_t outcome, reason, count;
	uint32_t milestone;			/* of a FEEDBACK; else 0 */
};

/* One reader and one packer for each; `type` names what `out` points to:
 * KL_CARD: struct kl_card, and so on. */
enum kl_statement_other {
	KL_S_ENROL = 20,		/* struct kl_enrol_request */
	KL_S_RECORD = 21,		/* struct kl_record */
	KL_S_PROFILE_DETAILS = 22,	/* struct kl_profile_details */
};
enum kl_code kl_statement_read(uint32_t type, struct kl_bytes body,
    struct kl_arena *mem, void *out, size_t out_size) KL_MUST_CHECK;
int kl_statement_pack(uint32_t type, const void *in, size_t in_size,
    uint8_t *buf, size_t cap, size_t *n) KL_MUST_CHECK;
/* With the size taken from the pointer. */
#define KL_STATEMENT_READ(type, body, mem, out)				\
	kl_statement_read(type, body, mem, out, sizeof *(out))
#define KL_STATEMENT_PACK(type, in, buf, cap, n)			\
	kl_statement_pack(type, in, sizeof *(in), buf, cap, n)

#endif
