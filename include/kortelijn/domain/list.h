/*
 * list.h: the closed lists of the data set, each value with its name in JSON,
 * its labels and its DDAS or GGM term.
 *
 * Numbers stand in sealed bytes and are never given anew; 0 means absent.
 */
#ifndef KORTELIJN_DOMAIN_LIST_H
#define KORTELIJN_DOMAIN_LIST_H

#include <stddef.h>
#include <stdint.h>

enum kl_lang {
	KL_NL = 1,
	KL_EN = 2,
};

enum kl_answer { KL_ANSWER_NO = 1, KL_ANSWER_YES = 2 };
enum kl_sex { KL_SEX_MALE = 1, KL_SEX_FEMALE = 2, KL_SEX_UNKNOWN = 3 };
enum kl_contact {
	KL_CONTACT_PHONE = 1,
	KL_CONTACT_SMS = 2,
	KL_CONTACT_EMAIL = 3,
	KL_CONTACT_LETTER = 4,
	KL_CONTACT_VIA_PRACTICE = 5,
};
enum kl_part_of_day { KL_MORNING = 1, KL_AFTERNOON = 2, KL_EVENING = 3 };
enum kl_place {
	KL_PLACE_PRACTICE = 1,
	KL_PLACE_HOME = 2,
	KL_PLACE_FAMILY_OR_FRIEND = 3,
	KL_PLACE_MUNICIPALITY = 4,
	KL_PLACE_ELSEWHERE = 5,
};
enum kl_help_question {
	KL_HELP_MONEY_WORRIES = 1,
	KL_HELP_PAYMENT_ARREARS = 2,
	KL_HELP_PAPERWORK = 3,
	KL_HELP_NOT_KNOWN = 4,
};
enum kl_crisis_kind {
	KL_CRISIS_EVICTION = 1,
	KL_CRISIS_UTILITY_CUTOFF = 2,
	KL_CRISIS_HEALTH_INSURANCE_ENDING = 3,
	KL_CRISIS_LOCAL_OTHER = 4,
};
enum kl_handover {
	KL_HANDOVER_THREE_WAY_TALK = 1,
	KL_HANDOVER_PHONE = 2,
	KL_HANDOVER_MESSAGE_ONLY = 3,
};
enum kl_relation {
	KL_RELATION_FAMILY = 1,
	KL_RELATION_FRIEND = 2,
	KL_RELATION_VOLUNTEER = 3,
	KL_RELATION_PROFESSIONAL = 4,
};
/* Which part of a referral this is: all of it, or what someone needs who only
 * has to reach the person (onward referral). */
enum kl_extract { KL_EXTRACT_FULL = 1, KL_EXTRACT_CONTACT = 2 };
enum kl_category {
	KL_CAT_CREDIT_BANK = 1,
	KL_CAT_VOLUNTEERS = 2,
	KL_CAT_NEIGHBOURHOOD_TEAM = 3,
	KL_CAT_SOCIAL_WORK = 4,
	KL_CAT_OTHER_MUNICIPALITY = 5,
	KL_CAT_OTHER = 6,
};
enum kl_ground {
	KL_GROUND_NOT_OUR_RESIDENT = 1,
	KL_GROUND_WRONG_DESK = 2,
	KL_GROUND_INCOMPLETE = 3,
};
enum kl_wanted {
	KL_WANTED_PHONE = 1,
	KL_WANTED_ADDRESS = 2,
	KL_WANTED_NAME_OR_BIRTH_DATE = 3,
};
/* What a municipality offers, and when; in its PROFILE. */
enum kl_help_offered {
	KL_OFFER_INFORMATION_ADVICE = 1,
	KL_OFFER_PAPERWORK_HELP = 2,
	KL_OFFER_BUDGET_COACHING = 3,
	KL_OFFER_BUDGET_MANAGEMENT = 4,
	KL_OFFER_STABILISATION = 5,
	KL_OFFER_DEBT_SETTLEMENT = 6,
	KL_OFFER_CRISIS_INTERVENTION = 7,
	KL_OFFER_VOLUNTEER_BUDDY = 8,
	KL_OFFER_INTRODUCTORY_TALK = 9,
};
enum kl_weekday {
	KL_MONDAY = 1, KL_TUESDAY, KL_WEDNESDAY, KL_THURSDAY, KL_FRIDAY,
	KL_SATURDAY, KL_SUNDAY,
};

enum kl_list {
	KL_LIST_NONE,
	KL_LIST_ANSWER,
	KL_LIST_SEX,
	KL_LIST_CONTACT,
	KL_LIST_PART_OF_DAY,
	KL_LIST_PLACE,
	KL_LIST_HELP_QUESTION,
	KL_LIST_CRISIS_KIND,
	KL_LIST_HANDOVER,
	KL_LIST_STAFF_ROLE,	/* numbers of enum kl_staff_role */
	KL_LIST_RELATION,
	KL_LIST_EXTRACT,
	KL_LIST_CATEGORY,
	KL_LIST_GROUND,
	KL_LIST_WANTED,
	KL_LIST_HELP_OFFERED,
	KL_LIST_WEEKDAY,
	KL_LIST_COUNT,
};

struct kl_choice {
	uint32_t value;
	const char *name;
	const char *nl, *en;
	const char *term;	/* DDAS or GGM, "none" */
};

/* NULL for a value that is not in the list. */
const struct kl_choice *kl_list_item(enum kl_list list, uint32_t value);
/* The i-th item, NULL past the end. */
const struct kl_choice *kl_list_at(enum kl_list list, size_t i);
/* 0 for a name that is not in the list. */
uint32_t kl_list_read(enum kl_list list, const char *name);
/* "?" for a value that is not in the list. */
const char *kl_list_name(enum kl_list list, uint32_t value);
const char *kl_list_label(enum kl_list list, uint32_t value,
    enum kl_lang lang);

#endif
