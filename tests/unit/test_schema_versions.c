/*
 * Two versions of the content meet. This file is built twice: as the program
 * of schema 1, and with KL_SCHEMA_MAX=2 as the one that comes after it, whose
 * content has one state more. What one build writes, byte for byte, is what
 * the other reads.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/seal.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/end/envelope.h>
#include <kortelijn/wire/content.h>
#include <tests/support/vectors.h>

#define NOW INT64_C(1795510800000)	/* 2026-11-24 09:00 */

static struct kl_arena *mem;
static struct vectors *v;
static struct kl_feedback f;
static uint32_t schema;

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	v = vectors_open("schema.txt");
	mem = kl_arena_new(64 * 1024, 256);
	ck_assert_ptr_nonnull(mem);
}

static void
teardown(void)
{
	vectors_free(v);
	kl_arena_free(mem);
}

static int
read_feedback(const char *name)
{
	return kl_content_read_feedback(vectors_get(v, name), mem, &f,
	    &schema);
}

static int
read_referral(const char *name)
{
	static struct kl_referral r;
	uint8_t salt[KL_SALT_BYTES];

	return kl_content_read_referral(vectors_get(v, name), mem, &r, salt,
	    &schema);
}

START_TEST(the_newest_schema_that_both_have_is_taken)
{
	ck_assert_uint_eq(kl_content_schema(1, 1), 1);
	ck_assert_uint_eq(kl_content_schema(1, KL_SCHEMA_MAX), KL_SCHEMA_MAX);
	ck_assert_uint_eq(kl_content_schema(1, 255), KL_SCHEMA_MAX);
	ck_assert_uint_eq(kl_content_schema(KL_SCHEMA_MAX + 1, 255), 0);
	ck_assert_uint_eq(kl_content_schema(0, 0), 0);
}
END_TEST

/* Both builds: n and, where there is one, n - 1. */
START_TEST(content_of_schema_1_is_read)
{
	ck_assert_int_eq(read_feedback("feedback_1"), KL_OK);
	ck_assert_uint_eq(schema, 1);
	ck_assert_uint_eq(f.code, KL_ST_TAKEN_UP);
	ck_assert_int_eq(read_referral("referral_1"), KL_OK);
	ck_assert_uint_eq(schema, 1);
}
END_TEST

START_TEST(a_new_code_in_an_old_schema_is_refused)
{
	ck_assert_int_eq(read_feedback("new_code_in_1"), KL_E_VALUE);
	ck_assert_uint_eq(f.code, 0);
}
END_TEST

/* What the program of schema 2 made of its new code for this one. */
START_TEST(what_a_new_code_collapses_to_is_read_and_walks_on)
{
	struct kl_progress p;

	ck_assert_int_eq(read_feedback("collapsed_1"), KL_OK);
	ck_assert_uint_eq(f.code, KL_ST_HELP_STARTED);
	ck_assert_uint_eq(kl_feedback_check(&f, 1, NULL), KL_C_OK);
	kl_progress_init(&p, KL_ST_DELIVERED, KL_LEVEL_3);
	ck_assert_uint_eq(kl_progress_step(&p, &f), KL_C_OK);
	f.code = KL_ST_PLAN_READY;
	ck_assert_uint_eq(kl_progress_step(&p, &f), KL_C_OK);
}
END_TEST

#if KL_SCHEMA_MAX == 1

START_TEST(a_newer_schema_is_refused_as_such)
{
	ck_assert_int_eq(read_feedback("new_code_2"), KL_E_UNKNOWN);
	ck_assert_int_eq(read_feedback("old_code_2"), KL_E_UNKNOWN);
	ck_assert_int_eq(read_referral("referral_2"), KL_E_UNKNOWN);
	ck_assert_ptr_null(kl_state_row(29));
	ck_assert_uint_eq(kl_state_read("budget_course"), 0);
}
END_TEST

#else

static const struct kl_feedback course = {
	.code = KL_ST_BUDGET_COURSE, .day = 20781, .level = 0,
};

/* As a desk sends: to the schemas that the receiver's prekey states. */
static bool
send_to(uint32_t schema_min, uint32_t schema_max, uint32_t level,
    struct kl_bytes *content)
{
	static uint8_t buf[KL_CONTENT_FEEDBACK_BYTES];
	struct kl_feedback out;
	size_t n;

	schema = kl_content_schema(schema_min, schema_max);
	if (!kl_feedback_collapse(&course, level, schema, &out))
		return false;
	ck_assert_int_eq(kl_content_pack_feedback(&out, schema, buf,
	    sizeof buf, &n), KL_OK);
	*content = kl_bytes(buf, n);
	return true;
}

START_TEST(a_receiver_of_schema_1_gets_schema_1)
{
	struct kl_bytes content;

	ck_assert(send_to(1, 1, KL_LEVEL_3, &content));
	ck_assert_uint_eq(schema, 1);
	ck_assert(kl_bytes_equal(content, vectors_get(v, "collapsed_1")));
}
END_TEST

START_TEST(a_receiver_of_schema_2_gets_the_new_code)
{
	struct kl_bytes content;

	ck_assert(send_to(1, 2, KL_LEVEL_3, &content));
	ck_assert_uint_eq(schema, 2);
	ck_assert(kl_bytes_equal(content, vectors_get(v, "new_code_2")));
	ck_assert_int_eq(read_feedback("new_code_2"), KL_OK);
	ck_assert_uint_eq(f.code, KL_ST_BUDGET_COURSE);
	ck_assert_uint_eq(schema, 2);
	ck_assert_int_eq(read_feedback("old_code_2"), KL_OK);
	ck_assert_int_eq(read_referral("referral_2"), KL_OK);
	ck_assert_uint_eq(schema, 2);
}
END_TEST

START_TEST(level_and_schema_collapse_together)
{
	struct kl_feedback out;

	ck_assert(kl_feedback_collapse(&course, KL_LEVEL_2, 2, &out));
	ck_assert_uint_eq(out.code, KL_ST_HELP_STARTED);
	ck_assert(kl_feedback_collapse(&course, KL_LEVEL_2, 1, &out));
	ck_assert_uint_eq(out.code, KL_ST_HELP_STARTED);
	ck_assert(kl_feedback_collapse(&course, KL_LEVEL_1, 1, &out));
	ck_assert_uint_eq(out.code, KL_ST_TAKEN_UP);
	ck_assert(!kl_feedback_collapse(&course, KL_LEVEL_0, 1, &out));
}
END_TEST

START_TEST(a_hidden_step_is_not_sent_twice)
{
	struct kl_feedback before, now;

	before = course;
	before.code = KL_ST_HELP_STARTED;
	ck_assert(kl_feedback_collapse(&before, KL_LEVEL_3, 1, &before));
	ck_assert(kl_feedback_collapse(&course, KL_LEVEL_3, 1, &now));
	ck_assert(kl_feedback_same(&before, &now, false));
	ck_assert(kl_feedback_collapse(&course, KL_LEVEL_3, 2, &now));
	ck_assert(!kl_feedback_same(&before, &now, false));
}
END_TEST

START_TEST(a_new_code_cannot_be_written_in_an_old_schema)
{
	struct kl_feedback whole = course;
	uint8_t buf[KL_CONTENT_FEEDBACK_BYTES];
	size_t n;

	whole.level = KL_LEVEL_3;
	ck_assert_int_eq(kl_content_pack_feedback(&whole, 1, buf, sizeof buf,
	    &n), KL_E_VALUE);
	ck_assert_uint_eq(kl_feedback_check(&whole, 1, NULL), KL_C_SCHEMA);
}
END_TEST

/* The whole way: a prekey that opens schema 1 only, a header that says so. */
START_TEST(an_envelope_to_an_older_receiver_names_the_older_schema)
{
	struct kl_prekey prekey = { .schema_min = 1, .schema_max = 1 };
	struct kl_header h = { .version = 1, .suite = 1, .kind = KL_FEEDBACK,
		.purpose = 1, .sender_role = KL_STAFF_DESK,
		.milestone = KL_MS_IN_PROGRESS, .feedback_level = KL_LEVEL_3,
		.msg_id = { { 1 } }, .conv_id = { { 2 } }, .seq = 1,
		.answers = { { 3 } }, .created_ms = NOW,
		.deliver_by_ms = NOW + 1, .expire_at_ms = NOW + 2 };
	struct kl_secret *sk, *prekey_sk;
	struct kl_sealed sealed;
	struct kl_envelope e;
	struct kl_bytes content;
	struct kl_sign_pk pk;
	struct kl_hash body;
	uint8_t plain[KL_PLAIN_REFERRAL];
	size_t n;

	ck_assert_int_eq(kl_id_read("kvk:12345678", &h.sender), KL_OK);
	ck_assert_int_eq(kl_id_read("agb:01234567", &h.receiver), KL_OK);
	ck_assert_int_eq(kl_sign_keypair(&pk, &sk), KL_OK);
	ck_assert_int_eq(kl_dh_keypair(&prekey.pk, &prekey_sk), KL_OK);
	ck_assert(send_to(prekey.schema_min, prekey.schema_max, KL_LEVEL_3,
	    &content));
	h.content_schema = schema;
	ck_assert_int_eq(kl_envelope_seal(&h, NULL, NULL, content, &prekey.pk,
	    &pk, sk, &sealed), KL_OK);
	ck_assert_int_eq(kl_envelope_check(
	    kl_bytes(sealed.envelope, sealed.n_envelope),
	    kl_bytes(sealed.ct, sealed.n_ct), &pk, mem, &e, &body), KL_C_OK);
	ck_assert_int_eq(kl_envelope_open(&e, kl_bytes(sealed.ct,
	    sealed.n_ct), &pk, &prekey.pk, prekey_sk, plain, &n), KL_OK);
	ck_assert_int_eq(kl_content_read_feedback(kl_bytes(plain, n), mem, &f,
	    &schema), KL_OK);
	ck_assert_uint_eq(schema, e.header.content_schema);
	ck_assert_uint_eq(schema, 1);
	ck_assert_uint_eq(f.code, KL_ST_HELP_STARTED);
	kl_secret_free(sk);
	kl_secret_free(prekey_sk);
}
END_TEST

#endif

int
main(void)
{
	Suite *s = suite_create("schema_versions");
	TCase *tc = tcase_create("schema_versions");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_newest_schema_that_both_have_is_taken);
	tcase_add_test(tc, content_of_schema_1_is_read);
	tcase_add_test(tc, a_new_code_in_an_old_schema_is_refused);
	tcase_add_test(tc, what_a_new_code_collapses_to_is_read_and_walks_on);
#if KL_SCHEMA_MAX == 1
	tcase_add_test(tc, a_newer_schema_is_refused_as_such);
#else
	tcase_add_test(tc, a_receiver_of_schema_1_gets_schema_1);
	tcase_add_test(tc, a_receiver_of_schema_2_gets_the_new_code);
	tcase_add_test(tc, level_and_schema_collapse_together);
	tcase_add_test(tc, a_hidden_step_is_not_sent_twice);
	tcase_add_test(tc, a_new_code_cannot_be_written_in_an_old_schema);
	tcase_add_test(tc,
	    an_envelope_to_an_older_receiver_names_the_older_schema);
#endif
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
