/* Withdrawals that are shown after a loss of the store: what was withdrawn
 * stays so, in whatever order it is told. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/fs.h>
#include <kortelijn/host/textfile.h>

#include "broker/core/core_main.h"
#include "tests/support/shell.h"

static struct shell s;
static struct letter l, child;
static struct letter_bytes receipt;	/* of l, by the desk */
static struct letter_bytes all, feedback;	/* by the practice */

static void
sign(const struct party *by, uint32_t scope, struct letter_bytes *out)
{
	const struct kl_withdrawal w = letter_withdrawal(&l, by, scope,
	    KL_CAUSE_RESIDENT);

	LETTERS_SIGN(KL_WITHDRAWAL, &w, by->sk, out);
}

/* A card that outlives the store. */
static void
card_write(const struct party *p)
{
	const struct tmpdir_path path = shell_file(&s,
	    "config/cards/partner.card");
	const struct kl_card c = party_card(p);
	struct letter_bytes b;

	LETTERS_SIGN(KL_CARD, &c, s.authority, &b);
	ck_assert_int_eq(kl_textfile_write(AT_FDCWD, path.b, KL_TAG_CARD,
	    NULL, kl_bytes(b.b, b.n)), KL_OK);
}

static void
all_begin(void)
{
	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
	shell_begin(&s, &s.partner);
}

/* An empty store under a new origin. */
static void
lose_store(void)
{
	shell_stop(&s);
	ck_assert_int_eq(unlink(shell_file(&s, "state/data.mdb").b), 0);
	ck_assert_int_eq(kl_fs_replace(shell_file(&s, "config/new-store").b,
	    kl_bytes_str("lost\n")), KL_OK);
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS), CORE_EXIT_STOPPED);
	ck_assert_uint_gt(shell_edge(&s), 0);
	all_begin();
}

static void
setup(void)
{
	shell_open(&s);
	card_write(&s.partner);
	letter_referral(&l, &s.practice, &s.desk);
	l.e.consent.n_onward_to = 1;
	l.e.consent.onward_to[0] = s.partner.id;
	letter_seal(&l, &s.practice);
	letter_receipt(&l, &s.desk, KL_OPENED, KL_C_OK, &receipt);
	letter_referral(&child, &s.desk, &s.partner);
	child.e.consent.under = l.body_hash;
	letter_seal(&child, &s.desk);
	sign(&s.practice, KL_SCOPE_ALL, &all);
	sign(&s.practice, KL_SCOPE_FEEDBACK, &feedback);
	lose_store();
}

static void
teardown(void)
{
	shell_close(&s);
}

static uint32_t
show(const struct party *who, uint32_t statement,
    const struct letter_bytes *b)
{
	const struct kl_entry e = { .statement = statement,
		.content = kl_bytes(b->b, b->n) };
	struct kl_sync m = { .step = KL_SYNC_PRESENT, .n_presented = 1 };
	uint8_t entry[KL_FRAME_MAX];
	struct kl_sync_reply r;
	struct shell_answer a;
	size_t n;

	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_ENTRY, &e, entry, sizeof entry,
	    &n), KL_OK);
	m.presented[0] = kl_bytes(entry, n);
	SHELL_SEND(&s, who, KL_SYNC, KL_M_SYNC, &m);
	shell_answer(&s, &a);
	ck_assert_uint_eq(a.m.code, KL_C_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_SYNC_REPLY, a.m.body, s.mem,
	    &r), KL_C_OK);
	ck_assert_uint_eq(r.n_result, 1);
	return r.result[0];
}

static uint32_t
show_body(const struct party *who, const struct letter *letter)
{
	return show(who, KL_ENTRY_REFERRAL, &letter->envelope);
}

static void
all_done(void)
{
	const struct party *who[] = { &s.practice, &s.desk, &s.partner };
	const struct kl_sync m = { .step = KL_SYNC_DONE };
	struct shell_answer a;

	for (size_t i = 0; i < 3; i++) {
		SHELL_SEND(&s, who[i], KL_SYNC, KL_M_SYNC, &m);
		shell_answer(&s, &a);
		ck_assert_uint_eq(a.m.code, KL_C_OK);
	}
}

static unsigned int
leaves_of(uint32_t event)
{
	struct core *c = s.core;
	unsigned int n = 0;

	ck_assert_int_eq(kl_kv_begin_read(c->kv, &c->turn.txn), KL_OK);
	for (uint64_t i = 0; i < c->journal.committed.size; i++) {
		struct kl_logged logged;
		struct kl_record r;
		struct kl_bytes b;

		ck_assert_int_eq(journal_logged(&c->journal, c->turn.txn, i,
		    c->mem, &b), KL_OK);
		ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOGGED, b, c->mem,
		    &logged), KL_C_OK);
		ck_assert_int_eq(KL_STATEMENT_READ(KL_S_RECORD, logged.record,
		    c->mem, &r), KL_C_OK);
		n += r.event == event;
		kl_arena_reset(c->mem);
	}
	kl_kv_abort(&c->turn.txn);
	return n;
}

/* 0: the conversation is not here. */
static uint32_t
state_of(const struct letter *letter)
{
	struct core *c = s.core;
	struct conversation v;
	int err;

	ck_assert_int_eq(kl_kv_begin_read(c->kv, &c->turn.txn), KL_OK);
	err = conversation_by_id(&c->turn, &letter->e.header.conv_id, &v);
	kl_kv_abort(&c->turn.txn);
	kl_arena_reset(c->mem);
	return err == KL_OK ? v.state : 0;
}

/* ERASE_REQUESTs in one FETCH; the last one in *out, void after the next. */
static unsigned int
asked(const struct party *who, struct kl_notice *out)
{
	const struct shell_items i = shell_fetch(&s, who, 0);
	unsigned int n = 0;

	ck_assert_uint_eq(i.code, KL_C_OK);
	for (size_t k = 0; k < i.n; k++) {
		struct kl_notice v;

		ck_assert_uint_ne(i.item[k].sort, KL_SORT_ENVELOPE);
		if (i.item[k].sort != KL_NOTICE + 1)
			continue;
		v = shell_notice(&s, &i.item[k]);
		if (v.notice != KL_NOTICE_ERASE_REQUEST)
			continue;
		*out = v;
		n++;
	}
	return n;
}

START_TEST(who_shows_what_was_withdrawn_is_asked_to_erase)
{
	struct kl_notice n;

	ck_assert_uint_eq(show(&s.practice, KL_WITHDRAWAL, &all), KL_C_OK);
	ck_assert_uint_eq(leaves_of(KL_EV_PRESENTED), 1);
	ck_assert_uint_eq(leaves_of(KL_EV_CONSENT_WITHDRAWN), 1);
	ck_assert_uint_eq(show_body(&s.desk, &l), KL_C_OK);
	ck_assert_uint_eq(state_of(&l), KL_CONV_WITHDRAWN);
	ck_assert_uint_eq(show(&s.desk, KL_RECEIPT, &receipt), KL_C_OK);
	ck_assert_uint_eq(state_of(&l), KL_CONV_WITHDRAWN);
	all_done();
	ck_assert_uint_eq(asked(&s.desk, &n), 1);
	ck_assert(kl_bytes_equal(n.withdrawal, kl_bytes(all.b, all.n)));
	ck_assert_int_eq(shell_erased(&s, &s.desk, &n, KL_ERASED), KL_C_OK);
	/* From its outbox it does not come again. */
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	ck_assert_uint_eq(asked(&s.desk, &n), 0);
}
END_TEST

START_TEST(a_withdrawal_that_is_shown_after_the_body_counts)
{
	struct kl_notice n;

	ck_assert_uint_eq(show_body(&s.desk, &l), KL_C_OK);
	ck_assert_uint_eq(show(&s.desk, KL_RECEIPT, &receipt), KL_C_OK);
	ck_assert_uint_eq(show(&s.practice, KL_WITHDRAWAL, &all), KL_C_OK);
	ck_assert_uint_eq(state_of(&l), KL_CONV_WITHDRAWN);
	all_done();
	ck_assert_uint_eq(asked(&s.desk, &n), 1);
}
END_TEST

START_TEST(either_party_shows_it_and_again_is_no_error)
{
	unsigned int before;

	ck_assert_uint_eq(show(&s.desk, KL_WITHDRAWAL, &all), KL_C_OK);
	before = leaves_of(KL_EV_CONSENT_WITHDRAWN) +
	    leaves_of(KL_EV_PRESENTED);
	ck_assert_uint_eq(show(&s.practice, KL_WITHDRAWAL, &all), KL_C_OK);
	ck_assert_uint_eq(show(&s.practice, KL_WITHDRAWAL, &feedback),
	    KL_C_OK);
	ck_assert_uint_eq(leaves_of(KL_EV_CONSENT_WITHDRAWN) +
	    leaves_of(KL_EV_PRESENTED), before);
	ck_assert_uint_eq(show_body(&s.desk, &l), KL_C_OK);
	ck_assert_uint_eq(show(&s.desk, KL_WITHDRAWAL, &all), KL_C_OK);
	ck_assert_uint_eq(state_of(&l), KL_CONV_WITHDRAWN);
}
END_TEST

START_TEST(what_the_outbox_sends_again_is_stopped)
{
	struct kl_notice n;

	ck_assert_uint_eq(show(&s.practice, KL_WITHDRAWAL, &all), KL_C_OK);
	all_done();
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l),
	    KL_C_CONVERSATION_ENDED);
	ck_assert_uint_eq(asked(&s.desk, &n), 0);
}
END_TEST

START_TEST(one_of_no_party_stops_nothing)
{
	struct letter_bytes b;

	/* The desk of another town, with a conv_id that it has heard of. */
	sign(&s.desk, KL_SCOPE_ALL, &b);
	letter_referral(&child, &s.practice, &s.desk);
	child.e.header.conv_id = l.e.header.conv_id;
	letter_seal(&child, &s.practice);
	l.e.header.conv_id.b[0] ^= 1;
	sign(&s.desk, KL_SCOPE_ALL, &b);
	ck_assert_uint_eq(show(&s.desk, KL_WITHDRAWAL, &b), KL_C_OK);
	ck_assert_uint_eq(show_body(&s.practice, &child), KL_C_OK);
	ck_assert_uint_eq(state_of(&child), KL_CONV_OPEN);
}
END_TEST

START_TEST(feedback_that_was_withdrawn_stays_so)
{
	struct letter f;
	struct kl_notice n;

	ck_assert_uint_eq(show(&s.practice, KL_WITHDRAWAL, &feedback),
	    KL_C_OK);
	ck_assert_uint_eq(show_body(&s.desk, &l), KL_C_OK);
	ck_assert_uint_eq(show(&s.desk, KL_RECEIPT, &receipt), KL_C_OK);
	ck_assert_uint_eq(state_of(&l), KL_CONV_OPEN);
	all_done();
	letter_feedback(&f, &l, &s.desk, &s.practice, KL_MS_TAKEN_UP);
	ck_assert_int_eq(shell_submit(&s, &s.desk, &f),
	    KL_C_NO_FEEDBACK_CONSENT);
	ck_assert_uint_eq(asked(&s.desk, &n), 0);
}
END_TEST

/* 0: withdrawal, 1: parent's body, 2: child's body; in each order. */
START_TEST(children_end_with_their_parent_in_every_order)
{
	static const int orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 },
		{ 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	struct kl_notice n;
	struct kl_signed v;
	struct kl_hash h;

	for (int i = 0; i < 3; i++)
		switch (orders[_i][i]) {
		case 0:
			ck_assert_uint_eq(show(&s.practice, KL_WITHDRAWAL,
			    &all), KL_C_OK);
			break;
		case 1:
			ck_assert_uint_eq(show_body(&s.desk, &l), KL_C_OK);
			break;
		default:
			ck_assert_uint_eq(show_body(&s.partner, &child),
			    KL_C_OK);
		}
	ck_assert_uint_eq(state_of(&l), KL_CONV_WITHDRAWN);
	ck_assert_uint_eq(state_of(&child), KL_CONV_WITHDRAWN);
	all_done();
	ck_assert_uint_eq(asked(&s.partner, &n), 1);
	ck_assert_int_eq(kl_signed_read(n.parent, s.mem, &v), KL_C_OK);
	h = kl_hash_of(v.body);
	ck_assert_mem_eq(h.b, l.body_hash.b, 32);
	/* Of its own conversation and of that which it sent on. */
	ck_assert_uint_eq(asked(&s.desk, &n), 2);
}
END_TEST

START_TEST(a_forged_one_is_refused)
{
	struct kl_withdrawal w = letter_withdrawal(&l, &s.practice,
	    KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	struct letter_bytes b;

	LETTERS_SIGN(KL_WITHDRAWAL, &w, s.desk.sk, &b);
	ck_assert_uint_eq(show(&s.desk, KL_WITHDRAWAL, &b), KL_C_SIGNATURE);
	w.route = KL_MUNICIPALITY;
	LETTERS_SIGN(KL_WITHDRAWAL, &w, s.practice.sk, &b);
	ck_assert_uint_eq(show(&s.practice, KL_WITHDRAWAL, &b), KL_C_ROLE);
	ck_assert_uint_eq(show_body(&s.desk, &l), KL_C_OK);
	ck_assert_uint_eq(state_of(&l), KL_CONV_OPEN);
	w = letter_withdrawal(&l, &s.practice, KL_SCOPE_ALL,
	    KL_CAUSE_RESIDENT);
	w.valid_until--;
	LETTERS_SIGN(KL_WITHDRAWAL, &w, s.practice.sk, &b);
	ck_assert_uint_eq(show(&s.practice, KL_WITHDRAWAL, &b),
	    KL_C_CONSENT_DATE);
}
END_TEST

START_TEST(a_full_store_takes_withdrawals)
{
	s.core->full = true;
	s.core->full_asked_ms = INT64_MAX / 2;
	ck_assert_uint_eq(show(&s.practice, KL_WITHDRAWAL, &all), KL_C_OK);
	ck_assert_uint_eq(show_body(&s.desk, &l), KL_C_STORE_FULL);
}
END_TEST

START_TEST(list_tells_what_was_withdrawn)
{
	const struct kl_sync m = { .step = KL_SYNC_LIST };
	struct kl_sync_conversation c;
	struct kl_sync_reply r;
	struct shell_answer a;

	ck_assert_uint_eq(show_body(&s.desk, &l), KL_C_OK);
	ck_assert_uint_eq(show(&s.practice, KL_WITHDRAWAL, &all), KL_C_OK);
	SHELL_SEND(&s, &s.desk, KL_SYNC, KL_M_SYNC, &m);
	shell_answer(&s, &a);
	ck_assert_uint_eq(a.m.code, KL_C_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_SYNC_REPLY, a.m.body, s.mem,
	    &r), KL_C_OK);
	ck_assert_uint_eq(r.n_conversation, 1);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_SYNC_CONVERSATION,
	    r.conversation[0], s.mem, &c), KL_C_OK);
	ck_assert_uint_eq(c.state, KL_CONV_WITHDRAWN);
}
END_TEST

START_TEST(it_may_be_withdrawn_before_anybody_reported_in)
{
	const struct kl_withdrawal w = letter_withdrawal(&l, &s.practice,
	    KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	struct kl_withdraw_reply r;

	ck_assert_uint_eq(show_body(&s.desk, &l), KL_C_OK);
	ck_assert_int_eq(shell_withdraw(&s, &s.practice, &w, &r), KL_C_OK);
	ck_assert_uint_eq(r.erased, 0);
	ck_assert_uint_eq(state_of(&l), KL_CONV_WITHDRAWN);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sync_withdraw");
	TCase *t = tcase_create("loss");
	SRunner *r;
	int failed;

	if (kl_crypto_init() != KL_OK)
		return EXIT_FAILURE;
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, who_shows_what_was_withdrawn_is_asked_to_erase);
	tcase_add_test(t, a_withdrawal_that_is_shown_after_the_body_counts);
	tcase_add_test(t, either_party_shows_it_and_again_is_no_error);
	tcase_add_test(t, what_the_outbox_sends_again_is_stopped);
	tcase_add_test(t, one_of_no_party_stops_nothing);
	tcase_add_test(t, feedback_that_was_withdrawn_stays_so);
	tcase_add_loop_test(t, children_end_with_their_parent_in_every_order,
	    0, 6);
	tcase_add_test(t, a_forged_one_is_refused);
	tcase_add_test(t, a_full_store_takes_withdrawals);
	tcase_add_test(t, list_tells_what_was_withdrawn);
	tcase_add_test(t, it_may_be_withdrawn_before_anybody_reported_in);
	suite_add_tcase(suite, t);
	r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
