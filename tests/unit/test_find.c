#include "broker/core/find.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/secret.h>

#include "broker/core/month.h"
#include "broker/core/month_gone.h"
#include "broker/core/tables.h"
#include "tests/support/parts.h"

#define ORGS 12
#define CONVS 8
#define FOUND_MAX 4096
#define PIECE 512

static struct parts p;
static struct kl_id org[ORGS];
static struct kl_ref ref[CONVS];
static unsigned int seed;

static unsigned int
below(unsigned int n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

static void
setup(void)
{
	char text[KL_ID_BYTES + 1];

	parts_open(&p);
	seed = 1;
	for (unsigned int i = 0; i < ORGS; i++) {
		(void)snprintf(text, sizeof text, "agb:0000%04u", i);
		ck_assert_int_eq(kl_id_read(text, &org[i]), KL_OK);
	}
	for (unsigned int i = 0; i < CONVS; i++)
		kl_random(ref[i].b, sizeof ref[i].b);
}

static void
teardown(void)
{
	parts_close(&p);
}

/* ---- records ------------------------------------------------------------ */

static struct kl_record
record_any(void)
{
	struct kl_record r = { .event = 1 + below(KL_EV_LAST),
		.kind = below(4), .actor_role = 1 + below(5),
		.outcome = 1 + below(2), .reason = KL_C_OK, .count = 1 };

	if (below(8) != 0)
		r.org_from = org[below(ORGS)];
	if (below(3) != 0)
		r.org_to = org[below(ORGS)];
	if (below(4) != 0)
		r.conv_ref = ref[below(CONVS)];
	if (below(2) != 0)
		r.msg_ref = ref[below(CONVS)];
	return r;
}

static void
append(struct kl_record r)
{
	const size_t mark = kl_arena_mark(p.mem);
	struct journal_leaf leaf;

	ck_assert_int_eq(journal_append(&p.journal, p.turn.txn,
	    p.turn.now_ms, &r, p.mem, &leaf), KL_OK);
	kl_arena_release(p.mem, mark);
}

/* n leaves in a turn of their own, some minutes apart. */
static void
grow(unsigned int n)
{
	parts_begin(&p);
	while (n-- > 0) {
		append(record_any());
		p.turn.now_ms += below(3) * KL_MINUTE_MS;
	}
	parts_commit(&p);
}

/* ---- questions ---------------------------------------------------------- */

struct found {
	uint64_t leaf[FOUND_MAX];
	size_t n, room;			/* of a piece */
};

static int
take(void *arg, const struct journal_leaf *l, const struct kl_record *r)
{
	struct found *f = arg;

	ck_assert_uint_ne(r->event, 0);
	if (f->room == 0)
		return KL_E_FULL;
	f->room--;
	ck_assert_uint_lt(f->n, FOUND_MAX);
	f->leaf[f->n++] = l->index;
	return KL_OK;
}

/* Piece after piece; the number of pieces. */
static unsigned int
ask(const struct find_who *who, const struct find_what *what, uint64_t end,
    size_t room, struct found *out)
{
	struct find f = { .who = who, .what = what, .end = end };
	unsigned int pieces = 0;

	out->n = 0;
	do {
		const uint64_t before = f.next;

		f.left = PIECE;
		out->room = room;
		ck_assert_int_eq(find_piece(&f, &p.journal, p.turn.txn, p.mem,
		    take, out), KL_OK);
		ck_assert_uint_gt(f.next, before);
		pieces++;
	} while (f.next < f.end);
	return pieces;
}

/* The same by opening every record. */
static bool
fits(const struct find_who *who, const struct find_what *w,
    const struct kl_record *r)
{
	static const struct kl_ref none;

	if (r->time_minute < w->from_minute || (w->to_minute != 0 &&
	    r->time_minute >= w->to_minute) ||
	    (w->kind != 0 && w->kind != r->kind) ||
	    (w->event != 0 && w->event != r->event) ||
	    (w->role != 0 && w->role != r->actor_role) ||
	    (w->outcome != 0 && w->outcome != r->outcome) ||
	    (!kl_id_none(&w->sender) &&
	    !kl_id_equal(&w->sender, &r->org_from)) ||
	    (!kl_id_none(&w->receiver) &&
	    !kl_id_equal(&w->receiver, &r->org_to)))
		return false;
	if ((memcmp(&w->conv_ref, &none, 16) != 0 &&
	    memcmp(&w->conv_ref, &r->conv_ref, 16) != 0) ||
	    (memcmp(&w->msg_ref, &none, 16) != 0 &&
	    memcmp(&w->msg_ref, &r->msg_ref, 16) != 0))
		return false;
	if (who->all)
		return true;
	if (kl_id_none(&r->org_from) && kl_id_none(&r->org_to))
		return r->event != KL_EV_QUERY;
	for (size_t i = 0; i < who->n_org; i++)
		if (kl_id_equal(&who->org[i], &r->org_from) ||
		    kl_id_equal(&who->org[i], &r->org_to))
			return true;
	return false;
}

static void
look(const struct find_who *who, const struct find_what *what, uint64_t end,
    struct found *out)
{
	const size_t mark = kl_arena_mark(p.mem);
	struct journal_leaf l;
	struct kl_record r;
	int err;

	out->n = 0;
	for (uint64_t leaf = 0; leaf < end; leaf++) {
		err = journal_record(&p.journal, p.turn.txn, leaf, p.mem, &l);
		ck_assert(err == KL_OK || err == KL_E_NOT_FOUND);
		if (err == KL_OK) {
			ck_assert_int_eq(KL_STATEMENT_READ(KL_S_RECORD,
			    l.record, p.mem, &r), KL_C_OK);
			if (fits(who, what, &r))
				out->leaf[out->n++] = leaf;
		}
		kl_arena_release(p.mem, mark);
	}
}

static struct find_what
what_any(void)
{
	const int64_t first = LETTERS_NOW_MS / KL_MINUTE_MS;
	struct find_what w = { .kind = below(6) == 0 ? 1 + below(3) : 0 };

	if (below(3) == 0)
		w.event = 1 + below(KL_EV_LAST);
	if (below(5) == 0)
		w.role = 1 + below(5);
	if (below(5) == 0)
		w.outcome = 1 + below(2);
	if (below(3) == 0)
		w.sender = org[below(ORGS)];
	if (below(3) == 0)
		w.receiver = org[below(ORGS)];
	if (below(4) == 0)
		w.conv_ref = ref[below(CONVS)];
	if (below(4) == 0)
		w.msg_ref = ref[below(CONVS)];
	if (below(3) == 0)
		w.from_minute = first + below(2000);
	if (below(3) == 0)
		w.to_minute = first + 1 + below(3000);
	return w;
}

static void
who_any(struct find_who *w, struct kl_id *own)
{
	const size_t n = below(4);

	for (size_t i = 0; i < n; i++)
		own[i] = org[below(ORGS)];
	find_sort(own, n);
	ck_assert_int_eq(find_who(w, own, n, p.mem), KL_OK);
	w->all = below(3) == 0;
}

static void
same(const struct find_who *who, const struct find_what *what, uint64_t end)
{
	static struct found got, want;

	(void)ask(who, what, end, 1 + below(80), &got);
	look(who, what, end, &want);
	ck_assert_uint_eq(got.n, want.n);
	ck_assert_mem_eq(got.leaf, want.leaf, got.n * sizeof got.leaf[0]);
}

static void
all_same(unsigned int questions)
{
	struct find_what what;
	struct find_who who;
	struct kl_id own[4];

	while (questions-- > 0) {
		parts_begin_read(&p);
		what = what_any();
		who_any(&who, own);
		same(&who, &what, 1 + below(
		    (unsigned int)p.journal.range.size));
		kl_kv_abort(&p.turn.txn);
	}
}

/* ---- what is found ------------------------------------------------------ */

START_TEST(a_question_finds_what_opening_every_record_finds)
{
	grow(700);
	all_same(40);
	grow(333);
	all_same(40);
}
END_TEST

START_TEST(it_finds_the_same_after_a_start)
{
	grow(300);
	parts_restart(&p);
	grow(300);
	all_same(40);
}
END_TEST

/* Numbers of leaves of an undone turn are given again, also across a row. */
START_TEST(an_undone_turn_leaves_no_trace)
{
	grow(250);
	for (int i = 0; i < 3; i++) {
		parts_begin(&p);
		for (int k = 0; k < 300; k++)
			append(record_any());
		parts_undo(&p);
		grow(3);
	}
	grow(300);
	all_same(60);
}
END_TEST

START_TEST(a_row_has_one_part_for_each_month)
{
	grow(100);
	p.turn.now_ms = LETTERS_NOW_MS + 20 * KL_DAY_MS;
	grow(100);
	/* The clock goes back. */
	p.turn.now_ms = LETTERS_NOW_MS + KL_DAY_MS;
	grow(100);
	p.turn.now_ms = LETTERS_NOW_MS + 60 * KL_DAY_MS;
	grow(300);
	all_same(60);
}
END_TEST

START_TEST(what_was_erased_is_passed_over)
{
	const uint32_t month = month_of(LETTERS_NOW_MS);
	uint32_t slot;
	bool more = true;

	grow(300);
	p.turn.now_ms = LETTERS_NOW_MS + 40 * KL_DAY_MS;
	grow(300);
	parts_begin(&p);
	ck_assert_int_eq(month_drop(p.turn.txn, month, MONTH_TERM,
	    &slot), KL_OK);
	ck_assert_int_eq(vault_zero(&p.vault, slot), KL_OK);
	parts_commit(&p);
	all_same(30);
	parts_begin(&p);
	while (more)
		ck_assert_int_eq(month_cut(p.turn.txn, 64, &more), KL_OK);
	parts_commit(&p);
	all_same(30);
}
END_TEST

START_TEST(the_rows_of_a_month_go_with_its_records)
{
	const uint32_t month = month_of(LETTERS_NOW_MS);
	struct summary_row row;
	uint32_t slot;
	bool more = true;

	grow(600);
	parts_begin(&p);
	ck_assert_int_eq(summary_next(p.turn.txn, 0, 0, &row), KL_OK);
	ck_assert_uint_eq(row.tile, 0);
	ck_assert_uint_eq(row.month, month);
	ck_assert_int_eq(month_drop(p.turn.txn, month, MONTH_TERM,
	    &slot), KL_OK);
	while (more)
		ck_assert_int_eq(month_cut(p.turn.txn, 64, &more), KL_OK);
	ck_assert_int_eq(summary_next(p.turn.txn, 0, 0, &row),
	    KL_E_NOT_FOUND);
	parts_undo(&p);
}
END_TEST

/* Under the key of another row, so that it does not open. */
START_TEST(a_damaged_row_costs_time_and_no_answer)
{
	const uint32_t month = month_of(LETTERS_NOW_MS);
	struct summary_row row;
	uint8_t key[12], copy[5000];
	struct kl_writer w;
	size_t n;

	grow(1100);
	parts_begin(&p);
	ck_assert_int_eq(summary_next(p.turn.txn, 2, 0, &row), KL_OK);
	n = row.sealed.n;
	ck_assert_uint_le(n, sizeof copy);
	memcpy(copy, row.sealed.p, n);
	kl_writer_init(&w, key, sizeof key);
	kl_put_u64(&w, 1);
	kl_put_u32(&w, month);
	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_SUMMARY, KL_BYTES_OF(key),
	    kl_bytes(copy, n)), KL_OK);
	parts_commit(&p);
	all_same(40);
}
END_TEST

/* ---- who may read what -------------------------------------------------- */

START_TEST(what_an_operator_asked_only_an_operator_reads)
{
	const struct find_what what = { .event = KL_EV_QUERY };
	struct find_who who;
	struct found got;

	parts_begin(&p);
	append((struct kl_record){ .event = KL_EV_QUERY });
	append((struct kl_record){ .event = KL_EV_QUERY,
	    .org_from = org[1] });
	parts_commit(&p);
	parts_begin_read(&p);
	ck_assert_int_eq(find_who(&who, &org[1], 1, p.mem), KL_OK);
	(void)ask(&who, &what, 3, 9, &got);
	ck_assert_uint_eq(got.n, 1);
	ck_assert_uint_eq(got.leaf[0], 2);
	ck_assert_int_eq(find_who(&who, &org[2], 1, p.mem), KL_OK);
	(void)ask(&who, &what, 3, 9, &got);
	ck_assert_uint_eq(got.n, 0);
	who.all = true;
	(void)ask(&who, &what, 3, 9, &got);
	ck_assert_uint_eq(got.n, 2);
	kl_kv_abort(&p.turn.txn);
}
END_TEST

START_TEST(nobody_in_particular_reads_what_names_no_organisation)
{
	struct find_what what = { .event = KL_EV_ORIGIN };
	struct find_who who;
	struct found got;

	parts_begin(&p);
	append((struct kl_record){ .event = KL_EV_ACCEPTED,
	    .org_from = org[0], .org_to = org[1] });
	parts_commit(&p);
	parts_begin_read(&p);
	ck_assert_int_eq(find_who(&who, NULL, 0, p.mem), KL_OK);
	(void)ask(&who, &what, 2, 9, &got);
	ck_assert_uint_eq(got.n, 1);
	what.event = 0;
	(void)ask(&who, &what, 2, 9, &got);
	ck_assert_uint_eq(got.n, 1);
	ck_assert(!find_may(&who, &org[0]));
	kl_kv_abort(&p.turn.txn);
}
END_TEST

/* ---- pieces ------------------------------------------------------------- */

START_TEST(a_piece_is_bounded_also_where_nothing_fits)
{
	const struct find_what what = { .sender = org[0],
		.receiver = org[1], .event = KL_EV_QUERY, .role = 5,
		.kind = 3, .outcome = 2 };
	struct find_who who = { .all = true };
	struct find f = { .who = &who, .what = &what, .end = 4000,
		.left = 3 };
	struct found got = { .room = 1000 };

	for (int i = 0; i < 8; i++)
		grow(512);
	parts_begin_read(&p);
	ck_assert_int_eq(find_piece(&f, &p.journal, p.turn.txn, p.mem, take,
	    &got), KL_OK);
	ck_assert_uint_gt(f.next, 0);
	ck_assert_uint_le(f.next, 3 * SUMMARY_LEAVES);
	kl_kv_abort(&p.turn.txn);
}
END_TEST

START_TEST(an_end_beyond_the_log_is_its_end)
{
	const struct find_what what = { .event = 0 };
	struct find_who who = { .all = true };
	struct found got;

	grow(20);
	parts_begin_read(&p);
	(void)ask(&who, &what, UINT64_MAX, 100, &got);
	ck_assert_uint_eq(got.n, 21);
	kl_kv_abort(&p.turn.txn);
}
END_TEST

START_TEST(who_reads_what_needs_memory)
{
	struct kl_arena *small = kl_arena_new(64, 4);
	struct find_who who;

	ck_assert_int_eq(find_who(&who, org, ORGS, small), KL_E_MEMORY);
	kl_arena_free(small);
}
END_TEST

static int
refuse(void *arg, const struct journal_leaf *l, const struct kl_record *r)
{
	(void)arg;
	(void)l;
	(void)r;
	return KL_E_IO;
}

START_TEST(what_the_taker_answers_ends_the_piece)
{
	const struct find_what what = { .event = 0 };
	struct find_who who = { .all = true };
	struct find f = { .who = &who, .what = &what, .end = 5, .left = 9 };

	grow(20);
	parts_begin_read(&p);
	ck_assert_int_eq(find_piece(&f, &p.journal, p.turn.txn, p.mem, refuse,
	    NULL), KL_E_IO);
	kl_kv_abort(&p.turn.txn);
}
END_TEST

static void
add_tests(TCase *t)
{
	tcase_add_test(t, a_question_finds_what_opening_every_record_finds);
	tcase_add_test(t, it_finds_the_same_after_a_start);
	tcase_add_test(t, an_undone_turn_leaves_no_trace);
	tcase_add_test(t, a_row_has_one_part_for_each_month);
	tcase_add_test(t, what_was_erased_is_passed_over);
	tcase_add_test(t, the_rows_of_a_month_go_with_its_records);
	tcase_add_test(t, a_damaged_row_costs_time_and_no_answer);
	tcase_add_test(t, what_an_operator_asked_only_an_operator_reads);
	tcase_add_test(t,
	    nobody_in_particular_reads_what_names_no_organisation);
	tcase_add_test(t, a_piece_is_bounded_also_where_nothing_fits);
	tcase_add_test(t, an_end_beyond_the_log_is_its_end);
	tcase_add_test(t, who_reads_what_needs_memory);
	tcase_add_test(t, what_the_taker_answers_ends_the_piece);
}

int
main(void)
{
	Suite *s = suite_create("find");
	TCase *t = tcase_create("find");
	SRunner *sr = srunner_create(s);
	int failed;

	if (kl_crypto_init() != KL_OK)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	add_tests(t);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
