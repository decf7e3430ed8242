#include "adapters/common/config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/slots.h>

#include "tests/support/tmpdir.h"

#define HEAD \
	"[adapter]\nrole = practice\nid = agb:01000001\nname = De Es\n" \
	"data_dir = /d\nkey_dir = /k\nbroker = tcp://127.0.0.1:7700\n"

static struct tmpdir dir;
static struct tmpdir_path path;
static struct config c;
static struct kl_conf_error error;

static void
setup(void)
{
	dir = tmpdir_make();
	path = tmpdir_file(&dir, "adapter.conf");
	memset(&error, 0, sizeof error);
}

static void
teardown(void)
{
	tmpdir_remove(&dir);
}

static int
read_text(const char *text)
{
	FILE *f = fopen(path.b, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	return config_read(path.b, &c, &error);
}

static void
refused(const char *text, const char *says)
{
	ck_assert_int_eq(read_text(text), KL_E_CONFIG);
	ck_assert_msg(strstr(error.b, says) != NULL, "%s", error.b);
	ck_assert_msg(strstr(error.b, "adapter.conf") != NULL, "%s", error.b);
}

START_TEST(smallest_file_gets_the_defaults)
{
	ck_assert_msg(read_text(HEAD "realm = production\n") == KL_OK, "%s",
	    error.b);
	ck_assert_uint_eq(c.role, KL_PRACTICE);
	ck_assert_str_eq(kl_id_text(&c.id).b, "agb:01000001");
	ck_assert_str_eq(c.name, "De Es");
	ck_assert_str_eq(c.broker, "tcp://127.0.0.1:7700");
	ck_assert_uint_eq(c.realm, KL_PRODUCTION);
	ck_assert_uint_eq(c.lang, KL_NL);
	ck_assert_uint_eq(c.erasure, KL_ERASURE_VERIFIED);
	ck_assert_int_eq(c.folder_owner, -1);
	ck_assert_int_gt(c.slots, 0);
	ck_assert_int_gt(c.map_mb, 0);
	ck_assert_str_eq(c.policy, "/k/policy.conf");
	ck_assert_str_eq(c.backup_dir, "/d/backup");
	ck_assert_uint_eq(c.backup_at, 150);
	ck_assert(!c.folder && !c.log_json && !c.keep_done);
}
END_TEST

START_TEST(every_key_is_taken)
{
	ck_assert_msg(read_text(HEAD "realm = training\nlanguage = en\n"
	    "erasure = best-effort\nclock_offset = -3h\nslots = 100\n"
	    "map_mb = 32\nlog_json = yes\npolicy = /p\n"
	    "backup_at = 23:59\nbackup_dir = /b\n"
	    "[folder]\nenabled = yes\n"
	    "dir = /f\nowner = 1001\nkeep_done = yes\n") ==
	    KL_OK, "%s", error.b);
	ck_assert_uint_eq(c.lang, KL_EN);
	ck_assert_uint_eq(c.erasure, KL_ERASURE_BEST_EFFORT);
	ck_assert_int_eq(c.clock_offset_ms, -3 * KL_HOUR_MS);
	ck_assert_int_eq(c.slots, 100);
	ck_assert_int_eq(c.map_mb, 32);
	ck_assert(c.folder && c.log_json && c.keep_done);
	ck_assert_str_eq(c.policy, "/p");
	ck_assert_str_eq(c.backup_dir, "/b");
	ck_assert_uint_eq(c.backup_at, 1439);
	ck_assert_str_eq(c.folder_dir, "/f");
	ck_assert_int_eq(c.folder_owner, 1001);
}
END_TEST

START_TEST(broker_may_stand_on_four_machines)
{
	ck_assert_msg(read_text(HEAD "broker = tcp://b:2\n"
	    "broker = tcp://c:3\nbroker = tcp://d:4\nrealm = training\n") ==
	    KL_OK, "%s", error.b);
	ck_assert_str_eq(c.broker, "tcp://127.0.0.1:7700\ntcp://b:2\n"
	    "tcp://c:3\ntcp://d:4");
	refused(HEAD "broker = tcp://b:2\nbroker = tcp://c:3\n"
	    "broker = tcp://d:4\nbroker = tcp://e:5\nrealm = training\n",
	    "four");
	refused(HEAD "broker = b:2\nrealm = training\n", "broker");
}
END_TEST

START_TEST(partner_and_municipality_are_adapters_too)
{
	const char *const roles[] = { "municipality", "partner" };
	char text[400];

	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(text, sizeof text, "[adapter]\nrole = %s\n"
		    "id = kvk:90000001\nname = X\ndata_dir = /d\n"
		    "key_dir = /k\nbroker = tcp://h:1\nrealm = training\n",
		    roles[i]);
		ck_assert_msg(read_text(text) == KL_OK, "%s", error.b);
		ck_assert_uint_eq(c.role, kl_role_read(roles[i]));
	}
}
END_TEST

START_TEST(other_roles_are_refused)
{
	refused("[adapter]\nrole = broker\nid = kvk:90000001\nname = X\n"
	    "data_dir = /d\nkey_dir = /k\nbroker = tcp://h:1\n"
	    "realm = training\n", "role");
	refused("[adapter]\nrole = king\nid = kvk:90000001\nname = X\n"
	    "data_dir = /d\nkey_dir = /k\nbroker = tcp://h:1\n"
	    "realm = training\n", "role");
}
END_TEST

START_TEST(id_of_the_wrong_form_is_refused)
{
	refused("[adapter]\nrole = practice\nid = agb:1\nname = X\n"
	    "data_dir = /d\nkey_dir = /k\nbroker = tcp://h:1\n"
	    "realm = training\n", "id");
}
END_TEST

START_TEST(clock_is_moved_in_training_only)
{
	refused(HEAD "realm = production\nclock_offset = 5w\n",
	    "clock_offset");
	ck_assert_int_eq(read_text(HEAD "realm = training\n"
	    "clock_offset = 5w\n"), KL_OK);
}
END_TEST

START_TEST(folder_needs_its_directory)
{
	refused(HEAD "realm = training\n[folder]\nenabled = yes\n", "dir");
}
END_TEST

START_TEST(missing_or_unknown_key_is_refused)
{
	refused(HEAD, "realm");
	refused(HEAD "realm = training\nbsn = yes\n", "bsn");
	refused(HEAD "realm = training\nerasure = maybe\n", "erasure");
	refused(HEAD "realm = training\nlanguage = fr\n", "language");
	refused(HEAD "realm = training\nrewrap_at = 25:00\n", "rewrap_at");
	refused(HEAD "realm = training\nbackup_at = 2:30\n", "backup_at");
	refused(HEAD "realm = training\nslots = 1\n", "slots");
}
END_TEST

START_TEST(missing_file_is_named)
{
	ck_assert_int_eq(config_read(path.b, &c, &error), KL_E_CONFIG);
	ck_assert_msg(strstr(error.b, path.b) != NULL, "%s", error.b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("adapter_config");
	TCase *t = tcase_create("adapter_config");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, smallest_file_gets_the_defaults);
	tcase_add_test(t, every_key_is_taken);
	tcase_add_test(t, broker_may_stand_on_four_machines);
	tcase_add_test(t, partner_and_municipality_are_adapters_too);
	tcase_add_test(t, other_roles_are_refused);
	tcase_add_test(t, id_of_the_wrong_form_is_refused);
	tcase_add_test(t, clock_is_moved_in_training_only);
	tcase_add_test(t, folder_needs_its_directory);
	tcase_add_test(t, missing_or_unknown_key_is_refused);
	tcase_add_test(t, missing_file_is_named);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
