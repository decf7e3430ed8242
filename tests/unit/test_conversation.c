#include "broker/core/conversation.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/domain/policy.h>

#include "broker/core/tables.h"
#include "tests/support/parts.h"

#define TODAY ((uint32_t)kl_day_of(LETTERS_NOW_MS))
#define REOPEN_MS (90 * KL_DAY_MS)

static struct parts p;
static struct party practice, desk, partner;
static struct letter referral;
static struct conversation c;

static void
make(struct letter *l, struct conversation *out)
{
	ck_assert_int_eq(conversation_make(&p.turn, &l->e, &l->body_hash,
	    out), KL_OK);
}

static void
setup(void)
{
	parts_open(&p);
	practice = party_make(KL_PRACTICE, "agb:01234567");
	desk = party_make(KL_MUNICIPALITY, "oin:00000001234567890001");
	partner = party_make(KL_PARTNER, "kvk:12345678");
	parts_begin(&p);
	letter_referral(&referral, &practice, &desk);
	make(&referral, &c);
}

static void
teardown(void)
{
	parts_close(&p);
	party_clear(&practice);
	party_clear(&desk);
	party_clear(&partner);
}

/* ---- rows ---- */

START_TEST(new_one_says_what_its_referral_says)
{
	ck_assert_mem_eq(c.id.b, referral.e.header.conv_id.b, 16);
	ck_assert(kl_id_equal(&c.sender, &practice.id));
	ck_assert(kl_id_equal(&c.receiver, &desk.id));
	ck_assert_mem_eq(c.referral.b, referral.body_hash.b, 32);
	ck_assert_uint_eq(c.level, KL_LEVEL_2);
	ck_assert_uint_eq(c.valid_until, TODAY + 365);
	ck_assert_uint_eq(c.seq_sender, 1);
	ck_assert_uint_eq(c.seq_receiver, 0);
	ck_assert_uint_eq(c.milestone, KL_MS_NONE);
	ck_assert_uint_eq(c.state, KL_CONV_OPEN);
	ck_assert(!c.delivered && !c.reopened);
}
END_TEST

static struct conversation
read_back(void)
{
	struct conversation got;

	ck_assert_int_eq(conversation_get(&p.turn, &c.tag, &got), KL_OK);
	return got;
}

START_TEST(row_keeps_every_field)
{
	struct conversation got;

	c.n_onward = 2;
	c.onward_to[0] = partner.id;
	c.onward_to[1] = desk.id;
	memset(c.under.b, 3, sizeof c.under.b);
	c.seq_receiver = 4;
	c.milestone = KL_MS_IN_PROGRESS;
	c.state = KL_CONV_ENDED;
	c.ended_ms = LETTERS_NOW_MS;
	for (unsigned int flags = 0; flags < 16; flags++) {
		c.base_sender = (flags & 1) != 0;
		c.base_receiver = (flags & 2) != 0;
		c.delivered = (flags & 4) != 0;
		c.reopened = (flags & 8) != 0;
		ck_assert_int_eq(conversation_put(&p.turn, &c), KL_OK);
		got = read_back();
		ck_assert_mem_eq(&got, &c, sizeof c);
	}
}
END_TEST

START_TEST(new_one_is_found_by_id_and_by_body)
{
	struct conversation got;

	ck_assert_int_eq(conversation_put_new(&p.turn, &c), KL_OK);
	ck_assert_int_eq(conversation_by_id(&p.turn, &c.id, &got), KL_OK);
	ck_assert_mem_eq(got.ref.b, c.ref.b, sizeof c.ref.b);
	ck_assert_int_eq(conversation_by_referral(&p.turn, &c.referral,
	    &got), KL_OK);
	ck_assert_mem_eq(got.spoken, c.spoken, sizeof c.spoken);
}
END_TEST

START_TEST(what_is_not_there_is_not_found)
{
	struct conversation got;

	ck_assert_int_eq(conversation_by_id(&p.turn, &c.id, &got),
	    KL_E_NOT_FOUND);
	ck_assert_int_eq(conversation_get(&p.turn, &c.tag, &got),
	    KL_E_NOT_FOUND);
	ck_assert_int_eq(conversation_by_referral(&p.turn, &c.referral,
	    &got), KL_E_NOT_FOUND);
	ck_assert_int_eq(conversation_next(&p.turn, &c.tag, true, &got),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(child_is_noted_under_its_parent)
{
	struct kl_kv_entry row;
	struct letter child;
	struct conversation of_child;
	struct kl_tag parent;

	letter_referral(&child, &desk, &partner);
	child.e.consent.under = referral.body_hash;
	letter_seal(&child, &desk);
	make(&child, &of_child);
	ck_assert_int_eq(conversation_put_new(&p.turn, &of_child), KL_OK);
	parent = vault_tag(&p.vault, T_PARENT,
	    KL_BYTES_OF(referral.body_hash));
	ck_assert_int_eq(kl_kv_seek(p.turn.txn, T_CHILD,
	    KL_BYTES_OF(parent), false, &row), KL_OK);
	ck_assert_uint_eq(row.key.n, 2 * sizeof parent.b);
	ck_assert_mem_eq(row.key.p, parent.b, sizeof parent.b);
	ck_assert_mem_eq(row.value.p, of_child.tag.b, sizeof parent.b);
}
END_TEST

START_TEST(walk_passes_every_one_once)
{
	struct conversation got;
	struct kl_tag last = { { 0 } };
	struct letter l;
	int n = 0;

	for (int i = 0; i < 20; i++) {
		letter_referral(&l, &practice, &desk);
		make(&l, &c);
		ck_assert_int_eq(conversation_put_new(&p.turn, &c), KL_OK);
	}
	while (conversation_next(&p.turn, &last, n == 0, &got) == KL_OK) {
		ck_assert(n == 0 || memcmp(got.tag.b, last.b, 16) > 0);
		last = got.tag;
		n++;
	}
	ck_assert_int_eq(n, 20);
}
END_TEST

START_TEST(damaged_rows_are_told)
{
	uint8_t bad_flags[8] = { 0 };
	struct conversation got;
	struct kl_bytes sealed;
	uint8_t row[64] = { 0 };

	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_CONV, KL_BYTES_OF(c.tag),
	    kl_bytes(row, 3)), KL_OK);
	ck_assert_int_eq(conversation_get(&p.turn, &c.tag, &got),
	    KL_E_DAMAGED);
	/* Sealed rightly, but cut short inside. */
	ck_assert_int_eq(vault_seal(&p.vault, c.slot, T_CONV,
	    KL_BYTES_OF(c.tag), kl_bytes(bad_flags, 8), p.mem, &sealed),
	    KL_OK);
	memset(row, 0, 4);
	row[3] = (uint8_t)c.slot;
	row[2] = (uint8_t)(c.slot >> 8);
	memcpy(row + 4, sealed.p, sealed.n);
	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_CONV, KL_BYTES_OF(c.tag),
	    kl_bytes(row, 4 + sealed.n)), KL_OK);
	ck_assert_int_eq(conversation_get(&p.turn, &c.tag, &got),
	    KL_E_DAMAGED);
	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_CONV, kl_bytes("x", 1),
	    kl_bytes(row, 4)), KL_OK);
	ck_assert_int_eq(conversation_next(&p.turn, &c.tag, false, &got),
	    memcmp("x", c.tag.b, 1) > 0 ? KL_E_DAMAGED : KL_E_NOT_FOUND);
}
END_TEST

START_TEST(more_onward_receivers_than_fit_are_damage)
{
	uint8_t plain[512] = { 0 };
	struct conversation got;
	struct kl_bytes sealed;
	uint8_t row[600];

	/* Behind ids, references, spoken, parties and three hashes. */
	plain[16 + 16 + 9 + 24 + 24 + 32 + 32 + 32] = KL_ONWARD_MAX + 1;
	ck_assert_int_eq(vault_seal(&p.vault, c.slot, T_CONV,
	    KL_BYTES_OF(c.tag), kl_bytes(plain, sizeof plain), p.mem,
	    &sealed), KL_OK);
	memset(row, 0, 4);
	row[3] = (uint8_t)c.slot;
	row[2] = (uint8_t)(c.slot >> 8);
	memcpy(row + 4, sealed.p, sealed.n);
	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_CONV, KL_BYTES_OF(c.tag),
	    kl_bytes(row, 4 + sealed.n)), KL_OK);
	ck_assert_int_eq(conversation_get(&p.turn, &c.tag, &got),
	    KL_E_DAMAGED);
}
END_TEST

START_TEST(body_stays_until_the_conversation_or_its_referral_goes)
{
	const struct kl_bytes body = kl_bytes(referral.envelope.b,
	    referral.envelope.n);
	struct kl_bytes got;

	ck_assert_int_eq(conversation_put_new(&p.turn, &c), KL_OK);
	ck_assert_int_eq(conversation_body(&p.turn, &c, &got),
	    KL_E_NOT_FOUND);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(conversation_put_body(&p.turn, &c, body),
		    KL_OK);
		ck_assert_int_eq(conversation_put(&p.turn, &c), KL_OK);
		ck_assert_int_eq(conversation_body(&p.turn, &c, &got), KL_OK);
		ck_assert(kl_bytes_equal(got, body));
		ck_assert_int_eq(i == 0 ? conversation_put_again(&p.turn, &c,
		    &c.referral) : conversation_drop(&p.turn, &c), KL_OK);
		ck_assert_int_eq(conversation_body(&p.turn, &c, &got),
		    KL_E_NOT_FOUND);
	}
}
END_TEST

START_TEST(body_above_its_limit_does_not_fit)
{
	static const uint8_t big[KL_ENVELOPE_MAX + 1];

	ck_assert_int_eq(conversation_put_body(&p.turn, &c,
	    KL_BYTES_OF(big)), KL_E_SIZE);
}
END_TEST

START_TEST(row_dies_with_its_slot)
{
	struct conversation got;

	ck_assert_int_eq(conversation_put_new(&p.turn, &c), KL_OK);
	ck_assert_int_eq(vault_zero(&p.vault, c.slot), KL_OK);
	ck_assert_int_eq(conversation_get(&p.turn, &c.tag, &got),
	    KL_E_NOT_FOUND);
	ck_assert_int_eq(conversation_put(&p.turn, &c), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(damaged_pointer_from_a_body_is_told)
{
	struct kl_tag key = vault_tag(&p.vault, T_PARENT,
	    KL_BYTES_OF(c.referral));
	struct conversation got;

	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_PARENT, KL_BYTES_OF(key),
	    kl_bytes("short", 5)), KL_OK);
	ck_assert_int_eq(conversation_by_referral(&p.turn, &c.referral,
	    &got), KL_E_DAMAGED);
}
END_TEST

START_TEST(nothing_is_made_when_no_slot_is_left)
{
	struct conversation got;
	uint32_t slot;

	while (vault_take(&p.vault, &slot) == KL_OK)
		;
	ck_assert_int_eq(conversation_make(&p.turn, &referral.e,
	    &referral.body_hash, &got), KL_E_FULL);
}
END_TEST

/* ---- who may send what to whom ---- */

/* All that is allowed; everything else is not. */
static const struct { uint32_t kind, from, to; bool under, plain; } may[] = {
	{ KL_REFERRAL, KL_PRACTICE, KL_MUNICIPALITY, false, true },
	{ KL_REFERRAL, KL_MUNICIPALITY, KL_MUNICIPALITY, true, true },
	{ KL_REFERRAL, KL_MUNICIPALITY, KL_PARTNER, true, true },
	{ KL_CORRECTION, KL_PRACTICE, KL_MUNICIPALITY, false, true },
	{ KL_CORRECTION, KL_MUNICIPALITY, KL_MUNICIPALITY, true, true },
	{ KL_CORRECTION, KL_MUNICIPALITY, KL_PARTNER, true, true },
	{ KL_FEEDBACK, KL_MUNICIPALITY, KL_PRACTICE, true, true },
	{ KL_FEEDBACK, KL_MUNICIPALITY, KL_MUNICIPALITY, true, true },
	{ KL_FEEDBACK, KL_PARTNER, KL_MUNICIPALITY, true, true },
};

static bool
expected(uint32_t kind, uint32_t from, uint32_t to, bool under)
{
	for (size_t i = 0; i < sizeof may / sizeof may[0]; i++)
		if (may[i].kind == kind && may[i].from == from &&
		    may[i].to == to)
			return under ? may[i].under : may[i].plain;
	return false;
}

START_TEST(only_the_matrix_is_allowed)
{
	for (uint32_t kind = 0; kind <= KL_FEEDBACK + 1; kind++)
		for (uint32_t from = 0; from <= KL_BROKER + 1; from++)
			for (uint32_t to = 0; to <= KL_BROKER + 1; to++)
				for (int under = 0; under < 2; under++)
					ck_assert_msg(conversation_role_may(
					    kind, from, to, under != 0) ==
					    expected(kind, from, to,
					    under != 0),
					    "kind %u from %u to %u under %d",
					    kind, from, to, under);
}
END_TEST

/* ---- consent ---- */

static enum kl_code
consent(int given, int until, int now)
{
	struct kl_consent k = {
		.form = KL_ORAL,
		.given_on = TODAY + (uint32_t)given,
		.valid_until = TODAY + (uint32_t)until,
	};

	return conversation_check_consent(&k, &p.policy,
	    LETTERS_NOW_MS + now * KL_DAY_MS);
}

START_TEST(consent_counts_within_a_stricter_policy)
{
	p.policy.term[KL_POL_CONSENT_MAX_AGE_AT_SEND] =
	    (struct kl_term){ 7, KL_UNIT_D };
	p.policy.term[KL_POL_FEEDBACK_VALIDITY] =
	    (struct kl_term){ 12, KL_UNIT_MO };
	ck_assert_int_eq(consent(0, 366, 7), KL_C_OK);
	ck_assert_int_eq(consent(0, 366, 8), KL_C_CONSENT_DATE);
	ck_assert_int_eq(consent(0, 367, 0), KL_C_CONSENT_DATE);
	p.policy.term[KL_POL_CONSENT_FORMS].n = 1u << KL_WRITTEN;
	ck_assert_int_eq(consent(0, 366, 0), KL_C_NO_CONSENT);
}
END_TEST

START_TEST(consent_counts_within_its_dates)
{
	const struct { int given, until, now; enum kl_code code; } row[] = {
		{ 0, 365, 0, KL_C_OK },
		{ 0, 365, 30, KL_C_OK },
		{ 0, 365, 31, KL_C_CONSENT_DATE },	/* too old */
		{ 0, 20, 20, KL_C_OK },
		{ 0, 20, 21, KL_C_CONSENT_DATE },	/* ended */
		{ 1, 20, 0, KL_C_OK },			/* already tomorrow */
		{ 2, 20, 0, KL_C_CONSENT_DATE },	/* not given yet */
		{ 0, 731, 0, KL_C_OK },
		{ 0, 732, 0, KL_C_CONSENT_DATE },	/* for too long */
		{ 1, 0, 0, KL_C_CONSENT_DATE },		/* ends first */
	};

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		ck_assert_msg(consent(row[i].given, row[i].until,
		    row[i].now) == row[i].code, "row %zu", i);
}
END_TEST

START_TEST(consent_with_extreme_dates_is_refused)
{
	struct kl_consent k = { .form = KL_ORAL, .given_on = 2932896,
		.valid_until = 1 };

	ck_assert_int_eq(conversation_check_consent(&k, &p.policy,
	    LETTERS_NOW_MS), KL_C_CONSENT_DATE);
	k = (struct kl_consent){ .form = KL_ORAL, .given_on = 1,
		.valid_until = 2932896 };
	ck_assert_int_eq(conversation_check_consent(&k, &p.policy,
	    LETTERS_NOW_MS), KL_C_CONSENT_DATE);
}
END_TEST

static struct letter onward;

static enum kl_code
parent_code(void)
{
	return conversation_check_parent(&c, &onward.e, LETTERS_NOW_MS);
}

START_TEST(onward_referral_needs_a_parent_that_allows_it)
{
	struct conversation whole;

	letter_referral(&onward, &desk, &partner);
	onward.e.consent.under = referral.body_hash;
	onward.e.consent.valid_until = c.valid_until;
	c.delivered = true;
	c.n_onward = 1;
	c.onward_to[0] = partner.id;
	ck_assert_int_eq(parent_code(), KL_C_OK);
	whole = c;
	onward.e.consent.valid_until++;
	ck_assert_int_eq(parent_code(), KL_C_CONSENT_PARENT);
	onward.e.consent.valid_until--;
	for (uint32_t s = KL_CONV_ENDED; s <= KL_CONV_EXPIRED; s++) {
		c.state = s;
		ck_assert_int_eq(parent_code(), KL_C_CONSENT_PARENT);
	}
	c = whole;
	c.delivered = false;
	ck_assert_int_eq(parent_code(), KL_C_CONSENT_PARENT);
	c = whole;
	c.receiver = partner.id;
	ck_assert_int_eq(parent_code(), KL_C_CONSENT_PARENT);
	c = whole;
	c.valid_until = onward.e.consent.valid_until = TODAY - 1;
	ck_assert_int_eq(parent_code(), KL_C_CONSENT_PARENT);
	c = whole;
	onward.e.consent.valid_until = c.valid_until;
	c.onward_to[0] = desk.id;
	ck_assert_int_eq(parent_code(), KL_C_CONSENT_RECEIVER);
	c.n_onward = 0;
	ck_assert_int_eq(parent_code(), KL_C_CONSENT_RECEIVER);
}
END_TEST

/* ---- messages in it: PROTOCOL.md 8.8 ---- */

static struct letter letter;

static enum kl_code
check(bool as_receiver, int64_t now_ms)
{
	uint64_t last;

	return conversation_check_message(&c, &letter.e, as_receiver, now_ms,
	    &last);
}

static enum kl_code
feedback(uint32_t level, uint32_t milestone)
{
	letter_feedback(&letter, &referral, &desk, &practice,
	    (enum kl_milestone)milestone);
	letter.e.header.feedback_level = level;
	letter.e.header.seq = c.seq_receiver + 1;
	return check(true, LETTERS_NOW_MS);
}

/* Checks and takes it into account. */
static enum kl_code
send_feedback(uint32_t milestone)
{
	enum kl_code code = feedback(c.level, milestone);
	bool opened, closed;

	if (code == KL_C_OK)
		conversation_take_message(&c, &letter.e, true,
		    LETTERS_NOW_MS, &opened, &closed);
	return code;
}

static enum kl_code
correction(int64_t now_ms)
{
	letter_correction(&letter, &referral, &practice, &desk);
	letter.e.header.seq = c.seq_sender + 1;
	return check(false, now_ms);
}

START_TEST(feedback_stays_within_the_consented_level)
{
	/* [consented level][milestone]; the codes of PROTOCOL.md 8.8. */
	const enum kl_code want[5][6] = {
		[KL_LEVEL_0] = {
			[KL_MS_NONE] = KL_C_MILESTONE,
			[KL_MS_TAKEN_UP] = KL_C_NO_FEEDBACK_CONSENT,
			[KL_MS_IN_PROGRESS] = KL_C_NO_FEEDBACK_CONSENT,
			[KL_MS_ENDED] = KL_C_NO_FEEDBACK_CONSENT,
			[KL_MS_RETURNED] = KL_C_OK },
		[KL_LEVEL_1] = {
			[KL_MS_NONE] = KL_C_MILESTONE,
			[KL_MS_TAKEN_UP] = KL_C_OK,
			[KL_MS_IN_PROGRESS] = KL_C_LEVEL,
			[KL_MS_ENDED] = KL_C_OK,
			[KL_MS_RETURNED] = KL_C_OK },
		[KL_LEVEL_2] = {
			[KL_MS_NONE] = KL_C_MILESTONE,
			[KL_MS_TAKEN_UP] = KL_C_OK,
			[KL_MS_IN_PROGRESS] = KL_C_OK,
			[KL_MS_ENDED] = KL_C_OK,
			[KL_MS_RETURNED] = KL_C_OK },
		[KL_LEVEL_3] = {
			[KL_MS_NONE] = KL_C_MILESTONE,
			[KL_MS_TAKEN_UP] = KL_C_OK,
			[KL_MS_IN_PROGRESS] = KL_C_OK,
			[KL_MS_ENDED] = KL_C_OK,
			[KL_MS_RETURNED] = KL_C_OK },
	};

	c.delivered = true;
	for (c.level = KL_LEVEL_0; c.level <= KL_LEVEL_3; c.level++)
		for (uint32_t m = KL_MS_NONE; m <= KL_MS_RETURNED; m++)
			ck_assert_msg(feedback(c.level, m) ==
			    want[c.level][m], "level %u, milestone %u",
			    c.level, m);
}
END_TEST

START_TEST(feedback_above_the_level_is_refused)
{
	c.delivered = true;
	for (c.level = KL_LEVEL_0; c.level <= KL_LEVEL_3; c.level++)
		for (uint32_t l = c.level + 1; l <= KL_LEVEL_3; l++)
			ck_assert_int_eq(feedback(l, KL_MS_TAKEN_UP),
			    c.level == KL_LEVEL_0 ?
			    KL_C_NO_FEEDBACK_CONSENT : KL_C_LEVEL);
}
END_TEST

START_TEST(milestone_never_falls)
{
	c.delivered = true;
	ck_assert_int_eq(send_feedback(KL_MS_TAKEN_UP), KL_C_OK);
	ck_assert_int_eq(send_feedback(KL_MS_IN_PROGRESS), KL_C_OK);
	ck_assert_int_eq(send_feedback(KL_MS_TAKEN_UP), KL_C_MILESTONE);
	ck_assert_int_eq(send_feedback(KL_MS_RETURNED), KL_C_MILESTONE);
	ck_assert_int_eq(send_feedback(KL_MS_IN_PROGRESS), KL_C_OK);
	ck_assert_int_eq(send_feedback(KL_MS_ENDED), KL_C_OK);
	ck_assert_uint_eq(c.state, KL_CONV_ENDED);
	ck_assert_int_eq(c.ended_ms, LETTERS_NOW_MS);
}
END_TEST

START_TEST(returned_is_said_once_and_final)
{
	c.delivered = true;
	c.level = KL_LEVEL_0;
	ck_assert_int_eq(send_feedback(KL_MS_RETURNED), KL_C_OK);
	ck_assert_uint_eq(c.state, KL_CONV_ENDED);
	ck_assert_int_eq(send_feedback(KL_MS_RETURNED),
	    KL_C_CONVERSATION_ENDED);
	c.level = KL_LEVEL_3;
	for (uint32_t m = KL_MS_TAKEN_UP; m <= KL_MS_RETURNED; m++)
		ck_assert_int_eq(send_feedback(m), KL_C_CONVERSATION_ENDED);
	ck_assert_int_eq(correction(LETTERS_NOW_MS),
	    KL_C_CONVERSATION_ENDED);
}
END_TEST

START_TEST(nothing_but_a_correction_comes_before_the_receipt)
{
	ck_assert_int_eq(feedback(KL_LEVEL_2, KL_MS_TAKEN_UP),
	    KL_C_BEFORE_RECEIPT);
	ck_assert_int_eq(correction(LETTERS_NOW_MS), KL_C_OK);
}
END_TEST

START_TEST(seq_takes_the_next_and_no_other)
{
	uint64_t last;

	c.delivered = true;
	c.seq_receiver = 7;
	for (uint64_t seq = 1; seq < 12; seq++) {
		letter_feedback(&letter, &referral, &desk, &practice,
		    KL_MS_TAKEN_UP);
		letter.e.header.seq = seq;
		ck_assert_int_eq(conversation_check_message(&c, &letter.e,
		    true, LETTERS_NOW_MS, &last),
		    seq == 8 ? KL_C_OK : KL_C_SEQ);
		ck_assert_uint_eq(last, 7);
	}
	letter_correction(&letter, &referral, &practice, &desk);
	letter.e.header.seq = 3;
	ck_assert_int_eq(conversation_check_message(&c, &letter.e, false,
	    LETTERS_NOW_MS, &last), KL_C_SEQ);
	ck_assert_uint_eq(last, 1);
}
END_TEST

START_TEST(seq_is_told_before_the_consent)
{
	c.delivered = true;
	c.valid_until = TODAY - 1;
	letter_correction(&letter, &referral, &practice, &desk);
	letter.e.header.seq = 9;
	ck_assert_int_eq(check(false, LETTERS_NOW_MS), KL_C_SEQ);
	letter.e.header.seq = 2;
	ck_assert_int_eq(check(false, LETTERS_NOW_MS), KL_C_CONSENT_DATE);
}
END_TEST

START_TEST(after_a_loss_any_first_seq_is_the_base)
{
	bool opened, closed;

	c.delivered = c.base_receiver = c.base_sender = true;
	c.seq_receiver = 0;
	letter_feedback(&letter, &referral, &desk, &practice,
	    KL_MS_TAKEN_UP);
	letter.e.header.seq = 5;
	ck_assert_int_eq(check(true, LETTERS_NOW_MS), KL_C_OK);
	conversation_take_message(&c, &letter.e, true, LETTERS_NOW_MS,
	    &opened, &closed);
	ck_assert(!c.base_receiver && c.base_sender);
	ck_assert_uint_eq(c.seq_receiver, 5);
	letter.e.header.seq = 7;
	ck_assert_int_eq(check(true, LETTERS_NOW_MS), KL_C_SEQ);
	letter_correction(&letter, &referral, &practice, &desk);
	letter.e.header.seq = 1;
	ck_assert_int_eq(check(false, LETTERS_NOW_MS), KL_C_SEQ);
	letter.e.header.seq = 4;
	ck_assert_int_eq(check(false, LETTERS_NOW_MS), KL_C_OK);
	conversation_take_message(&c, &letter.e, false, LETTERS_NOW_MS,
	    &opened, &closed);
	ck_assert(!c.base_sender);
}
END_TEST

START_TEST(message_answers_the_referral_of_its_conversation)
{
	c.delivered = true;
	letter_feedback(&letter, &referral, &desk, &practice,
	    KL_MS_TAKEN_UP);
	letter.e.header.answers.b[0] ^= 1;
	ck_assert_int_eq(check(true, LETTERS_NOW_MS), KL_C_ANSWERS);
}
END_TEST

START_TEST(each_side_sends_its_own_kind)
{
	c.delivered = true;
	letter_feedback(&letter, &referral, &practice, &desk,
	    KL_MS_TAKEN_UP);
	ck_assert_int_eq(check(false, LETTERS_NOW_MS), KL_C_ROLE);
	letter_correction(&letter, &referral, &desk, &practice);
	ck_assert_int_eq(check(true, LETTERS_NOW_MS), KL_C_ROLE);
}
END_TEST

START_TEST(ended_one_is_reopened_once_by_feedback)
{
	bool opened, closed;

	c.delivered = true;
	ck_assert_int_eq(send_feedback(KL_MS_ENDED), KL_C_OK);
	ck_assert_int_eq(feedback(c.level, KL_MS_ENDED),
	    KL_C_CONVERSATION_ENDED);
	ck_assert_int_eq(feedback(c.level, KL_MS_RETURNED),
	    KL_C_CONVERSATION_ENDED);
	ck_assert_int_eq(feedback(c.level, KL_MS_IN_PROGRESS), KL_C_OK);
	ck_assert_int_eq(feedback(c.level, KL_MS_TAKEN_UP), KL_C_OK);
	conversation_take_message(&c, &letter.e, true, LETTERS_NOW_MS,
	    &opened, &closed);
	ck_assert(opened && !closed && c.reopened);
	ck_assert_uint_eq(c.state, KL_CONV_OPEN);
	ck_assert_uint_eq(c.milestone, KL_MS_TAKEN_UP);
	ck_assert_int_eq(send_feedback(KL_MS_ENDED), KL_C_OK);
	for (uint32_t m = KL_MS_TAKEN_UP; m <= KL_MS_RETURNED; m++)
		ck_assert_int_eq(send_feedback(m), KL_C_CONVERSATION_ENDED);
	ck_assert_int_eq(correction(LETTERS_NOW_MS),
	    KL_C_CONVERSATION_ENDED);
}
END_TEST

START_TEST(ended_one_is_reopened_once_by_a_correction)
{
	bool opened, closed;

	c.delivered = true;
	ck_assert_int_eq(send_feedback(KL_MS_ENDED), KL_C_OK);
	ck_assert_int_eq(correction(LETTERS_NOW_MS), KL_C_OK);
	conversation_take_message(&c, &letter.e, false, LETTERS_NOW_MS,
	    &opened, &closed);
	ck_assert(opened && !closed);
	ck_assert_uint_eq(c.state, KL_CONV_OPEN);
	ck_assert_uint_eq(c.milestone, KL_MS_NONE);
	ck_assert_int_eq(c.ended_ms, 0);
	ck_assert_int_eq(send_feedback(KL_MS_ENDED), KL_C_OK);
	ck_assert_int_eq(correction(LETTERS_NOW_MS),
	    KL_C_CONVERSATION_ENDED);
}
END_TEST

START_TEST(reopening_has_its_term)
{
	c.delivered = true;
	ck_assert_int_eq(send_feedback(KL_MS_ENDED), KL_C_OK);
	ck_assert_int_eq(correction(LETTERS_NOW_MS + REOPEN_MS), KL_C_OK);
	ck_assert_int_eq(correction(LETTERS_NOW_MS + REOPEN_MS + 1),
	    KL_C_CONVERSATION_ENDED);
	letter_feedback(&letter, &referral, &desk, &practice,
	    KL_MS_TAKEN_UP);
	letter.e.header.seq = c.seq_receiver + 1;
	ck_assert_int_eq(check(true, LETTERS_NOW_MS + REOPEN_MS), KL_C_OK);
	ck_assert_int_eq(check(true, LETTERS_NOW_MS + REOPEN_MS + 1),
	    KL_C_CONVERSATION_ENDED);
}
END_TEST

START_TEST(reopening_needs_a_valid_consent)
{
	c.delivered = true;
	ck_assert_int_eq(send_feedback(KL_MS_ENDED), KL_C_OK);
	c.valid_until = TODAY - 1;
	ck_assert_int_eq(correction(LETTERS_NOW_MS), KL_C_CONSENT_DATE);
	ck_assert_int_eq(feedback(c.level, KL_MS_TAKEN_UP),
	    KL_C_CONSENT_DATE);
}
END_TEST

START_TEST(withdrawn_and_expired_are_never_reopened)
{
	c.delivered = true;
	c.milestone = KL_MS_ENDED;
	c.ended_ms = LETTERS_NOW_MS;
	for (c.state = KL_CONV_WITHDRAWN; c.state <= KL_CONV_EXPIRED;
	    c.state++) {
		ck_assert_int_eq(correction(LETTERS_NOW_MS),
		    KL_C_CONVERSATION_ENDED);
		ck_assert_int_eq(feedback(c.level, KL_MS_TAKEN_UP),
		    KL_C_CONVERSATION_ENDED);
	}
}
END_TEST

START_TEST(past_its_date_consent_counts_as_level_zero)
{
	c.delivered = true;
	c.valid_until = TODAY - 1;
	for (uint32_t m = KL_MS_TAKEN_UP; m <= KL_MS_ENDED; m++)
		ck_assert_int_eq(feedback(c.level, m), KL_C_CONSENT_DATE);
	ck_assert_int_eq(feedback(c.level, KL_MS_RETURNED), KL_C_OK);
	ck_assert_int_eq(correction(LETTERS_NOW_MS), KL_C_CONSENT_DATE);
}
END_TEST

/* ---- at release ---- */

static enum kl_code
release(uint32_t kind, int days)
{
	return conversation_check_release(&c, kind,
	    LETTERS_NOW_MS + days * KL_DAY_MS);
}

START_TEST(release_asks_the_consent_again)
{
	for (uint32_t kind = KL_REFERRAL; kind <= KL_FEEDBACK; kind++) {
		c.state = KL_CONV_OPEN;
		ck_assert_int_eq(release(kind, 365), KL_C_OK);
		ck_assert_int_eq(release(kind, 366), KL_C_CONSENT_DATE);
		c.state = KL_CONV_ENDED;
		ck_assert_int_eq(release(kind, 0), KL_C_OK);
		for (c.state = KL_CONV_WITHDRAWN;
		    c.state <= KL_CONV_EXPIRED; c.state++)
			ck_assert_int_eq(release(kind, 0),
			    KL_C_CONVERSATION_ENDED);
	}
}
END_TEST

START_TEST(returned_is_released_past_the_consent)
{
	c.state = KL_CONV_ENDED;
	c.milestone = KL_MS_RETURNED;
	ck_assert_int_eq(release(KL_FEEDBACK, 400), KL_C_OK);
	ck_assert_int_eq(release(KL_CORRECTION, 400), KL_C_CONSENT_DATE);
}
END_TEST

static TCase *
rows_case(void)
{
	TCase *tc = tcase_create("rows");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, new_one_says_what_its_referral_says);
	tcase_add_test(tc, row_keeps_every_field);
	tcase_add_test(tc, new_one_is_found_by_id_and_by_body);
	tcase_add_test(tc, what_is_not_there_is_not_found);
	tcase_add_test(tc, child_is_noted_under_its_parent);
	tcase_add_test(tc, walk_passes_every_one_once);
	tcase_add_test(tc, damaged_rows_are_told);
	tcase_add_test(tc, more_onward_receivers_than_fit_are_damage);
	tcase_add_test(tc,
	    body_stays_until_the_conversation_or_its_referral_goes);
	tcase_add_test(tc, body_above_its_limit_does_not_fit);
	tcase_add_test(tc, row_dies_with_its_slot);
	tcase_add_test(tc, damaged_pointer_from_a_body_is_told);
	tcase_add_test(tc, nothing_is_made_when_no_slot_is_left);
	return tc;
}

static TCase *
rules_case(void)
{
	TCase *tc = tcase_create("rules");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, only_the_matrix_is_allowed);
	tcase_add_test(tc, consent_counts_within_its_dates);
	tcase_add_test(tc, consent_counts_within_a_stricter_policy);
	tcase_add_test(tc, consent_with_extreme_dates_is_refused);
	tcase_add_test(tc, onward_referral_needs_a_parent_that_allows_it);
	tcase_add_test(tc, feedback_stays_within_the_consented_level);
	tcase_add_test(tc, feedback_above_the_level_is_refused);
	tcase_add_test(tc, milestone_never_falls);
	tcase_add_test(tc, returned_is_said_once_and_final);
	tcase_add_test(tc,
	    nothing_but_a_correction_comes_before_the_receipt);
	tcase_add_test(tc, seq_takes_the_next_and_no_other);
	tcase_add_test(tc, seq_is_told_before_the_consent);
	tcase_add_test(tc, after_a_loss_any_first_seq_is_the_base);
	tcase_add_test(tc,
	    message_answers_the_referral_of_its_conversation);
	tcase_add_test(tc, each_side_sends_its_own_kind);
	tcase_add_test(tc, ended_one_is_reopened_once_by_feedback);
	tcase_add_test(tc, ended_one_is_reopened_once_by_a_correction);
	tcase_add_test(tc, reopening_has_its_term);
	tcase_add_test(tc, reopening_needs_a_valid_consent);
	tcase_add_test(tc, withdrawn_and_expired_are_never_reopened);
	tcase_add_test(tc, past_its_date_consent_counts_as_level_zero);
	tcase_add_test(tc, release_asks_the_consent_again);
	tcase_add_test(tc, returned_is_released_past_the_consent);
	return tc;
}

int
main(void)
{
	Suite *s = suite_create("conversation");
	SRunner *sr;
	int failed;

	suite_add_tcase(s, rows_case());
	suite_add_tcase(s, rules_case());
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
