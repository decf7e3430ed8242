#include "tests/support/people.h"

#include <string.h>

#define SET(field, text) memcpy(field, text, sizeof (text))

struct kl_referral
people_usual(void)
{
	struct kl_referral r;

	memset(&r, 0, sizeof r);
	r.extract = KL_EXTRACT_FULL;
	SET(r.name.initials, "F.");
	SET(r.name.prefix, "el");
	SET(r.name.family_name, "Amrani");
	r.birth_date = (struct kl_birth_date){ 1987, 3, 14 };
	SET(r.postcode, "7511JL");
	r.house_number = 12;
	SET(r.house_number_suffix, "A");
	SET(r.phone, "+31612345678");
	r.voicemail_ok = KL_ANSWER_NO;
	r.letter_ok = KL_ANSWER_YES;
	r.contact_preference = KL_CONTACT_PHONE;
	r.part_of_day = KL_MORNING;
	r.help_question = KL_HELP_PAYMENT_ARREARS;
	r.crisis = KL_ANSWER_NO;
	r.handover_form = KL_HANDOVER_PHONE;
	r.referrer.role = KL_STAFF_GP;
	SET(r.referrer.name, "M. Wiersma");
	SET(r.referrer.phone, "+31531234567");
	return r;
}

static void
fill(char *out, const char *letter, size_t bytes)
{
	size_t n = strlen(letter);

	for (size_t i = 0; i + n <= bytes; i += n)
		memcpy(out + i, letter, n);
	out[bytes / n * n] = '\0';
}

struct kl_referral
people_largest(void)
{
	struct kl_referral r = people_usual();

	fill(r.name.initials, "É", KL_INITIALS_MAX);
	fill(r.name.prefix, "é", KL_PREFIX_MAX);
	fill(r.name.family_name, "é", KL_NAME_MAX);
	r.birth_date = (struct kl_birth_date){ 1999, 12, 31 };
	SET(r.postcode, "9999ZZ");
	r.house_number = 99999;
	fill(r.house_number_suffix, "Z", KL_SUFFIX_MAX);
	r.no_fixed_address = KL_ANSWER_YES;
	r.sex = KL_SEX_UNKNOWN;
	SET(r.phone, "+123456789012345");
	fill(r.email, "a", KL_EMAIL_MAX);
	r.email[KL_EMAIL_MAX - 56] = '@';
	r.email[KL_EMAIL_MAX - 3] = '.';
	r.voicemail_ok = KL_ANSWER_YES;
	r.contact_preference = KL_CONTACT_VIA_PRACTICE;
	r.part_of_day = KL_EVENING;
	r.preferred_place = KL_PLACE_ELSEWHERE;
	r.introductory_talk_first = KL_ANSWER_YES;
	r.buddy_wanted = KL_ANSWER_YES;
	SET(r.language, "zh-Hant-HKxx");
	r.interpreter_needed = KL_ANSWER_YES;
	r.help_question = KL_HELP_NOT_KNOWN;
	r.crisis = KL_ANSWER_YES;
	r.crisis_kind = KL_CRISIS_LOCAL_OTHER;
	r.crisis_local = KL_LOCAL_CRISIS_MAX;
	r.handover_form = KL_HANDOVER_PHONE;
	r.referrer.role = KL_STAFF_PARTNER;
	fill(r.referrer.name, "é", KL_NAME_MAX);
	SET(r.referrer.phone, "+123456789012345");
	fill(r.contact_person.name, "é", KL_NAME_MAX);
	SET(r.contact_person.phone, "+123456789012345");
	r.contact_person.relation = KL_RELATION_PROFESSIONAL;
	r.contact_person.informed = KL_ANSWER_YES;
	fill(r.practical_note, "é", KL_PRACTICAL_NOTE_MAX);
	return r;
}
