/* Pages in out/ that nobody took: which of them have to go. */
#include "adapters/common/folder_sweep.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/common/engine_priv.h"
#include "tests/support/adapter.h"
#include "tests/support/people.h"

#define OK(x) ck_assert_int_eq((x), KL_OK)

static struct adapter_region region;
static struct adapter gp, desk;
static struct engine gp_engine, desk_engine;
static struct case_row c;

/* As much of an engine as shows what a store holds. */
static void
engine_make(struct engine *e, struct adapter *a)
{
	memset(e, 0, sizeof *e);
	e->config = &a->config;
	e->store = a->store;
	e->dir = a->directory;
	e->mem = a->mem;
	e->outbox = a->outbox;
	e->withdrawals = a->withdrawals;
	e->erasures = a->erasures;
	e->turn = a->t;
	e->policies.now = a->policy;
	e->clock.offset_ms = ADAPTER_NOW_MS -
	    kl_clock_now_ms(&(struct kl_clock){ 0 });
}

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
	c = adapter_case(&desk, &c.conv);
	engine_make(&gp_engine, &gp);
	engine_make(&desk_engine, &desk);
}

static void
teardown(void)
{
	adapter_clear(&gp);
	adapter_clear(&desk);
	adapter_region_clear(&region);
}

/* The number of the first event of that kind. */
static uint64_t
seq_of(struct engine *e, uint32_t kind)
{
	struct engine_event ev = { .seq = 0 };

	do
		OK(engine_event_next(e, ev.seq, &ev));
	while (ev.kind != kind);
	return ev.seq;
}

static bool
due(struct engine *e, uint64_t seq, const char *behind, int64_t at_ms)
{
	char name[64];

	(void)snprintf(name, sizeof name, "%010llu-%s%s",
	    (unsigned long long)seq, kl_spoken_text(&c.spoken).b, behind);
	return folder_sweep_due(e, name, at_ms);
}

static bool
referral_due(const char *behind)
{
	return due(&desk_engine, seq_of(&desk_engine, ENGINE_EV_REFERRAL),
	    behind, ADAPTER_NOW_MS);
}

START_TEST(page_of_an_open_referral_stays)
{
	ck_assert(!referral_due(".txt"));
	ck_assert(!due(&desk_engine, seq_of(&desk_engine,
	    ENGINE_EV_REFERRAL), ".txt", 0));
}
END_TEST

START_TEST(page_goes_when_all_is_withdrawn)
{
	(void)adapter_withdraw(&desk, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	ck_assert(referral_due(".txt"));
	ck_assert(referral_due(".json"));
	ck_assert(referral_due("-1.json"));
	/* What tells of the withdrawal itself has to be read. */
	ck_assert(!due(&desk_engine, seq_of(&desk_engine,
	    ENGINE_EV_WITHDRAWAL), ".json", ADAPTER_NOW_MS));
}
END_TEST

START_TEST(feedback_withdrawn_takes_only_feedback)
{
	struct case_row mine;

	adapter_feedback(&desk, &c, KL_ST_TAKEN_UP);
	ck_assert_uint_eq(adapter_carry(&desk, &gp, &region), KL_OPENED);
	ck_assert(!due(&gp_engine, seq_of(&gp_engine, ENGINE_EV_FEEDBACK),
	    ".json", ADAPTER_NOW_MS));
	mine = adapter_case(&gp, &c.conv);
	(void)adapter_withdraw(&gp, &mine, KL_SCOPE_FEEDBACK,
	    KL_CAUSE_RESIDENT);
	ck_assert(due(&gp_engine, seq_of(&gp_engine, ENGINE_EV_FEEDBACK),
	    ".json", ADAPTER_NOW_MS));
	c = adapter_case(&desk, &c.conv);
	(void)adapter_withdraw(&desk, &c, KL_SCOPE_FEEDBACK,
	    KL_CAUSE_RESIDENT);
	ck_assert(!referral_due(".json"));
}
END_TEST

START_TEST(page_goes_when_the_case_system_has_it_and_the_copy_is_gone)
{
	c.handed_ms = ADAPTER_NOW_MS;
	OK(cases_put(&desk.t, &c));
	ck_assert(!referral_due(".txt"));
	OK(cases_content_erase(&desk.t, &c));
	OK(cases_put(&desk.t, &c));
	ck_assert(referral_due(".txt"));
}
END_TEST

/* It may be of a store that was lost, which learns of it again. */
START_TEST(page_of_nobody_goes_after_the_term_of_a_copy)
{
	const int64_t term_ms = kl_policy_ms(&desk.policy,
	    KL_POL_DESK_COPY_AFTER_END);

	c.spoken = kl_spoken_make((uint8_t[16]){ 9 });
	ck_assert(!due(&desk_engine, 1, ".txt", ADAPTER_NOW_MS));
	ck_assert(!due(&desk_engine, 1, ".txt", ADAPTER_NOW_MS - term_ms +
	    KL_HOUR_MS));
	ck_assert(due(&desk_engine, 1, ".txt", ADAPTER_NOW_MS - term_ms -
	    KL_HOUR_MS));
}
END_TEST

START_TEST(number_of_another_store_and_strange_names_stay)
{
	static const char *const names[] = { "", "readme.txt", "1.txt",
		"0000000001.txt", "0000000001-", "0000000001-ABCD-EFGH",
		"0000000001-ABCD-EFGH-K", "0000000000-ABCD-EFGH-K.txt",
		"000000000x-ABCD-EFGH-K.txt", "0000000001-IIII-IIII-I.txt" };

	(void)adapter_withdraw(&desk, &c, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	ck_assert(!due(&desk_engine, 9999, ".txt", ADAPTER_NOW_MS));
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		ck_assert_msg(!folder_sweep_due(&desk_engine, names[i], 0),
		    "%s", names[i]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("folder_sweep");
	TCase *t = tcase_create("folder_sweep");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, page_of_an_open_referral_stays);
	tcase_add_test(t, page_goes_when_all_is_withdrawn);
	tcase_add_test(t, feedback_withdrawn_takes_only_feedback);
	tcase_add_test(t,
	    page_goes_when_the_case_system_has_it_and_the_copy_is_gone);
	tcase_add_test(t, page_of_nobody_goes_after_the_term_of_a_copy);
	tcase_add_test(t, number_of_another_store_and_strange_names_stay);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
