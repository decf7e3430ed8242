#include <kortelijn/crypto/keyfile_sealed.h>

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/crypto/keyfile.h>
#include <kortelijn/crypto/sign.h>
#include <tests/support/starve.h>
#include <tests/support/tmpdir.h>

/* The bytes 0 to 31 under "correct horse", one pass over 8 KiB; put together
 * by another program, which knows only libsodium and the header. */
#define FRONT "kortelijn-sealed-v1 transport "
#define BYTES \
    "AAAAAQAAAAgAAQIDBAUGBwgJCgsMDQ4PZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7" \
    "7gxOwxT0ecIQjHY7aR3LaWOYPuJYzEidvAR5+GZlqcO8jjmDyCVVe/nGHl7Z4sjC"
#define LINE FRONT BYTES "\n"
#define WORDS "correct horse"

static struct tmpdir dir;
static struct tmpdir_path path;

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	dir = tmpdir_make();
	path = tmpdir_file(&dir, "key");
}

static void
teardown(void)
{
	tmpdir_remove(&dir);
}

static void
put(const char *text, size_t n)
{
	FILE *f = fopen(path.b, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, n, f), n);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path.b, 0600), 0);
}

static int
try_read(const char *purpose, const char *words)
{
	struct kl_secret *got = NULL;
	int r = kl_keyfile_sealed_read(AT_FDCWD, path.b, purpose,
	    kl_bytes_str(words), &got);

	ck_assert((r == KL_OK) == (got != NULL));
	kl_secret_free(got);
	return r;
}

START_TEST(format_is_as_another_program_writes_it)
{
	struct kl_secret *got;
	struct kl_bytes b;

	put(LINE, strlen(LINE));
	ck_assert_int_eq(kl_keyfile_sealed_read(AT_FDCWD, path.b, "transport",
	    kl_bytes_str(WORDS), &got), KL_OK);
	b = kl_secret_bytes(got);
	ck_assert_uint_eq(b.n, 32);
	for (size_t i = 0; i < b.n; i++)
		ck_assert_uint_eq(b.p[i], i);
	kl_secret_free(got);
}
END_TEST

START_TEST(signing_key_reads_back_under_its_passphrase)
{
	struct kl_secret *sk, *got;
	struct kl_sign_pk pk;
	struct stat st;

	ck_assert_int_eq(kl_sign_keypair(&pk, &sk), KL_OK);
	ck_assert_int_eq(kl_keyfile_sealed_write(AT_FDCWD, path.b, "identity",
	    sk, kl_bytes_str("a long sentence")), KL_OK);
	ck_assert_int_eq(stat(path.b, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(kl_keyfile_sealed_read(AT_FDCWD, path.b, "identity",
	    kl_bytes_str("a long sentence"), &got), KL_OK);
	ck_assert(kl_bytes_equal(kl_secret_bytes(sk), kl_secret_bytes(got)));
	kl_secret_free(got);
	ck_assert_int_eq(try_read("identity", "a long sentencf"),
	    KL_E_SIGNATURE);
	ck_assert_int_eq(try_read("transport", "a long sentence"),
	    KL_E_FORMAT);
	kl_secret_free(sk);
}
END_TEST

START_TEST(another_passphrase_does_not_open_it)
{
	put(LINE, strlen(LINE));
	ck_assert_int_eq(try_read("transport", WORDS), KL_OK);
	ck_assert_int_eq(try_read("transport", "Correct horse"),
	    KL_E_SIGNATURE);
	ck_assert_int_eq(try_read("transport", ""), KL_E_SIGNATURE);
}
END_TEST

/* One letter of the base64 becomes another: every one counts, also those that
 * say how the key is made. */
START_TEST(no_bit_of_it_may_change)
{
	const size_t front = strlen(FRONT), n = strlen(LINE);
	char line[sizeof LINE];
	int r;

	for (size_t i = front; i + 1 < n; i++) {
		memcpy(line, LINE, sizeof line);
		line[i] = line[i] == 'B' ? 'C' : 'B';
		put(line, n);
		r = try_read("transport", WORDS);
		ck_assert_msg(r == KL_E_SIGNATURE || r == KL_E_VALUE,
		    "letter %zu: %d", i, r);
	}
}
END_TEST

START_TEST(file_does_not_decide_how_much_it_costs_to_read)
{
	/* 2^24 passes; 2^31 KiB; none. */
	static const char *const heads[] = {
		"AQAAAAAAAAgA", "AAAAAYAAAAgA", "AAAAAAAAAAgA", "AAAAAQAAAAAA",
	};
	char line[sizeof LINE];

	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		memcpy(line, LINE, sizeof line);
		memcpy(line + strlen(FRONT), heads[i], strlen(heads[i]));
		put(line, strlen(LINE));
		ck_assert_int_eq(try_read("transport", WORDS), KL_E_VALUE);
	}
}
END_TEST

START_TEST(anything_but_the_one_line_is_refused)
{
	static const char *const bad[] = {
		"", "\n", FRONT "\n", FRONT BYTES, FRONT BYTES "\n\n",
		"kortelijn-sealed-v2 transport " BYTES "\n",
		"kortelijn-secret-v1 transport " BYTES "\n",
		"kortelijn-sealed-v1 identity " BYTES "\n",
		FRONT BYTES "AAAA\n", FRONT "AAAA" BYTES "\n",
		FRONT "AAAAAQAAAAgAAQIDBAUGBwgJCgsMDQ4P\n",
		FRONT "-_-_" BYTES "\n",
	};
	char large[300];

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		put(bad[i], strlen(bad[i]));
		ck_assert_msg(try_read("transport", WORDS) == KL_E_FORMAT,
		    "%zu", i);
	}
	memset(large, 'A', sizeof large);
	put(large, sizeof large);
	ck_assert_int_eq(try_read("transport", WORDS), KL_E_FORMAT);
	put(LINE, strlen(LINE));
	ck_assert_int_eq(try_read("nothing", WORDS), KL_E_FORMAT);
}
END_TEST

START_TEST(rights_of_the_file_are_those_of_every_key)
{
	ck_assert_int_eq(try_read("transport", WORDS), KL_E_NOT_FOUND);
	put(LINE, strlen(LINE));
	ck_assert_int_eq(chmod(path.b, 0640), 0);
	ck_assert_int_eq(try_read("transport", WORDS), KL_E_DENIED);
}
END_TEST

START_TEST(sealed_and_plain_are_told_apart)
{
	struct kl_secret *sk = kl_secret_random(32), *got;
	bool sealed;

	ck_assert_int_eq(kl_keyfile_sealed(AT_FDCWD, path.b, &sealed),
	    KL_E_NOT_FOUND);
	ck_assert_int_eq(kl_keyfile_write(AT_FDCWD, path.b, "transport", sk),
	    KL_OK);
	ck_assert_int_eq(kl_keyfile_sealed(AT_FDCWD, path.b, &sealed), KL_OK);
	ck_assert(!sealed);
	ck_assert_int_eq(try_read("transport", WORDS), KL_E_FORMAT);
	put(LINE, strlen(LINE));
	ck_assert_int_eq(kl_keyfile_sealed(AT_FDCWD, path.b, &sealed), KL_OK);
	ck_assert(sealed);
	/* Nobody takes it for a key that needs none. */
	ck_assert_int_eq(kl_keyfile_read(AT_FDCWD, path.b, "transport", &got),
	    KL_E_FORMAT);
	kl_secret_free(sk);
}
END_TEST

START_TEST(new_passphrase_is_neither_short_nor_endless)
{
	struct kl_secret *sk = kl_secret_random(32);
	char words[KL_PASSPHRASE_MAX + 1];

	memset(words, 'a', sizeof words);
	ck_assert_int_eq(kl_keyfile_sealed_write(AT_FDCWD, path.b,
	    "transport", sk, kl_bytes(words, KL_PASSPHRASE_MIN - 1)),
	    KL_E_VALUE);
	ck_assert_int_eq(kl_keyfile_sealed_write(AT_FDCWD, path.b,
	    "transport", sk, kl_bytes(words, KL_PASSPHRASE_MAX + 1)),
	    KL_E_VALUE);
	ck_assert_int_eq(kl_keyfile_sealed_write(AT_FDCWD, path.b,
	    "identity", sk, kl_bytes(words, KL_PASSPHRASE_MIN)), KL_E_VALUE);
	ck_assert_int_ne(access(path.b, F_OK), 0);
	kl_secret_free(sk);
}
END_TEST

START_TEST(write_never_overwrites)
{
	struct kl_secret *sk = kl_secret_random(32);

	put(LINE, strlen(LINE));
	ck_assert_int_eq(kl_keyfile_sealed_write(AT_FDCWD, path.b,
	    "transport", sk, kl_bytes_str("correct horse")), KL_E_EXISTS);
	ck_assert_int_eq(try_read("transport", WORDS), KL_OK);
	kl_secret_free(sk);
}
END_TEST

static int
starved(void *arg)
{
	(void)arg;
	return try_read("transport", WORDS);
}

START_TEST(read_answers_memory_when_none_is_left)
{
	put(LINE, strlen(LINE));
	ck_assert_int_eq(starve_run(starved, NULL), KL_E_MEMORY);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("keyfile_sealed");
	TCase *tc = tcase_create("keyfile_sealed");
	SRunner *sr = srunner_create(s);
	int failed;

	/* Three passes over 256 MiB take their time. */
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, format_is_as_another_program_writes_it);
	tcase_add_test(tc, signing_key_reads_back_under_its_passphrase);
	tcase_add_test(tc, another_passphrase_does_not_open_it);
	tcase_add_test(tc, no_bit_of_it_may_change);
	tcase_add_test(tc, file_does_not_decide_how_much_it_costs_to_read);
	tcase_add_test(tc, anything_but_the_one_line_is_refused);
	tcase_add_test(tc, rights_of_the_file_are_those_of_every_key);
	tcase_add_test(tc, sealed_and_plain_are_told_apart);
	tcase_add_test(tc, new_passphrase_is_neither_short_nor_endless);
	tcase_add_test(tc, write_never_overwrites);
	tcase_add_test(tc, read_answers_memory_when_none_is_left);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
