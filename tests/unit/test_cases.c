#include "adapters/common/cases.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/host/slots.h>

#include "adapters/common/alarm.h"
#include "adapters/common/events.h"
#include "adapters/common/sync.h"
#include "adapters/common/timers.h"
#include "tests/support/adapter.h"
#include "tests/support/people.h"

#define OK(x) ck_assert_int_eq((x), KL_OK)

static struct adapter_region region;
static struct adapter a, desk;
static struct case_row c, got;

static void
setup(void)
{
	adapter_region_make(&region);
	adapter_make(&a, &region, KL_PRACTICE, "agb:01234567");
	adapter_make(&desk, &region, KL_MUNICIPALITY,
	    "oin:00000001000000000001");
	adapter_meet(&a, &region, &desk);
}

static void
teardown(void)
{
	adapter_clear(&a);
	adapter_clear(&desk);
	adapter_region_clear(&region);
}

static void
make(void)
{
	adapter_refer(&a, &desk, KL_LEVEL_2, &c);
}

START_TEST(cases_come_in_their_order)
{
	struct kl_conv_id convs[5];
	uint64_t number = 0;

	for (int i = 0; i < 5; i++) {
		make();
		convs[i] = c.conv;
	}
	for (int i = 0; i < 5; i++) {
		OK(cases_next(&a.t, number, &got));
		ck_assert_mem_eq(&got.conv, &convs[i], sizeof convs[i]);
		number = got.number;
	}
	ck_assert_int_eq(cases_next(&a.t, number, &got), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(case_is_found_by_its_names)
{
	const struct kl_ref ref = { { 1 } };
	struct kl_spoken s = kl_spoken_make((uint8_t[5]){ 9, 8, 7, 6, 5 });
	struct kl_spoken other = kl_spoken_make((uint8_t[5]){ 1 });
	uint8_t spoken[9];

	make();
	OK(cases_by_client(&a.t, c.referral_id, &got));
	ck_assert_mem_eq(&got.conv, &c.conv, sizeof c.conv);
	ck_assert_int_eq(cases_by_client(&a.t, "none", &got),
	    KL_E_NOT_FOUND);
	memcpy(spoken, s.b, 9);
	OK(cases_take_names(&a.t, &c, &ref, spoken));
	OK(cases_put(&a.t, &c));
	OK(cases_by_spoken(&a.t, &s, &got));
	ck_assert_str_eq(got.referral_id, c.referral_id);
	ck_assert_int_eq(cases_by_spoken(&a.t, &other, &got),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(name_is_another_only_in_another_log)
{
	const struct kl_ref ref = { { 1 } }, ref2 = { { 2 } };
	struct kl_spoken s = kl_spoken_make((uint8_t[5]){ 9, 8, 7, 6, 5 });
	struct kl_spoken s2 = kl_spoken_make((uint8_t[5]){ 1 });
	uint8_t first[9], second[9];

	make();
	memcpy(first, s.b, 9);
	memcpy(second, s2.b, 9);
	OK(cases_take_names(&a.t, &c, &ref, first));
	OK(cases_take_names(&a.t, &c, &ref, first));
	ck_assert_int_eq(cases_take_names(&a.t, &c, &ref, second),
	    KL_E_VALUE);
	ck_assert_int_eq(cases_take_names(&a.t, &c, &ref2, first),
	    KL_E_VALUE);
	a.t.origin++;
	OK(cases_take_names(&a.t, &c, &ref2, second));
	ck_assert_str_eq(c.spoken.b, s.b);
	OK(cases_put(&a.t, &c));
	OK(cases_by_spoken(&a.t, &s2, &got));
}
END_TEST

START_TEST(history_is_numbered)
{
	struct engine_step s = { .what = ENGINE_GAP }, out = { .n = 0 };
	uint64_t n = 0;

	make();
	c = adapter_case(&a, &c.conv);
	OK(cases_step(&a.t, &c, &s));
	OK(cases_put(&a.t, &c));
	while (cases_step_next(&a.t, &c, out.n, &out) == KL_OK)
		ck_assert_uint_eq(out.n, ++n);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(out.what, ENGINE_GAP);
	ck_assert_int_eq(out.at_ms, a.t.now_ms);
}
END_TEST

START_TEST(erased_content_is_gone_the_case_is_not)
{
	struct kl_referral r;

	make();
	OK(cases_content(&a.t, &c, &r));
	OK(cases_content_erase(&a.t, &c));
	OK(cases_put(&a.t, &c));
	adapter_commit(&a);
	c = adapter_case(&a, &c.conv);
	ck_assert_int_eq(cases_content(&a.t, &c, &r), KL_E_NOT_FOUND);
	ck_assert_uint_eq(c.slot_content, KL_SLOT_NONE);
	/* Twice is once. */
	OK(cases_content_erase(&a.t, &c));
}
END_TEST

START_TEST(content_under_way_is_not_spent)
{
	struct kl_referral r;

	make();
	ck_assert_uint_eq(c.pending, 1);
	OK(cases_content_spent(&a.t, &c));
	OK(cases_content(&a.t, &c, &r));
	cases_settle(&c, KL_FEEDBACK);
	ck_assert_uint_eq(c.pending, 1);
	cases_settle(&c, KL_REFERRAL);
	cases_settle(&c, KL_REFERRAL);
	ck_assert_uint_eq(c.pending, 0);
	OK(cases_content_spent(&a.t, &c));
	ck_assert_int_eq(cases_content(&a.t, &c, &r), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(end_is_noted_until_it_is_left_again)
{
	make();
	OK(cases_note_end(&a.t, &c));
	ck_assert_uint_eq(c.closed, 0);
	c.sent.code = KL_ST_NOT_REACHED;
	OK(cases_note_end(&a.t, &c));
	OK(cases_note_end(&a.t, &c));
	ck_assert_uint_eq(c.closed, 1);
	c.sent.code = KL_ST_DELIVERED;
	OK(cases_note_end(&a.t, &c));
	ck_assert_uint_eq(c.closed, 0);
}
END_TEST

START_TEST(forgetting_gives_the_slots_back)
{
	uint32_t before = store_slots_free(a.store);

	make();
	ck_assert_uint_eq(store_slots_free(a.store), before - 2);
	OK(cases_forget(&a.t, &c));
	adapter_commit(&a);
	for (int i = 0; i < 3; i++)
		OK(store_idle(a.store));
	ck_assert_uint_eq(store_slots_free(a.store), before);
}
END_TEST

START_TEST(full_pool_makes_no_case)
{
	int r = KL_OK;

	for (int i = 0; i < 200 && r == KL_OK; i++) {
		memset(&c, 0, sizeof c);
		c.conv.b[0] = (uint8_t)i;
		r = cases_make(&a.t, &c);
	}
	ck_assert_int_eq(r, KL_E_FULL);
	adapter_restart(&a);
	ck_assert_int_eq(cases_next(&a.t, 0, &got), KL_E_NOT_FOUND);
}
END_TEST

/* ---- what is numbered beside cases --------------------------------------- */

START_TEST(alarms_stay_in_their_order)
{
	struct engine_alarm al;
	struct kl_bytes evidence;
	static const uint8_t big[ALARM_EVIDENCE_MAX + 1];
	uint64_t n;

	make();
	OK(alarm_raise(&a.t, ENGINE_AL_DEAD, KL_C_SEQ, &c.conv));
	OK(alarm_raise_evidence(&a.t, ENGINE_AL_LOG_FORK,
	    kl_bytes_str("proof")));
	ck_assert_int_eq(alarm_raise_evidence(&a.t, ENGINE_AL_LOG_FORK,
	    KL_BYTES_OF(big)), KL_E_SIZE);
	OK(alarm_next(a.store, 0, &al));
	ck_assert_uint_eq(al.kind, ENGINE_AL_DEAD);
	ck_assert_uint_eq(al.code, KL_C_SEQ);
	ck_assert(al.has_conv);
	OK(alarm_next(a.store, al.seq, &al));
	ck_assert(!al.has_conv);
	OK(alarm_evidence(a.store, a.mem, al.seq, &evidence));
	ck_assert(kl_bytes_equal(evidence, kl_bytes_str("proof")));
	ck_assert_int_eq(alarm_next(a.store, al.seq, &al), KL_E_NOT_FOUND);
	OK(alarm_count(a.store, &n));
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(alarm_name(ENGINE_AL_LOST), "lost_at_receiver");
	ck_assert_str_eq(alarm_name(99), "?");
}
END_TEST

START_TEST(each_interface_has_its_cursor)
{
	struct engine_event ev;
	uint64_t seq;

	make();
	OK(events_add(&a.t, ENGINE_EV_FEEDBACK, &c.conv, 4));
	OK(events_next(a.store, 0, &ev));
	ck_assert_uint_eq(ev.step, 4);
	OK(events_cursor_get(a.store, "folder", &seq));
	ck_assert_uint_eq(seq, 0);
	OK(events_cursor_put(a.store, "folder", ev.seq));
	OK(events_cursor_get(a.store, "folder", &seq));
	ck_assert_uint_eq(seq, ev.seq);
	OK(events_cursor_get(a.store, "web", &seq));
	ck_assert_uint_eq(seq, 0);
	ck_assert_int_eq(events_cursor_put(a.store,
	    "a name that is too long", 1), KL_E_SIZE);
	ck_assert_int_eq(events_next(a.store, ev.seq, &ev), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(timers_come_in_order_of_time)
{
	const uint8_t id[16] = { 1 }, other[16] = { 2 };
	struct timer t;

	OK(timers_put(a.store, 30, TIMER_SEEN, id));
	OK(timers_put(a.store, 10, TIMER_CONTENT, other));
	OK(timers_first(a.store, &t));
	ck_assert_int_eq(t.due_ms, 10);
	ck_assert_uint_eq(t.what, TIMER_CONTENT);
	ck_assert_mem_eq(t.id, other, 16);
	OK(timers_next(a.store, &t, &t));
	ck_assert_int_eq(t.due_ms, 30);
	ck_assert_int_eq(timers_next(a.store, &t, &t), KL_E_NOT_FOUND);
	OK(timers_first(a.store, &t));
	OK(timers_done(a.store, &t));
	OK(timers_first(a.store, &t));
	ck_assert_int_eq(t.due_ms, 30);
}
END_TEST

/* ---- SYNC ---------------------------------------------------------------- */

static size_t
pages(struct adapter *x, bool bodies, size_t *referrals)
{
	struct sync_cursor at = { .part = 0 };
	struct kl_sync q;
	size_t n = 0;

	*referrals = 0;
	do {
		OK(sync_page(&x->t, &at, bodies, &q));
		ck_assert_uint_le(q.n_presented, KL_PRESENT_MAX);
		for (size_t i = 0; i < q.n_presented; i++) {
			struct kl_entry e;

			ck_assert_int_eq(KL_MESSAGE_READ(KL_M_ENTRY,
			    q.presented[i], x->mem, &e), KL_C_OK);
			*referrals += e.statement == KL_ENTRY_REFERRAL ?
			    1 : 0;
		}
		n += q.n_presented;
		kl_arena_reset(x->mem);
	} while (q.n_presented > 0);
	return n;
}

START_TEST(open_conversations_are_presented_page_by_page)
{
	size_t referrals;

	for (int i = 0; i < 11; i++) {
		make();
		(void)adapter_carry(&a, &desk, &region);
	}
	make();		/* a draft: nobody has it */
	ck_assert_uint_eq(pages(&a, true, &referrals), 22);
	ck_assert_uint_eq(referrals, 11);
	ck_assert_uint_eq(pages(&desk, true, &referrals), 22);
	ck_assert_uint_eq(referrals, 11);
	/* After a take-over the receipts that were made. */
	ck_assert_uint_eq(pages(&a, false, &referrals), 0);
	ck_assert_uint_eq(pages(&desk, false, &referrals), 11);
	ck_assert_uint_eq(referrals, 0);
}
END_TEST

START_TEST(ended_conversations_are_not_presented)
{
	size_t referrals;

	make();
	(void)adapter_carry(&a, &desk, &region);
	adapter_feedback(&desk, &c, KL_ST_COMPLETED);
	(void)adapter_carry(&desk, &a, &region);
	ck_assert_uint_eq(pages(&a, true, &referrals), 0);
	ck_assert_uint_eq(pages(&desk, true, &referrals), 0);
}
END_TEST

static struct kl_sync_conversation
conversation(void)
{
	return (struct kl_sync_conversation){ .conv_id = { { 4 } },
		.spoken = { 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J' },
		.practice = a.id.id, .receiver = desk.id.id,
		.state = KL_CONV_OPEN, .milestone = KL_MS_TAKEN_UP,
		.last_seq_sender = 3, .last_seq_receiver = 2 };
}

START_TEST(unknown_conversation_becomes_a_husk)
{
	struct kl_sync_conversation s = conversation();

	OK(sync_learn(&a.t, a.outbox, &s));
	got = adapter_case(&a, &s.conv_id);
	ck_assert_uint_eq(got.husk, 1);
	ck_assert_uint_eq(got.mine, 1);
	ck_assert_uint_eq(got.seq_out, 3);
	ck_assert_uint_eq(got.seq_in, 0);
	ck_assert_uint_eq(got.gap_to, 2);
	ck_assert(cases_open(&got));
	OK(sync_learn(&desk.t, desk.outbox, &s));
	got = adapter_case(&desk, &s.conv_id);
	ck_assert_uint_eq(got.mine, 0);
	ck_assert_uint_eq(got.seq_out, 2);
	/* Twice is once. */
	OK(sync_learn(&desk.t, desk.outbox, &s));
	ck_assert_uint_eq(adapter_case(&desk, &s.conv_id).steps, 1);
}
END_TEST

START_TEST(ended_conversation_becomes_an_ended_husk)
{
	struct kl_sync_conversation s = conversation();

	s.state = KL_CONV_ENDED;
	s.milestone = KL_MS_RETURNED;
	OK(sync_learn(&a.t, a.outbox, &s));
	got = adapter_case(&a, &s.conv_id);
	ck_assert_uint_eq(got.sent.code, KL_ST_NOT_TAKEN_ON);
	ck_assert(!cases_open(&got));
}
END_TEST

START_TEST(known_conversation_learns_its_seq)
{
	struct kl_sync_conversation s = conversation();

	make();
	(void)adapter_carry(&a, &desk, &region);
	s.conv_id = c.conv;
	s.last_seq_sender = 5;
	OK(sync_learn(&a.t, a.outbox, &s));
	ck_assert_uint_eq(adapter_case(&a, &c.conv).seq_out, 5);
	s.state = KL_CONV_WITHDRAWN;
	OK(sync_learn(&a.t, a.outbox, &s));
	ck_assert_uint_eq(adapter_case(&a, &c.conv).sent.code,
	    KL_ST_CONSENT_WITHDRAWN);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cases");
	TCase *t = tcase_create("cases");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, cases_come_in_their_order);
	tcase_add_test(t, case_is_found_by_its_names);
	tcase_add_test(t, name_is_another_only_in_another_log);
	tcase_add_test(t, history_is_numbered);
	tcase_add_test(t, erased_content_is_gone_the_case_is_not);
	tcase_add_test(t, content_under_way_is_not_spent);
	tcase_add_test(t, end_is_noted_until_it_is_left_again);
	tcase_add_test(t, forgetting_gives_the_slots_back);
	tcase_add_test(t, full_pool_makes_no_case);
	tcase_add_test(t, alarms_stay_in_their_order);
	tcase_add_test(t, each_interface_has_its_cursor);
	tcase_add_test(t, timers_come_in_order_of_time);
	tcase_add_test(t, open_conversations_are_presented_page_by_page);
	tcase_add_test(t, ended_conversations_are_not_presented);
	tcase_add_test(t, unknown_conversation_becomes_a_husk);
	tcase_add_test(t, ended_conversation_becomes_an_ended_husk);
	tcase_add_test(t, known_conversation_learns_its_seq);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
