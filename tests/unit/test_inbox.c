#include "adapters/common/inbox.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/end/envelope.h>

#include "adapters/common/alarm.h"
#include "adapters/common/events.h"
#include "adapters/common/outbox_back.h"
#include "adapters/common/outbox_draft.h"
#include "adapters/common/prekeys.h"
#include "tests/support/adapter.h"
#include "tests/support/people.h"

#define OK(x) ck_assert_int_eq((x), KL_OK)

static struct adapter_region region;
static struct adapter gp, desk;
static struct case_row c;
static struct adapter_mail mail;
static struct adapter_receipt rc;

static void
setup(void)
{
	adapter_region_make(&region);
	adapter_make(&gp, &region, KL_PRACTICE, "agb:01234567");
	adapter_make(&desk, &region, KL_MUNICIPALITY,
	    "oin:00000001000000000001");
	adapter_meet(&gp, &region, &desk);
}

static void
teardown(void)
{
	adapter_clear(&gp);
	adapter_clear(&desk);
	adapter_region_clear(&region);
}

static void
referred(uint32_t level)
{
	adapter_refer(&gp, &desk, level, &c);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_OPENED);
}

static uint64_t
events_of(struct adapter *a, uint32_t kind)
{
	struct engine_event e = { .seq = 0 };
	uint64_t n = 0;

	while (events_next(a->store, e.seq, &e) == KL_OK)
		n += e.kind == kind ? 1 : 0;
	return n;
}

static uint64_t
alarms(struct adapter *a)
{
	uint64_t n;

	OK(alarm_count(a->store, &n));
	return n;
}

START_TEST(referral_is_opened_stored_and_receipted)
{
	struct kl_referral r, usual = people_usual();
	struct case_row d;

	referred(KL_LEVEL_2);
	d = adapter_case(&desk, &c.conv);
	ck_assert_uint_eq(d.sent.code, KL_ST_DELIVERED);
	ck_assert_uint_eq(d.level, KL_LEVEL_2);
	ck_assert_int_ne(d.spoken.b[0], 0);
	OK(cases_content(&desk.t, &d, &r));
	ck_assert_str_eq(r.name.family_name, usual.name.family_name);
	ck_assert_uint_eq(events_of(&desk, ENGINE_EV_REFERRAL), 1);
	d = adapter_case(&gp, &c.conv);
	ck_assert_uint_eq(d.sent.code, KL_ST_DELIVERED);
}
END_TEST

START_TEST(repeat_sends_the_stored_receipt_and_shows_nothing_twice)
{
	struct adapter_receipt again;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_TAKEN);
	ck_assert(adapter_receipt(&desk, &rc));
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_REPEATED);
	ck_assert(adapter_receipt(&desk, &again));
	ck_assert_uint_eq(rc.n, again.n);
	ck_assert_mem_eq(rc.b, again.b, rc.n);
	ck_assert_uint_eq(events_of(&desk, ENGINE_EV_REFERRAL), 1);
}
END_TEST

START_TEST(crash_before_the_commit_opens_again)
{
	enum inbox_verdict v;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	OK(inbox_envelope(&desk.t, desk.receipts, &mail.item,
	    kl_bytes(mail.ct, mail.n_ct), &v));
	adapter_restart(&desk);
	ck_assert_uint_eq(receipts_waiting(desk.receipts), 0);
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_TAKEN);
	ck_assert_uint_eq(events_of(&desk, ENGINE_EV_REFERRAL), 1);
}
END_TEST

START_TEST(crash_after_the_commit_keeps_the_receipt)
{
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_TAKEN);
	adapter_restart(&desk);
	ck_assert(adapter_receipt(&desk, &rc));
	ck_assert_uint_eq(rc.r.outcome, KL_OPENED);
}
END_TEST

START_TEST(feedback_walks_on_both_sides)
{
	static const uint32_t codes[] = { KL_ST_TAKEN_UP, KL_ST_CONTACT_MADE,
		KL_ST_INTAKE_STARTED, KL_ST_COMPLETED };

	referred(KL_LEVEL_2);
	for (size_t i = 0; i < 4; i++) {
		adapter_feedback(&desk, &c, codes[i]);
		ck_assert_uint_eq(adapter_carry(&desk, &gp, &region),
		    KL_OPENED);
		c = adapter_case(&gp, &c.conv);
		ck_assert_uint_eq(c.sent.code, codes[i]);
	}
	ck_assert(!cases_open(&c));
	ck_assert_uint_eq(c.sent.milestone, KL_MS_ENDED);
	ck_assert_uint_eq(events_of(&gp, ENGINE_EV_FEEDBACK), 4);
}
END_TEST

START_TEST(plaintext_of_the_sender_dies_when_it_was_taken_up)
{
	struct kl_referral r;

	referred(KL_LEVEL_2);
	c = adapter_case(&gp, &c.conv);
	OK(cases_content(&gp.t, &c, &r));
	adapter_feedback(&desk, &c, KL_ST_TAKEN_UP);
	(void)adapter_carry(&desk, &gp, &region);
	c = adapter_case(&gp, &c.conv);
	ck_assert_int_eq(cases_content(&gp.t, &c, &r), KL_E_NOT_FOUND);
	/* The desk works with it. */
	c = adapter_case(&desk, &c.conv);
	OK(cases_content(&desk.t, &c, &r));
}
END_TEST

START_TEST(correction_replaces_content_and_names_what_changed)
{
	struct kl_referral r = people_usual(), got;
	struct engine_step s = { .n = 0 };
	uint64_t changed = 0;
	size_t bits = 0;

	referred(KL_LEVEL_2);
	memcpy(r.phone, "+31687654321", sizeof "+31687654321");
	adapter_correct(&gp, &c, &r);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_OPENED);
	c = adapter_case(&desk, &c.conv);
	OK(cases_content(&desk.t, &c, &got));
	ck_assert_str_eq(got.phone, "+31687654321");
	ck_assert_uint_eq(c.corrected, 1);
	ck_assert_uint_eq(events_of(&desk, ENGINE_EV_CORRECTION), 1);
	while (cases_step_next(&desk.t, &c, s.n, &s) == KL_OK)
		changed |= s.changed;
	for (size_t i = 0; i < 64; i++)
		if ((changed >> i & 1) != 0) {
			bits++;
			ck_assert_str_eq(kl_field_at(i)->path, "phone");
		}
	ck_assert_uint_eq(bits, 1);
}
END_TEST

START_TEST(correction_reopens_not_reached)
{
	struct kl_referral r = people_usual();

	referred(KL_LEVEL_1);
	adapter_feedback(&desk, &c, KL_ST_NOT_REACHED);
	(void)adapter_carry(&desk, &gp, &region);
	c = adapter_case(&gp, &c.conv);
	ck_assert(!cases_open(&c));
	adapter_correct(&gp, &c, &r);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_OPENED);
	c = adapter_case(&gp, &c.conv);
	ck_assert_uint_eq(c.sent.code, KL_ST_DELIVERED);
	c = adapter_case(&desk, &c.conv);
	ck_assert_uint_eq(c.full.code, KL_ST_DELIVERED);
	ck_assert(cases_open(&c));
}
END_TEST

START_TEST(correction_after_another_end_is_refused)
{
	struct kl_referral r = people_usual();

	referred(KL_LEVEL_2);
	adapter_feedback(&desk, &c, KL_ST_COMPLETED);
	(void)adapter_carry(&desk, &gp, &region);
	adapter_correct(&gp, &c, &r);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_REFUSED);
	c = adapter_case(&desk, &c.conv);
	ck_assert_uint_eq(c.full.code, KL_ST_COMPLETED);
}
END_TEST

START_TEST(feedback_above_the_level_is_refused)
{
	referred(KL_LEVEL_1);
	/* A desk that does not collapse. */
	c = adapter_case(&desk, &c.conv);
	c.level = c.sent.level = KL_LEVEL_2;
	OK(cases_put(&desk.t, &c));
	adapter_feedback(&desk, &c, KL_ST_CONTACT_MADE);
	ck_assert_uint_eq(adapter_carry(&desk, &gp, &region), KL_REFUSED);
	c = adapter_case(&gp, &c.conv);
	ck_assert_uint_eq(c.sent.code, KL_ST_DELIVERED);
	ck_assert_uint_eq(events_of(&gp, ENGINE_EV_FEEDBACK), 0);
}
END_TEST

START_TEST(illegal_step_is_refused_and_the_next_one_goes_on)
{
	referred(KL_LEVEL_2);
	adapter_feedback(&desk, &c, KL_ST_COMPLETED);
	(void)adapter_carry(&desk, &gp, &region);
	/* A desk whose table is broken. */
	c = adapter_case(&desk, &c.conv);
	kl_progress_init(&c.full, KL_ST_DELIVERED, 0);
	kl_progress_init(&c.sent, KL_ST_DELIVERED, c.level);
	OK(cases_put(&desk.t, &c));
	adapter_feedback(&desk, &c, KL_ST_TAKEN_UP);
	ck_assert(adapter_send(&desk, &region, &mail));
	ck_assert_int_eq(adapter_receive(&gp, &mail), INBOX_TAKEN);
	ck_assert(adapter_receipt(&gp, &rc));
	ck_assert_uint_eq(rc.r.outcome, KL_REFUSED);
	ck_assert_uint_eq(rc.r.code, KL_C_STATE);
	ck_assert_uint_eq(alarms(&gp), 1);
	c = adapter_case(&gp, &c.conv);
	ck_assert_uint_eq(c.seq_in, 2);
	ck_assert_uint_eq(c.sent.code, KL_ST_COMPLETED);
}
END_TEST

START_TEST(unknown_card_waits_and_says_so)
{
	struct adapter stranger;

	adapter_make(&stranger, &region, KL_PRACTICE, "agb:07654321");
	adapter_meet_card(&stranger, &region, &desk, 0);
	adapter_meet_keys(&stranger, &desk);
	adapter_refer(&stranger, &desk, KL_LEVEL_1, &c);
	ck_assert(adapter_send(&stranger, &region, &mail));
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_WAIT);
	ck_assert(desk.t.want_directory);
	desk.t.directory_whole = true;
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_BAD);
	adapter_meet_card(&desk, &region, &stranger, 0);
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_TAKEN);
	adapter_clear(&stranger);
}
END_TEST

START_TEST(card_counts_at_the_accept_minute)
{
	struct adapter late;

	adapter_make(&late, &region, KL_PRACTICE, "agb:07654321");
	adapter_meet_card(&late, &region, &desk, 0);
	adapter_meet_keys(&late, &desk);
	adapter_meet_card(&desk, &region, &late,
	    ADAPTER_NOW_MS + 5 * KL_MINUTE_MS);
	adapter_refer(&late, &desk, KL_LEVEL_1, &c);
	ck_assert(adapter_send(&late, &region, &mail));
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_BAD);
	ck_assert(!adapter_receipt(&desk, &rc));
	adapter_clear(&late);
}
END_TEST

START_TEST(altered_bytes_get_no_receipt)
{
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	mail.ct[10] ^= 1;
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_BAD);
	mail.ct[10] ^= 1;
	mail.envelope[mail.item.content.n - 1] ^= 1;
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_BAD);
	ck_assert(!adapter_receipt(&desk, &rc));
}
END_TEST

START_TEST(leaf_of_another_message_gets_no_receipt)
{
	struct adapter_mail other;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	ck_assert(adapter_send(&gp, &region, &other));
	mail.item.logged = other.item.logged;
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_BAD);
}
END_TEST

START_TEST(message_for_someone_else_gets_no_receipt)
{
	struct adapter third;

	adapter_make(&third, &region, KL_MUNICIPALITY,
	    "oin:00000001000000000002");
	adapter_meet_card(&third, &region, &gp, 0);
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	ck_assert_int_eq(adapter_receive(&third, &mail), INBOX_BAD);
	adapter_clear(&third);
}
END_TEST

START_TEST(lost_prekey_is_undecryptable_and_sealed_again)
{
	struct store_entry e = { .n_key = 0 };
	struct adapter_mail again;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	adapter_accepted(&gp, &mail);
	/* The desk lost its keys and made others. */
	while (store_seek(desk.store, STORE_OWN_PREKEY, KL_BYTES_NONE, false,
	    &e) == KL_OK)
		OK(store_del(desk.store, STORE_OWN_PREKEY,
		    kl_bytes(e.key, e.n_key)));
	OK(prekeys_top_up(desk.store, desk.t.now_ms));
	adapter_commit(&desk);
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_TAKEN);
	ck_assert(adapter_receipt(&desk, &rc));
	ck_assert_uint_eq(rc.r.outcome, KL_UNDECRYPTABLE);
	OK(outbox_back_receipt(gp.outbox, &gp.t, kl_bytes(rc.b, rc.n)));
	adapter_commit(&gp);
	adapter_meet_keys(&gp, &desk);
	ck_assert(adapter_send(&gp, &region, &again));
	ck_assert_mem_ne(again.id.b, mail.id.b, sizeof again.id.b);
	adapter_accepted(&gp, &again);
	ck_assert_int_eq(adapter_receive(&desk, &again), INBOX_TAKEN);
	ck_assert(adapter_receipt(&desk, &rc));
	ck_assert_uint_eq(rc.r.outcome, KL_OPENED);
}
END_TEST

START_TEST(consent_that_is_past_is_refused)
{
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	c.valid_until = c.consent.valid_until = PEOPLE_TODAY + 2;
	OK(cases_put(&gp.t, &c));
	adapter_commit(&gp);
	ck_assert(adapter_send(&gp, &region, &mail));
	desk.t.now_ms += 3 * KL_DAY_MS;
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_TAKEN);
	ck_assert(adapter_receipt(&desk, &rc));
	ck_assert_uint_eq(rc.r.code, KL_C_CONSENT_DATE);
}
END_TEST

START_TEST(second_referral_of_a_conversation_is_refused)
{
	struct out_row row = { .kind = KL_REFERRAL };

	referred(KL_LEVEL_2);
	c = adapter_case(&gp, &c.conv);
	OK(outbox_draft_add(gp.outbox, &gp.t, &c, KL_REFERRAL, NULL,
	    KL_MS_NONE));
	OK(cases_put(&gp.t, &c));
	(void)row;
	ck_assert(adapter_send(&gp, &region, &mail));
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_TAKEN);
	ck_assert(adapter_receipt(&desk, &rc));
	ck_assert_uint_eq(rc.r.code, KL_C_CONFLICT);
}
END_TEST

/* Two feedbacks are accepted; only the second one is given to the practice. */
static void
skip_one(void)
{
	struct adapter_mail lost;

	referred(KL_LEVEL_2);
	adapter_feedback(&desk, &c, KL_ST_TAKEN_UP);
	ck_assert(adapter_send(&desk, &region, &lost));
	adapter_accepted(&desk, &lost);
	adapter_feedback(&desk, &c, KL_ST_CONTACT_MADE);
	ck_assert(adapter_send(&desk, &region, &mail));
}

START_TEST(skipped_seq_is_refused)
{
	skip_one();
	ck_assert_int_eq(adapter_receive(&gp, &mail), INBOX_TAKEN);
	ck_assert(adapter_receipt(&gp, &rc));
	ck_assert_uint_eq(rc.r.code, KL_C_SEQ);
}
END_TEST

START_TEST(seq_goes_on_after_a_gap)
{
	struct kl_notice n;

	skip_one();
	n = adapter_notice(KL_NOTICE_GAP, &c.conv, NULL, KL_C_OK);
	n.seq_from = n.seq_to = 1;
	OK(inbox_gap(&gp.t, &n));
	OK(inbox_gap(&gp.t, &n));
	adapter_commit(&gp);
	ck_assert_int_eq(adapter_receive(&gp, &mail), INBOX_TAKEN);
	ck_assert(adapter_receipt(&gp, &rc));
	ck_assert_uint_eq(rc.r.outcome, KL_OPENED);
	c = adapter_case(&gp, &c.conv);
	ck_assert_uint_eq(c.sent.code, KL_ST_CONTACT_MADE);
}
END_TEST

START_TEST(gap_of_an_unknown_conversation_is_nothing)
{
	const struct kl_conv_id conv = { { 9 } };
	struct kl_notice n = adapter_notice(KL_NOTICE_GAP, &conv, NULL,
	    KL_C_OK);

	n.seq_from = n.seq_to = 1;
	OK(inbox_gap(&gp.t, &n));
}
END_TEST

START_TEST(feedback_before_its_receipt_delivers)
{
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	adapter_accepted(&gp, &mail);
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_TAKEN);
	ck_assert(adapter_receipt(&desk, &rc));
	adapter_feedback(&desk, &c, KL_ST_TAKEN_UP);
	ck_assert_uint_eq(adapter_carry(&desk, &gp, &region), KL_OPENED);
	OK(outbox_back_receipt(gp.outbox, &gp.t, kl_bytes(rc.b, rc.n)));
	adapter_commit(&gp);
	c = adapter_case(&gp, &c.conv);
	ck_assert_uint_eq(c.sent.code, KL_ST_TAKEN_UP);
}
END_TEST

START_TEST(receiver_that_lost_all_gets_it_again)
{
	struct kl_notice n;
	struct kl_msg_id id;
	struct adapter empty;

	referred(KL_LEVEL_2);
	id = adapter_case(&gp, &c.conv).referral_msg;
	n = adapter_notice(KL_NOTICE_LOST_AT_RECEIVER, &c.conv, &id, KL_C_OK);
	OK(outbox_back_notice(gp.outbox, &gp.t, &n));
	adapter_commit(&gp);
	/* The same desk, with an empty store. */
	adapter_make(&empty, &region, KL_MUNICIPALITY,
	    "oin:00000001000000000001");
	adapter_meet_card(&empty, &region, &gp, 0);
	adapter_meet_card(&gp, &region, &empty, 0);
	adapter_meet_keys(&gp, &empty);
	ck_assert_uint_eq(adapter_carry(&gp, &empty, &region), KL_OPENED);
	ck_assert_uint_eq(events_of(&empty, ENGINE_EV_REFERRAL), 1);
	adapter_clear(&empty);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("inbox");
	TCase *t = tcase_create("inbox");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, referral_is_opened_stored_and_receipted);
	tcase_add_test(t,
	    repeat_sends_the_stored_receipt_and_shows_nothing_twice);
	tcase_add_test(t, crash_before_the_commit_opens_again);
	tcase_add_test(t, crash_after_the_commit_keeps_the_receipt);
	tcase_add_test(t, feedback_walks_on_both_sides);
	tcase_add_test(t, plaintext_of_the_sender_dies_when_it_was_taken_up);
	tcase_add_test(t, correction_replaces_content_and_names_what_changed);
	tcase_add_test(t, correction_reopens_not_reached);
	tcase_add_test(t, correction_after_another_end_is_refused);
	tcase_add_test(t, feedback_above_the_level_is_refused);
	tcase_add_test(t, illegal_step_is_refused_and_the_next_one_goes_on);
	tcase_add_test(t, unknown_card_waits_and_says_so);
	tcase_add_test(t, card_counts_at_the_accept_minute);
	tcase_add_test(t, altered_bytes_get_no_receipt);
	tcase_add_test(t, leaf_of_another_message_gets_no_receipt);
	tcase_add_test(t, message_for_someone_else_gets_no_receipt);
	tcase_add_test(t, lost_prekey_is_undecryptable_and_sealed_again);
	tcase_add_test(t, consent_that_is_past_is_refused);
	tcase_add_test(t, second_referral_of_a_conversation_is_refused);
	tcase_add_test(t, skipped_seq_is_refused);
	tcase_add_test(t, seq_goes_on_after_a_gap);
	tcase_add_test(t, gap_of_an_unknown_conversation_is_nothing);
	tcase_add_test(t, feedback_before_its_receipt_delivers);
	tcase_add_test(t, receiver_that_lost_all_gets_it_again);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
