#include "adapters/common/json_content.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <tests/support/people.h>

#define DATA "tests/data/"

static char file[65536];
static size_t file_n;

static struct json_referral_file ref;
static struct json_correction_file cor;
static struct json_feedback_file fb;
static struct kl_finding why;

static void
load(const char *name)
{
	FILE *f = fopen(name, "rb");

	ck_assert_msg(f != NULL, "%s", name);
	file_n = fread(file, 1, sizeof file - 1, f);
	file[file_n] = '\0';
	ck_assert_int_eq(fclose(f), 0);
}

static void
setup(void)
{
	load(DATA "practice-1/el-amrani.json");
}

/* Puts `with` where `what` stands in the file. */
static void
edit(const char *what, const char *with)
{
	char *at = strstr(file, what);
	size_t a = strlen(what), b = strlen(with);

	ck_assert_msg(at != NULL, "%s", what);
	ck_assert_uint_lt(file_n + b, sizeof file);
	memmove(at + b, at + a, file_n + 1 - (size_t)(at - file) - a);
	memcpy(at, with, b);
	file_n += b - a;
}

static int
read_file(void)
{
	return json_read_referral(kl_bytes(file, file_n), &ref, &why);
}

static void
expect(uint32_t code, const char *field)
{
	struct json_referral_file none;

	memset(&none, 0, sizeof none);
	ck_assert_int_eq(read_file(), KL_E_REFUSED);
	ck_assert_msg(why.code == code, "%s at %s instead of %s",
	    kl_code_name(why.code), why.field, kl_code_name(code));
	ck_assert_str_eq(why.field, field);
	ck_assert_mem_eq(&ref, &none, sizeof ref);
}

/* The usual file with one edit. */
#define EXPECT(what, with, code, field) \
	do { \
		setup(); \
		edit(what, with); \
		expect(code, field); \
	} while (0)

START_TEST(file_of_a_practice_is_read_whole)
{
	ck_assert_int_eq(read_file(), KL_OK);
	ck_assert_uint_eq(why.code, KL_C_OK);
	ck_assert_uint_eq(ref.schema, 1);
	ck_assert_str_eq(ref.referral_id, "P1-2026-002");
	ck_assert_str_eq(ref.patient_ref, "his-4712");
	ck_assert_str_eq(kl_id_text(&ref.receiver).b,
	    "oin:00000001000000000001");
	ck_assert_uint_eq(ref.referral.extract, KL_EXTRACT_FULL);
	ck_assert_str_eq(ref.referral.name.prefix, "el");
	ck_assert_uint_eq(ref.referral.birth_date.month, 3);
	ck_assert_uint_eq(ref.referral.birth_date.day, 0);
	ck_assert_uint_eq(ref.referral.voicemail_ok, KL_ANSWER_NO);
	ck_assert_uint_eq(ref.referral.house_number, 12);
	ck_assert_uint_eq(ref.referral.referrer.role,
	    KL_STAFF_NURSE_MENTAL_HEALTH);
	ck_assert_uint_eq(ref.consent.feedback_level, KL_LEVEL_1);
	ck_assert_uint_eq(ref.consent.onward_n, 1);
	ck_assert_str_eq(kl_id_text(&ref.consent.onward_to[0]).b,
	    "kvk:90000001");
	ck_assert_uint_eq(ref.consent.form, KL_ORAL);
	ck_assert_int_eq(ref.consent.given_on, kl_day_make(2026, 11, 23));
	ck_assert_int_eq(ref.consent.valid_until, 0);
	ck_assert(ref.consent.recorded_in_his);
}
END_TEST

static const char *const good_files[] = {
	DATA "practice-1/van-putten.json", DATA "practice-1/el-amrani.json",
	DATA "practice-1/ten-cate-no-address.json",
	DATA "practice-2/van-dijk-crisis.json",
	DATA "practice-2/olcer-contact-person.json",
	DATA "practice-2/kowalczyk.json",
};

START_TEST(people_of_the_test_data_keep_the_rules)
{
	const struct kl_rules_options o = { .today = PEOPLE_TODAY };

	load(good_files[_i]);
	ck_assert_msg(read_file() == KL_OK, "%s %s", kl_code_name(why.code),
	    why.field);
	ck_assert_msg(kl_rules_check_referral(&ref.referral, &o, &why) ==
	    KL_OK, "%s %s", kl_code_name(why.code), why.field);
}
END_TEST

START_TEST(file_with_a_bsn_is_refused)
{
	load(DATA "practice-1/jansen-with-bsn.json");
	expect(KL_C_BSN, "/referral/name/family_name");
}
END_TEST

START_TEST(bsn_comes_before_anything_else)
{
	EXPECT("\"patient_ref\": \"his-4712\"",
	    "\"patient_ref\": \"123456782\"", KL_C_BSN, "/patient_ref");
	EXPECT("\"schema\": 1", "\"schema\": 1, \"bsn\": 123456782",
	    KL_C_BSN, "/bsn");
	EXPECT("\"schema\": 1", "\"schema\": 1, \"x\": 123456782.0",
	    KL_C_BSN, "/x");
	EXPECT("\"schema\": 1", "\"schema\": 1, \"x\": [{\"y\": \"1234 56 "
	    "782\"}]", KL_C_BSN, "/x/item/y");
	EXPECT("\"schema\": 1", "\"schema\": 1, \"123456782\": 1", KL_C_BSN,
	    "");
	EXPECT("\"+31612345601\"", "\"123456782\"", KL_C_BSN,
	    "/referral/phone");
	EXPECT("\"consent\"", "\"consent\": \"123456782\", \"z\"", KL_C_BSN,
	    "/consent");
}
END_TEST

START_TEST(unknown_fields_are_refused_by_their_place)
{
	EXPECT("\"schema\": 1", "\"schema\": 1, \"urgent\": true",
	    KL_C_FIELD_UNKNOWN, "/urgent");
	EXPECT("\"crisis\": false", "\"crisis\": false, \"debts\": 3",
	    KL_C_FIELD_UNKNOWN, "/referral/debts");
	EXPECT("\"initials\": \"F.\"", "\"nickname\": \"F.\"",
	    KL_C_FIELD_UNKNOWN, "/referral/name/nickname");
	EXPECT("\"crisis\": false", "\"name.initials\": \"F.\"",
	    KL_C_FIELD_UNKNOWN, "/referral/name.initials");
	EXPECT("\"form\": \"oral\"", "\"form\": \"oral\", \"by\": 1",
	    KL_C_FIELD_UNKNOWN, "/consent/by");
	EXPECT("\"purpose\": true", "\"purpose\": true, \"all\": true",
	    KL_C_FIELD_UNKNOWN, "/consent/informed/all");
	/* What an unknown key says is not repeated. */
	EXPECT("\"schema\": 1", "\"schema\": 1, \"<b>\\nx\": true",
	    KL_C_FIELD_UNKNOWN, "/?");
	EXPECT("\"crisis\": false", "\"Jan de Vries\": true",
	    KL_C_FIELD_UNKNOWN, "/referral/?");
	EXPECT("\"crisis\": false", "\"tel-0612345678\": true",
	    KL_C_FIELD_UNKNOWN, "/referral/?");
}
END_TEST

START_TEST(broken_json_is_refused)
{
	static const char *const bad[] = {
		"", "{", "[]", "null", "\"x\"", "{\"schema\": 1} x",
		"{\"schema\": 1, \"schema\": 1}", "{\"a\": \"\\u0000\"}",
		"{\"a\": \"\xff\"}", "{\"a\": 99999999999999999999999}",
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		strcpy(file, bad[i]);
		file_n = strlen(bad[i]);
		expect(KL_C_JSON, "");
	}
}
END_TEST

START_TEST(large_file_is_refused_unread)
{
	size_t n = JSON_FILE_MAX + 1;
	char *big = malloc(n);

	ck_assert_ptr_nonnull(big);
	memset(big, ' ', n);
	ck_assert_int_eq(json_read_referral(kl_bytes(big, n), &ref, &why),
	    KL_E_REFUSED);
	ck_assert_uint_eq(why.code, KL_C_FILE_SIZE);
	free(big);
}
END_TEST

START_TEST(deep_nesting_is_refused)
{
	memset(file, '[', sizeof file);
	file_n = sizeof file;
	expect(KL_C_JSON, "");
}
END_TEST

START_TEST(nothing_goes_without_consent)
{
	EXPECT("\"consent\"", "\"consentx\"", KL_C_FIELD_UNKNOWN,
	    "/consentx");
	EXPECT("\"referral\": true", "\"referral\": false", KL_C_NO_CONSENT,
	    "/consent/referral");
	EXPECT("\"referral\": true,", "", KL_C_NO_CONSENT,
	    "/consent/referral");
	EXPECT("\"content\": true", "\"content\": false", KL_C_NOT_INFORMED,
	    "/consent/informed/content");
	EXPECT("\"consequences\": true", "\"purpose\": true",
	    KL_C_JSON, "");
	EXPECT("\"recorded_in_his\": true", "\"recorded_in_his\": false",
	    KL_C_NOT_IN_HIS, "/consent/recorded_in_his");
}
END_TEST

START_TEST(file_without_a_consent_object_is_refused)
{
	char *at = strstr(file, ",\n\t\"consent\"");

	ck_assert_ptr_nonnull(at);
	strcpy(at, "}");
	file_n = strlen(file);
	expect(KL_C_NO_CONSENT, "/consent");
}
END_TEST

START_TEST(unticked_feedback_is_level_zero)
{
	edit("\"feedback_level\": 1,", "");
	ck_assert_int_eq(read_file(), KL_OK);
	ck_assert_uint_eq(ref.consent.feedback_level, KL_LEVEL_0);
}
END_TEST

START_TEST(consent_values_are_checked)
{
	EXPECT("\"feedback_level\": 1", "\"feedback_level\": 4",
	    KL_C_FIELD_VALUE, "/consent/feedback_level");
	EXPECT("\"feedback_level\": 1", "\"feedback_level\": -1",
	    KL_C_FIELD_VALUE, "/consent/feedback_level");
	EXPECT("\"oral\"", "\"presumed\"", KL_C_FIELD_VALUE,
	    "/consent/form");
	EXPECT("\"2026-11-23\"", "\"2026-02-30\"", KL_C_FIELD_VALUE,
	    "/consent/given_on");
	EXPECT("\"given_on\"", "\"valid_until\"", KL_C_FIELD_MISSING,
	    "/consent/given_on");
	EXPECT("\"form\"", "\"valid_until\": \"2026-11-01\", \"form\"",
	    KL_C_FIELDS_DISAGREE, "/consent/valid_until");
	EXPECT("\"info_text_version\": 1", "\"info_text_version\": 0",
	    KL_C_FIELD_VALUE, "/consent/info_text_version");
	EXPECT("\"asked_by\": \"nurse_mental_health\"",
	    "\"asked_by\": \"doctor\"", KL_C_FIELD_VALUE,
	    "/consent/asked_by");
}
END_TEST

START_TEST(onward_receivers_are_few_and_by_name)
{
	EXPECT("\"kvk:90000001\"", "\"volunteers\"", KL_C_FIELD_VALUE,
	    "/consent/onward_to");
	EXPECT("\"kvk:90000001\"", "\"kvk:90000001\", \"kvk:90000001\"",
	    KL_C_FIELD_VALUE, "/consent/onward_to");
	EXPECT("\"kvk:90000001\"", "\"kvk:90000001\", \"kvk:90000002\", "
	    "\"kvk:90000003\", \"kvk:90000004\", \"kvk:90000005\"",
	    KL_C_FIELD_VALUE, "/consent/onward_to");
}
END_TEST

START_TEST(head_of_the_file_is_checked)
{
	EXPECT("\"schema\": 1", "\"schema\": 99", KL_C_SCHEMA, "/schema");
	EXPECT("\"schema\": 1", "\"schema\": \"1\"", KL_C_SCHEMA, "/schema");
	EXPECT("\"schema\": 1,", "", KL_C_FIELD_MISSING, "/schema");
	EXPECT("\"referral_id\": \"P1-2026-002\",", "", KL_C_FIELD_MISSING,
	    "/referral_id");
	EXPECT("\"P1-2026-002\"", "\"P1/2026\"", KL_C_FIELD_VALUE,
	    "/referral_id");
	EXPECT("\"P1-2026-002\"", "\"0123456789abcdefghijklmnopqrstuvwxyz"
	    "0123456789abcdefghijklmnopqrstuvwxyz\"", KL_C_FIELD_TOO_LONG,
	    "/referral_id");
	EXPECT("\"oin:00000001000000000001\"", "\"oin:1\"",
	    KL_C_FIELD_VALUE, "/receiver");
	EXPECT("\"his-4712\"", "\"his\\n4712\"", KL_C_CHARACTER,
	    "/patient_ref");
}
END_TEST

START_TEST(values_of_the_content_are_checked)
{
	EXPECT("\"crisis\": false", "\"crisis\": \"no\"", KL_C_FIELD_VALUE,
	    "/referral/crisis");
	EXPECT("\"crisis\": false", "\"crisis\": null", KL_C_FIELD_VALUE,
	    "/referral/crisis");
	EXPECT("\"sms\"", "\"fax\"", KL_C_FIELD_VALUE,
	    "/referral/contact_preference");
	EXPECT("\"house_number\": 12", "\"house_number\": \"12\"",
	    KL_C_FIELD_VALUE, "/referral/house_number");
	EXPECT("\"house_number\": 12", "\"house_number\": 0",
	    KL_C_FIELD_VALUE, "/referral/house_number");
	EXPECT("\"1987-03\"", "\"03-1987\"", KL_C_FIELD_VALUE,
	    "/referral/birth_date");
	EXPECT("\"7511JL\"", "\"7511 JL\"", KL_C_FIELD_TOO_LONG,
	    "/referral/postcode");
	EXPECT("\"el\"", "\"\"", KL_C_FIELD_VALUE, "/referral/name/prefix");
	EXPECT("\"crisis\": false", "\"contact_person\": 3",
	    KL_C_FIELD_VALUE, "/referral/contact_person");
}
END_TEST

START_TEST(missing_content_is_found_by_the_rules)
{
	const struct kl_rules_options o = { .today = PEOPLE_TODAY };

	edit("\"initials\": \"F.\",", "");
	edit("\"family_name\": \"Amrani\"", "\"initials\": \"F.\"");
	ck_assert_int_eq(read_file(), KL_OK);
	ck_assert_int_eq(kl_rules_check_referral(&ref.referral, &o, &why),
	    KL_E_REFUSED);
	ck_assert_uint_eq(why.code, KL_C_FIELD_MISSING);
	json_finding_pointer(&why);
	ck_assert_str_eq(why.field, "/referral/name/family_name");
	json_finding_pointer(&why);
	ck_assert_str_eq(why.field, "/referral/name/family_name");
}
END_TEST

START_TEST(correction_names_its_referral_either_way)
{
	load(DATA "practice-1/van-putten-correction.json");
	ck_assert_int_eq(json_read_correction(kl_bytes(file, file_n), &cor,
	    &why), KL_OK);
	ck_assert_str_eq(cor.correction_of, "P1-2026-001");
	ck_assert(!cor.is_spoken);
	ck_assert_str_eq(cor.referral.phone, "+31612345609");
	edit("P1-2026-001", "28t5-cy4t-h");
	ck_assert_int_eq(json_read_correction(kl_bytes(file, file_n), &cor,
	    &why), KL_OK);
	ck_assert(cor.is_spoken);
	ck_assert_str_eq(kl_spoken_text(&cor.spoken).b, "28T5-CY4T-H");
}
END_TEST

START_TEST(correction_is_closed_and_without_consent)
{
	load(DATA "practice-1/van-putten-correction.json");
	edit("\"schema\": 1", "\"schema\": 1, \"consent\": {}");
	ck_assert_int_eq(json_read_correction(kl_bytes(file, file_n), &cor,
	    &why), KL_E_REFUSED);
	ck_assert_uint_eq(why.code, KL_C_FIELD_UNKNOWN);
	ck_assert_str_eq(why.field, "/consent");
}
END_TEST

static void
read_feedback(const char *name)
{
	load(name);
	ck_assert_int_eq(json_read_feedback(kl_bytes(file, file_n), &fb,
	    &why), KL_OK);
	ck_assert_uint_eq(kl_feedback_check(&fb.feedback, 1, NULL), KL_C_OK);
	ck_assert_uint_eq(fb.feedback.level, 0);
	ck_assert_str_eq(kl_spoken_text(&fb.reference).b, "28T5-CY4T-H");
}

START_TEST(feedback_files_are_read_in_full)
{
	read_feedback(DATA "municipality/taken-up.json");
	ck_assert_uint_eq(fb.feedback.code, KL_ST_TAKEN_UP);
	ck_assert_int_eq(fb.feedback.day, PEOPLE_TODAY);
	read_feedback(DATA "municipality/referred-on.json");
	ck_assert_uint_eq(fb.feedback.category, KL_CAT_CREDIT_BANK);
	read_feedback(DATA "municipality/details-wanted.json");
	ck_assert_uint_eq(fb.feedback.wanted, KL_WANTED_PHONE);
}
END_TEST

static void
expect_feedback(const char *what, const char *with, uint32_t code,
    const char *field)
{
	load(DATA "municipality/taken-up.json");
	edit(what, with);
	ck_assert_int_eq(json_read_feedback(kl_bytes(file, file_n), &fb,
	    &why), KL_E_REFUSED);
	ck_assert_uint_eq(why.code, code);
	ck_assert_str_eq(why.field, field);
	ck_assert_uint_eq(fb.feedback.code, 0);
}

START_TEST(feedback_has_no_free_text_and_no_other_codes)
{
	expect_feedback("\"schema\": 1", "\"schema\": 1, \"note\": \"x\"",
	    KL_C_FIELD_UNKNOWN, "/note");
	expect_feedback("\"taken_up\"", "\"moved_house\"", KL_C_FIELD_VALUE,
	    "/code");
	expect_feedback("\"taken_up\"", "\"expired\"", KL_C_FIELD_VALUE,
	    "/code");
	expect_feedback("\"taken_up\"", "\"closed\", \"category\": \"bank\"",
	    KL_C_FIELD_VALUE, "/category");
	expect_feedback("28T5-CY4T-H", "28T5-CY4T-A", KL_C_FIELD_VALUE,
	    "/reference");
	expect_feedback("2026-11-24", "2026-11-24T10:00", KL_C_FIELD_VALUE,
	    "/date");
	expect_feedback("28T5-CY4T-H", "123456782", KL_C_BSN, "/reference");
	expect_feedback("\"date\"", "\"wanted\"", KL_C_FIELD_VALUE,
	    "/wanted");
}
END_TEST

/* ---- writing ---- */

static struct json_referral_meta
referral_meta(void)
{
	struct json_referral_meta m = {
		.seq = 7, .from_name = "Praktijk De Linde",
		.state = KL_ST_DELIVERED, .feedback_level = KL_LEVEL_2,
		.received_ms = PEOPLE_TODAY * KL_DAY_MS, .schema = 1,
		.training = true,
	};

	ck_assert_int_eq(kl_id_read("agb:01000001", &m.from), KL_OK);
	ck_assert_int_eq(kl_spoken_read("28T5-CY4T-H", &m.reference), KL_OK);
	return m;
}

START_TEST(desk_reads_back_what_was_sent)
{
	struct json_referral_meta m = referral_meta();
	struct kl_referral in = people_largest();
	json_t *o, *put;
	char *text;

	ck_assert_int_eq(json_write_referral(&m, &in, &text), KL_OK);
	o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_ptr_nonnull(o);
	ck_assert_str_eq(json_string_value(json_object_get(o, "reference")),
	    "28T5-CY4T-H");
	ck_assert_int_eq(json_integer_value(json_object_get(o,
	    "feedback_level")), 2);
	ck_assert_ptr_null(json_object_get(o, "answer_by"));
	/* Its content is content of a correction. */
	put = json_pack("{s:i,s:s,s:O}", "schema", 1, "correction_of", "x",
	    "referral", json_object_get(o, "referral"));
	json_text_free(text);
	text = json_dumps(put, 0);
	ck_assert_msg(json_read_correction(kl_bytes_str(text), &cor, &why) ==
	    KL_OK, "%s %s", kl_code_name(why.code), why.field);
	ck_assert_mem_eq(&cor.referral, &in, sizeof in);
	json_text_free(text);
	json_decref(put);
	json_decref(o);
}
END_TEST

START_TEST(practice_reads_code_label_and_meaning)
{
	struct json_feedback_meta m = {
		.seq = 3, .referral_id = "P1-2026-001", .patient_ref = "",
		.received_ms = PEOPLE_TODAY * KL_DAY_MS,
	};
	struct kl_feedback f = {
		.code = KL_ST_NOT_TAKEN_ON, .ground = KL_GROUND_WRONG_DESK,
		.day = PEOPLE_TODAY, .level = KL_LEVEL_1,
	};
	json_t *o;
	char *text;

	ck_assert_int_eq(kl_id_read("oin:00000001000000000001", &m.from),
	    KL_OK);
	ck_assert_int_eq(kl_spoken_read("28T5-CY4T-H", &m.reference), KL_OK);
	ck_assert_int_eq(json_write_feedback(&m, &f, &text), KL_OK);
	o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_ptr_nonnull(o);
#define STR(key) json_string_value(json_object_get(o, key))
	ck_assert_str_eq(STR("code"), "not_taken_on");
	ck_assert_str_eq(STR("label"), "Niet in behandeling genomen");
	ck_assert_str_eq(STR("ground"), "wrong_desk");
	ck_assert_str_eq(STR("ground_label"), "Verkeerd meldpunt");
	ck_assert_str_eq(STR("date"), "2026-11-24");
	ck_assert_str_eq(STR("referral_id"), "P1-2026-001");
	ck_assert_ptr_nonnull(STR("explanation"));
	ck_assert_ptr_nonnull(STR("ddas_term"));
	ck_assert(json_is_true(json_object_get(o, "ended")));
	ck_assert_int_eq(json_integer_value(json_object_get(o, "level")), 1);
	ck_assert_ptr_null(json_object_get(o, "patient_ref"));
	json_decref(o);
	json_text_free(text);
}
END_TEST

START_TEST(text_that_is_no_utf8_is_not_written)
{
	struct json_referral_meta m = referral_meta();
	struct kl_referral in = people_usual();
	char *text;

	in.name.family_name[0] = '\xff';
	ck_assert_int_eq(json_write_referral(&m, &in, &text), KL_E_MEMORY);
	ck_assert_ptr_null(text);
	json_text_free(text);
}
END_TEST

static void
add_reading(TCase *tc)
{
	tcase_add_test(tc, file_of_a_practice_is_read_whole);
	tcase_add_loop_test(tc, people_of_the_test_data_keep_the_rules, 0,
	    sizeof good_files / sizeof good_files[0]);
	tcase_add_test(tc, file_with_a_bsn_is_refused);
	tcase_add_test(tc, bsn_comes_before_anything_else);
	tcase_add_test(tc, unknown_fields_are_refused_by_their_place);
	tcase_add_test(tc, broken_json_is_refused);
	tcase_add_test(tc, large_file_is_refused_unread);
	tcase_add_test(tc, deep_nesting_is_refused);
	tcase_add_test(tc, nothing_goes_without_consent);
	tcase_add_test(tc, file_without_a_consent_object_is_refused);
	tcase_add_test(tc, unticked_feedback_is_level_zero);
	tcase_add_test(tc, consent_values_are_checked);
	tcase_add_test(tc, onward_receivers_are_few_and_by_name);
	tcase_add_test(tc, head_of_the_file_is_checked);
	tcase_add_test(tc, values_of_the_content_are_checked);
	tcase_add_test(tc, missing_content_is_found_by_the_rules);
}

int
main(void)
{
	Suite *s = suite_create("json_content");
	TCase *tc = tcase_create("json_content");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	add_reading(tc);
	tcase_add_test(tc, correction_names_its_referral_either_way);
	tcase_add_test(tc, correction_is_closed_and_without_consent);
	tcase_add_test(tc, feedback_files_are_read_in_full);
	tcase_add_test(tc, feedback_has_no_free_text_and_no_other_codes);
	tcase_add_test(tc, desk_reads_back_what_was_sent);
	tcase_add_test(tc, practice_reads_code_label_and_meaning);
	tcase_add_test(tc, text_that_is_no_utf8_is_not_written);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
