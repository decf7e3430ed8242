/* One turn: all of it or nothing, and nothing said before its commit; and
 * what a start finds and what it refuses. */
#include <check.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kortelijn/base/time.h>

#include "broker/core/boot.h"
#include "broker/core/core_main.h"
#include "broker/core/dispatch.h"
#include "tests/support/shell.h"

static struct shell s;
static struct letter l, m;

/* ---- faults: they stand before the library's own functions -------------- */

static int fail_commit;		/* the n-th from now fails, after it was done */
static int fail_put;		/* the n-th from now fails */
static int fail_sync;		/* the next one fails */

int mdb_txn_commit(void *txn);
int mdb_put(void *txn, unsigned int dbi, void *key, void *data,
    unsigned int flags);
int fdatasync(int fd);

static void
real(const char *name, void *fn, size_t size)
{
	void *at = dlsym(RTLD_NEXT, name);

	ck_assert_ptr_nonnull(at);
	memcpy(fn, &at, size);
}

int
mdb_txn_commit(void *txn)
{
	int (*commit)(void *);
	int rc;

	real("mdb_txn_commit", &commit, sizeof commit);
	rc = commit(txn);
	return fail_commit > 0 && --fail_commit == 0 ? 5 : rc;	/* EIO */
}

int
mdb_put(void *txn, unsigned int dbi, void *key, void *data,
    unsigned int flags)
{
	int (*put)(void *, unsigned int, void *, void *, unsigned int);

	real("mdb_put", &put, sizeof put);
	if (fail_put > 0 && --fail_put == 0)
		return -30792;	/* MDB_MAP_FULL */
	return put(txn, dbi, key, data, flags);
}

int
fdatasync(int fd)
{
	int (*sync)(int);

	real("fdatasync", &sync, sizeof sync);
	if (fail_sync == 0)
		return sync(fd);
	fail_sync = 0;
	return -1;
}

static void
setup(void)
{
	fail_commit = fail_put = fail_sync = 0;
	shell_open(&s);
	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
	letter_referral(&l, &s.practice, &s.desk);
}

static void
teardown(void)
{
	fail_commit = fail_put = fail_sync = 0;
	shell_close(&s);
}

static void
send_letter(const struct party *who, const struct letter *letter)
{
	const struct kl_submit q = { .envelope = kl_bytes(letter->envelope.b,
		letter->envelope.n) };

	shell_send(&s, who, KL_SUBMIT, KL_M_SUBMIT, &q, sizeof q,
	    kl_bytes(letter->ct, letter->ct_n));
}

/* ---- all or nothing ----------------------------------------------------- */

START_TEST(all_that_waits_is_done_in_one_commit)
{
	static struct letter many[40];
	const uint64_t before = s.core->journal.committed.size;
	const uint64_t turns = s.core->stats.turns;
	struct shell_answer a;

	for (size_t i = 0; i < 40; i++) {
		letter_referral(&many[i], &s.practice, &s.desk);
		send_letter(&s.practice, &many[i]);
	}
	shell_turn(&s);
	for (size_t i = 0; i < 40; i++) {
		ck_assert(shell_take(&s, &a));
		ck_assert_int_eq(a.m.code, KL_C_OK);
	}
	ck_assert_uint_eq(s.core->stats.turns, turns + 1);
	ck_assert_uint_eq(s.core->journal.committed.size, before + 40);
}
END_TEST

START_TEST(a_bad_request_leaves_the_others_alone)
{
	struct shell_answer a;

	letter_referral(&m, &s.practice, &s.desk);
	m.envelope.b[m.envelope.n - 1] ^= 1;
	send_letter(&s.practice, &m);
	send_letter(&s.practice, &l);
	shell_turn(&s);
	ck_assert(shell_take(&s, &a));
	ck_assert_int_eq(a.m.code, KL_C_SIGNATURE);
	ck_assert(shell_take(&s, &a));
	ck_assert_int_eq(a.m.code, KL_C_OK);
}
END_TEST

/* Whichever write fails: nothing of the turn is there, everybody is told to
 * come again, and the process goes on. */
START_TEST(a_failed_write_undoes_the_whole_turn)
{
	const uint64_t before = s.core->journal.committed.size;
	const uint32_t slots = kl_slots_free(s.core->vault.slots);
	struct shell_answer a;
	int n = 0;

	letter_referral(&m, &s.practice, &s.desk);
	for (bool done = false; !done;) {
		fail_put = ++n;
		/* Both in one turn. */
		s.core->careful = 0;
		send_letter(&s.practice, &l);
		send_letter(&s.practice, &m);
		shell_turn(&s);
		done = fail_put > 0;
		fail_put = 0;
		for (int i = 0; i < 2; i++) {
			ck_assert(shell_take(&s, &a));
			ck_assert_int_eq(a.m.code, done ? KL_C_OK :
			    KL_C_TRY_LATER);
			if (!done)
				ck_assert_uint_gt(a.m.retry_after_ms, 0);
		}
		ck_assert_int_eq(s.core->exit, CORE_EXIT_STOPPED);
		if (done)
			break;
		ck_assert_uint_eq(s.core->journal.committed.size, before);
		ck_assert_uint_eq(s.core->journal.range.size, before);
		ck_assert_uint_eq(kl_slots_free(s.core->vault.slots), slots);
		ck_assert_uint_eq(registry_by_id(&s.core->registry,
		    &s.practice.id)->open_conversations, 0);
		/* It may have to say HELLO again. */
		shell_begin(&s, &s.practice);
	}
	ck_assert_int_gt(n, 10);
	ck_assert_uint_eq(s.core->stats.undone, (uint64_t)n - 1);
	ck_assert_uint_eq(s.core->journal.committed.size, before + 2);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 2);
}
END_TEST

START_TEST(a_card_of_an_undone_turn_was_never_there)
{
	const struct kl_card c = party_card(&s.partner);
	const size_t known = s.core->registry.n;

	shell_turn(&s);
	/* The first write of the turn is that of the card. */
	fail_put = 1;
	ck_assert_int_eq(shell_card(&s, &c), KL_C_TRY_LATER);
	ck_assert_uint_eq(s.core->registry.n, known);
	ck_assert_ptr_null(registry_by_id(&s.core->registry,
	    &s.partner.id));
	/* Another one takes its number, now and after a start. */
	shell_enrol(&s, &s.partner);
	ck_assert_uint_eq(registry_by_id(&s.core->registry,
	    &s.partner.id)->number, known + 1);
	shell_restart(&s, LETTERS_NOW_MS);
	ck_assert_uint_eq(registry_by_id(&s.core->registry,
	    &s.partner.id)->number, known + 1);
}
END_TEST

/* All of a withdrawal, or nothing: whatever fails in it. */
START_TEST(a_withdrawal_that_fails_anywhere_was_never_there)
{
	const struct kl_withdrawal w = letter_withdrawal(&l, &s.practice,
	    KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	struct kl_withdraw_reply told;
	enum kl_code code;
	uint64_t before;
	int n = 0;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	letter_feedback(&m, &l, &s.desk, &s.practice, KL_MS_TAKEN_UP);
	ck_assert_int_eq(shell_submit(&s, &s.desk, &m), KL_C_OK);
	shell_turn(&s);
	before = s.core->journal.committed.size;
	for (bool done = false; !done;) {
		fail_put = ++n;
		code = shell_withdraw(&s, &s.practice, &w, &told);
		done = fail_put > 0;
		fail_put = 0;
		if (code == KL_C_OK)
			continue;
		ck_assert_int_eq(code, KL_C_TRY_LATER);
		ck_assert_uint_eq(s.core->held.n, 0);
		/* It was undone, or only the answer was. */
		ck_assert(s.core->journal.committed.size == before ||
		    s.core->journal.committed.size >= before + 2);
		shell_begin(&s, &s.practice);
		before = s.core->journal.committed.size > before ?
		    s.core->journal.committed.size : before;
	}
	ck_assert_int_gt(n, 10);
	ck_assert_uint_eq(told.erased, 1);
	ck_assert_uint_eq(told.released_before, 1);
	ck_assert_uint_eq(shell_fetch(&s, &s.practice, 0).n_ct, 0);
}
END_TEST

START_TEST(a_failed_commit_ends_the_process_and_answers_nobody)
{
	struct shell_answer a;

	fail_commit = 1;
	send_letter(&s.practice, &l);
	shell_turn(&s);
	ck_assert(!shell_take(&s, &a));
	ck_assert_int_eq(s.core->exit, CORE_EXIT_COMMIT);
	/* The outcome was unknown; here it had reached the disk. The sender
	 * asks again and learns. */
	shell_restart(&s, LETTERS_NOW_MS);
	shell_begin(&s, &s.practice);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	shell_begin(&s, &s.desk);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 1);
}
END_TEST

START_TEST(a_failed_sync_of_erased_keys_ends_the_process)
{
	struct shell_answer a;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	fail_sync = 1;
	letter_referral(&m, &s.practice, &s.desk);
	send_letter(&s.practice, &m);
	shell_turn(&s);
	ck_assert(!shell_take(&s, &a));
	ck_assert_int_eq(s.core->exit, CORE_EXIT_COMMIT);
	shell_restart(&s, LETTERS_NOW_MS);
	ck_assert_int_eq(s.core->erase_due_ms, 0);
}
END_TEST

START_TEST(damage_in_the_store_ends_the_process)
{
	struct kl_kv_txn *txn;
	struct kl_tag tag;

	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	/* The row of the message holds something else. */
	tag = vault_tag(&s.core->vault, 'M', KL_BYTES_OF(
	    l.e.header.msg_id));
	ck_assert_int_eq(kl_kv_begin(s.core->kv, &txn), KL_OK);
	ck_assert_int_eq(kl_kv_put(txn, 'M', KL_BYTES_OF(tag),
	    kl_bytes_str("?")), KL_OK);
	ck_assert_int_eq(kl_kv_commit(&txn), KL_OK);
	send_letter(&s.practice, &l);
	shell_turn(&s);
	ck_assert_int_eq(s.core->exit, CORE_EXIT_COMMIT);
}
END_TEST

START_TEST(what_is_due_decides_when_the_next_turn_comes)
{
	const struct kl_fetch f = { .wait_ms = 200 };
	struct shell_answer a;
	int64_t wait_ms;

	shell_turn(&s);
	wait_ms = dispatch_wait_ms(s.core);
	ck_assert_int_gt(wait_ms, 200);
	ck_assert_int_le(wait_ms, 1000);
	SHELL_SEND(&s, &s.desk, KL_FETCH, KL_M_FETCH, &f);
	shell_turn(&s);
	ck_assert_int_le(dispatch_wait_ms(s.core), 200);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	ck_assert(shell_take(&s, &a));
	ck_assert_uint_eq(a.m.request, KL_FETCH);
	ck_assert_int_eq(shell_receipt(&s, &s.desk, &l, KL_OPENED, KL_C_OK),
	    KL_C_OK);
	/* A key waits to be destroyed. */
	ck_assert_int_le(dispatch_wait_ms(s.core), 100);
	s.core->work_left = true;
	ck_assert_int_eq(dispatch_wait_ms(s.core), 0);
}
END_TEST

START_TEST(no_checkpoint_leaves_when_its_mark_cannot_be_written)
{
	const struct kl_note before = s.core->journal.note;

	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	(void)snprintf(s.core->mark_path, sizeof s.core->mark_path,
	    "/nowhere/log.mark");
	s.core->journal.note_ms = 0;
	shell_turn(&s);
	ck_assert_str_eq(s.core->journal.note.b, before.b);
	ck_assert_int_eq(s.core->exit, CORE_EXIT_STOPPED);
	ck_assert_int_gt(s.core->sign_retry_ms, 0);
}
END_TEST

START_TEST(refusals_of_a_minute_become_one_leaf)
{
	const uint64_t before = s.core->journal.committed.size;

	l.envelope.b[l.envelope.n - 1] ^= 1;
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(shell_submit(&s, &s.practice, &l),
		    KL_C_SIGNATURE);
	ck_assert_uint_eq(s.core->journal.committed.size, before);
	ck_assert_uint_eq(s.core->refusals.n, 1);
	ck_assert_uint_eq(s.core->refusals.r[0].count, 5);
	s.core->refusals.r[0].minute--;
	shell_turn(&s);
	ck_assert_uint_eq(s.core->journal.committed.size, before + 1);
}
END_TEST

/* ---- starts ------------------------------------------------------------- */

static void
gone(const char *name)
{
	ck_assert_int_eq(unlink(shell_file(&s, name).b), 0);
}

START_TEST(a_lost_store_needs_the_operator)
{
	char origin[KL_ORIGIN_MAX];
	struct kl_checkpoint c;

	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	memcpy(origin, s.core->journal.origin, sizeof origin);
	shell_stop(&s);
	gone("state/data.mdb");
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS),
	    CORE_EXIT_OPERATOR);
	shell_stop(&s);
	shell_new_store(&s, "disk died");
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS),
	    CORE_EXIT_STOPPED);
	/* A new origin that names the end of the old one. */
	ck_assert_str_ne(s.core->journal.origin, origin);
	ck_assert_int_eq(kl_note_verify(kl_bytes_str(
	    s.core->journal.previous.b), &s.broker.sign_pk, &c), KL_OK);
	ck_assert_str_eq(c.origin, origin);
	ck_assert(s.core->registry.must_report);
	ck_assert_int_ne(access(shell_file(&s, "config/new-store").b, F_OK),
	    0);
	/* It is the decision about one loss only, and it lasts. */
	shell_restart(&s, LETTERS_NOW_MS);
	ck_assert(s.core->registry.must_report);
	shell_stop(&s);
	gone("state/data.mdb");
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS),
	    CORE_EXIT_OPERATOR);
}
END_TEST

/* Not even the mark is left, as after a wiped disk: that is no first start. */
START_TEST(a_state_directory_that_was_emptied_needs_the_operator)
{
	static const char *const all[] = { "state/data.mdb",
		"state/data.mdb-lock", "state/slots", "state/master",
		"state/log.mark" };

	shell_stop(&s);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		gone(all[i]);
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS),
	    CORE_EXIT_OPERATOR);
	shell_stop(&s);
	shell_new_store(&s, "disk died");
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS),
	    CORE_EXIT_STOPPED);
	ck_assert(s.core->registry.must_report);
}
END_TEST

START_TEST(a_first_store_is_no_loss)
{
	ck_assert(!s.core->registry.must_report);
	ck_assert_int_ne(access(shell_file(&s, "config/new-store").b, F_OK),
	    0);
	/* With a log behind it, even that word means a loss. */
	shell_stop(&s);
	gone("state/data.mdb");
	shell_new_store(&s, NULL);
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS),
	    CORE_EXIT_STOPPED);
	ck_assert(s.core->registry.must_report);
}
END_TEST

START_TEST(after_a_loss_nobody_works_before_reporting_in)
{
	const struct kl_sync done = { .step = KL_SYNC_DONE };
	struct shell_answer a;

	shell_stop(&s);
	gone("state/data.mdb");
	shell_new_store(&s, "disk died");
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS),
	    CORE_EXIT_STOPPED);
	(void)shell_edge(&s);
	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
	ck_assert_int_eq(shell_fetch(&s, &s.desk, 0).code,
	    KL_C_NOT_REPORTED_IN);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l),
	    KL_C_NOT_REPORTED_IN);
	SHELL_SEND(&s, &s.practice, KL_SYNC, KL_M_SYNC, &done);
	shell_answer(&s, &a);
	ck_assert_int_eq(a.m.code, KL_C_OK);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	SHELL_SEND(&s, &s.desk, KL_SYNC, KL_M_SYNC, &done);
	shell_answer(&s, &a);
	ck_assert_int_eq(a.m.code, KL_C_OK);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 1);
}
END_TEST

static void
copy(const char *from, const char *to)
{
	char command[2048];
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)snprintf(command, sizeof command, "%s",
		    shell_file(&s, to).b);
		(void)execl("/bin/cp", "cp", "--sparse=always",
		    shell_file(&s, from).b, command, (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

START_TEST(an_old_store_is_never_used_again)
{
	shell_stop(&s);
	copy("state/data.mdb", "state/old.mdb");
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS),
	    CORE_EXIT_STOPPED);
	(void)shell_edge(&s);
	shell_begin(&s, &s.practice);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	s.core->journal.note_ms = 0;
	shell_turn(&s);
	shell_stop(&s);
	ck_assert_int_eq(rename(shell_file(&s, "state/old.mdb").b,
	    shell_file(&s, "state/data.mdb").b), 0);
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS),
	    CORE_EXIT_OPERATOR);
}
END_TEST

/* The whole of the state directory, mark and all. */
START_TEST(a_state_directory_that_was_copied_back_is_not_used)
{
	static const char *const all[] = { "data.mdb", "slots", "master",
		"log.mark" };
	char name[64], kept[64];

	shell_stop(&s);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		(void)snprintf(name, sizeof name, "state/%s", all[i]);
		(void)snprintf(kept, sizeof kept, "config/old.%s", all[i]);
		copy(name, kept);
		gone(name);
	}
	shell_new_store(&s, "disk died");
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS),
	    CORE_EXIT_STOPPED);
	shell_stop(&s);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		(void)snprintf(name, sizeof name, "state/%s", all[i]);
		(void)snprintf(kept, sizeof kept, "config/old.%s", all[i]);
		gone(name);
		copy(kept, name);
	}
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS),
	    CORE_EXIT_OPERATOR);
	/* It is the name that says so. */
	shell_stop(&s);
	gone("config/log.origin");
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS),
	    CORE_EXIT_STOPPED);
}
END_TEST

START_TEST(a_store_whose_mark_is_gone_is_not_used)
{
	shell_stop(&s);
	gone("state/log.mark");
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS),
	    CORE_EXIT_OPERATOR);
}
END_TEST

static void
format_is(struct kl_bytes value)
{
	struct kl_kv_txn *txn;

	ck_assert_int_eq(kl_kv_begin(s.core->kv, &txn), KL_OK);
	ck_assert_int_eq(kl_kv_put(txn, 'm', kl_bytes_str("format"), value),
	    KL_OK);
	ck_assert_int_eq(kl_kv_commit(&txn), KL_OK);
	shell_stop(&s);
}

START_TEST(a_store_of_another_version_is_not_used)
{
	static const uint8_t next[1] = { 200 };

	format_is(KL_BYTES_OF(next));
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS),
	    CORE_EXIT_OPERATOR);
}
END_TEST

START_TEST(a_first_start_that_was_cut_short_is_finished_by_the_next)
{
	/* The file is there, and nothing was committed. */
	shell_stop(&s);
	gone("state/data.mdb");
	gone("state/log.mark");
	gone("state/slots");
	gone("state/master");
	shell_new_store(&s, NULL);
	/* The first one opens the file. */
	fail_commit = 2;
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS),
	    CORE_EXIT_COMMIT);
	shell_restart(&s, LETTERS_NOW_MS);
	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
}
END_TEST

START_TEST(keys_and_cards_that_are_wrong_stop_the_start)
{
	shell_stop(&s);
	ck_assert_int_eq(chmod(shell_file(&s, "config/log.key").b, 0644), 0);
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS),
	    CORE_EXIT_OPERATOR);
	shell_stop(&s);
	ck_assert_int_eq(chmod(shell_file(&s, "config/log.key").b, 0600), 0);
	/* A card of somebody else in the place of the broker's. */
	copy("config/broker.card", "config/kept.card");
	copy("config/cards/1.card", "config/broker.card");
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS),
	    CORE_EXIT_OPERATOR);
	shell_stop(&s);
	copy("config/kept.card", "config/broker.card");
	gone("state/slots");
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS),
	    CORE_EXIT_OPERATOR);
}
END_TEST

START_TEST(a_paper_that_is_wrong_is_passed_over_at_the_start)
{
	int fd;

	shell_stop(&s);
	fd = open(shell_file(&s, "config/cards/4.card").b,
	    O_WRONLY | O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "garbage\n", 8), 8);
	(void)close(fd);
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS),
	    CORE_EXIT_STOPPED);
	ck_assert_uint_eq(s.core->registry.n, 4);
}
END_TEST

START_TEST(the_log_goes_on_where_it_was)
{
	uint64_t size;
	char origin[KL_ORIGIN_MAX];

	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	size = s.core->journal.committed.size;
	memcpy(origin, s.core->journal.origin, sizeof origin);
	shell_restart(&s, LETTERS_NOW_MS);
	ck_assert_uint_eq(s.core->journal.committed.size, size);
	ck_assert_str_eq(s.core->journal.origin, origin);
	/* And no card is logged twice. */
	shell_restart(&s, LETTERS_NOW_MS);
	ck_assert_uint_eq(s.core->journal.committed.size, size);
}
END_TEST

/* Takes the receipt out of its mailbox. */
static void
receipt_ack(const struct party *who)
{
	const struct shell_items i = shell_fetch(&s, who, 0);

	ck_assert_uint_eq(i.n, 1);
	ck_assert_uint_eq(shell_fetch(&s, who, i.item[0].item).n, 0);
}

START_TEST(slots_are_filled_again_while_it_works)
{
	s.conf.open_conversations = 100000;
	for (int i = 0; i < 300; i++) {
		letter_referral(&l, &s.practice, &s.desk);
		shell_deliver(&s, &s.practice, &s.desk, &l);
		receipt_ack(&s.practice);
		letter_feedback(&m, &l, &s.desk, &s.practice, KL_MS_ENDED);
		shell_deliver(&s, &s.desk, &s.practice, &m);
		receipt_ack(&s.desk);
	}
	/* 300 of 512 hold conversations: those of messages serve again. */
	ck_assert_uint_gt(s.core->stats.refilled, 0);
}
END_TEST

static TCase *
tcase(Suite *suite, const char *name)
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	suite_add_tcase(suite, t);
	return t;
}

int
main(void)
{
	Suite *suite = suite_create("core: turn");
	SRunner *r;
	TCase *t;
	int failed;

	if (kl_crypto_init() != KL_OK)
		return EXIT_FAILURE;
	t = tcase(suite, "all or nothing");
	tcase_add_test(t, all_that_waits_is_done_in_one_commit);
	tcase_add_test(t, a_bad_request_leaves_the_others_alone);
	tcase_add_test(t, a_failed_write_undoes_the_whole_turn);
	tcase_add_test(t, a_card_of_an_undone_turn_was_never_there);
	tcase_add_test(t, a_withdrawal_that_fails_anywhere_was_never_there);
	tcase_add_test(t,
	    a_failed_commit_ends_the_process_and_answers_nobody);
	tcase_add_test(t, a_failed_sync_of_erased_keys_ends_the_process);
	tcase_add_test(t, damage_in_the_store_ends_the_process);
	tcase_add_test(t, what_is_due_decides_when_the_next_turn_comes);
	tcase_add_test(t,
	    no_checkpoint_leaves_when_its_mark_cannot_be_written);
	tcase_add_test(t, refusals_of_a_minute_become_one_leaf);
	t = tcase(suite, "starts");
	tcase_add_test(t, a_lost_store_needs_the_operator);
	tcase_add_test(t,
	    a_state_directory_that_was_emptied_needs_the_operator);
	tcase_add_test(t, a_first_store_is_no_loss);
	tcase_add_test(t, after_a_loss_nobody_works_before_reporting_in);
	tcase_add_test(t, an_old_store_is_never_used_again);
	tcase_add_test(t, a_state_directory_that_was_copied_back_is_not_used);
	tcase_add_test(t, a_store_whose_mark_is_gone_is_not_used);
	tcase_add_test(t, a_store_of_another_version_is_not_used);
	tcase_add_test(t,
	    a_first_start_that_was_cut_short_is_finished_by_the_next);
	tcase_add_test(t, keys_and_cards_that_are_wrong_stop_the_start);
	tcase_add_test(t, a_paper_that_is_wrong_is_passed_over_at_the_start);
	tcase_add_test(t, the_log_goes_on_where_it_was);
	tcase_add_test(t, slots_are_filled_again_while_it_works);
	r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
