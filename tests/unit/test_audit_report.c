#include "proto/audit/report_audit.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/time.h>

#include "proto/audit/region_data.h"
#include "proto/audit/report_data.h"
#include "proto/audit/report_rules.h"
#include "proto/audit/report_words.h"
#include "proto/audit/svg.h"
#include "tests/support/madelog.h"

/* ---- pages ---- */

START_TEST(text_cannot_become_markup)
{
	struct audit_page p;

	audit_page_init(&p, KL_NL);
	audit_page_begin(&p, "<i>a</i>", "b & c");
	audit_page_paragraph(&p, "%s", "<script>alert('x')</script>");
	audit_page_heading(&p, 2, "\"quoted\" <b>");
	ck_assert_int_eq(audit_page_end(&p), KL_OK);
	ck_assert_ptr_null(strstr(p.b, "<script"));
	ck_assert_ptr_null(strstr(p.b, "<i>"));
	ck_assert_ptr_nonnull(strstr(p.b,
	    "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
	ck_assert_ptr_nonnull(strstr(p.b, "b &amp; c"));
	ck_assert_ptr_nonnull(strstr(p.b, "&quot;quoted&quot; &lt;b&gt;"));
	audit_page_clear(&p);
}
END_TEST

START_TEST(what_turns_the_writing_does_not_stay)
{
	struct audit_page p;

	audit_page_init(&p, KL_NL);
	audit_page_text(&p, "a\x1b[31m\xe2\x80\xae" "b\xc3\xa9\xff");
	ck_assert_ptr_null(strchr(p.b, '\x1b'));
	ck_assert_ptr_null(strstr(p.b, "\xe2\x80\xae"));
	ck_assert_ptr_null(strchr(p.b, '\xff'));
	audit_page_clear(&p);
}
END_TEST

START_TEST(long_text_is_kept_whole_between_its_characters)
{
	char text[1500], *end = text;
	struct audit_page p;

	for (size_t i = 0; i < 700; i++) {
		*end++ = '\xc3';
		*end++ = '\xa9';
	}
	*end = '\0';
	audit_page_init(&p, KL_NL);
	audit_page_text(&p, text);
	ck_assert_str_eq(p.b, text);
	audit_page_clear(&p);
}
END_TEST

START_TEST(a_page_without_end_is_refused)
{
	static char much[1 << 16];
	struct audit_page p;

	memset(much, 'x', sizeof much - 1);
	audit_page_init(&p, KL_NL);
	for (size_t i = 0; i <= AUDIT_PAGE_MAX / sizeof much + 1; i++)
		audit_page_raw(&p, much);
	ck_assert_int_eq(audit_page_end(&p), KL_E_FULL);
	audit_page_clear(&p);
}
END_TEST

START_TEST(numbers_have_the_marks_of_the_language)
{
	ck_assert_str_eq(audit_page_count(0, KL_NL).b, "0");
	ck_assert_str_eq(audit_page_count(999, KL_NL).b, "999");
	ck_assert_str_eq(audit_page_count(1000, KL_NL).b, "1.000");
	ck_assert_str_eq(audit_page_count(1234567, KL_EN).b, "1,234,567");
	ck_assert_str_eq(audit_page_count(UINT64_MAX, KL_EN).b,
	    "18,446,744,073,709,551,615");
}
END_TEST

START_TEST(words_are_dutch_and_english)
{
	const struct kl_term wd = { 2, KL_UNIT_WD }, same = { 0, KL_UNIT_WD };

	ck_assert_str_eq(audit_report_words_day(kl_day_make(2026, 7, 1),
	    KL_NL).b, "1 juli 2026");
	ck_assert_str_eq(audit_report_words_quarter(4 * 2026 + 2, KL_NL).b,
	    "3e kwartaal 2026");
	ck_assert_str_eq(audit_report_words_quarter_short(4 * 2026 + 2,
	    KL_EN).b, "Q3 2026");
	ck_assert_str_eq(audit_report_words_month(2026 * 12 + 11, KL_EN).b,
	    "December 2026");
	ck_assert_str_eq(audit_report_words_term(KL_POL_TAKE_UP_TERM, wd,
	    KL_NL).b, "2 werkdagen");
	ck_assert_str_eq(audit_report_words_term(KL_POL_TAKE_UP_TERM, same,
	    KL_EN).b, "the same day");
}
END_TEST

/* ---- plots ---- */

START_TEST(an_axis_has_round_steps)
{
	ck_assert_uint_eq(audit_svg_step(0), 1);
	ck_assert_uint_eq(audit_svg_step(6), 1);
	ck_assert_uint_eq(audit_svg_step(7), 2);
	ck_assert_uint_eq(audit_svg_step(13), 5);
	ck_assert_uint_eq(audit_svg_step(61), 20);
	ck_assert_uint_eq(audit_svg_step(4000), 1000);
}
END_TEST

static size_t
times(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what)) != NULL) {
		text += strlen(what);
		n++;
	}
	return n;
}

START_TEST(a_plot_has_its_numbers_beside_it)
{
	const struct audit_svg_bar bars[] = {
		{ .label = "<1 uur", .value = { 8 } },
		{ .label = "langer", .value = { 2 }, .open = true },
	};
	const struct audit_svg_chart c = { .title = "Gehaald",
		.counts = "verwijzingen", .rows = "binnen", .n_series = 1,
		.bars = bars, .n = 2, .mark = 1, .mark_text = "afgesproken",
		.shares = true };
	struct audit_page p;

	audit_page_init(&p, KL_NL);
	audit_svg_bars(&p, &c);
	ck_assert_int_eq(p.err, KL_OK);
	ck_assert_ptr_nonnull(strstr(p.b, "role=\"img\""));
	ck_assert_ptr_nonnull(strstr(p.b, "<title id="));
	ck_assert_ptr_nonnull(strstr(p.b, "&lt;1 uur"));
	ck_assert_ptr_nonnull(strstr(p.b, "url(#h1)"));
	ck_assert_ptr_nonnull(strstr(p.b, "80&nbsp;%"));
	ck_assert_ptr_nonnull(strstr(p.b, "<th scope=\"row\">langer"));
	ck_assert_uint_eq(times(p.b, "<svg"), times(p.b, "</svg>"));
	audit_page_clear(&p);
}
END_TEST

START_TEST(a_plot_of_nothing_is_none_and_of_the_largest_fits)
{
	struct audit_svg_bar bar = { .label = "a",
		.value = { UINT64_MAX / 4 } };
	struct audit_svg_chart c = { .title = "t", .counts = "c",
		.rows = "r", .n_series = 1, .bars = &bar };
	struct audit_page p;

	audit_page_init(&p, KL_EN);
	audit_svg_bars(&p, &c);
	audit_svg_columns(&p, &c);
	ck_assert_uint_eq(p.n, 0);
	c.n = 1;
	audit_svg_columns(&p, &c);
	ck_assert_int_eq(p.err, KL_OK);
	ck_assert_ptr_nonnull(strstr(p.b, "<rect"));
	audit_page_clear(&p);
}
END_TEST

/* ---- what was looser ---- */

static int64_t
minute(int year, int month, int day)
{
	return kl_day_start_ms(kl_day_make(year, month, day)) / KL_MINUTE_MS;
}

static void
policy(struct audit_report_load *l, int64_t at, const char *text)
{
	struct kl_policy_error e;

	*l = (struct audit_report_load){ .minute = at, .held = true };
	ck_assert_int_eq(kl_policy_file_read(kl_bytes_str(text), &l->file,
	    &e), KL_OK);
}

#define LOOSER "[policy]\nmetadata_after_end = 120d\n"			\
	"[override metadata_after_end]\nlegal_basis = AVG 6(1)(e)\n"	\
	"approved_by = FG\napproved_on = 2026-03-01\n"			\
	"review_on = 2026-04-30\n"

START_TEST(a_looser_rule_is_told_from_when_to_when)
{
	static struct audit_report_load loads[3];
	static struct audit_report_rules_list l;
	static struct audit_measure m;
	const struct audit_report_audit r = { .m = &m, .loads = loads,
		.n_loads = 3, .made_ms = minute(2026, 12, 1) * KL_MINUTE_MS };

	m.from = minute(2026, 1, 1);
	m.to = INT64_MAX;
	policy(&loads[0], minute(2025, 6, 1), "[policy]\n"
	    "metadata_after_end = 60d\n");
	policy(&loads[1], minute(2026, 2, 1), LOOSER);
	policy(&loads[2], minute(2026, 3, 15), LOOSER);
	audit_report_rules_looser(&r, &l);
	/* Asked for in February, approved in March and April, and still asked
	 * for since; the second load changes nothing. */
	ck_assert_uint_eq(l.n, 3);
	ck_assert(!l.v[0].counted);
	ck_assert_int_eq(l.v[0].from, minute(2026, 2, 1));
	ck_assert_int_eq(l.v[0].to, minute(2026, 3, 1) - 60);
	ck_assert(l.v[1].counted);
	ck_assert_int_eq(l.v[1].to, minute(2026, 5, 1) - 120);
	ck_assert(!l.v[2].counted);
	ck_assert_int_eq(l.v[2].to, INT64_MAX);
}
END_TEST

START_TEST(a_policy_that_is_not_held_tells_nothing)
{
	static struct audit_report_load load;
	static struct audit_report_rules_list l;
	static struct audit_measure m;
	const struct audit_report_audit r = { .m = &m, .loads = &load,
		.n_loads = 1, .made_ms = minute(2026, 12, 1) * KL_MINUTE_MS };

	m.to = INT64_MAX;
	policy(&load, minute(2026, 1, 1), LOOSER);
	load.held = false;
	audit_report_rules_looser(&r, &l);
	ck_assert_uint_eq(l.n, 0);
}
END_TEST

/* ---- whole reports, of a region that does not exist ---- */

static struct audit_measure measure;
static struct audit_region region;

static int
take(void *arg, uint64_t leaf, const struct kl_record *r)
{
	const int err = audit_measure_take(&measure, leaf, r);

	(void)arg;
	return err != KL_OK ? err : audit_region_take(&region, leaf, r);
}

static void
year(uint32_t practices, uint32_t municipalities, uint32_t referrals)
{
	const struct madelog m = { .seed = 11, .begin = minute(2026, 1, 1),
		.end = minute(2027, 1, 2), .practices = practices,
		.municipalities = municipalities, .referrals = referrals };

	ck_assert_int_eq(audit_measure_begin(&measure, m.begin, 0), KL_OK);
	ck_assert_int_eq(audit_region_begin(&region), KL_OK);
	if (referrals > 0)
		ck_assert_int_eq(madelog_run(&m, take, NULL), KL_OK);
	ck_assert_int_eq(audit_measure_end(&measure, m.end), KL_OK);
	audit_region_log_end(&region, m.end);
}

static void
year_end(void)
{
	audit_region_clear(&region);
	audit_measure_clear(&measure);
}

static void
stands_alone(const char *page)
{
	static const char *const never[] = { "<script", "<link", "<img",
		"src=", "http:", "https:", "@import", "<iframe", "\"nan\"" };

	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
		ck_assert_msg(strstr(page, never[i]) == NULL, "%s",
		    never[i]);
	ck_assert_uint_eq(times(page, "<table"), times(page, "</table>"));
	ck_assert_uint_eq(times(page, "<tr"), times(page, "</tr>"));
	ck_assert_uint_eq(times(page, "<caption"), times(page, "<table"));
}

static void
audit_page_of(enum kl_lang lang)
{
	const struct audit_report_audit r = { .m = &measure, .lang = lang,
		.made_ms = minute(2027, 1, 2) * KL_MINUTE_MS };
	struct audit_page p;
	json_t *json;

	ck_assert_int_eq(audit_report_audit_html(&r, &p), KL_OK);
	stands_alone(p.b);
	audit_page_clear(&p);
	json = audit_report_data_json(&r);
	ck_assert_ptr_nonnull(json);
	ck_assert_int_eq(json_integer_value(json_object_get(json,
	    "records")), (json_int_t)measure.records);
	json_decref(json);
}

START_TEST(a_report_is_whole_for_none_one_and_many)
{
	static const uint32_t referrals[] = { 0, 1, 12, 3000 };

	for (size_t i = 0; i < 4; i++) {
		year(1 + (uint32_t)i * 13, 1 + (uint32_t)i * 4, referrals[i]);
		audit_page_of(KL_NL);
		audit_page_of(KL_EN);
		year_end();
	}
}
END_TEST

/* Every number of the region's forms is one that may be shown. */
static void
json_is_quiet(json_t *v, const char *key)
{
	json_t *w;
	const char *k;
	size_t i;

	if (json_is_integer(v) && strcmp(key, "hidden_below") != 0)
		ck_assert_int_ge(json_integer_value(v), 10);
	json_array_foreach(v, i, w)
		json_is_quiet(w, key);
	json_object_foreach(v, k, w)
		json_is_quiet(w, k);
}

START_TEST(a_regional_report_shows_no_small_count)
{
	struct audit_report_region r = { .region = &region, .below = 10,
		.from = 0, .to = INT32_MAX, .lang = KL_NL,
		.made_ms = minute(2027, 1, 2) * KL_MINUTE_MS };
	struct audit_page p;
	json_t *json;
	char cell[48];

	year(25, 5, 2000);
	ck_assert_int_eq(audit_report_region_begin(&r), KL_OK);
	ck_assert_uint_eq(r.n, 4);
	ck_assert_int_eq(audit_report_region_html(&r, &p), KL_OK);
	stands_alone(p.b);
	for (int i = 0; i < 10; i++) {
		(void)snprintf(cell, sizeof cell,
		    "<td class=\"num\">%d</td>", i);
		ck_assert_ptr_null(strstr(p.b, cell));
	}
	ck_assert_ptr_nonnull(strstr(p.b, "<td class=\"num\"><abbr"));
	/* The line stands under each table with counts of people. */
	ck_assert_uint_ge(times(p.b, "x = verborgen: onder 10"),
	    times(p.b, "<table") - 2);
	audit_page_clear(&p);
	json = audit_region_data_json(&r);
	json_is_quiet(json, "");
	json_decref(json);
	audit_report_region_clear(&r);
	year_end();
}
END_TEST

/* The limit of a policy that is looser does not count for what is shared. */
START_TEST(a_regional_report_never_goes_below_ten)
{
	struct audit_report_region r = { .region = &region, .below = 2,
		.from = 0, .to = INT32_MAX, .lang = KL_EN };

	year(3, 2, 40);
	ck_assert_int_eq(audit_report_region_begin(&r), KL_OK);
	ck_assert_uint_eq(r.below, 10);
	audit_report_region_clear(&r);
	year_end();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("audit_report");
	TCase *t = tcase_create("audit_report");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 120);
	tcase_add_test(t, text_cannot_become_markup);
	tcase_add_test(t, what_turns_the_writing_does_not_stay);
	tcase_add_test(t, long_text_is_kept_whole_between_its_characters);
	tcase_add_test(t, a_page_without_end_is_refused);
	tcase_add_test(t, numbers_have_the_marks_of_the_language);
	tcase_add_test(t, words_are_dutch_and_english);
	tcase_add_test(t, an_axis_has_round_steps);
	tcase_add_test(t, a_plot_has_its_numbers_beside_it);
	tcase_add_test(t, a_plot_of_nothing_is_none_and_of_the_largest_fits);
	tcase_add_test(t, a_looser_rule_is_told_from_when_to_when);
	tcase_add_test(t, a_policy_that_is_not_held_tells_nothing);
	tcase_add_test(t, a_report_is_whole_for_none_one_and_many);
	tcase_add_test(t, a_regional_report_shows_no_small_count);
	tcase_add_test(t, a_regional_report_never_goes_below_ten);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
