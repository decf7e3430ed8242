#include <kortelijn/domain/render.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <tests/support/people.h>

static char text[KL_RENDER_MAX];
static size_t n;

/* Consent blocks hold the salted hash of this text: to change it is to
 * change the content schema. */
START_TEST(preview_is_the_same_for_ever)
{
	struct kl_referral r = people_usual();

	ck_assert_int_eq(kl_render_referral(&r, KL_NL, text, sizeof text,
	    &n), KL_OK);
	ck_assert_str_eq(text,
	    "Crisis (bedreigende situatie): nee\n"
	    "Liefst bereikbaar via: telefoon\n"
	    "Voicemail inspreken mag: nee\n"
	    "Brief sturen mag: ja\n"
	    "Dagdeel: ochtend\n"
	    "Naam: F. el Amrani\n"
	    "Geboortedatum: 1987-03-14\n"
	    "Postcode: 7511JL\n"
	    "Huisnummer: 12\n"
	    "Toevoeging: A\n"
	    "Telefoon: +31612345678\n"
	    "Hulpvraag: betalingsachterstand\n"
	    "Warme overdracht: telefonisch\n"
	    "Verwijzer: functie: huisarts\n"
	    "Verwijzer: naam: M. Wiersma\n"
	    "Verwijzer: telefoon: +31531234567\n");
	ck_assert_uint_eq(n, strlen(text));
}
END_TEST

START_TEST(preview_shows_every_field_that_is_sent)
{
	struct kl_referral r = people_largest();
	const struct kl_field *f;

	for (uint32_t lang = KL_NL; lang <= KL_EN; lang++) {
		ck_assert_int_eq(kl_render_referral(&r, (enum kl_lang)lang,
		    text, sizeof text, &n), KL_OK);
		for (size_t i = 0; (f = kl_field_at(i)) != NULL; i++)
			ck_assert_msg(strncmp(f->path, "name.", 5) == 0 ||
			    strstr(text, lang == KL_EN ? f->en : f->nl) !=
			    NULL, "%s", f->path);
		ck_assert_ptr_nonnull(strstr(text, r.name.family_name));
		ck_assert_ptr_nonnull(strstr(text, r.practical_note));
	}
}
END_TEST

START_TEST(english_preview_has_english_labels)
{
	struct kl_referral r = people_usual();

	ck_assert_int_eq(kl_render_referral(&r, KL_EN, text, sizeof text,
	    &n), KL_OK);
	ck_assert_ptr_nonnull(strstr(text,
	    "Request for help: payment arrears\n"));
	ck_assert_ptr_null(strstr(text, "Hulpvraag"));
}
END_TEST

START_TEST(wishes_come_without_the_person)
{
	struct kl_referral r = people_usual();

	ck_assert_int_eq(kl_render_wishes(&r, KL_NL, text, sizeof text, &n),
	    KL_OK);
	ck_assert_ptr_nonnull(strstr(text, "Voicemail inspreken mag: nee\n"));
	ck_assert_ptr_null(strstr(text, "Amrani"));
}
END_TEST

START_TEST(contact_extract_says_so)
{
	struct kl_referral r = people_usual();

	r.extract = KL_EXTRACT_CONTACT;
	ck_assert_int_eq(kl_render_referral(&r, KL_NL, text, sizeof text,
	    &n), KL_OK);
	ck_assert_int_eq(strncmp(text, "alleen contactgegevens\n", 23), 0);
}
END_TEST

START_TEST(small_buffer_is_refused_and_left_empty)
{
	struct kl_referral r = people_usual();
	struct kl_feedback f = { .code = KL_ST_CLOSED };

	ck_assert_int_eq(kl_render_referral(&r, KL_NL, text, 50, &n),
	    KL_E_SIZE);
	ck_assert_uint_eq(n, 0);
	ck_assert_str_eq(text, "");
	ck_assert_int_eq(kl_render_wishes(&r, KL_NL, text, 10, &n),
	    KL_E_SIZE);
	ck_assert_int_eq(kl_render_feedback(&f, KL_NL, text, 10, &n),
	    KL_E_SIZE);
	ck_assert_int_eq(kl_render_name(&r.name, text, 12, &n), KL_E_SIZE);
	ck_assert_int_eq(kl_render_name(&r.name, text, 13, &n), KL_OK);
	ck_assert_str_eq(text, "F. el Amrani");
}
END_TEST

START_TEST(a_name_has_the_parts_that_are_known)
{
	struct kl_person_name p = { "", "", "Jansen" };

	ck_assert_int_eq(kl_render_name(&p, text, sizeof text, &n), KL_OK);
	ck_assert_str_eq(text, "Jansen");
	p = (struct kl_person_name){ "", "van", "Jansen" };
	ck_assert_int_eq(kl_render_name(&p, text, sizeof text, &n), KL_OK);
	ck_assert_str_eq(text, "van Jansen");
}
END_TEST

START_TEST(feedback_reads_with_its_meaning)
{
	struct kl_feedback f = {
		.code = KL_ST_REFERRED_ON, .category = KL_CAT_VOLUNTEERS,
		.day = PEOPLE_TODAY,
	};

	ck_assert_int_eq(kl_render_feedback(&f, KL_NL, text, sizeof text,
	    &n), KL_OK);
	ck_assert_str_eq(text, "Doorverwezen\n"
	    "Een andere organisatie heeft de hulp overgenomen.\n"
	    "Soort organisatie: Vrijwilligersorganisatie\n"
	    "Datum: 2026-11-24\n");
	ck_assert_int_eq(kl_render_feedback(&f, KL_EN, text, sizeof text,
	    &n), KL_OK);
	ck_assert_str_eq(text, "Referred on\n"
	    "Kind of organisation: Volunteer organisation\n"
	    "Date: 2026-11-24\n");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("render");
	TCase *tc = tcase_create("render");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, preview_is_the_same_for_ever);
	tcase_add_test(tc, preview_shows_every_field_that_is_sent);
	tcase_add_test(tc, english_preview_has_english_labels);
	tcase_add_test(tc, wishes_come_without_the_person);
	tcase_add_test(tc, contact_extract_says_so);
	tcase_add_test(tc, small_buffer_is_refused_and_left_empty);
	tcase_add_test(tc, a_name_has_the_parts_that_are_known);
	tcase_add_test(tc, feedback_reads_with_its_meaning);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
