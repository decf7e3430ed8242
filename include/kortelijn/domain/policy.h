/*
 * policy.h: the rules of the house, one table: every key with its default,
 * which way is stricter, who enforces it, where it comes from and whether
 * that source was read.
 *
 * Pure. A row is either fixed, which means that no setting exists and its key
 * only names the rule, or has a value that a policy file (policy_file.h) may
 * make stricter freely and looser with an approval. Without a file the
 * defaults count. PROTOCOL.md 13.1.
 */
#ifndef KORTELIJN_DOMAIN_POLICY_H
#define KORTELIJN_DOMAIN_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kortelijn/base/types.h>
#include <kortelijn/domain/list.h>

/* In the order of the table; numbers stand in no file. */
enum kl_policy_key {
	KL_POL_REFERRAL_REQUIRES_CONSENT,	/* P01 */
	KL_POL_CONSENT_INFORMED,		/* P02 */
	KL_POL_CONSENT_FORMS,			/* P03, a set */
	KL_POL_CONSENT_SINGLE_RECEIVER,		/* P04 */
	KL_POL_CONSENT_MAX_AGE_AT_SEND,		/* P05 */
	KL_POL_CONSENT_SINGLE_USE,		/* P06 */
	KL_POL_HIS_NOTE_REQUIRED,		/* P07 */
	KL_POL_FEEDBACK_OPT_IN,			/* P08 */
	KL_POL_FEEDBACK_LEVEL_DEFAULT,		/* P09 */
	KL_POL_FEEDBACK_VALIDITY,		/* P10 */
	KL_POL_WITHDRAWAL_IMMEDIATE,		/* P11 */
	KL_POL_WITHDRAWAL_ROUTES,		/* P12 */
	KL_POL_OBJECTION_WINS,			/* P13 */
	KL_POL_REFUSE_BSN,			/* P14 */
	KL_POL_BSN_OVERRIDE,			/* P15 */
	KL_POL_REFUSE_MEDICAL,			/* P16 */
	KL_POL_REFUSE_DEBT_DATA,		/* P17 */
	KL_POL_PRACTICAL_NOTE,			/* P18 */
	KL_POL_PRACTICAL_NOTE_MAX,
	KL_POL_ATTACHMENTS,			/* P19 */
	KL_POL_SUBJECT_MIN_AGE,			/* P20 */
	KL_POL_END_TO_END,			/* P21 */
	KL_POL_LINK_SECURITY,			/* P22 */
	KL_POL_SEPARATE_KEYS,			/* P23 */
	KL_POL_ORG_ID_SCHEMES,			/* P24, a set */
	KL_POL_KEEP_AFTER_RECEIPT,		/* P25 */
	KL_POL_REFERRAL_UNDELIVERED_TTL,	/* P26 */
	KL_POL_CRISIS_UNDELIVERED_TTL,
	KL_POL_FEEDBACK_UNDELIVERED_TTL,
	KL_POL_TTL_MAX,
	KL_POL_PICKUP_ALARM_RECEIVER,		/* P27 */
	KL_POL_PICKUP_ALARM_SENDER,
	KL_POL_CRISIS_PICKUP_ALARM_RECEIVER,
	KL_POL_CRISIS_PICKUP_ALARM_SENDER,
	KL_POL_TAKE_UP_TERM,			/* P28 */
	KL_POL_CRISIS_TAKE_UP_TERM,
	KL_POL_FIRST_CONTACT_TERM,		/* P29 */
	KL_POL_CRISIS_FIRST_CONTACT_TERM,
	KL_POL_FIRST_TALK_TERM,			/* P30 */
	KL_POL_CRISIS_FIRST_TALK_TERM,		/* P31 */
	KL_POL_DECISION_TERM,			/* P32 */
	KL_POL_NOT_REACHED_ATTEMPTS,		/* P33 */
	KL_POL_NOT_REACHED_DAYPARTS,
	KL_POL_NOT_REACHED_KINDS,
	KL_POL_SILENCE_REMINDER,		/* P34 */
	KL_POL_METADATA_AFTER_END,		/* P35 */
	KL_POL_METADATA_MAX,
	KL_POL_BROKER_CONSENT_RECORD,		/* P36 */
	KL_POL_LOG_RETENTION,			/* P37 */
	KL_POL_LOG_NO_PERSONS,			/* P38 */
	KL_POL_LOG_NO_SAMPLING,			/* P39 */
	KL_POL_LOG_TREE,			/* P40 */
	KL_POL_LOG_ACCESS,			/* P41 */
	KL_POL_MUNICIPAL_FILE_RETENTION,	/* P42 */
	KL_POL_MEDICAL_FILE_RETENTION,		/* P43 */
	KL_POL_STORE_BACKUP,			/* P44 */
	KL_POL_INSECURE_FALLBACK,		/* P45 */
	KL_POL_AVAILABILITY_TARGET,		/* P46 */
	KL_POL_BREACH_NOTICE_OPERATOR,		/* P47 */
	KL_POL_AUTOMATED_TRIAGE,		/* P48 */
	KL_POL_TELEMETRY,			/* P49 */
	KL_POL_REFUSE_UNKNOWN,			/* P50 */
	KL_POL_REFUSE_WITHOUT_POLICY,		/* P51 */
	KL_POL_ERASE_RECEIPT_TERM,		/* P52 */
	KL_POL_SMALL_NUMBERS_BELOW,		/* P53 */
	KL_POL_DRAFT_MAX_AGE,			/* P54 */
	KL_POL_PRACTICE_COPY_AFTER_END,		/* P55 */
	KL_POL_DESK_COPY_AFTER_EXPORT,		/* P56 */
	KL_POL_DESK_COPY_AFTER_END,		/* P57 */
	KL_POL_PATIENT_MAP_AFTER_END,		/* P58 */
	KL_POL_COUNT,
};

enum kl_unit {
	KL_UNIT_FIXED,		/* no value: the rule has no setting */
	KL_UNIT_H, KL_UNIT_D, KL_UNIT_MO, KL_UNIT_Y,
	KL_UNIT_WD,		/* working days; 0: the same day */
	KL_UNIT_OH,		/* office hours */
	KL_UNIT_COUNT,
	KL_UNIT_CHARS,
	KL_UNIT_YES_NO,		/* n is 0 or 1 */
	KL_UNIT_SET,		/* n has bit 1 << value for each member */
	KL_UNIT_PERMILLE,
};

struct kl_term {
	uint32_t n;
	enum kl_unit unit;
};

/* Which way a value is stricter. */
enum kl_stricter {
	KL_STRICTER_NONE,	/* fixed */
	KL_STRICTER_LOWER,
	KL_STRICTER_HIGHER,
	KL_STRICTER_OFF,	/* yes_no: no */
	KL_STRICTER_FEWER,	/* set: values taken out */
	KL_STRICTER_RANGE,	/* any value within least..most */
};

/* Who enforces a row. */
#define KL_BY_BROKER 1u
#define KL_BY_SENDER 2u
#define KL_BY_RECEIVER 4u
#define KL_BY_OPERATOR 8u	/* by document and tool */

/* What stands behind a row's source. The weakest counts where there are
 * several. */
enum kl_verified {
	KL_SRC_READ,		/* the source itself was read and says this */
	KL_SRC_SECOND,		/* read in a secondary source */
	KL_SRC_UNCHECKED,	/* generally known, not checked */
	KL_SRC_CHOICE,		/* own choice: no number in law was found */
	KL_SRC_NOT_FOUND,	/* looked for, not found */
};

/* Members of org_id_schemes; those of consent_forms are KL_ORAL, KL_WRITTEN. */
enum kl_id_scheme {
	KL_SCHEME_AGB = 1, KL_SCHEME_URA = 2, KL_SCHEME_OIN = 3,
	KL_SCHEME_KVK = 4,
};

struct kl_policy_row {
	const char *id;		/* "P05" */
	const char *key;
	struct kl_term value;	/* the default */
	enum kl_stricter stricter;
	uint32_t by;		/* KL_BY_* */
	/* Bounds of n, in the default's unit, that no approval widens; for
	 * RANGE those within which none is needed. most 0: none. */
	uint32_t least, most;
	const char *fixed;	/* what a fixed row says; else NULL */
	const char *nl, *en;	/* meaning, in one line */
	const char *source;	/* law or paper; "none" */
	enum kl_verified verified;
};

/* What counts now, as values. */
struct kl_policy {
	struct kl_term term[KL_POL_COUNT];
};

/* Fixed parts of rows that have a number but no key of their own. */
#define KL_POLICY_UNCERTAIN_LEVEL0_DAYS 28 /* P35: level 0 ends, delivered */
#define KL_POLICY_BACKUP_KEPT_DAYS 7	/* P44: adapters' backups */
#define KL_POLICY_DESK_NOTICE_DAYS 14	/* P57: announced before */

/* Never NULL for a key of the enum. */
const struct kl_policy_row *kl_policy_row(enum kl_policy_key key);
/* KL_POL_COUNT for a name that is not in the table. */
enum kl_policy_key kl_policy_read(const char *name);
bool kl_policy_fixed(enum kl_policy_key key);

void kl_policy_defaults(struct kl_policy *p);
/* Below, key has a value of the kind asked for; anything else is a bug. */
struct kl_term kl_policy_term(const struct kl_policy *p,
    enum kl_policy_key key);
/* Units h, d, mo and y: months and years as whole days, rounded up, so that
 * 24mo is 731 d and 5y is 1827 d. */
int64_t kl_policy_ms(const struct kl_policy *p, enum kl_policy_key key);
/* The same in days, rounded up. */
uint32_t kl_policy_days(const struct kl_policy *p, enum kl_policy_key key);
/* COUNT, CHARS, PERMILLE, and the n of Y (subject_min_age). */
uint32_t kl_policy_number(const struct kl_policy *p, enum kl_policy_key key);
bool kl_policy_yes(const struct kl_policy *p, enum kl_policy_key key);
/* Is value a member of the set? */
bool kl_policy_has(const struct kl_policy *p, enum kl_policy_key key,
    uint32_t value);

/* May an organisation take part under this number? org_id_schemes. */
bool kl_policy_id_allowed(const struct kl_policy *p, const struct kl_id *id);

/* Length of a term of units h, d, mo, y. */
int64_t kl_term_ms(struct kl_term t);
/* Does `a` bind at least as much as `b`, by what is stricter for the key? */
bool kl_policy_strict(enum kl_policy_key key, struct kl_term a,
    struct kl_term b);
/* Bounds and unit of the row hold. */
bool kl_policy_possible(enum kl_policy_key key, struct kl_term t);

/* "30d", "same_day", "yes", "oral, written", "99.8%"; as it stands in a file,
 * and back. KL_E_FORMAT: not of a form; KL_E_UNKNOWN: a unit or member that
 * the row has not; KL_E_VALUE: outside the row's bounds. */
struct kl_term_text { char b[64]; };
struct kl_term_text kl_term_text(enum kl_policy_key key, struct kl_term t);
int kl_term_read(enum kl_policy_key key, const char *text,
    struct kl_term *out) __attribute__((warn_unused_result));
/* "working days", "werkdagen"; "" for a fixed row. */
const char *kl_unit_label(enum kl_unit unit, enum kl_lang lang);
/* "source read", "bron gelezen". */
const char *kl_verified_label(enum kl_verified v, enum kl_lang lang);

#endif
