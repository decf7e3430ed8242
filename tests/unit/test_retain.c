#include "broker/core/retain.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>

#include "broker/core/tables.h"
#include "broker/core/timer.h"
#include "tests/support/parts.h"

#define AFTER_END_MS (90 * KL_DAY_MS)	/* metadata_after_end */
#define ALL 1000u		/* steps: more than any test has */

static struct parts p;
static struct party practice, desk;
static struct participant *from, *to;
static struct letter referral;
static struct conversation c;
static struct message m;
static struct retain r;
static struct kl_hold_clock hold_clock;

static void
accept_letter(const struct letter *l, struct message *out)
{
	struct journal_leaf leaf;

	ck_assert_int_eq(mailbox_accept(&p.turn, &c, &l->e,
	    kl_bytes(l->envelope.b, l->envelope.n),
	    kl_bytes(l->ct, l->ct_n), &l->body_hash, from, to, out, &leaf),
	    KL_OK);
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
	letter_referral(&referral, &practice, &desk);
	ck_assert_int_eq(conversation_make(&p.turn, &referral.e,
	    &referral.body_hash, &c), KL_OK);
	ck_assert_int_eq(conversation_put_new(&p.turn, &c), KL_OK);
	ck_assert_int_eq(retain_begin(&p.turn, &p.registry, &c, 0), KL_OK);
	accept_letter(&referral, &m);
	memset(&r, 0, sizeof r);
	hold_clock = (struct kl_hold_clock){ .now_ms = 0 };
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
	bool more;

	p.turn.now_ms = now_ms;
	ck_assert_int_eq(retain_run(&r, &p.turn, &p.registry, ALL, &more),
	    KL_OK);
	ck_assert(!more);
}

static void
reload(void)
{
	ck_assert_int_eq(conversation_get(&p.turn, &c.tag, &c), KL_OK);
	ck_assert_int_eq(message_get(&p.turn, &m.tag, &c, &m), KL_OK);
}

static size_t
count_items(const struct participant *who, uint32_t sort)
{
	struct mailbox_row row = { .item = 0 };
	size_t n = 0;

	while (mailbox_next(&p.turn, who->number, row.item, &row) == KL_OK)
		n += row.sort == sort;
	return n;
}

static enum kl_code
check(void)
{
	return retain_check(&p.turn, &p.registry, &c, &m);
}

/* ---- the clock ---- */

/* The wall clock says this; it runs on from before unless it jumped. */
static bool
clock_at(int64_t now_ms, int64_t boot_ms)
{
	hold_clock.now_ms = p.turn.now_ms = now_ms;
	hold_clock.boot_ms = boot_ms;
	return retain_clock(&r, &hold_clock);
}

static struct retain
loaded(void)
{
	struct retain again;

	ck_assert_int_eq(retain_load(&again, p.turn.txn), KL_OK);
	return again;
}

static void
save(void)
{
	ck_assert_int_eq(retain_save(&r, &p.turn), KL_OK);
	retain_committed(&r);
}

static struct kl_record
newest_leaf(void)
{
	struct kl_logged logged;
	struct kl_record rec;
	struct kl_bytes packed;

	ck_assert_int_eq(journal_logged(&p.journal, p.turn.txn,
	    p.journal.range.size - 1, p.turn.mem, &packed), KL_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOGGED, packed, p.turn.mem,
	    &logged), KL_C_OK);
	ck_assert_int_eq(KL_STATEMENT_READ(KL_S_RECORD, logged.record,
	    p.turn.mem, &rec), KL_C_OK);
	return rec;
}

static struct kl_record
hold_leaf(void)
{
	const struct kl_record rec = newest_leaf();

	ck_assert_uint_eq(rec.event, KL_EV_HOLD);
	return rec;
}

START_TEST(clock_is_stored_from_minute_to_minute)
{
	ck_assert(!clock_at(LETTERS_NOW_MS, 500));
	save();
	ck_assert_int_eq(loaded().hold.high_water_ms, LETTERS_NOW_MS);
	ck_assert(!clock_at(LETTERS_NOW_MS + 30000, 30500));
	save();
	ck_assert_int_eq(loaded().hold.high_water_ms, LETTERS_NOW_MS);
	ck_assert(!clock_at(LETTERS_NOW_MS + 60000, 60500));
	save();
	ck_assert_int_eq(loaded().hold.high_water_ms, LETTERS_NOW_MS + 60000);
}
END_TEST

START_TEST(clock_that_went_back_ends_nothing)
{
	r.hold.high_water_ms = m.expire_ms + KL_HOUR_MS;
	ck_assert(clock_at(m.expire_ms + 1, 1));
	run_at(m.expire_ms + 1);
	reload();
	ck_assert_uint_eq(m.state, KL_MSG_ACCEPTED);
	ck_assert(!clock_at(r.hold.high_water_ms, 1 + KL_HOUR_MS));
	run_at(r.hold.high_water_ms);
	reload();
	ck_assert_uint_eq(m.state, KL_MSG_EXPIRED);
}
END_TEST

START_TEST(clock_that_jumps_holds_until_it_is_confirmed)
{
	ck_assert(!clock_at(LETTERS_NOW_MS, 1000));
	/* It drifts a little. */
	ck_assert(!clock_at(LETTERS_NOW_MS + KL_MINUTE_MS, 2000));
	ck_assert(clock_at(m.expire_ms + 1, 3000));
	run_at(m.expire_ms + 1);
	save();
	ck_assert_uint_eq(hold_leaf().reason, KL_C_OWN_CLOCK);
	reload();
	ck_assert_uint_eq(m.state, KL_MSG_ACCEPTED);
	/* Also over a start. */
	r = loaded();
	ck_assert(clock_at(m.expire_ms + 2, 10));
	retain_release(&r);
	ck_assert(!clock_at(m.expire_ms + 3, 11));
	run_at(m.expire_ms + 3);
	save();
	ck_assert_uint_eq(hold_leaf().reason, KL_C_OK);
	reload();
	ck_assert_uint_eq(m.state, KL_MSG_EXPIRED);
	ck_assert_int_eq(loaded().hold.why, KL_HOLD_NONE);
}
END_TEST

START_TEST(hold_has_one_leaf_and_its_end_another)
{
	uint64_t size;

	ck_assert(!clock_at(LETTERS_NOW_MS, 1000));
	save();
	size = p.journal.range.size;
	ck_assert(clock_at(m.expire_ms, 2000));
	save();
	ck_assert(clock_at(m.expire_ms + 1000, 3000));
	save();
	ck_assert_uint_eq(p.journal.range.size, size + 1);
	retain_release(&r);
	save();
	ck_assert(!clock_at(m.expire_ms + 2000, 4000));
	save();
	ck_assert_uint_eq(p.journal.range.size, size + 2);
}
END_TEST

/* As many messages that wait besides. */
static void
more_messages(int n)
{
	struct letter l;
	struct message other;

	for (int i = 0; i < n; i++) {
		letter_referral(&l, &practice, &desk);
		accept_letter(&l, &other);
		kl_arena_reset(p.turn.mem);
	}
}

START_TEST(sweep_of_all_by_a_clock_that_nobody_stands_behind_is_held)
{
	more_messages(KL_HOLD_SWEEP_MIN);
	hold_clock.unsynced = true;
	ck_assert(!clock_at(m.expire_ms, 1000));
	run_at(m.expire_ms);
	reload();
	ck_assert_uint_eq(m.state, KL_MSG_ACCEPTED);
	ck_assert_int_eq(r.hold.why, KL_HOLD_SWEEP);
	save();
	ck_assert_uint_eq(hold_leaf().count, KL_HOLD_SWEEP_MIN + 1);
	/* Once confirmed it is done, all of it, and over a start as well. */
	retain_release(&r);
	save();
	r = loaded();
	hold_clock.unsynced = true;
	ck_assert(!clock_at(m.expire_ms + 1, 10));
	run_at(m.expire_ms + 1);
	reload();
	ck_assert_uint_eq(m.state, KL_MSG_EXPIRED);
}
END_TEST

START_TEST(sweep_by_a_synchronised_clock_is_done)
{
	more_messages(KL_HOLD_SWEEP_MIN);
	hold_clock.unsynced = false;
	ck_assert(!clock_at(m.expire_ms, 1000));
	run_at(m.expire_ms);
	reload();
	ck_assert_uint_eq(m.state, KL_MSG_EXPIRED);
}
END_TEST

START_TEST(only_message_of_a_small_store_is_swept)
{
	hold_clock.unsynced = true;
	ck_assert(!clock_at(m.expire_ms, 1000));
	run_at(m.expire_ms);
	reload();
	ck_assert_uint_eq(m.state, KL_MSG_EXPIRED);
}
END_TEST

START_TEST(damaged_hold_is_told)
{
	uint8_t row[9] = { KL_HOLD_SWEEP + 1 };

	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_META, kl_bytes_str("hold"),
	    KL_BYTES_OF(row)), KL_OK);
	ck_assert_int_eq(retain_load(&r, p.turn.txn), KL_E_DAMAGED);
	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_META, kl_bytes_str("hold"),
	    kl_bytes(row, 8)), KL_OK);
	ck_assert_int_eq(retain_load(&r, p.turn.txn), KL_E_DAMAGED);
}
END_TEST

START_TEST(damaged_clock_is_told)
{
	ck_assert_int_eq(retain_load(&r, p.turn.txn), KL_OK);
	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_META,
	    kl_bytes_str("clock"), kl_bytes_str("short")), KL_OK);
	ck_assert_int_eq(retain_load(&r, p.turn.txn), KL_E_DAMAGED);
}
END_TEST

/* ---- may it be released? ---- */

static void
put(uint32_t statement, const void *in, size_t size)
{
	struct letter_bytes b;
	uint64_t number;

	letters_sign(statement, (enum kl_label)statement, in, size,
	    p.authority, &b);
	ck_assert_int_eq(parts_put(&p, statement, &b, NULL, &number),
	    KL_C_OK);
}

static void
revoke(const struct party *who, uint32_t reason)
{
	const struct kl_revocation v = party_revocation(who, reason);

	put(KL_REVOCATION, &v, sizeof v);
}

START_TEST(release_needs_time_card_and_consent)
{
	ck_assert_int_eq(check(), KL_C_OK);
	p.turn.now_ms = m.expire_ms;
	ck_assert_int_eq(check(), KL_C_EXPIRED);
	p.turn.now_ms = LETTERS_NOW_MS;
	c.valid_until = (uint32_t)kl_day_of(LETTERS_NOW_MS) - 1;
	ck_assert_int_eq(check(), KL_C_CONSENT_DATE);
	c.state = KL_CONV_WITHDRAWN;
	ck_assert_int_eq(check(), KL_C_CONVERSATION_ENDED);
	m.receiver = 99;
	ck_assert_int_eq(check(), KL_C_CARD_REVOKED);
}
END_TEST

START_TEST(revoked_receiver_gets_nothing)
{
	revoke(&desk, KL_REVOKE_LEFT);
	ck_assert_int_eq(check(), KL_C_CARD_REVOKED);
}
END_TEST

START_TEST(compromised_sender_releases_nothing_new)
{
	revoke(&practice, KL_REVOKE_COMPROMISE);
	ck_assert_int_eq(check(), KL_C_CARD_REVOKED);
	m.state = KL_MSG_RELEASED;
	ck_assert_int_eq(check(), KL_C_OK);
}
END_TEST

START_TEST(sender_that_left_is_still_delivered)
{
	revoke(&practice, KL_REVOKE_LEFT);
	ck_assert_int_eq(check(), KL_C_OK);
}
END_TEST

START_TEST(prekey_of_a_revoked_key_is_dead)
{
	const struct kl_prekey k = party_prekey(&desk, 0);
	struct party renewed = desk;
	struct kl_card card;
	struct letter_bytes b;
	uint64_t number;

	LETTERS_SIGN(KL_PREKEY, &k, desk.sk, &b);
	ck_assert_int_eq(parts_put(&p, KL_PREKEY, &b, &desk, &number),
	    KL_C_OK);
	renewed.serial[0] ^= 1;
	renewed.sign_pk.b[0] ^= 1;
	renewed.transport_pk.b[0] ^= 1;
	card = party_card(&renewed);
	put(KL_CARD, &card, sizeof card);
	ck_assert_int_eq(check(), KL_C_OK);
	revoke(&desk, KL_REVOKE_REPLACED);
	ck_assert_int_eq(check(), KL_C_PREKEY);
}
END_TEST

START_TEST(after_a_loss_it_waits_for_its_practice)
{
	p.registry.must_report = true;
	ck_assert_int_eq(check(), KL_C_NOT_REPORTED_IN);
	to->reported_in = true;
	ck_assert_int_eq(check(), KL_C_NOT_REPORTED_IN);
	from->reported_in = true;
	ck_assert_int_eq(check(), KL_C_OK);
	ck_assert(retain_counts(&p.turn, &p.registry, &c));
}
END_TEST

/* ---- ends ---- */

START_TEST(message_that_never_left_expires_with_its_conversation)
{
	struct letter l;
	struct message behind;

	letter_correction(&l, &referral, &practice, &desk);
	accept_letter(&l, &behind);
	run_at(m.expire_ms);
	reload();
	ck_assert_uint_eq(m.state, KL_MSG_EXPIRED);
	ck_assert_uint_eq(c.state, KL_CONV_EXPIRED);
	ck_assert_int_eq(c.ended_ms, p.turn.now_ms);
	ck_assert_uint_eq(from->open_conversations, 0);
	ck_assert_int_eq(message_get(&p.turn, &behind.tag, &c, &behind),
	    KL_OK);
	ck_assert(behind.state != KL_MSG_ACCEPTED);
	/* Both are told, and each gap stands in its message's place. */
	ck_assert_uint_eq(count_items(to, KL_SORT_ENVELOPE), 0);
	ck_assert_uint_ge(count_items(to, KL_NOTICE + 1), 2);
	ck_assert_uint_ge(count_items(from, KL_NOTICE + 1), 2);
}
END_TEST

START_TEST(message_that_left_becomes_unconfirmed_without_a_gap)
{
	ck_assert_int_eq(mailbox_move(&p.turn, &c, &m, KL_MSG_RELEASED,
	    KL_C_OK, NULL, 0, NULL), KL_OK);
	ck_assert_int_eq(retain_end(&p.turn, &p.registry, &c, &m,
	    KL_C_EXPIRED), KL_OK);
	ck_assert_uint_eq(m.state, KL_MSG_UNCONFIRMED);
	ck_assert_uint_eq(count_items(to, KL_NOTICE + 1), 0);
	ck_assert_uint_eq(count_items(from, KL_NOTICE + 1), 1);
}
END_TEST

START_TEST(delivered_conversation_outlives_its_messages)
{
	c.delivered = true;
	ck_assert_int_eq(conversation_put(&p.turn, &c), KL_OK);
	run_at(m.expire_ms);
	reload();
	ck_assert_uint_eq(m.state, KL_MSG_EXPIRED);
	ck_assert_uint_eq(c.state, KL_CONV_OPEN);
	ck_assert_int_eq(retain_refused(&p.turn, &p.registry, &c, &m),
	    KL_OK);
	ck_assert_uint_eq(c.state, KL_CONV_OPEN);
}
END_TEST

/* As after a loss: its body was shown, and is all that is here. */
static void
show(struct conversation *shown, const struct letter *l, int64_t unsent_ms)
{
	ck_assert_int_eq(conversation_make(&p.turn, &l->e, &l->body_hash,
	    shown), KL_OK);
	ck_assert_int_eq(conversation_put_new(&p.turn, shown), KL_OK);
	ck_assert_int_eq(retain_begin(&p.turn, &p.registry, shown, unsent_ms),
	    KL_OK);
}

START_TEST(referral_that_never_came_expires_with_its_leaf)
{
	const int64_t end_ms = m.expire_ms - 1;
	struct conversation shown;
	struct kl_record rec;
	struct letter l;

	letter_referral(&l, &practice, &desk);
	show(&shown, &l, end_ms);
	run_at(end_ms - 1);
	ck_assert_uint_eq(from->open_conversations, 2);
	run_at(end_ms);
	ck_assert_int_eq(conversation_get(&p.turn, &shown.tag, &shown),
	    KL_OK);
	ck_assert_uint_eq(shown.state, KL_CONV_EXPIRED);
	ck_assert_uint_eq(from->open_conversations, 1);
	rec = newest_leaf();
	ck_assert_uint_eq(rec.event, KL_EV_EXPIRED);
	ck_assert_uint_eq(rec.kind, KL_REFERRAL);
	ck_assert_uint_eq(rec.reason, KL_C_EXPIRED);
	ck_assert_mem_eq(rec.conv_ref.b, shown.ref.b, sizeof shown.ref.b);
	ck_assert_mem_eq(rec.body_hash.b, l.body_hash.b,
	    sizeof l.body_hash.b);
	ck_assert(kl_id_equal(&rec.org_from, &practice.id));
	ck_assert(kl_id_equal(&rec.org_to, &desk.id));
	ck_assert(kl_bytes_zero(KL_BYTES_OF(rec.msg_ref)));
	ck_assert_uint_eq(rec.new_state, 0);
}
END_TEST

/* One sealed again has a later term, and its conversation ends with that. */
START_TEST(referral_that_came_ends_by_its_own_term)
{
	const uint64_t leaves = p.journal.range.size;
	const int64_t soon_ms = p.turn.now_ms + 1;

	ck_assert_int_eq(timer_put(&p.turn, soon_ms, TIMER_UNSENT, &c.tag),
	    KL_OK);
	run_at(soon_ms);
	reload();
	ck_assert_uint_eq(c.state, KL_CONV_OPEN);
	ck_assert_uint_eq(p.journal.range.size, leaves);
}
END_TEST

START_TEST(late_receipt_opens_what_had_expired)
{
	struct kl_bytes body;

	run_at(m.expire_ms);
	reload();
	ck_assert_int_eq(retain_delivered(&p.turn, &p.registry, &c,
	    kl_bytes(referral.envelope.b, referral.envelope.n)), KL_OK);
	ck_assert_uint_eq(from->open_conversations, 1);
	reload();
	ck_assert(c.delivered);
	ck_assert_uint_eq(c.state, KL_CONV_OPEN);
	ck_assert_int_eq(conversation_body(&p.turn, &c, &body), KL_OK);
	ck_assert_uint_eq(body.n, referral.envelope.n);
	ck_assert_int_eq(retain_delivered(&p.turn, &p.registry, &c,
	    KL_BYTES_NONE), KL_OK);
	reload();
	ck_assert_int_eq(conversation_body(&p.turn, &c, &body), KL_OK);
	ck_assert_uint_eq(body.n, referral.envelope.n);
}
END_TEST

START_TEST(counts_stay_right_without_a_sender)
{
	struct conversation stranger = c;

	ck_assert_int_eq(kl_id_read("agb:09999999", &stranger.sender),
	    KL_OK);
	retain_reopen(&p.registry, &stranger);
	ck_assert_int_eq(retain_close(&p.turn, &p.registry, &stranger),
	    KL_OK);
	ck_assert_uint_eq(from->open_conversations, 1);
	ck_assert_int_eq(retain_close(&p.turn, &p.registry, &c), KL_OK);
	ck_assert_int_eq(retain_close(&p.turn, &p.registry, &c), KL_OK);
	ck_assert_uint_eq(from->open_conversations, 0);
}
END_TEST

/* ---- conversations ---- */

static int64_t
consent_end(void)
{
	return kl_day_start_ms((int32_t)c.valid_until + 1);
}

static void
deliver(void)
{
	c.delivered = true;
	ck_assert_int_eq(conversation_put(&p.turn, &c), KL_OK);
	ck_assert_int_eq(mailbox_move(&p.turn, &c, &m, KL_MSG_DELIVERED,
	    KL_C_OK, NULL, 0, NULL), KL_OK);
}

START_TEST(both_are_told_when_the_consent_ends)
{
	deliver();
	run_at(consent_end() - 1);
	ck_assert_uint_eq(count_items(from, KL_NOTICE + 1), 0);
	run_at(consent_end());
	ck_assert_uint_eq(count_items(from, KL_NOTICE + 1), 1);
	ck_assert_uint_eq(count_items(to, KL_NOTICE + 1), 1);
	/* And it is forgotten when its late term has passed too. */
	run_at(consent_end() + AFTER_END_MS);
	ck_assert_int_eq(conversation_get(&p.turn, &c.tag, &c),
	    KL_E_NOT_FOUND);
	ck_assert_uint_eq(from->open_conversations, 0);
	ck_assert(p.box.ended);
}
END_TEST

static void
end_conversation(int64_t now_ms)
{
	p.turn.now_ms = now_ms;
	c.state = KL_CONV_ENDED;
	c.ended_ms = now_ms;
	ck_assert_int_eq(conversation_put(&p.turn, &c), KL_OK);
	ck_assert_int_eq(retain_close(&p.turn, &p.registry, &c), KL_OK);
}

START_TEST(ended_conversation_leaves_a_marker_until_its_consent_ends)
{
	const struct kl_conv_id id = c.id;

	deliver();
	end_conversation(LETTERS_NOW_MS);
	run_at(LETTERS_NOW_MS + AFTER_END_MS - 1);
	ck_assert_int_eq(retain_marker(&p.turn, &c.id), KL_E_NOT_FOUND);
	run_at(LETTERS_NOW_MS + AFTER_END_MS);
	ck_assert_int_eq(conversation_by_id(&p.turn, &id, &c),
	    KL_E_NOT_FOUND);
	ck_assert_int_eq(retain_marker(&p.turn, &id), KL_OK);
	run_at(kl_day_start_ms((int32_t)referral.e.consent.valid_until + 1));
	ck_assert_int_eq(retain_marker(&p.turn, &id), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(reopened_conversation_is_not_forgotten)
{
	deliver();
	end_conversation(LETTERS_NOW_MS);
	c.state = KL_CONV_OPEN;
	c.ended_ms = 0;
	ck_assert_int_eq(conversation_put(&p.turn, &c), KL_OK);
	run_at(LETTERS_NOW_MS + AFTER_END_MS);
	ck_assert_int_eq(conversation_get(&p.turn, &c.tag, &c), KL_OK);
	end_conversation(p.turn.now_ms + KL_DAY_MS);
	run_at(p.turn.now_ms + AFTER_END_MS - 1);
	ck_assert_int_eq(conversation_get(&p.turn, &c.tag, &c), KL_OK);
}
END_TEST

START_TEST(timers_of_what_is_gone_do_nothing)
{
	const struct kl_tag gone = { { 7 } };
	const uint32_t sorts[] = { TIMER_EXPIRE, TIMER_FORGET, TIMER_CONSENT,
		TIMER_CONVERSATION, TIMER_UNSENT, TIMER_SHOWN, TIMER_MARKER };

	for (size_t i = 0; i < sizeof sorts / sizeof sorts[0]; i++)
		ck_assert_int_eq(timer_put(&p.turn, LETTERS_NOW_MS,
		    sorts[i], &gone), KL_OK);
	run_at(LETTERS_NOW_MS);
}
END_TEST

START_TEST(shown_receipt_is_kept_for_its_term)
{
	const struct kl_tag tag = { { 7 } };
	struct kl_bytes v;

	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_SHOWN, KL_BYTES_OF(tag),
	    kl_bytes_str("sealed")), KL_OK);
	ck_assert_int_eq(timer_put(&p.turn, LETTERS_NOW_MS + 5,
	    TIMER_SHOWN, &tag), KL_OK);
	run_at(LETTERS_NOW_MS + 4);
	ck_assert_int_eq(kl_kv_get(p.turn.txn, T_SHOWN, KL_BYTES_OF(tag),
	    &v), KL_OK);
	run_at(LETTERS_NOW_MS + 5);
	ck_assert_int_eq(kl_kv_get(p.turn.txn, T_SHOWN, KL_BYTES_OF(tag),
	    &v), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(unknown_timer_is_damage)
{
	const struct kl_tag tag = { { 7 } };
	bool more;

	ck_assert_int_eq(timer_put(&p.turn, LETTERS_NOW_MS, 99,
	    &tag), KL_OK);
	ck_assert_int_eq(retain_run(&r, &p.turn, &p.registry, ALL, &more),
	    KL_E_DAMAGED);
}
END_TEST

/* ---- in steps ---- */

START_TEST(timers_are_done_step_by_step)
{
	bool more = true;
	int steps = 0;

	for (uint8_t i = 0; i < 10; i++) {
		const struct kl_tag tag = { { i } };

		ck_assert_int_eq(timer_put(&p.turn, LETTERS_NOW_MS,
		    TIMER_MARKER, &tag), KL_OK);
	}
	for (; more; steps++)
		ck_assert_int_eq(retain_run(&r, &p.turn, &p.registry, 3,
		    &more), KL_OK);
	ck_assert_int_eq(steps, 4);
}
END_TEST

START_TEST(revocation_sweeps_all_mail_step_by_step)
{
	struct letter l;
	struct message last;
	bool more = true;
	int steps = 0;

	for (int i = 0; i < 70; i++) {
		letter_correction(&l, &referral, &practice, &desk);
		accept_letter(&l, &last);
	}
	revoke(&desk, KL_REVOKE_LEFT);
	retain_sweep(&r);
	ck_assert_int_eq(retain_save(&r, &p.turn), KL_OK);
	retain_committed(&r);
	for (; more; steps++)
		ck_assert_int_eq(retain_run(&r, &p.turn, &p.registry, ALL,
		    &more), KL_OK);
	ck_assert_int_ge(steps, 2);
	ck_assert_int_eq(message_get(&p.turn, &last.tag, &c, &last), KL_OK);
	ck_assert_uint_eq(last.state, KL_MSG_DEAD);
	ck_assert_uint_eq(count_items(to, KL_SORT_ENVELOPE), 0);
}
END_TEST

START_TEST(sweep_begins_anew_after_a_restart)
{
	struct retain again;

	retain_sweep(&r);
	ck_assert_int_eq(retain_save(&r, &p.turn), KL_OK);
	retain_committed(&r);
	ck_assert_int_eq(retain_load(&again, p.turn.txn), KL_OK);
	ck_assert(again.sweeping);
	ck_assert_uint_eq(again.sweep_number, 1);
	run_at(LETTERS_NOW_MS);
	ck_assert(!r.sweeping);
	ck_assert_int_eq(retain_save(&r, &p.turn), KL_OK);
	ck_assert_int_eq(retain_load(&again, p.turn.txn), KL_OK);
	ck_assert(!again.sweeping);
}
END_TEST

START_TEST(sweep_passes_statements_and_what_is_forgotten)
{
	struct mailbox_row row;

	ck_assert_int_eq(mailbox_put_statement(&p.turn, &c, to->number,
	    KL_RECEIPT, kl_bytes_str("receipt")), KL_OK);
	ck_assert_int_eq(conversation_drop(&p.turn, &c), KL_OK);
	retain_sweep(&r);
	run_at(LETTERS_NOW_MS);
	ck_assert(!r.sweeping);
	ck_assert_int_eq(mailbox_next(&p.turn, to->number, 0, &row), KL_OK);
}
END_TEST

static TCase *
clock_case(void)
{
	TCase *tc = tcase_create("clock and release");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, clock_is_stored_from_minute_to_minute);
	tcase_add_test(tc, clock_that_went_back_ends_nothing);
	tcase_add_test(tc, clock_that_jumps_holds_until_it_is_confirmed);
	tcase_add_test(tc, hold_has_one_leaf_and_its_end_another);
	tcase_add_test(tc,
	    sweep_of_all_by_a_clock_that_nobody_stands_behind_is_held);
	tcase_add_test(tc, sweep_by_a_synchronised_clock_is_done);
	tcase_add_test(tc, only_message_of_a_small_store_is_swept);
	tcase_add_test(tc, damaged_hold_is_told);
	tcase_add_test(tc, damaged_clock_is_told);
	tcase_add_test(tc, release_needs_time_card_and_consent);
	tcase_add_test(tc, revoked_receiver_gets_nothing);
	tcase_add_test(tc, compromised_sender_releases_nothing_new);
	tcase_add_test(tc, sender_that_left_is_still_delivered);
	tcase_add_test(tc, prekey_of_a_revoked_key_is_dead);
	tcase_add_test(tc, after_a_loss_it_waits_for_its_practice);
	return tc;
}

static TCase *
ends_case(void)
{
	TCase *tc = tcase_create("ends");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
	    message_that_never_left_expires_with_its_conversation);
	tcase_add_test(tc,
	    message_that_left_becomes_unconfirmed_without_a_gap);
	tcase_add_test(tc, delivered_conversation_outlives_its_messages);
	tcase_add_test(tc, late_receipt_opens_what_had_expired);
	tcase_add_test(tc, referral_that_never_came_expires_with_its_leaf);
	tcase_add_test(tc, referral_that_came_ends_by_its_own_term);
	tcase_add_test(tc, counts_stay_right_without_a_sender);
	tcase_add_test(tc, both_are_told_when_the_consent_ends);
	tcase_add_test(tc,
	    ended_conversation_leaves_a_marker_until_its_consent_ends);
	tcase_add_test(tc, reopened_conversation_is_not_forgotten);
	tcase_add_test(tc, timers_of_what_is_gone_do_nothing);
	tcase_add_test(tc, shown_receipt_is_kept_for_its_term);
	tcase_add_test(tc, unknown_timer_is_damage);
	tcase_add_test(tc, timers_are_done_step_by_step);
	tcase_add_test(tc, revocation_sweeps_all_mail_step_by_step);
	tcase_add_test(tc, sweep_begins_anew_after_a_restart);
	tcase_add_test(tc, sweep_passes_statements_and_what_is_forgotten);
	return tc;
}

int
main(void)
{
	Suite *s = suite_create("retain");
	SRunner *sr;
	int failed;

	suite_add_tcase(s, clock_case());
	suite_add_tcase(s, ends_case());
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
