#include "adapters/common/guard.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/adapter.h"
#include "tests/support/people.h"

#define OK(x) ck_assert_int_eq((x), KL_OK)

static struct adapter_region region;
static struct adapter a;
static struct kl_referral r;
static struct kl_finding why;
static struct kl_envelope e;
static uint8_t salt[KL_SALT_BYTES] = { 3 };
static uint8_t plain[KL_PLAIN_REFERRAL];
static size_t n_plain;

static void
setup(void)
{
	adapter_region_make(&region);
	adapter_make(&a, &region, KL_MUNICIPALITY,
	    "oin:00000001000000000001");
	r = people_usual();
	memset(&e, 0, sizeof e);
	e.header.content_schema = KL_SCHEMA_MAX;
	e.header.kind = KL_REFERRAL;
}

static void
teardown(void)
{
	adapter_clear(&a);
	adapter_region_clear(&region);
}

static void
pack(void)
{
	OK(kl_content_pack_referral(&r, salt, KL_SCHEMA_MAX, plain,
	    sizeof plain, &n_plain));
	e.preview_hash = guard_preview(&r, salt);
}

static uint32_t
opened(void)
{
	struct kl_referral out;

	return guard_opened_referral(&a.t, &e, kl_bytes(plain, n_plain),
	    &out);
}

START_TEST(usual_referral_passes_both_borders)
{
	OK(guard_referral(&a.t, &a.id.id, &r, &why));
	pack();
	ck_assert_uint_eq(opened(), KL_C_OK);
}
END_TEST

START_TEST(bsn_is_refused_at_both_borders)
{
	memcpy(r.name.family_name, "Jansen 111222333",
	    sizeof "Jansen 111222333");
	ck_assert_int_eq(guard_referral(&a.t, &a.id.id, &r, &why),
	    KL_E_REFUSED);
	ck_assert_uint_eq(why.code, KL_C_BSN);
	pack();
	ck_assert_uint_eq(opened(), KL_C_BSN);
}
END_TEST

START_TEST(note_is_for_the_senders_policy)
{
	memcpy(r.practical_note, "Liever na tien uur",
	    sizeof "Liever na tien uur");
	ck_assert_int_eq(guard_referral(&a.t, &a.id.id, &r, &why),
	    KL_E_REFUSED);
	a.policy.term[KL_POL_PRACTICAL_NOTE].n = 1;
	OK(guard_referral(&a.t, &a.id.id, &r, &why));
	a.policy.term[KL_POL_PRACTICAL_NOTE_MAX].n = 17;
	ck_assert_int_eq(guard_referral(&a.t, &a.id.id, &r, &why),
	    KL_E_REFUSED);
	ck_assert_uint_eq(why.code, KL_C_FIELD_TOO_LONG);
	kl_policy_defaults(&a.policy);
	pack();
	ck_assert_uint_eq(opened(), KL_C_OK);
}
END_TEST

START_TEST(other_content_than_was_shown_is_refused)
{
	pack();
	r.house_number++;
	OK(kl_content_pack_referral(&r, salt, KL_SCHEMA_MAX, plain,
	    sizeof plain, &n_plain));
	ck_assert_uint_eq(opened(), KL_C_PREVIEW);
}
END_TEST

START_TEST(preview_needs_its_salt)
{
	uint8_t other[KL_SALT_BYTES] = { 4 };
	struct kl_hash h = guard_preview(&r, salt);
	struct kl_hash again = guard_preview(&r, salt);
	struct kl_hash differs = guard_preview(&r, other);

	ck_assert_mem_eq(&h, &again, sizeof h);
	ck_assert_mem_ne(&h, &differs, sizeof h);
}
END_TEST

START_TEST(schema_is_judged_before_the_content)
{
	pack();
	e.header.content_schema = KL_SCHEMA_MAX + 1;
	ck_assert_uint_eq(opened(), KL_C_SCHEMA);
	n_plain = 3;
	ck_assert_uint_eq(opened(), KL_C_SCHEMA);
}
END_TEST

START_TEST(garbage_inside_the_seal_is_refused)
{
	pack();
	memset(plain, 0xff, sizeof plain);
	ck_assert_uint_eq(opened(), KL_C_MALFORMED);
}
END_TEST

/* ---- feedback ------------------------------------------------------------ */

static uint32_t
opened_feedback(const struct kl_feedback *f)
{
	struct kl_feedback out;
	uint8_t buf[KL_PLAIN_FEEDBACK];
	size_t n;

	OK(kl_content_pack_feedback(f, KL_SCHEMA_MAX, buf, sizeof buf, &n));
	return guard_opened_feedback(&a.t, &e, kl_bytes(buf, n), &out);
}

START_TEST(feedback_agrees_with_its_header)
{
	struct kl_feedback f = { .code = KL_ST_CONTACT_MADE,
		.day = PEOPLE_TODAY, .level = KL_LEVEL_2 };

	e.header.feedback_level = KL_LEVEL_2;
	ck_assert_uint_eq(opened_feedback(&f), KL_C_OK);
	e.header.feedback_level = KL_LEVEL_3;
	ck_assert_uint_eq(opened_feedback(&f), KL_C_LEVEL);
	e.header.feedback_level = f.level = KL_LEVEL_1;
	ck_assert_uint_eq(opened_feedback(&f), KL_C_LEVEL);
}
END_TEST

START_TEST(feedback_of_another_schema_is_refused)
{
	struct kl_feedback f = { .code = KL_ST_TAKEN_UP,
		.day = PEOPLE_TODAY, .level = KL_LEVEL_2 };

	e.header.feedback_level = KL_LEVEL_2;
	e.header.content_schema = KL_SCHEMA_MAX + 1;
	ck_assert_uint_eq(opened_feedback(&f), KL_C_SCHEMA);
}
END_TEST

/* ---- consent ------------------------------------------------------------- */

static struct json_consent
usual_consent(void)
{
	return (struct json_consent){ .feedback_level = KL_LEVEL_2,
		.form = KL_ORAL, .given_on = PEOPLE_TODAY,
		.info_text_version = 1, .asked_by = KL_STAFF_GP,
		.recorded_in_his = true };
}

static uint32_t
consent(const struct json_consent *in)
{
	struct kl_consent out;
	int err;

	a.t.now_ms = kl_day_start_ms(PEOPLE_TODAY);
	err = guard_consent(&a.t, in, &out, &why);

	return err == KL_OK ? KL_C_OK : why.code;
}

START_TEST(consent_has_its_dates)
{
	struct json_consent c = usual_consent();

	ck_assert_uint_eq(consent(&c), KL_C_OK);
	c.given_on = PEOPLE_TODAY - 30;
	ck_assert_uint_eq(consent(&c), KL_C_OK);
	c.given_on = PEOPLE_TODAY - 31;
	ck_assert_uint_eq(consent(&c), KL_C_CONSENT_DATE);
	ck_assert_str_eq(why.field, "/consent/given_on");
	c.given_on = PEOPLE_TODAY + 2;
	ck_assert_uint_eq(consent(&c), KL_C_CONSENT_DATE);
	c = usual_consent();
	c.valid_until = PEOPLE_TODAY - 1;
	ck_assert_uint_eq(consent(&c), KL_C_CONSENT_DATE);
	c.valid_until = PEOPLE_TODAY + 732;
	ck_assert_uint_eq(consent(&c), KL_C_CONSENT_DATE);
	ck_assert_str_eq(why.field, "/consent/valid_until");
	c.valid_until = PEOPLE_TODAY + 731;
	ck_assert_uint_eq(consent(&c), KL_C_OK);
}
END_TEST

START_TEST(consent_is_as_strict_as_the_policy)
{
	struct json_consent c = usual_consent();

	a.policy.term[KL_POL_CONSENT_MAX_AGE_AT_SEND].n = 3;
	a.policy.term[KL_POL_FEEDBACK_VALIDITY].n = 12;
	a.policy.term[KL_POL_CONSENT_FORMS].n = 1u << KL_WRITTEN;
	ck_assert_uint_eq(consent(&c), KL_C_FIELD_VALUE);
	ck_assert_str_eq(why.field, "/consent/form");
	c.form = KL_WRITTEN;
	c.given_on = PEOPLE_TODAY - 3;
	ck_assert_uint_eq(consent(&c), KL_C_OK);
	c.valid_until = c.given_on + 367;
	ck_assert_uint_eq(consent(&c), KL_C_CONSENT_DATE);
	c.valid_until = c.given_on + 366;
	ck_assert_uint_eq(consent(&c), KL_C_OK);
	c.given_on = PEOPLE_TODAY - 4;
	ck_assert_uint_eq(consent(&c), KL_C_CONSENT_DATE);
}
END_TEST

START_TEST(grown_up_is_what_the_policy_says)
{
	const uint32_t born = kl_policy_number(&a.policy,
	    KL_POL_SUBJECT_MIN_AGE);

	ck_assert_uint_eq(born, 18);
	OK(guard_referral(&a.t, &a.id.id, &r, &why));
	a.policy.term[KL_POL_SUBJECT_MIN_AGE].n = 99;
	ck_assert_int_eq(guard_referral(&a.t, &a.id.id, &r, &why),
	    KL_E_REFUSED);
	ck_assert_uint_eq(why.code, KL_C_UNDER_AGE);
}
END_TEST

START_TEST(consent_block_says_what_was_declared)
{
	struct json_consent c = usual_consent();
	struct kl_consent out;

	c.form = KL_WRITTEN;
	c.onward_n = 1;
	OK(kl_id_read("kvk:12345678", &c.onward_to[0]));
	a.t.now_ms = kl_day_start_ms(PEOPLE_TODAY);
	OK(guard_consent(&a.t, &c, &out, &why));
	ck_assert_uint_eq(out.form, KL_WRITTEN);
	ck_assert_uint_eq(out.feedback_level, KL_LEVEL_2);
	ck_assert_uint_eq(out.valid_until, PEOPLE_TODAY + 730);
	ck_assert_uint_eq(out.n_onward_to, 1);
	ck_assert(kl_id_equal(&out.onward_to[0], &c.onward_to[0]));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("guard");
	TCase *t = tcase_create("guard");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, usual_referral_passes_both_borders);
	tcase_add_test(t, bsn_is_refused_at_both_borders);
	tcase_add_test(t, note_is_for_the_senders_policy);
	tcase_add_test(t, other_content_than_was_shown_is_refused);
	tcase_add_test(t, preview_needs_its_salt);
	tcase_add_test(t, schema_is_judged_before_the_content);
	tcase_add_test(t, garbage_inside_the_seal_is_refused);
	tcase_add_test(t, feedback_agrees_with_its_header);
	tcase_add_test(t, feedback_of_another_schema_is_refused);
	tcase_add_test(t, consent_has_its_dates);
	tcase_add_test(t, consent_is_as_strict_as_the_policy);
	tcase_add_test(t, grown_up_is_what_the_policy_says);
	tcase_add_test(t, consent_block_says_what_was_declared);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
