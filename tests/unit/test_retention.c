/* How long the broker keeps what, one test for each row of PROTOCOL.md 15.5;
 * those of withdrawals stand with them. */
#include "broker/core/retain.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/policy.h>

#include "broker/core/erase.h"
#include "broker/core/month.h"
#include "broker/core/tables.h"
#include "broker/core/timer.h"
#include "broker/core/tree.h"
#include "tests/support/parts.h"

#define ALL 1000u		/* steps: more than any test has */
#define AFTER_END_MS (90 * KL_DAY_MS)
#define MAX_MS (731 * KL_DAY_MS)
#define LOG_DAYS 1827

static struct parts p;
static struct party practice, desk;
static struct participant *from, *to;
static struct letter referral;
static struct conversation c;
static struct message m;
static struct retain r;

static void
accept_letter(const struct letter *l, struct message *out)
{
	struct journal_leaf leaf;

	ck_assert_int_eq(mailbox_accept(&p.turn, &c, &l->e,
	    kl_bytes(l->envelope.b, l->envelope.n),
	    kl_bytes(l->ct, l->ct_n), &l->body_hash, from, to, out, &leaf),
	    KL_OK);
}

/* A conversation whose consent allows feedback of this level. */
static void
begin(uint32_t level, uint32_t consent_days)
{
	letter_referral(&referral, &practice, &desk);
	referral.e.consent.feedback_level = level;
	referral.e.header.feedback_level = level;
	if (level == KL_LEVEL_0)
		referral.e.header.answer_by_ms = 0;
	referral.e.consent.valid_until = referral.e.consent.given_on +
	    consent_days;
	letter_seal(&referral, &practice);
	ck_assert_int_eq(conversation_make(&p.turn, &referral.e,
	    &referral.body_hash, &c), KL_OK);
	ck_assert_int_eq(conversation_put_new(&p.turn, &c), KL_OK);
	ck_assert_int_eq(retain_begin(&p.turn, &p.registry, &c, 0), KL_OK);
	accept_letter(&referral, &m);
}

static void
setup(void)
{
	parts_open(&p);
	practice = party_make(KL_PRACTICE, "agb:01234567");
	desk = party_make(KL_MUNICIPALITY, "oin:00000001234567890001");
	parts_begin(&p);
	from = parts_enrol(&p, &practice);
	to = parts_enrol(&p, &desk);
	memset(&r, 0, sizeof r);
}

static void
teardown(void)
{
	parts_close(&p);
	party_clear(&practice);
	party_clear(&desk);
}

/* All that is due at that time. */
static void
run_at(int64_t now_ms)
{
	bool more = true;

	p.turn.now_ms = now_ms;
	r.months_ms = 0;	/* they are looked at once an hour */
	while (more)
		ck_assert_int_eq(retain_run(&r, &p.turn, &p.registry, ALL,
		    &more), KL_OK);
}

static void
reload(void)
{
	ck_assert_int_eq(conversation_get(&p.turn, &c.tag, &c), KL_OK);
	ck_assert_int_eq(message_get(&p.turn, &m.tag, &c, &m), KL_OK);
}

static void
receive(void)
{
	struct kl_bytes body;

	ck_assert_int_eq(message_envelope(&p.turn, &m, &body), KL_OK);
	ck_assert_int_eq(mailbox_move(&p.turn, &c, &m, KL_MSG_DELIVERED,
	    KL_C_OK, NULL, 0, NULL), KL_OK);
	ck_assert_int_eq(retain_delivered(&p.turn, &p.registry, &c, body),
	    KL_OK);
}

static void
end(int64_t now_ms)
{
	p.turn.now_ms = now_ms;
	c.state = KL_CONV_ENDED;
	c.ended_ms = now_ms;
	ck_assert_int_eq(conversation_put(&p.turn, &c), KL_OK);
	ck_assert_int_eq(retain_close(&p.turn, &p.registry, &c), KL_OK);
}

/* It is there until just before, and from then on it is not. */
static void
conversation_lasts_until(int64_t at_ms)
{
	const struct kl_tag tag = c.tag;
	struct kl_bytes v;

	run_at(at_ms - 1);
	ck_assert_int_eq(kl_kv_get(p.turn.txn, T_CONV, KL_BYTES_OF(tag), &v),
	    KL_OK);
	run_at(at_ms);
	ck_assert_int_eq(kl_kv_get(p.turn.txn, T_CONV, KL_BYTES_OF(tag), &v),
	    KL_E_NOT_FOUND);
}

/* The next turn's errand: what has ended is zeroed and logged. */
static size_t
erase_turn(void)
{
	struct erasing e;

	parts_commit(&p);
	parts_begin(&p);
	ck_assert_int_eq(erase_slots(&p.turn, &e), KL_OK);
	ck_assert_int_eq(erase_log(&p.turn, &e), KL_OK);
	return e.n;
}

static void
slot_is_gone(uint32_t slot)
{
	struct kl_slot_key key;

	ck_assert_int_eq(kl_slots_key(p.vault.slots, slot, &key),
	    KL_E_NOT_FOUND);
	ck_assert_int_eq(kl_slots_verify_zero(p.vault.slots, slot), KL_OK);
}

/* ---- ciphertext ---- */

START_TEST(ciphertext_lasts_until_the_receipt)
{
	struct kl_bytes envelope, ct;
	uint32_t slot;

	begin(KL_LEVEL_2, 365);
	slot = m.slot;
	ck_assert_int_eq(message_get_blob(&p.turn, &m, &envelope, &ct),
	    KL_OK);
	receive();
	ck_assert_uint_eq(m.slot, KL_SLOT_NONE);
	ck_assert_uint_eq(erase_turn(), 1);
	slot_is_gone(slot);
}
END_TEST

static struct kl_notice
notice_of(const struct participant *who)
{
	struct mailbox_row row;
	struct kl_bytes packed, ct;
	struct kl_notice n;
	struct kl_signed s;
	struct kl_item i;

	ck_assert_int_eq(mailbox_next(&p.turn, who->number, 0, &row), KL_OK);
	ck_assert_uint_eq(row.sort, KL_NOTICE + 1);
	ck_assert_int_eq(mailbox_render(&p.turn, &c, &row, NULL, &packed,
	    &ct), KL_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_ITEM, packed, p.mem, &i),
	    KL_C_OK);
	ck_assert_int_eq(kl_signed_read(i.content, p.mem, &s), KL_C_OK);
	ck_assert_int_eq(KL_STATEMENT_READ(KL_NOTICE, s.body, p.mem, &n),
	    KL_C_OK);
	return n;
}

START_TEST(uncollected_ciphertext_lasts_until_its_term_and_its_sender_is_told)
{
	uint32_t slot;

	begin(KL_LEVEL_2, 365);
	slot = m.slot;
	/* deliver_by has had its notice. */
	run_at(m.expire_ms - 1);
	ck_assert_int_eq(mailbox_ack(&p.turn, from->number,
	    p.box.items - 1), KL_OK);
	reload();
	ck_assert_uint_eq(m.slot, slot);
	run_at(m.expire_ms);
	reload();
	ck_assert_uint_eq(m.state, KL_MSG_EXPIRED);
	ck_assert_uint_eq(notice_of(from).notice, KL_NOTICE_EXPIRED);
	ck_assert_uint_eq(erase_turn(), 1);
	slot_is_gone(slot);
}
END_TEST

/* ---- messages ---- */

START_TEST(message_lasts_seven_days_after_its_term)
{
	struct message again;

	begin(KL_LEVEL_2, 365);
	receive();
	run_at(m.expire_ms + 7 * KL_DAY_MS - 1);
	ck_assert_int_eq(message_peek(&p.turn, &m.tag, &again), KL_OK);
	run_at(m.expire_ms + 7 * KL_DAY_MS);
	ck_assert_int_eq(message_peek(&p.turn, &m.tag, &again),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(unconfirmed_message_lasts_as_long_as_a_late_receipt_counts)
{
	struct message again;

	begin(KL_LEVEL_2, 365);
	ck_assert_int_eq(mailbox_move(&p.turn, &c, &m, KL_MSG_RELEASED,
	    KL_C_OK, NULL, 0, NULL), KL_OK);
	run_at(m.expire_ms);
	reload();
	ck_assert_uint_eq(m.state, KL_MSG_UNCONFIRMED);
	ck_assert_uint_eq(c.state, KL_CONV_EXPIRED);
	run_at(m.expire_ms + AFTER_END_MS - 1);
	ck_assert_int_eq(message_peek(&p.turn, &m.tag, &again), KL_OK);
	run_at(m.expire_ms + AFTER_END_MS);
	ck_assert_int_eq(message_peek(&p.turn, &m.tag, &again),
	    KL_E_NOT_FOUND);
}
END_TEST

/* ---- conversations: routing data ---- */

START_TEST(conversation_lasts_its_term_after_the_end)
{
	begin(KL_LEVEL_2, 365);
	receive();
	end(LETTERS_NOW_MS + 30 * KL_DAY_MS);
	conversation_lasts_until(LETTERS_NOW_MS + 30 * KL_DAY_MS +
	    AFTER_END_MS);
}
END_TEST

START_TEST(conversation_never_lasts_longer_than_24_months_after_sending)
{
	begin(KL_LEVEL_2, 731);
	receive();
	conversation_lasts_until(c.begun_ms + MAX_MS);
	ck_assert_uint_eq(from->open_conversations, 0);
}
END_TEST

START_TEST(conversation_that_ends_late_is_not_kept_for_its_whole_term)
{
	begin(KL_LEVEL_2, 731);
	receive();
	end(c.begun_ms + MAX_MS - 10 * KL_DAY_MS);
	conversation_lasts_until(c.begun_ms + MAX_MS);
}
END_TEST

START_TEST(uncertain_conversation_counts_as_ended_from_then)
{
	int64_t expire_ms;

	begin(KL_LEVEL_2, 365);
	expire_ms = m.expire_ms;
	ck_assert_int_eq(mailbox_move(&p.turn, &c, &m, KL_MSG_RELEASED,
	    KL_C_OK, NULL, 0, NULL), KL_OK);
	run_at(expire_ms);
	reload();
	conversation_lasts_until(expire_ms + AFTER_END_MS);
}
END_TEST

START_TEST(level_0_counts_as_ended_28_days_after_its_delivery)
{
	begin(KL_LEVEL_0, 365);
	p.turn.now_ms += KL_DAY_MS;
	receive();
	conversation_lasts_until(LETTERS_NOW_MS + 29 * KL_DAY_MS +
	    AFTER_END_MS);
}
END_TEST

START_TEST(conversation_counts_as_ended_when_its_feedback_stops)
{
	begin(KL_LEVEL_2, 365);
	receive();
	p.turn.now_ms += 5 * KL_DAY_MS;
	ck_assert_int_eq(retain_quiet(&p.turn, &c, p.turn.now_ms), KL_OK);
	/* What stopped before does not stop again later. */
	ck_assert_int_eq(retain_quiet(&p.turn, &c, p.turn.now_ms +
	    KL_DAY_MS), KL_OK);
	ck_assert_int_eq(conversation_put(&p.turn, &c), KL_OK);
	conversation_lasts_until(LETTERS_NOW_MS + 5 * KL_DAY_MS +
	    AFTER_END_MS);
}
END_TEST

START_TEST(conversation_counts_as_ended_when_its_consent_is_past)
{
	begin(KL_LEVEL_2, 100);
	receive();
	conversation_lasts_until(kl_day_start_ms((int32_t)c.valid_until + 1) +
	    AFTER_END_MS);
}
END_TEST

START_TEST(parent_stays_for_its_children_until_its_limit)
{
	struct conversation parent, child;
	struct party partner = party_make(KL_PARTNER, "kvk:12345678");
	struct letter onward;

	(void)parts_enrol(&p, &partner);
	begin(KL_LEVEL_2, 365);
	receive();
	parent = c;
	letter_referral(&onward, &desk, &partner);
	onward.e.consent.under = parent.referral;
	letter_seal(&onward, &desk);
	ck_assert_int_eq(conversation_make(&p.turn, &onward.e,
	    &onward.body_hash, &child), KL_OK);
	ck_assert_int_eq(conversation_put_new(&p.turn, &child), KL_OK);
	end(LETTERS_NOW_MS);
	run_at(LETTERS_NOW_MS + AFTER_END_MS);
	ck_assert_int_eq(conversation_get(&p.turn, &parent.tag, &c), KL_OK);
	/* The child goes, and a day later its parent is looked at again. */
	ck_assert_int_eq(conversation_drop(&p.turn, &child), KL_OK);
	run_at(LETTERS_NOW_MS + AFTER_END_MS + KL_DAY_MS);
	ck_assert_int_eq(conversation_get(&p.turn, &parent.tag, &c),
	    KL_E_NOT_FOUND);
	party_clear(&partner);
}
END_TEST

START_TEST(what_waits_ends_with_its_conversation)
{
	struct letter feedback;
	struct message late;
	struct kl_bytes v;
	uint32_t slot;
	uint8_t key[4];

	begin(KL_LEVEL_2, 731);
	receive();
	p.turn.now_ms = c.begun_ms + MAX_MS - 10 * KL_DAY_MS;
	letter_feedback(&feedback, &referral, &desk, &practice,
	    KL_MS_TAKEN_UP);
	feedback.e.header.created_ms = p.turn.now_ms;
	feedback.e.header.deliver_by_ms = p.turn.now_ms + 42 * KL_DAY_MS;
	feedback.e.header.expire_at_ms = p.turn.now_ms + 42 * KL_DAY_MS;
	letter_seal(&feedback, &desk);
	accept_letter(&feedback, &late);
	slot = late.slot;
	run_at(c.begun_ms + MAX_MS);
	ck_assert_int_eq(kl_kv_get(p.turn.txn, T_BLOB,
	    vault_slot_key(key, slot), &v), KL_E_NOT_FOUND);
	ck_assert_uint_eq(erase_turn(), 3);
	slot_is_gone(slot);
}
END_TEST

START_TEST(message_whose_conversation_is_gone_ends_at_its_term)
{
	struct message again;
	uint32_t slot;

	begin(KL_LEVEL_2, 365);
	slot = m.slot;
	ck_assert_int_eq(conversation_drop(&p.turn, &c), KL_OK);
	run_at(m.expire_ms);
	ck_assert_int_eq(message_peek(&p.turn, &m.tag, &again),
	    KL_E_NOT_FOUND);
	ck_assert_uint_eq(erase_turn(), 1);
	slot_is_gone(slot);
}
END_TEST

/* ---- the signed body ---- */

START_TEST(signed_referral_lasts_as_long_as_its_conversation)
{
	struct kl_bytes v;
	uint8_t key[4];
	uint32_t slot;

	begin(KL_LEVEL_2, 365);
	receive();
	slot = c.slot;
	end(LETTERS_NOW_MS);
	run_at(LETTERS_NOW_MS + AFTER_END_MS - 1);
	ck_assert_int_eq(conversation_body(&p.turn, &c, &v), KL_OK);
	(void)erase_turn();
	run_at(LETTERS_NOW_MS + AFTER_END_MS);
	ck_assert_int_eq(kl_kv_get(p.turn.txn, T_BODY,
	    vault_slot_key(key, slot), &v), KL_E_NOT_FOUND);
	ck_assert_uint_eq(erase_turn(), 1);
	slot_is_gone(slot);
}
END_TEST

/* ---- markers ---- */

START_TEST(marker_lasts_until_the_consent_is_past)
{
	const struct kl_conv_id *id = &referral.e.header.conv_id;
	int64_t past_ms;

	begin(KL_LEVEL_2, 365);
	past_ms = kl_day_start_ms((int32_t)c.valid_until + 1);
	receive();
	end(LETTERS_NOW_MS);
	run_at(LETTERS_NOW_MS + AFTER_END_MS);
	ck_assert_int_eq(retain_marker(&p.turn, id), KL_OK);
	run_at(past_ms - 1);
	ck_assert_int_eq(retain_marker(&p.turn, id), KL_OK);
	run_at(past_ms);
	ck_assert_int_eq(retain_marker(&p.turn, id), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(nothing_marks_what_is_forgotten_after_its_consent)
{
	begin(KL_LEVEL_2, 30);
	receive();
	end(LETTERS_NOW_MS);
	run_at(LETTERS_NOW_MS + AFTER_END_MS);
	ck_assert_int_eq(retain_marker(&p.turn,
	    &referral.e.header.conv_id), KL_E_NOT_FOUND);
}
END_TEST

/* ---- policies ---- */

static void
policy_days(enum kl_policy_key key, uint32_t days)
{
	p.policy.term[key] = (struct kl_term){ days, KL_UNIT_D };
	retain_policy(&r);
}

START_TEST(stricter_policy_shortens_what_was_begun_before)
{
	begin(KL_LEVEL_2, 365);
	receive();
	end(LETTERS_NOW_MS);
	policy_days(KL_POL_METADATA_AFTER_END, 30);
	run_at(LETTERS_NOW_MS + 1);
	conversation_lasts_until(LETTERS_NOW_MS + 30 * KL_DAY_MS);
}
END_TEST

START_TEST(looser_policy_lengthens_nothing_that_was_begun_before)
{
	begin(KL_LEVEL_2, 365);
	receive();
	end(LETTERS_NOW_MS);
	policy_days(KL_POL_METADATA_AFTER_END, 30);
	run_at(LETTERS_NOW_MS + 1);
	policy_days(KL_POL_METADATA_AFTER_END, 90);
	policy_days(KL_POL_METADATA_MAX, 1000);
	conversation_lasts_until(LETTERS_NOW_MS + 30 * KL_DAY_MS);
}
END_TEST

START_TEST(policy_is_carried_out_step_by_step_and_over_a_start)
{
	struct retain again;
	bool more;

	for (int i = 0; i < 40; i++)
		begin(KL_LEVEL_2, 365);
	policy_days(KL_POL_METADATA_MAX, 100);
	ck_assert_int_eq(retain_run(&r, &p.turn, &p.registry, ALL, &more),
	    KL_OK);
	ck_assert(more);
	ck_assert_int_eq(retain_save(&r, &p.turn), KL_OK);
	retain_committed(&r);
	/* Killed here: it begins anew. */
	ck_assert_int_eq(retain_load(&again, p.turn.txn), KL_OK);
	ck_assert(again.scanning);
	r = again;
	run_at(LETTERS_NOW_MS);
	ck_assert(!r.scanning);
	conversation_lasts_until(c.begun_ms + 100 * KL_DAY_MS);
}
END_TEST

START_TEST(undone_step_is_taken_again)
{
	bool more;

	begin(KL_LEVEL_2, 365);
	parts_commit(&p);
	parts_begin(&p);
	policy_days(KL_POL_METADATA_MAX, 100);
	ck_assert_int_eq(retain_run(&r, &p.turn, &p.registry, ALL, &more),
	    KL_OK);
	ck_assert(!r.scanning);
	parts_undo(&p);
	retain_undo(&r);
	parts_begin(&p);
	run_at(LETTERS_NOW_MS);
	conversation_lasts_until(c.begun_ms + 100 * KL_DAY_MS);
}
END_TEST

/* ---- the log ---- */

static uint64_t
append(int64_t now_ms)
{
	struct kl_record rec = { .event = KL_EV_CARD };
	struct journal_leaf leaf;

	ck_assert_int_eq(journal_append(&p.journal, p.turn.txn, now_ms, &rec,
	    p.mem, &leaf), KL_OK);
	return leaf.index;
}

static int
logged(uint64_t index)
{
	struct kl_bytes packed;

	return journal_logged(&p.journal, p.turn.txn, index, p.mem, &packed);
}

static int64_t
log_end_ms(int64_t now_ms)
{
	return kl_day_start_ms(month_end(month_of(now_ms)) + LOG_DAYS);
}

static size_t
leaf_bytes(uint64_t index)
{
	struct kl_bytes v;
	uint8_t key[8];

	kl_be64_put(key, index);
	ck_assert_int_eq(kl_kv_get(p.turn.txn, T_LEAF, KL_BYTES_OF(key), &v),
	    KL_OK);
	return v.n;
}

static void
sign(struct kl_checkpoint *out)
{
	parts_commit(&p);
	parts_begin_read(&p);
	ck_assert_int_eq(journal_sign(&p.journal, p.turn.txn, p.turn.now_ms,
	    p.mark.b, p.mem), KL_OK);
	parts_undo(&p);
	ck_assert_int_eq(kl_note_verify(kl_bytes_str(p.journal.note.b),
	    &p.broker.sign_pk, out), KL_OK);
	parts_begin(&p);
}

static int
prove(uint32_t want, uint64_t size, uint64_t at, struct kl_hash *out,
    size_t *n)
{
	const struct kl_log_request q = { .want = want, .size = size,
		.at = at };

	return journal_prove(&p.journal, p.turn.txn, &q, out, n);
}

START_TEST(log_records_last_five_years_and_their_tree_stays)
{
	struct kl_hash proof[KL_PROOF_MAX], leaf;
	struct kl_checkpoint before, after;
	uint64_t old, other, first;
	uint32_t slot;
	size_t n;

	p.journal.keep_days = LOG_DAYS;
	old = append(LETTERS_NOW_MS);
	for (int i = 0; i < 600; i++)
		other = append(LETTERS_NOW_MS + i);
	first = append(LETTERS_NOW_MS + 40 * KL_DAY_MS);
	ck_assert_int_eq(month_slot(p.turn.txn, month_of(LETTERS_NOW_MS),
	    &slot), KL_OK);
	sign(&before);
	run_at(log_end_ms(LETTERS_NOW_MS) - 1);
	ck_assert_int_eq(logged(old), KL_OK);
	run_at(log_end_ms(LETTERS_NOW_MS));
	ck_assert_int_eq(logged(old), KL_E_NOT_FOUND);
	ck_assert_int_eq(logged(other), KL_E_NOT_FOUND);
	ck_assert_int_eq(logged(first), KL_OK);
	ck_assert_uint_eq(leaf_bytes(old), 36);
	ck_assert_uint_eq(leaf_bytes(other), 36);
	ck_assert_uint_gt(leaf_bytes(first), 36);
	ck_assert_uint_eq(erase_turn(), 1);
	slot_is_gone(slot);
	/* Old proofs verify, and new ones are made over the same leaves. */
	sign(&after);
	ck_assert_uint_gt(after.size, before.size);
	ck_assert_int_eq(prove(KL_LOG_CONSISTENCY, before.size, 0,
	    proof, &n), KL_OK);
	ck_assert_int_eq(kl_check_consistency(before.size, &before.root,
	    after.size, &after.root, proof, n), KL_OK);
	ck_assert_int_eq(tree_leaf(p.turn.txn, old, &leaf), KL_OK);
	ck_assert_int_eq(prove(KL_LOG_INCLUSION, old, 0,
	    proof, &n), KL_OK);
	ck_assert_int_eq(kl_check_inclusion(&leaf, old, after.size,
	    proof, n, &after.root), KL_OK);
}
END_TEST

START_TEST(log_is_cut_step_by_step_and_over_a_start)
{
	struct retain again;
	uint64_t last = 0;
	bool more;

	for (int i = 0; i < 600; i++)
		last = append(LETTERS_NOW_MS);
	p.turn.now_ms = log_end_ms(LETTERS_NOW_MS);
	(void)append(p.turn.now_ms);
	ck_assert_int_eq(retain_run(&r, &p.turn, &p.registry, ALL, &more),
	    KL_OK);
	ck_assert(more);
	ck_assert_uint_gt(leaf_bytes(last), 36);
	/* Killed here. */
	parts_commit(&p);
	parts_begin(&p);
	ck_assert_int_eq(retain_load(&again, p.turn.txn), KL_OK);
	r = again;
	run_at(log_end_ms(LETTERS_NOW_MS));
	ck_assert_uint_eq(leaf_bytes(last), 36);
}
END_TEST

START_TEST(month_keeps_the_term_that_it_got)
{
	const int64_t now_ms = LETTERS_NOW_MS + 60 * KL_DAY_MS;
	uint64_t index;

	p.journal.keep_days = LOG_DAYS;
	index = append(now_ms);
	policy_days(KL_POL_LOG_RETENTION, 10 * 365);
	run_at(log_end_ms(now_ms));
	ck_assert_int_eq(logged(index), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(month_is_shortened_by_a_stricter_policy)
{
	const int64_t now_ms = LETTERS_NOW_MS + 60 * KL_DAY_MS;
	uint64_t index;

	p.journal.keep_days = 10 * 365;
	index = append(now_ms);
	run_at(log_end_ms(now_ms) - 1);
	ck_assert_int_eq(logged(index), KL_OK);
	run_at(log_end_ms(now_ms));
	ck_assert_int_eq(logged(index), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(month_between_with_a_longer_term_keeps_its_records)
{
	const int64_t month_ms = 31 * KL_DAY_MS;
	uint64_t a, b, d;

	p.journal.keep_days = LOG_DAYS;
	a = append(LETTERS_NOW_MS + month_ms);
	p.journal.keep_days = 3000;
	b = append(LETTERS_NOW_MS + 2 * month_ms);
	p.journal.keep_days = LOG_DAYS;
	d = append(LETTERS_NOW_MS + 3 * month_ms);
	policy_days(KL_POL_LOG_RETENTION, 3000);
	run_at(log_end_ms(LETTERS_NOW_MS + 3 * month_ms));
	ck_assert_uint_eq(leaf_bytes(a), 36);
	ck_assert_int_eq(logged(b), KL_OK);
	ck_assert_uint_eq(leaf_bytes(d), 36);
	run_at(log_end_ms(LETTERS_NOW_MS + 2 * month_ms) +
	    (3000 - LOG_DAYS) * KL_DAY_MS);
	ck_assert_uint_eq(leaf_bytes(b), 36);
}
END_TEST

/* What a start says of the clock, years ahead or not: no jump is seen. */
static void
start_at(int64_t now_ms, bool unsynced)
{
	const struct kl_hold_clock at = { .now_ms = now_ms, .boot_ms = 1000,
		.unsynced = unsynced };

	(void)retain_clock(&r, &at);
	run_at(now_ms);
}

START_TEST(months_by_a_clock_that_nobody_stands_behind_are_held)
{
	const int64_t later_ms = LETTERS_NOW_MS + 31 * KL_DAY_MS;
	const int64_t ahead_ms = log_end_ms(later_ms);
	uint64_t a, b;

	p.journal.keep_days = LOG_DAYS;
	a = append(LETTERS_NOW_MS);
	b = append(later_ms);
	start_at(ahead_ms, true);
	ck_assert_int_eq(r.hold.why, KL_HOLD_SWEEP);
	ck_assert_uint_ge(r.due, 2);
	ck_assert_int_eq(logged(a), KL_OK);
	ck_assert_int_eq(logged(b), KL_OK);
	retain_release(&r);
	run_at(ahead_ms);
	ck_assert_int_eq(logged(a), KL_E_NOT_FOUND);
	ck_assert_int_eq(logged(b), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(one_month_ends_in_its_turn_without_a_time_server)
{
	const int64_t later_ms = LETTERS_NOW_MS + 31 * KL_DAY_MS;
	uint64_t a, b;

	p.journal.keep_days = LOG_DAYS;
	a = append(LETTERS_NOW_MS);
	b = append(later_ms);
	start_at(log_end_ms(LETTERS_NOW_MS), true);
	ck_assert_int_eq(r.hold.why, KL_HOLD_NONE);
	ck_assert_int_eq(logged(a), KL_E_NOT_FOUND);
	ck_assert_int_eq(logged(b), KL_OK);
}
END_TEST

START_TEST(months_by_a_synchronised_clock_all_end)
{
	const int64_t later_ms = LETTERS_NOW_MS + 31 * KL_DAY_MS;
	uint64_t a, b;

	p.journal.keep_days = LOG_DAYS;
	a = append(LETTERS_NOW_MS);
	b = append(later_ms);
	start_at(log_end_ms(later_ms), false);
	ck_assert_int_eq(logged(a), KL_E_NOT_FOUND);
	ck_assert_int_eq(logged(b), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(months_end_after_their_last_day)
{
	const int32_t days[] = { kl_day_make(2026, 11, 24),
		kl_day_make(2026, 12, 31), kl_day_make(2028, 2, 29) };
	const int32_t ends[] = { kl_day_make(2026, 12, 1),
		kl_day_make(2027, 1, 1), kl_day_make(2028, 3, 1) };

	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(month_end(month_of(kl_day_start_ms(
		    days[i]))), ends[i]);
}
END_TEST

/* ---- the directory ---- */

START_TEST(prekey_lasts_sixty_days_after_its_week)
{
	struct kl_prekey k = party_prekey(&desk, 0);
	struct letter_bytes b;
	uint64_t number;

	LETTERS_SIGN(KL_PREKEY, &k, desk.sk, &b);
	ck_assert_int_eq(parts_put(&p, KL_PREKEY, &b, &desk, &number),
	    KL_C_OK);
	k = party_prekey(&desk, 1);
	LETTERS_SIGN(KL_PREKEY, &k, desk.sk, &b);
	ck_assert_int_eq(parts_put(&p, KL_PREKEY, &b, &desk, &number),
	    KL_C_OK);
	k = party_prekey(&desk, 0);
	ck_assert_int_eq(registry_prune(&p.registry, p.turn.txn,
	    k.not_after_ms + 60 * KL_DAY_MS, ALL), KL_OK);
	ck_assert_uint_eq(to->n_prekeys, 2);
	ck_assert_int_eq(registry_prune(&p.registry, p.turn.txn,
	    k.not_after_ms + 60 * KL_DAY_MS + 1, ALL), KL_OK);
	ck_assert_uint_eq(to->n_prekeys, 1);
}
END_TEST

static TCase *
messages_case(void)
{
	TCase *tc = tcase_create("messages and conversations");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, ciphertext_lasts_until_the_receipt);
	tcase_add_test(tc,
	    uncollected_ciphertext_lasts_until_its_term_and_its_sender_is_told);
	tcase_add_test(tc, message_lasts_seven_days_after_its_term);
	tcase_add_test(tc,
	    unconfirmed_message_lasts_as_long_as_a_late_receipt_counts);
	tcase_add_test(tc, conversation_lasts_its_term_after_the_end);
	tcase_add_test(tc,
	    conversation_never_lasts_longer_than_24_months_after_sending);
	tcase_add_test(tc,
	    conversation_that_ends_late_is_not_kept_for_its_whole_term);
	tcase_add_test(tc, uncertain_conversation_counts_as_ended_from_then);
	tcase_add_test(tc, level_0_counts_as_ended_28_days_after_its_delivery);
	tcase_add_test(tc,
	    conversation_counts_as_ended_when_its_feedback_stops);
	tcase_add_test(tc,
	    conversation_counts_as_ended_when_its_consent_is_past);
	tcase_add_test(tc, parent_stays_for_its_children_until_its_limit);
	tcase_add_test(tc, what_waits_ends_with_its_conversation);
	tcase_add_test(tc, message_whose_conversation_is_gone_ends_at_its_term);
	tcase_add_test(tc, signed_referral_lasts_as_long_as_its_conversation);
	tcase_add_test(tc, marker_lasts_until_the_consent_is_past);
	tcase_add_test(tc, nothing_marks_what_is_forgotten_after_its_consent);
	return tc;
}

static TCase *
policy_case(void)
{
	TCase *tc = tcase_create("policy, log, directory");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, stricter_policy_shortens_what_was_begun_before);
	tcase_add_test(tc,
	    looser_policy_lengthens_nothing_that_was_begun_before);
	tcase_add_test(tc,
	    policy_is_carried_out_step_by_step_and_over_a_start);
	tcase_add_test(tc, undone_step_is_taken_again);
	tcase_add_test(tc, log_records_last_five_years_and_their_tree_stays);
	tcase_add_test(tc, log_is_cut_step_by_step_and_over_a_start);
	tcase_add_test(tc, month_keeps_the_term_that_it_got);
	tcase_add_test(tc, month_is_shortened_by_a_stricter_policy);
	tcase_add_test(tc,
	    month_between_with_a_longer_term_keeps_its_records);
	tcase_add_test(tc,
	    months_by_a_clock_that_nobody_stands_behind_are_held);
	tcase_add_test(tc,
	    one_month_ends_in_its_turn_without_a_time_server);
	tcase_add_test(tc, months_by_a_synchronised_clock_all_end);
	tcase_add_test(tc, months_end_after_their_last_day);
	tcase_add_test(tc, prekey_lasts_sixty_days_after_its_week);
	return tc;
}

int
main(void)
{
	Suite *s = suite_create("retention");
	SRunner *sr;
	int failed;

	suite_add_tcase(s, messages_case());
	suite_add_tcase(s, policy_case());
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
