/*
 * What is signed in the clear, table for table, and the rules between the
 * fields of one statement.
 */
#include <kortelijn/wire/signed.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <tests/support/spec.h>

#define ARENA_BYTES (256 * 1024)
#define ARENA_ALLOCS 512
#define MONDAY INT64_C(345600000)	/* 1970-01-05 */
#define LATER (MONDAY + 2900 * KL_WEEK_MS)
#define ID_A 11111111
#define ID_B 22222222

static enum kl_code
read_statement(const struct spec *s, struct kl_bytes in, struct kl_arena *mem,
    void *out)
{
	return kl_statement_read(s->type, in, mem, out, s->size);
}

static int
pack_statement(const struct spec *s, const void *in, uint8_t *buf, size_t cap,
    size_t *n)
{
	return kl_statement_pack(s->type, in, s->size, buf, cap, n);
}

#define STATEMENT(fields, id, type)					\
	{ #type, fields, sizeof fields / sizeof fields[0],		\
	  sizeof (struct type), id, read_statement, pack_statement }

/* PROTOCOL.md 5.2 to 5.11 and 10.2, table for table. */
static const struct spec_field card[] = {
	U(1, 1), U_AS(1, 5, 1, KL_AUDITOR), U(1, 2), F(16, 0, 4), ID(ID_A),
	V(1, 100), F(32, 7, 7), F(32, 8, 8), T(0, LAST), T(0, LAST - 1),
	T(1, LAST), ID_OR_NONE(ID_B), T(0, LAST), U_AS(1, 2, 1, 1), IDS(64),
};
static const struct spec_field revocation[] = {
	U(1, 1), U(1, 2), F(16, 0, 3), ID(ID_A), U(1, 3), T(0, LAST),
};
static const struct spec_field prekey[] = {
	U(1, 1), ID(ID_A), F(16, 0, 3), F(32, 0, 4), T(MONDAY, LATER),
	T(MONDAY + KL_WEEK_MS, LATER + KL_WEEK_MS), U(1, 255),
	U_AS(1, 255, 1, 255),
};
static const struct spec_field profile[] = {
	U(1, 1), ID(ID_A), F(16, 0, 3), T(0, LAST - 1), T(1, LAST),
	V_AS(0, 16, 0, 16, "+123456789012345"),
	V_AS(0, 16, 0, 12, "+31612345678"), V(1, 15700),
};
static const struct spec_field details[] = {
	V(1, 100), US(16, 9999), US(14, 708301700), US(32, 20781),
	US(16, 9), US(8, 5), US(4, 3), VS(12, 12), US(5, 40), V(0, 4000),
	V(0, 2000), VS(5, 300), VS(8, 80),
	VS_AS(16, "kvk:12345678\0\0\0\0\0\0\0\0\0\0\0\0\1"), V(0, 1000),
	V(0, 2000),
};
static const struct spec_field receipt[] = {
	U(1, 1), ID(ID_A), F(16, 0, 3), F(16, 0, 4), F(32, 0, 5), U(1, 3),
	U(1, 65535), T(0, LAST),
};
static const struct spec_field withdrawal[] = {
	U(1, 1), ID(ID_A), F(16, 0, 3), F(16, 0, 4), U_AS(1, 2, 1, 1),
	U(1, 2), U_AS(1, 2, 2, 1), T(0, LAST), U(1, 2932896),
};
static const struct spec_field erase_receipt[] = {
	U(1, 1), ID(ID_A), F(16, 0, 3), F(16, 0, 4), F(32, 0, 5), U(1, 3),
	U(1, 3), T(0, LAST),
};
static const struct spec_field notice[] = {
	U(1, 1), ID(ID_A), F(16, 0, 3),
	U_AS(1, 11, 1, KL_NOTICE_ERASE_REQUEST), F(16, 0, 5), F(16, 0, 6),
	U(1, 65535), Q_AS(0, ANY32, 0, 0), Q_AS(0, ANY32, 0, 0), T(0, LAST),
	T(0, LAST), V(0, 256), V(0, 1024),
};
static const struct spec_field enrol[] = {
	U(1, 1), U(1, 5), U(1, 2), ID(ID_A), V(1, 100), F(32, 6, 6),
	F(32, 7, 7), T(0, LAST),
};
static const struct spec_field record[] = {
	U(1, 1), U(1, KL_EV_LAST), F(16, 0, 3), F(16, 0, 4), ID_OR_NONE(ID_A),
	ID_OR_NONE(ID_B), U(1, 5), U(0, 3), T(0, LAST), T(0, LAST),
	F(32, 0, 11), U(0, 9), U(0, 9), F(16, 0, 14), U(1, 2), U(1, 65535),
	U(1, ANY32), U(0, 5),
};

static const struct spec specs[] = {
	STATEMENT(card, KL_CARD, kl_card),
	STATEMENT(revocation, KL_REVOCATION, kl_revocation),
	STATEMENT(prekey, KL_PREKEY, kl_prekey),
	STATEMENT(profile, KL_PROFILE, kl_profile),
	STATEMENT(details, KL_S_PROFILE_DETAILS, kl_profile_details),
	STATEMENT(receipt, KL_RECEIPT, kl_receipt),
	STATEMENT(withdrawal, KL_WITHDRAWAL, kl_withdrawal),
	STATEMENT(erase_receipt, KL_ERASE_RECEIPT, kl_erase_receipt),
	STATEMENT(notice, KL_NOTICE, kl_notice),
	STATEMENT(enrol, KL_S_ENROL, kl_enrol_request),
	STATEMENT(record, KL_S_RECORD, kl_record),
};
#define N_SPECS ((int)(sizeof specs / sizeof specs[0]))

SPEC_TESTS

static struct kl_arena *mem;

static void
setup(void)
{
	mem = kl_arena_new(ARENA_BYTES, ARENA_ALLOCS);
	ck_assert_ptr_nonnull(mem);
}

static void
teardown(void)
{
	kl_arena_free(mem);
}

/* ---- rules between the fields of a statement ----------------------------- */

/* The struct of the sample of specs[i]. */
static void
take(size_t i, bool max, void *out)
{
	static struct spec_bytes b;

	spec_build(&specs[i], max, &b);
	ck_assert_int_eq(specs[i].read(&specs[i], kl_bytes(b.b, b.n), mem,
	    out), KL_C_OK);
}

/* The place in specs[] of a statement. */
static size_t
spec_of(uint32_t type)
{
	size_t i = 0;

	while (specs[i].read != read_statement || specs[i].type != type)
		i++;
	return i;
}

static bool
packs(uint32_t type, const void *in, size_t size)
{
	static uint8_t buf[SPEC_BYTES_MAX];
	size_t n;
	int r = kl_statement_pack(type, in, size, buf, sizeof buf, &n);

	ck_assert(r == KL_OK || r == KL_E_VALUE);
	return r == KL_OK;
}
#define PACKS(type, in) packs(type, in, sizeof *(in))

/* Bytes that break a rule between fields, made without our packer. */
static enum kl_code
read_with(uint32_t type, size_t field, uint64_t value)
{
	const struct spec *s = &specs[spec_of(type)];
	static struct spec_bytes b;
	enum kl_code code;
	void *out = malloc(s->size);

	ck_assert_ptr_nonnull(out);
	spec_build_with(s, false, field - 1, value, &b);
	code = s->read(s, kl_bytes(b.b, b.n), mem, out);
	free(out);
	return code;
}

START_TEST(a_reader_applies_the_rules_between_fields_too)
{
	/* auditor's right to read all, on a practice's card */
	ck_assert_int_eq(read_with(KL_CARD, 14, 2), KL_C_VALUE_UNKNOWN);
	/* not_after before not_before */
	ck_assert_int_eq(read_with(KL_CARD, 11, 0), KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(read_with(KL_CARD, 13, 5), KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(read_with(KL_PREKEY, 5, MONDAY + 1),
	    KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(read_with(KL_PREKEY, 7, 2), KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(read_with(KL_PROFILE, 4, 1), KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(read_with(KL_RECEIPT, 6, KL_REFUSED),
	    KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(read_with(KL_RECEIPT, 7, KL_C_BSN),
	    KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(read_with(KL_WITHDRAWAL, 6,
	    KL_CAUSE_SENT_IN_ERROR), KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(read_with(KL_ERASE_RECEIPT, 6,
	    KL_KEPT_ON_OWN_BASIS), KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(read_with(KL_NOTICE, 4, KL_NOTICE_GAP),
	    KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(read_with(KL_NOTICE, 8, 1), KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(read_with(KL_NOTICE, 12, 1), KL_C_VALUE_UNKNOWN);
}
END_TEST

START_TEST(a_card_says_nothing_that_contradicts_itself)
{
	struct kl_card c, good;

	take(spec_of(KL_CARD), true, &good);
	c = good;
	c.not_after_ms = c.not_before_ms;
	ck_assert(!PACKS(KL_CARD, &c));
	c = good;
	memcpy(c.transport_pk.b, c.sign_pk.b, 32);
	ck_assert(!PACKS(KL_CARD, &c));
	c = good;
	c.succeeds_from_ms = 0;
	ck_assert(!PACKS(KL_CARD, &c));
	c = good;
	c.succeeds = c.id;
	ck_assert(!PACKS(KL_CARD, &c));
	c = good;
	c.role = KL_PRACTICE;
	ck_assert(!PACKS(KL_CARD, &c));
	c.n_reads = 0;
	ck_assert(PACKS(KL_CARD, &c));
	c.reads_all = 2;
	ck_assert(!PACKS(KL_CARD, &c));
	c.role = KL_AUDITOR;
	ck_assert(PACKS(KL_CARD, &c));
	c.n_reads = 1;
	ck_assert(!PACKS(KL_CARD, &c));
}
END_TEST

START_TEST(elements_of_lists_are_checked_one_by_one)
{
	const struct spec *s = &specs[spec_of(KL_CARD)];
	static struct spec_bytes b;
	struct kl_profile_details d;
	struct kl_card c;

	/* The last of 64 organisations that an auditor reads. */
	spec_build(s, true, &b);
	b.b[b.n - KL_ID_BYTES] = 'x';
	ck_assert_int_eq(s->read(s, kl_bytes(b.b, b.n), mem, &c),
	    KL_C_VALUE_UNKNOWN);
	take(spec_of(KL_CARD), true, &c);
	c.n_reads = KL_READS_MAX + 1;
	ck_assert(!PACKS(KL_CARD, &c));
	c.n_reads = KL_READS_MAX;
	memset(&c.reads[5], 0, sizeof c.reads[5]);
	ck_assert(!PACKS(KL_CARD, &c));
	take(spec_of(KL_S_PROFILE_DETAILS), true, &d);
	d.languages[11] = kl_bytes_str("nl-Latn-NL-x-long");
	ck_assert(!PACKS(KL_S_PROFILE_DETAILS, &d));
}
END_TEST

START_TEST(names_are_utf8_without_control_characters)
{
	static const char *const bad[] = {
		"a\tb", "a\nb", "\x7f", "\xc2\x85", "\x80", "\xc0\xaf",
		"\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xe2\x82",
		"\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
		"\xc3(", "\xff",
	};
	static const char *const good[] = {
		"Huisartsenpraktijk Ten Cate", "\xc3\x96l\303\247er",
		"\xe2\x82\xac", "\xf0\x9f\x99\x82", "\xed\x9f\xbf",
		"\xc2\xa0",
	};
	struct kl_enrol_request e;
	struct kl_card c;

	take(spec_of(KL_CARD), true, &c);
	take(spec_of(KL_S_ENROL), true, &e);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		c.name = e.name = kl_bytes_str(bad[i]);
		ck_assert_msg(!PACKS(KL_CARD, &c), "name %zu", i);
		ck_assert_msg(!PACKS(KL_S_ENROL, &e), "name %zu", i);
	}
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		c.name = e.name = kl_bytes_str(good[i]);
		ck_assert_msg(PACKS(KL_CARD, &c), "name %zu", i);
		ck_assert_msg(PACKS(KL_S_ENROL, &e), "name %zu", i);
	}
	memcpy(e.transport_pk.b, e.sign_pk.b, 32);
	ck_assert(!PACKS(KL_S_ENROL, &e));
}
END_TEST

START_TEST(a_prekey_is_for_one_whole_week)
{
	struct kl_prekey k;

	take(spec_of(KL_PREKEY), false, &k);
	k.not_before_ms += KL_DAY_MS;
	k.not_after_ms += KL_DAY_MS;
	ck_assert(!PACKS(KL_PREKEY, &k));
	take(spec_of(KL_PREKEY), false, &k);
	k.not_after_ms += KL_WEEK_MS;
	ck_assert(!PACKS(KL_PREKEY, &k));
	take(spec_of(KL_PREKEY), false, &k);
	k.schema_min = 2;
	ck_assert(!PACKS(KL_PREKEY, &k));
	k.schema_max = 2;
	ck_assert(PACKS(KL_PREKEY, &k));
}
END_TEST

START_TEST(a_profile_has_phone_numbers_that_can_be_dialled)
{
	static const char *const bad[] = {
		"0612345678", "+0612345678", "+1234567", "+1234567890123456",
		"+31 612345", "+3161234567a",
	};
	struct kl_profile p;

	take(spec_of(KL_PROFILE), true, &p);
	p.phone = KL_BYTES_NONE;
	ck_assert(PACKS(KL_PROFILE, &p));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		p.phone = kl_bytes_str(bad[i]);
		ck_assert_msg(!PACKS(KL_PROFILE, &p), "%s", bad[i]);
		p.phone = KL_BYTES_NONE;
		p.crisis_phone = kl_bytes_str(bad[i]);
		ck_assert_msg(!PACKS(KL_PROFILE, &p), "%s", bad[i]);
		p.crisis_phone = KL_BYTES_NONE;
	}
	p.valid_until_ms = p.valid_from_ms;
	ck_assert(!PACKS(KL_PROFILE, &p));
}
END_TEST

START_TEST(details_of_a_profile_are_texts_and_participants)
{
	struct kl_profile_details d;
	uint8_t partner[25] = "kvk:12345678";

	take(spec_of(KL_S_PROFILE_DETAILS), true, &d);
	d.what_to_expect = kl_bytes_str("Eerst\nbellen we.");
	ck_assert(PACKS(KL_S_PROFILE_DETAILS, &d));
	d.display_name = kl_bytes_str("Twee\nregels");
	ck_assert(!PACKS(KL_S_PROFILE_DETAILS, &d));
	take(spec_of(KL_S_PROFILE_DETAILS), true, &d);
	d.privacy_notice = kl_bytes_str("\r");
	ck_assert(!PACKS(KL_S_PROFILE_DETAILS, &d));
	take(spec_of(KL_S_PROFILE_DETAILS), true, &d);
	d.languages[0] = KL_BYTES_NONE;
	ck_assert(!PACKS(KL_S_PROFILE_DETAILS, &d));
	take(spec_of(KL_S_PROFILE_DETAILS), true, &d);
	d.partners[0] = KL_BYTES_OF(partner);
	ck_assert(!PACKS(KL_S_PROFILE_DETAILS, &d));
	partner[24] = 2;
	ck_assert(PACKS(KL_S_PROFILE_DETAILS, &d));
	partner[5] = 'x';
	ck_assert(!PACKS(KL_S_PROFILE_DETAILS, &d));
	d.partners[0] = kl_bytes("kvk:12345678", 12);
	ck_assert(!PACKS(KL_S_PROFILE_DETAILS, &d));
}
END_TEST

START_TEST(a_receipt_gives_a_code_when_it_refuses)
{
	struct kl_receipt r;

	take(spec_of(KL_RECEIPT), false, &r);
	ck_assert(PACKS(KL_RECEIPT, &r));
	r.code = KL_C_BSN;
	ck_assert(!PACKS(KL_RECEIPT, &r));
	r.outcome = KL_REFUSED;
	ck_assert(PACKS(KL_RECEIPT, &r));
	r.code = KL_C_OK;
	ck_assert(!PACKS(KL_RECEIPT, &r));
	r.outcome = KL_UNDECRYPTABLE;
	ck_assert(PACKS(KL_RECEIPT, &r));
}
END_TEST

START_TEST(sent_in_error_is_all_and_the_practices)
{
	struct kl_withdrawal w;

	take(spec_of(KL_WITHDRAWAL), true, &w);
	ck_assert_uint_eq(w.cause, KL_CAUSE_SENT_IN_ERROR);
	w.scope = KL_SCOPE_FEEDBACK;
	ck_assert(!PACKS(KL_WITHDRAWAL, &w));
	w.scope = KL_SCOPE_ALL;
	w.route = KL_MUNICIPALITY;
	ck_assert(!PACKS(KL_WITHDRAWAL, &w));
	w.cause = KL_CAUSE_RESIDENT;
	ck_assert(PACKS(KL_WITHDRAWAL, &w));
}
END_TEST

START_TEST(an_adapter_keeps_nothing_on_its_own_basis)
{
	struct kl_erase_receipt r;

	take(spec_of(KL_ERASE_RECEIPT), false, &r);
	r.case_system = KL_KEPT_ON_OWN_BASIS;
	ck_assert(PACKS(KL_ERASE_RECEIPT, &r));
	r.adapter_copy = KL_KEPT_ON_OWN_BASIS;
	ck_assert(!PACKS(KL_ERASE_RECEIPT, &r));
}
END_TEST

START_TEST(a_notice_says_only_what_belongs_to_it)
{
	struct kl_notice n;

	take(spec_of(KL_NOTICE), false, &n);
	n.seq_to = 1;
	ck_assert(!PACKS(KL_NOTICE, &n));
	n.notice = KL_NOTICE_GAP;
	ck_assert(!PACKS(KL_NOTICE, &n));
	n.seq_from = 2;
	ck_assert(!PACKS(KL_NOTICE, &n));
	n.seq_from = 1;
	ck_assert(PACKS(KL_NOTICE, &n));
	n.parent = kl_bytes_str("x");
	ck_assert(!PACKS(KL_NOTICE, &n));
	take(spec_of(KL_NOTICE), false, &n);
	n.notice = KL_NOTICE_ERASE_REQUEST;
	ck_assert(!PACKS(KL_NOTICE, &n));
	n.withdrawal = kl_bytes_str("x");
	ck_assert(PACKS(KL_NOTICE, &n));
	n.parent = kl_bytes_str("x");
	ck_assert(PACKS(KL_NOTICE, &n));
	n.notice = KL_NOTICE_DEAD;
	ck_assert(!PACKS(KL_NOTICE, &n));
}
END_TEST

/* ---- the rest of the interface ------------------------------------------- */

START_TEST(a_struct_of_another_size_is_not_touched)
{
	struct kl_receipt r;
	struct kl_card c;
	uint8_t buf[64];
	size_t n = 1;

	memset(&c, 0, sizeof c);
	ck_assert_int_eq(KL_STATEMENT_READ(KL_CARD, KL_BYTES_NONE, mem, &r),
	    KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(KL_STATEMENT_READ(99, KL_BYTES_NONE, mem, &c),
	    KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(KL_STATEMENT_PACK(KL_RECEIPT, &c, buf, sizeof buf,
	    &n), KL_E_VALUE);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(events_and_states_have_names_of_their_own)
{
	for (uint32_t i = 1; i <= KL_EV_LAST; i++)
		for (uint32_t j = 1; j < i; j++)
			ck_assert_str_ne(kl_event_name(i), kl_event_name(j));
	ck_assert_str_eq(kl_event_name(0), "?");
	ck_assert_str_eq(kl_event_name(KL_EV_LAST + 1), "?");
	for (uint32_t i = 0; i <= KL_MSG_ERASED; i++)
		for (uint32_t j = 0; j < i; j++)
			ck_assert_str_ne(kl_message_state_name(i),
			    kl_message_state_name(j));
	ck_assert_str_eq(kl_message_state_name(KL_MSG_ERASED + 1), "?");
}
END_TEST

static void
add_statement_tests(TCase *tc)
{
	tcase_add_test(tc, a_reader_applies_the_rules_between_fields_too);
	tcase_add_test(tc, a_card_says_nothing_that_contradicts_itself);
	tcase_add_test(tc, elements_of_lists_are_checked_one_by_one);
	tcase_add_test(tc, names_are_utf8_without_control_characters);
	tcase_add_test(tc, a_prekey_is_for_one_whole_week);
	tcase_add_test(tc, a_profile_has_phone_numbers_that_can_be_dialled);
	tcase_add_test(tc, details_of_a_profile_are_texts_and_participants);
	tcase_add_test(tc, a_receipt_gives_a_code_when_it_refuses);
	tcase_add_test(tc, sent_in_error_is_all_and_the_practices);
	tcase_add_test(tc, an_adapter_keeps_nothing_on_its_own_basis);
	tcase_add_test(tc, a_notice_says_only_what_belongs_to_it);
	tcase_add_test(tc, a_struct_of_another_size_is_not_touched);
	tcase_add_test(tc, events_and_states_have_names_of_their_own);
}

int
main(void)
{
	Suite *s = suite_create("statements");
	TCase *tc = tcase_create("statements");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	SPEC_TESTS_ADD(tc, N_SPECS);
	add_statement_tests(tc);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
