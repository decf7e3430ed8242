#include "adapters/common/directory.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>

#include "tests/support/papers.h"
#include "tests/support/tmpdir.h"

#define T(d) ((int64_t)(d) * KL_DAY_MS)

static struct tmpdir dir;
static struct store *store;
static struct kl_arena *mem;
static struct directory *d;
static struct papers_key authority, desk, other;
static struct kl_card card;
static const uint8_t mac[32] = { 1 };

static void
setup(void)
{
	struct store_options o = { .mac_key = KL_BYTES_OF(mac),
	    .map_bytes = 4u << 20, .slots = 64 };

	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	dir = tmpdir_make();
	o.dir = dir.path;
	ck_assert_int_eq(store_open(&o, &store), KL_OK);
	mem = kl_arena_new(1 << 20, 1000);
	authority = papers_key();
	desk = papers_key();
	other = papers_key();
	card = papers_card("oin:00000001000000000001", KL_MUNICIPALITY,
	    &desk.pk);
	card.not_before_ms = T(100);
	card.not_after_ms = T(200);
	ck_assert_ptr_nonnull(d = directory_new(&authority.pk, KL_TRAINING));
}

static void
teardown(void)
{
	directory_free(d);
	directory_free(NULL);
	store_close(store);
	kl_arena_free(mem);
	kl_secret_free(authority.sk);
	kl_secret_free(desk.sk);
	kl_secret_free(other.sk);
	tmpdir_remove(&dir);
}

static int
take(uint32_t statement, const void *in, size_t in_size,
    const struct kl_secret *sk)
{
	struct papers_signed s = papers_sign(statement, in, in_size, sk);

	return directory_take(d, store, mem, statement, papers_bytes(&s));
}

static int
take_card(void)
{
	return take(KL_CARD, &card, sizeof card, authority.sk);
}

static int
revoke(int64_t at_ms)
{
	struct kl_revocation v = {
		.version = 1, .realm = card.realm, .id = card.id,
		.reason = KL_REVOKE_LEFT, .at_ms = at_ms,
	};

	memcpy(v.serial, card.serial, sizeof v.serial);
	return take(KL_REVOCATION, &v, sizeof v, authority.sk);
}

static struct kl_prekey
prekey(int64_t from_ms)
{
	struct kl_prekey p = {
		.version = 1, .owner = card.id,
		.signer_key_id = kl_key_id_of(card.sign_pk.b),
		.not_before_ms = kl_week_start_ms(from_ms),
		.not_after_ms = kl_week_start_ms(from_ms) + KL_WEEK_MS,
		.schema_min = 1, .schema_max = 1,
	};

	kl_random(p.pk.b, sizeof p.pk.b);
	return p;
}

/* As after a restart. */
static void
load_again(void)
{
	directory_free(d);
	ck_assert_ptr_nonnull(d = directory_new(&authority.pk, KL_TRAINING));
	ck_assert_int_eq(directory_load(d, store, mem), KL_OK);
}

START_TEST(card_is_known_by_id_and_key)
{
	const struct kl_key_id key = kl_key_id_of(desk.pk.b);
	const struct kl_key_id wrong = kl_key_id_of(other.pk.b);
	const struct directory_card *c;

	ck_assert_int_eq(take_card(), KL_OK);
	ck_assert_ptr_nonnull(c = directory_card(d, &card.id, &key));
	ck_assert_str_eq(c->name, "Praktijk De Es");
	ck_assert_uint_eq(c->role, KL_MUNICIPALITY);
	ck_assert_ptr_null(directory_card(d, &card.id, &wrong));
	ck_assert_ptr_eq(directory_any(d, &card.id), c);
	ck_assert_uint_eq(directory_cards(d), 1);
	ck_assert_ptr_eq(directory_at(d, 0), c);
}
END_TEST

START_TEST(card_is_valid_in_its_time)
{
	ck_assert_int_eq(take_card(), KL_OK);
	ck_assert_ptr_null(directory_valid(d, &card.id, T(100) - 1));
	ck_assert_ptr_nonnull(directory_valid(d, &card.id, T(100)));
	ck_assert_ptr_nonnull(directory_valid(d, &card.id, T(200)));
	ck_assert_ptr_null(directory_valid(d, &card.id, T(200) + 1));
}
END_TEST

START_TEST(same_card_again_is_the_same_card)
{
	ck_assert_int_eq(take_card(), KL_OK);
	card.name = kl_bytes_str("Kort");
	ck_assert_int_eq(take_card(), KL_OK);
	ck_assert_uint_eq(directory_cards(d), 1);
	ck_assert_str_eq(directory_any(d, &card.id)->name, "Kort");
}
END_TEST

START_TEST(newest_valid_card_comes_first)
{
	ck_assert_int_eq(take_card(), KL_OK);
	kl_random(card.serial, sizeof card.serial);
	card.sign_pk = other.pk;
	ck_assert_int_eq(take_card(), KL_OK);
	ck_assert_mem_eq(&directory_valid(d, &card.id, T(150))->sign_pk,
	    &other.pk, 32);
	/* The other one still counts when the newest is revoked. */
	ck_assert_int_eq(revoke(T(120)), KL_OK);
	ck_assert_mem_eq(&directory_valid(d, &card.id, T(150))->sign_pk,
	    &desk.pk, 32);
}
END_TEST

START_TEST(revoked_card_is_known_but_not_valid)
{
	const struct kl_key_id key = kl_key_id_of(desk.pk.b);

	ck_assert_int_eq(take_card(), KL_OK);
	ck_assert_int_eq(revoke(T(150)), KL_OK);
	ck_assert_ptr_nonnull(directory_valid(d, &card.id, T(150) - 1));
	ck_assert_ptr_null(directory_valid(d, &card.id, T(150)));
	ck_assert_int_eq(directory_card(d, &card.id, &key)->revoked_ms,
	    T(150));
}
END_TEST

START_TEST(later_revocation_does_not_make_it_valid_again)
{
	ck_assert_int_eq(take_card(), KL_OK);
	ck_assert_int_eq(revoke(T(150)), KL_OK);
	ck_assert_int_eq(revoke(T(190)), KL_OK);
	ck_assert_ptr_null(directory_valid(d, &card.id, T(160)));
}
END_TEST

START_TEST(revocation_counts_when_it_came_before_its_card)
{
	ck_assert_int_eq(revoke(T(150)), KL_OK);
	ck_assert_int_eq(take_card(), KL_OK);
	ck_assert_ptr_null(directory_valid(d, &card.id, T(150)));
	load_again();
	ck_assert_ptr_null(directory_valid(d, &card.id, T(150)));
}
END_TEST

START_TEST(what_the_authority_did_not_sign_is_ignored)
{
	struct kl_revocation v = { .version = 1, .realm = KL_TRAINING,
	    .id = card.id, .reason = KL_REVOKE_LEFT, .at_ms = T(150) };

	ck_assert_int_eq(take(KL_CARD, &card, sizeof card, other.sk),
	    KL_E_SIGNATURE);
	ck_assert_uint_eq(directory_cards(d), 0);
	ck_assert_int_eq(take_card(), KL_OK);
	memcpy(v.serial, card.serial, sizeof v.serial);
	ck_assert_int_eq(take(KL_REVOCATION, &v, sizeof v, desk.sk),
	    KL_E_SIGNATURE);
	ck_assert_ptr_nonnull(directory_valid(d, &card.id, T(160)));
}
END_TEST

START_TEST(other_realm_is_refused)
{
	card.realm = KL_PRODUCTION;
	ck_assert_int_eq(take_card(), KL_E_VALUE);
	ck_assert_int_eq(revoke(T(150)), KL_E_VALUE);
	ck_assert_uint_eq(directory_cards(d), 0);
}
END_TEST

START_TEST(prekey_is_found_in_its_week)
{
	struct kl_prekey p = prekey(T(150));
	const struct directory_prekey *got;

	ck_assert_int_eq(take_card(), KL_OK);
	ck_assert_int_eq(take(KL_PREKEY, &p, sizeof p, desk.sk), KL_OK);
	got = directory_prekey(d, &card.id, p.not_before_ms);
	ck_assert_ptr_nonnull(got);
	ck_assert_mem_eq(&got->pk, &p.pk, 32);
	ck_assert_uint_eq(got->schema_max, 1);
	ck_assert_ptr_null(directory_prekey(d, &card.id, p.not_after_ms));
	ck_assert_ptr_null(directory_prekey(d, &card.id,
	    p.not_before_ms - 1));
}
END_TEST

START_TEST(prekey_of_an_unknown_owner_or_key_is_ignored)
{
	struct kl_prekey p = prekey(T(150));

	ck_assert_int_eq(take(KL_PREKEY, &p, sizeof p, desk.sk),
	    KL_E_SIGNATURE);
	ck_assert_int_eq(take_card(), KL_OK);
	ck_assert_int_eq(take(KL_PREKEY, &p, sizeof p, other.sk),
	    KL_E_SIGNATURE);
	ck_assert_ptr_null(directory_prekey(d, &card.id, T(150)));
}
END_TEST

START_TEST(what_is_no_such_statement_is_refused)
{
	struct papers_signed s = papers_sign(KL_CARD, &card, sizeof card,
	    authority.sk);
	uint8_t garbage[40] = { 0xff };

	ck_assert_int_eq(directory_take(d, store, mem, KL_RECEIPT,
	    papers_bytes(&s)), KL_E_FORMAT);
	ck_assert_int_eq(directory_take(d, store, mem, KL_PREKEY,
	    papers_bytes(&s)), KL_E_FORMAT);
	ck_assert_int_eq(directory_take(d, store, mem, KL_CARD,
	    KL_BYTES_OF(garbage)), KL_E_FORMAT);
}
END_TEST

START_TEST(no_memory_is_no_refusal)
{
	struct papers_signed s = papers_sign(KL_CARD, &card, sizeof card,
	    authority.sk);
	struct kl_arena *small = kl_arena_new(16, 1);

	ck_assert_int_eq(directory_take(d, store, small, KL_CARD,
	    papers_bytes(&s)), KL_E_MEMORY);
	ck_assert_int_eq(take_card(), KL_OK);
	ck_assert_int_eq(directory_load(d, store, small), KL_E_MEMORY);
	kl_arena_free(small);
}
END_TEST

START_TEST(directory_is_read_back_from_the_store)
{
	struct kl_prekey p = prekey(T(150));

	ck_assert_int_eq(take_card(), KL_OK);
	ck_assert_int_eq(take(KL_PREKEY, &p, sizeof p, desk.sk), KL_OK);
	ck_assert_int_eq(revoke(T(180)), KL_OK);
	ck_assert_int_eq(store_commit(store), KL_OK);
	load_again();
	ck_assert_uint_eq(directory_cards(d), 1);
	ck_assert_ptr_nonnull(directory_valid(d, &card.id, T(179)));
	ck_assert_ptr_null(directory_valid(d, &card.id, T(181)));
	ck_assert_ptr_nonnull(directory_prekey(d, &card.id, T(150)));
}
END_TEST

START_TEST(another_authority_leaves_out_what_the_old_one_signed)
{
	ck_assert_int_eq(take_card(), KL_OK);
	directory_free(d);
	ck_assert_ptr_nonnull(d = directory_new(&other.pk, KL_TRAINING));
	ck_assert_int_eq(directory_load(d, store, mem), KL_OK);
	ck_assert_uint_eq(directory_cards(d), 0);
}
END_TEST

START_TEST(profile_is_kept_for_its_owner)
{
	struct kl_profile_details details = {
		.display_name = kl_bytes_str("Meldpunt") }, got_details;
	struct kl_profile p = { .version = 1, .owner = card.id,
	    .signer_key_id = kl_key_id_of(desk.pk.b), .valid_from_ms = T(100),
	    .valid_until_ms = T(200), .phone = kl_bytes_str("+31531234567") },
	    got;
	uint8_t buf[1000];
	size_t n;

	ck_assert_int_eq(KL_STATEMENT_PACK(KL_S_PROFILE_DETAILS, &details,
	    buf, sizeof buf, &n), KL_OK);
	p.details = kl_bytes(buf, n);
	ck_assert_int_eq(directory_profile(store, mem, &card.id, &got,
	    &got_details), KL_E_NOT_FOUND);
	ck_assert_int_eq(take_card(), KL_OK);
	ck_assert_int_eq(take(KL_PROFILE, &p, sizeof p, desk.sk), KL_OK);
	ck_assert_int_eq(directory_profile(store, mem, &card.id, &got,
	    &got_details), KL_OK);
	ck_assert(kl_bytes_equal(got.phone, p.phone));
	ck_assert(kl_bytes_equal(got_details.display_name,
	    details.display_name));
	ck_assert_int_eq(store_put(store, STORE_PROFILE,
	    kl_bytes(&card.id, KL_ID_BYTES), STORE_HERE), KL_OK);
	ck_assert_int_eq(directory_profile(store, mem, &card.id, &got,
	    &got_details), KL_E_DAMAGED);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("directory");
	TCase *t = tcase_create("directory");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, card_is_known_by_id_and_key);
	tcase_add_test(t, card_is_valid_in_its_time);
	tcase_add_test(t, same_card_again_is_the_same_card);
	tcase_add_test(t, newest_valid_card_comes_first);
	tcase_add_test(t, revoked_card_is_known_but_not_valid);
	tcase_add_test(t, later_revocation_does_not_make_it_valid_again);
	tcase_add_test(t, revocation_counts_when_it_came_before_its_card);
	tcase_add_test(t, what_the_authority_did_not_sign_is_ignored);
	tcase_add_test(t, other_realm_is_refused);
	tcase_add_test(t, prekey_is_found_in_its_week);
	tcase_add_test(t, prekey_of_an_unknown_owner_or_key_is_ignored);
	tcase_add_test(t, what_is_no_such_statement_is_refused);
	tcase_add_test(t, no_memory_is_no_refusal);
	tcase_add_test(t, directory_is_read_back_from_the_store);
	tcase_add_test(t, another_authority_leaves_out_what_the_old_one_signed);
	tcase_add_test(t, profile_is_kept_for_its_owner);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
