#include <kortelijn/host/master.h>

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/tmpdir.h"

static struct tmpdir dir;
static struct kl_master m;
static struct kl_conf_error why;
static struct tmpdir_path state;

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	ck_assert_int_eq(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	dir = tmpdir_make();
	state = tmpdir_file(&dir, "state");
	ck_assert_int_eq(mkdir(state.b, 0700), 0);
}

static void
teardown(void)
{
	kl_master_clear(&m);
	tmpdir_remove(&dir);
}

static struct tmpdir_path
put(const char *name, const char *content, mode_t mode)
{
	struct tmpdir_path p = tmpdir_file(&dir, name);
	int fd = open(p.b, O_WRONLY | O_CREAT | O_TRUNC, mode);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, content, strlen(content)),
	    (ssize_t)strlen(content));
	ck_assert_int_eq(fchmod(fd, mode), 0);
	ck_assert_int_eq(close(fd), 0);
	return p;
}

static int
read_files(const char *file, const char *old)
{
	const struct kl_master_files f = { file, old, state.b };

	kl_master_clear(&m);
	memset(&why, 0, sizeof why);
	return kl_master_read(&f, &m, &why);
}

#define SECRET "0123456789abcdef0123456789abcdef"
#define OTHER "0123456789abcdef0123456789abcdeX and more of it"

static bool
same(const struct kl_secret *a, const struct kl_secret *b)
{
	return kl_secret_equal(kl_secret_bytes(a), kl_secret_bytes(b));
}

START_TEST(nothing_given_is_no_secret)
{
	ck_assert_int_eq(read_files("", ""), KL_OK);
	ck_assert_ptr_null(m.secret);
	ck_assert_ptr_null(m.before);
}
END_TEST

START_TEST(key_file_of_any_length_from_32_bytes)
{
	struct tmpdir_path a = put("a", SECRET, 0600);
	struct tmpdir_path b = put("b", OTHER, 0400);

	ck_assert_int_eq(read_files(a.b, b.b), KL_OK);
	ck_assert_uint_eq(kl_secret_bytes(m.secret).n, 32);
	ck_assert(!same(m.secret, m.before));
	ck_assert_int_eq(read_files(a.b, a.b), KL_OK);
	ck_assert(same(m.secret, m.before));
}
END_TEST

START_TEST(credential_gives_the_same_secret_as_a_file)
{
	struct tmpdir_path file = put("kortelijn-master", SECRET, 0600);
	struct kl_secret *secret;

	ck_assert_int_eq(read_files(file.b, ""), KL_OK);
	secret = kl_secret_copy(kl_secret_bytes(m.secret));
	ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", dir.path, 1), 0);
	/* Its mode is the service manager's affair. */
	ck_assert_int_eq(chmod(file.b, 0440), 0);
	ck_assert_int_eq(read_files("", ""), KL_OK);
	ck_assert(same(secret, m.secret));
	kl_secret_free(secret);
}
END_TEST

START_TEST(credential_beside_a_file_is_refused_but_not_the_old_one)
{
	struct tmpdir_path file = put("file", OTHER, 0600);

	(void)put("kortelijn-master", SECRET, 0400);
	ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", dir.path, 1), 0);
	ck_assert_int_eq(read_files(file.b, ""), KL_E_CONFIG);
	ck_assert_ptr_nonnull(strstr(why.b, "master_key_old"));
	ck_assert_int_eq(read_files("", file.b), KL_OK);
	ck_assert_ptr_nonnull(m.before);
	(void)put("kortelijn-master-old", SECRET, 0400);
	ck_assert_int_eq(read_files("", file.b), KL_E_CONFIG);
	ck_assert_int_eq(read_files("", ""), KL_OK);
	ck_assert(same(m.secret, m.before));
}
END_TEST

START_TEST(wrong_files_are_refused_with_what_to_do)
{
	struct tmpdir_path shortest = put("short", "0123456789", 0600);
	struct tmpdir_path open_to_all = put("open", SECRET, 0644);
	struct tmpdir_path inside = put("state/key", SECRET, 0600);

	ck_assert_int_eq(read_files(shortest.b, ""), KL_E_CONFIG);
	ck_assert_ptr_nonnull(strstr(why.b, "32"));
	ck_assert_int_eq(read_files(open_to_all.b, ""), KL_E_CONFIG);
	ck_assert_ptr_nonnull(strstr(why.b, "chmod"));
	ck_assert_int_eq(read_files(inside.b, ""), KL_E_CONFIG);
	ck_assert_ptr_nonnull(strstr(why.b, "elsewhere"));
	ck_assert_int_eq(read_files("", inside.b), KL_E_CONFIG);
	ck_assert_int_eq(read_files(tmpdir_file(&dir, "none").b, ""),
	    KL_E_CONFIG);
	ck_assert_ptr_nonnull(strstr(why.b, "not there"));
	ck_assert_ptr_null(m.secret);
}
END_TEST

START_TEST(secret_is_in_no_error)
{
	struct tmpdir_path p = put("open", SECRET, 0644);

	ck_assert_int_eq(read_files(p.b, ""), KL_E_CONFIG);
	ck_assert_ptr_null(strstr(why.b, SECRET));
}
END_TEST

START_TEST(advice_for_a_missing_and_for_another_secret)
{
	ck_assert_ptr_nonnull(strstr(kl_master_advice(KL_E_NOT_FOUND),
	    "kortelijn-master"));
	ck_assert_ptr_nonnull(strstr(kl_master_advice(KL_E_SIGNATURE),
	    "master_key_old"));
	ck_assert_ptr_null(kl_master_advice(KL_E_IO));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("master");
	TCase *tc = tcase_create("master");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing_given_is_no_secret);
	tcase_add_test(tc, key_file_of_any_length_from_32_bytes);
	tcase_add_test(tc, credential_gives_the_same_secret_as_a_file);
	tcase_add_test(tc,
	    credential_beside_a_file_is_refused_but_not_the_old_one);
	tcase_add_test(tc, wrong_files_are_refused_with_what_to_do);
	tcase_add_test(tc, secret_is_in_no_error);
	tcase_add_test(tc, advice_for_a_missing_and_for_another_secret);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
