/*
 * The access log: every line is found again by what a resident can name, also
 * after the case is erased, and is gone when its month is over.
 */
#include "adapters/common/access.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/common/cases.h"
#include "adapters/common/timers.h"
#include "tests/support/adapter.h"
#include "tests/support/people.h"

#define OK(x) ck_assert_int_eq((x), KL_OK)
#define DATE ((struct kl_birth_date){ 1987, 3, 14 })

static struct adapter_region region;
static struct adapter gp, desk;
static struct case_row c, at_desk;
static struct access_list found;
static struct access_line line;
static struct access_at at;
static const struct engine_actor by = { .interface = ENGINE_CONTROL,
	.uid = 1000, .role = ENGINE_ROLE_FG, .staff = "fg-1" };

static void
setup(void)
{
	adapter_region_make(&region);
	adapter_make(&gp, &region, KL_PRACTICE, "agb:01234567");
	adapter_make(&desk, &region, KL_MUNICIPALITY,
	    "oin:00000001000000000001");
	adapter_meet(&gp, &region, &desk);
	adapter_meet(&desk, &region, &gp);
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_OPENED);
	OK(cases_get(&gp.t, &c.conv, &c));
	OK(cases_get(&desk.t, &c.conv, &at_desk));
	memset(&at, 0, sizeof at);
	memset(&found, 0, sizeof found);
}

static void
teardown(void)
{
	adapter_clear(&gp);
	adapter_clear(&desk);
	adapter_region_clear(&region);
}

static struct kl_bytes
spoken(void)
{
	return kl_bytes(at_desk.spoken.b, 9);
}

/* The number of lines about a case with this act. */
static size_t
lines(struct adapter *a, const struct kl_conv_id *conv, uint32_t act)
{
	size_t n = 0;

	memset(&at, 0, sizeof at);
	while (access_next(&a->t, conv, &at, &line) == KL_OK)
		n += line.act == act ? 1 : 0;
	return n;
}

static void
later(struct adapter *a, int64_t ms)
{
	adapter_commit(a);
	a->t.now_ms += ms;
}

static size_t
find(struct adapter *a, enum access_way way, struct kl_bytes value)
{
	memset(&found, 0, sizeof found);
	OK(access_find(&a->t, way, value, &found));
	return found.n;
}

static size_t
find_person(const char *name, struct kl_birth_date birth)
{
	memset(&found, 0, sizeof found);
	OK(access_find_person(&desk.t, name, birth, &found));
	return found.n;
}

/* ---- lines ---- */

START_TEST(line_says_who_did_what_and_in_which_role)
{
	OK(access_log(&gp.t, &by, ENGINE_SAW, &c.conv));
	OK(access_next(&gp.t, &c.conv, &at, &line));
	ck_assert_uint_eq(line.act, ENGINE_SAW);
	ck_assert_uint_eq(line.by.uid, 1000);
	ck_assert_uint_eq(line.by.interface, ENGINE_CONTROL);
	ck_assert_uint_eq(line.by.role, ENGINE_ROLE_FG);
	ck_assert_str_eq(line.by.staff, "fg-1");
	ck_assert_int_eq(line.at_ms, gp.t.now_ms);
	ck_assert_mem_eq(&line.conv, &c.conv, sizeof c.conv);
	ck_assert_mem_eq(&line.spoken, &c.spoken, sizeof c.spoken);
	ck_assert_int_eq(access_next(&gp.t, &c.conv, &at, &line),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(what_the_broker_brought_has_a_line)
{
	OK(access_next(&desk.t, &at_desk.conv, &at, &line));
	ck_assert_uint_eq(line.act, ENGINE_TOOK_IN);
	ck_assert_uint_eq(line.by.interface, ENGINE_LINK);
	adapter_feedback(&desk, &at_desk, KL_ST_TAKEN_UP);
	ck_assert_uint_eq(adapter_carry(&desk, &gp, &region), KL_OPENED);
	ck_assert_uint_eq(lines(&gp, &c.conv, ENGINE_CHANGED), 1);
}
END_TEST

START_TEST(lines_of_two_cases_do_not_mix)
{
	struct case_row other;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &other);
	OK(access_log(&gp.t, &by, ENGINE_SAW, &c.conv));
	OK(access_log(&gp.t, &by, ENGINE_PRINTED, &other.conv));
	OK(access_log(&gp.t, &by, ENGINE_SAW, &c.conv));
	ck_assert_uint_eq(lines(&gp, &c.conv, ENGINE_SAW), 2);
	ck_assert_uint_eq(lines(&gp, &c.conv, ENGINE_PRINTED), 0);
	ck_assert_uint_eq(lines(&gp, &other.conv, ENGINE_PRINTED), 1);
}
END_TEST

START_TEST(lines_come_in_the_order_of_months)
{
	const int64_t began = gp.t.now_ms;

	for (int i = 0; i < 4; i++) {
		OK(access_log(&gp.t, &by, ENGINE_SAW, &c.conv));
		later(&gp, 20 * KL_DAY_MS);
	}
	for (int i = 0; i < 4; i++) {
		OK(access_next(&gp.t, &c.conv, &at, &line));
		ck_assert_int_eq(line.at_ms, began + i * 20 * KL_DAY_MS);
	}
	ck_assert_int_eq(access_next(&gp.t, &c.conv, &at, &line),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(list_is_one_line_of_no_one_case)
{
	const struct kl_conv_id none = { { 0 } };

	OK(access_log_many(&gp.t, &by, ENGINE_LISTED, 3, 9));
	ck_assert_uint_eq(lines(&gp, &c.conv, ENGINE_LISTED), 0);
	memset(&at, 0, sizeof at);
	OK(access_next(&gp.t, &none, &at, &line));
	ck_assert_uint_eq(line.first, 3);
	ck_assert_uint_eq(line.last, 9);
}
END_TEST

/* ---- finding ---- */

START_TEST(case_is_found_by_its_reference)
{
	ck_assert_uint_eq(find(&desk, ACCESS_SPOKEN, spoken()), 1);
	ck_assert_mem_eq(&found.at[0].conv, &c.conv, sizeof c.conv);
	ck_assert_uint_eq(found.at[0].number, at_desk.number);
	ck_assert_uint_eq(find(&desk, ACCESS_SPOKEN,
	    kl_bytes_str("ABCDEFGHK")), 0);
	/* Another way with the same letters is another value. */
	ck_assert_uint_eq(find(&desk, ACCESS_CLIENT, spoken()), 0);
}
END_TEST

START_TEST(case_is_found_by_the_practices_numbers)
{
	memcpy(c.patient_ref, "HIS-4711", 9);
	OK(cases_put(&gp.t, &c));
	OK(access_log(&gp.t, &by, ENGINE_SAW, &c.conv));
	ck_assert_uint_eq(find(&gp, ACCESS_CLIENT,
	    kl_bytes_str(c.referral_id)), 1);
	ck_assert_uint_eq(find(&gp, ACCESS_PATIENT,
	    kl_bytes_str(c.patient_ref)), 1);
	ck_assert_uint_eq(find(&gp, ACCESS_PATIENT, kl_bytes_str("x")), 0);
}
END_TEST

START_TEST(person_is_found_without_case_accents_and_small_words)
{
	ck_assert_uint_eq(find_person("el Amrani", DATE), 1);
	ck_assert_uint_eq(find_person("AMR\303\204NI", DATE), 1);
	ck_assert_uint_eq(find_person("van Amrani", DATE), 1);
	ck_assert_uint_eq(find_person("Amrani-Jansen", DATE), 1);
}
END_TEST

START_TEST(other_name_or_birth_date_finds_nobody)
{
	ck_assert_uint_eq(find_person("Amran", DATE), 0);
	ck_assert_uint_eq(find_person("Jansen", DATE), 0);
	ck_assert_uint_eq(find_person("Amrani",
	    (struct kl_birth_date){ 1987, 3, 15 }), 0);
	memset(&found, 0, sizeof found);
	ck_assert_int_eq(access_find_person(&desk.t, "123", DATE, &found),
	    KL_E_FORMAT);
}
END_TEST

START_TEST(birth_date_that_was_known_in_part_is_found_by_the_whole)
{
	struct kl_referral r = people_usual();

	r.birth_date = (struct kl_birth_date){ 1987, 0, 0 };
	adapter_correct(&gp, &c, &r);
	OK(access_log(&gp.t, &by, ENGINE_CHANGED, &c.conv));
	memset(&found, 0, sizeof found);
	OK(access_find_person(&gp.t, "Amrani",
	    (struct kl_birth_date){ 1987, 12, 1 }, &found));
	ck_assert_uint_eq(found.n, 1);
}
END_TEST

START_TEST(case_of_many_months_is_found_once)
{
	for (int i = 0; i < 3; i++) {
		OK(access_log(&desk.t, &by, ENGINE_SAW, &c.conv));
		later(&desk, 31 * KL_DAY_MS);
	}
	ck_assert_uint_eq(find(&desk, ACCESS_SPOKEN, spoken()), 1);
	ck_assert_uint_eq(find_person("Amrani", DATE), 1);
}
END_TEST

START_TEST(erased_case_keeps_its_name_in_the_log_of_the_broker)
{
	const struct kl_ref ref = at_desk.ref;
	struct kl_bytes gone = spoken();

	OK(access_log(&desk.t, &by, ENGINE_SAW, &c.conv));
	OK(cases_forget(&desk.t, &at_desk));
	adapter_commit(&desk);
	ck_assert_uint_eq(find(&desk, ACCESS_SPOKEN, gone), 1);
	ck_assert_mem_eq(&found.at[0].ref, &ref, sizeof ref);
}
END_TEST

/* Its broker lost its store. */
START_TEST(newest_name_in_the_log_of_the_broker_counts)
{
	struct kl_ref first = at_desk.ref;

	OK(access_log(&desk.t, &by, ENGINE_SAW, &c.conv));
	at_desk.ref.b[0] ^= 1;
	OK(cases_put(&desk.t, &at_desk));
	OK(access_log(&desk.t, &by, ENGINE_SAW, &c.conv));
	adapter_commit(&desk);
	ck_assert_uint_eq(find(&desk, ACCESS_SPOKEN, spoken()), 1);
	ck_assert_mem_ne(&found.at[0].ref, &first, sizeof first);
	ck_assert_mem_eq(&found.at[0].ref, &at_desk.ref, sizeof first);
}
END_TEST

START_TEST(more_cases_than_there_is_room_for_are_told)
{
	for (int i = 0; i < ACCESS_FOUND_MAX + 1; i++) {
		adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
		OK(access_log(&gp.t, &by, ENGINE_SAW, &c.conv));
		OK(cases_forget(&gp.t, &c));
		adapter_commit(&gp);
		OK(store_erase(gp.store));
		store_forget_keys(gp.store);
		OK(store_idle(gp.store));
	}
	memset(&found, 0, sizeof found);
	OK(access_find_person(&gp.t, "Amrani", DATE, &found));
	ck_assert_uint_eq(found.n, ACCESS_FOUND_MAX);
	ck_assert(found.more);
}
END_TEST

START_TEST(erased_case_is_still_found_with_its_lines)
{
	struct kl_bytes gone = spoken();

	OK(access_log(&desk.t, &by, ENGINE_SAW, &c.conv));
	OK(access_log(&desk.t, &by, ENGINE_WIPED, &c.conv));
	OK(cases_forget(&desk.t, &at_desk));
	adapter_commit(&desk);
	OK(store_erase(desk.store));
	store_forget_keys(desk.store);
	ck_assert_int_eq(cases_get(&desk.t, &c.conv, &c), KL_E_NOT_FOUND);
	ck_assert_uint_eq(find(&desk, ACCESS_SPOKEN, gone), 1);
	ck_assert_uint_eq(find_person("el amrani", DATE), 1);
	ck_assert_uint_eq(lines(&desk, &found.at[0].conv, ENGINE_SAW), 1);
	ck_assert_uint_eq(lines(&desk, &found.at[0].conv, ENGINE_WIPED), 1);
	/* One that comes after it too. */
	OK(access_log(&desk.t, &by, ENGINE_LOOKED, &found.at[0].conv));
	ck_assert_uint_eq(lines(&desk, &found.at[0].conv, ENGINE_LOOKED), 1);
}
END_TEST

/* ---- what lies in the store ---- */

/* Does any row of the table hold these bytes? */
static bool
holds(struct adapter *a, char table, struct kl_bytes what)
{
	struct store_entry e = { .n_key = 0 };

	while (store_seek(a->store, table, kl_bytes(e.key, e.n_key), true,
	    &e) == KL_OK)
		if (memmem(e.key, e.n_key, what.p, what.n) != NULL ||
		    memmem(e.value.p, e.value.n, what.p, what.n) != NULL)
			return true;
	return false;
}

START_TEST(nobody_stands_in_it_in_clear)
{
	static const char tables[] = { STORE_MONTH, STORE_ACCESS,
		STORE_PERSON };
	const struct kl_bytes secrets[] = { spoken(),
		KL_BYTES_OF(c.conv), kl_bytes_str("amrani"),
		kl_bytes_str("Amrani"), kl_bytes_str("1987"),
		kl_bytes_str(by.staff) };

	OK(access_log(&desk.t, &by, ENGINE_SAW, &c.conv));
	for (size_t i = 0; i < sizeof tables; i++)
		for (size_t k = 0; k < sizeof secrets / sizeof secrets[0];
		    k++)
			ck_assert(!holds(&desk, tables[i], secrets[k]));
	/* The search itself finds what is there. */
	ck_assert(holds(&desk, STORE_ORDER, KL_BYTES_OF(c.conv)));
}
END_TEST

/* ---- the end ---- */

static size_t
rows(struct adapter *a, char table)
{
	struct store_entry e = { .n_key = 0 };
	size_t n = 0;

	while (store_seek(a->store, table, kl_bytes(e.key, e.n_key), true,
	    &e) == KL_OK)
		n++;
	return n;
}

/* The timer of the month that ends first. */
static struct timer
first_end(struct adapter *a)
{
	struct timer t = { .due_ms = 0 };
	int r = timers_first(a->store, &t);

	while (r == KL_OK && t.what != TIMER_ACCESS)
		r = timers_next(a->store, &t, &t);
	OK(r);
	return t;
}

static uint32_t
month_of(const struct timer *t)
{
	struct kl_reader r;

	kl_reader_init(&r, kl_bytes(t->id, 4));
	return kl_get_u32(&r);
}

START_TEST(line_is_kept_for_the_whole_term)
{
	const struct timer t = first_end(&desk);
	const int64_t kept_ms = t.due_ms - desk.t.now_ms;

	ck_assert_int_ge(kept_ms, kl_policy_ms(desk.t.policy,
	    KL_POL_LOG_RETENTION));
	ck_assert_int_le(kept_ms, kl_policy_ms(desk.t.policy,
	    KL_POL_LOG_RETENTION) + 31 * KL_DAY_MS);
	ck_assert_int_eq(t.due_ms, access_until_ms(&desk.t));
}
END_TEST

START_TEST(month_that_is_over_takes_all_with_it)
{
	struct timer t = first_end(&desk);
	bool more;

	OK(access_log(&desk.t, &by, ENGINE_SAW, &c.conv));
	later(&desk, 40 * KL_DAY_MS);
	OK(access_log(&desk.t, &by, ENGINE_PRINTED, &c.conv));
	OK(access_end_month(&desk.t, month_of(&t), &more));
	ck_assert(!more);
	adapter_commit(&desk);
	OK(store_erase(desk.store));
	store_forget_keys(desk.store);
	ck_assert_uint_eq(lines(&desk, &c.conv, ENGINE_SAW), 0);
	ck_assert_uint_eq(lines(&desk, &c.conv, ENGINE_PRINTED), 1);
	ck_assert_uint_eq(rows(&desk, STORE_ACCESS), 1);
	ck_assert_uint_eq(rows(&desk, STORE_MONTH), 1);
	/* The later month knows the names too. */
	ck_assert_uint_eq(find_person("Amrani", DATE), 1);
	OK(access_end_month(&desk.t, month_of(&t), &more));
	ck_assert(!more);
}
END_TEST

START_TEST(month_of_many_lines_is_taken_away_in_steps)
{
	struct timer t = first_end(&desk);
	size_t before;
	bool more;

	for (int i = 0; i < ACCESS_SWEEP_MAX + 10; i++)
		OK(access_log(&desk.t, &by, ENGINE_SAW, &c.conv));
	before = rows(&desk, STORE_ACCESS);
	OK(access_end_month(&desk.t, month_of(&t), &more));
	ck_assert(more);
	ck_assert_uint_eq(rows(&desk, STORE_ACCESS),
	    before - ACCESS_SWEEP_MAX);
	/* None is readable any more, whether or not its row is there. */
	ck_assert_int_eq(access_next(&desk.t, &c.conv, &at, &line),
	    KL_E_NOT_FOUND);
	OK(access_end_month(&desk.t, month_of(&t), &more));
	ck_assert(!more);
	ck_assert_uint_eq(rows(&desk, STORE_ACCESS), 0);
	ck_assert_uint_eq(rows(&desk, STORE_PERSON), 0);
}
END_TEST

static int64_t
first_end_after(uint32_t years)
{
	desk.policy.term[KL_POL_LOG_RETENTION] = (struct kl_term){ years,
		KL_UNIT_Y };
	OK(access_review(&desk.t));
	return first_end(&desk).due_ms;
}

START_TEST(another_policy_ends_months_earlier_but_never_later)
{
	const int64_t five = first_end(&desk).due_ms;

	ck_assert_int_eq(first_end_after(10), five);
	ck_assert_int_lt(first_end_after(4), five);
}
END_TEST

START_TEST(without_a_slot_no_line_is_written)
{
	uint32_t slot;
	int r;

	later(&desk, 40 * KL_DAY_MS);
	while ((r = store_slot_take(desk.store, &slot)) == KL_OK)
		if (store_slots_free(desk.store) % 512 == 0)
			adapter_commit(&desk);
	ck_assert_int_eq(r, KL_E_FULL);
	ck_assert_int_eq(access_log(&desk.t, &by, ENGINE_SAW, &c.conv),
	    KL_E_FULL);
}
END_TEST

/* ---- words ---- */

START_TEST(roles_acts_and_interfaces_have_words)
{
	static const char *const names[] = { "gp", "assistant", "desk", "fg",
		"operator" };

	for (size_t i = 0; i < 5; i++) {
		const uint32_t role = access_role_read(names[i]);

		ck_assert_uint_ne(role, 0);
		ck_assert_str_eq(access_role_name(role), names[i]);
		ck_assert_ptr_nonnull(access_role_label(role, KL_NL));
	}
	ck_assert_uint_eq(access_role_read("boss"), 0);
	ck_assert_ptr_null(access_role_name(99));
	ck_assert_ptr_null(access_role_label(0, KL_NL));
	for (uint32_t act = ENGINE_TOOK_IN; act <= ENGINE_LISTED; act++) {
		ck_assert_str_ne(access_act_name(act), "?");
		ck_assert_str_ne(access_act_label(act, KL_NL),
		    access_act_label(act, KL_EN));
	}
	ck_assert_str_eq(access_act_name(99), "?");
	ck_assert_str_eq(access_act_label(99, KL_NL), "?");
	for (uint32_t i = ENGINE_SELF; i <= ENGINE_LINK; i++)
		ck_assert_str_ne(access_interface_name(i), "?");
	ck_assert_str_eq(access_interface_label(99, KL_EN), "?");
}
END_TEST

START_TEST(staff_is_a_short_name)
{
	ck_assert(access_staff_valid("m.wiersma@delinde"));
	ck_assert(!access_staff_valid(""));
	ck_assert(!access_staff_valid("M Wiersma"));
	ck_assert(!access_staff_valid("\303\251"));
	ck_assert(!access_staff_valid("123456789012345678901234567890123"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("access");
	TCase *t = tcase_create("access");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, line_says_who_did_what_and_in_which_role);
	tcase_add_test(t, what_the_broker_brought_has_a_line);
	tcase_add_test(t, lines_of_two_cases_do_not_mix);
	tcase_add_test(t, lines_come_in_the_order_of_months);
	tcase_add_test(t, list_is_one_line_of_no_one_case);
	tcase_add_test(t, case_is_found_by_its_reference);
	tcase_add_test(t,
	    erased_case_keeps_its_name_in_the_log_of_the_broker);
	tcase_add_test(t,
	    newest_name_in_the_log_of_the_broker_counts);
	tcase_add_test(t, case_is_found_by_the_practices_numbers);
	tcase_add_test(t,
	    person_is_found_without_case_accents_and_small_words);
	tcase_add_test(t, other_name_or_birth_date_finds_nobody);
	tcase_add_test(t,
	    birth_date_that_was_known_in_part_is_found_by_the_whole);
	tcase_add_test(t, case_of_many_months_is_found_once);
	tcase_add_test(t, more_cases_than_there_is_room_for_are_told);
	tcase_add_test(t, erased_case_is_still_found_with_its_lines);
	tcase_add_test(t, nobody_stands_in_it_in_clear);
	tcase_add_test(t, line_is_kept_for_the_whole_term);
	tcase_add_test(t, month_that_is_over_takes_all_with_it);
	tcase_add_test(t, month_of_many_lines_is_taken_away_in_steps);
	tcase_add_test(t,
	    another_policy_ends_months_earlier_but_never_later);
	tcase_add_test(t, without_a_slot_no_line_is_written);
	tcase_add_test(t, roles_acts_and_interfaces_have_words);
	tcase_add_test(t, staff_is_a_short_name);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
