/* Withdrawals that an adapter makes: durable and purged before they leave,
 * sent until they are answered, kept until the consent ends. */
#include "adapters/common/withdraw.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/secret.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/host/slots.h>

#include "adapters/common/alarm.h"
#include "adapters/common/outbox_answer.h"
#include "adapters/common/outbox_back.h"
#include "adapters/common/outbox_draft.h"
#include "adapters/common/sync.h"
#include "adapters/common/timers.h"
#include "adapters/common/withdraw_told.h"
#include "tests/support/adapter.h"
#include "tests/support/people.h"

#define OK(x) ck_assert_int_eq((x), KL_OK)

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
}

static void
teardown(void)
{
	adapter_clear(&gp);
	adapter_clear(&desk);
	adapter_region_clear(&region);
}

static bool
there(struct adapter *a, char table, struct kl_bytes key)
{
	struct kl_bytes v;
	int r = store_get(a->store, table, key, &v);

	ck_assert(r == KL_OK || r == KL_E_NOT_FOUND);
	return r == KL_OK;
}

static size_t
steps_of(struct adapter *a, uint32_t what)
{
	struct case_row row = adapter_case(a, &c.conv);
	struct engine_step s = { .n = 0 };
	size_t n = 0;

	while (cases_step_next(&a->t, &row, s.n, &s) == KL_OK)
		n += s.what == what ? 1 : 0;
	return n;
}

static struct withdrawal
stored(struct adapter *a, uint32_t scope)
{
	struct withdrawal w;

	OK(withdraw_get(&a->t, &c.conv, scope, &w));
	return w;
}

/* What WITHDRAW would carry now. */
static int
next(struct adapter *a, struct kl_bytes *packed)
{
	struct kl_conv_id conv;
	int r = withdraw_next(a->withdrawals, &a->t, a->mono_ms, &conv,
	    packed);

	if (r == KL_OK)
		ck_assert_mem_eq(&conv, &c.conv, sizeof conv);
	return r;
}

static int
answer(struct adapter *a, uint32_t code, struct kl_bytes body)
{
	const struct call_answer out = { .code = code, .body = body };
	int r = withdraw_answer(a->withdrawals, &a->t, &c.conv, &out,
	    a->mono_ms);

	adapter_commit(a);
	return r;
}

static int
answer_ok(struct adapter *a, const struct adapter *other)
{
	struct adapter_reply reply;

	adapter_withdraw_reply(&region, a, other, &reply);
	return answer(a, KL_C_OK, kl_bytes(reply.b, reply.n));
}

/* ---- one commit ---- */

START_TEST(statement_is_signed_for_the_whole_consent)
{
	struct kl_withdrawal w;
	struct kl_bytes packed;
	struct kl_signed s;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	OK(next(&gp, &packed));
	ck_assert_int_eq(kl_signed_read(packed, gp.mem, &s), KL_C_OK);
	ck_assert_int_eq(KL_STATEMENT_READ(KL_WITHDRAWAL, s.body, gp.mem,
	    &w), KL_C_OK);
	OK(kl_verify(KL_LABEL_WITHDRAWAL, s.body, &gp.id.sign_pk, &s.sig));
	ck_assert(kl_id_equal(&w.signer, &gp.id.id));
	ck_assert_uint_eq(w.scope, KL_SCOPE_ALL);
	ck_assert_uint_eq(w.cause, KL_CAUSE_RESIDENT);
	ck_assert_uint_eq(w.route, KL_PRACTICE);
	ck_assert_uint_eq(w.valid_until, c.valid_until);
}
END_TEST

START_TEST(referral_that_never_left_is_purged_and_still_withdrawn)
{
	struct kl_referral content;
	struct kl_bytes packed;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	c = adapter_case(&gp, &c.conv);
	ck_assert_uint_eq(outbox_waiting(gp.outbox), 0);
	ck_assert_int_eq(cases_content(&gp.t, &c, &content), KL_E_NOT_FOUND);
	ck_assert_uint_eq(c.sent.code, KL_ST_CONSENT_WITHDRAWN);
	ck_assert(!cases_open(&c));
	OK(next(&gp, &packed));
}
END_TEST

START_TEST(sealed_bytes_go_and_their_keys_with_them)
{
	struct adapter_mail mail;
	uint32_t slot, content;
	struct kl_bytes v;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	ck_assert(there(&gp, STORE_SEALED, KL_BYTES_OF(mail.id)));
	c = adapter_case(&gp, &c.conv);
	slot = c.slot;
	content = c.slot_content;
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	ck_assert(!there(&gp, STORE_SEALED, KL_BYTES_OF(mail.id)));
	ck_assert(!there(&gp, STORE_SIGNED, KL_BYTES_OF(mail.id)));
	c = adapter_case(&gp, &c.conv);
	ck_assert_uint_ne(c.slot, slot);
	ck_assert(store_erased(gp.store));
	/* Nothing can be put under the old keys any more: they are zero. */
	ck_assert_int_eq(store_put_sealed(gp.store, STORE_STEP,
	    KL_BYTES_OF(mail.id), slot, KL_BYTES_OF(slot)), KL_E_NOT_FOUND);
	ck_assert_int_eq(store_put_sealed(gp.store, STORE_STEP,
	    KL_BYTES_OF(mail.id), content, KL_BYTES_OF(slot)),
	    KL_E_NOT_FOUND);
	ck_assert_int_eq(store_get(gp.store, STORE_STEP, KL_BYTES_OF(mail.id),
	    &v), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(undone_turn_withdraws_nothing)
{
	const struct withdraw_want want = { KL_SCOPE_ALL, KL_CAUSE_RESIDENT };
	struct kl_bytes packed;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	OK(withdraw_make(gp.withdrawals, &gp.t, gp.outbox, &c, &want));
	adapter_restart(&gp);
	c = adapter_case(&gp, &c.conv);
	ck_assert_uint_eq(c.withdrawn, 0);
	ck_assert_uint_eq(outbox_waiting(gp.outbox), 1);
	ck_assert_int_eq(next(&gp, &packed), KL_E_EMPTY);
}
END_TEST

START_TEST(crash_after_the_commit_sends_it_and_nothing_else)
{
	struct adapter_mail mail;
	struct kl_bytes packed;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	adapter_restart(&gp);
	OK(next(&gp, &packed));
	ck_assert(!adapter_send(&gp, &region, &mail));
}
END_TEST

START_TEST(same_again_is_one_withdrawal)
{
	struct kl_bytes packed;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	ck_assert_uint_eq(repeats_waiting(gp.withdrawals), 1);
	ck_assert_uint_eq(steps_of(&gp, ENGINE_WITHDRAWING), 1);
	OK(next(&gp, &packed));
	ck_assert_int_eq(next(&gp, &packed), KL_E_EMPTY);
}
END_TEST

START_TEST(in_error_comes_on_top_of_a_resident)
{
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL,
	    KL_CAUSE_SENT_IN_ERROR);
	c = adapter_case(&gp, &c.conv);
	ck_assert_uint_eq(c.sent.code, KL_ST_SENT_IN_ERROR);
	ck_assert_uint_eq(stored(&gp, KL_SCOPE_ALL).cause,
	    KL_CAUSE_SENT_IN_ERROR);
	ck_assert_uint_eq(repeats_waiting(gp.withdrawals), 1);
	/* Not the other way round. */
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).cause,
	    KL_CAUSE_SENT_IN_ERROR);
}
END_TEST

/* ---- what stays behind ---- */

/* A desk with a case, and feedback that waits. */
static void
desk_has_feedback(void)
{
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_OPENED);
	adapter_feedback(&desk, &c, KL_ST_TAKEN_UP);
	ck_assert_uint_eq(outbox_waiting(desk.outbox), 1);
}

START_TEST(feedback_only_leaves_the_referral_and_the_help)
{
	struct kl_referral content;
	struct adapter_mail mail;

	desk_has_feedback();
	(void)adapter_withdraw(&desk, &c, KL_SCOPE_FEEDBACK,
	    KL_CAUSE_RESIDENT);
	c = adapter_case(&desk, &c.conv);
	ck_assert_uint_eq(c.withdrawn, KL_SCOPE_FEEDBACK);
	ck_assert(cases_open(&c));
	ck_assert_uint_eq(c.full.code, KL_ST_TAKEN_UP);
	OK(cases_content(&desk.t, &c, &content));
	ck_assert(there(&desk, STORE_SIGNED, KL_BYTES_OF(c.referral_msg)));
	ck_assert_uint_eq(outbox_waiting(desk.outbox), 0);
	ck_assert(!adapter_send(&desk, &region, &mail));
	ck_assert_uint_eq(cases_may(&c, KL_FEEDBACK, KL_LEVEL_1),
	    KL_C_NO_FEEDBACK_CONSENT);
	ck_assert_uint_eq(cases_may(&c, KL_FEEDBACK, KL_LEVEL_0), KL_C_OK);
	ck_assert_uint_eq(cases_may(&c, KL_CORRECTION, 0), KL_C_OK);
}
END_TEST

START_TEST(feedback_only_at_the_practice_keeps_a_waiting_correction)
{
	struct kl_referral r = people_usual();
	struct adapter_mail mail;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_OPENED);
	adapter_correct(&gp, &c, &r);
	ck_assert(adapter_send(&gp, &region, &mail));
	outbox_unanswered(gp.outbox, &mail.id, 0);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_FEEDBACK,
	    KL_CAUSE_RESIDENT);
	/* Under another key, and the same bytes. */
	ck_assert(adapter_send(&gp, &region, &mail));
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_TAKEN);
}
END_TEST

START_TEST(state_that_was_last_known_stays_and_the_steps_to_it_go)
{
	struct engine_step s = { .n = 0 };

	desk_has_feedback();
	ck_assert_uint_eq(adapter_carry(&desk, &gp, &region), KL_OPENED);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_FEEDBACK,
	    KL_CAUSE_RESIDENT);
	c = adapter_case(&gp, &c.conv);
	ck_assert_uint_eq(c.sent.code, KL_ST_TAKEN_UP);
	ck_assert_uint_eq(c.sent.last.code, 0);
	while (cases_step_next(&gp.t, &c, s.n, &s) == KL_OK)
		ck_assert_uint_eq(s.feedback.code, 0);
	ck_assert_uint_eq(s.n, c.steps);
}
END_TEST

START_TEST(ended_case_is_erased_and_keeps_its_state)
{
	desk_has_feedback();
	ck_assert_uint_eq(adapter_carry(&desk, &gp, &region), KL_OPENED);
	adapter_feedback(&desk, &c, KL_ST_COMPLETED);
	ck_assert_uint_eq(adapter_carry(&desk, &gp, &region), KL_OPENED);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	c = adapter_case(&gp, &c.conv);
	ck_assert_uint_eq(c.sent.code, KL_ST_COMPLETED);
	ck_assert_uint_eq(c.withdrawn, KL_SCOPE_ALL);
	ck_assert_uint_eq(c.slot_content, KL_SLOT_NONE);
}
END_TEST

START_TEST(what_a_lost_receiver_lacks_is_not_sealed_again)
{
	struct kl_notice lost;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_OPENED);
	c = adapter_case(&gp, &c.conv);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	lost = adapter_notice(KL_NOTICE_LOST_AT_RECEIVER, &c.conv,
	    &c.referral_msg, KL_C_OK);
	OK(outbox_back_notice(gp.outbox, &gp.t, &lost));
	adapter_commit(&gp);
	ck_assert_uint_eq(outbox_waiting(gp.outbox), 0);
	ck_assert_uint_eq(adapter_alarms(&gp, ENGINE_AL_LOST, NULL), 0);
}
END_TEST

START_TEST(late_receipt_tells_when_it_was_opened)
{
	struct adapter_receipt rc;
	struct adapter_mail mail;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	adapter_accepted(&gp, &mail);
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_TAKEN);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL,
	    KL_CAUSE_SENT_IN_ERROR);
	ck_assert(adapter_receipt(&desk, &rc));
	OK(outbox_back_receipt(gp.outbox, &gp.t, kl_bytes(rc.b, rc.n)));
	adapter_commit(&gp);
	c = adapter_case(&gp, &c.conv);
	ck_assert_int_ne(c.delivered_ms, 0);
	ck_assert_uint_eq(c.sent.code, KL_ST_SENT_IN_ERROR);
}
END_TEST

START_TEST(ack_behind_the_withdrawal_still_names_the_case)
{
	struct adapter_mail mail;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	adapter_accepted(&gp, &mail);
	c = adapter_case(&gp, &c.conv);
	ck_assert_int_ne(c.spoken.b[0], 0);
	ck_assert_uint_eq(c.sent.code, KL_ST_CONSENT_WITHDRAWN);
	ck_assert_uint_eq(outbox_waiting(gp.outbox), 0);
}
END_TEST

/* ---- until it is answered ---- */

START_TEST(answer_keeps_counts_and_leaf)
{
	struct kl_bytes packed;
	struct withdrawal w;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	OK(next(&gp, &packed));
	OK(answer_ok(&gp, &desk));
	w = stored(&gp, KL_SCOPE_ALL);
	ck_assert_uint_eq(w.state, WITHDRAW_DONE);
	ck_assert_uint_eq(w.erased, 1);
	ck_assert_uint_eq(w.released_before, 2);
	ck_assert_uint_eq(w.unconfirmed, 3);
	ck_assert_uint_eq(w.has_leaf, 1);
	ck_assert_uint_eq(steps_of(&gp, ENGINE_WITHDRAWN), 1);
	adapter_restart(&gp);
	ck_assert_int_eq(next(&gp, &packed), KL_E_EMPTY);
}
END_TEST

START_TEST(refused_is_told_once_and_sent_again)
{
	struct kl_bytes packed;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	for (int i = 0; i < 3; i++) {
		OK(next(&gp, &packed));
		OK(answer(&gp, KL_C_NOT_SERVED, KL_BYTES_NONE));
		ck_assert_int_eq(next(&gp, &packed), KL_E_EMPTY);
		gp.mono_ms += 600000;
	}
	ck_assert_uint_eq(adapter_alarms(&gp, ENGINE_AL_WITHDRAWAL, NULL), 1);
	OK(next(&gp, &packed));
	OK(answer_ok(&gp, &desk));
	ck_assert_uint_eq(stored(&gp, KL_SCOPE_ALL).code, 0);
}
END_TEST

START_TEST(no_answer_sends_the_same_again)
{
	struct kl_bytes packed;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	OK(next(&gp, &packed));
	ck_assert_int_eq(repeats_wait_ms(gp.withdrawals, gp.mono_ms), -1);
	repeats_lost(gp.withdrawals, &c.conv);
	OK(next(&gp, &packed));
	ck_assert_uint_eq(adapter_alarms(&gp, ENGINE_AL_WITHDRAWAL, NULL), 0);
}
END_TEST

START_TEST(answer_that_is_none_changes_nothing)
{
	struct adapter_reply reply;
	struct kl_bytes packed;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	OK(next(&gp, &packed));
	/* The leaf of two others. */
	adapter_withdraw_reply(&region, &desk, &desk, &reply);
	ck_assert_int_eq(answer(&gp, KL_C_OK, kl_bytes(reply.b, reply.n)),
	    KL_E_FORMAT);
	ck_assert_int_eq(answer(&gp, KL_C_OK, kl_bytes("x", 1)),
	    KL_E_FORMAT);
	ck_assert_uint_eq(stored(&gp, KL_SCOPE_ALL).state, WITHDRAW_WAITS);
}
END_TEST

START_TEST(key_that_ended_signs_no_more)
{
	struct kl_bytes packed;
	struct withdrawal before, after;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	before = stored(&gp, KL_SCOPE_ALL);
	OK(next(&gp, &packed));
	kl_secret_free(gp.id.sign_sk);
	OK(kl_sign_keypair(&gp.id.sign_pk, &gp.id.sign_sk));
	gp.id.key_id = kl_key_id_of(gp.id.sign_pk.b);
	OK(answer(&gp, KL_C_CARD_REVOKED, KL_BYTES_NONE));
	after = stored(&gp, KL_SCOPE_ALL);
	ck_assert_mem_eq(&after.signer, &gp.id.key_id, sizeof after.signer);
	ck_assert_mem_ne(before.packed, after.packed, before.n);
	ck_assert_uint_eq(adapter_alarms(&gp, ENGINE_AL_WITHDRAWAL, NULL), 0);
}
END_TEST

START_TEST(an_hour_without_answer_is_an_alarm)
{
	struct kl_bytes packed;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	OK(withdraw_waited(&gp.t, &c.conv));
	ck_assert_uint_eq(adapter_alarms(&gp, ENGINE_AL_WITHDRAWAL, NULL), 1);
	OK(next(&gp, &packed));
	OK(answer_ok(&gp, &desk));
	OK(withdraw_waited(&gp.t, &c.conv));
	ck_assert_uint_eq(adapter_alarms(&gp, ENGINE_AL_WITHDRAWAL, NULL), 1);
}
END_TEST

START_TEST(two_scopes_go_one_after_the_other)
{
	struct kl_bytes packed;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_FEEDBACK,
	    KL_CAUSE_RESIDENT);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	OK(next(&gp, &packed));
	ck_assert_int_eq(next(&gp, &packed), KL_E_EMPTY);
	OK(answer_ok(&gp, &desk));
	ck_assert_uint_eq(stored(&gp, KL_SCOPE_ALL).state, WITHDRAW_WAITS);
	OK(next(&gp, &packed));
	OK(answer_ok(&gp, &desk));
	ck_assert_uint_eq(stored(&gp, KL_SCOPE_ALL).state, WITHDRAW_DONE);
}
END_TEST

/* ---- later ---- */

START_TEST(kept_until_the_last_day_of_the_consent)
{
	struct withdrawal w;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	gp.t.now_ms = (int64_t)c.valid_until * KL_DAY_MS;
	OK(withdraw_forget(gp.withdrawals, &gp.t, &c.conv));
	OK(withdraw_get(&gp.t, &c.conv, KL_SCOPE_ALL, &w));
	gp.t.now_ms += KL_DAY_MS;
	OK(withdraw_forget(gp.withdrawals, &gp.t, &c.conv));
	ck_assert_int_eq(withdraw_get(&gp.t, &c.conv, KL_SCOPE_ALL, &w),
	    KL_E_NOT_FOUND);
	ck_assert_uint_eq(repeats_waiting(gp.withdrawals), 0);
}
END_TEST

START_TEST(presented_before_all_else_after_a_loss)
{
	struct sync_cursor at;
	struct kl_entry e;
	struct kl_sync page;
	struct case_row other;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &other);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_OPENED);
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	memset(&at, 0, sizeof at);
	OK(sync_page(&gp.t, &at, true, &page));
	ck_assert_uint_eq(page.n_presented, 3);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_ENTRY, page.presented[0],
	    gp.mem, &e), KL_C_OK);
	ck_assert_uint_eq(e.statement, KL_WITHDRAWAL);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_ENTRY, page.presented[1],
	    gp.mem, &e), KL_C_OK);
	ck_assert_uint_eq(e.statement, KL_ENTRY_REFERRAL);
	OK(sync_page(&gp.t, &at, true, &page));
	ck_assert_uint_eq(page.n_presented, 0);
}
END_TEST

START_TEST(what_was_withdrawn_since_the_backup_goes)
{
	struct kl_sync_conversation s = { .state = KL_CONV_WITHDRAWN,
		.last_seq_sender = 1 };

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_OPENED);
	s.conv_id = c.conv;
	s.practice = gp.id.id;
	s.receiver = desk.id.id;
	OK(sync_learn(&desk.t, desk.outbox, &s));
	adapter_commit(&desk);
	c = adapter_case(&desk, &c.conv);
	ck_assert_uint_eq(c.withdrawn, KL_SCOPE_ALL);
	ck_assert_uint_eq(c.slot_content, KL_SLOT_NONE);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("withdraw");
	TCase *t = tcase_create("withdraw");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, statement_is_signed_for_the_whole_consent);
	tcase_add_test(t,
	    referral_that_never_left_is_purged_and_still_withdrawn);
	tcase_add_test(t, sealed_bytes_go_and_their_keys_with_them);
	tcase_add_test(t, undone_turn_withdraws_nothing);
	tcase_add_test(t, crash_after_the_commit_sends_it_and_nothing_else);
	tcase_add_test(t, same_again_is_one_withdrawal);
	tcase_add_test(t, in_error_comes_on_top_of_a_resident);
	tcase_add_test(t, feedback_only_leaves_the_referral_and_the_help);
	tcase_add_test(t,
	    feedback_only_at_the_practice_keeps_a_waiting_correction);
	tcase_add_test(t,
	    state_that_was_last_known_stays_and_the_steps_to_it_go);
	tcase_add_test(t, ended_case_is_erased_and_keeps_its_state);
	tcase_add_test(t, what_a_lost_receiver_lacks_is_not_sealed_again);
	tcase_add_test(t, late_receipt_tells_when_it_was_opened);
	tcase_add_test(t, ack_behind_the_withdrawal_still_names_the_case);
	tcase_add_test(t, answer_keeps_counts_and_leaf);
	tcase_add_test(t, refused_is_told_once_and_sent_again);
	tcase_add_test(t, no_answer_sends_the_same_again);
	tcase_add_test(t, answer_that_is_none_changes_nothing);
	tcase_add_test(t, key_that_ended_signs_no_more);
	tcase_add_test(t, an_hour_without_answer_is_an_alarm);
	tcase_add_test(t, two_scopes_go_one_after_the_other);
	tcase_add_test(t, kept_until_the_last_day_of_the_consent);
	tcase_add_test(t, presented_before_all_else_after_a_loss);
	tcase_add_test(t, what_was_withdrawn_since_the_backup_goes);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
