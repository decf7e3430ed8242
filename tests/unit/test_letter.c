/*
 * A printable page in both forms: width, pages, escaping, what the training
 * realm prints.
 */
#include "adapters/common/letter.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct letter *l;
static char *text;
static size_t n;

static void
begin(enum letter_form form, enum kl_lang lang, bool training)
{
	const struct letter_options o = { form, lang, training };

	ck_assert_int_eq(letter_new(&o, "Wat wij over u bewaren", &l),
	    KL_OK);
}

static void
end(void)
{
	ck_assert_int_eq(letter_take(l, &text, &n), KL_OK);
	ck_assert_uint_eq(n, strlen(text));
}

static void
teardown(void)
{
	letter_text_free(text);
	text = NULL;
}

static size_t
count(const char *what)
{
	size_t k = 0;

	for (const char *p = text; (p = strstr(p, what)) != NULL;
	    p += strlen(what))
		k++;
	return k;
}

static void
contains(const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "no '%s' in:\n%s", part,
	    text);
}

/* Lines and columns of each page. */
static void
check_pages(void)
{
	size_t lines = 0, columns = 0;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\f') {
			ck_assert_uint_le(lines, LETTER_PAGE_LINES);
			lines = 0;
		} else if (*p == '\n') {
			ck_assert_uint_le(columns, LETTER_COLUMNS);
			columns = 0;
			lines++;
		} else if ((*p & 0xc0) != 0x80) {
			columns++;
		}
	}
	ck_assert_uint_le(lines, LETTER_PAGE_LINES);
}

static void
write_long(void)
{
	for (int i = 0; i < 100; i++) {
		if (i % 7 == 0)
			letter_heading(l, "Wat er is gebeurd");
		letter_paragraph(l, "Er is \303\251\303\251n bericht over u "
		    "van de praktijk naar de gemeente gegaan, en dat is daar "
		    "ook ge\303\257nd.");
		letter_row(l, "Kenmerk", "ABCD-EFGH-K");
		letter_row(l, "Een label dat langer is dan zijn kolom is",
		    "en een waarde die ook niet op de rest van de regel past");
		letter_item(l, "Een punt van een lijst dat zelf weer niet op "
		    "een enkele regel past en dus wordt afgebroken.");
	}
}

START_TEST(text_keeps_to_columns_and_pages)
{
	begin(LETTER_TEXT, KL_NL, _i == 1);
	write_long();
	letter_paragraph(l, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	end();
	check_pages();
	ck_assert_uint_gt(count("\f"), 5);
	contains(", bladzijde 2\n");
	contains("\n  ");
}
END_TEST

START_TEST(training_stands_on_every_page_of_text)
{
	begin(LETTER_TEXT, KL_NL, true);
	write_long();
	end();
	ck_assert_uint_eq(count("OEFENING"), count("\f") + 1);
	ck_assert_uint_eq(count("\fOEFENING: geen echte gegevens\n"),
	    count("\f"));
	ck_assert_int_eq(strncmp(text, "OEFENING", 8), 0);
}
END_TEST

START_TEST(training_is_fixed_on_every_sheet_of_html)
{
	begin(LETTER_HTML, KL_NL, true);
	write_long();
	end();
	ck_assert_uint_eq(count("<div class=\"training\">OEFENING"), 1);
	contains(".training { position: fixed;");
}
END_TEST

START_TEST(production_says_nothing_of_training)
{
	begin(_i == 0 ? LETTER_TEXT : LETTER_HTML, KL_NL, false);
	write_long();
	end();
	ck_assert_uint_eq(count("OEFENING"), 0);
}
END_TEST

START_TEST(english_letter_is_english)
{
	begin(_i == 0 ? LETTER_TEXT : LETTER_HTML, KL_EN, true);
	letter_say(l, TEXT_FIND_INTRO, &(struct texts_values){
	    .organisation = "De Linde" });
	letter_say_row(l, TEXT_REFERENCE, "ABCD-EFGH-K");
	end();
	contains("TRAINING: no real data");
	contains("These are the referrals that De Linde has of you.");
	contains("Reference");
	if (_i == 1)
		contains("<html lang=\"en\">");
}
END_TEST

START_TEST(html_shows_markup_of_others_as_text)
{
	begin(LETTER_HTML, KL_NL, false);
	letter_row(l, "<b>", "<script src=x>&\"'");
	letter_paragraph(l, "</p><img src=http://x>");
	letter_item(l, "<i>");
	letter_heading(l, "<h1>");
	end();
	contains("&lt;script src=x&gt;&amp;&quot;&#39;");
	ck_assert_uint_eq(count("<script"), 0);
	ck_assert_uint_eq(count("<img"), 0);
	ck_assert_uint_eq(count("<b>") + count("<i>"), 0);
	ck_assert_uint_eq(count("<h1>"), 1);
}
END_TEST

/* Nothing in it makes a browser ask anybody for anything. */
START_TEST(html_fetches_nothing)
{
	begin(LETTER_HTML, KL_NL, true);
	write_long();
	end();
	ck_assert_uint_eq(count("src=") + count("href=") + count("url(") +
	    count("@import") + count("<script") + count("<link"), 0);
	contains("default-src 'none'");
	contains("@media print");
}
END_TEST

START_TEST(html_closes_what_it_opens)
{
	static const char *const elements[][2] = {
		{ "<table>", "</table>" }, { "<ul>", "</ul>" },
		{ "<li>", "</li>" }, { "<tr>", "</tr>" },
		{ "<body>", "</body>" }, { "<p>", "</p>" },
	};

	begin(LETTER_HTML, KL_NL, false);
	write_long();
	letter_item(l, "tot slot");
	end();
	for (size_t i = 0; i < 6; i++)
		ck_assert_uint_eq(count(elements[i][0]),
		    count(elements[i][1]));
}
END_TEST

START_TEST(empty_row_is_left_out)
{
	begin(LETTER_TEXT, KL_NL, false);
	letter_row(l, "Telefoon", "");
	letter_row(l, "Adres", NULL);
	letter_row(l, "Kenmerk", "ABCD");
	end();
	ck_assert_uint_eq(count("Telefoon") + count("Adres"), 0);
	contains("Kenmerk:                  ABCD\n");
}
END_TEST

START_TEST(lines_of_a_referral_become_rows)
{
	begin(LETTER_TEXT, KL_NL, false);
	letter_lines(l, "Alleen contact\nNaam: F. el Amrani\n"
	    "Verwijzer: naam: M. Wiersma\n");
	end();
	contains("\nAlleen contact\n");
	contains("Naam:                     F. el Amrani\n");
	contains("Verwijzer:                naam: M. Wiersma\n");
}
END_TEST

/* Controls, other directions of writing, broken UTF-8. */
START_TEST(text_that_is_not_clean_is_shown_as_question_marks)
{
	begin(_i == 0 ? LETTER_TEXT : LETTER_HTML, KL_NL, false);
	letter_row(l, "Naam", "a\033[2Jb");
	letter_row(l, "Naam", "c\342\200\256d");
	letter_row(l, "Naam", "e\377f");
	letter_paragraph(l, "een\nregel");
	end();
	contains("a?[2Jb");
	contains("c???d");
	contains("e?f");
	contains("een regel");
}
END_TEST

START_TEST(sentence_without_its_value_fails_the_letter)
{
	begin(LETTER_TEXT, KL_NL, false);
	letter_say(l, TEXT_ASK, NULL);
	letter_paragraph(l, "en verder");
	ck_assert_int_eq(letter_take(l, &text, &n), KL_E_VALUE);
	ck_assert_ptr_null(text);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(letter_that_is_too_long_is_refused)
{
	char *line = malloc(LETTER_MAX / 4);

	ck_assert_ptr_nonnull(line);
	memset(line, 'a', LETTER_MAX / 4 - 1);
	line[LETTER_MAX / 4 - 1] = '\0';
	begin(LETTER_HTML, KL_NL, false);
	for (int i = 0; i < 4; i++)
		letter_paragraph(l, line);
	ck_assert_int_eq(letter_take(l, &text, &n), KL_E_SIZE);
	free(line);
}
END_TEST

START_TEST(dates_are_written_out_in_local_time)
{
	const int32_t day = kl_day_make(2026, 11, 24);

	ck_assert_str_eq(letter_day(day, KL_NL).b, "24 november 2026");
	ck_assert_str_eq(letter_day(day, KL_EN).b, "24 November 2026");
	ck_assert_str_eq(letter_time(kl_day_start_ms(day) +
	    23 * KL_HOUR_MS + 30 * KL_MINUTE_MS, KL_NL).b,
	    "25 november 2026, 00:30");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("letter");
	TCase *tc = tcase_create("letter");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_loop_test(tc, text_keeps_to_columns_and_pages, 0, 2);
	tcase_add_test(tc, training_stands_on_every_page_of_text);
	tcase_add_test(tc, training_is_fixed_on_every_sheet_of_html);
	tcase_add_loop_test(tc, production_says_nothing_of_training, 0, 2);
	tcase_add_loop_test(tc, english_letter_is_english, 0, 2);
	tcase_add_test(tc, html_shows_markup_of_others_as_text);
	tcase_add_test(tc, html_fetches_nothing);
	tcase_add_test(tc, html_closes_what_it_opens);
	tcase_add_test(tc, empty_row_is_left_out);
	tcase_add_test(tc, lines_of_a_referral_become_rows);
	tcase_add_loop_test(tc,
	    text_that_is_not_clean_is_shown_as_question_marks, 0, 2);
	tcase_add_test(tc, sentence_without_its_value_fails_the_letter);
	tcase_add_test(tc, letter_that_is_too_long_is_refused);
	tcase_add_test(tc, dates_are_written_out_in_local_time);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
