#include <kortelijn/end/recovery.h>

#include <check.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/seal.h>

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
}

START_TEST(letters_give_the_key_back)
{
	struct kl_secret *sk, *back;
	struct kl_dh_pk pk, again;
	struct kl_recovery_text t;

	ck_assert_int_eq(kl_recovery_make(&pk, &sk), KL_OK);
	t = kl_recovery_text(sk);
	ck_assert_uint_eq(strlen(t.b), sizeof t.b - 1);
	ck_assert_int_eq(kl_recovery_read(kl_bytes_str(t.b), &back), KL_OK);
	ck_assert(kl_secret_equal(kl_secret_bytes(sk),
	    kl_secret_bytes(back)));
	ck_assert_int_eq(kl_dh_public(back, &again), KL_OK);
	ck_assert_mem_eq(&pk, &again, sizeof pk);
	kl_secret_free(sk);
	kl_secret_free(back);
}
END_TEST

START_TEST(letters_are_those_of_the_bits)
{
	uint8_t ones[32];
	struct kl_secret *sk;

	memset(ones, 0xff, sizeof ones);
	sk = kl_secret_copy(KL_BYTES_OF(ones));
	ck_assert_ptr_nonnull(sk);
	/* 51 times 31, and one bit of the last letter. */
	ck_assert_mem_eq(kl_recovery_text(sk).b, "ZZZZ-ZZZZ-", 10);
	ck_assert_int_eq(kl_recovery_text(sk).b[63], kl_letters[16]);
	kl_secret_free(sk);
}
END_TEST

START_TEST(typed_without_dashes_in_small_letters_it_is_the_same)
{
	struct kl_secret *sk, *back;
	struct kl_dh_pk pk;
	char typed[200] = " \n";
	size_t n = 2;

	ck_assert_int_eq(kl_recovery_make(&pk, &sk), KL_OK);
	for (const char *p = kl_recovery_text(sk).b; *p != '\0'; p++)
		if (*p != '-' && *p != ' ') {
			typed[n++] = (char)tolower(*p);
			typed[n++] = ' ';
		}
	ck_assert_int_eq(kl_recovery_read(kl_bytes(typed, n), &back), KL_OK);
	ck_assert(kl_secret_equal(kl_secret_bytes(sk),
	    kl_secret_bytes(back)));
	kl_secret_free(sk);
	kl_secret_free(back);
}
END_TEST

START_TEST(each_wrong_letter_is_noticed)
{
	struct kl_recovery_text t, wrong;
	struct kl_secret *sk, *back;
	struct kl_dh_pk pk;

	ck_assert_int_eq(kl_recovery_make(&pk, &sk), KL_OK);
	t = kl_recovery_text(sk);
	for (size_t i = 0; t.b[i] != '\0'; i++) {
		if (t.b[i] == '-' || t.b[i] == ' ')
			continue;
		wrong = t;
		wrong.b[i] = t.b[i] == 'A' ? 'B' : 'A';
		ck_assert_int_eq(kl_recovery_read(kl_bytes_str(wrong.b),
		    &back), KL_E_VALUE);
		ck_assert_ptr_null(back);
	}
	kl_secret_free(sk);
}
END_TEST

START_TEST(what_is_no_key_is_refused)
{
	struct kl_recovery_text t;
	struct kl_secret *sk, *back;
	struct kl_dh_pk pk;

	ck_assert_int_eq(kl_recovery_make(&pk, &sk), KL_OK);
	t = kl_recovery_text(sk);
	kl_secret_free(sk);
	ck_assert_int_eq(kl_recovery_read(kl_bytes(t.b, 64), &back),
	    KL_E_FORMAT);
	ck_assert_int_eq(kl_recovery_read(KL_BYTES_NONE, &back), KL_E_FORMAT);
	t.b[0] = 'U';
	ck_assert_int_eq(kl_recovery_read(kl_bytes_str(t.b), &back),
	    KL_E_FORMAT);
	t.b[0] = '\0';
	ck_assert_int_eq(kl_recovery_read(kl_bytes(t.b, sizeof t.b), &back),
	    KL_E_FORMAT);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("recovery");
	TCase *tc = tcase_create("recovery");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_unchecked_fixture(tc, setup, NULL);
	suite_add_tcase(s, tc);
	tcase_add_test(tc, letters_give_the_key_back);
	tcase_add_test(tc, letters_are_those_of_the_bits);
	tcase_add_test(tc,
	    typed_without_dashes_in_small_letters_it_is_the_same);
	tcase_add_test(tc, each_wrong_letter_is_noticed);
	tcase_add_test(tc, what_is_no_key_is_refused);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
