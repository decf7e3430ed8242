/*
 * code.h: refusal codes: what one party answers another, on the wire, in
 * receipts, in the error file of a watch folder and on a terminal.
 *
 * One table holds number, name, sentence (English and Dutch) and whether the
 * same bytes may be sent again. Numbers are never given anew. PROTOCOL.md 9.
 */
#ifndef KORTELIJN_BASE_CODE_H
#define KORTELIJN_BASE_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kl_code {
	KL_C_OK = 1,

	/* 10-39: bytes, session and state of the broker */
	KL_C_MALFORMED = 10,
	KL_C_FRAME_TOO_LARGE = 11,
	KL_C_FRAME_COUNT = 12,
	KL_C_VERSION = 13,
	KL_C_SUITE = 14,
	KL_C_VALUE_UNKNOWN = 15,
	KL_C_NOT_SERVED = 16,
	KL_C_HELLO_FIRST = 20,
	KL_C_SESSION_REPLACED = 21,
	KL_C_INSTANCE_CONFLICT = 22,
	KL_C_NOT_REPORTED_IN = 23,
	KL_C_TRY_LATER = 24,
	KL_C_STORE_FULL = 25,
	KL_C_DRAINING = 26,
	KL_C_QUOTA_REQUESTS = 27,
	KL_C_QUOTA_BYTES = 28,
	KL_C_QUOTA_CONVERSATIONS = 29,

	/* 40-59: cards and keys */
	KL_C_CARD_UNKNOWN = 40,
	KL_C_CARD_EXPIRED = 41,
	KL_C_CARD_NOT_YET = 42,
	KL_C_CARD_REVOKED = 43,
	KL_C_REALM = 44,
	KL_C_NOT_YOUR_KEY = 45,
	KL_C_SIGNATURE = 46,
	KL_C_ROLE = 47,
	KL_C_RECEIVER_UNKNOWN = 48,
	KL_C_RECEIVER_SUCCEEDED = 49,
	KL_C_PREKEY = 50,
	KL_C_BLOCKED = 51,

	/* 60-99: rules of a conversation, checked by the broker */
	KL_C_CLOCK_AHEAD = 60,
	KL_C_TIMES = 61,
	KL_C_EXPIRED = 62,
	KL_C_CONFLICT = 63,
	KL_C_SEQ = 64,
	KL_C_REPLACES = 65,
	KL_C_ANSWERS = 66,
	KL_C_NO_CONSENT = 70,
	KL_C_CONSENT_DATE = 71,
	KL_C_CONSENT_RECEIVER = 72,
	KL_C_CONSENT_PARENT = 73,
	KL_C_CONVERSATION_ENDED = 74,
	KL_C_NO_FEEDBACK_CONSENT = 75,
	KL_C_LEVEL = 76,
	KL_C_MILESTONE = 77,
	KL_C_BEFORE_RECEIPT = 78,
	KL_C_NOT_A_PARTY = 79,
	KL_C_MESSAGE_UNKNOWN = 80,
	KL_C_ITEM_UNKNOWN = 81,
	KL_C_QUOTA_WITHDRAWALS = 82,
	KL_C_MUST_ERASE = 83,
	KL_C_BROKER_DAMAGE = 85,
	KL_C_TICKET = 86,
	KL_C_POLICY_UNKNOWN = 87,

	/* 100-139: content rules, checked by both adapters */
	KL_C_JSON = 100,
	KL_C_FIELD_UNKNOWN = 101,
	KL_C_FIELD_MISSING = 102,
	KL_C_FIELD_VALUE = 103,
	KL_C_FIELD_TOO_LONG = 104,
	KL_C_FIELDS_DISAGREE = 105,
	KL_C_SCHEMA = 106,
	KL_C_BSN = 110,
	KL_C_LONG_NUMBER = 111,
	KL_C_IBAN = 112,
	KL_C_MEDICAL_CODE = 113,
	KL_C_AMOUNT = 114,
	KL_C_PASTED_EXPORT = 115,
	KL_C_URL = 116,
	KL_C_CHARACTER = 117,
	KL_C_FREE_TEXT = 118,
	KL_C_UNDER_AGE = 119,
	KL_C_PREVIEW = 120,
	KL_C_STATE = 121,
	KL_C_NOT_IN_HIS = 122,
	KL_C_NOT_INFORMED = 123,

	/* 140-: the adapter's own house */
	KL_C_DUPLICATE_FILE = 140,
	KL_C_REFERRAL_UNKNOWN = 141,
	KL_C_FILE_NAME = 142,
	KL_C_FILE_SIZE = 143,
	KL_C_FILE_OWNER = 144,
	KL_C_NO_RECEIVER_KEY = 145,
	KL_C_OWN_CLOCK = 146,
	KL_C_NO_POLICY = 147,
	KL_C_NO_ERASE_REQUEST = 149,
	KL_C_KEPT_IN_ERROR = 150,
	KL_C_WITHDRAWN = 151,
	KL_C_ATTEMPTS = 152,
	KL_C_ATTEMPT_KIND = 153,
	KL_C_SEVERAL_FOUND = 155,
	KL_C_NO_SESSION = 156,
	KL_C_LOG_BUSY = 157,
	KL_C_LOG_BEHIND = 158,
	KL_C_NO_EVIDENCE = 159,
	KL_C_LOG_LEFT = 160,
	KL_C_NOT_WITNESSED = 161,
	KL_C_OTHER_LOG = 162,
};

/* May the same bytes be sent again? */
enum kl_retry {
	KL_RETRY_NEVER,		/* no: change what the sentence names */
	KL_RETRY_LATER,		/* yes, after retry_after or with back-off */
	KL_RETRY_REPAIR,	/* yes, after an operator mended the cause */
};

/* Name as it stands in JSON and documents; "unknown_code": not in the list. */
const char *kl_code_name(uint32_t code);
const char *kl_code_text_en(uint32_t code);
const char *kl_code_text_nl(uint32_t code);
enum kl_retry kl_code_retry(uint32_t code);
bool kl_code_known(uint32_t code);
/* The i-th code of the list, 0 past its end: to print the whole table. */
uint32_t kl_code_at(size_t i);

#endif
