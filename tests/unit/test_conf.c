#include <kortelijn/host/conf.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/base/types.h>

#include "tests/support/tmpdir.h"

static struct tmpdir dir;
static struct tmpdir_path file;
static struct kl_conf_error error;

static struct {
	char name[16];
	char secret[8];
	char list[32];
	int64_t port;
	bool strict;
	int64_t term_ms;
	uint32_t role;
	char path[16];
	char address[32];
} got;

static const struct kl_conf_choice roles[] = {
	{ "practice", KL_PRACTICE }, { "municipality", KL_MUNICIPALITY },
	{ "auditor", KL_AUDITOR }, { NULL, 0 },
};
static const struct kl_conf_choice answers[] = { { "never", 1 }, { NULL, 0 } };

static const struct kl_conf_key keys[] = {
	{ .section = "main", .name = "name", .type = KL_CONF_TEXT,
	    .out = got.name, .size = sizeof got.name, .required = true },
	{ .section = "main", .name = "port", .type = KL_CONF_INT,
	    .out = &got.port, .min = 1, .max = 65535 },
	{ .section = "main", .name = "strict", .type = KL_CONF_BOOL,
	    .out = &got.strict },
	{ .section = "main", .name = "api_secret", .type = KL_CONF_TEXT,
	    .out = got.secret, .size = sizeof got.secret },
	{ .section = "main", .name = "password_days", .type = KL_CONF_INT,
	    .out = &got.port, .min = 1, .max = 2 },
	{ .section = "terms", .name = "keep", .type = KL_CONF_DURATION,
	    .out = &got.term_ms, .min = KL_DAY_MS, .max = 60 * KL_DAY_MS },
	{ .section = "terms", .name = "role", .type = KL_CONF_CHOICE,
	    .out = &got.role, .choice = roles },
	{ .section = "terms", .name = "answer", .type = KL_CONF_CHOICE,
	    .out = &got.role, .choice = answers },
	{ .section = "terms", .name = "peer", .type = KL_CONF_LIST,
	    .out = got.list, .size = sizeof got.list },
	{ .section = "where", .name = "dir", .type = KL_CONF_PATH,
	    .out = got.path, .size = sizeof got.path },
	{ .section = "where", .name = "at", .type = KL_CONF_ADDRESS,
	    .out = got.address, .size = sizeof got.address, .min = 1 },
};

static void
setup(void)
{
	dir = tmpdir_make();
	file = tmpdir_file(&dir, "c.conf");
	memset(&got, 0, sizeof got);
}

static void
teardown(void)
{
	tmpdir_remove(&dir);
}

static int
read_bytes(const char *text, size_t n)
{
	FILE *f = fopen(file.b, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, n, f), n);
	ck_assert_int_eq(fclose(f), 0);
	return kl_conf_read(file.b, keys, sizeof keys / sizeof keys[0],
	    &error);
}

static int
read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

static void
assert_refused(const char *text, const char *line)
{
	char want[512];

	ck_assert_int_eq(read_text(text), KL_E_CONFIG);
	(void)snprintf(want, sizeof want, "%s%s", file.b, line);
	ck_assert_str_eq(error.b, want);
}

START_TEST(every_type_is_read)
{
	ck_assert_int_eq(read_text(
	    "# comment\n[main]\nname = a b\nport=8443 ; why\nstrict = yes\n"
	    "\n[terms]\nkeep = 14d\nrole = auditor\npeer = x\npeer = y\n"),
	    KL_OK);
	ck_assert_str_eq(error.b, "");
	ck_assert_str_eq(got.name, "a b");
	ck_assert_int_eq(got.port, 8443);
	ck_assert(got.strict);
	ck_assert_int_eq(got.term_ms, 14 * KL_DAY_MS);
	ck_assert_uint_eq(got.role, KL_AUDITOR);
	ck_assert_str_eq(got.list, "x\ny");
}
END_TEST

START_TEST(keys_not_given_keep_their_defaults)
{
	got.port = 7;
	memcpy(got.list, "old", 4);
	ck_assert_int_eq(read_text("[main]\nname = n\nstrict = no"), KL_OK);
	ck_assert_int_eq(got.port, 7);
	ck_assert_str_eq(got.list, "old");
	ck_assert_int_eq(read_text("[main]\nname = n\n[terms]\npeer = z\n"),
	    KL_OK);
	ck_assert_str_eq(got.list, "z");
}
END_TEST

START_TEST(unknown_key_is_refused_with_its_line)
{
	assert_refused("[main]\nname = n\ncolour = red\n",
	    ":3: unknown key colour in section [main]");
	assert_refused("[other]\nname = n\n",
	    ":2: unknown key name in section [other]");
	assert_refused("name = n\n", ":1: unknown key name in section []");
}
END_TEST

/* ---- where things are ---- */

static int
read_where(const char *key, const char *value)
{
	char text[200];

	(void)snprintf(text, sizeof text,
	    "[main]\nname = n\n[where]\n%s = %s\n", key, value);
	return read_text(text);
}

START_TEST(path_begins_at_the_root)
{
	ck_assert_int_eq(read_where("dir", "/srv/k"), KL_OK);
	ck_assert_str_eq(got.path, "/srv/k");
	ck_assert_int_eq(read_where("dir", "srv/k"), KL_E_CONFIG);
	ck_assert_ptr_nonnull(strstr(error.b, ":4: dir: must begin with /"));
	ck_assert_int_eq(read_where("dir", "/longer/than/it/may"),
	    KL_E_CONFIG);
}
END_TEST

START_TEST(address_has_host_and_port)
{
	static const char *const good[] = {
		"tcp://127.0.0.1:7700", "tcp://h:1", "tcp://*:65535",
		"tcp://[::1]:7700", "tcp://broker.example:7700",
	};
	static const char *const bad[] = {
		"bogus", "127.0.0.1:7700", "tcp://", "tcp://h", "tcp://h:",
		"tcp://:7700", "tcp://h:0", "tcp://h:65536", "tcp://h:99999",
		"tcp://h:123456", "tcp://h:1x", "tcp://h:-1", "tcp://h:7 7",
		"tcp://a b:1", "ipc://x:1", "tcp://h/x:1",
		"tcp://longer.than.the.buffer.example:7700",
	};

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		ck_assert_msg(read_where("at", good[i]) == KL_OK, "%s: %s",
		    good[i], error.b);
		ck_assert_str_eq(got.address, good[i]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(read_where("at", bad[i]) == KL_E_CONFIG, "%s",
		    bad[i]);
}
END_TEST

START_TEST(key_given_twice_is_refused)
{
	assert_refused("[main]\nname = n\nname = m\n",
	    ":3: name: given twice");
	/* A line that starts with a space would go on with the last key. */
	assert_refused("[main]\nname = n\n  more\n", ":3: name: given twice");
}
END_TEST

START_TEST(missing_key_is_named)
{
	assert_refused("[main]\nport = 1\n",
	    ": name is missing in section [main]");
	assert_refused("", ": name is missing in section [main]");
}
END_TEST

START_TEST(value_outside_its_range_is_refused)
{
	assert_refused("[main]\nport = 0\n", ":2: port: must be a whole "
	    "number from 1 to 65535, not \"0\"");
	assert_refused("[main]\nport = 12x\n", ":2: port: must be a whole "
	    "number from 1 to 65535, not \"12x\"");
	assert_refused("[main]\nport = 99999999999999999999\n", ":2: port: "
	    "must be a whole number from 1 to 65535, "
	    "not \"99999999999999999999\"");
	assert_refused("[main]\nstrict = true\n",
	    ":2: strict: must be yes or no, not \"true\"");
	assert_refused("[terms]\nkeep = soon\n", ":2: keep: must be a time "
	    "such as 90s, 15m, 12h or 30d, not \"soon\"");
	assert_refused("[terms]\nkeep = 1h\n",
	    ":2: keep: must be from 86400s to 5184000s, not \"1h\"");
	assert_refused("[main]\nname =\n", ":2: name: has no value");
}
END_TEST

START_TEST(choices_are_named)
{
	assert_refused("[terms]\nrole = king\n", ":2: role: must be "
	    "practice, municipality or auditor, not \"king\"");
	assert_refused("[terms]\nanswer = ever\n",
	    ":2: answer: must be never, not \"ever\"");
}
END_TEST

START_TEST(value_too_long_is_refused)
{
	assert_refused("[main]\nname = 0123456789012345\n",
	    ":2: name: longer than 15 bytes");
	assert_refused("[terms]\npeer = 0123456789012345\n"
	    "peer = 0123456789012345\n",
	    ":3: peer: together longer than 31 bytes");
}
END_TEST

START_TEST(secret_values_are_not_quoted)
{
	assert_refused("[main]\npassword_days = hunter2\n",
	    ":2: password_days: must be a whole number from 1 to 2");
	ck_assert_int_eq(read_text("[main]\napi_secret = hunter2hunter2\n"),
	    KL_E_CONFIG);
	ck_assert_ptr_null(strstr(error.b, "hunter2"));
}
END_TEST

START_TEST(line_without_meaning_is_refused)
{
	assert_refused("[main]\nname\n",
	    ":2: neither [section] nor key = value");
	assert_refused("[main\nname = n\n",
	    ":1: neither [section] nor key = value");
}
END_TEST

START_TEST(long_lines_and_control_bytes_are_refused)
{
	char text[400] = "[main]\nname = ";

	memset(text + strlen(text), 'x', 300);
	ck_assert_int_eq(read_text(text), KL_E_CONFIG);
	ck_assert_ptr_nonnull(strstr(error.b, ":2: line longer than "));
	ck_assert_int_eq(read_bytes("[main]\nname = a\0b\n", 18), KL_E_CONFIG);
	ck_assert_ptr_nonnull(strstr(error.b, ":2: control character"));
}
END_TEST

START_TEST(file_that_cannot_be_read_is_named)
{
	ck_assert_int_eq(kl_conf_read("/nowhere/x.conf", keys, 1, &error),
	    KL_E_CONFIG);
	ck_assert_str_eq(error.b,
	    "/nowhere/x.conf: No such file or directory");
	ck_assert_int_eq(kl_conf_read(dir.path, keys, 1, &error),
	    KL_E_CONFIG);
}
END_TEST

static Suite *
conf_suite(void)
{
	Suite *s = suite_create("conf");
	TCase *tc = tcase_create("conf");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, every_type_is_read);
	tcase_add_test(tc, keys_not_given_keep_their_defaults);
	tcase_add_test(tc, unknown_key_is_refused_with_its_line);
	tcase_add_test(tc, path_begins_at_the_root);
	tcase_add_test(tc, address_has_host_and_port);
	tcase_add_test(tc, key_given_twice_is_refused);
	tcase_add_test(tc, missing_key_is_named);
	tcase_add_test(tc, value_outside_its_range_is_refused);
	tcase_add_test(tc, choices_are_named);
	tcase_add_test(tc, value_too_long_is_refused);
	tcase_add_test(tc, secret_values_are_not_quoted);
	tcase_add_test(tc, line_without_meaning_is_refused);
	tcase_add_test(tc, long_lines_and_control_bytes_are_refused);
	tcase_add_test(tc, file_that_cannot_be_read_is_named);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *sr = srunner_create(conf_suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
