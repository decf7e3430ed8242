/* Which policy counts at an adapter, over its starts and loads. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/common/alarm.h"
#include "adapters/common/policy_store.h"
#include "tests/support/adapter.h"
#include "tests/support/papers.h"

#define OK(call) ck_assert_int_eq(call, KL_OK)
#define STRICT "[policy]\ndraft_max_age = 2d\n"
#define LOOSE "[policy]\ndraft_max_age = 9d\n"
#define APPROVED LOOSE "[override draft_max_age]\n" \
	"legal_basis = AVG 6(1)(e)\napproved_by = FG\n" \
	"approved_on = 2026-11-02\nreview_on = 2026-12-24\n"

static struct adapter_region region;
static struct adapter a;
static struct policy_store p;

static void
start(void)
{
	policy_store_close(&p);
	memset(&p, 0, sizeof p);
	OK(policy_store_open(&p, &a.t));
	adapter_commit(&a);
}

static void
setup(void)
{
	adapter_region_make(&region);
	adapter_make(&a, &region, KL_PRACTICE, "agb:01234567");
	memcpy(a.config.policy, tmpdir_file(&a.dir, "policy.conf").b,
	    strlen(tmpdir_file(&a.dir, "policy.conf").b) + 1);
	papers_policy_write(a.config.policy, NULL);
	start();
}

static void
teardown(void)
{
	policy_store_close(&p);
	adapter_clear(&a);
	adapter_region_clear(&region);
}

static int
load(const char *text)
{
	struct kl_policy_error e;
	int r = policy_store_load(&p, &a.t, 1000, kl_bytes_str(text), &e);

	ck_assert(r != KL_E_REFUSED || e.b[0] != '\0');
	return r;
}

static uint32_t
days(void)
{
	return kl_policy_days(&p.now, KL_POL_DRAFT_MAX_AGE);
}

static uint64_t
loads(void)
{
	uint64_t n;

	OK(store_last(a.store, STORE_POLICY, &n));
	return n;
}

START_TEST(the_same_file_is_loaded_once)
{
	ck_assert_uint_eq(loads(), 1);
	start();
	ck_assert_uint_eq(loads(), 1);
	papers_policy_write(a.config.policy, STRICT);
	start();
	ck_assert_uint_eq(loads(), 2);
	ck_assert_uint_eq(days(), 2);
	ck_assert(!p.none);
}
END_TEST

START_TEST(a_load_counts_once_it_is_durable)
{
	OK(load(STRICT));
	ck_assert_uint_eq(days(), 7);
	ck_assert(!policy_store_ended(&p, false, a.t.now_ms));
	ck_assert_uint_eq(days(), 7);
	OK(load(STRICT));
	adapter_commit(&a);
	ck_assert(policy_store_ended(&p, true, a.t.now_ms));
	ck_assert_uint_eq(days(), 2);
	/* Nothing else did. */
	ck_assert(!policy_store_ended(&p, true, a.t.now_ms));
}
END_TEST

START_TEST(what_is_refused_is_not_kept)
{
	static const char *const wrong[] = { "", LOOSE,
		"[policy]\nrefuse_bsn = no\n",
		"[policy]\ndraft_max_age = long\n" };

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		ck_assert_int_eq(load(wrong[i]), KL_E_REFUSED);
	ck_assert_uint_eq(loads(), 1);
	ck_assert(!policy_store_ended(&p, true, a.t.now_ms));
}
END_TEST

START_TEST(without_a_file_nothing_is_looser_than_it_was)
{
	struct engine_alarm alarm;

	OK(load("[policy]\ndraft_max_age = 2d\nsilence_reminder = 40d\n"
	    "[override silence_reminder]\nlegal_basis = x\n"
	    "approved_by = FG\napproved_on = 2026-11-02\n"
	    "review_on = 2026-12-24\n"));
	adapter_commit(&a);
	ck_assert_int_eq(unlink(a.config.policy), 0);
	start();
	ck_assert(p.none);
	ck_assert_uint_eq(days(), 2);
	ck_assert_uint_eq(kl_policy_days(&p.now, KL_POL_SILENCE_REMINDER),
	    30);
	OK(alarm_next(a.store, 0, &alarm));
	ck_assert_uint_eq(alarm.kind, ENGINE_AL_POLICY);
	OK(load(APPROVED));
	adapter_commit(&a);
	ck_assert(policy_store_ended(&p, true, a.t.now_ms));
	ck_assert(!p.none);
	ck_assert_uint_eq(days(), 9);
}
END_TEST

START_TEST(an_unreadable_file_is_none)
{
	papers_policy_write(a.config.policy, "[policy]\nno_such = 1\n");
	start();
	ck_assert(p.none);
	ck_assert_uint_eq(days(), 7);
}
END_TEST

START_TEST(an_approval_ends_with_its_day)
{
	const int64_t review = kl_day_start_ms(kl_day_make(2026, 12, 24));

	OK(load(APPROVED));
	adapter_commit(&a);
	ck_assert(policy_store_ended(&p, true, a.t.now_ms));
	policy_store_tick(&p, review + KL_DAY_MS - 1);
	ck_assert_uint_eq(days(), 9);
	policy_store_tick(&p, review + KL_DAY_MS);
	ck_assert_uint_eq(days(), 7);
}
END_TEST

START_TEST(old_loads_go_with_the_log)
{
	uint64_t first;
	struct kl_bytes row;

	OK(load(STRICT));
	adapter_commit(&a);
	(void)policy_store_ended(&p, true, a.t.now_ms);
	a.t.now_ms += 6 * 366 * KL_DAY_MS;
	OK(load("[policy]\n"));
	adapter_commit(&a);
	OK(store_next_numbered(a.store, STORE_POLICY, 0, &first, &row));
	ck_assert_uint_eq(first, 2);
	ck_assert_uint_eq(loads(), 3);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy store");
	TCase *t = tcase_create("policy");
	SRunner *r;
	int failed;

	if (kl_crypto_init() != KL_OK)
		return EXIT_FAILURE;
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_same_file_is_loaded_once);
	tcase_add_test(t, a_load_counts_once_it_is_durable);
	tcase_add_test(t, what_is_refused_is_not_kept);
	tcase_add_test(t, without_a_file_nothing_is_looser_than_it_was);
	tcase_add_test(t, an_unreadable_file_is_none);
	tcase_add_test(t, an_approval_ends_with_its_day);
	tcase_add_test(t, old_loads_go_with_the_log);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
