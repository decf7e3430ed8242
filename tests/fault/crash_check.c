#include "tests/fault/crash_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/hash.h>

#include "broker/core/message.h"
#include "broker/core/tables.h"
#include "broker/core/tree.h"

#define USES_MAX 8192		/* uses of slots */
#define ACKED_MAX 512
#define TOLD_MAX 1024
#define REFS_MAX 1024
#define SLOTS_FIXED 2		/* index and MAC key: boot reads them */

struct commit {
	struct kl_hash digest;
	uint64_t leaves;
	size_t erasing;
	int64_t now_ms;
};

/* One use of a slot: commits in which a row refers to it, and then in which it
 * waits to be erased. */
struct slot_use {
	uint32_t slot;
	struct kl_slot_key key;
	size_t from, until, waits_until;
};

static struct {
	struct commit commit[CHECK_COMMITS];
	size_t n;
	struct slot_use held[USES_MAX];
	size_t n_held;
	struct { const struct letter *l; size_t commit; } acked[ACKED_MAX];
	size_t n_acked;
	struct kl_checkpoint told[TOLD_MAX];
	size_t n_told;
	struct kl_note note;
	size_t found;		/* the state of the image */
} ck;

static void
die(const char *what)
{
	fprintf(stderr, "crash_check: %s\n", what);
	_Exit(2);
}

static int
violated(char why[CHECK_WHY], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int
violated(char why[CHECK_WHY], const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(why, CHECK_WHY, format, ap);
	va_end(ap);
	return KL_E_DAMAGED;
}

/* ---- rows ---- */

typedef void (*row_fn)(struct core *c, char table,
    const struct kl_kv_entry *row, void *arg);

/* Every row of the tables; answers KL_OK, or what reading came to. */
static int
rows(struct core *c, struct kl_kv_txn *txn, const char *tables, size_t n,
    row_fn fn, void *arg)
{
	uint8_t key[KL_KV_KEY_MAX];
	struct kl_kv_entry row;
	int r = KL_E_NOT_FOUND;

	for (size_t i = 0; i < n && r == KL_E_NOT_FOUND; i++) {
		size_t n_key = 0;

		while ((r = kl_kv_seek(txn, tables[i], kl_bytes(key, n_key),
		    n_key != 0, &row)) == KL_OK) {
			n_key = row.key.n;
			memcpy(key, row.key.p, n_key);
			fn(c, tables[i], &row, arg);
			/* No second row without a key. */
			if (n_key == 0)
				break;
		}
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

static void
digest_row(struct core *c, char table, const struct kl_kv_entry *row,
    void *arg)
{
	struct kl_hash *h = arg;
	uint8_t head[17];
	const struct kl_bytes parts[] = { KL_BYTES_OF(*h), KL_BYTES_OF(head),
		row->key, row->value };

	(void)c;
	head[0] = (uint8_t)table;
	kl_be64_put(head + 1, row->key.n);
	kl_be64_put(head + 9, row->value.n);
	*h = kl_hash_parts(parts, 4);
}

static int
digest(struct core *c, struct kl_kv_txn *txn, struct kl_hash *out)
{
	char all[255];

	memset(out, 0, sizeof *out);
	for (size_t i = 0; i < sizeof all; i++)
		all[i] = (char)(i + 1);
	return rows(c, txn, all, sizeof all, digest_row, out);
}

/* ---- slots ---- */

struct refs {
	uint32_t slot[REFS_MAX];
	size_t n;
};

static bool
refers(const struct refs *r, uint32_t slot)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->slot[i] == slot)
			return true;
	return false;
}

static void
ref_row(struct core *c, char table, const struct kl_kv_entry *row, void *arg)
{
	struct refs *refs = arg;
	struct kl_reader in;
	uint32_t slot;

	(void)c;
	kl_reader_init(&in, table == T_ERASING ? row->key : row->value);
	if (table == T_MESSAGE)
		(void)kl_get_u8(&in);
	slot = kl_get_u32(&in);
	if (slot == KL_SLOT_NONE || refers(refs, slot))
		return;
	if (in.bad || refs->n == REFS_MAX)
		die("a row without a slot, or too many");
	refs->slot[refs->n++] = slot;
}

static struct slot_use *
use_open(uint32_t slot, size_t commit)
{
	for (size_t i = ck.n_held; i-- > 0;)
		if (ck.held[i].slot == slot &&
		    ck.held[i].waits_until + 1 >= commit)
			return &ck.held[i];
	return NULL;
}

static void
use_note(struct core *c, uint32_t slot, size_t commit)
{
	struct slot_use *h = use_open(slot, commit);

	if (h == NULL) {
		if (ck.n_held == USES_MAX)
			die("too many uses of slots");
		h = &ck.held[ck.n_held++];
		*h = (struct slot_use){ .slot = slot, .from = commit };
		if (kl_slots_key(c->vault.slots, slot, &h->key) != KL_OK)
			die("a slot in use has no key");
	}
	h->until = h->waits_until = commit;
}

static size_t
slots_note(struct core *c, struct kl_kv_txn *txn, size_t commit)
{
	static const char using[] = { T_MESSAGE, T_CONV, T_MONTH };
	static const char waiting[] = { T_ERASING };
	struct refs used = { .n = 0 }, waits = { .n = 0 };
	struct slot_use *h;

	if (rows(c, txn, using, sizeof using, ref_row, &used) != KL_OK ||
	    rows(c, txn, waiting, sizeof waiting, ref_row, &waits) != KL_OK)
		die("the store cannot be read");
	for (size_t i = 0; i < used.n; i++)
		if (!refers(&waits, used.slot[i]))
			use_note(c, used.slot[i], commit);
	for (size_t i = 0; i < waits.n; i++)
		if ((h = use_open(waits.slot[i], commit)) != NULL)
			h->waits_until = commit;
	return waits.n;
}

static int
slots_check(struct core *c, size_t commit, char why[CHECK_WHY])
{
	struct kl_slot_key key;

	for (size_t i = 0; i < ck.n_held; i++) {
		const struct slot_use *h = &ck.held[i];
		bool same = kl_slots_key(c->vault.slots, h->slot, &key) ==
		    KL_OK && memcmp(key.b, h->key.b, sizeof key.b) == 0;

		if (h->from <= commit && commit <= h->until && !same)
			return violated(why, "I1: state %zu needs the key of "
			    "slot %u, which is gone", commit, h->slot);
		if (h->waits_until < commit && same)
			return violated(why, "I8: state %zu has erased slot "
			    "%u, whose key is there", commit, h->slot);
	}
	return KL_OK;
}

/* ---- what is noted ---- */

size_t
check_commit(struct core *c)
{
	struct commit *now = &ck.commit[ck.n];
	struct kl_kv_txn *txn = NULL;

	if (ck.n == CHECK_COMMITS || kl_kv_begin_read(c->kv, &txn) != KL_OK ||
	    digest(c, txn, &now->digest) != KL_OK)
		die("a commit cannot be noted");
	now->now_ms = kl_clock_now_ms(&c->clock);
	now->leaves = c->journal.range.size;
	now->erasing = slots_note(c, txn, ck.n);
	kl_kv_abort(&txn);
	return ck.n++;
}

void
check_acked(const struct letter *l)
{
	if (ck.n_acked == ACKED_MAX)
		die("too many letters");
	ck.acked[ck.n_acked].l = l;
	ck.acked[ck.n_acked++].commit = ck.n - 1;
}

size_t
check_told(const struct core *c)
{
	const struct kl_note *note = &c->journal.note;

	if (note->b[0] == '\0' || strcmp(note->b, ck.note.b) == 0)
		return 0;
	ck.note = *note;
	if (ck.n_told == TOLD_MAX || kl_note_verify(kl_bytes_str(note->b),
	    &c->journal.pk, &ck.told[ck.n_told]) != KL_OK)
		die("a checkpoint does not verify");
	return ++ck.n_told;
}

size_t
check_commits(void)
{
	return ck.n;
}

int64_t
check_time_ms(size_t commit)
{
	return ck.commit[commit < ck.n ? commit : ck.n - 1].now_ms;
}

/* ---- the image ---- */

/* The last of the first `below` commits with this state, from 1; 0: none. */
static size_t
state_find(const struct kl_hash *h, size_t below)
{
	size_t k = below < ck.n ? below : ck.n;

	while (k > 0 && memcmp(&ck.commit[k - 1].digest, h, sizeof *h) != 0)
		k--;
	return k;
}

int
check_found(struct core *c, const struct check_image *i, char why[CHECK_WHY])
{
	struct kl_kv_txn *txn;
	struct kl_hash h;
	size_t k;
	int r = kl_kv_begin_read(c->kv, &txn);

	if (r != KL_OK)
		return violated(why, "I11: the store cannot be read");
	r = digest(c, txn, &h);
	kl_kv_abort(&txn);
	if (r != KL_OK)
		return violated(why, "I11: the store does not verify");
	/* Commits of nothing have the state of the one before. */
	k = state_find(&h, i->most + 1);
	if (k == 0 && (k = state_find(&h, ck.n)) == 0)
		return violated(why, "I11: the state of no commit");
	ck.found = --k;
	if (k < i->least)
		return violated(why, "I11: state %zu, but %zu was committed",
		    k, i->least);
	if (k > i->most)
		return violated(why, "I11: state %zu, but only %zu was begun",
		    k, i->most);
	return slots_check(c, k, why);
}

/* I1: what was acknowledged is there, and whole if it was not delivered. */
static int
acked_check(struct core *c, const struct letter *l, char why[CHECK_WHY])
{
	struct turn *t = &c->turn;
	struct kl_bytes envelope, ct;
	struct message m;
	int r = message_find(t, &l->e.header.msg_id, &m);

	/* None is so old that it would be forgotten. */
	if (r != KL_OK)
		return violated(why, "I1: an acknowledged message is gone");
	if (m.state != KL_MSG_ACCEPTED && m.state != KL_MSG_RELEASED)
		return KL_OK;
	if (message_get_blob(t, &m, &envelope, &ct) != KL_OK ||
	    !kl_bytes_equal(envelope, kl_bytes(l->envelope.b,
	    l->envelope.n)) || !kl_bytes_equal(ct, kl_bytes(l->ct, l->ct_n)))
		return violated(why, "I1: a message that waits is lost");
	return KL_OK;
}

/* I9: what was given out is the beginning of this log. */
static int
told_check(struct core *c, const struct kl_checkpoint *told,
    char why[CHECK_WHY])
{
	struct kl_checkpoint now;
	struct kl_range range;
	struct kl_hash root;

	if (told->size > c->journal.committed.size ||
	    tree_range(c->turn.txn, told->size, &range) != KL_OK)
		return violated(why, "I9: the log is shorter than a "
		    "checkpoint");
	root = kl_range_root(&range);
	if (memcmp(&root, &told->root, sizeof root) != 0)
		return violated(why, "I9: another log than a checkpoint's");
	if (kl_note_verify(kl_bytes_str(c->journal.note.b), &c->journal.pk,
	    &now) != KL_OK || now.size < told->size)
		return violated(why, "I9: the newest checkpoint is older");
	return KL_OK;
}

static int
record_get(struct core *c, uint64_t leaf, struct kl_record *out)
{
	struct kl_logged logged;
	struct kl_bytes b;

	if (journal_logged(&c->journal, c->turn.txn, leaf, c->mem, &b) !=
	    KL_OK || KL_MESSAGE_READ(KL_M_LOGGED, b, c->mem, &logged) !=
	    KL_C_OK || KL_STATEMENT_READ(KL_S_RECORD, logged.record, c->mem,
	    out) != KL_C_OK)
		return KL_E_DAMAGED;
	return KL_OK;
}

/* I3: each message has one ACCEPTED leaf, and each of its leaves begins with
 * the state that the one before ended with. */
static int
log_check(struct core *c, char why[CHECK_WHY])
{
	static const struct kl_ref none;
	static struct { struct kl_ref ref; uint32_t state; } seen[REFS_MAX];
	size_t n = 0;

	for (uint64_t leaf = 0; leaf < c->journal.committed.size; leaf++) {
		struct kl_record r;
		size_t i = 0;
		bool first;

		kl_arena_reset(c->mem);
		if (record_get(c, leaf, &r) != KL_OK)
			return violated(why, "I3: a record cannot be read");
		if (memcmp(&r.msg_ref, &none, sizeof none) == 0 ||
		    r.new_state == 0)
			continue;
		while (i < n && memcmp(&seen[i].ref, &r.msg_ref,
		    sizeof none) != 0)
			i++;
		first = i == n;
		if (first != (r.event == KL_EV_ACCEPTED))
			return violated(why, "I3: leaf %zu: accepted twice, "
			    "or never", (size_t)leaf);
		if (!first && r.prev_state != seen[i].state)
			return violated(why, "I3: leaf %zu does not follow "
			    "from the one before", (size_t)leaf);
		if (first && n++ == REFS_MAX)
			die("too many messages");
		seen[i].ref = r.msg_ref;
		seen[i].state = r.new_state;
	}
	return KL_OK;
}

static int
content_check(struct core *c, const struct check_image *i,
    char why[CHECK_WHY])
{
	int r = KL_OK;

	for (size_t n = 0; n < ck.n_acked && r == KL_OK; n++) {
		kl_arena_reset(c->mem);
		if (ck.acked[n].commit <= i->least)
			r = acked_check(c, ck.acked[n].l, why);
	}
	if (r == KL_OK && i->told > 0)
		r = told_check(c, &ck.told[i->told - 1], why);
	if (r == KL_OK && i->log_too)
		r = log_check(c, why);
	kl_arena_reset(c->mem);
	return r;
}

int
check_settled(struct core *c, const struct check_image *i,
    char why[CHECK_WHY])
{
	const struct commit *k = &ck.commit[ck.found];
	struct kl_kv_entry row;
	int r;

	/* I3: erased once each, and nothing else was told. */
	if (c->journal.committed.size != k->leaves + k->erasing)
		return violated(why, "I3: %zu leaves after a start from %zu "
		    "with %zu to erase", (size_t)c->journal.committed.size,
		    (size_t)k->leaves, k->erasing);
	if (kl_kv_begin_read(c->kv, &c->turn.txn) != KL_OK)
		return violated(why, "I11: the store cannot be read");
	r = kl_kv_seek(c->turn.txn, T_ERASING, KL_BYTES_NONE, false, &row) ==
	    KL_E_NOT_FOUND ? content_check(c, i, why) :
	    violated(why, "I11: something still waits to be erased");
	kl_kv_abort(&c->turn.txn);
	if (r == KL_OK && kl_slots_rewrap_progress(c->vault.slots).running)
		r = violated(why, "I11: a rewrap goes on after a start");
	return r;
}

unsigned int
check_events(struct core *c, uint32_t event)
{
	unsigned int n = 0;
	struct kl_record r;

	if (kl_kv_begin_read(c->kv, &c->turn.txn) != KL_OK)
		die("the store cannot be read");
	for (uint64_t leaf = 0; leaf < c->journal.committed.size; leaf++) {
		kl_arena_reset(c->mem);
		n += record_get(c, leaf, &r) == KL_OK && r.event == event;
	}
	kl_kv_abort(&c->turn.txn);
	kl_arena_reset(c->mem);
	return n;
}
