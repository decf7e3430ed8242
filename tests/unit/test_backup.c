#include "adapters/common/backup.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/crypto/sign.h>
#include <kortelijn/host/fs.h>
#include <kortelijn/host/link.h>

#include "adapters/common/alarm.h"
#include "adapters/common/backup_dir.h"
#include "adapters/common/backup_void.h"
#include "adapters/common/engine_priv.h"
#include "adapters/common/identity.h"
#include "adapters/common/restore.h"
#include "adapters/common/session_priv.h"
#include "tests/support/papers.h"
#include "tests/support/tmpdir.h"

#define OK(x) ck_assert_int_eq((x), KL_OK)
#define TURNS_MAX 2000

static struct tmpdir dir;
static struct papers_key authority, broker;
static struct config config;
static struct kl_loop *loop;
static struct engine *engine;
static struct kl_secret *sk;		/* the recovery key */
static const struct engine_actor clerk = { .interface = ENGINE_CONTROL };

/* ---- a practice with its papers -------------------------------------- */

static struct kl_secret *
own_key(const char *name, const char *purpose)
{
	struct kl_secret *key;
	char path[300];

	(void)snprintf(path, sizeof path, "%s/%s", config.key_dir, name);
	OK(kl_keyfile_read(AT_FDCWD, path, purpose, &key));
	return key;
}

static void
write_papers(void)
{
	struct kl_secret *id = own_key("identity.key", "identity");
	struct kl_secret *transport = own_key("transport.key", "transport");
	struct kl_id_text name = kl_id_text(&config.id);
	struct kl_secret *other;
	struct kl_sign_pk pk;
	struct kl_card card;

	OK(kl_sign_public(id, &pk));
	card = papers_card(name.b, config.role, &pk);
	OK(kl_curve_public(transport, &card.transport_pk));
	papers_card_write(dir.path, "own.card", &card, authority.sk);
	card = papers_card("oin:00000009000000000001", KL_BROKER, &broker.pk);
	OK(kl_curve_keypair(&card.transport_pk, &other));
	papers_card_write(dir.path, "broker.card", &card, authority.sk);
	papers_authority_write(dir.path, "authority.pub", KL_TRAINING,
	    &authority.pk);
	kl_secret_free(other);
	kl_secret_free(id);
	kl_secret_free(transport);
}

static void
make_identity(void)
{
	struct tmpdir_path card = tmpdir_file(&dir, "own.card");
	struct tmpdir_path pub = tmpdir_file(&dir, "authority.pub");
	struct tmpdir_path b = tmpdir_file(&dir, "broker.card");
	const struct identity_files f = { card.b, pub.b, b.b };
	struct kl_fingerprint fp;
	const char *what;
	char request[2048];

	OK(identity_init(&config, 1000, request, &fp));
	write_papers();
	OK(identity_accept(&config, &f, &fp, &what));
	papers_policy_write(config.policy, NULL);
}

static void
put_path(char *out, size_t cap, const char *name)
{
	(void)snprintf(out, cap, "%.150s/%s", dir.path, name);
}

/* Where everything lies: one machine or another. */
static void
place(const char *keys, const char *data)
{
	put_path(config.key_dir, sizeof config.key_dir, keys);
	put_path(config.data_dir, sizeof config.data_dir, data);
	(void)snprintf(config.policy, sizeof config.policy, "%.180s/%s",
	    config.key_dir, "policy.conf");
}

static void
make_key(void)
{
	struct kl_recovery_text text;

	kl_secret_free(sk);
	OK(backup_key_make(&config, &text));
	OK(kl_recovery_read(kl_bytes_str(text.b), &sk));
}

static void
open_engine(void)
{
	const char *what;

	ck_assert_ptr_nonnull(loop = kl_loop_new());
	OK(engine_open(&config, loop, &engine, &what));
}

/* A lock lasts until the process ends: the next one is of another file. */
static void
unlock(void)
{
	char path[400];

	(void)snprintf(path, sizeof path, "%s/lock", config.data_dir);
	(void)unlink(path);
}

static void
close_engine(void)
{
	engine_free(engine);
	kl_loop_free(loop);
	unlock();
	engine = NULL;
	loop = NULL;
}

static void
setup(void)
{
	OK(kl_crypto_init());
	OK(kl_link_init());
	dir = tmpdir_make();
	memset(&config, 0, sizeof config);
	config.role = KL_PRACTICE;
	config.realm = KL_TRAINING;
	config.lang = KL_NL;
	config.erasure = KL_ERASURE_BEST_EFFORT;
	config.slots = 128;
	config.map_mb = 16;
	OK(kl_id_read("agb:01000001", &config.id));
	memcpy(config.name, "De Es", 6);
	memcpy(config.broker, "tcp://127.0.0.1:9", 18);
	place("keys", "data");
	put_path(config.backup_dir, sizeof config.backup_dir, "backup");
	authority = papers_key();
	broker = papers_key();
	sk = NULL;
	make_identity();
}

static void
teardown(void)
{
	close_engine();
	kl_secret_free(sk);
	kl_secret_free(authority.sk);
	kl_secret_free(broker.sk);
	tmpdir_remove(&dir);
}

/* ---- turns ----------------------------------------------------------- */

static void
turn(void)
{
	engine->turn_source.dispatch(engine->turn_source.arg, 0);
}

/* Until nothing of a backup is left to do. */
static void
work(void)
{
	int n = 0;

	do
		turn();
	while ((backup_status(engine).running || store_dirty(engine->store))
	    && ++n < TURNS_MAX);
	ck_assert_int_lt(n, TURNS_MAX);
}

static void
ask(void)
{
	backup_ask(engine);
	work();
}

static struct backup_list
list(void)
{
	struct backup_list l;

	OK(backup_dir_list(&config, &l));
	return l;
}

static bool
open_alarm(uint32_t kind)
{
	struct engine_alarm a = { .seq = 0 };
	bool open = false;

	while (alarm_next(engine->store, a.seq, &a) == KL_OK)
		if (a.kind == kind)
			open = a.closed_ms == 0;
	return open;
}

static struct tmpdir_path
newest(void)
{
	struct backup_list l = list();
	struct tmpdir_path p;

	ck_assert_uint_gt(l.n, 0);
	(void)snprintf(p.b, sizeof p.b, "%.200s/%s", config.backup_dir,
	    l.entry[0].name);
	return p;
}

static void
refer(void)
{
	struct engine_taken taken;
	struct kl_finding why;
	char *text;
	size_t n;

	OK(kl_fs_read_file(AT_FDCWD, "tests/data/practice-1/el-amrani.json",
	    65536, &text, &n));
	OK(engine_refer(engine, &clerk, kl_bytes(text, n), &taken, &why));
	kl_fs_read_free(text, n);
	turn();
}

/* ---- making ---------------------------------------------------------- */

START_TEST(a_night_that_was_missed_is_made_good)
{
	struct stat st;

	make_key();
	open_engine();
	ck_assert_int_eq(backup_status(engine).at_ms, 0);
	work();
	ck_assert_uint_eq(list().n, 1);
	ck_assert_int_eq(backup_status(engine).at_ms,
	    list().entry[0].made_ms);
	ck_assert(!backup_status(engine).overdue);
	ck_assert_int_eq(stat(newest().b, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	/* And is not made again at the next start. */
	close_engine();
	open_engine();
	turn();
	ck_assert(!backup_status(engine).running);
	ck_assert_int_ne(backup_status(engine).at_ms, 0);
}
END_TEST

START_TEST(without_a_key_it_is_an_alarm_until_there_is_one)
{
	open_engine();
	work();
	ck_assert(open_alarm(ENGINE_AL_BACKUP_KEY));
	ck_assert(!backup_status(engine).key);
	ck_assert_uint_eq(list().n, 0);
	make_key();
	ask();
	ck_assert(!open_alarm(ENGINE_AL_BACKUP_KEY));
	ck_assert(backup_status(engine).key);
	ck_assert_uint_eq(list().n, 1);
}
END_TEST

START_TEST(what_cannot_be_written_is_an_alarm_and_waits)
{
	make_key();
	OK(kl_fs_replace(config.backup_dir, kl_bytes_str("no directory")));
	open_engine();
	work();
	ck_assert(open_alarm(ENGINE_AL_BACKUP));
	ck_assert_int_ne(backup_status(engine).failed, KL_OK);
	ck_assert_int_gt(engine->backup.retry_ms, kl_mono_ms());
	/* The next try is not the next turn's. */
	turn();
	ck_assert(!backup_status(engine).running);
	ck_assert_int_eq(unlink(config.backup_dir), 0);
	ask();
	ck_assert(!open_alarm(ENGINE_AL_BACKUP));
	OK(backup_status(engine).failed);
}
END_TEST

START_TEST(one_that_is_broken_off_leaves_nothing)
{
	struct backup_list l;

	make_key();
	open_engine();
	for (int i = 0; i < TURNS_MAX && engine->backup.writer == NULL; i++)
		turn();
	close_engine();
	l = list();
	open_engine();
	work();
	/* Whole or not at all; the next start makes one if none was. */
	ck_assert_uint_le(l.n, 1);
	ck_assert_uint_eq(list().n, 1);
}
END_TEST

START_TEST(what_was_erased_on_request_is_in_none_for_long)
{
	struct tmpdir_path before;

	make_key();
	open_engine();
	work();
	before = newest();
	OK(backup_void_note(engine_turn(engine)));
	turn();
	ck_assert_uint_eq(list().n, 1);
	/* As when the next look is due. */
	engine->backup.next_look_ms = 0;
	work();
	/* The name of a backup has seconds: another one may be needed. */
	for (int i = 0; i < 30 && access(before.b, F_OK) == 0; i++) {
		(void)usleep(100000);
		ask();
	}
	ck_assert_int_ne(access(before.b, F_OK), 0);
	ck_assert_uint_ge(list().n, 1);
}
END_TEST

START_TEST(a_new_key_is_the_one_that_opens_the_next)
{
	struct restore what;
	struct kl_secret *former;
	struct tmpdir_path path;

	make_key();
	open_engine();
	work();
	path = newest();
	former = sk;
	sk = NULL;
	OK(restore_verify(path.b, former, &what));
	make_key();
	ck_assert_int_eq(restore_verify(path.b, sk, &what), KL_E_VALUE);
	ck_assert_int_eq(unlink(path.b), 0);
	ask();
	OK(restore_verify(newest().b, sk, &what));
	ck_assert_uint_gt(what.records, 10);
	ck_assert_uint_eq(what.slots, 128);
	kl_secret_free(former);
}
END_TEST

/* ---- restoring ------------------------------------------------------- */

/* A backup with a referral; the engine is closed. */
static struct tmpdir_path
made(void)
{
	make_key();
	open_engine();
	refer();
	ask();
	close_engine();
	return newest();
}

static int
restore(const char *path, const char **what)
{
	struct restore done;
	int r = restore_run(&config, path, sk, &done, what);

	if (engine == NULL)
		unlock();
	return r;
}

static bool
nothing_there(void)
{
	char path[400];

	(void)snprintf(path, sizeof path, "%s/identity.key", config.key_dir);
	if (access(path, F_OK) == 0)
		return false;
	(void)snprintf(path, sizeof path, "%s/data.mdb", config.data_dir);
	return access(path, F_OK) != 0;
}

START_TEST(what_is_restored_goes_on_with_its_cases)
{
	struct tmpdir_path path = made();
	struct engine_case k;
	struct kl_instance before, after;
	const char *what;

	open_engine();
	before = engine->session->me.instance;
	close_engine();
	place("keys-2", "data-2");
	config.slots = 64;
	OK(restore(path.b, &what));
	open_engine();
	after = engine->session->me.instance;
	OK(engine_case_find(engine, "P1-2026-002", &k));
	ck_assert(k.has_content);
	ck_assert_mem_ne(&before, &after, sizeof before);
	ck_assert_uint_eq(kl_slots_count(store_slots(engine->store)), 128);
}
END_TEST

START_TEST(a_store_that_is_there_stays)
{
	struct tmpdir_path path = made();
	const char *what;

	ck_assert_int_eq(restore(path.b, &what), KL_E_EXISTS);
	open_engine();
	ck_assert_int_eq(restore(path.b, &what), KL_E_EXISTS);
	ck_assert_ptr_nonnull(strstr(what, "runs"));
}
END_TEST

START_TEST(a_key_that_is_there_and_another_stays)
{
	struct tmpdir_path path = made();
	char stored[200];
	const char *what;

	place("keys-2", "data-2");
	make_identity();
	ck_assert_int_eq(restore(path.b, &what), KL_E_EXISTS);
	ck_assert_str_eq(what, "identity.key");
	put_path(stored, sizeof stored, "data-2/data.mdb");
	ck_assert_int_ne(access(stored, F_OK), 0);
	place("keys", "data-3");
	OK(restore(path.b, &what));
}
END_TEST

START_TEST(a_backup_of_another_is_refused)
{
	struct tmpdir_path path = made();
	const char *what;

	place("keys-2", "data-2");
	OK(kl_id_read("agb:01000002", &config.id));
	ck_assert_int_eq(restore(path.b, &what), KL_E_CONFIG);
	ck_assert(nothing_there());
}
END_TEST

START_TEST(with_another_key_or_damage_nothing_is_written)
{
	struct tmpdir_path path = made();
	struct kl_secret *right = sk;
	const char *what;
	struct stat st;

	sk = kl_secret_random(32);
	place("keys-2", "data-2");
	ck_assert_int_eq(restore(path.b, &what), KL_E_VALUE);
	ck_assert(nothing_there());
	kl_secret_free(sk);
	sk = right;
	ck_assert_int_eq(stat(path.b, &st), 0);
	ck_assert_int_eq(truncate(path.b, st.st_size - 1), 0);
	ck_assert_int_eq(restore(path.b, &what), KL_E_DAMAGED);
	ck_assert(nothing_there());
}
END_TEST

START_TEST(one_that_broke_off_is_begun_anew)
{
	struct tmpdir_path path = made();
	char stage[400];
	const char *what;

	place("keys-2", "data-2");
	ck_assert_int_eq(mkdir(config.data_dir, 0700), 0);
	(void)snprintf(stage, sizeof stage, "%s/restore", config.data_dir);
	ck_assert_int_eq(mkdir(stage, 0700), 0);
	(void)snprintf(stage, sizeof stage, "%s/restore/slots",
	    config.data_dir);
	OK(kl_fs_replace(stage, kl_bytes_str("half")));
	OK(restore(path.b, &what));
	open_engine();
}
END_TEST

/* A record that no adapter writes: a file elsewhere, a table that stays. */
static int
with_record(const struct backup_record *rec)
{
	const struct backup_record shape = { .kind = BACKUP_SHAPE,
		.slot = 128 };
	struct backup_head head = { .role = config.role,
		.realm = config.realm, .id = config.id };
	struct tmpdir_path path = tmpdir_file(&dir, "made.backup");
	struct backup_writer *w;
	struct restore what;

	OK(backup_key_read(&config, &head.recovery));
	OK(backup_writer_new(path.b, &head, &w));
	if (rec->kind != BACKUP_SHAPE)
		OK(backup_writer_put(w, &shape));
	OK(backup_writer_put(w, rec));
	OK(backup_writer_finish(w));
	backup_writer_free(w);
	return restore_verify(path.b, sk, &what);
}

START_TEST(records_that_no_adapter_writes_are_refused)
{
	const struct kl_bytes v = kl_bytes_str("x");

	make_key();
	ck_assert_int_eq(with_record(&(struct backup_record){ BACKUP_PAPER,
	    0, 0, kl_bytes_str("../../evil"), v }), KL_E_DAMAGED);
	ck_assert_int_eq(with_record(&(struct backup_record){ BACKUP_SEALED,
	    STORE_SECRET, 1, v, v }), KL_E_DAMAGED);
	ck_assert_int_eq(with_record(&(struct backup_record){ 99,
	    STORE_META, 0, v, v }), KL_E_DAMAGED);
	ck_assert_int_eq(with_record(&(struct backup_record){ BACKUP_SHAPE,
	    0, 0, v, v }), KL_E_DAMAGED);
	OK(with_record(&(struct backup_record){ BACKUP_ROW, STORE_META, 0,
	    v, v }));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("backup");
	TCase *tc = tcase_create("backup");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	tcase_add_test(tc, a_night_that_was_missed_is_made_good);
	tcase_add_test(tc, without_a_key_it_is_an_alarm_until_there_is_one);
	tcase_add_test(tc, what_cannot_be_written_is_an_alarm_and_waits);
	tcase_add_test(tc, one_that_is_broken_off_leaves_nothing);
	tcase_add_test(tc, what_was_erased_on_request_is_in_none_for_long);
	tcase_add_test(tc, a_new_key_is_the_one_that_opens_the_next);
	tcase_add_test(tc, what_is_restored_goes_on_with_its_cases);
	tcase_add_test(tc, a_store_that_is_there_stays);
	tcase_add_test(tc, a_key_that_is_there_and_another_stays);
	tcase_add_test(tc, a_backup_of_another_is_refused);
	tcase_add_test(tc, with_another_key_or_damage_nothing_is_written);
	tcase_add_test(tc, one_that_broke_off_is_begun_anew);
	tcase_add_test(tc, records_that_no_adapter_writes_are_refused);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
