#include "adapters/common/prekeys.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/seal.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/host/slots.h>

#include "tests/support/papers.h"
#include "tests/support/tmpdir.h"

#define NOW_MS (kl_day_start_ms(kl_day_make(2026, 11, 24)) + 3 * KL_HOUR_MS)

static struct tmpdir dir;
static struct store *store;
static struct kl_arena *mem;
static const uint8_t mac[32] = { 1 };
static struct prekey_row row[32];
static size_t n;

static void
setup(void)
{
	struct store_options o = { .mac_key = KL_BYTES_OF(mac),
	    .map_bytes = 4u << 20, .slots = 64 };

	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	dir = tmpdir_make();
	o.dir = dir.path;
	mem = kl_arena_new(1 << 16, 100);
	ck_assert_int_eq(store_open(&o, &store), KL_OK);
	ck_assert_int_eq(prekeys_top_up(store, NOW_MS), KL_OK);
	ck_assert_int_eq(store_commit(store), KL_OK);
}

static void
teardown(void)
{
	store_close(store);
	kl_arena_free(mem);
	tmpdir_remove(&dir);
}

static void
unpublished(int64_t now_ms, size_t expected)
{
	ck_assert_int_eq(prekeys_unpublished(store, now_ms, row, 32, &n),
	    KL_OK);
	ck_assert_uint_eq(n, expected);
}

static int
find(const struct kl_key_id *key, struct kl_dh_pk *pk)
{
	struct kl_secret *sk;
	int r = prekeys_find(store, mem, key, pk, &sk);

	ck_assert((sk != NULL) == (r == KL_OK));
	kl_secret_free(sk);
	return r;
}

START_TEST(nine_weeks_are_covered_without_a_gap)
{
	const int64_t week_ms = kl_week_start_ms(NOW_MS);
	bool have[PREKEYS_AHEAD] = { false };

	unpublished(NOW_MS, PREKEYS_AHEAD);
	for (size_t i = 0; i < n; i++) {
		int64_t w = (row[i].not_before_ms - week_ms) / KL_WEEK_MS;

		ck_assert_int_ge(w, 0);
		ck_assert_int_lt(w, PREKEYS_AHEAD);
		ck_assert_int_eq(row[i].not_after_ms - row[i].not_before_ms,
		    KL_WEEK_MS);
		have[w] = true;
	}
	for (size_t i = 0; i < PREKEYS_AHEAD; i++)
		ck_assert(have[i]);
}
END_TEST

START_TEST(topping_up_twice_makes_nothing_new)
{
	ck_assert_int_eq(prekeys_top_up(store, NOW_MS), KL_OK);
	ck_assert(!store_dirty(store));
	unpublished(NOW_MS, PREKEYS_AHEAD);
}
END_TEST

START_TEST(next_week_brings_one_more)
{
	ck_assert_int_eq(prekeys_top_up(store, NOW_MS + KL_WEEK_MS), KL_OK);
	unpublished(NOW_MS, PREKEYS_AHEAD + 1);
	/* The broker does not take one whose week is over. */
	unpublished(NOW_MS + KL_WEEK_MS, PREKEYS_AHEAD);
}
END_TEST

START_TEST(those_of_a_wrong_clock_wait_for_their_weeks)
{
	const int64_t wrong_ms = NOW_MS + 400 * KL_DAY_MS;

	ck_assert_int_eq(prekeys_top_up(store, wrong_ms), KL_OK);
	ck_assert_int_eq(prekeys_top_up(store, NOW_MS), KL_OK);
	unpublished(NOW_MS, PREKEYS_AHEAD);
	unpublished(wrong_ms, PREKEYS_AHEAD);
	/* And do not stand in the way of the others. */
	ck_assert_int_eq(prekeys_publish_again(store), KL_OK);
	unpublished(NOW_MS, PREKEYS_AHEAD);
}
END_TEST

START_TEST(published_ones_are_not_offered_again_until_a_loss)
{
	struct kl_key_id first;

	unpublished(NOW_MS, PREKEYS_AHEAD);
	first = row[0].key_id;
	ck_assert_int_eq(prekeys_published(store, &first), KL_OK);
	unpublished(NOW_MS, PREKEYS_AHEAD - 1);
	for (size_t i = 0; i < n; i++)
		ck_assert_mem_ne(&row[i].key_id, &first, sizeof first);
	ck_assert_int_eq(prekeys_publish_again(store), KL_OK);
	unpublished(NOW_MS, PREKEYS_AHEAD);
	memset(&first, 0, sizeof first);
	ck_assert_int_eq(prekeys_published(store, &first), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(no_more_rows_than_asked_for)
{
	ck_assert_int_eq(prekeys_unpublished(store, NOW_MS, row, 4, &n),
	    KL_OK);
	ck_assert_uint_eq(n, 4);
}
END_TEST

START_TEST(halves_belong_together)
{
	struct kl_secret *sk = NULL;
	struct kl_dh_pk pk;
	struct kl_key_id none;

	unpublished(NOW_MS, PREKEYS_AHEAD);
	ck_assert_int_eq(prekeys_find(store, mem, &row[2].key_id, &pk, &sk),
	    KL_OK);
	ck_assert_mem_eq(&pk, &row[2].pk, sizeof pk);
	ck_assert_uint_eq(kl_secret_bytes(sk).n, 32);
	kl_secret_free(sk);
	memset(&none, 0, sizeof none);
	ck_assert_int_eq(find(&none, &pk), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(no_memory_is_told)
{
	struct kl_arena *small = kl_arena_new(8, 1);
	struct kl_secret *sk;
	struct kl_dh_pk pk;

	unpublished(NOW_MS, PREKEYS_AHEAD);
	ck_assert_int_eq(prekeys_find(store, small, &row[0].key_id, &pk, &sk),
	    KL_E_MEMORY);
	ck_assert_ptr_null(sk);
	kl_arena_free(small);
}
END_TEST

START_TEST(private_half_dies_sixty_days_after_its_week)
{
	const int64_t end_ms = kl_week_start_ms(NOW_MS) + KL_WEEK_MS +
	    PREKEYS_KEEP_MS;
	struct kl_key_id first = { { 0 } };
	struct kl_dh_pk pk;

	unpublished(NOW_MS, PREKEYS_AHEAD);
	for (size_t i = 0; i < n; i++)
		if (row[i].not_before_ms == kl_week_start_ms(NOW_MS))
			first = row[i].key_id;
	ck_assert_int_eq(prekeys_top_up(store, end_ms - 1), KL_OK);
	ck_assert_int_eq(store_commit(store), KL_OK);
	ck_assert_int_eq(find(&first, &pk), KL_OK);
	ck_assert_int_eq(prekeys_top_up(store, end_ms), KL_OK);
	ck_assert_int_eq(store_commit(store), KL_OK);
	ck_assert_int_eq(find(&first, &pk), KL_E_NOT_FOUND);
	ck_assert_int_eq(prekeys_published(store, &first), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(without_slots_nothing_is_half_made)
{
	uint32_t slot;

	while (store_slot_take(store, &slot) == KL_OK)
		;
	ck_assert_int_eq(store_commit(store), KL_OK);
	ck_assert_int_eq(prekeys_top_up(store, NOW_MS + KL_WEEK_MS),
	    KL_E_FULL);
	store_abort(store);
	unpublished(NOW_MS, PREKEYS_AHEAD);
}
END_TEST

START_TEST(statement_names_key_week_and_schemas)
{
	struct papers_key k = papers_key();
	struct identity id = { .role = KL_PRACTICE, .sign_sk = k.sk };
	uint8_t buf[KL_STATEMENT_MAX];
	struct kl_signed s;
	struct kl_prekey p;
	size_t len;

	ck_assert_int_eq(kl_id_read("agb:01000001", &id.id), KL_OK);
	id.key_id = kl_key_id_of(k.pk.b);
	unpublished(NOW_MS, PREKEYS_AHEAD);
	ck_assert_int_eq(prekeys_statement(&id, &row[0], buf, sizeof buf,
	    &len), KL_OK);
	ck_assert_int_eq(kl_signed_read(kl_bytes(buf, len), mem, &s),
	    KL_C_OK);
	ck_assert_int_eq(kl_verify(KL_LABEL_PREKEY, s.body, &k.pk, &s.sig),
	    KL_OK);
	ck_assert_int_eq(KL_STATEMENT_READ(KL_PREKEY, s.body, mem, &p),
	    KL_C_OK);
	ck_assert(kl_id_equal(&p.owner, &id.id));
	ck_assert_mem_eq(&p.pk, &row[0].pk, sizeof p.pk);
	ck_assert_int_eq(p.not_before_ms, row[0].not_before_ms);
	ck_assert_int_eq(p.not_after_ms, row[0].not_after_ms);
	ck_assert_uint_eq(p.schema_min, KL_SCHEMA_MIN);
	ck_assert_uint_eq(p.schema_max, KL_SCHEMA_MAX);
	ck_assert_int_eq(prekeys_statement(&id, &row[0], buf, 20, &len),
	    KL_E_SIZE);
	kl_secret_free(k.sk);
}
END_TEST

START_TEST(row_of_another_size_is_damaged)
{
	uint8_t key[16] = { 0xff };

	ck_assert_int_eq(store_put(store, STORE_OWN_PREKEY, KL_BYTES_OF(key),
	    STORE_HERE), KL_OK);
	ck_assert_int_eq(prekeys_top_up(store, NOW_MS), KL_E_DAMAGED);
	ck_assert_int_eq(prekeys_publish_again(store), KL_E_DAMAGED);
	ck_assert_int_eq(prekeys_unpublished(store, NOW_MS, row, 32, &n),
	    KL_E_DAMAGED);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("prekeys");
	TCase *t = tcase_create("prekeys");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, nine_weeks_are_covered_without_a_gap);
	tcase_add_test(t, topping_up_twice_makes_nothing_new);
	tcase_add_test(t, next_week_brings_one_more);
	tcase_add_test(t, those_of_a_wrong_clock_wait_for_their_weeks);
	tcase_add_test(t, published_ones_are_not_offered_again_until_a_loss);
	tcase_add_test(t, no_more_rows_than_asked_for);
	tcase_add_test(t, halves_belong_together);
	tcase_add_test(t, no_memory_is_told);
	tcase_add_test(t, private_half_dies_sixty_days_after_its_week);
	tcase_add_test(t, without_slots_nothing_is_half_made);
	tcase_add_test(t, statement_names_key_week_and_schemas);
	tcase_add_test(t, row_of_another_size_is_damaged);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
