/*
 * What a resident may ask of an adapter: over two stores whose messages are
 * carried by hand.
 */
#include "adapters/common/subject.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/common/engine_priv.h"
#include "adapters/common/engine_withdraw.h"
#include "adapters/common/outbox_back.h"
#include "adapters/common/subject_letter.h"
#include "adapters/common/view_subject.h"
#include "tests/support/adapter.h"
#include "tests/support/people.h"

#define OK(x) ck_assert_int_eq((x), KL_OK)
#define DATE ((struct kl_birth_date){ 1987, 3, 14 })

static struct adapter_region region;
static struct adapter gp, desk;
static struct engine gp_engine, desk_engine;
static struct case_row c;
static struct access_list found;
static const struct engine_actor by = { .interface = ENGINE_CONTROL,
	.uid = 1000, .role = ENGINE_ROLE_FG, .staff = "fg-1" };

/* As much of an engine as shows what a store holds. */
static void
engine_make(struct engine *e, struct adapter *a)
{
	memset(e, 0, sizeof *e);
	a->config.lang = KL_NL;
	memcpy(a->config.name, "De Linde", 9);
	e->config = &a->config;
	e->store = a->store;
	e->dir = a->directory;
	e->mem = a->mem;
	e->outbox = a->outbox;
	e->receipts = a->receipts;
	e->withdrawals = a->withdrawals;
	e->erasures = a->erasures;
	e->turn = a->t;
	e->clock.offset_ms = ADAPTER_NOW_MS -
	    kl_clock_now_ms(&(struct kl_clock){ 0 });
}

static void
setup(void)
{
	adapter_region_make(&region);
	adapter_make(&gp, &region, KL_PRACTICE, "agb:01234567");
	adapter_make(&desk, &region, KL_MUNICIPALITY,
	    "oin:00000001000000000001");
	adapter_meet(&gp, &region, &desk);
	adapter_meet(&desk, &region, &gp);
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_OPENED);
	OK(cases_get(&gp.t, &c.conv, &c));
	memcpy(c.patient_ref, "HIS-4711", 9);
	OK(cases_put(&gp.t, &c));
	engine_make(&gp_engine, &gp);
	engine_make(&desk_engine, &desk);
	OK(subject_log(&gp_engine, &by, ENGINE_SAW, &c.conv));
}

static void
teardown(void)
{
	adapter_clear(&gp);
	adapter_clear(&desk);
	adapter_region_clear(&region);
}

static size_t
find(struct engine *e, const char *reference)
{
	const struct subject_who who = { .reference = reference };

	OK(subject_find(e, &by, &who, &found));
	return found.n;
}

static size_t
find_name(struct engine *e, const char *name)
{
	const struct subject_who who = { .name = name, .birth = DATE };

	OK(subject_find(e, &by, &who, &found));
	return found.n;
}

static struct kl_spoken_text
reference(void)
{
	return kl_spoken_text(&c.spoken);
}

static void
end_case(void)
{
	struct case_row d;

	OK(cases_get(&desk.t, &c.conv, &d));
	adapter_feedback(&desk, &d, KL_ST_COMPLETED);
	ck_assert_uint_eq(adapter_carry(&desk, &gp, &region), KL_OPENED);
	OK(cases_get(&desk.t, &c.conv, &d));
	(void)kl_progress_step(&d.full, &(struct kl_feedback){
	    .code = KL_ST_COMPLETED, .day = kl_day_of(desk.t.now_ms) });
	OK(cases_put(&desk.t, &d));
}

static void
erase_ended(struct adapter *a, struct engine *e)
{
	struct kl_finding why;
	enum subject_erased how;

	OK(subject_erase(e, &by, &c.conv, &how, &why));
	ck_assert_uint_eq(how, SUBJECT_WIPED);
	ck_assert(!subject_zeroed(e));
	adapter_commit(a);
	ck_assert(subject_zeroed(e));
	store_forget_keys(a->store);
}

/* ---- finding ---- */

START_TEST(found_by_reference_number_and_name)
{
	struct kl_spoken_text r = reference();

	ck_assert_uint_eq(find(&gp_engine, r.b), 1);
	ck_assert_mem_eq(&found.at[0].conv, &c.conv, sizeof c.conv);
	ck_assert_uint_eq(find(&desk_engine, r.b), 1);
	ck_assert_uint_eq(find(&gp_engine, c.referral_id), 1);
	ck_assert_uint_eq(find(&gp_engine, "HIS-4711"), 1);
	/* The municipality does not know the practice's number. */
	ck_assert_uint_eq(find(&desk_engine, "HIS-4711"), 0);
	ck_assert_uint_eq(find_name(&desk_engine, "AMRANI"), 1);
	ck_assert_uint_eq(find_name(&desk_engine, "Jansen"), 0);
}
END_TEST

START_TEST(several_that_fit_come_in_their_order)
{
	const struct kl_conv_id first = c.conv;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	OK(subject_log(&gp_engine, &by, ENGINE_SAW, &c.conv));
	ck_assert_uint_eq(find_name(&gp_engine, "el Amrani"), 2);
	ck_assert_mem_eq(&found.at[0].conv, &first, sizeof first);
	ck_assert_mem_eq(&found.at[1].conv, &c.conv, sizeof first);
}
END_TEST

START_TEST(search_by_name_has_a_line_of_its_own)
{
	const struct kl_conv_id none = { { 0 } };
	struct access_at at = { 0, 0 };
	struct access_line line;

	ck_assert_uint_eq(find_name(&gp_engine, "Niemand"), 0);
	OK(access_next(&gp_engine.turn, &none, &at, &line));
	ck_assert_uint_eq(line.act, ENGINE_SEARCHED);
	ck_assert_str_eq(line.by.staff, "fg-1");
}
END_TEST

START_TEST(search_without_a_name_is_refused)
{
	const struct subject_who who = { .name = "-", .birth = DATE };

	ck_assert_int_eq(subject_find(&gp_engine, &by, &who, &found),
	    KL_E_FORMAT);
}
END_TEST

/* ---- what is held ---- */

START_TEST(held_is_content_consent_and_receipt)
{
	struct subject_held held;

	OK(subject_held(&gp_engine, &c.conv, &held));
	ck_assert(held.has_content);
	ck_assert_str_eq(held.content.name.family_name, "Amrani");
	ck_assert(!held.has_before);
	ck_assert(held.has_consent);
	ck_assert_uint_eq(held.consent.feedback_level, KL_LEVEL_2);
	ck_assert_uint_gt(held.n_receipt, 0);
	OK(subject_held(&desk_engine, &c.conv, &held));
	ck_assert(held.has_content);
	/* What the practice signed tells the desk. */
	ck_assert(held.has_consent);
	ck_assert_uint_eq(held.consent.given_on, c.consent.given_on);
	ck_assert_uint_gt(held.n_receipt, 0);
}
END_TEST

START_TEST(sender_holds_what_a_correction_replaced)
{
	struct kl_referral r = people_usual();
	struct subject_held held;

	memcpy(r.name.family_name, "Amraoui", 8);
	adapter_correct(&gp, &c, &r);
	OK(subject_held(&gp_engine, &c.conv, &held));
	ck_assert_str_eq(held.content.name.family_name, "Amraoui");
	ck_assert(held.has_before);
	ck_assert_str_eq(held.before.name.family_name, "Amrani");
}
END_TEST

START_TEST(case_that_is_not_there_holds_nothing)
{
	const struct kl_conv_id none = { { 1 } };
	struct subject_held held;
	enum subject_erased how;
	struct kl_finding why;

	ck_assert_int_eq(subject_held(&gp_engine, &none, &held),
	    KL_E_NOT_FOUND);
	ck_assert(!held.has_content);
	ck_assert_int_eq(subject_erase(&gp_engine, &by, &none, &how,
	    &why),
	    KL_E_NOT_FOUND);
}
END_TEST

/* ---- who looked ---- */

START_TEST(lines_are_of_the_case_and_of_lists_with_it)
{
	struct subject_lines l;

	OK(subject_log_list(&gp_engine, &by, 1, 0));
	OK(subject_log_list(&gp_engine, &by, 2, 9));
	ck_assert_uint_eq(find(&gp_engine, "HIS-4711"), 1);
	OK(subject_lines(&gp_engine, &found.at[0], 0, &l));
	ck_assert_uint_eq(l.n, 2);
	ck_assert_uint_eq(l.at[0].act, ENGINE_SAW);
	ck_assert_uint_eq(l.at[1].act, ENGINE_LISTED);
	ck_assert(!l.more);
	subject_lines_clear(&l);
	/* A list of before the case came has it not. */
	OK(subject_lines(&gp_engine, &found.at[0],
	    engine_now_ms(&gp_engine) + KL_HOUR_MS, &l));
	ck_assert_uint_eq(l.n, 0);
	subject_lines_clear(&l);
}
END_TEST

START_TEST(more_lines_than_the_limit_are_told)
{
	struct subject_lines l;

	for (int i = 0; i < SUBJECT_LINES_MAX; i++) {
		OK(subject_log(&gp_engine, &by, ENGINE_SAW, &c.conv));
		if (i % 500 == 0)
			adapter_commit(&gp);
	}
	ck_assert_uint_eq(find(&gp_engine, "HIS-4711"), 1);
	OK(subject_lines(&gp_engine, &found.at[0], 0, &l));
	ck_assert_uint_eq(l.n, SUBJECT_LINES_MAX);
	ck_assert(l.more);
	subject_lines_clear(&l);
}
END_TEST

/* ---- erasing ---- */

START_TEST(open_case_is_withdrawn_for_the_resident)
{
	struct kl_finding why;
	struct engine_withdrawal w;
	enum subject_erased how;
	struct engine_case k;

	OK(subject_erase(&gp_engine, &by, &c.conv, &how, &why));
	ck_assert_uint_eq(how, SUBJECT_WITHDRAWN);
	adapter_commit(&gp);
	OK(engine_case_get(&gp_engine, &c.conv, &k));
	ck_assert(!k.open);
	ck_assert(!k.has_content);
	OK(engine_withdrawal(&gp_engine, &c.conv, &w));
	ck_assert(w.ours);
	ck_assert_uint_eq(w.cause, KL_CAUSE_RESIDENT);
	ck_assert_uint_eq(w.scope, KL_SCOPE_ALL);
	/* The same again changes nothing: all have not answered yet. */
	OK(subject_erase(&gp_engine, &by, &c.conv, &how, &why));
	ck_assert_uint_eq(how, SUBJECT_BEFORE);
	OK(engine_case_get(&gp_engine, &c.conv, &k));
}
END_TEST

START_TEST(partner_does_not_withdraw)
{
	struct kl_finding why;
	enum subject_erased how;

	desk.id.role = KL_PARTNER;
	ck_assert_int_eq(subject_erase(&desk_engine, &by, &c.conv, &how,
	    &why), KL_E_REFUSED);
	ck_assert_uint_eq(why.code, KL_C_ROLE);
}
END_TEST

START_TEST(ended_case_is_gone_but_for_the_log)
{
	struct adapter *a = _i == 0 ? &gp : &desk;
	struct engine *e = _i == 0 ? &gp_engine : &desk_engine;
	struct kl_spoken_text r = reference();
	struct subject_lines l;
	struct engine_case k;

	end_case();
	erase_ended(a, e);
	ck_assert_int_eq(engine_case_get(e, &c.conv, &k), KL_E_NOT_FOUND);
	ck_assert_int_eq(engine_case_find(e, r.b, &k), KL_E_NOT_FOUND);
	ck_assert_uint_eq(find(e, r.b), 1);
	OK(subject_lines(e, &found.at[0], 0, &l));
	ck_assert_uint_ge(l.n, 2);
	ck_assert_uint_eq(l.at[l.n - 1].act, ENGINE_WIPED);
	ck_assert_str_eq(kl_spoken_text(&l.at[l.n - 1].spoken).b, r.b);
	subject_lines_clear(&l);
	ck_assert_uint_eq(find_name(e, "Amrani"), 1);
}
END_TEST

/* ---- pages ---- */

static json_t *
answer_of(json_t *k)
{
	return json_pack("{s:[o],s:s,s:s,s:s,s:i,s:i,s:s}", "referrals", k,
	    "organisation", "Praktijk De Linde", "role", "practice",
	    "made_at", "2026-11-24T09:00:00.000Z", "keep_days", 90,
	    "log_days", 1827, "log_until", "2031-12-31");
}

static char *
page(int (*letter)(const struct letter_options *, const json_t *, char **,
    size_t *), json_t *answer)
{
	const struct letter_options o = { LETTER_TEXT, KL_NL, true };
	char *text;
	size_t n;

	OK(letter(&o, answer, &text, &n));
	json_decref(answer);
	return text;
}

static void
contains(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "no '%s' in:\n%s", part,
	    text);
}

START_TEST(export_page_has_all_of_it)
{
	struct engine_case k;
	json_t *o;
	char *text;

	OK(engine_case_get(&gp_engine, &c.conv, &k));
	OK(view_subject_case(&gp_engine, &k, &o));
	text = page(subject_letter_export, answer_of(o));
	contains(text, "OEFENING");
	contains(text, "Wat wij over u bewaren");
	contains(text, "F. el Amrani");
	contains(text, "1987-03-14");
	contains(text, "HIS-4711");
	contains(text, reference().b);
	contains(text, "Geldig tot en met:");
	contains(text, "ook de stappen daartussen");
	contains(text, "Aangenomen door Kortelijn:");
	contains(text, "Uw toestemming is niet ingetrokken.");
	contains(text, "bekeek de verwijzing");
	contains(text, "fg-1");
	contains(text, "verbetering");
	contains(text, "90 dagen");
	letter_text_free(text);
}
END_TEST

/* The other side was asked: here the fact has come, and nothing else. */
START_TEST(export_page_tells_that_feedback_was_withdrawn)
{
	struct kl_notice n = adapter_notice(KL_NOTICE_WITHDRAWN, &c.conv,
	    NULL, KL_C_NO_FEEDBACK_CONSENT);
	struct engine_case k;
	json_t *o;
	char *text;

	OK(outbox_back_notice(gp.outbox, &gp.t, &n));
	OK(engine_case_get(&gp_engine, &c.conv, &k));
	ck_assert(k.feedback_ended && k.open);
	OK(view_subject_case(&gp_engine, &k, &o));
	text = page(subject_letter_export, answer_of(o));
	contains(text, "toestemming voor terugkoppeling ingetrokken");
	ck_assert_ptr_null(strstr(text, "is niet ingetrokken"));
	letter_text_free(text);
}
END_TEST

START_TEST(export_of_nobody_says_so)
{
	json_t *o = answer_of(json_object());
	char *text;

	(void)json_array_clear(json_object_get(o, "referrals"));
	text = page(subject_letter_export, o);
	contains(text, "Wij hebben hier niets van u gevonden.");
	letter_text_free(text);
}
END_TEST

START_TEST(log_page_tells_once_what_was_done_again_and_again)
{
	json_t *o;
	char *text;

	for (int i = 0; i < 3; i++)
		OK(subject_log(&gp_engine, &by, ENGINE_SAW, &c.conv));
	ck_assert_uint_eq(find(&gp_engine, "HIS-4711"), 1);
	OK(view_subject_lines(&gp_engine, &found.at[0], 0, &o));
	ck_assert_uint_eq(json_array_size(json_object_get(o, "lines")), 4);
	text = page(subject_letter_log, answer_of(o));
	contains(text, "bekeek de verwijzing (4 keer)");
	contains(text, "privacy (FG) fg-1, nummer 1000");
	contains(text, "elke regel 5 jaar.");
	letter_text_free(text);
}
END_TEST

START_TEST(erase_page_says_what_stays_and_until_when)
{
	char *text = page(subject_letter_erase, answer_of(json_pack(
	    "{s:s,s:s}", "done", "erased", "reference", "ABCD-EFGH-K")));

	contains(text, "Uw gegevens zijn gewist");
	contains(text, "ABCD-EFGH-K: was al klaar");
	contains(text, "31 december 2031");
	ck_assert_ptr_null(strstr(text, "krijgt de vraag"));
	letter_text_free(text);
	text = page(subject_letter_erase, answer_of(json_pack("{s:s,s:s}",
	    "done", "withdrawn", "reference", "ABCD-EFGH-K")));
	contains(text, "Uw gegevens worden gewist");
	contains(text, "ABCD-EFGH-K: liep nog.");
	contains(text, "krijgt de vraag");
	letter_text_free(text);
	/* By the other side, say: it was not this letter that ended it. */
	text = page(subject_letter_erase, answer_of(json_pack("{s:s,s:s}",
	    "done", "withdrawn_before", "reference", "ABCD-EFGH-K")));
	contains(text, "Uw gegevens zijn gewist");
	contains(text, "ABCD-EFGH-K: was al ingetrokken.");
	ck_assert_ptr_null(strstr(text, "krijgt de vraag"));
	ck_assert_ptr_null(strstr(text, "liep nog"));
	letter_text_free(text);
}
END_TEST

START_TEST(find_page_lists_the_referrals)
{
	struct engine_case k;
	json_t *o;
	char *text;

	OK(engine_case_get(&desk_engine, &c.conv, &k));
	OK(view_subject_hit(&desk_engine, &k, &o));
	ck_assert_str_eq(json_string_value(json_object_get(o, "person")),
	    "F. el Amrani");
	ck_assert_str_eq(json_string_value(json_object_get(o,
	    "birth_date")), "1987-03-14");
	text = page(subject_letter_find, answer_of(o));
	contains(text, "Uw verwijzingen");
	contains(text, reference().b);
	letter_text_free(text);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("subject");
	TCase *t = tcase_create("subject");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, found_by_reference_number_and_name);
	tcase_add_test(t, several_that_fit_come_in_their_order);
	tcase_add_test(t, search_by_name_has_a_line_of_its_own);
	tcase_add_test(t, search_without_a_name_is_refused);
	tcase_add_test(t, held_is_content_consent_and_receipt);
	tcase_add_test(t, sender_holds_what_a_correction_replaced);
	tcase_add_test(t, case_that_is_not_there_holds_nothing);
	tcase_add_test(t, lines_are_of_the_case_and_of_lists_with_it);
	tcase_add_test(t, more_lines_than_the_limit_are_told);
	tcase_add_test(t, open_case_is_withdrawn_for_the_resident);
	tcase_add_test(t, partner_does_not_withdraw);
	tcase_add_loop_test(t, ended_case_is_gone_but_for_the_log, 0, 2);
	tcase_add_test(t, export_page_has_all_of_it);
	tcase_add_test(t, export_page_tells_that_feedback_was_withdrawn);
	tcase_add_test(t, export_of_nobody_says_so);
	tcase_add_test(t,
	    log_page_tells_once_what_was_done_again_and_again);
	tcase_add_test(t, erase_page_says_what_stays_and_until_when);
	tcase_add_test(t, find_page_lists_the_referrals);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
