/* One broken sector of the slot file ends what lay under it, and stops nobody
 * else. */
#include "broker/core/repair.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/secret.h>

#include "broker/core/control_priv.h"
#include "broker/core/core_main.h"
#include "broker/core/cycle.h"
#include "broker/core/dispatch.h"
#include "broker/core/month.h"
#include "broker/core/tables.h"
#include "tests/support/shell.h"

#define SECTOR 512

static struct shell s;
static struct letter l, other;

static void
setup(void)
{
	shell_open(&s);
	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
	letter_referral(&l, &s.practice, &s.desk);
	letter_referral(&other, &s.practice, &s.desk);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &other), KL_C_OK);
}

static void
teardown(void)
{
	shell_close(&s);
}

static struct message
stored(const struct letter *letter)
{
	struct message m;

	ck_assert_int_eq(cycle_begin(s.core), KL_OK);
	ck_assert_int_eq(message_find(&s.core->turn,
	    &letter->e.header.msg_id, &m), KL_OK);
	cycle_end(s.core, KL_OK);
	return m;
}

static uint32_t
conversation_slot(const struct letter *letter)
{
	struct conversation c;

	ck_assert_int_eq(cycle_begin(s.core), KL_OK);
	ck_assert_int_eq(conversation_by_id(&s.core->turn,
	    &letter->e.header.conv_id, &c), KL_OK);
	cycle_end(s.core, KL_OK);
	return c.slot;
}

/* As a disk does it, between two starts. */
static void
restart_with_broken(uint32_t slot)
{
	const struct tmpdir_path path = shell_file(&s, "state/slots");
	const char bad[16] = "not what was it";
	int fd;

	shell_stop(&s);
	fd = open(path.b, O_WRONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, bad, sizeof bad,
	    (off_t)(1 + slot) * SECTOR + 40), sizeof bad);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS + KL_MINUTE_MS),
	    CORE_EXIT_STOPPED);
	(void)shell_edge(&s);
	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
}

START_TEST(waiting_message_is_dead_and_both_are_told)
{
	struct shell_items i;
	struct kl_notice n;

	restart_with_broken(stored(&l).slot);
	ck_assert_uint_eq(stored(&l).state, KL_MSG_DEAD);
	i = shell_fetch(&s, &s.practice, 0);
	ck_assert_uint_eq(i.n, 1);
	n = shell_notice(&s, &i.item[0]);
	ck_assert_uint_eq(n.notice, KL_NOTICE_DEAD);
	ck_assert_uint_eq(n.code, KL_C_BROKER_DAMAGE);
	ck_assert_mem_eq(n.msg_id.b, l.e.header.msg_id.b, 16);
	/* The other one comes. */
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 1);
	/* It may be sealed again. */
	l.e.header.replaces = l.e.header.msg_id;
	l.e.header.msg_id.b[0] ^= 1;
	l.e.header.seq = 2;
	letter_seal(&l, &s.practice);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
}
END_TEST

START_TEST(released_message_is_unconfirmed)
{
	(void)shell_fetch(&s, &s.desk, 0);
	ck_assert_uint_eq(stored(&l).state, KL_MSG_RELEASED);
	restart_with_broken(stored(&l).slot);
	ck_assert_uint_eq(stored(&l).state, KL_MSG_UNCONFIRMED);
	ck_assert_int_eq(shell_receipt(&s, &s.desk, &l, KL_OPENED, KL_C_OK),
	    KL_C_OK);
}
END_TEST

START_TEST(conversation_is_lost_and_the_others_go_on)
{
	struct conversation c;

	restart_with_broken(conversation_slot(&l));
	ck_assert_int_eq(cycle_begin(s.core), KL_OK);
	ck_assert_int_eq(conversation_by_id(&s.core->turn,
	    &l.e.header.conv_id, &c), KL_E_NOT_FOUND);
	cycle_end(s.core, KL_OK);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 1);
	ck_assert_int_eq(shell_receipt(&s, &s.desk, &other, KL_OPENED,
	    KL_C_OK), KL_C_OK);
	/* And after the next start it has been mended. */
	shell_restart(&s, LETTERS_NOW_MS + 2 * KL_MINUTE_MS);
	ck_assert_uint_eq(s.core->vault.broken, 0);
}
END_TEST

START_TEST(month_of_the_log_gets_a_new_key)
{
	const uint32_t month = month_of(LETTERS_NOW_MS);
	struct kl_bytes packed;
	uint32_t slot, again;

	ck_assert_int_eq(cycle_begin(s.core), KL_OK);
	ck_assert_int_eq(month_slot(s.core->turn.txn, month, &slot), KL_OK);
	cycle_end(s.core, KL_OK);
	restart_with_broken(slot);
	/* What waits needs its record, and is sealed again. */
	ck_assert_uint_eq(stored(&l).state, KL_MSG_DEAD);
	ck_assert_uint_eq(shell_fetch(&s, &s.practice, 0).n, 2);
	letter_referral(&l, &s.practice, &s.desk);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 1);
	ck_assert_int_eq(cycle_begin(s.core), KL_OK);
	ck_assert_int_eq(month_slot(s.core->turn.txn, month, &again), KL_OK);
	ck_assert_uint_ne(again, slot);
	ck_assert_int_eq(journal_logged(&s.core->journal, s.core->turn.txn,
	    0, s.core->mem, &packed), KL_E_NOT_FOUND);
	cycle_end(s.core, KL_OK);
}
END_TEST

static uint32_t
slot_of_month(void)
{
	uint32_t slot;

	ck_assert_int_eq(cycle_begin(s.core), KL_OK);
	ck_assert_int_eq(month_slot(s.core->turn.txn,
	    month_of(LETTERS_NOW_MS), &slot), KL_OK);
	cycle_end(s.core, KL_OK);
	return slot;
}

/* In the mailbox of the desk; stays over what comes next. */
static struct kl_notice
erase_request(void)
{
	static uint8_t kept[KL_WITHDRAWAL_MAX];
	const struct shell_items i = shell_fetch(&s, &s.desk, 0);
	struct kl_notice n;

	for (size_t k = 0; k < i.n; k++) {
		if (i.item[k].sort != KL_NOTICE + 1)
			continue;
		n = shell_notice(&s, &i.item[k]);
		if (n.notice != KL_NOTICE_ERASE_REQUEST)
			continue;
		ck_assert_uint_le(n.withdrawal.n, sizeof kept);
		memcpy(kept, n.withdrawal.p, n.withdrawal.n);
		n.withdrawal.p = kept;
		return n;
	}
	ck_abort_msg("no request to erase");
}

START_TEST(what_is_repeated_after_its_record_was_lost_is_answered)
{
	const struct kl_withdrawal w = letter_withdrawal(&l, &s.practice,
	    KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	struct kl_withdraw_reply told, again;
	struct kl_logged before, after;
	struct kl_notice asked;

	(void)shell_fetch(&s, &s.desk, 0);
	ck_assert_int_eq(shell_receipt(&s, &s.desk, &l, KL_OPENED, KL_C_OK),
	    KL_C_OK);
	ck_assert_int_eq(shell_withdraw(&s, &s.practice, &w, &told), KL_C_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOGGED, told.logged, s.mem,
	    &before), KL_C_OK);
	asked = erase_request();
	ck_assert_int_eq(shell_erased(&s, &s.desk, &asked, KL_ERASED),
	    KL_C_OK);
	restart_with_broken(slot_of_month());
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l),
	    KL_C_CONVERSATION_ENDED);
	ck_assert_int_eq(shell_receipt(&s, &s.desk, &l, KL_OPENED, KL_C_OK),
	    KL_C_BROKER_DAMAGE);
	ck_assert_int_eq(shell_erased(&s, &s.desk, &asked, KL_ERASED),
	    KL_C_OK);
	ck_assert_int_eq(shell_withdraw(&s, &s.practice, &w, &again),
	    KL_C_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOGGED, again.logged, s.mem,
	    &after), KL_C_OK);
	ck_assert_uint_gt(after.leaf, before.leaf);
	ck_assert_uint_eq(again.released_before, 1);
	/* And from then on it is the same again. */
	ck_assert_int_eq(shell_withdraw(&s, &s.practice, &w, &again),
	    KL_C_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOGGED, again.logged, s.mem,
	    &before), KL_C_OK);
	ck_assert_uint_eq(after.leaf, before.leaf);
	ck_assert_uint_eq(s.core->stats.undone, 0);
}
END_TEST

static unsigned int
leaves_of(uint32_t event)
{
	const uint64_t end = s.core->journal.committed.size;
	unsigned int n = 0;

	ck_assert_int_eq(kl_kv_begin_read(s.core->kv, &s.core->turn.txn),
	    KL_OK);
	for (uint64_t i = s.core->journal.read.erased; i < end; i++) {
		struct journal_leaf leaf;
		struct kl_record r;

		ck_assert_int_eq(journal_record(&s.core->journal,
		    s.core->turn.txn, i, s.core->mem, &leaf), KL_OK);
		ck_assert_int_eq(KL_STATEMENT_READ(KL_S_RECORD, leaf.record,
		    s.core->mem, &r), KL_C_OK);
		n += r.event == event && r.count == 2026 * 12 + 11;
	}
	kl_kv_abort(&s.core->turn.txn);
	return n;
}

/* What is lost of the log is told, and what is left of it signed. */
static void
log_is_told_lost(void)
{
	json_t *o = control_status(s.core, NULL);
	const json_t *log = json_object_get(o, "log");
	const json_t *lost = json_object_get(log, "months_lost");

	ck_assert_uint_eq(json_array_size(lost), 1);
	ck_assert_str_eq(json_string_value(json_array_get(lost, 0)),
	    "2026-11");
	ck_assert(json_is_true(json_object_get(log, "read_since_start")));
	ck_assert_uint_gt(s.core->journal.read.erased, 0);
	ck_assert_uint_eq(leaves_of(KL_EV_MONTH_LOST), 1);
	ck_assert_uint_eq(s.core->journal.checked.size,
	    s.core->journal.read.at.size);
	json_decref(o);
}

START_TEST(withdrawal_of_the_unknown_goes_with_its_month)
{
	struct kl_withdrawal w = letter_withdrawal(&l, &s.practice,
	    KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	struct kl_kv_entry row;

	w.conv_id.b[0] ^= 1;
	ck_assert_int_eq(shell_withdraw(&s, &s.practice, &w, NULL), KL_C_OK);
	restart_with_broken(slot_of_month());
	log_is_told_lost();
	shell_restart(&s, LETTERS_NOW_MS + 2 * KL_MINUTE_MS);
	ck_assert_uint_eq(leaves_of(KL_EV_MONTH_LOST), 1);
	shell_begin(&s, &s.practice);
	ck_assert_int_eq(cycle_begin(s.core), KL_OK);
	ck_assert_int_eq(kl_kv_seek(s.core->turn.txn, T_WITHDRAWAL,
	    KL_BYTES_NONE, false, &row), KL_E_NOT_FOUND);
	cycle_end(s.core, KL_OK);
	ck_assert_int_eq(shell_withdraw(&s, &s.practice, &w, NULL), KL_C_OK);
}
END_TEST

START_TEST(undone_turn_is_not_repeated_without_a_pause)
{
	s.core->work_left = true;
	ck_assert_int_eq(dispatch_wait_ms(s.core), 0);
	ck_assert_int_eq(cycle_begin(s.core), KL_OK);
	cycle_end(s.core, KL_E_IO);
	ck_assert_int_gt(dispatch_wait_ms(s.core), 0);
	ck_assert_int_eq(cycle_run(s.core, NULL, NULL), KL_OK);
	ck_assert_int_eq(dispatch_wait_ms(s.core), 0);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("repair");
	Suite *suite = suite_create("repair");
	SRunner *sr;
	int failed;

	if (kl_crypto_init() != KL_OK)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, waiting_message_is_dead_and_both_are_told);
	tcase_add_test(tc, released_message_is_unconfirmed);
	tcase_add_test(tc, conversation_is_lost_and_the_others_go_on);
	tcase_add_test(tc, month_of_the_log_gets_a_new_key);
	tcase_add_test(tc,
	    what_is_repeated_after_its_record_was_lost_is_answered);
	tcase_add_test(tc, withdrawal_of_the_unknown_goes_with_its_month);
	tcase_add_test(tc, undone_turn_is_not_repeated_without_a_pause);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
