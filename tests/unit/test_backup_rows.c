#include "adapters/common/backup_rows.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/end/recovery.h>
#include <kortelijn/host/kv.h>

#include "adapters/common/alarm.h"
#include "adapters/common/prekeys.h"
#include "tests/support/adapter.h"
#include "tests/support/people.h"

#define OK(expr) ck_assert_int_eq((expr), KL_OK)
#define SLOTS 128u
#define NAME "Amrani"

static struct adapter_region region;
static struct adapter gp, desk;
static struct case_row made;
static struct tmpdir place;
static struct tmpdir_path path;
static struct kl_secret *sk;
static struct backup_head head;
static struct store *back;		/* the other store */
static struct backup_writer *writer;
static struct backup_rows *rows;

static void
setup(void)
{
	OK(kl_crypto_init());
	adapter_region_make(&region);
	adapter_make(&gp, &region, KL_PRACTICE, "agb:01000001");
	adapter_make(&desk, &region, KL_MUNICIPALITY,
	    "oin:00000001000000000001");
	adapter_meet(&gp, &region, &desk);
	adapter_meet(&desk, &region, &gp);
	adapter_refer(&gp, &desk, KL_LEVEL_2, &made);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_OPENED);
	place = tmpdir_make();
	path = tmpdir_file(&place, "x.backup");
	head = (struct backup_head){ .made_ms = ADAPTER_NOW_MS, .role =
		KL_MUNICIPALITY, .realm = KL_TRAINING, .id =
		desk.config.id };
	OK(kl_recovery_make(&head.recovery, &sk));
	OK(backup_writer_new(path.b, &head, &writer));
	OK(backup_rows_new(desk.store, &rows));
	back = NULL;
}

static void
teardown(void)
{
	backup_rows_free(rows);
	backup_writer_free(writer);
	store_close(back);
	kl_secret_free(sk);
	adapter_clear(&gp);
	adapter_clear(&desk);
	adapter_region_clear(&region);
	tmpdir_remove(&place);
}

static bool
step(uint32_t max)
{
	bool done;

	OK(backup_rows_step(rows, writer, desk.mem, max, &done));
	store_abort(desk.store);
	return done;
}

static void
to_the_end(void)
{
	while (!step(7))
		;
	OK(backup_writer_finish(writer));
}

/* All records to `take`. */
static void
each(int (*take)(struct backup_slots *u, const struct backup_record *r),
    struct backup_slots *u)
{
	struct backup_record rec;
	struct backup_reader *r;
	int e;

	OK(backup_reader_new(path.b, sk, &head, &r));
	while ((e = backup_reader_next(r, &rec)) == KL_OK)
		OK(take(u, &rec));
	ck_assert_int_eq(e, KL_E_EMPTY);
	backup_reader_free(r);
}

static int
put(struct backup_slots *u, const struct backup_record *r)
{
	return backup_rows_put(back, u, r);
}

/* Into another store, under other slots' keys. */
static void
restore(void)
{
	struct store_options o = { .dir = place.path, .mac_key =
		kl_secret_bytes(desk.id.master), .map_bytes = 8u << 20,
		.slots = SLOTS };
	struct backup_slots u;

	OK(backup_slots_make(&u, SLOTS));
	each(backup_slots_note, &u);
	OK(store_open(&o, &back));
	each(put, &u);
	OK(store_commit(back));
	backup_slots_clear(&u);
	store_close(back);
	OK(store_open(&o, &back));
}

static unsigned
count(struct store *s, char table)
{
	struct store_entry e = { .n_key = 0 };
	unsigned n = 0;

	while (store_seek(s, table, kl_bytes(e.key, e.n_key), true, &e) ==
	    KL_OK)
		n++;
	return n;
}

/* The value of a row as both stores give it. */
static void
same_row(char table, struct kl_bytes key)
{
	struct kl_bytes a, b, copy;
	uint32_t one, two;

	if (backup_rows_kind(table) == BACKUP_ROWS_SEALED) {
		OK(store_get_sealed_at(desk.store, table, key, desk.mem,
		    &one, &a));
		OK(store_get_sealed_at(back, table, key, desk.mem, &two,
		    &b));
		ck_assert_uint_eq(one, two);
	} else {
		OK(store_get(desk.store, table, key, &a));
		OK(kl_arena_copy(desk.mem, a, &copy));
		a = copy;
		OK(store_get(back, table, key, &b));
	}
	ck_assert(kl_bytes_equal(a, b));
}

static bool
stays(char table, struct kl_bytes key)
{
	return table == STORE_USED || (table == STORE_META &&
	    (kl_bytes_equal(key, kl_bytes_str("instance")) ||
	    kl_bytes_equal(key, kl_bytes_str("profile sent"))));
}

static void
same_table(char table)
{
	struct store_entry e = { .n_key = 0 };
	unsigned n = 0, kept = 0;

	while (store_seek(desk.store, table, kl_bytes(e.key, e.n_key), true,
	    &e) == KL_OK) {
		const struct kl_bytes key = kl_bytes(e.key, e.n_key);

		n++;
		if (stays(table, key)) {
			kept++;
			continue;
		}
		same_row(table, key);
		kl_arena_reset(desk.mem);
	}
	if (table != STORE_USED)
		ck_assert_uint_eq(count(back, table), n - kept);
}

static void
same_store(void)
{
	char table;

	for (size_t i = 0; (table = backup_rows_table(i)) != 0; i++)
		if (backup_rows_kind(table) != BACKUP_ROWS_NOT)
			same_table(table);
}

START_TEST(each_row_comes_back)
{
	to_the_end();
	restore();
	same_store();
	ck_assert_uint_eq(count(back, STORE_CASE), 1);
	ck_assert_uint_eq(count(back, STORE_CONTENT), 1);
}
END_TEST

/* A table that somebody adds must be in the list, or it is lost. */
START_TEST(no_table_is_forgotten)
{
	struct store_entry e;
	unsigned seen = 0;

	for (int table = 1; table < 128; table++) {
		if (store_seek(desk.store, (char)table, KL_BYTES_NONE, false,
		    &e) != KL_OK)
			continue;
		seen++;
		ck_assert_msg(backup_rows_kind((char)table) !=
		    BACKUP_ROWS_UNKNOWN, "table %c", table);
	}
	ck_assert_uint_gt(seen, 10);
}
END_TEST

START_TEST(own_prekeys_and_their_slots_stay_behind)
{
	const unsigned own = count(desk.store, STORE_OWN_PREKEY);
	const unsigned used = count(desk.store, STORE_USED);

	ck_assert_uint_ge(own, PREKEYS_AHEAD);
	to_the_end();
	restore();
	ck_assert_uint_eq(count(back, STORE_OWN_PREKEY), 0);
	ck_assert_uint_eq(count(back, STORE_SECRET), 0);
	ck_assert_uint_eq(count(back, STORE_USED), used - own);
	OK(prekeys_top_up(back, ADAPTER_NOW_MS));
	OK(store_commit(back));
	ck_assert_uint_eq(count(back, STORE_OWN_PREKEY), PREKEYS_AHEAD);
}
END_TEST

START_TEST(which_instance_it_was_stays_behind)
{
	uint64_t mark = 5, got;

	OK(store_meta_put(desk.store, "instance", &mark, sizeof mark));
	OK(store_meta_put(desk.store, "other", &mark, sizeof mark));
	adapter_commit(&desk);
	to_the_end();
	restore();
	ck_assert_int_eq(store_meta_get(back, "instance", &got, sizeof got),
	    KL_E_NOT_FOUND);
	OK(store_meta_get(back, "other", &got, sizeof got));
	ck_assert_uint_eq(got, mark);
}
END_TEST

/* After every slice something changes, before and behind the walk. */
START_TEST(what_changes_meanwhile_counts_as_it_ended)
{
	struct engine_step s = { .what = ENGINE_ATTEMPT };
	struct case_row c;

	for (unsigned i = 0; !step(3); i++) {
		if (i > 20)
			continue;
		c = adapter_case(&desk, &made.conv);
		if (i == 2)
			adapter_feedback(&desk, &c, KL_ST_TAKEN_UP);
		OK(cases_step(&desk.t, &c, &s));
		OK(cases_put(&desk.t, &c));
		OK(alarm_raise(&desk.t, ENGINE_AL_CLOCK, 0, NULL));
		adapter_commit(&desk);
	}
	OK(backup_writer_finish(writer));
	restore();
	same_store();
	ck_assert_uint_gt(count(back, STORE_STEP), 20);
}
END_TEST

static bool
holds_name(char table)
{
	struct store_entry e = { .n_key = 0 };
	struct kl_bytes v;
	uint32_t slot;
	bool found = false;

	while (store_seek(back, table, kl_bytes(e.key, e.n_key), true, &e) ==
	    KL_OK)
		if (store_get_sealed_at(back, table, kl_bytes(e.key,
		    e.n_key), desk.mem, &slot, &v) == KL_OK)
			found |= memmem(v.p, v.n, NAME, strlen(NAME)) != NULL;
	return found;
}

START_TEST(content_comes_back)
{
	to_the_end();
	restore();
	ck_assert(holds_name(STORE_CONTENT));
}
END_TEST

/* Also if it was written before it was erased. */
START_TEST(content_erased_meanwhile_does_not_come_back)
{
	struct case_row c;

	while (!step(5))
		;
	c = adapter_case(&desk, &made.conv);
	OK(cases_content_erase(&desk.t, &c));
	OK(cases_put(&desk.t, &c));
	adapter_commit(&desk);
	to_the_end();
	restore();
	same_store();
	ck_assert(!holds_name(STORE_CONTENT));
	ck_assert_uint_eq(count(back, STORE_CONTENT), 0);
}
END_TEST

/* Read as whoever has the key reads it: nothing of the name is left. */
START_TEST(content_erased_before_is_not_in_it)
{
	struct case_row c = adapter_case(&desk, &made.conv);
	struct backup_record rec;
	struct backup_reader *r;

	OK(cases_content_erase(&desk.t, &c));
	OK(cases_put(&desk.t, &c));
	adapter_commit(&desk);
	to_the_end();
	OK(backup_reader_new(path.b, sk, &head, &r));
	while (backup_reader_next(r, &rec) == KL_OK)
		ck_assert(rec.value.n == 0 || memmem(rec.value.p,
		    rec.value.n, NAME, strlen(NAME)) == NULL);
	backup_reader_free(r);
}
END_TEST

/* A row that still lies under a slot that was dropped. */
START_TEST(a_row_under_a_dropped_slot_stays_behind)
{
	const uint8_t key[16] = { 9 };
	uint32_t slot;

	OK(store_slot_take(desk.store, &slot));
	OK(store_put_sealed(desk.store, STORE_CONTENT, KL_BYTES_OF(key),
	    slot, kl_bytes_str("dropped")));
	adapter_commit(&desk);
	while (!step(100))
		;
	OK(store_slot_drop(desk.store, slot));
	adapter_commit(&desk);
	to_the_end();
	restore();
	ck_assert_uint_eq(count(back, STORE_CONTENT), 1);
}
END_TEST

START_TEST(more_changes_than_are_kept_begin_again)
{
	uint8_t key[8];
	bool done;

	ck_assert(!step(1));
	for (uint64_t i = 0; i < 8200; i++) {
		kl_be64_put(key, i);
		OK(store_put(desk.store, STORE_FILE, KL_BYTES_OF(key),
		    STORE_HERE));
	}
	adapter_commit(&desk);
	ck_assert_int_eq(backup_rows_step(rows, writer, desk.mem, 1, &done),
	    KL_E_AGAIN);
	store_abort(desk.store);
}
END_TEST

START_TEST(what_no_writer_writes_is_damage)
{
	const uint8_t key[4] = { 0, 0, 0, 200 };
	struct backup_record r = { BACKUP_ROW, STORE_USED, 0,
		KL_BYTES_OF(key), STORE_HERE };
	struct backup_slots u;

	OK(backup_slots_make(&u, SLOTS));
	ck_assert_int_eq(backup_slots_note(&u, &r), KL_E_DAMAGED);
	r.kind = BACKUP_SEALED;
	r.slot = SLOTS;
	ck_assert_int_eq(backup_slots_note(&u, &r), KL_E_DAMAGED);
	r.table = STORE_CARD;
	ck_assert_int_eq(backup_rows_put(desk.store, &u, &r), KL_E_DAMAGED);
	r.kind = BACKUP_ROW;
	r.table = STORE_CASE;
	ck_assert_int_eq(backup_rows_put(desk.store, &u, &r), KL_E_DAMAGED);
	r.table = STORE_SECRET;
	ck_assert_int_eq(backup_rows_put(desk.store, &u, &r), KL_E_DAMAGED);
	r.table = STORE_CARD;
	r.kind = 77;
	ck_assert_int_eq(backup_rows_put(desk.store, &u, &r), KL_E_DAMAGED);
	store_abort(desk.store);
	backup_slots_clear(&u);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("backup_rows");
	TCase *tc = tcase_create("backup_rows");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	tcase_add_test(tc, each_row_comes_back);
	tcase_add_test(tc, no_table_is_forgotten);
	tcase_add_test(tc, own_prekeys_and_their_slots_stay_behind);
	tcase_add_test(tc, which_instance_it_was_stays_behind);
	tcase_add_test(tc, what_changes_meanwhile_counts_as_it_ended);
	tcase_add_test(tc, content_comes_back);
	tcase_add_test(tc, content_erased_meanwhile_does_not_come_back);
	tcase_add_test(tc, content_erased_before_is_not_in_it);
	tcase_add_test(tc, a_row_under_a_dropped_slot_stays_behind);
	tcase_add_test(tc, more_changes_than_are_kept_begin_again);
	tcase_add_test(tc, what_no_writer_writes_is_damage);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
