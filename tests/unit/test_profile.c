/* A desk's profile: what it may hold, and that it comes back as text. */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/sign.h>

#include "adapters/common/profile.h"

static struct kl_arena *mem;
static struct kl_profile profile;
static struct kl_profile_details details;
static struct kl_finding why;

static void
setup(void)
{
	mem = kl_arena_new(256 << 10, 512);
	ck_assert_ptr_nonnull(mem);
}

static void
teardown(void)
{
	kl_arena_free(mem);
}

static json_t *
file(void)
{
	json_t *o = json_load_file("tests/data/municipality/profile.json",
	    JSON_REJECT_DUPLICATES, NULL);

	ck_assert_ptr_nonnull(o);
	return o;
}

/* Takes o. */
static int
read_take(json_t *o)
{
	char *text = json_dumps(o, 0);
	int r = profile_read(kl_bytes_str(text), mem, &profile, &details,
	    &why);

	free(text);
	json_decref(o);
	return r;
}

static int
read_with(const char *key, json_t *v)
{
	json_t *o = file();

	json_object_set_new(o, key, v);
	return read_take(o);
}

static bool
same(struct kl_bytes b, const char *s)
{
	return kl_bytes_equal(b, kl_bytes_str(s));
}

START_TEST(file_of_a_desk_is_read_whole)
{
	ck_assert_int_eq(read_take(file()), KL_OK);
	ck_assert(same(details.display_name,
	    "Meldpunt Geldzorgen Twentestad"));
	ck_assert(same(profile.phone, "+31531234500"));
	ck_assert_uint_eq(details.n_office_hours, 5);
	ck_assert_uint_eq(details.office_hours[0], 108301700);
	ck_assert_uint_eq(details.n_response_terms, PROFILE_TERMS);
	ck_assert_uint_eq(details.response_terms[PROFILE_FIRST_CONTACT], 120);
	ck_assert_uint_eq(details.n_partners, 1);
	ck_assert_uint_eq(details.partners[0].p[KL_ID_BYTES],
	    KL_CAT_VOLUNTEERS);
	ck_assert_int_eq(kl_day_of(profile.valid_until_ms - 1),
	    kl_day_make(2027, 12, 31));
}
END_TEST

static const struct {
	const char *key, *value;	/* JSON */
	uint32_t code;
} wrong[] = {
	{ "colour", "1", KL_C_FIELD_UNKNOWN },
	{ "schema", "99", KL_C_SCHEMA },
	{ "phone", "\"0531234500\"", KL_C_FIELD_VALUE },
	{ "display_name", "\"\"", KL_C_FIELD_VALUE },
	{ "display_name", "\"a\\nb\"", KL_C_CHARACTER },
	{ "what_to_expect", "\"a\\u202eb\"", KL_C_CHARACTER },
	{ "what_to_expect", "7", KL_C_FIELD_VALUE },
	{ "asks_of_practice", "\"1234.56.782\"", KL_C_BSN },
	{ "help_offered", "[\"money\"]", KL_C_FIELD_VALUE },
	{ "help_offered", "\"budget_coaching\"", KL_C_FIELD_VALUE },
	{ "municipality_codes", "[0]", KL_C_FIELD_VALUE },
	{ "closed_days", "[\"2026-02-30\"]", KL_C_FIELD_VALUE },
	{ "office_hours", "[{\"day\":\"monday\",\"from\":\"9:00\","
	  "\"to\":\"17:00\"}]", KL_C_FIELD_VALUE },
	{ "office_hours", "[{\"day\":\"monday\",\"from\":\"17:00\","
	  "\"to\":\"09:00\"}]", KL_C_FIELDS_DISAGREE },
	{ "office_hours", "[{\"day\":\"monday\",\"from\":\"09:00\"}]",
	  KL_C_FIELD_MISSING },
	{ "response_terms", "{\"take_up_hours\":48}", KL_C_FIELD_MISSING },
	{ "partners", "[{\"id\":\"kvk:1\",\"category\":\"other\"}]",
	  KL_C_FIELD_VALUE },
	{ "valid_until", "\"2025-01-01\"", KL_C_FIELDS_DISAGREE },
};

START_TEST(wrong_values_are_refused_by_their_place)
{
	json_t *v = json_loads(wrong[_i].value, JSON_DECODE_ANY, NULL);

	ck_assert_int_eq(read_with(wrong[_i].key, v), KL_E_REFUSED);
	ck_assert_uint_eq(why.code, wrong[_i].code);
	ck_assert(wrong[_i].code == KL_C_BSN ||
	    strstr(why.field, wrong[_i].key) != NULL);
	ck_assert_uint_eq(details.display_name.n, 0);
}
END_TEST

START_TEST(what_the_desk_does_not_ask_is_required)
{
	json_t *o = file();

	json_object_del(o, "asks_of_practice");
	ck_assert_int_eq(read_take(o), KL_E_REFUSED);
	ck_assert_uint_eq(why.code, KL_C_FIELD_MISSING);
	ck_assert_str_eq(why.field, "/asks_of_practice");
}
END_TEST

START_TEST(texts_may_be_as_long_as_promised_and_no_longer)
{
	char *longest = malloc(2002);

	for (size_t i = 0; i < 2002; i++)
		longest[i] = i % 10 == 9 ? ' ' : 'a';
	longest[2000] = '\0';
	ck_assert_int_eq(read_with("what_to_expect", json_string(longest)),
	    KL_OK);
	longest[2000] = 'a';
	longest[2001] = '\0';
	ck_assert_int_eq(read_with("what_to_expect", json_string(longest)),
	    KL_E_REFUSED);
	ck_assert_uint_eq(why.code, KL_C_FIELD_TOO_LONG);
	free(longest);
}
END_TEST

START_TEST(spent_memory_is_told_apart)
{
	struct kl_arena *small = kl_arena_new(64, 4);
	json_t *o = file();
	char *text = json_dumps(o, 0);

	json_decref(o);
	ck_assert_int_eq(profile_read(kl_bytes_str(text), small, &profile,
	    &details, &why), KL_E_MEMORY);
	free(text);
	kl_arena_free(small);
}
END_TEST

START_TEST(signed_profile_reads_back)
{
	struct identity id = { .role = KL_MUNICIPALITY };
	struct kl_bytes packed;
	struct kl_profile_details back;
	struct kl_signed s;
	struct kl_profile p;

	ck_assert_int_eq(kl_id_read("oin:00000001000000000001", &id.id),
	    KL_OK);
	ck_assert_int_eq(kl_sign_keypair(&id.sign_pk, &id.sign_sk), KL_OK);
	id.key_id = kl_key_id_of(id.sign_pk.b);
	ck_assert_int_eq(read_take(file()), KL_OK);
	ck_assert_int_eq(profile_sign(&id, &profile, &details, mem, &packed),
	    KL_OK);
	ck_assert_uint_eq(kl_signed_read(packed, mem, &s), KL_C_OK);
	ck_assert_int_eq(kl_verify(KL_LABEL_PROFILE, s.body, &id.sign_pk,
	    &s.sig), KL_OK);
	ck_assert_uint_eq(KL_STATEMENT_READ(KL_PROFILE, s.body, mem, &p),
	    KL_C_OK);
	ck_assert(kl_id_equal(&p.owner, &id.id));
	ck_assert_uint_eq(KL_STATEMENT_READ(KL_S_PROFILE_DETAILS, p.details,
	    mem, &back), KL_C_OK);
	ck_assert(kl_bytes_equal(back.asks_of_practice,
	    details.asks_of_practice));
	kl_secret_free(id.sign_sk);
}
END_TEST

START_TEST(text_says_what_to_expect_and_what_is_not_asked)
{
	static char out[PROFILE_TEXT_MAX];
	size_t n;

	ck_assert_int_eq(read_take(file()), KL_OK);
	ck_assert_int_eq(profile_text(&profile, &details, KL_NL, out,
	    sizeof out, &n), KL_OK);
	ck_assert_uint_eq(n, strlen(out));
	ck_assert_ptr_nonnull(strstr(out, "Telefoon: +31531234500\n"));
	ck_assert_ptr_nonnull(strstr(out,
	    "Afspraak: eerste contact binnen 120 uur\n"));
	ck_assert_ptr_nonnull(strstr(out, "Wat wij de praktijk niet vragen\n"
	    "Wij vragen u geen overzicht van schulden"));
	ck_assert_int_eq(profile_text(&profile, &details, KL_EN, out, 40,
	    &n), KL_E_SIZE);
	ck_assert_str_eq(out, "");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("profile");
	TCase *t = tcase_create("profile");
	SRunner *r;
	int failed;

	if (kl_crypto_init() != KL_OK)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, file_of_a_desk_is_read_whole);
	tcase_add_loop_test(t, wrong_values_are_refused_by_their_place, 0,
	    (int)(sizeof wrong / sizeof wrong[0]));
	tcase_add_test(t, what_the_desk_does_not_ask_is_required);
	tcase_add_test(t, texts_may_be_as_long_as_promised_and_no_longer);
	tcase_add_test(t, spent_memory_is_told_apart);
	tcase_add_test(t, signed_profile_reads_back);
	tcase_add_test(t, text_says_what_to_expect_and_what_is_not_asked);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
