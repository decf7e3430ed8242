#include <kortelijn/crypto/keyfile.h>

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/crypto/sign.h>
#include <tests/support/starve.h>
#include <tests/support/tmpdir.h>
#include <tests/support/vectors.h>

static const struct {
	const char *name;
	size_t n;
} purposes[] = {
	{ "authority", 64 }, { "identity", 64 }, { "log", 64 },
	{ "witness", 64 }, { "transport", 32 }, { "master", 32 },
	{ "recovery", 32 },
};

static struct tmpdir dir;
static struct tmpdir_path path;
static struct kl_secret *sk;	/* a master key */

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	dir = tmpdir_make();
	path = tmpdir_file(&dir, "key");
	sk = kl_secret_random(32);
}

static void
teardown(void)
{
	kl_secret_free(sk);
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
try_read(const char *purpose)
{
	struct kl_secret *got = sk;
	int r = kl_keyfile_read(AT_FDCWD, path.b, purpose, &got);

	ck_assert((r == KL_OK) == (got != NULL));
	kl_secret_free(got);
	return r;
}

static void
write_master(void)
{
	ck_assert_int_eq(kl_keyfile_write(AT_FDCWD, path.b, "master", sk),
	    KL_OK);
}

static struct kl_secret *
secret_for(size_t n)
{
	struct kl_secret *s = NULL;
	struct kl_sign_pk pk;

	if (n == KL_SIGN_SECRET_BYTES)
		ck_assert_int_eq(kl_sign_keypair(&pk, &s), KL_OK);
	else
		s = kl_secret_random(n);
	return s;
}

START_TEST(every_purpose_reads_back_what_was_written)
{
	for (size_t i = 0; i < sizeof purposes / sizeof purposes[0]; i++) {
		struct kl_secret *in = secret_for(purposes[i].n), *out;
		const char *name = purposes[i].name;
		struct tmpdir_path p = tmpdir_file(&dir, name);

		ck_assert_int_eq(kl_keyfile_write(AT_FDCWD, p.b, name, in),
		    KL_OK);
		ck_assert_int_eq(kl_keyfile_read(AT_FDCWD, p.b, name, &out),
		    KL_OK);
		ck_assert(kl_secret_equal(kl_secret_bytes(in),
		    kl_secret_bytes(out)));
		kl_secret_free(in);
		kl_secret_free(out);
	}
}
END_TEST

START_TEST(paths_are_relative_to_the_directory)
{
	int fd = open(dir.path, O_RDONLY | O_DIRECTORY);
	struct kl_secret *out;

	ck_assert_int_eq(kl_keyfile_write(fd, "key", "master", sk), KL_OK);
	ck_assert_int_eq(kl_keyfile_read(fd, "key", "master", &out), KL_OK);
	ck_assert_int_eq(access(path.b, F_OK), 0);
	kl_secret_free(out);
	close(fd);
}
END_TEST

START_TEST(the_file_is_one_line_for_its_owner_alone)
{
	char line[256] = "";
	struct stat st;
	FILE *f;

	umask(0);
	write_master();
	ck_assert_int_eq(stat(path.b, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	f = fopen(path.b, "r");
	ck_assert_ptr_nonnull(fgets(line, sizeof line, f));
	ck_assert_int_eq(getc(f), EOF);
	fclose(f);
	ck_assert_int_eq(strncmp(line, "kortelijn-secret-v1 master ", 27), 0);
	ck_assert_uint_eq(strlen(line), 27 + 44 + 1);
}
END_TEST

START_TEST(write_never_overwrites)
{
	struct kl_secret *other = kl_secret_random(32), *out;

	write_master();
	ck_assert_int_eq(kl_keyfile_write(AT_FDCWD, path.b, "master", other),
	    KL_E_EXISTS);
	ck_assert_int_eq(kl_keyfile_read(AT_FDCWD, path.b, "master", &out),
	    KL_OK);
	ck_assert(kl_secret_equal(kl_secret_bytes(sk),
	    kl_secret_bytes(out)));
	kl_secret_free(out);
	kl_secret_free(other);
}
END_TEST

START_TEST(write_refuses_unknown_purposes_and_other_lengths)
{
	ck_assert_int_eq(kl_keyfile_write(AT_FDCWD, path.b, "house", sk),
	    KL_E_VALUE);
	ck_assert_int_eq(kl_keyfile_write(AT_FDCWD, path.b, "identity", sk),
	    KL_E_VALUE);
	ck_assert_int_ne(access(path.b, F_OK), 0);
}
END_TEST

START_TEST(write_answers_io_without_a_directory)
{
	struct tmpdir_path p = tmpdir_file(&dir, "none/key");

	ck_assert_int_eq(kl_keyfile_write(AT_FDCWD, p.b, "master", sk),
	    KL_E_IO);
}
END_TEST

START_TEST(a_missing_file_is_not_found)
{
	ck_assert_int_eq(try_read("master"), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(a_name_too_long_answers_io)
{
	size_t n = strlen(path.b);

	memset(path.b + n, 'a', 256);	/* NAME_MAX is 255 */
	path.b[n + 256] = '\0';
	ck_assert_int_eq(try_read("master"), KL_E_IO);
}
END_TEST

START_TEST(modes_that_let_others_in_are_denied)
{
	static const mode_t bad[] = { 0640, 0604, 0644, 0620, 0602, 0700,
		0610, 0666, 0440, 04600 };

	write_master();
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		ck_assert_int_eq(chmod(path.b, bad[i]), 0);
		ck_assert_int_eq(try_read("master"), KL_E_DENIED);
	}
	ck_assert_int_eq(chmod(path.b, 0400), 0);
	ck_assert_int_eq(try_read("master"), KL_OK);
}
END_TEST

START_TEST(a_file_of_somebody_else_is_denied)
{
	write_master();
	/* Only root can give a file away. */
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(path.b, 65534, 65534), 0);
	ck_assert_int_eq(try_read("master"), KL_E_DENIED);
}
END_TEST

START_TEST(links_pipes_and_directories_are_denied)
{
	struct tmpdir_path to = tmpdir_file(&dir, "to");

	write_master();
	ck_assert_int_eq(rename(path.b, to.b), 0);
	ck_assert_int_eq(symlink(to.b, path.b), 0);
	ck_assert_int_eq(try_read("master"), KL_E_DENIED);
	ck_assert_int_eq(unlink(path.b), 0);
	ck_assert_int_eq(mkfifo(path.b, 0600), 0);
	ck_assert_int_eq(try_read("master"), KL_E_DENIED);
	ck_assert_int_eq(unlink(path.b), 0);
	ck_assert_int_eq(mkdir(path.b, 0700), 0);
	ck_assert_int_eq(try_read("master"), KL_E_DENIED);
}
END_TEST

START_TEST(another_purpose_is_refused)
{
	write_master();
	ck_assert_int_eq(try_read("recovery"), KL_E_FORMAT);
	ck_assert_int_eq(try_read("mast"), KL_E_FORMAT);
	ck_assert_int_eq(try_read("house"), KL_E_FORMAT);
}
END_TEST

#define B64_31 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg=="
#define B64_32 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

START_TEST(anything_but_the_one_line_is_refused)
{
	static const char *const bad[] = {
		"",
		"\n",
		"kortelijn-secret-v1 master \n",
		"kortelijn-secret-v1 master",
		"kortelijn-secret-v1 master " B64_32,
		"kortelijn-secret-v1 master " B64_32 "\r\n",
		"kortelijn-secret-v1 master " B64_32 "\n\n",
		"kortelijn-secret-v1 master " B64_32 " \n",
		"kortelijn-secret-v1 master  " B64_32 "\n",
		"kortelijn-secret-v2 master " B64_32 "\n",
		" kortelijn-secret-v1 master " B64_32 "\n",
		"kortelijn-secret-v1 master " B64_31 "\n",
		"kortelijn-secret-v1 master " B64_32 B64_32 "\n",
		"kortelijn-secret-v1 master "
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\n",
		"kortelijn-secret-v1 master "
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n",
		"kortelijn-secret-v1 master "
		"AAECAwQFBgcICQoLDA0O*xAREhMUFRYXGBkaGxwdHh8=\n",
	};
	static const char good[] =
	    "kortelijn-secret-v1 master " B64_32 "\n";

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		put(bad[i], strlen(bad[i]));
		ck_assert_msg(try_read("master") == KL_E_FORMAT, "%s",
		    bad[i]);
	}
	put(good, sizeof good - 1);
	ck_assert_int_eq(try_read("master"), KL_OK);
	put(good, sizeof good);	/* with its NUL */
	ck_assert_int_eq(try_read("master"), KL_E_FORMAT);
}
END_TEST

START_TEST(a_large_file_is_refused)
{
	char big[4096];

	memset(big, 'A', sizeof big);
	put(big, sizeof big);
	ck_assert_int_eq(try_read("master"), KL_E_FORMAT);
}
END_TEST

START_TEST(halves_that_do_not_belong_together_are_refused)
{
	uint8_t b[KL_SIGN_SECRET_BYTES];
	struct kl_secret *good = secret_for(sizeof b), *bad;

	memcpy(b, kl_secret_bytes(good).p, sizeof b);
	b[40] ^= 1;
	bad = kl_secret_copy(KL_BYTES_OF(b));
	ck_assert_int_eq(kl_keyfile_write(AT_FDCWD, path.b, "log", bad),
	    KL_OK);
	ck_assert_int_eq(try_read("log"), KL_E_FORMAT);
	kl_secret_free(good);
	kl_secret_free(bad);
}
END_TEST

static int
starved_read(void *arg)
{
	struct kl_secret *out;

	(void)arg;
	return kl_keyfile_read(AT_FDCWD, path.b, "master", &out);
}

START_TEST(read_answers_memory_when_none_is_left)
{
	write_master();
	ck_assert_int_eq(starve_run(starved_read, NULL), KL_E_MEMORY);
}
END_TEST

START_TEST(fingerprints_are_as_the_vectors_say)
{
	struct vectors *v = vectors_open("fingerprint.txt");
	struct kl_curve_pk transport;
	struct kl_fingerprint f;
	struct kl_sign_pk sign;
	struct kl_id id;

	memcpy(id.b, vectors_get(v, "id").p, sizeof id.b);
	memcpy(transport.b, vectors_get(v, "transport").p, 32);
	memcpy(sign.b, vectors_get(v, "sign").p, 32);
	f = kl_fingerprint_of(&id, vectors_get(v, "role").p[0], &transport,
	    &sign);
	ck_assert(kl_bytes_equal(vectors_get(v, "fingerprint"),
	    kl_bytes_str(f.b)));
	f = kl_fingerprint_authority(&sign);
	ck_assert(kl_bytes_equal(vectors_get(v, "authority"),
	    kl_bytes_str(f.b)));
	ck_assert_uint_eq(strlen(f.b) + 1, sizeof f.b);
	vectors_free(v);
}
END_TEST

START_TEST(every_part_changes_the_fingerprint)
{
	struct kl_id id = { "agb:01234567" };
	struct kl_curve_pk t = { { 1 } };
	struct kl_sign_pk s = { { 2 } };
	const struct kl_fingerprint f = kl_fingerprint_of(&id, 1, &t, &s);

	ck_assert_str_ne(f.b, kl_fingerprint_of(&id, 2, &t, &s).b);
	id.b[11]++;
	ck_assert_str_ne(f.b, kl_fingerprint_of(&id, 1, &t, &s).b);
	id.b[11]--;
	t.b[31]++;
	ck_assert_str_ne(f.b, kl_fingerprint_of(&id, 1, &t, &s).b);
	t.b[31]--;
	s.b[31]++;
	ck_assert_str_ne(f.b, kl_fingerprint_of(&id, 1, &t, &s).b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("keyfile");
	TCase *tc = tcase_create("keyfile");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, every_purpose_reads_back_what_was_written);
	tcase_add_test(tc, paths_are_relative_to_the_directory);
	tcase_add_test(tc, the_file_is_one_line_for_its_owner_alone);
	tcase_add_test(tc, write_never_overwrites);
	tcase_add_test(tc, write_refuses_unknown_purposes_and_other_lengths);
	tcase_add_test(tc, write_answers_io_without_a_directory);
	tcase_add_test(tc, a_missing_file_is_not_found);
	tcase_add_test(tc, a_name_too_long_answers_io);
	tcase_add_test(tc, modes_that_let_others_in_are_denied);
	tcase_add_test(tc, a_file_of_somebody_else_is_denied);
	tcase_add_test(tc, links_pipes_and_directories_are_denied);
	tcase_add_test(tc, another_purpose_is_refused);
	tcase_add_test(tc, anything_but_the_one_line_is_refused);
	tcase_add_test(tc, a_large_file_is_refused);
	tcase_add_test(tc, halves_that_do_not_belong_together_are_refused);
	tcase_add_test(tc, read_answers_memory_when_none_is_left);
	tcase_add_test(tc, fingerprints_are_as_the_vectors_say);
	tcase_add_test(tc, every_part_changes_the_fingerprint);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
