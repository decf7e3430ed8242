/* What a broker, a receiver or another sender may try against an adapter. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/common/alarm.h"
#include "adapters/common/events.h"
#include "adapters/common/outbox_answer.h"
#include "adapters/common/outbox_back.h"
#include "adapters/common/outbox_draft.h"
#include "tests/support/adapter.h"
#include "tests/support/people.h"

#define OK(x) ck_assert_int_eq((x), KL_OK)

static struct adapter_region region;
static struct adapter gp, desk, other;
static struct case_row c;
static struct adapter_mail mail, foreign;
static struct adapter_receipt rc;
static struct out_row row;

static void
setup(void)
{
	adapter_region_make(&region);
	adapter_make(&gp, &region, KL_PRACTICE, "agb:01234567");
	adapter_make(&other, &region, KL_PRACTICE, "agb:07654321");
	adapter_make(&desk, &region, KL_MUNICIPALITY,
	    "oin:00000001000000000001");
	adapter_meet(&gp, &region, &desk);
	adapter_meet(&other, &region, &desk);
}

static void
teardown(void)
{
	adapter_clear(&gp);
	adapter_clear(&other);
	adapter_clear(&desk);
	adapter_region_clear(&region);
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

static uint32_t
state_of(const struct kl_msg_id *id)
{
	OK(outbox_row(&gp.t, id, &row));
	return row.state;
}

/* The desk signs this about a message of the practice; it is handed over. */
static void
receipt(const struct kl_msg_id *id, uint32_t outcome, uint32_t code)
{
	struct kl_receipt r = { .version = KL_PROTOCOL_VERSION,
		.signer = desk.id.id, .signer_key_id = desk.id.key_id,
		.msg_id = *id, .outcome = outcome, .code = code,
		.at_ms = ADAPTER_NOW_MS };
	uint8_t buf[RECEIPTS_BYTES_MAX];
	size_t n;

	(void)state_of(id);
	r.body_hash = row.body;
	OK(identity_sign(&desk.id, KL_RECEIPT, &r, sizeof r, buf, sizeof buf,
	    &n));
	OK(outbox_back_receipt(gp.outbox, &gp.t, kl_bytes(buf, n)));
	adapter_commit(&gp);
}

static void
sent(void)
{
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	adapter_accepted(&gp, &mail);
}

/* ---- a receiver that says two things ------------------------------------ */

START_TEST(first_receipt_counts_at_the_sender)
{
	sent();
	receipt(&mail.id, KL_OPENED, KL_C_OK);
	ck_assert_uint_eq(state_of(&mail.id), OUT_DELIVERED);
	receipt(&mail.id, KL_REFUSED, KL_C_STATE);
	ck_assert_uint_eq(state_of(&mail.id), OUT_DELIVERED);
	receipt(&mail.id, KL_UNDECRYPTABLE, KL_C_PREKEY);
	ck_assert_uint_eq(state_of(&mail.id), OUT_DELIVERED);
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).sent.code,
	    KL_ST_DELIVERED);
}
END_TEST

START_TEST(receiver_that_never_opens_is_not_written_to_for_ever)
{
	int n = 0;

	sent();
	do {
		receipt(&mail.id, KL_UNDECRYPTABLE, KL_C_PREKEY);
		gp.mono_ms += 2000;
	} while (++n < 50 && adapter_send(&gp, &region, &mail) &&
	    (adapter_accepted(&gp, &mail), true));
	ck_assert_int_le(n, OUTBOX_RESEAL_MAX + 1);
	ck_assert_uint_eq(state_of(&mail.id), OUT_DEAD);
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).pending, 0);
}
END_TEST

START_TEST(receipt_of_what_was_sealed_again_changes_nothing)
{
	const struct kl_notice lost = { .notice = KL_NOTICE_LOST_AT_RECEIVER };
	struct kl_notice n;
	struct kl_msg_id first;

	sent();
	first = mail.id;
	receipt(&first, KL_OPENED, KL_C_OK);
	n = adapter_notice(lost.notice, &c.conv, &first, KL_C_OK);
	OK(outbox_back_notice(gp.outbox, &gp.t, &n));
	adapter_commit(&gp);
	ck_assert_uint_eq(state_of(&first), OUT_REPLACED);
	receipt(&first, KL_OPENED, KL_C_OK);
	ck_assert_uint_eq(state_of(&first), OUT_REPLACED);
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).pending, 1);
}
END_TEST

/* ---- a broker that shows the leaf of something else --------------------- */

START_TEST(leaf_of_another_message_is_no_acceptance)
{
	struct out_answer a = { .code = KL_C_OK };

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &foreign));
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	a.body = kl_bytes(foreign.reply, foreign.n_reply);
	ck_assert_int_eq(outbox_answer_take(gp.outbox, &gp.t, &mail.id, &a,
	    gp.mono_ms), KL_E_FORMAT);
	adapter_restart(&gp);
	ck_assert_uint_eq(state_of(&mail.id), OUT_SEALED);
}
END_TEST

START_TEST(acceptance_before_the_message_was_made_gets_no_receipt)
{
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	OK(outbox_draft_seal(gp.outbox, &gp.t, gp.mono_ms));
	/* A leaf of an hour before, when a card may still have counted. */
	gp.t.now_ms -= KL_HOUR_MS;
	ck_assert(adapter_send(&gp, &region, &mail));
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_BAD);
	ck_assert(!adapter_receipt(&desk, &rc));
}
END_TEST

START_TEST(seq_that_none_can_follow_is_passed_over)
{
	static const uint8_t last[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff };
	const struct out_answer a = { .code = KL_C_SEQ,
		.detail = KL_BYTES_OF(last) };

	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert(adapter_send(&gp, &region, &mail));
	OK(outbox_answer_take(gp.outbox, &gp.t, &mail.id, &a, gp.mono_ms));
	adapter_commit(&gp);
	gp.mono_ms += 2000;
	ck_assert(adapter_send(&gp, &region, &mail));
	(void)state_of(&mail.id);
	ck_assert_uint_eq(row.seq, 1);
}
END_TEST

/* ---- replays ------------------------------------------------------------ */

START_TEST(what_is_no_longer_remembered_is_not_taken_again)
{
	sent();
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_TAKEN);
	ck_assert(adapter_receipt(&desk, &rc));
	/* All of it forgotten, as a folder that was cleaned. */
	OK(receipts_forget(&desk.t, &mail.id));
	c = adapter_case(&desk, &c.conv);
	OK(cases_forget(&desk.t, &c));
	adapter_commit(&desk);
	OK(outbox_row(&gp.t, &mail.id, &row));
	desk.t.now_ms = row.expire_ms + 8 * KL_DAY_MS;
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_BAD);
	ck_assert_uint_eq(events_of(&desk, ENGINE_EV_REFERRAL), 1);
}
END_TEST

/* ---- another sender in a conversation ----------------------------------- */

START_TEST(stranger_does_not_touch_the_case_that_it_names)
{
	struct kl_referral r = people_usual();
	struct case_row mine, d;

	sent();
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_TAKEN);
	ck_assert(adapter_receipt(&desk, &rc));
	d = adapter_case(&desk, &c.conv);

	/* Another practice seals a correction under this conv_id. */
	memset(&mine, 0, sizeof mine);
	mine.conv = c.conv;
	mine.peer = desk.id.id;
	mine.mine = 1;
	mine.seq_out = 1;
	mine.referral = d.referral;
	mine.valid_until = d.valid_until;
	mine.staff_role = KL_STAFF_GP;
	kl_progress_init(&mine.sent, KL_ST_DELIVERED, KL_LEVEL_2);
	OK(cases_make(&other.t, &mine));
	OK(cases_put(&other.t, &mine));
	adapter_commit(&other);
	adapter_correct(&other, &mine, &r);
	ck_assert(adapter_send(&other, &region, &foreign));
	ck_assert_int_eq(adapter_receive(&desk, &foreign), INBOX_TAKEN);
	ck_assert(adapter_receipt(&desk, &rc));
	ck_assert_uint_eq(rc.r.outcome, KL_REFUSED);
	ck_assert_uint_eq(rc.r.code, KL_C_NOT_A_PARTY);
	ck_assert_uint_eq(adapter_case(&desk, &c.conv).seq_in, d.seq_in);

	/* And the one whose case it is goes on. */
	adapter_correct(&gp, &c, &r);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_OPENED);
}
END_TEST

START_TEST(referral_replaces_only_the_one_that_is_there)
{
	sent();
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_TAKEN);
	ck_assert(adapter_receipt(&desk, &rc));
	c = adapter_case(&gp, &c.conv);
	OK(outbox_draft_add(gp.outbox, &gp.t, &c, KL_REFERRAL, NULL,
	    KL_MS_NONE));
	OK(cases_put(&gp.t, &c));
	adapter_commit(&gp);
	/* It names one that never was. */
	ck_assert(adapter_send(&gp, &region, &mail));
	OK(outbox_row(&gp.t, &mail.id, &row));
	kl_random(row.replaces.b, sizeof row.replaces.b);
	OK(outbox_put_row(&gp.t, &row));
	OK(outbox_draft_again(gp.outbox, &gp.t, &c, &row, OUTBOX_SAME_SEQ));
	OK(cases_put(&gp.t, &c));
	adapter_commit(&gp);
	ck_assert(adapter_send(&gp, &region, &mail));
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_TAKEN);
	ck_assert(adapter_receipt(&desk, &rc));
	ck_assert_uint_eq(rc.r.code, KL_C_CONFLICT);
	ck_assert_uint_eq(events_of(&desk, ENGINE_EV_REFERRAL), 1);
}
END_TEST

static Suite *
suite(void)
{
	Suite *suite = suite_create("hostile");
	TCase *tc = tcase_create("others");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, first_receipt_counts_at_the_sender);
	tcase_add_test(tc,
	    receiver_that_never_opens_is_not_written_to_for_ever);
	tcase_add_test(tc, receipt_of_what_was_sealed_again_changes_nothing);
	tcase_add_test(tc, leaf_of_another_message_is_no_acceptance);
	tcase_add_test(tc,
	    acceptance_before_the_message_was_made_gets_no_receipt);
	tcase_add_test(tc, seq_that_none_can_follow_is_passed_over);
	tcase_add_test(tc, what_is_no_longer_remembered_is_not_taken_again);
	tcase_add_test(tc, stranger_does_not_touch_the_case_that_it_names);
	tcase_add_test(tc, referral_replaces_only_the_one_that_is_there);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	SRunner *r;
	int failed;

	if (kl_crypto_init() != KL_OK)
		return EXIT_FAILURE;
	r = srunner_create(suite());
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
