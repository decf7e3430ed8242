#include <kortelijn/domain/policy.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/err.h>
#include <kortelijn/base/time.h>
#include <kortelijn/base/types.h>

#define KEYS for (enum kl_policy_key k = 0; k < KL_POL_COUNT; k++)

/* ---- the table ---- */

START_TEST(rows_are_P01_to_P58_in_order)
{
	unsigned int last = 0, id;

	KEYS {
		ck_assert_int_eq(sscanf(kl_policy_row(k)->id, "P%2u", &id), 1);
		ck_assert(id == last || id == last + 1);
		last = id;
	}
	ck_assert_uint_eq(last, 58);
}
END_TEST

START_TEST(every_row_is_whole)
{
	KEYS {
		const struct kl_policy_row *row = kl_policy_row(k);

		ck_assert_uint_eq(kl_policy_read(row->key), k);
		ck_assert(row->nl != NULL && row->nl[0] != '\0');
		ck_assert(row->en != NULL && row->en[0] != '\0');
		ck_assert(row->source != NULL && row->source[0] != '\0');
		ck_assert_int_eq(row->fixed != NULL, kl_policy_fixed(k));
		ck_assert_int_eq(row->stricter == KL_STRICTER_NONE,
		    kl_policy_fixed(k));
		ck_assert_int_eq(kl_policy_possible(k, row->value),
		    !kl_policy_fixed(k));
	}
	ck_assert_uint_eq(kl_policy_read("no_such_key"), KL_POL_COUNT);
}
END_TEST

START_TEST(values_survive_their_text)
{
	struct kl_term t;

	KEYS {
		const struct kl_term d = kl_policy_row(k)->value;

		if (kl_policy_fixed(k)) {
			ck_assert_int_eq(kl_term_read(k, "yes", &t),
			    KL_E_UNKNOWN);
			continue;
		}
		ck_assert_int_eq(kl_term_read(k, kl_term_text(k, d).b, &t),
		    KL_OK);
		ck_assert(t.n == d.n && t.unit == d.unit);
	}
}
END_TEST

START_TEST(defaults_are_what_the_protocol_says)
{
	struct kl_policy p;

	kl_policy_defaults(&p);
	ck_assert_uint_eq(kl_policy_days(&p, KL_POL_CONSENT_MAX_AGE_AT_SEND),
	    30);
	ck_assert_uint_eq(kl_policy_days(&p, KL_POL_FEEDBACK_VALIDITY), 731);
	ck_assert_int_eq(kl_policy_ms(&p, KL_POL_TTL_MAX), 60 * KL_DAY_MS);
	ck_assert_int_eq(kl_policy_ms(&p, KL_POL_LOG_RETENTION),
	    1827 * KL_DAY_MS);
	ck_assert_int_eq(kl_policy_ms(&p, KL_POL_BREACH_NOTICE_OPERATOR),
	    KL_DAY_MS);
	ck_assert(!kl_policy_yes(&p, KL_POL_PRACTICAL_NOTE));
	ck_assert_uint_eq(kl_policy_number(&p, KL_POL_SUBJECT_MIN_AGE), 18);
	ck_assert(kl_policy_has(&p, KL_POL_CONSENT_FORMS, KL_WRITTEN));
	ck_assert(!kl_policy_has(&p, KL_POL_CONSENT_FORMS, 3));
	ck_assert(!kl_policy_has(&p, KL_POL_CONSENT_FORMS, 40));
}
END_TEST

/* ---- one value ---- */

static const struct {
	enum kl_policy_key key;
	const char *text;
	int want;
} texts[] = {
	{ KL_POL_CONSENT_MAX_AGE_AT_SEND, "14d", KL_OK },
	{ KL_POL_CONSENT_MAX_AGE_AT_SEND, "336h", KL_OK },
	{ KL_POL_CONSENT_MAX_AGE_AT_SEND, "1mo", KL_OK },
	{ KL_POL_CONSENT_MAX_AGE_AT_SEND, "", KL_E_FORMAT },
	{ KL_POL_CONSENT_MAX_AGE_AT_SEND, "d", KL_E_FORMAT },
	{ KL_POL_CONSENT_MAX_AGE_AT_SEND, "-1d", KL_E_FORMAT },
	{ KL_POL_CONSENT_MAX_AGE_AT_SEND, "014d", KL_E_FORMAT },
	{ KL_POL_CONSENT_MAX_AGE_AT_SEND, "14", KL_E_UNKNOWN },
	{ KL_POL_CONSENT_MAX_AGE_AT_SEND, "14 d", KL_E_UNKNOWN },
	{ KL_POL_CONSENT_MAX_AGE_AT_SEND, "14wd", KL_E_UNKNOWN },
	{ KL_POL_CONSENT_MAX_AGE_AT_SEND, "14days", KL_E_UNKNOWN },
	{ KL_POL_CONSENT_MAX_AGE_AT_SEND, "0d", KL_E_VALUE },
	{ KL_POL_CONSENT_MAX_AGE_AT_SEND, "101y", KL_E_VALUE },
	{ KL_POL_CONSENT_MAX_AGE_AT_SEND, "99999999d", KL_E_VALUE },
	{ KL_POL_TTL_MAX, "60d", KL_OK },
	{ KL_POL_TTL_MAX, "61d", KL_E_VALUE },
	{ KL_POL_TTL_MAX, "1441h", KL_E_VALUE },
	{ KL_POL_FEEDBACK_VALIDITY, "731d", KL_OK },
	{ KL_POL_FEEDBACK_VALIDITY, "732d", KL_E_VALUE },
	{ KL_POL_TAKE_UP_TERM, "1wd", KL_OK },
	{ KL_POL_TAKE_UP_TERM, "1d", KL_E_UNKNOWN },
	{ KL_POL_CRISIS_TAKE_UP_TERM, "same_day", KL_OK },
	{ KL_POL_CRISIS_TAKE_UP_TERM, "0wd", KL_OK },
	{ KL_POL_TAKE_UP_TERM, "same_day", KL_E_VALUE },
	{ KL_POL_CRISIS_PICKUP_ALARM_SENDER, "3oh", KL_OK },
	{ KL_POL_FEEDBACK_LEVEL_DEFAULT, "0", KL_OK },
	{ KL_POL_FEEDBACK_LEVEL_DEFAULT, "4", KL_E_VALUE },
	{ KL_POL_SUBJECT_MIN_AGE, "21y", KL_OK },
	{ KL_POL_SUBJECT_MIN_AGE, "216mo", KL_E_UNKNOWN },
	{ KL_POL_PRACTICAL_NOTE, "yes", KL_OK },
	{ KL_POL_PRACTICAL_NOTE, "on", KL_E_FORMAT },
	{ KL_POL_PRACTICAL_NOTE_MAX, "281", KL_E_VALUE },
	{ KL_POL_CONSENT_FORMS, "written", KL_OK },
	{ KL_POL_CONSENT_FORMS, "written,oral", KL_OK },
	{ KL_POL_CONSENT_FORMS, "written, written", KL_E_FORMAT },
	{ KL_POL_CONSENT_FORMS, "written oral", KL_E_FORMAT },
	{ KL_POL_CONSENT_FORMS, "presumed", KL_E_UNKNOWN },
	{ KL_POL_CONSENT_FORMS, "written,", KL_E_UNKNOWN },
	{ KL_POL_CONSENT_FORMS, "", KL_E_UNKNOWN },
	{ KL_POL_AVAILABILITY_TARGET, "99.9%", KL_OK },
	{ KL_POL_AVAILABILITY_TARGET, "99%", KL_OK },
	{ KL_POL_AVAILABILITY_TARGET, "99.95%", KL_E_FORMAT },
	{ KL_POL_AVAILABILITY_TARGET, "101%", KL_E_VALUE },
	{ KL_POL_END_TO_END, "no", KL_E_UNKNOWN },
};

START_TEST(values_are_of_their_unit_and_bounds)
{
	struct kl_term t;

	ck_assert_msg(kl_term_read(texts[_i].key, texts[_i].text, &t) ==
	    texts[_i].want, "%s = %s", kl_policy_row(texts[_i].key)->key,
	    texts[_i].text);
}
END_TEST

static const struct {
	enum kl_policy_key key;
	const char *a, *b;
	bool want;			/* a binds as much as b */
} pairs[] = {
	{ KL_POL_CONSENT_MAX_AGE_AT_SEND, "29d", "30d", true },
	{ KL_POL_CONSENT_MAX_AGE_AT_SEND, "31d", "30d", false },
	{ KL_POL_CONSENT_MAX_AGE_AT_SEND, "720h", "30d", true },
	{ KL_POL_CONSENT_MAX_AGE_AT_SEND, "1mo", "30d", false },
	{ KL_POL_SUBJECT_MIN_AGE, "21y", "18y", true },
	{ KL_POL_SUBJECT_MIN_AGE, "16y", "18y", false },
	{ KL_POL_PRACTICAL_NOTE, "no", "no", true },
	{ KL_POL_PRACTICAL_NOTE, "yes", "no", false },
	{ KL_POL_CONSENT_FORMS, "written", "oral, written", true },
	{ KL_POL_CONSENT_FORMS, "oral, written", "written", false },
	{ KL_POL_CONSENT_FORMS, "oral", "written", false },
	{ KL_POL_LOG_RETENTION, "20y", "5y", true },
	{ KL_POL_LOG_RETENTION, "5y", "20y", true },
	{ KL_POL_LOG_RETENTION, "21y", "5y", false },
	{ KL_POL_LOG_RETENTION, "4y", "5y", false },
	{ KL_POL_CRISIS_TAKE_UP_TERM, "1wd", "same_day", false },
};

START_TEST(stricter_goes_the_way_of_the_row)
{
	const enum kl_policy_key k = pairs[_i].key;
	struct kl_term a, b;

	ck_assert_int_eq(kl_term_read(k, pairs[_i].a, &a), KL_OK);
	ck_assert_int_eq(kl_term_read(k, pairs[_i].b, &b), KL_OK);
	ck_assert_msg(kl_policy_strict(k, a, b) == pairs[_i].want,
	    "%s: %s, %s", kl_policy_row(k)->key, pairs[_i].a, pairs[_i].b);
}
END_TEST

START_TEST(labels_are_in_both_languages)
{
	ck_assert_str_eq(kl_unit_label(KL_UNIT_WD, KL_NL), "werkdagen");
	ck_assert_str_eq(kl_unit_label(KL_UNIT_WD, KL_EN), "working days");
	ck_assert_str_eq(kl_verified_label(KL_SRC_CHOICE, KL_NL),
	    "eigen keuze");
	ck_assert_str_eq(kl_verified_label(KL_SRC_READ, KL_EN),
	    "source read");
}
END_TEST

#define COUNT(t) ((int)(sizeof (t) / sizeof (t)[0]))

int
main(void)
{
	Suite *s = suite_create("policy");
	TCase *t = tcase_create("table");
	SRunner *r;
	int failed;

	tcase_add_test(t, rows_are_P01_to_P58_in_order);
	tcase_add_test(t, every_row_is_whole);
	tcase_add_test(t, values_survive_their_text);
	tcase_add_test(t, defaults_are_what_the_protocol_says);
	tcase_add_loop_test(t, values_are_of_their_unit_and_bounds, 0,
	    COUNT(texts));
	tcase_add_loop_test(t, stricter_goes_the_way_of_the_row, 0,
	    COUNT(pairs));
	tcase_add_test(t, labels_are_in_both_languages);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
