#include <kortelijn/domain/rules.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/base/types.h>
#include <tests/support/people.h>

static const struct kl_rules_options usual = { .today = PEOPLE_TODAY };
static struct kl_referral r;

static void
setup(void)
{
	r = people_usual();
}

#define SET(field, text) \
	do { \
		ck_assert_uint_le(sizeof (text), sizeof (field)); \
		memcpy(field, text, sizeof (text)); \
	} while (0)

static void
expect_with(const struct kl_rules_options *o, uint32_t code,
    const char *field)
{
	struct kl_finding f;
	int e = kl_rules_check_referral(&r, o, &f);

	ck_assert_msg(f.code == code, "%s at %s instead of %s",
	    kl_code_name(f.code), f.field, kl_code_name(code));
	ck_assert_str_eq(f.field, field);
	ck_assert_int_eq(e, code == KL_C_OK ? KL_OK : KL_E_REFUSED);
}

static void
expect(uint32_t code, const char *field)
{
	expect_with(&usual, code, field);
}

static void
expect_ok(void)
{
	expect(KL_C_OK, "");
}

static uint32_t
text(const char *t)
{
	return kl_rules_check_text(kl_bytes_str(t), KL_RULES_NOTE);
}

/* ---- patterns ---- */

START_TEST(bsn_is_found_however_it_is_written)
{
	static const char *const hits[] = {
		"123456782", "1234.56.782", "1234 56 782", "123-456-782",
		"bsn123456782", "1234/56/782.", "nr. 123456782!",
		"12 123456782", "1 2 3 4 5 6 7 8 2", "111222333",
		"1234 . 56 - 782", "010464554",
	};

	for (size_t i = 0; i < sizeof hits / sizeof hits[0]; i++) {
		ck_assert_msg(kl_rules_has_bsn(kl_bytes_str(hits[i])), "%s",
		    hits[i]);
		ck_assert_uint_eq(text(hits[i]), KL_C_BSN);
	}
}
END_TEST

START_TEST(bsn_in_digits_of_other_scripts_is_found)
{
	static const char *const hits[] = {
		"１２３４５６７８２", "١٢٣٤٥٦٧٨٢", "1234\xe2\x80\x8b" "56782",
		"𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟐", "१२३४५६७८२", "①②③④⑤⑥⑦⑧②",
		"1234\xc2\xa0" "56\xe2\x80\x93" "782",
		/* a blank of Ogham and a line separator */
		"1234\xe1\x9a\x80" "56782", "1234\xe2\x80\xa8" "56782",
	};

	for (size_t i = 0; i < sizeof hits / sizeof hits[0]; i++)
		ck_assert_msg(kl_rules_has_bsn(kl_bytes_str(hits[i])), "%s",
		    hits[i]);
}
END_TEST

START_TEST(other_numbers_are_no_bsn)
{
	static const char *const misses[] = {
		"", "123456789", "000000000", "0000000001234567820",
		"1234a56782", "1234\342\230\20356782",
		"1980-10-25", "12345678", "2024-0001-123456",
		"oin:00000001002220647000", "agb:01000001", "\xff\xfe",
	};

	for (size_t i = 0; i < sizeof misses / sizeof misses[0]; i++)
		ck_assert_msg(!kl_rules_has_bsn(kl_bytes_str(misses[i])),
		    "%s", misses[i]);
	ck_assert(kl_rules_has_bsn(kl_bytes("\xff" "123456782", 10)));
}
END_TEST

START_TEST(a_finding_holds_no_more_of_a_path_than_fits)
{
	char path[200];
	struct kl_finding f;

	memset(path, 'a', sizeof path);
	path[sizeof path - 1] = '\0';
	kl_finding_set(&f, KL_C_FIELD_UNKNOWN, path);
	ck_assert_uint_eq(f.code, KL_C_FIELD_UNKNOWN);
	ck_assert_uint_eq(strlen(f.field), KL_FINDING_FIELD_MAX);
}
END_TEST

START_TEST(bsn_as_a_json_number_is_found)
{
	ck_assert(kl_rules_number_is_bsn(123456782));
	ck_assert(kl_rules_number_is_bsn(10464554));
	ck_assert(!kl_rules_number_is_bsn(123456789));
	ck_assert(!kl_rules_number_is_bsn(0));
	ck_assert(!kl_rules_number_is_bsn(UINT64_MAX));
}
END_TEST

START_TEST(patterns_are_refused_each_with_its_code)
{
	static const struct {
		const char *t;
		uint32_t code;
	} cases[] = {
		{ "NL91ABNA0417164300", KL_C_IBAN },
		{ "op nl91 abna 0417 1643 00 graag", KL_C_IBAN },
		{ "NL92ABNA0417164300", KL_C_LONG_NUMBER },
		{ "GB82 WEST 1234 5698 7654 32", KL_C_IBAN },
		{ "25-10-1980", KL_C_LONG_NUMBER },
		{ "nummer 1234 5678", KL_C_LONG_NUMBER },
		{ "heeft Z01", KL_C_MEDICAL_CODE },
		{ "P76.01", KL_C_MEDICAL_CODE },
		{ "N05BA01 gebruikt", KL_C_MEDICAL_CODE },
		{ "schuld van € 300", KL_C_AMOUNT },
		{ "EUR 12", KL_C_AMOUNT },
		{ "300 euro", KL_C_AMOUNT },
		{ "300,- Euro", KL_C_AMOUNT },
		{ "UNA:+.? '", KL_C_PASTED_EXPORT },
		{ "UNB+UNOA:1", KL_C_PASTED_EXPORT },
		{ "x MSH|^~\\&|", KL_C_PASTED_EXPORT },
		{ "{\"resourceType\":\"Patient\"}", KL_C_PASTED_EXPORT },
		{ "<ClinicalDocument xmlns", KL_C_PASTED_EXPORT },
		{ "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY",
		  KL_C_PASTED_EXPORT },
		{ "https://voorbeeld", KL_C_URL },
		{ "zie www.voorbeeld", KL_C_URL },
		{ "zie voorbeeld.nl", KL_C_URL },
		{ "twee\nregels", KL_C_CHARACTER },
		{ "tab\tteken", KL_C_CHARACTER },
		{ "omge\xe2\x80\xaekeerd", KL_C_CHARACTER },
		{ "nul\xe2\x80\x8b" "breed", KL_C_CHARACTER },
		{ "１２", KL_C_CHARACTER },
		{ "٣ uur", KL_C_CHARACTER },
		{ "kapot \xc3", KL_C_CHARACTER },
		{ "overlang \xc0\xaf", KL_C_CHARACTER },
		{ "\xed\xa0\x80", KL_C_CHARACTER },
		{ "cafe\xcc\x81", KL_C_CHARACTER },	/* not NFC */
		{ "caf\xc3\xa9", KL_C_OK },
		{ "", KL_C_OK },
		{ "belt liever na 16 uur, bel 2 keer aan", KL_C_OK },
		{ "spreekt 2 Europese talen", KL_C_OK },
		{ "drs.de Vries", KL_C_OK },
		{ "bus 12 halte a12", KL_C_OK },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		ck_assert_msg(text(cases[i].t) == cases[i].code, "%s: %s",
		    cases[i].t, kl_code_name(text(cases[i].t)));
}
END_TEST

START_TEST(mask_chooses_the_rules)
{
	struct kl_bytes a12 = kl_bytes_str("A12");

	ck_assert_uint_eq(kl_rules_check_text(a12, KL_RULES_NOTE),
	    KL_C_MEDICAL_CODE);
	ck_assert_uint_eq(kl_rules_check_text(a12, KL_RULES_TYPED), KL_C_OK);
	ck_assert_uint_eq(kl_rules_check_text(kl_bytes_str("+31612345678"),
	    KL_RULES_NUMBER), KL_C_OK);
	ck_assert_uint_eq(kl_rules_check_text(kl_bytes_str(
	    "jan19801025@voorbeeld.nl"), KL_RULES_EMAIL), KL_C_OK);
}
END_TEST

START_TEST(overlong_text_is_refused_unseen)
{
	char big[2000];

	memset(big, 'a', sizeof big);
	ck_assert_uint_eq(kl_rules_check_text(kl_bytes(big, sizeof big),
	    KL_RULES_NOTE), KL_C_FIELD_TOO_LONG);
}
END_TEST

START_TEST(phone_is_e164)
{
	ck_assert(kl_rules_phone("+31612345678"));
	ck_assert(kl_rules_phone("+123456789012345"));
	ck_assert(!kl_rules_phone("0612345678"));
	ck_assert(!kl_rules_phone("+0612345678"));
	ck_assert(!kl_rules_phone("+31 6 12345678"));
	ck_assert(!kl_rules_phone("+3161234"));
	ck_assert(!kl_rules_phone("+1234567890123456"));
	ck_assert(!kl_rules_phone(""));
}
END_TEST

/* ---- a referral ---- */

START_TEST(usual_referral_passes)
{
	expect_ok();
}
END_TEST

START_TEST(names_have_letters_of_any_script_and_no_digits)
{
	SET(r.name.family_name, "Müller-O'Brien Şahin");
	expect_ok();
	SET(r.name.family_name, "Ковальчук");
	expect_ok();
	SET(r.name.family_name, "Jansen 2");
	expect(KL_C_FIELD_VALUE, "name.family_name");
	SET(r.name.family_name, "Jansen, arts");
	expect(KL_C_FIELD_VALUE, "name.family_name");
	SET(r.name.family_name, " . ");
	expect(KL_C_FIELD_VALUE, "name.family_name");
	SET(r.name.family_name, "Putten 1234.56.782");
	expect(KL_C_BSN, "name.family_name");
}
END_TEST

START_TEST(characters_are_counted_beside_bytes)
{
	SET(r.name.initials, "ABCDEFGHIJ");
	expect_ok();
	SET(r.name.initials, "ABCDEFGHIJK");
	expect(KL_C_FIELD_TOO_LONG, "name.initials");
	SET(r.name.initials, "ÉÉÉÉÉÉÉÉÉÉ");
	expect_ok();
}
END_TEST

START_TEST(required_fields_are_missed)
{
	static const char *const due[] = {
		"name.family_name", "birth_date", "voicemail_ok",
		"letter_ok", "contact_preference", "help_question", "crisis",
		"handover_form", "referrer.role", "referrer.name",
		"referrer.phone",
	};

	for (size_t i = 0; i < sizeof due / sizeof due[0]; i++) {
		const struct kl_field *f = kl_field_find(due[i]);

		r = people_usual();
		memset((char *)&r + f->offset, 0, 4);
		expect(KL_C_FIELD_MISSING, due[i]);
	}
	r = people_usual();
	r.extract = 0;
	expect(KL_C_FIELD_VALUE, "extract");
}
END_TEST

START_TEST(values_outside_their_list_or_range_are_refused)
{
	r.sex = 9;
	expect(KL_C_FIELD_VALUE, "sex");
	r = people_usual();
	r.house_number = 100000;
	expect(KL_C_FIELD_VALUE, "house_number");
	r = people_usual();
	r.voicemail_ok = 3;
	expect(KL_C_FIELD_VALUE, "voicemail_ok");
	r = people_usual();
	SET(r.postcode, "0511JL");
	expect(KL_C_FIELD_VALUE, "postcode");
	SET(r.postcode, "75x1JL");
	expect(KL_C_FIELD_VALUE, "postcode");
	SET(r.postcode, "7511jl");
	expect(KL_C_FIELD_VALUE, "postcode");
	r = people_usual();
	SET(r.house_number_suffix, "A-1");
	expect(KL_C_FIELD_VALUE, "house_number_suffix");
	SET(r.house_number_suffix, "A12");
	expect_ok();
}
END_TEST

START_TEST(email_is_an_ascii_address_without_bsn)
{
	static const char *const good[] = {
		"a@b.nl", "jan.de-vries+geld@voorbeeld.co.uk",
		"giesput@myweb.nl",
	};
	static const char *const bad[] = {
		"jan", "@b.nl", "a@", "a@b", "a@@b.nl", "a b@c.nl",
		".a@b.nl", "a..b@c.nl", "a.@b.nl", "a@-b.nl", "a@b-.nl",
		"a@b..nl", "jos\xc3\xa9@b.nl", "a@b.n",
	};

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		strcpy(r.email, good[i]);
		expect_ok();
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		strcpy(r.email, bad[i]);
		expect(KL_C_FIELD_VALUE, "email");
	}
	SET(r.email, "p1234.56.782@voorbeeld.nl");
	expect(KL_C_BSN, "email");
}
END_TEST

START_TEST(language_is_a_bcp47_tag)
{
	SET(r.language, "nl");
	expect_ok();
	SET(r.language, "ar-MA");
	expect_ok();
	SET(r.language, "zh-Hant-HK");
	expect_ok();
	SET(r.language, "n");
	expect(KL_C_FIELD_VALUE, "language");
	SET(r.language, "nl-");
	expect(KL_C_FIELD_VALUE, "language");
	SET(r.language, "nl-b!");
	expect(KL_C_FIELD_VALUE, "language");
	SET(r.language, "nl_NL");
	expect(KL_C_FIELD_VALUE, "language");
	SET(r.language, "n1");
	expect(KL_C_FIELD_VALUE, "language");
}
END_TEST

START_TEST(age_counts_from_the_latest_day_that_is_possible)
{
	/* Today is 2026-11-24. */
	r.birth_date = (struct kl_birth_date){ 2008, 11, 24 };
	expect_ok();
	r.birth_date = (struct kl_birth_date){ 2008, 11, 25 };
	expect(KL_C_UNDER_AGE, "birth_date");
	r.birth_date = (struct kl_birth_date){ 2008, 11, 0 };
	expect(KL_C_UNDER_AGE, "birth_date");
	r.birth_date = (struct kl_birth_date){ 2008, 10, 0 };
	expect_ok();
	r.birth_date = (struct kl_birth_date){ 2008, 0, 0 };
	expect(KL_C_UNDER_AGE, "birth_date");
	r.birth_date = (struct kl_birth_date){ 2007, 0, 0 };
	expect_ok();
}
END_TEST

START_TEST(impossible_birth_dates_are_refused)
{
	static const struct kl_birth_date bad[] = {
		{ 2027, 1, 1 }, { 1870, 0, 0 }, { 1980, 13, 1 },
		{ 1981, 2, 29 }, { 1980, 0, 5 }, { 10000, 1, 1 },
		{ 1, 1, 1 },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		r.birth_date = bad[i];
		expect(KL_C_FIELD_VALUE, "birth_date");
	}
}
END_TEST

START_TEST(stricter_age_counts)
{
	struct kl_rules_options o = usual;

	o.min_age = 40;
	expect_with(&o, KL_C_UNDER_AGE, "birth_date");
}
END_TEST

START_TEST(address_is_given_or_has_no_place)
{
	r.postcode[0] = '\0';
	expect(KL_C_FIELD_MISSING, "postcode");
	r = people_usual();
	r.house_number = 0;
	expect(KL_C_FIELD_MISSING, "house_number");
	r = people_usual();
	r.no_fixed_address = KL_ANSWER_YES;
	expect(KL_C_FIELDS_DISAGREE, "no_fixed_address");
	r.postcode[0] = r.house_number_suffix[0] = '\0';
	r.house_number = 0;
	expect_ok();
}
END_TEST

START_TEST(preference_agrees_with_the_means)
{
	r.phone[0] = '\0';
	expect(KL_C_FIELD_MISSING, "phone");
	SET(r.email, "f@voorbeeld.nl");
	expect(KL_C_FIELDS_DISAGREE, "contact_preference");
	r.contact_preference = KL_CONTACT_SMS;
	expect(KL_C_FIELDS_DISAGREE, "contact_preference");
	r.contact_preference = KL_CONTACT_EMAIL;
	expect_ok();
	r.contact_preference = KL_CONTACT_LETTER;
	expect_ok();
	r.letter_ok = KL_ANSWER_NO;
	expect(KL_C_FIELDS_DISAGREE, "contact_preference");
	r.email[0] = '\0';
	r.contact_preference = KL_CONTACT_VIA_PRACTICE;
	expect_ok();
}
END_TEST

START_TEST(crisis_needs_its_kind_and_more_than_a_message)
{
	struct kl_rules_options o = usual;

	r.crisis = KL_ANSWER_YES;
	expect(KL_C_FIELD_MISSING, "crisis_kind");
	r.crisis_kind = KL_CRISIS_EVICTION;
	expect_ok();
	r.handover_form = KL_HANDOVER_MESSAGE_ONLY;
	expect(KL_C_FIELDS_DISAGREE, "handover_form");
	r.handover_form = KL_HANDOVER_PHONE;
	r.crisis_local = 1;
	expect(KL_C_FIELDS_DISAGREE, "crisis_local");
	r.crisis_kind = KL_CRISIS_LOCAL_OTHER;
	expect(KL_C_FIELD_VALUE, "crisis_local");
	o.local_crisis_kinds = 1;
	expect_with(&o, KL_C_OK, "");
	r.crisis_local = 0;
	expect(KL_C_FIELD_MISSING, "crisis_local");
	r.crisis = KL_ANSWER_NO;
	expect(KL_C_FIELDS_DISAGREE, "crisis_kind");
	r.crisis_kind = 0;
	r.crisis_local = 2;
	expect(KL_C_FIELDS_DISAGREE, "crisis_local");
}
END_TEST

START_TEST(contact_person_is_whole_and_informed)
{
	r.contact_person.informed = KL_ANSWER_YES;
	expect(KL_C_FIELD_MISSING, "contact_person.name");
	SET(r.contact_person.name, "S. Amrani");
	expect(KL_C_FIELD_MISSING, "contact_person.phone");
	SET(r.contact_person.phone, "+31687654321");
	expect(KL_C_FIELD_MISSING, "contact_person.relation");
	r.contact_person.relation = KL_RELATION_FAMILY;
	expect_ok();
	r.contact_person.informed = KL_ANSWER_NO;
	expect(KL_C_FIELD_VALUE, "contact_person.informed");
	r.contact_person.informed = 0;
	expect(KL_C_FIELD_MISSING, "contact_person.informed");
}
END_TEST

START_TEST(note_is_off_until_policy_allows_it)
{
	struct kl_rules_options o = usual;

	SET(r.practical_note, "bel aan bij de buren");
	expect(KL_C_FREE_TEXT, "practical_note");
	o.practical_note = true;
	expect_with(&o, KL_C_OK, "");
	o.note_chars_max = 10;
	expect_with(&o, KL_C_FIELD_TOO_LONG, "practical_note");
	SET(r.practical_note, "heeft P76");
	expect_with(&o, KL_C_MEDICAL_CODE, "practical_note");
}
END_TEST

/* ---- extracts ---- */

static const struct kl_referrer desk = {
	KL_STAFF_DESK, "A. de Wit", "+31531112233",
};

START_TEST(contact_extract_holds_only_what_reaches_the_person)
{
	struct kl_referral out;

	r.introductory_talk_first = KL_ANSWER_YES;
	r.buddy_wanted = KL_ANSWER_YES;
	ck_assert_int_eq(kl_referral_extract(&r, KL_EXTRACT_CONTACT, &desk,
	    &out), KL_OK);
	ck_assert_str_eq(out.phone, r.phone);
	ck_assert_str_eq(out.referrer.name, desk.name);
	ck_assert_uint_eq(out.buddy_wanted, KL_ANSWER_YES);
	ck_assert_uint_eq(out.birth_date.year, 0);
	ck_assert_uint_eq(out.house_number, 0);
	ck_assert_uint_eq(out.help_question, 0);
	ck_assert_uint_eq(out.introductory_talk_first, 0);
	r = out;
	expect_ok();
	r.help_question = KL_HELP_PAPERWORK;
	expect(KL_C_FIELDS_DISAGREE, "help_question");
}
END_TEST

START_TEST(contact_extract_needs_a_direct_way)
{
	struct kl_referral out;

	r.contact_preference = KL_CONTACT_LETTER;
	ck_assert_int_eq(kl_referral_extract(&r, KL_EXTRACT_CONTACT, &desk,
	    &out), KL_E_VALUE);
	r.contact_preference = KL_CONTACT_PHONE;
	r.phone[0] = '\0';
	ck_assert_int_eq(kl_referral_extract(&r, KL_EXTRACT_CONTACT, &desk,
	    &out), KL_E_VALUE);
}
END_TEST

START_TEST(full_extract_changes_the_referrer_only)
{
	struct kl_referral out;

	ck_assert_int_eq(kl_referral_extract(&r, KL_EXTRACT_FULL, &desk,
	    &out), KL_OK);
	ck_assert_str_eq(out.referrer.phone, desk.phone);
	out.referrer = r.referrer;
	ck_assert_mem_eq(&out, &r, sizeof r);
}
END_TEST

START_TEST(kinds_of_contact_are_those_permitted)
{
	ck_assert_uint_eq(kl_referral_contact_kinds(&r), 2);
	r.letter_ok = KL_ANSWER_NO;
	ck_assert_uint_eq(kl_referral_contact_kinds(&r), 1);
	SET(r.email, "a@b.nl");
	ck_assert_uint_eq(kl_referral_contact_kinds(&r), 2);
}
END_TEST

START_TEST(birth_dates_are_read_in_three_forms)
{
	struct kl_birth_date b;

	ck_assert_int_eq(kl_birth_read("1980", &b), KL_OK);
	ck_assert_str_eq(kl_birth_text(b).b, "1980");
	ck_assert_int_eq(kl_birth_read("1980-10", &b), KL_OK);
	ck_assert_str_eq(kl_birth_text(b).b, "1980-10");
	ck_assert_int_eq(kl_birth_read("1980-10-25", &b), KL_OK);
	ck_assert_str_eq(kl_birth_text(b).b, "1980-10-25");
	ck_assert_int_eq(kl_birth_read("1980-1", &b), KL_E_FORMAT);
	ck_assert_int_eq(kl_birth_read("1981-02-29", &b), KL_E_FORMAT);
	ck_assert_int_eq(kl_birth_read("25-10-1980", &b), KL_E_FORMAT);
	ck_assert_int_eq(kl_birth_read("", &b), KL_E_FORMAT);
	ck_assert_str_eq(kl_birth_text(b).b, "");
}
END_TEST

/* ---- tables ---- */

START_TEST(every_field_is_described)
{
	const struct kl_field *f;

	for (size_t i = 0; (f = kl_field_at(i)) != NULL; i++) {
		ck_assert_ptr_eq(kl_field_find(f->path), f);
		ck_assert(f->nl[0] != '\0' && f->en[0] != '\0');
		ck_assert(f->term[0] != '\0' && f->why[0] != '\0');
		ck_assert((f->kind == KL_FIELD_LIST ||
		    f->kind == KL_FIELD_ANSWER) ==
		    (f->list != KL_LIST_NONE));
	}
	ck_assert_ptr_null(kl_field_find("bsn"));
}
END_TEST

START_TEST(lists_read_what_they_write)
{
	const struct kl_choice *it;

	for (uint32_t l = KL_LIST_NONE + 1; l < KL_LIST_COUNT; l++)
		for (size_t i = 0;
		    (it = kl_list_at((enum kl_list)l, i)) != NULL; i++) {
			ck_assert_uint_eq(kl_list_read((enum kl_list)l,
			    it->name), it->value);
			ck_assert_uint_ne(it->value, 0);
			ck_assert(it->nl[0] != '\0' && it->en[0] != '\0' &&
			    it->term[0] != '\0');
		}
	ck_assert_str_eq(kl_list_name(KL_LIST_SEX, 0), "?");
	ck_assert_str_eq(kl_list_label(KL_LIST_SEX, 9, KL_NL), "?");
	ck_assert_uint_eq(kl_list_read(KL_LIST_SEX, "other"), 0);
	ck_assert_ptr_null(kl_list_item(KL_LIST_NONE, 1));
}
END_TEST

START_TEST(staff_roles_are_named_as_in_headers)
{
	const struct kl_choice *it;

	for (size_t i = 0;
	    (it = kl_list_at(KL_LIST_STAFF_ROLE, i)) != NULL; i++)
		ck_assert_str_eq(it->name, kl_staff_role_name(it->value));
}
END_TEST

static void
add_text_tests(TCase *tc)
{
	tcase_add_test(tc, bsn_is_found_however_it_is_written);
	tcase_add_test(tc, bsn_in_digits_of_other_scripts_is_found);
	tcase_add_test(tc, other_numbers_are_no_bsn);
	tcase_add_test(tc, a_finding_holds_no_more_of_a_path_than_fits);
	tcase_add_test(tc, bsn_as_a_json_number_is_found);
	tcase_add_test(tc, patterns_are_refused_each_with_its_code);
	tcase_add_test(tc, mask_chooses_the_rules);
	tcase_add_test(tc, overlong_text_is_refused_unseen);
	tcase_add_test(tc, phone_is_e164);
}

static void
add_referral_tests(TCase *tc)
{
	tcase_add_test(tc, usual_referral_passes);
	tcase_add_test(tc, names_have_letters_of_any_script_and_no_digits);
	tcase_add_test(tc, characters_are_counted_beside_bytes);
	tcase_add_test(tc, required_fields_are_missed);
	tcase_add_test(tc, values_outside_their_list_or_range_are_refused);
	tcase_add_test(tc, email_is_an_ascii_address_without_bsn);
	tcase_add_test(tc, language_is_a_bcp47_tag);
	tcase_add_test(tc, age_counts_from_the_latest_day_that_is_possible);
	tcase_add_test(tc, impossible_birth_dates_are_refused);
	tcase_add_test(tc, stricter_age_counts);
	tcase_add_test(tc, address_is_given_or_has_no_place);
	tcase_add_test(tc, preference_agrees_with_the_means);
	tcase_add_test(tc, crisis_needs_its_kind_and_more_than_a_message);
	tcase_add_test(tc, contact_person_is_whole_and_informed);
	tcase_add_test(tc, note_is_off_until_policy_allows_it);
	tcase_add_test(tc, contact_extract_holds_only_what_reaches_the_person);
	tcase_add_test(tc, contact_extract_needs_a_direct_way);
	tcase_add_test(tc, full_extract_changes_the_referrer_only);
	tcase_add_test(tc, kinds_of_contact_are_those_permitted);
	tcase_add_test(tc, birth_dates_are_read_in_three_forms);
	tcase_add_test(tc, every_field_is_described);
	tcase_add_test(tc, lists_read_what_they_write);
	tcase_add_test(tc, staff_roles_are_named_as_in_headers);
}

int
main(void)
{
	Suite *s = suite_create("rules");
	TCase *tc = tcase_create("rules");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	add_text_tests(tc);
	add_referral_tests(tc);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
