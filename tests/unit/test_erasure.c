/* Requests to erase: only a party's own word erases, then all of it goes, and
 * the receipt says so when it is true. */
#include "adapters/common/erasure.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/secret.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/host/slots.h>

#include "adapters/common/access.h"
#include "adapters/common/alarm.h"
#include "adapters/common/outbox_back.h"
#include "adapters/common/withdraw.h"
#include "adapters/common/withdraw_onward.h"
#include "adapters/common/withdraw_told.h"
#include "tests/support/adapter.h"
#include "tests/support/people.h"

#define OK(x) ck_assert_int_eq((x), KL_OK)

static struct adapter_region region;
static struct adapter gp, desk, partner;
static struct case_row c;		/* gp's referral to the desk */

static void
setup(void)
{
	adapter_region_make(&region);
	adapter_make(&gp, &region, KL_PRACTICE, "agb:01234567");
	adapter_make(&desk, &region, KL_MUNICIPALITY,
	    "oin:00000001000000000001");
	adapter_make(&partner, &region, KL_PARTNER, "kvk:12345678");
	adapter_meet(&gp, &region, &desk);
	adapter_meet(&desk, &region, &partner);
	adapter_meet_card(&gp, &region, &partner, 0);
	adapter_meet_card(&partner, &region, &gp, 0);
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_OPENED);
}

static void
teardown(void)
{
	adapter_clear(&gp);
	adapter_clear(&desk);
	adapter_clear(&partner);
	adapter_region_clear(&region);
}

/* ---- what the broker hands on ---- */

/* A WITHDRAWAL that `by` signs with the key sk; at first as by should. */
struct order {
	struct kl_withdrawal w;
	const struct kl_secret *sk;
	uint8_t packed[KL_WITHDRAWAL_MAX], parent[KL_ENVELOPE_MAX];
	size_t n, n_parent;
	struct kl_notice notice;
};

static struct order
order_of(const struct adapter *by, const struct kl_conv_id *conv)
{
	return (struct order){ .sk = by->id.sign_sk, .w = {
		.version = 1, .signer = by->id.id,
		.signer_key_id = by->id.key_id, .conv_id = *conv,
		.scope = KL_SCOPE_ALL, .cause = KL_CAUSE_RESIDENT,
		.route = by->id.role, .at_ms = ADAPTER_NOW_MS,
		.valid_until = PEOPLE_TODAY + 700 },
		.notice = adapter_notice(KL_NOTICE_ERASE_REQUEST, conv, NULL,
		KL_C_OK) };
}

static enum erasure_verdict
ask(struct adapter *a, struct order *o, uint32_t *code)
{
	enum erasure_verdict v;
	struct kl_signed s;
	uint8_t body[KL_WITHDRAWAL_MAX];
	size_t n;

	OK(KL_STATEMENT_PACK(KL_WITHDRAWAL, &o->w, body, sizeof body, &n));
	s.body = kl_bytes(body, n);
	OK(kl_sign(KL_LABEL_WITHDRAWAL, s.body, o->sk, &s.sig));
	OK(kl_signed_pack(&s, o->packed, sizeof o->packed, &o->n));
	o->notice.withdrawal = kl_bytes(o->packed, o->n);
	o->notice.parent = kl_bytes(o->parent, o->n_parent);
	OK(erasure_request(a->erasures, &a->t, a->outbox, &o->notice, &v,
	    code));
	adapter_commit(a);
	return v;
}

/* One that is signed already. */
static enum erasure_verdict
take_order(struct adapter *a, const struct order *o)
{
	enum erasure_verdict v;
	uint32_t code;

	OK(erasure_request(a->erasures, &a->t, a->outbox, &o->notice, &v,
	    &code));
	adapter_commit(a);
	return v;
}

static void
ck_refused(struct adapter *a, struct order *o, uint32_t want)
{
	struct kl_referral content;
	struct case_row row;
	const unsigned before = adapter_alarms(a, ENGINE_AL_ERASE, NULL);
	uint32_t code;

	ck_assert_int_eq(ask(a, o, &code), ERASURE_REFUSED);
	ck_assert_uint_eq(code, want);
	ck_assert_uint_eq(adapter_alarms(a, ENGINE_AL_ERASE, NULL), before + 1);
	row = adapter_case(a, &o->notice.conv_id);
	ck_assert_uint_eq(row.withdrawn, 0);
	OK(cases_content(&a->t, &row, &content));
	ck_assert_int_eq(ask(a, o, &code), ERASURE_REFUSED_BEFORE);
	ck_assert_uint_eq(adapter_alarms(a, ENGINE_AL_ERASE, NULL), before + 1);
}

static struct erasure
stored(struct adapter *a, const struct kl_conv_id *conv)
{
	struct store_entry at = { .n_key = 0 };
	struct erasure e;

	OK(erasure_of(&a->t, conv, &at, &e));
	return e;
}

/* The next ERASE_RECEIPT that a sends. */
static bool
receipt(struct adapter *a, struct kl_erase_receipt *rc,
    struct kl_bytes *packed)
{
	struct kl_conv_id conv;
	struct kl_signed s;
	int r;

	OK(erasure_work(a->erasures, &a->t));
	r = erasure_next(a->erasures, &a->t, a->mono_ms, &conv, packed);
	if (r == KL_E_EMPTY)
		return false;
	OK(r);
	ck_assert_int_eq(kl_signed_read(*packed, a->mem, &s), KL_C_OK);
	ck_assert_int_eq(KL_STATEMENT_READ(KL_ERASE_RECEIPT, s.body, a->mem,
	    rc), KL_C_OK);
	OK(kl_verify(KL_LABEL_ERASE_RECEIPT, s.body, &a->id.sign_pk,
	    &s.sig));
	return true;
}

static void
say(struct adapter *a, const struct kl_conv_id *conv, uint32_t outcome)
{
	OK(erasure_answer(a->erasures, &a->t, conv, outcome));
	adapter_commit(a);
}

/* ---- obeyed ---- */

START_TEST(party_is_obeyed_and_the_content_is_gone)
{
	struct order o = order_of(&gp, &c.conv);
	struct kl_referral content;
	struct access_line line;
	struct case_row row;
	struct access_at at = { 0, 0 };
	uint32_t code, slot = adapter_case(&desk, &c.conv).slot_content;
	bool logged = false;

	ck_assert_int_eq(ask(&desk, &o, &code), ERASURE_OBEYED);
	row = adapter_case(&desk, &c.conv);
	ck_assert_uint_eq(row.sent.code, KL_ST_CONSENT_WITHDRAWN);
	ck_assert_uint_eq(row.full.code, KL_ST_CONSENT_WITHDRAWN);
	ck_assert_int_eq(cases_content(&desk.t, &row, &content),
	    KL_E_NOT_FOUND);
	ck_assert_int_eq(store_put_sealed(desk.store, STORE_CONTENT,
	    KL_BYTES_OF(c.conv), slot, KL_BYTES_OF(slot)), KL_E_NOT_FOUND);
	while (access_next(&desk.t, &c.conv, &at, &line) == KL_OK)
		logged |= line.act == ENGINE_WIPED;
	ck_assert(logged);
}
END_TEST

START_TEST(receipt_waits_for_the_desk_and_says_what_it_said)
{
	struct order o = order_of(&gp, &c.conv);
	struct kl_erase_receipt rc;
	struct kl_bytes packed;
	uint32_t code;

	(void)ask(&desk, &o, &code);
	ck_assert_uint_eq(adapter_alarms(&desk, ENGINE_AL_ERASE_ASKED, NULL),
	    1);
	ck_assert(!receipt(&desk, &rc, &packed));
	adapter_commit(&desk);
	say(&desk, &c.conv, KL_KEPT_ON_OWN_BASIS);
	ck_assert(receipt(&desk, &rc, &packed));
	ck_assert_uint_eq(rc.adapter_copy, KL_ERASED);
	ck_assert_uint_eq(rc.case_system, KL_KEPT_ON_OWN_BASIS);
	ck_assert_mem_eq(&rc.conv_id, &c.conv, sizeof c.conv);
	/* Said once: the signed word stands. */
	ck_assert_int_eq(erasure_answer(desk.erasures, &desk.t, &c.conv,
	    KL_ERASED), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(receipt_waits_until_the_keys_are_zero)
{
	struct order o = order_of(&gp, &c.conv);
	struct kl_erase_receipt rc;
	enum erasure_verdict v;
	struct kl_bytes packed;
	uint32_t code;

	(void)ask(&partner, &o, &code);		/* packs and signs it */
	OK(erasure_request(desk.erasures, &desk.t, desk.outbox, &o.notice, &v,
	    &code));
	OK(erasure_answer(desk.erasures, &desk.t, &c.conv, KL_ERASED));
	ck_assert(!receipt(&desk, &rc, &packed));
	OK(store_commit(desk.store));
	ck_assert(!receipt(&desk, &rc, &packed));
	OK(store_erase(desk.store));
	ck_assert(receipt(&desk, &rc, &packed));
	ck_assert_uint_eq(rc.case_system, KL_ERASED);
}
END_TEST

START_TEST(crash_before_the_keys_are_zero_sends_it_after)
{
	struct order o = order_of(&gp, &c.conv);
	struct kl_erase_receipt rc;
	struct kl_bytes packed;
	uint32_t code;

	(void)ask(&desk, &o, &code);
	say(&desk, &c.conv, KL_NOTHING_HELD);
	adapter_restart(&desk);
	ck_assert(receipt(&desk, &rc, &packed));
	adapter_commit(&desk);
	adapter_restart(&desk);
	ck_assert(receipt(&desk, &rc, &packed));
}
END_TEST

START_TEST(undone_turn_erases_nothing)
{
	struct order o = order_of(&gp, &c.conv);
	struct kl_referral content;
	enum erasure_verdict v;
	struct case_row row;
	uint32_t code;

	(void)ask(&partner, &o, &code);
	OK(erasure_request(desk.erasures, &desk.t, desk.outbox, &o.notice, &v,
	    &code));
	adapter_restart(&desk);
	row = adapter_case(&desk, &c.conv);
	OK(cases_content(&desk.t, &row, &content));
}
END_TEST

START_TEST(sent_in_error_ends_as_such_and_nothing_may_be_kept)
{
	struct order o = order_of(&gp, &c.conv);
	uint32_t code;

	o.w.cause = KL_CAUSE_SENT_IN_ERROR;
	ck_assert_int_eq(ask(&desk, &o, &code), ERASURE_OBEYED);
	ck_assert_uint_eq(adapter_case(&desk, &c.conv).full.code,
	    KL_ST_SENT_IN_ERROR);
	ck_assert_int_eq(erasure_answer(desk.erasures, &desk.t, &c.conv,
	    KL_KEPT_ON_OWN_BASIS), KL_E_VALUE);
	say(&desk, &c.conv, KL_ERASED);
}
END_TEST

START_TEST(practice_answers_by_itself_that_the_record_stays)
{
	struct order o = order_of(&desk, &c.conv);
	struct kl_erase_receipt rc;
	struct kl_bytes packed;
	uint32_t code;

	ck_assert_int_eq(ask(&gp, &o, &code), ERASURE_OBEYED);
	ck_assert_uint_eq(adapter_alarms(&gp, ENGINE_AL_ERASE_ASKED, NULL),
	    0);
	ck_assert(receipt(&gp, &rc, &packed));
	ck_assert_uint_eq(rc.adapter_copy, KL_ERASED);
	ck_assert_uint_eq(rc.case_system, KL_KEPT_ON_OWN_BASIS);
}
END_TEST

START_TEST(feedback_only_lets_the_help_go_on)
{
	struct order o = order_of(&gp, &c.conv);
	struct kl_referral content;
	struct kl_erase_receipt rc;
	struct kl_bytes packed;
	struct case_row row = c;
	uint32_t code;

	adapter_feedback(&desk, &row, KL_ST_TAKEN_UP);
	o.w.scope = KL_SCOPE_FEEDBACK;
	ck_assert_int_eq(ask(&desk, &o, &code), ERASURE_OBEYED);
	row = adapter_case(&desk, &c.conv);
	ck_assert(cases_open(&row));
	OK(cases_content(&desk.t, &row, &content));
	ck_assert_uint_eq(outbox_waiting(desk.outbox), 0);
	ck_assert_uint_eq(adapter_alarms(&desk, ENGINE_AL_ERASE_ASKED, NULL),
	    0);
	ck_assert(receipt(&desk, &rc, &packed));
	ck_assert_uint_eq(rc.adapter_copy, KL_ERASED);
}
END_TEST

START_TEST(unknown_conversation_holds_nothing_and_says_so)
{
	struct kl_conv_id other;
	struct kl_erase_receipt rc;
	struct kl_bytes packed;
	struct order o;
	uint32_t code;

	kl_random(other.b, sizeof other.b);
	o = order_of(&gp, &other);
	ck_assert_int_eq(ask(&desk, &o, &code), ERASURE_OBEYED);
	ck_assert(receipt(&desk, &rc, &packed));
	ck_assert_uint_eq(rc.adapter_copy, KL_NOTHING_HELD);
	ck_assert_uint_eq(rc.case_system, KL_NOTHING_HELD);
}
END_TEST

START_TEST(asked_again_sends_the_same_receipt_again)
{
	const struct call_answer taken = { .code = KL_C_OK };
	struct order o = order_of(&gp, &c.conv);
	uint8_t before[RECEIPTS_BYTES_MAX];
	struct kl_erase_receipt rc;
	struct kl_bytes packed;
	uint32_t code;

	(void)ask(&desk, &o, &code);
	ck_assert_int_eq(ask(&desk, &o, &code), ERASURE_KNOWN);
	ck_assert_uint_eq(adapter_alarms(&desk, ENGINE_AL_ERASE_ASKED, NULL),
	    1);
	say(&desk, &c.conv, KL_ERASED);
	ck_assert(receipt(&desk, &rc, &packed));
	memcpy(before, packed.p, packed.n);
	OK(erasure_taken(desk.erasures, &desk.t, &c.conv, &taken, 0));
	adapter_commit(&desk);
	ck_assert(!receipt(&desk, &rc, &packed));
	ck_assert_int_eq(ask(&desk, &o, &code), ERASURE_KNOWN);
	ck_assert(receipt(&desk, &rc, &packed));
	ck_assert_mem_eq(before, packed.p, packed.n);
}
END_TEST

START_TEST(receipt_is_sent_until_it_is_taken)
{
	const struct call_answer later = { .code = KL_C_TRY_LATER };
	const struct call_answer never = { .code = KL_C_MESSAGE_UNKNOWN };
	struct order o = order_of(&gp, &c.conv);
	struct kl_erase_receipt rc;
	struct kl_bytes packed;
	uint32_t code;

	(void)ask(&desk, &o, &code);
	say(&desk, &c.conv, KL_ERASED);
	ck_assert(receipt(&desk, &rc, &packed));
	OK(erasure_taken(desk.erasures, &desk.t, &c.conv, &later, 0));
	ck_assert(!receipt(&desk, &rc, &packed));
	desk.mono_ms += 1000;
	ck_assert(receipt(&desk, &rc, &packed));
	erasure_lost(desk.erasures, &c.conv);
	ck_assert(receipt(&desk, &rc, &packed));
	/* Nobody asked, says the broker: people must know. */
	OK(erasure_taken(desk.erasures, &desk.t, &c.conv, &never, 0));
	desk.mono_ms += 3600000;
	ck_assert(!receipt(&desk, &rc, &packed));
	ck_assert_uint_eq(adapter_alarms(&desk, ENGINE_AL_ERASE, NULL), 1);
}
END_TEST

START_TEST(desk_that_does_not_answer_is_reminded_at_the_term)
{
	struct order o = order_of(&gp, &c.conv);
	uint32_t code;

	o.notice.due_ms = ADAPTER_NOW_MS + 7 * KL_DAY_MS;
	(void)ask(&desk, &o, &code);
	ck_assert_int_eq(stored(&desk, &c.conv).due_ms, o.notice.due_ms);
	OK(erasure_due(&desk.t, &c.conv));
	ck_assert_uint_eq(adapter_alarms(&desk, ENGINE_AL_ERASE_LATE, NULL), 1);
	say(&desk, &c.conv, KL_ERASED);
	OK(erasure_due(&desk.t, &c.conv));
	ck_assert_uint_eq(adapter_alarms(&desk, ENGINE_AL_ERASE_LATE, NULL), 1);
}
END_TEST

START_TEST(request_without_a_term_gets_five_working_days)
{
	struct order o = order_of(&gp, &c.conv);
	uint32_t code;

	(void)ask(&desk, &o, &code);
	ck_assert_int_eq(stored(&desk, &c.conv).due_ms,
	    ADAPTER_NOW_MS + 7 * KL_DAY_MS);
}
END_TEST

START_TEST(kept_until_the_consent_ends)
{
	struct order o = order_of(&gp, &c.conv);
	struct store_entry at = { .n_key = 0 };
	struct erasure e;
	uint32_t code;

	(void)ask(&desk, &o, &code);
	desk.t.now_ms = ((int64_t)o.w.valid_until + 1) * KL_DAY_MS;
	OK(erasure_forget(desk.erasures, &desk.t, &c.conv));
	ck_assert_int_eq(erasure_of(&desk.t, &c.conv, &at, &e),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(request_after_the_consent_has_ended_is_answered_too)
{
	struct order o = order_of(&gp, &c.conv);
	struct store_entry at = { .n_key = 0 };
	struct kl_erase_receipt rc;
	struct kl_bytes packed;
	struct erasure e;
	uint32_t code;

	o.w.valid_until = PEOPLE_TODAY - 5;
	ck_assert_int_eq(ask(&desk, &o, &code), ERASURE_OBEYED);
	desk.t.now_ms += 20 * KL_DAY_MS;
	OK(erasure_forget(desk.erasures, &desk.t, &c.conv));
	say(&desk, &c.conv, KL_ERASED);
	ck_assert(receipt(&desk, &rc, &packed));
	desk.t.now_ms += 11 * KL_DAY_MS;
	OK(erasure_forget(desk.erasures, &desk.t, &c.conv));
	ck_assert_int_eq(erasure_of(&desk.t, &c.conv, &at, &e),
	    KL_E_NOT_FOUND);
}
END_TEST

/* ---- refused ---- */

START_TEST(broker_alone_orders_nothing)
{
	struct order o = order_of(&gp, &c.conv);

	/* The broker's key under the practice's name. */
	o.sk = region.broker.sk;
	ck_refused(&desk, &o, KL_C_SIGNATURE);
}
END_TEST

START_TEST(third_party_orders_nothing)
{
	struct order o;
	struct adapter other;

	adapter_make(&other, &region, KL_PRACTICE, "agb:07654321");
	adapter_meet_card(&desk, &region, &other, 0);
	o = order_of(&other, &c.conv);
	ck_refused(&desk, &o, KL_C_NOT_A_PARTY);
	adapter_clear(&other);
}
END_TEST

START_TEST(in_error_is_for_the_sender_alone_to_say)
{
	struct order o = order_of(&desk, &c.conv);

	/* A practice's route and cause under a desk's card. */
	o.w.cause = KL_CAUSE_SENT_IN_ERROR;
	o.w.route = KL_PRACTICE;
	ck_refused(&gp, &o, KL_C_ROLE);
}
END_TEST

START_TEST(statement_of_another_conversation_orders_nothing)
{
	struct case_row other;
	struct order o;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &other);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_OPENED);
	o = order_of(&gp, &other.conv);
	o.notice.conv_id = c.conv;
	ck_refused(&desk, &o, KL_C_CONSENT_PARENT);
}
END_TEST

START_TEST(card_that_was_not_valid_then_orders_nothing)
{
	struct adapter other;
	struct order o;

	adapter_make(&other, &region, KL_PRACTICE, "agb:07654321");
	adapter_meet_card(&desk, &region, &other,
	    ADAPTER_NOW_MS + KL_DAY_MS);
	o = order_of(&other, &c.conv);
	ck_refused(&desk, &o, KL_C_CARD_UNKNOWN);
	adapter_clear(&other);
}
END_TEST

START_TEST(unknown_card_waits_for_the_directory)
{
	struct adapter other;
	struct order o;
	uint32_t code;

	adapter_make(&other, &region, KL_PRACTICE, "agb:07654321");
	o = order_of(&other, &c.conv);
	ck_assert_int_eq(ask(&desk, &o, &code), ERASURE_WAIT);
	ck_assert(desk.t.want_directory);
	desk.t.directory_whole = true;
	ck_refused(&desk, &o, KL_C_CARD_UNKNOWN);
	adapter_clear(&other);
}
END_TEST

START_TEST(bytes_that_are_no_withdrawal_are_refused)
{
	struct order o = order_of(&gp, &c.conv);
	enum erasure_verdict v;
	uint32_t code;

	o.notice.withdrawal = kl_bytes("abc", 3);
	OK(erasure_request(desk.erasures, &desk.t, desk.outbox, &o.notice, &v,
	    &code));
	ck_assert_int_eq(v, ERASURE_REFUSED);
	ck_assert_uint_eq(code, KL_C_MALFORMED);
}
END_TEST

/* ---- frames still on their way ---- */

START_TEST(correction_behind_the_end_is_turned_away_unopened)
{
	struct kl_referral r = people_usual();
	struct order o = order_of(&gp, &c.conv);
	struct adapter_receipt rc;
	struct adapter_mail mail;
	uint32_t code;

	adapter_correct(&gp, &c, &r);
	ck_assert(adapter_send(&gp, &region, &mail));
	(void)ask(&desk, &o, &code);
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_TAKEN);
	ck_assert(adapter_receipt(&desk, &rc));
	ck_assert_uint_eq(rc.r.outcome, KL_REFUSED);
	ck_assert_uint_eq(rc.r.code, KL_C_CONVERSATION_ENDED);
	ck_assert_uint_eq(adapter_case(&desk, &c.conv).slot_content,
	    KL_SLOT_NONE);
	ck_assert_uint_eq(adapter_alarms(&desk, ENGINE_AL_BAD_ITEM, NULL), 0);
}
END_TEST

START_TEST(referral_behind_its_own_end_is_turned_away)
{
	struct adapter_receipt rc;
	struct adapter_mail mail;
	struct case_row late;
	struct order o;
	uint32_t code;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &late);
	ck_assert(adapter_send(&gp, &region, &mail));
	o = order_of(&gp, &late.conv);
	(void)ask(&desk, &o, &code);
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_TAKEN);
	ck_assert(adapter_receipt(&desk, &rc));
	ck_assert_uint_eq(rc.r.code, KL_C_CONVERSATION_ENDED);
	ck_assert_int_eq(cases_get(&desk.t, &late.conv, &late),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(stranger_cannot_stop_a_referral_before_it_comes)
{
	struct adapter_mail mail;
	struct adapter other;
	struct case_row late;
	struct order o;
	uint32_t code;

	adapter_make(&other, &region, KL_PRACTICE, "agb:07654321");
	adapter_meet_card(&desk, &region, &other, 0);
	adapter_refer(&gp, &desk, KL_LEVEL_2, &late);
	ck_assert(adapter_send(&gp, &region, &mail));
	o = order_of(&other, &late.conv);
	ck_assert_int_eq(ask(&desk, &o, &code), ERASURE_OBEYED);
	adapter_clear(&other);
	ck_assert_int_eq(adapter_receive(&desk, &mail), INBOX_TAKEN);
	OK(cases_get(&desk.t, &late.conv, &late));
}
END_TEST

START_TEST(feedback_behind_its_end_is_turned_away)
{
	struct adapter_receipt rc;
	struct adapter_mail mail;
	struct case_row row = c;
	uint32_t code;
	struct order o;

	adapter_feedback(&desk, &row, KL_ST_TAKEN_UP);
	ck_assert(adapter_send(&desk, &region, &mail));
	o = order_of(&desk, &c.conv);
	o.w.scope = KL_SCOPE_FEEDBACK;
	(void)ask(&gp, &o, &code);
	ck_assert_int_eq(adapter_receive(&gp, &mail), INBOX_TAKEN);
	ck_assert(adapter_receipt(&gp, &rc));
	ck_assert_uint_eq(rc.r.outcome, KL_REFUSED);
	ck_assert_uint_eq(rc.r.code, KL_C_NO_FEEDBACK_CONSENT);
	ck_assert_uint_eq(adapter_case(&gp, &c.conv).sent.code,
	    KL_ST_DELIVERED);
}
END_TEST

/* ---- children ---- */

/* The desk refers c on to the partner, under its body. */
static struct case_row
refer_on(void)
{
	struct case_row child, parent = adapter_case(&desk, &c.conv);

	adapter_refer(&desk, &partner, KL_LEVEL_2, &child);
	child.consent.under = parent.referral;
	OK(cases_put(&desk.t, &child));
	adapter_commit(&desk);
	ck_assert_uint_eq(adapter_carry(&desk, &partner, &region),
	    KL_OPENED);
	return child;
}

/* The parent's end for its child, with the parent's signed body. */
static struct order
order_child(const struct case_row *child)
{
	struct order o = order_of(&gp, &c.conv);
	struct kl_bytes body;

	c = adapter_case(&gp, &c.conv);
	OK(store_get_sealed(gp.store, STORE_SIGNED,
	    KL_BYTES_OF(c.referral_msg), gp.mem, &body));
	memcpy(o.parent, body.p, body.n);
	o.n_parent = body.n;
	o.notice.conv_id = child->conv;
	return o;
}

START_TEST(end_of_the_parent_ends_its_child)
{
	struct case_row child = refer_on(), row;
	struct order o = order_child(&child);
	struct kl_erase_receipt rc;
	struct kl_bytes packed;
	uint32_t code;

	ck_assert_int_eq(ask(&partner, &o, &code), ERASURE_OBEYED);
	row = adapter_case(&partner, &child.conv);
	ck_assert_uint_eq(row.slot_content, KL_SLOT_NONE);
	ck_assert_uint_eq(row.full.code, KL_ST_CONSENT_WITHDRAWN);
	say(&partner, &child.conv, KL_ERASED);
	ck_assert(receipt(&partner, &rc, &packed));
	ck_assert_mem_eq(&rc.conv_id, &child.conv, sizeof child.conv);
}
END_TEST

/* ---- children of children ---- */

/* Another municipality, which the desk refers on to. */
static struct adapter town;

static void
town_make(void)
{
	adapter_make(&town, &region, KL_MUNICIPALITY,
	    "oin:00000001000000000002");
	adapter_meet(&desk, &region, &town);
	adapter_meet(&town, &region, &partner);
	adapter_meet_card(&town, &region, &gp, 0);
	adapter_meet_card(&partner, &region, &town, 0);
}

/* `from`, which received `parent`, refers on to `to` under it. */
static struct case_row
refer_under(struct adapter *from, struct adapter *to,
    const struct kl_conv_id *parent)
{
	const struct case_row p = adapter_case(from, parent);
	struct case_row child;

	adapter_refer(from, to, KL_LEVEL_2, &child);
	child.consent.under = p.referral;
	OK(cases_put(&from->t, &child));
	adapter_commit(from);
	ck_assert_uint_eq(adapter_carry(from, to, &region), KL_OPENED);
	return adapter_case(from, &child.conv);
}

/* What `a` signed of conv; how many. */
static size_t
signed_by(struct adapter *a, const struct kl_conv_id *conv,
    struct withdrawal *w)
{
	int r = withdraw_get(&a->t, conv, KL_SCOPE_ALL, w);

	ck_assert(r == KL_OK || r == KL_E_NOT_FOUND);
	return r == KL_OK ? 1 : 0;
}

START_TEST(child_of_a_child_ends_by_the_word_of_who_referred_it_on)
{
	struct case_row child, below;
	struct withdrawal w;
	struct order o, on;
	uint32_t code;

	town_make();
	child = refer_under(&desk, &town, &c.conv);
	below = refer_under(&town, &partner, &child.conv);
	o = order_child(&child);
	ck_assert_int_eq(ask(&town, &o, &code), ERASURE_OBEYED);
	OK(withdraw_onward(town.withdrawals, &town.t, town.outbox,
	    &child.conv));
	adapter_commit(&town);
	ck_assert_uint_eq(signed_by(&town, &below.conv, &w), 1);
	ck_assert_uint_eq(w.cause, KL_CAUSE_RESIDENT);
	ck_assert_uint_eq(w.valid_until, below.valid_until);
	ck_assert_uint_eq(adapter_case(&town, &below.conv).slot_content,
	    KL_SLOT_NONE);
	/* Which its receiver believes. */
	on = (struct order){ .notice = adapter_notice(
	    KL_NOTICE_ERASE_REQUEST, &below.conv, NULL, KL_C_OK) };
	on.notice.withdrawal = kl_bytes(w.packed, w.n);
	ck_assert_int_eq(take_order(&partner, &on), ERASURE_OBEYED);
	ck_assert_uint_eq(adapter_case(&partner, &below.conv).slot_content,
	    KL_SLOT_NONE);
	adapter_clear(&town);
}
END_TEST

START_TEST(child_of_the_withdrawn_one_is_the_brokers_to_show)
{
	struct case_row child = refer_on();
	struct order o = order_of(&gp, &c.conv);
	struct withdrawal w;
	uint32_t code;

	ck_assert_int_eq(ask(&desk, &o, &code), ERASURE_OBEYED);
	OK(withdraw_onward(desk.withdrawals, &desk.t, desk.outbox,
	    &c.conv));
	adapter_commit(&desk);
	ck_assert_uint_eq(signed_by(&desk, &child.conv, &w), 0);
}
END_TEST

START_TEST(feedback_alone_ends_nothing_that_was_referred_on)
{
	struct case_row child, below;
	struct withdrawal w;
	struct order o;
	uint32_t code;

	town_make();
	child = refer_under(&desk, &town, &c.conv);
	below = refer_under(&town, &partner, &child.conv);
	o = order_of(&desk, &child.conv);
	o.w.scope = KL_SCOPE_FEEDBACK;
	ck_assert_int_eq(ask(&town, &o, &code), ERASURE_OBEYED);
	OK(withdraw_onward(town.withdrawals, &town.t, town.outbox,
	    &child.conv));
	adapter_commit(&town);
	ck_assert_uint_eq(signed_by(&town, &below.conv, &w), 0);
	adapter_clear(&town);
}
END_TEST

/* The end of the parent, and then of the child itself: one question to people
 * is enough. */
START_TEST(desk_that_has_spoken_is_not_asked_again)
{
	struct case_row child = refer_on();
	struct order o = order_child(&child), again;
	const struct call_answer taken = { .code = KL_C_OK };
	struct kl_erase_receipt rc;
	struct kl_bytes packed;
	uint32_t code;

	ck_assert_int_eq(ask(&partner, &o, &code), ERASURE_OBEYED);
	say(&partner, &child.conv, KL_ERASED);
	ck_assert(receipt(&partner, &rc, &packed));
	OK(erasure_taken(partner.erasures, &partner.t, &child.conv, &taken,
	    partner.mono_ms));
	again = order_of(&desk, &child.conv);
	ck_assert_int_eq(ask(&partner, &again, &code), ERASURE_OBEYED);
	ck_assert(receipt(&partner, &rc, &packed));
	ck_assert_uint_eq(rc.case_system, KL_ERASED);
	ck_assert_uint_eq(rc.adapter_copy, KL_NOTHING_HELD);
}
END_TEST

START_TEST(what_was_kept_is_asked_again_after_an_error)
{
	struct order o = order_of(&gp, &c.conv), error;
	struct store_entry at = { .n_key = 0 };
	struct erasure e;
	uint32_t code;
	size_t open = 0;

	ck_assert_int_eq(ask(&desk, &o, &code), ERASURE_OBEYED);
	say(&desk, &c.conv, KL_KEPT_ON_OWN_BASIS);
	error = order_of(&gp, &c.conv);
	error.w.cause = KL_CAUSE_SENT_IN_ERROR;
	ck_assert_int_eq(ask(&desk, &error, &code), ERASURE_OBEYED);
	while (erasure_of(&desk.t, &c.conv, &at, &e) == KL_OK)
		open += e.case_system == 0;
	ck_assert_uint_eq(open, 1);
}
END_TEST

START_TEST(desk_answers_once_for_parent_and_child)
{
	struct case_row child = refer_on();
	struct order o = order_child(&child);
	struct kl_erase_receipt rc;
	struct kl_bytes packed;
	uint32_t code;

	ck_assert_int_eq(ask(&desk, &o, &code), ERASURE_OBEYED);
	o.notice.conv_id = c.conv;
	o.n_parent = 0;
	ck_assert_int_eq(ask(&desk, &o, &code), ERASURE_OBEYED);
	say(&desk, &c.conv, KL_ERASED);
	ck_assert(receipt(&desk, &rc, &packed));
	ck_assert(receipt(&desk, &rc, &packed));
	ck_assert(!receipt(&desk, &rc, &packed));
}
END_TEST

START_TEST(body_that_is_not_the_parent_ends_no_child)
{
	struct case_row child = refer_on(), other;
	struct order o = order_child(&child);
	struct kl_bytes body;

	/* Another referral of the same practice. */
	adapter_refer(&gp, &desk, KL_LEVEL_2, &other);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_OPENED);
	other = adapter_case(&gp, &other.conv);
	OK(store_get_sealed(gp.store, STORE_SIGNED,
	    KL_BYTES_OF(other.referral_msg), gp.mem, &body));
	memcpy(o.parent, body.p, body.n);
	o.n_parent = body.n;
	o.w.conv_id = other.conv;
	ck_refused(&partner, &o, KL_C_CONSENT_PARENT);
}
END_TEST

START_TEST(child_without_the_parents_body_stays)
{
	struct case_row child = refer_on();
	struct order o = order_child(&child);

	o.n_parent = 0;
	ck_refused(&partner, &o, KL_C_CONSENT_PARENT);
}
END_TEST

START_TEST(feedback_of_the_parent_does_not_end_a_child)
{
	struct case_row child = refer_on();
	struct order o = order_child(&child);

	o.w.scope = KL_SCOPE_FEEDBACK;
	ck_refused(&partner, &o, KL_C_CONSENT_PARENT);
}
END_TEST

/* ---- what comes back ---- */

/* gp withdraws, the desk obeys and says `outcome`; its receipt. */
static struct kl_bytes
answered(uint32_t outcome)
{
	struct kl_notice n = adapter_notice(KL_NOTICE_ERASE_REQUEST, &c.conv,
	    NULL, KL_C_OK);
	struct kl_erase_receipt rc;
	enum erasure_verdict v;
	struct kl_bytes packed;
	uint32_t code;

	n.withdrawal = adapter_withdraw(&gp, &c, KL_SCOPE_ALL,
	    KL_CAUSE_RESIDENT);
	OK(erasure_request(desk.erasures, &desk.t, desk.outbox, &n, &v,
	    &code));
	ck_assert_int_eq(v, ERASURE_OBEYED);
	adapter_commit(&desk);
	say(&desk, &c.conv, outcome);
	ck_assert(receipt(&desk, &rc, &packed));
	return packed;
}

START_TEST(receipt_of_the_other_side_is_kept_once)
{
	struct kl_bytes packed = answered(KL_KEPT_ON_OWN_BASIS);
	struct store_entry at = { .n_key = 0 };
	struct withdraw_told told;
	struct withdrawal w;

	OK(withdraw_told_take(&gp.t, packed));
	OK(withdraw_told_take(&gp.t, packed));
	OK(withdraw_get(&gp.t, &c.conv, KL_SCOPE_ALL, &w));
	OK(withdraw_told_each(&gp.t, &w.hash, &at, &told));
	ck_assert(kl_id_equal(&told.signer, &desk.id.id));
	ck_assert_uint_eq(told.case_system, KL_KEPT_ON_OWN_BASIS);
	ck_assert_int_eq(withdraw_told_each(&gp.t, &w.hash, &at, &told),
	    KL_E_NOT_FOUND);
	OK(withdraw_told_forget(&gp.t, &w.hash));
	at.n_key = 0;
	ck_assert_int_eq(withdraw_told_each(&gp.t, &w.hash, &at, &told),
	    KL_E_NOT_FOUND);
}
END_TEST

/* Nothing else would find, and so erase, them. */
START_TEST(answers_go_with_the_statement_that_another_replaces)
{
	struct kl_bytes packed = answered(KL_KEPT_ON_OWN_BASIS);
	struct store_entry at = { .n_key = 0 };
	struct withdraw_told told;
	struct withdrawal before, w;

	OK(withdraw_told_take(&gp.t, packed));
	OK(withdraw_get(&gp.t, &c.conv, KL_SCOPE_ALL, &before));
	c = adapter_case(&gp, &c.conv);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL,
	    KL_CAUSE_SENT_IN_ERROR);
	OK(withdraw_get(&gp.t, &c.conv, KL_SCOPE_ALL, &w));
	ck_assert_mem_ne(&w.hash, &before.hash, sizeof w.hash);
	ck_assert_int_eq(withdraw_told_each(&gp.t, &before.hash, &at, &told),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(receipt_of_somebody_else_is_not_believed)
{
	struct kl_bytes packed = answered(KL_ERASED);
	uint8_t forged[RECEIPTS_BYTES_MAX];
	struct kl_erase_receipt rc;
	struct kl_signed s;
	size_t n;

	ck_assert_int_eq(kl_signed_read(packed, desk.mem, &s), KL_C_OK);
	ck_assert_int_eq(KL_STATEMENT_READ(KL_ERASE_RECEIPT, s.body,
	    desk.mem, &rc), KL_C_OK);
	/* The partner is no party of this conversation. */
	rc.signer = partner.id.id;
	rc.signer_key_id = partner.id.key_id;
	OK(identity_sign(&partner.id, KL_ERASE_RECEIPT, &rc, sizeof rc,
	    forged, sizeof forged, &n));
	ck_assert_int_eq(withdraw_told_take(&gp.t, kl_bytes(forged, n)),
	    KL_E_SIGNATURE);
	/* Nor is another key under the desk's name. */
	rc.signer = desk.id.id;
	rc.signer_key_id = desk.id.key_id;
	OK(identity_sign(&partner.id, KL_ERASE_RECEIPT, &rc, sizeof rc,
	    forged, sizeof forged, &n));
	ck_assert_int_eq(withdraw_told_take(&gp.t, kl_bytes(forged, n)),
	    KL_E_SIGNATURE);
	/* Nor one about what nobody withdrew. */
	memset(&rc.withdrawal_hash, 7, sizeof rc.withdrawal_hash);
	OK(identity_sign(&desk.id, KL_ERASE_RECEIPT, &rc, sizeof rc, forged,
	    sizeof forged, &n));
	ck_assert_int_eq(withdraw_told_take(&gp.t, kl_bytes(forged, n)),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(signer_that_is_not_known_yet_is_waited_for)
{
	struct kl_bytes packed = answered(KL_ERASED);
	struct directory *known = gp.t.dir;

	gp.t.dir = directory_new(&gp.id.authority, KL_TRAINING);
	ck_assert_int_eq(withdraw_told_take(&gp.t, packed), KL_E_AGAIN);
	directory_free(gp.t.dir);
	gp.t.dir = known;
}
END_TEST

START_TEST(missing_receipt_is_told_once)
{
	struct kl_notice n = adapter_notice(KL_NOTICE_ESCALATION, &c.conv,
	    NULL, KL_C_OK);

	ck_assert_int_eq(withdraw_told_missing(&gp.t, &n), KL_E_NOT_FOUND);
	(void)adapter_withdraw(&gp, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	OK(withdraw_told_missing(&gp.t, &n));
	OK(withdraw_told_missing(&gp.t, &n));
	ck_assert_uint_eq(adapter_alarms(&gp, ENGINE_AL_ERASE_MISSING, NULL),
	    1);
}
END_TEST

static void
add_obeyed(Suite *s)
{
	TCase *t = tcase_create("obeyed");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, party_is_obeyed_and_the_content_is_gone);
	tcase_add_test(t, receipt_waits_for_the_desk_and_says_what_it_said);
	tcase_add_test(t, receipt_waits_until_the_keys_are_zero);
	tcase_add_test(t, crash_before_the_keys_are_zero_sends_it_after);
	tcase_add_test(t, undone_turn_erases_nothing);
	tcase_add_test(t,
	    sent_in_error_ends_as_such_and_nothing_may_be_kept);
	tcase_add_test(t, practice_answers_by_itself_that_the_record_stays);
	tcase_add_test(t, feedback_only_lets_the_help_go_on);
	tcase_add_test(t, unknown_conversation_holds_nothing_and_says_so);
	tcase_add_test(t, asked_again_sends_the_same_receipt_again);
	tcase_add_test(t, receipt_is_sent_until_it_is_taken);
	tcase_add_test(t, desk_that_does_not_answer_is_reminded_at_the_term);
	tcase_add_test(t, request_without_a_term_gets_five_working_days);
	tcase_add_test(t, kept_until_the_consent_ends);
	tcase_add_test(t,
	    request_after_the_consent_has_ended_is_answered_too);
	suite_add_tcase(s, t);
}

static void
add_refused(Suite *s)
{
	TCase *t = tcase_create("refused");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, broker_alone_orders_nothing);
	tcase_add_test(t, third_party_orders_nothing);
	tcase_add_test(t, in_error_is_for_the_sender_alone_to_say);
	tcase_add_test(t, statement_of_another_conversation_orders_nothing);
	tcase_add_test(t, card_that_was_not_valid_then_orders_nothing);
	tcase_add_test(t, unknown_card_waits_for_the_directory);
	tcase_add_test(t, bytes_that_are_no_withdrawal_are_refused);
	tcase_add_test(t,
	    correction_behind_the_end_is_turned_away_unopened);
	tcase_add_test(t, referral_behind_its_own_end_is_turned_away);
	tcase_add_test(t, stranger_cannot_stop_a_referral_before_it_comes);
	tcase_add_test(t, feedback_behind_its_end_is_turned_away);
	suite_add_tcase(s, t);
}

static void
add_others(Suite *s)
{
	TCase *t = tcase_create("others");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, end_of_the_parent_ends_its_child);
	tcase_add_test(t,
	    child_of_a_child_ends_by_the_word_of_who_referred_it_on);
	tcase_add_test(t, child_of_the_withdrawn_one_is_the_brokers_to_show);
	tcase_add_test(t,
	    feedback_alone_ends_nothing_that_was_referred_on);
	tcase_add_test(t, desk_that_has_spoken_is_not_asked_again);
	tcase_add_test(t, what_was_kept_is_asked_again_after_an_error);
	tcase_add_test(t, desk_answers_once_for_parent_and_child);
	tcase_add_test(t, body_that_is_not_the_parent_ends_no_child);
	tcase_add_test(t, child_without_the_parents_body_stays);
	tcase_add_test(t, feedback_of_the_parent_does_not_end_a_child);
	tcase_add_test(t, receipt_of_the_other_side_is_kept_once);
	tcase_add_test(t,
	    answers_go_with_the_statement_that_another_replaces);
	tcase_add_test(t, receipt_of_somebody_else_is_not_believed);
	tcase_add_test(t, signer_that_is_not_known_yet_is_waited_for);
	tcase_add_test(t, missing_receipt_is_told_once);
	suite_add_tcase(s, t);
}

int
main(void)
{
	Suite *s = suite_create("erasure");
	SRunner *sr = srunner_create(s);
	int failed;

	add_obeyed(s);
	add_refused(s);
	add_others(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
