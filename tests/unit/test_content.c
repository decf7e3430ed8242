#include <kortelijn/wire/content.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <tests/support/people.h>

static struct kl_arena *mem;
static uint8_t buf[KL_CONTENT_REFERRAL_BYTES * 2];
static size_t n;
static uint8_t salt[KL_SALT_BYTES];

static struct kl_referral out;
static uint8_t out_salt[KL_SALT_BYTES];
static uint32_t schema;

static void
setup(void)
{
	mem = kl_arena_new(32768, 256);
	ck_assert_ptr_nonnull(mem);
	memset(salt, 0xa5, sizeof salt);
}

static void
teardown(void)
{
	kl_arena_free(mem);
}

static void
pack(const struct kl_referral *r)
{
	ck_assert_int_eq(kl_content_pack_referral(r, salt, 1, buf,
	    sizeof buf, &n), KL_OK);
}

static int
read_referral(void)
{
	kl_arena_reset(mem);
	return kl_content_read_referral(kl_bytes(buf, n), mem, &out,
	    out_salt, &schema);
}

static void
expect_refused(int err)
{
	struct kl_referral none;

	memset(&none, 0, sizeof none);
	ck_assert_int_eq(read_referral(), err);
	ck_assert_mem_eq(&out, &none, sizeof none);
	ck_assert_uint_eq(schema, 0);
}

START_TEST(referral_comes_back_as_it_was)
{
	struct kl_referral in = people_usual();

	pack(&in);
	ck_assert_int_eq(read_referral(), KL_OK);
	ck_assert_mem_eq(&out, &in, sizeof in);
	ck_assert_mem_eq(out_salt, salt, sizeof salt);
	ck_assert_uint_eq(schema, 1);
}
END_TEST

START_TEST(largest_referral_fits_its_length)
{
	struct kl_referral in = people_largest();
	const struct kl_field *f;

	for (size_t i = 0; (f = kl_field_at(i)) != NULL; i++) {
		ck_assert(kl_field_present(f, &in));
		/* birth_date is text in JSON and a number here. */
		if (f->bytes != 0 && f->kind != KL_FIELD_BIRTH_DATE)
			ck_assert_uint_eq(strlen(kl_field_text(f, &in)),
			    f->bytes);
	}
	pack(&in);
	ck_assert_uint_le(n, KL_CONTENT_REFERRAL_BYTES - 1);
	ck_assert_uint_eq(n, 1061);
	ck_assert_int_eq(read_referral(), KL_OK);
	ck_assert_mem_eq(&out, &in, sizeof in);
}
END_TEST

START_TEST(packing_needs_room_and_a_known_schema)
{
	struct kl_referral in = people_usual();

	ck_assert_int_eq(kl_content_pack_referral(&in, salt, 1, buf, 20,
	    &n), KL_E_SIZE);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(kl_content_pack_referral(&in, salt,
	    KL_SCHEMA_MAX + 1, buf, sizeof buf, &n), KL_E_VALUE);
	ck_assert_int_eq(kl_content_pack_referral(&in, salt, 0, buf,
	    sizeof buf, &n), KL_E_VALUE);
}
END_TEST

START_TEST(every_cut_is_refused)
{
	struct kl_referral in = people_usual();
	size_t all;

	pack(&in);
	all = n;
	for (n = 0; n < all; n++)
		ck_assert_int_ne(read_referral(), KL_OK);
}
END_TEST

/* Whatever single bytes change into: what is accepted packs to the same. */
START_TEST(what_is_read_packs_to_the_same_bytes)
{
	struct kl_referral in = people_usual();
	uint8_t again[sizeof buf];
	size_t m;

	pack(&in);
	for (size_t i = 0; i < n; i++) {
		for (unsigned x = 1; x < 256; x <<= 1) {
			buf[i] = (uint8_t)(buf[i] ^ x);
			if (read_referral() == KL_OK) {
				ck_assert_int_eq(kl_content_pack_referral(
				    &out, out_salt, schema, again,
				    sizeof again, &m), KL_OK);
				ck_assert_uint_eq(m, n);
				ck_assert_mem_eq(again, buf, n);
			}
			buf[i] = (uint8_t)(buf[i] ^ x);
		}
	}
}
END_TEST

START_TEST(unknown_field_is_refused)
{
	struct kl_referral in = people_usual();

	pack(&in);
	buf[n++] = 0xf8;	/* field 31, number */
	buf[n++] = 0x01;
	buf[n++] = 0x01;
	expect_refused(KL_E_UNKNOWN);
}
END_TEST

START_TEST(unknown_field_in_a_nested_message_is_refused)
{
	/* ReferralContent.name (field 4) with a number in its field 9. */
	struct kl_referral in = people_usual();
	size_t name;

	pack(&in);
	for (name = 0; buf[name] != 0x22; name++)
		ck_assert_uint_lt(name, n);
	name += 2u + buf[name + 1];
	memmove(buf + name + 2, buf + name, n - name);
	buf[name] = 0x48;
	buf[name + 1] = 0x01;
	n += 2;
	for (name = 0; buf[name] != 0x22; name++)
		;
	buf[name + 1] = (uint8_t)(buf[name + 1] + 2);
	expect_refused(KL_E_UNKNOWN);
}
END_TEST

START_TEST(other_encodings_of_the_same_are_refused)
{
	struct kl_referral in = people_usual();

	pack(&in);
	buf[n++] = 0x08;	/* schema a second time */
	buf[n++] = 0x01;
	expect_refused(KL_E_FORMAT);
	pack(&in);
	memmove(buf + 2, buf + 1, n - 1);
	buf[1] = 0x81;		/* schema as a number of two bytes */
	buf[2] = 0x00;
	n++;
	expect_refused(KL_E_FORMAT);
}
END_TEST

START_TEST(unserved_schema_is_unknown)
{
	struct kl_referral in = people_usual();

	pack(&in);
	buf[1] = KL_SCHEMA_MAX + 1;
	expect_refused(KL_E_UNKNOWN);
	buf[1] = 0;
	expect_refused(KL_E_UNKNOWN);
}
END_TEST

static void
expect_value_refused(size_t offset, uint32_t v)
{
	struct kl_referral in = people_usual();

	memcpy((char *)&in + offset, &v, sizeof v);
	pack(&in);
	expect_refused(KL_E_VALUE);
}

START_TEST(values_outside_their_list_are_refused)
{
	const struct kl_field *f;

	for (size_t i = 0; (f = kl_field_at(i)) != NULL; i++)
		if (f->kind == KL_FIELD_LIST || f->kind == KL_FIELD_ANSWER ||
		    f->kind == KL_FIELD_NUMBER)
			expect_value_refused(f->offset, 100000);
	expect_value_refused(offsetof(struct kl_referral, extract), 3);
	expect_value_refused(offsetof(struct kl_referral, extract), 0);
	expect_value_refused(offsetof(struct kl_referral, letter_ok), 0);
}
END_TEST

START_TEST(impossible_birth_date_is_refused)
{
	static const struct kl_birth_date bad[] = {
		{ 1980, 13, 1 }, { 1981, 2, 29 }, { 1980, 0, 3 }, { 1, 1, 1 },
		{ 10000, 1, 1 },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct kl_referral in = people_usual();

		in.birth_date = bad[i];
		pack(&in);
		expect_refused(KL_E_VALUE);
	}
}
END_TEST

START_TEST(empty_required_text_is_refused)
{
	struct kl_referral in = people_usual();

	in.name.family_name[0] = '\0';
	pack(&in);
	expect_refused(KL_E_VALUE);
}
END_TEST

START_TEST(nul_in_a_text_is_refused)
{
	struct kl_referral in = people_usual();
	uint8_t *p;

	pack(&in);
	p = memmem(buf, n, "Amrani", 6);
	ck_assert_ptr_nonnull(p);
	p[2] = '\0';
	expect_refused(KL_E_VALUE);
}
END_TEST

START_TEST(text_longer_than_its_field_is_refused)
{
	struct kl_referral in = people_usual();
	uint8_t *p;

	/* Postcode of six: make it seven. */
	pack(&in);
	p = memmem(buf, n, "7511JL", 6);
	ck_assert_ptr_nonnull(p);
	memmove(p + 1, p, n - (size_t)(p - buf));
	p[-1]++;
	n++;
	expect_refused(KL_E_SIZE);
}
END_TEST

START_TEST(salt_of_other_length_is_refused)
{
	struct kl_referral in = people_usual();

	pack(&in);
	ck_assert_uint_eq(buf[3], KL_SALT_BYTES);
	memmove(buf + 4, buf + 5, n - 5);
	buf[3]--;
	n--;
	expect_refused(KL_E_VALUE);
}
END_TEST

START_TEST(more_bytes_than_a_plaintext_has_are_refused)
{
	memset(buf, 0, sizeof buf);
	n = KL_CONTENT_REFERRAL_BYTES + 1;
	expect_refused(KL_E_SIZE);
}
END_TEST

START_TEST(spent_arena_is_no_fault_of_the_sender)
{
	struct kl_arena *tiny = kl_arena_new(128, 256);
	struct kl_referral in = people_usual();

	pack(&in);
	ck_assert_int_eq(kl_content_read_referral(kl_bytes(buf, n), tiny,
	    &out, out_salt, &schema), KL_E_MEMORY);
	kl_arena_free(tiny);
}
END_TEST

/* ---- feedback ---- */

static const struct kl_feedback wanted = {
	.code = KL_ST_CONTACT_DETAILS_WANTED, .wanted = KL_WANTED_ADDRESS,
	.day = PEOPLE_TODAY, .level = KL_LEVEL_2,
};

static int
feedback_round(struct kl_feedback in, struct kl_feedback *back)
{
	ck_assert_int_eq(kl_content_pack_feedback(&in, 1, buf, sizeof buf,
	    &n), KL_OK);
	return kl_content_read_feedback(kl_bytes(buf, n), mem, back,
	    &schema);
}

START_TEST(feedback_comes_back_as_it_was)
{
	struct kl_feedback back;

	ck_assert_int_eq(feedback_round(wanted, &back), KL_OK);
	ck_assert_mem_eq(&back, &wanted, sizeof back);
	ck_assert_uint_eq(schema, 1);
}
END_TEST

START_TEST(largest_feedback_fits_its_length)
{
	struct kl_feedback f = { KL_ST_CLOSED, 6, 3, 3, INT32_MAX,
		KL_LEVEL_3 };
	struct kl_feedback back;

	ck_assert_int_eq(feedback_round(f, &back), KL_OK);
	ck_assert_uint_le(n, KL_CONTENT_FEEDBACK_BYTES - 1);
}
END_TEST

START_TEST(feedback_values_outside_their_list_are_refused)
{
	struct kl_feedback f = wanted, back;

	f.code = KL_ST_EXPIRED;
	ck_assert_int_eq(feedback_round(f, &back), KL_E_VALUE);
	ck_assert_uint_eq(back.code, 0);
	f.code = 63;
	ck_assert_int_eq(feedback_round(f, &back), KL_E_VALUE);
	f = wanted;
	f.category = 7;
	ck_assert_int_eq(feedback_round(f, &back), KL_E_VALUE);
	f = wanted;
	f.ground = 4;
	ck_assert_int_eq(feedback_round(f, &back), KL_E_VALUE);
	f = wanted;
	f.wanted = 4;
	ck_assert_int_eq(feedback_round(f, &back), KL_E_VALUE);
	f = wanted;
	f.level = 0;
	ck_assert_int_eq(feedback_round(f, &back), KL_E_VALUE);
	f.level = 5;
	ck_assert_int_eq(feedback_round(f, &back), KL_E_VALUE);
}
END_TEST

START_TEST(feedback_form_is_strict)
{
	struct kl_feedback f = wanted, back;
	struct kl_bytes big;

	f.day = -1;
	ck_assert_int_eq(kl_content_pack_feedback(&f, 1, buf, sizeof buf,
	    &n), KL_E_VALUE);
	ck_assert_int_eq(kl_content_pack_feedback(&wanted, 9, buf,
	    sizeof buf, &n), KL_E_VALUE);
	ck_assert_int_eq(kl_content_pack_feedback(&wanted, 1, buf, 3, &n),
	    KL_E_SIZE);
	ck_assert_int_eq(feedback_round(wanted, &back), KL_OK);
	buf[1] = KL_SCHEMA_MAX + 1;
	ck_assert_int_eq(kl_content_read_feedback(kl_bytes(buf, n), mem,
	    &back, &schema), KL_E_UNKNOWN);
	ck_assert_int_eq(kl_content_read_feedback(kl_bytes(buf, n - 1), mem,
	    &back, &schema), KL_E_FORMAT);
	ck_assert_int_eq(kl_content_read_feedback(KL_BYTES_NONE, mem,
	    &back, &schema), KL_E_FORMAT);
	big = kl_bytes(buf, KL_CONTENT_FEEDBACK_BYTES + 1);
	ck_assert_int_eq(kl_content_read_feedback(big, mem, &back, &schema),
	    KL_E_SIZE);
}
END_TEST

#if KL_SCHEMA_MAX >= 2
START_TEST(new_code_needs_its_schema)
{
	struct kl_feedback f = { .code = KL_ST_BUDGET_COURSE,
		.day = PEOPLE_TODAY, .level = KL_LEVEL_3 };
	struct kl_feedback back;

	ck_assert_int_eq(kl_content_pack_feedback(&f, 1, buf, sizeof buf,
	    &n), KL_E_VALUE);
	ck_assert_int_eq(kl_content_pack_feedback(&f, 2, buf, sizeof buf,
	    &n), KL_OK);
	ck_assert_int_eq(kl_content_read_feedback(kl_bytes(buf, n), mem,
	    &back, &schema), KL_OK);
	ck_assert_uint_eq(schema, 2);
	buf[1] = 1;
	ck_assert_int_eq(kl_content_read_feedback(kl_bytes(buf, n), mem,
	    &back, &schema), KL_E_VALUE);
}
END_TEST
#endif

int
main(void)
{
	Suite *s = suite_create("content");
	TCase *tc = tcase_create("content");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, referral_comes_back_as_it_was);
	tcase_add_test(tc, largest_referral_fits_its_length);
	tcase_add_test(tc, packing_needs_room_and_a_known_schema);
	tcase_add_test(tc, every_cut_is_refused);
	tcase_add_test(tc, what_is_read_packs_to_the_same_bytes);
	tcase_add_test(tc, unknown_field_is_refused);
	tcase_add_test(tc, unknown_field_in_a_nested_message_is_refused);
	tcase_add_test(tc, other_encodings_of_the_same_are_refused);
	tcase_add_test(tc, unserved_schema_is_unknown);
	tcase_add_test(tc, values_outside_their_list_are_refused);
	tcase_add_test(tc, impossible_birth_date_is_refused);
	tcase_add_test(tc, empty_required_text_is_refused);
	tcase_add_test(tc, nul_in_a_text_is_refused);
	tcase_add_test(tc, text_longer_than_its_field_is_refused);
	tcase_add_test(tc, salt_of_other_length_is_refused);
	tcase_add_test(tc, more_bytes_than_a_plaintext_has_are_refused);
	tcase_add_test(tc, spent_arena_is_no_fault_of_the_sender);
	tcase_add_test(tc, feedback_comes_back_as_it_was);
	tcase_add_test(tc, largest_feedback_fits_its_length);
	tcase_add_test(tc, feedback_values_outside_their_list_are_refused);
	tcase_add_test(tc, feedback_form_is_strict);
#if KL_SCHEMA_MAX >= 2
	tcase_add_test(tc, new_code_needs_its_schema);
#endif
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
