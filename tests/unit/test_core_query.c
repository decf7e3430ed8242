/* What is asked of the log, by whom, and what nobody is told. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/secret.h>

#include "broker/core/approvals.h"
#include "broker/core/cycle.h"
#include "broker/core/daily.h"
#include "broker/core/query.h"
#include "tests/support/shell.h"

#define FOUND_MAX 1024
#define NEW_MAX 60		/* of a participant in a minute */

static struct shell s;
static struct letter l, m;
static struct party reader;	/* an auditor whose card names the practice */
static struct party other;	/* another practice */

static void
reads_card(const struct party *who, const struct kl_id *id, uint32_t all)
{
	struct kl_card c = party_card(who);

	c.reads_all = all;
	if (id != NULL)
		c.reads[c.n_reads++] = *id;
	ck_assert_int_eq(shell_card(&s, &c), KL_C_OK);
}

static void
setup(void)
{
	shell_open(&s);
	other = party_make(KL_PRACTICE, "agb:76543210");
	shell_enrol(&s, &other);
	reader = party_make(KL_AUDITOR, "kvk:11112222");
	reads_card(&reader, &s.practice.id, KL_NO);
	(void)shell_edge(&s);
	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
	shell_begin(&s, &other);
	shell_begin(&s, &s.auditor);
	shell_begin(&s, &reader);
	letter_referral(&l, &s.practice, &s.desk);
	shell_deliver(&s, &s.practice, &s.desk, &l);
	letter_referral(&m, &other, &s.desk);
	/* What was delivered is erased in the next one. */
	shell_turn(&s);
}

static void
teardown(void)
{
	party_clear(&reader);
	party_clear(&other);
	shell_close(&s);
}

/* ---- asking ------------------------------------------------------------- */

static struct kl_bytes
packed_what(const struct kl_query_what *w)
{
	static uint8_t buf[256];
	size_t n;

	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_QUERY_WHAT, w, buf, sizeof buf,
	    &n), KL_OK);
	return kl_bytes(buf, n);
}

/* One request; the reply is valid until the next. */
static enum kl_code
ask(const struct party *who, const struct kl_query *q,
    struct kl_query_reply *r)
{
	struct shell_answer a;

	memset(r, 0, sizeof *r);
	SHELL_SEND(&s, who, KL_QUERY, KL_M_QUERY, q);
	shell_answer(&s, &a);
	if (a.m.code == KL_C_OK)
		ck_assert_int_eq(KL_MESSAGE_READ(KL_M_QUERY_REPLY, a.m.body,
		    s.mem, r), KL_C_OK);
	else
		ck_assert_uint_eq(a.m.body.n, 0);
	return (enum kl_code)a.m.code;
}

struct found {
	struct kl_record r[FOUND_MAX];
	uint64_t leaf[FOUND_MAX];
	size_t n;
	uint64_t ticket;
	unsigned int pages;
};

static void
found_add(struct found *f, struct kl_bytes packed)
{
	struct kl_logged g;

	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOGGED, packed, s.mem, &g),
	    KL_C_OK);
	ck_assert_uint_lt(f->n, FOUND_MAX);
	ck_assert_int_eq(KL_STATEMENT_READ(KL_S_RECORD, g.record, s.mem,
	    &f->r[f->n]), KL_C_OK);
	f->leaf[f->n++] = g.leaf;
}

/* All pages. */
static enum kl_code
find(const struct party *who, const struct kl_query_what *w,
    struct found *f)
{
	struct kl_query q = { .want = KL_QUERY_RECORDS,
		.what = packed_what(w) };
	struct kl_query_reply r;
	enum kl_code code;

	memset(f, 0, sizeof *f);
	do {
		if ((code = ask(who, &q, &r)) != KL_C_OK)
			return code;
		for (size_t i = 0; i < r.n_logged; i++)
			found_add(f, r.logged[i]);
		f->pages++;
		f->ticket = q.ticket = r.ticket;
		q.from = r.next;
	} while (r.next != 0);
	return KL_C_OK;
}

static size_t
count(const struct party *who, const struct kl_query_what *w)
{
	static struct found f;

	ck_assert_int_eq(find(who, w, &f), KL_C_OK);
	return f.n;
}

/* Of one event. */
static size_t
events(const struct party *who, uint32_t event)
{
	const struct kl_query_what w = { .event = event };

	return count(who, &w);
}

static struct conversation
conversation_of(const struct letter *letter)
{
	struct conversation v;

	ck_assert_int_eq(kl_kv_begin_read(s.core->kv, &s.core->turn.txn),
	    KL_OK);
	ck_assert_int_eq(conversation_by_id(&s.core->turn,
	    &letter->e.header.conv_id, &v), KL_OK);
	kl_kv_abort(&s.core->turn.txn);
	return v;
}

static struct kl_record
record_of(uint64_t leaf)
{
	struct journal_leaf g;
	struct kl_record r;

	ck_assert_int_eq(kl_kv_begin_read(s.core->kv, &s.core->turn.txn),
	    KL_OK);
	ck_assert_int_eq(journal_record(&s.core->journal, s.core->turn.txn,
	    leaf, s.mem, &g), KL_OK);
	kl_kv_abort(&s.core->turn.txn);
	ck_assert_int_eq(KL_STATEMENT_READ(KL_S_RECORD, g.record, s.mem, &r),
	    KL_C_OK);
	return r;
}

static uint64_t
leaves(void)
{
	return s.core->journal.committed.size;
}

/* ---- who reads what ----------------------------------------------------- */

START_TEST(a_participant_reads_what_it_sent_and_got)
{
	static struct found f;
	const struct kl_query_what w = { .conv_ref =
		conversation_of(&l).ref };

	ck_assert_int_eq(find(&s.practice, &w, &f), KL_C_OK);
	ck_assert_uint_eq(f.n, 4);
	ck_assert_uint_eq(f.r[0].event, KL_EV_ACCEPTED);
	ck_assert_uint_eq(f.r[1].event, KL_EV_RELEASED);
	ck_assert_uint_eq(f.r[2].event, KL_EV_DELIVERED);
	ck_assert_uint_eq(f.r[3].event, KL_EV_ERASED);
	ck_assert_uint_eq(count(&s.desk, &w), 4);
	ck_assert_uint_eq(count(&other, &w), 0);
	ck_assert_uint_eq(count(&s.auditor, &w), 0);
	/* And that the practice has asked. */
	ck_assert_uint_eq(count(&reader, &w), 5);
}
END_TEST

START_TEST(nothing_of_others_is_in_any_answer)
{
	const struct kl_query_what all = { .event = 0 };
	static struct found f;

	ck_assert_int_eq(shell_submit(&s, &other, &m), KL_C_OK);
	ck_assert_int_eq(find(&s.practice, &all, &f), KL_C_OK);
	for (size_t i = 0; i < f.n; i++)
		ck_assert((kl_id_none(&f.r[i].org_from) &&
		    kl_id_none(&f.r[i].org_to)) ||
		    kl_id_equal(&f.r[i].org_from, &s.practice.id) ||
		    kl_id_equal(&f.r[i].org_to, &s.practice.id));
	ck_assert_int_eq(find(&reader, &all, &f), KL_C_OK);
	for (size_t i = 0; i < f.n; i++)
		ck_assert((kl_id_none(&f.r[i].org_from) &&
		    kl_id_none(&f.r[i].org_to)) ||
		    kl_id_equal(&f.r[i].org_from, &reader.id) ||
		    kl_id_equal(&f.r[i].org_from, &s.practice.id) ||
		    kl_id_equal(&f.r[i].org_to, &s.practice.id));
}
END_TEST

START_TEST(what_names_no_organisation_everybody_reads)
{
	const struct party *who[] = { &s.practice, &s.auditor, &reader };

	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(events(who[i], KL_EV_ORIGIN), 1);
		ck_assert_uint_eq(events(who[i], KL_EV_POLICY), 1);
	}
}
END_TEST

START_TEST(all_without_an_approval_is_nobody)
{
	struct party all = party_make(KL_AUDITOR, "kvk:11113333");

	reads_card(&all, NULL, KL_YES);
	shell_begin(&s, &all);
	ck_assert_uint_eq(events(&all, KL_EV_ACCEPTED), 0);
	ck_assert_uint_eq(events(&all, KL_EV_ORIGIN), 1);
	ck_assert_uint_eq(events(&all, KL_EV_CARD), 1);
	party_clear(&all);
}
END_TEST

/* The card of the connection counts, not another one of the same auditor. */
START_TEST(a_newer_card_reads_what_it_names_itself)
{
	struct party newer = party_make(KL_AUDITOR, "kvk:11112222");

	reads_card(&newer, &other.id, KL_NO);
	ck_assert_int_eq(shell_submit(&s, &other, &m), KL_C_OK);
	ck_assert_uint_eq(events(&reader, KL_EV_ACCEPTED), 1);
	memcpy(newer.serial, reader.serial, sizeof newer.serial);
	shell_begin(&s, &newer);
	ck_assert_uint_eq(events(&newer, KL_EV_ACCEPTED), 1);
	ck_assert_uint_eq(events(&newer, KL_EV_RELEASED), 0);
	party_clear(&newer);
}
END_TEST

START_TEST(a_successor_reads_what_was_its_predecessors)
{
	struct party heir = party_make(KL_PRACTICE, "agb:99998888");
	struct kl_card c = party_card(&heir);
	const struct kl_query_what w = { .conv_ref =
		conversation_of(&l).ref };

	c.succeeds = s.practice.id;
	c.succeeds_from_ms = LETTERS_NOW_MS - KL_HOUR_MS;
	ck_assert_int_eq(shell_card(&s, &c), KL_C_OK);
	shell_begin(&s, &heir);
	ck_assert_uint_eq(count(&heir, &w), 4);
	party_clear(&heir);
}
END_TEST

/* ---- what is asked ------------------------------------------------------ */

START_TEST(a_spoken_reference_names_a_conversation)
{
	const struct conversation v = conversation_of(&l);
	struct kl_query_what w = { .event = 0 };
	static struct found f;

	memcpy(w.spoken, v.spoken, sizeof w.spoken);
	ck_assert_int_eq(find(&s.desk, &w, &f), KL_C_OK);
	ck_assert_uint_eq(f.n, 4);
	ck_assert_mem_eq(record_of(f.ticket).conv_ref.b, v.ref.b, 16);
	ck_assert_uint_eq(count(&reader, &w), 4);
}
END_TEST

START_TEST(a_reference_of_others_is_as_unknown_as_none)
{
	struct kl_query_what w = { .event = 0 };
	const struct conversation v = conversation_of(&l);
	static struct found f;
	uint64_t before;

	memcpy(w.spoken, "00000000", 8);
	w.spoken[8] = '0';
	before = leaves();
	ck_assert_int_eq(find(&other, &w, &f), KL_C_REFERRAL_UNKNOWN);
	memcpy(w.spoken, v.spoken, sizeof w.spoken);
	ck_assert_int_eq(find(&other, &w, &f), KL_C_REFERRAL_UNKNOWN);
	ck_assert_int_eq(find(&s.auditor, &w, &f), KL_C_REFERRAL_UNKNOWN);
	ck_assert_uint_eq(leaves(), before);
	/* Two that are not the same name nothing. */
	kl_random(w.conv_ref.b, sizeof w.conv_ref.b);
	ck_assert_int_eq(find(&s.desk, &w, &f), KL_C_REFERRAL_UNKNOWN);
}
END_TEST

START_TEST(ids_of_messages_and_conversations_are_understood)
{
	struct kl_query_what w = { .event = 0 };
	struct kl_query_what conv = { .kind = KL_REFERRAL };
	const struct conversation v = conversation_of(&l);
	static struct found f;

	memcpy(w.message, l.e.header.msg_id.b, sizeof w.message);
	ck_assert_int_eq(find(&s.desk, &w, &f), KL_C_OK);
	ck_assert_uint_eq(f.n, 4);
	/* The reference that it has in the log means the same. */
	memcpy(w.message, f.r[0].msg_ref.b, sizeof w.message);
	ck_assert_uint_eq(count(&s.desk, &w), 4);
	memcpy(w.message, v.id.b, sizeof w.message);
	w.kind = KL_REFERRAL;	/* not what was asked of it */
	ck_assert_uint_eq(count(&s.desk, &w), 4);
	memcpy(conv.conv_ref.b, v.id.b, sizeof conv.conv_ref.b);
	ck_assert_uint_eq(count(&s.desk, &conv), 4);
	/* To others it is some number that nothing has. */
	ck_assert_uint_eq(count(&other, &conv), 0);
	ck_assert_uint_eq(count(&other, &w), 0);
	memcpy(w.message, l.e.header.msg_id.b, sizeof w.message);
	ck_assert_uint_eq(count(&other, &w), 0);
	kl_random(w.message, sizeof w.message);
	ck_assert_uint_eq(count(&other, &w), 0);
}
END_TEST

START_TEST(all_that_is_named_must_hold)
{
	struct kl_query_what w = { .sender = s.practice.id,
		.receiver = s.desk.id, .kind = KL_REFERRAL,
		.event = KL_EV_ACCEPTED, .role = KL_PRACTICE, .outcome = 1,
		.from_minute = LETTERS_NOW_MS / KL_MINUTE_MS - 5,
		.to_minute = LETTERS_NOW_MS / KL_MINUTE_MS + 60 };

	ck_assert_uint_eq(count(&s.desk, &w), 1);
	w.role = KL_MUNICIPALITY;
	ck_assert_uint_eq(count(&s.desk, &w), 0);
	w.role = 0;
	w.outcome = 2;
	ck_assert_uint_eq(count(&s.desk, &w), 0);
	w.outcome = 0;
	w.sender = s.desk.id;
	ck_assert_uint_eq(count(&s.desk, &w), 0);
	w.sender = s.practice.id;
	w.to_minute = w.from_minute + 1;
	ck_assert_uint_eq(count(&s.desk, &w), 0);
}
END_TEST

/* ---- leaf and ticket ---------------------------------------------------- */

START_TEST(each_new_query_is_one_leaf)
{
	const struct kl_query_what w = { .event = KL_EV_QUERY };
	const struct kl_bytes what = packed_what(&w);
	const struct kl_hash hash = kl_hash_of(what);
	struct kl_record r;
	static struct found f;
	uint64_t before = leaves();

	ck_assert_int_eq(find(&reader, &w, &f), KL_C_OK);
	/* It does not find itself. */
	ck_assert_uint_eq(f.n, 0);
	ck_assert_uint_eq(f.ticket, before);
	ck_assert_uint_eq(leaves(), before + 1);
	r = record_of(f.ticket);
	ck_assert_uint_eq(r.event, KL_EV_QUERY);
	ck_assert(kl_id_equal(&r.org_from, &reader.id));
	ck_assert_uint_eq(r.actor_role, KL_AUDITOR);
	ck_assert_mem_eq(r.body_hash.b, hash.b, sizeof hash.b);
	ck_assert_int_eq(find(&reader, &w, &f), KL_C_OK);
	ck_assert_uint_eq(f.n, 1);
}
END_TEST

/* A ticket of a query that practice made. */
static struct kl_query
begun(const struct kl_query_what *w)
{
	struct kl_query q = { .want = KL_QUERY_RECORDS,
		.what = packed_what(w) };
	struct kl_query_reply r;

	ck_assert_int_eq(ask(&s.practice, &q, &r), KL_C_OK);
	q.ticket = r.ticket;
	return q;
}

START_TEST(a_page_more_has_no_leaf_of_its_own)
{
	const struct kl_query_what w = { .event = 0 };
	struct kl_query q = begun(&w);
	struct kl_query_reply r;
	uint64_t before = leaves();

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(ask(&s.practice, &q, &r), KL_C_OK);
		ck_assert_uint_eq(r.ticket, q.ticket);
		ck_assert_uint_gt(r.n_logged, 0);
	}
	ck_assert_uint_eq(leaves(), before);
	/* What came later is not in it. */
	ck_assert_int_eq(shell_submit(&s, &other, &m), KL_C_OK);
	ck_assert_int_eq(ask(&s.practice, &q, &r), KL_C_OK);
	for (size_t i = 0; i < r.n_logged; i++) {
		struct kl_logged g;

		ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOGGED, r.logged[i],
		    s.mem, &g), KL_C_OK);
		ck_assert_uint_lt(g.leaf, q.ticket);
	}
}
END_TEST

START_TEST(a_ticket_is_of_its_asker_and_question_only)
{
	const struct kl_query_what w = { .event = KL_EV_ACCEPTED };
	const struct kl_query_what other = { .event = KL_EV_RELEASED };
	struct kl_query q = begun(&w);
	struct kl_query_reply r;

	ck_assert_int_eq(ask(&s.desk, &q, &r), KL_C_TICKET);
	ck_assert_int_eq(ask(&reader, &q, &r), KL_C_TICKET);
	q.what = packed_what(&other);
	ck_assert_int_eq(ask(&s.practice, &q, &r), KL_C_TICKET);
	q.what = packed_what(&w);
	q.ticket--;		/* a leaf of something else */
	ck_assert_int_eq(ask(&s.practice, &q, &r), KL_C_TICKET);
	q.ticket = leaves();
	ck_assert_int_eq(ask(&s.practice, &q, &r), KL_C_TICKET);
	q.ticket = UINT64_MAX;
	ck_assert_int_eq(ask(&s.practice, &q, &r), KL_C_TICKET);
}
END_TEST

START_TEST(a_ticket_counts_for_a_day)
{
	const struct kl_query_what w = { .event = KL_EV_ACCEPTED };
	struct kl_query q = begun(&w);
	struct kl_query_reply r;

	shell_restart(&s, LETTERS_NOW_MS + 23 * KL_HOUR_MS);
	shell_begin(&s, &s.practice);
	ck_assert_int_eq(ask(&s.practice, &q, &r), KL_C_OK);
	shell_restart(&s, LETTERS_NOW_MS + 25 * KL_HOUR_MS);
	shell_begin(&s, &s.practice);
	ck_assert_int_eq(ask(&s.practice, &q, &r), KL_C_TICKET);
}
END_TEST

START_TEST(so_many_new_queries_a_minute)
{
	const struct kl_query_what w = { .event = KL_EV_ORIGIN };
	struct kl_query q = { .want = KL_QUERY_RECORDS,
		.what = packed_what(&w) };
	struct kl_query first = begun(&w);
	struct kl_query_reply r;
	struct shell_answer a;
	size_t number;

	for (int i = 1; i < NEW_MAX; i++)
		ck_assert_int_eq(ask(&s.practice, &q, &r), KL_C_OK);
	SHELL_SEND(&s, &s.practice, KL_QUERY, KL_M_QUERY, &q);
	shell_answer(&s, &a);
	ck_assert_int_eq(a.m.code, KL_C_QUOTA_REQUESTS);
	ck_assert_uint_gt(a.m.retry_after_ms, 0);
	ck_assert_uint_le(a.m.retry_after_ms, 60000);
	/* Others, and what was begun, go on. */
	ck_assert_int_eq(ask(&s.practice, &first, &r), KL_C_OK);
	ck_assert_int_eq(ask(&s.desk, &q, &r), KL_C_OK);
	number = registry_by_id(&s.core->registry, &s.practice.id)->number;
	s.core->session[number - 1].query_ms -= KL_MINUTE_MS;
	ck_assert_int_eq(ask(&s.practice, &q, &r), KL_C_OK);
}
END_TEST

/* The last of the store is for what must go on. */
START_TEST(a_store_that_is_nearly_full_takes_no_new_query)
{
	const struct kl_query_what w = { .event = KL_EV_ORIGIN };
	struct kl_query q = begun(&w), fresh = q;
	struct kl_query_reply r;
	const uint64_t before = leaves();

	fresh.ticket = 0;
	s.core->full = true;
	s.core->full_asked_ms = kl_mono_ms();
	ck_assert_int_eq(ask(&s.practice, &fresh, &r), KL_C_STORE_FULL);
	fresh = (struct kl_query){ .want = KL_QUERY_STATE };
	ck_assert_int_eq(ask(&s.practice, &fresh, &r), KL_C_STORE_FULL);
	ck_assert_uint_eq(leaves(), before);
	ck_assert_int_eq(ask(&s.practice, &q, &r), KL_C_OK);
	s.core->full = false;
	ck_assert_int_eq(ask(&s.practice, &fresh, &r), KL_C_OK);
}
END_TEST

START_TEST(guessing_references_is_counted_too)
{
	struct kl_query_what w = { .event = 0 };
	struct kl_query q = { .want = KL_QUERY_RECORDS };
	struct kl_query_reply r;

	memcpy(w.spoken, "000000000", 9);
	q.what = packed_what(&w);
	for (int i = 0; i < NEW_MAX; i++)
		ck_assert_int_eq(ask(&other, &q, &r),
		    KL_C_REFERRAL_UNKNOWN);
	ck_assert_int_eq(ask(&other, &q, &r), KL_C_QUOTA_REQUESTS);
}
END_TEST

/* ---- pages -------------------------------------------------------------- */

/* Leaves of the practice, in turns of their own. */
static int
grow_in_turn(struct core *c, void *arg)
{
	struct kl_record r = { .event = KL_EV_REFUSED,
		.org_from = s.practice.id, .outcome = 2, .count = 1,
		.reason = KL_C_MALFORMED };
	struct journal_leaf leaf;
	int *n = arg, err = KL_OK;

	for (; *n > 0 && err == KL_OK; (*n)--) {
		const size_t mark = kl_arena_mark(c->mem);
		struct kl_record one = r;

		err = journal_append(&c->journal, c->turn.txn,
		    c->turn.now_ms, &one, c->mem, &leaf);
		kl_arena_release(c->mem, mark);
	}
	return err;
}

static void
grow(int n)
{
	ck_assert_int_eq(cycle_run(s.core, grow_in_turn, &n), KL_OK);
}

START_TEST(pages_follow_each_other_without_gap_or_repeat)
{
	const struct kl_query_what w = { .event = KL_EV_REFUSED };
	static struct found f;

	grow(700);
	ck_assert_int_eq(find(&s.practice, &w, &f), KL_C_OK);
	ck_assert_uint_eq(f.n, 700);
	ck_assert_uint_ge(f.pages, 700 / KL_QUERY_ANSWERS_MAX);
	for (size_t i = 1; i < f.n; i++)
		ck_assert_uint_eq(f.leaf[i], f.leaf[i - 1] + 1);
	ck_assert_int_eq(find(&s.desk, &w, &f), KL_C_OK);
	ck_assert_uint_eq(f.n, 0);
}
END_TEST

START_TEST(a_query_begins_where_it_is_told_to)
{
	const struct kl_query_what w = { .event = KL_EV_REFUSED };
	struct kl_query q = { .want = KL_QUERY_RECORDS,
		.what = packed_what(&w) };
	struct kl_query_reply r;
	struct kl_logged g;

	grow(40);
	q.from = leaves() - 3;
	ck_assert_int_eq(ask(&s.practice, &q, &r), KL_C_OK);
	ck_assert_uint_eq(r.n_logged, 3);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOGGED, r.logged[0], s.mem,
	    &g), KL_C_OK);
	ck_assert_uint_eq(g.leaf, q.from);
	q.from = UINT64_MAX;
	ck_assert_int_eq(ask(&s.practice, &q, &r), KL_C_OK);
	ck_assert_uint_eq(r.n_logged, 0);
	ck_assert_uint_eq(r.next, 0);
}
END_TEST

/* ---- policy and state --------------------------------------------------- */

START_TEST(a_policy_is_handed_out_as_it_was_loaded)
{
	struct kl_query q = { .want = KL_QUERY_POLICY };
	struct kl_hash hash = { { 0 } };
	static uint8_t text[KL_POLICY_FILE_MAX];
	struct kl_query_reply r;
	struct kl_record rec;
	struct kl_bytes all;
	size_t n = 0;

	do {
		ck_assert_int_eq(ask(&reader, &q, &r), KL_C_OK);
		ck_assert_uint_le(r.part.n, KL_QUERY_PART_MAX);
		memcpy(text + n, r.part.p, r.part.n);
		n += r.part.n;
		q.ticket = r.ticket;
		q.offset = r.next;
	} while (r.next != 0);
	ck_assert_uint_eq(n, r.total);
	all = kl_bytes(text, n);
	hash = kl_sha256_parts(&all, 1);
	ck_assert_mem_eq(hash.b, record_of(
	    s.core->loaded.leaf).body_hash.b, sizeof hash.b);
	rec = record_of(q.ticket);
	ck_assert_uint_eq(rec.event, KL_EV_QUERY);
	ck_assert(kl_bytes_zero(KL_BYTES_OF(rec.body_hash)));
	q.from = s.core->loaded.leaf;
	q.offset = 0;
	ck_assert_int_eq(ask(&reader, &q, &r), KL_C_OK);
	ck_assert_mem_eq(r.part.p, text, r.part.n);
}
END_TEST

START_TEST(what_is_no_policy_has_no_bytes)
{
	struct kl_query q = { .want = KL_QUERY_POLICY,
		.from = s.core->loaded.leaf + 1 };
	struct kl_query_reply r;
	uint64_t before = leaves();

	ck_assert_int_eq(ask(&reader, &q, &r), KL_C_POLICY_UNKNOWN);
	q.from = UINT64_MAX;
	ck_assert_int_eq(ask(&reader, &q, &r), KL_C_POLICY_UNKNOWN);
	q.from = 0;
	q.offset = UINT64_MAX;
	ck_assert_int_eq(ask(&reader, &q, &r), KL_C_POLICY_UNKNOWN);
	ck_assert_uint_eq(leaves(), before);
}
END_TEST

START_TEST(the_state_says_how_this_broker_keeps_its_word)
{
	const struct kl_query q = { .want = KL_QUERY_STATE };
	struct kl_query_state st;
	struct kl_query_reply r;

	ck_assert_int_eq(ask(&reader, &q, &r), KL_C_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_QUERY_STATE, r.part, s.mem,
	    &st), KL_C_OK);
	ck_assert_uint_eq(st.erasure, s.conf.erasure == KL_ERASURE_VERIFIED ?
	    KL_STATE_VERIFIED : KL_STATE_BEST_EFFORT);
	ck_assert_uint_eq(st.policy_leaf, s.core->loaded.leaf);
	ck_assert_mem_eq(st.policy_hash.b, s.core->loaded.hash.b, 32);
	ck_assert(kl_bytes_equal(st.note,
	    kl_bytes_str(s.core->journal.note.b)));
	ck_assert_int_gt(st.origin_ms, LETTERS_NOW_MS - KL_DAY_MS);
	ck_assert_int_ge(st.signed_ms, st.origin_ms);
	ck_assert_uint_eq(record_of(r.ticket).event, KL_EV_QUERY);
}
END_TEST

/* ---- the controllers' approval ------------------------------------------ */

static struct party all;

static void
setup_all(void)
{
	setup();
	all = party_make(KL_AUDITOR, "kvk:11113333");
	reads_card(&all, NULL, KL_YES);
	shell_begin(&s, &all);
}

static void
teardown_all(void)
{
	party_clear(&all);
	teardown();
}

/* Of the practice, for the card of `who`. */
static const char *
approval_of(const struct party *who, const char *on)
{
	static char text[512];
	char serial[33];

	kl_hex(KL_BYTES_OF(who->serial), serial);
	(void)snprintf(text, sizeof text, "[card]\nauditor = %s\n"
	    "serial = %s\n[%s]\napproved_by = houder\n"
	    "approved_on = %s\n", kl_id_text(&who->id).b, serial,
	    kl_id_text(&s.practice.id).b, on);
	return text;
}

static int
approve(const char *text, struct kl_approval_error *e)
{
	return approvals_take(s.core, kl_bytes_str(text), e);
}

static void
approval_file(const char *text)
{
	FILE *f;

	(void)mkdir(shell_file(&s, "config/approvals").b, 0755);
	f = fopen(shell_file(&s, "config/approvals/1").b, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(an_approval_opens_the_records_that_it_names_and_no_more)
{
	const char *text = approval_of(&all, "2026-11-20");
	const struct kl_bytes bytes = kl_bytes_str(text);
	const struct kl_hash hash = kl_sha256_parts(&bytes, 1);
	const uint64_t before = leaves();
	struct kl_approval_error e;
	struct kl_record r;

	ck_assert_int_eq(shell_submit(&s, &other, &m), KL_C_OK);
	ck_assert_uint_eq(events(&all, KL_EV_ACCEPTED), 0);
	ck_assert_int_eq(approve(text, &e), KL_OK);
	ck_assert_uint_eq(events(&all, KL_EV_ACCEPTED), 1);
	ck_assert_uint_eq(events(&s.auditor, KL_EV_ACCEPTED), 0);
	r = record_of(approvals_of(s.core, all.serial)->leaf);
	ck_assert_uint_eq(r.event, KL_EV_READS_ALL);
	ck_assert(kl_id_equal(&r.org_from, &all.id));
	ck_assert_mem_eq(r.body_hash.b, hash.b, sizeof hash.b);
	ck_assert_uint_gt(approvals_of(s.core, all.serial)->leaf, before);
	/* The same again is none. */
	ck_assert_int_eq(approve(text, &e), KL_OK);
	ck_assert_uint_eq(events(&all, KL_EV_READS_ALL), 1);
	ck_assert_int_eq(approve(approval_of(&all, "2026-11-21"), &e), KL_OK);
	ck_assert_uint_eq(events(&all, KL_EV_READS_ALL), 2);
}
END_TEST

START_TEST(an_approval_that_does_not_fit_is_refused_with_why)
{
	const uint64_t before = leaves();
	struct kl_approval_error e;

	ck_assert_int_eq(approve("[card]\n", &e), KL_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.b, "auditor is missing"));
	ck_assert_int_eq(approve(approval_of(&all, "2026-12-20"), &e),
	    KL_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.b, "lies ahead"));
	ck_assert_int_eq(approve(approval_of(&reader, "2026-11-20"), &e),
	    KL_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.b, "does not read all"));
	ck_assert_int_eq(approve(approval_of(&s.desk, "2026-11-20"), &e),
	    KL_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.b, "knows no auditor's card"));
	ck_assert_uint_eq(leaves(), before);
	ck_assert_ptr_null(approvals_of(s.core, reader.serial));
}
END_TEST

START_TEST(an_approval_counts_from_its_file_at_the_start)
{
	approval_file(approval_of(&all, "2026-11-20"));
	shell_restart(&s, LETTERS_NOW_MS + KL_MINUTE_MS);
	shell_begin(&s, &all);
	ck_assert_uint_eq(events(&all, KL_EV_ACCEPTED), 1);
	shell_restart(&s, LETTERS_NOW_MS + 2 * KL_MINUTE_MS);
	shell_begin(&s, &all);
	ck_assert_uint_eq(events(&all, KL_EV_READS_ALL), 1);
	/* Without it the card reads nothing of others, whatever it did. */
	ck_assert_int_eq(unlink(shell_file(&s, "config/approvals/1").b), 0);
	shell_restart(&s, LETTERS_NOW_MS + 3 * KL_MINUTE_MS);
	shell_begin(&s, &all);
	ck_assert_uint_eq(events(&all, KL_EV_ACCEPTED), 0);
	approval_file(approval_of(&all, "2026-11-20"));
	shell_restart(&s, LETTERS_NOW_MS + 4 * KL_MINUTE_MS);
	shell_begin(&s, &all);
	ck_assert_uint_eq(events(&all, KL_EV_READS_ALL), 2);
}
END_TEST

START_TEST(approvals_that_cannot_be_read_stop_no_start)
{
	FILE *f = fopen(shell_file(&s, "config/approvals").b, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fclose(f), 0);
	shell_restart(&s, LETTERS_NOW_MS + KL_MINUTE_MS);
	shell_begin(&s, &all);
	ck_assert_uint_eq(events(&all, KL_EV_ACCEPTED), 0);
	ck_assert_uint_eq(s.core->n_approvals, 0);
}
END_TEST

START_TEST(a_file_that_is_no_approval_stops_no_start)
{
	approval_file("nonsense");
	shell_restart(&s, LETTERS_NOW_MS + KL_MINUTE_MS);
	shell_begin(&s, &all);
	ck_assert_uint_eq(events(&all, KL_EV_ACCEPTED), 0);
	ck_assert_uint_eq(s.core->n_approvals, 0);
}
END_TEST

/* ---- checkpoints and hashes ---------------------------------------------- */

static enum kl_code
log_ask(uint32_t want, uint64_t size, struct kl_log_reply *r)
{
	const struct kl_log_request q = { .want = want, .size = size };
	struct shell_answer a;

	SHELL_SEND(&s, &reader, KL_LOG, KL_M_LOG, &q);
	shell_answer(&s, &a);
	if (a.m.code == KL_C_OK)
		ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOG_REPLY, a.m.body,
		    s.mem, r), KL_C_OK);
	return (enum kl_code)a.m.code;
}

/* A checkpoint over all that is there. */
static void
sign_now(void)
{
	s.core->journal.note_ms -= KL_HOUR_MS;
	shell_turn(&s);
	cycle_sign(s.core);
}

START_TEST(tiles_lead_to_the_root_that_was_signed)
{
	struct kl_checkpoint c;
	struct kl_log_reply r;
	struct kl_range range;
	struct kl_hash h;

	grow(600);
	sign_now();
	kl_range_init(&range);
	for (uint64_t tile = 0; log_ask(KL_LOG_TILE, tile, &r) == KL_C_OK;
	    tile++)
		for (size_t i = 0; i < r.tile.n; i += sizeof h) {
			memcpy(h.b, r.tile.p + i, sizeof h);
			kl_range_append(&range, &h);
		}
	ck_assert_int_eq(log_ask(KL_LOG_CHECKPOINT, 0, &r), KL_C_OK);
	ck_assert_int_eq(kl_note_verify(r.note, &s.broker.sign_pk, &c),
	    KL_OK);
	ck_assert_uint_gt(c.size, 600);
	ck_assert_uint_eq(range.size, c.size);
	h = kl_range_root(&range);
	ck_assert_mem_eq(h.b, c.root.b, sizeof h);
	ck_assert_int_eq(log_ask(KL_LOG_TILE, UINT64_MAX, &r),
	    KL_C_TRY_LATER);
}
END_TEST

START_TEST(kept_checkpoints_are_found_by_their_day)
{
	const int32_t today = kl_day_of(LETTERS_NOW_MS);
	struct kl_checkpoint c;
	struct kl_log_reply r;

	sign_now();
	shell_turn(&s);
	ck_assert_int_eq(log_ask(KL_LOG_KEPT, 0, &r), KL_C_OK);
	ck_assert_uint_eq(r.day, (uint64_t)today);
	ck_assert_int_eq(kl_note_verify(r.note, &s.broker.sign_pk, &c),
	    KL_OK);
	ck_assert_uint_eq(r.witnessed.n, 0);
	ck_assert_int_eq(log_ask(KL_LOG_KEPT, r.day, &r), KL_C_OK);
	ck_assert_uint_eq(r.day, (uint64_t)today);
	ck_assert_int_eq(log_ask(KL_LOG_KEPT, r.day + 1, &r), KL_C_OK);
	ck_assert_uint_eq(r.note.n, 0);
	ck_assert_uint_eq(r.day, 0);
	ck_assert_int_eq(log_ask(KL_LOG_KEPT, UINT64_MAX, &r), KL_C_OK);
	ck_assert_uint_eq(r.note.n, 0);
}
END_TEST

START_TEST(a_kept_checkpoint_is_shown_with_its_witness)
{
	const int32_t today = kl_day_of(LETTERS_NOW_MS);
	struct kl_note note = s.core->journal.note;
	struct kl_log_reply r;

	ck_assert_int_eq(kl_note_cosign(&note, "kvk-11112222/witness",
	    LETTERS_NOW_MS / 1000, reader.sk), KL_OK);
	ck_assert_int_eq(kl_kv_begin(s.core->kv, &s.core->turn.txn), KL_OK);
	ck_assert_int_eq(daily_put(s.core->turn.txn, today, &note), KL_OK);
	ck_assert_int_eq(kl_kv_commit(&s.core->turn.txn), KL_OK);
	ck_assert_int_eq(log_ask(KL_LOG_KEPT, (uint64_t)today, &r), KL_C_OK);
	ck_assert(kl_bytes_equal(r.witnessed, kl_bytes_str(note.b)));
	ck_assert(kl_bytes_equal(r.note,
	    kl_bytes_str(s.core->journal.note.b)));
}
END_TEST

/* ---- an auditor changes nothing ----------------------------------------- */

START_TEST(an_auditor_may_ask_and_nothing_else)
{
	static const uint32_t refused[] = { KL_SUBMIT, KL_FETCH,
		KL_PUT_RECEIPT, KL_ITEM_ACK, KL_WITHDRAW, KL_PUBLISH,
		KL_SYNC };
	uint64_t before = leaves();
	struct shell_answer a;

	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		shell_send_from(&s, &reader, 0, refused[i], KL_BYTES_NONE,
		    refused[i] == KL_SUBMIT ? kl_bytes_str("x") :
		    KL_BYTES_NONE);
		shell_answer(&s, &a);
		ck_assert_msg(a.m.code == KL_C_ROLE, "%u: %u", refused[i],
		    a.m.code);
		ck_assert_uint_eq(a.m.body.n, 0);
	}
	ck_assert_uint_eq(leaves(), before);
}
END_TEST

/* Records hold hashes and references, and these are all that an answer has. */
START_TEST(no_answer_holds_content_or_ids_of_messages)
{
	const struct kl_query_what all = { .event = 0 };
	struct kl_query q = { .want = KL_QUERY_RECORDS,
		.what = packed_what(&all) };
	struct shell_answer a;

	SHELL_SEND(&s, &reader, KL_QUERY, KL_M_QUERY, &q);
	shell_answer(&s, &a);
	ck_assert_int_eq(a.m.code, KL_C_OK);
	ck_assert_ptr_null(memmem(a.m.body.p, a.m.body.n,
	    l.e.header.msg_id.b, 16));
	ck_assert_ptr_null(memmem(a.m.body.p, a.m.body.n,
	    l.e.header.conv_id.b, 16));
	ck_assert_ptr_null(memmem(a.m.body.p, a.m.body.n, l.ct, 16));
}
END_TEST

START_TEST(a_broker_answers_nobody_without_a_session)
{
	const struct kl_query q = { .want = KL_QUERY_STATE };
	struct kl_query_reply r;

	shell_restart(&s, LETTERS_NOW_MS + KL_MINUTE_MS);
	ck_assert_int_eq(ask(&reader, &q, &r), KL_C_HELLO_FIRST);
	shell_begin(&s, &reader);
	ck_assert_int_eq(ask(&reader, &q, &r), KL_C_OK);
	ck_assert_int_eq(shell_revoke(&s, &reader, KL_REVOKE_LEFT), KL_C_OK);
	ck_assert_int_eq(ask(&reader, &q, &r), KL_C_CARD_REVOKED);
}
END_TEST

/* ---- many at once ------------------------------------------------------- */

START_TEST(a_turn_looks_at_so_much_and_no_more)
{
	const struct kl_query_what w = { .event = KL_EV_QUERY,
		.kind = KL_FEEDBACK };
	struct shell_answer a;
	int ok = 0, later = 0;
	struct kl_query q;

	for (int i = 0; i < 8; i++)
		grow(2048);
	q = begun(&w);
	for (int i = 0; i < 100; i++)
		SHELL_SEND(&s, &s.practice, KL_QUERY, KL_M_QUERY, &q);
	shell_turn(&s);
	while (shell_take(&s, &a)) {
		ok += a.m.code == KL_C_OK;
		later += a.m.code == KL_C_TRY_LATER;
		if (a.m.code == KL_C_TRY_LATER)
			ck_assert_uint_gt(a.m.retry_after_ms, 0);
	}
	ck_assert_int_eq(ok + later, 100);
	ck_assert_int_gt(ok, 0);
	ck_assert_int_gt(later, 0);
}
END_TEST

static void
add_tests(TCase *t)
{
	tcase_add_test(t, a_participant_reads_what_it_sent_and_got);
	tcase_add_test(t, nothing_of_others_is_in_any_answer);
	tcase_add_test(t, what_names_no_organisation_everybody_reads);
	tcase_add_test(t, all_without_an_approval_is_nobody);
	tcase_add_test(t, a_newer_card_reads_what_it_names_itself);
	tcase_add_test(t, a_successor_reads_what_was_its_predecessors);
	tcase_add_test(t, a_spoken_reference_names_a_conversation);
	tcase_add_test(t, a_reference_of_others_is_as_unknown_as_none);
	tcase_add_test(t, ids_of_messages_and_conversations_are_understood);
	tcase_add_test(t, all_that_is_named_must_hold);
	tcase_add_test(t, each_new_query_is_one_leaf);
	tcase_add_test(t, a_page_more_has_no_leaf_of_its_own);
	tcase_add_test(t, a_ticket_is_of_its_asker_and_question_only);
	tcase_add_test(t, a_ticket_counts_for_a_day);
	tcase_add_test(t, so_many_new_queries_a_minute);
	tcase_add_test(t, a_store_that_is_nearly_full_takes_no_new_query);
	tcase_add_test(t, guessing_references_is_counted_too);
	tcase_add_test(t, pages_follow_each_other_without_gap_or_repeat);
	tcase_add_test(t, a_query_begins_where_it_is_told_to);
	tcase_add_test(t, a_policy_is_handed_out_as_it_was_loaded);
	tcase_add_test(t, what_is_no_policy_has_no_bytes);
	tcase_add_test(t, the_state_says_how_this_broker_keeps_its_word);
	tcase_add_test(t, tiles_lead_to_the_root_that_was_signed);
	tcase_add_test(t, kept_checkpoints_are_found_by_their_day);
	tcase_add_test(t, a_kept_checkpoint_is_shown_with_its_witness);
	tcase_add_test(t, an_auditor_may_ask_and_nothing_else);
	tcase_add_test(t, no_answer_holds_content_or_ids_of_messages);
	tcase_add_test(t, a_broker_answers_nobody_without_a_session);
	tcase_add_test(t, a_turn_looks_at_so_much_and_no_more);
}

static void
add_approval_tests(TCase *t)
{
	tcase_add_test(t,
	    an_approval_opens_the_records_that_it_names_and_no_more);
	tcase_add_test(t, an_approval_that_does_not_fit_is_refused_with_why);
	tcase_add_test(t, an_approval_counts_from_its_file_at_the_start);
	tcase_add_test(t, a_file_that_is_no_approval_stops_no_start);
	tcase_add_test(t, approvals_that_cannot_be_read_stop_no_start);
}

int
main(void)
{
	Suite *suite = suite_create("core: query");
	TCase *t = tcase_create("query");
	TCase *approvals = tcase_create("approvals");
	SRunner *sr = srunner_create(suite);
	int failed;

	if (kl_crypto_init() != KL_OK)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	add_tests(t);
	suite_add_tcase(suite, t);
	tcase_add_checked_fixture(approvals, setup_all, teardown_all);
	tcase_set_timeout(approvals, 120);
	add_approval_tests(approvals);
	suite_add_tcase(suite, approvals);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
