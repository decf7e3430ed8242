#include "broker/core/export.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/policy.h>
#include <kortelijn/host/fs.h>

#include "broker/core/month.h"
#include "broker/core/month_gone.h"
#include "broker/core/tables.h"
#include "tests/support/parts.h"

#define STEPS_MAX 10000

static struct parts p;
static struct export e;
static struct tmpdir_path dir;
static struct kl_secret *key;
static struct kl_logfile_reader in;
static struct kl_record read_record[4096];
static size_t n_read;		/* leaves of the file read last, */
static size_t n_records;	/* and those with a record */

static void
setup(void)
{
	parts_open(&p);
	memset(&e, 0, sizeof e);
	dir = tmpdir_file(&p.dir, "export");
	ck_assert_int_eq(mkdir(dir.b, 0700), 0);
	ck_assert_ptr_nonnull(key = kl_secret_random(32));
	parts_begin_read(&p);
	ck_assert_int_eq(export_load(&e, p.turn.txn), KL_OK);
	kl_kv_abort(&p.turn.txn);
	e.dir = open(dir.b, O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(e.dir, 0);
	e.key = key;
}

static void
teardown(void)
{
	export_close(&e);
	if (e.dir >= 0)
		(void)close(e.dir);
	kl_secret_free(key);
	parts_close(&p);
}

/* n leaves of this day. */
static void
grow(const char *day, unsigned int n)
{
	struct journal_leaf leaf;
	int32_t d;

	ck_assert_int_eq(kl_day_read(day, &d), KL_OK);
	p.turn.now_ms = kl_day_start_ms(d) + 12 * KL_HOUR_MS;
	while (n > 0) {
		parts_begin(&p);
		for (int i = 0; i < 500 && n > 0; i++, n--) {
			struct kl_record r = { .event = KL_EV_CARD };

			ck_assert_int_eq(journal_append(&p.journal,
			    p.turn.txn, p.turn.now_ms, &r, p.mem, &leaf),
			    KL_OK);
		}
		parts_commit(&p);
	}
	parts_begin_read(&p);
	ck_assert_int_eq(journal_sign(&p.journal, p.turn.txn, p.turn.now_ms,
	    p.mark.b, p.mem), KL_OK);
	kl_kv_abort(&p.turn.txn);
}

static void
step(void)
{
	parts_begin(&p);
	ck_assert_int_eq(export_step(&e, &p.turn, 0), KL_OK);
	parts_commit(&p);
	export_committed(&e);
}

/* A whole run; why it failed, or KL_OK. */
static int
run(void)
{
	int n = 0;

	ck_assert_int_eq(export_begin(&e, &p.turn), KL_OK);
	while (!e.ended) {
		step();
		ck_assert_int_lt(++n, STEPS_MAX);
	}
	e.ended = false;
	return e.err;
}

static struct tmpdir_path
file_of(uint32_t month)
{
	struct tmpdir_path f;

	(void)snprintf(f.b, sizeof f.b, "%.150s/%s", dir.b,
	    export_name(p.journal.origin, month).b);
	return f;
}

static bool
there(uint32_t month)
{
	return access(file_of(month).b, F_OK) == 0;
}

/* Reads a month and checks that it leads to its checkpoint. */
static void
read_month(uint32_t month)
{
	struct kl_logfile_head h;
	struct kl_logfile_leaf l;
	size_t n, at, len;
	char *text;

	ck_assert_int_eq(kl_fs_read_file(AT_FDCWD, file_of(month).b, 4 << 20,
	    &text, &n), KL_OK);
	ck_assert_int_eq(kl_logfile_open(&in, kl_secret_bytes(key),
	    &p.broker.sign_pk, kl_bytes(text, n), &h, &at), KL_OK);
	ck_assert_uint_eq(h.month, month);
	n_read = n_records = 0;
	while (at < n) {
		ck_assert_int_eq(kl_logfile_length((uint8_t *)text + at,
		    &len), KL_OK);
		ck_assert_int_eq(kl_logfile_take(&in, kl_bytes(text + at + 4,
		    len)), KL_OK);
		at += 4 + len;
		while (kl_logfile_leaf(&in, &l) == KL_OK) {
			n_read++;
			if (l.record.n > 0)
				ck_assert_int_eq(KL_STATEMENT_READ(
				    KL_S_RECORD, l.record, p.mem,
				    &read_record[n_records++]), KL_C_OK);
			kl_arena_reset(p.mem);
		}
	}
	ck_assert(kl_logfile_whole(&in));
	kl_fs_read_free(text, n);
}

#define MONTH(y, m) ((y) * 12u + (m))

START_TEST(names_hold_log_and_month)
{
	const struct export_name n = export_name(
	    "oin-1/log/20261124T234512Z-7K3MQ9VD", MONTH(2026, 12));

	ck_assert_str_eq(n.b, "20261124T234512Z-7K3MQ9VD.2026-12.klog");
	for (uint32_t m = MONTH(2026, 1); m <= MONTH(2028, 1); m++)
		ck_assert_uint_eq(export_month_of(export_name("a/b", m).b),
		    m);
	ck_assert_uint_eq(export_month_of("x.2026-13.klog"), 0);
	ck_assert_uint_eq(export_month_of("x.2026-12.klog.old"), 0);
	ck_assert_uint_eq(export_month_of("x2026-12.klog"), 0);
	ck_assert_uint_eq(export_month_of(".klog"), 0);
	ck_assert_uint_eq(export_month_of("export.new"), 0);
}
END_TEST

START_TEST(each_month_has_a_file_that_leads_to_the_newest_checkpoint)
{
	grow("2027-01-10", 3);
	grow("2027-02-10", 700);
	grow("2027-03-10", 5);
	ck_assert_int_eq(run(), KL_OK);
	ck_assert_uint_ge(e.files, 3);
	read_month(MONTH(2027, 1));
	ck_assert_uint_eq(n_records, 3);
	read_month(MONTH(2027, 2));
	ck_assert_uint_eq(n_records, 700);
	ck_assert_uint_eq(read_record[699].event, KL_EV_CARD);
	ck_assert_uint_eq(in.checkpoint.size, p.journal.committed.size);
	read_month(MONTH(2027, 3));
	ck_assert_uint_eq(n_records, 5);
	ck_assert_int_eq(access(dir.b, F_OK), 0);
	ck_assert_int_ne(faccessat(e.dir, "export.new", F_OK, 0), 0);
}
END_TEST

START_TEST(only_what_has_grown_is_written_again)
{
	grow("2027-02-10", 10);
	grow("2027-03-10", 10);
	ck_assert_int_eq(run(), KL_OK);
	grow("2027-03-11", 4);
	ck_assert_int_eq(run(), KL_OK);
	ck_assert_uint_eq(e.files, 1);
	read_month(MONTH(2027, 3));
	ck_assert_uint_eq(n_records, 14);
	ck_assert_int_eq(run(), KL_OK);
	ck_assert_uint_eq(e.files, 0);
	/* Another disk in its place. */
	ck_assert_int_eq(unlink(file_of(MONTH(2027, 2)).b), 0);
	ck_assert_int_eq(run(), KL_OK);
	ck_assert_uint_eq(e.files, 1);
	read_month(MONTH(2027, 2));
}
END_TEST

/* Its leaves then stand between those of another month. */
START_TEST(a_clock_that_went_back_over_the_end_of_a_month_loses_nothing)
{
	grow("2027-03-01", 4);
	grow("2027-02-28", 3);
	grow("2027-03-01", 2);
	ck_assert_int_eq(run(), KL_OK);
	read_month(MONTH(2027, 3));
	ck_assert_uint_eq(n_records, 6);
	ck_assert_uint_eq(n_read, 9);
	read_month(MONTH(2027, 2));
	ck_assert_uint_eq(n_records, 3);
}
END_TEST

START_TEST(a_file_goes_with_the_term_of_its_records)
{
	const int64_t term_ms = kl_policy_ms(&p.policy,
	    KL_POL_LOG_RETENTION);

	grow("2027-02-10", 3);
	ck_assert_int_eq(run(), KL_OK);
	p.turn.now_ms = kl_day_start_ms(kl_day_make(2027, 3, 1)) + term_ms -
	    1;
	ck_assert_int_eq(run(), KL_OK);
	ck_assert(there(MONTH(2027, 2)));
	p.turn.now_ms++;
	p.turn.untrusted = true;
	ck_assert_int_eq(run(), KL_OK);
	ck_assert(there(MONTH(2027, 2)));
	p.turn.untrusted = false;
	ck_assert_int_eq(run(), KL_OK);
	ck_assert(!there(MONTH(2027, 2)));
	ck_assert_uint_ge(e.deleted, 1);
	/* And is never made again. */
	ck_assert_int_eq(run(), KL_OK);
	ck_assert(!there(MONTH(2027, 2)));
	ck_assert_uint_eq(e.files, 0);
}
END_TEST

START_TEST(a_file_of_an_older_log_goes_too_and_others_stay)
{
	const char *const names[] = { "20200101T000000Z-00000000.2020-01.klog",
		"notes.txt", "20200101T000000Z-00000000.2026-12.klog" };

	for (size_t i = 0; i < 3; i++)
		(void)close(openat(e.dir, names[i], O_WRONLY | O_CREAT,
		    0600));
	grow("2027-02-10", 1);
	ck_assert_int_eq(run(), KL_OK);
	ck_assert_int_ne(faccessat(e.dir, names[0], F_OK, 0), 0);
	ck_assert_int_eq(faccessat(e.dir, names[1], F_OK, 0), 0);
	ck_assert_int_eq(faccessat(e.dir, names[2], F_OK, 0), 0);
}
END_TEST

/* The sweep of the store was there first. */
START_TEST(a_file_goes_with_the_key_of_its_month)
{
	uint32_t slot;

	grow("2027-02-10", 5);
	grow("2027-03-10", 5);
	ck_assert_int_eq(run(), KL_OK);
	parts_begin(&p);
	ck_assert_int_eq(month_drop(p.turn.txn, MONTH(2027, 2),
	    MONTH_TERM, &slot),
	    KL_OK);
	parts_commit(&p);
	p.turn.untrusted = true;
	ck_assert_int_eq(run(), KL_OK);
	ck_assert(!there(MONTH(2027, 2)));
	read_month(MONTH(2027, 3));
	ck_assert_uint_eq(n_records, 5);
}
END_TEST

START_TEST(records_whose_key_is_gone_are_left_out)
{
	uint32_t slot;

	grow("2027-03-01", 4);
	grow("2027-02-28", 3);
	grow("2027-03-01", 2);
	parts_begin(&p);
	ck_assert_int_eq(month_drop(p.turn.txn, MONTH(2027, 2),
	    MONTH_TERM, &slot),
	    KL_OK);
	parts_commit(&p);
	ck_assert_int_eq(run(), KL_OK);
	read_month(MONTH(2027, 3));
	ck_assert_uint_eq(n_read, 9);
	ck_assert_uint_eq(n_records, 6);
}
END_TEST

START_TEST(it_goes_on_after_a_restart)
{
	grow("2027-02-10", 5);
	ck_assert_int_eq(run(), KL_OK);
	parts_restart(&p);
	parts_begin_read(&p);
	ck_assert_int_eq(export_load(&e, p.turn.txn), KL_OK);
	ck_assert_int_eq(journal_resume(&p.journal, p.turn.txn, p.mark.b),
	    KL_OK);
	kl_kv_abort(&p.turn.txn);
	ck_assert_int_eq(e.last_ms, p.turn.now_ms);
	ck_assert_uint_eq(e.scanned, p.journal.committed.size);
	ck_assert_int_eq(run(), KL_OK);
	ck_assert_uint_eq(e.files, 0);
}
END_TEST

START_TEST(a_turn_that_is_undone_gives_the_run_up)
{
	grow("2027-02-10", 900);
	ck_assert_int_eq(export_begin(&e, &p.turn), KL_OK);
	for (int i = 0; i < 4; i++)
		step();
	ck_assert_int_eq(export_begin(&e, &p.turn), KL_E_AGAIN);
	parts_begin(&p);
	ck_assert_int_eq(export_step(&e, &p.turn, 0), KL_OK);
	parts_undo(&p);
	export_undo(&e, 1000);
	ck_assert(!export_due(&e, p.turn.now_ms, 1000));
	ck_assert(export_due(&e, p.turn.now_ms, 1000 + KL_MINUTE_MS));
	ck_assert_int_eq(run(), KL_OK);
	read_month(MONTH(2027, 2));
	ck_assert_uint_eq(n_records, 900);
}
END_TEST

/* The first slice, and the last one. */
START_TEST(a_slice_that_is_undone_was_not_done)
{
	grow("2027-02-10", 9);
	ck_assert_int_eq(export_begin(&e, &p.turn), KL_OK);
	parts_begin(&p);
	ck_assert_int_eq(export_step(&e, &p.turn, 0), KL_OK);
	ck_assert_uint_gt(e.scanned, 0);
	parts_undo(&p);
	export_undo(&e, 0);
	ck_assert_uint_eq(e.scanned, 0);
	ck_assert_int_eq(export_begin(&e, &p.turn), KL_OK);
	while (e.phase != EXPORT_SWEEP)
		step();
	parts_begin(&p);
	ck_assert_int_eq(export_step(&e, &p.turn, 0), KL_OK);
	ck_assert_int_ne(e.last_ms, 0);
	parts_undo(&p);
	export_undo(&e, 0);
	ck_assert_int_eq(e.last_ms, 0);
	ck_assert(export_due(&e, p.turn.now_ms, KL_MINUTE_MS));
}
END_TEST

START_TEST(a_directory_that_fails_ends_the_run_and_not_the_turn)
{
	grow("2027-02-10", 5);
	(void)close(e.dir);
	e.dir = open("/dev/null", O_RDONLY);
	ck_assert_int_eq(run(), KL_E_IO);
	ck_assert_int_eq(e.last_ms, 0);
	ck_assert(!export_due(&e, p.turn.now_ms, 0));
	ck_assert(export_due(&e, p.turn.now_ms, 10 * KL_MINUTE_MS));
}
END_TEST

START_TEST(it_is_due_every_night)
{
	grow("2027-02-10", 1);		/* at noon */
	ck_assert(export_due(&e, p.turn.now_ms, 0));
	ck_assert_int_eq(run(), KL_OK);
	ck_assert(!export_due(&e, p.turn.now_ms, 0));
	/* 02:00 of the night is 01:00 UTC in winter. */
	ck_assert(!export_due(&e, p.turn.now_ms + 13 * KL_HOUR_MS - 1, 0));
	ck_assert(export_due(&e, p.turn.now_ms + 13 * KL_HOUR_MS, 0));
	/* A clock that was in the future once does not stop it. */
	ck_assert(export_due(&e, p.turn.now_ms - 2 * KL_DAY_MS, 0));
}
END_TEST

START_TEST(without_place_key_or_checkpoint_there_is_none)
{
	ck_assert_int_eq(export_begin(&e, &p.turn), KL_E_NOT_FOUND);
	grow("2027-02-10", 1);
	e.key = NULL;
	ck_assert(!export_due(&e, p.turn.now_ms, 0));
	ck_assert_int_eq(export_begin(&e, &p.turn), KL_E_NOT_FOUND);
	e.key = key;
	(void)close(e.dir);
	e.dir = -1;
	ck_assert(!export_due(&e, p.turn.now_ms, 0));
	ck_assert_int_eq(export_begin(&e, &p.turn), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(a_damaged_row_is_told)
{
	const uint8_t all[4] = { 0 };

	parts_begin(&p);
	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_EXPORT, KL_BYTES_OF(all),
	    kl_bytes_str("short")), KL_OK);
	parts_commit(&p);
	parts_begin_read(&p);
	ck_assert_int_eq(export_load(&e, p.turn.txn), KL_E_DAMAGED);
	kl_kv_abort(&p.turn.txn);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("export");
	TCase *t = tcase_create("export");
	SRunner *r;
	int failed;

	if (kl_crypto_init() != KL_OK)
		return EXIT_FAILURE;
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, names_hold_log_and_month);
	tcase_add_test(t,
	    each_month_has_a_file_that_leads_to_the_newest_checkpoint);
	tcase_add_test(t, only_what_has_grown_is_written_again);
	tcase_add_test(t,
	    a_clock_that_went_back_over_the_end_of_a_month_loses_nothing);
	tcase_add_test(t, a_file_goes_with_the_term_of_its_records);
	tcase_add_test(t, a_file_of_an_older_log_goes_too_and_others_stay);
	tcase_add_test(t, a_file_goes_with_the_key_of_its_month);
	tcase_add_test(t, records_whose_key_is_gone_are_left_out);
	tcase_add_test(t, it_goes_on_after_a_restart);
	tcase_add_test(t, a_turn_that_is_undone_gives_the_run_up);
	tcase_add_test(t, a_slice_that_is_undone_was_not_done);
	tcase_add_test(t,
	    a_directory_that_fails_ends_the_run_and_not_the_turn);
	tcase_add_test(t, it_is_due_every_night);
	tcase_add_test(t, without_place_key_or_checkpoint_there_is_none);
	tcase_add_test(t, a_damaged_row_is_told);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
