#include "adapters/common/retention.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/host/slots.h>

#include "adapters/common/alarm.h"
#include "adapters/common/events.h"
#include "adapters/common/outbox_back.h"
#include "adapters/common/outbox_time.h"
#include "tests/support/adapter.h"
#include "tests/support/people.h"

#define OK(x) ck_assert_int_eq((x), KL_OK)
#define DAYS(n) (ADAPTER_NOW_MS + (n) * KL_DAY_MS)

static struct adapter_region region;
static struct adapter gp, desk;
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

static void
delivered(uint32_t level)
{
	adapter_refer(&gp, &desk, level, &c);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_OPENED);
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

static bool
known(struct adapter *a)
{
	struct case_row k;
	int r = cases_get(&a->t, &c.conv, &k);

	ck_assert(r == KL_OK || r == KL_E_NOT_FOUND);
	return r == KL_OK;
}

static bool
has_content(struct adapter *a)
{
	struct case_row k = adapter_case(a, &c.conv);
	struct kl_referral r;

	return cases_content(&a->t, &k, &r) == KL_OK;
}

/* Rows of a table that name the case. */
static unsigned
rows_of(struct adapter *a, char table)
{
	struct store_entry e = { .n_key = 0 };
	unsigned n = 0;

	while (store_seek(a->store, table, kl_bytes(e.key, e.n_key),
	    e.n_key > 0, &e) == KL_OK)
		n += memcmp(e.key, c.conv.b, 16) == 0 ? 1 : 0;
	return n;
}

static unsigned
alarms(struct adapter *a, uint32_t kind)
{
	unsigned open;

	return adapter_alarms(a, kind, &open);
}

/* Of those, how many the interfaces are told of. */
static unsigned
alarm_events(struct adapter *a, uint32_t kind)
{
	struct engine_event ev = { .seq = 0 };
	struct engine_alarm al;
	unsigned n = 0;

	while (events_next(a->store, ev.seq, &ev) == KL_OK)
		n += ev.kind == ENGINE_EV_ALARM && alarm_get(a->store,
		    ev.step, &al) == KL_OK && al.kind == kind ? 1 : 0;
	return n;
}

/* The desk's own case, changed and put. */
static void
desk_notes_handed_over(void)
{
	struct case_row k = adapter_case(&desk, &c.conv);

	k.handed_ms = desk.t.now_ms;
	OK(cases_note_end(&desk.t, &k));
	OK(cases_put(&desk.t, &k));
	adapter_commit(&desk);
}

/* What was under the key of a slot cannot be read once it was dropped. A month
 * of the access log has one of its own, of which nothing is asked here. */
static uint32_t
slots_back(struct adapter *a)
{
	struct store_entry month = { .n_key = 0 };
	uint32_t months = 0;

	for (int i = 0; i < 6; i++)
		OK(store_idle(a->store));
	while (store_seek(a->store, STORE_MONTH, kl_bytes(month.key,
	    month.n_key), true, &month) == KL_OK)
		months++;
	return store_slots_free(a->store) + months;
}

/* ---- P54 ---------------------------------------------------------------- */

START_TEST(p54_draft_that_was_never_sealed_is_erased_after_a_week)
{
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	adapter_time(&gp, DAYS(7) - 1);
	ck_assert(has_content(&gp));
	adapter_time(&gp, DAYS(7));
	ck_assert(!has_content(&gp));
	ck_assert_uint_eq(alarms(&gp, ENGINE_AL_DRAFT), 1);
	ck_assert_uint_eq(alarm_events(&gp, ENGINE_AL_DRAFT), 1);
	ck_assert_uint_eq(outbox_waiting(gp.outbox), 0);
	c = adapter_case(&gp, &c.conv);
	ck_assert_uint_eq(c.refused, KL_C_EXPIRED);
	ck_assert(!cases_open(&c));
}
END_TEST

START_TEST(p54_takes_what_waits_behind_the_draft_along)
{
	struct kl_referral other = people_usual();

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	adapter_correct(&gp, &c, &other);
	adapter_time(&gp, DAYS(7));
	ck_assert(!has_content(&gp));
	ck_assert_uint_eq(outbox_waiting(gp.outbox), 0);
}
END_TEST

START_TEST(p54_spares_what_was_sealed)
{
	struct adapter_mail m;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &m));
	adapter_time(&gp, DAYS(8));
	ck_assert(has_content(&gp));
	ck_assert_uint_eq(alarms(&gp, ENGINE_AL_DRAFT), 0);
	/* It may have been accepted, and lives until it expires. */
	ck_assert_uint_eq(outbox_waiting(gp.outbox), 1);
}
END_TEST

/* ---- plaintext of the sender -------------------------------------------- */

START_TEST(plaintext_goes_with_the_end_of_what_expired)
{
	struct adapter_mail m;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &m));
	gp.t.now_ms = DAYS(14);
	OK(outbox_time_due(gp.outbox, &gp.t, &m.id, true));
	adapter_commit(&gp);
	ck_assert(!cases_open(&(struct case_row[]){
	    adapter_case(&gp, &c.conv) }[0]));
	adapter_time(&gp, DAYS(14));
	ck_assert(!has_content(&gp));
}
END_TEST

/* ---- P55, P58 ----------------------------------------------------------- */

START_TEST(p55_practice_copy_goes_90_days_after_the_end)
{
	uint32_t before;
	struct case_row k;

	delivered(KL_LEVEL_2);
	report(KL_ST_TAKEN_UP);
	both_at(DAYS(10));
	report(KL_ST_COMPLETED);
	before = slots_back(&gp);
	k = adapter_case(&gp, &c.conv);
	adapter_time(&gp, DAYS(100) - 1);
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).mapped, 0);
	ck_assert_uint_gt(rows_of(&gp, STORE_STEP), 0);
	adapter_time(&gp, DAYS(100));
	c = adapter_case(&gp, &c.conv);
	ck_assert_uint_eq(c.mapped, 1);
	ck_assert_uint_eq(rows_of(&gp, STORE_STEP), 0);
	ck_assert_uint_eq(rows_of(&gp, STORE_GOT), 0);
	/* Under another key than what was erased. */
	ck_assert_uint_ne(c.slot, k.slot);
	ck_assert_uint_eq(c.level, 0);
	ck_assert_int_eq(c.delivered_ms, 0);
	ck_assert(!cases_open(&c));
	ck_assert_uint_eq(slots_back(&gp), before);
}
END_TEST

START_TEST(p58_map_goes_24_months_after_the_end)
{
	uint32_t before;
	struct case_row k;
	char own[JSON_CLIENT_ID_MAX + 1];

	delivered(KL_LEVEL_2);
	memcpy(own, c.referral_id, sizeof own);
	report(KL_ST_COMPLETED);
	before = slots_back(&gp);
	adapter_time(&gp, DAYS(731) - 1);
	OK(cases_by_client(&gp.t, own, &k));
	ck_assert_str_eq(k.referral_id, own);
	ck_assert_uint_eq(k.mapped, 1);
	adapter_time(&gp, DAYS(731));
	ck_assert(!known(&gp));
	ck_assert_int_eq(cases_by_client(&gp.t, own, &k), KL_E_NOT_FOUND);
	ck_assert_uint_eq(slots_back(&gp), before + 1);
}
END_TEST

START_TEST(p55_counts_what_is_uncertain_as_ended)
{
	struct adapter_mail m;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &m));
	adapter_accepted(&gp, &m);
	gp.t.now_ms = DAYS(15);
	OK(outbox_time_due(gp.outbox, &gp.t, &m.id, true));
	adapter_commit(&gp);
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).sent.code,
	    KL_ST_UNCERTAIN);
	adapter_time(&gp, DAYS(15 + 90) - 1);
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).mapped, 0);
	adapter_time(&gp, DAYS(15 + 90));
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).mapped, 1);
}
END_TEST

START_TEST(p55_of_level_0_counts_from_four_weeks_after_the_receipt)
{
	delivered(KL_LEVEL_0);
	adapter_time(&gp, DAYS(28 + 90) - 1);
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).mapped, 0);
	adapter_time(&gp, DAYS(28 + 90));
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).mapped, 1);
}
END_TEST

START_TEST(p55_counts_from_where_feedback_stopped)
{
	struct kl_notice n;

	delivered(KL_LEVEL_2);
	gp.t.now_ms = DAYS(40);
	n = adapter_notice(KL_NOTICE_CONSENT_ENDED, &c.conv, NULL, KL_C_OK);
	OK(outbox_back_notice(gp.outbox, &gp.t, &n));
	adapter_commit(&gp);
	adapter_time(&gp, DAYS(130) - 1);
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).mapped, 0);
	adapter_time(&gp, DAYS(130));
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).mapped, 1);
}
END_TEST

START_TEST(nothing_goes_while_the_conversation_is_open)
{
	delivered(KL_LEVEL_2);
	report(KL_ST_CONTACT_MADE);
	desk_notes_handed_over();
	/* Until the broker itself forgets it. */
	both_at(DAYS(690));
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).mapped, 0);
	ck_assert(has_content(&desk));
	ck_assert_uint_eq(alarms(&desk, ENGINE_AL_COPY_ENDS), 0);
}
END_TEST

START_TEST(reopened_conversation_is_kept_until_its_next_end)
{
	delivered(KL_LEVEL_2);
	report(KL_ST_NOT_REACHED);
	both_at(DAYS(50));
	report(KL_ST_CONTACT_MADE);
	both_at(DAYS(60));
	report(KL_ST_COMPLETED);
	adapter_time(&desk, DAYS(136));
	both_at(DAYS(149));
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).mapped, 0);
	ck_assert(has_content(&desk));
	both_at(DAYS(150));
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).mapped, 1);
	ck_assert(!known(&desk));
}
END_TEST

/* ---- P56 ---------------------------------------------------------------- */

START_TEST(p56_content_goes_30_days_after_the_case_system_has_it)
{
	uint32_t before;

	delivered(KL_LEVEL_2);
	report(KL_ST_COMPLETED);
	adapter_time(&desk, DAYS(5));
	desk_notes_handed_over();
	before = slots_back(&desk);
	adapter_time(&desk, DAYS(35) - 1);
	ck_assert(has_content(&desk));
	adapter_time(&desk, DAYS(35));
	ck_assert(!has_content(&desk));
	ck_assert_uint_eq(rows_of(&desk, STORE_CONTENT), 0);
	ck_assert_uint_eq(slots_back(&desk), before + 1);
	/* The case itself is there until P57. */
	ck_assert(known(&desk));
}
END_TEST

START_TEST(p56_waits_for_the_end)
{
	delivered(KL_LEVEL_2);
	desk_notes_handed_over();
	both_at(DAYS(60));
	ck_assert(has_content(&desk));
	report(KL_ST_COMPLETED);
	both_at(DAYS(60));
	ck_assert(!has_content(&desk));
}
END_TEST

/* ---- P57 ---------------------------------------------------------------- */

START_TEST(p57_desk_copy_goes_90_days_after_the_end_announced_before)
{
	uint32_t before;
	unsigned open;

	delivered(KL_LEVEL_2);
	before = slots_back(&desk);
	report(KL_ST_COMPLETED);
	adapter_time(&desk, DAYS(76) - 1);
	ck_assert_uint_eq(alarms(&desk, ENGINE_AL_COPY_ENDS), 0);
	adapter_time(&desk, DAYS(76));
	ck_assert_uint_eq(alarms(&desk, ENGINE_AL_COPY_ENDS), 1);
	adapter_time(&desk, DAYS(90) - 1);
	ck_assert(has_content(&desk));
	adapter_time(&desk, DAYS(90));
	ck_assert(!known(&desk));
	ck_assert_uint_eq(adapter_alarms(&desk, ENGINE_AL_COPY_ENDS, &open),
	    1);
	ck_assert_uint_eq(open, 0);
	ck_assert_uint_eq(rows_of(&desk, STORE_CONTENT), 0);
	ck_assert_uint_eq(rows_of(&desk, STORE_STEP), 0);
	ck_assert_uint_eq(slots_back(&desk), before + 2);
}
END_TEST

START_TEST(p57_is_announced_14_days_before_also_by_a_desk_that_was_off)
{
	delivered(KL_LEVEL_2);
	report(KL_ST_COMPLETED);
	adapter_time(&desk, DAYS(200));
	ck_assert_uint_eq(alarms(&desk, ENGINE_AL_COPY_ENDS), 1);
	ck_assert(known(&desk));
	adapter_time(&desk, DAYS(214) - 1);
	ck_assert(known(&desk));
	adapter_time(&desk, DAYS(214));
	ck_assert(!known(&desk));
}
END_TEST

START_TEST(p57_of_level_0_counts_from_what_the_desk_last_noted)
{
	struct kl_feedback f = { .code = KL_ST_CONTACT_MADE,
		.day = PEOPLE_TODAY + 20 };
	struct case_row k;

	delivered(KL_LEVEL_0);
	adapter_time(&desk, DAYS(20));
	k = adapter_case(&desk, &c.conv);
	ck_assert_uint_eq(kl_progress_step(&k.full, &f), KL_C_OK);
	OK(cases_note_end(&desk.t, &k));
	OK(cases_put(&desk.t, &k));
	adapter_commit(&desk);
	adapter_time(&desk, DAYS(20 + 28 + 76) - 1);
	ck_assert_uint_eq(alarms(&desk, ENGINE_AL_COPY_ENDS), 0);
	adapter_time(&desk, DAYS(20 + 28 + 90));
	ck_assert(known(&desk));
	adapter_time(&desk, DAYS(20 + 28 + 90 + 14));
	ck_assert(!known(&desk));
}
END_TEST

/* ---- policy and sweeps -------------------------------------------------- */

static void
sweep(struct adapter *a)
{
	uint64_t after = 0;
	int turns = 0;

	do {
		OK(retention_sweep(&a->t, &after));
		adapter_commit(a);
		turns++;
	} while (after != 0);
	ck_assert_int_lt(turns, 10);
}

START_TEST(policy_that_is_stricter_shortens_what_is_stored)
{
	delivered(KL_LEVEL_2);
	report(KL_ST_COMPLETED);
	gp.policy.term[KL_POL_PRACTICE_COPY_AFTER_END].n = 30;
	sweep(&gp);
	adapter_time(&gp, DAYS(30));
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).mapped, 1);
}
END_TEST

START_TEST(policy_that_is_looser_lengthens_nothing_that_is_stored)
{
	delivered(KL_LEVEL_2);
	report(KL_ST_COMPLETED);
	gp.policy.term[KL_POL_PRACTICE_COPY_AFTER_END].n = 300;
	desk.policy.term[KL_POL_DESK_COPY_AFTER_END].n = 300;
	sweep(&gp);
	sweep(&desk);
	adapter_time(&desk, DAYS(76));
	both_at(DAYS(90));
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).mapped, 1);
	ck_assert(!known(&desk));
}
END_TEST

START_TEST(sweep_is_bounded_and_goes_on_where_it_was)
{
	struct case_row k;
	uint64_t after = 0;

	for (int i = 0; i < RETENTION_SWEEP_MAX + 6; i++) {
		memset(&k, 0, sizeof k);
		kl_random(k.conv.b, sizeof k.conv.b);
		k.mine = 1;
		kl_progress_init(&k.sent, KL_ST_DELIVERED, KL_LEVEL_2);
		OK(cases_make(&gp.t, &k));
		adapter_commit(&gp);
	}
	ck_assert_int_eq(k.kept_from_ms, 0);
	OK(retention_sweep(&gp.t, &after));
	adapter_commit(&gp);
	ck_assert_uint_eq(after, RETENTION_SWEEP_MAX);
	ck_assert_int_eq(adapter_case(&gp, &k.conv).kept_from_ms, 0);
	OK(retention_sweep(&gp.t, &after));
	ck_assert_uint_eq(after, 0);
	ck_assert_int_ne(adapter_case(&gp, &k.conv).kept_from_ms, 0);
}
END_TEST

START_TEST(erasure_that_was_undone_is_done_again)
{
	delivered(KL_LEVEL_2);
	report(KL_ST_COMPLETED);
	gp.t.now_ms = DAYS(90);
	OK(retention_timer(gp.outbox, &gp.t, &c.conv));
	adapter_restart(&gp);
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).mapped, 0);
	adapter_time(&gp, DAYS(90));
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).mapped, 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("adapter_retention");
	TCase *t = tcase_create("retention");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t,
	    p54_draft_that_was_never_sealed_is_erased_after_a_week);
	tcase_add_test(t, p54_takes_what_waits_behind_the_draft_along);
	tcase_add_test(t, p54_spares_what_was_sealed);
	tcase_add_test(t, plaintext_goes_with_the_end_of_what_expired);
	tcase_add_test(t, p55_practice_copy_goes_90_days_after_the_end);
	tcase_add_test(t, p58_map_goes_24_months_after_the_end);
	tcase_add_test(t, p55_counts_what_is_uncertain_as_ended);
	tcase_add_test(t,
	    p55_of_level_0_counts_from_four_weeks_after_the_receipt);
	tcase_add_test(t, p55_counts_from_where_feedback_stopped);
	tcase_add_test(t, nothing_goes_while_the_conversation_is_open);
	tcase_add_test(t,
	    reopened_conversation_is_kept_until_its_next_end);
	tcase_add_test(t,
	    p56_content_goes_30_days_after_the_case_system_has_it);
	tcase_add_test(t, p56_waits_for_the_end);
	tcase_add_test(t,
	    p57_desk_copy_goes_90_days_after_the_end_announced_before);
	tcase_add_test(t,
	    p57_is_announced_14_days_before_also_by_a_desk_that_was_off);
	tcase_add_test(t,
	    p57_of_level_0_counts_from_what_the_desk_last_noted);
	tcase_add_test(t, policy_that_is_stricter_shortens_what_is_stored);
	tcase_add_test(t,
	    policy_that_is_looser_lengthens_nothing_that_is_stored);
	tcase_add_test(t, sweep_is_bounded_and_goes_on_where_it_was);
	tcase_add_test(t, erasure_that_was_undone_is_done_again);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
