#include <kortelijn/end/stream.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define CHUNKS 3
#define PLAIN 100
#define SEALED (PLAIN + KL_STREAM_EXTRA)

static struct kl_secret *sk;
static struct kl_dh_pk pk, ephemeral;
static const char head[] = "kortelijn test";
static uint8_t ct[CHUNKS][SEALED];
static struct kl_stream in;

static struct kl_bytes
plain(unsigned i)
{
	static uint8_t buf[PLAIN];

	memset(buf, (int)('a' + i), sizeof buf);
	return KL_BYTES_OF(buf);
}

static void
setup(void)
{
	struct kl_stream out;
	uint8_t spare[SEALED];

	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	ck_assert_int_eq(kl_dh_keypair(&pk, &sk), KL_OK);
	ck_assert_int_eq(kl_stream_begin(&out, &pk, kl_bytes_str(head),
	    &ephemeral), KL_OK);
	for (unsigned i = 0; i < CHUNKS; i++)
		ck_assert_int_eq(kl_stream_seal(&out, plain(i), i ==
		    CHUNKS - 1, ct[i]), KL_OK);
	ck_assert_int_eq(kl_stream_seal(&out, plain(0), true, spare),
	    KL_E_VALUE);
	kl_stream_clear(&out);
	ck_assert_int_eq(kl_stream_open(&in, sk, &ephemeral,
	    kl_bytes_str(head)), KL_OK);
}

static void
teardown(void)
{
	kl_stream_clear(&in);
	kl_secret_free(sk);
}

static int
next(unsigned i, bool last)
{
	uint8_t out[PLAIN];
	int r = kl_stream_unseal(&in, KL_BYTES_OF(ct[i]), last, out);

	if (r == KL_OK)
		ck_assert_mem_eq(out, plain(i).p, PLAIN);
	return r;
}

START_TEST(what_was_sealed_opens_in_order)
{
	ck_assert_int_eq(next(0, false), KL_OK);
	ck_assert_int_eq(next(1, false), KL_OK);
	ck_assert_int_eq(next(2, true), KL_OK);
	ck_assert_int_eq(next(2, true), KL_E_VALUE);
}
END_TEST

START_TEST(what_was_left_out_moved_or_repeated_is_refused)
{
	ck_assert_int_eq(next(1, false), KL_E_SIGNATURE);
	ck_assert_int_eq(next(0, false), KL_OK);
	ck_assert_int_eq(next(0, false), KL_E_SIGNATURE);
	ck_assert_int_eq(next(2, true), KL_E_SIGNATURE);
}
END_TEST

START_TEST(an_end_that_is_none_is_refused)
{
	ck_assert_int_eq(next(0, true), KL_E_SIGNATURE);
	ck_assert_int_eq(next(0, false), KL_OK);
	ck_assert_int_eq(next(1, false), KL_OK);
	ck_assert_int_eq(next(2, false), KL_E_SIGNATURE);
}
END_TEST

START_TEST(each_flipped_bit_is_noticed)
{
	for (size_t i = 0; i < 8 * SEALED; i++) {
		ct[0][i / 8] ^= (uint8_t)(1u << i % 8);
		ck_assert_int_eq(next(0, false), KL_E_SIGNATURE);
		ct[0][i / 8] ^= (uint8_t)(1u << i % 8);
	}
	ck_assert_int_eq(next(0, false), KL_OK);
}
END_TEST

START_TEST(another_key_or_head_opens_nothing)
{
	struct kl_secret *other;
	struct kl_dh_pk its;
	uint8_t out[PLAIN];

	ck_assert_int_eq(kl_dh_keypair(&its, &other), KL_OK);
	ck_assert_int_eq(kl_stream_open(&in, other, &ephemeral,
	    kl_bytes_str(head)), KL_OK);
	ck_assert_int_eq(next(0, false), KL_E_SIGNATURE);
	ck_assert_int_eq(kl_stream_open(&in, sk, &ephemeral,
	    kl_bytes_str("kortelijn tesT")), KL_OK);
	ck_assert_int_eq(next(0, false), KL_E_SIGNATURE);
	ck_assert_int_eq(kl_stream_unseal(&in, kl_bytes(ct[0], 15), false,
	    out), KL_E_SIZE);
	kl_secret_free(other);
}
END_TEST

START_TEST(a_key_without_effect_is_refused)
{
	const struct kl_dh_pk zero = { { 0 } };

	ck_assert_int_eq(kl_stream_begin(&in, &zero, KL_BYTES_NONE,
	    &ephemeral), KL_E_VALUE);
	ck_assert_int_eq(kl_stream_open(&in, sk, &zero, KL_BYTES_NONE),
	    KL_E_VALUE);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("stream");
	TCase *tc = tcase_create("stream");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	suite_add_tcase(s, tc);
	tcase_add_test(tc, what_was_sealed_opens_in_order);
	tcase_add_test(tc, what_was_left_out_moved_or_repeated_is_refused);
	tcase_add_test(tc, an_end_that_is_none_is_refused);
	tcase_add_test(tc, each_flipped_bit_is_noticed);
	tcase_add_test(tc, another_key_or_head_opens_nothing);
	tcase_add_test(tc, a_key_without_effect_is_refused);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
