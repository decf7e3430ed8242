/*
 * types.h: ids, keys and signatures as distinct types of fixed size, and the
 * closed lists of values that stand in signed bytes.
 *
 * Every list starts at 1: a zero on the wire is never a value. The numbers
 * are part of the protocol and are never given anew. PROTOCOL.md 2.
 */
#ifndef KORTELIJN_BASE_TYPES_H
#define KORTELIJN_BASE_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/err.h>

#define KL_PROTOCOL_VERSION 1
#define KL_SUITE_1 1

/* The newest content schema that this build reads and writes; n and n - 1
 * are supported. Tests build adapters with 2 to show both directions. */
#ifndef KL_SCHEMA_MAX
#define KL_SCHEMA_MAX 1
#endif
#define KL_SCHEMA_MIN (KL_SCHEMA_MAX > 1 ? KL_SCHEMA_MAX - 1 : 1)

#define KL_ID_BYTES 24		/* "oin:" and 20 digits fill it */
#define KL_ONWARD_MAX 4		/* receivers a consent may name besides */
#define KL_FRAME_MAX 16384	/* bytes; the largest frame of the protocol */

/* A participant: "agb:", "ura:", "oin:" or "kvk:" and digits, zero-padded. */
struct kl_id { char b[KL_ID_BYTES]; };
struct kl_msg_id { uint8_t b[16]; };
struct kl_conv_id { uint8_t b[16]; };
struct kl_ref { uint8_t b[16]; };	/* random, made for the log */
struct kl_key_id { uint8_t b[16]; };
struct kl_staff_ref { uint8_t b[16]; };	/* opaque outside its organisation */
struct kl_instance { uint8_t b[16]; };
struct kl_hash { uint8_t b[32]; };
struct kl_sign_pk { uint8_t b[32]; };	/* Ed25519 */
struct kl_dh_pk { uint8_t b[32]; };	/* X25519, prekeys */
struct kl_curve_pk { uint8_t b[32]; };	/* CURVE, transport */
struct kl_sig { uint8_t b[64]; };
/* 8 letters and a check letter, as "ABCD-EFGH-K" without the dashes. */
struct kl_spoken { char b[10]; };

enum kl_kind {			/* sealed envelopes */
	KL_REFERRAL = 1,
	KL_CORRECTION = 2,
	KL_FEEDBACK = 3,
};

enum kl_statement {		/* signed in the clear */
	KL_CARD = 1,
	KL_REVOCATION = 2,
	KL_PREKEY = 3,
	KL_PROFILE = 4,
	KL_RECEIPT = 5,
	KL_WITHDRAWAL = 6,
	KL_ERASE_RECEIPT = 7,
	KL_NOTICE = 8,
};

enum kl_request {
	KL_HELLO = 1,
	KL_SUBMIT = 2,
	KL_FETCH = 3,
	KL_PUT_RECEIPT = 4,
	KL_ITEM_ACK = 5,
	KL_WITHDRAW = 6,
	KL_DIRECTORY = 7,
	KL_PUBLISH = 8,
	KL_SYNC = 9,
	KL_LOG = 10,
	KL_QUERY = 11,
};

enum kl_role {			/* the task of the desk, on its card */
	KL_PRACTICE = 1,
	KL_MUNICIPALITY = 2,
	KL_PARTNER = 3,
	KL_AUDITOR = 4,
	KL_BROKER = 5,
};

enum kl_realm {
	KL_PRODUCTION = 1,
	KL_TRAINING = 2,
};

enum kl_purpose {
	KL_REFERRAL_WITH_CONSENT = 1,
};

enum kl_staff_role {		/* who acts, in a header and a referral */
	KL_STAFF_GP = 1,
	KL_STAFF_NURSE_MENTAL_HEALTH = 2,
	KL_STAFF_NURSE = 3,
	KL_STAFF_ASSISTANT = 4,
	KL_STAFF_SECONDED = 5,
	KL_STAFF_OTHER = 6,
	KL_STAFF_DESK = 7,
	KL_STAFF_COUNSELLOR = 8,
	KL_STAFF_PARTNER = 9,
};

enum kl_milestone {
	KL_MS_NONE = 1,
	KL_MS_TAKEN_UP = 2,
	KL_MS_IN_PROGRESS = 3,
	KL_MS_ENDED = 4,
	KL_MS_RETURNED = 5,
};

enum kl_level {			/* of feedback: 0 is written as 1 */
	KL_LEVEL_0 = 1,
	KL_LEVEL_1 = 2,
	KL_LEVEL_2 = 3,
	KL_LEVEL_3 = 4,
};

enum kl_consent_form {
	KL_ORAL = 1,
	KL_WRITTEN = 2,
};

enum kl_receipt_outcome {
	KL_OPENED = 1,
	KL_UNDECRYPTABLE = 2,
	KL_REFUSED = 3,
};

enum kl_scope {			/* of a withdrawal */
	KL_SCOPE_ALL = 1,
	KL_SCOPE_FEEDBACK = 2,
};

enum kl_cause {
	KL_CAUSE_RESIDENT = 1,
	KL_CAUSE_SENT_IN_ERROR = 2,
};

enum kl_erase_outcome {
	KL_ERASED = 1,
	KL_KEPT_ON_OWN_BASIS = 2,
	KL_NOTHING_HELD = 3,
};

enum kl_revoke_reason {
	KL_REVOKE_REPLACED = 1,
	KL_REVOKE_LEFT = 2,
	KL_REVOKE_COMPROMISE = 3,
};

/*
 * Reads "agb:01234567" and the like: the scheme's own number of digits (agb 8,
 * ura 8, oin 20, kvk 8). KL_E_FORMAT otherwise.
 */
int kl_id_read(const char *text, struct kl_id *out) KL_MUST_CHECK;
/* True when the bytes are what kl_id_read makes. */
bool kl_id_valid(const struct kl_id *id);
bool kl_id_equal(const struct kl_id *a, const struct kl_id *b);
bool kl_id_none(const struct kl_id *id);
/* With NUL. */
struct kl_id_text { char b[KL_ID_BYTES + 1]; };
struct kl_id_text kl_id_text(const struct kl_id *id);

/* Names of the closed lists as they stand in JSON, configuration and tables;
 * "?" for a number that is not in the list. The reader answers 0 for a name
 * that is not in the list. */
const char *kl_kind_name(uint32_t v);
const char *kl_statement_name(uint32_t v);
const char *kl_request_name(uint32_t v);
const char *kl_role_name(uint32_t v);
const char *kl_realm_name(uint32_t v);
const char *kl_staff_role_name(uint32_t v);
const char *kl_milestone_name(uint32_t v);
const char *kl_form_name(uint32_t v);
const char *kl_outcome_name(uint32_t v);
const char *kl_scope_name(uint32_t v);
const char *kl_cause_name(uint32_t v);
const char *kl_revoke_reason_name(uint32_t v);
uint32_t kl_role_read(const char *name);
uint32_t kl_realm_read(const char *name);
uint32_t kl_staff_role_read(const char *name);
uint32_t kl_form_read(const char *name);
uint32_t kl_revoke_reason_read(const char *name);

/* The letters of fingerprints and spoken references: base 32 without the
 * ones that are misheard or misread (I, L, O, U). */
extern const char kl_letters[33];
/* Check letter over n letters of the list above: the sum in GF(32) of value
 * times x^i, i counted from the end and from 1, with x^5 = x^2 + 1. One wrong
 * letter and two swapped neighbours show, the check letter among them.
 * PROTOCOL.md 3.6. */
char kl_check_letter(const char *letters, size_t n);
/* From 40 random bits. */
struct kl_spoken kl_spoken_make(const uint8_t bits[5]);
/* Accepts lower case, dashes and spaces. KL_E_FORMAT: wrong length, letter or
 * check letter. */
int kl_spoken_read(const char *text, struct kl_spoken *out) KL_MUST_CHECK;
/* "ABCD-EFGH-K" with NUL. */
struct kl_spoken_text { char b[12]; };
struct kl_spoken_text kl_spoken_text(const struct kl_spoken *s);

#endif
