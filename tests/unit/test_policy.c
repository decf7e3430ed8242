#include <kortelijn/domain/policy_file.h>

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

/* ---- a file ---- */

#define TODAY 20781		/* 2026-11-24 */
#define APPROVED "[override metadata_after_end]\n" \
	"legal_basis = AVG 6(1)(e)\napproved_by = FG\n" \
	"approved_on = 2026-11-02\nreview_on = 2026-12-24\n"
#define LOOSE "[policy]\nmetadata_after_end = 120d\n"

static struct kl_policy_file file;
static struct kl_policy_error error;

static int
read_file(const char *text)
{
	return kl_policy_file_read(kl_bytes_str(text), &file, &error);
}

static enum kl_policy_state
state(enum kl_policy_key key, int32_t today)
{
	return kl_policy_file_state(&file, key, today);
}

static uint32_t
days(enum kl_policy_key key, int32_t today)
{
	struct kl_policy p;

	kl_policy_file_at(&file, today, &p);
	return kl_policy_days(&p, key);
}

static const struct {
	const char *text;
	int want;
	unsigned int line;
	const char *says;
} wrong[] = {
	{ "", KL_E_FORMAT, 0, "no [policy]" },
	{ "# nothing\n", KL_E_FORMAT, 0, "no [policy]" },
	{ "ttl_max = 30d\n", KL_E_FORMAT, 1, "before any" },
	{ "[policy]\n\nttl_max\n", KL_E_FORMAT, 3, "neither" },
	{ "[policy\n", KL_E_FORMAT, 1, "neither" },
	{ "[limits]\n", KL_E_UNKNOWN, 1, "[limits]" },
	{ "[policy]\n[policy]\n", KL_E_EXISTS, 2, "twice" },
	{ "[policy]\nttl = 30d\n", KL_E_UNKNOWN, 2, "no such key" },
	{ "[policy]\nttl_max = 30wd\n", KL_E_UNKNOWN, 2, "wants days" },
	{ "[policy]\nttl_max = 30 d\n", KL_E_UNKNOWN, 2, "wants days" },
	{ "[policy]\nttl_max =\n", KL_E_FORMAT, 2, "wants days" },
	{ "[policy]\nttl_max = 90d\n", KL_E_VALUE, 2, "not possible" },
	{ "[policy]\nttl_max = 9d\nttl_max = 9d\n", KL_E_EXISTS, 3,
	  "twice" },
	{ "[policy]\nrefuse_bsn = no\n", KL_E_DENIED, 2, "P14" },
	{ "[override refuse_bsn]\n", KL_E_DENIED, 1, "P14" },
	{ "[override ttl]\n", KL_E_UNKNOWN, 1, "no such key" },
	{ "[override ttl_max]\n[override ttl_max]\n", KL_E_EXISTS, 2,
	  "twice" },
	{ "[override ttl_max]\nwhy = so\n", KL_E_UNKNOWN, 2, "why" },
	{ "[override ttl_max]\nlegal_basis =\n", KL_E_VALUE, 2, "bytes" },
	{ "[override ttl_max]\napproved_by = a\napproved_by = b\n",
	  KL_E_EXISTS, 3, "twice" },
	{ "[override ttl_max]\napproved_on = 2026-02-30\n", KL_E_FORMAT, 2,
	  "day" },
	{ "[override ttl_max]\nreview_on = 2026-12-01\n"
	  "review_on = 2026-12-02\n", KL_E_EXISTS, 3, "twice" },
	{ "[policy]\n[override ttl_max]\napproved_on = 2026-12-02\n"
	  "review_on = 2026-12-01\n", KL_E_VALUE, 0, "before" },
	{ "[override ttl_max]\napproved_by = \xff\n", KL_E_VALUE, 2,
	  "shown" },
	{ "[policy]\nttl_max = 9d\x1b[31m\n", KL_E_FORMAT, 2, "control" },
};

START_TEST(a_wrong_file_is_refused_with_its_line)
{
	ck_assert_int_eq(read_file(wrong[_i].text), wrong[_i].want);
	ck_assert_uint_eq(error.line, wrong[_i].line);
	ck_assert_msg(strstr(error.b, wrong[_i].says) != NULL, "\"%s\"",
	    error.b);
}
END_TEST

START_TEST(a_file_and_a_line_have_an_end)
{
	static char big[KL_POLICY_FILE_MAX + 1];

	memset(big, '\n', sizeof big);
	ck_assert_int_eq(kl_policy_file_read(kl_bytes(big, sizeof big),
	    &file, &error), KL_E_SIZE);
	memset(big, 'a', KL_POLICY_LINE_MAX + 1);
	ck_assert_int_eq(kl_policy_file_read(kl_bytes(big,
	    KL_POLICY_LINE_MAX + 1), &file, &error), KL_E_SIZE);
	ck_assert_uint_eq(error.line, 1);
	/* A zero byte ends nothing. */
	ck_assert_int_eq(kl_policy_file_read(kl_bytes("[policy]\n\0x\n", 12),
	    &file, &error), KL_E_FORMAT);
}
END_TEST

START_TEST(comments_spaces_and_line_ends_are_read_over)
{
	ck_assert_int_eq(read_file("; so\r\n  [policy]\t\r\n\r\n"
	    "\tttl_max\t=  9d  ; nine\r\n# ttl_max = 8d\r\n"
	    "consent_forms = written"), KL_OK);
	ck_assert_uint_eq(days(KL_POL_TTL_MAX, TODAY), 9);
	ck_assert_uint_eq(file.asked[KL_POL_CONSENT_FORMS].n,
	    1u << KL_WRITTEN);
}
END_TEST

START_TEST(stricter_needs_nobody)
{
	ck_assert_int_eq(read_file("[policy]\nmetadata_after_end = 30d\n"
	    "log_retention = 20y\n"), KL_OK);
	ck_assert_int_eq(state(KL_POL_METADATA_AFTER_END, TODAY),
	    KL_POLICY_STRICTER);
	ck_assert_uint_eq(days(KL_POL_METADATA_AFTER_END, TODAY), 30);
	ck_assert_int_eq(state(KL_POL_LOG_RETENTION, TODAY),
	    KL_POLICY_STRICTER);
	ck_assert_int_eq(state(KL_POL_TTL_MAX, TODAY), KL_POLICY_DEFAULT);
	ck_assert_int_eq(state(KL_POL_REFUSE_BSN, TODAY), KL_POLICY_FIXED);
	ck_assert_ptr_null(kl_policy_file_lacks(&file, KL_POL_REFUSE_BSN,
	    TODAY));
}
END_TEST

static const char *const half[] = {
	LOOSE,
	LOOSE "[override ttl_max]\nlegal_basis = x\n",
	LOOSE "[override metadata_after_end]\napproved_by = FG\n"
	    "approved_on = 2026-11-02\nreview_on = 2026-12-24\n",
	LOOSE "[override metadata_after_end]\nlegal_basis = x\n"
	    "approved_on = 2026-11-02\nreview_on = 2026-12-24\n",
	LOOSE "[override metadata_after_end]\nlegal_basis = x\n"
	    "approved_by = FG\nreview_on = 2026-12-24\n",
	LOOSE "[override metadata_after_end]\nlegal_basis = x\n"
	    "approved_by = FG\napproved_on = 2026-11-02\n",
	LOOSE "[override metadata_after_end]\nlegal_basis = x\n"
	    "approved_by = FG\napproved_on = 2026-11-25\n"
	    "review_on = 2026-12-24\n",
};

START_TEST(looser_without_all_four_is_the_default)
{
	ck_assert_int_eq(read_file(half[_i]), KL_OK);
	ck_assert_int_eq(state(KL_POL_METADATA_AFTER_END, TODAY),
	    KL_POLICY_UNAPPROVED);
	ck_assert_ptr_nonnull(kl_policy_file_lacks(&file,
	    KL_POL_METADATA_AFTER_END, TODAY));
	ck_assert_uint_eq(days(KL_POL_METADATA_AFTER_END, TODAY), 90);
	ck_assert_int_eq(kl_policy_file_check(&file, TODAY, &error),
	    KL_E_DENIED);
	ck_assert_ptr_nonnull(strstr(error.b, "lacks"));
	ck_assert_uint_eq(kl_policy_file_count(&file, KL_POLICY_UNAPPROVED,
	    TODAY), 1);
}
END_TEST

START_TEST(approved_counts_until_its_review_and_no_day_longer)
{
	const int32_t review = kl_day_make(2026, 12, 24);

	ck_assert_int_eq(read_file(LOOSE APPROVED), KL_OK);
	ck_assert_int_eq(state(KL_POL_METADATA_AFTER_END, TODAY),
	    KL_POLICY_LOOSENED);
	ck_assert_ptr_null(kl_policy_file_lacks(&file,
	    KL_POL_METADATA_AFTER_END, TODAY));
	ck_assert_uint_eq(days(KL_POL_METADATA_AFTER_END, TODAY), 120);
	ck_assert_uint_eq(days(KL_POL_METADATA_AFTER_END, review), 120);
	ck_assert_int_eq(kl_policy_file_check(&file, review, &error),
	    KL_OK);
	ck_assert_int_eq(kl_policy_file_check(&file, review + 1, &error),
	    KL_E_DENIED);
	ck_assert_ptr_nonnull(strstr(error.b, "2026-12-24"));
	ck_assert_int_eq(state(KL_POL_METADATA_AFTER_END, review + 1),
	    KL_POLICY_OVERDUE);
	ck_assert_uint_eq(days(KL_POL_METADATA_AFTER_END, review + 1), 90);
}
END_TEST

START_TEST(an_approval_says_no_more_than_its_key)
{
	ck_assert_int_eq(read_file("[policy]\nmetadata_after_end = 60d\n"
	    APPROVED), KL_OK);
	ck_assert_int_eq(state(KL_POL_METADATA_AFTER_END, TODAY),
	    KL_POLICY_STRICTER);
	/* What no approval widens. */
	ck_assert_int_eq(read_file("[policy]\nttl_max = 61d\n"
	    "[override ttl_max]\nlegal_basis = x\napproved_by = FG\n"
	    "approved_on = 2026-11-02\nreview_on = 2026-12-24\n"),
	    KL_E_VALUE);
}
END_TEST

START_TEST(only_what_is_stricter_can_be_kept)
{
	ck_assert_int_eq(read_file(LOOSE "ttl_max = 9d\n" APPROVED), KL_OK);
	kl_policy_file_keep_strict(&file, TODAY);
	ck_assert_uint_eq(days(KL_POL_METADATA_AFTER_END, TODAY), 90);
	ck_assert_uint_eq(days(KL_POL_TTL_MAX, TODAY), 9);
}
END_TEST

START_TEST(what_is_shipped_is_the_table)
{
	static char want[KL_POLICY_FILE_MAX], got[KL_POLICY_FILE_MAX];
	FILE *f = fopen("deploy/conf/policy.conf", "r");
	struct kl_writer w;

	ck_assert_ptr_nonnull(f);
	kl_writer_init(&w, want, sizeof want);
	kl_policy_file_write(&w);
	ck_assert(!w.full);
	ck_assert(kl_bytes_equal(kl_writer_bytes(&w), kl_bytes(got,
	    fread(got, 1, sizeof got, f))));
	ck_assert_int_eq(fclose(f), 0);
}
END_TEST

START_TEST(what_is_shipped_names_every_row_and_reads_as_the_defaults)
{
	static char text[KL_POLICY_FILE_MAX];
	struct kl_writer w;

	kl_writer_init(&w, text, sizeof text - 1);
	kl_policy_file_write(&w);
	ck_assert_int_eq(kl_policy_file_read(kl_writer_bytes(&w), &file,
	    &error), KL_OK);
	text[w.n] = '\0';
	KEYS {
		const struct kl_policy_row *row = kl_policy_row(k);

		ck_assert_ptr_nonnull(strstr(text, row->key));
		ck_assert_ptr_nonnull(strstr(text, row->en));
		ck_assert_int_eq(file.given[k], !kl_policy_fixed(k));
		ck_assert_int_eq(state(k, TODAY), kl_policy_fixed(k) ?
		    KL_POLICY_FIXED : KL_POLICY_DEFAULT);
	}
}
END_TEST

START_TEST(changes_alone_are_the_same_policy)
{
	static struct kl_policy_file first;
	char text[4096];
	struct kl_writer w;

	ck_assert_int_eq(read_file(LOOSE "ttl_max = 9d\n"
	    "crisis_take_up_term = same_day\n" APPROVED), KL_OK);
	first = file;
	kl_writer_init(&w, text, sizeof text);
	kl_policy_file_write_changes(&w, &first);
	ck_assert_int_eq(kl_policy_file_read(kl_writer_bytes(&w), &file,
	    &error), KL_OK);
	ck_assert_mem_eq(first.asked, file.asked, sizeof file.asked);
	ck_assert_mem_eq(first.override, file.override,
	    sizeof file.override);
}
END_TEST

START_TEST(states_have_names)
{
	ck_assert_str_eq(kl_policy_file_state_name(KL_POLICY_OVERDUE),
	    "overdue");
	ck_assert_str_eq(kl_policy_file_state_label(KL_POLICY_LOOSENED,
	    KL_NL), "verruimd");
	ck_assert_str_eq(kl_policy_file_state_label(KL_POLICY_LOOSENED,
	    KL_EN), "loosened");
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
	t = tcase_create("file");
	tcase_add_loop_test(t, a_wrong_file_is_refused_with_its_line, 0,
	    COUNT(wrong));
	tcase_add_test(t, a_file_and_a_line_have_an_end);
	tcase_add_test(t, comments_spaces_and_line_ends_are_read_over);
	tcase_add_test(t, stricter_needs_nobody);
	tcase_add_loop_test(t, looser_without_all_four_is_the_default, 0,
	    COUNT(half));
	tcase_add_test(t,
	    approved_counts_until_its_review_and_no_day_longer);
	tcase_add_test(t, an_approval_says_no_more_than_its_key);
	tcase_add_test(t, only_what_is_stricter_can_be_kept);
	tcase_add_test(t, what_is_shipped_is_the_table);
	tcase_add_test(t,
	    what_is_shipped_names_every_row_and_reads_as_the_defaults);
	tcase_add_test(t, changes_alone_are_the_same_policy);
	tcase_add_test(t, states_have_names);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
