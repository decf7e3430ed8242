/* pread is replaced here; with FORTIFY the header would define it as well. */
#undef _FORTIFY_SOURCE

#include "broker/core/vault.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <kortelijn/crypto/aead.h>

#include "broker/core/tables.h"
#include "tests/support/parts.h"

/* Stands before the C library's own. */
static bool fault_read;

ssize_t
pread(int fd, void *buf, size_t n, off_t at)
{
	if (fault_read) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pread64, fd, buf, n, at);
}

static struct parts p;

static void
setup(void)
{
	parts_open(&p);
}

static void
teardown(void)
{
	parts_close(&p);
}

static const char plain[] = "what must be forgotten";

static int
seal(uint32_t slot, struct kl_bytes *out)
{
	return vault_seal(&p.vault, slot, T_BLOB, kl_bytes_str("key"),
	    kl_bytes(plain, sizeof plain), p.mem, out);
}

static int
open_as(uint32_t slot, char table, const char *key, struct kl_bytes sealed)
{
	struct kl_bytes out;
	int r = vault_open(&p.vault, slot, table, kl_bytes_str(key), sealed,
	    p.mem, &out);

	if (r == KL_OK)
		ck_assert(kl_bytes_equal(out, kl_bytes(plain, sizeof plain)));
	else
		ck_assert_uint_eq(out.n, 0);
	return r;
}

START_TEST(opens_what_it_sealed)
{
	struct kl_bytes sealed;
	uint32_t slot;

	ck_assert_int_eq(vault_take(&p.vault, &slot), KL_OK);
	ck_assert_int_eq(seal(slot, &sealed), KL_OK);
	ck_assert_uint_eq(sealed.n, sizeof plain + KL_AEAD_EXTRA);
	ck_assert_ptr_null(memmem(sealed.p, sealed.n, plain, 8));
	ck_assert_int_eq(open_as(slot, T_BLOB, "key", sealed), KL_OK);
}
END_TEST

START_TEST(value_is_bound_to_table_key_and_slot)
{
	struct kl_bytes sealed;
	uint32_t slot, other;

	ck_assert_int_eq(vault_take(&p.vault, &slot), KL_OK);
	ck_assert_int_eq(vault_take(&p.vault, &other), KL_OK);
	ck_assert_int_eq(seal(slot, &sealed), KL_OK);
	ck_assert_int_eq(open_as(slot, T_ITEM, "key", sealed), KL_E_DAMAGED);
	ck_assert_int_eq(open_as(slot, T_BLOB, "kez", sealed), KL_E_DAMAGED);
	ck_assert_int_eq(open_as(other, T_BLOB, "key", sealed),
	    KL_E_DAMAGED);
	ck_assert_int_eq(open_as(slot, T_BLOB, "key", kl_bytes(sealed.p,
	    KL_AEAD_EXTRA - 1)), KL_E_DAMAGED);
	ck_assert_int_eq(open_as(slot, T_BLOB, "key", kl_bytes(sealed.p,
	    sealed.n - 1)), KL_E_DAMAGED);
}
END_TEST

START_TEST(zeroed_slot_opens_and_seals_nothing)
{
	struct kl_bytes sealed, again;
	uint32_t slot;

	ck_assert_int_eq(vault_take(&p.vault, &slot), KL_OK);
	ck_assert_int_eq(seal(slot, &sealed), KL_OK);
	ck_assert_int_eq(vault_zero(&p.vault, slot), KL_OK);
	ck_assert_int_eq(open_as(slot, T_BLOB, "key", sealed),
	    KL_E_NOT_FOUND);
	ck_assert_int_eq(seal(slot, &again), KL_E_NOT_FOUND);
	ck_assert_uint_eq(again.n, 0);
}
END_TEST

START_TEST(spent_arena_is_told)
{
	struct kl_arena *small = kl_arena_new(40, 16);
	struct kl_bytes sealed, out;
	uint32_t slot;

	ck_assert_int_eq(vault_take(&p.vault, &slot), KL_OK);
	ck_assert_int_eq(seal(slot, &sealed), KL_OK);
	ck_assert_int_eq(vault_seal(&p.vault, slot, T_BLOB,
	    kl_bytes_str("key"), kl_bytes(plain, sizeof plain), small, &out),
	    KL_E_MEMORY);
	(void)kl_arena_alloc(small, 32);
	ck_assert_int_eq(vault_open(&p.vault, slot, T_BLOB,
	    kl_bytes_str("key"), sealed, small, &out), KL_E_MEMORY);
	kl_arena_free(small);
}
END_TEST

START_TEST(unreadable_slot_file_is_told)
{
	struct kl_bytes sealed, out;
	uint32_t slot;

	ck_assert_int_eq(vault_take(&p.vault, &slot), KL_OK);
	ck_assert_int_eq(seal(slot, &sealed), KL_OK);
	vault_forget_keys(&p.vault);
	fault_read = true;
	ck_assert_int_eq(seal(slot, &out), KL_E_IO);
	ck_assert_int_eq(open_as(slot, T_BLOB, "key", sealed), KL_E_IO);
	fault_read = false;
	ck_assert_int_eq(open_as(slot, T_BLOB, "key", sealed), KL_OK);
}
END_TEST

START_TEST(undone_turn_gives_its_slots_back)
{
	uint32_t free_before = kl_slots_free(p.vault.slots), slot, again;

	ck_assert_int_eq(vault_take(&p.vault, &slot), KL_OK);
	ck_assert_int_eq(vault_take(&p.vault, &again), KL_OK);
	ck_assert_uint_ne(slot, again);
	vault_undo_taken(&p.vault);
	ck_assert_uint_eq(kl_slots_free(p.vault.slots), free_before);
	ck_assert_int_eq(vault_take(&p.vault, &slot), KL_OK);
	vault_keep_taken(&p.vault);
	vault_undo_taken(&p.vault);
	ck_assert_uint_eq(kl_slots_free(p.vault.slots), free_before - 1);
}
END_TEST

START_TEST(one_turn_takes_a_bounded_number_of_slots)
{
	uint32_t slot;

	for (int i = 0; i < VAULT_TURN_MAX; i++)
		ck_assert_int_eq(vault_take(&p.vault, &slot), KL_OK);
	ck_assert_int_eq(vault_take(&p.vault, &slot), KL_E_FULL);
	vault_keep_taken(&p.vault);
	ck_assert_int_eq(vault_take(&p.vault, &slot), KL_OK);
}
END_TEST

START_TEST(empty_pool_is_told)
{
	uint32_t slot;
	int r;

	while ((r = vault_take(&p.vault, &slot)) == KL_OK)
		vault_keep_taken(&p.vault);
	ck_assert_int_eq(r, KL_E_FULL);
	ck_assert_uint_eq(p.vault.n_taken, 0);
}
END_TEST

START_TEST(tag_tells_tables_ids_and_stores_apart)
{
	struct vault other = p.vault;
	struct kl_tag a = vault_tag(&p.vault, T_CONV, kl_bytes_str("id"));
	struct kl_tag same = vault_tag(&p.vault, T_CONV, kl_bytes_str("id"));
	struct kl_tag t = vault_tag(&p.vault, T_ITEM, kl_bytes_str("id"));
	struct kl_tag i = vault_tag(&p.vault, T_CONV, kl_bytes_str("ie"));
	struct kl_tag s;

	other.index_key.b[0] ^= 1;
	s = vault_tag(&other, T_CONV, kl_bytes_str("id"));
	ck_assert_mem_eq(a.b, same.b, sizeof a.b);
	ck_assert_mem_ne(a.b, t.b, sizeof a.b);
	ck_assert_mem_ne(a.b, i.b, sizeof a.b);
	ck_assert_mem_ne(a.b, s.b, sizeof a.b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("vault");
	TCase *tc = tcase_create("vault");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, opens_what_it_sealed);
	tcase_add_test(tc, value_is_bound_to_table_key_and_slot);
	tcase_add_test(tc, zeroed_slot_opens_and_seals_nothing);
	tcase_add_test(tc, spent_arena_is_told);
	tcase_add_test(tc, unreadable_slot_file_is_told);
	tcase_add_test(tc, undone_turn_gives_its_slots_back);
	tcase_add_test(tc, one_turn_takes_a_bounded_number_of_slots);
	tcase_add_test(tc, empty_pool_is_told);
	tcase_add_test(tc, tag_tells_tables_ids_and_stores_apart);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
