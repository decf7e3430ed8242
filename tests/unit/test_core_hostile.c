/* What a participant with a valid card may try against the others, and a
 * captured edge against core. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/base/time.h>

#include "broker/core/boot.h"
#include "broker/core/core_main.h"
#include "tests/support/shell.h"

#define ROOMY_MAP_MB 64
#define ROOMY_SLOTS 4096

static struct shell s;
static struct letter l, m, n;

static void
begin_all(void)
{
	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
}

static void
setup(void)
{
	shell_open(&s);
	begin_all();
	letter_referral(&l, &s.practice, &s.desk);
}

static void
store_wipe(void)
{
	static const char *const files[] = { "state/data.mdb",
		"state/data.mdb-lock", "state/log.mark", "state/slots",
		"state/master" };

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		(void)unlink(shell_file(&s, files[i]).b);
}

/* A store of a size at which much can wait. */
static void
setup_roomy(void)
{
	shell_open(&s);
	shell_stop(&s);
	store_wipe();
	s.conf.map_mb = ROOMY_MAP_MB;
	s.conf.slots = ROOMY_SLOTS;
	shell_new_store(&s, NULL);
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS), CORE_EXIT_STOPPED);
	(void)shell_edge(&s);
	begin_all();
	letter_referral(&l, &s.practice, &s.desk);
}

/* The same after a loss. */
static void
setup_lost(void)
{
	shell_open(&s);
	shell_stop(&s);
	store_wipe();
	s.conf.map_mb = ROOMY_MAP_MB;
	s.conf.slots = ROOMY_SLOTS;
	shell_new_store(&s, "disk broke");
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS), CORE_EXIT_STOPPED);
	(void)shell_edge(&s);
	begin_all();
}

static void
teardown(void)
{
	shell_close(&s);
}

static void
submit(const struct party *who, const struct letter *letter)
{
	ck_assert_int_eq(shell_submit(&s, who, letter), KL_C_OK);
}

static void
restart_at(int64_t now_ms)
{
	shell_restart(&s, now_ms);
	begin_all();
}

static uint32_t
state_of(const struct letter *letter)
{
	struct message out;

	ck_assert_int_eq(kl_kv_begin_read(s.core->kv, &s.core->turn.txn),
	    KL_OK);
	ck_assert_int_eq(message_find(&s.core->turn, &letter->e.header.msg_id,
	    &out), KL_OK);
	kl_kv_abort(&s.core->turn.txn);
	return out.state;
}

static void
another_id(struct letter *letter, const struct party *from)
{
	kl_random(letter->e.header.msg_id.b, 16);
	letter_seal(letter, from);
}

/* ---- a consent is used once --------------------------------------------- */

START_TEST(a_referral_is_replaced_once)
{
	submit(&s.practice, &l);
	restart_at(LETTERS_NOW_MS + 20 * KL_DAY_MS);
	ck_assert_uint_eq(state_of(&l), KL_MSG_EXPIRED);

	m = l;
	m.e.header.replaces = l.e.header.msg_id;
	m.e.header.seq = 2;
	m.e.header.created_ms += 20 * KL_DAY_MS;
	m.e.header.deliver_by_ms += 20 * KL_DAY_MS;
	m.e.header.expire_at_ms += 20 * KL_DAY_MS;
	m.e.header.answer_by_ms += 20 * KL_DAY_MS;
	m.e.header.prekey_id = kl_key_id_of(party_prekey(&s.desk, 3).pk.b);
	another_id(&m, &s.practice);
	n = m;
	ck_assert_int_eq(shell_submit(&s, &s.practice, &m), KL_C_OK);
	ck_assert_uint_gt(shell_fetch(&s, &s.desk, 0).n_ct, 0);
	ck_assert_int_eq(shell_receipt(&s, &s.desk, &m, KL_OPENED, KL_C_OK),
	    KL_C_OK);
	/* The one that it names has been replaced already. */
	n.e.header.seq = 3;
	another_id(&n, &s.practice);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &n), KL_C_REPLACES);
}
END_TEST

/* ---- one request must not cost the others their turn --------------------- */

/* A turn with a request of the practice and one of the desk; what the desk is
 * answered. */
static enum kl_code
desk_beside(const struct letter *of_practice)
{
	const struct kl_submit q = { .envelope =
		kl_bytes(of_practice->envelope.b, of_practice->envelope.n) };
	const struct kl_directory d = { .after = 0 };
	enum kl_code code = KL_C_TRY_LATER;
	struct shell_answer a;

	shell_send(&s, &s.practice, KL_SUBMIT, KL_M_SUBMIT, &q, sizeof q,
	    kl_bytes(of_practice->ct, of_practice->ct_n));
	SHELL_SEND(&s, &s.desk, KL_DIRECTORY, KL_M_DIRECTORY, &d);
	shell_turn(&s);
	while (shell_take(&s, &a))
		if (a.m.request == KL_DIRECTORY)
			code = (enum kl_code)a.m.code;
	return code;
}

START_TEST(a_repeat_of_what_is_half_forgotten_undoes_no_turn)
{
	struct conversation c;

	/* Released and never receipted: remembered until 90 days after its
	 * term, and so longer than its conversation. */
	submit(&s.practice, &l);
	(void)shell_fetch(&s, &s.desk, 0);
	restart_at(LETTERS_NOW_MS + 20 * KL_DAY_MS);
	ck_assert_uint_eq(state_of(&l), KL_MSG_UNCONFIRMED);
	ck_assert_int_eq(kl_kv_begin(s.core->kv, &s.core->turn.txn), KL_OK);
	ck_assert_int_eq(conversation_by_id(&s.core->turn,
	    &l.e.header.conv_id, &c), KL_OK);
	ck_assert_int_eq(conversation_drop(&s.core->turn, &c), KL_OK);
	ck_assert_int_eq(kl_kv_commit(&s.core->turn.txn), KL_OK);

	ck_assert_int_eq(desk_beside(&l), KL_C_OK);
	ck_assert_uint_eq(s.core->stats.undone, 0);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l),
	    KL_C_CONVERSATION_ENDED);
}
END_TEST

START_TEST(an_envelope_of_a_forgotten_conversation_holds_up_nobody)
{
	struct conversation c;

	submit(&s.practice, &l);
	ck_assert_int_eq(kl_kv_begin(s.core->kv, &s.core->turn.txn), KL_OK);
	ck_assert_int_eq(conversation_by_id(&s.core->turn,
	    &l.e.header.conv_id, &c), KL_OK);
	ck_assert_int_eq(conversation_drop(&s.core->turn, &c), KL_OK);
	ck_assert_int_eq(kl_kv_commit(&s.core->turn.txn), KL_OK);

	letter_referral(&m, &s.practice, &s.desk);
	submit(&s.practice, &m);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 1);
	ck_assert_uint_eq(state_of(&m), KL_MSG_RELEASED);
	ck_assert_uint_eq(s.core->stats.undone, 0);
}
END_TEST

/* A REFERRAL of the same conversation as l, `days` later. */
static void
same_conversation(struct letter *out, int days)
{
	const int64_t late_ms = days * KL_DAY_MS;
	const int64_t weeks = (kl_week_start_ms(LETTERS_NOW_MS + late_ms) -
	    kl_week_start_ms(LETTERS_NOW_MS)) / KL_WEEK_MS;

	letter_referral(out, &s.practice, &s.desk);
	out->e.header.conv_id = l.e.header.conv_id;
	out->e.header.created_ms += late_ms;
	out->e.header.deliver_by_ms += late_ms;
	out->e.header.expire_at_ms += late_ms;
	out->e.header.answer_by_ms += late_ms;
	out->e.consent.given_on += (uint32_t)days;
	out->e.consent.valid_until += (uint32_t)days;
	out->e.header.prekey_id = kl_key_id_of(party_prekey(&s.desk,
	    (unsigned int)weeks).pk.b);
	letter_seal(out, &s.practice);
}

START_TEST(a_conversation_id_that_comes_again_opens_nothing_old)
{
	struct shell_items i;

	/* Of the first one there stay: statements for the practice, and a
	 * message that is uncertain. */
	l.e.consent.valid_until = (uint32_t)kl_day_of(LETTERS_NOW_MS) + 1;
	letter_seal(&l, &s.practice);
	shell_deliver(&s, &s.practice, &s.desk, &l);
	letter_feedback(&m, &l, &s.desk, &s.practice, KL_MS_ENDED);
	m.e.header.expire_at_ms = m.e.header.created_ms + 42 * KL_DAY_MS;
	letter_seal(&m, &s.desk);
	submit(&s.desk, &m);
	ck_assert_uint_eq(shell_fetch(&s, &s.practice, 0).n_ct, 1);
	restart_at(LETTERS_NOW_MS + 95 * KL_DAY_MS);
	for (int j = 0; j < 8; j++) {
		s.core->housekeeping_ms = 0;
		shell_turn(&s);
	}
	ck_assert_uint_eq(state_of(&m), KL_MSG_UNCONFIRMED);

	same_conversation(&n, 95);
	submit(&s.practice, &n);
	ck_assert_int_eq(shell_receipt(&s, &s.practice, &m, KL_OPENED,
	    KL_C_OK), KL_C_MESSAGE_UNKNOWN);
	ck_assert_int_eq(shell_submit(&s, &s.desk, &m),
	    KL_C_CONVERSATION_ENDED);
	i = shell_fetch(&s, &s.practice, 0);
	ck_assert_int_eq(i.code, KL_C_OK);
	ck_assert_uint_eq(i.n, 0);
	ck_assert_int_eq(s.core->exit, CORE_EXIT_STOPPED);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 1);
}
END_TEST

START_TEST(after_a_turn_was_undone_others_go_on_alone)
{
	const struct kl_directory d = { .after = 0 };
	struct shell_answer a;
	size_t ok = 0;

	/* As after a turn that failed: one request is one turn. */
	s.core->careful = 4;
	for (int i = 0; i < 3; i++)
		SHELL_SEND(&s, &s.desk, KL_DIRECTORY, KL_M_DIRECTORY, &d);
	shell_turn(&s);
	while (shell_take(&s, &a))
		ok++;
	ck_assert_uint_eq(ok, 1);
	shell_turn(&s);
	shell_turn(&s);
	while (shell_take(&s, &a))
		ok++;
	ck_assert_uint_eq(ok, 3);
}
END_TEST

/* ---- much that ends at once ---------------------------------------------- */

/* One FETCH and what acknowledges it; how many statements came. No envelope
 * may. */
static size_t
drain(const struct party *who)
{
	struct shell_items i = shell_fetch(&s, who, 0);
	struct kl_item_ack ack = { .n_item = i.n };
	struct shell_answer a;

	ck_assert_uint_eq(i.n_ct, 0);
	for (size_t j = 0; j < i.n; j++)
		ack.item[j] = i.item[j].item;
	SHELL_SEND(&s, who, KL_ITEM_ACK, KL_M_ITEM_ACK, &ack);
	shell_answer(&s, &a);
	ck_assert_uint_eq(a.m.code, KL_C_OK);
	return i.n;
}

#define FLOODS 6
#define CORRECTIONS 220

START_TEST(no_gap_comes_before_the_referral_that_it_is_behind)
{
	static struct letter before[KL_FETCH_ENVELOPES_MAX];
	struct shell_items i;

	for (size_t j = 0; j < KL_FETCH_ENVELOPES_MAX; j++) {
		letter_referral(&before[j], &s.practice, &s.desk);
		submit(&s.practice, &before[j]);
	}
	submit(&s.practice, &l);
	letter_correction(&m, &l, &s.practice, &s.desk);
	m.e.header.deliver_by_ms = m.e.header.expire_at_ms =
	    LETTERS_NOW_MS + KL_HOUR_MS;
	letter_seal(&m, &s.practice);
	submit(&s.practice, &m);
	restart_at(LETTERS_NOW_MS + 2 * KL_HOUR_MS);
	s.core->housekeeping_ms = 0;
	shell_turn(&s);
	ck_assert_uint_eq(state_of(&m), KL_MSG_EXPIRED);
	/* Who knows no such conversation would pass over it. */
	i = shell_fetch(&s, &s.desk, 0);
	ck_assert_uint_eq(i.n_ct, KL_FETCH_ENVELOPES_MAX);
	ck_assert_uint_eq(i.n, KL_FETCH_ENVELOPES_MAX);
	for (size_t j = 0; j < KL_FETCH_ENVELOPES_MAX; j++)
		ck_assert_int_eq(shell_receipt(&s, &s.desk, &before[j],
		    KL_OPENED, KL_C_OK), KL_C_OK);
	i = shell_fetch(&s, &s.desk, 0);
	ck_assert_uint_eq(i.n_ct, 1);
	ck_assert_uint_eq(i.n, 2);
	ck_assert_uint_eq(shell_notice(&s, &i.item[1]).notice,
	    KL_NOTICE_GAP);
}
END_TEST

START_TEST(what_ends_at_a_fetch_never_is_too_much_for_it)
{
	uint64_t gaps = 0;

	s.conf.requests_per_minute = 1 << 20;
	for (int i = 0; i < FLOODS; i++) {
		letter_referral(&l, &s.practice, &s.desk);
		l.e.consent.valid_until = (uint32_t)kl_day_of(LETTERS_NOW_MS);
		letter_seal(&l, &s.practice);
		submit(&s.practice, &l);
		for (uint32_t j = 0; j < CORRECTIONS; j++) {
			letter_correction(&m, &l, &s.practice, &s.desk);
			m.e.header.seq = 2 + j;
			letter_seal(&m, &s.practice);
			submit(&s.practice, &m);
		}
	}
	/* The consents are past; the whole mailbox ends when it is asked. */
	restart_at(LETTERS_NOW_MS + KL_DAY_MS);
	for (int i = 0; i < 2 * FLOODS * CORRECTIONS &&
	    state_of(&m) == KL_MSG_ACCEPTED; i++)
		gaps += drain(&s.desk);
	ck_assert_uint_eq(s.core->stats.undone, 0);
	ck_assert_uint_eq(state_of(&l), KL_MSG_DEAD);
	ck_assert_uint_eq(state_of(&m), KL_MSG_DEAD);
	ck_assert_uint_gt(gaps, 100);
}
END_TEST

START_TEST(one_conversation_does_not_hide_the_others)
{
	struct shell_items i;

	submit(&s.practice, &l);
	for (uint32_t j = 0; j < 300; j++) {
		letter_correction(&m, &l, &s.practice, &s.desk);
		m.e.header.seq = 2 + j;
		letter_seal(&m, &s.practice);
		submit(&s.practice, &m);
	}
	letter_referral(&n, &s.practice, &s.desk);
	submit(&s.practice, &n);
	i = shell_fetch(&s, &s.desk, 0);
	ck_assert_uint_eq(i.n_ct, 2);
	ck_assert_mem_eq(i.item[1].content.p, n.envelope.b, n.envelope.n);
}
END_TEST

/* ---- after a loss ------------------------------------------------------- */

#define PAGES 70
#define PAGE KL_PRESENT_MAX

static void
page_send(void)
{
	static uint8_t entry[PAGE][KL_ENVELOPE_MAX + 16];
	struct kl_sync m = { .step = KL_SYNC_PRESENT, .n_presented = PAGE };

	for (size_t i = 0; i < PAGE; i++) {
		struct kl_entry e = { .statement = KL_ENTRY_REFERRAL };
		size_t size;

		letter_referral(&l, &s.practice, &s.desk);
		e.content = kl_bytes(l.envelope.b, l.envelope.n);
		ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_ENTRY, &e, entry[i],
		    sizeof entry[i], &size), KL_OK);
		m.presented[i] = kl_bytes(entry[i], size);
	}
	SHELL_SEND(&s, &s.practice, KL_SYNC, KL_M_SYNC, &m);
}

START_TEST(all_come_back_at_once_and_no_turn_is_too_small_for_them)
{
	struct shell_answer a;
	size_t ok = 0;

	s.conf.open_conversations = PAGES * PAGE;
	for (int i = 0; i < PAGES; i++)
		page_send();
	for (int i = 0; i < 4; i++)
		shell_turn(&s);
	while (shell_take(&s, &a))
		ok += a.m.code == KL_C_OK ? 1 : 0;
	ck_assert_uint_eq(ok, PAGES);
	ck_assert_uint_eq(s.core->stats.undone, 0);
}
END_TEST

START_TEST(what_is_presented_counts_as_sent)
{
	struct shell_answer a;

	s.conf.bytes_per_day_mb = 0;
	page_send();
	shell_answer(&s, &a);
	ck_assert_uint_eq(a.m.code, KL_C_QUOTA_BYTES);
	ck_assert_uint_gt(a.m.retry_after_ms, 0);
}
END_TEST

START_TEST(what_cannot_be_taken_now_costs_no_allowance)
{
	const struct session *session = &s.core->session[registry_by_id(
	    &s.core->registry, &s.practice.id)->number - 1];
	struct shell_answer a;
	struct kl_sync_reply r;

	s.core->full = true;
	s.core->full_asked_ms = kl_mono_ms();
	page_send();
	shell_answer(&s, &a);
	ck_assert_uint_eq(a.m.code, KL_C_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_SYNC_REPLY, a.m.body, s.mem,
	    &r), KL_C_OK);
	ck_assert_uint_eq(r.result[0], KL_C_STORE_FULL);
	ck_assert_uint_eq(session->bytes, 0);
	s.core->full = false;
	page_send();
	shell_answer(&s, &a);
	ck_assert_uint_eq(a.m.code, KL_C_OK);
	ck_assert_uint_gt(session->bytes, 0);
}
END_TEST

/* ---- take-overs ---------------------------------------------------------- */

START_TEST(take_overs_do_not_fill_the_log)
{
	const uint64_t before = s.core->journal.range.size;
	struct kl_hello h = { .take_over = KL_YES, .schema_min = 1,
		.schema_max = 1 };

	for (uint64_t i = 0; i < 200; i++) {
		h.epoch = i + 10;
		kl_random(h.instance.b, sizeof h.instance.b);
		(void)shell_hello(&s, &s.desk, &h);
	}
	ck_assert_uint_le(s.core->journal.range.size - before, 4);
}
END_TEST

/* ---- the clock ----------------------------------------------------------- */

START_TEST(a_clock_set_back_releases_nothing_past_its_consent)
{
	l.e.consent.valid_until = (uint32_t)kl_day_of(LETTERS_NOW_MS);
	letter_seal(&l, &s.practice);
	submit(&s.practice, &l);
	/* The day after; then the clock is set back. */
	restart_at(LETTERS_NOW_MS + KL_DAY_MS);
	restart_at(LETTERS_NOW_MS);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 0);
	/* Nor is it ended by a clock that nobody trusts. */
	ck_assert_uint_eq(state_of(&l), KL_MSG_ACCEPTED);
	/* When it is right again, it ends. */
	restart_at(LETTERS_NOW_MS + 2 * KL_DAY_MS);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 0);
	ck_assert_uint_eq(state_of(&l), KL_MSG_DEAD);
}
END_TEST

START_TEST(a_clock_that_jumps_ends_nothing_at_a_fetch)
{
	submit(&s.practice, &l);
	s.core->clock.offset_ms += 20 * KL_DAY_MS;
	(void)shell_fetch(&s, &s.desk, 0);
	ck_assert_int_eq(s.core->retain.hold.why, KL_HOLD_JUMP);
	ck_assert_uint_eq(state_of(&l), KL_MSG_ACCEPTED);
}
END_TEST

/* A statement about a letter, as a receipt puts one there. */
static void
statement_put(const struct party *who, const struct letter *letter)
{
	const struct participant *p = registry_by_id(&s.core->registry,
	    &who->id);
	struct turn *t = &s.core->turn;
	struct conversation c;

	ck_assert_int_eq(kl_kv_begin(s.core->kv, &t->txn), KL_OK);
	ck_assert_int_eq(conversation_by_id(t, &letter->e.header.conv_id,
	    &c), KL_OK);
	ck_assert_int_eq(mailbox_put_statement(t, &c, p->number, KL_RECEIPT,
	    kl_bytes_str("receipt")), KL_OK);
	ck_assert_int_eq(kl_kv_commit(&t->txn), KL_OK);
}

/* Half of them for the desk and half for who succeeds it; by a clock that
 * nobody trusts their consents are past, so that none may go and none ends. */
#define STUCK 130

START_TEST(more_that_waits_for_the_clock_than_one_fetch_looks_at)
{
	struct party heir = party_make(KL_MUNICIPALITY,
	    "oin:00000001234567890002");
	struct kl_card c = party_card(&heir);
	struct shell_items i;

	s.conf.open_conversations = 2 * STUCK;
	ck_assert_int_eq(shell_card(&s, &c), KL_C_OK);
	(void)shell_verdict(&s, &heir);
	shell_begin(&s, &heir);
	for (int j = 0; j < 2 * STUCK; j++) {
		letter_referral(&l, &s.practice, j < STUCK ? &s.desk : &heir);
		l.e.consent.valid_until = (uint32_t)kl_day_of(LETTERS_NOW_MS);
		letter_seal(&l, &s.practice);
		submit(&s.practice, &l);
	}
	memcpy(c.serial, "another serial..", sizeof c.serial);
	c.succeeds = s.desk.id;
	c.succeeds_from_ms = LETTERS_NOW_MS - KL_DAY_MS;
	ck_assert_int_eq(shell_card(&s, &c), KL_C_OK);
	/* Behind all of it, what no clock keeps back. */
	statement_put(&s.desk, &l);
	s.core->clock.offset_ms += KL_DAY_MS;
	i = shell_fetch(&s, &heir, 0);
	ck_assert_int_eq(i.code, KL_C_OK);
	ck_assert_uint_eq(i.n_ct, 0);
	ck_assert_uint_eq(i.n, 1);
	ck_assert_uint_eq(state_of(&l), KL_MSG_ACCEPTED);
	party_clear(&heir);
}
END_TEST

/* ---- a captured edge ----------------------------------------------------- */

START_TEST(an_edge_that_floods_ends_no_turn_of_core)
{
	const struct pipe_msg reset = { .type = PIPE_RESET, .generation = 7 };
	struct pipe_msg got;
	int sent = 0, left = 0;

	while (sent < 20000 && pipe_send(s.fd[1], &reset) == KL_OK)
		sent++;
	ck_assert_int_gt(sent, 4 * TURN_MESSAGES_MAX);
	shell_turn(&s);
	while (pipe_recv(s.fd[0], s.core->in, PIPE_MSG_MAX, &got) == KL_OK)
		left++;
	ck_assert_int_gt(left, 0);
}
END_TEST

/* ---- a store that went back ---------------------------------------------- */

static struct kl_note
checkpoint(void)
{
	s.core->journal.note_ms = 0;
	ck_assert_int_eq(kl_kv_begin_read(s.core->kv, &s.core->turn.txn),
	    KL_OK);
	ck_assert_int_eq(journal_sign(&s.core->journal, s.core->turn.txn,
	    shell_now_ms(&s), s.core->mark_path, s.core->mem), KL_OK);
	kl_kv_abort(&s.core->turn.txn);
	return s.core->journal.note;
}

START_TEST(a_checkpoint_of_another_branch_stops_the_broker)
{
	struct kl_hello h = { .take_over = KL_NO, .schema_min = 1,
		.schema_max = 1, .epoch = 50 };
	struct kl_checkpoint c = { .size = 2 };
	struct kl_note note;
	struct shell_answer a;

	/* Signed by this broker over two leaves that are not these: its store
	 * went back, and has grown past it since. */
	submit(&s.practice, &l);
	(void)checkpoint();
	memcpy(c.origin, s.core->journal.origin, sizeof c.origin);
	kl_random(c.root.b, sizeof c.root.b);
	ck_assert_int_eq(kl_note_sign(&c, s.core->log_sk, &note), KL_OK);
	ck_assert_uint_gt(s.core->journal.range.size, 2);
	memcpy(h.instance.b, s.desk.serial, sizeof h.instance.b);
	h.note = kl_bytes_str(note.b);
	SHELL_SEND(&s, &s.desk, KL_HELLO, KL_M_HELLO, &h);
	shell_answer(&s, &a);
	ck_assert_int_eq(s.core->exit, CORE_EXIT_OPERATOR);
}
END_TEST

START_TEST(an_older_checkpoint_is_welcome)
{
	struct kl_hello h = { .take_over = KL_NO, .schema_min = 1,
		.schema_max = 1, .epoch = 50 };
	const struct kl_note old = checkpoint();

	submit(&s.practice, &l);
	memcpy(h.instance.b, s.desk.serial, sizeof h.instance.b);
	h.note = kl_bytes_str(old.b);
	ck_assert_int_eq(shell_hello(&s, &s.desk, &h), KL_C_OK);
	ck_assert_int_eq(s.core->exit, CORE_EXIT_STOPPED);
}
END_TEST

START_TEST(a_checkpoint_that_was_never_written_is_not_missed)
{
	const struct kl_clock real = { 0 };

	shell_stop(&s);
	store_wipe();
	shell_new_store(&s, NULL);
	/* The disk takes the store, but not the mark. */
	ck_assert_int_eq(pipe_pair(s.fd), KL_OK);
	s.core = calloc(1, sizeof *s.core);
	ck_assert_ptr_nonnull(s.core);
	s.core->conf = &s.conf;
	s.core->pipe_fd = s.fd[0];
	s.core->clock.offset_ms = LETTERS_NOW_MS - kl_clock_now_ms(&real);
	ck_assert_int_eq(boot_open(s.core), CORE_EXIT_STOPPED);
	memcpy(s.core->mark_path, "/nowhere/log.mark", 18);
	ck_assert_int_eq(boot_settle(s.core), CORE_EXIT_STOPPED);
	shell_restart(&s, LETTERS_NOW_MS);
	begin_all();
	submit(&s.practice, &l);
}
END_TEST

/* ---- the log is asked for what is not one's own -------------------------- */

static enum kl_code
query(const struct party *who, const struct kl_query *q,
    struct kl_query_reply *r)
{
	struct shell_answer a;

	memset(r, 0, sizeof *r);
	SHELL_SEND(&s, who, KL_QUERY, KL_M_QUERY, q);
	shell_answer(&s, &a);
	if (a.m.code == KL_C_OK)
		ck_assert_int_eq(KL_MESSAGE_READ(KL_M_QUERY_REPLY, a.m.body,
		    s.mem, r), KL_C_OK);
	return (enum kl_code)a.m.code;
}

static struct kl_bytes
what_of(const struct kl_query_what *w)
{
	static uint8_t buf[256];
	size_t n;

	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_QUERY_WHAT, w, buf, sizeof buf,
	    &n), KL_OK);
	return kl_bytes(buf, n);
}

/* Whatever leaf is shown as a ticket: each of the log, and those that it has
 * not. */
START_TEST(no_ticket_of_another_opens_anything)
{
	const struct kl_query_what w = { .event = KL_EV_ACCEPTED };
	struct kl_query q = { .want = KL_QUERY_RECORDS,
		.what = what_of(&w) };
	struct kl_query_reply r;
	uint64_t own;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	ck_assert_int_eq(query(&s.desk, &q, &r), KL_C_OK);
	shell_begin(&s, &s.auditor);
	ck_assert_int_eq(query(&s.auditor, &q, &r), KL_C_OK);
	own = r.ticket;
	for (q.ticket = 1; q.ticket < own + 300; q.ticket++)
		if (q.ticket != own)
			ck_assert_int_eq(query(&s.auditor, &q, &r),
			    KL_C_TICKET);
	q.ticket = own;
	ck_assert_int_eq(query(&s.auditor, &q, &r), KL_C_OK);
	ck_assert_uint_eq(r.n_logged, 0);
}
END_TEST

/* With every field that may name somebody, one alone and all together. */
START_TEST(nobody_crosses_over_by_what_he_asks)
{
	struct kl_query_what w[6] = { { .event = 0 } };
	struct kl_query q = { .want = KL_QUERY_RECORDS };
	struct kl_query_reply r;
	struct conversation v;

	shell_deliver(&s, &s.practice, &s.desk, &l);
	shell_begin(&s, &s.auditor);
	ck_assert_int_eq(kl_kv_begin_read(s.core->kv, &s.core->turn.txn),
	    KL_OK);
	ck_assert_int_eq(conversation_by_id(&s.core->turn,
	    &l.e.header.conv_id, &v), KL_OK);
	kl_kv_abort(&s.core->turn.txn);
	w[0].sender = s.practice.id;
	w[1].receiver = s.desk.id;
	w[2].conv_ref = v.ref;
	memcpy(w[3].message, l.e.header.msg_id.b, 16);
	memcpy(w[4].message, v.id.b, 16);
	w[5] = (struct kl_query_what){ .sender = s.practice.id,
		.receiver = s.desk.id, .conv_ref = v.ref };
	for (int i = 0; i < 6; i++) {
		q.what = what_of(&w[i]);
		ck_assert_int_eq(query(&s.auditor, &q, &r), KL_C_OK);
		ck_assert_uint_eq(r.n_logged, 0);
		ck_assert_uint_eq(r.next, 0);
		ck_assert_int_eq(query(&s.desk, &q, &r), KL_C_OK);
		ck_assert_uint_gt(r.n_logged, 0);
	}
	memcpy(w[0].spoken, v.spoken, 9);
	q.what = what_of(&w[0]);
	ck_assert_int_eq(query(&s.auditor, &q, &r), KL_C_REFERRAL_UNKNOWN);
}
END_TEST

START_TEST(no_bytes_that_ask_the_log_stop_the_broker)
{
	static const uint32_t requests[] = { KL_QUERY, KL_LOG };
	const struct kl_query_what w = { .sender = s.desk.id };
	const struct kl_query q = { .want = KL_QUERY_RECORDS,
		.what = what_of(&w), .ticket = 1, .from = UINT64_MAX };
	uint8_t whole[512], bad[512];
	struct shell_answer a;
	size_t size;

	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_QUERY, &q, whole, sizeof whole,
	    &size), KL_OK);
	for (int i = 0; i < 2000; i++) {
		const size_t at = (size_t)i % size;

		memcpy(bad, whole, size);
		kl_random(bad + at, 1);
		shell_send_from(&s, &s.desk, 0, requests[i % 2],
		    kl_bytes(bad, i % 3 == 0 ? at : size), KL_BYTES_NONE);
		shell_answer(&s, &a);
		ck_assert_int_eq(s.core->exit, CORE_EXIT_STOPPED);
	}
	submit(&s.practice, &l);
}
END_TEST

static Suite *
suite(void)
{
	Suite *suite = suite_create("core_hostile");
	TCase *tc = tcase_create("peers");
	TCase *roomy = tcase_create("floods");
	TCase *lost = tcase_create("after a loss");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_referral_is_replaced_once);
	tcase_add_test(tc, a_repeat_of_what_is_half_forgotten_undoes_no_turn);
	tcase_add_test(tc,
	    an_envelope_of_a_forgotten_conversation_holds_up_nobody);
	tcase_add_test(tc,
	    a_conversation_id_that_comes_again_opens_nothing_old);
	tcase_add_test(tc,
	    no_gap_comes_before_the_referral_that_it_is_behind);
	tcase_add_test(tc, after_a_turn_was_undone_others_go_on_alone);
	tcase_add_test(tc, take_overs_do_not_fill_the_log);
	tcase_add_test(tc, a_clock_set_back_releases_nothing_past_its_consent);
	tcase_add_test(tc, a_clock_that_jumps_ends_nothing_at_a_fetch);
	tcase_add_test(tc, an_edge_that_floods_ends_no_turn_of_core);
	tcase_add_test(tc, a_checkpoint_of_another_branch_stops_the_broker);
	tcase_add_test(tc, an_older_checkpoint_is_welcome);
	tcase_add_test(tc, a_checkpoint_that_was_never_written_is_not_missed);
	tcase_add_test(tc, no_ticket_of_another_opens_anything);
	tcase_add_test(tc, nobody_crosses_over_by_what_he_asks);
	tcase_add_test(tc, no_bytes_that_ask_the_log_stop_the_broker);
	suite_add_tcase(suite, tc);

	tcase_add_checked_fixture(roomy, setup_roomy, teardown);
	tcase_set_timeout(roomy, 120);
	tcase_add_test(roomy, what_ends_at_a_fetch_never_is_too_much_for_it);
	tcase_add_test(roomy, one_conversation_does_not_hide_the_others);
	tcase_add_test(roomy,
	    more_that_waits_for_the_clock_than_one_fetch_looks_at);
	suite_add_tcase(suite, roomy);

	tcase_add_checked_fixture(lost, setup_lost, teardown);
	tcase_set_timeout(lost, 120);
	tcase_add_test(lost,
	    all_come_back_at_once_and_no_turn_is_too_small_for_them);
	tcase_add_test(lost, what_is_presented_counts_as_sent);
	tcase_add_test(lost, what_cannot_be_taken_now_costs_no_allowance);
	suite_add_tcase(suite, lost);
	return suite;
}

int
main(void)
{
	SRunner *r;
	int failed;

	if (kl_crypto_init() != KL_OK)
		return EXIT_FAILURE;
	r = srunner_create(suite());
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
