/* A consent is withdrawn: what ends, what is erased, and who is asked. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>

#include "broker/core/control_priv.h"
#include "broker/core/tables.h"
#include "broker/core/withdraw_row.h"
#include "tests/support/shell.h"

#define CHILDREN 4
#define WAITING 20

static struct shell s;
static struct letter l, m;
static struct kl_withdraw_reply told;

/* How often the store was made durable; see the Makefile. */
static unsigned int commits;
int __real_kl_kv_commit(struct kl_kv_txn **txn);
int __wrap_kl_kv_commit(struct kl_kv_txn **txn);

int
__wrap_kl_kv_commit(struct kl_kv_txn **txn)
{
	commits++;
	return __real_kl_kv_commit(txn);
}

static void
begin_all(void)
{
	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
	shell_begin(&s, &s.partner);
}

static void
setup(void)
{
	shell_open(&s);
	shell_enrol(&s, &s.partner);
	begin_all();
	letter_referral(&l, &s.practice, &s.desk);
}

static void
teardown(void)
{
	shell_close(&s);
}

/* ---- short words --------------------------------------------------------- */

static void
submit(const struct party *who, const struct letter *letter)
{
	ck_assert_int_eq(shell_submit(&s, who, letter), KL_C_OK);
}

static struct kl_withdrawal
by(const struct party *who, uint32_t scope)
{
	return letter_withdrawal(&l, who, scope, KL_CAUSE_RESIDENT);
}

static enum kl_code
withdraw(const struct party *who, uint32_t scope)
{
	const struct kl_withdrawal w = by(who, scope);

	return shell_withdraw(&s, who, &w, &told);
}

static void
counts_are(uint32_t erased, uint32_t released_before, uint32_t unconfirmed)
{
	ck_assert_uint_eq(told.erased, erased);
	ck_assert_uint_eq(told.released_before, released_before);
	ck_assert_uint_eq(told.unconfirmed, unconfirmed);
}

static struct message
stored(const struct letter *letter)
{
	struct message out;

	ck_assert_int_eq(kl_kv_begin_read(s.core->kv, &s.core->turn.txn),
	    KL_OK);
	ck_assert_int_eq(message_find(&s.core->turn, &letter->e.header.msg_id,
	    &out), KL_OK);
	kl_kv_abort(&s.core->turn.txn);
	kl_arena_reset(s.core->mem);
	return out;
}

static struct conversation
conversation_of(const struct letter *letter)
{
	struct conversation out;

	ck_assert_int_eq(kl_kv_begin_read(s.core->kv, &s.core->turn.txn),
	    KL_OK);
	ck_assert_int_eq(conversation_by_id(&s.core->turn,
	    &letter->e.header.conv_id, &out), KL_OK);
	kl_kv_abort(&s.core->turn.txn);
	kl_arena_reset(s.core->mem);
	return out;
}

static struct kl_record
record_at(uint64_t index)
{
	struct kl_logged logged;
	struct kl_record r;
	struct kl_bytes b;

	ck_assert_int_eq(kl_kv_begin_read(s.core->kv, &s.core->turn.txn),
	    KL_OK);
	ck_assert_int_eq(journal_logged(&s.core->journal, s.core->turn.txn,
	    index, s.core->mem, &b), KL_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOGGED, b, s.core->mem,
	    &logged), KL_C_OK);
	ck_assert_int_eq(KL_STATEMENT_READ(KL_S_RECORD, logged.record,
	    s.core->mem, &r), KL_C_OK);
	kl_kv_abort(&s.core->turn.txn);
	kl_arena_reset(s.core->mem);
	return r;
}

static uint64_t
leaves(void)
{
	return s.core->journal.committed.size;
}

/* Leaves of this event from leaf `from` on. */
static unsigned int
leaves_of(uint32_t event, uint64_t from)
{
	unsigned int n = 0;

	for (; from < leaves(); from++)
		n += record_at(from).event == event;
	return n;
}

/* Those that name this term. */
static unsigned int
leaves_due(uint32_t event, int64_t due_ms)
{
	unsigned int n = 0;

	for (uint64_t i = 0; i < leaves(); i++) {
		const struct kl_record r = record_at(i);

		n += r.event == event && r.due_minute == due_ms / KL_MINUTE_MS;
	}
	return n;
}

/* What one FETCH brings, one notice of this sort among it. */
static struct kl_notice
notice_for(const struct party *who, uint32_t notice, uint64_t *item)
{
	const struct shell_items i = shell_fetch(&s, who, 0);

	for (size_t k = 0; k < i.n; k++) {
		struct kl_notice n;

		if (i.item[k].sort != KL_NOTICE + 1)
			continue;
		n = shell_notice(&s, &i.item[k]);
		if (n.notice != notice)
			continue;
		if (item != NULL)
			*item = i.item[k].item;
		return n;
	}
	ck_abort_msg("no notice %u", notice);
}

static unsigned int
waiting(const struct party *who, uint32_t sort)
{
	const struct shell_items i = shell_fetch(&s, who, 0);
	unsigned int n = 0;

	for (size_t k = 0; k < i.n; k++)
		n += i.item[k].sort == sort;
	return n;
}

static enum kl_code
ack(const struct party *who, uint64_t item)
{
	const struct kl_item_ack a = { .item = { item }, .n_item = 1 };
	struct shell_answer answer;

	SHELL_SEND(&s, who, KL_ITEM_ACK, KL_M_ITEM_ACK, &a);
	shell_answer(&s, &answer);
	return (enum kl_code)answer.m.code;
}

/* A REFERRAL onward, under l and inside its consent. */
static void
letter_onward(struct letter *child, const struct party *to)
{
	letter_referral(child, &s.desk, to);
	child->e.consent.under = l.body_hash;
	child->e.consent.valid_until = l.e.consent.valid_until;
	letter_seal(child, &s.desk);
}

static void
parent_of_partner(void)
{
	l.e.consent.n_onward_to = 1;
	l.e.consent.onward_to[0] = s.partner.id;
	letter_seal(&l, &s.practice);
	shell_deliver(&s, &s.practice, &s.desk, &l);
}

/* ---- all of it ----------------------------------------------------------- */

START_TEST(what_waits_is_erased_before_the_answer)
{
	const struct kl_withdrawal w = by(&s.practice, KL_SCOPE_ALL);
	struct kl_withdraw q;
	struct shell_answer a;
	struct letter_bytes b;
	struct kl_slot_key key;
	uint64_t from;
	uint32_t slot;

	submit(&s.practice, &l);
	letter_correction(&m, &l, &s.practice, &s.desk);
	submit(&s.practice, &m);
	slot = stored(&l).slot;
	from = leaves();
	LETTERS_SIGN(KL_WITHDRAWAL, &w, s.practice.sk, &b);
	q.withdrawal = kl_bytes(b.b, b.n);
	SHELL_SEND(&s, &s.practice, KL_WITHDRAW, KL_M_WITHDRAW, &q);
	shell_turn(&s);
	ck_assert(!shell_take(&s, &a));
	ck_assert_uint_eq(stored(&l).state, KL_MSG_WITHDRAWN);
	ck_assert_uint_eq(stored(&m).state, KL_MSG_WITHDRAWN);
	ck_assert_uint_eq(leaves(), from + 3);
	ck_assert_uint_eq(record_at(from).event, KL_EV_CONSENT_WITHDRAWN);
	ck_assert_uint_eq(record_at(from).kind, 0);
	ck_assert_uint_eq(leaves_of(KL_EV_WITHDRAWN, from), 2);
	shell_turn(&s);
	ck_assert(shell_take(&s, &a));
	ck_assert_uint_eq(a.m.code, KL_C_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_WITHDRAW_REPLY, a.m.body,
	    s.mem, &told), KL_C_OK);
	counts_are(2, 0, 0);
	ck_assert_int_eq(kl_slots_key(s.core->vault.slots, slot, &key),
	    KL_E_NOT_FOUND);
	ck_assert_uint_eq(leaves_of(KL_EV_ERASED, from), 2);
	/* Who never had it learns nothing of it. */
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n, 0);
	ck_assert_uint_eq(registry_by_id(&s.core->registry,
	    &s.practice.id)->open_conversations, 0);
	ck_assert_uint_eq(conversation_of(&l).state, KL_CONV_WITHDRAWN);
}
END_TEST

START_TEST(what_was_released_is_uncertain_and_its_receiver_asked)
{
	const struct kl_withdrawal w = by(&s.practice, KL_SCOPE_ALL);
	struct letter_bytes b;
	struct kl_notice n;
	uint64_t item;

	submit(&s.practice, &l);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 1);
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	counts_are(0, 0, 1);
	ck_assert_uint_eq(stored(&l).state, KL_MSG_UNCONFIRMED);
	ck_assert_uint_eq(stored(&l).slot, KL_SLOT_NONE);
	n = notice_for(&s.desk, KL_NOTICE_ERASE_REQUEST, &item);
	LETTERS_SIGN(KL_WITHDRAWAL, &w, s.practice.sk, &b);
	ck_assert(kl_bytes_equal(n.withdrawal, kl_bytes(b.b, b.n)));
	ck_assert_uint_eq(n.parent.n, 0);
	ck_assert_mem_eq(n.conv_id.b, l.e.header.conv_id.b, 16);
	ck_assert_int_ge(n.due_ms, LETTERS_NOW_MS + 5 * KL_DAY_MS);
	/* It is no mail to be ticked off. */
	ck_assert_int_eq(ack(&s.desk, item), KL_C_ITEM_UNKNOWN);
	/* The one who withdrew is not asked. */
	ck_assert_uint_eq(waiting(&s.practice, KL_NOTICE + 1), 0);
}
END_TEST

START_TEST(a_request_is_brought_once_in_a_session)
{
	struct letter other;
	uint32_t desk;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	(void)notice_for(&s.desk, KL_NOTICE_ERASE_REQUEST, NULL);
	/* It may wait for a person: nobody polls for it all the time. */
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n, 0);
	letter_referral(&other, &s.practice, &s.desk);
	submit(&s.practice, &other);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n, 1);
	shell_begin(&s, &s.desk);
	(void)notice_for(&s.desk, KL_NOTICE_ERASE_REQUEST, NULL);
	ck_assert_uint_eq(waiting(&s.desk, KL_NOTICE + 1), 0);
	/* Nor is one lost with its answer. */
	desk = registry_by_id(&s.core->registry, &s.desk.id)->number;
	s.core->session[desk - 1].asked_ms = -2 * KL_HOUR_MS;
	(void)notice_for(&s.desk, KL_NOTICE_ERASE_REQUEST, NULL);
}
END_TEST

START_TEST(a_receipt_takes_the_request_away_and_reaches_who_withdrew)
{
	struct kl_notice n;
	uint64_t from;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	counts_are(0, 1, 0);
	from = leaves();
	n = notice_for(&s.desk, KL_NOTICE_ERASE_REQUEST, NULL);
	ck_assert_int_eq(shell_erased(&s, &s.partner, &n, KL_ERASED),
	    KL_C_ITEM_UNKNOWN);
	shell_begin(&s, &s.desk);
	n = notice_for(&s.desk, KL_NOTICE_ERASE_REQUEST, NULL);
	ck_assert_int_eq(shell_erased(&s, &s.desk, &n, KL_KEPT_ON_OWN_BASIS),
	    KL_C_OK);
	ck_assert_uint_eq(waiting(&s.desk, KL_NOTICE + 1), 0);
	ck_assert_uint_eq(leaves_of(KL_EV_ERASE_RECEIPT, from), 1);
	ck_assert_uint_eq(waiting(&s.practice, KL_ERASE_RECEIPT + 1), 1);
}
END_TEST

START_TEST(the_first_erase_receipt_counts)
{
	struct kl_withdrawal w = by(&s.practice, KL_SCOPE_ALL);
	struct kl_notice n;
	struct letter_bytes b;
	uint64_t from;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	n = notice_for(&s.desk, KL_NOTICE_ERASE_REQUEST, NULL);
	ck_assert_int_eq(shell_erased(&s, &s.desk, &n, KL_ERASED), KL_C_OK);
	from = leaves();
	LETTERS_SIGN(KL_WITHDRAWAL, &w, s.practice.sk, &b);
	n.withdrawal = kl_bytes(b.b, b.n);
	ck_assert_int_eq(shell_erased(&s, &s.desk, &n, KL_ERASED), KL_C_OK);
	ck_assert_uint_eq(leaves(), from);
	ck_assert_int_eq(shell_erased(&s, &s.desk, &n, KL_NOTHING_HELD),
	    KL_C_CONFLICT);
	/* Nor was anything of another withdrawal asked. */
	w.at_ms++;
	LETTERS_SIGN(KL_WITHDRAWAL, &w, s.practice.sk, &b);
	ck_assert_int_eq(shell_erased(&s, &s.desk, &n, KL_ERASED),
	    KL_C_ITEM_UNKNOWN);
	n.conv_id.b[0] ^= 1;
	ck_assert_int_eq(shell_erased(&s, &s.desk, &n, KL_ERASED),
	    KL_C_CONVERSATION_ENDED);
}
END_TEST

START_TEST(a_municipalitys_withdrawal_counts_at_once)
{
	struct kl_notice n;
	struct letter f;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	letter_feedback(&f, &l, &s.desk, &s.practice, KL_MS_TAKEN_UP);
	submit(&s.desk, &f);
	ck_assert_int_eq(withdraw(&s.desk, KL_SCOPE_ALL), KL_C_OK);
	counts_are(1, 1, 0);
	n = notice_for(&s.practice, KL_NOTICE_ERASE_REQUEST, NULL);
	ck_assert_int_eq(shell_erased(&s, &s.practice, &n, KL_ERASED),
	    KL_C_OK);
	ck_assert_uint_eq(waiting(&s.practice, KL_SORT_ENVELOPE), 0);
	ck_assert_uint_eq(waiting(&s.desk, KL_ERASE_RECEIPT + 1), 1);
}
END_TEST

START_TEST(nothing_is_accepted_or_released_after_it)
{
	struct letter f, again;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	letter_feedback(&f, &l, &s.desk, &s.practice, KL_MS_ENDED);
	ck_assert_int_eq(shell_submit(&s, &s.desk, &f),
	    KL_C_CONVERSATION_ENDED);
	letter_correction(&m, &l, &s.practice, &s.desk);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &m),
	    KL_C_CONVERSATION_ENDED);
	/* Sealed again, with the same consent. */
	again = l;
	kl_random(again.e.header.msg_id.b, 16);
	again.e.header.replaces = l.e.header.msg_id;
	again.e.header.seq = 2;
	letter_seal(&again, &s.practice);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &again),
	    KL_C_CONVERSATION_ENDED);
	/* The same bytes have the answer that they had. */
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	ck_assert_uint_eq(waiting(&s.desk, KL_SORT_ENVELOPE), 0);
}
END_TEST

START_TEST(a_late_receipt_opens_nothing)
{
	submit(&s.practice, &l);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 1);
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	ck_assert_int_eq(shell_receipt(&s, &s.desk, &l, KL_OPENED, KL_C_OK),
	    KL_C_OK);
	ck_assert_uint_eq(conversation_of(&l).state, KL_CONV_WITHDRAWN);
	ck_assert_uint_eq(stored(&l).state, KL_MSG_DELIVERED);
	(void)notice_for(&s.practice, KL_NOTICE_LATE, NULL);
}
END_TEST

START_TEST(a_late_refusal_opens_nothing)
{
	submit(&s.practice, &l);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 1);
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	ck_assert_int_eq(shell_receipt(&s, &s.desk, &l, KL_REFUSED,
	    KL_C_CONVERSATION_ENDED), KL_C_OK);
	ck_assert_uint_eq(conversation_of(&l).state, KL_CONV_WITHDRAWN);
	ck_assert_uint_eq(stored(&l).state, KL_MSG_DEAD);
}
END_TEST

START_TEST(an_ended_conversation_is_erased_and_not_reopened)
{
	struct letter f, back;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	letter_feedback(&f, &l, &s.desk, &s.practice, KL_MS_ENDED);
	submit(&s.desk, &f);
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	counts_are(1, 1, 0);
	(void)notice_for(&s.desk, KL_NOTICE_ERASE_REQUEST, NULL);
	letter_correction(&back, &l, &s.practice, &s.desk);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &back),
	    KL_C_CONVERSATION_ENDED);
	ck_assert_uint_eq(registry_by_id(&s.core->registry,
	    &s.practice.id)->open_conversations, 0);
}
END_TEST

START_TEST(a_successor_withdraws_and_answers)
{
	struct party heir = party_make(KL_MUNICIPALITY,
	    "oin:00000001234567890002");
	struct kl_card card = party_card(&heir);
	struct kl_withdrawal w = by(&heir, KL_SCOPE_FEEDBACK);
	struct kl_notice n;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	card.succeeds = s.desk.id;
	card.succeeds_from_ms = LETTERS_NOW_MS - KL_DAY_MS;
	ck_assert_int_eq(shell_card(&s, &card), KL_C_OK);
	(void)shell_verdict(&s, &heir);
	shell_begin(&s, &heir);
	ck_assert_int_eq(shell_withdraw(&s, &heir, &w, &told), KL_C_OK);
	(void)notice_for(&s.practice, KL_NOTICE_WITHDRAWN, NULL);
	/* What is asked of its predecessor lies in its mailbox too. */
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	n = notice_for(&heir, KL_NOTICE_ERASE_REQUEST, NULL);
	ck_assert_int_eq(shell_erased(&s, &heir, &n, KL_ERASED), KL_C_OK);
	ck_assert_uint_eq(waiting(&s.practice, KL_ERASE_RECEIPT + 1), 1);
	party_clear(&heir);
}
END_TEST

/* ---- again --------------------------------------------------------------- */

START_TEST(again_has_the_same_answer_and_counts)
{
	struct kl_logged a, b;
	uint64_t from;

	submit(&s.practice, &l);
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	counts_are(1, 0, 0);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOGGED, told.logged, s.mem, &a),
	    KL_C_OK);
	from = leaves();
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	counts_are(1, 0, 0);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOGGED, told.logged, s.mem, &b),
	    KL_C_OK);
	ck_assert_uint_eq(a.leaf, b.leaf);
	/* What covers it was taken: the other party, and a part of it. */
	ck_assert_int_eq(withdraw(&s.desk, KL_SCOPE_ALL), KL_C_OK);
	counts_are(1, 0, 0);
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_FEEDBACK), KL_C_OK);
	counts_are(1, 0, 0);
	ck_assert_uint_eq(leaves(), from);
}
END_TEST

START_TEST(a_crash_before_the_answer_changes_nothing)
{
	const struct kl_withdrawal w = by(&s.practice, KL_SCOPE_ALL);
	struct kl_withdraw q;
	struct letter_bytes b;
	uint64_t from;

	submit(&s.practice, &l);
	from = leaves();
	LETTERS_SIGN(KL_WITHDRAWAL, &w, s.practice.sk, &b);
	q.withdrawal = kl_bytes(b.b, b.n);
	SHELL_SEND(&s, &s.practice, KL_WITHDRAW, KL_M_WITHDRAW, &q);
	shell_turn(&s);
	shell_restart(&s, LETTERS_NOW_MS);
	ck_assert_uint_eq(leaves_of(KL_EV_ERASED, from), 1);
	begin_all();
	from = leaves();
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	counts_are(1, 0, 0);
	ck_assert_uint_eq(leaves(), from);
}
END_TEST

START_TEST(sent_in_error_after_the_residents_own_forbids_keeping)
{
	const struct kl_withdrawal error = letter_withdrawal(&l, &s.practice,
	    KL_SCOPE_ALL, KL_CAUSE_SENT_IN_ERROR);
	struct kl_notice n;
	struct letter_bytes b;
	uint64_t from;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	n = notice_for(&s.desk, KL_NOTICE_ERASE_REQUEST, NULL);
	ck_assert_int_eq(shell_erased(&s, &s.desk, &n, KL_KEPT_ON_OWN_BASIS),
	    KL_C_OK);
	from = leaves();
	ck_assert_int_eq(shell_withdraw(&s, &s.practice, &error, &told),
	    KL_C_OK);
	counts_are(0, 1, 0);
	ck_assert_uint_eq(leaves_of(KL_EV_CONSENT_WITHDRAWN, from), 1);
	n = notice_for(&s.desk, KL_NOTICE_ERASE_REQUEST, NULL);
	LETTERS_SIGN(KL_WITHDRAWAL, &error, s.practice.sk, &b);
	ck_assert(kl_bytes_equal(n.withdrawal, kl_bytes(b.b, b.n)));
	n.withdrawal = kl_bytes(b.b, b.n);
	ck_assert_int_eq(shell_erased(&s, &s.desk, &n, KL_KEPT_ON_OWN_BASIS),
	    KL_C_MUST_ERASE);
	ck_assert_int_eq(shell_erased(&s, &s.desk, &n, KL_ERASED), KL_C_OK);
	/* And again it is covered. */
	from = leaves();
	ck_assert_int_eq(shell_withdraw(&s, &s.practice, &error, &told),
	    KL_C_OK);
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	ck_assert_uint_eq(leaves(), from);
}
END_TEST

/* ---- refused ------------------------------------------------------------- */

START_TEST(each_refusal_has_its_name_and_leaves_nothing)
{
	struct kl_withdrawal w = by(&s.practice, KL_SCOPE_ALL);
	struct kl_withdraw q;
	struct shell_answer a;
	struct letter_bytes b;
	uint64_t from;

	submit(&s.practice, &l);
	from = leaves();
	/* of somebody else */
	ck_assert_int_eq(shell_withdraw(&s, &s.desk, &w, NULL),
	    KL_C_NOT_YOUR_KEY);
	w.signer_key_id.b[0] ^= 1;
	ck_assert_int_eq(shell_withdraw(&s, &s.practice, &w, NULL),
	    KL_C_CARD_UNKNOWN);
	w = by(&s.practice, KL_SCOPE_ALL);
	LETTERS_SIGN(KL_WITHDRAWAL, &w, s.desk.sk, &b);
	q.withdrawal = kl_bytes(b.b, b.n);
	SHELL_SEND(&s, &s.practice, KL_WITHDRAW, KL_M_WITHDRAW, &q);
	shell_answer(&s, &a);
	ck_assert_uint_eq(a.m.code, KL_C_SIGNATURE);
	q.withdrawal = kl_bytes(b.b, b.n - 1);
	SHELL_SEND(&s, &s.practice, KL_WITHDRAW, KL_M_WITHDRAW, &q);
	shell_answer(&s, &a);
	ck_assert_uint_eq(a.m.code, KL_C_MALFORMED);
	w.route = KL_MUNICIPALITY;
	ck_assert_int_eq(shell_withdraw(&s, &s.practice, &w, NULL),
	    KL_C_ROLE);
	w = letter_withdrawal(&l, &s.desk, KL_SCOPE_ALL,
	    KL_CAUSE_SENT_IN_ERROR);
	w.route = KL_PRACTICE;
	ck_assert_int_eq(shell_withdraw(&s, &s.desk, &w, NULL), KL_C_ROLE);
	w = by(&s.practice, KL_SCOPE_ALL);
	w.at_ms += 11 * KL_MINUTE_MS;
	ck_assert_int_eq(shell_withdraw(&s, &s.practice, &w, NULL),
	    KL_C_CLOCK_AHEAD);
	w = by(&s.practice, KL_SCOPE_ALL);
	w.valid_until++;
	ck_assert_int_eq(shell_withdraw(&s, &s.practice, &w, NULL),
	    KL_C_CONSENT_DATE);
	/* A partner takes none. */
	w = by(&s.partner, KL_SCOPE_ALL);
	w.route = KL_MUNICIPALITY;
	ck_assert_int_eq(shell_withdraw(&s, &s.partner, &w, NULL), KL_C_ROLE);
	ck_assert_uint_eq(stored(&l).state, KL_MSG_ACCEPTED);
	ck_assert_uint_eq(leaves(), from);
}
END_TEST

START_TEST(only_a_party_withdraws)
{
	struct party other = party_make(KL_PRACTICE, "agb:07654321");
	const struct kl_withdrawal w = by(&other, KL_SCOPE_ALL);

	shell_enrol(&s, &other);
	shell_begin(&s, &other);
	submit(&s.practice, &l);
	ck_assert_int_eq(shell_withdraw(&s, &other, &w, NULL),
	    KL_C_NOT_A_PARTY);
	ck_assert_uint_eq(stored(&l).state, KL_MSG_ACCEPTED);
	party_clear(&other);
}
END_TEST

/* ---- the feedback only --------------------------------------------------- */

START_TEST(the_feedback_ends_and_the_help_goes_on)
{
	struct letter f, next;
	struct kl_notice n;
	uint64_t from;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	letter_feedback(&f, &l, &s.desk, &s.practice, KL_MS_TAKEN_UP);
	submit(&s.desk, &f);
	from = leaves();
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_FEEDBACK), KL_C_OK);
	counts_are(1, 0, 0);
	ck_assert_uint_eq(record_at(from).event, KL_EV_CONSENT_WITHDRAWN);
	ck_assert_uint_eq(record_at(from).kind, KL_FEEDBACK);
	ck_assert_uint_eq(conversation_of(&l).state, KL_CONV_OPEN);
	/* Its sender has what it wrote; its receiver never got it. */
	(void)notice_for(&s.desk, KL_NOTICE_ERASE_REQUEST, NULL);
	n = notice_for(&s.practice, KL_NOTICE_GAP, NULL);
	ck_assert_uint_eq(n.seq_from, 1);
	letter_feedback(&next, &l, &s.desk, &s.practice, KL_MS_IN_PROGRESS);
	next.e.header.seq = 2;
	letter_seal(&next, &s.desk);
	ck_assert_int_eq(shell_submit(&s, &s.desk, &next),
	    KL_C_NO_FEEDBACK_CONSENT);
	letter_correction(&m, &l, &s.practice, &s.desk);
	submit(&s.practice, &m);
	ck_assert_uint_eq(waiting(&s.desk, KL_SORT_ENVELOPE), 1);
	next.e.header.milestone = KL_MS_RETURNED;
	next.e.header.feedback_level = KL_LEVEL_0;
	letter_seal(&next, &s.desk);
	submit(&s.desk, &next);
	ck_assert_uint_eq(waiting(&s.practice, KL_SORT_ENVELOPE), 1);
}
END_TEST

START_TEST(what_told_that_no_help_was_needed_may_be_told_again)
{
	struct letter f;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	letter_feedback(&f, &l, &s.desk, &s.practice, KL_MS_RETURNED);
	submit(&s.desk, &f);
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_FEEDBACK), KL_C_OK);
	counts_are(1, 0, 0);
	ck_assert_uint_eq(waiting(&s.practice, KL_SORT_ENVELOPE), 0);
	letter_feedback(&f, &l, &s.desk, &s.practice, KL_MS_RETURNED);
	f.e.header.seq = 2;
	f.e.header.feedback_level = KL_LEVEL_0;
	letter_seal(&f, &s.desk);
	submit(&s.desk, &f);
	ck_assert_uint_eq(waiting(&s.practice, KL_SORT_ENVELOPE), 1);
}
END_TEST

START_TEST(feedback_that_was_seen_is_asked_back)
{
	struct letter f;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	letter_feedback(&f, &l, &s.desk, &s.practice, KL_MS_TAKEN_UP);
	shell_deliver(&s, &s.desk, &s.practice, &f);
	ck_assert_int_eq(withdraw(&s.desk, KL_SCOPE_FEEDBACK), KL_C_OK);
	counts_are(0, 1, 0);
	(void)notice_for(&s.practice, KL_NOTICE_ERASE_REQUEST, NULL);
	/* The rest of it later. */
	ck_assert_int_eq(withdraw(&s.desk, KL_SCOPE_ALL), KL_C_OK);
	counts_are(0, 2, 0);
	(void)notice_for(&s.practice, KL_NOTICE_ERASE_REQUEST, NULL);
}
END_TEST

START_TEST(who_holds_no_feedback_is_told_the_fact)
{
	struct kl_notice n;

	submit(&s.practice, &l);
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_FEEDBACK), KL_C_OK);
	counts_are(0, 0, 0);
	n = notice_for(&s.desk, KL_NOTICE_WITHDRAWN, NULL);
	ck_assert_uint_eq(n.code, KL_C_NO_FEEDBACK_CONSENT);
	ck_assert_uint_eq(n.withdrawal.n, 0);
}
END_TEST

/* ---- what stands under it ------------------------------------------------ */

START_TEST(the_end_of_a_parent_ends_its_children)
{
	struct letter child, f;
	struct kl_notice n;
	struct kl_signed v;
	struct kl_hash h;

	parent_of_partner();
	letter_onward(&child, &s.partner);
	shell_deliver(&s, &s.desk, &s.partner, &child);
	letter_feedback(&f, &child, &s.partner, &s.desk, KL_MS_TAKEN_UP);
	submit(&s.partner, &f);
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	counts_are(1, 2, 0);
	ck_assert_uint_eq(conversation_of(&child).state, KL_CONV_WITHDRAWN);
	n = notice_for(&s.partner, KL_NOTICE_ERASE_REQUEST, NULL);
	ck_assert_mem_eq(n.conv_id.b, child.e.header.conv_id.b, 16);
	ck_assert_int_eq(kl_signed_read(n.parent, s.mem, &v), KL_C_OK);
	h = kl_hash_of(v.body);
	ck_assert_mem_eq(h.b, child.e.consent.under.b, 32);
	ck_assert_int_eq(shell_erased(&s, &s.partner, &n, KL_ERASED),
	    KL_C_OK);
	/* Of both conversations. */
	ck_assert_uint_eq(waiting(&s.desk, KL_NOTICE + 1), 2);
	ck_assert_uint_eq(waiting(&s.desk, KL_SORT_ENVELOPE), 0);
	ck_assert_uint_eq(waiting(&s.practice, KL_ERASE_RECEIPT + 1), 1);
}
END_TEST

/* `from` refers on to `to` under `parent`; its consent names `next`, if any. */
static void
letter_under(struct letter *child, const struct letter *parent,
    const struct party *from, const struct party *to,
    const struct party *next)
{
	letter_referral(child, from, to);
	child->e.consent.under = parent->body_hash;
	child->e.consent.valid_until = parent->e.consent.valid_until;
	if (next != NULL) {
		child->e.consent.n_onward_to = 1;
		child->e.consent.onward_to[0] = next->id;
	}
	letter_seal(child, from);
	shell_deliver(&s, from, to, child);
}

/* The link cannot be shown, so its receiver is told the fact; asked it is by
 * the word of who referred it on, whatever ended before. */
START_TEST(a_child_of_a_child_is_asked_by_the_word_of_its_own_party)
{
	struct party town = party_make(KL_MUNICIPALITY,
	    "oin:00000001234567890009");
	struct letter child, below;
	struct kl_withdrawal w;
	struct letter_bytes b;
	struct kl_notice n;

	shell_enrol(&s, &town);
	shell_begin(&s, &town);
	l.e.consent.n_onward_to = 1;
	l.e.consent.onward_to[0] = town.id;
	letter_seal(&l, &s.practice);
	shell_deliver(&s, &s.practice, &s.desk, &l);
	letter_under(&child, &l, &s.desk, &town, &s.partner);
	letter_under(&below, &child, &town, &s.partner, NULL);
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	ck_assert_uint_eq(conversation_of(&below).state, KL_CONV_WITHDRAWN);
	(void)notice_for(&s.partner, KL_NOTICE_WITHDRAWN, NULL);
	w = letter_withdrawal(&below, &town, KL_SCOPE_ALL,
	    KL_CAUSE_RESIDENT);
	ck_assert_int_eq(shell_withdraw(&s, &town, &w, &told), KL_C_OK);
	n = notice_for(&s.partner, KL_NOTICE_ERASE_REQUEST, NULL);
	LETTERS_SIGN(KL_WITHDRAWAL, &w, town.sk, &b);
	ck_assert(kl_bytes_equal(n.withdrawal, kl_bytes(b.b, b.n)));
	n.withdrawal = kl_bytes(b.b, b.n);
	ck_assert_int_eq(shell_erased(&s, &s.partner, &n, KL_ERASED),
	    KL_C_OK);
	ck_assert_uint_eq(waiting(&town, KL_ERASE_RECEIPT + 1), 1);
	party_clear(&town);
}
END_TEST

START_TEST(feedback_of_a_parent_and_a_child_alone_leave_the_others)
{
	struct letter child;

	parent_of_partner();
	letter_onward(&child, &s.partner);
	shell_deliver(&s, &s.desk, &s.partner, &child);
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_FEEDBACK), KL_C_OK);
	ck_assert_uint_eq(conversation_of(&child).state, KL_CONV_OPEN);
	l.e.header.conv_id = child.e.header.conv_id;
	ck_assert_int_eq(withdraw(&s.desk, KL_SCOPE_ALL), KL_C_OK);
	counts_are(0, 1, 0);
	ck_assert_uint_eq(conversation_of(&child).state, KL_CONV_WITHDRAWN);
	ck_assert_uint_eq(waiting(&s.partner, KL_NOTICE + 1), 1);
}
END_TEST

START_TEST(a_parent_with_its_children_and_much_that_waits_is_one_commit)
{
	struct letter child[CHILDREN], f;
	unsigned int before;
	uint64_t from;

	parent_of_partner();
	for (int i = 0; i < CHILDREN; i++) {
		letter_onward(&child[i], &s.partner);
		shell_deliver(&s, &s.desk, &s.partner, &child[i]);
	}
	for (uint32_t i = 0; i < WAITING; i++) {
		letter_feedback(&f, &l, &s.desk, &s.practice,
		    KL_MS_IN_PROGRESS);
		f.e.header.seq = 1 + i;
		letter_seal(&f, &s.desk);
		submit(&s.desk, &f);
	}
	shell_turn(&s);
	from = leaves();
	before = commits;
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	counts_are(WAITING, 1 + CHILDREN, 0);
	/* One for all of it, one for what is erased then. */
	ck_assert_uint_eq(commits, before + 2);
	ck_assert_uint_eq(leaves_of(KL_EV_CONSENT_WITHDRAWN, from),
	    1 + CHILDREN);
	ck_assert_uint_eq(leaves_of(KL_EV_WITHDRAWN, from), WAITING);
	ck_assert_uint_eq(leaves_of(KL_EV_ERASED, from), WAITING);
	for (uint64_t i = from; i < from + 1 + CHILDREN + WAITING; i++)
		ck_assert_uint_ne(record_at(i).event, KL_EV_ERASED);
}
END_TEST

/* What a party has said of a conversation that is not here. */
static int
row_of(const struct party *who)
{
	struct withdraw_row row = { .scope = KL_SCOPE_ALL,
		.number = registry_by_id(&s.core->registry,
		    &who->id)->number };
	int err;

	row.conv = vault_tag(&s.core->vault, T_CONV,
	    KL_BYTES_OF(l.e.header.conv_id));
	ck_assert_int_eq(kl_kv_begin_read(s.core->kv, &s.core->turn.txn),
	    KL_OK);
	err = withdraw_row_get(&s.core->turn, &row);
	kl_kv_abort(&s.core->turn.txn);
	kl_arena_reset(s.core->mem);
	return err;
}

/* ---- of what is not here ------------------------------------------------- */

START_TEST(a_conversation_never_seen_is_stopped_when_it_comes)
{
	struct letter other;
	uint64_t from = leaves();

	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	counts_are(0, 0, 0);
	ck_assert_uint_eq(leaves_of(KL_EV_CONSENT_WITHDRAWN, from), 1);
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	ck_assert_uint_eq(leaves(), from + 1);
	shell_restart(&s, LETTERS_NOW_MS);
	begin_all();
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l),
	    KL_C_CONVERSATION_ENDED);
	/* But not by one who is no party to it. */
	letter_referral(&other, &s.desk, &s.partner);
	other.e.header.conv_id = l.e.header.conv_id;
	letter_seal(&other, &s.desk);
	ck_assert_int_eq(shell_submit(&s, &s.desk, &other), KL_C_OK);
}
END_TEST

START_TEST(feedback_withdrawn_before_stays_so)
{
	struct letter f;

	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_FEEDBACK), KL_C_OK);
	shell_deliver(&s, &s.practice, &s.desk, &l);
	ck_assert_uint_eq(conversation_of(&l).level, KL_LEVEL_0);
	letter_feedback(&f, &l, &s.desk, &s.practice, KL_MS_TAKEN_UP);
	ck_assert_int_eq(shell_submit(&s, &s.desk, &f),
	    KL_C_NO_FEEDBACK_CONSENT);
	(void)notice_for(&s.desk, KL_NOTICE_WITHDRAWN, NULL);
}
END_TEST

START_TEST(one_never_seen_is_forgotten_after_its_day)
{
	const int64_t past_ms = kl_day_start_ms(
	    (int32_t)l.e.consent.valid_until + 1) + KL_MINUTE_MS;
	struct kl_withdrawal w = by(&s.practice, KL_SCOPE_ALL);

	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	ck_assert_int_eq(row_of(&s.practice), KL_OK);
	w.valid_until = (uint32_t)kl_day_of(LETTERS_NOW_MS) + 900;
	w.conv_id.b[0] ^= 1;
	ck_assert_int_eq(shell_withdraw(&s, &s.practice, &w, NULL),
	    KL_C_CONSENT_DATE);
	shell_restart(&s, past_ms - KL_DAY_MS);
	shell_turn(&s);
	ck_assert_int_eq(row_of(&s.practice), KL_OK);
	shell_restart(&s, past_ms);
	shell_turn(&s);
	ck_assert_int_eq(row_of(&s.practice), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(another_partys_day_takes_nothing_away)
{
	struct kl_withdrawal w = by(&s.desk, KL_SCOPE_ALL);

	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	w.valid_until = (uint32_t)kl_day_of(LETTERS_NOW_MS) - 1;
	ck_assert_int_eq(shell_withdraw(&s, &s.desk, &w, NULL), KL_C_OK);
	ck_assert_int_eq(row_of(&s.practice), KL_OK);
	ck_assert_int_eq(row_of(&s.desk), KL_OK);
	shell_restart(&s, LETTERS_NOW_MS + 8 * KL_DAY_MS);
	shell_turn(&s);
	ck_assert_int_eq(row_of(&s.desk), KL_E_NOT_FOUND);
	ck_assert_int_eq(row_of(&s.practice), KL_OK);
}
END_TEST

START_TEST(what_nobody_knows_has_a_quota_of_its_own)
{
	struct kl_withdrawal w = by(&s.practice, KL_SCOPE_ALL);
	struct session *session = &s.core->session[registry_by_id(
	    &s.core->registry, &s.practice.id)->number - 1];

	submit(&s.practice, &l);
	session->withdrawals_day = kl_day_of(LETTERS_NOW_MS);
	session->withdrawals = WITHDRAWALS_UNKNOWN_DAY - 1;
	w.conv_id.b[0] ^= 1;
	ck_assert_int_eq(shell_withdraw(&s, &s.practice, &w, NULL), KL_C_OK);
	ck_assert_int_eq(shell_withdraw(&s, &s.practice, &w, NULL), KL_C_OK);
	w.conv_id.b[0] ^= 2;
	ck_assert_int_eq(shell_withdraw(&s, &s.practice, &w, NULL),
	    KL_C_QUOTA_WITHDRAWALS);
	/* What is known always goes. */
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	counts_are(1, 0, 0);
}
END_TEST

static bool
told_of(const struct party *who)
{
	json_t *o = control_status(s.core, NULL);
	const json_t *u = json_object_get(o, "unknown_withdrawals");
	const char *id = json_string_value(json_array_get(json_object_get(u,
	    "participants"), 0));
	const bool told = id != NULL &&
	    strcmp(id, kl_id_text(&who->id).b) == 0 &&
	    json_is_string(json_object_get(u, "next_step"));

	ck_assert(told || u == NULL);
	json_decref(o);
	return told;
}

START_TEST(many_withdrawals_of_what_nobody_knows_are_told)
{
	struct kl_withdrawal w = by(&s.practice, KL_SCOPE_ALL);
	struct session *session = &s.core->session[registry_by_id(
	    &s.core->registry, &s.practice.id)->number - 1];

	submit(&s.practice, &l);
	session->withdrawals_day = kl_day_of(LETTERS_NOW_MS);
	session->withdrawals = WITHDRAWALS_UNKNOWN_TELL - 1;
	w.conv_id.b[0] ^= 1;
	ck_assert_int_eq(shell_withdraw(&s, &s.practice, &w, NULL), KL_C_OK);
	ck_assert(!told_of(&s.practice));
	w.conv_id.b[0] ^= 2;
	ck_assert_int_eq(shell_withdraw(&s, &s.practice, &w, NULL), KL_C_OK);
	ck_assert(told_of(&s.practice));
	/* Another day is another count. */
	session->withdrawals_day--;
	ck_assert(!told_of(&s.practice));
}
END_TEST

/* ---- when the broker is full, or something fails ------------------------- */

START_TEST(a_full_store_still_erases)
{
	submit(&s.practice, &l);
	s.core->full = true;
	s.core->full_asked_ms = INT64_MAX / 2;
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	counts_are(1, 0, 0);
}
END_TEST

START_TEST(a_missing_erase_receipt_is_told_once_to_both)
{
	struct kl_notice n;
	uint64_t from, due_ms;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	n = notice_for(&s.desk, KL_NOTICE_ERASE_REQUEST, NULL);
	due_ms = (uint64_t)n.due_ms;
	ck_assert_uint_eq(leaves_due(KL_EV_ERASE_ASKED, n.due_ms), 1);
	from = leaves();
	shell_restart(&s, n.due_ms + KL_MINUTE_MS);
	shell_turn(&s);
	begin_all();
	ck_assert_uint_eq(leaves_of(KL_EV_ESCALATED, from), 1);
	n = notice_for(&s.practice, KL_NOTICE_ESCALATION, NULL);
	ck_assert_uint_eq((uint64_t)n.due_ms, due_ms);
	(void)notice_for(&s.desk, KL_NOTICE_ESCALATION, NULL);
	shell_restart(&s, n.due_ms + KL_DAY_MS);
	shell_turn(&s);
	begin_all();
	ck_assert_uint_eq(leaves_of(KL_EV_ESCALATED, from), 1);
	/* It is asked until it is answered, also then. */
	n = notice_for(&s.desk, KL_NOTICE_ERASE_REQUEST, NULL);
	ck_assert_int_eq(shell_erased(&s, &s.desk, &n, KL_ERASED), KL_C_OK);
	ck_assert_uint_eq(waiting(&s.practice, KL_ERASE_RECEIPT + 1), 1);
	/* The log tells which beginning each of its ends belongs to. */
	ck_assert_uint_eq(leaves_due(KL_EV_ERASE_ASKED, n.due_ms), 1);
	ck_assert_uint_eq(leaves_due(KL_EV_ESCALATED, n.due_ms), 1);
	ck_assert_uint_eq(leaves_due(KL_EV_ERASE_RECEIPT, n.due_ms), 1);
}
END_TEST

static int
conversation_there(void)
{
	struct conversation c;
	int err;

	ck_assert_int_eq(kl_kv_begin_read(s.core->kv, &s.core->turn.txn),
	    KL_OK);
	err = conversation_by_id(&s.core->turn, &l.e.header.conv_id, &c);
	kl_kv_abort(&s.core->turn.txn);
	kl_arena_reset(s.core->mem);
	return err;
}

/* However soon the policy forgets: who was off for a weekend is asked still,
 * and both are told. */
START_TEST(what_is_owed_outlives_a_short_term)
{
	struct kl_notice n;
	uint64_t from;

	shell_policy(&s, "[policy]\nmetadata_after_end = 1d\n");
	shell_restart(&s, LETTERS_NOW_MS);
	begin_all();
	shell_deliver(&s, &s.practice, &s.desk, &l);
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	from = leaves();
	shell_restart(&s, LETTERS_NOW_MS + 3 * KL_DAY_MS);
	shell_turn(&s);
	begin_all();
	n = notice_for(&s.desk, KL_NOTICE_ERASE_REQUEST, NULL);
	shell_restart(&s, n.due_ms + KL_DAY_MS);
	shell_turn(&s);
	begin_all();
	ck_assert_uint_eq(leaves_of(KL_EV_ESCALATED, from), 1);
	(void)notice_for(&s.practice, KL_NOTICE_ESCALATION, NULL);
	(void)notice_for(&s.desk, KL_NOTICE_ESCALATION, NULL);
	ck_assert_int_eq(conversation_there(), KL_OK);
	shell_restart(&s, n.due_ms + 7 * KL_DAY_MS + KL_MINUTE_MS);
	shell_turn(&s);
	ck_assert_int_eq(conversation_there(), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(what_was_answered_holds_nothing_up)
{
	struct kl_notice n;

	shell_policy(&s, "[policy]\nmetadata_after_end = 1d\n");
	shell_restart(&s, LETTERS_NOW_MS);
	begin_all();
	shell_deliver(&s, &s.practice, &s.desk, &l);
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	n = notice_for(&s.desk, KL_NOTICE_ERASE_REQUEST, NULL);
	ck_assert_int_eq(shell_erased(&s, &s.desk, &n, KL_ERASED), KL_C_OK);
	shell_restart(&s, LETTERS_NOW_MS + KL_DAY_MS + KL_MINUTE_MS);
	shell_turn(&s);
	ck_assert_int_eq(conversation_there(), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(a_receipt_in_time_is_no_escalation)
{
	struct kl_notice n;
	int64_t due_ms;
	uint64_t from;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	ck_assert_int_eq(withdraw(&s.practice, KL_SCOPE_ALL), KL_C_OK);
	n = notice_for(&s.desk, KL_NOTICE_ERASE_REQUEST, NULL);
	due_ms = n.due_ms;
	ck_assert_int_eq(shell_erased(&s, &s.desk, &n, KL_ERASED), KL_C_OK);
	from = leaves();
	shell_restart(&s, due_ms + KL_MINUTE_MS);
	shell_turn(&s);
	ck_assert_uint_eq(leaves_of(KL_EV_ESCALATED, from), 0);
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
	Suite *suite = suite_create("core_withdraw");
	SRunner *r;
	TCase *t;
	int failed;

	if (kl_crypto_init() != KL_OK)
		return EXIT_FAILURE;
	t = tcase(suite, "all");
	tcase_add_test(t, what_waits_is_erased_before_the_answer);
	tcase_add_test(t,
	    what_was_released_is_uncertain_and_its_receiver_asked);
	tcase_add_test(t, a_request_is_brought_once_in_a_session);
	tcase_add_test(t,
	    a_receipt_takes_the_request_away_and_reaches_who_withdrew);
	tcase_add_test(t, the_first_erase_receipt_counts);
	tcase_add_test(t, a_municipalitys_withdrawal_counts_at_once);
	tcase_add_test(t, nothing_is_accepted_or_released_after_it);
	tcase_add_test(t, a_late_receipt_opens_nothing);
	tcase_add_test(t, a_late_refusal_opens_nothing);
	tcase_add_test(t, an_ended_conversation_is_erased_and_not_reopened);
	tcase_add_test(t, a_successor_withdraws_and_answers);
	t = tcase(suite, "again");
	tcase_add_test(t, again_has_the_same_answer_and_counts);
	tcase_add_test(t, a_crash_before_the_answer_changes_nothing);
	tcase_add_test(t,
	    sent_in_error_after_the_residents_own_forbids_keeping);
	t = tcase(suite, "refused");
	tcase_add_test(t, each_refusal_has_its_name_and_leaves_nothing);
	tcase_add_test(t, only_a_party_withdraws);
	t = tcase(suite, "feedback");
	tcase_add_test(t, the_feedback_ends_and_the_help_goes_on);
	tcase_add_test(t, what_told_that_no_help_was_needed_may_be_told_again);
	tcase_add_test(t, feedback_that_was_seen_is_asked_back);
	tcase_add_test(t, who_holds_no_feedback_is_told_the_fact);
	t = tcase(suite, "children");
	tcase_add_test(t, the_end_of_a_parent_ends_its_children);
	tcase_add_test(t,
	    a_child_of_a_child_is_asked_by_the_word_of_its_own_party);
	tcase_add_test(t,
	    feedback_of_a_parent_and_a_child_alone_leave_the_others);
	tcase_add_test(t,
	    a_parent_with_its_children_and_much_that_waits_is_one_commit);
	t = tcase(suite, "not here");
	tcase_add_test(t, a_conversation_never_seen_is_stopped_when_it_comes);
	tcase_add_test(t, feedback_withdrawn_before_stays_so);
	tcase_add_test(t, one_never_seen_is_forgotten_after_its_day);
	tcase_add_test(t, another_partys_day_takes_nothing_away);
	tcase_add_test(t, what_nobody_knows_has_a_quota_of_its_own);
	tcase_add_test(t, many_withdrawals_of_what_nobody_knows_are_told);
	t = tcase(suite, "full, late");
	tcase_add_test(t, a_full_store_still_erases);
	tcase_add_test(t, a_missing_erase_receipt_is_told_once_to_both);
	tcase_add_test(t, a_receipt_in_time_is_no_escalation);
	tcase_add_test(t, what_is_owed_outlives_a_short_term);
	tcase_add_test(t, what_was_answered_holds_nothing_up);
	r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
