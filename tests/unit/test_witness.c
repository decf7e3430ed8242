/* Lines of auditors under checkpoints of a whole core: by HELLO, and carried
 * by hand. */
#include "broker/core/witness.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/vkey.h>

#include "broker/core/control_priv.h"
#include "broker/core/core_main.h"
#include "broker/core/daily.h"
#include "tests/support/shell.h"

static struct shell s;

static void
setup(void)
{
	shell_open(&s);
}

static void
teardown(void)
{
	shell_close(&s);
}

/* Another leaf, and a checkpoint over it. */
static void
grow(void)
{
	const int64_t now_ms = shell_now_ms(&s);
	struct kl_record r = { .event = KL_EV_HOLD };
	struct journal_leaf leaf;
	struct kl_kv_txn *txn;

	ck_assert_int_eq(kl_kv_begin(s.core->kv, &txn), KL_OK);
	ck_assert_int_eq(journal_append(&s.core->journal, txn, now_ms, &r,
	    s.core->mem, &leaf), KL_OK);
	ck_assert_int_eq(journal_save(&s.core->journal, txn), KL_OK);
	ck_assert_int_eq(kl_kv_commit(&txn), KL_OK);
	journal_committed(&s.core->journal);
	s.core->journal.note_ms -= KL_HOUR_MS;
	shell_turn(&s);
	ck_assert_uint_eq(s.core->journal.checked.size, leaf.index + 1);
}

static void
cosign_at(struct kl_note *n, const struct party *by, int64_t at_ms)
{
	struct kl_vkey key;

	ck_assert_int_eq(kl_vkey_witness(&by->id, &by->sign_pk, &key), KL_OK);
	ck_assert_int_eq(kl_note_cosign(n, key.name, at_ms / 1000, by->sk),
	    KL_OK);
}

static struct kl_note
cosigned(const struct party *by)
{
	struct kl_note n = s.core->journal.note;

	cosign_at(&n, by, shell_now_ms(&s));
	return n;
}

static enum kl_code
show(const struct party *who, const struct kl_note *n)
{
	const struct participant *p = registry_by_id(&s.core->registry,
	    &who->id);
	struct kl_hello h = { .take_over = KL_NO, .schema_min = 1,
		.schema_max = 1, .note = kl_bytes_str(n->b) };

	h.epoch = p->epoch + 1;
	memcpy(h.instance.b, who->serial, sizeof h.instance.b);
	return shell_hello(&s, who, &h);
}

/* What everybody is told. */
static struct kl_note
told(void)
{
	const struct kl_log_request q = { .want = KL_LOG_CHECKPOINT };
	struct kl_note n = { "" };
	struct shell_answer a;
	struct kl_log_reply r;

	SHELL_SEND(&s, &s.desk, KL_LOG, KL_M_LOG, &q);
	shell_answer(&s, &a);
	ck_assert_int_eq(a.m.code, KL_C_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOG_REPLY, a.m.body, s.mem, &r),
	    KL_C_OK);
	ck_assert_uint_lt(r.witnessed.n, sizeof n.b);
	if (r.witnessed.n > 0)
		memcpy(n.b, r.witnessed.p, r.witnessed.n);
	return n;
}

static const char *
hand_in(const struct kl_note *n)
{
	static char code[32];
	json_t *q = json_pack("{s:s}", "note", n->b);
	json_t *o = control_cosign(s.core, q);
	const char *text = json_string_value(json_object_get(o, "code"));

	code[0] = '\0';
	if (text != NULL)
		strncpy(code, text, sizeof code - 1);
	else
		ck_assert(json_is_true(json_object_get(o, "ok")));
	json_decref(q);
	json_decref(o);
	return code;
}

static bool
signed_by(const struct kl_note *n, const struct party *by)
{
	struct kl_vkey key;
	int64_t at_s;

	ck_assert_int_eq(kl_vkey_witness(&by->id, &by->sign_pk, &key), KL_OK);
	return kl_note_verify_cosigned(kl_bytes_str(n->b), key.name, &key.pk,
	    &at_s) == KL_OK;
}

START_TEST(without_a_line_nothing_is_told)
{
	struct kl_note n = s.core->journal.note;

	shell_begin(&s, &s.desk);
	ck_assert_int_eq(show(&s.auditor, &n), KL_C_OK);
	ck_assert_str_eq(told().b, "");
}
END_TEST

START_TEST(a_line_in_hello_is_kept_and_told_to_all)
{
	struct kl_note n = cosigned(&s.auditor), seen;

	shell_begin(&s, &s.desk);
	ck_assert_int_eq(show(&s.auditor, &n), KL_C_OK);
	grow();
	seen = told();
	ck_assert_str_eq(seen.b, n.b);
	shell_restart(&s, shell_now_ms(&s));
	shell_begin(&s, &s.desk);
	ck_assert_str_eq(told().b, n.b);
}
END_TEST

START_TEST(only_an_auditor_witnesses)
{
	struct kl_note n = cosigned(&s.practice);

	shell_begin(&s, &s.desk);
	ck_assert_int_eq(show(&s.practice, &n), KL_C_OK);
	ck_assert_str_eq(hand_in(&n), "not_witnessed");
	/* Nor does one bring the line of another. */
	n = cosigned(&s.auditor);
	ck_assert_int_eq(show(&s.practice, &n), KL_C_OK);
	ck_assert_str_eq(told().b, "");
}
END_TEST

START_TEST(a_line_that_is_carried_by_hand_is_kept)
{
	struct kl_note n = cosigned(&s.auditor);

	shell_begin(&s, &s.desk);
	ck_assert_str_eq(hand_in(&n), "");
	ck_assert_str_eq(hand_in(&n), "");
	ck_assert_str_eq(told().b, n.b);
}
END_TEST

/* What is kept of a day has the line, once it fits between the days. */
START_TEST(a_line_is_kept_with_the_checkpoint_of_its_day)
{
	const int32_t today = kl_day_of(shell_now_ms(&s));
	struct kl_note n, kept;
	struct kl_kv_txn *txn;
	int32_t day;

	grow();
	n = cosigned(&s.auditor);
	ck_assert_str_eq(hand_in(&n), "");
	ck_assert_int_eq(kl_kv_begin_read(s.core->kv, &txn), KL_OK);
	ck_assert_int_eq(daily_from(txn, today, &kept, &day), KL_OK);
	kl_kv_abort(&txn);
	ck_assert_int_eq(day, today);
	ck_assert_str_eq(kept.b, n.b);
}
END_TEST

START_TEST(the_newest_of_each_witness_is_kept)
{
	struct kl_note older, newer, again;

	older = cosigned(&s.auditor);
	grow();
	newer = cosigned(&s.auditor);
	shell_begin(&s, &s.desk);
	ck_assert_str_eq(hand_in(&newer), "");
	ck_assert_str_eq(hand_in(&older), "");
	ck_assert_str_eq(told().b, newer.b);
	/* The same size, signed later. */
	again = s.core->journal.note;
	cosign_at(&again, &s.auditor, shell_now_ms(&s) + KL_MINUTE_MS);
	ck_assert_str_eq(hand_in(&again), "");
	ck_assert_str_eq(told().b, again.b);
}
END_TEST

START_TEST(lines_of_two_witnesses_stand_under_one_checkpoint)
{
	struct party second = party_make(KL_AUDITOR, "kvk:11223344");
	struct kl_note a = cosigned(&s.auditor), b, seen;

	shell_enrol(&s, &second);
	b = a;
	cosign_at(&b, &second, shell_now_ms(&s));
	shell_begin(&s, &s.desk);
	ck_assert_str_eq(hand_in(&b), "");
	seen = told();
	ck_assert(signed_by(&seen, &s.auditor));
	ck_assert(signed_by(&seen, &second));
	/* One of them goes on, and the other's stays where it is. */
	grow();
	a = cosigned(&second);
	ck_assert_str_eq(hand_in(&a), "");
	seen = told();
	ck_assert(!signed_by(&seen, &s.auditor));
	ck_assert(signed_by(&seen, &second));
	party_clear(&second);
}
END_TEST

START_TEST(a_line_over_what_is_not_ours_is_refused)
{
	struct kl_checkpoint c;
	struct kl_note n;

	ck_assert_int_eq(kl_note_verify(kl_bytes_str(s.core->journal.note.b),
	    &s.broker.sign_pk, &c), KL_OK);
	ck_assert_int_eq(kl_note_sign(&c, s.desk.sk, &n), KL_OK);
	cosign_at(&n, &s.auditor, shell_now_ms(&s));
	ck_assert_str_eq(hand_in(&n), "other_log");
	/* An older log of this broker. */
	strcpy(c.origin, "b/log/old");
	ck_assert_int_eq(kl_note_sign(&c, s.broker.sk, &n), KL_OK);
	cosign_at(&n, &s.auditor, shell_now_ms(&s));
	ck_assert_str_eq(hand_in(&n), "other_log");
	shell_begin(&s, &s.desk);
	ck_assert_int_eq(show(&s.auditor, &n), KL_C_OK);
	ck_assert_str_eq(told().b, "");
	ck_assert_int_eq(s.core->exit, 0);
}
END_TEST

START_TEST(a_changed_line_is_refused)
{
	struct kl_note n = cosigned(&s.auditor);
	char *at = &n.b[strlen(n.b) - 20];

	*at = *at == 'A' ? 'B' : 'A';
	ck_assert_str_eq(hand_in(&n), "not_witnessed");
	ck_assert_str_eq(hand_in(&(struct kl_note){ "" }), "other_log");
}
END_TEST

START_TEST(a_line_from_the_future_is_refused)
{
	struct kl_note n = s.core->journal.note;

	cosign_at(&n, &s.auditor, shell_now_ms(&s) + KL_HOUR_MS);
	ck_assert_str_eq(hand_in(&n), "clock_ahead");
}
END_TEST

START_TEST(a_checkpoint_that_the_store_has_not_stops_core)
{
	struct kl_checkpoint c;
	struct kl_note n;

	ck_assert_int_eq(kl_note_verify(kl_bytes_str(s.core->journal.note.b),
	    &s.broker.sign_pk, &c), KL_OK);
	c.size += 5;
	ck_assert_int_eq(kl_note_sign(&c, s.broker.sk, &n), KL_OK);
	cosign_at(&n, &s.auditor, shell_now_ms(&s));
	ck_assert_str_eq(hand_in(&n), "try_later");
	ck_assert_int_eq(s.core->exit, CORE_EXIT_OPERATOR);
}
END_TEST

START_TEST(what_was_signed_before_a_card_ended_stays)
{
	struct kl_note n = cosigned(&s.auditor);

	shell_begin(&s, &s.desk);
	ck_assert_str_eq(hand_in(&n), "");
	ck_assert_int_eq(shell_revoke(&s, &s.auditor, KL_REVOKE_LEFT),
	    KL_C_OK);
	ck_assert_str_eq(told().b, n.b);
	grow();
	n = cosigned(&s.auditor);
	ck_assert_str_eq(hand_in(&n), "not_witnessed");
}
END_TEST

START_TEST(a_key_in_other_hands_witnessed_nothing)
{
	struct kl_note n = cosigned(&s.auditor);

	shell_begin(&s, &s.desk);
	ck_assert_str_eq(hand_in(&n), "");
	ck_assert_int_eq(shell_revoke(&s, &s.auditor, KL_REVOKE_COMPROMISE),
	    KL_C_OK);
	ck_assert_str_eq(told().b, "");
}
END_TEST

START_TEST(status_says_how_old_and_how_far_behind)
{
	struct kl_note n = cosigned(&s.auditor);
	json_t *o = json_object(), *w;

	control_witness_status(s.core, o);
	w = json_object_get(o, "witnessed");
	ck_assert(json_is_true(json_object_get(w, "overdue")));
	ck_assert_str_eq(hand_in(&n), "");
	grow();
	control_witness_status(s.core, o);
	w = json_object_get(o, "witnessed");
	ck_assert(json_is_false(json_object_get(w, "overdue")));
	ck_assert_int_eq(json_integer_value(json_object_get(w,
	    "leaves_behind")), 1);
	ck_assert_str_eq(json_string_value(json_array_get(
	    json_object_get(w, "by"), 0)), "kvk:87654321");
	json_decref(o);
}
END_TEST

int
main(void)
{
	Suite *su = suite_create("witness");
	TCase *tc = tcase_create("witness");
	SRunner *sr;
	int failed;

	if (kl_crypto_init() != KL_OK)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, without_a_line_nothing_is_told);
	tcase_add_test(tc, a_line_in_hello_is_kept_and_told_to_all);
	tcase_add_test(tc, only_an_auditor_witnesses);
	tcase_add_test(tc, a_line_that_is_carried_by_hand_is_kept);
	tcase_add_test(tc, a_line_is_kept_with_the_checkpoint_of_its_day);
	tcase_add_test(tc, the_newest_of_each_witness_is_kept);
	tcase_add_test(tc, lines_of_two_witnesses_stand_under_one_checkpoint);
	tcase_add_test(tc, a_line_over_what_is_not_ours_is_refused);
	tcase_add_test(tc, a_changed_line_is_refused);
	tcase_add_test(tc, a_line_from_the_future_is_refused);
	tcase_add_test(tc, a_checkpoint_that_the_store_has_not_stops_core);
	tcase_add_test(tc, what_was_signed_before_a_card_ended_stays);
	tcase_add_test(tc, a_key_in_other_hands_witnessed_nothing);
	tcase_add_test(tc, status_says_how_old_and_how_far_behind);
	suite_add_tcase(su, tc);
	sr = srunner_create(su);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
