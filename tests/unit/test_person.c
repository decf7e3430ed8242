#include <kortelijn/domain/person.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct kl_person_words w;

/* The words with a blank between. */
static const char *
words(const char *name)
{
	static char line[600];

	ck_assert_int_eq(kl_person_words(name, &w), KL_OK);
	line[0] = '\0';
	for (size_t i = 0; i < w.n; i++) {
		if (i > 0)
			strcat(line, " ");
		strcat(line, w.b[i]);
	}
	return line;
}

START_TEST(case_and_accents_do_not_count)
{
	ck_assert_str_eq(words("El Amr\303\204ni"), "amrani");
	ck_assert_str_eq(words("ELA\303\217DI"), "elaidi");
	/* Composed or not. */
	ck_assert_str_eq(words("Jose\314\201"), "jose");
	ck_assert_str_eq(words("\305\201ukasz-S\303\270rensen"),
	    "lukasz sorensen");
	ck_assert_str_eq(words("Stra\303\237e"), "strasse");
}
END_TEST

START_TEST(small_words_do_not_count)
{
	ck_assert_str_eq(words("van de Berg"), "berg");
	ck_assert_str_eq(words("v.d. Berg"), "berg");
	ck_assert_str_eq(words("in 't Veld"), "veld");
	ck_assert_str_eq(words("D'Angelo"), "angelo");
	ck_assert_str_eq(words("F.J. el Amrani"), "amrani");
}
END_TEST

START_TEST(name_of_small_words_alone_keeps_them)
{
	ck_assert_str_eq(words("Van der"), "van der");
	ck_assert_str_eq(words("Ter"), "ter");
}
END_TEST

START_TEST(both_halves_of_a_double_name_count)
{
	ck_assert_str_eq(words("Jansen-de Vries"), "jansen vries");
	ck_assert_str_eq(words("Jansen  Jansen"), "jansen");
}
END_TEST

START_TEST(more_words_than_there_is_room_are_dropped)
{
	ck_assert_str_eq(words("aa bb cc dd ee ff gg hh ii jj"),
	    "aa bb cc dd ee ff gg hh");
}
END_TEST

START_TEST(long_word_is_cut)
{
	char name[200];

	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	ck_assert_uint_eq(strlen(words(name)), KL_PERSON_WORD_MAX);
}
END_TEST

START_TEST(what_is_no_name_is_refused)
{
	static const char *const bad[] = { "", "  ", "123", "-'.", "\377a" };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		ck_assert_int_eq(kl_person_words(bad[i], &w), KL_E_FORMAT);
		ck_assert_uint_eq(w.n, 0);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("person");
	TCase *tc = tcase_create("person");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, case_and_accents_do_not_count);
	tcase_add_test(tc, small_words_do_not_count);
	tcase_add_test(tc, name_of_small_words_alone_keeps_them);
	tcase_add_test(tc, both_halves_of_a_double_name_count);
	tcase_add_test(tc, more_words_than_there_is_room_are_dropped);
	tcase_add_test(tc, long_word_is_cut);
	tcase_add_test(tc, what_is_no_name_is_refused);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
