#include "adapters/common/outbox.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/common/alarm.h"
#include "adapters/common/outbox_answer.h"
#include "adapters/common/outbox_back.h"
#include "adapters/common/outbox_draft.h"
#include "adapters/common/outbox_time.h"
#include "adapters/common/prekeys.h"
#include "tests/support/adapter.h"
#include "tests/support/people.h"

#define OK(x) ck_assert_int_eq((x), KL_OK)

static struct adapter_region region;
static struct adapter gp, desk;
static struct case_row c;
static struct adapter_mail mail;
static struct out_row row;

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
answer(struct adapter *a, uint32_t code, uint32_t retry_ms,
    struct kl_bytes detail)
{
	struct out_answer out = { .code = code, .retry_after_ms = retry_ms,
		.detail = detail };

	OK(outbox_answer_take(a->outbox, &a->t, &mail.id, &out, a->mono_ms));
	adapter_commit(a);
}

static uint32_t
last_alarm(struct adapter *a)
{
	struct engine_alarm al = { .seq = 0 }, last = { .kind = 0 };

	while (alarm_next(a->store, al.seq, &al) == KL_OK)
		last = al;
	return last.kind;
}

static void
notice(uint32_t kind, uint32_t code)
{
	struct kl_notice n = adapter_notice(kind, &c.conv, &mail.id, code);

	OK(outbox_back_notice(gp.outbox, &gp.t, &n));
	adapter_commit(&gp);
}

static uint64_t
seq_of(const struct kl_msg_id *id)
{
	OK(outbox_row(&gp.t, id, &row));
	return row.seq;
}

/* ---- sending ------------------------------------------------------------ */

START_TEST(draft_is_sealed_and_sent_once)
{
	struct adapter_mail other;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	ck_assert(!adapter_send(&gp, &region, &other));
	ck_assert_uint_eq(outbox_waiting(gp.outbox), 1);
}
END_TEST

START_TEST(same_bytes_are_sent_after_a_restart)
{
	struct adapter_mail again;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	adapter_restart(&gp);
	ck_assert(adapter_send(&gp, &region, &again));
	ck_assert_mem_eq(again.id.b, mail.id.b, sizeof mail.id.b);
	ck_assert_uint_eq(again.item.content.n, mail.item.content.n);
	ck_assert_mem_eq(again.envelope, mail.envelope,
	    mail.item.content.n);
	ck_assert_mem_eq(again.ct, mail.ct, mail.n_ct);
}
END_TEST

START_TEST(undone_turn_seals_again)
{
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	OK(outbox_draft_seal(gp.outbox, &gp.t, 0));
	adapter_restart(&gp);
	ck_assert_uint_eq(outbox_waiting(gp.outbox), 1);
	ck_assert(adapter_send(&gp, &region, &mail));
}
END_TEST

START_TEST(next_of_a_conversation_waits_for_the_ack)
{
	struct kl_referral r = people_usual();
	struct adapter_mail second;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	adapter_correct(&gp, &c, &r);
	ck_assert(adapter_send(&gp, &region, &mail));
	ck_assert(!adapter_send(&gp, &region, &second));
	adapter_accepted(&gp, &mail);
	ck_assert(adapter_send(&gp, &region, &second));
	ck_assert_uint_eq(seq_of(&mail.id), 1);
	ck_assert_uint_eq(seq_of(&second.id), 2);
}
END_TEST

START_TEST(conversations_are_in_flight_together)
{
	for (int i = 0; i < 40; i++)
		adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	for (int i = 0; i < 40; i++)
		ck_assert(adapter_send(&gp, &region, &mail));
	ck_assert(!adapter_send(&gp, &region, &mail));
}
END_TEST

START_TEST(receiver_without_key_waits)
{
	struct adapter other;

	adapter_make(&other, &region, KL_MUNICIPALITY,
	    "oin:00000001000000000002");
	adapter_meet_card(&gp, &region, &other, 0);
	adapter_refer(&gp, &other, KL_LEVEL_2, &c);
	ck_assert(!adapter_send(&gp, &region, &mail));
	ck_assert(gp.t.want_directory);
	gp.t.now_ms += 3 * KL_MINUTE_MS;
	gp.mono_ms += 3 * KL_MINUTE_MS;
	ck_assert(!adapter_send(&gp, &region, &mail));
	ck_assert_uint_eq(last_alarm(&gp), ENGINE_AL_NO_KEY);
	adapter_meet_keys(&gp, &other);
	gp.mono_ms += 2000;
	ck_assert(adapter_send(&gp, &region, &mail));
	adapter_clear(&other);
}
END_TEST

START_TEST(receiver_that_is_in_no_directory_is_refused)
{
	struct adapter other;

	adapter_make(&other, &region, KL_MUNICIPALITY,
	    "oin:00000001000000000002");
	adapter_refer(&gp, &other, KL_LEVEL_2, &c);
	ck_assert(!adapter_send(&gp, &region, &mail));
	ck_assert_uint_eq(outbox_waiting(gp.outbox), 1);
	gp.mono_ms += 2000;
	gp.t.now_ms += 2000;
	gp.t.directory_ms = gp.t.now_ms;
	ck_assert(!adapter_send(&gp, &region, &mail));
	c = adapter_case(&gp, &c.conv);
	ck_assert_uint_eq(c.refused, KL_C_RECEIVER_UNKNOWN);
	adapter_clear(&other);
}
END_TEST

START_TEST(clock_that_is_off_seals_nothing)
{
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	gp.t.clock_off_ms = 11 * KL_MINUTE_MS;
	ck_assert(!adapter_send(&gp, &region, &mail));
	gp.t.clock_off_ms = -9 * KL_MINUTE_MS;
	gp.mono_ms += 2000;
	ck_assert(adapter_send(&gp, &region, &mail));
}
END_TEST

START_TEST(consent_that_aged_while_waiting_is_refused)
{
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	gp.t.now_ms += 31 * KL_DAY_MS;
	ck_assert(!adapter_send(&gp, &region, &mail));
	c = adapter_case(&gp, &c.conv);
	ck_assert_uint_eq(c.refused, KL_C_CONSENT_DATE);
	ck_assert(!cases_open(&c));
	ck_assert_uint_eq(outbox_waiting(gp.outbox), 0);
}
END_TEST

/* ---- answers ------------------------------------------------------------ */

START_TEST(ack_gives_state_names_and_leaf)
{
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	adapter_accepted(&gp, &mail);
	c = adapter_case(&gp, &c.conv);
	ck_assert_uint_eq(c.sent.code, KL_ST_SENT);
	ck_assert_int_ne(c.spoken.b[0], 0);
	ck_assert_uint_eq(c.has_leaf, 1);
	ck_assert_uint_eq(outbox_waiting(gp.outbox), 0);
	/* Twice is once. */
	adapter_accepted(&gp, &mail);
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).steps, c.steps);
}
END_TEST

START_TEST(later_is_sent_again_after_its_pause)
{
	struct adapter_mail again;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	answer(&gp, KL_C_TRY_LATER, 5000, KL_BYTES_NONE);
	gp.mono_ms += 4999;
	ck_assert(!adapter_send(&gp, &region, &again));
	gp.mono_ms += 1;
	ck_assert_int_eq(outbox_wait_ms(gp.outbox, gp.mono_ms), 0);
	ck_assert(adapter_send(&gp, &region, &again));
	ck_assert_mem_eq(again.id.b, mail.id.b, sizeof mail.id.b);
}
END_TEST

START_TEST(pause_grows_to_ten_minutes)
{
	int64_t last = 0;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	for (int i = 0; i < 14; i++) {
		ck_assert(adapter_send(&gp, &region, &mail));
		answer(&gp, KL_C_STORE_FULL, 0, KL_BYTES_NONE);
		last = outbox_wait_ms(gp.outbox, gp.mono_ms);
		ck_assert_int_le(last, 10 * KL_MINUTE_MS);
		gp.mono_ms += last;
	}
	ck_assert_int_eq(last, 10 * KL_MINUTE_MS);
}
END_TEST

START_TEST(no_answer_sends_the_same_again)
{
	struct adapter_mail again;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	outbox_unanswered(gp.outbox, &mail.id, 0);
	ck_assert(adapter_send(&gp, &region, &again));
	ck_assert_mem_eq(again.id.b, mail.id.b, sizeof mail.id.b);
}
END_TEST

START_TEST(wrong_seq_is_sealed_anew_behind_the_last)
{
	struct adapter_mail again;
	uint8_t last[8];

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	kl_be64_put(last, 7);
	answer(&gp, KL_C_SEQ, 0, KL_BYTES_OF(last));
	ck_assert(adapter_send(&gp, &region, &again));
	ck_assert_mem_ne(again.id.b, mail.id.b, sizeof mail.id.b);
	ck_assert_uint_eq(seq_of(&again.id), 8);
	ck_assert_int_eq(outbox_row(&gp.t, &mail.id, &row), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(other_prekey_is_sealed_anew_with_the_same_seq)
{
	struct adapter_mail again;
	struct store_entry e = { .n_key = 0 };

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	while (store_seek(desk.store, STORE_OWN_PREKEY, KL_BYTES_NONE, false,
	    &e) == KL_OK)
		OK(store_del(desk.store, STORE_OWN_PREKEY,
		    kl_bytes(e.key, e.n_key)));
	OK(prekeys_top_up(desk.store, desk.t.now_ms));
	adapter_commit(&desk);
	adapter_meet_keys(&gp, &desk);
	answer(&gp, KL_C_PREKEY, 0, KL_BYTES_NONE);
	ck_assert(adapter_send(&gp, &region, &again));
	ck_assert_mem_ne(again.id.b, mail.id.b, sizeof mail.id.b);
	ck_assert_uint_eq(seq_of(&again.id), 1);
}
END_TEST

/* After a loss at the broker the receiver may come back much later. */
START_TEST(key_that_the_broker_lacks_is_waited_for)
{
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	for (int i = 0; i < 20; i++) {
		ck_assert(adapter_send(&gp, &region, &mail));
		answer(&gp, i % 2 == 0 ? KL_C_PREKEY : KL_C_CARD_UNKNOWN, 0,
		    KL_BYTES_NONE);
		gp.mono_ms += 10 * KL_MINUTE_MS;
	}
	ck_assert(adapter_send(&gp, &region, &mail));
	adapter_accepted(&gp, &mail);
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).sent.code, KL_ST_SENT);
}
END_TEST

START_TEST(sealing_anew_ends_after_five)
{
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	for (int i = 0; i < 6; i++) {
		ck_assert(adapter_send(&gp, &region, &mail));
		answer(&gp, KL_C_CONFLICT, 0, KL_BYTES_NONE);
		gp.mono_ms += 20000;
	}
	ck_assert(!adapter_send(&gp, &region, &mail));
	c = adapter_case(&gp, &c.conv);
	ck_assert_uint_eq(c.refused, KL_C_CONFLICT);
}
END_TEST

START_TEST(refused_for_good_ends_the_case_and_its_content)
{
	struct kl_referral r;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	answer(&gp, KL_C_CONSENT_DATE, 0, KL_BYTES_NONE);
	c = adapter_case(&gp, &c.conv);
	ck_assert_uint_eq(c.refused, KL_C_CONSENT_DATE);
	ck_assert(!cases_open(&c));
	ck_assert_int_eq(cases_content(&gp.t, &c, &r), KL_E_NOT_FOUND);
	ck_assert_uint_eq(last_alarm(&gp), ENGINE_AL_REFUSED);
}
END_TEST

START_TEST(answer_that_is_none_changes_nothing)
{
	struct out_answer out = { .code = KL_C_OK,
		.body = kl_bytes_str("nonsense") };

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	ck_assert_int_eq(outbox_answer_take(gp.outbox, &gp.t, &mail.id, &out,
	    0), KL_E_FORMAT);
	out.code = KL_C_TRY_LATER;
	OK(outbox_answer_take(gp.outbox, &gp.t,
	    &(struct kl_msg_id){ { 1 } }, &out, 0));
}
END_TEST

/* ---- receipts and notices ----------------------------------------------- */

START_TEST(receipt_drops_the_sealed_bytes_but_not_the_signed_referral)
{
	struct kl_bytes v;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_OPENED);
	c = adapter_case(&gp, &c.conv);
	ck_assert_int_eq(store_get(gp.store, STORE_SEALED,
	    KL_BYTES_OF(c.referral_msg), &v), KL_E_NOT_FOUND);
	OK(store_get_sealed(gp.store, STORE_SIGNED,
	    KL_BYTES_OF(c.referral_msg), gp.mem, &v));
	OK(store_get_sealed(gp.store, STORE_GOT, KL_BYTES_OF(c.conv), gp.mem,
	    &v));
}
END_TEST

START_TEST(receipt_of_someone_else_is_refused)
{
	struct adapter_receipt rc;
	struct adapter other;

	adapter_make(&other, &region, KL_MUNICIPALITY,
	    "oin:00000001000000000001");
	adapter_meet_card(&other, &region, &gp, 0);
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	adapter_accepted(&gp, &mail);
	/* Same name, another key: its card is not known yet, then it is not
	 * the one that could open the message. */
	ck_assert_int_eq(adapter_receive(&other, &mail), INBOX_TAKEN);
	ck_assert(adapter_receipt(&other, &rc));
	ck_assert_uint_eq(rc.r.outcome, KL_UNDECRYPTABLE);
	ck_assert_int_eq(outbox_back_receipt(gp.outbox, &gp.t,
	    kl_bytes(rc.b, rc.n)), KL_E_AGAIN);
	rc.b[rc.n - 1] ^= 1;
	adapter_meet_card(&gp, &region, &other, 0);
	ck_assert_int_eq(outbox_back_receipt(gp.outbox, &gp.t,
	    kl_bytes(rc.b, rc.n)), KL_E_SIGNATURE);
	ck_assert_int_eq(outbox_back_receipt(gp.outbox, &gp.t,
	    kl_bytes_str("nonsense")), KL_E_SIGNATURE);
	adapter_clear(&other);
}
END_TEST

static void
sent(void)
{
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	adapter_accepted(&gp, &mail);
}

START_TEST(expired_is_an_end)
{
	sent();
	notice(KL_NOTICE_EXPIRED, KL_C_OK);
	c = adapter_case(&gp, &c.conv);
	ck_assert_uint_eq(c.sent.code, KL_ST_EXPIRED);
	ck_assert_uint_eq(last_alarm(&gp), ENGINE_AL_EXPIRED);
	notice(KL_NOTICE_EXPIRED, KL_C_OK);
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).steps, c.steps);
}
END_TEST

START_TEST(uncertain_becomes_delivered_by_a_late_receipt)
{
	struct adapter_receipt rc;

	sent();
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_TAKEN);
	notice(KL_NOTICE_UNCERTAIN, KL_C_OK);
	c = adapter_case(&gp, &c.conv);
	ck_assert_uint_eq(c.sent.code, KL_ST_UNCERTAIN);
	ck_assert(cases_open(&c));
	ck_assert(adapter_receipt(&desk, &rc));
	OK(outbox_back_receipt(gp.outbox, &gp.t, kl_bytes(rc.b, rc.n)));
	adapter_commit(&gp);
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).sent.code,
	    KL_ST_DELIVERED);
}
END_TEST

START_TEST(dead_by_a_key_is_sealed_again_and_replaces)
{
	struct adapter_mail again;

	sent();
	notice(KL_NOTICE_DEAD, KL_C_CARD_REVOKED);
	ck_assert(adapter_send(&gp, &region, &again));
	ck_assert_uint_eq(seq_of(&again.id), 2);
	ck_assert_mem_eq(row.replaces.b, mail.id.b, sizeof mail.id.b);
	ck_assert_int_eq(adapter_receive(&desk, &again), INBOX_TAKEN);
}
END_TEST

START_TEST(dead_by_a_disk_of_the_broker_is_sealed_again)
{
	struct adapter_mail again;

	sent();
	notice(KL_NOTICE_DEAD, KL_C_BROKER_DAMAGE);
	ck_assert(adapter_send(&gp, &region, &again));
	ck_assert_uint_eq(seq_of(&again.id), 2);
	ck_assert_mem_eq(row.replaces.b, mail.id.b, sizeof mail.id.b);
}
END_TEST

START_TEST(dead_by_a_rule_stays_dead)
{
	sent();
	notice(KL_NOTICE_DEAD, KL_C_CONSENT_DATE);
	ck_assert(!adapter_send(&gp, &region, &mail));
	ck_assert_uint_eq(last_alarm(&gp), ENGINE_AL_DEAD);
}
END_TEST

START_TEST(lost_feedback_only_the_last_is_told_again)
{
	struct adapter_mail first, again;
	struct kl_notice n;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	(void)adapter_carry(&gp, &desk, &region);
	adapter_feedback(&desk, &c, KL_ST_TAKEN_UP);
	ck_assert(adapter_send(&desk, &region, &first));
	adapter_accepted(&desk, &first);
	ck_assert_int_eq(adapter_receive(&gp, &first), INBOX_TAKEN);
	n = adapter_notice(KL_NOTICE_LOST_AT_RECEIVER, &c.conv, &first.id,
	    KL_C_OK);
	/* Not delivered as far as we know: nothing to seal again. */
	OK(outbox_back_notice(desk.outbox, &desk.t, &n));
	adapter_commit(&desk);
	ck_assert(!adapter_send(&desk, &region, &again));
	OK(outbox_row(&desk.t, &first.id, &row));
	row.state = OUT_DELIVERED;
	OK(outbox_put_row(&desk.t, &row));
	OK(outbox_back_notice(desk.outbox, &desk.t, &n));
	adapter_commit(&desk);
	ck_assert(adapter_send(&desk, &region, &again));
	adapter_accepted(&desk, &again);
	/* An older one than the last is not told again. */
	adapter_feedback(&desk, &c, KL_ST_COMPLETED);
	ck_assert(adapter_send(&desk, &region, &mail));
	adapter_accepted(&desk, &mail);
	OK(outbox_row(&desk.t, &again.id, &row));
	row.state = OUT_DELIVERED;
	OK(outbox_put_row(&desk.t, &row));
	n = adapter_notice(KL_NOTICE_LOST_AT_RECEIVER, &c.conv, &again.id,
	    KL_C_OK);
	OK(outbox_back_notice(desk.outbox, &desk.t, &n));
	adapter_commit(&desk);
	ck_assert(!adapter_send(&desk, &region, &first));
}
END_TEST

START_TEST(lost_referral_without_plaintext_is_an_alarm)
{
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	(void)adapter_carry(&gp, &desk, &region);
	adapter_feedback(&desk, &c, KL_ST_TAKEN_UP);
	(void)adapter_carry(&desk, &gp, &region);
	mail.id = adapter_case(&gp, &c.conv).referral_msg;
	notice(KL_NOTICE_LOST_AT_RECEIVER, KL_C_OK);
	ck_assert_uint_eq(last_alarm(&gp), ENGINE_AL_LOST);
	ck_assert(!adapter_send(&gp, &region, &mail));
}
END_TEST

START_TEST(notice_about_a_conversation_sets_its_flag)
{
	struct kl_notice n;

	sent();
	n = adapter_notice(KL_NOTICE_CONSENT_ENDED, &c.conv, NULL, KL_C_OK);
	OK(outbox_back_notice(gp.outbox, &gp.t, &n));
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).feedback_ended, 1);
	n.conv_id.b[0] ^= 1;
	ck_assert_int_eq(outbox_back_notice(gp.outbox, &gp.t, &n),
	    KL_E_NOT_FOUND);
}
END_TEST

/* ---- time --------------------------------------------------------------- */

static void
pass(int64_t ms, bool expiry)
{
	gp.t.now_ms += ms;
	OK(outbox_time_due(gp.outbox, &gp.t, &mail.id, expiry));
	adapter_commit(&gp);
}

START_TEST(never_accepted_expires_at_its_time)
{
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	pass(13 * KL_DAY_MS, true);
	ck_assert_uint_eq(outbox_waiting(gp.outbox), 1);
	pass(KL_DAY_MS, true);
	ck_assert_uint_eq(outbox_waiting(gp.outbox), 0);
	c = adapter_case(&gp, &c.conv);
	ck_assert_uint_eq(c.refused, KL_C_EXPIRED);
}
END_TEST

START_TEST(accepted_without_a_word_is_uncertain)
{
	sent();
	pass(14 * KL_DAY_MS, true);
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).sent.code, KL_ST_SENT);
	pass(KL_HOUR_MS, true);
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).sent.code,
	    KL_ST_UNCERTAIN);
}
END_TEST

START_TEST(missed_deadline_of_a_correction_is_an_alarm)
{
	struct kl_referral other = people_usual();

	sent();
	/* That of the referral is a term of the case: test_deadlines. */
	pass(2 * KL_DAY_MS, false);
	ck_assert_uint_eq(last_alarm(&gp), 0);
	adapter_correct(&gp, &c, &other);
	ck_assert(adapter_send(&gp, &region, &mail));
	adapter_accepted(&gp, &mail);
	pass(2 * KL_DAY_MS, false);
	ck_assert_uint_eq(last_alarm(&gp), ENGINE_AL_DEADLINE);
}
END_TEST

START_TEST(what_was_accepted_is_sent_to_a_new_log)
{
	struct adapter_mail again;

	sent();
	gp.t.origin = 2;
	OK(outbox_time_new_log(gp.outbox, &gp.t));
	adapter_commit(&gp);
	ck_assert(adapter_send(&gp, &region, &again));
	ck_assert_mem_eq(again.envelope, mail.envelope,
	    mail.item.content.n);
	adapter_accepted(&gp, &again);
	OK(outbox_time_new_log(gp.outbox, &gp.t));
	ck_assert_uint_eq(outbox_waiting(gp.outbox), 0);
}
END_TEST

START_TEST(forgotten_case_leaves_no_rows)
{
	struct store_entry e;

	sent();
	c = adapter_case(&gp, &c.conv);
	OK(outbox_time_forget(gp.outbox, &gp.t, &c));
	OK(cases_forget(&gp.t, &c));
	adapter_commit(&gp);
	ck_assert_int_eq(store_seek(gp.store, STORE_OUT, KL_BYTES_NONE,
	    false, &e), KL_E_NOT_FOUND);
	ck_assert_int_eq(store_seek(gp.store, STORE_SIGNED, KL_BYTES_NONE,
	    false, &e), KL_E_NOT_FOUND);
	ck_assert_int_eq(store_seek(gp.store, STORE_CASE, KL_BYTES_NONE,
	    false, &e), KL_E_NOT_FOUND);
	ck_assert_int_eq(store_seek(gp.store, STORE_CLIENT, KL_BYTES_NONE,
	    false, &e), KL_E_NOT_FOUND);
	ck_assert_int_eq(cases_get(&gp.t, &c.conv, &c), KL_E_NOT_FOUND);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("outbox");
	TCase *t = tcase_create("outbox");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, draft_is_sealed_and_sent_once);
	tcase_add_test(t, same_bytes_are_sent_after_a_restart);
	tcase_add_test(t, undone_turn_seals_again);
	tcase_add_test(t, next_of_a_conversation_waits_for_the_ack);
	tcase_add_test(t, conversations_are_in_flight_together);
	tcase_add_test(t, receiver_without_key_waits);
	tcase_add_test(t, receiver_that_is_in_no_directory_is_refused);
	tcase_add_test(t, clock_that_is_off_seals_nothing);
	tcase_add_test(t, consent_that_aged_while_waiting_is_refused);
	tcase_add_test(t, ack_gives_state_names_and_leaf);
	tcase_add_test(t, later_is_sent_again_after_its_pause);
	tcase_add_test(t, pause_grows_to_ten_minutes);
	tcase_add_test(t, no_answer_sends_the_same_again);
	tcase_add_test(t, wrong_seq_is_sealed_anew_behind_the_last);
	tcase_add_test(t, other_prekey_is_sealed_anew_with_the_same_seq);
	tcase_add_test(t, key_that_the_broker_lacks_is_waited_for);
	tcase_add_test(t, sealing_anew_ends_after_five);
	tcase_add_test(t, refused_for_good_ends_the_case_and_its_content);
	tcase_add_test(t, answer_that_is_none_changes_nothing);
	tcase_add_test(t,
	    receipt_drops_the_sealed_bytes_but_not_the_signed_referral);
	tcase_add_test(t, receipt_of_someone_else_is_refused);
	tcase_add_test(t, expired_is_an_end);
	tcase_add_test(t, uncertain_becomes_delivered_by_a_late_receipt);
	tcase_add_test(t, dead_by_a_key_is_sealed_again_and_replaces);
	tcase_add_test(t, dead_by_a_disk_of_the_broker_is_sealed_again);
	tcase_add_test(t, dead_by_a_rule_stays_dead);
	tcase_add_test(t, lost_feedback_only_the_last_is_told_again);
	tcase_add_test(t, lost_referral_without_plaintext_is_an_alarm);
	tcase_add_test(t, notice_about_a_conversation_sets_its_flag);
	tcase_add_test(t, never_accepted_expires_at_its_time);
	tcase_add_test(t, accepted_without_a_word_is_uncertain);
	tcase_add_test(t, missed_deadline_of_a_correction_is_an_alarm);
	tcase_add_test(t, what_was_accepted_is_sent_to_a_new_log);
	tcase_add_test(t, forgotten_case_leaves_no_rows);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
