#include "broker/core/registry.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/core/tables.h"
#include "tests/support/parts.h"

static struct parts p;
static struct party practice, desk, partner, auditor;

static void
setup(void)
{
	parts_open(&p);
	practice = party_make(KL_PRACTICE, "agb:01234567");
	desk = party_make(KL_MUNICIPALITY, "oin:00000001234567890001");
	partner = party_make(KL_PARTNER, "kvk:12345678");
	auditor = party_make(KL_AUDITOR, "kvk:87654321");
	parts_begin(&p);
}

static void
teardown(void)
{
	parts_close(&p);
	party_clear(&practice);
	party_clear(&desk);
	party_clear(&partner);
	party_clear(&auditor);
}

static enum kl_code
put_card(const struct kl_card *c, uint64_t *number)
{
	struct letter_bytes b;

	LETTERS_SIGN(KL_CARD, c, p.authority, &b);
	return parts_put(&p, KL_CARD, &b, NULL, number);
}

static enum kl_code
put_revocation(const struct kl_revocation *v, uint64_t *number)
{
	struct letter_bytes b;

	LETTERS_SIGN(KL_REVOCATION, v, p.authority, &b);
	return parts_put(&p, KL_REVOCATION, &b, NULL, number);
}

static enum kl_code
put_prekey(const struct party *by, const struct kl_prekey *k,
    uint64_t *number)
{
	struct letter_bytes b;

	LETTERS_SIGN(KL_PREKEY, k, by->sk, &b);
	return parts_put(&p, KL_PREKEY, &b, by, number);
}

static enum kl_code
put_profile(const struct party *by, const struct kl_profile *f,
    uint64_t *number)
{
	struct letter_bytes b;

	LETTERS_SIGN(KL_PROFILE, f, by->sk, &b);
	return parts_put(&p, KL_PROFILE, &b, by, number);
}

/* Reads all anew in a turn of its own. */
static void
reload(void)
{
	parts_commit(&p);
	parts_restart(&p);
	parts_begin(&p);
}

/* ---- cards ---- */

START_TEST(card_makes_a_participant_that_survives_a_restart)
{
	struct participant *who = parts_enrol(&p, &practice);
	const struct registry_card *card;

	ck_assert_ptr_nonnull(who);
	ck_assert_uint_eq(who->number, 1);
	ck_assert_uint_eq(parts_enrol(&p, &desk)->number, 2);
	reload();
	who = registry_by_key(&p.registry, &practice.transport_pk,
	    LETTERS_NOW_MS, &card);
	ck_assert_ptr_nonnull(who);
	ck_assert_ptr_eq(who, registry_by_id(&p.registry, &practice.id));
	ck_assert_ptr_eq(who, registry_by_number(&p.registry, 1));
	ck_assert_uint_eq(who->role, KL_PRACTICE);
	ck_assert_str_eq(who->name, "Oefenpraktijk");
	ck_assert_mem_eq(card->sign_pk.b, practice.sign_pk.b, 32);
	ck_assert_ptr_eq(card, registry_card_of(who,
	    &card->key_id, LETTERS_NOW_MS));
	ck_assert_uint_eq(p.registry.newest, 2);
}
END_TEST

START_TEST(who_is_not_there_is_not_found)
{
	struct kl_key_id id = { { 1 } };
	const struct registry_card *card;
	struct participant *who = parts_enrol(&p, &practice);

	ck_assert_ptr_null(registry_by_id(&p.registry, &desk.id));
	ck_assert_ptr_null(registry_by_number(&p.registry, 0));
	ck_assert_ptr_null(registry_by_number(&p.registry, 2));
	ck_assert_ptr_null(registry_by_key(&p.registry, &desk.transport_pk,
	    LETTERS_NOW_MS, &card));
	ck_assert_ptr_null(card);
	ck_assert_ptr_null(registry_card_of(who, &id, LETTERS_NOW_MS));
	ck_assert_ptr_null(registry_prekey_of(who, &id));
	ck_assert_ptr_null(registry_successor(&p.registry, &practice.id,
	    p.turn.now_ms));
}
END_TEST

START_TEST(card_of_another_authority_or_realm_is_refused)
{
	struct kl_card c = party_card(&practice);
	struct letter_bytes b;
	uint64_t number;

	LETTERS_SIGN(KL_CARD, &c, practice.sk, &b);
	ck_assert_int_eq(parts_put(&p, KL_CARD, &b, NULL, &number),
	    KL_C_SIGNATURE);
	c.realm = KL_PRODUCTION;
	ck_assert_int_eq(put_card(&c, &number), KL_C_REALM);
	ck_assert_uint_eq(number, 0);
	ck_assert_uint_eq(p.registry.n, 0);
	ck_assert_uint_eq(p.registry.newest, 0);
}
END_TEST

START_TEST(what_is_there_already_gets_no_number)
{
	struct kl_card c = party_card(&practice);
	struct kl_revocation v = party_revocation(&practice,
	    KL_REVOKE_LEFT);
	uint64_t number;

	ck_assert_int_eq(put_card(&c, &number), KL_C_OK);
	ck_assert_uint_eq(number, 1);
	ck_assert_int_eq(put_card(&c, &number), KL_C_OK);
	ck_assert_uint_eq(number, 0);
	ck_assert_int_eq(put_revocation(&v, &number), KL_C_OK);
	ck_assert_uint_eq(number, 2);
	ck_assert_int_eq(put_revocation(&v, &number), KL_C_OK);
	ck_assert_uint_eq(number, 0);
}
END_TEST

START_TEST(card_counts_within_its_dates_until_it_is_revoked)
{
	struct kl_revocation v = party_revocation(&practice,
	    KL_REVOKE_COMPROMISE);
	struct participant *who = parts_enrol(&p, &practice);
	const struct registry_card *c = &who->card[0];
	uint64_t number;

	ck_assert_int_eq(registry_card_valid(c, c->not_before_ms - 1),
	    KL_C_CARD_NOT_YET);
	ck_assert_int_eq(registry_card_valid(c, c->not_before_ms), KL_C_OK);
	ck_assert_int_eq(registry_card_valid(c, c->not_after_ms), KL_C_OK);
	ck_assert_int_eq(registry_card_valid(c, c->not_after_ms + 1),
	    KL_C_CARD_EXPIRED);
	ck_assert_int_eq(put_revocation(&v, &number), KL_C_OK);
	ck_assert_int_eq(registry_card_valid(c, p.turn.now_ms),
	    KL_C_CARD_REVOKED);
	reload();
	who = registry_by_id(&p.registry, &practice.id);
	ck_assert_uint_eq(who->card[0].revoked, KL_REVOKE_COMPROMISE);
}
END_TEST

START_TEST(revocation_counts_also_when_it_comes_first)
{
	struct kl_revocation v = party_revocation(&practice,
	    KL_REVOKE_LEFT);
	struct participant *who;
	uint64_t number;

	ck_assert_int_eq(put_revocation(&v, &number), KL_C_OK);
	ck_assert_uint_eq(number, 1);
	ck_assert_int_eq(put_revocation(&v, &number), KL_C_OK);
	ck_assert_uint_eq(number, 0);
	who = parts_enrol(&p, &practice);
	ck_assert_uint_eq(who->card[0].revoked, KL_REVOKE_LEFT);
	reload();
	who = registry_by_id(&p.registry, &practice.id);
	ck_assert_uint_eq(who->card[0].revoked, KL_REVOKE_LEFT);
}
END_TEST

START_TEST(revocation_of_another_realm_or_signer_is_refused)
{
	struct kl_revocation v = party_revocation(&practice,
	    KL_REVOKE_LEFT);
	struct letter_bytes b;
	uint64_t number;

	LETTERS_SIGN(KL_REVOCATION, &v, practice.sk, &b);
	ck_assert_int_eq(parts_put(&p, KL_REVOCATION, &b, NULL, &number),
	    KL_C_SIGNATURE);
	v.realm = KL_PRODUCTION;
	ck_assert_int_eq(put_revocation(&v, &number), KL_C_REALM);
}
END_TEST

START_TEST(renewed_card_with_the_same_keys_takes_over)
{
	struct kl_card c = party_card(&practice);
	struct participant *who = parts_enrol(&p, &practice);
	struct kl_key_id id = who->card[0].key_id;
	const struct registry_card *card;
	uint64_t number;

	c.serial[0] ^= 1;
	c.not_before_ms = c.not_after_ms - 30 * KL_DAY_MS;
	c.not_after_ms += 365 * KL_DAY_MS;
	ck_assert_int_eq(put_card(&c, &number), KL_C_OK);
	ck_assert_uint_eq(who->n_cards, 2);
	card = registry_card_of(who, &id, LETTERS_NOW_MS);
	ck_assert_mem_eq(card->serial, practice.serial, 16);
	card = registry_card_of(who, &id, who->card[0].not_after_ms + 1);
	ck_assert_int_eq(card->not_after_ms, c.not_after_ms);
	(void)registry_by_key(&p.registry, &practice.transport_pk,
	    who->card[0].not_after_ms + 1, &card);
	ck_assert_int_eq(card->not_after_ms, c.not_after_ms);
	ck_assert_ptr_eq(registry_card_now(who, LETTERS_NOW_MS),
	    &who->card[0]);
	ck_assert_ptr_null(registry_card_now(who, c.not_after_ms + 1));
}
END_TEST

START_TEST(revoked_card_yields_to_one_that_counts)
{
	struct kl_card c = party_card(&practice);
	struct kl_revocation v = party_revocation(&practice,
	    KL_REVOKE_REPLACED);
	struct participant *who = parts_enrol(&p, &practice);
	struct kl_key_id id = who->card[0].key_id;
	uint64_t number;

	c.serial[0] ^= 1;
	c.not_after_ms -= KL_DAY_MS;
	ck_assert_int_eq(put_card(&c, &number), KL_C_OK);
	ck_assert_int_eq(put_revocation(&v, &number), KL_C_OK);
	ck_assert_uint_eq(registry_card_of(who, &id,
	    LETTERS_NOW_MS)->revoked, 0);
	memcpy(v.serial, c.serial, sizeof v.serial);
	ck_assert_int_eq(put_revocation(&v, &number), KL_C_OK);
	ck_assert_uint_eq(registry_card_of(who, &id,
	    LETTERS_NOW_MS)->revoked, KL_REVOKE_REPLACED);
}
END_TEST

START_TEST(only_the_newest_cards_are_held)
{
	struct kl_card c = party_card(&practice);
	struct participant *who = parts_enrol(&p, &practice);
	uint64_t number;

	for (uint8_t i = 1; i <= REGISTRY_CARDS_MAX; i++) {
		c.serial[0]++;
		c.not_after_ms += KL_DAY_MS;
		ck_assert_int_eq(put_card(&c, &number), KL_C_OK);
	}
	ck_assert_uint_eq(who->n_cards, REGISTRY_CARDS_MAX);
	for (size_t i = 0; i < who->n_cards; i++)
		ck_assert_mem_ne(who->card[i].serial, practice.serial, 16);
	/* The oldest does not come back in the place of a newer one. */
	c = party_card(&practice);
	ck_assert_int_eq(put_card(&c, &number), KL_C_OK);
	for (size_t i = 0; i < who->n_cards; i++)
		ck_assert_mem_ne(who->card[i].serial, practice.serial, 16);
}
END_TEST

START_TEST(successor_counts_from_its_date)
{
	struct kl_card c = party_card(&partner);
	struct participant *who;
	uint64_t number;

	(void)parts_enrol(&p, &desk);
	c.role = KL_MUNICIPALITY;
	c.succeeds = desk.id;
	c.succeeds_from_ms = LETTERS_NOW_MS;
	ck_assert_int_eq(put_card(&c, &number), KL_C_OK);
	ck_assert_ptr_null(registry_successor(&p.registry, &desk.id,
	    LETTERS_NOW_MS - 1));
	who = registry_successor(&p.registry, &desk.id, LETTERS_NOW_MS);
	ck_assert_ptr_eq(who, registry_by_id(&p.registry, &partner.id));
}
END_TEST

START_TEST(who_has_taken_over_stands_for_its_predecessor)
{
	struct kl_card c = party_card(&partner);
	uint64_t number;

	(void)parts_enrol(&p, &desk);
	c.succeeds = desk.id;
	c.succeeds_from_ms = LETTERS_NOW_MS;
	ck_assert_int_eq(put_card(&c, &number), KL_C_OK);
	ck_assert(registry_stands_for(&p.registry, &desk.id, &desk.id,
	    LETTERS_NOW_MS));
	ck_assert(registry_stands_for(&p.registry, &partner.id, &desk.id,
	    LETTERS_NOW_MS));
	ck_assert(!registry_stands_for(&p.registry, &partner.id, &desk.id,
	    LETTERS_NOW_MS - 1));
	ck_assert(!registry_stands_for(&p.registry, &desk.id, &partner.id,
	    LETTERS_NOW_MS));
}
END_TEST

/* What is signed counts by the card of now, or by that of then. */
START_TEST(a_signature_counts_under_the_card_of_its_time)
{
	const struct kl_key_id key_id = kl_key_id_of(practice.sign_pk.b);
	const struct kl_card card = party_card(&practice);
	struct kl_signed s = { .body = kl_bytes_str("statement") };
	struct registry_signed v = { .label = KL_LABEL_WITHDRAWAL, .s = &s,
		.signer = &practice.id, .key_id = &key_id,
		.at_ms = LETTERS_NOW_MS };
	const struct kl_revocation gone = party_revocation(&practice,
	    KL_REVOKE_LEFT);
	uint64_t number;

	ck_assert_int_eq(kl_sign(KL_LABEL_WITHDRAWAL, s.body, practice.sk,
	    &s.sig), KL_OK);
	ck_assert_int_eq(registry_signed_now(&p.registry, &v,
	    LETTERS_NOW_MS), KL_C_CARD_UNKNOWN);
	ck_assert_int_eq(registry_signed_then(&p.registry, &v,
	    LETTERS_NOW_MS), KL_C_CARD_UNKNOWN);
	(void)parts_enrol(&p, &practice);
	ck_assert_int_eq(registry_signed_now(&p.registry, &v,
	    LETTERS_NOW_MS), KL_C_OK);
	ck_assert_int_eq(registry_signed_then(&p.registry, &v,
	    card.not_after_ms + 1), KL_C_OK);
	ck_assert_int_eq(registry_signed_now(&p.registry, &v,
	    card.not_after_ms + 1), KL_C_CARD_EXPIRED);
	v.at_ms = LETTERS_NOW_MS + 10 * KL_MINUTE_MS + 1;
	ck_assert_int_eq(registry_signed_now(&p.registry, &v,
	    LETTERS_NOW_MS), KL_C_CLOCK_AHEAD);
	ck_assert_int_eq(registry_signed_then(&p.registry, &v,
	    LETTERS_NOW_MS), KL_C_CLOCK_AHEAD);
	v.at_ms = card.not_before_ms - 1;
	ck_assert_int_eq(registry_signed_then(&p.registry, &v,
	    LETTERS_NOW_MS), KL_C_CARD_NOT_YET);
	v.at_ms = card.not_after_ms + 1;
	ck_assert_int_eq(registry_signed_then(&p.registry, &v,
	    v.at_ms), KL_C_CARD_EXPIRED);
	v.at_ms = LETTERS_NOW_MS;
	ck_assert_int_eq(put_revocation(&gone, &number), KL_C_OK);
	ck_assert_int_eq(registry_signed_now(&p.registry, &v,
	    LETTERS_NOW_MS), KL_C_CARD_REVOKED);
	ck_assert_int_eq(registry_signed_then(&p.registry, &v,
	    LETTERS_NOW_MS), KL_C_OK);
	s.sig.b[0] ^= 1;
	ck_assert_int_eq(registry_signed_then(&p.registry, &v,
	    LETTERS_NOW_MS), KL_C_SIGNATURE);
}
END_TEST

START_TEST(participant_of_an_undone_turn_leaves_its_number_free)
{
	(void)parts_enrol(&p, &practice);
	parts_commit(&p);
	parts_begin(&p);
	ck_assert_uint_eq(parts_enrol(&p, &desk)->number, 2);
	parts_undo(&p);
	parts_begin(&p);
	ck_assert_int_eq(registry_load(&p.registry, p.turn.txn, p.mem),
	    KL_OK);
	ck_assert_ptr_null(registry_by_id(&p.registry, &desk.id));
	ck_assert_uint_eq(parts_enrol(&p, &partner)->number, 2);
	ck_assert_uint_eq(parts_enrol(&p, &desk)->number, 3);
	reload();
	ck_assert_uint_eq(registry_by_id(&p.registry, &partner.id)->number,
	    2);
	ck_assert_uint_eq(registry_by_id(&p.registry, &desk.id)->number, 3);
}
END_TEST

START_TEST(pointers_stay_when_all_is_read_anew)
{
	struct participant *who = parts_enrol(&p, &practice);

	ck_assert_int_eq(registry_load(&p.registry, p.turn.txn, p.mem),
	    KL_OK);
	ck_assert_ptr_eq(registry_by_id(&p.registry, &practice.id), who);
	ck_assert_uint_eq(who->n_cards, 1);
}
END_TEST

START_TEST(more_participants_than_fit_are_refused)
{
	struct kl_card c = party_card(&practice);
	struct letter_bytes b;
	struct kl_entry e;
	uint64_t number;
	char id[16];
	int err = KL_OK;

	for (int i = 0; i <= REGISTRY_PARTICIPANTS_MAX && err == KL_OK; i++) {
		snprintf(id, sizeof id, "agb:%08d", i);
		ck_assert_int_eq(kl_id_read(id, &c.id), KL_OK);
		memcpy(c.serial, &i, sizeof i);
		LETTERS_SIGN(KL_CARD, &c, p.authority, &b);
		e = (struct kl_entry){ KL_CARD, kl_bytes(b.b, b.n) };
		kl_arena_reset(p.mem);
		if (registry_put(&p.registry, p.turn.txn, &e, NULL,
		    p.turn.now_ms, p.mem, &number, &err) != KL_C_OK)
			ck_assert_int_eq(i, REGISTRY_PARTICIPANTS_MAX);
	}
	ck_assert_int_eq(err, KL_E_FULL);
	ck_assert_uint_eq(p.registry.n, REGISTRY_PARTICIPANTS_MAX);
}
END_TEST

/* ---- prekeys and profiles ---- */

START_TEST(prekeys_cover_until_the_first_gap)
{
	struct participant *who = parts_enrol(&p, &desk);
	int64_t week = kl_week_start_ms(LETTERS_NOW_MS);
	const unsigned int weeks[] = { 2, 0, 4, 1 };
	struct kl_key_id id;
	struct kl_prekey k;
	uint64_t number;

	ck_assert_int_eq(registry_cover_ms(who, LETTERS_NOW_MS), 0);
	for (size_t i = 0; i < 4; i++) {
		k = party_prekey(&desk, weeks[i]);
		ck_assert_int_eq(put_prekey(&desk, &k, &number), KL_C_OK);
	}
	ck_assert_int_eq(registry_cover_ms(who, LETTERS_NOW_MS),
	    week + 3 * KL_WEEK_MS);
	id = kl_key_id_of(k.pk.b);
	ck_assert_int_eq(registry_prekey_of(who, &id)->not_before_ms,
	    week + KL_WEEK_MS);
	reload();
	who = registry_by_id(&p.registry, &desk.id);
	ck_assert_uint_eq(who->n_prekeys, 4);
	ck_assert_int_eq(registry_cover_ms(who, LETTERS_NOW_MS),
	    week + 3 * KL_WEEK_MS);
}
END_TEST

START_TEST(prekey_takes_the_place_of_its_weeks_last)
{
	struct participant *who = parts_enrol(&p, &desk);
	struct kl_prekey k = party_prekey(&desk, 0);
	struct kl_key_id old = kl_key_id_of(k.pk.b), id;
	struct kl_directory_reply page;
	uint64_t number;

	ck_assert_int_eq(put_prekey(&desk, &k, &number), KL_C_OK);
	ck_assert_uint_eq(number, 2);
	ck_assert_int_eq(put_prekey(&desk, &k, &number), KL_C_OK);
	ck_assert_uint_eq(number, 0);
	k.pk.b[1] ^= 1;
	id = kl_key_id_of(k.pk.b);
	ck_assert_int_eq(put_prekey(&desk, &k, &number), KL_C_OK);
	ck_assert_uint_eq(number, 3);
	ck_assert_ptr_null(registry_prekey_of(who, &old));
	ck_assert_ptr_nonnull(registry_prekey_of(who, &id));
	ck_assert_int_eq(registry_page(&p.registry, p.turn.txn, 0, p.mem,
	    &page), KL_OK);
	ck_assert_uint_eq(page.n_entry, 2);
	reload();
	who = registry_by_id(&p.registry, &desk.id);
	ck_assert_uint_eq(who->n_prekeys, 1);
	ck_assert_ptr_nonnull(registry_prekey_of(who, &id));
}
END_TEST

START_TEST(prekey_outside_its_weeks_is_refused)
{
	const struct { int weeks; enum kl_code code; } row[] = {
		{ -1, KL_C_TIMES }, { 0, KL_C_OK },
		{ REGISTRY_PREKEY_WEEKS, KL_C_OK },
		{ REGISTRY_PREKEY_WEEKS + 1, KL_C_TIMES },
	};
	uint64_t number;

	(void)parts_enrol(&p, &desk);
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct kl_prekey k = party_prekey(&desk, 0);

		k.not_before_ms += row[i].weeks * KL_WEEK_MS;
		k.not_after_ms += row[i].weeks * KL_WEEK_MS;
		ck_assert_int_eq(put_prekey(&desk, &k, &number),
		    row[i].code);
	}
}
END_TEST

START_TEST(prekey_is_its_owners_own)
{
	struct kl_prekey k = party_prekey(&desk, 0);
	struct letter_bytes b;
	uint64_t number;

	(void)parts_enrol(&p, &desk);
	(void)parts_enrol(&p, &practice);
	LETTERS_SIGN(KL_PREKEY, &k, desk.sk, &b);
	ck_assert_int_eq(parts_put(&p, KL_PREKEY, &b, &practice, &number),
	    KL_C_NOT_YOUR_KEY);
	LETTERS_SIGN(KL_PREKEY, &k, practice.sk, &b);
	ck_assert_int_eq(parts_put(&p, KL_PREKEY, &b, &desk, &number),
	    KL_C_SIGNATURE);
	k.signer_key_id.b[0] ^= 1;
	ck_assert_int_eq(put_prekey(&desk, &k, &number), KL_C_CARD_UNKNOWN);
}
END_TEST

START_TEST(prekey_under_an_ended_card_is_refused)
{
	struct kl_prekey k = party_prekey(&desk, 0);
	struct kl_revocation v = party_revocation(&desk, KL_REVOKE_LEFT);
	uint64_t number;

	(void)parts_enrol(&p, &desk);
	ck_assert_int_eq(put_revocation(&v, &number), KL_C_OK);
	ck_assert_int_eq(put_prekey(&desk, &k, &number), KL_C_CARD_REVOKED);
}
END_TEST

START_TEST(publishing_follows_the_roles)
{
	const struct { const struct party *who; bool prekey, profile; }
	row[] = {
		{ &practice, true, false }, { &desk, true, true },
		{ &partner, true, true }, { &auditor, false, false },
	};
	uint64_t number;

	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct kl_prekey k = party_prekey(row[i].who, 0);
		struct kl_profile f = party_profile(row[i].who);

		(void)parts_enrol(&p, row[i].who);
		ck_assert_int_eq(put_prekey(row[i].who, &k, &number),
		    row[i].prekey ? KL_C_OK : KL_C_ROLE);
		ck_assert_int_eq(put_profile(row[i].who, &f, &number),
		    row[i].profile ? KL_C_OK : KL_C_ROLE);
	}
}
END_TEST

START_TEST(nobody_publishes_for_nobody)
{
	struct kl_prekey k = party_prekey(&desk, 0);
	struct kl_profile f = party_profile(&desk);
	struct letter_bytes b;
	uint64_t number;

	LETTERS_SIGN(KL_PREKEY, &k, desk.sk, &b);
	ck_assert_int_eq(parts_put(&p, KL_PREKEY, &b, NULL, &number),
	    KL_C_ROLE);
	LETTERS_SIGN(KL_PROFILE, &f, desk.sk, &b);
	ck_assert_int_eq(parts_put(&p, KL_PROFILE, &b, NULL, &number),
	    KL_C_ROLE);
}
END_TEST

START_TEST(profile_takes_the_place_of_the_last)
{
	struct participant *who = parts_enrol(&p, &desk);
	struct kl_profile f = party_profile(&desk);
	struct kl_directory_reply page;
	uint64_t number;

	ck_assert_int_eq(put_profile(&desk, &f, &number), KL_C_OK);
	ck_assert_uint_eq(who->profile, 2);
	ck_assert_int_eq(put_profile(&desk, &f, &number), KL_C_OK);
	ck_assert_uint_eq(number, 0);
	f.phone = kl_bytes_str("+31207654321");
	ck_assert_int_eq(put_profile(&desk, &f, &number), KL_C_OK);
	ck_assert_uint_eq(who->profile, 3);
	ck_assert_int_eq(registry_page(&p.registry, p.turn.txn, 0, p.mem,
	    &page), KL_OK);
	ck_assert_uint_eq(page.n_entry, 2);
	ck_assert_uint_eq(page.last, 3);
	reload();
	ck_assert_uint_eq(registry_by_id(&p.registry, &desk.id)->profile, 3);
}
END_TEST

START_TEST(bytes_that_are_no_statement_are_refused)
{
	struct letter_bytes b = { .b = "garbage", .n = 7 };
	struct kl_prekey k = party_prekey(&desk, 0);
	uint64_t number;

	(void)parts_enrol(&p, &desk);
	ck_assert_int_eq(parts_put(&p, KL_CARD, &b, &desk, &number),
	    KL_C_MALFORMED);
	LETTERS_SIGN(KL_PREKEY, &k, desk.sk, &b);
	for (uint32_t s = KL_CARD; s <= KL_PROFILE; s++)
		if (s != KL_PREKEY)
			ck_assert_int_ne(parts_put(&p, s, &b, &desk,
			    &number), KL_C_OK);
	ck_assert_int_eq(parts_put(&p, KL_RECEIPT, &b, &desk, &number),
	    KL_C_VALUE_UNKNOWN);
}
END_TEST

START_TEST(spent_arena_says_try_later)
{
	struct kl_arena *small = kl_arena_new(64, 4);
	struct kl_card c = party_card(&desk);
	struct letter_bytes b;
	struct kl_entry e;
	uint64_t number;
	int err;

	LETTERS_SIGN(KL_CARD, &c, p.authority, &b);
	e = (struct kl_entry){ KL_CARD, kl_bytes(b.b, b.n) };
	ck_assert_int_eq(registry_put(&p.registry, p.turn.txn, &e, NULL,
	    p.turn.now_ms, small, &number, &err), KL_C_TRY_LATER);
	(void)parts_enrol(&p, &desk);
	ck_assert_int_eq(registry_load(&p.registry, p.turn.txn, small),
	    KL_E_MEMORY);
	kl_arena_free(small);
}
END_TEST

/* ---- what is remembered of each ---- */

START_TEST(session_of_a_participant_is_remembered)
{
	struct participant *who = parts_enrol(&p, &practice);

	memset(who->instance.b, 5, sizeof who->instance.b);
	who->epoch = 77;
	who->reported_in = true;
	who->open_conversations = 12;
	ck_assert_int_eq(registry_save(p.turn.txn, who), KL_OK);
	reload();
	who = registry_by_id(&p.registry, &practice.id);
	ck_assert_uint_eq(who->instance.b[15], 5);
	ck_assert_uint_eq(who->epoch, 77);
	ck_assert(who->reported_in);
	ck_assert_uint_eq(who->open_conversations, 12);
}
END_TEST

static void
damage(char table, struct kl_bytes key, struct kl_bytes value)
{
	ck_assert_int_eq(kl_kv_put(p.turn.txn, table, key, value), KL_OK);
	ck_assert_int_eq(registry_load(&p.registry, p.turn.txn, p.mem),
	    KL_E_DAMAGED);
	ck_assert_int_eq(kl_kv_del(p.turn.txn, table, key), KL_OK);
}

START_TEST(damaged_rows_are_told)
{
	const uint8_t number[8] = { 0, 0, 0, 0, 0, 0, 0, 9 };
	const uint8_t long_number[9] = { 0, 0, 0, 0, 0, 0, 0, 9, 9 };
	const uint8_t card[] = { 0, 0, 0, KL_CARD, 1, 2 };
	struct kl_prekey k = party_prekey(&desk, 0);
	struct kl_profile f = party_profile(&desk);
	struct letter_bytes b;

	(void)parts_enrol(&p, &practice);
	damage(T_DIRECTORY, KL_BYTES_OF(long_number), KL_BYTES_OF(card));
	damage(T_DIRECTORY, KL_BYTES_OF(number), kl_bytes(card, 3));
	damage(T_DIRECTORY, KL_BYTES_OF(number), KL_BYTES_OF(card));
	damage(T_PARTICIPANT, KL_BYTES_OF(practice.id),
	    kl_bytes(card, 6));
	/* A prekey and a profile of one who has no card. */
	LETTERS_SIGN(KL_PREKEY, &k, desk.sk, &b);
	memmove(b.b + 4, b.b, b.n);
	memcpy(b.b, "\0\0\0\3", 4);
	damage(T_DIRECTORY, KL_BYTES_OF(number), kl_bytes(b.b, b.n + 4));
	LETTERS_SIGN(KL_PROFILE, &f, desk.sk, &b);
	memmove(b.b + 4, b.b, b.n);
	memcpy(b.b, "\0\0\0\4", 4);
	damage(T_DIRECTORY, KL_BYTES_OF(number), kl_bytes(b.b, b.n + 4));
}
END_TEST

/* ---- pages ---- */

/* All entries in order, page by page. */
static size_t
read_pages(uint64_t *last)
{
	struct kl_directory_reply page;
	size_t n = 0;

	*last = 0;
	for (int pages = 0; pages < 100; pages++) {
		uint8_t buf[KL_FRAME_MAX];
		size_t size;

		kl_arena_reset(p.mem);
		ck_assert_int_eq(registry_page(&p.registry, p.turn.txn,
		    *last, p.mem, &page), KL_OK);
		ck_assert_uint_eq(page.newest, p.registry.newest);
		ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_DIRECTORY_REPLY, &page,
		    buf, sizeof buf - 64, &size), KL_OK);
		n += page.n_entry;
		if (page.last == *last)
			return n;
		*last = page.last;
	}
	ck_abort_msg("the pages never end");
	return 0;
}

START_TEST(pages_hold_every_entry_once)
{
	struct kl_card c = party_card(&practice);
	uint64_t number, last;
	char id[16];

	for (int i = 0; i < 200; i++) {
		snprintf(id, sizeof id, "agb:%08d", i);
		ck_assert_int_eq(kl_id_read(id, &c.id), KL_OK);
		c.serial[0] = (uint8_t)i;
		ck_assert_int_eq(put_card(&c, &number), KL_C_OK);
	}
	ck_assert_uint_eq(read_pages(&last), 200);
	ck_assert_uint_eq(last, 200);
}
END_TEST

START_TEST(largest_statement_does_not_stop_the_pages)
{
	static uint8_t details[KL_SIGNED_MAX];
	struct kl_profile f = party_profile(&desk);
	struct letter_bytes b;
	uint8_t body[KL_SIGNED_MAX];
	uint64_t number, last;
	size_t n, size = sizeof details;

	(void)parts_enrol(&p, &practice);
	(void)parts_enrol(&p, &desk);
	/* As long as a packed Signed takes it. */
	do {
		f.details = kl_bytes(details, --size);
	} while (KL_STATEMENT_PACK(KL_PROFILE, &f, body, KL_SIGNED_MAX - 80,
	    &n) != KL_OK);
	LETTERS_SIGN(KL_PROFILE, &f, desk.sk, &b);
	ck_assert_uint_gt(b.n, KL_SIGNED_MAX - 200);
	ck_assert_int_eq(parts_put(&p, KL_PROFILE, &b, &desk, &number),
	    KL_C_OK);
	(void)parts_enrol(&p, &partner);
	ck_assert_uint_eq(read_pages(&last), 4);
	ck_assert_uint_eq(last, 4);
}
END_TEST

START_TEST(page_past_the_end_is_empty)
{
	struct kl_directory_reply page;

	(void)parts_enrol(&p, &practice);
	ck_assert_int_eq(registry_page(&p.registry, p.turn.txn, 9, p.mem,
	    &page), KL_OK);
	ck_assert_uint_eq(page.n_entry, 0);
	ck_assert_uint_eq(page.last, 1);
}
END_TEST

/* ---- pruning ---- */

START_TEST(prekeys_are_kept_for_late_messages_and_then_left_out)
{
	struct participant *who = parts_enrol(&p, &desk);
	struct kl_prekey k;
	uint64_t number, last;
	int64_t end = 0;

	for (unsigned int w = 0; w < 3; w++) {
		k = party_prekey(&desk, w);
		ck_assert_int_eq(put_prekey(&desk, &k, &number), KL_C_OK);
		if (w == 0)
			end = k.not_after_ms + 60 * KL_DAY_MS;
	}
	ck_assert_int_eq(registry_prune(&p.registry, p.turn.txn, end, 10),
	    KL_OK);
	ck_assert_uint_eq(who->n_prekeys, 3);
	ck_assert_int_eq(registry_prune(&p.registry, p.turn.txn, end + 1,
	    10), KL_OK);
	ck_assert_uint_eq(who->n_prekeys, 2);
	ck_assert_uint_eq(read_pages(&last), 3);
}
END_TEST

START_TEST(pruning_stops_at_its_limit)
{
	struct participant *who = parts_enrol(&p, &desk);
	struct kl_prekey k;
	uint64_t number;

	for (unsigned int w = 0; w < 5; w++) {
		k = party_prekey(&desk, w);
		ck_assert_int_eq(put_prekey(&desk, &k, &number), KL_C_OK);
	}
	ck_assert_int_eq(registry_prune(&p.registry, p.turn.txn,
	    LETTERS_NOW_MS + 400 * KL_DAY_MS, 2), KL_OK);
	ck_assert_uint_eq(who->n_prekeys, 3);
}
END_TEST

START_TEST(number_of_a_pruned_entry_never_comes_again)
{
	struct kl_prekey k = party_prekey(&desk, 0);
	uint64_t number;

	(void)parts_enrol(&p, &desk);
	ck_assert_int_eq(put_prekey(&desk, &k, &number), KL_C_OK);
	ck_assert_uint_eq(number, 2);
	ck_assert_int_eq(registry_prune(&p.registry, p.turn.txn,
	    LETTERS_NOW_MS + 400 * KL_DAY_MS, 10), KL_OK);
	reload();
	ck_assert_uint_eq(p.registry.newest, 2);
	(void)parts_enrol(&p, &practice);
	ck_assert_uint_eq(p.registry.newest, 3);
	ck_assert_int_eq(registry_prune(&p.registry, p.turn.txn,
	    LETTERS_NOW_MS + 400 * KL_DAY_MS, 10), KL_OK);
	ck_assert_uint_eq(registry_by_id(&p.registry, &desk.id)->n_prekeys,
	    0);
}
END_TEST

static TCase *
cards_case(void)
{
	TCase *tc = tcase_create("cards");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
	    card_makes_a_participant_that_survives_a_restart);
	tcase_add_test(tc, who_is_not_there_is_not_found);
	tcase_add_test(tc, card_of_another_authority_or_realm_is_refused);
	tcase_add_test(tc, what_is_there_already_gets_no_number);
	tcase_add_test(tc, card_counts_within_its_dates_until_it_is_revoked);
	tcase_add_test(tc, revocation_counts_also_when_it_comes_first);
	tcase_add_test(tc,
	    revocation_of_another_realm_or_signer_is_refused);
	tcase_add_test(tc, renewed_card_with_the_same_keys_takes_over);
	tcase_add_test(tc, revoked_card_yields_to_one_that_counts);
	tcase_add_test(tc, only_the_newest_cards_are_held);
	tcase_add_test(tc, successor_counts_from_its_date);
	tcase_add_test(tc, who_has_taken_over_stands_for_its_predecessor);
	tcase_add_test(tc, a_signature_counts_under_the_card_of_its_time);
	tcase_add_test(tc,
	    participant_of_an_undone_turn_leaves_its_number_free);
	tcase_add_test(tc, pointers_stay_when_all_is_read_anew);
	tcase_add_test(tc, more_participants_than_fit_are_refused);
	return tc;
}

static TCase *
own_case(void)
{
	TCase *tc = tcase_create("own statements");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, prekeys_cover_until_the_first_gap);
	tcase_add_test(tc, prekey_takes_the_place_of_its_weeks_last);
	tcase_add_test(tc, prekey_outside_its_weeks_is_refused);
	tcase_add_test(tc, prekey_is_its_owners_own);
	tcase_add_test(tc, prekey_under_an_ended_card_is_refused);
	tcase_add_test(tc, publishing_follows_the_roles);
	tcase_add_test(tc, nobody_publishes_for_nobody);
	tcase_add_test(tc, profile_takes_the_place_of_the_last);
	tcase_add_test(tc, bytes_that_are_no_statement_are_refused);
	tcase_add_test(tc, spent_arena_says_try_later);
	return tc;
}

static TCase *
store_case(void)
{
	TCase *tc = tcase_create("store");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, session_of_a_participant_is_remembered);
	tcase_add_test(tc, damaged_rows_are_told);
	tcase_add_test(tc, pages_hold_every_entry_once);
	tcase_add_test(tc, largest_statement_does_not_stop_the_pages);
	tcase_add_test(tc, page_past_the_end_is_empty);
	tcase_add_test(tc,
	    prekeys_are_kept_for_late_messages_and_then_left_out);
	tcase_add_test(tc, pruning_stops_at_its_limit);
	tcase_add_test(tc, number_of_a_pruned_entry_never_comes_again);
	return tc;
}

int
main(void)
{
	Suite *s = suite_create("registry");
	SRunner *sr;
	int failed;

	suite_add_tcase(s, cards_case());
	suite_add_tcase(s, own_case());
	suite_add_tcase(s, store_case());
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
