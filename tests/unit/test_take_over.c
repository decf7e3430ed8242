#include "adapters/common/sync.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/common/prekeys.h"
#include "tests/support/adapter.h"

#define OK(expr) ck_assert_int_eq((expr), KL_OK)

static struct adapter_region region;
static struct adapter gp, desk;
static struct case_row made;

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
}

static void
teardown(void)
{
	adapter_clear(&gp);
	adapter_clear(&desk);
	adapter_region_clear(&region);
}

/* The broker's line about the case, as a learns it. */
static void
learn(struct adapter *a, uint32_t state, uint32_t milestone,
    uint64_t last_of_desk)
{
	struct kl_sync_conversation s;

	memset(&s, 0, sizeof s);
	s.conv_id = made.conv;
	memset(&s.conv_ref, 7, sizeof s.conv_ref);
	memcpy(s.spoken, "7K3MQ9VD0", sizeof s.spoken);
	s.practice = gp.config.id;
	s.receiver = desk.config.id;
	s.referral = made.referral;
	s.state = state;
	s.milestone = milestone;
	s.last_seq_sender = 1;
	s.last_seq_receiver = last_of_desk;
	OK(sync_learn(&a->t, a->outbox, &s));
	adapter_commit(a);
}

static void
carried(void)
{
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_OPENED);
}

/* The desk has told `n` times what another instance of the practice took. */
static void
told_another(uint64_t n)
{
	struct case_row c = adapter_case(&desk, &made.conv);

	cases_take_seq_out(&c, n);
	OK(cases_put(&desk.t, &c));
	adapter_commit(&desk);
}

static uint32_t
tell(uint32_t code)
{
	struct case_row c = adapter_case(&desk, &made.conv);

	adapter_feedback(&desk, &c, code);
	adapter_commit(&desk);
	return adapter_carry(&desk, &gp, &region);
}

static unsigned
open_alarms(struct adapter *a, uint32_t kind)
{
	unsigned open;

	(void)adapter_alarms(a, kind, &open);
	return open;
}

START_TEST(what_another_instance_took_is_passed_over)
{
	carried();
	told_another(3);
	learn(&gp, KL_CONV_OPEN, KL_MS_NONE, 3);
	ck_assert_uint_eq(tell(KL_ST_TAKEN_UP), KL_OPENED);
	ck_assert_uint_eq(adapter_case(&gp, &made.conv).seq_in, 4);
	ck_assert_uint_eq(tell(KL_ST_CONTACT_MADE), KL_OPENED);
}
END_TEST

START_TEST(what_waits_of_before_is_taken_too)
{
	carried();
	learn(&gp, KL_CONV_OPEN, KL_MS_NONE, 3);
	told_another(1);
	ck_assert_uint_eq(tell(KL_ST_TAKEN_UP), KL_OPENED);
	ck_assert_uint_eq(adapter_case(&gp, &made.conv).seq_in, 2);
	told_another(3);
	ck_assert_uint_eq(tell(KL_ST_CONTACT_MADE), KL_OPENED);
}
END_TEST

/* Without a word of the broker a seq that was skipped is still refused. */
START_TEST(a_seq_that_nobody_told_of_is_refused)
{
	carried();
	told_another(3);
	ck_assert_uint_eq(tell(KL_ST_TAKEN_UP), KL_REFUSED);
}
END_TEST

START_TEST(what_ended_since_is_closed_and_its_content_erased)
{
	struct case_row c;
	struct kl_referral r;

	carried();
	c = adapter_case(&desk, &made.conv);
	OK(cases_content(&desk.t, &c, &r));
	learn(&desk, KL_CONV_ENDED, KL_MS_ENDED, 2);
	c = adapter_case(&desk, &made.conv);
	ck_assert(!cases_open(&c));
	ck_assert_int_eq(cases_content(&desk.t, &c, &r), KL_E_NOT_FOUND);
	ck_assert_uint_eq(c.slot_content, KL_SLOT_NONE);
}
END_TEST

START_TEST(what_is_open_stays_as_it_is)
{
	struct case_row c;
	struct kl_referral r;

	carried();
	learn(&desk, KL_CONV_OPEN, KL_MS_NONE, 0);
	c = adapter_case(&desk, &made.conv);
	ck_assert(cases_open(&c));
	OK(cases_content(&desk.t, &c, &r));
	ck_assert_uint_eq(open_alarms(&desk, ENGINE_AL_LOST_HERE), 0);
}
END_TEST

START_TEST(an_open_one_not_here_is_named_until_it_comes)
{
	learn(&desk, KL_CONV_OPEN, KL_MS_NONE, 0);
	ck_assert_uint_eq(open_alarms(&desk, ENGINE_AL_LOST_HERE), 1);
	ck_assert_mem_eq(adapter_case(&desk, &made.conv).spoken.b,
	    "7K3MQ9VD0", 9);
	carried();
	ck_assert_uint_eq(open_alarms(&desk, ENGINE_AL_LOST_HERE), 0);
}
END_TEST

START_TEST(the_name_of_a_lost_one_goes_when_it_ends)
{
	learn(&desk, KL_CONV_OPEN, KL_MS_NONE, 0);
	learn(&desk, KL_CONV_WITHDRAWN, KL_MS_NONE, 0);
	ck_assert_uint_eq(open_alarms(&desk, ENGINE_AL_LOST_HERE), 0);
}
END_TEST

START_TEST(one_that_ended_is_not_missed)
{
	learn(&desk, KL_CONV_ENDED, KL_MS_ENDED, 1);
	ck_assert_uint_eq(open_alarms(&desk, ENGINE_AL_LOST_HERE), 0);
}
END_TEST

/* As after a restore: the private halves are gone. */
START_TEST(what_was_sealed_to_a_lost_key_is_nobodys_fault)
{
	struct store_entry e;
	struct prekey_row row;
	unsigned open;

	while (e.n_key = 0, store_next_row(desk.store, STORE_OWN_PREKEY, &e,
	    &row, sizeof row) == KL_OK) {
		OK(store_del(desk.store, STORE_OWN_PREKEY, kl_bytes(e.key,
		    e.n_key)));
		OK(store_slot_drop(desk.store, row.slot));
	}
	adapter_commit(&desk);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region),
	    KL_UNDECRYPTABLE);
	ck_assert_uint_eq(adapter_alarms(&desk, ENGINE_AL_BAD_ITEM, &open),
	    0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("take_over");
	TCase *tc = tcase_create("take_over");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	suite_add_tcase(s, tc);
	tcase_add_test(tc, what_another_instance_took_is_passed_over);
	tcase_add_test(tc, what_waits_of_before_is_taken_too);
	tcase_add_test(tc, a_seq_that_nobody_told_of_is_refused);
	tcase_add_test(tc, what_ended_since_is_closed_and_its_content_erased);
	tcase_add_test(tc, what_is_open_stays_as_it_is);
	tcase_add_test(tc, an_open_one_not_here_is_named_until_it_comes);
	tcase_add_test(tc, the_name_of_a_lost_one_goes_when_it_ends);
	tcase_add_test(tc, one_that_ended_is_not_missed);
	tcase_add_test(tc, what_was_sealed_to_a_lost_key_is_nobodys_fault);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
