/* What SUBMIT is answered, code by code, by a core in this process. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static uint64_t
leaves(void)
{
	return s.core->journal.committed.size;
}

/* A refusal leaves no trace but, later, its own leaf. */
static void
refused(const struct party *who, const struct letter *letter,
    enum kl_code code)
{
	uint64_t before;

	/* What the turn before left to erase has its leaves first. */
	shell_turn(&s);
	before = leaves();
	ck_assert_int_eq(shell_submit(&s, who, letter), code);
	ck_assert_uint_eq(leaves(), before);
}

/* ---- taken ------------------------------------------------------------ */

START_TEST(a_referral_is_accepted_with_one_leaf)
{
	struct kl_submit_reply r;
	struct shell_answer a;
	const uint64_t before = leaves();
	struct kl_record rec;
	struct kl_logged g;

	ck_assert_int_eq(shell_submit_answer(&s, &s.practice, &l, &a),
	    KL_C_OK);
	ck_assert_uint_eq(leaves(), before + 1);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_SUBMIT_REPLY, a.m.body, s.mem,
	    &r), KL_C_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOGGED, r.logged, s.mem, &g),
	    KL_C_OK);
	ck_assert_uint_eq(g.leaf, before);
	ck_assert_int_eq(KL_STATEMENT_READ(KL_S_RECORD, g.record, s.mem,
	    &rec), KL_C_OK);
	ck_assert_uint_eq(rec.event, KL_EV_ACCEPTED);
	ck_assert(kl_id_equal(&rec.org_from, &s.practice.id));
	ck_assert(kl_id_equal(&rec.org_to, &s.desk.id));
	ck_assert_mem_eq(rec.body_hash.b, l.body_hash.b, 32);
}
END_TEST

START_TEST(the_same_message_again_has_the_same_answer)
{
	struct shell_answer a;
	uint8_t first[1024];
	size_t n;
	uint64_t after;

	ck_assert_int_eq(shell_submit_answer(&s, &s.practice, &l, &a),
	    KL_C_OK);
	n = a.m.body.n;
	memcpy(first, a.m.body.p, n);
	after = leaves();
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(shell_submit_answer(&s, &s.practice, &l, &a),
		    KL_C_OK);
		ck_assert_uint_eq(a.m.body.n, n);
		ck_assert_mem_eq(a.m.body.p, first, n);
		ck_assert_uint_eq(leaves(), after);
		shell_restart(&s, LETTERS_NOW_MS);
		shell_begin(&s, &s.practice);
		after = leaves();
	}
	/* Also when it is long delivered. */
	shell_begin(&s, &s.desk);
	(void)shell_fetch(&s, &s.desk, 0);
	ck_assert_int_eq(shell_receipt(&s, &s.desk, &l, KL_OPENED, KL_C_OK),
	    KL_C_OK);
	ck_assert_int_eq(shell_submit_answer(&s, &s.practice, &l, &a),
	    KL_C_OK);
	ck_assert_mem_eq(a.m.body.p, first, n);
}
END_TEST

START_TEST(the_same_id_with_another_body_is_a_conflict_and_logged)
{
	const struct kl_msg_id id = l.e.header.msg_id;
	const uint64_t before = leaves();

	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	letter_referral(&m, &s.practice, &s.desk);
	m.e.header.msg_id = id;
	letter_seal(&m, &s.practice);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &m), KL_C_CONFLICT);
	ck_assert_uint_eq(s.core->refusals.n, 1);
	ck_assert_uint_eq(leaves(), before + 1);
	/* The minute is over: one leaf. */
	s.core->refusals.r[0].minute -= 1;
	shell_turn(&s);
	ck_assert_uint_eq(leaves(), before + 2);
	ck_assert_uint_eq(s.core->refusals.n, 0);
}
END_TEST

/* ---- bytes ------------------------------------------------------------ */

static enum kl_code
submit_raw(struct kl_bytes body, struct kl_bytes ct)
{
	struct shell_answer a;

	shell_send_from(&s, &s.practice, 0, KL_SUBMIT, body, ct);
	shell_answer(&s, &a);
	return (enum kl_code)a.m.code;
}

START_TEST(garbage_is_malformed)
{
	uint8_t junk[600];

	for (size_t n = 0; n <= sizeof junk; n += 60) {
		kl_random(junk, sizeof junk);
		junk[0] = 0xff;
		ck_assert_int_eq(submit_raw(kl_bytes(junk, n),
		    kl_bytes(l.ct, l.ct_n)), KL_C_MALFORMED);
	}
}
END_TEST

START_TEST(a_request_without_its_ciphertext_is_refused)
{
	const struct kl_submit q = { .envelope = kl_bytes(l.envelope.b,
		l.envelope.n) };
	uint8_t buf[KL_FRAME_MAX];
	size_t n;

	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_SUBMIT, &q, buf, sizeof buf,
	    &n), KL_OK);
	ck_assert_int_eq(submit_raw(kl_bytes(buf, n), KL_BYTES_NONE),
	    KL_C_FRAME_COUNT);
}
END_TEST

START_TEST(a_truncated_envelope_is_malformed)
{
	const size_t whole = l.envelope.n;

	for (size_t n = whole - 1; n > whole - 80; n -= 13) {
		l.envelope.n = n;
		refused(&s.practice, &l, KL_C_MALFORMED);
	}
}
END_TEST

START_TEST(an_envelope_that_is_not_canonical_is_malformed)
{
	/* The same field twice: the last one counts to protobuf, not here. */
	memcpy(l.envelope.b + l.envelope.n, l.envelope.b, 3);
	l.envelope.b[l.envelope.n + 1] = 0;
	l.envelope.n += 2;
	refused(&s.practice, &l, KL_C_MALFORMED);
}
END_TEST

START_TEST(an_unknown_field_is_refused)
{
	/* Field 15, varint 1. */
	l.envelope.b[l.envelope.n++] = 15 << 3;
	l.envelope.b[l.envelope.n++] = 1;
	refused(&s.practice, &l, KL_C_MALFORMED);
}
END_TEST

START_TEST(another_ciphertext_is_malformed)
{
	l.ct[7] ^= 1;
	refused(&s.practice, &l, KL_C_MALFORMED);
	l.ct[7] ^= 1;
	l.ct_n--;
	refused(&s.practice, &l, KL_C_MALFORMED);
}
END_TEST

/* ---- keys ------------------------------------------------------------- */

START_TEST(the_sender_must_own_the_connection)
{
	refused(&s.desk, &l, KL_C_NOT_YOUR_KEY);
}
END_TEST

START_TEST(a_wrong_signature_is_refused)
{
	l.envelope.b[l.envelope.n - 1] ^= 1;
	refused(&s.practice, &l, KL_C_SIGNATURE);
}
END_TEST

START_TEST(a_key_that_stands_on_no_card_is_refused)
{
	struct party other = party_make(KL_PRACTICE, "agb:01234567");

	letter_seal(&l, &other);
	l.e.header.sender_key_id = kl_key_id_of(other.sign_pk.b);
	letter_seal(&l, &other);
	refused(&s.practice, &l, KL_C_CARD_UNKNOWN);
	party_clear(&other);
}
END_TEST

/* The transport key stands on a card that counts, the signing key does not:
 * after a rotation what was sealed before is sealed again. */
START_TEST(a_key_whose_card_was_revoked_signs_nothing_new)
{
	struct party next = party_make(KL_PRACTICE, "agb:01234567");
	struct kl_card c = party_card(&next);

	c.transport_pk = s.practice.transport_pk;
	ck_assert_int_eq(shell_card(&s, &c), KL_C_OK);
	ck_assert_int_eq(shell_revoke(&s, &s.practice, KL_REVOKE_REPLACED),
	    KL_C_OK);
	refused(&s.practice, &l, KL_C_CARD_REVOKED);
	party_clear(&next);
}
END_TEST

START_TEST(an_unknown_receiver_is_refused)
{
	struct party other = party_make(KL_MUNICIPALITY,
	    "oin:00000001234567890009");

	letter_referral(&l, &s.practice, &other);
	refused(&s.practice, &l, KL_C_RECEIVER_UNKNOWN);
	party_clear(&other);
}
END_TEST

START_TEST(a_receiver_that_was_succeeded_is_named)
{
	struct party heir = party_make(KL_MUNICIPALITY,
	    "oin:00000001234567890002");
	struct kl_card c = party_card(&heir);
	struct shell_answer a;

	c.succeeds = s.desk.id;
	c.succeeds_from_ms = LETTERS_NOW_MS - KL_DAY_MS;
	ck_assert_int_eq(shell_card(&s, &c), KL_C_OK);
	ck_assert_int_eq(shell_submit_answer(&s, &s.practice, &l, &a),
	    KL_C_RECEIVER_SUCCEEDED);
	ck_assert_uint_eq(a.m.detail.n, KL_ID_BYTES);
	ck_assert_mem_eq(a.m.detail.p, heir.id.b, KL_ID_BYTES);
	party_clear(&heir);
}
END_TEST

START_TEST(the_role_must_fit_the_kind)
{
	struct party other = party_make(KL_PRACTICE, "agb:07654321");

	shell_enrol(&s, &other);
	shell_begin(&s, &other);
	letter_referral(&l, &s.practice, &other);
	refused(&s.practice, &l, KL_C_ROLE);
	letter_referral(&l, &s.desk, &s.practice);
	refused(&s.desk, &l, KL_C_ROLE);
	/* A practice refers under nobody's consent. */
	letter_referral(&l, &s.practice, &s.desk);
	kl_random(l.e.consent.under.b, sizeof l.e.consent.under.b);
	letter_seal(&l, &s.practice);
	refused(&s.practice, &l, KL_C_ROLE);
	party_clear(&other);
}
END_TEST

START_TEST(a_prekey_that_is_not_offered_is_refused)
{
	kl_random(l.e.header.prekey_id.b, sizeof l.e.header.prekey_id.b);
	letter_seal(&l, &s.practice);
	refused(&s.practice, &l, KL_C_PREKEY);
}
END_TEST

START_TEST(a_prekey_of_another_week_is_refused)
{
	l.e.header.created_ms -= KL_WEEK_MS;
	letter_seal(&l, &s.practice);
	refused(&s.practice, &l, KL_C_PREKEY);
}
END_TEST

/* ---- times ------------------------------------------------------------ */

START_TEST(a_clock_ahead_is_told_to_come_again)
{
	struct shell_answer a;

	l.e.header.created_ms = LETTERS_NOW_MS + 15 * KL_MINUTE_MS;
	letter_seal(&l, &s.practice);
	ck_assert_int_eq(shell_submit_answer(&s, &s.practice, &l, &a),
	    KL_C_CLOCK_AHEAD);
	ck_assert_uint_gt(a.m.retry_after_ms, 4 * KL_MINUTE_MS);
	ck_assert_uint_le(a.m.retry_after_ms, 5 * KL_MINUTE_MS);
}
END_TEST

START_TEST(times_that_do_not_fit_are_refused)
{
	const struct kl_header good = l.e.header;
	struct kl_header *h = &l.e.header;

	for (int i = 0; i < 4; i++) {
		*h = good;
		if (i == 0)
			h->deliver_by_ms = h->created_ms;
		else if (i == 1)
			h->deliver_by_ms = h->expire_at_ms + 1;
		else if (i == 2)
			h->expire_at_ms = h->created_ms + 61 * KL_DAY_MS;
		else
			h->answer_by_ms = h->created_ms;
		letter_seal(&l, &s.practice);
		refused(&s.practice, &l, KL_C_TIMES);
	}
}
END_TEST

START_TEST(what_has_expired_is_refused)
{
	struct kl_header *h = &l.e.header;

	h->created_ms -= KL_HOUR_MS;
	h->deliver_by_ms = h->expire_at_ms = LETTERS_NOW_MS - 1;
	h->answer_by_ms = 0;
	letter_seal(&l, &s.practice);
	refused(&s.practice, &l, KL_C_EXPIRED);
}
END_TEST

/* ---- consent ---------------------------------------------------------- */

START_TEST(a_referral_without_consent_is_refused)
{
	l.e.consent_bytes = KL_BYTES_NONE;
	letter_sign(&l, &s.practice);
	refused(&s.practice, &l, KL_C_NO_CONSENT);
}
END_TEST

/* The receiver is signed with the consent: another one may open nothing with
 * it, also where the first never got it. */
START_TEST(a_consent_counts_for_its_receiver_only)
{
	struct party other = party_make(KL_MUNICIPALITY,
	    "oin:00000001234567890009");

	shell_enrol(&s, &other);
	shell_begin(&s, &other);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	(void)shell_fetch(&s, &s.desk, 0);
	ck_assert_int_eq(shell_receipt(&s, &s.desk, &l, KL_UNDECRYPTABLE,
	    KL_C_PREKEY), KL_C_OK);
	letter_referral(&m, &s.practice, &other);
	m.e.header.conv_id = l.e.header.conv_id;
	m.e.header.replaces = l.e.header.msg_id;
	m.e.header.seq = 2;
	m.e.consent = l.e.consent;
	letter_seal(&m, &s.practice);
	refused(&s.practice, &m, KL_C_CONFLICT);
	/* The same to whom the resident agreed to. */
	letter_referral(&m, &s.practice, &s.desk);
	m.e.header.conv_id = l.e.header.conv_id;
	m.e.header.replaces = l.e.header.msg_id;
	m.e.header.seq = 2;
	m.e.consent = l.e.consent;
	letter_seal(&m, &s.practice);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &m), KL_C_OK);
	party_clear(&other);
}
END_TEST

START_TEST(a_consent_out_of_date_is_refused)
{
	const struct kl_consent good = l.e.consent;
	struct kl_consent *c = &l.e.consent;

	for (int i = 0; i < 4; i++) {
		*c = good;
		if (i == 0)
			c->given_on -= 31;
		else if (i == 1)
			c->given_on += 2;
		else if (i == 2)
			c->valid_until = c->given_on - 1;
		else
			c->valid_until = c->given_on + 732;
		letter_seal(&l, &s.practice);
		refused(&s.practice, &l, KL_C_CONSENT_DATE);
	}
}
END_TEST

START_TEST(a_consent_opens_one_conversation_only)
{
	const struct kl_conv_id conv = l.e.header.conv_id;

	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	letter_referral(&m, &s.practice, &s.desk);
	m.e.header.conv_id = conv;
	letter_seal(&m, &s.practice);
	refused(&s.practice, &m, KL_C_CONFLICT);
}
END_TEST

START_TEST(an_onward_referral_needs_a_parent_that_allows_it)
{
	shell_enrol(&s, &s.partner);
	shell_begin(&s, &s.partner);
	letter_referral(&m, &s.desk, &s.partner);
	kl_random(m.e.consent.under.b, sizeof m.e.consent.under.b);
	letter_seal(&m, &s.desk);
	refused(&s.desk, &m, KL_C_CONSENT_PARENT);

	/* A parent that names somebody else. */
	shell_deliver(&s, &s.practice, &s.desk, &l);
	m.e.consent.under = l.body_hash;
	letter_seal(&m, &s.desk);
	refused(&s.desk, &m, KL_C_CONSENT_RECEIVER);

	/* One that names this partner, but for a shorter time. */
	letter_referral(&l, &s.practice, &s.desk);
	l.e.consent.onward_to[0] = s.partner.id;
	l.e.consent.n_onward_to = 1;
	l.e.consent.valid_until -= 100;
	letter_seal(&l, &s.practice);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	m.e.consent.under = l.body_hash;
	letter_seal(&m, &s.desk);
	refused(&s.desk, &m, KL_C_CONSENT_PARENT);
	m.e.consent.valid_until -= 100;
	letter_seal(&m, &s.desk);
	/* Not delivered yet. */
	refused(&s.desk, &m, KL_C_CONSENT_PARENT);
	(void)shell_fetch(&s, &s.desk, 0);
	ck_assert_int_eq(shell_receipt(&s, &s.desk, &l, KL_OPENED, KL_C_OK),
	    KL_C_OK);
	ck_assert_int_eq(shell_submit(&s, &s.desk, &m), KL_C_OK);
}
END_TEST

START_TEST(an_onward_referral_that_was_agreed_at_the_desk_is_taken)
{
	shell_enrol(&s, &s.partner);
	shell_begin(&s, &s.partner);
	letter_referral(&m, &s.desk, &s.partner);
	ck_assert_int_eq(shell_submit(&s, &s.desk, &m), KL_C_OK);
}
END_TEST

/* ---- in a conversation ------------------------------------------------ */

START_TEST(an_unknown_conversation_has_ended)
{
	letter_feedback(&m, &l, &s.desk, &s.practice, KL_MS_TAKEN_UP);
	refused(&s.desk, &m, KL_C_CONVERSATION_ENDED);
	letter_correction(&m, &l, &s.practice, &s.desk);
	refused(&s.practice, &m, KL_C_CONVERSATION_ENDED);
}
END_TEST

START_TEST(feedback_cannot_precede_the_receipt)
{
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	letter_feedback(&m, &l, &s.desk, &s.practice, KL_MS_TAKEN_UP);
	refused(&s.desk, &m, KL_C_BEFORE_RECEIPT);
}
END_TEST

START_TEST(nobody_else_speaks_in_a_conversation)
{
	struct party other = party_make(KL_MUNICIPALITY,
	    "oin:00000001234567890002");

	shell_enrol(&s, &other);
	shell_begin(&s, &other);
	shell_deliver(&s, &s.practice, &s.desk, &l);
	letter_feedback(&m, &l, &other, &s.practice, KL_MS_TAKEN_UP);
	refused(&other, &m, KL_C_NOT_A_PARTY);
	letter_feedback(&m, &l, &s.desk, &other, KL_MS_TAKEN_UP);
	refused(&s.desk, &m, KL_C_NOT_A_PARTY);
	party_clear(&other);
}
END_TEST

START_TEST(seq_gap_and_repeat_name_the_last_one)
{
	struct shell_answer a;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	letter_correction(&m, &l, &s.practice, &s.desk);
	m.e.header.seq = 3;
	letter_seal(&m, &s.practice);
	ck_assert_int_eq(shell_submit_answer(&s, &s.practice, &m, &a),
	    KL_C_SEQ);
	ck_assert_uint_eq(a.m.detail.n, 8);
	ck_assert_uint_eq(kl_be64(a.m.detail.p), 1);
	m.e.header.seq = 1;
	letter_seal(&m, &s.practice);
	refused(&s.practice, &m, KL_C_SEQ);
	m.e.header.seq = 2;
	letter_seal(&m, &s.practice);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &m), KL_C_OK);
	/* A referral begins at 1. */
	letter_referral(&m, &s.practice, &s.desk);
	m.e.header.seq = 2;
	letter_seal(&m, &s.practice);
	refused(&s.practice, &m, KL_C_SEQ);
}
END_TEST

START_TEST(an_answer_names_the_referral)
{
	shell_deliver(&s, &s.practice, &s.desk, &l);
	letter_feedback(&m, &l, &s.desk, &s.practice, KL_MS_TAKEN_UP);
	m.e.header.answers.b[0] ^= 1;
	letter_seal(&m, &s.desk);
	refused(&s.desk, &m, KL_C_ANSWERS);
}
END_TEST

START_TEST(feedback_needs_its_consent)
{
	l.e.consent.feedback_level = l.e.header.feedback_level = KL_LEVEL_0;
	l.e.header.answer_by_ms = 0;
	letter_seal(&l, &s.practice);
	shell_deliver(&s, &s.practice, &s.desk, &l);
	letter_feedback(&m, &l, &s.desk, &s.practice, KL_MS_TAKEN_UP);
	m.e.header.feedback_level = KL_LEVEL_0;
	letter_seal(&m, &s.desk);
	refused(&s.desk, &m, KL_C_NO_FEEDBACK_CONSENT);
	m.e.header.feedback_level = KL_LEVEL_2;
	letter_seal(&m, &s.desk);
	refused(&s.desk, &m, KL_C_NO_FEEDBACK_CONSENT);
	/* That it came back is told all the same. */
	m.e.header.feedback_level = KL_LEVEL_0;
	m.e.header.milestone = KL_MS_RETURNED;
	letter_seal(&m, &s.desk);
	ck_assert_int_eq(shell_submit(&s, &s.desk, &m), KL_C_OK);
}
END_TEST

START_TEST(feedback_above_its_level_is_refused)
{
	shell_deliver(&s, &s.practice, &s.desk, &l);
	letter_feedback(&m, &l, &s.desk, &s.practice, KL_MS_TAKEN_UP);
	m.e.header.feedback_level = KL_LEVEL_3;
	letter_seal(&m, &s.desk);
	refused(&s.desk, &m, KL_C_LEVEL);
}
END_TEST

START_TEST(a_milestone_never_falls)
{
	shell_deliver(&s, &s.practice, &s.desk, &l);
	letter_feedback(&m, &l, &s.desk, &s.practice, KL_MS_IN_PROGRESS);
	ck_assert_int_eq(shell_submit(&s, &s.desk, &m), KL_C_OK);
	letter_feedback(&m, &l, &s.desk, &s.practice, KL_MS_TAKEN_UP);
	m.e.header.seq = 2;
	letter_seal(&m, &s.desk);
	refused(&s.desk, &m, KL_C_MILESTONE);
}
END_TEST

START_TEST(after_its_end_nothing_follows_but_one_reopening)
{
	shell_deliver(&s, &s.practice, &s.desk, &l);
	letter_feedback(&m, &l, &s.desk, &s.practice, KL_MS_ENDED);
	ck_assert_int_eq(shell_submit(&s, &s.desk, &m), KL_C_OK);
	letter_feedback(&m, &l, &s.desk, &s.practice, KL_MS_ENDED);
	m.e.header.seq = 2;
	letter_seal(&m, &s.desk);
	refused(&s.desk, &m, KL_C_CONVERSATION_ENDED);
	letter_correction(&m, &l, &s.practice, &s.desk);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &m), KL_C_OK);
	letter_feedback(&m, &l, &s.desk, &s.practice, KL_MS_ENDED);
	m.e.header.seq = 2;
	letter_seal(&m, &s.desk);
	ck_assert_int_eq(shell_submit(&s, &s.desk, &m), KL_C_OK);
	letter_correction(&m, &l, &s.practice, &s.desk);
	m.e.header.seq = 3;
	letter_seal(&m, &s.practice);
	refused(&s.practice, &m, KL_C_CONVERSATION_ENDED);
}
END_TEST

START_TEST(only_what_ended_may_be_replaced)
{
	const struct letter first = l;

	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	(void)shell_fetch(&s, &s.desk, 0);
	letter_referral(&m, &s.practice, &s.desk);
	m.e.header.conv_id = first.e.header.conv_id;
	m.e.header.replaces = first.e.header.msg_id;
	m.e.header.seq = 2;
	m.e.consent = first.e.consent;
	letter_seal(&m, &s.practice);
	refused(&s.practice, &m, KL_C_REPLACES);
	ck_assert_int_eq(shell_receipt(&s, &s.desk, &first, KL_UNDECRYPTABLE,
	    KL_C_PREKEY), KL_C_OK);
	/* The consent is the same, to the byte. */
	m.e.consent.valid_until--;
	letter_seal(&m, &s.practice);
	refused(&s.practice, &m, KL_C_CONFLICT);
	m.e.consent = first.e.consent;
	letter_seal(&m, &s.practice);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &m), KL_C_OK);
	shell_begin(&s, &s.desk);
	(void)shell_fetch(&s, &s.desk, 0);
	ck_assert_int_eq(shell_receipt(&s, &s.desk, &m, KL_OPENED, KL_C_OK),
	    KL_C_OK);
	/* Feedback answers the one that was opened. */
	letter_feedback(&l, &m, &s.desk, &s.practice, KL_MS_TAKEN_UP);
	ck_assert_int_eq(shell_submit(&s, &s.desk, &l), KL_C_OK);
}
END_TEST

/* ---- room ------------------------------------------------------------- */

START_TEST(the_number_of_open_conversations_is_bounded)
{
	s.conf.open_conversations = 2;
	for (int i = 0; i < 2; i++) {
		letter_referral(&l, &s.practice, &s.desk);
		ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	}
	letter_referral(&m, &s.practice, &s.desk);
	refused(&s.practice, &m, KL_C_QUOTA_CONVERSATIONS);
	/* It is durable, and an end makes room. */
	shell_restart(&s, LETTERS_NOW_MS);
	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
	refused(&s.practice, &m, KL_C_QUOTA_CONVERSATIONS);
	(void)shell_fetch(&s, &s.desk, 0);
	ck_assert_int_eq(shell_receipt(&s, &s.desk, &l, KL_REFUSED,
	    KL_C_STATE), KL_C_OK);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &m), KL_C_OK);
}
END_TEST

START_TEST(the_bytes_of_a_day_are_bounded)
{
	struct shell_answer a;

	s.conf.bytes_per_day_mb = 0;
	ck_assert_int_eq(shell_submit_answer(&s, &s.practice, &l, &a),
	    KL_C_QUOTA_BYTES);
	/* Until midnight, UTC. */
	ck_assert_uint_gt(a.m.retry_after_ms, 14 * KL_HOUR_MS);
	ck_assert_uint_le(a.m.retry_after_ms, 15 * KL_HOUR_MS);
}
END_TEST

START_TEST(a_full_store_takes_receipts_but_no_message)
{
	struct shell_answer a;

	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	(void)shell_fetch(&s, &s.desk, 0);
	s.core->full = true;
	s.core->full_asked_ms = kl_mono_ms() + KL_HOUR_MS;
	letter_referral(&m, &s.practice, &s.desk);
	ck_assert_int_eq(shell_submit_answer(&s, &s.practice, &m, &a),
	    KL_C_STORE_FULL);
	ck_assert_uint_gt(a.m.retry_after_ms, 0);
	ck_assert_int_eq(shell_receipt(&s, &s.desk, &l, KL_OPENED, KL_C_OK),
	    KL_C_OK);
}
END_TEST

/* What is really written until 85 % are used, and what goes on then. */
START_TEST(a_store_fills_up_to_its_limit_and_answers)
{
	enum kl_code code = KL_C_OK;
	struct shell_items i;
	int n = 0;

	s.conf.open_conversations = 100000;
	s.conf.map_mb = 1;
	shell_stop(&s);
	ck_assert_int_eq(unlink(shell_file(&s, "state/data.mdb").b), 0);
	ck_assert_int_eq(unlink(shell_file(&s, "state/log.mark").b), 0);
	ck_assert_int_eq(unlink(shell_file(&s, "state/slots").b), 0);
	ck_assert_int_eq(unlink(shell_file(&s, "state/master").b), 0);
	shell_new_store(&s, NULL);
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS), 0);
	(void)shell_edge(&s);
	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
	for (; n < 1000 && code == KL_C_OK; n++) {
		letter_referral(&l, &s.practice, &s.desk);
		s.core->full_asked_ms = 0;
		code = shell_submit(&s, &s.practice, &l);
	}
	ck_assert_int_eq(code, KL_C_STORE_FULL);
	ck_assert_int_gt(n, 10);
	i = shell_fetch(&s, &s.desk, 0);
	ck_assert_uint_eq(i.code, KL_C_OK);
	ck_assert_uint_eq(i.n_ct, KL_FETCH_ENVELOPES_MAX);
}
END_TEST

/* Each message takes a slot, and so does each conversation. */
START_TEST(slots_run_out_with_an_answer)
{
	enum kl_code code = KL_C_OK;
	int n = 0;

	s.conf.open_conversations = 100000;
	for (; n < 1000 && code == KL_C_OK; n++) {
		letter_referral(&l, &s.practice, &s.desk);
		code = shell_submit(&s, &s.practice, &l);
	}
	ck_assert_int_eq(code, KL_C_TRY_LATER);
	ck_assert_int_gt(n, 200);
	ck_assert_uint_eq(s.core->stats.undone, 0);
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
	Suite *suite = suite_create("core: submit");
	SRunner *r;
	TCase *t;
	int failed;

	if (kl_crypto_init() != KL_OK)
		return EXIT_FAILURE;
	t = tcase(suite, "taken");
	tcase_add_test(t, a_referral_is_accepted_with_one_leaf);
	tcase_add_test(t, the_same_message_again_has_the_same_answer);
	tcase_add_test(t,
	    the_same_id_with_another_body_is_a_conflict_and_logged);
	t = tcase(suite, "bytes");
	tcase_add_test(t, garbage_is_malformed);
	tcase_add_test(t, a_request_without_its_ciphertext_is_refused);
	tcase_add_test(t, a_truncated_envelope_is_malformed);
	tcase_add_test(t, an_envelope_that_is_not_canonical_is_malformed);
	tcase_add_test(t, an_unknown_field_is_refused);
	tcase_add_test(t, another_ciphertext_is_malformed);
	t = tcase(suite, "keys");
	tcase_add_test(t, the_sender_must_own_the_connection);
	tcase_add_test(t, a_wrong_signature_is_refused);
	tcase_add_test(t, a_key_that_stands_on_no_card_is_refused);
	tcase_add_test(t, a_key_whose_card_was_revoked_signs_nothing_new);
	tcase_add_test(t, an_unknown_receiver_is_refused);
	tcase_add_test(t, a_receiver_that_was_succeeded_is_named);
	tcase_add_test(t, the_role_must_fit_the_kind);
	tcase_add_test(t, a_prekey_that_is_not_offered_is_refused);
	tcase_add_test(t, a_prekey_of_another_week_is_refused);
	t = tcase(suite, "times");
	tcase_add_test(t, a_clock_ahead_is_told_to_come_again);
	tcase_add_test(t, times_that_do_not_fit_are_refused);
	tcase_add_test(t, what_has_expired_is_refused);
	t = tcase(suite, "consent");
	tcase_add_test(t, a_referral_without_consent_is_refused);
	tcase_add_test(t, a_consent_counts_for_its_receiver_only);
	tcase_add_test(t, a_consent_out_of_date_is_refused);
	tcase_add_test(t, a_consent_opens_one_conversation_only);
	tcase_add_test(t, an_onward_referral_needs_a_parent_that_allows_it);
	tcase_add_test(t,
	    an_onward_referral_that_was_agreed_at_the_desk_is_taken);
	t = tcase(suite, "conversation");
	tcase_add_test(t, an_unknown_conversation_has_ended);
	tcase_add_test(t, feedback_cannot_precede_the_receipt);
	tcase_add_test(t, nobody_else_speaks_in_a_conversation);
	tcase_add_test(t, seq_gap_and_repeat_name_the_last_one);
	tcase_add_test(t, an_answer_names_the_referral);
	tcase_add_test(t, feedback_needs_its_consent);
	tcase_add_test(t, feedback_above_its_level_is_refused);
	tcase_add_test(t, a_milestone_never_falls);
	tcase_add_test(t, after_its_end_nothing_follows_but_one_reopening);
	tcase_add_test(t, only_what_ended_may_be_replaced);
	t = tcase(suite, "room");
	tcase_add_test(t, the_number_of_open_conversations_is_bounded);
	tcase_add_test(t, the_bytes_of_a_day_are_bounded);
	tcase_add_test(t, a_full_store_takes_receipts_but_no_message);
	tcase_add_test(t, a_store_fills_up_to_its_limit_and_answers);
	tcase_add_test(t, slots_run_out_with_an_answer);
	r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
