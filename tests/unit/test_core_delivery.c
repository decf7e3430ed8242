/* From the mailbox to the receipt, and what ends before it gets there. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>

#include "tests/support/shell.h"

static struct shell s;
static struct letter l, m;

static void
setup(void)
{
	shell_open(&s);
	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
	letter_referral(&l, &s.practice, &s.desk);
}

static void
teardown(void)
{
	shell_close(&s);
}

static void
submit(const struct party *who, const struct letter *letter)
{
	ck_assert_int_eq(shell_submit(&s, who, letter), KL_C_OK);
}

static enum kl_code
opened(const struct party *who, const struct letter *letter)
{
	return shell_receipt(&s, who, letter, KL_OPENED, KL_C_OK);
}

static void
restart_at(int64_t now_ms)
{
	shell_restart(&s, now_ms);
	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
}

/* The state that the store has of a message. */
static struct message
stored(const struct letter *letter)
{
	struct message out;

	ck_assert_int_eq(kl_kv_begin_read(s.core->kv, &s.core->turn.txn),
	    KL_OK);
	ck_assert_int_eq(message_find(&s.core->turn, &letter->e.header.msg_id,
	    &out), KL_OK);
	kl_kv_abort(&s.core->turn.txn);
	return out;
}

static struct kl_record
record_of(uint64_t leaf)
{
	struct journal_leaf found;
	struct kl_record rec;

	ck_assert_int_eq(kl_kv_begin_read(s.core->kv, &s.core->turn.txn),
	    KL_OK);
	ck_assert_int_eq(journal_record(&s.core->journal, s.core->turn.txn,
	    leaf, s.core->mem, &found), KL_OK);
	ck_assert_int_eq(KL_STATEMENT_READ(KL_S_RECORD, found.record, s.mem,
	    &rec), KL_C_OK);
	kl_kv_abort(&s.core->turn.txn);
	return rec;
}

/* How many leaves tell this; *last: the newest of them. */
static size_t
logged(uint32_t event, uint32_t kind, struct kl_record *last)
{
	const uint64_t size = s.core->journal.committed.size;
	size_t n = 0;

	for (uint64_t leaf = 0; leaf < size; leaf++) {
		const struct kl_record r = record_of(leaf);

		if (r.event != event || r.kind != kind)
			continue;
		*last = r;
		n++;
	}
	return n;
}

/* ---- the loop ------------------------------------------------------------ */

START_TEST(a_loop_closes)
{
	struct shell_items i;

	submit(&s.practice, &l);
	i = shell_fetch(&s, &s.desk, 0);
	ck_assert_uint_eq(i.n, 1);
	ck_assert_uint_eq(i.n_ct, 1);
	ck_assert_uint_eq(i.item[0].sort, KL_SORT_ENVELOPE);
	ck_assert_uint_eq(i.item[0].content.n, l.envelope.n);
	ck_assert_mem_eq(i.item[0].content.p, l.envelope.b, l.envelope.n);
	ck_assert_uint_gt(i.item[0].logged.n, 0);
	ck_assert_int_eq(opened(&s.desk, &l), KL_C_OK);

	i = shell_fetch(&s, &s.practice, 0);
	ck_assert_uint_eq(i.n, 1);
	ck_assert_uint_eq(i.item[0].sort, KL_RECEIPT + 1);
	letter_feedback(&m, &l, &s.desk, &s.practice, KL_MS_ENDED);
	submit(&s.desk, &m);
	i = shell_fetch(&s, &s.practice, i.item[0].item);
	ck_assert_uint_eq(i.n, 1);
	ck_assert_uint_eq(i.n_ct, 1);
	ck_assert_int_eq(opened(&s.practice, &m), KL_C_OK);
	i = shell_fetch(&s, &s.desk, 0);
	ck_assert_uint_eq(i.n, 1);
	ck_assert_uint_eq(i.item[0].sort, KL_RECEIPT + 1);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, i.item[0].item).n, 0);
	ck_assert_uint_eq(registry_by_id(&s.core->registry,
	    &s.practice.id)->open_conversations, 0);
}
END_TEST

START_TEST(what_was_released_comes_again_until_its_receipt)
{
	struct shell_items i;
	uint64_t item;

	submit(&s.practice, &l);
	i = shell_fetch(&s, &s.desk, 0);
	item = i.item[0].item;
	ck_assert_uint_eq(stored(&l).state, KL_MSG_RELEASED);
	for (int n = 0; n < 3; n++) {
		i = shell_fetch(&s, &s.desk, 0);
		ck_assert_uint_eq(i.n, 1);
		ck_assert_uint_eq(i.item[0].item, item);
	}
	restart_at(LETTERS_NOW_MS);
	i = shell_fetch(&s, &s.desk, 0);
	ck_assert_uint_eq(i.n, 1);
	ck_assert_uint_eq(i.item[0].item, item);
	ck_assert_int_eq(opened(&s.desk, &l), KL_C_OK);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n, 0);
}
END_TEST

START_TEST(the_key_of_what_was_delivered_is_destroyed_in_the_next_turn)
{
	struct kl_slot_key key;
	uint32_t slot;

	submit(&s.practice, &l);
	slot = stored(&l).slot;
	ck_assert_int_eq(kl_slots_key(s.core->vault.slots, slot, &key),
	    KL_OK);
	(void)shell_fetch(&s, &s.desk, 0);
	ck_assert_int_eq(opened(&s.desk, &l), KL_C_OK);
	ck_assert_int_gt(s.core->erase_due_ms, 0);
	shell_turn(&s);
	ck_assert_int_eq(kl_slots_key(s.core->vault.slots, slot, &key),
	    KL_E_NOT_FOUND);
	ck_assert_uint_eq(stored(&l).slot, KL_SLOT_NONE);
	ck_assert_uint_eq(stored(&l).state, KL_MSG_DELIVERED);
}
END_TEST

START_TEST(what_a_crash_left_to_erase_is_erased_at_the_start)
{
	struct kl_slot_key key;
	uint32_t slot;

	submit(&s.practice, &l);
	slot = stored(&l).slot;
	(void)shell_fetch(&s, &s.desk, 0);
	ck_assert_int_eq(opened(&s.desk, &l), KL_C_OK);
	shell_stop(&s);
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS), 0);
	ck_assert_int_eq(kl_slots_key(s.core->vault.slots, slot, &key),
	    KL_E_NOT_FOUND);
	ck_assert_uint_eq(stored(&l).slot, KL_SLOT_NONE);
}
END_TEST

START_TEST(four_envelopes_are_released_and_the_rest_waits)
{
	static struct letter many[6];
	struct shell_items i;

	for (size_t n = 0; n < 6; n++) {
		letter_referral(&many[n], &s.practice, &s.desk);
		submit(&s.practice, &many[n]);
	}
	i = shell_fetch(&s, &s.desk, 0);
	ck_assert_uint_eq(i.n_ct, 4);
	ck_assert_uint_eq(stored(&many[4]).state, KL_MSG_ACCEPTED);
	ck_assert_int_eq(opened(&s.desk, &many[1]), KL_C_OK);
	i = shell_fetch(&s, &s.desk, 0);
	ck_assert_uint_eq(i.n_ct, 4);
	ck_assert_mem_eq(i.item[3].content.p, many[4].envelope.b,
	    many[4].envelope.n);
}
END_TEST

START_TEST(only_the_oldest_of_a_conversation_and_sender_is_released)
{
	struct shell_items i;

	submit(&s.practice, &l);
	letter_correction(&m, &l, &s.practice, &s.desk);
	submit(&s.practice, &m);
	i = shell_fetch(&s, &s.desk, 0);
	ck_assert_uint_eq(i.n, 1);
	ck_assert_uint_eq(stored(&m).state, KL_MSG_ACCEPTED);
	ck_assert_int_eq(opened(&s.desk, &l), KL_C_OK);
	i = shell_fetch(&s, &s.desk, 0);
	ck_assert_uint_eq(i.n, 1);
	ck_assert_mem_eq(i.item[0].content.p, m.envelope.b, m.envelope.n);
}
END_TEST

/* What is written outside, for suppliers and for whoever checks history. */
START_TEST(each_step_is_traced_in_its_order)
{
	static const char *const steps[] = { "origin", "accepted", "released",
		"delivered", "erased" };
	const struct tmpdir_path path = shell_file(&s, "trace");
	char line[512], want[64];
	FILE *f;

	(void)snprintf(s.conf.trace, sizeof s.conf.trace, "%.180s", path.b);
	restart_at(LETTERS_NOW_MS);
	shell_deliver(&s, &s.practice, &s.desk, &l);
	shell_turn(&s);
	ck_assert_ptr_nonnull(f = fopen(path.b, "re"));
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		ck_assert_ptr_nonnull(fgets(line, sizeof line, f));
		(void)snprintf(want, sizeof want, "\"ev\":\"%s\"", steps[i]);
		ck_assert_ptr_nonnull(strstr(line, want));
		ck_assert(i == 0 || strstr(line, "\"leaf\":") != NULL);
	}
	ck_assert_ptr_null(fgets(line, sizeof line, f));
	(void)fclose(f);
}
END_TEST

START_TEST(what_is_never_receipted_is_given_up)
{
	/* The clock runs meanwhile. */
	const int64_t step_ms = KL_HOUR_MS + KL_MINUTE_MS;
	struct shell_items i;

	submit(&s.practice, &l);
	for (int hour = 0; hour < 24; hour++) {
		ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 1);
		ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 1);
		restart_at(LETTERS_NOW_MS + (hour + 1) * step_ms);
	}
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 1);
	restart_at(LETTERS_NOW_MS + 25 * step_ms);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 0);
	ck_assert_uint_eq(stored(&l).state, KL_MSG_UNCONFIRMED);
	i = shell_fetch(&s, &s.practice, 0);
	ck_assert_uint_eq(i.n, 1);
	ck_assert_uint_eq(shell_notice(&s, &i.item[0]).notice,
	    KL_NOTICE_UNCERTAIN);
	/* It may have been opened all the same. */
	ck_assert_int_eq(opened(&s.desk, &l), KL_C_OK);
}
END_TEST

/* ---- long poll ----------------------------------------------------------- */

START_TEST(a_fetch_waits_for_mail_and_gets_it_in_the_same_turn)
{
	const struct kl_fetch f = { .wait_ms = 30000 };
	const struct kl_submit q = { .envelope = kl_bytes(l.envelope.b,
		l.envelope.n) };
	struct shell_answer a;
	uint64_t fetch_id;

	SHELL_SEND(&s, &s.desk, KL_FETCH, KL_M_FETCH, &f);
	fetch_id = s.requests;
	shell_turn(&s);
	ck_assert(!shell_take(&s, &a));
	shell_send(&s, &s.practice, KL_SUBMIT, KL_M_SUBMIT, &q, sizeof q,
	    kl_bytes(l.ct, l.ct_n));
	shell_turn(&s);
	ck_assert(shell_take(&s, &a));
	ck_assert_uint_eq(a.m.request, KL_SUBMIT);
	ck_assert(shell_take(&s, &a));
	ck_assert_uint_eq(a.m.request, KL_FETCH);
	ck_assert_uint_eq(a.m.request_id, fetch_id);
	ck_assert_uint_eq(a.n_ct, 1);
	/* Released before it left: the leaf is under the same commit. */
	ck_assert_uint_eq(stored(&l).state, KL_MSG_RELEASED);
}
END_TEST

START_TEST(a_fetch_that_waited_long_enough_gets_nothing)
{
	const struct kl_fetch f = { .wait_ms = 30000 };
	struct shell_answer a;

	SHELL_SEND(&s, &s.desk, KL_FETCH, KL_M_FETCH, &f);
	shell_turn(&s);
	ck_assert(!shell_take(&s, &a));
	ck_assert_int_le(s.core->fetch_due_ms, kl_mono_ms() + 30000);
	s.core->fetch_due_ms = 0;
	for (size_t i = 0; i < s.core->registry.n; i++)
		if (s.core->session[i].due_ms != 0)
			s.core->session[i].due_ms = 1;
	shell_turn(&s);
	ck_assert(shell_take(&s, &a));
	ck_assert_int_eq(a.m.code, KL_C_OK);
	ck_assert_uint_eq(a.m.body.n, 0);
	ck_assert_int_eq(s.core->fetch_due_ms, INT64_MAX);
}
END_TEST

START_TEST(a_second_fetch_answers_the_first)
{
	const struct kl_fetch f = { .wait_ms = 30000 };
	struct shell_answer a;
	uint64_t first;

	SHELL_SEND(&s, &s.desk, KL_FETCH, KL_M_FETCH, &f);
	first = s.requests;
	shell_turn(&s);
	SHELL_SEND(&s, &s.desk, KL_FETCH, KL_M_FETCH, &f);
	shell_turn(&s);
	ck_assert(shell_take(&s, &a));
	ck_assert_uint_eq(a.m.request_id, first);
	ck_assert(!shell_take(&s, &a));
}
END_TEST

/* ---- receipts ------------------------------------------------------------ */

START_TEST(the_first_receipt_counts)
{
	submit(&s.practice, &l);
	(void)shell_fetch(&s, &s.desk, 0);
	ck_assert_int_eq(opened(&s.desk, &l), KL_C_OK);
	ck_assert_int_eq(opened(&s.desk, &l), KL_C_OK);
	ck_assert_int_eq(shell_receipt(&s, &s.desk, &l, KL_REFUSED,
	    KL_C_STATE), KL_C_CONFLICT);
	/* One receipt for the sender. */
	ck_assert_uint_eq(shell_fetch(&s, &s.practice, 0).n, 1);
}
END_TEST

START_TEST(a_receipt_needs_a_release_to_its_signer)
{
	submit(&s.practice, &l);
	ck_assert_int_eq(opened(&s.desk, &l), KL_C_MESSAGE_UNKNOWN);
	(void)shell_fetch(&s, &s.desk, 0);
	ck_assert_int_eq(opened(&s.practice, &l), KL_C_NOT_A_PARTY);
	letter_referral(&m, &s.practice, &s.desk);
	ck_assert_int_eq(opened(&s.desk, &m), KL_C_MESSAGE_UNKNOWN);
	m = l;
	m.body_hash.b[0] ^= 1;
	ck_assert_int_eq(opened(&s.desk, &m), KL_C_CONFLICT);
	ck_assert_int_eq(opened(&s.desk, &l), KL_C_OK);
}
END_TEST

START_TEST(a_forged_receipt_is_refused)
{
	struct kl_put_receipt q = { .statement = KL_RECEIPT };
	struct letter_bytes b;
	struct shell_answer a;

	submit(&s.practice, &l);
	(void)shell_fetch(&s, &s.desk, 0);
	letter_receipt(&l, &s.desk, KL_OPENED, KL_C_OK, &b);
	b.b[b.n - 1] ^= 1;
	q.receipt = kl_bytes(b.b, b.n);
	SHELL_SEND(&s, &s.desk, KL_PUT_RECEIPT, KL_M_PUT_RECEIPT, &q);
	shell_answer(&s, &a);
	ck_assert_int_eq(a.m.code, KL_C_SIGNATURE);
	b.b[b.n - 1] ^= 1;
	SHELL_SEND(&s, &s.practice, KL_PUT_RECEIPT, KL_M_PUT_RECEIPT, &q);
	shell_answer(&s, &a);
	ck_assert_int_eq(a.m.code, KL_C_NOT_YOUR_KEY);
	/* Nor does one pass for a statement of another sort. */
	q.statement = KL_ERASE_RECEIPT;
	SHELL_SEND(&s, &s.desk, KL_PUT_RECEIPT, KL_M_PUT_RECEIPT, &q);
	shell_answer(&s, &a);
	ck_assert_int_eq(a.m.code, KL_C_SIGNATURE);
}
END_TEST

START_TEST(a_refusal_ends_the_message_and_what_was_behind_it)
{
	struct shell_items i;

	submit(&s.practice, &l);
	letter_correction(&m, &l, &s.practice, &s.desk);
	submit(&s.practice, &m);
	(void)shell_fetch(&s, &s.desk, 0);
	ck_assert_int_eq(shell_receipt(&s, &s.desk, &l, KL_REFUSED,
	    KL_C_STATE), KL_C_OK);
	ck_assert_uint_eq(stored(&l).state, KL_MSG_DEAD);
	ck_assert_uint_eq(stored(&m).state, KL_MSG_DEAD);
	/* The sender learns of both; the receiver, that seq 2 never comes. */
	i = shell_fetch(&s, &s.practice, 0);
	ck_assert_uint_eq(i.n, 2);
	i = shell_fetch(&s, &s.desk, 0);
	ck_assert_uint_eq(i.n, 1);
	ck_assert_uint_eq(shell_notice(&s, &i.item[0]).notice,
	    KL_NOTICE_GAP);
}
END_TEST

/* ---- acknowledgements ---------------------------------------------------- */

static enum kl_code
ack(const struct party *who, uint64_t a, uint64_t b)
{
	const struct kl_item_ack q = { .item = { a, b },
		.n_item = b != 0 ? 2 : 1 };
	struct shell_answer reply;

	SHELL_SEND(&s, who, KL_ITEM_ACK, KL_M_ITEM_ACK, &q);
	shell_answer(&s, &reply);
	return (enum kl_code)reply.m.code;
}

START_TEST(acknowledged_is_gone_and_again_is_no_error)
{
	struct shell_items i;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	i = shell_fetch(&s, &s.practice, 0);
	ck_assert_int_eq(ack(&s.practice, i.item[0].item, 0), KL_C_OK);
	ck_assert_int_eq(ack(&s.practice, i.item[0].item, 0), KL_C_OK);
	ck_assert_int_eq(ack(&s.practice, 99999, 0), KL_C_OK);
	ck_assert_uint_eq(shell_fetch(&s, &s.practice, 0).n, 0);
}
END_TEST

START_TEST(an_envelope_leaves_by_its_receipt_only)
{
	struct shell_items i;
	uint64_t receipt;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	receipt = shell_fetch(&s, &s.practice, 0).item[0].item;
	letter_feedback(&m, &l, &s.desk, &s.practice, KL_MS_TAKEN_UP);
	submit(&s.desk, &m);
	i = shell_fetch(&s, &s.practice, 0);
	ck_assert_uint_eq(i.n, 2);
	ck_assert_int_eq(ack(&s.practice, receipt, i.item[1].item),
	    KL_C_ITEM_UNKNOWN);
	ck_assert_uint_eq(shell_fetch(&s, &s.practice, 0).n, 2);
	ck_assert_int_eq(shell_fetch(&s, &s.practice,
	    i.item[1].item).code, KL_C_ITEM_UNKNOWN);
	/* Nor does anybody empty the mailbox of another. */
	ck_assert_int_eq(ack(&s.desk, receipt, 0), KL_C_OK);
	ck_assert_uint_eq(shell_fetch(&s, &s.practice, 0).n, 2);
}
END_TEST

/* ---- time ---------------------------------------------------------------- */

START_TEST(both_are_told_once_when_deliver_by_has_passed)
{
	const struct party *both[] = { &s.practice, &s.desk };
	struct shell_items i;
	struct kl_notice n;

	l.e.header.answer_by_ms = 0;
	letter_seal(&l, &s.practice);
	submit(&s.practice, &l);
	for (int again = 0; again < 2; again++) {
		restart_at(LETTERS_NOW_MS + 3 * KL_DAY_MS);
		for (size_t k = 0; k < 2; k++) {
			i = shell_fetch(&s, both[k], 0);
			ck_assert_uint_eq(i.n, 1 + k);
			n = shell_notice(&s, &i.item[k]);
			ck_assert_uint_eq(n.notice, KL_NOTICE_DEADLINE);
			ck_assert_int_eq(n.due_ms, l.e.header.deliver_by_ms);
			ck_assert_mem_eq(n.msg_id.b, l.e.header.msg_id.b, 16);
		}
	}
	/* It is not an end. */
	ck_assert_int_eq(opened(&s.desk, &l), KL_C_OK);
}
END_TEST

START_TEST(both_are_told_when_nobody_has_taken_it_up_in_time)
{
	struct shell_items i;
	struct kl_notice n;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	restart_at(LETTERS_NOW_MS + 11 * KL_DAY_MS);
	i = shell_fetch(&s, &s.desk, 0);
	ck_assert_uint_eq(i.n, 1);
	n = shell_notice(&s, &i.item[0]);
	ck_assert_uint_eq(n.notice, KL_NOTICE_DEADLINE);
	ck_assert_int_eq(n.due_ms, l.e.header.answer_by_ms);
	ck_assert(kl_bytes_zero(KL_BYTES_OF(n.msg_id)));
	ck_assert_uint_eq(shell_fetch(&s, &s.practice, 0).n, 2);
}
END_TEST

START_TEST(what_is_in_time_is_not_a_missed_deadline)
{
	shell_deliver(&s, &s.practice, &s.desk, &l);
	letter_feedback(&m, &l, &s.desk, &s.practice, KL_MS_TAKEN_UP);
	shell_deliver(&s, &s.desk, &s.practice, &m);
	restart_at(LETTERS_NOW_MS + 11 * KL_DAY_MS);
	/* Their receipts, and nothing else. */
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n, 1);
	ck_assert_uint_eq(shell_fetch(&s, &s.practice, 0).n, 1);
}
END_TEST

/* What an auditor goes by: PROTOCOL.md 10.2. */
START_TEST(the_log_shows_which_terms_run_and_the_step_that_is_told)
{
	static const uint32_t events[] = { KL_EV_ACCEPTED, KL_EV_RELEASED,
		KL_EV_DELIVERED };
	const int64_t deliver_by = l.e.header.deliver_by_ms / KL_MINUTE_MS;
	const int64_t answer_by = l.e.header.answer_by_ms / KL_MINUTE_MS;
	struct kl_record r;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	ck_assert_uint_eq(logged(KL_EV_ACCEPTED, KL_REFERRAL, &r), 1);
	ck_assert_int_eq(r.due_minute, deliver_by);
	ck_assert_uint_eq(logged(KL_EV_RELEASED, KL_REFERRAL, &r), 1);
	ck_assert_int_eq(r.due_minute, 0);
	ck_assert_uint_eq(logged(KL_EV_DELIVERED, KL_REFERRAL, &r), 1);
	ck_assert_int_eq(r.due_minute, answer_by);
	ck_assert_uint_eq(r.milestone, 0);
	letter_feedback(&m, &l, &s.desk, &s.practice, KL_MS_TAKEN_UP);
	shell_deliver(&s, &s.desk, &s.practice, &m);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(logged(events[i], KL_FEEDBACK, &r), 1);
		ck_assert_uint_eq(r.milestone, KL_MS_TAKEN_UP);
	}
	ck_assert_int_eq(r.due_minute, 0);
}
END_TEST

START_TEST(a_missed_answer_is_logged_once_with_the_minute_that_delivery_named)
{
	struct kl_record r, told;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	ck_assert_uint_eq(logged(KL_EV_DELIVERED, KL_REFERRAL, &r), 1);
	for (int again = 0; again < 2; again++) {
		restart_at(LETTERS_NOW_MS + (11 + again) * KL_DAY_MS);
		ck_assert_uint_eq(logged(KL_EV_DEADLINE, KL_REFERRAL, &told),
		    1);
		ck_assert_int_eq(told.due_minute, r.due_minute);
		ck_assert(kl_bytes_zero(KL_BYTES_OF(told.msg_ref)));
	}
}
END_TEST

START_TEST(what_is_sealed_again_has_the_term_of_its_own)
{
	struct kl_record r;

	submit(&s.practice, &l);
	(void)shell_fetch(&s, &s.desk, 0);
	ck_assert_int_eq(shell_receipt(&s, &s.desk, &l, KL_UNDECRYPTABLE,
	    KL_C_PREKEY), KL_C_OK);
	m = l;
	kl_random(m.e.header.msg_id.b, sizeof m.e.header.msg_id.b);
	m.e.header.replaces = l.e.header.msg_id;
	m.e.header.seq = 2;
	m.e.header.answer_by_ms = l.e.header.answer_by_ms + KL_DAY_MS;
	letter_seal(&m, &s.practice);
	shell_deliver(&s, &s.practice, &s.desk, &m);
	ck_assert_uint_eq(logged(KL_EV_DELIVERED, KL_REFERRAL, &r), 1);
	ck_assert_int_eq(r.due_minute,
	    m.e.header.answer_by_ms / KL_MINUTE_MS);
	restart_at(l.e.header.answer_by_ms + KL_MINUTE_MS);
	ck_assert_uint_eq(logged(KL_EV_DEADLINE, KL_REFERRAL, &r), 0);
	restart_at(m.e.header.answer_by_ms + KL_MINUTE_MS);
	ck_assert_uint_eq(logged(KL_EV_DEADLINE, KL_REFERRAL, &r), 1);
	ck_assert_int_eq(r.due_minute,
	    m.e.header.answer_by_ms / KL_MINUTE_MS);
}
END_TEST

START_TEST(delivered_past_its_answer_begins_no_term)
{
	struct kl_record r;

	submit(&s.practice, &l);
	restart_at(l.e.header.answer_by_ms + KL_MINUTE_MS);
	ck_assert_uint_eq(logged(KL_EV_DEADLINE, KL_REFERRAL, &r), 1);
	ck_assert_int_eq(r.due_minute,
	    l.e.header.deliver_by_ms / KL_MINUTE_MS);
	(void)shell_fetch(&s, &s.desk, 0);
	ck_assert_int_eq(opened(&s.desk, &l), KL_C_OK);
	ck_assert_uint_eq(logged(KL_EV_DELIVERED, KL_REFERRAL, &r), 1);
	ck_assert_int_eq(r.due_minute, 0);
}
END_TEST

START_TEST(what_was_never_collected_expires_and_both_are_told)
{
	struct shell_items i;
	struct kl_notice n;

	submit(&s.practice, &l);
	restart_at(LETTERS_NOW_MS + 15 * KL_DAY_MS);
	ck_assert_uint_eq(stored(&l).state, KL_MSG_EXPIRED);
	i = shell_fetch(&s, &s.practice, 0);
	ck_assert_uint_eq(i.n, 1);
	n = shell_notice(&s, &i.item[0]);
	ck_assert_uint_eq(n.notice, KL_NOTICE_EXPIRED);
	ck_assert_mem_eq(n.msg_id.b, l.e.header.msg_id.b, 16);
	i = shell_fetch(&s, &s.desk, 0);
	ck_assert_uint_eq(i.n, 1);
	n = shell_notice(&s, &i.item[0]);
	ck_assert_uint_eq(n.notice, KL_NOTICE_GAP);
	ck_assert_uint_eq(n.seq_from, 1);
	ck_assert_uint_eq(registry_by_id(&s.core->registry,
	    &s.practice.id)->open_conversations, 0);
}
END_TEST

START_TEST(what_was_released_becomes_uncertain_and_may_still_be_receipted)
{
	struct shell_items i;

	submit(&s.practice, &l);
	(void)shell_fetch(&s, &s.desk, 0);
	restart_at(LETTERS_NOW_MS + 15 * KL_DAY_MS);
	ck_assert_uint_eq(stored(&l).state, KL_MSG_UNCONFIRMED);
	i = shell_fetch(&s, &s.practice, 0);
	ck_assert_uint_eq(i.n, 1);
	ck_assert_uint_eq(shell_notice(&s, &i.item[0]).notice,
	    KL_NOTICE_UNCERTAIN);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n, 0);
	ck_assert_int_eq(opened(&s.desk, &l), KL_C_OK);
	ck_assert_uint_eq(stored(&l).state, KL_MSG_DELIVERED);
	i = shell_fetch(&s, &s.practice, i.item[0].item);
	ck_assert_uint_eq(i.n, 2);
	ck_assert_uint_eq(i.item[0].sort, KL_RECEIPT + 1);
	ck_assert_uint_eq(shell_notice(&s, &i.item[1]).notice,
	    KL_NOTICE_LATE);
	ck_assert_uint_eq(registry_by_id(&s.core->registry,
	    &s.practice.id)->open_conversations, 1);
}
END_TEST

START_TEST(a_message_is_forgotten_a_week_after_it_expired)
{
	struct message out;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	restart_at(LETTERS_NOW_MS + 20 * KL_DAY_MS);
	ck_assert_uint_eq(stored(&l).state, KL_MSG_DELIVERED);
	restart_at(LETTERS_NOW_MS + 22 * KL_DAY_MS);
	ck_assert_int_eq(kl_kv_begin_read(s.core->kv, &s.core->turn.txn),
	    KL_OK);
	ck_assert_int_eq(message_find(&s.core->turn, &l.e.header.msg_id,
	    &out), KL_E_NOT_FOUND);
	kl_kv_abort(&s.core->turn.txn);
}
END_TEST

START_TEST(an_ended_conversation_dies_with_its_key_and_leaves_a_marker)
{
	struct kl_slot_key key;
	struct conversation c;
	uint32_t slot;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	letter_feedback(&m, &l, &s.desk, &s.practice, KL_MS_ENDED);
	shell_deliver(&s, &s.desk, &s.practice, &m);
	ck_assert_int_eq(kl_kv_begin_read(s.core->kv, &s.core->turn.txn),
	    KL_OK);
	ck_assert_int_eq(conversation_by_id(&s.core->turn,
	    &l.e.header.conv_id, &c), KL_OK);
	slot = c.slot;
	kl_kv_abort(&s.core->turn.txn);

	restart_at(LETTERS_NOW_MS + 91 * KL_DAY_MS);
	shell_turn(&s);
	ck_assert_int_eq(kl_kv_begin_read(s.core->kv, &s.core->turn.txn),
	    KL_OK);
	ck_assert_int_eq(conversation_by_id(&s.core->turn,
	    &l.e.header.conv_id, &c), KL_E_NOT_FOUND);
	ck_assert_int_eq(retain_marker(&s.core->turn, &l.e.header.conv_id),
	    KL_OK);
	kl_kv_abort(&s.core->turn.txn);
	ck_assert_int_eq(kl_slots_key(s.core->vault.slots, slot, &key),
	    KL_E_NOT_FOUND);
	/* What still lay in a mailbox of it is passed over. */
	ck_assert_uint_eq(shell_fetch(&s, &s.practice, 0).n, 0);
}
END_TEST

START_TEST(both_are_told_when_the_consent_ends)
{
	struct shell_items i;

	l.e.consent.valid_until = l.e.consent.given_on + 30;
	l.e.header.answer_by_ms = 0;
	letter_seal(&l, &s.practice);
	shell_deliver(&s, &s.practice, &s.desk, &l);
	restart_at(LETTERS_NOW_MS + 31 * KL_DAY_MS);
	i = shell_fetch(&s, &s.desk, 0);
	ck_assert_uint_eq(i.n, 1);
	ck_assert_uint_eq(shell_notice(&s, &i.item[0]).notice,
	    KL_NOTICE_CONSENT_ENDED);
	ck_assert_uint_eq(shell_fetch(&s, &s.practice, 0).n, 2);
}
END_TEST

START_TEST(a_clock_that_jumps_ends_nothing)
{
	submit(&s.practice, &l);
	s.core->clock.offset_ms += 20 * KL_DAY_MS;
	s.core->housekeeping_ms = 0;
	shell_turn(&s);
	ck_assert_int_eq(s.core->retain.hold.why, KL_HOLD_JUMP);
	ck_assert_uint_eq(stored(&l).state, KL_MSG_ACCEPTED);
	/* A start does not make it right. */
	restart_at(LETTERS_NOW_MS + 20 * KL_DAY_MS);
	ck_assert_uint_eq(stored(&l).state, KL_MSG_ACCEPTED);
	/* The operator has looked at it. */
	retain_release(&s.core->retain);
	s.core->housekeeping_ms = 0;
	shell_turn(&s);
	ck_assert_uint_eq(stored(&l).state, KL_MSG_EXPIRED);
	/* And no clock goes back behind what was seen. */
	letter_referral(&m, &s.practice, &s.desk);
	restart_at(LETTERS_NOW_MS);
	submit(&s.practice, &m);
	s.core->housekeeping_ms = 0;
	shell_turn(&s);
	ck_assert_uint_eq(stored(&m).state, KL_MSG_ACCEPTED);
}
END_TEST

START_TEST(nothing_is_released_without_its_consent)
{
	l.e.consent.valid_until = l.e.consent.given_on + 1;
	letter_seal(&l, &s.practice);
	submit(&s.practice, &l);
	restart_at(LETTERS_NOW_MS + 2 * KL_DAY_MS);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 0);
	ck_assert_uint_eq(stored(&l).state, KL_MSG_DEAD);
}
END_TEST

/* ---- revoked keys -------------------------------------------------------- */

START_TEST(mail_of_a_revoked_receiver_is_dead_and_its_sender_told)
{
	struct shell_items i;
	struct kl_notice n;

	submit(&s.practice, &l);
	(void)shell_fetch(&s, &s.desk, 0);
	letter_referral(&m, &s.practice, &s.desk);
	submit(&s.practice, &m);
	ck_assert_int_eq(shell_revoke(&s, &s.desk, KL_REVOKE_LEFT), KL_C_OK);
	s.core->housekeeping_ms = 0;
	shell_turn(&s);
	(void)shell_verdict(&s, &s.desk);
	ck_assert_uint_eq(stored(&l).state, KL_MSG_UNCONFIRMED);
	ck_assert_uint_eq(stored(&m).state, KL_MSG_DEAD);
	i = shell_fetch(&s, &s.practice, 0);
	ck_assert_uint_eq(i.n, 2);
	ck_assert_uint_eq(shell_notice(&s, &i.item[0]).notice,
	    KL_NOTICE_UNCERTAIN);
	n = shell_notice(&s, &i.item[1]);
	ck_assert_uint_eq(n.notice, KL_NOTICE_DEAD);
	ck_assert_uint_eq(n.code, KL_C_CARD_REVOKED);
}
END_TEST

START_TEST(a_compromised_sender_reaches_nobody)
{
	submit(&s.practice, &l);
	ck_assert_int_eq(shell_revoke(&s, &s.practice,
	    KL_REVOKE_COMPROMISE), KL_C_OK);
	(void)shell_verdict(&s, &s.practice);
	/* Also before the sweep has come by. */
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 0);
	ck_assert_uint_eq(stored(&l).state, KL_MSG_DEAD);
}
END_TEST

START_TEST(mail_under_a_prekey_of_a_revoked_key_is_sealed_again)
{
	struct party next = party_make(KL_MUNICIPALITY,
	    "oin:00000001234567890001");
	struct kl_card c = party_card(&next);
	struct shell_items i;

	submit(&s.practice, &l);
	c.transport_pk = s.desk.transport_pk;
	ck_assert_int_eq(shell_card(&s, &c), KL_C_OK);
	ck_assert_int_eq(shell_revoke(&s, &s.desk, KL_REVOKE_REPLACED),
	    KL_C_OK);
	/* The key of the connection stands on the new card, and goes on. */
	ck_assert_int_eq(shell_verdict(&s, &s.desk), PIPE_KEY_ALLOW);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 0);
	ck_assert_uint_eq(stored(&l).state, KL_MSG_DEAD);
	i = shell_fetch(&s, &s.practice, 0);
	ck_assert_uint_eq(i.n, 1);
	ck_assert_uint_eq(shell_notice(&s, &i.item[0]).code, KL_C_PREKEY);
	/* Nor is anything new taken under it. */
	letter_referral(&m, &s.practice, &s.desk);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &m), KL_C_PREKEY);
	party_clear(&next);
}
END_TEST

START_TEST(mail_of_a_sender_that_left_is_still_delivered)
{
	submit(&s.practice, &l);
	ck_assert_int_eq(shell_revoke(&s, &s.practice, KL_REVOKE_LEFT),
	    KL_C_OK);
	(void)shell_verdict(&s, &s.practice);
	s.core->housekeeping_ms = 0;
	shell_turn(&s);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 1);
	ck_assert_int_eq(opened(&s.desk, &l), KL_C_OK);
}
END_TEST

START_TEST(a_successor_collects_and_answers_for_its_predecessor)
{
	struct party heir = party_make(KL_MUNICIPALITY,
	    "oin:00000001234567890002");
	struct kl_card c = party_card(&heir);

	submit(&s.practice, &l);
	c.succeeds = s.desk.id;
	c.succeeds_from_ms = LETTERS_NOW_MS - KL_DAY_MS;
	ck_assert_int_eq(shell_card(&s, &c), KL_C_OK);
	(void)shell_verdict(&s, &heir);
	shell_begin(&s, &heir);
	ck_assert_uint_eq(shell_fetch(&s, &heir, 0).n_ct, 1);
	ck_assert_int_eq(opened(&heir, &l), KL_C_OK);
	letter_feedback(&m, &l, &heir, &s.practice, KL_MS_TAKEN_UP);
	submit(&heir, &m);
	ck_assert_uint_eq(shell_fetch(&s, &s.practice, 0).n, 2);
	party_clear(&heir);
}
END_TEST

static TCase *
tcase(Suite *suite, const char *name)
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	suite_add_tcase(suite, t);
	return t;
}

int
main(void)
{
	Suite *suite = suite_create("core: delivery");
	SRunner *r;
	TCase *t;
	int failed;

	if (kl_crypto_init() != KL_OK)
		return EXIT_FAILURE;
	t = tcase(suite, "loop");
	tcase_add_test(t, a_loop_closes);
	tcase_add_test(t, what_was_released_comes_again_until_its_receipt);
	tcase_add_test(t,
	    the_key_of_what_was_delivered_is_destroyed_in_the_next_turn);
	tcase_add_test(t,
	    what_a_crash_left_to_erase_is_erased_at_the_start);
	tcase_add_test(t, four_envelopes_are_released_and_the_rest_waits);
	tcase_add_test(t,
	    only_the_oldest_of_a_conversation_and_sender_is_released);
	tcase_add_test(t, each_step_is_traced_in_its_order);
	tcase_add_test(t, what_is_never_receipted_is_given_up);
	t = tcase(suite, "long poll");
	tcase_add_test(t,
	    a_fetch_waits_for_mail_and_gets_it_in_the_same_turn);
	tcase_add_test(t, a_fetch_that_waited_long_enough_gets_nothing);
	tcase_add_test(t, a_second_fetch_answers_the_first);
	t = tcase(suite, "receipts");
	tcase_add_test(t, the_first_receipt_counts);
	tcase_add_test(t, a_receipt_needs_a_release_to_its_signer);
	tcase_add_test(t, a_forged_receipt_is_refused);
	tcase_add_test(t, a_refusal_ends_the_message_and_what_was_behind_it);
	t = tcase(suite, "acknowledgements");
	tcase_add_test(t, acknowledged_is_gone_and_again_is_no_error);
	tcase_add_test(t, an_envelope_leaves_by_its_receipt_only);
	t = tcase(suite, "time");
	tcase_add_test(t, both_are_told_once_when_deliver_by_has_passed);
	tcase_add_test(t,
	    both_are_told_when_nobody_has_taken_it_up_in_time);
	tcase_add_test(t, what_is_in_time_is_not_a_missed_deadline);
	tcase_add_test(t,
	    the_log_shows_which_terms_run_and_the_step_that_is_told);
	tcase_add_test(t,
	    a_missed_answer_is_logged_once_with_the_minute_that_delivery_named);
	tcase_add_test(t, what_is_sealed_again_has_the_term_of_its_own);
	tcase_add_test(t, delivered_past_its_answer_begins_no_term);
	tcase_add_test(t,
	    what_was_never_collected_expires_and_both_are_told);
	tcase_add_test(t,
	    what_was_released_becomes_uncertain_and_may_still_be_receipted);
	tcase_add_test(t, a_message_is_forgotten_a_week_after_it_expired);
	tcase_add_test(t,
	    an_ended_conversation_dies_with_its_key_and_leaves_a_marker);
	tcase_add_test(t, both_are_told_when_the_consent_ends);
	tcase_add_test(t, a_clock_that_jumps_ends_nothing);
	tcase_add_test(t, nothing_is_released_without_its_consent);
	t = tcase(suite, "revoked keys");
	tcase_add_test(t,
	    mail_of_a_revoked_receiver_is_dead_and_its_sender_told);
	tcase_add_test(t, a_compromised_sender_reaches_nobody);
	tcase_add_test(t,
	    mail_under_a_prekey_of_a_revoked_key_is_sealed_again);
	tcase_add_test(t, mail_of_a_sender_that_left_is_still_delivered);
	tcase_add_test(t,
	    a_successor_collects_and_answers_for_its_predecessor);
	r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
