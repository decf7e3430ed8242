#include "broker/core/journal.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/base/time.h>

#include "broker/core/month.h"
#include "broker/core/month_gone.h"
#include "broker/core/tables.h"
#include "broker/core/tree.h"
#include "tests/support/parts.h"

static struct parts p;

static void
setup(void)
{
	parts_open(&p);
}

static void
teardown(void)
{
	parts_close(&p);
}

static struct journal_leaf
append(uint32_t event)
{
	struct kl_record r = { .event = event };
	struct journal_leaf leaf;

	ck_assert_int_eq(journal_append(&p.journal, p.turn.txn,
	    p.turn.now_ms, &r, p.mem, &leaf), KL_OK);
	return leaf;
}

/* n leaves in a turn of their own. */
static void
grow(unsigned int n)
{
	parts_begin(&p);
	while (n-- > 0)
		(void)append(KL_EV_CARD);
	parts_commit(&p);
}

static int
sign(void)
{
	int r;

	parts_begin_read(&p);
	r = journal_sign(&p.journal, p.turn.txn, p.turn.now_ms, p.mark.b,
	    p.mem);
	kl_kv_abort(&p.turn.txn);
	return r;
}

/* One slice of what a start reads. */
static int
read_on(uint64_t max)
{
	int r;

	parts_begin_read(&p);
	r = journal_read_on(&p.journal, p.turn.txn, max, p.mem);
	kl_kv_abort(&p.turn.txn);
	return r;
}

static void
cut_all(void)
{
	bool more = true;

	while (more)
		ck_assert_int_eq(month_cut(p.turn.txn, 7, &more), KL_OK);
}

static int
resume(void)
{
	int r;

	parts_restart(&p);
	parts_begin_read(&p);
	r = journal_resume(&p.journal, p.turn.txn, p.mark.b);
	kl_kv_abort(&p.turn.txn);
	return r;
}

static struct kl_logged
logged(uint64_t index)
{
	struct kl_logged l;
	struct kl_bytes b;

	ck_assert_int_eq(journal_logged(&p.journal, p.turn.txn, index, p.mem,
	    &b), KL_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOGGED, b, p.mem, &l),
	    KL_C_OK);
	return l;
}

static struct kl_record
record_of(const struct kl_logged *l)
{
	struct kl_record r;

	ck_assert_int_eq(KL_STATEMENT_READ(KL_S_RECORD, l->record, p.mem,
	    &r), KL_C_OK);
	return r;
}

/* ---- origins ---- */

START_TEST(origin_names_the_broker_and_is_new_each_time)
{
	struct parts other;

	parts_open(&other);
	ck_assert_ptr_nonnull(strstr(p.journal.origin,
	    "oin-00000001234567890000/log/"));
	ck_assert_str_ne(p.journal.origin, other.journal.origin);
	ck_assert_uint_eq(p.journal.committed.size, 1);
	parts_close(&other);
}
END_TEST

START_TEST(first_leaf_names_the_origin_before)
{
	struct kl_note before;
	struct kl_logged l;
	struct kl_record r;
	struct kl_hash want;

	ck_assert_int_eq(sign(), KL_OK);
	before = p.journal.note;
	parts_begin(&p);
	ck_assert_int_eq(journal_create(&p.journal, p.turn.txn,
	    p.turn.now_ms, &before, p.mem), KL_OK);
	l = logged(0);
	r = record_of(&l);
	want = kl_hash_of(kl_bytes_str(before.b));
	ck_assert_uint_eq(r.event, KL_EV_ORIGIN);
	ck_assert_mem_eq(r.body_hash.b, want.b, sizeof want.b);
	parts_commit(&p);
	parts_restart(&p);
	ck_assert_str_eq(p.journal.previous.b, before.b);
}
END_TEST

START_TEST(first_origin_has_none_before)
{
	struct kl_logged l;
	struct kl_record r;

	parts_restart(&p);
	ck_assert_str_eq(p.journal.previous.b, "");
	parts_begin_read(&p);
	l = logged(0);
	r = record_of(&l);
	ck_assert(kl_bytes_zero(KL_BYTES_OF(r.body_hash)));
}
END_TEST

/* ---- leaves ---- */

START_TEST(leaf_is_told_as_it_was_written)
{
	struct kl_record r = { .event = KL_EV_ACCEPTED, .kind = KL_REFERRAL,
		.reason = KL_C_OK, .count = 3, .actor_role = KL_PRACTICE };
	struct journal_leaf leaf;
	struct kl_hash hash, stored;
	struct kl_logged l;
	struct kl_record got;

	memset(r.actor_key_id.b, 7, sizeof r.actor_key_id.b);
	parts_begin(&p);
	ck_assert_int_eq(journal_append(&p.journal, p.turn.txn,
	    p.turn.now_ms, &r, p.mem, &leaf), KL_OK);
	ck_assert_uint_eq(leaf.index, 1);
	l = logged(1);
	ck_assert_uint_eq(l.leaf, 1);
	ck_assert_mem_eq(l.salt, leaf.salt, sizeof l.salt);
	ck_assert(kl_bytes_equal(l.record, leaf.record));
	got = record_of(&l);
	ck_assert_uint_eq(got.version, 1);
	ck_assert_int_eq(got.time_minute, LETTERS_NOW_MS / KL_MINUTE_MS);
	ck_assert_uint_eq(got.actor_role, KL_PRACTICE);
	ck_assert_mem_eq(got.actor_key_id.b, r.actor_key_id.b, 16);
	ck_assert_uint_eq(got.count, 3);
	hash = kl_record_leaf_hash(leaf.salt, leaf.record);
	ck_assert_int_eq(kl_kv_get(p.turn.txn, T_LEAF,
	    kl_bytes("\0\0\0\0\0\0\0\1", 8), &l.record), KL_OK);
	memcpy(stored.b, l.record.p, sizeof stored.b);
	ck_assert_mem_eq(stored.b, hash.b, sizeof hash.b);
}
END_TEST

START_TEST(leaf_without_an_actor_is_the_brokers)
{
	struct kl_logged l;
	struct kl_record r;

	parts_begin(&p);
	(void)append(KL_EV_CARD);
	l = logged(1);
	r = record_of(&l);
	ck_assert_uint_eq(r.actor_role, KL_BROKER);
	ck_assert_mem_eq(r.actor_key_id.b, p.journal.key_id.b, 16);
	ck_assert_uint_eq(r.outcome, 1);
	ck_assert_uint_eq(r.reason, KL_C_OK);
	ck_assert_uint_eq(r.count, 1);
}
END_TEST

START_TEST(equal_records_have_unlinkable_leaves)
{
	struct journal_leaf a, b;
	struct kl_hash ha, hb;

	parts_begin(&p);
	a = append(KL_EV_CARD);
	b = append(KL_EV_CARD);
	ck_assert(kl_bytes_equal(a.record, b.record));
	ha = kl_record_leaf_hash(a.salt, a.record);
	hb = kl_record_leaf_hash(b.salt, b.record);
	ck_assert_mem_ne(ha.b, hb.b, sizeof ha.b);
}
END_TEST

START_TEST(record_outside_its_values_is_refused)
{
	struct kl_record r = { .event = KL_EV_LAST + 1 };
	struct journal_leaf leaf;

	parts_begin(&p);
	ck_assert_int_eq(journal_append(&p.journal, p.turn.txn,
	    p.turn.now_ms, &r, p.mem, &leaf), KL_E_VALUE);
	ck_assert_uint_eq(p.journal.range.size, 1);
}
END_TEST

START_TEST(unknown_leaf_is_not_found)
{
	struct kl_bytes out;

	parts_begin_read(&p);
	ck_assert_int_eq(journal_logged(&p.journal, p.turn.txn, 1, p.mem,
	    &out), KL_E_NOT_FOUND);
	ck_assert_uint_eq(out.n, 0);
}
END_TEST

START_TEST(each_month_has_its_own_key_that_dies_alone)
{
	uint32_t november, december, dropped;
	struct kl_bytes out;

	parts_begin(&p);
	november = p.journal.month_slot;
	p.turn.now_ms += 31 * KL_DAY_MS;
	(void)append(KL_EV_CARD);
	december = p.journal.month_slot;
	ck_assert_uint_ne(november, december);
	(void)logged(0);
	(void)logged(1);
	/* Its end is told in the store before its key is destroyed. */
	ck_assert_int_eq(month_drop(p.turn.txn, month_of(LETTERS_NOW_MS),
	    MONTH_TERM, &dropped), KL_OK);
	ck_assert_uint_eq(dropped, november);
	parts_commit(&p);
	ck_assert_int_eq(vault_zero(&p.vault, november), KL_OK);
	parts_begin(&p);
	ck_assert_int_eq(journal_logged(&p.journal, p.turn.txn, 0, p.mem,
	    &out), KL_E_NOT_FOUND);
	(void)logged(1);
	parts_commit(&p);
	/* The tree does not need what has died. */
	ck_assert_int_eq(sign(), KL_OK);
}
END_TEST

START_TEST(month_goes_on_with_its_key_after_a_restart)
{
	uint32_t slot = p.journal.month_slot;

	parts_restart(&p);
	grow(1);
	ck_assert_uint_eq(p.journal.month_slot, slot);
	p.turn.now_ms += 31 * KL_DAY_MS;
	grow(1);
	p.turn.now_ms -= 31 * KL_DAY_MS;
	grow(1);
	ck_assert_uint_eq(p.journal.month_slot, slot);
}
END_TEST

/* ---- turns ---- */

START_TEST(undone_turn_leaves_no_leaf)
{
	struct kl_range before = p.journal.committed;
	struct journal_leaf leaf;

	parts_begin(&p);
	p.turn.now_ms += 31 * KL_DAY_MS;
	(void)append(KL_EV_CARD);
	parts_undo(&p);
	ck_assert_mem_eq(&p.journal.range, &before, sizeof before);
	parts_begin(&p);
	leaf = append(KL_EV_REVOCATION);
	ck_assert_uint_eq(leaf.index, 1);
	parts_commit(&p);
	parts_restart(&p);
	ck_assert_uint_eq(p.journal.committed.size, 2);
	ck_assert_int_eq(sign(), KL_OK);
}
END_TEST

START_TEST(what_was_not_committed_is_gone_after_a_crash)
{
	grow(5);
	parts_begin(&p);
	(void)append(KL_EV_CARD);
	ck_assert_int_eq(journal_save(&p.journal, p.turn.txn), KL_OK);
	parts_restart(&p);
	ck_assert_uint_eq(p.journal.range.size, 6);
	ck_assert_int_eq(sign(), KL_OK);
}
END_TEST

START_TEST(store_without_a_log_is_damage)
{
	const char *const name[] = { "tree", "origin" };

	for (size_t i = 0; i < 2; i++) {
		parts_begin(&p);
		ck_assert_int_eq(kl_kv_del(p.turn.txn, T_META,
		    kl_bytes_str(name[i])), KL_OK);
		ck_assert_int_eq(journal_load(&p.journal, p.turn.txn),
		    KL_E_DAMAGED);
		kl_kv_abort(&p.turn.txn);
	}
}
END_TEST

START_TEST(tree_that_is_cut_short_is_damage)
{
	const struct { const char *name; size_t n; } row[] = {
		{ "tree", 7 }, { "tree", 39 }, { "tree", 72 },
		{ "origin", KL_ORIGIN_MAX }, { "previous", KL_NOTE_MAX },
	};
	uint8_t b[KL_NOTE_MAX] = { 0 };

	b[7] = 1;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		parts_begin(&p);
		ck_assert_int_eq(kl_kv_put(p.turn.txn, T_META,
		    kl_bytes_str(row[i].name), kl_bytes(b, row[i].n)),
		    KL_OK);
		ck_assert_int_eq(journal_load(&p.journal, p.turn.txn),
		    KL_E_DAMAGED);
		kl_kv_abort(&p.turn.txn);
	}
}
END_TEST

START_TEST(leaf_row_that_is_cut_short_is_damage)
{
	uint8_t key[8] = { 0 };
	struct kl_bytes out;

	parts_begin(&p);
	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_LEAF,
	    kl_bytes(key, sizeof key), kl_bytes(key, 8)), KL_OK);
	ck_assert_int_eq(journal_logged(&p.journal, p.turn.txn, 0, p.mem,
	    &out), KL_E_DAMAGED);
}
END_TEST

/* ---- checkpoints ---- */

START_TEST(checkpoint_is_due_after_a_second_or_ten_minutes)
{
	int64_t now = p.turn.now_ms;

	ck_assert_int_eq(sign(), KL_OK);
	ck_assert(!journal_due(&p.journal, now + 9 * KL_MINUTE_MS));
	ck_assert(journal_due(&p.journal, now + 10 * KL_MINUTE_MS));
	ck_assert(journal_due(&p.journal, now - 1));
	grow(1);
	ck_assert(!journal_due(&p.journal, now + 999));
	ck_assert(journal_due(&p.journal, now + 1000));
}
END_TEST

START_TEST(checkpoint_verifies_and_stands_in_the_mark)
{
	struct kl_checkpoint c, marked;
	struct kl_note note;
	struct kl_hash root;

	grow(300);
	ck_assert_int_eq(sign(), KL_OK);
	ck_assert_int_eq(kl_note_verify(kl_bytes_str(p.journal.note.b),
	    &p.journal.pk, &c), KL_OK);
	root = kl_range_root(&p.journal.committed);
	ck_assert_str_eq(c.origin, p.journal.origin);
	ck_assert_uint_eq(c.size, 301);
	ck_assert_mem_eq(c.root.b, root.b, sizeof root.b);
	ck_assert_int_eq(journal_mark_read(p.mark.b, &p.journal.pk, &note,
	    &marked), KL_OK);
	ck_assert_str_eq(note.b, p.journal.note.b);
	ck_assert_uint_eq(marked.size, 301);
}
END_TEST

START_TEST(flipped_leaf_is_found_before_it_is_signed)
{
	struct kl_note before;
	uint8_t key[8], row[512];
	struct kl_bytes v;
	size_t n;

	ck_assert_int_eq(sign(), KL_OK);
	before = p.journal.note;
	grow(20);
	kl_be64_put(key, 7);
	parts_begin(&p);
	ck_assert_int_eq(kl_kv_get(p.turn.txn, T_LEAF, KL_BYTES_OF(key), &v),
	    KL_OK);
	n = v.n;
	memcpy(row, v.p, n);
	row[31] ^= 1;
	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_LEAF, KL_BYTES_OF(key),
	    kl_bytes(row, n)), KL_OK);
	parts_commit(&p);
	ck_assert_int_eq(sign(), KL_E_DAMAGED);
	ck_assert_str_eq(p.journal.note.b, before.b);
}
END_TEST

START_TEST(missing_leaf_is_found_before_it_is_signed)
{
	uint8_t key[8];

	grow(20);
	kl_be64_put(key, 20);
	parts_begin(&p);
	ck_assert_int_eq(kl_kv_del(p.turn.txn, T_LEAF, KL_BYTES_OF(key)),
	    KL_OK);
	parts_commit(&p);
	ck_assert_int_eq(sign(), KL_E_DAMAGED);
}
END_TEST

START_TEST(flip_in_memory_is_found_before_it_is_signed)
{
	grow(20);
	p.journal.committed.h[0].b[5] ^= 4;
	ck_assert_int_eq(sign(), KL_E_DAMAGED);
}
END_TEST

START_TEST(checkpoint_without_its_mark_is_not_shown)
{
	p.mark = tmpdir_file(&p.dir, "nowhere/log.mark");
	ck_assert_int_eq(sign(), KL_E_IO);
	ck_assert_str_eq(p.journal.note.b, "");
	ck_assert_int_eq(read_on(10), KL_OK);
	ck_assert(journal_due(&p.journal, p.turn.now_ms));
}
END_TEST

/* ---- read again ---- */

/* Puts the row of a leaf anew, with what `change` makes of its plain text. */
static void
reseal(uint64_t index, void (*change)(uint8_t *plain, size_t n))
{
	uint8_t key[8], row[1024], plain[32 + KL_RECORD_MAX];
	struct kl_bytes sealed;
	struct leaf_plain was;
	struct leaf_row found;
	struct kl_writer w;

	kl_be64_put(key, index);
	parts_begin(&p);
	ck_assert_int_eq(leaf_get(p.turn.txn, index, &found), KL_OK);
	ck_assert_int_eq(leaf_open(&p.vault, p.journal.month_slot, index,
	    found.sealed, p.mem, &was), KL_OK);
	memcpy(plain, was.salt, 32);
	memcpy(plain + 32, was.record.p, was.record.n);
	change(plain, 32 + was.record.n);
	ck_assert_int_eq(vault_seal(&p.vault, p.journal.month_slot, T_LEAF,
	    KL_BYTES_OF(key), kl_bytes(plain, 32 + was.record.n), p.mem,
	    &sealed), KL_OK);
	kl_writer_init(&w, row, sizeof row);
	kl_put(&w, found.hash.b, sizeof found.hash.b);
	kl_put_u32(&w, found.month);
	kl_put_bytes(&w, sealed);
	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_LEAF, KL_BYTES_OF(key),
	    kl_writer_bytes(&w)), KL_OK);
	parts_commit(&p);
}

static void
flip_salt(uint8_t *plain, size_t n)
{
	(void)n;
	plain[3] ^= 1;
}

static void
flip_record(uint8_t *plain, size_t n)
{
	plain[n - 1] ^= 1;
}

static void
leave(uint8_t *plain, size_t n)
{
	(void)plain;
	(void)n;
}

START_TEST(record_that_is_not_of_its_leaf_is_found_before_it_is_signed)
{
	grow(20);
	reseal(9, leave);
	ck_assert_int_eq(sign(), KL_OK);
	grow(20);
	reseal(30, flip_salt);
	ck_assert_int_eq(sign(), KL_E_DAMAGED);
	reseal(30, flip_salt);
	reseal(31, flip_record);
	ck_assert_int_eq(sign(), KL_E_DAMAGED);
	reseal(31, flip_record);
	ck_assert_int_eq(sign(), KL_OK);
}
END_TEST

START_TEST(nothing_is_signed_after_a_start_until_all_was_read)
{
	const int64_t later = p.turn.now_ms + KL_HOUR_MS;

	grow(99);
	ck_assert_int_eq(sign(), KL_OK);
	grow(40);
	ck_assert_int_eq(resume(), KL_OK);
	for (int i = 0; i < 4; i++) {
		ck_assert(!p.journal.whole);
		ck_assert(!journal_due(&p.journal, later));
		ck_assert_int_eq(read_on(30), KL_OK);
	}
	/* The checkpoint of before is one halt. */
	ck_assert_uint_eq(p.journal.read.at.size, 100);
	grow(5);
	ck_assert_int_eq(read_on(30), KL_OK);
	ck_assert(!p.journal.whole);
	ck_assert_int_eq(read_on(30), KL_OK);
	ck_assert(p.journal.whole);
	ck_assert_uint_eq(p.journal.read.at.size, 145);
	ck_assert(journal_due(&p.journal, later));
	ck_assert_int_eq(sign(), KL_OK);
}
END_TEST

START_TEST(record_that_was_signed_long_ago_is_read_after_a_start)
{
	grow(40);
	ck_assert_int_eq(sign(), KL_OK);
	reseal(3, flip_record);
	ck_assert_int_eq(resume(), KL_OK);
	ck_assert_int_eq(read_on(1000), KL_E_DAMAGED);
	ck_assert(!p.journal.whole);
	ck_assert_uint_eq(p.journal.read.at.size, 3);
	ck_assert_int_eq(sign(), KL_E_DAMAGED);
}
END_TEST

static void
meta_flip(char table, const void *key, size_t n)
{
	uint8_t value[64];
	struct kl_bytes v;
	size_t size;

	parts_begin(&p);
	ck_assert_int_eq(kl_kv_get(p.turn.txn, table, kl_bytes(key, n), &v),
	    KL_OK);
	size = v.n;
	memcpy(value, v.p, size);
	value[0] ^= 1;
	ck_assert_int_eq(kl_kv_put(p.turn.txn, table, kl_bytes(key, n),
	    kl_bytes(value, size)), KL_OK);
	parts_commit(&p);
}

START_TEST(node_that_is_not_over_its_leaves_is_found_before_it_is_signed)
{
	const uint8_t node[9] = { 8, 0 };

	grow(300);
	meta_flip(T_NODE, node, sizeof node);
	ck_assert_int_eq(sign(), KL_E_DAMAGED);
	meta_flip(T_NODE, node, sizeof node);
	ck_assert_int_eq(sign(), KL_OK);
	parts_begin(&p);
	ck_assert_int_eq(kl_kv_del(p.turn.txn, T_NODE, KL_BYTES_OF(node)),
	    KL_OK);
	parts_commit(&p);
	parts_restart(&p);
	ck_assert_int_eq(read_on(1000), KL_E_DAMAGED);
}
END_TEST

START_TEST(month_that_is_gone_without_its_end_is_found_before_it_is_signed)
{
	uint8_t key[4];
	struct kl_writer w;

	grow(20);
	kl_writer_init(&w, key, sizeof key);
	kl_put_u32(&w, month_of(p.turn.now_ms));
	parts_begin(&p);
	ck_assert_int_eq(kl_kv_del(p.turn.txn, T_MONTH, KL_BYTES_OF(key)),
	    KL_OK);
	parts_commit(&p);
	ck_assert_int_eq(sign(), KL_E_DAMAGED);
}
END_TEST

START_TEST(records_of_a_month_that_ended_are_not_missed)
{
	uint32_t slot;

	grow(20);
	p.turn.now_ms += 31 * KL_DAY_MS;
	grow(20);
	ck_assert_int_eq(sign(), KL_OK);
	parts_begin(&p);
	ck_assert_int_eq(month_drop(p.turn.txn, month_of(LETTERS_NOW_MS),
	    MONTH_TERM, &slot), KL_OK);
	parts_commit(&p);
	ck_assert_int_eq(vault_zero(&p.vault, slot), KL_OK);
	ck_assert_int_eq(resume(), KL_OK);
	/* Before they are cut, and after. */
	ck_assert_int_eq(read_on(1000), KL_OK);
	ck_assert_uint_eq(p.journal.read.erased, 21);
	parts_begin(&p);
	cut_all();
	parts_commit(&p);
	ck_assert_int_eq(resume(), KL_OK);
	ck_assert_int_eq(read_on(1000), KL_OK);
	ck_assert_uint_eq(p.journal.read.erased, 21);
	ck_assert_int_eq(sign(), KL_OK);
}
END_TEST

/* ---- the mark ---- */

START_TEST(mark_is_missing_unreadable_or_not_ours)
{
	struct kl_sign_pk other = { { 1 } };
	struct kl_checkpoint c;
	struct kl_note note;
	FILE *f;

	ck_assert_int_eq(journal_mark_read(p.mark.b, &p.journal.pk, &note,
	    &c), KL_E_NOT_FOUND);
	ck_assert_int_eq(journal_mark_read(p.dir.path, &p.journal.pk, &note,
	    &c), KL_E_IO);
	ck_assert_int_eq(sign(), KL_OK);
	ck_assert_int_eq(journal_mark_read(p.mark.b, &other, &note, &c),
	    KL_E_DAMAGED);
	f = fopen(p.mark.b, "a");
	ck_assert_ptr_nonnull(f);
	fputs("x", f);
	fclose(f);
	ck_assert_int_eq(journal_mark_read(p.mark.b, &p.journal.pk, &note,
	    &c), KL_E_DAMAGED);
}
END_TEST

START_TEST(mark_below_a_file_answers_io)
{
	struct tmpdir_path below = tmpdir_file(&p.dir, "data.mdb/mark");
	struct kl_checkpoint c;
	struct kl_note note;

	ck_assert_int_eq(journal_mark_read(below.b, &p.journal.pk, &note,
	    &c), KL_E_IO);
}
END_TEST

START_TEST(restart_goes_on_from_the_mark)
{
	struct kl_range checked;

	grow(299);
	ck_assert_int_eq(sign(), KL_OK);
	checked = p.journal.checked;
	grow(40);
	ck_assert_int_eq(resume(), KL_OK);
	ck_assert_uint_eq(p.journal.checked.size, 300);
	ck_assert_mem_eq(p.journal.checked.h, checked.h,
	    checked.n * sizeof checked.h[0]);
	ck_assert_str_ne(p.journal.note.b, "");
	ck_assert_int_eq(sign(), KL_OK);
	ck_assert_uint_eq(p.journal.checked.size, 340);
}
END_TEST

START_TEST(store_that_never_signed_goes_on)
{
	grow(3);
	ck_assert_int_eq(resume(), KL_OK);
	ck_assert_uint_eq(p.journal.checked.size, 0);
}
END_TEST

static void
copy(const char *from, const char *to)
{
	struct tmpdir_path a = tmpdir_file(&p.dir, from);
	struct tmpdir_path b = tmpdir_file(&p.dir, to);
	static char buf[1 << 16];
	FILE *in = fopen(a.b, "r"), *out = fopen(b.b, "w");
	size_t n;

	ck_assert_ptr_nonnull(in);
	ck_assert_ptr_nonnull(out);
	while ((n = fread(buf, 1, sizeof buf, in)) > 0)
		ck_assert_uint_eq(fwrite(buf, 1, n, out), n);
	fclose(in);
	fclose(out);
}

START_TEST(old_store_copied_back_is_refused)
{
	grow(3);
	copy("data.mdb", "old");
	grow(3);
	ck_assert_int_eq(sign(), KL_OK);
	kl_kv_close(p.kv);
	p.kv = NULL;
	copy("old", "data.mdb");
	ck_assert_int_eq(resume(), KL_E_DAMAGED);
	ck_assert_uint_eq(p.journal.committed.size, 4);
}
END_TEST

START_TEST(other_origin_is_refused)
{
	const struct kl_note none = { .b = "" };

	ck_assert_int_eq(sign(), KL_OK);
	parts_begin(&p);
	ck_assert_int_eq(journal_create(&p.journal, p.turn.txn,
	    p.turn.now_ms, &none, p.mem), KL_OK);
	parts_commit(&p);
	ck_assert_int_eq(resume(), KL_E_DAMAGED);
}
END_TEST

START_TEST(other_leaves_below_the_mark_are_refused)
{
	uint8_t key[8], row[40] = { 9 };

	grow(3);
	ck_assert_int_eq(sign(), KL_OK);
	kl_be64_put(key, 2);
	parts_begin(&p);
	ck_assert_int_eq(kl_kv_put(p.turn.txn, T_LEAF, KL_BYTES_OF(key),
	    KL_BYTES_OF(row)), KL_OK);
	parts_commit(&p);
	ck_assert_int_eq(resume(), KL_E_DAMAGED);
	parts_begin(&p);
	ck_assert_int_eq(kl_kv_del(p.turn.txn, T_LEAF, KL_BYTES_OF(key)),
	    KL_OK);
	parts_commit(&p);
	ck_assert_int_eq(resume(), KL_E_DAMAGED);
}
END_TEST

START_TEST(unreadable_mark_stops_the_start)
{
	p.mark = tmpdir_file(&p.dir, "data.mdb/mark");
	ck_assert_int_eq(resume(), KL_E_IO);
}
END_TEST

/* ---- proofs ---- */

static int
prove(uint32_t want, uint64_t size, uint64_t at, struct kl_hash *out,
    size_t *n)
{
	const struct kl_log_request q = { .want = want, .size = size,
		.at = at };

	return journal_prove(&p.journal, p.turn.txn, &q, out, n);
}

static void
check_proofs(uint64_t old_size, const struct kl_hash *old_root)
{
	struct kl_hash root = kl_range_root(&p.journal.checked);
	struct kl_hash proof[KL_PROOF_MAX], hash;
	uint64_t size = p.journal.checked.size;
	struct kl_logged l;
	size_t n;

	parts_begin_read(&p);
	ck_assert_int_eq(prove(KL_LOG_CONSISTENCY, old_size, 0, proof,
	    &n), KL_OK);
	ck_assert_int_eq(kl_check_consistency(old_size, old_root, size,
	    &root, proof, n), KL_OK);
	l = logged(old_size);
	hash = kl_record_leaf_hash(l.salt, l.record);
	ck_assert_int_eq(prove(KL_LOG_INCLUSION, old_size, 0, proof,
	    &n), KL_OK);
	ck_assert_int_eq(kl_check_inclusion(&hash, old_size, size, proof, n,
	    &root), KL_OK);
	ck_assert_int_eq(prove(KL_LOG_INCLUSION, size, 0, proof,
	    &n), KL_E_VALUE);
	ck_assert_int_eq(prove(KL_LOG_CONSISTENCY, size + 1, 0, proof,
	    &n), KL_E_VALUE);
	ck_assert_int_eq(prove(KL_LOG_CONSISTENCY, 0, 0, proof,
	    &n), KL_E_VALUE);
	kl_kv_abort(&p.turn.txn);
}

START_TEST(proofs_lead_to_the_newest_checkpoint)
{
	struct kl_hash root;

	grow(100);
	ck_assert_int_eq(sign(), KL_OK);
	root = kl_range_root(&p.journal.checked);
	grow(200);
	ck_assert_int_eq(sign(), KL_OK);
	check_proofs(101, &root);
	ck_assert_int_eq(resume(), KL_OK);
	grow(5);
	/* What no checkpoint covers yet is proved by none. */
	ck_assert_uint_eq(p.journal.checked.size, 301);
	check_proofs(101, &root);
}
END_TEST

/* Against each size that a checkpoint may have had. */
START_TEST(proofs_lead_to_the_tree_that_is_asked_for)
{
	struct kl_hash proof[KL_PROOF_MAX], leaf, root[301];
	struct kl_range r;
	size_t n;

	grow(300);
	ck_assert_int_eq(sign(), KL_OK);
	parts_begin_read(&p);
	kl_range_init(&r);
	for (uint64_t i = 0; i < 300; i++) {
		ck_assert_int_eq(tree_leaf(p.turn.txn, i, &leaf), KL_OK);
		kl_range_append(&r, &leaf);
		root[i + 1] = kl_range_root(&r);
	}
	ck_assert_int_eq(tree_leaf(p.turn.txn, 77, &leaf), KL_OK);
	for (uint64_t at = 78; at <= 300; at++) {
		ck_assert_int_eq(prove(KL_LOG_INCLUSION, 77, at, proof, &n),
		    KL_OK);
		ck_assert_int_eq(kl_check_inclusion(&leaf, 77, at, proof, n,
		    &root[at]), KL_OK);
		ck_assert_int_eq(prove(KL_LOG_CONSISTENCY, 77, at, proof, &n),
		    KL_OK);
		ck_assert_int_eq(kl_check_consistency(77, &root[77], at,
		    &root[at], proof, n), KL_OK);
	}
	ck_assert_int_eq(prove(KL_LOG_INCLUSION, 78, 78, proof, &n),
	    KL_E_VALUE);
	ck_assert_int_eq(prove(KL_LOG_INCLUSION, 77, 302, proof, &n),
	    KL_E_VALUE);
	kl_kv_abort(&p.turn.txn);
}
END_TEST

START_TEST(nothing_is_proved_before_a_checkpoint)
{
	struct kl_hash proof[KL_PROOF_MAX];
	size_t n;

	parts_begin_read(&p);
	ck_assert_int_eq(prove(KL_LOG_INCLUSION, 0, 0, proof,
	    &n), KL_E_VALUE);
}
END_TEST

START_TEST(proof_over_a_missing_leaf_is_damage)
{
	struct kl_hash proof[KL_PROOF_MAX];
	uint8_t key[8];
	size_t n;

	grow(20);
	ck_assert_int_eq(sign(), KL_OK);
	kl_be64_put(key, 3);
	parts_begin(&p);
	ck_assert_int_eq(kl_kv_del(p.turn.txn, T_LEAF, KL_BYTES_OF(key)),
	    KL_OK);
	ck_assert_int_eq(prove(KL_LOG_INCLUSION, 2, 0, proof,
	    &n), KL_E_DAMAGED);
}
END_TEST

static TCase *
leaves_case(void)
{
	TCase *tc = tcase_create("leaves");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, origin_names_the_broker_and_is_new_each_time);
	tcase_add_test(tc, first_leaf_names_the_origin_before);
	tcase_add_test(tc, first_origin_has_none_before);
	tcase_add_test(tc, leaf_is_told_as_it_was_written);
	tcase_add_test(tc, leaf_without_an_actor_is_the_brokers);
	tcase_add_test(tc, equal_records_have_unlinkable_leaves);
	tcase_add_test(tc, record_outside_its_values_is_refused);
	tcase_add_test(tc, unknown_leaf_is_not_found);
	tcase_add_test(tc, each_month_has_its_own_key_that_dies_alone);
	tcase_add_test(tc, month_goes_on_with_its_key_after_a_restart);
	tcase_add_test(tc, undone_turn_leaves_no_leaf);
	tcase_add_test(tc, what_was_not_committed_is_gone_after_a_crash);
	tcase_add_test(tc, store_without_a_log_is_damage);
	tcase_add_test(tc, tree_that_is_cut_short_is_damage);
	tcase_add_test(tc, leaf_row_that_is_cut_short_is_damage);
	return tc;
}

static TCase *
checkpoints_case(void)
{
	TCase *tc = tcase_create("checkpoints");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, checkpoint_is_due_after_a_second_or_ten_minutes);
	tcase_add_test(tc, checkpoint_verifies_and_stands_in_the_mark);
	tcase_add_test(tc, flipped_leaf_is_found_before_it_is_signed);
	tcase_add_test(tc, missing_leaf_is_found_before_it_is_signed);
	tcase_add_test(tc, flip_in_memory_is_found_before_it_is_signed);
	tcase_add_test(tc, checkpoint_without_its_mark_is_not_shown);
	tcase_add_test(tc,
	    record_that_is_not_of_its_leaf_is_found_before_it_is_signed);
	tcase_add_test(tc,
	    nothing_is_signed_after_a_start_until_all_was_read);
	tcase_add_test(tc,
	    record_that_was_signed_long_ago_is_read_after_a_start);
	tcase_add_test(tc,
	    node_that_is_not_over_its_leaves_is_found_before_it_is_signed);
	tcase_add_test(tc,
	    month_that_is_gone_without_its_end_is_found_before_it_is_signed);
	tcase_add_test(tc,
	    records_of_a_month_that_ended_are_not_missed);
	tcase_add_test(tc, mark_is_missing_unreadable_or_not_ours);
	tcase_add_test(tc, mark_below_a_file_answers_io);
	tcase_add_test(tc, restart_goes_on_from_the_mark);
	tcase_add_test(tc, store_that_never_signed_goes_on);
	tcase_add_test(tc, old_store_copied_back_is_refused);
	tcase_add_test(tc, other_origin_is_refused);
	tcase_add_test(tc, other_leaves_below_the_mark_are_refused);
	tcase_add_test(tc, unreadable_mark_stops_the_start);
	tcase_add_test(tc, proofs_lead_to_the_newest_checkpoint);
	tcase_add_test(tc, proofs_lead_to_the_tree_that_is_asked_for);
	tcase_add_test(tc, nothing_is_proved_before_a_checkpoint);
	tcase_add_test(tc, proof_over_a_missing_leaf_is_damage);
	return tc;
}

int
main(void)
{
	Suite *s = suite_create("journal");
	SRunner *sr;
	int failed;

	suite_add_tcase(s, leaves_case());
	suite_add_tcase(s, checkpoints_case());
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
