/*
 * referral.h: the content of a referral, and the table of its fields.
 *
 * Text is NFC UTF-8 that ends in NUL; an empty text and a zero mean absent.
 * The table is what JSON, schemas, rules, codec and pages go by, so that a
 * field is described once.
 */
#ifndef KORTELIJN_DOMAIN_REFERRAL_H
#define KORTELIJN_DOMAIN_REFERRAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kortelijn/base/types.h>
#include <kortelijn/domain/list.h>

/* Largest sizes in bytes, without the NUL. */
#define KL_INITIALS_MAX 20
#define KL_PREFIX_MAX 20
#define KL_NAME_MAX 100
#define KL_POSTCODE_MAX 6
#define KL_SUFFIX_MAX 4
#define KL_PHONE_MAX 16
#define KL_EMAIL_MAX 120
#define KL_LANGUAGE_MAX 12
#define KL_PRACTICAL_NOTE_MAX 400
#define KL_LOCAL_CRISIS_MAX 8	/* labels a municipality may add */

/* Not always known to the day: month and day may be 0. */
struct kl_birth_date {
	uint16_t year;		/* 0: absent */
	uint8_t month;
	uint8_t day;
};

struct kl_person_name {
	char initials[KL_INITIALS_MAX + 1];
	char prefix[KL_PREFIX_MAX + 1];
	char family_name[KL_NAME_MAX + 1];
};

struct kl_referrer {
	uint32_t role;		/* enum kl_staff_role */
	char name[KL_NAME_MAX + 1];
	char phone[KL_PHONE_MAX + 1];
};

struct kl_contact_person {
	char name[KL_NAME_MAX + 1];
	char phone[KL_PHONE_MAX + 1];
	uint32_t relation;	/* enum kl_relation */
	uint32_t informed;	/* must be KL_ANSWER_YES */
};

/* Every uint32_t but house_number and crisis_local is of a list of list.h;
 * yes and no are enum kl_answer. */
struct kl_referral {
	uint32_t extract;	/* KL_EXTRACT_FULL from a practice */
	struct kl_person_name name;
	struct kl_birth_date birth_date;
	char postcode[KL_POSTCODE_MAX + 1];
	uint32_t house_number;	/* 1 to 99999 */
	char house_number_suffix[KL_SUFFIX_MAX + 1];
	uint32_t no_fixed_address;
	uint32_t sex;
	char phone[KL_PHONE_MAX + 1];
	char email[KL_EMAIL_MAX + 1];
	uint32_t voicemail_ok;
	uint32_t letter_ok;
	uint32_t contact_preference;
	uint32_t part_of_day;
	uint32_t preferred_place;
	uint32_t introductory_talk_first;
	uint32_t buddy_wanted;
	char language[KL_LANGUAGE_MAX + 1];
	uint32_t interpreter_needed;
	uint32_t help_question;
	uint32_t crisis;
	uint32_t crisis_kind;
	uint32_t crisis_local;	/* 1 to 8, with KL_CRISIS_LOCAL_OTHER */
	uint32_t handover_form;
	struct kl_referrer referrer;
	struct kl_contact_person contact_person;
	char practical_note[KL_PRACTICAL_NOTE_MAX + 1];
};

enum kl_field_kind {
	KL_FIELD_NAME,		/* letters, space, - ' . */
	KL_FIELD_TEXT,		/* practical_note */
	KL_FIELD_POSTCODE,
	KL_FIELD_SUFFIX,
	KL_FIELD_PHONE,		/* E.164 */
	KL_FIELD_EMAIL,
	KL_FIELD_LANGUAGE,	/* BCP-47 */
	KL_FIELD_BIRTH_DATE,
	KL_FIELD_NUMBER,
	KL_FIELD_ANSWER,	/* enum kl_answer, a JSON bool */
	KL_FIELD_LIST,
};

struct kl_field {
	const char *path;	/* "birth_date", "name.initials" */
	enum kl_field_kind kind;
	enum kl_list list;
	size_t offset;		/* in struct kl_referral */
	size_t chars;		/* most characters, 0: no text */
	size_t bytes;		/* most bytes without NUL */
	uint32_t min, max;	/* of a number */
	bool required;		/* in every full referral */
	bool in_contact;	/* part of the contact extract */
	const char *nl, *en;	/* label */
	const char *term;	/* DDAS or GGM, "none" */
	const char *why;	/* why it is allowed, Dutch */
};

/* The i-th field in the order of the form, NULL past the end. `extract` is
 * not among them: it is no data about a person. */
const struct kl_field *kl_field_at(size_t i);
const struct kl_field *kl_field_find(const char *path);
/* Text kinds only. */
const char *kl_field_text(const struct kl_field *f,
    const struct kl_referral *r);
/* Number, answer and list kinds only; 0: absent. */
uint32_t kl_field_number(const struct kl_field *f,
    const struct kl_referral *r);
bool kl_field_present(const struct kl_field *f, const struct kl_referral *r);

bool kl_referral_has_contact_person(const struct kl_referral *r);
/* Kinds of contact that the referral permits: phone, e-mail, letter, through
 * the practice. */
size_t kl_referral_contact_kinds(const struct kl_referral *r);

/* "1980", "1980-10", "1980-10-25" with NUL; "" if absent. */
struct kl_birth_text { char b[11]; };
struct kl_birth_text kl_birth_text(struct kl_birth_date b);
/* KL_E_FORMAT: none of the three forms, or not a real day. */
int kl_birth_read(const char *text, struct kl_birth_date *out) KL_MUST_CHECK;
/* Whole years on `today`, if born on the latest day that `b` allows. */
int kl_birth_age(struct kl_birth_date b, int32_t today);

/*
 * Makes the extract `which` of `in` for an onward referral, with the desk as
 * its referrer. KL_E_VALUE: the contact extract has no means to reach the
 * person as wished (letter or through the practice, or neither phone nor
 * e-mail): use the full one.
 */
int kl_referral_extract(const struct kl_referral *in, enum kl_extract which,
    const struct kl_referrer *desk, struct kl_referral *out) KL_MUST_CHECK;

#endif
