#include "broker/core/mailbox.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>

#include "broker/core/erase.h"
#include "broker/core/tables.h"
#include "broker/core/timer.h"
#include "tests/support/parts.h"

static struct parts p;
static struct party practice, desk;
static struct participant *from, *to;
static struct letter referral;
static struct conversation c;
static struct message m;
static struct turn_event events[8];
static const struct kl_key_id practice_key = { { 4 } };

static void
conversation_new(const struct letter *l, struct conversation *out)
{
	ck_assert_int_eq(conversation_make(&p.turn, &l->e, &l->body_hash,
	    out), KL_OK);
	ck_assert_int_eq(conversation_put_new(&p.turn, out), KL_OK);
}

static int
accept_as(const struct letter *l, struct message *out,
    struct journal_leaf *leaf)
{
	return mailbox_accept(&p.turn, &c, &l->e,
	    kl_bytes(l->envelope.b, l->envelope.n),
	    kl_bytes(l->ct, l->ct_n), &l->body_hash, from, to, out, leaf);
}

static void
setup(void)
{
	struct journal_leaf leaf;

	parts_open(&p);
	p.turn.events = events;
	p.turn.events_cap = sizeof events / sizeof events[0];
	practice = party_make(KL_PRACTICE, "agb:01234567");
	desk = party_make(KL_MUNICIPALITY, "oin:00000001234567890001");
	parts_begin(&p);
	from = parts_enrol(&p, &practice);
	to = parts_enrol(&p, &desk);
	letter_referral(&referral, &practice, &desk);
	conversation_new(&referral, &c);
	ck_assert_int_eq(accept_as(&referral, &m, &leaf), KL_OK);
}

static void
teardown(void)
{
	parts_close(&p);
	party_clear(&practice);
	party_clear(&desk);
}

static void
next_turn(void)
{
	parts_commit(&p);
	parts_begin(&p);
	p.turn.n_events = 0;
}

static int
move(uint32_t state)
{
	return mailbox_move(&p.turn, &c, &m, state, KL_C_OK, NULL, 0, NULL);
}

static void
put_statement(uint32_t number)
{
	ck_assert_int_eq(mailbox_put_statement(&p.turn, &c, number,
	    KL_RECEIPT, kl_bytes_str("receipt")), KL_OK);
}

static struct kl_record
record_at(uint64_t index)
{
	struct kl_logged l;
	struct kl_record r;
	struct kl_bytes b;

	ck_assert_int_eq(journal_logged(&p.journal, p.turn.txn, index, p.mem,
	    &b), KL_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOGGED, b, p.mem, &l),
	    KL_C_OK);
	ck_assert_int_eq(KL_STATEMENT_READ(KL_S_RECORD, l.record, p.mem,
	    &r), KL_C_OK);
	return r;
}

static struct kl_record
last_record(void)
{
	return record_at(p.journal.range.size - 1);
}

/* ---- messages ---- */

START_TEST(accepted_message_has_one_leaf_one_item_and_its_rows)
{
	struct kl_record r = last_record();
	struct message got;

	ck_assert_uint_eq(r.event, KL_EV_ACCEPTED);
	ck_assert_uint_eq(r.new_state, KL_MSG_ACCEPTED);
	ck_assert_uint_eq(r.kind, KL_REFERRAL);
	ck_assert(kl_id_equal(&r.org_from, &practice.id));
	ck_assert(kl_id_equal(&r.org_to, &desk.id));
	ck_assert_mem_eq(r.body_hash.b, referral.body_hash.b, 32);
	ck_assert_uint_eq(m.leaf, p.journal.range.size - 1);
	ck_assert_uint_eq(m.item, 1);
	ck_assert_uint_eq(m.receiver, to->number);
	ck_assert_int_eq(message_get(&p.turn, &m.tag, &c, &got), KL_OK);
	ck_assert_mem_eq(&got, &m, sizeof m);
	ck_assert_int_eq(message_find(&p.turn, &m.id, &got), KL_OK);
	ck_assert_uint_eq(got.slot, m.slot);
	ck_assert_uint_eq(got.kind, 0);	/* that is sealed */
	ck_assert_int_eq(message_peek(&p.turn, &m.tag, &got), KL_OK);
	ck_assert_int_eq(got.expire_ms, referral.e.header.expire_at_ms);
	ck_assert_uint_eq(p.turn.n_events, 1);
	ck_assert_uint_eq(events[0].event, KL_EV_ACCEPTED);
	ck_assert_mem_eq(events[0].msg.b, m.id.b, 16);
}
END_TEST

START_TEST(row_keeps_every_field)
{
	struct message got;

	m.repeats = 3;
	m.repeated_ms = 77;
	m.held = 12;
	m.outcome = KL_REFUSED;
	m.receipt_leaf = 99;
	ck_assert_int_eq(message_put(&p.turn, &c, &m), KL_OK);
	ck_assert_int_eq(message_get(&p.turn, &m.tag, &c, &got), KL_OK);
	ck_assert_mem_eq(&got, &m, sizeof m);
}
END_TEST

START_TEST(what_is_not_there_is_not_found)
{
	struct kl_msg_id id = { { 9 } };
	struct kl_tag tag = { { 9 } };
	struct message got;

	ck_assert_int_eq(message_find(&p.turn, &id, &got), KL_E_NOT_FOUND);
	ck_assert_int_eq(message_peek(&p.turn, &tag, &got), KL_E_NOT_FOUND);
	ck_assert_int_eq(message_get(&p.turn, &tag, &c, &got),
	    KL_E_NOT_FOUND);
	memset(tag.b, 0xff, sizeof tag.b);
	ck_assert_int_eq(message_next(&p.turn, &tag, false, &got),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(walk_passes_every_message_once)
{
	struct kl_tag last = { { 0 } };
	struct journal_leaf leaf;
	struct message got;
	struct letter l;
	int n = 0;

	for (int i = 0; i < 9; i++) {
		letter_referral(&l, &practice, &desk);
		ck_assert_int_eq(accept_as(&l, &got, &leaf), KL_OK);
	}
	while (message_next(&p.turn, &last, n == 0, &got) == KL_OK) {
		ck_assert(n == 0 || memcmp(got.tag.b, last.b, 16) > 0);
		last = got.tag;
		n++;
	}
	ck_assert_int_eq(n, 10);
}
END_TEST

START_TEST(envelope_comes_back_as_it_was_stored)
{
	struct kl_bytes got;

	ck_assert_int_eq(message_envelope(&p.turn, &m, &got), KL_OK);
	ck_assert(kl_bytes_equal(got, kl_bytes(referral.envelope.b,
	    referral.envelope.n)));
	ck_assert_int_eq(move(KL_MSG_RELEASED), KL_OK);
	ck_assert_int_eq(message_envelope(&p.turn, &m, &got), KL_OK);
	ck_assert_int_eq(move(KL_MSG_DELIVERED), KL_OK);
	ck_assert_int_eq(message_envelope(&p.turn, &m, &got),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(envelope_above_its_size_does_not_fit)
{
	static const uint8_t big[KL_ENVELOPE_MAX + KL_CT_MAX];
	struct journal_leaf leaf;
	struct message got;

	ck_assert_int_eq(mailbox_accept(&p.turn, &c, &referral.e,
	    kl_bytes(big, sizeof big), kl_bytes(big, 3),
	    &referral.body_hash, from, to, &got, &leaf), KL_E_SIZE);
}
END_TEST

START_TEST(no_slot_is_told)
{
	struct journal_leaf leaf;
	struct message got;
	uint32_t slot;

	while (vault_take(&p.vault, &slot) == KL_OK)
		;
	ck_assert_int_eq(accept_as(&referral, &got, &leaf), KL_E_FULL);
}
END_TEST

/* ---- transitions ---- */

START_TEST(every_transition_is_one_leaf)
{
	const struct { uint32_t state, event; bool ends; } row[] = {
		{ KL_MSG_RELEASED, KL_EV_RELEASED, false },
		{ KL_MSG_DELIVERED, KL_EV_DELIVERED, true },
		{ KL_MSG_DEAD, KL_EV_DEAD, true },
		{ KL_MSG_EXPIRED, KL_EV_EXPIRED, true },
		{ KL_MSG_WITHDRAWN, KL_EV_WITHDRAWN, true },
		{ KL_MSG_UNCONFIRMED, KL_EV_UNCONFIRMED, true },
		{ KL_MSG_LOST, KL_EV_LOST, true },
	};

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		const uint64_t before = p.journal.range.size;
		struct journal_leaf leaf;
		struct kl_record r;
		struct letter l;

		letter_referral(&l, &practice, &desk);
		ck_assert_int_eq(accept_as(&l, &m, &leaf), KL_OK);
		ck_assert_int_eq(mailbox_move(&p.turn, &c, &m, row[i].state,
		    KL_C_EXPIRED, &practice_key, KL_PRACTICE, &leaf), KL_OK);
		ck_assert_uint_eq(p.journal.range.size, before + 2);
		r = record_at(leaf.index);
		ck_assert_uint_eq(r.event, row[i].event);
		ck_assert_uint_eq(r.prev_state, KL_MSG_ACCEPTED);
		ck_assert_uint_eq(r.new_state, row[i].state);
		ck_assert_uint_eq(r.reason, KL_C_EXPIRED);
		ck_assert_uint_eq(r.actor_role, KL_PRACTICE);
		ck_assert(p.box.ended == row[i].ends);
		ck_assert_int_eq(mailbox_ack(&p.turn, to->number, m.item),
		    row[i].ends ? KL_E_NOT_FOUND : KL_E_DENIED);
		p.box.ended = false;
	}
}
END_TEST

START_TEST(receipts_leaf_is_remembered)
{
	ck_assert_int_eq(move(KL_MSG_RELEASED), KL_OK);
	ck_assert_uint_eq(m.receipt_leaf, 0);
	m.outcome = KL_OPENED;
	ck_assert_int_eq(move(KL_MSG_DELIVERED), KL_OK);
	ck_assert_uint_eq(m.receipt_leaf, p.journal.range.size - 1);
}
END_TEST

START_TEST(shown_receipt_makes_a_message_that_was_not_here)
{
	struct message fresh = { .slot = KL_SLOT_NONE, .state = KL_MSG_NONE,
		.receiver = to->number, .conv = c.tag, .kind = KL_REFERRAL,
		.id = { { 5 } }, .expire_ms = LETTERS_NOW_MS + 5 }, got;
	struct timer_due due;
	struct kl_record r;

	fresh.tag = vault_tag(&p.vault, T_MESSAGE, KL_BYTES_OF(fresh.id));
	ck_assert_int_eq(mailbox_present(&p.turn, &c, &fresh,
	    KL_MSG_DELIVERED, KL_C_OK, &practice_key, KL_MUNICIPALITY),
	    KL_OK);
	r = last_record();
	ck_assert_uint_eq(r.event, KL_EV_PRESENTED);
	ck_assert_uint_eq(r.new_state, KL_MSG_DELIVERED);
	ck_assert_int_eq(message_find(&p.turn, &fresh.id, &got), KL_OK);
	ck_assert_uint_eq(got.leaf, p.journal.range.size - 1);
	p.turn.now_ms += 5;
	ck_assert_int_eq(timer_due(&p.turn, &due), KL_OK);
	ck_assert_mem_eq(due.tag.b, fresh.tag.b, sizeof due.tag.b);
}
END_TEST

/* ---- mailboxes ---- */

START_TEST(mailbox_is_walked_in_order_and_apart_from_others)
{
	struct mailbox_row row = { .item = 0 };
	uint64_t last = 0;
	int n = 0, r;

	for (int i = 0; i < 5; i++) {
		put_statement(to->number);
		put_statement(from->number);
	}
	while ((r = mailbox_next(&p.turn, to->number, row.item, &row)) ==
	    KL_OK) {
		ck_assert_uint_eq(row.number, to->number);
		ck_assert_uint_gt(row.item, last);
		ck_assert_uint_eq(row.sort, n == 0 ? KL_SORT_ENVELOPE :
		    KL_RECEIPT + 1);
		last = row.item;
		n++;
	}
	ck_assert_int_eq(r, KL_E_NOT_FOUND);
	ck_assert_int_eq(n, 6);
	ck_assert_int_eq(mailbox_next(&p.turn, to->number + 7, 0, &row),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(statement_leaves_by_an_ack_and_an_envelope_does_not)
{
	put_statement(to->number);
	ck_assert_int_eq(mailbox_may_ack(&p.turn, to->number, 1),
	    KL_E_DENIED);
	ck_assert_int_eq(mailbox_ack(&p.turn, to->number, 1), KL_E_DENIED);
	ck_assert_int_eq(mailbox_may_ack(&p.turn, to->number, 2), KL_OK);
	ck_assert_int_eq(mailbox_ack(&p.turn, from->number, 2),
	    KL_E_NOT_FOUND);
	ck_assert_int_eq(mailbox_ack(&p.turn, to->number, 2), KL_OK);
	ck_assert_int_eq(mailbox_ack(&p.turn, to->number, 2),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(items_are_never_numbered_anew)
{
	const uint64_t first = p.box.items;

	next_turn();
	put_statement(to->number);
	parts_undo(&p);
	ck_assert_uint_eq(p.box.items, first);
	parts_begin(&p);
	put_statement(to->number);
	ck_assert_int_eq(mailbox_ack(&p.turn, to->number, first + 1), KL_OK);
	parts_commit(&p);
	parts_restart(&p);
	ck_assert_uint_eq(p.box.items, first + 1);
	parts_begin(&p);
	to = registry_by_id(&p.registry, &desk.id);
	put_statement(to->number);
	ck_assert_int_eq(mailbox_ack(&p.turn, to->number, first + 2), KL_OK);
}
END_TEST

START_TEST(damaged_counter_is_told)
{
	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_META,
	    kl_bytes_str("items"), kl_bytes_str("short")), KL_OK);
	ck_assert_int_eq(mailbox_load(&p.box, p.turn.txn), KL_E_DAMAGED);
}
END_TEST

START_TEST(mailboxes_that_got_something_are_told)
{
	ck_assert_uint_eq(p.box.n_touched, 1);
	ck_assert_uint_eq(p.box.touched[0], to->number);
	put_statement(to->number);
	ck_assert_uint_eq(p.box.n_touched, 1);
	for (uint32_t i = 0; i < MAILBOX_TOUCHED_MAX; i++)
		put_statement(10 + i);
	ck_assert_uint_eq(p.box.n_touched, MAILBOX_TOUCHED_MAX);
	ck_assert(p.box.touched_more);
	next_turn();
	ck_assert_uint_eq(p.box.n_touched, 0);
	ck_assert(!p.box.touched_more);
}
END_TEST

START_TEST(item_without_a_conversation_can_be_dropped)
{
	struct mailbox_row row;

	ck_assert_int_eq(mailbox_next(&p.turn, to->number, 0, &row), KL_OK);
	ck_assert_int_eq(mailbox_drop(&p.turn, &row), KL_OK);
	ck_assert_int_eq(mailbox_drop(&p.turn, &row), KL_E_NOT_FOUND);
	ck_assert_int_eq(mailbox_next(&p.turn, to->number, 0, &row),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(damaged_rows_are_told)
{
	uint8_t key[13] = { 0 };
	struct mailbox_row row;
	struct message got;

	key[3] = 50;
	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_ITEM, kl_bytes(key, 12),
	    kl_bytes(key, 3)), KL_OK);
	ck_assert_int_eq(mailbox_next(&p.turn, 50, 0, &row),
	    KL_E_NOT_FOUND);	/* item 0 is before the first */
	key[11] = 1;
	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_ITEM, kl_bytes(key, 12),
	    kl_bytes(key, 3)), KL_OK);
	ck_assert_int_eq(mailbox_next(&p.turn, 50, 0, &row), KL_E_DAMAGED);
	key[3] = 51;
	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_ITEM, kl_bytes(key, 13),
	    kl_bytes(key, 13)), KL_OK);
	ck_assert_int_eq(mailbox_next(&p.turn, 51, 0, &row), KL_E_DAMAGED);
	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_MESSAGE, KL_BYTES_OF(m.tag),
	    kl_bytes(key, 5)), KL_OK);
	ck_assert_int_eq(message_peek(&p.turn, &m.tag, &got), KL_E_DAMAGED);
	memset(key, 0xff, sizeof key);
	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_MESSAGE, kl_bytes(key, 13),
	    kl_bytes(key, 13)), KL_OK);
	memset(got.tag.b, 0xfe, sizeof got.tag.b);
	ck_assert_int_eq(message_next(&p.turn, &got.tag, false, &got),
	    KL_E_DAMAGED);
}
END_TEST

/* ---- notices ---- */

static struct kl_notice
notice_in(const struct mailbox_row *row)
{
	struct kl_bytes packed, ct;
	struct kl_notice n;
	struct kl_signed s;
	struct kl_item i;

	ck_assert_int_eq(mailbox_render(&p.turn, &c, row, NULL, &packed,
	    &ct), KL_OK);
	ck_assert_uint_eq(ct.n, 0);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_ITEM, packed, p.mem, &i),
	    KL_C_OK);
	ck_assert_uint_eq(i.sort, KL_NOTICE + 1);
	ck_assert_int_eq(kl_signed_read(i.content, p.mem, &s), KL_C_OK);
	ck_assert_int_eq(kl_verify(KL_LABEL_NOTICE, s.body, &p.journal.pk,
	    &s.sig), KL_OK);
	ck_assert_int_eq(KL_STATEMENT_READ(KL_NOTICE, s.body, p.mem, &n),
	    KL_C_OK);
	return n;
}

START_TEST(every_notice_can_be_put_and_verifies)
{
	for (uint32_t kind = KL_NOTICE_EXPIRED; kind <= KL_NOTICE_LATE;
	    kind++) {
		const bool whole = kind == KL_NOTICE_CONSENT_ENDED;
		struct mailbox_row row;
		struct kl_notice n;

		if (kind == KL_NOTICE_ERASE_REQUEST || kind == KL_NOTICE_GAP)
			continue;	/* with a WITHDRAWAL; and see below */
		ck_assert_int_eq(mailbox_put_notice(&p.turn, &c,
		    whole ? NULL : &m, from->number, kind, KL_C_EXPIRED),
		    KL_OK);
		ck_assert_int_eq(mailbox_next(&p.turn, from->number,
		    p.box.items - 1, &row), KL_OK);
		n = notice_in(&row);
		ck_assert_uint_eq(n.notice, kind);
		ck_assert_uint_eq(n.code, KL_C_EXPIRED);
		ck_assert_uint_eq(n.seq_from, 0);
		ck_assert_int_eq(n.at_ms, p.turn.now_ms);
		ck_assert(kl_id_equal(&n.signer, &p.broker.id));
		ck_assert(kl_bytes_zero(KL_BYTES_OF(n.msg_id)) == whole);
	}
}
END_TEST

START_TEST(gap_takes_the_place_of_its_message)
{
	struct mailbox_row row;
	struct kl_notice n;

	put_statement(to->number);
	ck_assert_int_eq(move(KL_MSG_EXPIRED), KL_OK);
	ck_assert_int_eq(mailbox_put_gap(&p.turn, &c, &m), KL_OK);
	ck_assert_int_eq(mailbox_next(&p.turn, to->number, 0, &row), KL_OK);
	ck_assert_uint_eq(row.item, m.item);
	n = notice_in(&row);
	ck_assert_uint_eq(n.notice, KL_NOTICE_GAP);
	ck_assert_uint_eq(n.seq_from, 1);
	ck_assert_uint_eq(n.seq_to, 1);
	ck_assert_int_eq(mailbox_ack(&p.turn, to->number, m.item), KL_OK);
}
END_TEST

START_TEST(notice_that_breaks_its_rules_is_not_made)
{
	ck_assert_int_eq(mailbox_put_notice(&p.turn, &c, &m, from->number,
	    KL_NOTICE_ERASE_REQUEST, KL_C_OK), KL_E_VALUE);
	ck_assert_int_eq(mailbox_put_notice(&p.turn, &c, &m, from->number,
	    KL_NOTICE_LAST + 1, KL_C_OK), KL_E_VALUE);
}
END_TEST

START_TEST(rendered_envelope_carries_its_leaf_and_ciphertext)
{
	struct kl_bytes packed, ct;
	struct mailbox_row row;
	struct kl_logged l;
	struct kl_item i;

	ck_assert_int_eq(mailbox_next(&p.turn, to->number, 0, &row), KL_OK);
	ck_assert_mem_eq(row.message.b, m.tag.b, sizeof m.tag.b);
	ck_assert_int_eq(mailbox_render(&p.turn, &c, &row, &m, &packed,
	    &ct), KL_OK);
	ck_assert(kl_bytes_equal(ct, kl_bytes(referral.ct, referral.ct_n)));
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_ITEM, packed, p.mem, &i),
	    KL_C_OK);
	ck_assert_uint_eq(i.item, m.item);
	ck_assert(kl_bytes_equal(i.content, kl_bytes(referral.envelope.b,
	    referral.envelope.n)));
	ck_assert_mem_eq(i.conv_ref.b, c.ref.b, sizeof c.ref.b);
	ck_assert_mem_eq(i.spoken, c.spoken, sizeof i.spoken);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOGGED, i.logged, p.mem, &l),
	    KL_C_OK);
	ck_assert_uint_eq(l.leaf, m.leaf);
}
END_TEST

/* ---- erasing ---- */

/* As at the begin of a turn. */
static size_t
erase(void)
{
	struct erasing e;

	ck_assert_int_eq(erase_slots(&p.turn, &e), KL_OK);
	ck_assert_int_eq(erase_log(&p.turn, &e), KL_OK);
	return e.n;
}

START_TEST(ended_message_is_erased_in_the_next_turn)
{
	const uint32_t slot = m.slot;
	struct kl_slot_key key;
	struct kl_record r;

	ck_assert_int_eq(move(KL_MSG_DELIVERED), KL_OK);
	ck_assert_int_eq(kl_slots_key(p.vault.slots, slot, &key), KL_OK);
	next_turn();
	ck_assert_uint_eq(erase(), 1);
	ck_assert_int_eq(kl_slots_key(p.vault.slots, slot, &key),
	    KL_E_NOT_FOUND);
	r = last_record();
	ck_assert_uint_eq(r.event, KL_EV_ERASED);
	ck_assert_uint_eq(r.prev_state, KL_MSG_DELIVERED);
	ck_assert_uint_eq(r.new_state, KL_MSG_ERASED);
	ck_assert_int_eq(message_get(&p.turn, &m.tag, &c, &m), KL_OK);
	ck_assert_uint_eq(m.slot, KL_SLOT_NONE);
	ck_assert_uint_eq(m.state, KL_MSG_DELIVERED);
	next_turn();
	ck_assert_uint_eq(erase(), 0);
}
END_TEST

START_TEST(erasing_is_redone_after_a_crash_before_its_commit)
{
	ck_assert_int_eq(move(KL_MSG_DELIVERED), KL_OK);
	next_turn();
	ck_assert_uint_eq(erase(), 1);
	/* The slot is zero, and the store does not know. */
	parts_restart(&p);
	parts_begin(&p);
	ck_assert_uint_eq(erase(), 1);
	parts_commit(&p);
	parts_begin(&p);
	ck_assert_uint_eq(erase(), 0);
}
END_TEST

START_TEST(many_are_erased_in_bounded_steps)
{
	struct journal_leaf leaf;
	struct letter l;
	size_t n = 0, some;

	ck_assert_int_eq(move(KL_MSG_DELIVERED), KL_OK);
	for (int i = 0; i < ERASE_MAX + 3; i++) {
		letter_referral(&l, &practice, &desk);
		ck_assert_int_eq(accept_as(&l, &m, &leaf), KL_OK);
		ck_assert_int_eq(move(KL_MSG_EXPIRED), KL_OK);
		next_turn();
	}
	while ((some = erase()) > 0) {
		ck_assert_uint_le(some, ERASE_MAX);
		n += some;
		next_turn();
	}
	ck_assert_uint_eq(n, ERASE_MAX + 4);
}
END_TEST

START_TEST(slot_of_a_forgotten_conversation_is_erased)
{
	struct kl_slot_key key;
	struct kl_record r;

	ck_assert_int_eq(conversation_drop(&p.turn, &c), KL_OK);
	ck_assert_int_eq(mailbox_erase_later(&p.turn, c.slot), KL_OK);
	ck_assert(p.box.ended);
	next_turn();
	ck_assert_uint_eq(erase(), 1);
	ck_assert_int_eq(kl_slots_key(p.vault.slots, c.slot, &key),
	    KL_E_NOT_FOUND);
	r = last_record();
	ck_assert_uint_eq(r.event, KL_EV_ERASED);
	ck_assert(kl_bytes_zero(KL_BYTES_OF(r.conv_ref)));
}
END_TEST

START_TEST(message_of_a_forgotten_conversation_stops_no_turn)
{
	ck_assert_int_eq(move(KL_MSG_EXPIRED), KL_OK);
	ck_assert_int_eq(conversation_drop(&p.turn, &c), KL_OK);
	next_turn();
	ck_assert_uint_eq(erase(), 1);
	ck_assert_uint_eq(last_record().event, KL_EV_ERASED);
	next_turn();
	ck_assert_uint_eq(erase(), 0);
}
END_TEST

START_TEST(damaged_erasing_row_is_told)
{
	struct erasing e = { .slot = { 7 }, .n = 1 };
	const uint8_t key[4] = { 0, 0, 0, 7 };

	ck_assert_int_eq(erase_log(&p.turn, &e), KL_E_NOT_FOUND);
	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_ERASING, KL_BYTES_OF(key),
	    kl_bytes(key, 3)), KL_OK);
	ck_assert_int_eq(erase_log(&p.turn, &e), KL_E_DAMAGED);
}
END_TEST

/* ---- timers ---- */

START_TEST(timers_come_in_order_when_they_are_due)
{
	const struct kl_tag tag = { { 1 } };
	struct timer_due d;

	ck_assert_int_eq(timer_put(&p.turn, LETTERS_NOW_MS + 20,
	    TIMER_FORGET, &tag), KL_OK);
	ck_assert_int_eq(timer_put(&p.turn, LETTERS_NOW_MS + 10,
	    TIMER_EXPIRE, &tag), KL_OK);
	ck_assert_int_eq(timer_due(&p.turn, &d), KL_E_NOT_FOUND);
	p.turn.now_ms += 10;
	ck_assert_int_eq(timer_due(&p.turn, &d), KL_OK);
	ck_assert_uint_eq(d.sort, TIMER_EXPIRE);
	ck_assert_int_eq(timer_done(&p.turn, &d), KL_OK);
	ck_assert_int_eq(timer_done(&p.turn, &d), KL_E_NOT_FOUND);
	ck_assert_int_eq(timer_due(&p.turn, &d), KL_E_NOT_FOUND);
	p.turn.now_ms += 10;
	ck_assert_int_eq(timer_due(&p.turn, &d), KL_OK);
	ck_assert_uint_eq(d.sort, TIMER_FORGET);
}
END_TEST

START_TEST(damaged_timer_is_told)
{
	struct timer_due d;

	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_TIMER, kl_bytes("\0", 1),
	    KL_BYTES_NONE), KL_OK);
	ck_assert_int_eq(timer_due(&p.turn, &d), KL_E_DAMAGED);
}
END_TEST

static int
forget_after(int64_t ms)
{
	struct message got;

	p.turn.now_ms = m.expire_ms + ms;
	ck_assert_int_eq(message_forget(&p.turn, &m.tag), KL_OK);
	return message_peek(&p.turn, &m.tag, &got);
}

START_TEST(message_is_remembered_as_long_as_repeats_may_come)
{
	ck_assert_int_eq(move(KL_MSG_DELIVERED), KL_OK);
	next_turn();
	(void)erase();
	ck_assert_int_eq(forget_after(7 * KL_DAY_MS - 1), KL_OK);
	ck_assert_int_eq(forget_after(7 * KL_DAY_MS), KL_E_NOT_FOUND);
	ck_assert_int_eq(message_forget(&p.turn, &m.tag), KL_OK);
}
END_TEST

START_TEST(unconfirmed_message_waits_longer_for_a_late_receipt)
{
	ck_assert_int_eq(move(KL_MSG_RELEASED), KL_OK);
	ck_assert_int_eq(move(KL_MSG_UNCONFIRMED), KL_OK);
	next_turn();
	(void)erase();
	ck_assert_int_eq(forget_after(90 * KL_DAY_MS - 1), KL_OK);
	ck_assert_int_eq(forget_after(90 * KL_DAY_MS), KL_E_NOT_FOUND);
}
END_TEST

/* ---- start ---- */

START_TEST(slots_in_use_are_not_taken_again_after_a_restart)
{
	uint32_t slot;

	parts_commit(&p);
	parts_restart(&p);
	while (vault_take(&p.vault, &slot) == KL_OK) {
		ck_assert_uint_ne(slot, m.slot);
		ck_assert_uint_ne(slot, c.slot);
	}
}
END_TEST

START_TEST(slots_that_wait_for_erasing_are_not_taken_again)
{
	const uint32_t of_message = m.slot;
	uint32_t slot;

	ck_assert_int_eq(move(KL_MSG_DELIVERED), KL_OK);
	ck_assert_int_eq(conversation_drop(&p.turn, &c), KL_OK);
	ck_assert_int_eq(mailbox_erase_later(&p.turn, c.slot), KL_OK);
	parts_commit(&p);
	parts_restart(&p);
	while (vault_take(&p.vault, &slot) == KL_OK) {
		ck_assert_uint_ne(slot, of_message);
		ck_assert_uint_ne(slot, c.slot);
	}
}
END_TEST

START_TEST(damaged_rows_stop_the_start)
{
	const uint8_t key[33] = { 1 };

	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_CONV, kl_bytes(key, 16),
	    kl_bytes(key, 2)), KL_OK);
	ck_assert_int_eq(erase_mark_slots(&p.turn), KL_E_DAMAGED);
	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_CONV, kl_bytes(key, 16),
	    kl_bytes(key, 4)), KL_OK);
	ck_assert_int_ne(erase_mark_slots(&p.turn), KL_OK);
	ck_assert_int_eq(kl_kv_del(p.turn.txn, T_CONV, kl_bytes(key, 16)),
	    KL_OK);
	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_MONTH, kl_bytes(key, 33),
	    kl_bytes(key + 1, 4)), KL_OK);
	ck_assert_int_eq(erase_mark_slots(&p.turn), KL_E_DAMAGED);
}
END_TEST

static TCase *
messages_case(void)
{
	TCase *tc = tcase_create("messages");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
	    accepted_message_has_one_leaf_one_item_and_its_rows);
	tcase_add_test(tc, row_keeps_every_field);
	tcase_add_test(tc, what_is_not_there_is_not_found);
	tcase_add_test(tc, walk_passes_every_message_once);
	tcase_add_test(tc, envelope_comes_back_as_it_was_stored);
	tcase_add_test(tc, envelope_above_its_size_does_not_fit);
	tcase_add_test(tc, no_slot_is_told);
	tcase_add_test(tc, every_transition_is_one_leaf);
	tcase_add_test(tc, receipts_leaf_is_remembered);
	tcase_add_test(tc, shown_receipt_makes_a_message_that_was_not_here);
	return tc;
}

static TCase *
mailboxes_case(void)
{
	TCase *tc = tcase_create("mailboxes");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
	    mailbox_is_walked_in_order_and_apart_from_others);
	tcase_add_test(tc,
	    statement_leaves_by_an_ack_and_an_envelope_does_not);
	tcase_add_test(tc, items_are_never_numbered_anew);
	tcase_add_test(tc, damaged_counter_is_told);
	tcase_add_test(tc, mailboxes_that_got_something_are_told);
	tcase_add_test(tc, item_without_a_conversation_can_be_dropped);
	tcase_add_test(tc, damaged_rows_are_told);
	tcase_add_test(tc, every_notice_can_be_put_and_verifies);
	tcase_add_test(tc, gap_takes_the_place_of_its_message);
	tcase_add_test(tc, notice_that_breaks_its_rules_is_not_made);
	tcase_add_test(tc,
	    rendered_envelope_carries_its_leaf_and_ciphertext);
	return tc;
}

static TCase *
ends_case(void)
{
	TCase *tc = tcase_create("ends");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, ended_message_is_erased_in_the_next_turn);
	tcase_add_test(tc,
	    erasing_is_redone_after_a_crash_before_its_commit);
	tcase_add_test(tc, many_are_erased_in_bounded_steps);
	tcase_add_test(tc, slot_of_a_forgotten_conversation_is_erased);
	tcase_add_test(tc,
	    message_of_a_forgotten_conversation_stops_no_turn);
	tcase_add_test(tc, damaged_erasing_row_is_told);
	tcase_add_test(tc, timers_come_in_order_when_they_are_due);
	tcase_add_test(tc, damaged_timer_is_told);
	tcase_add_test(tc,
	    message_is_remembered_as_long_as_repeats_may_come);
	tcase_add_test(tc,
	    unconfirmed_message_waits_longer_for_a_late_receipt);
	tcase_add_test(tc,
	    slots_in_use_are_not_taken_again_after_a_restart);
	tcase_add_test(tc, slots_that_wait_for_erasing_are_not_taken_again);
	tcase_add_test(tc, damaged_rows_stop_the_start);
	return tc;
}

int
main(void)
{
	Suite *s = suite_create("mailbox");
	SRunner *sr;
	int failed;

	suite_add_tcase(s, messages_case());
	suite_add_tcase(s, mailboxes_case());
	suite_add_tcase(s, ends_case());
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
