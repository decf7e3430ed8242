#include "proto/audit/rules.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/secret.h>

#define FINDINGS_MAX 32
#define DAY (24 * 60)
#define START (20000 * DAY)		/* minute of leaf 0 */

/* A log that is told leaf by leaf, and what is said of it. */
static struct audit_rules *rules;
static struct audit_finding found[FINDINGS_MAX];
static size_t n_found;
static uint64_t leaf;
static int64_t minute;

static void
take_finding(void *arg, const struct audit_finding *f)
{
	(void)arg;
	ck_assert_uint_lt(n_found, FINDINGS_MAX);
	ck_assert_uint_gt(strlen(f->text), 0);
	/* Each has its Dutch. */
	ck_assert_str_ne(f->text, f->dutch);
	found[n_found++] = *f;
}

static uint64_t
put(struct kl_record r)
{
	r.version = 1;
	r.time_minute = minute;
	if (r.actor_role == 0)
		r.actor_role = KL_BROKER;
	if (r.outcome == 0)
		r.outcome = 1;
	if (r.reason == 0)
		r.reason = KL_C_OK;
	if (r.count == 0)
		r.count = 1;
	ck_assert_int_eq(audit_rules_take(rules, leaf, &r), KL_OK);
	return leaf++;
}

static struct kl_id
id_of(const char *text)
{
	struct kl_id id;

	ck_assert_int_eq(kl_id_read(text, &id), KL_OK);
	return id;
}

#define PRACTICE id_of("agb:01234567")
#define DESK id_of("oin:00000001234567890000")

static struct kl_ref
ref_of(uint8_t n)
{
	return (struct kl_ref){ { n, 1 } };
}

static struct kl_hash
hash_of(uint8_t n)
{
	return (struct kl_hash){ { n, 2 } };
}

/* Message m of conversation 1; of a FEEDBACK the parties change sides. */
static struct kl_record
of_message(uint8_t m, uint32_t kind, uint32_t event, uint32_t prev,
    uint32_t new)
{
	const bool back = kind == KL_FEEDBACK;

	return (struct kl_record){ .event = event, .kind = kind,
		.conv_ref = ref_of(1), .msg_ref = ref_of(m),
		.org_from = back ? DESK : PRACTICE,
		.org_to = back ? PRACTICE : DESK, .body_hash = hash_of(m),
		.prev_state = prev, .new_state = new,
		.milestone = back ? KL_MS_TAKEN_UP : 0 };
}

static uint64_t
accept(uint8_t m, uint32_t kind)
{
	return put(of_message(m, kind, KL_EV_ACCEPTED, 0, KL_MSG_ACCEPTED));
}

static uint64_t
release(uint8_t m, uint32_t kind)
{
	return put(of_message(m, kind, KL_EV_RELEASED, KL_MSG_ACCEPTED,
	    KL_MSG_RELEASED));
}

static uint64_t
deliver(uint8_t m, uint32_t kind)
{
	return put(of_message(m, kind, KL_EV_DELIVERED, KL_MSG_RELEASED,
	    KL_MSG_DELIVERED));
}

static uint64_t
erase(uint8_t m, uint32_t kind, uint32_t state)
{
	return put(of_message(m, kind, KL_EV_ERASED, state, KL_MSG_ERASED));
}

static uint64_t
withdraw(uint32_t kind, uint8_t body)
{
	return put((struct kl_record){ .event = KL_EV_CONSENT_WITHDRAWN,
	    .kind = kind, .conv_ref = ref_of(1), .org_from = PRACTICE,
	    .org_to = DESK, .body_hash = hash_of(body) });
}

static uint64_t
owed(uint32_t event, uint8_t body, int64_t due)
{
	return put((struct kl_record){ .event = event, .conv_ref = ref_of(1),
	    .org_from = DESK, .org_to = PRACTICE, .due_minute = due,
	    .body_hash = hash_of(body) });
}

static uint64_t
hold(uint32_t reason)
{
	return put((struct kl_record){ .event = KL_EV_HOLD,
	    .reason = reason });
}

static uint64_t
expire(uint8_t m)
{
	struct kl_record r = of_message(m, KL_REFERRAL, KL_EV_EXPIRED,
	    KL_MSG_ACCEPTED, KL_MSG_EXPIRED);

	r.reason = KL_C_EXPIRED;
	return put(r);
}

/* A leaf in each of the next minutes: the broker runs on. */
static void
run_on(int minutes)
{
	while (minutes-- > 0) {
		minute++;
		(void)put((struct kl_record){ .event = KL_EV_QUERY });
	}
}

static void
begin(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	rules = audit_rules_new(take_finding, NULL);
	ck_assert_ptr_nonnull(rules);
	n_found = 0;
	leaf = 0;
	minute = START;
	(void)put((struct kl_record){ .event = KL_EV_ORIGIN });
	(void)put((struct kl_record){ .event = KL_EV_CARD,
	    .org_from = PRACTICE, .body_hash = hash_of(90) });
	(void)put((struct kl_record){ .event = KL_EV_CARD, .org_from = DESK,
	    .body_hash = hash_of(91) });
}

static void
end(void)
{
	audit_rules_free(rules);
	rules = NULL;
}

/* The log is over, and this alone is wrong with it. */
static void
only(uint32_t rule, uint64_t at)
{
	audit_rules_end(rules);
	ck_assert_uint_eq(n_found, 1);
	ck_assert_msg(found[0].rule == rule, "%s: %s",
	    audit_rule_name(found[0].rule), found[0].text);
	ck_assert_uint_eq(found[0].leaf, at);
	ck_assert_uint_eq(audit_rules_count(rules).broken, 1);
}

static void
nothing(void)
{
	audit_rules_end(rules);
	ck_assert_msg(n_found == 0, "leaf %d, %s: %s", (int)found[0].leaf,
	    audit_rule_name(found[0].rule), found[0].text);
}

/* Sent, delivered and erased. */
static void
through(uint8_t m, uint32_t kind)
{
	(void)accept(m, kind);
	(void)release(m, kind);
	(void)deliver(m, kind);
	(void)erase(m, kind, KL_MSG_DELIVERED);
}

/* ---- what is as it should be ---- */

START_TEST(a_closed_loop_breaks_nothing)
{
	through(1, KL_REFERRAL);
	through(2, KL_FEEDBACK);
	run_on(10);
	nothing();
	ck_assert_uint_eq(audit_rules_count(rules).messages, 2);
	ck_assert_uint_eq(audit_rules_count(rules).conversations, 1);
}
END_TEST

START_TEST(a_withdrawal_that_is_done_breaks_nothing)
{
	(void)accept(1, KL_REFERRAL);
	(void)release(1, KL_REFERRAL);
	(void)accept(2, KL_CORRECTION);
	(void)withdraw(0, 50);
	(void)put(of_message(1, KL_REFERRAL, KL_EV_UNCONFIRMED,
	    KL_MSG_RELEASED, KL_MSG_UNCONFIRMED));
	(void)put(of_message(2, KL_CORRECTION, KL_EV_WITHDRAWN,
	    KL_MSG_ACCEPTED, KL_MSG_WITHDRAWN));
	(void)owed(KL_EV_ERASE_ASKED, 50, minute + 10);
	(void)erase(1, KL_REFERRAL, KL_MSG_UNCONFIRMED);
	(void)erase(2, KL_CORRECTION, KL_MSG_WITHDRAWN);
	/* Its receipt came late. */
	(void)put(of_message(1, KL_REFERRAL, KL_EV_DELIVERED,
	    KL_MSG_UNCONFIRMED, KL_MSG_DELIVERED));
	(void)owed(KL_EV_ERASE_RECEIPT, 51, minute + 10);
	run_on(30);
	nothing();
}
END_TEST

START_TEST(feedback_of_level_0_goes_on_after_feedback_was_withdrawn)
{
	struct kl_record r;

	through(1, KL_REFERRAL);
	(void)withdraw(KL_FEEDBACK, 50);
	r = of_message(2, KL_FEEDBACK, KL_EV_ACCEPTED, 0, KL_MSG_ACCEPTED);
	r.milestone = KL_MS_RETURNED;
	(void)put(r);
	r.event = KL_EV_RELEASED;
	r.prev_state = KL_MSG_ACCEPTED;
	r.new_state = KL_MSG_RELEASED;
	(void)put(r);
	run_on(3);
	nothing();
}
END_TEST

START_TEST(what_a_loss_brings_back_breaks_nothing)
{
	struct kl_record r = of_message(1, KL_REFERRAL, KL_EV_PRESENTED, 0,
	    KL_MSG_DELIVERED);

	/* A body, a receipt of it, one of another that waits, and a receipt
	 * of what has expired here. */
	(void)put((struct kl_record){ .event = KL_EV_PRESENTED,
	    .kind = KL_REFERRAL, .conv_ref = ref_of(1),
	    .org_from = PRACTICE, .org_to = DESK, .body_hash = hash_of(1) });
	(void)put(r);
	(void)accept(2, KL_FEEDBACK);
	(void)put(of_message(2, KL_FEEDBACK, KL_EV_DELIVERED,
	    KL_MSG_ACCEPTED, KL_MSG_DELIVERED));
	(void)erase(2, KL_FEEDBACK, KL_MSG_DELIVERED);
	(void)accept(3, KL_REFERRAL);
	(void)expire(3);
	(void)erase(3, KL_REFERRAL, KL_MSG_EXPIRED);
	(void)put(of_message(3, KL_REFERRAL, KL_EV_PRESENTED,
	    KL_MSG_EXPIRED, KL_MSG_DELIVERED));
	run_on(10);
	nothing();
}
END_TEST

static struct kl_record
never_came(uint32_t event)
{
	return (struct kl_record){ .event = event, .kind = KL_REFERRAL,
	    .conv_ref = ref_of(1), .org_from = PRACTICE, .org_to = DESK,
	    .body_hash = hash_of(1), .reason = KL_C_EXPIRED };
}

START_TEST(a_shown_referral_that_never_came_breaks_nothing)
{
	(void)put(never_came(KL_EV_PRESENTED));
	(void)put(never_came(KL_EV_EXPIRED));
	run_on(10);
	nothing();
}
END_TEST

START_TEST(an_expiry_of_no_message_without_a_loss_is_found)
{
	only(AUDIT_RULE_STATE, put(never_came(KL_EV_EXPIRED)));
}
END_TEST

START_TEST(an_expiry_of_no_message_that_names_a_state_is_found)
{
	struct kl_record r = never_came(KL_EV_EXPIRED);

	(void)put(never_came(KL_EV_PRESENTED));
	r.new_state = KL_MSG_EXPIRED;
	only(AUDIT_RULE_FORM, put(r));
}
END_TEST

/* ---- form, origin ---- */

START_TEST(a_record_that_names_no_message_where_it_must_is_found)
{
	struct kl_record r = of_message(1, KL_REFERRAL, KL_EV_RELEASED,
	    KL_MSG_ACCEPTED, KL_MSG_RELEASED);

	memset(&r.msg_ref, 0, sizeof r.msg_ref);
	only(AUDIT_RULE_FORM, put(r));
}
END_TEST

START_TEST(a_question_without_who_asked_is_found)
{
	only(AUDIT_RULE_FORM, put((struct kl_record){ .event = KL_EV_QUERY,
	    .actor_role = KL_AUDITOR }));
}
END_TEST

START_TEST(a_refusal_without_reason_is_found)
{
	only(AUDIT_RULE_FORM, put((struct kl_record){
	    .event = KL_EV_REFUSED, .outcome = 2, .org_from = DESK }));
}
END_TEST

START_TEST(a_second_origin_is_found)
{
	only(AUDIT_RULE_ORIGIN, put((struct kl_record){
	    .event = KL_EV_ORIGIN }));
}
END_TEST

START_TEST(a_log_without_its_origin_is_found)
{
	leaf = 0;
	only(AUDIT_RULE_ORIGIN, put((struct kl_record){
	    .event = KL_EV_QUERY }));
}
END_TEST

/* ---- once, states ---- */

START_TEST(a_message_accepted_twice_is_found)
{
	struct kl_record r = of_message(2, KL_REFERRAL, KL_EV_ACCEPTED, 0,
	    KL_MSG_ACCEPTED);

	(void)accept(1, KL_REFERRAL);
	r.body_hash = hash_of(1);
	only(AUDIT_RULE_ONCE, put(r));
	ck_assert_uint_eq(found[0].other, 3);
}
END_TEST

START_TEST(a_release_before_the_acceptance_is_found)
{
	const uint64_t at = release(1, KL_REFERRAL);

	only(AUDIT_RULE_STATE, at);
}
END_TEST

START_TEST(a_release_that_nobody_sees_the_acceptance_of_is_left_open)
{
	audit_rules_absent(rules, leaf++);
	(void)release(1, KL_REFERRAL);
	nothing();
	ck_assert_uint_eq(audit_rules_count(rules).open, 1);
	ck_assert_uint_eq(audit_rules_count(rules).absent, 1);
}
END_TEST

START_TEST(a_second_release_is_found)
{
	(void)accept(1, KL_REFERRAL);
	(void)release(1, KL_REFERRAL);
	only(AUDIT_RULE_STATE, release(1, KL_REFERRAL));
}
END_TEST

START_TEST(a_release_after_the_expiry_is_found)
{
	(void)accept(1, KL_REFERRAL);
	(void)expire(1);
	(void)erase(1, KL_REFERRAL, KL_MSG_EXPIRED);
	only(AUDIT_RULE_STATE, release(1, KL_REFERRAL));
}
END_TEST

START_TEST(a_transition_that_is_none_is_found)
{
	(void)accept(1, KL_REFERRAL);
	only(AUDIT_RULE_STATE, put(of_message(1, KL_REFERRAL,
	    KL_EV_UNCONFIRMED, KL_MSG_ACCEPTED, KL_MSG_UNCONFIRMED)));
}
END_TEST

START_TEST(delivery_of_what_was_not_released_is_found)
{
	(void)accept(1, KL_REFERRAL);
	only(AUDIT_RULE_STATE, put(of_message(1, KL_REFERRAL,
	    KL_EV_DELIVERED, KL_MSG_ACCEPTED, KL_MSG_DELIVERED)));
}
END_TEST

START_TEST(leaves_of_one_message_that_name_two_are_found)
{
	struct kl_record r = of_message(1, KL_REFERRAL, KL_EV_RELEASED,
	    KL_MSG_ACCEPTED, KL_MSG_RELEASED);

	(void)accept(1, KL_REFERRAL);
	r.org_to = id_of("kvk:12345678");
	only(AUDIT_RULE_SAME, put(r));
}
END_TEST

START_TEST(a_sender_without_a_card_is_found)
{
	struct kl_record r = of_message(1, KL_REFERRAL, KL_EV_ACCEPTED, 0,
	    KL_MSG_ACCEPTED);

	r.org_from = id_of("agb:07654321");
	only(AUDIT_RULE_CARD, put(r));
}
END_TEST

/* ---- withdrawal, consent, term ---- */

START_TEST(a_release_after_the_withdrawal_is_found)
{
	uint64_t w, at;

	(void)accept(1, KL_REFERRAL);
	w = withdraw(0, 50);
	at = release(1, KL_REFERRAL);
	(void)deliver(1, KL_REFERRAL);
	only(AUDIT_RULE_WITHDRAWN, at);
	ck_assert_uint_eq(found[0].other, w);
	ck_assert_uint_eq(found[0].event, KL_EV_RELEASED);
	ck_assert_uint_eq(found[0].conv_ref.b[0], 1);
}
END_TEST

START_TEST(an_acceptance_after_the_withdrawal_is_found)
{
	uint64_t at;

	through(1, KL_REFERRAL);
	(void)withdraw(0, 50);
	at = accept(2, KL_CORRECTION);
	only(AUDIT_RULE_WITHDRAWN, at);
}
END_TEST

START_TEST(feedback_after_the_withdrawal_of_feedback_is_found)
{
	uint64_t at;

	through(1, KL_REFERRAL);
	(void)accept(2, KL_FEEDBACK);
	(void)withdraw(KL_FEEDBACK, 50);
	at = release(2, KL_FEEDBACK);
	(void)deliver(2, KL_FEEDBACK);
	only(AUDIT_RULE_WITHDRAWN, at);
}
END_TEST

START_TEST(a_correction_after_the_withdrawal_of_feedback_goes)
{
	through(1, KL_REFERRAL);
	(void)withdraw(KL_FEEDBACK, 50);
	through(2, KL_CORRECTION);
	nothing();
}
END_TEST

START_TEST(what_waits_on_after_the_withdrawal_is_found)
{
	uint64_t w;

	(void)accept(1, KL_REFERRAL);
	w = withdraw(0, 50);
	only(AUDIT_RULE_WITHDRAWN, w);
	ck_assert_uint_eq(found[0].other, w - 1);
}
END_TEST

START_TEST(a_message_that_nobody_withdrew_is_found)
{
	(void)accept(1, KL_REFERRAL);
	only(AUDIT_RULE_WITHDRAWN, put(of_message(1, KL_REFERRAL,
	    KL_EV_WITHDRAWN, KL_MSG_ACCEPTED, KL_MSG_WITHDRAWN)));
}
END_TEST

START_TEST(the_same_withdrawal_twice_is_found)
{
	(void)withdraw(0, 50);
	only(AUDIT_RULE_ONCE, withdraw(0, 50));
}
END_TEST

START_TEST(another_withdrawal_of_the_same_consent_is_another)
{
	(void)withdraw(0, 50);
	(void)withdraw(0, 51);
	nothing();
}
END_TEST

START_TEST(a_release_after_the_consent_ended_is_found)
{
	uint64_t at;

	(void)accept(1, KL_REFERRAL);
	(void)put((struct kl_record){ .event = KL_EV_CONSENT_ENDED,
	    .conv_ref = ref_of(1), .org_from = PRACTICE, .org_to = DESK,
	    .body_hash = hash_of(1) });
	at = release(1, KL_REFERRAL);
	(void)deliver(1, KL_REFERRAL);
	only(AUDIT_RULE_CONSENT, at);
}
END_TEST

START_TEST(a_release_after_60_days_is_found)
{
	(void)accept(1, KL_REFERRAL);
	minute += 61 * DAY;
	only(AUDIT_RULE_TERM, release(1, KL_REFERRAL));
}
END_TEST

/* ---- erasure ---- */

START_TEST(what_ended_and_was_not_erased_is_found)
{
	uint64_t at;

	(void)accept(1, KL_REFERRAL);
	(void)release(1, KL_REFERRAL);
	at = deliver(1, KL_REFERRAL);
	run_on(5);
	only(AUDIT_RULE_ERASED, at);
}
END_TEST

START_TEST(what_ended_just_now_is_erased_in_the_next_turn)
{
	(void)accept(1, KL_REFERRAL);
	(void)release(1, KL_REFERRAL);
	(void)deliver(1, KL_REFERRAL);
	nothing();
}
END_TEST

START_TEST(a_second_erasure_is_found)
{
	through(1, KL_REFERRAL);
	only(AUDIT_RULE_ERASED, erase(1, KL_REFERRAL, KL_MSG_DELIVERED));
}
END_TEST

START_TEST(erasure_before_the_end_is_found)
{
	(void)accept(1, KL_REFERRAL);
	only(AUDIT_RULE_STATE, erase(1, KL_REFERRAL, KL_MSG_ACCEPTED));
}
END_TEST

/* ---- deadlines ---- */

static uint64_t
accept_by(uint8_t m, int64_t due)
{
	struct kl_record r = of_message(m, KL_REFERRAL, KL_EV_ACCEPTED, 0,
	    KL_MSG_ACCEPTED);

	r.due_minute = due;
	return put(r);
}

static uint64_t
tell(uint8_t m, int64_t due)
{
	struct kl_record r = of_message(m, KL_REFERRAL, KL_EV_DEADLINE, 0, 0);

	r.due_minute = due;
	return put(r);
}

START_TEST(a_missed_term_that_is_told_once_breaks_nothing)
{
	const int64_t due = minute + 5;

	(void)accept_by(1, due);
	run_on(6);
	(void)tell(1, due);
	run_on(30);
	nothing();
}
END_TEST

START_TEST(a_missed_term_that_nobody_was_told_is_found)
{
	const uint64_t at = accept_by(1, minute + 5);

	run_on(30);
	only(AUDIT_RULE_DEADLINE, at);
}
END_TEST

START_TEST(a_term_that_was_missed_before_it_ended_is_found)
{
	uint64_t at;

	(void)accept_by(1, minute + 5);
	run_on(30);
	(void)release(1, KL_REFERRAL);
	at = deliver(1, KL_REFERRAL);
	(void)erase(1, KL_REFERRAL, KL_MSG_DELIVERED);
	only(AUDIT_RULE_DEADLINE, at);
}
END_TEST

START_TEST(a_term_that_passed_while_the_broker_stood_is_not)
{
	(void)accept_by(1, minute + 5);
	minute += 3 * DAY;
	(void)release(1, KL_REFERRAL);
	(void)deliver(1, KL_REFERRAL);
	nothing();
}
END_TEST

START_TEST(a_term_that_passed_in_a_hold_is_not)
{
	(void)accept_by(1, minute + 5);
	(void)hold(KL_C_OWN_CLOCK);
	run_on(30);
	nothing();
}
END_TEST

START_TEST(a_missed_term_told_twice_is_found)
{
	const int64_t due = minute + 5;

	(void)accept_by(1, due);
	run_on(6);
	(void)tell(1, due);
	only(AUDIT_RULE_DEADLINE, tell(1, due));
}
END_TEST

START_TEST(a_term_told_too_early_is_found)
{
	const int64_t due = minute + 5;

	(void)accept_by(1, due);
	only(AUDIT_RULE_DEADLINE, tell(1, due));
}
END_TEST

static uint64_t
deliver_by(int64_t due)
{
	struct kl_record r = of_message(1, KL_REFERRAL, KL_EV_DELIVERED,
	    KL_MSG_RELEASED, KL_MSG_DELIVERED);

	(void)accept(1, KL_REFERRAL);
	(void)release(1, KL_REFERRAL);
	r.due_minute = due;
	(void)put(r);
	(void)erase(1, KL_REFERRAL, KL_MSG_DELIVERED);
	return leaf - 2;
}

static uint64_t
tell_answer(int64_t due)
{
	struct kl_record r = of_message(1, KL_REFERRAL, KL_EV_DEADLINE, 0, 0);

	memset(&r.msg_ref, 0, sizeof r.msg_ref);
	r.due_minute = due;
	return put(r);
}

START_TEST(a_missing_answer_that_nobody_was_told_is_found)
{
	const uint64_t at = deliver_by(minute + 5);

	run_on(30);
	only(AUDIT_RULE_DEADLINE, at);
}
END_TEST

START_TEST(an_answer_in_time_breaks_nothing)
{
	(void)deliver_by(minute + 5);
	through(2, KL_FEEDBACK);
	run_on(30);
	nothing();
}
END_TEST

START_TEST(a_missing_answer_that_had_come_is_found)
{
	const int64_t due = minute + 5;

	(void)deliver_by(due);
	through(2, KL_FEEDBACK);
	run_on(6);
	only(AUDIT_RULE_DEADLINE, tell_answer(due));
}
END_TEST

START_TEST(a_missing_answer_told_twice_is_found)
{
	const int64_t due = minute + 5;

	(void)deliver_by(due);
	run_on(6);
	(void)tell_answer(due);
	only(AUDIT_RULE_DEADLINE, tell_answer(due));
}
END_TEST

/* ---- receipts that are owed ---- */

START_TEST(a_receipt_missed_and_told_once_breaks_nothing)
{
	const int64_t due = minute + 5;

	(void)withdraw(0, 50);
	(void)owed(KL_EV_ERASE_ASKED, 50, due);
	run_on(6);
	(void)owed(KL_EV_ESCALATED, 50, due);
	(void)owed(KL_EV_ERASE_RECEIPT, 51, due);
	run_on(30);
	nothing();
}
END_TEST

START_TEST(a_receipt_missed_and_told_to_nobody_is_found)
{
	uint64_t at;

	(void)withdraw(0, 50);
	at = owed(KL_EV_ERASE_ASKED, 50, minute + 5);
	run_on(30);
	only(AUDIT_RULE_ESCALATED, at);
}
END_TEST

START_TEST(a_receipt_missed_and_told_twice_is_found)
{
	const int64_t due = minute + 5;

	(void)withdraw(0, 50);
	(void)owed(KL_EV_ERASE_ASKED, 50, due);
	run_on(6);
	(void)owed(KL_EV_ESCALATED, 50, due);
	only(AUDIT_RULE_ESCALATED, owed(KL_EV_ESCALATED, 50, due));
}
END_TEST

START_TEST(a_receipt_that_was_given_is_not_missed)
{
	const int64_t due = minute + 5;

	(void)withdraw(0, 50);
	(void)owed(KL_EV_ERASE_ASKED, 50, due);
	(void)owed(KL_EV_ERASE_RECEIPT, 51, due);
	run_on(6);
	only(AUDIT_RULE_ESCALATED, owed(KL_EV_ESCALATED, 50, due));
}
END_TEST

START_TEST(a_receipt_without_a_withdrawal_is_found)
{
	only(AUDIT_RULE_ESCALATED, owed(KL_EV_ERASE_RECEIPT, 51, minute));
}
END_TEST

/* ---- clocks ---- */

START_TEST(an_end_by_time_in_a_hold_is_found)
{
	uint64_t at;

	(void)accept(1, KL_REFERRAL);
	(void)hold(KL_C_OWN_CLOCK);
	at = expire(1);
	(void)erase(1, KL_REFERRAL, KL_MSG_EXPIRED);
	run_on(1);
	only(AUDIT_RULE_HOLD, at);
}
END_TEST

/* Its leaf comes behind what the turn that ended it did. */
START_TEST(an_end_by_time_in_the_turn_that_ends_a_hold_goes)
{
	(void)accept(1, KL_REFERRAL);
	(void)hold(KL_C_OWN_CLOCK);
	run_on(1);
	(void)expire(1);
	(void)hold(KL_C_OK);
	(void)erase(1, KL_REFERRAL, KL_MSG_EXPIRED);
	nothing();
}
END_TEST

START_TEST(an_end_by_a_clock_that_ran_back_is_found)
{
	(void)accept(1, KL_REFERRAL);
	minute -= DAY;
	only(AUDIT_RULE_CLOCK, expire(1));
	ck_assert_uint_eq(audit_rules_count(rules).clock_back, 1);
}
END_TEST

START_TEST(a_clock_that_was_put_right_counts)
{
	(void)accept(1, KL_REFERRAL);
	minute -= DAY;
	(void)hold(KL_C_OK);
	(void)expire(1);
	(void)erase(1, KL_REFERRAL, KL_MSG_EXPIRED);
	nothing();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		a_closed_loop_breaks_nothing,
		a_withdrawal_that_is_done_breaks_nothing,
		feedback_of_level_0_goes_on_after_feedback_was_withdrawn,
		what_a_loss_brings_back_breaks_nothing,
		a_shown_referral_that_never_came_breaks_nothing,
		an_expiry_of_no_message_without_a_loss_is_found,
		an_expiry_of_no_message_that_names_a_state_is_found,
		a_record_that_names_no_message_where_it_must_is_found,
		a_question_without_who_asked_is_found,
		a_refusal_without_reason_is_found, a_second_origin_is_found,
		a_log_without_its_origin_is_found,
		a_message_accepted_twice_is_found,
		a_release_before_the_acceptance_is_found,
		a_release_that_nobody_sees_the_acceptance_of_is_left_open,
		a_second_release_is_found,
		a_release_after_the_expiry_is_found,
		a_transition_that_is_none_is_found,
		delivery_of_what_was_not_released_is_found,
		leaves_of_one_message_that_name_two_are_found,
		a_sender_without_a_card_is_found,
		a_release_after_the_withdrawal_is_found,
		an_acceptance_after_the_withdrawal_is_found,
		feedback_after_the_withdrawal_of_feedback_is_found,
		a_correction_after_the_withdrawal_of_feedback_goes,
		what_waits_on_after_the_withdrawal_is_found,
		a_message_that_nobody_withdrew_is_found,
		the_same_withdrawal_twice_is_found,
		another_withdrawal_of_the_same_consent_is_another,
		a_release_after_the_consent_ended_is_found,
		a_release_after_60_days_is_found,
		what_ended_and_was_not_erased_is_found,
		what_ended_just_now_is_erased_in_the_next_turn,
		a_second_erasure_is_found, erasure_before_the_end_is_found,
		a_missed_term_that_is_told_once_breaks_nothing,
		a_missed_term_that_nobody_was_told_is_found,
		a_term_that_was_missed_before_it_ended_is_found,
		a_term_that_passed_while_the_broker_stood_is_not,
		a_term_that_passed_in_a_hold_is_not,
		a_missed_term_told_twice_is_found,
		a_term_told_too_early_is_found,
		a_missing_answer_that_nobody_was_told_is_found,
		an_answer_in_time_breaks_nothing,
		a_missing_answer_that_had_come_is_found,
		a_missing_answer_told_twice_is_found,
		a_receipt_missed_and_told_once_breaks_nothing,
		a_receipt_missed_and_told_to_nobody_is_found,
		a_receipt_missed_and_told_twice_is_found,
		a_receipt_that_was_given_is_not_missed,
		a_receipt_without_a_withdrawal_is_found,
		an_end_by_time_in_a_hold_is_found,
		an_end_by_time_in_the_turn_that_ends_a_hold_goes,
		an_end_by_a_clock_that_ran_back_is_found,
		a_clock_that_was_put_right_counts,
	};
	Suite *s = suite_create("audit_rules");
	TCase *t = tcase_create("rules");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, begin, end);
	for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
