#include "broker/config.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/textfile.h>

#include "tests/support/tmpdir.h"

static struct tmpdir dir;
static struct tmpdir_path path;
static struct broker_conf conf;
static struct kl_conf_error error;

static void
authority(const char *realm, size_t n)
{
	struct tmpdir_path pub = tmpdir_file(&dir, "authority.pub");
	const uint8_t key[33] = { 7, 8, 9 };

	ck_assert_int_eq(kl_textfile_write(AT_FDCWD, pub.b, KL_TAG_AUTHORITY,
	    realm, kl_bytes(key, n)), KL_OK);
}

static void
setup(void)
{
	dir = tmpdir_make();
	path = tmpdir_file(&dir, "kortelijnd.conf");
	authority("training", 32);
	memset(&error, 0, sizeof error);
}

static void
teardown(void)
{
	tmpdir_remove(&dir);
}

/* The file has its config_dir, and these lines. */
static int
read_conf(const char *lines)
{
	FILE *f = fopen(path.b, "w");

	ck_assert_ptr_nonnull(f);
	fprintf(f, "[broker]\nconfig_dir = %s\n%s", dir.path, lines);
	ck_assert_int_eq(fclose(f), 0);
	return broker_conf_read(path.b, &conf, &error);
}

static void
refused(const char *lines, const char *word)
{
	ck_assert_int_eq(read_conf(lines), KL_E_CONFIG);
	ck_assert_msg(strstr(error.b, word) != NULL, "%s: %s", lines,
	    error.b);
	ck_assert_ptr_null(strchr(error.b, '\n'));
}

START_TEST(little_is_asked_the_rest_has_defaults)
{
	ck_assert_int_eq(read_conf(""), KL_OK);
	ck_assert_str_eq(conf.state_dir, "/var/lib/kortelijn");
	ck_assert_str_eq(conf.listen, "tcp://127.0.0.1:7700");
	ck_assert_str_eq(conf.control, "/var/lib/kortelijn/kortelijn.sock");
	ck_assert_str_eq(conf.trace, "");
	ck_assert_int_eq(conf.map_mb, 256);
	ck_assert_int_eq(conf.slots, 8192);
	ck_assert_int_eq(conf.erasure, KL_ERASURE_VERIFIED);
	ck_assert_str_eq(conf.master_key, "");
	ck_assert_uint_eq(conf.rewrap_at, 3 * 60);
	ck_assert_int_eq(conf.clock_offset_ms, 0);
	ck_assert(!conf.log_json);
	ck_assert_int_eq(conf.realm, KL_TRAINING);
	ck_assert_uint_eq(conf.authority.b[2], 9);
}
END_TEST

START_TEST(every_key_is_taken)
{
	ck_assert_int_eq(read_conf(
	    "state_dir = /srv/k\nlisten = tcp://10.0.0.1:1\n"
	    "control = /run/k.sock\nmap_mb = 5\nslots = 16\n"
	    "erasure = best-effort\nclock_offset = 5d\nlog_json = yes\n"
	    "master_key = /srv/m\nmaster_key_old = /srv/o\n"
	    "rewrap_at = 23:30\n"
	    "trace = /srv/trace\n[limits]\nrequests_per_minute = 11\n"
	    "bytes_per_day_mb = 12\nopen_conversations = 13\n"), KL_OK);
	ck_assert_str_eq(conf.state_dir, "/srv/k");
	ck_assert_str_eq(conf.listen, "tcp://10.0.0.1:1");
	ck_assert_str_eq(conf.control, "/run/k.sock");
	ck_assert_int_eq(conf.map_mb, 5);
	ck_assert_int_eq(conf.slots, 16);
	ck_assert_int_eq(conf.erasure, KL_ERASURE_BEST_EFFORT);
	ck_assert_int_eq(conf.clock_offset_ms, 5 * KL_DAY_MS);
	ck_assert(conf.log_json);
	ck_assert_str_eq(conf.master_key, "/srv/m");
	ck_assert_str_eq(conf.master_key_old, "/srv/o");
	ck_assert_uint_eq(conf.rewrap_at, 23 * 60 + 30);
	ck_assert_str_eq(conf.trace, "/srv/trace");
	ck_assert_int_eq(conf.requests_per_minute, 11);
	ck_assert_int_eq(conf.bytes_per_day_mb, 12);
	ck_assert_int_eq(conf.open_conversations, 13);
}
END_TEST

START_TEST(wrong_lines_are_named)
{
	refused("slots = 15\n", "slots");
	refused("erasure = perhaps\n", "erasure");
	refused("rewrap_at = 3 am\n", "rewrap_at");
	refused("rewrap_at = 24:00\n", "rewrap_at");
	/* libzmq would listen on 34463. */
	refused("listen = tcp://127.0.0.1:99999\n", "listen");
	refused("listen = 127.0.0.1:7700\n", "listen");
	refused("state_dir = state\n", "state_dir");
	refused("erasure = verified\nslot = 16\n", "slot");
	refused("clock_offset = 7301d\n", "clock_offset");
	refused("[limits]\nrequests_per_minute = 1\n",
	    "requests_per_minute");
}
END_TEST

START_TEST(verified_erasure_can_be_named)
{
	ck_assert_int_eq(read_conf("erasure = verified\n"), KL_OK);
	ck_assert_int_eq(conf.erasure, KL_ERASURE_VERIFIED);
}
END_TEST

START_TEST(missing_file_is_named)
{
	ck_assert_int_eq(broker_conf_read("/nowhere/k.conf", &conf, &error),
	    KL_E_CONFIG);
	ck_assert_ptr_nonnull(strstr(error.b, "/nowhere/k.conf"));
}
END_TEST

START_TEST(authority_that_is_missing_or_wrong_is_named)
{
	struct tmpdir_path pub = tmpdir_file(&dir, "authority.pub");

	authority("playground", 32);
	refused("", "realm");
	authority("training", 31);
	refused("", "authority.pub");
	authority("training", 33);
	refused("", "authority.pub");
	ck_assert_int_eq(remove(pub.b), 0);
	refused("", "authority.pub");
}
END_TEST

START_TEST(production_keeps_its_clock_and_leaves_no_trace)
{
	authority("production", 32);
	ck_assert_int_eq(read_conf(""), KL_OK);
	ck_assert_int_eq(conf.realm, KL_PRODUCTION);
	refused("clock_offset = 1s\n", "clock_offset");
	refused("trace = /tmp/trace\n", "trace");
}
END_TEST

START_TEST(socket_that_does_not_fit_must_be_named)
{
	char lines[256], name[121];

	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	(void)snprintf(lines, sizeof lines, "state_dir = /%s\n", name);
	refused(lines, "set control");
	(void)snprintf(lines, sizeof lines,
	    "state_dir = /%s\ncontrol = /run/k.sock\n", name);
	ck_assert_int_eq(read_conf(lines), KL_OK);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("config");
	TCase *tc = tcase_create("config");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, little_is_asked_the_rest_has_defaults);
	tcase_add_test(tc, every_key_is_taken);
	tcase_add_test(tc, wrong_lines_are_named);
	tcase_add_test(tc, verified_erasure_can_be_named);
	tcase_add_test(tc, missing_file_is_named);
	tcase_add_test(tc, authority_that_is_missing_or_wrong_is_named);
	tcase_add_test(tc, production_keeps_its_clock_and_leaves_no_trace);
	tcase_add_test(tc, socket_that_does_not_fit_must_be_named);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
