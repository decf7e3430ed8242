/* Withdrawals in the store: rows, what is owed, what stands further down, and
 * keys that are read back. */
#include "broker/core/withdraw.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>

#include "broker/core/erase.h"
#include "broker/core/retain_end.h"
#include "broker/core/tables.h"
#include "broker/core/withdraw_row.h"
#include "tests/support/parts.h"

static struct parts p;
static struct party practice, desk, town, partner;
static struct letter top;
static struct conversation c;
static struct message m;
static struct letter_bytes statement;

static void
accept(const struct letter *l, struct conversation *in, struct message *out)
{
	struct participant *from = registry_by_id(&p.registry,
	    &l->e.header.sender);
	struct participant *to = registry_by_id(&p.registry,
	    &l->e.header.receiver);
	struct journal_leaf leaf;

	if (l->e.header.kind == KL_REFERRAL) {
		ck_assert_int_eq(conversation_make(&p.turn, &l->e,
		    &l->body_hash, in), KL_OK);
		ck_assert_int_eq(conversation_put_new(&p.turn, in), KL_OK);
		ck_assert_int_eq(retain_begin(&p.turn, &p.registry, in, 0),
		    KL_OK);
	}
	ck_assert_int_eq(mailbox_accept(&p.turn, in, &l->e,
	    kl_bytes(l->envelope.b, l->envelope.n), kl_bytes(l->ct, l->ct_n),
	    &l->body_hash, from, to, out, &leaf), KL_OK);
}

/* As its receipt leaves it. */
static void
deliver(const struct letter *l, struct conversation *in, struct message *x)
{
	ck_assert_int_eq(mailbox_move(&p.turn, in, x, KL_MSG_RELEASED,
	    KL_C_OK, NULL, 0, NULL), KL_OK);
	x->outcome = KL_OPENED;
	ck_assert_int_eq(mailbox_move(&p.turn, in, x, KL_MSG_DELIVERED,
	    KL_C_OK, NULL, 0, NULL), KL_OK);
	ck_assert_int_eq(retain_delivered(&p.turn, &p.registry, in,
	    kl_bytes(l->envelope.b, l->envelope.n)), KL_OK);
}

static void
setup(void)
{
	parts_open(&p);
	practice = party_make(KL_PRACTICE, "agb:01234567");
	desk = party_make(KL_MUNICIPALITY, "oin:00000001234567890001");
	town = party_make(KL_MUNICIPALITY, "oin:00000001234567890002");
	partner = party_make(KL_PARTNER, "kvk:12345678");
	parts_begin(&p);
	(void)parts_enrol(&p, &practice);
	(void)parts_enrol(&p, &desk);
	(void)parts_enrol(&p, &town);
	(void)parts_enrol(&p, &partner);
	letter_referral(&top, &practice, &desk);
	accept(&top, &c, &m);
}

static void
teardown(void)
{
	parts_close(&p);
	party_clear(&practice);
	party_clear(&desk);
	party_clear(&town);
	party_clear(&partner);
}

static uint32_t
number_of(const struct party *who)
{
	return registry_by_id(&p.registry, &who->id)->number;
}

static struct withdraw
withdraw_by(const struct party *who, uint32_t scope)
{
	struct withdraw w = { .t = &p.turn, .registry = &p.registry };
	const struct kl_withdrawal s = letter_withdrawal(&top, who, scope,
	    KL_CAUSE_RESIDENT);
	bool done;
	int err;

	LETTERS_SIGN(KL_WITHDRAWAL, &s, who->sk, &statement);
	ck_assert_int_eq(withdraw_read(&w, kl_bytes(statement.b,
	    statement.n), p.mem), KL_C_OK);
	ck_assert_int_eq(withdraw_signed(&w, true), KL_C_OK);
	ck_assert_int_eq(withdraw_check(&w, &done, &err), KL_C_OK);
	ck_assert_int_eq(err, KL_OK);
	ck_assert(!done);
	ck_assert_int_eq(withdraw_apply(&w), KL_OK);
	return w;
}

static struct conversation
again(const struct conversation *of)
{
	struct conversation out;

	ck_assert_int_eq(conversation_get(&p.turn, &of->tag, &out), KL_OK);
	return out;
}

/* Notices of this sort that wait for `who`. */
static unsigned int
notices(const struct party *who, uint32_t notice)
{
	struct mailbox_row row = { .item = 0 };
	unsigned int found = 0;

	while (mailbox_next(&p.turn, number_of(who), row.item, &row) ==
	    KL_OK) {
		struct kl_bytes packed, ct;
		struct conversation in;
		struct kl_notice n;
		struct kl_signed s;
		struct kl_item i;

		if (row.sort != KL_NOTICE + 1)
			continue;
		ck_assert_int_eq(conversation_get(&p.turn, &row.conv, &in),
		    KL_OK);
		ck_assert_int_eq(mailbox_render(&p.turn, &in, &row, NULL,
		    &packed, &ct), KL_OK);
		ck_assert_int_eq(KL_MESSAGE_READ(KL_M_ITEM, packed, p.mem,
		    &i), KL_C_OK);
		ck_assert_int_eq(kl_signed_read(i.content, p.mem, &s),
		    KL_C_OK);
		ck_assert_int_eq(KL_STATEMENT_READ(KL_NOTICE, s.body, p.mem,
		    &n), KL_C_OK);
		found += n.notice == notice;
	}
	return found;
}

/* ---- rows ---------------------------------------------------------------- */

START_TEST(a_row_keeps_every_field_until_it_is_dropped)
{
	const struct withdraw_row put = { .conv = c.tag,
		.scope = KL_SCOPE_FEEDBACK, .number = 7,
		.cause = KL_CAUSE_RESIDENT,
		.counts = { .leaf = 1, .erased = 2, .released_before = 3,
		    .unconfirmed = 4 }, .packed = kl_bytes_str("statement") };
	struct withdraw_row got = { .conv = c.tag,
		.scope = KL_SCOPE_FEEDBACK, .number = 7 };

	ck_assert_int_eq(withdraw_row_get(&p.turn, &got), KL_E_NOT_FOUND);
	ck_assert_int_eq(withdraw_row_put(&p.turn, c.slot, &put), KL_OK);
	ck_assert_int_eq(withdraw_row_get(&p.turn, &got), KL_OK);
	ck_assert_uint_eq(got.cause, put.cause);
	ck_assert_uint_eq(got.counts.leaf, 1);
	ck_assert_uint_eq(got.counts.erased, 2);
	ck_assert_uint_eq(got.counts.released_before, 3);
	ck_assert_uint_eq(got.counts.unconfirmed, 4);
	ck_assert(kl_bytes_equal(got.packed, put.packed));
	got.number = 0;
	ck_assert_int_eq(withdraw_row_next(&p.turn, &got), KL_OK);
	ck_assert_uint_eq(got.number, 7);
	ck_assert_int_eq(withdraw_row_next(&p.turn, &got), KL_E_NOT_FOUND);
	got.scope = KL_SCOPE_ALL;
	got.number = 0;
	ck_assert_int_eq(withdraw_row_next(&p.turn, &got), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(a_row_whose_key_is_gone_is_passed_over)
{
	struct withdraw_row row = { .conv = c.tag, .scope = KL_SCOPE_ALL,
		.number = 1, .packed = kl_bytes_str("statement") };
	uint32_t slot;

	ck_assert_int_eq(vault_take(&p.vault, &slot), KL_OK);
	ck_assert_int_eq(withdraw_row_put(&p.turn, slot, &row), KL_OK);
	row.number = 2;
	ck_assert_int_eq(withdraw_row_put(&p.turn, c.slot, &row), KL_OK);
	ck_assert_int_eq(vault_zero(&p.vault, slot), KL_OK);
	row.number = 1;
	ck_assert_int_eq(withdraw_row_get(&p.turn, &row), KL_E_NOT_FOUND);
	row.number = 0;
	ck_assert_int_eq(withdraw_row_next(&p.turn, &row), KL_OK);
	ck_assert_uint_eq(row.number, 2);
}
END_TEST

START_TEST(nothing_of_it_outlives_its_conversation)
{
	struct withdraw_row row = { .conv = c.tag, .scope = KL_SCOPE_ALL };
	struct withdraw w;
	struct message x;
	struct owed o;

	deliver(&top, &c, &m);
	w = withdraw_by(&practice, KL_SCOPE_ALL);
	ck_assert_int_eq(withdraw_row_get(&p.turn, &row), KL_OK);
	ck_assert_int_eq(owed_find(&p.turn, &w.conv, number_of(&desk),
	    &w.hash, &o), KL_OK);
	ck_assert_int_eq(conversation_drop(&p.turn, &w.conv), KL_OK);
	ck_assert_int_eq(withdraw_row_get(&p.turn, &row), KL_E_NOT_FOUND);
	ck_assert_int_eq(owed_find(&p.turn, &w.conv, number_of(&desk),
	    &w.hash, &o), KL_E_NOT_FOUND);
	ck_assert_int_eq(message_next_of(&p.turn, &c.tag,
	    &(struct kl_tag){ { 0 } }, true, &x), KL_E_NOT_FOUND);
	/* Its timers find nothing, and say nothing. */
	ck_assert_int_eq(owed_due(&p.turn, &p.registry, &c.tag), KL_OK);
	ck_assert_int_eq(withdraw_forget(&p.turn, &c.tag), KL_OK);
}
END_TEST

START_TEST(messages_are_found_by_their_conversation)
{
	struct kl_tag at = { { 0 } };
	struct letter f, other;
	struct conversation in;
	struct message x, of_other;
	unsigned int n = 0;

	letter_correction(&f, &top, &practice, &desk);
	accept(&f, &c, &x);
	letter_referral(&other, &practice, &desk);
	accept(&other, &in, &of_other);
	while (message_next_of(&p.turn, &c.tag, &at, n == 0, &x) == KL_OK) {
		ck_assert_mem_ne(x.tag.b, of_other.tag.b, 16);
		at = x.tag;
		n++;
	}
	ck_assert_uint_eq(n, 2);
	/* One that is forgotten is found no more. */
	deliver(&top, &c, &m);
	p.turn.now_ms = m.expire_ms + 8 * KL_DAY_MS;
	ck_assert_int_eq(message_forget(&p.turn, &m.tag), KL_OK);
	ck_assert_int_eq(message_next_of(&p.turn, &c.tag,
	    &(struct kl_tag){ { 0 } }, true, &x), KL_OK);
	ck_assert_mem_ne(x.tag.b, m.tag.b, 16);
	ck_assert_int_eq(message_next_of(&p.turn, &c.tag, &x.tag, false, &x),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(each_step_is_told_to_whoever_watches)
{
	struct turn_event seen[8];

	p.turn.events = seen;
	p.turn.events_cap = sizeof seen / sizeof seen[0];
	p.turn.n_events = 0;
	(void)withdraw_by(&practice, KL_SCOPE_ALL);
	ck_assert_uint_eq(p.turn.n_events, 2);
	ck_assert_uint_eq(seen[0].event, KL_EV_CONSENT_WITHDRAWN);
	ck_assert_mem_eq(seen[0].conv.b, c.id.b, 16);
	ck_assert_uint_eq(seen[1].event, KL_EV_WITHDRAWN);
	ck_assert_mem_eq(seen[1].msg.b, m.id.b, 16);
	ck_assert_uint_gt(seen[1].leaf, seen[0].leaf);
	p.turn.events = NULL;
	p.turn.events_cap = 0;
}
END_TEST

/* ---- counts, and further down -------------------------------------------- */

START_TEST(a_referral_that_is_forgotten_still_counts)
{
	struct withdraw w;

	deliver(&top, &c, &m);
	p.turn.now_ms = m.expire_ms + 8 * KL_DAY_MS;
	ck_assert_int_eq(message_forget(&p.turn, &m.tag), KL_OK);
	w = withdraw_by(&practice, KL_SCOPE_ALL);
	ck_assert_uint_eq(w.counts.released_before, 1);
	ck_assert_uint_eq(notices(&desk, KL_NOTICE_ERASE_REQUEST), 1);
}
END_TEST

START_TEST(what_expired_or_was_refused_is_not_counted)
{
	struct withdraw w;

	ck_assert_int_eq(retain_end(&p.turn, &p.registry, &c, &m,
	    KL_C_EXPIRED), KL_OK);
	w = withdraw_by(&practice, KL_SCOPE_ALL);
	ck_assert_uint_eq(w.counts.erased + w.counts.released_before +
	    w.counts.unconfirmed, 0);
	ck_assert_uint_eq(again(&c).state, KL_CONV_WITHDRAWN);
	ck_assert_uint_eq(notices(&desk, KL_NOTICE_ERASE_REQUEST), 0);
}
END_TEST

START_TEST(all_that_stands_under_it_ends_and_proofs_go_one_step_down)
{
	struct conversation child, grandchild;
	struct message of_child, of_grandchild;
	struct letter l2, l3;
	struct withdraw w;

	deliver(&top, &c, &m);
	letter_referral(&l2, &desk, &town);
	l2.e.consent.under = top.body_hash;
	letter_seal(&l2, &desk);
	accept(&l2, &child, &of_child);
	deliver(&l2, &child, &of_child);
	letter_referral(&l3, &town, &partner);
	l3.e.consent.under = l2.body_hash;
	letter_seal(&l3, &town);
	accept(&l3, &grandchild, &of_grandchild);
	w = withdraw_by(&practice, KL_SCOPE_ALL);
	ck_assert_uint_eq(w.counts.released_before, 2);
	ck_assert_uint_eq(w.counts.erased, 1);
	ck_assert_uint_eq(again(&child).state, KL_CONV_WITHDRAWN);
	ck_assert_uint_eq(again(&grandchild).state, KL_CONV_WITHDRAWN);
	ck_assert_uint_eq(notices(&desk, KL_NOTICE_ERASE_REQUEST), 2);
	ck_assert_uint_eq(notices(&town, KL_NOTICE_ERASE_REQUEST), 1);
	ck_assert_uint_eq(notices(&town, KL_NOTICE_WITHDRAWN), 1);
	/* It never had it. */
	ck_assert_uint_eq(notices(&partner, KL_NOTICE_ERASE_REQUEST), 0);
	ck_assert_uint_eq(notices(&partner, KL_NOTICE_WITHDRAWN), 0);
}
END_TEST

/* The desk lost its store; what it had sent on stands under the first body. */
START_TEST(children_of_a_referral_that_was_sealed_again_end_too)
{
	struct conversation child;
	struct message of_child;
	struct letter again_top, l2;
	struct kl_tag tag = { { 0 } };
	struct kl_bytes body;
	struct withdraw w;

	deliver(&top, &c, &m);
	ck_assert(!conversation_has_child(&p.turn, &c));
	letter_referral(&l2, &desk, &partner);
	l2.e.consent.under = top.body_hash;
	letter_seal(&l2, &desk);
	accept(&l2, &child, &of_child);
	deliver(&l2, &child, &of_child);
	again_top = top;
	again_top.e.header.seq = 2;
	letter_seal(&again_top, &practice);
	c.referral = again_top.body_hash;
	ck_assert_int_eq(conversation_put_again(&p.turn, &c, &top.body_hash),
	    KL_OK);
	ck_assert(conversation_has_child(&p.turn, &c));
	ck_assert_int_eq(conversation_next_former(&p.turn, &c, &tag, &body),
	    KL_OK);
	ck_assert(kl_bytes_equal(body, kl_bytes(top.envelope.b,
	    top.envelope.n)));
	ck_assert_int_eq(conversation_next_former(&p.turn, &c, &tag, &body),
	    KL_E_NOT_FOUND);
	w = withdraw_by(&practice, KL_SCOPE_ALL);
	ck_assert_uint_eq(again(&child).state, KL_CONV_WITHDRAWN);
	ck_assert_uint_eq(notices(&partner, KL_NOTICE_ERASE_REQUEST), 1);
	ck_assert_int_eq(conversation_drop(&p.turn, &w.conv), KL_OK);
	tag = (struct kl_tag){ { 0 } };
	ck_assert_int_eq(conversation_next_former(&p.turn, &c, &tag, &body),
	    KL_E_NOT_FOUND);
	ck_assert_int_eq(conversation_by_referral(&p.turn, &top.body_hash,
	    &child), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(what_was_withdrawn_is_never_released)
{
	const int64_t now_ms = p.turn.now_ms;

	(void)withdraw_by(&practice, KL_SCOPE_FEEDBACK);
	c = again(&c);
	ck_assert_int_eq(conversation_check_release(&c, KL_REFERRAL, now_ms),
	    KL_C_OK);
	ck_assert_int_eq(conversation_check_release(&c, KL_FEEDBACK, now_ms),
	    KL_C_NO_FEEDBACK_CONSENT);
	c.milestone = KL_MS_RETURNED;
	ck_assert_int_eq(conversation_check_release(&c, KL_FEEDBACK, now_ms),
	    KL_C_OK);
	(void)withdraw_by(&practice, KL_SCOPE_ALL);
	c = again(&c);
	for (uint32_t kind = KL_REFERRAL; kind <= KL_FEEDBACK; kind++)
		ck_assert_int_eq(conversation_check_release(&c, kind, now_ms),
		    KL_C_CONVERSATION_ENDED);
}
END_TEST

/* ---- what is owed -------------------------------------------------------- */

static int
ask(const struct owed *o, const char *statement)
{
	const struct mailbox_ask what = {
		.withdrawal = kl_bytes_str(statement) };

	return owed_ask(&p.turn, &p.registry, &c, o, &what);
}

START_TEST(the_same_is_asked_once)
{
	struct owed o = { .number = number_of(&desk),
		.asker = number_of(&practice), .cause = KL_CAUSE_RESIDENT };
	struct owed got;

	kl_random(o.withdrawal.b, sizeof o.withdrawal.b);
	ck_assert_int_eq(owed_find(&p.turn, &c, o.number, &o.withdrawal,
	    &got), KL_E_NOT_FOUND);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(ask(&o, "statement"), KL_OK);
	ck_assert_uint_eq(notices(&desk, KL_NOTICE_ERASE_REQUEST), 1);
	ck_assert_int_eq(owed_find(&p.turn, &c, o.number, &o.withdrawal,
	    &got), KL_OK);
	ck_assert_uint_eq(got.state, OWED_OPEN);
	ck_assert_uint_eq(got.asker, o.asker);
	ck_assert_uint_eq(got.cause, o.cause);
	/* A Tuesday: the fifth working day is the next one. */
	ck_assert_int_eq(got.due_ms, LETTERS_NOW_MS + 7 * KL_DAY_MS);
	ck_assert_int_eq(mailbox_may_ack(&p.turn, o.number, got.item),
	    KL_E_DENIED);
	ck_assert_int_eq(mailbox_ack(&p.turn, o.number, got.item),
	    KL_E_DENIED);
	ck_assert_int_eq(owed_find(&p.turn, &c, o.asker, &o.withdrawal,
	    &got), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(what_is_owed_is_listed_once_each)
{
	struct owed o = { .number = number_of(&desk),
		.asker = number_of(&practice), .cause = KL_CAUSE_RESIDENT };
	struct owed_cursor at = { .begun = false };
	struct owed got;
	unsigned int seen = 0;

	ck_assert_int_eq(owed_next(&p.turn, &c, &at, &got), KL_E_NOT_FOUND);
	for (uint8_t i = 0; i < 5; i++) {
		o.withdrawal.b[0] = i;
		ck_assert_int_eq(ask(&o, "statement"), KL_OK);
	}
	while (owed_next(&p.turn, &c, &at, &got) == KL_OK)
		seen |= 1u << got.withdrawal.b[0];
	ck_assert_uint_eq(seen, 0x1f);
}
END_TEST

START_TEST(each_term_is_told_when_it_has_passed)
{
	struct owed o = { .number = number_of(&desk),
		.asker = number_of(&practice), .cause = KL_CAUSE_RESIDENT,
		.withdrawn = c.id };
	struct owed got;

	ck_assert_int_eq(ask(&o, "one"), KL_OK);
	p.turn.now_ms += KL_DAY_MS;
	o.withdrawal.b[0] = 1;
	ck_assert_int_eq(ask(&o, "two"), KL_OK);
	ck_assert_int_eq(owed_due(&p.turn, &p.registry, &c.tag), KL_OK);
	ck_assert_uint_eq(notices(&desk, KL_NOTICE_ESCALATION), 0);
	p.turn.now_ms = LETTERS_NOW_MS + 7 * KL_DAY_MS;
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(owed_due(&p.turn, &p.registry, &c.tag),
		    KL_OK);
	ck_assert_uint_eq(notices(&desk, KL_NOTICE_ESCALATION), 1);
	ck_assert_uint_eq(notices(&practice, KL_NOTICE_ESCALATION), 1);
	ck_assert_int_eq(owed_find(&p.turn, &c, o.number, &o.withdrawal,
	    &got), KL_OK);
	ck_assert_uint_eq(got.state, OWED_OPEN);
}
END_TEST

/* ---- keys ---------------------------------------------------------------- */

/* Whether a zeroed slot passes for what it is; see the Makefile. */
static int read_back_answer = KL_OK;
static unsigned int read_back;
int __wrap_kl_slots_verify_zero(struct kl_slots *s, uint32_t slot);
int __real_kl_slots_verify_zero(struct kl_slots *s, uint32_t slot);

int
__wrap_kl_slots_verify_zero(struct kl_slots *s, uint32_t slot)
{
	read_back++;
	return read_back_answer != KL_OK ? read_back_answer :
	    __real_kl_slots_verify_zero(s, slot);
}

START_TEST(keys_of_a_withdrawal_are_read_back_and_no_others)
{
	struct erasing e;
	struct conversation in;
	struct letter other;
	struct message x;

	letter_referral(&other, &practice, &desk);
	accept(&other, &in, &x);
	deliver(&other, &in, &x);
	(void)withdraw_by(&practice, KL_SCOPE_ALL);
	parts_commit(&p);
	parts_begin(&p);
	ck_assert_int_eq(erase_slots(&p.turn, &e), KL_OK);
	ck_assert_uint_eq(e.n, 2);
	ck_assert_uint_eq(e.n_read_back, 1);
	ck_assert_uint_eq(e.read_back[0], m.slot);
	ck_assert_uint_eq(read_back, 1);
	ck_assert_int_eq(erase_log(&p.turn, &e), KL_OK);
	ck_assert_int_eq(erase_slots(&p.turn, &e), KL_OK);
	ck_assert_uint_eq(e.n, 0);
}
END_TEST

START_TEST(a_key_that_is_still_there_is_never_called_erased)
{
	struct erasing e;

	(void)withdraw_by(&practice, KL_SCOPE_ALL);
	parts_commit(&p);
	parts_begin(&p);
	read_back_answer = KL_E_DAMAGED;
	ck_assert_int_eq(erase_slots(&p.turn, &e), KL_E_DAMAGED);
	/* Its errand stays. */
	read_back_answer = KL_OK;
	ck_assert_int_eq(erase_slots(&p.turn, &e), KL_OK);
	ck_assert_uint_eq(e.n, 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("withdrawal");
	TCase *t = tcase_create("parts");
	SRunner *r;
	int failed;

	if (kl_crypto_init() != KL_OK)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_row_keeps_every_field_until_it_is_dropped);
	tcase_add_test(t, a_row_whose_key_is_gone_is_passed_over);
	tcase_add_test(t, nothing_of_it_outlives_its_conversation);
	tcase_add_test(t, messages_are_found_by_their_conversation);
	tcase_add_test(t, each_step_is_told_to_whoever_watches);
	tcase_add_test(t, a_referral_that_is_forgotten_still_counts);
	tcase_add_test(t, what_expired_or_was_refused_is_not_counted);
	tcase_add_test(t,
	    all_that_stands_under_it_ends_and_proofs_go_one_step_down);
	tcase_add_test(t,
	    children_of_a_referral_that_was_sealed_again_end_too);
	tcase_add_test(t, what_was_withdrawn_is_never_released);
	tcase_add_test(t, the_same_is_asked_once);
	tcase_add_test(t, what_is_owed_is_listed_once_each);
	tcase_add_test(t, each_term_is_told_when_it_has_passed);
	tcase_add_test(t, keys_of_a_withdrawal_are_read_back_and_no_others);
	tcase_add_test(t, a_key_that_is_still_there_is_never_called_erased);
	suite_add_tcase(suite, t);
	r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
