#include "adapters/common/deadlines.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/common/alarm.h"
#include "adapters/common/events.h"
#include "adapters/common/outbox_back.h"
#include "tests/support/adapter.h"
#include "tests/support/people.h"

#define OK(x) ck_assert_int_eq((x), KL_OK)
/* ADAPTER_NOW_MS is 10:00 on a Tuesday in Amsterdam. */
#define DAYS(n) (ADAPTER_NOW_MS + (n) * KL_DAY_MS)
#define HOURS(n) ((n) * KL_HOUR_MS)

static struct adapter_region region;
static struct adapter gp, desk;
static struct adapter_mail mail;
static struct case_row c;

static void
setup(void)
{
	adapter_region_make(&region);
	adapter_make(&gp, &region, KL_PRACTICE, "agb:01234567");
	adapter_make(&desk, &region, KL_MUNICIPALITY,
	    "oin:00000001000000000001");
	adapter_meet(&gp, &region, &desk);
	adapter_meet(&desk, &region, &gp);
}

static void
teardown(void)
{
	adapter_clear(&gp);
	adapter_clear(&desk);
	adapter_region_clear(&region);
}

/* With the broker; not with the desk. */
static void
sent(uint32_t level)
{
	adapter_refer(&gp, &desk, level, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	adapter_accepted(&gp, &mail);
}

static void
delivered(uint32_t level)
{
	adapter_refer(&gp, &desk, level, &c);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_OPENED);
}

static void
deliver_late(void)
{
	struct adapter_receipt rc;

	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_TAKEN);
	ck_assert(adapter_receipt(&desk, &rc));
	OK(outbox_back_receipt(gp.outbox, &gp.t, kl_bytes(rc.b, rc.n)));
	adapter_commit(&gp);
}

static void
both_at(int64_t at_ms)
{
	adapter_time(&desk, at_ms);
	adapter_time(&gp, at_ms);
}

static void
report(uint32_t code)
{
	adapter_feedback(&desk, &c, code);
	ck_assert_uint_eq(adapter_carry(&desk, &gp, &region), KL_OPENED);
}

/* That so many were raised at a, and so many are open. */
static void
alarms_are(struct adapter *a, enum engine_alarm_kind kind, unsigned n,
    unsigned open)
{
	unsigned now_open;

	ck_assert_uint_eq(adapter_alarms(a, kind, &now_open), n);
	ck_assert_uint_eq(now_open, open);
}

static unsigned
events_of(struct adapter *a, uint32_t kind)
{
	struct engine_event ev = { .seq = 0 };
	unsigned n = 0;

	while (events_next(a->store, ev.seq, &ev) == KL_OK)
		n += ev.kind == kind ? 1 : 0;
	return n;
}

/* ---- P27 ---------------------------------------------------------------- */

START_TEST(referral_without_receipt_is_told_to_the_practice)
{
	sent(KL_LEVEL_2);
	adapter_time(&gp, DAYS(2) - 1);
	alarms_are(&gp, ENGINE_AL_NOT_COLLECTED, 0, 0);
	adapter_time(&gp, DAYS(2));
	adapter_time(&gp, DAYS(3));
	alarms_are(&gp, ENGINE_AL_NOT_COLLECTED, 1, 1);
	ck_assert_uint_eq(events_of(&gp, ENGINE_EV_ALARM), 1);
	desk.t.now_ms = DAYS(3);
	deliver_late();
	alarms_are(&gp, ENGINE_AL_NOT_COLLECTED, 1, 0);
	ck_assert_uint_eq(events_of(&gp, ENGINE_EV_ALARM_CLOSED), 1);
}
END_TEST

START_TEST(referral_that_never_leaves_is_told_as_well)
{
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	adapter_time(&gp, DAYS(2));
	alarms_are(&gp, ENGINE_AL_NOT_COLLECTED, 1, 1);
}
END_TEST

START_TEST(what_lies_at_the_desk_is_told_there_before_the_practice)
{
	delivered(KL_LEVEL_2);
	both_at(DAYS(1) - 1);
	alarms_are(&desk, ENGINE_AL_NOT_COLLECTED, 0, 0);
	both_at(DAYS(1));
	alarms_are(&desk, ENGINE_AL_NOT_COLLECTED, 1, 1);
	alarms_are(&gp, ENGINE_AL_NOT_COLLECTED, 0, 0);
	report(KL_ST_TAKEN_UP);
	alarms_are(&desk, ENGINE_AL_NOT_COLLECTED, 1, 0);
}
END_TEST

START_TEST(what_somebody_at_the_desk_saw_does_not_lie_there)
{
	delivered(KL_LEVEL_2);
	c = adapter_case(&desk, &c.conv);
	c.seen_ms = desk.t.now_ms;
	OK(cases_note_end(&desk.t, &c));
	OK(cases_put(&desk.t, &c));
	adapter_commit(&desk);
	both_at(DAYS(1));
	alarms_are(&desk, ENGINE_AL_NOT_COLLECTED, 0, 0);
}
END_TEST

/* ---- P28 ---------------------------------------------------------------- */

START_TEST(not_taken_up_is_told_to_the_desk_and_then_to_the_practice)
{
	delivered(KL_LEVEL_1);
	both_at(DAYS(2));
	alarms_are(&desk, ENGINE_AL_NOT_TAKEN_UP, 1, 1);
	alarms_are(&gp, ENGINE_AL_NOT_TAKEN_UP, 0, 0);
	both_at(DAYS(2) + HOURS(1));
	alarms_are(&gp, ENGINE_AL_NOT_TAKEN_UP, 1, 1);
	report(KL_ST_TAKEN_UP);
	alarms_are(&desk, ENGINE_AL_NOT_TAKEN_UP, 1, 0);
	alarms_are(&gp, ENGINE_AL_NOT_TAKEN_UP, 1, 0);
	both_at(DAYS(5));
	alarms_are(&gp, ENGINE_AL_NOT_TAKEN_UP, 1, 0);
}
END_TEST

START_TEST(taken_up_in_time_is_told_to_nobody)
{
	delivered(KL_LEVEL_2);
	report(KL_ST_TAKEN_UP);
	both_at(DAYS(6));
	alarms_are(&desk, ENGINE_AL_NOT_TAKEN_UP, 0, 0);
	alarms_are(&gp, ENGINE_AL_NOT_TAKEN_UP, 0, 0);
}
END_TEST

START_TEST(without_feedback_no_answer_is_missed)
{
	delivered(KL_LEVEL_0);
	both_at(DAYS(40));
	alarms_are(&gp, ENGINE_AL_NOT_TAKEN_UP, 0, 0);
	alarms_are(&gp, ENGINE_AL_NO_CONTACT, 0, 0);
	alarms_are(&gp, ENGINE_AL_NO_NEWS, 0, 0);
	alarms_are(&desk, ENGINE_AL_NOT_TAKEN_UP, 0, 0);
	/* The desk has its work to do all the same. */
	alarms_are(&desk, ENGINE_AL_NO_CONTACT, 1, 1);
}
END_TEST

/* ---- P29 to P32 --------------------------------------------------------- */

START_TEST(first_contact_is_asked_for_by_the_practice_from_level_2)
{
	delivered(KL_LEVEL_2);
	report(KL_ST_TAKEN_UP);
	/* Five working days from a Tuesday. */
	both_at(DAYS(7));
	alarms_are(&desk, ENGINE_AL_NO_CONTACT, 1, 1);
	alarms_are(&gp, ENGINE_AL_NO_CONTACT, 0, 0);
	both_at(DAYS(7) + HOURS(1));
	alarms_are(&gp, ENGINE_AL_NO_CONTACT, 1, 1);
	report(KL_ST_CONTACT_MADE);
	alarms_are(&desk, ENGINE_AL_NO_CONTACT, 1, 0);
	alarms_are(&gp, ENGINE_AL_NO_CONTACT, 1, 0);
}
END_TEST

START_TEST(at_level_1_the_practice_is_not_told_of_contact)
{
	delivered(KL_LEVEL_1);
	report(KL_ST_TAKEN_UP);
	both_at(DAYS(20));
	alarms_are(&gp, ENGINE_AL_NO_CONTACT, 0, 0);
	alarms_are(&desk, ENGINE_AL_NO_CONTACT, 1, 1);
}
END_TEST

START_TEST(first_talk_and_decision_run_at_the_desk_only)
{
	delivered(KL_LEVEL_3);
	report(KL_ST_CONTACT_MADE);
	both_at(DAYS(28));
	alarms_are(&desk, ENGINE_AL_NO_TALK, 1, 1);
	report(KL_ST_INTAKE_STARTED);
	alarms_are(&desk, ENGINE_AL_NO_TALK, 1, 0);
	/* From the beginning of the day that the desk named. */
	both_at(DAYS(28 + 56) - HOURS(10) - 1);
	alarms_are(&desk, ENGINE_AL_NO_DECISION, 0, 0);
	both_at(DAYS(28 + 56) - HOURS(10));
	alarms_are(&desk, ENGINE_AL_NO_DECISION, 1, 1);
	adapter_feedback(&desk, &c, KL_ST_HELP_STARTED);
	alarms_are(&desk, ENGINE_AL_NO_DECISION, 1, 0);
	alarms_are(&gp, ENGINE_AL_NO_TALK, 0, 0);
	alarms_are(&gp, ENGINE_AL_NO_DECISION, 0, 0);
}
END_TEST

/* ---- crisis, calendar, policy: the pure part ---------------------------- */

static int64_t
due(const struct case_row *k, enum deadline d)
{
	const struct deadlines_by by = { &gp.policy, NULL };

	return deadlines_due(k, &by, d) == 0 ? 0 :
	    deadlines_due(k, &by, d) - ADAPTER_NOW_MS;
}

static struct case_row
row_of(bool mine, bool crisis)
{
	struct case_row k;

	memset(&k, 0, sizeof k);
	k.mine = mine;
	k.crisis = crisis;
	k.level = KL_LEVEL_2;
	k.valid_until = PEOPLE_TODAY + 700;
	k.created_ms = k.sent_ms = k.delivered_ms = ADAPTER_NOW_MS;
	k.answer_by_ms = ADAPTER_NOW_MS + HOURS(7);
	kl_progress_init(&k.sent, KL_ST_DELIVERED, k.level);
	kl_progress_init(&k.full, KL_ST_DELIVERED, 0);
	return k;
}

START_TEST(crisis_has_shorter_terms)
{
	struct case_row k = row_of(false, true), p = row_of(true, true);

	ck_assert_int_eq(due(&k, DEADLINE_PICKUP), HOURS(2));
	ck_assert_int_eq(due(&k, DEADLINE_TAKE_UP), HOURS(7));
	ck_assert_int_eq(due(&k, DEADLINE_CONTACT), KL_DAY_MS);
	ck_assert_int_eq(due(&k, DEADLINE_TALK), 3 * KL_DAY_MS);
	ck_assert_int_eq(due(&p, DEADLINE_TAKE_UP), HOURS(8));
	ck_assert_int_eq(due(&p, DEADLINE_CONTACT), KL_DAY_MS + HOURS(1));
	p.delivered_ms = 0;
	p.deliver_by_ms = ADAPTER_NOW_MS + HOURS(4);
	ck_assert_int_eq(due(&p, DEADLINE_PICKUP), HOURS(4));
}
END_TEST

START_TEST(correction_that_tells_of_a_crisis_shortens_the_terms)
{
	struct case_row k = row_of(false, false);

	k.answer_by_ms = ADAPTER_NOW_MS + 2 * KL_DAY_MS;
	ck_assert_int_eq(due(&k, DEADLINE_TAKE_UP), 2 * KL_DAY_MS);
	k.crisis = 1;
	ck_assert_int_eq(due(&k, DEADLINE_TAKE_UP), HOURS(7));
}
END_TEST

START_TEST(closed_days_of_the_desk_are_passed_over)
{
	struct kl_calendar cal = { .n_closed = 1 };
	const struct deadlines_by by = { &gp.policy, &cal };
	struct case_row k = row_of(false, false);

	cal.closed[0] = PEOPLE_TODAY + 1;
	ck_assert_int_eq(deadlines_due(&k, &by, DEADLINE_PICKUP), DAYS(2));
}
END_TEST

START_TEST(policy_brings_a_signed_term_forward_but_never_puts_it_off)
{
	struct case_row k = row_of(false, false);

	k.answer_by_ms = DAYS(2);
	gp.policy.term[KL_POL_TAKE_UP_TERM].n = 1;
	ck_assert_int_eq(due(&k, DEADLINE_TAKE_UP), KL_DAY_MS);
	gp.policy.term[KL_POL_TAKE_UP_TERM].n = 5;
	ck_assert_int_eq(due(&k, DEADLINE_TAKE_UP), 2 * KL_DAY_MS);
}
END_TEST

START_TEST(terms_of_a_practice_stop_with_the_consent)
{
	struct case_row k = row_of(true, false);

	ck_assert_int_ne(due(&k, DEADLINE_NEWS), 0);
	k.valid_until = PEOPLE_TODAY + 20;
	ck_assert_int_eq(due(&k, DEADLINE_NEWS), 0);
	k.valid_until = PEOPLE_TODAY + 700;
	k.feedback_ended = 1;
	ck_assert_int_eq(due(&k, DEADLINE_CONTACT), 0);
}
END_TEST

START_TEST(nothing_runs_in_what_is_over_or_known_by_name_only)
{
	struct case_row k = row_of(false, false);

	k.husk = 1;
	for (enum deadline d = 0; d < DEADLINES; d++)
		ck_assert_int_eq(due(&k, d), 0);
	k.husk = 0;
	k.full.code = KL_ST_COMPLETED;
	for (enum deadline d = 0; d < DEADLINES; d++)
		ck_assert_int_eq(due(&k, d), 0);
}
END_TEST

/* ---- P34 ---------------------------------------------------------------- */

START_TEST(silence_is_told_again_only_after_news)
{
	delivered(KL_LEVEL_2);
	report(KL_ST_CONTACT_MADE);
	both_at(DAYS(30) + HOURS(1));
	alarms_are(&desk, ENGINE_AL_NO_NEWS, 1, 1);
	alarms_are(&gp, ENGINE_AL_NO_NEWS, 1, 1);
	both_at(DAYS(60));
	alarms_are(&gp, ENGINE_AL_NO_NEWS, 1, 1);
	report(KL_ST_INTAKE_STARTED);
	alarms_are(&desk, ENGINE_AL_NO_NEWS, 1, 0);
	alarms_are(&gp, ENGINE_AL_NO_NEWS, 1, 0);
	both_at(DAYS(90));
	alarms_are(&desk, ENGINE_AL_NO_NEWS, 2, 1);
	alarms_are(&gp, ENGINE_AL_NO_NEWS, 1, 0);
	both_at(DAYS(90) + HOURS(1));
	alarms_are(&gp, ENGINE_AL_NO_NEWS, 2, 1);
}
END_TEST

/* ---- once, also with a crash -------------------------------------------- */

START_TEST(alarm_is_told_once_whatever_is_killed)
{
	sent(KL_LEVEL_2);
	gp.t.now_ms = DAYS(2);
	OK(deadlines_timer(&gp.t, &c.conv));
	/* Killed before the commit: nothing of it happened. */
	adapter_restart(&gp);
	alarms_are(&gp, ENGINE_AL_NOT_COLLECTED, 0, 0);
	adapter_time(&gp, DAYS(2));
	adapter_restart(&gp);
	OK(deadlines_timer(&gp.t, &c.conv));
	OK(deadlines_timer(&gp.t, &c.conv));
	adapter_commit(&gp);
	alarms_are(&gp, ENGINE_AL_NOT_COLLECTED, 1, 1);
}
END_TEST

START_TEST(notice_of_the_broker_and_own_timer_are_one_alarm)
{
	struct kl_notice n;

	sent(KL_LEVEL_2);
	gp.t.now_ms = DAYS(2) - KL_MINUTE_MS;
	n = adapter_notice(KL_NOTICE_DEADLINE, &c.conv, &mail.id, KL_C_OK);
	OK(outbox_back_notice(gp.outbox, &gp.t, &n));
	OK(outbox_back_notice(gp.outbox, &gp.t, &n));
	adapter_commit(&gp);
	alarms_are(&gp, ENGINE_AL_NOT_COLLECTED, 1, 1);
	adapter_time(&gp, DAYS(2));
	alarms_are(&gp, ENGINE_AL_NOT_COLLECTED, 1, 1);
	alarms_are(&gp, ENGINE_AL_DEADLINE, 0, 0);
}
END_TEST

START_TEST(notice_reaches_the_desk_too_and_only_for_what_is_near)
{
	struct kl_notice n;

	delivered(KL_LEVEL_2);
	n = adapter_notice(KL_NOTICE_DEADLINE, &c.conv, NULL, KL_C_OK);
	OK(outbox_back_notice(desk.outbox, &desk.t, &n));
	alarms_are(&desk, ENGINE_AL_NOT_TAKEN_UP, 0, 0);
	desk.t.now_ms = DAYS(2);
	OK(outbox_back_notice(desk.outbox, &desk.t, &n));
	adapter_commit(&desk);
	alarms_are(&desk, ENGINE_AL_NOT_TAKEN_UP, 1, 1);
}
END_TEST

START_TEST(end_closes_what_is_open_and_a_reopening_counts_anew)
{
	delivered(KL_LEVEL_2);
	report(KL_ST_TAKEN_UP);
	both_at(DAYS(7) + HOURS(1));
	alarms_are(&desk, ENGINE_AL_NO_CONTACT, 1, 1);
	report(KL_ST_NOT_REACHED);
	alarms_are(&desk, ENGINE_AL_NO_CONTACT, 1, 0);
	alarms_are(&gp, ENGINE_AL_NO_CONTACT, 1, 0);
	both_at(DAYS(21));
	/* The practice had another phone number: delivered again. */
	c = adapter_case(&desk, &c.conv);
	ck_assert_uint_eq(kl_progress_correct(&c.full), KL_C_OK);
	(void)kl_progress_event(&c.full, KL_ST_DELIVERED);
	OK(cases_note_end(&desk.t, &c));
	OK(cases_put(&desk.t, &c));
	adapter_commit(&desk);
	alarms_are(&desk, ENGINE_AL_NO_CONTACT, 1, 0);
	adapter_time(&desk, DAYS(28));
	alarms_are(&desk, ENGINE_AL_NO_CONTACT, 2, 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("deadlines");
	TCase *t = tcase_create("deadlines");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t,
	    referral_without_receipt_is_told_to_the_practice);
	tcase_add_test(t, referral_that_never_leaves_is_told_as_well);
	tcase_add_test(t,
	    what_lies_at_the_desk_is_told_there_before_the_practice);
	tcase_add_test(t,
	    what_somebody_at_the_desk_saw_does_not_lie_there);
	tcase_add_test(t,
	    not_taken_up_is_told_to_the_desk_and_then_to_the_practice);
	tcase_add_test(t, taken_up_in_time_is_told_to_nobody);
	tcase_add_test(t, without_feedback_no_answer_is_missed);
	tcase_add_test(t,
	    first_contact_is_asked_for_by_the_practice_from_level_2);
	tcase_add_test(t, at_level_1_the_practice_is_not_told_of_contact);
	tcase_add_test(t, first_talk_and_decision_run_at_the_desk_only);
	tcase_add_test(t, crisis_has_shorter_terms);
	tcase_add_test(t,
	    correction_that_tells_of_a_crisis_shortens_the_terms);
	tcase_add_test(t, closed_days_of_the_desk_are_passed_over);
	tcase_add_test(t,
	    policy_brings_a_signed_term_forward_but_never_puts_it_off);
	tcase_add_test(t, terms_of_a_practice_stop_with_the_consent);
	tcase_add_test(t,
	    nothing_runs_in_what_is_over_or_known_by_name_only);
	tcase_add_test(t, silence_is_told_again_only_after_news);
	tcase_add_test(t, alarm_is_told_once_whatever_is_killed);
	tcase_add_test(t,
	    notice_of_the_broker_and_own_timer_are_one_alarm);
	tcase_add_test(t,
	    notice_reaches_the_desk_too_and_only_for_what_is_near);
	tcase_add_test(t,
	    end_closes_what_is_open_and_a_reopening_counts_anew);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
