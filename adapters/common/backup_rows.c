#include "adapters/common/backup_rows.h"

#include <stdlib.h>
#include <string.h>

#include <kortelijn/host/kv.h>

#include "adapters/common/prekeys.h"

#define CHANGED_MAX 8192	/* rows, between two calls */
#define OWN_MAX 64		/* prekeys */
#define SLOT_KEY_BYTES 4

static const struct {
	char table;
	enum backup_rows_kind kind;
} tables[] = {
	{ STORE_USED, BACKUP_ROWS_CLEAR },	/* before what lies there */
	{ STORE_META, BACKUP_ROWS_CLEAR },
	{ STORE_CARD, BACKUP_ROWS_CLEAR },
	{ STORE_REVOCATION, BACKUP_ROWS_CLEAR },
	{ STORE_PREKEY, BACKUP_ROWS_CLEAR },
	{ STORE_PROFILE, BACKUP_ROWS_CLEAR },
	{ STORE_POLICY, BACKUP_ROWS_CLEAR },
	{ STORE_ORDER, BACKUP_ROWS_CLEAR },
	{ STORE_SPOKEN, BACKUP_ROWS_CLEAR },
	{ STORE_CLIENT, BACKUP_ROWS_CLEAR },
	{ STORE_OUT, BACKUP_ROWS_CLEAR },
	{ STORE_SEEN, BACKUP_ROWS_CLEAR },
	{ STORE_UNSENT, BACKUP_ROWS_CLEAR },
	{ STORE_EVENT, BACKUP_ROWS_CLEAR },
	{ STORE_TIMER, BACKUP_ROWS_CLEAR },
	{ STORE_ALARM, BACKUP_ROWS_CLEAR },
	{ STORE_ALARM_OPEN, BACKUP_ROWS_CLEAR },
	{ STORE_LOGGED, BACKUP_ROWS_CLEAR },
	{ STORE_FILE, BACKUP_ROWS_CLEAR },
	{ STORE_WITHDRAWAL, BACKUP_ROWS_CLEAR },
	{ STORE_ERASURE, BACKUP_ROWS_CLEAR },
	{ STORE_MONTH, BACKUP_ROWS_SEALED },
	{ STORE_CASE, BACKUP_ROWS_SEALED },
	{ STORE_STEP, BACKUP_ROWS_SEALED },
	{ STORE_CONTENT, BACKUP_ROWS_SEALED },
	{ STORE_SIGNED, BACKUP_ROWS_SEALED },
	{ STORE_SEALED, BACKUP_ROWS_SEALED },
	{ STORE_ATTEMPT, BACKUP_ROWS_SEALED },
	{ STORE_GOT, BACKUP_ROWS_SEALED },
	{ STORE_FEEDBACK, BACKUP_ROWS_SEALED },
	{ STORE_ACCESS, BACKUP_ROWS_SEALED },
	{ STORE_PERSON, BACKUP_ROWS_SEALED },
	{ STORE_ERASING, BACKUP_ROWS_NOT },
	{ STORE_OWN_PREKEY, BACKUP_ROWS_NOT },
	{ STORE_SECRET, BACKUP_ROWS_NOT },
};
#define TABLES (sizeof tables / sizeof tables[0])

enum backup_rows_kind
backup_rows_kind(char table)
{
	for (size_t i = 0; i < TABLES; i++)
		if (tables[i].table == table)
			return tables[i].kind;
	return BACKUP_ROWS_UNKNOWN;
}

char
backup_rows_table(size_t i)
{
	return i < TABLES ? tables[i].table : 0;
}

/* ---- what changes meanwhile ------------------------------------------ */

struct changed {
	char table;
	uint8_t n_key;
	uint8_t key[KL_KV_KEY_MAX];
};

struct backup_rows {
	struct store *store;
	size_t table;			/* where the walk is */
	struct store_entry at;		/* its last row; its value is void */
	struct changed *changed;	/* CHANGED_MAX */
	size_t n_changed;
	bool overrun;
	uint32_t own[OWN_MAX];		/* slots of own prekeys */
	size_t n_own;
};

static void
note_change(void *arg, char table, struct kl_bytes key)
{
	struct backup_rows *b = arg;
	struct changed *c;

	if (b->n_changed == CHANGED_MAX || key.n > KL_KV_KEY_MAX) {
		b->overrun = true;
		return;
	}
	c = &b->changed[b->n_changed++];
	c->table = table;
	c->n_key = (uint8_t)key.n;
	memcpy(c->key, key.p, key.n);
}

int
backup_rows_new(struct store *s, struct backup_rows **out)
{
	struct backup_rows *b = calloc(1, sizeof *b);

	*out = NULL;
	if (b == NULL)
		return KL_E_MEMORY;
	if ((b->changed = calloc(CHANGED_MAX, sizeof *b->changed)) == NULL) {
		free(b);
		return KL_E_MEMORY;
	}
	b->store = s;
	store_watch(s, &(struct store_watch){ note_change, b });
	*out = b;
	return KL_OK;
}

void
backup_rows_free(struct backup_rows *b)
{
	if (b == NULL)
		return;
	store_watch(b->store, NULL);
	free(b->changed);
	free(b);
}

/* ---- rows ------------------------------------------------------------ */

static int
find_own(struct backup_rows *b)
{
	struct store_entry e = { .n_key = 0 };
	struct prekey_row row;
	int r;

	b->n_own = 0;
	while ((r = store_next_row(b->store, STORE_OWN_PREKEY, &e, &row,
	    sizeof row)) == KL_OK) {
		if (b->n_own == OWN_MAX)
			return KL_E_FULL;
		b->own[b->n_own++] = row.slot;
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

static uint32_t
slot_of_key(struct kl_bytes key)
{
	struct kl_reader r;

	kl_reader_init(&r, key);
	return kl_get_u32(&r);
}

static bool
own_slot(const struct backup_rows *b, struct kl_bytes key)
{
	const uint32_t slot = slot_of_key(key);

	for (size_t i = 0; i < b->n_own; i++)
		if (b->own[i] == slot)
			return true;
	return false;
}

/* One row as it is now, or that there is none. */
static int
put_row(struct backup_rows *b, struct backup_writer *w, struct kl_arena *mem,
    char table, struct kl_bytes key)
{
	const enum backup_rows_kind kind = backup_rows_kind(table);
	struct backup_record rec = { .kind = BACKUP_ROW, .table = table,
		.key = key };
	int r;

	if (kind == BACKUP_ROWS_NOT || kind == BACKUP_ROWS_UNKNOWN)
		return KL_OK;
	if (kind == BACKUP_ROWS_SEALED) {
		rec.kind = BACKUP_SEALED;
		r = store_get_sealed_at(b->store, table, key, mem, &rec.slot,
		    &rec.value);
	} else if (table == STORE_USED && own_slot(b, key)) {
		r = KL_E_NOT_FOUND;
	} else {
		r = store_get(b->store, table, key, &rec.value);
	}
	if (r == KL_E_NOT_FOUND) {
		rec.kind = BACKUP_GONE;
		rec.value = KL_BYTES_NONE;
		r = KL_OK;
	}
	return r != KL_OK ? r : backup_writer_put(w, &rec);
}

/* Plain text of a row does not stay in the arena. */
static int
put_wiped(struct backup_rows *b, struct backup_writer *w,
    struct kl_arena *mem, char table, struct kl_bytes key)
{
	const size_t mark = kl_arena_mark(mem);
	int r = put_row(b, w, mem, table, key);

	kl_arena_release(mem, mark);
	return r;
}

static int
put_changed(struct backup_rows *b, struct backup_writer *w,
    struct kl_arena *mem)
{
	int r = KL_OK;

	for (size_t i = 0; i < b->n_changed && r == KL_OK; i++)
		r = put_wiped(b, w, mem, b->changed[i].table,
		    kl_bytes(b->changed[i].key, b->changed[i].n_key));
	if (r == KL_OK)
		b->n_changed = 0;
	return r;
}

/* KL_E_NOT_FOUND: there is no more. */
static int
put_next(struct backup_rows *b, struct backup_writer *w,
    struct kl_arena *mem)
{
	struct kl_bytes key = kl_bytes(b->at.key, b->at.n_key);
	int r;

	if (b->table == TABLES)
		return KL_E_NOT_FOUND;
	r = tables[b->table].kind == BACKUP_ROWS_NOT ? KL_E_NOT_FOUND :
	    store_seek(b->store, tables[b->table].table, key, true, &b->at);
	if (r == KL_E_NOT_FOUND) {
		b->table++;
		b->at.n_key = 0;
		return KL_OK;
	}
	return r != KL_OK ? r : put_wiped(b, w, mem, tables[b->table].table,
	    kl_bytes(b->at.key, b->at.n_key));
}

int
backup_rows_step(struct backup_rows *b, struct backup_writer *w,
    struct kl_arena *mem, uint32_t max, bool *done)
{
	int r;

	*done = false;
	if (b->overrun)
		return KL_E_AGAIN;
	if ((r = find_own(b)) != KL_OK ||
	    (r = put_changed(b, w, mem)) != KL_OK)
		return r;
	for (uint32_t i = 0; i < max && r == KL_OK; i++)
		r = put_next(b, w, mem);
	*done = r == KL_E_NOT_FOUND;
	return *done ? KL_OK : r;
}

/* ---- back ------------------------------------------------------------ */

int
backup_slots_make(struct backup_slots *u, uint32_t n)
{
	u->n = n;
	u->bits = calloc(1, n / 8 + 1);
	return u->bits == NULL ? KL_E_MEMORY : KL_OK;
}

void
backup_slots_clear(struct backup_slots *u)
{
	free(u->bits);
	*u = (struct backup_slots){ NULL, 0 };
}

int
backup_slots_note(struct backup_slots *u, const struct backup_record *r)
{
	const uint32_t slot = r->kind == BACKUP_SEALED ? r->slot :
	    slot_of_key(r->key);
	const uint8_t bit = (uint8_t)(1u << slot % 8);

	if (r->kind != BACKUP_SEALED && r->table != STORE_USED)
		return KL_OK;
	if (slot >= u->n || (r->table == STORE_USED && r->key.n !=
	    SLOT_KEY_BYTES))
		return KL_E_DAMAGED;
	if (r->table == STORE_USED && r->kind == BACKUP_ROW)
		u->bits[slot / 8] |= bit;
	else if (r->table == STORE_USED && r->kind == BACKUP_GONE)
		u->bits[slot / 8] &= (uint8_t)~bit;
	return KL_OK;
}

static bool
used(const struct backup_slots *u, uint32_t slot)
{
	return slot < u->n && (u->bits[slot / 8] >> slot % 8 & 1) != 0;
}

/* Which instance this is, and that the broker has our profile. */
static bool
of_the_place(const struct backup_record *r)
{
	return r->table == STORE_META &&
	    (kl_bytes_equal(r->key, kl_bytes_str("instance")) ||
	    kl_bytes_equal(r->key, kl_bytes_str("profile sent")));
}

int
backup_rows_put(struct store *s, const struct backup_slots *u,
    const struct backup_record *r)
{
	const enum backup_rows_kind kind = backup_rows_kind(r->table);

	if (kind != BACKUP_ROWS_CLEAR && kind != BACKUP_ROWS_SEALED)
		return KL_E_DAMAGED;
	switch (r->kind) {
	case BACKUP_GONE:
		return store_del(s, r->table, r->key);
	case BACKUP_ROW:
		if (kind != BACKUP_ROWS_CLEAR)
			return KL_E_DAMAGED;
		return of_the_place(r) ? KL_OK : store_put(s, r->table,
		    r->key, r->value);
	case BACKUP_SEALED:
		if (kind != BACKUP_ROWS_SEALED)
			return KL_E_DAMAGED;
		return !used(u, r->slot) ? store_del(s, r->table, r->key) :
		    store_put_sealed(s, r->table, r->key, r->slot, r->value);
	default:
		return KL_E_DAMAGED;
	}
}
