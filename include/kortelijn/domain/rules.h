/*
 * rules.h: what may stand in a referral. The same code runs in the sending
 * adapter before sealing and in the receiving one after opening.
 *
 * The closed schema is the real protection; the patterns are a net.
 * PROTOCOL.md 11.
 */
#ifndef KORTELIJN_DOMAIN_RULES_H
#define KORTELIJN_DOMAIN_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kortelijn/base/code.h>
#include <kortelijn/domain/referral.h>

#define KL_FINDING_FIELD_MAX 127

/* What is wrong, and where. Never holds the value itself. */
struct kl_finding {
	uint32_t code;		/* enum kl_code */
	char field[KL_FINDING_FIELD_MAX + 1];	/* path, "" for the whole */
};

void kl_finding_set(struct kl_finding *f, uint32_t code, const char *field);

struct kl_rules_options {
	int32_t today;		/* since 1970, of the checking adapter */
	uint32_t min_age;	/* years; 0: the default, 18 */
	uint32_t local_crisis_kinds;	/* labels in the receiver's PROFILE */
	bool practical_note;	/* a note may stand there */
	uint32_t note_chars_max;	/* 0: the default, 280 */
};

#define KL_MIN_AGE 18
#define KL_NOTE_CHARS_MAX 280

/* KL_OK; KL_E_REFUSED: `out` says the first thing that is wrong. */
int kl_rules_check_referral(const struct kl_referral *r,
    const struct kl_rules_options *o, struct kl_finding *out) KL_MUST_CHECK;

enum kl_rule {
	KL_RULE_UTF8 = 1 << 0,	/* valid, NFC, no control, bidi, zero-width,
				 * no digit outside ASCII */
	KL_RULE_BSN = 1 << 1,
	KL_RULE_LONG_NUMBER = 1 << 2,
	KL_RULE_IBAN = 1 << 3,
	KL_RULE_MEDICAL = 1 << 4,
	KL_RULE_AMOUNT = 1 << 5,
	KL_RULE_EXPORT = 1 << 6,
	KL_RULE_URL = 1 << 7,
};
/* For a name, for any other typed text, for a note, for an e-mail address
 * and for a phone number or date. */
#define KL_RULES_NOTE 0xffu
#define KL_RULES_NAME 0xffu
#define KL_RULES_TYPED (KL_RULES_NOTE & ~(unsigned)KL_RULE_MEDICAL)
#define KL_RULES_EMAIL \
	(KL_RULES_TYPED & ~((unsigned)KL_RULE_LONG_NUMBER | KL_RULE_URL | \
	KL_RULE_AMOUNT))
#define KL_RULES_NUMBER ((unsigned)KL_RULE_UTF8)

/* KL_C_OK or the code of the first rule of `mask` that the text breaks. */
uint32_t kl_rules_check_text(struct kl_bytes text, unsigned mask);

/* Nine digits that may be a BSN, dots, dashes, slashes and spaces between
 * them dropped; digits of any script count. For raw values too. */
bool kl_rules_has_bsn(struct kl_bytes text);
bool kl_rules_number_is_bsn(uint64_t number);
/* "+" and 8 to 15 digits, first one not 0. */
bool kl_rules_phone(const char *text);

#endif
