#include "adapters/common/store.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kortelijn/host/slots.h>

#include "tests/support/tmpdir.h"

#define SLOTS 64u

static struct tmpdir dir;
static struct store *store;
static struct store_options o;
static struct kl_arena *mem;
static const uint8_t mac[32] = { 1, 2, 3 };
static const uint8_t key_bytes[16] = { 7 };
static struct kl_bytes key;

static void
open_store(void)
{
	ck_assert_int_eq(store_open(&o, &store), KL_OK);
}

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	dir = tmpdir_make();
	o = (struct store_options){ .dir = dir.path,
		.mac_key = KL_BYTES_OF(mac), .map_bytes = 4u << 20,
		.slots = SLOTS };
	key = KL_BYTES_OF(key_bytes);
	mem = kl_arena_new(1 << 20, 1000);
	open_store();
}

static void
teardown(void)
{
	store_close(store);
	kl_arena_free(mem);
	tmpdir_remove(&dir);
}

static void
again(void)
{
	store_close(store);
	store = NULL;
	open_store();
}

static void
put(const char *value)
{
	ck_assert_int_eq(store_put(store, STORE_OUT, key,
	    kl_bytes_str(value)), KL_OK);
}

static void
holds(const char *value)
{
	struct kl_bytes v;

	ck_assert_int_eq(store_get(store, STORE_OUT, key, &v), KL_OK);
	ck_assert(kl_bytes_equal(v, kl_bytes_str(value)));
}

START_TEST(what_was_committed_is_there_after_a_restart)
{
	put("one");
	ck_assert(store_dirty(store));
	ck_assert_int_eq(store_commit(store), KL_OK);
	ck_assert(!store_dirty(store));
	put("two");
	again();
	holds("one");
}
END_TEST

START_TEST(abort_undoes_the_turn)
{
	struct kl_bytes v;

	put("one");
	store_abort(store);
	ck_assert(!store_dirty(store));
	ck_assert_int_eq(store_get(store, STORE_OUT, key, &v),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(deleting_what_is_not_there_is_no_error)
{
	ck_assert_int_eq(store_del(store, STORE_OUT, key), KL_OK);
	ck_assert(!store_dirty(store));
	put("one");
	ck_assert_int_eq(store_del(store, STORE_OUT, key), KL_OK);
	ck_assert_int_eq(store_commit(store), KL_OK);
}
END_TEST

START_TEST(row_of_another_size_is_damaged)
{
	uint32_t row = 5;

	put("12345");
	ck_assert_int_eq(store_get_row(store, STORE_OUT, key, &row,
	    sizeof row), KL_E_DAMAGED);
	put("1234");
	ck_assert_int_eq(store_get_row(store, STORE_OUT, key, &row,
	    sizeof row), KL_OK);
	ck_assert_mem_eq(&row, "1234", 4);
}
END_TEST

START_TEST(seek_walks_one_table_in_order)
{
	struct store_entry e = { .n_key = 0 };
	uint64_t last;
	uint8_t n[8];

	ck_assert_int_eq(store_last(store, STORE_EVENT, &last), KL_OK);
	ck_assert_uint_eq(last, 0);
	for (uint64_t i = 3; i >= 1; i--) {
		kl_be64_put(n, i);
		ck_assert_int_eq(store_put(store, STORE_EVENT,
		    KL_BYTES_OF(n), STORE_HERE), KL_OK);
	}
	put("other table");
	for (uint64_t i = 1; i <= 3; i++) {
		ck_assert_int_eq(store_seek(store, STORE_EVENT,
		    kl_bytes(e.key, e.n_key), true, &e), KL_OK);
		ck_assert_uint_eq(e.n_key, 8);
		ck_assert_uint_eq(kl_be64(e.key), i);
	}
	ck_assert_int_eq(store_seek(store, STORE_EVENT, kl_bytes(e.key,
	    e.n_key), true, &e), KL_E_NOT_FOUND);
	ck_assert_int_eq(store_last(store, STORE_EVENT, &last), KL_OK);
	ck_assert_uint_eq(last, 3);
}
END_TEST

START_TEST(numbered_rows_follow_one_another)
{
	struct kl_bytes row;
	uint64_t n = 0;

	ck_assert_int_eq(store_append(store, STORE_EVENT, kl_bytes_str("a")),
	    KL_OK);
	ck_assert_int_eq(store_append(store, STORE_EVENT, kl_bytes_str("b")),
	    KL_OK);
	ck_assert_int_eq(store_next_numbered(store, STORE_EVENT, n, &n,
	    &row), KL_OK);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(store_next_numbered(store, STORE_EVENT, n, &n,
	    &row), KL_OK);
	ck_assert_uint_eq(n, 2);
	ck_assert(kl_bytes_equal(row, kl_bytes_str("b")));
	ck_assert_int_eq(store_next_numbered(store, STORE_EVENT, n, &n,
	    &row), KL_E_NOT_FOUND);
	put("no number");
	ck_assert_int_eq(store_next_numbered(store, STORE_OUT, 0, &n, &row),
	    KL_E_DAMAGED);
}
END_TEST

START_TEST(next_row_has_its_size)
{
	struct store_entry at = { .n_key = 0 };
	uint32_t row;

	put("1234");
	ck_assert_int_eq(store_next_row(store, STORE_OUT, &at, &row,
	    sizeof row), KL_OK);
	ck_assert_mem_eq(&row, "1234", 4);
	ck_assert_int_eq(store_next_row(store, STORE_OUT, &at, &row,
	    sizeof row), KL_E_NOT_FOUND);
	at.n_key = 0;
	ck_assert_int_eq(store_next_row(store, STORE_OUT, &at, &row, 3),
	    KL_E_DAMAGED);
}
END_TEST

START_TEST(meta_values_are_kept_by_name)
{
	uint64_t v = 9, got = 1;

	ck_assert_int_eq(store_meta_get(store, "epoch", &got, sizeof got),
	    KL_E_NOT_FOUND);
	ck_assert_uint_eq(got, 1);
	ck_assert_int_eq(store_meta_put(store, "epoch", &v, sizeof v), KL_OK);
	ck_assert_int_eq(store_meta_get(store, "epoch", &got, sizeof got),
	    KL_OK);
	ck_assert_uint_eq(got, 9);
}
END_TEST

static uint32_t
put_sealed(const char *value)
{
	uint32_t slot;

	ck_assert_int_eq(store_slot_take(store, &slot), KL_OK);
	ck_assert_int_eq(store_put_sealed(store, STORE_CONTENT, key, slot,
	    kl_bytes_str(value)), KL_OK);
	return slot;
}

static void
sealed_holds(const char *value)
{
	struct kl_bytes v;

	ck_assert_int_eq(store_get_sealed(store, STORE_CONTENT, key, mem, &v),
	    KL_OK);
	ck_assert(kl_bytes_equal(v, kl_bytes_str(value)));
}

/* Is the text anywhere in the files of the store? */
static bool
on_disk(const char *text)
{
	char command[800];

	(void)snprintf(command, sizeof command, "grep -rqF '%s' %s", text,
	    dir.path);
	return system(command) == 0;
}

START_TEST(content_is_read_back_and_not_in_the_file)
{
	(void)put_sealed("van Putten-van der Giessen");
	ck_assert_int_eq(store_put(store, STORE_OUT, key,
	    kl_bytes_str("plain row")), KL_OK);
	ck_assert_int_eq(store_commit(store), KL_OK);
	again();
	sealed_holds("van Putten-van der Giessen");
	ck_assert(on_disk("plain row"));
	ck_assert(!on_disk("van Putten"));
}
END_TEST

START_TEST(dropped_slot_takes_its_content_with_it)
{
	uint32_t slot = put_sealed("gone");
	struct kl_bytes v;

	ck_assert_int_eq(store_commit(store), KL_OK);
	ck_assert_int_eq(store_slot_drop(store, slot), KL_OK);
	sealed_holds("gone");
	ck_assert(!store_erasing(store));
	ck_assert_int_eq(store_commit(store), KL_OK);
	ck_assert(store_erasing(store));
	ck_assert_int_eq(store_erase(store), KL_OK);
	ck_assert(!store_erasing(store));
	ck_assert_int_eq(store_get_sealed(store, STORE_CONTENT, key, mem, &v),
	    KL_E_NOT_FOUND);
	ck_assert_int_eq(store_idle(store), KL_OK);
	/* Also when the slot has a new key. */
	ck_assert_int_eq(store_get_sealed(store, STORE_CONTENT, key, mem, &v),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(closing_erases_what_was_dropped)
{
	uint32_t slot = put_sealed("gone");
	struct kl_bytes v;

	ck_assert_int_eq(store_commit(store), KL_OK);
	ck_assert_int_eq(store_slot_drop(store, slot), KL_OK);
	ck_assert_int_eq(store_commit(store), KL_OK);
	again();
	ck_assert_int_eq(store_get_sealed(store, STORE_CONTENT, key, mem, &v),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(what_is_read_back_counts_as_erased_when_it_is_zero)
{
	uint32_t slot;

	ck_assert_int_eq(store_slot_take(store, &slot), KL_OK);
	ck_assert_int_eq(store_commit(store), KL_OK);
	ck_assert(store_erased(store));
	ck_assert_int_eq(store_slot_drop(store, slot), KL_OK);
	store_read_back(store);
	ck_assert(!store_erased(store));
	ck_assert_int_eq(store_commit(store), KL_OK);
	ck_assert(!store_erased(store));
	ck_assert_int_eq(store_erase(store), KL_OK);
	ck_assert(store_erased(store));
	ck_assert_int_eq(store_put_sealed(store, STORE_STEP, key, slot, key),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(undone_drop_keeps_the_content)
{
	uint32_t slot = put_sealed("kept");

	ck_assert_int_eq(store_commit(store), KL_OK);
	ck_assert_int_eq(store_slot_drop(store, slot), KL_OK);
	store_abort(store);
	ck_assert_int_eq(store_commit(store), KL_OK);
	sealed_holds("kept");
	again();
	sealed_holds("kept");
}
END_TEST

START_TEST(sealed_row_has_its_size)
{
	char row[4];

	(void)put_sealed("1234");
	ck_assert_int_eq(store_get_sealed_row(store, STORE_CONTENT, key, mem,
	    row, 4), KL_OK);
	ck_assert_mem_eq(row, "1234", 4);
	ck_assert_int_eq(store_get_sealed_row(store, STORE_CONTENT, key, mem,
	    row, 3), KL_E_DAMAGED);
}
END_TEST

START_TEST(sealed_value_is_bound_to_its_place)
{
	uint8_t other[16] = { 8 };
	struct kl_bytes v, copy;

	(void)put_sealed("mine");
	ck_assert_int_eq(store_get(store, STORE_CONTENT, key, &v), KL_OK);
	ck_assert_int_eq(kl_arena_copy(mem, v, &copy), KL_OK);
	ck_assert_int_eq(store_put(store, STORE_CONTENT, KL_BYTES_OF(other),
	    copy), KL_OK);
	ck_assert_int_eq(store_get_sealed(store, STORE_CONTENT,
	    KL_BYTES_OF(other), mem, &v), KL_E_NOT_FOUND);
	ck_assert_int_eq(store_put(store, STORE_CONTENT, key,
	    kl_bytes_str("short")), KL_OK);
	ck_assert_int_eq(store_get_sealed(store, STORE_CONTENT, key, mem, &v),
	    KL_E_DAMAGED);
}
END_TEST

START_TEST(limits_have_answers)
{
	static uint8_t big[8193];
	struct kl_arena *small = kl_arena_new(64, 4);
	struct kl_bytes v;
	uint32_t slot;

	slot = put_sealed("0123456789012345678901234567890123456789"
	    "0123456789012345678901234567890123456789");
	ck_assert_int_eq(store_put_sealed(store, STORE_CONTENT, key, slot,
	    KL_BYTES_OF(big)), KL_E_SIZE);
	ck_assert_int_eq(store_get_sealed(store, STORE_CONTENT, key, small,
	    &v), KL_E_MEMORY);
	ck_assert_int_eq(store_slot_drop(store, KL_SLOT_NONE), KL_OK);
	kl_arena_free(small);
}
END_TEST

START_TEST(slots_that_were_dropped_come_back)
{
	uint32_t slot[SLOTS], more;

	for (uint32_t i = 0; i < SLOTS; i++)
		ck_assert_int_eq(store_slot_take(store, &slot[i]), KL_OK);
	ck_assert_int_eq(store_slot_take(store, &more), KL_E_FULL);
	ck_assert_uint_eq(more, KL_SLOT_NONE);
	ck_assert_uint_eq(store_slots_free(store), 0);
	ck_assert_int_eq(store_commit(store), KL_OK);
	ck_assert_int_eq(store_slot_drop(store, slot[3]), KL_OK);
	ck_assert_int_eq(store_commit(store), KL_OK);
	ck_assert_int_eq(store_erase(store), KL_OK);
	/* A turn that is undone for want of slots must not keep it so. */
	ck_assert_int_eq(store_slot_take(store, &more), KL_E_FULL);
	store_abort(store);
	ck_assert_int_eq(store_idle(store), KL_OK);
	ck_assert_int_eq(store_slot_take(store, &more), KL_OK);
	ck_assert_uint_eq(more, slot[3]);
	store_abort(store);
	ck_assert_uint_eq(store_slots_free(store), 1);
}
END_TEST

START_TEST(more_can_be_dropped_after_a_turn_that_dropped_much)
{
	uint32_t slot[2000];

	store_close(store);
	tmpdir_remove(&dir);
	dir = tmpdir_make();
	o.dir = dir.path;
	o.slots = 2000;
	open_store();
	for (size_t i = 0; i < 2000; i++) {
		ck_assert_int_eq(store_slot_take(store, &slot[i]), KL_OK);
		if (i % 1000 == 999)
			ck_assert_int_eq(store_commit(store), KL_OK);
	}
	for (size_t i = 0; i < 1024; i++)
		ck_assert_int_eq(store_slot_drop(store, slot[i]), KL_OK);
	ck_assert_int_eq(store_slot_drop(store, slot[1024]), KL_E_FULL);
	ck_assert_int_eq(store_commit(store), KL_OK);
	ck_assert_int_eq(store_slot_drop(store, slot[1024]), KL_OK);
	ck_assert_int_eq(store_commit(store), KL_OK);
}
END_TEST

START_TEST(taken_slots_stay_taken_over_a_restart)
{
	uint32_t slot;

	(void)put_sealed("mine");
	ck_assert_int_eq(store_commit(store), KL_OK);
	again();
	ck_assert_uint_eq(store_slots_free(store), SLOTS - 1);
	for (uint32_t i = 0; i + 1 < SLOTS; i++)
		ck_assert_int_eq(store_slot_take(store, &slot), KL_OK);
	ck_assert_int_eq(store_slot_take(store, &slot), KL_E_FULL);
	sealed_holds("mine");
}
END_TEST

START_TEST(erasing_is_finished_after_a_crash)
{
	uint8_t n[4] = { 0, 0, 0, 0 };
	uint32_t slot = put_sealed("to be erased");
	struct kl_bytes v;

	/* What lies in the file when a crash follows the commit at once. */
	n[3] = (uint8_t)slot;
	ck_assert_int_eq(store_del(store, STORE_USED, KL_BYTES_OF(n)), KL_OK);
	ck_assert_int_eq(store_put(store, STORE_ERASING, KL_BYTES_OF(n),
	    STORE_HERE), KL_OK);
	ck_assert_int_eq(store_commit(store), KL_OK);
	again();
	ck_assert_int_eq(store_get_sealed(store, STORE_CONTENT, key, mem, &v),
	    KL_E_NOT_FOUND);
	ck_assert_int_eq(store_get(store, STORE_ERASING, KL_BYTES_OF(n), &v),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(copy_lives_at_another_place)
{
	struct kl_hash a, b, c;
	const struct tmpdir_path from = tmpdir_file(&dir, "data.mdb");
	const struct tmpdir_path to = tmpdir_file(&dir, "copy");
	char command[2200];

	ck_assert_int_eq(store_binding(store, &a), KL_OK);
	again();
	ck_assert_int_eq(store_binding(store, &b), KL_OK);
	ck_assert_mem_eq(&a, &b, sizeof a);
	store_close(store);
	store = NULL;
	(void)snprintf(command, sizeof command, "cp -p %s %s && mv %s %s",
	    from.b, to.b, to.b, from.b);
	ck_assert_int_eq(system(command), 0);
	open_store();
	ck_assert_int_eq(store_binding(store, &c), KL_OK);
	ck_assert_mem_ne(&a, &c, sizeof a);
	ck_assert_int_eq(unlink(from.b), 0);
	ck_assert_int_eq(store_binding(store, &c), KL_E_IO);
}
END_TEST

START_TEST(row_under_another_key_is_damaged)
{
	const uint8_t other[32] = { 9 };

	put("one");
	ck_assert_int_eq(store_commit(store), KL_OK);
	store_close(store);
	o.mac_key = KL_BYTES_OF(other);
	ck_assert_int_eq(store_open(&o, &store), KL_E_DAMAGED);
	ck_assert_ptr_null(store);
}
END_TEST

static void
refused_with_format(const uint32_t *format)
{
	ck_assert_int_eq(format != NULL ? store_meta_put(store, "format",
	    format, sizeof *format) : store_del(store, STORE_META,
	    kl_bytes_str("format")), KL_OK);
	ck_assert_int_eq(store_meta_put(store, "more", "x", 1), KL_OK);
	ck_assert_int_eq(store_commit(store), KL_OK);
	store_close(store);
	ck_assert_int_eq(store_open(&o, &store), KL_E_UNKNOWN);
	ck_assert_ptr_null(store);
}

START_TEST(store_of_a_later_version_is_not_opened)
{
	const uint32_t next = 200;

	refused_with_format(&next);
}
END_TEST

START_TEST(store_of_before_formats_is_not_opened)
{
	refused_with_format(NULL);
}
END_TEST

START_TEST(directory_that_is_not_there_is_an_error)
{
	struct store *s;

	o.dir = "/nonexistent";
	ck_assert_int_eq(store_open(&o, &s), KL_E_IO);
	ck_assert_ptr_null(s);
	o = (struct store_options){ .dir = dir.path,
		.mac_key = KL_BYTES_OF(mac), .map_bytes = 4u << 20,
		.slots = SLOTS };
	ck_assert_int_eq(store_open(&o, &s), KL_E_EXISTS);
	ck_assert_ptr_null(s);
}
END_TEST

START_TEST(lookup_keys_tell_words_and_values_apart)
{
	struct kl_tag a = store_tag(store, "ref", kl_bytes_str("x"));
	struct kl_tag b = store_tag(store, "re", kl_bytes_str("fx"));
	struct kl_tag c = store_tag(store, "ref", kl_bytes_str("x"));

	ck_assert_mem_ne(&a, &b, sizeof a);
	ck_assert_mem_eq(&a, &c, sizeof a);
	ck_assert_uint_lt(store_used_permille(store), 1000);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("store");
	TCase *t = tcase_create("store");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, what_was_committed_is_there_after_a_restart);
	tcase_add_test(t, abort_undoes_the_turn);
	tcase_add_test(t, deleting_what_is_not_there_is_no_error);
	tcase_add_test(t, row_of_another_size_is_damaged);
	tcase_add_test(t, seek_walks_one_table_in_order);
	tcase_add_test(t, numbered_rows_follow_one_another);
	tcase_add_test(t, next_row_has_its_size);
	tcase_add_test(t, meta_values_are_kept_by_name);
	tcase_add_test(t, content_is_read_back_and_not_in_the_file);
	tcase_add_test(t, dropped_slot_takes_its_content_with_it);
	tcase_add_test(t, closing_erases_what_was_dropped);
	tcase_add_test(t,
	    what_is_read_back_counts_as_erased_when_it_is_zero);
	tcase_add_test(t, undone_drop_keeps_the_content);
	tcase_add_test(t, sealed_row_has_its_size);
	tcase_add_test(t, sealed_value_is_bound_to_its_place);
	tcase_add_test(t, limits_have_answers);
	tcase_add_test(t, slots_that_were_dropped_come_back);
	tcase_add_test(t, more_can_be_dropped_after_a_turn_that_dropped_much);
	tcase_add_test(t, taken_slots_stay_taken_over_a_restart);
	tcase_add_test(t, erasing_is_finished_after_a_crash);
	tcase_add_test(t, copy_lives_at_another_place);
	tcase_add_test(t, row_under_another_key_is_damaged);
	tcase_add_test(t, store_of_a_later_version_is_not_opened);
	tcase_add_test(t, store_of_before_formats_is_not_opened);
	tcase_add_test(t, directory_that_is_not_there_is_an_error);
	tcase_add_test(t, lookup_keys_tell_words_and_values_apart);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
