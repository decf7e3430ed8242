#include <kortelijn/host/textfile.h>

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tests/support/tmpdir.h>

#define TAG "kortelijn-test-v1"

static struct tmpdir dir;
static struct tmpdir_path path;
static uint8_t out[64];
static size_t n;

static void
setup(void)
{
	dir = tmpdir_make();
	path = tmpdir_file(&dir, "one.card");
}

static void
teardown(void)
{
	tmpdir_remove(&dir);
}

static int
parse(const char *text, struct kl_textfile_word *word)
{
	return kl_textfile_parse(kl_bytes_str(text), TAG, word, out,
	    sizeof out, &n);
}

static int
read_file(void)
{
	return kl_textfile_read(AT_FDCWD, path.b, TAG, NULL, out, sizeof out,
	    &n);
}

START_TEST(what_is_written_reads_back)
{
	struct kl_textfile_word word;

	ck_assert_int_eq(kl_textfile_write(AT_FDCWD, path.b, TAG, "training",
	    kl_bytes_str("hello")), KL_OK);
	ck_assert_int_eq(kl_textfile_read(AT_FDCWD, path.b, TAG, &word, out,
	    sizeof out, &n), KL_OK);
	ck_assert_str_eq(word.b, "training");
	ck_assert_uint_eq(n, 5);
	ck_assert_mem_eq(out, "hello", 5);
}
END_TEST

START_TEST(the_line_is_tag_word_and_base64)
{
	char line[128];

	ck_assert_int_eq(kl_textfile_print(TAG, "training",
	    kl_bytes_str("hello"), line, sizeof line), KL_OK);
	ck_assert_str_eq(line, TAG " training aGVsbG8=\n");
	ck_assert_int_eq(kl_textfile_print(TAG, NULL,
	    kl_bytes_str("hello"), line, sizeof line), KL_OK);
	ck_assert_str_eq(line, TAG " aGVsbG8=\n");
}
END_TEST

START_TEST(white_space_at_the_end_is_ignored)
{
	ck_assert_int_eq(parse(TAG " aGVsbG8=", NULL), KL_OK);
	ck_assert_int_eq(parse(TAG " aGVsbG8= \r\n\r\n", NULL), KL_OK);
	ck_assert_uint_eq(n, 5);
}
END_TEST

START_TEST(other_lines_are_refused)
{
	struct kl_textfile_word word;

	ck_assert_int_eq(parse("", NULL), KL_E_FORMAT);
	ck_assert_int_eq(parse("\n", NULL), KL_E_FORMAT);
	ck_assert_int_eq(parse(TAG, NULL), KL_E_FORMAT);
	ck_assert_int_eq(parse("kortelijn-test-v2 aGVsbG8=", NULL),
	    KL_E_FORMAT);
	ck_assert_int_eq(parse(TAG "  aGVsbG8=", NULL), KL_E_FORMAT);
	ck_assert_int_eq(parse(TAG " aGVsbG8", NULL), KL_E_FORMAT);
	ck_assert_int_eq(parse(TAG " training aGVsbG8=", NULL), KL_E_FORMAT);
	ck_assert_int_eq(parse(TAG " aGVsbG8=", &word), KL_E_FORMAT);
	ck_assert_int_eq(parse(TAG "  aGVsbG8=", &word), KL_E_FORMAT);
	ck_assert_int_eq(parse(TAG " tr\x01ning aGVsbG8=", &word),
	    KL_E_FORMAT);
}
END_TEST

START_TEST(a_word_longer_than_its_limit_is_refused)
{
	struct kl_textfile_word word;
	char line[256] = TAG " ";

	memset(line + strlen(line), 'a', KL_TEXTFILE_WORD_MAX);
	strcat(line, " aGVsbG8=");
	ck_assert_int_eq(parse(line, &word), KL_E_FORMAT);
}
END_TEST

START_TEST(more_bytes_than_room_is_size)
{
	ck_assert_int_eq(kl_textfile_parse(kl_bytes_str(TAG " aGVsbG8=\n"),
	    TAG, NULL, out, 4, &n), KL_E_SIZE);
}
END_TEST

START_TEST(printing_checks_words_and_room)
{
	char line[64];

	ck_assert_int_eq(kl_textfile_print("", NULL, kl_bytes_str("x"), line,
	    sizeof line), KL_E_VALUE);
	ck_assert_int_eq(kl_textfile_print(TAG, "a b", kl_bytes_str("x"),
	    line, sizeof line), KL_E_VALUE);
	ck_assert_int_eq(kl_textfile_print(TAG, NULL, kl_bytes_str("hello"),
	    line, strlen(TAG " aGVsbG8=\n")), KL_E_SIZE);
	ck_assert_int_eq(kl_textfile_print(TAG, NULL, kl_bytes_str("hello"),
	    line, strlen(TAG)), KL_E_SIZE);
	ck_assert_int_eq(kl_textfile_print(TAG, NULL, kl_bytes_str("hello"),
	    line, strlen(TAG " aGVsbG8=\n") + 1), KL_OK);
}
END_TEST

START_TEST(a_missing_file_is_not_found)
{
	ck_assert_int_eq(read_file(), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(what_is_no_regular_file_is_denied)
{
	ck_assert_int_eq(mkdir(path.b, 0700), 0);
	ck_assert_int_eq(read_file(), KL_E_DENIED);
	ck_assert_int_eq(kl_textfile_read(AT_FDCWD, "/dev/null", TAG, NULL,
	    out, sizeof out, &n), KL_E_DENIED);
}
END_TEST

START_TEST(a_pipe_does_not_make_us_wait)
{
	ck_assert_int_eq(mkfifo(path.b, 0600), 0);
	ck_assert_int_eq(read_file(), KL_E_DENIED);
}
END_TEST

START_TEST(a_file_that_is_too_large_is_size)
{
	FILE *f = fopen(path.b, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(truncate(path.b, KL_TEXTFILE_MAX + 1), 0);
	ck_assert_int_eq(read_file(), KL_E_SIZE);
}
END_TEST

START_TEST(writing_replaces_the_whole_file)
{
	struct tmpdir_path beside = tmpdir_file(&dir, "one.card.new");
	struct stat st;

	ck_assert_int_eq(kl_textfile_write(AT_FDCWD, path.b, TAG, NULL,
	    kl_bytes_str("a longer text")), KL_OK);
	ck_assert_int_eq(kl_textfile_write(AT_FDCWD, path.b, TAG, NULL,
	    kl_bytes_str("short")), KL_OK);
	ck_assert_int_eq(read_file(), KL_OK);
	ck_assert_uint_eq(n, 5);
	ck_assert_int_eq(stat(path.b, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	ck_assert_int_ne(access(beside.b, F_OK), 0);
}
END_TEST

START_TEST(what_a_crash_left_behind_is_no_hindrance)
{
	struct tmpdir_path beside = tmpdir_file(&dir, "one.card.new");
	FILE *f = fopen(beside.b, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(kl_textfile_write(AT_FDCWD, path.b, TAG, NULL,
	    kl_bytes_str("hello")), KL_OK);
	ck_assert_int_eq(read_file(), KL_OK);
}
END_TEST

START_TEST(paths_are_relative_to_the_directory)
{
	int fd = open(dir.path, O_RDONLY | O_DIRECTORY);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(mkdirat(fd, "cards", 0700), 0);
	ck_assert_int_eq(kl_textfile_write(fd, "cards/a.card", TAG, NULL,
	    kl_bytes_str("hello")), KL_OK);
	ck_assert_int_eq(kl_textfile_read(fd, "cards/a.card", TAG, NULL, out,
	    sizeof out, &n), KL_OK);
	ck_assert_int_eq(kl_textfile_write(fd, "none/a.card", TAG, NULL,
	    kl_bytes_str("hello")), KL_E_IO);
	close(fd);
}
END_TEST

START_TEST(a_directory_that_takes_no_files_is_an_error)
{
	ck_assert_int_eq(kl_textfile_write(AT_FDCWD, "/proc/self/a.card", TAG,
	    NULL, kl_bytes_str("hello")), KL_E_IO);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("textfile");
	TCase *t = tcase_create("textfile");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, what_is_written_reads_back);
	tcase_add_test(t, the_line_is_tag_word_and_base64);
	tcase_add_test(t, white_space_at_the_end_is_ignored);
	tcase_add_test(t, other_lines_are_refused);
	tcase_add_test(t, a_word_longer_than_its_limit_is_refused);
	tcase_add_test(t, more_bytes_than_room_is_size);
	tcase_add_test(t, printing_checks_words_and_room);
	tcase_add_test(t, a_missing_file_is_not_found);
	tcase_add_test(t, what_is_no_regular_file_is_denied);
	tcase_add_test(t, a_pipe_does_not_make_us_wait);
	tcase_add_test(t, a_file_that_is_too_large_is_size);
	tcase_add_test(t, writing_replaces_the_whole_file);
	tcase_add_test(t, what_a_crash_left_behind_is_no_hindrance);
	tcase_add_test(t, paths_are_relative_to_the_directory);
	tcase_add_test(t, a_directory_that_takes_no_files_is_an_error);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
