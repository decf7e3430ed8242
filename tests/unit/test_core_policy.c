/* Which policy counts at core, from the file and from the operator's hand. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/secret.h>

#include "broker/core/cycle.h"
#include "broker/core/policy.h"
#include "broker/core/tables.h"
#include "tests/support/shell.h"

#define STRICT "[policy]\nconsent_max_age_at_send = 10d\n"
#define LOOSE "[policy]\nmetadata_after_end = 120d\n"
#define APPROVED LOOSE "[override metadata_after_end]\n" \
	"legal_basis = AVG 6(1)(e)\napproved_by = FG\n" \
	"approved_on = 2026-11-02\nreview_on = 2026-12-24\n"

static struct shell s;
static struct letter l;

static void
setup(void)
{
	shell_open(&s);
	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
	letter_referral(&l, &s.practice, &s.desk);
}

static void
teardown(void)
{
	shell_close(&s);
}

static uint64_t
leaves(void)
{
	return s.core->journal.committed.size;
}

/* Everybody says HELLO again after it. */
static void
restart(int64_t now_ms)
{
	shell_restart(&s, now_ms);
	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
}

static struct kl_record
record_of(uint64_t leaf)
{
	struct kl_logged logged;
	struct kl_record rec;
	struct kl_bytes packed;

	ck_assert_int_eq(cycle_begin(s.core), KL_OK);
	ck_assert_int_eq(journal_logged(&s.core->journal, s.core->turn.txn,
	    leaf, s.core->mem, &packed), KL_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOGGED, packed, s.mem,
	    &logged), KL_C_OK);
	ck_assert_int_eq(KL_STATEMENT_READ(KL_S_RECORD, logged.record, s.mem,
	    &rec), KL_C_OK);
	cycle_end(s.core, KL_OK);
	return rec;
}

static bool
is_logged(uint32_t event)
{
	for (uint64_t i = 0; i < leaves(); i++)
		if (record_of(i).event == event)
			return true;
	return false;
}

static int
load(const char *text)
{
	struct kl_policy_error e;
	int r = policy_load(s.core, kl_bytes_str(text), &e);

	ck_assert(r != KL_E_REFUSED || e.b[0] != '\0');
	return r;
}

static uint32_t
days(enum kl_policy_key key)
{
	return kl_policy_days(s.core->turn.policy, key);
}

START_TEST(a_policy_is_loaded_once_with_its_leaf)
{
	const struct kl_bytes text = kl_bytes_str(STRICT);
	const struct kl_hash hash = kl_sha256_parts(&text, 1);
	const uint64_t first = s.core->loaded.leaf;
	struct kl_record rec = record_of(first);
	uint64_t n;

	ck_assert_uint_eq(rec.event, KL_EV_POLICY);
	ck_assert(!s.core->loaded.drain);
	restart(LETTERS_NOW_MS + KL_HOUR_MS);
	ck_assert_uint_eq(s.core->loaded.leaf, first);
	ck_assert_uint_eq(days(KL_POL_CONSENT_MAX_AGE_AT_SEND), 30);

	shell_policy(&s, STRICT);
	n = leaves();
	restart(LETTERS_NOW_MS + 2 * KL_HOUR_MS);
	ck_assert_uint_eq(s.core->loaded.leaf, n);
	rec = record_of(n);
	ck_assert_uint_eq(rec.event, KL_EV_POLICY);
	ck_assert_mem_eq(rec.body_hash.b, hash.b, sizeof hash.b);
	ck_assert_uint_eq(days(KL_POL_CONSENT_MAX_AGE_AT_SEND), 10);
}
END_TEST

START_TEST(a_load_counts_at_once_and_is_there_after_a_start)
{
	const uint64_t n = leaves();
	int64_t at_ms;

	ck_assert_int_eq(load(STRICT), KL_OK);
	ck_assert_uint_eq(leaves(), n + 1);
	ck_assert_uint_eq(record_of(n).event, KL_EV_POLICY);
	ck_assert_uint_eq(days(KL_POL_CONSENT_MAX_AGE_AT_SEND), 10);
	at_ms = s.core->loaded.at_ms;
	shell_policy(&s, STRICT);
	restart(LETTERS_NOW_MS + KL_HOUR_MS);
	ck_assert_uint_eq(s.core->loaded.leaf, n);
	ck_assert_int_eq(s.core->loaded.at_ms, at_ms);
}
END_TEST

START_TEST(a_stricter_load_shortens_what_was_begun_before)
{
	struct conversation c;

	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	ck_assert_int_eq(load("[policy]\nmetadata_after_end = 30d\n"),
	    KL_OK);
	s.core->housekeeping_ms = 0;
	shell_turn(&s);
	ck_assert_int_eq(cycle_begin(s.core), KL_OK);
	ck_assert_int_eq(conversation_by_id(&s.core->turn,
	    &l.e.header.conv_id, &c), KL_OK);
	ck_assert_uint_eq(c.after_end_days, 30);
	cycle_end(s.core, KL_OK);
}
END_TEST

START_TEST(what_is_refused_changes_nothing)
{
	static const char *const wrong[] = {
		"", "[policy]\nno_such_key = 1\n", "[policy]\nttl_max = 90d\n",
		"[policy]\nrefuse_bsn = no\n", LOOSE,
		/* Approved tomorrow; reviewed too late. */
		LOOSE "[override metadata_after_end]\nlegal_basis = x\n"
		    "approved_by = FG\napproved_on = 2026-11-25\n"
		    "review_on = 2026-12-24\n",
		LOOSE "[override metadata_after_end]\nlegal_basis = x\n"
		    "approved_by = FG\napproved_on = 2026-11-02\n"
		    "review_on = 2026-11-23\n",
	};
	const uint64_t n = leaves();

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		ck_assert_int_eq(load(wrong[i]), KL_E_REFUSED);
	ck_assert_uint_eq(leaves(), n);
	ck_assert_uint_eq(days(KL_POL_METADATA_AFTER_END), 90);
}
END_TEST

START_TEST(an_approval_ends_with_its_day_also_while_running)
{
	const int64_t review = kl_day_start_ms(kl_day_make(2026, 12, 24));

	ck_assert_int_eq(load(APPROVED), KL_OK);
	ck_assert_uint_eq(days(KL_POL_METADATA_AFTER_END), 120);
	s.core->turn.now_ms = review + KL_DAY_MS - 1;
	policy_tick(s.core);
	ck_assert_uint_eq(days(KL_POL_METADATA_AFTER_END), 120);
	s.core->turn.now_ms = review + KL_DAY_MS;
	policy_tick(s.core);
	ck_assert_uint_eq(days(KL_POL_METADATA_AFTER_END), 90);
}
END_TEST

START_TEST(an_unapproved_file_at_the_start_is_the_default)
{
	shell_policy(&s, LOOSE);
	restart(LETTERS_NOW_MS + KL_HOUR_MS);
	ck_assert(!s.core->loaded.drain);
	ck_assert_uint_eq(days(KL_POL_METADATA_AFTER_END), 90);
}
END_TEST

START_TEST(without_a_policy_core_drains)
{
	struct letter again;
	struct shell_items got;

	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 1);
	letter_referral(&again, &s.practice, &s.desk);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &again), KL_C_OK);
	ck_assert_int_eq(unlink(shell_file(&s, "config/policy.conf").b), 0);
	restart(LETTERS_NOW_MS + KL_HOUR_MS);
	ck_assert(s.core->loaded.drain);

	/* Nothing in, nothing out, but the receipt of what was out. */
	letter_referral(&again, &s.practice, &s.desk);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &again),
	    KL_C_DRAINING);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 0);
	ck_assert_int_eq(shell_receipt(&s, &s.desk, &l, KL_OPENED, KL_C_OK),
	    KL_C_OK);
	got = shell_fetch(&s, &s.practice, 0);
	ck_assert_uint_eq(got.n_ct, 0);
	ck_assert_uint_gt(got.n, 0);

	/* A load ends it. */
	ck_assert_int_eq(load(STRICT), KL_OK);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 1);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &again), KL_C_OK);
}
END_TEST

START_TEST(a_withdrawal_goes_on_while_core_drains)
{
	const struct kl_withdrawal w = letter_withdrawal(&l, &s.practice,
	    KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	struct kl_withdraw_reply told;

	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	ck_assert_int_eq(unlink(shell_file(&s, "config/policy.conf").b), 0);
	restart(LETTERS_NOW_MS + KL_HOUR_MS);
	ck_assert_int_eq(shell_withdraw(&s, &s.practice, &w, &told),
	    KL_C_OK);
	ck_assert_uint_eq(told.erased, 1);
	/* And what it ended is not released by a load. */
	ck_assert_int_eq(load(STRICT), KL_OK);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 0);
}
END_TEST

START_TEST(what_is_past_its_term_is_erased_while_core_drains)
{
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	ck_assert_int_eq(unlink(shell_file(&s, "config/policy.conf").b), 0);
	restart(l.e.header.expire_at_ms + KL_HOUR_MS);
	ck_assert(s.core->loaded.drain);
	for (int i = 0; i < 3; i++) {
		s.core->housekeeping_ms = 0;
		shell_turn(&s);
	}
	ck_assert(is_logged(KL_EV_EXPIRED) && is_logged(KL_EV_ERASED));
}
END_TEST

START_TEST(a_message_keeps_the_terms_of_the_policy)
{
	ck_assert_int_eq(load("[policy]\nreferral_undelivered_ttl = 1d\n"),
	    KL_OK);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_TIMES);
	ck_assert_int_eq(load("[policy]\nconsent_forms = written\n"),
	    KL_OK);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l),
	    KL_C_NO_CONSENT);
	ck_assert_int_eq(load("[policy]\n"), KL_OK);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
}
END_TEST

START_TEST(a_card_has_a_number_that_the_policy_takes)
{
	struct kl_card c = party_card(&s.partner);

	ck_assert_int_eq(load("[policy]\norg_id_schemes = agb, oin\n"),
	    KL_OK);
	ck_assert_int_eq(shell_card(&s, &c), KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(load("[policy]\norg_id_schemes = agb, kvk\n"),
	    KL_OK);
	ck_assert_int_eq(shell_card(&s, &c), KL_C_OK);
}
END_TEST

START_TEST(an_unreadable_policy_is_none)
{
	shell_policy(&s, "[policy]\nttl_max = for ever\n");
	restart(LETTERS_NOW_MS + KL_HOUR_MS);
	ck_assert(s.core->loaded.drain);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_DRAINING);
}
END_TEST

START_TEST(what_was_stricter_stays_so_without_its_file)
{
	ck_assert_int_eq(load("[policy]\nmetadata_after_end = 30d\n"
	    "take_up_term = 1wd\n"), KL_OK);
	ck_assert_int_eq(unlink(shell_file(&s, "config/policy.conf").b), 0);
	restart(LETTERS_NOW_MS + KL_HOUR_MS);
	ck_assert(s.core->loaded.drain);
	ck_assert_uint_eq(days(KL_POL_METADATA_AFTER_END), 30);
	ck_assert_int_eq(load(APPROVED), KL_OK);
	restart(LETTERS_NOW_MS + 2 * KL_HOUR_MS);
	ck_assert_uint_eq(days(KL_POL_METADATA_AFTER_END), 90);
}
END_TEST

static int
kept(struct core *c, void *arg)
{
	size_t *n = arg;
	struct kl_kv_entry e;
	struct kl_bytes from = kl_bytes_str("policy/");

	for (*n = 0; kl_kv_seek(c->turn.txn, T_META, from, true, &e) ==
	    KL_OK && e.key.n == 15; ++*n)
		from = e.key;
	return KL_OK;
}

START_TEST(who_approved_is_kept_as_long_as_the_log)
{
	size_t n;

	ck_assert_int_eq(load(STRICT), KL_OK);
	ck_assert_int_eq(load(APPROVED), KL_OK);
	ck_assert_int_eq(cycle_run(s.core, kept, &n), KL_OK);
	ck_assert_uint_eq(n, 3);
	/* Six years on: what counted until this load is kept with it. */
	shell_policy(&s, STRICT "ttl_max = 9d\n");
	shell_restart(&s, LETTERS_NOW_MS + 6 * 366 * KL_DAY_MS);
	ck_assert_int_eq(cycle_run(s.core, kept, &n), KL_OK);
	ck_assert_uint_eq(n, 2);
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("core policy");
	TCase *t = tcase_create("policy");
	SRunner *r;
	int failed;

	if (kl_crypto_init() != KL_OK)
		return EXIT_FAILURE;
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_policy_is_loaded_once_with_its_leaf);
	tcase_add_test(t, a_load_counts_at_once_and_is_there_after_a_start);
	tcase_add_test(t, a_stricter_load_shortens_what_was_begun_before);
	tcase_add_test(t, what_is_refused_changes_nothing);
	tcase_add_test(t, an_approval_ends_with_its_day_also_while_running);
	tcase_add_test(t, an_unapproved_file_at_the_start_is_the_default);
	tcase_add_test(t, without_a_policy_core_drains);
	tcase_add_test(t, a_withdrawal_goes_on_while_core_drains);
	tcase_add_test(t,
	    what_is_past_its_term_is_erased_while_core_drains);
	tcase_add_test(t, a_message_keeps_the_terms_of_the_policy);
	tcase_add_test(t, a_card_has_a_number_that_the_policy_takes);
	tcase_add_test(t, an_unreadable_policy_is_none);
	tcase_add_test(t, what_was_stricter_stays_so_without_its_file);
	tcase_add_test(t, who_approved_is_kept_as_long_as_the_log);
	suite_add_tcase(su, t);
	r = srunner_create(su);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
