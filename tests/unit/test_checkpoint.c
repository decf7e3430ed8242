#include "adapters/common/checkpoint.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/merkle.h>

#include "adapters/common/alarm.h"
#include "tests/support/adapter.h"

#define OK(x) ck_assert_int_eq((x), KL_OK)
#define LEAVES 40

static struct adapter_region region;
static struct adapter a;
static struct kl_hash leaf[LEAVES];
static struct kl_note note;
static enum checkpoint_verdict v;

static void
setup(void)
{
	adapter_region_make(&region);
	adapter_make(&a, &region, KL_PRACTICE, "agb:01234567");
	a.t.origin = 0;
	for (uint8_t i = 0; i < LEAVES; i++)
		leaf[i] = kl_leaf_hash(KL_BYTES_OF(i));
}

static void
teardown(void)
{
	adapter_clear(&a);
	adapter_region_clear(&region);
}

static struct kl_bytes
signed_at(const char *origin, uint64_t size, const struct kl_secret *sk)
{
	struct kl_checkpoint c = { .size = size };

	memcpy(c.origin, origin, strlen(origin) + 1);
	c.root = kl_tree_root(leaf, size);
	OK(kl_note_sign(&c, sk, &note));
	return kl_bytes_str(note.b);
}

static enum checkpoint_verdict
take(const char *origin, uint64_t size)
{
	OK(checkpoint_take(&a.t, signed_at(origin, size, region.broker.sk),
	    &v));
	adapter_commit(&a);
	return v;
}

static uint64_t
kept_size(void)
{
	struct checkpoint c;

	OK(checkpoint_get(&a.t, &c));
	return c.size;
}

static enum checkpoint_verdict
prove(uint64_t size, uint64_t from)
{
	struct kl_hash proof[KL_PROOF_MAX];
	struct kl_log_reply l = { .n_proof = 0 };

	OK(kl_prove_consistency(leaf, size, from, proof, &l.n_proof));
	for (size_t i = 0; i < l.n_proof; i++)
		l.proof[i] = KL_BYTES_OF(proof[i]);
	l.note = signed_at("broker/log/one", size, region.broker.sk);
	OK(checkpoint_prove(&a.t, &l, &v));
	adapter_commit(&a);
	return v;
}

static uint32_t
alarm_kind(void)
{
	struct engine_alarm al = { .kind = 0 };

	(void)!alarm_next(a.store, 0, &al);
	return al.kind;
}

START_TEST(first_one_is_kept)
{
	uint32_t origin;

	ck_assert_int_eq(take("broker/log/one", 5), CHECKPOINT_KEPT);
	ck_assert_uint_eq(kept_size(), 5);
	ck_assert_uint_eq(a.t.origin, 1);
	OK(checkpoint_origin(a.store, &origin));
	ck_assert_uint_eq(origin, 1);
	ck_assert_uint_eq(alarm_kind(), 0);
}
END_TEST

START_TEST(larger_one_waits_for_its_proof)
{
	(void)take("broker/log/one", 5);
	ck_assert_int_eq(take("broker/log/one", 17), CHECKPOINT_AHEAD);
	ck_assert_uint_eq(kept_size(), 5);
	ck_assert_int_eq(prove(17, 5), CHECKPOINT_KEPT);
	ck_assert_uint_eq(kept_size(), 17);
	ck_assert_uint_eq(alarm_kind(), 0);
}
END_TEST

START_TEST(proof_of_the_same_size_is_none)
{
	struct kl_log_reply l = { .n_proof = 0 };

	(void)take("broker/log/one", 5);
	l.note = signed_at("broker/log/one", 5, region.broker.sk);
	OK(checkpoint_prove(&a.t, &l, &v));
	ck_assert_int_eq(v, CHECKPOINT_KEPT);
}
END_TEST

START_TEST(rewritten_log_is_a_durable_alarm)
{
	struct kl_bytes evidence;

	(void)take("broker/log/one", 5);
	leaf[2].b[0] ^= 1;
	ck_assert_int_eq(prove(17, 5), CHECKPOINT_FORK);
	ck_assert_uint_eq(kept_size(), 5);
	ck_assert_uint_eq(alarm_kind(), ENGINE_AL_LOG_FORK);
	OK(alarm_evidence(a.store, a.mem, 1, &evidence));
	/* Both notes, each of which verifies by itself. */
	ck_assert_uint_gt(evidence.n, 2 * 150);
}
END_TEST

START_TEST(shrunk_log_is_an_alarm)
{
	(void)take("broker/log/one", 5);
	ck_assert_int_eq(take("broker/log/one", 4), CHECKPOINT_FORK);
	ck_assert_uint_eq(alarm_kind(), ENGINE_AL_LOG_FORK);
}
END_TEST

START_TEST(other_signature_is_refused)
{
	OK(checkpoint_take(&a.t, signed_at("broker/log/one", 5,
	    region.authority.sk), &v));
	ck_assert_int_eq(v, CHECKPOINT_BAD);
	ck_assert_uint_eq(kept_size(), 0);
	ck_assert_uint_eq(alarm_kind(), ENGINE_AL_BAD_ITEM);
}
END_TEST

START_TEST(new_origin_is_told_and_counted)
{
	(void)take("broker/log/one", 5);
	ck_assert_int_eq(take("broker/log/two", 2), CHECKPOINT_NEW_ORIGIN);
	ck_assert_uint_eq(a.t.origin, 2);
	ck_assert_uint_eq(kept_size(), 2);
	ck_assert_uint_eq(alarm_kind(), ENGINE_AL_ORIGIN);
}
END_TEST

START_TEST(a_log_that_was_left_is_told_once_and_not_kept)
{
	struct kl_bytes evidence;
	struct engine_alarm al;

	(void)take("b/log/20261124T100000Z-00000001", 5);
	(void)take("b/log/20261125T100000Z-00000001", 2);
	ck_assert_uint_eq(a.t.origin, 2);
	/* However long the old one has grown since. */
	ck_assert_int_eq(take("b/log/20261124T100000Z-00000001", 40),
	    CHECKPOINT_LEFT);
	ck_assert_int_eq(take("b/log/20261124T100000Z-00000001", 5),
	    CHECKPOINT_LEFT);
	ck_assert_uint_eq(a.t.origin, 2);
	ck_assert_uint_eq(kept_size(), 2);
	OK(alarm_next(a.store, 1, &al));
	ck_assert_uint_eq(al.kind, ENGINE_AL_LOG_LEFT);
	OK(alarm_evidence(a.store, a.mem, al.seq, &evidence));
	ck_assert_uint_gt(evidence.n, 2 * 150);
	ck_assert_int_eq(alarm_next(a.store, al.seq, &al), KL_E_NOT_FOUND);
	/* Another one is another alarm; the one that goes on is none. */
	ck_assert_int_eq(take("b/log/20261123T100000Z-00000001", 5),
	    CHECKPOINT_LEFT);
	ck_assert_int_eq(take("b/log/20261125T100000Z-00000001", 2),
	    CHECKPOINT_KEPT);
	OK(alarm_next(a.store, 2, &al));
	ck_assert_int_eq(alarm_next(a.store, al.seq, &al), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(no_note_is_no_news)
{
	OK(checkpoint_take(&a.t, KL_BYTES_NONE, &v));
	ck_assert_int_eq(v, CHECKPOINT_KEPT);
	ck_assert_uint_eq(kept_size(), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("checkpoint");
	TCase *t = tcase_create("checkpoint");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, first_one_is_kept);
	tcase_add_test(t, larger_one_waits_for_its_proof);
	tcase_add_test(t, proof_of_the_same_size_is_none);
	tcase_add_test(t, rewritten_log_is_a_durable_alarm);
	tcase_add_test(t, shrunk_log_is_an_alarm);
	tcase_add_test(t, other_signature_is_refused);
	tcase_add_test(t, new_origin_is_told_and_counted);
	tcase_add_test(t, a_log_that_was_left_is_told_once_and_not_kept);
	tcase_add_test(t, no_note_is_no_news);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
