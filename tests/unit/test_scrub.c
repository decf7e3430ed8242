/* The log read again: after a start, before anything is signed, and at night;
 * and the checkpoint of each day. */
#include "broker/core/scrub.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/secret.h>

#include "broker/core/control_priv.h"
#include "broker/core/core_main.h"
#include "broker/core/cycle.h"
#include "broker/core/dispatch.h"
#include "broker/core/tables.h"
#include "tests/support/shell.h"

#define MANY 4000		/* leaves: more slices than a start has turns */
#define TURNS_MAX 64

static struct shell s;

static void
setup(void)
{
	shell_open(&s);
	shell_begin(&s, &s.desk);
	shell_begin(&s, &s.auditor);
}

static void
teardown(void)
{
	shell_close(&s);
}

static int
leaves_put(struct core *c, void *arg)
{
	const unsigned int *n = arg;
	const size_t mark = kl_arena_mark(c->mem);

	for (unsigned int i = 0; i < *n; i++) {
		struct kl_record r = { .event = KL_EV_CARD };
		struct journal_leaf leaf;
		int err = journal_append(&c->journal, c->turn.txn,
		    c->turn.now_ms, &r, c->mem, &leaf);

		if (err != KL_OK)
			return err;
		kl_arena_release(c->mem, mark);
	}
	return KL_OK;
}

/* In turns that nothing is signed after. */
static void
grow(unsigned int n)
{
	ck_assert_int_eq(cycle_run(s.core, leaves_put, &n), KL_OK);
}

static void
sign(void)
{
	s.core->journal.note_ms = 0;
	shell_turn(&s);
}

static enum kl_code
prove(uint64_t leaf)
{
	const struct kl_log_request q = { .want = KL_LOG_INCLUSION,
		.size = leaf };
	struct shell_answer a;

	SHELL_SEND(&s, &s.auditor, KL_LOG, KL_M_LOG, &q);
	shell_answer(&s, &a);
	return (enum kl_code)a.m.code;
}

/* Puts the row of a leaf anew, its record flipped before it was sealed. */
static int
record_flip(struct core *c, void *arg)
{
	const uint64_t index = *(const uint64_t *)arg;
	uint8_t key[8], row[1024], plain[32 + KL_RECORD_MAX];
	struct leaf_plain was;
	struct leaf_row found;
	struct kl_bytes sealed;
	struct kl_writer w;

	kl_be64_put(key, index);
	ck_assert_int_eq(leaf_get(c->turn.txn, index, &found), KL_OK);
	ck_assert_int_eq(leaf_open(&c->vault, c->journal.month_slot, index,
	    found.sealed, c->mem, &was), KL_OK);
	memcpy(plain, was.salt, 32);
	memcpy(plain + 32, was.record.p, was.record.n);
	plain[40] ^= 1;
	ck_assert_int_eq(vault_seal(&c->vault, c->journal.month_slot, T_LEAF,
	    KL_BYTES_OF(key), kl_bytes(plain, 32 + was.record.n), c->mem,
	    &sealed), KL_OK);
	kl_writer_init(&w, row, sizeof row);
	kl_put(&w, found.hash.b, sizeof found.hash.b);
	kl_put_u32(&w, found.month);
	kl_put_bytes(&w, sealed);
	return kl_kv_put(c->turn.txn, T_LEAF, KL_BYTES_OF(key),
	    kl_writer_bytes(&w));
}

static json_t *
log_status(void)
{
	json_t *o = control_status(s.core, NULL);
	json_t *log = json_incref(json_object_get(o, "log"));

	ck_assert_ptr_nonnull(log);
	json_decref(o);
	return log;
}

/* ---- after a start ---- */

START_TEST(it_serves_at_once_and_signs_when_all_was_read)
{
	struct kl_note before;
	json_t *log;
	int turns = 0;

	sign();
	before = s.core->journal.note;
	grow(MANY);
	shell_restart(&s, LETTERS_NOW_MS + KL_MINUTE_MS);
	shell_begin(&s, &s.auditor);
	ck_assert(!s.core->journal.whole);
	ck_assert_str_eq(s.core->journal.note.b, before.b);
	ck_assert_int_eq(prove(1), KL_C_OK);
	ck_assert_int_eq(prove(MANY - 1), KL_C_TRY_LATER);
	log = log_status();
	ck_assert(json_is_false(json_object_get(log, "read_since_start")));
	ck_assert(json_is_true(json_object_get(log, "reading")));
	ck_assert_int_lt(json_integer_value(json_object_get(log,
	    "leaves_read")), json_integer_value(json_object_get(log,
	    "leaves_to_read")));
	json_decref(log);
	/* Nobody has to ask for the next slice. */
	for (; !s.core->journal.whole && turns < TURNS_MAX; turns++) {
		ck_assert_int_eq(dispatch_wait_ms(s.core), 0);
		ck_assert_str_eq(s.core->journal.note.b, before.b);
		shell_turn(&s);
	}
	ck_assert(s.core->journal.whole);
	ck_assert_str_ne(s.core->journal.note.b, before.b);
	ck_assert_int_eq(prove(MANY - 1), KL_C_OK);
	log = log_status();
	ck_assert(json_is_true(json_object_get(log, "read_since_start")));
	ck_assert_int_gt(json_integer_value(json_object_get(log, "read_ms")),
	    0);
	ck_assert_uint_eq(json_array_size(json_object_get(log,
	    "months_lost")), 0);
	json_decref(log);
}
END_TEST

START_TEST(what_is_not_signed_is_told_with_why)
{
	json_t *log;

	sign();
	log = log_status();
	ck_assert_int_eq(json_integer_value(json_object_get(log,
	    "leaves_unsigned")), 0);
	ck_assert_ptr_null(json_object_get(log, "not_signed_why"));
	json_decref(log);
	(void)snprintf(s.core->mark_path, sizeof s.core->mark_path,
	    "/nowhere/log.mark");
	grow(3);
	sign();
	log = log_status();
	ck_assert_int_eq(json_integer_value(json_object_get(log,
	    "leaves_unsigned")), 3);
	ck_assert_str_eq(json_string_value(json_object_get(log,
	    "not_signed_why")), kl_err_text(KL_E_IO));
	json_decref(log);
}
END_TEST

START_TEST(damage_of_long_ago_stops_it_before_anything_is_signed)
{
	uint64_t at = MANY - 10;
	struct kl_note before;

	grow(MANY);
	sign();
	before = s.core->journal.note;
	ck_assert_int_eq(cycle_run(s.core, record_flip, &at), KL_OK);
	shell_restart(&s, LETTERS_NOW_MS + KL_MINUTE_MS);
	for (int i = 0; s.core->exit == CORE_EXIT_STOPPED && i < TURNS_MAX;
	    i++)
		shell_turn(&s);
	ck_assert_int_eq(s.core->exit, CORE_EXIT_COMMIT);
	ck_assert_str_eq(s.core->journal.note.b, before.b);
	ck_assert(!s.core->journal.whole);
}
END_TEST

static int
marked_del(struct core *c, void *arg)
{
	(void)arg;
	return kl_kv_del(c->turn.txn, T_META, kl_bytes_str("marked"));
}

/* As a crash in the first start leaves it: nobody has seen it yet, and the
 * next start must find that it was signed. */
START_TEST(log_that_was_never_signed_is_read_before_it_serves)
{
	grow(MANY);
	ck_assert_int_eq(cycle_run(s.core, marked_del, NULL), KL_OK);
	ck_assert_int_eq(remove(s.core->mark_path), 0);
	shell_stop(&s);
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS), CORE_EXIT_STOPPED);
	ck_assert(s.core->journal.whole);
	ck_assert_str_ne(s.core->journal.note.b, "");
	shell_restart(&s, LETTERS_NOW_MS);
	ck_assert_str_ne(s.core->journal.note.b, "");
}
END_TEST

/* ---- at night ---- */

static void
night(void)
{
	s.core->scrubber.done_ms -= 3 * KL_DAY_MS;
	shell_turn(&s);
}

START_TEST(all_of_it_is_read_again_every_night)
{
	const int64_t done_ms = s.core->scrubber.done_ms;

	grow(MANY);
	sign();
	ck_assert_int_gt(done_ms, 0);
	ck_assert(!s.core->scrubber.running);
	night();
	ck_assert(s.core->scrubber.running);
	ck_assert_uint_eq(s.core->scrubber.to.size,
	    s.core->journal.checked.size);
	for (int i = 0; s.core->scrubber.running && i < TURNS_MAX; i++) {
		ck_assert_int_eq(dispatch_wait_ms(s.core), 0);
		shell_turn(&s);
	}
	ck_assert(!s.core->scrubber.running);
	ck_assert_int_ge(s.core->scrubber.done_ms, done_ms);
	shell_turn(&s);
	ck_assert(!s.core->scrubber.running);
}
END_TEST

START_TEST(damage_since_the_start_is_found_at_night)
{
	uint64_t at = 7;

	grow(10);
	sign();
	ck_assert_int_eq(cycle_run(s.core, record_flip, &at), KL_OK);
	sign();
	ck_assert_int_eq(s.core->exit, CORE_EXIT_STOPPED);
	night();
	ck_assert_int_eq(s.core->exit, CORE_EXIT_COMMIT);
}
END_TEST

START_TEST(night_that_leads_elsewhere_stops_it)
{
	sign();
	night();
	ck_assert_int_eq(s.core->exit, CORE_EXIT_STOPPED);
	grow(2 * 256);
	sign();
	night();
	ck_assert(s.core->scrubber.running);
	s.core->scrubber.to.h[0].b[3] ^= 1;
	for (int i = 0; s.core->scrubber.running && i < TURNS_MAX &&
	    s.core->exit == CORE_EXIT_STOPPED; i++)
		shell_turn(&s);
	ck_assert_int_eq(s.core->exit, CORE_EXIT_COMMIT);
}
END_TEST

/* ---- a checkpoint of each day ---- */

static int
kept_from(int32_t day, struct kl_note *note, int32_t *found)
{
	struct kl_kv_txn *txn;
	int r;

	ck_assert_int_eq(kl_kv_begin_read(s.core->kv, &txn), KL_OK);
	r = daily_from(txn, day, note, found);
	kl_kv_abort(&txn);
	return r;
}

START_TEST(first_checkpoint_of_each_day_is_kept)
{
	const int32_t today = kl_day_of(LETTERS_NOW_MS);
	struct kl_checkpoint c;
	struct kl_note note, third;
	int32_t day;

	sign();
	shell_turn(&s);
	grow(3);
	sign();
	shell_turn(&s);
	ck_assert_int_eq(kept_from(0, &note, &day), KL_OK);
	ck_assert_int_eq(day, today);
	ck_assert_int_eq(kl_note_verify(kl_bytes_str(note.b),
	    &s.broker.sign_pk, &c), KL_OK);
	ck_assert_uint_le(c.size, s.core->journal.checked.size - 3);
	/* A start of the same day keeps no other. */
	shell_restart(&s, LETTERS_NOW_MS + KL_HOUR_MS);
	sign();
	shell_turn(&s);
	ck_assert_int_eq(kept_from(today, &third, &day), KL_OK);
	ck_assert_str_eq(third.b, note.b);
	ck_assert_int_eq(kept_from(today + 1, &third, &day), KL_E_NOT_FOUND);
	ck_assert_str_eq(third.b, "");
	shell_restart(&s, LETTERS_NOW_MS + 2 * KL_DAY_MS);
	sign();
	shell_turn(&s);
	ck_assert_int_eq(kept_from(today + 1, &third, &day), KL_OK);
	ck_assert_int_eq(day, today + 2);
	ck_assert_str_ne(third.b, note.b);
}
END_TEST

static int
row_put(struct core *c, void *arg)
{
	const struct kl_bytes *row = arg;

	return kl_kv_put(c->turn.txn, T_DAILY, row[0], row[1]);
}

START_TEST(rows_that_are_none_are_told)
{
	const uint8_t key[4] = { 0, 0, 200, 0 }, longer[5] = { 1 };
	static const uint8_t big[KL_NOTE_MAX] = { 'x' };
	const struct kl_bytes much[] = { KL_BYTES_OF(key), KL_BYTES_OF(big) };
	const struct kl_bytes odd[] = { KL_BYTES_OF(longer),
		KL_BYTES_OF(key) };
	struct kl_kv_txn *txn;
	struct kl_note note;
	struct daily d;
	int32_t day;

	ck_assert_int_eq(cycle_run(s.core, row_put, (void *)(uintptr_t)much),
	    KL_OK);
	ck_assert_int_eq(kept_from(200 * 256, &note, &day), KL_E_DAMAGED);
	ck_assert_int_eq(cycle_run(s.core, row_put, (void *)(uintptr_t)odd),
	    KL_OK);
	ck_assert_int_eq(kept_from(200 * 256 + 1, &note, &day),
	    KL_E_DAMAGED);
	ck_assert_int_eq(kl_kv_begin_read(s.core->kv, &txn), KL_OK);
	ck_assert_int_eq(daily_load(&d, txn), KL_E_DAMAGED);
	kl_kv_abort(&txn);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scrub");
	TCase *t = tcase_create("scrub");
	SRunner *sr;
	int failed;

	if (kl_crypto_init() != KL_OK)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, it_serves_at_once_and_signs_when_all_was_read);
	tcase_add_test(t,
	    damage_of_long_ago_stops_it_before_anything_is_signed);
	tcase_add_test(t,
	    log_that_was_never_signed_is_read_before_it_serves);
	tcase_add_test(t, what_is_not_signed_is_told_with_why);
	tcase_add_test(t, all_of_it_is_read_again_every_night);
	tcase_add_test(t, damage_since_the_start_is_found_at_night);
	tcase_add_test(t, night_that_leads_elsewhere_stops_it);
	tcase_add_test(t, first_checkpoint_of_each_day_is_kept);
	tcase_add_test(t, rows_that_are_none_are_told);
	suite_add_tcase(suite, t);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
