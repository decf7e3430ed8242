#include <kortelijn/crypto/secret.h>

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <tests/support/starve.h>

static bool fault_mlock;

/* Stands before the C library's own, which sanitizers make do nothing. */
int
mlock(const void *p, size_t n)
{
	if (fault_mlock) {
		errno = EPERM;
		return -1;
	}
	return (int)syscall(SYS_mlock, p, n);
}

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
}

START_TEST(init_may_be_called_twice)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
}
END_TEST

START_TEST(init_answers_system_when_no_page_can_be_locked)
{
	fault_mlock = true;
	ck_assert_int_eq(kl_crypto_init(), KL_E_SYSTEM);
	fault_mlock = false;
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
}
END_TEST

START_TEST(copy_holds_the_bytes_and_its_own_memory)
{
	uint8_t b[64];
	struct kl_secret *s;

	for (size_t i = 0; i < sizeof b; i++)
		b[i] = (uint8_t)i;
	for (size_t n = 1; n <= sizeof b; n++) {
		s = kl_secret_copy(kl_bytes(b, n));
		ck_assert_ptr_nonnull(s);
		ck_assert(kl_secret_bytes(s).p != b);
		ck_assert(kl_bytes_equal(kl_secret_bytes(s), kl_bytes(b, n)));
		kl_secret_free(s);
	}
}
END_TEST

START_TEST(lengths_out_of_range_give_null)
{
	uint8_t b[KL_SECRET_MAX + 1] = { 0 };

	ck_assert_ptr_null(kl_secret_random(0));
	ck_assert_ptr_null(kl_secret_random(KL_SECRET_MAX + 1));
	ck_assert_ptr_null(kl_secret_copy(KL_BYTES_NONE));
	ck_assert_ptr_null(kl_secret_copy(KL_BYTES_OF(b)));
}
END_TEST

START_TEST(random_secrets_differ)
{
	struct kl_secret *a = kl_secret_random(32);
	struct kl_secret *b = kl_secret_random(32);

	ck_assert_uint_eq(kl_secret_bytes(a).n, 32);
	ck_assert(!kl_bytes_zero(kl_secret_bytes(a)));
	ck_assert(!kl_secret_equal(kl_secret_bytes(a), kl_secret_bytes(b)));
	kl_secret_free(a);
	kl_secret_free(b);
}
END_TEST

START_TEST(free_accepts_null)
{
	kl_secret_free(NULL);
}
END_TEST

START_TEST(memory_behind_a_secret_cannot_be_read)
{
	struct kl_secret *s = kl_secret_random(32);
	int fd[2];

	/* The kernel tells about the guard page without a signal. */
	ck_assert_int_eq(pipe(fd), 0);
	ck_assert_int_eq(write(fd[1], kl_secret_bytes(s).p, 32), 32);
	ck_assert_int_eq(write(fd[1], kl_secret_bytes(s).p + KL_SECRET_MAX,
	    1), -1);
	ck_assert_int_eq(errno, EFAULT);
	close(fd[0]);
	close(fd[1]);
	kl_secret_free(s);
}
END_TEST

static int
make_one(void *arg)
{
	(void)arg;
	return kl_secret_random(32) == NULL ? KL_E_MEMORY : KL_OK;
}

START_TEST(random_gives_null_when_no_memory_is_left)
{
	ck_assert_int_eq(starve_run(make_one, NULL), KL_E_MEMORY);
}
END_TEST

START_TEST(equal_compares_lengths_and_bytes)
{
	const struct kl_bytes a = kl_bytes_str("abcd");

	ck_assert(kl_secret_equal(a, kl_bytes_str("abcd")));
	ck_assert(!kl_secret_equal(a, kl_bytes_str("abce")));
	ck_assert(!kl_secret_equal(a, kl_bytes_str("abc")));
	ck_assert(kl_secret_equal(KL_BYTES_NONE, KL_BYTES_NONE));
}
END_TEST

START_TEST(wipe_zeroes)
{
	uint8_t b[16];

	memset(b, 0xaa, sizeof b);
	kl_wipe(b, sizeof b);
	ck_assert(kl_bytes_zero(KL_BYTES_OF(b)));
}
END_TEST

START_TEST(drawn_bytes_are_handed_out_once_and_wiped)
{
	static struct kl_random_pool pool;
	static const uint8_t none[KL_RANDOM_POOL];
	uint8_t all[KL_RANDOM_POOL], a[24], b[24];

	kl_random_draw(&pool, all, sizeof all);
	ck_assert_uint_eq(pool.left, 0);
	ck_assert_mem_eq(pool.b, none, sizeof none);
	kl_random_draw(&pool, a, sizeof a);
	ck_assert_uint_eq(pool.left, sizeof pool.b - sizeof a);
	ck_assert_mem_eq(pool.b + pool.left, none, sizeof a);
	for (int i = 0; i < 1000; i++) {
		kl_random_draw(&pool, b, sizeof b);
		ck_assert_mem_ne(a, b, sizeof a);
		ck_assert(!kl_bytes_zero(KL_BYTES_OF(b)));
	}
}
END_TEST

START_TEST(random_below_stays_below_and_reaches_all)
{
	unsigned seen = 0;

	for (int i = 0; i < 1000; i++) {
		uint32_t v = kl_random_below(5);

		ck_assert_uint_lt(v, 5);
		seen |= 1u << v;
	}
	ck_assert_uint_eq(seen, 31);
}
END_TEST

START_TEST(random_fills_all_bytes)
{
	uint8_t any[33] = { 0 }, b[33];

	b[32] = 0x5a;
	for (int i = 0; i < 64; i++) {
		kl_random(b, 32);
		for (size_t j = 0; j < 32; j++)
			any[j] |= b[j];
	}
	for (size_t j = 0; j < 32; j++)
		ck_assert_uint_ne(any[j], 0);
	ck_assert_uint_eq(b[32], 0x5a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("secret");
	TCase *tc = tcase_create("secret");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, init_may_be_called_twice);
	tcase_add_test(tc, init_answers_system_when_no_page_can_be_locked);
	tcase_add_test(tc, copy_holds_the_bytes_and_its_own_memory);
	tcase_add_test(tc, lengths_out_of_range_give_null);
	tcase_add_test(tc, random_secrets_differ);
	tcase_add_test(tc, free_accepts_null);
	tcase_add_test(tc, memory_behind_a_secret_cannot_be_read);
	tcase_add_test(tc, random_gives_null_when_no_memory_is_left);
	tcase_add_test(tc, equal_compares_lengths_and_bytes);
	tcase_add_test(tc, wipe_zeroes);
	tcase_add_test(tc, drawn_bytes_are_handed_out_once_and_wiped);
	tcase_add_test(tc, random_below_stays_below_and_reaches_all);
	tcase_add_test(tc, random_fills_all_bytes);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
