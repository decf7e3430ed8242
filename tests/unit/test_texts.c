/*
 * What residents read is measured: every sentence that stands in texts.c, in
 * the states that a practice reads out, and in the profile that ships as an
 * example; and that the measure tells hard texts from easy ones.
 */
#include "adapters/common/texts.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/domain/list.h>
#include <kortelijn/domain/referral.h>
#include <kortelijn/domain/state.h>

#include "adapters/common/profile.h"
#include "tests/support/readable.h"

#define LONGEST_MAX 25
#define MEAN_MAX 15
#define FLESCH_MIN 60

static const struct texts_values values = {
	.reference = "K4TP-7WQX-C", .date = "24 november 2026",
	.organisation = "Praktijk De Linde", .other = "Meldpunt Twentestad",
	.phone = "053 123 45 67", .count = "3",
};

/* NULL if it reads well, else what does not. */
static const char *
hard(const struct readable *r)
{
	if (r->longest > LONGEST_MAX)
		return "a sentence is too long";
	if (readable_mean(r) > MEAN_MAX)
		return "sentences are long";
	if (readable_flesch_douma(r) < FLESCH_MIN)
		return "words are long";
	return NULL;
}

static void
check_reads_well(const struct readable *r, const char *what)
{
	const char *why = hard(r);

	ck_assert_uint_gt(r->sentences, 0);
	ck_assert_msg(why == NULL, "%s: %s (longest %zu, mean %.1f, "
	    "Flesch-Douma %.1f)", what, why, r->longest, readable_mean(r),
	    readable_flesch_douma(r));
}

static void
check_words(const char *text)
{
	const char *word = readable_officialese(text);

	ck_assert_msg(word == NULL, "'%s' in: %s", word, text);
}

/* ---- the measure ---- */

static const struct { const char *word; size_t n; } known[] = {
	{ "u", 1 }, { "jaar", 1 }, { "nieuw", 1 }, { "eeuw", 1 },
	{ "ooit", 1 }, { "\303\251\303\251n", 1 }, { "huisarts", 2 },
	{ "praktijk", 2 }, { "moeilijk", 2 }, { "zoals", 2 },
	{ "royaal", 2 }, { "gemeente", 3 }, { "geopend", 3 },
	{ "reactie", 3 }, { "idee\303\253n", 3 }, { "privacy", 3 },
	{ "telefoon", 3 }, { "uiterlijk", 3 }, { "verwijzing", 3 },
	{ "toestemming", 3 }, { "beantwoorden", 4 }, { "autoriteit", 4 },
	{ "ge\303\257nformeerd", 4 }, { "persoonsgegevens", 5 },
	{ "schuldhulpverlening", 5 }, { "72", 2 }, { "b", 1 },
};

START_TEST(syllables_of_known_words_are_counted)
{
	const char *w = known[_i].word;

	ck_assert_msg(readable_syllables(w, strlen(w)) == known[_i].n,
	    "%s: %zu", w, readable_syllables(w, strlen(w)));
}
END_TEST

START_TEST(sentences_and_words_are_counted)
{
	struct readable r = { .words = 0 };

	readable_add(&r, "Dit is er een. Is dit er twee? Ja!");
	ck_assert_uint_eq(r.sentences, 3);
	ck_assert_uint_eq(r.words, 9);
	ck_assert_uint_eq(r.longest, 4);
	ck_assert(readable_mean(&r) == 3.0);
}
END_TEST

START_TEST(long_sentence_is_found)
{
	struct readable r = { .words = 0 };

	readable_add(&r, "Als u dit leest dan weet u dat wij hier nog heel "
	    "veel meer over u op gaan schrijven en dat het dan wel heel lang "
	    "kan gaan worden.");
	ck_assert_ptr_nonnull(hard(&r));
	ck_assert_uint_gt(r.longest, LONGEST_MAX);
}
END_TEST

START_TEST(long_sentences_on_average_are_found)
{
	struct readable r = { .words = 0 };

	for (int i = 0; i < 5; i++)
		readable_add(&r, "Wij gaan hier nu eens een paar heel lange "
		    "zinnen op een rij zetten om te zien wat er gebeurt.");
	ck_assert_uint_le(r.longest, LONGEST_MAX);
	ck_assert_str_eq(hard(&r), "sentences are long");
}
END_TEST

START_TEST(long_words_are_found)
{
	struct readable r = { .words = 0 };

	readable_add(&r, "De functionaris voor gegevensbescherming "
	    "inventariseert persoonsgegevens. Verwerkingsverantwoordelijken "
	    "documenteren bewaartermijnen.");
	ck_assert_str_eq(hard(&r), "words are long");
}
END_TEST

START_TEST(officialese_is_found_as_words_only)
{
	ck_assert_uint_ge(readable_officialese_words(), 60);
	ck_assert_str_eq(readable_officialese("Teneinde dit te doen."),
	    "teneinde");
	ck_assert_str_eq(readable_officialese("Dat moet ten einde toe."),
	    "ten einde");
	ck_assert_str_eq(readable_officialese("Dit geldt met betrekking tot "
	    "u."), "met betrekking tot");
	/* Part of another word is none. */
	ck_assert_ptr_null(readable_officialese("Een medewerker belt u."));
}
END_TEST

/* ---- what residents read ---- */

static void
add_page(struct readable *r, enum text_page page)
{
	char line[2000];

	for (int t = 1; t < TEXT_END; t++) {
		const struct texts_row *row = texts_row((enum text)t);

		if (row->page != page || row->kind != TEXT_SENTENCES)
			continue;
		ck_assert_int_eq(texts_fill((enum text)t, KL_NL, &values,
		    line, sizeof line), KL_OK);
		readable_add(r, line);
	}
}

START_TEST(every_page_reads_well)
{
	struct readable r = { .words = 0 };
	char what[20];

	(void)snprintf(what, sizeof what, "page %d", _i);
	add_page(&r, (enum text_page)_i);
	check_reads_well(&r, what);
}
END_TEST

START_TEST(every_text_reads_well_in_both_languages)
{
	char line[2000];

	for (int t = 1; t < TEXT_END; t++) {
		const struct texts_row *row = texts_row((enum text)t);
		struct readable r = { .words = 0 };

		ck_assert_msg(row != NULL, "text %d is missing", t);
		ck_assert(row->nl[0] != '\0' && row->en[0] != '\0');
		check_words(row->nl);
		ck_assert_int_eq(texts_fill((enum text)t, KL_NL, &values,
		    line, sizeof line), KL_OK);
		readable_add(&r, line);
		ck_assert_msg(r.longest <= LONGEST_MAX, "%s", line);
		ck_assert_int_eq(texts_fill((enum text)t, KL_EN, &values,
		    line, sizeof line), KL_OK);
		ck_assert_ptr_null(strchr(line, '{'));
	}
}
END_TEST

START_TEST(states_read_well)
{
	const struct kl_state_row *row;
	struct readable r = { .words = 0 };

	for (size_t i = 0; (row = kl_state_at(i)) != NULL; i++) {
		check_words(row->nl);
		check_words(row->gp_nl);
		readable_add(&r, row->gp_nl);
	}
	check_reads_well(&r, "states");
}
END_TEST

/* The preview, which the resident sees before it is sent. */
START_TEST(labels_have_no_officialese)
{
	const struct kl_choice *choice;
	const struct kl_field *f;

	for (size_t i = 0; (f = kl_field_at(i)) != NULL; i++)
		check_words(f->nl);
	for (int l = KL_LIST_NONE + 1; l < KL_LIST_COUNT; l++)
		for (size_t i = 0; (choice = kl_list_at((enum kl_list)l,
		    i)) != NULL; i++)
			check_words(choice->nl);
}
END_TEST

/* What help to expect, as the labels of ours and the example's own words. */
START_TEST(profile_reads_well)
{
	static const char expect[] = "Wij bellen uw pati\303\253nt.";
	struct kl_profile_details d = {
		.what_to_expect = kl_bytes_str(expect),
		.asks_of_practice = kl_bytes_str(expect),
		.retention_statement = kl_bytes_str(expect),
		.privacy_notice = kl_bytes_str(expect),
		.n_response_terms = PROFILE_TERMS,
		.response_terms = { 48, 120, 672, 72, 1344 },
	};
	struct kl_profile p = { .valid_until_ms = 1 };
	struct readable r = { .words = 0 };
	char text[PROFILE_TEXT_MAX];
	size_t n;

	ck_assert_int_eq(profile_text(&p, &d, KL_NL, text, sizeof text, &n),
	    KL_OK);
	check_words(text);
	readable_add(&r, text);
	ck_assert_uint_le(r.longest, LONGEST_MAX);
	ck_assert(readable_mean(&r) <= MEAN_MAX);
}
END_TEST

START_TEST(example_profile_reads_well)
{
	static const char *const members[] = {
		"\"what_to_expect\": \"", "\"asks_of_practice\": \"",
		"\"retention_statement\": \"",
	};
	char file[8192], *at, *end;
	struct readable r = { .words = 0 };
	FILE *f = fopen("tests/data/municipality/profile.json", "r");

	ck_assert_ptr_nonnull(f);
	file[fread(file, 1, sizeof file - 1, f)] = '\0';
	(void)fclose(f);
	for (size_t i = 0; i < 3; i++) {
		at = strstr(file, members[i]);
		ck_assert_ptr_nonnull(at);
		at += strlen(members[i]);
		end = strchr(at, '"');
		*end = '\0';
		check_words(at);
		readable_add(&r, at);
		*end = '"';
	}
	check_reads_well(&r, "the example profile");
}
END_TEST

/* ---- filling in ---- */

START_TEST(text_without_its_value_is_refused)
{
	const struct texts_values v = { .organisation = "Praktijk",
		.phone = "" };
	char line[200];

	ck_assert_int_eq(texts_fill(TEXT_CALL, KL_NL, NULL, line,
	    sizeof line), KL_E_VALUE);
	ck_assert_int_eq(texts_fill(TEXT_CALL, KL_NL, &v, line,
	    sizeof line), KL_E_VALUE);
	ck_assert_int_eq(texts_fill(TEXT_ASK, KL_NL, &v, line, sizeof line),
	    KL_OK);
	ck_assert_str_eq(line, "Heeft u vragen? Stel ze dan aan Praktijk.");
}
END_TEST

START_TEST(text_longer_than_its_place_is_refused)
{
	char line[20];

	ck_assert_int_eq(texts_fill(TEXT_ASK, KL_NL, &values, line,
	    sizeof line), KL_E_SIZE);
}
END_TEST

START_TEST(number_that_is_no_text_has_none)
{
	ck_assert_ptr_null(texts_row((enum text)0));
	ck_assert_ptr_null(texts_row(TEXT_END));
	ck_assert_str_eq(texts_get(TEXT_END, KL_NL), "?");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("texts");
	TCase *tc = tcase_create("texts");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, syllables_of_known_words_are_counted, 0,
	    (int)(sizeof known / sizeof known[0]));
	tcase_add_test(tc, sentences_and_words_are_counted);
	tcase_add_test(tc, long_sentence_is_found);
	tcase_add_test(tc, long_sentences_on_average_are_found);
	tcase_add_test(tc, long_words_are_found);
	tcase_add_test(tc, officialese_is_found_as_words_only);
	tcase_add_loop_test(tc, every_page_reads_well, 1, TEXT_PAGE_END);
	tcase_add_test(tc, every_text_reads_well_in_both_languages);
	tcase_add_test(tc, states_read_well);
	tcase_add_test(tc, labels_have_no_officialese);
	tcase_add_test(tc, profile_reads_well);
	tcase_add_test(tc, example_profile_reads_well);
	tcase_add_test(tc, text_without_its_value_is_refused);
	tcase_add_test(tc, text_longer_than_its_place_is_refused);
	tcase_add_test(tc, number_that_is_no_text_has_none);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
